/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The settings dialog: loads the values, lets the pages edit them, checks while typing, saves. */
#include "app/settings/settings-private.h"

#include "app/settings/settings-save.h"
#include "app/widgets/widget-pages.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-window.h"

#include <glib/gi18n.h>

struct _SettingsDialog {
    GtkDialog parent;
    VitrineClient *client;
    VitrineMachine *machine;
    VitrineSettings *settings; /* NULL while loading */
    VitrineSettings *base;     /* as they were before the person changed them */
    SettingsModels *models;    /* NULL while loading */
    char *wanted_page;
    GHashTable *fields; /* char* to GtkLabel* (borrowed) */
    gboolean saving;

    GtkButton *save_button;
    GtkInfoBar *bar;
    GtkLabel *bar_label;
    GtkBox *place;
    GtkWidget *pages;
};

G_DEFINE_FINAL_TYPE(SettingsDialog, settings_dialog, GTK_TYPE_DIALOG)

VitrineClient *
settings_dialog_get_client(SettingsDialog *dialog)
{
    return dialog->client;
}

VitrineMachine *
settings_dialog_get_machine(SettingsDialog *dialog)
{
    return dialog->machine;
}

VitrineSettings *
settings_dialog_get_settings(SettingsDialog *dialog)
{
    return dialog->settings;
}

SettingsModels *
settings_dialog_get_models(SettingsDialog *dialog)
{
    return dialog->models;
}

void
settings_dialog_watch_field(SettingsDialog *dialog, const char *field, GtkLabel *label)
{
    g_hash_table_insert(dialog->fields, g_strdup(field), label);
}

gboolean
settings_dialog_had_drive(SettingsDialog *dialog, const char *controller, guint port, guint device)
{
    return vitrine_settings_find_attachment(dialog->base, controller, port, device) != NULL;
}

/* One line above the pages. */
static void
show_line(SettingsDialog *dialog, GtkMessageType type, const char *text)
{
    gtk_label_set_text(dialog->bar_label, text != NULL ? text : "");
    gtk_info_bar_set_message_type(dialog->bar, type);
    gtk_info_bar_set_revealed(dialog->bar, text != NULL && *text != '\0');
}

void
settings_dialog_show_error(SettingsDialog *dialog, const char *text)
{
    show_line(dialog, GTK_MESSAGE_WARNING, text);
}

/* --- checking --- */
static void
clear_fields(SettingsDialog *dialog)
{
    GHashTableIter iter;
    gpointer label;

    g_hash_table_iter_init(&iter, dialog->fields);
    while (g_hash_table_iter_next(&iter, NULL, &label))
        gtk_widget_hide(label);
}

/* An error is in the theme's colour for errors, advice is dimmed. */
static void
set_severity(GtkWidget *label, gboolean fatal)
{
    GtkStyleContext *style = gtk_widget_get_style_context(label);

    gtk_style_context_remove_class(style, fatal ? "dim-label" : "error");
    gtk_style_context_add_class(style, fatal ? "error" : "dim-label");
}

static gboolean
shows_error(GtkWidget *label)
{
    return gtk_style_context_has_class(gtk_widget_get_style_context(label), "error");
}

/* Shows each problem next to its field; *homeless is the first without a field. */
static const char *
show_problems(SettingsDialog *dialog, GPtrArray *problems, const char **homeless)
{
    const char *fatal = NULL;

    clear_fields(dialog);
    for (guint i = 0; i < problems->len; i++) {
        const VitrineProblem *problem = g_ptr_array_index(problems, i);
        GtkLabel *label = g_hash_table_lookup(dialog->fields, problem->field);
        if (problem->fatal && !fatal)
            fatal = problem->message;
        if (!label) {
            *homeless = *homeless ? *homeless : problem->message;
            continue;
        }
        if (gtk_widget_get_visible(GTK_WIDGET(label)) &&
            (!problem->fatal || shows_error(GTK_WIDGET(label))))
            continue; /* the first error stays, and advice does not hide it */
        gtk_label_set_text(label, problem->message);
        set_severity(GTK_WIDGET(label), problem->fatal);
        gtk_widget_show(GTK_WIDGET(label));
    }
    return fatal;
}

