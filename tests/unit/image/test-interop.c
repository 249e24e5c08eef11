/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Image files against another program that reads and writes them, qemu-img: what we write checks
 * and compares equal there, what it writes opens here. Skipped where it is not installed. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "devices/drivers/disk/image/image-format.h"
#include "tests/unit/image/memory-io.h"
#include "vmm/base/error.h"

#define MIB (1u << 20)

typedef struct {
    const char *ours, *theirs; /* the format's names */
    ImageVariant variant;
    const char *convert_options; /* NULL: compressed */
    bool read_only;
    unsigned kind; /* ImageKind */
} Case;

static const Case cases[] = {
    {"VDI", "vdi", IMAGE_DYNAMIC, "static=off"},
    {"VDI", "vdi", IMAGE_FIXED, "static=on"},
    {"VHD", "vpc", IMAGE_DYNAMIC, "subformat=dynamic,force_size=on"},
    {"VHD", "vpc", IMAGE_FIXED, "subformat=fixed,force_size=on"},
    {"VMDK", "vmdk", IMAGE_DYNAMIC, "subformat=monolithicSparse"},
    {"VMDK", "vmdk", IMAGE_DYNAMIC, "subformat=monolithicSparse,zeroed_grain=on"},
    {"VMDK", "vmdk", IMAGE_DYNAMIC, "subformat=streamOptimized", true, IMAGE_KIND_STREAM},
    {"VMDK", "vmdk", IMAGE_FIXED, "subformat=monolithicFlat"},
    {"VMDK", "vmdk", IMAGE_DYNAMIC, "subformat=twoGbMaxExtentSparse", false, IMAGE_KIND_SPLIT},
    {"VMDK", "vmdk", IMAGE_FIXED, "subformat=twoGbMaxExtentFlat", false, IMAGE_KIND_SPLIT},
    {"VHDX", "vhdx", IMAGE_DYNAMIC, "subformat=dynamic,block_size=1M", true},
    {"VHDX", "vhdx", IMAGE_DYNAMIC, "subformat=dynamic", true},
    {"VHDX", "vhdx", IMAGE_FIXED, "subformat=fixed", true},
    {"QCOW", "qcow", IMAGE_DYNAMIC, "size=33M", true},
    {"QCOW", "qcow2", IMAGE_DYNAMIC, "compat=0.10", true},
    {"QCOW", "qcow2", IMAGE_DYNAMIC, "compat=1.1,cluster_size=4096", true},
    {"QCOW", "qcow2", IMAGE_DYNAMIC, NULL, true},
    {"QED", "qed", IMAGE_DYNAMIC, "cluster_size=4096", true},
    {"QED", "qed", IMAGE_DYNAMIC, "table_size=2", true},
    {"Parallels", "parallels", IMAGE_DYNAMIC, "cluster_size=65536", true},
};

typedef struct {
    char *folder, *image, *raw;
} Files;

static void
setup(Files *files, gconstpointer data)
{
    files->folder = g_dir_make_tmp("vitrine-interop-XXXXXX", NULL);
    files->image = g_build_filename(files->folder, "a.vmdk", NULL);
    files->raw = g_build_filename(files->folder, "a.raw", NULL);
}

static void
teardown(Files *files, gconstpointer data)
{
    g_autoptr(GDir) dir = g_dir_open(files->folder, 0, NULL);

    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(files->folder, name, NULL);

        g_unlink(path);
    }
    g_rmdir(files->folder);
    g_free(files->folder);
    g_free(files->image);
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
create(const char *path, const char *format, ImageVariant variant, unsigned kind)
{
    ImageCreateOptions options = {
        .format = format, .variant = variant, .kind = kind, .capacity = 33 * MIB};
    g_autoptr(GError) error = NULL;

    g_assert_true(image_create(path, &options, NULL, NULL, &error));
}

/* Of these there is nothing that could be checked. */
static bool
is_flat(const Case *format)
{
    return strcmp(format->theirs, "vmdk") == 0 && format->variant == IMAGE_FIXED;
}

