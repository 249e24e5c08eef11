/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The cache of decoded instructions: straight-line blocks within a page, found by the host address
 * of their first byte (which is one for each guest-physical address, however it is mapped) and the
 * mode. Writes to decoded bytes kill the blocks that hold them, exactly, by way of
 * pgm_code_listen(). Memory is bounded: when the arena is full everything is dropped. */
#pragma once

#include "vmm/iem/iem-decode.h"
#include "vmm/pgm/pgm-code-index.h"

#define IEM_BLOCK_INSNS 32

typedef struct IemBlock IemBlock;
struct IemBlock {
    PgmCodeBlock code;
    /* Blocks of the same page that came next: behind this one, and where it last branched to. */
    IemBlock *link[2];
    IemBlock *hash_next;
    const uint8_t *second; /* an instruction that crosses pages: where the second page starts */
    uint32_t mode;         /* IemVcpu.mode_key */
    uint16_t count;        /* instructions */
    uint16_t bytes;
    IemInsn insn[];
};

IemCache *iem_cache_new(Vcpu *vcpu);
void iem_cache_free(IemCache *cache);
/* Drops everything. */
void iem_cache_flush(IemCache *cache);
/* The same, and gives the memory back to the host. Not while an instruction of it is executed. */
void iem_cache_drop(IemCache *cache);
/* At each entry of run: writes that other threads did, changes of the physical map. */
void iem_cache_enter(Vcpu *vcpu);
/* The block at cs:rip, decoded if need be; NULL when the code cannot be cached (MMIO): execute one
 * instruction from iem_cache_uncached(). Page faults and #GP of the fetch leave by iem_raise_*. */
IemBlock *iem_cache_find(Vcpu *vcpu);
/* The same, remembering in `before` that it came next; the caller has left `before` (or NULL) by
 * its end or a branch, and nothing that maps code differs since it was entered at linear address
 * `start`. */
IemBlock *iem_cache_find_after(Vcpu *vcpu, IemBlock *before, uint64_t start);

static inline uint64_t
iem_code_linear(const Vcpu *vcpu)
{
    return (vcpu->iem_vcpu->code_base + vcpu->rip) & vcpu->iem_vcpu->linear_mask;
}

/* The block at cs:rip after `before`, which was entered at `start`: by a link where both are in one
 * page. */
static inline IemBlock *
iem_cache_next(Vcpu *vcpu, IemBlock *before, uint64_t start, uint64_t linear)
{
    IemBlock *next;

    if (before != NULL && ((linear ^ start) >> X86_PAGE_SHIFT) == 0) {
        next = before->link[linear != start + before->bytes];
        if (G_LIKELY(next != NULL &&
                     next->code.host - before->code.host == (int64_t)(linear - start) &&
                     vcpu->rip + next->bytes <= vcpu->iem_vcpu->code_end))
            return next;
    }
    return iem_cache_find_after(vcpu, before, start);
}
const X86Decoder *iem_cache_decoder(const Vcpu *vcpu);
/* Decodes the instruction at cs:rip without keeping it. */
const IemInsn *iem_cache_uncached(Vcpu *vcpu);
void iem_cache_info(Vcpu *vcpu, GString *out);
