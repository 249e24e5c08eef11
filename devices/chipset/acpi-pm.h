/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ACPI fixed hardware: the PM1 event and control registers, the power management timer and a
 * general-purpose event block. ACPI Specification 6.4, chapter 4.8. A chipset's power management
 * device embeds one and puts the registers at its own addresses. */
#pragma once

#include "vmm/pdm/pdm.h"

#define ACPI_PM_HZ 3579545
#define ACPI_SCI_IRQ 9
#define ACPI_GPE_BYTES 4 /* two of status, two of enable */
/* What is written to the SMI command port to switch the SCI on and off. */
#define ACPI_SMI_ENABLE 0xf1
#define ACPI_SMI_DISABLE 0xf0

typedef struct {
    PdmDevice *device;
    TmTimer *timer;
    uint64_t halves; /* changes of the timer's top bit that were seen */
    uint16_t status, enable, control;
    uint8_t gpe[ACPI_GPE_BYTES];
} AcpiPm;

extern const SsmField acpi_pm_fields[];

void acpi_pm_construct(AcpiPm *pm, PdmDevice *device);
void acpi_pm_reset(AcpiPm *pm);
/* After a load: the timer and the interrupt follow the registers. */
void acpi_pm_refresh(AcpiPm *pm);

/* PM1 block with the timer at +8. */
uint32_t acpi_pm_read(AcpiPm *pm, uint32_t offset, unsigned size);
void acpi_pm_write(AcpiPm *pm, uint32_t offset, uint32_t value, unsigned size);
uint8_t acpi_pm_gpe_read(AcpiPm *pm, uint32_t offset);
void acpi_pm_gpe_write(AcpiPm *pm, uint32_t offset, uint8_t value);
/* The operating system takes ACPI over or gives it back (SMI command port). */
void acpi_pm_set_enabled(AcpiPm *pm, bool enabled);

/* Presses a button; false when the guest does not listen to it. */
bool acpi_pm_power_button(AcpiPm *pm);
bool acpi_pm_sleep_button(AcpiPm *pm);
