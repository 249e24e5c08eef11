/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DHCP options (RFC 2132) and conditions of groups as tables. Known options have a name; every
 * other one is chosen by its number. */
#include "app/networks/networks-scope-tables.h"

#include "app/widgets/widget-network.h"

#include <glib/gi18n.h>
#include <string.h>

/* --- options --- */

enum { OPTION_NUMBER, OPTION_VALUE, OPTION_FORM, OPTION_SENT, OPTION_COUNT };

/* clang-format off */
static const WidgetTableChoice numbers[] = {
    {"1",  N_("1 Network mask")},     {"3",  N_("3 Routers")},        {"6",  N_("6 Name servers")},
    {"12", N_("12 Name of the host")}, {"15", N_("15 Domain")},        {"26", N_("26 MTU")},
    {"28", N_("28 Broadcast address")}, {"42", N_("42 Time servers")}, {"44", N_("44 WINS servers")},
    {"60", N_("60 Vendor class")},    {"66", N_("66 TFTP server")},   {"67", N_("67 Boot file")},
    {NULL, NULL},
};
/* As the lines of the settings say it. */
static const WidgetTableChoice forms[] = {
    {"option", N_("Text")}, {"hex", N_("Hexadecimal")}, {NULL, NULL},
};
static const WidgetTableChoice sendings[] = {
    {"asked", N_("When asked for")}, {"force", N_("Always")}, {"suppress", N_("Never")}, {NULL, NULL},
};
static const WidgetTableColumn option_columns[OPTION_COUNT] = {
    {N_("Option"),     numbers,  NULL, 18, 0, TRUE,  TRUE},
    {N_("Value"),      NULL,     NULL, 12, 0, TRUE,  FALSE},
    {N_("Written as"), forms,    NULL, 0,  0, FALSE, FALSE},
    {N_("Is sent"),    sendings, NULL, 0,  0, FALSE, FALSE},
};
/* clang-format on */

static guint
find_option(const GPtrArray *rows, const char *number)
{
    guint row = 0;

    while (row < rows->len && !g_str_equal(((char **)rows->pdata[row])[OPTION_NUMBER], number))
        row++;
    return row;
}

static void
set(char **row, guint column, const char *text)
{
    g_free(row[column]);
    row[column] = g_strdup(text);
}

/* words: of a line. Marks and the value of an option are in one row. */
static void
read_option(GPtrArray *rows, char **words)
{
    const gboolean marked = g_str_equal(words[0], "force") || g_str_equal(words[0], "suppress");
    const guint at = find_option(rows, words[1]);
    char **row;

    if (!marked && !g_str_equal(words[0], "option") && !g_str_equal(words[0], "hex"))
        return;
    if (at == rows->len) {
        row = g_new0(char *, OPTION_COUNT + 1);
        set(row, OPTION_NUMBER, words[1]);
        set(row, OPTION_VALUE, "");
        set(row, OPTION_FORM, "option");
        set(row, OPTION_SENT, "asked");
        g_ptr_array_add(rows, row);
    }
    row = rows->pdata[at];
    if (marked) {
        set(row, OPTION_SENT, words[0]);
        return;
    }
    set(row, OPTION_FORM, words[0]);
    set(row, OPTION_VALUE, words[2] != NULL ? words[2] : "");
}

static void
fill_option(WidgetTable *table, char **texts, gpointer data)
{
    texts[OPTION_NUMBER] = g_strdup("");
    texts[OPTION_VALUE] = g_strdup("");
    texts[OPTION_FORM] = g_strdup("option");
    texts[OPTION_SENT] = g_strdup("asked");
}

WidgetTable *
networks_options_new(const NetworksScope *scope, WidgetTableChanged changed, gpointer data)
{
    const WidgetTableKind kind = {option_columns,
                                  OPTION_COUNT,
                                  OPTION_NUMBER,
                                  N_("Add an _option"),
                                  N_("What clients learn together with their address"),
                                  N_("Option %u: %s"),
                                  N_("Remove option %u")};
    WidgetTable *table = widget_table_new(&kind, changed, fill_option, data, NULL);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_auto(GStrv) lines = g_strsplit(scope->lines, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);

        if (g_strv_length(words) >= 2)
            read_option(rows, words);
    }
    for (guint i = 0; i < rows->len; i++)
        widget_table_add(table, rows->pdata[i]);
    return table;
}

