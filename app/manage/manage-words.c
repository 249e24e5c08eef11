/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The words of the original's command line for the values of enumerations. */
#include "app/manage/manage-words.h"

#include "app/manage/manage-args.h"

typedef struct {
    GType (*type)(void);
    int value;
    const char *word;
    const char *phrase;
    const char *typed; /* on the command line, beside word; or NULL */
} Word;

#define WORD(type, value, word, phrase, typed)                                                     \
    {vitrine_##type##_get_type, value, word, phrase, typed},
static const Word words[] = {
#include "app/manage/manage-words.def"
};
#undef WORD

static const Word *
find(GType type, int value)
{
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (words[i].value == value && words[i].type() == type)
            return &words[i];
    }
    return NULL;
}

const char *
manage_word(GType type, int value)
{
    const Word *found = find(type, value);
    return found ? found->word : "";
}

const char *
manage_phrase(GType type, int value)
{
    const Word *found = find(type, value);
    return found ? found->phrase : "";
}

bool
manage_from_word(GType type, const char *word, int *value, GError **error)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        const Word *row = &words[i];
        if (row->type() != type)
            continue;
        if (g_ascii_strcasecmp(row->word, word) == 0 ||
            (row->typed && g_ascii_strcasecmp(row->typed, word) == 0)) {
            *value = row->value;
            return true;
        }
        g_string_append_printf(all, "%s%s", all->len ? ", " : "",
                               row->typed ? row->typed : row->word);
    }
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "'%s' is none of these: %s.", word, all->str);
    return false;
}
