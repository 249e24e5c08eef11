/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Admin commands of the NVMe controller (NVM Express 1.2 chapter 5): queues, features, events. */
#include "devices/storage/nvme-private.h"

enum {
    ADMIN_DELETE_SQ = 0x00,
    ADMIN_CREATE_SQ = 0x01,
    ADMIN_LOG_PAGE = 0x02,
    ADMIN_DELETE_CQ = 0x04,
    ADMIN_CREATE_CQ = 0x05,
    ADMIN_IDENTIFY = 0x06,
    ADMIN_ABORT = 0x08,
    ADMIN_SET_FEATURES = 0x09,
    ADMIN_GET_FEATURES = 0x0a,
    ADMIN_EVENT = 0x0c,
};

#define CONTIGUOUS 1u

/* --- queues --- */

static uint16_t
check_queue(const NvmeController *nvme, const NvmeCommand *command, bool exists)
{
    uint32_t identifier = nvme_word(command, 10) & 0xffff;
    uint32_t size = nvme_word(command, 10) >> 16;

    if (identifier == 0 || identifier >= NVME_QUEUES || exists)
        return NVME_QUEUE_INVALID;
    if (size == 0 || size >= NVME_ENTRIES_MAX)
        return NVME_QUEUE_SIZE;
    if ((nvme_word(command, 11) & CONTIGUOUS) == 0)
        return NVME_INVALID_FIELD;
    return nvme_double(command, 6) % NVME_PAGE != 0 ? NVME_PRP_OFFSET : NVME_OK;
}

static uint16_t
create_completion(NvmeController *nvme, const NvmeCommand *command)
{
    uint32_t identifier = nvme_word(command, 10) & 0xffff;
    uint32_t vector = nvme_word(command, 11) >> 16;
    bool exists = identifier < NVME_QUEUES && nvme->completions[identifier].size != 0;
    uint16_t status = check_queue(nvme, command, exists);

    if (status != NVME_OK)
        return status;
    if (vector >= nvme->msix.vectors)
        return NVME_VECTOR_INVALID;
    nvme->completions[identifier] = (NvmeCompletion){
        .base = nvme_double(command, 6),
        .size = (nvme_word(command, 10) >> 16) + 1,
        .vector = (uint16_t)vector,
        .phase = 1,
        .interrupts = (nvme_word(command, 11) & 2) != 0,
    };
    return NVME_OK;
}

static uint16_t
create_submission(NvmeController *nvme, const NvmeCommand *command)
{
    uint32_t identifier = nvme_word(command, 10) & 0xffff;
    uint32_t completion = nvme_word(command, 11) >> 16;
    bool exists = identifier < NVME_QUEUES && nvme->submissions[identifier].size != 0;
    uint16_t status = check_queue(nvme, command, exists);

    if (status != NVME_OK)
        return status;
    if (completion == 0 || completion >= NVME_QUEUES || nvme->completions[completion].size == 0)
        return NVME_CQ_INVALID;
    nvme->submissions[identifier] = (NvmeSubmission){
        .base = nvme_double(command, 6),
        .size = (nvme_word(command, 10) >> 16) + 1,
        .completion = (uint16_t)completion,
    };
    return NVME_OK;
}

static bool
is_of_queue(const DriveJob *job, void *user)
{
    const NvmeRequest *request = (const NvmeRequest *)job;
    const uint32_t *queue = user;

    return !request->shutdown && request->origin.queue == *queue;
}

/* Commands under way end as aborted. */
static uint16_t
delete_submission(NvmeController *nvme, const NvmeCommand *command)
{
    uint32_t identifier = nvme_word(command, 10) & 0xffff;

    if (identifier == 0 || identifier >= NVME_QUEUES || nvme->submissions[identifier].size == 0)
        return NVME_QUEUE_INVALID;
    drive_jobs_take_back(&nvme->jobs, is_of_queue, &identifier);
    for (guint i = 0; i < nvme->jobs.jobs->len; i++) {
        const NvmeRequest *request = nvme->jobs.jobs->pdata[i];

        if (!request->job.dropped && is_of_queue(&request->job, &identifier))
            nvme_complete(nvme, identifier, nvme_identifier(&request->origin.command),
                          NVME_ABORTED_BY_DELETION, 0);
    }
    drive_jobs_drop_matching(&nvme->jobs, is_of_queue, &identifier);
    nvme->submissions[identifier] = (NvmeSubmission){0};
    return NVME_OK;
}

