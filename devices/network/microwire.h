/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A serial EEPROM of 64 words, a 93C46 (Microchip DS20001749): start bit, two bits of operation,
 * six of address, then sixteen of data. What is written stays until the machine is switched off. */
#pragma once

#include "vmm/pdm/pdm.h"

#define MICROWIRE_WORDS 64u

typedef struct {
    uint32_t shift;   /* bits that came in */
    uint32_t out;     /* bits to go out, the next one highest */
    uint8_t bits;     /* that came in */
    uint8_t out_bits; /* that are still to go */
    uint8_t clock;    /* the line's level */
    uint8_t writable; /* writes were enabled */
} Microwire;

/* What the three lines to the EEPROM are now. */
void microwire_set(Microwire *line, uint16_t words[MICROWIRE_WORDS], bool select, bool clock,
                   bool data);
/* The line from it. */
bool microwire_out(const Microwire *line);

/* All but the words. */
extern const SsmField microwire_fields[];
