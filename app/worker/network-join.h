/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Joins TCP segments that follow each other into one long frame, which travels between processes at
 * once and which a card cuts again unless its driver takes it whole. */
#pragma once

#include "devices/drivers/network/frame/frame.h"

typedef struct Joiner Joiner;

/* What comes out of it; data may be changed and is good during the call. */
typedef void (*JoinerSink)(void *user, uint8_t *data, size_t size, const PdmFrameOffload *offload);

Joiner *joiner_new(JoinerSink sink, void *user);
void joiner_free(Joiner *joiner);
/* Takes a frame whose checksums are right. It may stay until the next frame or joiner_flush(). */
void joiner_add(Joiner *joiner, const uint8_t *data, size_t size);
void joiner_flush(Joiner *joiner);
