/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of modifyvm. */
#pragma once

#include "app/manage/manage.h"

/* Takes the next words if they are an option of serial or parallel ports; *taken says so. */
bool modifyvm_port_option(ManageArgs *args, VitrineSettings *settings, bool *taken, GError **error);
