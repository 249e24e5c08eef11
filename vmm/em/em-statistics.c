/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a virtual CPU did with its time; other threads ask while it runs. */
#include "vmm/em/em-private.h"

void
em_count_start(EmTime *time)
{
    atomic_store_explicit(&time->since, base_clock_ns(), memory_order_relaxed);
}

void
em_count_stop(EmTime *time)
{
    const uint64_t began = atomic_exchange_explicit(&time->since, 0, memory_order_relaxed);
    const uint64_t total = atomic_load_explicit(&time->total, memory_order_relaxed);

    /* Written by this thread alone. */
    atomic_store_explicit(&time->total, total + (base_clock_ns() - began), memory_order_relaxed);
}

/* Up to now, with what has not ended yet. */
static uint64_t
so_far(const EmTime *time)
{
    const uint64_t began = atomic_load(&time->since), sum = atomic_load(&time->total);
    const uint64_t now = base_clock_ns();

    return began == 0 || now < began ? sum : sum + (now - began);
}

const char *
em_engine_name(const Vcpu *vcpu)
{
    return vcpu->em_vcpu->engine->name;
}

uint64_t
em_time_in_engine_ns(const Vcpu *vcpu)
{
    const EmVcpu *own = vcpu->em_vcpu;
    const uint64_t halted = so_far(&own->halted), running = so_far(&own->running);

    return running > halted ? running - halted : 0;
}

uint64_t
em_time_halted_ns(const Vcpu *vcpu)
{
    return so_far(&vcpu->em_vcpu->halted);
}

uint64_t
em_time_by_engine_ns(const Vcpu *vcpu, const EmEngine *engine)
{
    return so_far(&vcpu->em_vcpu->in[em_index(engine)]);
}

static void
append(GString *out, const char *name, uint64_t value)
{
    g_string_append_printf(out, "%s %" G_GUINT64_FORMAT "\n", name, value);
}

void
em_info(Vcpu *vcpu, GString *out)
{
    const EmVcpu *own = vcpu->em_vcpu;
    const EmEngine *const *all = em_engines();

    g_string_append_printf(out, "engine %s\n", own->engine->name);
    em_heartbeat_info(vcpu, out);
    append(out, "instructions", vcpu->retired);
    append(out, "em-time-ns", em_time_in_engine_ns(vcpu));
    append(out, "em-halted-ns", em_time_halted_ns(vcpu));
    append(out, "em-fallbacks", atomic_load_explicit(&own->fallbacks, memory_order_relaxed));
    append(out, "em-stuck", atomic_load_explicit(&own->stuck, memory_order_relaxed));
    append(out, "em-reliefs", atomic_load_explicit(&own->reliefs, memory_order_relaxed));
    for (unsigned i = 0; all[i] != NULL; i++) {
        g_autofree char *name = g_strdup_printf("%s-time-ns", all[i]->name);

        if (own->em->slot[i].vm == NULL)
            continue;
        append(out, name, em_time_by_engine_ns(vcpu, all[i]));
        if (all[i]->info != NULL)
            all[i]->info(vcpu, out);
    }
}
