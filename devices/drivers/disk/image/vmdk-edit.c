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
