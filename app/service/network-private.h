/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files network*.c share: a running network, and talking to its worker. */
#pragma once

#include "app/service/network.h"
#include "app/service/settings/netservice-file.h"

/* A request that is said again to a worker that takes the place of another. */
typedef struct {
    char *text;
    int descriptor; /* that goes with it; owned; -1: none */
} NetworkRequest;

/* A card on a network. */
typedef struct {
    char *id; /* "<machine>/<slot>" */
    NetworkRequest port;
    GPtrArray *forwards; /* texts of requests "forward" */
} NetworkCard;

typedef struct {
    Networks *networks;
    char *name; /* "internal/NAME", "nat/MACHINE/SLOT", "natnet/NAME", "tap/DEVICE" */
    char *setup;
    NetworkRequest *trunk; /* the host's TAP device, or NULL */
    GPtrArray *cards;
    GPtrArray *forwards; /* of all machines: texts of requests */
    gboolean kept;       /* it was started by name, and stays without cards */
    int control;
    GPid pid;
    guint watch, event_source, restarts;
    GArray *leases; /* NetLease; NULL: it has no DHCP server */
    guint lease_source;
    gboolean resolves; /* its machines ask the host's resolver */
    guint questions;   /* that are under way */
    GCancellable *cancellable;
} Network;

struct Networks {
    Service *service;
    GHashTable *by_name; /* Network */
};

#define NETWORK_NATNET "natnet/"
#define NETWORK_TAP "tap/"

/* --- network-worker.c --- */

/* Starts its worker and says what it is. */
gboolean network_start(Network *network, GError **error);
/* GDestroyNotify: ends its worker. */
void network_free(gpointer network);
void network_request_clear(NetworkRequest *request);
gboolean network_fail_errno(GError **error, int errnum);
gboolean network_ask(Network *network, const NetworkRequest *request, GError **error);
gboolean network_ask_text(Network *network, const char *text, GError **error);
/* Another worker, with another setup (taken), for the same cards. */
gboolean network_replace(Network *network, char *setup, GError **error);

/* --- network.c --- */

/* The network of this name as its worker has it; NULL: it does not run. */
Network *network_find(Networks *networks, const char *name);
/* Starts one. name and setup are taken. */
Network *network_make(Networks *networks, char *name, char *setup, GError **error);
/* Ends one that nobody needs. */
void network_drop_unused(Network *network);

/* --- network-setup.c --- */

/* The name of the network that a card is on; NULL with error where this version has no such. */
char *network_name(const char *machine, guint slot, const VitrineAdapter *adapter, GError **error);
/* Its request "network"; NULL with error: its settings are not there. */
char *network_setup(Networks *networks, const VitrineAdapter *adapter, guint slot, GError **error);
/* Adds "\nKEY=VALUE"; a value with a line's end is left out, and so is an empty one. */
void network_add_key(GString *text, const char *key, const char *value);
/* "forward" or "unforward" of a line of the settings. The caller's. */
char *network_forward_request(const char *word, const char *line, gboolean ipv6);

/* --- network-dhcp.c: the DHCP server of a network, and its leases --- */

/* The name that the DHCP server of a network has in the settings; NULL: it has none. */
char *network_dhcp_name(const char *network);
/* Says the server's settings and leases to the worker, or that there is none. */
gboolean network_say_dhcp(Network *network, GError **error);
gboolean network_stop_dhcp(Network *network, GError **error);
/* A message "lease" of the worker's. */
void network_take_lease(Network *network, const char *text);
/* Writes what has not been written, and forgets all. */
void network_close_leases(Network *network);

/* --- network-resolve.c: the host's resolver for machines --- */

/* A message "resolve" of the worker's: answered with "resolved", sooner or later. */
void network_take_question(Network *network, const char *text);
/* Nobody waits for answers any more. */
void network_close_questions(Network *network);

/* --- network-nat.c: NAT networks --- */

/* The settings of the NAT network of this name; NULL with error: there is none, or it is off. */
VitrineNatNetwork *nat_network_find(Networks *networks, const char *name, GError **error);
char *nat_network_setup(const VitrineNatNetwork *network);
/* Its forwarded ports become the network's; FALSE with the first that cannot be. */
gboolean nat_network_say_forwards(Network *network, const VitrineNatNetwork *settings,
                                  GError **error);
/* "domain" and "search" of the host. */
void network_add_domains(GString *setup);

/* --- network-tap-linux.c: host-only and bridged networks --- */

/* A descriptor of a TAP device with virtio headers, the caller's; -1 with error. */
int network_open_tap(const char *name, GError **error);

/* --- network-tunnel.c: generic drivers --- */

/* A connected datagram socket, the caller's; -1 with error. */
int network_open_tunnel(const VitrineAdapter *adapter, GError **error);
