/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 8254 timer with its three counters and system control port B. Intel 8254 data sheet
 * (231164-005); PIIX3 data sheet chapter 3.3 (ports 0x40 to 0x43) and 3.6.1 (port 0x61).
 *
 * Counter 0 interrupts on the rise of its output; counter 1 refreshes memory, of which only the
 * toggle in port 0x61 is left; counter 2 and bit 1 of port 0x61 drive the speaker's line, whose
 * driver is at LUN 0. Ticks that a busy host made late are delivered afterwards (late-ticks.h). */
#include "devices/chipset/i8254-counter.h"
#include "devices/chipset/late-ticks.h"
#include "vmm/pdm/pdm.h"

#define PIT_REFRESH_NS 15085
/* Interrupts come at most this often, whatever a guest programs. */
#define PIT_MIN_NS 20000
#define PIT_SPEAKER_NS 5000000 /* the speaker's driver hears of its line so often */
#define PORT_B_GATE 1u
#define PORT_B_SPEAKER 2u

typedef struct {
    PdmDevice *device;
    IomPorts *ports, *port_b;
    TmTimer *timer, *speaker_timer;
    PdmSpeakerPort speaker_port;
    const PdmSpeakerConnector *speaker; /* NULL: there is none */
    PitCounter counter[3];
    uint64_t due;      /* tick of the next rise of counter 0 */
    uint32_t owed;     /* late ticks still to deliver */
    uint8_t control_b; /* port 0x61 bits 0..3 */
} Pit;

static uint64_t
pit_tick(Pit *pit)
{
    return (uint64_t)((unsigned __int128)pdm_now(pit->device) * PIT_HZ / 1000000000u);
}

/* The first nanosecond of a tick. */
static uint64_t
pit_tick_ns(uint64_t tick)
{
    return (uint64_t)(((unsigned __int128)tick * 1000000000u + PIT_HZ - 1) / PIT_HZ);
}

/* Sets the timer for what counter 0 does next, not before `earliest` ns. */
static void
pit_arm(Pit *pit, uint64_t tick, uint64_t earliest)
{
    uint64_t at;

    pit->due = at = pit_counter_next_rise(&pit->counter[0], tick);
    if (at == PIT_NEVER) {
        pit->owed = 0;
        pdm_timer_cancel(pit->device, pit->timer);
        return;
    }
    at = tick + late_ticks_wait(pit->owed, at - tick, pit->counter[0].count);
    pdm_timer_set(pit->device, pit->timer, MAX(pit_tick_ns(at), earliest));
}

static void
pit_expired(void *user)
{
    Pit *pit = user;
    uint64_t tick = pit_tick(pit);
    const PitCounter *counter = &pit->counter[0];

    pdm_isa_irq(pit->device, 0, false);
    pdm_isa_irq(pit->device, 0, true);
    if (tick < pit->due || counter->mode == 2 || counter->mode == 3)
        pit->owed =
            late_ticks_after(pit->owed, tick < pit->due, (tick - pit->due) / counter->count);
    pit_arm(pit, tick, pdm_now(pit->device) + PIT_MIN_NS);
}

/* Counter 0 was programmed: its line and the next edge. */
static void
pit_changed(Pit *pit, uint64_t tick)
{
    pit->owed = 0;
    pdm_isa_irq(pit->device, 0, pit_counter_output(&pit->counter[0], tick));
    pit_arm(pit, tick, 0);
}

/* --- the speaker --- */

static bool
pit_speaker_level(void *user, uint64_t tick, uint64_t *until)
{
    Pit *pit = user;
    PitCounter *counter = &pit->counter[2];

    *until = PIT_NEVER;
    if (!(pit->control_b & PORT_B_SPEAKER))
        return false;
    *until = pit_counter_next_change(counter, tick);
    return pit_counter_output(counter, tick);
}

static void
pit_speaker_expired(void *user)
{
    Pit *pit = user;

    if (pit->speaker->play(pit->speaker->user, pit_tick(pit)))
        pdm_timer_set(pit->device, pit->speaker_timer, pdm_now(pit->device) + PIT_SPEAKER_NS);
}

/* The guest is about to change the line, or to look at a counter, which forgets what it did before:
 * the line has been as it is until now. `control_b`: bits of port 0x61 before and afterwards. */
static void
pit_speaker_follow(Pit *pit, uint8_t control_b, uint64_t tick)
{
    if (pit->speaker == NULL || !(control_b & PORT_B_SPEAKER))
        return;
    pit->speaker->play(pit->speaker->user, tick);
    if (!pdm_timer_armed(pit->device, pit->speaker_timer))
        pdm_timer_set(pit->device, pit->speaker_timer, pdm_now(pit->device) + PIT_SPEAKER_NS);
}

/* --- ports --- */

static void
pit_write_control(Pit *pit, uint8_t value, uint64_t tick)
{
    unsigned which = value >> 6;

    if (which == 3) { /* read-back */
        for (unsigned i = 0; i < 3; i++) {
            if (!(value >> (i + 1) & 1))
                continue;
            if (!(value & 0x10))
                pit_counter_latch_status(&pit->counter[i], tick);
            if (!(value & 0x20))
                pit_counter_latch(&pit->counter[i], tick);
        }
        return;
    }
    if ((value >> 4 & 3) == 0) {
        pit_counter_latch(&pit->counter[which], tick);
        return;
    }
    pit_counter_set_mode(&pit->counter[which], value, tick);
    if (which == 0)
        pit_changed(pit, tick);
}

