/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fragments of IPv4 in any order become the datagram; hostile ones become nothing. */
#include <string.h>

#include "app/worker/network.h"

enum { IP = 20, HEAD = FRAME_ETHERNET + IP, PAYLOAD = 60000, PIECE = 1480 };

static size_t
make(uint8_t *frame, const uint8_t *payload, unsigned offset, unsigned size, bool more, unsigned id)
{
    uint8_t *ip = frame + FRAME_ETHERNET;

    memset(frame, 0, HEAD);
    frame_store16(frame + 12, FRAME_IPV4);
    ip[0] = 0x45;
    frame_store16(ip + 2, (uint16_t)(IP + size));
    frame_store16(ip + 4, (uint16_t)id);
    frame_store16(ip + 6, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)));
    ip[8] = 64;
    ip[9] = FRAME_UDP;
    frame_store32(ip + 12, 0x0a00020f);
    frame_store32(ip + 16, 0x0a000202);
    frame_store16(ip + 10, frame_checksum(ip, IP, 0));
    memcpy(ip + IP, payload + offset, size);
    return HEAD + size;
}

static uint8_t *
random_payload(void)
{
    uint8_t *payload = g_malloc(PAYLOAD);

    for (unsigned i = 0; i < PAYLOAD; i++)
        payload[i] = (uint8_t)g_test_rand_int();
    return payload;
}

static void
test_any_order(void)
{
    g_autofree uint8_t *payload = random_payload();
    Fragments *fragments = fragments_new();
    unsigned order[PAYLOAD / PIECE + 1];
    const unsigned count = G_N_ELEMENTS(order);
    uint8_t frame[HEAD + PIECE], *joined = NULL;
    size_t size = 0;

    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    for (unsigned i = count - 1; i > 0; i--) {
        const unsigned other = (unsigned)g_test_rand_int_range(0, (gint32)i + 1), kept = order[i];

        order[i] = order[other];
        order[other] = kept;
    }
    for (unsigned i = 0; i < count; i++) {
        const unsigned offset = order[i] * PIECE, part = MIN(PIECE, PAYLOAD - offset);
        const size_t length = make(frame, payload, offset, part, offset + part < PAYLOAD, 7);

        g_assert_true(fragments_is_one(frame, length));
        g_assert_null(joined);
        joined = fragments_add(fragments, frame, length, 1000, &size);
    }
    g_assert_nonnull(joined);
    g_assert_cmpuint(size, ==, HEAD + PAYLOAD);
    g_assert_cmpmem(joined + HEAD, PAYLOAD, payload, PAYLOAD);
    g_assert_cmphex(frame_sum(joined + FRAME_ETHERNET, IP, 0), ==, 0xffff);
    g_assert_false(fragments_is_one(joined, size));
    fragments_free(fragments);
}

/* Each pair of fragments that cannot be of one datagram, and then the rest of what would be one. */
static void
test_hostile(void)
{
    static const struct {
        unsigned offset, size;
        bool more;
    } cases[][3] = {
        {{0, 16, true}, {8, 16, false}, {16, 8, false}},    /* overlap */
        {{0, 8, true}, {16, 8, false}, {32, 8, true}},      /* behind the end, with a hole */
        {{32, 8, true}, {16, 8, false}, {0, 16, true}},     /* the end before what came */
        {{8, 8, false}, {16, 8, false}, {0, 8, true}},      /* two ends */
        {{0, 12, true}, {12, 8, false}, {16, 8, false}},    /* no multiple of 8 */
        {{65528, 8, true}, {65528, 7, false}, {0, 8, true}} /* longer than a datagram can be */
    };
    uint8_t payload[65536] = {0}, frame[HEAD + PIECE];
    Fragments *fragments = fragments_new();
    size_t size;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (guint j = 0; j < 3; j++) {
            const size_t length =
                make(frame, payload, cases[i][j].offset, cases[i][j].size, cases[i][j].more, i);

            g_assert_null(fragments_add(fragments, frame, length, 1000, &size));
        }
    }
    fragments_free(fragments);
}

/* A flood of beginnings pushes the oldest out; what comes too late has no beginning. */
static void
test_bounds(void)
{
    uint8_t payload[64] = {0}, frame[HEAD + PIECE];
    Fragments *fragments = fragments_new();
    size_t size;

    for (unsigned id = 0; id < 100; id++)
        fragments_add(fragments, frame, make(frame, payload, 0, 8, true, id), id, &size);
    g_assert_null(
        fragments_add(fragments, frame, make(frame, payload, 8, 8, false, 0), 200, &size));
    g_assert_nonnull(
        fragments_add(fragments, frame, make(frame, payload, 8, 8, false, 99), 200, &size));
    g_assert_null(fragments_add(fragments, frame, make(frame, payload, 8, 8, false, 98),
                                60 * G_USEC_PER_SEC, &size));
    fragments_free(fragments);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fragments/any-order", test_any_order);
    g_test_add_func("/fragments/hostile", test_hostile);
    g_test_add_func("/fragments/bounds", test_bounds);
    return g_test_run();
}
