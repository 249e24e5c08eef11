/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of list. */
#pragma once

#include "app/manage/manage.h"

void list_systemproperties(VitrineClient *client);
