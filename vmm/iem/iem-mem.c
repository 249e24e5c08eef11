/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory accesses that the inline path of iem-mem.h does not do: full segment checks, alignment
 * checks, data breakpoints, TLB fills, page crossings, MMIO and tracked pages. Intel SDM volume 3A
 * sections 5.3 (limits), 5.4 (types), 6.15 (#AC), 17.2 (breakpoints); volume 1 section 3.3.7.1
 * (canonical form). */
#include "vmm/iem/iem-private.h"

#include "vmm/x86/x86-decode.h"

#define PAGE_MASK (~(uint64_t)X86_PAGE_OFFSET_MASK)
#define TLB_FLAGS ((uint64_t)(CPUM_TLB_MMIO | CPUM_TLB_TRACKED))

static G_NORETURN void
segment_fault(Vcpu *vcpu, unsigned seg)
{
    iem_raise_error(vcpu, seg == X86_SS ? X86_XCPT_SS : X86_XCPT_GP, 0);
}

static bool
type_allows(const CpumSeg *seg, bool write)
{
    if (seg->attr & X86_SEG_UNUSABLE)
        return false;
    if (seg->attr & X86_SEG_CODE)
        return !write && (seg->attr & X86_SEG_READABLE);
    return !write || (seg->attr & X86_SEG_WRITABLE);
}

static bool
limit_allows(const CpumSeg *seg, uint64_t offset, uint64_t size)
{
    uint64_t last = offset + size - 1;

    if ((seg->attr & (X86_SEG_CODE | X86_SEG_EXPAND_DOWN)) != X86_SEG_EXPAND_DOWN)
        return last <= seg->limit;
    return offset > seg->limit && last <= ((seg->attr & X86_SEG_DB) ? UINT32_MAX : UINT16_MAX);
}

/* Segment checks of an access; returns its linear address. */
static uint64_t
check_segment(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size, bool write)
{
    const IemVcpu *iem = vcpu->iem_vcpu;
    const CpumSeg *s = &vcpu->seg[seg];
    uint64_t linear;

    if (iem_is_long64(vcpu)) {
        linear = iem->seg[seg].base + offset;
        if (!iem_is_canonical(vcpu, linear) || !iem_is_canonical(vcpu, linear + size - 1))
            segment_fault(vcpu, seg);
        return linear;
    }
    if (iem_is_protected(vcpu) && !type_allows(s, write))
        segment_fault(vcpu, seg);
    if (!limit_allows(s, offset, size))
        segment_fault(vcpu, seg);
    return (uint32_t)(s->base + offset);
}

static void
check_alignment(Vcpu *vcpu, uint64_t linear, unsigned size)
{
    if (vcpu->iem_vcpu->check_align && size <= 8 && (linear & (size - 1)))
        iem_raise_error(vcpu, X86_XCPT_AC, 0);
}

/* Data breakpoints: LEN 00 is 1 byte, 01 is 2, 10 is 8, 11 is 4; RW 01 writes, 11 both. */
static void
check_breakpoints(Vcpu *vcpu, uint64_t linear, unsigned size, bool write)
{
    static const uint8_t lengths[4] = {1, 2, 8, 4};

    if (!vcpu->iem_vcpu->check_data)
        return;
    for (unsigned i = 0; i < 4; i++) {
        unsigned control = (unsigned)(vcpu->dr[7] >> (16 + 4 * i));
        uint64_t length = lengths[(control >> 2) & 3];
        uint64_t first = vcpu->dr[i] & ~(length - 1);

        if (!((vcpu->dr[7] >> (2 * i)) & 3) || !(control & 1) || ((control & 3) == 1 && !write))
            continue;
        if (linear < first + length && first < linear + size)
            iem_debug_trap(vcpu, 1u << i);
    }
}

static CpumTlbEntry *
tlb_for(Vcpu *vcpu, uint64_t linear, PgmAccessKind access, CpumTlbKind kind)
{
    CpumTlbEntry *entry = cpum_tlb_entry(vcpu, kind, linear);
    uint64_t tag = access == PGM_WRITE ? entry->tag_write : entry->tag_read;
    PgmFault fault;

    if ((tag & ~TLB_FLAGS) != (linear & PAGE_MASK) &&
        !pgm_tlb_fill(vcpu, linear, access, kind, &fault))
        iem_raise_page_fault(vcpu, linear, fault.error_code);
    return entry;
}

/* A device may have raised an interrupt or changed the memory map: look at it after this
 * instruction. */
static void
after_slow_access(Vcpu *vcpu)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    if (cpum_pending(vcpu))
        iem->stop |= IEM_STOP_PENDING;
    if (pgm_generation(vcpu->pgm) != iem->generation)
        iem->stop |= IEM_STOP_STATE;
}

