/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * AMD PCnet-PCI II (Am79C970A, data sheet 19436) and PCnet-FAST III (Am79C973, data sheet 21510).
 * Left out: what the files beside this one leave out, parity errors, sleep. */
#include "devices/network/net-config.h"
#include "devices/network/net-pci.h"
#include "devices/network/pcnet-private.h"

#include <string.h>

#define ROM_PATH "/usr/lib/ipxe/qemu/pxe-pcnet.rom"
#define MODEL_USUAL "Am79C973"

enum {
    VENDOR = 0x1022,
    DEVICE = 0x2000,
    PORTS_BAR = 0,
    MEMORY_BAR = 1,
    PORTS = 0x20,
    MEMORY = 0x1000, /* of which 32 bytes are registers */
};

static const PcnetModel models[] = {
    {"Am79C970A", 0x2621, 0x10, false},
    {"Am79C973", 0x2625, 0x40, true},
};
static const char *const model_names[] = {"Am79C970A", "Am79C973", NULL};

/* --- link --- */

void
pcnet_update_link(Pcnet *nic)
{
    nic->link = nic->net != NULL && nic->net->link_up(nic->net->user);
    pcnet_phy_update_link(nic, nic->link);
}

static void
link_changed(void *user, bool up)
{
    pcnet_update_link(user);
}

static void
can_send(void *user)
{
    pcnet_transmit(user);
}

/* --- reset --- */

void
pcnet_soft_reset(Pcnet *nic)
{
    pcnet_csr_reset(nic);
    pcnet_update_interrupt(nic);
}

static void
software_timer(void *user)
{
    Pcnet *nic = user;

    nic->csr[7] |= CSR7_STINT;
    pcnet_update_interrupt(nic);
    pcnet_bcr_write(nic, BCR_STVAL, nic->bcr[BCR_STVAL]);
}

static void
nic_reset(PdmDevice *device)
{
    Pcnet *nic = device->data;

    memset(nic->csr, 0, sizeof(nic->csr));
    memset(&nic->microwire, 0, sizeof(nic->microwire));
    nic->receive_at = nic->transmit_at = 0;
    pcnet_bcr_reset(nic);
    pcnet_phy_reset(nic);
    pcnet_eeprom_fill(nic);
    pcnet_eeprom_load(nic);
    pcnet_update_link(nic);
    pcnet_soft_reset(nic);
}

/* --- construction --- */

static bool
construct_pci(Pcnet *nic, const CfgmNode *config, GError **error)
{
    const NetPciInfo info = {
        .name = "pcnet",
        .vendor = VENDOR,
        .device = DEVICE,
        .subsystem_vendor = nic->model->fast ? VENDOR : 0,
        .subsystem = nic->model->fast ? DEVICE : 0,
        .revision = nic->model->revision,
        .memory_bar = MEMORY_BAR,
        .memory_size = MEMORY,
        .memory = &pcnet_mmio_ops,
        .ports_bar = PORTS_BAR,
        .port_count = PORTS,
        .ports = &pcnet_port_ops,
        .rom = ROM_PATH,
    };

    nic->pci = net_pci_new(nic->device, &info, config, nic, error);
    if (nic->pci == NULL)
        return false;
    pdm_pci_config(nic->device, nic->pci)[0x3e] =
        0x06; /* latencies, in quarters of a microsecond */
    pdm_pci_config(nic->device, nic->pci)[0x3f] = 0xff;
    return true;
}

static bool
nic_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Pcnet *nic = device->data;
    const int model = net_config_model(config, model_names, MODEL_USUAL, error);

    if (model < 0)
        return false;
    nic->device = device;
    nic->model = &models[model];
    nic->port = (PdmNetworkPort){
        .user = nic,
        .receive = pcnet_receive,
        .link_changed = link_changed,
        .can_send = can_send,
    };
    if (!net_config_mac(device, config, nic->port.mac, error) || !construct_pci(nic, config, error))
        return false;
    pcnet_poll_init(nic);
    nic->software = pdm_timer_new(device, "pcnet-software", software_timer, nic);
    if (!pdm_attach(device, 0, PDM_IF_NETWORK, &nic->port, (const void **)&nic->net, false, error))
        return false;
    nic_reset(device);
    return true;
}

static void
nic_info(PdmDevice *device, GString *out)
{
    Pcnet *nic = device->data;

    g_string_append_printf(
        out, "%s: status %04x, mode %04x, style %04x, receive %u of %u, send %u of %u\n",
        nic->model->name, pcnet_csr_read(nic, 0), nic->csr[CSR_MODE], nic->bcr[BCR_SWS],
        nic->receive_at, pcnet_ring_length(nic, CSR_RCVRL), nic->transmit_at,
        pcnet_ring_length(nic, CSR_XMTRL));
}

static const PdmOption options[] = {
    NET_CONFIG_MODEL(model_names, MODEL_USUAL),
    NET_CONFIG_OPTIONS,
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo pcnet_device = {
    .abi = PDM_ABI_VERSION,
    .name = "pcnet",
    .title = "Network card (AMD PCnet)",
    .kind = PDM_KIND_NETWORK,
    .instance_size = sizeof(Pcnet),
    .max_instances = NET_CARDS_MAX,
    .options = options,
    .construct = nic_construct,
    .reset = nic_reset,
    .state = &pcnet_state,
    .info = nic_info,
};
