/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making VMDK images in several files larger: the last part grows as far as a part may, then parts
 * come behind it, one after the other. Each time the file is complete and synced before one line of
 * the descriptor says so, and that line lies in one sector, which a disk writes whole or not at
 * all. So a cut leaves the disk with the old size, the new one, or one between at which a part
 * ends. Room for lines comes first: of what stands behind them a copy goes further back, and then
 * the original becomes empty lines; of a key that is there twice the first counts. Virtual Disk
 * Format 5.0, "The Descriptor File". */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

/* Empty lines behind the last part's: for the next lines, each of which may have to begin with a
 * sector. */
#define GAP 2048u
#define LONGEST_LINE 400u

/* What is to be done; sizes in bytes. */
typedef struct {
    uint64_t last;    /* how large the last part becomes */
    uint64_t missing; /* in parts that are added */
    bool sparse;
} Plan;

static bool
in_one_sector(size_t start, size_t end)
{
    return start / VMDK_SECTOR == (end - 1) / VMDK_SECTOR;
}

/* --- the plan --- */

static const VmdkExtent *
last_of(const GPtrArray *extents)
{
    return extents->pdata[extents->len - 1];
}

static VmdkPart *
last_part(const VmdkSet *set)
{
    return &g_array_index(set->parts, VmdkPart, set->parts->len - 1);
}

/* As far as one file may grow; a disk that is one flat file stays that. */
static uint64_t
limit_of(const VmdkSet *set)
{
    g_autofree char *type = vmdk_descriptor_value(&set->descriptor, "createType");

    return type != NULL && g_ascii_strcasecmp(type, "monolithicFlat") == 0
               ? G_MAXINT64
               : VMDK_PART_SECTORS * VMDK_SECTOR;
}

/* Whether the last part's line can have that size and be in one sector. */
static bool
line_can_grow(const VmdkSet *set, uint64_t bytes)
{
    const char *text = set->descriptor.text;
    g_autofree char *line = NULL;
    size_t start, length;

    if (!vmdk_descriptor_last_extent(text, &start, &length))
        return false;
    line = vmdk_descriptor_extent_line(text + start, length, bytes / VMDK_SECTOR);
    return in_one_sector(start, start + MAX(length, strlen(line)));
}

static bool
make_plan(Image *image, const GPtrArray *extents, uint64_t capacity, Plan *plan, GError **error)
{
    const VmdkSet *set = image->state;
    const uint64_t length = last_part(set)->length, limit = limit_of(set);
    const uint64_t more = capacity - image->capacity, each = VMDK_PART_SECTORS * VMDK_SECTOR;

    *plan = (Plan){.last = length, .sparse = strcmp(last_of(extents)->kind, "SPARSE") == 0};
    if (length < limit && line_can_grow(set, MIN(limit, length + more)))
        plan->last = MIN(limit, length + more);
    plan->missing = more - (plan->last - length);
    if (plan->missing > 0 && limit == G_MAXINT64)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                            "its descriptor has no room for the new size");
    if (set->parts->len + (plan->missing + each - 1) / each > VMDK_PARTS_MAX)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                            "a disk of that size would have more files than can be opened");
    return true;
}

/* "disk-s002.vmdk" after "disk-s001.vmdk", if the last one is called like that. */
static char *
next_name(const Image *image, const char *last, bool sparse, unsigned number)
{
    g_autofree char *base = g_path_get_basename(image->io->name);
    const size_t length = strlen(base);
    const char *dash = strrchr(last, '-');
    const size_t digits = dash != NULL && dash[1] != '\0' ? strspn(dash + 2, "0123456789") : 0;

    if (digits >= 3 && digits < 9 && g_ascii_strcasecmp(dash + 2 + digits, ".vmdk") == 0)
        return g_strdup_printf("%.*s%03u%s", (int)(dash + 2 - last), last,
                               (unsigned)g_ascii_strtoull(dash + 2, NULL, 10) + 1,
                               dash + 2 + digits);
    if (length > 5 && g_ascii_strcasecmp(base + length - 5, ".vmdk") == 0)
        base[length - 5] = '\0';
    return g_strdup_printf("%s-%c%03u.vmdk", base, sparse ? 's' : 'f', number);
}

static bool
is_taken(const GPtrArray *extents, const char *name)
{
    for (guint i = 0; i < extents->len; i++) {
        const VmdkExtent *extent = extents->pdata[i];

        if (g_strcmp0(extent->name, name) == 0)
            return true;
    }
    return false;
}

static GPtrArray *
name_parts(const Image *image, const GPtrArray *extents, const Plan *plan, GError **error)
{
    const uint64_t each = VMDK_PART_SECTORS * VMDK_SECTOR;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *last = last_of(extents)->name;

    for (uint64_t at = 0; at < plan->missing; at += each) {
        g_autofree char *name = next_name(image, last, plan->sparse, extents->len + names->len + 1);

        if (!vmdk_is_plain_name(name) || strlen(name) > LONGEST_LINE - 64 ||
            is_taken(extents, name)) {
            image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                         "its last file is called so that no name for the next one is free");
            return NULL;
        }
        last = name;
        g_ptr_array_add(names, g_steal_pointer(&name));
    }
    return g_steal_pointer(&names);
}

