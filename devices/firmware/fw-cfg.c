/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The firmware configuration device: a selector and a data port, a DMA interface, a directory of
 * the files that devices offer through PDM, and the numbered items that firmware reads. The
 * interface is specified in QEMU's documentation, "QEMU Firmware Configuration (fw_cfg) Device";
 * the items are those that SeaBIOS and OVMF ask for.
 *
 * Left out: writing to files, which no firmware of ours needs (a DMA write fails). */
#include "devices/firmware/boot-order.h"
#include "devices/firmware/smbios.h"
#include "vmm/pdm/pdm.h"

#define FWCFG_PORT 0x510
#define FWCFG_DMA_PORT 0x514

enum {
    FWCFG_SIGNATURE = 0x00,
    FWCFG_ID = 0x01,
    FWCFG_UUID = 0x02,
    FWCFG_RAM_SIZE = 0x03,
    FWCFG_CPUS = 0x05,
    FWCFG_NUMA = 0x0d,
    FWCFG_BOOT_MENU = 0x0e,
    FWCFG_MAX_CPUS = 0x0f,
    FWCFG_DIRECTORY = 0x19,
    FWCFG_FIRST_FILE = 0x20,
    FWCFG_IRQ0_OVERRIDE = 0x8002,
};

#define FWCFG_DIRECTORY_ENTRY 64
#define FWCFG_NAME_SIZE 56
#define FWCFG_MAX_FILES 0x1000
#define SCAN_CODE_F12 0x86 /* of the extended keyboard services */

#define DMA_ERROR 0x01
#define DMA_READ 0x02
#define DMA_SKIP 0x04
#define DMA_SELECT 0x08
#define DMA_WRITE 0x10
/* A request longer than this is refused: no file comes near it. */
#define DMA_MAX (64u << 20)

typedef struct {
    PdmDevice *device;
    IomPorts *ports, *dma_ports;
    uint8_t uuid[16];
    uint16_t boot_menu;
    GByteArray *directory; /* built when it is selected */
    uint64_t small;        /* a numbered item */
    const uint8_t *data;   /* the selected item; NULL: there is none */
    uint32_t size, offset;
    uint16_t key;
    uint64_t dma_address;
} FwCfg;

/* fw_cfg's directory and DMA are big-endian, its numbers little-endian. */
static void
fwcfg_append_be(GByteArray *array, uint32_t value, unsigned size)
{
    for (unsigned i = size; i-- > 0;) {
        uint8_t byte = (uint8_t)(value >> i * 8);

        g_byte_array_append(array, &byte, 1);
    }
}

static unsigned
fwcfg_count(FwCfg *fwcfg)
{
    const char *name;
    size_t size;
    PdmFwcfgSelect select;
    void *user;
    unsigned count = 0;

    while (count < FWCFG_MAX_FILES &&
           pdm_fwcfg_find(fwcfg->device, count, &name, &size, &select, &user))
        count++;
    return count;
}

static void
fwcfg_build_directory(FwCfg *fwcfg)
{
    unsigned count = fwcfg_count(fwcfg);

    g_byte_array_set_size(fwcfg->directory, 0);
    fwcfg_append_be(fwcfg->directory, count, 4);
    for (unsigned i = 0; i < count; i++) {
        char padded[FWCFG_NAME_SIZE] = {0};
        const char *name;
        size_t size;
        PdmFwcfgSelect select;
        void *user;

        pdm_fwcfg_find(fwcfg->device, i, &name, &size, &select, &user);
        g_strlcpy(padded, name, sizeof(padded));
        fwcfg_append_be(fwcfg->directory, (uint32_t)size, 4);
        fwcfg_append_be(fwcfg->directory, FWCFG_FIRST_FILE + i, 2);
        fwcfg_append_be(fwcfg->directory, 0, 2);
        g_byte_array_append(fwcfg->directory, (const uint8_t *)padded, sizeof(padded));
    }
    fwcfg->data = fwcfg->directory->data;
    fwcfg->size = fwcfg->directory->len;
}

static void
fwcfg_select_number(FwCfg *fwcfg, uint64_t value, uint32_t size)
{
    fwcfg->small = GUINT64_TO_LE(value);
    fwcfg->data = (const uint8_t *)&fwcfg->small;
    fwcfg->size = size;
}

