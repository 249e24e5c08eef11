/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MSR dispatch, and the MSRs that are nothing but state of the virtual CPU. Intel SDM volume 4
 * chapter 2; AMD APM volume 2 appendix A and AMD's BKDG for family 0Fh (SYSCFG, HWCR, interrupt
 * pending): these exist because kernels read them unasked on this family, and read as zero. There
 * are no performance counters and no machine-check banks. MTRRs are in cpum-mtrr.c; TSC, APIC and
 * x2APIC belong to TM and TRPM. */
#include "vmm/cpum/cpum-private.h"

#define MSR_AMD_SYSCFG 0xc0010010u
#define MSR_AMD_HWCR 0xc0010015u
#define MSR_AMD_TOP_MEM 0xc001001au
#define MSR_AMD_TOP_MEM2 0xc001001du
#define MSR_AMD_NB_CFG 0xc001001fu
#define MSR_AMD_PATCH_LOADER 0xc0010020u
#define MSR_AMD_INT_PENDING 0xc0010055u

#define PATCH_LEVEL 0x01000065u
#define LOGGED_MAX 256

/* --- registers that are one 64-bit field --- */

typedef enum { CHECK_NONE, CHECK_LOW32, CHECK_CANONICAL } FieldCheck;

typedef struct {
    uint32_t msr;
    CpumFeature feature;
    size_t offset;
    FieldCheck check;
} FieldMsr;

/* clang-format off */
static const FieldMsr field_msrs[] = {
    {X86_MSR_SYSENTER_CS,    CPUM_FEATURE_SEP,     offsetof(Vcpu, sysenter_cs),         CHECK_NONE},
    {X86_MSR_SYSENTER_ESP,   CPUM_FEATURE_SEP,     offsetof(Vcpu, sysenter_esp),        CHECK_CANONICAL},
    {X86_MSR_SYSENTER_EIP,   CPUM_FEATURE_SEP,     offsetof(Vcpu, sysenter_eip),        CHECK_CANONICAL},
    {X86_MSR_STAR,           CPUM_FEATURE_SYSCALL, offsetof(Vcpu, star),                CHECK_NONE},
    {X86_MSR_LSTAR,          CPUM_FEATURE_LM,      offsetof(Vcpu, lstar),               CHECK_CANONICAL},
    {X86_MSR_CSTAR,          CPUM_FEATURE_LM,      offsetof(Vcpu, cstar),               CHECK_CANONICAL},
    {X86_MSR_SFMASK,         CPUM_FEATURE_LM,      offsetof(Vcpu, sfmask),              CHECK_LOW32},
    {X86_MSR_FS_BASE,        CPUM_FEATURE_LM,      offsetof(Vcpu, seg[X86_FS].base),    CHECK_CANONICAL},
    {X86_MSR_GS_BASE,        CPUM_FEATURE_LM,      offsetof(Vcpu, seg[X86_GS].base),    CHECK_CANONICAL},
    {X86_MSR_KERNEL_GS_BASE, CPUM_FEATURE_LM,      offsetof(Vcpu, kernel_gs_base),      CHECK_CANONICAL},
    {X86_MSR_TSC_AUX,        CPUM_FEATURE_RDTSCP,  offsetof(Vcpu, tsc_aux),             CHECK_LOW32},
};
/* clang-format on */

static uint64_t *
field_of(Vcpu *vcpu, const FieldMsr *row)
{
    return (uint64_t *)((char *)vcpu + row->offset);
}

static bool
read_field(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    const FieldMsr *row = user;

    *value = *field_of(vcpu, row);
    return cpum_has(vcpu, row->feature);
}

static bool
write_field(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    const FieldMsr *row = user;

    if (!cpum_has(vcpu, row->feature) ||
        (row->check == CHECK_CANONICAL && !cpum_is_canonical(value)) ||
        (row->check == CHECK_LOW32 && value > UINT32_MAX))
        return false;
    *field_of(vcpu, row) = value;
    return true;
}

/* --- EFER --- */

static bool
read_efer(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->efer;
    return cpum_efer_valid(vcpu) != 0;
}

static bool
write_efer(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    const uint64_t valid = cpum_efer_valid(vcpu);
    const uint64_t changed = (vcpu->efer ^ value) & ~(uint64_t)X86_EFER_LMA;

    if (valid == 0 || (value & ~valid))
        return false;
    if ((changed & X86_EFER_LME) && (vcpu->cr0 & X86_CR0_PG))
        return false;
    vcpu->efer = (value & ~(uint64_t)X86_EFER_LMA) | (vcpu->efer & X86_EFER_LMA);
    /* The no-execute bit changes its meaning in every cached translation. */
    if (changed & X86_EFER_NXE)
        atomic_fetch_or(&vcpu->pending, CPUM_PEND_TLB_FLUSH);
    return true;
}

/* --- PAT --- */

