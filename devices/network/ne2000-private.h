/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the NE2000 share. Names are those of National Semiconductor's data sheet of the
 * DP8390D. */
#pragma once

#include "vmm/pdm/pdm.h"

#define NE2000_PORTS 0x20u
#define NE2000_RAM_SIZE 0x4000u
#define NE2000_RAM_AT 0x4000u
#define NE2000_PROM_SIZE 16u
#define NE2000_PAGE 256u
#define NE2000_CHECK_SIZE 4u

enum {
    CR_STP = 1 << 0,
    CR_STA = 1 << 1,
    CR_TXP = 1 << 2,
    CR_RD0 = 1 << 3,
    CR_RD1 = 1 << 4,
    CR_RD2 = 1 << 5,
    ISR_PRX = 1 << 0,
    ISR_PTX = 1 << 1,
    ISR_TXE = 1 << 3,
    ISR_CNT = 1 << 5,
    ISR_RDC = 1 << 6,
    ISR_RST = 1 << 7,
    TSR_PTX = 1 << 0,
    TSR_CRS = 1 << 4,
    RSR_PRX = 1 << 0,
    RSR_PHY = 1 << 5,
    RSR_DIS = 1 << 6,
    RCR_AB = 1 << 2,
    RCR_AM = 1 << 3,
    RCR_PRO = 1 << 4,
    RCR_MON = 1 << 5,
    TCR_CRC = 1 << 0,
    TCR_LOOP = 3 << 1,
    DCR_WTS = 1 << 0,
};

typedef struct {
    PdmDevice *device;
    PdmNetworkPort port;
    const PdmNetworkConnector *net; /* NULL: none */
    unsigned irq;

    uint8_t ram[NE2000_RAM_SIZE];
    uint8_t prom[NE2000_PROM_SIZE];
    uint8_t command, interrupts, mask, data_config, transmit_config, receive_config;
    uint8_t transmit_status, receive_status;
    uint8_t page_start, page_stop, boundary, current, transmit_page;
    uint8_t address[6], groups[8], missed;
    uint16_t transmit_count;
    uint16_t remote_start, remote_count; /* as the driver set them */
    uint16_t remote_at, remote_left;
    uint8_t waits; /* the driver below holds a frame */
} Ne2000;

/* ne2000.c */
void ne2000_update_interrupt(Ne2000 *nic);
void ne2000_raise(Ne2000 *nic, uint8_t causes);
void ne2000_chip_reset(Ne2000 *nic);
/* ne2000-registers.c */
extern const IomPortOps ne2000_port_ops;
/* ne2000-frames.c */
void ne2000_transmit(Ne2000 *nic);
bool ne2000_receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload);
void ne2000_receive_ready(Ne2000 *nic);
