/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A saved state comes from a file, and a file may come from anybody. The checksums hold here: the
 * units' contents are changed and written again properly. Loading may refuse them; when it does
 * not, the machine is used and saved. Sanitizers see what goes wrong. Argument: how many states
 * (default 150). */
#include "tests/state/whole-machine.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CONTENT_MAX (1u << 20) /* RAM and video memory are not interesting */
#define CHANGES_MAX 12

typedef struct {
    char *name;
    uint32_t instance;
    SsmState state; /* of the stand-in */
    GByteArray *content;
} Unit;

static bool
capture(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    Unit *unit = object;
    uint8_t byte;

    unit->state.version = version;
    while (ssm_get_bytes(reader, &byte, 1, NULL))
        g_byte_array_append(unit->content, &byte, 1);
    return true;
}

static bool
play_back(void *object, SsmWriter *writer, GError **error)
{
    const Unit *unit = object;

    ssm_put_bytes(writer, unit->content->data, unit->content->len);
    return true;
}

static void
unit_free(gpointer data)
{
    Unit *unit = data;

    g_byte_array_unref(unit->content);
    g_free(unit->name);
    g_free(unit);
}

/* Stand-ins for all units of a state, in its order, found by their headers. */
static GPtrArray *
take_apart(GBytes *state)
{
    GPtrArray *units = g_ptr_array_new_with_free_func(unit_free);
    Ssm *ssm = ssm_new();
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);
    const int fd = memfd_create("state", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;

    for (gsize at = 0; at + 64 < size; at++) {
        Unit *unit;

        if (memcmp(data + at, "UNIT", 4) != 0 || !g_ascii_islower(data[at + 4]) ||
            memchr(data + at + 4, 0, 48) == NULL)
            continue;
        unit = g_new0(Unit, 1);
        unit->name = g_strdup((const char *)data + at + 4);
        unit->instance = data[at + 52];
        unit->state =
            (SsmState){.version = UINT32_MAX, .min_version = 0, .save = play_back, .load = capture};
        unit->content = g_byte_array_new();
        ssm_register(ssm, unit->name, unit->instance, &unit->state, unit);
        g_ptr_array_add(units, unit);
    }
    g_assert_cmpint(pwrite(fd, data, size, 0), ==, (gssize)size);
    ssm_load(ssm, fd, &error);
    g_assert_no_error(error);
    close(fd);
    ssm_free(ssm);
    return units;
}

static GBytes *
put_together(GPtrArray *units)
{
    Ssm *ssm = ssm_new();
    const int fd = memfd_create("state", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;
    off_t size;
    uint8_t *data;

    for (guint i = 0; i < units->len; i++) {
        Unit *unit = units->pdata[i];

        ssm_register(ssm, unit->name, unit->instance, &unit->state, unit);
    }
    ssm_save(ssm, fd, &error);
    g_assert_no_error(error);
    size = lseek(fd, 0, SEEK_END);
    data = g_malloc((gsize)size);
    g_assert_cmpint(pread(fd, data, (size_t)size, 0), ==, size);
    close(fd);
    ssm_free(ssm);
    return g_bytes_new_take(data, (gsize)size);
}

/* Changes a few bytes of one unit; returns which and what was there. */
static Unit *
tamper(GPtrArray *units, GRand *random, GByteArray *before)
{
    Unit *unit;
    unsigned changes = 1 + g_rand_int(random) % CHANGES_MAX;

    do
        unit = units->pdata[g_rand_int(random) % units->len];
    while (unit->content->len == 0 || unit->content->len > CONTENT_MAX);
    g_byte_array_set_size(before, 0);
    g_byte_array_append(before, unit->content->data, unit->content->len);
    for (; changes > 0; changes--) {
        static const uint8_t extremes[] = {0x00, 0x7f, 0x80, 0xff};
        uint8_t *byte = &unit->content->data[g_rand_int(random) % unit->content->len];

        *byte =
            g_rand_boolean(random) ? extremes[g_rand_int(random) % 4] : (uint8_t)g_rand_int(random);
    }
    return unit;
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
    units = take_apart(state);
    g_assert_cmpuint(units->len, >, 15);
    for (unsigned i = 0; i < states; i++) {
        Unit *unit = tamper(units, random, before);
        g_autoptr(GBytes) tampered = put_together(units);

        load_and_use(tampered, i, &accepted);
        memcpy(unit->content->data, before->data, before->len);
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
