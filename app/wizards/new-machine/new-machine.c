/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The wizard's window: three pages, the person's words kept when going back, the default button
 * saying why it cannot be pressed. */
#include "app/wizards/new-machine/new-machine-private.h"

#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-folder-entry.h"
#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>
#include <math.h>

#define MIB_PER_GB 1024.0
#define BYTES_PER_GB (1024.0 * 1024 * 1024)

enum { PAGE_SOURCE, PAGE_HARDWARE, PAGE_SUMMARY, PAGE_PROGRESS, PAGE_COUNT };
static const char *const page_names[PAGE_COUNT] = {"source", "hardware", "summary", "progress"};

struct _NewMachineDialog {
    GtkDialog parent;
    VitrineClient *client;
    GCancellable *cancel; /* of recognition and creation */
    guint page;
    gboolean name_typed, type_chosen, hardware_touched; /* by the person: not proposed any more */
    gboolean filling;                                   /* the program changes widgets */

    GtkStack *stack;
    GtkButton *cancel_button, *next_button, *back_button;
    GtkInfoBar *error_bar;
    GtkLabel *error_label;
    GtkFileChooser *iso_chooser, *disk_chooser;
    GtkWidget *iso_clear, *recognise_spinner, *disk_new_box;
    GtkImage *recognise_icon;
    GtkLabel *recognise_label, *name_problem, *memory_note, *summary_text, *progress_label;
    GtkEntry *name_entry, *folder_entry;
    GtkComboBoxText *family_combo, *version_combo;
    GtkAdjustment *memory_adjustment, *cpus_adjustment, *disk_adjustment;
    GtkScale *memory_scale;
    GtkToggleButton *disk_new, *disk_existing, *disk_none, *disk_fixed, *start_check;
    GtkGrid *summary_grid;
    GtkProgressBar *progress_bar;
};

G_DEFINE_FINAL_TYPE(NewMachineDialog, new_machine_dialog, GTK_TYPE_DIALOG)

/* --- what is wrong on a page; NULL: nothing --- */
static char *
name_problem(NewMachineDialog *dialog)
{
    const char *name = gtk_entry_get_text(dialog->name_entry);
    g_autoptr(VitrineSettings) settings = NULL;
    g_autoptr(GPtrArray) problems = NULL;

    if (*name == '\0')
        return g_strdup(_("Give the machine a name."));
    if (vitrine_client_find_machine(dialog->client, name))
        return g_strdup(_("There is a machine of this name already."));
    settings = vitrine_settings_new();
    vitrine_settings_set_string(settings, "name", name);
    problems = vitrine_settings_check(settings);
    for (guint i = 0; i < problems->len; i++) {
        const VitrineProblem *problem = g_ptr_array_index(problems, i);
        if (problem->fatal && g_str_equal(problem->field, "name"))
            return g_strdup(problem->message);
    }
    return NULL;
}

static char *
page_problem(NewMachineDialog *dialog)
{
    g_autofree char *file = NULL;

    if (dialog->page == PAGE_SOURCE &&
        !g_path_is_absolute(gtk_entry_get_text(dialog->folder_entry)))
        return g_strdup(_("Choose the folder for the machine."));
    if (dialog->page == PAGE_SOURCE)
        return name_problem(dialog);
    if (dialog->page == PAGE_HARDWARE && gtk_toggle_button_get_active(dialog->disk_existing)) {
        file = gtk_file_chooser_get_filename(dialog->disk_chooser);
        return file ? NULL : g_strdup(_("Choose the disk to use."));
    }
    return NULL;
}

static void
update(NewMachineDialog *dialog)
{
    g_autofree char *problem = page_problem(dialog);
    gboolean last = dialog->page == PAGE_SUMMARY, working = dialog->page == PAGE_PROGRESS;
    gboolean show_name_problem =
        dialog->page == PAGE_SOURCE && problem && *gtk_entry_get_text(dialog->name_entry);

    gtk_widget_set_sensitive(GTK_WIDGET(dialog->next_button), !problem && !working);
    gtk_widget_set_tooltip_text(GTK_WIDGET(dialog->next_button), problem);
    gtk_button_set_label(dialog->next_button, last ? _("_Create machine") : _("_Next"));
    gtk_widget_set_sensitive(GTK_WIDGET(dialog->back_button),
                             dialog->page == PAGE_HARDWARE || dialog->page == PAGE_SUMMARY);
    gtk_widget_set_visible(GTK_WIDGET(dialog->name_problem), show_name_problem);
    gtk_label_set_text(dialog->name_problem, show_name_problem ? problem : "");
}