static void
compare_with_raw(Files *files, const Case *format)
{
    /* There is no check for VHD. */
    if (strcmp(format->theirs, "vpc") != 0 && !is_flat(format))
        qemu_img("check", "-f", format->theirs, files->image, NULL);
    qemu_img("compare", "-f", format->theirs, "-F", "raw", files->image, files->raw, NULL);
}

/* Gives the room of every third MiB back, from `first` on. */
static void
discard_some(const char *path, const char *format, unsigned first)
{
    g_autoptr(GError) error = NULL;
    Image *image = image_open(path, format, IMAGE_OPEN_READ_WRITE, &error);

    g_assert_no_error(error);
    for (uint64_t at = first * MIB; at < 33 * MIB; at += 3 * MIB)
        g_assert_true(image_discard(image, at, MIB, &error));
    g_assert_true(image_close(image, &error));
    g_assert_no_error(error);
}

static void
test_ours(Files *files, gconstpointer data)
{
    const Case *format = data;

    if (!have_qemu_img())
        return;
    create(files->image, format->ours, format->variant, format->kind);
    create(files->raw, "RAW", IMAGE_DYNAMIC, 0);
    compare_with_raw(files, format);
    write_pattern(files->image, format->ours);
    write_pattern(files->raw, "RAW");
    compare_with_raw(files, format);
    if (strcmp(format->ours, "VDI") != 0 || format->variant == IMAGE_FIXED)
        return;
    for (unsigned first = 0; first < 3; first++) {
        discard_some(files->image, format->ours, first);
        discard_some(files->raw, "RAW", first);
        compare_with_raw(files, format);
    }
}

static void
convert(Files *files, const Case *format)
{
    if (format->convert_options == NULL)
        qemu_img("convert", "-c", "-f", "raw", "-O", format->theirs, files->raw, files->image,
                 NULL);
    else
        qemu_img("convert", "-f", "raw", "-O", format->theirs, "-o", format->convert_options,
                 files->raw, files->image, NULL);
}