typedef struct {
    uint32_t queue;
    uint16_t identifier;
} Named;

static bool
is_named(const DriveJob *job, void *user)
{
    const NvmeRequest *request = (const NvmeRequest *)job;
    Named *named = user;

    return is_of_queue(job, &named->queue) &&
           nvme_identifier(&request->origin.command) == named->identifier;
}

/* A command that waits for its medium ends at once. Requests for events, and commands that are over
 * before this one is seen, are not aborted, which is no error. */
static uint16_t
abort_command(NvmeController *nvme, const NvmeCommand *command, uint32_t *result)
{
    Named named = {nvme_word(command, 10) & 0xffff, (uint16_t)(nvme_word(command, 10) >> 16)};
    bool found = false;

    for (guint i = 0; i < nvme->jobs.jobs->len && !found; i++) {
        const DriveJob *job = nvme->jobs.jobs->pdata[i];

        found = !job->dropped && is_named(job, &named);
    }
    *result = found ? 0 : 1;
    if (found) {
        drive_jobs_take_back(&nvme->jobs, is_named, &named);
        nvme_complete(nvme, named.queue, named.identifier, NVME_ABORTED, 0);
        drive_jobs_drop_matching(&nvme->jobs, is_named, &named);
    }
    return NVME_OK;
}

static uint16_t
delete_completion(NvmeController *nvme, const NvmeCommand *command)
{
    uint32_t identifier = nvme_word(command, 10) & 0xffff;

    if (identifier == 0 || identifier >= NVME_QUEUES || nvme->completions[identifier].size == 0)
        return NVME_QUEUE_INVALID;
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        if (nvme->submissions[i].size != 0 && nvme->submissions[i].completion == identifier)
            return NVME_QUEUE_DELETION;
    }
    nvme->completions[identifier] = (NvmeCompletion){0};
    nvme_update_pin(nvme);
    return NVME_OK;
}

/* --- the rest --- */

static uint16_t
set_features(NvmeController *nvme, const NvmeCommand *command, uint32_t *result)
{
    uint32_t identifier = nvme_word(command, 10) & 0xff;
    uint32_t value = nvme_word(command, 11);
    const uint8_t warnings = nvme_warnings(nvme) & (uint8_t)nvme->features[NVME_FEATURE_EVENTS];

    if (identifier == 0 || identifier == 3 || identifier >= NVME_FEATURES)
        return NVME_INVALID_FIELD;
    if (identifier == NVME_FEATURE_QUEUES) {
        *result = nvme->features[identifier];
        return NVME_OK;
    }
    if (identifier == NVME_FEATURE_WRITE_CACHE)
        value &= 1;
    if (identifier == NVME_FEATURE_TEMPERATURE)
        nvme_set_temperature(nvme, value);
    else
        nvme->features[identifier] = value;
    nvme_check_warnings(nvme, warnings);
    return NVME_OK;
}

static uint16_t
get_features(NvmeController *nvme, const NvmeCommand *command, uint32_t *result)
{
    uint32_t identifier = nvme_word(command, 10) & 0xff;

    if (identifier == 0 || identifier == 3 || identifier >= NVME_FEATURES)
        return NVME_INVALID_FIELD;
    *result = identifier == NVME_FEATURE_TEMPERATURE
                  ? nvme_get_temperature(nvme, nvme_word(command, 11))
                  : nvme->features[identifier];
    return NVME_OK;
}

uint16_t
nvme_admin(NvmeController *nvme, const NvmeCommand *command, uint32_t *result)
{
    switch (command->bytes[0]) {
    case ADMIN_DELETE_SQ: return delete_submission(nvme, command);
    case ADMIN_CREATE_SQ: return create_submission(nvme, command);
    case ADMIN_LOG_PAGE: return nvme_log_page(nvme, command);
    case ADMIN_DELETE_CQ: return delete_completion(nvme, command);
    case ADMIN_CREATE_CQ: return create_completion(nvme, command);
    case ADMIN_IDENTIFY: return nvme_identify(nvme, command);
    case ADMIN_ABORT: return abort_command(nvme, command, result);
    case ADMIN_SET_FEATURES: return set_features(nvme, command, result);
    case ADMIN_GET_FEATURES: return get_features(nvme, command, result);
    case ADMIN_EVENT: return nvme_wait_for_event(nvme, command);
    default: return NVME_INVALID_OPCODE;
    }
}
