/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Descriptors on Linux: see the header. unix(7), tcp(7), pty(7), tty_ioctl(4). */
#include "devices/drivers/char/char-host.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define CONNECT_MS 1000

int
char_host_open_file(const char *path, bool append, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | (append ? O_APPEND : O_TRUNC),
                  0666);

    if (fd < 0)
        base_error_set_errno(error, errno, "The file \"%s\" cannot be written", path);
    return fd;
}

static void
make_raw(int fd)
{
    struct termios attributes;

    if (tcgetattr(fd, &attributes) != 0)
        return;
    cfmakeraw(&attributes);
    attributes.c_cflag |= CLOCAL | CREAD;
    tcsetattr(fd, TCSANOW, &attributes);
}

int
char_host_open_device(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        base_error_set_errno(error, errno, "The host device \"%s\" cannot be opened", path);
    else if (isatty(fd))
        make_raw(fd);
    return fd;
}

int
char_host_open_pty(char **name, GError **error)
{
    char buffer[128];
    int slave, fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 ||
        ptsname_r(fd, buffer, sizeof(buffer)) != 0) {
        base_error_set_errno(error, errno, "A pseudo-terminal cannot be made");
        char_host_close(fd);
        return -1;
    }
    /* Once opened and closed, the master can tell that nobody is there. */
    slave = open(buffer, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave >= 0) {
        make_raw(slave);
        close(slave);
    }
    *name = g_strdup(buffer);
    return fd;
}

static bool
local_address(const char *path, struct sockaddr_un *address, GError **error)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (g_strlcpy(address->sun_path, path, sizeof(address->sun_path)) < sizeof(address->sun_path))
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "The path \"%s\" is too long for a socket (107 bytes).", path);
    return false;
}

static int
stream_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* A socket file whose process has gone refuses connections. */
static void
remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    int fd;

    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    fd = stream_socket(AF_UNIX);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    char_host_close(fd);
}

int
char_host_listen_local(const char *path, GError **error)
{
    struct sockaddr_un address;
    int fd;

    if (!local_address(path, &address, error))
        return -1;
    remove_stale(&address);
    fd = stream_socket(AF_UNIX);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 1) != 0) {
        base_error_set_errno(error, errno, "The socket \"%s\" cannot be made", path);
        char_host_close(fd);
        return -1;
    }
    return fd;
}

int
char_host_connect_local(const char *path, GError **error)
{
    struct sockaddr_un address;
    int fd;

    if (!local_address(path, &address, error))
        return -1;
    fd = stream_socket(AF_UNIX);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        base_error_set_errno(error, errno, "The socket \"%s\" cannot be connected", path);
        char_host_close(fd);
        return -1;
    }
    return fd;
}

static struct addrinfo *
look_up(const char *address, uint16_t port, bool passive, GError **error)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)};
    g_autofree char *service = g_strdup_printf("%u", port);
    struct addrinfo *found = NULL;
    int result = getaddrinfo(*address ? address : "localhost", service, &hints, &found);

    if (result == 0)
        return found;
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND, "The address \"%s\" is unknown: %s",
                address, gai_strerror(result));
    return NULL;
}

static void
set_no_delay(int fd)
{
    const int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int
char_host_listen_tcp(const char *address, uint16_t port, GError **error)
{
    struct addrinfo *found = look_up(address, port, true, error);
    const int one = 1;
    int fd = -1, problem = EADDRNOTAVAIL;

    if (!found)
        return -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = stream_socket(at->ai_family);
        if (fd >= 0)
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (fd >= 0 && bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, 1) == 0)
            break;
        problem = errno;
        char_host_close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd < 0)
        base_error_set_errno(error, problem, "TCP port %u cannot be listened on", port);
    return fd;
}

/* Waits a moment for a connection under way; errno where it fails. */
static bool
finish_connect(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int problem = ETIMEDOUT;
    socklen_t size = sizeof(problem);

    if (poll(&poll_fd, 1, CONNECT_MS) > 0)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size);
    errno = problem;
    return problem == 0;
}

int
char_host_connect_tcp(const char *address, uint16_t port, GError **error)
{
    struct addrinfo *found = look_up(address, port, false, error);
    int fd = -1, problem = EADDRNOTAVAIL;

    if (!found)
        return -1;
    for (const struct addrinfo *at = found; at; at = at->ai_next) {
        fd = stream_socket(at->ai_family);
        if (fd >= 0 && (connect(fd, at->ai_addr, at->ai_addrlen) == 0 ||
                        (errno == EINPROGRESS && finish_connect(fd))))
            break;
        problem = errno;
        char_host_close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd < 0)
        base_error_set_errno(error, problem, "\"%s\", port %u, cannot be connected", address, port);
    else
        set_no_delay(fd);
    return fd;
}

