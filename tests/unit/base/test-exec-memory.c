/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Executable memory: what is written at one address executes at the other, and no address is both
 * writable and executable. */
#include "vmm/base/error.h"
#include "vmm/base/exec-memory.h"

#include <string.h>

#define SIZE ((size_t)1 << 20)

static void
test_runs(void)
{
    static const uint8_t return_42[] = {0xb8, 42, 0, 0, 0, 0xc3};
    g_autoptr(GError) error = NULL;
    BaseExecMemory memory;

    g_assert_true(base_exec_memory_new(&memory, SIZE, &error));
    g_assert_no_error(error);
    memcpy(memory.write + 4096, return_42, sizeof return_42);
    for (int i = 1; i < 4; i++) {
        const uint8_t *code = base_exec_memory_exec(&memory, memory.write + 4096);

        memory.write[4097] = (uint8_t)i;
        g_assert_cmpint(((int (*)(void))(uintptr_t)code)(), ==, i);
    }
    base_exec_memory_discard(&memory, 4096, 4096);
    g_assert_cmpint(memory.exec[4096], ==, 0);
    base_exec_memory_free(&memory);
    base_exec_memory_free(&memory);
}

/* The rights of the mapping that an address is in: "rwxp" of /proc/self/maps. */
static bool
has_rights(const void *address, const char *rights)
{
    g_autofree char *maps = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    lines = g_strsplit(maps, "\n", 0);
    for (unsigned i = 0; lines[i] != NULL && lines[i][0] != '\0'; i++) {
        char *end;
        const uint64_t first = g_ascii_strtoull(lines[i], &end, 16);
        const uint64_t last = g_ascii_strtoull(end + 1, &end, 16);

        if ((uintptr_t)address >= first && (uintptr_t)address < last)
            return strncmp(end + 1, rights, strlen(rights)) == 0;
    }
    return false;
}

static void
test_never_both(void)
{
    BaseExecMemory memory;

    g_assert_true(base_exec_memory_new(&memory, SIZE, NULL));
    g_assert_cmpuint(memory.size, ==, SIZE);
    g_assert_true(has_rights(memory.write, "rw-"));
    g_assert_true(has_rights(memory.exec, "r-x"));
    base_exec_memory_free(&memory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-memory/runs", test_runs);
    g_test_add_func("/exec-memory/never-both", test_never_both);
    return g_test_run();
}
