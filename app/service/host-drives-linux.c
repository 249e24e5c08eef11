/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives as Linux's sysfs knows them: a block device whose SCSI type is 5 (SPC-3, table 83) is an
 * optical drive, whatever wires it hangs on; a floppy drive is one of the driver with major number
 * 2. USB floppy drives are SCSI disks to Linux and are left out. */
#include "app/service/host-drives.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "app/service/settings/file-error.h"

#define BLOCK_FOLDER "/sys/block"
#define SCSI_TYPE_OPTICAL "5"
#define FLOPPY_MAJOR "2:"

/* The first line of a file of a block device, "" without one; the caller's. */
static char *
attribute(const char *name, const char *file)
{
    g_autofree char *path = g_build_filename(BLOCK_FOLDER, name, file, NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_strdup("");
    return g_strstrip(g_utf8_make_valid(text, -1));
}

static gboolean
kind_of(const char *name, VitrineMediumKind *kind)
{
    g_autofree char *type = attribute(name, "device/type");
    g_autofree char *number = attribute(name, "dev");

    if (g_str_equal(type, SCSI_TYPE_OPTICAL))
        *kind = VITRINE_MEDIUM_KIND_DVD;
    else if (g_str_has_prefix(number, FLOPPY_MAJOR))
        *kind = VITRINE_MEDIUM_KIND_FLOPPY;
    else
        return FALSE;
    return TRUE;
}

/* The node stands for the device of that name. */
static gboolean
is_node_of(const char *path, const char *name)
{
    g_autofree char *number = attribute(name, "dev");
    g_autofree char *own = NULL;
    struct stat status;

    if (stat(path, &status) < 0 || !S_ISBLK(status.st_mode))
        return FALSE;
    own = g_strdup_printf("%u:%u", major(status.st_rdev), minor(status.st_rdev));
    return g_str_equal(own, number);
}

static int
compare_paths(gconstpointer left, gconstpointer right)
{
    const VitrineHostDrive *const *a = left;
    const VitrineHostDrive *const *b = right;

    return strcmp((*a)->path, (*b)->path);
}

GPtrArray *
host_drives_list(void)
{
    GPtrArray *drives = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_host_drive_free);
    g_autoptr(GDir) folder = g_dir_open(BLOCK_FOLDER, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *path = g_strconcat("/dev/", name, NULL);
        g_autofree char *vendor = attribute(name, "device/vendor");
        g_autofree char *model = attribute(name, "device/model");
        VitrineMediumKind kind;

        if (kind_of(name, &kind) && is_node_of(path, name))
            g_ptr_array_add(drives, vitrine_host_drive_new(kind, path, vendor, model));
    }
    g_ptr_array_sort(drives, compare_paths);
    return drives;
}

/* --- a path that somebody gave --- */

static gboolean
refuse(GError **error, VitrineMediumKind kind, const char *path, const char *what)
{
    const gboolean optical = kind == VITRINE_MEDIUM_KIND_DVD;

    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "\"%s\" %s, not %s drive of the host. \"list %s\" tells which there are.", path,
                what, optical ? "an optical" : "a floppy", optical ? "hostdvds" : "hostfloppies");
    return FALSE;
}

gboolean
host_drives_check(const char *path, VitrineMediumKind kind, GError **error)
{
    g_autoptr(GPtrArray) drives = NULL;
    struct stat status;

    if (stat(path, &status) < 0) {
        file_error_set(error, errno, "The host drive \"%s\" is not there", path);
        return FALSE;
    }
    if (!S_ISBLK(status.st_mode))
        return refuse(error, kind, path, S_ISDIR(status.st_mode) ? "is a folder" : "is a file");
    drives = host_drives_list();
    for (guint i = 0; i < drives->len; i++) {
        const VitrineHostDrive *drive = drives->pdata[i];
        g_autofree char *name = g_path_get_basename(drive->path);

        if (is_node_of(path, name))
            return drive->kind == kind || refuse(error, kind, path, "is a drive of another kind");
    }
    return refuse(error, kind, path, "is a disk or another device");
}
