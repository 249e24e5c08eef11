/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PDM as the VM object and test benches see it: registry, life cycle, the embedder's access. */
#pragma once

#include "vmm/pdm/pdm.h"
#include "vmm/trpm/trpm.h"

typedef struct Pdm Pdm;
typedef struct PdmRegistry PdmRegistry;

/* Which device and driver types exist. Filled by devices_register() and by modules; shared by VMs.
 */
PdmRegistry *pdm_registry_new(void);
void pdm_registry_free(PdmRegistry *registry);
bool pdm_registry_add_device(PdmRegistry *registry, const PdmDeviceInfo *info, GError **error);
bool pdm_registry_add_driver(PdmRegistry *registry, const PdmDriverInfo *info, GError **error);
/* Loads a plug-in module (a shared object with PDM_MODULE_ENTRY). */
bool pdm_registry_load_module(PdmRegistry *registry, const char *path, GError **error);
const PdmDeviceInfo *pdm_registry_find_device(const PdmRegistry *registry, const char *name);
const PdmDriverInfo *pdm_registry_find_driver(const PdmRegistry *registry, const char *name);
const PdmDeviceInfo *const *pdm_registry_devices(const PdmRegistry *registry, size_t *count);

typedef struct {
    void *user;
    void (*request_reset)(void *user);     /* any thread */
    void (*request_power_off)(void *user); /* any thread */
    void (*runtime_message)(void *user, PdmSeverity severity, const char *id, const char *message);
    void (*log)(void *user, const char *line);
} PdmHost;

typedef struct {
    Cpum *cpum;
    Pgm *pgm;
    Iom *iom;
    Tm *tm;
    Trpm *trpm;
    Ssm *ssm;
} PdmRooms;

/* The device lock is made here and given to IOM, TM and TRPM. */
Pdm *pdm_new(const PdmRooms *rooms, PdmRegistry *registry, const PdmHost *host, GError **error);
void pdm_free(Pdm *pdm);
/* What drivers get as PdmDriver.host: keyed "<device>/<instance>/<lun>". Before pdm_construct(). */
void pdm_set_driver_host(Pdm *pdm, const char *device, unsigned instance, unsigned lun, void *host);
/* Constructs every Devices/<name>/<instance> of the tree, chipset first (PdmKind order, then order
 * of the tree). An unknown device is BASE_ERROR_NOT_FOUND with its name. */
bool pdm_construct(Pdm *pdm, const CfgmNode *root, GError **error);
/* Once after construction: PdmDeviceInfo.power_on of each device. Then pdm_reset() brings the reset
 * state. */
void pdm_power_on(Pdm *pdm);
void pdm_reset(Pdm *pdm);
void pdm_paused(Pdm *pdm);
void pdm_resumed(Pdm *pdm);
void pdm_power_off(Pdm *pdm);
GRecMutex *pdm_device_lock(Pdm *pdm);
/* On virtual CPU 0's thread, or while it is stopped. */
void pdm_run_queues(Pdm *pdm);
bool pdm_queues_pending(Pdm *pdm); /* any thread */
/* After ssm_load(). */
void pdm_loaded(Pdm *pdm);
/* What devices have to say about themselves (PdmDeviceInfo.info), for logs and the debugger. */
void pdm_info(Pdm *pdm, GString *out);
/* Interrupt lines as they are, for tests and the debugger: ISA 0..15, I/O APIC inputs 0..23, and
 * how often an ISA line went up. */
bool pdm_isa_level(Pdm *pdm, unsigned irq);
bool pdm_gsi_level(Pdm *pdm, unsigned gsi);
uint64_t pdm_isa_edges(Pdm *pdm, unsigned irq);
/* Configuration cycles as the host bridge makes them; bus 0 only. */
uint32_t pdm_pci_config_read(Pdm *pdm, unsigned devfn, uint32_t offset, unsigned size);
void pdm_pci_config_write(Pdm *pdm, unsigned devfn, uint32_t offset, uint32_t value, unsigned size);

PdmDevice *pdm_find_device(Pdm *pdm, const char *name, unsigned instance);
/* The port or connector at a LUN, for the embedder (keyboard port, display port …); NULL: none. */
const void *pdm_lun_port(Pdm *pdm, const char *name, unsigned instance, unsigned lun,
                         PdmInterface interface);
const void *pdm_lun_connector(Pdm *pdm, const char *name, unsigned instance, unsigned lun,
                              PdmInterface interface);
/* A drive comes or goes while the machine runs or is paused (LUNs of PDM_IF_MEDIA). From the thread
 * that controls the machine, without the lock. node: as LUN<n> of the configuration, kept by the
 * caller while the drive is there. BASE_ERROR_INVALID where the device does not know that, or the
 * place is taken or empty; other errors are the driver's. Pulling out waits for the request that
 * the host's disk is at, and then brings everything that was written to the disk. */
bool pdm_plug(Pdm *pdm, const char *name, unsigned instance, unsigned lun, const CfgmNode *node,
              GError **error);
bool pdm_unplug(Pdm *pdm, const char *name, unsigned instance, unsigned lun, GError **error);
/* Runs a command that a device offered, under the lock. False: nobody handled it. */
bool pdm_command(Pdm *pdm, const char *device, unsigned instance, const char *command,
                 const char *argument);
