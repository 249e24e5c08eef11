/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The local APIC: IPIs to itself, what is requested and in service, priorities, TPR and PPR,
 * nesting, logical destinations, the timer in its modes, NMI, software disable, errors, x2APIC.
 * Intel SDM volume 3A chapter 11 (local APIC). */
#include "tests/guest/lib/guest32.h"

enum {
    ID = 0x20,
    TPR = 0x80,
    PPR = 0xa0,
    EOI = 0xb0,
    LDR = 0xd0,
    DFR = 0xe0,
    SVR = 0xf0,
    ISR = 0x100,
    TMR = 0x180,
    IRR = 0x200,
    ESR = 0x280,
    ICR_LOW = 0x300,
    ICR_HIGH = 0x310,
    LVT_TIMER = 0x320,
    LVT_LINT0 = 0x350,
    LVT_LINT1 = 0x360,
    LVT_ERROR = 0x370,
    TIMER_INITIAL = 0x380,
    TIMER_CURRENT = 0x390,
    TIMER_DIVIDE = 0x3e0,
    SELF = 0x40000,
    MASKED = 0x10000,
    PERIODIC = 0x20000,
};

static volatile uint32_t *const apic = (volatile uint32_t *)0xfee00000;
static unsigned seen[32], seen_count;
static bool nested;

extern const uint8_t a_sti[], a_wait[], a_rdmsr[], a_wrmsr[], a_sti_cli[], a_popf[], a_iret[],
    a_sti_sti[];
__asm__("a_sti: sti; nop; nop; cli; int $0x81\n"
        "a_sti_cli: sti; cli; int $0x81\n"
        "a_sti_sti: sti; sti; cli; int $0x81\n"
        "a_popf: push $0x202; popfl; cli; int $0x81\n"
        "a_iret: push $0x202; push %cs; push $1f; iretl; 1: cli; int $0x81\n"
        "a_wait: sti; hlt; cli; int $0x81\n"
        "a_rdmsr: rdmsr; int $0x81\n"
        "a_wrmsr: wrmsr; int $0x81\n");

static uint32_t
get(unsigned reg)
{
    return apic[reg / 4];
}

static void
set(unsigned reg, uint32_t value)
{
    apic[reg / 4] = value;
}

static void
send(uint32_t icr)
{
    set(ICR_HIGH, 0);
    set(ICR_LOW, icr);
}

static unsigned
bit(unsigned bank, unsigned vector)
{
    return get(bank + vector / 32 * 0x10) >> (vector % 32) & 1;
}

/* Interrupts are noted and ended; vector 0x81 comes through to run(). */
static bool
note(Frame *frame)
{
    if (frame->vector == 0x81 || frame->vector < 0x20)
        return false;
    if (seen_count < 32)
        seen[seen_count++] = frame->vector;
    if (nested && frame->vector == 0x70) {
        log_text("in 70: isr70=%u ppr=%x\n", bit(ISR, 0x70), get(PPR));
        send(SELF | 0x90);
        send(SELF | 0x50);
        __asm__ volatile("sti; nop; nop; cli");
        log_text("still in 70: irr50=%u\n", bit(IRR, 0x50));
    }
    set(EOI, 0);
    return true;
}

static void
deliver(const char *key, const uint8_t *code)
{
    seen_count = 0;
    event_hook = note;
    run(context(code, 0));
    event_hook = NULL;
    log_text("%s:", key);
    for (unsigned i = 0; i < seen_count; i++)
        log_text(" %x", seen[i]);
    log_text(" .\n");
}

static void
enable(void)
{
    set(SVR, 0x1ff);
    set(TPR, 0);
    set(LVT_LINT0, MASKED);
    set(LVT_LINT1, MASKED);
    set(LVT_TIMER, MASKED);
    set(LVT_ERROR, MASKED | 0xfe);
    set(DFR, 0xffffffff);
    set(LDR, 0x01000000);
}

static void
self_ipis(void)
{
    log_text("id: %x svr=%x dfr=%x ldr=%x\n", get(ID) >> 24, get(SVR) & 0x1ff, get(DFR), get(LDR));
    send(SELF | 0x40);
    log_text("requested: irr=%u isr=%u busy=%u\n", bit(IRR, 0x40), bit(ISR, 0x40),
             get(ICR_LOW) >> 12 & 1);
    deliver("self", a_sti);
    log_text("after: irr=%u isr=%u ppr=%x\n", bit(IRR, 0x40), bit(ISR, 0x40), get(PPR));
    send(SELF | 0x40);
    send(SELF | 0x40);
    deliver("same vector twice", a_sti);
    send(SELF | 0x40);
    send(SELF | 0x60);
    send(SELF | 0x45);
    send(SELF | 0x50);
    deliver("by priority", a_sti);
    nested = true;
    send(SELF | 0x70);
    deliver("nested", a_sti);
    nested = false;
}

