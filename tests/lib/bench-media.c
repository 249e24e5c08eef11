/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The fake medium: bytes in memory, faults on demand, requests that wait until the test lets them
 * go. Completions take the same way as a real driver's: through a queue. */
#include "tests/lib/bench-drivers.h"

#include <errno.h>
#include <string.h>

static bool
media_present(void *user)
{
    return ((BenchMedia *)user)->present;
}

static bool
media_read_only(void *user)
{
    return ((BenchMedia *)user)->read_only;
}

static uint64_t
media_size(void *user)
{
    const BenchMedia *media = user;

    return media->present ? media->data->len : 0;
}

static uint32_t
media_sector_size(void *user)
{
    return ((BenchMedia *)user)->sector_size;
}

static const char *
media_serial(void *user)
{
    return "BENCH-0001";
}

/* Between the medium and the request's memory, which may be in pieces. */
static void
move(uint8_t *data, const PdmIoRequest *request, bool to_memory)
{
    const BaseFilePiece whole = {request->buffer, request->size};
    const BaseFilePiece *pieces = request->pieces != NULL ? request->pieces : &whole;
    const uint32_t count = request->pieces != NULL ? request->piece_count : 1;
    uint64_t size = 0;

    for (uint32_t i = 0; i < count; size += pieces[i++].size)
        memcpy(to_memory ? pieces[i].data : data + size, to_memory ? data + size : pieces[i].data,
               pieces[i].size);
    g_assert_cmpuint(size, ==, request->size);
}

static int
do_request(BenchMedia *media, PdmIoRequest *request)
{
    if (media->fail != 0)
        return media->fail;
    if (request->kind == PDM_IO_FLUSH) {
        media->flushes++;
        return 0;
    }
    if (!media->present)
        return ENOMEDIUM;
    if (request->offset > media->data->len || request->size > media->data->len - request->offset)
        return EIO;
    if (request->kind == PDM_IO_READ) {
        move(media->data->data + request->offset, request, true);
        return 0;
    }
    if (media->read_only)
        return EROFS;
    if (request->kind == PDM_IO_WRITE)
        move(media->data->data + request->offset, request, false);
    else
        memset(media->data->data + request->offset, 0, request->size);
    return 0;
}

static void
media_completed(void *user, void *item)
{
    BenchMedia *media = user;
    PdmIoRequest *request;

    while ((request = g_queue_pop_head(&media->finished)) != NULL)
        request->done(request->user, request, GPOINTER_TO_INT(request->driver_data));
}

static void
finish(BenchMedia *media, PdmIoRequest *request, int error)
{
    request->driver_data = GINT_TO_POINTER(error);
    g_queue_push_tail(&media->finished, request);
    media->driver->api->queue_push(media->queue, NULL);
}

static void
media_submit(void *user, PdmIoRequest *request)
{
    BenchMedia *media = user;

    media->requests++;
    media->in_pieces += request->pieces != NULL;
    if (media->hold)
        g_queue_push_tail(&media->held, request);
    else
        finish(media, request, do_request(media, request));
}

static void
media_cancel_all(void *user)
{
    BenchMedia *media = user;
    PdmIoRequest *request;

    media->cancels++;
    while ((request = g_queue_pop_head(&media->held)) != NULL)
        finish(media, request, ECANCELED);
    media_completed(media, NULL);
}

static void
media_cancel(void *user, PdmIoRequest *request)
{
    BenchMedia *media = user;
    int error = ECANCELED;

    media->cancels++;
    if (!g_queue_remove(&media->held, request)) {
        g_assert_true(g_queue_remove(&media->finished, request));
        error = GPOINTER_TO_INT(request->driver_data);
    }
    request->done(request->user, request, error);
}

static void
media_eject(void *user)
{
    BenchMedia *media = user;

    media->ejects++;
    media->present = false;
}

void
bench_media_complete(BenchMedia *media)
{
    PdmIoRequest *request;

    while ((request = g_queue_pop_head(&media->held)) != NULL)
        finish(media, request, do_request(media, request));
}

void
bench_media_change(BenchMedia *media, const void *data, size_t size)
{
    const PdmMediaPort *port = media->driver->port;

    g_byte_array_set_size(media->data, 0);
    if (size > 0)
        g_byte_array_append(media->data, data, (guint)size);
    media->present = size > 0;
    pdm_driver_lock(media->driver);
    if (port->medium_changed != NULL)
        port->medium_changed(port->user, media->present);
    pdm_driver_unlock(media->driver);
}

/* Config: Size (bytes of a blank medium; 0: none), SectorSize, ReadOnly, Type (PdmMediaType). */
static bool
media_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    BenchMedia *media = driver->data;
    const uint64_t size = cfgm_uint(config, "Size", 0);

    media->driver = driver;
    media->data = g_byte_array_new();
    g_byte_array_set_size(media->data, (guint)size);
    if (size > 0)
        memset(media->data->data, 0, size);
    media->present = size > 0;
    media->read_only = cfgm_bool(config, "ReadOnly", false);
    media->sector_size = (uint32_t)cfgm_uint(config, "SectorSize", 512);
    g_queue_init(&media->held);
    g_queue_init(&media->finished);
    media->queue = driver->api->driver_queue_new(driver, media_completed, media);
    media->connector = (PdmMediaConnector){
        .user = media,
        .present = media_present,
        .read_only = media_read_only,
        .size = media_size,
        .sector_size = media_sector_size,
        .submit = media_submit,
        .cancel_all = media_cancel_all,
        .cancel = media_cancel,
        .eject = media_eject,
        .serial = media_serial,
        .activity = &media->activity,
        .takes_pieces = true,
        .type = (PdmMediaType)cfgm_uint(config, "Type", PDM_MEDIA_DISK),
        .non_rotational = cfgm_bool(config, "NonRotational", false),
        .discard = cfgm_bool(config, "Discard", false),
    };
    driver->connector = &media->connector;
    return true;
}

static void
media_destruct(PdmDriver *driver)
{
    BenchMedia *media = driver->data;

    g_queue_clear(&media->held);
    g_queue_clear(&media->finished);
    g_byte_array_unref(media->data);
}

extern const PdmDriverInfo bench_media_driver;

const PdmDriverInfo bench_media_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "bench-media",
    .title = "Medium of the bench",
    .interface = PDM_IF_MEDIA,
    .instance_size = sizeof(BenchMedia),
    .construct = media_construct,
    .destruct = media_destruct,
};

BenchMedia *
bench_media(Pdm *pdm, const char *device, unsigned instance, unsigned lun)
{
    const PdmMediaConnector *connector =
        pdm_lun_connector(pdm, device, instance, lun, PDM_IF_MEDIA);

    g_assert_nonnull(connector);
    return connector->user;
}
