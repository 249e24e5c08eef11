/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ACPI tables: FACS, DSDT, FADT, SSDT, MADT, HPET, RSDT and RSDP. Firmware chooses the power
 * management base and the PCI windows, so the tables are written again, at the same size, when it
 * selects their file; it fills in addresses and checksums by the loader script. IA-PC HPET
 * Specification 1.0a, 3.2.4, for the HPET's table. */
#include "devices/chipset/acpi-tables.h"

#include "devices/chipset/acpi-loader.h"
#include "devices/chipset/acpi-pm.h"
#include "devices/chipset/mp-tables.h"
#include "devices/chipset/table-bytes.h"

#include <string.h>

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE "etc/acpi/rsdp"
#define OEM_ID "VITRNE"
#define CREATOR_ID "VTRN"

#define HEADER_SIZE 36
#define FACS_SIZE 64
#define FADT_SIZE 244
#define MAX_TABLES 8

#define LAPIC_BASE 0xfee00000
#define IOAPIC_BASE 0xfec00000
#define HPET_BASE 0xfed00000
#define HPET_ID 0x8086a201
#define PM_DEVFN (1 << 3 | 3)
#define PM_DEFAULT_BASE 0x600
#define GPE_BASE 0xafe0
#define SMI_PORT 0xb2
#define RESET_PORT 0xcf9
#define RESET_VALUE 0x0e
#define CMOS_CENTURY 0x32
#define PCI_HOLE_LAST 0xfebfffff
#define GIB (UINT64_C(1) << 30)
/* What the memory manager and every guest can address. */
#define PCI_64_END_GIB 512u

struct AcpiTables {
    PdmDevice *device;
    bool ioapic, hpet;
    GByteArray *bytes;           /* what the firmware reads; never reallocated once offered */
    GByteArray *script;          /* NULL once offered */
    unsigned tables[MAX_TABLES]; /* offsets of those that the RSDT lists */
    unsigned count;
    MpTables *mp; /* NULL without an I/O APIC */
};

/* An address in I/O space (5.2.3.2). */
static void
acpi_put_port(GByteArray *bytes, uint16_t port, unsigned bytes_wide)
{
    unsigned access = bytes_wide == 1 ? 1 : bytes_wide == 2 ? 2 : 3;

    table_put(bytes, port ? 1 : 0, 1);
    table_put(bytes, bytes_wide * 8, 1);
    table_put(bytes, 0, 1);
    table_put(bytes, port ? access : 0, 1);
    table_put(bytes, port, 8);
}

/* Starts a table with its header; returns its offset. */
static unsigned
acpi_begin(AcpiTables *tables, const char *signature, unsigned revision)
{
    unsigned start = tables->bytes->len;

    table_put_text(tables->bytes, signature, 4);
    table_put(tables->bytes, 0, 4); /* length */
    table_put(tables->bytes, revision, 1);
    table_put(tables->bytes, 0, 1); /* checksum */
    table_put_text(tables->bytes, OEM_ID, 6);
    table_put_text(tables->bytes, "VITRINE1", 8);
    table_put(tables->bytes, 1, 4);
    table_put_text(tables->bytes, CREATOR_ID, 4);
    table_put(tables->bytes, 1, 4);
    return start;
}

static void
acpi_checksum(AcpiTables *tables, unsigned start, unsigned length)
{
    if (tables->script)
        acpi_loader_checksum(tables->script, TABLES_FILE, start + 9, start, length);
}

static void
acpi_end(AcpiTables *tables, unsigned start)
{
    uint32_t length = GUINT32_TO_LE(tables->bytes->len - start);

    memcpy(tables->bytes->data + start + 4, &length, sizeof(length));
    acpi_checksum(tables, start, tables->bytes->len - start);
    if (tables->count < MAX_TABLES)
        tables->tables[tables->count++] = start;
}

/* A field that holds an offset in the file becomes an address. */
static void
acpi_put_pointer(AcpiTables *tables, uint32_t offset)
{
    if (tables->script)
        acpi_loader_pointer(tables->script, TABLES_FILE, TABLES_FILE, tables->bytes->len, 4);
    table_put(tables->bytes, offset, 4);
}

static unsigned
acpi_facs(AcpiTables *tables)
{
    unsigned start = tables->bytes->len;

    table_put_text(tables->bytes, "FACS", 4);
    table_put(tables->bytes, FACS_SIZE, 4);
    while (tables->bytes->len < start + FACS_SIZE)
        table_put(tables->bytes, 0, 8);
    return start;
}

