/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the network worker share: one network, which machines' cards are ports of. It
 * may have a gateway to the host's networks (NAT), a DHCP server of its own, and a TAP device of
 * the host as one more port. All in one thread. Frames and peers are hostile. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "devices/drivers/network/frame/frame.h"

#define NETWORK_PORTS_MAX 64u
#define NETWORK_QUEUE_MAX 512u /* frames that wait for a port */

/* Which frames a card that listens to all is given. */
typedef enum {
    POLICY_DENY, /* its own, and those for all */
    POLICY_VMS,  /* those between machines as well */
    POLICY_ALL,  /* and those from and to the host */
} PortPolicy;

typedef struct {
    bool used, tap;
    char id[64];
    int descriptor;
    uint8_t mac[6];
    PortPolicy policy;
    GQueue waiting; /* GBytes: messages with their header */
    uint64_t lost;
} Port;

typedef struct Nat Nat;

typedef struct {
    Port ports[NETWORK_PORTS_MAX];
    GHashTable *places; /* address as uint64 -> where it is: index of a port + 1, or PLACE_HOST */
    Nat *nat;           /* NULL: none */
    int control;
    bool configured, stop;
    uint8_t *buffer; /* FRAME_MESSAGE_MAX bytes */
} Network;

#define PLACE_HOST NETWORK_PORTS_MAX /* the gateway */

/* --- network-switch.c --- */

/* A frame from a place: goes where it should. data is changed. */
void network_forward(Network *network, unsigned from, uint8_t *data, size_t size,
                     const PdmFrameOffload *offload);
/* Takes the descriptor. */
bool network_add_port(Network *network, const char *id, const uint8_t mac[6], PortPolicy policy,
                      bool tap, int descriptor, GError **error);
bool network_remove_port(Network *network, const char *id, GError **error);
Port *network_find_port(Network *network, const char *id);
/* What has come from a port; false: it is gone. */
bool network_read_port(Network *network, unsigned index);
/* There is room again. */
void network_drain_port(Port *port);

/* --- network-nat.c: the gateway, on libslirp --- */

typedef struct {
    const char *ipv4; /* "10.0.2.0/24" */
    bool ipv6;
    const char *prefix6;       /* NULL: the usual one */
    bool loopback;             /* the host's own addresses can be reached */
    bool dns;                  /* questions are passed on to the host's servers */
    bool dhcp;                 /* the gateway answers DHCP */
    const char *domain;        /* that DHCP tells; NULL: none */
    const char *const *search; /* domains that DHCP tells; NULL: none */
    const char *tftp_path, *tftp_server, *boot_file; /* NULL: none */
    const char *bind; /* address of the host that connections come from; NULL: any */
    unsigned mtu;     /* 0: the usual one */
} NatOptions;

typedef struct {
    bool udp;
    const char *host_ip;  /* "": every address */
    const char *guest_ip; /* "": the first that DHCP gives out */
    unsigned host_port, guest_port;
} NatForward;

Nat *nat_new(Network *network, const NatOptions *options, GError **error);
void nat_free(Nat *nat);
void nat_input(Nat *nat, uint8_t *data, size_t size, const PdmFrameOffload *offload);
/* Adds what it waits for to an array of GPollFD; *timeout in ms. */
void nat_prepare(Nat *nat, GArray *fds, int *timeout);
void nat_dispatch(Nat *nat, GArray *fds);
bool nat_add_forward(Nat *nat, const NatForward *forward, GError **error);
bool nat_remove_forward(Nat *nat, const NatForward *forward, GError **error);

/* --- network-control.c --- */

/* One request of the service's; false: the service is gone. */
bool network_control(Network *network);

/* --- network-confine-linux.c --- */

/* From here on: sockets, and reading files of the folders (NULL at the end) and those that name
 * servers are found with. */
bool network_confine(const char *const *folders, GError **error);
