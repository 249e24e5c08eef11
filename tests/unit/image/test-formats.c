/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The common part of the image library: the registry and probing, bounds, raw and ISO images, the
 * chain, creating files. */
#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#include "devices/drivers/disk/image/image-chain.h"
#include "devices/drivers/disk/image/image-format.h"
#include "tests/unit/image/memory-io.h"
#include "tests/unit/image/vdi-builder.h"
#include "vmm/base/error.h"

static GByteArray *
file_of(size_t size, uint8_t value)
{
    GByteArray *file = g_byte_array_new();

    g_byte_array_set_size(file, (guint)size);
    memset(file->data, value, size);
    return file;
}

static void
test_registry(void)
{
    g_assert_cmpstr(image_format_nth(0)->name, ==, "ISO");
    g_assert_cmpstr(image_format_find("vdi")->name, ==, "VDI");
    g_assert_null(image_format_find("EWF"));
    g_assert_null(image_format_nth(100));
}

static const char *
probe(GByteArray *file, GError **error)
{
    g_autoptr(ImageIo) io = &memory_io_new(file, NULL)->io;

    return image_probe(io, error);
}

static void
test_probe(void)
{
    g_autoptr(GByteArray) vdi = vdi_build(4);
    g_autoptr(GByteArray) raw = file_of(1000, 1);
    g_autoptr(GByteArray) iso = file_of(40000, 0);
    g_autoptr(GByteArray) dmg = file_of(1024, 0);
    g_autoptr(GByteArray) nothing = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    memcpy(iso->data + 0x8001, "CD001", 5);
    memcpy(dmg->data + 512, "koly", 4);
    g_assert_cmpstr(probe(vdi, NULL), ==, "VDI");
    g_assert_cmpstr(probe(raw, NULL), ==, "RAW");
    g_assert_cmpstr(probe(iso, NULL), ==, "ISO");
    g_assert_null(probe(dmg, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    g_assert_nonnull(strstr(error->message, "DMG"));
    g_clear_error(&error);
    g_assert_null(probe(nothing, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
}

static void
test_uuid(void)
{
    ImageUuid uuid, other;
    uint8_t mixed[16];
    char text[IMAGE_UUID_TEXT_SIZE];

    g_assert_true(image_uuid_from_text("{00112233-4455-6677-8899-AABBCCDDEEFF}", &uuid));
    image_uuid_to_text(&uuid, text);
    g_assert_cmpstr(text, ==, "00112233-4455-6677-8899-aabbccddeeff");
    image_uuid_to_mixed(&uuid, mixed);
    g_assert_cmphex(mixed[0], ==, 0x33);
    g_assert_cmphex(mixed[4], ==, 0x55);
    g_assert_cmphex(mixed[6], ==, 0x77);
    g_assert_cmphex(mixed[8], ==, 0x88);
    image_uuid_from_mixed(mixed, &other);
    g_assert_true(image_uuid_equal(&uuid, &other));
    g_assert_false(image_uuid_from_text("00112233-4455-6677-8899", &uuid));
    image_uuid_generate(&uuid);
    g_assert_false(image_uuid_is_null(&uuid));
    g_assert_cmphex(uuid.bytes[6] >> 4, ==, 4);
}

static void
test_raw(void)
{
    g_autoptr(GByteArray) file = file_of(1000, 7);
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = memory_open(file, "RAW", IMAGE_OPEN_READ_WRITE, &error);
    uint8_t data[1024];

    g_assert_no_error(error);
    g_assert_cmpuint(image_capacity(image), ==, 1024);
    memset(data, 0xee, sizeof(data));
    g_assert_true(image_read(image, 0, data, 1024, NULL));
    g_assert_cmpuint(data[999], ==, 7);
    g_assert_cmpuint(data[1000], ==, 0);
    g_assert_cmpuint(data[1023], ==, 0);
    g_assert_false(image_read(image, 1, data, 1024, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_false(image_write(image, G_MAXUINT64, data, 1, NULL));
    memset(data, 9, 512);
    g_assert_true(image_write(image, 512, data, 512, NULL));
    g_assert_cmpuint(file->len, ==, 1024);
    g_assert_cmpuint(file->data[1023], ==, 9);
    g_assert_true(image_is_dirty(image));
    g_assert_true(image_flush(image, NULL));
    g_assert_false(image_is_dirty(image));
}

static void
test_iso(void)
{
    g_autoptr(GByteArray) file = file_of(3000, 7);
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = memory_open(file, "ISO", IMAGE_OPEN_READ_WRITE, &error);
    uint8_t data[2048];

    g_assert_null(image);
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    image = memory_open(file, "ISO", IMAGE_OPEN_READ_ONLY, NULL);
    g_assert_cmpuint(image_capacity(image), ==, 4096);
    g_assert_true(image_read(image, 2048, data, 2048, NULL));
    g_assert_cmpuint(data[951], ==, 7);
    g_assert_cmpuint(data[952], ==, 0);
    g_assert_false(image_write(image, 0, data, 512, NULL));
}

static void
put64be(GByteArray *file, unsigned at, uint64_t value)
{
    value = GUINT64_TO_BE(value);
    memcpy(file->data + at, &value, 8);
}

/* Version 1 with its one cluster compressed, which qemu-img does not write. */
static void
test_qcow1_compressed(void)
{
    g_autoptr(GByteArray) file = file_of(4096, 0);
    uint8_t plain[4096], data[4096];
    z_stream stream = {.next_in = plain, .avail_in = sizeof plain, .avail_out = 2048};
    g_autoptr(Image) image = NULL;

    for (unsigned i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i / 100);
    memcpy(file->data, "QFI\xfb\0\0\0\1", 8);
    put64be(file, 24, 2 * 4096);
    file->data[32] = 12;
    file->data[33] = 6;
    put64be(file, 40, 512);
    put64be(file, 512, 1024);
    stream.next_out = file->data + 2048;
    g_assert_cmpint(deflateInit2(&stream, 9, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY), ==, Z_OK);
    g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
    put64be(file, 1024, 1ull << 63 | (uint64_t)stream.total_out << (63 - 12) | 2048);
    deflateEnd(&stream);
    image = memory_open(file, "QCOW", IMAGE_OPEN_READ_ONLY, NULL);
    g_assert_nonnull(image);
    g_assert_true(image_read(image, 0, data, sizeof data, NULL));
    g_assert_cmpmem(data, sizeof data, plain, sizeof plain);
    g_assert_true(image_read(image, 4096, data, sizeof data, NULL));
    g_assert_true(image_is_zero(data, sizeof data));
}

/* A failed sync is never forgotten: the host may have dropped what it could not write. */
static void
test_failed_flush(void)
{
    g_autoptr(GByteArray) file = file_of(1024, 0);
    MemoryIo *io = memory_io_new(file, NULL);
    g_autoptr(GError) error = NULL;
    Image *image = image_open_io(&io->io, "RAW", IMAGE_OPEN_READ_WRITE, NULL);

    g_assert_true(image_write(image, 0, "x", 1, NULL));
    io->fail_sync = true;
    g_assert_false(image_flush(image, &error));
    g_clear_error(&error);
    io->fail_sync = false;
    g_assert_false(image_flush(image, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_IO);
    g_assert_false(image_close(image, NULL));
}

/* Reading goes down the chain, writing copies the rest of a block up. */
static void
test_chain(void)
{
    g_autoptr(GByteArray) below = file_of(2 * BUILDER_BLOCK, 0xaa);
    g_autoptr(GByteArray) above = vdi_build_child(4);
    g_autoptr(Image) child = NULL;
    uint8_t data[4 * BUILDER_BLOCK];

    /* Block 1 is a zero block: it hides the parent. */
    builder_poke(above, BUILDER_MAP_AT + 4, 0xfffffffe);
    child = memory_open(above, "VDI", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_true(
        image_attach_parent(child, memory_open(below, "RAW", IMAGE_OPEN_READ_ONLY, NULL), NULL));
    g_assert_nonnull(image_parent(child));
    g_assert_true(image_read(child, 0, data, sizeof(data), NULL));
    g_assert_cmphex(data[BUILDER_BLOCK - 1], ==, 0xaa);
    g_assert_true(image_is_zero(data + BUILDER_BLOCK, 3 * BUILDER_BLOCK));
    memset(data, 0, 512);
    g_assert_true(image_write(child, 512, data, 512, NULL));
    g_assert_true(image_write(child, BUILDER_BLOCK + 512, "y", 1, NULL));
    g_assert_true(image_read(child, 0, data, sizeof(data), NULL));
    g_assert_cmphex(data[511], ==, 0xaa);
    g_assert_true(image_is_zero(data + 512, 512));
    g_assert_cmphex(data[1024], ==, 0xaa);
    g_assert_cmphex(data[BUILDER_BLOCK + 512], ==, 'y');
    g_assert_cmphex(below->data[512], ==, 0xaa);
    g_assert_true(image_flush(child, NULL));
}

/* As deep as may be, and what the lowest has is read through all. */
static void
test_chain_length(void)
{
    uint8_t data[BUILDER_BLOCK];
    g_autoptr(GByteArray) base = vdi_build(1);
    g_autoptr(GByteArray) file = vdi_build_child(1);
    g_autoptr(GError) error = NULL;
    Image *chain;

    memset(data, 0x5a, sizeof data);
    g_byte_array_append(base, data, sizeof data);
    builder_poke(base, BUILDER_MAP_AT, 0);
    memset(data, 0, sizeof data);
    chain = memory_open(base, "VDI", IMAGE_OPEN_READ_ONLY, NULL);
    for (unsigned i = 1; i < IMAGE_CHAIN_MAX; i++) {
        Image *child = memory_open(file, "VDI", IMAGE_OPEN_READ_ONLY, NULL);

        g_assert_true(image_attach_parent(child, chain, &error));
        chain = child;
    }
    image_chain_settle(chain);
    g_assert_cmpuint(image_chain_length(chain), ==, IMAGE_CHAIN_MAX);
    g_assert_true(image_read(chain, 0, data, sizeof data, &error));
    g_assert_cmphex(data[0], ==, 0x5a);
    g_autoptr(Image) one_more = memory_open(file, "VDI", IMAGE_OPEN_READ_ONLY, NULL);
    g_assert_false(image_attach_parent(one_more, chain, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    image_free(chain);
}

/* A parent that is another one, or was written to since, is refused with both values. */
static void
test_wrong_parent(void)
{
    static const unsigned at[] = {0x188, 0x198};

    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        g_autoptr(GByteArray) base = vdi_build(1);
        g_autoptr(GByteArray) file = vdi_build_child(1);
        g_autoptr(Image) child = memory_open(file, "VDI", IMAGE_OPEN_READ_ONLY, NULL);
        g_autoptr(Image) parent = NULL;
        g_autoptr(GError) error = NULL;

        builder_poke(base, at[i], 0x01020304);
        parent = memory_open(base, "VDI", IMAGE_OPEN_READ_ONLY, NULL);
        g_assert_false(image_attach_parent(child, parent, &error));
        g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, i == 0 ? "11111111-" : "22222222-"));
        g_assert_nonnull(strstr(error->message, "01020304-"));
        g_clear_error(&error);
        g_assert_false(image_attach_parent(parent, child, &error));
    }
}

static void
test_lchs(void)
{
    ImageGeometry small = image_guess_lchs(100ull << 20);
    ImageGeometry large = image_guess_lchs(100ull << 30);

    g_assert_cmpuint(small.heads, ==, 16);
    g_assert_cmpuint(small.cylinders, ==, 203);
    g_assert_cmpuint(large.heads, ==, 255);
    g_assert_cmpuint(large.cylinders, ==, 1024);
}

static bool
cancel_at_half(void *user, double fraction)
{
    unsigned *calls = user;

    (*calls)++;
    return fraction < 0.5;
}

static bool
go_on(void *user, double fraction)
{
    double *last = user;

    g_assert_cmpfloat(fraction, >=, *last);
    *last = fraction;
    return true;
}

static void
test_create_file(void)
{
    g_autofree char *folder = g_dir_make_tmp("vitrine-image-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "disk.img", NULL);
    ImageCreateOptions options = {.format = "RAW", .variant = IMAGE_FIXED, .capacity = 200 << 20};
    g_autoptr(GError) error = NULL;
    unsigned calls = 0;
    double last = -1;

    g_assert_false(image_create(path, &options, cancel_at_half, &calls, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_CANCELLED);
    g_assert_cmpuint(calls, >, 1);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_clear_error(&error);

    options.capacity = 1000;
    g_assert_true(image_create(path, &options, go_on, &last, &error));
    g_assert_cmpfloat(last, ==, 1.0);
    g_assert_false(image_create(path, &options, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_EXISTS);
    g_clear_error(&error);

    Image *image = image_open(path, NULL, IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(image_capacity(image), ==, 1024);
    g_assert_null(image_open(path, NULL, IMAGE_OPEN_READ_ONLY, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_BUSY);
    g_assert_true(image_close(image, NULL));
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_create_refuses(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(ImageIo) io = &memory_io_new(file, NULL)->io;
    g_autoptr(GError) error = NULL;
    ImageCreateOptions options = {.format = "ISO", .variant = IMAGE_FIXED, .capacity = 2048};

    g_assert_false(image_create_io(io, &options, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);
    options.format = "VDI";
    options.variant = IMAGE_DIFFERENCING;
    g_assert_false(image_create_io(io, &options, NULL, NULL, NULL));
    options.variant = IMAGE_DYNAMIC;
    options.capacity = 0;
    g_assert_false(image_create_io(io, &options, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);
    options.capacity = 1ull << 60;
    g_assert_false(image_create_io(io, &options, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/registry", test_registry);
    g_test_add_func("/image/probe", test_probe);
    g_test_add_func("/image/uuid", test_uuid);
    g_test_add_func("/image/raw", test_raw);
    g_test_add_func("/image/iso", test_iso);
    g_test_add_func("/image/qcow1-compressed", test_qcow1_compressed);
    g_test_add_func("/image/failed-flush", test_failed_flush);
    g_test_add_func("/image/chain", test_chain);
    g_test_add_func("/image/chain-length", test_chain_length);
    g_test_add_func("/image/wrong-parent", test_wrong_parent);
    g_test_add_func("/image/lchs", test_lchs);
    g_test_add_func("/image/create-file", test_create_file);
    g_test_add_func("/image/create-refuses", test_create_refuses);
    return g_test_run();
}
