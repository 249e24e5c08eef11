/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The serial EEPROM of network cards: see the header. */
#include "devices/network/microwire.h"

enum { OP_EXTENDED = 0, OP_WRITE = 1, OP_READ = 2, OP_ERASE = 3 };
enum { COMMAND_BITS = 9 /* start, operation, address */ };

static void
run_command(Microwire *line, uint16_t *words)
{
    const unsigned operation = line->shift >> 6 & 3, address = line->shift & 0x3f;

    switch (operation) {
    case OP_READ:
        /* A zero comes before the word. */
        line->out = words[address];
        line->out_bits = 17;
        break;
    case OP_ERASE:
        if (line->writable)
            words[address] = 0xffff;
        break;
    case OP_EXTENDED: line->writable = address >> 4 == 3 || (address >> 4 && line->writable); break;
    default: break;
    }
}

/* The rising edge of the clock. */
static void
clock_bit(Microwire *line, uint16_t *words, bool bit)
{
    if (line->out_bits > 0) {
        line->out_bits--;
        return;
    }
    if (line->bits == 0 && !bit)
        return; /* before the start bit */
    line->shift = line->shift << 1 | bit;
    line->bits++;
    if (line->bits == COMMAND_BITS)
        run_command(line, words);
    if (line->bits == COMMAND_BITS + 16) {
        if ((line->shift >> 22 & 3) == OP_WRITE && line->writable)
            words[line->shift >> 16 & 0x3f] = (uint16_t)line->shift;
        line->bits = COMMAND_BITS + 1; /* nothing more until it is selected again */
        line->shift = 0;
    }
}

void
microwire_set(Microwire *line, uint16_t words[MICROWIRE_WORDS], bool select, bool clock, bool data)
{
    if (!select) {
        line->shift = line->out = 0;
        line->bits = line->out_bits = 0;
    } else if (clock && !line->clock) {
        clock_bit(line, words, data);
    }
    line->clock = clock;
}

/* The bit that the last clock brought out; else: ready. */
bool
microwire_out(const Microwire *line)
{
    return line->out_bits == 0 || (line->out >> (line->out_bits - 1) & 1) != 0;
}

/* clang-format off */
const SsmField microwire_fields[] = {
    SSM_UINT(Microwire, shift),
    SSM_UINT(Microwire, out),
    SSM_UINT_BELOW(Microwire, bits, 33),
    SSM_UINT_BELOW(Microwire, out_bits, 18),
    SSM_UINT_BELOW(Microwire, clock, 2),
    SSM_UINT_BELOW(Microwire, writable, 2),
    SSM_END,
};
/* clang-format on */
