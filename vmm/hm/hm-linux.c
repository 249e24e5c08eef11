/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * HM on KVM: the VM and its virtual CPUs, and the engine's descriptor. Interrupt controllers,
 * timers and the local APIC are ours, in user space; the kernel runs code and maps memory. Linux
 * Documentation/virt/kvm/api.rst. Not used: the in-kernel irqchip, posted interrupts, nested
 * guests, SMM. */
#include "vmm/hm/hm-kvm-linux.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Three pages and one that Intel's CPUs need for real mode: below the local APIC, where neither RAM
 * nor firmware is ever put. */
#define TSS_ADDRESS 0xfeffd000ul
#define IDENTITY_ADDRESS 0xfeffc000ull

/* The enable bits of DR7. */
#define DR7_BREAKPOINTS 0xffu

static bool
hm_is_partial(void)
{
    return hm_host()->kind == HM_HOST_EMULATED;
}

static void
hm_vm_destroy(void *engine_vm)
{
    HmVm *vm = engine_vm;

    hm_memory_end(vm);
    if (vm->fd >= 0)
        close(vm->fd);
    if (vm->kvm >= 0)
        close(vm->kvm);
    g_rw_lock_clear(&vm->gate);
    g_free(vm->vcpus);
    g_free(vm);
}

static bool
enable(HmVm *vm, uint32_t capability, uint64_t argument)
{
    const struct kvm_enable_cap enabled = {.cap = capability, .args = {argument}};

    return ioctl(vm->fd, KVM_ENABLE_CAP, &enabled) == 0;
}

static bool
set_up(HmVm *vm, GError **error)
{
    const uint64_t identity = IDENTITY_ADDRESS;

    vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
    if (vm->fd < 0) {
        base_error_set_errno(error, errno, "KVM cannot create a machine");
        return false;
    }
    /* Both mean nothing to AMD's CPUs. */
    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS);
    if (!enable(vm, KVM_CAP_X86_USER_SPACE_MSR,
                KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN |
                    KVM_MSR_EXIT_REASON_FILTER)) {
        base_error_set_errno(error, errno, "KVM cannot hand MSRs over");
        return false;
    }
    /* A kernel without this raises #UD in user mode for what it cannot emulate; in kernel mode it
     * tells us all the same. */
    enable(vm, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1);
    return hm_msr_filter(vm, error) && hm_prepare_signal(error);
}

static void *
hm_vm_create(const EmRooms *rooms, GError **error)
{
    HmVm *vm = g_new0(HmVm, 1);

    vm->rooms = *rooms;
    vm->fd = -1;
    vm->emulates = hm_is_partial();
    vm->vcpus = g_new0(HmVcpu *, cpum_count(rooms->cpum));
    g_rw_lock_init(&vm->gate);
    hm_memory_init(vm);
    vm->kvm = hm_open(error);
    if (vm->kvm < 0 || !set_up(vm, error)) {
        hm_vm_destroy(vm);
        return NULL;
    }
    vm->slots_max = MAX(vm->slots_max,
                        (unsigned)MAX(0, ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS)));
    hm_limit_profile(vm);
    return vm;
}

/* --- virtual CPUs --- */

static void
hm_vcpu_free(HmVcpu *own)
{
    hm_watch_end(&own->watch);
    own->vcpu->hm_vcpu = NULL;
    own->vm->vcpus[own->vcpu->id] = NULL;
    if (own->run != NULL)
        munmap(own->run, own->run_size);
    if (own->fd >= 0)
        close(own->fd);
    g_free(own->xsave);
    g_free(own);
}

static void
hm_vcpu_destroy(Vcpu *vcpu)
{
    hm_vcpu_free(vcpu->hm_vcpu);
}

static bool
map_run(HmVcpu *own, GError **error)
{
    const int size = ioctl(own->vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    void *run = MAP_FAILED;

    if (size >= (int)sizeof *own->run)
        run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, own->fd, 0);
    if (run == MAP_FAILED) {
        base_error_set_errno(error, errno, "KVM does not share its run page");
        return false;
    }
    own->run = run;
    own->run_size = (size_t)size;
    return true;
}

