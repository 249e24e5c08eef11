/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The I/O APIC: 24 pins at 0xFEC00000. Intel 82093AA data sheet (290566-001), with the version and
 * the EOI register of the ICH family (82801 data sheets, "IOxAPIC").
 *
 * An edge on a masked pin is lost, as the data sheet says. Messages are delivered at once, so the
 * delivery status bit always reads as idle. */
#include "vmm/pdm/pdm.h"

#define IOAPIC_BASE 0xfec00000
#define IOAPIC_PINS 24
#define IOAPIC_VERSION 0x20
#define IOAPIC_FIXED 0
#define IOAPIC_LOWEST 1

#define ENTRY_LOGICAL (1u << 11)
#define ENTRY_REMOTE_IRR (1u << 14)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)
#define ENTRY_READ_ONLY (ENTRY_REMOTE_IRR | 1u << 12)

typedef struct {
    PdmDevice *device;
    PdmIoApic offer;
    PgmRegion *region;
    uint64_t entries[IOAPIC_PINS];
    uint32_t lines; /* present level of the inputs */
    uint8_t id;     /* bits 3..0 */
    uint8_t select;
} IoApic;

static void
ioapic_deliver(IoApic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entries[pin];
    unsigned delivery = entry >> 8 & 7;
    bool level = entry & ENTRY_LEVEL;

    /* Only fixed and lowest priority have a level; the others are always edges. */
    if (delivery != IOAPIC_FIXED && delivery != IOAPIC_LOWEST)
        level = false;
    if (level)
        ioapic->entries[pin] |= ENTRY_REMOTE_IRR;
    pdm_apic_message(ioapic->device, (uint32_t)(entry >> 56), entry & ENTRY_LOGICAL, delivery,
                     (uint8_t)entry, level);
}

/* Sends what a level-triggered pin asks for, unless it waits for an EOI. */
static void
ioapic_update_level(IoApic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entries[pin];

    if (entry & ENTRY_LEVEL && !(entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) &&
        ioapic->lines >> pin & 1)
        ioapic_deliver(ioapic, pin);
}

/* The level is "asserted", whatever the pin's polarity: boards wire it as the tables say. */
static void
ioapic_set_irq(void *user, unsigned pin, bool level)
{
    IoApic *ioapic = user;
    uint32_t bit;

    if (pin >= IOAPIC_PINS)
        return;
    bit = 1u << pin;

    bool rise = level && !(ioapic->lines & bit);

    ioapic->lines = level ? ioapic->lines | bit : ioapic->lines & ~bit;
    if (ioapic->entries[pin] & ENTRY_LEVEL)
        ioapic_update_level(ioapic, pin);
    else if (rise && !(ioapic->entries[pin] & ENTRY_MASKED))
        ioapic_deliver(ioapic, pin);
}

static void
ioapic_end(IoApic *ioapic, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t *entry = &ioapic->entries[pin];

        if ((uint8_t)*entry != vector || !(*entry & ENTRY_REMOTE_IRR))
            continue;
        *entry &= ~(uint64_t)ENTRY_REMOTE_IRR;
        ioapic_update_level(ioapic, pin);
    }
}

static void
ioapic_eoi(void *user, uint8_t vector)
{
    IoApic *ioapic = user;

    pdm_lock(ioapic->device);
    ioapic_end(ioapic, vector);
    pdm_unlock(ioapic->device);
}

static void
ioapic_write_entry(IoApic *ioapic, unsigned pin, bool high, uint32_t value)
{
    uint64_t *entry = &ioapic->entries[pin];

    if (high) {
        *entry = (uint32_t)*entry | (uint64_t)(value & 0xff000000) << 32;
    } else {
        uint32_t kept = (uint32_t)*entry & ENTRY_READ_ONLY;

        *entry = (*entry & ~0xffffffffull) | (value & 0x1ffff & ~ENTRY_READ_ONLY) | kept;
        if (!(*entry & ENTRY_LEVEL))
            *entry &= ~(uint64_t)ENTRY_REMOTE_IRR; /* how old kernels clear a stuck pin */
    }
    ioapic_update_level(ioapic, pin);
}

