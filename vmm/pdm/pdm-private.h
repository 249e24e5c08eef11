/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of PDM share: the instance of one VM's PDM and the functions behind the table of
 * pdm.h. Each pdm_api_<name>() is the entry <name> of PdmApi; pdm.h says what it does. */
#pragma once

#include "vmm/base/log.h"
#include "vmm/pdm/pdm-vm.h"

#include <stdatomic.h>

#define PDM_ISA_IRQS 16u
#define PDM_GSIS 24u
#define PDM_PIRQS 4u
#define PDM_DMA_CHANNELS 8u
#define PDM_PCI_BARS 7u /* six and the expansion ROM */
#define PDM_PCI_ROM 6u
#define PDM_PCI_CONFIG_SIZE 256u
#define PDM_NOT_MAPPED UINT64_MAX

/* What PdmDevice.pdm and PdmDriver.pdm point to: who speaks. */
typedef struct {
    Pdm *pdm;
    char *name; /* "ide/0", "vd/0" */
    BaseLogLimit limit, message_limit;
    GMutex lock;
    GHashTable *guest_errors; /* set of ids that were logged; under lock */
} PdmOwner;

typedef struct {
    PdmDriver driver; /* first */
    PdmOwner owner;
    bool constructed;
} PdmDriverInstance;

typedef struct {
    unsigned number;
    PdmInterface interface;
    const void *port;
    PdmDriverInstance *driver; /* NULL: none configured */
} PdmLun;

typedef struct {
    PdmDevice device; /* first */
    PdmOwner owner;
    const CfgmNode *node; /* Devices/<name>/<instance> */
    bool construct_called;
    uint16_t isa_levels; /* lines that it holds up */
    uint32_t gsi_levels;
    GPtrArray *luns; /* PdmLun, owned */
} PdmInstance;

typedef struct {
    IomPorts *ports; /* one of these two */
    PgmRegion *region;
    uint64_t size; /* 0: no such BAR */
    bool is64;
    uint64_t mapped_at;
} PdmBar;

struct PdmPci {
    PdmInstance *instance;
    uint8_t config[PDM_PCI_CONFIG_SIZE];
    uint8_t mask[PDM_PCI_CONFIG_SIZE];    /* 1: the guest may write the bit */
    uint8_t initial[PDM_PCI_CONFIG_SIZE]; /* after construction, for reset */
    uint8_t capability_end;               /* next free offset for a capability */
    unsigned devfn;
    unsigned pin;  /* 0: none, 1: INTA */
    bool level;    /* what the device wants */
    bool asserted; /* what reaches the router */
    PdmPciHooks hooks;
    void *user;
    PdmBar bars[PDM_PCI_BARS];
};

/* A region that a device made, and what is behind it. */
typedef struct {
    PgmRegion *region;
    PgmRegionInfo info;
    bool owns_mem;
} PdmRegion;

typedef struct {
    char *name;
    void *data;
    size_t size;
    bool owned;
    PdmFwcfgSelect select;
    void *user;
} PdmFwcfgFile;

typedef struct {
    PdmInstance *instance;
    const char *command;
    bool (*run)(void *user, const char *argument);
    void *user;
} PdmCommand;

typedef struct {
    const char *kind;
    void *object;
} PdmObject;

struct PdmQueue {
    Pdm *pdm;
    void (*run)(void *user, void *item);
    void *user;
    const void *driver; /* PdmDriverInstance; NULL: a device's queue */
};

typedef struct PdmQueueItem {
    struct PdmQueueItem *next;
    PdmQueue *queue;
    void *item;
} PdmQueueItem;

typedef struct {
    PdmPic pic;
    PdmIoApic ioapic;
    PdmPciRouter router;
    unsigned isa_count[PDM_ISA_IRQS]; /* devices that hold the line up */
    unsigned gsi_count[PDM_GSIS];
    unsigned pirq_count[PDM_PIRQS];
    uint16_t isa_level; /* the lines themselves */
    uint16_t pci_level; /* the part that the PCI router brings */
    uint32_t gsi_level;
    PdmInstance *claimed[PDM_ISA_IRQS]; /* who alone drives the line; NULL: everybody */
    bool quiet; /* a saved state is being loaded: the controllers are told nothing */
    uint64_t isa_edges[PDM_ISA_IRQS]; /* rising edges since the machine was made */
} PdmIrqState;

