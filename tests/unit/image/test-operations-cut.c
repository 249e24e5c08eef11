/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Power fails at every point of merging, compacting, resizing, discarding and renaming: whatever of
 * the writes since the last sync arrives, in whole or in sectors, the chain opens, fits together
 * and reads as before, and the same operation then comes to its end. */
#include <string.h>

#include "devices/drivers/disk/image/image-chain.h"
#include "tests/unit/image/memory-io.h"
#include "tests/unit/image/vdi-builder.h"
#include "tests/unit/image/vhd-builder.h"
#include "tests/unit/image/vmdk-builder.h"
#include "vmm/base/error.h"

#define BLOCKS 40u
#define CAPACITY (BLOCKS * BUILDER_BLOCK)
/* More blocks than the tables have room for where they are. */
#define LARGER (1000u * BUILDER_BLOCK)
#define LOOKED_AT (30u * BUILDER_BLOCK) /* of what is new */
#define LEVELS 3u
#define CUTS_EACH 6u
#define CUTS_LEAST 10000u
/* Of so many cuts one is followed by the same operation once more. */
#define AGAIN_EACH 5u

typedef struct {
    const BuilderFormat *builder;
    bool compacts, resizes, discards;
} Format;

static const Format formats[] = {
    {&builder_formats[0], true, true, true},
    {&builder_formats[1], true, true, false},
    {&builder_formats[2], true, true, false},
};

typedef struct {
    const Format *format;
    GRand *rand;
    GByteArray *files[LEVELS]; /* from the base on */
    uint8_t shown[LEVELS][CAPACITY];
    unsigned cuts;
} Fixture;

/* What an operation does to one of the files, and what must hold of any state of that. */
typedef struct {
    const char *name;
    unsigned file;
    bool (*run)(Fixture *fixture, Image *chain, GError **error);
    void (*verify)(Fixture *fixture);
    void (*verify_end)(Fixture *fixture);
} Operation;

/* --- chains --- */

static Image *
open_one(Fixture *fixture, unsigned level, bool writable, GArray *record)
{
    MemoryIo *io = memory_io_new(fixture->files[level], record);
    g_autoptr(GError) error = NULL;
    Image *image = image_open_io(&io->io, fixture->format->builder->name,
                                 writable ? IMAGE_OPEN_READ_WRITE : IMAGE_OPEN_READ_ONLY, &error);

    g_assert_no_error(error);
    return image;
}

/* What stands on what is as the files say: an image without a parent ends the chain. */
static Image *
open_chain(Fixture *fixture, unsigned top, unsigned writable, GArray *record)
{
    Image *chain = open_one(fixture, top, writable == top, record);
    g_autoptr(GError) error = NULL;
    ImageInfo info;

    image_get_info(chain, &info);
    if (info.variant == IMAGE_DIFFERENCING) {
        Image *below = open_chain(fixture, top - 1, writable, record);

        image_attach_parent(chain, below, &error);
        g_assert_no_error(error);
    }
    return chain;
}

static void
assert_shows(Fixture *fixture, unsigned top, const uint8_t *expected)
{
    g_autoptr(Image) chain = open_chain(fixture, top, LEVELS, NULL);
    g_autofree uint8_t *data = g_malloc(CAPACITY);
    g_autoptr(GError) error = NULL;
    ImageCheck check;

    image_read(chain, 0, data, CAPACITY, &error);
    g_assert_no_error(error);
    for (unsigned at = 0; at < CAPACITY; at += 512)
        if (memcmp(data + at, expected + at, 512) != 0)
            g_error("sector %u differs: %02x instead of %02x", at / 512, data[at], expected[at]);
    g_assert_true(image_check(chain, &check, NULL));
}

/* The keys by which an image knows itself in one sector, as this library's own images have them. */
static void
align_descriptor(GByteArray *file)
{
    const char *text = (const char *)file->data + VMDK_BUILDER_DESCRIPTOR_AT;
    const char *comment = strstr(text, "ddb.comment"), *uuids = strstr(text, "ddb.uuid.image");
    GString *aligned = g_string_new_len(text, comment - text);

    while (aligned->len < 512)
        g_string_append_c(aligned, '\n');
    g_string_append(aligned, uuids);
    vmdk_describe(file, aligned->str);
    g_string_free(aligned, TRUE);
}

