/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The disk driver on chains of images that change while the guest writes: snapshots taken, merged
 * in both directions and replaced. What the guest reads is compared all the time with a plain copy,
 * and the files are at the end. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "devices/drivers/disk/image/image-ops.h"
#include "tests/lib/device-bench.h"

#define CAPACITY (12u << 20)
#define LEVELS 6u
#define FLIGHT 8u

typedef struct {
    const char *format;
    bool host_cache;
} Kind;

static const Kind kinds[] = {{"VDI", true}, {"VDI", false}, {"VHD", true}, {"VMDK", true}};

typedef struct {
    const Kind *kind;
    char *folder;
    char *paths[LEVELS]; /* from the base on */
    uint8_t *expected;
    GRand *rand;
    DeviceBench *bench;
    const PdmMediaConnector *disk;
} Fixture;

typedef struct {
    PdmIoRequest io;
    bool busy;
    int error;
    uint8_t *data;
} Slot;

/* --- files --- */

static void
create_image(Fixture *fixture, unsigned level, const char *parent_path)
{
    ImageCreateOptions options = {.format = fixture->kind->format, .capacity = CAPACITY};
    g_autoptr(GError) error = NULL;

    if (parent_path != NULL) {
        g_autoptr(Image) parent =
            image_open_io(image_io_new_file(base_file_open(parent_path, BASE_FILE_READ, NULL)),
                          NULL, IMAGE_OPEN_READ_ONLY, &error);

        g_assert_no_error(error);
        g_assert_true(image_child_options(parent, &options, NULL));
        image_create(fixture->paths[level], &options, NULL, NULL, &error);
    } else {
        image_create(fixture->paths[level], &options, NULL, NULL, &error);
    }
    g_assert_no_error(error);
}

/* The chain of files, the newest first. */
static Image *
open_files(const Fixture *fixture, const unsigned *levels, unsigned count)
{
    ImageSource sources[LEVELS] = {0};
    g_autoptr(GError) error = NULL;
    Image *chain;

    for (unsigned i = 0; i < count; i++)
        sources[i].path = fixture->paths[levels[i]];
    chain = image_open_chain(sources, count, &error);
    g_assert_no_error(error);
    return chain;
}

static void
assert_files(const Fixture *fixture, const unsigned *levels, unsigned count)
{
    g_autoptr(Image) chain = open_files(fixture, levels, count);
    g_autofree uint8_t *data = g_malloc(CAPACITY);

    g_assert_true(image_read(chain, 0, data, CAPACITY, NULL));
    for (unsigned at = 0; at < CAPACITY; at += 512)
        if (memcmp(data + at, fixture->expected + at, 512) != 0)
            g_error("sector %u differs", at / 512);
}

/* --- the machine --- */

static void
start_machine(Fixture *fixture, unsigned top)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *node;

    device_bench_add(config, "piix4-ide", 0);
    node = device_bench_add_driver(config, "piix4-ide", 0, 0, "disk");
    for (unsigned level = top + 1; level-- > 0;) {
        cfgm_set_string(node, "Path", fixture->paths[level]);
        cfgm_set_string(node, "Format", fixture->kind->format);
        cfgm_set_uint(node, "HostCache", fixture->kind->host_cache);
        if (level > 0)
            node = cfgm_make(node, "Parent");
    }
    fixture->bench = device_bench_new(config);
    fixture->disk = pdm_lun_connector(fixture->bench->pdm, "piix4-ide", 0, 0, PDM_IF_MEDIA);
}

static void
stop_machine(Fixture *fixture)
{
    g_clear_pointer(&fixture->bench, device_bench_free);
}

static void
on_done(void *user, PdmIoRequest *io, int error)
{
    Slot *slot = user;

    slot->busy = false;
    slot->error = error;
}

static void
submit(Fixture *fixture, Slot *slot, PdmIoKind kind, uint32_t at, uint32_t size)
{
    slot->io = (PdmIoRequest){.kind = kind,
                              .offset = at,
                              .size = size,
                              .buffer = slot->data,
                              .done = on_done,
                              .user = slot};
    slot->busy = true;
    fixture->disk->submit(fixture->disk->user, &slot->io);
}

static void
wait_slot(Fixture *fixture, Slot *slot)
{
    while (slot->busy)
        device_bench_wait_queues(fixture->bench);
    g_assert_cmpint(slot->error, ==, 0);
}

