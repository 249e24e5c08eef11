/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The MC146818: calendar, formats, update cycle, the three interrupts, CMOS bytes. */
#include "tests/lib/device-bench.h"

#define MS 1000000ull
#define SECOND (1000 * MS)

static DeviceBench *
rtc_bench(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "rtc", 0);
    return device_bench_new(config);
}

static uint8_t
cmos(DeviceBench *bench, uint8_t index)
{
    device_bench_out8(bench, 0x70, index);
    return device_bench_in8(bench, 0x71);
}

static void
set_cmos(DeviceBench *bench, uint8_t index, uint8_t value)
{
    device_bench_out8(bench, 0x70, index);
    device_bench_out8(bench, 0x71, value);
}

/* Sets the clock; all values as the guest writes them. The update follows in a second. */
static void
set_time(DeviceBench *bench, uint8_t reg_b, const uint8_t *values)
{
    static const uint8_t places[] = {0x32, 9, 8, 7, 4, 2, 0};

    set_cmos(bench, 0x0b, reg_b | 0x80);
    set_cmos(bench, 0x0a, 0x76); /* the divider in reset: the fraction starts at one half */
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++)
        set_cmos(bench, places[i], values[i]);
    set_cmos(bench, 0x0a, 0x26);
    set_cmos(bench, 0x0b, reg_b);
}

static void
check_time(DeviceBench *bench, const uint8_t *values)
{
    static const uint8_t places[] = {0x32, 9, 8, 7, 4, 2, 0};

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++)
        g_assert_cmphex(cmos(bench, places[i]), ==, values[i]);
}

static void
test_calendar(void)
{
    static const struct {
        uint8_t before[7], after[7], weekday;
    } cases[] = {
        {{0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59}, {0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00}, 7},
        {{0x20, 0x00, 0x02, 0x28, 0x23, 0x59, 0x59}, {0x20, 0x00, 0x02, 0x29, 0x00, 0x00, 0x00}, 3},
        {{0x21, 0x00, 0x02, 0x28, 0x23, 0x59, 0x59}, {0x21, 0x00, 0x03, 0x01, 0x00, 0x00, 0x00}, 2},
        {{0x20, 0x23, 0x06, 0x30, 0x23, 0x59, 0x59}, {0x20, 0x23, 0x07, 0x01, 0x00, 0x00, 0x00}, 7},
        {{0x20, 0x24, 0x05, 0x17, 0x09, 0x09, 0x09}, {0x20, 0x24, 0x05, 0x17, 0x09, 0x09, 0x10}, 6},
    };
    g_autoptr(DeviceBench) bench = rtc_bench();

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        set_time(bench, 0x02, cases[i].before);
        check_time(bench, cases[i].before);
        device_bench_advance(bench, SECOND);
        check_time(bench, cases[i].after);
        g_assert_cmpuint(cmos(bench, 6), ==, cases[i].weekday);
    }
}

static void
test_formats(void)
{
    static const uint8_t evening[] = {0x20, 0x23, 0x01, 0x31, 0x22, 0x30, 0x15};
    static const uint8_t binary[] = {20, 23, 1, 31, 22, 30, 15};
    static const uint8_t twelve[] = {0x20, 0x23, 0x01, 0x31, 0x90, 0x30, 0x15};
    static const uint8_t midnight[] = {0x20, 0x23, 0x01, 0x31, 0x12, 0x30, 0x15};
    g_autoptr(DeviceBench) bench = rtc_bench();

    set_time(bench, 0x02, evening);
    /* The format changes, the time does not. */
    set_cmos(bench, 0x0b, 0x06);
    check_time(bench, binary);
    set_cmos(bench, 0x0b, 0x00);
    check_time(bench, twelve);
    set_time(bench, 0x00, midnight);
    set_cmos(bench, 0x0b, 0x02);
    g_assert_cmphex(cmos(bench, 4), ==, 0x00);
}

static void
test_set_stops(void)
{
    static const uint8_t time[] = {0x20, 0x23, 0x01, 0x31, 0x22, 0x30, 0x15};
    g_autoptr(DeviceBench) bench = rtc_bench();

    set_time(bench, 0x02, time);
    set_cmos(bench, 0x0b, 0x82);
    device_bench_advance(bench, 5 * SECOND);
    check_time(bench, time);
    set_cmos(bench, 0x0b, 0x02);
    device_bench_advance(bench, SECOND);
    g_assert_cmphex(cmos(bench, 0), ==, 0x16);
}

