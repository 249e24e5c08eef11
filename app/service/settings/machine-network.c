/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network cards: <Network><Adapter>. What a card is attached to is a child of it; the settings of
 * what it was attached to before are kept in <DisabledModes>. A card is written only when it is not
 * what the file says, so that what we do not know stays. */
#include <string.h>

#include "app/service/settings/xml.h"

/* clang-format off */
static const char *const type_words[] = {"Am79C970A", "Am79C973", "Am79C960", "82540EM", "82543GC", "82545EM", "virtio",
                                         "NE1000", "NE2000", "WD8003", "WD8013", "3C503", "3C501"};
static const char *const promiscuous_words[] = {"Deny", "AllowNetwork", "AllowAll"};
static const char *const mode_words[] = {NULL, "NAT", "BridgedInterface", "InternalNetwork", "HostOnlyInterface",
                                         "GenericInterface", "NATNetwork"};
/* clang-format on */

static int
index_of(const char *const *words, guint count, const char *word, int fallback)
{
    for (guint i = 0; word != NULL && i < count; i++) {
        if (words[i] != NULL && g_ascii_strcasecmp(words[i], word) == 0)
            return (int)i;
    }
    return fallback;
}

static xmlNodePtr
find_adapter(SettingsFile *file, guint slot)
{
    xmlNodePtr node = xml_path(file->body, "Hardware/Network/Adapter");

    while (node != NULL && xml_get_int(node, "slot", -1) != slot)
        node = xml_next(node);
    return node;
}

/* The settings of a kind of network, in use or not. */
static xmlNodePtr
find_mode(xmlNodePtr adapter, int mode)
{
    xmlNodePtr node = xml_child(adapter, mode_words[mode]);

    return node != NULL ? node : xml_child(xml_child(adapter, "DisabledModes"), mode_words[mode]);
}

static void
take_text(char **field, xmlNodePtr node, const char *attribute)
{
    g_autofree char *text = xml_get(node, attribute);

    if (text != NULL)
        vitrine_adapter_set_text(field, text);
}

/* --- reading --- */

static void
read_forwards(VitrineAdapter *adapter, xmlNodePtr nat)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (xmlNodePtr node = xml_child(nat, "Forwarding"); node != NULL; node = xml_next(node)) {
        static const char *const keys[] = {"hostip", "hostport", "guestip", "guestport"};
        g_autofree char *name = xml_get(node, "name");

        g_string_append_printf(text, "%s%s,%s", text->len != 0 ? "\n" : "",
                               name != NULL ? name : "",
                               xml_get_int(node, "proto", 1) == 0 ? "udp" : "tcp");
        for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
            g_autofree char *value = xml_get(node, keys[i]);

            g_string_append_printf(text, ",%s", value != NULL ? value : "");
        }
    }
    vitrine_adapter_set_text(&adapter->nat_forwards, text->str);
}

static void
read_nat(SettingsFile *file, VitrineAdapter *adapter, xmlNodePtr nat)
{
    xmlNodePtr dns = xml_child(nat, "DNS"), tftp = xml_child(nat, "TFTP");

    take_text(&adapter->nat_range, nat, "network");
    take_text(&adapter->nat_host_ip, nat, "hostip");
    adapter->nat_localhost = xml_get_bool(nat, "localhost-reachable", file->number < 19);
    adapter->nat_pass_domain = xml_get_bool(dns, "pass-domain", TRUE);
    adapter->nat_dns_proxy = xml_get_bool(dns, "use-proxy", FALSE);
    adapter->nat_host_resolver = xml_get_bool(dns, "use-host-resolver", FALSE);
    take_text(&adapter->nat_tftp_prefix, tftp, "prefix");
    take_text(&adapter->nat_tftp_file, tftp, "boot-file");
    take_text(&adapter->nat_tftp_server, tftp, "next-server");
    read_forwards(adapter, nat);
}

static void
read_generic(VitrineAdapter *adapter, xmlNodePtr generic)
{
    g_autoptr(GString) text = g_string_new(NULL);

    take_text(&adapter->generic_driver, generic, "driver");
    for (xmlNodePtr node = xml_child(generic, "Property"); node != NULL; node = xml_next(node)) {
        g_autofree char *name = xml_get(node, "name"), *value = xml_get(node, "value");

        g_string_append_printf(text, "%s%s=%s", text->len != 0 ? "\n" : "",
                               name != NULL ? name : "", value != NULL ? value : "");
    }
    vitrine_adapter_set_text(&adapter->generic_properties, text->str);
}

