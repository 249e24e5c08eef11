/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of controlvm. */
#pragma once

#include "app/manage/manage.h"

/* What controlvm does with the words after its action's name. */
bool controlvm_put_scancodes(VitrineConsole *console, ManageArgs *args, GError **error);
bool controlvm_put_string(VitrineConsole *console, ManageArgs *args, GError **error);
bool controlvm_put_file(VitrineConsole *console, ManageArgs *args, GError **error);
/* The same of USB devices. */
bool controlvm_is_usb(const char *text);
bool controlvm_usb(Manage *manage, const char *machine_name, const char *text, ManageArgs *args,
                   GError **error);
/* Whether an action is one of network cards, and what it does then. */
bool controlvm_is_network(const char *text);
bool controlvm_network(Manage *manage, const char *machine_name, const char *text, ManageArgs *args,
                       GError **error);
