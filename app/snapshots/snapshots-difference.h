/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What differs between a snapshot's settings and the present ones, in plain words. */
#pragma once

#include "app/api/vitrine.h"

/* Lines such as "Memory 2 GB, now 4 GB"; "" when nothing differs. g_free(). */
char *snapshots_difference(VitrineClient *client, VitrineSettings *then, VitrineSettings *now);
