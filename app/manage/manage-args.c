/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Takes a command line apart; see manage-args.h. Leaves out: bundled short options. */
#include "app/manage/manage-args.h"

#include "app/api/vitrine-network.h"

#include <string.h>

GQuark
manage_syntax_error_quark(void)
{
    return g_quark_from_static_string("manage-syntax-error");
}

const char *
manage_args_take(ManageArgs *args)
{
    return args->at < args->count ? args->words[args->at++] : NULL;
}

static bool
is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static const char *
skip_dashes(const char *text)
{
    while (*text == '-')
        text++;
    return text;
}

/* Up to 99; 0 when there is no such number. The end is in *rest. */
static guint
take_index(const char *text, const char **rest)
{
    guint index = 0;
    for (*rest = text; g_ascii_isdigit(**rest) && index < 10; (*rest)++)
        index = index * 10 + (guint)(**rest - '0');
    return index;
}

/* Where the option's name ends in word, or NULL when it is another option. */
static const char *
match(const char *word, const char *pattern, guint *index)
{
    word = skip_dashes(word);
    for (; *pattern; pattern++) {
        if (*pattern == '#') {
            *index = take_index(skip_dashes(word), &word);
            return *index ? word : NULL;
        }
        word = skip_dashes(word);
        if (g_ascii_tolower(*word) != *pattern)
            return NULL;
        word++;
    }
    return word;
}

bool
manage_args_take_option(ManageArgs *args, const char *pattern, guint *index)
{
    guint ignored;
    const char *word = args->at < args->count ? args->words[args->at] : NULL;
    if (word == NULL || !is_option(word))
        return false;
    const char *rest = match(word, pattern, index ? index : &ignored);
    if (rest == NULL || (*rest != '\0' && *rest != '='))
        return false;
    args->option = word;
    args->value = *rest == '=' ? rest + 1 : NULL;
    args->at++;
    return true;
}

bool
manage_args_text(ManageArgs *args, const char **text, GError **error)
{
    *text = args->value ? args->value : manage_args_take(args);
    args->value = NULL;
    if (*text == NULL)
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "The option %s needs a value.", args->option);
    return *text != NULL;
}

bool
manage_args_field(ManageArgs *args, char **field, GError **error)
{
    const char *text;

    if (!manage_args_text(args, &text, error))
        return false;
    vitrine_adapter_set_text(field, text);
    return true;
}

bool
manage_args_switch(ManageArgs *args, bool *on, GError **error)
{
    static const char *const yes[] = {"on", "yes", "true", "1", "enable", "enabled", NULL};
    static const char *const no[] = {"off", "no", "false", "0", "disable", "disabled", NULL};
    const char *text;
    if (!manage_args_text(args, &text, error))
        return false;
    g_autofree char *lower = g_ascii_strdown(text, -1);
    *on = g_strv_contains(yes, lower);
    if (*on || g_strv_contains(no, lower))
        return true;
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s is on or off, not '%s'.", args->option, text);
    return false;
}

bool
manage_parse_number(const char *text, guint64 *number)
{
    bool hex = g_ascii_strncasecmp(text, "0x", 2) == 0;
    return g_ascii_string_to_unsigned(hex ? text + 2 : text, hex ? 16 : 10, 0, G_MAXUINT64, number,
                                      NULL);
}

bool
manage_args_number(ManageArgs *args, guint64 *number, GError **error)
{
    const char *text;
    if (!manage_args_text(args, &text, error))
        return false;
    if (manage_parse_number(text, number))
        return true;
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s needs a number, not '%s'.", args->option, text);
    return false;
}

static bool
store(ManageArgs *args, const ManageOption *option, gpointer fields, GError **error)
{
    gpointer field = (guint8 *)fields + option->offset;
    bool on = false;
    switch (option->kind) {
    case MANAGE_TEXT: return manage_args_text(args, field, error);
    case MANAGE_NUMBER:
        ((ManageNumber *)field)->given = true;
        return manage_args_number(args, &((ManageNumber *)field)->value, error);
    case MANAGE_SWITCH:
        if (!manage_args_switch(args, &on, error))
            return false;
        *(ManageSwitch *)field = on ? MANAGE_ON : MANAGE_OFF;
        return true;
    case MANAGE_FLAG:
        if (args->value) {
            g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s: this option takes no value.",
                        args->option);
            return false;
        }
        *(bool *)field = true;
        return true;
    }
    return false;
}

static const ManageOption *
find(ManageArgs *args, const ManageOption *options)
{
    for (; options->name; options++) {
        if (manage_args_take_option(args, options->name, NULL))
            return options;
    }
    return NULL;
}

bool
manage_args_parse(ManageArgs *args, const ManageOption *options, gpointer fields,
                  const char **words, guint least, guint most, GError **error)
{
    guint found = 0;
    for (guint i = 0; i < most; i++)
        words[i] = NULL;
    while (args->at < args->count) {
        const ManageOption *option = find(args, options);
        if (option) {
            if (!store(args, option, fields, error))
                return false;
            continue;
        }
        const char *word = manage_args_take(args);
        if (is_option(word) || found == most) {
            g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                        is_option(word) ? "Unknown option: %s" : "Invalid parameter '%s'", word);
            return false;
        }
        words[found++] = word;
    }
    if (found < least)
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Too few parameters: %u of %u are missing.",
                    least - found, least);
    return found >= least;
}
