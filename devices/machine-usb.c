/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The USB controllers of a machine and the emulated devices that are plugged in when it starts. */
#include "devices/machine-private.h"

#define ROOT_HUB_DRIVER "vusb-root-hub"
#define HUB_DEVICE "usb-hub"
#define HUB_PORTS 8u
#define STORAGE_DEVICE "usb-storage"
#define STORAGE_MAX 8u

const MachinePlace MACHINE_USB_TABLET = {"usb-tablet", 0, 0};
const MachinePlace MACHINE_USB_MOUSE = {"usb-mouse", 0, 0};
const MachinePlace MACHINE_USB_KEYBOARD = {"usb-keyboard", 0, 0};

static void
add_controller(CfgmNode *root, const char *name, bool wanted)
{
    if (!wanted)
        return;
    machine_add_device(root, name, 0);
    machine_add_driver(root, (MachinePlace){name, 0, 0}, ROOT_HUB_DRIVER);
}

/* A hub comes before what is plugged into it. */
static void
add_hub(CfgmNode *root)
{
    cfgm_set_uint(machine_add_device(root, HUB_DEVICE, 0), "Ports", HUB_PORTS);
}

static void
add_input(CfgmNode *root, MachinePlace place, bool wanted, const char *driver)
{
    if (!wanted)
        return;
    machine_add_device(root, place.device, place.instance);
    if (driver != NULL)
        machine_add_driver(root, place, driver);
}

void
machine_add_usb_controllers(const MachineSpec *spec, CfgmNode *root)
{
    /* A saved state says which ports the companion has before it is read itself. */
    add_controller(root, "ehci", spec->usb.ehci);
    add_controller(root, "ohci", spec->usb.ohci);
    add_controller(root, "xhci", spec->usb.xhci);
    if (spec->usb.hub)
        add_hub(root);
}

static void
move_below_hub(CfgmNode *root, const char *device, unsigned instance)
{
    g_autofree char *path = g_strdup_printf("Devices/%s/%u", device, instance);

    if (cfgm_child(root, path) != NULL)
        cfgm_set_uint(machine_add_device(root, device, instance), "Hub", 1);
}

static void
move_all_below_hub(CfgmNode *root)
{
    move_below_hub(root, MACHINE_USB_TABLET.device, 0);
    move_below_hub(root, MACHINE_USB_MOUSE.device, 0);
    move_below_hub(root, MACHINE_USB_KEYBOARD.device, 0);
    for (unsigned i = 0; i < STORAGE_MAX; i++)
        move_below_hub(root, STORAGE_DEVICE, i);
}

bool
machine_add_usb(const MachineSpec *spec, CfgmNode *root, GError **error)
{
    const MachineUsb *usb = &spec->usb;
    const bool controllers = usb->ohci || usb->ehci || usb->xhci;

    if (!controllers && (usb->tablet || usb->mouse || usb->keyboard || usb->hub)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A USB pointer, keyboard or hub needs a USB controller.");
        return false;
    }
    add_input(root, MACHINE_USB_TABLET, usb->tablet, spec->mouse_driver);
    add_input(root, MACHINE_USB_MOUSE, usb->mouse, spec->mouse_driver);
    add_input(root, MACHINE_USB_KEYBOARD, usb->keyboard, spec->keyboard_driver);
    if (usb->hub)
        move_all_below_hub(root);
    return true;
}
