/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, System: memory, processors, boot order, clock, chips, engine. */
#include "app/settings/settings-boot-order.h"

#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

static GtkWidget *
memory_row(SettingsDialog *dialog)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    GtkAdjustment *adjustment =
        gtk_adjustment_new(128, 4, MAX(vitrine_host_memory(), 64), 64, 256, 0);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *scale = gtk_scale_new(GTK_ORIENTATION_HORIZONTAL, adjustment);
    GtkWidget *spin = gtk_spin_button_new(adjustment, 64, 0), *unit = gtk_label_new(_("MB"));
    const VitrineOsType *type =
        vitrine_os_type_find(vitrine_settings_get_string(settings, "os-type"));

    gtk_scale_set_draw_value(GTK_SCALE(scale), FALSE);
    if (type)
        gtk_scale_add_mark(GTK_SCALE(scale), type->memory, GTK_POS_BOTTOM, _("recommended"));
    atk_object_set_name(gtk_widget_get_accessible(scale), _("Memory slider"));
    atk_object_set_name(gtk_widget_get_accessible(spin), _("Memory in MB"));
    /* The Tab key takes what is higher first: the middles are at one height. */
    gtk_widget_set_valign(spin, GTK_ALIGN_CENTER);
    gtk_entry_set_activates_default(GTK_ENTRY(spin), TRUE);
    g_object_bind_property(settings, "memory", adjustment, "value",
                           G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
    gtk_box_pack_start(GTK_BOX(box), scale, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), spin, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), unit, FALSE, FALSE, 0);
    return box;
}

static GtkWidget *
number_row(VitrineSettings *settings, const char *property, guint most, const char *name,
           const char *unit)
{
    GtkAdjustment *adjustment =
        gtk_adjustment_new(vitrine_settings_get_uint(settings, property), 1, most, 1, 5, 0);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *spin = gtk_spin_button_new(adjustment, 1, 0);

    atk_object_set_name(gtk_widget_get_accessible(spin), name);
    gtk_entry_set_activates_default(GTK_ENTRY(spin), TRUE);
    g_object_bind_property(settings, property, adjustment, "value",
                           G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
    gtk_box_pack_start(GTK_BOX(box), spin, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), gtk_label_new(unit), FALSE, FALSE, 0);
    return box;
}

/* A machine that was made with more than this version runs keeps its number until it is changed. */
static int
add_processors(GtkWidget *grid, int row, SettingsDialog *dialog)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    const guint cpus = vitrine_settings_get_uint(settings, "cpus");
    GtkWidget *cap =
        number_row(settings, "cpu-execution-cap", 100, _("Execution cap in percent"), "%");
    g_autofree char *host = g_strdup_printf(
        ngettext("this computer has %u", "this computer has %u", vitrine_host_cpus()),
        vitrine_host_cpus());

    row = widget_form_add(
        grid, row, _("P_rocessors"),
        number_row(settings, "cpus", MAX(cpus, VITRINE_CPUS_MAX), _("Processors"), host));
    row = settings_add_problem(grid, row, dialog, "cpus");
    settings_lock_open(cap, SETTINGS_ALWAYS);
    row = widget_form_add(grid, row, _("E_xecution cap"), cap);
    return settings_add_problem(grid, row, dialog, "cpu-execution-cap");
}

/* --- choices: the first one stands for what this version does not know --- */
typedef struct {
    const char *id, *title;
} Choice;

static const Choice engines[] = {
    {"auto", N_("Automatic")},
    {"hm", N_("Hardware (HM)")},
    {"iem", N_("Interpreter (IEM)")},
    {"rem", N_("Recompiler (REM)")},
    {NULL, NULL},
};

static const Choice profiles[] = {
    {"host", N_("Like this computer")},
    {"x86-64-v1", N_("x86-64-v1: every 64-bit processor")},
    {"x86-64-v2", N_("x86-64-v2: SSE4.2, since 2009")},
    {"x86-64-v3", N_("x86-64-v3: AVX2, since 2013")},
    {NULL, NULL},
};

static void
on_choice(GtkComboBox *combo, VitrineSettings *settings)
{
    vitrine_settings_set_string(settings, g_object_get_data(G_OBJECT(combo), "property"),
                                gtk_combo_box_get_active_id(combo));
}

static GtkWidget *
choice_row(VitrineSettings *settings, const char *property, const Choice *choices)
{
    GtkWidget *combo = gtk_combo_box_text_new();
    const char *value = vitrine_settings_get_string(settings, property);

    for (const Choice *choice = choices; choice->id; choice++)
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), choice->id, _(choice->title));
    if (!gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), value))
        gtk_combo_box_set_active(GTK_COMBO_BOX(combo), 0);
    g_object_set_data(G_OBJECT(combo), "property", (gpointer)property);
    g_signal_connect_object(combo, "changed", G_CALLBACK(on_choice), settings, 0);
    return combo;
}

/* How the processor is made. */
static int
add_engine(GtkWidget *grid, int row, SettingsDialog *dialog)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    GtkWidget *engine = choice_row(settings, "exec-engine", engines);

    row = widget_form_add(grid, row, _("Processor t_ype"),
                          choice_row(settings, "cpu-profile", profiles));
    row = settings_add_problem(grid, row, dialog, "cpu-profile");
    row = settings_add_check(grid, row, dialog, "hwvirtex", _("Hardware _virtualization"),
                             _("Where this computer has it, the automatic choice takes it."));
    row = settings_add_problem(grid, row, dialog, "hwvirtex");
    row = settings_add_check(grid, row, dialog, "large-pages", _("_Large pages"),
                             _("Hardware virtualization maps the machine's memory in large pieces: "
                               "faster, with more memory taken at once."));
    settings_lock_open(engine, SETTINGS_SAVED);
    row = widget_form_add(grid, row, _("_Engine"), engine);
    return settings_add_problem(grid, row, dialog, "exec-engine");
}

static int
add_checks(GtkWidget *grid, int row, SettingsDialog *dialog)
{
    row = settings_add_check(grid, row, dialog, "rtc-utc", _("Hardware clock in _UTC"),
                             _("Linux and BSD expect it; Windows expects local time."));
    row =
        settings_add_check(grid, row, dialog, "acpi", _("_ACPI"),
                           _("Power button, power-off and the tables that present systems need."));
    row = settings_add_check(
        grid, row, dialog, "ioapic", _("_I/O APIC"),
        _("64-bit systems need it; some old ones cannot be switched after installation."));
    row = settings_add_check(grid, row, dialog, "hpet", _("High precision event _timer"), NULL);
    row = settings_add_check(
        grid, row, dialog, "pae", _("_PAE and NX"),
        _("32-bit systems with more than 4 GB of memory, and protection of data pages."));
    return row;
}

GtkWidget *
settings_page_system(SettingsDialog *dialog)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    GtkWidget *grid = widget_form_new(), *order = settings_boot_order_new(settings);
    int row = 0;

    settings_lock_open(order, SETTINGS_ALWAYS);
    row = widget_form_add(grid, row, _("_Memory"), memory_row(dialog));
    row = settings_add_problem(grid, row, dialog, "memory");
    row = add_processors(grid, row, dialog);
    row = widget_form_add(grid, row, _("_Boot order"), order);
    row = add_checks(grid, row, dialog);
    row = settings_add_problem(grid, row, dialog, "ioapic");
    add_engine(grid, row, dialog);
    return grid;
}
