/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asynchronous events of the NVMe controller (NVM Express 1.2 section 5.2): requests for them wait
 * until something has happened that the guest wants to know. What has happened is kept, once for
 * each kind; when it has been told, its type keeps still until the guest has read the log page
 * that goes with it. Left out: notices, for namespaces neither come nor go. */
#include "devices/storage/nvme-private.h"

enum { TYPE_ERROR = 0, TYPE_HEALTH = 1 };

/* Feature 4, temperature threshold. */
#define SENSOR(value) ((value) >> 16 & 15)
#define ALL_SENSORS 15u
#define IS_UNDER(value) (((value) >> 20 & 3) == 1)
#define WARNING_TEMPERATURE 0x02u
#define ERROR_ENTRY_NO_COMMAND 0xffffu

typedef struct {
    uint8_t type, information, log;
} Event;

/* clang-format off */
static const Event events[] = {
    [NVME_EVENT_DOORBELL]    = {TYPE_ERROR, 0x00, NVME_LOG_ERRORS},
    [NVME_EVENT_VALUE]       = {TYPE_ERROR, 0x01, NVME_LOG_ERRORS},
    [NVME_EVENT_TEMPERATURE] = {TYPE_HEALTH, 0x01, NVME_LOG_HEALTH},
};
/* clang-format on */

/* The next event that may be told; NULL: there is none. */
static const Event *
next_event(NvmeController *nvme)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++) {
        if ((nvme->happened >> i & 1) != 0 && (nvme->told >> events[i].type & 1) == 0) {
            nvme->happened &= (uint8_t) ~(1u << i);
            return &events[i];
        }
    }
    return NULL;
}

void
nvme_tell_events(NvmeController *nvme)
{
    while (nvme->event_count > 0 && nvme_has_room(&nvme->completions[0])) {
        const Event *event = next_event(nvme);

        if (event == NULL)
            return;
        nvme->told |= (uint8_t)(1u << event->type);
        nvme->completions[0].expected++;
        nvme_complete(nvme, 0, nvme->events[--nvme->event_count], NVME_OK,
                      event->type | (uint32_t)event->information << 8 | (uint32_t)event->log << 16);
    }
}

static void
happen(NvmeController *nvme, NvmeEvent event)
{
    nvme->happened |= (uint8_t)(1u << event);
    nvme_tell_events(nvme);
}

void
nvme_doorbell_error(NvmeController *nvme, NvmeEvent event, uint32_t queue)
{
    if ((nvme->csts & NVME_CSTS_READY) == 0)
        return;
    nvme->error_count++;
    nvme->error_queue = (uint16_t)queue;
    happen(nvme, event);
}

uint16_t
nvme_wait_for_event(NvmeController *nvme, const NvmeCommand *command)
{
    if (nvme->event_count == NVME_EVENTS_MAX)
        return NVME_EVENT_LIMIT;
    nvme->events[nvme->event_count++] = nvme_identifier(command);
    /* Until there is something to tell it needs no room in the completion queue. */
    if (nvme->completions[0].expected > 0)
        nvme->completions[0].expected--;
    nvme_tell_events(nvme);
    return NVME_PENDING;
}

void
nvme_log_was_read(NvmeController *nvme, unsigned log)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++) {
        if (events[i].log == log)
            nvme->told &= (uint8_t) ~(1u << events[i].type);
    }
}

/* The last one only: no command and no place in one is to blame. */
void
nvme_put_error_log(const NvmeController *nvme, uint8_t page[64])
{
    if (nvme->error_count == 0)
        return;
    for (unsigned i = 0; i < 8; i++)
        page[i] = (uint8_t)(nvme->error_count >> (8 * i));
    page[8] = (uint8_t)nvme->error_queue;
    page[9] = (uint8_t)(nvme->error_queue >> 8);
    for (unsigned at = 10; at < 16; at += 2) {
        page[at] = (uint8_t)ERROR_ENTRY_NO_COMMAND;
        page[at + 1] = (uint8_t)(ERROR_ENTRY_NO_COMMAND >> 8);
    }
    page[12] = page[13] = 0; /* status */
}

/* --- temperature --- */

uint8_t
nvme_warnings(const NvmeController *nvme)
{
    const bool over = NVME_TEMPERATURE >= nvme->features[NVME_FEATURE_TEMPERATURE];
    const bool under = NVME_TEMPERATURE <= nvme->temperature_low;

    return over || under ? WARNING_TEMPERATURE : 0;
}

void
nvme_check_warnings(NvmeController *nvme, uint8_t before)
{
    if ((nvme_warnings(nvme) & ~before & nvme->features[NVME_FEATURE_EVENTS]) != 0)
        happen(nvme, NVME_EVENT_TEMPERATURE);
}

void
nvme_set_temperature(NvmeController *nvme, uint32_t value)
{
    if (SENSOR(value) != 0 && SENSOR(value) != ALL_SENSORS)
        return;
    if (IS_UNDER(value))
        nvme->temperature_low = value & 0xffff;
    else
        nvme->features[NVME_FEATURE_TEMPERATURE] = value & 0xffff;
}

uint32_t
nvme_get_temperature(const NvmeController *nvme, uint32_t value)
{
    if (SENSOR(value) != 0)
        return 0;
    return IS_UNDER(value) ? nvme->temperature_low : nvme->features[NVME_FEATURE_TEMPERATURE];
}
