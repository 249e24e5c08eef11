/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PIIX3 PCI-to-ISA bridge: routing of PCI interrupts to ISA interrupts, the reset control
 * register 0xCF9, port 0x92 (fast A20 and reset) of the board around it, and coprocessor errors:
 * FERR# makes IRQ 13, which a write to port 0xF0 takes back, with IGNNE# asserted until FERR# is
 * gone. Intel 82371SB data sheet (290550-002), chapters 2.2, 2.5 and 3.
 *
 * Left out: ISA timing, APIC chip select and DMA registers, which only remember what is written;
 * the other chips of the package are devices of their own. */
#include "vmm/pdm/pdm.h"

#include <string.h>

#define REG_PIRQ 0x60
#define PIRQ_OFF 0x80
#define RESET_HARD 0x02
#define RESET_CPU 0x04
#define PORT92_RESET 0x01
#define PORT92_A20 0x02
#define FPU_IRQ 13

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    IomPorts *reset_port, *port92, *fpu_port;
    uint8_t reset_control;
    uint8_t fpu_error, fpu_ignored; /* the levels of FERR# and IGNNE# */
} Piix3;

/* The board wires INTA of slot 1 to PIRQA, and each further slot one on. */
static unsigned
piix3_pirq_of(void *user, unsigned slot, unsigned pin)
{
    return (slot + pin + 3) & 3;
}

static int
piix3_isa_irq(void *user, unsigned pirq)
{
    Piix3 *piix = user;
    uint8_t route = pdm_pci_config(piix->device, piix->pci)[REG_PIRQ + (pirq & 3)];
    unsigned irq = route & 15;

    /* IRQs 0, 1, 2, 8 and 13 cannot be routed to. */
    if (route & PIRQ_OFF || 0x2107 >> irq & 1)
        return -1;
    return (int)irq;
}

static void
piix3_config_written(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Piix3 *piix = user;

    if (offset < REG_PIRQ + 4 && offset + size > REG_PIRQ)
        pdm_pci_router_changed(piix->device);
}

static uint32_t
piix3_read_reset(void *user, uint32_t offset, unsigned size)
{
    Piix3 *piix = user;

    return piix->reset_control;
}

/* A rise of the CPU reset bit resets; both kinds reset the whole machine. */
static void
piix3_write_reset(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Piix3 *piix = user;
    bool rise = value & RESET_CPU && !(piix->reset_control & RESET_CPU);

    piix->reset_control = value & (RESET_HARD | RESET_CPU);
    if (rise)
        pdm_request_reset(piix->device);
}

static uint32_t
piix3_read_92(void *user, uint32_t offset, unsigned size)
{
    Piix3 *piix = user;

    return pdm_a20(piix->device) ? PORT92_A20 : 0;
}

static void
piix3_write_92(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Piix3 *piix = user;

    pdm_set_a20(piix->device, value & PORT92_A20);
    if (value & PORT92_RESET)
        pdm_request_reset(piix->device);
}

/* IRQ 13 rises with FERR#, not while the error is ignored. */
static void
piix3_ferr(void *user, bool level)
{
    Piix3 *piix = user;

    if (level == piix->fpu_error)
        return;
    piix->fpu_error = level;
    piix->fpu_ignored = false;
    pdm_isa_irq(piix->device, FPU_IRQ, level);
    pdm_ignne(piix->device, false);
}

static void
piix3_write_f0(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Piix3 *piix = user;

    if (!piix->fpu_error)
        return;
    piix->fpu_ignored = true;
    pdm_isa_irq(piix->device, FPU_IRQ, false);
    pdm_ignne(piix->device, true);
}

static const PdmPciHooks piix3_hooks = {.write = piix3_config_written};
/* clang-format off */
static const IomPortOps piix3_reset_ops = { .read = piix3_read_reset, .write = piix3_write_reset, .sizes = 1 };
static const IomPortOps piix3_f0_ops = { .write = piix3_write_f0, .sizes = 1 };
static const IomPortOps piix3_92_ops = { .read = piix3_read_92, .write = piix3_write_92, .sizes = 1 };
/* clang-format on */

