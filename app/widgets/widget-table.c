/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables of entries and choices: see the header. */
#include "app/widgets/widget-table.h"

#include "app/widgets/widget-empty.h"
#include "app/widgets/widget-form.h"
#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>
#include <string.h>

struct WidgetTable {
    WidgetTableKind kind;
    WidgetTableColumn columns[WIDGET_TABLE_COLUMNS];
    WidgetTableChanged changed;
    WidgetTableFill fill;
    gpointer data;
    GDestroyNotify free_data;
    GtkWidget *box, *grid;
    GtkWidget *stack; /* WidgetEmpty of the grid; NULL: nothing is said without rows */
    GPtrArray *rows;  /* Row */
};

typedef struct {
    WidgetTable *table;
    GtkWidget *cells[WIDGET_TABLE_COLUMNS], *remove;
} Row;

static void
table_free(gpointer data)
{
    WidgetTable *table = data;

    g_ptr_array_unref(table->rows);
    if (table->free_data != NULL)
        table->free_data(table->data);
    g_free(table);
}

/* --- what it says --- */

guint
widget_table_get_length(const WidgetTable *table)
{
    return table->rows->len;
}

char *
widget_table_get_text(const WidgetTable *table, guint row, guint column)
{
    const Row *at = table->rows->pdata[row];
    GtkWidget *cell = at->cells[column];
    const char *id = GTK_IS_COMBO_BOX(cell) ? gtk_combo_box_get_active_id(GTK_COMBO_BOX(cell)) : "";
    const GtkWidget *entry = GTK_IS_COMBO_BOX(cell) ? gtk_bin_get_child(GTK_BIN(cell)) : cell;

    if (id != NULL && *id != '\0')
        return g_strdup(id);
    return GTK_IS_ENTRY(entry)
               ? g_strstrip(g_strdup(gtk_entry_get_text(GTK_ENTRY((GtkWidget *)entry))))
               : g_strdup("");
}

static void
on_changed(GtkWidget *cell, Row *row)
{
    row->table->changed(row->table, row->table->data);
}

/* --- a row --- */

static GtkWidget *
new_choice(const WidgetTableColumn *column, const char *text)
{
    GtkWidget *cell =
        column->other ? gtk_combo_box_text_new_with_entry() : gtk_combo_box_text_new();

    for (const WidgetTableChoice *choice = column->choices; choice->id != NULL; choice++)
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(cell), choice->id, _(choice->title));
    if (!gtk_combo_box_set_active_id(GTK_COMBO_BOX(cell), text) && column->other)
        gtk_entry_set_text(GTK_ENTRY(gtk_bin_get_child(GTK_BIN(cell))), text);
    return cell;
}

static void
setup_entry(GtkEntry *entry, const WidgetTableColumn *column)
{
    gtk_entry_set_width_chars(entry, column->width);
    gtk_entry_set_max_length(entry, column->longest);
    gtk_entry_set_activates_default(entry, TRUE);
    if (column->placeholder != NULL)
        gtk_entry_set_placeholder_text(entry, _(column->placeholder));
}

static GtkWidget *
new_cell(const WidgetTableColumn *column, const char *text)
{
    GtkWidget *cell = column->choices != NULL ? new_choice(column, text) : gtk_entry_new();

    if (column->choices == NULL) {
        gtk_entry_set_text(GTK_ENTRY(cell), text);
        setup_entry(GTK_ENTRY(cell), column);
    } else if (column->other) {
        setup_entry(GTK_ENTRY(gtk_bin_get_child(GTK_BIN(cell))), column);
    }
    gtk_widget_set_hexpand(cell, column->wide);
    return cell;
}

static void
name_cell(GtkWidget *cell, const char *name)
{
    atk_object_set_name(gtk_widget_get_accessible(cell), name);
    if (GTK_IS_COMBO_BOX(cell) && gtk_combo_box_get_has_entry(GTK_COMBO_BOX(cell)))
        atk_object_set_name(gtk_widget_get_accessible(gtk_bin_get_child(GTK_BIN(cell))), name);
}

/* Rows are known to assistive technology by their number and the column. */
static void
name_rows(WidgetTable *table)
{
    for (guint i = 0; i < table->rows->len; i++) {
        Row *row = table->rows->pdata[i];
        g_autofree char *remove = g_strdup_printf(_(table->kind.remove), i + 1);

        for (guint column = 0; column < table->kind.count; column++) {
            g_autofree char *name =
                g_strdup_printf(_(table->kind.cell), i + 1, _(table->columns[column].title));
            name_cell(row->cells[column], name);
        }
        widget_set_name(row->remove, remove);
    }
}