int
char_host_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0)
        set_no_delay(fd); /* refused by a local socket, which has no delay */
    return fd;
}

bool
char_host_adopt(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);

    return flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

int
char_host_duplicate(int descriptor, GError **error)
{
    int fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);

    if (fd < 0)
        base_error_set_errno(error, errno, "Descriptor %d cannot be used", descriptor);
    return fd;
}

void
char_host_close(int descriptor)
{
    int kept = errno;

    if (descriptor >= 0)
        close(descriptor);
    errno = kept;
}

static CharHostResult
result_of(ssize_t moved, size_t *done)
{
    *done = moved > 0 ? (size_t)moved : 0;
    if (moved > 0)
        return CHAR_HOST_DONE;
    if (moved < 0 &&
        (errno == EAGAIN || errno == EINTR || errno == EINPROGRESS || errno == ENOTCONN))
        return CHAR_HOST_AGAIN;
    return moved < 0 && (errno == ENOSPC || errno == EDQUOT) ? CHAR_HOST_FULL : CHAR_HOST_CLOSED;
}

CharHostResult
char_host_read(int descriptor, void *data, size_t size, size_t *done)
{
    return result_of(read(descriptor, data, size), done);
}

CharHostResult
char_host_write(int descriptor, const void *data, size_t size, size_t *done)
{
    return result_of(write(descriptor, data, size), done);
}

bool
char_host_wake_open(int wake[2], GError **error)
{
    wake[0] = wake[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake[0] >= 0)
        return true;
    base_error_set_errno(error, errno, "The host has no more descriptors");
    return false;
}

void
char_host_wake(int descriptor)
{
    const uint64_t one = 1;

    /* A counter that is full wakes as well. */
    if (write(descriptor, &one, sizeof(one)) < 0)
        return;
}

void
char_host_wake_clear(int descriptor)
{
    uint64_t count;

    if (read(descriptor, &count, sizeof(count)) < 0)
        return;
}

void
char_host_prepare_thread(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static speed_t
speed_of(unsigned baud)
{
    static const struct {
        unsigned baud;
        speed_t speed;
    } speeds[] = {
        {110, B110},     {300, B300},     {600, B600},       {1200, B1200},
        {2400, B2400},   {4800, B4800},   {9600, B9600},     {19200, B19200},
        {38400, B38400}, {57600, B57600}, {115200, B115200},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(speeds); i++) {
        /* A divisor does not hit every speed exactly. */
        if (baud <= speeds[i].baud + speeds[i].baud / 50)
            return speeds[i].speed;
    }
    return B115200;
}

void
char_host_set_line(int descriptor, unsigned baud, unsigned data_bits, char parity,
                   unsigned stop_bits)
{
    static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
    struct termios attributes;

    if (descriptor < 0 || !isatty(descriptor) || tcgetattr(descriptor, &attributes) != 0)
        return;
    attributes.c_cflag &= ~(tcflag_t)(CSIZE | CSTOPB | PARENB | PARODD | CMSPAR);
    attributes.c_cflag |= sizes[CLAMP(data_bits, 5, 8) - 5];
    if (stop_bits == 2)
        attributes.c_cflag |= CSTOPB;
    if (parity != 'N')
        attributes.c_cflag |= PARENB;
    if (parity == 'O' || parity == 'M')
        attributes.c_cflag |= PARODD;
    if (parity == 'M' || parity == 'S')
        attributes.c_cflag |= CMSPAR;
    cfsetspeed(&attributes, speed_of(baud));
    tcsetattr(descriptor, TCSANOW, &attributes);
}

void
char_host_set_modem(int descriptor, bool dtr, bool rts)
{
    int on = (dtr ? TIOCM_DTR : 0) | (rts ? TIOCM_RTS : 0);
    int off = (TIOCM_DTR | TIOCM_RTS) & ~on;

    if (descriptor < 0 || !isatty(descriptor))
        return;
    ioctl(descriptor, TIOCMBIS, &on);
    ioctl(descriptor, TIOCMBIC, &off);
}

void
char_host_set_break(int descriptor, bool on)
{
    if (descriptor >= 0 && isatty(descriptor))
        ioctl(descriptor, on ? TIOCSBRK : TIOCCBRK);
}

bool
char_host_hung_up(int descriptor)
{
    struct pollfd poll_fd = {.fd = descriptor};

    return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & POLLHUP;
}
