/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The common part of the commands about media; see medium-words.h. */
#include "app/manage/medium-words.h"

#include "app/manage/manage-words.h"

bool
manage_split_kind(const char **words, guint count, VitrineMediumKind *kind, GError **error)
{
    int value = VITRINE_MEDIUM_KIND_HARD_DISK;
    *kind = VITRINE_MEDIUM_KIND_HARD_DISK;
    if (words[count - 1]) {
        if (!manage_from_word(VITRINE_TYPE_MEDIUM_KIND, words[0], &value, error))
            return false;
        *kind = (VitrineMediumKind)value;
        return true;
    }
    for (guint i = count - 1; i > 0; i--)
        words[i] = words[i - 1];
    return true;
}

VitrineMedium *
manage_find_medium(Manage *manage, const char *location, VitrineMediumKind kind, GError **error)
{
    g_autofree char *id = manage_medium(manage, location, kind, NULL, error);
    VitrineMedium *medium = id ? vitrine_client_find_medium(manage->client, id) : NULL;
    if (id && medium == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "Could not find the medium '%s'",
                    location);
    return medium;
}

bool
manage_find_variant(const char *word, bool copy, const char **variant, GError **error)
{
    static const struct {
        const char *word, *variant;
        bool copy;
    } variants[] = {
        {"standard", "dynamic", false}, {"default", "dynamic", false}, {"diff", "dynamic", false},
        {"fixed", "fixed", false},      {"stream", "stream", true},
    };
    *variant = "dynamic";
    for (guint i = 0; word && i < G_N_ELEMENTS(variants); i++) {
        if (g_ascii_strcasecmp(word, variants[i].word) != 0 || (variants[i].copy && !copy))
            continue;
        *variant = variants[i].variant;
        return true;
    }
    if (word == NULL)
        return true;
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid medium variant '%s': Standard, %s.", word,
                copy ? "Fixed or Stream" : "Fixed or Diff");
    return false;
}

bool
manage_complete(VitrineProgress *progress, char **result, GError **error)
{
    g_autoptr(VitrineProgress) owned = progress;
    char *text = progress ? manage_wait(progress, error) : NULL;
    bool done = text != NULL;
    if (result)
        *result = text;
    else
        g_free(text);
    return done;
}
