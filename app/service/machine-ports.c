/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opens what serial and parallel ports are connected to, and the log, for the VM process. Nothing
 * here waits for the other end, but for a TCP host's answer, and that for a second at most. */
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "app/service/machine.h"
#include "app/service/network.h"
#include "app/service/settings/file-error.h"

typedef struct {
    int fd;
    const char *role;
    char *detail;
} OpenedPort;

static int
fail_path(GError **error, const char *path, int errnum)
{
    file_error_set(error, errnum, "The port's \"%s\" cannot be opened", path);
    return -1;
}

/* Keeps the socket's descriptor when the object goes. */
static int
steal_socket(GSocket *socket)
{
    return fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 3);
}

static int
open_socket(GSocketAddress *address, gboolean listen, const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSocket) socket =
        g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
                     G_SOCKET_PROTOCOL_DEFAULT, &cause);
    if (socket)
        g_socket_set_timeout(socket, 1);
    if (socket && listen
            ? g_socket_bind(socket, address, TRUE, &cause) && g_socket_listen(socket, &cause)
            : socket && g_socket_connect(socket, address, NULL, &cause))
        return steal_socket(socket);
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_IO, "The port's \"%s\" cannot be opened: %s.",
                path, cause->message);
    return -1;
}

static int
open_pipe(const VitrineUart *uart, GError **error)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(uart->path);
    GStatBuf status;
    /* A socket that a machine left behind; never anything else of that name. */
    if (uart->server && g_lstat(uart->path, &status) == 0 && S_ISSOCK(status.st_mode))
        g_unlink(uart->path);
    return open_socket(address, uart->server, uart->path, error);
}

/* "5555" or "host:5555" */
static int
open_tcp(const VitrineUart *uart, GError **error)
{
    const char *colon = strrchr(uart->path, ':');
    g_autofree char *host = colon ? g_strndup(uart->path, colon - uart->path)
                                  : g_strdup(uart->server ? "0.0.0.0" : "127.0.0.1");
    guint64 port = g_ascii_strtoull(colon ? colon + 1 : uart->path, NULL, 10);
    if (g_str_equal(host, "localhost")) {
        g_free(host);
        host = g_strdup("127.0.0.1");
    }
    g_autoptr(GSocketAddress) address =
        port > 0 && port < 65536 ? g_inet_socket_address_new_from_string(host, port) : NULL;
    if (address == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "\"%s\" is no TCP port: write PORT or ADDRESS:PORT.", uart->path);
        return -1;
    }
    return open_socket(address, uart->server, uart->path, error);
}

static void
make_raw(int fd)
{
    struct termios mode;
    if (tcgetattr(fd, &mode) == 0) {
        cfmakeraw(&mode);
        tcsetattr(fd, TCSANOW, &mode);
    }
}

static int
open_device(const VitrineUart *uart, char **detail, GError **error)
{
    int fd = open(uart->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail_path(error, uart->path, errno);
    if (g_str_equal(uart->path, "/dev/ptmx")) {
        char name[128];
        if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, sizeof name) != 0) {
            int errnum = errno;
            close(fd);
            return fail_path(error, uart->path, errnum);
        }
        *detail = g_strdup(name);
    }
    make_raw(fd);
    return fd;
}

static int
open_output(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    return fd < 0 ? fail_path(error, path, errno) : fd;
}

static gboolean
open_uart(const VitrineUart *uart, OpenedPort *port, GError **error)
{
    gboolean socket =
        uart->mode == VITRINE_UART_MODE_HOST_PIPE || uart->mode == VITRINE_UART_MODE_TCP;
    port->role = socket && uart->server ? "listener" : "stream";
    switch (uart->mode) {
    case VITRINE_UART_MODE_HOST_PIPE: port->fd = open_pipe(uart, error); break;
    case VITRINE_UART_MODE_TCP: port->fd = open_tcp(uart, error); break;
    case VITRINE_UART_MODE_HOST_DEVICE: port->fd = open_device(uart, &port->detail, error); break;
    case VITRINE_UART_MODE_RAW_FILE:
        port->role = "output";
        port->fd = open_output(uart->path, error);
        break;
    default:
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "The serial port is not connected to anything.");
        port->fd = -1;
    }
    return port->fd >= 0;
}

