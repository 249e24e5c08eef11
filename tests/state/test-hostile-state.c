/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A saved state comes from a file, and a file may come from anybody. The checksums hold here: the
 * units' contents are changed and written again properly. Loading may refuse them; when it does
 * not, the machine is used and saved. Sanitizers see what goes wrong. Argument: how many states
 * (default 150). */
#include "tests/state/state-units.h"
#include "tests/state/whole-machine.h"

#include <string.h>

#define CONTENT_MAX 65536u
#define CHANGES_MAX 12

/* Some content: of memory it is the head of a piece that matters. */
static GByteArray *
choose(GPtrArray *units, GRand *random)
{
    for (;;) {
        const StateUnit *unit = units->pdata[g_rand_int(random) % units->len];

        if (unit->pieces->len > 0 && g_rand_int(random) % 2 == 0)
            return unit->pieces->pdata[g_rand_int(random) % unit->pieces->len];
        if (unit->content->len > 0)
            return unit->content;
    }
}

/* Changes a few bytes of one unit; returns where and what was there. */
static GByteArray *
tamper(GPtrArray *units, GRand *random, GByteArray *before)
{
    GByteArray *content = choose(units, random);
    const guint range = MIN(content->len, CONTENT_MAX);
    unsigned changes = 1 + g_rand_int(random) % CHANGES_MAX;

    g_byte_array_set_size(before, 0);
    g_byte_array_append(before, content->data, content->len);
    for (; changes > 0; changes--) {
        static const uint8_t extremes[] = {0x00, 0x7f, 0x80, 0xff};
        uint8_t *byte = &content->data[g_rand_int(random) % range];

        *byte =
            g_rand_boolean(random) ? extremes[g_rand_int(random) % 4] : (uint8_t)g_rand_int(random);
    }
    return content;
}

static void
load_and_use(GBytes *state, uint32_t seed, unsigned *accepted)
{
    g_autoptr(DeviceBench) bench = whole_machine_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) again = NULL;

    if (!device_bench_load(bench, state, &error)) {
        g_assert_nonnull(error);
        return;
    }
    (*accepted)++;
    whole_machine_use(bench, seed, 300);
    again = device_bench_save(bench, &error);
    g_assert_no_error(error);
}

static void
test_hostile(gconstpointer data)
{
    const unsigned states = GPOINTER_TO_UINT(data);
    GRand *random = g_rand_new_with_seed(4711);
    GByteArray *before = g_byte_array_new();
    g_autoptr(DeviceBench) bench = whole_machine_new();
    g_autoptr(GBytes) state = NULL;
    g_autoptr(GPtrArray) units = NULL;
    unsigned accepted = 0;

    whole_machine_use(bench, 99, 3000);
    state = device_bench_save(bench, NULL);
    units = state_units_take_apart(state);
    g_assert_cmpuint(units->len, >, 15);
    for (unsigned i = 0; i < states; i++) {
        GByteArray *content = tamper(units, random, before);
        g_autoptr(GBytes) tampered = state_units_put_together(units);

        load_and_use(tampered, i, &accepted);
        memcpy(content->data, before->data, before->len);
    }
    g_test_message("%u of %u states were accepted", accepted, states);
    /* Most changes are of plain registers: if nothing loads, this tests nothing. */
    g_assert_cmpuint(accepted, >, states / 10);
    g_byte_array_unref(before);
    g_rand_free(random);
}

int
main(int argc, char **argv)
{
    unsigned states;

    g_test_init(&argc, &argv, NULL);
    states = argc > 1 ? (unsigned)g_ascii_strtoull(argv[1], NULL, 10) : 150;
    g_test_add_data_func("/state/hostile", GUINT_TO_POINTER(states), test_hostile);
    return g_test_run();
}
