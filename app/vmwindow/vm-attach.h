/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The program `vitrine --startvm NAME --separate`: a window alone, whose machine runs in another
 * process. */
#pragma once

/* Shows the machine, which it starts without a window if it does not run; returns the exit code
 * when the window is closed (the machine may run on) or the machine has ended. machine: name or
 * UUID. */
int vm_attach_run(const char *machine);
