/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The assembler's buffer and its encoder: prefixes, REX or VEX, opcode, ModRM, SIB, displacement of
 * one x86-64 instruction. Intel SDM volume 2A chapter 2. rem-emit.h has the instructions by name.
 * EVEX and RIP-relative operands are left out: translated code addresses memory by registers and
 * the virtual CPU by GS. */
#pragma once

#include "vmm/x86/x86.h"

#include <string.h>

/* The temporaries of translated code. Host r15 is the core's; all others hold the guest's. */
#define REM_T0 X86_R13
#define REM_T1 X86_R14
#define REM_TEMPORARIES 2
#define REM_NO_REG 0xffu

/* Room that each emitter wants to find; no emitter writes more. */
#define REM_EMIT_ROOM 48

/* Writing into a bounded buffer. When it is full, `overflow` is set for good and what follows
 * overwrites the start: the caller looks at `overflow` once, at its end, and drops what came out.
 * exec_offset: address where a byte executes minus address where it is written. */
typedef struct {
    uint8_t *start, *at, *end;
    ptrdiff_t exec_offset;
    bool overflow;
    uint8_t held; /* bit n: REM_T0 + n is the guest register of that number, for rem_rewrite() */
    bool bmi2;    /* the host has RORX, SHLX and so on: flags need not be touched */
} RemEmit;

/* A memory operand: base + (index << scale) + disp, all 64 bits wide. With `vcpu` it is an offset
 * in the virtual CPU (GS:). */
typedef struct {
    uint8_t base, index; /* X86_RAX.. or REM_NO_REG; an index is never X86_RSP */
    uint8_t scale;       /* a shift count, 0..3 */
    bool vcpu;
    int32_t disp;
} RemMem;

/* Properties of an opcode. */
#define REM_OP_W (1u << 0)    /* REX.W or VEX.W */
#define REM_OP_66 (1u << 1)   /* operand-size prefix */
#define REM_OP_LOCK (1u << 2) /* LOCK */
#define REM_OP_REX (1u << 3)  /* SPL..DIL: a REX prefix even if it is empty */
#define REM_OP_VEX (1u << 4)
#define REM_OP_L (1u << 5) /* VEX.L */

typedef struct {
    uint8_t prefix; /* mandatory prefix: 0, 0x66, 0xf2, 0xf3 */
    uint8_t map;    /* 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A */
    uint8_t code;
    uint8_t flags; /* REM_OP_* */
    uint8_t vvvv;  /* VEX: the third operand */
} RemOpcode;

/* size >= REM_EMIT_ROOM. */
static inline void
rem_emit_init(RemEmit *emit, void *buffer, size_t size, ptrdiff_t exec_offset, bool bmi2)
{
    g_assert(size >= REM_EMIT_ROOM);
    emit->start = emit->at = buffer;
    emit->end = emit->start + size;
    emit->exec_offset = exec_offset;
    emit->overflow = false;
    emit->held = 0;
    emit->bmi2 = bmi2;
}

static inline void
rem_emit_room(RemEmit *emit)
{
    if (G_UNLIKELY(emit->end - emit->at < REM_EMIT_ROOM)) {
        emit->overflow = true;
        emit->at = emit->start;
    }
}

/* Offset of the next byte. */
static inline uint32_t
rem_emit_offset(const RemEmit *emit)
{
    return (uint32_t)(emit->at - emit->start);
}

static inline RemMem
rem_mem(unsigned base, int32_t disp)
{
    return (RemMem){(uint8_t)base, REM_NO_REG, 0, false, disp};
}

static inline RemMem
rem_mem_index(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (RemMem){(uint8_t)base, (uint8_t)index, (uint8_t)scale, false, disp};
}

/* A field of the virtual CPU. */
static inline RemMem
rem_mem_vcpu(size_t offset)
{
    return (RemMem){REM_NO_REG, REM_NO_REG, 0, true, (int32_t)offset};
}

/* ---- bytes; the caller has asked for room ---- */
static inline void
rem_put8(RemEmit *emit, unsigned value)
{
    *emit->at++ = (uint8_t)value;
}

static inline void
rem_put(RemEmit *emit, const void *bytes, size_t size)
{
    memcpy(emit->at, bytes, size);
    emit->at += size;
}

static inline void
rem_put32(RemEmit *emit, uint32_t value)
{
    rem_put(emit, &value, 4);
}

/* ---- prefixes and opcode ---- */
static inline void
rem_put_escape(RemEmit *emit, unsigned map)
{
    if (map >= 1)
        rem_put8(emit, 0x0f);
    if (map >= 2)
        rem_put8(emit, map == 2 ? 0x38 : 0x3a);
}

static inline unsigned
rem_vex_prefix(unsigned prefix)
{
    return prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;
}

/* r, x, b: the fourth bits of ModRM.reg, index, and base or ModRM.rm. */
static inline void
rem_put_vex(RemEmit *emit, const RemOpcode *op, unsigned r, unsigned x, unsigned b)
{
    unsigned w = op->flags & REM_OP_W ? 0x80 : 0, l = op->flags & REM_OP_L ? 4 : 0;
    unsigned last = (~(unsigned)op->vvvv & 15) << 3 | l | rem_vex_prefix(op->prefix);

    if (op->map == 1 && !x && !b && !w) {
        rem_put8(emit, 0xc5);
        rem_put8(emit, (r ? 0 : 0x80) | last);
    } else {
        rem_put8(emit, 0xc4);
        rem_put8(emit, (r ? 0 : 0x80) | (x ? 0 : 0x40) | (b ? 0 : 0x20) | op->map);
        rem_put8(emit, w | last);
    }
    rem_put8(emit, op->code);
}

