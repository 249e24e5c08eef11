/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands of vitrine-manage share: what a command is, the connection to the service, and
 * output. The syntax and the output are those of VBoxManage (manual, chapter of that name), so
 * texts are not translated: scripts read them. */
#pragma once

#include <stdbool.h>

#include "app/api/vitrine.h"
#include "app/manage/manage-args.h"

typedef struct {
    VitrineClient *client; /* NULL until a command asks for it */
    const char *program;   /* how messages call us; static or of main() */
} Manage;

/* A command. usage: its lines after the program's name, each ending in a newline; about: sentences
 * for help. run gets the words after the command's name; false with an error of MANAGE_SYNTAX_ERROR
 * when it was written wrongly (exit code 2), of any other domain when it failed (exit code 1). */
typedef struct {
    const char *name;
    const char *alias; /* older name that scripts still use, or NULL */
    const char *title; /* what it does, in a few words */
    const char *usage;
    const char *about;
    bool (*run)(Manage *manage, ManageArgs *args, GError **error);
} ManageCommand;

/* The connected client; borrowed. Starts the service when needed. */
VitrineClient *manage_client(Manage *manage, GError **error);

/* Bytes go out as they are: names are UTF-8 whatever the locale says. */
void manage_print(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* text with a backslash before quotes and backslashes: what stands between quotes in
 * machine-readable output. The caller's. */
char *manage_escape(const char *text);

/* The machine of this name, UUID or settings file; borrowed from the client. */
VitrineMachine *manage_machine(Manage *manage, const char *name, GError **error);
/* The same, and its settings; the settings are the caller's. */
VitrineSettings *manage_settings(Manage *manage, const char *name, VitrineMachine **machine,
                                 GError **error);
/* The identifier of the OS type that an identifier or a description names; static. */
const char *manage_os_type(const char *name, GError **error);
/* A connection to a running machine; the caller's. */
VitrineConsole *manage_console(VitrineMachine *machine, GError **error);
/* Waits until no process holds the machine; false after some seconds. */
bool manage_wait_offline(VitrineMachine *machine, GError **error);

/* The UUID of the medium that a path or UUID names; a file that is not known yet is opened. The
 * caller's. opened: (nullable) whether it was unknown before. */
char *manage_medium(Manage *manage, const char *location, VitrineMediumKind kind, bool *opened,
                    GError **error);
/* What list and showmediuminfo print about a medium; client: to name machines, NULL: without. */
void manage_print_medium(VitrineMedium *medium, VitrineClient *client);
/* What showvminfo prints. */
bool manage_print_machine(Manage *manage, VitrineMachine *machine, bool machine_readable,
                          GError **error);
/* What showvminfo prints of a machine with these settings, of now or of a snapshot. ejected:
 * vitrine_attachment_place() of drives that the guest had emptied then; NULL: as they are now. */
void manage_print_settings(Manage *manage, VitrineMachine *machine, VitrineSettings *settings,
                           const char *const *ejected, bool machine_readable);
/* Waits for the end and shows the percentage meanwhile; Ctrl+C cancels. The result, the caller's;
 * NULL with error. */
char *manage_wait(VitrineProgress *progress, GError **error);
/* 0%...10%... up to this percentage, on the standard error stream: scripts read the other. shown:
 * tens printed so far. */
void manage_show_percent(guint *shown, guint percent);
/* A path as the service needs it; the caller's. */
char *manage_absolute_path(const char *path);
