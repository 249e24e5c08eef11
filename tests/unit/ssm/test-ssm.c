/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SSM: what is saved comes back; damaged, shortened, swapped and newer files are refused with a
 * reason. */
#include "vmm/ssm/ssm.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE 700000u /* more than two chunks */

typedef struct {
    uint8_t small;
    uint16_t pair[2];
} Part;

typedef struct {
    uint32_t number;
    uint64_t wide[3];
    int choice;
    bool flag;
    uint8_t name[5];
    Part parts[2];
    uint8_t *buffer;
    uint32_t added; /* since version 2 */
    GByteArray *extra;
    bool reject;
} Thing;

static const SsmField part_fields[] = {
    SSM_UINT(Part, small),
    SSM_UINT_ARRAY(Part, pair),
    SSM_END,
};

static const SsmField thing_fields[] = {
    SSM_UINT(Thing, number),
    SSM_UINT_ARRAY(Thing, wide),
    SSM_ENUM(Thing, choice, 3),
    SSM_UINT_BELOW(Thing, flag, 2),
    SSM_BYTES(Thing, name),
    SSM_STRUCT_ARRAY(Thing, parts, part_fields),
    SSM_BUFFER(Thing, buffer, BUFFER_SIZE),
    SSM_UINT_SINCE(Thing, added, 2),
    SSM_END,
};

static bool
save_extra(void *object, SsmWriter *writer, GError **error)
{
    const Thing *thing = object;

    ssm_put_uint(writer, thing->extra->len, 4);
    ssm_put_bytes(writer, thing->extra->data, thing->extra->len);
    return true;
}

static bool
load_extra(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    Thing *thing = object;
    uint64_t size;

    if (!ssm_get_uint(reader, &size, 4, error))
        return false;
    g_byte_array_set_size(thing->extra, (guint)MIN(size, 1000));
    return ssm_get_bytes(reader, thing->extra->data, thing->extra->len, error);
}

static bool
check_thing(void *object, uint32_t version, GError **error)
{
    const Thing *thing = object;

    if (!thing->reject)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "the index is out of bounds");
    return false;
}

static const SsmState thing_state = {
    .version = 2,
    .min_version = 1,
    .fields = thing_fields,
    .post_load = check_thing,
    .save = save_extra,
    .load = load_extra,
};

/* The same unit as an older program wrote it. */
static const SsmField old_fields[] = {
    SSM_UINT(Thing, number),
    SSM_UINT_ARRAY(Thing, wide),
    SSM_ENUM(Thing, choice, 3),
    SSM_UINT_BELOW(Thing, flag, 2),
    SSM_BYTES(Thing, name),
    SSM_STRUCT_ARRAY(Thing, parts, part_fields),
    SSM_BUFFER(Thing, buffer, BUFFER_SIZE),
    SSM_END,
};

static const SsmState old_state = {
    .version = 1,
    .min_version = 1,
    .fields = old_fields,
    .save = save_extra,
    .load = load_extra,
};

static const SsmState newer_state = {
    .version = 3,
    .min_version = 3,
    .fields = thing_fields,
    .save = save_extra,
    .load = load_extra,
};

static Thing *
thing_new(uint32_t seed)
{
    Thing *thing = g_new0(Thing, 1);

    thing->buffer = g_malloc0(BUFFER_SIZE);
    thing->extra = g_byte_array_new();
    if (seed == 0)
        return thing;
    thing->number = seed;
    thing->wide[2] = 0x1122334455667788u;
    thing->choice = 2;
    thing->flag = true;
    memcpy(thing->name, "abcde", 5);
    thing->parts[1].pair[1] = 0xbeef;
    thing->added = 77;
    for (uint32_t i = 0; i < BUFFER_SIZE; i++)
        thing->buffer[i] = (uint8_t)((i * seed) >> 7);
    g_byte_array_append(thing->extra, (const uint8_t *)"tail", 4);
    return thing;
}

static void
thing_free(Thing *thing)
{
    g_byte_array_unref(thing->extra);
    g_free(thing->buffer);
    g_free(thing);
}

static GBytes *
save(const SsmState *state, Thing *thing)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    Ssm *ssm = ssm_new();
    g_autoptr(GError) error = NULL;
    struct stat info;
    char *data;

    ssm_register(ssm, "thing", 3, state, thing);
    g_assert_true(ssm_save(ssm, fd, NULL, &error));
    g_assert_no_error(error);
    ssm_free(ssm);
    g_assert_cmpint(fstat(fd, &info), ==, 0);
    data = g_malloc((gsize)info.st_size);
    g_assert_cmpint(pread(fd, data, (size_t)info.st_size, 0), ==, info.st_size);
    close(fd);
    return g_bytes_new_take(data, (gsize)info.st_size);
}

static bool
load_bytes(const void *data, size_t size, const char *name, Thing *thing, GError **error)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    Ssm *ssm = ssm_new();
    bool ok;

    g_assert_cmpint(pwrite(fd, data, size, 0), ==, (gssize)size);
    ssm_register(ssm, name, 3, &thing_state, thing);
    ok = ssm_load(ssm, fd, NULL, error);
    ssm_free(ssm);
    close(fd);
    if (error != NULL)
        g_assert_true(ok == (*error == NULL));
    return ok;
}