char **
image_resize_part_names(Image *image, uint64_t capacity, GError **error)
{
    g_autoptr(GPtrArray) extents = NULL;
    g_autoptr(GPtrArray) names = NULL;
    const VmdkSet *set = image->state;
    Plan plan;

    if (image->format->resize != vmdk_set_resize || capacity <= image->capacity)
        return g_new0(char *, 1);
    extents = vmdk_descriptor_extents(image, &set->descriptor, VMDK_PARTS_MAX, error);
    if (extents == NULL || !make_plan(image, extents, capacity, &plan, error))
        return NULL;
    names = name_parts(image, extents, &plan, error);
    if (names == NULL)
        return NULL;
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

/* --- the descriptor --- */

static bool
put_text(Image *image, const VmdkSet *set, size_t start, size_t end, GError **error)
{
    return image_put(image, start, set->descriptor.text + start, end - start, error) &&
           image_sync(image, error);
}

static void
take_text(VmdkDescriptor *descriptor, const GString *text)
{
    g_free(descriptor->text);
    descriptor->room = text->len + VMDK_SPARE;
    descriptor->text = g_malloc0(descriptor->room + 1);
    memcpy(descriptor->text, text->str, text->len);
}

/* Lines that are there a second time, further back, become empty ones, one sector after the other.
 * The rest of a line that goes on in the next sector is a remark meanwhile. */
static bool
blank(Image *image, const VmdkSet *set, size_t start, size_t end, GError **error)
{
    char *text = set->descriptor.text;

    for (size_t at = start, next; at < end; at = next) {
        next = MIN((at / VMDK_SECTOR + 1) * VMDK_SECTOR, end);
        memset(text + at, '\n', next - at);
        if (next < end)
            text[next - 1] = '#';
        if (!put_text(image, set, at, next, error))
            return false;
    }
    memset(text + start, '\n', end - start);
    return end == start || put_text(image, set, start, end, error);
}

/* What stands behind the last part's line, as it is to be for that capacity, at `from`. */
static char *
tail_for(const Image *image, const char *old, size_t from, uint64_t capacity, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    VmdkDescriptor tail = {0};
    char *result;

    while (text->len < from)
        g_string_append_c(text, '\n');
    g_string_append(text, old);
    take_text(&tail, text);
    if (!vmdk_descriptor_set_geometry(image, &tail, capacity, error)) {
        vmdk_descriptor_clear(&tail);
        return NULL;
    }
    result = g_strdup(tail.text + from);
    vmdk_descriptor_clear(&tail);
    return result;
}

static bool
make_room(Image *image, VmdkSet *set, uint64_t capacity, GError **error)
{
    g_autoptr(GString) text = g_string_new(set->descriptor.text);
    const size_t old = text->len;
    g_autofree char *tail = NULL;
    size_t start, length, behind, from;

    if (!vmdk_descriptor_last_extent(text->str, &start, &length))
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its VMDK descriptor names no part");
    behind = start + length;
    from = MAX(old + 1, behind + GAP);
    tail = tail_for(image, text->str + behind + strspn(text->str + behind, "\n"), from, capacity,
                    error);
    if (tail == NULL)
        return false;
    while (text->len < from)
        g_string_append_c(text, '\n');
    g_string_append(text, tail);
    take_text(&set->descriptor, text);
    /* A program may have left zeros behind the text, and more behind them. */
    return image_io_truncate(image->io, old, error) &&
           put_text(image, set, old, text->len, error) &&
           (behind >= old || blank(image, set, behind + 1, old, error));
}

static bool
grow_line(Image *image, VmdkSet *set, uint64_t bytes, GError **error)
{
    char *text = set->descriptor.text;
    g_autofree char *line = NULL;
    size_t start, length, whole;

    if (!vmdk_descriptor_last_extent(text, &start, &length))
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its VMDK descriptor names no part");
    line = vmdk_descriptor_extent_line(text + start, length, bytes / VMDK_SECTOR);
    whole = MAX(length, strlen(line));
    memset(text + start, '\n', whole);
    memcpy(text + start, line, strlen(line));
    return put_text(image, set, start, start + whole, error);
}

/* Among the empty lines behind the last part's. */
static bool
find_place(const VmdkSet *set, size_t size, size_t *at)
{
    const char *text = set->descriptor.text;
    size_t start, length, behind;

    if (!vmdk_descriptor_last_extent(text, &start, &length))
        return false;
    behind = start + length;
    *at = behind + 1;
    if (!in_one_sector(*at, *at + size))
        *at = (*at / VMDK_SECTOR + 1) * VMDK_SECTOR;
    return strspn(text + behind, "\n") > *at + size - behind;
}

static bool
add_line(Image *image, VmdkSet *set, const char *line, uint64_t capacity, GError **error)
{
    const size_t size = strlen(line);
    size_t at;

    if (!find_place(set, size, &at)) {
        if (!make_room(image, set, capacity, error))
            return false;
        if (!find_place(set, size, &at))
            return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                                "its descriptor has no room for another file");
    }
    memcpy(set->descriptor.text + at, line, size);
    return put_text(image, set, at, at + size, error);
}

