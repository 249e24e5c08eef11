/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One filter of USB devices: a row for each field, with what is wrong with it below. Manual,
 * chapter "USB settings". */
#include "app/widgets/widget-usb-filter.h"

#include "app/widgets/widget-form.h"
#include "app/widgets/widget-usb.h"

#include <glib/gi18n.h>

static const struct {
    const char *key, *label, *note;
} fields[] = {
    {"name", N_("_Name"), NULL},
    {"vendorid", N_("_Vendor ID"), N_("Four hexadecimal digits: 04a9; or a range: 1000-1fff")},
    {"productid", N_("_Product ID"), NULL},
    {"revision", N_("_Revision"), NULL},
    {"manufacturer", N_("_Manufacturer"), N_("* stands for any characters, ? for one")},
    {"product", N_("Pro_duct"), NULL},
    {"serialnumber", N_("_Serial number"), NULL},
    {"port", N_("P_ort"), NULL},
};

static const struct {
    const char *value, *title;
} origins[] = {
    {"", N_("Anywhere")},
    {"0", N_("On this computer")},
    {"1", N_("Remote")},
};

/* What a global filter may say. */
static const VitrineUsbAction actions[] = {VITRINE_USB_ACTION_IGNORE, VITRINE_USB_ACTION_HOLD};

typedef struct {
    GtkWidget *dialog, *save;
    GtkWidget *remote, *action; /* of a machine's filter; of a global one; the other is NULL */
    GtkWidget *entries[G_N_ELEMENTS(fields)], *problems[G_N_ELEMENTS(fields)];
    VitrineUsbFilter *filter;
    void (*done)(gpointer data, const VitrineUsbFilter *filter);
    gpointer data;
} Editor;

static void
editor_free(gpointer data)
{
    Editor *editor = data;

    vitrine_usb_filter_free(editor->filter);
    g_free(editor);
}

/* What is wrong with a field, below it. Whether it is right. */
static gboolean
check_field(Editor *editor, guint field)
{
    const char *text = gtk_entry_get_text(GTK_ENTRY(editor->entries[field]));
    g_autofree char *problem = vitrine_usb_filter_field_problem(fields[field].key, text);

    if (field == 0 && *text == '\0')
        problem = g_strdup(_("A filter needs a name."));
    gtk_label_set_text(GTK_LABEL(editor->problems[field]), problem != NULL ? problem : "");
    gtk_widget_set_visible(editor->problems[field], problem != NULL);
    return problem == NULL;
}

static void
on_changed(GtkWidget *entry, Editor *editor)
{
    gboolean right = TRUE;

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        right = check_field(editor, i) && right;
    gtk_widget_set_sensitive(editor->save, right);
    gtk_widget_set_tooltip_text(editor->save, right ? NULL : _("A field cannot be understood"));
}

static guint
chosen(GtkWidget *combo)
{
    return (guint)MAX(gtk_combo_box_get_active(GTK_COMBO_BOX(combo)), 0);
}

static gboolean
is_same_origin(const char *text, const char *value)
{
    static const char *const yes[] = {"1", "yes", "true", NULL};
    static const char *const no[] = {"0", "no", "false", NULL};
    g_autofree char *lower = g_ascii_strdown(text, -1);

    if (*text == '\0' || *value == '\0')
        return g_str_equal(text, value);
    return g_strv_contains(*value == '1' ? yes : no, lower);
}

static void
take_combos(Editor *editor)
{
    if (editor->action != NULL) {
        editor->filter->action = actions[chosen(editor->action)];
    } else {
        const char *origin = origins[chosen(editor->remote)].value;

        if (!is_same_origin(editor->filter->remote, origin))
            vitrine_usb_filter_set_text(editor->filter, "remote", origin);
    }
}

