/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * IEM's loop: blocks of decoded instructions until something is pending, the budget is used up or a
 * handler asks to leave; single instructions while TF, RF, a shadow or breakpoints need a look
 * between them; delivery of what instructions raise. Intel SDM volume 3A section 6.9 (priorities)
 * and chapter 17 (debug exceptions). */
#include "vmm/iem/iem-fallback.h"
#include "vmm/iem/iem-loop-private.h"
#include "vmm/iem/iem-vector.h"

#define DR6_BS (1u << 14)

/* The hot loop. Ends with the block or when a handler set `stop`. */
static inline void
run_insns(Vcpu *vcpu, const IemInsn *insn, const IemInsn *end)
{
    IemVcpu *iem = vcpu->iem_vcpu;
    uint64_t rip = vcpu->rip;

    iem->first = insn;
    do {
        rip += insn->length;
        vcpu->rip = rip;
        iem->insn = insn;
        insn->handler(vcpu, insn);
        insn++;
    } while (insn != end && !iem->stop);
    iem_account(vcpu, insn);
}

/* One instruction, with what has to be looked at before and after it. */
static void
run_single(Vcpu *vcpu, const IemInsn *insn)
{
    IemVcpu *iem = vcpu->iem_vcpu;
    bool step = (vcpu->rflags & X86_FL_TF) != 0;
    bool shadow = vcpu->irq_shadow != 0;
    unsigned hits = iem_code_breakpoints(vcpu);

    if (hits != 0 && !(vcpu->rflags & X86_FL_RF) && !iem_holds_debug(vcpu)) {
        vcpu->dr[6] |= hits;
        iem->insn = &iem_no_insn;
        iem_raise(vcpu, X86_XCPT_DB);
    }
    vcpu->rflags &= ~(uint64_t)X86_FL_RF;
    vcpu->irq_shadow = 0;
    iem->suppress_step = false;
    iem->insn = insn;
    run_insns(vcpu, insn, insn + 1);
    if (vcpu->debug_waits) {
        iem_debug_trap(vcpu, vcpu->debug_waits);
        vcpu->debug_waits = 0;
    }
    if (shadow && !vcpu->irq_shadow)
        trpm_recheck(vcpu);
    iem->after_mov_ss = vcpu->irq_shadow && (insn->flags & IEM_INSN_SYSTEM);
    if (step && !iem->suppress_step && !iem_holds_debug(vcpu))
        iem_debug_trap(vcpu, DR6_BS);
}

/* One instruction, cached or not. */
static void
run_carefully(Vcpu *vcpu)
{
    const IemBlock *block = vcpu->iem_vcpu->one_step ? NULL : iem_cache_find(vcpu);

    run_single(vcpu, block != NULL ? block->insn : iem_cache_uncached(vcpu));
    iem_after_system(vcpu);
}

static bool
may_run(const Vcpu *vcpu)
{
    uint32_t pending = cpum_pending(vcpu);

    /* An interrupt waits for the end of the shadow, which only running can bring. */
    return pending == 0 || (vcpu->irq_shadow && pending == CPUM_PEND_INTERRUPT);
}

/* Blocks, one after the other, until something needs care, `stop` is set, or the count is reached.
 * Not inlined: the hot loop in it wants the registers for itself. */
static G_NO_INLINE void
run_blocks(Vcpu *vcpu, uint64_t end)
{
    IemVcpu *iem = vcpu->iem_vcpu;
    IemBlock *block = NULL;
    uint64_t linear = 0;

    while (vcpu->retired < end && !iem->stop && !iem_needs_care(vcpu)) {
        uint64_t start = linear, left = end - vcpu->retired;

        linear = iem_code_linear(vcpu);
        block = iem_cache_next(vcpu, block, start, linear);
        if (G_UNLIKELY(block == NULL)) {
            run_carefully(vcpu);
            continue;
        }
        run_insns(vcpu, block->insn, block->insn + MIN(block->count, left));
        if (iem->insn->flags & IEM_INSN_SYSTEM) {
            iem_after_system(vcpu);
            block = NULL;
        }
    }
}

static EmExit
run_loop(Vcpu *vcpu, uint64_t end)
{
    IemVcpu *iem = vcpu->iem_vcpu;
    EmExit exit;

    while (vcpu->retired < end) {
        if (!iem_needs_care(vcpu) && !iem->one_step)
            run_blocks(vcpu, end);
        else if (may_run(vcpu))
            run_carefully(vcpu);
        else
            return EM_EXIT_PENDING;
        if (iem->stop && !iem_settle(vcpu, &exit))
            return exit;
    }
    return EM_EXIT_BUDGET;
}

