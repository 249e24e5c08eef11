/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The character drivers with real files, sockets and pseudo-terminals below a serial port. */
#include "tests/lib/device-bench.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define BASE 0x3f8
#define CHARACTER_NS 90000
#define LONG_LINE "a line that is much longer than sixteen characters, which fill the FIFO\n"

static CfgmNode *
serial_config(const char *driver, CfgmNode **config)
{
    CfgmNode *root = cfgm_new();

    device_bench_add(root, "serial", 0);
    *config = device_bench_add_driver(root, "serial", 0, 0, driver);
    return root;
}

static void
set_up(DeviceBench *bench)
{
    device_bench_out8(bench, BASE + 3, 0x83);
    device_bench_out8(bench, BASE, 1);
    device_bench_out8(bench, BASE + 1, 0);
    device_bench_out8(bench, BASE + 3, 0x03);
    device_bench_out8(bench, BASE + 2, 0x07);
    device_bench_out8(bench, BASE + 4, 0x0b);
}

static void
guest_sends(DeviceBench *bench, const char *text)
{
    for (; *text; text++) {
        device_bench_out8(bench, BASE, (uint8_t)*text);
        device_bench_advance(bench, CHARACTER_NS);
    }
}

/* Waits until the guest has seen a modem status, for ten seconds at most. */
static void
wait_carrier(DeviceBench *bench, bool carrier)
{
    for (unsigned i = 0; i < 10000; i++) {
        device_bench_run_queues(bench);
        if (((device_bench_in8(bench, BASE + 6) & 0x80) != 0) == carrier)
            return;
        g_usleep(1000);
    }
    g_error("the carrier did not become %d", carrier);
}

static void
guest_receives(DeviceBench *bench, const char *text)
{
    for (unsigned i = 0; *text && i < 10000; i++) {
        device_bench_run_queues(bench);
        if (device_bench_in8(bench, BASE + 5) & 1) {
            g_assert_cmpint(device_bench_in8(bench, BASE), ==, *text);
            text++;
            device_bench_advance(bench, CHARACTER_NS);
            continue;
        }
        device_bench_advance(bench, CHARACTER_NS);
        g_usleep(1000);
    }
    g_assert_cmpstr(text, ==, "");
}

static void
host_receives(int fd, const char *text)
{
    char buffer[256] = "";
    size_t length = 0, wanted = strlen(text);

    for (unsigned i = 0; length < wanted && i < 10000; i++) {
        ssize_t got = read(fd, buffer + length, wanted - length);

        if (got > 0)
            length += (size_t)got;
        else
            g_usleep(1000);
    }
    g_assert_cmpstr(buffer, ==, text);
}

static char *
temporary(const char *name)
{
    g_autofree char *folder = g_dir_make_tmp("char-XXXXXX", NULL);

    g_assert_nonnull(folder);
    return g_build_filename(folder, name, NULL);
}

static void
remove_temporary(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);

    g_unlink(path);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
test_file(void)
{
    g_autofree char *path = temporary("out"), *text = NULL;
    CfgmNode *config, *root = serial_config("char-file", &config);
    DeviceBench *bench;

    cfgm_set_string(config, "Path", path);
    bench = device_bench_new(root);
    wait_carrier(bench, true);
    set_up(bench);
    guest_sends(bench, "first line\n");
    pdm_power_off(bench->pdm); /* waits for the output */
    device_bench_free(bench);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "first line\n");
    remove_temporary(path);
}

static int
connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(fcntl(fd, F_SETFL, O_NONBLOCK), ==, 0);
    return fd;
}

