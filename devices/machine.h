/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The standard PC: which devices it consists of and where their drivers go. Everybody who runs a
 * machine (the console, run-guest, tests) describes it with a MachineSpec and gets the
 * configuration tree; only this file knows the names of devices, LUNs and their keys. */
#pragma once

#include "vmm/pdm/pdm.h"

#define MACHINE_SERIAL_PORTS 4
#define MACHINE_PARALLEL_PORTS 2

typedef enum {
    MACHINE_BUS_IDE,         /* port 0..1 (primary, secondary), device 0..1 (master, slave) */
    MACHINE_BUS_FLOPPY,      /* port 0, device 0..1 */
    MACHINE_BUS_SATA,        /* port 0..29; from here on device is 0 */
    MACHINE_BUS_SCSI,        /* port 0..15 */
    MACHINE_BUS_SAS,         /* port 0..15 */
    MACHINE_BUS_NVME,        /* port 0..254, hard disks only */
    MACHINE_BUS_VIRTIO_BLK,  /* port 0..7, hard disks only: each is a PCI function of its own */
    MACHINE_BUS_VIRTIO_SCSI, /* port 0..255 */
    MACHINE_BUS_USB,         /* port 0..7: each is a USB device of its own */
} MachineBus;

/* A storage controller. One that media name and that is not described is there with its usual
 * properties; the IDE controller is always there. */
typedef struct {
    MachineBus bus;
    unsigned ports;    /* 0: as many as there can be */
    const char *model; /* NULL: the usual one */
    bool not_bootable; /* firmware does not look at what is plugged in later */
} MachineController;

/* Another file of an image in several. */
typedef struct {
    const char *name; /* of the file beside the image */
    int descriptor;   /* taken over by the driver */
} MachineExtent;

/* An image below a differencing one. */
typedef struct {
    const char *path;   /* for messages, and to open it when there is no descriptor */
    int descriptor;     /* -1: none; taken over by the driver */
    const char *format; /* NULL: probed */
    const char *uuid;   /* as registered; NULL: not compared */
    const MachineExtent *extents;
    unsigned extent_count;
} MachineImage;

typedef struct {
    MachineBus bus;
    unsigned port, device;
    PdmMediaType type;
    /* Path or descriptor of the medium; neither: an empty drive (not for disks). */
    const char *path;
    int descriptor;              /* -1: none; taken over by the driver */
    const char *format;          /* "VDI", "RAW", "ISO"; NULL: probed */
    const char *serial;          /* NULL: from the image */
    const char *uuid;            /* as registered; NULL: not compared */
    const MachineImage *parents; /* of a differencing image: from its parent down to the base */
    unsigned parent_count;
    const MachineExtent *extents;
    unsigned extent_count;
    bool read_only, non_rotational, discard;
    bool not_bootable;  /* firmware does not look at it */
    bool ejected;       /* empty, as the guest has ejected what was in it */
    bool host_drive;    /* the descriptor is of a drive of the host, whose media come and go */
    bool passthrough;   /* the guest's commands reach it */
    bool no_host_cache; /* past the host's cache where its file system can */
    const char *driver; /* NULL: the one for this type */
} MachineMedium;

/* Which USB controllers a machine has, and how a person points and types. */
typedef struct {
    bool ohci, ehci, xhci;
    bool tablet, mouse, keyboard; /* at the best controller there is */
    bool hub;                     /* all of these and drives are plugged into a hub there */
} MachineUsb;

/* A serial or parallel port. */
typedef struct {
    bool enabled;
    unsigned io_base, irq; /* 0: the usual ones of COM1..4, LPT1..2 */
    const char *driver;    /* of PDM_IF_CHAR; NULL: nothing is connected */
    const char *type;      /* serial: the chip, as the device's option names it; NULL: the usual */
} MachinePort;

#define MACHINE_ADAPTERS 8

/* A network card. */
typedef struct {
    const char *model;    /* as machine_adapter_models() has it; NULL: there is no card */
    const char *mac;      /* twelve hex digits; NULL: the same one each time */
    const char *wire;     /* of the driver "network"; NULL: nothing is behind the cable */
    int descriptor;       /* of the wire; taken over by the driver */
    int trace_descriptor; /* a file for its frames, taken over; 0: none */
    bool unplugged;       /* the cable is out */
} MachineAdapter;

