/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files that read and write <NetserviceRegistry> share. */
#pragma once

#include "app/service/settings/netservice-file.h"
#include "app/service/settings/xml.h"

/* The network of this name among those at path; NULL: there is none. */
xmlNodePtr netservice_find(SettingsFile *file, const char *path, const char *name);
/* A field becomes what an attribute says, where it is there. */
void netservice_take_text(char **field, xmlNodePtr node, const char *attribute);
/* Here flags are digits. */
const char *netservice_digit(gboolean value);
/* One more line at the end of lines. */
void netservice_add_line(char **lines, const char *line);
