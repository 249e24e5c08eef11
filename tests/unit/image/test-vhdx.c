/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VHDX images, built byte by byte: which header counts, a log that is not empty, bitmap entries
 * between the blocks, hostile files behind right checksums. */
#include <string.h>

#include "devices/drivers/disk/image/image.h"
#include "tests/unit/image/memory-io.h"
#include "vmm/base/crc32c.h"
#include "vmm/base/error.h"

#define MIB (1u << 20)
#define HEADER_AT (64u << 10)
#define REGIONS_AT (192u << 10)
#define TABLE_AT MIB
#define METADATA_AT (2 * MIB)
#define DATA_AT (3 * MIB)
#define FILE_SIZE (5 * MIB)
/* Blocks of 256 MiB in a disk with sectors of 512 bytes: 16 of them share a bitmap. */
#define BLOCK (256ull * MIB)
#define BLOCKS 20u
/* The last block has one MiB of disk only. */
#define CAPACITY ((BLOCKS - 1) * BLOCK + MIB)

static void
poke(GByteArray *file, unsigned at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        file->data[at + i] = (uint8_t)(value >> (8 * i));
}

static void
poke_uuid(GByteArray *file, unsigned at, const char *text)
{
    ImageUuid uuid;

    g_assert_true(image_uuid_from_text(text, &uuid));
    image_uuid_to_mixed(&uuid, file->data + at);
}

static void
seal_one(GByteArray *file, unsigned at, unsigned size)
{
    poke(file, at + 4, 0);
    poke(file, at + 4, base_crc32c(0, file->data + at, size));
}

static void
seal(GByteArray *file)
{
    seal_one(file, HEADER_AT, 4096);
    seal_one(file, REGIONS_AT, 65536);
}

static void
put_region(GByteArray *file, unsigned index, const char *uuid, uint32_t position)
{
    const unsigned at = REGIONS_AT + 16 + index * 32;

    poke_uuid(file, at, uuid);
    poke(file, at + 16, position);
    poke(file, at + 24, MIB);
    poke(file, at + 28, 1);
}

static void
put_item(GByteArray *file, unsigned index, const char *uuid, uint32_t low, uint32_t high)
{
    const unsigned at = METADATA_AT + 32 + index * 32, offset = 65536 + index * 16;

    poke_uuid(file, at, uuid);
    poke(file, at + 16, offset);
    poke(file, at + 20, 8);
    poke(file, at + 24, 4);
    poke(file, METADATA_AT + offset, low);
    poke(file, METADATA_AT + offset + 4, high);
}

/* The last block is there, behind the bitmap's entry; the second header is damaged. */
static GByteArray *
build(void)
{
    GByteArray *file = g_byte_array_new();

    g_byte_array_set_size(file, FILE_SIZE);
    memset(file->data, 0, file->len);
    memcpy(file->data, "vhdxfile", 8);
    memcpy(file->data + HEADER_AT, "head", 4);
    poke(file, HEADER_AT + 8, 7);
    poke(file, HEADER_AT + 64, 1 << 16);
    memcpy(file->data + REGIONS_AT, "regi", 4);
    poke(file, REGIONS_AT + 8, 2);
    put_region(file, 0, "2dc27766-f623-4200-9d64-115e9bfd4a08", TABLE_AT);
    put_region(file, 1, "8b7ca206-4790-4b9a-b8fe-575f050f886e", METADATA_AT);
    memcpy(file->data + METADATA_AT, "metadata", 8);
    poke(file, METADATA_AT + 8, 3 << 16);
    put_item(file, 0, "caa16737-fa36-4d43-b3b6-33f0aa44e76b", (uint32_t)BLOCK, 0);
    put_item(file, 1, "2fa54224-cd1b-4876-b211-5dbed83bf4b8", (uint32_t)CAPACITY,
             (uint32_t)(CAPACITY >> 32));
    put_item(file, 2, "8141bf1d-a96f-4709-ba47-f233a8faab5f", 512, 0);
    poke(file, TABLE_AT + 8 * BLOCKS, DATA_AT | 6);
    memset(file->data + DATA_AT, 0xcc, MIB);
    seal(file);
    return file;
}

