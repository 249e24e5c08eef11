/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CPUID: the table of leaves that follows from the features, and the few bits that follow from the
 * state of the virtual CPU. AMD APM volume 3 appendix E; Intel SDM volume 2A (CPUID) for the
 * leaves 6, 0xb, 0x15 and 0x16. There are no leaves for caches in Intel's form (2, 4), because
 * the vendor is AMD, and none for a hypervisor but the empty range: GIM adds them. */
#include "vmm/cpum/cpum-private.h"

#include <string.h>

#define MAX_BASIC 0x16u
#define MAX_EXTENDED 0x80000008u
#define MAX_HYPERVISOR 0x40000000u

/* XSAVE: the legacy area with the header, and the one component behind it. */
#define XSAVE_LEAF 0xdu
#define XSAVE_BASE_SIZE 576u
#define XSAVE_YMM_SIZE 256u
#define XSAVE_OPTIMIZED 7u /* of subleaf 1: XSAVEOPT, XSAVEC, XGETBV with ECX 1 */

/* Bits of leaf 1 EDX that AMD repeats in leaf 0x80000001 EDX. */
#define REPEATED_EDX 0x0183f3ffu

static const char brand[48] = "Vitrine Virtual CPU";

static CpumLeaf *
find_leaf(const Cpum *cpum, uint32_t leaf, uint32_t subleaf)
{
    for (guint i = 0; i < cpum->leaves->len; i++) {
        CpumLeaf *candidate = &g_array_index(cpum->leaves, CpumLeaf, i);

        if (candidate->leaf == leaf && candidate->subleaf == subleaf)
            return candidate;
    }
    return NULL;
}

static CpumCpuid *
value_of(Cpum *cpum, uint32_t leaf, uint32_t subleaf)
{
    const CpumLeaf empty = {.leaf = leaf, .subleaf = subleaf};
    CpumLeaf *found = find_leaf(cpum, leaf, subleaf);

    if (found == NULL) {
        g_array_append_val(cpum->leaves, empty);
        found = &g_array_index(cpum->leaves, CpumLeaf, cpum->leaves->len - 1);
    }
    return &found->value;
}

void
cpum_cpuid_set(Cpum *cpum, uint32_t leaf, uint32_t subleaf, const CpumCpuid *value)
{
    *value_of(cpum, leaf, subleaf) = *value;
}

static void
set(Cpum *cpum, uint32_t leaf, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    *value_of(cpum, leaf, 0) = (CpumCpuid){eax, ebx, ecx, edx};
}

static void
set_vendor(Cpum *cpum, uint32_t leaf, uint32_t max)
{
    /* "Auth" "enti" "cAMD" */
    set(cpum, leaf, max, 0x68747541, 0x444d4163, 0x69746e65);
}

static void
set_features(Cpum *cpum)
{
    for (unsigned i = CPUM_FEATURE_BASE + 1; i < CPUM_FEATURE_COUNT; i++) {
        const CpumFeatureRow *row = &cpum_feature_rows[i];

        if ((cpum->features >> i) & 1)
            *cpum_cpuid_word(value_of(cpum, row->leaf, 0), row->word) |= 1u << row->bit;
    }
}

static void
set_basic(Cpum *cpum)
{
    const bool several = cpum->count > 1;
    CpumCpuid *one = value_of(cpum, 1, 0);

    one->eax = CPUM_SIGNATURE;
    one->ebx |= 8u << 8;           /* CLFLUSH works on 64 bytes */
    one->ebx |= cpum->count << 16; /* logical processors */
    one->ecx |= 1u << 31;          /* under a hypervisor */
    one->edx |= 1u << 14;          /* MCA: there are machine-check MSRs, with no banks */
    if (several)
        one->edx |= 1u << 28;             /* HTT: the count above is valid */
    value_of(cpum, 7, 0)->ebx |= 1u << 1; /* IA32_TSC_ADJUST */
    value_of(cpum, 7, 0)->ebx |= 1u << 9; /* REP MOVSB and STOSB are fast, for every engine */
    set(cpum, 6, 1u << 2, 0, 0, 0);       /* ARAT: the APIC's timer never stops */
    if (cpum->config.tsc_hz != 0) {
        const uint32_t mhz = (uint32_t)(cpum->config.tsc_hz / 1000000);

        /* TSC = crystal * 1 / 1; Hz above 32 bits do not fit. */
        if (cpum->config.tsc_hz <= UINT32_MAX)
            set(cpum, 0x15, 1, 1, (uint32_t)cpum->config.tsc_hz, 0);
        set(cpum, 0x16, mhz, mhz, 100, 0);
    }
}

static void
set_topology(Cpum *cpum)
{
    unsigned bits = 0;

    while ((1u << bits) < cpum->count)
        bits++;
    *value_of(cpum, 0xb, 0) = (CpumCpuid){0, 1, 1u << 8, 0};
    *value_of(cpum, 0xb, 1) = (CpumCpuid){bits, cpum->count, 2u << 8 | 1, 0};
}

static void
set_brand(Cpum *cpum)
{
    for (unsigned i = 0; i < 3; i++) {
        uint32_t words[4];

        memcpy(words, brand + 16 * i, sizeof words);
        set(cpum, 0x80000002u + i, words[0], words[1], words[2], words[3]);
    }
}

