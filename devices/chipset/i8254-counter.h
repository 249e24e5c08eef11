/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One counter of an 8254, without a clock of its own: the caller says which tick of the 1.193182
 * MHz input it is. Intel 8254 data sheet (231164-005). A count that is rewritten in mode 2 or 3
 * takes effect at the end of the running cycle (in mode 3 the chip can do so at its half). */
#pragma once

#include "vmm/pdm/pdm.h"

#define PIT_HZ 1193182u
#define PIT_NEVER UINT64_MAX

typedef struct {
    uint64_t start;     /* tick at which the present cycle began */
    uint64_t frozen;    /* ticks counted when the gate stopped the counter */
    uint32_t count;     /* 1..65536: length of the present cycle */
    uint32_t next;      /* the same from the next cycle on */
    uint8_t mode;       /* 0..5 */
    uint8_t bcd;        /* 0, 1 */
    uint8_t access;     /* 1 low byte, 2 high byte, 3 both */
    uint8_t loaded;     /* a count was written since the mode was set */
    uint8_t running;    /* it counts (gate, trigger) */
    uint8_t gate;       /* input */
    uint8_t write_high; /* access 3: the next write is the high byte */
    uint8_t read_high;  /* likewise for reads */
    uint8_t low;        /* access 3: the low byte that waits for its high byte */
    uint8_t latched;    /* how many bytes of `latch` are unread */
    uint16_t latch;
    uint8_t status_latched, status;
} PitCounter;

extern const SsmField pit_counter_fields[];

void pit_counter_set_mode(PitCounter *counter, uint8_t control, uint64_t tick);
void pit_counter_set_gate(PitCounter *counter, bool gate, uint64_t tick);
void pit_counter_write(PitCounter *counter, uint8_t value, uint64_t tick);
uint8_t pit_counter_read(PitCounter *counter, uint64_t tick);
void pit_counter_latch(PitCounter *counter, uint64_t tick);
void pit_counter_latch_status(PitCounter *counter, uint64_t tick);
/* The output pin. */
bool pit_counter_output(PitCounter *counter, uint64_t tick);
/* The first tick after `tick` at which the output rises; PIT_NEVER when it does not by itself. */
uint64_t pit_counter_next_rise(PitCounter *counter, uint64_t tick);
/* The first tick after `tick` at which the output changes by itself, or PIT_NEVER. */
uint64_t pit_counter_next_change(PitCounter *counter, uint64_t tick);
/* False when a saved state brought a combination that the chip cannot have. */
bool pit_counter_valid(const PitCounter *counter);