typedef struct {
    PdmDmaTransfer transfer;
    void *user;
} PdmDmaChannel;

struct Pdm {
    PdmRooms rooms;
    PdmRegistry *registry;
    PdmHost host;
    BaseLog *log;
    GRecMutex lock;
    GStringChunk *names;      /* of ports, regions, timers */
    GPtrArray *instances;     /* PdmInstance, in the order of construction */
    GHashTable *driver_hosts; /* "<device>/<instance>/<lun>" to the embedder's object */
    GPtrArray *ports, *regions, *timers, *queues, *commands, *objects, *fwcfg;
    PdmPci *pci[256]; /* by devfn, bus 0 */
    PdmIrqState irq;
    PdmDmaController dma;
    PdmDmaChannel dma_channel[PDM_DMA_CHANNELS];
    int16_t cmos[256];              /* -1: nobody set it */
    _Atomic(PdmQueueItem *) queued; /* the latest first */
    bool powered_off;
};

extern const PdmApi pdm_api;

static inline PdmInstance *
pdm_instance(PdmDevice *device)
{
    return (PdmInstance *)device;
}

static inline Pdm *
pdm_of(PdmDevice *device)
{
    return pdm_instance(device)->owner.pdm;
}

static inline void
pdm_enter(Pdm *pdm)
{
    g_rec_mutex_lock(&pdm->lock);
}

static inline void
pdm_leave(Pdm *pdm)
{
    g_rec_mutex_unlock(&pdm->lock);
}

/* "ide/0/bus-master", kept as long as the VM. */
const char *pdm_keep_name(PdmDevice *device, const char *name);

void pdm_owner_init(PdmOwner *owner, Pdm *pdm, char *name);
void pdm_owner_clear(PdmOwner *owner);

/* pdm-queue.c: with the lock held: a driver goes, and what has been pushed for it is not run. */
void pdm_queues_silence(Pdm *pdm, const void *driver);

/* pdm-memory.c */
IomPorts *pdm_api_ports_new(PdmDevice *device, const char *name, uint32_t count,
                            const IomPortOps *ops, void *user);
PgmRegion *pdm_api_mmio_new(PdmDevice *device, const char *name, uint64_t size,
                            const IomMmioOps *ops, void *user);
PgmRegion *pdm_api_ram_new(PdmDevice *device, const char *name, uint64_t size, bool dirty_log,
                           void **host, GError **error);
PgmRegion *pdm_api_rom_new(PdmDevice *device, const char *name, const void *data, uint64_t size,
                           GError **error);
PgmRegion *pdm_api_alias_new(PdmDevice *device, const char *name, PgmRegion *of, uint64_t offset,
                             uint64_t size, int priority);
PgmRegion *pdm_api_guest_ram(PdmDevice *device, uint64_t gpa, uint64_t size, int priority);
void pdm_memory_free(Pdm *pdm);

/* pdm-irq.c */
void pdm_api_isa_irq(PdmDevice *device, unsigned irq, bool level);
void pdm_api_isa_irq_claim(PdmDevice *device, unsigned irq, bool claim);
void pdm_api_gsi_irq(PdmDevice *device, unsigned gsi, bool level);
void pdm_api_pci_irq(PdmPci *pci, bool level);
void pdm_api_offer_pic(PdmDevice *device, const PdmPic *pic);
void pdm_api_offer_ioapic(PdmDevice *device, const PdmIoApic *ioapic);
void pdm_api_offer_fpu_error(PdmDevice *device, void (*ferr)(void *user, bool level), void *user);
void pdm_api_offer_pci_router(PdmDevice *device, const PdmPciRouter *router);
void pdm_api_pci_router_changed(PdmDevice *device);
/* Lets a function's interrupt follow its command register. */
void pdm_irq_update_function(PdmPci *pci);
/* All lines go down, as at a reset. */
void pdm_irq_reset(Pdm *pdm);
/* Derives all lines from what devices hold up, without telling the controllers (their own saved
 * state knows). */
void pdm_irq_rebuild(Pdm *pdm);

/* pdm-pci.c, pdm-pci-bar.c */
PdmPci *pdm_api_pci_new(PdmDevice *device, const PdmPciInfo *info, const PdmPciHooks *hooks,
                        void *user, GError **error);
