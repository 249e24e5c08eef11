/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The text of a new VMDK image's descriptor. Virtual Disk Format 5.0, "The Descriptor File". The
 * keys by which an image knows itself and its parent lie in one sector, so that changing them is
 * done whole or not at all. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

#define COMMENT_MAX 256
#define HINT_MAX 2048

uint32_t
vmdk_content_id(const ImageUuid *modification)
{
    const uint8_t *bytes = modification->bytes;
    const uint32_t id =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];

    /* The highest two have a meaning of their own. */
    return MIN(id, VMDK_NO_PARENT - 2);
}

/* As a C string has it, but for letters beyond ASCII; cut between two of them when it is long. */
char *
vmdk_escape_comment(const char *comment)
{
    char cut[COMMENT_MAX];
    char high[129];
    const char *end;

    g_strlcpy(cut, comment, sizeof cut);
    if (!g_utf8_validate(cut, -1, &end))
        cut[end - cut] = '\0';
    for (unsigned i = 0; i < 128; i++)
        high[i] = (char)(128 + i);
    high[128] = '\0';
    return g_strescape(cut, high);
}

static void
add_uuid(GString *text, const char *key, const ImageUuid *uuid)
{
    char uuid_text[IMAGE_UUID_TEXT_SIZE];

    image_uuid_to_text(uuid, uuid_text);
    g_string_append_printf(text, "%s=\"%s\"\n", key, uuid_text);
}

/* A name that could end its line or its quotes is left out. */
bool
vmdk_is_plain_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '"' || g_ascii_iscntrl(*at))
            return false;
    }
    return strlen(name) < HINT_MAX;
}

static void
add_parent(GString *text, const char *file_name, const char *type,
           const ImageCreateOptions *options)
{
    const bool differs = options->variant == IMAGE_DIFFERENCING;
    g_autofree char *hint = NULL;

    g_string_append_printf(text, "parentCID=%08x\n",
                           differs ? vmdk_content_id(&options->parent_modification)
                                   : VMDK_NO_PARENT);
    g_string_append_printf(text, "createType=\"%s\"\n", type);
    if (differs && options->parent_path != NULL)
        hint = image_relative_path(file_name, options->parent_path);
    if (hint != NULL && vmdk_is_plain_name(hint))
        g_string_append_printf(text, "parentFileNameHint=\"%s\"\n", hint);
}

static void
add_geometry(GString *text, uint64_t capacity)
{
    const ImageGeometry lchs = image_guess_lchs(capacity);

    g_string_append_printf(text,
                           "ddb.geometry.cylinders=\"%u\"\nddb.geometry.heads=\"16\"\n"
                           "ddb.geometry.sectors=\"63\"\nddb.geometry.biosCylinders=\"%u\"\n"
                           "ddb.geometry.biosHeads=\"%u\"\nddb.geometry.biosSectors=\"%u\"\n",
                           vmdk_cylinders(capacity), lchs.cylinders, lchs.heads, lchs.sectors);
}

static void
add_uuids(GString *text, const ImageUuid *modification, const ImageCreateOptions *options)
{
    GString *lines = g_string_new(NULL);

    add_uuid(lines, VMDK_KEY_UUID, &options->uuid);
    add_uuid(lines, VMDK_KEY_PARENT, &options->parent);
    add_uuid(lines, VMDK_KEY_MODIFICATION, modification);
    add_uuid(lines, VMDK_KEY_PARENT_MODIFICATION, &options->parent_modification);
    while (text->len % VMDK_SECTOR + lines->len > VMDK_SECTOR)
        g_string_append_c(text, '\n');
    g_string_append(text, lines->str);
    g_string_free(lines, TRUE);
}

char *
vmdk_descriptor_text(const char *file_name, const char *type, const char *extents,
                     const ImageCreateOptions *options)
{
    GString *text = g_string_new("# Disk DescriptorFile\nversion=1\n");
    ImageUuid modification;

    image_uuid_generate(&modification);
    g_string_append_printf(text, "CID=%08x\n", vmdk_content_id(&modification));
    add_parent(text, file_name, type, options);
    g_string_append_printf(text, "\n# Extent description\n%s", extents);
    g_string_append(text, "\n# The disk Data Base\n#DDB\n\nddb.virtualHWVersion = \"4\"\n"
                          "ddb.adapterType=\"ide\"\n");
    add_geometry(text, options->capacity);
    add_uuids(text, &modification, options);
    if (options->comment[0] != '\0') {
        g_autofree char *comment = vmdk_escape_comment(options->comment);

        g_string_append_printf(text, "%s=\"%s\"\n", VMDK_KEY_COMMENT, comment);
    }
    return g_string_free(text, FALSE);
}
