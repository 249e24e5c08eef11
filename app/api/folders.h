/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's own place for configuration; one of folders-linux.c, folders-darwin.c and
 * folders-windows.c is built. */
#pragma once

/* Absolute; the caller's. */
char *vitrine_platform_config_folder(void);
