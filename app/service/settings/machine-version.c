/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which version of the format can say a machine's settings, and what must be said when a file gets
 * a newer version. Only what this program itself may bring in is judged: what was in a file before
 * could be said in that file's version. */
#include "app/service/settings/xml.h"

static int
controllers_version(VitrineSettings *settings)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    int version = SETTINGS_FIRST;
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        switch (controller->type) {
        case VITRINE_CONTROLLER_USB: version = MAX(version, 15); break;
        case VITRINE_CONTROLLER_NVME: version = MAX(version, 16); break;
        case VITRINE_CONTROLLER_VIRTIO_SCSI: version = MAX(version, 18); break;
        default: break;
        }
    }
    return version;
}

static int
adapters_version(VitrineSettings *settings)
{
    int version = SETTINGS_FIRST;
    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        const VitrineAdapter *adapter = vitrine_settings_get_adapter(settings, slot);
        if (!adapter->enabled)
            continue;
        if (adapter->network == VITRINE_NETWORK_NAT_NETWORK)
            version = MAX(version, 14);
        if (!adapter->nat_localhost)
            version = MAX(version, 19);
    }
    return version;
}

static int
uarts_version(VitrineSettings *settings)
{
    int version = SETTINGS_FIRST;
    for (guint slot = 0; slot < VITRINE_UART_COUNT; slot++) {
        const VitrineUart *uart = vitrine_settings_get_uart(settings, slot);
        if (uart->enabled && uart->type != VITRINE_UART_TYPE_16550A)
            version = MAX(version, 17);
        else if (uart->enabled && uart->mode == VITRINE_UART_MODE_TCP)
            version = MAX(version, 15);
    }
    return version;
}

int
machine_version_needed(VitrineSettings *settings)
{
    const char *profile = vitrine_settings_get_string(settings, "cpu-profile");
    int version = MAX(controllers_version(settings), uarts_version(settings));
    version = MAX(version, adapters_version(settings));
    const char *const *groups = vitrine_settings_get_groups(settings);
    if (!g_str_equal(groups[0], "/") || groups[1])
        version = MAX(version, 13);
    if (vitrine_settings_get_enum(settings, "graphics") != VITRINE_GRAPHICS_VBOXVGA ||
        !vitrine_settings_get_bool(settings, "long-mode") ||
        *vitrine_settings_get_string(settings, "frontend"))
        version = MAX(version, 14);
    if (vitrine_settings_get_enum(settings, "paravirt") != VITRINE_PARAVIRT_LEGACY ||
        vitrine_settings_get_bool(settings, "usb-xhci"))
        version = MAX(version, 15);
    if (vitrine_settings_get_bool(settings, "x2apic") ||
        !vitrine_settings_get_bool(settings, "apic") ||
        (!g_str_equal(profile, "host") && !g_str_has_prefix(profile, "x86-64-")))
        version = MAX(version, 16);
    return version;
}

static void
set_if_absent(xmlNodePtr node, const char *attribute, const char *value)
{
    g_autofree char *old = xml_get(node, attribute);
    if (old == NULL)
        xml_set(node, attribute, value);
}

/* From 1.16 on, silence means the opposite in these places. */
static void
flip_defaults(xmlNodePtr hardware)
{
    set_if_absent(xml_make_path(hardware, "RemoteDisplay"), "enabled", "true");
    set_if_absent(xml_make_path(hardware, "Paravirt"), "provider", "Legacy");
    for (xmlNodePtr nic = xml_path(hardware, "Network/Adapter"); nic; nic = xml_next(nic)) {
        set_if_absent(nic, "cable", "false");
        set_if_absent(nic, "type", "Am79C970A");
    }
    xmlNodePtr audio = xml_child(hardware, "AudioAdapter");
    if (audio) {
        set_if_absent(audio, "enabledIn", "true");
        set_if_absent(audio, "enabledOut", "true");
    }
}

/* From 1.19 on, silence means that NAT does not lead to the host's own addresses. */
static void
keep_localhost(xmlNodePtr hardware)
{
    for (xmlNodePtr nic = xml_path(hardware, "Network/Adapter"); nic; nic = xml_next(nic)) {
        xmlNodePtr nat = xml_child(nic, "NAT");
        if (nat == NULL)
            nat = xml_path(nic, "DisabledModes/NAT");
        if (nat)
            set_if_absent(nat, "localhost-reachable", "true");
    }
}

/* From 1.17 on, controllers are a part of the hardware. */
static void
move_controllers(xmlNodePtr holder)
{
    xmlNodePtr controllers = xml_child(holder, "StorageControllers");
    xmlNodePtr hardware = xml_child(holder, "Hardware");
    if (controllers == NULL || hardware == NULL || xml_child(hardware, "StorageControllers"))
        return;
    xmlUnlinkNode(controllers);
    xmlAddChild(hardware, controllers);
}

static void
upgrade_holder(xmlNodePtr holder, int from, int to)
{
    xmlNodePtr hardware = xml_child(holder, "Hardware");
    if (from < 14 && to >= 14)
        machine_usb_upgrade(holder);
    if (hardware && from < 16 && to >= 16)
        flip_defaults(hardware);
    if (hardware && from < 19 && to >= 19)
        keep_localhost(hardware);
    if (from < 17 && to >= 17)
        move_controllers(holder);
    xmlNodePtr snapshot = xml_child(holder, "Snapshot");
    if (snapshot == NULL)
        snapshot = xml_path(holder, "Snapshots/Snapshot");
    for (; snapshot; snapshot = xml_next(snapshot))
        upgrade_holder(snapshot, from, to);
}

void
settings_file_upgrade(SettingsFile *file, int from, int to)
{
    if (file->kind == SETTINGS_MACHINE)
        upgrade_holder(file->body, from, to);
}
