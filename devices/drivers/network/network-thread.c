/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The receiving thread of a network driver. It reads only when the card has taken what was read
 * before: a card without buffers is felt by the other side as a full socket. */
#include "devices/drivers/network/frame/frame.h"
#include "devices/drivers/network/network.h"

static PdmOffloads
needed(const PdmFrameOffload *offload)
{
    static const PdmOffloads segments[] = {0, PDM_OFFLOAD_TCP4, PDM_OFFLOAD_TCP6, PDM_OFFLOAD_UDP};

    return segments[offload->segment] | (offload->needs_checksum ? PDM_OFFLOAD_CHECKSUM : 0);
}

/* --- giving frames to the card, under the device lock --- */

static bool
deliver_piece(void *user, uint8_t *data, size_t size)
{
    static const PdmFrameOffload good = {.checksum_good = true};
    const PdmNetworkPort *port = ((Network *)user)->driver->port;

    return port->receive(port->user, data, size, &good);
}

/* False: the card has no room now; what it has not taken of a long frame stays. */
static bool
deliver(Network *network, WireFrame *frame)
{
    const PdmNetworkPort *port = network->driver->port;
    const size_t size = frame->size;
    bool done;

    if (!frame_offload_holds(&frame->offload, frame->size))
        return true;
    if ((needed(&frame->offload) & ~port->offloads) == 0)
        done = port->receive(port->user, frame->data, frame->size, &frame->offload);
    else
        done = frame_offer(&frame->data, &frame->size, &frame->offload, deliver_piece, network);
    network->activity.reads += done;
    network->activity.bytes_read += done ? size : size - frame->size;
    return done;
}

static void
record(Network *network, WireFrame *frame)
{
    if (!frame->recorded)
        network_trace_frame(&network->trace, false, frame->data, frame->size);
    frame->recorded = true;
}

static void
deliver_batch(Network *network)
{
    WireBatch *batch = &network->batch;

    pdm_driver_lock(network->driver);
    while (batch->next < batch->count && !network->paused) {
        WireFrame *frame = &batch->frames[batch->next];

        if (!network->card_full && network->link) {
            record(network, frame);
            network->card_full = !deliver(network, frame);
        }
        if (network->card_full)
            break;
        batch->next++;
    }
    pdm_driver_unlock(network->driver);
}

static void
tell_room(Network *network)
{
    const PdmNetworkPort *port = network->driver->port;

    pdm_driver_lock(network->driver);
    g_mutex_lock(&network->mutex);
    network->wants_room = false;
    g_mutex_unlock(&network->mutex);
    if (!network->paused)
        port->can_send(port->user);
    pdm_driver_unlock(network->driver);
}

/* --- the wire --- */

/* What the thread looks at in one turn. */
typedef struct {
    WireKind kind;
    int descriptor;
    unsigned generation;
    bool wants_room;
} Turn;

static bool
begin_turn(Network *network, Turn *turn)
{
    bool stop;

    g_mutex_lock(&network->mutex);
    *turn = (Turn){network->kind, network->descriptor, network->generation, network->wants_room};
    if (network->lost || network->kind == WIRE_NONE)
        turn->descriptor = -1;
    stop = network->stop;
    g_mutex_unlock(&network->mutex);
    return !stop;
}

static void
lose(Network *network, unsigned generation)
{
    bool now;

    g_mutex_lock(&network->mutex);
    now = generation == network->generation && !network->lost;
    network->lost |= now;
    g_mutex_unlock(&network->mutex);
    if (now)
        pdm_driver_runtime_message(network->driver, PDM_RUNTIME_WARNING, "network-lost",
                                   "A network card of the machine has lost its network: what was "
                                   "behind it has ended.");
}

static void
read_wire(Network *network, const Turn *turn)
{
    g_mutex_lock(&network->mutex);
    const bool current = turn->generation == network->generation;
    g_mutex_unlock(&network->mutex);
    if (current && wire_receive(turn->kind, turn->descriptor, &network->batch) == WIRE_LOST)
        lose(network, turn->generation);
}

gpointer
network_thread(gpointer data)
{
    Network *network = data;
    Turn turn;

    while (begin_turn(network, &turn)) {
        const bool idle = network->batch.next == network->batch.count;
        GPollFD fds[] = {
            {.fd = network->wake, .events = G_IO_IN},
            {.fd = idle ? turn.descriptor : -1, .events = G_IO_IN},
            {.fd = turn.wants_room ? turn.descriptor : -1, .events = G_IO_OUT},
        };

        g_poll(fds, G_N_ELEMENTS(fds), -1);
        if (fds[0].revents != 0)
            wire_wake_clear(network->wake);
        if (fds[2].revents != 0)
            tell_room(network);
        if (fds[1].revents != 0)
            read_wire(network, &turn);
        if (network->batch.next < network->batch.count)
            deliver_batch(network);
    }
    return NULL;
}
