/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of functions that devices and drivers get, and the entries that only pass a call on to
 * another room. */
#include "vmm/pdm/pdm-private.h"

static uint64_t
api_ram_size(PdmDevice *device, bool above_4g)
{
    const Pgm *pgm = pdm_of(device)->rooms.pgm;

    return above_4g ? pgm_ram_above_4g(pgm) : pgm_ram_below_4g(pgm);
}

static void
api_set_a20(PdmDevice *device, bool enabled)
{
    pgm_set_a20(pdm_of(device)->rooms.pgm, enabled);
}

static bool
api_a20(PdmDevice *device)
{
    return pgm_a20(pdm_of(device)->rooms.pgm);
}

static void
api_phys_read(PdmDevice *device, uint64_t gpa, void *data, size_t size)
{
    pgm_phys_read(pdm_of(device)->rooms.pgm, gpa, data, size);
}

static void
api_phys_write(PdmDevice *device, uint64_t gpa, const void *data, size_t size)
{
    pgm_phys_write(pdm_of(device)->rooms.pgm, gpa, data, size);
}

static void *
api_phys_map(PdmDevice *device, uint64_t gpa, size_t *size, bool write)
{
    return pgm_phys_map(pdm_of(device)->rooms.pgm, gpa, size, write);
}

static void
api_phys_unmap(PdmDevice *device, uint64_t gpa, void *host, size_t size, bool written)
{
    pgm_phys_unmap(pdm_of(device)->rooms.pgm, gpa, host, size, written);
}

static void
api_msi(PdmDevice *device, uint64_t address, uint32_t data)
{
    trpm_msi(pdm_of(device)->rooms.trpm, address, data);
}

static void
api_nmi(PdmDevice *device)
{
    trpm_nmi(cpum_vcpu(pdm_of(device)->rooms.cpum, 0));
}

static void
api_pic_line(PdmDevice *device, bool level)
{
    trpm_pic_line(pdm_of(device)->rooms.trpm, level);
}

static void
api_ignne(PdmDevice *device, bool level)
{
    trpm_ignne(pdm_of(device)->rooms.trpm, level);
}

static void
api_apic_message(PdmDevice *device, uint32_t destination, bool logical, unsigned delivery,
                 uint8_t vector, bool level)
{
    trpm_apic_message(pdm_of(device)->rooms.trpm, destination, logical, (TrpmDelivery)delivery,
                      vector, level);
}

static TmTimer *
api_timer_new(PdmDevice *device, const char *name, TmCallback callback, void *user)
{
    Pdm *pdm = pdm_of(device);
    TmTimer *timer = tm_timer_new(pdm->rooms.tm, pdm_keep_name(device, name), callback, user);

    g_ptr_array_add(pdm->timers, timer);
    return timer;
}

static uint64_t
api_now(PdmDevice *device)
{
    return tm_now(pdm_of(device)->rooms.tm);
}

static int64_t
api_wall_clock(PdmDevice *device)
{
    return tm_wall_clock(pdm_of(device)->rooms.tm);
}

static void
api_lock(void *owner)
{
    pdm_enter(((PdmOwner *)owner)->pdm);
}

static void
api_unlock(void *owner)
{
    pdm_leave(((PdmOwner *)owner)->pdm);
}

static void
api_request_reset(PdmDevice *device)
{
    const PdmHost *host = &pdm_of(device)->host;

    if (host->request_reset != NULL)
        host->request_reset(host->user);
}

static void
api_request_power_off(PdmDevice *device)
{
    const PdmHost *host = &pdm_of(device)->host;

    if (host->request_power_off != NULL)
        host->request_power_off(host->user);
}

static unsigned
api_cpu_count(PdmDevice *device)
{
    return cpum_count(pdm_of(device)->rooms.cpum);
}

static bool
api_fail(GError **error, BaseError code, const char *message)
{
    g_set_error_literal(error, BASE_ERROR, (int)code, message);
    return false;
}

