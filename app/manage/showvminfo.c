/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * showvminfo: all about a machine, for people or for scripts (--machinereadable). Manual, chapter
 * VBoxManage, "showvminfo". Leaves out: details of what this version has no device for (USB
 * controllers, sharing), the guest's video mode, passwords. */
#include "app/manage/showvminfo-private.h"

#include <stdarg.h>
#include <stdio.h>

#include "app/manage/manage-words.h"

#define LABEL_WIDTH 28

typedef enum {
    FIELD_UINT,
    FIELD_INT64,
    FIELD_BOOL,
    FIELD_STRING,
    FIELD_WORD,
    FIELD_NONE
} FieldKind;

typedef struct {
    FieldKind kind;
    const char *key;
    const char *label;
    const char *property;
    const char *unit;    /* UINT, INT64 */
    GType (*type)(void); /* WORD */
    const char *on;      /* for people: BOOL; NONE: what stands there, and for scripts it is unit */
    const char *off;
} Field;

#define UINT(key, label, property, unit) {FIELD_UINT, key, label, property, unit},
#define INT64(key, label, property, unit) {FIELD_INT64, key, label, property, unit},
#define BOOL(key, label, property) EITHER(key, label, property, "enabled", "disabled")
#define EITHER(key, label, property, on, off) {FIELD_BOOL, key, label, property, "", NULL, on, off},
#define STRING(key, label, property) {FIELD_STRING, key, label, property, ""},
#define WORD(key, label, property, type)                                                           \
    {FIELD_WORD, key, label, property, "", vitrine_##type##_get_type},
#define NONE(key, label, word, text) {FIELD_NONE, key, label, NULL, word, NULL, text, text},
static const Field fields[] = {
#include "app/manage/showvminfo-fields.def"
};
static const Field display_fields[] = {
#include "app/manage/showvminfo-display.def"
};
static const Field input_fields[] = {
#include "app/manage/showvminfo-input.def"
};
static const Field sharing_fields[] = {
#include "app/manage/showvminfo-sharing.def"
};
static const Field usb_fields[] = {
#include "app/manage/showvminfo-usb.def"
};
#undef UINT
#undef INT64
#undef BOOL
#undef STRING
#undef WORD
#undef EITHER
#undef NONE

void
showvminfo_line(const char *label, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_autofree char *text = g_strdup_vprintf(format, list);
    va_end(list);
    manage_print("%-*s %s\n", LABEL_WIDTH, label, text);
}

void
showvminfo_text(bool machine_readable, const char *key, const char *label, const char *text)
{
    g_autofree char *escaped = manage_escape(text);
    if (machine_readable)
        manage_print("%s=\"%s\"\n", key, escaped);
    else
        showvminfo_line(label, "%s", text);
}

static void
print_number(const Field *field, gint64 value, bool machine_readable)
{
    if (machine_readable)
        manage_print("%s=%" G_GINT64_FORMAT "\n", field->key, value);
    else
        showvminfo_line(field->label, "%" G_GINT64_FORMAT "%s", value, field->unit);
}

/* Nested paging and VPID are as the host's kernel has them, where it has any. */
static bool
read_bool(const Field *field, VitrineSettings *settings)
{
    int host = g_str_equal(field->property, "nested-paging") ? vitrine_host_nested_paging()
               : g_str_equal(field->property, "vpid")        ? vitrine_host_vpid()
                                                             : -1;
    return host >= 0 ? host == 1 : vitrine_settings_get_bool(settings, field->property);
}

static void
print_field(const Field *field, VitrineSettings *settings, bool machine_readable)
{
    bool on;
    int value;
    switch (field->kind) {
    case FIELD_UINT:
        print_number(field, vitrine_settings_get_uint(settings, field->property), machine_readable);
        break;
    case FIELD_INT64:
        print_number(field, vitrine_settings_get_int64(settings, field->property),
                     machine_readable);
        break;
    case FIELD_BOOL:
        on = read_bool(field, settings);
        showvminfo_text(machine_readable, field->key, field->label,
                        machine_readable ? (on ? "on" : "off") : (on ? field->on : field->off));
        break;
    case FIELD_STRING:
        showvminfo_text(machine_readable, field->key, field->label,
                        vitrine_settings_get_string(settings, field->property));
        break;
    case FIELD_WORD:
        value = vitrine_settings_get_enum(settings, field->property);
        showvminfo_text(machine_readable, field->key, field->label,
                        machine_readable ? manage_word(field->type(), value)
                                         : manage_phrase(field->type(), value));
        break;
    case FIELD_NONE:
        showvminfo_text(machine_readable, field->key, field->label,
                        machine_readable ? field->unit : field->on);
        break;
    }
}

static void
print_fields(const Field *list, gsize count, VitrineSettings *settings, bool machine_readable)
{
    for (gsize i = 0; i < count; i++)
        print_field(&list[i], settings, machine_readable);
}

static void
print_identity(VitrineMachine *machine, VitrineSettings *settings, bool machine_readable)
{
    const char *hardware = vitrine_settings_get_string(settings, "hardware-uuid");
    const VitrineOsType *type = vitrine_os_type_find(vitrine_machine_get_os_type(machine));
    g_autofree char *groups = g_strjoinv(",", (char **)vitrine_machine_get_groups(machine));
    const struct {
        const char *key;
        const char *label;
        const char *text;
    } lines[] = {
        {"name", "Name:", vitrine_machine_get_name(machine)},
        {"groups", "Groups:", groups},
        {"ostype", "Guest OS:", type ? type->description : vitrine_machine_get_os_type(machine)},
        {"UUID", "UUID:", vitrine_machine_get_id(machine)},
        {"CfgFile", "Config file:", vitrine_machine_get_settings_file(machine)},
        {"SnapFldr", "Snapshot folder:", vitrine_machine_get_snapshot_folder(machine)},
        {"LogFldr", "Log folder:", vitrine_machine_get_log_folder(machine)},
        {"hardwareuuid", "Hardware UUID:", *hardware ? hardware : vitrine_machine_get_id(machine)},
    };
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        showvminfo_text(machine_readable, lines[i].key, lines[i].label, lines[i].text);
}

static void
print_state(VitrineMachine *machine, bool machine_readable)
{
    VitrineMachineState state = vitrine_machine_get_state(machine);
    g_autoptr(GDateTime) since =
        g_date_time_new_from_unix_utc(vitrine_machine_get_last_state_change(machine));
    g_autofree char *time =
        since ? g_date_time_format(since, "%Y-%m-%dT%H:%M:%S.000000000") : g_strdup("");
    if (!machine_readable) {
        showvminfo_line("State:", "%s (since %s)",
                        manage_phrase(VITRINE_TYPE_MACHINE_STATE, (int)state), time);
        return;
    }
    showvminfo_text(true, "VMState", NULL, manage_word(VITRINE_TYPE_MACHINE_STATE, (int)state));
    showvminfo_text(true, "VMStateChangeTime", NULL, time);
}

static void
print_leftovers(VitrineMachine *machine, bool machine_readable)
{
    const char *const *names = vitrine_machine_get_leftover_states(machine);
    for (guint i = 0; names[i]; i++) {
        g_autofree char *key = g_strdup_printf("LeftoverState%u", i + 1);
        showvminfo_text(machine_readable, key, "Left-over state:", names[i]);
    }
}

static void
print_session(VitrineMachine *machine, bool machine_readable)
{
    const char *type = vitrine_machine_get_session_type(machine);
    if (*type == '\0')
        return;
    showvminfo_text(machine_readable, "SessionName", "Session name:", type);
    g_autoptr(VitrineConsole) console = manage_console(machine, NULL);
    const char *engine = console ? vitrine_console_get_engine(console) : NULL;
    if (engine && *engine)
        showvminfo_text(machine_readable, "engine", "Running engine:", engine);
}

static void
print_description(VitrineMachine *machine, bool machine_readable)
{
    const char *text = vitrine_machine_get_description(machine);
    if (*text == '\0')
        return;
    if (machine_readable)
        showvminfo_text(true, "description", NULL, text);
    else
        manage_print("\nDescription:\n%s\n", text);
}

/* A machine whose file cannot be read. */
static void
print_inaccessible(VitrineMachine *machine, bool machine_readable)
{
    if (machine_readable)
        manage_print("name=\"<inaccessible>\"\n");
    else
        showvminfo_line("Name:", "<inaccessible!>");
    showvminfo_text(machine_readable, "UUID", "UUID:", vitrine_machine_get_id(machine));
    showvminfo_text(machine_readable, "CfgFile",
                    "Config file:", vitrine_machine_get_settings_file(machine));
    showvminfo_text(machine_readable, "VMStateError",
                    "Access error details:", vitrine_machine_get_access_error(machine));
}

void
manage_print_settings(Manage *manage, VitrineMachine *machine, VitrineSettings *settings,
                      const char *const *ejected, bool machine_readable)
{
    print_identity(machine, settings, machine_readable);
    print_fields(fields, G_N_ELEMENTS(fields), settings, machine_readable);
    print_state(machine, machine_readable);
    print_leftovers(machine, machine_readable);
    print_fields(display_fields, G_N_ELEMENTS(display_fields), settings, machine_readable);
    showvminfo_storage(manage, machine, settings, ejected, machine_readable);
    showvminfo_network(settings, machine_readable);
    print_fields(input_fields, G_N_ELEMENTS(input_fields), settings, machine_readable);
    showvminfo_ports(settings, machine_readable);
    showvminfo_sound(settings, machine_readable);
    print_fields(sharing_fields, G_N_ELEMENTS(sharing_fields), settings, machine_readable);
    print_session(machine, machine_readable);
    print_fields(usb_fields, G_N_ELEMENTS(usb_fields), settings, machine_readable);
    showvminfo_usb(manage, machine, settings, machine_readable);
    print_description(machine, machine_readable);
}

static bool
print_snapshots(VitrineMachine *machine, bool machine_readable, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (vitrine_machine_get_snapshot_count(machine) == 0)
        return true;
    g_autoptr(VitrineSnapshot) root = vitrine_machine_load_snapshots_sync(machine, NULL, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (!machine_readable)
        manage_print("\n* Snapshots:\n\n");
    if (root)
        showvminfo_snapshots(machine, root, machine_readable);
    return true;
}

bool
manage_print_machine(Manage *manage, VitrineMachine *machine, bool machine_readable, GError **error)
{
    if (!vitrine_machine_get_accessible(machine)) {
        print_inaccessible(machine, machine_readable);
        return true;
    }
    g_autoptr(VitrineSettings) settings = vitrine_machine_load_settings_sync(machine, NULL, error);
    if (settings == NULL)
        return false;
    manage_print_settings(manage, machine, settings, NULL, machine_readable);
    return print_snapshots(machine, machine_readable, error);
}

/* --log: the newest log is number 0. */
static bool
print_log(VitrineMachine *machine, guint64 number, GError **error)
{
    g_autofree char *name =
        number ? g_strdup_printf("VBox.log.%" G_GUINT64_FORMAT, number) : g_strdup("VBox.log");
    g_autofree char *path = g_build_filename(vitrine_machine_get_log_folder(machine), name, NULL);
    g_autofree char *text = NULL;
    gsize length;
    if (!g_file_get_contents(path, &text, &length, error))
        return false;
    fwrite(text, 1, length, stdout);
    return true;
}

typedef struct {
    bool machine_readable;
    bool details; /* accepted; all is shown anyway */
    ManageNumber log;
} ShowVmInfo;

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"machinereadable", MANAGE_FLAG, G_STRUCT_OFFSET(ShowVmInfo, machine_readable)},
        {"details", MANAGE_FLAG, G_STRUCT_OFFSET(ShowVmInfo, details)},
        {"log", MANAGE_NUMBER, G_STRUCT_OFFSET(ShowVmInfo, log)},
        {NULL},
    };
    ShowVmInfo wanted = {0};
    const char *name;
    if (!manage_args_parse(args, options, &wanted, &name, 1, 1, error))
        return false;
    VitrineMachine *machine = manage_machine(manage, name, error);
    if (machine && wanted.log.given)
        return print_log(machine, wanted.log.value, error);
    return machine && manage_print_machine(manage, machine, wanted.machine_readable, error);
}

const ManageCommand manage_command_showvminfo = {
    .name = "showvminfo",
    .title = "Show settings and state of a machine",
    .usage = "showvminfo NAME|UUID [--details] [--machinereadable]\n"
             "showvminfo NAME|UUID --log NUMBER\n",
    .about = "Shows the settings and the state of a machine; with --machinereadable as lines of the"
             "\nform key=\"value\" for scripts. --log prints a log: 0 is the newest.",
    .run = run,
};