/* --- what can change now --- */
SettingsState
settings_dialog_get_state(SettingsDialog *dialog)
{
    const VitrineMachineState state = vitrine_machine_get_state(dialog->machine);

    if (*vitrine_machine_get_read_only_reason(dialog->machine) != '\0')
        return SETTINGS_READ_ONLY;
    if (vitrine_machine_state_is_online(state))
        return SETTINGS_RUNNING;
    return state == VITRINE_MACHINE_STATE_SAVED || state == VITRINE_MACHINE_STATE_ABORTED_SAVED
               ? SETTINGS_SAVED
               : SETTINGS_FREE;
}

/* What is said above the pages. */
static const char *
state_line(SettingsDialog *dialog)
{
    switch (settings_dialog_get_state(dialog)) {
    case SETTINGS_RUNNING:
        return _(
            "The machine is running: what you change is in force when you save it. What cannot "
            "change now is locked.");
    case SETTINGS_SAVED:
        return _("The machine has a saved state, which belongs to its hardware: most settings are "
                 "locked until it is started or the state is discarded.");
    case SETTINGS_READ_ONLY: return vitrine_machine_get_read_only_reason(dialog->machine);
    default: return NULL;
    }
}

/* What a locked control says. */
static const char *
lock_reason(SettingsDialog *dialog)
{
    switch (settings_dialog_get_state(dialog)) {
    case SETTINGS_RUNNING:
        return _("This cannot change while the machine is running. Power it off first.");
    case SETTINGS_SAVED:
        return _("This cannot change while the machine has a saved state. Start it, or discard "
                 "the state, first.");
    default: return vitrine_machine_get_read_only_reason(dialog->machine);
    }
}

void
settings_dialog_lock(SettingsDialog *dialog, GtkWidget *place)
{
    settings_lock_apply(place, settings_dialog_get_state(dialog), lock_reason(dialog));
}

static const char *
model_of(gpointer models, const char *controller)
{
    return settings_models_get(models, controller);
}

static void
check(SettingsDialog *dialog)
{
    const char *fatal, *homeless = NULL;
    g_autoptr(GPtrArray) problems = NULL;
    gboolean read_only;

    if (!dialog->models || !dialog->client) /* loading, or closed */
        return;
    read_only = settings_dialog_get_state(dialog) == SETTINGS_READ_ONLY;
    problems = vitrine_settings_check(dialog->settings);
    vitrine_settings_check_models(dialog->settings, model_of, dialog->models, problems);
    fatal = show_problems(dialog, problems, &homeless);
    gtk_widget_set_sensitive(GTK_WIDGET(dialog->save_button),
                             !read_only && !fatal && !dialog->saving);
    gtk_widget_set_tooltip_text(GTK_WIDGET(dialog->save_button),
                                read_only ? lock_reason(dialog) : fatal);
    if (homeless)
        settings_dialog_show_error(dialog, homeless);
    else
        show_line(dialog, read_only ? GTK_MESSAGE_WARNING : GTK_MESSAGE_INFO, state_line(dialog));
}

static void
on_notify(VitrineSettings *settings, GParamSpec *property, SettingsDialog *dialog)
{
    check(dialog);
}

static void
on_list_changed(VitrineSettings *settings, SettingsDialog *dialog)
{
    check(dialog);
}

static void
on_state(VitrineMachine *machine, GParamSpec *property, SettingsDialog *dialog)
{
    if (dialog->models && dialog->client)
        settings_dialog_lock(dialog, widget_pages_place(dialog->pages));
    check(dialog);
}

/* --- saving --- */
static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SettingsDialog) dialog = data;
    g_autoptr(GError) error = NULL;

    dialog->saving = FALSE;
    if (settings_save_finish(VITRINE_MACHINE(source), result, &error)) {
        gtk_widget_destroy(GTK_WIDGET(dialog));
        return;
    }
    if (!dialog->client) /* closed in the meantime */
        return;
    check(dialog);
    settings_dialog_show_error(dialog, error->message);
}

static void
on_save(GtkButton *button, SettingsDialog *dialog)
{
    dialog->saving = TRUE;
    gtk_widget_set_sensitive(GTK_WIDGET(dialog->save_button), FALSE);
    settings_save_async(dialog->machine, dialog->base, dialog->settings, dialog->models, on_saved,
                        g_object_ref(dialog));
}

static void
on_cancel(GtkButton *button, SettingsDialog *dialog)
{
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

/* --- building --- */
static void
add_page(SettingsDialog *dialog, const char *name, const char *title, SettingsPageNew constructor)
{
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);

    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_container_add(GTK_CONTAINER(scroller), constructor(dialog));
    widget_pages_add(dialog->pages, name, title, scroller);
}

