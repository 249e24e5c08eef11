/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network cards against a guest that means harm: registers at ports and in memory, PCI
 * configuration, rings in guest memory, frames from the network, the cable, time, saving and
 * loading. One of fuzz-card-*.c says which card; the input begins where a driver has brought it up.
 *
 * An input is a byte that chooses the kind of card, and a row of steps: a byte that says what, and
 * what it needs. */
#include "tests/fuzz/fuzz-card.h"

#include "devices/devices.h"

#include <string.h>

#define STEPS_MAX 400u
#define SAVES_MAX 4u /* each takes as long as many other steps */
#define WINDOW 0x20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const PdmDeviceInfo e1000_device, ne2000_device, pcnet_device, virtio_net_device;

/* The bench asks for all devices that there are: these. */
bool
devices_register(PdmRegistry *registry, GError **error)
{
    static const PdmDeviceInfo *const devices[] = {&e1000_device, &ne2000_device, &pcnet_device,
                                                   &virtio_net_device};
    bool ok = true;

    for (unsigned i = 0; ok && i < G_N_ELEMENTS(devices); i++)
        ok = pdm_registry_add_device(registry, devices[i], error);
    return ok;
}

static CfgmNode *
tree(const FuzzCard *card)
{
    unsigned count = 0;

    while (fuzz_card.option != NULL && fuzz_card.values[count] != NULL)
        count++;
    return net_guest_tree(fuzz_card.device, fuzz_card.option,
                          count > 0 ? fuzz_card.values[card->choice % count] : NULL);
}

static BenchNetwork *
wire(FuzzCard *card)
{
    return net_guest_wire(card->bench, fuzz_card.device);
}

static void
map(FuzzCard *card)
{
    for (unsigned i = 0; i < 6; i++) {
        if ((fuzz_card.windows >> i & 1) != 0)
            pci_guest_map(card->bench, NET_GUEST_SLOT, i);
    }
}

/* --- what the network does --- */

static void
receive(FuzzCard *card, FuzzInput *input)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint32_t sizes[] = {14, 60, 61, 590, 1514, 1515, 1518, 9000};
    const uint32_t how = fuzz_take(input, 1);
    const bool long_one = (how & 0xf0) == 0xf0;
    const uint32_t size =
        long_one ? PDM_NETWORK_FRAME_MAX - fuzz_take(input, 1) : sizes[how & 7] + (how >> 6);
    const PdmNetworkPort *port = wire(card)->port;
    PdmFrameOffload offload = {0};
    g_autofree uint8_t *frame = g_malloc(size);

    net_guest_frame(frame, size, (how & 8) != 0 ? all : net_guest_own);
    for (unsigned i = 12; i < size && i < 12u + (how >> 4 & 3) * 8; i++)
        frame[i] = (uint8_t)fuzz_take(input, 1);
    offload.checksum_good = (how & 0x10) != 0;
    /* What the network may ask for is what the card has said that it takes. */
    if ((port->offloads & PDM_OFFLOAD_CHECKSUM) != 0 && (how & 0x20) != 0) {
        offload.needs_checksum = true;
        offload.checksum_start = 34;
        offload.checksum_offset = 16;
        offload.header_length = 54;
        offload.segment_size = 1460;
        offload.segment =
            (port->offloads & PDM_OFFLOAD_TCP4) != 0 ? PDM_SEGMENT_TCP4 : PDM_SEGMENT_NONE;
    }
    port->receive(port->user, frame, size, &offload);
}

static void
change_network(FuzzCard *card, FuzzInput *input)
{
    BenchNetwork *network = wire(card);
    const uint32_t how = fuzz_take(input, 1);

    network->full = (how & 1) != 0;
    if ((how & 2) != 0)
        network->port->can_send(network->port->user);
    if ((how & 4) != 0)
        bench_network_link(network, (how & 8) != 0);
    g_ptr_array_set_size(network->frames, 0);
}

/* --- what the guest does --- */

static void
access_window(FuzzCard *card, FuzzInput *input)
{
    const unsigned bar = fuzz_take(input, 1) % 6;

    if ((fuzz_card.windows >> bar & 1) != 0)
        fuzz_access_window(card->bench, input, PCI_GUEST_BAR(bar), WINDOW);
}

static void
access_config(FuzzCard *card, FuzzInput *input)
{
    const uint32_t offset = fuzz_take(input, 1) & 0xfc;

    if (fuzz_card.windows != 0)
        device_bench_pci_write(card->bench, NET_GUEST_SLOT, 0, offset, fuzz_take(input, 4), 4);
    if (offset < 0x28)
        map(card);
}

static void
save_and_load(FuzzCard *card)
{
    if (card->saves++ < SAVES_MAX)
        card->bench = fuzz_save_and_load(card->bench, tree(card));
}

static void
step(FuzzCard *card, FuzzInput *input)
{
    switch (fuzz_take(input, 1) & 15) {
    case 0:
    case 1: access_window(card, input); break;
    case 2:
        if (fuzz_card.port_count > 0)
            fuzz_access_port(card->bench, input, fuzz_card.ports, fuzz_card.port_count);
        break;
    case 3: fuzz_write_memory(card->bench, input); break;
    case 4: fuzz_wait(card->bench, 1 + (fuzz_take(input, 1) & 7), 500000); break;
    case 5:
    case 6: receive(card, input); break;
    case 7: change_network(card, input); break;
    case 8:
        if ((fuzz_take(input, 1) & 15) == 0)
            save_and_load(card);
        break;
    case 9:
        if ((fuzz_take(input, 1) & 15) == 0)
            device_bench_reset(card->bench);
        break;
    case 10: access_config(card, input); break;
    default: fuzz_card_work(card, input); break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    FuzzCard card = {.choice = fuzz_take(&input, 1)};

    card.bench = device_bench_new(tree(&card));
    map(&card);
    fuzz_card_begin(&card);
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++)
        step(&card, &input);
    fuzz_wait(card.bench, 4, 1000000);
    device_bench_free(card.bench);
    return 0;
}
