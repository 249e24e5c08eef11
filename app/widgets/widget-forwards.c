/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of forwarded ports. */
#include "app/widgets/widget-forwards.h"

#include "app/widgets/widget-table.h"

#include <glib/gi18n.h>
#include <string.h>

enum {
    COLUMN_NAME,
    COLUMN_PROTOCOL,
    COLUMN_HOST_IP,
    COLUMN_HOST_PORT,
    COLUMN_GUEST_IP,
    COLUMN_GUEST_PORT,
    COLUMN_COUNT
};

typedef struct {
    WidgetForwardsChanged changed;
    gpointer data;
    GDestroyNotify free_data;
} Forwards;

static const WidgetTableChoice protocols[] = {{"tcp", "TCP"}, {"udp", "UDP"}, {NULL, NULL}};

static void
forwards_free(gpointer data)
{
    Forwards *forwards = data;

    if (forwards->free_data != NULL)
        forwards->free_data(forwards->data);
    g_free(forwards);
}

/* A comma is between two words, and a line ends a rule. */
static void
on_changed(WidgetTable *table, gpointer data)
{
    Forwards *forwards = data;
    g_autoptr(GString) lines = g_string_new(NULL);

    for (guint i = 0; i < widget_table_get_length(table); i++) {
        for (guint column = 0; column < COLUMN_COUNT; column++) {
            g_autofree char *text = widget_table_get_text(table, i, column);
            g_string_append_printf(lines, "%s%s",
                                   column ? ","
                                   : i    ? "\n"
                                          : "",
                                   g_strdelimit(text, ",\n\r", ' '));
        }
    }
    forwards->changed(forwards->data, lines->str);
}

/* A name that no rule has. */
static char *
free_name(const WidgetTable *table)
{
    for (guint number = widget_table_get_length(table) + 1;; number++) {
        g_autofree char *name = g_strdup_printf(_("Rule %u"), number);
        gboolean taken = FALSE;

        for (guint i = 0; i < widget_table_get_length(table); i++) {
            g_autofree char *other = widget_table_get_text(table, i, COLUMN_NAME);
            taken = taken || g_str_equal(other, name);
        }
        if (!taken)
            return g_steal_pointer(&name);
    }
}

static void
fill_new(WidgetTable *table, char **texts, gpointer data)
{
    for (guint column = 0; column < COLUMN_COUNT; column++)
        texts[column] = column == COLUMN_NAME ? free_name(table)
                                              : g_strdup(column == COLUMN_PROTOCOL ? "tcp" : "");
}

static void
add_lines(WidgetTable *table, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, ",", COLUMN_COUNT);

        if (g_strv_length(words) == COLUMN_COUNT)
            widget_table_add(table, (const char *const *)words);
    }
}

GtkWidget *
widget_forwards_new(const char *lines, gboolean first, WidgetForwardsChanged changed, gpointer data,
                    GDestroyNotify free_data)
{
    /* clang-format off */
    const WidgetTableColumn columns[COLUMN_COUNT] = {
        {N_("Name"),          NULL,      NULL,                       8, 0, TRUE,  FALSE},
        {N_("Protocol"),      protocols, NULL,                       0, 0, FALSE, FALSE},
        {N_("Host address"),  NULL,      N_("Any"),                  8, 0, TRUE,  FALSE},
        {N_("Host port"),     NULL,      NULL,                       5, 5, FALSE, FALSE},
        {N_("Guest address"), NULL,      first ? N_("First") : NULL, 8, 0, TRUE,  FALSE},
        {N_("Guest port"),    NULL,      NULL,                       5, 5, FALSE, FALSE},
    };
    /* clang-format on */
    const WidgetTableKind kind = {
        columns,
        COLUMN_COUNT,
        COLUMN_HOST_PORT,
        N_("_Forward a port"),
        N_("What reaches this port of the host goes to the guest"),
        N_("Rule %u: %s"),
        N_("Remove rule %u"),
        /* Among a machine's settings it would push the button out of sight. */
        first ? NULL : "network-transmit-receive-symbolic",
        N_("No ports are forwarded."),
        N_("What reaches a forwarded port of the host goes to the guest, such as from port 2222 to "
           "port 22 of the guest for SSH. Nothing else reaches the guest from outside."),
    };
    Forwards *forwards = g_new(Forwards, 1);
    WidgetTable *table;

    *forwards = (Forwards){changed, data, free_data};
    table = widget_table_new(&kind, on_changed, fill_new, forwards, forwards_free);
    add_lines(table, lines);
    return widget_table_get_widget(table);
}
