/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MD5 (RFC 1321) of what another process writes into a pipe, 64 KiB a unit; without the padding. */
#include "bench.h"

#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 64
#define UNIT (64 * 1024)

typedef struct {
    uint32_t state[4], sines[64];
} Md5;

static const unsigned char rotations[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static void
prepare(Md5 *md5)
{
    static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

    memcpy(md5->state, start, sizeof(start));
    for (unsigned i = 0; i < 64; i++)
        md5->sines[i] = (uint32_t)(uint64_t)(fabs(sin(i + 1.0)) * 4294967296.0);
}

static inline uint32_t
mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round) {
    case 0: return (b & c) | (~b & d);
    case 1: return (d & b) | (~d & c);
    case 2: return b ^ c ^ d;
    default: return c ^ (b | ~d);
    }
}

static inline void
run_round(const Md5 *md5, uint32_t v[4], const uint32_t words[16], unsigned round, unsigned factor,
          unsigned offset)
{
    for (unsigned i = 0; i < 16; i++) {
        const unsigned shift = rotations[round][i & 3];
        const uint32_t sum = v[0] + mix(round, v[1], v[2], v[3]) +
                             words[(factor * i + offset) & 15] + md5->sines[16 * round + i];
        const uint32_t turned = v[1] + (sum << shift | sum >> (32 - shift));

        v[0] = v[3];
        v[3] = v[2];
        v[2] = v[1];
        v[1] = turned;
    }
}

static void
compress(Md5 *md5, const unsigned char *block)
{
    uint32_t words[16], v[4];

    memcpy(words, block, BLOCK);
    memcpy(v, md5->state, sizeof(v));
    run_round(md5, v, words, 0, 1, 0);
    run_round(md5, v, words, 1, 5, 1);
    run_round(md5, v, words, 2, 3, 5);
    run_round(md5, v, words, 3, 7, 0);
    for (unsigned i = 0; i < 4; i++)
        md5->state[i] += v[i];
}

static void
produce(int out, uint64_t units)
{
    static unsigned char data[UNIT];

    for (size_t i = 0; i < UNIT; i++)
        data[i] = (unsigned char)(i * 11);
    for (uint64_t unit = 0; unit < units; unit++) {
        for (size_t done = 0; done < UNIT;) {
            const ssize_t size = write(out, data + done, UNIT - done);

            bench_must(size > 0, "write");
            done += (size_t)size;
        }
    }
    _exit(0);
}

static void
consume(Md5 *md5, int in)
{
    static unsigned char data[UNIT];
    size_t have = 0;
    ssize_t size;

    while ((size = read(in, data + have, UNIT - have)) > 0) {
        have += (size_t)size;
        if (have < UNIT)
            continue;
        for (size_t at = 0; at < UNIT; at += BLOCK)
            compress(md5, data + at);
        have = 0;
    }
}

int
main(int argc, char **argv)
{
    const double start = bench_now();
    int ends[2];
    pid_t child;
    Md5 md5;

    prepare(&md5);
    bench_must(pipe(ends) == 0, "pipe");
    child = fork();
    bench_must(child >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        produce(ends[1], bench_work(argc, argv));
    }
    close(ends[1]);
    consume(&md5, ends[0]);
    waitpid(child, NULL, 0);
    return bench_end(start, bench_hash(BENCH_HASH_START, md5.state, sizeof(md5.state)));
}
