/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Devices of the host through real libusb, on a mocked usbfs: as a controller's root hub uses them,
 * with all four kinds of transfer; what goes wrong; and what the host's kernel is told meanwhile.
 */
#include "tests/lib/device-bench.h"
#include "tests/lib/usb-mock.h"
#include "usb/host/usb-host.h"
#include "usb/vusb.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_US (20 * G_USEC_PER_SEC)

typedef struct {
    DeviceBench *bench;
    UsbMock *mock;
    UsbHost *host;
    const VusbHubConnector *hub;
    unsigned count; /* of URBs that came back to on_done() */
    gint lost;
} Fixture;

static void
on_lost(void *user, UsbHostDevice *device)
{
    g_atomic_int_inc(&((Fixture *)user)->lost);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    const UsbHostEvents events = {.user = fixture, .lost = on_lost};
    g_autoptr(GError) error = NULL;
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "xhci", 0);
    device_bench_add_driver(config, "xhci", 0, 0, VUSB_ROOT_HUB_DRIVER);
    fixture->bench = device_bench_new(config);
    fixture->hub = pdm_lun_connector(fixture->bench->pdm, "xhci", 0, 0, PDM_IF_USB);
    fixture->mock = usb_mock_new(false);
    fixture->host = usb_host_new(true, &events, &error);
    g_assert_no_error(error);
}

/* Whatever a condition needs to come true, the machine's queues run meanwhile. */
#define WAIT_FOR(fixture, condition)                                                               \
    do {                                                                                           \
        const gint64 end = g_get_monotonic_time() + PATIENCE_US;                                   \
        while (!(condition)) {                                                                     \
            g_assert_cmpint(g_get_monotonic_time(), <, end);                                       \
            device_bench_run_queues((fixture)->bench);                                             \
            g_usleep(500);                                                                         \
        }                                                                                          \
    } while (0)

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    WAIT_FOR(fixture, !usb_host_busy(fixture->host));
    usb_host_free(fixture->host);
    usb_mock_free(fixture->mock);
    device_bench_free(fixture->bench);
}

static UsbHostDevice *
plug(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    UsbHostDevice *device = usb_host_open(fixture->host, USB_MOCK_BUS, USB_MOCK_ADDRESS, &error);

    g_assert_no_error(error);
    g_assert_true(usb_host_plug(device, (VusbHub *[]){fixture->hub->user}, 1, &error));
    g_assert_no_error(error);
    fixture->hub->reset(fixture->hub->user, 0);
    return device;
}

static VusbDevice *
plugged(Fixture *fixture)
{
    return fixture->hub->by_route(fixture->hub->user, 0, 0);
}

static void
on_done(void *user, VusbUrb *urb)
{
    ((Fixture *)user)->count++;
}

static void
on_run(void *user, VusbUrb *urb)
{
    *(bool *)user = true;
}

static VusbUrb *
urb_new(Fixture *fixture, VusbTransfer type, uint8_t endpoint, bool in, uint32_t size)
{
    VusbUrb *urb = fixture->hub->urb_new(fixture->hub->user, size, 0);

    urb->type = type;
    urb->endpoint = endpoint;
    urb->in = in;
    urb->done = on_done;
    urb->user = fixture;
    return urb;
}

static void
submit(Fixture *fixture, VusbUrb *urb)
{
    fixture->hub->submit(fixture->hub->user, plugged(fixture), urb);
}

/* Until it is back; to be freed. */
static void
run(Fixture *fixture, VusbUrb *urb)
{
    bool *back = &(bool){false};

    urb->done = on_run;
    urb->user = back;
    submit(fixture, urb);
    WAIT_FOR(fixture, *back);
}

static VusbUrb *
control(Fixture *fixture, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
        uint16_t length)
{
    VusbUrb *urb = urb_new(fixture, VUSB_CONTROL, 0, false, length);

    urb->stage = VUSB_STAGE_ALL;
    urb->setup = (VusbSetup){type, request, value, index, length};
    run(fixture, urb);
    return urb;
}

