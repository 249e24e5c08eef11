/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who has which USB device of the host. The list begins with the first who asks for it; filters are
 * looked at when a device is plugged in, when a machine begins to run and when filters change. */
#pragma once

#include "app/service/machine.h"

typedef struct Usb Usb;

Usb *usb_new(Service *service);
void usb_free(Usb *usb);
/* The registry is loaded: answers to clients; global filters that hold devices begin to. */
void usb_connect_calls(Service *service);
void machine_connect_usb(Machine *machine);
/* The machine's filters have changed: it gets what fits. */
void usb_machine_filters(Machine *machine);
/* It has begun to run: it gets what fits, and the remote devices of its settings. */
void usb_machine_started(Machine *machine);
/* It goes on after its state was saved: it has again what it gave back for that. */
void usb_machine_goes_on(Machine *machine);
/* Its process has gone: the host gets back what it had. */
void usb_machine_gone(Machine *machine);
