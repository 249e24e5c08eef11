/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Wires on Linux: see the header. unix(7), recvmmsg(2), the kernel's tuntap documentation and, for
 * the TAP header, VIRTIO 1.1 section 5.1.6 (legacy layout, this host's byte order). */
#include "devices/drivers/network/frame/frame.h"
#include "devices/drivers/network/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define TAP_HEADER_SIZE 10u
#define PIECES_MAX 64u

WireKind
wire_kind(const char *name)
{
    static const char *const names[] = {
        [WIRE_NONE] = "none", [WIRE_FRAMES] = "frames", [WIRE_TAP] = "tap", [WIRE_PLAIN] = "plain"};

    for (unsigned i = 0; name != NULL && i < G_N_ELEMENTS(names); i++) {
        if (strcmp(names[i], name) == 0)
            return (WireKind)i;
    }
    return WIRE_NONE;
}

bool
wire_adopt(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);

    return flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

void
wire_close(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

int
wire_duplicate(int descriptor, GError **error)
{
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);

    if (copy < 0)
        base_error_set_errno(error, errno, "The host has no more descriptors");
    return copy;
}

bool
wire_replace(int number, int descriptor)
{
    return dup3(descriptor, number, O_CLOEXEC) == number;
}

int
wire_wake_open(GError **error)
{
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (wake < 0)
        base_error_set_errno(error, errno, "The host has no more descriptors");
    return wake;
}

void
wire_wake(int descriptor)
{
    const uint64_t one = 1;

    /* A counter that is full wakes as well. */
    if (write(descriptor, &one, sizeof(one)) < 0)
        return;
}

void
wire_wake_clear(int descriptor)
{
    uint64_t count;

    if (read(descriptor, &count, sizeof(count)) < 0)
        return;
}

void
wire_batch_init(WireBatch *batch)
{
    *batch = (WireBatch){.memory = g_malloc(WIRE_BATCH * FRAME_MESSAGE_MAX)};
}

void
wire_batch_clear(WireBatch *batch)
{
    g_clear_pointer(&batch->memory, g_free);
}

PdmOffloads
wire_offloads(WireKind kind)
{
    switch (kind) {
    case WIRE_TAP: return PDM_OFFLOAD_CHECKSUM | PDM_OFFLOAD_TCP4 | PDM_OFFLOAD_TCP6;
    case WIRE_PLAIN: return 0;
    case WIRE_NONE:
    case WIRE_FRAMES: break;
    }
    return PDM_OFFLOAD_CHECKSUM | PDM_OFFLOAD_TCP4 | PDM_OFFLOAD_TCP6 | PDM_OFFLOAD_UDP;
}

/* --- the TAP header --- */

static void
tap_header_put(uint8_t header[TAP_HEADER_SIZE], const PdmFrameOffload *offload)
{
    static const uint8_t types[] = {VIRTIO_NET_HDR_GSO_NONE, VIRTIO_NET_HDR_GSO_TCPV4,
                                    VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_HDR_GSO_NONE};
    struct virtio_net_hdr fields = {0};

    if (offload != NULL) {
        if (offload->needs_checksum)
            fields.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        fields.gso_type = types[offload->segment];
        fields.gso_size = offload->segment_size;
        fields.hdr_len = offload->header_length;
        fields.csum_start = offload->checksum_start;
        fields.csum_offset = offload->checksum_offset;
    }
    memcpy(header, &fields, TAP_HEADER_SIZE);
}

static void
tap_header_get(const uint8_t header[TAP_HEADER_SIZE], PdmFrameOffload *offload)
{
    struct virtio_net_hdr fields;

    memcpy(&fields, header, TAP_HEADER_SIZE);
    *offload = (PdmFrameOffload){
        .needs_checksum = (fields.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0,
        .checksum_good = (fields.flags & VIRTIO_NET_HDR_F_DATA_VALID) != 0,
        .segment_size = fields.gso_size,
        .header_length = fields.hdr_len,
        .checksum_start = fields.csum_start,
        .checksum_offset = fields.csum_offset,
    };
    switch (fields.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4: offload->segment = PDM_SEGMENT_TCP4; break;
    case VIRTIO_NET_HDR_GSO_TCPV6: offload->segment = PDM_SEGMENT_TCP6; break;
    default: break;
    }
}

/* --- receiving --- */

static size_t
header_size(WireKind kind)
{
    return kind == WIRE_FRAMES ? FRAME_HEADER_SIZE : kind == WIRE_TAP ? TAP_HEADER_SIZE : 0;
}

static uint8_t *
slot(const WireBatch *batch, unsigned index)
{
    return batch->memory + (size_t)index * FRAME_MESSAGE_MAX;
}

/* A message has come into the slot. */
static void
take(WireKind kind, WireBatch *batch, unsigned index, size_t size)
{
    WireFrame *frame = &batch->frames[batch->count];
    const size_t header = header_size(kind);
    uint8_t *data = slot(batch, index);

    if (size < header + FRAME_ETHERNET)
        return;
    *frame = (WireFrame){.data = data + header, .size = size - header};
    if (kind == WIRE_FRAMES)
        frame_header_get(data, &frame->offload);
    else if (kind == WIRE_TAP)
        tap_header_get(data, &frame->offload);
    batch->count++;
}

static WireResult
result_of(ssize_t got)
{
    if (got > 0)
        return WIRE_DONE;
    /* A datagram's earlier one may have been refused by the peer: nothing is lost by that. */
    if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ||
                    errno == ENOBUFS || errno == ENETDOWN || errno == EMSGSIZE))
        return WIRE_AGAIN;
    return WIRE_LOST;
}

