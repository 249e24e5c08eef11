/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pages with a list and a search. A page fits a search when its title or any text on it has the
 * words; Enter goes to the first control whose label has them. */
#include "app/widgets/widget-pages.h"

#include "app/widgets/widget-window.h"

#include <glib/gi18n.h>

#define PAGES_DATA "widget-pages"
#define PAGE_DATA "widget-page"
#define LIST_WIDTH 170

typedef struct {
    GtkEntry *search;
    GtkListBox *list;
    GtkStack *stack;
} Pages;

static Pages *
pages_of(GtkWidget *widget)
{
    return g_object_get_data(G_OBJECT(widget), PAGES_DATA);
}

static GtkWidget *
page_of(GtkListBoxRow *row)
{
    return g_object_get_data(G_OBJECT(row), PAGE_DATA);
}

/* --- search --- */
typedef struct {
    const char *words;
    GtkWidget *found; /* the first label that has them */
} Search;

static void
look_into(GtkWidget *widget, gpointer data)
{
    Search *search = data;

    if (search->found)
        return;
    if (GTK_IS_LABEL(widget) &&
        g_str_match_string(search->words, gtk_label_get_text(GTK_LABEL(widget)), TRUE))
        search->found = widget;
    else if (GTK_IS_CONTAINER(widget))
        gtk_container_forall(GTK_CONTAINER(widget), look_into, search);
}

static GtkWidget *
find_label(GtkWidget *page, const char *words)
{
    Search search = {.words = words};

    look_into(page, &search);
    return search.found;
}

static gboolean
fits(GtkListBoxRow *row, gpointer data)
{
    const Pages *pages = data;
    const char *words = gtk_entry_get_text(pages->search);

    return *words == '\0' || find_label(GTK_WIDGET(row), words) || find_label(page_of(row), words);
}

static void
on_search(GtkSearchEntry *entry, Pages *pages)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(pages->list);

    gtk_list_box_invalidate_filter(pages->list);
    if (row && fits(row, pages))
        return;
    for (int i = 0; (row = gtk_list_box_get_row_at_index(pages->list, i)); i++) {
        if (fits(row, pages)) {
            gtk_list_box_select_row(pages->list, row);
            return;
        }
    }
}

/* Escape: all pages again; then, as everywhere in a dialog, out of it. */
static void
on_stop(GtkSearchEntry *entry, gpointer data)
{
    GtkWidget *window = gtk_widget_get_toplevel(GTK_WIDGET(entry));

    if (*gtk_entry_get_text(GTK_ENTRY(entry)) != '\0')
        gtk_entry_set_text(GTK_ENTRY(entry), "");
    else if (GTK_IS_WINDOW(window))
        gtk_window_close(GTK_WINDOW(window));
}

/* The search is before the list, but not what a person comes for. */
static void
on_map(GtkWidget *widget, Pages *pages)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(pages->list);

    if (row)
        gtk_widget_grab_focus(GTK_WIDGET(row));
}

/* To the control: the one that the label names, or the one that it is in. */
static void
on_enter(GtkEntry *entry, Pages *pages)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(pages->list);
    const char *words = gtk_entry_get_text(entry);
    GtkWidget *label = row && *words ? find_label(page_of(row), words) : NULL;
    GtkWidget *control = label ? gtk_label_get_mnemonic_widget(GTK_LABEL(label)) : NULL;

    if (!control && label)
        control = gtk_widget_get_ancestor(label, GTK_TYPE_BUTTON);
    if (control)
        gtk_widget_child_focus(control, GTK_DIR_TAB_FORWARD);
    else if (row)
        gtk_widget_child_focus(page_of(row), GTK_DIR_TAB_FORWARD);
}

static gboolean
on_key(GtkWidget *window, GdkEventKey *event, GtkWidget *widget)
{
    if (event->keyval != GDK_KEY_f || !(event->state & GDK_CONTROL_MASK))
        return GDK_EVENT_PROPAGATE;
    gtk_widget_grab_focus(GTK_WIDGET(pages_of(widget)->search));
    return GDK_EVENT_STOP;
}

static void
on_hierarchy(GtkWidget *widget, GtkWidget *previous, gpointer data)
{
    GtkWidget *window = gtk_widget_get_toplevel(widget);

    if (previous)
        g_signal_handlers_disconnect_by_func(previous, on_key, widget);
    if (GTK_IS_WINDOW(window))
        g_signal_connect_object(window, "key-press-event", G_CALLBACK(on_key), widget, 0);
}

