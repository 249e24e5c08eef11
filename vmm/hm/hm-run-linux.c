/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * KVM_RUN in a loop: interrupts and NMIs before each entry, a look at what the guest left for after
 * it, until EM has something to do. While KVM has the registers, Vcpu.rflags is good for IF alone.
 */
#include "vmm/hm/hm-kvm-linux.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FINISH_ROUNDS 64u

/* Real-time signals are nobody else's here. */
int
hm_kick_signal(void)
{
    return SIGRTMIN + 2;
}

/* --- kicks --- */

static void
on_signal(int number)
{
    /* Its arrival alone ends KVM_RUN. */
}

bool
hm_prepare_signal(GError **error)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    if (sigaction(hm_kick_signal(), &action, NULL) == 0)
        return true;
    base_error_set_errno(error, errno, "Cannot install a signal handler");
    return false;
}

static void
kick(HmVcpu *own)
{
    const int thread = atomic_load(&own->thread);

    if (thread == 0 || thread == (int)syscall(SYS_gettid))
        return;
    /* For a CPU that is about to enter; the signal is for one that is inside. */
    __atomic_store_n(&own->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_tgkill, getpid(), thread, hm_kick_signal());
}

void
hm_kick(Vcpu *vcpu)
{
    if (vcpu->hm_vcpu != NULL)
        kick(vcpu->hm_vcpu);
}

static void
admit_signal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, hm_kick_signal());
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* --- interrupts --- */

static void
set_if(Vcpu *vcpu, bool enabled)
{
    vcpu->rflags = enabled ? vcpu->rflags | X86_FL_IF : vcpu->rflags & ~(uint64_t)X86_FL_IF;
}

/* Takes the next event out of TRPM and gives it to KVM; false: nothing could be given. */
static bool
hand_over(HmVcpu *own, bool ready)
{
    Vcpu *vcpu = own->vcpu;
    struct kvm_interrupt interrupt;
    bool nmi;
    int vector;

    set_if(vcpu, ready);
    vector = trpm_take_interrupt(vcpu, &nmi);
    if (vector < 0)
        return false;
    if (nmi) {
        /* KVM holds it back while another one is handled. */
        vcpu->nmi_blocked = 0;
        ioctl(own->fd, KVM_NMI, 0);
        hm_count(own, HM_COUNT_NMI);
        return true;
    }
    interrupt.irq = (uint32_t)vector;
    ioctl(own->fd, KVM_INTERRUPT, &interrupt);
    hm_count(own, HM_COUNT_INTERRUPT);
    return true;
}

/* Gives KVM what can be delivered now, and asks it to come back when the guest is ready for what
 * cannot. */
static void
offer_interrupts(HmVcpu *own)
{
    Vcpu *vcpu = own->vcpu;
    struct kvm_run *run = own->run;
    const bool enabled = run->if_flag != 0;
    bool ready = enabled && run->ready_for_interrupt_injection, given;

    vcpu->irq_shadow = 0;
    run->request_interrupt_window = 0;
    do {
        set_if(vcpu, true);
        trpm_recheck(vcpu);
        if ((cpum_pending(vcpu) & (CPUM_PEND_INTERRUPT | CPUM_PEND_NMI)) == 0)
            break;
        given = hand_over(own, ready);
        if (!given && !ready)
            run->request_interrupt_window = 1;
        if (given && run->ready_for_interrupt_injection)
            ready = false; /* one is enough for one entry */
    } while (given);
    set_if(vcpu, enabled);
}

/* An emulating kernel delivers interrupts in real mode only: elsewhere it ends the guest. */
static bool
has_undeliverable(HmVcpu *own)
{
    struct kvm_sregs2 sregs;

    return own->vm->emulates && own->run->if_flag != 0 &&
           (cpum_pending(own->vcpu) & (CPUM_PEND_INTERRUPT | CPUM_PEND_NMI)) != 0 &&
           ioctl(own->fd, KVM_GET_SREGS2, &sregs) == 0 && (sregs.cr0 & X86_CR0_PE) != 0;
}

/* --- the loop --- */

