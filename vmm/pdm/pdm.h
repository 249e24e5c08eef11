/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PDM: the contract for authors of devices and drivers. A device file ends in one const PdmDevice
 * descriptor; everything that it needs from the VM comes through the functions here, which are thin
 * wrappers around one const table, so a device built outside this tree as a module uses the same
 * header and links to no symbol of the program. Manual, chapter "Technical background" (PDM).
 *
 * All calls are made and all callbacks run with the device lock held unless a comment says "any
 * thread". Registration functions are for `construct` only. What a device registers, PDM frees. */
#pragma once

#include "vmm/base/error.h"
#include "vmm/cfgm/cfgm.h"
#include "vmm/iom/iom.h"
#include "vmm/pdm/pdm-interfaces.h"
#include "vmm/pgm/pgm.h"
#include "vmm/ssm/ssm.h"
#include "vmm/tm/tm.h"

typedef struct PdmDevice PdmDevice;
typedef struct PdmDriver PdmDriver;
typedef struct PdmPci PdmPci;     /* a PCI function of a device */
typedef struct PdmQueue PdmQueue; /* defers work to virtual CPU 0's thread */
typedef struct PdmApi PdmApi;

/* An option of a device or driver: makes its settings page, its CFGM keys and its documentation. */
typedef enum {
    PDM_OPTION_END,
    PDM_OPTION_UINT,
    PDM_OPTION_BOOL,
    PDM_OPTION_STRING,
    PDM_OPTION_CHOICE
} PdmOptionType;
typedef struct {
    const char *key;   /* CFGM name, CamelCase */
    const char *title; /* for people, translatable */
    PdmOptionType type;
    uint64_t value, min, max;   /* UINT, BOOL: default and range */
    const char *text;           /* STRING, CHOICE: default */
    const char *const *choices; /* CHOICE: NULL-terminated */
} PdmOption;

typedef enum {
    PDM_KIND_CHIPSET,
    PDM_KIND_FIRMWARE,
    PDM_KIND_GRAPHICS,
    PDM_KIND_INPUT,
    PDM_KIND_STORAGE,
    PDM_KIND_NETWORK,
    PDM_KIND_SERIAL,
    PDM_KIND_SOUND,
    PDM_KIND_USB,
    PDM_KIND_OTHER,
} PdmKind;

/* Raised when a struct or table that modules see changes. */
#define PDM_ABI_VERSION 2

typedef struct {
    uint32_t abi;      /* PDM_ABI_VERSION */
    const char *name;  /* [a-z0-9-]; CFGM: Devices/<name>/<instance>/ */
    const char *title; /* for people */
    PdmKind kind;
    uint32_t instance_size; /* zeroed memory at PdmDevice.data */
    uint32_t max_instances;
    const PdmOption *options; /* NULL or ended by PDM_OPTION_END */
    /* config: the instance's Config node, may be NULL. On failure PDM cleans up what was registered
     * and calls destruct. */
    bool (*construct)(PdmDevice *device, const CfgmNode *config, GError **error);
    void (*reset)(PdmDevice *device);    /* NULL: nothing to do */
    void (*power_on)(PdmDevice *device); /* once, after all devices are constructed; may be NULL */
    void (*destruct)(
        PdmDevice *device); /* may be NULL; its drivers have powered off, but still exist */
    const SsmState *state;  /* required; &PDM_STATE_NONE where there is none */
    void (*info)(PdmDevice *device, GString *out); /* may be NULL */
} PdmDeviceInfo;

/* A driver: the host half under a device (or under another driver). */
typedef struct {
    uint32_t abi;
    const char *name; /* CFGM: …/LUN<n>/Driver = name, …/LUN<n>/Config */
    const char *title;
    PdmInterface interface; /* what it offers upwards */
    uint32_t instance_size;
    const PdmOption *options;
    bool (*construct)(PdmDriver *driver, const CfgmNode *config, GError **error);
    void (*destruct)(PdmDriver *driver); /* without the device lock; may be NULL */
    /* The VM pauses: finish what is under way. It begins to run or goes on. May be NULL. Without
     * the device lock. */
    void (*paused)(PdmDriver *driver);
    void (*resumed)(PdmDriver *driver);
    void (*power_off)(PdmDriver *driver);
} PdmDriverInfo;

/* What a device or a driver sees of itself. The rest of the object is PDM's. */
struct PdmDevice {
    const PdmApi *api;
    const PdmDeviceInfo *info;
    void *data; /* instance_size bytes */
    unsigned instance;
    void *pdm;
};

