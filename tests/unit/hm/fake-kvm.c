/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A KVM that is not there: this program's own open() and ioctl(). It knows four kinds of code, by
 * the byte at RIP: HLT leaves; INC AX it tries for ever, as some kernels do with what they cannot
 * execute; a jump to itself computes, which RCX shows; HM's self-test it "executes" at once, or as
 * slowly as an emulator where the environment has FAKE_KVM=emulates. Its state is in the
 * descriptors: each is a file in memory. Linux Documentation/virt/kvm/api.rst. */
#include "vmm/base/clock.h"
#include "vmm/hm/hm-kvm-linux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RUN_BYTES 0x3000
#define SLOTS 32u
#define SELF_TEST_SUM 2001000u
#define EMULATED_NS 40000000ull

/* Behind the run page of a virtual CPU's file. */
typedef struct {
    int vm;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_sregs2 sregs2;
} FakeVcpu;

typedef struct {
    struct kvm_userspace_memory_region slot[SLOTS];
} FakeVm;

static void
get(int fd, off_t at, void *data, size_t size)
{
    g_assert_cmpint(pread(fd, data, size, at), ==, (ssize_t)size);
}

static void
put(int fd, off_t at, const void *data, size_t size)
{
    g_assert_cmpint(pwrite(fd, data, size, at), ==, (ssize_t)size);
}

static int
make_file(size_t size)
{
    const int fd = memfd_create("fake-kvm", MFD_CLOEXEC);

    g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);
    return fd;
}

static int
create_vcpu(int vm)
{
    const int fd = make_file(RUN_BYTES + sizeof(FakeVcpu));
    const FakeVcpu vcpu = {.vm = vm};

    put(fd, RUN_BYTES, &vcpu, sizeof vcpu);
    return fd;
}

static void
set_slot(int vm, const struct kvm_userspace_memory_region *slot)
{
    g_assert_cmpuint(slot->slot & 0xffff, <, SLOTS);
    put(vm, (off_t)((slot->slot & 0xffff) * sizeof *slot), slot, sizeof *slot);
}

/* --- running --- */

static const uint8_t *
code_at(const FakeVcpu *vcpu)
{
    FakeVm vm;

    get(vcpu->vm, 0, &vm, sizeof vm);
    for (unsigned i = 0; i < SLOTS; i++) {
        const struct kvm_userspace_memory_region *slot = &vm.slot[i];

        if (vcpu->regs.rip - slot->guest_phys_addr < slot->memory_size)
            return (const uint8_t *)(uintptr_t)slot->userspace_addr +
                   (vcpu->regs.rip - slot->guest_phys_addr);
    }
    g_assert_not_reached();
}

static int
leave(FakeVcpu *vcpu, struct kvm_run *run, uint32_t reason)
{
    run->exit_reason = reason;
    run->if_flag = (vcpu->regs.rflags & X86_FL_IF) != 0;
    return 0;
}

/* Until a signal comes, which may have been before. */
static int
stay(const struct kvm_run *run)
{
    if (!__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST))
        poll(NULL, 0, -1);
    errno = EINTR;
    return -1;
}

static int
execute(FakeVcpu *vcpu, struct kvm_run *run)
{
    const uint8_t *code = code_at(vcpu);

    switch (*code) {
    case 0xf4: vcpu->regs.rip++; return leave(vcpu, run, KVM_EXIT_HLT);
    case 0xeb: vcpu->regs.rcx++; return stay(run);
    case 0x66:
    case 0xb9:
        if (g_strcmp0(g_getenv("FAKE_KVM"), "emulates") == 0)
            base_clock_sleep_until(base_clock_ns() + EMULATED_NS);
        vcpu->regs.rax = SELF_TEST_SUM;
        return leave(vcpu, run, KVM_EXIT_HLT);
    default: return stay(run);
    }
}

static int
run_vcpu(int fd)
{
    struct kvm_run *run = mmap(NULL, RUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FakeVcpu vcpu;
    int result, error;

    get(fd, RUN_BYTES, &vcpu, sizeof vcpu);
    result = execute(&vcpu, run);
    error = errno;
    put(fd, RUN_BYTES, &vcpu, sizeof vcpu);
    munmap(run, RUN_BYTES);
    errno = error;
    return result;
}

/* --- calls --- */

static int
move_state(int fd, unsigned long request, void *data)
{
    const off_t regs = RUN_BYTES + (off_t)offsetof(FakeVcpu, regs);
    const off_t sregs = RUN_BYTES + (off_t)offsetof(FakeVcpu, sregs);
    const off_t sregs2 = RUN_BYTES + (off_t)offsetof(FakeVcpu, sregs2);

    switch (request) {
    case KVM_GET_REGS: get(fd, regs, data, sizeof(struct kvm_regs)); break;
    case KVM_SET_REGS: put(fd, regs, data, sizeof(struct kvm_regs)); break;
    case KVM_GET_SREGS: get(fd, sregs, data, sizeof(struct kvm_sregs)); break;
    case KVM_SET_SREGS: put(fd, sregs, data, sizeof(struct kvm_sregs)); break;
    case KVM_GET_SREGS2: get(fd, sregs2, data, sizeof(struct kvm_sregs2)); break;
    case KVM_SET_SREGS2: put(fd, sregs2, data, sizeof(struct kvm_sregs2)); break;
    case KVM_GET_MSRS:
    case KVM_SET_MSRS: return (int)((const struct kvm_msrs *)data)->nmsrs;
    case KVM_GET_SUPPORTED_CPUID: ((struct kvm_cpuid2 *)data)->nent = 0; break;
    default: break; /* what no test looks at */
    }
    return 0;
}

static int
call(int fd, unsigned long request, void *data)
{
    switch (request) {
    case KVM_GET_API_VERSION: return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION: return (uintptr_t)data == KVM_CAP_XSAVE2 ? 4096 : (int)SLOTS;
    case KVM_GET_VCPU_MMAP_SIZE: return RUN_BYTES;
    case KVM_CREATE_VM: return make_file(sizeof(FakeVm));
    case KVM_CREATE_VCPU: return create_vcpu(fd);
    case KVM_SET_USER_MEMORY_REGION: set_slot(fd, data); return 0;
    case KVM_RUN: return run_vcpu(fd);
    default: return move_state(fd, request, data);
    }
}

int
ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *data;

    va_start(arguments, request);
    data = va_arg(arguments, void *);
    va_end(arguments);
    return _IOC_TYPE(request) == KVMIO ? call(fd, request, data)
                                       : (int)syscall(SYS_ioctl, fd, request, data);
}

int
open(const char *path, int flags, ...)
{
    va_list arguments;
    int mode;

    va_start(arguments, flags);
    mode = va_arg(arguments, int);
    va_end(arguments);
    return strcmp(path, "/dev/kvm") == 0 ? make_file(1)
                                         : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
