/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB against a guest that means harm. FUZZ_TARGET "ehci", "ohci" or "xhci": a controller with
 * emulated devices at its ports, through its registers, the memory that it reads and time; the
 * input begins where a driver has brought the controller up. FUZZ_TARGET "vusb": URBs of any shape
 * straight to the devices, through VUSB's core. Each input is one machine, which is saved and
 * loaded where the input says so.
 *
 * An input is a row of steps: a byte that says what, and what it needs. */
#include "tests/fuzz/fuzz-usb.h"
#include "devices/devices.h"
#include "tests/device/pci-guest.h"
#include "tests/device/usb-stream.h"

#include <string.h>

#define STEPS_MAX 400u
#define DRIVE_SIZE (256u << 10)
#define FRAME_NS 125000u /* a microframe */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const PdmDeviceInfo ehci_device, ohci_device, xhci_device, usb_hub_device,
    usb_keyboard_device, usb_mouse_device, usb_storage_device, usb_tablet_device;
extern const PdmDriverInfo vusb_root_hub_driver;

/* The bench asks for all devices that there are: these. */
bool
devices_register(PdmRegistry *registry, GError **error)
{
    static const PdmDeviceInfo *const devices[] = {
        &ehci_device,         &ohci_device,        &xhci_device,       &usb_hub_device,
        &usb_keyboard_device, &usb_mouse_device,   &usb_stream_device, &usb_storage_device,
        &usb_tablet_device,   &fuzz_usb_controller};
    bool ok = pdm_registry_add_driver(registry, &vusb_root_hub_driver, error);

    for (unsigned i = 0; ok && i < G_N_ELEMENTS(devices); i++)
        ok = pdm_registry_add_device(registry, devices[i], error);
    return ok;
}

/* --- the machine --- */
static void
add_controller(CfgmNode *config, const char *name)
{
    device_bench_add(config, name, 0);
    device_bench_add_driver(config, name, 0, 0, "vusb-root-hub");
}

static CfgmNode *
tree(void)
{
    CfgmNode *config = cfgm_new();

    if (strcmp(FUZZ_TARGET, "vusb") == 0)
        add_controller(config, "fuzz-controller");
    else
        add_controller(config, FUZZ_TARGET);
    if (strcmp(FUZZ_TARGET, "ehci") == 0)
        add_controller(config, "ohci");
    device_bench_add(config, "usb-tablet", 0);
    device_bench_add(config, "usb-storage", 0);
    pci_guest_add_drive(config, "usb-storage", 0, PDM_MEDIA_DISK, DRIVE_SIZE);
    device_bench_add(config, "usb-hub", 0);
    cfgm_set_uint(device_bench_add(config, "usb-keyboard", 0), "Hub", 1);
    cfgm_set_uint(device_bench_add(config, "usb-mouse", 0), "Hub", 1);
    device_bench_add(config, "usb-stream", 0);
    return config;
}

/* Its driver has chosen an address and a configuration. */
static void
begin_stream(FuzzUsb *fuzz)
{
    UsbStream *stream = device_bench_data(fuzz->bench, "usb-stream", 0);

    stream->device.address = FUZZ_USB_STREAM;
    stream->device.configuration = 1;
}

/* How it answers from now on, and what it has not answered so far. */
static void
change_stream(FuzzUsb *fuzz, FuzzInput *input)
{
    UsbStream *stream = device_bench_data(fuzz->bench, "usb-stream", 0);
    const unsigned what = fuzz_take(input, 1);

    stream->holds = (what & 1) != 0;
    stream->fails = (what & 2) != 0;
    if ((what & 4) != 0)
        usb_stream_report(stream, "fuzz", 4);
    if ((what & 8) != 0 && stream->held != NULL) {
        for (unsigned i = 0; i < stream->held->packet_count; i++)
            stream->held->packets[i].actual = fuzz_take(input, 2) % (stream->held->size + 1);
        vusb_urb_done(g_steal_pointer(&stream->held), what & 16 ? VUSB_IO_ERROR : VUSB_OK);
    }
}

static void
point(FuzzUsb *fuzz, FuzzInput *input)
{
    static const char *const names[] = {"usb-tablet", "usb-mouse"};
    const unsigned which = fuzz_take(input, 1) & 1;
    const PdmMousePort *mouse = pdm_lun_port(fuzz->bench->pdm, names[which], 0, 0, PDM_IF_MOUSE);

    if (which == 0)
        mouse->absolute(mouse->user, fuzz_take(input, 2), fuzz_take(input, 2), 1, 0,
                        fuzz_take(input, 1));
    else
        mouse->relative(mouse->user, (int8_t)fuzz_take(input, 1), (int8_t)fuzz_take(input, 1), 0, 0,
                        fuzz_take(input, 1));
}

static void
step(FuzzUsb *fuzz, FuzzInput *input)
{
    switch (fuzz_take(input, 1) % 13) {
    case 0:
        pci_guest_write(fuzz->bench, 0, fuzz_take(input, 2) & 0x3ffc, fuzz_take(input, 4));
        break;
    case 1: pci_guest_read(fuzz->bench, 0, fuzz_take(input, 2) & 0x3ffc); break;
    case 2:
    case 3: fuzz_write_memory(fuzz->bench, input); break;
    case 4: fuzz_wait(fuzz->bench, 1 + (fuzz_take(input, 1) & 31), FRAME_NS); break;
    case 5: point(fuzz, input); break;
    case 6:
        if ((fuzz_take(input, 1) & 15) == 0)
            fuzz->bench = fuzz_save_and_load(fuzz->bench, tree());
        break;
    case 7:
        if ((fuzz_take(input, 1) & 15) == 0)
            device_bench_reset(fuzz->bench);
        break;
    case 8:
        pdm_command(fuzz->bench->pdm, "usb-hub", 0, "over-current",
                    (const char[]){(char)('1' + fuzz_take(input, 1) % 5), '\0'});
        break;
    case 12: change_stream(fuzz, input); break;
    default: fuzz_usb_transfer(fuzz, input); break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    FuzzUsb fuzz = {.bench = device_bench_new(tree())};

    fuzz_usb_begin(&fuzz);
    begin_stream(&fuzz);
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++)
        step(&fuzz, &input);
    fuzz_wait(fuzz.bench, 16, FRAME_NS);
    device_bench_free(fuzz.bench);
    return 0;
}
