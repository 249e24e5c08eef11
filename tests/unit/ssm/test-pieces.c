/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SSM: large parts in pieces. They come back, in the order of their passes; what is damaged,
 * missing or exchanged is found; saving and loading can be given up; a live save is the same file.
 */
#include "vmm/ssm/ssm.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIECES 40u
#define PIECE_SIZE 5000u
#define TOTAL (PIECES * PIECE_SIZE)

/* What the pieces are of. A piece is its number, then its bytes. */
typedef struct {
    uint8_t bytes[TOTAL];
    uint8_t again[TOTAL]; /* what the second pass says */
    bool second;          /* it runs */
    unsigned passes;      /* how many there are to save */
    gint taken;
} Store;

static size_t
fill(void *user, uint64_t index, uint8_t *data)
{
    const Store *store = user;
    const uint8_t *from = store->second ? store->again : store->bytes;

    if (index % 7 == 3)
        return 0; /* nothing to be said */
    data[0] = (uint8_t)index;
    memcpy(data + 1, from + index * PIECE_SIZE, PIECE_SIZE);
    return PIECE_SIZE + 1;
}

static bool
take(void *user, const uint8_t *data, size_t size, GError **error)
{
    Store *store = user;

    g_atomic_int_inc(&store->taken);
    if (size != PIECE_SIZE + 1 || data[0] >= PIECES) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "A piece is wrong.");
        return false;
    }
    memcpy(store->bytes + data[0] * PIECE_SIZE, data + 1, PIECE_SIZE);
    return true;
}

static bool
save_store(void *object, SsmWriter *writer, GError **error)
{
    Store *store = object;

    ssm_put_uint(writer, 0x11223344, 4);
    ssm_put_pieces(writer, PIECES, fill, store);
    if (store->passes > 1) {
        store->second = true;
        ssm_put_pieces(writer, PIECES, fill, store);
        store->second = false;
    }
    ssm_put_uint(writer, 0x55667788, 4);
    return ssm_put_ok(writer, error);
}

static bool
load_store(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    uint64_t before, after;

    if (!ssm_get_uint(reader, &before, 4, error) || !ssm_get_pieces(reader, take, object, error) ||
        !ssm_get_uint(reader, &after, 4, error))
        return false;
    g_assert_cmphex(before, ==, 0x11223344);
    g_assert_cmphex(after, ==, 0x55667788);
    return true;
}

static const SsmState store_state = {
    .version = 1, .min_version = 1, .save = save_store, .load = load_store};

static Store *
store_new(uint32_t seed)
{
    Store *store = g_new0(Store, 1);
    GRand *random = g_rand_new_with_seed(seed);

    store->passes = 1;
    for (unsigned i = 0; i < TOTAL && seed != 0; i++) {
        store->bytes[i] = (uint8_t)(g_rand_int(random) & 15);
        store->again[i] = (uint8_t)g_rand_int(random);
    }
    g_rand_free(random);
    return store;
}

static GBytes *
contents(int fd)
{
    const off_t size = lseek(fd, 0, SEEK_END);
    uint8_t *data = g_malloc((gsize)size);

    g_assert_cmpint(pread(fd, data, (size_t)size, 0), ==, size);
    close(fd);
    return g_bytes_new_take(data, (gsize)size);
}

static GBytes *
save(Store *store)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    Ssm *ssm = ssm_new();
    g_autoptr(GError) error = NULL;

    ssm_register(ssm, "store", 0, &store_state, store);
    ssm_save(ssm, fd, NULL, &error);
    g_assert_no_error(error);
    ssm_free(ssm);
    return contents(fd);
}

static bool
load(const uint8_t *data, size_t size, const SsmProgress *progress, Store *store, GError **error)
{
    const int fd = memfd_create("state", MFD_CLOEXEC);
    Ssm *ssm = ssm_new();
    bool ok;

    g_assert_cmpint(pwrite(fd, data, size, 0), ==, (gssize)size);
    ssm_register(ssm, "store", 0, &store_state, store);
    ok = ssm_load(ssm, fd, progress, error);
    ssm_free(ssm);
    close(fd);
    return ok;
}

static void
check(const Store *loaded, const Store *saved, unsigned passes)
{
    for (unsigned i = 0; i < PIECES; i++) {
        const uint8_t *expected = (passes > 1 ? saved->again : saved->bytes) + i * PIECE_SIZE;

        if (i % 7 != 3)
            g_assert_cmpmem(loaded->bytes + i * PIECE_SIZE, PIECE_SIZE, expected, PIECE_SIZE);
    }
}

static void
test_round_trip(void)
{
    for (unsigned passes = 1; passes <= 2; passes++) {
        g_autofree Store *first = store_new(7), *second = store_new(0);
        g_autoptr(GBytes) state = NULL, again = NULL;
        g_autoptr(GError) error = NULL;
        gsize size;
        const uint8_t *data;

        first->passes = passes;
        state = save(first);
        again = save(first);
        g_assert_true(g_bytes_equal(state, again)); /* whatever the threads did */
        data = g_bytes_get_data(state, &size);
        load(data, size, NULL, second, &error);
        g_assert_no_error(error);
        check(second, first, passes);
    }
}

static void
test_damage(void)
{
    g_autofree Store *first = store_new(7), *second = store_new(0);
    g_autoptr(GBytes) state = save(first);
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);
    g_autofree uint8_t *copy = g_memdup2(data, size);

    for (gsize at = 0; at < size; at += at < 300 ? 3 : 613) {
        g_autoptr(GError) error = NULL;

        copy[at] ^= 0x10;
        g_assert_false(load(copy, size, NULL, second, &error));
        g_assert_nonnull(error);
        copy[at] ^= 0x10;
    }
    for (gsize length = 0; length < size; length += length < 300 ? 7 : 1009) {
        g_autoptr(GError) error = NULL;

        g_assert_false(load(data, length, NULL, second, &error));
        g_assert_error(error, BASE_ERROR, BASE_ERROR_CORRUPT);
    }
}