/* reg, index and rm are 0..15 here; 0 stands for what is not there. */
static inline void
rem_put_opcode(RemEmit *emit, const RemOpcode *op, unsigned reg, unsigned index, unsigned rm)
{
    unsigned rex = (op->flags & REM_OP_W ? 8 : 0) | (reg >> 3) << 2 | (index >> 3) << 1 | rm >> 3;

    if (op->flags & REM_OP_VEX) {
        rem_put_vex(emit, op, reg >> 3, index >> 3, rm >> 3);
        return;
    }
    if (op->flags & REM_OP_LOCK)
        rem_put8(emit, 0xf0);
    if (op->flags & REM_OP_66)
        rem_put8(emit, 0x66);
    if (op->prefix != 0)
        rem_put8(emit, op->prefix);
    if (rex != 0 || (op->flags & REM_OP_REX))
        rem_put8(emit, 0x40 | rex);
    rem_put_escape(emit, op->map);
    rem_put8(emit, op->code);
}

static inline void
rem_put_modrm(RemEmit *emit, unsigned mod, unsigned reg, unsigned rm)
{
    rem_put8(emit, mod << 6 | (reg & 7) << 3 | (rm & 7));
}

static inline void
rem_put_mem(RemEmit *emit, unsigned reg, const RemMem *mem)
{
    bool has_base = mem->base != REM_NO_REG, has_index = mem->index != REM_NO_REG;
    unsigned mod = !has_base || (mem->disp == 0 && (mem->base & 7) != X86_RBP) ? 0
                   : mem->disp == (int8_t)mem->disp                            ? 1
                                                                               : 2;

    if (has_index || !has_base || (mem->base & 7) == X86_RSP) {
        rem_put_modrm(emit, mod, reg, X86_RSP);
        rem_put8(emit, (unsigned)mem->scale << 6 | ((has_index ? mem->index : X86_RSP) & 7u) << 3 |
                           ((has_base ? mem->base : X86_RBP) & 7u));
    } else {
        rem_put_modrm(emit, mod, reg, mem->base);
    }
    if (mod == 1)
        rem_put8(emit, (uint8_t)mem->disp);
    else if (mod == 2 || !has_base)
        rem_put32(emit, (uint32_t)mem->disp);
}

/* ---- one instruction without its immediate ---- */
/* reg: ModRM.reg, a register or an opcode extension; rm: a register. */
static inline void
rem_emit_op_rr(RemEmit *emit, RemOpcode op, unsigned reg, unsigned rm)
{
    rem_emit_room(emit);
    rem_put_opcode(emit, &op, reg, 0, rm);
    rem_put_modrm(emit, 3, reg, rm);
}

static inline void
rem_emit_op_rm(RemEmit *emit, RemOpcode op, unsigned reg, RemMem mem)
{
    rem_emit_room(emit);
    if (mem.vcpu)
        rem_put8(emit, 0x65);
    rem_put_opcode(emit, &op, reg, mem.index == REM_NO_REG ? 0 : mem.index,
                   mem.base == REM_NO_REG ? 0 : mem.base);
    rem_put_mem(emit, reg, &mem);
}

/* Without ModRM; `reg` is added to the opcode's low bits (0 where it names no register). */
static inline void
rem_emit_op(RemEmit *emit, RemOpcode op, unsigned reg)
{
    rem_emit_room(emit);
    op.code = (uint8_t)(op.code + (reg & 7));
    rem_put_opcode(emit, &op, 0, 0, reg);
}

/* Bytes as they are, 48 at most. */
static inline void
rem_emit_bytes(RemEmit *emit, const void *bytes, size_t size)
{
    rem_emit_room(emit);
    rem_put(emit, bytes, MIN(size, REM_EMIT_ROOM));
}

/* The low `size` bytes of an immediate, 0..8. */
static inline void
rem_emit_imm(RemEmit *emit, uint64_t value, unsigned size)
{
    rem_emit_bytes(emit, &value, size);
}

/* An opcode of the one-byte map (or 0F) for operands of 1, 2, 4 or 8 bytes, where `code` is the
 * form of 2 to 8 bytes and code - 1 that of one byte. regs: registers that are operands of one
 * byte, REM_NO_REG for none. */
static inline RemOpcode
rem_op_sized(unsigned map, unsigned code, unsigned size, unsigned reg1, unsigned reg2)
{
    bool rex = size == 1 && ((reg1 >= 4 && reg1 < 8) || (reg2 >= 4 && reg2 < 8));

    return (RemOpcode){.map = (uint8_t)map,
                       .code = (uint8_t)(size == 1 ? code - 1 : code),
                       .flags = (uint8_t)((size == 8 ? REM_OP_W : 0) | (size == 2 ? REM_OP_66 : 0) |
                                          (rex ? REM_OP_REX : 0))};
}
