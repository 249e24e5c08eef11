/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The media of one kind as rows; an image that stands on another is its child. */
#pragma once

#include "app/media/media-users.h"

#include <gtk/gtk.h>

enum {
    MEDIA_COLUMN_MEDIUM,    /* VitrineMedium */
    MEDIA_COLUMN_ICON,      /* name */
    MEDIA_COLUMN_NAME,      /* of the file, or what a snapshot's image is */
    MEDIA_COLUMN_SIZE,      /* as the guest sees it: "20 GB" */
    MEDIA_COLUMN_FILE_SIZE, /* that it takes on the host */
    MEDIA_COLUMN_USED_BY,   /* machines and their snapshots */
    MEDIA_COLUMN_COUNT
};

GtkTreeStore *media_tree_new(void);
void media_tree_fill(GtkTreeStore *store, VitrineClient *client, MediaUsers *users,
                     VitrineMediumKind kind);
/* The row of a medium, by its UUID. False: there is none. */
gboolean media_tree_find(GtkTreeStore *store, const char *id, GtkTreeIter *found);

/* What a person sees of a tree: which branches are closed, what is selected. */
typedef struct MediaTreeMarks MediaTreeMarks;

/* Remembers it before the tree is filled again. */
MediaTreeMarks *media_tree_mark(GtkTreeView *view);
/* Makes it so again, and frees the marks. Branches that are new are open; in the place of a
 * selected row that has gone, the one before it is selected. */
void media_tree_return(GtkTreeView *view, MediaTreeMarks *marks);
/* Selects a row and opens the branches that it is in. */
void media_tree_select(GtkTreeView *view, GtkTreeIter *row);
/* "20 GB", "8 KB"; "" for 0. g_free(). */
char *media_size(guint64 bytes);
