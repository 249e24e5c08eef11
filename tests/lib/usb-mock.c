/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mocked device: Linux's usbfs (Documentation/driver-api/usb/usb.rst, linux/usbdevice_fs.h) in
 * as far as libusb uses it. The node is a plain file, so poll() always says that there is
 * something: EAGAIN answers those who come too early. */
#include "tests/lib/usb-mock-private.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define SYSFS "/devices/pci0000:00/0000:00:1d.0/usb1/1-1"

GType mock_usb_get_type(void);
G_DEFINE_TYPE(MockUsb, mock_usb, UMOCKDEV_TYPE_IOCTL_BASE)

struct UsbMock {
    UMockdevTestbed *testbed;
    MockUsb *device;
};

static void
mock_usb_init(MockUsb *mock)
{
    g_mutex_init(&mock->lock);
    g_queue_init(&mock->done);
    g_queue_init(&mock->waiting);
    g_queue_init(&mock->timed);
    usb_mock_begin_sums(mock);
    mock->log = g_string_new(NULL);
    mock->loop = g_malloc(USB_MOCK_LOOP_MAX);
    mock->bound = true;
}

/* --- whose it is --- */
static int
note(MockUsb *mock, UMockdevIoctlData *argument, const char *word, int result)
{
    const guint *value = usb_mock_memory(mock, argument, 0, sizeof *value);

    g_string_append_printf(mock->log, "%s %d; ", word, (int)*value);
    return result;
}

static int
get_driver(MockUsb *mock, UMockdevIoctlData *argument)
{
    struct usbdevfs_getdriver *what = usb_mock_memory(mock, argument, 0, sizeof *what);

    if (!mock->bound)
        return -ENODATA;
    strcpy(what->driver, "usbtest");
    return 0;
}

static int
driver(MockUsb *mock, UMockdevIoctlData *argument)
{
    const struct usbdevfs_ioctl *what = usb_mock_memory(mock, argument, 0, sizeof *what);

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
    const struct usbdevfs_setinterface *what = usb_mock_memory(mock, argument, 0, sizeof *what);

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
    return usb_mock_control(mock, (const guint8 *)what,
                            usb_mock_memory(mock, data,
                                            G_STRUCT_OFFSET(struct usbdevfs_ctrltransfer, data),
                                            what->wLength));
}

static int
number(MockUsb *mock, UMockdevIoctlData *argument, guint32 value)
{
    *(guint32 *)usb_mock_memory(mock, argument, 0, sizeof value) = value;
    return 0;
}

static int
dispatch(MockUsb *mock, unsigned request, UMockdevIoctlData *argument)
{
    switch (request) {
    case USBDEVFS_REAPURB:
    case USBDEVFS_REAPURBNDELAY: return usb_mock_reap(mock, argument);
    case USBDEVFS_DISCARDURB: return usb_mock_discard(mock, *(gulong *)(void *)argument->data);
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
    case USBDEVFS_SUBMITURB: return usb_mock_submit(mock, argument);
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
    const UsbMockKind *kind = high ? &usb_mock_high_speed : &usb_mock_full_speed;
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

    g_mutex_lock(&device->lock);
    device->gone = true;
    usb_mock_end_all(device);
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
    const UsbMockSent *sent = &mock->device->sent[type];
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
