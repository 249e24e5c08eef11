/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The real-time clock and 256 bytes of CMOS memory. Motorola MC146818A data sheet; PIIX3 data sheet
 * chapter 3.7 (ports 0x70 to 0x73).
 *
 * The clock is the host's plus an offset that the guest's settings change, so it is right after a
 * pause too. Flags that nobody waits for are found when register C is read; a timer runs only
 * for an enabled interrupt that is not pending yet. The square-wave output is not connected,
 * daylight saving (bit 0 of register B) is stored only, as in later chips. */
#include "devices/chipset/rtc-time.h"
#include "vmm/pdm/pdm.h"

#define NS_PER_S 1000000000LL
/* The update cycle: UIP is set 244 us before it, and it takes 1984 us (32.768 kHz crystal). */
#define RTC_UIP_NS (244000 + 1984000)
#define RTC_CENTURY 0x32
/* Less than 292 years: the difference of any two such times fits in 64 bits of ns. */
#define RTC_FIRST_SECOND INT64_C(-1577923200) /* 1920-01-01 */
#define RTC_LAST_SECOND INT64_C(7258118399)   /* 2199-12-31 */

#define RTC_A_UIP 0x80
#define RTC_B_SET 0x80
#define RTC_B_PIE 0x40
#define RTC_B_AIE 0x20
#define RTC_B_UIE 0x10
#define RTC_C_IRQF 0x80
#define RTC_C_PF 0x40
#define RTC_C_AF 0x20
#define RTC_C_UF 0x10

typedef struct {
    PdmDevice *device;
    IomPorts *ports;
    TmTimer *timer;
    uint8_t use_utc;
    uint8_t index, extended_index;
    uint8_t stopped;  /* time stands still: SET or a divider in reset */
    int64_t offset;   /* chip's clock minus the host's, ns */
    int64_t frozen;   /* the chip's clock while stopped, ns */
    int64_t checked;  /* chip's second up to which UF and AF were looked for */
    uint64_t periods; /* virtual periods up to which PF was looked for */
    uint8_t memory[256];
} Rtc;

/* Host time zone's offset in ns at a time, 0 for a clock in UTC. */
static int64_t
rtc_zone(const Rtc *rtc, int64_t wall)
{
    if (rtc->use_utc)
        return 0;

    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, wall / NS_PER_S);

    return interval < 0 ? 0 : g_time_zone_get_offset(zone, interval) * NS_PER_S;
}

/* The chip's clock in ns since 1970 on its own calendar. */
static int64_t
rtc_clock(Rtc *rtc)
{
    return rtc->stopped ? rtc->frozen : pdm_wall_clock(rtc->device) + rtc->offset;
}

static int64_t
rtc_second(int64_t clock)
{
    return clock >= 0 ? clock / NS_PER_S : -((-clock + NS_PER_S - 1) / NS_PER_S);
}

/* Virtual ns of a period of the periodic interrupt, in 1/32768 s; 0: off. */
static uint32_t
rtc_period(const Rtc *rtc)
{
    unsigned rate = rtc->memory[RTC_REG_A] & 15;

    if (rate == 0 || (rtc->memory[RTC_REG_A] & 0x70) != 0x20)
        return 0;
    return 1u << (rate <= 2 ? rate + 6 : rate - 1);
}

static uint64_t
rtc_periods_now(Rtc *rtc)
{
    uint32_t period = rtc_period(rtc);

    if (!period)
        return 0;
    return (uint64_t)((unsigned __int128)pdm_now(rtc->device) * 32768 / NS_PER_S / period);
}

static void
rtc_update_irq(Rtc *rtc)
{
    uint8_t *flags = &rtc->memory[RTC_REG_C];
    bool raised = *flags & rtc->memory[RTC_REG_B] & (RTC_C_PF | RTC_C_AF | RTC_C_UF);

    *flags = (uint8_t)((*flags & ~RTC_C_IRQF) | (raised ? RTC_C_IRQF : 0));
    pdm_isa_irq(rtc->device, 8, raised);
}

/* Sets the flags of what has happened since the last look. */
static void
rtc_catch_up(Rtc *rtc)
{
    int64_t second = rtc_second(rtc_clock(rtc));
    uint64_t periods = rtc_periods_now(rtc);

    if (second > rtc->checked && !rtc->stopped) {
        rtc->memory[RTC_REG_C] |= RTC_C_UF;
        if (rtc_time_next_alarm(rtc->memory, rtc->memory[RTC_REG_B], rtc->checked) <= second)
            rtc->memory[RTC_REG_C] |= RTC_C_AF;
    }
    rtc->checked = second;
    if (periods > rtc->periods)
        rtc->memory[RTC_REG_C] |= RTC_C_PF;
    rtc->periods = periods;
}

