/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's name servers, as its file has them, in what the gateway tells machines: DHCP, DHCPv6
 * and router advertisements. */
#include <arpa/inet.h>
#include <string.h>

#include "app/worker/network.h"

#define ROOM 1514u
#define ICMP_AT (FRAME_ETHERNET + 40u)

static NamesNetwork
usual_network(void)
{
    NamesNetwork network;

    inet_pton(AF_INET, "10.0.2.0", &network.base);
    inet_pton(AF_INET, "255.255.255.0", &network.mask);
    inet_pton(AF_INET6, "fd17:625c:f037:2::", &network.prefix6);
    return network;
}

static void
test_parse(void)
{
    static const struct {
        const char *text;
        size_t count4, count6;
    } cases[] = {
        {"nameserver 192.0.2.1\nnameserver\t192.0.2.2\n", 2, 0},
        {"# nameserver 192.0.2.1\nsearch nameserver 192.0.2.1\n", 0, 0},
        {"nameserver 192.0.2.1\nnameserver 2001:db8::1\n", 1, 1},
        {"nameserver 127.0.0.53\nnameserver 2001:db8::1\n", 0, 1},
        {"nameserver 192.0.2.1\nnameserver 10.0.2.3\n", 0, 0},
        {"nameserver 2001:db8::1\nnameserver fe80::1%eth0\n", 0, 0},
        {"nameserver 2001:db8::1\nnameserver ::1\n", 0, 0},
        {"nameserver fd17:625c:f037:2::3\n", 0, 0},
        {"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 127.0.0.1\n",
         3, 0},
        {"nameserver\nnameserver nobody\n", 0, 0},
    };
    const NamesNetwork network = usual_network();
    HostNames names;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        names_parse(cases[i].text, &network, &names);
        g_assert_cmpuint(names.count4, ==, cases[i].count4);
        g_assert_cmpuint(names.count6, ==, cases[i].count6);
    }
}

static HostNames
two_of_each(void)
{
    const NamesNetwork network = usual_network();
    HostNames names;

    names_parse("nameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver 2001:db8::2\n", &network,
                &names);
    return names;
}

/* A frame of IPv6 with so much behind the header. */
static size_t
start6(uint8_t *frame, uint8_t protocol, size_t size)
{
    uint8_t *ip = frame + FRAME_ETHERNET;

    memset(frame, 0, ROOM);
    frame_store16(frame + 12, FRAME_IPV6);
    ip[0] = 0x60;
    frame_store16(ip + 4, (uint16_t)size);
    ip[6] = protocol;
    ip[8] = 0xfe;
    ip[9] = 0x80;
    ip[24] = 0xff;
    return ICMP_AT + size;
}

/* The sum over header and data is right. */
static void
check6(const uint8_t *frame, size_t size, uint8_t protocol)
{
    const uint8_t *ip = frame + FRAME_ETHERNET;
    const size_t length = size - ICMP_AT;

    g_assert_cmpuint(frame_load16(ip + 4), ==, length);
    g_assert_cmphex(
        frame_checksum(frame + ICMP_AT, length, frame_sum(ip + 8, 32, protocol + (uint32_t)length)),
        ==, 0);
}

static void
test_advertisement(void)
{
    /* Of a prefix, then of one server, then of the link's address. */
    static const uint8_t options[] = {3, 4, [32] = 25, 3, [56] = 1, 1, 0x52, 0x56};
    const HostNames names = two_of_each();
    uint8_t frame[ROOM], *icmp = frame + ICMP_AT;
    size_t size = start6(frame, 58, 16 + sizeof(options) + 4);

    icmp[0] = 134;
    memcpy(icmp + 16, options, sizeof(options));
    size = names_put(frame, size, sizeof(frame), &names);
    g_assert_cmpuint(size, ==, ICMP_AT + 16 + 64 + 16);
    check6(frame, size, 58);
    g_assert_cmpuint(icmp[16 + 32], ==, 25);
    g_assert_cmpuint(icmp[16 + 33], ==, 5);
    g_assert_cmpmem(icmp + 16 + 40, 32, names.ipv6, 32);
    g_assert_cmpuint(icmp[16 + 72], ==, 1);
    g_assert_cmpuint(icmp[16 + 74], ==, 0x52);
}

/* One without servers, and one whose options do not end, stay as they are. */
static void
test_other_advertisements(void)
{
    const HostNames names = two_of_each();
    uint8_t frame[ROOM];
    size_t size = start6(frame, 58, 16 + 8);

    frame[ICMP_AT] = 134;
    frame[ICMP_AT + 16] = 3;
    frame[ICMP_AT + 17] = 1;
    g_assert_cmpuint(names_put(frame, size, sizeof(frame), &names), ==, size);
    frame[ICMP_AT + 16] = 25;
    frame[ICMP_AT + 17] = 0;
    g_assert_cmpuint(names_put(frame, size, sizeof(frame), &names), ==, size);
    frame[ICMP_AT + 17] = 200;
    g_assert_cmpuint(names_put(frame, size, sizeof(frame), &names), ==, size);
}

static void
test_dhcp6(void)
{
    static const uint8_t options[] = {0, 2, 0, 4, 1, 2, 3, 4, 0, 23, 0, 16};
    const HostNames names = two_of_each();
    uint8_t frame[ROOM], *udp = frame + ICMP_AT;
    size_t size = start6(frame, FRAME_UDP, 8 + 4 + sizeof(options) + 16);

    frame_store16(udp, 547);
    frame_store16(udp + 2, 546);
    frame_store16(udp + 4, 8 + 4 + sizeof(options) + 16);
    memcpy(udp + 12, options, sizeof(options));
    size = names_put(frame, size, sizeof(frame), &names);
    g_assert_cmpuint(size, ==, ICMP_AT + 12 + sizeof(options) + 32);
    check6(frame, size, FRAME_UDP);
    g_assert_cmpuint(frame_load16(udp + 4), ==, size - ICMP_AT);
    g_assert_cmpuint(frame_load16(udp + 12 + 10), ==, 32);
    g_assert_cmpmem(udp + 12 + sizeof(options), 32, names.ipv6, 32);
}

static void
test_dhcp(void)
{
    static const uint8_t options[] = {53, 1, 2, 6, 4, 10, 0, 2, 3, 3, 4, 10, 0, 2, 2, 255};
    static const uint8_t told[] = {6, 4, 192, 0, 2, 1, 3, 4, 10, 0, 2, 2, 255};
    const size_t payload = FRAME_ETHERNET + 20 + 8, size = payload + 300;
    const HostNames names = two_of_each();
    uint8_t frame[ROOM] = {0}, *ip = frame + FRAME_ETHERNET;

    frame_store16(frame + 12, FRAME_IPV4);
    ip[0] = 0x45;
    frame_store16(ip + 2, 20 + 8 + 300);
    ip[9] = FRAME_UDP;
    frame_store16(ip + 20, 67);
    frame_store16(ip + 22, 68);
    frame_store16(ip + 24, 8 + 300);
    memcpy(frame + payload + 240, options, sizeof(options));
    g_assert_cmpuint(names_put(frame, size, sizeof(frame), &names), ==, size);
    g_assert_cmpmem(frame + payload + 243, sizeof(told), told, sizeof(told));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/names/parse", test_parse);
    g_test_add_func("/names/advertisement", test_advertisement);
    g_test_add_func("/names/other-advertisements", test_other_advertisements);
    g_test_add_func("/names/dhcp6", test_dhcp6);
    g_test_add_func("/names/dhcp", test_dhcp);
    return g_test_run();
}