/* A sound card and what it plays on. */
typedef struct {
    const char *card;    /* the device's name; NULL: there is none */
    const char *codec;   /* as the device's option names it; NULL: the usual */
    const char *backend; /* of audio/backends; NULL: nothing is connected */
    const char *machine; /* names the streams; NULL: the program does */
    const char *file;    /* that the back end writes; NULL: none */
    bool output, input;  /* allowed */
    bool optional;       /* a sound server that is not there is only logged */
} MachineSound;

typedef struct {
    uint64_t ram_size;       /* bytes */
    unsigned cpus;           /* 0: 1 */
    unsigned execution_cap;  /* percent of a host CPU for each; 0: 100 */
    const char *cpu_profile; /* NULL: the default */
    const char *engine;      /* NULL: "auto" */
    bool no_hardware;        /* "auto" leaves hardware virtualization alone */
    bool small_pages;        /* hardware virtualization does without large pages */
    bool pae, long_mode, apic, x2apic;
    bool ioapic, hpet;
    bool rtc_utc;
    int64_t utc_offset_ns;
    bool deterministic;
    uint64_t deterministic_hz; /* 0: the default */
    bool triple_fault_reset;

    uint64_t video_ram;     /* bytes; 0: the device's default */
    const char *boot_order; /* "dvd,disk,floppy,network" in the order wanted; NULL: the default */
    bool boot_menu;
    uint32_t boot_menu_delay_ms; /* 0: the default */
    const char *uuid;            /* NULL: none */
    const char *firmware;        /* path of the ROM; NULL: the package's */
    const char *debug_driver;    /* of PDM_IF_CHAR, for the firmware's debug port; NULL: the log */

    /* Drivers that the embedder has registered; NULL: nothing is connected. */
    const char *display_driver, *keyboard_driver, *mouse_driver;

    const MachineController *controllers;
    size_t controller_count;
    const MachineMedium *media;
    size_t media_count;
    MachinePort serial[MACHINE_SERIAL_PORTS];
    MachinePort parallel[MACHINE_PARALLEL_PORTS];
    MachineAdapter adapters[MACHINE_ADAPTERS];
    MachineSound sound;
    MachineUsb usb;
} MachineSpec;

/* A PC with 128 MiB and nothing attached, everything else at its usual value. */
void machine_spec_init(MachineSpec *spec);

/* Fills the tree of vmm.h. Nothing of spec is kept. BASE_ERROR_INVALID for a medium at a place that
 * does not exist or is taken. */
bool machine_build_config(const MachineSpec *spec, CfgmNode *root, GError **error);

/* One more medium in a tree that was built; what it returns is for pdm_plug(). NULL with an error
 * as machine_build_config(). */
CfgmNode *machine_add_medium(const MachineMedium *medium, CfgmNode *root, GError **error);
/* Where things are in such a machine, for pdm_lun_port(), pdm_set_driver_host(), pdm_command(). */
typedef struct {
    const char *device;
    unsigned instance, lun;
} MachinePlace;

extern const MachinePlace MACHINE_DISPLAY, MACHINE_KEYBOARD, MACHINE_MOUSE;
extern const MachinePlace MACHINE_USB_TABLET, MACHINE_USB_MOUSE, MACHINE_USB_KEYBOARD;
MachinePlace machine_medium_place(MachineBus bus, unsigned port, unsigned device);
void machine_remove_medium(CfgmNode *root, MachinePlace place);
MachinePlace machine_serial_place(unsigned index);
MachinePlace machine_parallel_place(unsigned index);
/* Of a card of this model; the device is NULL where there is no such model. */
MachinePlace machine_adapter_place(const char *model, unsigned index);
/* The names of models, NULL at the end. */
const char *const *machine_adapter_models(void);
MachinePlace machine_sound_place(const MachineSound *sound);
/* The driver's Config node at a place of a tree that was built, to add keys of a driver of one's
 * own. */
CfgmNode *machine_driver_config(CfgmNode *root, MachinePlace place);
/* Who takes the commands "power-button" and "sleep-button". */
#define MACHINE_ACPI_DEVICE "acpi"