/* One more write, flush or comparison; ranges are aligned to pages, as a guest's are. */
static void
one_request(Fixture *fixture, Slot *slot)
{
    const uint32_t at = (uint32_t)g_rand_int_range(fixture->rand, 0, CAPACITY / 4096) * 4096;
    uint32_t size = (uint32_t)g_rand_int_range(fixture->rand, 1, 64) * 4096;

    size = MIN(size, CAPACITY - at);
    switch (g_rand_int_range(fixture->rand, 0, 8)) {
    case 0: submit(fixture, slot, PDM_IO_FLUSH, 0, 0); break;
    case 1:
    case 2:
        submit(fixture, slot, PDM_IO_READ, at, size);
        wait_slot(fixture, slot);
        if (memcmp(slot->data, fixture->expected + at, size) != 0)
            g_error("the guest reads something else at sector %u", at / 512);
        break;
    default:
        memset(slot->data, g_rand_int_range(fixture->rand, 0, 256), size);
        memcpy(fixture->expected + at, slot->data, size);
        submit(fixture, slot, PDM_IO_WRITE, at, size);
        break;
    }
}

/* The guest's work, until *stop or for some requests. */
static void
work(Fixture *fixture, unsigned requests, const gint *stop)
{
    Slot slots[FLIGHT] = {0};

    for (unsigned i = 0; i < FLIGHT; i++)
        slots[i].data = g_aligned_alloc(64, 4096, 4096);
    for (unsigned i = 0; stop != NULL ? !g_atomic_int_get(stop) : i < requests; i++) {
        wait_slot(fixture, &slots[i % FLIGHT]);
        one_request(fixture, &slots[i % FLIGHT]);
    }
    for (unsigned i = 0; i < FLIGHT; i++) {
        wait_slot(fixture, &slots[i]);
        g_aligned_free(slots[i].data);
    }
}

static void
setup(Fixture *fixture, gconstpointer data)
{
    fixture->kind = data;
    fixture->rand = g_rand_new_with_seed(5);
    fixture->folder = g_dir_make_tmp("vitrine-chain-XXXXXX", NULL);
    fixture->expected = g_malloc0(CAPACITY);
    for (unsigned i = 0; i < LEVELS; i++) {
        g_autofree char *name = g_strdup_printf("%u.image", i);

        fixture->paths[i] = g_build_filename(fixture->folder, name, NULL);
    }
    create_image(fixture, 0, NULL);
    start_machine(fixture, 0);
    work(fixture, 60, NULL);
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
    stop_machine(fixture);
    for (unsigned i = 0; i < LEVELS; i++) {
        g_unlink(fixture->paths[i]);
        g_free(fixture->paths[i]);
    }
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->expected);
    g_rand_free(fixture->rand);
}

static void
push(Fixture *fixture, unsigned level)
{
    PdmMediaSource child = {.source = fixture->paths[level], .writable = true};
    g_autoptr(GError) error = NULL;

    create_image(fixture, level, fixture->paths[level - 1]);
    /* Written to after the child was made: its parent is another one now. */
    work(fixture, 20, NULL);
    fixture->disk->push_image(fixture->disk->user, &child, &error);
    g_assert_no_error(error);
    work(fixture, 20, NULL);
}

/* --- something on another thread while the guest works --- */

typedef struct {
    Fixture *fixture;
    unsigned from, to;
    const char *target;
    GError *error;
    gint done;
} Merge;

static gpointer
merge_main(gpointer data)
{
    Merge *merge = data;
    const PdmMediaConnector *disk = merge->fixture->disk;
    PdmMediaSource target = {.source = merge->target, .writable = true};

    disk->merge_images(disk->user, merge->from, merge->to, merge->target != NULL ? &target : NULL,
                       NULL, NULL, &merge->error);
    g_atomic_int_set(&merge->done, 1);
    return NULL;
}

static void
merge_only(Fixture *fixture, unsigned from, unsigned to, const char *target)
{
    Merge merge = {.fixture = fixture, .from = from, .to = to, .target = target};
    GThread *thread = g_thread_new("merge", merge_main, &merge);

    work(fixture, 0, &merge.done);
    g_thread_join(thread);
    g_assert_no_error(merge.error);
    work(fixture, 40, NULL);
}

