/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which of a machine's datagrams may mean the host. */
#include <arpa/inet.h>
#include <string.h>

#include "app/worker/network.h"

enum { BOTH, ONLY4, ONLY6, NEITHER, SETTINGS, ICMP = 1, ICMP6 = 58 };

/* The address of the gateway is .2, of who answers for names .3; ::1 is reached by number 7. */
static const NatReach reach[SETTINGS] = {
    [BOTH] = {0x0a000202, {0xfd, 0x17}, true, 7, 3},
    [ONLY4] = {0x0a000202, {0xfd, 0x17}, true, 0, 3},
    [ONLY6] = {0x0a000202, {0xfd, 0x17}, false, 7, 3},
    [NEITHER] = {0x0a000202, {0xfd, 0x17}, false, 0, 3},
};

/* By setting: y, or n. */
static const struct {
    const char *to;
    uint8_t protocol;
    uint16_t port;
    const char *allowed;
} cases[] = {
    {"127.0.0.1", FRAME_TCP, 80, "nnnn"},
    {"127.255.1.2", FRAME_UDP, 53, "nnnn"},
    {"0.0.0.0", FRAME_TCP, 80, "nnnn"},
    {"127.0.0.1", ICMP, 0, "nnnn"},
    {"10.0.2.2", FRAME_TCP, 80, "yynn"},
    {"10.0.2.2", FRAME_TCP, 67, "yynn"},
    {"10.0.2.2", FRAME_UDP, 80, "yynn"},
    {"10.0.2.2", FRAME_UDP, 67, "yyyy"},
    {"10.0.2.2", FRAME_UDP, 69, "yyyy"},
    {"10.0.2.2", ICMP, 0, "yyyy"},
    {"255.255.255.255", FRAME_UDP, 67, "yyyy"},
    {"255.255.255.255", FRAME_UDP, 137, "yynn"},
    {"10.0.2.3", FRAME_UDP, 53, "yyyy"},
    {"10.0.2.3", FRAME_TCP, 53, "yyyy"},
    {"192.0.2.1", FRAME_TCP, 80, "yyyy"},
    {"::", FRAME_TCP, 80, "nnnn"},
    {"::1", FRAME_TCP, 80, "nnnn"},
    {"::127.0.0.1", FRAME_TCP, 80, "nnnn"},
    {"::ffff:127.0.0.1", FRAME_TCP, 80, "nnnn"},
    {"::ffff:192.0.2.1", FRAME_UDP, 80, "nnnn"},
    {"fd17::2", FRAME_TCP, 80, "nnnn"},
    {"fd17::7", FRAME_TCP, 80, "ynyn"},
    {"fd17::7", FRAME_UDP, 80, "ynyn"},
    {"fd17::1:0:0:7", FRAME_TCP, 80, "nnnn"},
    {"fd17:0:0:1::7", FRAME_TCP, 80, "yyyy"},
    {"fd17::3", FRAME_UDP, 53, "yyyy"},
    {"fd17::3", FRAME_TCP, 53, "yyyy"},
    {"fd17::3", FRAME_TCP, 80, "nnnn"},
    {"fd17::2", FRAME_UDP, 69, "yyyy"},
    {"fd17::2", ICMP6, 0, "yyyy"},
    {"ff02::1", FRAME_UDP, 80, "nnnn"},
    {"ff02::1:2", FRAME_UDP, 547, "yyyy"},
    {"2001:db8::1", FRAME_TCP, 80, "yyyy"},
};

/* options: bytes between the header of IPv4 and the ports. */
static size_t
make(uint8_t *frame, const char *to, uint8_t protocol, uint16_t port, unsigned options)
{
    const bool ipv6 = strchr(to, ':') != NULL;
    uint8_t *ip = frame + FRAME_ETHERNET;
    const unsigned header = ipv6 ? 40 : 20 + options;

    memset(frame, 0, 128);
    frame_store16(frame + 12, ipv6 ? FRAME_IPV6 : FRAME_IPV4);
    ip[0] = ipv6 ? 0x60 : (uint8_t)(0x40 | header / 4);
    ip[ipv6 ? 6 : 9] = protocol;
    g_assert_cmpint(inet_pton(ipv6 ? AF_INET6 : AF_INET, to, ip + (ipv6 ? 24 : 16)), ==, 1);
    frame_store16(ip + header + 2, port);
    return FRAME_ETHERNET + header + 8;
}

static void
test_table(void)
{
    uint8_t frame[128];

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (unsigned j = 0; j < SETTINGS; j++) {
            const size_t size = make(frame, cases[i].to, cases[i].protocol, cases[i].port, 0);

            g_test_message("%s %u:%u with setting %u", cases[i].to, cases[i].protocol,
                           cases[i].port, j);
            g_assert_cmpint(reach_allows(&reach[j], frame, size), ==, cases[i].allowed[j] == 'y');
        }
    }
}

/* The ports lie behind the header's options. */
static void
test_options(void)
{
    uint8_t frame[128];
    size_t size = make(frame, "10.0.2.2", FRAME_UDP, 67, 40);

    g_assert_true(reach_allows(&reach[NEITHER], frame, size));
    frame_store16(frame + FRAME_ETHERNET + 60 + 2, 80);
    frame_store16(frame + FRAME_ETHERNET + 20 + 2, 67);
    g_assert_false(reach_allows(&reach[NEITHER], frame, size));
}

/* Nothing that is cut short gets through, and nothing behind it is read. */
static void
test_short(void)
{
    static const char *const to[] = {"10.0.2.2", "192.0.2.1", "fd17::7", "2001:db8::1"};
    uint8_t frame[128];

    for (unsigned i = 0; i < G_N_ELEMENTS(to); i++) {
        const size_t size = make(frame, to[i], FRAME_TCP, 80, 0);

        for (size_t cut = 0; cut + 4 < size; cut++) {
            g_autofree uint8_t *copy = g_memdup2(frame, cut);

            g_assert_false(reach_allows(&reach[BOTH], copy, cut));
        }
    }
    frame_store16(frame + 12, FRAME_ARP);
    g_assert_true(reach_allows(&reach[NEITHER], frame, 60));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/network/reach/table", test_table);
    g_test_add_func("/network/reach/options", test_options);
    g_test_add_func("/network/reach/short", test_short);
    return g_test_run();
}
