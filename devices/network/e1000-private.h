/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the PRO/1000 cards share. Register and bit names are those of Intel's
 * "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual" (317453),
 * chapter 13. */
#pragma once

#include "devices/network/microwire.h"
#include "devices/network/option-rom.h"
#include "vmm/pdm/pdm.h"

#define E1000_MMIO_SIZE 0x20000u
#define E1000_REGISTERS 0x1800u /* words that are kept: up to offset 0x6000 */
#define E1000_EEPROM_WORDS MICROWIRE_WORDS
#define E1000_PHY_REGISTERS 32u

/* Offsets of registers in bytes. */
enum {
    E1000_CTRL = 0x0000,
    E1000_STATUS = 0x0008,
    E1000_EECD = 0x0010,
    E1000_EERD = 0x0014,
    E1000_CTRL_EXT = 0x0018,
    E1000_MDIC = 0x0020,
    E1000_VET = 0x0038,
    E1000_ICR = 0x00c0,
    E1000_ITR = 0x00c4,
    E1000_ICS = 0x00c8,
    E1000_IMS = 0x00d0,
    E1000_IMC = 0x00d8,
    E1000_RCTL = 0x0100,
    E1000_TCTL = 0x0400,
    E1000_LEDCTL = 0x0e00,
    E1000_PBA = 0x1000,
    E1000_RDBAL = 0x2800,
    E1000_RDBAH = 0x2804,
    E1000_RDLEN = 0x2808,
    E1000_RDH = 0x2810,
    E1000_RDT = 0x2818,
    E1000_RDTR = 0x2820,
    E1000_RADV = 0x282c,
    E1000_TDBAL = 0x3800,
    E1000_TDBAH = 0x3804,
    E1000_TDLEN = 0x3808,
    E1000_TDH = 0x3810,
    E1000_TDT = 0x3818,
    E1000_TIDV = 0x3820,
    E1000_TADV = 0x382c,
    E1000_STATISTICS = 0x4000,
    E1000_MPC = 0x4010,
    E1000_PRC64 = 0x405c,
    E1000_GPRC = 0x4074,
    E1000_BPRC = 0x4078,
    E1000_MPRC = 0x407c,
    E1000_GPTC = 0x4080,
    E1000_GORCL = 0x4088,
    E1000_GOTCL = 0x4090,
    E1000_TORL = 0x40c0,
    E1000_TOTL = 0x40c8,
    E1000_TPR = 0x40d0,
    E1000_TPT = 0x40d4,
    E1000_PTC64 = 0x40d8,
    E1000_MPTC = 0x40f0,
    E1000_BPTC = 0x40f4,
    E1000_TSCTC = 0x40f8,
    E1000_STATISTICS_END = 0x4100,
    E1000_RXCSUM = 0x5000,
    E1000_MTA = 0x5200,
    E1000_MTA_END = 0x5400,
    E1000_RAL = 0x5400,
    E1000_RAL_END = 0x5480,
    E1000_VFTA = 0x5600,
    E1000_MANC = 0x5820,
    E1000_KEPT_END = E1000_REGISTERS * 4,
};

enum {
    CTRL_SLU = 1 << 6,
    CTRL_RST = 1 << 26,
    CTRL_VME = 1 << 30,
    CTRL_PHY_RST = 1u << 31,
    STATUS_FD = 1 << 0,
    STATUS_LU = 1 << 1,
    STATUS_1000 = 2 << 6 | 2 << 8, /* what the link runs at, and what was detected */
    STATUS_66MHZ = 1 << 11,
    STATUS_64BIT = 1 << 12,
    RCTL_EN = 1 << 1,
    RCTL_UPE = 1 << 3,
    RCTL_MPE = 1 << 4,
    RCTL_LPE = 1 << 5,
    RCTL_BAM = 1 << 15,
    RCTL_VFE = 1 << 18,
    RCTL_BSEX = 1 << 25,
    RCTL_SECRC = 1 << 26,
    TCTL_EN = 1 << 1,
    TCTL_PSP = 1 << 3,
    RXCSUM_IPOFL = 1 << 8,
    RXCSUM_TUOFL = 1 << 9,
};

/* Causes of interrupts. */
enum {
    ICR_TXDW = 1 << 0,
    ICR_TXQE = 1 << 1,
    ICR_LSC = 1 << 2,
    ICR_RXDMT0 = 1 << 4,
    ICR_RXO = 1 << 6,
    ICR_RXT0 = 1 << 7,
    ICR_MDAC = 1 << 9,
    ICR_TXD_LOW = 1 << 15,
};

/* The management interface's serial line (82543), and what it has in hand. */
typedef struct {
    uint32_t shift;   /* bits that came in */
    uint32_t out;     /* bits to go out, the next one highest */
    uint8_t bits;     /* that came in */
    uint8_t out_bits; /* that are still to go */
    uint8_t clock;    /* the line's level */
    uint8_t unused;   /* in saved states */
} E1000Serial;

