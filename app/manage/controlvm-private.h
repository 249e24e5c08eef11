/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of controlvm. */
#pragma once

#include "app/manage/manage.h"

/* What controlvm does with the words after its action's name. */
bool controlvm_put_scancodes(VitrineConsole *console, ManageArgs *args, GError **error);
bool controlvm_put_string(VitrineConsole *console, ManageArgs *args, GError **error);
bool controlvm_put_file(VitrineConsole *console, ManageArgs *args, GError **error);
