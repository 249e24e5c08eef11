/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The high precision event timer: one 64-bit counter at 100 MHz, three timers, all periodic, with
 * legacy replacement routing. IA-PC HPET Specification 1.0a. Periodic interrupts that a busy host
 * made late are delivered afterwards (late-ticks.h).
 *
 * Left out: message (FSB) interrupts. While legacy replacement is on, IRQ 0 and IRQ 8 belong to
 * timers 0 and 1, and PDM leaves the 8254 and the clock chip out of these lines. */
#include "devices/chipset/late-ticks.h"
#include "vmm/pdm/pdm.h"

#define HPET_BASE 0xfed00000
#define HPET_TIMERS 3
#define HPET_TICK_NS 10
/* A periodic timer interrupts at most this often, whatever a guest programs. */
#define HPET_MIN_NS 20000
#define HPET_ID 0x8086a201u
/* I/O APIC pins 2, 8 and 16 to 23. */
#define HPET_ROUTES 0x00ff0104u

#define CONFIG_ENABLE 1u
#define CONFIG_LEGACY 2u

#define TIMER_LEVEL (1u << 1)
#define TIMER_ENABLE (1u << 2)
#define TIMER_PERIODIC (1u << 3)
#define TIMER_CAN_PERIODIC (1u << 4)
#define TIMER_IS_64 (1u << 5)
#define TIMER_SET_VALUE (1u << 6)
#define TIMER_32 (1u << 8)
#define TIMER_WRITABLE                                                                             \
    (TIMER_LEVEL | TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET_VALUE | TIMER_32 | 0x1fu << 9)

typedef struct Hpet Hpet;

typedef struct {
    Hpet *hpet;
    TmTimer *timer;
    uint32_t index;
    uint32_t config;
    uint32_t owed; /* late interrupts still to deliver */
    uint64_t comparator, period;
} HpetTimer;

struct Hpet {
    PdmDevice *device;
    PgmRegion *region;
    HpetTimer timers[HPET_TIMERS];
    uint64_t counter; /* value while halted; while running: value at virtual time 0, modulo 2^64 */
    uint32_t config, status;
};

static uint64_t
hpet_counter(Hpet *hpet)
{
    uint64_t running = hpet->config & CONFIG_ENABLE ? pdm_now(hpet->device) / HPET_TICK_NS : 0;

    return hpet->counter + running;
}

/* Drives the interrupt that a timer is routed to. */
static void
hpet_set_line(HpetTimer *timer, bool level)
{
    Hpet *hpet = timer->hpet;

    if (hpet->config & CONFIG_LEGACY && timer->index < 2)
        pdm_isa_irq(hpet->device, timer->index == 0 ? 0 : 8, level);
    else
        pdm_gsi_irq(hpet->device, timer->config >> 9 & 0x1f, level);
}

static void
hpet_interrupt(HpetTimer *timer)
{
    Hpet *hpet = timer->hpet;

    if (timer->config & TIMER_LEVEL)
        hpet->status |= 1u << timer->index;
    if (!(timer->config & TIMER_ENABLE))
        return;
    hpet_set_line(timer, true);
    if (!(timer->config & TIMER_LEVEL))
        hpet_set_line(timer, false);
}

/* Takes the line back before the routing or the mode changes, or when the guest acknowledges. */
static void
hpet_release(HpetTimer *timer)
{
    if (timer->hpet->status >> timer->index & 1)
        hpet_set_line(timer, false);
    timer->hpet->status &= ~(1u << timer->index);
}

/* Counter ticks until the comparator matches; 1 to 2^32 or 2^64 - 1. */
static uint64_t
hpet_wait(const HpetTimer *timer, uint64_t counter)
{
    uint64_t wait = timer->comparator - counter;

    if (timer->config & TIMER_32)
        return (uint32_t)wait ? (uint32_t)wait : 1ull << 32;
    return wait ? wait : UINT64_MAX;
}

/* Sets the timer for the next match, not before `earliest` ns. */
static void
hpet_arm(HpetTimer *timer, uint64_t earliest)
{
    Hpet *hpet = timer->hpet;
    uint64_t now = pdm_now(hpet->device), wait;

    if (!(hpet->config & CONFIG_ENABLE) || !(timer->config & TIMER_ENABLE)) {
        timer->owed = 0;
        pdm_timer_cancel(hpet->device, timer->timer);
        return;
    }
    wait = late_ticks_wait(timer->owed, hpet_wait(timer, hpet_counter(hpet)), timer->period);
    if (wait > (UINT64_MAX / 2 - now) / HPET_TICK_NS)
        pdm_timer_cancel(hpet->device, timer->timer); /* centuries away */
    else
        pdm_timer_set(hpet->device, timer->timer,
                      MAX(now - now % HPET_TICK_NS + wait * HPET_TICK_NS, earliest));
}

