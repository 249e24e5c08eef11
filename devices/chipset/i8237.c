/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The pair of 8237A DMA controllers with their page registers. Intel 8237A data sheet (231466-005);
 * PIIX3 data sheet chapter 3.2; ports 0x00, 0xC0, 0x80.
 *
 * A transfer runs as soon as its channel is requested and unmasked; bus timing, priority rotation,
 * memory-to-memory and software requests (no PC device uses these two) are left out. Addresses
 * wrap inside 64 KiB (8-bit channels) or 128 KiB (16-bit channels) as in the chip. */
#include "vmm/pdm/pdm.h"

typedef struct {
    uint16_t base_address, base_count; /* in units of the channel: bytes or words */
    uint32_t position;                 /* bytes done since the base was loaded */
    uint8_t mode, page;
    uint8_t masked, requested;
    uint8_t finished; /* terminal count; cleared by a read of the status register */
} DmaChannel;

typedef struct {
    PdmDevice *device;
    PdmDmaController offer;
    IomPorts *ports[2], *page_ports;
    DmaChannel channel[8];
    uint8_t command[2];
    uint8_t flip_flop[2];
    uint8_t spare_pages[16]; /* page registers without a channel: 0x80 is the POST code */
    uint8_t running;         /* a transfer is under way: requests only set their flag */
} Dma;

static unsigned
dma_shift(unsigned channel)
{
    return channel >= 4;
}

static uint32_t
dma_total(const DmaChannel *channel, unsigned index)
{
    return ((uint32_t)channel->base_count + 1) << dma_shift(index);
}

/* Guest-physical address of a byte of the block. */
static uint64_t
dma_address(const DmaChannel *channel, unsigned index, uint32_t position)
{
    unsigned shift = dma_shift(index);
    uint32_t window = 0x10000u << shift;
    uint32_t start = (uint32_t)channel->base_address << shift;
    uint32_t page = (uint32_t)(channel->page & (shift ? 0xfe : 0xff)) << 16;
    uint32_t offset = channel->mode & 0x20 ? start - position : start + position;

    return page | (offset & (window - 1));
}

static bool
dma_ready(const Dma *dma, unsigned index)
{
    const DmaChannel *channel = &dma->channel[index];

    return channel->requested && !channel->masked && !(dma->command[index >> 2] & 4) && index != 4;
}

/* Lets the owner of a channel transfer once; returns whether there may be more to move. */
static bool
dma_serve(Dma *dma, unsigned index)
{
    DmaChannel *channel = &dma->channel[index];
    uint32_t total = dma_total(channel, index), before = channel->position;
    uint32_t position = pdm_dma_run_channel(dma->device, index, before, total);

    channel->position = MIN(position, total);
    if (channel->position < total)
        return channel->position != before;
    channel->finished = 1;
    if (channel->mode & 0x10)
        channel->position = 0; /* auto-initialise */
    else
        channel->masked = 1;
    return false;
}

/* Runs what is requested: a channel goes on while its owner asks and moves something, once around
 * at most, so that one that never drops its request does not keep the machine. */
static void
dma_run(Dma *dma)
{
    if (dma->running)
        return;
    dma->running = 1;
    for (unsigned index = 0; index < 8; index++) {
        while (dma_ready(dma, index) && dma_serve(dma, index))
            ;
    }
    dma->running = 0;
}

static void
dma_set_dreq(void *user, unsigned index, bool level)
{
    Dma *dma = user;

    if (index > 7)
        return;
    dma->channel[index].requested = level;
    if (level)
        dma_run(dma);
}

/* Moves size bytes between a buffer and the block from offset on, in pieces that do not wrap. */
static uint32_t
dma_move(Dma *dma, unsigned index, uint8_t *data, uint32_t offset, uint32_t size, bool write)
{
    if (index > 7 || index == 4)
        return 0;

    const DmaChannel *channel = &dma->channel[index];
    uint32_t total = dma_total(channel, index), window = 0x10000u << dma_shift(index);

    if (offset >= total)
        return 0;
    size = MIN(size, total - offset);
    for (uint32_t done = 0; done < size;) {
        uint64_t address = dma_address(channel, index, offset + done);
        uint32_t piece = MIN(size - done, window - (uint32_t)(address & (window - 1)));

        if (channel->mode & 0x20)
            piece = 1; /* downwards: byte by byte */
        if (write)
            pdm_phys_write(dma->device, address, data + done, piece);
        else
            pdm_phys_read(dma->device, address, data + done, piece);
        done += piece;
    }
    return size;
}

