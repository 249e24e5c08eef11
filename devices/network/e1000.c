/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Intel PRO/1000: 82540EM (MT Desktop), 82543GC (T Server), 82545EM (MT Server), by Intel's manual
 * 317453. Left out: flow control frames, wake-up, management, loopback, packet splitting, flash. */
#include "devices/network/e1000-private.h"
#include "devices/network/net-config.h"
#include "devices/network/net-pci.h"

#define ROM_PATH "/usr/lib/ipxe/qemu/pxe-e1000.rom"
#define MODEL_USUAL "82540EM"

enum { MEMORY_BAR = 0, PORTS_BAR = 2, PORTS = 8 };

static const E1000Model models[] = {
    {"82540EM", 0x100e, 0x8086, 0x001e, 0x0c20, false, false},
    {"82543GC", 0x1004, 0x8086, 0x1004, 0x0c50, true, false},
    {"82545EM", 0x100f, 0x15ad, 0x0750, 0x0c20, false, true},
};
static const char *const model_names[] = {"82540EM", "82543GC", "82545EM", NULL};

/* --- link --- */

void
e1000_update_link(E1000 *nic)
{
    const bool up = nic->net != NULL && nic->net->link_up(nic->net->user);
    uint32_t *status = e1000_reg(nic, E1000_STATUS);
    const uint32_t before = *status;

    *status = STATUS_FD | STATUS_1000 | (up ? STATUS_LU : 0) |
              (nic->model->wide ? STATUS_66MHZ | STATUS_64BIT : 0);
    e1000_phy_update_link(nic, up);
    if (((before ^ *status) & STATUS_LU) != 0)
        e1000_raise(nic, ICR_LSC);
}

static void
link_changed(void *user, bool up)
{
    e1000_update_link(user);
}

static void
can_send(void *user)
{
    e1000_transmit(user);
}

/* --- reset --- */

/* What CTRL.RST does: all but the PHY, the EEPROM and PCI. */
void
e1000_soft_reset(E1000 *nic)
{
    const uint8_t *mac = nic->port.mac;

    e1000_interrupt_reset(nic);
    memset(nic->regs, 0, sizeof(nic->regs));
    e1000_transmit_reset(nic);
    memset(&nic->transmit.plain, 0, sizeof(nic->transmit.plain));
    memset(&nic->transmit.segmented, 0, sizeof(nic->transmit.segmented));
    *e1000_reg(nic, E1000_CTRL) = CTRL_SLU | 1 | 2 << 8; /* full duplex, 1000 */
    *e1000_reg(nic, E1000_PBA) = 0x00100030;
    *e1000_reg(nic, E1000_LEDCTL) = 0x0602;
    *e1000_reg(nic, E1000_VET) = 0x8100;
    *e1000_reg(nic, E1000_MANC) = 1 << 13; /* ARP requests are not the card's */
    *e1000_reg(nic, E1000_RAL) =
        mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
    *e1000_reg(nic, E1000_RAL + 4) = 0x80000000u | mac[4] | (uint32_t)mac[5] << 8;
    e1000_update_link(nic);
    *e1000_reg(nic, E1000_ICR) = 0;
    e1000_update_interrupt(nic);
    if (nic->net != NULL)
        nic->net->receive_ready(nic->net->user);
}

static void
nic_reset(PdmDevice *device)
{
    E1000 *nic = device->data;

    memset(&nic->microwire, 0, sizeof(nic->microwire));
    memset(&nic->management, 0, sizeof(nic->management));
    nic->io_address = 0;
    e1000_eeprom_fill(nic);
    e1000_phy_reset(nic);
    e1000_soft_reset(nic);
}

/* --- construction --- */

static bool
construct_pci(E1000 *nic, const CfgmNode *config, GError **error)
{
    const NetPciInfo info = {
        .name = "e1000",
        .vendor = 0x8086,
        .device = nic->model->device,
        .subsystem_vendor = nic->model->subsystem_vendor,
        .subsystem = nic->model->subsystem,
        .revision = 2,
        .memory_bar = MEMORY_BAR,
        .memory_size = E1000_MMIO_SIZE,
        .memory = &e1000_mmio_ops,
        .ports_bar = PORTS_BAR,
        .port_count = PORTS,
        .ports = &e1000_port_ops,
        .rom = ROM_PATH,
    };

    nic->pci = net_pci_new(nic->device, &info, config, nic, error);
    return nic->pci != NULL;
}

static bool
nic_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    E1000 *nic = device->data;
    const int model = net_config_model(config, model_names, MODEL_USUAL, error);

    if (model < 0)
        return false;
    nic->device = device;
    nic->model = &models[model];
    nic->port = (PdmNetworkPort){
        .user = nic,
        .receive = e1000_receive,
        .link_changed = link_changed,
        .can_send = can_send,
    };
    if (!net_config_mac(device, config, nic->port.mac, error) || !construct_pci(nic, config, error))
        return false;
    e1000_interrupt_init(nic);
    if (!pdm_attach(device, 0, PDM_IF_NETWORK, &nic->port, (const void **)&nic->net, false, error))
        return false;
    nic_reset(device);
    return true;
}

static void
nic_info(PdmDevice *device, GString *out)
{
    E1000 *nic = device->data;

    g_string_append_printf(
        out, "%s: status %08x, causes %08x of %08x, receive %u..%u, send %u..%u\n",
        nic->model->name, *e1000_reg(nic, E1000_STATUS), *e1000_reg(nic, E1000_ICR),
        *e1000_reg(nic, E1000_IMS), *e1000_reg(nic, E1000_RDH), *e1000_reg(nic, E1000_RDT),
        *e1000_reg(nic, E1000_TDH), *e1000_reg(nic, E1000_TDT));
}

static const PdmOption options[] = {
    NET_CONFIG_MODEL(model_names, MODEL_USUAL),
    NET_CONFIG_OPTIONS,
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo e1000_device = {
    .abi = PDM_ABI_VERSION,
    .name = "e1000",
    .title = "Network card (Intel PRO/1000)",
    .kind = PDM_KIND_NETWORK,
    .instance_size = sizeof(E1000),
    .max_instances = NET_CARDS_MAX,
    .options = options,
    .construct = nic_construct,
    .reset = nic_reset,
    .state = &e1000_state,
    .info = nic_info,
};
