/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plain records inside a machine's settings: storage controllers, what is attached to them, serial
 * and parallel ports. Boxed types; fields may be read and written directly. */
#pragma once

#include "app/api/vitrine-types.h"

G_BEGIN_DECLS

/**
 * VitrineController:
 * @name: unique in the machine, ignoring case; owned
 * @type: the chip
 * @port_count: 2 for IDE, 1 for floppy, 1 to 30 for AHCI
 * @instance: number among controllers of this bus
 * @host_io_cache: the host's page cache is used
 * @bootable: firmware looks at its drives
 */
typedef struct {
    char *name;
    VitrineControllerType type;
    guint port_count;
    guint instance;
    gboolean host_io_cache;
    gboolean bootable;
} VitrineController;

#define VITRINE_TYPE_CONTROLLER (vitrine_controller_get_type())
GType vitrine_controller_get_type(void);
VitrineController *vitrine_controller_new(const char *name, VitrineControllerType type);
VitrineController *vitrine_controller_copy(const VitrineController *controller);
void vitrine_controller_free(VitrineController *controller);

/**
 * vitrine_controller_is_built:
 * @type: a kind of storage controller
 *
 * Returns: whether this version has a device of it.
 */
gboolean vitrine_controller_is_built(VitrineControllerType type);

/**
 * vitrine_controller_hot_plugs:
 * @type: a kind of storage controller
 *
 * Returns: whether drives come to it and go while the machine runs.
 */
gboolean vitrine_controller_hot_plugs(VitrineControllerType type);

/**
 * vitrine_controller_passes_commands:
 * @type: a kind of storage controller
 *
 * Returns: whether a guest's commands can go through it to a drive of the host.
 */
gboolean vitrine_controller_passes_commands(VitrineControllerType type);

/* What the settings' format cannot say of a controller: the machine's extra data have it, under
 * this key. "virtio-blk": each disk of a virtio SCSI controller is a virtio block device. */
#define VITRINE_CONTROLLER_MODEL_VIRTIO_BLK "virtio-blk"
/**
 * vitrine_controller_model_key: (skip)
 * @name: of the controller
 *
 * Returns: (transfer full): the key of its model among the machine's extra data.
 */
char *vitrine_controller_model_key(const char *name);

/* What a bus can hold: ports (and the smallest and largest number of them that can be chosen),
 * devices on each port, how many controllers of it a machine may have, and how many of the ports
 * this version's controller serves. */
typedef struct {
    guint min_ports;
    guint max_ports;
    guint devices_per_port;
    guint max_controllers;
    guint served_ports;
} VitrineBusLimits;

/**
 * vitrine_bus_limits: (skip)
 * @bus: a bus
 *
 * Returns: its limits, static.
 */
const VitrineBusLimits *vitrine_bus_limits(VitrineStorageBus bus);

/**
 * vitrine_controller_served_ports: (skip)
 * @type: a kind of storage controller
 * @model: (nullable): what extra data say of it
 *
 * Returns: how many of its ports can have drives.
 */
guint vitrine_controller_served_ports(VitrineControllerType type, const char *model);

/**
 * VitrineAttachment:
 * @controller: name of the controller; owned
 * @port: of the controller, from 0
 * @device: on the port, from 0
 * @kind: what drive it is
 * @medium: UUID, or "" for an empty drive; owned
 * @host_drive: path of a host drive, or ""; owned
 * @passthrough: commands reach the host drive
 * @temp_eject: an eject by the guest is undone at power-off
 * @non_rotational: the disk says that it is solid-state
 * @discard: the guest can give blocks back
 * @hot_pluggable: can come and go while the machine runs
 */
typedef struct {
    char *controller;
    guint port;
    guint device;
    VitrineMediumKind kind;
    char *medium;
    char *host_drive;
    gboolean passthrough;
    gboolean temp_eject;
    gboolean non_rotational;
    gboolean discard;
    gboolean hot_pluggable;
} VitrineAttachment;

#define VITRINE_TYPE_ATTACHMENT (vitrine_attachment_get_type())
GType vitrine_attachment_get_type(void);
VitrineAttachment *vitrine_attachment_new(const char *controller, guint port, guint device,
                                          VitrineMediumKind kind, const char *medium);
VitrineAttachment *vitrine_attachment_copy(const VitrineAttachment *attachment);
void vitrine_attachment_free(VitrineAttachment *attachment);
/* Where it is, in one word that names no other place of the machine: PORT/DEVICE/CONTROLLER. */
char *vitrine_attachment_place(const VitrineAttachment *attachment);

/**
 * VitrineUart:
 * @enabled: the port exists in the machine
 * @io_base: first of 8 I/O ports
 * @irq: 0 to 15
 * @mode: what is behind it
 * @server: HOST_PIPE, TCP: the machine makes the socket and waits for a client
 * @path: socket, device or file; port number or host:port for TCP. A HOST_DEVICE of /dev/ptmx
 *   makes a pseudo terminal, whose name is in the log; owned
 * @type: the chip
 */
typedef struct {
    gboolean enabled;
    guint io_base;
    guint irq;
    VitrineUartMode mode;
    gboolean server;
    char *path;
    VitrineUartType type;
} VitrineUart;

#define VITRINE_UART_COUNT 4
#define VITRINE_TYPE_UART (vitrine_uart_get_type())
GType vitrine_uart_get_type(void);
VitrineUart *vitrine_uart_new(guint slot);
VitrineUart *vitrine_uart_copy(const VitrineUart *uart);
void vitrine_uart_free(VitrineUart *uart);

/**
 * VitrineLpt:
 * @enabled: the port exists in the machine
 * @io_base: first I/O port
 * @irq: 0 to 15
 * @path: what receives the data: a file or a parallel device; owned
 */
typedef struct {
    gboolean enabled;
    guint io_base;
    guint irq;
    char *path;
} VitrineLpt;

#define VITRINE_LPT_COUNT 2
#define VITRINE_TYPE_LPT (vitrine_lpt_get_type())
GType vitrine_lpt_get_type(void);
VitrineLpt *vitrine_lpt_new(guint slot);
VitrineLpt *vitrine_lpt_copy(const VitrineLpt *lpt);
void vitrine_lpt_free(VitrineLpt *lpt);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineController, vitrine_controller_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineAttachment, vitrine_attachment_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineUart, vitrine_uart_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineLpt, vitrine_lpt_free)

G_END_DECLS
