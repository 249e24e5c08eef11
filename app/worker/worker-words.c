/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From the words that the service gives to images: which descriptor is whose, in their order. */
#include <fcntl.h>
#include <string.h>

#include "app/api/vitrine-types.h"
#include "app/worker/worker.h"
#include "vmm/base/file.h"

#define PROGRESS_STEPS 200

static bool
refuse(GError **error, const char *what)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "The worker was asked for %s.", what);
    return false;
}

static bool
begins_extents(const char *word)
{
    return strcmp(word, "+extent") == 0 || strcmp(word, "+new") == 0;
}

/* The pairs "+extent NAME" and "+new NAME" stand at the end. */
void
worker_words_init(WorkerWords *words, int count, char **arguments)
{
    int plain = 0;

    while (plain < count && !begins_extents(arguments[plain]))
        plain++;
    *words = (WorkerWords){
        .words = arguments,
        .left = plain,
        .extents = arguments + plain,
        .extent_count = (count - plain) / 2,
    };
}

const char *
worker_words_next(WorkerWords *words)
{
    if (words->left == 0)
        return NULL;
    words->left--;
    return *words->words++;
}

bool
worker_words_number(WorkerWords *words, uint64_t *number, GError **error)
{
    const char *word = worker_words_next(words);
    guint64 value;

    if (word == NULL || !g_ascii_string_to_unsigned(word, 10, 0, G_MAXINT64, &value, NULL))
        return refuse(error, "something with a word that is no number");
    *number = value;
    return true;
}

bool
worker_words_uuid(WorkerWords *words, ImageUuid *uuid, bool *given, GError **error)
{
    const char *word = worker_words_next(words);

    *uuid = (ImageUuid){0};
    *given = word != NULL && strcmp(word, "-") != 0;
    if (!*given || *word == '\0' || image_uuid_from_text(word, uuid))
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "“%s” is no UUID.", word);
    return false;
}

ImageIo *
worker_words_open(const char *name, int descriptor, GError **error)
{
    BaseFile *file = base_file_new_from_descriptor(descriptor, name, error);

    return file != NULL ? image_io_new_file(file) : NULL;
}

bool
worker_words_image(WorkerWords *words, bool with_uuid, const ImageFolder *folder,
                   ImageSource *source, GError **error)
{
    const char *name = worker_words_next(words), *format = worker_words_next(words);
    bool given;

    if (format == NULL)
        return refuse(error, "an image without saying which");
    *source = (ImageSource){.format = *format != '\0' ? format : NULL, .folder = folder};
    if (with_uuid && !worker_words_uuid(words, &source->uuid, &given, error))
        return false;
    source->io = worker_words_open(name, WORKER_FD + words->images, error);
    words->images++;
    return source->io != NULL;
}

ImageSource *
worker_words_chain(WorkerWords *words, const ImageFolder *folder, unsigned *count, GError **error)
{
    g_autofree ImageSource *sources = NULL;
    uint64_t number;

    if (!worker_words_number(words, &number, error))
        return NULL;
    if (number == 0 || number > IMAGE_CHAIN_MAX) {
        refuse(error, "a chain without images, or with too many");
        return NULL;
    }
    sources = g_new0(ImageSource, number);
    for (unsigned i = 0; i < number; i++) {
        if (!worker_words_image(words, true, folder, &sources[i], error))
            return NULL;
    }
    *count = (unsigned)number;
    return g_steal_pointer(&sources);
}

bool
worker_words_variant(WorkerWords *words, ImageCreateOptions *options, GError **error)
{
    const char *word = worker_words_next(words);
    g_auto(GStrv) parts = g_strsplit(word != NULL ? word : "", ",", 2);
    const char *variant = parts[0] != NULL ? parts[0] : "";

    if (strcmp(variant, "fixed") == 0)
        options->variant = IMAGE_FIXED;
    else if (strcmp(variant, "diff") == 0)
        options->variant = IMAGE_DIFFERENCING;
    else if (strcmp(variant, "dynamic") != 0)
        return refuse(error, "a variant of images that there is not");
    if (*variant == '\0' || parts[1] == NULL)
        return true;
    if (strcmp(parts[1], "split") == 0)
        options->kind = IMAGE_KIND_SPLIT;
    else if (strcmp(parts[1], "stream") == 0)
        options->kind = IMAGE_KIND_STREAM;
    else
        return refuse(error, "a variant of images that there is not");
    return true;
}

/* Of the descriptors of that kind the one with that name; -1: none. */
static int
find_extent(const WorkerWords *words, const char *kind, const char *name)
{
    for (int i = 0; i < words->extent_count; i++) {
        if (strcmp(words->extents[2 * i], kind) == 0 &&
            strcmp(words->extents[2 * i + 1], name) == 0)
            return i;
    }
    return -1;
}

/* What is made may have files with the names of those that it is made from; what was made is
 * opened once more, for writing. */
static ImageIo *
open_extent(void *user, const char *name, ImageFileMode mode, GError **error)
{
    const WorkerWords *words = user;
    int found = mode == IMAGE_FILE_READ ? -1 : find_extent(words, "+new", name);

    if (found < 0)
        found = find_extent(words, "+extent", name);
    if (found >= 0)
        return worker_words_open(
            name, fcntl(WORKER_FD + words->images + found, F_DUPFD_CLOEXEC, WORKER_FD), error);
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "The image needs the file “%s”, which was not found beside it.", name);
    return NULL;
}

ImageFolder
worker_words_folder(WorkerWords *words)
{
    return (ImageFolder){.open = open_extent, .user = words};
}

bool
worker_words_progress(void *user, double fraction)
{
    WorkerWords *words = user;
    int step = (int)(fraction * PROGRESS_STEPS);

    if (step != words->last)
        worker_answer("progress", "%d.%03d", step / PROGRESS_STEPS,
                      step % PROGRESS_STEPS * 1000 / PROGRESS_STEPS);
    words->last = step;
    return true;
}
