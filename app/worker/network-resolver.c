/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's resolver as the gateway's name server (manual, chapter Networking, "Using the host's
 * resolver as a DNS proxy in NAT mode"): questions for addresses and names of machines (RFC 1035,
 * RFC 3596) are put to the service, which has the host's own functions, so that the host's list of
 * hosts and all else that it knows count. This process cannot: it has no files. Leaves out: other
 * questions, and those over TCP, which go to the host's servers. Questions are hostile, and so many
 * of them wait. */
#include "app/worker/network.h"

#include <arpa/inet.h>
#include <string.h>

#define WAITING_MAX 64u
#define NAME_MAX_SIZE 253u
#define DNS_PORT 53u
#define DNS_HEADER 12u
#define DNS_MAX 512u /* over UDP */
#define TIME_TO_LIVE 60u
#define UDP_SIZE 8u
#define POINTER_TO_QUESTION (0xc000u | DNS_HEADER)

enum { IPV4_SIZE = 20, IPV6_SIZE = 40 };
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, CLASS_INTERNET = 1 };
enum { FLAG_ANSWER = 0x8000, FLAG_WISH_RECURSION = 0x0100, FLAG_RECURSION = 0x0080 };
enum { FLAGS_OTHER = 0xfa00 }; /* an answer, another operation, cut */
enum { NO_ERROR = 0, SERVER_FAILURE = 2, NO_NAME = 3 };

typedef struct {
    uint32_t number;
    uint16_t type;
    size_t dns_size; /* of the DNS message: first up to the end of what is asked */
    size_t size;     /* with the headers before it */
    uint8_t data[FRAME_ETHERNET + IPV6_SIZE + UDP_SIZE + DNS_MAX];
} Question;

struct Resolver {
    GQueue waiting; /* Question, the oldest first */
    uint32_t numbers;
};

Resolver *
resolver_new(void)
{
    return g_new0(Resolver, 1);
}

void
resolver_free(Resolver *resolver)
{
    g_queue_clear_full(&resolver->waiting, g_free);
    g_free(resolver);
}

/* --- questions --- */

/* The name that labels spell; what follows it, or 0: it is no name of a machine. */
static size_t
read_name(const uint8_t *dns, size_t size, char name[NAME_MAX_SIZE + 1])
{
    size_t at = DNS_HEADER, used = 0;

    while (at < size && dns[at] != 0) {
        const size_t length = dns[at++];

        if (length > 63 || at + length > size || used + length + 1 > NAME_MAX_SIZE)
            return 0;
        if (used != 0)
            name[used++] = '.';
        for (size_t i = 0; i < length; i++) {
            const char c = (char)dns[at++];

            if (!g_ascii_isalnum(c) && c != '-' && c != '_')
                return 0;
            name[used++] = c;
        }
    }
    name[used] = '\0';
    return at < size && used != 0 ? at + 1 : 0;
}

/* "1.2.0.192.in-addr.arpa": the address backwards. */
static bool
reverse4(char **words, char *address, size_t size)
{
    if (g_strv_length(words) != 6 || g_ascii_strcasecmp(words[4], "in-addr") != 0)
        return false;
    g_snprintf(address, size, "%s.%s.%s.%s", words[3], words[2], words[1], words[0]);
    return true;
}

/* 32 digits backwards, then "ip6.arpa". */
static bool
reverse6(char **words, char *address, size_t size)
{
    char *at = address;

    if (g_strv_length(words) != 34 || g_ascii_strcasecmp(words[32], "ip6") != 0 || size < 40)
        return false;
    for (int i = 31; i >= 0; i--) {
        if (strlen(words[i]) != 1)
            return false;
        *at++ = words[i][0];
        if (i % 4 == 0 && i != 0)
            *at++ = ':';
    }
    *at = '\0';
    return true;
}

