/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usb-work: a guest's program that talks to the mocked device (tests/lib/usb-mock.h) through
 * Linux's usbfs (Documentation/driver-api/usb/usb.rst), and measures bulk transfers.
 *
 *   usb-work move    all four kinds of transfer, both directions; says what it sent
 *   usb-work wait    one interrupt transfer and an isochronous one, until the device is gone
 *   usb-work bulk MIB SIZE COUNT
 *                    so many MiB out and as many in, COUNT transfers of SIZE bytes under way
 *
 * Waits until the device is there. Exit status 1 and a line with "usb-work: wrong" for bytes that
 * are not what they have to be. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define DEVICES "/sys/bus/usb/devices"
#define VENDOR 0x1234
#define ISO_SIZE 192
#define ISO_PACKETS 8
#define ISO_URBS 4
#define ISO_ROUNDS 12
#define BULK_URBS_MAX 64

enum { BULK_OUT = 0x02, BULK_IN = 0x82, INTERRUPT_OUT = 0x03, INTERRUPT_IN = 0x83 };
enum { ISO_OUT = 0x01, ISO_IN = 0x81 };

typedef struct {
    struct usbdevfs_urb urb; /* first */
    struct usbdevfs_iso_packet_desc packets[ISO_PACKETS];
    uint8_t *data;
} IsoUrb;

static void __attribute__((noreturn, format(printf, 1, 2))) wrong(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    printf("usb-work: wrong: ");
    vprintf(format, list);
    printf("\n");
    va_end(list);
    exit(1);
}

/* --- the device --- */
static long
attribute(const char *device, const char *name, int base)
{
    char path[512], text[32] = "";
    FILE *file;

    snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
    file = fopen(path, "r");
    if (file == NULL)
        return -1;
    if (fgets(text, sizeof(text), file) == NULL)
        text[0] = 0;
    fclose(file);
    return strtol(text, NULL, base);
}

static int
try_open(void)
{
    DIR *folder = opendir(DEVICES);
    struct dirent *entry;
    int node = -1;

    while (folder != NULL && node < 0 && (entry = readdir(folder)) != NULL) {
        char path[64];

        if (attribute(entry->d_name, "idVendor", 16) != VENDOR ||
            attribute(entry->d_name, "bConfigurationValue", 10) != 1)
            continue;
        snprintf(path, sizeof(path), "/dev/bus/usb/%03ld/%03ld",
                 attribute(entry->d_name, "busnum", 10), attribute(entry->d_name, "devnum", 10));
        node = open(path, O_RDWR);
    }
    if (folder != NULL)
        closedir(folder);
    return node;
}

static int
open_device(void)
{
    struct usbdevfs_setinterface alternate = {.interface = 0, .altsetting = 1};
    unsigned interface = 0;
    int node;

    while ((node = try_open()) < 0)
        usleep(100000);
    if (ioctl(node, USBDEVFS_CLAIMINTERFACE, &interface) != 0 ||
        ioctl(node, USBDEVFS_SETINTERFACE, &alternate) != 0)
        wrong("the interface: %s", strerror(errno));
    return node;
}

static int
control(int node, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
    struct usbdevfs_ctrltransfer transfer = {
        .bRequestType = type,
        .bRequest = request,
        .wValue = value,
        .wLength = length,
        .timeout = 10000,
        .data = data,
    };

    return ioctl(node, USBDEVFS_CONTROL, &transfer);
}

static int
bulk(int node, unsigned endpoint, void *data, unsigned length)
{
    struct usbdevfs_bulktransfer transfer = {
        .ep = endpoint, .len = length, .timeout = 20000, .data = data};

    return ioctl(node, USBDEVFS_BULK, &transfer);
}

static void
submit(int node, struct usbdevfs_urb *urb)
{
    if (ioctl(node, USBDEVFS_SUBMITURB, urb) != 0)
        wrong("endpoint %02x takes no transfer: %s", urb->endpoint, strerror(errno));
}

static struct usbdevfs_urb *
reap(int node)
{
    struct usbdevfs_urb *urb = NULL;

    if (ioctl(node, USBDEVFS_REAPURB, &urb) != 0)
        wrong("no transfer comes back: %s", strerror(errno));
    return urb;
}

/* --- what was sent --- */
typedef struct {
    unsigned long bytes;
    uint32_t hash;
} Sent;

static void
note(Sent *sent, const uint8_t *data, unsigned size)
{
    if (sent->bytes == 0)
        sent->hash = 0x811c9dc5;
    sent->bytes += size;
    for (unsigned i = 0; i < size; i++)
        sent->hash = (sent->hash ^ data[i]) * 0x01000193;
}

static void
tell(const char *kind, const Sent *sent)
{
    printf("usb-work: %s out %lu bytes %08x\n", kind, sent->bytes, (unsigned)sent->hash);
}

