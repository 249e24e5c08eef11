/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the network worker share: one network, which machines' cards are ports of. It
 * may have a gateway to the host's networks (NAT), a DHCP server of its own, and a TAP device of
 * the host as one more port. All in one thread. Frames and peers are hostile. */
#pragma once

#include <glib.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/worker/dhcp.h"
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
typedef struct Resolver Resolver;
typedef struct Fragments Fragments;

/* An address that the network itself answers for. */
typedef struct {
    uint32_t address; /* in the host's order; 0: none */
    uint8_t mac[6];
} LocalAddress;

enum { LOCAL_DHCP, LOCAL_GATEWAY, LOCAL_COUNT };

typedef struct {
    Port ports[NETWORK_PORTS_MAX];
    GHashTable *places; /* address as uint64 -> where it is: index of a port + 1, or PLACE_HOST */
    Nat *nat;           /* NULL: none */
    Dhcp *dhcp;         /* NULL: none */
    Resolver *resolver; /* NULL: questions for names go to the host's servers */
    LocalAddress local[LOCAL_COUNT];
    int control;
    bool configured, stop;
    uint8_t *buffer; /* FRAME_MESSAGE_MAX bytes */
} Network;

#define PLACE_HOST NETWORK_PORTS_MAX         /* the gateway */
#define PLACE_LOCAL (NETWORK_PORTS_MAX + 1u) /* the network's own servers */

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

/* --- network-local.c: what the network itself answers --- */

/* Puts a DHCP server on the network, in the place of one that was there; takes it. NULL: none. */
void local_set_dhcp(Network *network, Dhcp *dhcp);
/* A second address of the gateway, which machines can send through. */
void local_set_gateway(Network *network, uint32_t address);
/* A frame from a port; true: it was for the network's own servers, not for the gateway's. */
bool local_input(Network *network, unsigned from, const uint8_t *data, size_t size);

/* --- network-fragments.c: joins fragments of IPv4 --- */

Fragments *fragments_new(void);
void fragments_free(Fragments *fragments);
bool fragments_is_one(const uint8_t *data, size_t size);
/* Takes a fragment, by a frame for which the call before is true; now in microseconds. The whole
 * datagram's frame, which is good until the next call, when this was the last that it lacked. */
uint8_t *fragments_add(Fragments *fragments, const uint8_t *frame, size_t size, int64_t now,
                       size_t *joined_size);

/* --- network-reach.c: what of the host machines reach --- */

typedef struct {
    uint32_t host;         /* the gateway's IPv4 address, host's order */
    uint8_t prefix6[8];    /* of the network; unused where IPv6 is off */
    bool loopback;         /* by `host` they reach 127.0.0.1 */
    unsigned loopback6;    /* number in the prefix by which they reach ::1; 0: none */
    unsigned name_server6; /* number in the prefix of the one who answers for names; 0: none */
} NatReach;

/* Whether a frame, whose datagram is whole, may go to the gateway. */
bool reach_allows(const NatReach *reach, const uint8_t *data, size_t size);

/* --- network-nat.c: the gateway, on libslirp --- */

typedef struct {
    const char *ipv4;           /* "10.0.2.0/24" */
    unsigned host, name_server; /* numbers in it: the gateway, who answers for names; 0: usual */
    bool ipv6;
    const char *prefix6;       /* NULL: the usual one */
    bool loopback;             /* the host's 127.0.0.1 can be reached, by the address `host` */
    unsigned loopback6;        /* number in the prefix by which ::1 can be reached; 0: none */
    bool dns;                  /* questions are passed on to the host's servers */
    bool dhcp;                 /* the gateway answers DHCP */
    bool host_names;           /* and tells the host's name servers, not itself */
    const char *domain;        /* that DHCP tells; NULL: none */
    const char *const *search; /* domains that DHCP tells; NULL: none */
    const char *tftp_path, *tftp_server, *boot_file; /* NULL: none */
    const char *bind; /* address of the host that connections come from; NULL: any */
    unsigned mtu;     /* 0: the usual one */
} NatOptions;

typedef struct {
    bool udp, ipv6;
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
/* Lets go what waits for more of its kind: before the loop waits. */
void nat_flush(Nat *nat);
/* The address that leads to the gateway, and whether it has this one itself. Host's order. */
uint32_t nat_gateway(const Nat *nat);
bool nat_has_address(const Nat *nat, uint32_t address);
/* Whether an IPv4 or IPv6 address of a packet is that of the one who answers for names. */
bool nat_is_name_server(const Nat *nat, const uint8_t *address, bool ipv6);
bool nat_add_forward(Nat *nat, const NatForward *forward, GError **error);
bool nat_remove_forward(Nat *nat, const NatForward *forward, GError **error);

/* --- network-names.c: the host's name servers in what the gateway says --- */

#define NAMES_MAX 3u /* resolv.conf(5) */

/* The network whose machines are to ask them. */
typedef struct {
    struct in_addr base, mask;
    struct in6_addr prefix6;
} NamesNetwork;

/* Servers that machines can ask; 0 of a kind: the gateway is asked. */
typedef struct {
    struct in_addr ipv4[NAMES_MAX];
    struct in6_addr ipv6[NAMES_MAX];
    size_t count4, count6;
} HostNames;

/* The servers of a text as resolv.conf(5) has it. */
void names_parse(const char *text, const NamesNetwork *network, HostNames *names);
/* Puts them into a frame from the gateway that names servers: of DHCP, DHCPv6, or a router's
 * advertisement. room: how large it may become. Its size then. */
size_t names_put(uint8_t *frame, size_t size, size_t room, const HostNames *names);
/* The same with the host's servers as they are now. */
size_t names_tell(uint8_t *frame, size_t size, size_t room, const NamesNetwork *network);
/* Few frames name servers: whether this may be one. */
bool names_may_be_in(const uint8_t *frame, size_t size);

/* --- network-resolver.c: the host's resolver answers for names --- */

Resolver *resolver_new(void);
void resolver_free(Resolver *resolver);
/* A frame of a machine's; true: it is a question (RFC 1035) that the service was asked. */
bool resolver_input(Network *network, const uint8_t *data, size_t size);
/* What the service says to a question of this number: addresses (separated by commas) or a name;
 * NULL: there is none such. failed: nobody could tell. */
void resolver_answer(Network *network, uint32_t number, const char *content, bool failed);

/* --- network-control.c --- */

/* One request of the service's; false: the service is gone. */
bool network_control(Network *network);
/* Tells the service of something; lost when it does not listen. */
void network_tell(Network *network, const char *text);

/* --- network-confine-linux.c --- */

/* From here on: sockets, and reading files of the folders (NULL at the end) and those that name
 * servers are found with. */
bool network_confine(const char *const *folders, GError **error);
