/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Queues: work that any thread hands to virtual CPU 0's thread. All queues of a VM share one list,
 * so items run in the order in which they came; pushing takes no lock. */
#include "vmm/pdm/pdm-private.h"

static PdmQueue *
queue_new(Pdm *pdm, void (*run)(void *user, void *item), void *user)
{
    PdmQueue *queue = g_new0(PdmQueue, 1);

    queue->pdm = pdm;
    queue->run = run;
    queue->user = user;
    g_ptr_array_add(pdm->queues, queue);
    return queue;
}

PdmQueue *
pdm_api_queue_new(PdmDevice *device, void (*run)(void *user, void *item), void *user)
{
    return queue_new(pdm_of(device), run, user);
}

PdmQueue *
pdm_api_driver_queue_new(PdmDriver *driver, void (*run)(void *user, void *item), void *user)
{
    PdmQueue *queue = queue_new(((PdmDriverInstance *)driver)->owner.pdm, run, user);

    queue->driver = driver;
    return queue;
}

static void
run_nothing(void *user, void *item)
{
}

void
pdm_queues_silence(Pdm *pdm, const void *driver)
{
    for (guint i = 0; i < pdm->queues->len; i++) {
        PdmQueue *queue = pdm->queues->pdata[i];

        if (queue->driver == driver)
            queue->run = run_nothing;
    }
}

void
pdm_api_queue_push(PdmQueue *queue, void *item)
{
    Pdm *pdm = queue->pdm;
    PdmQueueItem *entry = g_new(PdmQueueItem, 1);

    entry->queue = queue;
    entry->item = item;
    entry->next = atomic_load(&pdm->queued);
    while (!atomic_compare_exchange_weak(&pdm->queued, &entry->next, entry))
        ;
    cpum_pend(cpum_vcpu(pdm->rooms.cpum, 0), CPUM_PEND_QUEUE);
}

/* Takes the list, the oldest first. */
static PdmQueueItem *
take_all(Pdm *pdm)
{
    PdmQueueItem *latest = atomic_exchange(&pdm->queued, NULL);
    PdmQueueItem *oldest = NULL;

    while (latest != NULL) {
        PdmQueueItem *next = latest->next;

        latest->next = oldest;
        oldest = latest;
        latest = next;
    }
    return oldest;
}

bool
pdm_queues_pending(Pdm *pdm)
{
    return atomic_load(&pdm->queued) != NULL;
}

void
pdm_run_queues(Pdm *pdm)
{
    PdmQueueItem *entry = take_all(pdm);

    while (entry != NULL) {
        PdmQueueItem *next = entry->next;

        pdm_enter(pdm);
        entry->queue->run(entry->queue->user, entry->item);
        pdm_leave(pdm);
        g_free(entry);
        entry = next;
    }
}

void
pdm_queues_drop(Pdm *pdm)
{
    PdmQueueItem *entry = take_all(pdm);

    while (entry != NULL) {
        PdmQueueItem *next = entry->next;

        g_free(entry);
        entry = next;
    }
}