static void
fill(uint8_t *data, unsigned size, unsigned seed)
{
    for (unsigned i = 0; i < size; i++)
        data[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
}

/* --- the four kinds --- */
static void
move_control(int node)
{
    uint8_t data[300];

    if (control(node, 0xc0, 1, 0x30, data, sizeof(data)) != sizeof(data))
        wrong("control: %s", strerror(errno));
    for (unsigned i = 0; i < sizeof(data); i++) {
        if (data[i] != (uint8_t)(0x30 + i))
            wrong("byte %u of a control transfer is %02x", i, data[i]);
    }
    if (control(node, 0xc0, 0x55, 0, data, 3) != -1 || errno != EPIPE)
        wrong("a request that the device refuses: %s", strerror(errno));
    printf("usb-work: control moved\n");
}

static void
move_bulk(int node)
{
    static const unsigned sizes[] = {1, 63, 64, 65, 512, 4096, 16384};
    static uint8_t out[16384], in[16384];
    Sent sent = {0};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        fill(out, sizes[i], i + 1);
        if (bulk(node, BULK_OUT, out, sizes[i]) != (int)sizes[i])
            wrong("%u bytes out: %s", sizes[i], strerror(errno));
        note(&sent, out, sizes[i]);
        memset(in, 0, sizeof(in));
        if (bulk(node, BULK_IN, in, sizes[i]) != (int)sizes[i] || memcmp(in, out, sizes[i]) != 0)
            wrong("%u bytes do not come back as they went", sizes[i]);
    }
    tell("bulk", &sent);
}

static void
move_interrupt(int node)
{
    uint8_t in[8] = {0}, out[8], last[8] = {0};
    struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_INTERRUPT,
                               .endpoint = INTERRUPT_IN,
                               .buffer = in,
                               .buffer_length = sizeof(in)};
    Sent sent = {0};

    submit(node, &urb);
    /* The device may have to be asked once more: it knows of the transfer a little later. */
    while (control(node, 0x40, 2, 0x2211, NULL, 0) != 0)
        usleep(10000);
    reap(node);
    if (urb.status != 0 || urb.actual_length != 2 || in[0] != 0x11 || in[1] != 0x22)
        wrong("interrupt: status %d, %d bytes, %02x %02x", urb.status, urb.actual_length, in[0],
              in[1]);
    urb.endpoint = INTERRUPT_OUT;
    urb.buffer = out;
    fill(out, sizeof(out), 99);
    submit(node, &urb);
    reap(node);
    note(&sent, out, sizeof(out));
    if (urb.status != 0 || control(node, 0xc0, 3, 0, last, sizeof(last)) != sizeof(last) ||
        memcmp(last, out, sizeof(out)) != 0)
        wrong("interrupt out: status %d", urb.status);
    tell("interrupt", &sent);
}

static IsoUrb *
iso_urb_new(uint8_t endpoint)
{
    IsoUrb *iso = calloc(1, sizeof(IsoUrb));

    iso->data = calloc(ISO_PACKETS, ISO_SIZE);
    iso->urb = (struct usbdevfs_urb){
        .type = USBDEVFS_URB_TYPE_ISO,
        .endpoint = endpoint,
        .flags = USBDEVFS_URB_ISO_ASAP,
        .buffer = iso->data,
        .buffer_length = ISO_PACKETS * ISO_SIZE,
        .number_of_packets = ISO_PACKETS,
    };
    for (unsigned i = 0; i < ISO_PACKETS; i++)
        iso->packets[i].length = ISO_SIZE;
    return iso;
}

/* All of a packet's bytes are one number, and packets count on. How many there were. */
static unsigned
check_iso_in(const IsoUrb *iso, int *last)
{
    const struct usbdevfs_iso_packet_desc *packets = iso->urb.iso_frame_desc;
    unsigned moved = 0;

    for (unsigned i = 0; i < ISO_PACKETS; i++) {
        const uint8_t *data = iso->data + i * ISO_SIZE;
        const unsigned size = packets[i].actual_length;

        if (packets[i].status != 0 || size == 0)
            continue; /* nothing came in this frame */
        if (size > ISO_SIZE || size < ISO_SIZE - 1)
            wrong("an isochronous packet of %u bytes", size);
        for (unsigned j = 1; j < size; j++) {
            if (data[j] != data[0])
                wrong("byte %u of an isochronous packet is %02x, not %02x", j, data[j], data[0]);
        }
        if (*last >= 0 && (uint8_t)(data[0] - *last - 1) > 64)
            wrong("isochronous packet %02x follows %02x", data[0], (unsigned)*last);
        *last = data[0];
        moved++;
    }
    return moved;
}

static void
move_isochronous_in(int node)
{
    IsoUrb *urbs[ISO_URBS];
    unsigned moved = 0, round = 0;
    int last = -1;

    for (unsigned i = 0; i < ISO_URBS; i++)
        submit(node, &(urbs[i] = iso_urb_new(ISO_IN))->urb);
    for (unsigned left = ISO_URBS; left > 0; left--) {
        struct usbdevfs_urb *urb = reap(node);

        moved += check_iso_in((IsoUrb *)urb, &last);
        if (round++ < ISO_ROUNDS || moved < ISO_PACKETS) {
            submit(node, urb);
            left++;
        }
    }
    printf("usb-work: isochronous in %u packets of %u\n", moved, (round)*ISO_PACKETS);
}