/* True when firmware has put a 64-bit BAR above 4 GiB. */
static bool
acpi_pci_above_4g(AcpiTables *tables)
{
    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if ((uint16_t)pdm_pci_bus_read(tables->device, 0, devfn, 0, 2) == 0xffff)
            continue;
        for (unsigned bar = 0x10; bar < 0x24; bar += 4) {
            if ((pdm_pci_bus_read(tables->device, 0, devfn, bar, 4) & 7) != 4)
                continue;
            if (pdm_pci_bus_read(tables->device, 0, devfn, bar + 4, 4))
                return true;
            bar += 4;
        }
    }
    return false;
}

/* AML: writes a value over the integer of Name (xxxx, …) in a table. */
static void
acpi_set_name(AcpiTables *tables, unsigned start, const char *name, uint32_t value)
{
    uint8_t *data = tables->bytes->data;

    value = GUINT32_TO_LE(value);
    for (unsigned at = start + HEADER_SIZE; at + 10 <= tables->bytes->len; at++) {
        if (data[at] == 0x08 && memcmp(data + at + 1, name, 4) == 0 && data[at + 5] == 0x0c) {
            memcpy(data + at + 6, &value, sizeof(value));
            return;
        }
    }
}

static void
acpi_set_windows(AcpiTables *tables, unsigned start)
{
    uint64_t above = 4 * GIB + pdm_ram_size(tables->device, true);
    uint32_t first = (uint32_t)((above + GIB - 1) / GIB);
    bool used = acpi_pci_above_4g(tables) && first < PCI_64_END_GIB;

    acpi_set_name(tables, start, "P32S", (uint32_t)pdm_ram_size(tables->device, false));
    acpi_set_name(tables, start, "P32E", PCI_HOLE_LAST);
    acpi_set_name(tables, start, "P64S", first);
    acpi_set_name(tables, start, "P64L", used ? PCI_64_END_GIB - first : 0);
}

static unsigned
acpi_add_dsdt(AcpiTables *tables)
{
    unsigned start = tables->bytes->len;

    g_byte_array_append(tables->bytes, acpi_dsdt, (guint)acpi_dsdt_size);
    tables->bytes->data[start + 9] = 0; /* the firmware sums it again */
    acpi_set_windows(tables, start);
    acpi_checksum(tables, start, (unsigned)acpi_dsdt_size);
    return start;
}

/* Where firmware has put the power management block. */
static uint16_t
acpi_pm_base(AcpiTables *tables)
{
    uint32_t base = pdm_pci_bus_read(tables->device, 0, PM_DEVFN, 0x40, 4) & 0xffc0;

    return base ? (uint16_t)base : PM_DEFAULT_BASE;
}

/* Offsets 36 to 115: the ACPI 1.0 part. */
static void
acpi_fadt_legacy(AcpiTables *tables, unsigned facs, unsigned dsdt, uint16_t pm)
{
    GByteArray *bytes = tables->bytes;

    acpi_put_pointer(tables, facs);
    acpi_put_pointer(tables, dsdt);
    table_put(bytes, 0, 1);
    table_put(bytes, 1, 1); /* a desktop */
    table_put(bytes, ACPI_SCI_IRQ, 2);
    table_put(bytes, SMI_PORT, 4);
    table_put(bytes, ACPI_SMI_ENABLE, 1);
    table_put(bytes, ACPI_SMI_DISABLE, 1);
    table_put(bytes, 0, 2);
    table_put(bytes, pm, 4); /* event blocks a, b */
    table_put(bytes, 0, 4);
    table_put(bytes, pm + 4, 4); /* control blocks a, b, 2 */
    table_put(bytes, 0, 4);
    table_put(bytes, 0, 4);
    table_put(bytes, pm + 8, 4); /* timer */
    table_put(bytes, GPE_BASE, 4);
    table_put(bytes, 0, 4);
    table_put(bytes, 4, 1); /* lengths: event, control, control 2, timer, GPE 0, GPE 1 */
    table_put(bytes, 2, 1);
    table_put(bytes, 0, 1);
    table_put(bytes, 4, 1);
    table_put(bytes, ACPI_GPE_BYTES, 1);
    table_put(bytes, 0, 1);
    table_put(bytes, 0, 2);     /* GPE 1 base, C state control */
    table_put(bytes, 0xfff, 2); /* no C2 */
    table_put(bytes, 0xfff, 2); /* no C3 */
    table_put(bytes, 0, 6);     /* flush size and stride, duty cycle */
    table_put(bytes, 0, 2);     /* no day or month alarm */
    table_put(bytes, CMOS_CENTURY, 1);
    table_put(bytes, 3, 2); /* legacy devices and an 8042 */
    table_put(bytes, 0, 1);
    /* WBINVD, C1 on all processors, fixed RTC wake status absent, reset register, platform timer.
     */
    table_put(bytes, 1u << 0 | 1u << 2 | 1u << 6 | 1u << 10 | 1u << 15, 4);
}

