/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VMDK images in several files become larger: the last part grows, parts come to it, and the
 * descriptor stays one that can be read. Power fails at every point of it: the image opens, has the
 * old size, the new one, or one between at which a part ends, reads as before and zeros behind, and
 * the same call brings the work to its end. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "tests/unit/image/memory-io.h"
#include "vmm/base/error.h"

#define MIB (1ull << 20)
#define OLD (3 * MIB + 512)
#define PART (VMDK_PART_SECTORS * VMDK_SECTOR)
#define CUTS_EACH 3u
#define AGAIN_EACH 4u

#define FIRST 2050u /* sectors of the first of two flat parts */

typedef struct {
    const char *name;
    ImageVariant variant;
    ImageKind kind;
    uint64_t larger;
    unsigned files; /* afterwards, with the descriptor */
} Case;

static const Case cases[] = {
    {"flat", IMAGE_FIXED, 0, 12 * MIB, 2},
    {"split-flat", IMAGE_FIXED, IMAGE_KIND_SPLIT, 12 * MIB, 2},
    {"split-sparse", IMAGE_DYNAMIC, IMAGE_KIND_SPLIT, 40 * MIB, 2},
    {"more-parts", IMAGE_DYNAMIC, IMAGE_KIND_SPLIT, 2 * PART + 5 * MIB, 4},
};

typedef struct {
    char *name;
    GByteArray *content;
    unsigned number;
} File;

/* A folder in memory; the first file is the descriptor. */
typedef struct {
    GPtrArray *files;
    GArray *record; /* NULL: nothing is recorded */
} Folder;

static void
file_free(gpointer data)
{
    File *file = data;

    g_free(file->name);
    g_byte_array_unref(file->content);
    g_free(file);
}

static File *
add_file(Folder *folder, const char *name, GByteArray *content)
{
    File *file = g_new0(File, 1);

    file->name = g_strdup(name);
    file->content = content;
    file->number = folder->files->len;
    g_ptr_array_add(folder->files, file);
    return file;
}

static ImageIo *
open_file(const Folder *folder, const File *file)
{
    MemoryIo *io = memory_io_new(file->content, folder->record);

    io->file = file->number;
    io->io.name = file->name;
    return &io->io;
}

/* What an attempt that was cut left has been removed, as the service does. */
static ImageIo *
open_in_folder(void *user, const char *name, ImageFileMode mode, GError **error)
{
    Folder *folder = user;

    for (guint i = 0; i < folder->files->len; i++) {
        const File *file = folder->files->pdata[i];

        if (strcmp(file->name, name) != 0)
            continue;
        if (mode == IMAGE_FILE_CREATE)
            g_byte_array_set_size(file->content, 0);
        return open_file(folder, file);
    }
    if (mode == IMAGE_FILE_CREATE)
        return open_file(folder, add_file(folder, name, g_byte_array_new()));
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND, "There is no file “%s”.", name);
    return NULL;
}

static ImageFolder
access_to(Folder *folder)
{
    return (ImageFolder){.open = open_in_folder, .user = folder};
}

static Folder *
folder_new(void)
{
    Folder *folder = g_new0(Folder, 1);

    folder->files = g_ptr_array_new_with_free_func(file_free);
    return folder;
}

static void
folder_free(Folder *folder)
{
    g_ptr_array_unref(folder->files);
    g_free(folder);
}

static Folder *
folder_copy(const Folder *folder)
{
    Folder *copy = folder_new();

    for (guint i = 0; i < folder->files->len; i++) {
        const File *file = folder->files->pdata[i];
        GByteArray *content = g_byte_array_new();

        g_byte_array_append(content, file->content->data, file->content->len);
        add_file(copy, file->name, content);
    }
    return copy;
}

static Image *
open_set(Folder *folder)
{
    const ImageFolder access = access_to(folder);
    g_autoptr(GError) error = NULL;
    Image *image = image_open_in_folder(open_file(folder, folder->files->pdata[0]), "VMDK",
                                        IMAGE_OPEN_READ_WRITE, &access, &error);

    g_assert_no_error(error);
    return image;
}

static uint8_t
pattern(uint64_t sector)
{
    return (uint8_t)(sector % 5 == 0 ? 0 : sector % 251 + 1);
}

static Folder *
make_set(const Case *of)
{
    Folder *folder = folder_new();
    const ImageFolder access = access_to(folder);
    ImageCreateOptions options = {.format = "VMDK",
                                  .variant = of->variant,
                                  .kind = of->kind,
                                  .capacity = OLD,
                                  .folder = &access};
    g_autoptr(ImageIo) io = open_file(folder, add_file(folder, "disk.vmdk", g_byte_array_new()));
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = NULL;

    image_create_io(io, &options, NULL, NULL, &error);
    g_assert_no_error(error);
    image = open_set(folder);
    for (uint64_t sector = 0; sector < OLD / 512; sector += 3) {
        uint8_t data[512];

        memset(data, pattern(sector), sizeof data);
        g_assert_true(image_write(image, sector * 512, data, sizeof data, NULL));
    }
    return folder;
}