static void
test_read(void)
{
    g_autoptr(GByteArray) file = build();
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = memory_open(file, "VHDX", IMAGE_OPEN_READ_ONLY, &error);
    uint8_t data[1024];

    g_assert_no_error(error);
    g_assert_cmpuint(image_capacity(image), ==, CAPACITY);
    g_assert_true(image_read(image, CAPACITY - MIB - 512, data, sizeof data, NULL));
    for (unsigned i = 0; i < sizeof data; i++)
        g_assert_cmphex(data[i], ==, i < 512 ? 0 : 0xcc);
    g_assert_true(image_read(image, CAPACITY - 512, data, 512, NULL));
    g_assert_cmphex(data[511], ==, 0xcc);
    g_assert_null(
        image_open_io(&memory_io_new(file, NULL)->io, NULL, IMAGE_OPEN_READ_WRITE, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
}

/* Of two sound headers the one with the higher number counts: its log is not empty. */
static void
test_newest_header(void)
{
    g_autoptr(GByteArray) file = build();
    g_autoptr(GError) error = NULL;
    const unsigned second = 2 * HEADER_AT;

    memcpy(file->data + second, file->data + HEADER_AT, 4096);
    poke(file, second + 48, 1);
    poke(file, second + 8, 6);
    seal_one(file, second, 4096);
    g_autoptr(Image) image = memory_open(file, "VHDX", IMAGE_OPEN_READ_ONLY, &error);
    g_assert_no_error(error);
    poke(file, second + 8, 8);
    seal_one(file, second, 4096);
    g_assert_null(memory_open(file, "VHDX", IMAGE_OPEN_READ_ONLY, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_CORRUPT);
    g_assert_nonnull(strstr(error->message, "log"));
}

/* --- logs --- */

#define LOG_AT (4 * MIB)
#define LOG_SECTORS (MIB / 4096)

static unsigned
log_sector(unsigned index)
{
    return LOG_AT + index % LOG_SECTORS * 4096;
}

static void
seal_entry(GByteArray *file, unsigned index, unsigned sectors)
{
    g_autoptr(GByteArray) entry = g_byte_array_new();

    poke(file, log_sector(index) + 4, 0);
    for (unsigned i = 0; i < sectors; i++)
        g_byte_array_append(entry, file->data + log_sector(index + i), 4096);
    poke(file, log_sector(index) + 4, base_crc32c(0, entry->data, entry->len));
}

/* An entry of two sectors: a page of `value` at `position`, and a page of zeros two pages behind.
 */
static void
put_entry(GByteArray *file, unsigned index, unsigned tail, uint32_t sequence, uint32_t position,
          uint8_t value)
{
    const unsigned head = log_sector(index), data = log_sector(index + 1);

    memcpy(file->data + head, "loge", 4);
    poke(file, head + 8, 8192);
    poke(file, head + 12, tail % LOG_SECTORS * 4096);
    poke(file, head + 16, sequence);
    poke(file, head + 24, 2);
    memset(file->data + head + 32, 0x71, 16);
    poke(file, head + 48, FILE_SIZE);
    poke(file, head + 56, FILE_SIZE);
    memcpy(file->data + head + 64, "desc", 4);
    memset(file->data + head + 64 + 4, value, 12);
    poke(file, head + 64 + 16, position);
    poke(file, head + 64 + 24, sequence);
    memcpy(file->data + head + 96, "zero", 4);
    poke(file, head + 96 + 8, 4096);
    poke(file, head + 96 + 16, position + 8192);
    poke(file, head + 96 + 24, sequence);
    memset(file->data + data, value, 4096);
    memcpy(file->data + data, "data", 4);
    poke(file, data + 4, 0);
    poke(file, data + 4092, sequence);
    seal_entry(file, index, 2);
}

/* Two entries from sector `first` of the log on, around its end if need be. */
static GByteArray *
build_with_log(unsigned first)
{
    GByteArray *file = build();

    memset(file->data + HEADER_AT + 48, 0x71, 16);
    poke(file, HEADER_AT + 68, MIB);
    poke(file, HEADER_AT + 72, LOG_AT);
    seal(file);
    put_entry(file, first, first, 20, DATA_AT, 0xd1);
    put_entry(file, first + 2, first, 21, DATA_AT + 4096, 0xd2);
    return file;
}

/* The first four pages of the block, by their bytes. */
static void
assert_pages(GByteArray *file, const uint8_t pages[4])
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = memory_open(file, "VHDX", IMAGE_OPEN_READ_ONLY, &error);
    uint8_t data[4 * 4096];

    g_assert_no_error(error);
    g_assert_true(image_read(image, (BLOCKS - 1) * BLOCK, data, sizeof data, &error));
    g_assert_no_error(error);
    for (unsigned i = 0; i < sizeof data; i++)
        g_assert_cmphex(data[i], ==, pages[i / 4096]);
}

static void
test_log(void)
{
    static const unsigned starts[] = {0, 100, LOG_SECTORS - 1, LOG_SECTORS - 2, LOG_SECTORS - 3};

    for (unsigned i = 0; i < G_N_ELEMENTS(starts); i++) {
        g_autoptr(GByteArray) file = build_with_log(starts[i]);

        assert_pages(file, (const uint8_t[]){0xd1, 0xd2, 0, 0});
        g_assert_cmphex(file->data[DATA_AT], ==, 0xcc); /* the file stays as it is */
    }
}

/* What does not belong to the newest whole sequence does not count. */
static void
test_log_choice(void)
{
    g_autoptr(GByteArray) older = build_with_log(10);
    g_autoptr(GByteArray) foreign = build_with_log(10);
    g_autoptr(GByteArray) torn = build_with_log(10);
    g_autoptr(GByteArray) headless = build_with_log(10);

    put_entry(older, 40, 40, 12, DATA_AT, 0xee);
    assert_pages(older, (const uint8_t[]){0xd1, 0xd2, 0, 0});
    put_entry(foreign, 40, 40, 99, DATA_AT, 0xee);
    foreign->data[log_sector(40) + 33] = 1;
    seal_entry(foreign, 40, 2);
    assert_pages(foreign, (const uint8_t[]){0xd1, 0xd2, 0, 0});
    torn->data[log_sector(13) + 1000] ^= 1;
    assert_pages(torn, (const uint8_t[]){0xd1, 0xcc, 0, 0xcc});
    put_entry(headless, 40, 60, 99, DATA_AT, 0xee);
    assert_pages(headless, (const uint8_t[]){0xd1, 0xd2, 0, 0});
}

static void
test_log_lies(void)
{
    static const struct {
        unsigned at;
        uint32_t value;
    } places[] = {
        {24, 3},             /* a descriptor that is none */
        {48, FILE_SIZE + 1}, /* the file was longer */
        {64, 0},             /* no kind of descriptor */
        {64 + 16, 100},      /* not on a page */
        {64 + 24, 7},        /* of another entry */
        {96 + 8, 100},       /* no whole pages */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GByteArray) file = build_with_log(10);
        g_autoptr(GError) error = NULL;

        poke(file, log_sector(12) + places[i].at, places[i].value);
        seal_entry(file, 12, 2);
        g_assert_null(memory_open(file, "VHDX", IMAGE_OPEN_READ_ONLY, &error));
        g_assert_error(error, BASE_ERROR, BASE_ERROR_CORRUPT);
    }
}

/* Without checksums that fit, nothing is believed. */
static void
test_checksums(void)
{
    static const unsigned places[] = {HEADER_AT + 100, REGIONS_AT + 40000};

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GByteArray) file = build();
        g_autoptr(GError) error = NULL;

        file->data[places[i]] ^= 1;
        g_assert_null(memory_open(file, "VHDX", IMAGE_OPEN_READ_ONLY, &error));
        g_assert_error(error, BASE_ERROR, BASE_ERROR_CORRUPT);
    }
}

