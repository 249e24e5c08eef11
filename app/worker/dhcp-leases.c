/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which card has which address (RFC 2131, section 4.3.1: the order in which one is chosen). */
#include "app/worker/dhcp.h"

#include <string.h>

static DhcpLease *
nth(const DhcpLeases *leases, guint i)
{
    return &g_array_index(leases->leases, DhcpLease, i);
}

DhcpLease *
dhcp_leases_find(const DhcpLeases *leases, const uint8_t mac[6])
{
    for (guint i = 0; i < leases->leases->len; i++) {
        if (memcmp(nth(leases, i)->mac, mac, 6) == 0)
            return nth(leases, i);
    }
    return NULL;
}

static DhcpLease *
find_address(const DhcpLeases *leases, uint32_t address)
{
    for (guint i = 0; i < leases->leases->len; i++) {
        if (nth(leases, i)->address == address)
            return nth(leases, i);
    }
    return NULL;
}

uint32_t
dhcp_leases_fixed(const DhcpLeases *leases, const uint8_t mac[6])
{
    for (guint i = 0; i < leases->fixed->len; i++) {
        const DhcpFixed *fixed = &g_array_index(leases->fixed, DhcpFixed, i);

        if (memcmp(fixed->mac, mac, 6) == 0)
            return fixed->address;
    }
    return 0;
}

static bool
is_kept(const DhcpLeases *leases, uint32_t address)
{
    for (guint i = 0; i < leases->fixed->len; i++) {
        if (g_array_index(leases->fixed, DhcpFixed, i).address == address)
            return true;
    }
    return false;
}

static bool
in_pool(const DhcpLeases *leases, uint32_t address)
{
    return address >= leases->range.lower && address <= leases->range.upper &&
           address != leases->range.server && !is_kept(leases, address);
}

static bool
port_is_full(const DhcpLeases *leases, unsigned port, int64_t now)
{
    unsigned count = 0;

    for (guint i = 0; i < leases->leases->len; i++) {
        const DhcpLease *lease = nth(leases, i);

        count += lease->port == port && !dhcp_lease_ended(lease, now);
    }
    return count >= DHCP_LEASES_OF_PORT;
}

/* The lease that ended first, of those that have; NULL: none has. */
static DhcpLease *
find_ended(const DhcpLeases *leases, int64_t now)
{
    DhcpLease *oldest = NULL;

    for (guint i = 0; i < leases->leases->len; i++) {
        DhcpLease *lease = nth(leases, i);

        if (dhcp_lease_ended(lease, now) && in_pool(leases, lease->address) &&
            (oldest == NULL || lease->issued + lease->seconds < oldest->issued + oldest->seconds))
            oldest = lease;
    }
    return oldest;
}

/* An address that nobody has had; 0: none. Looks at as many as there can be leases. */
static uint32_t
find_unused(const DhcpLeases *leases)
{
    const uint64_t last =
        MIN((uint64_t)leases->range.upper, (uint64_t)leases->range.lower + 2 * DHCP_LEASES_MAX);

    if (leases->leases->len >= DHCP_LEASES_MAX)
        return 0;
    for (uint64_t address = leases->range.lower; address <= last; address++) {
        if (in_pool(leases, (uint32_t)address) && find_address(leases, (uint32_t)address) == NULL)
            return (uint32_t)address;
    }
    return 0;
}

static DhcpLease *
add(DhcpLeases *leases, const uint8_t mac[6], uint32_t address)
{
    DhcpLease lease = {.address = address};

    if (leases->leases->len >= DHCP_LEASES_MAX)
        return NULL;
    memcpy(lease.mac, mac, 6);
    g_array_append_val(leases->leases, lease);
    return nth(leases, leases->leases->len - 1);
}

static DhcpLease *
take_over(DhcpLease *lease, const uint8_t mac[6])
{
    memcpy(lease->mac, mac, 6);
    lease->bound = false;
    lease->seconds = 0;
    return lease;
}

/* The address that is kept for a card is its alone. */
static DhcpLease *
give_fixed(DhcpLeases *leases, DhcpLease *own, const uint8_t mac[6], uint32_t address)
{
    DhcpLease *other = find_address(leases, address);

    if (own != NULL && own->address == address)
        return own;
    if (other != NULL && other != own)
        g_array_remove_index_fast(leases->leases, (guint)(other - nth(leases, 0)));
    own = dhcp_leases_find(leases, mac);
    if (own == NULL)
        return add(leases, mac, address);
    own->address = address;
    own->bound = false;
    return own;
}

static DhcpLease *
give_new(DhcpLeases *leases, const uint8_t mac[6], uint32_t wanted, int64_t now)
{
    DhcpLease *other = wanted != 0 ? find_address(leases, wanted) : NULL;
    uint32_t address;

    if (other != NULL && dhcp_lease_ended(other, now) && in_pool(leases, wanted))
        return take_over(other, mac);
    if (other == NULL && wanted != 0 && in_pool(leases, wanted))
        return add(leases, mac, wanted);
    address = find_unused(leases);
    if (address != 0)
        return add(leases, mac, address);
    other = find_ended(leases, now);
    return other != NULL ? take_over(other, mac) : NULL;
}

DhcpLease *
dhcp_leases_offer(DhcpLeases *leases, const uint8_t mac[6], unsigned port, uint32_t wanted,
                  int64_t now)
{
    const uint32_t fixed = dhcp_leases_fixed(leases, mac);
    DhcpLease *own = dhcp_leases_find(leases, mac);

    if ((own == NULL || dhcp_lease_ended(own, now)) && port_is_full(leases, port, now))
        return NULL;
    if (fixed != 0)
        own = give_fixed(leases, own, mac, fixed);
    else if (own != NULL && !in_pool(leases, own->address)) {
        g_array_remove_index_fast(leases->leases, (guint)(own - nth(leases, 0)));
        own = NULL;
    }
    if (own == NULL && fixed == 0)
        own = give_new(leases, mac, wanted, now);
    if (own != NULL)
        own->port = port;
    return own;
}

void
dhcp_leases_restore(DhcpLeases *leases, const DhcpLease *lease)
{
    const uint32_t fixed = dhcp_leases_fixed(leases, lease->mac);
    DhcpLease *own;

    if ((fixed != 0 ? fixed != lease->address : !in_pool(leases, lease->address)) ||
        dhcp_leases_find(leases, lease->mac) != NULL ||
        find_address(leases, lease->address) != NULL)
        return;
    own = add(leases, lease->mac, lease->address);
    if (own == NULL)
        return;
    *own = *lease;
    own->port = UINT_MAX;
}
