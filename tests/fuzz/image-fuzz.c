/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A libFuzzer target for one image format (FUZZ_FORMAT, a string). The input is a file of that
 * format. It is opened, looked at and read; a format that can be written is written to, changed as
 * a whole, made larger once or several times, closed and opened again, and then has to hold what
 * was written: so it is not only crashes that are found. Checksums are put right first, or nothing
 * behind them would be reached. Other files of an image in several follow in the input, each after
 * a line PART_MARK, in the order in which they are opened; the last two bytes are choices.
 */
#include <string.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/image-ops.h"
#include "vmm/base/crc32c.h"
#include "vmm/base/error.h"

#define FILE_MAX (24u << 20) /* then the host's disk is full */
#define READ_MAX 65536u
#define READS 24u
#define PROBE_BYTES 700u
#define PART_MARK "\n@@PART\n"
#define STEPS_MAX 5u
#define CHOICES 2u /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- a file in memory that fills up --- */

typedef struct {
    ImageIo io;
    GByteArray *content; /* a reference of its own */
} FuzzIo;

static bool
fuzz_resize(ImageIo *io, uint64_t size, GError **error)
{
    GByteArray *content = ((FuzzIo *)io)->content;
    const guint old = content->len;

    if (size > FILE_MAX) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_NO_SPACE, "The disk is full.");
        return false;
    }
    g_byte_array_set_size(content, (guint)size);
    if (size > old)
        memset(content->data + old, 0, (size_t)size - old);
    return true;
}

static bool
fuzz_pread(ImageIo *io, uint64_t offset, void *buffer, size_t length, GError **error)
{
    const GByteArray *content = ((FuzzIo *)io)->content;

    if (offset > content->len || length > content->len - offset) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_IO, "Read beyond the end.");
        return false;
    }
    if (length > 0)
        memcpy(buffer, content->data + offset, length);
    return true;
}

static bool
fuzz_pwrite(ImageIo *io, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    GByteArray *content = ((FuzzIo *)io)->content;

    if (offset > FILE_MAX || length > FILE_MAX - offset) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_NO_SPACE, "The disk is full.");
        return false;
    }
    if (offset + length > content->len && !fuzz_resize(io, offset + length, error))
        return false;
    if (length > 0)
        memcpy(content->data + offset, buffer, length);
    return true;
}

static bool
fuzz_sync(ImageIo *io, GError **error)
{
    return true;
}

static bool
fuzz_size(ImageIo *io, uint64_t *size, GError **error)
{
    *size = ((FuzzIo *)io)->content->len;
    return true;
}

static bool
fuzz_punch(ImageIo *io, uint64_t offset, uint64_t length, GError **error)
{
    GByteArray *content = ((FuzzIo *)io)->content;

    if (offset < content->len)
        memset(content->data + offset, 0, (size_t)MIN(length, content->len - offset));
    return true;
}

static void
fuzz_close(ImageIo *io)
{
    g_byte_array_unref(((FuzzIo *)io)->content);
    g_free(io);
}

static const ImageIoOps fuzz_ops = {
    .pread = fuzz_pread,
    .pwrite = fuzz_pwrite,
    .sync = fuzz_sync,
    .size = fuzz_size,
    .truncate = fuzz_resize,
    .punch = fuzz_punch,
    .close = fuzz_close,
};

static ImageIo *
new_io(GByteArray *content)
{
    FuzzIo *self = g_new0(FuzzIo, 1);

    self->io = (ImageIo){&fuzz_ops, "fuzz", true};
    self->content = g_byte_array_ref(content);
    return &self->io;
}

/* --- the files beside it --- */

typedef struct {
    GHashTable *files; /* GByteArray by name */
    GPtrArray *rest; /* GByteArray: of the input, that nobody has opened yet, the last one first */
} Beside;

static Beside *
beside_new(void)
{
    Beside *beside = g_new0(Beside, 1);

    beside->files =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_byte_array_unref);
    beside->rest = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    return beside;
}

static void
beside_free(Beside *beside)
{
    g_hash_table_unref(beside->files);
    g_ptr_array_unref(beside->rest);
    g_free(beside);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Beside, beside_free)

static GByteArray *
bytes_of(const uint8_t *data, size_t size)
{
    return g_byte_array_append(g_byte_array_new(), data, (guint)size);
}

