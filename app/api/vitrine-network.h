/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A network card in a machine's settings. A boxed type; fields may be read and written directly. */
#pragma once

#include "app/api/vitrine-types.h"

G_BEGIN_DECLS

#define VITRINE_ADAPTER_COUNT 8

/**
 * VitrineAdapter:
 * @enabled: the machine has the card
 * @type: the chip
 * @network: what it is attached to
 * @promiscuous: which frames of others it may see
 * @cable_connected: the cable is in
 * @trace: frames are recorded in @trace_file
 * @nat_localhost: the gateway's address leads to the host's own
 * @nat_pass_domain: DHCP tells the host's domain
 * @nat_dns_proxy: the gateway asks the host's name servers
 * @nat_host_resolver: the gateway asks the host's resolver
 * @mac: twelve hex digits; owned, as are all texts; none is NULL
 * @trace_file: a path
 * @bridged_interface: name on the host
 * @internal_network: name of the network
 * @host_only_interface: name on the host
 * @nat_network: name of the NAT network
 * @generic_driver: name of the driver
 * @generic_properties: lines NAME=VALUE
 * @nat_range: "10.0.2.0/24"; "": by the card's number
 * @nat_host_ip: address of the host that connections come from; "": any
 * @nat_tftp_prefix: a folder; "": none
 * @nat_tftp_file: what is booted; "": none
 * @nat_tftp_server: the server that is told; "": the gateway
 * @nat_forwards: lines "NAME,tcp|udp,HOST-IP,HOST-PORT,GUEST-IP,GUEST-PORT"
 */
typedef struct {
    gboolean enabled;
    VitrineAdapterType type;
    VitrineNetwork network;
    VitrinePromiscuous promiscuous;
    gboolean cable_connected;
    gboolean trace;
    gboolean nat_localhost;
    gboolean nat_pass_domain;
    gboolean nat_dns_proxy;
    gboolean nat_host_resolver;
    char *mac;
    char *trace_file;
    char *bridged_interface;
    char *internal_network;
    char *host_only_interface;
    char *nat_network;
    char *generic_driver;
    char *generic_properties;
    char *nat_range;
    char *nat_host_ip;
    char *nat_tftp_prefix;
    char *nat_tftp_file;
    char *nat_tftp_server;
    char *nat_forwards;
} VitrineAdapter;

#define VITRINE_TYPE_ADAPTER (vitrine_adapter_get_type())
GType vitrine_adapter_get_type(void);
/**
 * vitrine_adapter_new:
 *
 * Returns: (transfer full): a card that is off, with the usual values and no
 *   address: it gets one when it is saved as switched on
 */
VitrineAdapter *vitrine_adapter_new(void);
VitrineAdapter *vitrine_adapter_copy(const VitrineAdapter *adapter);
void vitrine_adapter_free(VitrineAdapter *adapter);
gboolean vitrine_adapter_equal(const VitrineAdapter *a, const VitrineAdapter *b);
/**
 * vitrine_adapter_new_mac:
 *
 * Returns: (transfer full): an address at random, of the range that virtual cards have
 */
char *vitrine_adapter_new_mac(void);
/**
 * vitrine_plain_mac:
 * @text: an address, with colons or hyphens between the digits or without
 *
 * Returns: (transfer full): the digits only, as settings have them; what else it says is kept
 */
char *vitrine_plain_mac(const char *text);
/**
 * vitrine_plain_range:
 * @text: an IPv4 network behind NAT: "10.0.2.0/24", "10.0.2.0", "192.168/16"
 *
 * Returns: (transfer full) (nullable): it with four numbers and its bits; %NULL: it is none
 */
char *vitrine_plain_range(const char *text);
/**
 * vitrine_adapter_set_text: (skip)
 * @field: of an adapter
 */
void vitrine_adapter_set_text(char **field, const char *text);
/**
 * vitrine_adapter_is_built:
 * @type: a kind of network card
 *
 * Returns: whether this version has a device of it.
 */
gboolean vitrine_adapter_is_built(VitrineAdapterType type);

/* For the wire between processes. */
GVariant *vitrine_adapter_to_variant(const VitrineAdapter *adapter);
VitrineAdapter *vitrine_adapter_from_variant(GVariant *value, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineAdapter, vitrine_adapter_free)

G_END_DECLS
