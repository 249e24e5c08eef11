/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changing values in a VMDK descriptor. What keeps its length is replaced in its place, so that a
 * cut between two sectors leaves a text that can be read. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

bool
vmdk_descriptor_set(const Image *image, VmdkDescriptor *descriptor, const char *key,
                    const char *value, GError **error)
{
    g_autofree char *longer = NULL;
    const char *old = descriptor->text;
    size_t at, length;

    if (!vmdk_descriptor_find(descriptor, key, &at, &length))
        longer =
            g_strdup_printf("%s%s%s=\"%s\"\n", old,
                            *old != '\0' && old[strlen(old) - 1] != '\n' ? "\n" : "", key, value);
    else if (length != strlen(value))
        longer = g_strdup_printf("%.*s%s%s", (int)at, old, value, old + at + length);
    else
        memcpy(descriptor->text + at, value, length);
    if (longer == NULL)
        return true;
    if (strlen(longer) > descriptor->room) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "The descriptor of “%s” has no room for what is to be set.", image->io->name);
        return false;
    }
    memset(descriptor->text, 0, descriptor->room);
    memcpy(descriptor->text, longer, strlen(longer));
    return true;
}

static void
replace(VmdkDescriptor *descriptor, const char *key, const char *value)
{
    size_t at, length;

    if (vmdk_descriptor_find(descriptor, key, &at, &length) && length == strlen(value))
        memcpy(descriptor->text + at, value, length);
}

static void
replace_content_id(VmdkDescriptor *descriptor, const char *key, uint32_t id)
{
    char text[9];

    g_snprintf(text, sizeof text, "%08x", id);
    replace(descriptor, key, text);
}

void
vmdk_descriptor_renew(VmdkDescriptor *descriptor)
{
    const bool known = !image_uuid_is_null(&descriptor->modification);
    char uuid_text[IMAGE_UUID_TEXT_SIZE];
    g_autofree char *written = NULL;
    ImageUuid fresh;

    image_uuid_generate(&fresh);
    replace_content_id(descriptor, VMDK_KEY_CID, vmdk_content_id(&fresh));
    if (!known)
        return;
    image_uuid_to_text(&fresh, uuid_text);
    replace(descriptor, VMDK_KEY_MODIFICATION, uuid_text);
    written = vmdk_descriptor_value(descriptor, VMDK_KEY_MODIFICATION);
    image_uuid_from_text(written, &descriptor->modification);
}

static bool
set_uuid(const Image *image, VmdkDescriptor *descriptor, const char *key, const ImageUuid *uuid,
         GError **error)
{
    char text[IMAGE_UUID_TEXT_SIZE];

    if (uuid == NULL)
        return true;
    image_uuid_to_text(uuid, text);
    return vmdk_descriptor_set(image, descriptor, key, text, error);
}

/* A parent's name that is no longer true becomes a remark. */
static void
forget_parent(VmdkDescriptor *descriptor)
{
    size_t at, length;

    replace_content_id(descriptor, VMDK_KEY_PARENT_CID, VMDK_NO_PARENT);
    if (!vmdk_descriptor_find(descriptor, VMDK_KEY_PARENT_HINT, &at, &length))
        return;
    while (at > 0 && descriptor->text[at - 1] != '\n')
        at--;
    descriptor->text[at] = '#';
}

bool
vmdk_descriptor_write(Image *image, const VmdkDescriptor *descriptor, uint64_t position,
                      GError **error)
{
    return image_put(image, position, descriptor->text, descriptor->room, error);
}

/* An image that says that it has no parent by one key and names it by another is one with a parent,
 * so the order of the two is this. */
bool
vmdk_descriptor_set_uuids(Image *image, VmdkDescriptor *descriptor, uint64_t position,
                          const ImageUuidChange *change, GError **error)
{
    const ImageUuid none = {0};
    const bool becomes_base = change->parent != NULL && image_uuid_is_null(change->parent);

    if (becomes_base) {
        forget_parent(descriptor);
        if (!vmdk_descriptor_write(image, descriptor, position, error) || !image_sync(image, error))
            return false;
    } else if (change->parent_modification != NULL) {
        replace_content_id(descriptor, VMDK_KEY_PARENT_CID,
                           vmdk_content_id(change->parent_modification));
    }
    if (change->modification != NULL)
        replace_content_id(descriptor, VMDK_KEY_CID, vmdk_content_id(change->modification));
    return set_uuid(image, descriptor, VMDK_KEY_UUID, change->uuid, error) &&
           set_uuid(image, descriptor, VMDK_KEY_MODIFICATION, change->modification, error) &&
           set_uuid(image, descriptor, VMDK_KEY_PARENT, change->parent, error) &&
           set_uuid(image, descriptor, VMDK_KEY_PARENT_MODIFICATION,
                    becomes_base ? &none : change->parent_modification, error) &&
           vmdk_descriptor_write(image, descriptor, position, error) &&
           vmdk_descriptor_take(image, descriptor, error);
}

