/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Types on a machine's keyboard: text of a US keyboard, with names in braces for other keys. */
#pragma once

#include "vmm/pdm/pdm-vm.h"

/* "ls{enter}", "{f12}", "{ctrl-alt-del}", "{wait:2.5}" (seconds), "{text:Choose}" (until the screen
 * shows that), "{point:X,Y,BUTTONS}" on the tablet, "{{" for a brace. */
typedef struct RunKeys RunKeys;

RunKeys *run_keys_new(const char *script, GError **error);
void run_keys_free(RunKeys *keys);
/* Called again and again: types what can be typed now. screen (may be NULL) and serial are texts as
 * they are. True while something is left. */
bool run_keys_step(RunKeys *keys, Pdm *pdm, uint64_t now_ns, const char *screen,
                   const char *serial);
