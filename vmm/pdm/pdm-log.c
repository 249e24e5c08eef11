/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What devices and drivers say: log lines at a limited rate, bad guest input once for each kind,
 * messages for the user. */
#include "vmm/base/clock.h"
#include "vmm/pdm/pdm-private.h"

#define LOG_BURST 50
#define LOG_INTERVAL_NS 1000000000ull
#define MESSAGE_BURST 10
#define MESSAGE_INTERVAL_NS 10000000000ull
/* Ids are static strings of our own, so this bounds a device that makes them up. */
#define GUEST_ERRORS_MAX 256u

void
pdm_owner_init(PdmOwner *owner, Pdm *pdm, char *name)
{
    owner->pdm = pdm;
    owner->name = name;
    owner->limit = (BaseLogLimit){.burst = LOG_BURST, .interval_ns = LOG_INTERVAL_NS};
    owner->message_limit =
        (BaseLogLimit){.burst = MESSAGE_BURST, .interval_ns = MESSAGE_INTERVAL_NS};
    g_mutex_init(&owner->limit.lock);
    g_mutex_init(&owner->message_limit.lock);
    g_mutex_init(&owner->lock);
    owner->guest_errors = g_hash_table_new(g_str_hash, g_str_equal);
}

void
pdm_owner_clear(PdmOwner *owner)
{
    g_hash_table_destroy(owner->guest_errors);
    g_mutex_clear(&owner->limit.lock);
    g_mutex_clear(&owner->message_limit.lock);
    g_mutex_clear(&owner->lock);
    g_free(owner->name);
}

void
pdm_api_log(void *speaker, const char *format, ...)
{
    PdmOwner *owner = speaker;
    uint32_t dropped;
    va_list arguments;

    if (!base_log_allow(&owner->limit, base_clock_ns(), &dropped))
        return;
    if (dropped > 0)
        base_log(owner->pdm->log, owner->name, "(%u lines were left out)", dropped);
    va_start(arguments, format);
    base_log_va(owner->pdm->log, owner->name, format, arguments);
    va_end(arguments);
}

void
pdm_api_guest_error(PdmDevice *device, const char *id, const char *format, ...)
{
    PdmOwner *owner = &pdm_instance(device)->owner;
    g_autofree char *text = NULL;
    va_list arguments;
    bool first;

    g_mutex_lock(&owner->lock);
    first = g_hash_table_size(owner->guest_errors) < GUEST_ERRORS_MAX &&
            g_hash_table_add(owner->guest_errors, (void *)id);
    g_mutex_unlock(&owner->lock);
    if (!first)
        return;
    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    base_log(owner->pdm->log, owner->name, "guest: %s (%s; said once)", text, id);
}

void
pdm_api_runtime_message(void *speaker, PdmSeverity severity, const char *id, const char *message)
{
    PdmOwner *owner = speaker;
    const PdmHost *host = &owner->pdm->host;
    uint32_t dropped;

    /* What does not stop the machine a guest may be able to cause again and again. */
    if (severity == PDM_RUNTIME_WARNING &&
        !base_log_allow(&owner->message_limit, base_clock_ns(), &dropped))
        return;
    base_log(owner->pdm->log, owner->name, "%s: %s", id, message);
    if (host->runtime_message != NULL)
        host->runtime_message(host->user, severity, id, message);
}
