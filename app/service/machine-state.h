/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A machine's saved state: the file that it continues from, and asking its VM process to write one.
 */
#pragma once

#include "app/service/machine.h"
#include "app/service/progress.h"

/* error: NULL, or why there is no state; the callee's. switched: how many of the disks have their
 * new image now, also after an error. */
typedef void (*MachineSaved)(Service *service, const char *machine_id, guint switched,
                             guint64 pause_ns, GError *error, gpointer user_data);

typedef struct {
    int file;           /* to write the state to; stays the caller's */
    gboolean live;      /* see org.vitrine.VmProcess.SaveState */
    GVariant *disks;    /* a(suusssib), floating; NULL: none */
    GUnixFDList *fds;   /* that disks numbers; NULL: none */
    Progress *progress; /* gets the percent; stays the caller's */
    MachineSaved done;
    gpointer user_data;
} MachineSave;

/* The machine has a VM process, which runs or is paused, and does not save already: FALSE with an
 * error otherwise, and done is not called. */
gboolean machine_save_begin(Machine *machine, const MachineSave *save, GError **error);
/* Whether it would be TRUE. */
gboolean machine_save_possible(const Machine *machine, GError **error);
void machine_save_cancel(Machine *machine);
/* After a save that was not live. */
void machine_save_end(Machine *machine, gboolean done);

/* A word to the VM process, if there is one; nobody waits for an answer. parameters may be NULL and
 * floating. */
void machine_vm_tell(Machine *machine, const char *method, GVariant *parameters);

/* machine-restore.c: a state that the VM process is loading, as a Progress that clients see. */
typedef struct MachineRestoring MachineRestoring;
void machine_restore_begin(Machine *machine);
/* FALSE: no state is being loaded. */
gboolean machine_restore_set(Machine *machine, guint percent);
/* FALSE with an error when somebody has cancelled. */
gboolean machine_restore_go_on(const Machine *machine, GError **error);
void machine_restore_set_cancelled(const Machine *machine, GError **error);
/* error: NULL when it is loaded; the caller's. */
void machine_restore_end(Machine *machine, const GError *error);
/* The VM process has gone, and left the machine in this state. Whoever waits for the start hears of
 * it, if nothing else was said. */
void machine_restore_left(Machine *machine, VitrineMachineState state);

/* What a machine without a process is: state, or the saved one it has. */
VitrineMachineState machine_resting_state(const Machine *machine, VitrineMachineState state);
/* The VM process has gone. */
void machine_state_released(Machine *machine);
/* Where a new saved state goes: in the machine's snapshot folder, which is made; a name that nobody
 * has. The caller's. */
char *machine_new_state_path(Machine *machine, GError **error);
/* machine-leftovers.c */
/* Tells log and clients of states in the machine's folder that nobody names; when it is off, the
 * registry was read and journals are settled. */
void machine_find_leftovers(Machine *machine);
void machines_find_leftovers(Service *service);
void machine_connect_leftovers(Machine *machine);
/* With the machine's other files, which are gone: but for those that others name. */
void machine_delete_states(Machine *machine);
/* Whether any machine but this one, which may be NULL, continues from the file, now or at a
 * snapshot. */
gboolean service_names_state_file(Service *service, const Machine *except, const char *path);
typedef enum {
    STATE_CLAIMS_BESIDE,     /* settings in the machine's folder that are not registered */
    STATE_CLAIMS_UNREADABLE, /* and those of machines that cannot be read */
    STATE_CLAIMS_ALL,        /* and the copy of the machine's own settings before the last save */
} StateClaims;
/* What else may need a state that nobody names: the settings file, the caller's; NULL: nothing.
 * machine: whose it was, or NULL. */
char *machine_state_claim(Service *service, const Machine *machine, const char *path,
                          StateClaims which);
/* machine-save.c */
void machine_connect_save(Machine *machine);
