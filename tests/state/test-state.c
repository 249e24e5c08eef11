/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Save, load into a fresh machine, save again: the same bytes, for every device that is registered,
 * in the reset state and after a guest has used everything. */
#include "tests/state/whole-machine.h"

#include <string.h>

/* Names the unit in which two states differ, by the last unit header before that place. */
static void
assert_same(GBytes *first, GBytes *second)
{
    gsize size, other_size, at = 0, unit = 0;
    const char *data = g_bytes_get_data(first, &size);
    const char *other = g_bytes_get_data(second, &other_size);

    if (g_bytes_equal(first, second))
        return;
    while (at < MIN(size, other_size) && data[at] == other[at]) {
        if (at + 56 < size && memcmp(data + at, "UNIT", 4) == 0)
            unit = at;
        at++;
    }
    g_error("the states differ at byte %zu, in the unit \"%.48s\"", (size_t)at, data + unit + 4);
}

static void
round_trip(DeviceBench *bench)
{
    g_autoptr(DeviceBench) fresh = whole_machine_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = device_bench_save(bench, &error);
    g_autoptr(GBytes) again = NULL;

    g_assert_no_error(error);
    device_bench_load(fresh, state, &error);
    g_assert_no_error(error);
    again = device_bench_save(fresh, &error);
    g_assert_no_error(error);
    assert_same(state, again);
}

static void
test_everything_is_there(void)
{
    g_autoptr(DeviceBench) bench = whole_machine_new();
    size_t count;
    const PdmDeviceInfo *const *devices = pdm_registry_devices(bench->registry, &count);

    for (size_t i = 0; i < count; i++) {
        if (pdm_find_device(bench->pdm, devices[i]->name, 0) == NULL)
            g_error("%s is registered, but not in whole-machine.c", devices[i]->name);
    }
}

static void
test_reset_state(void)
{
    g_autoptr(DeviceBench) bench = whole_machine_new();

    round_trip(bench);
}

static void
test_used(void)
{
    for (uint32_t seed = 1; seed <= 12; seed++) {
        g_autoptr(DeviceBench) bench = whole_machine_new();

        whole_machine_use(bench, seed, 4000);
        round_trip(bench);
    }
}

/* The loaded machine is the machine: what the same guest does next leads to the same state. */
static void
test_goes_on(void)
{
    for (uint32_t seed = 21; seed <= 26; seed++) {
        g_autoptr(DeviceBench) bench = whole_machine_new();
        g_autoptr(DeviceBench) fresh = whole_machine_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) state = NULL, next = NULL, fresh_next = NULL;

        whole_machine_use(bench, seed, 3000);
        state = device_bench_save(bench, &error);
        device_bench_load(fresh, state, &error);
        g_assert_no_error(error);
        whole_machine_use(bench, seed + 1000, 1000);
        whole_machine_use(fresh, seed + 1000, 1000);
        next = device_bench_save(bench, &error);
        fresh_next = device_bench_save(fresh, &error);
        assert_same(next, fresh_next);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/state/everything-is-there", test_everything_is_there);
    g_test_add_func("/state/reset-state", test_reset_state);
    g_test_add_func("/state/used", test_used);
    g_test_add_func("/state/goes-on", test_goes_on);
    return g_test_run();
}
