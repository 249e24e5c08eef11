/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Operations on whole images and chains, against a plain copy of what the disk has to read as. */
#include <string.h>

#include "devices/drivers/disk/image/image-chain.h"
#include "tests/unit/image/memory-io.h"
#include "vmm/base/error.h"

#define MIB (1u << 20)
#define CAPACITY (7 * MIB + 512)
#define LEVELS 5u

typedef struct {
    const char *name;
    bool compacts, resizes;
} Format;

static const Format formats[] = {
    {"VDI", true, true},
    {"VHD", true, true},
    {"VMDK", true, true},
};

typedef struct {
    const Format *format;
    GByteArray *files[LEVELS]; /* from the base on */
    uint8_t *expected[LEVELS]; /* what each shows */
    GRand *rand;
} Fixture;

/* Some sectors; the length is not 0 and does not go past the end. */
static void
choose_range(GRand *rand, int sectors, uint32_t *at, uint32_t *length)
{
    *at = (uint32_t)g_rand_int_range(rand, 0, CAPACITY / 512) * 512;
    *length = (uint32_t)g_rand_int_range(rand, 1, sectors) * 512;
    *length = MIN(*length, CAPACITY - *at);
}

static Image *
open_level(Fixture *fixture, unsigned level, bool writable)
{
    g_autoptr(GError) error = NULL;
    Image *image =
        image_open_io(&memory_io_new(fixture->files[level], NULL)->io, fixture->format->name,
                      writable ? IMAGE_OPEN_READ_WRITE : IMAGE_OPEN_READ_ONLY, &error);

    g_assert_no_error(error);
    return image;
}

/* The chain whose newest image is level `top`; level `writable` can be written to. */
static Image *
open_chain(Fixture *fixture, unsigned top, int writable)
{
    ImageSource sources[LEVELS] = {0};
    g_autoptr(GError) error = NULL;
    Image *image;

    for (unsigned i = 0; i <= top; i++) {
        sources[i].io = &memory_io_new(fixture->files[top - i], NULL)->io;
        sources[i].format = fixture->format->name;
        sources[i].writable = (int)(top - i) == writable;
    }
    image = image_open_chain(sources, top + 1, &error);
    g_assert_no_error(error);
    return image;
}

static void
assert_content(Image *image, const uint8_t *expected, size_t length)
{
    g_autofree uint8_t *data = g_malloc(length);
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(image_capacity(image), >=, length);
    image_read(image, 0, data, length, &error);
    g_assert_no_error(error);
    for (size_t at = 0; at < length; at += 512) {
        if (memcmp(data + at, expected + at, 512) != 0)
            g_error("sector %zu differs: %02x instead of %02x", at / 512, data[at], expected[at]);
    }
}

static void
assert_level(Fixture *fixture, unsigned level)
{
    g_autoptr(Image) chain = open_chain(fixture, level, -1);
    ImageCheck check;

    assert_content(chain, fixture->expected[level], CAPACITY);
    g_assert_true(image_check(chain, &check, NULL));
}

/* Some data, some zeros, over what is there. */
static void
write_some(Image *image, GRand *rand, uint8_t *expected)
{
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < 6; i++) {
        uint32_t at, length;

        choose_range(rand, 3000, &at, &length);
        memset(expected + at, i % 3 == 2 ? 0 : g_rand_int_range(rand, 1, 256), length);
        image_write(image, at, expected + at, length, &error);
        g_assert_no_error(error);
    }
}

static void
make_level(Fixture *fixture, unsigned level)
{
    ImageCreateOptions options = {.format = fixture->format->name, .capacity = CAPACITY};
    GByteArray *file = g_byte_array_new();
    MemoryIo *io = memory_io_new(file, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) parent = NULL;
    g_autoptr(Image) image = NULL;

    if (level > 0) {
        parent = open_level(fixture, level - 1, false);
        image_child_options(parent, &options, &error);
        g_assert_no_error(error);
        g_assert_cmpint(options.variant, ==, IMAGE_DIFFERENCING);
    }
    image_create_io(&io->io, &options, NULL, NULL, &error);
    g_assert_no_error(error);
    image_io_close(&io->io);
    fixture->files[level] = file;
    fixture->expected[level] =
        level > 0 ? g_memdup2(fixture->expected[level - 1], CAPACITY) : g_malloc0(CAPACITY);
    image = open_chain(fixture, level, (int)level);
    write_some(image, fixture->rand, fixture->expected[level]);
}