static uint32_t
dma_read_memory(void *user, unsigned channel, void *data, uint32_t offset, uint32_t size)
{
    return dma_move(user, channel, data, offset, size, false);
}

static uint32_t
dma_write_memory(void *user, unsigned channel, const void *data, uint32_t offset, uint32_t size)
{
    Dma *dma = user;

    /* A verify transfer moves the position and leaves memory alone. */
    if (channel < 8 && (dma->channel[channel].mode & 0x0c) == 0)
        return offset < dma_total(&dma->channel[channel], channel)
                   ? MIN(size, dma_total(&dma->channel[channel], channel) - offset)
                   : 0;
    return dma_move(dma, channel, (uint8_t *)data, offset, size, true);
}

static void
dma_clear(Dma *dma, unsigned which)
{
    dma->command[which] = dma->flip_flop[which] = 0;
    for (unsigned i = 0; i < 4; i++) {
        dma->channel[which * 4 + i].masked = 1;
        dma->channel[which * 4 + i].finished = 0;
    }
}

static void
dma_write_register(Dma *dma, unsigned which, unsigned reg, uint8_t value)
{
    DmaChannel *first = &dma->channel[which * 4];

    switch (reg) {
    case 0x8: dma->command[which] = value; break;
    case 0xa: first[value & 3].masked = value >> 2 & 1; break;
    case 0xb: first[value & 3].mode = value; break;
    case 0xc: dma->flip_flop[which] = 0; break;
    case 0xd: dma_clear(dma, which); break;
    case 0xe:
    case 0xf:
        for (unsigned i = 0; i < 4; i++)
            first[i].masked = reg == 0xf ? value >> i & 1 : 0;
        break;
    default: break;
    }
    dma_run(dma);
}

static void
dma_write_channel(Dma *dma, unsigned which, unsigned reg, uint8_t value)
{
    DmaChannel *channel = &dma->channel[which * 4 + reg / 2];
    uint16_t *target = reg & 1 ? &channel->base_count : &channel->base_address;

    *target = dma->flip_flop[which] ? (uint16_t)((*target & 0xff) | value << 8)
                                    : (uint16_t)((*target & 0xff00) | value);
    dma->flip_flop[which] ^= 1;
    channel->position = 0;
}

static void
dma_write(Dma *dma, unsigned which, uint32_t offset, uint8_t value)
{
    if (offset < 8)
        dma_write_channel(dma, which, offset, value);
    else
        dma_write_register(dma, which, offset, value);
}

static uint8_t
dma_status(Dma *dma, unsigned which)
{
    uint8_t status = 0;

    for (unsigned i = 0; i < 4; i++) {
        DmaChannel *channel = &dma->channel[which * 4 + i];

        status |= (uint8_t)(channel->finished << i | channel->requested << (4 + i));
        channel->finished = 0;
    }
    return status;
}

static uint8_t
dma_read(Dma *dma, unsigned which, uint32_t offset)
{
    if (offset == 8)
        return dma_status(dma, which);
    if (offset > 8) {
        uint8_t mask = 0xf0;

        for (unsigned i = 0; i < 4; i++)
            mask |= (uint8_t)(dma->channel[which * 4 + i].masked << i);
        return offset == 0xf ? mask : 0;
    }

    unsigned index = which * 4 + offset / 2;
    const DmaChannel *channel = &dma->channel[index];
    uint32_t done = channel->position >> dma_shift(index);
    uint16_t value;

    if (offset & 1)
        value = (uint16_t)(channel->base_count - done);
    else
        value = (uint16_t)(channel->mode & 0x20 ? channel->base_address - done
                                                : channel->base_address + done);
    if (offset & 1 && channel->finished && channel->masked)
        value = 0xffff; /* past the end */
    dma->flip_flop[which] ^= 1;
    return (uint8_t)(dma->flip_flop[which] ? value : value >> 8);
}

static uint32_t
dma_first_read(void *user, uint32_t offset, unsigned size)
{
    return dma_read(user, 0, offset);
}

