/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host as clients see them, and the filters that choose from them. Manual,
 * chapter "USB settings". Boxed types; fields may be read and written directly. */
#pragma once

#include "app/api/vitrine-types.h"

G_BEGIN_DECLS

/**
 * VitrineUsbAction:
 * @VITRINE_USB_ACTION_ATTACH: the machine whose filter it is gets the device
 * @VITRINE_USB_ACTION_IGNORE: the host keeps it, whatever machines' filters say
 * @VITRINE_USB_ACTION_HOLD: it is taken from the host's drivers and kept for machines
 *
 * The last two are of global filters.
 */
typedef enum {
    VITRINE_USB_ACTION_ATTACH,
    VITRINE_USB_ACTION_IGNORE,
    VITRINE_USB_ACTION_HOLD,
} VitrineUsbAction;

/**
 * VitrineUsbFilter:
 * @active: it is looked at
 * @action: what becomes of a device that fits
 * @name: for people; owned, as are all texts; none is NULL
 * @vendor_id: hexadecimal: "1234", a range "1230-1234", or several with "," between; "": any
 * @product_id: the same
 * @revision: the same; "0100" is 1.0
 * @manufacturer: a text; "*" stands for any characters, "?" for one; "": any
 * @product: the same
 * @serial_number: the same
 * @port: of the hub, decimal, as @vendor_id otherwise
 * @remote: "1" for remote devices only, "0" for the host's only, "": both
 * @masked_interfaces: bits of interfaces that are hidden; kept, without effect
 */
typedef struct {
    gboolean active;
    VitrineUsbAction action;
    char *name;
    char *vendor_id;
    char *product_id;
    char *revision;
    char *manufacturer;
    char *product;
    char *serial_number;
    char *port;
    char *remote;
    char *masked_interfaces;
} VitrineUsbFilter;

/**
 * VitrineUsbState:
 * @VITRINE_USB_STATE_UNAVAILABLE: it cannot be had; the problem says why
 * @VITRINE_USB_STATE_BUSY: a driver of the host has it, which gives it up for a machine
 * @VITRINE_USB_STATE_AVAILABLE: nobody has it
 * @VITRINE_USB_STATE_HELD: kept for machines
 * @VITRINE_USB_STATE_CAPTURED: a machine has it
 */
typedef enum {
    VITRINE_USB_STATE_UNAVAILABLE,
    VITRINE_USB_STATE_BUSY,
    VITRINE_USB_STATE_AVAILABLE,
    VITRINE_USB_STATE_HELD,
    VITRINE_USB_STATE_CAPTURED,
} VitrineUsbState;

/**
 * VitrineUsbProblem:
 * @VITRINE_USB_PROBLEM_NONE: it can be had
 * @VITRINE_USB_PROBLEM_PERMISSION: this user may not open it
 * @VITRINE_USB_PROBLEM_PROGRAM: a program of the host has it
 * @VITRINE_USB_PROBLEM_MACHINE: a machine has it
 * @VITRINE_USB_PROBLEM_IGNORED: a global filter keeps it for the host
 */
typedef enum {
    VITRINE_USB_PROBLEM_NONE,
    VITRINE_USB_PROBLEM_PERMISSION,
    VITRINE_USB_PROBLEM_PROGRAM,
    VITRINE_USB_PROBLEM_MACHINE,
    VITRINE_USB_PROBLEM_IGNORED,
} VitrineUsbProblem;

/**
 * VitrineUsbDevice:
 * @bus: number
 * @address: on the bus; another one each time it is plugged in
 * @port: of the hub that it is plugged into, from 1 on
 * @vendor_id: number
 * @product_id: number
 * @revision: binary coded: 0x0100 is 1.0
 * @version: of USB, binary coded
 * @speed: Mbit/s, rounded up: 2, 12, 480, 5000, 10000; 0: unknown
 * @state: who has it
 * @problem: why it cannot be had
 * @id: a UUID that stays the same as long as the device is plugged in where it is; owned, as are
 * all texts; none is NULL
 * @path: bus and ports down to it: "3-1.4"
 * @manufacturer: as it says
 * @product: as it says
 * @serial: as it says
 * @drivers: names of the host's drivers that have it, with ", " between
 * @group: of users who may open it; "": none
 * @machine: UUID of the machine that has it
 */
typedef struct {
    guint bus;
    guint address;
    guint port;
    guint vendor_id;
    guint product_id;
    guint revision;
    guint version;
    guint speed;
    VitrineUsbState state;
    VitrineUsbProblem problem;
    char *id;
    char *path;
    char *manufacturer;
    char *product;
    char *serial;
    char *drivers;
    char *group;
    char *machine;
} VitrineUsbDevice;

#define VITRINE_TYPE_USB_FILTER (vitrine_usb_filter_get_type())
GType vitrine_usb_filter_get_type(void);
/**
 * vitrine_usb_filter_new:
 *
 * Returns: (transfer full): an active filter of a machine that everything fits
 */
VitrineUsbFilter *vitrine_usb_filter_new(const char *name);
/**
 * vitrine_usb_filter_new_for_device:
 *
 * Returns: (transfer full): an active filter of a machine that this device fits
 */
