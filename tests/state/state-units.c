/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved states taken apart and put together. */
#include "tests/state/state-units.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM_UNIT "ram"
#define UNIT_HEADER 64u
#define NAME_SIZE 48u

static bool
read_some(StateUnit *unit, SsmReader *reader, unsigned size)
{
    uint8_t bytes[256];

    if (!ssm_get_bytes(reader, bytes, size, NULL))
        return false;
    g_byte_array_append(unit->content, bytes, size);
    return true;
}

/* What comes before the pieces of the memory: how many there are, then length, name, size. */
static bool
read_ram_head(StateUnit *unit, SsmReader *reader)
{
    bool ok = read_some(unit, reader, 4);
    const unsigned count = ok ? unit->content->data[0] : 0;

    for (unsigned i = 0; i < count && ok; i++) {
        ok = read_some(unit, reader, 1);
        ok = ok && read_some(unit, reader, unit->content->data[unit->content->len - 1]) &&
             read_some(unit, reader, 8);
    }
    return ok;
}

static bool
take_piece(void *user, const uint8_t *data, size_t size, GError **error)
{
    StateUnit *unit = user;
    GByteArray *piece = g_byte_array_new();

    g_byte_array_append(piece, data, (guint)size);
    g_mutex_lock(&unit->lock);
    g_ptr_array_add(unit->pieces, piece);
    g_mutex_unlock(&unit->lock);
    return true;
}

static bool
capture(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    StateUnit *unit = object;

    unit->state.version = version;
    if (strcmp(unit->name, RAM_UNIT) == 0)
        return read_ram_head(unit, reader) && ssm_get_pieces(reader, take_piece, unit, error);
    while (read_some(unit, reader, 1))
        ;
    return true;
}

static size_t
fill_piece(void *user, uint64_t index, uint8_t *data)
{
    const StateUnit *unit = user;
    const GByteArray *piece = unit->pieces->pdata[index];

    memcpy(data, piece->data, piece->len);
    return piece->len;
}

static bool
play_back(void *object, SsmWriter *writer, GError **error)
{
    StateUnit *unit = object;

    ssm_put_bytes(writer, unit->content->data, unit->content->len);
    ssm_put_pieces(writer, unit->pieces->len, fill_piece, unit);
    return true;
}

static void
unit_free(gpointer data)
{
    StateUnit *unit = data;

    g_byte_array_unref(unit->content);
    g_ptr_array_unref(unit->pieces);
    g_mutex_clear(&unit->lock);
    g_free(unit->name);
    g_free(unit);
}

StateUnit *
state_unit_new(const char *name, uint32_t instance, uint32_t version)
{
    StateUnit *unit = g_new0(StateUnit, 1);

    unit->name = g_strdup(name);
    unit->instance = instance;
    unit->state =
        (SsmState){.version = version, .min_version = 0, .save = play_back, .load = capture};
    unit->content = g_byte_array_new();
    unit->pieces = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    g_mutex_init(&unit->lock);
    return unit;
}

StateUnit *
state_units_find(GPtrArray *units, const char *name, uint32_t instance)
{
    for (guint i = 0; i < units->len; i++) {
        StateUnit *unit = units->pdata[i];

        if (unit->instance == instance && strcmp(unit->name, name) == 0)
            return unit;
    }
    return NULL;
}

/* Stand-ins for all units of a state, found by their headers. */
static GPtrArray *
find_units(const uint8_t *data, gsize size)
{
    GPtrArray *units = g_ptr_array_new_with_free_func(unit_free);

    for (gsize at = 0; at + UNIT_HEADER < size; at++) {
        const char *name = (const char *)data + at + 4;

        if (memcmp(data + at, "UNIT", 4) == 0 && g_ascii_islower(*name) &&
            memchr(name, 0, NAME_SIZE) != NULL)
            g_ptr_array_add(units, state_unit_new(name, data[at + 52], UINT32_MAX));
    }
    return units;
}

static Ssm *
register_all(GPtrArray *units)
{
    Ssm *ssm = ssm_new();

    for (guint i = 0; i < units->len; i++) {
        StateUnit *unit = units->pdata[i];

        ssm_register(ssm, unit->name, unit->instance, &unit->state, unit);
    }
    return ssm;
}

GPtrArray *
state_units_take_apart(GBytes *state)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);
    GPtrArray *units = find_units(data, size);
    Ssm *ssm = register_all(units);
    const int fd = memfd_create("state", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(pwrite(fd, data, size, 0), ==, (gssize)size);
    ssm_load(ssm, fd, NULL, &error);
    g_assert_no_error(error);
    close(fd);
    ssm_free(ssm);
    return units;
}

GBytes *
state_units_put_together(GPtrArray *units)
{
    Ssm *ssm = register_all(units);
    const int fd = memfd_create("state", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;
    off_t size;
    uint8_t *data;

    ssm_save(ssm, fd, NULL, &error);
    g_assert_no_error(error);
    size = lseek(fd, 0, SEEK_END);
    data = g_malloc((gsize)size);
    g_assert_cmpint(pread(fd, data, (size_t)size, 0), ==, size);
    close(fd);
    ssm_free(ssm);
    return g_bytes_new_take(data, (gsize)size);
}