typedef struct {
    const char *what;
    unsigned at;
    uint32_t value;
    BaseError code;
} Lie;

/* clang-format off */
static const Lie lies[] = {
    {"signature",          0,                        0,          BASE_ERROR_CORRUPT},
    {"version 2",          HEADER_AT + 64,           2 << 16,    BASE_ERROR_VERSION},
    {"log",                HEADER_AT + 60,           1,          BASE_ERROR_CORRUPT},
    {"many regions",       REGIONS_AT + 8,           2048,       BASE_ERROR_CORRUPT},
    {"one region",         REGIONS_AT + 8,           1,          BASE_ERROR_CORRUPT},
    {"unknown region",     REGIONS_AT + 16,          0,          BASE_ERROR_VERSION},
    {"region in headers",  REGIONS_AT + 32,          HEADER_AT,  BASE_ERROR_CORRUPT},
    {"region far away",    REGIONS_AT + 36,          1,          BASE_ERROR_CORRUPT},
    {"region too long",    REGIONS_AT + 40,          FILE_SIZE,  BASE_ERROR_CORRUPT},
    {"table too short",    REGIONS_AT + 40,          160,        BASE_ERROR_CORRUPT},
    {"metadata too short", REGIONS_AT + 72,          65535,      BASE_ERROR_CORRUPT},
    {"metadata's magic",   METADATA_AT,              0,          BASE_ERROR_CORRUPT},
    {"many items",         METADATA_AT + 8,          1024 << 16, BASE_ERROR_CORRUPT},
    {"two items",          METADATA_AT + 8,          2 << 16,    BASE_ERROR_CORRUPT},
    {"unknown item",       METADATA_AT + 32,         0,          BASE_ERROR_VERSION},
    {"item in the table",  METADATA_AT + 48,         64,         BASE_ERROR_CORRUPT},
    {"item far away",      METADATA_AT + 48,         0xfffffff8, BASE_ERROR_CORRUPT},
    {"item too short",     METADATA_AT + 52,         7,          BASE_ERROR_CORRUPT},
    {"item too long",      METADATA_AT + 52,         MIB,        BASE_ERROR_CORRUPT},
    {"block size 0",       METADATA_AT + 65536,      0,          BASE_ERROR_CORRUPT},
    {"block size odd",     METADATA_AT + 65536,      MIB + 1,    BASE_ERROR_CORRUPT},
    {"block size huge",    METADATA_AT + 65536,      512 * MIB,  BASE_ERROR_CORRUPT},
    {"parent",             METADATA_AT + 65540,      2,          BASE_ERROR_NOT_SUPPORTED},
    {"capacity odd",       METADATA_AT + 65552,      1,          BASE_ERROR_CORRUPT},
    {"capacity huge",      METADATA_AT + 65556,      0x10000,    BASE_ERROR_CORRUPT},
    {"sector size",        METADATA_AT + 65568,      1024,       BASE_ERROR_CORRUPT},
    {"block in headers",   TABLE_AT + 8 * BLOCKS,    6,          BASE_ERROR_CORRUPT},
    {"block past the end", TABLE_AT,                 DATA_AT | 6, BASE_ERROR_CORRUPT},
    {"last past the end",  TABLE_AT + 8 * BLOCKS,    FILE_SIZE | 6, BASE_ERROR_CORRUPT},
    {"block far away",     TABLE_AT + 4,             0xffffffff, BASE_ERROR_CORRUPT},
    {"state 4",            TABLE_AT,                 4,          BASE_ERROR_CORRUPT},
    {"partly present",     TABLE_AT,                 DATA_AT | 7, BASE_ERROR_CORRUPT},
};
/* clang-format on */

