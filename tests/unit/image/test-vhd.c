/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VHD images: what the common tests (power loss, interoperability) do not reach: differencing
 * images with sectors from both, a lost footer, hostile files. */
#include <string.h>

#include "devices/drivers/disk/image/image.h"
#include "tests/unit/image/memory-io.h"
#include "tests/unit/image/ordeal.h"
#include "tests/unit/image/vhd-builder.h"
#include "vmm/base/error.h"

#define BLOCKS 16u
#define CAPACITY (BLOCKS * BUILDER_BLOCK)

/* A file as Windows writes it: block 2 with sectors 1 and 3 only. */
static GByteArray *
partial_child(void)
{
    GByteArray *file = vhd_build_child(BLOCKS);
    unsigned at = file->len - 512;

    g_byte_array_set_size(file, at + 512 + BUILDER_BLOCK + 512);
    memset(file->data + at, 0, file->len - at);
    file->data[at] = 0x50;
    memset(file->data + at + 512, 0xcc, BUILDER_BLOCK);
    vhd_poke(file, VHD_BUILDER_TABLE_AT + 8, at / 512);
    vhd_seal(file);
    return file;
}

static Image *
raw_parent(GByteArray *below)
{
    g_byte_array_set_size(below, CAPACITY);
    memset(below->data, 0xbb, below->len);
    return image_open_io(&memory_io_new(below, NULL)->io, "RAW", IMAGE_OPEN_READ_ONLY, NULL);
}

static void
test_sectors_from_both(void)
{
    g_autoptr(GByteArray) below = g_byte_array_new();
    g_autoptr(GByteArray) file = partial_child();
    g_autoptr(Image) child = memory_open(file, "VHD", IMAGE_OPEN_READ_WRITE, NULL);
    const uint64_t start = 2 * BUILDER_BLOCK;
    uint8_t data[BUILDER_BLOCK];
    ImageInfo info;

    g_assert_nonnull(child);
    image_get_info(child, &info);
    g_assert_cmpint(info.variant, ==, IMAGE_DIFFERENCING);
    g_assert_cmphex(info.parent.bytes[5], ==, 0x33);
    g_assert_true(image_attach_parent(child, raw_parent(below), NULL));
    g_assert_true(image_read(child, start, data, sizeof data, NULL));
    for (unsigned i = 0; i < sizeof data; i++)
        g_assert_cmphex(data[i], ==, i / 512 == 1 || i / 512 == 3 ? 0xcc : 0xbb);

    /* From the middle of a sector that is below to the middle of one that is here. */
    memset(data, 0xdd, 1024);
    g_assert_true(image_write(child, start + 2 * 512 + 100, data, 1024, NULL));
    g_assert_true(image_close(g_steal_pointer(&child), NULL));
    child = memory_open(file, "VHD", IMAGE_OPEN_READ_ONLY, NULL);
    g_assert_true(image_attach_parent(child, raw_parent(below), NULL));
    g_assert_true(image_read(child, start, data, sizeof data, NULL));
    for (unsigned i = 0; i < sizeof data; i++) {
        uint8_t old = i / 512 == 1 || i / 512 == 3 ? 0xcc : 0xbb;

        g_assert_cmphex(data[i], ==, i >= 1124 && i < 2148 ? 0xdd : old);
    }
}