static void
setup(Fixture *fixture, gconstpointer data)
{
    fixture->format = data;
    fixture->rand = g_rand_new_with_seed(11);
    for (unsigned level = 0; level < LEVELS; level++)
        make_level(fixture, level);
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        g_byte_array_unref(fixture->files[level]);
        g_free(fixture->expected[level]);
    }
    g_rand_free(fixture->rand);
}

static void
test_chain(Fixture *fixture, gconstpointer data)
{
    for (unsigned level = 0; level < LEVELS; level++)
        assert_level(fixture, level);
}

/* Once more, in random pieces and by a table of owners that is already there. */
static void
test_chain_in_pieces(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Image) chain = open_chain(fixture, LEVELS - 1, LEVELS - 1);
    uint8_t *expected = fixture->expected[LEVELS - 1];
    g_autofree uint8_t *part = g_malloc(200000);

    g_assert_cmpuint(image_chain_length(chain), ==, LEVELS);
    for (unsigned i = 0; i < 400; i++) {
        const uint32_t at = (uint32_t)g_rand_int_range(fixture->rand, 0, CAPACITY - 1);
        const uint32_t most = MIN(200000, CAPACITY - at);
        const uint32_t length = (uint32_t)g_rand_int_range(fixture->rand, 1, (int)most + 1);

        if (i % 40 == 39)
            write_some(chain, fixture->rand, expected);
        g_assert_true(image_read(chain, at, part, length, NULL));
        g_assert_cmpmem(part, length, expected + at, length);
    }
}

