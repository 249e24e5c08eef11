/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Far transfers: direct CALL and JMP, call gates with stack switch and parameters, RET to the same
 * and to outer levels, and every check on the way. Intel SDM volume 3A 5.8; volume 2 CALL, JMP,
 * RET. */
#include "tests/guest/lib/guest32.h"

extern const uint8_t call_far[], jump_far[], target[], return_far[], return_far_8[];
extern const uint8_t call_far16[];

__asm__("call_far: lcall *(%ebx); nop; int $0x80\n"
        "call_far16: lcallw *(%ebx); nop; int $0x80\n"
        "jump_far: ljmp *(%ebx); nop; int $0x80\n"
        "target: int $0x80\n"
        "return_far: lret\n"
        "return_far_8: lret $8\n");

typedef struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) FarPointer;

static FarPointer pointer;

static Event
transfer(const void *code, unsigned ring, uint32_t selector, const void *offset)
{
    Context c = context(code, ring);
    uint32_t *stack = (uint32_t *)c.esp;

    for (unsigned i = 0; i < 40; i++)
        stack[i] = 0x11110000 + i;
    pointer.offset = (uint32_t)offset;
    pointer.selector = (uint16_t)selector;
    c.ebx = (uint32_t)&pointer;
    return run(c);
}

static void
say(const char *key, const Event *e)
{
    log_text("%s: vec=%x err=%x cs=%x ss=%x esp=%x at=%s\n", key, e->vector, e->error, e->at.cs,
             e->at.ss, e->at.esp, e->at.eip == (uint32_t)target + 2 ? "target" : "source");
}

static void
say_stack(const Event *e, unsigned words)
{
    const uint32_t *stack = (const uint32_t *)e->at.esp;

    for (unsigned i = 0; i < words; i++)
        log_text("  %s%u: %x\n", "stack", i, stack[i]);
}

static void
direct_matrix(void)
{
    static const uint8_t attrs[] = {0x9a, 0x98, 0x9e, 0x92, 0x1a, 0x1e, 0x80, 0x82, 0x8e};

    for (unsigned i = 0; i < sizeof attrs; i++) {
        for (unsigned dpl = 0; dpl < 4; dpl++) {
            for (unsigned ring = 0; ring < 4; ring += 3) {
                for (unsigned rpl = 0; rpl < 4; rpl += 3) {
                    Event call, jump;

                    gdt_set(SEL_FREE, 0, 0xfffff, attrs[i] | dpl << 5 | ATTR_FLAT);
                    call = transfer(call_far, ring, SEL_FREE | rpl, target);
                    jump = transfer(jump_far, ring, SEL_FREE | rpl, target);
                    log_text("direct attr=%x dpl=%u ring=%u rpl=%u: call %x/%x cs=%x esp=%x "
                             "jump %x/%x cs=%x\n",
                             attrs[i], dpl, ring, rpl, call.vector, call.error, call.at.cs,
                             call.at.esp, jump.vector, jump.error, jump.at.cs);
                }
            }
        }
    }
}

static void
direct_special(void)
{
    Event e;

    for (unsigned rpl = 0; rpl < 4; rpl += 3) {
        e = transfer(call_far, 3, rpl, target);
        say(rpl ? "call null 3" : "call null 0", &e);
        e = transfer(jump_far, 0, rpl, target);
        say(rpl ? "jump null 3" : "jump null 0", &e);
    }
    e = transfer(call_far, 0, 0x200, target);
    say("call beyond gdt", &e);
    e = transfer(jump_far, 0, 0x204, target);
    say("jump beyond ldt", &e);
    gdt_set(SEL_FREE, 0, 0xfff, ATTR_CODE | ATTR_32);
    e = transfer(call_far, 0, SEL_FREE, target);
    say("call over limit", &e);
    e = transfer(jump_far, 0, SEL_FREE, (void *)0x1000);
    say("jump over limit", &e);
    ldt[2] = descriptor(0, 0xfffff, ATTR_CODE | ATTR_FLAT | ATTR_DPL3);
    e = transfer(call_far, 3, 0x17, target);
    say("call ldt code", &e);
    say_stack(&e, 3);
}

static void
set_gate(unsigned selector, unsigned attr, unsigned dpl, unsigned params)
{
    gdt[(SEL_FREE + 8) >> 3] = gate(selector, (uint32_t)target, attr | dpl << 5, params);
}

