/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CPUID: KVM gets the table that CPUM answers from, leaf by leaf, and keeps the few bits that
 * follow from the state itself. Intel SDM volume 2A (CPUID); Linux Documentation/virt/kvm/api.rst
 * (KVM_SET_CPUID2, KVM_GET_SUPPORTED_CPUID). */
#include "vmm/hm/hm-kvm-linux.h"

#include <errno.h>
#include <sys/ioctl.h>

#define ENTRIES_MAX 256
#define SUBLEAVES_MAX 64

typedef struct {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entry[ENTRIES_MAX];
} CpuidTable;

static bool
has_subleaves(uint32_t leaf)
{
    return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd || leaf == 0x8000001du;
}

static bool
is_empty(const CpumCpuid *value)
{
    return (value->eax | value->ebx | value->ecx | value->edx) == 0;
}

static void
append(CpuidTable *table, uint32_t leaf, uint32_t subleaf, const CpumCpuid *value)
{
    if (table->head.nent >= ENTRIES_MAX)
        return;
    table->entry[table->head.nent++] = (struct kvm_cpuid_entry2){
        .function = leaf,
        .index = subleaf,
        .flags = has_subleaves(leaf) ? (uint32_t)KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
        .eax = value->eax,
        .ebx = value->ebx,
        .ecx = value->ecx,
        .edx = value->edx,
    };
}

static void
append_leaf(CpuidTable *table, Vcpu *vcpu, uint32_t leaf)
{
    const uint32_t last = has_subleaves(leaf) ? SUBLEAVES_MAX : 1;
    CpumCpuid value;

    for (uint32_t subleaf = 0; subleaf < last; subleaf++) {
        cpum_cpuid(vcpu, leaf, subleaf, &value);
        if (subleaf == 0 || (!is_empty(&value) && (leaf != 0xb || subleaf < 2)))
            append(table, leaf, subleaf, &value);
    }
}

static void
append_range(CpuidTable *table, Vcpu *vcpu, uint32_t first)
{
    CpumCpuid value;

    cpum_cpuid(vcpu, first, 0, &value);
    for (uint32_t leaf = first; leaf == first || (leaf <= value.eax && leaf - first < 0x100);
         leaf++)
        append_leaf(table, vcpu, leaf);
}

bool
hm_set_profile(HmVcpu *own, GError **error)
{
    g_autofree CpuidTable *table = g_new0(CpuidTable, 1);

    append_range(table, own->vcpu, 0);
    append_range(table, own->vcpu, 0x40000000u);
    append_range(table, own->vcpu, 0x80000000u);
    if (ioctl(own->fd, KVM_SET_CPUID2, table) == 0)
        return true;
    base_error_set_errno(error, errno, "KVM refuses the CPU profile");
    return false;
}

/* --- what the host's KVM lacks --- */

/* Features that bring bits of CR4 or EFER with them: a guest that sets one which KVM does not know
 * gets #GP. Others are only instructions, which the CPU or, in the end, the interpreter executes.
 */
static const struct {
    CpumFeature feature;
    uint64_t with; /* what builds on it */
} needed[] = {
    {CPUM_FEATURE_SMEP, 0},
    {CPUM_FEATURE_SMAP, 0},
    {CPUM_FEATURE_UMIP, 0},
    {CPUM_FEATURE_FSGSBASE, 0},
    {CPUM_FEATURE_PCID, 1ull << CPUM_FEATURE_INVPCID},
    {CPUM_FEATURE_XSAVE, 1ull << CPUM_FEATURE_AVX | 1ull << CPUM_FEATURE_AVX2 |
                             1ull << CPUM_FEATURE_FMA | 1ull << CPUM_FEATURE_F16C},
    {CPUM_FEATURE_LM, 0},
    {CPUM_FEATURE_NX, 0},
};

static bool
is_supported(const CpuidTable *table, CpumFeature feature)
{
    const CpumPlace place = cpum_feature_place(feature);

    for (uint32_t i = 0; i < table->head.nent; i++) {
        const struct kvm_cpuid_entry2 *entry = &table->entry[i];
        const uint32_t words[] = {entry->eax, entry->ebx, entry->ecx, entry->edx};

        if (entry->function == place.leaf && entry->index == 0)
            return (words[place.word & 3] >> place.bit) & 1;
    }
    return false;
}

void
hm_limit_profile(HmVm *vm)
{
    g_autofree CpuidTable *table = g_new0(CpuidTable, 1);
    uint64_t missing = 0;

    table->head.nent = ENTRIES_MAX;
    if (ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, table) != 0)
        return; /* KVM_SET_CPUID2 has the last word */
    for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++) {
        if (!is_supported(table, needed[i].feature))
            missing |= 1ull << needed[i].feature | needed[i].with;
    }
    cpum_hide(vm->rooms.cpum, missing);
}
