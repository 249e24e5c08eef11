/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of showvminfo. */
#pragma once

#include "app/manage/manage.h"

/* "Label:     text", as all of showvminfo's lines for people. */
void showvminfo_line(const char *label, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* key="text", escaped; or the line for people. */
void showvminfo_text(bool machine_readable, const char *key, const char *label, const char *text);

/* ejected: vitrine_attachment_place() of drives that the guest has emptied; NULL: as they are now.
 */
void showvminfo_storage(Manage *manage, VitrineMachine *machine, VitrineSettings *settings,
                        const char *const *ejected, bool machine_readable);
void showvminfo_network(VitrineSettings *settings, bool machine_readable);
void showvminfo_sound(VitrineSettings *settings, bool machine_readable);
void showvminfo_usb(Manage *manage, VitrineMachine *machine, VitrineSettings *settings,
                    bool machine_readable);
void showvminfo_ports(VitrineSettings *settings, bool machine_readable);
/* The tree below root, and which is the current one. */
void showvminfo_snapshots(VitrineMachine *machine, VitrineSnapshot *root, bool machine_readable);
