/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The MP configuration table: see the header. Which interrupt a PCI function raises is firmware's
 * choice, so the table is written again, with room for all functions of the first bus, when
 * firmware selects its file. */
#include "devices/chipset/mp-tables.h"

#include "devices/chipset/acpi-loader.h"
#include "devices/chipset/table-bytes.h"

#include <string.h>

#define FILE_NAME "etc/mp/table"
#define LAPIC_BASE 0xfee00000
#define IOAPIC_BASE 0xfec00000
#define APIC_VERSION 0x14
#define IOAPIC_VERSION 0x20
/* As many functions with an interrupt as are listed. */
#define MAX_FUNCTIONS 64
#define ENTRY_SIZE 8

/* The floating pointer structure comes first, then the table and its header (4.1, 4.2). */
enum { POINTER_SIZE = 16, POINTER_ADDRESS = 4, POINTER_CHECKSUM = 10 };
enum { HEADER_LENGTH = 4, HEADER_CHECKSUM = 7, HEADER_COUNT = 34 };
enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_IO_INTERRUPT, ENTRY_LOCAL_INTERRUPT };
enum { INTERRUPT_INT = 0, INTERRUPT_NMI = 1, INTERRUPT_EXTINT = 3 };
enum { BUS_PCI = 0, BUS_ISA = 1 };
/* Polarity and trigger (4.3.4): as the bus has it; level, active high. */
enum { LIKE_BUS = 0, LEVEL_HIGH = 0xd };

struct MpTables {
    PdmDevice *device;
    GByteArray *bytes; /* what the firmware reads; never reallocated once offered */
};

static void
mp_header(GByteArray *bytes)
{
    table_put_text(bytes, "PCMP", 4);
    table_put(bytes, 0, 2); /* length */
    table_put(bytes, 4, 1); /* 1.4 */
    table_put(bytes, 0, 1); /* checksum */
    table_put_text(bytes, "VITRINE ", 8);
    table_put_text(bytes, "VITRINE 1   ", 12);
    table_put(bytes, 0, 6); /* no table of the OEM's */
    table_put(bytes, 0, 2); /* entries */
    table_put(bytes, LAPIC_BASE, 4);
    table_put(bytes, 0, 4); /* no extended table */
}

static unsigned
mp_cpus(MpTables *tables)
{
    enum { USABLE = 1, BOOT = 2 };
    unsigned count = pdm_cpu_count(tables->device);

    for (unsigned i = 0; i < count; i++) {
        table_put(tables->bytes, ENTRY_CPU, 1);
        table_put(tables->bytes, i, 1);
        table_put(tables->bytes, APIC_VERSION, 1);
        table_put(tables->bytes, i == 0 ? USABLE | BOOT : USABLE, 1);
        table_put(tables->bytes, 0x600, 4); /* family 6; guests ask CPUID */
        table_put(tables->bytes, 0x201, 4); /* an FPU and an APIC */
        table_put(tables->bytes, 0, 8);
    }
    return count;
}

static unsigned
mp_buses(GByteArray *bytes)
{
    table_put(bytes, ENTRY_BUS, 1);
    table_put(bytes, BUS_PCI, 1);
    table_put_text(bytes, "PCI   ", 6);
    table_put(bytes, ENTRY_BUS, 1);
    table_put(bytes, BUS_ISA, 1);
    table_put_text(bytes, "ISA   ", 6);
    return 2;
}

static unsigned
mp_ioapic(MpTables *tables)
{
    table_put(tables->bytes, ENTRY_IOAPIC, 1);
    table_put(tables->bytes, 0, 1); /* its APIC identification, as the MADT has it */
    table_put(tables->bytes, IOAPIC_VERSION, 1);
    table_put(tables->bytes, 1, 1);
    table_put(tables->bytes, IOAPIC_BASE, 4);
    return 1;
}

/* An interrupt entry; `apic` 0xff: every local APIC (4.3.4, 4.3.5). */
static void
mp_interrupt(GByteArray *bytes, uint64_t entry, unsigned kind, unsigned flags,
             const uint8_t where[4])
{
    table_put(bytes, entry, 1);
    table_put(bytes, kind, 1);
    table_put(bytes, flags, 2);
    g_byte_array_append(bytes, where, 4);
}