struct PdmDriver {
    const PdmApi *api;
    const PdmDriverInfo *info;
    void *data;
    const void *port;      /* of the device above: PdmMediaPort … by info->interface */
    const void *connector; /* the driver sets it in construct: PdmMediaConnector … */
    void *host; /* what the embedder handed over for this LUN (console objects), or NULL */
    void *pdm;
};

extern const SsmState PDM_STATE_NONE; /* not for modules: they use an SsmState with no fields */

/* --- interrupt controllers and buses, offered by chipset devices --- */
typedef struct {
    void *user;
    void (*set_irq)(void *user, unsigned line, bool level); /* 0..15 */
    uint8_t (*acknowledge)(void *user);
} PdmPic;

typedef struct {
    void *user;
    void (*set_irq)(void *user, unsigned pin, bool level); /* GSI 0..23 */
    void (*eoi)(void *user, uint8_t vector);               /* without the device lock */
} PdmIoApic;

/* PCI interrupt router: which ISA irq INTx of a slot is wired to at present (-1: none), and which
 * GSI. */
typedef struct {
    void *user;
    int (*isa_irq)(void *user, unsigned pirq);                    /* PIRQA..D as 0..3 */
    unsigned (*pirq_of)(void *user, unsigned slot, unsigned pin); /* pin INTA..D as 0..3 */
} PdmPciRouter;

/* ISA DMA: the 8237's side. A channel's owner transfers when told. */
typedef struct {
    void *user;
    void (*set_dreq)(void *user, unsigned channel, bool level);
    /* Transfers between the channel's memory and a buffer at the channel's present address; returns
     * bytes. */
    uint32_t (*read_memory)(void *user, unsigned channel, void *data, uint32_t offset,
                            uint32_t size);
    uint32_t (*write_memory)(void *user, unsigned channel, const void *data, uint32_t offset,
                             uint32_t size);
} PdmDmaController;
/* The owner of a channel moves up to size bytes from position on; returns the new position. */
typedef uint32_t (*PdmDmaTransfer)(void *user, unsigned channel, uint32_t position, uint32_t size);

/* PCI configuration hooks; NULL: the default (a byte array with write masks and BAR logic). */
typedef struct {
    void (*write)(void *user, uint32_t offset, uint32_t value,
                  unsigned size); /* after the default */
    uint32_t (*read)(void *user, uint32_t offset, unsigned size,
                     uint32_t value); /* value: the default's */
} PdmPciHooks;

typedef struct {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint8_t revision, prog_if, subclass, class_code, header_type;
    uint8_t interrupt_pin; /* 0: none, 1: INTA … */
    int slot, function;    /* -1: the next free slot */
    bool multifunction;
} PdmPciInfo;

/* Files of fw_cfg. `select` is called when the guest selects the file, before it reads (may be
 * NULL). */
typedef void (*PdmFwcfgSelect)(void *user);

typedef enum {
    PDM_RUNTIME_WARNING, /* tell the user, the guest goes on */
    PDM_RUNTIME_PAUSE,   /* pause the VM, tell the user; resume retries */
    PDM_RUNTIME_FATAL,   /* stop */
} PdmSeverity;

