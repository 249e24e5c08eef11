/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A DHCP server (RFC 2131 and 2132) without a socket: a client's message in, the answer out. Knows
 * one range of addresses, addresses that are kept for cards, options for all, for groups and for
 * single cards, and the leases. Clients are hostile: a card of the network holds only so many
 * addresses, whatever names it gives itself. Leaves out relays, and client identifiers: a client is
 * its address. */
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

/* --- dhcp-settings.c: what is said to whom --- */

#define DHCP_GROUPS_MAX 64u

/* Whom a setting is for. */
typedef struct {
    enum { DHCP_FOR_ALL, DHCP_FOR_GROUP, DHCP_FOR_CARD } kind;
    unsigned group; /* below DHCP_GROUPS_MAX; the first count most */
    uint8_t mac[6];
} DhcpScope;

/* What a condition compares: the card's address (six bytes; a pattern has them as "08:00:27:*"),
 * the class that the maker of the client's system gave it, and one that its user gave it. */
typedef enum {
    DHCP_MAC,
    DHCP_MAC_PATTERN,
    DHCP_VENDOR,
    DHCP_VENDOR_PATTERN,
    DHCP_USER,
    DHCP_USER_PATTERN,
} DhcpConditionKind;

/* Lease times, in seconds. */
enum { DHCP_LEAST, DHCP_USUAL, DHCP_MOST, DHCP_TIMES };

/* Who asks; parts are borrowed. */
typedef struct {
    uint8_t mac[6];
    const uint8_t *vendor, *user;
    size_t vendor_size, user_size;
    uint64_t groups; /* bits of those that it is in */
} DhcpClient;

typedef struct DhcpSettings DhcpSettings;
typedef void (*DhcpOptionFunc)(void *user, uint8_t number, bool forced);

DhcpSettings *dhcp_settings_new(void);
void dhcp_settings_free(DhcpSettings *settings);
/* False: there are too many, or it is none. */
bool dhcp_settings_add_option(DhcpSettings *settings, const DhcpScope *scope, uint8_t number,
                              const uint8_t *data, size_t size, bool forced);
bool dhcp_settings_add_times(DhcpSettings *settings, const DhcpScope *scope,
                             const uint32_t seconds[DHCP_TIMES]);
bool dhcp_settings_add_condition(DhcpSettings *settings, unsigned group, bool takes_in,
                                 DhcpConditionKind kind, const void *value, size_t size);
uint64_t dhcp_settings_groups(const DhcpSettings *settings, const DhcpClient *client);
/* An option's content for a client: empty: it is not said; NULL: nothing is set. Borrowed. */
GBytes *dhcp_settings_find(const DhcpSettings *settings, const DhcpClient *client, uint8_t number);
/* 0: not set. */
void dhcp_settings_times(const DhcpSettings *settings, const DhcpClient *client,
                         uint32_t seconds[DHCP_TIMES]);
/* All options that are set for a client, some more than once. */
void dhcp_settings_foreach(const DhcpSettings *settings, const DhcpClient *client,
                           DhcpOptionFunc function, void *user);

/* --- dhcp.c --- */

typedef struct Dhcp Dhcp;
typedef void (*DhcpChanged)(void *user, const DhcpLease *lease);

/* changed is called when a lease is given, made longer or given back. NULL: the range is none. */
Dhcp *dhcp_new(const DhcpRange *range, DhcpChanged changed, void *user);
void dhcp_free(Dhcp *dhcp);
const DhcpRange *dhcp_range(const Dhcp *dhcp);

/* data: what the option carries; size 0: the option is not said. forced: said without being asked.
 * False: there are too many, or it is the server's. */
bool dhcp_set_option(Dhcp *dhcp, const DhcpScope *scope, uint8_t number, const uint8_t *data,
                     size_t size, bool forced);
/* Seconds; 0: as it is set for more clients, or the usual. */
bool dhcp_set_times(Dhcp *dhcp, const DhcpScope *scope, const uint32_t seconds[DHCP_TIMES]);
bool dhcp_set_condition(Dhcp *dhcp, unsigned group, bool takes_in, DhcpConditionKind kind,
                        const void *value, size_t size);
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
