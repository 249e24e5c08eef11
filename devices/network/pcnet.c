/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * AMD PCnet-PCI II (Am79C970A, data sheet 19436) and PCnet-FAST III (Am79C973, data sheet 21510).
 * Left out: what the files beside this one leave out, parity errors, sleep. */
#include "devices/network/net-config.h"
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

static const PcnetModel *
find_model(const char *name, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(models); i++) {
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no network card of the model %s.",
                name);
    return NULL;
}

static bool
construct_pci(Pcnet *nic, const CfgmNode *config, GError **error)
{
    PdmDevice *device = nic->device;
    const PdmPciInfo info = {
        .vendor = VENDOR,
        .device = DEVICE,
        .subsystem_vendor = nic->model->fast ? VENDOR : 0,
        .subsystem = nic->model->fast ? DEVICE : 0,
        .revision = nic->model->revision,
        .subclass = 0x00,
        .class_code = 0x02,
        .interrupt_pin = 1,
        .slot = -1,
        .function = -1,
    };
    PgmRegion *memory;
    IomPorts *ports;

    nic->pci = pdm_pci_new(device, &info, NULL, NULL, error);
    if (nic->pci == NULL)
        return false;
    pdm_pci_config(device, nic->pci)[0x3e] = 0x06; /* latencies, in quarters of a microsecond */
    pdm_pci_config(device, nic->pci)[0x3f] = 0xff;
    memory = pdm_mmio_new(device, "pcnet", MEMORY, &pcnet_mmio_ops, nic);
    ports = pdm_ports_new(device, "pcnet", PORTS, &pcnet_port_ops, nic);
    return pdm_pci_bar_ports(device, nic->pci, PORTS_BAR, ports, PORTS, error) &&
           pdm_pci_bar_region(device, nic->pci, MEMORY_BAR, memory, MEMORY, false, false, error) &&
           net_config_rom(device, nic->pci, config, ROM_PATH, error);
}

static bool
nic_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Pcnet *nic = device->data;

    nic->device = device;
    nic->model = find_model(cfgm_string(config, "Model", MODEL_USUAL), error);
    nic->port = (PdmNetworkPort){
        .user = nic,
        .receive = pcnet_receive,
        .link_changed = link_changed,
        .can_send = can_send,
    };
    if (nic->model == NULL || !net_config_mac(device, config, nic->port.mac, error) ||
        !construct_pci(nic, config, error))
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

static const char *const model_names[] = {"Am79C970A", "Am79C973", NULL};

static const PdmOption options[] = {
    {.key = "Model",
     .title = "Card",
     .type = PDM_OPTION_CHOICE,
     .text = MODEL_USUAL,
     .choices = model_names},
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