/* Moves a periodic comparator past the counter, unless this interrupt only made up for a late one.
 */
static void
hpet_next_period(HpetTimer *timer, uint64_t counter)
{
    const bool narrow = timer->config & TIMER_32;
    const uint64_t late =
        narrow ? (uint32_t)(counter - timer->comparator) : counter - timer->comparator;
    const bool early = timer->owed > 0 && (narrow ? (int32_t)late < 0 : (int64_t)late < 0);
    const uint64_t missed = early ? 0 : late / timer->period;

    timer->owed = late_ticks_after(timer->owed, early, missed);
    if (early)
        return;
    timer->comparator += (missed + 1) * timer->period;
    if (narrow)
        timer->comparator = (uint32_t)timer->comparator;
}

static void
hpet_expired(void *user)
{
    HpetTimer *timer = user;

    if (timer->config & TIMER_PERIODIC && timer->period)
        hpet_next_period(timer, hpet_counter(timer->hpet));
    hpet_interrupt(timer);
    hpet_arm(timer, pdm_now(timer->hpet->device) + HPET_MIN_NS);
}

static void
hpet_arm_all(Hpet *hpet)
{
    for (unsigned i = 0; i < HPET_TIMERS; i++)
        hpet_arm(&hpet->timers[i], 0);
}

static void
hpet_write_config(Hpet *hpet, uint32_t value)
{
    uint32_t old = hpet->config;
    uint64_t counter = hpet_counter(hpet);

    value &= CONFIG_ENABLE | CONFIG_LEGACY;
    if ((old ^ value) & CONFIG_LEGACY) {
        for (unsigned i = 0; i < HPET_TIMERS; i++)
            hpet_release(&hpet->timers[i]);
        pdm_isa_irq_claim(hpet->device, 0, value & CONFIG_LEGACY);
        pdm_isa_irq_claim(hpet->device, 8, value & CONFIG_LEGACY);
    }
    hpet->config = value;
    hpet->counter = counter;
    for (unsigned i = 0; i < HPET_TIMERS; i++)
        hpet->timers[i].owed = 0;
    if (value & CONFIG_ENABLE)
        hpet->counter -= pdm_now(hpet->device) / HPET_TICK_NS;
    hpet_arm_all(hpet);
}

static void
hpet_write_timer_config(HpetTimer *timer, uint32_t value)
{
    uint32_t route = value >> 9 & 0x1f;

    hpet_release(timer);
    timer->owed = 0;
    if (!(HPET_ROUTES >> route & 1))
        value = (value & ~(0x1fu << 9)) | (timer->config & 0x1fu << 9);
    timer->config = (timer->config & ~TIMER_WRITABLE) | (value & TIMER_WRITABLE);
    if (timer->config & TIMER_32) {
        timer->comparator = (uint32_t)timer->comparator;
        timer->period = (uint32_t)timer->period;
    }
    hpet_arm(timer, 0);
}

static uint64_t
hpet_merge(uint64_t old, uint64_t value, bool high, unsigned size)
{
    if (size == 8)
        return value;
    return high ? (uint32_t)old | value << 32 : (old & ~0xffffffffull) | (uint32_t)value;
}

/* In periodic mode a write sets the period; after TIMER_SET_VALUE the comparator as well. */
static void
hpet_write_comparator(HpetTimer *timer, uint64_t value, bool high, unsigned size)
{
    bool periodic = timer->config & TIMER_PERIODIC;

    timer->owed = 0;
    if (timer->config & TIMER_32) {
        if (high)
            return;
        value = (uint32_t)value;
    }
    if (!periodic || timer->config & TIMER_SET_VALUE)
        timer->comparator = hpet_merge(timer->comparator, value, high, size);
    if (periodic)
        timer->period = hpet_merge(timer->period, value, high, size);
    /* A 64-bit value written in halves keeps the flag for its second half. */
    if (high || size == 8 || timer->config & TIMER_32)
        timer->config &= ~TIMER_SET_VALUE;
    hpet_arm(timer, 0);
}

static void
hpet_write_timer(Hpet *hpet, uint64_t offset, uint64_t value, unsigned size)
{
    unsigned index = (unsigned)(offset - 0x100) / 0x20;

    if (index >= HPET_TIMERS)
        return;
    switch (offset & 0x1f) {
    case 0x00: hpet_write_timer_config(&hpet->timers[index], (uint32_t)value); break;
    case 0x08: hpet_write_comparator(&hpet->timers[index], value, false, size); break;
    case 0x0c: hpet_write_comparator(&hpet->timers[index], value, true, size); break;
    default: break;
    }
}

static void
hpet_write_status(Hpet *hpet, uint32_t value)
{
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        if (value >> i & 1)
            hpet_release(&hpet->timers[i]);
    }
}

