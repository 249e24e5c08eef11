/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usbredir-peer: the host side of usbredir with a device that is nothing but fast: 1234:5678 at
 * high speed, whose bulk endpoint 0x02 takes everything and 0x82 gives as much as is asked for. For
 * benchmarks (usb-work bulk). Prints the port that it listens to at 127.0.0.1; serves one
 * connection after the other until it is killed. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <usbredirparser.h>

#define TRANSFER_MAX (1u << 20)
#define INPUT_SIZE 65536u

typedef struct {
    struct usbredirparser *parser;
    int socket;
    bool gone;
    uint8_t *pattern, input[INPUT_SIZE];
    int size, read; /* of input */
} Peer;

/* clang-format off */
static const uint8_t device_descriptor[] = {
    18, 1, 0x00, 2, 0xff, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1, 0, 0, 0, 1,
};
static const uint8_t configuration[] = {
    9, 2, 41, 0, 1, 1, 0, 0x80, 50,
    9, 4, 0, 0, 0, 0xff, 0, 0, 0,
    9, 4, 0, 1, 2, 0xff, 0, 0, 0,
    7, 5, 0x02, 2, 0, 2, 0,
    7, 5, 0x82, 2, 0, 2, 0,
};
/* clang-format on */

/* --- the socket --- */
static int
on_read(void *user, uint8_t *data, int size)
{
    Peer *peer = user;

    if (peer->read == peer->size) {
        const ssize_t count = recv(peer->socket, peer->input, INPUT_SIZE, MSG_DONTWAIT);

        peer->gone |= count == 0;
        if (count <= 0)
            return 0;
        peer->size = (int)count;
        peer->read = 0;
    }
    size = size < peer->size - peer->read ? size : peer->size - peer->read;
    memcpy(data, peer->input + peer->read, (size_t)size);
    peer->read += size;
    return size;
}

static int
on_write(void *user, uint8_t *data, int size)
{
    const ssize_t count = send(((Peer *)user)->socket, data, (size_t)size, MSG_NOSIGNAL);

    return (int)count;
}

static void
on_log(void *user, int level, const char *text)
{
}

/* --- the device --- */
static void
on_hello(void *user, struct usb_redir_hello_header *hello)
{
    Peer *peer = user;
    struct usb_redir_interface_info_header interfaces = {.interface_count = 1};
    struct usb_redir_ep_info_header endpoints = {0};
    struct usb_redir_device_connect_header connect = {
        .speed = usb_redir_speed_high, .vendor_id = 0x1234, .product_id = 0x5678};

    interfaces.interface_class[0] = 0xff;
    memset(endpoints.type, usb_redir_type_invalid, sizeof(endpoints.type));
    endpoints.type[0] = endpoints.type[16] = usb_redir_type_control;
    endpoints.type[2] = endpoints.type[18] = usb_redir_type_bulk;
    endpoints.max_packet_size[0] = endpoints.max_packet_size[16] = 64;
    endpoints.max_packet_size[2] = endpoints.max_packet_size[18] = 512;
    usbredirparser_send_interface_info(peer->parser, &interfaces);
    usbredirparser_send_ep_info(peer->parser, &endpoints);
    usbredirparser_send_device_connect(peer->parser, &connect);
}

static int
descriptor(uint16_t value, const uint8_t **data)
{
    *data = value >> 8 == 1 ? device_descriptor : configuration;
    return value >> 8 == 1   ? (int)sizeof(device_descriptor)
           : value >> 8 == 2 ? (int)sizeof(configuration)
                             : -1;
}

static void
on_control(void *user, uint64_t id, struct usb_redir_control_packet_header *header, uint8_t *data,
           int size)
{
    Peer *peer = user;
    const uint8_t *answer = NULL;
    int count = 0;

    if (header->requesttype == 0x80 && header->request == 6)
        count = descriptor(header->value, &answer);
    header->status = count < 0 ? usb_redir_stall : usb_redir_success;
    count = count < header->length ? count : header->length;
    header->length = (uint16_t)(count > 0 ? count : 0);
    usbredirparser_send_control_packet(peer->parser, id, header, (uint8_t *)answer, header->length);
    usbredirparser_free_packet_data(peer->parser, data);
}

static void
on_bulk(void *user, uint64_t id, struct usb_redir_bulk_packet_header *header, uint8_t *data,
        int size)
{
    Peer *peer = user;
    const uint32_t length = header->length | (uint32_t)header->length_high << 16;
    const bool in = (header->endpoint & 0x80) != 0;

    header->status = length <= TRANSFER_MAX ? usb_redir_success : usb_redir_inval;
    usbredirparser_send_bulk_packet(peer->parser, id, header,
                                    in && length <= TRANSFER_MAX ? peer->pattern : NULL,
                                    in && length <= TRANSFER_MAX ? (int)length : 0);
    usbredirparser_free_packet_data(peer->parser, data);
}

static void
on_set_configuration(void *user, uint64_t id, struct usb_redir_set_configuration_header *header)
{
    struct usb_redir_configuration_status_header status = {.configuration = header->configuration};

    usbredirparser_send_configuration_status(((Peer *)user)->parser, id, &status);
}

static void
on_set_alternate(void *user, uint64_t id, struct usb_redir_set_alt_setting_header *header)
{
    struct usb_redir_alt_setting_status_header status = {.interface = header->interface,
                                                         .alt = header->alt};

    usbredirparser_send_alt_setting_status(((Peer *)user)->parser, id, &status);
}

/* What nobody has to hear of. */
static void
on_reset(void *user)
{
}

static void
on_cancel(void *user, uint64_t id)
{
}

static void
serve(int connection)
{
    static const int caps[] = {usb_redir_cap_connect_device_version,
                               usb_redir_cap_ep_info_max_packet_size, usb_redir_cap_64bits_ids,
                               usb_redir_cap_32bits_bulk_length};
    uint32_t set[USB_REDIR_CAPS_SIZE] = {0};
    Peer peer = {.socket = connection, .parser = usbredirparser_create()};
    uint8_t byte;

    peer.pattern = malloc(TRANSFER_MAX);
    memset(peer.pattern, 0x5a, TRANSFER_MAX);
    peer.parser->priv = &peer;
    peer.parser->read_func = on_read;
    peer.parser->write_func = on_write;
    peer.parser->log_func = on_log;
    peer.parser->hello_func = on_hello;
    peer.parser->control_packet_func = on_control;
    peer.parser->bulk_packet_func = on_bulk;
    peer.parser->set_configuration_func = on_set_configuration;
    peer.parser->set_alt_setting_func = on_set_alternate;
    peer.parser->reset_func = on_reset;
    peer.parser->cancel_data_packet_func = on_cancel;
    for (unsigned i = 0; i < sizeof(caps) / sizeof(*caps); i++)
        usbredirparser_caps_set_cap(set, caps[i]);
    usbredirparser_init(peer.parser, "usbredir-peer", set, USB_REDIR_CAPS_SIZE,
                        usbredirparser_fl_usb_host);
    while (!peer.gone && usbredirparser_do_write(peer.parser) == 0 &&
           recv(connection, &byte, 1, MSG_PEEK) > 0)
        usbredirparser_do_read(peer.parser);
    usbredirparser_destroy(peer.parser);
    free(peer.pattern);
}

int
main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (bind(server, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(server, 4) != 0 ||
        getsockname(server, (struct sockaddr *)&address, &size) != 0) {
        perror("usbredir-peer");
        return 1;
    }
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        const int connection = accept(server, NULL, NULL);

        if (connection < 0)
            return 1;
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        serve(connection);
        close(connection);
    }
}