static void
test_lies(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autoptr(GByteArray) file = build();
        g_autoptr(GError) error = NULL;
        g_autoptr(Image) image = NULL;

        g_test_message("%s", lies[i].what);
        poke(file, lies[i].at, lies[i].value);
        if (strcmp(lies[i].what, "block far away") == 0)
            poke(file, TABLE_AT, 6);
        seal(file);
        image = memory_open(file, "VHDX", IMAGE_OPEN_READ_ONLY, &error);
        g_assert_null(image);
        g_assert_error(error, BASE_ERROR, (int)lies[i].code);
    }
}

static void
test_truncated(void)
{
    g_autoptr(GByteArray) sound = build();

    for (guint length = DATA_AT + MIB - 1; length > 30000; length -= 30011) {
        g_byte_array_set_size(sound, length);
        g_assert_null(memory_open(sound, "VHDX", IMAGE_OPEN_READ_ONLY, NULL));
    }
}

/* Damage behind right checksums: what opens can be read from end to end. */
static void
test_random_damage(void)
{
    static const unsigned starts[] = {HEADER_AT, REGIONS_AT, METADATA_AT, METADATA_AT + 65536,
                                      TABLE_AT};
    g_autoptr(GRand) rand = g_rand_new_with_seed(9);
    g_autoptr(GByteArray) file = build();
    unsigned opened = 0;
    uint8_t data[4096];

    for (unsigned round = 0; round < 3000; round++) {
        const unsigned at = starts[g_rand_int_range(rand, 0, G_N_ELEMENTS(starts))] +
                            (unsigned)g_rand_int_range(rand, 0, 168);
        const uint8_t old = file->data[at];
        g_autoptr(Image) image = NULL;

        file->data[at] = (uint8_t)g_rand_int_range(rand, 0, 256);
        seal(file);
        image = memory_open(file, "VHDX", IMAGE_OPEN_READ_ONLY, NULL);
        for (unsigned i = 0; image != NULL && i < 30; i++) {
            const uint64_t place = (uint64_t)(g_rand_double(rand) * (double)image_capacity(image));

            g_assert_true(image_read(
                image, place, data, (size_t)MIN(sizeof data, image_capacity(image) - place), NULL));
        }
        opened += image != NULL;
        file->data[at] = old;
    }
    g_assert_cmpuint(opened, >, 100);
    g_assert_cmpuint(opened, <, 3000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vhdx/read", test_read);
    g_test_add_func("/vhdx/newest-header", test_newest_header);
    g_test_add_func("/vhdx/checksums", test_checksums);
    g_test_add_func("/vhdx/log", test_log);
    g_test_add_func("/vhdx/log-choice", test_log_choice);
    g_test_add_func("/vhdx/log-lies", test_log_lies);
    g_test_add_func("/vhdx/lies", test_lies);
    g_test_add_func("/vhdx/truncated", test_truncated);
    g_test_add_func("/vhdx/random-damage", test_random_damage);
    return g_test_run();
}