/* Virtual time at which the chip's clock reaches a second. */
static uint64_t
rtc_deadline(Rtc *rtc, int64_t second)
{
    int64_t wait = second * NS_PER_S - rtc_clock(rtc);

    return pdm_now(rtc->device) + (wait > 0 ? (uint64_t)wait : 0);
}

static void
rtc_arm(Rtc *rtc)
{
    uint8_t wanted = rtc->memory[RTC_REG_B] & ~rtc->memory[RTC_REG_C];
    uint64_t deadline = UINT64_MAX;

    if (!rtc->stopped && wanted & RTC_B_UIE)
        deadline = rtc_deadline(rtc, rtc->checked + 1);
    if (!rtc->stopped && wanted & RTC_B_AIE) {
        int64_t alarm = rtc_time_next_alarm(rtc->memory, rtc->memory[RTC_REG_B], rtc->checked);

        if (alarm != INT64_MAX)
            deadline = MIN(deadline, rtc_deadline(rtc, alarm));
    }
    if (rtc_period(rtc) && wanted & RTC_B_PIE) {
        unsigned __int128 ticks = (unsigned __int128)(rtc->periods + 1) * rtc_period(rtc);

        deadline = MIN(deadline, (uint64_t)((ticks * NS_PER_S + 32767) / 32768));
    }
    if (deadline == UINT64_MAX)
        pdm_timer_cancel(rtc->device, rtc->timer);
    else
        pdm_timer_set(rtc->device, rtc->timer, deadline);
}

static void
rtc_refresh(Rtc *rtc)
{
    rtc_catch_up(rtc);
    rtc_update_irq(rtc);
    rtc_arm(rtc);
}

static void
rtc_expired(void *user)
{
    rtc_refresh(user);
}

/* Brings the time registers up to date, for reading them or changing one. */
static void
rtc_show(Rtc *rtc)
{
    if (!rtc->stopped)
        rtc_time_to_registers(rtc_second(rtc_clock(rtc)), rtc->memory[RTC_REG_B], rtc->memory,
                              &rtc->memory[RTC_CENTURY]);
}

/* What the time registers say. The clock is kept in ns, which reach from 1920 to 2200: a date
 * beyond becomes the nearest of these. */
static int64_t
rtc_registers_second(const Rtc *rtc)
{
    int64_t second =
        rtc_time_from_registers(rtc->memory, rtc->memory[RTC_REG_B], rtc->memory[RTC_CENTURY]);

    return CLAMP(second, RTC_FIRST_SECOND, RTC_LAST_SECOND);
}

/* Takes the time over from the registers; the fraction of a second stays. */
static void
rtc_take(Rtc *rtc)
{
    int64_t clock = rtc_clock(rtc);
    int64_t fraction = clock - rtc_second(clock) * NS_PER_S;
    int64_t second = rtc_registers_second(rtc);

    if (rtc->stopped)
        rtc->frozen = second * NS_PER_S + fraction;
    else
        rtc->offset += second * NS_PER_S + fraction - clock;
    rtc->checked = second;
}

/* Registers A or B changed: the clock stops or goes on. */
static void
rtc_update_running(Rtc *rtc)
{
    bool divider_reset = (rtc->memory[RTC_REG_A] & 0x60) == 0x60;
    bool stop = divider_reset || rtc->memory[RTC_REG_B] & RTC_B_SET;

    if (stop == rtc->stopped)
        return;
    if (stop) {
        rtc_show(rtc);
        rtc->frozen = rtc_clock(rtc);
    } else {
        rtc->frozen += (rtc_registers_second(rtc) - rtc_second(rtc->frozen)) * NS_PER_S;
        rtc->offset = rtc->frozen - pdm_wall_clock(rtc->device);
        rtc->checked = rtc_second(rtc->frozen);
    }
    rtc->stopped = stop;
}

static void
rtc_write_a(Rtc *rtc, uint8_t value)
{
    bool was_reset = (rtc->memory[RTC_REG_A] & 0x60) == 0x60;

    rtc->memory[RTC_REG_A] = value & 0x7f;
    /* The first update follows half a second after the divider is released. */
    if (was_reset && (value & 0x60) != 0x60 && rtc->stopped)
        rtc->frozen = rtc_second(rtc->frozen) * NS_PER_S + NS_PER_S / 2;
    rtc_update_running(rtc);
    rtc->periods = rtc_periods_now(rtc);
}