/* The image's own file; what follows goes to beside. */
static GByteArray *
take_input(const uint8_t *data, size_t size, Beside *beside)
{
    const size_t mark = strlen(PART_MARK);
    GByteArray *first = NULL;

    for (size_t at = 0; at <= size;) {
        const uint8_t *end = memmem(data + at, size - at, PART_MARK, mark);
        const size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
        GByteArray *piece = bytes_of(data + at, length);

        if (first == NULL)
            first = piece;
        else
            g_ptr_array_insert(beside->rest, 0, piece);
        at = end != NULL ? at + length + mark : size + 1;
    }
    return first;
}

/* What the input does not have is a MiB of zeros. */
static GByteArray *
next_part(Beside *beside)
{
    GByteArray *zeros;

    if (beside->rest->len > 0)
        return g_ptr_array_steal_index(beside->rest, beside->rest->len - 1);
    zeros = g_byte_array_new();
    g_byte_array_set_size(zeros, 1u << 20);
    memset(zeros->data, 0, zeros->len);
    return zeros;
}

static ImageIo *
open_part(void *user, const char *name, ImageFileMode mode, GError **error)
{
    Beside *beside = user;
    GByteArray *file = g_hash_table_lookup(beside->files, name);

    if (file != NULL && mode == IMAGE_FILE_CREATE) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_EXISTS, "There is a file “%s”.", name);
        return NULL;
    }
    if (file == NULL) {
        file = mode == IMAGE_FILE_CREATE ? g_byte_array_new() : next_part(beside);
        g_hash_table_insert(beside->files, g_strdup(name), file);
    }
    return new_io(file);
}

/* --- checksums --- */

static void
put_be32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void
seal_vhd(GByteArray *file, size_t start, size_t size, size_t at, const char *cookie)
{
    uint32_t sum = 0;

    if (start > file->len || size > file->len - start || memcmp(file->data + start, cookie, 8) != 0)
        return;
    put_be32(file->data + start + at, 0);
    for (size_t i = 0; i < size; i++)
        sum += file->data[start + i];
    put_be32(file->data + start + at, ~sum);
}

static void
seal_vhdx(GByteArray *file, size_t start, size_t size, const char *signature)
{
    uint32_t sum;

    if (start > file->len || size > file->len - start ||
        memcmp(file->data + start, signature, 4) != 0)
        return;
    image_put32(file->data + start, 4, 0);
    sum = base_crc32c(0, file->data + start, size);
    image_put32(file->data + start, 4, sum);
}

static void
seal(GByteArray *file)
{
    if (file->len < 2048)
        return;
    seal_vhd(file, 0, 512, 64, "conectix");
    seal_vhd(file, 512, 1024, 36, "cxsparse");
    seal_vhd(file, file->len - 512, 512, 64, "conectix");
    seal_vhdx(file, 64 << 10, 4096, "head");
    seal_vhdx(file, 128 << 10, 4096, "head");
    seal_vhdx(file, 192 << 10, 65536, "regi");
    seal_vhdx(file, 256 << 10, 65536, "regi");
    for (size_t at = 1 << 20; at + 4096 <= MIN(file->len, 2u << 20); at += 4096)
        seal_vhdx(file, at, 4096, "loge");
}

/* --- what is done --- */

static Image *
open_file(GByteArray *file, Beside *beside, ImageOpenFlags flags)
{
    const ImageFolder folder = {.open = open_part, .user = beside};

    return image_open_in_folder(new_io(file), FUZZ_FORMAT, flags, &folder, NULL);
}

static void
look(Image *image, uint8_t *buffer)
{
    const uint64_t capacity = image_capacity(image);
    ImageCheck check;
    ImageInfo info;

    image_get_info(image, &info);
    image_check(image, &check, NULL);
    for (unsigned i = 0; i < READS; i++) {
        /* Some at the start, some at the end, the rest spread. */
        const uint64_t at = i < 8    ? i * (uint64_t)READ_MAX
                            : i < 12 ? capacity - MIN(capacity, (i - 7) * (uint64_t)READ_MAX)
                                     : capacity / READS * i;
        const ImageUuid *uuids[] = {&info.uuid, &info.parent};

        if (at < capacity)
            image_read(image, at, buffer, (size_t)MIN(READ_MAX, capacity - at), NULL);
        if (i < G_N_ELEMENTS(uuids))
            image_uuid_is_null(uuids[i]);
    }
}

