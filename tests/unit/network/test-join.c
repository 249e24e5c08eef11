/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TCP segments that are joined and cut again are what they were, also when whoever takes the pieces
 * refuses some of them for a while; what does not belong together is not joined. */
#include <string.h>

#include "app/worker/network-join.h"

enum { IP = 20, TCP = 20, HEAD = FRAME_ETHERNET + IP + TCP, SEGMENT = 1460, COUNT = 40 };
enum { ACK = 0x10, PUSH = 0x18, FIN = 0x11 };

typedef struct {
    unsigned calls, refusals;
    unsigned pieces; /* what has come, cut */
    uint8_t frames[COUNT][HEAD + SEGMENT];
    size_t sizes[COUNT];
} Seen;

static size_t
make(uint8_t *frame, unsigned id, uint32_t number, size_t payload, uint8_t flags)
{
    uint8_t *ip = frame + FRAME_ETHERNET, *tcp = ip + IP;
    FrameParts parts;

    memset(frame, 0, HEAD);
    frame_store16(frame + 12, FRAME_IPV4);
    ip[0] = 0x45;
    frame_store16(ip + 2, (uint16_t)(IP + TCP + payload));
    frame_store16(ip + 4, (uint16_t)id);
    ip[8] = 64;
    ip[9] = FRAME_TCP;
    frame_store32(ip + 12, 0x0a000202);
    frame_store32(ip + 16, 0x0a00020f);
    frame_store16(ip + 10, frame_checksum(ip, IP, 0));
    frame_store16(tcp, 80);
    frame_store16(tcp + 2, 4321);
    frame_store32(tcp + 4, number);
    frame_store32(tcp + 8, 77);
    tcp[12] = TCP / 4 << 4;
    tcp[13] = flags;
    frame_store16(tcp + 14, 8192);
    for (size_t i = 0; i < payload; i++)
        tcp[TCP + i] = (uint8_t)(g_test_rand_int() >> 8);
    g_assert_true(frame_parse(frame, HEAD + payload, &parts));
    frame_store16(tcp + 16, frame_checksum(tcp, TCP + payload, parts.pseudo));
    return HEAD + payload;
}

static bool
take_piece(void *user, uint8_t *data, size_t size)
{
    Seen *seen = user;

    if (seen->refusals > 0 && g_test_rand_int_range(0, 3) == 0) {
        seen->refusals--;
        return false;
    }
    g_assert_cmpuint(seen->pieces, <, COUNT);
    g_assert_cmpuint(size, <=, HEAD + SEGMENT);
    memcpy(seen->frames[seen->pieces], data, size);
    seen->sizes[seen->pieces++] = size;
    return true;
}

static void
take(void *user, uint8_t *data, size_t size, const PdmFrameOffload *offload)
{
    Seen *seen = user;

    seen->calls++;
    g_assert_true(frame_offload_holds(offload, size));
    while (!frame_offer(&data, &size, offload, take_piece, seen)) {
        /* Again with what is left. */
    }
}

static void
check_run(const size_t *payloads, unsigned last_flags, unsigned refusals, unsigned calls)
{
    Seen seen = {.refusals = refusals};
    Joiner *joiner = joiner_new(take, &seen);
    g_autofree uint8_t *sent = g_malloc(COUNT * (HEAD + SEGMENT));
    uint32_t number = UINT32_MAX - 20000; /* through zero */

    for (unsigned i = 0; i < COUNT; i++) {
        uint8_t *frame = sent + i * (HEAD + SEGMENT);
        const size_t size =
            make(frame, 100 + i, number, payloads[i], i + 1 == COUNT ? (uint8_t)last_flags : ACK);

        joiner_add(joiner, frame, size);
        number += (uint32_t)payloads[i];
    }
    joiner_flush(joiner);
    joiner_flush(joiner);
    joiner_free(joiner);
    g_assert_cmpuint(seen.calls, ==, calls);
    g_assert_cmpuint(seen.pieces, ==, COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        g_assert_cmpmem(seen.frames[i], seen.sizes[i], sent + i * (HEAD + SEGMENT),
                        HEAD + payloads[i]);
}

static void
test_runs(void)
{
    size_t payloads[COUNT];

    for (unsigned i = 0; i < COUNT; i++)
        payloads[i] = SEGMENT;
    /* 22 fit into 32 KiB. */
    check_run(payloads, ACK, 0, 2);
    check_run(payloads, PUSH, 50, 2);
    /* The end of a connection goes alone, a short one ends a run. */
    check_run(payloads, FIN, 0, 3);
    payloads[9] = 3;
    check_run(payloads, PUSH, 50, 3);
    for (unsigned i = 0; i < COUNT; i++)
        payloads[i] = 1;
    check_run(payloads, ACK, 20, 1);
}

static void
test_strangers(void)
{
    /* One byte of the headers is another one: its address, port, acknowledgement, window, options.
     */
    static const unsigned places[] = {0, 6, 13, 15, 20, 22, 26, 33, 34, 37, 41, 45, 46, 49, 52};
    uint8_t frames[2][HEAD + SEGMENT];

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        Seen seen = {0};
        Joiner *joiner = joiner_new(take, &seen);

        for (unsigned j = 0; j < 2; j++)
            make(frames[j], j, 5 + 100 * j, 100, ACK);
        frames[1][places[i]] ^= 0x10;
        for (unsigned j = 0; j < 2; j++)
            joiner_add(joiner, frames[j], HEAD + 100);
        joiner_flush(joiner);
        joiner_free(joiner);
        g_assert_cmpuint(seen.calls, ==, 2);
        g_assert_cmpmem(seen.frames[1], HEAD + 100, frames[1], HEAD + 100);
    }
}

/* Of any size, with anything in it. */
static void
count_bytes(void *user, uint8_t *data, size_t size, const PdmFrameOffload *offload)
{
    g_assert_cmpuint(size, <=, PDM_NETWORK_FRAME_MAX);
    *(size_t *)user += size;
}

static void
test_hostile(void)
{
    g_autofree uint8_t *frame = g_malloc0(PDM_NETWORK_FRAME_MAX);
    size_t seen = 0;
    Joiner *joiner = joiner_new(count_bytes, &seen);

    for (unsigned i = 0; i < 20000; i++) {
        const size_t size = (size_t)g_test_rand_int_range(FRAME_ETHERNET, 3000);

        if (i % 8 != 0)
            make(frame, i, i * 100, 100, ACK);
        for (int j = g_test_rand_int_range(0, 3); j > 0; j--)
            frame[g_test_rand_int_range(12, 60)] = (uint8_t)g_test_rand_int();
        joiner_add(joiner, frame, i % 3 == 0 ? size : HEAD + 100);
    }
    memset(frame, 0xff, PDM_NETWORK_FRAME_MAX);
    joiner_add(joiner, frame, PDM_NETWORK_FRAME_MAX);
    joiner_free(joiner);
    g_assert_cmpuint(seen, >, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/join/runs", test_runs);
    g_test_add_func("/join/strangers", test_strangers);
    g_test_add_func("/join/hostile", test_hostile);
    return g_test_run();
}