static void
write_some(Fixture *fixture, Image *image, uint8_t *shown)
{
    for (unsigned i = 0; i < 14; i++) {
        const unsigned at = (unsigned)g_rand_int_range(fixture->rand, 0, CAPACITY / 512) * 512;
        unsigned length = (unsigned)g_rand_int_range(fixture->rand, 1, 30) * 512;

        length = MIN(length, CAPACITY - at);
        memset(shown + at, i % 4 == 0 ? 0 : g_rand_int_range(fixture->rand, 1, 256), length);
        g_assert_true(image_write(image, at, shown + at, length, NULL));
    }
}

static void
make_level(Fixture *fixture, unsigned level)
{
    const Format *format = fixture->format;
    ImageUuid uuid;
    ImageUuidChange change = {.uuid = &uuid};
    g_autoptr(Image) image = NULL;
    ImageInfo below;

    fixture->files[level] =
        level == 0 ? format->builder->build(BLOCKS) : format->builder->build_child(BLOCKS);
    if (strcmp(format->builder->name, "VMDK") == 0)
        align_descriptor(fixture->files[level]);
    image = open_one(fixture, level, true, NULL);
    image_uuid_generate(&uuid);
    if (level > 0) {
        g_autoptr(Image) parent = open_one(fixture, level - 1, false, NULL);

        image_get_info(parent, &below);
        change.parent = &below.uuid;
        change.parent_modification = &below.modification;
    }
    g_assert_true(image_set_uuids(image, &change, NULL));
    g_clear_pointer(&image, image_free);
    image = open_chain(fixture, level, level, NULL);
    if (level > 0)
        memcpy(fixture->shown[level], fixture->shown[level - 1], CAPACITY);
    else
        memset(fixture->shown[0], 0, CAPACITY);
    write_some(fixture, image, fixture->shown[level]);
}

static void
make_chain(Fixture *fixture)
{
    for (unsigned level = 0; level < LEVELS; level++)
        make_level(fixture, level);
}

static void
drop_chain(Fixture *fixture)
{
    for (unsigned level = 0; level < LEVELS; level++)
        g_clear_pointer(&fixture->files[level], g_byte_array_unref);
}

/* --- cutting --- */

static void
run_to_end(Fixture *fixture, const Operation *operation, GArray *record)
{
    g_autoptr(Image) chain = open_chain(fixture, LEVELS - 1, operation->file, record);
    g_autoptr(GError) error = NULL;

    operation->run(fixture, chain, &error);
    g_assert_no_error(error);
}

static void
cut_everywhere(Fixture *fixture, const Operation *operation)
{
    GByteArray **file = &fixture->files[operation->file];
    g_autoptr(GArray) record = memory_record_new();
    g_autoptr(GByteArray) before = g_byte_array_new();
    GByteArray *after = *file;

    g_byte_array_append(before, after->data, after->len);
    run_to_end(fixture, operation, record);
    operation->verify(fixture);
    operation->verify_end(fixture);
    for (unsigned cut = 0; cut <= record->len * CUTS_EACH; cut++, fixture->cuts++) {
        *file = memory_after_power_loss(before, record, cut / CUTS_EACH, fixture->rand);
        operation->verify(fixture);
        if (cut % AGAIN_EACH == 0) {
            run_to_end(fixture, operation, NULL);
            operation->verify_end(fixture);
        }
        g_byte_array_unref(*file);
    }
    *file = after;
}

/* --- operations --- */

static void
verify_all(Fixture *fixture)
{
    assert_shows(fixture, LEVELS - 1, fixture->shown[LEVELS - 1]);
}

static bool
merge_down(Fixture *fixture, Image *chain, GError **error)
{
    return image_merge_down(chain, image_chain_nth(chain, 2), NULL, NULL, error);
}

static void
verify_merged_down(Fixture *fixture)
{
    assert_shows(fixture, 0, fixture->shown[LEVELS - 1]);
}

/* Once more after its end there is nothing to merge. */
static bool
merge_up(Fixture *fixture, Image *chain, GError **error)
{
    return image_chain_length(chain) == 1 ||
           image_merge_up(chain, image_chain_nth(chain, 2), NULL, NULL, error);
}

static void
verify_merged_up(Fixture *fixture)
{
    g_autoptr(Image) image = open_one(fixture, LEVELS - 1, false, NULL);
    ImageInfo info;

    image_get_info(image, &info);
    g_assert_cmpint(info.variant, ==, IMAGE_DYNAMIC);
    verify_all(fixture);
}

