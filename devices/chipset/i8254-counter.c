/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One 8254 counter: see the header. */
#include "devices/chipset/i8254-counter.h"

/* clang-format off */
const SsmField pit_counter_fields[] = {
    SSM_UINT(PitCounter, start), SSM_UINT(PitCounter, frozen), SSM_UINT(PitCounter, count),
    SSM_UINT(PitCounter, next), SSM_UINT_BELOW(PitCounter, mode, 6),
    SSM_UINT_BELOW(PitCounter, bcd, 2), SSM_UINT_BELOW(PitCounter, access, 4),
    SSM_UINT_BELOW(PitCounter, loaded, 2), SSM_UINT_BELOW(PitCounter, running, 2),
    SSM_UINT_BELOW(PitCounter, gate, 2), SSM_UINT_BELOW(PitCounter, write_high, 2),
    SSM_UINT_BELOW(PitCounter, read_high, 2), SSM_UINT(PitCounter, low),
    SSM_UINT_BELOW(PitCounter, latched, 3), SSM_UINT(PitCounter, latch),
    SSM_UINT_BELOW(PitCounter, status_latched, 2), SSM_UINT(PitCounter, status), SSM_END
};
/* clang-format on */

static bool
pit_periodic(const PitCounter *counter)
{
    return counter->mode == 2 || counter->mode == 3;
}

/* Ticks since the cycle began; moves a periodic counter into its present cycle. */
static uint64_t
pit_elapsed(PitCounter *counter, uint64_t tick)
{
    if (!counter->running)
        return counter->frozen;

    uint64_t elapsed = tick > counter->start ? tick - counter->start : 0;

    if (!pit_periodic(counter) || elapsed < counter->count)
        return elapsed;
    elapsed -= counter->count;
    counter->start += counter->count;
    counter->count = counter->next;

    uint64_t whole = elapsed / counter->count * counter->count;

    counter->start += whole;
    return elapsed - whole;
}

static void
pit_start(PitCounter *counter, uint64_t tick)
{
    counter->count = counter->next;
    counter->start = tick;
    counter->frozen = 0;
    counter->running = 1;
}

static void
pit_stop(PitCounter *counter, uint64_t tick)
{
    counter->frozen = pit_elapsed(counter, tick);
    counter->running = 0;
}

void
pit_counter_set_mode(PitCounter *counter, uint8_t control, uint64_t tick)
{
    uint8_t mode = control >> 1 & 7;

    counter->mode = mode > 5 ? mode - 4 : mode; /* 6 and 7 are 2 and 3 */
    counter->access = control >> 4 & 3;
    counter->bcd = control & 1;
    counter->loaded = counter->running = 0;
    counter->frozen = 0;
    counter->write_high = counter->read_high = 0;
    counter->latched = counter->status_latched = 0;
}

/* Modes 1 and 5 wait for the gate to rise; the others count while it is high. */
static bool
pit_triggered(const PitCounter *counter)
{
    return counter->mode == 1 || counter->mode == 5;
}

void
pit_counter_set_gate(PitCounter *counter, bool gate, uint64_t tick)
{
    if (gate == counter->gate)
        return;
    if (counter->loaded && !pit_triggered(counter) && !gate)
        pit_stop(counter, tick);
    counter->gate = gate;
    if (!counter->loaded || !gate)
        return;
    if (pit_triggered(counter) || pit_periodic(counter)) {
        pit_start(counter, tick);
    } else {
        counter->start = tick - counter->frozen;
        counter->running = 1;
    }
}

static uint32_t
pit_decode(const PitCounter *counter, uint16_t value)
{
    if (!counter->bcd)
        return value ? value : 0x10000;

    uint32_t count = (value >> 12 & 15) * 1000u + (value >> 8 & 15) * 100u +
                     (value >> 4 & 15) * 10u + (value & 15u);

    return count ? count : 10000;
}

static void
pit_load(PitCounter *counter, uint16_t value, uint64_t tick)
{
    counter->next = pit_decode(counter, value);
    /* A count of 1 is illegal in modes 2 and 3; the chip does not divide by it. */
    if (pit_periodic(counter) && counter->next == 1)
        counter->next = 2;
    if (counter->loaded && pit_periodic(counter)) {
        /* The running cycle ends as it is. */
        pit_elapsed(counter, tick);
        return;
    }
    if (counter->loaded && pit_triggered(counter))
        return;
    counter->loaded = 1;
    if (pit_triggered(counter)) {
        counter->count = counter->next;
        return;
    }
    pit_start(counter, tick);
    if (!counter->gate)
        counter->running = 0;
}

