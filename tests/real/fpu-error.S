# SPDX-License-Identifier: GPL-3.0-or-later
#
# A boot sector that lets the x87 report a division by zero the PC/AT's way: CR0.NE = 0, IRQ 13, port 0xF0.
# What happens goes to COM1, one letter for each step: I the interrupt, with the port written; C with the
# exception cleared as well; W a waiting instruction that went on; "fpu: end".
# IBM PC/AT Technical Reference; Intel SDM volume 1 appendix D.

        .set    VECTOR, 0x75            # IRQ 13, as the BIOS sets up the slave
        .code16
        .globl  start
start:  cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movw    $handler, VECTOR * 4
        movw    %ax, VECTOR * 4 + 2
        inb     $0x21, %al              # the cascade and IRQ 13
        andb    $~0x04, %al
        outb    %al, $0x21
        inb     $0xa1, %al
        andb    $~0x20, %al
        outb    %al, $0xa1
        movl    %cr0, %eax
        andb    $~0x2c, %al             # NE, EM, TS
        movl    %eax, %cr0
        sti

# 1: the handler clears the exception.
        movb    $1, clears
        call    divide
        call    wait
# 2: the handler does not; the waiting instructions go on until it is cleared, without further interrupts.
        movb    $0, clears
        call    divide
        call    wait
        call    wait
        fnclex
# 3: cleared: the next one interrupts again.
        movb    $1, clears
        call    divide
        call    wait
        movw    $message, %si
next:   lodsb
        testb   %al, %al
        jz      ended
        call    put
        jmp     next
ended:  hlt
        jmp     ended

divide: fninit
        fldcw   control
        fld1
        fldz
        fdivrp                          # 1 / 0, unmasked
        ret
wait:   fwait
        movb    $'W', %al
# The character in AL to COM1.
put:    pushw   %ax
1:      movw    $0x3fd, %dx
        inb     %dx, %al
        testb   $0x20, %al
        jz      1b
        popw    %ax
        movw    $0x3f8, %dx
        outb    %al, %dx
        ret

handler:
        pushw   %ax
        pushw   %dx
        xorb    %al, %al
        outb    %al, $0xf0
        movb    $'I', %al
        cmpb    $0, clears
        je      2f
        fnclex
        movb    $'C', %al
2:      call    put
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popw    %dx
        popw    %ax
        iret

control: .word  0x037b                  # all masked but division by zero
clears: .byte   0
message: .asciz " fpu: end\r\n"
        .org    start + 510
        .word   0xaa55
