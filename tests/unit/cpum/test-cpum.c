/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CPUM: profiles and what CPUID says, MSRs and their checks, reset and INIT, modes, pending bits,
 * saved state. Intel SDM volume 3A table 10-1, volume 4; AMD APM volume 3 appendix E. */
#include "vmm/base/cpu-features.h"
#include "vmm/cpum/cpum.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOT_CANONICAL 0x0000800000000000ull

static Cpum *
make(const char *profile)
{
    const CpumConfig config = {.profile = profile,
                               .cpus = 1,
                               .pae = true,
                               .long_mode = true,
                               .apic = true,
                               .x2apic = true,
                               .nx = true,
                               .tsc_hz = 2500000000ull};
    g_autoptr(GError) error = NULL;
    Cpum *cpum = cpum_new(&config, &error);

    g_assert_no_error(error);
    return cpum;
}

static CpumCpuid
cpuid(Cpum *cpum, uint32_t leaf, uint32_t subleaf)
{
    CpumCpuid value;

    cpum_cpuid(cpum_vcpu(cpum, 0), leaf, subleaf, &value);
    return value;
}

/* --- profiles --- */

static void
test_profiles(void)
{
    Cpum *v1 = make("x86-64-v1"), *v2 = make("x86-64-v2"), *v3 = make("x86-64-v3");
    Cpum *host = make(NULL);
    const Vcpu *one = cpum_vcpu(v1, 0), *two = cpum_vcpu(v2, 0), *three = cpum_vcpu(v3, 0);
    CpumConfig config = {.profile = "x86-64-v9", .cpus = 1};
    g_autoptr(GError) error = NULL;

    g_assert_true(cpum_has(one, CPUM_FEATURE_SSE2) && cpum_has(one, CPUM_FEATURE_LM));
    g_assert_false(cpum_has(one, CPUM_FEATURE_POPCNT) || cpum_has(one, CPUM_FEATURE_SMEP));
    g_assert_true(cpum_has(two, CPUM_FEATURE_POPCNT) && cpum_has(two, CPUM_FEATURE_SMAP));
    g_assert_false(cpum_has(two, CPUM_FEATURE_AVX) || cpum_has(two, CPUM_FEATURE_MONITOR));
    /* A profile only grows. */
    g_assert_cmphex(one->features & ~two->features, ==, 0);
    g_assert_cmphex(two->features & ~three->features, ==, 0);
    g_assert_true(cpum_has(three, CPUM_FEATURE_XSAVE) && cpum_has(three, CPUM_FEATURE_PCID));
    g_assert_cmphex(cpum_vcpu(host, 0)->features, ==, three->features);
    g_assert_null(cpum_new(&config, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    cpum_free(v1);
    cpum_free(v2);
    cpum_free(v3);
    cpum_free(host);
}

/* What the host's CPU or its operating system lacks is not offered; what it has is. */
static void
test_host(void)
{
    Cpum *cpum = make("x86-64-v3");
    BaseCpuid seven, basic;

    base_cpuid(1, 0, &basic);
    base_cpuid(7, 0, &seven);
    g_assert_cmpuint(cpum_has(cpum_vcpu(cpum, 0), CPUM_FEATURE_AVX), ==,
                     (basic.ecx >> 28 & 1) && base_cpu_keeps_ymm());
    g_assert_cmpuint(cpum_has(cpum_vcpu(cpum, 0), CPUM_FEATURE_BMI2), ==, seven.ebx >> 8 & 1);
    g_assert_cmpuint(cpum_has(cpum_vcpu(cpum, 0), CPUM_FEATURE_SHA), ==, seven.ebx >> 29 & 1);
    cpum_free(cpum);
}

static void
test_repeatable(void)
{
    const CpumConfig config = {.cpus = 1, .long_mode = true, .pae = true, .repeatable = true};
    Cpum *cpum = cpum_new(&config, NULL);

    g_assert_false(cpum_has(cpum_vcpu(cpum, 0), CPUM_FEATURE_RDRAND));
    g_assert_false(cpum_has(cpum_vcpu(cpum, 0), CPUM_FEATURE_RDSEED));
    cpum_free(cpum);
}

/* Leaf 0xD follows from XCR0, and is empty without XSAVE. */
static void
test_xsave_leaf(void)
{
    Cpum *v2 = make("x86-64-v2"), *v3 = make("x86-64-v3");
    Vcpu *vcpu = cpum_vcpu(v3, 0);

    g_assert_cmphex(cpuid(v2, 0xd, 0).eax, ==, 0);
    g_assert_cmphex(cpuid(v2, 0xd, 0).ebx, ==, 0);
    g_assert_cmphex(cpuid(v3, 0xd, 0).eax, ==, cpum_has(vcpu, CPUM_FEATURE_AVX) ? 7 : 3);
    g_assert_cmpuint(cpuid(v3, 0xd, 0).ebx, ==, 576);
    g_assert_cmphex(cpuid(v3, 1, 0).ecx >> 27 & 1, ==, 0);
    vcpu->cr4 |= X86_CR4_OSXSAVE;
    g_assert_cmphex(cpuid(v3, 1, 0).ecx >> 27 & 1, ==, 1);
    if (cpum_has(vcpu, CPUM_FEATURE_AVX)) {
        vcpu->xcr0 = 7;
        g_assert_cmpuint(cpuid(v3, 0xd, 0).ebx, ==, 832);
        g_assert_cmpuint(cpuid(v3, 0xd, 0).ecx, ==, 832);
        g_assert_cmpuint(cpuid(v3, 0xd, 2).eax, ==, 256);
        g_assert_cmpuint(cpuid(v3, 0xd, 2).ebx, ==, 576);
    }
    g_assert_true(cpum_xcr0_is_valid(vcpu, 1) && cpum_xcr0_is_valid(vcpu, 3));
    g_assert_false(cpum_xcr0_is_valid(vcpu, 0) || cpum_xcr0_is_valid(vcpu, 5) ||
                   cpum_xcr0_is_valid(vcpu, 0x1f));
    cpum_free(v2);
    cpum_free(v3);
}

static void
test_configuration(void)
{
    const CpumConfig config = {.cpus = 1, .pae = false, .long_mode = false, .nx = true};
    Cpum *cpum = cpum_new(&config, NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);

    g_assert_cmphex(cpuid(cpum, 1, 0).edx & (1u << 6 | 1u << 9), ==, 0);             /* PAE, APIC */
    g_assert_cmphex(cpuid(cpum, 0x80000001u, 0).edx & (1u << 29 | 1u << 20), ==, 0); /* LM, NX */
    g_assert_cmphex(cpum_cr4_valid(vcpu) & X86_CR4_PAE, ==, 0);
    g_assert_cmphex(cpum_efer_valid(vcpu), ==, 0);
    g_assert_cmpuint(cpuid(cpum, 0x80000008u, 0).eax >> 8, ==, 32);
    cpum_free(cpum);
}

static void
test_host_limits(void)
{
    Cpum *cpum = make(NULL);
    BaseCpuid host;

    base_cpuid(1, 0, &host);
    /* SSE3, PCLMUL, SSSE3, CX16, SSE4.1, SSE4.2, AES */
    g_assert_cmphex(cpuid(cpum, 1, 0).ecx & 0x2182203u & ~host.ecx, ==, 0);
    cpum_free(cpum);
}

static void
test_cpuid(void)
{
    Cpum *cpum = make(NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);
    CpumCpuid value = cpuid(cpum, 0, 0);
    const CpumCpuid added = {1, 2, 3, 4};
    char text[49] = "";

    memcpy(text, &value.ebx, 4);
    memcpy(text + 4, &value.edx, 4);
    memcpy(text + 8, &value.ecx, 4);
    g_assert_cmpstr(text, ==, "AuthenticAMD");
    for (unsigned i = 0; i < 3; i++) {
        value = cpuid(cpum, 0x80000002u + i, 0);
        memcpy(text + 16 * i, &value, 16);
    }
    g_assert_cmpstr(text, ==, "Vitrine Virtual CPU");
    g_assert_cmphex(cpuid(cpum, 0x80000008u, 0).eax, ==, 0x3028);
    /* The APIC's bit follows its enable bit. */
    g_assert_cmphex(cpuid(cpum, 1, 0).edx & (1u << 9), ==, 0);
    vcpu->apic_base = 1u << 11;
    g_assert_cmphex(cpuid(cpum, 1, 0).edx & (1u << 9), !=, 0);
    g_assert_cmphex(cpuid(cpum, 0x80000001u, 0).edx & (1u << 9), !=, 0);
    /* Leaves without subleaves ignore ECX, others know none but their own. */
    g_assert_cmphex(cpuid(cpum, 1, 77).eax, ==, cpuid(cpum, 1, 0).eax);
    g_assert_cmphex(cpuid(cpum, 7, 0).ebx & (1u << 7), !=, 0);
    g_assert_cmphex(cpuid(cpum, 7, 1).ebx, ==, 0);
    g_assert_cmphex(cpuid(cpum, 0xb, 1).ecx, ==, 0x201);
    g_assert_cmphex(cpuid(cpum, 0xb, 5).ecx, ==, 5);
    g_assert_cmphex(cpuid(cpum, 0x12345678, 0).eax, ==, 0);
    cpum_cpuid_set(cpum, 0x40000000, 0, &added);
    g_assert_cmphex(cpuid(cpum, 0x40000000, 9).edx, ==, 4);
    cpum_free(cpum);
}

/* --- MSRs --- */

typedef struct {
    uint32_t msr;
    uint64_t value;
    bool ok;
} MsrRow;

static void
test_msr_writes(void)
{
    /* clang-format off */
    static const MsrRow rows[] = {
        {X86_MSR_PAT, 0x0007040600070406ull, true}, {X86_MSR_PAT, 0x0505050505050505ull, true},
        {X86_MSR_PAT, 0x0007040600070402ull, false}, {X86_MSR_PAT, 0x0307040600070406ull, false},
        {X86_MSR_PAT, 0x0807040600070406ull, false},
        {X86_MSR_LSTAR, 0xffffffff81000000ull, true}, {X86_MSR_LSTAR, NOT_CANONICAL, false},
        {X86_MSR_FS_BASE, 0x7fffffffffffull, true}, {X86_MSR_FS_BASE, NOT_CANONICAL, false},
        {X86_MSR_KERNEL_GS_BASE, NOT_CANONICAL, false}, {X86_MSR_SYSENTER_EIP, NOT_CANONICAL, false},
        {X86_MSR_STAR, UINT64_MAX, true}, {X86_MSR_SFMASK, 0x47700, true},
        {X86_MSR_TSC_AUX, 5, true}, {X86_MSR_TSC_AUX, 1ull << 32, false},
        {X86_MSR_EFER, 0xd01, true}, {X86_MSR_EFER, 1ull << 12, false}, {X86_MSR_EFER, 1ull << 14, false},
        {X86_MSR_MTRR_CAP, 0, false}, {X86_MSR_MCG_CAP, 0, false},
        {X86_MSR_MTRR_DEF_TYPE, 0xc06, true}, {X86_MSR_MTRR_DEF_TYPE, 0x02, false},
        {X86_MSR_MTRR_DEF_TYPE, 0x100, false}, {X86_MSR_MTRR_DEF_TYPE, 7, false},
        {X86_MSR_MTRR_PHYSBASE0, 0xc0000006, true}, {X86_MSR_MTRR_PHYSBASE0, 0xc0000003, false},
        {X86_MSR_MTRR_PHYSBASE0, 1ull << 40 | 6, false}, {X86_MSR_MTRR_PHYSBASE0, 0xc0000106, false},
        {X86_MSR_MTRR_PHYSBASE0 + 1, 0xffc0000800, true}, {X86_MSR_MTRR_PHYSBASE0 + 1, 0xffc0000801, false},
        {X86_MSR_MTRR_PHYSBASE0 + 15, 0x800, true}, {X86_MSR_MTRR_PHYSBASE0 + 16, 0x800, false},
        {X86_MSR_MTRR_FIX64K, 0x0606060606060606ull, true}, {X86_MSR_MTRR_FIX64K, 0x0606060606060602ull, false},
        {X86_MSR_MTRR_FIX4K_C0000 + 7, 0x0505050505050505ull, true},
        {0x12345, 0, false}, {0xc0011029u, 0, false},
    };
    /* clang-format on */
    Cpum *cpum = make(NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t value = 0;

        if (cpum_wrmsr(vcpu, rows[i].msr, rows[i].value) != rows[i].ok)
            g_error("row %u: MSR 0x%x", i, rows[i].msr);
        if (!rows[i].ok || rows[i].msr == X86_MSR_EFER)
            continue;
        g_assert_true(cpum_rdmsr(vcpu, rows[i].msr, &value));
        g_assert_cmphex(value, ==, rows[i].value);
    }
    g_assert_cmphex(vcpu->seg[X86_FS].base, ==, 0x7fffffffffffull);
    g_assert_cmphex(vcpu->mtrr_var[15], ==, 0x800);
    g_assert_cmphex(vcpu->mtrr_fix[10], ==, 0x0505050505050505ull);
    cpum_free(cpum);
}

static void
test_efer(void)
{
    Cpum *cpum = make(NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);

    /* LMA cannot be written, LME not changed while paging is on; NXE drops translations. */
    g_assert_true(cpum_wrmsr(vcpu, X86_MSR_EFER, X86_EFER_LME | X86_EFER_LMA));
    g_assert_cmphex(vcpu->efer, ==, X86_EFER_LME);
    vcpu->cr0 |= X86_CR0_PG;
    vcpu->efer |= X86_EFER_LMA;
    g_assert_false(cpum_wrmsr(vcpu, X86_MSR_EFER, 0));
    cpum_unpend(vcpu, UINT32_MAX);
    g_assert_true(cpum_wrmsr(vcpu, X86_MSR_EFER, X86_EFER_LME | X86_EFER_NXE));
    g_assert_cmphex(vcpu->efer, ==, X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE);
    g_assert_cmphex(cpum_pending(vcpu), ==, CPUM_PEND_TLB_FLUSH);
    cpum_free(cpum);
}

static bool
read_owned(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = msr + 1;
    return user != NULL;
}

static void
count_line(void *user, const char *line)
{
    ++*(unsigned *)user;
}

static void
test_msr_owners(void)
{
    unsigned lines = 0;
    BaseLog *log = base_log_new(count_line, &lines);
    const CpumConfig config = {.cpus = 1, .long_mode = true, .log = log};
    Cpum *cpum = cpum_new(&config, NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);
    uint64_t value;

    g_assert_false(cpum_rdmsr(vcpu, 0x4b564d00, &value));
    g_assert_false(cpum_rdmsr(vcpu, 0x4b564d00, &value));
    g_assert_cmpuint(lines, ==, 1);
    cpum_msr_register(cpum, 0x4b564d00, 0x4b564d0f, read_owned, NULL, NULL);
    g_assert_false(cpum_rdmsr(vcpu, 0x4b564d0f, &value));
    cpum_msr_register(cpum, 0x4b564d04, 0x4b564d04, read_owned, NULL, cpum);
    g_assert_true(cpum_rdmsr(vcpu, 0x4b564d04, &value));
    g_assert_cmphex(value, ==, 0x4b564d05);
    g_assert_false(cpum_wrmsr(vcpu, 0x4b564d04, 0));
    /* However many the guest tries, the log does not grow without an end. */
    for (uint32_t msr = 0x10000; msr < 0x20000; msr++)
        cpum_rdmsr(vcpu, msr, &value);
    g_assert_cmpuint(lines, <=, 256);
    cpum_free(cpum);
    base_log_free(log);
}

/* --- reset, modes --- */

static void
test_reset(void)
{
    Cpum *cpum = make(NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);

    g_assert_cmphex(vcpu->seg[X86_CS].base + vcpu->rip, ==, 0xfffffff0);
    g_assert_cmphex(vcpu->seg[X86_CS].sel, ==, 0xf000);
    g_assert_cmphex(vcpu->rflags, ==, 2);
    g_assert_cmphex(vcpu->cr0, ==, 0x60000010);
    g_assert_cmphex(vcpu->gpr[X86_RDX], ==, cpuid(cpum, 1, 0).eax);
    g_assert_cmphex(vcpu->dr[6], ==, 0xffff0ff0);
    g_assert_cmphex(vcpu->dr[7], ==, 0x400);
    g_assert_cmphex(vcpu->fpu.mxcsr, ==, 0x1f80);
    g_assert_cmpuint(vcpu->mode, ==, CPUM_MODE_REAL);
    /* INIT leaves x87, SSE, MTRRs, SYSENTER MSRs, CD and NW as they are. */
    vcpu->cr0 = X86_CR0_PE | X86_CR0_NW | X86_CR0_WP;
    vcpu->fpu.xmm[3][5] = 9;
    vcpu->mtrr_def_type = 0xc06;
    vcpu->sysenter_eip = 5;
    vcpu->cr4 = X86_CR4_PAE;
    vcpu->gpr[X86_RAX] = 1;
    cpum_reset(vcpu, true);
    g_assert_cmphex(vcpu->cr0, ==, X86_CR0_NW | X86_CR0_ET);
    g_assert_cmpuint(vcpu->fpu.xmm[3][5], ==, 9);
    g_assert_cmphex(vcpu->mtrr_def_type, ==, 0xc06);
    g_assert_cmphex(vcpu->sysenter_eip, ==, 5);
    g_assert_cmphex(vcpu->cr4 | vcpu->gpr[X86_RAX], ==, 0);
    cpum_reset(vcpu, false);
    g_assert_cmphex(vcpu->mtrr_def_type | vcpu->sysenter_eip | vcpu->fpu.xmm[3][5], ==, 0);
    cpum_free(cpum);
}

static void
test_modes(void)
{
    Cpum *cpum = make(NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);

    vcpu->cr0 |= X86_CR0_PE;
    cpum_update_mode(vcpu);
    g_assert_cmpuint(vcpu->mode, ==, CPUM_MODE_PROT16);
    g_assert_cmpuint(vcpu->cpl, ==, 0);
    vcpu->seg[X86_CS].attr |= X86_SEG_DB;
    vcpu->seg[X86_SS].attr |= 3u << 5;
    cpum_update_mode(vcpu);
    g_assert_cmpuint(vcpu->mode, ==, CPUM_MODE_PROT32);
    g_assert_cmpuint(vcpu->cpl, ==, 3);
    g_assert_cmpuint(vcpu->tlb_kind, ==, CPUM_TLB_USER);
    vcpu->efer = X86_EFER_LMA;
    cpum_update_mode(vcpu);
    g_assert_cmpuint(vcpu->mode, ==, CPUM_MODE_PROT32); /* compatibility mode */
    vcpu->seg[X86_CS].attr ^= X86_SEG_DB | X86_SEG_L;
    vcpu->seg[X86_SS].attr &= ~(3u << 5);
    vcpu->rflags |= X86_FL_AC;
    cpum_update_mode(vcpu);
    g_assert_cmpuint(vcpu->mode, ==, CPUM_MODE_LONG64);
    g_assert_cmpuint(vcpu->tlb_kind, ==, CPUM_TLB_SUPERVISOR);
    vcpu->cr4 = X86_CR4_SMAP;
    cpum_update_mode(vcpu);
    g_assert_cmpuint(vcpu->tlb_kind, ==, CPUM_TLB_SUPERVISOR_AC);
    vcpu->efer = 0;
    vcpu->rflags |= X86_FL_VM;
    cpum_update_mode(vcpu);
    g_assert_cmpuint(vcpu->mode, ==, CPUM_MODE_V86);
    g_assert_cmpuint(vcpu->cpl, ==, 3);
    cpum_free(cpum);
}

static void
count_wake(Vcpu *vcpu, void *user)
{
    ++*(unsigned *)user;
}

static void
test_pending(void)
{
    Cpum *cpum = make(NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);
    unsigned wakes = 0;

    cpum_unpend(vcpu, UINT32_MAX);
    cpum_set_waker(cpum, count_wake, &wakes);
    cpum_pend(vcpu, CPUM_PEND_TIMER);
    cpum_pend(vcpu, CPUM_PEND_NMI | CPUM_PEND_TIMER);
    g_assert_cmpuint(wakes, ==, 2);
    cpum_unpend(vcpu, CPUM_PEND_TIMER);
    g_assert_cmphex(cpum_pending(vcpu), ==, CPUM_PEND_NMI);
    cpum_free(cpum);
}

static void
test_state(void)
{
    Cpum *cpum = make(NULL);
    Vcpu *vcpu = cpum_vcpu(cpum, 0);
    Ssm *ssm = ssm_new();
    const int fd = memfd_create("state", 0);
    g_autoptr(GError) error = NULL;

    cpum_ssm_register(cpum, ssm);
    vcpu->gpr[X86_R13] = 0x1122334455667788ull;
    vcpu->seg[X86_GS].base = 77;
    vcpu->fpu.st[2][9] = 0x40;
    vcpu->cr0 |= X86_CR0_PE;
    vcpu->seg[X86_CS].attr |= X86_SEG_DB;
    cpum_update_mode(vcpu);
    g_assert_true(ssm_save(ssm, fd, NULL, &error));
    cpum_reset(vcpu, false);
    lseek(fd, 0, SEEK_SET);
    g_assert_true(ssm_load(ssm, fd, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmphex(vcpu->gpr[X86_R13], ==, 0x1122334455667788ull);
    g_assert_cmphex(vcpu->seg[X86_GS].base, ==, 77);
    g_assert_cmphex(vcpu->fpu.st[2][9], ==, 0x40);
    g_assert_cmpuint(vcpu->mode, ==, CPUM_MODE_PROT32);
    /* A state with control bits that this CPU does not have is refused. */
    vcpu->cr4 = 1ull << 40;
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    lseek(fd, 0, SEEK_SET);
    g_assert_true(ssm_save(ssm, fd, NULL, &error));
    lseek(fd, 0, SEEK_SET);
    g_assert_false(ssm_load(ssm, fd, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_CORRUPT);
    ssm_free(ssm);
    close(fd);
    cpum_free(cpum);
}

/* A state goes to a CPU with more instructions, which it then does without, and not to one with
 * fewer. */
static void
test_state_of_another_profile(void)
{
    Cpum *v2 = make("x86-64-v2"), *v3 = make("x86-64-v3");
    Ssm *narrow = ssm_new(), *wide = ssm_new();
    const int fd = memfd_create("state", 0);
    g_autoptr(GError) error = NULL;

    cpum_ssm_register(v2, narrow);
    cpum_ssm_register(v3, wide);
    g_assert_true(ssm_save(wide, fd, NULL, &error));
    lseek(fd, 0, SEEK_SET);
    g_assert_false(ssm_load(narrow, fd, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED);
    g_assert_nonnull(strstr(error->message, "XSAVE"));
    g_clear_error(&error);
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    lseek(fd, 0, SEEK_SET);
    g_assert_true(ssm_save(narrow, fd, NULL, &error));
    lseek(fd, 0, SEEK_SET);
    g_assert_true(ssm_load(wide, fd, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmphex(cpum_vcpu(v3, 0)->features, ==, cpum_vcpu(v2, 0)->features);
    g_assert_cmphex(cpuid(v3, 1, 0).ecx, ==, cpuid(v2, 1, 0).ecx);
    g_assert_cmphex(cpuid(v3, 7, 0).ebx, ==, cpuid(v2, 7, 0).ebx);
    g_assert_cmphex(cpuid(v3, 0xd, 0).ecx, ==, 0);
    ssm_free(narrow);
    ssm_free(wide);
    close(fd);
    cpum_free(v2);
    cpum_free(v3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpum/profiles", test_profiles);
    g_test_add_func("/cpum/profiles/host", test_host);
    g_test_add_func("/cpum/profiles/repeatable", test_repeatable);
    g_test_add_func("/cpum/profiles/xsave-leaf", test_xsave_leaf);
    g_test_add_func("/cpum/state/other-profile", test_state_of_another_profile);
    g_test_add_func("/cpum/configuration", test_configuration);
    g_test_add_func("/cpum/host-limits", test_host_limits);
    g_test_add_func("/cpum/cpuid", test_cpuid);
    g_test_add_func("/cpum/msr/writes", test_msr_writes);
    g_test_add_func("/cpum/msr/efer", test_efer);
    g_test_add_func("/cpum/msr/owners", test_msr_owners);
    g_test_add_func("/cpum/reset", test_reset);
    g_test_add_func("/cpum/modes", test_modes);
    g_test_add_func("/cpum/pending", test_pending);
    g_test_add_func("/cpum/state", test_state);
    return g_test_run();
}
