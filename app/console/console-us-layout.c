/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The US keyboard layout as two strings: plain and shifted characters by make code of set 1. */
#include "app/console/console-us-layout.h"

#include <stddef.h>
#include <string.h>

/* Index: make code. Code 0 and keys without a character are zero bytes. */
static const char plain[] =
    "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0\0\0 ";
static const char shifted[] = "\0\0!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?";

static bool
find(const char *table, size_t size, char character, uint8_t *code)
{
    const char *at = memchr(table + 1, character, size - 2);

    if (!at)
        return false;
    *code = (uint8_t)(at - table);
    return true;
}

bool
console_us_key(uint32_t character, uint8_t *code, bool *shift)
{
    if (character == 0 || character > 0x7e)
        return false;
    if (character == '\r')
        character = '\n';
    *shift = false;
    if (find(plain, sizeof(plain), (char)character, code))
        return true;
    *shift = true;
    return find(shifted, sizeof(shifted), (char)character, code);
}
