/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network cards: what the settings say becomes the machine's cards; the service hands over what is
 * behind their cables. */
#include "app/console/console-private.h"

/* clang-format off */
static const char *const models[] = {
    [VITRINE_ADAPTER_I82540EM] = "82540EM",
    [VITRINE_ADAPTER_I82543GC] = "82543GC",
    [VITRINE_ADAPTER_I82545EM] = "82545EM",
    [VITRINE_ADAPTER_VIRTIO] = "virtio",
};
/* clang-format on */

static const char *
model_of(const VitrineAdapter *adapter, guint slot, GError **error)
{
    const char *model = (guint)adapter->type < G_N_ELEMENTS(models) ? models[adapter->type] : NULL;

    if (model == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "Network adapter %u is of a kind that this version does not have (%s). Choose "
                    "another one in Settings, Network.",
                    slot + 1, vitrine_nick(VITRINE_TYPE_ADAPTER_TYPE, adapter->type));
    return model;
}

/* A machine without its network runs all the same. */
static void
connect_card(Console *console, guint slot, MachineAdapter *card)
{
    g_autofree char *warning = NULL;
    g_autoptr(GError) error = NULL;

    card->descriptor = vitrine_vm_session_open_adapter(console->session, slot, &warning, &error);
    if (card->descriptor >= 0)
        card->wire = "frames";
    if (error != NULL || (warning != NULL && *warning != '\0'))
        vitrine_vm_session_runtime_error(console->session, FALSE, "network",
                                         error != NULL ? error->message : warning);
}

static void
open_trace(Console *console, guint slot, MachineAdapter *card)
{
    g_autoptr(GError) error = NULL;

    card->trace_descriptor = vitrine_vm_session_open_trace(console->session, slot, &error);
    if (error != NULL)
        vitrine_vm_session_runtime_error(console->session, FALSE, "network-trace", error->message);
}

bool
console_network_describe(Console *console, MachineSpec *spec, GError **error)
{
    for (guint i = 0; i < MACHINE_ADAPTERS; i++) {
        const VitrineAdapter *adapter = vitrine_settings_get_adapter(console->settings, i);
        MachineAdapter *card = &spec->adapters[i];

        if (!adapter->enabled)
            continue;
        card->model = model_of(adapter, i, error);
        if (card->model == NULL)
            return false;
        card->mac = *adapter->mac != '\0' ? adapter->mac : NULL;
        card->unplugged = !adapter->cable_connected;
        if (adapter->network != VITRINE_NETWORK_NONE)
            connect_card(console, i, card);
        if (adapter->trace && *adapter->trace_file != '\0')
            open_trace(console, i, card);
    }
    return true;
}
