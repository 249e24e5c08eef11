/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which images a clone gets, what they stand on, and where their files are. */
#include "app/service/machine-clone.h"

#include <glib/gstdio.h>
#include <string.h>

static gboolean
is_copied(Medium *medium)
{
    VitrineMediumType type = medium_type(medium);
    return medium->record->kind == VITRINE_MEDIUM_KIND_HARD_DISK &&
           type != VITRINE_MEDIUM_TYPE_SHAREABLE && type != VITRINE_MEDIUM_TYPE_READONLY;
}

/* The disks that the states of the clone have attached. */
static GHashTable *
used_disks(Clone *clone)
{
    g_autoptr(GHashTable) media = snapshot_file_media(clone->file);
    g_autoptr(VitrineSettings) settings = vitrine_settings_new();
    GHashTable *used = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    gpointer id;
    machine_file_read_hardware(clone->file, settings, NULL);
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        Medium *medium = *a->medium ? service_find_medium(clone->service, a->medium) : NULL;
        if (medium && is_copied(medium))
            g_hash_table_add(used, medium);
    }
    g_hash_table_iter_init(&iter, media);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        Medium *medium = service_find_medium(clone->service, id);
        if (medium && is_copied(medium))
            g_hash_table_add(used, medium);
    }
    return used;
}

/* What lies between an image and the nearest one below that is copied too is copied as well. */
static void
add_between(Medium *medium, GHashTable *used)
{
    for (Medium *below = medium_parent(medium); below; below = medium_parent(below)) {
        if (!g_hash_table_contains(used, below))
            continue;
        for (Medium *between = medium_parent(medium); between != below;
             between = medium_parent(between))
            g_hash_table_add(used, between);
        return;
    }
}

static guint
depth_of(Medium *medium)
{
    guint depth = 0;
    for (; medium; medium = medium_parent(medium))
        depth++;
    return depth;
}

static int
compare_depth(gconstpointer a, gconstpointer b)
{
    return (int)depth_of(*(Medium *const *)a) - (int)depth_of(*(Medium *const *)b);
}

char *
machine_clone_folder(const Clone *clone)
{
    return g_path_get_dirname(clone->path);
}

static gboolean
is_taken(const Clone *clone, const char *location)
{
    for (guint i = 0; i < clone->images->len; i++) {
        const CloneImage *image = clone->images->pdata[i];
        if (g_str_equal(image->record->location, location))
            return TRUE;
    }
    return FALSE;
}

/* Where a copy that stands on nothing goes. */
static char *
base_location(const Clone *clone, Medium *medium, const char *format)
{
    g_autofree char *folder = machine_clone_folder(clone);
    g_autofree char *own = g_path_get_basename(medium_base(medium)->record->location);
    guint number = 1;
    for (guint i = 0; i < clone->images->len; i++) {
        const CloneImage *image = clone->images->pdata[i];
        number += *image->record->parent == '\0';
    }
    char *dot = strrchr(own, '.');
    if (dot)
        *dot = '\0';
    g_autofree char *numbered =
        g_strdup_printf("%s-disk%u%s", clone->name, number, media_extension(format));
    g_autofree char *named = g_strconcat(own, media_extension(format), NULL);
    g_autofree char *kept = g_build_filename(folder, named, NULL);
    if (clone->keep_names && !is_taken(clone, kept))
        return g_steal_pointer(&kept);
    return g_build_filename(folder, numbered, NULL);
}

static CloneImage *
add_image(Clone *clone, Medium *source, const char *parent)
{
    CloneImage *image = g_new0(CloneImage, 1);
    g_autofree char *folder = machine_clone_folder(clone);
    g_autofree char *snapshots = g_build_filename(folder, "Snapshots", NULL);
    image->source = g_strdup(source->record->id);
    image->record = medium_new_child_record(source, snapshots);
    service_set_text(&image->record->parent, parent ? parent : "");
    if (parent == NULL) {
        g_autofree char *location = base_location(clone, source, image->record->format);
        service_set_text(&image->record->location, location);
    }
    g_ptr_array_add(clone->images, image);
    return image;
}

static const MediumRecord *
copy_of(const Clone *clone, const char *source)
{
    for (guint i = 0; i < clone->images->len; i++) {
        const CloneImage *image = clone->images->pdata[i];
        if (g_str_equal(image->source, source))
            return image->record;
    }
    return NULL;
}

void
machine_clone_plan_images(Clone *clone)
{
    g_autoptr(GHashTable) used = used_disks(clone);
    g_autoptr(GList) first = g_hash_table_get_keys(used);
    for (GList *at = first; at && !clone->linked; at = at->next)
        add_between(at->data, used);
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    g_autoptr(GList) all = g_hash_table_get_keys(used);
    for (GList *at = all; at; at = at->next)
        g_ptr_array_add(list, at->data);
    g_ptr_array_sort(list, compare_depth);
    for (guint i = 0; i < list->len; i++) {
        Medium *medium = list->pdata[i];
        const MediumRecord *below =
            *medium->record->parent ? copy_of(clone, medium->record->parent) : NULL;
        const char *parent = clone->linked ? medium->record->id : below ? below->id : NULL;
        CloneImage *image = add_image(clone, medium, parent);
        if (!clone->linked && *image->record->parent == '\0' && *medium->record->parent == '\0' &&
            medium->record->type == VITRINE_MEDIUM_TYPE_WRITETHROUGH)
            image->record->type = medium->record->type;
    }
}