static void
piix3_reset(PdmDevice *device)
{
    Piix3 *piix = device->data;

    piix->reset_control = 0;
    piix->fpu_error = piix->fpu_ignored = false;
    pdm_pci_router_changed(device);
}

static void
piix3_setup_config(Piix3 *piix)
{
    uint8_t *config = pdm_pci_config(piix->device, piix->pci);
    uint8_t *mask = pdm_pci_write_mask(piix->device, piix->pci);

    config[0x04] = 0x07; /* I/O, memory and bus master are always on */
    config[0x07] = 0x02; /* medium DEVSEL */
    config[0x4c] = 0x4d; /* ISA recovery timing */
    config[0x4e] = 0x03;
    memset(config + REG_PIRQ, PIRQ_OFF, 4);
    config[0x69] = 0x02;
    config[0x70] = 0x80;
    config[0x76] = config[0x77] = 0x0c;
    memset(mask + 0x4c, 0xff, 4);
    memset(mask + REG_PIRQ, 0x8f, 4);
    memset(mask + 0x69, 0xff, 0x84 - 0x69);
}

static bool
piix3_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = 0x7000,
        .class_code = 0x06,
        .subclass = 0x01,
        .slot = 1,
        .function = 0,
        .multifunction = true,
    };
    Piix3 *piix = device->data;
    PdmPciRouter router = {piix, piix3_isa_irq, piix3_pirq_of};

    piix->device = device;
    piix->pci = pdm_pci_new(device, &info, &piix3_hooks, piix, error);
    if (!piix->pci)
        return false;
    piix3_setup_config(piix);
    pdm_offer_pci_router(device, &router);
    pdm_offer_fpu_error(device, piix3_ferr, piix);
    piix->reset_port = pdm_ports_new(device, "reset-control", 1, &piix3_reset_ops, piix);
    piix->port92 = pdm_ports_new(device, "port-92", 1, &piix3_92_ops, piix);
    piix->fpu_port = pdm_ports_new(device, "fpu-error", 1, &piix3_f0_ops, piix);
    pdm_ports_map(device, piix->fpu_port, 0xf0);
    pdm_ports_map(device, piix->reset_port, 0xcf9);
    pdm_ports_map(device, piix->port92, 0x92);
    return true;
}

static void
piix3_info(PdmDevice *device, GString *out)
{
    Piix3 *piix = device->data;

    for (unsigned i = 0; i < 4; i++)
        g_string_append_printf(out, "PIRQ%c: irq %d\n", 'A' + i, piix3_isa_irq(piix, i));
    g_string_append_printf(out, "x87 error: %s\n",
                           piix->fpu_ignored ? "ignored"
                           : piix->fpu_error ? "reported"
                                             : "none");
}

static bool
piix3_post_load(void *object, uint32_t version, GError **error)
{
    Piix3 *piix = object;

    piix->fpu_error = piix->fpu_error != 0;
    piix->fpu_ignored = piix->fpu_ignored != 0;
    pdm_ignne(piix->device, piix->fpu_ignored);
    return true;
}

/* clang-format off */
static const SsmField piix3_fields[] = {
    SSM_UINT_BELOW(Piix3, reset_control, 8), SSM_UINT_SINCE(Piix3, fpu_error, 2),
    SSM_UINT_SINCE(Piix3, fpu_ignored, 2), SSM_END
};
static const SsmState piix3_state = {
    .version = 2, .min_version = 1, .fields = piix3_fields, .post_load = piix3_post_load
};
/* clang-format on */

const PdmDeviceInfo piix3_device = {
    .abi = PDM_ABI_VERSION,
    .name = "piix3",
    .title = "PIIX3 ISA bridge",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(Piix3),
    .max_instances = 1,
    .construct = piix3_construct,
    .reset = piix3_reset,
    .state = &piix3_state,
    .info = piix3_info,
};
