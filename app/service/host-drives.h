/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's own optical and floppy drives: which there are, and whether a path names one. Manual,
 * chapter VBoxManage, "list hostdvds" and "list hostfloppies". What they hold is nobody's business
 * here: the process that has the machine looks after that. */
#pragma once

#include "app/api/vitrine-host-drive.h"

/* (element-type VitrineHostDrive) of the host now, by path; the caller's. */
GPtrArray *host_drives_list(void);
/* Whether path, which may be a link, is the node of such a drive; else the error says what it is
 * and what to do. */
gboolean host_drives_check(const char *path, VitrineMediumKind kind, GError **error);