/* A card's network, or the file that its frames are recorded in. */
static int
open_adapter(Machine *machine, gboolean trace, guint slot, OpenedPort *port, GError **error)
{
    const VitrineAdapter *adapter = vitrine_settings_get_adapter(machine->record->settings, slot);
    int fd;
    port->role = "frames";
    if (!trace)
        return networks_open(machine->service->networks, machine->id, slot, adapter, &port->detail,
                             error);
    port->role = "output";
    fd = open(adapter->trace_file, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0600);
    return fd < 0 ? fail_path(error, adapter->trace_file, errno) : fd;
}

/* How many ports there are of a kind. */
static guint
port_count(const char *kind)
{
    if (g_str_equal(kind, "uart"))
        return VITRINE_UART_COUNT;
    return g_str_equal(kind, "lpt") ? VITRINE_LPT_COUNT : VITRINE_ADAPTER_COUNT;
}

static gboolean
on_open_port(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in,
             const char *kind, guint slot, Machine *machine)
{
    GError *error = NULL;
    OpenedPort port = {.fd = -1, .role = "output"};
    if (machine->record == NULL || slot >= port_count(kind))
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no such port.");
    VitrineSettings *settings = machine->record->settings;
    if (g_str_equal(kind, "adapter") || g_str_equal(kind, "trace"))
        port.fd = open_adapter(machine, *kind == 't', slot, &port, &error);
    else if (g_str_equal(kind, "uart"))
        open_uart(vitrine_settings_get_uart(settings, slot), &port, &error);
    else
        port.fd = open_output(vitrine_settings_get_lpt(settings, slot)->path, &error);
    if (port.fd < 0)
        return service_fail(invocation, error);
    g_autofree char *detail = port.detail;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    int index = g_unix_fd_list_append(fds, port.fd, &error);
    close(port.fd);
    if (index < 0)
        return service_fail(invocation, error);
    vitrine_dbus_machine_complete_open_port(skeleton, invocation, fds, g_variant_new_handle(index),
                                            port.role, detail ? detail : "");
    return TRUE;
}

/* VBox.log becomes VBox.log.1 and so on; the oldest goes. */
static void
rotate_logs(const char *path, guint count)
{
    for (guint i = count; i > 0; i--) {
        g_autofree char *newer = i == 1 ? g_strdup(path) : g_strdup_printf("%s.%u", path, i - 1);
        g_autofree char *older = g_strdup_printf("%s.%u", path, i);
        g_rename(newer, older);
    }
}

static guint
log_history(Service *service)
{
    guint count = 3;
    g_autoptr(GVariant) all = g_variant_ref_sink(global_file_read_properties(service->global));
    g_variant_lookup(all, "log-history-count", "u", &count);
    return MIN(count, 100);
}

static gboolean
on_open_log(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in,
            Machine *machine)
{
    GError *error = NULL;
    g_autofree char *folder = machine_log_folder(machine);
    g_autofree char *path = g_build_filename(folder, "VBox.log", NULL);
    int fd = -1;
    if (g_mkdir_with_parents(folder, 0700) == 0) {
        rotate_logs(path, log_history(machine->service));
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    if (fd < 0) {
        file_error_set(&error, errno, "The log \"%s\" cannot be made", path);
        return service_fail(invocation, error);
    }
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    int index = g_unix_fd_list_append(fds, fd, &error);
    close(fd);
    if (index < 0)
        return service_fail(invocation, error);
    vitrine_dbus_machine_complete_open_log(skeleton, invocation, fds, g_variant_new_handle(index),
                                           path);
    return TRUE;
}

void
machine_connect_ports(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-open-port", G_CALLBACK(on_open_port), machine);
    g_signal_connect(machine->skeleton, "handle-open-log", G_CALLBACK(on_open_log), machine);
}