static void
on_response(GtkDialog *dialog, int response, Editor *editor)
{
    if (response == GTK_RESPONSE_OK) {
        for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
            vitrine_usb_filter_set_text(editor->filter, fields[i].key,
                                        gtk_entry_get_text(GTK_ENTRY(editor->entries[i])));
        take_combos(editor);
        editor->done(editor->data, editor->filter);
    }
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

static int
add_field(Editor *editor, GtkWidget *form, int row, guint field)
{
    GtkWidget *entry = editor->entries[field] = gtk_entry_new();
    g_auto(GStrv) words = g_strsplit(_(fields[field].label), "_", -1);
    g_autofree char *name = g_strjoinv("", words);

    editor->problems[field] = widget_problem_label();
    gtk_entry_set_text(GTK_ENTRY(entry),
                       vitrine_usb_filter_get_text(editor->filter, fields[field].key));
    gtk_entry_set_width_chars(GTK_ENTRY(entry), 30);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    /* Else its placeholder would be its name. */
    atk_object_set_name(gtk_widget_get_accessible(entry), name);
    if (field > 0)
        gtk_entry_set_placeholder_text(GTK_ENTRY(entry), _("Anything"));
    row = widget_form_add(form, row, _(fields[field].label), entry);
    if (fields[field].note != NULL)
        row = widget_form_add_note(form, row, _(fields[field].note));
    gtk_grid_attach(GTK_GRID(form), editor->problems[field], 1, row, 1, 1);
    g_signal_connect(entry, "changed", G_CALLBACK(on_changed), editor);
    return row + 1;
}

static int
add_action(Editor *editor, GtkWidget *form, int row)
{
    editor->action = gtk_combo_box_text_new();
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(editor->action),
                                       widget_usb_action_name(actions[i]));
        if (i == 0 || editor->filter->action == actions[i])
            gtk_combo_box_set_active(GTK_COMBO_BOX(editor->action), (int)i);
    }
    return widget_form_add(form, row, _("_What becomes of it"), editor->action);
}

static void
add_origin(Editor *editor, GtkWidget *form, int row)
{
    editor->remote = gtk_combo_box_text_new();
    for (guint i = 0; i < G_N_ELEMENTS(origins); i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(editor->remote), _(origins[i].title));
        if (is_same_origin(editor->filter->remote, origins[i].value))
            gtk_combo_box_set_active(GTK_COMBO_BOX(editor->remote), (int)i);
    }
    widget_form_add(form, row, _("_Where the device is"), editor->remote);
}

static GtkWidget *
build_form(Editor *editor, gboolean global)
{
    GtkWidget *form = widget_form_new();
    int row = add_field(editor, form, 0, 0);

    if (global)
        row = add_action(editor, form, row);
    for (guint i = 1; i < G_N_ELEMENTS(fields); i++)
        row = add_field(editor, form, row, i);
    if (!global)
        add_origin(editor, form, row);
    return form;
}

void
widget_usb_filter_edit(GtkWindow *parent, const VitrineUsbFilter *filter, gboolean global,
                       void (*done)(gpointer data, const VitrineUsbFilter *filter), gpointer data)
{
    Editor *editor = g_new0(Editor, 1);
    GtkWidget *form;

    editor->filter = vitrine_usb_filter_copy(filter);
    editor->done = done;
    editor->data = data;
    editor->dialog = gtk_dialog_new_with_buttons(
        _("USB filter"), parent,
        GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT | GTK_DIALOG_USE_HEADER_BAR, _("_Cancel"),
        GTK_RESPONSE_CANCEL, _("_Apply"), GTK_RESPONSE_OK, NULL);
    editor->save = gtk_dialog_get_widget_for_response(GTK_DIALOG(editor->dialog), GTK_RESPONSE_OK);
    gtk_dialog_set_default_response(GTK_DIALOG(editor->dialog), GTK_RESPONSE_OK);
    form = build_form(editor, global);
    gtk_container_add(GTK_CONTAINER(gtk_dialog_get_content_area(GTK_DIALOG(editor->dialog))), form);
    g_object_set_data_full(G_OBJECT(editor->dialog), "editor", editor, editor_free);
    g_signal_connect(editor->dialog, "response", G_CALLBACK(on_response), editor);
    gtk_widget_show_all(editor->dialog);
    on_changed(NULL, editor);
}
