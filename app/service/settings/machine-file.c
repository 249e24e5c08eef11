/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * <Machine>: the scalar settings by table, the rest by hand. Only what differs from the document is
 * touched, so a file that is saved without a change of a setting keeps its spelling of it. */
#include "app/service/settings/machine-file.h"

#include "app/service/settings/xml.h"

/* clang-format off */
static const char *const audio_controller_words[] = {"AC97", "SB16", "HDA", NULL};
static const char *const audio_codec_words[] = {"", "STAC9700", "AD1980", "SB16", "STAC9221", NULL};
static const char *const audio_driver_words[] = {
    "Null", "OSS", "ALSA", "Pulse", "CoreAudio", "DirectSound", "WAS", "WinMM", "SolAudio", "MMPM",
    NULL};
static const char *const firmware_words[] = {"BIOS", "EFI", "EFI32", "EFI64", "EFIDUAL", NULL};
static const char *const pointing_words[] = {"None", "PS2Mouse", "USBMouse", "USBTablet",
    "ComboMouse", "USBMultiTouch", "USBMTScreenPlusPad", NULL};
static const char *const keyboard_words[] = {"None", "PS2Keyboard", "USBKeyboard",
    "ComboKeyboard", NULL};
static const char *const chipset_words[] = {"PIIX3", "ICH9", NULL};
static const char *const paravirt_words[] = {"None", "Default", "Legacy", "Minimal", "HyperV",
    "KVM", NULL};
static const char *const graphics_words[] = {"None", "VBoxVGA", "VMSVGA", "VBoxSVGA", NULL};
static const char *const boot_menu_words[] = {"Disabled", "MenuOnly", "MessageAndMenu", NULL};
static const char *const rtc_words[] = {"local", "UTC", NULL};
static const char *const boot_words[] = {"None", "Floppy", "DVD", "HardDisk", "Network", NULL};

typedef struct {
    const char *property, *path, *attribute;
    const char *const *words;
} Field;

static const Field fields[] = {
#define FIELD(property, path, attribute, words) {property, path, attribute, words},
#include "app/service/settings/settings-fields.def"
#undef FIELD
};
/* clang-format on */

#define ENGINE_KEY "Vitrine/ExecEngine"
#define REMOTES_KEY "Vitrine/UsbRemotes"
#define PROFILE_KEY "Vitrine/CpuProfile" /* what the original does not have; else the attribute */
#define PROFILE_PREFIX "x86-64-"
#define FLIP_VERSION 16 /* some defaults are others from here on */

MachineRecord *
machine_record_new(void)
{
    MachineRecord *record = g_new0(MachineRecord, 1);
    record->id = g_strdup("");
    record->settings = vitrine_settings_new();
    record->state_file = g_strdup("");
    record->current_snapshot = g_strdup("");
    record->current_state_modified = TRUE;
    return record;
}

void
machine_record_free(MachineRecord *record)
{
    if (record == NULL)
        return;
    g_free(record->id);
    g_object_unref(record->settings);
    g_free(record->state_file);
    g_free(record->current_snapshot);
    g_free(record);
}

static GParamSpec *
spec_of(VitrineSettings *settings, const Field *field)
{
    return g_object_class_find_property(G_OBJECT_GET_CLASS(settings), field->property);
}

/* What a file of this version means when it says nothing. */
static void
field_default(const SettingsFile *file, VitrineSettings *settings, const Field *field,
              GValue *value)
{
    g_value_init(value, spec_of(settings, field)->value_type);
    g_param_value_set_default(spec_of(settings, field), value);
    if (field->words == paravirt_words && file->number < FLIP_VERSION)
        g_value_set_enum(value, VITRINE_PARAVIRT_LEGACY);
}

static int
word_index(const char *const *words, const char *word)
{
    for (int i = 0; word && words[i]; i++) {
        if (g_ascii_strcasecmp(words[i], word) == 0)
            return i;
    }
    return -1;
}

