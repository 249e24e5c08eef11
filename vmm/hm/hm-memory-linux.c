/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * KVM's memory slots follow PGM's map: RAM and ROM as slots (those that PGM dispatches writes of
 * are read-only there), everything else leaves the guest. No CPU is in the guest while slots
 * change. The dirty log of video memory is fetched from KVM when PGM asks. Linux
 * Documentation/virt/kvm/api.rst (KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG). */
#include "vmm/hm/hm-kvm-linux.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* Firmware switches what is below; RAM above it then keeps its slot. */
#define FIRMWARE_END (1ull << 20)
#define HUGE_PAGE (2ull << 20)

/* --- the dirty log --- */

static void
fetch_dirty(HmVm *vm, unsigned number, const PgmSpan *span)
{
    const uint64_t pages = span->size >> X86_PAGE_SHIFT;
    g_autofree uint64_t *bits = g_new0(uint64_t, (pages + 63) / 64);
    struct kvm_dirty_log log = {.slot = number, .dirty_bitmap = bits};

    if (ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) != 0) {
        /* Nothing is known: all of it may have been written. */
        pgm_dirty_report(span->mem, span->offset, span->size);
        return;
    }
    for (uint64_t i = 0; i < pages; i++) {
        if ((bits[i / 64] >> (i % 64)) & 1)
            pgm_dirty_report(span->mem, span->offset + (i << X86_PAGE_SHIFT), X86_PAGE_SIZE);
    }
}

static bool
is_logged(const PgmSpan *span)
{
    return span->dirty_log && span->writable;
}

static void
collect_dirty(void *user, PgmMem *mem)
{
    HmVm *vm = user;

    g_mutex_lock(&vm->lock);
    for (guint i = 0; i < vm->slots->len; i++) {
        const HmSlot *slot = &g_array_index(vm->slots, HmSlot, i);

        if (slot->used && slot->span.mem == mem && is_logged(&slot->span))
            fetch_dirty(vm, i, &slot->span);
    }
    g_mutex_unlock(&vm->lock);
}

/* --- slots; the lock is held --- */

static bool
set_slot(HmVm *vm, unsigned number, const PgmSpan *span, uint64_t size)
{
    const struct kvm_userspace_memory_region region = {
        .slot = number,
        .flags = (span->writable ? 0 : (uint32_t)KVM_MEM_READONLY) |
                 (is_logged(span) ? (uint32_t)KVM_MEM_LOG_DIRTY_PAGES : 0),
        .guest_phys_addr = span->gpa,
        .memory_size = size,
        .userspace_addr = (uint64_t)(uintptr_t)span->host,
    };

    return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

static bool
is_same(const PgmSpan *a, const PgmSpan *b)
{
    return a->gpa == b->gpa && a->size == b->size && a->host == b->host &&
           a->writable == b->writable && a->dirty_log == b->dirty_log;
}

static bool
is_wanted(const GArray *spans, const PgmSpan *span)
{
    for (guint i = 0; i < spans->len; i++) {
        if (is_same(&g_array_index(spans, PgmSpan, i), span))
            return true;
    }
    return false;
}

static bool
has_slot(const HmVm *vm, const PgmSpan *span)
{
    for (guint i = 0; i < vm->slots->len; i++) {
        const HmSlot *slot = &g_array_index(vm->slots, HmSlot, i);

        if (slot->used && is_same(&slot->span, span))
            return true;
    }
    return false;
}

static void
remove_slots(HmVm *vm, const GArray *wanted)
{
    for (guint i = 0; i < vm->slots->len; i++) {
        HmSlot *slot = &g_array_index(vm->slots, HmSlot, i);

        if (!slot->used || is_wanted(wanted, &slot->span))
            continue;
        if (is_logged(&slot->span))
            fetch_dirty(vm, i, &slot->span);
        set_slot(vm, i, &slot->span, 0);
        slot->used = false;
    }
}

static HmSlot *
free_slot(HmVm *vm, unsigned *number)
{
    const HmSlot unused = {0};

    for (*number = 0; *number < vm->slots->len; ++*number) {
        if (!g_array_index(vm->slots, HmSlot, *number).used)
            return &g_array_index(vm->slots, HmSlot, *number);
    }
    if (vm->slots->len >= vm->slots_max)
        return NULL;
    g_array_append_val(vm->slots, unused);
    return &g_array_index(vm->slots, HmSlot, *number);
}

/* Whole large pages alone: what lies beside them in the same one belongs to others. */
static void
advise(const HmVm *vm, const PgmSpan *span)
{
    const uintptr_t start = ((uintptr_t)span->host + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    const uintptr_t end = ((uintptr_t)span->host + span->size) & ~(uintptr_t)(HUGE_PAGE - 1);

    if (vm->rooms.small_pages && end > start)
        madvise((void *)start, end - start, MADV_NOHUGEPAGE);
}

static bool
add_slots(HmVm *vm, const GArray *wanted)
{
    for (guint i = 0; i < wanted->len; i++) {
        const PgmSpan *span = &g_array_index(wanted, PgmSpan, i);
        unsigned number;
        HmSlot *slot;

        if (has_slot(vm, span))
            continue;
        slot = free_slot(vm, &number);
        if (slot == NULL)
            break; /* PGM dispatches it: slow, but right */
        advise(vm, span);
        if (!set_slot(vm, number, span, span->size))
            return false;
        *slot = (HmSlot){.used = true, .span = *span};
    }
    return true;
}

/* --- following the map --- */

static void
split_at(GArray *spans, uint64_t address)
{
    for (guint i = 0; i < spans->len; i++) {
        PgmSpan *low = &g_array_index(spans, PgmSpan, i);
        const uint64_t inside = address - low->gpa;
        PgmSpan high = *low;

        if (address <= low->gpa || inside >= low->size)
            continue;
        low->size = inside;
        high.gpa += inside;
        high.host += inside;
        high.offset += inside;
        high.size -= inside;
        g_array_insert_val(spans, i + 1, high);
        return;
    }
}

static bool
follow(HmVm *vm)
{
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(PgmSpan));
    const uint32_t generation = pgm_spans(vm->rooms.pgm, spans);
    bool ok;

    split_at(spans, FIRMWARE_END);
    g_mutex_lock(&vm->lock);
    remove_slots(vm, spans);
    ok = add_slots(vm, spans);
    g_mutex_unlock(&vm->lock);
    atomic_store(&vm->generation, generation);
    atomic_store(&vm->mapped, ok);
    return ok;
}

bool
hm_memory_update(HmVcpu *own)
{
    HmVm *vm = own->vm;
    bool ok = true;

    for (unsigned i = 0; i < cpum_count(vm->rooms.cpum); i++) {
        if (vm->vcpus[i] != NULL && vm->vcpus[i] != own)
            hm_kick(vm->vcpus[i]->vcpu);
    }
    g_rw_lock_writer_lock(&vm->gate);
    if (!hm_memory_is_current(vm))
        ok = follow(vm);
    g_rw_lock_writer_unlock(&vm->gate);
    hm_count(own, HM_COUNT_SLOTS);
    return ok;
}

void
hm_memory_init(HmVm *vm)
{
    g_mutex_init(&vm->lock);
    vm->slots = g_array_new(FALSE, FALSE, sizeof(HmSlot));
    vm->slots_max = 32;
    pgm_set_dirty_source(vm->rooms.pgm, collect_dirty, vm);
}

void
hm_memory_end(HmVm *vm)
{
    pgm_set_dirty_source(vm->rooms.pgm, NULL, NULL);
    g_array_unref(vm->slots);
    g_mutex_clear(&vm->lock);
}
