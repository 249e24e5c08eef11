/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Boot sector for machines with a BIOS (QEMU, Bochs): reads the program that follows it on the hard disk to
 * 0x10000 and jumps there. Our own harness puts the program there by itself and leaves this out.
 * BIOS interface: EDD 3.0, INT 13h function 42h. */
        .code16
        .globl  _start
_start: cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7c00, %sp
        ljmp    $0, $begin
begin:  sti
        movb    %dl, drive
again:  movw    $packet, %si
        movb    $0x42, %ah
        movb    drive, %dl
        int     $0x13
        jc      failed
        addl    $16, lba
        addw    $0x200, segment
        decw    left
        jnz     again
        cli
        ljmp    $0x1000, $0
failed: movb    $'!', %al
        outb    %al, $0xe9
1:      hlt
        jmp     1b

        .balign 4
packet: .byte   16, 0
        .word   16              /* sectors in one go */
        .word   0               /* offset */
segment:
        .word   0x1000
lba:    .long   1, 0
left:   .word   32              /* times 16 sectors: 256 KiB */
drive:  .byte   0
        .org    510
        .word   0xaa55