static void
test_wrong_parent(Fixture *fixture, gconstpointer data)
{
    ImageSource sources[] = {
        {.io = &memory_io_new(fixture->files[2], NULL)->io},
        {.io = &memory_io_new(fixture->files[0], NULL)->io},
    };
    char text[IMAGE_UUID_TEXT_SIZE];
    g_autoptr(GError) error = NULL;
    ImageInfo info;

    g_assert_null(image_open_chain(sources, 2, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    for (unsigned level = 0; level < 2; level++) {
        g_autoptr(Image) image = open_level(fixture, level, false);

        image_get_info(image, &info);
        image_uuid_to_text(&info.uuid, text);
        g_assert_nonnull(strstr(error->message, text));
    }
}

static void
test_wrong_registration(Fixture *fixture, gconstpointer data)
{
    ImageSource source = {.io = &memory_io_new(fixture->files[0], NULL)->io};
    char text[IMAGE_UUID_TEXT_SIZE];
    g_autoptr(GError) error = NULL;

    image_uuid_generate(&source.uuid);
    image_uuid_to_text(&source.uuid, text);
    g_assert_null(image_open_chain(&source, 1, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, text));
}

static void
test_child_alone(Fixture *fixture, gconstpointer data)
{
    ImageSource source = {.io = &memory_io_new(fixture->files[1], NULL)->io};
    g_autoptr(GError) error = NULL;

    g_assert_null(image_open_chain(&source, 1, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
}

/* --- merging --- */

/* top: counted from the base, as files are. */
static void
merge_down(Fixture *fixture, unsigned top, unsigned target)
{
    g_autoptr(Image) chain = open_chain(fixture, top, (int)target);
    g_autoptr(GError) error = NULL;

    image_merge_down(chain, image_chain_nth(chain, top - target), NULL, NULL, &error);
    g_assert_no_error(error);
}

static void
adopt(Fixture *fixture, unsigned child, unsigned parent)
{
    g_autoptr(Image) below = open_level(fixture, parent, false);
    g_autoptr(Image) above = open_level(fixture, child, true);
    g_autoptr(GError) error = NULL;
    ImageUuidChange change;
    ImageInfo info;

    image_get_info(below, &info);
    change = (ImageUuidChange){
        .parent = &info.uuid,
        .parent_modification = image_uuid_is_null(&info.modification) ? NULL : &info.modification,
    };
    image_set_uuids(above, &change, &error);
    g_assert_no_error(error);
}

/* Takes the files from `first` to `last` out of the fixture's chain. */
static void
forget(Fixture *fixture, unsigned first, unsigned last)
{
    const unsigned count = last - first + 1;

    for (unsigned i = first; i <= last; i++) {
        g_byte_array_unref(fixture->files[i]);
        g_free(fixture->expected[i]);
    }
    for (unsigned i = last + 1; i < LEVELS; i++) {
        fixture->files[i - count] = fixture->files[i];
        fixture->expected[i - count] = fixture->expected[i];
    }
    for (unsigned i = LEVELS - count; i < LEVELS; i++) {
        fixture->files[i] = g_byte_array_new();
        fixture->expected[i] = NULL;
    }
}

static void
test_merge_down(Fixture *fixture, gconstpointer data)
{
    merge_down(fixture, 3, 1);
    /* The chain fits together as before, until the children get their new parent. */
    assert_level(fixture, 4);
    adopt(fixture, 4, 1);
    memcpy(fixture->expected[1], fixture->expected[3], CAPACITY);
    forget(fixture, 2, 3);
    for (unsigned level = 0; level < 3; level++)
        assert_level(fixture, level);
    merge_down(fixture, 2, 0);
    memcpy(fixture->expected[0], fixture->expected[2], CAPACITY);
    assert_level(fixture, 0);
}

static void
test_merge_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Image) chain = open_chain(fixture, 3, 3);
    g_autoptr(GError) error = NULL;

    image_merge_up(chain, image_chain_nth(chain, 2), NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(image_chain_length(chain), ==, 2);
    assert_content(chain, fixture->expected[3], CAPACITY);
    g_clear_pointer(&chain, image_free);
    forget(fixture, 1, 2);
    for (unsigned level = 0; level < 3; level++)
        assert_level(fixture, level);
    chain = open_chain(fixture, 1, 1);
    image_merge_up(chain, image_chain_nth(chain, 1), NULL, NULL, &error);
    g_assert_no_error(error);
    g_clear_pointer(&chain, image_free);
    forget(fixture, 0, 0);
    for (unsigned level = 0; level < 2; level++)
        assert_level(fixture, level);
}

typedef struct {
    unsigned calls, most;
    double last;
} Cancel;

static bool
cancel_after(void *user, double fraction)
{
    Cancel *cancel = user;

    g_assert_cmpfloat(fraction, >=, cancel->last);
    g_assert_cmpfloat(fraction, <=, 1.0);
    cancel->last = fraction;
    return ++cancel->calls < cancel->most;
}

static void
test_merge_cancelled(Fixture *fixture, gconstpointer data)
{
    for (unsigned most = 1; most < 6; most++) {
        g_autoptr(Image) chain = open_chain(fixture, 4, 2);
        g_autoptr(GError) error = NULL;
        Cancel cancel = {.most = most};

        g_assert_false(
            image_merge_down(chain, image_chain_nth(chain, 2), cancel_after, &cancel, &error));
        g_assert_error(error, BASE_ERROR, BASE_ERROR_CANCELLED);
        g_clear_pointer(&chain, image_free);
        assert_level(fixture, 4);
    }
    merge_down(fixture, 4, 2);
    assert_level(fixture, 4);
    memcpy(fixture->expected[2], fixture->expected[4], CAPACITY);
    assert_level(fixture, 2);
}

/* --- clones --- */

static Image *
make_clone(Image *source, const ImageCreateOptions *options, GByteArray *file)
{
    MemoryIo *io = memory_io_new(file, NULL);
    g_autoptr(GError) error = NULL;
    Image *image;

    image_clone_io(source, &io->io, options, NULL, NULL, &error);
    g_assert_no_error(error);
    image = image_open_io(&io->io, options->format, IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    return image;
}

static void
test_clone(Fixture *fixture, gconstpointer data)
{
    static const ImageCreateOptions targets[] = {
        {.format = "VDI"},  {.format = "VDI", .variant = IMAGE_FIXED},
        {.format = "VHD"},  {.format = "VHD", .variant = IMAGE_FIXED},
        {.format = "VMDK"}, {.format = "RAW"},
    };
    g_autoptr(Image) chain = open_chain(fixture, 4, -1);

    for (unsigned i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        g_autoptr(Image) image = make_clone(chain, &targets[i], file);

        g_assert_cmpuint(image_capacity(image), ==, CAPACITY);
        assert_content(image, fixture->expected[4], CAPACITY);
    }
}

/* A copy of one image of the chain, for a copy of its parent. */
static void
test_clone_differencing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GByteArray) base_file = g_byte_array_new();
    g_autoptr(GByteArray) child_file = g_byte_array_new();
    g_autoptr(Image) source = open_chain(fixture, 1, -1);
    ImageCreateOptions options = {.format = fixture->format->name};
    Image *base = make_clone(image_parent(source), &options, base_file);
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) child = NULL;

    g_assert_true(image_child_options(base, &options, NULL));
    child = make_clone(source, &options, child_file);
    image_attach_parent(child, base, &error);
    g_assert_no_error(error);
    assert_content(child, fixture->expected[1], CAPACITY);
    assert_content(base, fixture->expected[0], CAPACITY);
}

static void
test_clone_larger(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(Image) chain = open_chain(fixture, 2, -1);
    ImageCreateOptions options = {.format = fixture->format->name, .capacity = CAPACITY + 9 * MIB};
    g_autoptr(Image) image = make_clone(chain, &options, file);
    g_autofree uint8_t *zeros = g_malloc0(9 * MIB);
    g_autofree uint8_t *rest = g_malloc(9 * MIB);
    g_autoptr(ImageIo) io = &memory_io_new(file, NULL)->io;
    g_autoptr(GError) error = NULL;

    assert_content(image, fixture->expected[2], CAPACITY);
    g_assert_true(image_read(image, CAPACITY, rest, 9 * MIB, NULL));
    g_assert_cmpmem(rest, 9 * MIB, zeros, 9 * MIB);
    options.capacity = CAPACITY - 512;
    g_assert_false(image_clone_io(chain, io, &options, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
}

/* --- one image --- */

static void
test_resize(Fixture *fixture, gconstpointer data)
{
    static const uint64_t sizes[] = {CAPACITY + 512, 8 * MIB, 20 * MIB, 3ull << 40};
    g_autofree uint8_t *zeros = g_malloc0(MIB);
    g_autoptr(GError) error = NULL;
    uint8_t tail[512];

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes) && fixture->format->resizes; i++) {
        g_autoptr(Image) image = open_level(fixture, 0, true);
        const uint64_t last = sizes[i] - 512;

        if (sizes[i] > (1ull << 40) && strcmp(fixture->format->name, "VDI") != 0)
            break;
        image_resize(image, sizes[i], NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(image_capacity(image), ==, sizes[i]);
        assert_content(image, fixture->expected[0], CAPACITY);
        g_assert_true(image_read(image, CAPACITY, tail, 512, NULL));
        g_assert_cmpmem(tail, 512, zeros, 512);
        memset(tail, 0x77, 512);
        g_assert_true(image_write(image, last, tail, 512, NULL));
        g_clear_pointer(&image, image_free);
        image = open_level(fixture, 0, true);
        g_assert_cmpuint(image_capacity(image), ==, sizes[i]);
        assert_content(image, fixture->expected[0], CAPACITY);
        g_assert_true(image_read(image, last, tail, 512, NULL));
        g_assert_cmphex(tail[17], ==, 0x77);
        memset(tail, 0, 512);
        g_assert_true(image_write(image, last, tail, 512, NULL));
        if (fixture->format->compacts) {
            image_compact(image, NULL, NULL, &error);
            g_assert_no_error(error);
            assert_content(image, fixture->expected[0], CAPACITY);
        }
    }
    g_autoptr(Image) image = open_level(fixture, 0, true);
    g_assert_false(image_resize(image, CAPACITY / 2, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
}

static void
test_compact(Fixture *fixture, gconstpointer data)
{
    const guint before = fixture->files[2]->len;
    g_autofree uint8_t *zeros = g_malloc0(3 * MIB);
    g_autoptr(Image) image = open_chain(fixture, 2, 2);
    g_autoptr(GError) error = NULL;
    ImageCheck check;

    memset(fixture->expected[2] + MIB / 2, 0, 3 * MIB);
    g_assert_true(image_write(image, MIB / 2, zeros, 3 * MIB, NULL));
    assert_content(image, fixture->expected[2], CAPACITY);
    if (!image_compact(image, NULL, NULL, &error)) {
        g_assert_false(fixture->format->compacts);
        g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
        return;
    }
    assert_content(image, fixture->expected[2], CAPACITY);
    write_some(image, fixture->rand, fixture->expected[2]);
    assert_content(image, fixture->expected[2], CAPACITY);
    g_assert_true(image_compact(image, NULL, NULL, &error));
    g_assert_true(image_check(image, &check, NULL));
    g_assert_cmpuint(check.leaked_blocks, ==, 0);
    g_clear_pointer(&image, image_free);
    assert_level(fixture, 2);
    g_test_message("%u bytes, %u before", fixture->files[2]->len, before);
}

static void
test_discard(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Image) image = open_chain(fixture, 1, 1);
    g_autofree uint8_t *data_after = g_malloc(CAPACITY);
    uint8_t *expected = fixture->expected[1];

    for (unsigned i = 0; i < 30; i++) {
        uint32_t at, length;

        choose_range(fixture->rand, 6000, &at, &length);
        g_assert_true(image_discard(image, at, length, NULL));
        /* What was discarded is there or zeros, everything else as before. */
        g_assert_true(image_read(image, 0, data_after, CAPACITY, NULL));
        for (uint32_t sector = 0; sector < CAPACITY; sector += 512) {
            if (memcmp(data_after + sector, expected + sector, 512) == 0)
                continue;
            g_assert_cmpuint(sector, >=, at);
            g_assert_cmpuint(sector, <, at + length);
            g_assert_cmphex(data_after[sector], ==, 0);
        }
        memcpy(expected, data_after, CAPACITY);
        if (i % 3 == 0)
            write_some(image, fixture->rand, expected);
        if (i % 5 == 0)
            g_assert_true(image_flush(image, NULL));
    }
    g_clear_pointer(&image, image_free);
    assert_level(fixture, 1);
}

static void
test_identity(Fixture *fixture, gconstpointer data)
{
    Image *image = open_level(fixture, 1, true);
    g_autoptr(GError) error = NULL;
    ImageUuid uuids[4];
    ImageUuidChange change = {&uuids[0], &uuids[1], &uuids[2], &uuids[3]};
    ImageInfo info;

    for (unsigned i = 0; i < 4; i++)
        image_uuid_generate(&uuids[i]);
    image_set_uuids(image, &change, &error);
    g_assert_no_error(error);
    g_assert_true(image_close(image, NULL));
    image = open_level(fixture, 1, false);
    image_get_info(image, &info);
    g_assert_true(image_uuid_equal(&info.uuid, &uuids[0]));
    g_assert_true(image_uuid_equal(&info.parent, &uuids[2]));
    if (!image_uuid_is_null(&info.modification)) {
        g_assert_true(image_uuid_equal(&info.modification, &uuids[1]));
        g_assert_true(image_uuid_equal(&info.parent_modification, &uuids[3]));
    }
    g_assert_false(image_set_uuids(image, &change, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_DENIED);
    g_clear_error(&error);
    image_free(image);
    image = open_level(fixture, 0, true);
    g_assert_false(image_set_uuids(image, &change, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    image_free(image);
}

/* A child made before the guest's last writes, as for a snapshot of a running machine. */
static void
test_push(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    ImageCreateOptions options = {.format = fixture->format->name};
    Image *chain = open_chain(fixture, 1, 1);
    g_autoptr(ImageIo) io = &memory_io_new(file, NULL)->io;
    g_autofree uint8_t *kept = NULL;
    g_autoptr(GError) error = NULL;
    Image *child;

    g_assert_true(image_child_options(chain, &options, NULL));
    g_assert_true(image_create_io(io, &options, NULL, NULL, NULL));
    write_some(chain, fixture->rand, fixture->expected[1]);
    kept = g_memdup2(fixture->expected[1], CAPACITY);
    child = image_open_io(&memory_io_new(file, NULL)->io, NULL, IMAGE_OPEN_READ_WRITE, NULL);
    image_chain_push(child, chain, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(image_chain_length(child), ==, 3);
    g_assert_false(image_write(chain, 0, kept, 512, NULL));
    write_some(child, fixture->rand, fixture->expected[1]);
    assert_content(child, fixture->expected[1], CAPACITY);
    assert_content(chain, kept, CAPACITY);
    image_free(child);
    memcpy(fixture->expected[1], kept, CAPACITY);
    assert_level(fixture, 1);
    child = image_open_io(&memory_io_new(file, NULL)->io, NULL, IMAGE_OPEN_READ_ONLY, NULL);
    image_attach_parent(child, open_chain(fixture, 1, -1), &error);
    g_assert_no_error(error);
    image_free(child);
}

typedef void (*Test)(Fixture *fixture, gconstpointer data);

static const struct {
    const char *name;
    Test function;
} tests[] = {
    {"chain", test_chain},
    {"chain-in-pieces", test_chain_in_pieces},
    {"child-alone", test_child_alone},
    {"clone", test_clone},
    {"clone-differencing", test_clone_differencing},
    {"clone-larger", test_clone_larger},
    {"compact", test_compact},
    {"discard", test_discard},
    {"identity", test_identity},
    {"merge-cancelled", test_merge_cancelled},
    {"merge-down", test_merge_down},
    {"merge-up", test_merge_up},
    {"push", test_push},
    {"resize", test_resize},
    {"wrong-parent", test_wrong_parent},
    {"wrong-registration", test_wrong_registration},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(tests); j++) {
            g_autofree char *path =
                g_strdup_printf("/image/operations/%s/%s", formats[i].name, tests[j].name);

            g_test_add(path, Fixture, &formats[i], setup, tests[j].function, teardown);
        }
    }
    return g_test_run();
}
