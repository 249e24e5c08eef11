/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Stream sockets as usb/remote needs them. One implementation for each kind of host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int descriptor;
} RemoteWake;

/* Makes a descriptor from elsewhere fit: it never waits. False: it is no stream socket. */
bool remote_socket_adopt(int descriptor, bool *listens);
void remote_socket_close(int descriptor);
/* -1: nobody is there (any more). */
int remote_socket_accept(int listener);
/* Bytes; 0: not now; -1: the other end is gone. */
int remote_socket_read(int descriptor, void *data, size_t size);
int remote_socket_write(int descriptor, const void *data, size_t size);
/* Ends what wakes a wait up; false: the host has none. */
bool remote_wake_init(RemoteWake *wake);
void remote_wake_clear(RemoteWake *wake);
void remote_wake_up(const RemoteWake *wake);
/* Until there is something to read, or (write) room to write, or it is woken up. descriptor -1:
 * only the latter. */
void remote_socket_wait(int descriptor, bool write, const RemoteWake *wake);
