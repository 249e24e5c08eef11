/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The configuration of network cards: see the header. */
#include "devices/network/net-config.h"
#include "devices/network/option-rom.h"

#include <string.h>

static bool
parse(const char *text, uint8_t mac[6])
{
    unsigned digits = 0;

    memset(mac, 0, 6);
    for (; *text != '\0'; text++) {
        if (*text == ':' || *text == '-')
            continue;
        if (digits == 12 || !g_ascii_isxdigit(*text))
            return false;
        mac[digits / 2] = (uint8_t)(mac[digits / 2] << 4 | g_ascii_xdigit_value(*text));
        digits++;
    }
    return digits == 12 && (mac[0] & 1) == 0;
}

bool
net_config_mac(PdmDevice *device, const CfgmNode *config, uint8_t mac[6], GError **error)
{
    const char *text = cfgm_string(config, "MAC", "");
    const uint8_t usual[6] = {0x08, 0x00, 0x27, 0x56, 0x49, (uint8_t)(0x10 + device->instance)};

    memcpy(mac, usual, 6);
    if (*text == '\0' || parse(text, mac))
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" is no address of a network card.",
                text);
    return false;
}

int
net_config_model(const CfgmNode *config, const char *const *names, const char *usual,
                 GError **error)
{
    const char *name = cfgm_string(config, "Model", usual);

    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no network card of the model %s.",
                name);
    return -1;
}

bool
net_config_rom(PdmDevice *device, PdmPci *pci, const CfgmNode *config, const char *usual,
               GError **error)
{
    const char *path = cfgm_string(config, "BootRom", usual);

    return *path == '\0' || option_rom_add(device, pci, path, error);
}
