/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files about USB devices share. */
#pragma once

#include "app/service/usb.h"
#include "usb/host/usb-host-list.h"

typedef enum {
    USB_FREE,
    USB_COMING, /* the owner's process was asked to take it */
    USB_THERE,  /* it has it */
    USB_GOING,  /* it was asked to give it back */
} UsbPhase;

typedef struct UsbAttach UsbAttach;

typedef struct {
    UsbHostInfo *info;
    char *id;
    char *owner; /* a machine's id; NULL: none */
    UsbPhase phase;
    char *again; /* the machine that gave it back only while its state is saved; NULL: none */
    gboolean ignored, held; /* by a global filter */
    GPtrArray *waiting;     /* GDBusMethodInvocation: DetachUsbDevice */
    gpointer job;           /* a thread gives it to the host's drivers or takes it; NULL: none */
    gboolean bound;         /* while there is one: whether they are to have it in the end */
    UsbAttach *later;       /* begins when the job has ended; NULL: none */
} UsbEntry;

struct Usb {
    Service *service;
    UsbHostList *list; /* NULL: not asked for yet */
    GPtrArray *entries;
    GVariant *published; /* aa{sv}, as clients were told last; NULL: nobody asked */
    gint pending;        /* a change was told and not looked at; any thread */
    guint later;         /* source: drivers come a little after their device */
    guint jobs;          /* threads that are under way */
    /* Ids of devices that have left the host, to those of the machines whose processes have yet to
     * let go of them. */
    GHashTable *leaving;
};

/* NULL with error: no libusb here. */
UsbHostList *usb_start(Usb *usb, GError **error);
/* Looks what is plugged in. */
void usb_refresh(Usb *usb);
/* Clients hear of it if something is different. */
void usb_publish(Usb *usb);
UsbEntry *usb_find(Usb *usb, const char *id);
VitrineUsbDevice *usb_describe(const UsbEntry *entry);
/* Gives the device to the host's drivers or takes it from them. That takes its time; until
 * usb_bound nobody else gets it. */
void usb_bind(Usb *usb, UsbEntry *entry, gboolean bound);
/* The first active filter that fits; NULL: none. */
const VitrineUsbFilter *usb_match(GPtrArray *filters, const UsbEntry *entry);

/* What a machine's process gets. */
typedef struct {
    const char *id, *title;
    int node;            /* a device's, or a socket; the caller's */
    const char *capture; /* a file for its traffic; NULL or "": none */
} UsbGift;

/* usb-machine.c: asks the machine's process to take it; callback gets its answer. */
gboolean usb_hand_over(Machine *machine, const UsbGift *gift, GAsyncReadyCallback callback,
                       gpointer data, GError **error);
/* invocation NULL: a filter says so. */
void usb_attach(Machine *machine, UsbEntry *entry, const char *capture,
                GDBusMethodInvocation *invocation);
/* The device has left the host. */
void usb_left(Usb *usb, UsbEntry *entry);
/* The host's drivers have it, or have it no longer: those who wait for that go on. */
void usb_bound(Usb *usb, UsbEntry *entry);
/* A machine does not get it, for it has left the host or the machine has gone. */
void usb_forgo(UsbEntry *entry);
/* Nobody has it any more. */
void usb_released(Usb *usb, UsbEntry *entry);
/* Whether filters may give the machine a device now. */
gboolean usb_takes(const Machine *machine);

/* usb-remote.c: "usbredir:…". */
gboolean usb_is_remote(const char *id);
/* invocation NULL: the settings say so; what is wrong the person hears from the machine. */
void usb_remote_attach(Machine *machine, const char *id, const char *capture,
                       GDBusMethodInvocation *invocation);
void usb_remote_detach(Machine *machine, const char *id, GDBusMethodInvocation *invocation);
/* The machine's process has it, or has it no longer: clients hear of it. */
void usb_remote_note(Machine *machine, const char *id, gboolean there);
/* The machine has begun to run: it gets those of its settings. */
void usb_remote_start(Machine *machine);