static bool
hm_vcpu_create(void *engine_vm, Vcpu *vcpu, GError **error)
{
    HmVm *vm = engine_vm;
    HmVcpu *own = g_new0(HmVcpu, 1);
    const int xsave_size = ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);

    own->vm = vm;
    own->vcpu = vcpu;
    vcpu->hm_vcpu = own;
    vm->vcpus[vcpu->id] = own;
    own->xsave_size = MAX(sizeof *own->xsave, (size_t)MAX(xsave_size, 0));
    own->xsave = g_malloc0(own->xsave_size);
    own->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)vcpu->id);
    if (own->fd < 0)
        base_error_set_errno(error, errno, "KVM cannot create a virtual CPU");
    if (own->fd >= 0 && map_run(own, error))
        return true;
    hm_vcpu_free(own);
    return false;
}

/* --- the engine --- */

static bool
hm_probe(GError **error)
{
    const HmHost *host = hm_host();

    if (host->kind == HM_HOST_NONE)
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED, host->reason);
    return host->kind != HM_HOST_NONE;
}

static unsigned
hm_rank(void)
{
    return hm_host()->kind == HM_HOST_HARDWARE ? EM_RANK_HARDWARE : EM_RANK_NEVER;
}

/* What an emulating kernel is good for: firmware and boot loaders. It walks page tables by shadows
 * of them that know nothing of what other engines write there, raises #UD for much of what user
 * mode, virtual-8086 mode and debuggers do, and delivers interrupts in real mode only. */
static bool
hm_can_run(const Vcpu *vcpu)
{
    if (!hm_is_partial())
        return true;
    return !(vcpu->cr0 & X86_CR0_PG) && !(vcpu->rflags & (X86_FL_TF | X86_FL_VM)) &&
           !((vcpu->cr0 & X86_CR0_PE) && (vcpu->rflags & X86_FL_IF)) && vcpu->cpl == 0 &&
           !(vcpu->dr[7] & DR7_BREAKPOINTS);
}

static void
hm_info(Vcpu *vcpu, GString *out)
{
    static const char *const names[HM_COUNT_COUNT] = {
        [HM_COUNT_RUNS] = "runs",
        [HM_COUNT_PORT] = "port-exits",
        [HM_COUNT_MMIO] = "mmio-exits",
        [HM_COUNT_MSR] = "msr-exits",
        [HM_COUNT_HALT] = "halts",
        [HM_COUNT_WINDOW] = "interrupt-windows",
        [HM_COUNT_KICK] = "kicks",
        [HM_COUNT_FAILED] = "failures",
        [HM_COUNT_OTHER] = "other-exits",
        [HM_COUNT_SLICE] = "slices",
        [HM_COUNT_STUCK] = "stuck",
        [HM_COUNT_INTERRUPT] = "interrupts",
        [HM_COUNT_NMI] = "nmis",
        [HM_COUNT_IMPORT] = "register-imports",
        [HM_COUNT_EXPORT] = "register-exports",
        [HM_COUNT_SLOTS] = "memory-changes",
    };
    HmVcpu *own = vcpu->hm_vcpu;

    for (unsigned i = 0; i < HM_COUNT_COUNT; i++)
        g_string_append_printf(out, "hm-%s %" G_GUINT64_FORMAT "\n", names[i],
                               atomic_load_explicit(&own->count[i], memory_order_relaxed));
}

const EmEngine hm_engine = {
    .name = "hm",
    .title = "Hardware acceleration",
    .probe = hm_probe,
    .rank = hm_rank,
    .delivers = true,
    .is_partial = hm_is_partial,
    .vm_create = hm_vm_create,
    .vm_destroy = hm_vm_destroy,
    .vcpu_create = hm_vcpu_create,
    .vcpu_destroy = hm_vcpu_destroy,
    .can_run = hm_can_run,
    .run = hm_run,
    .kick = hm_kick,
    .sync_out = hm_sync_out,
    .sync_in = hm_sync_in,
    .take_event = hm_take_event,
    .info = hm_info,
};
