/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The legacy interface (VIRTIO 1.1 sections 4.1.4.8, 2.6.2 and 3.1.2): registers at ports, queues
 * of a fixed size in one run of pages, and a driver that may use the device before it says that it
 * is ready. All is little-endian, as the guest is. */
#include "devices/virtio/virtio-private.h"

enum {
    DEVICE_FEATURES = 0x00,
    DRIVER_FEATURES = 0x04,
    QUEUE_ADDRESS = 0x08,
    QUEUE_SIZE = 0x0c,
    QUEUE_SELECT = 0x0e,
    QUEUE_NOTIFY = 0x10,
    STATUS = 0x12,
    ISR = 0x13,
    /* Only while MSI-X is switched on; the type's configuration follows. */
    CONFIG_VECTOR = 0x14,
    QUEUE_VECTOR = 0x16,
};

enum {
    PAGE = 4096,
    DESCRIPTOR_SIZE = 16,
    STATUS_BITS = 0x87, /* acknowledge, driver, driver ok, failed */
};

/* Headers and data may lie in the descriptors as the driver likes. */
#define F_ANY_LAYOUT (1u << 27)

static uint32_t
config_at(const VirtioDevice *virtio)
{
    return pci_msix_enabled(&virtio->msix) ? VIRTIO_LEGACY_SIZE : CONFIG_VECTOR;
}

static uint32_t
read_register(VirtioDevice *virtio, uint32_t offset)
{
    const VirtQueue *queue = virtio_selected(virtio);

    switch (offset) {
    case DEVICE_FEATURES: return (uint32_t)virtio->offered | F_ANY_LAYOUT;
    case DRIVER_FEATURES: return (uint32_t)virtio->features;
    case QUEUE_ADDRESS: return queue != NULL ? (uint32_t)(queue->descriptors / PAGE) : 0;
    case QUEUE_SIZE: return queue != NULL ? queue->size : 0;
    case QUEUE_SELECT: return virtio->queue_select;
    case STATUS: return virtio->status;
    case ISR: return virtio_read_isr(virtio);
    case CONFIG_VECTOR: return virtio->config_vector;
    case QUEUE_VECTOR: return queue != NULL ? queue->vector : VIRTIO_NO_VECTOR;
    default: return 0;
    }
}

uint32_t
virtio_legacy_read(void *user, uint32_t offset, unsigned size)
{
    VirtioDevice *virtio = user;
    const uint32_t config = config_at(virtio);
    uint32_t value;

    if (offset >= config)
        return offset - config < virtio->config_size
                   ? virtio->ops->read_config(virtio->user, offset - config, size)
                   : 0;
    value = read_register(virtio, offset);
    return size == 4 ? value : value & ((1u << (8 * size)) - 1);
}

/* Page 0 stops the queue; the parts lie behind each other, the device's on a page of its own. */
static void
set_address(VirtioDevice *virtio, VirtQueue *queue, uint32_t page)
{
    const unsigned index = (unsigned)(queue - virtio->queues);

    if (queue->enabled && virtio->ops->stop != NULL)
        virtio->ops->stop(virtio->user, index);
    *queue = (VirtQueue){.size = queue->size, .vector = queue->vector, .enabled = page != 0};
    if (page == 0)
        return;
    queue->descriptors = (uint64_t)page * PAGE;
    queue->driver = queue->descriptors + (uint64_t)DESCRIPTOR_SIZE * queue->size;
    /* Flags, index and the event index are two bytes each, as every entry is. */
    queue->device = (queue->driver + 2ull * (3u + queue->size) + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static void
write_status(VirtioDevice *virtio, uint8_t value)
{
    const uint8_t before = virtio->status;

    if (value == 0) {
        virtio_driver_reset(virtio);
        return;
    }
    virtio->status = (value & STATUS_BITS) | (before & VIRTIO_STATUS_NEEDS_RESET);
    if ((virtio->status & ~before & VIRTIO_STATUS_DRIVER_OK) != 0)
        virtio_notify_all(virtio);
}

/* From here on until a reset the driver is one of the old kind. */
static void
begin(VirtioDevice *virtio)
{
    virtio->legacy = 1;
    virtio->features &= virtio->offered;
}

static void
write_register(VirtioDevice *virtio, uint32_t offset, uint32_t value)
{
    VirtQueue *queue = virtio_selected(virtio);

    switch (offset) {
    case DRIVER_FEATURES: virtio->features = value & virtio->offered; break;
    case QUEUE_ADDRESS:
        if (queue != NULL)
            set_address(virtio, queue, value);
        break;
    case QUEUE_SELECT: virtio->queue_select = (uint16_t)value; break;
    case QUEUE_NOTIFY: virtio_notify(virtio, (uint16_t)value); break;
    case STATUS: write_status(virtio, (uint8_t)value); break;
    case CONFIG_VECTOR:
        virtio->config_vector = virtio_checked_vector(virtio, (uint16_t)value);
        break;
    case QUEUE_VECTOR:
        if (queue != NULL)
            queue->vector = virtio_checked_vector(virtio, (uint16_t)value);
        break;
    default: break;
    }
}

void
virtio_legacy_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    VirtioDevice *virtio = user;
    const uint32_t config = config_at(virtio);

    begin(virtio);
    if (offset < config)
        write_register(virtio, offset, value);
    else if (offset - config < virtio->config_size && virtio->ops->write_config != NULL)
        virtio->ops->write_config(virtio->user, offset - config, value, size);
}
