/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The descriptor of a VMDK image: lines of "key = value", where values may stand in quotes. Virtual
 * Disk Format 5.0, "The Descriptor File". The keys ddb.uuid.* tell an image and its parent apart;
 * file names in it are written and never followed. A session changes values in their place and at
 * their length, so that a cut between two sectors leaves a text that can be read. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

#define COMMENT_MAX 256
#define HINT_MAX 2048
#define KEY_COMMENT "ddb.comment"
#define KEY_UUID "ddb.uuid.image"
#define KEY_MODIFICATION "ddb.uuid.modification"
#define KEY_PARENT "ddb.uuid.parent"
#define KEY_PARENT_MODIFICATION "ddb.uuid.parentmodification"

/* Where in the text a value is. */
typedef struct {
    size_t at;
    size_t length;
} Span;

/* The value in a line whose key fits. */
static bool
value_in_line(const char *line, size_t length, const char *key, Span *span)
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
    *span = (Span){(size_t)(at - line), (size_t)(end - at)};
    return true;
}

static bool
find(const char *text, const char *key, Span *span)
{
    for (const char *line = text; *line != '\0';) {
        const size_t length = strcspn(line, "\n");

        if (value_in_line(line, length, key, span)) {
            span->at += (size_t)(line - text);
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}

/* NULL without such a key. */
static char *
value_of(const char *text, const char *key)
{
    Span span;

    return find(text, key, &span) ? g_strndup(text + span.at, span.length) : NULL;
}

static uint32_t
number_of(const char *text, const char *key, unsigned base, uint32_t missing)
{
    g_autofree char *value = value_of(text, key);
    guint64 number;

    if (value == NULL || !g_ascii_string_to_unsigned(value, base, 0, G_MAXUINT32, &number, NULL))
        return missing;
    return (uint32_t)number;
}

/* Null when there is none or it can't be read. */
static ImageUuid
uuid_of(const char *text, const char *key)
{
    g_autofree char *value = value_of(text, key);
    ImageUuid uuid = {0};

    if (value != NULL)
        image_uuid_from_text(value, &uuid);
    return uuid;
}

static bool
check_type(const Image *image, const VmdkState *vmdk, GError **error)
{
    g_autofree char *type = value_of(vmdk->descriptor, "createType");
    const char *expected = vmdk_is_compressed(vmdk) ? "streamOptimized" : "monolithicSparse";

    if (type == NULL)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its descriptor is damaged: it does not say what kind of VMDK it is");
    if (g_ascii_strcasecmp(type, expected) == 0)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                "“%s” is a VMDK image of the kind “%s”, which is not read here. Convert it to VDI "
                "or to a VMDK in one file.",
                image->io->name, type);
    return false;
}

/* One extent, in this file, of the size that the header has too. */
static bool
check_extents(const Image *image, const VmdkState *vmdk, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(vmdk->descriptor, "\n", -1);
    unsigned extents = 0;
    guint64 sectors = 0;

    for (unsigned i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", 4);

        if (g_strv_length(words) < 3 ||
            (strcmp(words[0], "RW") != 0 && strcmp(words[0], "RDONLY") != 0))
            continue;
        if (strcmp(words[2], "SPARSE") != 0 || extents++ > 0)
            return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                                "its VMDK descriptor names other files, which are not followed");
        if (!g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXUINT64, &sectors, NULL))
            sectors = 0;
    }
    if (extents == 0 || sectors != vmdk->header.capacity)
        return image_refuse(
            error, BASE_ERROR_CORRUPT, image->io->name,
            "its VMDK descriptor and its header contradict each other about its size");
    return true;
}

static bool
take_values(const Image *image, VmdkState *vmdk, GError **error)
{
    const char *text = vmdk->descriptor;
    g_autofree char *comment = value_of(text, KEY_COMMENT);
    g_autofree char *plain = comment != NULL ? g_strcompress(comment) : g_strdup("");

    vmdk->comment = g_utf8_make_valid(plain, -1);
    vmdk->uuid = uuid_of(text, KEY_UUID);
    vmdk->modification = uuid_of(text, KEY_MODIFICATION);
    vmdk->parent = uuid_of(text, KEY_PARENT);
    vmdk->parent_modification = uuid_of(text, KEY_PARENT_MODIFICATION);
    vmdk->lchs = (ImageGeometry){
        number_of(text, "ddb.geometry.biosCylinders", 10, 0),
        number_of(text, "ddb.geometry.biosHeads", 10, 0),
        number_of(text, "ddb.geometry.biosSectors", 10, 0),
    };
    if (vmdk->lchs.cylinders == 0 || vmdk->lchs.cylinders > 1024 || vmdk->lchs.heads == 0 ||
        vmdk->lchs.heads > 255 || vmdk->lchs.sectors == 0 || vmdk->lchs.sectors > 63)
        vmdk->lchs = (ImageGeometry){0};
    if (image_uuid_is_null(&vmdk->parent) &&
        number_of(text, "parentCID", 16, VMDK_NO_PARENT) != VMDK_NO_PARENT)
        return image_refuse(
            error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
            "it stands on another image that it knows by a file name only, and names of "
            "other files are not followed. Merge the two with “qemu-img convert”");
    return true;
}

