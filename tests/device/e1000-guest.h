/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest's driver of a PRO/1000 card does, for tests: both rings with 16 entries. */
#pragma once

#include "tests/device/net-guest.h"

#define RX_RING 0x10000u
#define TX_RING 0x20000u
#define BUFFERS 0x100000u
#define DATA 0x200000u
#define ENTRIES 16u

/* Registers. */
enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EECD = 0x0010,
    EERD = 0x0014,
    MDIC = 0x0020,
    ICR = 0x00c0,
    ITR = 0x00c4,
    ICS = 0x00c8,
    IMS = 0x00d0,
    IMC = 0x00d8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    RDTR = 0x2820,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    MPC = 0x4010,
    GPRC = 0x4074,
    GPTC = 0x4080,
    MTA = 0x5200,
};

/* Bits of causes, descriptors and their status. */
enum {
    CAUSE_SENT = 1 << 0,
    CAUSE_LINK = 1 << 2,
    CAUSE_RECEIVED = 1 << 7,
    EOP = 1 << 24,
    IFCS = 1 << 25,
    TSE = 1 << 26,
    RS = 1 << 27,
    DEXT = 1 << 29,
    VLE = 1 << 30,
    DATA_TYPE = 1 << 20,
    DONE = 1,
};

/* A bench with one card whose registers are mapped. */
DeviceBench *e1000_guest_start(const char *model);
uint32_t e1000_guest_get(DeviceBench *bench, uint32_t offset);
void e1000_guest_set(DeviceBench *bench, uint32_t offset, uint32_t value);
/* Both rings, with buffers of 2048 bytes to receive in. */
void e1000_guest_rings(DeviceBench *bench);
/* A descriptor of what is sent. */
void e1000_guest_describe(DeviceBench *bench, unsigned index, uint64_t gpa, uint32_t lengths,
                          uint32_t status);
bool e1000_guest_receive(DeviceBench *bench, const uint8_t *frame, size_t size);
