/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Positioned file I/O: short reads, full disks, holes, locks, descriptors. */
#include "vmm/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/error.h"

typedef struct {
    char *folder, *path;
} Place;

static void
setup(Place *place, gconstpointer data)
{
    place->folder = g_dir_make_tmp("vitrine-file-XXXXXX", NULL);
    place->path = g_build_filename(place->folder, "file", NULL);
}

static void
teardown(Place *place, gconstpointer data)
{
    g_unlink(place->path);
    g_rmdir(place->folder);
    g_free(place->path);
    g_free(place->folder);
}

static BaseFile *
create(const Place *place)
{
    g_autoptr(GError) error = NULL;
    BaseFile *file = base_file_open(place->path, BASE_FILE_CREATE, &error);

    g_assert_no_error(error);
    return file;
}

static void
test_read_write(Place *place, gconstpointer data)
{
    g_autoptr(BaseFile) file = create(place);
    g_autoptr(GError) error = NULL;
    char buffer[10];
    uint64_t size;
    size_t done;

    g_assert_true(base_file_is_writable(file));
    g_assert_cmpstr(base_file_name(file), ==, place->path);
    g_assert_true(base_file_write_at(file, 5, "hello", 5, NULL));
    g_assert_true(base_file_size(file, &size, NULL));
    g_assert_cmpuint(size, ==, 10);
    g_assert_true(base_file_read_at(file, 0, buffer, 10, NULL, NULL));
    g_assert_cmpmem(buffer, 10, "\0\0\0\0\0hello", 10);
    g_assert_true(base_file_read_at(file, 8, buffer, 10, &done, NULL));
    g_assert_cmpuint(done, ==, 2);
    g_assert_false(base_file_read_at(file, 8, buffer, 10, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_IO);
    g_assert_true(base_file_truncate(file, 6, NULL));
    g_assert_true(base_file_size(file, &size, NULL));
    g_assert_cmpuint(size, ==, 6);
    g_assert_true(base_file_sync(file, NULL));
    g_assert_true(base_file_sync_directory_of(place->path, NULL));
}

static void
test_errors(Place *place, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BaseFile) full = NULL;

    g_assert_null(base_file_open("/nowhere/at/all", BASE_FILE_READ, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "/nowhere/at/all"));
    g_clear_error(&error);
    base_file_close(create(place));
    g_assert_null(base_file_open(place->path, BASE_FILE_CREATE, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_null(base_file_new_from_descriptor(-1, "nothing", &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    full = base_file_new_from_descriptor(open("/dev/full", O_RDWR | O_CLOEXEC), "full", &error);
    g_assert_no_error(error);
    g_assert_false(base_file_write_at(full, 0, "x", 1, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NO_SPACE);
    g_clear_error(&error);
    g_assert_false(base_file_size(full, &(uint64_t){0}, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
}

/* File systems without holes report everything as data; then there is nothing to compare. */
static void
test_holes(Place *place, gconstpointer data)
{
    g_autoptr(BaseFile) file = create(place);
    g_autoptr(GError) error = NULL;
    uint8_t block[4096];
    uint64_t start, end;

    memset(block, 0xff, sizeof(block));
    g_assert_true(base_file_truncate(file, 4 << 20, NULL));
    g_assert_true(base_file_write_at(file, 1 << 20, block, sizeof(block), NULL));
    g_assert_true(base_file_next_data(file, 0, &start, &end, NULL));
    g_assert_cmpuint(start, <=, 1 << 20);
    g_assert_cmpuint(end, >=, (1 << 20) + 4096);
    if (start == 1 << 20) {
        g_assert_true(base_file_next_data(file, end, &start, &end, NULL));
        g_assert_cmpuint(start, ==, 4 << 20);
        g_assert_cmpuint(end, ==, 4 << 20);
    }
    if (base_file_punch_hole(file, 1 << 20, 4096, &error)) {
        g_assert_true(base_file_read_at(file, 1 << 20, block, sizeof(block), NULL, NULL));
        g_assert_cmpuint(block[0], ==, 0);
    } else {
        g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
        g_clear_error(&error);
    }
    if (base_file_allocate(file, 4 << 20, 1 << 20, &error)) {
        g_assert_true(base_file_size(file, &end, NULL));
        g_assert_cmpuint(end, ==, 5 << 20);
    } else {
        g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    }
}

/* What was written a moment ago is in the host's memory, in every file system. */
static void
test_try(Place *place, gconstpointer data)
{
    g_autoptr(BaseFile) file = create(place);
    uint8_t block[4096], back[4096] = {0};

    memset(block, 0x5a, sizeof block);
    g_assert_true(base_file_write_at(file, 8192, block, sizeof block, NULL));
    if (!base_file_try_read_at(file, 8192, back, sizeof back)) {
        g_test_skip("this file system cannot tell what is in memory");
        return;
    }
    g_assert_cmpmem(back, sizeof back, block, sizeof block);
    /* All of it or nothing. */
    g_assert_false(base_file_try_read_at(file, 8192 + 512, back, sizeof back));
}

static void
test_locks(Place *place, gconstpointer data)
{
    g_autoptr(BaseFile) first = create(place);
    g_autoptr(BaseFile) second = base_file_open(place->path, BASE_FILE_WRITE, NULL);
    g_autoptr(BaseFile) reader = base_file_open(place->path, BASE_FILE_READ, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(base_file_lock(first, true, NULL));
    g_assert_true(base_file_lock(first, true, NULL));
    g_assert_false(base_file_lock(second, true, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_BUSY);
    g_assert_false(base_file_lock(reader, false, NULL));
    base_file_unlock(first);
    g_assert_true(base_file_lock(reader, false, NULL));
    g_assert_true(base_file_lock(second, false, NULL));
    g_assert_false(base_file_lock(first, true, NULL));
    g_clear_pointer(&reader, base_file_close);
    g_clear_pointer(&second, base_file_close);
    g_assert_true(base_file_lock(first, true, NULL));
}

static void
test_descriptor(Place *place, gconstpointer data)
{
    g_autoptr(BaseFile) file = NULL;
    g_autoptr(GError) error = NULL;

    base_file_close(create(place));
    file = base_file_new_from_descriptor(open(place->path, O_RDONLY | O_CLOEXEC), "passed", NULL);
    g_assert_false(base_file_is_writable(file));
    g_assert_cmpstr(base_file_name(file), ==, "passed");
    g_assert_false(base_file_write_at(file, 0, "x", 1, &error));
    g_assert_nonnull(strstr(error->message, "passed"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/base/file/read-write", Place, NULL, setup, test_read_write, teardown);
    g_test_add("/base/file/errors", Place, NULL, setup, test_errors, teardown);
    g_test_add("/base/file/holes", Place, NULL, setup, test_holes, teardown);
    g_test_add("/base/file/try", Place, NULL, setup, test_try, teardown);
    g_test_add("/base/file/locks", Place, NULL, setup, test_locks, teardown);
    g_test_add("/base/file/descriptor", Place, NULL, setup, test_descriptor, teardown);
    return g_test_run();
}
