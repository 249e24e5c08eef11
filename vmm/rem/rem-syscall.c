/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SYSCALL and SYSRET between 64-bit programs and a 64-bit kernel, SYSENTER and SYSEXIT between
 * 32-bit ones, without leaving translated code. What would trap, check alignment or keep AC goes to
 * IEM, as other modes do. Intel SDM volume 2B; AMD APM volume 3. */
#include "vmm/rem/rem-translate.h"

#define CODE_ATTR                                                                                  \
    (X86_SEG_P | X86_SEG_S | X86_SEG_CODE | X86_SEG_READABLE | X86_SEG_ACCESSED | X86_SEG_G)
#define STACK_ATTR                                                                                 \
    (X86_SEG_P | X86_SEG_S | X86_SEG_WRITABLE | X86_SEG_ACCESSED | X86_SEG_G | X86_SEG_DB)

/* What has to be clear in the new flags. */
#define NOT_HERE (X86_FL_TF | X86_FL_RF | X86_FL_AC)

static RemMem
mem_seg(unsigned seg, size_t field)
{
    return rem_mem_vcpu(offsetof(Vcpu, seg) + seg * sizeof(CpumSeg) + field);
}

/* A flat segment; its selector is in T0. */
static void
emit_flat(RemEmit *emit, unsigned seg, uint32_t attr)
{
    rem_emit_mov_mi(emit, 8, mem_seg(seg, offsetof(CpumSeg, base)), 0);
    rem_emit_mov_mi(emit, 4, mem_seg(seg, offsetof(CpumSeg, limit)), -1);
    rem_emit_mov_mi(emit, 4, mem_seg(seg, offsetof(CpumSeg, attr)), (int32_t)attr);
    rem_emit_mov_mr(emit, 2, mem_seg(seg, offsetof(CpumSeg, sel)), REM_T0);
}

/* CS is the word at that byte of the Vcpu plus `add`, SS the same plus `stack`. */
typedef struct {
    size_t word;
    int32_t add, stack;
    unsigned cpl;
} Selectors;

static void
emit_segments(RemTranslator *t, const Selectors *selectors)
{
    const uint32_t size = rem_is_long64(t) ? X86_SEG_L : X86_SEG_DB;
    const struct {
        unsigned seg;
        int32_t add;
        uint32_t attr;
    } both[] = {{X86_CS, selectors->add, CODE_ATTR | size}, {X86_SS, selectors->stack, STACK_ATTR}};

    for (unsigned i = 0; i < G_N_ELEMENTS(both); i++) {
        rem_emit_movzx_rm(t->emit, 2, REM_T0, rem_mem_vcpu(selectors->word));
        rem_emit_alu_ri(t->emit, REM_ADD, 4, REM_T0, both[i].add);
        rem_emit_alu_ri(t->emit, REM_AND, 4, REM_T0, ~3);
        rem_emit_alu_ri(t->emit, REM_OR, 4, REM_T0, (int32_t)selectors->cpl);
        emit_flat(t->emit, both[i].seg, both[i].attr | selectors->cpl << 5);
    }
}

static bool
is_offered(const RemTranslator *t)
{
    return !(t->mode & REM_MODE_SLOW_MEMORY) && t->insn->treatment != REM_TREAT_IEM;
}

static unsigned
kernel_mode(const RemTranslator *t)
{
    return (t->mode & ~(unsigned)REM_MODE_TLB) | REM_MODE_CPL0 | (unsigned)CPUM_TLB_SUPERVISOR << 5;
}

static unsigned
user_mode(const RemTranslator *t)
{
    return (t->mode & ~(unsigned)(REM_MODE_TLB | REM_MODE_CPL0)) | (unsigned)CPUM_TLB_USER << 5;
}

static void
leave_unless_enabled(RemTranslator *t, const RemSite *site)
{
    rem_emit_test_mi(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, efer)), X86_EFER_SCE);
    rem_flags_lost(t);
    rem_emit_leave_if(t, REM_CC_Z, site);
}