static void
field_read(const SettingsFile *file, VitrineSettings *settings, const Field *field, GValue *value)
{
    xmlNodePtr node = xml_path(file->body, field->path);
    g_autofree char *text = xml_get(node, field->attribute);
    field_default(file, settings, field, value);
    if (text == NULL)
        return;
    if (field->words) {
        int index = word_index(field->words, text);
        if (index >= 0 && G_VALUE_HOLDS_BOOLEAN(value))
            g_value_set_boolean(value, index);
        else if (index >= 0)
            g_value_set_enum(value, index);
    } else if (G_VALUE_HOLDS_BOOLEAN(value)) {
        g_value_set_boolean(value,
                            xml_get_bool(node, field->attribute, g_value_get_boolean(value)));
    } else if (G_VALUE_HOLDS_UINT(value)) {
        gint64 number = xml_get_int(node, field->attribute, g_value_get_uint(value));
        g_value_set_uint(value, (guint)CLAMP(number, 0, G_MAXUINT));
    } else if (G_VALUE_HOLDS_INT64(value)) {
        g_value_set_int64(value, xml_get_int(node, field->attribute, 0));
    } else {
        g_value_set_string(value, text);
    }
}

static char *
field_text(const Field *field, const GValue *value)
{
    if (field->words)
        return g_strdup(field->words[G_VALUE_HOLDS_BOOLEAN(value) ? g_value_get_boolean(value)
                                                                  : g_value_get_enum(value)]);
    if (G_VALUE_HOLDS_BOOLEAN(value))
        return g_strdup(g_value_get_boolean(value) ? "true" : "false");
    if (G_VALUE_HOLDS_UINT(value))
        return g_strdup_printf("%u", g_value_get_uint(value));
    if (G_VALUE_HOLDS_INT64(value))
        return g_strdup_printf("%" G_GINT64_FORMAT, g_value_get_int64(value));
    return g_value_dup_string(value);
}

/* A file that does not say how much memory the machine has is taken for a damaged one. */
static gboolean
is_required(const Field *field)
{
    return g_str_equal(field->property, "memory");
}

static gboolean
is_said(const SettingsFile *file, const Field *field)
{
    g_autofree char *text = xml_get(xml_path(file->body, field->path), field->attribute);
    return text != NULL;
}

static void
field_write(SettingsFile *file, VitrineSettings *settings, const Field *field)
{
    g_auto(GValue) now = G_VALUE_INIT, old = G_VALUE_INIT, standard = G_VALUE_INIT;
    GParamSpec *spec = spec_of(settings, field);
    field_read(file, settings, field, &old);
    field_default(file, settings, field, &standard);
    g_value_init(&now, spec->value_type);
    g_object_get_property(G_OBJECT(settings), field->property, &now);
    if (g_param_values_cmp(spec, &now, &old) == 0 && (!is_required(field) || is_said(file, field)))
        return;
    if (g_param_values_cmp(spec, &now, &standard) == 0 && !is_required(field)) {
        xmlNodePtr node = xml_path(file->body, field->path);
        if (node) {
            xml_set(node, field->attribute, NULL);
            xml_prune(node, file->body);
        }
        return;
    }
    g_autofree char *text = field_text(field, &now);
    xml_set(xml_make_path(file->body, field->path), field->attribute, text);
}

static xmlNodePtr
find_boot(SettingsFile *file, guint position)
{
    xmlNodePtr order = xml_path(file->body, "Hardware/Boot/Order");
    while (order && xml_get_int(order, "position", 0) != position)
        order = xml_next(order);
    return order;
}

static int
read_boot(SettingsFile *file, guint position)
{
    static const int standard[] = {VITRINE_BOOT_DEVICE_FLOPPY, VITRINE_BOOT_DEVICE_DVD,
                                   VITRINE_BOOT_DEVICE_HARD_DISK, VITRINE_BOOT_DEVICE_NONE};
    g_autofree char *word = xml_get(find_boot(file, position), "device");
    int index = word_index(boot_words, word);
    return index >= 0 ? index : standard[position - 1];
}

static void
write_boot(SettingsFile *file, VitrineSettings *settings)
{
    for (guint position = 1; position <= 4; position++) {
        g_autofree char *property = g_strdup_printf("boot%u", position);
        g_autofree char *number = g_strdup_printf("%u", position);
        int device = vitrine_settings_get_enum(settings, property);
        if (device == read_boot(file, position))
            continue;
        xmlNodePtr order = find_boot(file, position);
        if (order == NULL)
            order = xml_add(xml_make_path(file->body, "Hardware/Boot"), "Order");
        xml_set(order, "position", number);
        xml_set(order, "device", boot_words[device]);
    }
}

static void
read_groups(SettingsFile *file, VitrineSettings *settings)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);
    for (xmlNodePtr node = xml_path(file->body, "Groups/Group"); node; node = xml_next(node)) {
        char *name = xml_get(node, "name");
        if (name && *name == '/')
            g_ptr_array_add(groups, name);
        else
            g_free(name);
    }
    g_ptr_array_add(groups, NULL);
    vitrine_settings_set_groups(settings, (const char *const *)groups->pdata);
}

