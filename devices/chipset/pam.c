/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Programmable attribute map: see the header. Of SMRAM only the open state is here, in which
 * everybody sees it: there is no system management mode. */
#include "devices/chipset/pam.h"

#define PAM_BASE 0xc0000
#define PAM_SEGMENT_SIZE 0x4000
#define PAM_BIOS_BASE 0xf0000
#define PAM_BIOS_SIZE 0x10000
#define SMRAM_BASE 0xa0000
#define SMRAM_SIZE 0x20000
#define SMRAM_OPEN 0x48 /* D_OPEN and G_SMRAME */

/* The part of the bus that no card answers. */
static uint64_t
pam_bus_read(void *user, uint64_t offset, unsigned size)
{
    return UINT64_MAX;
}

static void
pam_bus_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
}

static const IomMmioOps pam_bus_ops = {.read = pam_bus_read, .write = pam_bus_write};

static PgmRegion *
pam_map_ram(PdmDevice *device, uint64_t gpa, uint64_t size)
{
    PgmRegion *region = pdm_guest_ram(device, gpa, size, PAM_PRIORITY_RAM);

    pdm_region_set_access(device, region, PGM_ACCESS_NONE);
    pdm_region_map(device, region, gpa);
    return region;
}

bool
pam_construct(Pam *pam, PdmDevice *device, GError **error)
{
    if (pdm_ram_size(device, false) < 0x100000) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "A PC needs at least 1 MiB of memory.");
        return false;
    }
    pam->device = device;
    pam->bus = pdm_mmio_new(device, "bios-bus", 0x40000, &pam_bus_ops, pam);
    pdm_region_map(device, pam->bus, PAM_BASE);
    pam->segment[0] = pam_map_ram(device, PAM_BIOS_BASE, PAM_BIOS_SIZE);
    for (unsigned i = 1; i < PAM_SEGMENTS; i++)
        pam->segment[i] =
            pam_map_ram(device, PAM_BASE + (i - 1) * PAM_SEGMENT_SIZE, PAM_SEGMENT_SIZE);
    pam->smram = pam_map_ram(device, SMRAM_BASE, SMRAM_SIZE);
    return true;
}

static PgmAccess
pam_access(uint8_t attributes)
{
    static const PgmAccess access[4] = {PGM_ACCESS_NONE, PGM_ACCESS_READ_ONLY,
                                        PGM_ACCESS_WRITE_ONLY, PGM_ACCESS_NORMAL};

    return access[attributes & 3];
}

void
pam_apply(Pam *pam, const uint8_t *registers, uint8_t smram)
{
    bool open = (smram & SMRAM_OPEN) == SMRAM_OPEN;

    /* PAM0's high nibble is the 64 KiB at 0xF0000; from PAM1 on each nibble is 16 KiB. */
    pdm_region_set_access(pam->device, pam->segment[0], pam_access(registers[0] >> 4));
    for (unsigned i = 1; i < PAM_SEGMENTS; i++) {
        uint8_t reg = registers[(i + 1) / 2];

        pdm_region_set_access(pam->device, pam->segment[i], pam_access(i & 1 ? reg : reg >> 4));
    }
    pdm_region_set_access(pam->device, pam->smram, open ? PGM_ACCESS_NORMAL : PGM_ACCESS_NONE);
}
