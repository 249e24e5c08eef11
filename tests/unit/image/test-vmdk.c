/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VMDK images: what the common tests (power loss, interoperability) do not reach: differencing
 * images, missing tables, the redundant tables, streams, descriptors of other kinds, hostile
 * files. */
#include <string.h>

#include "devices/drivers/disk/image/image.h"
#include "tests/unit/image/memory-io.h"
#include "tests/unit/image/ordeal.h"
#include "tests/unit/image/vmdk-builder.h"
#include "vmm/base/error.h"

#define GRAINS 16u
#define CAPACITY (GRAINS * BUILDER_BLOCK)

/* Grain 2 is there. */
static GByteArray *
partial_child(void)
{
    GByteArray *file = vmdk_build_child(GRAINS);

    g_byte_array_set_size(file, VMDK_BUILDER_DATA_AT + BUILDER_BLOCK);
    memset(file->data + VMDK_BUILDER_DATA_AT, 0xcc, BUILDER_BLOCK);
    builder_poke(file, VMDK_BUILDER_TABLE_AT + 8, VMDK_BUILDER_DATA_AT / 512);
    builder_poke(file, VMDK_BUILDER_REDUNDANT_AT + 512 + 8, VMDK_BUILDER_DATA_AT / 512);
    return file;
}

static void
test_info(void)
{
    g_autoptr(GByteArray) file = partial_child();
    g_autoptr(Image) image = memory_open(file, "VMDK", IMAGE_OPEN_READ_ONLY, NULL);
    ImageInfo info;

    g_assert_nonnull(image);
    image_get_info(image, &info);
    g_assert_cmpint(info.variant, ==, IMAGE_DIFFERENCING);
    g_assert_cmpuint(info.capacity, ==, CAPACITY);
    g_assert_cmpuint(info.allocated, ==, BUILDER_BLOCK);
    g_assert_cmpuint(info.lchs.cylinders, ==, 7);
    g_assert_cmpuint(info.lchs.sectors, ==, 5);
    g_assert_cmphex(info.parent.bytes[5], ==, 0x33);
    g_assert_cmphex(info.uuid.bytes[5], ==, 0x44);
    g_assert_cmphex(info.modification.bytes[5], ==, 0x55);
    g_assert_true(g_str_has_prefix(info.comment, "a\n000"));
}

static void
test_child(void)
{
    g_autoptr(GByteArray) below = g_byte_array_new();
    g_autoptr(GByteArray) file = partial_child();
    g_autoptr(Image) child = memory_open(file, "VMDK", IMAGE_OPEN_READ_WRITE, NULL);
    uint8_t data[3 * BUILDER_BLOCK];

    g_byte_array_set_size(below, CAPACITY);
    memset(below->data, 0xbb, below->len);
    g_assert_true(image_attach_parent(
        child, image_open_io(&memory_io_new(below, NULL)->io, "RAW", IMAGE_OPEN_READ_ONLY, NULL),
        NULL));
    memset(data, 0, sizeof data);
    g_assert_true(image_write(child, BUILDER_BLOCK + 100, data, 1000, NULL));
    g_assert_true(image_read(child, BUILDER_BLOCK, data, sizeof data, NULL));
    for (unsigned i = 0; i < sizeof data; i++) {
        const uint8_t mixed = i >= 100 && i < 1100 ? 0 : 0xbb;

        g_assert_cmphex(data[i], ==, i / BUILDER_BLOCK == 1 ? 0xcc : mixed);
    }
}

/* The first write of a session renews CID and modification UUID; closing clears the mark. */
static void
test_session(void)
{
    g_autoptr(GByteArray) file = vmdk_build(GRAINS);
    Image *image = memory_open(file, "VMDK", IMAGE_OPEN_READ_WRITE, NULL);
    const char *text = (const char *)file->data + VMDK_BUILDER_DESCRIPTOR_AT;
    const size_t length = strlen(text);
    ImageInfo info;

    g_assert_true(image_write(image, 0, "x", 1, NULL));
    g_assert_cmpuint(file->data[72], ==, 1);
    image_get_info(image, &info);
    g_assert_cmphex(info.uuid.bytes[5], ==, 0x44);
    g_assert_false(info.modification.bytes[5] == 0x55 && info.modification.bytes[4] == 0x55);
    g_assert_true(image_close(image, NULL));
    text = (const char *)file->data + VMDK_BUILDER_DESCRIPTOR_AT;
    g_assert_cmpuint(file->data[72], ==, 0);
    g_assert_null(strstr(text, "CID=12345678"));
    g_assert_nonnull(strstr(text, "parentCID=ffffffff"));
    g_assert_cmpuint(strlen(text), ==, length);
    g_assert_cmpmem(file->data + VMDK_BUILDER_TABLE_AT, 2048,
                    file->data + VMDK_BUILDER_REDUNDANT_AT + 512, 2048);
    g_assert_cmpuint(builder_peek(file, VMDK_BUILDER_TABLE_AT), ==, VMDK_BUILDER_DATA_AT / 512);
}

