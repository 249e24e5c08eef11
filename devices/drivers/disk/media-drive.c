/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The common part of the media drivers: life cycle and the connector. */
#include "devices/drivers/disk/media-drive.h"

#define OPTICAL_SECTOR 2048u

static bool
drive_present(void *user)
{
    return ((MediaDrive *)user)->medium.present;
}

static bool
drive_read_only(void *user)
{
    return ((MediaDrive *)user)->medium.read_only;
}

static uint64_t
drive_size(void *user)
{
    return ((MediaDrive *)user)->medium.size;
}

static uint32_t
drive_sector_size(void *user)
{
    MediaDrive *drive = user;

    return drive->connector.type == PDM_MEDIA_OPTICAL ? OPTICAL_SECTOR : 512;
}

static void
drive_submit(void *user, PdmIoRequest *request)
{
    media_submit(user, request);
}

static void
drive_cancel_all(void *user)
{
    media_cancel_all(user);
}

static void
drive_cancel(void *user, PdmIoRequest *request)
{
    media_cancel(user, request);
}

static const char *
drive_serial(void *user)
{
    return ((MediaDrive *)user)->serial;
}

MediaProperties
media_properties(const MediaDrive *drive, const Image *image)
{
    uint32_t sector = drive->connector.type == PDM_MEDIA_OPTICAL ? OPTICAL_SECTOR : 512;

    if (image == NULL)
        return (MediaProperties){.read_only = true};
    return (MediaProperties){
        .present = true,
        .read_only = !image_is_writable(image),
        .size = image_capacity(image) / sector * sector,
    };
}

void
media_drive_changed(MediaDrive *drive, const MediaProperties *properties)
{
    const PdmMediaPort *port = drive->driver->port;

    drive->medium = *properties;
    if (properties->present && port->medium_changed != NULL)
        port->medium_changed(port->user, true);
}

static void
init_connector(MediaDrive *drive, PdmMediaType type, const CfgmNode *config)
{
    drive->connector = (PdmMediaConnector){
        .user = drive,
        .present = drive_present,
        .read_only = drive_read_only,
        .size = drive_size,
        .sector_size = drive_sector_size,
        .submit = drive_submit,
        .cancel_all = drive_cancel_all,
        .cancel = drive_cancel,
        .eject = media_eject,
        .move_tray = media_move_tray,
        .lock = media_lock,
        .takes_commands = media_takes_commands,
        .serial = drive_serial,
        .activity = &drive->activity,
        .non_rotational = cfgm_bool(config, "NonRotational", false),
        .type = type,
        .takes_pieces = true,
        .change_medium = media_change,
    };
    if (type != PDM_MEDIA_DISK) {
        drive->connector.watch_ejects = media_watch_ejects;
        drive->connector.take_ejected = media_take_ejected;
        drive->connector.is_ejected = media_is_ejected;
        drive->emptied = cfgm_bool(config, "Ejected", false);
    } else {
        drive->connector.push_image = media_push_image;
        drive->connector.merge_images = media_merge_images;
        drive->connector.settle_merge = media_settle_merge;
        drive->connector.replace_chain = media_replace_chain;
        drive->connector.chain_length = media_chain_length;
        drive->connector.discard = cfgm_bool(config, "Discard", false);
    }
    drive->driver->connector = &drive->connector;
}

/* Settings call optical images raw; floppies carry no sign of a format that could be trusted; what
 * a hard disk's settings do not say is probed. */
static const char *
format_of(PdmMediaType type, const CfgmNode *config)
{
    const char *format = cfgm_string(config, "Format", NULL);

    switch (type) {
    case PDM_MEDIA_OPTICAL:
        return format == NULL || g_ascii_strcasecmp(format, "RAW") == 0 ? "ISO" : format;
    case PDM_MEDIA_FLOPPY: return format == NULL ? "RAW" : format;
    case PDM_MEDIA_DISK: break;
    }
    return format;
}

