/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What makes work on files and settings a transaction. The settings file is the truth: replacing it
 * is the one moment at which the state before becomes the state after. A journal lists the files
 * that are made before that moment or deleted after it; settling it deletes each of them that no
 * settings file names. It is settled at the end of the work, whatever the end was, and by the next
 * service when this one was killed; so it needs to know nothing of what was done so far. Journals
 * are files in the folder "Vitrine-work" of the configuration folder. */
#pragma once

#include "app/service/service.h"

typedef struct Journal Journal;

/* machine: whose settings file names the files; "" for the global registry. Nothing is written
 * before journal_write(). */
Journal *journal_new(Service *service, const char *machine);
/* A file that must go unless it is named. */
void journal_add_file(Journal *journal, const char *path);
/* A file that is an image, with its other files. */
void journal_add_image(Journal *journal, const char *path);
/* Another file of the image at owner: it goes unless that is named. */
void journal_add_part(Journal *journal, const char *path, const char *owner);
/* A file that comes to the image at owner: it goes unless the image itself names it. */
void journal_add_new_part(Journal *journal, const char *path, const char *owner);
/* A folder that goes if it is empty and not named. */
void journal_add_folder(Journal *journal, const char *path);
/* A medium that shall be merged away: what the next service does when this one was killed. */
void journal_add_merge(Journal *journal, const char *medium);
/* They shall not: what was to come before them did not. */
void journal_forget_merges(Journal *journal);
/* A place where the machine's settings file may be while its folder moves. */
void journal_add_place(Journal *journal, const char *settings_file);
/* On the disk when it returns. From here on journal_settle() or journal_drop() is due. */
gboolean journal_write(Journal *journal, GError **error);
/* Deletes what nobody names and forgets the journal; takes it. NULL is nothing. A file that cannot
 * be deleted is told to the log, and stays in the journal for the next service. */
void journal_settle(Journal *journal);
/* The same for work that failed: merges that it lists are done by journals_merge(). */
void journal_settle_undone(Journal *journal);
/* The work is done and its files stay, also those that no settings file names; takes it. */
void journal_drop(Journal *journal);

/* Before the machines are read: a machine whose settings file is in another of its places than the
 * registry says is registered there. */
void journals_find_machines(Service *service);
/* Those that a killed service left; called when the registry was read. A journal of a machine that
 * cannot be read stays as it is. */
void journals_recover(Service *service);
/* Begins again with merges for this machine that were not done; when it comes or goes, since some
 * can be done only then. Nothing before journals_recover(). */
void journals_merge(Service *service, const char *machine);
/* The same from the main loop. */
void journals_merge_later(Service *service, const char *machine);
