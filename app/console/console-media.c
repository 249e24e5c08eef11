/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Media: the service opens files and hands over descriptors; this process opens no path. */
#include "app/console/console-private.h"

#include <unistd.h>

/* Base first: the last image is what the guest sees. */
static VitrineImage *
top_image(GPtrArray *images)
{
    return images->len ? g_ptr_array_index(images, images->len - 1) : NULL;
}

static PdmMediaType
media_type(VitrineMediumKind kind)
{
    switch (kind) {
    case VITRINE_MEDIUM_KIND_DVD: return PDM_MEDIA_OPTICAL;
    case VITRINE_MEDIUM_KIND_FLOPPY: return PDM_MEDIA_FLOPPY;
    default: return PDM_MEDIA_DISK;
    }
}

static const char *
keep(Console *console, const char *text)
{
    char *copy = g_strdup(text);

    g_ptr_array_add(console->strings, copy);
    return copy;
}

/* What a raw file is registered as is written nowhere in it. */
static const char *
keep_uuid(Console *console, const VitrineImage *image)
{
    return g_ascii_strcasecmp(image->format, "RAW") == 0 ? NULL : keep(console, image->id);
}

static const MachineExtent *
take_parts(Console *console, const VitrineImage *image, unsigned *count)
{
    const guint length = image->parts ? image->parts->len : 0;
    MachineExtent *extents = length ? g_new0(MachineExtent, length) : NULL;

    *count = length;
    if (extents)
        g_ptr_array_add(console->strings, extents);
    for (guint i = 0; i < length; i++) {
        VitrineImagePart *part = g_ptr_array_index(image->parts, i);

        extents[i] = (MachineExtent){keep(console, part->name), part->descriptor};
        part->descriptor = -1;
    }
    return extents;
}

/* The images below the top one, from its parent down to the base. */
static void
take_parents(Console *console, GPtrArray *images, MachineMedium *medium)
{
    guint count = images->len - 1;
    MachineImage *parents = g_new0(MachineImage, MAX(count, 1));

    g_ptr_array_add(console->strings, parents);
    for (guint i = 0; i < count; i++) {
        VitrineImage *image = g_ptr_array_index(images, count - 1 - i);
        parents[i] = (MachineImage){
            .path = keep(console, image->location),
            .descriptor = image->descriptor,
            .format = keep(console, image->format),
            .uuid = keep_uuid(console, image),
        };
        parents[i].extents = take_parts(console, image, &parents[i].extent_count);
        image->descriptor = -1;
    }
    medium->parents = parents;
    medium->parent_count = count;
}

static void
take_images(Console *console, GPtrArray *images, MachineMedium *medium)
{
    VitrineImage *image = top_image(images);

    medium->descriptor = image->descriptor;
    image->descriptor = -1;
    medium->path = keep(console, image->location);
    medium->host_drive = g_str_equal(image->format, VITRINE_IMAGE_HOST_DRIVE);
    medium->format = medium->host_drive ? NULL : keep(console, image->format);
    medium->read_only = image->read_only;
    if (medium->type != PDM_MEDIA_DISK)
        return;
    medium->uuid = keep_uuid(console, image);
    medium->extents = take_parts(console, image, &medium->extent_count);
    take_parents(console, images, medium);
}

/* The setting is about disks: what is read from other media is read again, and seldom written. */
static bool
passes_host_cache(Console *console, const VitrineAttachment *attachment)
{
    const VitrineController *controller =
        vitrine_settings_find_controller(console->settings, attachment->controller);

    return attachment->kind == VITRINE_MEDIUM_KIND_HARD_DISK && controller != NULL &&
           !controller->host_io_cache;
}

void
console_media_describe(Console *console, const VitrineAttachment *attachment, GPtrArray *images,
                       MachineMedium *medium)
{
    medium->type = media_type(attachment->kind);
    medium->port = attachment->port;
    medium->device = attachment->device;
    medium->descriptor = -1;
    medium->non_rotational = attachment->non_rotational;
    medium->discard = attachment->discard;
    medium->passthrough = attachment->passthrough;
    medium->no_host_cache = passes_host_cache(console, attachment);
    if (images->len)
        take_images(console, images, medium);
}

/* A drive of the host that is not there today, or not ours, is no reason to stay off. */
static GPtrArray *
start_empty(Console *console, const VitrineAttachment *attachment, const GError *cause)
{
    g_autofree char *note =
        g_strdup_printf("The drive at port %u, device %u of “%s” is empty. %s", attachment->port,
                        attachment->device, attachment->controller, cause->message);

    console_tell(console, "HostDrive", note);
    return g_ptr_array_new();
}

