/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Between the common configuration and the PCI function. */
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

/* virtio-common.c: registers, size 1, 2 or 4. */
uint32_t virtio_common_read(VirtioDevice *virtio, uint32_t offset, unsigned size);
void virtio_common_write(VirtioDevice *virtio, uint32_t offset, uint32_t value, unsigned size);