static void
acpi_fadt(AcpiTables *tables, unsigned facs, unsigned dsdt)
{
    uint16_t pm = acpi_pm_base(tables);
    unsigned start = acpi_begin(tables, "FACP", 3);
    GByteArray *bytes = tables->bytes;

    acpi_fadt_legacy(tables, facs, dsdt, pm);
    acpi_put_port(bytes, RESET_PORT, 1);
    table_put(bytes, RESET_VALUE, 1);
    table_put(bytes, 0, 3);
    table_put(bytes, 0, 8); /* the 32-bit pointers hold */
    table_put(bytes, 0, 8);
    acpi_put_port(bytes, pm, 4);
    acpi_put_port(bytes, 0, 0);
    acpi_put_port(bytes, pm + 4, 2);
    acpi_put_port(bytes, 0, 0);
    acpi_put_port(bytes, 0, 0);
    acpi_put_port(bytes, pm + 8, 4);
    acpi_put_port(bytes, GPE_BASE, ACPI_GPE_BYTES);
    acpi_put_port(bytes, 0, 0);
    acpi_end(tables, start);
}

static void
acpi_madt_override(GByteArray *bytes, unsigned irq, unsigned gsi, unsigned flags)
{
    table_put(bytes, 2, 1);
    table_put(bytes, 10, 1);
    table_put(bytes, 0, 1);
    table_put(bytes, irq, 1);
    table_put(bytes, gsi, 4);
    table_put(bytes, flags, 2);
}

static void
acpi_madt(AcpiTables *tables)
{
    static const uint8_t level[] = {5, 9, 10, 11};
    unsigned start = acpi_begin(tables, "APIC", 3);
    GByteArray *bytes = tables->bytes;

    table_put(bytes, LAPIC_BASE, 4);
    table_put(bytes, 1, 4); /* there is an 8259 pair as well */
    for (unsigned i = 0; i < pdm_cpu_count(tables->device); i++) {
        table_put(bytes, 0, 1);
        table_put(bytes, 8, 1);
        table_put(bytes, i, 1);
        table_put(bytes, i, 1);
        table_put(bytes, 1, 4);
    }
    table_put(bytes, 1, 1);
    table_put(bytes, 12, 1);
    table_put(bytes, 0, 2);
    table_put(bytes, IOAPIC_BASE, 4);
    table_put(bytes, 0, 4);
    acpi_madt_override(bytes, 0, 2, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(level); i++)
        acpi_madt_override(bytes, level[i], level[i], 0xd); /* level, active high */
    table_put(bytes, 4, 1);                                 /* NMI on LINT1 of every processor */
    table_put(bytes, 6, 1);
    table_put(bytes, 0xff, 1);
    table_put(bytes, 0, 2);
    table_put(bytes, 1, 1);
    acpi_end(tables, start);
}

static void
acpi_hpet(AcpiTables *tables)
{
    unsigned start = acpi_begin(tables, "HPET", 1);

    table_put(tables->bytes, HPET_ID, 4);
    table_put(tables->bytes, 0, 4); /* an address in memory */
    table_put(tables->bytes, HPET_BASE, 8);
    table_put(tables->bytes, 0, 1);
    table_put(tables->bytes, 100, 2); /* shortest period, in ticks of 10 ns */
    table_put(tables->bytes, 0, 1);
    acpi_end(tables, start);
}

/* AML: Name (xxxx, value). */
static void
acpi_aml_name(GByteArray *bytes, const char *name, uint32_t value)
{
    table_put(bytes, 0x08, 1);
    table_put_text(bytes, name, 4);
    table_put(bytes, 0x0c, 1);
    table_put(bytes, value, 4);
}

/* AML: fills in a package length of two bytes (20.2.4), which counts itself. */
static void
acpi_aml_length(GByteArray *bytes, unsigned at)
{
    unsigned length = bytes->len - at;

    bytes->data[at] = (uint8_t)(0x40 | (length & 15));
    bytes->data[at + 1] = (uint8_t)(length >> 4);
}