/* The new flags' image is in T1; ends the block at the RIP in RemHot.target. */
static void
finish(RemTranslator *t, unsigned mode)
{
    rem_emit_mov_mr(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, rflags)), REM_T1);
    rem_emit_set_status(t, REM_T1, REM_T0);
    rem_emit_mode(t, mode);
    rem_emit_mov_rm(t->emit, 8, REM_T0, rem_mem_hot(offsetof(RemHot, target)));
    rem_emit_goto_in_mode(t, mode);
}

bool
rem_translate_syscall(RemTranslator *t)
{
    RemEmit *emit = t->emit;
    RemSite *site;

    if (!is_offered(t) || !rem_is_long64(t))
        return false;
    site = rem_retry_site(t, rem_call_iem);
    leave_unless_enabled(t, site);
    rem_emit_flags_image(t, REM_T0, REM_T1);
    rem_emit_mov_rm(emit, 4, REM_T1, rem_mem_vcpu(offsetof(Vcpu, sfmask)));
    rem_emit_not_r(emit, 4, REM_T1);
    rem_emit_alu_rr(emit, REM_AND, 4, REM_T1, REM_T0);
    rem_emit_test_ri(emit, 4, REM_T1, NOT_HERE);
    rem_emit_leave_if(t, REM_CC_NZ, site);
    rem_emit_mov_rr(emit, 4, X86_R11, REM_T0);
    rem_emit_rip(t, emit, X86_RCX, (int32_t)rem_next_offset(t));
    rem_emit_mov_rm(emit, 8, REM_T0, rem_mem_vcpu(offsetof(Vcpu, lstar)));
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, target)), REM_T0);
    emit_segments(t, &(Selectors){offsetof(Vcpu, star) + 4, 0, 8, 0});
    rem_emit_alu_ri(emit, REM_OR, 4, REM_T1, X86_FL_1);
    finish(t, kernel_mode(t));
    return true;
}

bool
rem_translate_sysret(RemTranslator *t)
{
    const uint32_t loaded = X86_FL_STATUS | X86_FL_TF | X86_FL_IF | X86_FL_DF | X86_FL_IOPL |
                            X86_FL_NT | X86_FL_AC | X86_FL_VIF | X86_FL_VIP | X86_FL_ID;
    const unsigned unused = 64u - t->vcpu->linear_bits;
    RemEmit *emit = t->emit;
    RemSite *site;
    RemJump closed;

    if (!is_offered(t) || !rem_is_long64(t) || !(t->mode & REM_MODE_CPL0) || t->insn->opsize != 8)
        return false;
    site = rem_retry_site(t, rem_call_iem);
    leave_unless_enabled(t, site);
    rem_emit_mov_rr(emit, 8, REM_T0, X86_RCX);
    rem_emit_shift_ri(emit, REM_SHL, 8, REM_T0, unused);
    rem_emit_shift_ri(emit, REM_SAR, 8, REM_T0, unused);
    rem_emit_alu_rr(emit, REM_CMP, 8, REM_T0, X86_RCX);
    rem_emit_leave_if(t, REM_CC_NZ, site);
    rem_emit_test_ri(emit, 4, X86_R11, X86_FL_TF | X86_FL_AC);
    rem_emit_leave_if(t, REM_CC_NZ, site);
    rem_emit_test_ri(emit, 4, X86_R11, X86_FL_IF);
    closed = rem_emit_jcc(emit, REM_CC_Z, 4);
    rem_emit_leave_if_waiting(t, site);
    rem_emit_bind(emit, closed);
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, target)), X86_RCX);
    emit_segments(t, &(Selectors){offsetof(Vcpu, star) + 6, 16, 8, 3});
    rem_emit_mov_rr(emit, 4, REM_T1, X86_R11);
    rem_emit_alu_ri(emit, REM_AND, 4, REM_T1, (int32_t)loaded);
    rem_emit_alu_ri(emit, REM_OR, 4, REM_T1, X86_FL_1);
    finish(t, user_mode(t));
    return true;
}

