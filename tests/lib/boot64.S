/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest program in 64-bit mode begins with: a boot sector that reads the program from the disk,
 * the way into long mode with the first 4 GiB mapped one to one, COM1 at 115200, and printing. A
 * program includes this file and defines `main`; it has SECTORS sectors behind the boot sector.
 * Intel SDM volume 3, chapter 9 (mode switching); EDD 3.0 (INT 13h function 42h); 16550 data sheet. */
    .intel_syntax noprefix
    .set STAGE2, 0x8000
    .set STACK, 0x7000
    .set TABLES, 0x10000
    .set COM1, 0x3f8
    .set SECTORS, 8

    .text
    .code16
    .globl start
start:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, STACK
    sti
    mov si, offset packet
    mov ah, 0x42
    int 0x13
    jc .
    jmp 0:STAGE2

    .balign 4
packet:
    .byte 16, 0
    .word SECTORS
    .word STAGE2, 0
    .quad 1

    .org 440
    .long 0x4e525456
    .word 0
    /* One active partition, so that every BIOS takes the disk for bootable. */
    .byte 0x80, 0, 2, 0, 0x83, 0xfe, 0xff, 0xff
    .long 1, 2047
    .org 510
    .word 0xaa55

    .org 512
stage2:
    cli
    in al, 0x92
    or al, 2
    and al, 0xfe
    out 0x92, al
    call set_up_serial
    call build_tables
    lgdt [STAGE2 + gdt_pointer - stage2]
    mov eax, cr4
    or eax, 0x620           /* PAE, OSFXSR, OSXMMEXCPT */
    mov cr4, eax
    mov eax, TABLES
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x100           /* LME */
    wrmsr
    mov eax, cr0
    and eax, 0x9ffffffb     /* no EM, caches on */
    or eax, 0x80000003      /* PG, MP, PE */
    mov cr0, eax
    .byte 0x66, 0xea        /* far jump with a 32-bit offset */
    .long STAGE2 + long_mode - stage2
    .word 8

set_up_serial:
    mov dx, COM1 + 3
    mov al, 0x83
    out dx, al
    mov dx, COM1
    mov al, 1
    out dx, al
    inc dx
    xor al, al
    out dx, al
    mov dx, COM1 + 3
    mov al, 3
    out dx, al
    ret

/* The first 4 GiB one to one, with 2 MiB pages. */
build_tables:
    mov ax, TABLES >> 4
    mov es, ax
    xor di, di
    xor eax, eax
    mov cx, 0x6000 / 4
    cld
    rep stosd
    mov dword ptr es:[0], TABLES + 0x1003
    mov di, 0x1000
    mov eax, TABLES + 0x2003
    mov cx, 4
1:
    mov es:[di], eax
    add eax, 0x1000
    add di, 8
    loop 1b
    mov di, 0x2000
    mov eax, 0x83
    mov cx, 2048
1:
    mov es:[di], eax
    add eax, 0x200000
    add di, 8
    loop 1b
    ret

    .balign 8
gdt:
    .quad 0
    .quad 0x00209a0000000000
    .quad 0x0000920000000000
gdt_pointer:
    .word . - gdt - 1
    .long STAGE2 + gdt - stage2

    .code64
long_mode:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, STACK
    fninit
    call main
halt:
    hlt
    jmp halt

/* Prints the text at rsi, then rax in hexadecimal, then a new line. */
report:
    push rax
    call print
    pop rbx
    mov ecx, 16
1:
    rol rbx, 4
    mov eax, ebx
    and eax, 15
    cmp al, 10
    jb 2f
    add al, 'a' - '0' - 10
2:
    add al, '0'
    call put
    dec ecx
    jnz 1b
    mov al, '\n'
    jmp put

print:
    lodsb
    test al, al
    jz 1f
    call put
    jmp print
1:
    ret

put:
    mov ah, al
    mov dx, COM1 + 5
1:
    in al, dx
    test al, 0x20
    jz 1b
    mov dx, COM1
    mov al, ah
    out dx, al
    ret

