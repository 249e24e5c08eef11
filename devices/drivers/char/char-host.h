/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the character drivers ask of the host: descriptors for files, local and TCP sockets,
 * terminals, and reading and writing them without waiting. One implementation for each kind of
 * host.
 *
 * All descriptors are non-blocking and not inherited by child processes. */
#pragma once

#include "vmm/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CHAR_HOST_DONE,   /* *done bytes were moved, at least one */
    CHAR_HOST_AGAIN,  /* not now */
    CHAR_HOST_CLOSED, /* the other side is gone */
    CHAR_HOST_FULL,   /* the host's disk is full */
} CharHostResult;

/* All return a descriptor, or -1 and *error. */
int char_host_open_file(const char *path, bool append, GError **error);
int char_host_open_device(const char *path, GError **error);
/* A pseudo-terminal's master; *name is the slave's path, g_free(). */
int char_host_open_pty(char **name, GError **error);
/* A local socket. One that a process left behind is replaced, one that is in use is not. */
int char_host_listen_local(const char *path, GError **error);
int char_host_connect_local(const char *path, GError **error);
/* address: a host name or number, "" for this host only; may take as long as a name look-up. */
int char_host_listen_tcp(const char *address, uint16_t port, GError **error);
/* Waits a second at most for each of the host's addresses. */
int char_host_connect_tcp(const char *address, uint16_t port, GError **error);

/* The next peer of a listening socket, -1: none. */
int char_host_accept(int listener);
/* Takes a descriptor over from elsewhere: makes it non-blocking. False: it is none. */
bool char_host_adopt(int descriptor);
/* A second descriptor for the same thing (standard input and output), -1 and *error. */
int char_host_duplicate(int descriptor, GError **error);
void char_host_close(int descriptor);

CharHostResult char_host_read(int descriptor, void *data, size_t size, size_t *done);
CharHostResult char_host_write(int descriptor, const void *data, size_t size, size_t *done);

/* A pipe that ends a wait: writing to [1] makes [0] readable. */
bool char_host_wake_open(int wake[2], GError **error);
void char_host_wake(int descriptor);
void char_host_wake_clear(int descriptor);

/* Writing to a closed pipe must not end the process: for the thread that writes. */
void char_host_prepare_thread(void);
/* Of a terminal; anything else is left alone. */
void char_host_set_line(int descriptor, unsigned baud, unsigned data_bits, char parity,
                        unsigned stop_bits);
void char_host_set_modem(int descriptor, bool dtr, bool rts);
void char_host_set_break(int descriptor, bool on);
/* True when descriptor is a pseudo-terminal's master whose slave nobody has open. */
bool char_host_hung_up(int descriptor);
