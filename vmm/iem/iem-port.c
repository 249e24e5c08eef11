/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * IN, OUT, INS, OUTS. Intel SDM volume 2. */
#include "vmm/iem/iem-decode.h"
#include "vmm/iem/iem-string.h"

static void
check_port(Vcpu *vcpu, uint16_t port, unsigned size)
{
    iem_check_io(vcpu, port, size);
    iem_debug_io(vcpu, port, size);
}

/* insn->width is the size of the access: 1, 2 or 4. */
static uint16_t
port_of(const Vcpu *vcpu, const IemInsn *insn)
{
    return insn->opcode & 8 ? (uint16_t)vcpu->gpr[X86_RDX] : (uint8_t)insn->imm;
}

static void
op_in(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t port = port_of(vcpu, insn);
    uint32_t value;

    check_port(vcpu, port, insn->width);
    value = iom_port_read(vcpu->iom, port, insn->width);
    if (insn->width == 1)
        iem_reg_set(vcpu, 8 * X86_RAX, 1, value);
    else
        iem_gpr_write(vcpu, X86_RAX, insn->width, value);
}

static void
op_out(Vcpu *vcpu, const IemInsn *insn)
{
    uint16_t port = port_of(vcpu, insn);

    check_port(vcpu, port, insn->width);
    iom_port_write(vcpu->iom, port, (uint32_t)iem_truncate(vcpu->gpr[X86_RAX], insn->width),
                   insn->width);
}

/* The destination is checked before the port is read: what a device gave cannot be given back. */
static uint64_t
ins(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max)
{
    uint16_t port = (uint16_t)vcpu->gpr[X86_RDX];
    uint64_t to = iem_string_index(vcpu, X86_RDI, insn);
    uint64_t count = 0;
    void *target;

    if (max > 1)
        count = iem_string_run(vcpu, insn, X86_ES, to, size, true, MIN(max, UINT16_MAX), &target);
    if (count > 0) {
        count = iom_port_read_string(vcpu->iom, port, target, (uint32_t)count, size);
    } else {
        uint32_t value;

        iem_probe_write(vcpu, X86_ES, to, size);
        value = iom_port_read(vcpu->iom, port, size);
        iem_write_bytes(vcpu, X86_ES, to, &value, size);
        count = 1;
    }
    iem_string_advance(vcpu, X86_RDI, insn, size, count);
    return count;
}

static uint64_t
outs(Vcpu *vcpu, const IemInsn *insn, unsigned size, uint64_t max)
{
    uint16_t port = (uint16_t)vcpu->gpr[X86_RDX];
    uint64_t from = iem_string_index(vcpu, X86_RSI, insn);
    uint64_t count = 0;
    void *source;

    if (max > 1)
        count =
            iem_string_run(vcpu, insn, insn->seg, from, size, false, MIN(max, UINT16_MAX), &source);
    if (count > 0) {
        count = iom_port_write_string(vcpu->iom, port, source, (uint32_t)count, size);
    } else {
        uint32_t value = 0;

        iem_read_bytes(vcpu, insn->seg, from, &value, size);
        iom_port_write(vcpu->iom, port, value, size);
        count = 1;
    }
    iem_string_advance(vcpu, X86_RSI, insn, size, count);
    return count;
}

/* The right to the port is checked even when there is nothing to do. */
static void
op_ins(Vcpu *vcpu, const IemInsn *insn)
{
    check_port(vcpu, (uint16_t)vcpu->gpr[X86_RDX], insn->width);
    iem_string_repeat(vcpu, insn, ins, insn->width, IEM_STRING_MOVE);
}

static void
op_outs(Vcpu *vcpu, const IemInsn *insn)
{
    check_port(vcpu, (uint16_t)vcpu->gpr[X86_RDX], insn->width);
    iem_string_repeat(vcpu, insn, outs, insn->width, IEM_STRING_MOVE);
}

IemHandler
iem_choose_io(const Vcpu *vcpu, IemInsn *insn)
{
    /* A port may change what memory is where, and what is pending. */
    insn->flags |= IEM_INSN_BLOCK_END | IEM_INSN_SYSTEM;
    insn->width = insn->opcode & 1 ? MIN(insn->opsize, 4) : 1;
    if (insn->opcode >= 0xe0)
        return insn->opcode & 2 ? op_out : op_in; /* E4..E7, EC..EF */
    return insn->opcode & 2 ? op_outs : op_ins;   /* 6C..6F */
}
