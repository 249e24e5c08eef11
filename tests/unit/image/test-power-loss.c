/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Power fails at every point of random work on an image of each format that we write: whatever of
 * the writes since the last sync arrives, in whole or in sectors, the image opens, and every sector
 * has what the last flush promised or something that was written after it. Each round goes on from
 * a file that a cut left behind. */
#include <string.h>

#include "devices/drivers/disk/image/image.h"
#include "tests/unit/image/memory-io.h"
#include "tests/unit/image/vdi-builder.h"
#include "tests/unit/image/vhd-builder.h"
#include "tests/unit/image/vmdk-builder.h"

#define BLOCKS 40u
#define SECTORS (BLOCKS * BUILDER_BLOCK / 512)
#define ROUNDS 44u
#define STEPS 40u
#define CUTS_EACH 4u
#define FILES_MAX 3u

/* What is cut: an image that is built byte by byte, or a VMDK in several files, where the work is
 * done on both sides of the place at which one ends and the next begins. */
typedef struct {
    const BuilderFormat *builder; /* NULL: the set */
    unsigned files;
    uint64_t start; /* where on the disk the work is done */
} Subject;

#define SET_BOUNDARY (0x7ffull << 20)
static const Subject split_subject = {NULL, 3, SET_BOUNDARY - SECTORS / 2 * 512};

typedef struct {
    GByteArray *file[FILES_MAX]; /* the first is the image's own */
} Files;

/* What one sector may hold: stamps from flushed to written. 0 is a sector of zeros. */
typedef struct {
    uint32_t flushed[SECTORS];
    uint32_t written[SECTORS];
} Promise;

typedef struct {
    unsigned ops; /* length of the record when the promise was made */
    Promise promise;
} Mark;

static void
stamp(uint8_t *sector, uint32_t number, uint32_t value)
{
    uint32_t *words = (uint32_t *)sector;

    for (unsigned i = 0; i < 128; i++)
        words[i] = i % 2 == 0 ? value : number;
}

static uint32_t
read_stamp(const uint8_t *sector, uint32_t number)
{
    const uint32_t *words = (const uint32_t *)sector;

    for (unsigned i = 0; i < 128; i++) {
        uint32_t expected = i % 2 == 0 ? words[0] : words[0] != 0 ? number : 0;

        g_assert_cmpuint(words[i], ==, expected);
    }
    return words[0];
}

/* --- the files --- */

typedef struct {
    Files *files;
    GArray *record;
} Opening;

static MemoryIo *
open_file(Opening *opening, unsigned index)
{
    MemoryIo *io = memory_io_new(opening->files->file[index], opening->record);

    io->file = index;
    return io;
}

/* The library numbers them: disk-s001.vmdk, disk-s002.vmdk. */
static ImageIo *
open_part(void *user, const char *name, ImageFileMode mode, GError **error)
{
    const char *digit = strstr(name, "-s00");

    g_assert_nonnull(digit);
    g_assert_true(digit[4] == '1' || digit[4] == '2');
    return &open_file(user, (unsigned)(digit[4] - '0'))->io;
}

static Image *
open_subject(const Subject *subject, Files *files, GArray *record, ImageOpenFlags flags)
{
    Opening opening = {files, record};
    const ImageFolder folder = {.open = open_part, .user = &opening};
    const char *format = subject->builder != NULL ? subject->builder->name : "VMDK";
    g_autoptr(GError) error = NULL;
    Image *image =
        image_open_in_folder(&open_file(&opening, 0)->io, format, flags, &folder, &error);

    g_assert_no_error(error);
    return image;
}

static void
build(const Subject *subject, Files *files)
{
    Opening opening = {files, NULL};
    const ImageFolder folder = {.open = open_part, .user = &opening};
    const ImageCreateOptions options = {.format = "VMDK",
                                        .kind = IMAGE_KIND_SPLIT,
                                        .capacity = SET_BOUNDARY + (64 << 20),
                                        .folder = &folder};
    g_autoptr(GError) error = NULL;

    if (subject->builder != NULL) {
        files->file[0] = subject->builder->build(BLOCKS);
        return;
    }
    for (unsigned i = 0; i < subject->files; i++)
        files->file[i] = g_byte_array_new();
    MemoryIo *io = open_file(&opening, 0);
    io->io.name = "disk.vmdk";
    image_create_io(&io->io, &options, NULL, NULL, &error);
    g_assert_no_error(error);
    image_io_close(&io->io);
}

static void
clear_files(Files *files)
{
    for (unsigned i = 0; i < FILES_MAX; i++)
        g_clear_pointer(&files->file[i], g_byte_array_unref);
}

static void
copy_files(const Subject *subject, const Files *from, Files *to)
{
    for (unsigned i = 0; i < subject->files; i++) {
        to->file[i] = g_byte_array_new();
        g_byte_array_append(to->file[i], from->file[i]->data, from->file[i]->len);
    }
}

/* --- the work --- */

static void
write_some(const Subject *subject, Image *image, GRand *rand, Promise *promise, uint32_t *clock)
{
    uint32_t first = (uint32_t)g_rand_int_range(rand, 0, SECTORS);
    uint32_t count = (uint32_t)g_rand_int_range(rand, 1, MIN(20, SECTORS - first + 1));
    g_autofree uint8_t *data = g_malloc(count * 512);
    g_autoptr(GError) error = NULL;

    for (uint32_t i = 0; i < count; i++) {
        promise->written[first + i] = ++*clock;
        stamp(data + i * 512, first + i, *clock);
    }
    image_write(image, subject->start + first * 512ull, data, count * 512, &error);
    g_assert_no_error(error);
}

