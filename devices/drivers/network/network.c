/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "network": see the header. This file is its life and what the card calls. */
#include "devices/drivers/network/network.h"
#include "devices/drivers/network/frame/frame.h"

#include <string.h>

#define ALL_OFFLOADS (PDM_OFFLOAD_CHECKSUM | PDM_OFFLOAD_TCP4 | PDM_OFFLOAD_TCP6 | PDM_OFFLOAD_UDP)

/* --- sending --- */

typedef struct {
    Network *network;
    WireKind kind;
    int descriptor;
    WireResult result;
} Sending;

static void
send_piece(void *user, uint8_t *data, size_t size)
{
    static const PdmFrameOffload good = {.checksum_good = true};
    Sending *sending = user;
    const PdmFramePiece piece = {data, size};

    /* Where the first of several has gone, the others do not wait. */
    sending->result = wire_send(sending->kind, sending->descriptor, &piece, 1, &good);
}

static bool
can_take(WireKind kind, const PdmFrameOffload *offload)
{
    static const PdmOffloads segments[] = {0, PDM_OFFLOAD_TCP4, PDM_OFFLOAD_TCP6, PDM_OFFLOAD_UDP};
    PdmOffloads needed =
        segments[offload->segment] | (offload->needs_checksum ? PDM_OFFLOAD_CHECKSUM : 0);

    return (needed & ~wire_offloads(kind)) == 0;
}

static size_t
gather(uint8_t *to, const PdmFramePiece *pieces, unsigned count)
{
    size_t size = 0;

    for (unsigned i = 0; i < count && pieces[i].size <= PDM_NETWORK_FRAME_MAX - size; i++) {
        memcpy(to + size, pieces[i].data, pieces[i].size);
        size += pieces[i].size;
    }
    return size;
}

static WireResult
send_on_wire(Network *network, const PdmFramePiece *pieces, unsigned count,
             const PdmFrameOffload *offload)
{
    Sending sending = {.network = network, .result = WIRE_DONE};

    g_mutex_lock(&network->mutex);
    sending.kind = network->kind;
    sending.descriptor = network->lost || network->kind == WIRE_NONE ? -1 : network->descriptor;
    g_mutex_unlock(&network->mutex);
    if (sending.descriptor < 0)
        return WIRE_DONE;
    if (can_take(sending.kind, offload))
        return wire_send(sending.kind, sending.descriptor, pieces, count, offload);
    frame_finish(network->scratch, gather(network->scratch, pieces, count), offload, send_piece,
                 &sending);
    return offload->segment == PDM_SEGMENT_NONE ? sending.result : WIRE_DONE;
}

static void
trace_sent(Network *network, const PdmFramePiece *pieces, unsigned count)
{
    if (network_trace_active(&network->trace))
        network_trace_frame(&network->trace, true, network->scratch,
                            gather(network->scratch, pieces, count));
}

static bool
network_send(void *user, const PdmFramePiece *pieces, unsigned count,
             const PdmFrameOffload *offload)
{
    static const PdmFrameOffload none;
    Network *network = user;
    size_t size = 0;

    for (unsigned i = 0; i < count; i++)
        size += pieces[i].size;
    if (offload == NULL)
        offload = &none;
    if (!network->link || size > PDM_NETWORK_FRAME_MAX || !frame_offload_holds(offload, size))
        return true;
    if (send_on_wire(network, pieces, count, offload) == WIRE_AGAIN) {
        g_mutex_lock(&network->mutex);
        network->wants_room = true;
        g_mutex_unlock(&network->mutex);
        wire_wake(network->wake);
        return false;
    }
    trace_sent(network, pieces, count);
    network->activity.writes++;
    network->activity.bytes_written += size;
    return true;
}

/* --- the other calls --- */

static void
network_receive_ready(void *user)
{
    Network *network = user;

    if (!network->card_full)
        return;
    network->card_full = false;
    wire_wake(network->wake);
}

/* Who may see which frames is decided where frames are switched. */
static void
network_promiscuous(void *user, bool on)
{
}

static bool
network_link_up(void *user)
{
    return ((const Network *)user)->link;
}

static void
network_set_link(void *user, bool up)
{
    Network *network = user;
    const PdmNetworkPort *port = network->driver->port;

    if (network->link == up)
        return;
    network->link = up;
    port->link_changed(port->user, up);
    network_receive_ready(network);
}

