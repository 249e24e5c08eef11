/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Guest memory as handlers see it: the inline path is a limit compare and a softTLB probe, all else
 * is in iem-mem.c. offset is within the segment. Accesses may cross pages. Faults do not return:
 * #SS or #GP for segment limits, types and canonical form, #PF, #AC. Included by iem-private.h
 * only. Intel SDM volume 3A chapters 4, 5 and 6.15. */
#pragma once

#include <string.h>

/* Read-modify-write of 1, 2, 4, 8 or 16 bytes: *host is guest memory, whose tracked pages are
 * reported by the commit, or a bounce buffer that the commit stores (MMIO, pages that lie apart). A
 * LOCKed operation is atomic on *host; around a bounce buffer no other CPU runs. */
typedef enum { IEM_RMW_PLAIN, IEM_RMW_TRACKED, IEM_RMW_BOUNCED } IemRmwWay;
typedef struct {
    void *host;
    uint64_t linear;
    unsigned size;
    uint8_t way;  /* IemRmwWay */
    uint8_t kind; /* CpumTlbKind */
    _Alignas(16) uint8_t bounce[16];
} IemRmw;

/* iem-mem.c: everything that the inline path does not do. size is 1..8. */
uint64_t iem_read_slow(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size);
void iem_write_slow(Vcpu *vcpu, unsigned seg, uint64_t offset, uint64_t value, unsigned size);
void iem_rmw_begin_slow(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size, IemRmw *rmw);
void iem_rmw_commit_slow(Vcpu *vcpu, IemRmw *rmw);

/* No other CPU runs between the two; ends by itself when the access faults. */
void iem_alone_begin(Vcpu *vcpu);
void iem_alone_end(Vcpu *vcpu);

/* Up to 512 bytes; a write faults before its first byte is stored. */
void iem_read_bytes(Vcpu *vcpu, unsigned seg, uint64_t offset, void *data, unsigned size);
void iem_write_bytes(Vcpu *vcpu, unsigned seg, uint64_t offset, const void *data, unsigned size);
/* A power of two of bytes that have to be aligned (#GP(0) otherwise), MOVAPS and the like. */
void iem_read_aligned(Vcpu *vcpu, unsigned seg, uint64_t offset, void *data, unsigned size);
void iem_write_aligned(Vcpu *vcpu, unsigned seg, uint64_t offset, const void *data, unsigned size);
/* 16 bytes: most SSE memory operands. */
static inline void
iem_read_aligned16(Vcpu *vcpu, unsigned seg, uint64_t offset, void *data)
{
    iem_read_aligned(vcpu, seg, offset, data, 16);
}

static inline void
iem_write_aligned16(Vcpu *vcpu, unsigned seg, uint64_t offset, const void *data)
{
    iem_write_aligned(vcpu, seg, offset, data, 16);
}

/* Checks that a write of that size would not fault, and does nothing else. */
void iem_probe_write(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size);

/* Implicit supervisor accesses at linear addresses (descriptor tables, TSS, stacks of gates). */
/* Sets bits, or (set = 0) clears some, as one LOCKed access: what a processor does to the accessed
 * bit of descriptors and to the busy bit of a TSS. Returns the byte before. SDM 3A 8.1.2.1. */
uint8_t iem_sys_change_u8(Vcpu *vcpu, uint64_t linear, uint8_t set, uint8_t clear);
uint8_t iem_sys_read_u8(Vcpu *vcpu, uint64_t linear);
uint16_t iem_sys_read_u16(Vcpu *vcpu, uint64_t linear);
uint32_t iem_sys_read_u32(Vcpu *vcpu, uint64_t linear);
uint64_t iem_sys_read_u64(Vcpu *vcpu, uint64_t linear);
void iem_sys_write_u8(Vcpu *vcpu, uint64_t linear, uint8_t value);
void iem_sys_write_u16(Vcpu *vcpu, uint64_t linear, uint16_t value);
void iem_sys_write_u32(Vcpu *vcpu, uint64_t linear, uint32_t value);
void iem_sys_write_u64(Vcpu *vcpu, uint64_t linear, uint64_t value);
/* A stack on its way into SS: a linear address, with the privileges of `kind`. size is 1..8. */
void iem_linear_write(Vcpu *vcpu, uint64_t linear, uint64_t value, unsigned size, CpumTlbKind kind);