/* --- pages --- */
static void
on_selected(GtkListBox *list, GtkListBoxRow *row, Pages *pages)
{
    if (row)
        gtk_stack_set_visible_child(pages->stack, page_of(row));
}

void
widget_pages_add(GtkWidget *widget, const char *name, const char *title, GtkWidget *page)
{
    Pages *pages = pages_of(widget);
    GtkWidget *row = gtk_list_box_row_new(), *label = gtk_label_new(title);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    g_object_set(label, "margin", 6, NULL);
    gtk_container_add(GTK_CONTAINER(row), label);
    atk_object_set_name(gtk_widget_get_accessible(row), title);
    g_object_set_data(G_OBJECT(row), PAGE_DATA, page);
    gtk_widget_set_name(page, name);
    gtk_widget_show_all(page);
    gtk_widget_show_all(row);
    gtk_container_add(GTK_CONTAINER(pages->stack), page);
    gtk_container_add(GTK_CONTAINER(pages->list), row);
    if (!gtk_list_box_get_selected_row(pages->list))
        gtk_list_box_select_row(pages->list, GTK_LIST_BOX_ROW(row));
}

void
widget_pages_show(GtkWidget *widget, const char *name)
{
    Pages *pages = pages_of(widget);
    GtkListBoxRow *row;

    for (int i = 0; (row = gtk_list_box_get_row_at_index(pages->list, i)); i++) {
        if (g_strcmp0(gtk_widget_get_name(page_of(row)), name) == 0)
            gtk_list_box_select_row(pages->list, row);
    }
    if (gtk_widget_get_mapped(widget))
        on_map(widget, pages);
}

GtkWidget *
widget_pages_place(GtkWidget *widget)
{
    return GTK_WIDGET(pages_of(widget)->stack);
}

/* --- building --- */
static GtkWidget *
build_side(Pages *pages)
{
    GtkWidget *side = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *nothing = gtk_label_new(_("No page has these words"));

    pages->search = GTK_ENTRY(gtk_search_entry_new());
    pages->list = GTK_LIST_BOX(gtk_list_box_new());
    gtk_entry_set_placeholder_text(pages->search, _("Search"));
    gtk_entry_set_width_chars(pages->search, 8);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(pages->search)), _("Search"));
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(pages->list)), _("Pages"));
    g_object_set(pages->search, "margin", 6, NULL);
    g_object_set(nothing, "margin", 12, "wrap", TRUE, "visible", TRUE, NULL);
    gtk_list_box_set_selection_mode(pages->list, GTK_SELECTION_BROWSE);
    gtk_list_box_set_placeholder(pages->list, nothing);
    gtk_list_box_set_filter_func(pages->list, fits, pages, NULL);
    gtk_widget_set_size_request(side, LIST_WIDTH, -1);
    gtk_style_context_add_class(gtk_widget_get_style_context(side), "sidebar");
    gtk_box_pack_start(GTK_BOX(side), GTK_WIDGET(pages->search), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(side), GTK_WIDGET(pages->list), TRUE, TRUE, 0);
    return side;
}

GtkWidget *
widget_pages_new(void)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
    Pages *pages = g_new0(Pages, 1);

    gtk_box_pack_start(GTK_BOX(box), build_side(pages), FALSE, FALSE, 0);
    pages->stack = GTK_STACK(gtk_stack_new());
    gtk_stack_set_transition_type(pages->stack, GTK_STACK_TRANSITION_TYPE_CROSSFADE);
    gtk_box_pack_start(GTK_BOX(box), GTK_WIDGET(pages->stack), TRUE, TRUE, 0);
    g_object_set_data_full(G_OBJECT(box), PAGES_DATA, pages, g_free);
    g_signal_connect(pages->search, "search-changed", G_CALLBACK(on_search), pages);
    g_signal_connect(pages->search, "stop-search", G_CALLBACK(on_stop), NULL);
    g_signal_connect(pages->search, "activate", G_CALLBACK(on_enter), pages);
    widget_list_tab_passes(pages->list);
    g_signal_connect(pages->list, "row-selected", G_CALLBACK(on_selected), pages);
    g_signal_connect_after(box, "map", G_CALLBACK(on_map), pages);
    g_signal_connect(box, "hierarchy-changed", G_CALLBACK(on_hierarchy), NULL);
    gtk_widget_show_all(box);
    return box;
}
