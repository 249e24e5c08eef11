/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB request blocks: one transfer between a controller and a device. Universal Serial Bus
 * Specification 2.0, chapters 5 (transfers) and 8 (tokens), and 3.2, chapter 4. Included by vusb.h
 * and vusb-device.h; nobody else needs it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct VusbDevice VusbDevice;
typedef struct VusbHub VusbHub;
typedef struct VusbUrb VusbUrb;

#define VUSB_PORTS_MAX 30u           /* of a root hub */
#define VUSB_URB_SIZE_MAX (4u << 20) /* bytes of one URB */
#define VUSB_PACKETS_MAX 128u        /* of one isochronous URB */
#define VUSB_CONTROL_SIZE_MAX 65535u /* wLength has 16 bits */
#define VUSB_URBS_MAX 4096u          /* that one hub has under way; more are refused */
#define VUSB_BYTES_MAX (64u << 20)   /* and in them */

typedef enum {
    VUSB_SPEED_LOW,   /* 1.5 Mbit/s */
    VUSB_SPEED_FULL,  /* 12 Mbit/s */
    VUSB_SPEED_HIGH,  /* 480 Mbit/s */
    VUSB_SPEED_SUPER, /* 5 Gbit/s */
} VusbSpeed;
/* Sets of speeds: bit n is VusbSpeed n. */
enum {
    VUSB_SPEEDS_LOW = 1 << VUSB_SPEED_LOW,
    VUSB_SPEEDS_FULL = 1 << VUSB_SPEED_FULL,
    VUSB_SPEEDS_HIGH = 1 << VUSB_SPEED_HIGH,
    VUSB_SPEEDS_SUPER = 1 << VUSB_SPEED_SUPER,
    VUSB_SPEEDS_USB1 = VUSB_SPEEDS_LOW | VUSB_SPEEDS_FULL,
    VUSB_SPEEDS_USB2 = VUSB_SPEEDS_USB1 | VUSB_SPEEDS_HIGH,
};

/* As in bmAttributes of an endpoint's descriptor. */
typedef enum {
    VUSB_CONTROL,
    VUSB_ISOCHRONOUS,
    VUSB_BULK,
    VUSB_INTERRUPT,
} VusbTransfer;

/* What of a control transfer an URB is. Controllers whose hardware knows transfers (xHCI) ask for
 * all of it; those that know transactions only (OHCI, EHCI) ask for one after the other, and the
 * core puts the transfer together. */
typedef enum {
    VUSB_STAGE_ALL,   /* setup, data and status; `setup` and `data` are the transfer's */
    VUSB_STAGE_SETUP, /* `data` holds the eight bytes */
    VUSB_STAGE_IN,    /* a piece of data, or the status stage */
    VUSB_STAGE_OUT,
} VusbStage;

typedef enum {
    VUSB_OK,        /* `actual` bytes moved; of IN transfers that may be fewer than asked for */
    VUSB_STALL,     /* the endpoint is halted, or the control request is refused */
    VUSB_NO_DEVICE, /* nobody answers (any more) */
    VUSB_BABBLE,    /* the device sent more than there was room for */
    VUSB_SHORT,     /* an isochronous packet was shorter than asked for */
    VUSB_IO_ERROR,  /* CRC, time-out, bad packet: what a bus does to a transfer */
    VUSB_CANCELLED, /* by cancel(): only the device's side sees it */
} VusbStatus;

/* A packet of an isochronous URB, at its place in the URB's data. */
typedef struct {
    uint32_t offset, size; /* within data; the submitter's */
    uint32_t actual;
    VusbStatus status;
} VusbPacket;

/* The eight bytes of a control request, in the host's byte order: USB 2.0 section 9.3. */
typedef struct {
    uint8_t request_type, request;
    uint16_t value, index, length;
} VusbSetup;

/* Made and freed by the core; memory of the URB belongs to it until it is freed, also when its
 * submitter has long lost interest in it, so a device may write to it at any time before it says
 * vusb_urb_done(). */
struct VusbUrb {
    /* Set by the submitter before submit(). */
    VusbTransfer type;
    VusbStage stage;  /* CONTROL only */
    uint8_t endpoint; /* 0..15 */
    bool in;          /* device to host; for whole control transfers it follows from `setup` */
    VusbSetup setup;  /* VUSB_STAGE_ALL */
    uint8_t *data;
    uint32_t size; /* bytes at data that the transfer is for, at most what urb_new() was told */
    VusbPacket *packets;
    uint32_t packet_count; /* ISOCHRONOUS */
    uint64_t frame_ns;     /* ISOCHRONOUS: virtual time when its first packet is due */
    /* Exactly once for each submit() that is not cancelled, never before it returns, on virtual CPU
     * 0's thread under the device lock. The URB is the submitter's again: frees or reuses it. */
    void (*done)(void *user, VusbUrb *urb);
    void *user;
    uint64_t tag; /* free for the submitter */

    /* The answer. */
    VusbStatus status;
    uint32_t actual; /* bytes that moved; of control transfers without the setup */

    /* Free for the device while it has the URB. */
    void *device_data;
};
