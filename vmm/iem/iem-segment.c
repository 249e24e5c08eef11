/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Descriptors and segment registers: fetching from GDT and LDT, the accessed bit, MOV and POP to
 * segment registers with their checks, real and virtual-8086 mode loads. In real mode a load keeps
 * the limit, so that "unreal" programs keep their 4 GiB segments.
 * Intel SDM volume 3A 3.4, 3.5, 5.1 to 5.7, 20.1; volume 2B MOV. */
#include "vmm/iem/iem-fallback.h"
#include "vmm/iem/iem-system.h"

#define ATTR_REAL (X86_SEG_P | X86_SEG_S | X86_SEG_WRITABLE | X86_SEG_ACCESSED)
#define ATTR_V86 (ATTR_REAL | 3u << 5)

void
iem_parse_descriptor(uint64_t raw, IemDescriptor *out)
{
    uint32_t limit = (uint32_t)(raw & 0xffff) | (uint32_t)(raw >> 32 & 0xf0000);

    out->raw = raw;
    out->high = 0;
    out->base = (raw >> 16 & 0xffffff) | (raw >> 32 & 0xff000000u);
    out->attr = (uint32_t)(raw >> 40) & 0xf0ffu;
    out->limit = out->attr & X86_SEG_G ? limit << 12 | 0xfff : limit;
}

/* Where a selector's descriptor is; false outside of its table. */
static bool
descriptor_place(const Vcpu *vcpu, uint16_t selector, unsigned size, uint64_t *linear)
{
    uint32_t offset = selector & 0xfff8u;
    bool local = (selector & 4) != 0;
    uint32_t limit = local ? vcpu->ldtr.limit : vcpu->gdtr.limit;

    if (local && (vcpu->ldtr.attr & X86_SEG_UNUSABLE || !(vcpu->ldtr.attr & X86_SEG_P)))
        return false;
    if ((uint64_t)offset + size - 1 > limit)
        return false;
    *linear = (local ? vcpu->ldtr.base : vcpu->gdtr.base) + offset;
    return true;
}

bool
iem_fetch_descriptor(Vcpu *vcpu, uint16_t selector, IemDescriptor *out)
{
    uint64_t linear;

    if (!descriptor_place(vcpu, selector, 8, &linear))
        return false;
    iem_parse_descriptor(iem_sys_read_u64(vcpu, linear), out);
    if (!iem_long_mode_active(vcpu) || (out->attr & X86_SEG_S))
        return true;
    if (!descriptor_place(vcpu, selector, 16, &linear))
        return false;
    out->high = iem_sys_read_u64(vcpu, linear + 8);
    out->base |= out->high << 32;
    return true;
}

void
iem_fetch_or_raise(Vcpu *vcpu, uint16_t selector, uint8_t vector, uint32_t ext, IemDescriptor *out)
{
    if (!iem_fetch_descriptor(vcpu, selector, out))
        iem_raise_error(vcpu, vector, iem_selector_error(selector, ext));
}

void
iem_set_descriptor_accessed(Vcpu *vcpu, uint16_t selector, IemDescriptor *descriptor)
{
    uint64_t linear;

    if (descriptor->attr & X86_SEG_ACCESSED || !descriptor_place(vcpu, selector, 8, &linear))
        return;
    descriptor->attr |= X86_SEG_ACCESSED;
    descriptor->raw |= 1ull << 40;
    iem_sys_change_u8(vcpu, linear + 5, X86_SEG_ACCESSED, 0);
}

bool
iem_descriptor_is_code64(const Vcpu *vcpu, const IemDescriptor *d)
{
    return iem_long_mode_active(vcpu) && (d->attr & X86_SEG_L);
}

bool
iem_descriptor_has_bad_size(const Vcpu *vcpu, const IemDescriptor *d)
{
    uint32_t both = X86_SEG_L | X86_SEG_DB;

    return iem_long_mode_active(vcpu) && (d->attr & both) == both;
}

