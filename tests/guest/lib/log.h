/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest program says, on port 0xE9. One line is one result: "key: text". Keys are unique
 * within a program; they name a line where machines differ. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* %x hexadecimal, %u decimal (unsigned), %s; %X is 64 bits wide in hexadecimal. */
void log_text(const char *format, ...);
/* Ends the program: the machine is told to stop. */
void log_end(void) __attribute__((noreturn));

static inline void
out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t
in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
