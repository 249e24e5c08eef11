/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writes settings files so that at every moment, also after a loss of power, the old or the new
 * file is there whole. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/service/settings/file-error.h"
#include "app/service/settings/xml.h"

static gboolean
fail(GError **error, const char *path, int errnum)
{
    file_error_set(error, errnum, "The settings cannot be written to \"%s\"", path);
    return FALSE;
}

static gboolean
write_all(int fd, const char *bytes, gsize length)
{
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return FALSE;
        bytes += done;
        length -= done;
    }
    return TRUE;
}

/* A new file with this content, on the disk when it returns. */
static gboolean
write_synced(const char *path, const char *bytes, gsize length, GError **error)
{
    g_unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(error, path, errno);
    int errnum = write_all(fd, bytes, length) && fsync(fd) == 0 ? 0 : errno;
    if (close(fd) < 0 && errnum == 0)
        errnum = errno;
    if (errnum == 0)
        return TRUE;
    g_unlink(path);
    return fail(error, path, errnum);
}

void
settings_sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int
settings_make_folder(const char *path)
{
    GStatBuf status;
    if (g_stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return 0;
    g_autofree char *parent = g_path_get_dirname(path);
    if (!g_str_equal(parent, path) && settings_make_folder(parent) < 0)
        return -1;
    if (g_mkdir(path, 0700) < 0) {
        const int errnum = errno;
        if (errnum == EEXIST && g_file_test(path, G_FILE_TEST_IS_DIR))
            return 0;
        errno = errnum;
        return -1;
    }
    settings_sync_folder(path);
    return 0;
}

/* "<base>-<old version>.<extension>", once. Only a full disk stops the save. */
static gboolean
keep_old_version(SettingsFile *file, GError **error)
{
    g_autofree char *content = NULL;
    gsize length;
    if (file->loaded_version == NULL || g_str_equal(file->loaded_version, file->version))
        return TRUE;
    const char *dot = strrchr(file->path, '.');
    gsize base = dot && strchr(dot, '/') == NULL ? (gsize)(dot - file->path) : strlen(file->path);
    g_autofree char *backup = g_strdup_printf("%.*s-%s%s", (int)base, file->path,
                                              file->loaded_version, file->path + base);
    if (g_file_test(backup, G_FILE_TEST_EXISTS) ||
        !g_file_get_contents(file->path, &content, &length, NULL))
        return TRUE;
    g_autoptr(GError) cause = NULL;
    if (!write_synced(backup, content, length, &cause) &&
        g_error_matches(cause, VITRINE_ERROR, VITRINE_ERROR_NO_SPACE)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    g_clear_pointer(&file->loaded_version, g_free);
    return TRUE;
}

static void
keep_previous(const char *path)
{
    g_autofree char *prev = g_strconcat(path, "-prev", NULL);
    g_unlink(prev);
    /* A link, not a rename: there is no moment without the file itself. */
    if (link(path, prev) < 0 && errno != ENOENT) {
        g_autofree char *old = NULL;
        gsize length;
        if (g_file_get_contents(path, &old, &length, NULL))
            write_synced(prev, old, length, NULL);
    }
}

static gboolean
replace(const char *path, const char *bytes, gsize length, gboolean keep, GError **error)
{
    g_autofree char *tmp = g_strconcat(path, "-tmp", NULL);
    struct stat status;
    if (!write_synced(tmp, bytes, length, error))
        return FALSE;
    if (stat(path, &status) == 0)
        g_chmod(tmp, status.st_mode & 0777);
    if (keep)
        keep_previous(path);
    if (rename(tmp, path) < 0) {
        int errnum = errno;
        g_unlink(tmp);
        return fail(error, path, errnum);
    }
    settings_sync_folder(path);
    return TRUE;
}

gboolean
settings_replace_file(const char *path, const char *bytes, gsize length, GError **error)
{
    return replace(path, bytes, length, FALSE, error);
}

gboolean
settings_file_save(SettingsFile *file, GError **error)
{
    xmlChar *bytes = NULL;
    int length = 0;
    if (*file->read_only_reason) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_READ_ONLY, "%s", file->read_only_reason);
        return FALSE;
    }
    g_autofree char *folder = g_path_get_dirname(file->path);
    if (settings_make_folder(folder) < 0)
        return fail(error, folder, errno);
    if (!keep_old_version(file, error))
        return FALSE;
    xmlDocDumpFormatMemory(file->doc, &bytes, &length, 1);
    if (bytes == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NO_MEMORY, "There is not enough memory.");
        return FALSE;
    }
    gboolean done = replace(file->path, (const char *)bytes, length, TRUE, error);
    xmlFree(bytes);
    return done;
}