static void
write_groups(SettingsFile *file, VitrineSettings *settings)
{
    g_autoptr(VitrineSettings) old = vitrine_settings_new();
    const char *const *groups = vitrine_settings_get_groups(settings);
    read_groups(file, old);
    if (g_strv_equal(groups, vitrine_settings_get_groups(old)))
        return;
    xml_remove(xml_child(file->body, "Groups"));
    if (g_str_equal(groups[0], "/") && groups[1] == NULL)
        return;
    xmlNodePtr parent = xml_add(file->body, "Groups");
    for (guint i = 0; groups[i]; i++)
        xml_set(xml_add(parent, "Group"), "name", groups[i]);
}

static gboolean
has_snapshot(xmlNodePtr snapshot, const char *id)
{
    for (; snapshot; snapshot = xml_next(snapshot)) {
        g_autofree char *own = xml_get_uuid(snapshot, "uuid");
        if (g_strcmp0(own, id) == 0 || has_snapshot(xml_path(snapshot, "Snapshots/Snapshot"), id))
            return TRUE;
    }
    return FALSE;
}

static gboolean
wrong(GError **error, const SettingsFile *file, const char *reason)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT, "The settings file \"%s\" %s.",
                file->path, reason);
    return FALSE;
}

static gboolean
check_required(SettingsFile *file, MachineRecord *record, GError **error)
{
    g_autofree char *name = xml_get(file->body, "name");
    g_autofree char *memory = xml_get(xml_path(file->body, "Hardware/Memory"), "RAMSize");
    xmlNodePtr snapshot = xml_child(file->body, "Snapshot");
    if (*record->id == '\0')
        return wrong(error, file, "does not say which machine it is (uuid)");
    if (name == NULL || *name == '\0')
        return wrong(error, file, "does not say the machine's name");
    if (memory == NULL || xml_get_int(xml_path(file->body, "Hardware/Memory"), "RAMSize", -1) <= 0)
        return wrong(error, file, "does not say how much memory the machine has");
    if (snapshot && !has_snapshot(snapshot, record->current_snapshot))
        return wrong(error, file, "has snapshots, but the current one is not among them");
    return TRUE;
}

static void
take(char **place, char *text)
{
    g_free(*place);
    *place = text ? text : g_strdup("");
}

static void
read_identity(SettingsFile *file, MachineRecord *record)
{
    g_autofree char *time = xml_get(file->body, "lastStateChange");
    g_autofree char *aborted = xml_get(file->body, "aborted");
    g_autoptr(GDateTime) date = time ? g_date_time_new_from_iso8601(time, NULL) : NULL;
    char *state_file = xml_get(file->body, "stateFile");
    take(&record->id, xml_get_uuid(file->body, "uuid"));
    take(&record->current_snapshot, xml_get_uuid(file->body, "currentSnapshot"));
    take(&record->state_file, state_file ? settings_file_absolute(file, state_file) : NULL);
    g_free(state_file);
    record->last_state_change = date ? g_date_time_to_unix(date) : 0;
    record->aborted = aborted != NULL;
    record->current_state_modified = xml_get_bool(file->body, "currentStateModified", TRUE);
}

gboolean
machine_file_read_hardware(SettingsFile *file, VitrineSettings *settings, GError **error)
{
    g_autofree char *hardware = xml_get_uuid(xml_child(file->body, "Hardware"), "uuid");
    vitrine_settings_set_string(settings, "hardware-uuid", hardware);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_auto(GValue) value = G_VALUE_INIT;
        field_read(file, settings, &fields[i], &value);
        g_object_set_property(G_OBJECT(settings), fields[i].property, &value);
    }
    for (guint position = 1; position <= 4; position++) {
        g_autofree char *property = g_strdup_printf("boot%u", position);
        vitrine_settings_set_enum(settings, property, read_boot(file, position));
    }
    machine_ports_read(file, settings);
    machine_network_read(file, settings);
    machine_usb_read(file, settings);
    return machine_storage_read(file, settings, error);
}

