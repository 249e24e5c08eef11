/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Timers: for each virtual CPU a binary heap by deadline under a lock of its own, with the earliest
 * deadline published for readers without a lock. Devices' timers are virtual CPU 0's. */
#include "vmm/tm/tm-private.h"

/* Callbacks in one go; a timer that is far behind and arms itself in the past must not keep the
 * guest from running. */
#define RUN_MAX 1000

static void
queue_init(TmQueue *queue, Vcpu *vcpu)
{
    queue->vcpu = vcpu;
    g_mutex_init(&queue->lock);
    queue->heap = g_ptr_array_new();
    atomic_store(&queue->next, TM_NEVER);
}

static void
queue_clear(TmQueue *queue)
{
    g_ptr_array_unref(queue->heap);
    g_mutex_clear(&queue->lock);
}

Tm *
tm_new(Cpum *cpum, const TmConfig *config, GError **error)
{
    Tm *tm = g_new0(Tm, 1);

    tm->config = *config;
    tm->cpum = cpum;
    tm->all = g_ptr_array_new();
    g_mutex_init(&tm->lock);
    tm_clock_init(tm);
    tm_tsc_init(tm);
    for (unsigned i = 0; i < cpum_count(cpum); i++)
        queue_init(&tm->vcpus[i].queue, cpum_vcpu(cpum, i));
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
    for (unsigned i = 0; i < cpum_count(tm->cpum); i++)
        queue_clear(&tm->vcpus[i].queue);
    g_mutex_clear(&tm->lock);
    g_free(tm->vcpus);
    g_free(tm);
}

void
tm_set_lock(Tm *tm, GRecMutex *lock)
{
    tm->device_lock = lock;
}

/* --- the heap; TmQueue.lock is held --- */

static TmTimer *
at(const TmQueue *queue, guint index)
{
    return g_ptr_array_index(queue->heap, index);
}

static bool
is_before(const TmTimer *a, const TmTimer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
}

static void
place(TmQueue *queue, TmTimer *timer, guint index)
{
    queue->heap->pdata[index] = timer;
    timer->index = index;
}

/* Moves the timer from a free place to where it belongs. */
static void
sift(TmQueue *queue, TmTimer *timer, guint index)
{
    const guint count = queue->heap->len;

    while (index > 0 && is_before(timer, at(queue, (index - 1) / 2))) {
        place(queue, at(queue, (index - 1) / 2), index);
        index = (index - 1) / 2;
    }
    for (;;) {
        guint child = 2 * index + 1;

        if (child >= count)
            break;
        if (child + 1 < count && is_before(at(queue, child + 1), at(queue, child)))
            child++;
        if (!is_before(at(queue, child), timer))
            break;
        place(queue, at(queue, child), index);
        index = child;
    }
    place(queue, timer, index);
}

static void
publish(TmQueue *queue)
{
    atomic_store(&queue->next, queue->heap->len > 0 ? at(queue, 0)->deadline : TM_NEVER);
}

static void
disarm(TmTimer *timer)
{
    TmQueue *queue = timer->queue;
    TmTimer *last;

    if (timer->deadline == TM_NEVER)
        return;
    timer->deadline = TM_NEVER;
    last = at(queue, queue->heap->len - 1);
    g_ptr_array_set_size(queue->heap, (gint)queue->heap->len - 1);
    if (last != timer)
        sift(queue, last, timer->index);
}

static void
arm(TmTimer *timer, uint64_t deadline)
{
    TmQueue *queue = timer->queue;

    disarm(timer);
    if (deadline == TM_NEVER)
        return;
    timer->deadline = deadline;
    timer->order = queue->order++;
    g_ptr_array_add(queue->heap, timer);
    sift(queue, timer, queue->heap->len - 1);
}

/* --- timers --- */