static void
change(Image *image)
{
    ImageUuid uuid = {{7}};
    const ImageUuidChange uuids = {.uuid = &uuid, .modification = &uuid};

    image_set_uuids(image, &uuids, NULL);
    image_set_comment(image, "A comment with \"quotes\" \xc3\xa4", NULL);
    if (image_capacity(image) < (64u << 20))
        image_compact(image, NULL, NULL, NULL);
}

/* By how much: within a block or a part, by some blocks, by whole parts, by more than fits. */
static uint64_t
step_of(uint8_t choice)
{
    static const uint64_t steps[] = {512,           3u << 20,   70u << 20,
                                     2047ull << 20, 5ull << 30, 3ull << 40};

    return steps[choice % G_N_ELEMENTS(steps)];
}

/* Names of files that come are free, and the image is as large as was asked, or as before. What was
 * not there reads as zeros; a resize that failed may only do so once the rest is no longer there.
 */
static bool
make_larger(Image *image, Beside *beside, uint64_t step)
{
    const ImageFolder folder = {.open = open_part, .user = beside};
    const uint64_t before = image_capacity(image), wanted = before + step;
    g_auto(GStrv) names = image_resize_part_names(image, wanted, NULL);
    uint8_t zeros[512], read[512];

    memset(zeros, 0, sizeof zeros);
    memset(read, 1, sizeof read);
    if (wanted < before || !image_resize_in_folder(image, wanted, &folder, NULL, NULL, NULL))
        return false;
    g_assert_nonnull(names);
    g_assert_cmpuint(image_capacity(image), >=, wanted);
    if (image_read(image, image_capacity(image) - sizeof read, read, sizeof read, NULL))
        g_assert_true(memcmp(read, zeros, sizeof read) == 0);
    return true;
}

static void
make_larger_often(Image *image, Beside *beside, unsigned choices)
{
    for (unsigned i = 0; i < STEPS_MAX && choices != 0; i++, choices >>= 3) {
        if (!make_larger(image, beside, step_of(choices & 7)))
            return;
    }
}

static void
write_and_compare(GByteArray *file, Beside *beside, unsigned choices, uint8_t *buffer)
{
    uint8_t pattern[PROBE_BYTES];
    Image *image = open_file(file, beside, IMAGE_OPEN_READ_WRITE);
    uint64_t at, capacity;
    bool written;

    if (image == NULL)
        return;
    capacity = image_capacity(image);
    at = capacity / 3;
    memset(pattern, 0x5a, sizeof pattern);
    image_discard(image, 0, MIN(capacity, 300000), NULL);
    written = capacity - at >= sizeof pattern &&
              image_write(image, at, pattern, sizeof pattern, NULL) && image_flush(image, NULL);
    change(image);
    make_larger_often(image, beside, choices);
    capacity = image_capacity(image);
    if (!image_close(image, NULL) || !written)
        return;
    image = open_file(file, beside, IMAGE_OPEN_READ_ONLY);
    g_assert_nonnull(image);
    g_assert_cmpuint(image_capacity(image), ==, capacity);
    g_assert_true(image_read(image, at, buffer, sizeof pattern, NULL));
    g_assert_true(memcmp(buffer, pattern, sizeof pattern) == 0);
    image_free(image);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Beside) beside = beside_new();
    g_autoptr(GByteArray) file = NULL;
    g_autofree uint8_t *buffer = g_malloc(READ_MAX);
    unsigned choices;
    Image *image;

    if (size <= CHOICES || size > FILE_MAX / 2)
        return 0;
    size -= CHOICES;
    choices = data[size] | (unsigned)data[size + 1] << 8;
    file = take_input(data, size, beside);
    seal(file);
    image = open_file(file, beside, IMAGE_OPEN_READ_ONLY);
    if (image == NULL)
        return 0;
    look(image, buffer);
    image_free(image);
    if ((image_format_find(FUZZ_FORMAT)->capabilities & IMAGE_CAN_WRITE) != 0)
        write_and_compare(file, beside, choices, buffer);
    return 0;
}