static void
drop(Fixture *fixture, VusbUrb *urb)
{
    fixture->hub->urb_free(fixture->hub->user, urb);
}

static void
expect(Fixture *fixture, VusbUrb *urb, VusbStatus status, uint32_t actual)
{
    g_assert_cmpuint(urb->status, ==, status);
    g_assert_cmpuint(urb->actual, ==, actual);
    drop(fixture, urb);
}

static void
close_and_wait(Fixture *fixture, UsbHostDevice *device)
{
    usb_host_close(device);
    WAIT_FOR(fixture, !usb_host_busy(fixture->host));
}

static void
test_control(Fixture *fixture, gconstpointer data)
{
    UsbHostDevice *device = plug(fixture);
    VusbUrb *urb = control(fixture, 0x80, VUSB_GET_DESCRIPTOR, VUSB_DESCRIPTOR_DEVICE << 8, 0, 18);

    g_assert_cmpstr(usb_host_device_title(device), ==, "Mock Device");
    g_assert_cmphex(urb->data[8] | urb->data[9] << 8, ==, 0x1234);
    expect(fixture, urb, VUSB_OK, 18);
    urb = control(fixture, 0xc0, 1, 0x30, 0, 3);
    g_assert_cmphex(urb->data[2], ==, 0x32);
    expect(fixture, urb, VUSB_OK, 3);
    expect(fixture, control(fixture, 0xc0, 0x55, 0, 0, 3), VUSB_STALL, 0);
    /* The device is not spoilt by it. */
    expect(fixture, control(fixture, 0xc0, 1, 0, 0, 300), VUSB_OK, 300);
    close_and_wait(fixture, device);
}

/* What the host's kernel knows of is done by its calls, and in the end all is as it was. */
static void
test_configuration(Fixture *fixture, gconstpointer data)
{
    UsbHostDevice *device = plug(fixture);
    g_autofree char *log = NULL;

    expect(fixture, control(fixture, 0, VUSB_SET_CONFIGURATION, 1, 0, 0), VUSB_OK, 0);
    expect(fixture, control(fixture, 1, VUSB_SET_INTERFACE, 1, 0, 0), VUSB_OK, 0);
    expect(fixture, control(fixture, 2, VUSB_CLEAR_FEATURE, 0, 0x82, 0), VUSB_OK, 0);
    expect(fixture, control(fixture, 1, VUSB_SET_INTERFACE, 1, 9, 0), VUSB_STALL, 0);
    fixture->hub->reset(fixture->hub->user, 0);
    fixture->hub->reset(fixture->hub->user, 0);
    close_and_wait(fixture, device);
    log = usb_mock_log(fixture->mock);
    g_assert_cmpstr(log, ==,
                    "detach 0; claim 0; release 0; configuration 1; claim 0; alternate 0 1; "
                    "clear 130; release 0; reset; detach 0; claim 0; release 0; attach 0; ");
}

static void
configure(Fixture *fixture)
{
    expect(fixture, control(fixture, 0, VUSB_SET_CONFIGURATION, 1, 0, 0), VUSB_OK, 0);
    expect(fixture, control(fixture, 1, VUSB_SET_INTERFACE, 1, 0, 0), VUSB_OK, 0);
}

static void
test_bulk(Fixture *fixture, gconstpointer data)
{
    UsbHostDevice *device = plug(fixture);
    VusbUrb *urb;

    configure(fixture);
    urb = urb_new(fixture, VUSB_BULK, 2, false, 40000);
    for (unsigned i = 0; i < urb->size; i++)
        urb->data[i] = (uint8_t)(i * 7);
    run(fixture, urb);
    expect(fixture, urb, VUSB_OK, 40000);
    urb = urb_new(fixture, VUSB_BULK, 2, true, 40000);
    run(fixture, urb);
    g_assert_cmphex(urb->data[39999], ==, (uint8_t)(39999 * 7));
    expect(fixture, urb, VUSB_OK, 40000);
    urb = urb_new(fixture, VUSB_BULK, 2, false, 100);
    memset(urb->data, 0x5a, 100);
    run(fixture, urb);
    expect(fixture, urb, VUSB_OK, 100);
    urb = urb_new(fixture, VUSB_BULK, 2, true, 512);
    run(fixture, urb);
    g_assert_cmphex(urb->data[99], ==, 0x5a);
    expect(fixture, urb, VUSB_OK, 100);
    close_and_wait(fixture, device);
}