/* STI holds interrupts back for one instruction, POPF and IRET do not. */
static void
shadows(void)
{
    send(SELF | 0x40);
    deliver("sti cli", a_sti_cli);
    deliver("sti sti cli", a_sti_sti);
    send(SELF | 0x41);
    deliver("popf cli", a_popf);
    send(SELF | 0x42);
    deliver("iret cli", a_iret);
}

static void
priorities(void)
{
    set(TPR, 0x50);
    log_text("tpr 50: ppr=%x\n", get(PPR));
    send(SELF | 0x45);
    send(SELF | 0x5f);
    send(SELF | 0x60);
    deliver("above tpr 50", a_sti);
    set(TPR, 0x45);
    log_text("tpr 45: ppr=%x\n", get(PPR));
    deliver("above tpr 45", a_sti);
    set(TPR, 0);
    deliver("tpr 0", a_sti);
    set(TPR, 0xff);
    send(SELF | 0xf0);
    deliver("tpr ff", a_sti);
    set(TPR, 0);
    deliver("tpr 0 again", a_sti);
}

static void
destinations(void)
{
    send(0x48);
    deliver("physical 0", a_sti);
    set(ICR_HIGH, 0x01000000);
    set(ICR_LOW, 0x849);
    deliver("logical 1", a_sti);
    set(ICR_HIGH, 0x02000000);
    set(ICR_LOW, 0x84a);
    deliver("logical 2", a_sti);
    set(LDR, 0x02000000);
    set(ICR_HIGH, 0x02000000);
    set(ICR_LOW, 0x84b);
    deliver("logical 2 with ldr 2", a_sti);
    set(LDR, 0x01000000);
    set(DFR, 0x0fffffff);
    set(ICR_HIGH, 0x01000000);
    set(ICR_LOW, 0x84c);
    deliver("cluster 0", a_sti);
    set(ICR_HIGH, 0x11000000);
    set(ICR_LOW, 0x84d);
    deliver("cluster 1", a_sti);
    set(DFR, 0xffffffff);
    send(0x80000 | 0x4e);
    deliver("all and self", a_sti);
    send(0xc0000 | 0x4f);
    deliver("all but self", a_sti);
}

/* An NMI in the handler of an NMI waits for its IRET. */
static bool
note_nmi(Frame *frame)
{
    if (frame->vector != 2)
        return false;
    seen[seen_count++] = 2;
    if (seen_count > 1)
        return true;
    send(0x400);
    for (volatile unsigned i = 0; i < 100; i++) {
    }
    log_text("nmi in nmi: %u\n", seen_count);
    return true;
}

static void
nmi(void)
{
    seen_count = 0;
    event_hook = note_nmi;
    send(0x400);
    for (volatile unsigned i = 0; i < 100; i++) {
    }
    event_hook = NULL;
    log_text("nmi: %u\n", seen_count);
}

/* A slow machine may see several periods in one go. */
static void
periodic(const char *key)
{
    seen_count = 0;
    event_hook = note;
    run(context(a_wait, 0));
    event_hook = NULL;
    log_text("%s: any=%u vector=%x\n", key, seen_count > 0, seen[0]);
}

/* A period may have ended just before the timer was stopped. */
static void
drain(void)
{
    event_hook = note;
    run(context(a_sti, 0));
    event_hook = NULL;
}

static void
timer(void)
{
    set(TIMER_DIVIDE, 0xb);
    set(LVT_TIMER, 0x61);
    log_text("timer: lvt=%x current=%u\n", get(LVT_TIMER), get(TIMER_CURRENT));
    set(TIMER_INITIAL, 100000);
    deliver("one shot", a_wait);
    log_text("one shot after: initial=%u current=%u lvt=%x\n", get(TIMER_INITIAL),
             get(TIMER_CURRENT), get(LVT_TIMER));
    set(LVT_TIMER, PERIODIC | 0x62);
    set(TIMER_INITIAL, 200000);
    periodic("periodic 1");
    periodic("periodic 2");
    periodic("periodic 3");
    log_text("periodic runs: %u\n", get(TIMER_CURRENT) <= 200000);
    set(TIMER_INITIAL, 0);
    log_text("stopped: current=%u\n", get(TIMER_CURRENT));
    drain();
    set(LVT_TIMER, MASKED | 0x63);
    set(TIMER_INITIAL, 1000);
    while (get(TIMER_CURRENT) != 0) {
    }
    deliver("masked", a_sti);
    log_text("masked: irr=%u\n", bit(IRR, 0x63));
    set(LVT_TIMER, 0x63);
    set(TIMER_INITIAL, 0x7fffffff);
    log_text("counts down: %u\n", get(TIMER_CURRENT) < 0x7fffffff && get(TIMER_CURRENT) > 0);
    set(TIMER_INITIAL, 0);
}