void
iem_check_code_offset(Vcpu *vcpu, const IemDescriptor *d, uint64_t offset, uint32_t error)
{
    bool inside =
        iem_descriptor_is_code64(vcpu, d) ? iem_is_canonical(vcpu, offset) : offset <= d->limit;

    if (!inside)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
}

static void
segment_from_descriptor(CpumSeg *seg, uint16_t selector, const IemDescriptor *d)
{
    seg->sel = selector;
    seg->base = d->base;
    seg->limit = d->limit;
    seg->attr = d->attr;
}

void
iem_load_cs(Vcpu *vcpu, uint16_t selector, IemDescriptor *d, unsigned cpl)
{
    iem_set_descriptor_accessed(vcpu, selector, d);
    segment_from_descriptor(&vcpu->seg[X86_CS], (uint16_t)((selector & ~3u) | cpl), d);
}

void
iem_load_ss(Vcpu *vcpu, uint16_t selector, IemDescriptor *d)
{
    iem_set_descriptor_accessed(vcpu, selector, d);
    segment_from_descriptor(&vcpu->seg[X86_SS], selector, d);
}

void
iem_load_data(Vcpu *vcpu, unsigned seg, uint16_t selector, IemDescriptor *d)
{
    iem_set_descriptor_accessed(vcpu, selector, d);
    segment_from_descriptor(&vcpu->seg[seg], selector, d);
}

/* The DPL of an unusable SS still has to be the CPL: CPUM derives CPL from there. */
void
iem_load_null_ss(Vcpu *vcpu, uint16_t selector, unsigned cpl)
{
    vcpu->seg[X86_SS] = (CpumSeg){.sel = selector, .attr = X86_SEG_UNUSABLE | cpl << 5};
}

void
iem_null_segment(Vcpu *vcpu, unsigned seg, uint16_t selector)
{
    vcpu->seg[seg] = (CpumSeg){.sel = selector, .attr = X86_SEG_UNUSABLE};
}

void
iem_load_real_segment(Vcpu *vcpu, unsigned seg, uint16_t selector, bool v86)
{
    CpumSeg *s = &vcpu->seg[seg];

    s->sel = selector;
    s->base = (uint64_t)selector << 4;
    if (v86) {
        s->limit = 0xffff;
        s->attr = ATTR_V86;
        return;
    }
    if (s->attr & X86_SEG_UNUSABLE) {
        s->limit = 0xffff;
        s->attr = 0;
    }
    s->attr = (s->attr & (X86_SEG_G | X86_SEG_DB)) | ATTR_REAL;
}

void
iem_drop_inner_segments(Vcpu *vcpu, unsigned cpl)
{
    static const uint8_t data[] = {X86_ES, X86_DS, X86_FS, X86_GS};

    for (unsigned i = 0; i < G_N_ELEMENTS(data); i++) {
        const CpumSeg *s = &vcpu->seg[data[i]];
        bool conforming =
            (s->attr & (X86_SEG_CODE | X86_SEG_CONFORMING)) == (X86_SEG_CODE | X86_SEG_CONFORMING);

        if (!(s->attr & X86_SEG_UNUSABLE) && !conforming && X86_SEG_DPL(s->attr) < cpl)
            iem_null_segment(vcpu, data[i], 0);
    }
}

