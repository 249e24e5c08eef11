/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The configuration tree. Trees are small (a few hundred values), so nodes and values are lists in
 * the order of creation; walks are iterative, because a tree may come from a user's ExtraData and
 * be deep. */
#include "vmm/cfgm/cfgm.h"

#include <string.h>

typedef enum { CFGM_UINT, CFGM_STRING, CFGM_BYTES } CfgmType;

typedef struct CfgmValue {
    struct CfgmValue *next;
    char *name;
    CfgmType type;
    uint64_t number;
    char *data; /* STRING: ended by NUL; BYTES: size bytes */
    size_t size;
} CfgmValue;

struct CfgmNode {
    CfgmNode *parent, *next, *first, *last;
    char *name;
    CfgmValue *values, *last_value;
};

static CfgmNode *
node_new(CfgmNode *parent, const char *name, size_t length)
{
    CfgmNode *node = g_new0(CfgmNode, 1);

    node->name = g_strndup(name, length);
    node->parent = parent;
    if (parent == NULL)
        return node;
    if (parent->last != NULL)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

static void
value_clear(CfgmValue *value)
{
    g_clear_pointer(&value->data, g_free);
    value->size = 0;
    value->number = 0;
}

/* Frees a node that has no children any more. */
static void
node_free_one(CfgmNode *node)
{
    while (node->values != NULL) {
        CfgmValue *value = node->values;

        node->values = value->next;
        value_clear(value);
        g_free(value->name);
        g_free(value);
    }
    g_free(node->name);
    g_free(node);
}

CfgmNode *
cfgm_new(void)
{
    return node_new(NULL, "", 0);
}

void
cfgm_free(CfgmNode *root)
{
    CfgmNode *node = root;

    while (node != NULL) {
        CfgmNode *parent = node->parent;

        if (node->first != NULL) {
            node = node->first;
            continue;
        }
        if (node == root) {
            node_free_one(node);
            return;
        }
        parent->first = node->next;
        node_free_one(node);
        node = parent;
    }
}

static CfgmNode *
find_child(const CfgmNode *node, const char *name, size_t length)
{
    for (CfgmNode *child = node->first; child != NULL; child = child->next) {
        if (strncmp(child->name, name, length) == 0 && child->name[length] == '\0')
            return child;
    }
    return NULL;
}

/* Walks a path; empty components are skipped. */
static CfgmNode *
walk(CfgmNode *node, const char *path, bool create)
{
    while (node != NULL) {
        size_t length;
        CfgmNode *child;

        path += strspn(path, "/");
        if (*path == '\0')
            return node;
        length = strcspn(path, "/");
        child = find_child(node, path, length);
        if (child == NULL && create)
            child = node_new(node, path, length);
        node = child;
        path += length;
    }
    return NULL;
}

CfgmNode *
cfgm_child(const CfgmNode *node, const char *path)
{
    return walk((CfgmNode *)node, path, false);
}

CfgmNode *
cfgm_make(CfgmNode *node, const char *path)
{
    return walk(node, path, true);
}

CfgmNode *
cfgm_makef(CfgmNode *node, const char *format, ...)
{
    g_autofree char *path = NULL;
    va_list arguments;

    va_start(arguments, format);
    path = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return cfgm_make(node, path);
}

void
cfgm_remove(CfgmNode *node, const char *path)
{
    CfgmNode *victim = cfgm_child(node, path);
    CfgmNode *parent, *before = NULL;

    if (victim == NULL || victim == node)
        return;
    parent = victim->parent;
    for (CfgmNode *child = parent->first; child != victim; child = child->next)
        before = child;
    if (before != NULL)
        before->next = victim->next;
    else
        parent->first = victim->next;
    if (parent->last == victim)
        parent->last = before;
    cfgm_free(victim);
}

const char *
cfgm_name(const CfgmNode *node)
{
    return node->name;
}

CfgmNode *
cfgm_first_child(const CfgmNode *node)
{
    return node != NULL ? node->first : NULL;
}

CfgmNode *
cfgm_next(const CfgmNode *node)
{
    return node->next;
}

static const CfgmValue *
find_value(const CfgmNode *node, const char *name)
{
    if (node == NULL)
        return NULL;
    for (const CfgmValue *value = node->values; value != NULL; value = value->next) {
        if (strcmp(value->name, name) == 0)
            return value;
    }
    return NULL;
}

static CfgmValue *
make_value(CfgmNode *node, const char *name, CfgmType type)
{
    CfgmValue *value = (CfgmValue *)find_value(node, name);

    if (value == NULL) {
        value = g_new0(CfgmValue, 1);
        value->name = g_strdup(name);
        if (node->last_value != NULL)
            node->last_value->next = value;
        else
            node->values = value;
        node->last_value = value;
    }
    value_clear(value);
    value->type = type;
    return value;
}

void
cfgm_set_uint(CfgmNode *node, const char *name, uint64_t number)
{
    make_value(node, name, CFGM_UINT)->number = number;
}

void
cfgm_set_string(CfgmNode *node, const char *name, const char *text)
{
    g_autofree char *copy = g_strdup(text); /* text may be the old value */
    CfgmValue *value = make_value(node, name, CFGM_STRING);

    value->data = g_steal_pointer(&copy);
}

void
cfgm_set_bytes(CfgmNode *node, const char *name, const void *data, size_t size)
{
    g_autofree char *copy = g_memdup2(data, size);
    CfgmValue *value = make_value(node, name, CFGM_BYTES);

    value->data = g_steal_pointer(&copy);
    value->size = size;
}

bool
cfgm_has(const CfgmNode *node, const char *name)
{
    return find_value(node, name) != NULL;
}

/* Decimal or 0x digits, nothing else. */
static bool
parse_uint(const char *text, uint64_t *number)
{
    const bool hex = g_ascii_strncasecmp(text, "0x", 2) == 0;
    const char *digits = hex ? text + 2 : text;

    if (hex ? !g_ascii_isxdigit(*digits) : !g_ascii_isdigit(*digits))
        return false;
    return g_ascii_string_to_unsigned(digits, hex ? 16 : 10, 0, G_MAXUINT64, number, NULL);
}

static bool
value_uint(const CfgmValue *value, uint64_t *number)
{
    if (value == NULL || value->type == CFGM_BYTES)
        return false;
    if (value->type == CFGM_STRING)
        return value->data != NULL && parse_uint(value->data, number);
    *number = value->number;
    return true;
}

uint64_t
cfgm_uint(const CfgmNode *node, const char *name, uint64_t missing)
{
    uint64_t number;

    return value_uint(find_value(node, name), &number) ? number : missing;
}

bool
cfgm_bool(const CfgmNode *node, const char *name, bool missing)
{
    return cfgm_uint(node, name, missing) != 0;
}

const char *
cfgm_string(const CfgmNode *node, const char *name, const char *missing)
{
    const CfgmValue *value = find_value(node, name);

    return value != NULL && value->type == CFGM_STRING && value->data != NULL ? value->data
                                                                              : missing;
}

const void *
cfgm_bytes(const CfgmNode *node, const char *name, size_t *size)
{
    const CfgmValue *value = find_value(node, name);
    const bool found = value != NULL && value->type == CFGM_BYTES;

    *size = found ? value->size : 0;
    return found ? value->data : NULL;
}

/* "/Devices/ide/0/Config" of a node. */
static char *
full_path(const CfgmNode *node)
{
    GString *path = g_string_new(NULL);

    for (; node != NULL && node->parent != NULL; node = node->parent) {
        g_string_prepend(path, node->name);
        g_string_prepend_c(path, '/');
    }
    return g_string_free(path, FALSE);
}

bool
cfgm_query_uint(const CfgmNode *node, const char *name, uint64_t min, uint64_t max, uint64_t *value,
                GError **error)
{
    g_autofree char *path = NULL;
    uint64_t number;

    if (value_uint(find_value(node, name), &number) && number >= min && number <= max) {
        *value = number;
        return true;
    }
    path = full_path(node);
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "The setting %s/%s has to be a number from %" G_GUINT64_FORMAT
                " to %" G_GUINT64_FORMAT,
                path, name, min, max);
    return false;
}

