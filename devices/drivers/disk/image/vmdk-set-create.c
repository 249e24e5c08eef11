/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New VMDK images in several files. The descriptor is written last, and names what is complete. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

/* Of a split image, the part with that number from 1; 0: the only one. */
static char *
part_name(const char *file_name, bool flat, unsigned number)
{
    g_autofree char *base = g_path_get_basename(file_name);
    const size_t length = strlen(base);

    if (length > 5 && g_ascii_strcasecmp(base + length - 5, ".vmdk") == 0)
        base[length - 5] = '\0';
    if (number == 0)
        return g_strdup_printf("%s-flat.vmdk", base);
    return g_strdup_printf("%s-%c%03u.vmdk", base, flat ? 'f' : 's', number);
}

static uint64_t
part_sectors(const ImageCreateOptions *options)
{
    const uint64_t all = options->capacity / VMDK_SECTOR;

    return (options->kind & IMAGE_KIND_SPLIT) != 0 ? MIN(all, VMDK_PART_SECTORS) : all;
}

char **
image_part_names(const char *file_name, const ImageCreateOptions *options)
{
    const bool flat = options->variant == IMAGE_FIXED;
    const bool split = (options->kind & IMAGE_KIND_SPLIT) != 0;
    const uint64_t all = options->capacity / VMDK_SECTOR, each = part_sectors(options);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (g_ascii_strcasecmp(options->format, "VMDK") == 0 && (flat || split)) {
        for (unsigned i = 0; i * each < all; i++)
            g_ptr_array_add(names, part_name(file_name, flat, split ? i + 1 : 0));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

typedef struct {
    const ImageProgressSink *sink;
    double start, share;
} PartProgress;

static bool
report_part(void *user, double fraction)
{
    const PartProgress *part = user;
    const ImageProgressSink *sink = part->sink;

    return sink->callback == NULL ||
           sink->callback(sink->user, part->start + part->share * fraction);
}

bool
vmdk_set_create_part(const ImageCreateOptions *options, const char *name, uint64_t sectors,
                     const ImageProgressSink *sink, GError **error)
{
    g_autoptr(ImageIo) io = image_folder_open(options->folder, name, IMAGE_FILE_CREATE, error);
    ImageCreateOptions part = *options;

    if (io == NULL)
        return false;
    part.capacity = sectors * VMDK_SECTOR;
    return (options->variant == IMAGE_FIXED ? image_reserve(io, 0, part.capacity, sink, error)
                                            : vmdk_create_sparse(io, &part, NULL, error)) &&
           image_io_sync(io, error);
}

static bool
create_parts(const ImageCreateOptions *options, char **names, GString *lines,
             const ImageProgressSink *sink, GError **error)
{
    const uint64_t all = options->capacity / VMDK_SECTOR, each = part_sectors(options);
    const bool flat = options->variant == IMAGE_FIXED;

    for (unsigned i = 0; names[i] != NULL; i++) {
        const uint64_t sectors = MIN(each, all - i * each);
        PartProgress progress = {sink, (double)(i * each) / (double)all,
                                 (double)sectors / (double)all};
        const ImageProgressSink part_sink = {report_part, &progress};

        if (!vmdk_set_create_part(options, names[i], sectors, &part_sink, error))
            return false;
        g_string_append_printf(lines, "RW %" G_GUINT64_FORMAT " %s \"%s\"%s\n", sectors,
                               flat ? "FLAT" : "SPARSE", names[i], flat ? " 0" : "");
    }
    return true;
}

static const char *
type_name(const ImageCreateOptions *options)
{
    if ((options->kind & IMAGE_KIND_SPLIT) == 0)
        return "monolithicFlat";
    return options->variant == IMAGE_FIXED ? "twoGbMaxExtentFlat" : "twoGbMaxExtentSparse";
}

bool
vmdk_set_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
                GError **error)
{
    g_auto(GStrv) names = image_part_names(io->name, options);
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *text = NULL;

    for (unsigned i = 0; names[i] != NULL; i++) {
        if (!vmdk_is_plain_name(names[i])) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                        "“%s” can't be the name of a file that a VMDK descriptor names.", names[i]);
            return false;
        }
    }
    if (!create_parts(options, names, lines, sink, error))
        return false;
    text = vmdk_descriptor_text(io->name, type_name(options), lines->str, options);
    return image_io_write(io, 0, text, strlen(text), error);
}
