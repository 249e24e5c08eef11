/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VMDK, the format of VMware: images in one file, monolithicSparse (also differencing) and
 * streamOptimized (read, and written as a copy); those in several files are in vmdk-set.c. Virtual
 * Disk Format 5.0. A parent is found by ddb.uuid.parent, its file name is only written. Left out:
 * raw disks, vSphere's formats. */
#include <string.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

#define DESCRIPTOR_MAGIC "# Disk DescriptorFile"
/* From the end of the file: the footer, a copy of the header, and the end marker behind it. */
#define FOOTER_BACK 1024u
/* Before each compressed grain: its first sector (64 bits) and its length (32 bits). */
#define MARKER_SIZE 12u

bool
vmdk_is_descriptor(const uint8_t *head)
{
    return memcmp(head, DESCRIPTOR_MAGIC, strlen(DESCRIPTOR_MAGIC)) == 0;
}

static ImageProbe
vmdk_probe(const ImageProbeInput *input)
{
    return vmdk_header_is_valid(input->head) || vmdk_is_descriptor(input->head)
               ? IMAGE_PROBE_CONTENT
               : IMAGE_PROBE_NO;
}

static void
free_state(VmdkState *vmdk)
{
    image_map_clear(&vmdk->directory);
    image_map_clear(&vmdk->redundant);
    image_map_clear(&vmdk->grains);
    image_coded_clear(&vmdk->coded);
    vmdk_descriptor_clear(&vmdk->descriptor);
    g_free(vmdk);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkState, free_state)

/* A program that writes a stream knows where its directory is only at the end. */
static bool
read_footer(Image *image, VmdkState *vmdk, GError **error)
{
    uint8_t raw[VMDK_SECTOR];

    if (vmdk->header.directory != VMDK_POSITION_AT_END)
        return true;
    if (vmdk->file_end < FOOTER_BACK + VMDK_SECTOR)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "the file ends before its footer");
    if (!image_io_read(image->io, vmdk->file_end - FOOTER_BACK, raw, sizeof raw, error) ||
        !vmdk_header_decode(raw, image->io->name, image->outer != NULL, &vmdk->header, error))
        return false;
    if (vmdk->header.directory == VMDK_POSITION_AT_END)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its footer does not end the search for "
                            "its grain directory");
    return true;
}

static bool
read_header(Image *image, VmdkState *vmdk, GError **error)
{
    if (!vmdk_header_decode(vmdk->raw_header, image->io->name, image->outer != NULL, &vmdk->header,
                            error) ||
        !read_footer(image, vmdk, error))
        return false;
    if (image->writable && vmdk_is_compressed(vmdk))
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                            "it is a stream-optimised VMDK image, which can only be read");
    return true;
}

static bool
check_type(const Image *image, const VmdkState *vmdk, GError **error)
{
    g_autofree char *type = vmdk_descriptor_value(&vmdk->descriptor, "createType");
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
    g_autoptr(GPtrArray) extents = vmdk_descriptor_extents(image, &vmdk->descriptor, 1, error);
    const VmdkExtent *extent;

    if (extents == NULL)
        return false;
    extent = extents->len > 0 ? extents->pdata[0] : NULL;
    if (extent != NULL && strcmp(extent->kind, "SPARSE") != 0)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                            "its VMDK descriptor names another file than its own");
    if (extent == NULL || extent->sectors != vmdk->header.capacity)
        return image_refuse(
            error, BASE_ERROR_CORRUPT, image->io->name,
            "its VMDK descriptor and its header contradict each other about its size");
    return true;
}

static bool
load_descriptor(Image *image, VmdkState *vmdk, GError **error)
{
    const uint64_t position = vmdk->header.descriptor * VMDK_SECTOR;
    const size_t size = vmdk->header.descriptor_size * VMDK_SECTOR;

    if (image->outer != NULL)
        return true;
    if (position > vmdk->file_end || size > vmdk->file_end - position)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "it is damaged: its descriptor lies past the end of the file");
    return vmdk_descriptor_load(image, &vmdk->descriptor, position, size, size, error) &&
           check_type(image, vmdk, error) && check_extents(image, vmdk, error);
}

static bool
vmdk_open(Image *image, GError **error)
{
    g_autoptr(VmdkState) vmdk = g_new0(VmdkState, 1);

    if (!image_io_size(image->io, &vmdk->file_end, error) ||
        !image_io_read(image->io, 0, vmdk->raw_header, MIN(VMDK_SECTOR, vmdk->file_end), error))
        return false;
    if (image->outer == NULL && vmdk_is_descriptor(vmdk->raw_header))
        return vmdk_set_open(image, error);
    if (!read_header(image, vmdk, error) || !load_descriptor(image, vmdk, error) ||
        !vmdk_tables_load(image, vmdk, error))
        return false;
    image->capacity = vmdk->header.capacity * VMDK_SECTOR;
    image->concurrent = !vmdk_is_compressed(vmdk);
    image->differs = !image_uuid_is_null(&vmdk->descriptor.parent);
    vmdk->coded = (ImageCoded){
        .codec = IMAGE_CODEC_ZLIB,
        .cluster_size = vmdk_grain_bytes(&vmdk->header),
    };
    image->state = g_steal_pointer(&vmdk);
    return true;
}

static void
vmdk_close(Image *image)
{
    vmdk_end_session(image, image->state);
    free_state(image->state);
}