static void
test_create_child(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(ImageIo) io = &memory_io_new(file, NULL)->io;
    ImageCreateOptions options = {.format = "VHD",
                                  .variant = IMAGE_DIFFERENCING,
                                  .capacity = 8 << 20,
                                  .parent_path = "/a/b/parent.vhd"};
    g_autoptr(GError) error = NULL;
    ImageInfo info;

    g_assert_false(image_create_io(io, &options, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);
    image_uuid_generate(&options.parent);
    g_assert_true(image_create_io(io, &options, NULL, NULL, &error));
    g_autoptr(Image) image = memory_open(file, "VHD", IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    image_get_info(image, &info);
    g_assert_cmpint(info.variant, ==, IMAGE_DIFFERENCING);
    g_assert_true(image_uuid_equal(&info.parent, &options.parent));
    /* The parent's name is not overwritten by the first block. */
    g_assert_true(image_write(image, 0, "x", 1, NULL));
    g_assert_true(image_flush(image, NULL));
    g_assert_nonnull(memmem(file->data, 4096, "p\0a\0r\0e\0n\0t\0.\0v\0h\0d\0", 20));
}

static void
test_random_work(void)
{
    g_autoptr(GByteArray) file = vhd_build(BLOCKS);

    ordeal_random_work("VHD", file, CAPACITY);
}

/* A bitmap that fills its sector to the last bit, and a write to the end of its block. */
static void
test_end_of_block(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(ImageIo) io = &memory_io_new(file, NULL)->io;
    ImageCreateOptions options = {.format = "VHD", .variant = IMAGE_DYNAMIC, .capacity = 4 << 20};
    const uint64_t end = 2 << 20;
    uint8_t data[1000], found[1000];
    Image *image;
    gsize bitmap;

    memset(data, 0xa5, sizeof data);
    g_assert_true(image_create_io(io, &options, NULL, NULL, NULL));
    image = memory_open(file, "VHD", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_true(image_write(image, 0, data, 1, NULL));
    g_assert_true(image_close(image, NULL));
    bitmap = file->len - 512 - end - 512;
    g_assert_cmphex(file->data[bitmap], ==, 0xff);
    memset(file->data + bitmap, 0, 512);
    image = memory_open(file, "VHD", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_true(image_write(image, end - sizeof data, data, sizeof data, NULL));
    g_assert_true(image_close(image, NULL));
    image = memory_open(file, "VHD", IMAGE_OPEN_READ_ONLY, NULL);
    g_assert_true(image_read(image, end - sizeof found, found, sizeof found, NULL));
    g_assert_cmpmem(found, sizeof found, data, sizeof data);
    g_assert_true(image_read(image, end - 1024, found, 24, NULL));
    for (unsigned i = 0; i < 24; i++)
        g_assert_cmphex(found[i], ==, 0);
    image_free(image);
}

static void
test_lost_footer(void)
{
    g_autoptr(GByteArray) file = vhd_build(BLOCKS);
    ImageCheck check;

    memset(file->data + file->len - 512, 0, 512);
    g_autoptr(Image) image = memory_open(file, "VHD", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_nonnull(image);
    g_assert_true(image_check(image, &check, NULL));
    g_assert_cmpuint(check.leaked_blocks, ==, 0);
    g_assert_true(image_write(image, 0, "x", 1, NULL));
    g_assert_true(image_flush(image, NULL));
    g_assert_cmpmem(file->data + file->len - 512, 8, "conectix", 8);
}

static void
test_disk_full(void)
{
    g_autoptr(GByteArray) file = vhd_build(BLOCKS);

    ordeal_disk_full("VHD", file);
}

/* clang-format off */
static const OrdealLie lies[] = {
    {"version 2",           12,       0x00020000, BASE_ERROR_VERSION},
    {"header far away",     16,       1,          BASE_ERROR_CORRUPT},
    {"header in the copy",  20,       256,        BASE_ERROR_CORRUPT},
    {"header at the end",   20,       2048,       BASE_ERROR_CORRUPT},
    {"capacity huge",       48,       0x00010000, BASE_ERROR_CORRUPT},
    {"capacity 0",          52,       0,          BASE_ERROR_CORRUPT},
    {"capacity odd",        52,       513,        BASE_ERROR_CORRUPT},
    {"capacity too large",  52,       0x10000000, BASE_ERROR_CORRUPT},
    {"type 1",              60,       1,          BASE_ERROR_NOT_SUPPORTED},
    {"type 5",              60,       5,          BASE_ERROR_NOT_SUPPORTED},
    {"fixed but shorter",   60,       2,          BASE_ERROR_CORRUPT},
    {"table far away",      512 + 16, 0x00100000, BASE_ERROR_CORRUPT},
    {"table in the header", 512 + 20, 1024,       BASE_ERROR_CORRUPT},
    {"table unaligned",     512 + 20, 1537,       BASE_ERROR_CORRUPT},
    {"table past the end",  512 + 20, 0x00100000, BASE_ERROR_CORRUPT},
    {"header version 2",    512 + 24, 0x00020000, BASE_ERROR_VERSION},
    {"few blocks",          512 + 28, 15,         BASE_ERROR_CORRUPT},
    {"many blocks",         512 + 28, 0xffffffff, BASE_ERROR_CORRUPT},
    {"block size 0",        512 + 32, 0,          BASE_ERROR_CORRUPT},
    {"block size odd",      512 + 32, 4097,       BASE_ERROR_CORRUPT},
    {"block size huge",     512 + 32, 0x80000000, BASE_ERROR_CORRUPT},
    {"block in the table",  1536,     3,          BASE_ERROR_CORRUPT},
    {"block past the end",  1536,     5,          BASE_ERROR_CORRUPT},
    {"blocks overlap",      1536,     4,          BASE_ERROR_CORRUPT},
    {"block far away",      1536,     0xfffffffe, BASE_ERROR_CORRUPT},
};
/* clang-format on */

static const Ordeal ordeal = {
    .format = "VHD",
    .build = partial_child,
    .poke = vhd_poke,
    .seal = vhd_seal,
    .lies = lies,
    .lie_count = G_N_ELEMENTS(lies),
    .first = 8,
    .end = VHD_BUILDER_TABLE_AT + 600,
    .spare = 512,
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
    g_test_add_func("/vhd/sectors-from-both", test_sectors_from_both);
    g_test_add_func("/vhd/create-child", test_create_child);
    g_test_add_func("/vhd/random-work", test_random_work);
    g_test_add_func("/vhd/end-of-block", test_end_of_block);
    g_test_add_func("/vhd/lost-footer", test_lost_footer);
    g_test_add_func("/vhd/disk-full", test_disk_full);
    g_test_add_func("/vhd/lies", test_lies);
    g_test_add_func("/vhd/truncated", test_truncated);
    g_test_add_func("/vhd/random-damage", test_random_damage);
    return g_test_run();
}
