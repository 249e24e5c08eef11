/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading the descriptor of a VMDK image: lines of "key = value", where values may stand in quotes,
 * and lines that name extents. Virtual Disk Format 5.0, "The Descriptor File". The keys ddb.uuid.*
 * tell an image and its parent apart; the parent's file name is written and never followed. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

/* The value in a line whose key fits. */
static bool
value_in_line(const char *line, size_t length, const char *key, size_t *value, size_t *value_length)
{
    const size_t key_length = strlen(key);
    const char *end = line + length, *at = line;

    while (at < end && g_ascii_isspace(*at))
        at++;
    if ((size_t)(end - at) < key_length || g_ascii_strncasecmp(at, key, key_length) != 0)
        return false;
    at += key_length;
    while (at < end && g_ascii_isspace(*at))
        at++;
    if (at == end || *at != '=')
        return false;
    at++;
    while (at < end && g_ascii_isspace(*at))
        at++;
    while (end > at && g_ascii_isspace(end[-1]))
        end--;
    if (end - at >= 2 && *at == '"' && end[-1] == '"') {
        at++;
        end--;
    }
    *value = (size_t)(at - line);
    *value_length = (size_t)(end - at);
    return true;
}

bool
vmdk_descriptor_find(const VmdkDescriptor *descriptor, const char *key, size_t *at, size_t *length)
{
    const char *text = descriptor->text;

    for (const char *line = text; *line != '\0';) {
        const size_t line_length = strcspn(line, "\n");

        if (value_in_line(line, line_length, key, at, length)) {
            *at += (size_t)(line - text);
            return true;
        }
        line += line_length + (line[line_length] == '\n');
    }
    return false;
}

char *
vmdk_descriptor_value(const VmdkDescriptor *descriptor, const char *key)
{
    size_t at, length;

    return vmdk_descriptor_find(descriptor, key, &at, &length)
               ? g_strndup(descriptor->text + at, length)
               : NULL;
}

static uint32_t
number_of(const VmdkDescriptor *descriptor, const char *key, unsigned base, uint32_t missing)
{
    g_autofree char *value = vmdk_descriptor_value(descriptor, key);
    guint64 number;

    if (value == NULL || !g_ascii_string_to_unsigned(value, base, 0, G_MAXUINT32, &number, NULL))
        return missing;
    return (uint32_t)number;
}

/* Null when there is none or it can't be read. */
static ImageUuid
uuid_of(const VmdkDescriptor *descriptor, const char *key)
{
    g_autofree char *value = vmdk_descriptor_value(descriptor, key);
    ImageUuid uuid = {0};

    if (value != NULL)
        image_uuid_from_text(value, &uuid);
    return uuid;
}

/* --- extents --- */

static void
extent_free(gpointer data)
{
    VmdkExtent *extent = data;

    g_free(extent->kind);
    g_free(extent->name);
    g_free(extent);
}

/* The name in quotes, and behind it perhaps a number. */
static void
take_name(VmdkExtent *extent, const char *rest)
{
    const char *start = strchr(rest, '"'), *end = start != NULL ? strchr(start + 1, '"') : NULL;

    if (end == NULL)
        return;
    extent->name = g_strndup(start + 1, (gsize)(end - start - 1));
    extent->offset = g_ascii_strtoull(end + 1, NULL, 10);
}

bool
vmdk_descriptor_is_extent(const char *line, size_t length)
{
    static const char *const access[] = {"RW ", "RDONLY "};

    for (unsigned i = 0; i < G_N_ELEMENTS(access); i++) {
        const size_t size = strlen(access[i]);

        if (length > size && memcmp(line, access[i], size) == 0)
            return memchr(line + size, ' ', length - size) != NULL;
    }
    return false;
}

