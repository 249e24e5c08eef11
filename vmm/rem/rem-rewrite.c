/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Emitting a guest instruction again. First its form is brought to what 64-bit code has; then each
 * field that names r13 to r15 becomes a memory operand in the virtual CPU where the form allows it,
 * or a temporary that is loaded before and stored behind. Intel SDM volume 2, appendix A. */
#include "vmm/rem/rem-rewrite.h"

#include "vmm/rem/rem-emit.h"

/* An instruction while it is being put together. */
typedef struct {
    RemOpcode op;
    uint8_t reg, rm;
    bool has_modrm, has_mem, opreg;
    RemMem mem;
    bool fold;                         /* T0 becomes the sum first */
    uint8_t held;                      /* RemEmit.held */
    uint8_t free;                      /* bit n: temporary REM_T0 + n is not in use */
    uint8_t load_of[REM_TEMPORARIES];  /* the guest register that temporary n is loaded with,
                                          REM_NO_REG */
    uint8_t store_of[REM_TEMPORARIES]; /* the one that it is stored to, REM_NO_REG */
    uint8_t swap;                      /* AH..BH as AL..BL: register number, REM_NO_REG for none */
    uint8_t rotated;      /* AH..BH in a temporary: register number, REM_NO_REG for none */
    uint8_t rotated_temp; /* that temporary */
} Form;

/* ---- what can be rewritten ---- */
static bool
is_left_out_one_byte(const RemInsn *insn)
{
    switch (insn->op.code) {
    case 0x8c: /* segment registers */
    case 0x8e:
    case 0xfc: /* CLD, STD: the host's DF stays 0 */
    case 0xfd: return true;
    case 0xd9:
    case 0xdd: /* FLDENV, FNSTENV, FRSTOR, FNSAVE: their layout is the mode's */
        return (insn->form & REM_FORM_MEM) && (insn->reg & 5) == 4 &&
               !(insn->op.code == 0xd9 && (insn->reg & 7) == 5);
    default: return false;
    }
}

static bool
is_left_out(const RemInsn *insn)
{
    if (insn->op.map == 0)
        return is_left_out_one_byte(insn);
    if (insn->op.map == 1 && insn->op.code >= 0x20 && insn->op.code <= 0x23)
        return true; /* control and debug registers */
    if (insn->row == ZYDIS_MNEMONIC_VZEROALL || insn->row == ZYDIS_MNEMONIC_VZEROUPPER)
        return insn->code != X86_CODE_64; /* eight registers, not all */
    /* FXSAVE, FXRSTOR, XSAVE, XRSTOR: what they show is the guest's, not the host's. */
    return insn->op.map == 1 && insn->op.code == 0xae && (insn->form & REM_FORM_MEM) &&
           (insn->reg & 7) != 2 && (insn->reg & 7) != 3 && (insn->reg & 7) != 7;
}

/* CMPXCHG compares with AL, so AH cannot be swapped with it for the time. */
static bool
is_bound_high(const RemInsn *insn)
{
    return (insn->form & REM_FORM_REG_HIGH) && insn->row == ZYDIS_MNEMONIC_CMPXCHG &&
           (insn->reg & 7) == 4 && (insn->form & REM_FORM_MEM);
}

bool
rem_can_rewrite(const RemInsn *insn)
{
    bool wanted = insn->treatment == REM_TREAT_COPY || insn->row == ZYDIS_MNEMONIC_LEA ||
                  insn->row == ZYDIS_MNEMONIC_CLFLUSH;

    if (!wanted || (insn->does & (REM_DOES_IMPLICIT | REM_DOES_BITS | REM_DOES_LEAVE)))
        return false;
    if (!(insn->form & (REM_FORM_LEGACY | REM_FORM_VEX)) || insn->op.map > 3 || insn->mem.vsib)
        return false;
    return !is_left_out(insn) && !is_bound_high(insn);
}

/* ---- temporaries ---- */
static void
take_if_temporary(Form *form, unsigned host)
{
    if (host != REM_NO_REG && host >= REM_T0)
        form->free &= ~(1u << (host - REM_T0));
}

