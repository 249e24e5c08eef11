/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is done between runs of an engine, in this order: TLB flushes, requests of the VM, INIT and
 * SIPI, timers, device queues, NMI and interrupts. */
#include "vmm/em/em-private.h"

#include "vmm/iem/iem.h"

static void
start_at(Vcpu *vcpu, uint8_t page)
{
    if (vcpu->activity != CPUM_WAIT_SIPI)
        return;
    vcpu->seg[X86_CS].sel = (uint16_t)(page << 8);
    vcpu->seg[X86_CS].base = (uint64_t)page << 12;
    vcpu->rip = 0;
    vcpu->activity = CPUM_ACTIVE;
    cpum_update_mode(vcpu);
    trpm_recheck(vcpu); /* an NMI that came while it waited */
}

static void
act_on_init(Vcpu *vcpu, uint32_t pending)
{
    uint8_t page;
    bool event;

    em_take_state(vcpu, &event);
    if ((pending & CPUM_PEND_INIT) && trpm_take_init(vcpu)) {
        cpum_reset(vcpu, true);
        pgm_flush_tlb(vcpu, true);
    }
    if ((pending & CPUM_PEND_SIPI) && trpm_take_sipi(vcpu, &page))
        start_at(vcpu, page);
    em_give_state(vcpu);
}

static void
act_on_devices(Vcpu *vcpu, uint32_t pending)
{
    Em *em = vcpu->em_vcpu->em;

    if (pending & CPUM_PEND_TIMER)
        tm_run_timers(vcpu);
    if (pending & CPUM_PEND_QUEUE) {
        cpum_unpend(vcpu, CPUM_PEND_QUEUE);
        if (em->run_queues != NULL)
            em->run_queues(em->queue_user);
    }
}

/* An engine that delivers does so when it runs next: here a halted CPU only wakes up. */
static void
wake_for_engine(Vcpu *vcpu)
{
    if (vcpu->activity != CPUM_HALTED)
        return;
    /* First the bits, then a look: what arrives later sets them again. */
    cpum_unpend(vcpu, CPUM_PEND_INTERRUPT | CPUM_PEND_NMI);
    if (!trpm_should_wake(vcpu))
        return;
    vcpu->activity = CPUM_ACTIVE;
    trpm_recheck(vcpu);
}

/* False: the delivery ended in a shutdown. */
static bool
act_on_interrupts(Vcpu *vcpu)
{
    const bool shadow = vcpu->irq_shadow != 0;
    bool nmi;
    const int vector = trpm_take_interrupt(vcpu, &nmi);
    EmExit exit;

    if (vector < 0) {
        /* One instruction has to go by before anything can be delivered. */
        if (!shadow || vcpu->activity != CPUM_ACTIVE)
            return true;
        if (!em_run_engine(vcpu, 1))
            return false;
        trpm_recheck(vcpu);
        return true;
    }
    vcpu->activity = CPUM_ACTIVE;
    em_enter(vcpu);
    exit = iem_deliver(vcpu, nmi ? IEM_EVENT_NMI : IEM_EVENT_EXTERNAL, (uint8_t)vector, 0, 0);
    cpum_leave(vcpu);
    if (exit == EM_EXIT_SHUTDOWN) {
        vcpu->activity = CPUM_SHUTDOWN;
        return false;
    }
    trpm_recheck(vcpu);
    return true;
}

/* False: the delivery ended in a shutdown. */
static bool
deliver_pending(Vcpu *vcpu)
{
    const uint32_t bits = CPUM_PEND_INTERRUPT | CPUM_PEND_NMI;

    if (!(cpum_pending(vcpu) & bits))
        return true;
    /* They stay known to TRPM; here they would keep a CPU awake that cannot take them. */
    if (vcpu->activity == CPUM_SHUTDOWN || vcpu->activity == CPUM_WAIT_SIPI) {
        cpum_unpend(vcpu, bits);
        return true;
    }
    if (!vcpu->em_vcpu->engine->delivers)
        return act_on_interrupts(vcpu);
    wake_for_engine(vcpu);
    return true;
}

bool
em_act_on_pending(Vcpu *vcpu, EmResult *result)
{
    const uint32_t pending = cpum_pending(vcpu);

    em_beat(vcpu->em_vcpu);
    if (pending & CPUM_PEND_TLB_FLUSH) {
        pgm_act_on_flush(vcpu);
        pgm_settle(vcpu);
    }
    if (pending & (CPUM_PEND_KICK | CPUM_PEND_DEBUG))
        cpum_unpend(vcpu, CPUM_PEND_KICK | CPUM_PEND_DEBUG);
    if (pending & CPUM_PEND_REQUEST) {
        *result = EM_RESULT_REQUEST;
        return false;
    }
    if (pending & (CPUM_PEND_INIT | CPUM_PEND_SIPI))
        act_on_init(vcpu, pending);
    if (pending & (CPUM_PEND_TIMER | CPUM_PEND_QUEUE))
        act_on_devices(vcpu, pending);
    /* Timers and queues may just have raised one. */
    if (!deliver_pending(vcpu)) {
        *result = EM_RESULT_SHUTDOWN;
        return false;
    }
    return true;
}