/* The only flat part becomes two, as other programs make them with smaller parts. */
static void
split_flat(Folder *folder)
{
    File *only = folder->files->pdata[1];
    GByteArray *text = ((File *)folder->files->pdata[0])->content, *rest = g_byte_array_new();
    g_autofree char *old = g_strndup((const char *)text->data, text->len);
    g_autofree char *line =
        g_strdup_printf("RW %u FLAT \"%s\" 0\n", (unsigned)(OLD / 512), only->name);
    g_autofree char *lines =
        g_strdup_printf("RW %u FLAT \"%s\" 0\nRW %u FLAT \"disk-f002.vmdk\" 0\n", FIRST, only->name,
                        (unsigned)(OLD / 512) - FIRST);
    g_auto(GStrv) around = g_strsplit(old, line, 2);
    g_autofree char *changed = g_strjoinv(lines, around);

    g_assert_cmpuint(g_strv_length(around), ==, 2);
    g_byte_array_set_size(text, 0);
    g_byte_array_append(text, (const uint8_t *)changed, (guint)strlen(changed));
    g_assert_cmpuint(only->content->len, ==, OLD);
    g_byte_array_append(rest, only->content->data + FIRST * 512, OLD - FIRST * 512);
    g_byte_array_set_size(only->content, FIRST * 512);
    add_file(folder, "disk-f002.vmdk", rest);
}

static void
assert_byte(Image *image, uint64_t offset, uint8_t expected)
{
    g_autoptr(GError) error = NULL;
    uint8_t data[512];

    image_read(image, offset, data, sizeof data, &error);
    g_assert_no_error(error);
    g_assert_cmphex(data[0], ==, expected);
    g_assert_cmphex(data[511], ==, expected);
}

/* Opens, and has one of the sizes that it may have. */
static uint64_t
verify(Folder *folder, const Case *of)
{
    g_autoptr(Image) image = open_set(folder);
    const uint64_t capacity = image_capacity(image);
    ImageCheck check;
    ImageInfo info;

    g_assert_true(image_check(image, &check, NULL));
    image_get_info(image, &info);
    g_assert_false(image_uuid_is_null(&info.uuid));
    g_assert_cmpint(info.variant, ==, of->variant);
    g_assert_true(capacity == OLD || capacity == of->larger ||
                  (capacity < of->larger && capacity % PART == 0));
    for (uint64_t sector = 0; sector < OLD / 512; sector++)
        assert_byte(image, sector * 512, sector % 3 == 0 ? pattern(sector) : 0);
    for (uint64_t at = OLD; at < capacity; at += MAX((capacity - OLD) / 64 & ~511ull, 512))
        assert_byte(image, at, 0);
    return capacity;
}

