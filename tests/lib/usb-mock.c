/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mocked device: Linux's usbfs (Documentation/driver-api/usb/usb.rst, linux/usbdevice_fs.h) in
 * as far as libusb uses it. The node is a plain file, so poll() always says that there is
 * something: EAGAIN answers those who come too early. */
#include "tests/lib/usb-mock.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <umockdev.h>

#define SYSFS "/devices/pci0000:00/0000:00:1d.0/usb1/1-1"
#define LOOP_MAX 65536u
#define LAST_MAX 4096u
#define FRAME_US 1000
#define FNV_BASIS 0x811c9dc5u
#define FNV_PRIME 0x01000193u

/* What went out by endpoints of one kind. */
typedef struct {
    guint64 bytes;
    guint32 hash; /* FNV-1a */
} Sent;

/* An isochronous URB whose frames are not over. */
typedef struct {
    UMockdevIoctlData *data;
    gint64 due;
} Timed;

/* What is different at a speed. */
typedef struct {
    const guint8 *descriptors;
    gsize size;
    int speed; /* enum usb_device_speed */
    const char *mbits;
    gint64 packet_us[2]; /* of isochronous endpoints, by direction: 0 out */
} UsbMockKind;

typedef struct {
    UMockdevIoctlBase parent;
    GMutex lock;
    GQueue done, waiting; /* UMockdevIoctlData: URBs that can be reaped, and that cannot yet */
    GString *log;
    const UsbMockKind *kind;
    bool busy, closing, gone, bound;
    guint8 *loop;  /* what bulk OUT brought since the last IN; IN reads it over and over */
    void *nothing; /* memory of a program that is gone */
    guint loop_size, loop_read;
    guint8 last[LAST_MAX]; /* what isochronous or interrupt OUT brought in the end */
    guint last_size;
    Sent sent[4];
    GQueue timed; /* Timed, in their order */
    gint64 due;   /* when the last of them is over */
    guint packets;
} MockUsb;
typedef UMockdevIoctlBaseClass MockUsbClass;
GType mock_usb_get_type(void);
G_DEFINE_TYPE(MockUsb, mock_usb, UMOCKDEV_TYPE_IOCTL_BASE)

struct UsbMock {
    UMockdevTestbed *testbed;
    MockUsb *device;
};

/* clang-format off */
static const guint8 full_descriptors[] = {
    18, 1, 0x00, 2, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1, 0, 2, 0, 1,
    9, 2, 69, 0, 1, 1, 0, 0x80, 50,
    9, 4, 0, 0, 0, 0xff, 0, 0, 0,
    9, 4, 0, 1, 6, 0xff, 0, 0, 0,
    7, 5, 0x81, 1, 192, 0, 1,
    7, 5, 0x02, 2, 64, 0, 0,
    7, 5, 0x82, 2, 64, 0, 0,
    7, 5, 0x83, 3, 8, 0, 10,
    7, 5, 0x01, 1, 192, 0, 1,
    7, 5, 0x03, 3, 8, 0, 10,
};
static const guint8 high_descriptors[] = {
    18, 1, 0x00, 2, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1, 0, 2, 0, 1,
    9, 2, 69, 0, 1, 1, 0, 0x80, 50,
    9, 4, 0, 0, 0, 0xff, 0, 0, 0,
    9, 4, 0, 1, 6, 0xff, 0, 0, 0,
    7, 5, 0x81, 1, 192, 0, 3,
    7, 5, 0x02, 2, 0, 2, 0,
    7, 5, 0x82, 2, 0, 2, 0,
    7, 5, 0x83, 3, 8, 0, 7,
    7, 5, 0x01, 1, 192, 0, 4,
    7, 5, 0x03, 3, 8, 0, 7,
};
static const guint8 languages[] = {4, 3, 0x09, 0x04};
static const guint8 product[] = {24, 3, 'M', 0, 'o', 0, 'c', 0, 'k', 0, ' ', 0, 'D', 0,
                                 'e', 0, 'v', 0, 'i', 0, 'c', 0, 'e', 0};
