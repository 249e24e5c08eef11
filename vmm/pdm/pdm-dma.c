/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ISA DMA: brings the owners of channels and the controller together. Channel 4 is the cascade. */
#include "vmm/pdm/pdm-private.h"

#define CASCADE_CHANNEL 4u

static bool
usable(unsigned channel)
{
    return channel < PDM_DMA_CHANNELS && channel != CASCADE_CHANNEL;
}

void
pdm_api_offer_dma(PdmDevice *device, const PdmDmaController *controller)
{
    pdm_of(device)->dma = *controller;
}

void
pdm_api_dma_register(PdmDevice *device, unsigned channel, PdmDmaTransfer transfer, void *user)
{
    Pdm *pdm = pdm_of(device);

    g_return_if_fail(usable(channel));
    pdm->dma_channel[channel] = (PdmDmaChannel){transfer, user};
}

uint32_t
pdm_api_dma_run_channel(PdmDevice *device, unsigned channel, uint32_t position, uint32_t size)
{
    const PdmDmaChannel *owner;

    g_return_val_if_fail(channel < PDM_DMA_CHANNELS, position);
    owner = &pdm_of(device)->dma_channel[channel];
    /* Nobody on the channel: nothing moves. */
    return owner->transfer != NULL ? owner->transfer(owner->user, channel, position, size)
                                   : position;
}

void
pdm_api_dma_dreq(PdmDevice *device, unsigned channel, bool level)
{
    const PdmDmaController *dma = &pdm_of(device)->dma;

    g_return_if_fail(usable(channel));
    if (dma->set_dreq != NULL)
        dma->set_dreq(dma->user, channel, level);
}

uint32_t
pdm_api_dma_read(PdmDevice *device, unsigned channel, void *data, uint32_t offset, uint32_t size)
{
    const PdmDmaController *dma = &pdm_of(device)->dma;

    if (!usable(channel) || dma->read_memory == NULL)
        return 0;
    return dma->read_memory(dma->user, channel, data, offset, size);
}

uint32_t
pdm_api_dma_write(PdmDevice *device, unsigned channel, const void *data, uint32_t offset,
                  uint32_t size)
{
    const PdmDmaController *dma = &pdm_of(device)->dma;

    if (!usable(channel) || dma->write_memory == NULL)
        return 0;
    return dma->write_memory(dma->user, channel, data, offset, size);
}
