/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The lowest layer of a 32-bit guest program: from real mode to protected mode without paging, an entry
 * for each of the 256 vectors, and run(), which executes code in any context and comes back with
 * the next interrupt or exception. Intel SDM volume 3A 6.12, 9.9.1. */
        .section .start, "ax"
        .code16
        .globl  start
start:  cli
        movw    %cs, %ax
        movw    %ax, %ds
        movb    $0xff, %al              /* no interrupts from the PICs */
        outb    %al, $0x21
        outb    %al, $0xa1
        inb     $0x92, %al              /* A20 */
        orb     $2, %al
        andb    $0xfe, %al
        outb    %al, $0x92
        lgdtl   start_gdtr - start
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $start_flat

        .balign 8
start_gdt:
        .quad   0
        .quad   0x00cf9b000000ffff
        .quad   0x00cf93000000ffff
start_gdtr:
        .word   . - start_gdt - 1
        .long   start_gdt

        .code32
start_flat:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        movl    $stack_end, %esp
        cld
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
        pushl   $0
        .endif
        pushl   $vector
        jmp     event_common
        .set    vector, vector + 1
        .endr

/* Registers are saved in the layout of Frame (guest32.c). The C code has a flat stack of its own,
 * because the interrupted one may be small, 16-bit or nearly full. */
event_common:
        pushal
        pushl   %ds
        pushl   %es
        pushl   %fs
        pushl   %gs
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        cld
        movl    %ss, %ebx
        movl    %esp, %esi
        movl    %esi, %ecx
        larl    %ebx, %edx
        testl   $0x400000, %edx         /* SS.B */
        jnz     1f
        movzwl  %cx, %ecx
1:      movw    %ax, %ss
        movl    %ecx, %esp
        cmpl    $stack_end, %ecx        /* an event in an event's handler goes on below it */
        jb      2f
        cmpl    $event_stack_end, %ecx
        jb      3f
2:      movl    $event_stack_end, %esp
3:      pushl   %ebx
        pushl   %ecx
        call    event_from_guest        /* returns only to go on with what was interrupted */
        movw    %bx, %ss
        movl    %esi, %esp
        popl    %gs
        popl    %fs
        popl    %es
        popl    %ds
        popal
        addl    $8, %esp
        iretl

/* void run_context(const Context *context): leaves through IRET; comes back by run_resume(). */
        .globl  run_context
run_context:
        pushal
        movl    %esp, run_stack
        movl    36(%esp), %ebx
        testl   $0x20000, 36(%ebx)      /* eflags.VM */
        jnz     to_v86
        testb   $3, 40(%ebx)            /* a frame for an outer level? */
        jnz     to_outer
        /* The same level: IRET does not load ESP, so the frame goes below the wanted one. */
        movl    44(%ebx), %eax
        subl    $12, %eax
        movl    32(%ebx), %ecx
        movl    %ecx, (%eax)
        movl    40(%ebx), %ecx
        movl    %ecx, 4(%eax)
        movl    36(%ebx), %ecx
        movl    %ecx, 8(%eax)
        movw    48(%ebx), %ss           /* its base is 0 */
        movl    %eax, %esp
        jmp     load_data
to_v86: pushl   64(%ebx)                /* gs */
        pushl   60(%ebx)
        pushl   52(%ebx)                /* ds */
        pushl   56(%ebx)                /* es */
to_outer:
        pushl   48(%ebx)                /* ss */
        pushl   44(%ebx)
        pushl   36(%ebx)
        pushl   40(%ebx)
        pushl   32(%ebx)
        testl   $0x20000, 36(%ebx)
        jnz     load_gpr
load_data:
        movw    56(%ebx), %es
        movw    60(%ebx), %fs
        movw    64(%ebx), %gs
        pushl   52(%ebx)                /* DS goes last: EBX is read through it */
load_gpr:
        movl    0(%ebx), %edi
        movl    4(%ebx), %esi
        movl    8(%ebx), %ebp
        movl    20(%ebx), %edx
        movl    24(%ebx), %ecx
        movl    28(%ebx), %eax
        testl   $0x20000, 36(%ebx)
        movl    16(%ebx), %ebx
        jnz     1f
        popl    %ds
1:      iretl

        .globl  run_resume
run_resume:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    run_stack, %esp
        popal
        ret

        .data
        .balign 16
run_stack:
        .long   0
        .balign 16
        .space  8192
stack_end:
        .space  4096
event_stack_end:
