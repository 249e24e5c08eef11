/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The process of a network: started, asked, and replaced when it ends. The worker is hostile as
 * soon as it has seen a frame: it is asked with a limit of time, and its answers are bounded. Its
 * requests are in app/worker/README.md. */
#include "app/service/network-private.h"

#include <errno.h>
#include <gio/gunixfdmessage.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 1024
#define ANSWER_SECONDS 2
#define RESTARTS_MAX 20
#define LEASE "lease\n"
#define QUESTION "resolve\n"
#define EVENTS_MAX 256

/* --- talking to a worker --- */

gboolean
network_fail_errno(GError **error, int errnum)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_FAILED,
                "The network's process cannot be reached: %s.", g_strerror(errnum));
    return FALSE;
}

static gboolean
send_request(int control, const NetworkRequest *request)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } rights = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec part = {request->text, strlen(request->text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (request->descriptor >= 0) {
        memcpy(CMSG_DATA(&rights.header), &request->descriptor, sizeof(int));
        message.msg_control = &rights;
        message.msg_controllen = sizeof(rights);
    }
    return sendmsg(control, &message, MSG_NOSIGNAL) >= 0;
}

/* FALSE: it is no message that the worker says by itself. */
static gboolean
take_event(Network *network, const char *text)
{
    if (g_str_has_prefix(text, LEASE))
        network_take_lease(network, text);
    else if (g_str_has_prefix(text, QUESTION))
        network_take_question(network, text);
    else
        return FALSE;
    return TRUE;
}

/* What the worker says by itself may come before its answer. */
static ssize_t
receive_answer(Network *network, char answer[ANSWER_MAX + 1])
{
    for (guint i = 0; i < EVENTS_MAX; i++) {
        const ssize_t got = recv(network->control, answer, ANSWER_MAX, 0);

        if (got <= 0)
            return got;
        answer[got] = '\0';
        if (!take_event(network, answer))
            return got;
    }
    errno = EPROTO;
    return -1;
}

gboolean
network_ask(Network *network, const NetworkRequest *request, GError **error)
{
    char answer[ANSWER_MAX + 1];
    char *sentence;
    guint64 code;
    ssize_t got;

    if (!send_request(network->control, request))
        return network_fail_errno(error, errno);
    got = receive_answer(network, answer);
    if (got <= 0)
        return network_fail_errno(error, got < 0 ? errno : EPIPE);
    if (g_str_equal(answer, "ok"))
        return TRUE;
    code = g_str_has_prefix(answer, "error ") ? g_ascii_strtoull(answer + 6, &sentence, 10) : 0;
    if (code == 0 && !g_str_has_prefix(answer, "error 0"))
        return network_fail_errno(error, EPROTO);
    g_autofree char *text = g_utf8_make_valid(g_strstrip(sentence), -1);
    g_set_error_literal(error, VITRINE_ERROR, (int)MIN(code, VITRINE_ERROR_DISCONNECTED), text);
    return FALSE;
}

gboolean
network_ask_text(Network *network, const char *text, GError **error)
{
    const NetworkRequest request = {(char *)text, -1};

    return network_ask(network, &request, error);
}

static gboolean
on_event(int fd, GIOCondition condition, gpointer user_data)
{
    Network *network = user_data;
    char text[ANSWER_MAX + 1];
    const ssize_t got = recv(fd, text, ANSWER_MAX, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return G_SOURCE_CONTINUE;
    if (got <= 0) {
        network->event_source = 0;
        return G_SOURCE_REMOVE;
    }
    text[got] = '\0';
    take_event(network, text);
    return G_SOURCE_CONTINUE;
}

static void
close_control(Network *network)
{
    if (network->event_source != 0)
        g_source_remove(network->event_source);
    network->event_source = 0;
    if (network->control >= 0)
        close(network->control);
    network->control = -1;
}

/* --- a worker's life --- */

static void
say_all_again(Network *network)
{
    network_say_dhcp(network, NULL);
    if (network->trunk != NULL)
        network_ask(network, network->trunk, NULL);
    for (guint i = 0; i < network->forwards->len; i++)
        network_ask_text(network, network->forwards->pdata[i], NULL);
    for (guint i = 0; i < network->cards->len; i++) {
        const NetworkCard *card = network->cards->pdata[i];

        network_ask(network, &card->port, NULL);
        for (guint j = 0; j < card->forwards->len; j++)
            network_ask_text(network, card->forwards->pdata[j], NULL);
    }
}

static void
on_ended(GPid pid, int status, gpointer user_data)
{
    Network *network = user_data;
    g_autoptr(GError) error = NULL;

    g_spawn_close_pid(pid);
    network->watch = 0;
    close_control(network);
    g_warning("The process of the network %s has ended (status %d).", network->name, status);
    if (network->restarts++ < RESTARTS_MAX && network_start(network, &error))
        say_all_again(network);
    else
        g_warning("The network %s stays down: %s", network->name,
                  error != NULL ? error->message : "it has ended too often");
}

static gboolean
spawn(Network *network, int worker_end, GError **error)
{
    g_autofree char *program = vitrine_find_program("vitrine-worker", error);
    const int target = 3;

    if (program == NULL)
        return FALSE;
    const char *const argv[] = {program, "network", NULL};
    return g_spawn_async_with_pipes_and_fds(
        NULL, argv, NULL,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
        NULL, -1, -1, -1, &worker_end, &target, 1, &network->pid, NULL, NULL, NULL, error);
}

gboolean
network_start(Network *network, GError **error)
{
    const struct timeval limit = {ANSWER_SECONDS, 0};
    int pair[2];
    gboolean ok;

    network->resolves = strstr(network->setup, "\nresolver=1") != NULL;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return network_fail_errno(error, errno);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ok = spawn(network, pair[1], error);
    close(pair[1]);
    network->control = pair[0];
    if (!ok) {
        close(pair[0]);
        network->control = -1;
        return FALSE;
    }
    network->watch = g_child_watch_add(network->pid, on_ended, network);
    network->event_source = g_unix_fd_add(network->control, G_IO_IN, on_event, network);
    return network_ask_text(network, network->setup, error);
}

void
network_request_clear(NetworkRequest *request)
{
    g_free(request->text);
    if (request->descriptor >= 0)
        close(request->descriptor);
}

static void
on_reaped(GPid pid, int status, gpointer user_data)
{
    g_spawn_close_pid(pid);
}

/* Its socket's end is the worker's. */
static void
leave_worker(Network *network)
{
    if (network->watch != 0) {
        g_source_remove(network->watch);
        g_child_watch_add(network->pid, on_reaped, NULL);
    }
    network->watch = 0;
    close_control(network);
}

void
network_free(gpointer data)
{
    Network *network = data;

    leave_worker(network);
    network_close_leases(network);
    network_close_questions(network);
    if (network->trunk != NULL)
        network_request_clear(network->trunk);
    g_free(network->trunk);
    g_ptr_array_unref(network->cards);
    g_ptr_array_unref(network->forwards);
    g_free(network->setup);
    g_free(network->name);
    g_free(network);
}

gboolean
network_replace(Network *network, char *setup, GError **error)
{
    g_free(network->setup);
    network->setup = setup;
    leave_worker(network);
    if (!network_start(network, error))
        return FALSE;
    say_all_again(network);
    return TRUE;
}
