/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The boot sector of a floppy that fills the first BLOCKS megabytes of the first hard disk with the
 * number of each piece of 32 KiB, and says on COM1 how it goes: a dot for each megabyte, then "done",
 * or "error". With LOOP it then does so again, for ever. EDD 3.0 (INT 13h function 43h); 16550 data sheet. */
    .intel_syntax noprefix
    .set COM1, 0x3f8
    .set BUFFER, 0x8000
    .set SECTORS, 64        /* of a piece */

    .code16
    .globl start
start:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7000
    call set_up_serial
    xor bx, bx              /* the number of the piece */
next:
    mov ax, bx
    mov di, BUFFER
    mov cx, SECTORS * 256
    rep stosw
    mov ax, SECTORS
    mul bx
    mov [packet + 8], ax
    mov [packet + 10], dx
    push bx
    mov si, offset packet
    mov ax, 0x4300
    mov dl, 0x80
    int 0x13
    pop bx
    mov si, offset error
    jc say
    inc bx
    test bl, 31
    jnz more
    mov al, '.'
    call put
more:
    cmp bx, BLOCKS * 32
    jb next
    mov si, offset done
.ifdef LOOP
    xor bx, bx
    jmp next
.endif
say:
    lodsb
    test al, al
    jz stop
    call put
    jmp say
stop:
    hlt
    jmp stop

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
packet:
    .byte 16, 0
    .word SECTORS
    .word BUFFER, 0
    .quad 0
done:
    .asciz "done\n"
error:
    .asciz "error\n"
    .org 510
    .word 0xaa55
