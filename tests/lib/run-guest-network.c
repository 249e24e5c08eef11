/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run-guest's network cards: see the header. */
#include "tests/lib/run-guest-network.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORKER "../../app/worker/vitrine-worker"
#define ANSWER_MAX 1024

static bool
fail(GError **error, const char *what)
{
    base_error_set_errno(error, errno, "%s", what);
    return false;
}

static const char *
keep(RunNetwork *network, char *text)
{
    g_ptr_array_add(network->texts, text);
    return text;
}

/* --- the worker --- */

/* Beside this program in the build folder. */
static char *
worker_path(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self != NULL ? self : "");

    return g_build_filename(folder, WORKER, NULL);
}

/* Returns the control socket, or -1. */
static int
start_worker(GError **error)
{
    g_autofree char *path = worker_path();
    const char *const argv[] = {path, "network", NULL};
    const int target = 3;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        fail(error, "A socket for the network");
        return -1;
    }
    if (!g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, -1, -1, -1,
                                          &pair[1], &target, 1, NULL, NULL, NULL, NULL, error)) {
        close(pair[0]);
        pair[0] = -1;
    }
    close(pair[1]);
    return pair[0];
}

/* One request with a descriptor (-1: none), and its answer. */
static bool
request(int control, const char *text, int descriptor, GError **error)
{
    char answer[ANSWER_MAX];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } rights = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec part = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t got;

    if (descriptor >= 0) {
        memcpy(CMSG_DATA(&rights.header), &descriptor, sizeof(descriptor));
        message.msg_control = &rights;
        message.msg_controllen = sizeof(rights);
    }
    if (sendmsg(control, &message, MSG_NOSIGNAL) < 0)
        return fail(error, "The network worker");
    got = recv(control, answer, sizeof(answer) - 1, 0);
    if (got < 0)
        return fail(error, "The network worker");
    answer[got] = '\0';
    if (strcmp(answer, "ok") == 0)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_FAILED, "The network worker: %s", answer);
    return false;
}

/* "tcp:HOST:GUEST" */
static bool
add_forward(int control, const char *rule, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(rule, ":", 3);
    g_autofree char *text = NULL;

    if (g_strv_length(parts) != 3) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" is no tcp:HOST:GUEST", rule);
        return false;
    }
    text = g_strdup_printf("forward\nprotocol=%s\nhost-ip=127.0.0.1\nhost-port=%s\nguest-port=%s",
                           parts[0], parts[1], parts[2]);
    return request(control, text, -1, error);
}

static bool
add_gateway(RunNetwork *network, unsigned index, char **words, GError **error)
{
    MachineAdapter *adapter = &network->adapters[index];
    g_autoptr(GString) setup = g_string_new(NULL);
    int pair[2], control = start_worker(error);
    bool ok;

    if (control < 0)
        return false;
    g_array_append_val(network->controls, control);
    g_string_printf(setup, "network\nipv4=10.0.%u.0/24\nipv6=1", index + 2);
    for (char **word = words; *word != NULL; word++) {
        if (g_str_equal(*word, "loopback"))
            g_string_append(setup, "\nloopback=1\nloopback6=2");
        else if (g_str_has_prefix(*word, "tftp="))
            g_string_append_printf(setup, "\ntftp-path=%s", *word + 5);
        else if (g_str_has_prefix(*word, "boot="))
            g_string_append_printf(setup, "\nboot-file=%s", *word + 5);
    }
    if (!request(control, setup->str, -1, error))
        return false;
    for (char **word = words; *word != NULL; word++) {
        if (g_str_has_prefix(*word, "forward=") && !add_forward(control, *word + 8, error))
            return false;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return fail(error, "A socket for the network");
    ok = request(control, "port\nid=card\nmac=080027564910\npolicy=all", pair[1], error);
    close(pair[1]);
    adapter->wire = "frames";
    adapter->descriptor = pair[0];
    return ok;
}

/* --- words --- */

static bool
take_word(RunNetwork *network, MachineAdapter *adapter, const char *word, GError **error)
{
    if (g_str_has_prefix(word, "fd=") || g_str_has_prefix(word, "tap=")) {
        adapter->wire = *word == 'f' ? "frames" : "tap";
        adapter->descriptor = (int)g_ascii_strtoll(strchr(word, '=') + 1, NULL, 10);
    } else if (g_str_has_prefix(word, "mac=")) {
        adapter->mac = keep(network, g_strdup(word + 4));
    } else if (g_str_equal(word, "unplugged")) {
        adapter->unplugged = true;
    } else if (g_str_has_prefix(word, "trace=")) {
        adapter->trace_descriptor = open(word + 6, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        return adapter->trace_descriptor >= 0 || fail(error, word + 6);
    }
    return true;
}

static bool
add_card(RunNetwork *network, unsigned index, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", 32);
    MachineAdapter *adapter = &network->adapters[index];

    if (words[0] == NULL || machine_adapter_place(words[0], index).device == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no card \"%s\"", text);
        return false;
    }
    adapter->model = keep(network, g_strdup(words[0]));
    for (char **word = words + 1; *word != NULL; word++) {
        if (!take_word(network, adapter, *word, error))
            return false;
    }
    return !g_strv_contains((const char *const *)words, "nat") ||
           add_gateway(network, index, words, error);
}

bool
run_network_init(RunNetwork *network, char **words, GError **error)
{
    network->texts = g_ptr_array_new_with_free_func(g_free);
    network->controls = g_array_new(FALSE, FALSE, sizeof(int));
    for (unsigned i = 0; words != NULL && words[i] != NULL && i < MACHINE_ADAPTERS; i++) {
        if (!add_card(network, i, words[i], error))
            return false;
    }
    return true;
}

void
run_network_change_cable(RunNetwork *network, Pdm *pdm)
{
    unsigned count = 0, index;
    const PdmNetworkConnector *net;
    MachinePlace place;

    while (count < MACHINE_ADAPTERS && network->adapters[count].model != NULL)
        count++;
    if (count == 0)
        return;
    index = network->changes % count;
    place = machine_adapter_place(network->adapters[index].model, index);
    net = pdm_lun_connector(pdm, place.device, place.instance, place.lun, PDM_IF_NETWORK);
    g_rec_mutex_lock(pdm_device_lock(pdm));
    if (net != NULL)
        net->set_link(net->user, network->changes / count % 2 == 1);
    g_rec_mutex_unlock(pdm_device_lock(pdm));
    network->changes++;
}

void
run_network_clear(RunNetwork *network)
{
    if (network->texts == NULL)
        return;
    g_ptr_array_unref(network->texts);
    for (guint i = 0; i < network->controls->len; i++)
        close(g_array_index(network->controls, int, i));
    g_array_unref(network->controls);
}
