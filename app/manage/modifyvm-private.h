/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of modifyvm. */
#pragma once

#include "app/manage/manage.h"

/* Takes the next words if they are an option of serial or parallel ports; *taken says so. */
bool modifyvm_port_option(ManageArgs *args, VitrineSettings *settings, bool *taken, GError **error);
/* The same for network cards. */
bool modifyvm_network_option(ManageArgs *args, VitrineSettings *settings, bool *taken,
                             GError **error);
/* A port-forwarding rule, or delete and the name of one, which is the next word. */
bool modifyvm_forward(ManageArgs *args, VitrineAdapter *adapter, const char *text, GError **error);
