/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The registers of the NVMe controller: NVM Express 1.2 chapter 3. 64-bit registers take two
 * accesses of 32 bits as well. */
#include "devices/storage/nvme-private.h"

#include <string.h>

enum {
    REG_CAP = 0x00,
    REG_VS = 0x08,
    REG_INTMS = 0x0c,
    REG_INTMC = 0x10,
    REG_CC = 0x14,
    REG_CSTS = 0x1c,
    REG_AQA = 0x24,
    REG_ASQ = 0x28,
    REG_ACQ = 0x30,
    DOORBELLS = 0x1000,
};

/* Contiguous queues, ready within 10 s, the NVM command set, pages of 4 KiB. */
#define CAPABILITIES ((NVME_ENTRIES_MAX - 1) | 1ull << 16 | 20ull << 24 | 1ull << 37)
#define VERSION 0x00010200u
#define CC_WRITABLE 0x00fffff1u
#define CC_SHUTDOWN 0xc000u
#define CC_FORMAT 0x00003ff0u /* command set, page size, arbitration: all 0 */
#define CSTS_SHUTDOWN 0x0cu
#define CSTS_SHUTTING_DOWN 0x04u

/* --- interrupts by pin --- */

void
nvme_update_pin(NvmeController *nvme)
{
    bool level = false;

    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        const NvmeCompletion *queue = &nvme->completions[i];

        level |= queue->size != 0 && queue->interrupts && queue->head != queue->tail &&
                 (queue->vector >= 32 || (nvme->interrupt_mask >> queue->vector & 1) == 0);
    }
    pdm_pci_irq(nvme->device, nvme->pci, level && !pci_msix_enabled(&nvme->msix));
}

/* --- on and off --- */

void
nvme_disable(NvmeController *nvme)
{
    drive_jobs_drop(&nvme->jobs);
    if (nvme->pending != NULL)
        g_array_set_size(nvme->pending, 0);
    nvme->csts = 0;
    nvme->interrupt_mask = 0;
    nvme->event_count = nvme->flushing = 0;
    nvme->happened = nvme->told = 0;
    nvme->temperature_low = 0;
    memset(nvme->events, 0, sizeof(nvme->events));
    memset(nvme->submissions, 0, sizeof(nvme->submissions));
    memset(nvme->completions, 0, sizeof(nvme->completions));
    memset(nvme->features, 0, sizeof(nvme->features));
    nvme->features[NVME_FEATURE_TEMPERATURE] = NVME_TEMPERATURE_WARNING;
    nvme->features[NVME_FEATURE_WRITE_CACHE] = 1;
    nvme->features[NVME_FEATURE_QUEUES] = (NVME_QUEUES - 2) << 16 | (NVME_QUEUES - 2);
    nvme_update_pin(nvme);
}

static void
enable(NvmeController *nvme)
{
    uint32_t submission = (nvme->aqa & 0xfff) + 1, completion = (nvme->aqa >> 16 & 0xfff) + 1;

    if ((nvme->cc & CC_FORMAT) != 0 || submission < 2 || completion < 2 ||
        submission > NVME_ENTRIES_MAX || completion > NVME_ENTRIES_MAX) {
        pdm_guest_error(nvme->device, "nvme-enable",
                        "the controller cannot be enabled with configuration %08x and admin "
                        "queues of %u and %u entries",
                        nvme->cc, submission, completion);
        nvme->csts |= NVME_CSTS_FATAL;
        return;
    }
    nvme->submissions[0] = (NvmeSubmission){.base = nvme->asq, .size = submission};
    nvme->completions[0] =
        (NvmeCompletion){.base = nvme->acq, .size = completion, .phase = 1, .interrupts = 1};
    nvme->csts |= NVME_CSTS_READY;
}

static void
write_configuration(NvmeController *nvme, uint32_t value)
{
    uint32_t old = nvme->cc;

    nvme->cc = value & CC_WRITABLE;
    if ((old & ~value & NVME_CC_ENABLE) != 0)
        nvme_disable(nvme);
    else if ((~old & value & NVME_CC_ENABLE) != 0)
        enable(nvme);
    if ((value & CC_SHUTDOWN) == 0) {
        nvme->csts &= ~CSTS_SHUTDOWN;
    } else if ((old & CC_SHUTDOWN) == 0) {
        nvme->csts = (nvme->csts & ~CSTS_SHUTDOWN) | CSTS_SHUTTING_DOWN;
        /* One that is under way already is as good. */
        if (nvme->flushing == 0)
            nvme_shut_down(nvme);
    }
}

