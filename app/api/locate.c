/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finds the programs of this build, installed or in a build tree. */
#include <dlfcn.h>

#include "app/api/transport.h"
#include "app/api/vitrine-types.h"

/* In a build tree each program is in its room's folder. */
static const char *const rooms[] = {".", "service", "worker", "headless", "manage"};

static char *
try_path(const char *folder, const char *between, const char *name)
{
    g_autofree char *path = g_build_filename(folder, between, name, NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) || g_file_test(path, G_FILE_TEST_IS_DIR))
        return NULL;
    return g_canonicalize_filename(path, NULL);
}

static char *
try_around(const char *folder, const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(rooms); i++) {
        g_autofree char *up = g_build_filename("..", rooms[i], NULL);
        char *path = try_path(folder, rooms[i], name);
        if (path == NULL)
            path = try_path(folder, up, name);
        if (path)
            return path;
    }
    return NULL;
}

static char *
own_library_folder(void)
{
    Dl_info info;
    if (dladdr((void *)own_library_folder, &info) == 0 || info.dli_fname == NULL)
        return NULL;
    return g_path_get_dirname(info.dli_fname);
}

static char *
own_program_folder(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    return program ? g_path_get_dirname(program) : NULL;
}

char *
vitrine_find_program(const char *name, GError **error)
{
    g_autofree char *program_folder = own_program_folder();
    g_autofree char *library_folder = own_library_folder();
    const char *chosen = g_getenv("VITRINE_PROGRAMS");
    char *path = chosen ? try_path(chosen, ".", name) : NULL;
    if (path == NULL && program_folder)
        path = try_around(program_folder, name);
    if (path == NULL && library_folder)
        path = try_around(library_folder, name);
    if (path == NULL)
        path = try_path(VITRINE_LIBEXECDIR, ".", name);
    if (path == NULL)
        path = try_path(VITRINE_BINDIR, ".", name);
    if (path == NULL)
        path = g_find_program_in_path(name);
    if (path == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "The program \"%s\" is missing: install Vitrine again.", name);
    return path;
}