TmTimer *
tm_timer_new_local(Vcpu *vcpu, const char *name, TmCallback callback, void *user)
{
    TmTimer *timer = g_new0(TmTimer, 1);
    Tm *tm = vcpu->tm;

    timer->tm = tm;
    timer->queue = &vcpu->tm_vcpu->queue;
    timer->name = g_strndup(name, TM_NAME_MAX);
    timer->callback = callback;
    timer->user = user;
    timer->deadline = TM_NEVER;
    g_mutex_lock(&tm->lock);
    g_ptr_array_add(tm->all, timer);
    g_mutex_unlock(&tm->lock);
    return timer;
}

TmTimer *
tm_timer_new(Tm *tm, const char *name, TmCallback callback, void *user)
{
    return tm_timer_new_local(cpum_vcpu(tm->cpum, 0), name, callback, user);
}

void
tm_timer_free(TmTimer *timer)
{
    Tm *tm;

    if (timer == NULL)
        return;
    tm = timer->tm;
    tm_timer_cancel(timer);
    g_mutex_lock(&tm->lock);
    g_ptr_array_remove(tm->all, timer);
    g_mutex_unlock(&tm->lock);
    g_free(timer->name);
    g_free(timer);
}

void
tm_timer_set(TmTimer *timer, uint64_t deadline_ns)
{
    Tm *tm = timer->tm;
    TmQueue *queue = timer->queue;
    uint64_t before, after;

    g_mutex_lock(&queue->lock);
    before = atomic_load(&queue->next);
    arm(timer, MIN(deadline_ns, TM_NEVER - 1));
    publish(queue);
    after = atomic_load(&queue->next);
    g_mutex_unlock(&queue->lock);
    if (tm->config.deterministic && after < before)
        cpum_pend(cpum_vcpu(tm->cpum, 0), CPUM_PEND_KICK); /* its budget ends too late now */
    /* Its CPU may sleep until a later deadline, and TM's thread leaves those to it that it polls.
     */
    if (after < before && atomic_load(&queue->polled))
        cpum_wake(queue->vcpu);
    tm_thread_poke(tm, queue);
}

void
tm_timer_cancel(TmTimer *timer)
{
    TmQueue *queue = timer->queue;

    g_mutex_lock(&queue->lock);
    disarm(timer);
    publish(queue);
    g_mutex_unlock(&queue->lock);
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
tm_next_deadline(const Vcpu *vcpu)
{
    return atomic_load(&vcpu->tm_vcpu->queue.next);
}

static TmTimer *
take_expired(TmQueue *queue, uint64_t now)
{
    TmTimer *timer = NULL;

    g_mutex_lock(&queue->lock);
    if (queue->heap->len > 0 && at(queue, 0)->deadline <= now) {
        timer = at(queue, 0);
        disarm(timer);
        publish(queue);
    }
    g_mutex_unlock(&queue->lock);
    return timer;
}

/* False: there may be more. */
static bool
run_expired(TmQueue *queue, uint64_t now)
{
    TmTimer *timer;
    unsigned count = 0;

    while (count < RUN_MAX && (timer = take_expired(queue, now)) != NULL) {
        timer->callback(timer->user);
        count++;
    }
    return count < RUN_MAX;
}

void
tm_run_timers(Vcpu *vcpu)
{
    Tm *tm = vcpu->tm;
    TmQueue *queue = &vcpu->tm_vcpu->queue;
    GRecMutex *lock = vcpu->id == 0 ? tm->device_lock : NULL;
    const uint64_t now = tm_now(tm);

    cpum_unpend(vcpu, CPUM_PEND_TIMER);
    if (atomic_load(&queue->next) <= now) {
        if (lock != NULL)
            g_rec_mutex_lock(lock);
        if (!run_expired(queue, now))
            cpum_pend(vcpu, CPUM_PEND_TIMER);
        if (lock != NULL)
            g_rec_mutex_unlock(lock);
    }
    atomic_store(&queue->told, false);
    tm_thread_poke(tm, queue);
}
