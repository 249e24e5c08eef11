/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The common configuration (VIRTIO 1.1 section 4.1.4.3), status and features. */
#include "devices/virtio/virtio-private.h"

#include <string.h>

enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    CONFIG_VECTOR = 0x10,
    QUEUE_COUNT = 0x12,
    STATUS = 0x14,
    GENERATION = 0x15,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY = 0x1e,
    QUEUE_DESCRIPTORS = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
};

void
virtio_reset(VirtioDevice *virtio)
{
    virtio->features = 0;
    virtio->feature_select = virtio->driver_feature_select = 0;
    virtio->queue_select = 0;
    virtio->config_vector = VIRTIO_NO_VECTOR;
    virtio->status = virtio->isr = virtio->legacy = 0;
    memset(virtio->queues, 0, sizeof(virtio->queues));
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
        virtio->queues[i].size = VIRTQUEUE_SIZE_MAX;
        virtio->queues[i].vector = VIRTIO_NO_VECTOR;
    }
    pdm_pci_irq(virtio->device, virtio->pci, false);
}

void
virtio_interrupt(VirtioDevice *virtio, uint16_t vector, uint8_t isr)
{
    if (pci_msix_enabled(&virtio->msix)) {
        if (vector != VIRTIO_NO_VECTOR)
            pci_msix_send(&virtio->msix, vector);
        return;
    }
    virtio->isr |= isr;
    pdm_pci_irq(virtio->device, virtio->pci, true);
}

void
virtio_config_changed(VirtioDevice *virtio)
{
    virtio->generation++;
    if ((virtio->status & VIRTIO_STATUS_DRIVER_OK) != 0)
        virtio_interrupt(virtio, virtio->config_vector, 2);
}

void
virtio_break(VirtioDevice *virtio, const char *id, const char *what)
{
    pdm_guest_error(virtio->device, id, "%s", what);
    virtio->status |= VIRTIO_STATUS_NEEDS_RESET;
    virtio_config_changed(virtio);
}

/* --- queues --- */

VirtQueue *
virtio_selected(VirtioDevice *virtio)
{
    return virtio->queue_select < virtio->queue_count ? &virtio->queues[virtio->queue_select]
                                                      : NULL;
}

static uint32_t
read_queue(const VirtioDevice *virtio, const VirtQueue *queue, uint32_t offset)
{
    switch (offset) {
    case QUEUE_SIZE: return queue->size;
    case QUEUE_VECTOR: return queue->vector;
    case QUEUE_ENABLE: return queue->enabled;
    case QUEUE_NOTIFY: return virtio->queue_select;
    case QUEUE_DESCRIPTORS: return (uint32_t)queue->descriptors;
    case QUEUE_DESCRIPTORS + 4: return (uint32_t)(queue->descriptors >> 32);
    case QUEUE_DRIVER: return (uint32_t)queue->driver;
    case QUEUE_DRIVER + 4: return (uint32_t)(queue->driver >> 32);
    case QUEUE_DEVICE: return (uint32_t)queue->device;
    case QUEUE_DEVICE + 4: return (uint32_t)(queue->device >> 32);
    default: return 0;
    }
}

static void
set_half(uint64_t *address, bool high, uint32_t value)
{
    if (high)
        *address = (uint32_t)*address | (uint64_t)value << 32;
    else
        *address = (*address & ~0xffffffffull) | value;
}

static bool
size_is_good(uint32_t size)
{
    return size >= 1 && size <= VIRTQUEUE_SIZE_MAX && (size & (size - 1)) == 0;
}

