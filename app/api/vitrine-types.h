/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The words that all classes of the Main API share: enumerations and errors. The nick of each
 * enumeration value (vitrine_nick()) is what travels over D-Bus. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * VitrineMachineState:
 * @VITRINE_MACHINE_STATE_POWERED_OFF: not running, no saved state
 * @VITRINE_MACHINE_STATE_SAVED: not running, continues from a saved state
 * @VITRINE_MACHINE_STATE_ABORTED: its process ended without an orderly power-off
 * @VITRINE_MACHINE_STATE_ABORTED_SAVED: ended before a saved state was loaded whole
 * @VITRINE_MACHINE_STATE_RUNNING: virtual CPUs run
 * @VITRINE_MACHINE_STATE_PAUSED: stopped by the user or by a runtime error
 * @VITRINE_MACHINE_STATE_STUCK: the guest cannot go on (triple fault)
 * @VITRINE_MACHINE_STATE_STARTING: the VM process builds the machine
 * @VITRINE_MACHINE_STATE_STOPPING: the VM process takes it down
 * @VITRINE_MACHINE_STATE_SAVING: a saved state is written
 * @VITRINE_MACHINE_STATE_RESTORING: a saved state is read
 */
typedef enum {
    VITRINE_MACHINE_STATE_POWERED_OFF,
    VITRINE_MACHINE_STATE_SAVED,
    VITRINE_MACHINE_STATE_ABORTED,
    VITRINE_MACHINE_STATE_ABORTED_SAVED,
    VITRINE_MACHINE_STATE_RUNNING,
    VITRINE_MACHINE_STATE_PAUSED,
    VITRINE_MACHINE_STATE_STUCK,
    VITRINE_MACHINE_STATE_STARTING,
    VITRINE_MACHINE_STATE_STOPPING,
    VITRINE_MACHINE_STATE_SAVING,
    VITRINE_MACHINE_STATE_RESTORING,
} VitrineMachineState;

typedef enum {
    VITRINE_FIRMWARE_BIOS,
    VITRINE_FIRMWARE_EFI,
    VITRINE_FIRMWARE_EFI32,
    VITRINE_FIRMWARE_EFI64,
    VITRINE_FIRMWARE_EFIDUAL,
} VitrineFirmware;

typedef enum {
    VITRINE_CHIPSET_PIIX3,
    VITRINE_CHIPSET_ICH9,
} VitrineChipset;

typedef enum {
    VITRINE_PARAVIRT_NONE,
    VITRINE_PARAVIRT_DEFAULT,
    VITRINE_PARAVIRT_LEGACY,
    VITRINE_PARAVIRT_MINIMAL,
    VITRINE_PARAVIRT_HYPERV,
    VITRINE_PARAVIRT_KVM,
} VitrineParavirt;

typedef enum {
    VITRINE_POINTING_NONE,
    VITRINE_POINTING_PS2_MOUSE,
    VITRINE_POINTING_USB_MOUSE,
    VITRINE_POINTING_USB_TABLET,
    VITRINE_POINTING_COMBO_MOUSE,
    VITRINE_POINTING_USB_MULTI_TOUCH,
    VITRINE_POINTING_USB_MT_SCREEN_PLUS_PAD,
} VitrinePointing;

typedef enum {
    VITRINE_KEYBOARD_NONE,
    VITRINE_KEYBOARD_PS2,
    VITRINE_KEYBOARD_USB,
    VITRINE_KEYBOARD_COMBO,
} VitrineKeyboard;

typedef enum {
    VITRINE_AUDIO_CONTROLLER_AC97,
    VITRINE_AUDIO_CONTROLLER_SB16,
    VITRINE_AUDIO_CONTROLLER_HDA,
} VitrineAudioController;

/* USUAL: the one that the controller usually has. */
typedef enum {
    VITRINE_AUDIO_CODEC_USUAL,
    VITRINE_AUDIO_CODEC_STAC9700,
    VITRINE_AUDIO_CODEC_AD1980,
    VITRINE_AUDIO_CODEC_SB16,
    VITRINE_AUDIO_CODEC_STAC9221,
} VitrineAudioCodec;

/* The host's sound systems that settings files name; DEFAULT is not one of the file's words but its
 * useDefault: whatever the host has. */
