/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's resolver for machines: questions in frames to the gateway's name server become
 * questions to the service, its answers frames back; others go their way. */
#include <arpa/inet.h>
#include <string.h>

#include "app/worker/network.h"

#define DNS_AT4 (FRAME_ETHERNET + 20u + 8u)
#define DNS_AT6 (FRAME_ETHERNET + 40u + 8u)

static const uint8_t machine[6] = {8, 0, 0x27, 0, 0, 1}, gateway[6] = {0x52, 0x55, 10, 0, 2, 3};
static const uint8_t own4[4] = {10, 0, 2, 15}, server4[4] = {10, 0, 2, 3};

typedef struct {
    Network network;
    char *asked;       /* of the service */
    GByteArray *frame; /* that came back; NULL: none */
} Fixture;

/* --- what is around the resolver --- */

void
network_tell(Network *network, const char *text)
{
    Fixture *fixture = (Fixture *)network;

    g_free(fixture->asked);
    fixture->asked = g_strdup(text);
}

void
network_forward(Network *network, unsigned from, uint8_t *data, size_t size,
                const PdmFrameOffload *offload)
{
    Fixture *fixture = (Fixture *)network;

    g_assert_cmpuint(from, ==, PLACE_HOST);
    g_assert_null(fixture->frame);
    fixture->frame = g_byte_array_new();
    g_byte_array_append(fixture->frame, data, (guint)size);
}

bool
nat_is_name_server(const Nat *nat, const uint8_t *address, bool ipv6)
{
    return ipv6 ? address[15] == 3 : memcmp(address, server4, 4) == 0;
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->network.resolver = resolver_new();
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    resolver_free(fixture->network.resolver);
    g_free(fixture->asked);
    if (fixture->frame != NULL)
        g_byte_array_unref(fixture->frame);
}

/* --- frames --- */

static size_t
put_question(uint8_t *dns, const char *name, uint16_t type)
{
    g_auto(GStrv) words = g_strsplit(name, ".", -1);
    uint8_t *at = dns + 12;

    memset(dns, 0, 12);
    frame_store16(dns, 0xabcd);
    frame_store16(dns + 2, 0x0100);
    frame_store16(dns + 4, 1);
    for (char **word = words; *word != NULL; word++) {
        *at++ = (uint8_t)strlen(*word);
        memcpy(at, *word, strlen(*word));
        at += strlen(*word);
    }
    *at++ = 0;
    frame_store16(at, type);
    frame_store16(at + 2, 1);
    return (size_t)(at + 4 - dns);
}

/* Whether the resolver took it. */
static bool
ask(Fixture *fixture, bool ipv6, const uint8_t *server, const char *name, uint16_t type)
{
    uint8_t frame[512] = {0}, *ip = frame + FRAME_ETHERNET, *udp = ip + (ipv6 ? 40 : 20);
    const size_t size = 8 + put_question(udp + 8, name, type);

    memcpy(frame, gateway, 6);
    memcpy(frame + 6, machine, 6);
    frame_store16(frame + 12, ipv6 ? FRAME_IPV6 : FRAME_IPV4);
    ip[0] = ipv6 ? 0x60 : 0x45;
    if (ipv6) {
        frame_store16(ip + 4, (uint16_t)size);
        ip[6] = FRAME_UDP;
        ip[8] = ip[24] = 0xfd;
        ip[23] = 9;
        ip[39] = 3;
    } else {
        frame_store16(ip + 2, (uint16_t)(20 + size));
        ip[9] = FRAME_UDP;
        memcpy(ip + 12, own4, 4);
        memcpy(ip + 16, server, 4);
    }
    frame_store16(udp, 4321);
    frame_store16(udp + 2, 53);
    frame_store16(udp + 4, (uint16_t)size);
    return resolver_input(&fixture->network, frame, (size_t)(udp - frame) + size);
}

/* The answer's frame is right; where its DNS message begins. */
static const uint8_t *
check_frame(Fixture *fixture, size_t dns_at)
{
    const uint8_t *frame = fixture->frame->data;
    FrameParts parts;

    g_assert_true(frame_parse(frame, fixture->frame->len, &parts));
    g_assert_cmpuint(parts.end, ==, fixture->frame->len);
    g_assert_cmpuint(parts.payload, ==, dns_at);
    g_assert_cmpmem(frame, 6, machine, 6);
    g_assert_cmpmem(frame + 6, 6, gateway, 6);
    g_assert_cmpuint(frame_load16(frame + parts.transport), ==, 53);
    g_assert_cmpuint(frame_load16(frame + parts.transport + 2), ==, 4321);
    /* A right sum over all is 0. */
    g_assert_cmphex(
        frame_checksum(frame + parts.transport, parts.end - parts.transport, parts.pseudo), ==, 0);
    g_assert_cmphex(frame_load16(frame + dns_at), ==, 0xabcd);
    return frame + dns_at;
}

/* --- tests --- */

