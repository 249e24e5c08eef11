/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a network itself answers: ARP (RFC 826) for its own addresses, and DHCP, in frames that have
 * no socket behind them. */
#include "app/worker/network.h"

#include <string.h>

#define IPV4_SIZE 20u
#define UDP_SIZE 8u
#define ARP_SIZE 28u
#define DHCP_SERVER_PORT 67u
#define DHCP_CLIENT_PORT 68u
#define TIME_TO_LIVE 64u

enum { ARP_REQUEST = 1, ARP_REPLY };
enum { ARP_OPERATION = 6, ARP_SENDER = 8, ARP_SENDER_IP = 14, ARP_TARGET = 18, ARP_TARGET_IP = 24 };

static void
send_frame(Network *network, uint8_t *frame, size_t size)
{
    const PdmFrameOffload good = {.checksum_good = true};

    network_forward(network, PLACE_LOCAL, frame, size, &good);
}

/* --- addresses --- */

/* Addresses of the first octets 52:56 are this program's own, the rest says whose they are. */
void
local_set_dhcp(Network *network, Dhcp *dhcp)
{
    LocalAddress *own = &network->local[LOCAL_DHCP];

    g_clear_pointer(&network->dhcp, dhcp_free);
    *own = (LocalAddress){0};
    network->dhcp = dhcp;
    if (dhcp == NULL)
        return;
    own->mac[0] = 0x52;
    own->mac[1] = 0x56;
    frame_store32(own->mac + 2, dhcp_range(dhcp)->server);
    if (network->nat == NULL || !nat_has_address(network->nat, dhcp_range(dhcp)->server))
        own->address = dhcp_range(dhcp)->server;
}

/* libslirp's own address on the network is 52:55 and its IPv4 address. */
void
local_set_gateway(Network *network, uint32_t address)
{
    LocalAddress *own = &network->local[LOCAL_GATEWAY];

    *own = (LocalAddress){.address = address, .mac = {0x52, 0x55}};
    frame_store32(own->mac + 2, nat_gateway(network->nat));
    if (nat_has_address(network->nat, address))
        own->address = 0;
}

/* --- ARP --- */

static void
answer_arp(Network *network, const LocalAddress *own, const uint8_t *question)
{
    uint8_t frame[FRAME_ETHERNET + ARP_SIZE];
    uint8_t *arp = frame + FRAME_ETHERNET;

    memcpy(frame, question + 6, 6);
    memcpy(frame + 6, own->mac, 6);
    memcpy(frame + 12, question + 12, 2 + ARP_OPERATION);
    frame_store16(arp + ARP_OPERATION, ARP_REPLY);
    memcpy(arp + ARP_SENDER, own->mac, 6);
    frame_store32(arp + ARP_SENDER_IP, own->address);
    memcpy(arp + ARP_TARGET, question + FRAME_ETHERNET + ARP_SENDER, 10);
    send_frame(network, frame, sizeof(frame));
}

/* Ethernet and IPv4: types 1 and 0x0800, sizes 6 and 4. */
static void
arp_input(Network *network, const uint8_t *data, size_t size)
{
    static const uint8_t kind[] = {0, 1, 8, 0, 6, 4, 0, ARP_REQUEST};
    const uint8_t *arp = data + FRAME_ETHERNET;

    if (size < FRAME_ETHERNET + ARP_SIZE || memcmp(arp, kind, sizeof(kind)) != 0)
        return;
    for (unsigned i = 0; i < LOCAL_COUNT; i++) {
        const LocalAddress *own = &network->local[i];

        if (own->address != 0 && frame_load32(arp + ARP_TARGET_IP) == own->address &&
            frame_load32(arp + ARP_SENDER_IP) != own->address)
            answer_arp(network, own, data);
    }
}

/* --- DHCP --- */

static void
put_ip(uint8_t *ip, uint32_t from, uint32_t to, size_t size)
{
    memset(ip, 0, IPV4_SIZE);
    ip[0] = 0x45;
    frame_store16(ip + 2, (uint16_t)(IPV4_SIZE + size));
    ip[8] = TIME_TO_LIVE;
    ip[9] = FRAME_UDP;
    frame_store32(ip + 12, from);
    frame_store32(ip + 16, to);
    frame_store16(ip + 10, frame_checksum(ip, IPV4_SIZE, 0));
}

/* The datagram stands in the frame behind room for its headers. */
static void
put_udp(uint8_t *ip, size_t payload)
{
    const size_t size = UDP_SIZE + payload;
    uint8_t *udp = ip + IPV4_SIZE;
    uint16_t sum;

    frame_store16(udp, DHCP_SERVER_PORT);
    frame_store16(udp + 2, DHCP_CLIENT_PORT);
    frame_store16(udp + 4, (uint16_t)size);
    frame_store16(udp + 6, 0);
    sum = frame_sum(ip + 12, 8, FRAME_UDP + (uint32_t)size);
    sum = frame_checksum(udp, size, sum);
    frame_store16(udp + 6, sum != 0 ? sum : 0xffff);
}

static void
dhcp_input(Network *network, unsigned from, const uint8_t *data, const FrameParts *parts)
{
    uint8_t frame[FRAME_ETHERNET + IPV4_SIZE + UDP_SIZE + DHCP_MESSAGE_MAX];
    uint8_t *ip = frame + FRAME_ETHERNET;
    DhcpTarget target;
    size_t size =
        dhcp_answer(network->dhcp, from, g_get_real_time() / G_USEC_PER_SEC, data + parts->payload,
                    parts->end - parts->payload, ip + IPV4_SIZE + UDP_SIZE, &target);

    if (size == 0)
        return;
    memcpy(frame, target.mac, 6);
    memcpy(frame + 6, network->local[LOCAL_DHCP].mac, 6);
    frame_store16(frame + 12, FRAME_IPV4);
    put_ip(ip, dhcp_range(network->dhcp)->server, target.address, UDP_SIZE + size);
    put_udp(ip, size);
    send_frame(network, frame, FRAME_ETHERNET + IPV4_SIZE + UDP_SIZE + size);
}

static bool
is_for_dhcp(const Network *network, const uint8_t *data, const FrameParts *parts)
{
    const uint32_t to = frame_load32(data + parts->network + 16);

    return parts->type == FRAME_IPV4 && parts->network == FRAME_ETHERNET &&
           parts->protocol == FRAME_UDP && parts->payload != 0 && parts->end >= parts->payload &&
           frame_load16(data + parts->transport + 2) == DHCP_SERVER_PORT &&
           (to == UINT32_MAX || to == dhcp_range(network->dhcp)->server);
}

bool
local_input(Network *network, unsigned from, const uint8_t *data, size_t size)
{
    FrameParts parts;

    if (network->local[LOCAL_DHCP].address == 0 && network->local[LOCAL_GATEWAY].address == 0 &&
        network->dhcp == NULL)
        return false;
    if (frame_load16(data + 12) == FRAME_ARP)
        arp_input(network, data, size);
    if (network->dhcp == NULL || !frame_parse(data, size, &parts) || parts.network == 0 ||
        !is_for_dhcp(network, data, &parts))
        return false;
    dhcp_input(network, from, data, &parts);
    return true;
}
