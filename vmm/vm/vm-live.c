/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saving the state of a machine that goes on running: RAM in passes until little is left, then one
 * stop for that, for all devices and for the embedder (who puts new images on top of the disks),
 * then the rest of the file. Design, section 5 "Saved state". */
#include "vmm/base/clock.h"
#include "vmm/pgm/pgm-live.h"
#include "vmm/vm/vm-private.h"

#define PASSES_MAX 12u
/* So many pages are copied in a few milliseconds. */
#define FEW_PAGES 2048u
/* A pass that leaves more than this part of what the one before left is not worth another one. */
#define WORTH_NUMERATOR 4u
#define WORTH_DENOMINATOR 5u
/* The guest goes on writing until it stands. */
#define RESERVE_MORE 2u
/* The first pass is the most of the work. */
#define FIRST_PASS_PART 0.8

typedef struct {
    Vmm *vmm;
    const VmmLiveSave *hooks;
    SsmProgress progress; /* of one pass */
    unsigned pass;
    bool stopped; /* the moment that is saved is over: nothing is given up any more */
    SsmLive *file;
    PgmLive *memory;
} Live;

static bool
on_step(void *user, double fraction)
{
    const Live *live = user;
    const SsmProgress *whole = live->hooks->progress;
    double done = fraction * FIRST_PASS_PART;

    if (live->pass > 0)
        done = FIRST_PASS_PART +
               (1 - FIRST_PASS_PART) * (live->pass - 1 + fraction) / (PASSES_MAX + 1);
    return whole == NULL || whole->step(whole->user, done) || live->stopped;
}

/* Until little is left to be saved, or no pass makes it less. Then room is made for the rest, which
 * takes its time, and one more pass takes what was written meanwhile. */
static bool
run_passes(Live *live, GError **error)
{
    uint64_t before = UINT64_MAX, left = UINT64_MAX, most = FEW_PAGES;

    for (live->pass = 0; live->pass < PASSES_MAX; live->pass++) {
        if (!pgm_live_pass(live->memory, ssm_live_writer(live->file), error))
            return false;
        before = left;
        left = pgm_live_unsaved(live->memory);
        most = MAX(most, left);
        if (left <= FEW_PAGES || left / WORTH_NUMERATOR > before / WORTH_DENOMINATOR)
            break;
    }
    live->pass++;
    return pgm_live_reserve(live->memory, most * RESERVE_MORE, error) &&
           pgm_live_pass(live->memory, ssm_live_writer(live->file), error);
}

static bool
at_the_stop(Live *live, GError **error)
{
    const VmmLiveSave *hooks = live->hooks;

    if (!pgm_live_copy(live->memory, error) || !ssm_live_stopped(live->file, error))
        return false;
    live->stopped = true;
    return hooks->stopped == NULL || hooks->stopped(hooks->user, error);
}

static bool
stop(Live *live, uint64_t *pause_ns, GError **error)
{
    Vmm *vmm = live->vmm;
    const uint64_t begin = base_clock_ns();
    VmmState state;
    bool ok;

    g_mutex_lock(&vmm->transition);
    state = vmm_state(vmm);
    if (state == VMM_RUNNING) {
        vm_cpus_park(vmm);
        vm_stand_still(vmm);
    }
    ok = state == VMM_RUNNING || state == VMM_PAUSED;
    ok = ok ? at_the_stop(live, error) : vm_wrong_state("saved", error);
    if (state == VMM_RUNNING)
        vm_go_on(vmm);
    g_mutex_unlock(&vmm->transition);
    *pause_ns = base_clock_ns() - begin;
    return ok;
}

static bool
save(Live *live, uint64_t *pause_ns, GError **error)
{
    if (!run_passes(live, error) || !stop(live, pause_ns, error))
        return false;
    base_log(live->vmm->log, "vm", "saved while it ran: %u passes, stood for %.1f ms",
             live->pass + 1, (double)*pause_ns / 1e6);
    return pgm_live_put_copy(live->memory, ssm_live_writer(live->file), error) &&
           ssm_live_finish(live->file, error);
}

bool
vmm_save_live(Vmm *vmm, int fd, const VmmLiveSave *hooks, uint64_t *pause_ns, GError **error)
{
    const VmmState state = vmm_state(vmm);
    Live live = {.vmm = vmm, .hooks = hooks};
    bool ok;

    *pause_ns = 0;
    if (state != VMM_RUNNING && state != VMM_PAUSED)
        return vm_wrong_state("saved", error);
    live.progress = (SsmProgress){.step = on_step, .user = &live};
    live.file = ssm_live_new(vmm->ssm, PGM_RAM_UNIT, fd, &live.progress);
    live.memory = pgm_live_new(vmm->rooms.pgm, ssm_live_writer(live.file));
    ok = save(&live, pause_ns, error);
    pgm_live_free(live.memory);
    ssm_live_free(live.file);
    return ok;
}
