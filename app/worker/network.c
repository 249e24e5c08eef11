/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The network worker's loop: waits for the service, the ports and the gateway. */
#include "app/worker/network.h"

#include <signal.h>

#include "app/api/vitrine-types.h"
#include "app/worker/worker.h"

static gint
wait_for(GArray *fds, int timeout)
{
    return g_poll((GPollFD *)fds->data, fds->len, timeout);
}

static void
prepare_ports(Network *network, GArray *fds)
{
    for (unsigned i = 0; i < NETWORK_PORTS_MAX; i++) {
        const Port *port = &network->ports[i];
        const gushort events =
            (gushort)(G_IO_IN | (g_queue_is_empty((GQueue *)&port->waiting) ? 0 : G_IO_OUT));
        const GPollFD fd = {port->used ? port->descriptor : -1, events, 0};

        if (port->used)
            g_array_append_val(fds, fd);
    }
}

/* The ports stand behind the control socket, in their order. */
static void
dispatch_ports(Network *network, GArray *fds)
{
    unsigned at = 1;

    for (unsigned i = 0; i < NETWORK_PORTS_MAX && at < fds->len; i++) {
        Port *port = &network->ports[i];
        const GPollFD *fd;

        if (!port->used)
            continue;
        fd = &g_array_index(fds, GPollFD, at++);
        if ((fd->revents & G_IO_OUT) != 0)
            network_drain_port(port);
        if ((fd->revents & (G_IO_IN | G_IO_HUP | G_IO_ERR)) != 0 && !network_read_port(network, i))
            network_remove_port(network, port->id, NULL);
    }
}

static void
turn(Network *network, GArray *fds)
{
    const GPollFD control = {network->control, G_IO_IN, 0};
    int timeout = -1;

    g_array_set_size(fds, 0);
    g_array_append_val(fds, control);
    prepare_ports(network, fds);
    if (network->nat != NULL)
        nat_prepare(network->nat, fds, &timeout);
    if (wait_for(fds, timeout) < 0)
        return;
    if (network->nat != NULL)
        nat_dispatch(network->nat, fds);
    dispatch_ports(network, fds);
    if (network->nat != NULL)
        nat_flush(network->nat);
    /* Last: it changes which ports there are. */
    if (g_array_index(fds, GPollFD, 0).revents != 0 && !network_control(network))
        network->stop = true;
}

bool
worker_network(GError **error)
{
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    g_autofree Network *network = g_new0(Network, 1);

    signal(SIGPIPE, SIG_IGN);
    network->control = WORKER_FD;
    network->buffer = g_malloc(FRAME_MESSAGE_MAX);
    network->places = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    while (!network->stop)
        turn(network, fds);
    g_clear_pointer(&network->nat, nat_free);
    g_clear_pointer(&network->dhcp, dhcp_free);
    g_clear_pointer(&network->resolver, resolver_free);
    g_hash_table_unref(network->places);
    g_free(network->buffer);
    return true;
}
