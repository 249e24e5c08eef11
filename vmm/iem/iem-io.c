/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who may touch a port: IOPL and the I/O permission bit map of the TSS.
 * Intel SDM volume 1 19.5. */
#include "vmm/iem/iem-system.h"

#define TSS_IO_MAP 0x66

static bool
map_allows(Vcpu *vcpu, uint16_t port, unsigned size)
{
    uint32_t place, bits;

    if (!(X86_SEG_TYPE(vcpu->tr.attr) & 8) || vcpu->tr.limit < TSS_IO_MAP + 1)
        return false;
    place = iem_sys_read_u16(vcpu, vcpu->tr.base + TSS_IO_MAP) + port / 8u;
    /* Two bytes are always read, so that a wide access may cross a byte. */
    if (place + 1 > vcpu->tr.limit)
        return false;
    bits = iem_sys_read_u16(vcpu, vcpu->tr.base + place);
    return !(bits >> (port & 7) & ((1u << size) - 1));
}

void
iem_check_io(Vcpu *vcpu, uint16_t port, unsigned size)
{
    unsigned iopl = (unsigned)(vcpu->rflags >> 12) & 3;

    iem_count_up_to_here(vcpu);
    if (vcpu->mode == CPUM_MODE_REAL || (!iem_in_v86(vcpu) && vcpu->cpl <= iopl))
        return;
    if (!map_allows(vcpu, port, size))
        iem_raise_gp0(vcpu);
}
