/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * macOS: ~/Library/VirtualBox. Manual: Technical background, where files are stored. */
#include "app/api/folders.h"

#include <glib.h>

char *
vitrine_platform_config_folder(void)
{
    return g_build_filename(g_get_home_dir(), "Library", "VirtualBox", NULL);
}
