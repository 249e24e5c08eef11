/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Words, icons and units for machines. */
#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

const char *
widget_state_name(VitrineMachineState state)
{
    switch (state) {
    case VITRINE_MACHINE_STATE_POWERED_OFF: return _("Powered off");
    case VITRINE_MACHINE_STATE_SAVED: return _("Saved");
    case VITRINE_MACHINE_STATE_ABORTED: return _("Aborted");
    case VITRINE_MACHINE_STATE_ABORTED_SAVED: return _("Aborted, saved");
    case VITRINE_MACHINE_STATE_RUNNING: return _("Running");
    case VITRINE_MACHINE_STATE_PAUSED: return _("Paused");
    case VITRINE_MACHINE_STATE_STUCK: return _("Stopped by a triple fault");
    case VITRINE_MACHINE_STATE_STARTING: return _("Starting…");
    case VITRINE_MACHINE_STATE_STOPPING: return _("Switching off…");
    case VITRINE_MACHINE_STATE_SAVING: return _("Saving…");
    case VITRINE_MACHINE_STATE_RESTORING: return _("Restoring…");
    }
    return "";
}

const char *
widget_state_icon(VitrineMachineState state)
{
    switch (state) {
    case VITRINE_MACHINE_STATE_RUNNING: return "media-playback-start-symbolic";
    case VITRINE_MACHINE_STATE_PAUSED: return "media-playback-pause-symbolic";
    case VITRINE_MACHINE_STATE_SAVED: return "document-save-symbolic";
    case VITRINE_MACHINE_STATE_ABORTED:
    case VITRINE_MACHINE_STATE_ABORTED_SAVED:
    case VITRINE_MACHINE_STATE_STUCK: return "dialog-warning-symbolic";
    case VITRINE_MACHINE_STATE_POWERED_OFF: return "system-shutdown-symbolic";
    default: return "emblem-synchronizing-symbolic";
    }
}

static char *
duration(gint64 seconds)
{
    if (seconds < 60)
        return g_strdup(_("less than a minute"));
    if (seconds < 3600)
        return g_strdup_printf(_("%d min"), (int)(seconds / 60));
    if (seconds < 48 * 3600)
        return g_strdup_printf(_("%d h"), (int)(seconds / 3600));
    return g_strdup_printf(ngettext("%d day", "%d days", (gulong)(seconds / 86400)),
                           (int)(seconds / 86400));
}

char *
widget_age(gint64 unix_seconds)
{
    gint64 seconds = g_get_real_time() / G_USEC_PER_SEC - unix_seconds;
    g_autofree char *text = NULL;

    if (seconds < 60)
        return g_strdup(_("just now"));
    text = duration(seconds);
    return g_strdup_printf(_("%s ago"), text);
}

char *
widget_state_line(VitrineMachine *machine)
{
    VitrineMachineState state = vitrine_machine_get_state(machine);
    gint64 since = vitrine_machine_get_last_state_change(machine);
    g_autofree char *text = NULL;

    if (!vitrine_machine_get_accessible(machine))
        return g_strdup(_("Can't be read"));
    if (since <= 0 || state == VITRINE_MACHINE_STATE_POWERED_OFF)
        return g_strdup(widget_state_name(state));
    if (state == VITRINE_MACHINE_STATE_RUNNING)
        text = duration(MAX(g_get_real_time() / G_USEC_PER_SEC - since, 0));
    else
        text = widget_age(since);
    return g_strdup_printf("%s – %s", widget_state_name(state), text);
}

char *
widget_megabytes(guint64 mebibytes)
{
    if (mebibytes < 1024)
        return g_strdup_printf(_("%d MB"), (int)mebibytes);
    if (mebibytes % 1024 == 0)
        return g_strdup_printf(_("%d GB"), (int)(mebibytes / 1024));
    return g_strdup_printf(_("%.1f GB"), (double)mebibytes / 1024);
}

const char *
widget_os_icon(const char *os_type)
{
    static const struct {
        const char *family, *icon;
    } rows[] = {
        {"BSD", "vitrine-os-bsd"},         {"Linux", "vitrine-os-linux"},
        {"MacOS", "vitrine-os-mac"},       {"Solaris", "vitrine-os-solaris"},
        {"Windows", "vitrine-os-windows"},
    };
    const VitrineOsType *type = vitrine_os_type_find(os_type);

    if (type && g_str_has_prefix(type->id, "DOS"))
        return "vitrine-os-dos";
    for (guint i = 0; type && i < G_N_ELEMENTS(rows); i++) {
        if (g_ascii_strcasecmp(rows[i].family, type->family_id) == 0)
            return rows[i].icon;
    }
    return "vitrine-os-other";
}

const char *
widget_os_name(const char *os_type)
{
    const VitrineOsType *type = vitrine_os_type_find(os_type);

    return type ? type->description : os_type;
}

void
widget_set_name(GtkWidget *widget, const char *name)
{
    atk_object_set_name(gtk_widget_get_accessible(widget), name);
    gtk_widget_set_tooltip_text(widget, name);
}