static void
test_update_in_progress(void)
{
    static const uint8_t time[] = {0x20, 0x23, 0x01, 0x31, 0x22, 0x30, 0x15};
    g_autoptr(DeviceBench) bench = rtc_bench();
    unsigned seen = 0;

    set_time(bench, 0x02, time);
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t before = cmos(bench, 0);
        bool updating = cmos(bench, 0x0a) & 0x80;

        /* Without the flag the time is good for at least 244 microseconds. */
        seen += updating;
        device_bench_advance(bench, MS / 5);
        if (!updating)
            g_assert_cmphex(cmos(bench, 0), ==, before);
        device_bench_advance(bench, MS - MS / 5);
    }
    g_assert_cmpuint(seen, >=, 1);
    g_assert_cmpuint(seen, <=, 4);
}

static void
test_update_interrupt(void)
{
    static const uint8_t time[] = {0x20, 0x23, 0x01, 0x31, 0x22, 0x30, 0x15};
    g_autoptr(DeviceBench) bench = rtc_bench();

    set_time(bench, 0x02, time);
    cmos(bench, 0x0c);
    set_cmos(bench, 0x0b, 0x12);
    device_bench_advance(bench, 499 * MS);
    g_assert_false(device_bench_irq(bench, 8));
    device_bench_advance(bench, 2 * MS);
    g_assert_true(device_bench_irq(bench, 8));
    device_bench_advance(bench, 3 * SECOND);
    g_assert_cmpuint(device_bench_irq_edges(bench, 8), ==, 1);
    g_assert_cmphex(cmos(bench, 0x0c) & 0xb0, ==, 0x90);
    g_assert_false(device_bench_irq(bench, 8));
    g_assert_cmphex(cmos(bench, 0x0c), ==, 0);
    device_bench_advance(bench, SECOND);
    g_assert_true(device_bench_irq(bench, 8));
}

static void
test_alarm(void)
{
    static const uint8_t time[] = {0x20, 0x23, 0x01, 0x31, 0x22, 0x30, 0x15};
    g_autoptr(DeviceBench) bench = rtc_bench();

    set_time(bench, 0x02, time);
    set_cmos(bench, 5, 0x22);
    set_cmos(bench, 3, 0x31);
    set_cmos(bench, 1, 0x05);
    cmos(bench, 0x0c);
    set_cmos(bench, 0x0b, 0x22);
    device_bench_advance(bench, 49 * SECOND);
    g_assert_false(device_bench_irq(bench, 8));
    device_bench_advance(bench, SECOND);
    g_assert_true(device_bench_irq(bench, 8));
    g_assert_cmphex(cmos(bench, 0x0c) & 0xb0, ==, 0xb0);
    /* "Don't care" in hours and minutes: every minute. */
    set_cmos(bench, 5, 0xff);
    set_cmos(bench, 3, 0xc0);
    for (unsigned i = 0; i < 3; i++) {
        device_bench_advance(bench, 60 * SECOND);
        g_assert_true(device_bench_irq(bench, 8));
        g_assert_cmphex(cmos(bench, 0x0c) & 0xa0, ==, 0xa0);
    }
    /* A second that no clock shows never comes. */
    set_cmos(bench, 1, 0x75);
    device_bench_advance(bench, 86400 * SECOND);
    g_assert_false(device_bench_irq(bench, 8));
}

static void
test_periodic(void)
{
    g_autoptr(DeviceBench) bench = rtc_bench();
    unsigned count = 0;

    cmos(bench, 0x0c);
    set_cmos(bench, 0x0b, 0x42); /* 1024 Hz */
    for (unsigned i = 0; i < 10000; i++) {
        device_bench_advance(bench, MS / 10);
        if (device_bench_irq(bench, 8)) {
            g_assert_cmphex(cmos(bench, 0x0c) & 0xc0, ==, 0xc0);
            count++;
        }
    }
    g_assert_cmpuint(count, >=, 1020);
    g_assert_cmpuint(count, <=, 1024);
    /* Polled, without the interrupt. */
    set_cmos(bench, 0x0b, 0x02);
    set_cmos(bench, 0x0a, 0x2f); /* 2 Hz */
    cmos(bench, 0x0c);
    device_bench_advance(bench, 1100 * MS);
    g_assert_false(device_bench_irq(bench, 8));
    g_assert_cmphex(cmos(bench, 0x0c) & 0x40, ==, 0x40);
}

