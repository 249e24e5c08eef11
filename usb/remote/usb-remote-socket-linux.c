/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Stream sockets on Linux: see the header. socket(7), tcp(7), unix(7), eventfd(2). */
#include "usb/remote/usb-remote-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void
set_no_delay(int descriptor)
{
    const int one = 1;

    /* Refused by a local socket, which has no delay. */
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

bool
remote_socket_adopt(int descriptor, bool *listens)
{
    const int flags = fcntl(descriptor, F_GETFL);
    int type = 0, listening = 0;
    socklen_t size = sizeof(type);

    if (flags < 0 || getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        type != SOCK_STREAM)
        return false;
    size = sizeof(listening);
    getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
    *listens = listening != 0;
    set_no_delay(descriptor);
    return fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

void
remote_socket_close(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

int
remote_socket_accept(int listener)
{
    const int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (descriptor >= 0)
        set_no_delay(descriptor);
    return descriptor;
}

static int
moved(ssize_t result)
{
    if (result > 0)
        return (int)result;
    return result < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

int
remote_socket_read(int descriptor, void *data, size_t size)
{
    return moved(recv(descriptor, data, size, 0));
}

int
remote_socket_write(int descriptor, const void *data, size_t size)
{
    return moved(send(descriptor, data, size, MSG_NOSIGNAL));
}

bool
remote_wake_init(RemoteWake *wake)
{
    wake->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wake->descriptor >= 0;
}

void
remote_wake_clear(RemoteWake *wake)
{
    remote_socket_close(wake->descriptor);
}

void
remote_wake_up(const RemoteWake *wake)
{
    eventfd_write(wake->descriptor, 1);
}

void
remote_socket_wait(int descriptor, bool write, const RemoteWake *wake)
{
    struct pollfd waits[] = {
        {.fd = wake->descriptor, .events = POLLIN},
        {.fd = descriptor, .events = (short)(POLLIN | (write ? POLLOUT : 0))},
    };
    eventfd_t count;

    if (poll(waits, 2, -1) > 0 && waits[0].revents != 0)
        eventfd_read(wake->descriptor, &count);
}
