/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * showvminfo's lines about network cards. */
#include "app/manage/manage-words.h"
#include "app/manage/showvminfo-private.h"

/* What the network that a card is on is called; NULL where that has no name. */
static const char *
network_name(const VitrineAdapter *adapter, const char **key)
{
    switch (adapter->network) {
    case VITRINE_NETWORK_BRIDGED: *key = "bridgeadapter"; return adapter->bridged_interface;
    case VITRINE_NETWORK_INTERNAL: *key = "intnet"; return adapter->internal_network;
    case VITRINE_NETWORK_HOST_ONLY: *key = "hostonlyadapter"; return adapter->host_only_interface;
    case VITRINE_NETWORK_GENERIC: *key = "generic"; return adapter->generic_driver;
    case VITRINE_NETWORK_NAT_NETWORK: *key = "nat-network"; return adapter->nat_network;
    case VITRINE_NETWORK_NAT:
        *key = "natnet";
        return *adapter->nat_range != '\0' ? adapter->nat_range : "nat";
    case VITRINE_NETWORK_NONE: break;
    }
    return NULL;
}

static void
print_machine_readable(const VitrineAdapter *adapter, guint number)
{
    const char *key = NULL, *name = network_name(adapter, &key);
    g_auto(GStrv) forwards = g_strsplit(adapter->nat_forwards, "\n", -1);

    if (name != NULL) {
        g_autofree char *escaped = manage_escape(name);

        manage_print("%s%u=\"%s\"\n", key, number, escaped);
    }
    manage_print("macaddress%u=\"%s\"\n", number, adapter->mac);
    manage_print("cableconnected%u=\"%s\"\n", number, adapter->cable_connected ? "on" : "off");
    manage_print("nic%u=\"%s\"\n", number, manage_word(VITRINE_TYPE_NETWORK, adapter->network));
    manage_print("nictype%u=\"%s\"\n", number,
                 manage_word(VITRINE_TYPE_ADAPTER_TYPE, adapter->type));
    manage_print("nicspeed%u=\"0\"\n", number);
    for (guint i = 0; adapter->network == VITRINE_NETWORK_NAT && forwards[i] != NULL; i++) {
        g_autofree char *escaped = manage_escape(forwards[i]);

        if (*forwards[i] != '\0')
            manage_print("Forwarding(%u)=\"%s\"\n", i, escaped);
    }
}

static void
print_for_people(const VitrineAdapter *adapter, guint number)
{
    g_autofree char *label = g_strdup_printf("NIC %u:", number);
    g_auto(GStrv) forwards = g_strsplit(adapter->nat_forwards, "\n", -1);
    const char *key, *name = network_name(adapter, &key);

    showvminfo_line(label,
                    "MAC: %s, Attachment: %s%s%s%s, Cable connected: %s, Trace: %s (file: %s), "
                    "Type: %s, Promisc Policy: %s",
                    adapter->mac, manage_phrase(VITRINE_TYPE_NETWORK, adapter->network),
                    name != NULL && adapter->network != VITRINE_NETWORK_NAT ? " '" : "",
                    name != NULL && adapter->network != VITRINE_NETWORK_NAT ? name : "",
                    name != NULL && adapter->network != VITRINE_NETWORK_NAT ? "'" : "",
                    adapter->cable_connected ? "on" : "off", adapter->trace ? "on" : "off",
                    *adapter->trace_file != '\0' ? adapter->trace_file : "none",
                    manage_phrase(VITRINE_TYPE_ADAPTER_TYPE, adapter->type),
                    manage_phrase(VITRINE_TYPE_PROMISCUOUS, adapter->promiscuous));
    for (guint i = 0; adapter->network == VITRINE_NETWORK_NAT && forwards[i] != NULL; i++) {
        g_auto(GStrv) words = g_strsplit(forwards[i], ",", 6);
        g_autofree char *rule = NULL;

        if (g_strv_length(words) != 6)
            continue;
        rule = g_strdup_printf("NIC %u Rule(%u):", number, i);
        showvminfo_line(rule,
                        "name = %s, protocol = %s, host ip = %s, host port = %s, guest ip = %s, "
                        "guest port = %s",
                        words[0], words[1], words[2], words[3], words[4], words[5]);
    }
}

void
showvminfo_network(VitrineSettings *settings, bool machine_readable)
{
    for (guint i = 0; i < VITRINE_ADAPTER_COUNT; i++) {
        const VitrineAdapter *adapter = vitrine_settings_get_adapter(settings, i);
        g_autofree char *label = g_strdup_printf("NIC %u:", i + 1);

        if (adapter->enabled && machine_readable)
            print_machine_readable(adapter, i + 1);
        else if (adapter->enabled)
            print_for_people(adapter, i + 1);
        else if (machine_readable)
            manage_print("nic%u=\"none\"\n", i + 1);
        else
            showvminfo_line(label, "disabled");
    }
}