static void
fwcfg_select_file(FwCfg *fwcfg, unsigned index, bool notify)
{
    const char *name;
    size_t size;
    PdmFwcfgSelect select;
    void *user;
    const void *data = pdm_fwcfg_find(fwcfg->device, index, &name, &size, &select, &user);

    if (!data)
        return;
    if (select && notify)
        select(user);
    fwcfg->data = data;
    fwcfg->size = (uint32_t)MIN(size, UINT32_MAX);
}

/* Points data at an item. notify: its owner may fill it in first. */
static void
fwcfg_look_up(FwCfg *fwcfg, bool notify)
{
    PdmDevice *device = fwcfg->device;

    fwcfg->data = NULL;
    fwcfg->size = 0;
    switch (fwcfg->key) {
    case FWCFG_SIGNATURE:
        fwcfg->data = (const uint8_t *)"QEMU";
        fwcfg->size = 4;
        break;
    case FWCFG_ID: fwcfg_select_number(fwcfg, 3, 4); break; /* data port and DMA */
    case FWCFG_UUID:
        fwcfg->data = fwcfg->uuid;
        fwcfg->size = sizeof(fwcfg->uuid);
        break;
    case FWCFG_RAM_SIZE:
        fwcfg_select_number(fwcfg, pdm_ram_size(device, false) + pdm_ram_size(device, true), 8);
        break;
    case FWCFG_CPUS:
    case FWCFG_MAX_CPUS: fwcfg_select_number(fwcfg, pdm_cpu_count(device), 2); break;
    case FWCFG_NUMA: fwcfg_select_number(fwcfg, 0, 8); break;
    case FWCFG_BOOT_MENU: fwcfg_select_number(fwcfg, fwcfg->boot_menu, 2); break;
    case FWCFG_IRQ0_OVERRIDE: fwcfg_select_number(fwcfg, 1, 4); break;
    case FWCFG_DIRECTORY: fwcfg_build_directory(fwcfg); break;
    default:
        if (fwcfg->key >= FWCFG_FIRST_FILE)
            fwcfg_select_file(fwcfg, fwcfg->key - FWCFG_FIRST_FILE, notify);
        break;
    }
}

static void
fwcfg_select(FwCfg *fwcfg, uint16_t key)
{
    fwcfg->key = key & (uint16_t)~0x4000; /* the bit of the write channel */
    fwcfg->offset = 0;
    fwcfg_look_up(fwcfg, true);
}

static uint32_t
fwcfg_read(void *user, uint32_t offset, unsigned size)
{
    FwCfg *fwcfg = user;

    if (offset == 0)
        return 0xff;
    return fwcfg->offset < fwcfg->size ? fwcfg->data[fwcfg->offset++] : 0;
}

static uint32_t
fwcfg_read_string(void *user, uint32_t offset, void *data, uint32_t count, unsigned size)
{
    uint8_t *bytes = data;

    for (uint32_t i = 0; i < count * size; i++)
        bytes[i] = (uint8_t)fwcfg_read(user, offset, 1);
    return count;
}

static void
fwcfg_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    if (offset == 0 && size == 2)
        fwcfg_select(user, (uint16_t)value);
}

/* Reads or skips; what lies beyond the item's end reads as zeros. */
static void
fwcfg_dma_read(FwCfg *fwcfg, uint64_t address, uint32_t length, bool skip)
{
    static const uint8_t zeros[4096];
    uint32_t real = MIN(length, fwcfg->size - MIN(fwcfg->offset, fwcfg->size));

    if (!skip && real)
        pdm_phys_write(fwcfg->device, address, fwcfg->data + fwcfg->offset, real);
    for (uint32_t done = real; !skip && done < length;) {
        uint32_t piece = MIN(length - done, (uint32_t)sizeof(zeros));

        pdm_phys_write(fwcfg->device, address + done, zeros, piece);
        done += piece;
    }
    fwcfg->offset += real;
}

