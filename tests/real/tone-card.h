/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A sound card as tone.c uses it: 16 bits, stereo, through the kernel alone. */
#pragma once

#include <sys/types.h>

/* Everything as loud as it comes, and the microphone as the source. */
void card_levels(void);
/* A descriptor for read() or write() with a queue of so many KiB in the guest; -1 with errno. */
int card_open(int mode, int rate, int kib);
/* Bytes moved, which may be none: a card that stood still because its queue was empty, or full,
 * goes on with the next. -1 with errno. */
ssize_t card_write(int card, const void *frames, size_t size);
ssize_t card_read(int card, void *frames, size_t size);
/* Frames that are written and not yet played. */
long card_delay(int card);
/* Waits until they are. */
void card_drain(int card);