static void
test_memory(void)
{
    g_autoptr(DeviceBench) bench = rtc_bench();

    /* 16 MiB: 15 MiB above 1 MiB, nothing above 16 MiB. */
    g_assert_cmphex(cmos(bench, 0x15), ==, 0x80);
    g_assert_cmphex(cmos(bench, 0x16), ==, 0x02);
    g_assert_cmphex(cmos(bench, 0x30), ==, 0x00);
    g_assert_cmphex(cmos(bench, 0x31), ==, 0x3c);
    g_assert_cmphex(cmos(bench, 0x34), ==, 0x00);
    g_assert_cmphex(cmos(bench, 0x5f), ==, 0);
    g_assert_cmphex(cmos(bench, 0x0d), ==, 0x80);
    set_cmos(bench, 0x40, 0x5a);
    device_bench_out8(bench, 0x72, 0x40);
    device_bench_out8(bench, 0x73, 0xa5);
    g_assert_cmphex(device_bench_in8(bench, 0x73), ==, 0xa5);
    device_bench_reset(bench);
    g_assert_cmphex(cmos(bench, 0x40), ==, 0x5a);
    /* Registers C and D cannot be written. */
    set_cmos(bench, 0x0d, 0);
    g_assert_cmphex(cmos(bench, 0x0d), ==, 0x80);
}

/* Hours since midnight as the clock shows them. */
static unsigned
hour_with(bool utc)
{
    CfgmNode *config = cfgm_new();
    g_autoptr(DeviceBench) bench = NULL;
    uint8_t hour;

    cfgm_set_uint(device_bench_add(config, "rtc", 0), "UseUtc", utc);
    bench = device_bench_new(config);
    hour = cmos(bench, 4);
    return (hour >> 4) * 10u + (hour & 15);
}

/* main() has set the host's zone to three hours east of Greenwich. */
static void
test_local_time(void)
{
    g_assert_cmpuint((hour_with(true) + 3) % 24, ==, hour_with(false));
}

/* Dates that do not exist and years that do not fit do no harm. */
static void
test_bad_dates(void)
{
    g_autoptr(DeviceBench) bench = rtc_bench();
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (unsigned i = 0; i < 20000; i++) {
        set_cmos(bench, (uint8_t)g_rand_int_range(random, 0, 14),
                 (uint8_t)g_rand_int_range(random, 0, 256));
        if (i % 16 == 0)
            set_cmos(bench, 0x32, (uint8_t)g_rand_int_range(random, 0, 256));
        cmos(bench, (uint8_t)g_rand_int_range(random, 0, 14));
        device_bench_advance(bench, (uint64_t)g_rand_int_range(random, 0, 100000000));
    }
    g_assert_cmphex(cmos(bench, 0x0d), ==, 0x80);
}

static void
test_state(void)
{
    static const uint8_t time[] = {0x20, 0x31, 0x12, 0x31, 0x22, 0x30, 0x15};
    g_autoptr(DeviceBench) bench = rtc_bench(), other = rtc_bench();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;

    set_time(bench, 0x12, time);
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    check_time(other, time);
    device_bench_advance(other, SECOND);
    g_assert_true(device_bench_irq(other, 8));
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "<+03>-3", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtc/calendar", test_calendar);
    g_test_add_func("/rtc/formats", test_formats);
    g_test_add_func("/rtc/set-stops", test_set_stops);
    g_test_add_func("/rtc/update-in-progress", test_update_in_progress);
    g_test_add_func("/rtc/update-interrupt", test_update_interrupt);
    g_test_add_func("/rtc/alarm", test_alarm);
    g_test_add_func("/rtc/periodic", test_periodic);
    g_test_add_func("/rtc/memory", test_memory);
    g_test_add_func("/rtc/local-time", test_local_time);
    g_test_add_func("/rtc/bad-dates", test_bad_dates);
    g_test_add_func("/rtc/state", test_state);
    return g_test_run();
}
