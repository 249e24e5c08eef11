/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Devices and drivers: construction and its failures, drivers and their hosts, queues, DMA
 * channels, firmware files, commands, what is logged. */
#include "tests/unit/pdm/probe.h"

#include <string.h>

#define PUSHES 5000u
#define PUSHERS 4u

static DeviceBench *
try_config(CfgmNode *config, GError **error)
{
    PdmRegistry *registry = probe_registry();
    DeviceBench *bench = device_bench_try(config, registry, error);

    if (bench != NULL)
        bench->owns_registry = true;
    else
        pdm_registry_free(registry);
    return bench;
}

static void
expect_failure(CfgmNode *config, BaseError code, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(try_config(config, &error));
    g_assert_error(error, BASE_ERROR, (int)code);
    if (strstr(error->message, text) == NULL)
        g_error("\"%s\" is not in \"%s\"", text, error->message);
}

static void
test_construction_failures(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "nothing", 0);
    expect_failure(config, BASE_ERROR_NOT_FOUND, "nothing");
    config = cfgm_new();
    device_bench_add(config, "probe", 4);
    expect_failure(config, BASE_ERROR_INVALID, "probe");
    config = cfgm_new();
    cfgm_make(config, "Devices/probe/first/Config");
    expect_failure(config, BASE_ERROR_INVALID, "first");
    config = cfgm_new();
    device_bench_add(config, "probe", 0);
    cfgm_set_uint(device_bench_add(config, "probe", 1), "Fail", 1);
    expect_failure(config, BASE_ERROR_FAILED, "probe/1");
}

static void
test_driver_failures(void)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *node = device_bench_add(config, "probe", 0);

    cfgm_set_uint(node, "Interface", PDM_IF_CHAR);
    cfgm_set_uint(node, "Required", 1);
    expect_failure(config, BASE_ERROR_INVALID, "needs a driver");
    config = cfgm_new();
    cfgm_set_uint(device_bench_add(config, "probe", 0), "Interface", PDM_IF_CHAR);
    device_bench_add_driver(config, "probe", 0, 0, "nobody");
    expect_failure(config, BASE_ERROR_NOT_FOUND, "nobody");
    config = cfgm_new();
    cfgm_set_uint(device_bench_add(config, "probe", 0), "Interface", PDM_IF_CHAR);
    device_bench_add_driver(config, "probe", 0, 0, "bench-media");
    expect_failure(config, BASE_ERROR_INVALID, "does not fit");
}

static void
test_drivers(void)
{
    CfgmNode *config = cfgm_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(DeviceBench) bench = NULL;
    Probe *with, *without;

    for (unsigned i = 0; i < 2; i++)
        cfgm_set_uint(device_bench_add(config, "probe", i), "Interface", PDM_IF_CHAR);
    device_bench_add_driver(config, "probe", 0, 0, "bench-char");
    bench = try_config(config, &error);
    g_assert_no_error(error);
    with = probe_get(bench, 0);
    without = probe_get(bench, 1);
    g_assert_nonnull(with->connector);
    g_assert_null(without->connector);
    /* The embedder finds the port in both cases, the connector only where there is one. */
    g_assert_true(pdm_lun_port(bench->pdm, "probe", 1, 0, PDM_IF_CHAR) == without);
    g_assert_null(pdm_lun_connector(bench->pdm, "probe", 1, 0, PDM_IF_CHAR));
    g_assert_true(pdm_lun_connector(bench->pdm, "probe", 0, 0, PDM_IF_CHAR) == with->connector);
    g_assert_null(pdm_lun_connector(bench->pdm, "probe", 0, 0, PDM_IF_MEDIA));
    g_assert_null(pdm_lun_port(bench->pdm, "probe", 0, 1, PDM_IF_CHAR));
    g_assert_null(pdm_lun_port(bench->pdm, "probe", 3, 0, PDM_IF_CHAR));
    g_assert_cmpuint(with->power_ons, ==, 1);
    g_assert_cmpuint(with->resets, ==, 1);
}

typedef struct {
    PdmDevice *device;
    PdmQueue *queue;
    unsigned first;
    unsigned next[PUSHERS]; /* expected per pusher */
    unsigned total;
    bool ordered;
} QueueTest;

static void
queue_run(void *user, void *item)
{
    QueueTest *test = user;
    const unsigned value = GPOINTER_TO_UINT(item);
    const unsigned pusher = value / PUSHES;

    test->ordered = test->ordered && test->next[pusher] == value % PUSHES;
    test->next[pusher]++;
    test->total++;
}