static void
gate_levels(void)
{
    static const uint16_t codes[] = {SEL_CODE0, SEL_CODE1, SEL_CODE2, SEL_CODE3, SEL_CONFORMING};

    for (unsigned i = 0; i < 5; i++) {
        for (unsigned ring = 0; ring < 4; ring++) {
            Event call, jump;

            set_gate(codes[i], 0x8c, 3, 0);
            call = transfer(call_far, ring, SEL_FREE + 8, NULL);
            jump = transfer(jump_far, ring, SEL_FREE + 8, NULL);
            log_text("gate to=%x ring=%u: call %x/%x cs=%x ss=%x esp=%x jump %x/%x cs=%x ss=%x\n",
                     codes[i], ring, call.vector, call.error, call.at.cs, call.at.ss, call.at.esp,
                     jump.vector, jump.error, jump.at.cs, jump.at.ss);
        }
    }
}

static void
gate_privilege(void)
{
    for (unsigned dpl = 0; dpl < 4; dpl++) {
        for (unsigned ring = 0; ring < 4; ring++) {
            for (unsigned rpl = 0; rpl < 4; rpl++) {
                Event e;

                set_gate(SEL_CODE0, 0x8c, dpl, 0);
                e = transfer(call_far, ring, (SEL_FREE + 8) | rpl, NULL);
                log_text("gate dpl=%u ring=%u rpl=%u: %x/%x cs=%x\n", dpl, ring, rpl, e.vector,
                         e.error, e.at.cs);
            }
        }
    }
}

static void
gate_frames(void)
{
    static const uint8_t counts[] = {0, 1, 3, 31};

    for (unsigned i = 0; i < sizeof counts; i++) {
        Event e;

        set_gate(SEL_CODE0, 0x8c, 3, counts[i]);
        log_text("gate32 params=%u ", counts[i]);
        e = transfer(call_far, 3, SEL_FREE + 8, NULL);
        say("call", &e);
        say_stack(&e, counts[i] < 4 ? 4u + counts[i] : 8);
        gdt[(SEL_FREE + 8) >> 3] =
            gate(SEL_CODE16, (uint32_t)target - 0x10000, 0x84 | 0x60, counts[i]);
        log_text("gate16 params=%u ", counts[i]);
        e = transfer(call_far, 3, SEL_FREE + 8, NULL);
        say("call", &e);
        say_stack(&e, counts[i] < 4 ? 2u + counts[i] : 8);
    }
    set_gate(SEL_CONFORMING, 0x8c, 3, 5);
    Event e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate same level", &e);
    say_stack(&e, 3);
    e = transfer(call_far16, 3, SEL_FREE + 8, NULL);
    say("gate from 16-bit call", &e);
    say_stack(&e, 3);
}

static void
gate_targets(void)
{
    Event e;

    set_gate(SEL_CODE0, 0x0c, 3, 0);
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate not present", &e);
    set_gate(0, 0x8c, 3, 0);
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate to null", &e);
    set_gate(3, 0x8c, 3, 0);
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate to null rpl", &e);
    set_gate(0x200, 0x8c, 3, 0);
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate beyond", &e);
    set_gate(SEL_DATA0, 0x8c, 3, 0);
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate to data", &e);
    set_gate(SEL_CODE0 | 3, 0x8c, 3, 0);
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate target rpl ignored", &e);
    gdt_set(SEL_FREE, 0, 0xfffff, 0x1b | ATTR_FLAT);
    set_gate(SEL_FREE, 0x8c, 3, 0);
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate code not present", &e);
    gdt_set(SEL_FREE, 0, 0xfff, 0x9b | ATTR_32);
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("gate code limit", &e);
}

static void
gate_stack(const char *key, uint32_t ss, uint32_t esp)
{
    Context c = context(call_far, 3);
    Event e;

    pointer.offset = 0;
    pointer.selector = SEL_FREE + 8;
    c.ebx = (uint32_t)&pointer;
    set_gate(SEL_CODE1, 0x8c, 3, 4);
    tss.ss1 = ss;
    tss.esp1 = esp;
    e = run(c);
    say(key, &e);
    guest_setup();
}

static void
gate_stacks(void)
{
    uint32_t top = (uint32_t)stacks[1] + sizeof stacks[1];

    gate_stack("inner ss null", 0, top);
    gate_stack("inner ss null rpl", 1, top);
    gate_stack("inner ss rpl", SEL_DATA1 & ~3u, top);
    gate_stack("inner ss dpl", SEL_DATA2, top);
    gate_stack("inner ss beyond", 0x201, top);
    gate_stack("inner ss code", SEL_CODE1, top);
    gate_stack("inner ss good", SEL_DATA1, top);
}

