/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * state-speed PAGES FILE: makes a memory with the contents of PAGES, saves it to FILE, loads it
 * into another one and compares. Prints the seconds of both, best of three. For
 * tests/bench/test_state.py. */
#include "vmm/base/clock.h"
#include "vmm/pgm/pgm.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RUNS 3

typedef struct {
    Cpum *cpum;
    Iom *iom;
    Pgm *pgm;
    Ssm *ssm;
} Memory;

static void
memory_open(Memory *memory, uint64_t size)
{
    const CpumConfig config = {.cpus = 1, .pae = true, .long_mode = true, .apic = true};
    g_autoptr(GError) error = NULL;

    memory->cpum = cpum_new(&config, &error);
    memory->iom = iom_new();
    memory->pgm = pgm_new(memory->cpum, memory->iom, &error);
    g_assert_true(pgm_ram_setup(memory->pgm, size, 0, &error));
    memory->ssm = ssm_new();
    pgm_ssm_register(memory->pgm, memory->ssm);
}

static void
memory_close(Memory *memory)
{
    ssm_free(memory->ssm);
    pgm_free(memory->pgm);
    iom_free(memory->iom);
    cpum_free(memory->cpum);
}

static void *
host_of(const Memory *memory)
{
    return pgm_mem_host(pgm_ram_mem(memory->pgm));
}

static double
seconds_since(uint64_t begin)
{
    return (double)(base_clock_ns() - begin) / 1e9;
}

static double
save(const Memory *memory, const char *path)
{
    const uint64_t begin = base_clock_ns();
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    g_autoptr(GError) error = NULL;

    if (fd < 0 || !ssm_save(memory->ssm, fd, NULL, &error))
        g_error("not saved: %s", error != NULL ? error->message : g_strerror(errno));
    close(fd);
    return seconds_since(begin);
}

static double
load(const Memory *memory, const char *path)
{
    const uint64_t begin = base_clock_ns();
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    if (fd < 0 || !ssm_load(memory->ssm, fd, NULL, &error))
        g_error("not loaded: %s", error != NULL ? error->message : g_strerror(errno));
    close(fd);
    return seconds_since(begin);
}

int
main(int argc, char **argv)
{
    g_autofree char *pages = NULL;
    double saved = G_MAXDOUBLE, loaded = G_MAXDOUBLE;
    Memory first, second;
    gsize size;

    if (argc != 3 || !g_file_get_contents(argv[1], &pages, &size, NULL))
        return 1;
    memory_open(&first, size);
    memcpy(host_of(&first), pages, size);
    for (unsigned i = 0; i < RUNS; i++) {
        saved = MIN(saved, save(&first, argv[2]));
        memory_open(&second, size);
        loaded = MIN(loaded, load(&second, argv[2]));
        g_assert_cmpint(memcmp(host_of(&second), pages, size), ==, 0);
        memory_close(&second);
    }
    memory_close(&first);
    printf("save %.4f\nload %.4f\n", saved, loaded);
    return 0;
}