static void
pit_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Pit *pit = user;
    uint64_t tick = pit_tick(pit);

    if (offset >= 2)
        pit_speaker_follow(pit, pit->control_b, tick);
    if (offset == 3) {
        pit_write_control(pit, (uint8_t)value, tick);
        return;
    }
    pit_counter_write(&pit->counter[offset], (uint8_t)value, tick);
    if (offset == 0)
        pit_changed(pit, tick);
}

static uint32_t
pit_read(void *user, uint32_t offset, unsigned size)
{
    Pit *pit = user;
    uint64_t tick = pit_tick(pit);

    if (offset == 3)
        return 0xff;
    if (offset == 2)
        pit_speaker_follow(pit, pit->control_b, tick);
    return pit_counter_read(&pit->counter[offset], tick);
}

static uint32_t
pit_port_b_read(void *user, uint32_t offset, unsigned size)
{
    Pit *pit = user;
    uint64_t tick = pit_tick(pit);
    bool refresh = pdm_now(pit->device) / PIT_REFRESH_NS & 1, output;

    pit_speaker_follow(pit, pit->control_b, tick);
    output = pit_counter_output(&pit->counter[2], tick);
    return pit->control_b | (uint32_t)refresh << 4 | (uint32_t)output << 5;
}

static void
pit_port_b_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Pit *pit = user;
    uint64_t tick = pit_tick(pit);

    pit_speaker_follow(pit, (uint8_t)(pit->control_b | value), tick);
    pit->control_b = value & 15;
    pit_counter_set_gate(&pit->counter[2], value & PORT_B_GATE, tick);
}

static const IomPortOps pit_ops = {.read = pit_read, .write = pit_write, .sizes = 1};
static const IomPortOps pit_port_b_ops = {
    .read = pit_port_b_read, .write = pit_port_b_write, .sizes = 1};

static void
pit_reset(PdmDevice *device)
{
    Pit *pit = device->data;

    pit_speaker_follow(pit, pit->control_b, pit_tick(pit));
    for (unsigned i = 0; i < 3; i++)
        pit->counter[i] =
            (PitCounter){.count = 0x10000, .next = 0x10000, .access = 3, .gate = i != 2};
    pit->control_b = 0;
    pit->owed = 0;
    pit->due = PIT_NEVER;
    pdm_isa_irq(device, 0, false);
    pdm_timer_cancel(device, pit->timer);
}

static bool
pit_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Pit *pit = device->data;

    pit->device = device;
    pit->ports = pdm_ports_new(device, "pit", 4, &pit_ops, pit);
    pit->port_b = pdm_ports_new(device, "port-b", 1, &pit_port_b_ops, pit);
    pdm_ports_map(device, pit->ports, 0x40);
    pdm_ports_map(device, pit->port_b, 0x61);
    pit->timer = pdm_timer_new(device, "counter-0", pit_expired, pit);
    pit->speaker_port = (PdmSpeakerPort){.user = pit, .hz = PIT_HZ, .level = pit_speaker_level};
    if (!pdm_attach(device, 0, PDM_IF_SPEAKER, &pit->speaker_port, (const void **)&pit->speaker,
                    false, error))
        return false;
    if (pit->speaker != NULL)
        pit->speaker_timer = pdm_timer_new(device, "speaker", pit_speaker_expired, pit);
    pit_reset(device);
    return true;
}

static bool
pit_post_load(void *object, uint32_t version, GError **error)
{
    Pit *pit = object;

    for (unsigned i = 0; i < 3; i++) {
        if (!pit_counter_valid(&pit->counter[i])) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                        "Counter %u of the saved timer has an impossible count.", i);
            return false;
        }
    }
    return true;
}

static void
pit_info(PdmDevice *device, GString *out)
{
    Pit *pit = device->data;

    for (unsigned i = 0; i < 3; i++) {
        const PitCounter *counter = &pit->counter[i];

        g_string_append_printf(out, "counter %u: mode %u%s, count %u, gate %u, %s\n", i,
                               counter->mode, counter->bcd ? " BCD" : "", counter->count,
                               counter->gate, counter->running ? "running" : "stopped");
    }
}

/* clang-format off */
static const SsmField pit_fields[] = {
    SSM_STRUCT_ARRAY(Pit, counter, pit_counter_fields), SSM_UINT(Pit, due),
    SSM_UINT_BELOW(Pit, owed, LATE_TICKS_MAX + 1), SSM_UINT_BELOW(Pit, control_b, 16), SSM_END
};
static const SsmState pit_state = {
    .version = 1, .min_version = 1, .fields = pit_fields, .post_load = pit_post_load
};
/* clang-format on */

const PdmDeviceInfo pit_device = {
    .abi = PDM_ABI_VERSION,
    .name = "pit",
    .title = "8254 timer",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(Pit),
    .max_instances = 1,
    .construct = pit_construct,
    .reset = pit_reset,
    .state = &pit_state,
    .info = pit_info,
};
