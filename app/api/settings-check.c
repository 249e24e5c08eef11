/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is wrong with settings by themselves. The service makes the same check before it saves; it
 * refuses only what a change brings in, so a machine that was made for more than this version can
 * do opens, is edited and saved unharmed. */
#include <glib/gi18n.h>
#include <string.h>

#include "app/api/record.h"
#include "app/api/settings-private.h"

#define MAX_NAME 255 /* bytes of a file name */
#define EXECUTION_CAP_LOW 10

static const RecordType problem_record = {
    sizeof(VitrineProblem),
    2,
    {G_STRUCT_OFFSET(VitrineProblem, field), G_STRUCT_OFFSET(VitrineProblem, message)}};

G_DEFINE_BOXED_TYPE(VitrineProblem, vitrine_problem, vitrine_problem_copy, vitrine_problem_free)

VitrineProblem *
vitrine_problem_copy(const VitrineProblem *problem)
{
    return record_copy(&problem_record, problem);
}

void
vitrine_problem_free(VitrineProblem *problem)
{
    record_free(&problem_record, problem);
}

void
vitrine_problems_add(GPtrArray *problems, const char *field, VitrineError code, gboolean fatal,
                     char *message)
{
    VitrineProblem *problem = g_new0(VitrineProblem, 1);
    problem->field = g_strdup(field);
    problem->code = code;
    problem->message = message;
    problem->fatal = fatal;
    g_ptr_array_add(problems, problem);
}

static void
add_invalid(GPtrArray *problems, const char *field, const char *message)
{
    vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE, g_strdup(message));
}

static void
add_unsupported(GPtrArray *problems, const char *field, const char *message)
{
    vitrine_problems_add(problems, field, VITRINE_ERROR_NOT_SUPPORTED, TRUE, g_strdup(message));
}

static gboolean
has_control_character(const char *text)
{
    for (; *text; text = g_utf8_next_char(text)) {
        if (g_unichar_iscntrl(g_utf8_get_char(text)))
            return TRUE;
    }
    return FALSE;
}

static void
check_name(VitrineSettings *settings, GPtrArray *problems)
{
    const char *name = vitrine_settings_get_string(settings, "name");
    if (*name == '\0')
        add_invalid(problems, "name", _("A machine needs a name."));
    else if (strlen(name) > MAX_NAME)
        add_invalid(problems, "name", _("The name is too long for a folder."));
    else if (!g_utf8_validate(name, -1, NULL) || has_control_character(name))
        add_invalid(problems, "name", _("The name has characters that cannot be printed."));
    else if (strchr(name, '/') || strchr(name, '\\'))
        add_invalid(problems, "name",
                    _("The name becomes a folder: it cannot contain \"/\" or \"\\\"."));
    else if (g_str_equal(name, ".") || g_str_equal(name, ".."))
        add_invalid(problems, "name", _("This name means another folder."));
    else if (g_ascii_isspace(name[0]) || g_ascii_isspace(name[strlen(name) - 1]))
        add_invalid(problems, "name", _("The name begins or ends with a space."));
}

static void
check_groups(VitrineSettings *settings, GPtrArray *problems)
{
    const char *const *groups = vitrine_settings_get_groups(settings);
    for (guint i = 0; groups[i]; i++) {
        const char *group = groups[i];
        if (g_str_equal(group, "/"))
            continue;
        if (group[0] != '/' || g_str_has_suffix(group, "/") || strstr(group, "//") ||
            strstr(group, "/../") || g_str_has_suffix(group, "/..") || has_control_character(group))
            vitrine_problems_add(
                problems, "groups", VITRINE_ERROR_INVALID, TRUE,
                g_strdup_printf(_("\"%s\" is not a group: write it as \"/Work/Old\"."), group));
    }
}

static void
check_ranges(VitrineSettings *settings, GPtrArray *problems)
{
    for (guint i = 0; i < SETTING_COUNT; i++) {
        const SettingRow *row = vitrine_settings_row(i);
        if (row->kind != SETTING_UINT)
            continue;
        guint value = vitrine_settings_get_uint(settings, row->name);
        if (value < row->minimum || value > row->maximum)
            vitrine_problems_add(problems, row->name, VITRINE_ERROR_INVALID, TRUE,
                                 g_strdup_printf(_("%u is outside the range from %u to %u."), value,
                                                 row->minimum, row->maximum));
    }
}