static void
rtc_write_b(Rtc *rtc, uint8_t value)
{
    if (value & RTC_B_SET)
        value &= (uint8_t)~RTC_B_UIE;
    /* The format of the registers may change: the time is kept, not the digits. */
    rtc_show(rtc);
    rtc->memory[RTC_REG_B] = value;
    rtc_update_running(rtc);
}

static void
rtc_write_memory(Rtc *rtc, uint8_t index, uint8_t value)
{
    switch (index) {
    case RTC_SECONDS:
    case RTC_MINUTES:
    case RTC_HOURS:
    case RTC_WEEKDAY:
    case RTC_DAY:
    case RTC_MONTH:
    case RTC_YEAR:
    case RTC_CENTURY:
        rtc_catch_up(rtc);
        rtc_show(rtc);
        rtc->memory[index] = value;
        if (!rtc->stopped)
            rtc_take(rtc);
        break;
    case RTC_REG_A:
        rtc_catch_up(rtc);
        rtc_write_a(rtc, value);
        break;
    case RTC_REG_B:
        rtc_catch_up(rtc);
        rtc_write_b(rtc, value);
        break;
    case RTC_REG_C:
    case RTC_REG_D: return; /* read-only */
    default: rtc->memory[index] = value; break;
    }
    if (index < RTC_REG_C || index == RTC_CENTURY)
        rtc_refresh(rtc);
}

static uint8_t
rtc_read_a(Rtc *rtc)
{
    int64_t clock = rtc_clock(rtc);
    int64_t fraction = clock - rtc_second(clock) * NS_PER_S;
    bool updating = !rtc->stopped && fraction >= NS_PER_S - RTC_UIP_NS;

    return (uint8_t)(rtc->memory[RTC_REG_A] | (updating ? RTC_A_UIP : 0));
}

static uint8_t
rtc_read_c(Rtc *rtc)
{
    uint8_t value;

    rtc_catch_up(rtc);
    rtc_update_irq(rtc);
    value = rtc->memory[RTC_REG_C];
    rtc->memory[RTC_REG_C] = 0;
    rtc_update_irq(rtc);
    rtc_arm(rtc);
    return value;
}

static uint8_t
rtc_read_memory(Rtc *rtc, uint8_t index)
{
    if (index <= RTC_YEAR || index == RTC_CENTURY)
        rtc_show(rtc);
    switch (index) {
    case RTC_REG_A: return rtc_read_a(rtc);
    case RTC_REG_C: return rtc_read_c(rtc);
    case RTC_REG_D: return 0x80; /* the battery is good */
    default: return rtc->memory[index];
    }
}

static uint32_t
rtc_read(void *user, uint32_t offset, unsigned size)
{
    Rtc *rtc = user;

    switch (offset) {
    case 1: return rtc_read_memory(rtc, rtc->index);
    case 2: return rtc->extended_index;
    case 3: return rtc->memory[0x80 | rtc->extended_index];
    default: return 0xff; /* the index of the first bank cannot be read */
    }
}

static void
rtc_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Rtc *rtc = user;

    switch (offset) {
    case 0: rtc->index = value & 0x7f; break; /* bit 7 masks the NMI, which nothing here raises */
    case 1: rtc_write_memory(rtc, rtc->index, (uint8_t)value); break;
    case 2: rtc->extended_index = value & 0x7f; break;
    default: rtc->memory[0x80 | rtc->extended_index] = (uint8_t)value; break;
    }
}

static const IomPortOps rtc_ops = {.read = rtc_read, .write = rtc_write, .sizes = 1};

/* The bytes in which a PC's firmware looks for the size of memory (in KiB and in 64 KiB). */
static void
rtc_preset_memory_size(PdmDevice *device)
{
    uint64_t below = pdm_ram_size(device, false), above = pdm_ram_size(device, true);
    uint64_t kib = below > 0x100000 ? MIN((below - 0x100000) >> 10, 0xffff) : 0;
    uint64_t blocks = below > 0x1000000 ? MIN((below - 0x1000000) >> 16, 0xffff) : 0;

    pdm_cmos_set(device, 0x15, 640 & 0xff);
    pdm_cmos_set(device, 0x16, 640 >> 8);
    pdm_cmos_set(device, 0x17, (uint8_t)kib);
    pdm_cmos_set(device, 0x18, (uint8_t)(kib >> 8));
    pdm_cmos_set(device, 0x30, (uint8_t)kib);
    pdm_cmos_set(device, 0x31, (uint8_t)(kib >> 8));
    pdm_cmos_set(device, 0x34, (uint8_t)blocks);
    pdm_cmos_set(device, 0x35, (uint8_t)(blocks >> 8));
    pdm_cmos_set(device, 0x5b, (uint8_t)(above >> 16));
    pdm_cmos_set(device, 0x5c, (uint8_t)(above >> 24));
    pdm_cmos_set(device, 0x5d, (uint8_t)(above >> 32));
}