static void
set_xsave(Cpum *cpum)
{
    const bool ymm = (cpum->features >> CPUM_FEATURE_AVX) & 1;
    const uint32_t size = XSAVE_BASE_SIZE + (ymm ? XSAVE_YMM_SIZE : 0);
    const uint32_t components = X86_XCR0_X87 | X86_XCR0_SSE | (ymm ? X86_XCR0_AVX : 0);

    *value_of(cpum, XSAVE_LEAF, 0) = (CpumCpuid){0};
    *value_of(cpum, XSAVE_LEAF, 1) = (CpumCpuid){0};
    *value_of(cpum, XSAVE_LEAF, 2) = (CpumCpuid){0};
    if (!((cpum->features >> CPUM_FEATURE_XSAVE) & 1))
        return;
    /* EBX follows from XCR0. */
    *value_of(cpum, XSAVE_LEAF, 0) = (CpumCpuid){components, 0, size, 0};
    *value_of(cpum, XSAVE_LEAF, 1) = (CpumCpuid){XSAVE_OPTIMIZED, 0, 0, 0};
    if (ymm)
        *value_of(cpum, XSAVE_LEAF, 2) = (CpumCpuid){XSAVE_YMM_SIZE, XSAVE_BASE_SIZE, 0, 0};
}

void
cpum_cpuid_update_features(Cpum *cpum)
{
    for (unsigned i = CPUM_FEATURE_BASE + 1; i < CPUM_FEATURE_COUNT; i++) {
        const CpumFeatureRow *row = &cpum_feature_rows[i];

        if (!((cpum->features >> i) & 1))
            *cpum_cpuid_word(value_of(cpum, row->leaf, 0), row->word) &= ~(1u << row->bit);
    }
    set_xsave(cpum);
}

static void
set_extended(Cpum *cpum)
{
    const bool long_mode = (cpum->features >> CPUM_FEATURE_LM) & 1;
    CpumCpuid *one = value_of(cpum, 0x80000001u, 0);

    one->eax = CPUM_SIGNATURE;
    one->edx |= value_of(cpum, 1, 0)->edx & REPEATED_EDX;
    if (cpum->count > 1)
        one->ecx |= 1u << 1; /* cores, not threads */
    set_brand(cpum);
    /* 64 KiB of L1 each for data and code, 2 ways; TLB sizes as the real family has them. */
    set(cpum, 0x80000005u, 0xff08ff08, 0xff20ff20, 0x40020140, 0x40020140);
    /* 512 KiB of L2, 16 MiB of L3, 16 ways each. C libraries copy past the caches what does not fit
     * in there. */
    set(cpum, 0x80000006u, 0, 0x42004200, 0x02008140, 0x00808140);
    set(cpum, 0x80000007u, 0, 0, 0, 1u << 8); /* the TSC is invariant */
    /* Address sizes; FXRSTOR always restores the error pointers; cores. */
    set(cpum, 0x80000008u, (long_mode ? 48u : 32u) << 8 | 40u, 1u << 2, cpum->count - 1, 0);
}

void
cpum_cpuid_build(Cpum *cpum)
{
    set_vendor(cpum, 0, MAX_BASIC);
    set_vendor(cpum, 0x80000000u, MAX_EXTENDED);
    set(cpum, 0x40000000u, MAX_HYPERVISOR, 0, 0, 0);
    set_features(cpum);
    set_basic(cpum);
    set_topology(cpum);
    set_xsave(cpum);
    set_extended(cpum);
}

CpumPlace
cpum_feature_place(CpumFeature feature)
{
    const CpumFeatureRow *row = &cpum_feature_rows[feature];

    return (CpumPlace){.leaf = row->leaf, .word = row->word, .bit = row->bit};
}

void
cpum_hide(Cpum *cpum, uint64_t features)
{
    cpum->features &= ~features;
    cpum_cpuid_update_features(cpum);
    for (unsigned i = 0; i < cpum->count; i++)
        cpum->vcpu[i]->features = cpum->features;
}

/* Leaves for which ECX means something; all others answer the same for every ECX. */
static bool
has_subleaves(uint32_t leaf)
{
    return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd || leaf == 0x8000001du;
}

void
cpum_cpuid(Vcpu *vcpu, uint32_t leaf, uint32_t subleaf, CpumCpuid *out)
{
    const CpumLeaf *found = find_leaf(vcpu->cpum, leaf, has_subleaves(leaf) ? subleaf : 0);

    *out = found != NULL ? found->value : (CpumCpuid){0};
    if (leaf == 1) {
        out->ebx |= vcpu->id << 24;
        if (!(vcpu->apic_base & (1u << 11)))
            out->edx &= ~(1u << 9);
        if (vcpu->cr4 & X86_CR4_OSXSAVE)
            out->ecx |= 1u << 27;
    } else if (leaf == 0x80000001u && !(vcpu->apic_base & (1u << 11))) {
        out->edx &= ~(1u << 9);
    } else if (leaf == XSAVE_LEAF && subleaf < 2 && out->eax != 0) {
        out->ebx = XSAVE_BASE_SIZE + (vcpu->xcr0 & X86_XCR0_AVX ? XSAVE_YMM_SIZE : 0);
    } else if (leaf == 0xb) {
        out->ecx = (out->ecx & ~0xffu) | (subleaf & 0xff);
        out->edx = vcpu->id;
    }
}
