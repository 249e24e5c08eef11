/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The media drivers with real files below the IDE and the floppy controller: completion through the
 * queue, medium changes, a host disk that is full, what is on the disk after power-off. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "devices/drivers/disk/image/image.h"
#include "tests/lib/device-bench.h"

typedef struct {
    char *folder, *disk, *cd, *other, *floppy;
} Files;

static void
make_image(const char *path, const char *format, uint64_t capacity, uint8_t value)
{
    ImageCreateOptions options = {.format = format, .variant = IMAGE_DYNAMIC, .capacity = capacity};
    g_autofree uint8_t *data = g_malloc(2048);
    g_autoptr(GError) error = NULL;
    Image *image;

    g_assert_true(image_create(path, &options, NULL, NULL, &error));
    image = image_open(path, format, IMAGE_OPEN_READ_WRITE, &error);
    g_assert_no_error(error);
    memset(data, value, 2048);
    g_assert_true(image_write(image, 0, data, 2048, NULL));
    g_assert_true(image_close(image, NULL));
}

static void
setup(Files *files, gconstpointer data)
{
    files->folder = g_dir_make_tmp("vitrine-media-XXXXXX", NULL);
    files->disk = g_build_filename(files->folder, "disk.vdi", NULL);
    files->cd = g_build_filename(files->folder, "cd.iso", NULL);
    files->other = g_build_filename(files->folder, "other.iso", NULL);
    files->floppy = g_build_filename(files->folder, "floppy.img", NULL);
    make_image(files->disk, "VDI", 8 << 20, 0xd1);
    make_image(files->cd, "RAW", 20 * 2048, 0xcd);
    make_image(files->other, "RAW", 30 * 2048, 0x0c);
    make_image(files->floppy, "RAW", 1474560, 0xf1);
}

static void
teardown(Files *files, gconstpointer data)
{
    char **paths[] = {&files->disk, &files->cd, &files->other, &files->floppy};

    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_unlink(*paths[i]);
        g_free(*paths[i]);
    }
    g_rmdir(files->folder);
    g_free(files->folder);
}

static void
add(CfgmNode *config, const char *device, unsigned lun, const char *driver, const char *path)
{
    CfgmNode *node = device_bench_add_driver(config, device, 0, lun, driver);

    if (path != NULL)
        cfgm_set_string(node, "Path", path);
}

static DeviceBench *
new_bench(const Files *files)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "piix4-ide", 0);
    device_bench_add(config, "fdc", 0);
    add(config, "piix4-ide", 0, "disk", files->disk);
    add(config, "piix4-ide", 2, "optical", files->cd);
    add(config, "fdc", 0, "floppy", files->floppy);
    return device_bench_new(config);
}

static const PdmMediaConnector *
connector(DeviceBench *bench, const char *device, unsigned lun)
{
    return pdm_lun_connector(bench->pdm, device, 0, lun, PDM_IF_MEDIA);
}

typedef struct {
    PdmIoRequest io;
    unsigned calls;
    int error;
} Request;

static void
request_done(void *user, PdmIoRequest *io, int error)
{
    Request *request = user;

    request->calls++;
    request->error = error;
}

static void
submit(const PdmMediaConnector *media, Request *request, PdmIoKind kind, uint64_t offset,
       void *buffer, uint32_t size)
{
    *request = (Request){.io = {.kind = kind,
                                .offset = offset,
                                .size = size,
                                .buffer = buffer,
                                .done = request_done,
                                .user = request}};
    media->submit(media->user, &request->io);
    g_assert_cmpuint(request->calls, ==, 0);
}

static int
wait_for(DeviceBench *bench, Request *request)
{
    while (request->calls == 0)
        device_bench_wait_queues(bench);
    g_assert_cmpuint(request->calls, ==, 1);
    return request->error;
}

static int
transfer(DeviceBench *bench, const PdmMediaConnector *media, PdmIoKind kind, uint64_t offset,
         void *buffer, uint32_t size)
{
    Request request;

    submit(media, &request, kind, offset, buffer, size);
    return wait_for(bench, &request);
}

