/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loading segment registers, limits and types of accesses, looking at selectors with LAR, LSL,
 * VERR, VERW, ARPL. Intel SDM volume 3A chapters 3 and 5. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t load_es[], load_ss[], load_fs[], read_es[], write_es[], read_es_byte[];
extern const uint8_t verify[], push_ss[], write_cs[], lds_load[], reload[];

__asm__("load_es: mov %ax, %es; int $0x80\n"
        "load_ss: mov %ax, %ss; nop; int $0x80\n"
        "load_fs: mov %ax, %fs; int $0x80\n"
        "read_es: mov %ax, %es; mov %es:(%ebx), %ecx; int $0x80\n"
        "read_es_byte: mov %ax, %es; mov %es:(%ebx), %cl; int $0x80\n"
        "write_es: mov %ax, %es; mov %ecx, %es:(%ebx); int $0x80\n"
        "write_cs: mov %ecx, %cs:(%ebx); int $0x80\n"
        "push_ss: mov %ax, %ss; push %ebx; int $0x80\n"
        "lds_load: les (%ebx), %ecx; int $0x80\n"
        /* EAX: selector; ESI: its descriptor, changed by EBP before each second load of FS; EDX:
         * what was read at offset EBX, digit by digit */
        "reload: xor %edx, %edx; mov $4, %ecx\n"
        "1: mov %ax, %fs; shl $4, %edx; add %fs:(%ebx), %edx; xor %ebp, (%esi)\n"
        " push %eax; pop %fs; shl $4, %edx; add %fs:(%ebx), %edx; dec %ecx; jnz 1b; int $0x80\n"
        /* EAX: selector; ECX: LAR, EDX: LSL, EBX: ZF of LAR, LSL, VERR, VERW in bits 0..3 */
        "verify: xor %ebx, %ebx; xor %ecx, %ecx; xor %edx, %edx\n"
        " lar %eax, %ecx; jnz 1f; or $1, %ebx\n"
        "1: lsl %eax, %edx; jnz 1f; or $2, %ebx\n"
        "1: verr %ax; jnz 1f; or $4, %ebx\n"
        "1: verw %ax; jnz 1f; or $8, %ebx\n"
        "1: int $0x80\n");

static Event
run_with(const void *code, unsigned ring, uint32_t eax, uint32_t ebx)
{
    Context c = context(code, ring);

    c.eax = eax;
    c.ebx = ebx;
    c.ecx = 0x12345678;
    return run(c);
}

static void
load(const char *key, const void *code, unsigned ring, uint32_t selector)
{
    Event e = run_with(code, ring, selector, 0);

    log_text("%s ring%u sel=%x: vec=%x err=%x ip=+%x es=%x ss=%x fs=%x\n", key, ring, selector,
             e.vector, e.error, e.at.eip - (uint32_t)code, e.at.es, e.at.ss, e.at.fs);
}

/* Every kind of descriptor into a data register and into SS, from each ring and with each RPL. An
 * expand-down segment has all but its first 4 KiB, or the interrupt could not be pushed on it. */
static void
load_matrix(void)
{
    static const uint8_t attrs[] = {0x90, 0x91, 0x92, 0x93, 0x95, 0x97, 0x98, 0x9a, 0x9b,
                                    0x9e, 0x9c, 0x13, 0x1b, 0x82, 0x89, 0x8c, 0x80};

    for (unsigned i = 0; i < sizeof attrs; i++) {
        for (unsigned dpl = 0; dpl < 4; dpl += 3) {
            for (unsigned ring = 0; ring < 4; ring += 3) {
                for (unsigned rpl = 0; rpl < 4; rpl += 3) {
                    gdt_set(SEL_FREE, 0, (attrs[i] & 0x1c) == 0x14 ? 0 : 0xfffff,
                            attrs[i] | dpl << 5 | ATTR_FLAT);
                    log_text("attr=%x dpl=%u ", attrs[i], dpl);
                    load("es", load_es, ring, SEL_FREE | rpl);
                    log_text("attr=%x dpl=%u ", attrs[i], dpl);
                    load("ss", load_ss, ring, SEL_FREE | rpl);
                }
            }
        }
    }
}

