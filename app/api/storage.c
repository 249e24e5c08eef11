/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The plain records of vitrine-storage.h, and what each storage bus can hold. */
#include "app/api/vitrine-storage.h"

#include "app/api/record.h"

/* clang-format off */
static const VitrineBusLimits bus_limits[] = {
    [VITRINE_STORAGE_BUS_IDE]    = {2, 2, 2, 1, 2},
    [VITRINE_STORAGE_BUS_SATA]   = {1, 30, 1, 1, 30},
    [VITRINE_STORAGE_BUS_SCSI]   = {16, 16, 1, 1, 16},
    [VITRINE_STORAGE_BUS_FLOPPY] = {1, 1, 2, 1, 1},
    [VITRINE_STORAGE_BUS_SAS]    = {1, 255, 1, 1, 16},
    [VITRINE_STORAGE_BUS_USB]    = {1, 8, 1, 1, 8},
    [VITRINE_STORAGE_BUS_PCIE]   = {1, 255, 1, 1, 255},
    [VITRINE_STORAGE_BUS_VIRTIO] = {1, 256, 1, 1, 256},
};

static const struct { guint io_base, irq; } uart_defaults[VITRINE_UART_COUNT] = {
    {0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3},
};
static const struct { guint io_base, irq; } lpt_defaults[VITRINE_LPT_COUNT] = {
    {0x378, 7}, {0x278, 5},
};
/* clang-format on */

static const RecordType controller_record = {
    sizeof(VitrineController), 1, {G_STRUCT_OFFSET(VitrineController, name)}};
static const RecordType attachment_record = {sizeof(VitrineAttachment),
                                             3,
                                             {G_STRUCT_OFFSET(VitrineAttachment, controller),
                                              G_STRUCT_OFFSET(VitrineAttachment, medium),
                                              G_STRUCT_OFFSET(VitrineAttachment, host_drive)}};
static const RecordType uart_record = {
    sizeof(VitrineUart), 1, {G_STRUCT_OFFSET(VitrineUart, path)}};
static const RecordType lpt_record = {sizeof(VitrineLpt), 1, {G_STRUCT_OFFSET(VitrineLpt, path)}};

G_DEFINE_BOXED_TYPE(VitrineController, vitrine_controller, vitrine_controller_copy,
                    vitrine_controller_free)
G_DEFINE_BOXED_TYPE(VitrineAttachment, vitrine_attachment, vitrine_attachment_copy,
                    vitrine_attachment_free)
G_DEFINE_BOXED_TYPE(VitrineUart, vitrine_uart, vitrine_uart_copy, vitrine_uart_free)
G_DEFINE_BOXED_TYPE(VitrineLpt, vitrine_lpt, vitrine_lpt_copy, vitrine_lpt_free)

const VitrineBusLimits *
vitrine_bus_limits(VitrineStorageBus bus)
{
    g_return_val_if_fail((guint)bus < G_N_ELEMENTS(bus_limits), &bus_limits[0]);
    return &bus_limits[bus];
}

gboolean
vitrine_controller_is_built(VitrineControllerType type)
{
    switch (type) {
    case VITRINE_CONTROLLER_BUS_LOGIC:
    case VITRINE_CONTROLLER_USB: return FALSE;
    default: return TRUE;
    }
}

/* A virtio block device is a PCI card; as many slots are kept for them. */
#define VIRTIO_BLK_PORTS 8

guint
vitrine_controller_served_ports(VitrineControllerType type, const char *model)
{
    if (type == VITRINE_CONTROLLER_VIRTIO_SCSI &&
        g_strcmp0(model, VITRINE_CONTROLLER_MODEL_VIRTIO_BLK) == 0)
        return VIRTIO_BLK_PORTS;
    return vitrine_bus_limits(vitrine_controller_bus(type))->served_ports;
}

