/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fault whose handler cannot be reached, and whose double fault cannot either, shuts the machine
 * down. The last line of the log is the one before. Intel SDM volume 3A 6.15 (#DF). */
#include "tests/guest/lib/guest32.h"

void
guest_main(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) nothing = {0, 0};

    guest_setup();
    log_text("before: the shutdown\n");
    __asm__ volatile("lidt %0; ud2" : : "m"(nothing));
    log_text("after: the shutdown\n");
    log_end();
}