/* The descriptor keeps its number, so that the thread may be using it meanwhile. */
static bool
network_set_wire(void *user, const char *name, int descriptor)
{
    Network *network = user;
    const WireKind kind = descriptor >= 0 ? wire_kind(name) : WIRE_NONE;
    bool done;

    if (descriptor >= 0 && !wire_adopt(descriptor))
        return false;
    g_mutex_lock(&network->mutex);
    done = wire_replace(network->descriptor, descriptor >= 0 ? descriptor : network->wake);
    network->kind = done ? kind : WIRE_NONE;
    network->generation++;
    network->lost = false;
    g_mutex_unlock(&network->mutex);
    wire_close(descriptor);
    wire_wake(network->wake);
    return done;
}

static bool
network_set_trace(void *user, int descriptor)
{
    Network *network = user;

    network_trace_stop(&network->trace);
    return descriptor < 0 || network_trace_start(&network->trace, descriptor);
}

/* --- life cycle --- */

static void
network_paused(PdmDriver *driver)
{
    Network *network = driver->data;

    /* Whoever has the lock delivers; nobody does once it was had. */
    pdm_driver_lock(driver);
    network->paused = true;
    pdm_driver_unlock(driver);
}

static void
network_resumed(PdmDriver *driver)
{
    Network *network = driver->data;

    pdm_driver_lock(driver);
    network->paused = false;
    network->card_full = false;
    pdm_driver_unlock(driver);
    wire_wake(network->wake);
}

static bool
network_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    Network *network = driver->data;
    const uint64_t descriptor = cfgm_uint(config, "Descriptor", 0);

    network->driver = driver;
    g_mutex_init(&network->mutex);
    wire_batch_init(&network->batch);
    network->scratch = g_malloc(PDM_NETWORK_FRAME_MAX);
    network->link = cfgm_bool(config, "CableConnected", true);
    network->paused = true;
    network->descriptor = -1;
    network->connector = (PdmNetworkConnector){
        .user = network,
        .send = network_send,
        .receive_ready = network_receive_ready,
        .promiscuous = network_promiscuous,
        .link_up = network_link_up,
        .set_link = network_set_link,
        .offloads = ALL_OFFLOADS,
        .activity = &network->activity,
        .set_wire = network_set_wire,
        .set_trace = network_set_trace,
    };
    driver->connector = &network->connector;
    network->wake = wire_wake_open(error);
    if (network->wake < 0)
        return false;
    network->descriptor = wire_duplicate(network->wake, error);
    if (network->descriptor < 0)
        return false;
    if (descriptor > 0 && descriptor <= INT_MAX &&
        !network_set_wire(network, cfgm_string(config, "Wire", "frames"), (int)descriptor)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "Descriptor %d is no network.",
                    (int)descriptor);
        return false;
    }
    if (cfgm_has(config, "TraceDescriptor"))
        network_set_trace(network, (int)cfgm_uint(config, "TraceDescriptor", 0));
    network->thread = g_thread_new("network", network_thread, network);
    return true;
}

static void
network_destruct(PdmDriver *driver)
{
    Network *network = driver->data;

    if (network->driver == NULL)
        return; /* construct did not get here */
    if (network->thread != NULL) {
        g_mutex_lock(&network->mutex);
        network->stop = true;
        g_mutex_unlock(&network->mutex);
        wire_wake(network->wake);
        g_thread_join(network->thread);
    }
    network_trace_stop(&network->trace);
    wire_close(network->descriptor);
    wire_close(network->wake);
    wire_batch_clear(&network->batch);
    g_free(network->scratch);
    g_mutex_clear(&network->mutex);
}

static const char *const wire_names[] = {"none", "frames", "tap", "plain", NULL};

static const PdmOption network_options[] = {
    {.key = "Wire",
     .title = "Kind of connection",
     .type = PDM_OPTION_CHOICE,
     .text = "frames",
     .choices = wire_names},
    {.key = "CableConnected",
     .title = "Cable connected",
     .type = PDM_OPTION_BOOL,
     .value = 1,
     .max = 1},
    {.type = PDM_OPTION_END},
};

const PdmDriverInfo network_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "network",
    .title = "Network",
    .interface = PDM_IF_NETWORK,
    .instance_size = sizeof(Network),
    .options = network_options,
    .construct = network_construct,
    .destruct = network_destruct,
    .paused = network_paused,
    .resumed = network_resumed,
};