static void *
pusher_main(void *data)
{
    QueueTest *test = data;
    const unsigned pusher = (unsigned)g_atomic_int_add((gint *)&test->first, 1);

    for (unsigned i = 0; i < PUSHES; i++)
        pdm_queue_push(test->device->api, test->queue, GUINT_TO_POINTER(pusher * PUSHES + i));
    return NULL;
}

static void
test_queues(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, NULL);
    QueueTest test = {.device = probe_get(bench, 0)->device, .ordered = true};
    GThread *threads[PUSHERS];

    test.queue = pdm_queue_new(test.device, queue_run, &test);
    for (unsigned i = 0; i < PUSHERS; i++)
        threads[i] = g_thread_new("pusher", pusher_main, &test);
    while (test.total < PUSHERS * PUSHES)
        pdm_run_queues(bench->pdm);
    for (unsigned i = 0; i < PUSHERS; i++)
        g_thread_join(threads[i]);
    g_assert_true(test.ordered);
    g_assert_false(pdm_queues_pending(bench->pdm));
    /* What nobody runs any more is dropped with the machine. */
    pdm_queue_push(test.device->api, test.queue, NULL);
    g_assert_true((cpum_pending(cpum_vcpu(bench->rooms.cpum, 0)) & CPUM_PEND_QUEUE) != 0);
}

static void
on_dreq(void *user, unsigned channel, bool level)
{
    ((Probe *)user)->dreq[channel] = level;
}

static uint32_t
on_read_memory(void *user, unsigned channel, void *data, uint32_t offset, uint32_t size)
{
    memset(data, (int)(channel + offset), size);
    return size;
}

static uint32_t
on_transfer(void *user, unsigned channel, uint32_t position, uint32_t size)
{
    Probe *probe = user;
    uint8_t data[4];

    g_assert_cmpuint(pdm_dma_read(probe->device, channel, data, position, 4), ==, 4);
    g_assert_cmphex(data[3], ==, channel + position);
    return position + 4;
}

static void
test_dma(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(2, NULL);
    Probe *controller = probe_get(bench, 0), *owner = probe_get(bench, 1);
    const PdmDmaController ops = {controller, on_dreq, on_read_memory, NULL};
    uint8_t data[4];

    g_assert_cmpuint(pdm_dma_read(owner->device, 2, data, 0, 4), ==, 0); /* no controller */
    pdm_offer_dma(controller->device, &ops);
    pdm_dma_register(owner->device, 2, on_transfer, owner);
    pdm_dma_dreq(owner->device, 2, true);
    g_assert_true(controller->dreq[2]);
    g_assert_cmpuint(pdm_dma_run_channel(controller->device, 2, 8, 16), ==, 12);
    g_assert_cmpuint(pdm_dma_run_channel(controller->device, 3, 8, 16), ==, 8); /* nobody */
    g_assert_cmpuint(pdm_dma_write(owner->device, 2, data, 0, 4), ==, 0);
}

static void
on_select(void *user)
{
    ((Probe *)user)->saved++;
}

static void
test_firmware_files(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(1, NULL);
    Probe *probe = probe_get(bench, 0);
    char table[8] = "dynamic";
    const char *name;
    size_t size;
    PdmFwcfgSelect select;
    void *user;

    pdm_fwcfg_add(probe->device, "etc/a", "first", 5);
    pdm_fwcfg_add_hook(probe->device, "etc/b", table, sizeof(table), on_select, probe);
    pdm_fwcfg_add(probe->device, "etc/a", "second", 6); /* takes the place of the first */
    pdm_fwcfg_add(probe->device, "etc/empty", NULL, 0);
    g_assert_true(pdm_fwcfg_find(probe->device, 0, &name, &size, &select, &user) == table);
    g_assert_cmpstr(name, ==, "etc/b");
    select(user);
    g_assert_cmpuint(probe->saved, ==, 1);
    g_assert_cmpmem(pdm_fwcfg_find(probe->device, 1, &name, &size, &select, &user), 6, "second", 6);
    g_assert_nonnull(pdm_fwcfg_find(probe->device, 2, &name, &size, &select, &user));
    g_assert_cmpuint(size, ==, 0);
    g_assert_null(pdm_fwcfg_find(probe->device, 3, &name, &size, &select, &user));
    g_assert_cmpint(pdm_cmos_get(probe->device, 0x5b), ==, -1);
    pdm_cmos_set(probe->device, 0x5b, 2);
    pdm_cmos_set(probe->device, 0x5b, 0xff);
    g_assert_cmpint(pdm_cmos_get(probe->device, 0x5b), ==, 0xff);
}

static bool
on_command(void *user, const char *argument)
{
    ((Probe *)user)->saved++;
    return argument == NULL || strcmp(argument, "refuse") != 0;
}

