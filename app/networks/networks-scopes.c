/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whom a DHCP server's settings are for: see the header. */
#include "app/networks/networks-scopes.h"

#include "app/widgets/widget-network.h"

#include <glib/gi18n.h>
#include <string.h>

#define GROUP_LINE "group 1" /* there is this group */

static const char *const prefixes[] = {
    [NETWORKS_EVERYONE] = "global",
    [NETWORKS_GROUP] = "group:",
    [NETWORKS_MACHINE] = "vm:",
    [NETWORKS_CARD] = "mac:",
};

static void
scope_free(gpointer data)
{
    NetworksScope *scope = data;

    g_free(scope->name);
    g_free(scope->lines);
    g_free(scope);
}

NetworksScope *
networks_scope_new(NetworksScopeKind kind, const char *name)
{
    NetworksScope *scope = g_new(NetworksScope, 1);

    *scope = (NetworksScope){kind, g_strdup(name), g_strdup("")};
    return scope;
}

/* --- from and to lines --- */

static gboolean
is_same(const NetworksScope *scope, NetworksScopeKind kind, const char *name)
{
    return scope->kind == kind && g_str_equal(scope->name, name);
}

static NetworksScope *
find_scope(GPtrArray *scopes, NetworksScopeKind kind, const char *name)
{
    for (guint i = 0; i < scopes->len; i++) {
        if (is_same(scopes->pdata[i], kind, name))
            return scopes->pdata[i];
    }
    g_ptr_array_add(scopes, networks_scope_new(kind, name));
    return scopes->pdata[scopes->len - 1];
}

/* The scope of a line's first word, which is made if need be. NULL: it is none. */
static NetworksScope *
scope_of(GPtrArray *scopes, const char *word)
{
    for (guint kind = NETWORKS_EVERYONE; kind < G_N_ELEMENTS(prefixes); kind++) {
        const char *rest = word + strlen(prefixes[kind]);
        g_autofree char *name = NULL;

        if (!g_str_has_prefix(word, prefixes[kind]))
            continue;
        name = kind == NETWORKS_GROUP ? g_uri_unescape_string(rest, NULL) : g_strdup(rest);
        return find_scope(scopes, kind, name != NULL ? name : rest);
    }
    return NULL;
}

static void
add_line(NetworksScope *scope, const char *line)
{
    char *longer = g_strconcat(scope->lines, *scope->lines != '\0' ? "\n" : "", line, NULL);

    g_free(scope->lines);
    scope->lines = longer;
}

GPtrArray *
networks_scopes_read(const char *configs)
{
    GPtrArray *scopes = g_ptr_array_new_with_free_func(scope_free);
    g_auto(GStrv) lines = g_strsplit(configs, "\n", -1);

    find_scope(scopes, NETWORKS_EVERYONE, "");
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 2);
        NetworksScope *scope = g_strv_length(words) == 2 ? scope_of(scopes, words[0]) : NULL;

        if (scope != NULL && !(scope->kind == NETWORKS_GROUP && g_str_equal(words[1], GROUP_LINE)))
            add_line(scope, words[1]);
    }
    return scopes;
}

static void
write_scope(const NetworksScope *scope, GString *text)
{
    g_autofree char *escaped = scope->kind == NETWORKS_GROUP
                                   ? g_uri_escape_string(scope->name, NULL, TRUE)
                                   : g_strdup(scope->name);
    g_auto(GStrv) lines = g_strsplit(scope->lines, "\n", -1);
    const char *before = text->len != 0 ? "\n" : "";

    if (scope->kind == NETWORKS_GROUP) {
        g_string_append_printf(text, "%s%s%s " GROUP_LINE, before, prefixes[scope->kind], escaped);
        before = "\n";
    }
    for (char **line = lines; *line != NULL; line++) {
        if (**line == '\0')
            continue;
        g_string_append_printf(text, "%s%s%s %s", before, prefixes[scope->kind], escaped, *line);
        before = "\n";
    }
}

char *
networks_scopes_write(const GPtrArray *scopes)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < scopes->len; i++)
        write_scope(scopes->pdata[i], text);
    return g_string_free(text, FALSE);
}

char *
networks_scope_get(const NetworksScope *scope, const char *word)
{
    g_auto(GStrv) lines = g_strsplit(scope->lines, "\n", -1);
    g_autofree char *start = g_strconcat(word, " ", NULL);

    for (char **line = lines; *line != NULL; line++) {
        if (g_str_has_prefix(*line, start))
            return g_strdup(*line + strlen(start));
    }
    return NULL;
}

/* --- what is wrong --- */

static char *
name_problem(const NetworksScope *scope)
{
    if (scope->kind == NETWORKS_GROUP && *scope->name == '\0')
        return g_strdup(_("A group of DHCP clients needs a name."));
    if (scope->kind == NETWORKS_CARD &&
        (strlen(scope->name) != 12 || strspn(scope->name, "0123456789ABCDEF") != 12))
        return g_strdup(_("A network card's address has twelve hexadecimal digits, such as "
                          "08:00:27:A1:B2:C3."));
    return NULL;
}

/* An option that is said twice. */
static char *
lines_problem(const NetworksScope *scope)
{
    g_auto(GStrv) lines = g_strsplit(scope->lines, "\n", -1);
    g_autoptr(GHashTable) said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);

        if (g_strv_length(words) >= 2 &&
            (g_str_equal(words[0], "option") || g_str_equal(words[0], "hex")) &&
            !g_hash_table_add(said, g_strdup(words[1])))
            return g_strdup_printf(_("DHCP option %s is there twice."), words[1]);
    }
    return NULL;
}

char *
networks_scopes_problem(const GPtrArray *scopes)
{
    for (guint i = 0; i < scopes->len; i++) {
        const NetworksScope *scope = scopes->pdata[i];
        char *problem = name_problem(scope);

        for (guint other = 0; problem == NULL && other < i; other++) {
            if (is_same(scopes->pdata[other], scope->kind, scope->name))
                problem = g_strdup(_("A group or network card has DHCP options twice."));
        }
        if (problem == NULL)
            problem = lines_problem(scope);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

/* --- for the reader --- */

static char *
machine_title(const char *name, VitrineClient *client)
{
    g_auto(GStrv) parts = g_strsplit(name, "/", 2);
    const gboolean whole = g_strv_length(parts) == 2;
    VitrineMachine *machine = whole ? vitrine_client_find_machine(client, parts[0]) : NULL;

    return g_strdup_printf(_("Machine “%s”, network card %u"),
                           machine != NULL ? vitrine_machine_get_name(machine)
                           : whole         ? parts[0]
                                           : name,
                           whole ? (guint)g_ascii_strtoull(parts[1], NULL, 10) + 1 : 1);
}

char *
networks_scope_title(const NetworksScope *scope, VitrineClient *client)
{
    g_autofree char *mac = widget_mac_text(scope->name);

    switch (scope->kind) {
    case NETWORKS_EVERYONE: return g_strdup(_("Everyone"));
    case NETWORKS_GROUP: return g_strdup_printf(_("Group “%s”"), scope->name);
    case NETWORKS_MACHINE: return machine_title(scope->name, client);
    default: return g_strdup_printf(_("Network card %s"), mac);
    }
}
