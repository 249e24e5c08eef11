/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The machine's ACPI tables, offered to firmware through fw_cfg: ACPI Specification 6.4, chapter 5.
 */
#pragma once

#include "vmm/pdm/pdm.h"

typedef struct AcpiTables AcpiTables;

/* Offers etc/acpi/tables, etc/acpi/rsdp and etc/table-loader. config: Tables, IoApic and Hpet of
 * the power management device. NULL when Tables is off. */
AcpiTables *acpi_tables_new(PdmDevice *device, const CfgmNode *config);
/* Only when the files are not asked for any more. */
void acpi_tables_free(AcpiTables *tables);

/* Compiled from dsdt.dsl. */
extern const uint8_t acpi_dsdt[];
extern const size_t acpi_dsdt_size;
