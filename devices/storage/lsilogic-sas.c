/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Serial Attached SCSI at the Fusion-MPT adapter: the extended configuration pages (MPI 1.5,
 * chapter on SAS) that tell of its phys and of the devices at them. Each target is at a phy of its
 * own, at 3 Gbit/s; there are no expanders. Phys and devices have handles: the phys 1 and on, the
 * devices those behind. Left out: SATA and SMP pass-through, enclosures, events (nothing comes or
 * goes). */
#include "devices/storage/lsilogic-private.h"

#include <string.h>

enum { TYPE_UNIT = 0x10, TYPE_EXPANDER = 0x11, TYPE_DEVICE = 0x12, TYPE_PHY = 0x13 };

enum { ACTION_HEADER = 0, ACTION_READ = 1, ACTION_READ_DEFAULT = 5, ACTION_READ_PERSISTENT = 6 };

/* How a page's address names a device. */
enum { FORM_NEXT = 0, FORM_PLACE = 1, FORM_HANDLE = 2 };

#define PAGE_TYPE_EXTENDED 0x0fu
#define HEADER_SIZE 8u
#define PAGE_SIZE_MAX (0x10u + LSI_TARGETS * 16)
#define RATE 0x09u        /* 3 Gbit/s */
#define RATES 0x98u       /* from 1.5 to 3 Gbit/s */
#define INITIATOR 0x0041u /* an end device that starts SSP commands */
#define TARGET 0x0401u    /* an end device that answers them */
#define PRESENT 0x0003u   /* and it has a target's number */
/* A name of the locally assigned kind (NAA 3). */
#define ADDRESS ((uint64_t)0x3056495452490000)
#define NO_HANDLE 0u

typedef struct {
    uint8_t type, number, version;
    /* Fills the page, which is zeros; its size, 0: nothing has that address. */
    uint32_t (*fill)(const LsiAdapter *lsi, uint32_t address, uint8_t *page);
} Page;

static void
put_address(uint8_t *at, uint32_t handle)
{
    lsi_put32(at, (uint32_t)ADDRESS | handle);
    lsi_put32(at + 4, (uint32_t)(ADDRESS >> 32));
}

static uint32_t
phy_handle(unsigned phy)
{
    return phy + 1;
}

static uint32_t
device_handle(const LsiAdapter *lsi, unsigned phy)
{
    return lsi->targets[phy].present ? lsi->phys + phy + 1 : NO_HANDLE;
}

/* --- pages --- */

static uint32_t
fill_unit(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    page[0x0c] = (uint8_t)lsi->phys;
    for (unsigned i = 0; i < lsi->phys; i++) {
        uint8_t *phy = page + 0x10 + 16 * i;

        phy[0] = (uint8_t)i; /* port */
        phy[3] = lsi->targets[i].present ? RATE : 0;
        lsi_put32(phy + 4, INITIATOR);
        lsi_put16(phy + 8, device_handle(lsi, i));
        lsi_put16(phy + 10, phy_handle(i));
    }
    return 0x10 + 16 * lsi->phys;
}

static uint32_t
fill_unit_settings(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    page[0x10] = (uint8_t)lsi->phys;
    for (unsigned i = 0; i < lsi->phys; i++) {
        uint8_t *phy = page + 0x14 + 12 * i;

        phy[0] = (uint8_t)i;
        phy[3] = RATES;
        lsi_put32(phy + 4, INITIATOR);
    }
    return 0x14 + 12 * lsi->phys;
}

/* By its number, or by its place in the table, which is the same. */
static uint32_t
fill_phy(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    const uint32_t phy = address & 0xffff;

    if (address >> 28 > 1 || phy >= lsi->phys)
        return 0;
    lsi_put16(page + 0x08, phy_handle(phy));
    put_address(page + 0x0c, NO_HANDLE);
    lsi_put16(page + 0x14, device_handle(lsi, phy));
    lsi_put32(page + 0x18, lsi->targets[phy].present ? TARGET : 0);
    page[0x1c] = page[0x1d] = RATES;
    return 0x24;
}

/* How many errors it has counted: none. */
static uint32_t
fill_phy_errors(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    return address >> 28 <= 1 && (address & 0xffff) < lsi->phys ? 0x1c : 0;
}

/* The next handle in use, or the same; NO_HANDLE: there is none. */
static uint32_t
handle_from(const LsiAdapter *lsi, uint32_t first)
{
    for (uint32_t handle = MAX(first, 1); handle <= 2 * lsi->phys; handle++) {
        if (handle <= lsi->phys || lsi->targets[handle - lsi->phys - 1].present)
            return handle;
    }
    return NO_HANDLE;
}

