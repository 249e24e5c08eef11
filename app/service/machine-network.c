/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network cards of a running machine: the cable, what it leads to, forwarded ports, who sees what,
 * and the record of frames can change; the card itself, and whether it is there, cannot. Manual,
 * chapter VBoxManage, "controlvm", networking. */
#include "app/service/machine.h"
#include "app/service/network.h"

#define CHANGES "(uvbb)"

/* What networks_update() or the cable's plug do; the rest takes a new connection. */
static gboolean
needs_wire(const VitrineAdapter *before, const VitrineAdapter *now)
{
    g_autoptr(VitrineAdapter) same = vitrine_adapter_copy(now);

    same->promiscuous = before->promiscuous;
    same->cable_connected = before->cable_connected;
    same->trace = before->trace;
    vitrine_adapter_set_text(&same->trace_file, before->trace_file);
    vitrine_adapter_set_text(&same->nat_forwards, before->nat_forwards);
    return !vitrine_adapter_equal(before, same);
}

static gboolean
needs_trace(const VitrineAdapter *before, const VitrineAdapter *now)
{
    return before->trace != now->trace ||
           (now->trace && !g_str_equal(before->trace_file, now->trace_file));
}

static gboolean
check_card(guint slot, const VitrineAdapter *before, const VitrineAdapter *now, GError **error)
{
    if (before->enabled == now->enabled && before->type == now->type &&
        g_ascii_strcasecmp(before->mac, now->mac) == 0)
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                "Whether there is a network adapter %u, its kind and its address change only while "
                "the machine is powered off.",
                slot + 1);
    return FALSE;
}

/* A port that is in use is told here, and what was before is in force again. */
static gboolean
update_network(Machine *machine, guint slot, const VitrineAdapter *before,
               const VitrineAdapter *now, GError **error)
{
    Networks *networks = machine->service->networks;

    if (needs_wire(before, now) || networks_update(networks, machine->id, slot, before, now, error))
        return TRUE;
    networks_update(networks, machine->id, slot, now, before, NULL);
    return FALSE;
}

/* The VM process asks for what it needs by itself. */
static void
tell_vm(Machine *machine, guint slot, const VitrineAdapter *before, const VitrineAdapter *now)
{
    if (now->enabled && now->network == VITRINE_NETWORK_NONE)
        networks_close(machine->service->networks, machine->id, (int)slot);
    g_dbus_connection_call(machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess",
                           "ChangeAdapter",
                           g_variant_new(CHANGES, slot, vitrine_adapter_to_variant(now),
                                         needs_wire(before, now), needs_trace(before, now)),
                           NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, NULL, NULL);
}

static gboolean
check_cards(VitrineSettings *before, VitrineSettings *after, guint *changed, GError **error)
{
    *changed = 0;
    for (guint i = 0; i < VITRINE_ADAPTER_COUNT; i++) {
        const VitrineAdapter *was = vitrine_settings_get_adapter(before, i);
        const VitrineAdapter *now = vitrine_settings_get_adapter(after, i);

        if (vitrine_adapter_equal(was, now))
            continue;
        if (!check_card(i, was, now, error))
            return FALSE;
        *changed |= now->enabled ? 1u << i : 0;
    }
    return TRUE;
}

static gboolean
update_networks(Machine *machine, VitrineSettings *before, VitrineSettings *after, guint changed,
                GError **error)
{
    for (guint i = 0; i < VITRINE_ADAPTER_COUNT; i++) {
        if ((changed >> i & 1) != 0 &&
            !update_network(machine, i, vitrine_settings_get_adapter(before, i),
                            vitrine_settings_get_adapter(after, i), error))
            return FALSE;
    }
    return TRUE;
}

gboolean
machine_change_network(Machine *machine, VitrineSettings *after, GDBusMethodInvocation *invocation,
                       MachineCommit commit)
{
    GError *error = NULL;
    guint changed;

    if (machine->vm == NULL)
        return FALSE;
    g_autoptr(VitrineSettings) before = vitrine_settings_copy(machine->record->settings);
    if (!check_cards(before, after, &changed, &error) ||
        !update_networks(machine, before, after, changed, &error)) {
        g_object_unref(after);
        return service_fail(invocation, error);
    }
    if (changed == 0)
        return FALSE;
    if (!commit(machine, after, &error))
        return service_fail(invocation, error);
    for (guint i = 0; i < VITRINE_ADAPTER_COUNT; i++) {
        if ((changed >> i & 1) != 0)
            tell_vm(machine, i, vitrine_settings_get_adapter(before, i),
                    vitrine_settings_get_adapter(machine->record->settings, i));
    }
    vitrine_dbus_machine_complete_save_settings(machine->skeleton, invocation);
    return TRUE;
}