static bool
load(GBytes *state, const char *name, Thing *thing, GError **error)
{
    gsize size;
    const void *data = g_bytes_get_data(state, &size);

    return load_bytes(data, size, name, thing, error);
}

static void
test_round_trip(void)
{
    Thing *first = thing_new(12345), *second = thing_new(0);
    g_autoptr(GBytes) state = save(&thing_state, first);
    g_autoptr(GBytes) again = NULL;
    g_autoptr(GError) error = NULL;

    load(state, "thing", second, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(second->number, ==, 12345);
    g_assert_cmpuint(second->wide[2], ==, 0x1122334455667788u);
    g_assert_cmpint(second->choice, ==, 2);
    g_assert_cmpmem(second->name, 5, "abcde", 5);
    g_assert_cmpuint(second->parts[1].pair[1], ==, 0xbeef);
    g_assert_cmpuint(second->added, ==, 77);
    g_assert_cmpmem(second->buffer, BUFFER_SIZE, first->buffer, BUFFER_SIZE);
    g_assert_cmpmem(second->extra->data, second->extra->len, "tail", 4);
    again = save(&thing_state, second);
    g_assert_true(g_bytes_equal(state, again));
    thing_free(first);
    thing_free(second);
}

static void
test_older_version(void)
{
    Thing *first = thing_new(5), *second = thing_new(0);
    g_autoptr(GBytes) state = save(&old_state, first);
    g_autoptr(GError) error = NULL;

    second->added = 9;
    load(state, "thing", second, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(second->number, ==, 5);
    g_assert_cmpuint(second->added, ==, 9); /* as construction left it */
    thing_free(first);
    thing_free(second);
}

static void
test_newer_version(void)
{
    Thing *thing = thing_new(5);
    g_autoptr(GBytes) state = save(&newer_state, thing);
    g_autoptr(GError) error = NULL;

    g_assert_false(load(state, "thing", thing, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_VERSION);
    g_assert_nonnull(strstr(error->message, "thing/3"));
    thing_free(thing);
}

static void
test_other_machine(void)
{
    Thing *thing = thing_new(5);
    g_autoptr(GBytes) state = save(&thing_state, thing);
    g_autoptr(GError) error = NULL;

    g_assert_false(load(state, "other", thing, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "thing/3"));
    thing_free(thing);
}

static void
test_bad_values(void)
{
    Thing *bad = thing_new(5), *good = thing_new(0);
    g_autoptr(GBytes) state = NULL;
    g_autoptr(GError) error = NULL;

    bad->choice = 3;
    state = save(&thing_state, bad);
    g_assert_false(load(state, "thing", good, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_CORRUPT);
    g_assert_nonnull(strstr(error->message, "choice"));
    g_clear_error(&error);
    bad->choice = 0;
    g_clear_pointer(&state, g_bytes_unref);
    state = save(&thing_state, bad);
    good->reject = true;
    g_assert_false(load(state, "thing", good, &error));
    g_assert_nonnull(strstr(error->message, "thing/3"));
    g_assert_nonnull(strstr(error->message, "out of bounds"));
    thing_free(bad);
    thing_free(good);
}

/* Every flipped bit in a header or at regular places in the data is found. */
static void
test_damage(void)
{
    Thing *first = thing_new(5), *second = thing_new(0);
    g_autoptr(GBytes) state = save(&thing_state, first);
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);
    g_autofree uint8_t *copy = g_memdup2(data, size);

    for (gsize at = 0; at < size; at += at < 256 ? 1 : 997) {
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[at] ^= (uint8_t)(1u << bit);
            g_assert_false(load_bytes(copy, size, "thing", second, NULL));
            copy[at] ^= (uint8_t)(1u << bit);
        }
    }
    thing_free(first);
    thing_free(second);
}

static void
test_shortened(void)
{
    Thing *first = thing_new(5), *second = thing_new(0);
    g_autoptr(GBytes) state = save(&thing_state, first);
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);

    for (gsize length = 0; length < size; length += length < 300 ? 1 : 499) {
        g_autoptr(GError) error = NULL;

        g_assert_false(load_bytes(data, length, "thing", second, &error));
        g_assert_error(error, BASE_ERROR, BASE_ERROR_CORRUPT);
    }
    thing_free(first);
    thing_free(second);
}

static void
test_write_error(void)
{
    Thing *thing = thing_new(5);
    Ssm *ssm = ssm_new();
    g_autoptr(GError) error = NULL;
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    close(ends[1]);
    ssm_register(ssm, "thing", 3, &thing_state, thing);
    g_assert_false(ssm_save(ssm, ends[0], NULL, &error)); /* the end that is for reading */
    g_assert_nonnull(error);
    close(ends[0]);
    ssm_free(ssm);
    thing_free(thing);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ssm/round-trip", test_round_trip);
    g_test_add_func("/ssm/older-version", test_older_version);
    g_test_add_func("/ssm/newer-version", test_newer_version);
    g_test_add_func("/ssm/other-machine", test_other_machine);
    g_test_add_func("/ssm/bad-values", test_bad_values);
    g_test_add_func("/ssm/damage", test_damage);
    g_test_add_func("/ssm/shortened", test_shortened);
    g_test_add_func("/ssm/write-error", test_write_error);
    return g_test_run();
}
