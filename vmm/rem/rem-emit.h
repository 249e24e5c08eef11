/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Instructions of x86-64 by name, for translated code. Sizes are in bytes: 1, 2, 4, 8. Register
 * operands of one byte are AL..R15B (never AH..BH). Suffixes: r register, i immediate, m memory;
 * the destination first. Emitters that touch no flags where the instruction itself would say so.
 * Intel SDM volume 2. */
#pragma once

#include "vmm/rem/rem-emit-core.h"

/* The eight operations of the first opcodes and of group 1, in their order there. */
typedef enum { REM_ADD, REM_OR, REM_ADC, REM_SBB, REM_AND, REM_SUB, REM_XOR, REM_CMP } RemAlu;
/* Group 2. */
typedef enum { REM_ROL, REM_ROR, REM_RCL, REM_RCR, REM_SHL, REM_SHR, REM_SAR = 7 } RemShift;
/* Conditions as Jcc, SETcc and CMOVcc number them; ^ 1 inverts. */
typedef enum {
    REM_CC_O,
    REM_CC_NO,
    REM_CC_B,
    REM_CC_NB,
    REM_CC_Z,
    REM_CC_NZ,
    REM_CC_BE,
    REM_CC_NBE,
    REM_CC_S,
    REM_CC_NS,
    REM_CC_P,
    REM_CC_NP,
    REM_CC_L,
    REM_CC_NL,
    REM_CC_LE,
    REM_CC_NLE,
} RemCondition;

/* ---- moves ---- */
static inline void
rem_emit_mov_rr(RemEmit *emit, unsigned size, unsigned to, unsigned from)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0x8b, size, to, from), to, from);
}

static inline void
rem_emit_mov_rm(RemEmit *emit, unsigned size, unsigned to, RemMem from)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 0x8b, size, to, REM_NO_REG), to, from);
}

static inline void
rem_emit_mov_mr(RemEmit *emit, unsigned size, RemMem to, unsigned from)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 0x89, size, from, REM_NO_REG), from, to);
}

/* The whole register, in the shortest form; no flags. */
static inline void
rem_emit_mov_ri(RemEmit *emit, unsigned to, uint64_t value)
{
    bool is_signed = (int64_t)value == (int32_t)value && value > UINT32_MAX;
    bool wide = !is_signed && value > UINT32_MAX;

    if (is_signed)
        rem_emit_op_rr(emit, (RemOpcode){.code = 0xc7, .flags = REM_OP_W}, 0, to);
    else
        rem_emit_op(emit, (RemOpcode){.code = 0xb8, .flags = wide ? REM_OP_W : 0}, to);
    rem_emit_imm(emit, value, wide ? 8 : 4);
}

/* size 8: the value is a sign-extended 32-bit one. */
static inline void
rem_emit_mov_mi(RemEmit *emit, unsigned size, RemMem to, int32_t value)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 0xc7, size, REM_NO_REG, REM_NO_REG), 0, to);
    rem_emit_imm(emit, (uint32_t)value, MIN(size, 4));
}

/* From 1 or 2 bytes (4: MOV) to the whole register. */
static inline void
rem_emit_movzx_rr(RemEmit *emit, unsigned from_size, unsigned to, unsigned from)
{
    if (from_size == 4) {
        rem_emit_mov_rr(emit, 4, to, from);
    } else {
        RemOpcode op = {.map = 1, .code = from_size == 1 ? 0xb6 : 0xb7};

        op.flags = from_size == 1 && from >= 4 ? REM_OP_REX : 0;
        rem_emit_op_rr(emit, op, to, from);
    }
}

static inline void
rem_emit_movzx_rm(RemEmit *emit, unsigned from_size, unsigned to, RemMem from)
{
    if (from_size >= 4)
        rem_emit_mov_rm(emit, from_size, to, from);
    else
        rem_emit_op_rm(emit, (RemOpcode){.map = 1, .code = from_size == 1 ? 0xb6 : 0xb7}, to, from);
}

