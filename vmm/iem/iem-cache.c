/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The cache of decoded instructions: lookup, decoding, the code that is never kept. What keeps
 * blocks and forgets them is in iem-cache-keep.c. Intel SDM volume 3A section 11.6 (self-modifying
 * code: exact here, as on a processor that snoops its own stores). */
#include "vmm/iem/iem-cache-private.h"

#define PAGE_MASK (~(uint64_t)X86_PAGE_OFFSET_MASK)

/* The exec TLB entry of a page, filled. Faults leave. */
static const CpumTlbEntry *
exec_entry(Vcpu *vcpu, uint64_t linear)
{
    const CpumTlbEntry *entry = cpum_tlb_entry(vcpu, vcpu->tlb_kind, linear);
    PgmFault fault;

    if ((entry->tag_exec & ~(uint64_t)(CPUM_TLB_MMIO | CPUM_TLB_TRACKED)) != (linear & PAGE_MASK)) {
        vcpu->iem_vcpu->insn = &iem_no_insn;
        if (iem_is_long64(vcpu) && !iem_is_canonical(vcpu, linear))
            iem_raise_gp0(vcpu);
        if (!pgm_tlb_fill(vcpu, linear, PGM_EXEC, vcpu->tlb_kind, &fault))
            iem_raise_page_fault(vcpu, linear, fault.error_code);
    }
    return entry;
}

static uint64_t
physical(Vcpu *vcpu, uint64_t linear)
{
    uint64_t gpa;
    PgmFault fault;

    if (!pgm_translate(vcpu, linear, PGM_EXEC, vcpu->tlb_kind, &gpa, &fault))
        iem_raise_page_fault(vcpu, linear, fault.error_code);
    return gpa;
}

/* The last byte that may be fetched, relative to rip: #GP(0) beyond it. */
static void
check_fetch(Vcpu *vcpu, unsigned bytes)
{
    if (!iem_is_long64(vcpu) && vcpu->rip + bytes - 1 > vcpu->seg[X86_CS].limit)
        iem_raise_gp0(vcpu);
}

/* Code bytes at rip for one instruction, from up to two pages of any kind. */
static unsigned
fetch_bytes(Vcpu *vcpu, uint64_t linear, uint8_t *bytes, unsigned size)
{
    const CpumTlbEntry *entry = exec_entry(vcpu, linear);
    unsigned part = MIN(size, X86_PAGE_SIZE - (unsigned)(linear & X86_PAGE_OFFSET_MASK));

    if (!(entry->tag_exec & CPUM_TLB_MMIO)) {
        memcpy(bytes, (const void *)(uintptr_t)(entry->addend + linear), part);
        return part;
    }
    for (unsigned i = 0; i < part; i++)
        bytes[i] = (uint8_t)pgm_cpu_phys_read(vcpu, physical(vcpu, linear + i), 1);
    return part;
}

/* Decodes one instruction that may cross into the next page. */
static void
decode_slowly(Vcpu *vcpu, IemInsn *insn)
{
    const X86Decoder *decoder = &vcpu->iem_vcpu->cache->decoder;
    uint64_t linear = iem_code_linear(vcpu);
    uint8_t bytes[X86_INSN_MAX];
    unsigned have;

    vcpu->iem_vcpu->insn = &iem_no_insn;
    check_fetch(vcpu, 1);
    have = fetch_bytes(vcpu, linear, bytes, X86_INSN_MAX);
    if (iem_decode(decoder, vcpu, bytes, have, insn) == X86_DECODE_MORE) {
        check_fetch(vcpu, have + 1);
        fetch_bytes(vcpu, (linear + have) & vcpu->iem_vcpu->linear_mask, bytes + have,
                    X86_INSN_MAX - have);
        iem_decode(decoder, vcpu, bytes, X86_INSN_MAX, insn);
    }
    if (insn->length > 0)
        check_fetch(vcpu, insn->length);
}

