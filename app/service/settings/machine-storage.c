/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * <StorageControllers>: inside <Hardware>, in versions before 1.17 beside it; whichever is there is
 * used. */
#include <string.h>

#include "app/service/settings/xml.h"

static const char *const type_words[] = {"PIIX3",    "PIIX4",    "ICH6",        "AHCI",
                                         "LsiLogic", "BusLogic", "LsiLogicSas", "I82078",
                                         "USB",      "NVMe",     "VirtioSCSI"};
static const char *const kind_words[] = {"HardDisk", "DVD", "Floppy"};

static int
index_of(const char *const *words, guint count, const char *word)
{
    for (guint i = 0; word && i < count; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    return -1;
}

static xmlNodePtr
find_controllers(SettingsFile *file)
{
    xmlNodePtr node = xml_path(file->body, "Hardware/StorageControllers");
    return node ? node : xml_child(file->body, "StorageControllers");
}

static xmlNodePtr
make_controllers(SettingsFile *file)
{
    xmlNodePtr node = find_controllers(file);
    if (node)
        return node;
    return file->number >= 17 ? xml_make_path(file->body, "Hardware/StorageControllers")
                              : xml_add(file->body, "StorageControllers");
}

static gboolean
wrong(GError **error, const SettingsFile *file, const char *reason)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT, "The settings file \"%s\" has %s.",
                file->path, reason);
    return FALSE;
}

static VitrineController *
read_controller(SettingsFile *file, xmlNodePtr node, GError **error)
{
    g_autofree char *name = xml_get(node, "name");
    g_autofree char *word = xml_get(node, "type");
    int type = index_of(type_words, G_N_ELEMENTS(type_words), word);
    if (name == NULL || *name == '\0') {
        wrong(error, file, "a storage controller without a name");
        return NULL;
    }
    if (type < 0) {
        wrong(error, file, "a storage controller of a kind that does not exist");
        return NULL;
    }
    VitrineController *controller = vitrine_controller_new(name, type);
    controller->port_count = (guint)xml_get_int(node, "PortCount", controller->port_count);
    controller->instance = (guint)xml_get_int(node, "Instance", 0);
    controller->host_io_cache = xml_get_bool(node, "useHostIOCache", TRUE);
    controller->bootable = xml_get_bool(node, "Bootable", TRUE);
    return controller;
}

static VitrineAttachment *
read_attachment(SettingsFile *file, xmlNodePtr node, const char *controller, GError **error)
{
    g_autofree char *word = xml_get(node, "type");
    g_autofree char *medium = xml_get_uuid(xml_child(node, "Image"), "uuid");
    g_autofree char *drive = xml_get(xml_child(node, "HostDrive"), "src");
    int kind = index_of(kind_words, G_N_ELEMENTS(kind_words), word);
    if (kind < 0) {
        wrong(error, file, "a drive of a kind that does not exist");
        return NULL;
    }
    if (kind == VITRINE_MEDIUM_KIND_HARD_DISK && medium == NULL) {
        wrong(error, file, "a hard disk without an image");
        return NULL;
    }
    VitrineAttachment *a =
        vitrine_attachment_new(controller, (guint)xml_get_int(node, "port", 0),
                               (guint)xml_get_int(node, "device", 0), kind, medium);
    if (drive) {
        g_free(a->host_drive);
        a->host_drive = g_steal_pointer(&drive);
    }
    a->passthrough = xml_get_bool(node, "passthrough", FALSE);
    a->temp_eject = xml_get_bool(node, "tempeject", FALSE);
    a->non_rotational = xml_get_bool(node, "nonrotational", FALSE);
    a->discard = xml_get_bool(node, "discard", FALSE);
    a->hot_pluggable = xml_get_bool(node, "hotpluggable", FALSE);
    return a;
}

gboolean
machine_storage_read(SettingsFile *file, VitrineSettings *settings, GError **error)
{
    xmlNodePtr node = xml_child(find_controllers(file), "StorageController");
    for (; node; node = xml_next(node)) {
        g_autoptr(VitrineController) controller = read_controller(file, node, error);
        if (controller == NULL)
            return FALSE;
        vitrine_settings_put_controller(settings, controller);
        xmlNodePtr drive = xml_child(node, "AttachedDevice");
        for (; drive; drive = xml_next(drive)) {
            g_autoptr(VitrineAttachment) a = read_attachment(file, drive, controller->name, error);
            if (a == NULL)
                return FALSE;
            vitrine_settings_put_attachment(settings, a);
        }
    }
    return TRUE;
}

static xmlNodePtr
find_controller(SettingsFile *file, const char *name)
{
    xmlNodePtr node = xml_child(find_controllers(file), "StorageController");
    for (; node; node = xml_next(node)) {
        g_autofree char *own = xml_get(node, "name");
        if (g_strcmp0(own, name) == 0)
            return node;
    }
    return NULL;
}

static xmlNodePtr
find_attachment(xmlNodePtr controller, guint port, guint device)
{
    xmlNodePtr node = xml_child(controller, "AttachedDevice");
    while (node &&
           (xml_get_int(node, "port", 0) != port || xml_get_int(node, "device", 0) != device))
        node = xml_next(node);
    return node;
}

static const char *
word(gboolean value)
{
    return value ? "true" : "false";
}