/* --- system --- */
static const VitrineOsType *
chosen_type(NewMachineDialog *dialog)
{
    return vitrine_os_type_find(gtk_combo_box_get_active_id(GTK_COMBO_BOX(dialog->version_combo)));
}

static void
propose_hardware(NewMachineDialog *dialog)
{
    const VitrineOsType *type = chosen_type(dialog);
    g_autofree char *memory = NULL, *host = NULL, *note = NULL;

    if (!type)
        return;
    memory = widget_megabytes(type->memory);
    host = widget_megabytes(vitrine_host_memory());
    note = g_strdup_printf(_("%s is recommended for %s. This computer has %s."), memory,
                           type->description, host);
    gtk_label_set_text(dialog->memory_note, note);
    gtk_scale_clear_marks(dialog->memory_scale);
    gtk_scale_add_mark(dialog->memory_scale, type->memory, GTK_POS_BOTTOM, _("recommended"));
    if (dialog->hardware_touched)
        return;
    gtk_adjustment_set_value(dialog->memory_adjustment, type->memory);
    if (type->disk > 0)
        gtk_adjustment_set_value(dialog->disk_adjustment, type->disk / MIB_PER_GB);
}

static void
fill_versions(NewMachineDialog *dialog, const char *family)
{
    gtk_combo_box_text_remove_all(dialog->version_combo);
    for (guint i = 0; i < vitrine_os_type_count(); i++) {
        const VitrineOsType *type = vitrine_os_type_nth(i);
        if (g_strcmp0(type->family_id, family) == 0)
            gtk_combo_box_text_append(dialog->version_combo, type->id, type->description);
    }
}

static void
choose_type(NewMachineDialog *dialog, const VitrineOsType *type)
{
    dialog->filling = TRUE;
    gtk_combo_box_set_active_id(GTK_COMBO_BOX(dialog->family_combo), type->family_id);
    fill_versions(dialog, type->family_id);
    gtk_combo_box_set_active_id(GTK_COMBO_BOX(dialog->version_combo), type->id);
    dialog->filling = FALSE;
    propose_hardware(dialog);
}

static void
on_family_changed(GtkComboBox *combo, NewMachineDialog *dialog)
{
    if (dialog->filling)
        return;
    dialog->type_chosen = TRUE;
    fill_versions(dialog, gtk_combo_box_get_active_id(combo));
    gtk_combo_box_set_active(GTK_COMBO_BOX(dialog->version_combo), 0);
}

static void
on_version_changed(GtkComboBox *combo, NewMachineDialog *dialog)
{
    if (dialog->filling || !gtk_combo_box_get_active_id(combo))
        return;
    dialog->type_chosen = TRUE;
    propose_hardware(dialog);
}

static void
fill_families(NewMachineDialog *dialog)
{
    const char *last = NULL;

    for (guint i = 0; i < vitrine_os_type_count(); i++) {
        const VitrineOsType *type = vitrine_os_type_nth(i);
        if (g_strcmp0(type->family_id, last) != 0)
            gtk_combo_box_text_append(dialog->family_combo, type->family_id, type->family);
        last = type->family_id;
    }
}

/* --- name --- */
/* A name that no machine has yet. */
static char *
free_name(NewMachineDialog *dialog, const char *wanted)
{
    char *name = g_strdup(wanted);

    for (unsigned i = 2; vitrine_client_find_machine(dialog->client, name); i++) {
        g_free(name);
        name = g_strdup_printf("%s %u", wanted, i);
    }
    return name;
}