/* As one access where a CPU makes one: others must not see, or overwrite, half of it. */
static inline void
copy(void *to, const void *from, unsigned size)
{
    switch (size) {
    case 1: memcpy(to, from, 1); break;
    case 2: memcpy(to, from, 2); break;
    case 4: memcpy(to, from, 4); break;
    case 8: memcpy(to, from, 8); break;
    case 16: memcpy(to, from, 16); break;
    default: memcpy(to, from, size); break;
    }
}

/* Within one page. */
static void
read_page(Vcpu *vcpu, uint64_t linear, uint8_t *data, unsigned size, CpumTlbKind kind)
{
    const CpumTlbEntry *entry = tlb_for(vcpu, linear, PGM_READ, kind);

    if (entry->tag_read == (linear & PAGE_MASK)) {
        copy(data, (const void *)(uintptr_t)(entry->addend + linear), size);
        return;
    }
    iem_count_up_to_here(vcpu);
    while (size > 0) {
        unsigned part = MIN(size, 8);
        uint64_t value = pgm_slow_read(vcpu, linear, part, kind);

        memcpy(data, &value, part);
        data += part;
        linear += part;
        size -= part;
    }
    after_slow_access(vcpu);
}

static void
write_page(Vcpu *vcpu, uint64_t linear, const uint8_t *data, unsigned size, CpumTlbKind kind)
{
    const CpumTlbEntry *entry = tlb_for(vcpu, linear, PGM_WRITE, kind);

    if (entry->tag_write == (linear & PAGE_MASK)) {
        copy((void *)(uintptr_t)(entry->addend + linear), data, size);
        return;
    }
    iem_count_up_to_here(vcpu);
    while (size > 0) {
        unsigned part = MIN(size, 8);
        uint64_t value = 0;

        memcpy(&value, data, part);
        pgm_slow_write(vcpu, linear, value, part, kind);
        data += part;
        linear += part;
        size -= part;
    }
    after_slow_access(vcpu);
}

static unsigned
bytes_in_page(uint64_t linear, unsigned size)
{
    return MIN(size, X86_PAGE_SIZE - (unsigned)(linear & X86_PAGE_OFFSET_MASK));
}

/* Addresses wrap at 4 GiB outside 64-bit mode; tables of long mode above that don't. */
static uint64_t
linear_after(const Vcpu *vcpu, uint64_t linear, unsigned bytes)
{
    return linear >> 32 ? linear + bytes : (linear + bytes) & vcpu->iem_vcpu->linear_mask;
}

static void
read_linear(Vcpu *vcpu, uint64_t linear, void *data, unsigned size, CpumTlbKind kind)
{
    unsigned first = bytes_in_page(linear, size);

    read_page(vcpu, linear, data, first, kind);
    if (first < size)
        read_page(vcpu, linear_after(vcpu, linear, first), (uint8_t *)data + first, size - first,
                  kind);
}

/* Both pages are walked before the first byte is stored. */
static void
write_linear(Vcpu *vcpu, uint64_t linear, const void *data, unsigned size, CpumTlbKind kind)
{
    unsigned first = bytes_in_page(linear, size);
    uint64_t second = linear_after(vcpu, linear, first);

    tlb_for(vcpu, linear, PGM_WRITE, kind);
    if (first < size)
        tlb_for(vcpu, second, PGM_WRITE, kind);
    write_page(vcpu, linear, data, first, kind);
    if (first < size)
        write_page(vcpu, second, (const uint8_t *)data + first, size - first, kind);
}

static uint64_t
check_access(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size, bool write)
{
    uint64_t linear = check_segment(vcpu, seg, offset, size, write);

    check_alignment(vcpu, linear, size);
    check_breakpoints(vcpu, linear, size, write);
    return linear;
}

uint64_t
iem_read_slow(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    read_linear(vcpu, check_access(vcpu, seg, offset, size, false), &value, size, vcpu->tlb_kind);
    return value;
}

