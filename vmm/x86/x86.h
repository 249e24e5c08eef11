/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Architectural constants: flags, control registers, MSRs, vectors, descriptor attributes.
 * Intel SDM volumes 3A and 4; AMD APM volume 2. Numbers only, no VM in it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
enum { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
       X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15, X86_GPR_COUNT };

enum { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_SEG_COUNT };

/* RFLAGS */
#define X86_FL_CF   (1u << 0)
#define X86_FL_1    (1u << 1)
#define X86_FL_PF   (1u << 2)
#define X86_FL_AF   (1u << 4)
#define X86_FL_ZF   (1u << 6)
#define X86_FL_SF   (1u << 7)
#define X86_FL_TF   (1u << 8)
#define X86_FL_IF   (1u << 9)
#define X86_FL_DF   (1u << 10)
#define X86_FL_OF   (1u << 11)
#define X86_FL_IOPL (3u << 12)
#define X86_FL_NT   (1u << 14)
#define X86_FL_RF   (1u << 16)
#define X86_FL_VM   (1u << 17)
#define X86_FL_AC   (1u << 18)
#define X86_FL_VIF  (1u << 19)
#define X86_FL_VIP  (1u << 20)
#define X86_FL_ID   (1u << 21)
#define X86_FL_STATUS (X86_FL_CF | X86_FL_PF | X86_FL_AF | X86_FL_ZF | X86_FL_SF | X86_FL_OF)

/* CR0 */
#define X86_CR0_PE (1u << 0)
#define X86_CR0_MP (1u << 1)
#define X86_CR0_EM (1u << 2)
#define X86_CR0_TS (1u << 3)
#define X86_CR0_ET (1u << 4)
#define X86_CR0_NE (1u << 5)
#define X86_CR0_WP (1u << 16)
#define X86_CR0_AM (1u << 18)
#define X86_CR0_NW (1u << 29)
#define X86_CR0_CD (1u << 30)
#define X86_CR0_PG (1u << 31)

/* CR4 */
#define X86_CR4_VME (1u << 0)
#define X86_CR4_PVI (1u << 1)
#define X86_CR4_TSD (1u << 2)
#define X86_CR4_DE  (1u << 3)
#define X86_CR4_PSE (1u << 4)
#define X86_CR4_PAE (1u << 5)
#define X86_CR4_MCE (1u << 6)
#define X86_CR4_PGE (1u << 7)
#define X86_CR4_PCE (1u << 8)
#define X86_CR4_OSFXSR (1u << 9)
#define X86_CR4_OSXMMEXCPT (1u << 10)
#define X86_CR4_UMIP (1u << 11)
#define X86_CR4_FSGSBASE (1u << 16)
#define X86_CR4_PCIDE (1u << 17)
#define X86_CR4_OSXSAVE (1u << 18)
#define X86_CR4_SMEP (1u << 20)
#define X86_CR4_SMAP (1u << 21)

/* XCR0, and the components of an XSAVE area */
#define X86_XCR0_X87 (1u << 0)
#define X86_XCR0_SSE (1u << 1)
#define X86_XCR0_AVX (1u << 2)

/* EFER */
#define X86_EFER_SCE (1u << 0)
#define X86_EFER_LME (1u << 8)
#define X86_EFER_LMA (1u << 10)
#define X86_EFER_NXE (1u << 11)
#define X86_EFER_FFXSR (1u << 14)

/* Exception vectors */
enum { X86_XCPT_DE = 0, X86_XCPT_DB = 1, X86_XCPT_NMI = 2, X86_XCPT_BP = 3, X86_XCPT_OF = 4,
       X86_XCPT_BR = 5, X86_XCPT_UD = 6, X86_XCPT_NM = 7, X86_XCPT_DF = 8, X86_XCPT_TS = 10,
       X86_XCPT_NP = 11, X86_XCPT_SS = 12, X86_XCPT_GP = 13, X86_XCPT_PF = 14, X86_XCPT_MF = 16,
       X86_XCPT_AC = 17, X86_XCPT_MC = 18, X86_XCPT_XM = 19 };