static void
hpet_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    Hpet *hpet = user;

    switch (offset) {
    case 0x10: hpet_write_config(hpet, (uint32_t)value); break;
    case 0x20: hpet_write_status(hpet, (uint32_t)value); break;
    case 0xf0:
    case 0xf4:
        if (hpet->config & CONFIG_ENABLE) {
            pdm_guest_error(hpet->device, "hpet-counter", "write to the running counter");
            break;
        }
        hpet->counter = hpet_merge(hpet->counter, value, offset == 0xf4, size);
        break;
    default:
        if (offset >= 0x100)
            hpet_write_timer(hpet, offset, value, size);
    }
}

/* The whole 64-bit register that an offset lies in. */
static uint64_t
hpet_register(Hpet *hpet, uint64_t offset)
{
    const HpetTimer *timer;

    switch (offset) {
    case 0x00: return (uint64_t)(HPET_TICK_NS * 1000000u) << 32 | HPET_ID;
    case 0x10: return hpet->config;
    case 0x20: return hpet->status;
    case 0xf0: return hpet_counter(hpet);
    default: break;
    }
    if (offset < 0x100 || (offset - 0x100) / 0x20 >= HPET_TIMERS)
        return 0;
    timer = &hpet->timers[(offset - 0x100) / 0x20];
    switch (offset & 0x18) {
    case 0x00: return (uint64_t)HPET_ROUTES << 32 | timer->config;
    case 0x08: return timer->comparator;
    default: return 0;
    }
}

static uint64_t
hpet_read(void *user, uint64_t offset, unsigned size)
{
    uint64_t value = hpet_register(user, offset & ~7ull);

    return size == 8 ? value : (uint32_t)(value >> (offset & 4 ? 32 : 0));
}

static const IomMmioOps hpet_ops = {
    .read = hpet_read, .write = hpet_write, .min_size = 4, .max_size = 8};

static void
hpet_reset(PdmDevice *device)
{
    Hpet *hpet = device->data;

    hpet_write_config(hpet, 0);
    hpet->counter = 0;
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        HpetTimer *timer = &hpet->timers[i];

        hpet_release(timer);
        timer->config = TIMER_CAN_PERIODIC | TIMER_IS_64 | 2u << 9;
        timer->comparator = UINT64_MAX;
        timer->period = 0;
        hpet_arm(timer, 0);
    }
}

static bool
hpet_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const char *const names[HPET_TIMERS] = {"timer-0", "timer-1", "timer-2"};
    Hpet *hpet = device->data;

    hpet->device = device;
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        HpetTimer *timer = &hpet->timers[i];

        timer->hpet = hpet;
        timer->index = i;
        timer->timer = pdm_timer_new(device, names[i], hpet_expired, timer);
    }
    hpet->region = pdm_mmio_new(device, "hpet", 0x400, &hpet_ops, hpet);
    pdm_region_map(device, hpet->region, HPET_BASE);
    hpet_reset(device);
    return true;
}

static bool
hpet_post_load(void *object, uint32_t version, GError **error)
{
    Hpet *hpet = object;

    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        HpetTimer *timer = &hpet->timers[i];

        timer->config &= TIMER_WRITABLE;
        timer->config |= TIMER_CAN_PERIODIC | TIMER_IS_64;
        timer->owed = MIN(timer->owed, timer->period ? LATE_TICKS_MAX : 0);
        if (!(HPET_ROUTES >> (timer->config >> 9 & 0x1f) & 1)) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                        "Timer %u of the saved HPET is routed to a pin that it does not reach.", i);
            return false;
        }
    }
    pdm_isa_irq_claim(hpet->device, 0, hpet->config & CONFIG_LEGACY);
    pdm_isa_irq_claim(hpet->device, 8, hpet->config & CONFIG_LEGACY);
    return true;
}

/* clang-format off */
static const SsmField hpet_timer_fields[] = {
    SSM_UINT(HpetTimer, config), SSM_UINT(HpetTimer, comparator), SSM_UINT(HpetTimer, period),
    SSM_UINT_SINCE(HpetTimer, owed, 2), SSM_END
};
static const SsmField hpet_fields[] = {
    SSM_STRUCT_ARRAY(Hpet, timers, hpet_timer_fields), SSM_UINT(Hpet, counter),
    SSM_UINT_BELOW(Hpet, config, 4), SSM_UINT_BELOW(Hpet, status, 1u << HPET_TIMERS), SSM_END
};
static const SsmState hpet_state = {
    .version = 2, .min_version = 1, .fields = hpet_fields, .post_load = hpet_post_load
};
/* clang-format on */

const PdmDeviceInfo hpet_device = {
    .abi = PDM_ABI_VERSION,
    .name = "hpet",
    .title = "High precision event timer",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(Hpet),
    .max_instances = 1,
    .construct = hpet_construct,
    .reset = hpet_reset,
    .state = &hpet_state,
};