void
iem_write_slow(Vcpu *vcpu, unsigned seg, uint64_t offset, uint64_t value, unsigned size)
{
    write_linear(vcpu, check_access(vcpu, seg, offset, size, true), &value, size, vcpu->tlb_kind);
}

void
iem_read_bytes(Vcpu *vcpu, unsigned seg, uint64_t offset, void *data, unsigned size)
{
    read_linear(vcpu, check_access(vcpu, seg, offset, size, false), data, size, vcpu->tlb_kind);
}

void
iem_write_bytes(Vcpu *vcpu, unsigned seg, uint64_t offset, const void *data, unsigned size)
{
    write_linear(vcpu, check_access(vcpu, seg, offset, size, true), data, size, vcpu->tlb_kind);
}

void
iem_read_aligned(Vcpu *vcpu, unsigned seg, uint64_t offset, void *data, unsigned size)
{
    uint64_t linear = check_access(vcpu, seg, offset, size, false);

    if (linear & (size - 1))
        iem_raise_gp0(vcpu);
    read_linear(vcpu, linear, data, size, vcpu->tlb_kind);
}

void
iem_write_aligned(Vcpu *vcpu, unsigned seg, uint64_t offset, const void *data, unsigned size)
{
    uint64_t linear = check_access(vcpu, seg, offset, size, true);

    if (linear & (size - 1))
        iem_raise_gp0(vcpu);
    write_linear(vcpu, linear, data, size, vcpu->tlb_kind);
}

void
iem_probe_write(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size)
{
    uint64_t linear = check_segment(vcpu, seg, offset, size, true);
    unsigned first = bytes_in_page(linear, size);

    check_alignment(vcpu, linear, size);
    tlb_for(vcpu, linear, PGM_WRITE, vcpu->tlb_kind);
    if (first < size)
        tlb_for(vcpu, linear_after(vcpu, linear, first), PGM_WRITE, vcpu->tlb_kind);
}

/* Where a read-modify-write can be done as it is: in one piece of memory, which may be in two pages
 * that are neighbours for the host as well. */
static void *
rmw_host(Vcpu *vcpu, uint64_t linear, unsigned size, CpumTlbKind kind)
{
    const unsigned first = bytes_in_page(linear, size);
    const uint64_t next = linear_after(vcpu, linear, first);
    uint8_t *host, *second;

    tlb_for(vcpu, linear, PGM_WRITE, kind);
    if (first < size)
        tlb_for(vcpu, next, PGM_WRITE, kind);
    host = pgm_slow_host(vcpu, linear, first, kind);
    if (first == size || host == NULL)
        return host;
    second = pgm_slow_host(vcpu, next, size - first, kind);
    return second == host + first ? host : NULL;
}

static bool
is_locked(const IemInsn *insn)
{
    return (insn->flags & IEM_INSN_LOCK) || insn->row == ZYDIS_MNEMONIC_XCHG;
}

void
iem_alone_begin(Vcpu *vcpu)
{
    if (cpum_count(vcpu->cpum) == 1)
        return;
    cpum_alone_begin(vcpu);
    vcpu->iem_vcpu->alone = true;
    if (cpum_pending(vcpu) & CPUM_PEND_TLB_FLUSH)
        pgm_act_on_flush(vcpu);
}

void
iem_alone_end(Vcpu *vcpu)
{
    if (!vcpu->iem_vcpu->alone)
        return;
    vcpu->iem_vcpu->alone = false;
    cpum_alone_end(vcpu);
}

void
iem_rmw_begin_slow(Vcpu *vcpu, unsigned seg, uint64_t offset, unsigned size, IemRmw *rmw)
{
    rmw->linear = check_access(vcpu, seg, offset, size, true);
    rmw->size = size;
    rmw->kind = vcpu->tlb_kind;
    rmw->way = IEM_RMW_TRACKED;
    rmw->host = rmw_host(vcpu, rmw->linear, size, rmw->kind);
    if (rmw->host != NULL)
        return;
    if (is_locked(vcpu->iem_vcpu->insn))
        iem_alone_begin(vcpu);
    /* Again, and faulting here if at all: the TLB may have been flushed meanwhile. */
    rmw_host(vcpu, rmw->linear, size, rmw->kind);
    rmw->way = IEM_RMW_BOUNCED;
    rmw->host = rmw->bounce;
    read_linear(vcpu, rmw->linear, rmw->bounce, size, rmw->kind);
}