static void
settle(Fixture *fixture, bool done)
{
    g_autoptr(GError) error = NULL;

    fixture->disk->settle_merge(fixture->disk->user, done, &error);
    g_assert_no_error(error);
    work(fixture, 40, NULL);
}

static void
merge_live(Fixture *fixture, unsigned from, unsigned to, const char *target)
{
    merge_only(fixture, from, to, target);
    settle(fixture, true);
}

static unsigned
length(const Fixture *fixture)
{
    return fixture->disk->chain_length(fixture->disk->user);
}

/* --- tests --- */

static void
test_push(Fixture *fixture, gconstpointer data)
{
    for (unsigned level = 1; level < 4; level++)
        push(fixture, level);
    g_assert_cmpuint(length(fixture), ==, 4);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){3, 2, 1, 0}, 4);
    start_machine(fixture, 3);
    work(fixture, 40, NULL);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){3, 2, 1, 0}, 4);
}

static void
test_push_refused(Fixture *fixture, gconstpointer data)
{
    PdmMediaSource child = {.source = fixture->paths[2], .writable = true};
    g_autoptr(GError) error = NULL;

    push(fixture, 1);
    create_image(fixture, 2, fixture->paths[0]);
    g_assert_false(fixture->disk->push_image(fixture->disk->user, &child, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_cmpuint(length(fixture), ==, 2);
    work(fixture, 20, NULL);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){1, 0}, 2);
}

static void
test_merge_down(Fixture *fixture, gconstpointer data)
{
    push(fixture, 1);
    push(fixture, 2);
    merge_live(fixture, 0, 1, fixture->paths[1]);
    g_assert_cmpuint(length(fixture), ==, 2);
    merge_live(fixture, 0, 1, fixture->paths[0]);
    g_assert_cmpuint(length(fixture), ==, 1);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){0}, 1);
}

static void
test_merge_between(Fixture *fixture, gconstpointer data)
{
    for (unsigned level = 1; level < 5; level++)
        push(fixture, level);
    /* 4 3 2 1 0: what 3 and 2 have goes into 1. */
    merge_live(fixture, 1, 3, fixture->paths[1]);
    g_assert_cmpuint(length(fixture), ==, 3);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){4, 1, 0}, 3);
}

static void
test_merge_up(Fixture *fixture, gconstpointer data)
{
    push(fixture, 1);
    push(fixture, 2);
    merge_live(fixture, 1, 0, NULL);
    g_assert_cmpuint(length(fixture), ==, 2);
    merge_live(fixture, 1, 0, NULL);
    g_assert_cmpuint(length(fixture), ==, 1);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){2}, 1);
}

/* The newest image and the one that it was merged into hold the same: either way of opening them is
 * right, whenever the machine ends. */
static void
test_merged_down(Fixture *fixture, gconstpointer data)
{
    push(fixture, 1);
    push(fixture, 2);
    merge_only(fixture, 0, 1, fixture->paths[1]);
    g_assert_cmpuint(length(fixture), ==, 3);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){2, 1, 0}, 3);
    assert_files(fixture, (unsigned[]){1, 0}, 2);
}

static void
test_merged_up(Fixture *fixture, gconstpointer data)
{
    push(fixture, 1);
    push(fixture, 2);
    merge_only(fixture, 1, 0, NULL);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){2, 0}, 2);
}

/* The chain stays what it was; and a merge can be begun anew. */
static void
test_merge_taken_back(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    for (unsigned level = 1; level < 4; level++)
        push(fixture, level);
    g_assert_false(fixture->disk->settle_merge(fixture->disk->user, true, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_STATE);
    merge_only(fixture, 0, 1, fixture->paths[2]);
    settle(fixture, false);
    merge_only(fixture, 1, 0, NULL);
    settle(fixture, false);
    merge_only(fixture, 1, 2, fixture->paths[1]);
    settle(fixture, false);
    g_assert_cmpuint(length(fixture), ==, 4);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){3, 2, 1, 0}, 4);
    start_machine(fixture, 3);
    merge_live(fixture, 1, 2, fixture->paths[1]);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){3, 1, 0}, 3);
}

