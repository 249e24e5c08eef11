/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the window and its commands share. */
#pragma once

#include "app/media/media-users.h"
#include "app/media/media-window.h"

VitrineClient *media_window_get_client(MediaWindow *window);
MediaUsers *media_window_get_users(MediaWindow *window);
/* The kind whose tree is shown. */
VitrineMediumKind media_window_get_kind(MediaWindow *window);
/* NULL: none is selected. */
VitrineMedium *media_window_get_medium(MediaWindow *window);
/* Buttons that tell why they cannot be pressed. */
typedef enum {
    MEDIA_BUTTON_COPY,
    MEDIA_BUTTON_MOVE,
    MEDIA_BUTTON_RELEASE,
    MEDIA_BUTTON_REMOVE,
    MEDIA_BUTTON_RESIZE,
    MEDIA_BUTTON_COUNT
} MediaButton;
GtkWidget *media_window_get_button(MediaWindow *window, MediaButton button);
/* Shows it, among those of its kind; when it is not there yet, as soon as it comes. */
void media_window_select(MediaWindow *window, const char *id);
void media_window_show_error(MediaWindow *window, const char *summary, const GError *error);

/* Long work has begun: the window shows it; or it has not, and error says why. */
void media_window_follow(MediaWindow *window, VitrineProgress *progress, const GError *error,
                         const char *summary);
gboolean media_window_is_busy(MediaWindow *window);

/* ---- media-change.c: commands ---- */
void media_compact(GSimpleAction *action, GVariant *parameter, gpointer data);
void media_move(GSimpleAction *action, GVariant *parameter, gpointer data);
void media_resize(GSimpleAction *action, GVariant *parameter, gpointer data);

/* ---- media-release.c ---- */
void media_release(GSimpleAction *action, GVariant *parameter, gpointer data);

/* ---- media-repair.c ---- */
void media_repair(GSimpleAction *action, GVariant *parameter, gpointer data);
/* Whether the image is there, but is not the one that the registry means. */
gboolean media_can_repair(VitrineMedium *medium);

/* ---- media-commands.c ---- */
void media_window_add_commands(MediaWindow *window);
void media_window_update_commands(MediaWindow *window);