static int
take_temporary(Form *form)
{
    for (int i = REM_TEMPORARIES; i-- > 0;) {
        if (form->free & (1u << i)) {
            form->free &= ~(1u << i);
            return i;
        }
    }
    return -1;
}

/* One that the instruction only writes may take the place of an address that it has read by then.
 */
static int
take_written(Form *form)
{
    int temp = take_temporary(form);

    for (int i = REM_TEMPORARIES; temp < 0 && i-- > 0;)
        if (form->store_of[i] == REM_NO_REG && !(form->held >> i & 1))
            temp = i;
    return temp;
}

static int
find_assigned(const Form *form, unsigned guest)
{
    for (int i = 0; i < REM_TEMPORARIES; i++)
        if (form->load_of[i] == guest || form->store_of[i] == guest)
            return i;
    return -1;
}

static bool
is_held(const Form *form, unsigned reg)
{
    return reg >= REM_T0 && reg < REM_T0 + REM_TEMPORARIES && (form->held >> (reg - REM_T0) & 1);
}

/* Gives a guest register above r12 a temporary; two fields with the same register share it. */
static bool
assign(Form *form, const RemInsn *insn, uint8_t *field)
{
    unsigned guest = *field, bit = 1u << guest;
    bool read = insn->gpr_read & bit, written = insn->gpr_written & bit;
    int temp = find_assigned(form, guest);

    if (guest < REM_T0 || is_held(form, guest))
        return true;
    if (temp < 0)
        temp = read || !written ? take_temporary(form) : take_written(form);
    if (temp < 0)
        return false;
    if (read)
        form->load_of[temp] = (uint8_t)guest;
    if (written)
        form->store_of[temp] = (uint8_t)guest;
    *field = (uint8_t)(REM_T0 + temp);
    return true;
}

/* ---- registers as memory ---- */
/* Is `rm` an operand that can as well be in memory, with the same effect? */
static bool
rm_can_be_memory_one_byte(unsigned code)
{
    if (code < 0x40)
        return (code & 7) < 4;
    switch (code) {
    case 0x63:
    case 0x69:
    case 0x6b:
    case 0x80:
    case 0x81:
    case 0x83:
    case 0x84:
    case 0x85:
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b:
    case 0xc0:
    case 0xc1:
    case 0xc6:
    case 0xc7:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
    case 0xf6:
    case 0xf7:
    case 0xfe:
    case 0xff: return true;
    default: return false;
    }
}

static bool
rm_can_be_memory_0f(const RemOpcode *op)
{
    switch (op->code) {
    case 0x2a: return op->prefix == 0xf2 || op->prefix == 0xf3; /* CVTSI2SD, CVTSI2SS */
    case 0x6e:                                                  /* MOVD, MOVQ */
    case 0xa4:
    case 0xa5:
    case 0xac:
    case 0xad:
    case 0xaf:
    case 0xb6:
    case 0xb7:
    case 0xb8:
    case 0xbc:
    case 0xbd:
    case 0xbe:
    case 0xbf: return true;
    default: return op->code >> 4 == 4 || op->code >> 4 == 9; /* CMOVcc, SETcc */
    }
}

static bool
rm_can_be_memory(const Form *form, const RemInsn *insn)
{
    if (!form->has_modrm || form->has_mem || !(insn->form & REM_FORM_RM_GPR) ||
        !(insn->form & REM_FORM_LEGACY) || form->rm < REM_T0 || is_held(form, form->rm))
        return false;
    /* A result of 32 bits clears the upper half of a register, but not of memory. */
    if (insn->opsize == 4 && (insn->gpr_written & (1u << form->rm)))
        return false;
    if ((insn->form & REM_FORM_REG_GPR) && insn->reg == insn->rm)
        return false;
    return form->op.map == 0   ? rm_can_be_memory_one_byte(form->op.code)
           : form->op.map == 1 ? rm_can_be_memory_0f(&form->op)
                               : false;
}

