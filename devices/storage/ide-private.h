/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of the IDE controller: two channels, each with two drives that share one command
 * block, one data buffer and one transfer. ATA/ATAPI-6 (T13/1410D), MMC-3, PIIX4 data sheet
 * (290562). */
#pragma once

#include "devices/storage/ata.h"
#include "devices/storage/drive-commands.h"
#include "devices/storage/drive-io.h"
#include "devices/storage/scsi.h"
#include "vmm/pdm/pdm.h"

#define IDE_CHANNELS 2
#define IDE_DRIVES 2
/* A whole LBA28 command; larger ones go through it in pieces. */
#define IDE_BUFFER_SIZE (256 * ATA_SECTOR)

/* What the command at work does with its data. */
typedef enum {
    IDE_OP_NONE,
    IDE_OP_REPLY,        /* the buffer goes to the host and that is all */
    IDE_OP_READ,         /* medium to host */
    IDE_OP_WRITE,        /* host to medium */
    IDE_OP_VERIFY,       /* medium to nowhere */
    IDE_OP_FLUSH,        /* no data */
    IDE_OP_PACKET,       /* a command packet is being received */
    IDE_OP_PACKET_REPLY, /* as IDE_OP_REPLY, for a packet command */
    IDE_OP_PACKET_READ,  /* as IDE_OP_READ, for a packet command */
    IDE_OPS,
} IdeOp;

typedef enum {
    IDE_PHASE_IDLE,
    IDE_PHASE_PIO_IN,  /* the host reads from the buffer */
    IDE_PHASE_PIO_OUT, /* the host writes to the buffer */
    IDE_PHASE_DMA_IN,  /* the buffer waits for the bus master */
    IDE_PHASE_DMA_OUT, /* the same towards the drive */
    IDE_PHASE_MEDIUM,  /* the driver below is at work */
    IDE_PHASES,
} IdePhase;

typedef struct IdeController IdeController;
typedef struct IdeChannel IdeChannel;

typedef struct {
    PdmMediaPort port;
    IdeChannel *channel;
    AtaDrive ata;
    ScsiUnit unit; /* that packets talk to, of a packet drive */
} IdeDrive;

typedef struct {
    uint32_t op;    /* IdeOp */
    uint32_t phase; /* IdePhase */
    bool dma, fua, packet_raw;
    uint32_t position;   /* next byte of the buffer for the host */
    uint32_t block_end;  /* end of the present DRQ block */
    uint32_t block_size; /* bytes in a DRQ block */
    uint32_t limit;      /* of bytes in a DRQ block, as a PACKET command gave it */
    uint32_t filled;     /* bytes of the buffer that belong to the transfer */
    uint64_t lba;        /* first sector of what is in the buffer, or will be next */
    uint32_t chunk;      /* sectors of the medium in the buffer */
    uint32_t remaining;  /* sectors after these */
    uint32_t io_kind;    /* of the request to the medium, for issuing it again after a load */
    uint8_t packet[ATA_PACKET_SIZE];
} IdeTransfer;

typedef struct {
    uint8_t command, status;
    uint32_t table;   /* as the guest wrote it */
    uint32_t next;    /* address of the next descriptor */
    uint32_t address; /* rest of the present region */
    uint32_t left;    /* bytes in it */
    bool last;        /* it is the last one */
} IdeBusMaster;

struct IdeChannel {
    PdmDevice *device;
    unsigned irq;
    unsigned index;
    IdeDrive drives[IDE_DRIVES];
    uint8_t select;  /* the device register as written */
    uint8_t control; /* the device control register */
    bool irq_pending;
    IdeTransfer transfer;
    IdeBusMaster master;
    DriveIo io;
};

struct IdeController {
    PdmDevice *device;
    PdmPci *pci;
    DriveCommands commands;
    IdeChannel channels[IDE_CHANNELS];
};

static inline IdeDrive *
ide_selected(IdeChannel *channel)
{
    return &channel->drives[(channel->select & ATA_DEVICE_SLAVE) != 0];
}

