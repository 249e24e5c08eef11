/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's network devices on Linux: listed by getifaddrs() and /sys/class/net, host-only ones
 * made through /dev/net/tun (Documentation/networking/tuntap.rst) and configured by the ioctls of
 * netdevice(7). Those need CAP_NET_ADMIN in the network namespace. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/api/vitrine.h"

#define NAMES "vboxnet%d"
#define FIRST_NETWORK 56u /* 192.168.56.1 is the first one's own address */

G_DEFINE_BOXED_TYPE(VitrineHostInterface, vitrine_host_interface, vitrine_host_interface_copy,
                    vitrine_host_interface_free)

VitrineHostInterface *
vitrine_host_interface_copy(const VitrineHostInterface *device)
{
    VitrineHostInterface *copy = g_memdup2(device, sizeof(*device));

    copy->name = g_strdup(device->name);
    copy->mac = g_strdup(device->mac);
    copy->address = g_strdup(device->address);
    copy->mask = g_strdup(device->mask);
    copy->address6 = g_strdup(device->address6);
    return copy;
}

void
vitrine_host_interface_free(VitrineHostInterface *device)
{
    if (device == NULL)
        return;
    g_free(device->name);
    g_free(device->mac);
    g_free(device->address);
    g_free(device->mask);
    g_free(device->address6);
    g_free(device);
}

/* --- the list --- */

/* What the kernel says of a device; "" when it says nothing. The caller's. */
static char *
said_of(const char *name, const char *file)
{
    g_autofree char *path = g_build_filename("/sys/class/net", name, file, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? g_strstrip(text) : g_strdup("");
}

static gboolean
has(const char *name, const char *file)
{
    g_autofree char *path = g_build_filename("/sys/class/net", name, file, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean
is_tap(const char *name)
{
    g_autofree char *flags = said_of(name, "tun_flags");

    return *flags != '\0' && (g_ascii_strtoull(flags, NULL, 0) & IFF_TAP) != 0;
}

static VitrineHostInterface *
make_device(const char *name)
{
    VitrineHostInterface *device = g_new0(VitrineHostInterface, 1);
    g_autofree char *flags = said_of(name, "flags");

    device->name = g_strdup(name);
    device->mac = said_of(name, "address");
    device->address = g_strdup("");
    device->mask = g_strdup("");
    device->address6 = g_strdup("");
    device->up = (g_ascii_strtoull(flags, NULL, 0) & IFF_UP) != 0;
    device->wireless = has(name, "wireless") || has(name, "phy80211");
    device->host_only = is_tap(name);
    device->bridge = has(name, "bridge");
    return device;
}

static void
take_ipv4(VitrineHostInterface *device, const struct ifaddrs *entry)
{
    char text[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &((struct sockaddr_in *)entry->ifa_addr)->sin_addr, text, sizeof(text));
    vitrine_adapter_set_text(&device->address, text);
    if (entry->ifa_netmask == NULL)
        return;
    inet_ntop(AF_INET, &((struct sockaddr_in *)entry->ifa_netmask)->sin_addr, text, sizeof(text));
    vitrine_adapter_set_text(&device->mask, text);
}

static guint
prefix_bits(const struct ifaddrs *entry)
{
    const struct sockaddr_in6 *mask = (struct sockaddr_in6 *)entry->ifa_netmask;
    guint bits = 0;

    for (guint i = 0; mask != NULL && i < 16; i++)
        bits += (guint)__builtin_popcount(mask->sin6_addr.s6_addr[i]);
    return bits;
}

/* The one that the device was given goes before that of its link. */
static void
take_ipv6(VitrineHostInterface *device, const struct ifaddrs *entry)
{
    const struct sockaddr_in6 *address = (struct sockaddr_in6 *)entry->ifa_addr;
    char text[INET6_ADDRSTRLEN];

    if (*device->address6 != '\0' && !g_str_has_prefix(device->address6, "fe80:"))
        return;
    inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text));
    vitrine_adapter_set_text(&device->address6, text);
    device->bits6 = prefix_bits(entry);
}

static void
take_address(GPtrArray *devices, const struct ifaddrs *entry)
{
    for (guint i = 0; i < devices->len; i++) {
        VitrineHostInterface *device = devices->pdata[i];

        if (entry->ifa_addr == NULL || !g_str_equal(device->name, entry->ifa_name))
            continue;
        if (entry->ifa_addr->sa_family == AF_INET && *device->address == '\0')
            take_ipv4(device, entry);
        if (entry->ifa_addr->sa_family == AF_INET6)
            take_ipv6(device, entry);
    }
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp((*(VitrineHostInterface *const *)a)->name,
                  (*(VitrineHostInterface *const *)b)->name);
}

GPtrArray *
vitrine_list_host_interfaces(void)
{
    GPtrArray *devices =
        g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_host_interface_free);
    struct if_nameindex *names = if_nameindex();
    struct ifaddrs *entries = NULL;

    for (struct if_nameindex *name = names; name != NULL && name->if_index != 0; name++) {
        if (!g_str_equal(name->if_name, "lo"))
            g_ptr_array_add(devices, make_device(name->if_name));
    }
    if (names != NULL)
        if_freenameindex(names);
    if (getifaddrs(&entries) == 0) {
        for (struct ifaddrs *entry = entries; entry != NULL; entry = entry->ifa_next)
            take_address(devices, entry);
        freeifaddrs(entries);
    }
    g_ptr_array_sort(devices, compare_names);
    return devices;
}

/* --- host-only devices --- */

