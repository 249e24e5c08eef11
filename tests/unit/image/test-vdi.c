/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VDI files: what is created, random work against a model, headers and maps that lie, a full host
 * disk. */
#include <string.h>

#include "devices/drivers/disk/image/image.h"
#include "tests/unit/image/memory-io.h"
#include "tests/unit/image/ordeal.h"
#include "tests/unit/image/vdi-builder.h"
#include "vmm/base/error.h"

#define MIB (1u << 20)

static GByteArray *
create(ImageVariant variant, uint64_t capacity, const char *comment)
{
    const ImageCreateOptions options = {
        .format = "VDI", .variant = variant, .capacity = capacity, .comment = comment};

    return builder_create(&options);
}

static void
test_create_dynamic(void)
{
    g_autoptr(GByteArray) file = create(IMAGE_DYNAMIC, 3 * MIB + 100, "Ein Gruß");
    g_autoptr(Image) image = memory_open(file, "VDI", IMAGE_OPEN_READ_WRITE, NULL);
    ImageInfo info;
    ImageCheck check;

    g_assert_cmpuint(file->len, ==, 2 * MIB);
    g_assert_cmphex(builder_peek(file, 0x40), ==, 0xbeda107f);
    g_assert_cmphex(builder_peek(file, 0x44), ==, 0x00010001);
    g_assert_cmpuint(builder_peek(file, 0x4c), ==, 1);
    g_assert_cmphex(builder_peek(file, 0x154), ==, MIB);
    g_assert_cmphex(builder_peek(file, 0x158), ==, 2 * MIB);
    g_assert_cmphex(builder_peek(file, MIB), ==, 0xffffffff);
    image_get_info(image, &info);
    g_assert_cmpstr(info.format, ==, "VDI");
    g_assert_cmpint(info.variant, ==, IMAGE_DYNAMIC);
    g_assert_cmpuint(info.capacity, ==, 3 * MIB + 512);
    g_assert_cmpuint(info.allocated, ==, 0);
    g_assert_cmpuint(info.block_size, ==, MIB);
    g_assert_cmpstr(info.comment, ==, "Ein Gruß");
    g_assert_cmpuint(info.lchs.sectors, ==, 63);
    g_assert_false(image_uuid_is_null(&info.uuid));
    g_assert_true(image_uuid_is_null(&info.parent));
    g_assert_true(image_check(image, &check, NULL));
    g_assert_false(check.stale_header);
}

static void
test_create_fixed(void)
{
    g_autoptr(GByteArray) file = create(IMAGE_FIXED, 3 * MIB, NULL);
    g_autoptr(Image) image = memory_open(file, "VDI", IMAGE_OPEN_READ_ONLY, NULL);
    ImageInfo info;

    g_assert_cmpuint(file->len, ==, 5 * MIB);
    g_assert_cmpuint(builder_peek(file, MIB + 8), ==, 2);
    g_assert_cmpuint(builder_peek(file, 0x184), ==, 3);
    image_get_info(image, &info);
    g_assert_cmpint(info.variant, ==, IMAGE_FIXED);
    g_assert_cmpuint(info.allocated, ==, 3 * MIB);
}

/* A comment that is too long is cut between two characters. */
static void
test_long_comment(void)
{
    g_autofree char *comment = g_strnfill(400, 'x');
    ImageInfo info;

    memcpy(comment + 254, "ß", 2);
    g_autoptr(GByteArray) file = create(IMAGE_DYNAMIC, MIB, comment);
    g_autoptr(Image) image = memory_open(file, "VDI", IMAGE_OPEN_READ_ONLY, NULL);
    image_get_info(image, &info);
    g_assert_cmpuint(strlen(info.comment), ==, 254);
}

static void
test_random_work(void)
{
    g_autoptr(GByteArray) file = vdi_build(50);

    ordeal_random_work("VDI", file, 50 * BUILDER_BLOCK);
}

static void
test_zeros_take_no_room(void)
{
    g_autoptr(GByteArray) file = vdi_build(10);
    g_autoptr(Image) image = memory_open(file, "VDI", IMAGE_OPEN_READ_WRITE, NULL);
    g_autofree uint8_t *zeros = g_malloc0(10 * BUILDER_BLOCK);
    ImageInfo info;

    g_assert_true(image_write(image, 0, zeros, 10 * BUILDER_BLOCK, NULL));
    image_get_info(image, &info);
    g_assert_cmpuint(info.allocated, ==, 0);
    g_assert_true(image_write(image, 5000, "a", 1, NULL));
    image_get_info(image, &info);
    g_assert_cmpuint(info.allocated, ==, BUILDER_BLOCK);
    g_assert_cmpuint(file->len, ==, BUILDER_DATA_AT + BUILDER_BLOCK);
}