static bool
compact(Fixture *fixture, Image *chain, GError **error)
{
    return image_compact(chain, NULL, NULL, error);
}

static void
verify_compact(Fixture *fixture)
{
    g_autoptr(Image) image = open_one(fixture, LEVELS - 1, false, NULL);
    ImageCheck check;

    g_assert_true(image_check(image, &check, NULL));
    g_assert_cmpuint(check.leaked_blocks, ==, 0);
    verify_all(fixture);
}

static bool
resize(Fixture *fixture, Image *chain, GError **error)
{
    return image_resize(chain, LARGER, NULL, NULL, error);
}

static void
verify_size(Fixture *fixture)
{
    g_autoptr(Image) chain = open_chain(fixture, LEVELS - 1, LEVELS, NULL);
    uint8_t rest[LOOKED_AT];

    verify_all(fixture);
    if (image_capacity(chain) == CAPACITY)
        return;
    g_assert_cmpuint(image_capacity(chain), ==, LARGER);
    g_assert_true(image_read(chain, CAPACITY, rest, LOOKED_AT, NULL));
    for (unsigned i = 0; i < LOOKED_AT; i++)
        g_assert_cmphex(rest[i], ==, 0);
}

static void
verify_resized(Fixture *fixture)
{
    g_autoptr(Image) image = open_one(fixture, LEVELS - 1, false, NULL);

    g_assert_cmpuint(image_capacity(image), ==, LARGER);
    verify_size(fixture);
}

/* The base is given another UUID: both are right until it is done. */
static const ImageUuid other_uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static bool
rename_image(Fixture *fixture, Image *chain, GError **error)
{
    const ImageUuidChange change = {.uuid = &other_uuid};

    return image_set_uuids(chain, &change, error);
}

static void
verify_renamed(Fixture *fixture)
{
    g_autoptr(Image) image = open_one(fixture, LEVELS - 1, false, NULL);
    ImageInfo info;

    image_get_info(image, &info);
    g_assert_true(image_uuid_equal(&info.uuid, &other_uuid));
    verify_all(fixture);
}

/* Discards the first half in pieces, with writes to the second between; nothing may go from one to
 * the other. */
static bool
discard(Fixture *fixture, Image *chain, GError **error)
{
    uint8_t data[BUILDER_BLOCK];
    const unsigned half = BLOCKS / 2;

    for (unsigned block = 0; block < half; block++) {
        const unsigned other = half + (block * 7) % half;

        memset(data, (int)other + 1, sizeof data);
        if (!image_discard(chain, block * BUILDER_BLOCK, BUILDER_BLOCK, error) ||
            !image_write(chain, other * BUILDER_BLOCK, data, sizeof data, error) ||
            (block % 3 == 0 && !image_flush(chain, error)))
            return false;
    }
    return image_flush(chain, error);
}

static void
verify_discarded(Fixture *fixture)
{
    const uint8_t *shown = fixture->shown[LEVELS - 1];
    g_autoptr(Image) chain = open_chain(fixture, LEVELS - 1, LEVELS, NULL);
    g_autofree uint8_t *data = g_malloc(CAPACITY);

    g_assert_true(image_read(chain, 0, data, CAPACITY, NULL));
    for (unsigned at = 0; at < CAPACITY; at += 512) {
        const unsigned block = at / BUILDER_BLOCK;
        const bool kept = memcmp(data + at, shown + at, 512) == 0;

        if (block < BLOCKS / 2)
            g_assert_true(kept || data[at] == 0);
        else
            g_assert_true(kept || data[at] == block + 1);
    }
}

static void
verify_all_discarded(Fixture *fixture)
{
    const uint8_t *shown = fixture->shown[LEVELS - 1];
    g_autoptr(Image) chain = open_chain(fixture, LEVELS - 1, LEVELS, NULL);
    g_autofree uint8_t *data = g_malloc(CAPACITY);

    g_assert_true(image_read(chain, 0, data, CAPACITY, NULL));
    for (unsigned at = 0; at < CAPACITY; at += 512) {
        const unsigned block = at / BUILDER_BLOCK;

        /* What only the parent has stays to be seen. */
        if (block < BLOCKS / 2)
            g_assert_true(data[at] == 0 || data[at] == shown[at]);
        else
            g_assert_cmphex(data[at], ==, block + 1);
    }
}