const X86Decoder *
iem_cache_decoder(const Vcpu *vcpu)
{
    return &vcpu->iem_vcpu->cache->decoder;
}

const IemInsn *
iem_cache_uncached(Vcpu *vcpu)
{
    IemInsn *insn = &vcpu->iem_vcpu->cache->single;

    decode_slowly(vcpu, insn);
    return insn;
}

/* Decodes from `host` up to the end of the block or page. Returns 0 when not even the first
 * instruction is whole. */
static unsigned
decode_block(Vcpu *vcpu, const uint8_t *host, unsigned available, IemInsn *insn, unsigned *used)
{
    const X86Decoder *decoder = &vcpu->iem_vcpu->cache->decoder;
    unsigned count = 0;

    *used = 0;
    while (count < IEM_BLOCK_INSNS && *used < available) {
        unsigned left = MIN(available - *used, X86_INSN_MAX);

        if (iem_decode(decoder, vcpu, host + *used, left, &insn[count]) != X86_DECODE_OK)
            break;
        *used += insn[count].length;
        if (insn[count++].flags & IEM_INSN_BLOCK_END)
            break;
    }
    return count;
}

static IemBlock *
start_block(Vcpu *vcpu, const uint8_t *host)
{
    IemBlock *block = iem_cache_block(vcpu->iem_vcpu->cache);

    block->code.host = host;
    block->mode = vcpu->iem_vcpu->mode_key;
    block->second = NULL;
    block->link[0] = block->link[1] = NULL;
    return block;
}

/* Where an instruction goes on in a device, its bytes there are read once, when it is executed. */
static bool
is_in_device(Vcpu *vcpu, uint64_t linear)
{
    return exec_entry(vcpu, linear)->tag_exec & CPUM_TLB_MMIO;
}

/* An instruction over a page boundary is a block of its own, registered with both pages. */
static IemBlock *
translate_crossing(Vcpu *vcpu, uint64_t linear, uint64_t gpa, const uint8_t *host)
{
    IemCache *cache = vcpu->iem_vcpu->cache;
    unsigned available = X86_PAGE_SIZE - (unsigned)(linear & X86_PAGE_OFFSET_MASK);
    uint64_t next = (linear + available) & vcpu->iem_vcpu->linear_mask;
    const CpumTlbEntry *entry;
    const uint8_t *second;
    uint64_t next_gpa;
    IemInsn insn;
    IemBlock *block;

    check_fetch(vcpu, available + 1);
    if (is_in_device(vcpu, next))
        return NULL;
    decode_slowly(vcpu, &insn);
    if (insn.length <= available)
        return NULL;
    entry = exec_entry(vcpu, next);
    second = (const uint8_t *)(uintptr_t)(entry->addend + next);
    if (!pgm_code_gpa(vcpu, second, &next_gpa))
        return NULL;
    block = start_block(vcpu, host);
    block->insn[0] = insn;
    block->count = 1;
    block->bytes = insn.length;
    block->second = second;
    iem_cache_commit(cache, block);
    iem_cache_insert(cache, block);
    iem_cache_note(cache, gpa, host, available, block);
    iem_cache_note(cache, next_gpa, block->second, block->bytes - available, block);
    decode_slowly(vcpu, &block->insn[0]); /* again: the bytes are being watched only now */
    if (block->insn[0].length != insn.length)
        iem_cache_kill(cache, &block->code);
    return block;
}