static void
test_create_child(void)
{
    g_autoptr(GByteArray) base = NULL;
    g_autoptr(GByteArray) file = NULL;
    ImageCreateOptions options = {
        .format = "VMDK", .capacity = 80 << 20, .comment = "Grüße \"\n\\"};
    g_autofree char *parent_id = NULL;
    g_autoptr(GError) error = NULL;
    ImageInfo info;

    base = builder_create(&options);
    g_autoptr(Image) parent = memory_open(base, "VMDK", IMAGE_OPEN_READ_ONLY, &error);
    g_assert_no_error(error);
    image_get_info(parent, &info);
    g_assert_cmpstr(info.comment, ==, options.comment);
    g_assert_cmpint(info.variant, ==, IMAGE_DYNAMIC);
    parent_id = g_strndup(strstr((char *)base->data + 512, "\nCID=") + 5, 8);

    options.variant = IMAGE_DIFFERENCING;
    options.parent = info.uuid;
    options.parent_modification = info.modification;
    options.parent_path = "/a/b/parent.vmdk";
    file = builder_create(&options);
    g_autoptr(Image) child = memory_open(file, "VMDK", IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    g_assert_true(image_attach_parent(child, g_steal_pointer(&parent), &error));
    g_assert_nonnull(strstr((char *)file->data + 512, "parent.vmdk\"\n"));
    g_assert_cmpmem(strstr((char *)file->data + 512, "\nparentCID=") + 11, 8, parent_id, 8);
}

static void
test_random_work(void)
{
    g_autoptr(GByteArray) file = vmdk_build(GRAINS);

    ordeal_random_work("VMDK", file, CAPACITY);
}

/* Without tables in the file at first: both sets are made. */
static void
test_missing_tables(void)
{
    g_autoptr(GByteArray) file = vmdk_build(GRAINS);
    unsigned first, second;

    builder_poke(file, VMDK_BUILDER_DIRECTORY_AT, 0);
    builder_poke(file, VMDK_BUILDER_REDUNDANT_AT, 0);
    ordeal_random_work("VMDK", file, CAPACITY);
    first = builder_peek(file, VMDK_BUILDER_DIRECTORY_AT) * 512;
    second = builder_peek(file, VMDK_BUILDER_REDUNDANT_AT) * 512;
    g_assert_cmpuint(first, !=, 0);
    g_assert_cmpuint(second, !=, first);
    g_assert_cmpmem(file->data + first, 2048, file->data + second, 2048);
}

/* A redundant table that a cut left behind is put right by the next flush. */
static void
test_stale_copy(void)
{
    g_autoptr(GByteArray) file = partial_child();
    const unsigned copy = VMDK_BUILDER_REDUNDANT_AT + 512 + 8;
    Image *image;

    builder_poke(file, copy, 77);
    image = memory_open(file, "VMDK", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_true(image_close(image, NULL));
    g_assert_cmpuint(builder_peek(file, copy), ==, 77);
    image = memory_open(file, "VMDK", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_true(image_write(image, 2 * BUILDER_BLOCK, "x", 1, NULL));
    g_assert_true(image_close(image, NULL));
    g_assert_cmpuint(builder_peek(file, copy), ==, VMDK_BUILDER_DATA_AT / 512);
}

static void
test_zero_grains(void)
{
    g_autoptr(GByteArray) file = partial_child();
    uint8_t data[1024];

    builder_poke(file, 4, 2);
    builder_poke(file, 8, 7);
    builder_poke(file, VMDK_BUILDER_TABLE_AT + 4, 1);
    g_autoptr(Image) image = memory_open(file, "VMDK", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_nonnull(image);
    g_assert_true(image_read(image, BUILDER_BLOCK, data, sizeof data, NULL));
    g_assert_cmpuint(data[0], ==, 0);
    g_assert_true(image_write(image, BUILDER_BLOCK, "x", 1, NULL));
    g_assert_true(image_read(image, BUILDER_BLOCK, data, sizeof data, NULL));
    g_assert_cmpuint(data[0], ==, 'x');
    g_assert_cmpuint(data[1], ==, 0);
}

static void
test_disk_full(void)
{
    g_autoptr(GByteArray) file = vmdk_build(GRAINS);

    ordeal_disk_full("VMDK", file);
}

static void
test_stream(void)
{
    g_autoptr(GByteArray) file = vmdk_build_stream(15);
    g_autoptr(GError) error = NULL;
    uint8_t data[15 * BUILDER_BLOCK];

    g_assert_null(memory_open(file, "VMDK", IMAGE_OPEN_READ_WRITE, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);
    /* The last grain's 512 bytes are all that the disk has of it. */
    builder_poke(file, file->len - 1024 + 12, 14 * 8 + 1);
    vmdk_redescribe(file, "RW 120 ", "RW 113 ");
    g_autoptr(Image) image = memory_open(file, "VMDK", IMAGE_OPEN_READ_ONLY, &error);
    g_assert_no_error(error);
    g_assert_true(image_read(image, 0, data, 14 * BUILDER_BLOCK + 512, &error));
    g_assert_no_error(error);
    for (unsigned i = 0; i < 14 * BUILDER_BLOCK + 512; i++) {
        const unsigned grain = i / BUILDER_BLOCK;

        g_assert_cmpuint(data[i], ==, grain % 2 == 0 ? grain + 1 : 0);
    }
}

static void
test_stream_damage(void)
{
    g_autoptr(GByteArray) sound = vmdk_build_stream(14);
    g_autoptr(GRand) rand = g_rand_new_with_seed(21);
    static uint8_t data[14 * BUILDER_BLOCK];
    unsigned refused = 0;

    for (unsigned at = VMDK_BUILDER_DATA_AT; at < VMDK_BUILDER_DATA_AT + 20; at++) {
        g_autoptr(GByteArray) file = g_byte_array_new();

        g_byte_array_append(file, sound->data, sound->len);
        file->data[at] ^= (uint8_t)g_rand_int_range(rand, 1, 256);
        g_autoptr(Image) image = memory_open(file, "VMDK", IMAGE_OPEN_READ_ONLY, NULL);
        g_assert_nonnull(image);
        refused += !image_read(image, 0, data, sizeof data, NULL);
        g_assert_true(image_read(image, 2 * BUILDER_BLOCK, data, BUILDER_BLOCK, NULL));
    }
    /* A change of the length to a longer one is the only thing that does no harm. */
    g_assert_cmpuint(refused, >=, 16);
}

typedef struct {
    const char *what, *from, *to;
    BaseError code;
} Other;

static const Other others[] = {
    {"kind", "monolithicSparse", "monolithicFlatty", BASE_ERROR_NOT_SUPPORTED},
    {"no kind", "createType", "createTyqe", BASE_ERROR_CORRUPT},
    {"flat extent", "SPARSE", "FLAT  ", BASE_ERROR_NOT_SUPPORTED},
    {"no extent", "RW 128 ", "XX 128 ", BASE_ERROR_CORRUPT},
    {"extent's size", "RW 128 ", "RW 129 ", BASE_ERROR_CORRUPT},
    {"two extents", "ddb.uuid.image=\"", "\nRW 1 SPARSE \"x\"", BASE_ERROR_NOT_SUPPORTED},
    {"parent by name", "ddb.uuid.parent=", "ddb.uuid.qarent=", BASE_ERROR_NOT_SUPPORTED},
};

static void
test_descriptors(void)
{
    static const char split[] = "# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\n"
                                "RW 128 FLAT \"/etc/passwd\" 0\n";
    g_autoptr(GByteArray) text = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(GByteArray) file = partial_child();

        g_test_message("%s", others[i].what);
        vmdk_redescribe(file, others[i].from, others[i].to);
        g_assert_null(memory_open(file, "VMDK", IMAGE_OPEN_READ_ONLY, &error));
        g_assert_error(error, BASE_ERROR, (int)others[i].code);
        g_clear_error(&error);
    }
    g_byte_array_append(text, (const uint8_t *)split, sizeof split - 1);
    g_assert_null(
        image_open_io(&memory_io_new(text, NULL)->io, NULL, IMAGE_OPEN_READ_ONLY, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "beside the image"));
}

/* clang-format off */
static const OrdealLie lies[] = {
    {"magic",                0,         0,          BASE_ERROR_CORRUPT},
    {"version 4",            4,         4,          BASE_ERROR_VERSION},
    {"unknown flag",         8,         0x103,      BASE_ERROR_VERSION},
    {"unknown compression",  8,         0x10003,    BASE_ERROR_NOT_SUPPORTED},
    {"capacity 0",           12,        0,          BASE_ERROR_CORRUPT},
    {"capacity huge",        16,        1,          BASE_ERROR_CORRUPT},
    {"capacity other",       12,        64,         BASE_ERROR_CORRUPT},
    {"grain 0",              20,        0,          BASE_ERROR_CORRUPT},
    {"grain odd",            20,        9,          BASE_ERROR_CORRUPT},
    {"grain huge",           24,        1,          BASE_ERROR_CORRUPT},
    {"part of several",      28,        0,          BASE_ERROR_NOT_SUPPORTED},
    {"descriptor far away",  28,        0x10000,    BASE_ERROR_CORRUPT},
    {"descriptor on table",  28,        7,          BASE_ERROR_CORRUPT},
    {"descriptor empty",     36,        0,          BASE_ERROR_CORRUPT},
    {"descriptor huge",      36,        0x100000,   BASE_ERROR_CORRUPT},
    {"table entries",        44,        511,        BASE_ERROR_CORRUPT},
    {"redundant 0",          48,        0,          BASE_ERROR_CORRUPT},
    {"redundant far away",   48,        0x10000,    BASE_ERROR_CORRUPT},
    {"redundant is first",   48,        8,          BASE_ERROR_CORRUPT},
    {"directory 0",          56,        0,          BASE_ERROR_CORRUPT},
    {"directory far away",   56,        0x10000,    BASE_ERROR_CORRUPT},
    {"directory huge",       60,        1,          BASE_ERROR_CORRUPT},
    {"transferred as text",  73,        0x0a0a200a, BASE_ERROR_CORRUPT},
    {"table in descriptor",  8 * 512,   1,          BASE_ERROR_CORRUPT},
    {"table far away",       8 * 512,   0xffffffff, BASE_ERROR_CORRUPT},
    {"table twice",          3 * 512,   9,          BASE_ERROR_CORRUPT},
    {"grain in the header",  9 * 512,   1,          BASE_ERROR_CORRUPT},
    {"grain in the table",   9 * 512,   10,         BASE_ERROR_CORRUPT},
    {"grain past the end",   9 * 512,   17,         BASE_ERROR_CORRUPT},
    {"grain twice",          9 * 512,   16,         BASE_ERROR_CORRUPT},
    {"grain far away",       9 * 512,   0xffffffff, BASE_ERROR_CORRUPT},
    {"grain past the disk",  9 * 512 + 4 * GRAINS, 16, BASE_ERROR_CORRUPT},
};
/* clang-format on */

static const Ordeal ordeal = {
    .format = "VMDK",
    .build = partial_child,
    .poke = builder_poke,
    .lies = lies,
    .lie_count = G_N_ELEMENTS(lies),
    .first = 4,
    .end = VMDK_BUILDER_TABLE_AT + 600,
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
    g_test_add_func("/vmdk/info", test_info);
    g_test_add_func("/vmdk/child", test_child);
    g_test_add_func("/vmdk/session", test_session);
    g_test_add_func("/vmdk/create-child", test_create_child);
    g_test_add_func("/vmdk/random-work", test_random_work);
    g_test_add_func("/vmdk/missing-tables", test_missing_tables);
    g_test_add_func("/vmdk/stale-copy", test_stale_copy);
    g_test_add_func("/vmdk/zero-grains", test_zero_grains);
    g_test_add_func("/vmdk/disk-full", test_disk_full);
    g_test_add_func("/vmdk/stream", test_stream);
    g_test_add_func("/vmdk/stream-damage", test_stream_damage);
    g_test_add_func("/vmdk/descriptors", test_descriptors);
    g_test_add_func("/vmdk/lies", test_lies);
    g_test_add_func("/vmdk/truncated", test_truncated);
    g_test_add_func("/vmdk/random-damage", test_random_damage);
    return g_test_run();
}