const PdmApi pdm_api = {
    .version = PDM_ABI_VERSION,
    .size = sizeof(PdmApi),
    .ports_new = pdm_api_ports_new,
    .ports_map = iom_ports_map,
    .ports_unmap = iom_ports_unmap,
    .mmio_new = pdm_api_mmio_new,
    .ram_new = pdm_api_ram_new,
    .rom_new = pdm_api_rom_new,
    .alias_new = pdm_api_alias_new,
    .region_map = pgm_region_map,
    .region_unmap = pgm_region_unmap,
    .region_set_access = pgm_region_set_access,
    .dirty_fetch = pgm_dirty_fetch,
    .guest_ram = pdm_api_guest_ram,
    .ram_size = api_ram_size,
    .set_a20 = api_set_a20,
    .a20 = api_a20,
    .phys_read = api_phys_read,
    .phys_write = api_phys_write,
    .phys_map = api_phys_map,
    .phys_unmap = api_phys_unmap,
    .isa_irq = pdm_api_isa_irq,
    .gsi_irq = pdm_api_gsi_irq,
    .pci_irq = pdm_api_pci_irq,
    .msi = api_msi,
    .nmi = api_nmi,
    .offer_pic = pdm_api_offer_pic,
    .pic_line = api_pic_line,
    .offer_ioapic = pdm_api_offer_ioapic,
    .apic_message = api_apic_message,
    .offer_pci_router = pdm_api_offer_pci_router,
    .pci_router_changed = pdm_api_pci_router_changed,
    .offer_dma = pdm_api_offer_dma,
    .dma_run_channel = pdm_api_dma_run_channel,
    .dma_register = pdm_api_dma_register,
    .dma_dreq = pdm_api_dma_dreq,
    .dma_read = pdm_api_dma_read,
    .dma_write = pdm_api_dma_write,
    .pci_new = pdm_api_pci_new,
    .pci_config = pdm_api_pci_config,
    .pci_write_mask = pdm_api_pci_write_mask,
    .pci_bar_ports = pdm_api_pci_bar_ports,
    .pci_bar_region = pdm_api_pci_bar_region,
    .pci_rom = pdm_api_pci_rom,
    .pci_bus_read = pdm_api_pci_bus_read,
    .pci_bus_write = pdm_api_pci_bus_write,
    .timer_new = api_timer_new,
    .timer_set = tm_timer_set,
    .timer_cancel = tm_timer_cancel,
    .timer_armed = tm_timer_armed,
    .timer_deadline = tm_timer_deadline,
    .now = api_now,
    .wall_clock = api_wall_clock,
    .fwcfg_add = pdm_api_fwcfg_add,
    .fwcfg_add_hook = pdm_api_fwcfg_add_hook,
    .fwcfg_find = pdm_api_fwcfg_find,
    .cmos_set = pdm_api_cmos_set,
    .cmos_get = pdm_api_cmos_get,
    .attach = pdm_api_attach,
    .queue_new = pdm_api_queue_new,
    .queue_push = pdm_api_queue_push,
    .driver_queue_new = pdm_api_driver_queue_new,
    .lock = api_lock,
    .unlock = api_unlock,
    .request_reset = api_request_reset,
    .request_power_off = api_request_power_off,
    .runtime_message = pdm_api_runtime_message,
    .offer_command = pdm_api_offer_command,
    .log = pdm_api_log,
    .guest_error = pdm_api_guest_error,
    .cpu_count = api_cpu_count,
    .isa_irq_claim = pdm_api_isa_irq_claim,
    .pci_add_capability = pdm_api_pci_add_capability,
    .config_uint = cfgm_uint,
    .config_string = cfgm_string,
    .state_put_uint = ssm_put_uint,
    .state_put_bytes = ssm_put_bytes,
    .state_get_uint = ssm_get_uint,
    .state_get_bytes = ssm_get_bytes,
    .fail = api_fail,
    .offer_fpu_error = pdm_api_offer_fpu_error,
    .ignne = api_ignne,
    .offer_object = pdm_api_offer_object,
    .find_object = pdm_api_find_object,
};