static void
propose_name(NewMachineDialog *dialog, const char *wanted)
{
    g_autofree char *name = NULL;

    if (dialog->name_typed)
        return;
    name = free_name(dialog, wanted);
    dialog->filling = TRUE;
    gtk_entry_set_text(dialog->name_entry, name);
    dialog->filling = FALSE;
    update(dialog);
}

static void
on_name_changed(GtkEditable *entry, NewMachineDialog *dialog)
{
    const VitrineOsType *type;

    if (!dialog->filling) {
        dialog->name_typed = *gtk_entry_get_text(dialog->name_entry) != '\0';
        type = vitrine_os_type_guess(gtk_entry_get_text(dialog->name_entry));
        if (type && !dialog->type_chosen)
            choose_type(dialog, type);
    }
    update(dialog);
}

/* --- recognition --- */
static void
show_recognised(NewMachineDialog *dialog, const char *icon, const char *text, gboolean busy)
{
    gtk_widget_set_visible(dialog->recognise_spinner, busy);
    g_object_set(dialog->recognise_spinner, "active", busy, NULL);
    gtk_widget_set_visible(GTK_WIDGET(dialog->recognise_icon), icon != NULL);
    if (icon)
        gtk_image_set_from_icon_name(dialog->recognise_icon, icon, GTK_ICON_SIZE_MENU);
    gtk_label_set_text(dialog->recognise_label, text);
}

static void
take_recognised(NewMachineDialog *dialog, const VitrineMediaInfo *info)
{
    const VitrineOsType *type = vitrine_os_type_find(info->os_type);
    g_autofree char *text = NULL;

    if (!type) {
        show_recognised(
            dialog, "dialog-information-symbolic",
            info->bootable
                ? _("The image can be booted, but its system is not known. Choose it below.")
                : _("This image cannot be booted."),
            FALSE);
        return;
    }
    text = g_strdup_printf(_("Recognised: %s"), *info->os_name ? info->os_name : type->description);
    show_recognised(dialog, "emblem-ok-symbolic", text, FALSE);
    if (!dialog->type_chosen)
        choose_type(dialog, type);
    propose_name(dialog, *info->os_name ? info->os_name : type->description);
}

static void
on_recognised(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NewMachineDialog) dialog = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineMediaInfo) info =
        vitrine_client_recognize_media_finish(VITRINE_CLIENT(source), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    if (info)
        take_recognised(dialog, info);
    else
        show_recognised(dialog, "dialog-warning-symbolic", error->message, FALSE);
}

static void
restart_cancellable(NewMachineDialog *dialog)
{
    g_cancellable_cancel(dialog->cancel);
    g_object_unref(dialog->cancel);
    dialog->cancel = g_cancellable_new();
}

static void
on_iso_set(GtkFileChooserButton *button, NewMachineDialog *dialog)
{
    g_autofree char *path = gtk_file_chooser_get_filename(dialog->iso_chooser);
    g_autofree char *base = path ? g_path_get_basename(path) : NULL;
    const VitrineOsType *guess = vitrine_os_type_guess(base);
    char *dot = base ? strrchr(base, '.') : NULL;

    if (!path)
        return;
    if (dot)
        *dot = '\0';
    gtk_widget_set_sensitive(dialog->iso_clear, TRUE);
    propose_name(dialog, base);
    if (guess && !dialog->type_chosen)
        choose_type(dialog, guess);
    restart_cancellable(dialog);
    show_recognised(dialog, NULL, _("Looking what is on it…"), TRUE);
    vitrine_client_recognize_media_async(dialog->client, path, dialog->cancel, on_recognised,
                                         g_object_ref(dialog));
    gtk_widget_grab_focus(GTK_WIDGET(dialog->next_button));
}

static void
on_iso_clear(GtkButton *button, NewMachineDialog *dialog)
{
    restart_cancellable(dialog);
    gtk_file_chooser_unselect_all(dialog->iso_chooser);
    gtk_widget_set_sensitive(dialog->iso_clear, FALSE);
    show_recognised(dialog, NULL, "", FALSE);
}

/* --- the other pages --- */
static void
on_folder_changed(GtkEditable *entry, NewMachineDialog *dialog)
{
    update(dialog);
}

