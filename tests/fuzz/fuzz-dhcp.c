/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libFuzzer on the DHCP server alone, which fuzz-network.c reaches only behind good frames:
 * messages of three cards, with time between them. An input is messages, each behind four bytes:
 * the card (two bits, which its address field is set to unless bit 7 is there), minutes that pass,
 * and its size. Whatever it is told, what it gives out is its own, each address once, and an answer
 * ends where it says. Made by test_fuzz_dhcp.py. */
#include <string.h>

#include "app/worker/dhcp.h"
#include "devices/drivers/network/frame/frame.h"

#define MESSAGES_MAX 96u
#define ADDRESS_AT 28u
#define OWN_AT 16u
#define OPTIONS_AT 240u
#define CARDS 3u

static const DhcpRange range = {0x0a070002, 0xffffff00, 0x0a070032, 0x0a070036};
static const uint32_t kept = 0x0a070063; /* for the first card */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_mac(uint8_t mac[6], unsigned card)
{
    const uint8_t own[6] = {8, 0, 0x27, 0, 0, (uint8_t)(card + 1)};

    memcpy(mac, own, sizeof(own));
}

static Dhcp *
new_server(void)
{
    const DhcpScope all = {.kind = DHCP_FOR_ALL}, group = {.kind = DHCP_FOR_GROUP, .group = 5};
    const uint8_t router[] = {10, 7, 0, 1};
    DhcpScope card = {.kind = DHCP_FOR_CARD};
    uint8_t mac[6], name[255];
    Dhcp *dhcp = dhcp_new(&range, NULL, NULL);

    put_mac(mac, 0);
    put_mac(card.mac, 0);
    memset(name, 'n', sizeof(name));
    if (!dhcp_set_fixed(dhcp, mac, kept))
        g_error("no address can be kept");
    dhcp_set_option(dhcp, &all, 3, router, sizeof(router), true);
    dhcp_set_option(dhcp, &all, 15, name, sizeof(name), true);
    dhcp_set_option(dhcp, &card, 67, name, 127, false);
    dhcp_set_option(dhcp, &card, 43, name, sizeof(name), true);
    dhcp_set_option(dhcp, &group, 12, name, 40, true);
    dhcp_set_option(dhcp, &group, 15, name, 0, false);
    dhcp_set_condition(dhcp, group.group, true, DHCP_VENDOR_PATTERN, "a*b?c*", 6);
    dhcp_set_condition(dhcp, group.group, true, DHCP_USER_PATTERN, "*us*er", 6);
    dhcp_set_condition(dhcp, group.group, true, DHCP_USER, "us", 2);
    dhcp_set_condition(dhcp, group.group, false, DHCP_MAC_PATTERN, "*:03", 4);
    dhcp_set_times(dhcp, &all, (const uint32_t[]){60, 600, 3600});
    return dhcp;
}

static bool
can_be_given(uint32_t address)
{
    return address == kept || (address >= range.lower && address <= range.upper);
}

/* The options stand behind each other and end within the answer. */
static void
check_answer(const uint8_t *answer, size_t size)
{
    const uint32_t own = frame_load32(answer + OWN_AT);
    size_t at = OPTIONS_AT;

    if (size > DHCP_MESSAGE_MAX || size < OPTIONS_AT)
        g_error("an answer of %zu bytes", size);
    if (own != 0 && !can_be_given(own))
        g_error("%08x is given out", own);
    while (at < size && answer[at] != 255)
        at += answer[at] == 0 ? 1 : 2 + (at + 1 < size ? answer[at + 1] : DHCP_MESSAGE_MAX);
    if (at >= size)
        g_error("the options do not end");
}

/* Two cards never have one address for sure. */
static void
check_leases(const Dhcp *dhcp, int64_t now)
{
    const DhcpLease *leases[CARDS];

    for (unsigned i = 0; i < CARDS; i++) {
        uint8_t mac[6];

        put_mac(mac, i);
        leases[i] = dhcp_find(dhcp, mac);
        for (unsigned j = 0; j < i; j++) {
            if (leases[i] != NULL && leases[j] != NULL && leases[i]->bound && leases[j]->bound &&
                !dhcp_lease_ended(leases[i], now) && leases[i]->address == leases[j]->address)
                g_error("two cards have %08x", leases[i]->address);
        }
    }
}

static void
one_message(Dhcp *dhcp, const uint8_t *head, const uint8_t *data, size_t size, int64_t now)
{
    g_autofree uint8_t *message = g_memdup2(data, size);
    const unsigned card = (head[0] & 3) % CARDS;
    uint8_t answer[DHCP_MESSAGE_MAX];
    DhcpTarget target;
    size_t length;

    if ((head[0] & 0x80) == 0 && size >= ADDRESS_AT + 6)
        put_mac(message + ADDRESS_AT, card);
    length = dhcp_answer(dhcp, card, now, message, size, answer, &target);
    if (length != 0)
        check_answer(answer, length);
    check_leases(dhcp, now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Dhcp *dhcp = new_server();
    int64_t now = 1000000;

    for (unsigned i = 0; i < MESSAGES_MAX && size > 4; i++) {
        const size_t length = MIN((size_t)frame_load16(data + 2), size - 4);

        now += data[1] * 60;
        if (length != 0)
            one_message(dhcp, data, data + 4, length, now);
        data += 4 + length;
        size -= 4 + length;
    }
    dhcp_free(dhcp);
    return 0;
}