static IemBlock *
translate_within(Vcpu *vcpu, uint64_t gpa, const uint8_t *host)
{
    IemCache *cache = vcpu->iem_vcpu->cache;
    unsigned available = X86_PAGE_SIZE - (unsigned)(gpa & X86_PAGE_OFFSET_MASK);
    IemBlock *block = start_block(vcpu, host);
    uint8_t bytes[IEM_BLOCK_INSNS * X86_INSN_MAX];
    bool undefined;
    unsigned used;

    available = MIN(available, sizeof bytes);
    memcpy(bytes, host, available);
    block->count = (uint16_t)decode_block(vcpu, bytes, available, block->insn, &used);
    if (block->count == 0)
        return NULL;
    /* An undefined instruction has no length. Its first byte has to be below CS's limit, and up to
     * 15 bytes decided that it is undefined. */
    undefined = block->insn[block->count - 1].length == 0;
    block->bytes = (uint16_t)(used + undefined);
    if (undefined)
        used = MIN(used + X86_INSN_MAX, available);
    iem_cache_commit(cache, block);
    iem_cache_insert(cache, block);
    iem_cache_note(cache, gpa, host, used, block);
    /* A device may have written before its writes were being watched. */
    if (memcmp(bytes, host, used) != 0)
        iem_cache_kill(cache, &block->code);
    return block;
}

/* A block that was killed at once is returned all the same: what it holds was true a moment ago. */
static IemBlock *
translate(Vcpu *vcpu, uint64_t linear, const uint8_t *host)
{
    IemCache *cache = vcpu->iem_vcpu->cache;
    IemBlock *block;
    uint64_t gpa;

    if (!pgm_code_gpa(vcpu, host, &gpa))
        return NULL;
    iem_cache_make_room(cache);
    block = translate_within(vcpu, gpa, host);
    if (block == NULL)
        block = translate_crossing(vcpu, linear, gpa, host);
    return block;
}

/* What a block's key does not cover: the code segment's limit and the mapping of a second page. */
static bool
still_valid(Vcpu *vcpu, const IemBlock *block, uint64_t linear)
{
    const CpumTlbEntry *entry;
    uint64_t next;

    if (vcpu->rip + block->bytes > vcpu->iem_vcpu->code_end)
        return false;
    if (G_LIKELY(block->second == NULL))
        return true;
    next = ((linear | X86_PAGE_OFFSET_MASK) + 1) & vcpu->iem_vcpu->linear_mask;
    entry = exec_entry(vcpu, next);
    return !(entry->tag_exec & CPUM_TLB_MMIO) &&
           (const uint8_t *)(uintptr_t)(entry->addend + next) == block->second;
}

IemBlock *
iem_cache_find(Vcpu *vcpu)
{
    IemCache *cache = vcpu->iem_vcpu->cache;
    uint64_t linear = iem_code_linear(vcpu);
    uint32_t mode = vcpu->iem_vcpu->mode_key;
    const CpumTlbEntry *entry = cpum_tlb_entry(vcpu, vcpu->tlb_kind, linear);
    const uint8_t *host;
    IemBlock *block;

    if (G_UNLIKELY(entry->tag_exec != (linear & PAGE_MASK))) {
        vcpu->iem_vcpu->insn = &iem_no_insn;
        check_fetch(vcpu, 1);
        if (exec_entry(vcpu, linear)->tag_exec & CPUM_TLB_MMIO)
            return NULL;
    }
    host = (const uint8_t *)(uintptr_t)(entry->addend + linear);
    for (block = cache->hash[iem_cache_hash(host)]; block != NULL; block = block->hash_next) {
        if (block->code.host == host && block->mode == mode)
            break;
    }
    if (G_UNLIKELY(block == NULL)) {
        vcpu->iem_vcpu->insn = &iem_no_insn;
        check_fetch(vcpu, 1);
        block = translate(vcpu, linear, host);
    }
    return block != NULL && still_valid(vcpu, block, linear) ? block : NULL;
}

IemBlock *
iem_cache_find_after(Vcpu *vcpu, IemBlock *before, uint64_t start)
{
    const IemCache *cache = vcpu->iem_vcpu->cache;
    uint64_t flushed = cache->flushed, linear = iem_code_linear(vcpu);
    IemBlock *block = iem_cache_find(vcpu);

    /* A block over two pages has to have its second page looked at each time. */
    if (before != NULL && block != NULL && block->second == NULL && flushed == cache->flushed &&
        before->code.host != NULL && ((linear ^ start) >> X86_PAGE_SHIFT) == 0)
        before->link[linear != start + before->bytes] = block;
    return block;
}
