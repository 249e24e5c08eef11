/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Interrupt lines: sharing, the way to both controllers, PCI routing, claims, reset, saved state.
 */
#include "tests/unit/pdm/probe.h"

/* What a controller was told last. */
typedef struct {
    uint32_t pic, ioapic;
    unsigned pic_calls, ioapic_calls;
} Controllers;

static void
pic_set(void *user, unsigned line, bool level)
{
    Controllers *controllers = user;

    controllers->pic = (controllers->pic & ~(1u << line)) | (uint32_t)level << line;
    controllers->pic_calls++;
}

static uint8_t
pic_acknowledge(void *user)
{
    return 0x20;
}

static void
ioapic_set(void *user, unsigned pin, bool level)
{
    Controllers *controllers = user;

    controllers->ioapic = (controllers->ioapic & ~(1u << pin)) | (uint32_t)level << pin;
    controllers->ioapic_calls++;
}

static void
ioapic_eoi(void *user, uint8_t vector)
{
}

static int
router_irq(void *user, unsigned pirq)
{
    const uint32_t irq = ((Probe *)user)->router_irq[pirq];

    return irq == 0 ? -1 : (int)irq;
}

static unsigned
router_pirq(void *user, unsigned slot, unsigned pin)
{
    return (slot + pin) & 3;
}

static void
with_function(CfgmNode *config, unsigned instance)
{
    cfgm_set_uint(config, "Pci", 1);
}

/* A bench whose probe 0 offers controllers and a router. */
static DeviceBench *
set_up(unsigned probes, bool pci, Controllers *controllers)
{
    DeviceBench *bench = probe_bench(probes, pci ? with_function : NULL);
    Probe *chipset = probe_get(bench, 0);
    const PdmPic pic = {controllers, pic_set, pic_acknowledge};
    const PdmIoApic ioapic = {controllers, ioapic_set, ioapic_eoi};
    const PdmPciRouter router = {chipset, router_irq, router_pirq};

    *controllers = (Controllers){0};
    pdm_offer_pic(chipset->device, &pic);
    pdm_offer_ioapic(chipset->device, &ioapic);
    pdm_offer_pci_router(chipset->device, &router);
    return bench;
}

static void
test_sharing(void)
{
    Controllers controllers;
    g_autoptr(DeviceBench) bench = set_up(2, false, &controllers);
    PdmDevice *first = probe_get(bench, 0)->device, *second = probe_get(bench, 1)->device;

    pdm_isa_irq(first, 5, true);
    pdm_isa_irq(first, 5, true);
    pdm_isa_irq(second, 5, true);
    g_assert_cmphex(controllers.pic, ==, 1u << 5);
    g_assert_cmpuint(controllers.pic_calls, ==, 1);
    pdm_isa_irq(first, 5, false);
    g_assert_true(device_bench_irq(bench, 5));
    pdm_isa_irq(second, 5, false);
    g_assert_cmphex(controllers.pic, ==, 0);
    g_assert_cmphex(controllers.ioapic, ==, 0);
    g_assert_cmpuint(device_bench_irq_edges(bench, 5), ==, 1);
}

static void
test_pins(void)
{
    Controllers controllers;
    g_autoptr(DeviceBench) bench = set_up(2, false, &controllers);
    PdmDevice *device = probe_get(bench, 0)->device, *other = probe_get(bench, 1)->device;

    pdm_isa_irq(device, 0, true); /* the timer is on pin 2 */
    g_assert_cmphex(controllers.ioapic, ==, 1u << 2);
    pdm_isa_irq(device, 2, true); /* the cascade is on none */
    pdm_isa_irq(device, 0, false);
    g_assert_cmphex(controllers.ioapic, ==, 0);
    pdm_isa_irq(device, 15, true);
    g_assert_cmphex(controllers.ioapic, ==, 1u << 15);
    pdm_gsi_irq(device, 20, true); /* never on the PIC */
    pdm_gsi_irq(other, 15, true);
    g_assert_cmphex(controllers.pic, ==, 1u << 15 | 1u << 2);
    pdm_isa_irq(device, 15, false);
    g_assert_cmphex(controllers.ioapic, ==, 1u << 15 | 1u << 20);
    pdm_gsi_irq(other, 15, false);
    g_assert_false(device_bench_gsi(bench, 15));
    g_assert_true(device_bench_gsi(bench, 20));
}

static void
test_pci_routing(void)
{
    Controllers controllers;
    g_autoptr(DeviceBench) bench = set_up(2, true, &controllers);
    Probe *first = probe_get(bench, 0), *second = probe_get(bench, 1);

    /* Slots 3 and 4: INTA is PIRQD and PIRQA. */
    first->router_irq[3] = 10;
    first->router_irq[0] = 10;
    pdm_pci_irq(first->device, first->pci, true);
    pdm_pci_irq(second->device, second->pci, true);
    g_assert_cmphex(controllers.pic, ==, 1u << 10);
    g_assert_cmphex(controllers.ioapic, ==, 1u << 10);
    /* The firmware moves one of them while both are up. */
    first->router_irq[0] = 11;
    pdm_pci_router_changed(first->device);
    g_assert_cmphex(controllers.pic, ==, 1u << 10 | 1u << 11);
    pdm_pci_irq(first->device, first->pci, false);
    g_assert_cmphex(controllers.pic, ==, 1u << 11);
    first->router_irq[0] = 0;
    pdm_pci_router_changed(first->device);
    g_assert_cmphex(controllers.pic, ==, 0);
}