static void
test_commands(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(2, NULL);
    Probe *probe = probe_get(bench, 1);

    pdm_offer_command(probe->device, "press", on_command, probe);
    g_assert_true(pdm_command(bench->pdm, "probe", 1, "press", NULL));
    g_assert_false(pdm_command(bench->pdm, "probe", 1, "press", "refuse"));
    g_assert_false(pdm_command(bench->pdm, "probe", 0, "press", NULL));
    g_assert_false(pdm_command(bench->pdm, "probe", 1, "pull", NULL));
    g_assert_cmpuint(probe->saved, ==, 2);
}

static unsigned
count_lines(DeviceBench *bench, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(bench->log->str, text, -1);

    return g_strv_length(parts) - 1;
}

static void
test_log(void)
{
    g_autoptr(DeviceBench) bench = probe_bench(2, NULL);
    PdmDevice *device = probe_get(bench, 0)->device;

    for (unsigned i = 0; i < 1000; i++)
        pdm_guest_error(device, "bad-command", "command %u", i);
    pdm_guest_error(device, "bad-index", "index");
    pdm_guest_error(probe_get(bench, 1)->device, "bad-command", "command of the other");
    g_assert_cmpuint(count_lines(bench, "bad-command"), ==, 2);
    g_assert_cmpuint(count_lines(bench, "bad-index"), ==, 1);
    g_assert_true(device_bench_logged(bench, "probe/0: guest: command 0"));
    for (unsigned i = 0; i < 10000; i++)
        pdm_log(device, "chatter %u", i);
    g_assert_cmpuint(count_lines(bench, "chatter"), <, 200);
    pdm_log(probe_get(bench, 1)->device, "the other may still speak");
    g_assert_true(device_bench_logged(bench, "the other may still speak"));
    pdm_runtime_message(device, PDM_RUNTIME_WARNING, "probe-warning", "look here");
    g_assert_cmpuint(bench->messages->len, ==, 1);
    g_assert_cmpstr(bench->messages->pdata[0], ==, "probe-warning: look here");
    for (unsigned i = 0; i < 1000; i++)
        pdm_runtime_message(device, PDM_RUNTIME_WARNING, "probe-warning", "again");
    g_assert_cmpuint(bench->messages->len, <, 50);
    pdm_runtime_message(device, PDM_RUNTIME_FATAL, "probe-broken", "the end"); /* never lost */
    g_assert_cmpstr(bench->messages->pdata[bench->messages->len - 1], ==, "probe-broken: the end");
}

static void
test_other_machine(void)
{
    g_autoptr(DeviceBench) one = probe_bench(1, NULL), two = probe_bench(2, NULL);
    g_autoptr(GBytes) of_one = device_bench_save(one, NULL), of_two = device_bench_save(two, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(device_bench_load(two, of_one, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "probe/1 in the place of nothing"));
    g_clear_error(&error);
    g_assert_false(device_bench_load(one, of_two, &error));
    g_assert_nonnull(strstr(error->message, "nothing in the place of probe/1"));
}

static bool
never(PdmDevice *device, const CfgmNode *config, GError **error)
{
    return false;
}

static void
test_registry(void)
{
    PdmRegistry *registry = probe_registry();
    PdmDeviceInfo info = *pdm_registry_find_device(registry, "probe");
    g_autoptr(GError) error = NULL;

    g_assert_false(pdm_registry_add_device(registry, &info, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_EXISTS);
    g_clear_error(&error);
    info.name = "../etc";
    g_assert_false(pdm_registry_add_device(registry, &info, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);
    info.name = "newer";
    info.abi = PDM_ABI_VERSION + 1;
    g_assert_false(pdm_registry_add_device(registry, &info, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_VERSION);
    g_clear_error(&error);
    info.abi = PDM_ABI_VERSION;
    info.construct = never;
    info.state = NULL;
    g_assert_false(pdm_registry_add_device(registry, &info, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    pdm_registry_free(registry);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pdm/device/construction-failures", test_construction_failures);
    g_test_add_func("/pdm/device/driver-failures", test_driver_failures);
    g_test_add_func("/pdm/device/drivers", test_drivers);
    g_test_add_func("/pdm/device/queues", test_queues);
    g_test_add_func("/pdm/device/dma", test_dma);
    g_test_add_func("/pdm/device/firmware-files", test_firmware_files);
    g_test_add_func("/pdm/device/commands", test_commands);
    g_test_add_func("/pdm/device/log", test_log);
    g_test_add_func("/pdm/device/other-machine", test_other_machine);
    g_test_add_func("/pdm/device/registry", test_registry);
    return g_test_run();
}