/* From 1, 2 or 4 bytes to 64 bits. */
static inline RemOpcode
rem_op_movsx(unsigned from_size)
{
    if (from_size == 4)
        return (RemOpcode){.code = 0x63, .flags = REM_OP_W};
    return (RemOpcode){.map = 1, .code = from_size == 1 ? 0xbe : 0xbf, .flags = REM_OP_W};
}

static inline void
rem_emit_movsx_rr(RemEmit *emit, unsigned from_size, unsigned to, unsigned from)
{
    rem_emit_op_rr(emit, rem_op_movsx(from_size), to, from);
}

static inline void
rem_emit_movsx_rm(RemEmit *emit, unsigned from_size, unsigned to, RemMem from)
{
    rem_emit_op_rm(emit, rem_op_movsx(from_size), to, from);
}

/* size 4 or 8: the result is cut to it. No flags. */
static inline void
rem_emit_lea(RemEmit *emit, unsigned size, unsigned to, RemMem from)
{
    rem_emit_op_rm(emit, (RemOpcode){.code = 0x8d, .flags = size == 8 ? REM_OP_W : 0}, to, from);
}

static inline void
rem_emit_xchg_rr(RemEmit *emit, unsigned size, unsigned a, unsigned b)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0x87, size, a, b), a, b);
}

/* Locked, whether it says so or not. */
static inline void
rem_emit_xchg_rm(RemEmit *emit, unsigned size, unsigned reg, RemMem mem)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 0x87, size, reg, REM_NO_REG), reg, mem);
}

static inline void
rem_emit_bswap(RemEmit *emit, unsigned size, unsigned reg)
{
    rem_emit_op(emit, (RemOpcode){.map = 1, .code = 0xc8, .flags = size == 8 ? REM_OP_W : 0}, reg);
}

static inline void
rem_emit_cmov_rr(RemEmit *emit, RemCondition cc, unsigned size, unsigned to, unsigned from)
{
    rem_emit_op_rr(emit, rem_op_sized(1, 0x40u + cc, size, REM_NO_REG, REM_NO_REG), to, from);
}

static inline void
rem_emit_cmov_rm(RemEmit *emit, RemCondition cc, unsigned size, unsigned to, RemMem from)
{
    rem_emit_op_rm(emit, rem_op_sized(1, 0x40u + cc, size, REM_NO_REG, REM_NO_REG), to, from);
}

/* The low byte only. */
static inline void
rem_emit_setcc_r(RemEmit *emit, RemCondition cc, unsigned to)
{
    rem_emit_op_rr(emit, rem_op_sized(1, 0x91u + cc, 1, to, REM_NO_REG), 0, to);
}

static inline void
rem_emit_setcc_m(RemEmit *emit, RemCondition cc, RemMem to)
{
    rem_emit_op_rm(emit, (RemOpcode){.map = 1, .code = (uint8_t)(0x90u + cc)}, 0, to);
}

/* The host's stack: never while it is the guest's. */
static inline void
rem_emit_push_r(RemEmit *emit, unsigned reg)
{
    rem_emit_op(emit, (RemOpcode){.code = 0x50}, reg);
}

static inline void
rem_emit_pop_r(RemEmit *emit, unsigned reg)
{
    rem_emit_op(emit, (RemOpcode){.code = 0x58}, reg);
}

/* ---- arithmetic ---- */
static inline void
rem_emit_alu_rr(RemEmit *emit, RemAlu alu, unsigned size, unsigned to, unsigned from)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 8u * alu + 3, size, to, from), to, from);
}

static inline void
rem_emit_alu_rm(RemEmit *emit, RemAlu alu, unsigned size, unsigned to, RemMem from)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 8u * alu + 3, size, to, REM_NO_REG), to, from);
}

static inline void
rem_emit_alu_mr(RemEmit *emit, RemAlu alu, unsigned size, RemMem to, unsigned from)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 8u * alu + 1, size, from, REM_NO_REG), from, to);
}

/* Group 1's opcode: 80 with one byte, 83 with a sign-extended one, 81 else. */
static inline RemOpcode
rem_op_group1(unsigned size, int32_t value, unsigned reg)
{
    unsigned code = size != 1 && value == (int8_t)value ? 0x83 : 0x81;

    return rem_op_sized(0, code, size, reg, REM_NO_REG);
}

