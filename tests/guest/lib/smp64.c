/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The start of the other CPUs, their loop, and the interrupts that they take. */
#include "tests/guest/lib/smp64.h"

#define TRAMPOLINE 0x8000u
#define PATIENCE 3000000u

typedef struct {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed)) TableRegister;

typedef struct {
    uint64_t rip, cs, rflags, rsp, ss;
} InterruptFrame;

volatile unsigned smp_taken[SMP_MAX][SMP_VECTORS], smp_nmis[SMP_MAX];
void (*volatile smp_hook[SMP_VECTORS])(unsigned cpu);

static volatile unsigned alive, done, generation, waiting, phase;
static unsigned count = 1;
static void (*volatile work)(unsigned cpu);
static Gate vectors[256] __attribute__((aligned(16)));
uint8_t smp_stacks[SMP_MAX][4096] __attribute__((aligned(16)));
unsigned smp_tickets;

/* From real mode to the first CPU's tables; the lines up to smp_flat are copied to TRAMPOLINE. */
extern const uint8_t smp_trampoline[], smp_trampoline_end[];
__asm__("        .code16\n"
        "        .globl smp_trampoline, smp_trampoline_end\n"
        "smp_trampoline:\n"
        "        cli\n"
        "        movw %cs, %ax\n"
        "        movw %ax, %ds\n"
        "        lgdtl smp_gdtr - smp_trampoline\n"
        "        movl %cr0, %eax\n"
        "        orl $1, %eax\n"
        "        movl %eax, %cr0\n"
        "        ljmpl $0x18, $smp_flat\n"
        "        .balign 8\n"
        "smp_gdtr: .word 31\n"
        "        .long smp_gdt\n"
        "smp_trampoline_end:\n"
        "        .code32\n"
        "smp_flat:\n"
        "        movw $0x10, %ax\n"
        "        movw %ax, %ds\n"
        "        movw %ax, %es\n"
        "        movw %ax, %ss\n"
        "        movl $0x60000, %eax\n"
        "        movl %eax, %cr3\n"
        "        movl $0x20, %eax\n"
        "        movl %eax, %cr4\n"
        "        movl $0xc0000080, %ecx\n"
        "        rdmsr\n"
        "        orl $0x900, %eax\n"
        "        wrmsr\n"
        "        movl %cr0, %eax\n"
        "        andl $0x9fffffff, %eax\n"
        "        orl $0x80010000, %eax\n"
        "        movl %eax, %cr0\n"
        "        ljmpl $0x08, $smp_long\n"
        "        .code64\n"
        "smp_long:\n"
        "        movl $1, %eax\n"
        "        lock xaddl %eax, smp_tickets\n"
        "        andl $7, %eax\n"
        "        incl %eax\n"
        "        shll $12, %eax\n"
        "        leaq smp_stacks(%rax), %rsp\n"
        "        call smp_loop\n"
        "        .balign 8\n"
        "smp_gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff\n");

__attribute__((interrupt)) static void
on_nmi(InterruptFrame *frame)
{
    (void)frame;
    smp_nmis[smp_self()]++;
}

/* Where nothing should come: says so and ends. */
__attribute__((interrupt)) static void
on_anything(InterruptFrame *frame)
{
    log_text("unexpected: at %X\n", frame->rip);
    log_end();
}

static void
took(unsigned vector)
{
    const unsigned cpu = smp_self();

    if (smp_hook[vector])
        smp_hook[vector](cpu);
    smp_taken[cpu][vector]++;
    *apic_reg(APIC_EOI) = 0;
}

#define HANDLER(n)                                                                                 \
    __attribute__((interrupt)) static void on_vector##n(InterruptFrame *frame)                     \
    {                                                                                              \
        (void)frame;                                                                               \
        took(n);                                                                                   \
    }
HANDLER(0)
HANDLER(1)
HANDLER(2)
HANDLER(3)

static void
load_tables(void)
{
    const TableRegister table = {sizeof vectors - 1, (uint64_t)vectors};

    __asm__ volatile("lidt %0" : : "m"(table));
    *apic_reg(APIC_SVR) = 0x1ff;
    *apic_reg(APIC_TPR) = 0;
}

static void
set_vectors(void)
{
    for (unsigned i = 0; i < 256; i++)
        vectors[i] = gate(SEL_CODE0, (uint64_t)on_anything, 0x8e, 0);
    vectors[2] = gate(SEL_CODE0, (uint64_t)on_nmi, 0x8e, 0);
    vectors[SMP_VECTOR + 0] = gate(SEL_CODE0, (uint64_t)on_vector0, 0x8e, 0);
    vectors[SMP_VECTOR + 1] = gate(SEL_CODE0, (uint64_t)on_vector1, 0x8e, 0);
    vectors[SMP_VECTOR + 2] = gate(SEL_CODE0, (uint64_t)on_vector2, 0x8e, 0);
    vectors[SMP_VECTOR + 3] = gate(SEL_CODE0, (uint64_t)on_vector3, 0x8e, 0);
}

void smp_loop(void);
void
smp_loop(void)
{
    const unsigned cpu = smp_self();
    unsigned seen = generation;

    load_tables();
    __asm__ volatile("sti");
    __atomic_fetch_add(&alive, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        while (generation == seen)
            smp_pause();
        seen = generation;
        work(cpu);
        __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    }
}

bool
smp_wait(const volatile unsigned *word, unsigned value)
{
    for (unsigned i = 0; i < PATIENCE; i++) {
        if (*word == value)
            return true;
        smp_pause();
    }
    return false;
}

void
smp_send(uint32_t icr, uint32_t destination)
{
    while (*apic_reg(APIC_ICR) & 1u << 12)
        smp_pause();
    *apic_reg(APIC_ICR_HIGH) = destination << 24;
    *apic_reg(APIC_ICR) = icr;
}

static void
delay(unsigned rounds)
{
    for (volatile unsigned i = 0; i < rounds; i++)
        ;
}

unsigned
smp_start(void)
{
    for (unsigned i = 0; i < (unsigned)(smp_trampoline_end - smp_trampoline); i++)
        ((volatile uint8_t *)(uint64_t)TRAMPOLINE)[i] = smp_trampoline[i];
    alive = smp_tickets = 0;
    set_vectors();
    load_tables();
    smp_send(ICR_INIT | ICR_ASSERT | ICR_OTHERS, 0);
    delay(100000);
    for (unsigned i = 0; i < 2; i++) {
        smp_send(ICR_STARTUP | ICR_ASSERT | ICR_OTHERS | TRAMPOLINE >> 12, 0);
        delay(100000);
    }
    smp_wait(&alive, SMP_CPUS - 1);
    count = alive + 1;
    __asm__ volatile("sti");
    return count;
}

void
smp_run(void (*body)(unsigned cpu))
{
    done = 0;
    work = body;
    __atomic_fetch_add(&generation, 1, __ATOMIC_SEQ_CST);
    body(0);
    while (done != count - 1)
        smp_pause();
}

void
smp_barrier(void)
{
    const unsigned now = phase;

    if (__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST) == count) {
        waiting = 0;
        __atomic_fetch_add(&phase, 1, __ATOMIC_SEQ_CST);
        return;
    }
    while (phase == now)
        smp_pause();
}