static void
dma_first_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    dma_write(user, 0, offset, (uint8_t)value);
}

/* The second controller decodes every other port. */
static uint32_t
dma_second_read(void *user, uint32_t offset, unsigned size)
{
    return offset & 1 ? 0xff : dma_read(user, 1, offset >> 1);
}

static void
dma_second_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    if (!(offset & 1))
        dma_write(user, 1, offset >> 1, (uint8_t)value);
}

/* The register of a page port: a channel's, or a spare one. */
static uint8_t *
dma_page(Dma *dma, uint32_t offset)
{
    switch (offset) {
    case 0x7: return &dma->channel[0].page;
    case 0x3: return &dma->channel[1].page;
    case 0x1: return &dma->channel[2].page;
    case 0x2: return &dma->channel[3].page;
    case 0xb: return &dma->channel[5].page;
    case 0x9: return &dma->channel[6].page;
    case 0xa: return &dma->channel[7].page;
    default: return &dma->spare_pages[offset & 15];
    }
}

static uint32_t
dma_page_read(void *user, uint32_t offset, unsigned size)
{
    return *dma_page(user, offset);
}

static void
dma_page_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    *dma_page(user, offset) = (uint8_t)value;
}

/* clang-format off */
static const IomPortOps dma_first_ops = { .read = dma_first_read, .write = dma_first_write, .sizes = 1 };
static const IomPortOps dma_second_ops = { .read = dma_second_read, .write = dma_second_write, .sizes = 1 };
static const IomPortOps dma_page_ops = { .read = dma_page_read, .write = dma_page_write, .sizes = 1 };
/* clang-format on */

static void
dma_reset(PdmDevice *device)
{
    Dma *dma = device->data;

    dma_clear(dma, 0);
    dma_clear(dma, 1);
    for (unsigned i = 0; i < 8; i++)
        dma->channel[i].mode = 0;
}

static bool
dma_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Dma *dma = device->data;

    dma->device = device;
    dma->ports[0] = pdm_ports_new(device, "dma-1", 16, &dma_first_ops, dma);
    dma->ports[1] = pdm_ports_new(device, "dma-2", 32, &dma_second_ops, dma);
    dma->page_ports = pdm_ports_new(device, "dma-page", 16, &dma_page_ops, dma);
    pdm_ports_map(device, dma->ports[0], 0x00);
    pdm_ports_map(device, dma->ports[1], 0xc0);
    pdm_ports_map(device, dma->page_ports, 0x80);
    dma->offer = (PdmDmaController){dma, dma_set_dreq, dma_read_memory, dma_write_memory};
    pdm_offer_dma(device, &dma->offer);
    dma_reset(device);
    return true;
}

static bool
dma_post_load(void *object, uint32_t version, GError **error)
{
    Dma *dma = object;

    for (unsigned i = 0; i < 8; i++) {
        if (dma->channel[i].position > dma_total(&dma->channel[i], i)) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                        "DMA channel %u of the saved state is past its end.", i);
            return false;
        }
    }
    return true;
}

/* clang-format off */
static const SsmField dma_channel_fields[] = {
    SSM_UINT(DmaChannel, base_address), SSM_UINT(DmaChannel, base_count),
    SSM_UINT(DmaChannel, position), SSM_UINT(DmaChannel, mode), SSM_UINT(DmaChannel, page),
    SSM_UINT_BELOW(DmaChannel, masked, 2), SSM_UINT_BELOW(DmaChannel, requested, 2),
    SSM_UINT_BELOW(DmaChannel, finished, 2), SSM_END
};
static const SsmField dma_fields[] = {
    SSM_STRUCT_ARRAY(Dma, channel, dma_channel_fields), SSM_BYTES(Dma, command),
    SSM_UINT_ARRAY(Dma, flip_flop), SSM_BYTES(Dma, spare_pages), SSM_END
};
static const SsmState dma_state = {
    .version = 1, .min_version = 1, .fields = dma_fields, .post_load = dma_post_load
};
/* clang-format on */

const PdmDeviceInfo dma_device = {
    .abi = PDM_ABI_VERSION,
    .name = "dma",
    .title = "8237A DMA controllers",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(Dma),
    .max_instances = 1,
    .construct = dma_construct,
    .reset = dma_reset,
    .state = &dma_state,
};
