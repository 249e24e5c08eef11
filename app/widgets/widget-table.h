/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A short table that is edited where it stands: a row of entries and choices for each thing, so
 * that everything is reached with the Tab key, and a button that adds one. */
#pragma once

#include <gtk/gtk.h>

#define WIDGET_TABLE_COLUMNS 8

typedef struct {
    const char *id;
    const char *title; /* N_() */
} WidgetTableChoice;

typedef struct {
    const char *title;                /* N_() */
    const WidgetTableChoice *choices; /* one of them, to an id NULL; NULL: a text */
    const char *placeholder;          /* N_(), of an empty text; NULL: none */
    int width;                        /* of a text, in characters */
    int longest;                      /* the same; 0: any */
    gboolean wide;                    /* takes what is left */
    gboolean other;                   /* something else than the choices can be typed */
} WidgetTableColumn;

typedef struct {
    const WidgetTableColumn *columns;
    guint count;
    guint first;            /* the column to begin with in a new row */
    const char *add;        /* N_(), with a mnemonic */
    const char *tooltip;    /* N_(), of the button that adds */
    const char *cell;       /* N_("Rule %u: %s"), for assistive technology */
    const char *remove;     /* N_("Remove rule %u") */
    const char *icon;       /* of the table without rows; NULL: it shows nothing then */
    const char *empty;      /* N_(), what it says then */
    const char *invitation; /* N_(), what rows would be for */
} WidgetTableKind;

typedef struct WidgetTable WidgetTable;

/* A row was added, changed or removed. */
typedef void (*WidgetTableChanged)(WidgetTable *table, gpointer data);
/* What a new row says: texts[column] is set, as for g_free(). */
typedef void (*WidgetTableFill)(WidgetTable *table, char **texts, gpointer data);

/* kind is copied, what it points to is not, but for the columns. free_data (may be NULL) is called
 * with data when the widget goes, and the table with it. */
WidgetTable *widget_table_new(const WidgetTableKind *kind, WidgetTableChanged changed,
                              WidgetTableFill fill, gpointer data, GDestroyNotify free_data);
GtkWidget *widget_table_get_widget(WidgetTable *table);
/* texts: one for each column; of a choice its id. Is no change. */
void widget_table_add(WidgetTable *table, const char *const *texts);
guint widget_table_get_length(const WidgetTable *table);
/* Without spaces around it; of a choice its id, or what was typed instead; g_free(). */
char *widget_table_get_text(const WidgetTable *table, guint row, guint column);