static inline void
rem_emit_group1_imm(RemEmit *emit, unsigned size, int32_t value)
{
    rem_emit_imm(emit, (uint32_t)value, value == (int8_t)value ? 1 : MIN(size, 4));
}

static inline void
rem_emit_alu_ri(RemEmit *emit, RemAlu alu, unsigned size, unsigned to, int32_t value)
{
    if (size == 1)
        value = (int8_t)value;
    rem_emit_op_rr(emit, rem_op_group1(size, value, to), alu, to);
    rem_emit_group1_imm(emit, size, value);
}

static inline void
rem_emit_alu_mi(RemEmit *emit, RemAlu alu, unsigned size, RemMem to, int32_t value)
{
    if (size == 1)
        value = (int8_t)value;
    rem_emit_op_rm(emit, rem_op_group1(size, value, REM_NO_REG), alu, to);
    rem_emit_group1_imm(emit, size, value);
}

static inline void
rem_emit_test_rr(RemEmit *emit, unsigned size, unsigned a, unsigned b)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0x85, size, a, b), b, a);
}

static inline void
rem_emit_test_mr(RemEmit *emit, unsigned size, RemMem mem, unsigned reg)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 0x85, size, reg, REM_NO_REG), reg, mem);
}

static inline void
rem_emit_test_ri(RemEmit *emit, unsigned size, unsigned reg, int32_t value)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0xf7, size, reg, REM_NO_REG), 0, reg);
    rem_emit_imm(emit, (uint32_t)value, MIN(size, 4));
}

static inline void
rem_emit_test_mi(RemEmit *emit, unsigned size, RemMem mem, int32_t value)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 0xf7, size, REM_NO_REG, REM_NO_REG), 0, mem);
    rem_emit_imm(emit, (uint32_t)value, MIN(size, 4));
}

static inline void
rem_emit_inc_m(RemEmit *emit, unsigned size, RemMem mem)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 0xff, size, REM_NO_REG, REM_NO_REG), 0, mem);
}

static inline void
rem_emit_dec_m(RemEmit *emit, unsigned size, RemMem mem)
{
    rem_emit_op_rm(emit, rem_op_sized(0, 0xff, size, REM_NO_REG, REM_NO_REG), 1, mem);
}

static inline void
rem_emit_not_r(RemEmit *emit, unsigned size, unsigned reg)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0xf7, size, reg, REM_NO_REG), 2, reg);
}

static inline void
rem_emit_neg_r(RemEmit *emit, unsigned size, unsigned reg)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0xf7, size, reg, REM_NO_REG), 3, reg);
}

static inline void
rem_emit_imul_rri(RemEmit *emit, unsigned size, unsigned to, unsigned from, int32_t value)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0x69, size, REM_NO_REG, REM_NO_REG), to, from);
    rem_emit_imm(emit, (uint32_t)value, MIN(size, 4));
}

/* ---- shifts ---- */
static inline void
rem_emit_shift_ri(RemEmit *emit, RemShift shift, unsigned size, unsigned reg, unsigned count)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0xc1, size, reg, REM_NO_REG), shift, reg);
    rem_emit_imm(emit, count, 1);
}

/* By CL. */
static inline void
rem_emit_shift_r(RemEmit *emit, RemShift shift, unsigned size, unsigned reg)
{
    rem_emit_op_rr(emit, rem_op_sized(0, 0xd3, size, reg, REM_NO_REG), shift, reg);
}

/* The BMI2 ones touch no flags: only where emit->bmi2. size 4 or 8. */
static inline void
rem_emit_rorx(RemEmit *emit, unsigned size, unsigned to, unsigned from, unsigned count)
{
    RemOpcode op = {0xf2, 3, 0xf0, REM_OP_VEX, 0};

    op.flags |= size == 8 ? REM_OP_W : 0;
    rem_emit_op_rr(emit, op, to, from);
    rem_emit_imm(emit, count, 1);
}