static void
test_interrupt(Fixture *fixture, gconstpointer data)
{
    UsbHostDevice *device = plug(fixture);
    VusbUrb *first, *second;
    unsigned before;

    configure(fixture);
    first = urb_new(fixture, VUSB_INTERRUPT, 3, true, 8);
    second = urb_new(fixture, VUSB_INTERRUPT, 3, true, 8);
    submit(fixture, first);
    submit(fixture, second);
    g_assert_cmpuint(usb_mock_waiting(fixture->mock), ==, 2);
    before = fixture->count;
    expect(fixture, control(fixture, 0x40, 2, 0x2211, 0, 0), VUSB_OK, 0);
    WAIT_FOR(fixture, fixture->count == before + 1);
    g_assert_cmphex(first->data[0], ==, 0x11);
    g_assert_cmphex(first->data[1], ==, 0x22);
    expect(fixture, first, VUSB_OK, 2);
    /* The other one is taken back: nobody hears of it. */
    fixture->hub->cancel(fixture->hub->user, second);
    WAIT_FOR(fixture, !vusb_device_busy(plugged(fixture)));
    g_assert_cmpuint(fixture->count, ==, before + 1);
    g_assert_cmpuint(usb_mock_waiting(fixture->mock), ==, 0);
    close_and_wait(fixture, device);
}

static void
test_isochronous(Fixture *fixture, gconstpointer data)
{
    static const uint32_t offsets[] = {600, 0, 200}; /* in any order, with gaps */
    UsbHostDevice *device = plug(fixture);
    VusbUrb *urb;

    configure(fixture);
    urb = fixture->hub->urb_new(fixture->hub->user, 800, 3);
    urb->type = VUSB_ISOCHRONOUS;
    urb->endpoint = 1;
    urb->in = true;
    urb->done = on_done;
    urb->user = fixture;
    for (unsigned i = 0; i < 3; i++)
        urb->packets[i] = (VusbPacket){.offset = offsets[i], .size = 100 + i};
    run(fixture, urb);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(urb->packets[i].status, ==, i == 1 ? VUSB_SHORT : VUSB_OK);
        g_assert_cmpuint(urb->packets[i].actual, ==, i == 1 ? 100 : 100 + i);
        g_assert_cmphex(urb->data[offsets[i] + 99], ==, 0xa0 + i);
    }
    g_assert_cmphex(urb->data[100], ==, 0); /* short by one */
    expect(fixture, urb, VUSB_OK, 302);
    close_and_wait(fixture, device);
}

/* Out, in two URBs that are under way together, packets in any order and of any size. */
static void
test_isochronous_out(Fixture *fixture, gconstpointer data)
{
    static const uint32_t offsets[] = {300, 0, 192}, sizes[] = {10, 192, 0};
    UsbHostDevice *device = plug(fixture);
    VusbUrb *urbs[2], *last;
    guint32 hash = 0;

    configure(fixture);
    for (unsigned n = 0; n < 2; n++) {
        VusbUrb *urb = urbs[n] = fixture->hub->urb_new(fixture->hub->user, 310, 3);

        urb->type = VUSB_ISOCHRONOUS;
        urb->endpoint = 1;
        urb->done = on_done;
        urb->user = fixture;
        for (unsigned i = 0; i < 3; i++)
            urb->packets[i] = (VusbPacket){.offset = offsets[i], .size = sizes[i]};
        memset(urb->data, (int)(0x40 + n), urb->size);
        submit(fixture, urb);
    }
    WAIT_FOR(fixture, fixture->count == 2);
    g_assert_cmpuint(usb_mock_out(fixture->mock, 0, &hash), ==, 2 * 202);
    last = control(fixture, 0xc0, 3, 0, 0, 300);
    /* The last packet that came has no bytes. */
    expect(fixture, last, VUSB_OK, 0);
    for (unsigned n = 0; n < 2; n++) {
        for (unsigned i = 0; i < 3; i++) {
            g_assert_cmpuint(urbs[n]->packets[i].status, ==, VUSB_OK);
            g_assert_cmpuint(urbs[n]->packets[i].actual, ==, sizes[i]);
        }
        expect(fixture, urbs[n], VUSB_OK, 202);
    }
    close_and_wait(fixture, device);
}

