/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The machine's System Management BIOS tables. DMTF DSP0134, SMBIOS Reference Specification 2.8. */
#pragma once

#include "vmm/pdm/pdm.h"

#define SMBIOS_VENDOR "Vitrine"
#define SMBIOS_PRODUCT "Virtual Machine"

/* Offers the tables to firmware as etc/smbios/smbios-tables and -anchor. uuid: 16 bytes in the
 * order of their text. config: SystemManufacturer … of the fw-cfg device. */
void smbios_offer(PdmDevice *device, const uint8_t *uuid, const CfgmNode *config);