typedef enum {
    VITRINE_AUDIO_DRIVER_NULL,
    VITRINE_AUDIO_DRIVER_OSS,
    VITRINE_AUDIO_DRIVER_ALSA,
    VITRINE_AUDIO_DRIVER_PULSE,
    VITRINE_AUDIO_DRIVER_CORE_AUDIO,
    VITRINE_AUDIO_DRIVER_DIRECT_SOUND,
    VITRINE_AUDIO_DRIVER_WAS,
    VITRINE_AUDIO_DRIVER_WIN_MM,
    VITRINE_AUDIO_DRIVER_SOL_AUDIO,
    VITRINE_AUDIO_DRIVER_MMPM,
} VitrineAudioDriver;

typedef enum {
    VITRINE_GRAPHICS_NONE,
    VITRINE_GRAPHICS_VBOXVGA,
    VITRINE_GRAPHICS_VMSVGA,
    VITRINE_GRAPHICS_VBOXSVGA,
} VitrineGraphics;

typedef enum {
    VITRINE_BOOT_MENU_DISABLED,
    VITRINE_BOOT_MENU_MENU_ONLY,
    VITRINE_BOOT_MENU_MESSAGE_AND_MENU,
} VitrineBootMenu;

typedef enum {
    VITRINE_BOOT_DEVICE_NONE,
    VITRINE_BOOT_DEVICE_FLOPPY,
    VITRINE_BOOT_DEVICE_DVD,
    VITRINE_BOOT_DEVICE_HARD_DISK,
    VITRINE_BOOT_DEVICE_NETWORK,
} VitrineBootDevice;

typedef enum {
    VITRINE_STORAGE_BUS_IDE,
    VITRINE_STORAGE_BUS_SATA,
    VITRINE_STORAGE_BUS_SCSI,
    VITRINE_STORAGE_BUS_FLOPPY,
    VITRINE_STORAGE_BUS_SAS,
    VITRINE_STORAGE_BUS_USB,
    VITRINE_STORAGE_BUS_PCIE,
    VITRINE_STORAGE_BUS_VIRTIO,
} VitrineStorageBus;

typedef enum {
    VITRINE_CONTROLLER_PIIX3,
    VITRINE_CONTROLLER_PIIX4,
    VITRINE_CONTROLLER_ICH6,
    VITRINE_CONTROLLER_AHCI,
    VITRINE_CONTROLLER_LSI_LOGIC,
    VITRINE_CONTROLLER_BUS_LOGIC,
    VITRINE_CONTROLLER_LSI_LOGIC_SAS,
    VITRINE_CONTROLLER_I82078,
    VITRINE_CONTROLLER_USB,
    VITRINE_CONTROLLER_NVME,
    VITRINE_CONTROLLER_VIRTIO_SCSI,
} VitrineControllerType;

typedef enum {
    VITRINE_MEDIUM_KIND_HARD_DISK,
    VITRINE_MEDIUM_KIND_DVD,
    VITRINE_MEDIUM_KIND_FLOPPY,
} VitrineMediumKind;

typedef enum {
    VITRINE_MEDIUM_TYPE_NORMAL,
    VITRINE_MEDIUM_TYPE_IMMUTABLE,
    VITRINE_MEDIUM_TYPE_WRITETHROUGH,
    VITRINE_MEDIUM_TYPE_SHAREABLE,
    VITRINE_MEDIUM_TYPE_READONLY,
    VITRINE_MEDIUM_TYPE_MULTI_ATTACH,
} VitrineMediumType;

typedef enum {
    VITRINE_MEDIUM_STATE_UNKNOWN,
    VITRINE_MEDIUM_STATE_CREATED,
    VITRINE_MEDIUM_STATE_INACCESSIBLE,
    VITRINE_MEDIUM_STATE_LOCKED_READ,
    VITRINE_MEDIUM_STATE_LOCKED_WRITE,
} VitrineMediumState;

typedef enum {
    VITRINE_UART_MODE_DISCONNECTED,
    VITRINE_UART_MODE_HOST_PIPE,
    VITRINE_UART_MODE_HOST_DEVICE,
    VITRINE_UART_MODE_RAW_FILE,
    VITRINE_UART_MODE_TCP,
} VitrineUartMode;

