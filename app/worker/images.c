/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Looking at images and making new ones, through the image library. */
#include <string.h>

#include "app/api/vitrine-types.h"
#include "app/worker/worker.h"

static void
answer_uuid(const char *key, const ImageUuid *uuid)
{
    char text[IMAGE_UUID_TEXT_SIZE];

    if (image_uuid_is_null(uuid))
        return;
    image_uuid_to_text(uuid, text);
    worker_answer(key, "%s", text);
}

static void
answer_names(char **names)
{
    const guint count = g_strv_length(names);

    if (count > 0)
        worker_answer("extents", "%u", count);
    for (guint i = 0; i < count; i++) {
        g_autofree char *key = g_strdup_printf("extent-%u", i);

        worker_answer(key, "%s", names[i]);
    }
}

static void
answer_info(Image *image)
{
    static const char *const variants[] = {
        [IMAGE_DYNAMIC] = "dynamic",
        [IMAGE_FIXED] = "fixed",
        [IMAGE_DIFFERENCING] = "diff",
    };
    ImageInfo info;

    image_get_info(image, &info);
    worker_answer("format", "%s", info.format);
    worker_answer("variant", "%s", variants[info.variant]);
    if (info.kind != 0)
        worker_answer("kind", "%s", (info.kind & IMAGE_KIND_STREAM) != 0 ? "stream" : "split");
    worker_answer("capacity", "%" G_GUINT64_FORMAT, info.capacity);
    worker_answer("allocated", "%" G_GUINT64_FORMAT, info.allocated);
    worker_answer("block-size", "%u", info.block_size);
    answer_uuid("uuid", &info.uuid);
    answer_uuid("modification", &info.modification);
    answer_uuid("parent", &info.parent);
    answer_uuid("parent-modification", &info.parent_modification);
    if (*info.comment != '\0')
        worker_answer("comment", "%s", info.comment);
}

/* Names of other files come first, so that who did not hand them over learns which they are. */
bool
worker_probe(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    g_auto(GStrv) names = NULL;
    g_autoptr(Image) image = NULL;
    ImageSource source;

    if (!worker_words_image(words, false, &folder, &source, error))
        return false;
    names = image_list_parts(source.io, error);
    if (names == NULL)
        return false;
    answer_names(names);
    image = image_open_in_folder(source.io, source.format, IMAGE_OPEN_READ_ONLY, &folder, error);
    if (image == NULL)
        return false;
    answer_info(image);
    return true;
}

/* Which other files an image has, for who has to hand them over. */
bool
worker_extents(WorkerWords *words, GError **error)
{
    g_auto(GStrv) names = NULL;
    g_autoptr(ImageIo) io = NULL;
    ImageSource source;

    if (!worker_words_image(words, false, NULL, &source, error))
        return false;
    io = source.io;
    names = image_list_parts(io, error);
    if (names == NULL)
        return false;
    answer_names(names);
    return true;
}

bool
worker_check(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    unsigned count;
    g_autofree ImageSource *sources = worker_words_chain(words, &folder, &count, error);
    g_autoptr(Image) chain = NULL;
    uint64_t leaked = 0;
    bool stale = false;

    if (sources == NULL)
        return false;
    chain = image_open_chain(sources, count, error);
    if (chain == NULL)
        return false;
    for (unsigned level = 0; level < count; level++) {
        ImageCheck check;

        if (!image_check(image_chain_nth(chain, level), &check, error))
            return false;
        leaked += check.leaked_blocks;
        stale |= check.stale_header;
    }
    worker_answer("leaked-blocks", "%" G_GUINT64_FORMAT, leaked);
    worker_answer("stale-header", "%d", stale);
    return true;
}