static bool
read_address(const char *name, char *address, size_t size)
{
    g_auto(GStrv) words = g_strsplit(name, ".", 40);
    const guint count = g_strv_length(words);
    struct in6_addr parsed;

    return count != 0 && g_ascii_strcasecmp(words[count - 1], "arpa") == 0 &&
           ((reverse4(words, address, size) && inet_pton(AF_INET, address, &parsed) == 1) ||
            (reverse6(words, address, size) && inet_pton(AF_INET6, address, &parsed) == 1));
}

static void
ask_service(Network *network, const Question *question, const char *name)
{
    char address[INET6_ADDRSTRLEN];
    g_autofree char *text = NULL;

    if (question->type != TYPE_PTR)
        text = g_strdup_printf("resolve\nnumber=%u\nfamily=%d\nname=%s", question->number,
                               question->type == TYPE_AAAA ? 6 : 4, name);
    else if (read_address(name, address, sizeof(address)))
        text = g_strdup_printf("resolve\nnumber=%u\naddress=%s", question->number, address);
    if (text != NULL)
        network_tell(network, text);
    else
        resolver_answer(network, question->number, NULL, false);
}

/* False: it is another kind of question. */
static bool
read_question(const uint8_t *dns, size_t size, Question *question, char name[NAME_MAX_SIZE + 1])
{
    size_t end;

    if (size < DNS_HEADER || (frame_load16(dns + 2) & FLAGS_OTHER) != 0 ||
        frame_load16(dns + 4) != 1 || frame_load16(dns + 6) != 0 || frame_load16(dns + 8) != 0)
        return false;
    end = read_name(dns, size, name);
    if (end == 0 || end + 4 > size || frame_load16(dns + end + 2) != CLASS_INTERNET)
        return false;
    question->type = frame_load16(dns + end);
    question->dns_size = end + 4;
    return question->type == TYPE_A || question->type == TYPE_AAAA || question->type == TYPE_PTR;
}

/* A datagram to the name server, in a frame of plain headers. */
static bool
is_for_server(const Network *network, const uint8_t *data, const FrameParts *parts)
{
    const bool ipv6 = parts->type == FRAME_IPV6;
    const size_t ip = ipv6 ? IPV6_SIZE : IPV4_SIZE;

    return (ipv6 || parts->type == FRAME_IPV4) && (data[0] & 1) == 0 &&
           parts->network == FRAME_ETHERNET && parts->protocol == FRAME_UDP &&
           parts->transport == FRAME_ETHERNET + ip && parts->payload != 0 &&
           frame_load16(data + parts->transport + 2) == DNS_PORT &&
           nat_is_name_server(network->nat, data + parts->network + (ipv6 ? 24 : 16), ipv6);
}

bool
resolver_input(Network *network, const uint8_t *data, size_t size)
{
    Resolver *resolver = network->resolver;
    char name[NAME_MAX_SIZE + 1];
    Question *question, asked;
    FrameParts parts;

    if (!frame_parse(data, size, &parts) || !is_for_server(network, data, &parts) ||
        parts.end < parts.payload ||
        !read_question(data + parts.payload, parts.end - parts.payload, &asked, name))
        return false;
    if (resolver->waiting.length >= WAITING_MAX)
        g_free(g_queue_pop_head(&resolver->waiting));
    question = g_new0(Question, 1);
    question->number = ++resolver->numbers;
    question->type = asked.type;
    question->dns_size = asked.dns_size;
    question->size = parts.payload + asked.dns_size;
    memcpy(question->data, data, question->size);
    g_queue_push_tail(&resolver->waiting, question);
    ask_service(network, question, name);
    return true;
}

/* --- answers --- */

static void
put_record(Question *question, const void *content, size_t size)
{
    uint8_t *at = question->data + question->size;
    uint8_t *dns = at - question->dns_size;

    if (question->dns_size + 12 + size > DNS_MAX)
        return;
    frame_store16(at, POINTER_TO_QUESTION);
    frame_store16(at + 2, question->type);
    frame_store16(at + 4, CLASS_INTERNET);
    frame_store32(at + 6, TIME_TO_LIVE);
    frame_store16(at + 10, (uint16_t)size);
    memcpy(at + 12, content, size);
    question->size += 12 + size;
    question->dns_size += 12 + size;
    frame_store16(dns + 6, (uint16_t)(frame_load16(dns + 6) + 1));
}

