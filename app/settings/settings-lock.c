/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each control that was locked once, or was opened, carries a record of its own. */
#include "app/settings/settings-lock.h"

#define LOCK_DATA "settings-lock"

typedef struct {
    guint states;      /* in which it is open */
    gboolean is_unit;  /* opened by its page: what is in it follows */
    gboolean possible; /* what its page says */
    gboolean locked;
    char *tooltip; /* of its own, while it is locked */
} Lock;

typedef struct {
    SettingsState state;
    const char *reason;
} Application;

static void
lock_free(gpointer data)
{
    Lock *lock = data;

    g_free(lock->tooltip);
    g_free(lock);
}

static Lock *
lock_of(GtkWidget *control)
{
    Lock *lock = g_object_get_data(G_OBJECT(control), LOCK_DATA);

    if (lock == NULL) {
        lock = g_new0(Lock, 1);
        lock->possible = gtk_widget_get_sensitive(control);
        g_object_set_data_full(G_OBJECT(control), LOCK_DATA, lock, lock_free);
    }
    return lock;
}

void
settings_lock_open(GtkWidget *control, guint states)
{
    Lock *lock = lock_of(control);

    lock->states = states;
    lock->is_unit = TRUE;
}

void
settings_lock_set_possible(GtkWidget *control, gboolean possible, const char *tooltip)
{
    Lock *lock = lock_of(control);

    lock->possible = possible;
    gtk_widget_set_sensitive(control, possible && !lock->locked);
    if (lock->locked) {
        g_free(lock->tooltip);
        lock->tooltip = g_strdup(tooltip);
    } else {
        gtk_widget_set_tooltip_text(control, tooltip);
    }
}

static void
set_locked(GtkWidget *control, Lock *lock, const Application *wanted)
{
    const gboolean locked = wanted->state != SETTINGS_FREE && !(wanted->state & lock->states);

    if (locked && !lock->locked) {
        g_free(lock->tooltip);
        lock->tooltip = gtk_widget_get_tooltip_text(control);
    }
    if (locked)
        gtk_widget_set_tooltip_text(control, wanted->reason);
    else if (lock->locked)
        gtk_widget_set_tooltip_text(control, lock->tooltip);
    lock->locked = locked;
    gtk_widget_set_sensitive(control, lock->possible && !locked);
}

/* Whether controls are looked for in it. */
static gboolean
is_place(GtkWidget *widget)
{
    return GTK_IS_CONTAINER(widget) && !GTK_IS_BUTTON(widget) && !GTK_IS_COMBO_BOX(widget) &&
           !GTK_IS_TREE_VIEW(widget) && !GTK_IS_TEXT_VIEW(widget);
}

static void
apply(GtkWidget *widget, gpointer data)
{
    const Lock *lock = g_object_get_data(G_OBJECT(widget), LOCK_DATA);
    const gboolean is_unit = lock != NULL && lock->is_unit;

    if (GTK_IS_LABEL(widget) || GTK_IS_IMAGE(widget) || GTK_IS_SEPARATOR(widget))
        return;
    if (!is_unit && is_place(widget))
        gtk_container_foreach(GTK_CONTAINER(widget), apply, data);
    else
        set_locked(widget, lock_of(widget), data);
}

void
settings_lock_apply(GtkWidget *place, SettingsState state, const char *reason)
{
    Application wanted = {state, reason};

    apply(place, &wanted);
}
