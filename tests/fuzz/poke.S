/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest that is out to break its machine: random reads and writes of every width at random ports and
 * at random addresses of the holes where devices are, for ever. SEED comes from the test, a time stamp
 * is mixed in, so that each start of the same disk goes another way. When something resets the
 * machine, the disk boots again and it goes on. It says "poke" and its seed on COM1 at each start. */
    .include "boot64.S"
    .set SCRATCH, 0x300000

greeting:
    .asciz "poke "
    .balign 2
/* First ports of devices; sixteen from each. */
ports:
    .word 0x00, 0x10, 0x20, 0x40, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xc0, 0xd0, 0x170, 0x1f0, 0x278, 0x2e8
    .word 0x2f8, 0x370, 0x378, 0x3b0, 0x3c0, 0x3d0, 0x3e8, 0x3f0, 0x400, 0x4d0, 0x510, 0x600, 0x640
    .word 0xb000, 0xb100, 0xc000, 0xc010, 0xcf8, 0xcfc, 0x1ce, 0x3f6, 0x376, 0xb2, 0xe9
    .set PORTS, (. - ports) / 2
    .balign 8
/* First address and mask of each hole. */
holes:
    .long 0xa0000, 0x1ffff
    .long 0xc0000, 0x3ffff
    .long 0xe0000000, 0xffffff
    .long 0xfd000000, 0xffffff
    .long 0xfe000000, 0xffffff
    .long 0xfec00000, 0xfff
    .long 0xfed00000, 0xfff
    .long 0xfee00000, 0xfff
    .long 0xff000000, 0xffffff
    .set HOLES, (. - holes) / 8

main:
    rdtsc
    shl rdx, 32
    or rax, rdx
    mov r15, SEED
    imul r15, r15, 0x1000193
    xor r15, rax
    or r15, 1
    lea rsi, [rip + greeting]
    mov rax, r15
    call report
    /* The ports and addresses that devices have are tried often, all others sometimes. */
again:
    call random
    test al, 0x30
    jz all_ports
    test al, 0x40
    jz address
    lea rsi, [rip + ports]
    call random
    xor edx, edx
    mov ecx, PORTS
    div rcx
    movzx edx, word ptr [rsi + rdx * 2]
    call random
    and eax, 15
    add edx, eax
    jmp port
all_ports:
    call random
    movzx edx, ax

/* Port edx: a random one of six accesses, or a block of them by REP. Those that reach a port that
 * resets the machine or switches it off (61..64, 92, 601..605, CF9) are rarer, so that it does not spend
 * its time in firmware. */
port:
    lea ecx, [rdx - 0x61]
    cmp ecx, 3
    jbe rare
    lea ecx, [rdx - 0x8f]
    cmp ecx, 3
    jbe rare
    lea ecx, [rdx - 0x601]
    cmp ecx, 4
    jbe rare
    lea ecx, [rdx - 0xcf6]
    cmp ecx, 3
    ja any_port
rare:
    call random
    test ax, 0x3ff
    jnz again
any_port:
    call random
    mov ebx, eax
    shr rax, 16
    and ebx, 7
    cmp ebx, 6
    jae block
    lea rsi, [rip + port_table]
    movsxd rbx, dword ptr [rsi + rbx * 4]
    add rbx, rsi
    jmp rbx
port_table:
    .long in8 - port_table, in16 - port_table, in32 - port_table
    .long out8 - port_table, out16 - port_table, out32 - port_table
in8:
    in al, dx
    jmp again
in16:
    in ax, dx
    jmp again
in32:
    in eax, dx
    jmp again
out8:
    out dx, al
    jmp again
out16:
    out dx, ax
    jmp again
out32:
    out dx, eax
    jmp again
block:
    and eax, 63
    mov ecx, eax
    mov edi, SCRATCH
    mov esi, SCRATCH
    test bl, 1
    jz 1f
    rep insw
    jmp again
1:
    rep outsw
    jmp again

/* A random place in one of the holes; reads and writes of 1, 2, 4 and 8 bytes, aligned or not. */
address:
    lea rsi, [rip + holes]
    call random
    xor edx, edx
    mov ecx, HOLES
    div rcx
    mov edi, [rsi + rdx * 8]
    mov ebp, [rsi + rdx * 8 + 4]
    call random
    and eax, ebp
    add rdi, rax
    call random
    mov ebx, eax
    shr rax, 16
    test bl, 8
    jnz 1f
    mov cl, [rdi]
    test bl, 1
    jz again
    mov ecx, [rdi]
    test bl, 2
    jz again
    mov rcx, [rdi]
    test bl, 4
    jz again
    mov cx, [rdi + 1]
    jmp again
1:
    mov [rdi], al
    test bl, 1
    jz again
    mov [rdi], eax
    test bl, 2
    jz again
    mov [rdi], rax
    test bl, 4
    jz again
    mov [rdi + 1], ax
    jmp again

/* xorshift64 in r15; the result, without its lowest bits' habits, in rax. */
random:
    mov rax, r15
    shl rax, 13
    xor r15, rax
    mov rax, r15
    shr rax, 7
    xor r15, rax
    mov rax, r15
    shl rax, 17
    xor r15, rax
    mov rax, r15
    shr rax, 8
    ret

    .org 512 * (1 + SECTORS)