/* Written once to latch, as the manual asks. */
static void
errors(void)
{
    set(ESR, 0);
    set(ESR, 0);
    log_text("esr clean: %x\n", get(ESR));
    set(LVT_TIMER, 0x05 | MASKED);
    send(SELF | 0x0f);
    set(ESR, 0);
    log_text("esr after illegal vector: send=%u\n", get(ESR) >> 5 & 1);
    set(ESR, 0);
    set(LVT_TIMER, MASKED);
}

static void
software_disable(void)
{
    set(LVT_TIMER, 0x61);
    set(SVR, 0xff);
    log_text("disabled: lvt masked=%u\n", get(LVT_TIMER) >> 16 & 1);
    set(LVT_TIMER, 0x61);
    log_text("disabled, mask cleared: %u\n", get(LVT_TIMER) >> 16 & 1);
    enable();
}

static Event
msr(const uint8_t *code, uint32_t number, uint32_t low, uint32_t high)
{
    Context c = context(code, 0);

    c.ecx = number;
    c.eax = low;
    c.edx = high;
    return run(c);
}

static bool
note_x2apic(Frame *frame)
{
    if (frame->vector == 0x81)
        return false;
    seen[seen_count++] = frame->vector;
    __asm__ volatile("wrmsr" : : "c"(0x80b), "a"(0), "d"(0));
    return true;
}

static void
x2apic(void)
{
    uint32_t eax = 1, ecx;
    Event e;

    __asm__ volatile("cpuid" : "+a"(eax), "=c"(ecx) : : "ebx", "edx");
    if (!(ecx >> 21 & 1)) {
        log_text("x2apic: absent\n");
        return;
    }
    log_text("x2apic: present\n");
    e = msr(a_rdmsr, 0x802, 0, 0);
    log_text("x2apic msr in xapic mode: vec=%x err=%x\n", e.vector, e.error);
    e = msr(a_wrmsr, 0x1b, 0xfee00d00, 0);
    log_text("x2apic on: vec=%x\n", e.vector);
    e = msr(a_rdmsr, 0x802, 0, 0);
    log_text("x2apic id: vec=%x %x\n", e.vector, e.at.eax);
    e = msr(a_rdmsr, 0x80d, 0, 0);
    log_text("x2apic ldr: vec=%x %x\n", e.vector, e.at.eax);
    e = msr(a_wrmsr, 0x83f, 0x41, 0);
    seen_count = 0;
    event_hook = note_x2apic;
    run(context(a_sti, 0));
    event_hook = NULL;
    log_text("x2apic self: %u %x\n", seen_count, seen[0]);
    e = msr(a_wrmsr, 0x80b, 0, 0);
    log_text("x2apic eoi: vec=%x\n", e.vector);
    e = msr(a_wrmsr, 0x80b, 1, 0);
    log_text("x2apic eoi not 0: vec=%x err=%x\n", e.vector, e.error);
    e = msr(a_wrmsr, 0x802, 0, 0);
    log_text("x2apic id write: vec=%x err=%x\n", e.vector, e.error);
    e = msr(a_rdmsr, 0x80e, 0, 0);
    log_text("x2apic dfr: vec=%x err=%x\n", e.vector, e.error);
    e = msr(a_rdmsr, 0x831, 0, 0);
    log_text("x2apic high icr: vec=%x err=%x\n", e.vector, e.error);
    e = msr(a_wrmsr, 0x808, 0x100, 0);
    log_text("x2apic tpr reserved: vec=%x err=%x\n", e.vector, e.error);
    e = msr(a_wrmsr, 0x830, 0x4042, 0);
    log_text("x2apic icr: vec=%x\n", e.vector);
    e = msr(a_wrmsr, 0x1b, 0xfee00900, 0);
    log_text("x2apic to xapic: vec=%x err=%x\n", e.vector, e.error);
    e = msr(a_wrmsr, 0x1b, 0xfee00100, 0);
    log_text("x2apic off: vec=%x err=%x\n", e.vector, e.error);
    e = msr(a_wrmsr, 0x1b, 0xfee00900, 0);
    log_text("xapic on: vec=%x err=%x\n", e.vector, e.error);
}

void
guest_main(void)
{
    guest_setup();
    enable();
    self_ipis();
    shadows();
    priorities();
    destinations();
    nmi();
    timer();
    errors();
    software_disable();
    x2apic();
    log_end();
}