/* clang-format on */
static const UsbMockKind full_speed = {
    full_descriptors, sizeof(full_descriptors), 2, "12", {FRAME_US, FRAME_US}};
static const UsbMockKind high_speed = {
    high_descriptors, sizeof(high_descriptors), 3, "480", {FRAME_US, FRAME_US / 2}};

static void
mock_usb_init(MockUsb *mock)
{
    g_mutex_init(&mock->lock);
    g_queue_init(&mock->done);
    g_queue_init(&mock->waiting);
    g_queue_init(&mock->timed);
    for (guint i = 0; i < G_N_ELEMENTS(mock->sent); i++)
        mock->sent[i].hash = FNV_BASIS;
    mock->log = g_string_new(NULL);
    mock->loop = g_malloc(LOOP_MAX);
    mock->bound = true;
}

static struct usbdevfs_urb *
urb_of(UMockdevIoctlData *data)
{
    return (struct usbdevfs_urb *)(void *)data->data;
}

/* --- control transfers --- */
static int
answer(guint8 *to, guint room, const guint8 *from, guint size)
{
    size = MIN(room, size);
    memcpy(to, from, size);
    return (int)size;
}

static int
get_descriptor(const UsbMockKind *kind, guint8 type, guint8 index, guint8 *to, guint room)
{
    switch (type) {
    case 1: return answer(to, room, kind->descriptors, 18);
    case 2: return answer(to, room, kind->descriptors + 18, (guint)kind->size - 18);
    case 3:
        if (index == 0)
            return answer(to, room, languages, sizeof(languages));
        return index == 2 ? answer(to, room, product, sizeof(product)) : -EPIPE;
    default: return -EPIPE;
    }
}

static void
finish(MockUsb *mock, UMockdevIoctlData *data, int status)
{
    urb_of(data)->status = status;
    g_queue_push_tail(&mock->done, data);
}

/* What a pointer at `offset` of the program's memory leads to. A program may be killed in mid-call:
 * zeros then, that nobody gets. */
static void *
memory_of(MockUsb *mock, UMockdevIoctlData *data, gsize offset, gsize size)
{
    UMockdevIoctlData *part =
        data != NULL ? umockdev_ioctl_data_resolve(data, offset, size, NULL) : NULL;

    if (part != NULL)
        return part->data;
    g_free(mock->nothing);
    return mock->nothing = g_malloc0(MAX(size, sizeof(struct usbdevfs_urb)));
}

static guint8 *
buffer_of(MockUsb *mock, UMockdevIoctlData *data)
{
    return memory_of(mock, data, G_STRUCT_OFFSET(struct usbdevfs_urb, buffer),
                     (gsize)MAX(urb_of(data)->buffer_length, 0));
}

/* What waits at the interrupt endpoint gets its two bytes. */
static int
press(MockUsb *mock, const guint8 *setup)
{
    UMockdevIoctlData *data = g_queue_pop_head(&mock->waiting);

    if (data == NULL)
        return -EPIPE;
    urb_of(data)->actual_length =
        answer(buffer_of(mock, data), (guint)urb_of(data)->buffer_length, setup + 2, 2);
    finish(mock, data, 0);
    return 0;
}

/* Bytes that moved, or what is wrong. */
static int
control(MockUsb *mock, const guint8 *setup, guint8 *data)
{
    const guint length = setup[6] | (guint)setup[7] << 8;

    if (setup[0] == 0x80 && setup[1] == 6)
        return get_descriptor(mock->kind, setup[3], setup[2], data, length);
    if (setup[0] == 0x80 && setup[1] == 8)
        return answer(data, length, (const guint8[]){1}, 1);
    if (setup[0] == 0x80 && setup[1] == 0)
        return answer(data, length, (const guint8[]){0, 0}, 2);
    if (setup[0] == 0xc0 && setup[1] == 1) {
        for (guint i = 0; i < length; i++)
            data[i] = (guint8)(setup[2] + i);
        return (int)length;
    }
    if (setup[0] == 0xc0 && setup[1] == 3)
        return answer(data, length, mock->last, mock->last_size);
    if (setup[0] == 0x40 && setup[1] == 2)
        return press(mock, setup);
    return -EPIPE;
}

