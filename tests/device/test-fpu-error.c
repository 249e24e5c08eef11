/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The chipset's part in x87 exceptions: FERR# makes IRQ 13, a write to port 0xF0 takes it back and
 * asserts IGNNE# until FERR# goes away. Intel 82371SB data sheet, section 2.5. */
#include "tests/lib/device-bench.h"

typedef struct {
    DeviceBench *bench;
    Vcpu *vcpu;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "piix3", 0);
    fixture->bench = device_bench_new(config);
    fixture->vcpu = cpum_vcpu(fixture->bench->rooms.cpum, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    device_bench_free(fixture->bench);
}

static bool
requested(Fixture *fixture)
{
    return device_bench_irq(fixture->bench, 13);
}

static void
test_error(Fixture *fixture, gconstpointer data)
{
    g_assert_false(requested(fixture));
    g_assert_false(trpm_fpu_error(fixture->vcpu)); /* not ignored: the CPU waits */
    g_assert_true(requested(fixture));
    device_bench_out8(fixture->bench, 0xf0, 0);
    g_assert_false(requested(fixture));
    g_assert_true(trpm_fpu_error(fixture->vcpu)); /* ignored, and no second request */
    g_assert_false(requested(fixture));
    trpm_fpu_error_gone(fixture->vcpu);
    g_assert_false(trpm_fpu_error(fixture->vcpu)); /* the next one counts again */
    g_assert_true(requested(fixture));
}

/* Without an error the port does nothing. */
static void
test_port_alone(Fixture *fixture, gconstpointer data)
{
    device_bench_out8(fixture->bench, 0xf0, 0);
    g_assert_false(trpm_fpu_error(fixture->vcpu));
    g_assert_true(requested(fixture));
}

/* Gone before anybody looked: the request goes too. */
static void
test_gone(Fixture *fixture, gconstpointer data)
{
    trpm_fpu_error(fixture->vcpu);
    trpm_fpu_error_gone(fixture->vcpu);
    device_bench_out8(fixture->bench, 0xf0, 0);
    g_assert_false(trpm_fpu_error(fixture->vcpu));
}

/* A state in the middle of it. */
static void
test_state(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = NULL;

    trpm_fpu_error(fixture->vcpu);
    device_bench_out8(fixture->bench, 0xf0, 0);
    state = device_bench_save(fixture->bench, &error);
    g_assert_no_error(error);
    device_bench_reset(fixture->bench);
    g_assert_false(trpm_fpu_error(fixture->vcpu));
    g_assert_true(device_bench_load(fixture->bench, state, &error));
    g_assert_no_error(error);
    g_assert_true(trpm_fpu_error(fixture->vcpu));
    g_assert_false(requested(fixture));
    trpm_fpu_error_gone(fixture->vcpu);
    g_assert_false(trpm_fpu_error(fixture->vcpu));
    g_assert_true(requested(fixture));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/fpu-error/error", Fixture, NULL, set_up, test_error, tear_down);
    g_test_add("/fpu-error/port-alone", Fixture, NULL, set_up, test_port_alone, tear_down);
    g_test_add("/fpu-error/gone", Fixture, NULL, set_up, test_gone, tear_down);
    g_test_add("/fpu-error/state", Fixture, NULL, set_up, test_state, tear_down);
    return g_test_run();
}