static void
test_theirs(Files *files, gconstpointer data)
{
    const Case *format = data;
    g_autofree uint8_t *a = g_malloc(MIB);
    g_autofree uint8_t *b = g_malloc(MIB);
    g_autoptr(GError) error = NULL;
    ImageInfo info;

    if (!have_qemu_img())
        return;
    create(files->raw, "RAW", IMAGE_DYNAMIC, 0);
    write_pattern(files->raw, "RAW");
    convert(files, format);
    g_autoptr(Image) image =
        image_open(files->image, NULL,
                   format->read_only ? IMAGE_OPEN_READ_ONLY : IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    image_get_info(image, &info);
    g_assert_cmpstr(info.format, ==, format->ours);
    g_assert_cmpuint(info.capacity, ==, 33 * MIB);
    g_assert_cmpint(info.variant, ==, format->variant);
    g_autoptr(Image) raw = image_open(files->raw, "RAW", IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    for (uint64_t at = 0; at < 33 * MIB; at += MIB) {
        g_assert_true(image_read(image, at, a, MIB, NULL));
        g_assert_true(image_read(raw, at, b, MIB, NULL));
        g_assert_cmpmem(a, MIB, b, MIB);
    }
    if (format->read_only)
        return;
    /* And back again after a write of ours. */
    memset(a, 0x5a, MIB);
    g_assert_true(image_write(image, 32 * MIB, a, MIB, NULL));
    g_assert_true(image_write(raw, 32 * MIB, a, MIB, NULL));
    g_clear_pointer(&image, image_free);
    g_clear_pointer(&raw, image_free);
    compare_with_raw(files, format);
}

/* A clone of what qemu-img wrote, and it agrees. */
static void
test_clone(Files *files, gconstpointer data)
{
    const Case *format = data;
    ImageCreateOptions options = {
        .format = format->ours, .variant = format->variant, .kind = format->kind};
    g_autofree char *source_path = g_build_filename(files->folder, "source.qcow2", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) source = NULL;

    if (!have_qemu_img())
        return;
    create(files->raw, "RAW", IMAGE_DYNAMIC, 0);
    write_pattern(files->raw, "RAW");
    qemu_img("convert", "-f", "raw", "-O", "qcow2", files->raw, source_path, NULL);
    source = image_open(source_path, NULL, IMAGE_OPEN_READ_ONLY, &error);
    g_assert_no_error(error);
    image_clone(source, files->image, &options, NULL, NULL, &error);
    g_assert_no_error(error);
    compare_with_raw(files, format);
}

/* Enough for several parts, with data on both sides of the borders between them. */
#define SPLIT_CAPACITY (5ull << 30)
#define PART_BYTES (2047ull << 20)

static void
write_around_borders(const char *path, const char *format)
{
    g_autoptr(GError) error = NULL;
    Image *image = image_open(path, format, IMAGE_OPEN_READ_WRITE, &error);
    g_autofree uint8_t *data = g_malloc(3 * MIB);

    g_assert_no_error(error);
    for (unsigned i = 1; i <= 2; i++) {
        memset(data, (int)i + 0x40, 3 * MIB);
        g_assert_true(image_write(image, i * PART_BYTES - MIB, data, 3 * MIB, &error));
    }
    g_assert_true(image_write(image, SPLIT_CAPACITY - 512, data, 512, &error));
    g_assert_true(image_close(image, &error));
}

static void
test_split_ours(Files *files, gconstpointer data)
{
    ImageCreateOptions options = {
        .format = "VMDK", .kind = IMAGE_KIND_SPLIT, .capacity = SPLIT_CAPACITY};
    g_auto(GStrv) names = NULL;

    if (!have_qemu_img())
        return;
    g_assert_true(image_create(files->image, &options, NULL, NULL, NULL));
    names = image_part_names(files->image, &options);
    g_assert_cmpuint(g_strv_length(names), ==, 3);
    options = (ImageCreateOptions){.format = "RAW", .capacity = SPLIT_CAPACITY};
    g_assert_true(image_create(files->raw, &options, NULL, NULL, NULL));
    write_around_borders(files->image, "VMDK");
    write_around_borders(files->raw, "RAW");
    qemu_img("check", "-f", "vmdk", files->image, NULL);
    qemu_img("compare", "-f", "vmdk", "-F", "raw", files->image, files->raw, NULL);
}

static void
test_split_theirs(Files *files, gconstpointer data)
{
    const char *options = data;
    ImageCreateOptions raw_options = {.format = "RAW", .capacity = SPLIT_CAPACITY};
    g_autofree uint8_t *a = g_malloc(4 * MIB);
    g_autofree uint8_t *b = g_malloc(4 * MIB);
    g_autoptr(GError) error = NULL;

    if (!have_qemu_img())
        return;
    g_assert_true(image_create(files->raw, &raw_options, NULL, NULL, NULL));
    write_around_borders(files->raw, "RAW");
    qemu_img("convert", "-f", "raw", "-O", "vmdk", "-o", options, files->raw, files->image, NULL);
    g_autoptr(Image) image = image_open(files->image, NULL, IMAGE_OPEN_READ_ONLY, &error);
    g_assert_no_error(error);
    g_autoptr(Image) raw = image_open(files->raw, "RAW", IMAGE_OPEN_READ_ONLY, &error);
    g_assert_cmpuint(image_capacity(image), ==, SPLIT_CAPACITY);
    for (unsigned i = 1; i <= 3; i++) {
        const uint64_t at = i < 3 ? i * PART_BYTES - 2 * MIB : SPLIT_CAPACITY - 4 * MIB;

        g_assert_true(image_read(image, at, a, 4 * MIB, NULL));
        g_assert_true(image_read(raw, at, b, 4 * MIB, NULL));
        g_assert_cmpmem(a, 4 * MIB, b, 4 * MIB);
    }
}

/* Small at first: the first part grows, others come to it. */
static void
test_split_grown(Files *files, gconstpointer data)
{
    ImageCreateOptions options = {.format = "VMDK", .kind = IMAGE_KIND_SPLIT, .capacity = 8 * MIB};
    g_auto(ImageFolder) folder = image_folder_beside(files->image);
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = NULL;

    if (!have_qemu_img())
        return;
    g_assert_true(image_create(files->image, &options, NULL, NULL, NULL));
    image = image_open(files->image, NULL, IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    image_resize_in_folder(image, SPLIT_CAPACITY, &folder, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(image_close(g_steal_pointer(&image), &error));
    options = (ImageCreateOptions){.format = "RAW", .capacity = SPLIT_CAPACITY};
    g_assert_true(image_create(files->raw, &options, NULL, NULL, NULL));
    write_around_borders(files->image, "VMDK");
    write_around_borders(files->raw, "RAW");
    qemu_img("check", "-f", "vmdk", files->image, NULL);
    qemu_img("compare", "-f", "vmdk", "-F", "raw", files->image, files->raw, NULL);
}

/* A part that is a link, or that is not beside the descriptor, is not opened. */
static void
test_split_elsewhere(Files *files, gconstpointer data)
{
    ImageCreateOptions options = {.format = "VMDK", .kind = IMAGE_KIND_SPLIT, .capacity = 8 * MIB};
    g_autofree char *part = g_build_filename(files->folder, "a-s001.vmdk", NULL);
    g_autofree char *moved = g_build_filename(files->folder, "moved", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(image_create(files->image, &options, NULL, NULL, NULL));
    g_assert_cmpint(g_rename(part, moved), ==, 0);
    g_assert_cmpint(symlink(moved, part), ==, 0);
    g_assert_null(image_open(files->image, NULL, IMAGE_OPEN_READ_ONLY, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_DENIED);
    g_clear_error(&error);
    g_assert_true(g_file_get_contents(files->image, &text, NULL, NULL));
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *name = i == 0 ? g_strdup(moved) : g_strdup_printf("../%s", part);
        g_auto(GStrv) halves = g_strsplit(text, "a-s001.vmdk", 2);
        g_autofree char *changed = g_strconcat(halves[0], name, halves[1], NULL);

        g_assert_true(g_file_set_contents(files->image, changed, -1, NULL));
        g_assert_null(image_open(files->image, NULL, IMAGE_OPEN_READ_ONLY, &error));
        g_assert_error(error, BASE_ERROR, BASE_ERROR_DENIED);
        g_clear_error(&error);
    }
}

/* What is changed as a whole is still what the other program understands. */
static void
test_changed(Files *files, gconstpointer data)
{
    const Case *format = data;
    g_auto(ImageFolder) folder = image_folder_beside(files->image);
    /* What is fixed takes its room. */
    const uint64_t larger = format->variant == IMAGE_FIXED ? 48 * MIB : 300ull * MIB * 1024;
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, larger);
    g_autoptr(GError) error = NULL;
    ImageUuid uuid;
    ImageUuidChange change = {.uuid = &uuid};

    if (!have_qemu_img())
        return;
    create(files->raw, "RAW", IMAGE_DYNAMIC, 0);
    write_pattern(files->raw, "RAW");
    convert(files, format);
    g_autoptr(Image) image = image_open(files->image, NULL, IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    image_uuid_generate(&uuid);
    image_set_uuids(image, &change, &error);
    g_assert_no_error(error);
    if ((image_format_find(format->ours)->capabilities & IMAGE_CAN_COMPACT) != 0 &&
        format->variant == IMAGE_DYNAMIC)
        g_assert_true(image_compact(image, NULL, NULL, NULL));
    if ((image_format_find(format->ours)->capabilities & IMAGE_CAN_RESIZE) != 0 &&
        (format->variant == IMAGE_DYNAMIC || strcmp(format->ours, "VMDK") == 0)) {
        image_resize_in_folder(image, larger, &folder, NULL, NULL, &error);
        g_assert_no_error(error);
        qemu_img("resize", "-f", "raw", files->raw, size, NULL);
    }
    g_clear_pointer(&image, image_free);
    compare_with_raw(files, format);
}

/* Reads a damaged file from end to end: whatever it says, it ends and touches nothing. */
static bool
survive(const Case *format, GBytes *sound, GRand *rand)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    const unsigned count = (unsigned)g_rand_int_range(rand, 1, 8);
    const int reach = g_rand_boolean(rand) ? 128 : 70000;
    g_autoptr(Image) image = NULL;
    uint8_t data[4096];

    g_byte_array_append(file, g_bytes_get_data(sound, NULL), (guint)g_bytes_get_size(sound));
    for (unsigned i = 0; i < count; i++)
        file->data[g_rand_int_range(rand, 0, MIN(reach, (int)file->len))] =
            (uint8_t)g_rand_int_range(rand, 0, 256);
    if (g_rand_int_range(rand, 0, 4) == 0)
        g_byte_array_set_size(file, (guint)g_rand_int_range(rand, 1, (int)file->len));
    image = image_open_io(&memory_io_new(file, NULL)->io, format->ours, IMAGE_OPEN_READ_ONLY, NULL);
    if (image == NULL)
        return false;
    for (unsigned i = 0; i < 50; i++) {
        const uint64_t at = (uint64_t)(g_rand_double(rand) * (double)image_capacity(image));

        image_read(image, at, data, (size_t)MIN(sizeof data, image_capacity(image) - at), NULL);
    }
    return true;
}

static void
test_damaged(Files *files, gconstpointer data)
{
    const Case *format = data;
    g_autoptr(GRand) rand = g_rand_new_with_seed(77);
    g_autoptr(GBytes) sound = NULL;
    char *content;
    gsize length;
    unsigned opened = 0;

    if (!have_qemu_img())
        return;
    create(files->raw, "RAW", IMAGE_DYNAMIC, 0);
    write_pattern(files->raw, "RAW");
    convert(files, format);
    g_assert_true(g_file_get_contents(files->image, &content, &length, NULL));
    sound = g_bytes_new_take(content, length);
    /* Each round copies the file. */
    const unsigned rounds = length > 16 * MIB ? 60 : 300;
    for (unsigned round = 0; round < rounds; round++)
        opened += survive(format, sound, rand);
    g_assert_cmpuint(opened, >, 10);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *variant = cases[i].variant == IMAGE_FIXED ? "fixed" : "dynamic";
        g_autofree char *ours =
            g_strdup_printf("/image/interop/%u-%s-%s/ours", i, cases[i].theirs, variant);
        g_autofree char *theirs =
            g_strdup_printf("/image/interop/%u-%s-%s/theirs", i, cases[i].theirs, variant);

        g_autofree char *damaged =
            g_strdup_printf("/image/interop/%u-%s-%s/damaged", i, cases[i].theirs, variant);

        g_autofree char *clone_path =
            g_strdup_printf("/image/interop/%u-%s-%s/clone", i, cases[i].theirs, variant);
        g_autofree char *changed =
            g_strdup_printf("/image/interop/%u-%s-%s/changed", i, cases[i].theirs, variant);

        if (!cases[i].read_only) {
            g_test_add(ours, Files, &cases[i], setup, test_ours, teardown);
            g_test_add(changed, Files, &cases[i], setup, test_changed, teardown);
        }
        if (!cases[i].read_only || cases[i].kind == IMAGE_KIND_STREAM)
            g_test_add(clone_path, Files, &cases[i], setup, test_clone, teardown);
        g_test_add(theirs, Files, &cases[i], setup, test_theirs, teardown);
        if (cases[i].read_only)
            g_test_add(damaged, Files, &cases[i], setup, test_damaged, teardown);
    }
    g_test_add("/image/interop/split/ours", Files, NULL, setup, test_split_ours, teardown);
    g_test_add("/image/interop/split/theirs-sparse", Files, "subformat=twoGbMaxExtentSparse", setup,
               test_split_theirs, teardown);
    g_test_add("/image/interop/split/theirs-flat", Files, "subformat=twoGbMaxExtentFlat", setup,
               test_split_theirs, teardown);
    g_test_add("/image/interop/split/grown", Files, NULL, setup, test_split_grown, teardown);
    g_test_add("/image/interop/split/elsewhere", Files, NULL, setup, test_split_elsewhere,
               teardown);
    return g_test_run();
}
