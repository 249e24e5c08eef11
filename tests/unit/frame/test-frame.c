/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Frames between processes: sums, headers, and the cutting of long frames, good and hostile. */
#include "devices/drivers/network/frame/frame.h"

#include <string.h>

enum {
    ETHERNET = 14,
    IP = 20,
    TCP = 20,
    HEADERS = ETHERNET + IP + TCP,
    PAYLOAD = 5000,
    PIECE = 1460
};

static uint16_t
slow_sum(const uint8_t *data, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void
test_sum(void)
{
    uint8_t data[300];

    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)g_test_rand_int();
    for (size_t size = 0; size <= sizeof(data); size++)
        g_assert_cmphex(frame_sum(data, size, 0x1234), ==, slow_sum(data, size, 0x1234));
    memset(data, 0xff, sizeof(data));
    g_assert_cmphex(frame_sum(data, sizeof(data), 0), ==, 0xffff);
}

static void
test_header(void)
{
    const PdmFrameOffload offload = {.needs_checksum = true,
                                     .checksum_start = 34,
                                     .checksum_offset = 16,
                                     .segment = PDM_SEGMENT_TCP4,
                                     .segment_size = PIECE,
                                     .header_length = HEADERS};
    uint8_t header[FRAME_HEADER_SIZE];
    PdmFrameOffload back;

    frame_header_put(header, &offload);
    frame_header_get(header, &back);
    g_assert_true(back.needs_checksum);
    g_assert_false(back.checksum_good);
    g_assert_cmpuint(back.checksum_start, ==, 34);
    g_assert_cmpuint(back.checksum_offset, ==, 16);
    g_assert_cmpuint(back.segment, ==, PDM_SEGMENT_TCP4);
    g_assert_cmpuint(back.segment_size, ==, PIECE);
    g_assert_cmpuint(back.header_length, ==, HEADERS);
    header[1] = 200; /* no such kind */
    frame_header_get(header, &back);
    g_assert_cmpuint(back.segment, ==, PDM_SEGMENT_NONE);
}

static void
make_tcp(uint8_t *frame)
{
    memset(frame, 0, HEADERS);
    frame_store16(frame + 12, FRAME_IPV4);
    frame[ETHERNET] = 0x45;
    frame_store16(frame + ETHERNET + 2, IP + TCP + PAYLOAD);
    frame_store16(frame + ETHERNET + 4, 0xffff); /* the number goes round */
    frame[ETHERNET + 9] = FRAME_TCP;
    frame_store32(frame + ETHERNET + 12, 0x0a00020f);
    frame_store32(frame + ETHERNET + 16, 0x0a000202);
    frame_store32(frame + ETHERNET + IP + 4, 0xfffff000); /* and so does the sequence */
    frame[ETHERNET + IP + 12] = 0x50;
    frame[ETHERNET + IP + 13] = 0x19; /* ACK, PSH, FIN */
    for (unsigned i = 0; i < PAYLOAD; i++)
        frame[HEADERS + i] = (uint8_t)(i * 7);
}

typedef struct {
    unsigned pieces;
    size_t payload;
} Seen;

static void
take_piece(void *user, uint8_t *data, size_t size)
{
    Seen *seen = user;
    FrameParts parts;
    const size_t payload = size - HEADERS;

    g_assert_true(frame_parse(data, size, &parts));
    g_assert_cmpuint(parts.payload, ==, HEADERS);
    g_assert_cmpuint(parts.end, ==, size);
    g_assert_cmphex(frame_sum(data + ETHERNET, IP, 0), ==, 0xffff);
    g_assert_cmphex(frame_sum(data + ETHERNET + IP, size - ETHERNET - IP, parts.pseudo), ==,
                    0xffff);
    g_assert_cmphex(frame_load32(data + ETHERNET + IP + 4), ==,
                    0xfffff000u + (uint32_t)seen->payload);
    g_assert_cmphex(frame_load16(data + ETHERNET + 4), ==, (0xffff + seen->pieces) & 0xffff);
    for (size_t i = 0; i < payload; i++)
        g_assert_cmphex(data[HEADERS + i], ==, (uint8_t)((seen->payload + i) * 7));
    seen->payload += payload;
    seen->pieces++;
    g_assert_cmphex(data[ETHERNET + IP + 13], ==, seen->payload == PAYLOAD ? 0x19 : 0x10);
}

static void
test_cut(void)
{
    const PdmFrameOffload offload = {.needs_checksum = true,
                                     .checksum_start = ETHERNET + IP,
                                     .checksum_offset = 16,
                                     .segment = PDM_SEGMENT_TCP4,
                                     .segment_size = PIECE,
                                     .header_length = HEADERS};
    g_autofree uint8_t *frame = g_malloc(HEADERS + PAYLOAD);
    Seen seen = {0};

    make_tcp(frame);
    frame_finish(frame, HEADERS + PAYLOAD, &offload, take_piece, &seen);
    g_assert_cmpuint(seen.pieces, ==, 4);
    g_assert_cmpuint(seen.payload, ==, PAYLOAD);
}

static void
count_piece(void *user, uint8_t *data, size_t size)
{
    FrameParts parts;

    g_assert_cmpuint(size, <=, PDM_NETWORK_FRAME_MAX);
    frame_parse(data, size, &parts);
    ++*(unsigned *)user;
}

/* Whatever headers and offloads say, nothing is touched beyond the frame (which ends with the
 * memory, for sanitizers) and there are no more pieces than bytes. */
static void
test_hostile(void)
{
    for (unsigned round = 0; round < 20000; round++) {
        const size_t size = (size_t)g_test_rand_int_range(14, 400);
        g_autofree uint8_t *frame = g_malloc(size);
        const PdmFrameOffload offload = {
            .needs_checksum = g_test_rand_int_range(0, 2) != 0,
            .checksum_start = (uint16_t)g_test_rand_int_range(0, 500),
            .checksum_offset = (uint16_t)g_test_rand_int_range(0, 100),
            .segment = (PdmSegmentKind)g_test_rand_int_range(0, 4),
            .segment_size = (uint16_t)g_test_rand_int_range(0, 40),
            .header_length = (uint16_t)g_test_rand_int_range(0, 500),
        };
        unsigned pieces = 0;

        for (size_t i = 0; i < size; i++)
            frame[i] = (uint8_t)g_test_rand_int();
        frame_store16(frame + 12, round % 2 == 0 ? FRAME_IPV4 : FRAME_IPV6);
        if (size > 60 && round % 3 != 0) {
            frame[14] = round % 2 == 0 ? 0x45 : 0x60;
            frame_store16(frame + 16, (uint16_t)(size - 14));
            frame_store16(frame + 20, 0);
            frame[23] = frame[20] = FRAME_TCP;
        }
        frame_finish(frame, size, &offload, count_piece, &pieces);
        g_assert_cmpuint(pieces, <=, size);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frame/sum", test_sum);
    g_test_add_func("/frame/header", test_header);
    g_test_add_func("/frame/cut", test_cut);
    g_test_add_func("/frame/hostile", test_hostile);
    return g_test_run();
}
