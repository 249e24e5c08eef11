/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCI function of a virtio device (VIRTIO 1.1 section 4.1): its window with four parts, the
 * capabilities that say where they are, the one through which firmware reaches the window without
 * mapping it, and the ports of the legacy interface. */
#include "devices/virtio/virtio-private.h"

#include <string.h>

enum {
    VENDOR = 0x1af4,
    DEVICE_BASE = 0x1040,
    SUBSYSTEM_BASE = 0x1100,
    PORTS_BAR = 0,
    MSIX_BAR = 1,
    WINDOW_BAR = 4,
};

enum {
    CAPABILITY_VENDOR = 0x09,
    CAPABILITY_SIZE = 16,
    TYPE_COMMON = 1,
    TYPE_NOTIFY = 2,
    TYPE_ISR = 3,
    TYPE_DEVICE = 4,
    TYPE_ACCESS = 5,
    /* Fields of a capability. */
    CAP_LENGTH = 2,
    CAP_TYPE = 3,
    CAP_BAR = 4,
    CAP_OFFSET = 8,
    CAP_BYTES = 12,
    CAP_MORE = 16, /* step of notifications; data of an access */
};

static uint32_t
load32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void
store32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* --- the window --- */

uint32_t
virtio_read_isr(VirtioDevice *virtio)
{
    uint32_t value = virtio->isr;

    virtio->isr = 0;
    pdm_pci_irq(virtio->device, virtio->pci, false);
    return value;
}

static uint64_t
window_read(void *user, uint64_t offset, unsigned size)
{
    VirtioDevice *virtio = user;

    if (offset < VIRTIO_COMMON_SIZE)
        return virtio_common_read(virtio, (uint32_t)offset, size);
    if (offset == VIRTIO_AT_ISR)
        return virtio_read_isr(virtio);
    if (offset >= VIRTIO_AT_DEVICE && offset < VIRTIO_AT_DEVICE + virtio->config_size)
        return virtio->ops->read_config(virtio->user, (uint32_t)offset - VIRTIO_AT_DEVICE, size);
    return 0;
}

static void
window_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    VirtioDevice *virtio = user;

    if (offset < VIRTIO_COMMON_SIZE)
        virtio_common_write(virtio, (uint32_t)offset, (uint32_t)value, size);
    else if (offset >= VIRTIO_AT_NOTIFY)
        virtio_notify(virtio, ((uint32_t)offset - VIRTIO_AT_NOTIFY) / VIRTIO_NOTIFY_STEP);
    else if (offset >= VIRTIO_AT_DEVICE && offset < VIRTIO_AT_DEVICE + virtio->config_size &&
             virtio->ops->write_config != NULL)
        virtio->ops->write_config(virtio->user, (uint32_t)offset - VIRTIO_AT_DEVICE,
                                  (uint32_t)value, size);
}

static const IomMmioOps window_ops = {
    .read = window_read,
    .write = window_write,
    .max_size = 4,
};

/* --- access through configuration space --- */

/* What the capability points at; false: nothing that could be reached. */
static bool
access_target(const VirtioDevice *virtio, uint32_t *offset, unsigned *size)
{
    const uint8_t *cap = pdm_pci_config(virtio->device, virtio->pci) + virtio->access_at;

    *offset = load32(cap + CAP_OFFSET);
    *size = load32(cap + CAP_BYTES);
    return cap[CAP_BAR] == WINDOW_BAR && (*size == 1 || *size == 2 || *size == 4) &&
           *offset < VIRTIO_WINDOW_SIZE && *offset % *size == 0;
}

static bool
is_access(const VirtioDevice *virtio, uint32_t offset)
{
    return virtio->access_at != 0 && offset == virtio->access_at + (uint32_t)CAP_MORE;
}

static uint32_t
config_read(void *user, uint32_t offset, unsigned size, uint32_t value)
{
    VirtioDevice *virtio = user;
    uint32_t at;
    unsigned width;

    if (!is_access(virtio, offset) || !access_target(virtio, &at, &width))
        return value;
    return (uint32_t)window_read(virtio, at, width);
}

static void
config_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    VirtioDevice *virtio = user;
    uint32_t at;
    unsigned width;

    pci_msix_config_written(&virtio->msix, offset, size);
    if (is_access(virtio, offset) && access_target(virtio, &at, &width))
        window_write(virtio, at, width == 4 ? value : value & ((1u << (8 * width)) - 1), width);
}

static const PdmPciHooks hooks = {
    .read = config_read,
    .write = config_write,
};

/* --- construction --- */

static uint8_t *
add_part(VirtioDevice *virtio, uint8_t type, uint32_t offset, uint32_t bytes, unsigned more)
{
    uint8_t size = (uint8_t)(CAPABILITY_SIZE + more);
    uint8_t at = pdm_pci_add_capability(virtio->device, virtio->pci, CAPABILITY_VENDOR, size);
    uint8_t *cap = pdm_pci_config(virtio->device, virtio->pci) + at;

    cap[CAP_LENGTH] = size;
    cap[CAP_TYPE] = type;
    cap[CAP_BAR] = WINDOW_BAR;
    store32(cap + CAP_OFFSET, offset);
    store32(cap + CAP_BYTES, bytes);
    return cap;
}

