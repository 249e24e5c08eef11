/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loads the example device from its shared object and uses it as a guest would; refuses modules
 * that do not fit. Arguments: the module, one of another version. */
#include "devices/devices.h"
#include "tests/lib/device-bench.h"

#include <string.h>

typedef struct {
    const char *module, *other_version;
} Paths;

static PdmRegistry *
load_registry(const char *path)
{
    PdmRegistry *registry = pdm_registry_new();
    g_autoptr(GError) error = NULL;

    pdm_registry_load_module(registry, path, &error);
    g_assert_no_error(error);
    return registry;
}

static void
test_use(gconstpointer data)
{
    PdmRegistry *registry = load_registry(((const Paths *)data)->module);
    CfgmNode *config = cfgm_new();
    g_autoptr(GError) error = NULL;
    DeviceBench *bench;

    cfgm_set_uint(device_bench_add(config, "example", 0), "Id", 0x55);
    bench = device_bench_try(config, registry, &error);
    g_assert_no_error(error);
    device_bench_pci_write(bench, 3, 0, 0x10, 0xc000, 4);
    device_bench_pci_write(bench, 3, 0, 0x04, 1, 2);
    g_assert_cmphex(device_bench_in32(bench, 0xc000), ==, 0x55);
    device_bench_out32(bench, 0xc004, 1000);
    device_bench_advance(bench, 3500);
    g_assert_cmpuint(device_bench_in32(bench, 0xc008), ==, 3);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 0, 6, 1) & 8, ==, 8);
    device_bench_out32(bench, 0xc008, 0);
    g_assert_cmphex(device_bench_pci_read(bench, 3, 0, 6, 1) & 8, ==, 0);
    device_bench_out32(bench, 0xc00c, 0x2000);
    g_assert_cmphex(device_bench_read(bench, 0x2008, 8), ==, 0x0303030303030303);
    device_bench_out32(bench, 0xc000, 1);
    g_assert_true(device_bench_logged(bench, "there is no register 0"));
    device_bench_free(bench);
    pdm_registry_free(registry);
}

static void
test_state(gconstpointer data)
{
    PdmRegistry *registry = load_registry(((const Paths *)data)->module);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = NULL;
    DeviceBench *benches[2];

    for (unsigned i = 0; i < 2; i++) {
        CfgmNode *config = cfgm_new();

        device_bench_add(config, "example", 0);
        benches[i] = device_bench_try(config, registry, &error);
        g_assert_no_error(error);
    }
    device_bench_pci_write(benches[0], 3, 0, 0x10, 0xc000, 4);
    device_bench_pci_write(benches[0], 3, 0, 0x04, 1, 2);
    device_bench_out32(benches[0], 0xc004, 1000);
    device_bench_advance(benches[0], 1500);
    state = device_bench_save(benches[0], &error);
    g_assert_no_error(error);
    device_bench_load(benches[1], state, &error);
    g_assert_no_error(error);
    device_bench_advance(benches[1], 2000); /* its timer goes on */
    g_assert_cmpuint(device_bench_in32(benches[1], 0xc008), ==, 3);
    device_bench_free(benches[0]);
    device_bench_free(benches[1]);
    pdm_registry_free(registry);
}

static void
test_own_error(gconstpointer data)
{
    PdmRegistry *registry = load_registry(((const Paths *)data)->module);
    CfgmNode *config = cfgm_new();
    g_autoptr(GError) error = NULL;

    cfgm_set_uint(device_bench_add(config, "example", 0), "Id", 0);
    g_assert_null(device_bench_try(config, registry, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "must not be 0"));
    pdm_registry_free(registry);
}

static void
on_problem(void *user, const char *message)
{
    g_string_append_printf(user, "%s\n", message);
}

/* A folder of modules: those that fit are there afterwards, the others are named. */
static void
test_folder(gconstpointer data)
{
    g_autofree char *folder = g_path_get_dirname(((const Paths *)data)->module);
    g_autoptr(GString) problems = g_string_new(NULL);
    PdmRegistry *registry = pdm_registry_new();

    devices_load_modules(registry, folder, on_problem, problems);
    g_assert_nonnull(pdm_registry_find_device(registry, "example"));
    g_assert_nonnull(strstr(problems->str, "example-other-version"));
    g_string_truncate(problems, 0);
    devices_load_modules(registry, "/nonexistent", on_problem, problems);
    g_assert_cmpstr(problems->str, ==, "");
    pdm_registry_free(registry);
}

static void
test_refused(gconstpointer data)
{
    const Paths *paths = data;
    PdmRegistry *registry = load_registry(paths->module);
    g_autoptr(GError) error = NULL;
    size_t before, after;

    pdm_registry_devices(registry, &before);
    g_assert_false(pdm_registry_load_module(registry, paths->module, &error)); /* twice */
    g_assert_error(error, BASE_ERROR, BASE_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_false(pdm_registry_load_module(registry, paths->other_version, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_VERSION);
    g_clear_error(&error);
    g_assert_false(pdm_registry_load_module(registry, "/dev/null", &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);
    /* A shared object, but not one of ours. */
    g_assert_false(pdm_registry_load_module(registry, "/lib/x86_64-linux-gnu/libm.so.6", &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND);
    pdm_registry_devices(registry, &after);
    g_assert_cmpuint(after, ==, before);
    pdm_registry_free(registry);
}

int
main(int argc, char **argv)
{
    Paths paths;

    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, ==, 3);
    paths = (Paths){argv[1], argv[2]};
    g_test_add_data_func("/module/use", &paths, test_use);
    g_test_add_data_func("/module/state", &paths, test_state);
    g_test_add_data_func("/module/own-error", &paths, test_own_error);
    g_test_add_data_func("/module/folder", &paths, test_folder);
    g_test_add_data_func("/module/refused", &paths, test_refused);
    return g_test_run();
}