static void
load_special(void)
{
    for (unsigned rpl = 0; rpl < 4; rpl++) {
        load("null es", load_es, 3, rpl);
        load("null ss", load_ss, 3, rpl);
        load("null ss", load_ss, 0, rpl);
    }
    load("beyond gdt", load_es, 0, 0x200);
    load("beyond gdt", load_ss, 0, 0x200);
    load("beyond ldt", load_es, 0, 0x84);
    load("empty ldt", load_es, 0, 0x0c);
    ldt[1] = descriptor(0, 0xfffff, ATTR_DATA | ATTR_FLAT);
    load("ldt", load_es, 0, 0x0c);
    load("ldt", load_fs, 3, 0x0f);
    __asm__ volatile("lldt %w0" : : "r"(0));
    load("no ldt", load_es, 0, 0x0c);
    __asm__ volatile("lldt %w0" : : "r"(SEL_LDT));
}

static void
accessed_bit(void)
{
    gdt_set(SEL_FREE, 0, 0xfffff, 0x92 | ATTR_FLAT);
    log_text("accessed before: %x\n", (uint32_t)(gdt[SEL_FREE >> 3] >> 40) & 0xff);
    run_with(load_es, 0, SEL_FREE, 0);
    log_text("accessed after load: %x\n", (uint32_t)(gdt[SEL_FREE >> 3] >> 40) & 0xff);
    gdt_set(SEL_FREE, 0, 0xfffff, 0x12 | ATTR_FLAT);
    run_with(load_es, 0, SEL_FREE, 0);
    log_text("accessed after #NP: %x\n", (uint32_t)(gdt[SEL_FREE >> 3] >> 40) & 0xff);
    gdt_set(SEL_FREE, 0, 0xfffff, 0x92 | ATTR_FLAT);
    run_with(verify, 0, SEL_FREE, 0);
    log_text("accessed after LAR: %x\n", (uint32_t)(gdt[SEL_FREE >> 3] >> 40) & 0xff);
}

typedef struct {
    const char *name;
    uint32_t limit;
    unsigned attr;
    uint32_t offset;
} LimitCase;

/* Base 1 MiB; what lies there is zero. */
static void
limits(void)
{
    static const LimitCase cases[] = {
        {"up last dword", 0xff, 0x93 | ATTR_32, 0xfc},
        {"up one over", 0xff, 0x93 | ATTR_32, 0xfd},
        {"up far over", 0xff, 0x93 | ATTR_32, 0x100},
        {"up wrap", 0xff, 0x93 | ATTR_32, 0xffffffff},
        {"up 4K last", 0, 0x93 | ATTR_FLAT, 0xffc},
        {"up 4K over", 0, 0x93 | ATTR_FLAT, 0xffd},
        {"up read-only", 0xff, 0x91 | ATTR_32, 0},
        {"down below", 0xff, 0x97 | ATTR_32, 0xff},
        {"down first", 0xff, 0x97 | ATTR_32, 0x100},
        {"down 16 last", 0xff, 0x97, 0xfffc},
        {"down 16 over", 0xff, 0x97, 0xfffd},
        {"down 32 high", 0xff, 0x97 | ATTR_32, 0x10000},
        {"down full limit", 0xfffff, 0x97 | ATTR_FLAT, 0x10},
        {"down read-only", 0xff, 0x95 | ATTR_32, 0x200},
        {"code readable", 0xff, 0x9b | ATTR_32, 0},
        {"code execute-only", 0xff, 0x99 | ATTR_32, 0},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const LimitCase *c = &cases[i];
        Event r, w, b;

        gdt_set(SEL_FREE, 0x100000, c->limit, c->attr);
        r = run_with(read_es, 0, SEL_FREE, c->offset);
        b = run_with(read_es_byte, 0, SEL_FREE, c->offset);
        w = run_with(write_es, 0, SEL_FREE, c->offset);
        log_text("limit %s: read %x/%x byte %x/%x write %x/%x\n", c->name, r.vector, r.error,
                 b.vector, b.error, w.vector, w.error);
    }
}

static void
stack_limits(void)
{
    Event e;

    gdt_set(SEL_FREE, 0, 0xfff, 0x93 | ATTR_32 | ATTR_DPL3);
    e = run_with(push_ss, 3, SEL_FREE | 3, 0);
    log_text("push over limit: vec=%x err=%x ip=+%x\n", e.vector, e.error,
             e.at.eip - (uint32_t)push_ss);
    e = run_with(write_cs, 0, 0, 0x100000);
    log_text("write through cs: vec=%x err=%x\n", e.vector, e.error);
}

