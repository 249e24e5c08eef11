/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mass storage: what its files share. USB Mass Storage Class Bulk-Only Transport 1.0. */
#pragma once

#include "devices/storage/drive-io.h"
#include "devices/storage/scsi.h"
#include "usb/devices/options.h"
#include "usb/vusb-device.h"

#define STORAGE_BUFFER 65536u
#define STORAGE_OUT 2u /* endpoints */
#define STORAGE_IN 1u

typedef enum {
    STORAGE_COMMAND, /* a command wrapper is to come */
    STORAGE_DATA_IN,
    STORAGE_DATA_OUT,
    STORAGE_WORK, /* what is done after the data */
    STORAGE_STATUS,
    STORAGE_BROKEN, /* halted until reset recovery: 6.6.1 */
    STORAGE_PHASES,
} StoragePhase;

/* bCSWStatus */
enum { STORAGE_PASSED, STORAGE_FAILED, STORAGE_PHASE_ERROR, STORAGE_STATUSES };

typedef struct {
    VusbDevice device; /* first */
    PdmDevice *pdm;
    PdmMediaPort port;
    const PdmMediaConnector *media;
    ScsiUnit unit;
    ScsiTask task;
    DriveIo io;
    char serial[24];
    GQueue in, out; /* VusbUrb */

    uint8_t phase, status;
    uint32_t tag;
    uint32_t expected; /* bytes that the host wants to move */
    uint32_t planned;  /* bytes of them that mean something */
    uint32_t moved;    /* to the guest: in URBs that have ended; from it: all */
    uint32_t taken;    /* bytes of the first URB from the guest that are counted in `moved` */
    /* The bytes of the task's data that are in the buffer. */
    uint32_t window, window_size;
    uint64_t position; /* in STORAGE_WORK: how far it has come, in its own units */

    /* The request to the medium that is under way, to be made again after loading. */
    uint8_t waiting, io_kind;
    uint32_t io_size, io_within;
    uint64_t io_offset;
} UsbStorage;

/* storage-descriptors.c */
const VusbDescriptors *usb_storage_descriptors(VusbDevice *device, VusbSpeed speed);

/* storage-task.c: the medium */
/* Makes the block at `at` of the task's data be in the window; it is there when nobody waits. */
void usb_storage_fetch(UsbStorage *storage, uint32_t at);
/* Writes the window, which is full or the last one. */
void usb_storage_write(UsbStorage *storage);
/* The next step of what is to be done after the data. False: nothing is left. */
bool usb_storage_work(UsbStorage *storage);
/* Asks for what io_kind and the others say. */
void usb_storage_submit(UsbStorage *storage);
/* The state that was loaded is possible with this medium. */
bool usb_storage_task_holds(const UsbStorage *storage);

/* storage.c: the medium has answered. */
void usb_storage_medium_done(void *user, int error);