static void
gate_stack_faults(void)
{
    uint32_t top = (uint32_t)stacks[1] + sizeof stacks[1];
    Context c = context(call_far, 3);
    Event e;

    pointer.selector = SEL_FREE + 8;
    c.ebx = (uint32_t)&pointer;
    set_gate(SEL_CODE1, 0x8c, 3, 0);
    gdt_set(SEL_FREE + 16, 0, 0xfffff, 0x13 | ATTR_FLAT | 0x20);
    tss.ss1 = (SEL_FREE + 16) | 1;
    tss.esp1 = top;
    e = run(c);
    say("inner ss not present", &e);
    gdt_set(SEL_FREE + 16, 0, 0xfffff, 0x91 | ATTR_FLAT | 0x20);
    e = run(c);
    say("inner ss read-only", &e);
    gdt_set(SEL_FREE + 16, 0, top - 13, 0x93 | ATTR_32 | 0x20);
    e = run(c);
    say("inner ss too small", &e);
    gdt_set(SEL_TSS, (uint32_t)&tss, 16, 0x89);
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
    e = transfer(call_far, 3, SEL_FREE + 8, NULL);
    say("tss too short", &e);
    guest_setup();
}

static Event
return_to(const void *code, unsigned ring, uint32_t eip, uint32_t cs, uint32_t esp, uint32_t ss)
{
    Context c = context(code, ring);
    uint32_t *stack = (uint32_t *)c.esp;
    unsigned gap = code == return_far_8 ? 2 : 0;

    stack[0] = eip;
    stack[1] = cs;
    stack[2] = 0xaaaa;
    stack[3] = 0xbbbb;
    stack[2 + gap] = esp;
    stack[3 + gap] = ss;
    return run(c);
}

static void
returns(void)
{
    uint32_t top3 = (uint32_t)stacks[3] + 2048;
    uint32_t here = (uint32_t)target;
    Event e;

    e = return_to(return_far, 0, here, SEL_CODE0, 0, 0);
    say("ret same", &e);
    e = return_to(return_far, 0, here, SEL_CODE3, top3, SEL_DATA3);
    say("ret outer", &e);
    log_text("ret outer data: ds=%x es=%x fs=%x gs=%x\n", e.at.ds, e.at.es, e.at.fs, e.at.gs);
    e = return_to(return_far_8, 0, here, SEL_CODE3, top3, SEL_DATA3);
    say("ret 8 outer", &e);
    e = return_to(return_far_8, 3, here, SEL_CODE3, 0, 0);
    say("ret 8 same", &e);
    e = return_to(return_far, 3, here, SEL_CODE0, 0, 0);
    say("ret inner", &e);
    e = return_to(return_far, 3, here, SEL_CODE3 & ~3u, 0, 0);
    say("ret rpl below cpl", &e);
    e = return_to(return_far, 0, here, 0, 0, 0);
    say("ret null", &e);
    e = return_to(return_far, 0, here, 0x200, 0, 0);
    say("ret beyond", &e);
    e = return_to(return_far, 0, here, SEL_DATA0, 0, 0);
    say("ret to data", &e);
    e = return_to(return_far, 0, here, SEL_TSS, 0, 0);
    say("ret to system", &e);
    e = return_to(return_far, 0, here, SEL_CODE0 | 3, top3, SEL_DATA3);
    say("ret dpl below rpl", &e);
    e = return_to(return_far, 0, here, SEL_CONFORMING | 3, top3, SEL_DATA3);
    say("ret outer conforming", &e);
    e = return_to(return_far, 0, here, SEL_CODE3, top3, 0);
    say("ret outer null ss", &e);
    e = return_to(return_far, 0, here, SEL_CODE3, top3, SEL_DATA0);
    say("ret outer ss rpl", &e);
    e = return_to(return_far, 0, here, SEL_CODE3, top3, SEL_DATA0 | 3);
    say("ret outer ss dpl", &e);
    e = return_to(return_far, 0, here, SEL_CODE3, top3, SEL_CODE3);
    say("ret outer ss code", &e);
    e = return_to(return_far, 0, here, SEL_CODE3, top3, 0x203);
    say("ret outer ss beyond", &e);
    gdt_set(SEL_FREE, 0, 0xfffff, 0x13 | ATTR_FLAT | ATTR_DPL3);
    e = return_to(return_far, 0, here, SEL_CODE3, top3, SEL_FREE | 3);
    say("ret outer ss not present", &e);
    gdt_set(SEL_FREE, 0, 0xfffff, 0x1b | ATTR_FLAT);
    e = return_to(return_far, 0, here, SEL_FREE, 0, 0);
    say("ret not present", &e);
    gdt_set(SEL_FREE, 0, 0xfff, 0x9b | ATTR_32);
    e = return_to(return_far, 0, here, SEL_FREE, 0, 0);
    say("ret over limit", &e);
}

void
guest_main(void)
{
    guest_setup();
    direct_matrix();
    direct_special();
    gate_levels();
    gate_privilege();
    gate_frames();
    gate_targets();
    gate_stacks();
    gate_stack_faults();
    returns();
    log_end();
}