static void
write_controller(xmlNodePtr node, const VitrineController *controller)
{
    static const char *const emulation[] = {"IDE0MasterEmulationPort", "IDE0SlaveEmulationPort",
                                            "IDE1MasterEmulationPort", "IDE1SlaveEmulationPort"};
    g_autofree char *ports = g_strdup_printf("%u", controller->port_count);
    g_autofree char *instance = g_strdup_printf("%u", controller->instance);
    xml_set(node, "name", controller->name);
    xml_set(node, "type", type_words[controller->type]);
    xml_set(node, "PortCount", ports);
    if (controller->instance)
        xml_set(node, "Instance", instance);
    xml_set(node, "useHostIOCache", word(controller->host_io_cache));
    xml_set(node, "Bootable", word(controller->bootable));
    for (guint i = 0; controller->type == VITRINE_CONTROLLER_AHCI && i < 4; i++) {
        char number[2] = {(char)('0' + i), '\0'};
        g_autofree char *old = xml_get(node, emulation[i]);
        if (old == NULL)
            xml_set(node, emulation[i], number);
    }
}

static void
set_flag(xmlNodePtr node, const char *attribute, gboolean value)
{
    if (xml_get_bool(node, attribute, FALSE) != value)
        xml_set(node, attribute, value ? "true" : NULL);
}

static void
write_medium(xmlNodePtr node, const VitrineAttachment *a)
{
    xmlNodePtr image = xml_child(node, "Image"), drive = xml_child(node, "HostDrive");
    if (*a->medium == '\0')
        xml_remove(image);
    else
        xml_set_uuid(image ? image : xml_add(node, "Image"), "uuid", a->medium);
    if (*a->host_drive == '\0')
        xml_remove(drive);
    else
        xml_set(drive ? drive : xml_add(node, "HostDrive"), "src", a->host_drive);
}

static void
write_attachment(SettingsFile *file, xmlNodePtr controller, const VitrineAttachment *a)
{
    xmlNodePtr node = find_attachment(controller, a->port, a->device);
    g_autofree char *port = g_strdup_printf("%u", a->port);
    g_autofree char *device = g_strdup_printf("%u", a->device);
    gboolean is_new = node == NULL;
    if (is_new)
        node = xml_add(controller, "AttachedDevice");
    set_flag(node, "nonrotational", a->non_rotational);
    set_flag(node, "discard", a->discard);
    if (is_new && a->kind == VITRINE_MEDIUM_KIND_DVD)
        xml_set(node, "passthrough", word(a->passthrough));
    else
        set_flag(node, "passthrough", a->passthrough);
    set_flag(node, "tempeject", a->temp_eject);
    xml_set(node, "type", kind_words[a->kind]);
    if (file->number >= 15 && is_new)
        xml_set(node, "hotpluggable", word(a->hot_pluggable));
    else
        set_flag(node, "hotpluggable", a->hot_pluggable);
    xml_set(node, "port", port);
    xml_set(node, "device", device);
    write_medium(node, a);
}

/* Takes away what the settings do not have any more. */
static void
remove_gone(SettingsFile *file, VitrineSettings *settings)
{
    xmlNodePtr next_controller = NULL, next_drive = NULL;
    xmlNodePtr node = xml_child(find_controllers(file), "StorageController");
    for (; node; node = next_controller) {
        g_autofree char *name = xml_get(node, "name");
        next_controller = xml_next(node);
        const VitrineController *kept = vitrine_settings_find_controller(settings, name);
        if (kept == NULL || strcmp(kept->name, name) != 0) {
            xml_remove(node);
            continue;
        }
        for (xmlNodePtr drive = xml_child(node, "AttachedDevice"); drive; drive = next_drive) {
            next_drive = xml_next(drive);
            if (!vitrine_settings_find_attachment(settings, name,
                                                  (guint)xml_get_int(drive, "port", 0),
                                                  (guint)xml_get_int(drive, "device", 0)))
                xml_remove(drive);
        }
    }
}

/* Whether the document says the same already. */
static gboolean
is_unchanged(SettingsFile *file, VitrineSettings *settings)
{
    g_autoptr(VitrineSettings) old = vitrine_settings_new();
    if (!machine_storage_read(file, old, NULL))
        return FALSE;
    g_autoptr(GVariant) before = g_variant_ref_sink(vitrine_settings_to_variant(old));
    g_autoptr(GVariant) now = g_variant_ref_sink(vitrine_settings_to_variant(settings));
    for (guint i = 0; i < 2; i++) {
        const char *key = i ? "attachments" : "controllers";
        g_autoptr(GVariant) a = g_variant_lookup_value(before, key, NULL);
        g_autoptr(GVariant) b = g_variant_lookup_value(now, key, NULL);
        if (!g_variant_equal(a, b))
            return FALSE;
    }
    return TRUE;
}

void
machine_storage_write(SettingsFile *file, VitrineSettings *settings)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    if (is_unchanged(file, settings))
        return;
    remove_gone(file, settings);
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        xmlNodePtr node = find_controller(file, controller->name);
        if (node == NULL)
            node = xml_add(make_controllers(file), "StorageController");
        write_controller(node, controller);
    }
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = g_ptr_array_index(attachments, i);
        xmlNodePtr node = find_controller(file, a->controller);
        if (node)
            write_attachment(file, node, a);
    }
}
