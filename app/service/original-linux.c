/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finds the original product's service among this user's processes: it is called VBoxSVC, and its
 * configuration folder is that of its environment. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/service/service.h"

static gboolean
is_named(const char *process, const char *name)
{
    g_autofree char *path = g_build_filename("/proc", process, "comm", NULL);
    g_autofree char *comm = NULL;
    return g_file_get_contents(path, &comm, NULL, NULL) && g_str_equal(g_strchomp(comm), name);
}

static gboolean
is_ours(const char *process)
{
    g_autofree char *path = g_build_filename("/proc", process, NULL);
    struct stat status;
    return stat(path, &status) == 0 && status.st_uid == getuid();
}

/* The environment of a process, as g_environ_getenv() takes it. */
static char **
environment_of(const char *process)
{
    g_autofree char *path = g_build_filename("/proc", process, "environ", NULL);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autofree char *text = NULL;
    gsize length = 0;
    if (g_file_get_contents(path, &text, &length, NULL)) {
        for (gsize at = 0; at < length; at += strlen(text + at) + 1)
            g_strv_builder_add(builder, text + at);
    }
    return g_strv_builder_end(builder);
}

/* Its configuration folder, by its own environment: it may have been started with another home. */
static char *
folder_of(const char *process)
{
    g_auto(GStrv) environment = environment_of(process);
    const char *chosen = g_environ_getenv(environment, "VBOX_USER_HOME");
    const char *home = g_environ_getenv(environment, "HOME");
    const char *config = g_environ_getenv(environment, "XDG_CONFIG_HOME");
    if (chosen)
        return g_canonicalize_filename(chosen, NULL);
    if (home == NULL)
        home = g_get_home_dir();
    g_autofree char *old = g_build_filename(home, ".VirtualBox", NULL);
    if (g_file_test(old, G_FILE_TEST_IS_DIR))
        return g_steal_pointer(&old);
    if (config && *config)
        return g_build_filename(config, "VirtualBox", NULL);
    return g_build_filename(home, ".config", "VirtualBox", NULL);
}

gboolean
original_service_runs(const char *config_folder)
{
    g_autoptr(GDir) processes = g_dir_open("/proc", 0, NULL);
    const char *process;
    while (processes && (process = g_dir_read_name(processes))) {
        if (!g_ascii_isdigit(*process) || !is_named(process, "VBoxSVC") || !is_ours(process))
            continue;
        g_autofree char *folder = folder_of(process);
        if (g_str_equal(folder, config_folder))
            return TRUE;
    }
    return FALSE;
}
