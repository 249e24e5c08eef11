/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the networks of all machines are made of: NAT networks, which several machines share, DHCP
 * servers, and the host's network devices. Boxed types; fields may be read and written directly. */
#pragma once

#include "app/api/vitrine-client.h"

G_BEGIN_DECLS

/**
 * VitrineNatNetwork:
 * @enabled: machines can use it
 * @dhcp: addresses are given out
 * @ipv6: IPv6 as well
 * @default_route6: kept for the original
 * @running: its process is there; read only
 * @name: of the network; owned, as are all texts; none is NULL
 * @range: "10.0.2.0/24"
 * @prefix6: "fd17:625c:f037:2::/64"
 * @forwards4: lines "NAME,tcp|udp,HOST-IP,HOST-PORT,GUEST-IP,GUEST-PORT"
 * @forwards6: the same for IPv6
 * @loopbacks: lines "127.0.0.1=NUMBER": the host's own address is this number of the network
 * @loopback6: the host's own IPv6 address, ::1, is this number of the prefix; "": it is not reached
 */
typedef struct {
    gboolean enabled;
    gboolean dhcp;
    gboolean ipv6;
    gboolean default_route6;
    gboolean running;
    char *name;
    char *range;
    char *prefix6;
    char *forwards4;
    char *forwards6;
    char *loopbacks;
    char *loopback6;
} VitrineNatNetwork;

#define VITRINE_TYPE_NAT_NETWORK (vitrine_nat_network_get_type())
GType vitrine_nat_network_get_type(void);
/**
 * vitrine_nat_network_new:
 *
 * Returns: (transfer full): a network with the usual values and no name
 */
VitrineNatNetwork *vitrine_nat_network_new(void);
VitrineNatNetwork *vitrine_nat_network_copy(const VitrineNatNetwork *network);
void vitrine_nat_network_free(VitrineNatNetwork *network);
gboolean vitrine_nat_network_equal(const VitrineNatNetwork *a, const VitrineNatNetwork *b);
/**
 * vitrine_nat_network_check:
 *
 * Whether it can be; what is wrong in @error.
 */
gboolean vitrine_nat_network_check(const VitrineNatNetwork *network, GError **error);
/**
 * vitrine_nat_network_address:
 * @number: of the address in the network
 *
 * Returns: (transfer full): "10.0.2.1"; "" when the range is none
 */
char *vitrine_nat_network_address(const VitrineNatNetwork *network, guint number);
GVariant *vitrine_nat_network_to_variant(const VitrineNatNetwork *network);
VitrineNatNetwork *vitrine_nat_network_from_variant(GVariant *value, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineNatNetwork, vitrine_nat_network_free)

/**
 * VitrineDhcpServer:
 * @enabled: it gives out addresses
 * @name: of the network: that of an internal or NAT network, "HostInterfaceNetworking-" and the
 *   device of a host-only one; owned, as are all texts; none is NULL
 * @address: the server's own
 * @mask: of the network
 * @lower: first address given out
 * @upper: last one
 * @configs: lines "SCOPE WORD VALUE". SCOPE: "global", "group:NAME" (as in a URI),
 *   "mac:080027A1B2C3", "vm:UUID/SLOT". WORD: "option N" (a text), "hex N", "force N",
 *   "suppress N", "least", "usual", "most" (seconds), "fixed" (an address, of a card), "group 1"
 *   (there is this group; the first count most), "include KIND", "exclude KIND" (who is in a
 *   group; KIND: "mac", "vendor", "user", with "-wild" a pattern)
 */
typedef struct {
    gboolean enabled;
    char *name;
    char *address;
    char *mask;
    char *lower;
    char *upper;
    char *configs;
} VitrineDhcpServer;

#define VITRINE_TYPE_DHCP_SERVER (vitrine_dhcp_server_get_type())
GType vitrine_dhcp_server_get_type(void);
/**
 * vitrine_dhcp_server_new:
 *
 * Returns: (transfer full): an empty one
 */