void
pit_counter_write(PitCounter *counter, uint8_t value, uint64_t tick)
{
    switch (counter->access) {
    case 1: pit_load(counter, value, tick); break;
    case 2: pit_load(counter, (uint16_t)(value << 8), tick); break;
    case 3:
        if (!counter->write_high) {
            counter->low = value;
            if (counter->mode == 0 && counter->loaded) {
                pit_stop(counter, tick); /* the first byte stops mode 0 and lowers its output */
                counter->frozen = 0;
                counter->loaded = 0;
            }
        } else {
            pit_load(counter, (uint16_t)(value << 8 | counter->low), tick);
        }
        counter->write_high ^= 1;
        break;
    }
}

/* What mode 3 shows: it counts down by two in each half. */
static uint32_t
pit_square_value(const PitCounter *counter, uint32_t elapsed)
{
    uint32_t count = counter->count, half = (count + 1) / 2;
    uint32_t odd = count & 1;

    if (elapsed < half)
        return elapsed == 0 ? count : count + odd - 2 * elapsed;
    elapsed -= half;
    return elapsed == 0 ? count : count - odd - 2 * elapsed;
}

static uint16_t
pit_value(PitCounter *counter, uint64_t tick)
{
    uint64_t elapsed = pit_elapsed(counter, tick);
    uint32_t modulus = counter->bcd ? 10000 : 0x10000, value;

    if (counter->mode == 3)
        value = pit_square_value(counter, (uint32_t)elapsed);
    else
        value = (uint32_t)((counter->count + modulus - elapsed % modulus) % modulus);
    value %= modulus;
    if (!counter->bcd)
        return (uint16_t)value;
    return (uint16_t)((value / 1000) << 12 | (value / 100 % 10) << 8 | (value / 10 % 10) << 4 |
                      value % 10);
}

void
pit_counter_latch(PitCounter *counter, uint64_t tick)
{
    if (counter->latched)
        return;
    counter->latch = pit_value(counter, tick);
    counter->latched = counter->access == 3 ? 2 : 1;
}

void
pit_counter_latch_status(PitCounter *counter, uint64_t tick)
{
    if (counter->status_latched)
        return;
    counter->status = (uint8_t)(pit_counter_output(counter, tick) << 7 | (!counter->loaded) << 6 |
                                counter->access << 4 | counter->mode << 1 | counter->bcd);
    counter->status_latched = 1;
}

uint8_t
pit_counter_read(PitCounter *counter, uint64_t tick)
{
    if (counter->status_latched) {
        counter->status_latched = 0;
        return counter->status;
    }

    uint16_t value = counter->latched ? counter->latch : pit_value(counter, tick);
    bool high = counter->access == 2;

    if (counter->access == 3) {
        high = counter->read_high;
        counter->read_high ^= 1;
    }
    if (counter->latched)
        counter->latched--;
    return (uint8_t)(high ? value >> 8 : value);
}

bool
pit_counter_output(PitCounter *counter, uint64_t tick)
{
    if (!counter->loaded)
        return counter->mode != 0;

    uint64_t elapsed = pit_elapsed(counter, tick);

    switch (counter->mode) {
    case 0: return elapsed >= counter->count;
    case 1: return !counter->running || elapsed >= counter->count;
    case 2: return !counter->running || elapsed + 1 != counter->count;
    case 3: return !counter->running || elapsed < (counter->count + 1) / 2;
    default: return !counter->running || elapsed != counter->count;
    }
}

uint64_t
pit_counter_next_rise(PitCounter *counter, uint64_t tick)
{
    if (!counter->loaded || !counter->running)
        return PIT_NEVER;

    uint64_t elapsed = pit_elapsed(counter, tick);
    uint64_t rise = counter->count;

    if (counter->mode >= 4)
        rise++;
    return elapsed < rise ? counter->start + rise : PIT_NEVER;
}

uint64_t
pit_counter_next_change(PitCounter *counter, uint64_t tick)
{
    uint64_t elapsed, first, second;

    if (!counter->loaded || !counter->running)
        return PIT_NEVER;
    elapsed = pit_elapsed(counter, tick);
    first = second = counter->count;
    if (counter->mode == 2)
        first--;
    else if (counter->mode == 3)
        first = (counter->count + 1) / 2;
    else if (counter->mode >= 4)
        second++;
    if (elapsed < first)
        return counter->start + first;
    return elapsed < second ? counter->start + second : PIT_NEVER;
}

bool
pit_counter_valid(const PitCounter *counter)
{
    return counter->count >= 1 && counter->count <= 0x10000 && counter->next >= 1 &&
           counter->next <= 0x10000 && counter->start < UINT64_MAX / 4 &&
           counter->frozen < UINT64_MAX / 4 &&
           !(pit_periodic(counter) && (counter->count < 2 || counter->next < 2));
}