static void
test_properties(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *disk = connector(bench, "piix4-ide", 0);
    const PdmMediaConnector *cd = connector(bench, "piix4-ide", 2);
    const PdmMediaConnector *floppy = connector(bench, "fdc", 0);

    g_assert_cmpint(disk->type, ==, PDM_MEDIA_DISK);
    g_assert_cmpuint(disk->size(disk->user), ==, 8 << 20);
    g_assert_cmpuint(disk->sector_size(disk->user), ==, 512);
    g_assert_true(g_str_has_prefix(disk->serial(disk->user), "VT"));
    g_assert_cmpuint(strlen(disk->serial(disk->user)), ==, 19);
    g_assert_cmpint(cd->type, ==, PDM_MEDIA_OPTICAL);
    g_assert_true(cd->read_only(cd->user));
    g_assert_cmpuint(cd->sector_size(cd->user), ==, 2048);
    g_assert_false(floppy->read_only(floppy->user));
    g_assert_false(disk->change_medium(disk->user, files->cd, true));
}

static void
test_transfers(Files *files, gconstpointer data)
{
    uint8_t out[4096], in[4096];
    DeviceBench *bench = new_bench(files);
    const PdmMediaConnector *disk = connector(bench, "piix4-ide", 0);

    g_assert_cmpint(transfer(bench, disk, PDM_IO_READ, 0, in, 2048), ==, 0);
    g_assert_cmphex(in[2047], ==, 0xd1);
    memset(out, 0x77, sizeof(out));
    g_assert_cmpint(transfer(bench, disk, PDM_IO_WRITE, 3 << 20, out, 4096), ==, 0);
    g_assert_cmpint(transfer(bench, disk, PDM_IO_FLUSH, 0, NULL, 0), ==, 0);
    g_assert_cmpint(transfer(bench, disk, PDM_IO_READ, 8 << 20, in, 512), ==, EIO);
    g_assert_cmpuint(disk->activity->reads, ==, 1);
    g_assert_cmpuint(disk->activity->bytes_written, ==, 4096);
    /* Not flushed by the guest: power-off does it. */
    g_assert_cmpint(transfer(bench, disk, PDM_IO_WRITE, 5 << 20, out, 4096), ==, 0);
    device_bench_free(bench);
    g_autoptr(Image) image = image_open(files->disk, "VDI", IMAGE_OPEN_READ_ONLY, NULL);
    g_assert_true(image_read(image, 5 << 20, in, 4096, NULL));
    g_assert_cmpmem(in, 4096, out, 4096);
}

/* Many at once come back in their order. */
static void
test_order(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *disk = connector(bench, "piix4-ide", 0);
    uint8_t buffers[50][512];
    uint8_t last[512];
    Request requests[50];

    for (unsigned i = 0; i < 50; i++) {
        memset(buffers[i], (int)i, 512);
        submit(disk, &requests[i], PDM_IO_WRITE, 512, buffers[i], 512);
    }
    for (unsigned i = 0; i < 50; i++)
        g_assert_cmpint(wait_for(bench, &requests[i]), ==, 0);
    g_assert_cmpint(transfer(bench, disk, PDM_IO_READ, 512, last, 512), ==, 0);
    g_assert_cmphex(last[0], ==, 49);
}

static void
test_cancel(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *disk = connector(bench, "piix4-ide", 0);
    uint8_t buffer[512];
    Request requests[100];
    unsigned cancelled = 0;

    for (unsigned i = 0; i < 100; i++)
        submit(disk, &requests[i], PDM_IO_READ, 0, buffer, 512);
    disk->cancel_all(disk->user);
    for (unsigned i = 0; i < 100; i++) {
        g_assert_cmpuint(requests[i].calls, ==, 1);
        g_assert_true(requests[i].error == 0 || requests[i].error == ECANCELED);
        cancelled += requests[i].error != 0;
    }
    device_bench_run_queues(bench);
    g_assert_cmpuint(requests[99].calls, ==, 1);
    g_test_message("%u cancelled", cancelled);
    g_assert_cmpint(transfer(bench, disk, PDM_IO_READ, 0, buffer, 512), ==, 0);
}

/* One request ends; those around it are not completed by it, and go on. */
static void
test_cancel_one(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *disk = connector(bench, "piix4-ide", 0);
    uint8_t buffer[512];
    Request requests[40];
    unsigned calls = 0;

    for (unsigned i = 0; i < 40; i++)
        submit(disk, &requests[i], PDM_IO_READ, 0, buffer, 512);
    for (unsigned i = 0; i < 40; i += 13)
        disk->cancel(disk->user, &requests[i].io);
    for (unsigned i = 0; i < 40; i++) {
        g_assert_cmpuint(requests[i].calls, ==, i % 13 == 0);
        calls += requests[i].calls;
    }
    g_assert_cmpuint(calls, ==, 4);
    for (unsigned i = 0; i < 40; i++) {
        const int error = wait_for(bench, &requests[i]);

        g_assert_true(error == 0 || (error == ECANCELED && i % 13 == 0));
        g_assert_cmpuint(requests[i].calls, ==, 1);
    }
}