static void
add_access(VirtioDevice *virtio)
{
    uint8_t *cap = add_part(virtio, TYPE_ACCESS, 0, 0, 4);
    uint8_t *mask;

    virtio->access_at = (uint8_t)(cap - pdm_pci_config(virtio->device, virtio->pci));
    mask = pdm_pci_write_mask(virtio->device, virtio->pci) + virtio->access_at;
    cap[CAP_BAR] = 0;
    mask[CAP_BAR] = 0xff;
    for (unsigned i = CAP_OFFSET; i < CAP_MORE + 4; i++)
        mask[i] = 0xff;
}

static bool
add_window(VirtioDevice *virtio, const VirtioInfo *info, GError **error)
{
    PgmRegion *window =
        pdm_mmio_new(virtio->device, info->name, VIRTIO_WINDOW_SIZE, &window_ops, virtio);

    add_part(virtio, TYPE_COMMON, VIRTIO_AT_COMMON, VIRTIO_COMMON_SIZE, 0);
    add_part(virtio, TYPE_ISR, VIRTIO_AT_ISR, 1, 0);
    add_part(virtio, TYPE_DEVICE, VIRTIO_AT_DEVICE, info->config_size, 0);
    store32(add_part(virtio, TYPE_NOTIFY, VIRTIO_AT_NOTIFY,
                     VIRTIO_NOTIFY_STEP * virtio->queue_count, 4) +
                CAP_MORE,
            VIRTIO_NOTIFY_STEP);
    add_access(virtio);
    return pdm_pci_bar_region(virtio->device, virtio->pci, WINDOW_BAR, window, VIRTIO_WINDOW_SIZE,
                              false, false, error);
}

static bool
add_ports(VirtioDevice *virtio, const VirtioInfo *info, GError **error)
{
    static const IomPortOps ops = {
        .read = virtio_legacy_read,
        .write = virtio_legacy_write,
        .sizes = 1 | 2 | 4,
    };
    const uint32_t count = 1u << g_bit_storage(VIRTIO_LEGACY_SIZE + info->config_size - 1);
    IomPorts *ports = pdm_ports_new(virtio->device, info->name, count, &ops, virtio);

    return pdm_pci_bar_ports(virtio->device, virtio->pci, PORTS_BAR, ports, count, error);
}

/* Old drivers go by other ids, and find the type in the subsystem's. */
static PdmPciInfo
describe(const VirtioInfo *info)
{
    static const uint16_t old_ids[] = {[1] = 0x1000, [2] = 0x1001, [8] = 0x1004};
    const bool modern = info->interface == VIRTIO_MODERN;

    return (PdmPciInfo){
        .vendor = VENDOR,
        .device = modern ? (uint16_t)(DEVICE_BASE + info->type) : old_ids[info->type],
        .subsystem_vendor = VENDOR,
        .subsystem = modern ? (uint16_t)(SUBSYSTEM_BASE + info->type) : info->type,
        .revision = modern ? 1 : 0,
        .subclass = info->subclass,
        .class_code = info->class_code,
        .interrupt_pin = 1,
        .slot = info->slot,
        .function = info->slot >= 0 ? 0 : -1,
    };
}

bool
virtio_init(VirtioDevice *virtio, PdmDevice *device, const VirtioInfo *info, const VirtioOps *ops,
            void *user, GError **error)
{
    const PdmPciInfo pci = describe(info);

    virtio->device = device;
    virtio->ops = ops;
    virtio->user = user;
    virtio->offered = info->features | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1;
    virtio->queue_count = MIN(info->queues, VIRTIO_QUEUES_MAX);
    virtio->config_size = info->config_size;
    virtio->pci = pdm_pci_new(device, &pci, &hooks, virtio, error);
    if (virtio->pci == NULL ||
        !pci_msix_init(&virtio->msix, device, virtio->pci, MSIX_BAR, virtio->queue_count + 1,
                       error) ||
        (info->interface != VIRTIO_LEGACY && !add_window(virtio, info, error)) ||
        (info->interface != VIRTIO_MODERN && !add_ports(virtio, info, error)))
        return false;
    virtio_reset(virtio);
    return true;
}

const char *const virtio_interface_names[] = {"modern", "transitional", "legacy", NULL};

VirtioInterface
virtio_interface(const CfgmNode *config, VirtioInterface usual)
{
    const char *name = cfgm_string(config, "Interface", virtio_interface_names[usual]);

    for (unsigned i = 0; virtio_interface_names[i] != NULL; i++) {
        if (strcmp(virtio_interface_names[i], name) == 0)
            return (VirtioInterface)i;
    }
    return usual;
}