static uint32_t
find_device(const LsiAdapter *lsi, uint32_t address)
{
    const uint32_t handle = address & 0xffff;

    switch (address >> 28) {
    case FORM_NEXT: return handle_from(lsi, handle == 0xffff ? 1 : handle + 1);
    case FORM_PLACE: return handle < lsi->phys ? device_handle(lsi, handle) : NO_HANDLE;
    case FORM_HANDLE: return handle_from(lsi, handle) == handle ? handle : NO_HANDLE;
    default: return NO_HANDLE;
    }
}

static uint32_t
fill_device(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    const uint32_t handle = find_device(lsi, address);
    const bool target = handle > lsi->phys;
    const uint32_t phy = handle - 1 - (target ? lsi->phys : 0);

    if (handle == NO_HANDLE)
        return 0;
    put_address(page + 0x0c, target ? handle : NO_HANDLE);
    lsi_put16(page + 0x14, target ? phy_handle(phy) : NO_HANDLE);
    page[0x16] = (uint8_t)phy;
    lsi_put16(page + 0x18, handle);
    page[0x1a] = (uint8_t)(target ? phy : lsi->phys);
    lsi_put32(page + 0x1c, target ? TARGET : INITIATOR);
    lsi_put16(page + 0x20, PRESENT);
    page[0x22] = (uint8_t)phy;
    return 0x24;
}

static uint32_t
fill_expander(const LsiAdapter *lsi, uint32_t address, uint8_t *page)
{
    return 0;
}

/* clang-format off */
static const Page pages[] = {
    {TYPE_UNIT,     0, 4, fill_unit},
    {TYPE_UNIT,     1, 6, fill_unit_settings},
    {TYPE_EXPANDER, 0, 3, fill_expander},
    {TYPE_DEVICE,   0, 5, fill_device},
    {TYPE_PHY,      0, 1, fill_phy},
    {TYPE_PHY,      1, 0, fill_phy_errors},
};
/* clang-format on */

/* --- messages --- */

static const Page *
find_page(const uint8_t *message, uint16_t *status)
{
    bool known_type = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        if (pages[i].type != message[0x06])
            continue;
        if (pages[i].number == message[0x16])
            return &pages[i];
        known_type = true;
    }
    *status = known_type ? LSI_CONFIG_PAGE : LSI_CONFIG_TYPE;
    return NULL;
}

/* Of the page as it is told to be before it is read. */
static uint32_t
size_of(const LsiAdapter *lsi, const Page *page)
{
    switch (page->type) {
    case TYPE_UNIT: return page->number == 0 ? 0x10 + 16 * lsi->phys : 0x14 + 12 * lsi->phys;
    case TYPE_EXPANDER: return 0x24;
    case TYPE_PHY: return page->number == 0 ? 0x24 : 0x1c;
    default: return 0x24;
    }
}

static uint16_t
read_page(LsiAdapter *lsi, const Page *page, const uint8_t *message)
{
    uint8_t data[PAGE_SIZE_MAX] = {0};
    uint32_t size = page->fill(lsi, lsi_get32(message + 0x18), data);
    uint64_t address = lsi_page_buffer(message, &size);

    if (size == 0)
        return LSI_CONFIG_PAGE;
    data[0] = page->version;
    data[2] = page->number;
    data[3] = PAGE_TYPE_EXTENDED;
    lsi_put16(data + 4, size_of(lsi, page) / 4);
    data[6] = page->type;
    pdm_phys_write(lsi->device, address, data, size);
    return LSI_OK;
}

static uint16_t
carry_out(LsiAdapter *lsi, const Page *page, const uint8_t *message)
{
    switch (message[0]) {
    case ACTION_HEADER: return LSI_OK;
    case ACTION_READ:
    case ACTION_READ_DEFAULT:
    case ACTION_READ_PERSISTENT: return read_page(lsi, page, message);
    default: return LSI_CONFIG_CANT_COMMIT;
    }
}

uint32_t
lsi_sas_configure(LsiAdapter *lsi, const uint8_t *message, uint8_t *reply)
{
    uint16_t status = LSI_OK;
    const Page *page = find_page(message, &status);

    reply[0] = message[0];
    reply[6] = message[6];
    memcpy(reply + 0x14, message + 0x14, 4);
    if (page != NULL) {
        lsi_put16(reply + 4, size_of(lsi, page) / 4);
        reply[0x14] = page->version;
        status = carry_out(lsi, page, message);
    }
    lsi_begin_reply(message, 0x18, status, reply);
    return 0x18;
}