/* Packets whose frame was missed, on a busy host, did not go out; Linux calls split ones empty. */
static void
note_packets(Sent *sent, const IsoUrb *iso, const uint8_t **last)
{
    for (unsigned i = 0; i < ISO_PACKETS; i++) {
        const int status = (int)iso->urb.iso_frame_desc[i].status;

        if (status == -EXDEV || iso->urb.iso_frame_desc[i].actual_length == 0)
            continue;
        if (status != 0)
            wrong("isochronous out: status %d", status);
        *last = iso->data + i * ISO_SIZE;
        note(sent, *last, ISO_SIZE);
    }
}

/* A device at the end of a stream hears the last packet a little later. */
static void
wait_for_last(int node, const uint8_t *last)
{
    uint8_t heard[ISO_SIZE];

    for (unsigned i = 0; i < 100; i++) {
        if (control(node, 0xc0, 3, 0, heard, sizeof(heard)) == sizeof(heard) &&
            memcmp(heard, last, sizeof(heard)) == 0)
            return;
        usleep(20000);
    }
    wrong("the device has not heard the last isochronous packet");
}

static void
move_isochronous_out(int node)
{
    IsoUrb *urbs[ISO_URBS];
    const uint8_t *last = NULL;
    Sent sent = {0};

    for (unsigned i = 0; i < ISO_URBS; i++) {
        urbs[i] = iso_urb_new(ISO_OUT);
        fill(urbs[i]->data, ISO_PACKETS * ISO_SIZE, 1000 + i);
        submit(node, &urbs[i]->urb);
    }
    for (unsigned i = 0; i < ISO_URBS; i++)
        note_packets(&sent, (IsoUrb *)reap(node), &last);
    if (last == NULL)
        wrong("no isochronous packet went out");
    wait_for_last(node, last);
    tell("isochronous", &sent);
}

static void
move(int node)
{
    move_control(node);
    move_bulk(node);
    move_interrupt(node);
    move_isochronous_in(node);
    move_isochronous_out(node);
    printf("usb-work: moved\n");
}

/* --- until it is gone --- */
static void
wait_for_end(int node)
{
    uint8_t in[8];
    struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_INTERRUPT,
                               .endpoint = INTERRUPT_IN,
                               .buffer = in,
                               .buffer_length = sizeof(in)};
    IsoUrb *iso = iso_urb_new(ISO_IN);
    struct usbdevfs_urb *back = NULL;

    submit(node, &urb);
    submit(node, &iso->urb);
    printf("usb-work: waiting\n");
    fflush(stdout);
    while (back != &urb) {
        back = reap(node);
        if (back == &iso->urb)
            ioctl(node, USBDEVFS_SUBMITURB, &iso->urb);
    }
    printf("usb-work: gone with status %d\n", urb.status);
}

/* --- measured --- */
static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* MiB per second. */
static double
measure(int node, unsigned endpoint, unsigned long total, unsigned size, unsigned count)
{
    static struct usbdevfs_urb urbs[BULK_URBS_MAX];
    unsigned long asked = 0, moved = 0;
    const double begin = now();

    for (unsigned i = 0; i < count && asked < total; i++, asked += size) {
        urbs[i] = (struct usbdevfs_urb){.type = USBDEVFS_URB_TYPE_BULK,
                                        .endpoint = (unsigned char)endpoint,
                                        .buffer = calloc(1, size),
                                        .buffer_length = (int)size};
        submit(node, &urbs[i]);
    }
    while (moved < asked) {
        struct usbdevfs_urb *urb = reap(node);

        if (urb->status != 0 || urb->actual_length != (int)size)
            wrong("bulk: status %d, %d bytes", urb->status, urb->actual_length);
        moved += size;
        if (asked < total) {
            submit(node, urb);
            asked += size;
        }
    }
    return (double)moved / (now() - begin) / 1048576;
}

int
main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int node;

    setvbuf(stdout, NULL, _IOLBF, 0);
    node = open_device();
    if (strcmp(what, "move") == 0) {
        move(node);
    } else if (strcmp(what, "wait") == 0) {
        wait_for_end(node);
    } else if (strcmp(what, "bulk") == 0 && argc == 5) {
        const unsigned long total = strtoul(argv[2], NULL, 10) << 20;
        const unsigned size = (unsigned)strtoul(argv[3], NULL, 10);
        const unsigned count = (unsigned)strtoul(argv[4], NULL, 10);

        if (size == 0 || count == 0 || count > BULK_URBS_MAX)
            wrong("numbers");
        printf("usb-work: bulk out %.2f MiB/s\n", measure(node, BULK_OUT, total, size, count));
        printf("usb-work: bulk in %.2f MiB/s\n", measure(node, BULK_IN, total, size, count));
    } else {
        wrong("usage: usb-work move | wait | bulk MIB SIZE COUNT");
    }
    printf("usb-work: done\n");
    return 0;
}