static gboolean
fail(GError **error, int errnum, const char *what)
{
    const gboolean rights = errnum == EPERM || errnum == EACCES;

    g_set_error(error, VITRINE_ERROR,
                rights             ? VITRINE_ERROR_DENIED
                : errnum == ENODEV ? VITRINE_ERROR_NOT_FOUND
                                   : VITRINE_ERROR_FAILED,
                "%s: %s.%s%s", what, g_strerror(errnum), rights ? " " : "",
                rights ? _("Only the host's administrator may change its network devices (the "
                           "capability CAP_NET_ADMIN).")
                       : "");
    return FALSE;
}

/* Opens a TAP device and makes it stay, or go with its last user. */
static gboolean
set_persistent(char name[IFNAMSIZ], gboolean stays, GError **error)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    int errnum = errno;

    if (fd < 0)
        return fail(error, errnum, _("/dev/net/tun cannot be opened"));
    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    if (ioctl(fd, TUNSETIFF, &request) == 0 &&
        (!stays || ioctl(fd, TUNSETOWNER, (unsigned long)getuid()) == 0) &&
        ioctl(fd, TUNSETPERSIST, (unsigned long)stays) == 0) {
        g_strlcpy(name, request.ifr_name, IFNAMSIZ);
        close(fd);
        return TRUE;
    }
    errnum = errno;
    close(fd);
    return fail(error, errnum,
                stays ? _("A host-only network device cannot be made")
                      : _("The network device cannot be removed"));
}

/* CAP_NET_ADMIN is in force. */
static gboolean
may_change_devices(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    return syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN)) != 0;
}

char *
vitrine_host_only_problem(void)
{
    if (access("/dev/net/tun", F_OK) != 0)
        return g_strdup(_("This host has no TAP devices: /dev/net/tun is not there. An "
                          "administrator loads the kernel module: modprobe tun"));
    if (may_change_devices())
        return NULL;
    return g_strdup_printf(
        _("Only the host's administrator may make network devices. One that belongs to you is made "
          "by: ip tuntap add dev vboxnet0 mode tap user %s"),
        g_get_user_name());
}

char *
vitrine_host_only_create(GError **error)
{
    g_autofree char *address = NULL;
    char name[IFNAMSIZ] = NAMES;
    guint number;

    if (!set_persistent(name, TRUE, error))
        return NULL;
    number = (guint)g_ascii_strtoull(name + strlen("vboxnet"), NULL, 10);
    address = g_strdup_printf("192.168.%u.1", (FIRST_NETWORK + number) % 256);
    if (!vitrine_host_only_configure(name, address, "255.255.255.0", 0, error))
        return NULL;
    return g_strdup(name);
}

static gboolean
check_device(const char *name, GError **error)
{
    if (strlen(name) < IFNAMSIZ && strchr(name, '/') == NULL && is_tap(name))
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                _("The host has no host-only network device “%s”."), name);
    return FALSE;
}

gboolean
vitrine_host_only_remove(const char *name, GError **error)
{
    char copy[IFNAMSIZ];

    if (!check_device(name, error))
        return FALSE;
    g_strlcpy(copy, name, sizeof(copy));
    return set_persistent(copy, FALSE, error);
}

/* ioctl() with an IPv4 address. */
static gboolean
set_ipv4(int fd, const char *name, unsigned long what, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct ifreq request = {0};

    if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
        errno = EINVAL;
        return FALSE;
    }
    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    memcpy(&request.ifr_addr, &address, sizeof(address));
    return ioctl(fd, what, &request) == 0;
}

/* Takes away the addresses that a device was given; the one of its link stays. */
static gboolean
remove_ipv6(int fd, const char *name)
{
    struct ifaddrs *entries = NULL;
    gboolean done = getifaddrs(&entries) == 0;

    for (struct ifaddrs *entry = entries; entry != NULL && done; entry = entry->ifa_next) {
        struct in6_ifreq request = {.ifr6_ifindex = (int)if_nametoindex(name)};

        if (entry->ifa_addr == NULL || entry->ifa_addr->sa_family != AF_INET6 ||
            !g_str_equal(entry->ifa_name, name))
            continue;
        request.ifr6_addr = ((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&request.ifr6_addr))
            continue;
        request.ifr6_prefixlen = prefix_bits(entry);
        done = ioctl(fd, SIOCDIFADDR, &request) == 0;
    }
    if (entries != NULL)
        freeifaddrs(entries);
    return done;
}

/* One address in the place of what there was; "": none. */
static gboolean
set_ipv6(const char *name, const char *text, guint bits)
{
    struct in6_ifreq request = {.ifr6_prefixlen = bits};
    const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    gboolean done = FALSE;
    int errnum;

    if (fd < 0)
        return FALSE;
    request.ifr6_ifindex = (int)if_nametoindex(name);
    if (bits > 128 || (*text != '\0' && inet_pton(AF_INET6, text, &request.ifr6_addr) != 1))
        errno = EINVAL;
    else
        done = remove_ipv6(fd, name) &&
               (*text == '\0' || ioctl(fd, SIOCSIFADDR, &request) == 0 || errno == EEXIST);
    errnum = errno;
    close(fd);
    errno = errnum;
    return done;
}

static gboolean
switch_on(int fd, const char *name)
{
    struct ifreq request = {0};

    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        return FALSE;
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

gboolean
vitrine_host_only_configure(const char *name, const char *address, const char *mask, guint bits,
                            GError **error)
{
    int fd, errnum;
    gboolean done;

    if (!check_device(name, error))
        return FALSE;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(error, errno, _("The network device cannot be configured"));
    done = mask != NULL ? set_ipv4(fd, name, SIOCSIFADDR, address) &&
                              set_ipv4(fd, name, SIOCSIFNETMASK, mask)
                        : set_ipv6(name, address, bits);
    done = done && switch_on(fd, name);
    errnum = errno;
    close(fd);
    return done || fail(error, errnum, _("The network device cannot be configured"));
}