static void
on_disk_toggled(GtkToggleButton *button, NewMachineDialog *dialog)
{
    gtk_widget_set_sensitive(dialog->disk_new_box, gtk_toggle_button_get_active(dialog->disk_new));
    gtk_widget_set_sensitive(GTK_WIDGET(dialog->disk_chooser),
                             gtk_toggle_button_get_active(dialog->disk_existing));
    update(dialog);
}

static void
on_disk_file_set(GtkFileChooserButton *button, NewMachineDialog *dialog)
{
    update(dialog);
}

static NewMachinePlan *
make_plan(NewMachineDialog *dialog)
{
    const VitrineOsType *type = chosen_type(dialog);
    NewMachinePlan *plan = g_new0(NewMachinePlan, 1);

    plan->name = g_strdup(gtk_entry_get_text(dialog->name_entry));
    plan->folder = g_strdup(gtk_entry_get_text(dialog->folder_entry));
    plan->os_type = g_strdup(type ? type->id : "Other");
    plan->iso = gtk_file_chooser_get_filename(dialog->iso_chooser);
    plan->memory = (guint)gtk_adjustment_get_value(dialog->memory_adjustment);
    plan->cpus = (guint)gtk_adjustment_get_value(dialog->cpus_adjustment);
    plan->disk_size =
        (guint64)llround(gtk_adjustment_get_value(dialog->disk_adjustment) * BYTES_PER_GB);
    plan->disk_fixed = gtk_toggle_button_get_active(dialog->disk_fixed);
    plan->disk_file = gtk_file_chooser_get_filename(dialog->disk_chooser);
    plan->start = gtk_toggle_button_get_active(dialog->start_check);
    plan->disk = gtk_toggle_button_get_active(dialog->disk_new)        ? NEW_MACHINE_DISK_NEW
                 : gtk_toggle_button_get_active(dialog->disk_existing) ? NEW_MACHINE_DISK_EXISTING
                                                                       : NEW_MACHINE_DISK_NONE;
    return plan;
}