static const Operation merging_down = {"merge-down", 0, merge_down, verify_all, verify_merged_down};
static const Operation merging_up = {"merge-up", LEVELS - 1, merge_up, verify_all,
                                     verify_merged_up};
static const Operation compacting = {"compact", LEVELS - 1, compact, verify_all, verify_compact};
static const Operation resizing = {"resize", LEVELS - 1, resize, verify_size, verify_resized};
static const Operation renaming = {"rename", LEVELS - 1, rename_image, verify_all, verify_renamed};
static const Operation discarding = {"discard", LEVELS - 1, discard, verify_discarded,
                                     verify_all_discarded};

static void
cut_fresh_chain(Fixture *fixture, const Operation *operation)
{
    make_chain(fixture);
    cut_everywhere(fixture, operation);
    drop_chain(fixture);
}

static void
test_cuts(gconstpointer data)
{
    Fixture *fixture = g_new0(Fixture, 1);

    fixture->format = data;
    fixture->rand = g_rand_new_with_seed(20261122);
    while (fixture->cuts < CUTS_LEAST) {
        cut_fresh_chain(fixture, &merging_down);
        cut_fresh_chain(fixture, &merging_up);
        cut_fresh_chain(fixture, &renaming);
        if (fixture->format->compacts)
            cut_fresh_chain(fixture, &compacting);
        if (fixture->format->resizes)
            cut_fresh_chain(fixture, &resizing);
        if (fixture->format->discards)
            cut_fresh_chain(fixture, &discarding);
    }
    g_test_message("%u cuts", fixture->cuts);
    g_rand_free(fixture->rand);
    g_free(fixture);
}

/* --- freezing --- */

#define USED_BLOCKS 30u
#define DISCARDS 12u

