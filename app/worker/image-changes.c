/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changing images that are there. Each of these jobs can be ended anywhere and run again. */
#include "app/api/vitrine-types.h"
#include "app/worker/worker.h"

/* NAME FORMAT, open for writing. A child may be without its parent: what it has itself is changed,
 * never what it shows. */
static Image *
open_alone(WorkerWords *words, const ImageFolder *folder, GError **error)
{
    ImageSource source;

    if (!worker_words_image(words, false, folder, &source, error))
        return NULL;
    return image_open_in_folder(source.io, source.format, IMAGE_OPEN_READ_WRITE, folder, error);
}

bool
worker_resize(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    g_autoptr(Image) image = open_alone(words, &folder, error);
    uint64_t capacity;

    if (image == NULL || !worker_words_number(words, &capacity, error) ||
        !image_resize_in_folder(image, capacity, &folder, worker_words_progress, words, error))
        return false;
    worker_answer("capacity", "%" G_GUINT64_FORMAT, image_capacity(image));
    return image_close(g_steal_pointer(&image), error);
}

bool
worker_compact(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    g_autoptr(Image) image = open_alone(words, &folder, error);

    return image != NULL && image_compact(image, worker_words_progress, words, error) &&
           image_close(g_steal_pointer(&image), error);
}

bool
worker_merge(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    uint64_t from, to;
    unsigned count;
    g_autofree ImageSource *sources = NULL;
    g_autoptr(Image) chain = NULL;

    if (!worker_words_number(words, &from, error) || !worker_words_number(words, &to, error))
        return false;
    sources = worker_words_chain(words, &folder, &count, error);
    if (sources == NULL)
        return false;
    if (MAX(from, to) >= count || from == to) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "There is nothing to merge between these images.");
        return false;
    }
    sources[to].writable = true;
    chain = image_open_chain(sources, count, error);
    if (chain == NULL)
        return false;
    Image *upper = image_chain_nth(chain, (unsigned)MIN(from, to));
    Image *lower = image_chain_nth(chain, (unsigned)MAX(from, to));
    return (from < to ? image_merge_down(upper, lower, worker_words_progress, words, error)
                      : image_merge_up(upper, lower, worker_words_progress, words, error)) &&
           image_close(g_steal_pointer(&chain), error);
}

bool
worker_set_uuids(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    g_autoptr(Image) image = open_alone(words, &folder, error);
    ImageUuid uuids[4];
    bool given[4];

    if (image == NULL)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(uuids); i++) {
        if (!worker_words_uuid(words, &uuids[i], &given[i], error))
            return false;
    }
    const ImageUuidChange change = {
        .uuid = given[0] ? &uuids[0] : NULL,
        .modification = given[1] ? &uuids[1] : NULL,
        .parent = given[2] ? &uuids[2] : NULL,
        .parent_modification = given[3] ? &uuids[3] : NULL,
    };
    return image_set_uuids(image, &change, error) && image_close(g_steal_pointer(&image), error);
}

bool
worker_comment(WorkerWords *words, GError **error)
{
    const ImageFolder folder = worker_words_folder(words);
    g_autoptr(Image) image = open_alone(words, &folder, error);
    const char *comment = worker_words_next(words);

    return image != NULL && image_set_comment(image, comment != NULL ? comment : "", error) &&
           image_close(g_steal_pointer(&image), error);
}