VitrineDhcpServer *vitrine_dhcp_server_new(void);
VitrineDhcpServer *vitrine_dhcp_server_copy(const VitrineDhcpServer *server);
void vitrine_dhcp_server_free(VitrineDhcpServer *server);
gboolean vitrine_dhcp_server_equal(const VitrineDhcpServer *a, const VitrineDhcpServer *b);
/**
 * vitrine_dhcp_server_check:
 *
 * Whether it can be; what is wrong in @error.
 */
gboolean vitrine_dhcp_server_check(const VitrineDhcpServer *server, GError **error);
/**
 * vitrine_dhcp_option_parse:
 * @number: of RFC 2132
 * @text: addresses with spaces between them, a number, or a text, as the option has it
 *
 * Returns: (transfer full): the option's bytes, or %NULL with @error
 */
GBytes *vitrine_dhcp_option_parse(guint number, const char *text, GError **error);
/**
 * vitrine_dhcp_server_new_for_network:
 * @network: whose range is a network
 *
 * Returns: (transfer full): the server that a NAT network has without saying so
 */
VitrineDhcpServer *vitrine_dhcp_server_new_for_network(const VitrineNatNetwork *network);
/**
 * vitrine_dhcp_server_get_config:
 *
 * Returns: (transfer full) (nullable): the value of the first line "@scope @word VALUE"
 */
char *vitrine_dhcp_server_get_config(const VitrineDhcpServer *server, const char *scope,
                                     const char *word);
/**
 * vitrine_dhcp_server_add_config:
 *
 * Adds the line "@scope @word @value".
 */
void vitrine_dhcp_server_add_config(VitrineDhcpServer *server, const char *scope, const char *word,
                                    const char *value);
/**
 * vitrine_dhcp_server_remove_config:
 * @start: of the lines: "SCOPE", "SCOPE WORD" or "SCOPE WORD NUMBER"
 */
void vitrine_dhcp_server_remove_config(VitrineDhcpServer *server, const char *start);
GVariant *vitrine_dhcp_server_to_variant(const VitrineDhcpServer *server);
VitrineDhcpServer *vitrine_dhcp_server_from_variant(GVariant *value, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineDhcpServer, vitrine_dhcp_server_free)

/* --- the service's lists: properties nat-networks and dhcp-servers of VitrineClient notify --- */

/**
 * vitrine_client_list_nat_networks:
 *
 * Returns: (transfer container) (element-type VitrineNatNetwork): all of them
 */
GPtrArray *vitrine_client_list_nat_networks(VitrineClient *client);
/**
 * vitrine_client_find_nat_network:
 *
 * Returns: (transfer full) (nullable): the one of this name
 */
VitrineNatNetwork *vitrine_client_find_nat_network(VitrineClient *client, const char *name);
/**
 * vitrine_client_save_nat_network_sync:
 * @name: of the network that is changed; "": a new one
 * @network: what it is from now on; a running one changes at once
 */
gboolean vitrine_client_save_nat_network_sync(VitrineClient *client, const char *name,
                                              const VitrineNatNetwork *network,
                                              GCancellable *cancellable, GError **error);
