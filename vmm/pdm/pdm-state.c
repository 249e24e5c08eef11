/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved state: one unit "pdm" for what PDM holds itself (interrupt lines, PCI configuration), then
 * one unit for each device. */
#include "vmm/pdm/pdm-private.h"

#include <string.h>

#define FIXED_PART 0x40u /* of configuration space: the header of PCI 3.0, 6.1 */

/* The ISA lines that an instance has claimed, a bit each. */
static uint16_t
claims_of(const Pdm *pdm, const PdmInstance *instance)
{
    uint16_t claims = 0;

    for (unsigned line = 0; line < PDM_ISA_IRQS; line++) {
        if (pdm->irq.claimed[line] == instance)
            claims |= (uint16_t)(1u << line);
    }
    return claims;
}

static void
set_claims(Pdm *pdm, PdmInstance *instance, uint64_t claims)
{
    for (unsigned line = 0; line < PDM_ISA_IRQS; line++) {
        if ((claims >> line) & 1)
            pdm->irq.claimed[line] = instance;
    }
}

#define NAME_SIZE 48u

static void
put_name(SsmWriter *writer, const char *text)
{
    char name[NAME_SIZE] = {0};

    g_strlcpy(name, text, sizeof(name));
    ssm_put_bytes(writer, name, sizeof(name));
}

/* The states that follow belong to exactly these devices: another machine is told by name, before
 * numbers that do not fit lead to a riddle. */
static bool
check_name(SsmReader *reader, const char *expected, GError **error)
{
    char name[NAME_SIZE];
    g_autofree char *valid = NULL;

    if (!ssm_get_bytes(reader, name, sizeof(name), error))
        return false;
    name[NAME_SIZE - 1] = '\0';
    if (strcmp(name, expected) == 0)
        return true;
    valid = g_utf8_make_valid(name, -1);
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "the machine has other devices than when it was saved: %s in the place of %s",
                *expected != '\0' ? expected : "nothing", *valid != '\0' ? valid : "nothing");
    return false;
}

static bool
save_pdm(void *object, SsmWriter *writer, GError **error)
{
    const Pdm *pdm = object;

    for (guint i = 0; i < pdm->instances->len; i++) {
        const PdmInstance *instance = pdm->instances->pdata[i];

        put_name(writer, instance->owner.name);
        ssm_put_uint(writer, instance->isa_levels, 2);
        ssm_put_uint(writer, instance->gsi_levels, 4);
        ssm_put_uint(writer, claims_of(pdm, instance), 2);
    }
    put_name(writer, "");
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(pdm->pci); devfn++) {
        const PdmPci *pci = pdm->pci[devfn];

        if (pci == NULL)
            continue;
        ssm_put_uint(writer, devfn, 1);
        ssm_put_uint(writer, pci->level, 1);
        ssm_put_uint(writer, pci->asserted, 1);
        ssm_put_bytes(writer, pci->config, sizeof(pci->config));
    }
    return true;
}

/* In the standard header a guest's bits come from the state, the others from this machine, so that
 * a state cannot turn a function into another one. */
static bool
take_config(PdmPci *pci, const uint8_t *config, GError **error)
{
    if (memcmp(config, pci->config, 4) != 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "the PCI function %02x.%x is of another kind in the saved state",
                    pci->devfn >> 3, pci->devfn & 7);
        return false;
    }
    for (unsigned i = 0; i < PDM_PCI_CONFIG_SIZE; i++) {
        const bool status = i == 6 || i == 7;
        const uint8_t mask = i >= FIXED_PART || status ? 0xff : pci->mask[i];

        pci->config[i] = (uint8_t)((pci->config[i] & ~mask) | (config[i] & mask));
    }
    return true;
}

static bool
load_function(PdmPci *pci, SsmReader *reader, GError **error)
{
    uint8_t config[PDM_PCI_CONFIG_SIZE];
    uint64_t devfn, level, asserted;

    if (!ssm_get_uint(reader, &devfn, 1, error) || !ssm_get_uint(reader, &level, 1, error) ||
        !ssm_get_uint(reader, &asserted, 1, error) ||
        !ssm_get_bytes(reader, config, sizeof(config), error))
        return false;
    if (devfn != pci->devfn) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "the saved state has other PCI devices than this machine");
        return false;
    }
    pci->level = level != 0;
    pci->asserted = asserted != 0 && pci->pin != 0;
    if (!take_config(pci, config, error))
        return false;
    pdm_pci_update_bars(pci);
    return true;
}

static bool
load_pdm(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    Pdm *pdm = object;

    /* Devices restore themselves after this unit and may touch their lines; nothing must come of
     * it. */
    pdm->irq.quiet = true;
    memset(pdm->irq.claimed, 0, sizeof(pdm->irq.claimed));
    for (guint i = 0; i < pdm->instances->len; i++) {
        PdmInstance *instance = pdm->instances->pdata[i];
        uint64_t isa, gsi, claims;

        if (!check_name(reader, instance->owner.name, error) ||
            !ssm_get_uint(reader, &isa, 2, error) || !ssm_get_uint(reader, &gsi, 4, error) ||
            !ssm_get_uint(reader, &claims, 2, error))
            return false;
        set_claims(pdm, instance, claims);
        instance->isa_levels = (uint16_t)isa;
        instance->gsi_levels = (uint32_t)gsi & ((1u << PDM_GSIS) - 1);
    }
    if (!check_name(reader, "", error))
        return false;
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(pdm->pci); devfn++) {
        if (pdm->pci[devfn] != NULL && !load_function(pdm->pci[devfn], reader, error))
            return false;
    }
    return true;
}

static const SsmState pdm_state = {
    .version = 1,
    .min_version = 1,
    .save = save_pdm,
    .load = load_pdm,
};

void
pdm_state_register(Pdm *pdm)
{
    if (pdm->rooms.ssm == NULL)
        return;
    ssm_register(pdm->rooms.ssm, "pdm", 0, &pdm_state, pdm);
    for (guint i = 0; i < pdm->instances->len; i++) {
        PdmInstance *instance = pdm->instances->pdata[i];
        const PdmDevice *device = &instance->device;

        ssm_register(pdm->rooms.ssm, device->info->name, device->instance, device->info->state,
                     device->data);
    }
}

void
pdm_state_unregister(Pdm *pdm)
{
    if (pdm->rooms.ssm == NULL)
        return;
    ssm_unregister(pdm->rooms.ssm, "pdm", 0);
    for (guint i = 0; i < pdm->instances->len; i++) {
        const PdmInstance *instance = pdm->instances->pdata[i];

        ssm_unregister(pdm->rooms.ssm, instance->device.info->name, instance->device.instance);
    }
}

void
pdm_loaded(Pdm *pdm)
{
    pdm_enter(pdm);
    pdm_irq_rebuild(pdm);
    pdm_leave(pdm);
}
