/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Timers: a binary heap by deadline under a lock of its own, with the earliest deadline published
 * for readers without a lock. Callbacks run under the device lock, on the thread of
 * virtual CPU 0. */
#include "vmm/tm/tm-private.h"

/* Callbacks in one go; a timer that is far behind and arms itself in the past must not keep the
 * guest from running. */
#define RUN_MAX 1000

Tm *
tm_new(Cpum *cpum, const TmConfig *config, GError **error)
{
    Tm *tm = g_new0(Tm, 1);

    tm->config = *config;
    tm->cpum = cpum;
    tm->all = g_ptr_array_new();
    tm->heap = g_ptr_array_new();
    atomic_store(&tm->next, TM_NEVER);
    g_mutex_init(&tm->lock);
    tm_clock_init(tm);
    tm_tsc_init(tm);
    return tm;
}

void
tm_free(Tm *tm)
{
    if (tm == NULL)
        return;
    tm_thread_stop(tm);
    while (tm->all->len > 0)
        tm_timer_free(g_ptr_array_index(tm->all, tm->all->len - 1));
    g_ptr_array_unref(tm->all);
    g_ptr_array_unref(tm->heap);
    g_mutex_clear(&tm->lock);
    g_free(tm->vcpus);
    g_free(tm);
}

void
tm_set_lock(Tm *tm, GRecMutex *lock)
{
    tm->device_lock = lock;
}

/* --- the heap; Tm.lock is held --- */

static TmTimer *
at(const Tm *tm, guint index)
{
    return g_ptr_array_index(tm->heap, index);
}

static bool
is_before(const TmTimer *a, const TmTimer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
}

static void
place(Tm *tm, TmTimer *timer, guint index)
{
    tm->heap->pdata[index] = timer;
    timer->index = index;
}

/* Moves the timer from a free place to where it belongs. */
static void
sift(Tm *tm, TmTimer *timer, guint index)
{
    const guint count = tm->heap->len;

    while (index > 0 && is_before(timer, at(tm, (index - 1) / 2))) {
        place(tm, at(tm, (index - 1) / 2), index);
        index = (index - 1) / 2;
    }
    for (;;) {
        guint child = 2 * index + 1;

        if (child >= count)
            break;
        if (child + 1 < count && is_before(at(tm, child + 1), at(tm, child)))
            child++;
        if (!is_before(at(tm, child), timer))
            break;
        place(tm, at(tm, child), index);
        index = child;
    }
    place(tm, timer, index);
}

static void
publish(Tm *tm)
{
    atomic_store(&tm->next, tm->heap->len > 0 ? at(tm, 0)->deadline : TM_NEVER);
}

static void
disarm(TmTimer *timer)
{
    Tm *tm = timer->tm;
    TmTimer *last;

    if (timer->deadline == TM_NEVER)
        return;
    timer->deadline = TM_NEVER;
    last = at(tm, tm->heap->len - 1);
    g_ptr_array_set_size(tm->heap, (gint)tm->heap->len - 1);
    if (last != timer)
        sift(tm, last, timer->index);
}

static void
arm(TmTimer *timer, uint64_t deadline)
{
    Tm *tm = timer->tm;

    disarm(timer);
    if (deadline == TM_NEVER)
        return;
    timer->deadline = deadline;
    timer->order = tm->order++;
    g_ptr_array_add(tm->heap, timer);
    sift(tm, timer, tm->heap->len - 1);
}

/* --- timers --- */

TmTimer *
tm_timer_new(Tm *tm, const char *name, TmCallback callback, void *user)
{
    TmTimer *timer = g_new0(TmTimer, 1);

    timer->tm = tm;
    timer->name = g_strndup(name, TM_NAME_MAX);
    timer->callback = callback;
    timer->user = user;
    timer->deadline = TM_NEVER;
    g_mutex_lock(&tm->lock);
    g_ptr_array_add(tm->all, timer);
    g_mutex_unlock(&tm->lock);
    return timer;
}

void
tm_timer_free(TmTimer *timer)
{
    Tm *tm;

    if (timer == NULL)
        return;
    tm = timer->tm;
    g_mutex_lock(&tm->lock);
    disarm(timer);
    publish(tm);
    g_ptr_array_remove(tm->all, timer);
    g_mutex_unlock(&tm->lock);
    g_free(timer->name);
    g_free(timer);
}

void
tm_timer_set(TmTimer *timer, uint64_t deadline_ns)
{
    Tm *tm = timer->tm;
    uint64_t before, after;

    g_mutex_lock(&tm->lock);
    before = atomic_load(&tm->next);
    arm(timer, MIN(deadline_ns, TM_NEVER - 1));
    publish(tm);
    after = atomic_load(&tm->next);
    g_mutex_unlock(&tm->lock);
    if (tm->config.deterministic && after < before)
        cpum_pend(cpum_vcpu(tm->cpum, 0), CPUM_PEND_KICK); /* its budget ends too late now */
    tm_thread_poke(tm);
}

void
tm_timer_cancel(TmTimer *timer)
{
    Tm *tm = timer->tm;

    g_mutex_lock(&tm->lock);
    disarm(timer);
    publish(tm);
    g_mutex_unlock(&tm->lock);
}

bool
tm_timer_armed(const TmTimer *timer)
{
    return timer->deadline != TM_NEVER;
}

uint64_t
tm_timer_deadline(const TmTimer *timer)
{
    return timer->deadline;
}

uint64_t
tm_next_deadline(const Tm *tm)
{
    return atomic_load(&tm->next);
}

static TmTimer *
take_expired(Tm *tm, uint64_t now)
{
    TmTimer *timer = NULL;

    g_mutex_lock(&tm->lock);
    if (tm->heap->len > 0 && at(tm, 0)->deadline <= now) {
        timer = at(tm, 0);
        disarm(timer);
        publish(tm);
    }
    g_mutex_unlock(&tm->lock);
    return timer;
}

void
tm_run_timers(Tm *tm)
{
    Vcpu *boot = cpum_vcpu(tm->cpum, 0);
    const uint64_t now = tm_now(tm);
    TmTimer *timer;
    unsigned count = 0;

    cpum_unpend(boot, CPUM_PEND_TIMER);
    if (atomic_load(&tm->next) > now) {
        tm_thread_poke(tm);
        return;
    }
    if (tm->device_lock != NULL)
        g_rec_mutex_lock(tm->device_lock);
    while (count < RUN_MAX && (timer = take_expired(tm, now)) != NULL) {
        timer->callback(timer->user);
        count++;
    }
    if (tm->device_lock != NULL)
        g_rec_mutex_unlock(tm->device_lock);
    if (count == RUN_MAX)
        cpum_pend(boot, CPUM_PEND_TIMER);
    tm_thread_poke(tm);
}
