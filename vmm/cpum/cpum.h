/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CPUM: guest CPU state, CPUID and MSR profiles. The profile decides what CPUID says and which
 * feature bits the engines see; MSR and CPUID ranges are registered by their owners, like ports.
 * Intel SDM volume 2A (CPUID), volume 4 (MSRs). */
#pragma once

#include "vmm/base/error.h"
#include "vmm/base/log.h"
#include "vmm/cpum/vcpu.h"
#include "vmm/ssm/ssm.h"

/* The vendor of every profile is AuthenticAMD (family 15): SYSCALL works in all protected modes,
 * SYSENTER raises #UD in long mode (IA-32e), and Linux needs no workarounds for Meltdown and the
 * like.
 *
 * Feature bits that change how an engine behaves; from the profile. Instruction rows in
 * vmm/x86/instructions.def name one of these. */
/* clang-format off */
typedef enum {
    CPUM_FEATURE_BASE, /* i586 and CPUID: always there */
    CPUM_FEATURE_FPU, CPUM_FEATURE_CMOV, CPUM_FEATURE_CX8, CPUM_FEATURE_MMX, CPUM_FEATURE_FXSR,
    CPUM_FEATURE_SEP, CPUM_FEATURE_SSE, CPUM_FEATURE_SSE2, CPUM_FEATURE_SSE3, CPUM_FEATURE_SSSE3,
    CPUM_FEATURE_SSE41, CPUM_FEATURE_SSE42, CPUM_FEATURE_POPCNT, CPUM_FEATURE_CX16,
    CPUM_FEATURE_AES, CPUM_FEATURE_PCLMUL, CPUM_FEATURE_LAHF64, CPUM_FEATURE_SYSCALL,
    CPUM_FEATURE_LM, CPUM_FEATURE_NX, CPUM_FEATURE_RDTSCP, CPUM_FEATURE_PAE, CPUM_FEATURE_PSE,
    CPUM_FEATURE_PSE36, CPUM_FEATURE_PGE, CPUM_FEATURE_PAT, CPUM_FEATURE_MTRR,
    CPUM_FEATURE_CLFLUSH, CPUM_FEATURE_MONITOR, CPUM_FEATURE_PAGE1GB, CPUM_FEATURE_SMEP,
    CPUM_FEATURE_SMAP, CPUM_FEATURE_UMIP, CPUM_FEATURE_APIC, CPUM_FEATURE_X2APIC,
    CPUM_FEATURE_TSC_DEADLINE, CPUM_FEATURE_VME, CPUM_FEATURE_DE, CPUM_FEATURE_TSC,
    CPUM_FEATURE_MSR, CPUM_FEATURE_MCE, CPUM_FEATURE_PREFETCHW, CPUM_FEATURE_MOVBE,
    CPUM_FEATURE_XSAVE, CPUM_FEATURE_AVX, CPUM_FEATURE_AVX2, CPUM_FEATURE_FMA, CPUM_FEATURE_F16C,
    CPUM_FEATURE_BMI1, CPUM_FEATURE_BMI2, CPUM_FEATURE_LZCNT, CPUM_FEATURE_RDRAND,
    CPUM_FEATURE_RDSEED, CPUM_FEATURE_ADX, CPUM_FEATURE_SHA, CPUM_FEATURE_FSGSBASE,
    CPUM_FEATURE_PCID, CPUM_FEATURE_INVPCID,
    CPUM_FEATURE_COUNT,
} CpumFeature;
/* clang-format on */
_Static_assert(CPUM_FEATURE_COUNT <= 64, "Vcpu.features is one word");

static inline bool
cpum_has(const Vcpu *vcpu, CpumFeature feature)
{
    return (vcpu->features >> feature) & 1;
}

typedef struct {
    uint32_t eax, ebx, ecx, edx;
} CpumCpuid;

/* Answers an RDMSR or WRMSR; false raises #GP(0). Runs on the virtual CPU's thread. */
typedef bool (*CpumMsrRead)(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user);
typedef bool (*CpumMsrWrite)(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user);

typedef struct {
    /* "x86-64-v1" to "x86-64-v3", of which the guest sees what the host can execute; "host" and
     * NULL are the last one. Tests that compare hosts name one that all hosts have. */
    const char *profile;
    unsigned cpus; /* 1.. */
    bool pae, long_mode, apic, x2apic, nx;
    bool repeatable; /* every run gives the same: no random numbers */
    uint64_t tsc_hz; /* what CPUID 0x15 and 0x16 tell; 0: nothing */
    BaseLog *log;    /* borrowed; may be NULL */
} CpumConfig;