void
iem_rmw_commit_slow(Vcpu *vcpu, IemRmw *rmw)
{
    const unsigned first = bytes_in_page(rmw->linear, rmw->size);

    if (rmw->way == IEM_RMW_BOUNCED) {
        write_linear(vcpu, rmw->linear, rmw->bounce, rmw->size, rmw->kind);
        iem_alone_end(vcpu);
        return;
    }
    pgm_slow_written(vcpu, rmw->linear, first, rmw->kind);
    if (first < rmw->size)
        pgm_slow_written(vcpu, linear_after(vcpu, rmw->linear, first), rmw->size - first,
                         rmw->kind);
    after_slow_access(vcpu);
}

static uint64_t
check_system(Vcpu *vcpu, uint64_t linear)
{
    if (!(vcpu->efer & X86_EFER_LMA))
        return (uint32_t)linear;
    if (!iem_is_canonical(vcpu, linear))
        iem_raise_gp0(vcpu);
    return linear;
}

/* Data breakpoints see these accesses too: a trap after the instruction, or in front of the first
 * one of a handler. */
static uint64_t
system_read(Vcpu *vcpu, uint64_t linear, unsigned size)
{
    uint64_t value = 0;

    linear = check_system(vcpu, linear);
    read_linear(vcpu, linear, &value, size, CPUM_TLB_SUPERVISOR);
    check_breakpoints(vcpu, linear, size, false);
    return value;
}

static void
system_write(Vcpu *vcpu, uint64_t linear, uint64_t value, unsigned size)
{
    linear = check_system(vcpu, linear);
    write_linear(vcpu, linear, &value, size, CPUM_TLB_SUPERVISOR);
    check_breakpoints(vcpu, linear, size, true);
}

void
iem_linear_write(Vcpu *vcpu, uint64_t linear, uint64_t value, unsigned size, CpumTlbKind kind)
{
    linear = check_system(vcpu, linear);
    write_linear(vcpu, linear, &value, size, kind);
    check_breakpoints(vcpu, linear, size, true);
}

uint8_t
iem_sys_change_u8(Vcpu *vcpu, uint64_t linear, uint8_t set, uint8_t clear)
{
    IemRmw rmw = {.size = 1, .way = IEM_RMW_TRACKED, .kind = CPUM_TLB_SUPERVISOR};
    uint8_t before;

    rmw.linear = check_system(vcpu, linear);
    rmw.host = rmw_host(vcpu, rmw.linear, 1, rmw.kind);
    if (rmw.host == NULL) { /* a device: there is nothing to lock */
        before = iem_sys_read_u8(vcpu, linear);
        iem_sys_write_u8(vcpu, linear, (uint8_t)((before | set) & ~clear));
        return before;
    }
    before = set != 0 ? __atomic_fetch_or((uint8_t *)rmw.host, set, __ATOMIC_SEQ_CST)
                      : __atomic_fetch_and((uint8_t *)rmw.host, (uint8_t)~clear, __ATOMIC_SEQ_CST);
    iem_rmw_commit_slow(vcpu, &rmw);
    check_breakpoints(vcpu, rmw.linear, 1, true);
    return before;
}

uint8_t
iem_sys_read_u8(Vcpu *vcpu, uint64_t linear)
{
    return (uint8_t)system_read(vcpu, linear, 1);
}

uint16_t
iem_sys_read_u16(Vcpu *vcpu, uint64_t linear)
{
    return (uint16_t)system_read(vcpu, linear, 2);
}

uint32_t
iem_sys_read_u32(Vcpu *vcpu, uint64_t linear)
{
    return (uint32_t)system_read(vcpu, linear, 4);
}

uint64_t
iem_sys_read_u64(Vcpu *vcpu, uint64_t linear)
{
    return system_read(vcpu, linear, 8);
}

void
iem_sys_write_u8(Vcpu *vcpu, uint64_t linear, uint8_t value)
{
    system_write(vcpu, linear, value, 1);
}

void
iem_sys_write_u16(Vcpu *vcpu, uint64_t linear, uint16_t value)
{
    system_write(vcpu, linear, value, 2);
}

void
iem_sys_write_u32(Vcpu *vcpu, uint64_t linear, uint32_t value)
{
    system_write(vcpu, linear, value, 4);
}

void
iem_sys_write_u64(Vcpu *vcpu, uint64_t linear, uint64_t value)
{
    system_write(vcpu, linear, value, 8);
}
