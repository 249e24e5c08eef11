/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MSRs. KVM answers those that hardware has to know and those that change often; everything else
 * leaves the guest and is CPUM's business, so that the profile decides what exists. Linux
 * Documentation/virt/kvm/api.rst (KVM_X86_SET_MSR_FILTER). x2APIC's cannot be filtered, but without
 * an APIC in the kernel they leave as well. */
#include "vmm/hm/hm-kvm-linux.h"

#include <errno.h>
#include <sys/ioctl.h>

/* Registers that KVM holds while it has the state. */
typedef struct {
    uint32_t msr;
    CpumFeature feature;
    size_t offset;
} HmMsr;

/* clang-format off */
static const HmMsr held[] = {
    {X86_MSR_SYSENTER_CS,    CPUM_FEATURE_SEP,     offsetof(Vcpu, sysenter_cs)},
    {X86_MSR_SYSENTER_ESP,   CPUM_FEATURE_SEP,     offsetof(Vcpu, sysenter_esp)},
    {X86_MSR_SYSENTER_EIP,   CPUM_FEATURE_SEP,     offsetof(Vcpu, sysenter_eip)},
    {X86_MSR_PAT,            CPUM_FEATURE_PAT,     offsetof(Vcpu, pat)},
    {X86_MSR_STAR,           CPUM_FEATURE_SYSCALL, offsetof(Vcpu, star)},
    {X86_MSR_LSTAR,          CPUM_FEATURE_LM,      offsetof(Vcpu, lstar)},
    {X86_MSR_CSTAR,          CPUM_FEATURE_LM,      offsetof(Vcpu, cstar)},
    {X86_MSR_SFMASK,         CPUM_FEATURE_LM,      offsetof(Vcpu, sfmask)},
    {X86_MSR_KERNEL_GS_BASE, CPUM_FEATURE_LM,      offsetof(Vcpu, kernel_gs_base)},
    {X86_MSR_TSC_AUX,        CPUM_FEATURE_RDTSCP,  offsetof(Vcpu, tsc_aux)},
};
/* clang-format on */
#define HELD G_N_ELEMENTS(held)

typedef struct {
    struct kvm_msrs head;
    struct kvm_msr_entry entry[HELD];
} MsrList;

bool
hm_msr_is_kvms(uint32_t msr)
{
    for (unsigned i = 0; i < HELD; i++) {
        if (held[i].msr == msr)
            return true;
    }
    /* These travel with the segments and control registers. */
    return msr == X86_MSR_EFER || msr == X86_MSR_FS_BASE || msr == X86_MSR_GS_BASE;
}

/* --- the filter: what is in no bitmap leaves the guest --- */

typedef struct {
    uint32_t base, count, flags;
    uint8_t bits[64];
} FilterRange;

static void
fill(FilterRange *range)
{
    for (uint32_t i = 0; i < range->count; i++) {
        if (hm_msr_is_kvms(range->base + i))
            range->bits[i / 8] |= (uint8_t)(1u << (i % 8));
    }
}

bool
hm_msr_filter(HmVm *vm, GError **error)
{
    enum { READ_WRITE = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE };
    FilterRange ranges[] = {
        {.base = 0x170, .count = 0x110, .flags = READ_WRITE},
        {.base = 0xc0000080u, .count = 0x90, .flags = READ_WRITE},
        /* The counter is read at full speed; writes are TM's. */
        {.base = X86_MSR_TSC, .count = 1, .flags = KVM_MSR_FILTER_READ, .bits = {1}},
        {.base = X86_MSR_TSC, .count = 1, .flags = KVM_MSR_FILTER_WRITE},
    };
    struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_DENY};

    for (unsigned i = 0; i < G_N_ELEMENTS(ranges); i++) {
        fill(&ranges[i]);
        filter.ranges[i] = (struct kvm_msr_filter_range){.flags = ranges[i].flags,
                                                         .nmsrs = ranges[i].count,
                                                         .base = ranges[i].base,
                                                         .bitmap = ranges[i].bits};
    }
    if (ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) == 0)
        return true;
    base_error_set_errno(error, errno, "KVM takes no filter for MSRs");
    return false;
}

/* --- to and fro --- */

static unsigned
list(const HmVcpu *own, MsrList *msrs, const HmMsr *rows[HELD])
{
    unsigned count = 0;

    for (unsigned i = 0; i < HELD; i++) {
        if (!cpum_has(own->vcpu, held[i].feature))
            continue;
        rows[count] = &held[i];
        msrs->entry[count++] = (struct kvm_msr_entry){.index = held[i].msr};
    }
    msrs->head = (struct kvm_msrs){.nmsrs = count};
    return count;
}

bool
hm_import_msrs(HmVcpu *own)
{
    const HmMsr *rows[HELD];
    MsrList msrs;
    const unsigned count = list(own, &msrs, rows);

    for (unsigned i = 0; i < count; i++)
        msrs.entry[i].data = *(const uint64_t *)((const char *)own->vcpu + rows[i]->offset);
    return ioctl(own->fd, KVM_SET_MSRS, &msrs) == (int)count;
}

void
hm_export_msrs(HmVcpu *own)
{
    const HmMsr *rows[HELD];
    MsrList msrs;
    const unsigned count = list(own, &msrs, rows);
    const int got = ioctl(own->fd, KVM_GET_MSRS, &msrs);

    for (int i = 0; i < MIN(got, (int)count); i++)
        *(uint64_t *)((char *)own->vcpu + rows[i]->offset) = msrs.entry[i].data;
}
