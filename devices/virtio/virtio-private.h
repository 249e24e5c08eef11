/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Between the common configuration, the legacy interface and the PCI function. */
#pragma once

#include "devices/virtio/virtio.h"

/* Parts of the window at BAR 4. */
enum {
    VIRTIO_AT_COMMON = 0x0000,
    VIRTIO_AT_ISR = 0x1000,
    VIRTIO_AT_DEVICE = 0x2000,
    VIRTIO_AT_NOTIFY = 0x3000,
    VIRTIO_WINDOW_SIZE = 0x4000,
    VIRTIO_COMMON_SIZE = 0x38,
    VIRTIO_NOTIFY_STEP = 4,
};

/* Ports before the type's configuration, with those of MSI-X. */
enum { VIRTIO_LEGACY_SIZE = 0x18 };

/* virtio-common.c: registers, size 1, 2 or 4. */
uint32_t virtio_common_read(VirtioDevice *virtio, uint32_t offset, unsigned size);
void virtio_common_write(VirtioDevice *virtio, uint32_t offset, uint32_t value, unsigned size);
/* The queue that the driver has chosen; NULL: there is none. */
VirtQueue *virtio_selected(VirtioDevice *virtio);
/* A vector as the driver wrote it; VIRTIO_NO_VECTOR where there is none of that number. */
uint16_t virtio_checked_vector(const VirtioDevice *virtio, uint32_t value);
/* The driver says that there are chains in a queue: passed on when it may. */
void virtio_notify(VirtioDevice *virtio, uint32_t queue);
/* The same for every queue in use, when the driver has become ready. */
void virtio_notify_all(VirtioDevice *virtio);
/* The driver writes 0 to the status. */
void virtio_driver_reset(VirtioDevice *virtio);

/* virtio-pci.c: reading it ends the interrupt. */
uint32_t virtio_read_isr(VirtioDevice *virtio);

/* virtio-legacy.c: of IomPortOps, for a VirtioDevice. */
uint32_t virtio_legacy_read(void *user, uint32_t offset, unsigned size);
void virtio_legacy_write(void *user, uint32_t offset, uint32_t value, unsigned size);
