/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * See ordeal.h. */
#include "tests/unit/image/ordeal.h"

#include <string.h>

#include "tests/unit/image/memory-io.h"

#define STEPS 3000
#define STEPS_OPEN 300
#define MOST_BYTES 9000
#define ROUNDS 10000
#define CUT_STEP 61

/* ---- work ---- */
static void
work_step(Image *image, uint8_t *model, uint32_t capacity, GRand *rand)
{
    const uint32_t at = (uint32_t)g_rand_int_range(rand, 0, (gint32)capacity - 1);
    const uint32_t length =
        (uint32_t)g_rand_int_range(rand, 1, (gint32)MIN(MOST_BYTES, capacity - at) + 1);
    const int kind = g_rand_int_range(rand, 0, 10);
    uint8_t data[MOST_BYTES];

    if (kind < 3) {
        g_assert_true(image_read(image, at, data, length, NULL));
        g_assert_cmpmem(data, length, model + at, length);
        return;
    }
    memset(data, kind < 6 ? 0 : g_rand_int_range(rand, 0, 256), length);
    g_assert_true(image_write(image, at, data, length, NULL));
    memcpy(model + at, data, length);
    if (kind == 9)
        g_assert_true(image_flush(image, NULL));
}

void
ordeal_random_work(const char *format, GByteArray *file, uint32_t capacity)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    g_autofree uint8_t *model = g_malloc0(capacity);
    g_autofree uint8_t *data = g_malloc(capacity);
    g_autoptr(GError) error = NULL;
    ImageCheck check;

    for (unsigned i = 0; i < STEPS / STEPS_OPEN; i++) {
        Image *image = memory_open(file, format, IMAGE_OPEN_READ_WRITE, &error);

        g_assert_no_error(error);
        for (unsigned step = 0; step < STEPS_OPEN; step++)
            work_step(image, model, capacity, rand);
        g_assert_true(image_close(image, NULL));
        image = memory_open(file, format, IMAGE_OPEN_READ_WRITE, &error);
        g_assert_no_error(error);
        g_assert_true(image_check(image, &check, NULL));
        g_assert_cmpuint(check.leaked_blocks, ==, 0);
        g_assert_false(check.stale_header);
        g_assert_true(image_read(image, 0, data, capacity, NULL));
        g_assert_cmpmem(data, capacity, model, capacity);
        image_free(image);
    }
}

/* ---- a full disk ---- */
void
ordeal_disk_full(const char *format, GByteArray *file)
{
    MemoryIo *io = memory_io_new(file, NULL);
    Image *image = image_open_io(&io->io, format, IMAGE_OPEN_READ_WRITE, NULL);
    g_autoptr(GError) error = NULL;
    uint8_t data[BUILDER_BLOCK], found[BUILDER_BLOCK];

    memset(data, 3, sizeof data);
    io->size_limit = file->len + BUILDER_BLOCK + 1000; /* a block and its bitmap */
    g_assert_true(image_write(image, 0, data, sizeof data, NULL));
    g_assert_false(image_write(image, 6 * BUILDER_BLOCK, data, sizeof data, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NO_SPACE);
    g_assert_true(image_flush(image, NULL));
    image_free(memory_open(file, format, IMAGE_OPEN_READ_ONLY, NULL));
    io->size_limit = 0;
    g_assert_true(image_write(image, 6 * BUILDER_BLOCK, data, sizeof data, NULL));
    g_assert_true(image_close(image, NULL));
    image = memory_open(file, format, IMAGE_OPEN_READ_ONLY, NULL);
    g_assert_nonnull(image);
    for (unsigned block = 0; block <= 6; block += 6) {
        g_assert_true(image_read(image, block * BUILDER_BLOCK, found, sizeof found, NULL));
        g_assert_cmpmem(found, sizeof found, data, sizeof data);
    }
    image_free(image);
}

/* ---- hostile files ---- */
static void
seal(const Ordeal *ordeal, GByteArray *file)
{
    if (ordeal->seal != NULL)
        ordeal->seal(file);
}

void
ordeal_lies(const Ordeal *ordeal)
{
    g_autoptr(GByteArray) sound = ordeal->build();
    g_autoptr(Image) image = memory_open(sound, ordeal->format, IMAGE_OPEN_READ_WRITE, NULL);

    g_assert_nonnull(image);
    for (unsigned i = 0; i < ordeal->lie_count; i++) {
        const OrdealLie *lie = &ordeal->lies[i];
        g_autoptr(GByteArray) file = ordeal->build();
        g_autoptr(GError) error = NULL;

        ordeal->poke(file, lie->at, lie->value);
        seal(ordeal, file);
        g_test_message("%s", lie->what);
        g_assert_null(memory_open(file, ordeal->format, IMAGE_OPEN_READ_WRITE, &error));
        g_assert_error(error, BASE_ERROR, (int)lie->code);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
    }
}

void
ordeal_truncated(const Ordeal *ordeal)
{
    g_autoptr(GByteArray) sound = ordeal->build();

    for (guint length = 0; length < sound->len - ordeal->spare; length += CUT_STEP) {
        g_autoptr(GByteArray) file = g_byte_array_new();

        g_byte_array_append(file, sound->data, length);
        g_assert_null(memory_open(file, ordeal->format, IMAGE_OPEN_READ_ONLY, NULL));
    }
}

static void
use(Image *image, uint8_t value)
{
    uint8_t data[1000] = {0};

    for (uint64_t at = 0; at + sizeof data <= image_capacity(image) && at < 20 * sizeof data;
         at += sizeof data) {
        g_assert_true(image_read(image, at, data, sizeof data, NULL));
        data[0] = value;
        g_assert_true(image_write(image, at, data, sizeof data, NULL));
    }
}

void
ordeal_random_damage(const Ordeal *ordeal)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(12);
    unsigned opened = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(GByteArray) file = ordeal->build();
        const unsigned count = (unsigned)g_rand_int_range(rand, 1, 6);

        for (unsigned i = 0; i < count; i++)
            file->data[g_rand_int_range(rand, (gint32)ordeal->first, (gint32)ordeal->end)] =
                (uint8_t)g_rand_int_range(rand, 0, 256);
        seal(ordeal, file);
        g_autoptr(Image) image = memory_open(file, ordeal->format, IMAGE_OPEN_READ_WRITE, NULL);
        if (image == NULL)
            continue;
        opened++;
        use(image, (uint8_t)round);
    }
    g_assert_cmpuint(opened, >, 100);
    g_assert_cmpuint(opened, <, ROUNDS);
}