/* What a context descriptor says. */
typedef struct {
    uint8_t ip_start, ip_offset, tcp_start, tcp_offset, command, header_length;
    uint16_t ip_end, tcp_end, segment_size;
    uint32_t payload;
} E1000Context;

typedef struct {
    E1000Context plain, segmented; /* the card keeps one of each */
    uint8_t frame[PDM_NETWORK_FRAME_MAX];
    uint32_t size;                           /* bytes of the frame so far */
    uint8_t options;                         /* POPTS of its first descriptor */
    uint8_t command;                         /* of its first descriptor */
    uint8_t extended;                        /* it began with a data descriptor */
    uint8_t started;                         /* there was a first descriptor */
    uint8_t too_long;                        /* it is dropped at its end */
    uint8_t checksum_start, checksum_offset; /* of a legacy descriptor with IC */
    uint16_t special;                        /* VLAN tag */
    uint8_t held;                            /* the frame is whole, but the network had no room */
    PdmFrameOffload offload;                 /* of a held frame */
} E1000Transmit;

typedef struct {
    const char *name;
    uint16_t device, subsystem_vendor, subsystem;
    uint16_t phy_id; /* low word of the PHY's */
    bool serial_phy; /* management lines at CTRL in place of MDIC; no EERD */
    bool wide;       /* says that its bus has 64 bits and 66 MHz */
} E1000Model;

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    const E1000Model *model;
    PdmNetworkPort port;
    const PdmNetworkConnector *net; /* NULL: none */
    TmTimer *throttle, *receive_delay, *receive_absolute, *transmit_delay, *transmit_absolute;

    uint32_t regs[E1000_REGISTERS];
    uint16_t phy[E1000_PHY_REGISTERS];
    uint16_t eeprom[E1000_EEPROM_WORDS];
    Microwire microwire;
    E1000Serial management;
    uint32_t io_address;     /* of the register window in ports */
    uint64_t next_interrupt; /* ns: no earlier one may be raised */
    uint32_t waiting;        /* frames that no interrupt has told of; not saved */
    uint8_t line;            /* of the interrupt pin */
    uint8_t delayed;         /* causes that a delay timer holds: RXT0, TXDW */
    E1000Transmit transmit;
    bool transmitting;
} E1000;

static inline uint32_t *
e1000_reg(E1000 *nic, uint32_t offset)
{
    return &nic->regs[offset / 4];
}

static inline uint64_t
e1000_ring(E1000 *nic, uint32_t low)
{
    return (uint64_t)*e1000_reg(nic, low + 4) << 32 | (*e1000_reg(nic, low) & ~15u);
}

static inline void
e1000_count(E1000 *nic, uint32_t counter)
{
    uint32_t *value = e1000_reg(nic, counter);

    *value += *value != UINT32_MAX;
}

/* A 64-bit statistic. */
static inline void
e1000_count_bytes(E1000 *nic, uint32_t low, uint32_t bytes)
{
    uint64_t value = (uint64_t)*e1000_reg(nic, low + 4) << 32 | *e1000_reg(nic, low);

    value += bytes;
    *e1000_reg(nic, low) = (uint32_t)value;
    *e1000_reg(nic, low + 4) = (uint32_t)(value >> 32);
}

/* e1000-registers.c */
extern const IomMmioOps e1000_mmio_ops;
extern const IomPortOps e1000_port_ops;
/* e1000.c */
void e1000_soft_reset(E1000 *nic);
void e1000_update_link(E1000 *nic);
/* e1000-interrupt.c */
void e1000_interrupt_init(E1000 *nic);
void e1000_raise(E1000 *nic, uint32_t causes);
void e1000_raise_received(E1000 *nic);
void e1000_raise_sent(E1000 *nic, bool delay);
uint32_t e1000_read_causes(E1000 *nic);
void e1000_update_interrupt(E1000 *nic);
void e1000_interrupt_reset(E1000 *nic);
/* e1000-eeprom.c */
void e1000_eeprom_fill(E1000 *nic);
uint32_t e1000_eecd_read(const E1000 *nic);
void e1000_eecd_write(E1000 *nic, uint32_t value);
uint32_t e1000_eerd_read(const E1000 *nic);
/* e1000-phy.c */
void e1000_phy_reset(E1000 *nic);
void e1000_phy_update_link(E1000 *nic, bool up);
void e1000_mdic_write(E1000 *nic, uint32_t value);
uint32_t e1000_management_read(const E1000 *nic, uint32_t ctrl);
void e1000_management_write(E1000 *nic, uint32_t ctrl);
/* e1000-transmit.c */
void e1000_transmit(E1000 *nic);
void e1000_transmit_reset(E1000 *nic);
/* e1000-receive.c */
bool e1000_receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload);
bool e1000_has_room(E1000 *nic);
/* e1000-state.c */
extern const SsmState e1000_state;