bool
cfgm_query_string(const CfgmNode *node, const char *name, const char **value, GError **error)
{
    g_autofree char *path = NULL;

    *value = cfgm_string(node, name, NULL);
    if (*value != NULL)
        return true;
    path = full_path(node);
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "The setting %s/%s has to be a text", path,
                name);
    return false;
}

static void
dump_values(const CfgmNode *node, GString *out)
{
    g_autofree char *path = full_path(node);

    for (const CfgmValue *value = node->values; value != NULL; value = value->next) {
        if (value->type == CFGM_UINT)
            g_string_append_printf(out,
                                   "%s/%s = %" G_GUINT64_FORMAT " (0x%" G_GINT64_MODIFIER "x)\n",
                                   path, value->name, value->number, value->number);
        else if (value->type == CFGM_STRING)
            g_string_append_printf(out, "%s/%s = \"%s\"\n", path, value->name,
                                   value->data != NULL ? value->data : "");
        else
            g_string_append_printf(out, "%s/%s = (%zu bytes)\n", path, value->name, value->size);
    }
}

char *
cfgm_dump(const CfgmNode *top)
{
    GString *out = g_string_new(NULL);
    const CfgmNode *node = top;

    while (node != NULL) {
        dump_values(node, out);
        if (node->first != NULL) {
            node = node->first;
            continue;
        }
        while (node != top && node->next == NULL)
            node = node->parent;
        node = node == top ? NULL : node->next;
    }
    return g_string_free(out, FALSE);
}