/* Taken back in mid-stream: the ones behind it go on. */
static void
test_isochronous_cancelled(Fixture *fixture, gconstpointer data)
{
    UsbHostDevice *device = plug(fixture);
    VusbUrb *urbs[3];

    configure(fixture);
    for (unsigned n = 0; n < 3; n++) {
        VusbUrb *urb = urbs[n] = fixture->hub->urb_new(fixture->hub->user, 192, 1);

        urb->type = VUSB_ISOCHRONOUS;
        urb->endpoint = 1;
        urb->in = true;
        urb->done = on_done;
        urb->user = fixture;
        urb->packets[0] = (VusbPacket){.size = 192};
        submit(fixture, urb);
    }
    fixture->hub->cancel(fixture->hub->user, urbs[1]);
    WAIT_FOR(fixture, fixture->count == 2 && !vusb_device_busy(plugged(fixture)));
    for (unsigned n = 0; n < 3; n += 2) {
        g_assert_cmphex(urbs[n]->data[0], ==, 0xa0 + n);
        expect(fixture, urbs[n], VUSB_OK, 192);
    }
    close_and_wait(fixture, device);
}

/* An endpoint that the device does not have, and packets beyond the URB. */
static void
test_isochronous_bad(Fixture *fixture, gconstpointer data)
{
    UsbHostDevice *device = plug(fixture);
    VusbUrb *urb;

    configure(fixture);
    for (unsigned bad = 0; bad < 2; bad++) {
        urb = fixture->hub->urb_new(fixture->hub->user, 192, 1);
        urb->type = VUSB_ISOCHRONOUS;
        urb->endpoint = 1;
        urb->in = true;
        urb->packets[0] = (VusbPacket){.offset = bad ? 100 : 0xffffffff, .size = bad ? 93 : 2};
        run(fixture, urb);
        expect(fixture, urb, VUSB_IO_ERROR, 0);
    }
    close_and_wait(fixture, device);
}

/* Pulled out while a transfer is under way: it ends, the owner hears of it once. */
static void
test_unplugged(Fixture *fixture, gconstpointer data)
{
    UsbHostDevice *device = plug(fixture);
    VusbUrb *urb;
    unsigned before;

    configure(fixture);
    urb = urb_new(fixture, VUSB_INTERRUPT, 3, true, 8);
    submit(fixture, urb);
    before = fixture->count;
    usb_mock_unplug(fixture->mock);
    WAIT_FOR(fixture, fixture->count > before);
    expect(fixture, urb, VUSB_NO_DEVICE, 0);
    expect(fixture, control(fixture, 0xc0, 1, 0, 0, 3), VUSB_NO_DEVICE, 0);
    WAIT_FOR(fixture, g_atomic_int_get(&fixture->lost) > 0);
    close_and_wait(fixture, device);
    g_assert_cmpint(g_atomic_int_get(&fixture->lost), ==, 1);
}

