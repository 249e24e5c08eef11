/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ordinary ImageIo past the host's cache: what lies on whole pages is not in the host's memory
 * afterwards, wherever the caller's buffer lies, and nothing differs from what goes through it. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "devices/drivers/disk/image/image-io.h"

#define SIZE ((size_t)3 << 20)
#define PAGE ((size_t)4096)

typedef struct {
    char *path;
    ImageIo *io;
    BaseFile *observer;
    bool past_cache;
} Fixture;

static void
setup(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    struct statfs system;
    int descriptor = g_file_open_tmp("vitrine-io-XXXXXX", &fixture->path, &error);

    g_assert_no_error(error);
    g_assert_cmpint(ftruncate(descriptor, SIZE), ==, 0);
    fixture->io = image_io_new_file(base_file_open(fixture->path, BASE_FILE_WRITE, NULL));
    fixture->observer = base_file_open(fixture->path, BASE_FILE_READ, NULL);
    fixture->past_cache = image_io_bypass_cache(fixture->io, NULL);
    /* A file system in memory has nothing else. */
    if (fstatfs(descriptor, &system) == 0 && system.f_type == TMPFS_MAGIC)
        fixture->past_cache = false;
    close(descriptor);
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
    image_io_close(fixture->io);
    base_file_close(fixture->observer);
    g_unlink(fixture->path);
    g_free(fixture->path);
}

/* The shift is that of the buffer in memory; two pages more than a bounce buffer holds at once. */
static void
test_bounce(Fixture *fixture, gconstpointer data)
{
    const size_t shift = GPOINTER_TO_SIZE(data), length = ((size_t)1 << 20) + 2 * PAGE;
    uint8_t *room = g_aligned_alloc(length + PAGE, 1, PAGE);
    g_autofree uint8_t *kept = g_malloc(length);
    g_autoptr(GError) error = NULL;
    uint8_t page[PAGE];

    for (size_t i = 0; i < length; i++)
        kept[i] = (uint8_t)(i * 31 + i / PAGE);
    memcpy(room + shift, kept, length);
    g_assert_true(image_io_write(fixture->io, PAGE, room + shift, length, &error));
    memset(room, 0, length + PAGE);
    g_assert_true(image_io_read(fixture->io, PAGE, room + shift, length, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(room + shift, length, kept, length);
    /* Once only: to look makes the host read it in. */
    if (fixture->past_cache)
        g_assert_false(base_file_try_read_at(fixture->observer, 2 * PAGE, page, PAGE));
    else
        g_test_skip("everything goes through the host's cache here");
    g_aligned_free(room);
}

/* Parts of pages go through the cache, and both ways see the same. */
static void
test_parts(Fixture *fixture, gconstpointer data)
{
    uint8_t page[PAGE];

    memset(page, 0x11, PAGE);
    g_assert_true(image_io_write(fixture->io, 0, page, PAGE, NULL));
    memset(page, 0x22, 512);
    g_assert_true(image_io_write(fixture->io, 512, page, 512, NULL));
    g_assert_true(image_io_read(fixture->io, 0, page, PAGE, NULL));
    g_assert_cmphex(page[511], ==, 0x11);
    g_assert_cmphex(page[512], ==, 0x22);
    g_assert_cmphex(page[1024], ==, 0x11);
}

/* Nobody who must not wait is made to wait for the disk. */
static void
test_try(Fixture *fixture, gconstpointer data)
{
    uint8_t page[PAGE] = {0};

    if (!fixture->past_cache) {
        g_test_skip("everything goes through the host's cache here");
        return;
    }
    g_assert_false(fixture->io->ops->try_pread(fixture->io, 0, page, PAGE));
    g_assert_false(fixture->io->ops->try_pwrite(fixture->io, 0, page, PAGE));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/image/io/aligned", Fixture, NULL, setup, test_bounce, teardown);
    g_test_add("/image/io/bounced", Fixture, GSIZE_TO_POINTER(16), setup, test_bounce, teardown);
    g_test_add("/image/io/parts", Fixture, NULL, setup, test_parts, teardown);
    g_test_add("/image/io/try", Fixture, NULL, setup, test_try, teardown);
    return g_test_run();
}