static bool
is_pat_valid(uint64_t pat)
{
    for (unsigned i = 0; i < 8; i++) {
        const uint8_t type = (uint8_t)(pat >> (8 * i));

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    return true;
}

static bool
read_pat(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->pat;
    return cpum_has(vcpu, CPUM_FEATURE_PAT);
}

static bool
write_pat(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    if (!cpum_has(vcpu, CPUM_FEATURE_PAT) || !is_pat_valid(value))
        return false;
    vcpu->pat = value;
    return true;
}

/* --- the rest --- */

#define MISC_ENABLE_FAST_STRINGS (1ull << 0)
#define MISC_ENABLE_WRITABLE (1ull << 0 | 1ull << 3 | 1ull << 16 | 1ull << 18 | 1ull << 22)

static bool
read_misc_enable(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = vcpu->misc_enable;
    return true;
}

/* Only fast strings can be switched; the other switches are for what this CPU does not have. */
static bool
write_misc_enable(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    if (value & ~MISC_ENABLE_WRITABLE)
        return false;
    vcpu->misc_enable = value & MISC_ENABLE_FAST_STRINGS;
    return true;
}

static bool
read_constant(Vcpu *vcpu, uint32_t msr, uint64_t *value, void *user)
{
    *value = GPOINTER_TO_SIZE(user);
    return true;
}

static bool
write_ignored(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    return true;
}

static bool
write_zero_only(Vcpu *vcpu, uint32_t msr, uint64_t value, void *user)
{
    return value == 0;
}

void
cpum_msr_init(Cpum *cpum)
{
    /* clang-format off */
    static const struct {
        uint32_t msr;
        uint32_t value;
        CpumMsrWrite write;
    } constants[] = {
        {X86_MSR_PLATFORM_ID,  0,           NULL},
        {X86_MSR_BIOS_SIGN_ID, PATCH_LEVEL, write_ignored},
        {X86_MSR_MCG_CAP,      0,           NULL},
        {X86_MSR_MCG_STATUS,   0,           write_zero_only},
        {MSR_AMD_SYSCFG,       0,           write_ignored},
        {MSR_AMD_HWCR,         0,           write_ignored},
        {MSR_AMD_TOP_MEM,      0,           NULL},
        {MSR_AMD_TOP_MEM2,     0,           NULL},
        {MSR_AMD_NB_CFG,       0,           write_ignored},
        {MSR_AMD_PATCH_LOADER, 0,           write_ignored},
        {MSR_AMD_INT_PENDING,  0,           write_ignored},
    };
    /* clang-format on */

    for (unsigned i = 0; i < G_N_ELEMENTS(field_msrs); i++)
        cpum_msr_register(cpum, field_msrs[i].msr, field_msrs[i].msr, read_field, write_field,
                          (void *)&field_msrs[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(constants); i++)
        cpum_msr_register(cpum, constants[i].msr, constants[i].msr, read_constant,
                          constants[i].write, GSIZE_TO_POINTER(constants[i].value));
    cpum_msr_register(cpum, X86_MSR_EFER, X86_MSR_EFER, read_efer, write_efer, NULL);
    cpum_msr_register(cpum, X86_MSR_PAT, X86_MSR_PAT, read_pat, write_pat, NULL);
    cpum_msr_register(cpum, X86_MSR_MISC_ENABLE, X86_MSR_MISC_ENABLE, read_misc_enable,
                      write_misc_enable, NULL);
}

/* --- dispatch --- */

void
cpum_msr_register(Cpum *cpum, uint32_t first, uint32_t last, CpumMsrRead read, CpumMsrWrite write,
                  void *user)
{
    const CpumMsrOwner owner = {first, last, read, write, user};

    g_array_append_val(cpum->msrs, owner);
}

/* From the last to the first: what was registered later wins, and the rooms that register last (TM,
 * TRPM) have the registers that guests use most. */
static const CpumMsrOwner *
find_owner(const Cpum *cpum, uint32_t msr)
{
    for (guint i = cpum->msrs->len; i-- > 0;) {
        const CpumMsrOwner *owner = &g_array_index(cpum->msrs, CpumMsrOwner, i);

        if (msr >= owner->first && msr <= owner->last)
            return owner;
    }
    return NULL;
}

static void
complain_once(Cpum *cpum, uint32_t msr, const char *what)
{
    bool is_new = false;

    g_mutex_lock(&cpum->logged_lock);
    if (g_hash_table_size(cpum->logged) < LOGGED_MAX)
        is_new = g_hash_table_add(cpum->logged, GUINT_TO_POINTER(msr));
    g_mutex_unlock(&cpum->logged_lock);
    if (is_new && cpum->config.log != NULL)
        base_log(cpum->config.log, "cpum", "the guest %s MSR 0x%x: #GP", what, msr);
}

bool
cpum_rdmsr(Vcpu *vcpu, uint32_t msr, uint64_t *value)
{
    const CpumMsrOwner *owner = find_owner(vcpu->cpum, msr);

    if (owner != NULL && owner->read(vcpu, msr, value, owner->user))
        return true;
    complain_once(vcpu->cpum, msr, "reads");
    return false;
}

bool
cpum_wrmsr(Vcpu *vcpu, uint32_t msr, uint64_t value)
{
    const CpumMsrOwner *owner = find_owner(vcpu->cpum, msr);

    if (owner != NULL && owner->write != NULL && owner->write(vcpu, msr, value, owner->user))
        return true;
    complain_once(vcpu->cpum, msr, "writes");
    return false;
}
