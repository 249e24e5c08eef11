/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Measures TCP, in a guest and on its host. The words:
 *
 *   serve PORT              serves the other ones, one process for each connection, for ever
 *   send ADDRESS PORT MIB   sends so much and waits until it has arrived
 *   receive ADDRESS PORT MIB
 *   answer ADDRESS PORT N   asks N times for one byte each
 *   connect ADDRESS PORT N  connects N times and asks once each
 *   echo PORT               sends every UDP datagram back, for ever
 *
 * The client prints one line: the word, what was measured, the unit. The server's clock is the
 * host's, so it prints, too. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536

typedef struct {
    char word;
    uint64_t amount; /* bytes, or questions */
} Order;

static char chunk[CHUNK];

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
check(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static void
put(int fd, const void *data, size_t size)
{
    for (const char *at = data; size > 0;) {
        ssize_t done = send(fd, at, size, MSG_NOSIGNAL);

        check(done > 0, "send");
        at += done;
        size -= (size_t)done;
    }
}

static void
get(int fd, void *data, size_t size)
{
    for (char *at = data; size > 0;) {
        ssize_t done = recv(fd, at, size, 0);

        check(done > 0, "recv");
        at += done;
        size -= (size_t)done;
    }
}

/* The bytes are numbers, so that a wrong one is seen. */
static void
fill(uint64_t from)
{
    for (unsigned i = 0; i < CHUNK / 8; i++)
        ((uint64_t *)chunk)[i] = from + i * 8;
}

static void
send_bytes(int fd, uint64_t amount)
{
    for (uint64_t done = 0; done < amount; done += CHUNK) {
        fill(done);
        put(fd, chunk, CHUNK);
    }
}

static void
receive_bytes(int fd, uint64_t amount)
{
    for (uint64_t done = 0; done < amount; done += CHUNK) {
        get(fd, chunk, CHUNK);
        for (unsigned i = 0; i < CHUNK / 8; i++) {
            if (((uint64_t *)chunk)[i] != done + i * 8) {
                printf("tcpspeed: wrong byte at %llu\n", (unsigned long long)(done + i * 8));
                exit(1);
            }
        }
    }
}

static void
no_delay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void
serve_one(int fd)
{
    Order order;
    char byte = 0;
    double begin = now();

    no_delay(fd);
    get(fd, &order, sizeof(order));
    switch (order.word) {
    case 's':
        receive_bytes(fd, order.amount);
        put(fd, &byte, 1);
        break;
    case 'r': send_bytes(fd, order.amount); break;
    default:
        for (uint64_t i = 0; i < order.amount; i++) {
            get(fd, &byte, 1);
            put(fd, &byte, 1);
        }
        break;
    }
    printf("served %c %llu in %.6f s\n", order.word, (unsigned long long)order.amount,
           now() - begin);
    fflush(stdout);
}

static int
bound_socket(int type, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET, type, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    check(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
    return fd;
}

_Noreturn static void
echo(const char *port)
{
    int fd = bound_socket(SOCK_DGRAM, port);

    puts("echoing");
    fflush(stdout);
    for (;;) {
        struct sockaddr_in peer;
        socklen_t length = sizeof(peer);
        ssize_t size = recvfrom(fd, chunk, sizeof(chunk), 0, (struct sockaddr *)&peer, &length);

        check(size >= 0, "recvfrom");
        sendto(fd, chunk, (size_t)size, 0, (struct sockaddr *)&peer, length);
    }
}

static int
serve(const char *port)
{
    int fd = bound_socket(SOCK_STREAM, port);

    listen(fd, 16);
    puts("serving");
    fflush(stdout);
    for (;;) {
        int peer = accept(fd, NULL, NULL);

        check(peer >= 0, "accept");
        if (fork() == 0) {
            serve_one(peer);
            _exit(0);
        }
        close(peer);
    }
}

static int
reach(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, host, &address.sin_addr);
    check(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
    no_delay(fd);
    return fd;
}

static void
run_order(int fd, char word, uint64_t amount)
{
    const Order order = {word, amount};
    char byte = 1;

    put(fd, &order, sizeof(order));
    if (word == 's') {
        send_bytes(fd, amount);
        get(fd, &byte, 1);
    } else if (word == 'r') {
        receive_bytes(fd, amount);
    } else {
        for (uint64_t i = 0; i < amount; i++) {
            put(fd, &byte, 1);
            get(fd, &byte, 1);
        }
    }
}

int
main(int argc, char **argv)
{
    uint64_t amount;
    double begin, took;

    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 3 && strcmp(argv[1], "echo") == 0)
        echo(argv[2]);
    if (argc != 5)
        return 2;
    amount = strtoull(argv[4], NULL, 10);
    begin = now();
    if (strcmp(argv[1], "connect") == 0) {
        for (uint64_t i = 0; i < amount; i++) {
            int fd = reach(argv[2], argv[3]);

            run_order(fd, 'a', 1);
            close(fd);
        }
    } else {
        int fd = reach(argv[2], argv[3]);

        run_order(fd, argv[1][0], argv[1][0] == 'a' ? amount : amount << 20);
    }
    took = now() - begin;
    if (argv[1][0] == 'a' || argv[1][0] == 'c')
        printf("tcpspeed: %s %.1f us\n", argv[1], took * 1e6 / (double)amount);
    else
        printf("tcpspeed: %s %.1f MB/s\n", argv[1], (double)(amount << 20) / 1e6 / took);
    return 0;
}