/* --- the other ones --- */
static void
loop_out(MockUsb *mock, const guint8 *bytes, guint size)
{
    if (mock->loop_read > 0)
        mock->loop_size = mock->loop_read = 0;
    mock->loop_size +=
        (guint)answer(mock->loop + mock->loop_size, LOOP_MAX - mock->loop_size, bytes, size);
}

static int
loop_in(MockUsb *mock, guint8 *bytes, guint room)
{
    int moved;

    if (mock->loop_read >= mock->loop_size)
        mock->loop_read = 0;
    moved = answer(bytes, room, mock->loop + mock->loop_read, mock->loop_size - mock->loop_read);
    mock->loop_read += (guint)moved;
    return moved;
}

static void
take(MockUsb *mock, unsigned type, const guint8 *bytes, guint size)
{
    Sent *sent = &mock->sent[type];

    sent->bytes += size;
    for (guint i = 0; i < size; i++)
        sent->hash = (sent->hash ^ bytes[i]) * FNV_PRIME;
    if (type == USBDEVFS_URB_TYPE_BULK)
        loop_out(mock, bytes, size);
    else
        mock->last_size = (guint)answer(mock->last, LAST_MAX, bytes, size);
}

/* As many bytes of the packet as move. */
static guint
packet_in(MockUsb *mock, guint8 *buffer, guint length, bool second)
{
    memset(buffer, (int)(0xa0 + mock->packets++), length - second);
    return length - second;
}

static void
isochronous(MockUsb *mock, UMockdevIoctlData *data, guint8 *buffer)
{
    struct usbdevfs_urb *urb = urb_of(data);
    Timed *timed = g_new(Timed, 1);

    urb->actual_length = 0;
    for (int i = 0; i < urb->number_of_packets; i++) {
        struct usbdevfs_iso_packet_desc *packet = &urb->iso_frame_desc[i];

        packet->actual_length = packet->length;
        packet->status = 0;
        if ((urb->endpoint & 0x80) != 0)
            packet->actual_length = packet_in(mock, buffer, packet->length, i == 1);
        else
            take(mock, USBDEVFS_URB_TYPE_ISO, buffer, packet->length);
        urb->actual_length += (int)packet->actual_length;
        buffer += packet->length;
    }
    mock->due = MAX(mock->due, g_get_monotonic_time()) +
                mock->kind->packet_us[urb->endpoint >> 7] * urb->number_of_packets;
    *timed = (Timed){data, mock->due};
    g_queue_push_tail(&mock->timed, timed);
}

/* Ends what is over, or all of it. */
static void
end_timed(MockUsb *mock, gint64 now, int status)
{
    Timed *timed;

    while ((timed = g_queue_peek_head(&mock->timed)) != NULL && timed->due <= now) {
        finish(mock, timed->data, status);
        g_free(g_queue_pop_head(&mock->timed));
    }
}

static void
transfer(MockUsb *mock, UMockdevIoctlData *data, guint8 *buffer)
{
    struct usbdevfs_urb *urb = urb_of(data);
    int moved = urb->buffer_length;

    if (urb->type == USBDEVFS_URB_TYPE_ISO) {
        isochronous(mock, data, buffer);
        return;
    }
    if (urb->endpoint == 0x83) {
        g_queue_push_tail(&mock->waiting, data);
        return;
    }
    if (urb->type == USBDEVFS_URB_TYPE_CONTROL)
        moved = control(mock, buffer, buffer + 8);
    else if ((urb->endpoint & 0x80) == 0)
        take(mock, urb->type, buffer, (guint)moved);
    else
        moved = loop_in(mock, buffer, (guint)urb->buffer_length);
    urb->actual_length = MAX(moved, 0);
    finish(mock, data, MIN(moved, 0));
}

