/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A bench for devices: the rooms around them are real, no CPU runs, and time stands still until the
 * test lets it pass. Tests build a configuration tree, make a bench of it, and then do what a guest
 * would: ports, memory, PCI configuration; and what a host would: input, media, characters. */
#pragma once

#include "tests/lib/bench-drivers.h"
#include "vmm/pdm/pdm-vm.h"

typedef struct {
    PdmRooms rooms;
    PdmRegistry *registry;
    Pdm *pdm;
    CfgmNode *config;
    bool owns_registry;
    GString *log;                /* every line that devices logged */
    GPtrArray *messages;         /* "id: message" of runtime messages */
    GMutex lock;                 /* for log and messages */
    unsigned resets, power_offs; /* what devices asked for */
} DeviceBench;

/* Makes the devices of config (taken over; may be NULL: none) with 16 MiB of RAM and brings them to
 * their reset state. All built-in devices and drivers are known, the fake drivers of
 * bench-drivers.h, and what `more` (may be NULL) holds instead when it is given: it is borrowed and
 * has to know everything itself. NULL and *error where construction fails. */
DeviceBench *device_bench_try(CfgmNode *config, PdmRegistry *more, GError **error);
/* The same for a test that needs it to work: ends the test with the message otherwise. */
DeviceBench *device_bench_new(CfgmNode *config);
void device_bench_free(DeviceBench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeviceBench, device_bench_free)
/* A registry as device_bench_new() uses; pdm_registry_free(). */
PdmRegistry *device_bench_registry(void);

/* Adds Devices/<name>/<instance> to a tree and returns its Config node. */
CfgmNode *device_bench_add(CfgmNode *config, const char *name, unsigned instance);
/* Adds a driver to a LUN of it and returns the driver's Config node. */
CfgmNode *device_bench_add_driver(CfgmNode *config, const char *name, unsigned instance,
                                  unsigned lun, const char *driver);
/* The instance memory of a device, or the test ends. */
void *device_bench_data(DeviceBench *bench, const char *name, unsigned instance);

/* What a guest does. */
uint8_t device_bench_in8(DeviceBench *bench, uint16_t port);
uint16_t device_bench_in16(DeviceBench *bench, uint16_t port);
uint32_t device_bench_in32(DeviceBench *bench, uint16_t port);
void device_bench_out8(DeviceBench *bench, uint16_t port, uint8_t value);
void device_bench_out16(DeviceBench *bench, uint16_t port, uint16_t value);
void device_bench_out32(DeviceBench *bench, uint16_t port, uint32_t value);
/* RAM and MMIO alike, size 1..8. */
uint64_t device_bench_read(DeviceBench *bench, uint64_t gpa, unsigned size);
void device_bench_write(DeviceBench *bench, uint64_t gpa, uint64_t value, unsigned size);
/* PCI configuration of bus 0, slot and function. */
uint32_t device_bench_pci_read(DeviceBench *bench, unsigned slot, unsigned function,
                               uint32_t offset, unsigned size);
void device_bench_pci_write(DeviceBench *bench, unsigned slot, unsigned function, uint32_t offset,
                            uint32_t value, unsigned size);

/* Time: runs every timer that expires on the way, at its own moment. */
uint64_t device_bench_now(DeviceBench *bench);
void device_bench_advance(DeviceBench *bench, uint64_t ns);
/* Time goes by while the host is away: timers that expired meanwhile run once, afterwards. */
void device_bench_oversleep(DeviceBench *bench, uint64_t ns);
/* Queues: runs what drivers pushed. wait: until at least one item has been run, or the test ends
 * after ten seconds of the host's time (for drivers with threads of their own). */
void device_bench_run_queues(DeviceBench *bench);
void device_bench_wait_queues(DeviceBench *bench);

/* Interrupts: the ISA line now, how often it went up, the I/O APIC input. */
bool device_bench_irq(DeviceBench *bench, unsigned irq);
uint64_t device_bench_irq_edges(DeviceBench *bench, unsigned irq);
bool device_bench_gsi(DeviceBench *bench, unsigned gsi);
/* What the CPU would take with interrupts enabled: the vector, acknowledged; -1: none. */
int device_bench_take_interrupt(DeviceBench *bench);

void device_bench_reset(DeviceBench *bench);
/* Whole machines: RAM, clocks and devices. */
GBytes *device_bench_save(DeviceBench *bench, GError **error);
bool device_bench_load(DeviceBench *bench, GBytes *state, GError **error);
/* True when some logged line contains the text. */
bool device_bench_logged(DeviceBench *bench, const char *text);