static void
test_intx_disable(void)
{
    Controllers controllers;
    g_autoptr(DeviceBench) bench = set_up(1, true, &controllers);
    Probe *probe = probe_get(bench, 0);

    probe->router_irq[3] = 9;
    pdm_pci_irq(probe->device, probe->pci, true);
    g_assert_cmphex(controllers.pic, ==, 1u << 9);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 0, 6, 1) & 8, ==, 8);
    device_bench_pci_write(bench, 3, 0, 4, 0x400, 2);
    g_assert_cmphex(controllers.pic, ==, 0);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 0, 6, 1) & 8, ==, 8);
    device_bench_pci_write(bench, 3, 0, 4, 0, 2);
    g_assert_cmphex(controllers.pic, ==, 1u << 9);
}

static void
test_claim(void)
{
    Controllers controllers;
    g_autoptr(DeviceBench) bench = set_up(2, false, &controllers);
    PdmDevice *timer = probe_get(bench, 0)->device, *hpet = probe_get(bench, 1)->device;

    pdm_isa_irq(timer, 0, true);
    pdm_isa_irq_claim(hpet, 0, true);
    g_assert_cmphex(controllers.pic, ==, 0);
    pdm_isa_irq(hpet, 0, true);
    g_assert_cmphex(controllers.pic, ==, 1);
    pdm_isa_irq_claim(timer, 0, false); /* not its claim */
    pdm_isa_irq(timer, 0, false);
    g_assert_cmphex(controllers.pic, ==, 1);
    pdm_isa_irq(hpet, 0, false);
    pdm_isa_irq(timer, 0, true);
    g_assert_cmphex(controllers.pic, ==, 0);
    pdm_isa_irq_claim(hpet, 0, false);
    g_assert_cmphex(controllers.pic, ==, 1);
}

static void
test_reset(void)
{
    Controllers controllers;
    g_autoptr(DeviceBench) bench = set_up(2, true, &controllers);
    Probe *probe = probe_get(bench, 0);

    probe->router_irq[3] = 9;
    pdm_isa_irq(probe->device, 4, true);
    pdm_gsi_irq(probe->device, 17, true);
    pdm_pci_irq(probe->device, probe->pci, true);
    pdm_isa_irq_claim(probe->device, 3, true);
    device_bench_reset(bench);
    g_assert_cmphex(controllers.pic, ==, 0);
    g_assert_cmphex(controllers.ioapic, ==, 0);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 0, 6, 1) & 8, ==, 0);
    /* Everything is usable again, the claim is over. */
    pdm_isa_irq(probe_get(bench, 1)->device, 3, true);
    pdm_pci_irq(probe->device, probe->pci, true);
    g_assert_cmphex(controllers.pic, ==, 1u << 3 | 1u << 9);
}

static void
test_saved_state(void)
{
    Controllers controllers, fresh;
    g_autoptr(DeviceBench) bench = set_up(2, true, &controllers);
    g_autoptr(DeviceBench) other = set_up(2, true, &fresh);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = NULL;
    Probe *probe = probe_get(bench, 0);

    probe->router_irq[3] = probe_get(other, 0)->router_irq[3] = 9;
    pdm_isa_irq(probe->device, 4, true);
    pdm_isa_irq(probe_get(bench, 1)->device, 4, true);
    pdm_gsi_irq(probe->device, 17, true);
    pdm_pci_irq(probe->device, probe->pci, true);
    pdm_isa_irq_claim(probe->device, 3, true);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, state, &error);
    g_assert_no_error(error);
    /* The controllers' own state knows; nobody told them again. */
    g_assert_cmpuint(fresh.pic_calls + fresh.ioapic_calls, ==, 0);
    g_assert_true(device_bench_irq(other, 4));
    g_assert_true(device_bench_irq(other, 9));
    g_assert_true(device_bench_gsi(other, 17));
    pdm_isa_irq(probe_get(other, 0)->device, 4, false);
    g_assert_true(device_bench_irq(other, 4));
    pdm_isa_irq(probe_get(other, 1)->device, 4, false);
    g_assert_false(device_bench_irq(other, 4));
    pdm_isa_irq(probe_get(other, 1)->device, 3, true);
    g_assert_false(device_bench_irq(other, 3));
    pdm_pci_irq(probe->device, probe_get(other, 0)->pci, false);
    g_assert_false(device_bench_irq(other, 9));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pdm/irq/sharing", test_sharing);
    g_test_add_func("/pdm/irq/pins", test_pins);
    g_test_add_func("/pdm/irq/pci-routing", test_pci_routing);
    g_test_add_func("/pdm/irq/intx-disable", test_intx_disable);
    g_test_add_func("/pdm/irq/claim", test_claim);
    g_test_add_func("/pdm/irq/reset", test_reset);
    g_test_add_func("/pdm/irq/saved-state", test_saved_state);
    return g_test_run();
}
