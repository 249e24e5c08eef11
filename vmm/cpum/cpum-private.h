/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of CPUM share. */
#pragma once

#include "vmm/cpum/cpum.h"

/* Family 15, model 107, stepping 1: CPUID 1 EAX, and EDX after a reset. */
#define CPUM_SIGNATURE 0x00060fb1u
#define CPUM_PAT_RESET 0x0007040600070406ull

typedef struct {
    uint32_t leaf, subleaf;
    CpumCpuid value;
} CpumLeaf;

typedef struct {
    uint32_t first, last;
    CpumMsrRead read;
    CpumMsrWrite write;
    void *user;
} CpumMsrOwner;

struct Cpum {
    CpumConfig config; /* its strings are not used after cpum_new() */
    unsigned count;
    Vcpu **vcpu;
    uint64_t features;
    GArray *leaves; /* CpumLeaf */
    GArray *msrs;   /* CpumMsrOwner, in order of registration */
    void (*wake)(Vcpu *vcpu, void *user);
    void *wake_user;
    GMutex logged_lock;
    GHashTable *logged; /* MSRs that were already complained about */
};

/* cpum-profile.c: the features of a profile that this configuration and this host allow. */
bool cpum_profile_features(const CpumConfig *config, uint64_t *features, GError **error);
/* The leaf, register and bit of each feature, for the CPUID table. */
typedef struct {
    uint32_t leaf;
    uint8_t word; /* 0 EAX .. 3 EDX */
    uint8_t bit;
    uint8_t level; /* first profile; CPUM_LEVEL_NEVER: not offered */
    bool host;
} CpumFeatureRow;
#define CPUM_LEVEL_NEVER 0xff
extern const CpumFeatureRow cpum_feature_rows[CPUM_FEATURE_COUNT];

/* cpum-cpuid.c */
void cpum_cpuid_build(Cpum *cpum);
/* cpum-msr.c, cpum-mtrr.c: register CPUM's own. */
void cpum_msr_init(Cpum *cpum);
void cpum_mtrr_init(Cpum *cpum);

static inline uint32_t *
cpum_cpuid_word(CpumCpuid *value, unsigned word)
{
    uint32_t *words[] = {&value->eax, &value->ebx, &value->ecx, &value->edx};

    return words[word & 3];
}

static inline bool
cpum_is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}