static void
fwcfg_dma(FwCfg *fwcfg, uint64_t request)
{
    struct {
        uint32_t control, length;
        uint64_t address;
    } access;
    uint32_t control, length, result = 0;

    pdm_phys_read(fwcfg->device, request, &access, sizeof(access));
    control = GUINT32_FROM_BE(access.control);
    length = GUINT32_FROM_BE(access.length);
    if (control & DMA_SELECT)
        fwcfg_select(fwcfg, (uint16_t)(control >> 16));
    if (control & (DMA_READ | DMA_SKIP) && length <= DMA_MAX) {
        fwcfg_dma_read(fwcfg, GUINT64_FROM_BE(access.address), length, !(control & DMA_READ));
    } else if (control & (DMA_READ | DMA_SKIP | DMA_WRITE)) {
        pdm_guest_error(fwcfg->device, "dma", "request %08x of %u bytes refused", control, length);
        result = DMA_ERROR;
    }
    result = GUINT32_TO_BE(result);
    pdm_phys_write(fwcfg->device, request, &result, sizeof(result));
}

/* The address is big-endian in the two double words; writing the low one starts. Reading shows the
 * signature "QEMU CFG". */
static uint32_t
fwcfg_dma_port_read(void *user, uint32_t offset, unsigned size)
{
    static const char signature[] = "QEMU CFG";
    uint32_t value = 0;

    for (unsigned i = 0; i < size && offset + i < 8; i++)
        value |= (uint32_t)(uint8_t)signature[offset + i] << i * 8;
    return value;
}

static void
fwcfg_dma_port_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    FwCfg *fwcfg = user;

    if (size != 4)
        return;
    value = GUINT32_SWAP_LE_BE(value);
    if (offset == 0) {
        fwcfg->dma_address = (uint64_t)value << 32;
    } else if (offset == 4) {
        uint64_t request = fwcfg->dma_address | value;

        fwcfg->dma_address = 0;
        fwcfg_dma(fwcfg, request);
    }
}

/* clang-format off */
static const IomPortOps fwcfg_ops = { .read = fwcfg_read, .write = fwcfg_write, .read_string = fwcfg_read_string, .sizes = 3 };
static const IomPortOps fwcfg_dma_ops = { .read = fwcfg_dma_port_read, .write = fwcfg_dma_port_write, .sizes = 7 };
/* clang-format on */

static void
fwcfg_append_range(GByteArray *map, uint64_t address, uint64_t length)
{
    const uint64_t range[2] = {GUINT64_TO_LE(address), GUINT64_TO_LE(length)};
    const uint32_t type = GUINT32_TO_LE(1); /* RAM */

    g_byte_array_append(map, (const uint8_t *)range, sizeof(range));
    g_byte_array_append(map, (const uint8_t *)&type, sizeof(type));
}

/* The memory map: guest RAM; firmware adds what it reserves itself. */
static void
fwcfg_add_memory_map(PdmDevice *device)
{
    g_autoptr(GByteArray) map = g_byte_array_new();

    fwcfg_append_range(map, 0, pdm_ram_size(device, false));
    if (pdm_ram_size(device, true))
        fwcfg_append_range(map, UINT64_C(1) << 32, pdm_ram_size(device, true));
    pdm_fwcfg_add(device, "etc/e820", map->data, map->len);
}

static void
fwcfg_add_number(PdmDevice *device, const char *name, uint64_t value, size_t size)
{
    value = GUINT64_TO_LE(value);
    pdm_fwcfg_add(device, name, &value, size);
}

/* F12 in place of firmware's own choice, Esc, which many boot loaders want. */
static void
fwcfg_add_boot_menu(PdmDevice *device, const CfgmNode *config)
{
    static const char message[] = "\nPress F12 for the boot menu.\n\n";
    uint64_t wait_ms = cfgm_uint(config, "BootMenuDelay", 2500);

    fwcfg_add_number(device, "etc/boot-menu-wait", MIN(wait_ms, 60000), 2);
    fwcfg_add_number(device, "etc/boot-menu-key", SCAN_CODE_F12, 1);
    pdm_fwcfg_add(device, "etc/boot-menu-message", message, sizeof(message));
}

