/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's side of host-only and bridged networks on Linux: a TAP device that its administrator
 * has given to this user, or, where this user may, a new one in a bridge. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/service/network-private.h"

#define TAP_HEADER_SIZE 10

/* name: of the device, or a pattern; its name afterwards. -1 with errno. */
static int
open_device(char name[IFNAMSIZ])
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    const int header = TAP_HEADER_SIZE;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), errnum;

    if (fd < 0)
        return -1;
    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    if (ioctl(fd, TUNSETIFF, &request) == 0 && ioctl(fd, TUNSETVNETHDRSZ, &header) == 0) {
        g_strlcpy(name, request.ifr_name, IFNAMSIZ);
        return fd;
    }
    errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

static gboolean
join_bridge(const char *bridge, const char *device)
{
    struct ifreq request = {.ifr_ifindex = (int)if_nametoindex(device)};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    gboolean done;
    int errnum;

    if (fd < 0)
        return FALSE;
    g_strlcpy(request.ifr_name, bridge, IFNAMSIZ);
    done = ioctl(fd, SIOCBRADDIF, &request) == 0;
    if (done) {
        g_strlcpy(request.ifr_name, device, IFNAMSIZ);
        request.ifr_flags = IFF_UP | IFF_RUNNING;
        done = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    }
    errnum = errno;
    close(fd);
    errno = errnum;
    return done;
}

/* A device of its own in the bridge; the kernel takes it away with its descriptor. */
static int
open_in_bridge(const char *bridge)
{
    char name[IFNAMSIZ] = "vitrine%d";
    int fd = open_device(name), errnum;

    if (fd < 0 || join_bridge(bridge, name))
        return fd;
    errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

static gboolean
has(const char *name, const char *file)
{
    g_autofree char *path = g_build_filename("/sys/class/net", name, file, NULL);

    return strchr(name, '/') == NULL && g_file_test(path, G_FILE_TEST_EXISTS);
}

int
network_open_tap(const char *name, GError **error)
{
    const gboolean bridge = has(name, "bridge");
    char copy[IFNAMSIZ];
    int fd = -1;

    g_strlcpy(copy, name, sizeof(copy));
    if (bridge)
        fd = open_in_bridge(name);
    else if (has(name, "tun_flags"))
        fd = open_device(copy);
    else if (!has(name, "ifindex")) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "The host has no network device “%s”. Machines can be attached to a bridge, or "
                    "to a TAP device that belongs to you; an administrator makes one with “ip "
                    "tuntap add dev %s mode tap user %s”.",
                    name, *name != '\0' ? name : "NAME", g_get_user_name());
        return -1;
    } else {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "A machine cannot be attached to the host's device “%s” itself: an "
                    "administrator makes a bridge of it (“ip link add br0 type bridge”, “ip link "
                    "set %s master br0”), which machines can join.",
                    name, name);
        return -1;
    }
    if (fd >= 0)
        return fd;
    g_set_error(
        error, VITRINE_ERROR, VITRINE_ERROR_DENIED,
        bridge ? "The host's bridge “%s” cannot be joined: %s. That takes the host's administrator "
                 "(the capability CAP_NET_ADMIN), or a TAP device that belongs to you: “ip tuntap "
                 "add dev NAME mode tap user %s”."
               : "The host's network “%s” cannot be used: %s. A TAP device has to belong to "
                 "you, and to no other program; an administrator makes one with “ip tuntap add dev "
                 "NAME mode tap user %s”.",
        *name != '\0' ? name : "NAME", g_strerror(errno), g_get_user_name());
    return -1;
}
