/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The power management function of the PIIX4 at 0:1.3: ACPI registers at the address that firmware
 * programs, APM command ports, SMBus host, general-purpose events. Intel 82371AB data sheet
 * (290562-001), chapter 7.
 *
 * There is no system management mode. APMC_EN is preset, which tells SeaBIOS that it is set up
 * already. The GPE block is not the PIIX4's but stands at 0xAFE0, where the FADT says. */
#include "devices/chipset/acpi-pm.h"
#include "devices/chipset/acpi-tables.h"
#include "devices/chipset/smbus.h"

#include <string.h>

#define REG_PM_BASE 0x40
#define REG_APMC 0x5b
#define APMC_EN 0x02
#define REG_PM_ENABLE 0x80
#define REG_SMB_BASE 0x90
#define REG_SMB_CONFIG 0xd2
#define PM_PORTS 64
#define GPE_PORT 0xafe0
#define APM_PORT 0xb2
#define NO_PORT 0

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    IomPorts *pm_ports, *smb_ports, *gpe_ports, *apm_ports;
    AcpiTables *tables;
    AcpiPm pm;
    Smbus smbus;
    uint16_t pm_base, smb_base; /* where they are mapped, NO_PORT: not at all */
    uint8_t apm_command, apm_status;
} Piix4Pm;

static uint32_t
piix4_pm_read(void *user, uint32_t offset, unsigned size)
{
    Piix4Pm *piix = user;

    return acpi_pm_read(&piix->pm, offset, size);
}

static void
piix4_pm_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Piix4Pm *piix = user;

    acpi_pm_write(&piix->pm, offset, value, size);
}

static uint32_t
piix4_smb_read(void *user, uint32_t offset, unsigned size)
{
    Piix4Pm *piix = user;

    return smbus_read(&piix->smbus, offset);
}

static void
piix4_smb_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Piix4Pm *piix = user;

    smbus_write(&piix->smbus, offset, (uint8_t)value);
}

static uint32_t
piix4_gpe_read(void *user, uint32_t offset, unsigned size)
{
    Piix4Pm *piix = user;

    return acpi_pm_gpe_read(&piix->pm, offset);
}

static void
piix4_gpe_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Piix4Pm *piix = user;

    acpi_pm_gpe_write(&piix->pm, offset, (uint8_t)value);
}

static uint32_t
piix4_apm_read(void *user, uint32_t offset, unsigned size)
{
    Piix4Pm *piix = user;

    return offset == 0 ? piix->apm_command : piix->apm_status;
}

static void
piix4_apm_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Piix4Pm *piix = user;

    if (offset == 1) {
        piix->apm_status = (uint8_t)value;
        return;
    }
    piix->apm_command = (uint8_t)value;
    if (value == ACPI_SMI_ENABLE || value == ACPI_SMI_DISABLE)
        acpi_pm_set_enabled(&piix->pm, value == ACPI_SMI_ENABLE);
}

/* clang-format off */
static const IomPortOps piix4_pm_ops = { .read = piix4_pm_read, .write = piix4_pm_write, .sizes = 7 };
static const IomPortOps piix4_smb_ops = { .read = piix4_smb_read, .write = piix4_smb_write, .sizes = 1 };
static const IomPortOps piix4_gpe_ops = { .read = piix4_gpe_read, .write = piix4_gpe_write, .sizes = 1 };
static const IomPortOps piix4_apm_ops = { .read = piix4_apm_read, .write = piix4_apm_write, .sizes = 1 };
/* clang-format on */

static void
piix4_move(Piix4Pm *piix, IomPorts *ports, uint16_t *at, uint16_t base)
{
    if (*at == base)
        return;
    if (*at != NO_PORT)
        pdm_ports_unmap(piix->device, ports);
    if (base != NO_PORT)
        pdm_ports_map(piix->device, ports, base);
    *at = base;
}

static uint16_t
piix4_base(const uint8_t *config, unsigned reg, unsigned ports)
{
    return (uint16_t)((config[reg] | config[reg + 1] << 8) & ~(ports - 1));
}

/* Maps the blocks where configuration space says. */
static void
piix4_update(Piix4Pm *piix)
{
    const uint8_t *config = pdm_pci_config(piix->device, piix->pci);
    uint16_t pm = piix4_base(config, REG_PM_BASE, PM_PORTS);
    uint16_t smb = piix4_base(config, REG_SMB_BASE, SMBUS_PORTS);

    piix4_move(piix, piix->pm_ports, &piix->pm_base, config[REG_PM_ENABLE] & 1 ? pm : NO_PORT);
    piix4_move(piix, piix->smb_ports, &piix->smb_base, config[REG_SMB_CONFIG] & 1 ? smb : NO_PORT);
}

static void
piix4_config_written(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    if (offset >= REG_PM_BASE)
        piix4_update(user);
}

static const PdmPciHooks piix4_hooks = {.write = piix4_config_written};

static bool
piix4_power_button(void *user, const char *argument)
{
    Piix4Pm *piix = user;

    return acpi_pm_power_button(&piix->pm);
}

static bool
piix4_sleep_button(void *user, const char *argument)
{
    Piix4Pm *piix = user;

    return acpi_pm_sleep_button(&piix->pm);
}

static void
piix4_reset(PdmDevice *device)
{
    Piix4Pm *piix = device->data;

    piix4_update(piix);
    acpi_pm_reset(&piix->pm);
    piix->smbus = (Smbus){0};
    piix->apm_command = piix->apm_status = 0;
}