/* --- doorbells --- */

static void
bad_doorbell(NvmeController *nvme, NvmeEvent event, uint32_t queue, uint32_t value)
{
    pdm_guest_error(nvme->device, "nvme-doorbell", "queue %u has no entry %u", queue, value);
    nvme_doorbell_error(nvme, event, queue);
}

/* Only completions that are there can be taken. */
static bool
may_be_head(const NvmeCompletion *queue, uint32_t value)
{
    return value < queue->size && nvme_entries(queue->head, value, queue->size) <=
                                      nvme_entries(queue->head, queue->tail, queue->size);
}

static void
ring(NvmeController *nvme, uint32_t index, uint32_t value)
{
    uint32_t queue = index / 2;
    bool completion = index % 2 != 0;

    if (queue >= NVME_QUEUES ||
        (completion ? nvme->completions[queue].size : nvme->submissions[queue].size) == 0) {
        bad_doorbell(nvme, NVME_EVENT_DOORBELL, queue, value);
        return;
    }
    if (completion && may_be_head(&nvme->completions[queue], value)) {
        nvme->completions[queue].head = value;
        nvme_update_pin(nvme);
    } else if (!completion && value < nvme->submissions[queue].size) {
        nvme->submissions[queue].tail = value;
    } else {
        bad_doorbell(nvme, NVME_EVENT_VALUE, queue, value);
        return;
    }
    nvme_run(nvme);
}

/* --- registers --- */

static uint32_t
read_status(const NvmeController *nvme)
{
    /* Occurring gives way to done. */
    return (nvme->csts & NVME_CSTS_SHUTDOWN_DONE) != 0 ? nvme->csts & ~CSTS_SHUTTING_DOWN
                                                       : nvme->csts;
}

static uint64_t
nvme_read(void *user, uint64_t offset, unsigned size)
{
    const NvmeController *nvme = user;

    switch (offset) {
    case REG_CAP: return (uint32_t)CAPABILITIES;
    case REG_CAP + 4: return (uint32_t)(CAPABILITIES >> 32);
    case REG_VS: return VERSION;
    case REG_INTMS:
    case REG_INTMC: return nvme->interrupt_mask;
    case REG_CC: return nvme->cc;
    case REG_CSTS: return read_status(nvme);
    case REG_AQA: return nvme->aqa;
    case REG_ASQ: return (uint32_t)nvme->asq;
    case REG_ASQ + 4: return (uint32_t)(nvme->asq >> 32);
    case REG_ACQ: return (uint32_t)nvme->acq;
    case REG_ACQ + 4: return (uint32_t)(nvme->acq >> 32);
    default: return 0;
    }
}

static void
set_half(uint64_t *address, bool high, uint32_t value)
{
    if (high)
        *address = (uint32_t)*address | (uint64_t)value << 32;
    else
        *address = (*address & ~0xffffffffull) | (value & ~(NVME_PAGE - 1));
}

static void
nvme_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    NvmeController *nvme = user;
    uint32_t word = (uint32_t)value;

    if (offset >= DOORBELLS) {
        ring(nvme, (uint32_t)(offset - DOORBELLS) / 4, word & 0xffff);
        return;
    }
    switch (offset) {
    case REG_INTMS:
        nvme->interrupt_mask |= word;
        nvme_update_pin(nvme);
        break;
    case REG_INTMC:
        nvme->interrupt_mask &= ~word;
        nvme_update_pin(nvme);
        break;
    case REG_CC: write_configuration(nvme, word); break;
    case REG_AQA: nvme->aqa = word & 0x0fff0fff; break;
    case REG_ASQ:
    case REG_ASQ + 4: set_half(&nvme->asq, offset != REG_ASQ, word); break;
    case REG_ACQ:
    case REG_ACQ + 4: set_half(&nvme->acq, offset != REG_ACQ, word); break;
    default: break;
    }
}

const IomMmioOps nvme_mmio_ops = {
    .read = nvme_read,
    .write = nvme_write,
    .min_size = 4,
    .max_size = 4,
};