static WireResult
receive_messages(WireKind kind, int descriptor, WireBatch *batch)
{
    struct mmsghdr messages[WIRE_BATCH];
    struct iovec vectors[WIRE_BATCH];
    int count;

    memset(messages, 0, sizeof(messages));
    for (unsigned i = 0; i < WIRE_BATCH; i++) {
        vectors[i] = (struct iovec){slot(batch, i), FRAME_MESSAGE_MAX};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    count = recvmmsg(descriptor, messages, WIRE_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        /* An empty message of a local socket is its end. */
        if (messages[i].msg_len == 0 && kind == WIRE_FRAMES)
            return batch->count > 0 ? WIRE_DONE : WIRE_LOST;
        if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) == 0)
            take(kind, batch, (unsigned)i, messages[i].msg_len);
    }
    return result_of(count);
}

static WireResult
receive_tap(int descriptor, WireBatch *batch)
{
    ssize_t got = 0;

    for (unsigned i = 0; i < WIRE_BATCH; i++) {
        got = read(descriptor, slot(batch, i), FRAME_MESSAGE_MAX);
        if (got <= 0)
            break;
        take(WIRE_TAP, batch, i, (size_t)got);
    }
    return batch->count > 0 ? WIRE_DONE : result_of(got);
}

WireResult
wire_receive(WireKind kind, int descriptor, WireBatch *batch)
{
    batch->count = batch->next = 0;
    return kind == WIRE_TAP ? receive_tap(descriptor, batch)
                            : receive_messages(kind, descriptor, batch);
}

/* --- sending --- */

WireResult
wire_send(WireKind kind, int descriptor, const PdmFramePiece *pieces, unsigned count,
          const PdmFrameOffload *offload)
{
    uint8_t header[FRAME_HEADER_SIZE];
    struct iovec vectors[PIECES_MAX + 1];
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 0};
    const size_t extra = header_size(kind);

    if (count > PIECES_MAX)
        return WIRE_DONE; /* more than any card makes of a frame */
    if (kind == WIRE_FRAMES)
        frame_header_put(header, offload);
    else if (kind == WIRE_TAP)
        tap_header_put(header, offload);
    if (extra > 0)
        vectors[message.msg_iovlen++] = (struct iovec){header, extra};
    for (unsigned i = 0; i < count; i++)
        vectors[message.msg_iovlen++] = (struct iovec){(void *)pieces[i].data, pieces[i].size};
    if (kind == WIRE_TAP)
        return result_of(writev(descriptor, vectors, (int)message.msg_iovlen));
    return result_of(sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}