/* Only the first write of a session changes the modification UUID, and nothing else of the header.
 */
static void
test_modification_uuid(void)
{
    g_autoptr(GByteArray) file = vdi_build(10);
    uint8_t before[512], after[512];
    uint8_t byte;

    memcpy(before, file->data, 512);
    g_autoptr(Image) image = memory_open(file, "VDI", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_true(image_read(image, 0, &byte, 1, NULL));
    g_assert_cmpmem(file->data, 512, before, 512);
    g_assert_true(image_write(image, 0, "x", 1, NULL));
    memcpy(after, file->data, 512);
    g_assert_true(memcmp(before + 0x198, after + 0x198, 16) != 0);
    memcpy(after + 0x198, before + 0x198, 16);
    g_assert_cmpmem(after, 512, before, 512);
    memcpy(after, file->data, 512);
    g_assert_true(image_write(image, 9 * BUILDER_BLOCK, "x", 1, NULL));
    g_assert_true(image_flush(image, NULL));
    g_assert_cmpmem(file->data + 0x198, 16, after + 0x198, 16);
    g_assert_cmpuint(builder_peek(file, 0x184), ==, 2);
}

/* Room that a crash left unused is used again before the file grows. */
static void
test_gap_is_reused(void)
{
    g_autoptr(GByteArray) file = vdi_build(10);
    guint length = BUILDER_DATA_AT + 4 * BUILDER_BLOCK;
    uint8_t data[BUILDER_BLOCK];
    ImageCheck check;

    g_byte_array_set_size(file, length);
    memset(file->data + BUILDER_DATA_AT, 0x77, 4 * BUILDER_BLOCK);
    builder_poke(file, BUILDER_MAP_AT, 2); /* 0 and 1 are gaps, 3 trails */
    g_autoptr(Image) image = memory_open(file, "VDI", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_true(image_check(image, &check, NULL));
    g_assert_cmpuint(check.leaked_blocks, ==, 3);
    g_assert_true(check.stale_header);
    g_assert_true(image_write(image, BUILDER_BLOCK, "x", 1, NULL));
    g_assert_true(image_flush(image, NULL));
    /* A program that appends at the header's count must not hit block 2. */
    g_assert_cmpuint(builder_peek(file, 0x184), ==, 3);
    g_assert_cmpuint(builder_peek(file, BUILDER_MAP_AT + 4), <, 2);
    g_assert_true(image_read(image, BUILDER_BLOCK, data, BUILDER_BLOCK, NULL));
    g_assert_cmpuint(data[0], ==, 'x');
    g_assert_cmpuint(data[1], ==, 0);
    g_assert_true(image_write(image, 2 * BUILDER_BLOCK, "y", 1, NULL));
    g_assert_true(image_write(image, 3 * BUILDER_BLOCK, "z", 1, NULL));
    g_assert_true(image_flush(image, NULL));
    g_assert_cmpuint(builder_peek(file, 0x184), ==, 4);
    g_assert_cmpuint(file->len, ==, length);
    g_assert_true(image_read(image, 3 * BUILDER_BLOCK, data, BUILDER_BLOCK, NULL));
    g_assert_cmpuint(data[1], ==, 0);
    g_assert_true(image_check(image, &check, NULL));
    g_assert_cmpuint(check.leaked_blocks, ==, 0);
    g_assert_false(check.stale_header);
}

static void
test_disk_full(void)
{
    g_autoptr(GByteArray) file = vdi_build(10);

    ordeal_disk_full("VDI", file);
}

/* --- hostile files --- */

/* clang-format off */
static const OrdealLie lies[] = {
    {"signature",            0x040, 0x12345678, BASE_ERROR_CORRUPT},
    {"version 0",            0x044, 0x00000001, BASE_ERROR_NOT_SUPPORTED},
    {"version 1.2",          0x044, 0x00010002, BASE_ERROR_VERSION},
    {"version 2",            0x044, 0x00020000, BASE_ERROR_VERSION},
    {"header size 0",        0x048, 0,          BASE_ERROR_CORRUPT},
    {"header size huge",     0x048, 0xffffffff, BASE_ERROR_CORRUPT},
    {"type 0",               0x04c, 0,          BASE_ERROR_CORRUPT},
    {"undo",                 0x04c, 3,          BASE_ERROR_NOT_SUPPORTED},
    {"parentless child",     0x04c, 4,          BASE_ERROR_CORRUPT},
    {"type 5",               0x04c, 5,          BASE_ERROR_CORRUPT},
    {"map in header",        0x154, 0,          BASE_ERROR_CORRUPT},
    {"map unaligned",        0x154, 513,        BASE_ERROR_CORRUPT},
    {"map past data",        0x154, 0xfffffe00, BASE_ERROR_CORRUPT},
    {"data in map",          0x158, 512,        BASE_ERROR_CORRUPT},
    {"data unaligned",       0x158, 4097,       BASE_ERROR_CORRUPT},
    {"capacity 0",           0x170, 0,          BASE_ERROR_CORRUPT},
    {"capacity unaligned",   0x170, 4097,       BASE_ERROR_CORRUPT},
    {"capacity too large",   0x170, 0xfffffe00, BASE_ERROR_CORRUPT},
    {"capacity huge",        0x174, 0xffffffff, BASE_ERROR_CORRUPT},
    {"block size 0",         0x178, 0,          BASE_ERROR_CORRUPT},
    {"block size odd",       0x178, 4097,       BASE_ERROR_CORRUPT},
    {"block size huge",      0x178, 0x80000000, BASE_ERROR_CORRUPT},
    {"block extra odd",      0x17c, 1,          BASE_ERROR_CORRUPT},
    {"block extra huge",     0x17c, 0xfffffe00, BASE_ERROR_CORRUPT},
    {"no blocks",            0x180, 0,          BASE_ERROR_CORRUPT},
    {"few blocks",           0x180, 3,          BASE_ERROR_CORRUPT},
    {"many blocks",          0x180, 0xffffffff, BASE_ERROR_CORRUPT},
    {"map beyond the file",  0x180, 0x02000000, BASE_ERROR_CORRUPT},
    {"parent of a base",     0x1a8, 1,          BASE_ERROR_CORRUPT},
    {"entry past the end",   BUILDER_MAP_AT,      2,          BASE_ERROR_CORRUPT},
    {"entry far past it",    BUILDER_MAP_AT,      0xfffffffd, BASE_ERROR_CORRUPT},
    {"entry twice",          BUILDER_MAP_AT + 12, 1,          BASE_ERROR_CORRUPT},
};
/* clang-format on */

static GByteArray *
sound_file(void)
{
    GByteArray *file = vdi_build(4);

    g_byte_array_set_size(file, BUILDER_DATA_AT + 2 * BUILDER_BLOCK);
    memset(file->data + BUILDER_DATA_AT, 1, 2 * BUILDER_BLOCK);
    builder_poke(file, BUILDER_MAP_AT + 4, 0);
    builder_poke(file, BUILDER_MAP_AT + 8, 1);
    builder_poke(file, 0x184, 2);
    return file;
}

static const Ordeal ordeal = {
    .format = "VDI",
    .build = sound_file,
    .poke = builder_poke,
    .lies = lies,
    .lie_count = G_N_ELEMENTS(lies),
    .first = 0x44,
    .end = BUILDER_MAP_AT + 20,
};

static void
test_lies(void)
{
    ordeal_lies(&ordeal);
}

static void
test_truncated(void)
{
    ordeal_truncated(&ordeal);
}

static void
test_random_damage(void)
{
    ordeal_random_damage(&ordeal);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vdi/create-dynamic", test_create_dynamic);
    g_test_add_func("/vdi/create-fixed", test_create_fixed);
    g_test_add_func("/vdi/long-comment", test_long_comment);
    g_test_add_func("/vdi/random-work", test_random_work);
    g_test_add_func("/vdi/zeros-take-no-room", test_zeros_take_no_room);
    g_test_add_func("/vdi/modification-uuid", test_modification_uuid);
    g_test_add_func("/vdi/gap-is-reused", test_gap_is_reused);
    g_test_add_func("/vdi/disk-full", test_disk_full);
    g_test_add_func("/vdi/lies", test_lies);
    g_test_add_func("/vdi/truncated", test_truncated);
    g_test_add_func("/vdi/random-damage", test_random_damage);
    return g_test_run();
}
