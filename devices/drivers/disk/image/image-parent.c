/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chains: which image may stand on which, and where a parent's file is from its child. */
#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

static bool
same_uuid(const Image *child, const Image *parent, const char *what, const ImageUuid *wanted,
          const ImageUuid *found, GError **error)
{
    char wanted_text[IMAGE_UUID_TEXT_SIZE], found_text[IMAGE_UUID_TEXT_SIZE];

    /* A format that keeps none of that kind says nothing about it. */
    if (image_uuid_is_null(wanted) || image_uuid_is_null(found) || image_uuid_equal(wanted, found))
        return true;
    image_uuid_to_text(wanted, wanted_text);
    image_uuid_to_text(found, found_text);
    g_set_error(
        error, BASE_ERROR, BASE_ERROR_INVALID,
        "“%s” was made for a parent with the %s {%s}, but “%s” has {%s}. If it is the right "
        "parent and was not written to since, set that UUID with “vitrine-manage "
        "internalcommands sethdparentuuid”.",
        child->io->name, what, wanted_text, parent->io->name, found_text);
    return false;
}

bool
image_check_parent(Image *child, Image *parent, GError **error)
{
    ImageInfo below, above;

    image_get_info(child, &above);
    image_get_info(parent, &below);
    if (above.variant != IMAGE_DIFFERENCING) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "“%s” is no differencing image, so it has no parent.", child->io->name);
        return false;
    }
    return same_uuid(child, parent, "UUID", &above.parent, &below.uuid, error) &&
           same_uuid(child, parent, "modification UUID", &above.parent_modification,
                     &below.modification, error);
}

bool
image_attach_parent(Image *child, Image *parent, GError **error)
{
    unsigned depth = 1;

    for (Image *level = parent; level != NULL; level = level->parent)
        depth++;
    if (depth > IMAGE_CHAIN_MAX) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "“%s” stands on a chain of more than %d images.", child->io->name,
                    IMAGE_CHAIN_MAX);
        return false;
    }
    if (!image_check_parent(child, parent, error))
        return false;
    child->parent = parent;
    child->chain_concurrent = child->concurrent && parent->chain_concurrent;
    return true;
}

char *
image_relative_path(const char *from, const char *to)
{
    g_autofree char *from_path = g_canonicalize_filename(from, NULL);
    g_autofree char *to_path = g_canonicalize_filename(to, NULL);
    g_auto(GStrv) a = g_strsplit(from_path, G_DIR_SEPARATOR_S, -1);
    g_auto(GStrv) b = g_strsplit(to_path, G_DIR_SEPARATOR_S, -1);
    GString *result = g_string_new(NULL);
    unsigned common = 0;

    while (a[common] != NULL && b[common] != NULL && strcmp(a[common], b[common]) == 0)
        common++;
    if (b[common] == NULL || a[common] == NULL) {
        g_string_free(result, TRUE); /* one is the other, or lies in it */
        return NULL;
    }
    if (a[common + 1] == NULL)
        g_string_append(result, "./");
    for (unsigned i = common; a[i + 1] != NULL; i++)
        g_string_append(result, "../");
    for (unsigned i = common; b[i] != NULL; i++)
        g_string_append_printf(result, i == common ? "%s" : "/%s", b[i]);
    return g_string_free(result, FALSE);
}
