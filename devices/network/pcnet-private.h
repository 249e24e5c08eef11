/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the PCnet cards share. Register and bit names are those of AMD's data sheets:
 * Am79C970A (19436) and Am79C973/Am79C975 (21510). */
#pragma once

#include "devices/network/microwire.h"
#include "vmm/pdm/pdm.h"

#define PCNET_CSRS 128u
#define PCNET_BCRS 64u
#define PCNET_PHY_REGISTERS 32u
#define PCNET_APROM_SIZE 16u
#define PCNET_FRAME_MAX 4096u /* bytes that the card sends at most, with the check sequence */
#define PCNET_CHECK_SIZE 4u

enum {
    CSR0_INIT = 1 << 0,
    CSR0_STRT = 1 << 1,
    CSR0_STOP = 1 << 2,
    CSR0_TDMD = 1 << 3,
    CSR0_TXON = 1 << 4,
    CSR0_RXON = 1 << 5,
    CSR0_IENA = 1 << 6,
    CSR0_INTR = 1 << 7,
    CSR0_IDON = 1 << 8,
    CSR0_TINT = 1 << 9,
    CSR0_RINT = 1 << 10,
    CSR0_MERR = 1 << 11,
    CSR0_MISS = 1 << 12,
    CSR0_CERR = 1 << 13,
    CSR0_BABL = 1 << 14,
    CSR0_ERR = 1 << 15,
    CSR0_CAUSES = 0x7f00,
    CSR3_DXSUFLO = 1 << 6,
    CSR4_TXSTRT = 1 << 3,
    CSR4_DPOLL = 1 << 12,
    CSR4_APAD_XMT = 1 << 11,
    CSR4_ASTRP_RCV = 1 << 10,
    CSR5_TOKINTD = 1 << 15,
    CSR5_LTINTEN = 1 << 14,
    CSR5_SPND = 1 << 0,
    CSR7_STINT = 1 << 11,
    CSR7_MAPINT = 1 << 7,
    CSR7_MCCINT = 1 << 5,
    CSR7_MIIPDTINT = 1 << 1,
    CSR15_DRX = 1 << 0,
    CSR15_DTX = 1 << 1,
    CSR15_LOOP = 1 << 2,
    CSR15_DXMTFCS = 1 << 3,
    CSR15_DRCVPA = 1 << 13,
    CSR15_DRCVBC = 1 << 14,
    CSR15_PROM = 1 << 15,
    BCR2_APROMWE = 1 << 8,
    BCR18_DWIO = 1 << 7,
    BCR20_SSIZE32 = 1 << 8,
    BCR32_APEP = 1 << 11,
    BCR32_MIIILP = 1 << 1,
};

/* Registers that are numbers in several places. */
enum {
    CSR_IADR = 1, /* two: the initialisation block */
    CSR_LADRF = 8,
    CSR_PADR = 12,
    CSR_MODE = 15,
    CSR_BADR = 24, /* two: the receive ring */
    CSR_BADX = 30, /* two: the transmit ring */
    CSR_RCVRC = 72,
    CSR_XMTRC = 74,
    CSR_RCVRL = 76,
    CSR_XMTRL = 78,
    CSR_CHIP = 88, /* two */
    CSR_MFC = 112,
    BCR_MC = 2,
    BCR_LED0 = 4,
    BCR_BSBC = 18,
    BCR_EECAS = 19,
    BCR_SWS = 20,
    BCR_PCILAT = 22,
    BCR_STVAL = 31,
    BCR_MIICAS = 32,
    BCR_MIIADDR = 33,
    BCR_MIIMDR = 34,
};

/* Status of a descriptor: the upper word of RMD1 and TMD1. */
enum {
    DESCRIPTOR_OWN = 1 << 15,
    DESCRIPTOR_ERR = 1 << 14,
    RECEIVE_CRC = 1 << 11,
    TRANSMIT_ADD_FCS = 1 << 13,
    TRANSMIT_LTINT = 1 << 12,
    DESCRIPTOR_STP = 1 << 9,
    DESCRIPTOR_ENP = 1 << 8,
    RECEIVE_PAM = 1 << 6,
    RECEIVE_LAFM = 1 << 5,
    RECEIVE_BAM = 1 << 4,
};

/* Errors of a sent frame: TMD3 with 16 bits, the upper word of TMD2 with 32. */
enum { TRANSMIT_BUFF = 1 << 15, TRANSMIT_UFLO = 1 << 14, TRANSMIT_LCAR = 1 << 11 };

