/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The US keyboard layout: how a character is typed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The make code of set 1 for a character of ASCII (and newline, tab), and whether Shift is held. */
bool console_us_key(uint32_t character, uint8_t *code, bool *shift);
