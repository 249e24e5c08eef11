/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Configuration pages of the Fusion-MPT adapter (MPI 1.2 chapter 6): what drivers ask for before
 * they trust an adapter, and where they tell how a target's transfers are negotiated. The bus is
 * not a real one, so every agreement within the port's capabilities is reached at once. Left out:
 * pages of RAID (there are no volumes), settings that outlast the power (those pages are read
 * only). */
#include "devices/storage/lsilogic-private.h"

#include <string.h>

enum {
    ACTION_HEADER = 0,
    ACTION_READ = 1,
    ACTION_WRITE = 2,
    ACTION_DEFAULT = 3,
    ACTION_WRITE_PERSISTENT = 4,
    ACTION_READ_DEFAULT = 5,
    ACTION_READ_PERSISTENT = 6,
};

enum {
    TYPE_UNIT,
    TYPE_ADAPTER,
    TYPE_PORT = 3,
    TYPE_DEVICE = 4,
    TYPE_MANUFACTURING = 9,
    TYPE_EXTENDED = 15,
};

enum { CHANGEABLE = 0x10, TYPE_MASK = 0x0f };

/* Wide, period of Ultra320, offset 127, information units, double transitions, QAS. */
#define PORT_ABILITIES 0x207f0807u
#define PORT_SIGNALS 0xfe000003u /* low-voltage differential; nobody holds the bus */
/* The adapter's own number as its settings have it. Facts tell drivers one behind the last
 * target's, which leaves this one to a disk. */
#define OWN_ID 7u
#define SINGLE_FUNCTION 1u
#define PERIOD(parameters) ((parameters) >> 8 & 0xff)
#define OFFSET(parameters) ((parameters) >> 16 & 0xff)
#define PERIOD_FASTEST 0x08u
#define PERIOD_ASYNCHRONOUS 0xffu
#define OFFSET_MAX 0x7fu
#define ABILITY_FLAGS 0x20000007u
/* Of port page 2 for each target: disconnect, scan, scan units, tagged queues. */
#define TARGET_FLAGS 0x000fu

typedef struct {
    uint8_t type, number, attribute, version;
    uint16_t size;
    void (*fill)(const LsiAdapter *lsi, uint32_t address, uint8_t *page);
} Page;

static void
put_text(uint8_t *at, const char *text)
{
    memcpy(at, text, strlen(text));
}

static void
fill_chip(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    put_text(page + 0x04, lsi->model->chip);
    put_text(page + 0x14, lsi->model->revision);
    put_text(page + 0x1c, "Vitrine");
}

static void
fill_chip_id(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    lsi_put16(page + 0x04, lsi->model->pci_device);
}

static void
fill_unit_flags(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    lsi_put32(page + 0x04, SINGLE_FUNCTION);
}

static void
fill_adapter_ids(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    lsi_put16(page + 0x0c, LSI_PCI_VENDOR);
    lsi_put16(page + 0x0e, lsi->model->pci_device);
    lsi_put32(page + 0x14, 0x010000); /* class: SCSI */
    lsi_put16(page + 0x18, LSI_PCI_VENDOR);
    lsi_put16(page + 0x1a, LSI_PCI_SUBSYSTEM);
}

static void
fill_coalescing(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    page[0x0d] = 0xff; /* its PCI slot has no number on the board */
}

static void
fill_port_abilities(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    lsi_put32(page + 0x04, PORT_ABILITIES);
    lsi_put32(page + 0x08, PORT_SIGNALS);
}

static void
fill_port_ids(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    lsi_put32(page + 0x04, OWN_ID | 1u << (16 + OWN_ID));
}

static void
fill_port_settings(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    lsi_put32(page + 0x08, OWN_ID);
    for (unsigned i = 0; i < 16; i++) {
        page[0x0c + 4 * i] = 10; /* seconds */
        page[0x0d + 4 * i] = PERIOD_FASTEST;
        lsi_put16(page + 0x0e + 4 * i, TARGET_FLAGS);
    }
}

/* What the target agrees to of what has been asked for. */
static void
fill_agreement(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    uint32_t wanted = lsi->targets[address].parameters;
    uint32_t offset = MIN(OFFSET(wanted), OFFSET_MAX);
    uint32_t period = offset == 0 ? PERIOD_ASYNCHRONOUS : MAX(PERIOD(wanted), PERIOD_FASTEST);

    lsi_put32(page + 0x04, (wanted & ABILITY_FLAGS) | period << 8 | offset << 16);
    lsi_put32(page + 0x08, wanted != 0 ? 1 : 0); /* has been negotiated */
}

static void
fill_wishes(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    lsi_put32(page + 0x04, lsi->targets[address].parameters);
    lsi_put32(page + 0x0c, lsi->targets[address].configuration);
}

