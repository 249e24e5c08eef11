/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Code that changes while it runs: an instruction that overwrites itself, its successor, a block
 * that was executed before, a linked jump, the tail of an instruction in the next page; by stores,
 * strings, pushes, locked operations and through another mapping. Everything takes effect with the
 * next instruction, as on every processor since the Pentium Pro. Intel SDM volume 3A section
 * 11.6. */
#include "tests/guest/lib/guest32.h"

typedef uint32_t (*Function)(void);

/* Code is put together here, page-aligned; all of it is flat and writable. */
#define CODE 0x300000u

typedef struct {
    uint8_t *at;
} Writer;

static Writer
start(uint32_t address)
{
    return (Writer){(uint8_t *)address};
}

static void
put(Writer *w, unsigned value)
{
    *w->at++ = (uint8_t)value;
}

static void
put32(Writer *w, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        put(w, value >> (8 * i));
}

static void
put_mov_eax(Writer *w, uint32_t value)
{
    put(w, 0xb8);
    put32(w, value);
}

/* MOV BYTE [address], value */
static void
put_store8(Writer *w, uint32_t address, unsigned value)
{
    put(w, 0xc6);
    put(w, 0x05);
    put32(w, address);
    put(w, value);
}

static void
put_ret(Writer *w)
{
    put(w, 0xc3);
}

static uint32_t
call(uint32_t address)
{
    return ((Function)address)();
}

static void
overwrite_next(void)
{
    Writer w = start(CODE);

    put_store8(&w, CODE + 8, 5);
    put_mov_eax(&w, 1);
    put_ret(&w);
    log_text("next instruction: %x %x\n", call(CODE), call(CODE));
}

static void
overwrite_before(void)
{
    Writer w = start(CODE + 0x100);

    put(&w, 0xb9); /* mov ecx, 3 */
    put32(&w, 3);
    put_mov_eax(&w, 1); /* + 5 */
    put(&w, 0x80);      /* add byte [its immediate], 7 */
    put(&w, 0x05);
    put32(&w, CODE + 0x106);
    put(&w, 7);
    put(&w, 0x49); /* dec ecx */
    put(&w, 0x75); /* jnz to the mov */
    put(&w, (unsigned)-15);
    put_ret(&w);
    log_text("loop over itself: %x\n", call(CODE + 0x100));
}

static void
overwrite_itself(void)
{
    Writer w = start(CODE + 0x200);

    put_mov_eax(&w, 0x11);
    put_store8(&w, CODE + 0x205, 0xc3); /* it becomes RET */
    put_mov_eax(&w, 0x22);
    put_ret(&w);
    log_text("itself: %x", call(CODE + 0x200));
    log_text(" %x\n", call(CODE + 0x200));
}

/* A function that ran many times gets other immediates, from outside. */
static void
overwrite_hot(void)
{
    Writer w = start(CODE + 0x300);
    uint32_t sum = 0;

    put_mov_eax(&w, 1);
    put_ret(&w);
    for (unsigned i = 0; i < 3000; i++) {
        sum += call(CODE + 0x300);
        if (i % 100 == 99)
            *(volatile uint32_t *)(CODE + 0x301) = i;
    }
    log_text("hot function: %x\n", sum);
}

/* Two parts joined by a jump, which is turned to a third. */
static void
overwrite_jump(void)
{
    Writer w = start(CODE + 0x400);
    uint32_t sum = 0;

    put(&w, 0xeb); /* jmp + 0x20 */
    put(&w, 0x1e);
    w = start(CODE + 0x420);
    put_mov_eax(&w, 0x100);
    put_ret(&w);
    w = start(CODE + 0x440);
    put_mov_eax(&w, 1);
    put_ret(&w);
    for (unsigned i = 0; i < 200; i++) {
        sum += call(CODE + 0x400);
        if (i % 50 == 49)
            *(volatile uint8_t *)(CODE + 0x401) ^= 0x1e ^ 0x3e;
    }
    log_text("jump: %x\n", sum);
}

/* A counter in the middle of the code that counts. */
static void
data_among_code(void)
{
    Writer w = start(CODE + 0x500);

    put(&w, 0xb9); /* mov ecx, 1000 */
    put32(&w, 1000);
    put(&w, 0xff); /* inc dword [counter] */
    put(&w, 0x05);
    put32(&w, CODE + 0x510);
    put(&w, 0xe2); /* loop */
    put(&w, (unsigned)-8);
    put(&w, 0xeb); /* over the counter */
    put(&w, 5);
    w = start(CODE + 0x510);
    put32(&w, 0);
    w = start(CODE + 0x514);
    put(&w, 0xa1); /* mov eax, [counter] */
    put32(&w, CODE + 0x510);
    put_ret(&w);
    log_text("counter: %x\n", call(CODE + 0x500));
}

