/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pdm_<name>(): the calls of PdmApi for a device that has its own PdmDevice or PdmDriver at hand.
 * Handles (PdmPci, regions, timers …) are reached through the device that made them. Included by
 * pdm.h only. */
#pragma once

/* clang-format off */
static inline IomPorts *
pdm_ports_new(PdmDevice *device, const char *name, uint32_t count, const IomPortOps *ops, void *user)
{
    return device->api->ports_new(device, name, count, ops, user);
}

static inline void
pdm_ports_map(const PdmDevice *device, IomPorts *ports, uint16_t first)
{
    device->api->ports_map(ports, first);
}

static inline void
pdm_ports_unmap(const PdmDevice *device, IomPorts *ports)
{
    device->api->ports_unmap(ports);
}

static inline PgmRegion *
pdm_mmio_new(PdmDevice *device, const char *name, uint64_t size, const IomMmioOps *ops, void *user)
{
    return device->api->mmio_new(device, name, size, ops, user);
}

static inline PgmRegion *
pdm_ram_new(PdmDevice *device, const char *name, uint64_t size, bool dirty_log, void **host, GError **error)
{
    return device->api->ram_new(device, name, size, dirty_log, host, error);
}

static inline PgmRegion *
pdm_rom_new(PdmDevice *device, const char *name, const void *data, uint64_t size, GError **error)
{
    return device->api->rom_new(device, name, data, size, error);
}

static inline PgmRegion *
pdm_alias_new(PdmDevice *device, const char *name, PgmRegion *of, uint64_t offset, uint64_t size, int priority)
{
    return device->api->alias_new(device, name, of, offset, size, priority);
}

static inline void
pdm_region_map(const PdmDevice *device, PgmRegion *region, uint64_t gpa)
{
    device->api->region_map(region, gpa);
}

static inline void
pdm_region_unmap(const PdmDevice *device, PgmRegion *region)
{
    device->api->region_unmap(region);
}

static inline void
pdm_region_set_access(const PdmDevice *device, PgmRegion *region, PgmAccess access)
{
    device->api->region_set_access(region, access);
}

static inline void
pdm_dirty_fetch(const PdmDevice *device, PgmRegion *region, uint8_t *dirty, size_t pages)
{
    device->api->dirty_fetch(region, dirty, pages);
}

static inline PgmRegion *
pdm_guest_ram(PdmDevice *device, uint64_t gpa, uint64_t size, int priority)
{
    return device->api->guest_ram(device, gpa, size, priority);
}

static inline uint64_t
pdm_ram_size(PdmDevice *device, bool above_4g)
{
    return device->api->ram_size(device, above_4g);
}

static inline void
pdm_set_a20(PdmDevice *device, bool enabled)
{
    device->api->set_a20(device, enabled);
}

static inline bool
pdm_a20(PdmDevice *device)
{
    return device->api->a20(device);
}

static inline void
pdm_phys_read(PdmDevice *device, uint64_t gpa, void *data, size_t size)
{
    device->api->phys_read(device, gpa, data, size);
}

static inline void
pdm_phys_write(PdmDevice *device, uint64_t gpa, const void *data, size_t size)
{
    device->api->phys_write(device, gpa, data, size);
}

static inline void *
pdm_phys_map(PdmDevice *device, uint64_t gpa, size_t *size, bool write)
{
    return device->api->phys_map(device, gpa, size, write);
}

static inline void
pdm_phys_unmap(PdmDevice *device, uint64_t gpa, void *host, size_t size, bool written)
{
    device->api->phys_unmap(device, gpa, host, size, written);
}

static inline void
pdm_isa_irq(PdmDevice *device, unsigned irq, bool level)
{
    device->api->isa_irq(device, irq, level);
}

static inline void
pdm_gsi_irq(PdmDevice *device, unsigned gsi, bool level)
{
    device->api->gsi_irq(device, gsi, level);
}

static inline void
pdm_pci_irq(const PdmDevice *device, PdmPci *pci, bool level)
{
    device->api->pci_irq(pci, level);
}

static inline void
pdm_msi(PdmDevice *device, uint64_t address, uint32_t data)
{
    device->api->msi(device, address, data);
}

static inline void
pdm_nmi(PdmDevice *device)
{
    device->api->nmi(device);
}

static inline void
pdm_offer_pic(PdmDevice *device, const PdmPic *ops)
{
    device->api->offer_pic(device, ops);
}

static inline void
pdm_pic_line(PdmDevice *device, bool level)
{
    device->api->pic_line(device, level);
}