/* While a merge is not settled the chain does not change in another way. */
static void
test_merged_refuses(Fixture *fixture, gconstpointer data)
{
    PdmMediaSource child = {.source = fixture->paths[2], .writable = true};
    g_autoptr(GError) error = NULL;

    push(fixture, 1);
    create_image(fixture, 2, fixture->paths[1]);
    merge_only(fixture, 0, 1, fixture->paths[0]);
    g_assert_false(fixture->disk->push_image(fixture->disk->user, &child, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_STATE);
    g_clear_error(&error);
    g_assert_false(
        fixture->disk->merge_images(fixture->disk->user, 1, 0, NULL, NULL, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_STATE);
    settle(fixture, true);
    g_assert_cmpuint(length(fixture), ==, 1);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){0}, 1);
}

static bool
cancel(void *user, double fraction)
{
    return fraction < 0.4;
}

static void
test_cancelled(Fixture *fixture, gconstpointer data)
{
    PdmMediaSource target = {.source = fixture->paths[0], .writable = true};
    g_autoptr(GError) error = NULL;

    push(fixture, 1);
    g_assert_false(
        fixture->disk->merge_images(fixture->disk->user, 0, 1, &target, cancel, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_CANCELLED);
    g_assert_cmpuint(length(fixture), ==, 2);
    work(fixture, 40, NULL);
    merge_live(fixture, 0, 1, fixture->paths[0]);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){0}, 1);
}

static void
test_replace(Fixture *fixture, gconstpointer data)
{
    g_autofree uint8_t *kept = g_memdup2(fixture->expected, CAPACITY);
    PdmMediaSource sources[] = {
        {.source = fixture->paths[2], .writable = true},
        {.source = fixture->paths[0]},
    };
    g_autoptr(GError) error = NULL;

    /* As restoring does: what was written since is thrown away. */
    create_image(fixture, 1, fixture->paths[0]);
    PdmMediaSource child = {.source = fixture->paths[1], .writable = true};
    g_assert_true(fixture->disk->push_image(fixture->disk->user, &child, NULL));
    work(fixture, 50, NULL);
    memcpy(fixture->expected, kept, CAPACITY);
    create_image(fixture, 2, fixture->paths[0]);
    fixture->disk->replace_chain(fixture->disk->user, sources, 2, &error);
    g_assert_no_error(error);
    work(fixture, 50, NULL);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){2, 0}, 2);
}

static void
test_replace_refused(Fixture *fixture, gconstpointer data)
{
    PdmMediaSource source = {.source = fixture->paths[1], .writable = true};
    g_autoptr(GError) error = NULL;

    create_image(fixture, 1, fixture->paths[0]);
    g_assert_false(fixture->disk->replace_chain(fixture->disk->user, &source, 1, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    work(fixture, 20, NULL);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){0}, 1);
}

static void
test_discard(Fixture *fixture, gconstpointer data)
{
    Slot slot = {.data = g_malloc0(8 << 20)};

    submit(fixture, &slot, PDM_IO_DISCARD, 2 << 20, 8 << 20);
    wait_slot(fixture, &slot);
    submit(fixture, &slot, PDM_IO_READ, 2 << 20, 8 << 20);
    wait_slot(fixture, &slot);
    memcpy(fixture->expected + (2 << 20), slot.data, 8 << 20);
    if (strcmp(fixture->kind->format, "VDI") == 0)
        g_assert_true(slot.data[0] == 0 && memcmp(slot.data, slot.data + 1, (8 << 20) - 1) == 0);
    g_free(slot.data);
    work(fixture, 30, NULL);
    stop_machine(fixture);
    assert_files(fixture, (unsigned[]){0}, 1);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"cancelled", test_cancelled},
        {"discard", test_discard},
        {"merge-between", test_merge_between},
        {"merge-down", test_merge_down},
        {"merge-taken-back", test_merge_taken_back},
        {"merge-up", test_merge_up},
        {"merged-down", test_merged_down},
        {"merged-refuses", test_merged_refuses},
        {"merged-up", test_merged_up},
        {"push", test_push},
        {"push-refused", test_push_refused},
        {"replace", test_replace},
        {"replace-refused", test_replace_refused},
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(tests); j++) {
            g_autofree char *path =
                g_strdup_printf("/disk-chain/%s-%s/%s", kinds[i].format,
                                kinds[i].host_cache ? "cached" : "direct", tests[j].name);

            g_test_add(path, Fixture, &kinds[i], setup, tests[j].run, teardown);
        }
    }
    return g_test_run();
}