static void
read_modes(SettingsFile *file, VitrineAdapter *adapter, xmlNodePtr node)
{
    for (int mode = VITRINE_NETWORK_NAT; mode <= VITRINE_NETWORK_NAT_NETWORK; mode++) {
        if (xml_child(node, mode_words[mode]) != NULL)
            adapter->network = (VitrineNetwork)mode;
    }
    take_text(&adapter->bridged_interface, find_mode(node, VITRINE_NETWORK_BRIDGED), "name");
    take_text(&adapter->internal_network, find_mode(node, VITRINE_NETWORK_INTERNAL), "name");
    take_text(&adapter->host_only_interface, find_mode(node, VITRINE_NETWORK_HOST_ONLY), "name");
    take_text(&adapter->nat_network, find_mode(node, VITRINE_NETWORK_NAT_NETWORK), "name");
    if (find_mode(node, VITRINE_NETWORK_NAT) != NULL)
        read_nat(file, adapter, find_mode(node, VITRINE_NETWORK_NAT));
    if (find_mode(node, VITRINE_NETWORK_GENERIC) != NULL)
        read_generic(adapter, find_mode(node, VITRINE_NETWORK_GENERIC));
}

static VitrineAdapter *
read_adapter(SettingsFile *file, guint slot)
{
    const gboolean new = file->number >= 16;
    xmlNodePtr node = find_adapter(file, slot);
    VitrineAdapter *adapter = vitrine_adapter_new();
    g_autofree char *type = xml_get(node, "type");
    g_autofree char *policy = xml_get(node, "promiscuousModePolicy");

    if (node == NULL)
        return adapter;
    adapter->enabled = xml_get_bool(node, "enabled", FALSE);
    adapter->cable_connected = xml_get_bool(node, "cable", new);
    adapter->trace = xml_get_bool(node, "trace", FALSE);
    adapter->type = index_of(type_words, G_N_ELEMENTS(type_words), type,
                             new ? VITRINE_ADAPTER_AM79C973 : VITRINE_ADAPTER_AM79C970A);
    adapter->promiscuous = index_of(promiscuous_words, G_N_ELEMENTS(promiscuous_words), policy,
                                    VITRINE_PROMISCUOUS_DENY);
    take_text(&adapter->mac, node, "MACAddress");
    take_text(&adapter->trace_file, node, "tracefile");
    read_modes(file, adapter, node);
    return adapter;
}

void
machine_network_read(SettingsFile *file, VitrineSettings *settings)
{
    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        g_autoptr(VitrineAdapter) adapter = read_adapter(file, slot);

        vitrine_settings_set_adapter(settings, slot, adapter);
    }
}

/* --- writing --- */

static const char *
or_null(const char *text)
{
    return *text != '\0' ? text : NULL;
}

static const char *
word_of(gboolean value)
{
    return value ? "true" : "false";
}

/* The node of a kind of network at its place; NULL where it is not used and says nothing. */
static xmlNodePtr
place_mode(xmlNodePtr adapter, int mode, gboolean active, gboolean says)
{
    xmlNodePtr node = find_mode(adapter, mode);
    xmlNodePtr parent = adapter;

    if (!active && !says) {
        if (node != NULL && node->parent == adapter)
            xml_remove(node);
        return NULL;
    }
    if (!active)
        parent = xml_make_path(adapter, "DisabledModes");
    if (node == NULL)
        return xml_add(parent, mode_words[mode]);
    if (node->parent != parent) {
        xmlUnlinkNode(node);
        xmlAddChild(parent, node);
    }
    return node;
}

static void
write_name(xmlNodePtr adapter, int mode, const VitrineAdapter *now, const char *name)
{
    xmlNodePtr node = place_mode(adapter, mode, (int)now->network == mode, *name != '\0');

    if (node != NULL)
        xml_set(node, "name", name);
}

static void
write_forwards(xmlNodePtr nat, const char *text)
{
    static const char *const keys[] = {"hostip", "hostport", "guestip", "guestport"};
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    xmlNodePtr old;

    while ((old = xml_child(nat, "Forwarding")) != NULL)
        xml_remove(old);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, ",", 6);
        xmlNodePtr node;

        if (g_strv_length(words) != 6)
            continue;
        node = xml_add(nat, "Forwarding");
        xml_set(node, "name", or_null(words[0]));
        xml_set(node, "proto", g_ascii_strcasecmp(words[1], "udp") == 0 ? "0" : "1");
        for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
            xml_set(node, keys[i], or_null(words[2 + i]));
    }
}

static gboolean
nat_says(const VitrineAdapter *now)
{
    return *now->nat_range != '\0' || *now->nat_host_ip != '\0' || *now->nat_forwards != '\0' ||
           *now->nat_tftp_prefix != '\0' || *now->nat_tftp_file != '\0' ||
           *now->nat_tftp_server != '\0' || !now->nat_localhost || !now->nat_pass_domain ||
           now->nat_dns_proxy || now->nat_host_resolver;
}