/* Device (Cnnn) { Name (_HID, "ACPI0007") Name (_UID, n) } */
static void
acpi_aml_processor(GByteArray *bytes, unsigned index)
{
    g_autofree char *name = g_strdup_printf("C%03X", index & 0xfff);
    unsigned at;

    table_put(bytes, 0x825b, 2);
    at = bytes->len;
    table_put(bytes, 0, 2);
    table_put_text(bytes, name, 4);
    table_put(bytes, 0x08, 1);
    table_put_text(bytes,
                   "_HID\x0d"
                   "ACPI0007",
                   14);
    acpi_aml_name(bytes, "_UID", index);
    acpi_aml_length(bytes, at);
}

static void
acpi_ssdt(AcpiTables *tables)
{
    unsigned start = acpi_begin(tables, "SSDT", 2), at;
    GByteArray *bytes = tables->bytes;

    table_put(bytes, 0x10, 1); /* Scope (\_SB) */
    at = bytes->len;
    table_put(bytes, 0, 2);
    table_put_text(bytes, "\\_SB_", 5);
    for (unsigned i = 0; i < pdm_cpu_count(tables->device); i++)
        acpi_aml_processor(bytes, i);
    acpi_aml_length(bytes, at);
    acpi_end(tables, start);
}

/* Returns the offset of the RSDT. */
static unsigned
acpi_rsdt(AcpiTables *tables)
{
    unsigned count = tables->count;
    unsigned start = acpi_begin(tables, "RSDT", 1);

    for (unsigned i = 0; i < count; i++)
        acpi_put_pointer(tables, tables->tables[i]);
    acpi_end(tables, start);
    return start;
}

/* Writes all tables; returns the offset of the RSDT. */
static unsigned
acpi_build(AcpiTables *tables)
{
    unsigned facs, dsdt;

    g_byte_array_set_size(tables->bytes, 0);
    tables->count = 0;
    facs = acpi_facs(tables); /* first, because it wants the file's alignment */
    dsdt = acpi_add_dsdt(tables);
    acpi_fadt(tables, facs, dsdt);
    acpi_ssdt(tables);
    if (tables->ioapic)
        acpi_madt(tables);
    if (tables->hpet)
        acpi_hpet(tables);
    return acpi_rsdt(tables);
}

/* Everything has the size that it had at first, so the bytes stay where they are. */
static void
acpi_selected(void *user)
{
    acpi_build(user);
}

static void
acpi_offer_rsdp(AcpiTables *tables, unsigned rsdt)
{
    g_autoptr(GByteArray) rsdp = g_byte_array_new();

    table_put_text(rsdp, "RSD PTR ", 8);
    table_put(rsdp, 0, 1);
    table_put_text(rsdp, OEM_ID, 6);
    table_put(rsdp, 0, 1); /* revision: an RSDT only */
    table_put(rsdp, rsdt, 4);
    acpi_loader_pointer(tables->script, RSDP_FILE, TABLES_FILE, 16, 4);
    acpi_loader_checksum(tables->script, RSDP_FILE, 8, 0, rsdp->len);
    pdm_fwcfg_add(tables->device, RSDP_FILE, rsdp->data, rsdp->len);
}

AcpiTables *
acpi_tables_new(PdmDevice *device, const CfgmNode *config)
{
    AcpiTables *tables;

    if (!cfgm_bool(config, "Tables", true))
        return NULL;
    tables = g_new0(AcpiTables, 1);
    tables->device = device;
    tables->ioapic = cfgm_bool(config, "IoApic", true);
    tables->hpet = cfgm_bool(config, "Hpet", true);
    tables->bytes = g_byte_array_new();
    tables->script = g_byte_array_new();
    acpi_loader_allocate(tables->script, RSDP_FILE, 16, true);
    acpi_loader_allocate(tables->script, TABLES_FILE, 64, false);
    acpi_offer_rsdp(tables, acpi_build(tables));
    pdm_fwcfg_add_hook(device, TABLES_FILE, tables->bytes->data, tables->bytes->len, acpi_selected,
                       tables);
    if (tables->ioapic)
        tables->mp = mp_tables_new(device, tables->script);
    pdm_fwcfg_add(device, "etc/table-loader", tables->script->data, tables->script->len);
    g_clear_pointer(&tables->script, g_byte_array_unref);
    return tables;
}

void
acpi_tables_free(AcpiTables *tables)
{
    mp_tables_free(tables->mp);
    g_byte_array_unref(tables->bytes);
    g_free(tables);
}