void
networks_options_write(const WidgetTable *table, GString *lines)
{
    for (guint row = 0; row < widget_table_get_length(table); row++) {
        g_autofree char *number = widget_table_get_text(table, row, OPTION_NUMBER);
        g_autofree char *value = widget_table_get_text(table, row, OPTION_VALUE);
        g_autofree char *form = widget_table_get_text(table, row, OPTION_FORM);
        g_autofree char *sent = widget_table_get_text(table, row, OPTION_SENT);
        const gboolean marked = !g_str_equal(sent, "asked");

        g_strdelimit(number, " \t", '-'); /* it is one word, wrong or right */
        if (*value != '\0' || !marked)
            g_string_append_printf(lines, "%s %s %s\n", form, number, value);
        if (marked)
            g_string_append_printf(lines, "%s %s\n", sent, number);
    }
}

/* --- who is in a group --- */

enum { CONDITION_WORD, CONDITION_KIND, CONDITION_VALUE, CONDITION_COUNT };

/* clang-format off */
static const WidgetTableChoice condition_words[] = {
    {"include", N_("Are in it")}, {"exclude", N_("Are not in it")}, {NULL, NULL},
};
static const WidgetTableChoice condition_kinds[] = {
    {"mac",    N_("Card's address")}, {"mac-wild",    N_("Card's address, pattern")},
    {"vendor", N_("Vendor class")},   {"vendor-wild", N_("Vendor class, pattern")},
    {"user",   N_("User class")},     {"user-wild",   N_("User class, pattern")},
    {NULL, NULL},
};
static const WidgetTableColumn condition_columns[CONDITION_COUNT] = {
    {N_("Clients"),  condition_words, NULL, 0,  0, FALSE, FALSE},
    {N_("Known by"), condition_kinds, NULL, 0,  0, FALSE, FALSE},
    {N_("That is"),  NULL,            NULL, 14, 0, TRUE,  FALSE},
};
/* clang-format on */

static void
fill_condition(WidgetTable *table, char **texts, gpointer data)
{
    texts[CONDITION_WORD] = g_strdup("include");
    texts[CONDITION_KIND] = g_strdup("mac");
    texts[CONDITION_VALUE] = g_strdup("");
}

static void
add_condition(WidgetTable *table, char **words)
{
    g_autofree char *mac = widget_mac_text(words[CONDITION_VALUE]);
    const char *const texts[CONDITION_COUNT] = {
        words[CONDITION_WORD], words[CONDITION_KIND],
        g_str_equal(words[CONDITION_KIND], "mac") ? mac : words[CONDITION_VALUE]};

    widget_table_add(table, texts);
}

WidgetTable *
networks_conditions_new(const NetworksScope *scope, WidgetTableChanged changed, gpointer data)
{
    const WidgetTableKind kind = {
        condition_columns,
        CONDITION_COUNT,
        CONDITION_VALUE,
        N_("Add a _condition"),
        N_("In patterns a star is anything, a question mark any character"),
        N_("Condition %u: %s"),
        N_("Remove condition %u")};
    WidgetTable *table = widget_table_new(&kind, changed, fill_condition, data, NULL);
    g_auto(GStrv) lines = g_strsplit(scope->lines, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", CONDITION_COUNT);

        if (g_strv_length(words) == CONDITION_COUNT &&
            (g_str_equal(words[0], "include") || g_str_equal(words[0], "exclude")))
            add_condition(table, words);
    }
    return table;
}

void
networks_conditions_write(const WidgetTable *table, GString *lines)
{
    for (guint row = 0; row < widget_table_get_length(table); row++) {
        g_autofree char *word = widget_table_get_text(table, row, CONDITION_WORD);
        g_autofree char *kind = widget_table_get_text(table, row, CONDITION_KIND);
        g_autofree char *value = widget_table_get_text(table, row, CONDITION_VALUE);
        g_autofree char *plain =
            g_str_equal(kind, "mac") ? vitrine_plain_mac(value) : g_strdup(value);

        g_string_append_printf(lines, "%s %s %s\n", word, kind, plain);
    }
}
