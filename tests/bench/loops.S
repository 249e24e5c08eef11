/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Three loops in 64-bit mode: integer, memory, floating point. Each writes "bench: NAME begin", runs,
 * and writes "bench: NAME end CHECKSUM" to COM1, so that a host can take the time between and compare
 * checksums between machines. ITERATIONS comes from loops.py. */
    .include "boot64.S"
    .set BUFFER, 0x200000
    .set BUFFER_WORDS, 0x8000

main:
    lea rsi, [rip + integer_begin]
    call print
    call integer_loop
    lea rsi, [rip + integer_end]
    call report
    lea rsi, [rip + memory_begin]
    call print
    call memory_loop
    lea rsi, [rip + memory_end]
    call report
    lea rsi, [rip + float_begin]
    call print
    call float_loop
    lea rsi, [rip + float_end]
    call report
    lea rsi, [rip + done]
    call print
    ret

/* xorshift and friends: 16 instructions a turn. Result in rax. */
integer_loop:
    mov rbx, 0x2545f4914f6cdd1d
    xor esi, esi
    xor edi, edi
    mov ecx, ITERATIONS
1:
    mov rax, rbx
    shl rax, 13
    xor rbx, rax
    mov rax, rbx
    shr rax, 7
    xor rbx, rax
    mov rax, rbx
    shl rax, 17
    xor rbx, rax
    imul rdx, rbx, 0x5851f42d
    add rsi, rdx
    test bl, 1
    jz 2f
    inc rdi
2:
    dec ecx
    jnz 1b
    lea rax, [rsi + rdi]
    ret

/* Loads and stores over 256 KiB in a scattered order, calls and the stack: 17 instructions a turn. */
memory_loop:
    mov edi, BUFFER
    mov ecx, BUFFER_WORDS
    xor eax, eax
    rep stosq
    xor eax, eax
    xor ebx, ebx
    mov ecx, ITERATIONS
1:
    call 3f
    add ebx, 0x9e5
    dec ecx
    jnz 1b
    ret
3:
    push rbx
    and ebx, BUFFER_WORDS - 1
    mov rdx, [BUFFER + rbx * 8]
    add rdx, rcx
    mov [BUFFER + rbx * 8], rdx
    movzx edx, byte ptr [BUFFER + rbx * 8]
    add rax, rdx
    mov dx, [BUFFER + 2 + rbx * 8]
    xor ax, dx
    add dword ptr [BUFFER + 4 + rbx * 8], 1
    pop rbx
    ret

/* The logistic map x = 3.9 x (1 - x), in SSE2 and in x87 with 64-bit precision: bounded, and any
 * wrong bit shows in the end. 13 instructions a turn. */
float_loop:
    movsd xmm0, [rip + seed]
    movsd xmm1, [rip + growth]
    movsd xmm2, [rip + one]
    xorpd xmm5, xmm5
    fld qword ptr [rip + seed]
    mov ecx, ITERATIONS
1:
    movapd xmm3, xmm2
    subsd xmm3, xmm0
    mulsd xmm0, xmm3
    mulsd xmm0, xmm1
    sqrtsd xmm4, xmm0
    divsd xmm4, xmm1
    addsd xmm5, xmm4
    fld1
    fsub st, st(1)
    fmulp st(1), st
    fmul qword ptr [rip + growth]
    dec ecx
    jnz 1b
    sub rsp, 8
    fstp qword ptr [rsp]
    pop rax
    movq rdx, xmm0
    xor rax, rdx
    movq rdx, xmm5
    xor rax, rdx
    ret

    .balign 8
seed:
    .double 0.123456789
growth:
    .double 3.9
one:
    .double 1.0
integer_begin:
    .asciz "bench: integer begin\n"
integer_end:
    .asciz "bench: integer end "
memory_begin:
    .asciz "bench: memory begin\n"
memory_end:
    .asciz "bench: memory end "
float_begin:
    .asciz "bench: float begin\n"
float_end:
    .asciz "bench: float end "
done:
    .asciz "bench: done\n"
    .org 512 * (1 + SECTORS)
