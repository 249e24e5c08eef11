/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of forwarded ports: a row of entries for each rule, so that everything is reached with
 * the Tab key. */
#include "app/widgets/widget-forwards.h"

#include "app/widgets/widget-form.h"
#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>
#include <string.h>

enum {
    COLUMN_NAME,
    COLUMN_PROTOCOL,
    COLUMN_HOST_IP,
    COLUMN_HOST_PORT,
    COLUMN_GUEST_IP,
    COLUMN_GUEST_PORT,
    COLUMN_REMOVE,
    COLUMN_COUNT = COLUMN_REMOVE
};

typedef struct {
    WidgetForwardsChanged changed;
    gpointer data;
    GDestroyNotify free_data;
    gboolean first;
    GtkWidget *grid;
    GPtrArray *rules; /* Rule */
} Forwards;

typedef struct {
    Forwards *forwards;
    GtkWidget *cells[COLUMN_COUNT], *remove;
} Rule;

static void
forwards_free(gpointer data)
{
    Forwards *forwards = data;

    g_ptr_array_unref(forwards->rules);
    if (forwards->free_data != NULL)
        forwards->free_data(forwards->data);
    g_free(forwards);
}

/* --- as lines --- */

/* A comma is between two words, and a line ends a rule. */
static char *
cell_text(const Rule *rule, guint column)
{
    if (column == COLUMN_PROTOCOL)
        return g_strdup(gtk_combo_box_get_active_id(GTK_COMBO_BOX(rule->cells[column])));
    return g_strdelimit(g_strstrip(g_strdup(gtk_entry_get_text(GTK_ENTRY(rule->cells[column])))),
                        ",\n\r", ' ');
}

static void
store(Forwards *forwards)
{
    g_autoptr(GString) lines = g_string_new(NULL);

    for (guint i = 0; i < forwards->rules->len; i++) {
        for (guint column = 0; column < COLUMN_COUNT; column++) {
            g_autofree char *text = cell_text(forwards->rules->pdata[i], column);
            g_string_append_printf(lines, "%s%s", column ? "," : i ? "\n" : "", text);
        }
    }
    forwards->changed(forwards->data, lines->str);
}

static void
on_changed(GtkWidget *cell, Rule *rule)
{
    store(rule->forwards);
}

/* --- a rule --- */

static const char *
column_title(guint column)
{
    switch (column) {
    case COLUMN_NAME: return _("Name");
    case COLUMN_PROTOCOL: return _("Protocol");
    case COLUMN_HOST_IP: return _("Host address");
    case COLUMN_HOST_PORT: return _("Host port");
    case COLUMN_GUEST_IP: return _("Guest address");
    default: return _("Guest port");
    }
}

static GtkWidget *
new_cell(const Forwards *forwards, guint column, const char *text)
{
    GtkWidget *cell;
    gboolean port = column == COLUMN_HOST_PORT || column == COLUMN_GUEST_PORT;

    if (column == COLUMN_PROTOCOL) {
        cell = gtk_combo_box_text_new();
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(cell), "tcp", "TCP");
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(cell), "udp", "UDP");
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(cell), text);
        return cell;
    }
    cell = gtk_entry_new();
    gtk_entry_set_text(GTK_ENTRY(cell), text);
    gtk_entry_set_width_chars(GTK_ENTRY(cell), port ? 5 : 8);
    gtk_entry_set_activates_default(GTK_ENTRY(cell), TRUE);
    gtk_widget_set_hexpand(cell, !port);
    if (port)
        gtk_entry_set_max_length(GTK_ENTRY(cell), 5);
    else if (column == COLUMN_HOST_IP)
        gtk_entry_set_placeholder_text(GTK_ENTRY(cell), _("Any"));
    else if (column == COLUMN_GUEST_IP && forwards->first)
        gtk_entry_set_placeholder_text(GTK_ENTRY(cell), _("First"));
    return cell;
}

/* Rules are known to assistive technology by their number and the column. */
static void
name_cells(Forwards *forwards)
{
    for (guint i = 0; i < forwards->rules->len; i++) {
        Rule *rule = forwards->rules->pdata[i];
        g_autofree char *remove = g_strdup_printf(_("Remove rule %u"), i + 1);

        for (guint column = 0; column < COLUMN_COUNT; column++) {
            g_autofree char *name = g_strdup_printf(_("Rule %u: %s"), i + 1, column_title(column));
            atk_object_set_name(gtk_widget_get_accessible(rule->cells[column]), name);
        }
        widget_set_name(rule->remove, remove);
    }
}

static guint
index_of(const Rule *rule)
{
    guint index = 0;

    g_ptr_array_find(rule->forwards->rules, rule, &index);
    return index;
}

