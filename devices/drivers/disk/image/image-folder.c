/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files of an image in several files: beside the first, by plain names, or not at all. */
#include <glib/gstdio.h>
#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

#define NAME_MAX_BYTES 255

bool
image_is_plain_file_name(const char *name)
{
    const size_t length = strlen(name);

    return length > 0 && length <= NAME_MAX_BYTES && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0 && strpbrk(name, "/\\:") == NULL;
}

ImageIo *
image_folder_open(const ImageFolder *folder, const char *name, ImageFileMode mode, GError **error)
{
    if (!image_is_plain_file_name(name)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED,
                    "“%s” is not a file beside the image, so it is not opened.", name);
        return NULL;
    }
    if (folder == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED,
                    "The image needs the file “%s”, which was not handed over with it.", name);
        return NULL;
    }
    return folder->open(folder->user, name, mode, error);
}

static ImageIo *
open_beside(void *user, const char *name, ImageFileMode mode, GError **error)
{
    static const BaseFileMode modes[] = {
        [IMAGE_FILE_READ] = BASE_FILE_READ,
        [IMAGE_FILE_WRITE] = BASE_FILE_WRITE,
        [IMAGE_FILE_CREATE] = BASE_FILE_CREATE,
    };
    g_autofree char *path = g_build_filename(user, name, NULL);
    g_autoptr(BaseFile) file = NULL;

    /* A link beside the image could lead to any file of the user's. */
    if (g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED,
                    "“%s” is a link, so it is not opened as a part of an image.", path);
        return NULL;
    }
    file = base_file_open(path, modes[mode], error);
    if (file == NULL || !base_file_lock(file, mode != IMAGE_FILE_READ, error))
        return NULL;
    return image_io_new_file(g_steal_pointer(&file));
}

static void
remove_beside(void *user, const char *name)
{
    g_autofree char *path = g_build_filename(user, name, NULL);

    g_unlink(path);
}

ImageFolder
image_folder_beside(const char *path)
{
    return (ImageFolder){open_beside, remove_beside, g_path_get_dirname(path)};
}

void
image_folder_clear(ImageFolder *folder)
{
    g_clear_pointer(&folder->user, g_free);
}
