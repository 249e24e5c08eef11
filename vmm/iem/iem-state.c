/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What IEM derives from the registers so that its inline paths are short: segment windows, address
 * masks, the range of valid branch targets. Intel SDM volume 3A sections 5.3 and 6.15. */
#include "vmm/iem/iem-private.h"

static bool
has_data_breakpoint(const Vcpu *vcpu)
{
    for (unsigned i = 0; i < 4 && (vcpu->dr[7] & 0xff) != 0; i++) {
        if (((vcpu->dr[7] >> (2 * i)) & 3) && ((vcpu->dr[7] >> (16 + 4 * i)) & 1))
            return true;
    }
    return false;
}

static void
open_window(IemSegFast *fast, uint64_t base, uint64_t read_end, uint64_t write_end)
{
    fast->base = base;
    fast->read_end = read_end;
    fast->write_end = write_end;
}

static void
update_segment64(const Vcpu *vcpu, IemVcpu *iem, unsigned i)
{
    uint64_t base = i == X86_FS || i == X86_GS ? vcpu->seg[i].base : 0;

    open_window(&iem->seg[i], base, UINT64_MAX, UINT64_MAX);
}

static void
update_segment(const Vcpu *vcpu, IemVcpu *iem, unsigned i)
{
    const CpumSeg *seg = &vcpu->seg[i];
    uint64_t end = (uint64_t)seg->limit + 1;
    bool code = (seg->attr & X86_SEG_CODE) != 0;
    bool readable = !code || (seg->attr & X86_SEG_READABLE);
    bool writable = !code && (seg->attr & X86_SEG_WRITABLE);

    if ((seg->attr & X86_SEG_UNUSABLE) || (!code && (seg->attr & X86_SEG_EXPAND_DOWN)))
        end = 0;
    if (!iem_is_protected(vcpu))
        readable = writable = true;
    open_window(&iem->seg[i], seg->base, readable ? end : 0, writable ? end : 0);
}

static uint32_t
mode_key(const Vcpu *vcpu)
{
    return (uint32_t)vcpu->mode | ((vcpu->seg[X86_SS].attr & X86_SEG_DB) ? 16 : 0) |
           ((vcpu->seg[X86_CS].attr & X86_SEG_DB) ? 32 : 0);
}

static void
update_branches(const Vcpu *vcpu, IemVcpu *iem)
{
    if (iem_is_long64(vcpu)) {
        iem->linear_mask = UINT64_MAX;
        iem->branch_low = (uint64_t)0 - (1ull << (vcpu->linear_bits - 1));
        iem->branch_span = (1ull << vcpu->linear_bits) - 1;
        iem->code_base = 0;
        iem->code_end = UINT64_MAX;
    } else {
        iem->linear_mask = UINT32_MAX;
        iem->branch_low = 0;
        iem->branch_span = vcpu->seg[X86_CS].limit;
        iem->code_base = vcpu->seg[X86_CS].base;
        iem->code_end = (uint64_t)vcpu->seg[X86_CS].limit + 1;
    }
}

enum { RULES_KNOWN = 1, RULES_LONG64 = 2, RULES_PROTECTED = 4, RULES_CHECKS = 8 };

/* Besides the segment register itself. */
static uint32_t
segment_rules(const Vcpu *vcpu, const IemVcpu *iem)
{
    return RULES_KNOWN | (iem_is_long64(vcpu) ? RULES_LONG64 : 0) |
           (iem_is_protected(vcpu) ? RULES_PROTECTED : 0) |
           (iem->check_align || iem->check_data ? RULES_CHECKS : 0);
}

static void
update_window(const Vcpu *vcpu, IemVcpu *iem, unsigned i)
{
    iem->seen[i] = vcpu->seg[i];
    iem->seen_changes++;
    if (iem_is_long64(vcpu))
        update_segment64(vcpu, iem, i);
    else
        update_segment(vcpu, iem, i);
    if (iem->check_align || iem->check_data)
        open_window(&iem->seg[i], iem->seg[i].base, 0, 0);
}

static bool
has_changed(const CpumSeg *seg, const CpumSeg *seen)
{
    return seg->base != seen->base || seg->limit != seen->limit || seg->attr != seen->attr;
}

void
iem_segments_changed(Vcpu *vcpu)
{
    IemVcpu *iem = vcpu->iem_vcpu;
    uint32_t rules;

    iem->check_align = (vcpu->cr0 & X86_CR0_AM) && (vcpu->rflags & X86_FL_AC) && vcpu->cpl == 3;
    iem->check_code = (vcpu->dr[7] & 0xff) != 0;
    iem->mode_key = mode_key(vcpu);
    iem->generation = pgm_generation(vcpu->pgm);
    iem->check_data = has_data_breakpoint(vcpu);
    /* From one ring of 64-bit code to another only bases can differ. */
    if (iem_is_long64(vcpu) && iem->wide_open && !iem->check_align && !iem->check_data) {
        iem->seg[X86_FS].base = vcpu->seg[X86_FS].base;
        iem->seg[X86_GS].base = vcpu->seg[X86_GS].base;
        return;
    }
    iem->wide_open = iem_is_long64(vcpu) && !iem->check_align && !iem->check_data;
    update_branches(vcpu, iem);
    rules = segment_rules(vcpu, iem);
    for (unsigned i = 0; i < X86_SEG_COUNT; i++) {
        if (rules != iem->seen_rules || has_changed(&vcpu->seg[i], &iem->seen[i]))
            update_window(vcpu, iem, i);
    }
    iem->seen_rules = rules;
}

void
iem_segment_loaded(Vcpu *vcpu, unsigned seg)
{
    IemVcpu *iem = vcpu->iem_vcpu;

    if (iem->wide_open || !has_changed(&vcpu->seg[seg], &iem->seen[seg])) {
        iem->seg[seg].base = iem_is_long64(vcpu) && seg < X86_FS ? 0 : vcpu->seg[seg].base;
        return;
    }
    iem->mode_key = mode_key(vcpu);
    update_window(vcpu, iem, seg);
}