/* The size of an isochronous URB is known only after its first part was read. */
static UMockdevIoctlData *
resolve_urb(UMockdevIoctlData *argument)
{
    UMockdevIoctlData *data =
        umockdev_ioctl_data_resolve(argument, 0, sizeof(struct usbdevfs_urb), NULL);
    gsize size = sizeof(struct usbdevfs_urb);

    if (data == NULL || urb_of(data)->type != USBDEVFS_URB_TYPE_ISO)
        return data;
    size += (gsize)urb_of(data)->number_of_packets * sizeof(struct usbdevfs_iso_packet_desc);
    *(gulong *)(void *)argument->data = data->client_addr;
    umockdev_ioctl_data_reload(argument, NULL);
    return umockdev_ioctl_data_resolve(argument, 0, size, NULL);
}

static int
submit(MockUsb *mock, UMockdevIoctlData *argument)
{
    UMockdevIoctlData *data = resolve_urb(argument);

    if (data == NULL)
        return -EFAULT;
    transfer(mock, g_object_ref(data), buffer_of(mock, data));
    return 0;
}

static int
discard(MockUsb *mock, gulong address)
{
    for (GList *link = mock->waiting.head; link != NULL; link = link->next) {
        UMockdevIoctlData *data = link->data;

        if (data->client_addr != address)
            continue;
        g_queue_delete_link(&mock->waiting, link);
        finish(mock, data, -ENOENT);
        return 0;
    }
    for (GList *link = mock->timed.head; link != NULL; link = link->next) {
        Timed *timed = link->data;

        if (timed->data->client_addr != address)
            continue;
        finish(mock, timed->data, -ENOENT);
        g_free(timed);
        g_queue_delete_link(&mock->timed, link);
        return 0;
    }
    return -EINVAL;
}

static int
reap(MockUsb *mock, UMockdevIoctlData *argument)
{
    UMockdevIoctlData *to = umockdev_ioctl_data_resolve(argument, 0, sizeof(void *), NULL), *data;

    end_timed(mock, g_get_monotonic_time(), 0);
    if (to == NULL)
        return -EFAULT;
    data = g_queue_pop_head(&mock->done);
    if (data == NULL)
        return mock->gone ? -ENODEV : -EAGAIN;
    umockdev_ioctl_data_set_ptr(to, 0, data);
    return 0;
}

/* --- whose it is --- */
static int
note(MockUsb *mock, UMockdevIoctlData *argument, const char *word, int result)
{
    const guint *value = memory_of(mock, argument, 0, sizeof *value);

    g_string_append_printf(mock->log, "%s %d; ", word, (int)*value);
    return result;
}

static int
get_driver(MockUsb *mock, UMockdevIoctlData *argument)
{
    struct usbdevfs_getdriver *what = memory_of(mock, argument, 0, sizeof *what);

    if (!mock->bound)
        return -ENODATA;
    strcpy(what->driver, "usbtest");
    return 0;
}

static int
driver(MockUsb *mock, UMockdevIoctlData *argument)
{
    const struct usbdevfs_ioctl *what = memory_of(mock, argument, 0, sizeof *what);

    if ((unsigned)what->ioctl_code == USBDEVFS_CONNECT && mock->closing) {
        g_string_append_printf(mock->log, "busy %d; ", what->ifno);
        return -EBUSY;
    }
    mock->bound = (unsigned)what->ioctl_code == USBDEVFS_CONNECT;
    g_string_append_printf(mock->log, "%s %d; ", mock->bound ? "attach" : "detach", what->ifno);
    return mock->bound;
}

static int
set_interface(MockUsb *mock, UMockdevIoctlData *argument)
{
    const struct usbdevfs_setinterface *what = memory_of(mock, argument, 0, sizeof *what);

    g_string_append_printf(mock->log, "alternate %u %u; ", what->interface, what->altsetting);
    return 0;
}

