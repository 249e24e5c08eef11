/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ACPI fixed hardware: see the header. The only sleeping state is S5, soft off; the SCI is the
 * level-triggered irq 9. */
#include "devices/chipset/acpi-pm.h"

#include <string.h>

#define STATUS_TIMER 0x0001
#define STATUS_GLOBAL 0x0020
#define STATUS_POWER 0x0100
#define STATUS_SLEEP 0x0200
#define STATUS_RTC 0x0400
#define STATUS_WAKE 0x8000
#define EVENTS (STATUS_TIMER | STATUS_GLOBAL | STATUS_POWER | STATUS_SLEEP | STATUS_RTC)
#define CONTROL_SCI 0x0001
#define CONTROL_SLEEP_ENABLE 0x2000
#define SLEEP_TYPE(control) ((control) >> 10 & 7)
#define SLEEP_TYPE_S5 0
#define TIMER_BITS 24

/* clang-format off */
const SsmField acpi_pm_fields[] = {
    SSM_UINT(AcpiPm, halves), SSM_UINT(AcpiPm, status), SSM_UINT(AcpiPm, enable),
    SSM_UINT(AcpiPm, control), SSM_BYTES(AcpiPm, gpe), SSM_END
};
/* clang-format on */

static uint64_t
acpi_pm_ticks(AcpiPm *pm)
{
    return (uint64_t)((unsigned __int128)pdm_now(pm->device) * ACPI_PM_HZ / 1000000000u);
}

static void
acpi_pm_update(AcpiPm *pm)
{
    bool event = pm->status & pm->enable & EVENTS;
    bool general = (pm->gpe[0] & pm->gpe[2]) | (pm->gpe[1] & pm->gpe[3]);

    pdm_isa_irq(pm->device, ACPI_SCI_IRQ, pm->control & CONTROL_SCI && (event || general));
}

/* Looks whether the timer's top bit has changed; wakes for the next change only when it interrupts.
 */
static void
acpi_pm_check_timer(AcpiPm *pm)
{
    uint64_t halves = acpi_pm_ticks(pm) >> (TIMER_BITS - 1);

    if (halves != pm->halves)
        pm->status |= STATUS_TIMER;
    pm->halves = halves;
    if (pm->enable & STATUS_TIMER && !(pm->status & STATUS_TIMER)) {
        unsigned __int128 ticks = (unsigned __int128)(halves + 1) << (TIMER_BITS - 1);

        pdm_timer_set(pm->device, pm->timer,
                      (uint64_t)((ticks * 1000000000u + ACPI_PM_HZ - 1) / ACPI_PM_HZ));
    } else {
        pdm_timer_cancel(pm->device, pm->timer);
    }
}

void
acpi_pm_refresh(AcpiPm *pm)
{
    acpi_pm_check_timer(pm);
    acpi_pm_update(pm);
}

static void
acpi_pm_expired(void *user)
{
    acpi_pm_refresh(user);
}

static uint8_t
acpi_pm_read_byte(AcpiPm *pm, uint32_t offset)
{
    switch (offset) {
    case 0: return (uint8_t)pm->status;
    case 1: return (uint8_t)(pm->status >> 8);
    case 2: return (uint8_t)pm->enable;
    case 3: return (uint8_t)(pm->enable >> 8);
    case 4: return (uint8_t)pm->control;
    case 5: return (uint8_t)(pm->control >> 8);
    default: return 0;
    }
}

uint32_t
acpi_pm_read(AcpiPm *pm, uint32_t offset, unsigned size)
{
    uint32_t value = 0;

    if (offset >= 8 && offset < 12)
        return (uint32_t)(acpi_pm_ticks(pm) & ((1u << TIMER_BITS) - 1)) >> (offset - 8) * 8;
    if (offset < 2)
        acpi_pm_refresh(pm);
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)acpi_pm_read_byte(pm, offset + i) << i * 8;
    return value;
}

static void
acpi_pm_sleep(AcpiPm *pm)
{
    if (SLEEP_TYPE(pm->control) == SLEEP_TYPE_S5)
        pdm_request_power_off(pm->device);
    else
        pdm_guest_error(pm->device, "sleep-type", "sleeping state type %u does not exist",
                        SLEEP_TYPE(pm->control));
}

static void
acpi_pm_write_byte(AcpiPm *pm, uint32_t offset, uint8_t value)
{
    switch (offset) {
    case 0: pm->status &= (uint16_t) ~(value & EVENTS); break;
    case 1: pm->status &= (uint16_t) ~((value << 8) & (EVENTS | STATUS_WAKE)); break;
    case 2: pm->enable = (uint16_t)((pm->enable & 0xff00) | (value & EVENTS)); break;
    case 3: pm->enable = (uint16_t)((pm->enable & 0xff) | (value << 8 & EVENTS)); break;
    case 4: pm->control = (uint16_t)((pm->control & 0xff00) | (value & 0x03)); break;
    case 5:
        pm->control = (uint16_t)((pm->control & 0xff) | (value << 8 & 0x1c00));
        if (value << 8 & CONTROL_SLEEP_ENABLE)
            acpi_pm_sleep(pm);
        break;
    default: break;
    }
}

void
acpi_pm_write(AcpiPm *pm, uint32_t offset, uint32_t value, unsigned size)
{
    acpi_pm_check_timer(pm);
    for (unsigned i = 0; i < size; i++)
        acpi_pm_write_byte(pm, offset + i, (uint8_t)(value >> i * 8));
    acpi_pm_refresh(pm);
}

uint8_t
acpi_pm_gpe_read(AcpiPm *pm, uint32_t offset)
{
    return pm->gpe[offset % ACPI_GPE_BYTES];
}

void
acpi_pm_gpe_write(AcpiPm *pm, uint32_t offset, uint8_t value)
{
    uint8_t *byte = &pm->gpe[offset % ACPI_GPE_BYTES];

    *byte = offset < ACPI_GPE_BYTES / 2 ? *byte & ~value : value;
    acpi_pm_update(pm);
}

void
acpi_pm_set_enabled(AcpiPm *pm, bool enabled)
{
    pm->control = (uint16_t)((pm->control & ~CONTROL_SCI) | (enabled ? CONTROL_SCI : 0));
    acpi_pm_update(pm);
}

static bool
acpi_pm_press(AcpiPm *pm, uint16_t button)
{
    bool heard = pm->control & CONTROL_SCI && pm->enable & button;

    pm->status |= button;
    acpi_pm_update(pm);
    return heard;
}

bool
acpi_pm_power_button(AcpiPm *pm)
{
    return acpi_pm_press(pm, STATUS_POWER);
}

bool
acpi_pm_sleep_button(AcpiPm *pm)
{
    return acpi_pm_press(pm, STATUS_SLEEP);
}

void
acpi_pm_reset(AcpiPm *pm)
{
    pm->status = pm->enable = pm->control = 0;
    memset(pm->gpe, 0, sizeof(pm->gpe));
    pm->halves = acpi_pm_ticks(pm) >> (TIMER_BITS - 1);
    acpi_pm_refresh(pm);
}

void
acpi_pm_construct(AcpiPm *pm, PdmDevice *device)
{
    pm->device = device;
    pm->timer = pdm_timer_new(device, "pm-timer", acpi_pm_expired, pm);
}
