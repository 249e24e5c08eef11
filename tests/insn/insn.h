/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Instruction vectors: one instruction in a given state, on the host CPU and on an engine, with the
 * same linear addresses on both sides. Everything runs at CPL 3 of long mode, in 64-bit code or in
 * 16- or 32-bit compatibility-mode segments. */
#pragma once

#include "vmm/cpum/cpum.h"
#include "vmm/x86/x86-decode.h"

typedef enum { INSN_CODE16, INSN_CODE32, INSN_CODE64 } InsnMode;

/* The window of linear addresses that both sides have. */
#define INSN_BASE 0x10000000u
#define INSN_SIZE 0x10000u
#define INSN_CODE 0x1000u      /* one page, filled with INT3 */
#define INSN_START 0x1800u     /* where the instruction stands */
#define INSN_READ_ONLY 0x3000u /* one page */
#define INSN_DATA 0x4000u      /* two pages, the page behind is absent */
#define INSN_DATA_SIZE 0x2000u
#define INSN_STACK 0x8000u /* one page */
#define INSN_STACK_SIZE 0x1000u
#define INSN_FAR 0xa000u /* two pages of code more, of guests only, filled likewise */

/* Selectors: Linux's own for 32- and 64-bit code, LDT entries 0 and 1 for 16-bit code. */
#define INSN_CS64 0x33
#define INSN_CS32 0x23
#define INSN_SS 0x2b
#define INSN_CS16 0x07
#define INSN_DS16 0x0f

#define INSN_VECTOR_NONE (-1)

typedef struct {
    uint64_t gpr[X86_GPR_COUNT];
    uint64_t rip; /* offset in the code segment */
    uint64_t rflags;
    CpumFpu fpu; /* x87, SSE and AVX */
    /* After: the exception that the instruction raised, INSN_VECTOR_NONE when it completed. */
    int vector;
    uint32_t error;
    uint64_t cr2;
} InsnState;

/* Offset of the segment's base: what to add to an offset to get a linear address. */
static inline uint64_t
insn_segment_base(InsnMode mode)
{
    return mode == INSN_CODE16 ? INSN_BASE : 0;
}

/* ---- the host CPU (insn-host.c) ---- */
/* Maps the window, installs handlers and LDT entries. Aborts the test where that is not possible.
 */
void insn_host_open(void);
uint8_t *insn_host_window(void);
/* Executes what stands at state->rip and replaces the state by what it left. */
void insn_host_run(InsnMode mode, InsnState *state);

/* ---- a guest (insn-guest.c) ---- */
typedef struct InsnGuest InsnGuest;
InsnGuest *insn_guest_new(const char *engine);
void insn_guest_free(InsnGuest *guest);
Vcpu *insn_guest_vcpu(InsnGuest *guest);
uint8_t *insn_guest_window(InsnGuest *guest);
/* Puts code into the window as a device would: engines are told. */
void insn_guest_write_code(InsnGuest *guest, unsigned offset, const uint8_t *bytes, size_t size);
/* The tables show the page at `shown` where that at `offset` was, without a flush of the TLB. */
void insn_guest_remap(InsnGuest *guest, unsigned offset, unsigned shown);
/* The window can be seen at `linear`, too, a multiple of 2 MiB in the window's GiB. */
void insn_guest_alias(InsnGuest *guest, uint64_t linear);
void insn_guest_run(InsnGuest *guest, InsnMode mode, InsnState *state);
/* The same for `budget` instructions or up to the first exception. */
void insn_guest_run_for(InsnGuest *guest, InsnMode mode, InsnState *state, uint64_t budget);

/* ---- forms: the opcodes and operands that a family has (insn-forms.c) ---- */
typedef enum {
    INSN_FAMILY_INTEGER = 1 << 0,
    INSN_FAMILY_FPU = 1 << 1,
    INSN_FAMILY_SSE = 1 << 2,
    INSN_FAMILY_AVX = 1 << 3,
} InsnFamily;

typedef struct {
    uint16_t mnemonic;
    uint8_t bytes[8]; /* prefixes and opcode */
    uint8_t count;
    bool has_modrm;
    uint8_t reg; /* ModRM.reg when it extends the opcode, else 0xff */
    bool memory; /* ModRM names memory */
    uint8_t rm;  /* register forms of x87 and the like: fixed rm, else 0xff */
    bool vex;    /* bytes[] start with a three-byte VEX prefix */
} InsnForm;

/* The decoder that a CPU of that profile has. */
void insn_decoder_init(X86Decoder *decoder, const Vcpu *profile);
/* All forms of these families (a sum) in that mode: GArray of InsnForm, ordered by mnemonic. */
GArray *insn_forms(InsnMode mode, unsigned families, const Vcpu *profile);
/* Has it a row in these families and the profile's features, and has the host the same of it? */
bool insn_is_comparable(const ZydisDecodedInstruction *zydis, unsigned families,
                        const Vcpu *profile);
/* What the SDM leaves undefined: status flags, and x87 condition codes (bits of FSW). */
uint64_t insn_undefined_flags(unsigned mnemonic);
uint16_t insn_undefined_fsw(unsigned mnemonic, uint16_t fsw); /* fsw: what the instruction left */

/* ---- vectors (insn-vector.c) ---- */
typedef struct {
    uint8_t code[X86_INSN_MAX];
    unsigned length;
    InsnState state;
    unsigned target;   /* offset in the window of the memory operand, 0 without */
    uint8_t data[128]; /* the operand's surroundings, from target - 32 */
} InsnVector;

/* Makes a vector of that form: operands, registers, memory. false: this try cannot be used. */
bool insn_vector_make(GRand *rand, InsnMode mode, const InsnForm *form, unsigned families,
                      const X86Decoder *decoder, InsnVector *vector);
/* Random bytes, biased to prefixes and all opcode maps (with `vex`: to VEX prefixes, now and then
 * behind one that makes them undefined), with random registers; memory operands are in the window
 * where that can be had. Decodes what came out: OK or UNDEFINED. */
X86DecodeResult insn_vector_random(GRand *rand, InsnMode mode, const X86Decoder *decoder, bool vex,
                                   InsnVector *vector, ZydisDecodedInstruction *zydis);

/* ---- one vector on both sides (insn-compare.c) ---- */
/* Runs and compares everything that is defined; prints the differences. `vector` is not changed. */
bool insn_compare(InsnGuest *guest, InsnMode mode, unsigned mnemonic, const InsnVector *vector);
