/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names that machines behind NAT ask for, found as the host itself finds them (getaddrinfo(3): its
 * list of hosts, its name servers, and what else it is set up for), in threads, since that may
 * take long. Manual, chapter Networking, "Using the host's resolver as a DNS proxy in NAT mode".
 * The worker's words are hostile: so many questions are under way, and each is a machine's name or
 * an address. */
#include "app/service/network-private.h"

#include <netdb.h>
#include <string.h>

#define UNDER_WAY_MAX 16u
#define NAME_MAX_SIZE 253u
#define ADDRESSES_MAX 16u
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

typedef struct {
    guint number;
    int family; /* AF_UNSPEC: the name of an address is wanted */
    char *text; /* a name, or an address */
} Question;

typedef struct {
    char *content; /* NULL: there is none such */
    gboolean failed;
} Answer;

static void
question_free(gpointer data)
{
    g_free(((Question *)data)->text);
    g_free(data);
}

static void
answer_free(gpointer data)
{
    g_free(((Answer *)data)->content);
    g_free(data);
}

/* --- in a thread --- */

/* Whether nobody could tell; else there is no such name. */
static gboolean
is_failure(int status)
{
    return status == EAI_AGAIN || status == EAI_FAIL || status == EAI_SYSTEM ||
           status == EAI_MEMORY;
}

static char *
number_of(const struct addrinfo *one)
{
    char text[NI_MAXHOST];

    return getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof(text), NULL, 0,
                       NI_NUMERICHOST) == 0
               ? g_strdup(text)
               : NULL;
}

/* All addresses are asked for: that there are none of a kind is not that there is no such name. */
static void
find_addresses(const Question *question, Answer *answer)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    struct addrinfo *all = NULL;
    const int status = getaddrinfo(question->text, NULL, &hints, &all);

    answer->failed = is_failure(status);
    if (status != 0)
        return;
    for (const struct addrinfo *one = all; one != NULL && texts->len < ADDRESSES_MAX;
         one = one->ai_next) {
        char *text = one->ai_family == question->family ? number_of(one) : NULL;

        if (text != NULL)
            g_ptr_array_add(texts, text);
    }
    freeaddrinfo(all);
    g_ptr_array_add(texts, NULL);
    answer->content = g_strjoinv(",", (char **)texts->pdata);
}

static void
find_name(const Question *question, Answer *answer)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
    char name[NI_MAXHOST];
    struct addrinfo *all = NULL;
    int status = getaddrinfo(question->text, NULL, &hints, &all);

    if (status == 0)
        status =
            getnameinfo(all->ai_addr, all->ai_addrlen, name, sizeof(name), NULL, 0, NI_NAMEREQD);
    if (all != NULL)
        freeaddrinfo(all);
    answer->failed = is_failure(status);
    answer->content = status == 0 ? g_strdup(name) : NULL;
}

static void
find(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const Question *question = data;
    Answer *answer = g_new0(Answer, 1);

    if (question->family == AF_UNSPEC)
        find_name(question, answer);
    else
        find_addresses(question, answer);
    g_task_return_pointer(task, answer, answer_free);
}

/* --- the worker's questions --- */

static void
say(Network *network, guint number, const Answer *answer)
{
    g_autoptr(GString) text = g_string_new("resolved");
    g_autofree char *digits = g_strdup_printf("%u", number);

    network_add_key(text, "number", digits);
    if (answer->failed)
        network_add_key(text, "failed", "1");
    else if (answer->content == NULL)
        network_add_key(text, "missing", "1");
    else
        network_add_key(text, "content", answer->content);
    network_ask_text(network, text->str, NULL);
}

static void
on_found(GObject *source, GAsyncResult *result, gpointer user_data)
{
    const Question *question = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    Answer *answer = g_task_propagate_pointer(G_TASK(result), &error);
    Network *network = user_data;

    if (answer == NULL) /* cancelled: the network is gone */
        return;
    network->questions--;
    if (network->control >= 0)
        say(network, question->number, answer);
    answer_free(answer);
}

static gboolean
is_name(const char *text)
{
    return *text != '\0' && strlen(text) <= NAME_MAX_SIZE &&
           strspn(text, NAME_CHARACTERS) == strlen(text);
}

/* FALSE: it is no question. */
static gboolean
parse(const char *text, Question *question)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 8);

    *question = (Question){.family = -1};
    for (char **line = lines; *line != NULL; line++) {
        const char *value = strchr(*line, '=');

        if (g_str_has_prefix(*line, "number="))
            question->number = (guint)g_ascii_strtoull(value + 1, NULL, 10);
        else if (g_str_has_prefix(*line, "family="))
            question->family = g_str_equal(value + 1, "6") ? AF_INET6 : AF_INET;
        else if (g_str_has_prefix(*line, "name=") && is_name(value + 1) && question->text == NULL)
            question->text = g_strdup(value + 1);
        else if (g_str_has_prefix(*line, "address=") && g_hostname_is_ip_address(value + 1) &&
                 question->text == NULL) {
            question->family = AF_UNSPEC;
            question->text = g_strdup(value + 1);
        }
    }
    return question->text != NULL && question->family >= 0;
}

void
network_take_question(Network *network, const char *text)
{
    Question *question = g_new0(Question, 1);
    GTask *task;

    if (!network->resolves || network->questions >= UNDER_WAY_MAX || !parse(text, question)) {
        question_free(question);
        return;
    }
    if (network->cancellable == NULL)
        network->cancellable = g_cancellable_new();
    network->questions++;
    task = g_task_new(NULL, network->cancellable, on_found, network);
    g_task_set_task_data(task, question, question_free);
    g_task_run_in_thread(task, find);
    g_object_unref(task);
}

void
network_close_questions(Network *network)
{
    if (network->cancellable != NULL)
        g_cancellable_cancel(network->cancellable);
    g_clear_object(&network->cancellable);
}