static void
build_pages(SettingsDialog *dialog)
{
#define PAGE(name, title, constructor) add_page(dialog, name, _(title), constructor);
#include "app/settings/settings-pages.def"
#undef PAGE
    widget_pages_show(dialog->pages, dialog->wanted_page);
}

/* The models of controllers are known: all is. */
static void
on_extra_data(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SettingsDialog) dialog = data;
    g_autoptr(GHashTable) extra =
        vitrine_machine_load_extra_data_finish(VITRINE_MACHINE(source), result, NULL);

    if (!dialog->client) /* closed in the meantime */
        return;
    dialog->models = settings_models_new(dialog->base, extra);
    build_pages(dialog);
    settings_dialog_lock(dialog, widget_pages_place(dialog->pages));
    g_signal_connect_object(dialog->settings, "notify", G_CALLBACK(on_notify), dialog, 0);
    g_signal_connect_object(dialog->settings, "changed", G_CALLBACK(on_list_changed), dialog, 0);
    check(dialog);
    widget_window_set_default(GTK_WIDGET(dialog->save_button));
}

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SettingsDialog) dialog = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, &error);

    if (!dialog->client) /* closed in the meantime */
        return;
    if (!settings) {
        settings_dialog_show_error(dialog, error->message);
        return;
    }
    dialog->base = vitrine_settings_copy(settings);
    dialog->settings = g_steal_pointer(&settings);
    vitrine_machine_load_extra_data_async(dialog->machine, NULL, on_extra_data,
                                          g_object_ref(dialog));
}

static void
settings_dialog_dispose(GObject *object)
{
    SettingsDialog *dialog = SETTINGS_DIALOG(object);

    g_hash_table_remove_all(dialog->fields);
    g_clear_object(&dialog->client);
    G_OBJECT_CLASS(settings_dialog_parent_class)->dispose(object);
}

static void
settings_dialog_finalize(GObject *object)
{
    SettingsDialog *dialog = SETTINGS_DIALOG(object);

    g_clear_object(&dialog->settings);
    g_clear_object(&dialog->base);
    g_clear_pointer(&dialog->models, settings_models_free);
    g_clear_object(&dialog->machine);
    g_hash_table_unref(dialog->fields);
    g_free(dialog->wanted_page);
    G_OBJECT_CLASS(settings_dialog_parent_class)->finalize(object);
}

static void
settings_dialog_class_init(SettingsDialogClass *class)
{
    static const WidgetChild children[] = {
        {"save_button", G_STRUCT_OFFSET(SettingsDialog, save_button)},
        {"bar", G_STRUCT_OFFSET(SettingsDialog, bar)},
        {"bar_label", G_STRUCT_OFFSET(SettingsDialog, bar_label)},
        {"place", G_STRUCT_OFFSET(SettingsDialog, place)},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = settings_dialog_dispose;
    G_OBJECT_CLASS(class)->finalize = settings_dialog_finalize;
    widget_class_set_template(widget_class, "settings/settings-dialog.ui", children,
                              G_N_ELEMENTS(children));
    gtk_widget_class_bind_template_callback(widget_class, on_save);
    gtk_widget_class_bind_template_callback(widget_class, on_cancel);
}

static void
settings_dialog_init(SettingsDialog *dialog)
{
    gtk_widget_init_template(GTK_WIDGET(dialog));
    dialog->pages = widget_pages_new();
    gtk_box_pack_start(dialog->place, dialog->pages, TRUE, TRUE, 0);
    dialog->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gtk_widget_set_sensitive(GTK_WIDGET(dialog->save_button), FALSE);
}

void
settings_dialog_show(GtkWindow *parent, VitrineClient *client, VitrineMachine *machine,
                     const char *page)
{
    SettingsDialog *dialog =
        g_object_new(SETTINGS_TYPE_DIALOG, "use-header-bar", TRUE, "transient-for", parent, NULL);
    g_autofree char *title = g_strdup_printf(_("Settings – %s"), vitrine_machine_get_name(machine));

    gtk_window_set_title(GTK_WINDOW(dialog), title);
    dialog->client = g_object_ref(client);
    dialog->machine = g_object_ref(machine);
    dialog->wanted_page = g_strdup(page);
    g_signal_connect_object(machine, "notify::state", G_CALLBACK(on_state), dialog, 0);
    vitrine_machine_load_settings_async(machine, NULL, on_loaded, g_object_ref(dialog));
    gtk_window_present(GTK_WINDOW(dialog));
}
