/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The control thread: tells the embedder what happened, one event after the other and without
 * locks, and does what the guest asked for (reset, power off) or what a fault asks for (pause,
 * stop). */
#include "vmm/base/clock.h"
#include "vmm/vm/vm-private.h"

static void
event_free(VmEvent *event)
{
    g_free(event->id);
    g_free(event->text);
    g_free(event);
}

static void
tell(const VmmEvents *events, const VmEvent *event)
{
    switch (event->type) {
    case VM_EVENT_STATE:
        if (events->state_changed != NULL)
            events->state_changed(events->user, event->state);
        break;
    case VM_EVENT_MESSAGE:
        if (events->runtime_message != NULL)
            events->runtime_message(events->user, event->severity, event->id, event->text);
        break;
    case VM_EVENT_POWER_OFF:
        if (events->guest_power_off != NULL)
            events->guest_power_off(events->user);
        break;
    case VM_EVENT_RESET:
        if (events->guest_reset != NULL)
            events->guest_reset(events->user);
        break;
    case VM_EVENT_TRIPLE_FAULT:
        if (events->triple_fault != NULL)
            events->triple_fault(events->user, event->text);
        break;
    }
}

static void
push_event(Vmm *vmm, VmEvent *event)
{
    g_mutex_lock(&vmm->lock);
    g_queue_push_tail(&vmm->event_queue, event);
    g_cond_broadcast(&vmm->changed);
    g_mutex_unlock(&vmm->lock);
}

void
vm_send(Vmm *vmm, VmEventType type, PdmSeverity severity, const char *id, const char *text)
{
    VmEvent *event = g_new0(VmEvent, 1);

    event->type = type;
    event->severity = severity;
    event->id = g_strdup(id);
    event->text = g_strdup(text);
    push_event(vmm, event);
}

void
vm_set_state(Vmm *vmm, VmmState state)
{
    VmEvent *event;
    bool same;

    g_mutex_lock(&vmm->lock);
    same = vmm->state == state;
    vmm->state = state;
    g_mutex_unlock(&vmm->lock);
    if (same)
        return;
    event = g_new0(VmEvent, 1);
    event->type = VM_EVENT_STATE;
    event->state = state;
    push_event(vmm, event);
}

VmmState
vmm_state(const Vmm *vmm)
{
    GMutex *lock = (GMutex *)&vmm->lock;
    VmmState state;

    g_mutex_lock(lock);
    state = vmm->state;
    g_mutex_unlock(lock);
    return state;
}

void
vm_log_guest(Vmm *vmm, const char *format, ...)
{
    uint32_t dropped;
    va_list arguments;

    if (!base_log_allow(&vmm->guest_limit, base_clock_ns(), &dropped))
        return;
    if (dropped > 0)
        base_log(vmm->log, "vm", "(%u lines were left out)", dropped);
    va_start(arguments, format);
    base_log_va(vmm->log, "vm", format, arguments);
    va_end(arguments);
}

uint32_t
vm_take_requests(Vmm *vmm)
{
    uint32_t requests;

    g_mutex_lock(&vmm->lock);
    requests = vmm->requests;
    vmm->requests = 0;
    g_mutex_unlock(&vmm->lock);
    return requests;
}

static void
handle_requests(Vmm *vmm)
{
    uint32_t requests;

    g_mutex_lock(&vmm->transition);
    /* Whoever held the lock before may have taken them. */
    requests = vm_take_requests(vmm);
    if (requests != 0) {
        vm_cpus_park(vmm);
        vm_do_requests(vmm, requests);
    }
    if (vmm_state(vmm) == VMM_RUNNING)
        vm_cpus_continue(vmm);
    g_mutex_unlock(&vmm->transition);
}

static void *
control_main(void *data)
{
    Vmm *vmm = data;

    for (;;) {
        VmEvent *event;
        bool requests;

        g_mutex_lock(&vmm->lock);
        while (g_queue_is_empty(&vmm->event_queue) && vmm->requests == 0 && !vmm->control_quit)
            g_cond_wait(&vmm->changed, &vmm->lock);
        event = g_queue_pop_head(&vmm->event_queue);
        requests = vmm->requests != 0 && !vmm->control_quit;
        g_mutex_unlock(&vmm->lock);
        if (event != NULL) {
            tell(&vmm->events, event);
            event_free(event);
        } else if (requests) {
            handle_requests(vmm);
        } else {
            return NULL;
        }
    }
}

void
vm_control_start(Vmm *vmm)
{
    vmm->control = g_thread_new("vm-control", control_main, vmm);
}

void
vm_control_end(Vmm *vmm)
{
    g_mutex_lock(&vmm->lock);
    vmm->control_quit = true;
    g_cond_broadcast(&vmm->changed);
    g_mutex_unlock(&vmm->lock);
    g_thread_join(vmm->control);
}