static void
test_medium_change(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *cd = connector(bench, "piix4-ide", 2);
    g_autofree char *insert = g_strdup_printf("2:%s", files->other);
    uint8_t buffer[2048];

    g_assert_false(pdm_command(bench->pdm, "piix4-ide", 0, "insert", "3:/nowhere"));
    g_assert_false(pdm_command(bench->pdm, "piix4-ide", 0, "insert", "nonsense"));
    g_assert_true(pdm_command(bench->pdm, "piix4-ide", 0, "insert", insert));
    g_assert_false(cd->present(cd->user)); /* until the worker has opened it */
    g_assert_cmpint(transfer(bench, cd, PDM_IO_READ, 0, buffer, 2048), ==, 0);
    g_assert_true(cd->present(cd->user));
    g_assert_cmpuint(cd->size(cd->user), ==, 30 * 2048);
    g_assert_cmphex(buffer[0], ==, 0x0c);

    g_assert_true(pdm_command(bench->pdm, "piix4-ide", 0, "eject", "2"));
    g_assert_cmpint(transfer(bench, cd, PDM_IO_READ, 0, buffer, 2048), ==, ENOMEDIUM);
    g_assert_false(cd->present(cd->user));
    g_assert_cmpuint(cd->size(cd->user), ==, 0);

    /* A file that is not there leaves the drive empty and says why. */
    g_assert_true(pdm_command(bench->pdm, "piix4-ide", 0, "insert", "2:/nowhere/x.iso"));
    g_assert_cmpint(transfer(bench, cd, PDM_IO_READ, 0, buffer, 2048), ==, ENOMEDIUM);
    g_assert_cmpuint(bench->messages->len, ==, 1);
    g_assert_nonnull(strstr(bench->messages->pdata[0], "/nowhere/x.iso"));
    /* Of several changes the last one counts. */
    g_assert_true(pdm_command(bench->pdm, "piix4-ide", 0, "insert", insert));
    g_assert_true(pdm_command(bench->pdm, "piix4-ide", 0, "eject", "2"));
    g_assert_cmpint(transfer(bench, cd, PDM_IO_READ, 0, buffer, 2048), ==, ENOMEDIUM);
    g_assert_false(cd->present(cd->user));
}

static void
count_eject(void *watcher)
{
    (*(unsigned *)watcher)++;
}

/* What the guest does to its tray is told once, and forgotten when the user changes the medium. */
static void
test_guest_ejects(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *cd = connector(bench, "piix4-ide", 2);
    g_autofree char *insert = g_strdup_printf("2:%s", files->other);
    unsigned told = 0;

    g_assert_null(connector(bench, "piix4-ide", 0)->take_ejected);
    g_assert_false(cd->is_ejected(cd->user));
    cd->watch_ejects(cd->user, count_eject, &told);
    g_assert_false(cd->take_ejected(cd->user));
    cd->eject(cd->user);
    g_assert_cmpuint(told, ==, 1);
    g_assert_true(cd->take_ejected(cd->user));
    g_assert_false(cd->take_ejected(cd->user));
    g_assert_true(cd->is_ejected(cd->user));
    cd->eject(cd->user);
    g_assert_true(pdm_command(bench->pdm, "piix4-ide", 0, "insert", insert));
    g_assert_cmpuint(told, ==, 2);
    g_assert_false(cd->take_ejected(cd->user));
    g_assert_false(cd->is_ejected(cd->user));
    g_assert_true(pdm_command(bench->pdm, "piix4-ide", 0, "eject", "2"));
    g_assert_cmpuint(told, ==, 2);
    g_assert_false(cd->is_ejected(cd->user));
}