/* ---- SYSENTER, SYSEXIT ---- */
static void
set_window(RemTranslator *t, unsigned seg, bool writable)
{
    const size_t window = offsetof(RemHot, window) + seg * sizeof(RemWindow);

    rem_emit_mov_ri(t->emit, REM_T0, (uint64_t)UINT32_MAX + 1);
    rem_emit_mov_mr(t->emit, 8, rem_mem_hot(window + offsetof(RemWindow, read_end)), REM_T0);
    if (!writable)
        rem_emit_mov_ri(t->emit, REM_T0, 0);
    rem_emit_mov_mr(t->emit, 8, rem_mem_hot(window + offsetof(RemWindow, write_end)), REM_T0);
}

/* Flat 32-bit code on a flat 32-bit stack, in legacy mode, without AC, and with segments at all. */
static bool
begin_legacy(RemTranslator *t)
{
    const unsigned needed = REM_MODE_FLAT | REM_MODE_FLAT_CODE | REM_MODE_SS_B;
    RemSite *site;

    if (!is_offered(t) || (t->mode & REM_MODE_CPU) != CPUM_MODE_PROT32 ||
        (t->mode & needed) != needed)
        return false;
    site = rem_retry_site(t, rem_call_iem);
    rem_emit_test_mi(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, efer)), X86_EFER_LMA);
    rem_flags_lost(t);
    rem_emit_leave_if(t, REM_CC_NZ, site);
    rem_emit_test_mi(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, rflags)), NOT_HERE);
    rem_emit_leave_if(t, REM_CC_NZ, site);
    rem_emit_test_mi(t->emit, 4, rem_mem_vcpu(offsetof(Vcpu, sysenter_cs)), 0xfffc);
    rem_emit_leave_if(t, REM_CC_Z, site);
    return true;
}

/* EIP is in RemHot.target. */
static void
finish_legacy(RemTranslator *t, unsigned mode, int32_t add, unsigned cpl)
{
    emit_segments(t, &(Selectors){offsetof(Vcpu, sysenter_cs), add, add + 8, cpl});
    set_window(t, X86_CS, false);
    set_window(t, X86_SS, true);
    rem_emit_mov_mi(t->emit, 8, rem_mem_hot(offsetof(RemHot, segments_stale)), 1);
    rem_emit_mode(t, mode);
    rem_emit_mov_rm(t->emit, 8, REM_T0, rem_mem_hot(offsetof(RemHot, target)));
    rem_emit_goto_in_mode(t, mode);
}

bool
rem_translate_sysenter(RemTranslator *t)
{
    RemEmit *emit = t->emit;

    if (!begin_legacy(t))
        return false;
    rem_emit_mov_rm(emit, 4, REM_T0, rem_mem_vcpu(offsetof(Vcpu, sysenter_eip)));
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, target)), REM_T0);
    rem_emit_alu_mi(emit, REM_AND, 4, rem_mem_vcpu(offsetof(Vcpu, rflags)), ~(int32_t)X86_FL_IF);
    rem_emit_mov_rm(emit, 4, X86_RSP, rem_mem_vcpu(offsetof(Vcpu, sysenter_esp)));
    finish_legacy(t, kernel_mode(t), 0, 0);
    return true;
}

bool
rem_translate_sysexit(RemTranslator *t)
{
    RemEmit *emit = t->emit;

    if (!(t->mode & REM_MODE_CPL0) || t->insn->opsize != 4 || !begin_legacy(t))
        return false;
    rem_emit_mov_rr(emit, 4, REM_T0, X86_RDX);
    rem_emit_mov_mr(emit, 8, rem_mem_hot(offsetof(RemHot, target)), REM_T0);
    rem_emit_mov_rr(emit, 4, X86_RSP, X86_RCX);
    finish_legacy(t, user_mode(t), 16, 3);
    return true;
}
