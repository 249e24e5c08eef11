/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A clone that is being made. */
#pragma once

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/task.h"

typedef struct {
    char *source;         /* UUID of the image that it is a copy of, or stands on */
    MediumRecord *record; /* of the new image */
} CloneImage;

typedef struct {
    char *path;
    guint64 bytes;
} CloneState;

typedef struct {
    Service *service;
    char *machine_id;
    char *snapshot; /* "" for the present state */
    char *mode;
    char *name, *id, *path;
    gboolean linked, add, keep_names, keep_hardware;
    MachineMacs macs;
    char **groups;
    SettingsFile *file;
    GPtrArray *images; /* CloneImage, parents before children */
    GArray *states;    /* CloneState: saved states of snapshots */
    guint at;
    Task *task;
} Clone;

/* machine-clone-images.c: fills images with records of what the clone needs. Its file must have the
 * settings of all its states. */
void machine_clone_plan_images(Clone *clone);
/* Where the clone's settings file is. The caller's. */
char *machine_clone_folder(const Clone *clone);
