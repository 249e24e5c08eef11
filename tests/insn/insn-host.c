/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host CPU as oracle. A first trap enters the handler, which replaces the interrupted context
 * by the vector's registers; the instruction runs, and the INT3 behind it (or its own exception)
 * enters the handler again, which takes the state and puts the harness's context back. Linux on
 * x86-64. */
#include "tests/insn/insn.h"
#include "vmm/base/cpu-features.h"

#include <asm/ldt.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* The order of ucontext's general registers. */
static const int greg_of[X86_GPR_COUNT] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

#define FRAME_FPU_MAX 8192

/* A signal handler has no other way to its data. */
static struct {
    bool running;
    InsnMode mode;
    InsnState *state;
    greg_t harness[NGREG];
    CpumFpu harness_fpu;
    bool has_ymm;
    void *stack; /* of the signal handler, for the life of the process */
} oracle;

static uint16_t
selector(InsnMode mode, bool code)
{
    if (mode == INSN_CODE16)
        return code ? INSN_CS16 : INSN_DS16;
    return !code ? INSN_SS : mode == INSN_CODE32 ? INSN_CS32 : INSN_CS64;
}

/* Bytes 464.. are the kernel's own; then there is a header of XSAVE behind the legacy area. */
static bool
has_xsave_header(const CpumFpu *frame)
{
    return ((const uint32_t *)frame)[464 / 4] == 0x46505853;
}

static void
get_fpu(const CpumFpu *frame, CpumFpu *fpu)
{
    const uint64_t ymm = X86_XCR0_AVX;

    memcpy(fpu, frame, 416);
    memset(fpu->ymm_high, 0, sizeof fpu->ymm_high);
    if (has_xsave_header(frame) && (frame->xstate_bv & ymm))
        memcpy(fpu->ymm_high, frame->ymm_high, sizeof fpu->ymm_high);
}

/* XSTATE_BV says that the components are not in their initial state. */
static void
put_fpu(CpumFpu *frame, const CpumFpu *fpu)
{
    memcpy(frame, fpu, 416);
    if (!has_xsave_header(frame))
        return;
    frame->xstate_bv |= X86_XCR0_X87 | X86_XCR0_SSE;
    if (!oracle.has_ymm)
        return;
    frame->xstate_bv |= X86_XCR0_AVX;
    memcpy(frame->ymm_high, fpu->ymm_high, sizeof frame->ymm_high);
}

static void
enter_vector(ucontext_t *context)
{
    greg_t *gregs = context->uc_mcontext.gregs;
    const InsnState *state = oracle.state;

    memcpy(oracle.harness, gregs, sizeof oracle.harness);
    get_fpu((const CpumFpu *)context->uc_mcontext.fpregs, &oracle.harness_fpu);
    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        gregs[greg_of[i]] = (greg_t)state->gpr[i];
    gregs[REG_RIP] = (greg_t)state->rip;
    gregs[REG_EFL] = (greg_t)(state->rflags | X86_FL_IF);
    /* CS, GS, FS, SS from the low 16 bits up. */
    gregs[REG_CSGSFS] =
        (greg_t)(selector(oracle.mode, true) | (uint64_t)selector(oracle.mode, false) << 48);
    put_fpu((CpumFpu *)context->uc_mcontext.fpregs, &state->fpu);
    oracle.running = true;
}

/* A jump to where no code is: the branch itself was fine. */
static bool
is_fetch_fault(const greg_t *gregs)
{
    uint64_t linear = insn_segment_base(oracle.mode) + (uint64_t)gregs[REG_RIP];

    return gregs[REG_TRAPNO] == X86_XCPT_PF && (uint64_t)gregs[REG_CR2] == linear;
}