static void
null_access(void)
{
    Event e = run_with(read_es, 0, 0, 0);

    log_text("read through null: vec=%x err=%x ip=+%x\n", e.vector, e.error,
             e.at.eip - (uint32_t)read_es);
    e = run_with(read_es, 3, 3, 0);
    log_text("read through null ring3: vec=%x err=%x\n", e.vector, e.error);
}

/* The far pointer is read whole before ES is loaded, and neither changes when the load faults. */
static void
far_pointer_loads(void)
{
    struct {
        uint32_t offset;
        uint16_t selector;
    } __attribute__((packed)) *pointer = (void *)0x100200;
    Event e;

    pointer->offset = 0xabcdef01;
    pointer->selector = SEL_DATA3;
    e = run_with(lds_load, 3, 0, (uint32_t)pointer);
    log_text("les good: vec=%x ecx=%x es=%x\n", e.vector, e.at.ecx, e.at.es);
    pointer->selector = SEL_DATA0;
    e = run_with(lds_load, 3, 0, (uint32_t)pointer);
    log_text("les bad: vec=%x err=%x ecx=%x es=%x\n", e.vector, e.error, e.at.ecx, e.at.es);
}

/* The same selector is loaded again and again while its descriptor gets another base, or a limit
 * that is too small. */
static void
changing_descriptor(void)
{
    static const uint32_t changes[] = {0, 0x100000, 0x4ff};
    volatile uint32_t *data = (uint32_t *)0x100400;

    data[0] = 1;
    data[4] = 2;
    for (unsigned i = 0; i < sizeof changes / sizeof *changes; i++) {
        for (unsigned ring = 0; ring < 4; ring += 3) {
            Context c = context(reload, ring);
            Event e;

            gdt_set(SEL_FREE, 0x100000, 0x4ff, ATTR_DATA | ATTR_32 | ATTR_DPL3);
            c.eax = SEL_FREE | ring;
            c.ebx = 0x400;
            c.esi = (uint32_t)&gdt[SEL_FREE >> 3];
            c.ebp = changes[i];
            e = run(c);
            log_text("reload %x ring%u: vec=%x err=%x ip=+%x edx=%x fs=%x\n", changes[i], ring,
                     e.vector, e.error, e.at.eip - (uint32_t)reload, e.at.edx, e.at.fs);
        }
    }
}

static void
verify_matrix(void)
{
    for (unsigned type = 0; type < 32; type++) {
        for (unsigned dpl = 0; dpl < 4; dpl += 3) {
            for (unsigned rpl = 0; rpl < 4; rpl += 3) {
                Event e;

                gdt_set(SEL_FREE, 0, 0x12345, 0x80 | type | dpl << 5 | 0xd000);
                e = run_with(verify, 3, SEL_FREE | rpl, 0);
                log_text("verify type=%x dpl=%u rpl=%u: zf=%x lar=%x lsl=%x\n", type, dpl, rpl,
                         e.at.ebx, e.at.ecx & 0xf0ff00, e.at.edx);
            }
        }
    }
    gdt_set(SEL_FREE, 0, 0x12345, 0x13);
    Event e = run_with(verify, 0, SEL_FREE, 0);
    log_text("verify not present: zf=%x lsl=%x\n", e.at.ebx, e.at.edx);
    e = run_with(verify, 0, 0, 0);
    log_text("verify null: zf=%x\n", e.at.ebx);
    e = run_with(verify, 0, 0x200, 0);
    log_text("verify beyond: zf=%x\n", e.at.ebx);
}

static void
arpl(void)
{
    for (unsigned dst = 0; dst < 4; dst++) {
        for (unsigned src = 0; src < 4; src++) {
            uint16_t selector = (uint16_t)(0x1230 | dst);
            uint8_t zf;

            __asm__ volatile("arpl %w2, %w0; setz %1" : "+r"(selector), "=q"(zf) : "r"(src) : "cc");
            log_text("arpl %u %u: %x zf=%u\n", dst, src, selector, zf);
        }
    }
}

void
guest_main(void)
{
    guest_setup();
    load_matrix();
    load_special();
    accessed_bit();
    limits();
    stack_limits();
    null_access();
    far_pointer_loads();
    changing_descriptor();
    verify_matrix();
    arpl();
    log_end();
}
