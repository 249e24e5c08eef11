/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The other files of an image in several files: a VMDK descriptor with its extents. They lie beside
 * it, by plain names, and no settings file names them; so whoever opens, moves or deletes the
 * image asks here. The manual, chapter "Virtual Storage", and VMware's description of the format.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

#define SIGNATURE "# Disk DescriptorFile"
#define OPEN_FLAGS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Whether the file is text that may name others; all other images are whole. */
static gboolean
is_descriptor(int fd)
{
    char start[sizeof SIGNATURE - 1];
    return pread(fd, start, sizeof start, 0) == (gssize)sizeof start &&
           memcmp(start, SIGNATURE, sizeof start) == 0;
}

static gboolean
is_plain(const char *name)
{
    return *name && strchr(name, '/') == NULL && !g_str_equal(name, ".") &&
           !g_str_equal(name, "..");
}

/* What a worker answered, as paths beside the image. */
static void
take_names(GHashTable *answers, const char *location, GPtrArray *parts)
{
    g_autofree char *folder = g_path_get_dirname(location);
    for (guint i = 0; i < MEDIUM_MAX_PARTS; i++) {
        g_autofree char *key = g_strdup_printf("extent-%u", i);
        const char *name = g_hash_table_lookup(answers, key);
        if (name == NULL)
            break;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (is_plain(name) && !g_str_equal(path, location) &&
            !g_ptr_array_find_with_equal_func(parts, path, g_str_equal, NULL))
            g_ptr_array_add(parts, g_steal_pointer(&path));
    }
}

GPtrArray *
medium_parts_at(const char *location)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    const char *arguments[] = {"extents", location, "VMDK", NULL};
    int fd = open(location, O_RDONLY | OPEN_FLAGS);
    if (fd < 0 || !is_descriptor(fd)) {
        if (fd >= 0)
            close(fd);
        return parts;
    }
    g_autoptr(GHashTable) answers = worker_job_run(&fd, 1, arguments, NULL);
    if (answers)
        take_names(answers, location, parts);
    return parts;
}

static GPtrArray *
take_new_names(GHashTable *answers, const char *location, guint others, GError **error)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    const char *count = g_hash_table_lookup(answers, "extents");
    const guint64 all = others + (count ? g_ascii_strtoull(count, NULL, 10) : 0);
    if (all > MEDIUM_MAX_PARTS) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "A disk of that size would have %" G_GUINT64_FORMAT " files; %u are the most.",
                    all, MEDIUM_MAX_PARTS);
        return NULL;
    }
    take_names(answers, location, parts);
    for (guint i = 0; i < parts->len; i++) {
        if (!media_check_new_file(parts->pdata[i], error))
            return NULL;
    }
    return g_steal_pointer(&parts);
}

GPtrArray *
medium_parts_planned(const char *location, const char *format, const char *variant, guint64 size,
                     GError **error)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    const char *arguments[] = {"parts", location, format, variant, text, NULL};
    if (!g_str_equal(format, "VMDK") ||
        (!g_str_has_prefix(variant, "fixed") && !g_str_has_suffix(variant, ",split")))
        return g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) answers = worker_job_run(NULL, 0, arguments, error);
    if (answers == NULL)
        return NULL;
    return take_new_names(answers, location, 0, error);
}

/* A link beside the image could lead to any file of the user's. */
int
medium_open_part(const char *path, int flags, GError **error)
{
    int fd = open(path, flags | O_NOFOLLOW | OPEN_FLAGS, 0600);
    GStatBuf status;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    int errnum = fd >= 0 ? EINVAL : errno;
    if (fd >= 0)
        close(fd);
    if (errnum == ELOOP)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_DENIED,
                    "\"%s\" is a link, so it is not opened as a part of a disk.", path);
    else
        file_error_set(error, errnum, "\"%s\", a part of a disk, cannot be opened", path);
    return -1;
}

/* --- questions about an image with its other files --- */

typedef struct {
    GArray *fds;
    GPtrArray *words;
} Question;