VitrineUsbFilter *vitrine_usb_filter_new_for_device(const VitrineUsbDevice *device);
VitrineUsbFilter *vitrine_usb_filter_copy(const VitrineUsbFilter *filter);
void vitrine_usb_filter_free(VitrineUsbFilter *filter);
/**
 * vitrine_usb_filter_get_text:
 * @filter: a filter
 * @key: "name", "vendorid", "productid", "revision", "manufacturer", "product", "serialnumber",
 *   "port", "remote" or "maskedinterfaces"
 *
 * Returns: (nullable): the text; %NULL: there is no such field
 */
const char *vitrine_usb_filter_get_text(const VitrineUsbFilter *filter, const char *key);
/* FALSE: there is no such field. text NULL is "". */
gboolean vitrine_usb_filter_set_text(VitrineUsbFilter *filter, const char *key, const char *text);
/**
 * vitrine_usb_filter_field_problem:
 * @key: as in vitrine_usb_filter_get_text()
 * @text: what is to stand there
 *
 * Returns: (transfer full) (nullable): a sentence that says why it cannot
 */
char *vitrine_usb_filter_field_problem(const char *key, const char *text);

#define VITRINE_TYPE_USB_DEVICE (vitrine_usb_device_get_type())
GType vitrine_usb_device_get_type(void);
VitrineUsbDevice *vitrine_usb_device_new(void);
VitrineUsbDevice *vitrine_usb_device_copy(const VitrineUsbDevice *device);
void vitrine_usb_device_free(VitrineUsbDevice *device);
/**
 * vitrine_usb_device_get_title:
 *
 * Returns: (transfer full): "Kingston DataTraveler [0100]", or numbers if it says no names
 */
char *vitrine_usb_device_get_title(const VitrineUsbDevice *device);
/**
 * vitrine_usb_device_explain:
 * @machine: (nullable): the name of the machine that has it
 *
 * Returns: (transfer full) (nullable): a sentence that says why it cannot be had and what to do;
 *   %NULL: it can
 */
char *vitrine_usb_device_explain(const VitrineUsbDevice *device, const char *machine);

/**
 * VitrineUsbRemote:
 * @listens: a machine waits for the peer there; else the peer waits for a machine
 * @path: of a local socket, absolute; "": TCP; owned
 * @host: name or number; of one that listens, a number of this computer or "" for all; owned
 * @port: 1..65535; 0 where there is a path
 *
 * Where a remote USB device is to be found, which is at a usbredir peer. As text: "usbredir:" with
 * "HOST:PORT", "/PATH", "listen:HOST:PORT", "listen:/PATH" or "tcp://:PORT" (which listens).
 */
typedef struct {
    gboolean listens;
    char *path;
    char *host;
    guint port;
} VitrineUsbRemote;

#define VITRINE_TYPE_USB_REMOTE (vitrine_usb_remote_get_type())
GType vitrine_usb_remote_get_type(void);
VitrineUsbRemote *vitrine_usb_remote_new(gboolean listens, const char *path, const char *host,
                                         guint port);
VitrineUsbRemote *vitrine_usb_remote_copy(const VitrineUsbRemote *remote);
void vitrine_usb_remote_free(VitrineUsbRemote *remote);
/* Whether a text is meant as such an address, right or wrong. */
gboolean vitrine_usb_remote_is_address(const char *text);
/**
 * vitrine_usb_remote_parse:
 *
 * Returns: (transfer full): what the text says; or %NULL with %VITRINE_ERROR_INVALID
 */
VitrineUsbRemote *vitrine_usb_remote_parse(const char *text, GError **error);
/**
 * vitrine_usb_remote_to_string:
 *
 * Returns: (transfer full): the text
 */
char *vitrine_usb_remote_to_string(const VitrineUsbRemote *remote);
/**
 * vitrine_usb_remote_get_title:
 *
 * Returns: (transfer full): the same in words: "Connects to somewhere, port 4000"
 */
char *vitrine_usb_remote_get_title(const VitrineUsbRemote *remote);

/* For the wire between processes: a{sv}. */
GVariant *vitrine_usb_filter_to_variant(const VitrineUsbFilter *filter);
VitrineUsbFilter *vitrine_usb_filter_from_variant(GVariant *value);
GVariant *vitrine_usb_device_to_variant(const VitrineUsbDevice *device);
VitrineUsbDevice *vitrine_usb_device_from_variant(GVariant *value);
/**
 * vitrine_usb_filters_equal:
 * @a: (element-type VitrineUsbFilter): filters
 * @b: (element-type VitrineUsbFilter): filters
 */
gboolean vitrine_usb_filters_equal(GPtrArray *a, GPtrArray *b);
/**
 * vitrine_usb_filters_to_variant:
 * @filters: (element-type VitrineUsbFilter): filters
 *
 * Returns: aa{sv}, floating
 */
GVariant *vitrine_usb_filters_to_variant(GPtrArray *filters);
/**
 * vitrine_usb_filters_from_variant:
 *
 * Returns: (transfer container) (element-type VitrineUsbFilter): of an aa{sv}
 */
GPtrArray *vitrine_usb_filters_from_variant(GVariant *list);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineUsbFilter, vitrine_usb_filter_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineUsbDevice, vitrine_usb_device_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineUsbRemote, vitrine_usb_remote_free)

G_END_DECLS
