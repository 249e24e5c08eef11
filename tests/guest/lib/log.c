/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text to port 0xE9 and the end of a program. No library: this runs without an operating system. */
#include "tests/guest/lib/log.h"

#include <stdarg.h>

static void
put_number(uint64_t value, unsigned base)
{
    char digits[24];
    unsigned count = 0;

    do {
        uint32_t low;

        /* No 64-bit division in 32-bit code: decimal values are below 2^32. */
        if (base == 16) {
            low = value & 15;
            value >>= 4;
        } else {
            low = (uint32_t)value % 10;
            value = (uint32_t)value / 10;
        }
        digits[count++] = "0123456789abcdef"[low];
    } while (value != 0);
    while (count > 0)
        out8(0xe9, (uint8_t)digits[--count]);
}

static void
put_string(const char *s)
{
    while (*s)
        out8(0xe9, (uint8_t)*s++);
}

void
log_text(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            out8(0xe9, (uint8_t)*format);
            continue;
        }
        switch (*++format) {
        case 'x': put_number(va_arg(args, uint32_t), 16); break;
        case 'X': put_number(va_arg(args, uint64_t), 16); break;
        case 'u': put_number(va_arg(args, uint32_t), 10); break;
        case 's': put_string(va_arg(args, const char *)); break;
        default: break;
        }
    }
    va_end(args);
}

/* Port 0xF4 ends our harness and QEMU (isa-debug-exit), the word at 0x8900 ends Bochs. */
void
log_end(void)
{
    log_text("END\n");
    out8(0xf4, 0);
    for (const char *s = "Shutdown"; *s; s++)
        out8(0x8900, (uint8_t)*s);
    for (;;)
        __asm__ volatile("cli; hlt");
}
