/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Watches the stream of a peer: every packet of usbredir says how long it is, and none may be
 * longer than what a guest can have asked for. The parser's own limit is 128 MiB. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory is at the beginning of a packet. */
typedef struct {
    uint8_t header[16];
    uint32_t have; /* bytes of the header */
    uint32_t left; /* bytes of the packet behind it */
} RemoteGuard;

/* Bytes as they go to the parser, which never takes the end of one packet and the beginning of the
 * next at once. wide: ids have 64 bits. False: too long. */
bool remote_guard_check(RemoteGuard *guard, bool wide, const uint8_t *data, size_t size);
