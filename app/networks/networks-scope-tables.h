/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tables of a NetworksScope: DHCP options, and who is in a group of clients. */
#pragma once

#include "app/networks/networks-scopes.h"
#include "app/widgets/widget-table.h"

WidgetTable *networks_options_new(const NetworksScope *scope, WidgetTableChanged changed,
                                  gpointer data);
WidgetTable *networks_conditions_new(const NetworksScope *scope, WidgetTableChanged changed,
                                     gpointer data);
/* Appends the lines "WORD VALUE\n" of what a table says. */
void networks_options_write(const WidgetTable *table, GString *lines);
void networks_conditions_write(const WidgetTable *table, GString *lines);