/* SHLX, SHRX or SARX: from, shifted by the register `count`. */
static inline void
rem_emit_shiftx(RemEmit *emit, RemShift shift, unsigned size, unsigned to, unsigned from,
                unsigned count)
{
    RemOpcode op = {0x66, 2, 0xf7, REM_OP_VEX, (uint8_t)count};

    op.prefix = shift == REM_SHL ? 0x66 : shift == REM_SHR ? 0xf2 : 0xf3;
    op.flags |= size == 8 ? REM_OP_W : 0;
    rem_emit_op_rr(emit, op, to, from);
}

/* PEXT and PDEP: the bits of `from` that the register `mask` selects, packed; and back. */
static inline void
rem_emit_pext(RemEmit *emit, unsigned size, unsigned to, unsigned from, unsigned mask)
{
    rem_emit_op_rr(
        emit,
        (RemOpcode){0xf3, 2, 0xf5, size == 8 ? REM_OP_VEX | REM_OP_W : REM_OP_VEX, (uint8_t)from},
        to, mask);
}

static inline void
rem_emit_pdep(RemEmit *emit, unsigned size, unsigned to, unsigned from, unsigned mask)
{
    rem_emit_op_rr(
        emit,
        (RemOpcode){0xf2, 2, 0xf5, size == 8 ? REM_OP_VEX | REM_OP_W : REM_OP_VEX, (uint8_t)from},
        to, mask);
}

/* ---- flags ---- */
/* AH: SF, ZF, AF, PF, CF as in the low byte of RFLAGS. */
static inline void
rem_emit_lahf(RemEmit *emit)
{
    rem_emit_op(emit, (RemOpcode){.code = 0x9f}, 0);
}

static inline void
rem_emit_sahf(RemEmit *emit)
{
    rem_emit_op(emit, (RemOpcode){.code = 0x9e}, 0);
}

/* AH and AL (OF as 0 or 1) from the flags; AX is lost. */
static inline void
rem_emit_flags_to_ax(RemEmit *emit)
{
    rem_emit_lahf(emit);
    rem_emit_setcc_r(emit, REM_CC_O, X86_RAX);
}

/* The reverse; AL is lost. */
static inline void
rem_emit_flags_from_ax(RemEmit *emit)
{
    rem_emit_alu_ri(emit, REM_ADD, 1, X86_RAX, 0x7f);
    rem_emit_sahf(emit);
}

/* ---- jumps ---- */
/* The displacement of a jump whose target is not known yet: its offset and size. */
typedef struct {
    uint32_t at;
    uint8_t size;
} RemJump;

static inline RemJump
rem_emit_jump_here(RemEmit *emit, unsigned size)
{
    RemJump jump = {rem_emit_offset(emit), (uint8_t)size};

    rem_emit_imm(emit, 0, size);
    return jump;
}

/* size of the displacement: 1 or 4. Short ones have to reach: else the buffer counts as full. */
static inline RemJump
rem_emit_jcc(RemEmit *emit, RemCondition cc, unsigned size)
{
    rem_emit_op(emit,
                size == 1 ? (RemOpcode){.code = (uint8_t)(0x70u + cc)}
                          : (RemOpcode){.map = 1, .code = (uint8_t)(0x80u + cc)},
                0);
    return rem_emit_jump_here(emit, size);
}

static inline RemJump
rem_emit_jmp(RemEmit *emit, unsigned size)
{
    rem_emit_op(emit, (RemOpcode){.code = size == 1 ? 0xeb : 0xe9}, 0);
    return rem_emit_jump_here(emit, size);
}

/* RCX is zero; no flags. */
static inline RemJump
rem_emit_jrcxz(RemEmit *emit)
{
    rem_emit_op(emit, (RemOpcode){.code = 0xe3}, 0);
    return rem_emit_jump_here(emit, 1);
}

/* Lets a jump go to an offset of this buffer. */
static inline void
rem_emit_bind_to(RemEmit *emit, RemJump jump, uint32_t target)
{
    int32_t distance = (int32_t)(target - (jump.at + jump.size));

    if (jump.size == 1 && distance != (int8_t)distance)
        emit->overflow = true;
    memcpy(emit->start + jump.at, &distance, jump.size);
}