static inline void
pdm_offer_ioapic(PdmDevice *device, const PdmIoApic *ops)
{
    device->api->offer_ioapic(device, ops);
}

static inline void
pdm_apic_message(PdmDevice *device, uint32_t destination, bool logical, unsigned delivery, uint8_t vector, bool level)
{
    device->api->apic_message(device, destination, logical, delivery, vector, level);
}

static inline void
pdm_offer_pci_router(PdmDevice *device, const PdmPciRouter *ops)
{
    device->api->offer_pci_router(device, ops);
}

static inline void
pdm_pci_router_changed(PdmDevice *device)
{
    device->api->pci_router_changed(device);
}

static inline void
pdm_offer_dma(PdmDevice *device, const PdmDmaController *ops)
{
    device->api->offer_dma(device, ops);
}

static inline uint32_t
pdm_dma_run_channel(PdmDevice *device, unsigned channel, uint32_t position, uint32_t size)
{
    return device->api->dma_run_channel(device, channel, position, size);
}

static inline void
pdm_dma_register(PdmDevice *device, unsigned channel, PdmDmaTransfer transfer, void *user)
{
    device->api->dma_register(device, channel, transfer, user);
}

static inline void
pdm_dma_dreq(PdmDevice *device, unsigned channel, bool level)
{
    device->api->dma_dreq(device, channel, level);
}

static inline uint32_t
pdm_dma_read(PdmDevice *device, unsigned channel, void *data, uint32_t offset, uint32_t size)
{
    return device->api->dma_read(device, channel, data, offset, size);
}

static inline uint32_t
pdm_dma_write(PdmDevice *device, unsigned channel, const void *data, uint32_t offset, uint32_t size)
{
    return device->api->dma_write(device, channel, data, offset, size);
}

static inline PdmPci *
pdm_pci_new(PdmDevice *device, const PdmPciInfo *info, const PdmPciHooks *hooks, void *user, GError **error)
{
    return device->api->pci_new(device, info, hooks, user, error);
}

static inline uint8_t *
pdm_pci_config(const PdmDevice *device, PdmPci *pci)
{
    return device->api->pci_config(pci);
}

static inline uint8_t *
pdm_pci_write_mask(const PdmDevice *device, PdmPci *pci)
{
    return device->api->pci_write_mask(pci);
}

static inline bool
pdm_pci_bar_ports(const PdmDevice *device, PdmPci *pci, unsigned bar, IomPorts *ports, uint32_t size, GError **error)
{
    return device->api->pci_bar_ports(pci, bar, ports, size, error);
}

static inline bool
pdm_pci_bar_region(const PdmDevice *device, PdmPci *pci, unsigned bar, PgmRegion *region, uint64_t size, bool prefetch, bool is64, GError **error)
{
    return device->api->pci_bar_region(pci, bar, region, size, prefetch, is64, error);
}

static inline bool
pdm_pci_rom(const PdmDevice *device, PdmPci *pci, PgmRegion *region, uint64_t size, GError **error)
{
    return device->api->pci_rom(pci, region, size, error);
}

static inline uint32_t
pdm_pci_bus_read(PdmDevice *device, unsigned bus, unsigned devfn, uint32_t offset, unsigned size)
{
    return device->api->pci_bus_read(device, bus, devfn, offset, size);
}

static inline void
pdm_pci_bus_write(PdmDevice *device, unsigned bus, unsigned devfn, uint32_t offset, uint32_t value, unsigned size)
{
    device->api->pci_bus_write(device, bus, devfn, offset, value, size);
}

static inline TmTimer *
pdm_timer_new(PdmDevice *device, const char *name, TmCallback callback, void *user)
{
    return device->api->timer_new(device, name, callback, user);
}

static inline void
pdm_timer_set(const PdmDevice *device, TmTimer *timer, uint64_t deadline_ns)
{
    device->api->timer_set(timer, deadline_ns);
}

static inline void
pdm_timer_cancel(const PdmDevice *device, TmTimer *timer)
{
    device->api->timer_cancel(timer);
}

static inline bool
pdm_timer_armed(const PdmDevice *device, const TmTimer *timer)
{
    return device->api->timer_armed(timer);
}

static inline uint64_t
pdm_timer_deadline(const PdmDevice *device, const TmTimer *timer)
{
    return device->api->timer_deadline(timer);
}

static inline uint64_t
pdm_now(PdmDevice *device)
{
    return device->api->now(device);
}

static inline int64_t
pdm_wall_clock(PdmDevice *device)
{
    return device->api->wall_clock(device);
}

