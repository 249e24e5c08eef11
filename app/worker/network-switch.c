/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The switch of a network: learns which addresses are at which port (IEEE 802.1D's learning and
 * flooding, without spanning trees: there is one switch) and gives each port what it may see. */
#include "app/worker/network.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "app/api/vitrine-types.h"

#define PLACES_MAX 4096u
#define READS_MAX 64 /* messages of a port in a turn */
#define TAP_HEADER_SIZE 10u

/* --- addresses --- */

static int64_t
address(const uint8_t *mac)
{
    int64_t value = 0;

    memcpy(&value, mac, 6);
    return value;
}

static bool
is_group(const uint8_t *mac)
{
    return (mac[0] & 1) != 0;
}

/* The place of an address, or -1. */
static int
find_place(Network *network, const uint8_t *mac)
{
    const int64_t key = address(mac);

    for (unsigned i = 0; i < NETWORK_PORTS_MAX; i++) {
        if (network->ports[i].used && memcmp(network->ports[i].mac, mac, 6) == 0)
            return (int)i;
    }
    return GPOINTER_TO_INT(g_hash_table_lookup(network->places, &key)) - 1;
}

/* A card's own address is never anywhere else, whatever another one says. */
static void
learn(Network *network, unsigned from, const uint8_t *mac)
{
    int64_t *key;

    if (is_group(mac) || find_place(network, mac) == (int)from)
        return;
    for (unsigned i = 0; i < NETWORK_PORTS_MAX; i++) {
        if (network->ports[i].used && memcmp(network->ports[i].mac, mac, 6) == 0)
            return;
    }
    if (g_hash_table_size(network->places) >= PLACES_MAX)
        g_hash_table_remove_all(network->places);
    key = g_new(int64_t, 1);
    *key = address(mac);
    g_hash_table_insert(network->places, key, GINT_TO_POINTER((int)from + 1));
}

/* --- ports --- */

Port *
network_find_port(Network *network, const char *id)
{
    for (unsigned i = 0; i < NETWORK_PORTS_MAX; i++) {
        if (network->ports[i].used && strcmp(network->ports[i].id, id) == 0)
            return &network->ports[i];
    }
    return NULL;
}

bool
network_add_port(Network *network, const char *id, const uint8_t mac[6], PortPolicy policy,
                 bool tap, int descriptor, GError **error)
{
    network_remove_port(network, id, NULL);
    for (unsigned i = 0; i < NETWORK_PORTS_MAX; i++) {
        Port *port = &network->ports[i];

        if (port->used)
            continue;
        *port = (Port){.used = true, .tap = tap, .descriptor = descriptor, .policy = policy};
        g_strlcpy(port->id, id, sizeof(port->id));
        memcpy(port->mac, mac, 6);
        return true;
    }
    close(descriptor);
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NO_SPACE,
                "A network has room for %u cards at most.", NETWORK_PORTS_MAX);
    return false;
}

static gboolean
is_at(gpointer key, gpointer value, gpointer place)
{
    return value == place;
}

bool
network_remove_port(Network *network, const char *id, GError **error)
{
    Port *port = network_find_port(network, id);

    if (port == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "The network has no card of that name.");
        return false;
    }
    g_hash_table_foreach_remove(network->places, is_at,
                                GINT_TO_POINTER((int)(port - network->ports) + 1));
    g_queue_clear_full(&port->waiting, (GDestroyNotify)g_bytes_unref);
    close(port->descriptor);
    *port = (Port){0};
    return true;
}

/* --- sending to a port --- */

static size_t
make_header(const Port *port, const PdmFrameOffload *offload, uint8_t *header)
{
    struct virtio_net_hdr fields = {0};

    if (!port->tap) {
        frame_header_put(header, offload);
        return FRAME_HEADER_SIZE;
    }
    if (offload->needs_checksum) {
        fields.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        fields.csum_start = offload->checksum_start;
        fields.csum_offset = offload->checksum_offset;
    }
    memcpy(header, &fields, TAP_HEADER_SIZE);
    return TAP_HEADER_SIZE;
}

