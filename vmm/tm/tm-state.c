/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved state: the clock, each virtual CPU's TSC, and the deadlines of all timers by name. */
#include "vmm/tm/tm-private.h"

#include <string.h>

#define STATE_VERSION 1

static bool
save(void *object, SsmWriter *writer, GError **error)
{
    Tm *tm = object;

    ssm_put_uint(writer, tm_now(tm), 8);
    ssm_put_uint(writer, tm_ticks(tm), 8);
    for (unsigned i = 0; i < cpum_count(tm->cpum); i++) {
        ssm_put_uint(writer, tm->vcpus[i].offset, 8);
        ssm_put_uint(writer, tm->vcpus[i].adjust, 8);
    }
    ssm_put_uint(writer, tm->all->len, 4);
    for (guint i = 0; i < tm->all->len; i++) {
        const TmTimer *timer = g_ptr_array_index(tm->all, i);
        const size_t length = strlen(timer->name);

        ssm_put_uint(writer, length, 1);
        ssm_put_bytes(writer, timer->name, length);
        ssm_put_uint(writer, timer->deadline, 8);
    }
    return true;
}

static bool
load_clock(Tm *tm, SsmReader *reader, GError **error)
{
    uint64_t now, ticks;

    if (!ssm_get_uint(reader, &now, 8, error) || !ssm_get_uint(reader, &ticks, 8, error))
        return false;
    if (now > INT64_MAX) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "The saved time is out of range.");
        return false;
    }
    tm_clock_restore(tm, now, ticks);
    for (unsigned i = 0; i < cpum_count(tm->cpum); i++) {
        if (!ssm_get_uint(reader, &tm->vcpus[i].offset, 8, error) ||
            !ssm_get_uint(reader, &tm->vcpus[i].adjust, 8, error))
            return false;
    }
    return true;
}

static TmTimer *
find_timer(const Tm *tm, const char *name)
{
    for (guint i = 0; i < tm->all->len; i++) {
        TmTimer *timer = g_ptr_array_index(tm->all, i);

        if (strcmp(timer->name, name) == 0)
            return timer;
    }
    return NULL;
}

static bool
load_timer(Tm *tm, SsmReader *reader, GError **error)
{
    char name[TM_NAME_MAX + 1] = "";
    uint64_t length, deadline;
    TmTimer *timer;

    if (!ssm_get_uint(reader, &length, 1, error))
        return false;
    if (length > TM_NAME_MAX) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "A timer's name is too long.");
        return false;
    }
    if (!ssm_get_bytes(reader, name, length, error) || !ssm_get_uint(reader, &deadline, 8, error))
        return false;
    timer = find_timer(tm, name);
    if (timer == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The state has a timer that this machine does not have.");
        return false;
    }
    if (deadline == TM_NEVER)
        tm_timer_cancel(timer);
    else
        tm_timer_set(timer, deadline);
    return true;
}

static bool
load(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    Tm *tm = object;
    uint64_t count;

    if (!load_clock(tm, reader, error) || !ssm_get_uint(reader, &count, 4, error))
        return false;
    /* A wrong count ends at the unit's end. */
    for (uint64_t i = 0; i < count; i++) {
        if (!load_timer(tm, reader, error))
            return false;
    }
    return true;
}

static const SsmState tm_state = {
    .version = STATE_VERSION,
    .min_version = STATE_VERSION,
    .save = save,
    .load = load,
};

void
tm_ssm_register(Tm *tm, Ssm *ssm)
{
    ssm_register(ssm, "tm", 0, &tm_state, tm);
}