static int
control_at_once(MockUsb *mock, UMockdevIoctlData *argument)
{
    UMockdevIoctlData *data =
        umockdev_ioctl_data_resolve(argument, 0, sizeof(struct usbdevfs_ctrltransfer), NULL);
    const struct usbdevfs_ctrltransfer *what = (const void *)(data != NULL ? data->data : NULL);

    if (what == NULL)
        return -EFAULT;
    return control(
        mock, (const guint8 *)what,
        memory_of(mock, data, G_STRUCT_OFFSET(struct usbdevfs_ctrltransfer, data), what->wLength));
}

static int
number(MockUsb *mock, UMockdevIoctlData *argument, guint32 value)
{
    *(guint32 *)memory_of(mock, argument, 0, sizeof value) = value;
    return 0;
}

static int
dispatch(MockUsb *mock, unsigned request, UMockdevIoctlData *argument)
{
    switch (request) {
    case USBDEVFS_REAPURB:
    case USBDEVFS_REAPURBNDELAY: return reap(mock, argument);
    case USBDEVFS_DISCARDURB: return discard(mock, *(gulong *)(void *)argument->data);
    case USBDEVFS_RELEASEINTERFACE: return note(mock, argument, "release", 0);
    default: break;
    }
    if (mock->gone)
        return -ENODEV;
    switch (request) {
    case USBDEVFS_GET_CAPABILITIES: return number(mock, argument, 0x1f);
    case USBDEVFS_CONNECTINFO: return number(mock, argument, USB_MOCK_ADDRESS);
    case USBDEVFS_GET_SPEED: return mock->kind->speed;
    case USBDEVFS_CLAIMINTERFACE: return note(mock, argument, "claim", mock->busy ? -EBUSY : 0);
    case USBDEVFS_SETCONFIGURATION: return note(mock, argument, "configuration", 0);
    case USBDEVFS_CLEAR_HALT: return note(mock, argument, "clear", 0);
    case USBDEVFS_RESET: g_string_append(mock->log, "reset; "); return 0;
    case USBDEVFS_SETINTERFACE: return set_interface(mock, argument);
    case USBDEVFS_GETDRIVER: return get_driver(mock, argument);
    case USBDEVFS_IOCTL: return driver(mock, argument);
    case USBDEVFS_CONTROL: return control_at_once(mock, argument);
    case USBDEVFS_SUBMITURB: return submit(mock, argument);
    default: return -ENOTTY;
    }
}

static gboolean
handle_ioctl(UMockdevIoctlBase *base, UMockdevIoctlClient *client)
{
    MockUsb *mock = (MockUsb *)base;
    int result;

    g_mutex_lock(&mock->lock);
    result = dispatch(mock, (unsigned)umockdev_ioctl_client_get_request(client),
                      umockdev_ioctl_client_get_arg(client));
    g_mutex_unlock(&mock->lock);
    umockdev_ioctl_client_complete(client, MAX(result, -1), result < 0 ? -result : 0);
    return TRUE;
}

static void
mock_usb_class_init(MockUsbClass *class)
{
    class->handle_ioctl = handle_ioctl;
}

/* --- for the test --- */
static char *
describe(const UsbMockKind *kind)
{
    g_autoptr(GString) bytes = g_string_new(NULL);

    for (gsize i = 0; i < kind->size; i++)
        g_string_append_printf(bytes, "%02X", kind->descriptors[i]);
    return g_strdup_printf("P: " SYSFS "\n"
                           "N: bus/usb/001/002=%s\n"
                           "E: DEVNAME=" USB_MOCK_NODE "\n"
                           "E: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nE: BUSNUM=001\n"
                           "E: DEVNUM=002\n"
                           "A: busnum=1\\n\nA: devnum=2\\n\nA: speed=%s\\n\n"
                           "A: bConfigurationValue=1\\n\nA: idVendor=1234\\n\n"
                           "A: idProduct=5678\\n\nA: bcdDevice=0100\\n\nA: devpath=1\\n\n"
                           "A: product=Mock Device\\n\n"
                           "H: descriptors=%s\n",
                           bytes->str, kind->mbits, bytes->str);
}