uint8_t *pdm_api_pci_config(PdmPci *pci);
uint8_t *pdm_api_pci_write_mask(PdmPci *pci);
uint8_t pdm_api_pci_add_capability(PdmPci *pci, uint8_t id, uint8_t size);
bool pdm_api_pci_bar_ports(PdmPci *pci, unsigned bar, IomPorts *ports, uint32_t size,
                           GError **error);
bool pdm_api_pci_bar_region(PdmPci *pci, unsigned bar, PgmRegion *region, uint64_t size,
                            bool prefetch, bool is64, GError **error);
bool pdm_api_pci_rom(PdmPci *pci, PgmRegion *region, uint64_t size, GError **error);
uint32_t pdm_api_pci_bus_read(PdmDevice *device, unsigned bus, unsigned devfn, uint32_t offset,
                              unsigned size);
void pdm_api_pci_bus_write(PdmDevice *device, unsigned bus, unsigned devfn, uint32_t offset,
                           uint32_t value, unsigned size);
/* Maps and unmaps what the function's BARs and command register say at present. */
void pdm_pci_update_bars(PdmPci *pci);
void pdm_pci_keep_initial(Pdm *pdm);
void pdm_pci_reset(Pdm *pdm);
void pdm_pci_free(Pdm *pdm);

static inline uint16_t
pdm_pci_command(const PdmPci *pci)
{
    return (uint16_t)(pci->config[4] | pci->config[5] << 8);
}

/* pdm-dma.c */
void pdm_api_offer_dma(PdmDevice *device, const PdmDmaController *controller);
uint32_t pdm_api_dma_run_channel(PdmDevice *device, unsigned channel, uint32_t position,
                                 uint32_t size);
void pdm_api_dma_register(PdmDevice *device, unsigned channel, PdmDmaTransfer transfer, void *user);
void pdm_api_dma_dreq(PdmDevice *device, unsigned channel, bool level);
uint32_t pdm_api_dma_read(PdmDevice *device, unsigned channel, void *data, uint32_t offset,
                          uint32_t size);
uint32_t pdm_api_dma_write(PdmDevice *device, unsigned channel, const void *data, uint32_t offset,
                           uint32_t size);

/* pdm-platform.c */
void pdm_api_fwcfg_add(PdmDevice *device, const char *name, const void *data, size_t size);
void pdm_api_fwcfg_add_hook(PdmDevice *device, const char *name, void *data, size_t size,
                            PdmFwcfgSelect select, void *user);
const void *pdm_api_fwcfg_find(PdmDevice *device, unsigned index, const char **name, size_t *size,
                               PdmFwcfgSelect *select, void **user);
void pdm_api_cmos_set(PdmDevice *device, uint8_t index, uint8_t value);
int pdm_api_cmos_get(PdmDevice *device, uint8_t index);
void pdm_api_offer_object(void *device_or_driver_pdm, const char *kind, void *object);
void *pdm_api_find_object(void *device_or_driver_pdm, const char *kind, unsigned index);
void pdm_api_offer_command(PdmDevice *device, const char *command,
                           bool (*run)(void *user, const char *argument), void *user);
void pdm_fwcfg_file_free(void *file);

/* pdm-driver.c */
bool pdm_api_attach(PdmDevice *device, unsigned lun, PdmInterface interface, const void *port,
                    const void **connector, bool required, GError **error);
void pdm_lun_free(void *lun);

/* pdm-queue.c */
PdmQueue *pdm_api_queue_new(PdmDevice *device, void (*run)(void *user, void *item), void *user);
PdmQueue *pdm_api_driver_queue_new(PdmDriver *driver, void (*run)(void *user, void *item),
                                   void *user);
void pdm_api_queue_push(PdmQueue *queue, void *item);
void pdm_queues_drop(Pdm *pdm);

/* pdm-log.c */
void pdm_api_log(void *owner, const char *format, ...) G_GNUC_PRINTF(2, 3);
void pdm_api_guest_error(PdmDevice *device, const char *id, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void pdm_api_runtime_message(void *owner, PdmSeverity severity, const char *id,
                             const char *message);

/* pdm-state.c */
void pdm_state_register(Pdm *pdm);
void pdm_state_unregister(Pdm *pdm);
