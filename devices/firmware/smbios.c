/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SMBIOS tables: see the header. Firmware adds table type 0 about itself. */
#include "devices/firmware/smbios.h"

#include <string.h>

#define SMBIOS_UNKNOWN 2
#define GIB (UINT64_C(1) << 30)
/* One memory module stands for at most this much. */
#define SMBIOS_MODULE_MAX (16 * GIB)

typedef struct {
    GByteArray *bytes;
    unsigned tables, largest;
    size_t start;     /* of the table that is being written */
    GString *strings; /* its strings */
    unsigned string_count;
} Smbios;

static void
smbios_put(Smbios *smbios, uint64_t value, unsigned size)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(smbios->bytes, (const uint8_t *)&value, size);
}

static void
smbios_begin(Smbios *smbios, unsigned type, unsigned length, unsigned handle)
{
    smbios->start = smbios->bytes->len;
    smbios->string_count = 0;
    g_string_truncate(smbios->strings, 0);
    smbios_put(smbios, type, 1);
    smbios_put(smbios, length, 1);
    smbios_put(smbios, handle, 2);
}

/* Refers to a string of the present table. */
static void
smbios_put_string(Smbios *smbios, const char *text)
{
    if (!text || !*text) {
        smbios_put(smbios, 0, 1);
        return;
    }
    /* 64 characters are the most that readers of old versions take. */
    g_string_append_len(smbios->strings, text, (gssize)MIN(strlen(text), 64));
    g_string_append_c(smbios->strings, '\0');
    smbios_put(smbios, ++smbios->string_count, 1);
}

static void
smbios_end(Smbios *smbios)
{
    g_byte_array_append(smbios->bytes, (const uint8_t *)smbios->strings->str,
                        (guint)smbios->strings->len);
    smbios_put(smbios, 0, smbios->string_count ? 1 : 2);
    smbios->largest = (unsigned)MAX(smbios->largest, smbios->bytes->len - smbios->start);
    smbios->tables++;
}

static void
smbios_system(Smbios *smbios, const uint8_t *uuid, const CfgmNode *config)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    smbios_begin(smbios, 1, 27, 0x100);
    smbios_put_string(smbios, cfgm_string(config, "SystemManufacturer", SMBIOS_VENDOR));
    smbios_put_string(smbios, cfgm_string(config, "SystemProduct", SMBIOS_PRODUCT));
    smbios_put_string(smbios, cfgm_string(config, "SystemVersion", VITRINE_VERSION));
    smbios_put_string(smbios, cfgm_string(config, "SystemSerial", "0"));
    /* The first three fields of a UUID are little-endian (7.2.1). */
    for (unsigned i = 0; i < 16; i++)
        smbios_put(smbios, uuid[order[i]], 1);
    smbios_put(smbios, 6, 1); /* woken by the power switch */
    smbios_put_string(smbios, NULL);
    smbios_put_string(smbios, "Virtual Machine");
    smbios_end(smbios);
}

static void
smbios_chassis(Smbios *smbios, const CfgmNode *config)
{
    smbios_begin(smbios, 3, 22, 0x300);
    smbios_put_string(smbios, cfgm_string(config, "SystemManufacturer", SMBIOS_VENDOR));
    smbios_put(smbios, 1, 1); /* other */
    smbios_put_string(smbios, NULL);
    smbios_put_string(smbios, NULL);
    smbios_put_string(smbios, NULL);
    smbios_put(smbios, 0x03030303, 4); /* states and security: safe, none */
    smbios_put(smbios, 0, 4);
    smbios_put(smbios, 0, 4); /* height, power cords, contained elements */
    smbios_put_string(smbios, NULL);
    smbios_end(smbios);
}

static void
smbios_processor(Smbios *smbios, unsigned index)
{
    g_autofree char *socket = g_strdup_printf("CPU %u", index);

    smbios_begin(smbios, 4, 42, 0x400 + index);
    smbios_put_string(smbios, socket);
    smbios_put(smbios, 3, 1); /* central processor */
    smbios_put(smbios, SMBIOS_UNKNOWN, 1);
    smbios_put_string(smbios, SMBIOS_VENDOR);
    smbios_put(smbios, 0, 8); /* id: the CPU says it itself */
    smbios_put_string(smbios, NULL);
    smbios_put(smbios, 0, 1);
    smbios_put(smbios, 0, 2);
    smbios_put(smbios, 2000, 2);
    smbios_put(smbios, 2000, 2);
    smbios_put(smbios, 0x41, 1); /* populated, enabled */
    smbios_put(smbios, 1, 1);
    for (unsigned i = 0; i < 3; i++)
        smbios_put(smbios, 0xffff, 2); /* caches are not described */
    smbios_put_string(smbios, NULL);
    smbios_put_string(smbios, NULL);
    smbios_put_string(smbios, NULL);
    smbios_put(smbios, 1, 1); /* cores, enabled cores, threads */
    smbios_put(smbios, 1, 1);
    smbios_put(smbios, 1, 1);
    smbios_put(smbios, 0x04, 2); /* 64-bit capable */
    smbios_put(smbios, SMBIOS_UNKNOWN, 2);
    smbios_end(smbios);
}