static void
by_string(void)
{
    static const uint8_t other[] = {0xb8, 0x78, 0x56, 0x34, 0x12};
    Writer w = start(CODE + 0x600);

    put(&w, 0x56); /* push esi, edi */
    put(&w, 0x57);
    put(&w, 0xbe); /* mov esi, edi, ecx */
    put32(&w, (uint32_t)other);
    put(&w, 0xbf);
    put32(&w, CODE + 0x613);
    put(&w, 0xb9);
    put32(&w, 5);
    put(&w, 0xf3); /* rep movsb */
    put(&w, 0xa4);
    put_mov_eax(&w, 1); /* + 0x13 */
    put(&w, 0x5f);
    put(&w, 0x5e);
    put_ret(&w);
    log_text("string: %x\n", call(CODE + 0x600));
}

static void
by_push(void)
{
    Writer w = start(CODE + 0x700);

    put(&w, 0x89); /* mov ecx, esp */
    put(&w, 0xe1);
    put(&w, 0xbc); /* mov esp, behind the immediate */
    put32(&w, CODE + 0x711);
    put(&w, 0x68); /* push */
    put32(&w, 0x87654321);
    put_mov_eax(&w, 1); /* + 0x0c */
    put(&w, 0x89);      /* mov esp, ecx */
    put(&w, 0xcc);
    put_ret(&w);
    log_text("push: %x\n", call(CODE + 0x700));
}

static void
by_locked_add(void)
{
    Writer w = start(CODE + 0x800);

    put(&w, 0xf0); /* lock add dword [immediate], 0x41 */
    put(&w, 0x83);
    put(&w, 0x05);
    put32(&w, CODE + 0x809);
    put(&w, 0x41);
    put_mov_eax(&w, 1); /* + 8 */
    put_ret(&w);
    log_text("locked add: %x %x\n", call(CODE + 0x800), call(CODE + 0x800));
}

/* An instruction over two pages, whose second part changes. */
static void
across_pages(void)
{
    Writer w = start(CODE + 0xffe);
    uint32_t sum = 0;

    put_mov_eax(&w, 0x00030001);
    put_ret(&w);
    for (unsigned i = 0; i < 64; i++) {
        sum += call(CODE + 0xffe);
        *(volatile uint8_t *)(CODE + 0x1002) = (uint8_t)i;
    }
    log_text("across pages: %x\n", sum);
}

/* The same frame at a second address: written there, executed here. */
static void
by_alias(void)
{
    uint32_t *const directory = (uint32_t *)0x200000, *const table = (uint32_t *)0x201000;
    Writer w = start(CODE + 0x2000);
    uint32_t sum = 0;

    for (unsigned i = 0; i < 1024; i++) {
        directory[i] = 0;
        table[i] = i << 12 | 3;
    }
    directory[0] = (uint32_t)table | 3;
    table[0x350] = (CODE + 0x2000) | 3;
    put_mov_eax(&w, 0);
    put_ret(&w);
    write_cr3((uint32_t)directory);
    write_cr0(read_cr0() | 0x80000000);
    for (unsigned i = 0; i < 100; i++) {
        *(volatile uint32_t *)0x350001 = i * i;
        sum += call(CODE + 0x2000);
    }
    log_text("alias: %x\n", sum);
    /* And another frame comes under the same address. */
    w = start(CODE + 0x3000);
    put_mov_eax(&w, 0xabcd);
    put_ret(&w);
    table[0x302] = (CODE + 0x3000) | 3;
    __asm__ volatile("invlpg (%0)" : : "r"(CODE + 0x2000) : "memory");
    log_text("other frame: %x\n", call(CODE + 0x2000));
    write_cr0(read_cr0() & 0x7fffffff);
}

void
guest_main(void)
{
    guest_setup();
    overwrite_next();
    overwrite_before();
    overwrite_itself();
    overwrite_hot();
    overwrite_jump();
    data_among_code();
    by_string();
    by_push();
    by_locked_add();
    across_pages();
    by_alias();
    log_end();
}