static bool
fwcfg_parse_uuid(FwCfg *fwcfg, const CfgmNode *config, GError **error)
{
    const char *text = cfgm_string(config, "Uuid", "");
    unsigned digits = 0;

    for (; *text && digits < 32; text++) {
        int value = g_ascii_xdigit_value(*text);

        if (*text == '-' || *text == '{' || *text == '}')
            continue;
        if (value < 0)
            break;
        fwcfg->uuid[digits / 2] = (uint8_t)(fwcfg->uuid[digits / 2] << 4 | value);
        digits++;
    }
    if (digits == 0 || digits == 32)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "The machine's UUID \"%s\" is malformed.",
                cfgm_string(config, "Uuid", ""));
    return false;
}

static void
fwcfg_reset(PdmDevice *device)
{
    FwCfg *fwcfg = device->data;

    fwcfg->dma_address = 0;
    fwcfg_select(fwcfg, 0);
}

static bool
fwcfg_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    FwCfg *fwcfg = device->data;

    fwcfg->device = device;
    fwcfg->directory = g_byte_array_new();
    if (!fwcfg_parse_uuid(fwcfg, config, error) || !boot_order_offer(device, config, error))
        return false;
    fwcfg->boot_menu = cfgm_bool(config, "BootMenu", true);
    fwcfg->ports = pdm_ports_new(device, "fw-cfg", 2, &fwcfg_ops, fwcfg);
    fwcfg->dma_ports = pdm_ports_new(device, "fw-cfg-dma", 8, &fwcfg_dma_ops, fwcfg);
    pdm_ports_map(device, fwcfg->ports, FWCFG_PORT);
    pdm_ports_map(device, fwcfg->dma_ports, FWCFG_DMA_PORT);
    fwcfg_add_memory_map(device);
    fwcfg_add_boot_menu(device, config);
    smbios_offer(device, fwcfg->uuid, config);
    return true;
}

static void
fwcfg_destruct(PdmDevice *device)
{
    FwCfg *fwcfg = device->data;

    if (fwcfg->directory)
        g_byte_array_unref(fwcfg->directory);
}

static bool
fwcfg_post_load(void *object, uint32_t version, GError **error)
{
    FwCfg *fwcfg = object;

    fwcfg_look_up(fwcfg, true);
    fwcfg->offset = MIN(fwcfg->offset, fwcfg->size);
    return true;
}

/* clang-format off */
static const SsmField fwcfg_fields[] = {
    SSM_UINT(FwCfg, key), SSM_UINT(FwCfg, offset), SSM_UINT(FwCfg, dma_address), SSM_END
};
static const SsmState fwcfg_state = {
    .version = 1, .min_version = 1, .fields = fwcfg_fields, .post_load = fwcfg_post_load
};
static const PdmOption fwcfg_options[] = {
    { "BootOrder", "Boot order: disk, dvd, floppy, network or firmware paths", PDM_OPTION_STRING, 0, 0, 0, "dvd,disk,floppy,network", NULL },
    { "BootMenu", "Boot menu with F12", PDM_OPTION_BOOL, 1, 0, 1, NULL, NULL },
    { "BootMenuDelay", "How long the boot menu's prompt waits, in milliseconds", PDM_OPTION_UINT, 2500, 0, 60000, NULL, NULL },
    { "BootRetryDelay", "Seconds before booting is tried again, 0: never", PDM_OPTION_UINT, 0, 0, 3600, NULL, NULL },
    { "Uuid", "Hardware UUID", PDM_OPTION_STRING, 0, 0, 0, "", NULL },
    { "SystemManufacturer", "Manufacturer in the system information", PDM_OPTION_STRING, 0, 0, 0, SMBIOS_VENDOR, NULL },
    { "SystemProduct", "Product in the system information", PDM_OPTION_STRING, 0, 0, 0, SMBIOS_PRODUCT, NULL },
    { "SystemVersion", "Version in the system information", PDM_OPTION_STRING, 0, 0, 0, VITRINE_VERSION, NULL },
    { "SystemSerial", "Serial number in the system information", PDM_OPTION_STRING, 0, 0, 0, "0", NULL },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo fw_cfg_device = {
    .abi = PDM_ABI_VERSION,
    .name = "fw-cfg",
    .title = "Firmware configuration",
    .kind = PDM_KIND_FIRMWARE,
    .instance_size = sizeof(FwCfg),
    .max_instances = 1,
    .options = fwcfg_options,
    .construct = fwcfg_construct,
    .reset = fwcfg_reset,
    .destruct = fwcfg_destruct,
    .state = &fwcfg_state,
};