UsbMock *
usb_mock_new(bool high)
{
    UsbMock *mock = g_new0(UsbMock, 1);
    const UsbMockKind *kind = high ? &high_speed : &full_speed;
    g_autofree char *text = describe(kind);
    g_autoptr(GError) error = NULL;

    mock->testbed = umockdev_testbed_new();
    mock->device = g_object_new(mock_usb_get_type(), NULL);
    mock->device->kind = kind;
    if (!umockdev_testbed_add_from_string(mock->testbed, text, &error) ||
        !umockdev_testbed_attach_ioctl(mock->testbed, USB_MOCK_NODE,
                                       (UMockdevIoctlBase *)mock->device, &error))
        g_error("the mocked USB device: %s", error->message);
    return mock;
}

void
usb_mock_free(UsbMock *mock)
{
    umockdev_testbed_detach_ioctl(mock->testbed, USB_MOCK_NODE, NULL);
    g_object_unref(mock->testbed);
    g_string_free(mock->device->log, TRUE);
    g_free(mock->device->loop);
    g_free(mock->device->nothing);
    g_object_unref(mock->device);
    g_free(mock);
}

void
usb_mock_set_busy(UsbMock *mock, bool busy)
{
    g_mutex_lock(&mock->device->lock);
    mock->device->busy = busy;
    g_mutex_unlock(&mock->device->lock);
}

void
usb_mock_set_closing(UsbMock *mock, bool closing)
{
    g_mutex_lock(&mock->device->lock);
    mock->device->closing = closing;
    g_mutex_unlock(&mock->device->lock);
}

void
usb_mock_deny(UsbMock *mock)
{
    g_autofree char *root = umockdev_testbed_get_root_dir(mock->testbed);
    g_autofree char *socket = g_build_filename(root, "ioctl", USB_MOCK_NODE, NULL);

    /* umockdev ends a program that may not reach its socket, and makes others of its own. */
    if (chmod(root, 0777) != 0 || chmod(socket, 0777) != 0 || chmod(USB_MOCK_NODE, 0) != 0)
        g_error(USB_MOCK_NODE ": %s", g_strerror(errno));
}

void
usb_mock_unplug(UsbMock *mock)
{
    MockUsb *device = mock->device;
    UMockdevIoctlData *data;

    g_mutex_lock(&device->lock);
    device->gone = true;
    while ((data = g_queue_pop_head(&device->waiting)) != NULL)
        finish(device, data, -ESHUTDOWN);
    end_timed(device, G_MAXINT64, -ESHUTDOWN);
    g_mutex_unlock(&device->lock);
    umockdev_testbed_uevent(mock->testbed, "/sys" SYSFS, "remove");
    umockdev_testbed_remove_device(mock->testbed, "/sys" SYSFS);
}

void
usb_mock_plug(UsbMock *mock)
{
    g_autofree char *text = describe(mock->device->kind);
    g_autoptr(GError) error = NULL;

    g_mutex_lock(&mock->device->lock);
    mock->device->gone = false;
    mock->device->bound = true;
    g_mutex_unlock(&mock->device->lock);
    if (!umockdev_testbed_add_from_string(mock->testbed, text, &error))
        g_error("the mocked USB device: %s", error->message);
    umockdev_testbed_uevent(mock->testbed, "/sys" SYSFS, "add");
}

char *
usb_mock_log(UsbMock *mock)
{
    char *text;

    g_mutex_lock(&mock->device->lock);
    text = g_strdup(mock->device->log->str);
    g_mutex_unlock(&mock->device->lock);
    return text;
}

guint64
usb_mock_out(UsbMock *mock, unsigned type, guint32 *hash)
{
    const Sent *sent = &mock->device->sent[type];
    guint64 bytes;

    g_mutex_lock(&mock->device->lock);
    bytes = sent->bytes;
    *hash = sent->hash;
    g_mutex_unlock(&mock->device->lock);
    return bytes;
}

unsigned
usb_mock_waiting(UsbMock *mock)
{
    unsigned waiting;

    g_mutex_lock(&mock->device->lock);
    waiting = mock->device->waiting.length;
    g_mutex_unlock(&mock->device->lock);
    return waiting;
}