/* --- summary --- */
static void
add_summary_row(GtkGrid *grid, int row, const char *title, const char *value)
{
    GtkWidget *label = gtk_label_new(title), *text = gtk_label_new(value);

    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_widget_set_valign(label, GTK_ALIGN_START);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    gtk_label_set_xalign(GTK_LABEL(text), 0);
    gtk_label_set_line_wrap(GTK_LABEL(text), TRUE);
    gtk_label_set_line_wrap_mode(GTK_LABEL(text), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_max_width_chars(GTK_LABEL(text), 52);
    gtk_grid_attach(grid, label, 0, row, 1, 1);
    gtk_grid_attach(grid, text, 1, row, 1, 1);
}

static char *
disk_summary(const NewMachinePlan *plan)
{
    g_autofree char *size = widget_megabytes(plan->disk_size / (1024 * 1024));

    if (plan->disk == NEW_MACHINE_DISK_NONE)
        return g_strdup(_("None"));
    if (plan->disk == NEW_MACHINE_DISK_EXISTING)
        return g_path_get_basename(plan->disk_file);
    return g_strdup_printf(plan->disk_fixed ? _("New, %s, allocated now") : _("New, up to %s"),
                           size);
}

static void
show_summary(NewMachineDialog *dialog)
{
    NewMachinePlan *plan = make_plan(dialog);
    g_autofree char *disk = disk_summary(plan), *memory = widget_megabytes(plan->memory);
    g_autofree char *cpus = g_strdup_printf("%u", plan->cpus);
    g_autofree char *iso = plan->iso ? g_path_get_basename(plan->iso) : g_strdup(_("None"));
    g_autofree char *text =
        plan->iso
            ? g_strdup_printf(_("“%s” will be a computer with %s of memory that boots %s."),
                              plan->name, memory, iso)
            : g_strdup_printf(_("“%s” will be a computer with %s of memory."), plan->name, memory);
    g_autoptr(GList) old = gtk_container_get_children(GTK_CONTAINER(dialog->summary_grid));

    for (GList *item = old; item; item = item->next)
        gtk_widget_destroy(item->data);
    gtk_label_set_text(dialog->summary_text, text);
    add_summary_row(dialog->summary_grid, 0, _("System"), widget_os_name(plan->os_type));
    add_summary_row(dialog->summary_grid, 1, _("Memory"), memory);
    add_summary_row(dialog->summary_grid, 2, _("Processors"), cpus);
    add_summary_row(dialog->summary_grid, 3, _("Disk"), disk);
    add_summary_row(dialog->summary_grid, 4, _("Image"), iso);
    add_summary_row(dialog->summary_grid, 5, _("Folder"), plan->folder);
    gtk_widget_show_all(GTK_WIDGET(dialog->summary_grid));
    new_machine_plan_free(plan);
}

/* --- going through --- */
static void
go_to(NewMachineDialog *dialog, guint page)
{
    dialog->page = page;
    if (page == PAGE_SUMMARY)
        show_summary(dialog);
    gtk_stack_set_visible_child_name(dialog->stack, page_names[page]);
    update(dialog);
    gtk_widget_grab_default(GTK_WIDGET(dialog->next_button));
    if (page != PAGE_PROGRESS)
        gtk_widget_grab_focus(GTK_WIDGET(dialog->next_button));
}

static void
on_progress(const char *what, double fraction, gpointer data)
{
    NewMachineDialog *dialog = data;

    gtk_label_set_text(dialog->progress_label, what);
    gtk_progress_bar_set_fraction(dialog->progress_bar, fraction);
}

static void
on_created(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NewMachineDialog) dialog = data;
    g_autoptr(GError) error = NULL;

    if (new_machine_create_finish(result, &error)) {
        gtk_widget_destroy(GTK_WIDGET(dialog));
        return;
    }
    if (!gtk_widget_get_visible(GTK_WIDGET(dialog)))
        return;
    gtk_label_set_text(dialog->error_label, error->message);
    gtk_info_bar_set_revealed(dialog->error_bar, TRUE);
    go_to(dialog, PAGE_SUMMARY);
}

static void
create(NewMachineDialog *dialog)
{
    NewMachinePlan *plan = make_plan(dialog);

    gtk_info_bar_set_revealed(dialog->error_bar, FALSE);
    restart_cancellable(dialog);
    go_to(dialog, PAGE_PROGRESS);
    new_machine_create_async(dialog->client, plan, on_progress, dialog, dialog->cancel, on_created,
                             g_object_ref(dialog));
}

static void
on_next(GtkButton *button, NewMachineDialog *dialog)
{
    if (dialog->page == PAGE_SUMMARY)
        create(dialog);
    else
        go_to(dialog, dialog->page + 1);
}

static void
on_back(GtkButton *button, NewMachineDialog *dialog)
{
    gtk_info_bar_set_revealed(dialog->error_bar, FALSE);
    go_to(dialog, dialog->page - 1);
}

static void
on_discard_response(GtkDialog *question, int response, gpointer dialog)
{
    gtk_widget_destroy(GTK_WIDGET(question));
    if (response == GTK_RESPONSE_OK)
        gtk_widget_destroy(dialog);
}

static void
ask_discard(NewMachineDialog *dialog)
{
    GtkWidget *question = gtk_message_dialog_new(
        GTK_WINDOW(dialog), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, _("Discard the new machine?"));

    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(question),
                                             _("What you have entered would be lost."));
    gtk_dialog_add_buttons(GTK_DIALOG(question), _("_Keep it"), GTK_RESPONSE_CANCEL, _("_Discard"),
                           GTK_RESPONSE_OK, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(question), GTK_RESPONSE_CANCEL);
    g_signal_connect(question, "response", G_CALLBACK(on_discard_response), dialog);
    gtk_widget_show(question);
}

