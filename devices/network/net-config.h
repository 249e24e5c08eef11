/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the configuration of every network card has in common: its address and its boot ROM. */
#pragma once

#include "vmm/pdm/pdm.h"

#define NET_CARDS_MAX 8u

/* "MAC": twelve hex digits, with or without colons. Absent: one of this product's range that is the
 * same each time. BASE_ERROR_INVALID for a group's address or no address. */
bool net_config_mac(PdmDevice *device, const CfgmNode *config, uint8_t mac[6], GError **error);
/* "Model": its place among `names` (NULL at the end); absent: that of `usual`. -1 and
 * BASE_ERROR_INVALID for one that is not there. */
int net_config_model(const CfgmNode *config, const char *const *names, const char *usual,
                     GError **error);
/* "BootRom": the path of an image, "": none; absent: `usual`. */
bool net_config_rom(PdmDevice *device, PdmPci *pci, const CfgmNode *config, const char *usual,
                    GError **error);

/* clang-format off */
#define NET_CONFIG_MODEL(names, usual)                                                             \
    {.key = "Model", .title = "Card", .type = PDM_OPTION_CHOICE, .text = usual, .choices = names}
#define NET_CONFIG_OPTIONS                                                                         \
    {.key = "MAC", .title = "Address", .type = PDM_OPTION_STRING, .text = ""},                     \
    {.key = "BootRom", .title = "Boot ROM", .type = PDM_OPTION_STRING, .text = ""}
/* clang-format on */
