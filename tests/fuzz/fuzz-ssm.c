/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The reader of saved states against files that were made to do harm: units of fields, of variable
 * length, and a small memory in pieces. Checksums would keep every change away from what they
 * guard, so those of the input are put right first, one time in two. */
#include "vmm/base/crc32c.h"
#include "vmm/base/memory.h"
#include "vmm/pgm/pgm.h"
#include "vmm/ssm/ssm-private.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM_SIZE (1u << 20)
#define INPUT_MAX (256u * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    uint8_t small, many[16];
    uint64_t wide;
    int choice;
    uint8_t *buffer;
} Thing;

static const SsmField thing_fields[] = {
    SSM_UINT(Thing, small),     SSM_UINT_ARRAY(Thing, many),    SSM_UINT(Thing, wide),
    SSM_ENUM(Thing, choice, 5), SSM_BUFFER(Thing, buffer, 512), SSM_END,
};

static const SsmState thing_state = {.version = 2, .min_version = 1, .fields = thing_fields};

typedef struct {
    Cpum *cpum;
    Iom *iom;
    Pgm *pgm;
    Ssm *ssm;
    Thing thing;
    uint8_t buffer[512];
} Target;

static void
open_target(Target *target)
{
    const CpumConfig config = {.cpus = 1, .pae = true, .long_mode = true, .apic = true};

    target->cpum = cpum_new(&config, NULL);
    target->iom = iom_new();
    target->pgm = pgm_new(target->cpum, target->iom, NULL);
    pgm_ram_setup(target->pgm, RAM_SIZE, 0, NULL);
    target->ssm = ssm_new();
    target->thing.buffer = target->buffer;
    pgm_ssm_register(target->pgm, target->ssm);
    ssm_register(target->ssm, "thing", 0, &thing_state, &target->thing);
}

static void
close_target(Target *target)
{
    ssm_free(target->ssm);
    pgm_free(target->pgm);
    iom_free(target->iom);
    cpum_free(target->cpum);
}

/* One unit's chunks from `at` on; returns where the next unit may begin. */
static size_t
repair_chunks(uint8_t *data, size_t size, size_t at)
{
    uint32_t unit = 0;

    while (size - at >= SSM_CHUNK_HEADER_SIZE) {
        uint8_t *header = data + at;
        const uint32_t raw = ssm_load32(header), stored = ssm_load32(header + 4);

        at += SSM_CHUNK_HEADER_SIZE;
        if (raw == 0 && !(ssm_load32(header + 8) & SSM_CHUNK_PASS)) {
            ssm_store32(header + 12, base_crc32c(unit, header, 12));
            break;
        }
        if (stored > size - at)
            return size;
        ssm_store32(header + 12, base_crc32c(base_crc32c(0, header, 12), data + at, stored));
        unit = base_crc32c(unit, header, SSM_CHUNK_HEADER_SIZE);
        at += stored;
    }
    return at;
}

static void
repair(uint8_t *data, size_t size)
{
    size_t at = SSM_FILE_HEADER_SIZE;

    if (size < at)
        return;
    ssm_store32(data + 28, base_crc32c(0, data, 28));
    while (size - at >= SSM_UNIT_HEADER_SIZE && ssm_load32(data + at) == SSM_UNIT_MAGIC) {
        ssm_store32(data + at + 60, base_crc32c(0, data + at, 60));
        at = repair_chunks(data, size, at + SSM_UNIT_HEADER_SIZE);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Target target = {0};
    g_autofree uint8_t *copy = NULL;
    g_autoptr(GError) error = NULL;
    int fd;

    if (size < 1 || size > INPUT_MAX)
        return 0;
    copy = g_memdup2(data + 1, size - 1);
    if (data[0] & 1)
        repair(copy, size - 1);
    fd = memfd_create("state", MFD_CLOEXEC);
    if (write(fd, copy, size - 1) == (ssize_t)(size - 1)) {
        lseek(fd, 0, SEEK_SET);
        open_target(&target);
        if (!ssm_load(target.ssm, fd, NULL, &error) && error == NULL)
            g_error("a load failed without a reason");
        close_target(&target);
    }
    close(fd);
    return 0;
}

#ifdef MAKE_SEED
/* Prints a good state, to begin with. */
int
main(void)
{
    static const uint8_t first = 1;
    Target target = {0};
    uint8_t *ram;

    open_target(&target);
    ram = pgm_mem_host(pgm_ram_mem(target.pgm));
    for (unsigned i = 0; i < 3 * 4096; i++)
        ram[i * 40] = (uint8_t)(i >> 6);
    if (write(STDOUT_FILENO, &first, 1) != 1 || !ssm_save(target.ssm, STDOUT_FILENO, NULL, NULL))
        return 1;
    close_target(&target);
    return 0;
}
#endif