static void
write_nat(SettingsFile *file, xmlNodePtr adapter, const VitrineAdapter *now)
{
    xmlNodePtr nat = place_mode(adapter, VITRINE_NETWORK_NAT, now->network == VITRINE_NETWORK_NAT,
                                nat_says(now));

    if (nat == NULL)
        return;
    xml_set(nat, "network", or_null(now->nat_range));
    xml_set(nat, "hostip", or_null(now->nat_host_ip));
    if (file->number >= 19 || !now->nat_localhost)
        xml_set(nat, "localhost-reachable", word_of(now->nat_localhost));
    if (!now->nat_pass_domain || now->nat_dns_proxy || now->nat_host_resolver ||
        xml_child(nat, "DNS") != NULL) {
        xmlNodePtr dns = xml_make_path(nat, "DNS");

        xml_set(dns, "pass-domain", now->nat_pass_domain ? NULL : "false");
        xml_set(dns, "use-proxy", now->nat_dns_proxy ? "true" : NULL);
        xml_set(dns, "use-host-resolver", now->nat_host_resolver ? "true" : NULL);
        xml_prune(dns, nat);
    }
    if (*now->nat_tftp_prefix != '\0' || *now->nat_tftp_file != '\0' ||
        *now->nat_tftp_server != '\0' || xml_child(nat, "TFTP") != NULL) {
        xmlNodePtr tftp = xml_make_path(nat, "TFTP");

        xml_set(tftp, "prefix", or_null(now->nat_tftp_prefix));
        xml_set(tftp, "boot-file", or_null(now->nat_tftp_file));
        xml_set(tftp, "next-server", or_null(now->nat_tftp_server));
        xml_prune(tftp, nat);
    }
    write_forwards(nat, now->nat_forwards);
}

static void
write_generic(xmlNodePtr adapter, const VitrineAdapter *now)
{
    xmlNodePtr generic =
        place_mode(adapter, VITRINE_NETWORK_GENERIC, now->network == VITRINE_NETWORK_GENERIC,
                   *now->generic_driver != '\0');
    g_auto(GStrv) lines = g_strsplit(now->generic_properties, "\n", -1);
    xmlNodePtr old;

    if (generic == NULL)
        return;
    xml_set(generic, "driver", now->generic_driver);
    while ((old = xml_child(generic, "Property")) != NULL)
        xml_remove(old);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, "=", 2);
        xmlNodePtr node;

        if (g_strv_length(words) != 2)
            continue;
        node = xml_add(generic, "Property");
        xml_set(node, "name", words[0]);
        xml_set(node, "value", words[1]);
    }
}

static void
write_adapter(SettingsFile *file, guint slot, const VitrineAdapter *now)
{
    const gboolean new = file->number >= 16;
    const VitrineAdapterType usual = new ? VITRINE_ADAPTER_AM79C973 : VITRINE_ADAPTER_AM79C970A;
    g_autofree char *number = g_strdup_printf("%u", slot);
    xmlNodePtr node = find_adapter(file, slot);

    if (node == NULL)
        node = xml_add(xml_make_path(file->body, "Hardware/Network"), "Adapter");
    xml_set(node, "slot", number);
    xml_set(node, "enabled", word_of(now->enabled));
    xml_set(node, "MACAddress", or_null(now->mac));
    xml_set(node, "cable", now->cable_connected == new ? NULL : word_of(now->cable_connected));
    xml_set(node, "trace", now->trace ? "true" : NULL);
    xml_set(node, "tracefile", or_null(now->trace_file));
    xml_set(node, "promiscuousModePolicy",
            now->promiscuous == VITRINE_PROMISCUOUS_DENY ? NULL
                                                         : promiscuous_words[now->promiscuous]);
    xml_set(node, "type", now->type == usual ? NULL : type_words[now->type]);
    write_name(node, VITRINE_NETWORK_BRIDGED, now, now->bridged_interface);
    write_name(node, VITRINE_NETWORK_INTERNAL, now, now->internal_network);
    write_name(node, VITRINE_NETWORK_HOST_ONLY, now, now->host_only_interface);
    write_name(node, VITRINE_NETWORK_NAT_NETWORK, now, now->nat_network);
    write_generic(node, now);
    write_nat(file, node, now);
}

void
machine_network_write(SettingsFile *file, VitrineSettings *settings)
{
    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        g_autoptr(VitrineAdapter) now =
            vitrine_adapter_copy(vitrine_settings_get_adapter(settings, slot));
        g_autoptr(VitrineAdapter) old = read_adapter(file, slot);

        /* A card that comes gets an address. */
        if (*now->mac == '\0' && now->enabled) {
            g_free(now->mac);
            now->mac = vitrine_adapter_new_mac();
            vitrine_settings_set_adapter(settings, slot, now);
        }
        if (!vitrine_adapter_equal(now, old))
            write_adapter(file, slot, now);
    }
}