static void
piix4_setup_config(Piix4Pm *piix)
{
    uint8_t *config = pdm_pci_config(piix->device, piix->pci);
    uint8_t *mask = pdm_pci_write_mask(piix->device, piix->pci);

    config[0x06] = 0x80;
    config[0x07] = 0x02;
    config[REG_PM_BASE] = config[REG_SMB_BASE] = 0x01; /* an I/O address */
    config[REG_APMC] = APMC_EN;
    mask[REG_PM_BASE] = 0xc0;
    mask[REG_PM_BASE + 1] = 0xff;
    memset(mask + 0x44, 0xff, 0x80 - 0x44);
    mask[REG_PM_ENABLE] = 0x01;
    mask[REG_SMB_BASE] = 0xf0;
    mask[REG_SMB_BASE + 1] = 0xff;
    mask[REG_SMB_CONFIG] = 0x0f;
    memset(mask + REG_SMB_CONFIG + 1, 0xff, 3);
}

static void
piix4_make_ports(Piix4Pm *piix)
{
    PdmDevice *device = piix->device;

    piix->pm_ports = pdm_ports_new(device, "pm", PM_PORTS, &piix4_pm_ops, piix);
    piix->smb_ports = pdm_ports_new(device, "smbus", SMBUS_PORTS, &piix4_smb_ops, piix);
    piix->gpe_ports = pdm_ports_new(device, "gpe", ACPI_GPE_BYTES, &piix4_gpe_ops, piix);
    piix->apm_ports = pdm_ports_new(device, "apm", 2, &piix4_apm_ops, piix);
    pdm_ports_map(device, piix->gpe_ports, GPE_PORT);
    pdm_ports_map(device, piix->apm_ports, APM_PORT);
}

static bool
piix4_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = 0x7113,
        .revision = 0x03,
        .class_code = 0x06,
        .subclass = 0x80,
        .slot = 1,
        .function = 3,
        .interrupt_pin = 1,
    };
    Piix4Pm *piix = device->data;

    piix->device = device;
    piix->pci = pdm_pci_new(device, &info, &piix4_hooks, piix, error);
    if (!piix->pci)
        return false;
    piix4_setup_config(piix);
    piix4_make_ports(piix);
    acpi_pm_construct(&piix->pm, device);
    acpi_pm_reset(&piix->pm);
    pdm_offer_command(device, "power-button", piix4_power_button, piix);
    pdm_offer_command(device, "sleep-button", piix4_sleep_button, piix);
    piix->tables = acpi_tables_new(device, config);
    return true;
}

static void
piix4_destruct(PdmDevice *device)
{
    Piix4Pm *piix = device->data;

    g_clear_pointer(&piix->tables, acpi_tables_free);
}

/* The loaded addresses are not mapped yet; what was mapped before the load is not known any more.
 */
static bool
piix4_post_load(void *object, uint32_t version, GError **error)
{
    Piix4Pm *piix = object;
    uint16_t pm = piix->pm_base & ~(PM_PORTS - 1), smb = piix->smb_base & ~(SMBUS_PORTS - 1);

    pdm_ports_unmap(piix->device, piix->pm_ports);
    pdm_ports_unmap(piix->device, piix->smb_ports);
    piix->pm_base = piix->smb_base = NO_PORT;
    piix4_move(piix, piix->pm_ports, &piix->pm_base, pm);
    piix4_move(piix, piix->smb_ports, &piix->smb_base, smb);
    acpi_pm_refresh(&piix->pm);
    return true;
}

static void
piix4_info(PdmDevice *device, GString *out)
{
    const Piix4Pm *piix = device->data;

    g_string_append_printf(out, "PM at %04x: status %04x enable %04x control %04x; SMBus at %04x\n",
                           piix->pm_base, piix->pm.status, piix->pm.enable, piix->pm.control,
                           piix->smb_base);
}

/* clang-format off */
static const SsmField piix4_fields[] = {
    SSM_STRUCT(Piix4Pm, pm, acpi_pm_fields), SSM_STRUCT(Piix4Pm, smbus, smbus_fields),
    SSM_UINT(Piix4Pm, pm_base), SSM_UINT(Piix4Pm, smb_base), SSM_UINT(Piix4Pm, apm_command),
    SSM_UINT(Piix4Pm, apm_status), SSM_END
};
static const SsmState piix4_state = {
    .version = 1, .min_version = 1, .fields = piix4_fields, .post_load = piix4_post_load
};
static const PdmOption piix4_options[] = {
    { "Tables", "Offer ACPI tables to the guest", PDM_OPTION_BOOL, 1, 0, 1, NULL, NULL },
    { "IoApic", "I/O APIC in the tables", PDM_OPTION_BOOL, 1, 0, 1, NULL, NULL },
    { "Hpet", "HPET in the tables", PDM_OPTION_BOOL, 1, 0, 1, NULL, NULL },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo piix4_pm_device = {
    .abi = PDM_ABI_VERSION,
    .name = "acpi",
    .title = "PIIX4 power management",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(Piix4Pm),
    .max_instances = 1,
    .options = piix4_options,
    .construct = piix4_construct,
    .reset = piix4_reset,
    .destruct = piix4_destruct,
    .state = &piix4_state,
    .info = piix4_info,
};
