/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Words for network cards. Cards' names are those that their makers gave them. */
#include "app/widgets/widget-network.h"

#include <glib/gi18n.h>
#include <string.h>

const char *
widget_network_name(VitrineNetwork network)
{
    switch (network) {
    case VITRINE_NETWORK_NONE: return _("Not attached");
    case VITRINE_NETWORK_NAT: return _("NAT");
    case VITRINE_NETWORK_BRIDGED: return _("Bridged network");
    case VITRINE_NETWORK_INTERNAL: return _("Internal network");
    case VITRINE_NETWORK_HOST_ONLY: return _("Host-only network");
    case VITRINE_NETWORK_GENERIC: return _("Generic driver");
    case VITRINE_NETWORK_NAT_NETWORK: return _("NAT network");
    }
    return "";
}

const char *
widget_card_name(VitrineAdapterType type)
{
    switch (type) {
    case VITRINE_ADAPTER_AM79C970A: return "PCnet-PCI II";
    case VITRINE_ADAPTER_AM79C973: return "PCnet-FAST III";
    case VITRINE_ADAPTER_AM79C960: return "PCnet-ISA";
    case VITRINE_ADAPTER_I82540EM: return "Intel PRO/1000 MT Desktop";
    case VITRINE_ADAPTER_I82543GC: return "Intel PRO/1000 T Server";
    case VITRINE_ADAPTER_I82545EM: return "Intel PRO/1000 MT Server";
    case VITRINE_ADAPTER_VIRTIO: return "virtio-net";
    case VITRINE_ADAPTER_NE1000: return "Novell NE1000";
    case VITRINE_ADAPTER_NE2000: return "Novell NE2000";
    case VITRINE_ADAPTER_WD8003: return "WD EtherCard PLUS";
    case VITRINE_ADAPTER_WD8013: return "WD EtherCard PLUS 16";
    case VITRINE_ADAPTER_ELNK2: return "3Com EtherLink II";
    case VITRINE_ADAPTER_ELNK1: return "3Com EtherLink";
    }
    return "";
}

char **
widget_network_field(VitrineAdapter *adapter)
{
    switch (adapter->network) {
    case VITRINE_NETWORK_BRIDGED: return &adapter->bridged_interface;
    case VITRINE_NETWORK_INTERNAL: return &adapter->internal_network;
    case VITRINE_NETWORK_HOST_ONLY: return &adapter->host_only_interface;
    case VITRINE_NETWORK_GENERIC: return &adapter->generic_driver;
    case VITRINE_NETWORK_NAT_NETWORK: return &adapter->nat_network;
    default: return NULL;
    }
}

char *
widget_attachment_text(const VitrineAdapter *adapter)
{
    g_autoptr(VitrineAdapter) copy = vitrine_adapter_copy(adapter);
    char **name = widget_network_field(copy);

    if (name == NULL || **name == '\0')
        return g_strdup(widget_network_name(adapter->network));
    return g_strdup_printf("%s “%s”", widget_network_name(adapter->network), *name);
}

char *
widget_adapter_text(const VitrineAdapter *adapter)
{
    g_autofree char *network = widget_attachment_text(adapter);

    return g_strdup_printf("%s, %s", network, widget_card_name(adapter->type));
}

char *
widget_mac_text(const char *mac)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; mac[i] != '\0'; i++)
        g_string_append_printf(text, "%s%c", i != 0 && i % 2 == 0 ? ":" : "", mac[i]);
    return g_string_free(text, FALSE);
}