/* The n-th chunk after the unit's header: where it is. */
static gsize
chunk_at(const uint8_t *data, unsigned n)
{
    gsize at = 32 + 64;

    for (; n > 0; n--) {
        uint32_t stored;

        memcpy(&stored, data + at + 4, 4);
        at += 16 + GUINT32_FROM_LE(stored);
    }
    return at;
}

/* Each chunk alone is right, so only the unit's own checksum can tell. */
static void
test_missing_and_exchanged(void)
{
    g_autofree Store *first = store_new(7), *second = store_new(0);
    g_autoptr(GBytes) state = save(first);
    g_autoptr(GError) error = NULL;
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);
    const gsize a = chunk_at(data, 5), b = chunk_at(data, 6), c = chunk_at(data, 7);
    g_autofree uint8_t *copy = g_memdup2(data, size);

    memmove(copy + a, copy + b, size - b);
    g_assert_false(load(copy, size - (b - a), NULL, second, &error));
    g_assert_nonnull(strstr(error->message, "missing or exchanged"));
    g_clear_error(&error);
    memcpy(copy + a, data + b, c - b);
    memcpy(copy + a + (c - b), data + a, b - a);
    memcpy(copy + c, data + c, size - c);
    g_assert_false(load(copy, size, NULL, second, &error));
    g_assert_nonnull(strstr(error->message, "missing or exchanged"));
}

typedef struct {
    unsigned steps, give_up_at;
    double last;
} Steps;

static bool
count_step(void *user, double fraction)
{
    Steps *steps = user;

    g_assert_cmpfloat(fraction, >=, steps->last);
    g_assert_cmpfloat(fraction, <=, 1.0);
    steps->last = fraction;
    return ++steps->steps != steps->give_up_at;
}

static void
test_progress(void)
{
    g_autofree Store *store = store_new(7), *second = store_new(0);
    Steps steps = {.give_up_at = 10};
    const SsmProgress progress = {.step = count_step, .user = &steps};
    g_autoptr(GBytes) state = save(store);
    g_autoptr(GError) error = NULL;
    const int fd = memfd_create("state", MFD_CLOEXEC);
    Ssm *ssm = ssm_new();
    gsize size;
    const uint8_t *data = g_bytes_get_data(state, &size);

    ssm_register(ssm, "store", 0, &store_state, store);
    g_assert_false(ssm_save(ssm, fd, &progress, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_CANCELLED);
    g_clear_error(&error);
    steps = (Steps){.give_up_at = 0};
    g_assert_true(ssm_save(ssm, fd, &progress, &error));
    g_assert_cmpuint(steps.steps, ==, PIECES);
    g_assert_cmpfloat(steps.last, ==, 1.0);
    ssm_free(ssm);
    close(fd);
    steps = (Steps){.give_up_at = 5};
    g_assert_false(load(data, size, &progress, second, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_CANCELLED);
    g_clear_error(&error);
    steps = (Steps){.give_up_at = 0};
    g_assert_true(load(data, size, &progress, second, &error));
    g_assert_cmpuint(steps.steps, >, PIECES / 2);
}

/* It is told, and the threads end. */
static void
test_write_error(void)
{
    g_autofree Store *store = store_new(7);
    Ssm *ssm = ssm_new();
    g_autoptr(GError) error = NULL;

    ssm_register(ssm, "store", 0, &store_state, store);
    g_assert_false(ssm_save(ssm, -1, NULL, &error));
    g_assert_nonnull(error);
    ssm_free(ssm);
}

static const SsmField small_fields[] = {{"byte", SSM_FIELD_BYTES, 0, 8, 1, 0, 0, NULL}, SSM_END};
static const SsmState small_state = {.version = 1, .min_version = 1, .fields = small_fields};

/* What is saved of the small unit is what it was at the stop, not later. */
static void
test_live(void)
{
    g_autofree Store *store = store_new(7), *loaded = store_new(0);
    uint8_t small[8] = "before";
    const int fd = memfd_create("state", MFD_CLOEXEC);
    Ssm *ssm = ssm_new();
    SsmLive *live;
    g_autoptr(GError) error = NULL;

    ssm_register(ssm, "store", 0, &store_state, store);
    ssm_register(ssm, "small", 0, &small_state, small);
    live = ssm_live_new(ssm, "store", fd, NULL);
    g_assert_true(save_store(store, ssm_live_writer(live), &error));
    memcpy(small, "stopped", 8);
    g_assert_true(ssm_live_stopped(live, &error));
    memcpy(small, "later", 6);
    g_assert_true(ssm_live_finish(live, &error));
    ssm_live_free(live);
    ssm_free(ssm);
    ssm = ssm_new();
    ssm_register(ssm, "small", 0, &small_state, small);
    ssm_register(ssm, "store", 0, &store_state, loaded);
    lseek(fd, 0, SEEK_SET);
    ssm_load(ssm, fd, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr((const char *)small, ==, "stopped");
    check(loaded, store, 1);
    ssm_free(ssm);
    close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ssm/pieces/round-trip", test_round_trip);
    g_test_add_func("/ssm/pieces/damage", test_damage);
    g_test_add_func("/ssm/pieces/missing-and-exchanged", test_missing_and_exchanged);
    g_test_add_func("/ssm/pieces/progress", test_progress);
    g_test_add_func("/ssm/pieces/write-error", test_write_error);
    g_test_add_func("/ssm/live", test_live);
    return g_test_run();
}