static inline void
pdm_fwcfg_add(PdmDevice *device, const char *name, const void *data, size_t size)
{
    device->api->fwcfg_add(device, name, data, size);
}

static inline void
pdm_fwcfg_add_hook(PdmDevice *device, const char *name, void *data, size_t size, PdmFwcfgSelect select, void *user)
{
    device->api->fwcfg_add_hook(device, name, data, size, select, user);
}

static inline const void *
pdm_fwcfg_find(PdmDevice *device, unsigned index, const char **name, size_t *size, PdmFwcfgSelect *select, void **user)
{
    return device->api->fwcfg_find(device, index, name, size, select, user);
}

static inline void
pdm_cmos_set(PdmDevice *device, uint8_t index, uint8_t value)
{
    device->api->cmos_set(device, index, value);
}

static inline int
pdm_cmos_get(PdmDevice *device, uint8_t index)
{
    return device->api->cmos_get(device, index);
}

static inline bool
pdm_attach(PdmDevice *device, unsigned lun, PdmInterface interface, const void *port, const void **connector, bool required, GError **error)
{
    return device->api->attach(device, lun, interface, port, connector, required, error);
}

static inline PdmQueue *
pdm_queue_new(PdmDevice *device, void (*run)(void *user, void *item), void *user)
{
    return device->api->queue_new(device, run, user);
}

static inline void
pdm_queue_push(const PdmApi *api, PdmQueue *queue, void *item)
{
    api->queue_push(queue, item);
}

static inline PdmQueue *
pdm_driver_queue_new(PdmDriver *driver, void (*run)(void *user, void *item), void *user)
{
    return driver->api->driver_queue_new(driver, run, user);
}

static inline void
pdm_lock(PdmDevice *device)
{
    device->api->lock(device->pdm);
}

static inline void
pdm_driver_lock(PdmDriver *driver)
{
    driver->api->lock(driver->pdm);
}

static inline void
pdm_unlock(PdmDevice *device)
{
    device->api->unlock(device->pdm);
}

static inline void
pdm_driver_unlock(PdmDriver *driver)
{
    driver->api->unlock(driver->pdm);
}

static inline void
pdm_request_reset(PdmDevice *device)
{
    device->api->request_reset(device);
}

static inline void
pdm_request_power_off(PdmDevice *device)
{
    device->api->request_power_off(device);
}

static inline void
pdm_runtime_message(PdmDevice *device, PdmSeverity severity, const char *id, const char *message)
{
    device->api->runtime_message(device->pdm, severity, id, message);
}

static inline void
pdm_driver_runtime_message(PdmDriver *driver, PdmSeverity severity, const char *id, const char *message)
{
    driver->api->runtime_message(driver->pdm, severity, id, message);
}

static inline void
pdm_offer_command(PdmDevice *device, const char *command, bool (*run)(void *user, const char *argument), void *user)
{
    device->api->offer_command(device, command, run, user);
}

static inline uint8_t
pdm_pci_add_capability(const PdmDevice *device, PdmPci *pci, uint8_t id, uint8_t size)
{
    return device->api->pci_add_capability(pci, id, size);
}

static inline unsigned
pdm_cpu_count(PdmDevice *device)
{
    return device->api->cpu_count(device);
}

static inline void
pdm_isa_irq_claim(PdmDevice *device, unsigned irq, bool claim)
{
    device->api->isa_irq_claim(device, irq, claim);
}

static inline void
pdm_offer_fpu_error(PdmDevice *device, void (*ferr)(void *user, bool level), void *user)
{
    device->api->offer_fpu_error(device, ferr, user);
}

static inline void
pdm_ignne(PdmDevice *device, bool level)
{
    device->api->ignne(device, level);
}

static inline void
pdm_offer_object(PdmDevice *device, const char *kind, void *object)
{
    device->api->offer_object(device->pdm, kind, object);
}

static inline void
pdm_driver_offer_object(PdmDriver *driver, const char *kind, void *object)
{
    driver->api->offer_object(driver->pdm, kind, object);
}

static inline void *
pdm_driver_find_object(PdmDriver *driver, const char *kind, unsigned index)
{
    return driver->api->find_object(driver->pdm, kind, index);
}

static inline void *
pdm_find_object(PdmDevice *device, const char *kind, unsigned index)
{
    return device->api->find_object(device->pdm, kind, index);
}

#define pdm_log(device, ...) ((device)->api->log((device)->pdm, __VA_ARGS__))
#define pdm_guest_error(device, id, ...) ((device)->api->guest_error((device), (id), __VA_ARGS__))
/* clang-format on */