uint16_t
virtio_checked_vector(const VirtioDevice *virtio, uint32_t value)
{
    return value < virtio->msix.vectors ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

void
virtio_notify(VirtioDevice *virtio, uint32_t queue)
{
    if (queue < virtio->queue_count && virtio->queues[queue].enabled && virtio_ready(virtio))
        virtio->ops->notify(virtio->user, queue);
}

void
virtio_notify_all(VirtioDevice *virtio)
{
    for (unsigned i = 0; i < virtio->queue_count; i++)
        virtio_notify(virtio, i);
}

static void
write_queue(VirtioDevice *virtio, VirtQueue *queue, uint32_t offset, uint32_t value)
{
    if (offset == QUEUE_VECTOR) {
        queue->vector = virtio_checked_vector(virtio, value);
        return;
    }
    /* The rest stays as it is while the queue is in use. */
    if (queue->enabled)
        return;
    switch (offset) {
    case QUEUE_SIZE:
        if (size_is_good(value))
            queue->size = (uint16_t)value;
        break;
    case QUEUE_ENABLE: queue->enabled = value == 1; break;
    case QUEUE_DESCRIPTORS:
    case QUEUE_DESCRIPTORS + 4:
        set_half(&queue->descriptors, offset != QUEUE_DESCRIPTORS, value);
        break;
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4: set_half(&queue->driver, offset != QUEUE_DRIVER, value); break;
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4: set_half(&queue->device, offset != QUEUE_DEVICE, value); break;
    default: break;
    }
}

/* --- features and status --- */

static uint32_t
half(uint64_t value, uint32_t select)
{
    return select < 2 ? (uint32_t)(value >> (32 * select)) : 0;
}

static void
write_features(VirtioDevice *virtio, uint32_t value)
{
    if ((virtio->status & VIRTIO_STATUS_FEATURES_OK) == 0 && !virtio->legacy &&
        virtio->driver_feature_select < 2)
        set_half(&virtio->features, virtio->driver_feature_select == 1, value);
}

void
virtio_driver_reset(VirtioDevice *virtio)
{
    virtio_reset(virtio);
    virtio->ops->reset(virtio->user);
}

static void
write_status(VirtioDevice *virtio, uint8_t value)
{
    uint8_t kept = virtio->status & VIRTIO_STATUS_NEEDS_RESET;
    bool was_ready = virtio_ready(virtio);

    if (value == 0) {
        virtio_driver_reset(virtio);
        return;
    }
    if ((value & ~virtio->status & VIRTIO_STATUS_FEATURES_OK) != 0 &&
        ((virtio->features & ~virtio->offered) != 0 || !virtio_has(virtio, VIRTIO_F_VERSION_1)))
        value &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    if ((value & VIRTIO_STATUS_FEATURES_OK) == 0)
        value &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
    virtio->status = (uint8_t)(value & ~VIRTIO_STATUS_NEEDS_RESET) | kept;
    /* Chains may have been there before. */
    if (!was_ready)
        virtio_notify_all(virtio);
}

/* --- registers --- */

static uint32_t
read_word(VirtioDevice *virtio, uint32_t offset)
{
    const VirtQueue *queue = virtio_selected(virtio);

    switch (offset) {
    case DEVICE_FEATURE_SELECT: return virtio->feature_select;
    case DEVICE_FEATURE: return half(virtio->offered, virtio->feature_select);
    case DRIVER_FEATURE_SELECT: return virtio->driver_feature_select;
    case DRIVER_FEATURE: return half(virtio->features, virtio->driver_feature_select);
    case CONFIG_VECTOR: return virtio->config_vector;
    case QUEUE_COUNT: return virtio->queue_count;
    case STATUS: return virtio->status;
    case GENERATION: return virtio->generation;
    case QUEUE_SELECT: return virtio->queue_select;
    default: return queue != NULL ? read_queue(virtio, queue, offset) : 0;
    }
}

uint32_t
virtio_common_read(VirtioDevice *virtio, uint32_t offset, unsigned size)
{
    uint32_t value = read_word(virtio, offset);

    return size == 4 ? value : value & ((1u << (8 * size)) - 1);
}

void
virtio_common_write(VirtioDevice *virtio, uint32_t offset, uint32_t value, unsigned size)
{
    VirtQueue *queue = virtio_selected(virtio);

    switch (offset) {
    case DEVICE_FEATURE_SELECT: virtio->feature_select = value; break;
    case DRIVER_FEATURE_SELECT: virtio->driver_feature_select = value; break;
    case DRIVER_FEATURE: write_features(virtio, value); break;
    case CONFIG_VECTOR: virtio->config_vector = virtio_checked_vector(virtio, value); break;
    case STATUS: write_status(virtio, (uint8_t)value); break;
    case QUEUE_SELECT: virtio->queue_select = (uint16_t)value; break;
    default:
        if (queue != NULL)
            write_queue(virtio, queue, offset, value);
        break;
    }
}

/* --- saved state --- */

/* clang-format off */
static const SsmField queue_fields[] = {
    SSM_UINT_BELOW(VirtQueue, size, VIRTQUEUE_SIZE_MAX + 1),
    SSM_UINT_BELOW(VirtQueue, enabled, 2),
    SSM_UINT(VirtQueue, vector),
    SSM_UINT(VirtQueue, descriptors),
    SSM_UINT(VirtQueue, driver),
    SSM_UINT(VirtQueue, device),
    SSM_UINT(VirtQueue, next_available),
    SSM_UINT(VirtQueue, next_used),
    SSM_UINT(VirtQueue, signalled),
    SSM_UINT_BELOW(VirtQueue, signalled_valid, 2),
    SSM_UINT_ARRAY(VirtQueue, in_flight),
    SSM_END,
};

const SsmField virtio_fields[] = {
    SSM_STRUCT(VirtioDevice, msix, pci_msix_fields),
    SSM_UINT(VirtioDevice, features),
    SSM_UINT(VirtioDevice, feature_select),
    SSM_UINT(VirtioDevice, driver_feature_select),
    SSM_UINT(VirtioDevice, queue_select),
    SSM_UINT(VirtioDevice, config_vector),
    SSM_UINT(VirtioDevice, status),
    SSM_UINT(VirtioDevice, isr),
    SSM_UINT(VirtioDevice, generation),
    SSM_STRUCT_ARRAY(VirtioDevice, queues, queue_fields),
    SSM_UINT_SINCE(VirtioDevice, legacy, VIRTIO_STATE_LEGACY),
    SSM_END,
};
/* clang-format on */

bool
virtio_holds(const VirtioDevice *virtio)
{
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
        if (!size_is_good(virtio->queues[i].size))
            return false;
    }
    return (!virtio->legacy && (virtio->status & VIRTIO_STATUS_FEATURES_OK) == 0) ||
           (virtio->features & ~virtio->offered) == 0;
}
