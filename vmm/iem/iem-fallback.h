/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For engines that translate code: IEM's handlers for single instructions at the present state,
 * and delivery of what they raise. An instruction is opaque here. */
#pragma once

#include "vmm/em/engine.h"
#include "vmm/x86/x86-decode.h"

typedef struct IemInsn IemInsn;

/* A run of the other engine begins and ends: derived state, MXCSR. */
void iem_begin(Vcpu *vcpu);
void iem_end(Vcpu *vcpu);

/* The bases of FS and GS were changed in 64-bit code. */
void iem_bases_changed(Vcpu *vcpu);
/* Segment registers or the CPL were. */
void iem_segments_changed(Vcpu *vcpu);

/* Calls body(vcpu). Anything that IEM raises in it ends it at once (by a long jump: what it called
 * holds no resources) and is delivered. False: the delivery ended in a shutdown. Afterwards the CPU
 * may be halted: an x87 instruction waits for an interrupt. */
bool iem_guard(Vcpu *vcpu, void (*body)(Vcpu *vcpu));

/* Has somebody to look between instructions: an exit, an interrupt shadow, TF, RF, breakpoints?
 * Then execute the next one by iem_engine.run(vcpu, 1), outside of the guard. */
bool iem_wants_care(const Vcpu *vcpu);
/* The instructions may touch memory only by IEM's handlers: #AC or data breakpoints are checked. */
bool iem_checks_memory(const Vcpu *vcpu);
/* An access of n bytes at an offset in that segment needs no more checks when offset + n - 1 is
 * below the end; 0: let IEM do it. Outside of 64-bit code. */
void iem_segment_window(const Vcpu *vcpu, unsigned seg, uint64_t *read_end, uint64_t *write_end);
/* Changes whenever those windows do. */
uint32_t iem_segment_changes(const Vcpu *vcpu);
/* Loads ES, DS, FS or GS as MOV does, in protected 16- or 32-bit code; IEM knows the segments as
 * they are. False: nothing has happened, because that might fault or write, or ES or DS would get
 * another base, limit or type. */
bool iem_load_data_quickly(Vcpu *vcpu, unsigned seg, uint16_t selector);
/* Has `bytes` bytes of code at RIP room below CS's limit? */
bool iem_code_fits(const Vcpu *vcpu, unsigned bytes);

/* Has the CPU the feature that a VEX form needs besides that of its row, whose mnemonic may have
 * forms of several extensions? Real and virtual-8086 mode have none, which is not looked at. */
bool iem_offers_vex(const Vcpu *vcpu, const ZydisDecodedInstruction *zydis);

/* Bytes of memory that one decoded instruction takes. */
size_t iem_insn_size(void);
/* Decodes the instruction at bytes[0] for the present mode into `room`; false: `available` bytes
 * are not enough. An undefined instruction decodes, with length 0. */
bool iem_insn_decode(const Vcpu *vcpu, const uint8_t *bytes, size_t available, IemInsn *room);
/* The same for the instruction at CS:RIP, which may cross pages. Raises what its fetch raises. */
void iem_insn_fetch(Vcpu *vcpu, IemInsn *room);
unsigned iem_insn_length(const IemInsn *insn);
/* The row of vmm/x86/instructions.def: a Zydis mnemonic; 0 for an undefined instruction. */
unsigned iem_insn_row(const IemInsn *insn);
/* Does it end a straight-line block: control flow, or a change of mode or interrupt state? */
bool iem_insn_ends_block(const IemInsn *insn);
/* May it change what REM derives from the state, or what is pending? */
bool iem_insn_is_system(const IemInsn *insn);
/* Does it change nothing but a segment register, of what REM derives from the state? */
bool iem_insn_loads_segment(const IemInsn *insn);

/* Executes the instruction, which is at CS:RIP, and counts it as retired. True: go on with the next
 * one; false: call iem_settle(). */
bool iem_insn_execute(Vcpu *vcpu, const IemInsn *insn);
/* Executes the instruction at CS:RIP by IEM's own cache, where the engine cannot translate it. As
 * iem_insn_execute(). */
bool iem_step_cached(Vcpu *vcpu);
/* Acts on what instructions left to be done. False: leave `run` with *exit. */
bool iem_settle(Vcpu *vcpu, EmExit *exit);
/* The same block must not go on: its code was written. Keeps iem_insn_execute() from saying "go
 * on". For listeners of PGM. */
void iem_stop(Vcpu *vcpu);