/* Page-fault error code */
#define X86_PF_P    (1u << 0)
#define X86_PF_RW   (1u << 1)
#define X86_PF_US   (1u << 2)
#define X86_PF_RSVD (1u << 3)
#define X86_PF_ID   (1u << 4)

/* Segment attributes, in the layout of VMX access rights: descriptor bits 40..55 shifted down. */
#define X86_SEG_TYPE(attr) ((attr) & 0xfu)
#define X86_SEG_ACCESSED (1u << 0)
#define X86_SEG_WRITABLE (1u << 1) /* data */
#define X86_SEG_READABLE (1u << 1) /* code */
#define X86_SEG_EXPAND_DOWN (1u << 2) /* data */
#define X86_SEG_CONFORMING (1u << 2)  /* code */
#define X86_SEG_CODE (1u << 3)
#define X86_SEG_S   (1u << 4)
#define X86_SEG_DPL(attr) (((attr) >> 5) & 3u)
#define X86_SEG_P   (1u << 7)
#define X86_SEG_AVL (1u << 12)
#define X86_SEG_L   (1u << 13)
#define X86_SEG_DB  (1u << 14)
#define X86_SEG_G   (1u << 15)
#define X86_SEG_UNUSABLE (1u << 16) /* ours: loaded with a null selector */

/* System descriptor types (S = 0) */
enum { X86_SYS_TSS16_AVAIL = 1, X86_SYS_LDT = 2, X86_SYS_TSS16_BUSY = 3, X86_SYS_CALL_GATE16 = 4,
       X86_SYS_TASK_GATE = 5, X86_SYS_INT_GATE16 = 6, X86_SYS_TRAP_GATE16 = 7,
       X86_SYS_TSS32_AVAIL = 9, X86_SYS_TSS32_BUSY = 11, X86_SYS_CALL_GATE32 = 12,
       X86_SYS_INT_GATE32 = 14, X86_SYS_TRAP_GATE32 = 15 };

/* MSRs that the core itself implements */
enum {
    X86_MSR_TSC = 0x10, X86_MSR_PLATFORM_ID = 0x17, X86_MSR_APIC_BASE = 0x1b,
    X86_MSR_TSC_ADJUST = 0x3b, X86_MSR_BIOS_SIGN_ID = 0x8b, X86_MSR_MTRR_CAP = 0xfe,
    X86_MSR_SYSENTER_CS = 0x174, X86_MSR_SYSENTER_ESP = 0x175, X86_MSR_SYSENTER_EIP = 0x176,
    X86_MSR_MCG_CAP = 0x179, X86_MSR_MCG_STATUS = 0x17a, X86_MSR_MISC_ENABLE = 0x1a0,
    X86_MSR_MTRR_PHYSBASE0 = 0x200, X86_MSR_MTRR_FIX64K = 0x250, X86_MSR_MTRR_FIX16K_80000 = 0x258,
    X86_MSR_MTRR_FIX16K_A0000 = 0x259, X86_MSR_MTRR_FIX4K_C0000 = 0x268,
    X86_MSR_PAT = 0x277, X86_MSR_MTRR_DEF_TYPE = 0x2ff,
    X86_MSR_TSC_DEADLINE = 0x6e0, X86_MSR_X2APIC_FIRST = 0x800, X86_MSR_X2APIC_LAST = 0x83f,
};
#define X86_MSR_EFER 0xc0000080u
#define X86_MSR_STAR 0xc0000081u
#define X86_MSR_LSTAR 0xc0000082u
#define X86_MSR_CSTAR 0xc0000083u
#define X86_MSR_SFMASK 0xc0000084u
#define X86_MSR_FS_BASE 0xc0000100u
#define X86_MSR_GS_BASE 0xc0000101u
#define X86_MSR_KERNEL_GS_BASE 0xc0000102u
#define X86_MSR_TSC_AUX 0xc0000103u

#define X86_PAGE_SHIFT 12
#define X86_PAGE_SIZE 4096u
#define X86_PAGE_OFFSET_MASK 0xfffu
/* clang-format on */
