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

typedef struct {
    bool fixed, split, stream;
} Variant;

static bool
take_variant(const char *word, bool copy, Variant *variant)
{
    static const char *const plain[] = {"standard", "default", "diff", NULL};
    g_autofree char *lower = g_ascii_strdown(word, -1);
    if (g_strv_contains(plain, lower))
        return true;
    if (g_str_equal(lower, "fixed") || g_str_equal(lower, "static"))
        variant->fixed = true;
    else if (g_str_equal(lower, "split2g"))
        variant->split = true;
    else if (copy && (g_str_equal(lower, "stream") || g_str_equal(lower, "streamoptimized")))
        variant->stream = true;
    else
        return false;
    return true;
}

bool
manage_find_variant(const char *word, bool copy, const char **variant, GError **error)
{
    g_auto(GStrv) words = g_strsplit(word ? word : "standard", ",", -1);
    Variant wanted = {0};
    for (guint i = 0; words[i]; i++) {
        if (take_variant(words[i], copy, &wanted))
            continue;
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    "Invalid medium variant '%s': Standard, Fixed, Split2G, %s.", words[i],
                    copy ? "Stream" : "Diff");
        return false;
    }
    if (wanted.stream && (wanted.fixed || wanted.split)) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    "Invalid medium variant '%s': Stream goes with no other.", word);
        return false;
    }
    *variant = wanted.stream  ? "stream"
               : wanted.fixed ? (wanted.split ? "fixed,split" : "fixed")
               : wanted.split ? "dynamic,split"
                              : "dynamic";
    return true;
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