void vitrine_client_save_nat_network_async(VitrineClient *client, const char *name,
                                           const VitrineNatNetwork *network,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
gboolean vitrine_client_save_nat_network_finish(VitrineClient *client, GAsyncResult *result,
                                                GError **error);
/**
 * vitrine_client_change_nat_network_sync:
 * @verb: "remove", "start" or "stop"
 */
gboolean vitrine_client_change_nat_network_sync(VitrineClient *client, const char *name,
                                                const char *verb, GCancellable *cancellable,
                                                GError **error);
void vitrine_client_change_nat_network_async(VitrineClient *client, const char *name,
                                             const char *verb, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_client_change_nat_network_finish(VitrineClient *client, GAsyncResult *result,
                                                  GError **error);
/**
 * vitrine_client_list_dhcp_servers:
 *
 * Returns: (transfer container) (element-type VitrineDhcpServer): all of them
 */
GPtrArray *vitrine_client_list_dhcp_servers(VitrineClient *client);
/**
 * vitrine_client_find_dhcp_server:
 *
 * Returns: (transfer full) (nullable): that of the network of this name
 */
VitrineDhcpServer *vitrine_client_find_dhcp_server(VitrineClient *client, const char *name);
/**
 * vitrine_client_save_dhcp_server_sync:
 * @server: takes the place of the one that its network has, if any; one that runs changes at once
 */
gboolean vitrine_client_save_dhcp_server_sync(VitrineClient *client,
                                              const VitrineDhcpServer *server,
                                              GCancellable *cancellable, GError **error);
void vitrine_client_save_dhcp_server_async(VitrineClient *client, const VitrineDhcpServer *server,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
gboolean vitrine_client_save_dhcp_server_finish(VitrineClient *client, GAsyncResult *result,
                                                GError **error);
/**
 * vitrine_client_change_dhcp_server_sync:
 * @verb: "remove", "start", "restart" or "stop"
 */
gboolean vitrine_client_change_dhcp_server_sync(VitrineClient *client, const char *name,
                                                const char *verb, GCancellable *cancellable,
                                                GError **error);
void vitrine_client_change_dhcp_server_async(VitrineClient *client, const char *name,
                                             const char *verb, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_client_change_dhcp_server_finish(VitrineClient *client, GAsyncResult *result,
                                                  GError **error);
/**
 * vitrine_client_find_lease_sync:
 * @name: of the network
 * @mac: twelve hex digits
 * @address: (out): the address
 * @state: (out): "acked", "released" or "expired"
 * @issued: (out): seconds since 1970
 * @seconds: (out): how long it is good from then on
 */
gboolean vitrine_client_find_lease_sync(VitrineClient *client, const char *name, const char *mac,
                                        char **address, char **state, gint64 *issued,
                                        guint *seconds, GCancellable *cancellable, GError **error);

/* --- the host's network devices --- */

/**
 * VitrineHostInterface:
 * @name: of the device; owned, as are all texts; none is NULL
 * @mac: "52:54:00:12:34:56"
 * @address: IPv4; "" without
 * @mask: of @address
 * @address6: IPv6; "" without
 * @bits6: of @address6
 * @up: it is switched on
 * @wireless: it is a radio
 * @host_only: a TAP device, for machines and the host
 * @bridge: a bridge, which machines can join
 */
typedef struct {
    char *name;
    char *mac;
    char *address;
    char *mask;
    char *address6;
    guint bits6;
    gboolean up;
    gboolean wireless;
    gboolean host_only;
    gboolean bridge;
} VitrineHostInterface;

#define VITRINE_TYPE_HOST_INTERFACE (vitrine_host_interface_get_type())
GType vitrine_host_interface_get_type(void);
VitrineHostInterface *vitrine_host_interface_copy(const VitrineHostInterface *device);
void vitrine_host_interface_free(VitrineHostInterface *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineHostInterface, vitrine_host_interface_free)
/**
 * vitrine_list_host_interfaces:
 *
 * Returns: (transfer container) (element-type VitrineHostInterface): by name; without loopback
 */
GPtrArray *vitrine_list_host_interfaces(void);
/**
 * vitrine_host_only_problem:
 *
 * Returns: (transfer full) (nullable): why this program cannot make or change devices for host-only
 *   networks on this host, in a sentence; %NULL: it can
 */
char *vitrine_host_only_problem(void);
/**
 * vitrine_host_only_create:
 *
 * Makes a device for host-only networks, with an address of its own. The host lets only its
 * administrator do that.
 *
 * Returns: (transfer full): its name
 */
char *vitrine_host_only_create(GError **error);
gboolean vitrine_host_only_remove(const char *name, GError **error);
/**
 * vitrine_host_only_configure:
 * @address: IPv4, or IPv6 (in the place of the one before; "": none)
 * @mask: (nullable): of an IPv4 address
 * @bits: of an IPv6 address
 */
gboolean vitrine_host_only_configure(const char *name, const char *address, const char *mask,
                                     guint bits, GError **error);

G_END_DECLS
