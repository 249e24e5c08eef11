/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A device that does what a test of PDM tells it, and a bench with up to four of it. */
#pragma once

#include "tests/lib/device-bench.h"

#define PROBE_IO_SIZE 16u
#define PROBE_MMIO_SIZE 4096u
#define PROBE_BIG_SIZE 65536u
#define PROBE_ROM_SIZE 4096u

/* Config: Pci (bool) makes a function with BAR0 ports, BAR1 MMIO, BAR2+3 64-bit RAM and a ROM; Fail
 * (bool) fails construction; Interface, Required: what it attaches at LUN 0. */
typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    uint32_t io_value, mmio_value; /* what the handlers read as and what was written */
    unsigned resets, power_ons;
    uint32_t saved; /* the only saved field */
    uint8_t *ram;   /* behind BAR2 */
    const void *connector;
    unsigned last_offset; /* of a configuration write */
    uint32_t router_irq[4];
    unsigned dma_position;
    bool dreq[8];
} Probe;

/* A bench of `count` probes; configure(config, instance) may be NULL. */
DeviceBench *probe_bench(unsigned count, void (*configure)(CfgmNode *config, unsigned instance));
PdmRegistry *probe_registry(void);
Probe *probe_get(DeviceBench *bench, unsigned instance);