/* Its medium is there at once, so that firmware finds it. */
static void
open_host_drive(MediaDrive *drive, const CfgmNode *config, Image **image)
{
    g_autoptr(GError) error = NULL;

    drive->host = media_open_host(drive, cfgm_uint(config, "Descriptor", 0),
                                  cfgm_string(config, "Path", "drive"));
    if (media_host_state(drive->host) != HOST_DRIVE_READY)
        return;
    *image = media_host_open(drive->host, !drive->open_read_only, &error);
    if (*image == NULL)
        drive->driver->api->log(drive->driver->pdm, "%s", error->message);
}

/* *image stays NULL for an empty drive. */
static bool
open_configured(MediaDrive *drive, const CfgmNode *config, Image **image, GError **error)
{
    const bool named = *cfgm_string(config, "Path", "") != '\0' || cfgm_has(config, "Descriptor");

    if (!named && drive->connector.type != PDM_MEDIA_DISK)
        return true;
    if (!named) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "A hard disk is attached that has no image file.");
        return false;
    }
    if (cfgm_bool(config, "HostDrive", false) && drive->connector.type != PDM_MEDIA_DISK) {
        open_host_drive(drive, config, image);
        return true;
    }
    *image = media_open_chain(drive, config, error);
    return *image != NULL;
}

static void
init_serial(MediaDrive *drive, Image *image, const CfgmNode *config)
{
    const char *configured = cfgm_string(config, "Serial", "");

    if (*configured != '\0')
        g_strlcpy(drive->serial, configured, MEDIA_SERIAL_SIZE);
    else if (image != NULL && drive->host == NULL)
        media_make_serial(image, drive->serial);
}

bool
media_drive_construct(PdmDriver *driver, const CfgmNode *config, PdmMediaType type, GError **error)
{
    MediaDrive *drive = driver->data;
    Image *image = NULL;

    drive->driver = driver;
    g_mutex_init(&drive->mutex);
    g_mutex_init(&drive->chain);
    g_queue_init(&drive->finished);
    g_queue_init(&drive->completing);
    drive->synchronous = cfgm_bool(config, "Synchronous", false);
    drive->host_cache = cfgm_bool(config, "HostCache", true);
    drive->open_read_only = type == PDM_MEDIA_OPTICAL || cfgm_bool(config, "ReadOnly", false);
    drive->format = g_strdup(format_of(type, config));
    init_connector(drive, type, config);
    drive->queue = pdm_driver_queue_new(driver, media_run_finished, drive);
    drive->host_changed = pdm_driver_queue_new(driver, media_run_host_changed, drive);
    drive->look_every_ms = (unsigned)CLAMP(cfgm_uint(config, "LookEvery", 1000), 1, 60000);
    drive->passthrough = type == PDM_MEDIA_OPTICAL && cfgm_bool(config, "Passthrough", false);
    if (!open_configured(drive, config, &image, error))
        return false;
    init_serial(drive, image, config);
    drive->medium = media_properties(drive, image);
    media_worker_start(drive, image);
    return true;
}

void
media_drive_destruct(PdmDriver *driver)
{
    MediaDrive *drive = driver->data;

    if (drive->driver == NULL)
        return;
    media_merge_abandon(drive);
    media_worker_stop(drive);
    media_host_free(drive->host);
    g_free(drive->format);
    g_mutex_clear(&drive->mutex);
    g_mutex_clear(&drive->chain);
}

void
media_drive_paused(PdmDriver *driver)
{
    image_queue_wait(((MediaDrive *)driver->data)->images);
}

void
media_drive_resumed(PdmDriver *driver)
{
    image_queue_retry(((MediaDrive *)driver->data)->images);
}

void
media_drive_power_off(PdmDriver *driver)
{
    MediaDrive *drive = driver->data;
    g_autoptr(GError) error = NULL;
    unsigned waiting;
    Image *image;

    image_queue_wait(drive->images);
    image_queue_pause(drive->images);
    image = image_queue_image(drive->images);
    if (image != NULL && !image_flush(image, &error))
        driver->api->log(driver->pdm, "%s", error->message);
    image_queue_resume(drive->images);
    waiting = image_queue_waiting(drive->images);
    if (waiting > 0)
        driver->api->log(driver->pdm, "%u requests are lost: the host's disk is full.", waiting);
}
