/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Operands and status flags for the integer handlers. Their choosers turn the register numbers of
 * an IemInsn into byte offsets within struct Vcpu (iem_use_offsets), so that AH..BH cost nothing at
 * run time. Sizes are constants at every use: the compiler keeps one case. Intel SDM volume 1
 * section 3.4. */
#pragma once

#include "vmm/iem/iem-private.h"

#define IEM_INLINE static inline __attribute__((always_inline))

/* Flags as LAHF and SETO leave them in AX: AH is the low byte of RFLAGS, AL is OF. */
typedef uint32_t IemRawFlags;

IEM_INLINE uint64_t
iem_status_from_raw(IemRawFlags raw)
{
    return ((raw >> 8) & 0xff) | (uint64_t)(raw & 1) << 11;
}

/* For handlers whose instruction leaves some flags alone, or undefined. */
IEM_INLINE IemRawFlags
iem_raw_from_status(const Vcpu *vcpu)
{
    return (IemRawFlags)((vcpu->rflags & 0xff) << 8 | (vcpu->rflags >> 11 & 1));
}

IEM_INLINE void
iem_merge_flags(Vcpu *vcpu, IemRawFlags raw, uint64_t mask)
{
    vcpu->rflags = (vcpu->rflags & ~mask) | (iem_status_from_raw(raw) & mask);
}

IEM_INLINE void
iem_set_status(Vcpu *vcpu, IemRawFlags raw)
{
    /* Bit 1 is set in both. */
    vcpu->rflags = (vcpu->rflags & ~(uint64_t)X86_FL_STATUS) | iem_status_from_raw(raw);
}

/* The byte offset of a general register of that size. */
static inline uint8_t
iem_reg_offset(unsigned reg, unsigned size, unsigned flags)
{
    if (size == 1 && reg >= 4 && reg < 8 && !(flags & IEM_INSN_REX))
        return (uint8_t)((reg - 4) * 8 + 1);
    return (uint8_t)(reg * 8);
}

/* reg and rm become offsets; rm only when it is a register. */
static inline void
iem_use_offsets(IemInsn *insn, unsigned reg_size, unsigned rm_size)
{
    insn->reg = iem_reg_offset(insn->reg, reg_size, insn->flags);
    insn->rm = iem_reg_offset(insn->rm, rm_size, insn->flags);
}

/* 1, 2, 4, 8 to 0..3. */
static inline unsigned
iem_size_index(unsigned size)
{
    return size == 8 ? 3 : size >> 1;
}

IEM_INLINE uint64_t
iem_reg_get(const Vcpu *vcpu, unsigned offset, unsigned size)
{
    const uint8_t *at = (const uint8_t *)vcpu + offset;

    switch (size) {
    case 1: return *at;
    case 2: return *(const uint16_t *)at;
    case 4: return *(const uint32_t *)at;
    default: return *(const uint64_t *)at;
    }
}

IEM_INLINE void
iem_reg_set(Vcpu *vcpu, unsigned offset, unsigned size, uint64_t value)
{
    uint8_t *at = (uint8_t *)vcpu + offset;

    switch (size) {
    case 1: *at = (uint8_t)value; break;
    case 2: *(uint16_t *)at = (uint16_t)value; break;
    case 4: *(uint64_t *)at = (uint32_t)value; break;
    default: *(uint64_t *)at = value; break;
    }
}

IEM_INLINE uint64_t
iem_mem_get(Vcpu *vcpu, const IemInsn *insn, unsigned size)
{
    return iem_read_size(vcpu, insn->seg, iem_ea(vcpu, insn), size);
}

IEM_INLINE void
iem_mem_set(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t value)
{
    iem_write_size(vcpu, insn->seg, iem_ea(vcpu, insn), value, size);
}

IEM_INLINE void
iem_mem_rmw(Vcpu *vcpu, const IemInsn *insn, unsigned size, IemRmw *rmw)
{
    iem_rmw_begin(vcpu, insn->seg, iem_ea(vcpu, insn), size, rmw);
}

IEM_INLINE uint64_t
iem_host_get(const void *host, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, host, size);
    return value;
}

IEM_INLINE void
iem_host_set(void *host, unsigned size, uint64_t value)
{
    memcpy(host, &value, size);
}

/* Low 16, 32 or 64 bits. */
IEM_INLINE uint64_t
iem_truncate(uint64_t value, unsigned size)
{
    return size == 8 ? value : value & ((1ull << (8 * size)) - 1);
}

IEM_INLINE int64_t
iem_sign_extend(uint64_t value, unsigned size)
{
    switch (size) {
    case 1: return (int8_t)value;
    case 2: return (int16_t)value;
    case 4: return (int32_t)value;
    default: return (int64_t)value;
    }
}

/* The sixteen conditions of Jcc, SETcc and CMOVcc, in the order of the opcodes. */
IEM_INLINE bool
iem_condition(uint64_t f, unsigned cc)
{
    bool value;

    switch (cc >> 1) {
    case 0: value = f & X86_FL_OF; break;
    case 1: value = f & X86_FL_CF; break;
    case 2: value = f & X86_FL_ZF; break;
    case 3: value = f & (X86_FL_CF | X86_FL_ZF); break;
    case 4: value = f & X86_FL_SF; break;
    case 5: value = f & X86_FL_PF; break;
    case 6: value = ((f >> 7) ^ (f >> 11)) & 1; break;
    default: value = (((f >> 7) ^ (f >> 11)) & 1) || (f & X86_FL_ZF); break;
    }
    return value != (bool)(cc & 1);
}

/* XCHG of the accumulator with the register in the opcode, 90..97 (iem-atomic.c). */
IemHandler iem_choose_xchg_accumulator(const Vcpu *vcpu, IemInsn *insn);
