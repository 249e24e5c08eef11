/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one thread takes away from the TLBs of other CPUs: whole TLBs after a change of the map,
 * fast writes to a page that begins to be tracked. The others are asked by CPUM_PEND_TLB_FLUSH and
 * answer on their own threads, before they use their TLB again. Who must not go on before (a CPU
 * that marked code or changed the map) waits outside the guest and without locks, so those who wait
 * answer, too; devices never wait. Design, section 5 "Memory". */
#include "vmm/pgm/pgm-private.h"

static bool
is_own_thread(const PgmVcpu *own)
{
    GThread *thread = atomic_load(&own->thread);

    return thread == NULL || thread == g_thread_self();
}

void
pgm_bind_thread(Vcpu *vcpu)
{
    atomic_store(&vcpu->pgm_vcpu->thread, g_thread_self());
}

/* No thread is equal to that. */
void
pgm_bind_later(Vcpu *vcpu)
{
    atomic_store(&vcpu->pgm_vcpu->thread, GSIZE_TO_POINTER(1));
}

static bool
has_seen(_Atomic uint32_t *seen, uint32_t request)
{
    return (int32_t)(atomic_load(seen) - request) >= 0;
}

/* --- the answer --- */

static void
track_queued(Vcpu *vcpu)
{
    PgmVcpu *own = vcpu->pgm_vcpu;

    g_mutex_lock(&own->track_lock);
    for (unsigned i = 0; i < MIN(own->track_count, PGM_TRACK_MAX); i++) {
        const PgmTrackPage *page = &own->track[i];

        pgm_tlb_track(vcpu, page->mem->host + page->page * X86_PAGE_SIZE, X86_PAGE_SIZE);
        atomic_fetch_and(&page->mem->writers[page->page], ~(1u << vcpu->id));
    }
    if (own->track_count > PGM_TRACK_MAX)
        pgm_tlb_drop(vcpu, true);
    own->track_count = 0;
    atomic_store(&own->track_seen, own->track_wanted);
    g_mutex_unlock(&own->track_lock);
}

void
pgm_flush_tlb(Vcpu *vcpu, bool global_too)
{
    PgmVcpu *own = vcpu->pgm_vcpu;
    uint32_t request;

    if (!global_too) {
        pgm_tlb_drop(vcpu, false);
        return;
    }
    cpum_unpend(vcpu, CPUM_PEND_TLB_FLUSH);
    request = atomic_load(&vcpu->pgm->flush_request);
    own->map = atomic_load(&vcpu->pgm->cpu_map[vcpu->id]);
    own->last = &own->map->range[0];
    pgm_tlb_drop(vcpu, true);
    track_queued(vcpu);
    atomic_store(&own->flush_seen, request);
    cpum_agreed(vcpu);
}

void
pgm_act_on_flush(Vcpu *vcpu)
{
    if (!has_seen(&vcpu->pgm_vcpu->flush_seen, atomic_load(&vcpu->pgm->flush_request))) {
        pgm_flush_tlb(vcpu, true);
        return;
    }
    cpum_unpend(vcpu, CPUM_PEND_TLB_FLUSH);
    track_queued(vcpu);
    cpum_agreed(vcpu);
}

/* --- whole TLBs --- */

static bool
agrees_to_flush(const Vcpu *other, const void *user)
{
    return has_seen(&other->pgm_vcpu->flush_seen, *(const uint32_t *)user);
}

bool
pgm_everyone_has_seen(const Pgm *pgm, uint32_t request)
{
    for (unsigned i = 0; i < cpum_count(pgm->cpum); i++) {
        if (!agrees_to_flush(cpum_vcpu(pgm->cpum, i), &request))
            return false;
    }
    return true;
}

