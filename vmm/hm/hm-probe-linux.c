/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What kind of KVM this host has. The device file does not tell: some hosts serve it without VT-x
 * or AMD-V, by an instruction emulator in the kernel, a hundred times slower than our own
 * interpreter. So a short guest runs in real mode, with 32-bit paging and in long mode, and its
 * result and time decide. Intel SDM volume 3A sections 4.3 and 4.5 (page tables); Linux
 * Documentation/virt/kvm/api.rst. */
#include "vmm/base/clock.h"
#include "vmm/base/memory.h"
#include "vmm/hm/hm-kvm-linux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY 0x10000u
#define CODE 0x1000u
#define DIRECTORY_32 0x2000u
#define TABLE_4 0x3000u /* PML4; the two levels below it follow */
#define ROUNDS 2000u
#define SUM (ROUNDS * (ROUNDS + 1) / 2)

/* Hardware needs a few microseconds, nested hardware some tens; an emulator at a million
 * instructions a second needs six milliseconds. */
#define HARDWARE_NS 1500000ull
/* A busy host may take the CPU away for longer. */
#define ATTEMPTS 4u
#define NEVER UINT64_MAX

/* --- opening --- */

static bool
check_capabilities(int kvm, GError **error)
{
    static const struct {
        int capability;
        const char *name;
    } needed[] = {
        {KVM_CAP_USER_MEMORY, "memory slots"},
        {KVM_CAP_READONLY_MEM, "read-only memory slots"},
        {KVM_CAP_IMMEDIATE_EXIT, "immediate exits"},
        {KVM_CAP_X86_USER_SPACE_MSR, "MSRs in user space"},
        {KVM_CAP_X86_MSR_FILTER, "MSR filters"},
        {KVM_CAP_VCPU_EVENTS, "pending events"},
        {KVM_CAP_DEBUGREGS, "debug registers"},
        {KVM_CAP_XSAVE, "XSAVE state"},
        {KVM_CAP_XCRS, "XCR registers"},
        {KVM_CAP_SREGS2, "page-directory pointers"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++) {
        if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i].capability) > 0)
            continue;
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "KVM on this host is too old: it has no %s.", needed[i].name);
        return false;
    }
    return true;
}

int
hm_open(GError **error)
{
    const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (kvm < 0) {
        base_error_set_errno(error, errno, "/dev/kvm cannot be opened");
        return -1;
    }
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "KVM on this host has another API version.");
    else if (check_capabilities(kvm, error))
        return kvm;
    close(kvm);
    return -1;
}

/* --- the test guest --- */

typedef struct {
    int kvm, vm, vcpu;
    uint8_t *memory;
    struct kvm_run *run;
    size_t run_size;
} Bench;

static void
bench_close(Bench *bench)
{
    if (bench->run != NULL)
        munmap(bench->run, bench->run_size);
    if (bench->vcpu >= 0)
        close(bench->vcpu);
    if (bench->vm >= 0)
        close(bench->vm);
    base_memory_unmap(bench->memory, MEMORY);
}

static bool
bench_open(Bench *bench, GError **error)
{
    const int size = ioctl(bench->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    struct kvm_userspace_memory_region region = {.memory_size = MEMORY};
    void *run = MAP_FAILED;

    bench->memory = base_memory_map(MEMORY, 0, error);
    if (bench->memory == NULL)
        return false;
    region.userspace_addr = (uint64_t)(uintptr_t)bench->memory;
    bench->vm = ioctl(bench->kvm, KVM_CREATE_VM, 0);
    if (bench->vm >= 0 && ioctl(bench->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0)
        bench->vcpu = ioctl(bench->vm, KVM_CREATE_VCPU, 0);
    if (bench->vcpu >= 0 && size >= (int)sizeof *bench->run)
        run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, bench->vcpu, 0);
    if (run == MAP_FAILED) {
        base_error_set_errno(error, errno, "KVM cannot create a machine");
        return false;
    }
    bench->run = run;
    bench->run_size = (size_t)size;
    return true;
}

/* One page of 4 MiB or 2 MiB at 0 in both forms. */
static void
write_tables(uint8_t *memory)
{
    const uint32_t entry_32 = 0x83;
    const uint64_t entries[] = {(TABLE_4 + 0x1000) | 3, (TABLE_4 + 0x2000) | 3, 0x83};

    memcpy(memory + DIRECTORY_32, &entry_32, sizeof entry_32);
    for (unsigned i = 0; i < G_N_ELEMENTS(entries); i++)
        memcpy(memory + TABLE_4 + i * 0x1000, &entries[i], sizeof entries[i]);
}

/* mov ecx, ROUNDS; xor eax, eax; again: add eax, ecx; dec ecx; jnz again; hlt */
static void
write_code(uint8_t *memory, HmTest test)
{
    static const uint8_t wide[] = {0xb9, 0,    0,    0,    0,    0x31, 0xc0,
                                   0x01, 0xc8, 0xff, 0xc9, 0x75, 0xfa, 0xf4};
    static const uint8_t narrow[] = {0x66, 0xb9, 0,    0,    0,    0,    0x66, 0x31, 0xc0,
                                     0x66, 0x01, 0xc8, 0x66, 0xff, 0xc9, 0x75, 0xf8, 0xf4};
    const uint32_t rounds = ROUNDS;

    if (test == HM_TEST_REAL) {
        memcpy(memory + CODE, narrow, sizeof narrow);
        memcpy(memory + CODE + 2, &rounds, sizeof rounds);
    } else {
        memcpy(memory + CODE, wide, sizeof wide);
        memcpy(memory + CODE + 1, &rounds, sizeof rounds);
    }
}

static void
set_flat(struct kvm_sregs *sregs, bool long_mode)
{
    const struct kvm_segment data = {
        .limit = UINT32_MAX, .selector = 0x10, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};

    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->cs = data;
    sregs->cs.selector = 8;
    sregs->cs.type = 11;
    sregs->cs.l = long_mode;
    sregs->cs.db = !long_mode;
}

static bool
set_mode(const Bench *bench, HmTest test)
{
    const struct kvm_regs regs = {.rip = CODE, .rsp = CODE, .rflags = X86_FL_1};
    struct kvm_sregs sregs;

    if (ioctl(bench->vcpu, KVM_GET_SREGS, &sregs) != 0)
        return false;
    switch (test) {
    case HM_TEST_PAGED:
        set_flat(&sregs, false);
        sregs.cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_PG;
        sregs.cr3 = DIRECTORY_32;
        sregs.cr4 = X86_CR4_PSE;
        break;
    case HM_TEST_LONG:
        set_flat(&sregs, true);
        sregs.cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_PG;
        sregs.cr3 = TABLE_4;
        sregs.cr4 = X86_CR4_PAE;
        sregs.efer = X86_EFER_LME | X86_EFER_LMA;
        break;
    default:
        sregs.cs.base = 0;
        sregs.cs.selector = 0;
        break;
    }
    return ioctl(bench->vcpu, KVM_SET_SREGS, &sregs) == 0 &&
           ioctl(bench->vcpu, KVM_SET_REGS, &regs) == 0;
}

/* KVM has to know that there is a long mode. */
static bool
offer_cpuid(const Bench *bench)
{
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entry[256];
    } table = {.head = {.nent = 256}};

    return ioctl(bench->kvm, KVM_GET_SUPPORTED_CPUID, &table) == 0 &&
           ioctl(bench->vcpu, KVM_SET_CPUID2, &table) == 0;
}

