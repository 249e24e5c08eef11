/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The wizard's window: three pages, the person's words kept when going back, the default button
 * saying why it cannot be pressed. */
#include "app/wizards/new-machine/new-machine-dialog.h"

#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-folder-entry.h"
#include "app/widgets/widget-window.h"

#include <glib/gi18n.h>

enum { PAGE_SOURCE, PAGE_HARDWARE, PAGE_SUMMARY, PAGE_PROGRESS, PAGE_COUNT };
static const char *const page_names[PAGE_COUNT] = {"source", "hardware", "summary", "progress"};

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

void
new_machine_update(NewMachineDialog *dialog)
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

void
new_machine_restart_cancellable(NewMachineDialog *dialog)
{
    g_cancellable_cancel(dialog->cancel);
    g_object_unref(dialog->cancel);
    dialog->cancel = g_cancellable_new();
}

/* --- the other pages --- */
static void
on_folder_changed(GtkEditable *entry, NewMachineDialog *dialog)
{
    new_machine_update(dialog);
}

static void
on_disk_toggled(GtkToggleButton *button, NewMachineDialog *dialog)
{
    gtk_widget_set_sensitive(dialog->disk_new_box, gtk_toggle_button_get_active(dialog->disk_new));
    gtk_widget_set_sensitive(GTK_WIDGET(dialog->disk_chooser),
                             gtk_toggle_button_get_active(dialog->disk_existing));
    new_machine_update(dialog);
}

static void
on_disk_file_set(GtkFileChooserButton *button, NewMachineDialog *dialog)
{
    new_machine_update(dialog);
}

/* --- going through --- */
static void
go_to(NewMachineDialog *dialog, guint page)
{
    dialog->page = page;
    if (page == PAGE_SUMMARY)
        new_machine_show_summary(dialog);
    gtk_stack_set_visible_child_name(dialog->stack, page_names[page]);
    new_machine_update(dialog);
    widget_window_set_default(GTK_WIDGET(dialog->next_button));
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
    NewMachinePlan *plan = new_machine_make_plan(dialog);

    gtk_info_bar_set_revealed(dialog->error_bar, FALSE);
    new_machine_restart_cancellable(dialog);
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
    new_machine_fill_types(dialog);
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
    gtk_widget_class_bind_template_callback(widget_class, new_machine_on_iso_set);
    gtk_widget_class_bind_template_callback(widget_class, new_machine_on_iso_clear);
    gtk_widget_class_bind_template_callback(widget_class, new_machine_on_name_changed);
    gtk_widget_class_bind_template_callback(widget_class, new_machine_on_family_changed);
    gtk_widget_class_bind_template_callback(widget_class, new_machine_on_version_changed);
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
