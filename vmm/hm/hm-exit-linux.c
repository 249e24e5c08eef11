/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest leaves for: ports, memory that is not RAM, MSRs that KVM does not answer, HLT, and
 * what KVM cannot execute. The data of a read is picked up by the next KVM_RUN. Linux
 * Documentation/virt/kvm/api.rst section 5 (the kvm_run structure). */
#include "vmm/hm/hm-kvm-linux.h"

#include <string.h>
#include <sys/ioctl.h>

/* --- ports --- */

static uint32_t
load(const uint8_t *data, unsigned size)
{
    uint32_t value = 0;

    memcpy(&value, data, size);
    return value;
}

static void
port_string(Iom *iom, const struct kvm_run *run, uint8_t *data)
{
    const unsigned size = run->io.size;
    uint32_t left = run->io.count;

    while (left > 0) {
        uint32_t moved = run->io.direction == KVM_EXIT_IO_IN
                             ? iom_port_read_string(iom, run->io.port, data, left, size)
                             : iom_port_write_string(iom, run->io.port, data, left, size);

        moved = CLAMP(moved, 1, left);
        data += (size_t)moved * size;
        left -= moved;
    }
}

static void
on_port(HmVcpu *own)
{
    struct kvm_run *run = own->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    Iom *iom = own->vm->rooms.iom;
    const unsigned size = run->io.size;

    if (run->io.count != 1) {
        port_string(iom, run, data);
    } else if (run->io.direction == KVM_EXIT_IO_OUT) {
        iom_port_write(iom, run->io.port, load(data, size), size);
    } else {
        const uint32_t value = iom_port_read(iom, run->io.port, size);

        memcpy(data, &value, size);
    }
    own->unfinished = true;
}

/* --- memory --- */

static void
on_mmio(HmVcpu *own)
{
    struct kvm_run *run = own->run;
    const unsigned size = MIN(run->mmio.len, sizeof run->mmio.data);
    uint64_t value = 0;

    if (run->mmio.is_write) {
        memcpy(&value, run->mmio.data, size);
        pgm_cpu_phys_write(own->vcpu, run->mmio.phys_addr, value, size);
    } else {
        value = pgm_cpu_phys_read(own->vcpu, run->mmio.phys_addr, size);
        memcpy(run->mmio.data, &value, size);
    }
    own->unfinished = true;
}

/* --- MSRs --- */

static void
refresh_apic_base(HmVcpu *own)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } msr = {.head = {.nmsrs = 1},
             .entry = {.index = X86_MSR_APIC_BASE, .data = own->vcpu->apic_base}};

    /* CPUID shows whether the APIC is on. */
    ioctl(own->fd, KVM_SET_MSRS, &msr);
}

/* One of KVM's own comes here when the guest did something wrong with it. */
static void
on_msr(HmVcpu *own, bool write)
{
    struct kvm_run *run = own->run;
    const uint32_t msr = run->msr.index;
    uint64_t value = 0;
    bool ok = false;

    if (run->msr.reason == KVM_MSR_EXIT_REASON_FILTER || !hm_msr_is_kvms(msr))
        ok = write ? cpum_wrmsr(own->vcpu, msr, run->msr.data) : cpum_rdmsr(own->vcpu, msr, &value);
    if (ok && write && msr == X86_MSR_APIC_BASE)
        refresh_apic_base(own);
    if (!write)
        run->msr.data = value;
    run->msr.error = !ok;
    own->unfinished = true;
}

/* --- the rest --- */

static void
on_halt(HmVcpu *own)
{
    struct kvm_vcpu_events events;
    Vcpu *vcpu = own->vcpu;

    vcpu->irq_shadow = 0;
    if (ioctl(own->fd, KVM_GET_VCPU_EVENTS, &events) == 0)
        vcpu->nmi_blocked = events.nmi.masked;
    vcpu->activity = CPUM_HALTED;
    /* What was held back until the guest would be ready: it is now, if ever. */
    trpm_recheck(vcpu);
}

bool
hm_act_on_exit(HmVcpu *own, EmExit *exit)
{
    switch (own->run->exit_reason) {
    case KVM_EXIT_IO:
        hm_count(own, HM_COUNT_PORT);
        on_port(own);
        return true;
    case KVM_EXIT_MMIO:
        hm_count(own, HM_COUNT_MMIO);
        on_mmio(own);
        return true;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        hm_count(own, HM_COUNT_MSR);
        on_msr(own, own->run->exit_reason == KVM_EXIT_X86_WRMSR);
        return true;
    case KVM_EXIT_IRQ_WINDOW_OPEN: hm_count(own, HM_COUNT_WINDOW); return true;
    case KVM_EXIT_INTR: hm_count(own, HM_COUNT_KICK); return true;
    case KVM_EXIT_SET_TPR: hm_count(own, HM_COUNT_OTHER); return true;
    case KVM_EXIT_HLT:
        hm_count(own, HM_COUNT_HALT);
        on_halt(own);
        *exit = EM_EXIT_HALT;
        return false;
    case KVM_EXIT_SHUTDOWN:
        /* An emulating kernel says so of exceptions that it cannot deliver. */
        *exit = own->vm->emulates ? EM_EXIT_FALLBACK : EM_EXIT_SHUTDOWN;
        return false;
    default: /* an internal error, a failed entry, or what only a later kernel has */
        hm_count(own, HM_COUNT_FAILED);
        *exit = EM_EXIT_FALLBACK;
        return false;
    }
}
