/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * IOM: port and MMIO dispatch. IOM takes the device lock, calls the owner, and answers what nobody
 * owns as an open bus (all ones). Handlers never fail. Intel SDM volume 1 chapter 19. */
#pragma once

#include "vmm/base/error.h"
#include "vmm/ssm/ssm.h"

typedef struct Iom Iom;
typedef struct IomPorts IomPorts; /* a range of ports; may be unmapped and moved (PCI BARs) */
typedef struct IomMmio IomMmio;   /* an MMIO handler; PGM maps it */

/* size is 1, 2 or 4; offset is relative to the range. An access of a size that the owner does
 * not take (see `sizes`) is split into bytes or narrowed by IOM. */
typedef uint32_t (*IomPortRead)(void *user, uint32_t offset, unsigned size);
typedef void (*IomPortWrite)(void *user, uint32_t offset, uint32_t value, unsigned size);
/* Optional, for REP INS and REP OUTS: moves up to `count` units of `size`; returns how many. */
typedef uint32_t (*IomPortReadString)(void *user, uint32_t offset, void *data, uint32_t count,
                                      unsigned size);
typedef uint32_t (*IomPortWriteString)(void *user, uint32_t offset, const void *data,
                                       uint32_t count, unsigned size);

typedef struct {
    IomPortRead read;   /* NULL: reads as all ones */
    IomPortWrite write; /* NULL: ignored */
    IomPortReadString read_string;
    IomPortWriteString write_string;
    unsigned sizes; /* sum of the access sizes that the owner takes: 1, 2, 4, 7 = all */
} IomPortOps;

/* size is 1, 2, 4 or 8, naturally aligned unless `unaligned`; IOM splits others. */
typedef struct {
    uint64_t (*read)(void *user, uint64_t offset, unsigned size);
    void (*write)(void *user, uint64_t offset, uint64_t value, unsigned size);
    unsigned min_size, max_size; /* 0: 1 and 8. Smaller accesses are widened (read, then merged) */
} IomMmioOps;

Iom *iom_new(void);
void iom_free(Iom *iom);
void iom_set_lock(Iom *iom, GRecMutex *device_lock);

/* Registers an unmapped range. `name` is static. Free with iom_ports_free(). */
IomPorts *iom_ports_new(Iom *iom, const char *name, uint32_t count, const IomPortOps *ops,
                        void *user);
void iom_ports_free(IomPorts *ports);
/* Maps at first (a range may be mapped once); a later mapping wins where ranges overlap. */
void iom_ports_map(IomPorts *ports, uint16_t first);
void iom_ports_unmap(IomPorts *ports);

/* With locked = false the handler runs without the device lock (local APIC). */
IomMmio *iom_mmio_new(Iom *iom, const char *name, const IomMmioOps *ops, void *user, bool locked);
void iom_mmio_free(IomMmio *mmio);

/* For engines, on a virtual CPU's thread. */
uint32_t iom_port_read(Iom *iom, uint16_t port, unsigned size);
void iom_port_write(Iom *iom, uint16_t port, uint32_t value, unsigned size);
/* Returns how many units were moved, at least 1. */
uint32_t iom_port_read_string(Iom *iom, uint16_t port, void *data, uint32_t count, unsigned size);
uint32_t iom_port_write_string(Iom *iom, uint16_t port, const void *data, uint32_t count,
                               unsigned size);
/* For PGM's slow path. */
uint64_t iom_mmio_read(IomMmio *mmio, uint64_t offset, unsigned size);
void iom_mmio_write(IomMmio *mmio, uint64_t offset, uint64_t value, unsigned size);