/* Works on the file; marks[i] says what holds from a length of the record on. */
static void
work(const Subject *subject, Files *files, GArray *record, GRand *rand, Promise *promise,
     uint32_t *clock, GArray *marks)
{
    g_autoptr(Image) image = open_subject(subject, files, record, IMAGE_OPEN_READ_WRITE);
    Mark mark;

    g_assert_nonnull(image);
    for (unsigned step = 0; step < STEPS; step++) {
        mark.promise = *promise;
        mark.ops = record->len;
        if (g_rand_int_range(rand, 0, 4) == 0) {
            g_assert_true(image_flush(image, NULL));
            memcpy(promise->flushed, promise->written, sizeof(promise->flushed));
        } else {
            write_some(subject, image, rand, promise, clock);
            /* From before the write on, the new stamps may be found. */
            memcpy(mark.promise.written, promise->written, sizeof(promise->written));
        }
        g_array_append_val(marks, mark);
    }
    mark.ops = record->len;
    mark.promise = *promise;
    g_array_append_val(marks, mark);
}

static const Promise *
promise_at(const GArray *marks, unsigned ops)
{
    const Promise *found = &g_array_index(marks, Mark, 0).promise;

    for (unsigned i = 0; i < marks->len && g_array_index(marks, Mark, i).ops <= ops; i++)
        found = &g_array_index(marks, Mark, i).promise;
    return found;
}

static void
verify(const Subject *subject, Files *files, const Promise *promise, Promise *found)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = open_subject(subject, files, NULL, IMAGE_OPEN_READ_ONLY);
    g_autofree uint8_t *data = g_malloc(SECTORS * 512);

    image_read(image, subject->start, data, SECTORS * 512, &error);
    g_assert_no_error(error);
    for (uint32_t i = 0; i < SECTORS; i++) {
        uint32_t value = read_stamp(data + i * 512, i);

        g_assert_cmpuint(value, >=, promise->flushed[i]);
        g_assert_cmpuint(value, <=, promise->written[i]);
        found->flushed[i] = found->written[i] = value;
    }
}

static void
cut(const Subject *subject, const Files *before, const GArray *record, unsigned count, GRand *rand,
    Files *left)
{
    clear_files(left);
    for (unsigned i = 0; i < subject->files; i++)
        left->file[i] = memory_file_after_power_loss(before->file[i], record, count, i, rand);
}

static void
test_cut_everywhere(gconstpointer data)
{
    const Subject *subject = data;
    g_autoptr(GRand) rand = g_rand_new_with_seed(20260101);
    Promise *promise = g_new0(Promise, 1);
    Promise *found = g_new0(Promise, 1);
    Files files = {0};
    uint32_t clock = 0;
    unsigned cuts = 0;

    build(subject, &files);
    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(GArray) record = memory_record_new();
        g_autoptr(GArray) marks = g_array_new(FALSE, TRUE, sizeof(Mark));
        Files before = {0}, left = {0};

        copy_files(subject, &files, &before);
        work(subject, &files, record, rand, promise, &clock, marks);
        for (unsigned at = 0; at <= record->len * CUTS_EACH; at++, cuts++) {
            cut(subject, &before, record, at / CUTS_EACH, rand, &left);
            verify(subject, &left, promise_at(marks, at / CUTS_EACH), found);
        }
        clear_files(&before);
        clear_files(&files);
        /* The last cut's files are where the next round starts; every third round starts afresh. */
        if (round % 3 == 2) {
            clear_files(&left);
            build(subject, &files);
            *promise = (Promise){0};
        } else {
            files = left;
            *promise = *found;
        }
    }
    clear_files(&files);
    g_test_message("%u cuts", cuts);
    g_assert_cmpuint(cuts, >=, 10000);
    g_free(promise);
    g_free(found);
}

/* The test itself must notice a program that writes the map before the data. */
static void
test_notices_wrong_order(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autoptr(GByteArray) before = vdi_build(BLOCKS);
    g_autoptr(GByteArray) file = vdi_build(BLOCKS);
    g_autoptr(GArray) record = memory_record_new();
    MemoryIo *io = memory_io_new(file, record);
    uint8_t block[BUILDER_BLOCK];
    uint32_t entry = 0;
    bool noticed = false;

    memset(block, 0x55, sizeof(block));
    g_assert_true(image_io_write(&io->io, BUILDER_MAP_AT, &entry, 4, NULL));
    g_assert_true(image_io_write(&io->io, BUILDER_DATA_AT, block, sizeof(block), NULL));
    image_io_close(&io->io);
    for (unsigned i = 0; i < 100 && !noticed; i++) {
        g_autoptr(GByteArray) left = memory_after_power_loss(before, record, 2, rand);
        MemoryIo *again = memory_io_new(left, NULL);
        g_autoptr(Image) image = image_open_io(&again->io, "VDI", IMAGE_OPEN_READ_ONLY, NULL);

        noticed = image == NULL;
    }
    g_assert_true(noticed);
}

int
main(int argc, char **argv)
{
    Subject subjects[BUILDER_FORMATS];

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < BUILDER_FORMATS; i++) {
        g_autofree char *path =
            g_strdup_printf("/image/power-loss/cut-everywhere/%s", builder_formats[i].name);

        subjects[i] = (Subject){&builder_formats[i], 1, 0};
        g_test_add_data_func(path, &subjects[i], test_cut_everywhere);
    }
    g_test_add_data_func("/image/power-loss/cut-everywhere/VMDK-split", &split_subject,
                         test_cut_everywhere);
    g_test_add_func("/image/power-loss/notices-wrong-order", test_notices_wrong_order);
    return g_test_run();
}
