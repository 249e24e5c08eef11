/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Firmware whose first instructions after reset write one byte to COM1: for the time from the start
 * of a process to the first guest instruction, seen from outside. As large as the real one. */
    .intel_syntax noprefix
    .code16
    .set IMAGE_BYTES, 0x40000
    .set COM1, 0x3f8
    .org IMAGE_BYTES - 16
    mov dx, COM1
    mov al, '!'
    out dx, al
1:
    hlt
    jmp 1b
    .org IMAGE_BYTES