static void
rtc_apply_presets(Rtc *rtc)
{
    for (unsigned i = 0x0e; i < 0x80; i++) {
        int value = pdm_cmos_get(rtc->device, (uint8_t)i);

        if (value >= 0)
            rtc->memory[i] = (uint8_t)value;
    }
}

/* All devices have said what they want in CMOS. */
static void
rtc_power_on(PdmDevice *device)
{
    rtc_apply_presets(device->data);
}

static void
rtc_reset(PdmDevice *device)
{
    Rtc *rtc = device->data;

    rtc_catch_up(rtc);
    rtc_apply_presets(rtc);
    rtc_write_b(rtc, rtc->memory[RTC_REG_B] & ~(RTC_B_PIE | RTC_B_AIE | RTC_B_UIE | 0x08));
    rtc->memory[RTC_REG_C] = 0;
    rtc_update_irq(rtc);
    rtc_arm(rtc);
}

static bool
rtc_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Rtc *rtc = device->data;
    int64_t wall;

    rtc->device = device;
    rtc->use_utc = cfgm_bool(config, "UseUtc", true);
    rtc->ports = pdm_ports_new(device, "rtc", 4, &rtc_ops, rtc);
    pdm_ports_map(device, rtc->ports, 0x70);
    rtc->timer = pdm_timer_new(device, "clock", rtc_expired, rtc);
    rtc->memory[RTC_REG_A] = 0x26; /* 32.768 kHz, periodic rate 1024 Hz */
    rtc->memory[RTC_REG_B] = RTC_B_24H;
    wall = pdm_wall_clock(device);
    rtc->offset = rtc_zone(rtc, wall);
    rtc->checked = rtc_second(rtc_clock(rtc));
    rtc->periods = rtc_periods_now(rtc);
    rtc_preset_memory_size(device);
    pdm_cmos_set(device, 0x14,
                 0x06); /* equipment: FPU and a PS/2 mouse port; floppies add theirs */
    pdm_cmos_set(device, 0x39, 0x55); /* IDE disks are translated by LBA assist */
    pdm_cmos_set(device, 0x5f, (uint8_t)(pdm_cpu_count(device) - 1));
    return true;
}

static void
rtc_info(PdmDevice *device, GString *out)
{
    Rtc *rtc = device->data;

    rtc_show(rtc);
    for (unsigned i = 0; i < 128; i++)
        g_string_append_printf(out, "%02x%c", rtc->memory[i], i % 16 == 15 ? '\n' : ' ');
}

static bool
rtc_post_load(void *object, uint32_t version, GError **error)
{
    Rtc *rtc = object;
    int64_t limit = INT64_C(7500000000) * NS_PER_S; /* the widest that a guest can set */

    if (ABS(rtc->offset) > limit || ABS(rtc->frozen) > limit ||
        ABS(rtc->checked) > limit / NS_PER_S) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The saved real-time clock is out of range.");
        return false;
    }
    return true;
}

/* clang-format off */
static const SsmField rtc_fields[] = {
    SSM_UINT_BELOW(Rtc, index, 128), SSM_UINT_BELOW(Rtc, extended_index, 128),
    SSM_UINT_BELOW(Rtc, stopped, 2), SSM_UINT(Rtc, offset), SSM_UINT(Rtc, frozen),
    SSM_UINT(Rtc, checked), SSM_UINT(Rtc, periods), SSM_BYTES(Rtc, memory), SSM_END
};
static const SsmState rtc_state = {
    .version = 1, .min_version = 1, .fields = rtc_fields, .post_load = rtc_post_load
};
static const PdmOption rtc_options[] = {
    { "UseUtc", "Hardware clock in UTC time", PDM_OPTION_BOOL, 1, 0, 1, NULL, NULL },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo rtc_device = {
    .abi = PDM_ABI_VERSION,
    .name = "rtc",
    .title = "MC146818 real-time clock",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(Rtc),
    .max_instances = 1,
    .options = rtc_options,
    .construct = rtc_construct,
    .reset = rtc_reset,
    .power_on = rtc_power_on,
    .state = &rtc_state,
    .info = rtc_info,
};
