/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Linux and other free systems: ~/.VirtualBox when it exists, else $XDG_CONFIG_HOME/VirtualBox,
 * whose own default is ~/.config. Manual: Technical background, where files are stored. */
#include "app/api/folders.h"

#include <glib.h>

char *
vitrine_platform_config_folder(void)
{
    g_autofree char *old = g_build_filename(g_get_home_dir(), ".VirtualBox", NULL);
    if (g_file_test(old, G_FILE_TEST_IS_DIR))
        return g_steal_pointer(&old);
    return g_build_filename(g_get_user_config_dir(), "VirtualBox", NULL);
}