static uint32_t
ioapic_read_register(const IoApic *ioapic)
{
    unsigned pin = (ioapic->select - 0x10u) / 2;

    switch (ioapic->select) {
    case 0: return (uint32_t)ioapic->id << 24;
    case 1: return IOAPIC_VERSION | (IOAPIC_PINS - 1) << 16;
    case 2: return (uint32_t)ioapic->id << 24; /* arbitration id */
    default: break;
    }
    if (ioapic->select < 0x10 || pin >= IOAPIC_PINS)
        return 0;
    return (uint32_t)(ioapic->entries[pin] >> (ioapic->select & 1 ? 32 : 0));
}

static void
ioapic_write_register(IoApic *ioapic, uint32_t value)
{
    unsigned pin = (ioapic->select - 0x10u) / 2;

    if (ioapic->select == 0)
        ioapic->id = value >> 24 & 15;
    else if (ioapic->select >= 0x10 && pin < IOAPIC_PINS)
        ioapic_write_entry(ioapic, pin, ioapic->select & 1, value);
}

static uint64_t
ioapic_read(void *user, uint64_t offset, unsigned size)
{
    IoApic *ioapic = user;

    switch (offset & 0xff) {
    case 0x00: return ioapic->select;
    case 0x10: return ioapic_read_register(ioapic);
    default: return 0;
    }
}

static void
ioapic_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    IoApic *ioapic = user;

    switch (offset & 0xff) {
    case 0x00: ioapic->select = (uint8_t)value; break;
    case 0x10: ioapic_write_register(ioapic, (uint32_t)value); break;
    case 0x40: ioapic_end(ioapic, (uint8_t)value); break;
    default: break;
    }
}

static const IomMmioOps ioapic_ops = {
    .read = ioapic_read, .write = ioapic_write, .min_size = 4, .max_size = 4};

static void
ioapic_reset(PdmDevice *device)
{
    IoApic *ioapic = device->data;

    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        ioapic->entries[pin] = ENTRY_MASKED;
    ioapic->id = ioapic->select = 0;
}

static bool
ioapic_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    IoApic *ioapic = device->data;

    ioapic->device = device;
    ioapic->region = pdm_mmio_new(device, "ioapic", 0x1000, &ioapic_ops, ioapic);
    pdm_region_map(device, ioapic->region, IOAPIC_BASE);
    ioapic->offer = (PdmIoApic){ioapic, ioapic_set_irq, ioapic_eoi};
    pdm_offer_ioapic(device, &ioapic->offer);
    ioapic_reset(device);
    return true;
}

static void
ioapic_info(PdmDevice *device, GString *out)
{
    const IoApic *ioapic = device->data;

    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t entry = ioapic->entries[pin];

        g_string_append_printf(out, "pin %2u: %016" G_GINT64_MODIFIER "x vector %02x%s%s%s%s\n",
                               pin, entry, (uint8_t)entry, entry & ENTRY_MASKED ? " masked" : "",
                               entry & ENTRY_LEVEL ? " level" : " edge",
                               entry & ENTRY_REMOTE_IRR ? " waits for EOI" : "",
                               ioapic->lines >> pin & 1 ? " asserted" : "");
    }
}

/* clang-format off */
static const SsmField ioapic_fields[] = {
    SSM_UINT_ARRAY(IoApic, entries), SSM_UINT_BELOW(IoApic, lines, 1u << IOAPIC_PINS),
    SSM_UINT_BELOW(IoApic, id, 16), SSM_UINT(IoApic, select), SSM_END
};
static const SsmState ioapic_state = { .version = 1, .min_version = 1, .fields = ioapic_fields };
/* clang-format on */

const PdmDeviceInfo ioapic_device = {
    .abi = PDM_ABI_VERSION,
    .name = "ioapic",
    .title = "I/O APIC",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(IoApic),
    .max_instances = 1,
    .construct = ioapic_construct,
    .reset = ioapic_reset,
    .state = &ioapic_state,
    .info = ioapic_info,
};