static void
test_addresses(Fixture *fixture, gconstpointer data)
{
    const uint8_t first[] = {192, 0, 2, 7}, second[] = {127, 0, 0, 1};
    const uint8_t *dns;

    g_assert_true(ask(fixture, false, server4, "Host.example", 1));
    g_assert_cmpstr(fixture->asked, ==, "resolve\nnumber=1\nfamily=4\nname=Host.example");
    resolver_answer(&fixture->network, 2, "192.0.2.1", false); /* nobody asked this */
    g_assert_null(fixture->frame);
    resolver_answer(&fixture->network, 1, "192.0.2.7,::1,127.0.0.1", false);
    dns = check_frame(fixture, DNS_AT4);
    g_assert_cmpmem(fixture->frame->data + FRAME_ETHERNET + 12, 4, server4, 4);
    g_assert_cmpmem(fixture->frame->data + FRAME_ETHERNET + 16, 4, own4, 4);
    g_assert_cmphex(frame_checksum(fixture->frame->data + FRAME_ETHERNET, 20, 0), ==, 0);
    g_assert_cmphex(frame_load16(dns + 2), ==, 0x8180);
    g_assert_cmpuint(frame_load16(dns + 6), ==, 2);
    g_assert_cmphex(frame_load16(dns + 30), ==, 0xc00c);
    g_assert_cmpmem(dns + 42, 4, first, 4);
    g_assert_cmpmem(dns + 58, 4, second, 4);
    /* Once. */
    g_clear_pointer(&fixture->frame, g_byte_array_unref);
    resolver_answer(&fixture->network, 1, "192.0.2.7", false);
    g_assert_null(fixture->frame);
}

static void
test_ipv6(Fixture *fixture, gconstpointer data)
{
    const uint8_t own[16] = {0x20, 1, 0xd, 0xb8, [15] = 5};
    const uint8_t *dns;

    g_assert_true(ask(fixture, true, NULL, "host", 28));
    g_assert_cmpstr(fixture->asked, ==, "resolve\nnumber=1\nfamily=6\nname=host");
    resolver_answer(&fixture->network, 1, "2001:db8::5", false);
    dns = check_frame(fixture, DNS_AT6);
    g_assert_cmpuint(fixture->frame->data[FRAME_ETHERNET + 23], ==, 3);
    g_assert_cmpuint(fixture->frame->data[FRAME_ETHERNET + 39], ==, 9);
    g_assert_cmpuint(frame_load16(dns + 6), ==, 1);
    g_assert_cmpmem(dns + 22 + 12, 16, own, 16);
}

static void
test_names(Fixture *fixture, gconstpointer data)
{
    static const uint8_t name[] = "\4host\7example";
    const uint8_t *dns;

    g_assert_true(ask(fixture, false, server4, "7.2.0.192.in-addr.arpa", 12));
    g_assert_cmpstr(fixture->asked, ==, "resolve\nnumber=1\naddress=192.0.2.7");
    resolver_answer(&fixture->network, 1, "host.example", false);
    dns = check_frame(fixture, DNS_AT4);
    g_assert_cmpuint(frame_load16(dns + 6), ==, 1);
    g_assert_cmpmem(fixture->frame->data + fixture->frame->len - sizeof(name), sizeof(name), name,
                    sizeof(name));
    g_assert_true(ask(fixture, false, server4,
                      "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                      12));
    g_assert_cmpstr(fixture->asked, ==,
                    "resolve\nnumber=2\naddress=2001:0db8:0000:0000:0000:0000:0000:0005");
}

/* No such name, none of this kind, and nobody could tell. */
static void
test_nothing(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *content;
        bool failed;
        unsigned code;
    } cases[] = {{NULL, false, 3}, {"", false, 0}, {"", true, 2}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const uint8_t *dns;

        g_assert_true(ask(fixture, false, server4, "host", 28));
        resolver_answer(&fixture->network, i + 1, cases[i].content, cases[i].failed);
        dns = check_frame(fixture, DNS_AT4);
        g_assert_cmphex(frame_load16(dns + 2), ==, 0x8180 | cases[i].code);
        g_assert_cmpuint(frame_load16(dns + 6), ==, 0);
        g_clear_pointer(&fixture->frame, g_byte_array_unref);
    }
    /* An address that is none is no machine's. */
    g_assert_true(ask(fixture, false, server4, "999.2.0.192.in-addr.arpa", 12));
    g_assert_cmphex(frame_load16(check_frame(fixture, DNS_AT4) + 2), ==, 0x8183);
}

/* What the gateway passes on to the host's servers. */
static void
test_others(Fixture *fixture, gconstpointer data)
{
    static const uint8_t other[] = {10, 0, 2, 2};

    g_assert_false(ask(fixture, false, other, "host", 1));
    g_assert_false(ask(fixture, false, server4, "host", 15)); /* mail */
    g_assert_false(ask(fixture, false, server4, "a b", 1));
    g_assert_null(fixture->asked);
}

/* Questions that nobody answers do not take the place of new ones. */
static void
test_many(Fixture *fixture, gconstpointer data)
{
    for (unsigned i = 0; i < 1000; i++)
        g_assert_true(ask(fixture, false, server4, "host", 1));
    resolver_answer(&fixture->network, 1, "192.0.2.1", false);
    g_assert_null(fixture->frame);
    resolver_answer(&fixture->network, 1000, "192.0.2.1", false);
    g_assert_nonnull(fixture->frame);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add(name, Fixture, NULL, set_up, function, tear_down)
    ADD("/resolver/addresses", test_addresses);
    ADD("/resolver/ipv6", test_ipv6);
    ADD("/resolver/names", test_names);
    ADD("/resolver/nothing", test_nothing);
    ADD("/resolver/others", test_others);
    ADD("/resolver/many", test_many);
#undef ADD
    return g_test_run();
}
