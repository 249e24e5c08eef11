/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is plugged into the host, and filters that choose from it: for who decides which machine
 * gets a device. Manual, chapter "USB settings" (device filters). Nothing is opened here. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct UsbHostList UsbHostList;

/* A device that is plugged in; hubs are not listed. */
typedef struct {
    guint bus, address;
    guint port; /* of the hub that it is plugged into, from 1 on; 0: unknown */
    char *path; /* bus and ports down to it, as in "3-1.4": stays the same when it is plugged in
                   anew */
    guint16 vendor, product, revision;
    guint16 version; /* of USB, as in bcdUSB */
    guint speed;     /* Mbit/s, rounded up: 2, 12, 480, 5000, 10000; 0: unknown */
    /* As the device says, UTF-8; NULL: it does not. */
    char *manufacturer, *title, *serial;
    bool remote;    /* not the host's own */
    bool permitted; /* this user may open it */
    /* Names of the host's drivers that have it, with ", " between; "usbfs" is a program of the
     * host. NULL: none has. */
    char *drivers;
    char *group; /* of users who may open it, while this one may not; NULL: none */
} UsbHostInfo;

void usb_host_info_free(UsbHostInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UsbHostInfo, usb_host_info_free)

/* changed: something was plugged in or out, from a thread of the list; it must not call anything
 * here. NULL and BASE_ERROR_FAILED: no libusb here. */
UsbHostList *usb_host_list_new(void (*changed)(void *user), void *user, GError **error);
void usb_host_list_free(UsbHostList *list);
/* UsbHostInfo of what is plugged in now, by bus and address; the caller's. */
GPtrArray *usb_host_list_get(UsbHostList *list);

/* The device's node, open for reading and writing: what usb_host_open_descriptor() takes. -1:
 * BASE_ERROR_DENIED, BASE_ERROR_NOT_FOUND, BASE_ERROR_IO. */
int usb_host_list_open(const UsbHostInfo *info, GError **error);
/* Whether the host's drivers have a device: takes it from them, or gives it back to those that fit
 * (after a process that had it died, say). Waits for the host's kernel. Any thread.
 * BASE_ERROR_NOT_FOUND, BASE_ERROR_DENIED, BASE_ERROR_BUSY, BASE_ERROR_IO. */
bool usb_host_list_bind(UsbHostList *list, guint bus, guint address, bool bound, GError **error);

/* What becomes of a device that fits. */
typedef enum {
    USB_HOST_FILTER_ATTACH, /* the machine whose filter it is gets it */
    USB_HOST_FILTER_IGNORE, /* the host keeps it, whatever machines' filters say */
    USB_HOST_FILTER_HOLD,   /* it is kept for machines */
} UsbHostAction;

/* A field that is NULL or empty fits anything; all others have to fit.
 *
 * Numbers (vendor_id, product_id, revision: hexadecimal; port: decimal; "0x" before either is
 * hexadecimal): a number, a range "from-to" either end of which may be missing, or several of them
 * with "," or "|" between; "int:" may stand before all that. Texts: equal, or fits where "*" stands
 * for any characters and "?" for one. remote: "1", "true", "yes" or "0", "false", "no". */
typedef struct {
    const char *name;
    bool active;
    const char *vendor_id, *product_id, *revision, *port;
    const char *manufacturer, *product, *serial_number;
    const char *remote;
    UsbHostAction action;
} UsbHostFilter;

/* BASE_ERROR_INVALID: which field nobody can read. */
bool usb_host_filter_check(const UsbHostFilter *filter, GError **error);
/* Fields that cannot be read fit nothing. Whether it is active does not matter. */
bool usb_host_filter_fits(const UsbHostFilter *filter, const UsbHostInfo *info);
/* The first active filter that fits; -1: none. */
int usb_host_filter_find(const UsbHostFilter *filters, size_t count, const UsbHostInfo *info);
