/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of the Fusion-MPT SCSI adapters: the LSI Logic 53c1030 at a parallel bus and the
 * SAS1068, MPI 1.2 and 1.5, as hosts' drivers and firmware use them. Left out: the second bus,
 * target mode, firmware transfers, messages by MSI. */
#pragma once

#include "devices/storage/drive-attach.h"
#include "devices/storage/drive-commands.h"
#include "devices/storage/scsi-request.h"

#define LSI_TARGETS 16u
#define LSI_CREDITS 128u
#define LSI_FIFO 256u
#define LSI_FRAME_SIZE 128u /* of a request */
#define LSI_HANDSHAKE_WORDS 32u
#define LSI_REPLY_SIZE 80u /* of the longest */
#define LSI_PCI_VENDOR 0x1000u
#define LSI_PCI_SUBSYSTEM 0x8000u
#define LSI_SGE_64BIT 0x02u

/* Status of the adapter in a reply. */
enum {
    LSI_OK = 0x0000,
    LSI_INVALID_FUNCTION = 0x0001,
    LSI_INVALID_SGL = 0x0003,
    LSI_INVALID_FIELD = 0x0007,
    LSI_CONFIG_ACTION = 0x0020,
    LSI_CONFIG_TYPE = 0x0021,
    LSI_CONFIG_PAGE = 0x0022,
    LSI_CONFIG_DATA = 0x0023,
    LSI_CONFIG_NO_DEFAULTS = 0x0024,
    LSI_CONFIG_CANT_COMMIT = 0x0025,
    LSI_INVALID_BUS = 0x0041,
    LSI_NO_DEVICE = 0x0043,
    LSI_OVERRUN = 0x0044,
    LSI_UNDERRUN = 0x0045,
    LSI_TERMINATED = 0x0048,
};

typedef enum {
    LSI_STATE_RESET,
    LSI_STATE_READY,
    LSI_STATE_OPERATIONAL,
    LSI_STATE_FAULT = 4
} LsiState;

/* What differs between the chips. */
typedef struct {
    const char *name, *chip, *revision;
    int slot;
    uint16_t pci_device, product;
    uint8_t port_type, pci_revision;
    bool sas;
} LsiModel;

/* A ring of addresses or contexts. */
typedef struct {
    uint32_t entries[LSI_FIFO];
    uint32_t head, count;
} LsiFifo;

typedef struct {
    PdmMediaPort port;
    bool present;
    ScsiUnit unit;
    uint32_t parameters, configuration; /* of its transfers, as the driver wants them */
} LsiTarget;

typedef struct {
    const LsiModel *model;
    uint32_t phys; /* of SAS: targets that there can be */
    PdmDevice *device;
    PdmPci *pci;
    DriveCommands commands;
    DriveJobs jobs;
    PdmQueue *restart;

    uint32_t state, fault; /* LsiState */
    uint32_t interrupts, mask;
    uint32_t sequence, diagnostic; /* progress of the key that opens the diagnostic register */
    uint8_t who_init;
    uint16_t reply_frame_size;
    uint32_t frames_high, sense_high; /* upper halves of addresses */
    uint32_t event_state;
    /* A message through the doorbell: words received, half-words still to be read. */
    bool in_doorbell;
    uint32_t handshake[LSI_HANDSHAKE_WORDS];
    uint32_t expected, received;
    uint8_t answer[LSI_REPLY_SIZE];
    uint32_t answer_size, answer_read;

    LsiFifo requests, free_frames, replies;
    uint32_t running[LSI_CREDITS]; /* frames of commands under way; 0: none */
    LsiTarget targets[LSI_TARGETS];
} LsiAdapter;

typedef struct {
    ScsiRequest scsi;
    LsiAdapter *lsi;
    uint32_t frame; /* its address's lower half */
    uint32_t index; /* in running */
    uint8_t head[0x30];
} LsiRequest;

static inline uint32_t
lsi_get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline void
lsi_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void
lsi_put32(uint8_t *at, uint32_t value)
{
    lsi_put16(at, value);
    lsi_put16(at + 2, value >> 16);
}

/* lsilogic-registers.c */
extern const IomMmioOps lsi_mmio_ops;
extern const IomPortOps lsi_port_ops;
void lsi_update_irq(LsiAdapter *lsi);
/* Back to the state before a driver has initialised it. */
void lsi_reset_unit(LsiAdapter *lsi);
bool lsi_fifo_push(LsiFifo *fifo, uint32_t value);
bool lsi_fifo_pop(LsiFifo *fifo, uint32_t *value);
/* A reply that is just the message's context, or one with a frame. */
void lsi_reply_context(LsiAdapter *lsi, uint32_t context);
void lsi_reply_frame(LsiAdapter *lsi, const uint8_t *reply, uint32_t size);

/* lsilogic-message.c: carries out a message that is no SCSI command; the size of its reply. */
uint32_t lsi_message(LsiAdapter *lsi, const uint8_t *message, uint8_t reply[LSI_REPLY_SIZE]);
/* Begins the heads of a reply from those of its message. */
void lsi_begin_reply(const uint8_t *message, uint32_t size, uint16_t status, uint8_t *reply);

/* lsilogic-config.c: the same for messages about configuration pages. */
uint32_t lsi_configure(LsiAdapter *lsi, const uint8_t *message, uint8_t *reply);
/* Where the message says that the page's bytes are; *size is cut to what there is room for. */
uint64_t lsi_page_buffer(const uint8_t *message, uint32_t *size);

/* lsilogic-sas.c: the same for extended pages. */
uint32_t lsi_sas_configure(LsiAdapter *lsi, const uint8_t *message, uint8_t *reply);

/* lsilogic-scsi.c */
/* A message about tasks is answered with a frame however it came; false: it is another message. */
bool lsi_manage_tasks(LsiAdapter *lsi, const uint8_t *message);
/* Takes requests from the queue as far as there is room. */
void lsi_run(LsiAdapter *lsi);
void lsi_restart(void *user, void *item);

extern const SsmState lsi_state;