static void
check_memory(VitrineSettings *settings, GPtrArray *problems)
{
    guint memory = vitrine_settings_get_uint(settings, "memory");
    guint host = vitrine_host_memory();
    if (host && memory > host)
        vitrine_problems_add(problems, "memory", VITRINE_ERROR_NO_MEMORY, FALSE,
                             g_strdup_printf(_("The host has only %u MB of memory."), host));
    else if (host && memory > host / 10 * 8)
        vitrine_problems_add(problems, "memory", VITRINE_ERROR_NO_MEMORY, FALSE,
                             g_strdup(_("This leaves little memory for the host.")));
}

/* Why a type that is made for hardware virtualization does not get it; NULL: it does. */
static const char *
hardware_problem(VitrineSettings *settings)
{
    const char *engine = vitrine_settings_get_string(settings, "exec-engine");

    if (vitrine_host_nested_paging() < 0)
        return _("This type of operating system is meant for hardware virtualization, which this "
                 "computer does not have: it runs in software, slower.");
    if (!vitrine_settings_get_bool(settings, "hwvirtex"))
        return _("This type of operating system is meant for hardware virtualization, which is "
                 "switched off: it will be slow.");
    if (!g_str_equal(engine, "auto") && !g_str_equal(engine, "hm"))
        return _("This type of operating system is meant for hardware virtualization, which the "
                 "chosen engine does without: it will be slow.");
    return NULL;
}

static void
check_hardware(VitrineSettings *settings, GPtrArray *problems)
{
    const VitrineOsType *type =
        vitrine_os_type_find(vitrine_settings_get_string(settings, "os-type"));
    const char *problem = type && type->is_64bit ? hardware_problem(settings) : NULL;

    if (problem)
        vitrine_problems_add(problems, "hwvirtex", VITRINE_ERROR_NOT_SUPPORTED, FALSE,
                             g_strdup(problem));
}

/* The original's own profiles are of processors without what guests of today need. */
static void
check_cpu_profile(VitrineSettings *settings, GPtrArray *problems)
{
    static const char *const profiles[] = {"host", "x86-64-v1", "x86-64-v2", "x86-64-v3", NULL};
    if (!g_strv_contains(profiles, vitrine_settings_get_string(settings, "cpu-profile")))
        add_unsupported(problems, "cpu-profile",
                        _("CPU profiles are: host, x86-64-v1, x86-64-v2, x86-64-v3."));
}

static void
check_cpus(VitrineSettings *settings, GPtrArray *problems)
{
    const guint cpus = vitrine_settings_get_uint(settings, "cpus");
    const guint host = vitrine_host_cpus();
    const gboolean ioapic = vitrine_settings_get_bool(settings, "ioapic") &&
                            vitrine_settings_get_bool(settings, "apic");

    if (cpus > VITRINE_CPUS_MAX) {
        g_autofree char *message = g_strdup_printf(
            _("This version runs machines with up to %d processors."), VITRINE_CPUS_MAX);

        add_unsupported(problems, "cpus", message);
    } else if (cpus > 1 && !ioapic)
        add_invalid(problems, "cpus", _("Several processors need the I/O APIC."));
    else if (host && cpus > host)
        vitrine_problems_add(
            problems, "cpus", VITRINE_ERROR_INVALID, FALSE,
            g_strdup_printf(ngettext("The host has only %u processor: more are slower.",
                                     "The host has only %u processors: more are slower.", host),
                            host));
    if (vitrine_settings_get_uint(settings, "cpu-execution-cap") < EXECUTION_CAP_LOW)
        vitrine_problems_add(problems, "cpu-execution-cap", VITRINE_ERROR_INVALID, FALSE,
                             g_strdup(_("So little makes the guest's clock and devices late.")));
}

static void
check_usb_remotes(VitrineSettings *settings, GPtrArray *problems)
{
    g_auto(GStrv) words = g_strsplit(vitrine_settings_get_string(settings, "usb-remotes"), " ", -1);

    for (char **word = words; *word != NULL; word++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VitrineUsbRemote) remote =
            **word != '\0' ? vitrine_usb_remote_parse(*word, &error) : NULL;

        if (error != NULL) {
            add_invalid(problems, "usb-remotes", error->message);
            return;
        }
    }
}