/* clang-format off */
static const Page pages[] = {
    {TYPE_UNIT,          0, 0,          0, 0x0c,  NULL},
    {TYPE_UNIT,          1, 0,          2, 0x08,  fill_unit_flags},
    {TYPE_UNIT,          2, 0,          2, 0x20,  NULL},
    {TYPE_UNIT,          3, 0,          1, 0x0c,  NULL},
    {TYPE_ADAPTER,       0, 0,          1, 0x1c,  fill_adapter_ids},
    {TYPE_ADAPTER,       1, 0,          3, 0x10,  fill_coalescing},
    {TYPE_ADAPTER,       2, 0,          4, 0x0c,  NULL},
    {TYPE_ADAPTER,       3, 0,          0, 0x08,  NULL},
    {TYPE_ADAPTER,       4, 0,          0, 0x08,  NULL},
    {TYPE_PORT,          0, 0,          2, 0x0c,  fill_port_abilities},
    {TYPE_PORT,          1, 0,          3, 0x10,  fill_port_ids},
    {TYPE_PORT,          2, 0,          2, 0x4c,  fill_port_settings},
    {TYPE_DEVICE,        0, 0,          4, 0x0c,  fill_agreement},
    {TYPE_DEVICE,        1, CHANGEABLE, 5, 0x10,  fill_wishes},
    {TYPE_DEVICE,        2, 0,          1, 0x10,  NULL},
    {TYPE_DEVICE,        3, 0,          0, 0x0c,  NULL},
    {TYPE_MANUFACTURING, 0, 0,          0, 0x4c,  fill_chip},
    {TYPE_MANUFACTURING, 1, 0,          0, 0x104, NULL},
    {TYPE_MANUFACTURING, 2, 0,          0, 0x0c,  fill_chip_id},
    {TYPE_MANUFACTURING, 3, 0,          0, 0x0c,  fill_chip_id},
};
/* clang-format on */

#define PAGE_SIZE_MAX 0x104u

static bool
is_parallel(const Page *page)
{
    return page->type == TYPE_PORT || page->type == TYPE_DEVICE;
}

static const Page *
find_page(const LsiAdapter *lsi, const uint8_t *message, uint16_t *status)
{
    uint8_t type = message[0x17] & TYPE_MASK;
    bool known_type = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        if (pages[i].type != type || (lsi->model->sas && is_parallel(&pages[i])))
            continue;
        if (pages[i].number == message[0x16])
            return &pages[i];
        known_type = true;
    }
    *status = known_type ? LSI_CONFIG_PAGE : LSI_CONFIG_TYPE;
    return NULL;
}

/* The one bus's targets, the one port. */
static bool
is_address(const Page *page, uint32_t address)
{
    switch (page->type) {
    case TYPE_PORT: return (address & 0xff) == 0;
    case TYPE_DEVICE: return address < LSI_TARGETS;
    default: return true;
    }
}

static void
put_header(const Page *page, uint8_t *at)
{
    at[0] = page->version;
    at[1] = (uint8_t)(page->size / 4);
    at[2] = page->number;
    at[3] = page->type | page->attribute;
}

uint64_t
lsi_page_buffer(const uint8_t *message, uint32_t *size)
{
    uint32_t head = lsi_get32(message + 0x1c);
    bool wide = (head >> 24 & LSI_SGE_64BIT) != 0;

    *size = MIN(*size, head & 0xffffff);
    return lsi_get32(message + 0x20) | (wide ? (uint64_t)lsi_get32(message + 0x24) << 32 : 0);
}

static void
read_page(LsiAdapter *lsi, const Page *page, const uint8_t *message, bool defaults)
{
    uint8_t data[PAGE_SIZE_MAX] = {0};
    uint32_t size = page->size;
    uint64_t address = lsi_page_buffer(message, &size);

    if (page->fill != NULL && !(defaults && page->type == TYPE_DEVICE))
        page->fill(lsi, lsi_get32(message + 0x18), data);
    put_header(page, data);
    pdm_phys_write(lsi->device, address, data, size);
}

/* Device page 1 is the only one that changes. */
static uint16_t
write_page(LsiAdapter *lsi, const Page *page, const uint8_t *message)
{
    uint8_t data[PAGE_SIZE_MAX] = {0};
    uint32_t size = page->size;
    uint64_t address = lsi_page_buffer(message, &size);
    LsiTarget *target = &lsi->targets[lsi_get32(message + 0x18) % LSI_TARGETS];

    if (page->attribute != CHANGEABLE)
        return LSI_CONFIG_CANT_COMMIT;
    if (size < page->size)
        return LSI_CONFIG_DATA;
    pdm_phys_read(lsi->device, address, data, size);
    target->parameters = lsi_get32(data + 0x04);
    target->configuration = lsi_get32(data + 0x0c);
    return LSI_OK;
}

static uint16_t
carry_out(LsiAdapter *lsi, const Page *page, const uint8_t *message)
{
    if (message[0] != ACTION_HEADER && !is_address(page, lsi_get32(message + 0x18)))
        return LSI_CONFIG_PAGE;
    switch (message[0]) {
    case ACTION_HEADER: return LSI_OK;
    case ACTION_READ:
    case ACTION_READ_PERSISTENT:
    case ACTION_READ_DEFAULT:
        read_page(lsi, page, message, message[0] == ACTION_READ_DEFAULT);
        return LSI_OK;
    case ACTION_WRITE: return write_page(lsi, page, message);
    case ACTION_WRITE_PERSISTENT: return LSI_CONFIG_CANT_COMMIT;
    case ACTION_DEFAULT: return LSI_CONFIG_NO_DEFAULTS;
    default: return LSI_CONFIG_ACTION;
    }
}

uint32_t
lsi_configure(LsiAdapter *lsi, const uint8_t *message, uint8_t *reply)
{
    uint16_t status = LSI_OK;
    const Page *page;

    if (lsi->model->sas && (message[0x17] & TYPE_MASK) == TYPE_EXTENDED)
        return lsi_sas_configure(lsi, message, reply);
    page = find_page(lsi, message, &status);
    reply[0] = message[0];
    memcpy(reply + 0x14, message + 0x14, 4);
    if (page != NULL) {
        put_header(page, reply + 0x14);
        status = carry_out(lsi, page, message);
    }
    lsi_begin_reply(message, 0x18, status, reply);
    return 0x18;
}