/* The host address of [offset, offset + size) when it lies in one page that the TLB holds for plain
 * reads (or writes); NULL sends the caller to the slow path. */
static inline __attribute__((always_inline)) void *
iem_mem_host(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size, bool write)
{
    const IemVcpu *iem = vcpu->iem_vcpu;
    const IemSegFast *fast = &iem->seg[seg];
    uint64_t linear = (fast->base + offset) & iem->linear_mask;
    const CpumTlbEntry *entry = cpum_tlb_entry(vcpu, vcpu->tlb_kind, linear);
    uint64_t page_of_last = (linear + size - 1) & ~(uint64_t)X86_PAGE_OFFSET_MASK;

    if (G_UNLIKELY(offset + size - 1 >= (write ? fast->write_end : fast->read_end)))
        return NULL;
    if (G_UNLIKELY((write ? entry->tag_write : entry->tag_read) != page_of_last))
        return NULL;
    return (void *)(uintptr_t)(entry->addend + linear);
}

static inline __attribute__((always_inline)) uint64_t
iem_read_size(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size)
{
    const void *host = iem_mem_host(vcpu, seg, offset, size, false);
    uint64_t value = 0;

    if (G_UNLIKELY(host == NULL))
        return iem_read_slow(vcpu, seg, offset, size);
    memcpy(&value, host, size);
    return value;
}

static inline __attribute__((always_inline)) void
iem_write_size(Vcpu *vcpu, unsigned seg, uint64_t offset, uint64_t value, unsigned size)
{
    void *host = iem_mem_host(vcpu, seg, offset, size, true);

    if (G_UNLIKELY(host == NULL))
        iem_write_slow(vcpu, seg, offset, value, size);
    else
        memcpy(host, &value, size);
}

static inline uint8_t
iem_read_u8(Vcpu *vcpu, unsigned seg, uint64_t offset)
{
    return (uint8_t)iem_read_size(vcpu, seg, offset, 1);
}

static inline uint16_t
iem_read_u16(Vcpu *vcpu, unsigned seg, uint64_t offset)
{
    return (uint16_t)iem_read_size(vcpu, seg, offset, 2);
}

static inline uint32_t
iem_read_u32(Vcpu *vcpu, unsigned seg, uint64_t offset)
{
    return (uint32_t)iem_read_size(vcpu, seg, offset, 4);
}

static inline uint64_t
iem_read_u64(Vcpu *vcpu, unsigned seg, uint64_t offset)
{
    return iem_read_size(vcpu, seg, offset, 8);
}

static inline void
iem_write_u8(Vcpu *vcpu, unsigned seg, uint64_t offset, uint8_t value)
{
    iem_write_size(vcpu, seg, offset, value, 1);
}

static inline void
iem_write_u16(Vcpu *vcpu, unsigned seg, uint64_t offset, uint16_t value)
{
    iem_write_size(vcpu, seg, offset, value, 2);
}

static inline void
iem_write_u32(Vcpu *vcpu, unsigned seg, uint64_t offset, uint32_t value)
{
    iem_write_size(vcpu, seg, offset, value, 4);
}

static inline void
iem_write_u64(Vcpu *vcpu, unsigned seg, uint64_t offset, uint64_t value)
{
    iem_write_size(vcpu, seg, offset, value, 8);
}

static inline __attribute__((always_inline)) void
iem_rmw_begin(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size, IemRmw *rmw)
{
    rmw->host = iem_mem_host(vcpu, seg, offset, size, true);
    rmw->way = IEM_RMW_PLAIN;
    if (G_UNLIKELY(rmw->host == NULL))
        iem_rmw_begin_slow(vcpu, seg, offset, size, rmw);
}

static inline void
iem_rmw_commit(Vcpu *vcpu, IemRmw *rmw)
{
    if (G_UNLIKELY(rmw->way != IEM_RMW_PLAIN))
        iem_rmw_commit_slow(vcpu, rmw);
}

/* The offset that ModRM and SIB name, truncated to the address size. */
static inline __attribute__((always_inline)) uint64_t
iem_ea(const Vcpu *vcpu, const IemInsn *insn)
{
    static const uint64_t mask[9] = {[2] = 0xffff, [4] = 0xffffffff, [8] = ~0ull};
    const uint64_t *words = (const uint64_t *)vcpu;

    return (words[insn->base] + (words[insn->index] << insn->scale) + (int64_t)insn->disp) &
           mask[insn->addrsize];
}
