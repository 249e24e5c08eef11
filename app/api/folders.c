/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The configuration folder: the rule that all hosts share. What differs is in folders-*.c. */
#include "app/api/folders.h"

#include "app/api/vitrine-client.h"

char *
vitrine_config_folder(void)
{
    const char *chosen = g_getenv("VBOX_USER_HOME");
    if (chosen && *chosen)
        return g_canonicalize_filename(chosen, NULL);
    return vitrine_platform_config_folder();
}