/* NULL: the line is of another kind. */
static VmdkExtent *
extent_in_line(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 4);
    guint64 sectors = 0;
    VmdkExtent *extent;

    if (!vmdk_descriptor_is_extent(line, strlen(line)))
        return NULL;
    extent = g_new0(VmdkExtent, 1);
    if (g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXINT64, &sectors, NULL))
        extent->sectors = sectors;
    extent->kind = g_strstrip(g_strdup(words[2]));
    if (words[3] != NULL)
        take_name(extent, words[3]);
    return extent;
}

GPtrArray *
vmdk_descriptor_extents(const Image *image, const VmdkDescriptor *descriptor, unsigned most,
                        GError **error)
{
    g_autoptr(GPtrArray) extents = g_ptr_array_new_with_free_func(extent_free);

    for (const char *line = descriptor->text; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        g_autofree char *copy = g_strndup(line, length);
        VmdkExtent *extent = extent_in_line(copy);

        if (extent != NULL)
            g_ptr_array_add(extents, extent);
        if (extents->len > most) {
            image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                         "its VMDK descriptor names more files than can be opened");
            return NULL;
        }
        line += length + (line[length] == '\n');
    }
    return g_steal_pointer(&extents);
}

/* --- values --- */

static ImageGeometry
geometry_of(const VmdkDescriptor *descriptor)
{
    const ImageGeometry lchs = {
        number_of(descriptor, "ddb.geometry.biosCylinders", 10, 0),
        number_of(descriptor, "ddb.geometry.biosHeads", 10, 0),
        number_of(descriptor, "ddb.geometry.biosSectors", 10, 0),
    };

    if (lchs.cylinders == 0 || lchs.cylinders > 1024 || lchs.heads == 0 || lchs.heads > 255 ||
        lchs.sectors == 0 || lchs.sectors > 63)
        return (ImageGeometry){0};
    return lchs;
}

bool
vmdk_descriptor_take(const Image *image, VmdkDescriptor *descriptor, GError **error)
{
    g_autofree char *comment = vmdk_descriptor_value(descriptor, VMDK_KEY_COMMENT);
    g_autofree char *plain = comment != NULL ? g_strcompress(comment) : g_strdup("");

    g_free(descriptor->comment);
    descriptor->comment = g_utf8_make_valid(plain, -1);
    descriptor->uuid = uuid_of(descriptor, VMDK_KEY_UUID);
    descriptor->modification = uuid_of(descriptor, VMDK_KEY_MODIFICATION);
    descriptor->parent = uuid_of(descriptor, VMDK_KEY_PARENT);
    descriptor->parent_modification = uuid_of(descriptor, VMDK_KEY_PARENT_MODIFICATION);
    descriptor->lchs = geometry_of(descriptor);
    if (image_uuid_is_null(&descriptor->parent) &&
        number_of(descriptor, VMDK_KEY_PARENT_CID, 16, VMDK_NO_PARENT) != VMDK_NO_PARENT)
        return image_refuse(
            error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
            "it stands on another image that it knows by a file name only, and names of "
            "other files are not followed. Merge the two with “qemu-img convert”");
    return true;
}

bool
vmdk_descriptor_load(Image *image, VmdkDescriptor *descriptor, uint64_t position, size_t size,
                     size_t room, GError **error)
{
    descriptor->text = g_malloc0(room + 1);
    descriptor->room = room;
    return image_io_read(image->io, position, descriptor->text, size, error) &&
           vmdk_descriptor_take(image, descriptor, error);
}

void
vmdk_descriptor_clear(VmdkDescriptor *descriptor)
{
    g_clear_pointer(&descriptor->text, g_free);
    g_clear_pointer(&descriptor->comment, g_free);
}

void
vmdk_descriptor_get_info(const VmdkDescriptor *descriptor, ImageInfo *info)
{
    info->lchs = descriptor->lchs;
    info->uuid = descriptor->uuid;
    info->modification = descriptor->modification;
    info->parent = descriptor->parent;
    info->parent_modification = descriptor->parent_modification;
    info->comment = descriptor->comment;
}
