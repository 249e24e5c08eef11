/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The lowest layer of a 64-bit guest program: from real mode to long mode with the first 4 GiB mapped one to
 * one for all rings, an entry for each vector, and run_context(). Intel SDM volume 3A 6.14, 9.8.5. */
        .set    TABLES, 0x60000         /* PML4, PDPT, four page directories */
        .section .start, "ax"
        .code16
        .globl  start
start:  cli
        movw    %cs, %ax
        movw    %ax, %ds
        movb    $0xff, %al
        outb    %al, $0x21
        outb    %al, $0xa1
        inb     $0x92, %al
        orb     $2, %al
        andb    $0xfe, %al
        outb    %al, $0x92
        lgdtl   start_gdtr - start
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $0x18, $start_flat

        .balign 8
start_gdt:
        .quad   0
        .quad   0x00af9b000000ffff
        .quad   0x00cf93000000ffff
        .quad   0x00cf9b000000ffff
start_gdtr:
        .word   . - start_gdt - 1
        .long   start_gdt

        .code32
start_flat:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        cld
        movl    $TABLES, %edi
        movl    $0x6000 / 4, %ecx
        xorl    %eax, %eax
        rep stosl
        movl    $TABLES + 0x1007, TABLES
        movl    $TABLES + 0x2007, TABLES + 0x1000
        movl    $TABLES + 0x3007, TABLES + 0x1008
        movl    $TABLES + 0x4007, TABLES + 0x1010
        movl    $TABLES + 0x5007, TABLES + 0x1018
        movl    $TABLES + 0x2000, %edi
        movl    $0x87, %eax             /* 2 MiB pages, present, writable, user */
1:      movl    %eax, (%edi)
        addl    $8, %edi
        addl    $0x200000, %eax
        jnc     1b
        movl    $TABLES, %eax
        movl    %eax, %cr3
        movl    $0x20, %eax
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx
        rdmsr
        orl     $0x900, %eax            /* LME, NXE */
        wrmsr
        movl    %cr0, %eax
        orl     $0x80010000, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $start_long

        .code64
start_long:
        movl    $stack_end, %esp
        call    guest_main
1:      hlt
        jmp     1b

        .text
/* Vectors that push an error code by themselves: 8, 10 to 14, 17. */
        .set    vector, 0
        .balign 16
        .globl  event_entries
event_entries:
        .rept   256
        .balign 16
        .if     (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17)
        .else
        pushq   $0
        .endif
        pushq   $vector
        jmp     event_common
        .set    vector, vector + 1
        .endr

/* Registers are saved in the layout of Context (guest64.h), then the CPU's frame. */
event_common:
        pushq   %r15
        pushq   %r14
        pushq   %r13
        pushq   %r12
        pushq   %r11
        pushq   %r10
        pushq   %r9
        pushq   %r8
        pushq   %rdi
        pushq   %rsi
        pushq   %rbp
        pushq   $0
        pushq   %rbx
        pushq   %rdx
        pushq   %rcx
        pushq   %rax
        movq    %rsp, %rdi
        movl    $event_stack_end, %esp
        cld
        call    event_from_guest        /* does not return */

/* void run_context(const Context *context): leaves through IRETQ; comes back by run_resume(). */
        .globl  run_context
run_context:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, run_stack
        movw    160(%rdi), %ds
        movw    168(%rdi), %es
        pushq   152(%rdi)               /* ss */
        pushq   32(%rdi)                /* rsp */
        pushq   136(%rdi)               /* rflags */
        pushq   144(%rdi)               /* cs */
        pushq   128(%rdi)               /* rip */
        movq    0(%rdi), %rax
        movq    8(%rdi), %rcx
        movq    16(%rdi), %rdx
        movq    24(%rdi), %rbx
        movq    40(%rdi), %rbp
        movq    48(%rdi), %rsi
        movq    64(%rdi), %r8
        movq    72(%rdi), %r9
        movq    80(%rdi), %r10
        movq    88(%rdi), %r11
        movq    96(%rdi), %r12
        movq    104(%rdi), %r13
        movq    112(%rdi), %r14
        movq    120(%rdi), %r15
        movq    56(%rdi), %rdi
        iretq

        .globl  run_resume
run_resume:
        movw    $0x10, %ax
        movw    %ax, %ss
        movw    %ax, %ds
        movw    %ax, %es
        movq    run_stack, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

        .data
        .balign 16
run_stack:
        .quad   0
        .balign 16
        .space  8192
stack_end:
        .space  4096
event_stack_end:
