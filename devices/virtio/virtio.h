/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A virtio device on PCI: VIRTIO 1.1 chapters 2 to 4, for modern drivers, for those from before the
 * standard (legacy), or for both. The device type's part is in VirtioOps. */
#pragma once

#include "devices/pci/pci-msi.h"
#include "devices/virtio/virtqueue.h"

#define VIRTIO_QUEUES_MAX 16u

/* Features of every device. */
#define VIRTIO_F_INDIRECT (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)

enum {
    VIRTIO_STATUS_DRIVER_OK = 0x04,
    VIRTIO_STATUS_FEATURES_OK = 0x08,
    VIRTIO_STATUS_NEEDS_RESET = 0x40,
};

/* The version of a saved state from which on virtio_fields has all that it has. */
enum { VIRTIO_STATE_LEGACY = 2 };

/* Which drivers a device can be used by. */
typedef enum { VIRTIO_MODERN, VIRTIO_TRANSITIONAL, VIRTIO_LEGACY } VirtioInterface;

typedef struct {
    /* The type's configuration, size 1, 2 or 4. */
    uint32_t (*read_config)(void *user, uint32_t offset, unsigned size);
    void (*write_config)(void *user, uint32_t offset, uint32_t value, unsigned size); /* NULL: no */
    /* There may be chains in a queue; the driver is ready. */
    void (*notify)(void *user, unsigned queue);
    /* Everything that is under way is forgotten. */
    void (*reset)(void *user);
    /* A legacy driver has taken a queue away: its chains are forgotten. NULL: nothing is kept. */
    void (*stop)(void *user, unsigned queue);
} VirtioOps;

typedef struct {
    const char *name; /* of its window, static */
    uint16_t type;    /* 1 network, 2 block, 8 SCSI */
    uint8_t subclass, class_code;
    int slot;          /* PCI, -1: any */
    uint64_t features; /* beside the three above */
    unsigned queues;
    uint32_t config_size;
    VirtioInterface interface;
} VirtioInfo;

struct VirtioDevice {
    PdmDevice *device;
    PdmPci *pci;
    PciMsix msix;
    const VirtioOps *ops;
    void *user;
    uint64_t offered;
    unsigned queue_count;
    uint32_t config_size;
    uint8_t access_at; /* of the capability that reaches the window through configuration space */

    uint64_t features; /* that the driver has taken */
    uint32_t feature_select, driver_feature_select;
    uint16_t queue_select, config_vector;
    uint8_t status, isr, generation;
    uint8_t legacy; /* the driver uses the legacy interface: 0 or 1 */
    VirtQueue queues[VIRTIO_QUEUES_MAX];
};

/* The choice of the option VIRTIO_OPTION(usual). */
VirtioInterface virtio_interface(const CfgmNode *config, VirtioInterface usual);
extern const char *const virtio_interface_names[];
/* clang-format off */
#define VIRTIO_OPTION(usual)                                                                       \
    {.key = "Interface", .title = "Interface", .type = PDM_OPTION_CHOICE, .text = usual,           \
     .choices = virtio_interface_names}
/* clang-format on */

/* In construct. */
bool virtio_init(VirtioDevice *virtio, PdmDevice *device, const VirtioInfo *info,
                 const VirtioOps *ops, void *user, GError **error);
/* As the driver's reset, without ops->reset; for the PDM device's reset. */
void virtio_reset(VirtioDevice *virtio);
/* The type's configuration has changed. */
void virtio_config_changed(VirtioDevice *virtio);

static inline bool
virtio_has(const VirtioDevice *virtio, uint64_t feature)
{
    return (virtio->features & feature) != 0;
}

/* The driver may use its queues; old ones do so before they say that they are ready. */
static inline bool
virtio_ready(const VirtioDevice *virtio)
{
    return (virtio->status & VIRTIO_STATUS_NEEDS_RESET) == 0 &&
           (virtio->legacy || (virtio->status & VIRTIO_STATUS_DRIVER_OK) != 0);
}

/* Bad input of the driver: nothing works until it resets the device. */
void virtio_break(VirtioDevice *virtio, const char *id, const char *what);
/* An interrupt for a queue's vector. */
void virtio_interrupt(VirtioDevice *virtio, uint16_t vector, uint8_t isr);

extern const SsmField virtio_fields[];
/* Whether a loaded state is one that a driver could have made. */
bool virtio_holds(const VirtioDevice *virtio);