bool
vmdk_descriptor_load(Image *image, VmdkState *vmdk, GError **error)
{
    const size_t size = vmdk->header.descriptor_size * VMDK_SECTOR;
    const uint64_t position = vmdk->header.descriptor * VMDK_SECTOR;

    if (position > vmdk->file_end || size > vmdk->file_end - position)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "it is damaged: its descriptor lies past the end of the file");
    vmdk->descriptor = g_malloc0(size + 1);
    return image_io_read(image->io, position, vmdk->descriptor, size, error) &&
           check_type(image, vmdk, error) && check_extents(image, vmdk, error) &&
           take_values(image, vmdk, error);
}

uint32_t
vmdk_content_id(const ImageUuid *modification)
{
    const uint8_t *bytes = modification->bytes;
    const uint32_t id =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];

    /* The highest two have a meaning of their own. */
    return MIN(id, VMDK_NO_PARENT - 2);
}

static void
replace(char *text, const char *key, const char *value)
{
    Span span;

    if (find(text, key, &span) && span.length == strlen(value))
        memcpy(text + span.at, value, span.length);
}

void
vmdk_descriptor_renew(VmdkState *vmdk)
{
    const bool known = !image_uuid_is_null(&vmdk->modification);
    char uuid_text[IMAGE_UUID_TEXT_SIZE], id_text[9];
    ImageUuid fresh;

    image_uuid_generate(&fresh);
    image_uuid_to_text(&fresh, uuid_text);
    g_snprintf(id_text, sizeof id_text, "%08x", vmdk_content_id(&fresh));
    replace(vmdk->descriptor, "CID", id_text);
    if (!known)
        return;
    replace(vmdk->descriptor, KEY_MODIFICATION, uuid_text);
    vmdk->modification = uuid_of(vmdk->descriptor, KEY_MODIFICATION);
}

/* --- new images --- */

static void
add_uuid(GString *text, const char *key, const ImageUuid *uuid)
{
    char uuid_text[IMAGE_UUID_TEXT_SIZE];

    image_uuid_to_text(uuid, uuid_text);
    g_string_append_printf(text, "%s=\"%s\"\n", key, uuid_text);
}

/* As a C string has it, but for letters beyond ASCII; cut between two of them when it is long. */
static void
add_comment(GString *text, const char *comment)
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
    g_autofree char *escaped = g_strescape(cut, high);
    g_string_append_printf(text, "%s=\"%s\"\n", KEY_COMMENT, escaped);
}

/* A name that could end its line or its quotes is left out. */
static bool
is_plain_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '"' || g_ascii_iscntrl(*at))
            return false;
    }
    return strlen(name) < HINT_MAX;
}

static void
add_parent(GString *text, const char *file_name, const ImageCreateOptions *options)
{
    const bool differs = options->variant == IMAGE_DIFFERENCING;
    g_autofree char *hint = NULL;

    g_string_append_printf(text, "parentCID=%08x\n",
                           differs ? vmdk_content_id(&options->parent_modification)
                                   : VMDK_NO_PARENT);
    g_string_append(text, "createType=\"monolithicSparse\"\n");
    if (differs && options->parent_path != NULL)
        hint = image_relative_path(file_name, options->parent_path);
    if (hint != NULL && is_plain_name(hint))
        g_string_append_printf(text, "parentFileNameHint=\"%s\"\n", hint);
}

/* ATA's geometry, of which many programs ask for the cylinders only. */
static void
add_geometry(GString *text, uint64_t capacity)
{
    const ImageGeometry lchs = image_guess_lchs(capacity);

    g_string_append_printf(text,
                           "ddb.geometry.cylinders=\"%u\"\nddb.geometry.heads=\"16\"\n"
                           "ddb.geometry.sectors=\"63\"\nddb.geometry.biosCylinders=\"%u\"\n"
                           "ddb.geometry.biosHeads=\"%u\"\nddb.geometry.biosSectors=\"%u\"\n",
                           (unsigned)CLAMP(capacity / VMDK_SECTOR / (16 * 63), 1, 16383),
                           lchs.cylinders, lchs.heads, lchs.sectors);
}

char *
vmdk_descriptor_text(const char *file_name, const ImageCreateOptions *options)
{
    GString *text = g_string_new("# Disk DescriptorFile\nversion=1\n");
    g_autofree char *base_name = g_path_get_basename(file_name);
    ImageUuid modification;

    image_uuid_generate(&modification);
    g_string_append_printf(text, "CID=%08x\n", vmdk_content_id(&modification));
    add_parent(text, file_name, options);
    g_string_append_printf(text, "\n# Extent description\nRW %" G_GUINT64_FORMAT " SPARSE \"%s\"\n",
                           options->capacity / VMDK_SECTOR,
                           is_plain_name(base_name) ? base_name : "disk.vmdk");
    g_string_append(text, "\n# The disk Data Base\n#DDB\n\nddb.virtualHWVersion = \"4\"\n"
                          "ddb.adapterType=\"ide\"\n");
    add_geometry(text, options->capacity);
    add_uuid(text, KEY_UUID, &options->uuid);
    add_uuid(text, KEY_PARENT, &options->parent);
    add_uuid(text, KEY_MODIFICATION, &modification);
    add_uuid(text, KEY_PARENT_MODIFICATION, &options->parent_modification);
    if (options->comment[0] != '\0')
        add_comment(text, options->comment);
    return g_string_free(text, FALSE);
}