/* ide-channel.c: registers, reset, irq */
void ide_channel_init(IdeChannel *channel, PdmDevice *device, unsigned index);
void ide_channel_reset(IdeChannel *channel);
uint32_t ide_command_read(void *user, uint32_t offset, unsigned size);
void ide_command_write(void *user, uint32_t offset, uint32_t value, unsigned size);
uint32_t ide_control_read(void *user, uint32_t offset, unsigned size);
void ide_control_write(void *user, uint32_t offset, uint32_t value, unsigned size);
void ide_raise_irq(IdeChannel *channel);
void ide_update_irq(IdeChannel *channel);

/* ide-data.c: the data port */
uint32_t ide_data_read(IdeChannel *channel, unsigned size);
void ide_data_write(IdeChannel *channel, uint32_t value, unsigned size);
uint32_t ide_command_read_string(void *user, uint32_t offset, void *data, uint32_t count,
                                 unsigned size);
uint32_t ide_command_write_string(void *user, uint32_t offset, const void *data, uint32_t count,
                                  unsigned size);

/* ide-transfer.c: moving data between host, buffer and medium */
/* The command has ended: status without BSY and DRQ, and an interrupt if asked for. */
void ide_finish(IdeChannel *channel, bool irq);
/* The command has ended with an error. */
void ide_fail(IdeChannel *channel, uint8_t error);
void ide_begin_pio_in(IdeChannel *channel, uint32_t bytes, uint32_t block_size);
void ide_begin_pio_out(IdeChannel *channel, uint32_t bytes, uint32_t block_size, bool irq);
/* The host has emptied or filled a DRQ block. */
void ide_block_done(IdeChannel *channel);
/* Starts READ, WRITE, VERIFY as set up in the transfer. */
void ide_begin_medium(IdeChannel *channel);
void ide_begin_flush(IdeChannel *channel);
/* Sends transfer.filled bytes of the buffer to the host by the way that the packet command asked
 * for. */
void ide_send(IdeChannel *channel);
/* The bus master was started or there is something for it. */
void ide_pump_dma(IdeChannel *channel);

/* Forgets the command at work and what is under way for it. */
void ide_abandon(IdeChannel *channel);
/* Asks for transfer.chunk sectors at transfer.lba; ide_medium_done() follows. */
void ide_submit(IdeChannel *channel, PdmIoKind kind);
/* Called back for a DriveIo: the request of a channel has ended. */
void ide_medium_done(void *user, int error);

/* ide-bmdma.c: the bus master's registers and descriptors */
uint32_t ide_bmdma_read(void *user, uint32_t offset, unsigned size);
void ide_bmdma_write(void *user, uint32_t offset, uint32_t value, unsigned size);
/* Moves up to size bytes between data and the guest's regions; fewer when those end. */
uint32_t ide_bmdma_transfer(IdeChannel *channel, uint8_t *data, uint32_t size, bool to_memory);
static inline bool
ide_bmdma_active(const IdeChannel *channel)
{
    return (channel->master.status & 0x01) != 0;
}

/* ide-commands.c: from a command or packet to a transfer */
void ide_execute(IdeChannel *channel, uint8_t command);
/* EXECUTE DEVICE DIAGNOSTIC, of both drives. */
void ide_diagnostic(IdeChannel *channel);
/* All of the packet is in the buffer. */
void ide_execute_packet(IdeChannel *channel);
/* Ends the packet command well, or with the sense data of the drive's unit. */
void ide_packet_succeed(IdeChannel *channel);
void ide_packet_fail(IdeChannel *channel);
/* A piece of a packet command's read is in the buffer. */
void ide_packet_loaded(IdeChannel *channel);
/* How many sectors of a packet command fit into the buffer. */
uint32_t ide_packet_chunk_max(const IdeTransfer *transfer);

/* ide-state.c */
extern const SsmState ide_state;
