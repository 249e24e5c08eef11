/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The boot sector of a floppy that ejects the disc of the second IDE channel's master, and says on
 * COM1 whether it was let: "e" or "E". From then on it closes the tray again and again, and says
 * whether a disc is in it: "y" or "n". INCITS 430, START STOP UNIT and TEST UNIT READY; ATA/ATAPI-7,
 * PACKET command; 16550 data sheet. */
    .intel_syntax noprefix
    .set COM1, 0x3f8
    .set DATA, 0x170
    .set STATUS, 0x177
    .set CONTROL, 0x376
    .set BUSY, 0x80
    .set ASKS, 8            /* it wants the packet */

    .code16
    .globl start
start:
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, 0x7000
    call set_up_serial
    mov dx, CONTROL
    mov al, 2               /* no interrupts of the channel */
    out dx, al
    mov si, offset eject
    call command
    mov al, 'e'
    jz told
    mov al, 'E'
told:
    call put
again:
    sti
    mov cx, 4               /* ticks of the clock */
rest:
    hlt
    loop rest
    mov si, offset load
    call command
    mov si, offset ready    /* the first one only hears that the disc has changed */
    call command
    mov si, offset ready
    call command
    mov al, 'y'
    jz say
    mov al, 'n'
say:
    call put
    jmp again

/* The packet at si; zero flag: it went well. */
command:
    call idle
    mov dx, DATA + 6
    mov al, 0xa0
    out dx, al
    call idle
    mov dx, DATA + 1
    xor al, al
    out dx, al
    mov dx, DATA + 4
    out dx, al
    inc dx
    out dx, al
    mov dx, STATUS
    mov al, 0xa0
    out dx, al
asked:
    in al, dx
    test al, BUSY
    jnz asked
    test al, ASKS
    jz asked
    mov cx, 6
    mov dx, DATA
    cld
    rep outsw
    call idle
    test al, 1
    ret

idle:
    mov dx, STATUS
    in al, dx
    test al, BUSY | ASKS
    jnz idle
    ret

put:
    mov ah, al
    mov dx, COM1 + 5
wait:
    in al, dx
    test al, 0x20
    jz wait
    mov dx, COM1
    mov al, ah
    out dx, al
    ret

set_up_serial:
    mov dx, COM1 + 3
    mov al, 0x83
    out dx, al
    mov dx, COM1
    mov ax, 1               /* 115200, written as divisor low and high */
    out dx, al
    inc dx
    mov al, ah
    out dx, al
    mov dx, COM1 + 3
    mov al, 3
    out dx, al
    ret

    .balign 4
eject:
    .byte 0x1b, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0
load:
    .byte 0x1b, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0
ready:
    .byte 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    .org 510
    .word 0xaa55