/* ---- AH, CH, DH, BH beside a REX prefix ---- */
static bool
needs_rex(const Form *form)
{
    return (form->op.flags & (REM_OP_W | REM_OP_REX)) || form->reg >= 8 ||
           (form->has_mem && ((form->mem.base != REM_NO_REG && form->mem.base >= 8) ||
                              (form->mem.index != REM_NO_REG && form->mem.index >= 8)));
}

/* Only ModRM.reg can be one beside memory; without memory no REX is ever needed. */
static bool
place_high(Form *form, const RemEmit *emit, const RemInsn *insn)
{
    unsigned guest = insn->reg & 3;
    int temp;

    form->swap = form->rotated = REM_NO_REG;
    if (!(insn->form & REM_FORM_REG_HIGH) || !form->has_mem || !needs_rex(form))
        return true;
    if (emit->bmi2 && !(insn->gpr_written & (1u << guest)) && (temp = take_temporary(form)) >= 0) {
        form->rotated = (uint8_t)guest;
        form->rotated_temp = (uint8_t)(REM_T0 + temp);
        form->reg = form->rotated_temp;
    } else {
        form->swap = form->reg = (uint8_t)guest;
        if (form->mem.base == guest || form->mem.index == guest) {
            form->fold = true; /* the swap would change the address */
            form->mem = rem_mem(REM_T0, 0);
        }
    }
    return true;
}

/* ---- forms that 64-bit code does not have ---- */
static void
modernize(Form *form, const RemInsn *insn)
{
    unsigned code = form->op.code;

    if (form->op.map != 0)
        return;
    if (code >= 0x40 && code <= 0x4f && insn->code != X86_CODE_64) { /* INC, DEC */
        form->op.code = 0xff;
        form->reg = code >= 0x48;
        form->has_modrm = true;
        form->opreg = false;
    } else if (code == 0x82) {
        form->op.code = 0x80;
    } else if (insn->form & REM_FORM_MOFFS) {
        form->op.code = (uint8_t)(code < 0xa2 ? code - 0xa0 + 0x8a : code - 0xa2 + 0x88);
        form->reg = X86_RAX;
        form->has_modrm = true;
    }
}

static bool
is_temporary(const Form *form, unsigned host)
{
    return host >= REM_T0 && host < REM_T0 + REM_TEMPORARIES && !is_held(form, host);
}

/* An address in both temporaries goes to the first if the second is wanted. */
static void
place_memory(Form *form, const RemInsn *insn, const RemMem *mem)
{
    const uint32_t high = (insn->gpr_read | insn->gpr_written) >> REM_T0 & ~(uint32_t)form->held;

    form->mem = *mem;
    form->fold = high != 0 && is_temporary(form, mem->base) && is_temporary(form, mem->index);
    if (form->fold)
        form->mem = rem_mem(REM_T0, 0);
    take_if_temporary(form, form->mem.base);
    take_if_temporary(form, form->mem.index);
}

static bool
build(Form *form, const RemEmit *emit, const RemInsn *insn, const RemMem *mem)
{
    const bool has_vvvv = insn->form & REM_FORM_VVVV_GPR;
    const bool reads_vvvv = has_vvvv && (insn->gpr_read & (1u << insn->op.vvvv));

    *form = (Form){.op = insn->op,
                   .reg = insn->reg,
                   .rm = insn->rm,
                   .has_modrm = insn->form & REM_FORM_MODRM,
                   .opreg = insn->form & REM_FORM_OPREG,
                   .has_mem = mem != NULL,
                   .held = emit->held,
                   .free = ((1u << REM_TEMPORARIES) - 1) & ~(unsigned)emit->held,
                   .load_of = {REM_NO_REG, REM_NO_REG},
                   .store_of = {REM_NO_REG, REM_NO_REG}};
    form->op.flags |= insn->form & REM_FORM_LOCK ? REM_OP_LOCK : 0;
    modernize(form, insn);
    if (mem != NULL)
        place_memory(form, insn, mem);
    if (rm_can_be_memory(form, insn)) {
        form->has_mem = true;
        form->mem = rem_mem_gpr(form->rm);
    } else if (!form->has_mem && (insn->form & REM_FORM_RM_GPR) && !assign(form, insn, &form->rm)) {
        return false;
    }
    if (reads_vvvv && !assign(form, insn, &form->op.vvvv))
        return false;
    if ((insn->form & REM_FORM_REG_GPR) && !(insn->form & REM_FORM_REG_HIGH) &&
        !assign(form, insn, &form->reg))
        return false;
    if (has_vvvv && !reads_vvvv && !assign(form, insn, &form->op.vvvv))
        return false;
    return place_high(form, emit, insn);
}