/* A VDI image with gaps, and what it shows; with a parent that it hides in part. */
static Image *
image_with_gaps(GByteArray *file, MemoryIo **io, bool differs, GRand *rand, uint8_t *shown)
{
    g_autoptr(GError) error = NULL;
    Image *image;

    *io = memory_io_new(file, NULL);
    image = image_open_io(&(*io)->io, "VDI", IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    if (differs) {
        g_autoptr(GByteArray) below = vdi_build(BLOCKS);
        Image *base = memory_open(g_byte_array_ref(below), "VDI", IMAGE_OPEN_READ_ONLY, NULL);

        image_attach_parent(image, base, &error);
        g_assert_no_error(error);
    }
    memset(shown, 0, CAPACITY);
    memset(shown, 0x5b, USED_BLOCKS * BUILDER_BLOCK);
    g_assert_true(image_write(image, 0, shown, USED_BLOCKS * BUILDER_BLOCK, NULL));
    g_assert_true(image_flush(image, NULL));
    for (unsigned i = 0; i < DISCARDS; i++) {
        const unsigned at = (unsigned)g_rand_int_range(rand, 0, USED_BLOCKS - 1) * BUILDER_BLOCK;

        g_assert_true(image_discard(image, at, BUILDER_BLOCK, NULL));
        memset(shown + at, 0, BUILDER_BLOCK);
    }
    g_assert_true(image_flush(image, NULL));
    return image;
}

static void
assert_frozen_shows(GByteArray *file, const uint8_t *shown, bool dense)
{
    g_autoptr(Image) image = memory_open(file, "VDI", IMAGE_OPEN_READ_ONLY, NULL);
    g_autofree uint8_t *data = g_malloc(CAPACITY);
    ImageCheck check;

    g_assert_nonnull(image);
    g_assert_true(image_check(image, &check, NULL));
    if (dense) {
        g_assert_cmpuint(check.leaked_blocks, ==, 0);
        g_assert_false(check.stale_header);
    }
    g_assert_true(image_read(image, 0, data, CAPACITY, NULL));
    g_assert_cmpmem(data, CAPACITY, shown, CAPACITY);
}

/* A snapshot is put on a VDI image with gaps: it is without any afterwards, and shows the same
 * wherever power fails. */
static void
test_freeze_cuts(gconstpointer data)
{
    const bool differs = GPOINTER_TO_INT(data) != 0;
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    g_autofree uint8_t *shown = g_malloc(CAPACITY);

    for (unsigned round = 0; round < 20; round++) {
        g_autoptr(GByteArray) file = differs ? vdi_build_child(BLOCKS) : vdi_build(BLOCKS);
        g_autoptr(GByteArray) above = vdi_build_child(BLOCKS);
        g_autoptr(GByteArray) before = g_byte_array_new();
        g_autoptr(GArray) record = memory_record_new();
        g_autoptr(GError) error = NULL;
        ImageUuidChange change = {0};
        MemoryIo *io;
        Image *image = image_with_gaps(file, &io, differs, rand, shown);
        Image *child = memory_open(above, "VDI", IMAGE_OPEN_READ_WRITE, NULL);
        ImageInfo info;

        image_get_info(image, &info);
        change.parent = &info.uuid;
        g_assert_true(image_set_uuids(child, &change, NULL));
        g_byte_array_append(before, file->data, file->len);
        io->record = record;
        image_chain_push(child, image, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(record->len, >, 0);
        assert_frozen_shows(file, shown, true);
        image_free(child);
        for (unsigned cut = 0; cut <= record->len * CUTS_EACH; cut++) {
            g_autoptr(GByteArray) after =
                memory_after_power_loss(before, record, cut / CUTS_EACH, rand);

            assert_frozen_shows(after, shown, false);
        }
    }
}

/* --- fixed VHD images, whose only footer is at the end --- */

static void
resize_fixed(GByteArray *file, GArray *record, uint64_t capacity)
{
    g_autoptr(Image) image =
        image_open_io(&memory_io_new(file, record)->io, "VHD", IMAGE_OPEN_READ_WRITE, NULL);
    g_autoptr(GError) error = NULL;

    image_resize(image, capacity, NULL, NULL, &error);
    g_assert_no_error(error);
}

static uint64_t
assert_fixed_shows(GByteArray *file, const uint8_t *shown)
{
    g_autoptr(Image) image = memory_open(file, "VHD", IMAGE_OPEN_READ_ONLY, NULL);
    g_autofree uint8_t *data = NULL;
    uint64_t capacity;

    g_assert_nonnull(image);
    capacity = image_capacity(image);
    data = g_malloc(capacity);
    g_assert_true(image_read(image, 0, data, capacity, NULL));
    g_assert_cmpmem(data, CAPACITY, shown, CAPACITY);
    for (uint64_t i = CAPACITY; i < capacity; i++)
        g_assert_cmphex(data[i], ==, 0);
    return capacity;
}

static void
test_fixed_cuts(void)
{
    const ImageCreateOptions options = {
        .format = "VHD", .variant = IMAGE_FIXED, .capacity = CAPACITY};
    static const uint64_t sizes[] = {CAPACITY + 512, CAPACITY + 1024, CAPACITY + 100 * 512};
    g_autoptr(GRand) rand = g_rand_new_with_seed(8);
    g_autofree uint8_t *shown = g_malloc(CAPACITY);

    memset(shown, 0x6c, CAPACITY);
    for (unsigned round = 0; round < 30; round++) {
        const uint64_t larger = sizes[round % G_N_ELEMENTS(sizes)];
        g_autoptr(GByteArray) file = builder_create(&options);
        g_autoptr(GByteArray) before = g_byte_array_new();
        g_autoptr(GArray) record = memory_record_new();

        memcpy(file->data, shown, CAPACITY);
        g_byte_array_append(before, file->data, file->len);
        resize_fixed(file, record, larger);
        g_assert_cmpuint(assert_fixed_shows(file, shown), ==, larger);
        g_assert_cmpuint(file->len, ==, larger + 512);
        for (unsigned cut = 0; cut <= record->len * CUTS_EACH; cut++) {
            g_autoptr(GByteArray) after =
                memory_after_power_loss(before, record, cut / CUTS_EACH, rand);
            const uint64_t capacity = assert_fixed_shows(after, shown);

            g_assert_true(capacity == CAPACITY || capacity == larger);
            resize_fixed(after, NULL, larger + 512);
            g_assert_cmpuint(assert_fixed_shows(after, shown), ==, larger + 512);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autofree char *path =
            g_strdup_printf("/image/operations-cut/%s", formats[i].builder->name);

        g_test_add_data_func(path, &formats[i], test_cuts);
    }
    g_test_add_data_func("/image/operations-cut/freeze-base", GINT_TO_POINTER(0), test_freeze_cuts);
    g_test_add_data_func("/image/operations-cut/freeze-child", GINT_TO_POINTER(1),
                         test_freeze_cuts);
    g_test_add_func("/image/operations-cut/fixed-vhd", test_fixed_cuts);
    return g_test_run();
}
