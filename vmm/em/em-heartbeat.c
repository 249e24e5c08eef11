/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What each virtual CPU is at, for people who look for a hang. The CPUs count what they do anyway;
 * a thread looks every few seconds whether one has not got on although something is pending for it,
 * and tells that, once, and when it is over. */
#include "vmm/em/em-private.h"

#include <glib.h>

/* Nobody wakes a sleeping CPU for these: it sees them when it goes on. */
#define MAY_WAIT (CPUM_PEND_TLB_FLUSH | CPUM_PEND_KICK | CPUM_PEND_DEBUG)

struct EmHeartbeat {
    Em *em;
    GThread *thread;
    BaseWaiter *waiter;
    _Atomic bool quit;
    uint64_t interval_ns;
    void (*report)(void *user, const char *text);
    void *user;
    struct {
        uint64_t beats;
        bool wanted;   /* something had to be done */
        uint64_t late; /* base_clock_ns() at which it was told; 0: it gets on */
    } * seen;          /* one for each CPU, as of the last look */
};

/* --- what a CPU is at --- */

typedef enum {
    AT_NOTHING, /* not in em_run() */
    AT_SLEEP,
    AT_ENGINE,
    AT_EM, /* it looks around, or waits for another CPU */
} PlaceKind;

typedef struct {
    PlaceKind kind;
    const char *name;
    uint64_t since; /* base_clock_ns(); 0: unknown */
} Place;

static uint64_t
since(const EmTime *time)
{
    return atomic_load_explicit(&time->since, memory_order_relaxed);
}

static Place
place_of(const EmVcpu *own)
{
    if (since(&own->running) == 0)
        return (Place){AT_NOTHING, "stopped", 0};
    if (since(&own->halted) != 0)
        return (Place){AT_SLEEP, "halted", since(&own->halted)};
    for (unsigned i = 0; em_engines()[i] != NULL; i++) {
        if (since(&own->in[i]) != 0)
            return (Place){AT_ENGINE, em_engines()[i]->name, since(&own->in[i])};
    }
    return (Place){AT_EM, "between", 0};
}

static void
append_pending(GString *out, uint32_t pending)
{
    static const char *const names[] = {"interrupt", "nmi",     "init",  "sipi", "timer",
                                        "flush",     "request", "queue", "kick", "debug"};

    if (pending == 0)
        g_string_append(out, "nothing");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if ((pending >> i) & 1)
            g_string_append_printf(out, "%s%s", pending & ((1u << i) - 1) ? "+" : "", names[i]);
    }
}

static const char *
activity_name(const Vcpu *vcpu)
{
    static const char *const names[] = {[CPUM_ACTIVE] = "active",
                                        [CPUM_HALTED] = "halted",
                                        [CPUM_WAIT_SIPI] = "wait-for-sipi",
                                        [CPUM_SHUTDOWN] = "shutdown"};
    const unsigned activity = (unsigned)__atomic_load_n(&vcpu->activity, __ATOMIC_RELAXED);

    return activity < G_N_ELEMENTS(names) ? names[activity] : "?";
}

/* The registers are the CPU's own: this is what it wrote last, which an engine may do seldom. */
void
em_heartbeat_info(const Vcpu *vcpu, GString *out)
{
    const EmVcpu *own = vcpu->em_vcpu;
    const Place place = place_of(own);
    const uint64_t now = base_clock_ns();

    g_string_append_printf(out, "activity %s\nrip %" G_GINT64_MODIFIER "x\npending ",
                           activity_name(vcpu), __atomic_load_n(&vcpu->rip, __ATOMIC_RELAXED));
    append_pending(out, cpum_pending(vcpu));
    g_string_append_printf(
        out, "\nplace %s\nplace-ns %" G_GUINT64_FORMAT "\nbeats %" G_GUINT64_FORMAT "\n",
        place.name, place.since != 0 && now > place.since ? now - place.since : 0,
        atomic_load_explicit(&own->beats, memory_order_relaxed));
}

/* --- looking --- */

static bool
something_is_wanted(const Vcpu *vcpu)
{
    const PlaceKind kind = place_of(vcpu->em_vcpu).kind;

    switch (kind) {
    case AT_NOTHING: return false;
    case AT_SLEEP: return (cpum_pending(vcpu) & ~MAY_WAIT) != 0;
    case AT_ENGINE: return cpum_pending(vcpu) != 0;
    default: return true;
    }
}

static void
tell(EmHeartbeat *heart, unsigned cpu, const char *what)
{
    g_autoptr(GString) text = g_string_new(NULL);

    em_heartbeat_info(cpum_vcpu(heart->em->rooms.cpum, cpu), text);
    if (text->len > 0)
        g_string_truncate(text, text->len - 1);
    g_strdelimit(text->str, "\n", ',');
    g_string_prepend_c(text, ' ');
    g_string_prepend(text, what);
    heart->report(heart->user, text->str);
}

static void
look_at(EmHeartbeat *heart, unsigned cpu)
{
    const Vcpu *vcpu = cpum_vcpu(heart->em->rooms.cpum, cpu);
    const uint64_t beats = atomic_load_explicit(&vcpu->em_vcpu->beats, memory_order_relaxed);
    const bool wanted = something_is_wanted(vcpu);
    const bool stands = beats == heart->seen[cpu].beats && heart->seen[cpu].wanted && wanted;
    g_autofree char *what = NULL;

    if (stands && heart->seen[cpu].late == 0) {
        what = g_strdup_printf("CPU %u does not get on:", cpu);
        heart->seen[cpu].late = base_clock_ns();
    } else if (!stands && heart->seen[cpu].late != 0) {
        what = g_strdup_printf("CPU %u gets on again:", cpu);
        heart->seen[cpu].late = 0;
    }
    heart->seen[cpu].beats = beats;
    heart->seen[cpu].wanted = wanted;
    if (what != NULL)
        tell(heart, cpu, what);
}

static void *
watch(void *user)
{
    EmHeartbeat *heart = user;

    while (!atomic_load(&heart->quit)) {
        for (unsigned i = 0; i < cpum_count(heart->em->rooms.cpum); i++)
            look_at(heart, i);
        base_waiter_wait_until(heart->waiter, base_clock_ns() + heart->interval_ns);
    }
    return NULL;
}

void
em_watch(Em *em, uint64_t interval_ns, void (*report)(void *user, const char *text), void *user)
{
    EmHeartbeat *heart = g_new0(EmHeartbeat, 1);

    g_assert(em->heartbeat == NULL);
    em->heartbeat = heart;
    heart->em = em;
    heart->interval_ns = interval_ns;
    heart->report = report;
    heart->user = user;
    heart->seen = g_malloc0_n(cpum_count(em->rooms.cpum), sizeof *heart->seen);
    heart->waiter = base_waiter_new();
    heart->thread = g_thread_new("heartbeat", watch, heart);
}

void
em_heartbeat_end(Em *em)
{
    EmHeartbeat *heart = em->heartbeat;

    if (heart == NULL)
        return;
    atomic_store(&heart->quit, true);
    base_waiter_wake(heart->waiter);
    g_thread_join(heart->thread);
    base_waiter_free(heart->waiter);
    g_free(heart->seen);
    g_clear_pointer(&em->heartbeat, g_free);
}