typedef struct {
    const char *name;
    uint16_t part; /* number in the chip's id */
    uint8_t revision;
    bool fast; /* has a PHY behind MII registers, a software timer, 100 Mbit/s */
} PcnetModel;

/* A descriptor of either ring, whatever its layout is. */
typedef struct {
    uint64_t at;
    uint32_t buffer;
    uint32_t length; /* of the buffer, 1 to 4096 */
    uint16_t status;
} PcnetDescriptor;

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    const PcnetModel *model;
    PdmNetworkPort port;
    const PdmNetworkConnector *net; /* NULL: none */
    TmTimer *poll, *software;

    uint16_t csr[PCNET_CSRS], bcr[PCNET_BCRS];
    uint16_t phy[PCNET_PHY_REGISTERS];
    uint16_t eeprom[MICROWIRE_WORDS];
    uint8_t aprom[PCNET_APROM_SIZE];
    Microwire microwire;
    uint16_t rap;
    uint16_t receive_at, transmit_at; /* positions in the rings */
    uint8_t line;                     /* of the interrupt pin */
    uint8_t link;                     /* as the guest was told last */
    uint8_t waits;                    /* the driver below holds a frame until there is a buffer */
    uint8_t hurries;                  /* turns of polling that are short: the driver relies on it */
    bool busy;                        /* sending: a frame that loops back does not begin again */
    uint8_t frame[PCNET_FRAME_MAX + 60 + PCNET_CHECK_SIZE];
} Pcnet;

static inline uint32_t
pcnet_pair(const uint16_t *registers, unsigned number)
{
    return registers[number] | (uint32_t)registers[number + 1] << 16;
}

static inline void
pcnet_set_pair(uint16_t *registers, unsigned number, uint32_t value)
{
    registers[number] = (uint16_t)value;
    registers[number + 1] = (uint16_t)(value >> 16);
}

/* Software structures of 32 bits. */
static inline bool
pcnet_is_wide(const Pcnet *nic)
{
    return (nic->bcr[BCR_SWS] & BCR20_SSIZE32) != 0;
}

static inline bool
pcnet_loops(const Pcnet *nic)
{
    return (nic->csr[CSR_MODE] & CSR15_LOOP) != 0 || (nic->bcr[BCR_MIICAS] & BCR32_MIIILP) != 0;
}

/* pcnet.c */
void pcnet_soft_reset(Pcnet *nic);
void pcnet_update_link(Pcnet *nic);
/* pcnet-registers.c: the window */
extern const IomPortOps pcnet_port_ops;
extern const IomMmioOps pcnet_mmio_ops;
/* pcnet-csr.c */
uint16_t pcnet_csr_read(Pcnet *nic, unsigned number);
void pcnet_csr_write(Pcnet *nic, unsigned number, uint16_t value);
void pcnet_csr_reset(Pcnet *nic);
void pcnet_raise(Pcnet *nic, uint16_t causes);
void pcnet_update_interrupt(Pcnet *nic);
/* pcnet-bcr.c */
uint16_t pcnet_bcr_read(Pcnet *nic, unsigned number);
void pcnet_bcr_write(Pcnet *nic, unsigned number, uint16_t value);
void pcnet_bcr_reset(Pcnet *nic);
void pcnet_eeprom_fill(Pcnet *nic);
void pcnet_eeprom_load(Pcnet *nic);
void pcnet_phy_reset(Pcnet *nic);
void pcnet_phy_update_link(Pcnet *nic, bool up);
/* pcnet-rings.c */
void pcnet_initialise(Pcnet *nic);
uint32_t pcnet_ring_length(const Pcnet *nic, unsigned csr);
PcnetDescriptor pcnet_descriptor(Pcnet *nic, unsigned base_csr, uint32_t index);
void pcnet_write_back(Pcnet *nic, const PcnetDescriptor *descriptor, uint16_t status,
                      uint16_t result, bool transmit);
void pcnet_poll_init(Pcnet *nic);
void pcnet_poll_update(Pcnet *nic);
/* pcnet-transmit.c: true: there was a frame */
bool pcnet_transmit(Pcnet *nic);
/* pcnet-receive.c */
bool pcnet_receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload);
void pcnet_receive_looped(Pcnet *nic, const uint8_t *data, uint32_t size, bool check_good);
void pcnet_receive_ready(Pcnet *nic);
/* pcnet-state.c */
extern const SsmState pcnet_state;