bool
vmdk_descriptor_set_comment(Image *image, VmdkDescriptor *descriptor, uint64_t position,
                            const char *comment, GError **error)
{
    g_autofree char *escaped = vmdk_escape_comment(comment);

    return vmdk_descriptor_set(image, descriptor, VMDK_KEY_COMMENT, escaped, error) &&
           vmdk_descriptor_write(image, descriptor, position, error) &&
           vmdk_descriptor_take(image, descriptor, error);
}

/* --- another size --- */

bool
vmdk_descriptor_last_extent(const char *text, size_t *start, size_t *length)
{
    bool found = false;

    for (const char *line = text; *line != '\0';) {
        const size_t line_length = strcspn(line, "\n");

        if (vmdk_descriptor_is_extent(line, line_length)) {
            *start = (size_t)(line - text);
            *length = line_length;
            found = true;
        }
        line += line_length + (line[line_length] == '\n');
    }
    return found;
}

/* The keys by which an image knows itself lie in one sector, if there is room for that. */
static void
align_uuids(VmdkDescriptor *descriptor)
{
    static const char *const keys[] = {VMDK_KEY_UUID, VMDK_KEY_PARENT, VMDK_KEY_MODIFICATION,
                                       VMDK_KEY_PARENT_MODIFICATION};
    const size_t size = strlen(descriptor->text);
    size_t first = SIZE_MAX, end = 0, pad;

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        size_t at, length;

        if (!vmdk_descriptor_find(descriptor, keys[i], &at, &length))
            return;
        while (at > 0 && descriptor->text[at - 1] != '\n')
            at--;
        first = MIN(first, at);
        end = MAX(end, at + strcspn(descriptor->text + at, "\n") + 1);
    }
    pad = VMDK_SECTOR - first % VMDK_SECTOR;
    if (first / VMDK_SECTOR == (end - 1) / VMDK_SECTOR || end - first > VMDK_SECTOR ||
        size + pad > descriptor->room)
        return;
    memmove(descriptor->text + first + pad, descriptor->text + first, size - first);
    memset(descriptor->text + first, '\n', pad);
}

bool
vmdk_descriptor_set_geometry(const Image *image, VmdkDescriptor *descriptor, uint64_t capacity,
                             GError **error)
{
    const ImageGeometry lchs = image_guess_lchs(capacity);
    const struct {
        const char *key;
        uint32_t value;
    } values[] = {
        {"ddb.geometry.cylinders", vmdk_cylinders(capacity)},
        {"ddb.geometry.biosCylinders", lchs.cylinders},
        {"ddb.geometry.biosHeads", lchs.heads},
        {"ddb.geometry.biosSectors", lchs.sectors},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *text = g_strdup_printf("%u", values[i].value);
        size_t at, length;

        if (vmdk_descriptor_find(descriptor, values[i].key, &at, &length) &&
            !vmdk_descriptor_set(image, descriptor, values[i].key, text, error))
            return false;
    }
    align_uuids(descriptor);
    return true;
}

char *
vmdk_descriptor_extent_line(const char *line, size_t length, uint64_t sectors)
{
    const size_t kind = strcspn(line, " ") + 1;
    const size_t behind = kind + strcspn(line + kind, " ");

    return g_strdup_printf("%.*s%" G_GUINT64_FORMAT "%.*s", (int)kind, line, sectors,
                           (int)(length - behind), line + behind);
}

bool
vmdk_descriptor_resize(const Image *image, VmdkDescriptor *descriptor, uint64_t capacity,
                       GError **error)
{
    const char *old = descriptor->text;
    g_autofree char *text = NULL;
    g_autofree char *line = NULL;
    size_t start, length;

    if (!vmdk_descriptor_last_extent(old, &start, &length))
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its VMDK descriptor names no part");
    line = vmdk_descriptor_extent_line(old + start, length, capacity / VMDK_SECTOR);
    text = g_strdup_printf("%.*s%s%s", (int)start, old, line, old + start + length);
    if (strlen(text) > descriptor->room)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                            "its descriptor has no room for the new size");
    memset(descriptor->text, 0, descriptor->room);
    memcpy(descriptor->text, text, strlen(text));
    return vmdk_descriptor_set_geometry(image, descriptor, capacity, error) &&
           vmdk_descriptor_take(image, descriptor, error);
}
