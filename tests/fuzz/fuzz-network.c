/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libFuzzer on the network worker: frames of two hostile machines into the switch, the DHCP server
 * and the gateway. An input is frames, each behind four bytes: which machine (bit 0) and what the
 * frame wants (bit 1: a checksum, bits 2 and 3: to be cut), whether its IPv4 header's sum is put
 * right (bit 4), time that passes; then its size. Made by test_fuzz_network.py. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/api/vitrine-types.h"
#include "app/worker/network.h"

#define FRAMES_MAX 64u
#define IP 20u

static const uint8_t macs[2][6] = {{8, 0, 0x27, 0, 0, 1}, {8, 0, 0x27, 0, 0, 2}};

typedef struct {
    Network network;
    int ends[2]; /* of the machines */
} Target;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The library's own is not linked. */
GQuark
vitrine_error_quark(void)
{
    return g_quark_from_static_string("vitrine-error");
}

/* The service answers questions for names at once, in a way that depends on the name. */
void
network_tell(Network *network, const char *text)
{
    static const char *const answers[] = {"127.0.0.1,192.0.2.7,::1", "host.example", "", NULL};
    const char *number = strstr(text, "number="), *name = strstr(text, "name=");

    if (number != NULL)
        resolver_answer(network, (uint32_t)g_ascii_strtoull(number + strlen("number="), NULL, 10),
                        answers[name != NULL ? name[strlen("name=")] % 4 : 1], false);
}

static void
open_target(Target *target, bool ipv6)
{
    const NatOptions options = {.ipv4 = "10.0.2.0/24",
                                .ipv6 = ipv6,
                                .dns = true,
                                .dhcp = ipv6,
                                .host_names = true,
                                .loopback = true,
                                .loopback6 = 2};
    const DhcpRange range = {0x0a000203, 0xffffff00, 0x0a000204, 0x0a0002fe};
    const DhcpScope all = {.kind = DHCP_FOR_ALL};
    const uint8_t router[] = {10, 0, 2, 1};
    Network *network = &target->network;

    network->buffer = g_malloc(FRAME_MESSAGE_MAX);
    network->places = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    network->nat = nat_new(network, &options, NULL);
    if (network->nat == NULL)
        g_error("no gateway");
    local_set_gateway(network, 0x0a000201);
    local_set_dhcp(network, dhcp_new(&range, NULL, NULL));
    dhcp_set_option(network->dhcp, &all, 3, router, sizeof(router), true);
    network->resolver = resolver_new();
    for (int i = 0; i < 2; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) != 0 ||
            !network_add_port(network, i == 0 ? "one" : "two", macs[i], POLICY_ALL, false, pair[0],
                              NULL))
            g_error("no machine");
        target->ends[i] = pair[1];
    }
}

static void
drain(const Target *target)
{
    static uint8_t buffer[FRAME_MESSAGE_MAX];

    for (int i = 0; i < 2; i++) {
        while (recv(target->ends[i], buffer, sizeof(buffer), 0) > 0)
            continue;
    }
}

static void
turn(Target *target)
{
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    int timeout;

    nat_prepare(target->network.nat, fds, &timeout);
    if (g_poll((GPollFD *)fds->data, fds->len, 0) >= 0)
        nat_dispatch(target->network.nat, fds);
    nat_flush(target->network.nat);
    drain(target);
}

static void
close_target(Target *target)
{
    network_remove_port(&target->network, "one", NULL);
    network_remove_port(&target->network, "two", NULL);
    nat_free(target->network.nat);
    dhcp_free(target->network.dhcp);
    resolver_free(target->network.resolver);
    g_hash_table_unref(target->network.places);
    g_free(target->network.buffer);
    close(target->ends[0]);
    close(target->ends[1]);
}

static void
mend(uint8_t *frame, size_t size)
{
    uint8_t *ip = frame + FRAME_ETHERNET;

    if (size < FRAME_ETHERNET + IP || frame_load16(frame + 12) != FRAME_IPV4)
        return;
    frame_store16(ip + 10, 0);
    frame_store16(ip + 10, frame_checksum(ip, IP, 0));
}

static void
one_frame(Target *target, const uint8_t *head, const uint8_t *data, size_t size)
{
    g_autofree uint8_t *frame = g_memdup2(data, size);
    const PdmFrameOffload offload = {
        .needs_checksum = (head[0] & 2) != 0,
        .checksum_start = FRAME_ETHERNET + IP,
        .checksum_offset = head[0] >> 5 != 0 ? 16 : 6,
        .segment = (head[0] & 12) == 4 ? PDM_SEGMENT_TCP4 : PDM_SEGMENT_NONE,
        .segment_size = 536,
        .header_length = FRAME_ETHERNET + IP + IP,
    };

    if ((head[0] & 16) != 0)
        mend(frame, size);
    network_forward(&target->network, head[0] & 1, frame, size, &offload);
    turn(target);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Target target = {0};

    if (size < 1)
        return 0;
    open_target(&target, (data[0] & 1) != 0);
    data++;
    size--;
    for (unsigned i = 0; i < FRAMES_MAX && size > 4; i++) {
        const size_t length = MIN((size_t)frame_load16(data + 2), size - 4);

        if (length >= FRAME_ETHERNET)
            one_frame(&target, data, data + 4, length);
        data += 4 + length;
        size -= 4 + length;
    }
    close_target(&target);
    return 0;
}