/* NAME FORMAT VARIANT SIZE UUID and the next descriptor. */
static ImageIo *
take_target(WorkerWords *words, ImageCreateOptions *options, GError **error)
{
    const char *name = worker_words_next(words);
    bool given;

    options->format = worker_words_next(words);
    if (options->format == NULL || !worker_words_variant(words, options, error) ||
        !worker_words_number(words, &options->capacity, error) ||
        !worker_words_uuid(words, &options->uuid, &given, error)) {
        if (error != NULL && *error == NULL)
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                        "The worker was not told what to make.");
        return NULL;
    }
    return worker_words_open(name, WORKER_FD + words->images++, error);
}

bool
worker_create(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    ImageCreateOptions options = {.folder = &folder};
    g_autoptr(ImageIo) io = take_target(words, &options, error);

    return io != NULL && image_create_io(io, &options, worker_words_progress, words, error);
}

/* The names that an image of several files will have: NAME FORMAT VARIANT SIZE, without a file. */
bool
worker_parts(WorkerWords *words, GError **error)
{
    const char *name = worker_words_next(words);
    ImageCreateOptions options = {.format = worker_words_next(words)};
    g_auto(GStrv) names = NULL;

    if (options.format == NULL || !worker_words_variant(words, &options, error) ||
        !worker_words_number(words, &options.capacity, error))
        return false;
    names = image_part_names(name, &options);
    answer_names(names);
    return true;
}

/* The names of the files that come to an image when it is resized: NAME FORMAT SIZE. */
bool
worker_resize_parts(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    g_autoptr(Image) image = NULL;
    g_auto(GStrv) names = NULL;
    ImageSource source;
    uint64_t capacity;

    if (!worker_words_image(words, false, &folder, &source, error))
        return false;
    image = image_open_in_folder(source.io, source.format, IMAGE_OPEN_READ_ONLY, &folder, error);
    if (image == NULL || !worker_words_number(words, &capacity, error))
        return false;
    names = image_resize_part_names(image, capacity, error);
    if (names == NULL)
        return false;
    answer_names(names);
    return true;
}

bool
worker_create_child(WorkerWords *words, GError **error)
{
    const char *name = worker_words_next(words);
    const ImageFolder folder = worker_words_folder(words);
    ImageCreateOptions options = {.format = worker_words_next(words)};
    const int descriptor = words->images++;
    g_autoptr(ImageIo) io = NULL;
    g_autoptr(Image) parent = NULL;
    ImageSource source;
    bool given;

    if (!worker_words_uuid(words, &options.uuid, &given, error) ||
        !worker_words_image(words, true, &folder, &source, error))
        return false;
    options.parent = source.uuid;
    parent = image_open_in_folder(source.io, source.format, IMAGE_OPEN_READ_ONLY, &folder, error);
    if (parent == NULL || !image_child_options(parent, &options, error))
        return false;
    if (image_uuid_is_null(&options.uuid))
        image_uuid_generate(&options.uuid);
    io = worker_words_open(name, WORKER_FD + descriptor, error);
    if (io == NULL || !image_create_io(io, &options, worker_words_progress, words, error))
        return false;
    answer_uuid("uuid", &options.uuid);
    return true;
}

/* Of a copy of one differencing image. */
static bool
take_parent(WorkerWords *words, ImageCreateOptions *options, GError **error)
{
    bool given;

    if (words->left == 0)
        return true;
    if (!worker_words_uuid(words, &options->parent, &given, error) ||
        !worker_words_uuid(words, &options->parent_modification, &given, error))
        return false;
    options->parent_path = worker_words_next(words);
    return true;
}

bool
worker_clone(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    ImageCreateOptions options = {.folder = &folder};
    unsigned count;
    g_autofree ImageSource *sources = worker_words_chain(words, &folder, &count, error);
    g_autoptr(ImageIo) io = NULL;
    g_autoptr(Image) chain = NULL;

    if (sources == NULL)
        return false;
    io = take_target(words, &options, error);
    if (io == NULL || !take_parent(words, &options, error))
        return false;
    chain = image_open_chain(sources, count, error);
    return chain != NULL &&
           image_clone_io(chain, io, &options, worker_words_progress, words, error);
}
