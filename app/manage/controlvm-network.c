/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network cards of a running machine: the options of modifyvm that can change then, with
 * controlvm's names. Manual, chapter VBoxManage, "controlvm". */
#include <string.h>

#include "app/manage/controlvm-private.h"
#include "app/manage/modifyvm-private.h"

typedef struct {
    const char *name;   /* controlvm's, before the card's number */
    const char *option; /* modifyvm's */
} Word;

static const Word words[] = {
    {"natpf", "natpf"},
    {"nic", "nic"},
    {"nicpromisc", "nicpromisc"},
    {"nicproperty", "nicproperty"},
    {"nictrace", "nictrace"},
    {"nictracefile", "nictracefile"},
    {"setlinkstate", "cableconnected"},
};

/* What a name after "nic1 KIND" is a name of. */
static const Word kinds[] = {
    {"bridged", "bridgeadapter"}, {"generic", "nicgenericdrv"}, {"hostonly", "hostonlyadapter"},
    {"intnet", "intnet"},         {"natnetwork", "natnetwork"},
};

static const Word *
find_word(const char *text, const char **number)
{
    const gsize length = strcspn(text, "0123456789");

    *number = text + length;
    if (**number == '\0' || strspn(*number, "0123456789") != strlen(*number))
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strlen(words[i].name) == length &&
            g_ascii_strncasecmp(words[i].name, text, length) == 0)
            return &words[i];
    }
    return NULL;
}

bool
controlvm_is_network(const char *text)
{
    const char *number;

    return find_word(text, &number) != NULL;
}

/* The words of modifyvm that say the same. */
static GPtrArray *
translate(const Word *word, const char *number, ManageArgs *args)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    const char *kind, *name;

    g_ptr_array_add(list, g_strdup_printf("--%s%s", word->option, number));
    kind = manage_args_take(args);
    if (kind != NULL)
        g_ptr_array_add(list, g_strdup(kind));
    name = kind != NULL && g_str_equal(word->name, "nic") ? manage_args_take(args) : NULL;
    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(kinds); i++) {
        if (g_ascii_strcasecmp(kinds[i].name, kind) == 0) {
            g_ptr_array_add(list, g_strdup_printf("--%s%s", kinds[i].option, number));
            break;
        }
    }
    if (name != NULL)
        g_ptr_array_add(list, g_strdup(name));
    while ((name = manage_args_take(args)) != NULL)
        g_ptr_array_add(list, g_strdup(name));
    return list;
}

bool
controlvm_network(Manage *manage, const char *machine_name, const char *text, ManageArgs *args,
                  GError **error)
{
    const char *number;
    const Word *word = find_word(text, &number);
    g_autoptr(GPtrArray) list = translate(word, number, args);
    ManageArgs options = {.words = (char **)list->pdata, .count = list->len};
    VitrineMachine *machine;
    g_autoptr(VitrineSettings) settings = manage_settings(manage, machine_name, &machine, error);

    if (settings == NULL)
        return false;
    if (!vitrine_machine_state_is_online(vitrine_machine_get_state(machine))) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "Machine '%s' is not currently running.", machine_name);
        return false;
    }
    while (options.at < options.count) {
        bool taken;

        if (!modifyvm_network_option(&options, settings, &taken, error))
            return false;
        if (!taken) {
            g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid parameter '%s'",
                        manage_args_take(&options));
            return false;
        }
    }
    return vitrine_machine_save_settings_sync(machine, settings, NULL, error);
}