/* PCI interrupts share four lines of the ISA bus, which are level triggered there too. */
static unsigned
mp_isa(GByteArray *bytes)
{
    static const unsigned level = 1u << 5 | 1u << 9 | 1u << 10 | 1u << 11;
    unsigned count = 0;

    for (uint8_t irq = 0; irq < 16; irq++) {
        const uint8_t where[4] = {BUS_ISA, irq, 0, irq == 0 ? 2 : irq};

        if (irq == 2)
            continue; /* the second 8259's way in */
        mp_interrupt(bytes, ENTRY_IO_INTERRUPT, INTERRUPT_INT,
                     level >> irq & 1 ? LEVEL_HIGH : LIKE_BUS, where);
        count++;
    }
    return count;
}

static unsigned
mp_pci(MpTables *tables)
{
    unsigned count = 0;

    for (unsigned devfn = 0; devfn < 256 && count < MAX_FUNCTIONS; devfn++) {
        uint32_t line = pdm_pci_bus_read(tables->device, 0, devfn, 0x3c, 1);
        uint32_t pin = pdm_pci_bus_read(tables->device, 0, devfn, 0x3d, 1);
        const uint8_t where[4] = {BUS_PCI, (uint8_t)((devfn >> 3) << 2 | ((pin - 1) & 3)), 0,
                                  (uint8_t)line};

        if (pin == 0 || pin > 4 || line == 0 || line > 15)
            continue;
        mp_interrupt(tables->bytes, ENTRY_IO_INTERRUPT, INTERRUPT_INT, LEVEL_HIGH, where);
        count++;
    }
    return count;
}

static unsigned
mp_local(GByteArray *bytes)
{
    mp_interrupt(bytes, ENTRY_LOCAL_INTERRUPT, INTERRUPT_EXTINT, LIKE_BUS,
                 (const uint8_t[]){BUS_ISA, 0, 0, 0});
    mp_interrupt(bytes, ENTRY_LOCAL_INTERRUPT, INTERRUPT_NMI, LIKE_BUS,
                 (const uint8_t[]){BUS_ISA, 0, 0xff, 1});
    return 2;
}

static void
mp_set16(GByteArray *bytes, unsigned at, unsigned value)
{
    uint16_t word = GUINT16_TO_LE((uint16_t)value);

    memcpy(bytes->data + at, &word, sizeof(word));
}

/* Firmware fills in the pointer's address and checksum; the table's own is known here. */
static void
mp_build(MpTables *tables)
{
    GByteArray *bytes = tables->bytes;
    unsigned count, length;
    uint8_t sum = 0;

    g_byte_array_set_size(bytes, 0);
    table_put_text(bytes, "_MP_", 4);
    table_put(bytes, POINTER_SIZE, 4); /* the table's offset becomes its address */
    table_put(bytes, 1, 1);            /* in units of 16 bytes */
    table_put(bytes, 4, 1);
    table_put(bytes, 0, 6); /* checksum; there is a table; virtual wire mode */
    mp_header(bytes);
    count = mp_cpus(tables) + mp_buses(bytes) + mp_ioapic(tables) + mp_isa(bytes) + mp_pci(tables) +
            mp_local(bytes);
    length = bytes->len - POINTER_SIZE;
    mp_set16(bytes, POINTER_SIZE + HEADER_LENGTH, length);
    mp_set16(bytes, POINTER_SIZE + HEADER_COUNT, count);
    for (unsigned i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes->data[POINTER_SIZE + i]);
    bytes->data[POINTER_SIZE + HEADER_CHECKSUM] = (uint8_t)-sum;
}

/* What is behind the last entry stays what it was, for the file has one size. */
static void
mp_selected(void *user)
{
    mp_build(user);
}

MpTables *
mp_tables_new(PdmDevice *device, GByteArray *script)
{
    MpTables *tables = g_new0(MpTables, 1);
    unsigned size;

    tables->device = device;
    tables->bytes = g_byte_array_new();
    mp_build(tables);
    size = tables->bytes->len + MAX_FUNCTIONS * ENTRY_SIZE;
    while (tables->bytes->len < size)
        table_put(tables->bytes, 0, ENTRY_SIZE);
    acpi_loader_allocate(script, FILE_NAME, 16, true);
    acpi_loader_pointer(script, FILE_NAME, FILE_NAME, POINTER_ADDRESS, 4);
    acpi_loader_checksum(script, FILE_NAME, POINTER_CHECKSUM, 0, POINTER_SIZE);
    pdm_fwcfg_add_hook(device, FILE_NAME, tables->bytes->data, tables->bytes->len, mp_selected,
                       tables);
    return tables;
}

void
mp_tables_free(MpTables *tables)
{
    if (tables == NULL)
        return;
    g_byte_array_unref(tables->bytes);
    g_free(tables);
}