static void
show_rows(WidgetTable *table)
{
    if (table->stack)
        widget_empty_show(table->stack, table->rows->len == 0);
    for (guint column = 0; column < table->kind.count; column++)
        gtk_widget_set_visible(gtk_grid_get_child_at(GTK_GRID(table->grid), (int)column, 0),
                               table->rows->len != 0);
}

static void
on_remove(GtkButton *button, Row *row)
{
    WidgetTable *table = row->table;
    guint index = 0;

    g_ptr_array_find(table->rows, row, &index);
    gtk_grid_remove_row(GTK_GRID(table->grid), (int)index + 1);
    g_ptr_array_remove_index(table->rows, index);
    name_rows(table);
    show_rows(table);
    table->changed(table, table->data);
}

void
widget_table_add(WidgetTable *table, const char *const *texts)
{
    Row *row = g_new0(Row, 1);
    const int at = (int)table->rows->len + 1;

    row->table = table;
    for (guint column = 0; column < table->kind.count; column++) {
        row->cells[column] = new_cell(&table->columns[column], texts[column]);
        gtk_grid_attach(GTK_GRID(table->grid), row->cells[column], (int)column, at, 1, 1);
        g_signal_connect(row->cells[column], "changed", G_CALLBACK(on_changed), row);
    }
    row->remove = gtk_button_new_from_icon_name("list-remove-symbolic", GTK_ICON_SIZE_BUTTON);
    gtk_button_set_relief(GTK_BUTTON(row->remove), GTK_RELIEF_NONE);
    gtk_grid_attach(GTK_GRID(table->grid), row->remove, (int)table->kind.count, at, 1, 1);
    g_signal_connect(row->remove, "clicked", G_CALLBACK(on_remove), row);
    g_ptr_array_add(table->rows, row);
    gtk_widget_show_all(table->grid);
    name_rows(table);
    show_rows(table);
}

static void
on_add(GtkButton *button, WidgetTable *table)
{
    char *texts[WIDGET_TABLE_COLUMNS + 1] = {NULL};
    const Row *row;

    table->fill(table, texts, table->data);
    widget_table_add(table, (const char *const *)texts);
    for (guint column = 0; column < table->kind.count; column++)
        g_free(texts[column]);
    table->changed(table, table->data);
    row = table->rows->pdata[table->rows->len - 1];
    gtk_widget_grab_focus(row->cells[table->kind.first]);
}

/* --- the table --- */

static GtkWidget *
new_grid(const WidgetTable *table)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_column_spacing(GTK_GRID(grid), 6);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
    for (guint column = 0; column < table->kind.count; column++) {
        GtkWidget *label = widget_dim_label(_(table->columns[column].title));

        gtk_label_set_line_wrap(GTK_LABEL(label), FALSE);
        gtk_widget_set_no_show_all(label, TRUE);
        gtk_grid_attach(GTK_GRID(grid), label, (int)column, 0, 1, 1);
    }
    return grid;
}

/* What there is in the place of the rows. */
static GtkWidget *
new_rows(WidgetTable *table)
{
    const WidgetTableKind *kind = &table->kind;

    table->grid = new_grid(table);
    if (kind->icon == NULL)
        return table->grid;
    table->stack = widget_empty_new(table->grid, kind->icon, _(kind->empty), _(kind->invitation));
    gtk_stack_set_vhomogeneous(GTK_STACK(table->stack), FALSE);
    widget_empty_show(table->stack, TRUE);
    return table->stack;
}

WidgetTable *
widget_table_new(const WidgetTableKind *kind, WidgetTableChanged changed, WidgetTableFill fill,
                 gpointer data, GDestroyNotify free_data)
{
    WidgetTable *table = g_new0(WidgetTable, 1);
    GtkWidget *add = gtk_button_new_with_mnemonic(_(kind->add));

    table->kind = *kind;
    table->kind.count = MIN(kind->count, WIDGET_TABLE_COLUMNS);
    memcpy(table->columns, kind->columns, table->kind.count * sizeof table->columns[0]);
    table->changed = changed;
    table->fill = fill;
    table->data = data;
    table->free_data = free_data;
    table->rows = g_ptr_array_new_with_free_func(g_free);
    table->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    gtk_widget_set_halign(add, GTK_ALIGN_START);
    if (kind->tooltip != NULL)
        gtk_widget_set_tooltip_text(add, _(kind->tooltip));
    gtk_box_pack_start(GTK_BOX(table->box), new_rows(table), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(table->box), add, FALSE, FALSE, 0);
    g_signal_connect(add, "clicked", G_CALLBACK(on_add), table);
    g_object_set_data_full(G_OBJECT(table->box), "widget-table", table, table_free);
    return table;
}

GtkWidget *
widget_table_get_widget(WidgetTable *table)
{
    return table->box;
}
