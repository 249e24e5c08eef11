/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Novell's NE2000: National Semiconductor's DP8390 with 16 KiB of its own memory on the ISA bus
 * (data sheet of the DP8390D/NS32490D). Ports and interrupt are those that jumpers chose. */
#include "devices/network/ne2000-private.h"
#include "devices/network/net-config.h"

#include <string.h>

/* What the cards of a machine have where nothing else is said; the first is everyone's usual. */
static const struct {
    uint16_t port;
    uint8_t irq;
} places[NET_CARDS_MAX] = {
    {0x300, 3},  {0x320, 5},  {0x340, 9}, {0x280, 7},
    {0x2a0, 10}, {0x2c0, 11}, {0x240, 3}, {0x380, 5},
};

/* --- interrupts and reset --- */

void
ne2000_update_interrupt(Ne2000 *nic)
{
    pdm_isa_irq(nic->device, nic->irq, (nic->interrupts & nic->mask) != 0);
}

void
ne2000_raise(Ne2000 *nic, uint8_t causes)
{
    nic->interrupts |= causes;
    ne2000_update_interrupt(nic);
}

/* What the reset port does: the driver's settings of the ring stay. */
void
ne2000_chip_reset(Ne2000 *nic)
{
    nic->command = CR_STP | CR_RD2;
    nic->interrupts = ISR_RST;
    nic->mask = 0;
    nic->transmit_config &= (uint8_t)~TCR_LOOP;
    nic->remote_left = 0;
    ne2000_update_interrupt(nic);
    ne2000_receive_ready(nic);
}

static void
nic_reset(PdmDevice *device)
{
    Ne2000 *nic = device->data;

    memset(nic->ram, 0, sizeof(nic->ram));
    memset(nic->prom, 0, sizeof(nic->prom));
    memcpy(nic->prom, nic->port.mac, 6);
    nic->prom[14] = nic->prom[15] = 'W';
    memset(nic->address, 0, sizeof(nic->address));
    memset(nic->groups, 0, sizeof(nic->groups));
    nic->page_start = nic->page_stop = nic->boundary = nic->current = nic->transmit_page = 0;
    nic->data_config = nic->transmit_config = nic->receive_config = 0;
    nic->transmit_status = nic->receive_status = nic->missed = 0;
    nic->transmit_count = nic->remote_start = nic->remote_count = nic->remote_at = 0;
    ne2000_chip_reset(nic);
}

static void
link_changed(void *user, bool up)
{
    /* The card does not know; what it sends says that there was no carrier. */
}

static void
can_send(void *user)
{
    ne2000_transmit(user);
}

/* --- construction --- */

static bool
nic_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Ne2000 *nic = device->data;
    const unsigned place = device->instance % NET_CARDS_MAX;
    const uint64_t port = cfgm_uint(config, "Port", places[place].port);
    const uint64_t irq = cfgm_uint(config, "Irq", places[place].irq);

    nic->device = device;
    if (port > 0x10000 - NE2000_PORTS || irq > 15 || irq == 2) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A network card cannot be at port 0x%" G_GINT64_MODIFIER
                    "x with interrupt %" G_GUINT64_FORMAT ".",
                    port, irq);
        return false;
    }
    nic->irq = (unsigned)irq;
    nic->port = (PdmNetworkPort){
        .user = nic,
        .receive = ne2000_receive,
        .link_changed = link_changed,
        .can_send = can_send,
    };
    if (!net_config_mac(device, config, nic->port.mac, error))
        return false;
    pdm_ports_map(device, pdm_ports_new(device, "ne2000", NE2000_PORTS, &ne2000_port_ops, nic),
                  (uint16_t)port);
    if (!pdm_attach(device, 0, PDM_IF_NETWORK, &nic->port, (const void **)&nic->net, false, error))
        return false;
    nic_reset(device);
    return true;
}

static void
nic_info(PdmDevice *device, GString *out)
{
    const Ne2000 *nic = device->data;

    g_string_append_printf(
        out,
        "NE2000: command %02x, interrupts %02x of %02x, ring %02x..%02x, read %02x, next %02x\n",
        nic->command, nic->interrupts, nic->mask, nic->page_start, nic->page_stop, nic->boundary,
        nic->current);
}

/* clang-format off */
static const SsmField fields[] = {
    SSM_BYTES(Ne2000, ram),
    SSM_BYTES(Ne2000, prom),
    SSM_UINT(Ne2000, command),
    SSM_UINT(Ne2000, interrupts),
    SSM_UINT(Ne2000, mask),
    SSM_UINT(Ne2000, data_config),
    SSM_UINT(Ne2000, transmit_config),
    SSM_UINT(Ne2000, receive_config),
    SSM_UINT(Ne2000, transmit_status),
    SSM_UINT(Ne2000, receive_status),
    SSM_UINT(Ne2000, page_start),
    SSM_UINT(Ne2000, page_stop),
    SSM_UINT(Ne2000, boundary),
    SSM_UINT(Ne2000, current),
    SSM_UINT(Ne2000, transmit_page),
    SSM_BYTES(Ne2000, address),
    SSM_BYTES(Ne2000, groups),
    SSM_UINT(Ne2000, missed),
    SSM_UINT(Ne2000, transmit_count),
    SSM_UINT(Ne2000, remote_start),
    SSM_UINT(Ne2000, remote_count),
    SSM_UINT(Ne2000, remote_at),
    SSM_UINT(Ne2000, remote_left),
    SSM_UINT_BELOW(Ne2000, waits, 2),
    SSM_END,
};

static const SsmState nic_state = {
    .version = 1,
    .min_version = 1,
    .fields = fields,
};

static const PdmOption options[] = {
    {.key = "MAC", .title = "Address", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Port", .title = "First port", .type = PDM_OPTION_UINT, .value = 0x300, .max = 0xffe0},
    {.key = "Irq", .title = "Interrupt", .type = PDM_OPTION_UINT, .value = 3, .max = 15},
    {.type = PDM_OPTION_END},
};
/* clang-format on */

const PdmDeviceInfo ne2000_device = {
    .abi = PDM_ABI_VERSION,
    .name = "ne2000",
    .title = "Network card (Novell NE2000)",
    .kind = PDM_KIND_NETWORK,
    .instance_size = sizeof(Ne2000),
    .max_instances = NET_CARDS_MAX,
    .options = options,
    .construct = nic_construct,
    .reset = nic_reset,
    .state = &nic_state,
    .info = nic_info,
};
