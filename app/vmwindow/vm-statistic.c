/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * See vm-statistic.h. What has no name here is for those who know the program: it keeps the name
 * that `debugvm statistics` gives it, among the further counters. */
#include "app/vmwindow/vm-statistic.h"

#include <glib/gi18n.h>
#include <string.h>

#define BY_INSTRUCTION "rem-iem-"

typedef struct {
    const char *key, *name;
} Known;

static const Known known[] = {
    {"em-fallbacks", N_("Instructions that the engine could not execute")},
    {"em-halted-ns", N_("Time at rest")},
    {"em-time-ns", N_("Time executing")},
    {"engine", N_("Execution engine")},
    {"engine-ns", N_("Time executing")},
    {"halted-ns", N_("Time at rest")},
    {"hm-runs", N_("Entries into hardware virtualization")},
    {"hm-time-ns", N_("Time in hardware virtualization")},
    {"iem-cache-bytes", N_("Memory of the interpreter's cache")},
    {"iem-time-ns", N_("Time in the interpreter")},
    {"instructions", N_("Instructions executed")},
    {"rem-code-bytes", N_("Memory of translated code")},
    {"rem-iem-instructions", N_("Instructions left to the interpreter")},
    {"rem-links", N_("Chained exits")},
    {"rem-lookups", N_("Looked-up exits")},
    {"rem-memory-misses", N_("TLB misses")},
    {"rem-table-bytes", N_("Memory of the recompiler's tables")},
    {"rem-time-ns", N_("Time in the recompiler")},
    {"rem-traces", N_("Loops translated as a whole")},
    {"rem-translated-blocks", N_("Blocks translated")},
    {"resident-bytes", N_("Memory of the process")},
    {"virtual-ns", N_("Time in the guest")},
};

static const char *
name_of(const char *key)
{
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_str_equal(known[i].key, key))
            return _(known[i].name);
    return NULL;
}

static gboolean
is_number(const char *value)
{
    return *value != '\0' && strspn(value, "0123456789") == strlen(value);
}

static char *
value_of(const char *key, const char *value)
{
    const guint64 number = g_ascii_strtoull(value, NULL, 10);

    if (g_str_equal(key, "engine"))
        return g_ascii_strup(value, -1);
    if (!is_number(value))
        return g_strdup(value);
    if (g_str_has_suffix(key, "-ns"))
        return g_strdup_printf(_("%.3f s"), (double)number / 1e9);
    if (g_str_has_suffix(key, "-bytes"))
        return g_format_size(number);
    return g_strdup_printf("%'" G_GUINT64_FORMAT, number);
}

/* "cpu0.x": the processor's number; *key becomes "x". -1: the machine's own. */
static int
split_processor(const char **key)
{
    const char *dot = strchr(*key, '.');
    int number;

    if (dot == NULL || !g_str_has_prefix(*key, "cpu"))
        return -1;
    number = (int)g_ascii_strtoull(*key + strlen("cpu"), NULL, 10);
    *key = dot + 1;
    return number;
}

void
vm_statistic_init(VmStatistic *statistic, const char *name, const char *value)
{
    const int processor = split_processor(&name);
    const char *title = name_of(name);

    *statistic = (VmStatistic){.value = value_of(name, value)};
    statistic->group =
        processor < 0 ? g_strdup(_("Machine")) : g_strdup_printf(_("Processor %d"), processor + 1);
    if (title != NULL) {
        statistic->name = g_strdup(title);
    } else if (g_str_has_prefix(name, BY_INSTRUCTION)) {
        statistic->part = g_strdup(_("Left to the interpreter, by instruction"));
        statistic->name = g_ascii_strup(name + strlen(BY_INSTRUCTION), -1);
    } else {
        statistic->part = g_strdup(_("Further counters"));
        statistic->name = g_strdup(name);
    }
}

void
vm_statistic_clear(VmStatistic *statistic)
{
    g_clear_pointer(&statistic->group, g_free);
    g_clear_pointer(&statistic->part, g_free);
    g_clear_pointer(&statistic->name, g_free);
    g_clear_pointer(&statistic->value, g_free);
}
