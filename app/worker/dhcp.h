/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A DHCP server (RFC 2131 and 2132) without a socket: a client's message in, the answer out. Knows
 * one range of addresses, addresses that are kept for cards, options for all and for single cards,
 * and the leases. Clients are hostile: a card of the network holds only so many addresses, whatever
 * names it gives itself. Leaves out relays, and client identifiers: a client is its address. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define DHCP_MESSAGE_MAX 1472u
#define DHCP_LEASES_MAX 4096u
#define DHCP_LEASES_OF_PORT 16u
#define DHCP_OFFER_SECONDS 60

/* Addresses in the host's order. */
typedef struct {
    uint32_t server, mask, lower, upper;
} DhcpRange;

typedef struct {
    uint8_t mac[6];
    uint32_t address;
    uint32_t seconds;
    int64_t issued; /* seconds since 1970; it ends `seconds` later */
    bool bound;     /* false: offered, given back, or found in use by another */
    unsigned port;  /* of the card that asked */
} DhcpLease;

typedef struct Dhcp Dhcp;
typedef void (*DhcpChanged)(void *user, const DhcpLease *lease);

/* changed is called when a lease is given, made longer or given back. NULL: the range is none. */
Dhcp *dhcp_new(const DhcpRange *range, DhcpChanged changed, void *user);
void dhcp_free(Dhcp *dhcp);
const DhcpRange *dhcp_range(const Dhcp *dhcp);

/* Settings of a card, or of all (mac NULL). data: what the option carries; size 0: the option is
 * not said. forced: said without being asked. False: there are too many, or it is the server's. */
bool dhcp_set_option(Dhcp *dhcp, const uint8_t *mac, uint8_t number, const uint8_t *data,
                     size_t size, bool forced);
/* Seconds; 0: as for all, or the usual. */
bool dhcp_set_times(Dhcp *dhcp, const uint8_t *mac, uint32_t least, uint32_t usual, uint32_t most);
bool dhcp_set_fixed(Dhcp *dhcp, const uint8_t mac[6], uint32_t address);
/* A lease from before. */
void dhcp_restore(Dhcp *dhcp, const DhcpLease *lease);
/* The lease of a card; NULL: none. */
const DhcpLease *dhcp_find(const Dhcp *dhcp, const uint8_t mac[6]);

/* Where an answer goes. */
typedef struct {
    uint8_t mac[6];
    uint32_t address;
} DhcpTarget;

/* port: what the message came from, a small number. now: seconds since 1970. 0: there is no answer,
 * else the answer's size. */
size_t dhcp_answer(Dhcp *dhcp, unsigned port, int64_t now, const uint8_t *message, size_t size,
                   uint8_t answer[DHCP_MESSAGE_MAX], DhcpTarget *target);

/* --- dhcp-leases.c: who has what --- */

typedef struct {
    uint8_t mac[6];
    uint32_t address;
} DhcpFixed;

typedef struct {
    DhcpRange range;
    GArray *leases; /* DhcpLease; each address and each card once */
    GArray *fixed;  /* DhcpFixed */
} DhcpLeases;

/* The lease of a card that comes with this message: the kept address, the one that it had, the one
 * that it wants (0: none) if that is free, or another one. NULL: none is left for it. */
DhcpLease *dhcp_leases_offer(DhcpLeases *leases, const uint8_t mac[6], unsigned port,
                             uint32_t wanted, int64_t now);
/* A lease from before, where neither its card nor its address has another. */
void dhcp_leases_restore(DhcpLeases *leases, const DhcpLease *lease);
DhcpLease *dhcp_leases_find(const DhcpLeases *leases, const uint8_t mac[6]);
uint32_t dhcp_leases_fixed(const DhcpLeases *leases, const uint8_t mac[6]);
static inline bool
dhcp_lease_ended(const DhcpLease *lease, int64_t now)
{
    return now - lease->issued >= (int64_t)lease->seconds;
}
