/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Queues of the NVMe controller (NVM Express 1.2 section 4.1). A command is taken only when there
 * is room for its completion. */
#include "devices/storage/nvme-private.h"

bool
nvme_has_room(const NvmeCompletion *queue)
{
    return queue->size != 0 &&
           nvme_entries(queue->head, queue->tail, queue->size) + queue->expected + 1 < queue->size;
}

static void
post(NvmeController *nvme, NvmeCompletion *queue, const uint32_t words[4])
{
    uint32_t entry[4];

    for (unsigned i = 0; i < 4; i++)
        entry[i] = GUINT32_TO_LE(words[i]);
    pdm_phys_write(nvme->device, queue->base + (uint64_t)queue->tail * NVME_COMPLETION_SIZE, entry,
                   sizeof(entry));
    if (++queue->tail == queue->size) {
        queue->tail = 0;
        queue->phase ^= 1;
    }
    if (!queue->interrupts)
        return;
    if (pci_msix_enabled(&nvme->msix))
        pci_msix_send(&nvme->msix, queue->vector);
    else
        nvme_update_pin(nvme);
}

void
nvme_complete(NvmeController *nvme, unsigned index, uint16_t identifier, uint16_t status,
              uint32_t result)
{
    const NvmeSubmission *submission = &nvme->submissions[index];
    NvmeCompletion *queue = &nvme->completions[submission->completion];
    uint32_t words[4] = {
        result,
        0,
        submission->head | index << 16,
        identifier | (uint32_t)queue->phase << 16 | (uint32_t)(status & 0x7ff) << 17,
    };

    /* The queues may have been deleted meanwhile. */
    if (submission->size == 0 || queue->size == 0)
        return;
    if (queue->expected > 0)
        queue->expected--;
    /* What cannot go better by trying again: all but faults of the medium. */
    if (status != NVME_OK && status >> 8 != 2)
        words[3] |= 1u << 31;
    post(nvme, queue, words);
}

uint16_t
nvme_execute(NvmeController *nvme, unsigned queue, const NvmeCommand *command, uint32_t *result)
{
    *result = 0;
    if ((command->bytes[1] & 0x03) != 0) /* fused commands */
        return NVME_INVALID_FIELD;
    return queue == 0 ? nvme_admin(nvme, command, result) : nvme_io(nvme, queue, command);
}

static void
take_command(NvmeController *nvme, unsigned index)
{
    NvmeSubmission *queue = &nvme->submissions[index];
    NvmeCommand command;
    uint32_t result;
    uint16_t status;

    pdm_phys_read(nvme->device, queue->base + (uint64_t)queue->head * NVME_COMMAND_SIZE,
                  command.bytes, sizeof(command.bytes));
    if (++queue->head == queue->size)
        queue->head = 0;
    nvme->completions[queue->completion].expected++;
    status = nvme_execute(nvme, index, &command, &result);
    if (status != NVME_PENDING)
        nvme_complete(nvme, index, nvme_identifier(&command), status, result);
}

static bool
can_take(const NvmeController *nvme, const NvmeSubmission *queue)
{
    return queue->size != 0 && queue->head != queue->tail &&
           (nvme->csts & (NVME_CSTS_READY | NVME_CSTS_FATAL)) == NVME_CSTS_READY &&
           nvme_has_room(&nvme->completions[queue->completion]) &&
           drive_jobs_active(&nvme->jobs) < NVME_JOBS_MAX;
}

/* One command of each queue in turn. */
void
nvme_run(NvmeController *nvme)
{
    bool taken;

    do {
        taken = false;
        for (unsigned i = 0; i < NVME_QUEUES; i++) {
            if (!can_take(nvme, &nvme->submissions[i]))
                continue;
            take_command(nvme, i);
            taken = true;
        }
    } while (taken);
    nvme_tell_events(nvme);
}

/* Commands that were under way when the state was saved. */
void
nvme_restart(void *user, void *item)
{
    NvmeController *nvme = user;
    g_autoptr(GArray) pending = g_steal_pointer(&nvme->pending);

    nvme->pending = g_array_new(FALSE, FALSE, sizeof(NvmePending));
    for (guint i = 0; i < pending->len; i++) {
        const NvmePending *entry = &g_array_index(pending, NvmePending, i);
        uint32_t result;
        uint16_t status = nvme_execute(nvme, entry->queue, &entry->command, &result);

        if (status != NVME_PENDING)
            nvme_complete(nvme, entry->queue, nvme_identifier(&entry->command), status, result);
    }
    if (nvme->flushing != 0)
        nvme_shut_down(nvme);
    nvme_run(nvme);
}
