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
#define ROUNDS 40u
#define STEPS 40u
#define CUTS_EACH 4u

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

static void
write_some(Image *image, GRand *rand, Promise *promise, uint32_t *clock)
{
    uint32_t first = (uint32_t)g_rand_int_range(rand, 0, SECTORS);
    uint32_t count = (uint32_t)g_rand_int_range(rand, 1, MIN(20, SECTORS - first + 1));
    g_autofree uint8_t *data = g_malloc(count * 512);
    g_autoptr(GError) error = NULL;

    for (uint32_t i = 0; i < count; i++) {
        promise->written[first + i] = ++*clock;
        stamp(data + i * 512, first + i, *clock);
    }
    image_write(image, first * 512ull, data, count * 512, &error);
    g_assert_no_error(error);
}

/* Works on the file; marks[i] says what holds from a length of the record on. */
static void
work(const BuilderFormat *format, GByteArray *file, GArray *record, GRand *rand, Promise *promise,
     uint32_t *clock, GArray *marks)
{
    MemoryIo *io = memory_io_new(file, record);
    g_autoptr(Image) image = image_open_io(&io->io, format->name, IMAGE_OPEN_READ_WRITE, NULL);
    Mark mark;

    g_assert_nonnull(image);
    for (unsigned step = 0; step < STEPS; step++) {
        mark.promise = *promise;
        mark.ops = record->len;
        if (g_rand_int_range(rand, 0, 4) == 0) {
            g_assert_true(image_flush(image, NULL));
            memcpy(promise->flushed, promise->written, sizeof(promise->flushed));
        } else {
            write_some(image, rand, promise, clock);
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
verify(const BuilderFormat *format, GByteArray *file, const Promise *promise, Promise *found)
{
    MemoryIo *io = memory_io_new(file, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = image_open_io(&io->io, format->name, IMAGE_OPEN_READ_ONLY, &error);
    g_autofree uint8_t *data = g_malloc(SECTORS * 512);

    g_assert_no_error(error);
    g_assert_true(image_read(image, 0, data, SECTORS * 512, &error));
    for (uint32_t i = 0; i < SECTORS; i++) {
        uint32_t value = read_stamp(data + i * 512, i);

        g_assert_cmpuint(value, >=, promise->flushed[i]);
        g_assert_cmpuint(value, <=, promise->written[i]);
        found->flushed[i] = found->written[i] = value;
    }
}

static void
test_cut_everywhere(gconstpointer data)
{
    const BuilderFormat *format = data;
    g_autoptr(GRand) rand = g_rand_new_with_seed(20260101);
    g_autoptr(GByteArray) file = format->build(BLOCKS);
    Promise *promise = g_new0(Promise, 1);
    Promise *found = g_new0(Promise, 1);
    uint32_t clock = 0;
    unsigned cuts = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(GArray) record = memory_record_new();
        g_autoptr(GArray) marks = g_array_new(FALSE, TRUE, sizeof(Mark));
        g_autoptr(GByteArray) before = g_byte_array_new();
        g_autoptr(GByteArray) left = NULL;

        g_byte_array_append(before, file->data, file->len);
        work(format, file, record, rand, promise, &clock, marks);
        for (unsigned cut = 0; cut <= record->len * CUTS_EACH; cut++, cuts++) {
            g_clear_pointer(&left, g_byte_array_unref);
            left = memory_after_power_loss(before, record, cut / CUTS_EACH, rand);
            verify(format, left, promise_at(marks, cut / CUTS_EACH), found);
        }
        /* The last cut's file is where the next round starts; every third round starts afresh. */
        g_clear_pointer(&file, g_byte_array_unref);
        file = round % 3 == 2 ? format->build(BLOCKS) : g_steal_pointer(&left);
        *promise = round % 3 == 2 ? (Promise){0} : *found;
    }
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
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < BUILDER_FORMATS; i++) {
        const BuilderFormat *format = &builder_formats[i];
        g_autofree char *path =
            g_strdup_printf("/image/power-loss/cut-everywhere/%s", format->name);

        g_test_add_data_func(path, format, test_cut_everywhere);
    }
    g_test_add_func("/image/power-loss/notices-wrong-order", test_notices_wrong_order);
    return g_test_run();
}