static void
test_pipe_server(void)
{
    g_autofree char *path = temporary("socket");
    CfgmNode *config, *root = serial_config("char-pipe", &config);
    DeviceBench *bench;
    char byte;
    int fd, second;

    cfgm_set_string(config, "Path", path);
    cfgm_set_uint(config, "Server", 1);
    bench = device_bench_new(root);
    set_up(bench);
    guest_sends(bench, "to nobody");
    fd = connect_to(path);
    wait_carrier(bench, true);
    guest_sends(bench, "hello");
    host_receives(fd, "hello");
    g_assert_cmpint(write(fd, "and back", 8), ==, 8);
    guest_receives(bench, "and back");
    /* More than the port's FIFO takes at once goes on by itself. */
    g_assert_cmpint(write(fd, LONG_LINE, strlen(LONG_LINE)), ==, strlen(LONG_LINE));
    guest_receives(bench, LONG_LINE);
    /* A second peer is turned away. */
    second = connect_to(path);
    for (unsigned i = 0; i < 5000 && read(second, &byte, 1) != 0; i++)
        g_usleep(1000);
    g_assert_cmpint(read(second, &byte, 1), ==, 0);
    close(second);
    /* When the first goes, the next may come. */
    close(fd);
    wait_carrier(bench, false);
    fd = connect_to(path);
    wait_carrier(bench, true);
    guest_sends(bench, "again");
    host_receives(fd, "again");
    close(fd);
    device_bench_free(bench);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    remove_temporary(path);
}

/* A peer that floods and one that does not listen are held by bounded buffers. */
static void
test_hostile_peer(void)
{
    g_autofree char *path = temporary("socket"), *noise = g_malloc0(65536);
    CfgmNode *config, *root = serial_config("char-pipe", &config);
    DeviceBench *bench;
    size_t sent = 0;
    int fd;

    cfgm_set_string(config, "Path", path);
    cfgm_set_uint(config, "Server", 1);
    bench = device_bench_new(root);
    set_up(bench);
    fd = connect_to(path);
    wait_carrier(bench, true);
    for (unsigned i = 0; i < 200; i++) {
        ssize_t done = write(fd, noise, 65536);

        sent += done > 0 ? (size_t)done : 0;
        device_bench_run_queues(bench);
        g_usleep(500);
    }
    /* The socket's own buffer is what fills, not ours. */
    g_assert_cmpuint(sent, <, 4u << 20);
    for (unsigned i = 0; i < 600000; i++) {
        device_bench_out8(bench, BASE, 'x');
        if (i % 16 == 0)
            device_bench_advance(bench, 16 * CHARACTER_NS);
        if (i % 4096 == 0)
            device_bench_run_queues(bench);
    }
    g_assert_cmphex(device_bench_in8(bench, BASE + 5) & 1, ==, 1);
    close(fd);
    device_bench_free(bench);
    remove_temporary(path);
}