/* A limit on the size of files stands for a full disk. */
static void
limit_files(rlim_t size)
{
    struct rlimit limit;

    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = MIN(size, limit.rlim_max);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void
wait_for_message(DeviceBench *bench)
{
    guint count = 0;

    for (unsigned i = 0; i < 5000 && count == 0; i++) {
        g_usleep(1000);
        g_mutex_lock(&bench->lock);
        count = bench->messages->len;
        g_mutex_unlock(&bench->lock);
    }
    g_assert_cmpuint(count, ==, 1);
}

static void
test_disk_full(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *disk = connector(bench, "piix4-ide", 0);
    uint8_t out[512], in[512];
    Request write, flush;

    signal(SIGXFSZ, SIG_IGN);
    limit_files(3 << 20); /* the header, the map and the one block that is there */
    memset(out, 0x3c, sizeof(out));
    submit(disk, &write, PDM_IO_WRITE, 6 << 20, out, 512);
    submit(disk, &flush, PDM_IO_FLUSH, 0, NULL, 0);
    wait_for_message(bench);
    g_assert_true(g_str_has_prefix(bench->messages->pdata[0], "host-disk-full: "));
    pdm_paused(bench->pdm); /* does not wait for what can't end */
    device_bench_run_queues(bench);
    g_assert_cmpuint(write.calls + flush.calls, ==, 0);
    limit_files(RLIM_INFINITY);
    pdm_resumed(bench->pdm);
    g_assert_cmpint(wait_for(bench, &write), ==, 0);
    g_assert_cmpint(wait_for(bench, &flush), ==, 0);
    g_assert_cmpint(transfer(bench, disk, PDM_IO_READ, 6 << 20, in, 512), ==, 0);
    g_assert_cmpmem(in, 512, out, 512);
}

static void
test_reset_while_full(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *disk = connector(bench, "piix4-ide", 0);
    uint8_t out[512];
    Request write;

    signal(SIGXFSZ, SIG_IGN);
    limit_files(3 << 20);
    memset(out, 0x3c, sizeof(out));
    submit(disk, &write, PDM_IO_WRITE, 6 << 20, out, 512);
    wait_for_message(bench);
    disk->cancel_all(disk->user);
    g_assert_cmpuint(write.calls, ==, 1);
    g_assert_cmpint(write.error, ==, ECANCELED);
    limit_files(RLIM_INFINITY);
}

static void
expect_construct_error(CfgmNode *config, BaseError code, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(device_bench_try(config, NULL, &error));
    g_assert_error(error, BASE_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, text));
}

/* For deterministic machines: done when it is submitted, completed at the next look at the queues.
 */
static void
test_synchronous(Files *files, gconstpointer data)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *node = device_bench_add_driver(config, "piix4-ide", 0, 0, "disk");
    g_autoptr(DeviceBench) bench = NULL;
    const PdmMediaConnector *disk;
    uint8_t out[512];
    Request request;

    cfgm_set_string(node, "Path", files->disk);
    cfgm_set_uint(node, "Synchronous", 1);
    bench = device_bench_new(config);
    disk = connector(bench, "piix4-ide", 0);
    memset(out, 0x4d, sizeof(out));
    submit(disk, &request, PDM_IO_READ, 0, out, 512);
    g_assert_cmphex(out[0], ==, 0xd1);
    device_bench_run_queues(bench);
    g_assert_cmpuint(request.calls, ==, 1);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(3 << 20);
    submit(disk, &request, PDM_IO_WRITE, 6 << 20, out, 512);
    g_assert_cmpuint(bench->messages->len, ==, 1);
    pdm_paused(bench->pdm);
    limit_files(RLIM_INFINITY);
    pdm_resumed(bench->pdm);
    device_bench_run_queues(bench);
    g_assert_cmpuint(request.calls, ==, 1);
    g_assert_cmpint(request.error, ==, 0);
}

static void
test_refusals(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = NULL;
    CfgmNode *config = cfgm_new();

    add(config, "piix4-ide", 0, "disk", "/nowhere/disk.vdi");
    expect_construct_error(config, BASE_ERROR_NOT_FOUND, "/nowhere/disk.vdi");
    config = cfgm_new();
    add(config, "piix4-ide", 0, "disk", NULL);
    expect_construct_error(config, BASE_ERROR_INVALID, "no image file");
    config = cfgm_new();
    add(config, "piix4-ide", 0, "floppy", files->floppy);
    expect_construct_error(config, BASE_ERROR_INVALID, "floppy");
    config = cfgm_new();
    add(config, "fdc", 0, "disk", files->disk);
    expect_construct_error(config, BASE_ERROR_INVALID, "floppy");
    /* Two machines with the same disk. */
    bench = new_bench(files);
    config = cfgm_new();
    add(config, "piix4-ide", 1, "disk", files->disk);
    expect_construct_error(config, BASE_ERROR_BUSY, "in use");
    /* But an empty optical drive is nothing special, and neither are two readers of one disc. */
    config = cfgm_new();
    add(config, "piix4-ide", 1, "optical", NULL);
    add(config, "piix4-ide", 2, "optical", files->cd);
    device_bench_free(device_bench_new(config));
}

