/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A disk, optical or floppy image inside the service. It stands in the registries of the machines
 * that have it, or in the global one while no machine has. */
#pragma once

#include "app/service/service.h"
#include "app/service/task.h"
#include "app/service/worker-job.h"

struct Medium {
    Service *service;
    MediumRecord *record;
    char *object_path;
    VitrineDBusMedium *skeleton;
    GPtrArray *registries; /* Machine: whose files list it */
    gboolean in_global;
    guint refreshes;  /* how often a worker was asked: only the last answer counts */
    gboolean dropped; /* the settings that are being saved do not list it any more */
};

/* Takes record, adds the medium to the service and offers it. */
Medium *medium_add(Service *service, MediumRecord *record);
void medium_remove(Medium *medium);
void medium_free(Medium *medium);
/* Brings State, Machines and Children up to date. */
void medium_publish(Medium *medium);
void media_publish_all(Service *service);

/* The lists of all files, as they are read; a medium known under its UUID is one medium. */
void media_take_registry(Service *service, GPtrArray *records, Machine *machine);
/* (element-type MediumRecord): what this machine's file lists; machine NULL: the global one. */
GPtrArray *media_of_registry(Service *service, Machine *machine);
/* The medium moves into the machine's registry, with its parents. */
void medium_adopt(Medium *medium, Machine *machine);
/* Takes the machine out of all registries; media that nobody lists any more are forgotten. */
void media_forget_machine(Service *service, Machine *machine);

/* A machine other than this (NULL: any) that has it attached and runs, else NULL. */
Machine *medium_running_user(Medium *medium, const Machine *but);
/* A machine that has it attached now or in a snapshot, other than this one (NULL: any). */
Machine *medium_user(Medium *medium, const Machine *but);

/* The image below; NULL for a base, or when it is not registered. */
Medium *medium_parent(const Medium *medium);
/* The lowest image that is registered. */
Medium *medium_base(Medium *medium);
/* (element-type Medium): the images that stand on it. */
GPtrArray *medium_children(const Medium *medium);
/* The type of its base: what attaching means. */
VitrineMediumType medium_type(Medium *medium);
/* Writes every settings file that lists it. */
gboolean medium_save(Medium *medium, GError **error);

/* A record of a differencing image on parent, with a new UUID, in this folder. */
MediumRecord *medium_new_child_record(Medium *parent, const char *folder);

/* medium-children.c: differencing images that are made together, (element-type MediumRecord).
 * For the hard disks of these settings that snapshots and indirect attachments apply to. */
GPtrArray *children_new(void);
void children_plan(Machine *machine, VitrineSettings *settings, GPtrArray *children);
/* Whether snapshots apply to this disk. */
gboolean medium_takes_children(Medium *medium);
/* Lists the files in the journal and adds the jobs that make them. */
/* mode: how the parents are read. */
void children_add_jobs(GPtrArray *children, Service *service, Task *task, Journal *journal,
                       TaskMode mode);
/* They become media of the machine. FALSE when a parent has gone. */
gboolean children_register(GPtrArray *children, Machine *machine, GError **error);
void children_unregister(GPtrArray *children, Service *service);
/* Where a parent was attached, its child is. */
void children_attach(GPtrArray *children, VitrineSettings *settings);
/* The children take over whether they are reset at power-on; back: they do not. */
void children_move_auto_reset(GPtrArray *children, Service *service, gboolean back);

/* medium-drop.c: differencing images that nobody needs. Marks this one, and those below it that
 * nothing else needs either, as dropped, and lists their files in the journal. */
void media_drop_chain(Medium *leaf, Machine *machine, Journal *journal, GPtrArray *dropped);
/* Whether no machine and no snapshot has it attached. */
gboolean medium_is_unused(Medium *medium);
/* A differencing image that the service made for snapshots of this machine. */
gboolean medium_is_own_child(Medium *medium, Machine *machine);
/* After the save: takes them away, or takes the mark away. */
void media_finish_drop(GPtrArray *dropped, gboolean saved);

/* Asks a worker about the file; done(user_data) is called once the properties are right. */
void medium_refresh(Medium *medium, void (*done)(gpointer user_data), gpointer user_data);

/* medium-parts.c: the other files of images in several files, as whole paths. So many at most: the
 * descriptors of an image travel in one message. */
#define MEDIUM_MAX_PARTS 240u
/* Of the image at location; empty for one in one file, or that can't be read. Owned. */
GPtrArray *medium_parts_at(const char *location);
/* That an image made so will have; NULL with error when they can't be made. */
GPtrArray *medium_parts_planned(const char *location, const char *format, const char *variant,
                                guint64 size, GError **error);
/* That come to an image when it is made so large; as above. */
GPtrArray *medium_parts_of_resize(const Medium *medium, guint64 size, GError **error);
/* A descriptor, or -1 with error. flags: as open() has them. */
int medium_open_part(const char *path, int flags, GError **error);
/* The other files of an image in several, open: adds (name, descriptor index) of each to parts.
 * lock: as the machine does that uses it, which FALSE leaves to its process. */
gboolean medium_add_parts(GVariantBuilder *parts, GUnixFDList *fds, const char *image,
                          gboolean writable, gboolean lock, GError **error);
/* Asks a worker what the image in fd is, which it takes; format "": by its content. */
void medium_probe(int fd, const char *location, const char *format, WorkerDone done,
                  gpointer user_data);
/* What the disk shows, in bytes; 0 with error. */
guint64 medium_capacity(Medium *medium, GError **error);

/* medium-calls.c: OpenMedium, CloseMedium of the service. */
void media_connect_calls(Service *service);
/* medium-create.c: CreateMedium, CloneMedium, ConvertImage, SetImageUuids. */
void media_connect_create(Service *service);
/* medium-modify.c: what a medium is registered as. */
void medium_connect_modify(Medium *medium);
/* medium-jobs.c: resizing, compacting and moving the image. */
void medium_connect_jobs(Medium *medium);
/* The medium is listed where its parent is, or in the global registry; and saved. On failure it is
 * gone again. */
gboolean medium_register_new(Medium *medium, GError **error);
/* A file may be made here: "" or why not. */
gboolean media_check_new_file(const char *location, GError **error);
/* A format that images can be made in; its name in upper case, static, or NULL with error. */
const char *media_check_format(const char *format, GError **error);
/* ".vdi" */
const char *media_extension(const char *format);
/* With the usual extension of the format when there is none; the caller's. */
char *media_with_extension(const char *location, const char *format);
/* snapshot-delete.c: merges of images that a killed service has not done, or that failed. The
 * machine must be there, readable, and not at something else, nor on its way up or down. */
gboolean media_may_merge(Service *service, const char *machine);
void media_merge_again(Service *service, const char *machine, GPtrArray *ids);