static EmExit
run_budget(Vcpu *vcpu, uint64_t budget)
{
    IemVcpu *iem = vcpu->iem_vcpu;
    uint64_t end = budget > UINT64_MAX - vcpu->retired ? UINT64_MAX : vcpu->retired + budget;

    iem->stop = 0;
    iem->debug_hits = 0;
    iem->event_raised = false;
    iem->event_counts = false;
    iem->delivering = IEM_DELIVERING_NONE;
    iem_cache_enter(vcpu);
    iem_segments_changed(vcpu);
    if (setjmp(iem->env) != 0)
        iem_after_raise(vcpu);
    if (iem->event_raised) {
        EmExit exit;

        if (!iem_deliver_raised(vcpu))
            return EM_EXIT_SHUTDOWN;
        if (vcpu->activity == CPUM_HALTED)
            return EM_EXIT_HALT;
        if (!iem_settle(vcpu, &exit))
            return exit;
        if (iem->one_step)
            return EM_EXIT_BUDGET;
    }
    return run_loop(vcpu, end);
}

/* The host's MXCSR is the guest's while the engine runs. */
static EmExit
iem_run(Vcpu *vcpu, uint64_t budget)
{
    EmExit exit;

    iem_vector_enter(vcpu);
    exit = run_budget(vcpu, budget);
    iem_vector_leave(vcpu);
    return exit;
}

EmExit
iem_step(Vcpu *vcpu)
{
    EmExit exit;

    vcpu->iem_vcpu->one_step = true;
    exit = iem_run(vcpu, 1);
    vcpu->iem_vcpu->one_step = false;
    return exit;
}

EmExit
iem_deliver(Vcpu *vcpu, IemEventKind kind, uint8_t vector, uint32_t error_code,
            uint64_t fault_address)
{
    static const uint32_t with_error = 1u << X86_XCPT_DF | 1u << X86_XCPT_TS | 1u << X86_XCPT_NP |
                                       1u << X86_XCPT_SS | 1u << X86_XCPT_GP | 1u << X86_XCPT_PF |
                                       1u << X86_XCPT_AC;
    IemVcpu *iem = vcpu->iem_vcpu;

    iem->stop = 0;
    iem->first = NULL;
    iem->insn = &iem_no_insn;
    iem->delivering = IEM_DELIVERING_NONE;
    iem->event_raised = true;
    iem->event_kind = (uint8_t)kind;
    iem->event_vector = vector;
    iem->event_counts = kind == IEM_EVENT_EXCEPTION && vector != X86_XCPT_DB;
    iem->event_has_error = kind == IEM_EVENT_EXCEPTION && vector < 32 && (with_error >> vector & 1);
    iem->event_error = error_code;
    iem->event_cr2 = fault_address;
    iem_segments_changed(vcpu);
    if (setjmp(iem->env) != 0)
        iem_after_raise(vcpu);
    return iem_deliver_all(vcpu) ? EM_EXIT_BUDGET : EM_EXIT_SHUTDOWN;
}

static bool
iem_probe(GError **error)
{
    return true;
}

static void *
iem_vm_create(const EmRooms *rooms, GError **error)
{
    return g_memdup2(rooms, sizeof *rooms);
}

static bool
iem_vcpu_create(void *engine_vm, Vcpu *vcpu, GError **error)
{
    vcpu->iem_vcpu = g_new0(IemVcpu, 1);
    vcpu->iem_vcpu->insn = &iem_no_insn;
    vcpu->iem_vcpu->cache = iem_cache_new(vcpu);
    return true;
}

static void
iem_vcpu_destroy(Vcpu *vcpu)
{
    iem_cache_free(vcpu->iem_vcpu->cache);
    g_clear_pointer(&vcpu->iem_vcpu, g_free);
}

static bool
iem_can_run(const Vcpu *vcpu)
{
    return true;
}

static unsigned
iem_rank(void)
{
    return EM_RANK_INTERPRETER;
}

static void
iem_forget(Vcpu *vcpu)
{
    iem_cache_drop(vcpu->iem_vcpu->cache);
}

const EmEngine iem_engine = {
    .name = "iem",
    .title = "Interpreter",
    .probe = iem_probe,
    .rank = iem_rank,
    .counts = true,
    .vm_create = iem_vm_create,
    .vm_destroy = g_free,
    .vcpu_create = iem_vcpu_create,
    .vcpu_destroy = iem_vcpu_destroy,
    .can_run = iem_can_run,
    .run = iem_run,
    .forget = iem_forget,
    .info = iem_cache_info,
};
