/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libFuzzer on what networks say of names: the host's name servers out of a file as resolv.conf(5)
 * has it, put into frames of the gateway; and questions of hostile machines for names, with what
 * the host answers. An input's first byte says which, then how the rest is parted: bytes 1 and 2
 * are the size of the first part. Whatever comes in, a frame that goes out is whole: its lengths
 * and sums are right. Made by test_fuzz_names.py. */
#include <string.h>

#include "app/worker/network.h"

#define ROOM 1514u
#define IPV4_SIZE 20u
#define IPV6_SIZE 40u
#define UDP_SIZE 8u
#define DNS_PORT 53u

typedef struct {
    Network network;
    const char *answer;
    bool failed;
} Target;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- what is around the resolver --- */

void
network_tell(Network *network, const char *text)
{
    Target *target = (Target *)network;
    const char *number = strstr(text, "number=");

    if (!g_str_has_prefix(text, "resolve\n") || number == NULL || strlen(text) > 1000)
        g_error("the service is told: %s", text);
    resolver_answer(network, (uint32_t)g_ascii_strtoull(number + strlen("number="), NULL, 10),
                    target->answer, target->failed);
}

bool
nat_is_name_server(const Nat *nat, const uint8_t *address, bool ipv6)
{
    return true;
}

/* The sum over what IP carries, with its pseudo header. */
static void
check_sum(const uint8_t *frame, size_t size)
{
    const uint8_t *ip = frame + FRAME_ETHERNET;
    const bool ipv6 = frame_load16(frame + 12) == FRAME_IPV6;
    const size_t header = ipv6 ? IPV6_SIZE : IPV4_SIZE, length = size - FRAME_ETHERNET - header;
    const uint32_t start = (uint32_t)length + ip[ipv6 ? 6 : 9];
    const uint16_t sum = ipv6 ? frame_sum(ip + 8, 32, start) : frame_sum(ip + 12, 8, start);

    if (frame_checksum(ip + header, length, sum) != 0)
        g_error("the sum of a frame is wrong");
}

void
network_forward(Network *network, unsigned from, uint8_t *data, size_t size,
                const PdmFrameOffload *offload)
{
    FrameParts parts;

    if (!frame_parse(data, size, &parts) || parts.payload == 0 || parts.end != size ||
        frame_load16(data + parts.transport) != DNS_PORT ||
        size - parts.payload > 512) /* RFC 1035, 4.2.1 */
        g_error("an answer is no good frame");
    check_sum(data, size);
}

/* --- questions --- */

static void
put_headers(uint8_t *frame, bool ipv6, size_t size)
{
    uint8_t *ip = frame + FRAME_ETHERNET, *udp = ip + (ipv6 ? IPV6_SIZE : IPV4_SIZE);

    memset(frame, 0, (size_t)(udp + UDP_SIZE - frame));
    frame_store16(frame + 12, ipv6 ? FRAME_IPV6 : FRAME_IPV4);
    ip[0] = ipv6 ? 0x60 : 0x45;
    ip[ipv6 ? 6 : 9] = FRAME_UDP;
    frame_store16(ip + (ipv6 ? 4 : 2), (uint16_t)(UDP_SIZE + size + (ipv6 ? 0 : IPV4_SIZE)));
    frame_store16(udp + 2, DNS_PORT);
    frame_store16(udp + 4, (uint16_t)(UDP_SIZE + size));
}

static void
ask(bool ipv6, bool failed, const uint8_t *dns, size_t size, const char *answer)
{
    const size_t headers = FRAME_ETHERNET + (ipv6 ? IPV6_SIZE : IPV4_SIZE) + UDP_SIZE;
    Target target = {.answer = answer, .failed = failed};
    g_autofree uint8_t *frame = NULL;

    size = MIN(size, ROOM - headers);
    frame = g_malloc(headers + size);
    put_headers(frame, ipv6, size);
    memcpy(frame + headers, dns, size);
    target.network.resolver = resolver_new();
    resolver_input(&target.network, frame, headers + size);
    resolver_free(target.network.resolver);
}

/* --- name servers --- */

static void
tell(const char *text, const uint8_t *data, size_t size)
{
    const NamesNetwork network = {.base = {0x0002000a}, .mask = {0x00ffffff}};
    g_autofree uint8_t *frame = g_malloc0(ROOM);
    HostNames names;
    size_t length;

    names_parse(text, &network, &names);
    if (names.count4 + names.count6 > NAMES_MAX)
        g_error("%zu servers", names.count4 + names.count6);
    if (size < FRAME_ETHERNET || size > ROOM)
        return;
    memcpy(frame, data, size);
    length = names_put(frame, size, ROOM, &names);
    if (length > ROOM)
        g_error("a frame of %zu bytes", length);
    if (length != size && frame_load16(frame + 12) == FRAME_IPV6 && length > FRAME_ETHERNET + 40)
        check_sum(frame, length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = NULL;
    size_t length;

    if (size < 3)
        return 0;
    length = MIN((size_t)frame_load16(data + 1), size - 3);
    if ((data[0] & 1) == 0) {
        text = g_strndup((const char *)data + 3, length);
        tell(text, data + 3 + length, size - 3 - length);
        return 0;
    }
    text =
        (data[0] & 8) != 0 ? NULL : g_strndup((const char *)data + 3 + length, size - 3 - length);
    ask((data[0] & 2) != 0, (data[0] & 4) != 0, data + 3, length, text);
    return 0;
}
