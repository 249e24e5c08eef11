/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VDI files against another program that reads and writes them, qemu-img: what we write checks and
 * compares equal there, what it writes opens here. Skipped where it is not installed. */
#include <glib/gstdio.h>
#include <string.h>

#include "devices/drivers/disk/image/image.h"

#define MIB (1u << 20)

typedef struct {
    char *folder, *vdi, *raw;
} Files;

static void
setup(Files *files, gconstpointer data)
{
    files->folder = g_dir_make_tmp("vitrine-interop-XXXXXX", NULL);
    files->vdi = g_build_filename(files->folder, "a.vdi", NULL);
    files->raw = g_build_filename(files->folder, "a.raw", NULL);
}

static void
teardown(Files *files, gconstpointer data)
{
    g_unlink(files->vdi);
    g_unlink(files->raw);
    g_rmdir(files->folder);
    g_free(files->folder);
    g_free(files->vdi);
    g_free(files->raw);
}

static bool
have_qemu_img(void)
{
    g_autofree char *path = g_find_program_in_path("qemu-img");

    if (path == NULL)
        g_test_skip("qemu-img (package qemu-utils) is not installed");
    return path != NULL;
}

static void
qemu_img(const char *first, ...)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    g_autofree char *out = NULL;
    g_autofree char *errors = NULL;
    g_autoptr(GError) error = NULL;
    va_list rest;
    int status = -1;

    g_ptr_array_add(arguments, (gpointer) "qemu-img");
    va_start(rest, first);
    for (const char *next = first; next != NULL; next = va_arg(rest, const char *))
        g_ptr_array_add(arguments, (gpointer)next);
    va_end(rest);
    g_ptr_array_add(arguments, NULL);
    g_spawn_sync(NULL, (char **)arguments->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                 &errors, &status, &error);
    g_assert_no_error(error);
    if (!g_spawn_check_wait_status(status, &error))
        g_test_message("%s%s", out, errors);
    g_assert_no_error(error);
}

/* The same scattered data into each image. */
static void
write_pattern(const char *path, const char *format)
{
    g_autoptr(GError) error = NULL;
    Image *image = image_open(path, format, IMAGE_OPEN_READ_WRITE, &error);
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    g_autofree uint8_t *data = g_malloc(70000);

    g_assert_no_error(error);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t at = (uint64_t)g_rand_int_range(rand, 0, 30 * MIB);

        memset(data, (int)i + 1, 70000);
        g_assert_true(image_write(image, at, data, 70000, &error));
    }
    g_assert_true(image_close(image, &error));
}

static void
create(const char *path, const char *format, ImageVariant variant)
{
    ImageCreateOptions options = {.format = format, .variant = variant, .capacity = 33 * MIB};
    g_autoptr(GError) error = NULL;

    g_assert_true(image_create(path, &options, NULL, NULL, &error));
}

static void
test_ours(Files *files, gconstpointer data)
{
    if (!have_qemu_img())
        return;
    create(files->vdi, "VDI", (ImageVariant)GPOINTER_TO_INT(data));
    qemu_img("check", "-f", "vdi", files->vdi, NULL);
    create(files->raw, "RAW", IMAGE_DYNAMIC);
    write_pattern(files->vdi, "VDI");
    write_pattern(files->raw, "RAW");
    qemu_img("check", "-f", "vdi", files->vdi, NULL);
    qemu_img("compare", "-f", "vdi", "-F", "raw", files->vdi, files->raw, NULL);
}

static void
test_theirs(Files *files, gconstpointer data)
{
    g_autofree uint8_t *a = g_malloc(MIB);
    g_autofree uint8_t *b = g_malloc(MIB);
    g_autoptr(GError) error = NULL;

    if (!have_qemu_img())
        return;
    create(files->raw, "RAW", IMAGE_DYNAMIC);
    write_pattern(files->raw, "RAW");
    qemu_img("convert", "-f", "raw", "-O", "vdi", files->raw, files->vdi, NULL);
    g_autoptr(Image) vdi = image_open(files->vdi, NULL, IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    g_autoptr(Image) raw = image_open(files->raw, "RAW", IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    for (uint64_t at = 0; at < 33 * MIB; at += MIB) {
        g_assert_true(image_read(vdi, at, a, MIB, NULL));
        g_assert_true(image_read(raw, at, b, MIB, NULL));
        g_assert_cmpmem(a, MIB, b, MIB);
    }
    /* And back again after a write of ours. */
    memset(a, 0x5a, MIB);
    g_assert_true(image_write(vdi, 32 * MIB, a, MIB, NULL));
    g_assert_true(image_write(raw, 32 * MIB, a, MIB, NULL));
    g_clear_pointer(&vdi, image_free);
    g_clear_pointer(&raw, image_free);
    qemu_img("check", "-f", "vdi", files->vdi, NULL);
    qemu_img("compare", "-f", "vdi", "-F", "raw", files->vdi, files->raw, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/image/interop/ours-dynamic", Files, GINT_TO_POINTER(IMAGE_DYNAMIC), setup,
               test_ours, teardown);
    g_test_add("/image/interop/ours-fixed", Files, GINT_TO_POINTER(IMAGE_FIXED), setup, test_ours,
               teardown);
    g_test_add("/image/interop/theirs", Files, NULL, setup, test_theirs, teardown);
    return g_test_run();
}