/* The table of all PDM functions. Version and size first; only ever extended at the end. */
/* clang-format off */
struct PdmApi {
    uint32_t version, size;
    /* ports and MMIO */
    IomPorts *(*ports_new)(PdmDevice *, const char *name, uint32_t count, const IomPortOps *, void *user);
    void (*ports_map)(IomPorts *, uint16_t first);
    void (*ports_unmap)(IomPorts *);
    PgmRegion *(*mmio_new)(PdmDevice *, const char *name, uint64_t size, const IomMmioOps *, void *user);
    PgmRegion *(*ram_new)(PdmDevice *, const char *name, uint64_t size, bool dirty_log, void **host, GError **);
    PgmRegion *(*rom_new)(PdmDevice *, const char *name, const void *data, uint64_t size, GError **);
    PgmRegion *(*alias_new)(PdmDevice *, const char *name, PgmRegion *of, uint64_t offset, uint64_t size, int priority);
    void (*region_map)(PgmRegion *, uint64_t gpa);
    void (*region_unmap)(PgmRegion *);
    void (*region_set_access)(PgmRegion *, PgmAccess);
    void (*dirty_fetch)(PgmRegion *, uint8_t *dirty, size_t pages);
    PgmRegion *(*guest_ram)(PdmDevice *, uint64_t gpa, uint64_t size, int priority); /* an alias of RAM, for PAM */
    uint64_t (*ram_size)(PdmDevice *, bool above_4g);
    void (*set_a20)(PdmDevice *, bool enabled);
    bool (*a20)(PdmDevice *);
    /* bus-master DMA; any thread */
    void (*phys_read)(PdmDevice *, uint64_t gpa, void *data, size_t size);
    void (*phys_write)(PdmDevice *, uint64_t gpa, const void *data, size_t size);
    void *(*phys_map)(PdmDevice *, uint64_t gpa, size_t *size, bool write);
    void (*phys_unmap)(PdmDevice *, uint64_t gpa, void *host, size_t size, bool written);
    /* interrupts; any thread with the device lock */
    void (*isa_irq)(PdmDevice *, unsigned irq, bool level);
    void (*gsi_irq)(PdmDevice *, unsigned gsi, bool level); /* HPET and such: I/O APIC pin only */
    void (*pci_irq)(PdmPci *, bool level);
    void (*msi)(PdmDevice *, uint64_t address, uint32_t data);
    void (*nmi)(PdmDevice *);
    /* offers of the chipset */
    void (*offer_pic)(PdmDevice *, const PdmPic *);
    void (*pic_line)(PdmDevice *, bool level); /* INTR to the CPU */
    void (*offer_ioapic)(PdmDevice *, const PdmIoApic *);
    void (*apic_message)(PdmDevice *, uint32_t destination, bool logical, unsigned delivery, uint8_t vector, bool level);
    void (*offer_pci_router)(PdmDevice *, const PdmPciRouter *);
    void (*pci_router_changed)(PdmDevice *);
    void (*offer_dma)(PdmDevice *, const PdmDmaController *);
    uint32_t (*dma_run_channel)(PdmDevice *, unsigned channel, uint32_t position, uint32_t size); /* 8237 to owner */
    /* ISA DMA for a channel's owner */
    void (*dma_register)(PdmDevice *, unsigned channel, PdmDmaTransfer, void *user);
    void (*dma_dreq)(PdmDevice *, unsigned channel, bool level);
    uint32_t (*dma_read)(PdmDevice *, unsigned channel, void *data, uint32_t offset, uint32_t size);
    uint32_t (*dma_write)(PdmDevice *, unsigned channel, const void *data, uint32_t offset, uint32_t size);
    /* PCI */
    PdmPci *(*pci_new)(PdmDevice *, const PdmPciInfo *, const PdmPciHooks *, void *user, GError **);
    uint8_t *(*pci_config)(PdmPci *);     /* the 256 bytes, for setting up */
    uint8_t *(*pci_write_mask)(PdmPci *); /* which bits the guest may write */
    bool (*pci_bar_ports)(PdmPci *, unsigned bar, IomPorts *, uint32_t size, GError **);
    bool (*pci_bar_region)(PdmPci *, unsigned bar, PgmRegion *, uint64_t size, bool prefetch, bool is64, GError **);
    bool (*pci_rom)(PdmPci *, PgmRegion *, uint64_t size, GError **);
    uint32_t (*pci_bus_read)(PdmDevice *, unsigned bus, unsigned devfn, uint32_t offset, unsigned size);
    void (*pci_bus_write)(PdmDevice *, unsigned bus, unsigned devfn, uint32_t offset, uint32_t value, unsigned size);
    /* time */
    TmTimer *(*timer_new)(PdmDevice *, const char *name, TmCallback, void *user);
    void (*timer_set)(TmTimer *, uint64_t deadline_ns);
    void (*timer_cancel)(TmTimer *);
    bool (*timer_armed)(const TmTimer *);
    uint64_t (*timer_deadline)(const TmTimer *);
    uint64_t (*now)(PdmDevice *); /* virtual ns; any thread */
    int64_t (*wall_clock)(PdmDevice *);
    /* firmware configuration */
    void (*fwcfg_add)(PdmDevice *, const char *name, const void *data, size_t size); /* copied */
    void (*fwcfg_add_hook)(PdmDevice *, const char *name, void *data, size_t size, PdmFwcfgSelect, void *user); /* data stays the device's */
    const void *(*fwcfg_find)(PdmDevice *, unsigned index, const char **name, size_t *size, PdmFwcfgSelect *, void **user); /* for the fw_cfg device; NULL at the end */
    /* CMOS bytes that the platform presets (the RTC reads them at reset; the last setter wins) */
    void (*cmos_set)(PdmDevice *, uint8_t index, uint8_t value);
    int (*cmos_get)(PdmDevice *, uint8_t index); /* -1: nobody set it */
    /* drivers below: constructs the chain that CFGM names for this LUN. *connector is NULL when none is
     * configured and required is false. */
    bool (*attach)(PdmDevice *, unsigned lun, PdmInterface, const void *port, const void **connector, bool required, GError **);
    /* queues: push from any thread, run on virtual CPU 0's thread under the device lock, in order */
    PdmQueue *(*queue_new)(PdmDevice *, void (*run)(void *user, void *item), void *user);
    void (*queue_push)(PdmQueue *, void *item); /* any thread, never blocks */
    PdmQueue *(*driver_queue_new)(PdmDriver *, void (*run)(void *user, void *item), void *user);
    /* the lock, for worker threads */
    void (*lock)(void *device_or_driver_pdm);
    void (*unlock)(void *device_or_driver_pdm);
    /* the machine; any thread */
    void (*request_reset)(PdmDevice *);
    void (*request_power_off)(PdmDevice *); /* ACPI S5 */
    void (*runtime_message)(void *device_or_driver_pdm, PdmSeverity, const char *id, const char *message);
    /* Something the embedder may call on a device by name, "power-button" on "acpi": true when handled. */
    void (*offer_command)(PdmDevice *, const char *command, bool (*run)(void *user, const char *argument), void *user);
    /* log; rate-limited per device, any thread */
    void (*log)(void *device_or_driver_pdm, const char *format, ...) G_GNUC_PRINTF(2, 3);
    /* bad guest input: logged once for each id (a static string) */
    void (*guest_error)(PdmDevice *, const char *id, const char *format, ...) G_GNUC_PRINTF(3, 4);
    unsigned (*cpu_count)(PdmDevice *);
    /* While a device claims an ISA irq, only its own pdm_isa_irq() drives the line; what the others say
     * is kept until the claim ends (HPET legacy replacement of the 8254 and the clock chip). */
    void (*isa_irq_claim)(PdmDevice *, unsigned irq, bool claim);
    /* PCI: room for a capability of size bytes, linked into the list; returns its offset. In construct. */
    uint8_t (*pci_add_capability)(PdmPci *, uint8_t id, uint8_t size);
    /* For modules, which cannot link to these: cfgm_uint(), cfgm_string(), and what saves variable parts. */
    uint64_t (*config_uint)(const CfgmNode *, const char *name, uint64_t missing);
    const char *(*config_string)(const CfgmNode *, const char *name, const char *missing);
    void (*state_put_uint)(SsmWriter *, uint64_t value, unsigned size);
    void (*state_put_bytes)(SsmWriter *, const void *data, size_t size);
    bool (*state_get_uint)(SsmReader *, uint64_t *value, unsigned size, GError **);
    bool (*state_get_bytes)(SsmReader *, void *data, size_t size, GError **);
    /* Sets a BASE_ERROR_* and returns false. */
    bool (*fail)(GError **, BaseError code, const char *message);
    /* The x87's error pins: FERR# of the CPUs tells the device, which drives IGNNE#. */
    void (*offer_fpu_error)(PdmDevice *, void (*ferr)(void *user, bool level), void *user);
    void (*ignne)(PdmDevice *, bool level);
    /* Objects that devices and drivers offer to the machine's other devices, by kind (a static string):
     * root hubs of USB. In construct; they live as long as their owner. index counts from 0; NULL at
     * the end. Looked for from power_on on, when all are there. */
    void (*offer_object)(void *device_or_driver_pdm, const char *kind, void *object);
    void *(*find_object)(void *device_or_driver_pdm, const char *kind, unsigned index);
};
/* clang-format on */

#include "vmm/pdm/pdm-inline.h" /* pdm_*(): one static inline function for each entry */

/* A module file exports `const PdmModule *vitrine_module(void)`. It links to GLib only: what it
 * needs of the program it reaches through device->api. tests/device/example-module is one. */
typedef struct {
    uint32_t abi;
    const PdmDeviceInfo *const *devices; /* NULL-terminated, may be NULL */
    const PdmDriverInfo *const *drivers;
} PdmModule;
#define PDM_MODULE_ENTRY "vitrine_module"