static void
check_capabilities(VitrineSettings *settings, GPtrArray *problems)
{
    static const char *const engines[] = {"auto", "iem", "rem", "hm", NULL};
    static const char *const known[] = {"raw", NULL};
    const char *engine = vitrine_settings_get_string(settings, "exec-engine");
    check_cpus(settings, problems);
    if (vitrine_settings_get_uint(settings, "monitors") > 1)
        vitrine_problems_add(problems, "monitors", VITRINE_ERROR_NOT_SUPPORTED, FALSE,
                             g_strdup(_("This version gives a machine one screen only.")));
    if (vitrine_settings_get_enum(settings, "firmware") != VITRINE_FIRMWARE_BIOS)
        add_unsupported(problems, "firmware", _("This version has no EFI firmware: use BIOS."));
    if (vitrine_settings_get_enum(settings, "chipset") != VITRINE_CHIPSET_PIIX3)
        add_unsupported(problems, "chipset", _("This version has no ICH9 chipset: use PIIX3."));
    check_cpu_profile(settings, problems);
    check_usb_remotes(settings, problems);
    if (g_strv_contains(known, engine))
        add_unsupported(problems, "exec-engine", _("This version does not have this engine."));
    else if (!g_strv_contains(engines, engine))
        add_invalid(problems, "exec-engine", _("Engines are: auto, iem, rem, raw, hm."));
    if (vitrine_os_type_find(vitrine_settings_get_string(settings, "os-type")) == NULL)
        vitrine_problems_add(problems, "os-type", VITRINE_ERROR_NOT_FOUND, FALSE,
                             g_strdup(_("This type of operating system is not known here.")));
}

static void
check_uart(VitrineSettings *settings, guint slot, GPtrArray *problems)
{
    const VitrineUart *uart = vitrine_settings_get_uart(settings, slot);
    g_autofree char *field = g_strdup_printf("uart:%u", slot);
    if (!uart->enabled)
        return;
    if (uart->io_base > 0xfff8)
        add_invalid(problems, field, _("The I/O address must be from 0 to 0xFFF8."));
    if (uart->irq > 15)
        add_invalid(problems, field, _("The interrupt must be from 0 to 15."));
    if (uart->mode != VITRINE_UART_MODE_DISCONNECTED && *uart->path == '\0')
        add_invalid(problems, field, _("Say what the port is connected to."));
    for (guint other = 0; other < slot; other++) {
        const VitrineUart *second = vitrine_settings_get_uart(settings, other);
        if (!second->enabled)
            continue;
        if (MAX(second->io_base, uart->io_base) - MIN(second->io_base, uart->io_base) < 8)
            vitrine_problems_add(
                problems, field, VITRINE_ERROR_EXISTS, TRUE,
                g_strdup_printf(_("Port %u has the same I/O address."), other + 1));
        if (*uart->path && uart->mode == second->mode && g_str_equal(uart->path, second->path) &&
            uart->mode != VITRINE_UART_MODE_DISCONNECTED && !g_str_equal(uart->path, "/dev/ptmx"))
            vitrine_problems_add(
                problems, field, VITRINE_ERROR_EXISTS, TRUE,
                g_strdup_printf(_("Port %u is connected to the same place."), other + 1));
    }
}

static void
check_lpt(VitrineSettings *settings, guint slot, GPtrArray *problems)
{
    const VitrineLpt *lpt = vitrine_settings_get_lpt(settings, slot);
    g_autofree char *field = g_strdup_printf("lpt:%u", slot);
    if (!lpt->enabled)
        return;
    if (lpt->io_base > 0xfff8)
        add_invalid(problems, field, _("The I/O address must be from 0 to 0xFFF8."));
    if (lpt->irq > 15)
        add_invalid(problems, field, _("The interrupt must be from 0 to 15."));
}

GPtrArray *
vitrine_settings_check(VitrineSettings *settings)
{
    GPtrArray *problems = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_problem_free);
    g_return_val_if_fail(VITRINE_IS_SETTINGS(settings), problems);
    check_name(settings, problems);
    check_groups(settings, problems);
    check_ranges(settings, problems);
    check_memory(settings, problems);
    check_capabilities(settings, problems);
    check_hardware(settings, problems);
    vitrine_settings_check_storage(settings, problems);
    for (guint slot = 0; slot < VITRINE_UART_COUNT; slot++)
        check_uart(settings, slot, problems);
    for (guint slot = 0; slot < VITRINE_LPT_COUNT; slot++)
        check_lpt(settings, slot, problems);
    vitrine_settings_check_network(settings, problems);
    vitrine_settings_check_usb(settings, problems);
    return problems;
}