/* Asks only if something would be lost. */
static void
on_cancel(GtkButton *button, NewMachineDialog *dialog)
{
    if (dialog->page == PAGE_PROGRESS) { /* the creation ends by itself and tells */
        g_cancellable_cancel(dialog->cancel);
        return;
    }
    if (dialog->name_typed || dialog->type_chosen || dialog->hardware_touched)
        ask_discard(dialog);
    else
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void
on_hardware(GtkAdjustment *adjustment, NewMachineDialog *dialog)
{
    if (dialog->page == PAGE_HARDWARE)
        dialog->hardware_touched = TRUE;
}

/* --- life --- */
static void
fill_in(NewMachineDialog *dialog)
{
    guint host = vitrine_host_memory();
    g_autofree char *folder = NULL;

    widget_medium_add_filters(dialog->iso_chooser, VITRINE_MEDIUM_KIND_DVD);
    widget_medium_add_filters(dialog->disk_chooser, VITRINE_MEDIUM_KIND_HARD_DISK);
    g_object_get(dialog->client, "machine-folder", &folder, NULL);
    widget_folder_entry_setup(dialog->folder_entry, _("Choose the folder for the machine"));
    gtk_entry_set_text(dialog->folder_entry, folder ? folder : "");
    gtk_adjustment_set_upper(dialog->memory_adjustment, MAX(host, 64));
    gtk_adjustment_set_upper(dialog->cpus_adjustment, VITRINE_CPUS_MAX);
    fill_families(dialog);
    choose_type(dialog, vitrine_os_type_find("Other"));
    g_signal_connect(dialog->memory_adjustment, "value-changed", G_CALLBACK(on_hardware), dialog);
    g_signal_connect(dialog->disk_adjustment, "value-changed", G_CALLBACK(on_hardware), dialog);
    on_disk_toggled(NULL, dialog);
}

static gboolean
new_machine_dialog_delete_event(GtkWidget *widget, GdkEventAny *event)
{
    on_cancel(NULL, NEW_MACHINE_DIALOG(widget));
    return GDK_EVENT_STOP;
}

static void
new_machine_dialog_dispose(GObject *object)
{
    NewMachineDialog *dialog = NEW_MACHINE_DIALOG(object);

    if (dialog->cancel)
        g_cancellable_cancel(dialog->cancel);
    g_clear_object(&dialog->cancel);
    g_clear_object(&dialog->client);
    G_OBJECT_CLASS(new_machine_dialog_parent_class)->dispose(object);
}

static void
bind_children(GtkWidgetClass *class)
{
#define CHILD(name) gtk_widget_class_bind_template_child(class, NewMachineDialog, name);
#include "app/wizards/new-machine/new-machine-children.def"
#undef CHILD
}

static void
new_machine_dialog_class_init(NewMachineDialogClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = new_machine_dialog_dispose;
    widget_class->delete_event = new_machine_dialog_delete_event;
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/vitrine/Vitrine/wizards/new-machine.ui");
    bind_children(widget_class);
    gtk_widget_class_bind_template_callback(widget_class, on_cancel);
    gtk_widget_class_bind_template_callback(widget_class, on_next);
    gtk_widget_class_bind_template_callback(widget_class, on_back);
    gtk_widget_class_bind_template_callback(widget_class, on_iso_set);
    gtk_widget_class_bind_template_callback(widget_class, on_iso_clear);
    gtk_widget_class_bind_template_callback(widget_class, on_name_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_family_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_version_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_folder_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_disk_toggled);
    gtk_widget_class_bind_template_callback(widget_class, on_disk_file_set);
}

static void
new_machine_dialog_init(NewMachineDialog *dialog)
{
    gtk_widget_init_template(GTK_WIDGET(dialog));
    dialog->cancel = g_cancellable_new();
}

void
new_machine_wizard_show(GtkWindow *parent, VitrineClient *client)
{
    NewMachineDialog *dialog = g_object_new(NEW_MACHINE_TYPE_DIALOG, "use-header-bar", TRUE,
                                            "transient-for", parent, NULL);

    dialog->client = g_object_ref(client);
    fill_in(dialog);
    go_to(dialog, PAGE_SOURCE);
    gtk_window_present(GTK_WINDOW(dialog));
    gtk_widget_grab_focus(GTK_WIDGET(dialog->iso_chooser));
}
