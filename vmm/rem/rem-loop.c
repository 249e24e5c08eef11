/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finding loops whose turns can run without probes: which registers move by constants, which memory
 * operands there are relative to them, and whether the flags allow a count of turns in between. */
#include "vmm/rem/rem-loop.h"

#include <string.h>

#define SPAN_MAX 2048 /* bytes that the operands of a group may cover */
#define STRIDE_MAX 4095

typedef struct {
    const RemTranslator *t;
    RemLoop *loop;
    int64_t step[X86_GPR_COUNT];  /* what a register grows by in a turn */
    int64_t moved[X86_GPR_COUNT]; /* and has grown by at this instruction */
    uint16_t wild;                /* registers that change otherwise */
    uint16_t stepped;             /* registers that move, if only to and fro */
    unsigned end;                 /* offset in the page of the next instruction */
} Finder;

/* ---- the branch ---- */
static bool
find_branch(const RemTranslator *t, RemLoop *loop)
{
    unsigned end = 0;

    for (unsigned i = 0; i < t->count; i++) {
        end += t->insns[i].length;
        if (t->side_exit[i] && (int64_t)end + rem_insn_imm(&t->insns[i]) == 0) {
            loop->count = i + 1;
            return true;
        }
    }
    return false;
}

static bool
is_branch(const RemTranslator *t, unsigned i)
{
    return t->side_exit[i];
}

/* ---- registers ---- */
static unsigned
natural_size(const RemTranslator *t)
{
    return rem_is_long64(t) ? 8 : 4;
}

/* ADD or SUB of an immediate, INC, DEC, LEA from itself: what the register grows by. */
static bool
is_step(const RemTranslator *t, const RemInsn *insn, unsigned *reg, int64_t *by)
{
    const unsigned code = insn->op.code, digit = insn->reg & 7;
    const bool plain = insn->op.map == 0 && (insn->form & REM_FORM_LEGACY) &&
                       !(insn->form & (REM_FORM_MEM | REM_FORM_LOCK));

    if (insn->opsize != natural_size(t))
        return false;
    if (insn->row == ZYDIS_MNEMONIC_LEA) {
        *reg = insn->reg;
        *by = insn->mem.disp;
        return insn->mem.base == insn->reg && insn->mem.index == REM_NO_REG &&
               insn->addrsize == natural_size(t);
    }
    *reg = insn->rm;
    if (plain && (code == 0x81 || code == 0x83) && (digit == 0 || digit == 5)) {
        *by = digit == 0 ? rem_insn_imm(insn) : -rem_insn_imm(insn);
        return true;
    }
    if (plain && code == 0xff && digit <= 1) {
        *by = digit == 0 ? 1 : -1;
        return true;
    }
    if (plain && insn->code != X86_CODE_64 && code >> 4 == 4) {
        *by = code < 0x48 ? 1 : -1;
        return true;
    }
    return false;
}

static void
note_registers(Finder *finder)
{
    for (unsigned i = 0; i < finder->loop->count; i++) {
        const RemInsn *insn = &finder->t->insns[i];
        unsigned reg;
        int64_t by;

        if (is_step(finder->t, insn, &reg, &by)) {
            finder->step[reg] += by;
            finder->stepped |= (uint16_t)(1u << reg);
        } else {
            finder->wild |= insn->gpr_written;
        }
    }
}

static bool
is_steady(const Finder *finder, unsigned reg)
{
    return reg == REM_NO_REG || !(finder->wild & (1u << reg));
}

/* ---- memory operands ---- */
/* Is the operand near enough to the others of the group? */
static bool
is_within(const RemLoopGroup *group, const RemOperand *mem, int64_t offset)
{
    return MAX(group->high, offset + mem->size) - MIN(group->low, offset) <= SPAN_MAX;
}

