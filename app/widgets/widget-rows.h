/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A list of a few things with buttons beside it that add, change, remove and move them. */
#pragma once

#include <gtk/gtk.h>

/* What a row says. */
typedef struct {
    gboolean active;     /* of kinds that toggle */
    const char *text;    /* its name */
    const char *details; /* the rest, paler; the row's tooltip */
} WidgetRow;

/* Words are marked with N_(). All functions get the list's data; `at` counts from 0. After a change
 * the owner calls widget_rows_show(). */
typedef struct {
    const char *name; /* for assistive technology */
    const char *icon; /* of the empty list */
    const char *add, *edit, *remove;
    const char *up, *down; /* NULL: the order is of no interest */
    int height;            /* at least, in pixels */
    int text_width;        /* room for the name, in characters; the details have the rest */
    /* Tells what a row says. */
    void (*describe)(gpointer data, guint at, void (*say)(const WidgetRow *row, gpointer to),
                     gpointer to);
    void (*on_add)(gpointer data);
    void (*on_edit)(gpointer data, guint at);
    void (*on_remove)(gpointer data, guint at);
    void (*on_move)(gpointer data, guint at, guint to);
    void (*on_toggle)(gpointer data, guint at); /* NULL: rows have no check boxes */
} WidgetRowsKind;

/* kind lives as long as the list; empty: what stands where there are no rows, translated; data is
 * not its own. */
GtkWidget *widget_rows_new(const WidgetRowsKind *kind, const char *empty, gpointer data);
/* Shows so many rows anew; the one at `selected` is selected, if there is one. */
void widget_rows_show(GtkWidget *rows, guint count, int selected);
/* One more button, below the one that adds. */
void widget_rows_add_button(GtkWidget *rows, GtkWidget *button);
