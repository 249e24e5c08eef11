/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the wizard's window hands to the creation. */
#pragma once

#include "app/wizards/new-machine/new-machine.h"

typedef enum {
    NEW_MACHINE_DISK_NEW,
    NEW_MACHINE_DISK_EXISTING,
    NEW_MACHINE_DISK_NONE
} NewMachineDisk;

/* What the person has chosen; all strings owned. */
typedef struct {
    char *name, *folder, *os_type;
    char *iso;    /* NULL: none */
    guint memory; /* MiB */
    guint cpus;
    NewMachineDisk disk;
    guint64 disk_size; /* bytes */
    gboolean disk_fixed;
    char *disk_file; /* existing disk */
    gboolean start;
} NewMachinePlan;

void new_machine_plan_free(NewMachinePlan *plan);

/* Long work tells what it does. */
typedef void (*NewMachineProgress)(const char *what, double fraction, gpointer data);

/* Creates the machine; takes the plan. On failure what was made so far is removed again. */
void new_machine_create_async(VitrineClient *client, NewMachinePlan *plan,
                              NewMachineProgress progress, gpointer progress_data,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data);
gboolean new_machine_create_finish(GAsyncResult *result, GError **error);
