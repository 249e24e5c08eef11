/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The saved state of the NVMe controller. Commands under way are saved whole and begun again. */
#include "devices/storage/nvme-private.h"

/* What can be under way: the queues' entries together. */
#define PENDING_MAX (NVME_QUEUES * NVME_ENTRIES_MAX)

/* clang-format off */
static const SsmField submission_fields[] = {
    SSM_UINT(NvmeSubmission, base),
    SSM_UINT_BELOW(NvmeSubmission, size, NVME_ENTRIES_MAX + 1),
    SSM_UINT(NvmeSubmission, head),
    SSM_UINT(NvmeSubmission, tail),
    SSM_UINT_BELOW(NvmeSubmission, completion, NVME_QUEUES),
    SSM_END,
};

static const SsmField completion_fields[] = {
    SSM_UINT(NvmeCompletion, base),
    SSM_UINT_BELOW(NvmeCompletion, size, NVME_ENTRIES_MAX + 1),
    SSM_UINT(NvmeCompletion, head),
    SSM_UINT(NvmeCompletion, tail),
    SSM_UINT_BELOW(NvmeCompletion, expected, NVME_ENTRIES_MAX + 1),
    SSM_UINT(NvmeCompletion, vector),
    SSM_UINT_BELOW(NvmeCompletion, phase, 2),
    SSM_UINT_BELOW(NvmeCompletion, interrupts, 2),
    SSM_END,
};

static const SsmField nvme_fields[] = {
    SSM_STRUCT(NvmeController, msix, pci_msix_fields),
    SSM_UINT(NvmeController, cc),
    SSM_UINT(NvmeController, csts),
    SSM_UINT(NvmeController, aqa),
    SSM_UINT(NvmeController, interrupt_mask),
    SSM_UINT(NvmeController, asq),
    SSM_UINT(NvmeController, acq),
    SSM_UINT_ARRAY(NvmeController, features),
    SSM_UINT_ARRAY(NvmeController, events),
    SSM_UINT_BELOW(NvmeController, event_count, NVME_EVENTS_MAX + 1),
    SSM_UINT_SINCE(NvmeController, happened, 2),
    SSM_UINT_SINCE(NvmeController, told, 2),
    SSM_UINT_SINCE(NvmeController, error_count, 2),
    SSM_UINT_SINCE(NvmeController, error_queue, 2),
    SSM_UINT_SINCE(NvmeController, temperature_low, 2),
    SSM_UINT_BELOW(NvmeController, flushing, NVME_NAMESPACES_MAX + 1),
    SSM_STRUCT_ARRAY(NvmeController, submissions, submission_fields),
    SSM_STRUCT_ARRAY(NvmeController, completions, completion_fields),
    SSM_END,
};
/* clang-format on */

static void
put_pending(SsmWriter *writer, const NvmePending *pending)
{
    ssm_put_uint(writer, pending->queue, 2);
    ssm_put_bytes(writer, pending->command.bytes, NVME_COMMAND_SIZE);
}

static bool
is_saved(const NvmeRequest *request)
{
    return !request->job.dropped && !request->shutdown;
}

static bool
nvme_save(void *object, SsmWriter *writer, GError **error)
{
    NvmeController *nvme = object;
    const GPtrArray *jobs = nvme->jobs.jobs;
    uint32_t count = nvme->pending->len;

    for (guint i = 0; i < jobs->len; i++)
        count += is_saved(jobs->pdata[i]);
    ssm_put_uint(writer, count, 4);
    for (guint i = 0; i < nvme->pending->len; i++)
        put_pending(writer, &g_array_index(nvme->pending, NvmePending, i));
    for (guint i = 0; i < jobs->len; i++) {
        const NvmeRequest *request = jobs->pdata[i];

        if (is_saved(request))
            put_pending(writer, &request->origin);
    }
    return true;
}

static bool
corrupt(GError **error)
{
    g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                        "The saved state of the NVMe controller contradicts itself.");
    return false;
}

static bool
nvme_load(void *object, SsmReader *reader, uint32_t version, GError **error)
{
    NvmeController *nvme = object;
    uint64_t count;

    if (!ssm_get_uint(reader, &count, 4, error))
        return false;
    if (count > PENDING_MAX)
        return corrupt(error);
    g_array_set_size(nvme->pending, 0);
    for (uint64_t i = 0; i < count; i++) {
        NvmePending pending;
        uint64_t queue;

        if (!ssm_get_uint(reader, &queue, 2, error) ||
            !ssm_get_bytes(reader, pending.command.bytes, NVME_COMMAND_SIZE, error))
            return false;
        if (queue >= NVME_QUEUES)
            return corrupt(error);
        pending.queue = (uint16_t)queue;
        g_array_append_val(nvme->pending, pending);
    }
    if (nvme->pending->len > 0 || nvme->flushing != 0)
        pdm_queue_push(nvme->device->api, nvme->restart, NULL);
    return true;
}

static bool
nvme_post_load(void *object, uint32_t version, GError **error)
{
    NvmeController *nvme = object;

    if (version < 2 && nvme->features[NVME_FEATURE_TEMPERATURE] == 0)
        nvme->features[NVME_FEATURE_TEMPERATURE] = NVME_TEMPERATURE_WARNING;
    if (nvme->happened >> NVME_EVENT_KINDS != 0)
        return corrupt(error);
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        const NvmeSubmission *submission = &nvme->submissions[i];
        const NvmeCompletion *completion = &nvme->completions[i];

        if (submission->size != 0 &&
            (submission->head >= submission->size || submission->tail >= submission->size))
            return corrupt(error);
        if (completion->size != 0 &&
            (completion->head >= completion->size || completion->tail >= completion->size))
            return corrupt(error);
    }
    return true;
}

const SsmState nvme_state = {
    .version = 2,
    .min_version = 1,
    .fields = nvme_fields,
    .post_load = nvme_post_load,
    .save = nvme_save,
    .load = nvme_load,
};
