/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Transfers from and to memory in pieces do what the same in one run does: on every format that is
 * written to, on a chain, in files with and without the host's cache and where an image file knows
 * no pieces. */
#include <glib/gstdio.h>
#include <string.h>

#include "devices/drivers/disk/image/image-io.h"
#include "tests/unit/image/builder.h"
#include "tests/unit/image/memory-io.h"

#define BLOCKS 120u
#define CAPACITY (BLOCKS * BUILDER_BLOCK)
#define PIECES_MAX 400u
#define TURNS 150u

typedef struct {
    uint8_t *room; /* memory that the pieces lie in, backwards and with gaps */
    BaseFilePiece pieces[PIECES_MAX];
    size_t count, bytes;
} Scattered;

/* Pieces of up to `largest` bytes, on multiples of `step`. */
static void
scatter(Scattered *memory, GRand *random, size_t step, size_t largest, size_t limit)
{
    const unsigned count = (unsigned)g_rand_int_range(random, 1, PIECES_MAX);
    uint8_t *end = memory->room + CAPACITY * 2;

    memory->count = memory->bytes = 0;
    while (memory->count < count) {
        const size_t size =
            step * (size_t)g_rand_int_range(random, 1, (gint32)(largest / step) + 1);

        if (memory->bytes + size > limit)
            break;
        end -= size + step * (size_t)g_rand_int_range(random, 0, 2);
        memory->pieces[memory->count++] = (BaseFilePiece){end, size};
        memory->bytes += size;
        if ((size_t)(end - memory->room) < largest + step)
            break;
    }
}

static void
copy(const Scattered *memory, uint8_t *flat, bool to_pieces)
{
    for (size_t i = 0; i < memory->count; flat += memory->pieces[i++].size) {
        if (to_pieces)
            memcpy(memory->pieces[i].data, flat, memory->pieces[i].size);
        else
            memcpy(flat, memory->pieces[i].data, memory->pieces[i].size);
    }
}

static void
work_on(Image *image, size_t step, unsigned seed)
{
    g_autofree uint8_t *expected = g_malloc0(CAPACITY);
    g_autofree uint8_t *flat = g_malloc(CAPACITY);
    Scattered memory = {.room = g_aligned_alloc(CAPACITY, 2, 4096)};
    GRand *random = g_rand_new_with_seed(seed);
    GError *error = NULL;

    g_assert_true(image_read(image, 0, expected, CAPACITY, &error));
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const uint64_t offset =
            (uint64_t)g_rand_int_range(random, 0, (gint32)(CAPACITY / step) - 64) * step;

        scatter(&memory, random, step, MAX(step, 20u << 10), CAPACITY - offset);
        if (g_rand_boolean(random)) {
            for (size_t i = 0; i < memory.bytes; i += 8)
                memset(expected + offset + i, (int)(turn + i / 512), MIN(8, memory.bytes - i));
            copy(&memory, expected + offset, true);
            g_assert_true(image_write_pieces(image, offset, memory.pieces, memory.count, &error));
        } else {
            memset(memory.room, 0xee, CAPACITY * 2);
            g_assert_true(image_read_pieces(image, offset, memory.pieces, memory.count, &error));
            copy(&memory, flat, false);
            g_assert_cmpmem(flat, memory.bytes, expected + offset, memory.bytes);
        }
        g_assert_no_error(error);
    }
    g_assert_true(image_is_dirty(image));
    g_assert_true(image_read(image, 0, flat, CAPACITY, &error));
    g_assert_cmpmem(flat, CAPACITY, expected, CAPACITY);
    memory.pieces[0] = (BaseFilePiece){memory.room, 1024};
    g_assert_false(image_read_pieces(image, CAPACITY - 512, memory.pieces, 1, NULL));
    g_assert_false(image_write_pieces(image, CAPACITY - 512, memory.pieces, 1, NULL));
    g_rand_free(random);
    g_aligned_free(memory.room);
}

static void
test_formats(void)
{
    for (unsigned i = 0; i < BUILDER_FORMATS; i++) {
        g_autoptr(GByteArray) file = builder_formats[i].build(BLOCKS);
        g_autoptr(Image) image =
            memory_open(file, builder_formats[i].name, IMAGE_OPEN_READ_WRITE, NULL);

        work_on(image, 512, i);
    }
}

static void
test_chain(void)
{
    for (unsigned i = 0; i < BUILDER_FORMATS; i++) {
        g_autoptr(GByteArray) below = g_byte_array_new();
        g_autoptr(GByteArray) above = builder_formats[i].build_child(BLOCKS);
        g_autoptr(Image) image =
            memory_open(above, builder_formats[i].name, IMAGE_OPEN_READ_WRITE, NULL);

        g_byte_array_set_size(below, CAPACITY);
        for (unsigned at = 0; at < CAPACITY; at++)
            below->data[at] = (uint8_t)(at >> 9);
        g_assert_true(image_attach_parent(
            image, memory_open(below, "RAW", IMAGE_OPEN_READ_ONLY, NULL), NULL));
        work_on(image, 512, 100 + i);
    }
}

static void
test_file(gconstpointer data)
{
    const bool past_cache = GPOINTER_TO_INT(data) == 1;
    g_autofree char *folder = g_dir_make_tmp("vitrine-pieces-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "disk.img", NULL);
    const ImageCreateOptions options = {
        .format = "RAW", .variant = IMAGE_DYNAMIC, .capacity = CAPACITY};
    BaseFile *file;
    ImageIo *io;
    Image *image;

    g_assert_true(image_create(path, &options, NULL, NULL, NULL));
    file = base_file_open(path, BASE_FILE_WRITE, NULL);
    io = image_io_new_file(file);
    if (past_cache && !image_io_bypass_cache(io, NULL))
        g_test_skip("everything goes through the host's cache here");
    image = image_open_io(io, "RAW", IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_nonnull(image);
    work_on(image, 512, 200);
    work_on(image, 4096, 201);
    image_free(image);
    g_unlink(path);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image-pieces/formats", test_formats);
    g_test_add_func("/image-pieces/chain", test_chain);
    g_test_add_data_func("/image-pieces/file", GINT_TO_POINTER(0), test_file);
    g_test_add_data_func("/image-pieces/past-cache", GINT_TO_POINTER(1), test_file);
    return g_test_run();
}