/* Lets a jump go to the next byte. */
static inline void
rem_emit_bind(RemEmit *emit, RemJump jump)
{
    rem_emit_bind_to(emit, jump, rem_emit_offset(emit));
}

/* An operand relative to RIP of an instruction that has no immediate: bind it as a jump. */
static inline RemJump
rem_emit_op_here(RemEmit *emit, RemOpcode op, unsigned reg)
{
    rem_emit_room(emit);
    rem_put_opcode(emit, &op, reg, 0, 0);
    rem_put_modrm(emit, 0, reg, X86_RBP);
    return rem_emit_jump_here(emit, 4);
}

/* The address where a byte of this buffer executes. */
static inline RemJump
rem_emit_lea_here(RemEmit *emit, unsigned to)
{
    return rem_emit_op_here(emit, (RemOpcode){.code = 0x8d, .flags = REM_OP_W}, to);
}

/* With 8 bytes of this buffer. */
static inline RemJump
rem_emit_cmp_here(RemEmit *emit, unsigned reg)
{
    return rem_emit_op_here(emit, (RemOpcode){.code = 0x3b, .flags = REM_OP_W}, reg);
}

/* Displacement of 4 bytes that would be written next, to an address where code executes. */
static inline void
rem_emit_displacement(RemEmit *emit, const void *target)
{
    intptr_t distance = (intptr_t)target - ((intptr_t)emit->at + emit->exec_offset + 4);

    if (distance != (int32_t)distance)
        emit->overflow = true;
    rem_emit_imm(emit, (uint32_t)distance, 4);
}

/* To code within 2 GiB (of the same executable memory); the displacement is the last 4 bytes. */
static inline void
rem_emit_jmp_to(RemEmit *emit, const void *target)
{
    rem_emit_op(emit, (RemOpcode){.code = 0xe9}, 0);
    rem_emit_displacement(emit, target);
}

static inline void
rem_emit_jcc_to(RemEmit *emit, RemCondition cc, const void *target)
{
    rem_emit_op(emit, (RemOpcode){.map = 1, .code = (uint8_t)(0x80u + cc)}, 0);
    rem_emit_displacement(emit, target);
}

static inline void
rem_emit_call_to(RemEmit *emit, const void *target)
{
    rem_emit_op(emit, (RemOpcode){.code = 0xe8}, 0);
    rem_emit_displacement(emit, target);
}

static inline void
rem_emit_jmp_r(RemEmit *emit, unsigned reg)
{
    rem_emit_op_rr(emit, (RemOpcode){.code = 0xff}, 4, reg);
}

static inline void
rem_emit_jmp_m(RemEmit *emit, RemMem mem)
{
    rem_emit_op_rm(emit, (RemOpcode){.code = 0xff}, 4, mem);
}

static inline void
rem_emit_call_r(RemEmit *emit, unsigned reg)
{
    rem_emit_op_rr(emit, (RemOpcode){.code = 0xff}, 2, reg);
}

static inline void
rem_emit_call_m(RemEmit *emit, RemMem mem)
{
    rem_emit_op_rm(emit, (RemOpcode){.code = 0xff}, 2, mem);
}

static inline void
rem_emit_ret(RemEmit *emit)
{
    rem_emit_op(emit, (RemOpcode){.code = 0xc3}, 0);
}

static inline void
rem_emit_ud2(RemEmit *emit)
{
    rem_emit_op(emit, (RemOpcode){.map = 1, .code = 0x0b}, 0);
}

/* Fills up to a multiple of `alignment` (a power of two) with NOPs of several bytes. */
static inline void
rem_emit_align(RemEmit *emit, unsigned alignment)
{
    static const uint8_t nop[8] = {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0};
    unsigned rest = -rem_emit_offset(emit) & (alignment - 1);

    for (; rest >= 8; rest -= 8)
        rem_emit_bytes(emit, nop, 8);
    while (rest-- > 0)
        rem_emit_bytes(emit, (const uint8_t[]){0x90}, 1);
}
