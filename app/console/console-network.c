/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network cards: what the settings say becomes the machine's cards; the service hands over what is
 * behind their cables. */
#include "app/console/console-private.h"

/* clang-format off */
static const char *const models[] = {
    [VITRINE_ADAPTER_AM79C970A] = "Am79C970A",
    [VITRINE_ADAPTER_AM79C973] = "Am79C973",
    [VITRINE_ADAPTER_I82540EM] = "82540EM",
    [VITRINE_ADAPTER_I82543GC] = "82543GC",
    [VITRINE_ADAPTER_I82545EM] = "82545EM",
    [VITRINE_ADAPTER_NE2000] = "NE2000",
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

/* What kind of thing the service hands over (devices/drivers/network/README.md). */
static const char *
wire_of(const VitrineAdapter *adapter)
{
    return adapter->network == VITRINE_NETWORK_GENERIC ? "plain" : "frames";
}

/* A machine without its network runs all the same. */
static void
connect_card(Console *console, guint slot, MachineAdapter *card)
{
    g_autofree char *warning = NULL, *text = NULL;
    g_autoptr(GError) error = NULL;

    card->descriptor = vitrine_vm_session_open_adapter(console->session, slot, &warning, &error);
    if (card->descriptor >= 0)
        card->wire = wire_of(vitrine_settings_get_adapter(console->settings, slot));
    if (error == NULL && (warning == NULL || *warning == '\0'))
        return;
    text = g_strdup_printf("Network adapter %u: %s", slot + 1,
                           error != NULL ? error->message : warning);
    console_tell(console, "network", text);
}

static void
open_trace(Console *console, guint slot, MachineAdapter *card)
{
    g_autoptr(GError) error = NULL;

    card->trace_descriptor = vitrine_vm_session_open_trace(console->session, slot, &error);
    if (error != NULL)
        console_tell(console, "network-trace", error->message);
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

/* While the machine runs. The service is asked without the lock that devices wait for. */
gboolean
console_network_change(gpointer data, guint slot, const VitrineAdapter *adapter, gboolean rewire,
                       gboolean retrace, GError **error)
{
    Console *console = data;
    const char *model = model_of(adapter, slot, error);
    const MachinePlace place = machine_adapter_place(model, slot);
    MachineAdapter card = {.descriptor = -1, .trace_descriptor = -1};
    const PdmNetworkConnector *net;
    GRecMutex *lock;

    if (model == NULL)
        return FALSE;
    net = console->vmm == NULL ? NULL
                               : pdm_lun_connector(vmm_pdm(console->vmm), place.device,
                                                   place.instance, place.lun, PDM_IF_NETWORK);
    if (net == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "Network adapter %u is not there at present.", slot + 1);
        return FALSE;
    }
    vitrine_settings_set_adapter(console->settings, slot, adapter);
    if (rewire && adapter->network != VITRINE_NETWORK_NONE)
        connect_card(console, slot, &card);
    if (retrace && adapter->trace && *adapter->trace_file != '\0')
        open_trace(console, slot, &card);
    lock = pdm_device_lock(vmm_pdm(console->vmm));
    g_rec_mutex_lock(lock);
    if (rewire)
        net->set_wire(net->user, wire_of(adapter), card.descriptor);
    if (retrace)
        net->set_trace(net->user, card.trace_descriptor);
    net->set_link(net->user, adapter->cable_connected);
    g_rec_mutex_unlock(lock);
    return TRUE;
}

/* The kind of a card was checked when the machine was described. */
void
console_network_activity(Console *console, VitrineActivity *activity)
{
    for (guint i = 0; i < MACHINE_ADAPTERS; i++) {
        const VitrineAdapter *adapter = vitrine_settings_get_adapter(console->settings, i);
        const char *model = adapter->enabled ? model_of(adapter, i, NULL) : NULL;
        const MachinePlace place = machine_adapter_place(model, i);
        const PdmNetworkConnector *connector =
            place.device != NULL ? pdm_lun_connector(vmm_pdm(console->vmm), place.device,
                                                     place.instance, place.lun, PDM_IF_NETWORK)
                                 : NULL;

        if (connector == NULL || connector->activity == NULL)
            continue;
        activity->reads[VITRINE_ACTIVITY_NETWORK] += connector->activity->reads;
        activity->writes[VITRINE_ACTIVITY_NETWORK] += connector->activity->writes;
    }
}