/* Creates the virtual CPUs in reset state. Owned by the caller; free with cpum_free(). */
Cpum *cpum_new(const CpumConfig *config, GError **error);
void cpum_free(Cpum *cpum);
unsigned cpum_count(const Cpum *cpum);
Vcpu *cpum_vcpu(Cpum *cpum, unsigned id);

/* Registers the owner of MSRs first..last. A later registration wins. write may be NULL (#GP). */
void cpum_msr_register(Cpum *cpum, uint32_t first, uint32_t last, CpumMsrRead read,
                       CpumMsrWrite write, void *user);
/* Adds or replaces a CPUID leaf (hypervisor leaves by GIM, APIC id by TRPM …). */
void cpum_cpuid_set(Cpum *cpum, uint32_t leaf, uint32_t subleaf, const CpumCpuid *value);

/* Takes features away that the machine's engine cannot give; before the guest's first instruction.
 * Bit CpumFeature. What builds on a feature has to be named as well. */
void cpum_hide(Cpum *cpum, uint64_t features);
/* Where CPUID (subleaf 0) shows a feature. */
typedef struct {
    uint32_t leaf;
    uint8_t word; /* 0 EAX .. 3 EDX */
    uint8_t bit;
} CpumPlace;
CpumPlace cpum_feature_place(CpumFeature feature);

/* For engines, on the virtual CPU's thread. */
void cpum_cpuid(Vcpu *vcpu, uint32_t leaf, uint32_t subleaf, CpumCpuid *out);
bool cpum_rdmsr(Vcpu *vcpu, uint32_t msr, uint64_t *value);
bool cpum_wrmsr(Vcpu *vcpu, uint32_t msr, uint64_t value);

/* Power-on reset or INIT state (INIT keeps x87/SSE, MTRRs, CR0.CD/NW as the SDM's table 10-1). */
void cpum_reset(Vcpu *vcpu, bool init_only);
/* Recomputes mode, cpl and tlb_kind. Call after changing CR0, EFER, CS, SS or RFLAGS.VM/AC. */
void cpum_update_mode(Vcpu *vcpu);
/* Which bits of CR4 and EFER the profile allows; other bits raise #GP in the engines. */
uint64_t cpum_cr4_valid(const Vcpu *vcpu);
uint64_t cpum_efer_valid(const Vcpu *vcpu);
/* May XSETBV write this into XCR0? */
bool cpum_xcr0_is_valid(const Vcpu *vcpu, uint64_t value);

/* Sets pending bits from any thread and wakes the virtual CPU where it waits or runs. */
void cpum_pend(Vcpu *vcpu, uint32_t bits);
/* Clears bits, on the virtual CPU's thread. */
void cpum_unpend(Vcpu *vcpu, uint32_t bits);
/* EM installs what wakes a halted or hardware-run virtual CPU after bits were set. */
void cpum_set_waker(Cpum *cpum, void (*wake)(Vcpu *vcpu, void *user), void *user);

/* Wakes it where it waits or runs in hardware: it looks around, and nothing is pending by this. */
void cpum_wake(Vcpu *vcpu);
/* cpum_pend(), but one that is outside the guest is not woken: it sees them when it enters. */
void cpum_pend_inside(Vcpu *vcpu, uint32_t bits);

/* --- who is inside the guest: on the thread of the virtual CPU that is named first --- */
/* EM enters before an engine runs or an event is delivered, and leaves afterwards. Inside, a
 * virtual CPU uses what it knows of memory; outside it is as good as stopped, and before it uses
 * anything again it enters and acts on CPUM_PEND_TLB_FLUSH. cpum_enter() waits while another
 * runs alone. */
void cpum_enter(Vcpu *vcpu);
void cpum_leave(Vcpu *vcpu);
bool cpum_is_inside(const Vcpu *vcpu);
/* This CPU has done what somebody may wait for. */
void cpum_agreed(Vcpu *vcpu);
/* Waits until each other CPU is outside or has agreed. Without locks held; the caller is outside
 * meanwhile, and acts on CPUM_PEND_TLB_FLUSH before it goes on where it was inside. */
typedef bool (*CpumAgreed)(const Vcpu *other, const void *user);
void cpum_wait_for_others(Vcpu *self, CpumAgreed agreed, const void *user);
/* The same on a thread that is no virtual CPU's: for every one of them. */
void cpum_wait_for_all(Cpum *cpum, CpumAgreed agreed, const void *user);
/* Between the two no other CPU is inside: for LOCKed accesses that the host cannot do as one. The
 * same rules; not to be nested. */
void cpum_alone_begin(Vcpu *self);
void cpum_alone_end(Vcpu *self);

/* Registers the saved-state units "cpum". */
void cpum_ssm_register(Cpum *cpum, Ssm *ssm);