static RemLoopGroup *
group_for(Finder *finder, const RemOperand *mem, int64_t offset)
{
    RemLoop *loop = finder->loop;
    const bool bare = mem->base == REM_NO_REG && mem->index == REM_NO_REG;
    RemLoopGroup *group;

    for (unsigned i = 0; i < loop->group_count && !bare; i++) {
        group = &loop->groups[i];
        if (group->base == mem->base && group->index == mem->index && group->scale == mem->scale &&
            is_within(group, mem, offset))
            return group;
    }
    if (loop->group_count == REM_LOOP_GROUPS)
        return NULL;
    group = &loop->groups[loop->group_count++];
    *group =
        (RemLoopGroup){.base = mem->base,
                       .index = mem->index,
                       .scale = mem->scale,
                       .bare = bare,
                       .fixed = mem->base != REM_NO_REG && !(finder->stepped & (1u << mem->base)),
                       .rip_relative = mem->rip_relative,
                       .align = 1,
                       .low = INT64_MAX,
                       .high = INT64_MIN};
    return group;
}

/* A base that is not in a host register has to be fixed, so that it can be added once. */
static bool
is_possible_operand(const Finder *finder, const RemInsn *insn)
{
    const RemOperand *mem = &insn->mem;
    const RemTranslator *t = finder->t;

    if (!mem->present || mem->vsib || mem->size == 0 || insn->addrsize != natural_size(t) ||
        mem->seg == X86_FS || mem->seg == X86_GS || mem->disp != (int32_t)mem->disp)
        return false;
    if (!rem_is_long64(t) && (!(t->mode & REM_MODE_FLAT) || mem->seg == X86_CS))
        return false;
    if (mem->index != REM_NO_REG && !rem_in_register(mem->index))
        return false;
    if (mem->base != REM_NO_REG && !rem_in_register(mem->base) &&
        (finder->stepped & (1u << mem->base)))
        return false;
    return is_steady(finder, mem->base) && is_steady(finder, mem->index);
}

static bool
align_group(RemLoopGroup *group, const RemOperand *mem, int64_t offset)
{
    const uint8_t phase = (uint8_t)(offset & (mem->align - 1));

    if (mem->align == 1)
        return true;
    if (group->align != 1 && (group->align != mem->align || group->phase != phase))
        return false;
    group->align = mem->align;
    group->phase = phase;
    return group->stride % mem->align == 0;
}

/* Outside of 64-bit code a register must not wrap at 32 bits: the guard allows for two pages. */
static bool
is_near(const Finder *finder, unsigned reg)
{
    return rem_is_long64(finder->t) || reg == REM_NO_REG ||
           ABS(finder->moved[reg]) <= X86_PAGE_SIZE / 2;
}

static bool
add_operand(Finder *finder, unsigned i)
{
    const RemInsn *insn = &finder->t->insns[i];
    const RemOperand *mem = &insn->mem;
    int64_t offset = mem->disp, stride = 0;
    bool moves = false;
    RemLoopGroup *group;

    if (!is_possible_operand(finder, insn) || !is_near(finder, mem->base) ||
        !is_near(finder, mem->index))
        return false;
    if (mem->base != REM_NO_REG) {
        offset += finder->moved[mem->base];
        stride += finder->step[mem->base];
        moves = finder->step[mem->base] != 0;
    }
    if (mem->index != REM_NO_REG) {
        offset += finder->moved[mem->index] * (1 << mem->scale);
        stride += finder->step[mem->index] * (1 << mem->scale);
        if (moves && finder->step[mem->index] != 0 && !rem_is_long64(finder->t))
            return false; /* either may wrap while the sum stays in its page */
    }
    if (mem->rip_relative)
        offset += finder->end;
    group = group_for(finder, mem, offset);
    if (group == NULL)
        return false;
    group->stride = stride;
    group->low = MIN(group->low, offset);
    group->high = MAX(group->high, offset + mem->size);
    group->write |= mem->written;
    finder->loop->group_of[i] = (uint8_t)(group - finder->loop->groups);
    finder->loop->accesses++;
    return ABS(stride) <= STRIDE_MAX && group->high - group->low <= SPAN_MAX &&
           group->low == (int32_t)group->low && align_group(group, mem, offset);
}

/* ---- instructions ---- */
/* The rewriter needs a temporary of its own for it. */
static bool
needs_temporary(const RemInsn *insn)
{
    const uint32_t high = (insn->gpr_read | insn->gpr_written) >> REM_T0;

    if (insn->row == ZYDIS_MNEMONIC_LEA)
        return high != 0 || insn->mem.rip_relative || insn->opsize == 2 || insn->addrsize == 2 ||
               (insn->mem.base == REM_NO_REG && insn->mem.index == REM_NO_REG);
    return high != 0 || (insn->form & (REM_FORM_REG_HIGH | REM_FORM_RM_HIGH));
}