static void
test_pipe_client(void)
{
    g_autofree char *path = temporary("socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CfgmNode *config, *root = serial_config("char-pipe", &config);
    DeviceBench *bench;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;

    cfgm_set_string(config, "Path", path);
    bench = device_bench_new(root); /* nobody is there yet */
    set_up(bench);
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    fd = accept(listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    wait_carrier(bench, true);
    guest_sends(bench, "client");
    host_receives(fd, "client");
    close(fd);
    close(listener);
    device_bench_free(bench);
    remove_temporary(path);
}

/* A socket that somebody listens on is not taken away; one that was left behind is. */
static void
test_pipe_taken(void)
{
    g_autofree char *path = temporary("socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autoptr(GError) error = NULL;
    CfgmNode *config, *root = serial_config("char-pipe", &config);
    DeviceBench *bench;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    cfgm_set_string(config, "Path", path);
    cfgm_set_uint(config, "Server", 1);
    g_assert_null(device_bench_try(root, NULL, &error));
    g_assert_nonnull(strstr(error->message, path));
    close(listener);
    root = serial_config("char-pipe", &config);
    cfgm_set_string(config, "Path", path);
    cfgm_set_uint(config, "Server", 1);
    bench = device_bench_new(root);
    device_bench_free(bench);
    remove_temporary(path);
}

static uint16_t
listen_tcp(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    g_assert_cmpint(bind(*fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(*fd, 1), ==, 0);
    g_assert_cmpint(getsockname(*fd, (struct sockaddr *)&address, &size), ==, 0);
    return ntohs(address.sin_port);
}

static void
test_tcp(void)
{
    CfgmNode *config, *root = serial_config("char-tcp", &config);
    g_autofree char *address = NULL;
    DeviceBench *bench;
    int listener, fd;

    address = g_strdup_printf("127.0.0.1:%u", listen_tcp(&listener));
    cfgm_set_string(config, "Address", address);
    bench = device_bench_new(root);
    set_up(bench);
    fd = accept(listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    wait_carrier(bench, true);
    guest_sends(bench, "over tcp");
    host_receives(fd, "over tcp");
    g_assert_cmpint(write(fd, "yes", 3), ==, 3);
    guest_receives(bench, "yes");
    /* Cut off, it comes back. */
    close(fd);
    wait_carrier(bench, false);
    fd = accept(listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    wait_carrier(bench, true);
    close(listener);
    close(fd);
    wait_carrier(bench, false);
    device_bench_free(bench);
}

/* A listening socket from the embedder, as the service hands it over. */
static void
test_descriptor(void)
{
    CfgmNode *config, *root = serial_config("char-tcp", &config);
    struct sockaddr_in address = {.sin_family = AF_INET};
    DeviceBench *bench;
    int listener, fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_port = htons(listen_tcp(&listener));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cfgm_set_uint(config, "Descriptor", (uint64_t)listener);
    cfgm_set_uint(config, "Server", 1);
    bench = device_bench_new(root);
    set_up(bench);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    wait_carrier(bench, true);
    guest_sends(bench, "descriptor");
    host_receives(fd, "descriptor");
    close(fd);
    device_bench_free(bench);
}

static void
test_pty(void)
{
    CfgmNode *config, *root = serial_config("char-pty", &config);
    DeviceBench *bench = device_bench_new(root);
    const char *at = strstr(bench->log->str, "pseudo-terminal ");
    g_autofree char *name = NULL;
    struct termios attributes;
    int fd;

    g_assert_nonnull(at);
    name = g_strndup(at + 16, strcspn(at + 16, "\n"));
    set_up(bench);
    guest_sends(bench, "nobody has it open");
    fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(tcgetattr(fd, &attributes), ==, 0);
    cfmakeraw(&attributes);
    g_assert_cmpint(tcsetattr(fd, TCSANOW, &attributes), ==, 0);
    wait_carrier(bench, true);
    guest_sends(bench, "terminal");
    host_receives(fd, "terminal");
    g_assert_cmpint(write(fd, "typed", 5), ==, 5);
    guest_receives(bench, "typed");
    close(fd);
    wait_carrier(bench, false);
    device_bench_free(bench);
}

static void
test_null(void)
{
    CfgmNode *config, *root = serial_config("char-null", &config);
    DeviceBench *bench = device_bench_new(root);

    set_up(bench);
    wait_carrier(bench, true);
    guest_sends(bench, "anything");
    g_assert_cmphex(device_bench_in8(bench, BASE + 5) & 0x20, ==, 0x20);
    device_bench_free(bench);
}

static void
test_bad_config(void)
{
    static const struct {
        const char *driver, *key, *value;
    } cases[] = {
        {"char-file", "Path", "/nowhere/at/all"},   {"char-file", "Descriptor", "999"},
        {"char-device", "Path", "/nowhere/at/all"}, {"char-pipe", "Server", "1"},
        {"char-tcp", "Address", "no port"},         {"char-tcp", "Address", "host:99999"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        CfgmNode *config, *root = serial_config(cases[i].driver, &config);

        cfgm_set_string(config, cases[i].key, cases[i].value);
        g_assert_null(device_bench_try(root, NULL, &error));
        g_assert_nonnull(error);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/char/file", test_file);
    g_test_add_func("/char/pipe-server", test_pipe_server);
    g_test_add_func("/char/hostile-peer", test_hostile_peer);
    g_test_add_func("/char/pipe-client", test_pipe_client);
    g_test_add_func("/char/pipe-taken", test_pipe_taken);
    g_test_add_func("/char/tcp", test_tcp);
    g_test_add_func("/char/descriptor", test_descriptor);
    g_test_add_func("/char/pty", test_pty);
    g_test_add_func("/char/null", test_null);
    g_test_add_func("/char/bad-config", test_bad_config);
    return g_test_run();
}
