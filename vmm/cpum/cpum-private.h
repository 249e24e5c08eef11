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
    /* cpum-gate.c */
    GMutex gate_lock;
    GCond gate_changed;            /* a CPU left or agreed, or nobody runs alone any more */
    _Atomic uint32_t gate_waiters; /* who wait for that */
    Vcpu *_Atomic alone;           /* who runs alone, or is about to */
    GMutex logged_lock;
    GHashTable *logged; /* MSRs that were already complained about */
};

/* cpum-profile.c: the features of a profile that this configuration and this host allow. */
bool cpum_profile_features(const CpumConfig *config, uint64_t *features, GError **error);
/* The features that only add instructions: a CPU may do without them at any time before it runs. */
uint64_t cpum_extensions(void);
/* The names of a set of features, for messages; freed by the caller. */
char *cpum_feature_names(uint64_t features);
/* What the host has to have for a feature. */
typedef enum { CPUM_NEEDS_ANY, CPUM_NEEDS_HOST, CPUM_NEEDS_YMM } CpumFeatureNeeds;

/* The leaf, register and bit of each feature, for the CPUID table. */
typedef struct {
    uint32_t leaf;
    uint8_t word; /* 0 EAX .. 3 EDX */
    uint8_t bit;
    uint8_t level; /* first profile; CPUM_LEVEL_NEVER: not offered */
    uint8_t host;  /* CpumFeatureNeeds */
} CpumFeatureRow;
#define CPUM_LEVEL_NEVER 0xff
extern const CpumFeatureRow cpum_feature_rows[CPUM_FEATURE_COUNT];

/* cpum-gate.c */
void cpum_gate_init(Cpum *cpum);
void cpum_gate_clear(Cpum *cpum);

/* cpum-cpuid.c: the table; the feature bits alone, after the set of features has become smaller. */
void cpum_cpuid_build(Cpum *cpum);
void cpum_cpuid_update_features(Cpum *cpum);
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