static void
show_titles(Forwards *forwards)
{
    for (guint column = 0; column < COLUMN_COUNT; column++)
        gtk_widget_set_visible(gtk_grid_get_child_at(GTK_GRID(forwards->grid), (int)column, 0),
                               forwards->rules->len != 0);
}

static void
on_remove(GtkButton *button, Rule *rule)
{
    Forwards *forwards = rule->forwards;
    guint index = index_of(rule);

    gtk_grid_remove_row(GTK_GRID(forwards->grid), (int)index + 1);
    g_ptr_array_remove_index(forwards->rules, index);
    name_cells(forwards);
    show_titles(forwards);
    store(forwards);
}

/* words: one for each column. */
static Rule *
add_rule(Forwards *forwards, char **words)
{
    Rule *rule = g_new0(Rule, 1);
    int row = (int)forwards->rules->len + 1;

    rule->forwards = forwards;
    for (guint column = 0; column < COLUMN_COUNT; column++) {
        rule->cells[column] = new_cell(forwards, column, words[column]);
        gtk_grid_attach(GTK_GRID(forwards->grid), rule->cells[column], (int)column, row, 1, 1);
        g_signal_connect(rule->cells[column], "changed", G_CALLBACK(on_changed), rule);
    }
    rule->remove = gtk_button_new_from_icon_name("list-remove-symbolic", GTK_ICON_SIZE_BUTTON);
    gtk_button_set_relief(GTK_BUTTON(rule->remove), GTK_RELIEF_NONE);
    gtk_grid_attach(GTK_GRID(forwards->grid), rule->remove, COLUMN_REMOVE, row, 1, 1);
    g_signal_connect(rule->remove, "clicked", G_CALLBACK(on_remove), rule);
    g_ptr_array_add(forwards->rules, rule);
    gtk_widget_show_all(forwards->grid);
    name_cells(forwards);
    show_titles(forwards);
    return rule;
}

/* A name that no rule has. */
static char *
free_name(const Forwards *forwards)
{
    for (guint number = forwards->rules->len + 1;; number++) {
        g_autofree char *name = g_strdup_printf(_("Rule %u"), number);
        gboolean taken = FALSE;

        for (guint i = 0; i < forwards->rules->len; i++) {
            g_autofree char *other = cell_text(forwards->rules->pdata[i], COLUMN_NAME);
            taken = taken || g_str_equal(other, name);
        }
        if (!taken)
            return g_steal_pointer(&name);
    }
}

static void
on_add(GtkButton *button, Forwards *forwards)
{
    g_autofree char *name = free_name(forwards);
    char *words[COLUMN_COUNT] = {name, "tcp", "", "", "", ""};
    Rule *rule = add_rule(forwards, words);

    store(forwards);
    gtk_widget_grab_focus(rule->cells[COLUMN_HOST_PORT]);
}

/* --- the table --- */

static void
fill(Forwards *forwards, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, ",", COLUMN_COUNT);
        if (g_strv_length(words) == COLUMN_COUNT)
            add_rule(forwards, words);
    }
}

static GtkWidget *
new_grid(void)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_column_spacing(GTK_GRID(grid), 6);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
    for (guint column = 0; column < COLUMN_COUNT; column++) {
        GtkWidget *label = widget_dim_label(column_title(column));
        gtk_label_set_line_wrap(GTK_LABEL(label), FALSE);
        gtk_widget_set_no_show_all(label, TRUE);
        gtk_grid_attach(GTK_GRID(grid), label, (int)column, 0, 1, 1);
    }
    return grid;
}

GtkWidget *
widget_forwards_new(const char *lines, gboolean first, WidgetForwardsChanged changed, gpointer data,
                    GDestroyNotify free_data)
{
    Forwards *forwards = g_new0(Forwards, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *add = gtk_button_new_with_mnemonic(_("_Forward a port"));

    forwards->changed = changed;
    forwards->data = data;
    forwards->free_data = free_data;
    forwards->first = first;
    forwards->rules = g_ptr_array_new_with_free_func(g_free);
    forwards->grid = new_grid();
    gtk_widget_set_halign(add, GTK_ALIGN_START);
    gtk_widget_set_tooltip_text(add, _("What reaches this port of the host goes to the guest"));
    gtk_box_pack_start(GTK_BOX(box), forwards->grid, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), add, FALSE, FALSE, 0);
    fill(forwards, lines);
    g_signal_connect(add, "clicked", G_CALLBACK(on_add), forwards);
    g_object_set_data_full(G_OBJECT(box), "forwards", forwards, forwards_free);
    return box;
}
