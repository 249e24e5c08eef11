/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A drive of the host (tests/lib/drive-mock.c) below the IDE controller and the virtio SCSI
 * adapter: discs that come and go, the tray and the door, what reaches the drive with passthrough
 * and what does not. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "tests/device/ide-guest.h"
#include "tests/device/virtio-guest.h"

#define SLOT 15
#define REQUEST 0x200000u
#define RESPONSE 0x200100u
#define DATA 0x300000u
#define REQUEST_QUEUE 2
#define HEAD_OUT 51u
#define HEAD_IN 108u
#define PATIENCE (60 * G_TIME_SPAN_SECOND)

typedef struct {
    char *folder;
    unsigned discs; /* so many have been in the drive */
} Host;

static char *
file_of(const Host *host, const char *name)
{
    return g_build_filename(host->folder, name, NULL);
}

static void
put_file(const Host *host, const char *name, const char *text)
{
    g_autofree char *path = file_of(host, name);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* In place: an open drive stays the same file. */
static void
put_disc(Host *host, unsigned sectors, uint8_t value)
{
    g_autofree char *path = file_of(host, "dev/sr0");
    g_autofree char *count = g_strdup_printf("%u", ++host->discs);
    g_autofree uint8_t *data = g_malloc(sectors * 2048);
    FILE *file = fopen(path, "wb");

    memset(data, value, sectors * 2048);
    g_assert_cmpuint(fwrite(data, 2048, sectors, file), ==, sectors);
    g_assert_cmpint(fclose(file), ==, 0);
    put_file(host, "count", count);
    put_file(host, "state", "disc");
}

static void
setup(Host *host, gconstpointer data)
{
    g_autofree char *nodes = NULL;

    host->folder = g_dir_make_tmp("vitrine-drive-XXXXXX", NULL);
    nodes = file_of(host, "dev");
    g_assert_cmpint(g_mkdir(nodes, 0700), ==, 0);
    put_file(host, "log", "");
    put_disc(host, 20, 0xcd);
    g_setenv("VITRINE_MOCK_DRIVES", host->folder, TRUE);
}

static void
teardown(Host *host, gconstpointer data)
{
    static const char *const names[] = {"dev/sr0", "dev", "state", "count", "log", "written"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = file_of(host, names[i]);

        g_remove(path);
    }
    g_assert_cmpint(g_rmdir(host->folder), ==, 0);
    g_free(host->folder);
}

static bool
was_asked(const Host *host, const char *what)
{
    g_autofree char *path = file_of(host, "log");
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return strstr(text, what) != NULL;
}

/* --- the machine --- */

static DeviceBench *
drive_bench(const char *device, unsigned lun, bool passthrough)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *node;
    int drive = g_open("/dev/sr0", (passthrough ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);

    g_assert_cmpint(drive, >=, 0);
    device_bench_add(config, device, 0);
    node = device_bench_add_driver(config, device, 0, lun, "optical");
    cfgm_set_uint(node, "Descriptor", (uint64_t)drive);
    cfgm_set_string(node, "Path", "/dev/sr0");
    cfgm_set_uint(node, "HostDrive", 1);
    cfgm_set_uint(node, "LookEvery", 20);
    cfgm_set_uint(node, "Passthrough", passthrough);
    return device_bench_new(config);
}

static const PdmMediaConnector *
connector(DeviceBench *bench, const char *device, unsigned lun)
{
    return pdm_lun_connector(bench->pdm, device, 0, lun, PDM_IF_MEDIA);
}

static bool
is_present(const PdmMediaConnector *media)
{
    return media->present(media->user);
}

/* Lets the machine work until the drive holds so many sectors; 0: nothing. */
static void
await_disc(DeviceBench *bench, const PdmMediaConnector *media, unsigned sectors)
{
    const gint64 end = g_get_monotonic_time() + PATIENCE;

    while (is_present(media) != (sectors != 0) ||
           (sectors != 0 && media->size(media->user) != sectors * 2048ull)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        device_bench_run_queues(bench);
        g_usleep(1000);
    }
}

static void
await_asked(const Host *host, const char *what)
{
    const gint64 end = g_get_monotonic_time() + PATIENCE;

    while (!was_asked(host, what)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(1000);
    }
}

static uint8_t
first_byte(DeviceBench *bench)
{
    static const uint8_t read[12] = {0x28, [8] = 1};
    uint8_t data[2048], status;

    if (ide_guest_packet_in(bench, read, 0xfffe, data, sizeof(data), &status) != sizeof(data))
        return 0;
    return data[0];
}

static bool
fails_with(DeviceBench *bench, const uint8_t packet[12], uint32_t sense)
{
    uint8_t status;

    ide_guest_packet_in(bench, packet, 0xfffe, NULL, 0, &status);
    return (status & ST_ERR) != 0 && ide_guest_sense(bench) == sense;
}

static const uint8_t ready[12] = {0x00};
static const uint8_t eject[12] = {0x1b, [4] = 2};
static const uint8_t load[12] = {0x1b, [4] = 3};
static const uint8_t lock[12] = {0x1e, [4] = 1};
static const uint8_t unlock[12] = {0x1e};

/* Somebody at the host changes discs. */
static void
test_discs(Host *host, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = drive_bench("piix4-ide", 1, false);
    const PdmMediaConnector *media = connector(bench, "piix4-ide", 1);

    ide_guest_select(bench, 1);
    await_disc(bench, media, 20);
    g_assert_true(media->read_only(media->user));
    g_assert_cmphex(first_byte(bench), ==, 0xcd);
    put_file(host, "state", "open");
    await_disc(bench, media, 0);
    g_assert_true(fails_with(bench, ready, 0x023a01));
    put_disc(host, 31, 0x0c);
    await_disc(bench, media, 31);
    g_assert_true(fails_with(bench, ready, 0x062800));
    g_assert_cmphex(first_byte(bench), ==, 0x0c);
    /* Quicker than anybody looks: there never was an empty drive. */
    put_disc(host, 12, 0x77);
    await_disc(bench, media, 12);
    g_assert_true(fails_with(bench, ready, 0x062800));
    g_assert_cmphex(first_byte(bench), ==, 0x77);
    put_file(host, "state", "audio");
    await_disc(bench, media, 0);
    g_assert_cmpuint(bench->messages->len, ==, 1);
    g_assert_nonnull(strstr(bench->messages->pdata[0], "holds only audio"));
}

static void
test_tray_and_door(Host *host, gconstpointer data)
{
    g_autoptr(DeviceBench) bench = drive_bench("piix4-ide", 1, false);
    const PdmMediaConnector *media = connector(bench, "piix4-ide", 1);
    uint8_t status;

    ide_guest_select(bench, 1);
    await_disc(bench, media, 20);
    ide_guest_packet_in(bench, lock, 0xfffe, NULL, 0, &status);
    await_asked(host, "lock 1\n");
    g_assert_true(fails_with(bench, eject, 0x055302));
    ide_guest_packet_in(bench, unlock, 0xfffe, NULL, 0, &status);
    await_asked(host, "lock 0\n");
    g_assert_false(was_asked(host, "eject"));
    ide_guest_packet_in(bench, eject, 0xfffe, NULL, 0, &status);
    await_asked(host, "eject\n");
    g_assert_true(fails_with(bench, ready, 0x023a02));
    ide_guest_packet_in(bench, load, 0xfffe, NULL, 0, &status);
    await_asked(host, "load\n");
    await_disc(bench, media, 20);
    g_assert_true(fails_with(bench, ready, 0x062800));
    g_assert_cmphex(first_byte(bench), ==, 0xcd);
    g_assert_false(was_asked(host, "command"));
}

/* The cable is pulled; and a machine that ends leaves the door unlocked. */
static void
test_gone(Host *host, gconstpointer data)
{
    DeviceBench *bench = drive_bench("piix4-ide", 1, false);
    const PdmMediaConnector *media = connector(bench, "piix4-ide", 1);
    uint8_t status;

    ide_guest_select(bench, 1);
    await_disc(bench, media, 20);
    ide_guest_packet_in(bench, lock, 0xfffe, NULL, 0, &status);
    await_asked(host, "lock 1\n");
    device_bench_free(bench);
    g_assert_true(was_asked(host, "lock 0\n"));
    bench = drive_bench("piix4-ide", 1, false);
    media = connector(bench, "piix4-ide", 1);
    await_disc(bench, media, 20);
    put_file(host, "state", "gone");
    await_disc(bench, media, 0);
    g_assert_cmpuint(bench->messages->len, ==, 1);
    g_assert_nonnull(strstr(bench->messages->pdata[0], "/dev/sr0"));
    g_assert_nonnull(strstr(bench->messages->pdata[0], "unplugged"));
    device_bench_free(bench);
}

/* From an image to the host's drive and back, while the machine runs. */
static void
test_exchanged(Host *host, gconstpointer data)
{
    CfgmNode *config = cfgm_new();
    g_autoptr(DeviceBench) bench = NULL;
    const PdmMediaConnector *media;
    g_autofree char *source =
        g_strdup_printf("drive:%d:/dev/sr0", g_open("/dev/sr0", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    g_autofree char *image = file_of(host, "log");

    device_bench_add(config, "piix4-ide", 0);
    cfgm_set_uint(device_bench_add_driver(config, "piix4-ide", 0, 1, "optical"), "LookEvery", 20);
    bench = device_bench_new(config);
    media = connector(bench, "piix4-ide", 1);
    g_assert_false(is_present(media));
    g_assert_true(media->change_medium(media->user, source, false));
    await_disc(bench, media, 20);
    put_file(host, "log", "an image of one sector");
    g_assert_true(media->change_medium(media->user, image, false));
    await_disc(bench, media, 1);
    put_disc(host, 31, 1); /* nobody looks any more */
    g_assert_true(media->change_medium(media->user, NULL, false));
    await_disc(bench, media, 0);
    g_assert_false(media->change_medium(media->user, "drive:99999999999:x", true) &&
                   is_present(media));
}

/* --- passthrough --- */

typedef struct {
    uint8_t status, key, asc;
    uint32_t residual;
} Answer;

static Answer
command(VirtioGuest *guest, const uint8_t cdb[16], uint32_t out, uint32_t in)
{
    uint8_t head[HEAD_OUT] = {1, 0, 0x40, 0, [8] = 0x99}, back[HEAD_IN];
    const gint64 end = g_get_monotonic_time() + PATIENCE;
    uint32_t written;
    Answer answer;

    memcpy(head + 19, cdb, 16);
    pci_guest_put(guest->bench, REQUEST, head, sizeof(head));
    virtio_guest_describe(
        guest, REQUEST_QUEUE, 0,
        (VirtioGuestDescriptor){REQUEST, HEAD_OUT, DESCRIPTOR_NEXT, out != 0 ? 1 : 2});
    virtio_guest_describe(guest, REQUEST_QUEUE, 1,
                          (VirtioGuestDescriptor){DATA, out, DESCRIPTOR_NEXT, 2});
    virtio_guest_describe(
        guest, REQUEST_QUEUE, 2,
        (VirtioGuestDescriptor){RESPONSE, HEAD_IN,
                                (uint16_t)(DESCRIPTOR_WRITE | (in != 0 ? DESCRIPTOR_NEXT : 0)), 3});
    virtio_guest_describe(guest, REQUEST_QUEUE, 3,
                          (VirtioGuestDescriptor){DATA, in, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(guest, REQUEST_QUEUE, 0);
    virtio_guest_kick(guest, REQUEST_QUEUE);
    while (virtio_guest_used(guest, REQUEST_QUEUE, &written) < 0) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        device_bench_run_queues(guest->bench);
        g_usleep(200);
    }
    pci_guest_get(guest->bench, RESPONSE, back, sizeof(back));
    g_assert_cmphex(back[11], ==, 0);
    memcpy(&answer.residual, back + 4, 4);
    answer.status = back[10];
    answer.key = back[12 + 2] & 0x0f;
    answer.asc = back[12 + 12];
    return answer;
}

static void
test_passthrough(Host *host, gconstpointer data)
{
    static const uint8_t inquiry[16] = {0x12, [4] = 36}, disc[16] = {0x51, [8] = 34};
    static const uint8_t write[16] = {0x2a, [5] = 3, [8] = 40}, test[16] = {0x00};
    static const uint8_t firmware[16] = {0x3b, 5, [8] = 16}, vendor[16] = {0xd8};
    static const uint8_t region[16] = {0xa3, [9] = 8, [10] = 6}, close_track[16] = {0x5b};
    g_autoptr(DeviceBench) bench = drive_bench("virtio-scsi", 0, true);
    g_autofree char *path = file_of(host, "written");
    g_autofree uint8_t *pattern = g_malloc(40 * 2048);
    g_autofree char *written = NULL;
    uint8_t in[36];
    VirtioGuest guest;
    Answer answer;
    gsize size;

    virtio_guest_start(&guest, bench, SLOT, 1ull << 29, 3);
    answer = command(&guest, inquiry, 0, 36);
    g_assert_cmphex(answer.status, ==, 0);
    pci_guest_get(bench, DATA, in, sizeof(in));
    g_assert_cmpmem(in + 8, 16, "MOCK    RECORDER", 16);
    /* Less than was asked for. */
    answer = command(&guest, disc, 0, 34);
    g_assert_cmpuint(answer.residual, ==, 26);
    pci_guest_get(bench, DATA, in, 8);
    g_assert_cmphex(in[1], ==, 6);
    /* Burning. */
    pci_guest_pattern(pattern, 40 * 2048, 3);
    pci_guest_put(bench, DATA, pattern, 40 * 2048);
    g_assert_cmphex(command(&guest, write, 40 * 2048, 0).status, ==, 0);
    g_assert_true(g_file_get_contents(path, &written, &size, NULL));
    g_assert_cmpuint(size, ==, 43 * 2048);
    g_assert_cmpmem(written + 3 * 2048, 40 * 2048, pattern, 40 * 2048);
    /* The drive's own sense. */
    answer = command(&guest, close_track, 0, 0);
    g_assert_cmphex(answer.status, ==, 2);
    g_assert_cmphex(answer.key << 8 | answer.asc, ==, 0x0520);
    put_file(host, "state", "empty");
    answer = command(&guest, test, 0, 0);
    g_assert_cmphex(answer.key << 8 | answer.asc, ==, 0x023a);
    /* What must not reach it. */
    g_assert_cmphex(command(&guest, firmware, 16, 0).asc, ==, 0x20);
    g_assert_cmphex(command(&guest, vendor, 0, 0).asc, ==, 0x20);
    g_assert_cmphex(command(&guest, region, 8, 0).asc, ==, 0x24);
    g_assert_true(was_asked(host, "command 2a of 10"));
    g_assert_false(was_asked(host, "command 3b"));
    g_assert_false(was_asked(host, "command d8"));
    g_assert_false(was_asked(host, "command a3"));
}

/* Without it no command reaches the drive. */
static void
test_no_passthrough(Host *host, gconstpointer data)
{
    static const uint8_t inquiry[16] = {0x12, [4] = 36}, write[16] = {0x2a, [8] = 1};
    g_autoptr(DeviceBench) bench = drive_bench("virtio-scsi", 0, false);
    uint8_t in[36];
    VirtioGuest guest;

    virtio_guest_start(&guest, bench, SLOT, 1ull << 29, 3);
    g_assert_cmphex(command(&guest, inquiry, 0, 36).status, ==, 0);
    pci_guest_get(bench, DATA, in, sizeof(in));
    g_assert_cmpmem(in + 8, 8, "VITRINE ", 8);
    g_assert_cmphex(command(&guest, write, 2048, 0).asc, ==, 0x20);
    g_assert_false(was_asked(host, "command"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/host-drive/discs", Host, NULL, setup, test_discs, teardown);
    g_test_add("/host-drive/tray-and-door", Host, NULL, setup, test_tray_and_door, teardown);
    g_test_add("/host-drive/gone", Host, NULL, setup, test_gone, teardown);
    g_test_add("/host-drive/exchanged", Host, NULL, setup, test_exchanged, teardown);
    g_test_add("/host-drive/passthrough", Host, NULL, setup, test_passthrough, teardown);
    g_test_add("/host-drive/no-passthrough", Host, NULL, setup, test_no_passthrough, teardown);
    return g_test_run();
}
