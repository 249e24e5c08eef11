/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The cache of decoded instructions: straight-line blocks within a page, found by the host address
 * of their first byte (which is one for each guest-physical address, however it is mapped) and the
 * mode. Writes to decoded bytes kill the blocks that hold them, exactly, by way of
 * pgm_code_listen(). Memory is bounded: when the arena is full everything is dropped. */
#pragma once

#include "vmm/iem/iem-decode.h"

#define IEM_BLOCK_INSNS 32

typedef struct IemBlock IemBlock;
struct IemBlock {
    const uint8_t *host; /* of the first byte */
    IemBlock *hash_next;
    const uint8_t *second; /* an instruction that crosses pages: where the second page starts */
    uint32_t mode;         /* iem_cache_mode() */
    uint16_t count;        /* instructions */
    uint16_t bytes;
    bool dead;
    IemInsn insn[];
};

IemCache *iem_cache_new(Vcpu *vcpu);
void iem_cache_free(IemCache *cache);
/* At each entry of run: writes that other threads did, changes of the physical map. */
void iem_cache_enter(Vcpu *vcpu);
/* The block at cs:rip, decoded if need be; NULL when the code cannot be cached (MMIO): execute one
 * instruction from iem_cache_uncached(). Page faults and #GP of the fetch leave by iem_raise_*. */
const IemBlock *iem_cache_find(Vcpu *vcpu);
/* Decodes the instruction at cs:rip without keeping it. */
const IemInsn *iem_cache_uncached(Vcpu *vcpu);
void iem_cache_info(Vcpu *vcpu, GString *out);