static bool
vmdk_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    const VmdkState *vmdk = image->state;
    const uint32_t size = vmdk_grain_bytes(&vmdk->header);
    const uint32_t entry = image_map_get(&vmdk->grains, (uint32_t)(offset / size));
    const uint64_t within = offset & (size - 1);

    *extent = (ImageExtent){IMAGE_EXTENT_HOLE, MIN(length, size - within), 0, NULL};
    if (entry == VMDK_GRAIN_FREE)
        return true;
    if (!vmdk_is_allocated(vmdk, entry)) {
        extent->kind = IMAGE_EXTENT_ZERO;
    } else if (vmdk_is_compressed(vmdk)) {
        extent->kind = IMAGE_EXTENT_ENCODED;
    } else {
        extent->kind = IMAGE_EXTENT_DATA;
        extent->position = (uint64_t)entry * VMDK_SECTOR + within;
    }
    return true;
}

/* The marker must name that very grain, and a length that a grain can have. */
static bool
read_marker(Image *image, const VmdkState *vmdk, uint32_t grain, uint64_t position,
            uint32_t *length, GError **error)
{
    const uint32_t size = vmdk_grain_bytes(&vmdk->header);
    uint8_t marker[MARKER_SIZE];

    if (MARKER_SIZE > vmdk->file_end - position)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name, "it ends within a grain");
    if (!image_io_read(image->io, position, marker, sizeof marker, error))
        return false;
    *length = image_get32(marker, 8);
    if (image_get64(marker, 0) != (uint64_t)grain * vmdk->header.grain)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "it is damaged: the marker of a grain belongs to another one");
    if (*length == 0 || *length > 2 * size || *length > vmdk->file_end - position - MARKER_SIZE)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "it is damaged: the length of a grain is out of range");
    return true;
}

static bool
vmdk_read(Image *image, uint64_t offset, void *buffer, size_t length, GError **error)
{
    VmdkState *vmdk = image->state;
    const uint32_t size = vmdk_grain_bytes(&vmdk->header), grain = (uint32_t)(offset / size);
    const uint64_t position = (uint64_t)vmdk->grains.entries[grain] * VMDK_SECTOR;
    const uint64_t left = image->capacity - (uint64_t)grain * size;
    const uint8_t *plain;
    uint32_t packed;

    if (!read_marker(image, vmdk, grain, position, &packed, error))
        return false;
    /* The last grain may end with the disk. */
    vmdk->coded.last_size = left < size ? (uint32_t)left : 0;
    plain = image_coded_get(&vmdk->coded, image, grain, position + MARKER_SIZE, packed, error);
    if (plain == NULL)
        return false;
    memcpy(buffer, plain + (offset & (size - 1)), length);
    return true;
}

static void
vmdk_get_info(Image *image, ImageInfo *info)
{
    const VmdkState *vmdk = image->state;

    info->variant =
        image_uuid_is_null(&vmdk->descriptor.parent) ? IMAGE_DYNAMIC : IMAGE_DIFFERENCING;
    info->kind = vmdk_is_compressed(vmdk) ? IMAGE_KIND_STREAM : 0;
    info->block_size = vmdk_grain_bytes(&vmdk->header);
    info->allocated = MIN((uint64_t)vmdk->used * info->block_size, image->capacity);
    vmdk_descriptor_get_info(&vmdk->descriptor, info);
}

static bool
vmdk_check(Image *image, ImageCheck *check, GError **error)
{
    const VmdkState *vmdk = image->state;
    const uint64_t size = vmdk_grain_bytes(&vmdk->header);

    if (!vmdk_is_compressed(vmdk))
        check->leaked_blocks = vmdk->leaked + (vmdk->file_end - vmdk->next) / size;
    return true;
}

static bool
vmdk_set_uuids(Image *image, const ImageUuidChange *change, GError **error)
{
    VmdkState *vmdk = image->state;

    if (!vmdk_descriptor_set_uuids(image, &vmdk->descriptor, vmdk->header.descriptor * VMDK_SECTOR,
                                   change, error))
        return false;
    image->differs = !image_uuid_is_null(&vmdk->descriptor.parent);
    return true;
}

static bool
vmdk_set_comment(Image *image, const char *comment, GError **error)
{
    VmdkState *vmdk = image->state;

    return vmdk_descriptor_set_comment(image, &vmdk->descriptor,
                                       vmdk->header.descriptor * VMDK_SECTOR, comment, error);
}

static const char *const vmdk_extensions[] = {"vmdk", NULL};

const ImageFormat image_format_vmdk = {
    .info =
        {
            .name = "VMDK",
            .title = "Virtual Machine Disk",
            .extensions = vmdk_extensions,
            .capabilities = IMAGE_CAN_WRITE | IMAGE_CAN_CREATE_DYNAMIC | IMAGE_CAN_CREATE_FIXED |
                            IMAGE_CAN_DIFFER | IMAGE_HAS_UUIDS | IMAGE_CAN_SPLIT |
                            IMAGE_CAN_STREAM | IMAGE_CAN_RESIZE | IMAGE_CAN_COMPACT,
        },
    .probe = vmdk_probe,
    .open = vmdk_open,
    .close = vmdk_close,
    .locate = vmdk_locate,
    .read = vmdk_read,
    .write = vmdk_write,
    .flush = vmdk_flush,
    .get_info = vmdk_get_info,
    .check = vmdk_check,
    .create = vmdk_create,
    .set_uuids = vmdk_set_uuids,
    .set_comment = vmdk_set_comment,
    .resize = vmdk_resize,
    .compact = vmdk_compact,
    .stream = vmdk_stream,
};

/* A sparse file of an image in several: never looked up by name. */
const ImageFormat vmdk_part_format = {
    .info = {.name = "VMDK", .title = "Virtual Machine Disk", .extensions = vmdk_extensions},
    .open = vmdk_open,
    .close = vmdk_close,
    .locate = vmdk_locate,
    .write = vmdk_write,
    .flush = vmdk_flush,
    .check = vmdk_check,
};