/* False: it could not be written now. */
static bool
write_now(const Port *port, struct iovec *parts, int count)
{
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    ssize_t done = port->tap ? writev(port->descriptor, parts, count)
                             : sendmsg(port->descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

    return done >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

static void
keep(Port *port, const struct iovec *parts)
{
    g_autoptr(GByteArray) message = NULL;

    if (port->waiting.length >= NETWORK_QUEUE_MAX) {
        port->lost++;
        return;
    }
    message = g_byte_array_sized_new((guint)(parts[0].iov_len + parts[1].iov_len));
    g_byte_array_append(message, parts[0].iov_base, (guint)parts[0].iov_len);
    g_byte_array_append(message, parts[1].iov_base, (guint)parts[1].iov_len);
    g_queue_push_tail(&port->waiting, g_byte_array_free_to_bytes(g_steal_pointer(&message)));
}

static void
send_whole(void *user, uint8_t *data, size_t size)
{
    Port *port = user;
    const PdmFrameOffload good = {.checksum_good = true};
    uint8_t header[FRAME_HEADER_SIZE];
    struct iovec parts[2] = {{header, make_header(port, &good, header)}, {data, size}};

    if (!g_queue_is_empty(&port->waiting) || !write_now(port, parts, 2))
        keep(port, parts);
}

static void
send_to_port(Port *port, uint8_t *data, size_t size, const PdmFrameOffload *offload)
{
    uint8_t header[FRAME_HEADER_SIZE];
    struct iovec parts[2] = {{header, 0}, {data, size}};

    /* The host's network gets frames as they are on a wire; cutting changes them. */
    if (port->tap && offload->segment != PDM_SEGMENT_NONE) {
        g_autofree uint8_t *copy = g_memdup2(data, size);

        frame_finish(copy, size, offload, send_whole, port);
        return;
    }
    parts[0].iov_len = make_header(port, offload, header);
    if (!g_queue_is_empty(&port->waiting) || !write_now(port, parts, 2))
        keep(port, parts);
}

void
network_drain_port(Port *port)
{
    GBytes *message;

    while ((message = g_queue_peek_head(&port->waiting)) != NULL) {
        struct iovec part;

        part.iov_base = (void *)g_bytes_get_data(message, &part.iov_len);
        if (!write_now(port, &part, 1))
            return;
        g_bytes_unref(g_queue_pop_head(&port->waiting));
    }
}

/* --- switching --- */

static bool
is_host(const Network *network, unsigned place)
{
    return place >= NETWORK_PORTS_MAX || network->ports[place].tap;
}

/* Whether a port that is not meant sees a frame between two places. */
static bool
overhears(const Network *network, const Port *port, unsigned from, int to)
{
    const bool host = is_host(network, from) || (to >= 0 && is_host(network, (unsigned)to));

    return port->tap || port->policy == POLICY_ALL || (port->policy == POLICY_VMS && !host);
}

static void
to_ports(Network *network, unsigned from, int to, uint8_t *data, size_t size,
         const PdmFrameOffload *offload)
{
    const bool group = is_group(data);

    for (unsigned i = 0; i < NETWORK_PORTS_MAX; i++) {
        Port *port = &network->ports[i];

        if (!port->used || i == from)
            continue;
        /* A TAP device stands for a whole network: it gets what is not known to be elsewhere. */
        if (group || to == (int)i || (to < 0 && overhears(network, port, from, to)) ||
            (to >= 0 && !port->tap && overhears(network, port, from, to)))
            send_to_port(port, data, size, offload);
    }
}

void
network_forward(Network *network, unsigned from, uint8_t *data, size_t size,
                const PdmFrameOffload *offload)
{
    bool taken;
    int to;

    if (!frame_offload_holds(offload, size))
        return;
    learn(network, from, data + 6);
    taken = from < NETWORK_PORTS_MAX &&
            (local_input(network, from, data, size) ||
             (network->resolver != NULL && resolver_input(network, data, size)));
    to = is_group(data) ? -1 : find_place(network, data);
    to_ports(network, from, to, data, size, offload);
    if (from != PLACE_HOST && !taken && network->nat != NULL && (to < 0 || to == PLACE_HOST))
        nat_input(network->nat, data, size, offload);
}

/* --- receiving --- */

static bool
take_message(Network *network, unsigned index, ssize_t got)
{
    const Port *port = &network->ports[index];
    const size_t header = port->tap ? TAP_HEADER_SIZE : FRAME_HEADER_SIZE;
    PdmFrameOffload offload = {0};

    if (got < 0)
        return errno == EAGAIN || errno == EINTR || errno == ENETDOWN;
    if (got == 0)
        return false;
    if ((size_t)got < header + FRAME_ETHERNET)
        return true;
    if (!port->tap)
        frame_header_get(network->buffer, &offload);
    network_forward(network, index, network->buffer + header, (size_t)got - header, &offload);
    return true;
}

bool
network_read_port(Network *network, unsigned index)
{
    const Port *port = &network->ports[index];

    for (unsigned i = 0; i < READS_MAX; i++) {
        ssize_t got =
            port->tap ? read(port->descriptor, network->buffer, FRAME_MESSAGE_MAX)
                      : recv(port->descriptor, network->buffer, FRAME_MESSAGE_MAX, MSG_DONTWAIT);

        if (got < 0 && errno == EAGAIN)
            break;
        if (!take_message(network, index, got))
            return false;
    }
    return true;
}