static void
apply_tsc(HmVcpu *own)
{
    const struct kvm_device_attr attribute = {.group = KVM_VCPU_TSC_CTRL,
                                              .attr = KVM_VCPU_TSC_OFFSET,
                                              .addr = (uint64_t)(uintptr_t)&own->tsc_offset};
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } msr = {.head = {.nmsrs = 1}, .entry = {.index = X86_MSR_TSC}};
    uint64_t offset;
    const bool follows = tm_tsc_offset(own->vcpu, &offset);

    if (own->tsc_set && (!follows || offset == own->tsc_offset))
        return;
    own->tsc_offset = offset;
    own->tsc_set = true;
    if (follows && ioctl(own->fd, KVM_SET_DEVICE_ATTR, &attribute) == 0)
        return;
    /* Older kernels, or a host whose counter is not invariant: from here on by the host's rate. */
    msr.entry.data = tm_tsc(own->vcpu);
    ioctl(own->fd, KVM_SET_MSRS, &msr);
}

/* Enters the guest once. Returns 0 or the error. */
static int
enter(HmVcpu *own)
{
    Vcpu *vcpu = own->vcpu;
    struct kvm_run *run = own->run;
    int error;

    run->cr8 = trpm_tpr(vcpu);
    g_rw_lock_reader_lock(&own->vm->gate);
    error = ioctl(own->fd, KVM_RUN, 0) == 0 ? 0 : errno;
    g_rw_lock_reader_unlock(&own->vm->gate);
    own->unfinished = false;
    own->held = HM_IN_KVM;
    set_if(vcpu, run->if_flag != 0);
    if ((run->cr8 & 0xf) != trpm_tpr(vcpu))
        trpm_set_tpr(vcpu, run->cr8 & 0xf);
    hm_count(own, HM_COUNT_RUNS);
    return error;
}

static bool
run_once(HmVcpu *own, EmExit *exit)
{
    Vcpu *vcpu = own->vcpu;
    int error;

    __atomic_store_n(&own->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    atomic_thread_fence(memory_order_seq_cst);
    if (cpum_pending(vcpu) & ~(uint32_t)(CPUM_PEND_INTERRUPT | CPUM_PEND_NMI)) {
        *exit = EM_EXIT_PENDING;
        return false;
    }
    if (!hm_memory_is_current(own->vm) && !hm_memory_update(own)) {
        *exit = EM_EXIT_FALLBACK;
        return false;
    }
    if (has_undeliverable(own)) {
        hm_export(own);
        *exit = EM_EXIT_MODE;
        return false;
    }
    offer_interrupts(own);
    apply_tsc(own);
    error = enter(own);
    if (error == 0) {
        own->watch.exits++;
        return hm_act_on_exit(own, exit) && !(own->watch.emulates && hm_watch_is_over(own, exit));
    }
    if (error == EINTR || error == EAGAIN) {
        hm_count(own, HM_COUNT_KICK);
        return !hm_watch_is_over(own, exit);
    }
    hm_count(own, HM_COUNT_FAILED);
    *exit = EM_EXIT_FALLBACK;
    return false;
}

EmExit
hm_run(Vcpu *vcpu, uint64_t budget)
{
    HmVcpu *own = vcpu->hm_vcpu;
    const int thread = (int)syscall(SYS_gettid);
    EmExit exit = EM_EXIT_FALLBACK;

    if (!own->profiled) {
        admit_signal();
        own->profiled = hm_set_profile(own, NULL);
    }
    if (!own->profiled || (!hm_memory_is_current(own->vm) && !hm_memory_update(own)))
        return EM_EXIT_FALLBACK;
    if (own->held == HM_IN_VCPU) {
        if (!hm_import(own))
            return EM_EXIT_FALLBACK;
        /* An emulating kernel may leave paging off, and end the guest when it is entered. */
        if (own->vm->emulates && !hm_has_paging(own)) {
            own->held = HM_IN_VCPU;
            return EM_EXIT_MODE;
        }
    }
    hm_watch_begin(&own->watch, thread, own->vm->emulates);
    atomic_store(&own->thread, thread);
    while (run_once(own, &exit))
        ;
    atomic_store(&own->thread, 0);
    if (exit == EM_EXIT_HALT)
        hm_watch_rest(&own->watch);
    return exit;
}

void
hm_finish(HmVcpu *own)
{
    EmExit exit;

    /* With immediate_exit KVM ends what is begun and executes nothing new; a string instruction may
     * have several parts. */
    for (unsigned round = 0; own->unfinished && round < FINISH_ROUNDS; round++) {
        int error;

        own->run->request_interrupt_window = 0;
        __atomic_store_n(&own->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        error = enter(own);
        if (error == 0)
            hm_act_on_exit(own, &exit);
    }
    own->unfinished = false;
}
