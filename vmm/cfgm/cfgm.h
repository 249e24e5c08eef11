/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CFGM: the configuration tree that a VM is built from. Nodes hold values (unsigned integers,
 * strings, bytes) and children; paths are separated by '/'. A tree is built by the console and
 * read while devices are constructed; it does not change while the VM lives, so reading is safe
 * from every thread. Manual, chapter "Technical background" (CFGM). */
#pragma once

#include "vmm/base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct CfgmNode CfgmNode;

CfgmNode *cfgm_new(void);       /* a root; free with cfgm_free() */
void cfgm_free(CfgmNode *root); /* frees the whole tree */

/* The child at a path, or NULL. */
CfgmNode *cfgm_child(const CfgmNode *node, const char *path);
/* The same, created with all its parents where it is missing. Owned by the tree. */
CfgmNode *cfgm_make(CfgmNode *node, const char *path);
/* printf form: cfgm_makef(root, "Devices/%s/%u/Config", name, instance). */
CfgmNode *cfgm_makef(CfgmNode *node, const char *format, ...) G_GNUC_PRINTF(2, 3);
void cfgm_remove(CfgmNode *node, const char *path);

const char *cfgm_name(const CfgmNode *node);
CfgmNode *cfgm_first_child(const CfgmNode *node); /* in the order of creation */
CfgmNode *cfgm_next(const CfgmNode *node);

void cfgm_set_uint(CfgmNode *node, const char *name, uint64_t value);
void cfgm_set_string(CfgmNode *node, const char *name, const char *value);
void cfgm_set_bytes(CfgmNode *node, const char *name, const void *data, size_t size);

bool cfgm_has(const CfgmNode *node, const char *name);
/* With a default for a missing value. A value of another type counts as missing except that a
 * string of decimal or 0x digits reads as an integer. node may be NULL. */
uint64_t cfgm_uint(const CfgmNode *node, const char *name, uint64_t missing);
bool cfgm_bool(const CfgmNode *node, const char *name, bool missing);
const char *cfgm_string(const CfgmNode *node, const char *name, const char *missing);
/* Required values: false with BASE_ERROR_INVALID and the full path in the message. */
bool cfgm_query_uint(const CfgmNode *node, const char *name, uint64_t min, uint64_t max,
                     uint64_t *value, GError **error);
bool cfgm_query_string(const CfgmNode *node, const char *name, const char **value, GError **error);
const void *cfgm_bytes(const CfgmNode *node, const char *name, size_t *size);

/* The tree as text, one line a value, for the log. Free with g_free(). */
char *cfgm_dump(const CfgmNode *node);
