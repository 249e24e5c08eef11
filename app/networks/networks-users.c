/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The cards of all machines: see the header. */
#include "app/networks/networks-users.h"

#include "app/widgets/widget-network.h"

#include <string.h>

/* A card that is in a machine. */
typedef struct {
    VitrineNetwork kind;
    char *name;
} Card;

struct NetworksUsers {
    VitrineClient *client;
    GCancellable *cancellable;
    GHashTable *cards; /* VitrineMachine -> GPtrArray of Card */
    gulong handlers[2];
    void (*changed)(gpointer);
    gpointer data;
};

static void
card_free(gpointer data)
{
    Card *card = data;

    g_free(card->name);
    g_free(card);
}

static GPtrArray *
read_cards(VitrineSettings *settings)
{
    GPtrArray *cards = g_ptr_array_new_with_free_func(card_free);

    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        g_autoptr(VitrineAdapter) adapter =
            vitrine_adapter_copy(vitrine_settings_get_adapter(settings, slot));
        char **name = widget_network_field(adapter);
        Card *card;

        if (!adapter->enabled || name == NULL)
            continue;
        card = g_new(Card, 1);
        *card = (Card){adapter->network, g_strdup(*name)};
        /* A card without a name is on the usual internal network. */
        if (**name == '\0' && adapter->network == VITRINE_NETWORK_INTERNAL)
            vitrine_adapter_set_text(&card->name, "intnet");
        g_ptr_array_add(cards, card);
    }
    return cards;
}

static void
on_settings(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, &error);
    NetworksUsers *users = data;

    if (g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* users is gone */
    if (settings != NULL)
        g_hash_table_replace(users->cards, g_object_ref(source), read_cards(settings));
    else
        g_hash_table_remove(users->cards, source);
    users->changed(users->data);
}

static void
ask(NetworksUsers *users, VitrineMachine *machine)
{
    vitrine_machine_load_settings_async(machine, users->cancellable, on_settings, users);
}

static void
on_machine_changed(VitrineMachine *machine, GParamSpec *pspec, NetworksUsers *users)
{
    ask(users, machine);
}

static void
follow(NetworksUsers *users, VitrineMachine *machine)
{
    g_signal_connect(machine, "notify::settings-generation", G_CALLBACK(on_machine_changed), users);
    g_hash_table_replace(users->cards, g_object_ref(machine),
                         g_ptr_array_new_with_free_func(card_free));
    ask(users, machine);
}

static void
on_added(VitrineClient *client, VitrineMachine *machine, NetworksUsers *users)
{
    follow(users, machine);
}

static void
on_removed(VitrineClient *client, VitrineMachine *machine, NetworksUsers *users)
{
    g_signal_handlers_disconnect_by_data(machine, users);
    g_hash_table_remove(users->cards, machine);
    users->changed(users->data);
}

NetworksUsers *
networks_users_new(VitrineClient *client, void (*changed)(gpointer), gpointer data)
{
    NetworksUsers *users = g_new0(NetworksUsers, 1);
    GListModel *machines = vitrine_client_get_machines(client);

    users->client = g_object_ref(client);
    users->cancellable = g_cancellable_new();
    users->cards =
        g_hash_table_new_full(NULL, NULL, g_object_unref, (GDestroyNotify)g_ptr_array_unref);
    users->changed = changed;
    users->data = data;
    for (guint i = 0; i < g_list_model_get_n_items(machines); i++) {
        g_autoptr(VitrineMachine) machine = g_list_model_get_item(machines, i);
        follow(users, machine);
    }
    users->handlers[0] = g_signal_connect(client, "machine-added", G_CALLBACK(on_added), users);
    users->handlers[1] = g_signal_connect(client, "machine-removed", G_CALLBACK(on_removed), users);
    return users;
}

void
networks_users_free(NetworksUsers *users)
{
    GHashTableIter iter;
    gpointer machine;

    g_cancellable_cancel(users->cancellable);
    for (guint i = 0; i < G_N_ELEMENTS(users->handlers); i++)
        g_signal_handler_disconnect(users->client, users->handlers[i]);
    g_hash_table_iter_init(&iter, users->cards);
    while (g_hash_table_iter_next(&iter, &machine, NULL))
        g_signal_handlers_disconnect_by_data(machine, users);
    g_hash_table_unref(users->cards);
    g_object_unref(users->cancellable);
    g_object_unref(users->client);
    g_free(users);
}

static gboolean
is_on(const GPtrArray *cards, VitrineNetwork kind, const char *name)
{
    for (guint i = 0; i < cards->len; i++) {
        const Card *card = cards->pdata[i];

        if (card->kind == kind && g_str_equal(card->name, name))
            return TRUE;
    }
    return FALSE;
}

char *
networks_users_of(NetworksUsers *users, VitrineNetwork kind, const char *name)
{
    GListModel *machines = vitrine_client_get_machines(users->client);
    GString *text = g_string_new(NULL);

    /* In the order of the machines' own list. */
    for (guint i = 0; i < g_list_model_get_n_items(machines); i++) {
        g_autoptr(VitrineMachine) machine = g_list_model_get_item(machines, i);
        const GPtrArray *cards = g_hash_table_lookup(users->cards, machine);

        if (cards != NULL && is_on(cards, kind, name))
            g_string_append_printf(text, "%s%s", text->len != 0 ? ", " : "",
                                   vitrine_machine_get_name(machine));
    }
    return g_string_free(text, FALSE);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *
networks_users_names(NetworksUsers *users, VitrineNetwork kind)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, users->cards);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const GPtrArray *cards = value;

        for (guint i = 0; i < cards->len; i++) {
            const Card *card = cards->pdata[i];

            if (card->kind == kind &&
                !g_ptr_array_find_with_equal_func(names, card->name, g_str_equal, NULL))
                g_ptr_array_add(names, g_strdup(card->name));
        }
    }
    g_ptr_array_sort(names, compare);
    return names;
}