static void
enlarge(Folder *folder, uint64_t capacity)
{
    const ImageFolder access = access_to(folder);
    g_autoptr(Image) image = open_set(folder);
    g_autoptr(GError) error = NULL;

    image_resize_in_folder(image, capacity, &access, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(image_capacity(image), ==, capacity);
}

/* What is new can be written to, and is there when it is opened again. */
static void
write_to_end(Folder *folder, uint64_t capacity)
{
    uint8_t data[512];
    g_autoptr(Image) image = open_set(folder);

    memset(data, 0x5a, sizeof data);
    g_assert_true(image_write(image, capacity - 512, data, sizeof data, NULL));
    g_clear_pointer(&image, image_free);
    image = open_set(folder);
    assert_byte(image, capacity - 512, 0x5a);
}

static void
test_resize(gconstpointer data)
{
    const Case *of = data;
    Folder *folder = make_set(of);

    enlarge(folder, of->larger);
    g_assert_cmpuint(verify(folder, of), ==, of->larger);
    g_assert_cmpuint(folder->files->len, ==, of->files);
    write_to_end(folder, of->larger);
    folder_free(folder);
}

/* Of several flat parts the last one grows, and the others stay as they are. */
static void
test_second_flat(void)
{
    const Case *of = &cases[1];
    Folder *folder = make_set(of);

    split_flat(folder);
    g_assert_cmpuint(verify(folder, of), ==, OLD);
    enlarge(folder, of->larger);
    g_assert_cmpuint(verify(folder, of), ==, of->larger);
    write_to_end(folder, of->larger);
    g_assert_cmpuint(folder->files->len, ==, 3);
    g_assert_cmpuint(((File *)folder->files->pdata[1])->content->len, ==, FIRST * 512);
    g_assert_cmpuint(((File *)folder->files->pdata[2])->content->len, ==, of->larger - FIRST * 512);
    folder_free(folder);
}

static Folder *
after_power_loss(const Folder *before, const Folder *after, const GArray *record, unsigned count,
                 GRand *rand)
{
    Folder *folder = folder_new();
    g_autoptr(GByteArray) nothing = g_byte_array_new();

    for (guint i = 0; i < after->files->len; i++) {
        const File *file = after->files->pdata[i];
        const File *old = i < before->files->len ? before->files->pdata[i] : NULL;

        add_file(
            folder, file->name,
            memory_file_after_power_loss(old ? old->content : nothing, record, count, i, rand));
    }
    return folder;
}

static void
test_cuts(gconstpointer data)
{
    const Case *of = data;
    Folder *before = make_set(of), *after = folder_copy(before);
    g_autoptr(GArray) record = memory_record_new();
    GRand *rand = g_rand_new_with_seed(20261123);
    unsigned sizes[2] = {0, 0};

    after->record = record;
    enlarge(after, of->larger);
    after->record = NULL;
    for (unsigned cut = 0; cut <= record->len * CUTS_EACH; cut++) {
        Folder *folder = after_power_loss(before, after, record, cut / CUTS_EACH, rand);

        sizes[verify(folder, of) == of->larger]++;
        if (cut % AGAIN_EACH == 0) {
            enlarge(folder, of->larger);
            g_assert_cmpuint(verify(folder, of), ==, of->larger);
        }
        folder_free(folder);
    }
    g_test_message("%u cuts before the new size, %u after", sizes[0], sizes[1]);
    g_assert_cmpuint(sizes[0], >, 0);
    g_assert_cmpuint(sizes[1], >, 0);
    g_rand_free(rand);
    folder_free(before);
    folder_free(after);
}

/* Again and again: the keys stay where one sector has them, whatever the lengths of the numbers. */
static void
test_often(void)
{
    const Case of = {"often", IMAGE_DYNAMIC, IMAGE_KIND_SPLIT, OLD + 30 * 700 * MIB, 0};
    Folder *folder = make_set(&of);

    for (unsigned i = 1; i <= 30; i++)
        enlarge(folder, OLD + i * 700 * MIB);
    g_assert_cmpuint(verify(folder, &of), ==, of.larger);
    g_assert_cmpuint(folder->files->len, ==, 1 + (of.larger + PART - 1) / PART);
    folder_free(folder);
}

/* A line that only begins as one of an extent does is none, for whoever changes the text too. */
static void
test_other_line(void)
{
    const Case *of = &cases[3];
    Folder *folder = make_set(of);
    GByteArray *text = ((File *)folder->files->pdata[0])->content;
    static const char line[] = "\nRDONLY \nRW\n";

    g_byte_array_append(text, (const uint8_t *)line, sizeof line - 1);
    enlarge(folder, of->larger);
    g_assert_cmpuint(verify(folder, of), ==, of->larger);
    g_assert_nonnull(g_strstr_len((const char *)text->data, text->len, line));
    folder_free(folder);
}

/* Without a folder no file is made, and the image is as it was. */
static void
test_no_folder(void)
{
    const Case *of = &cases[3];
    Folder *folder = make_set(of);
    g_autoptr(Image) image = open_set(folder);
    g_autoptr(GError) error = NULL;

    g_assert_false(image_resize(image, of->larger, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_DENIED);
    g_clear_pointer(&image, image_free);
    g_assert_cmpuint(verify(folder, of), ==, PART);
    folder_free(folder);
}

/* The names are known beforehand, and go on from those that there are. */
static void
test_names(void)
{
    const Case *of = &cases[3];
    Folder *folder = make_set(of);
    g_autoptr(Image) image = open_set(folder);
    g_auto(GStrv) names = image_resize_part_names(image, of->larger, NULL);
    g_auto(GStrv) none = image_resize_part_names(image, 40 * MIB, NULL);

    g_assert_cmpuint(g_strv_length(names), ==, 2);
    g_assert_cmpstr(names[0], ==, "disk-s002.vmdk");
    g_assert_cmpstr(names[1], ==, "disk-s003.vmdk");
    g_assert_cmpuint(g_strv_length(none), ==, 0);
    g_clear_pointer(&image, image_free);
    folder_free(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *whole = g_strdup_printf("/image/vmdk-set/resize/%s", cases[i].name);
        g_autofree char *cut = g_strdup_printf("/image/vmdk-set/cuts/%s", cases[i].name);

        g_test_add_data_func(whole, &cases[i], test_resize);
        g_test_add_data_func(cut, &cases[i], test_cuts);
    }
    g_test_add_func("/image/vmdk-set/resize/second-flat", test_second_flat);
    g_test_add_func("/image/vmdk-set/resize/often", test_often);
    g_test_add_func("/image/vmdk-set/resize/other-line", test_other_line);
    g_test_add_func("/image/vmdk-set/resize/no-folder", test_no_folder);
    g_test_add_func("/image/vmdk-set/resize/names", test_names);
    return g_test_run();
}