/* Taken away from the guest while a transfer is under way. */
static void
test_closed(Fixture *fixture, gconstpointer data)
{
    UsbHostDevice *device = plug(fixture);
    VusbUrb *urb;
    unsigned before;

    configure(fixture);
    urb = urb_new(fixture, VUSB_INTERRUPT, 3, true, 8);
    submit(fixture, urb);
    before = fixture->count;
    usb_host_close(device);
    g_assert_null(plugged(fixture));
    WAIT_FOR(fixture, fixture->count > before);
    expect(fixture, urb, VUSB_NO_DEVICE, 0);
    WAIT_FOR(fixture, !usb_host_busy(fixture->host));
    g_assert_cmpint(g_atomic_int_get(&fixture->lost), ==, 0);
}

static void
test_refused(Fixture *fixture, gconstpointer data)
{
    const bool root = geteuid() == 0;
    g_autoptr(GError) busy = NULL;
    g_autoptr(GError) denied = NULL;
    g_autoptr(GError) missing = NULL;
    g_autofree char *log = NULL;

    usb_mock_set_busy(fixture->mock, true);
    g_assert_null(usb_host_open(fixture->host, USB_MOCK_BUS, USB_MOCK_ADDRESS, &busy));
    g_assert_error(busy, BASE_ERROR, BASE_ERROR_BUSY);
    g_assert_nonnull(strstr(busy->message, "Mock Device"));
    /* Its driver is given back. */
    log = usb_mock_log(fixture->mock);
    g_assert_cmpstr(log, ==, "detach 0; claim 0; attach 0; ");
    g_assert_null(usb_host_open(fixture->host, USB_MOCK_BUS, 77, &missing));
    g_assert_error(missing, BASE_ERROR, BASE_ERROR_NOT_FOUND);
    usb_mock_deny(fixture->mock);
    if (root)
        g_assert_cmpint(seteuid(65534), ==, 0);
    g_assert_null(usb_host_open(fixture->host, USB_MOCK_BUS, USB_MOCK_ADDRESS, &denied));
    if (root)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_error(denied, BASE_ERROR, BASE_ERROR_DENIED);
}

static void
test_no_port(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    UsbHostDevice *device = usb_host_open(fixture->host, USB_MOCK_BUS, USB_MOCK_ADDRESS, &error);

    g_assert_no_error(error);
    g_assert_false(usb_host_plug(device, NULL, 0, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    close_and_wait(fixture, device);
}

/* Somebody else opened the node. */
static void
test_descriptor(Fixture *fixture, gconstpointer data)
{
    const int node = open(USB_MOCK_NODE, O_RDWR | O_CLOEXEC);
    g_autoptr(GError) error = NULL;
    UsbHostDevice *device;
    VusbUrb *urb;

    g_assert_cmpint(node, >=, 0);
    device = usb_host_open_descriptor(fixture->host, node, &error);
    g_assert_no_error(error);
    g_assert_true(usb_host_plug(device, (VusbHub *[]){fixture->hub->user}, 1, &error));
    fixture->hub->reset(fixture->hub->user, 0);
    g_assert_cmpuint(plugged(fixture)->speed, ==, VUSB_SPEED_FULL);
    configure(fixture);
    urb = control(fixture, 0xc0, 1, 0x30, 0, 3);
    g_assert_cmphex(urb->data[1], ==, 0x31);
    expect(fixture, urb, VUSB_OK, 3);
    close_and_wait(fixture, device);
    close(node);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/usb-host/control", test_control},
        {"/usb-host/configuration", test_configuration},
        {"/usb-host/bulk", test_bulk},
        {"/usb-host/interrupt", test_interrupt},
        {"/usb-host/isochronous", test_isochronous},
        {"/usb-host/isochronous-out", test_isochronous_out},
        {"/usb-host/isochronous-cancelled", test_isochronous_cancelled},
        {"/usb-host/isochronous-bad", test_isochronous_bad},
        {"/usb-host/unplugged", test_unplugged},
        {"/usb-host/closed", test_closed},
        {"/usb-host/refused", test_refused},
        {"/usb-host/no-port", test_no_port},
        {"/usb-host/descriptor", test_descriptor},
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