static void
question_clear(Question *question)
{
    g_array_unref(question->fds);
    g_ptr_array_unref(question->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Question, question_clear)

/* A part that is missing is left out: the worker says so. Takes fd. */
static Question
question_about(const char *job, int fd, const char *location, const char *format, const char *word)
{
    Question question = {g_array_new(FALSE, FALSE, sizeof(int)),
                         g_ptr_array_new_with_free_func(g_free)};
    g_autoptr(GPtrArray) parts = medium_parts_at(location);
    g_array_append_val(question.fds, fd);
    g_ptr_array_add(question.words, g_strdup(job));
    g_ptr_array_add(question.words, g_strdup(location));
    g_ptr_array_add(question.words, g_strdup(format));
    if (word)
        g_ptr_array_add(question.words, g_strdup(word));
    for (guint i = 0; i < parts->len; i++) {
        int part = medium_open_part(parts->pdata[i], O_RDONLY, NULL);
        if (part < 0)
            continue;
        g_array_append_val(question.fds, part);
        g_ptr_array_add(question.words, g_strdup("+extent"));
        g_ptr_array_add(question.words, g_path_get_basename(parts->pdata[i]));
    }
    g_ptr_array_add(question.words, NULL);
    return question;
}

void
medium_probe(int fd, const char *location, const char *format, WorkerDone done, gpointer user_data)
{
    g_auto(Question) question = question_about("probe", fd, location, format, NULL);
    worker_job_start_files((const int *)(gpointer)question.fds->data, question.fds->len,
                           (const char *const *)question.words->pdata, NULL, done, user_data);
}

static GHashTable *
ask(const Question *question, GError **error)
{
    return worker_job_run((const int *)(gpointer)question->fds->data, question->fds->len,
                          (const char *const *)question->words->pdata, error);
}

guint64
medium_capacity(Medium *medium, GError **error)
{
    const MediumRecord *record = medium->record;
    guint64 known = vitrine_dbus_medium_get_logical_size(medium->skeleton);
    if (known)
        return known;
    int fd = open(record->location, O_RDONLY | OPEN_FLAGS);
    if (fd < 0) {
        file_error_set(error, errno, "\"%s\" cannot be opened", record->location);
        return 0;
    }
    g_auto(Question) question = question_about("probe", fd, record->location, record->format, NULL);
    g_autoptr(GHashTable) answers = ask(&question, error);
    const char *text = answers ? g_hash_table_lookup(answers, "capacity") : NULL;
    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

GPtrArray *
medium_parts_of_resize(const Medium *medium, guint64 size, GError **error)
{
    const MediumRecord *record = medium->record;
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    int fd = open(record->location, O_RDONLY | OPEN_FLAGS);
    if (fd < 0 || !is_descriptor(fd)) {
        if (fd >= 0)
            close(fd);
        return g_ptr_array_new_with_free_func(g_free); /* what is wrong with it, the work says */
    }
    g_auto(Question) question =
        question_about("resize-parts", fd, record->location, record->format, text);
    g_autoptr(GHashTable) answers = ask(&question, error);
    return answers ? take_new_names(answers, record->location, question.fds->len - 1, error) : NULL;
}

gboolean
medium_add_parts(GVariantBuilder *parts, GUnixFDList *fds, const char *image, gboolean writable,
                 gboolean lock, GError **error)
{
    g_autoptr(GPtrArray) paths = medium_parts_at(image);
    for (guint i = 0; i < paths->len; i++) {
        const char *path = paths->pdata[i];
        g_autofree char *name = g_path_get_basename(path);
        int fd = medium_open_part(path, writable ? O_RDWR : O_RDONLY, error);
        if (fd < 0)
            return FALSE;
        int index = !lock || service_lock_image(fd, writable, path, error)
                        ? g_unix_fd_list_append(fds, fd, error)
                        : -1;
        close(fd);
        if (index < 0)
            return FALSE;
        g_variant_builder_add(parts, "(si)", name, index);
    }
    return TRUE;
}