static void
load_stack_segment(Vcpu *vcpu, uint16_t selector)
{
    uint32_t error = iem_selector_error(selector, 0);
    unsigned rpl = selector & 3;
    IemDescriptor d;

    if (iem_selector_is_null(selector)) {
        if (!iem_is_long64(vcpu) || vcpu->cpl == 3 || rpl != vcpu->cpl)
            iem_raise_gp0(vcpu);
        iem_load_null_ss(vcpu, selector, vcpu->cpl);
        return;
    }
    iem_fetch_or_raise(vcpu, selector, X86_XCPT_GP, 0, &d);
    if (rpl != vcpu->cpl || !iem_descriptor_is_writable_data(&d) ||
        X86_SEG_DPL(d.attr) != vcpu->cpl)
        iem_raise_error(vcpu, X86_XCPT_GP, error);
    if (!(d.attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_SS, error);
    iem_load_ss(vcpu, selector, &d);
}

bool
iem_data_segment_allowed(uint16_t selector, const IemDescriptor *d, unsigned cpl)
{
    unsigned dpl = X86_SEG_DPL(d->attr);

    if (iem_descriptor_is_system(d))
        return false;
    if (iem_descriptor_is_code(d) && !(d->attr & X86_SEG_READABLE))
        return false;
    if (iem_descriptor_is_code(d) && iem_descriptor_is_conforming(d))
        return true;
    return (selector & 3u) <= dpl && cpl <= dpl;
}

static void
load_data_segment(Vcpu *vcpu, unsigned seg, uint16_t selector)
{
    IemDescriptor d;

    if (iem_selector_is_null(selector)) {
        iem_null_segment(vcpu, seg, selector);
        return;
    }
    iem_fetch_or_raise(vcpu, selector, X86_XCPT_GP, 0, &d);
    if (!iem_data_segment_allowed(selector, &d, vcpu->cpl))
        iem_raise_error(vcpu, X86_XCPT_GP, iem_selector_error(selector, 0));
    if (!(d.attr & X86_SEG_P))
        iem_raise_error(vcpu, X86_XCPT_NP, iem_selector_error(selector, 0));
    iem_load_data(vcpu, seg, selector, &d);
}

/* The bytes of a descriptor of the GDT, if the TLB knows its page as plain memory. */
static bool
peek_descriptor(Vcpu *vcpu, uint16_t selector, uint64_t *raw)
{
    const CpumTlbEntry *entry;
    uint64_t linear;

    if (selector & 4 || !descriptor_place(vcpu, selector, 8, &linear) || linear > UINT32_MAX ||
        (linear & X86_PAGE_OFFSET_MASK) > X86_PAGE_SIZE - 8 || vcpu->iem_vcpu->check_data)
        return false;
    entry = cpum_tlb_entry(vcpu, CPUM_TLB_SUPERVISOR, linear);
    if (entry->tag_read != (linear & ~(uint64_t)X86_PAGE_OFFSET_MASK))
        return false;
    memcpy(raw, (const void *)(uintptr_t)(entry->addend + linear), sizeof(*raw));
    return true;
}

bool
iem_load_data_quickly(Vcpu *vcpu, unsigned seg, uint16_t selector)
{
    CpumSeg loaded = {.sel = selector, .attr = X86_SEG_UNUSABLE};
    const uint32_t needed = X86_SEG_P | X86_SEG_ACCESSED;
    const CpumSeg *old = &vcpu->seg[seg];
    IemDescriptor d;
    uint64_t raw;

    if (!iem_selector_is_null(selector)) {
        if (!peek_descriptor(vcpu, selector, &raw))
            return false;
        iem_parse_descriptor(raw, &d);
        if ((d.attr & needed) != needed || !iem_data_segment_allowed(selector, &d, vcpu->cpl))
            return false;
        segment_from_descriptor(&loaded, selector, &d);
    }
    if (seg < X86_FS &&
        (loaded.base != old->base || loaded.limit != old->limit || loaded.attr != old->attr))
        return false;
    vcpu->seg[seg] = loaded;
    iem_segment_loaded(vcpu, seg);
    return true;
}

void
iem_load_segment(Vcpu *vcpu, unsigned seg, uint16_t selector)
{
    if (!iem_is_protected(vcpu))
        iem_load_real_segment(vcpu, seg, selector, iem_in_v86(vcpu));
    else if (seg == X86_SS)
        load_stack_segment(vcpu, selector);
    else
        load_data_segment(vcpu, seg, selector);
}