/* ---- emitting ---- */
void
rem_rewrite_load(RemEmit *emit, unsigned to, unsigned guest)
{
    if (!rem_is_held(emit, guest))
        rem_emit_mov_rm(emit, 8, to, rem_mem_gpr(guest));
    else if (to != guest)
        rem_emit_mov_rr(emit, 8, to, guest);
}

void
rem_rewrite_store(RemEmit *emit, unsigned guest, unsigned from)
{
    if (!rem_is_held(emit, guest))
        rem_emit_mov_mr(emit, 8, rem_mem_gpr(guest), from);
    else if (from != guest)
        rem_emit_mov_rr(emit, 8, guest, from);
}

/* XCHG AL, AH and its like: no flags. */
static void
emit_swap(RemEmit *emit, unsigned reg)
{
    if (reg != REM_NO_REG)
        rem_emit_op_rr(emit, (RemOpcode){.code = 0x86}, reg, reg + 4);
}

static void
emit_itself(RemEmit *emit, const Form *form, const RemInsn *insn)
{
    RemOpcode op = form->op;

    if (form->has_modrm && form->has_mem) {
        rem_emit_op_rm(emit, op, form->reg, form->mem);
    } else if (form->has_modrm) {
        rem_emit_op_rr(emit, op, form->reg, form->rm);
    } else {
        if (form->opreg)
            op.code &= 0xf8;
        rem_emit_op(emit, op, form->opreg ? form->rm : 0);
    }
    rem_emit_imm(emit, insn->imm, insn->imm_size);
}

static void
emit_form(RemEmit *emit, const Form *form, const RemInsn *insn, const RemMem *mem)
{
    if (form->fold)
        rem_emit_lea(emit, 8, REM_T0, *mem);
    for (unsigned i = 0; i < REM_TEMPORARIES; i++)
        if (form->load_of[i] != REM_NO_REG)
            rem_rewrite_load(emit, REM_T0 + i, form->load_of[i]);
    if (form->rotated != REM_NO_REG)
        rem_emit_rorx(emit, 4, form->rotated_temp, form->rotated, 8);
    emit_swap(emit, form->swap);
    emit_itself(emit, form, insn);
    emit_swap(emit, form->swap);
    for (unsigned i = 0; i < REM_TEMPORARIES; i++)
        if (form->store_of[i] != REM_NO_REG)
            rem_rewrite_store(emit, form->store_of[i], REM_T0 + i);
}

static bool
is_nothing(const RemInsn *insn)
{
    return insn->row == ZYDIS_MNEMONIC_NOP ||
           (insn->op.map == 1 && (insn->op.code == 0x18 || insn->op.code == 0x0d));
}

bool
rem_rewrite(RemEmit *emit, const RemInsn *insn, const RemMem *mem, const RemRip *rip)
{
    Form form;

    if (!rem_can_rewrite(insn) || ((insn->does & REM_DOES_MEMORY) != 0) != (mem != NULL))
        return false;
    if (is_nothing(insn))
        return true;
    if (insn->row == ZYDIS_MNEMONIC_LEA) {
        rem_rewrite_lea(emit, insn, rip);
        return true;
    }
    if (!build(&form, emit, insn, mem))
        return false;
    emit_form(emit, &form, insn, mem);
    return true;
}