typedef enum {
    VITRINE_UART_TYPE_16450,
    VITRINE_UART_TYPE_16550A,
    VITRINE_UART_TYPE_16750,
} VitrineUartType;

typedef enum {
    VITRINE_ADAPTER_AM79C970A,
    VITRINE_ADAPTER_AM79C973,
    VITRINE_ADAPTER_AM79C960,
    VITRINE_ADAPTER_I82540EM,
    VITRINE_ADAPTER_I82543GC,
    VITRINE_ADAPTER_I82545EM,
    VITRINE_ADAPTER_VIRTIO,
    VITRINE_ADAPTER_NE1000,
    VITRINE_ADAPTER_NE2000,
    VITRINE_ADAPTER_WD8003,
    VITRINE_ADAPTER_WD8013,
    VITRINE_ADAPTER_ELNK2,
    VITRINE_ADAPTER_ELNK1,
} VitrineAdapterType;

typedef enum {
    VITRINE_NETWORK_NONE,
    VITRINE_NETWORK_NAT,
    VITRINE_NETWORK_BRIDGED,
    VITRINE_NETWORK_INTERNAL,
    VITRINE_NETWORK_HOST_ONLY,
    VITRINE_NETWORK_GENERIC,
    VITRINE_NETWORK_NAT_NETWORK,
} VitrineNetwork;

typedef enum {
    VITRINE_PROMISCUOUS_DENY,
    VITRINE_PROMISCUOUS_ALLOW_NETWORK,
    VITRINE_PROMISCUOUS_ALLOW_ALL,
} VitrinePromiscuous;

/**
 * VitrineError:
 *
 * The codes of all errors of this library, the service and the VM process. Each comes with a
 * sentence that says what happened.
 */
typedef enum {
    VITRINE_ERROR_FAILED,        /* no better code */
    VITRINE_ERROR_INVALID,       /* an argument, a setting or a file is malformed */
    VITRINE_ERROR_NOT_FOUND,     /* a machine, medium, file or key does not exist */
    VITRINE_ERROR_EXISTS,        /* already there */
    VITRINE_ERROR_NOT_SUPPORTED, /* well-formed, but this build or host cannot do it */
    VITRINE_ERROR_BUSY,          /* in use: a running machine, an attached medium */
    VITRINE_ERROR_NO_SPACE,      /* the host disk is full */
    VITRINE_ERROR_NO_MEMORY,     /* the host has not enough memory */
    VITRINE_ERROR_IO,            /* the host reported an I/O error */
    VITRINE_ERROR_CORRUPT,       /* a file is damaged */
    VITRINE_ERROR_VERSION,       /* written by a newer version */
    VITRINE_ERROR_STATE,         /* not possible in the present state of the machine */
    VITRINE_ERROR_CANCELLED,     /* by the user */
    VITRINE_ERROR_DENIED,        /* permission */
    VITRINE_ERROR_READ_ONLY,     /* the registry or these settings cannot be changed; says why */
    VITRINE_ERROR_DISCONNECTED,  /* the service or the VM process is gone */
} VitrineError;

#define VITRINE_ERROR (vitrine_error_quark())
GQuark vitrine_error_quark(void);

/**
 * vitrine_nick:
 * @enum_type: one of the enumeration types above
 * @value: a value of it
 *
 * Returns: (transfer none): the word for @value, for instance "hard-disk"; "" for no value of it.
 */
const char *vitrine_nick(GType enum_type, int value);

/**
 * vitrine_from_nick:
 * @enum_type: one of the enumeration types above
 * @nick: (nullable): a word
 * @value: (out): the value, untouched when there is none
 *
 * Returns: whether @nick is a word of @enum_type. Upper and lower case are the same.
 */
gboolean vitrine_from_nick(GType enum_type, const char *nick, int *value);

/**
 * vitrine_controller_bus:
 * @type: a kind of storage controller
 *
 * Returns: the bus on which @type serves its drives.
 */
VitrineStorageBus vitrine_controller_bus(VitrineControllerType type);

/**
 * vitrine_machine_state_is_online:
 * @state: a state
 *
 * Returns: whether a VM process holds the machine in @state.
 */
gboolean vitrine_machine_state_is_online(VitrineMachineState state);

G_END_DECLS