/* --- the parts --- */

typedef struct {
    const ImageProgressSink *sink;
    double start, share;
} Share;

static bool
report_share(void *user, double fraction)
{
    const Share *share = user;

    return share->sink->callback == NULL ||
           share->sink->callback(share->sink->user, share->start + share->share * fraction);
}

/* Behind what the disk shows a file may have anything. */
static bool
grow_flat(VmdkPart *part, uint64_t length, const ImageProgressSink *sink, GError **error)
{
    Image *file = part->image;
    const uint64_t end = part->offset + part->length;

    if (!file->format->resize(file, end, sink, error) ||
        !file->format->resize(file, part->offset + length, sink, error))
        return false;
    image_note_unsynced(file);
    return image_reserve(file->io, end, length - part->length, sink, error) &&
           image_sync(file, error);
}

static bool
grow_last(Image *image, VmdkSet *set, const Plan *plan, const ImageProgressSink *sink,
          GError **error)
{
    VmdkPart *part = last_part(set);
    const uint64_t more = plan->last - part->length;
    Image *file = part->image;

    if (more == 0)
        return true;
    /* It may be that large already: then nothing was written to what is new. */
    if (plan->sparse ? file->capacity < plan->last && !vmdk_resize(file, plan->last, sink, error)
                     : !grow_flat(part, plan->last, sink, error))
        return false;
    if (!grow_line(image, set, plan->last, error))
        return false;
    part->length = plan->last;
    image->capacity += more;
    return true;
}

static bool
add_part(Image *image, VmdkSet *set, const Plan *plan, const char *name, uint64_t bytes,
         uint64_t capacity, const ImageProgressSink *sink, GError **error)
{
    const ImageCreateOptions options = {
        .format = "VMDK",
        .variant = plan->sparse ? IMAGE_DYNAMIC : IMAGE_FIXED,
        .kind = IMAGE_KIND_SPLIT,
        .capacity = bytes,
        .folder = image->folder,
    };
    const VmdkExtent extent = {.sectors = bytes / VMDK_SECTOR,
                               .kind = (char *)(plan->sparse ? "SPARSE" : "FLAT"),
                               .name = (char *)name};
    g_autofree char *line = g_strdup_printf("RW %" G_GUINT64_FORMAT " %s \"%s\"%s", extent.sectors,
                                            extent.kind, name, plan->sparse ? "" : " 0");

    return vmdk_set_create_part(&options, name, extent.sectors, sink, error) &&
           add_line(image, set, line, capacity, error) &&
           vmdk_set_open_part(image, set, &extent, error);
}

static bool
grow(Image *image, VmdkSet *set, const Plan *plan, const GPtrArray *names, uint64_t capacity,
     const ImageProgressSink *sink, GError **error)
{
    const double more = (double)(capacity - image->capacity);
    const uint64_t each = VMDK_PART_SECTORS * VMDK_SECTOR;
    uint64_t missing = plan->missing;
    Share share = {sink, 0.0, (double)(plan->last - last_part(set)->length) / more};
    const ImageProgressSink inner = {report_share, &share};

    if (!make_room(image, set, capacity, error) || !grow_last(image, set, plan, &inner, error))
        return false;
    for (guint i = 0; i < names->len; i++) {
        const uint64_t bytes = MIN(missing, each);

        share.start += share.share;
        share.share = (double)bytes / more;
        if (!add_part(image, set, plan, names->pdata[i], bytes, capacity, &inner, error))
            return false;
        missing -= bytes;
    }
    return vmdk_descriptor_take(image, &set->descriptor, error);
}

bool
vmdk_set_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error)
{
    VmdkSet *set = image->state;
    g_autoptr(GPtrArray) extents =
        vmdk_descriptor_extents(image, &set->descriptor, VMDK_PARTS_MAX, error);
    g_autoptr(GPtrArray) names = NULL;
    Plan plan;

    if (extents == NULL || !make_plan(image, extents, capacity, &plan, error))
        return false;
    names = name_parts(image, extents, &plan, error);
    if (names == NULL)
        return false;
    if (grow(image, set, &plan, names, capacity, sink, error))
        return true;
    /* What is in memory may have gone ahead of the files: nothing more is written. */
    image->writable = false;
    return false;
}