static uint64_t
run_once(Bench *bench, HmTest test)
{
    struct kvm_regs regs;
    uint64_t began;
    int error;

    write_code(bench->memory, test);
    if (!set_mode(bench, test))
        return NEVER;
    began = base_clock_ns();
    do {
        error = ioctl(bench->vcpu, KVM_RUN, 0) == 0 ? 0 : errno;
    } while (error == EINTR || error == EAGAIN);
    began = base_clock_ns() - began;
    if (error != 0 || bench->run->exit_reason != KVM_EXIT_HLT ||
        ioctl(bench->vcpu, KVM_GET_REGS, &regs) != 0 || regs.rax != SUM)
        return NEVER;
    return began;
}

/* A fresh virtual CPU each: what went wrong in one mode shall not spoil the next. */
static uint64_t
test_mode(int kvm, HmTest test, GError **error)
{
    Bench bench = {.kvm = kvm, .vm = -1, .vcpu = -1};
    uint64_t best = NEVER;

    if (bench_open(&bench, error) && offer_cpuid(&bench)) {
        write_tables(bench.memory);
        for (unsigned i = 0; i < ATTEMPTS && best > HARDWARE_NS; i++) {
            const uint64_t ns = run_once(&bench, test);

            best = MIN(best, ns);
            /* Far from a doubtful case. */
            if (ns == NEVER || ns > 20 * HARDWARE_NS)
                break;
        }
    }
    bench_close(&bench);
    return best;
}

/* --- the answer --- */

static void
judge(HmHost *host)
{
    static const char *const names[HM_TEST_COUNT] = {"real mode", "32-bit paging", "long mode"};

    host->kind = HM_HOST_HARDWARE;
    /* Real mode is emulated by the kernel on the oldest CPUs with VT-x too. */
    for (unsigned i = HM_TEST_PAGED; i < HM_TEST_COUNT; i++) {
        if (host->ns[i] <= HARDWARE_NS)
            continue;
        host->kind = HM_HOST_EMULATED;
        g_free(host->reason);
        host->reason =
            host->ns[i] == NEVER
                ? g_strdup_printf("KVM on this host fails in %s: there is no hardware behind it.",
                                  names[i])
                : g_strdup_printf("KVM on this host emulates: %u instructions in %s took %.1f ms.",
                                  3 * ROUNDS, names[i], (double)host->ns[i] / 1e6);
    }
}

static HmHost *
test_host(void)
{
    HmHost *host = g_new0(HmHost, 1);
    g_autoptr(GError) error = NULL;
    const int kvm = hm_open(&error);

    for (unsigned i = 0; i < HM_TEST_COUNT; i++)
        host->ns[i] = kvm >= 0 && error == NULL ? test_mode(kvm, i, &error) : NEVER;
    if (kvm >= 0)
        close(kvm);
    if (error != NULL)
        host->reason = g_strdup(error->message);
    else
        judge(host);
    return host;
}

/* GLib keeps the answer beside the descriptor for the process: it cannot change. */
const HmHost *
hm_host(void)
{
    const GQuark quark = g_quark_from_static_string("vitrine-hm-host");
    const HmHost *host = g_dataset_id_get_data(&hm_engine, quark);

    if (host != NULL)
        return host;
    host = test_host();
    g_dataset_id_set_data(&hm_engine, quark, (void *)host);
    return host;
}