static void
smbios_memory_array(Smbios *smbios, uint64_t size, unsigned modules)
{
    smbios_begin(smbios, 16, 23, 0x1000);
    smbios_put(smbios, 1, 1); /* other location */
    smbios_put(smbios, 3, 1); /* system memory */
    smbios_put(smbios, 6, 1); /* multi-bit ECC, as there are no errors */
    smbios_put(smbios, size >> 10 < 0x80000000u ? size >> 10 : 0x80000000u, 4);
    smbios_put(smbios, 0xfffe, 2);
    smbios_put(smbios, modules, 2);
    smbios_put(smbios, size >> 10 < 0x80000000u ? 0 : size, 8);
    smbios_end(smbios);
}

static void
smbios_memory_module(Smbios *smbios, unsigned index, uint64_t size)
{
    g_autofree char *locator = g_strdup_printf("DIMM %u", index);
    uint64_t mib = size >> 20;

    smbios_begin(smbios, 17, 40, 0x1100 + index);
    smbios_put(smbios, 0x1000, 2);
    smbios_put(smbios, 0xfffe, 2);
    smbios_put(smbios, 0xffff, 2);
    smbios_put(smbios, 0xffff, 2);
    smbios_put(smbios, mib < 0x7fff ? mib : 0x7fff, 2);
    smbios_put(smbios, 9, 1); /* DIMM */
    smbios_put(smbios, 0, 1);
    smbios_put_string(smbios, locator);
    smbios_put_string(smbios, NULL);
    smbios_put(smbios, 7, 1); /* RAM */
    smbios_put(smbios, 2, 2); /* other detail */
    smbios_put(smbios, 0, 2);
    smbios_put_string(smbios, SMBIOS_VENDOR);
    smbios_put_string(smbios, NULL);
    smbios_put_string(smbios, NULL);
    smbios_put_string(smbios, NULL);
    smbios_put(smbios, 0, 1);
    smbios_put(smbios, mib < 0x7fff ? 0 : mib, 4);
    smbios_put(smbios, 0, 8); /* configured speed and voltages are not known */
    smbios_end(smbios);
}

/* start and size in bytes, whole KiB. */
static void
smbios_mapped_memory(Smbios *smbios, unsigned index, uint64_t start, uint64_t size)
{
    uint64_t first = start >> 10, last = ((start + size) >> 10) - 1;
    bool fits = last < UINT32_MAX;

    smbios_begin(smbios, 19, 31, 0x1300 + index);
    smbios_put(smbios, fits ? first : UINT32_MAX, 4);
    smbios_put(smbios, fits ? last : UINT32_MAX, 4);
    smbios_put(smbios, 0x1000, 2);
    smbios_put(smbios, 1, 1);
    smbios_put(smbios, fits ? 0 : start, 8);
    smbios_put(smbios, fits ? 0 : start + size - 1, 8);
    smbios_end(smbios);
}

static void
smbios_memory(Smbios *smbios, uint64_t below, uint64_t above)
{
    uint64_t rest = below + above;
    unsigned modules = (unsigned)((rest + SMBIOS_MODULE_MAX - 1) / SMBIOS_MODULE_MAX);

    smbios_memory_array(smbios, rest, modules);
    for (unsigned i = 0; i < modules; i++) {
        uint64_t size = MIN(rest, SMBIOS_MODULE_MAX);

        smbios_memory_module(smbios, i, size);
        rest -= size;
    }
    smbios_mapped_memory(smbios, 0, 0, below);
    if (above)
        smbios_mapped_memory(smbios, 1, 4 * GIB, above);
}

static void
smbios_last(Smbios *smbios)
{
    smbios_begin(smbios, 32, 11, 0x2000);
    smbios_put(smbios, 0, 6);
    smbios_put(smbios, 0, 1); /* no errors were found at boot */
    smbios_end(smbios);
    smbios_begin(smbios, 127, 4, 0x7f00);
    smbios_end(smbios);
}

/* The 2.1 entry point; firmware fills in address and checksums. */
static void
smbios_offer_anchor(PdmDevice *device, const Smbios *smbios)
{
    uint8_t anchor[31] = "_SM_";

    anchor[5] = sizeof(anchor);
    anchor[6] = 2;
    anchor[7] = 8;
    anchor[8] = (uint8_t)smbios->largest;
    anchor[9] = (uint8_t)(smbios->largest >> 8);
    memcpy(anchor + 16, "_DMI_", 5);
    anchor[22] = (uint8_t)smbios->bytes->len;
    anchor[23] = (uint8_t)(smbios->bytes->len >> 8);
    anchor[28] = (uint8_t)smbios->tables;
    anchor[29] = (uint8_t)(smbios->tables >> 8);
    anchor[30] = 0x28;
    pdm_fwcfg_add(device, "etc/smbios/smbios-anchor", anchor, sizeof(anchor));
}

void
smbios_offer(PdmDevice *device, const uint8_t *uuid, const CfgmNode *config)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GString) strings = g_string_new(NULL);
    Smbios smbios = {.bytes = bytes, .strings = strings};

    smbios_system(&smbios, uuid, config);
    smbios_chassis(&smbios, config);
    for (unsigned i = 0; i < pdm_cpu_count(device); i++)
        smbios_processor(&smbios, i);
    smbios_memory(&smbios, pdm_ram_size(device, false), pdm_ram_size(device, true));
    smbios_last(&smbios);
    pdm_fwcfg_add(device, "etc/smbios/smbios-tables", bytes->data, bytes->len);
    smbios_offer_anchor(device, &smbios);
}
