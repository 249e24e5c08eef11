/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Control registers: MOV CRn, LMSW, SMSW, CLTS, with the combinations that #GP, the switch in and
 * out of long mode, and EFER, whose LME and LMA belong to it.
 * Intel SDM volume 3A 2.5, 4.1.1, 9.8.5; volume 2A LMSW, MOV; AMD APM volume 2, 3.1. */
#include "vmm/iem/iem-system.h"

#define CR0_VALID                                                                                  \
    (X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP |    \
     X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

static void
gp0_if(Vcpu *vcpu, bool bad)
{
    if (bad)
        iem_raise_gp0(vcpu);
}

static bool
tr_is_16bit(const Vcpu *vcpu)
{
    return !(X86_SEG_TYPE(vcpu->tr.attr) & 8);
}

/* PG goes on with LME set: the conditions of SDM 3A 9.8.5 and 4.1.1. */
static void
check_long_mode_entry(Vcpu *vcpu)
{
    gp0_if(vcpu,
           !(vcpu->cr4 & X86_CR4_PAE) || vcpu->seg[X86_CS].attr & X86_SEG_L || tr_is_16bit(vcpu));
}

static void
check_cr0(Vcpu *vcpu, uint64_t value)
{
    bool paging = (value & X86_CR0_PG) != 0;
    bool was_paging = (vcpu->cr0 & X86_CR0_PG) != 0;

    gp0_if(vcpu, value >> 32 != 0);
    gp0_if(vcpu, paging && !(value & X86_CR0_PE));
    gp0_if(vcpu, value & X86_CR0_NW && !(value & X86_CR0_CD));
    if (paging && !was_paging && vcpu->efer & X86_EFER_LME)
        check_long_mode_entry(vcpu);
    gp0_if(vcpu, !paging && was_paging && (iem_is_long64(vcpu) || vcpu->cr4 & X86_CR4_PCIDE));
}

/* The state that paging depends on is in place: flush, reload PDPTEs, or take it back and #GP. */
static void
paging_changed(Vcpu *vcpu, uint64_t cr0, uint64_t cr4, uint64_t efer)
{
    cpum_update_mode(vcpu);
    if (!pgm_paging_changed(vcpu, cr0, cr4, efer)) {
        vcpu->cr0 = cr0;
        vcpu->cr4 = cr4;
        vcpu->efer = efer;
        cpum_update_mode(vcpu);
        iem_raise_gp0(vcpu);
    }
    iem_state_changed(vcpu);
}

static void
write_cr0(Vcpu *vcpu, uint64_t value)
{
    uint64_t old = vcpu->cr0;
    uint64_t efer = vcpu->efer;

    check_cr0(vcpu, value);
    vcpu->cr0 = (value & CR0_VALID) | X86_CR0_ET;
    if (vcpu->cr0 & X86_CR0_PG && efer & X86_EFER_LME)
        vcpu->efer |= X86_EFER_LMA;
    else
        vcpu->efer &= ~(uint64_t)X86_EFER_LMA;
    if (old != vcpu->cr0)
        paging_changed(vcpu, old, vcpu->cr4, efer);
}

static void
write_cr3(Vcpu *vcpu, uint64_t value)
{
    uint64_t old = vcpu->cr3;

    if (iem_long_mode_active(vcpu)) {
        if (vcpu->cr4 & X86_CR4_PCIDE)
            value &= ~(1ull << 63); /* "keep the entries": they may be dropped all the same */
        gp0_if(vcpu, value >> vcpu->phys_bits != 0);
    } else {
        value = (uint32_t)value;
    }
    vcpu->cr3 = value;
    if (!pgm_cr3_changed(vcpu)) {
        vcpu->cr3 = old;
        iem_raise_gp0(vcpu);
    }
    iem_state_changed(vcpu);
}

static void
write_cr4(Vcpu *vcpu, uint64_t value)
{
    uint64_t old = vcpu->cr4;

    gp0_if(vcpu, (value & ~cpum_cr4_valid(vcpu)) != 0);
    if (iem_long_mode_active(vcpu))
        gp0_if(vcpu, !(value & X86_CR4_PAE));
    if (value & ~old & X86_CR4_PCIDE)
        gp0_if(vcpu, !iem_long_mode_active(vcpu) || (vcpu->cr3 & 0xfff) != 0);
    vcpu->cr4 = value;
    if (old != value)
        paging_changed(vcpu, vcpu->cr0, old, vcpu->efer);
}

static void
write_cr8(Vcpu *vcpu, uint64_t value)
{
    gp0_if(vcpu, value > 15);
    trpm_set_tpr(vcpu, (uint8_t)value);
    trpm_recheck(vcpu);
}

void
iem_write_efer(Vcpu *vcpu, uint64_t value)
{
    uint64_t old = vcpu->efer;

    gp0_if(vcpu, (value & ~(cpum_efer_valid(vcpu) | X86_EFER_LMA)) != 0);
    gp0_if(vcpu, (value ^ old) & X86_EFER_LME && vcpu->cr0 & X86_CR0_PG);
    vcpu->efer = (value & ~(uint64_t)X86_EFER_LMA) | (old & X86_EFER_LMA);
    if (old != vcpu->efer)
        paging_changed(vcpu, vcpu->cr0, vcpu->cr4, old);
}

static void
op_mov_to_cr(Vcpu *vcpu, const IemInsn *insn)
{
    uint64_t value = vcpu->gpr[insn->rm];

    iem_require_cpl0(vcpu);
    if (!iem_is_long64(vcpu))
        value = (uint32_t)value;
    switch (insn->reg) {
    case 0: write_cr0(vcpu, value); break;
    case 2: vcpu->cr2 = value; break;
    case 3: write_cr3(vcpu, value); break;
    case 4: write_cr4(vcpu, value); break;
    default: write_cr8(vcpu, value); break;
    }
}

static uint64_t
read_cr(Vcpu *vcpu, unsigned number)
{
    switch (number) {
    case 0: return vcpu->cr0;
    case 2: return vcpu->cr2;
    case 3: return vcpu->cr3;
    case 4: return vcpu->cr4;
    default: return trpm_tpr(vcpu);
    }
}

static void
op_mov_from_cr(Vcpu *vcpu, const IemInsn *insn)
{
    iem_require_cpl0(vcpu);
    iem_gpr_write(vcpu, insn->rm, iem_is_long64(vcpu) ? 8 : 4, read_cr(vcpu, insn->reg));
}

IemHandler
iem_choose_mov_cr(const Vcpu *vcpu, IemInsn *insn)
{
    const unsigned existing = 1u << 0 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 8;

    insn->flags |= IEM_INSN_BLOCK_END;
    if (!(existing >> insn->reg & 1))
        return NULL;
    return insn->opcode == 0x22 ? op_mov_to_cr : op_mov_from_cr;
}

/* LMSW can set PE but not clear it. */
static void
op_lmsw(Vcpu *vcpu, const IemInsn *insn)
{
    const uint64_t mask = X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS;
    uint64_t value;

    iem_require_cpl0(vcpu);
    value = insn->flags & IEM_INSN_MEM ? iem_read_u16(vcpu, insn->seg, iem_ea(vcpu, insn))
                                       : vcpu->gpr[insn->rm];
    write_cr0(vcpu, (vcpu->cr0 & ~mask) | (value & mask) | (vcpu->cr0 & X86_CR0_PE));
}

static void
op_smsw(Vcpu *vcpu, const IemInsn *insn)
{
    iem_require_umip(vcpu);
    if (insn->flags & IEM_INSN_MEM)
        iem_write_u16(vcpu, insn->seg, iem_ea(vcpu, insn), (uint16_t)vcpu->cr0);
    else
        iem_gpr_write(vcpu, insn->rm, insn->opsize, vcpu->cr0);
}

IemHandler
iem_choose_msw(const Vcpu *vcpu, IemInsn *insn)
{
    return (insn->modrm >> 3 & 7) == 6 ? op_lmsw : op_smsw;
}

static void
op_clts(Vcpu *vcpu, const IemInsn *insn)
{
    iem_require_cpl0(vcpu);
    vcpu->cr0 &= ~(uint64_t)X86_CR0_TS;
    iem_state_changed(vcpu);
}

IemHandler
iem_choose_clts(const Vcpu *vcpu, IemInsn *insn)
{
    return op_clts;
}
