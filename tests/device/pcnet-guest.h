/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest's driver of a PCnet card does, for tests: registers of 16 bits through memory, both
 * rings with 8 entries in any software style. */
#pragma once

#include "tests/device/net-guest.h"

#define BLOCK 0x8000u
#define RX_RING 0x10000u
#define TX_RING 0x20000u
#define BUFFERS 0x100000u
#define DATA 0x200000u
#define POWER 3u /* of entries */
#define ENTRIES (1u << POWER)

/* Bits of CSR0 and of descriptors. */
enum {
    INIT = 1 << 0,
    STRT = 1 << 1,
    STOP = 1 << 2,
    TDMD = 1 << 3,
    TXON = 1 << 4,
    RXON = 1 << 5,
    IENA = 1 << 6,
    INTR = 1 << 7,
    IDON = 1 << 8,
    TINT = 1 << 9,
    RINT = 1 << 10,
    MISS = 1 << 12,
    OWN = 1 << 15,
    ERR = 1 << 14,
    ADD_FCS = 1 << 13,
    STP = 1 << 9,
    ENP = 1 << 8,
    PAM = 1 << 6,
};

/* A bench with one card whose registers are mapped. */
DeviceBench *pcnet_guest_start(const char *model);
/* A register's address. */
uint64_t pcnet_guest_at(uint32_t offset);
uint16_t pcnet_guest_csr(DeviceBench *bench, unsigned number);
void pcnet_guest_set_csr(DeviceBench *bench, unsigned number, uint16_t value);
uint16_t pcnet_guest_bcr(DeviceBench *bench, unsigned number);
void pcnet_guest_set_bcr(DeviceBench *bench, unsigned number, uint16_t value);
/* Descriptors: where they are, what they say. */
uint64_t pcnet_guest_place(unsigned style, uint64_t ring, unsigned index);
void pcnet_guest_describe(DeviceBench *bench, unsigned style, uint64_t ring, unsigned index,
                          uint32_t gpa, uint32_t length, uint32_t status);
uint16_t pcnet_guest_status_of(DeviceBench *bench, unsigned style, uint64_t ring, unsigned index);
uint16_t pcnet_guest_errors_of(DeviceBench *bench, unsigned style, unsigned index);
/* Initialises the card with both rings of ENTRIES, and starts it. */
void pcnet_guest_rings(DeviceBench *bench, unsigned style, uint16_t mode);
bool pcnet_guest_receive(DeviceBench *bench, const uint8_t *frame, size_t size);