gboolean
vitrine_controller_hot_plugs(VitrineControllerType type)
{
    return type == VITRINE_CONTROLLER_AHCI || type == VITRINE_CONTROLLER_VIRTIO_SCSI;
}

gboolean
vitrine_controller_passes_commands(VitrineControllerType type)
{
    switch (vitrine_controller_bus(type)) {
    case VITRINE_STORAGE_BUS_SATA:
    case VITRINE_STORAGE_BUS_SCSI:
    case VITRINE_STORAGE_BUS_SAS:
    case VITRINE_STORAGE_BUS_VIRTIO: return TRUE;
    default: return FALSE;
    }
}

char *
vitrine_controller_model_key(const char *name)
{
    return g_strconcat("Vitrine/Storage/", name, "/Model", NULL);
}

VitrineController *
vitrine_controller_new(const char *name, VitrineControllerType type)
{
    VitrineController *controller = g_new0(VitrineController, 1);
    const VitrineBusLimits *limits = vitrine_bus_limits(vitrine_controller_bus(type));
    controller->name = g_strdup(name ? name : "");
    controller->type = type;
    controller->port_count = limits->min_ports;
    controller->bootable = TRUE;
    controller->host_io_cache = vitrine_controller_bus(type) == VITRINE_STORAGE_BUS_IDE ||
                                vitrine_controller_bus(type) == VITRINE_STORAGE_BUS_FLOPPY;
    return controller;
}

VitrineController *
vitrine_controller_copy(const VitrineController *controller)
{
    return record_copy(&controller_record, controller);
}

void
vitrine_controller_free(VitrineController *controller)
{
    record_free(&controller_record, controller);
}

VitrineAttachment *
vitrine_attachment_new(const char *controller, guint port, guint device, VitrineMediumKind kind,
                       const char *medium)
{
    VitrineAttachment *attachment = g_new0(VitrineAttachment, 1);
    attachment->controller = g_strdup(controller ? controller : "");
    attachment->port = port;
    attachment->device = device;
    attachment->kind = kind;
    attachment->medium = g_strdup(medium ? medium : "");
    attachment->host_drive = g_strdup("");
    return attachment;
}

VitrineAttachment *
vitrine_attachment_copy(const VitrineAttachment *attachment)
{
    return record_copy(&attachment_record, attachment);
}

void
vitrine_attachment_free(VitrineAttachment *attachment)
{
    record_free(&attachment_record, attachment);
}

char *
vitrine_attachment_place(const VitrineAttachment *attachment)
{
    return g_strdup_printf("%u/%u/%s", attachment->port, attachment->device,
                           attachment->controller);
}

VitrineUart *
vitrine_uart_new(guint slot)
{
    VitrineUart *uart = g_new0(VitrineUart, 1);
    slot = MIN(slot, VITRINE_UART_COUNT - 1);
    uart->io_base = uart_defaults[slot].io_base;
    uart->irq = uart_defaults[slot].irq;
    uart->type = VITRINE_UART_TYPE_16550A;
    uart->path = g_strdup("");
    return uart;
}

VitrineUart *
vitrine_uart_copy(const VitrineUart *uart)
{
    return record_copy(&uart_record, uart);
}

void
vitrine_uart_free(VitrineUart *uart)
{
    record_free(&uart_record, uart);
}

VitrineLpt *
vitrine_lpt_new(guint slot)
{
    VitrineLpt *lpt = g_new0(VitrineLpt, 1);
    slot = MIN(slot, VITRINE_LPT_COUNT - 1);
    lpt->io_base = lpt_defaults[slot].io_base;
    lpt->irq = lpt_defaults[slot].irq;
    lpt->path = g_strdup("");
    return lpt;
}

VitrineLpt *
vitrine_lpt_copy(const VitrineLpt *lpt)
{
    return record_copy(&lpt_record, lpt);
}

void
vitrine_lpt_free(VitrineLpt *lpt)
{
    record_free(&lpt_record, lpt);
}