static void
put_addresses(Question *question, const char *text)
{
    const int family = question->type == TYPE_AAAA ? AF_INET6 : AF_INET;
    g_auto(GStrv) words = g_strsplit(text, ",", 32);
    struct in6_addr address;

    for (char **word = words; *word != NULL; word++) {
        if (inet_pton(family, *word, &address) == 1)
            put_record(question, &address, family == AF_INET6 ? 16 : 4);
    }
}

static void
put_name(Question *question, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ".", 128);
    uint8_t name[NAME_MAX_SIZE + 2];
    size_t used = 0;

    for (char **word = words; *word != NULL && **word != '\0'; word++) {
        const size_t length = strlen(*word);

        if (length > 63 || used + 1 + length + 1 > sizeof(name))
            return;
        name[used++] = (uint8_t)length;
        memcpy(name + used, *word, length);
        used += length;
    }
    name[used++] = 0;
    put_record(question, name, used);
}

static void
swap(uint8_t *a, uint8_t *b, size_t size)
{
    uint8_t other[16];

    memcpy(other, a, size);
    memcpy(a, b, size);
    memcpy(b, other, size);
}

/* The question's headers, turned round. */
static void
turn_headers(uint8_t *frame, size_t size)
{
    const bool ipv6 = frame_load16(frame + 12) == FRAME_IPV6;
    uint8_t *ip = frame + FRAME_ETHERNET, *udp = ip + (ipv6 ? IPV6_SIZE : IPV4_SIZE);
    const size_t udp_size = size - (size_t)(udp - frame);
    uint16_t sum;

    swap(frame, frame + 6, 6);
    swap(udp, udp + 2, 2);
    frame_store16(udp + 4, (uint16_t)udp_size);
    frame_store16(udp + 6, 0);
    if (ipv6) {
        swap(ip + 8, ip + 24, 16);
        frame_store16(ip + 4, (uint16_t)udp_size);
        sum = frame_sum(ip + 8, 32, FRAME_UDP + (uint32_t)udp_size);
    } else {
        swap(ip + 12, ip + 16, 4);
        frame_store16(ip + 2, (uint16_t)(IPV4_SIZE + udp_size));
        frame_store16(ip + 10, 0);
        frame_store16(ip + 10, frame_checksum(ip, IPV4_SIZE, 0));
        sum = frame_sum(ip + 12, 8, FRAME_UDP + (uint32_t)udp_size);
    }
    sum = frame_checksum(udp, udp_size, sum);
    frame_store16(udp + 6, sum != 0 ? sum : 0xffff);
}

static Question *
take_question(Resolver *resolver, uint32_t number)
{
    for (GList *link = resolver->waiting.head; link != NULL; link = link->next) {
        Question *question = link->data;

        if (question->number != number)
            continue;
        g_queue_delete_link(&resolver->waiting, link);
        return question;
    }
    return NULL;
}

void
resolver_answer(Network *network, uint32_t number, const char *content, bool failed)
{
    const PdmFrameOffload good = {.checksum_good = true};
    g_autofree Question *question =
        network->resolver != NULL ? take_question(network->resolver, number) : NULL;
    const unsigned code = failed ? SERVER_FAILURE : content == NULL ? NO_NAME : NO_ERROR;
    uint8_t *dns;

    if (question == NULL)
        return;
    dns = question->data + question->size - question->dns_size;
    frame_store16(dns + 2, (uint16_t)(FLAG_ANSWER | FLAG_RECURSION | code |
                                      (frame_load16(dns + 2) & FLAG_WISH_RECURSION)));
    memset(dns + 6, 0, 6);
    if (content != NULL && question->type == TYPE_PTR)
        put_name(question, content);
    else if (content != NULL)
        put_addresses(question, content);
    turn_headers(question->data, question->size);
    /* It comes from where frames to the name server go. */
    network_forward(network, PLACE_HOST, question->data, question->size, &good);
}