static void
leave_vector(ucontext_t *context)
{
    greg_t *gregs = context->uc_mcontext.gregs;
    InsnState *state = oracle.state;

    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        state->gpr[i] = (uint64_t)gregs[greg_of[i]];
    state->rip = (uint64_t)gregs[REG_RIP];
    state->rflags = (uint64_t)gregs[REG_EFL];
    get_fpu((const CpumFpu *)context->uc_mcontext.fpregs, &state->fpu);
    state->vector = (int)gregs[REG_TRAPNO];
    state->error = (uint32_t)gregs[REG_ERR];
    state->cr2 = (uint64_t)gregs[REG_CR2];
    if (state->vector == X86_XCPT_BP) {
        state->rip--;
        state->vector = INSN_VECTOR_NONE;
    } else if (is_fetch_fault(gregs)) {
        state->vector = INSN_VECTOR_NONE;
    }
    memcpy(gregs, oracle.harness, sizeof oracle.harness);
    put_fpu((CpumFpu *)context->uc_mcontext.fpregs, &oracle.harness_fpu);
    oracle.running = false;
}

/* The harness itself crashed. */
static G_NORETURN void
crash(const ucontext_t *context)
{
    char text[64];
    int length = g_snprintf(text, sizeof text, "harness: trap %d at %llx\n",
                            (int)context->uc_mcontext.gregs[REG_TRAPNO],
                            (unsigned long long)context->uc_mcontext.gregs[REG_RIP]);

    if (write(STDERR_FILENO, text, (size_t)length) < 0)
        _exit(98);
    _exit(99);
}

static void
on_signal(int number, siginfo_t *info, void *raw)
{
    if (!oracle.running) {
        if (number != SIGTRAP)
            crash(raw);
        enter_vector(raw);
    } else {
        leave_vector(raw);
    }
}

static void
install_handlers(void)
{
    static const int signals[] = {SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    stack_t stack = {.ss_size = 65536};

    stack.ss_sp = oracle.stack = g_malloc(stack.ss_size);
    g_assert_cmpint(sigaltstack(&stack, NULL), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++)
        g_assert_cmpint(sigaction(signals[i], &action, NULL), ==, 0);
}

static void
set_ldt_entry(unsigned number, bool code)
{
    struct user_desc entry = {
        .entry_number = number,
        .base_addr = INSN_BASE,
        .limit = 0xffff,
        .seg_32bit = 0,
        .contents = code ? MODIFY_LDT_CONTENTS_CODE : MODIFY_LDT_CONTENTS_DATA,
        .useable = 1,
    };

    g_assert_cmpint(syscall(SYS_modify_ldt, 1, &entry, sizeof entry), ==, 0);
}

static void
map_window(void)
{
    static const struct {
        unsigned offset, size;
        int protection;
    } parts[] = {
        {INSN_CODE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC},
        {INSN_READ_ONLY, 0x1000, PROT_READ},
        {INSN_DATA, INSN_DATA_SIZE, PROT_READ | PROT_WRITE},
        {INSN_STACK, INSN_STACK_SIZE, PROT_READ | PROT_WRITE},
    };
    uint8_t *window = insn_host_window();

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        void *at = window + parts[i].offset;

        g_assert_true(mmap(at, parts[i].size, parts[i].protection,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at);
    }
    /* Present, so that a write to it faults with P set. */
    g_assert_cmpint(*(volatile uint8_t *)(window + INSN_READ_ONLY), ==, 0);
    memset(window + INSN_CODE, 0xcc, 0x1000);
}

uint8_t *
insn_host_window(void)
{
    return (uint8_t *)(uintptr_t)INSN_BASE;
}

void
insn_host_open(void)
{
    oracle.has_ymm = base_cpu_keeps_ymm();
    map_window();
    install_handlers();
    set_ldt_entry(INSN_CS16 >> 3, true);
    set_ldt_entry(INSN_DS16 >> 3, false);
}

void
insn_host_run(InsnMode mode, InsnState *state)
{
    uint16_t data = selector(mode, false);

    oracle.mode = mode;
    oracle.state = state;
    __asm__ volatile("movw %0, %%ds\n\tmovw %0, %%es\n\tint3" : : "r"(data) : "memory");
}
