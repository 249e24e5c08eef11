/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ethernet frames on their way between processes: the header that says what a frame still wants to
 * have done (PdmFrameOffload), and doing that in software where the other side cannot: checksums
 * (RFC 1071) and the cutting of long TCP and UDP frames. Frames and headers are hostile. */
#pragma once

#include <glib.h>

#include "vmm/pdm/pdm-interfaces.h"

/* On the wire of a frame socket, before each frame: one message is one header and one frame. */
#define FRAME_HEADER_SIZE 12u
#define FRAME_MESSAGE_MAX (FRAME_HEADER_SIZE + PDM_NETWORK_FRAME_MAX)

enum { FRAME_ETHERNET = 14, FRAME_VLAN = 4 };
enum { FRAME_IPV4 = 0x0800, FRAME_ARP = 0x0806, FRAME_TAGGED = 0x8100, FRAME_IPV6 = 0x86dd };
enum { FRAME_TCP = 6, FRAME_UDP = 17 };

static inline uint16_t
frame_load16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void
frame_store16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline uint32_t
frame_load32(const uint8_t *at)
{
    return (uint32_t)frame_load16(at) << 16 | frame_load16(at + 2);
}

static inline void
frame_store32(uint8_t *at, uint32_t value)
{
    frame_store16(at, (uint16_t)(value >> 16));
    frame_store16(at + 2, (uint16_t)value);
}

void frame_header_put(uint8_t header[FRAME_HEADER_SIZE], const PdmFrameOffload *offload);
void frame_header_get(const uint8_t header[FRAME_HEADER_SIZE], PdmFrameOffload *offload);

/* The ones-complement sum of bytes in network order, added to `sum`, folded to 16 bits. */
uint16_t frame_sum(const void *data, size_t size, uint32_t sum);
/* The checksum over bytes as a header carries it. */
static inline uint16_t
frame_checksum(const void *data, size_t size, uint32_t sum)
{
    return (uint16_t)~frame_sum(data, size, sum);
}

/* Where the headers of a frame are. */
typedef struct {
    uint16_t type;      /* of what the frame carries, behind a VLAN tag */
    uint16_t network;   /* offset of the IP header; 0: none */
    uint16_t transport; /* offset of the TCP or UDP header; 0: none, or a later fragment */
    uint16_t payload;   /* offset of TCP's or UDP's data; 0: none */
    uint8_t protocol;   /* of IP */
    uint32_t end;       /* of the IP packet: padding may follow */
    uint16_t pseudo;    /* sum of the pseudo header, with its length */
} FrameParts;

/* False: it is no frame. Only headers that are whole are named. */
bool frame_parse(const uint8_t *data, size_t size, FrameParts *parts);

/* Whether what a frame wants can be done with a frame of this size: all places are in it. */
bool frame_offload_holds(const PdmFrameOffload *offload, size_t size);
/* Puts the checksum that the frame wants, whole; the offload holds. */
void frame_put_checksum(uint8_t *data, size_t size, const PdmFrameOffload *offload);

typedef void (*FrameSink)(void *user, uint8_t *data, size_t size);
/* The same for one who may refuse a frame. */
typedef bool (*FrameTaker)(void *user, uint8_t *data, size_t size);
/* Does all that the frame wants: gives it, or the frames that it is cut into, to `sink`, each with
 * its checksums right. data is changed. A frame whose offload does not hold goes nowhere. */
void frame_finish(uint8_t *data, size_t size, const PdmFrameOffload *offload, FrameSink sink,
                  void *user);
/* As frame_finish(), until a frame is refused. False: what is left is a frame at *data of *size
 * bytes that wants the same. */
bool frame_offer(uint8_t **data, size_t *size, const PdmFrameOffload *offload, FrameTaker taker,
                 void *user);
