/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Generic drivers of network cards: "UDPTunnel" puts each frame into a datagram to another host,
 * with the properties dest, dport and sport. Manual, chapter Networking, "UDP Tunnel networking".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/service/network-private.h"

/* The value of a line "NAME=VALUE"; the caller's; NULL: there is none. */
static char *
property(const VitrineAdapter *adapter, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(adapter->generic_properties, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, "=", 2);

        if (g_strv_length(words) == 2 && g_ascii_strcasecmp(words[0], name) == 0)
            return g_strdup(words[1]);
    }
    return NULL;
}

static gboolean
port_of(const VitrineAdapter *adapter, const char *name, in_port_t *port)
{
    g_autofree char *text = property(adapter, name);
    guint64 number;

    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 1, 65535, &number, NULL))
        return FALSE;
    *port = htons((in_port_t)number);
    return TRUE;
}

/* Both ends. An IPv6 address works as well. */
static gboolean
parse_ends(const VitrineAdapter *adapter, struct sockaddr_storage *own,
           struct sockaddr_storage *other, socklen_t *size)
{
    g_autofree char *text = property(adapter, "dest");
    struct sockaddr_in *own4 = (struct sockaddr_in *)own, *other4 = (struct sockaddr_in *)other;
    struct sockaddr_in6 *own6 = (struct sockaddr_in6 *)own, *other6 = (struct sockaddr_in6 *)other;
    in_port_t from, to;

    memset(own, 0, sizeof(*own));
    memset(other, 0, sizeof(*other));
    if (text == NULL || !port_of(adapter, "sport", &from) || !port_of(adapter, "dport", &to))
        return FALSE;
    if (inet_pton(AF_INET, text, &other4->sin_addr) == 1) {
        own->ss_family = other->ss_family = AF_INET;
        own4->sin_port = from;
        other4->sin_port = to;
        *size = sizeof(*own4);
        return TRUE;
    }
    if (inet_pton(AF_INET6, text, &other6->sin6_addr) != 1)
        return FALSE;
    own->ss_family = other->ss_family = AF_INET6;
    own6->sin6_port = from;
    other6->sin6_port = to;
    *size = sizeof(*own6);
    return TRUE;
}

int
network_open_tunnel(const VitrineAdapter *adapter, GError **error)
{
    struct sockaddr_storage own, other;
    socklen_t size = 0;
    int fd, errnum;

    if (g_ascii_strcasecmp(adapter->generic_driver, "UDPTunnel") != 0) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "This version has no generic network driver “%s”; it has UDPTunnel.",
                    adapter->generic_driver);
        return -1;
    }
    if (!parse_ends(adapter, &own, &other, &size)) {
        g_set_error_literal(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                            "A UDP tunnel needs the properties dest (an IP address of the other "
                            "host), dport and sport (numbers of ports there and here).");
        return -1;
    }
    fd = socket(own.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&own, size) == 0 &&
        connect(fd, (struct sockaddr *)&other, size) == 0)
        return fd;
    errnum = errno;
    if (fd >= 0)
        close(fd);
    g_set_error(error, VITRINE_ERROR,
                errnum == EADDRINUSE ? VITRINE_ERROR_BUSY : VITRINE_ERROR_FAILED,
                "The UDP tunnel cannot be opened: %s.", g_strerror(errnum));
    return -1;
}