bool
console_media_open(Console *console, const VitrineAttachment *attachment, MachineMedium *medium,
                   GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GPtrArray) images = NULL;

    /* As it was when the state was saved that the machine continues from. */
    medium->ejected = vitrine_machine_has_ejected(console->machine, attachment);
    images = medium->ejected
                 ? g_ptr_array_new()
                 : vitrine_vm_session_open_attachment(console->session, attachment->controller,
                                                      attachment->port, attachment->device, &cause);
    if (!images && *attachment->host_drive)
        images = start_empty(console, attachment, cause);
    if (!images) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    console_media_describe(console, attachment, images, medium);
    return true;
}

void
console_media_add(Console *console, const VitrineAttachment *attachment, MachinePlace place)
{
    const ConsoleDrive drive = {
        .controller = g_strdup(attachment->controller),
        .port = attachment->port,
        .device = attachment->device,
        .kind = attachment->kind,
        .medium = g_strdup(attachment->medium),
        .place = place,
    };

    g_array_append_val(console->drives, drive);
}

ConsoleDrive *
console_media_find(const Console *console, const char *controller, guint port, guint device)
{
    for (guint i = 0; i < console->drives->len; i++) {
        ConsoleDrive *drive = &g_array_index(console->drives, ConsoleDrive, i);
        if (g_ascii_strcasecmp(drive->controller, controller) == 0 && drive->port == port &&
            drive->device == device)
            return drive;
    }
    return NULL;
}

const PdmMediaConnector *
console_media_connector(const Console *console, const ConsoleDrive *drive)
{
    return pdm_lun_connector(vmm_pdm(console->vmm), drive->place.device, drive->place.instance,
                             drive->place.lun, PDM_IF_MEDIA);
}

const PdmMediaConnector *
console_media_disk(const Console *console, const char *controller, guint port, guint device,
                   GError **error)
{
    const ConsoleDrive *drive = console_media_find(console, controller, port, device);
    const PdmMediaConnector *connector =
        drive == NULL ? NULL : console_media_connector(console, drive);

    if (connector != NULL && connector->push_image != NULL)
        return connector;
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND,
                "There is no hard disk at port %u, device %u of “%s”.", port, device, controller);
    return NULL;
}

bool
console_media_change(Console *console, const char *controller, guint port, guint device, bool force,
                     GPtrArray *images, GError **error)
{
    ConsoleDrive *drive = console_media_find(console, controller, port, device);
    g_autofree char *argument = NULL, *medium = NULL;
    const char *command;
    VitrineImage *image;

    if (!drive || drive->kind == VITRINE_MEDIUM_KIND_HARD_DISK) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "Only media of optical and floppy drives can change while the machine runs.");
        return false;
    }
    image = top_image(images);
    medium = g_strdup(image ? image->id : "");
    if (image) {
        command = force ? "insert!" : "insert";
        argument = g_str_equal(image->format, VITRINE_IMAGE_HOST_DRIVE)
                       ? g_strdup_printf("%u:drive:%d:%s", drive->place.lun, image->descriptor,
                                         image->location)
                       : g_strdup_printf("%u:fd:%d", drive->place.lun, image->descriptor);
        image->descriptor = -1;
    } else {
        command = force ? "eject!" : "eject";
        argument = g_strdup_printf("%u", drive->place.lun);
    }
    if (pdm_command(vmm_pdm(console->vmm), drive->place.device, drive->place.instance, command,
                    argument)) {
        g_free(drive->medium);
        drive->medium = g_steal_pointer(&medium);
        return true;
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                "The guest has locked the drive. Eject the medium inside the guest, or force it.");
    return false;
}

static VitrineActivityClass
activity_class(VitrineMediumKind kind)
{
    switch (kind) {
    case VITRINE_MEDIUM_KIND_DVD: return VITRINE_ACTIVITY_OPTICAL;
    case VITRINE_MEDIUM_KIND_FLOPPY: return VITRINE_ACTIVITY_FLOPPY;
    default: return VITRINE_ACTIVITY_HARD_DISK;
    }
}

void
console_media_activity(Console *console, VitrineActivity *activity)
{
    for (guint i = 0; i < console->drives->len; i++) {
        const ConsoleDrive *drive = &g_array_index(console->drives, ConsoleDrive, i);
        const PdmMediaConnector *connector = console_media_connector(console, drive);
        VitrineActivityClass class = activity_class(drive->kind);
        if (!connector || !connector->activity)
            continue;
        activity->reads[class] += connector->activity->reads;
        activity->writes[class] += connector->activity->writes;
    }
}