MachineRecord *
machine_file_read(SettingsFile *file, GError **error)
{
    g_autoptr(MachineRecord) record = machine_record_new();
    g_autoptr(GHashTable) extra = settings_file_read_extra_data(file);
    VitrineSettings *settings = record->settings;
    const char *engine = g_hash_table_lookup(extra, ENGINE_KEY);
    const char *remotes = g_hash_table_lookup(extra, REMOTES_KEY);
    const char *profile = g_hash_table_lookup(extra, PROFILE_KEY);
    g_autofree char *description = xml_get_text(file->body, "Description");
    read_identity(file, record);
    if (!check_required(file, record, error))
        return NULL;
    if (!machine_file_read_hardware(file, settings, error))
        return NULL;
    vitrine_settings_set_string(settings, "description", description);
    vitrine_settings_set_string(settings, "exec-engine", engine ? engine : "auto");
    vitrine_settings_set_string(settings, "usb-remotes", remotes ? remotes : "");
    if (profile)
        vitrine_settings_set_string(settings, "cpu-profile", profile);
    read_groups(file, settings);
    return g_steal_pointer(&record);
}

/* What is always written, or would mean something else in an older version. */
static void
write_template(SettingsFile *file)
{
    xmlNodePtr body = file->body;
    xml_set(xml_make_path(body, "Hardware/CPU/PAE"), "enabled", "true");
    xml_set(xml_make_path(body, "Hardware/CPU/HardwareVirtExLargePages"), "enabled", "false");
    xml_set(xml_make_path(body, "Hardware/RemoteDisplay"), "enabled", "false");
    xmlNodePtr audio = xml_make_path(body, "Hardware/AudioAdapter");
    xml_set(audio, "driver", "Null");
    xml_set(audio, "enabled", "false");
    xml_make_path(body, "Hardware/Clipboard");
    xml_set(xml_make_path(body, "Hardware/Memory"), "RAMSize", "128");
}

static void
write_identity(SettingsFile *file, const MachineRecord *record)
{
    const char *hardware = vitrine_settings_get_string(record->settings, "hardware-uuid");
    g_autofree char *state_file = settings_file_relative(file, record->state_file);
    xml_set_uuid(file->body, "uuid", record->id);
    if (record->last_state_change) {
        g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(record->last_state_change);
        g_autofree char *time = g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ");
        xml_set(file->body, "lastStateChange", time);
    }
    g_autofree char *aborted = xml_get(file->body, "aborted");
    if (record->aborted != (aborted != NULL))
        xml_set(file->body, "aborted", record->aborted ? "true" : NULL);
    xml_set(file->body, "stateFile", *state_file ? state_file : NULL);
    if (*record->current_snapshot)
        xml_set_uuid(file->body, "currentSnapshot", record->current_snapshot);
    else
        xml_set(file->body, "currentSnapshot", NULL);
    if (xml_get_bool(file->body, "currentStateModified", TRUE) != record->current_state_modified)
        xml_set(file->body, "currentStateModified",
                record->current_state_modified ? NULL : "false");
    xml_set_text(file->body, "Description",
                 vitrine_settings_get_string(record->settings, "description"));
    if (*hardware)
        xml_set_uuid(xml_make_path(file->body, "Hardware"), "uuid", hardware);
    else
        xml_set(xml_make_path(file->body, "Hardware"), "uuid", NULL);
}

/* Our own profiles stand in extra data only. */
static void
write_cpu_profile(SettingsFile *file, VitrineSettings *settings)
{
    const char *profile = vitrine_settings_get_string(settings, "cpu-profile");
    gboolean own = g_str_has_prefix(profile, PROFILE_PREFIX);
    xmlNodePtr cpu = xml_path(file->body, "Hardware/CPU");
    settings_file_set_extra_data(file, PROFILE_KEY, own ? profile : "");
    if (own && cpu) {
        xml_set(cpu, "CpuProfile", NULL);
        xml_prune(cpu, file->body);
    }
}

void
machine_file_write(SettingsFile *file, const MachineRecord *record)
{
    VitrineSettings *settings = record->settings;
    const char *engine = vitrine_settings_get_string(settings, "exec-engine");
    if (xml_child(file->body, "Hardware") == NULL)
        write_template(file);
    settings_file_need_version(file, machine_version_needed(settings));
    write_identity(file, record);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        field_write(file, settings, &fields[i]);
    write_boot(file, settings);
    write_groups(file, settings);
    machine_ports_write(file, settings);
    machine_network_write(file, settings);
    machine_usb_write(file, settings);
    machine_storage_write(file, settings);
    write_cpu_profile(file, settings);
    settings_file_set_extra_data(file, REMOTES_KEY,
                                 vitrine_settings_get_string(settings, "usb-remotes"));
    settings_file_set_extra_data(file, ENGINE_KEY, g_str_equal(engine, "auto") ? "" : engine);
}