static void
test_descriptor(Files *files, gconstpointer data)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *node = device_bench_add_driver(config, "piix4-ide", 0, 0, "disk");
    int descriptor = g_open(files->disk, O_RDWR | O_CLOEXEC);
    g_autoptr(DeviceBench) bench = NULL;
    const PdmMediaConnector *disk;
    uint8_t in[512];

    cfgm_set_uint(node, "Descriptor", (uint64_t)descriptor);
    cfgm_set_string(node, "Path", files->disk);
    cfgm_set_string(node, "Serial", "SN-4711");
    cfgm_set_uint(node, "NonRotational", 1);
    bench = device_bench_new(config);
    disk = connector(bench, "piix4-ide", 0);
    g_assert_cmpstr(disk->serial(disk->user), ==, "SN-4711");
    g_assert_true(disk->non_rotational);
    g_assert_cmpint(transfer(bench, disk, PDM_IO_READ, 0, in, 512), ==, 0);
    g_assert_cmphex(in[0], ==, 0xd1);
}

/* A descriptor belongs to the drive as soon as it is offered. */
static void
test_descriptor_refused(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = new_bench(files);
    const PdmMediaConnector *cd = connector(bench, "piix4-ide", 2);
    const PdmMediaConnector *floppy = connector(bench, "fdc", 0);
    int descriptor = g_open(files->other, O_RDONLY | O_CLOEXEC);
    g_autofree char *source = g_strdup_printf("fd:%d", descriptor);
    g_autofree char *again = NULL;
    uint8_t in[2048];

    /* The guest locks the tray: PREVENT MEDIUM REMOVAL. */
    device_bench_out8(bench, 0x177, 0xa0);
    for (unsigned i = 0; i < 6; i++)
        device_bench_out16(bench, 0x170, i == 0 ? 0x1e : i == 2 ? 1 : 0);
    g_assert_false(cd->change_medium(cd->user, source, false));
    g_assert_cmpint(fcntl(descriptor, F_GETFD), ==, -1);
    descriptor = g_open(files->floppy, O_RDONLY | O_CLOEXEC);
    again = g_strdup_printf("fd:%d", descriptor);
    g_assert_true(floppy->change_medium(floppy->user, again, false));
    g_assert_cmpint(transfer(bench, floppy, PDM_IO_READ, 0, in, 512), ==, 0);
    g_assert_true(floppy->present(floppy->user));
    g_assert_true(floppy->read_only(floppy->user));
}

static void
test_protected_floppy(Files *files, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = NULL;
    const PdmMediaConnector *floppy;
    uint8_t in[512];
    CfgmNode *config = cfgm_new();
    CfgmNode *node = device_bench_add_driver(config, "fdc", 0, 0, "floppy");

    cfgm_set_string(node, "Path", files->floppy);
    cfgm_set_uint(node, "ReadOnly", 1);
    bench = device_bench_new(config);
    floppy = connector(bench, "fdc", 0);
    g_assert_true(floppy->read_only(floppy->user));
    g_assert_cmpint(transfer(bench, floppy, PDM_IO_READ, 0, in, 512), ==, 0);
    g_assert_cmphex(in[0], ==, 0xf1);
    g_assert_cmpint(transfer(bench, floppy, PDM_IO_WRITE, 0, in, 512), ==, EROFS);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Files *files, gconstpointer data);
    } tests[] = {
        {"/media/properties", test_properties},
        {"/media/transfers", test_transfers},
        {"/media/order", test_order},
        {"/media/cancel", test_cancel},
        {"/media/cancel-one", test_cancel_one},
        {"/media/medium-change", test_medium_change},
        {"/media/guest-ejects", test_guest_ejects},
        {"/media/disk-full", test_disk_full},
        {"/media/reset-while-full", test_reset_while_full},
        {"/media/synchronous", test_synchronous},
        {"/media/refusals", test_refusals},
        {"/media/descriptor", test_descriptor},
        {"/media/descriptor-refused", test_descriptor_refused},
        {"/media/protected-floppy", test_protected_floppy},
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Files, NULL, setup, tests[i].run, teardown);
    return g_test_run();
}
