/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the worker share. The worker has the files that its words name, descriptors
 * WORKER_FD and up, and answers with lines "key value" on its standard output; "done" is the last
 * of a successful run. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "devices/drivers/disk/image/image-ops.h"

enum { WORKER_FD = 3 };

/* From here on nothing but reading, writing and answering is possible: no file can be opened, no
 * process started, no network reached. FALSE with error where the host cannot do that. */
bool worker_confine(GError **error);

/* One line. Line ends and control characters in value become spaces. */
void worker_answer(const char *key, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* --- worker-words.c: the words of a job --- */

typedef struct {
    char **words; /* what is left of the job's */
    int left;
    char **extents; /* names of other files; their descriptors come after those of the images */
    int extent_count;
    int images; /* how many images have been named: the next one's descriptor */
    int last;   /* of the progress that was told */
} WorkerWords;

void worker_words_init(WorkerWords *words, int count, char **arguments);
/* The next word; NULL at the end. */
const char *worker_words_next(WorkerWords *words);
/* The next word as a number; false with error. */
bool worker_words_number(WorkerWords *words, uint64_t *number, GError **error);
/* The next word as a UUID; "-": *given is false. "" or absent: the null UUID. */
bool worker_words_uuid(WorkerWords *words, ImageUuid *uuid, bool *given, GError **error);
/* NAME FORMAT and the next descriptor; with_uuid: UUID as well. folder is kept in source. */
bool worker_words_image(WorkerWords *words, bool with_uuid, const ImageFolder *folder,
                        ImageSource *source, GError **error);
/* A count and so many images. Free with g_free(). NULL with error. */
ImageSource *worker_words_chain(WorkerWords *words, const ImageFolder *folder, unsigned *count,
                                GError **error);
/* VARIANT: "dynamic", "fixed" or "diff", then ",split" or ",stream". */
bool worker_words_variant(WorkerWords *words, ImageCreateOptions *options, GError **error);
/* The other files, by name; valid once all images were named. */
ImageFolder worker_words_folder(WorkerWords *words);
/* A descriptor that the worker was given. */
ImageIo *worker_words_open(const char *name, int descriptor, GError **error);
/* An ImageProgress: user is WorkerWords. */
bool worker_words_progress(void *user, double fraction);

/* --- jobs: README.md has their words --- */

typedef bool (*WorkerJobFunction)(WorkerWords *words, GError **error);

bool worker_probe(WorkerWords *words, GError **error);
bool worker_extents(WorkerWords *words, GError **error);
bool worker_check(WorkerWords *words, GError **error);
bool worker_create(WorkerWords *words, GError **error);
bool worker_create_child(WorkerWords *words, GError **error);
bool worker_clone(WorkerWords *words, GError **error);
bool worker_resize(WorkerWords *words, GError **error);
bool worker_compact(WorkerWords *words, GError **error);
bool worker_merge(WorkerWords *words, GError **error);
bool worker_set_uuids(WorkerWords *words, GError **error);
bool worker_comment(WorkerWords *words, GError **error);
bool worker_parts(WorkerWords *words, GError **error);
bool worker_resize_parts(WorkerWords *words, GError **error);

/* Which operating system an ISO image installs. */
bool worker_recognize(const char *name, GError **error);

/* network.c: serves a network until the service ends. */
bool worker_network(GError **error);