void
pgm_request_flush(Pgm *pgm)
{
    const uint32_t request = atomic_fetch_add(&pgm->flush_request, 1) + 1;

    for (unsigned i = 0; i < cpum_count(pgm->cpum); i++) {
        Vcpu *vcpu = cpum_vcpu(pgm->cpum, i);
        PgmVcpu *own = vcpu->pgm_vcpu;

        if (is_own_thread(own)) {
            /* The caller may be inside an access that still uses the old map: that one is kept
             * until the flush that is asked for below. */
            own->map = atomic_load(&pgm->cpu_map[i]);
            own->last = &own->map->range[0];
            pgm_tlb_drop(vcpu, true);
            own->settle = request;
            own->settling = true;
        }
        cpum_pend(vcpu, CPUM_PEND_TLB_FLUSH);
    }
}

void
pgm_settle(Vcpu *vcpu)
{
    PgmVcpu *own = vcpu->pgm_vcpu;

    if (G_LIKELY(!own->settling))
        return;
    own->settling = false;
    cpum_wait_for_others(vcpu, agrees_to_flush, &own->settle);
}

bool
pgm_request_track(Pgm *pgm, const uint8_t *start, const uint8_t *end)
{
    bool alone = true;

    for (unsigned i = 0; i < cpum_count(pgm->cpum); i++) {
        Vcpu *vcpu = cpum_vcpu(pgm->cpum, i);

        if (is_own_thread(vcpu->pgm_vcpu)) {
            pgm_tlb_track(vcpu, start, (uint64_t)(end - start));
            continue;
        }
        if (alone)
            atomic_fetch_add(&pgm->flush_request, 1);
        alone = false;
        cpum_pend(vcpu, CPUM_PEND_TLB_FLUSH);
    }
    return alone;
}

void
pgm_wait_for_track(Pgm *pgm, const uint8_t *start, const uint8_t *end)
{
    uint32_t request;

    if (pgm_request_track(pgm, start, end))
        return;
    request = atomic_load(&pgm->flush_request);
    cpum_wait_for_all(pgm->cpum, agrees_to_flush, &request);
}

/* --- single pages --- */

typedef struct {
    uint32_t request, cpus;
} Asked;

static bool
agrees_to_track(const Vcpu *other, const void *user)
{
    const Asked *asked = user;

    return !(asked->cpus >> other->id & 1) ||
           has_seen(&other->pgm_vcpu->track_seen, asked->request);
}

static void
ask_to_track(Vcpu *vcpu, PgmMem *mem, uint64_t page, uint32_t request)
{
    PgmVcpu *own = vcpu->pgm_vcpu;

    g_mutex_lock(&own->track_lock);
    if (own->track_count < PGM_TRACK_MAX)
        own->track[own->track_count] = (PgmTrackPage){mem, page};
    own->track_count += own->track_count <= PGM_TRACK_MAX;
    if ((int32_t)(request - own->track_wanted) > 0)
        own->track_wanted = request;
    g_mutex_unlock(&own->track_lock);
    cpum_pend_inside(vcpu, CPUM_PEND_TLB_FLUSH);
}

void
pgm_track_page(Vcpu *vcpu, PgmMem *mem, uint64_t page)
{
    Pgm *pgm = vcpu->pgm;
    const uint32_t own_bit = 1u << vcpu->id;
    Asked asked = {.cpus = atomic_load(&mem->writers[page])};

    if (asked.cpus & own_bit) {
        pgm_tlb_track(vcpu, mem->host + page * X86_PAGE_SIZE, X86_PAGE_SIZE);
        atomic_fetch_and(&mem->writers[page], ~own_bit);
        asked.cpus &= ~own_bit;
    }
    if (G_LIKELY(asked.cpus == 0))
        return;
    asked.request = atomic_fetch_add(&pgm->track_request, 1) + 1;
    for (unsigned i = 0; i < cpum_count(pgm->cpum); i++) {
        if (asked.cpus >> i & 1)
            ask_to_track(cpum_vcpu(pgm->cpum, i), mem, page, asked.request);
    }
    cpum_wait_for_others(vcpu, agrees_to_track, &asked);
    if (cpum_pending(vcpu) & CPUM_PEND_TLB_FLUSH)
        pgm_act_on_flush(vcpu);
}