static bool
is_possible_insn(const RemTranslator *t, const RemInsn *insn)
{
    if (!rem_is_copy(insn) || !rem_can_rewrite(insn) || (insn->form & REM_FORM_LOCK))
        return false;
    if (insn->does & (REM_DOES_X87 | REM_DOES_MMX | REM_DOES_DIVIDE))
        return false;
    if (insn->op.map == 1 && insn->op.code == 0xae)
        return false; /* MXCSR and the like */
    return !(insn->does & REM_DOES_VECTOR) || rem_vector_need(t->mode, insn) != REM_VECTOR_NONE;
}

static bool
add_insn(Finder *finder, unsigned i)
{
    const RemInsn *insn = &finder->t->insns[i];
    unsigned reg;
    int64_t by;

    finder->end += insn->length;
    if (is_branch(finder->t, i))
        return true;
    if (!is_possible_insn(finder->t, insn))
        return false;
    if ((insn->does & REM_DOES_MEMORY) && !add_operand(finder, i))
        return false;
    if (is_step(finder->t, insn, &reg, &by))
        finder->moved[reg] += by;
    finder->loop->needs_temporaries |= needs_temporary(insn);
    return true;
}

/* ---- flags ---- */
/* A turn begins with all flags but CF lost (DEC counts the turns). Nothing may read them before
 * they are written, and in the end all have to be there. */
static bool
flags_allow(const RemTranslator *t, RemLoop *loop)
{
    unsigned lost = X86_FL_STATUS & ~X86_FL_CF;

    for (unsigned i = 0; i < loop->count; i++) {
        const RemInsn *insn = &t->insns[i];

        if ((insn->flags_read & lost) || (is_branch(t, i) && lost != 0))
            return false; /* a branch may leave, with all of them */
        lost &= ~(unsigned)insn->flags_set;
        if (rem_insn_flags_written(insn) != 0)
            loop->writer = i;
    }
    return lost == 0;
}

/* Do the registers of `writer` stay as they are behind it? */
static bool
is_undisturbed(const RemTranslator *t, const RemLoop *loop)
{
    const RemInsn *writer = &t->insns[loop->writer];

    for (unsigned i = loop->writer + 1; i < loop->count; i++)
        if (t->insns[i].gpr_written & (writer->gpr_read | writer->gpr_written))
            return false;
    return true;
}

static RemLoopFlags
way_to_flags(const RemTranslator *t, RemLoop *loop)
{
    const RemInsn *writer = &t->insns[loop->writer];
    unsigned reg;
    int64_t by;

    if ((writer->does & REM_DOES_MEMORY) || !is_undisturbed(t, loop))
        return REM_LOOP_STORE;
    if (writer->gpr_written == 0 && writer->flags_set == X86_FL_STATUS && writer->flags_read == 0)
        return REM_LOOP_REPEAT; /* CMP, TEST */
    if (is_step(t, writer, &reg, &by) && rem_in_register(reg) && -by == (int32_t)-by) {
        loop->undo = (int32_t)-by;
        return REM_LOOP_UNDO;
    }
    switch (writer->row) {
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR:
        if (writer->opsize >= 4 && (writer->gpr_written & (writer->gpr_written - 1)) == 0 &&
            writer->gpr_written < 1u << REM_T0)
            return REM_LOOP_TEST;
        return REM_LOOP_STORE;
    default: return REM_LOOP_STORE;
    }
}

bool
rem_loop_find(const RemTranslator *t, RemLoop *loop)
{
    Finder finder = {.t = t, .loop = loop, .end = t->offset};

    memset(loop, 0, sizeof *loop);
    if ((t->mode & REM_MODE_SLOW_MEMORY) || !find_branch(t, loop))
        return false;
    note_registers(&finder);
    for (unsigned i = 0; i < loop->count; i++)
        if (!add_insn(&finder, i))
            return false;
    if (!flags_allow(t, loop))
        return false;
    loop->flags = way_to_flags(t, loop);
    loop->needs_temporaries |= loop->flags == REM_LOOP_STORE;
    return true;
}
