/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the dialogs with a network's properties share: pages, a line that says what is wrong with
 * them, a button that saves, and waiting for the service. One dialog for each kind of network. */
#pragma once

#include "app/networks/networks-dhcp-form.h"
#include "app/networks/networks-steps.h"

typedef struct NetworksDialog NetworksDialog;

/* Is called when something was saved; name NULL: not all of it. */
typedef void (*NetworksChanged)(gpointer target, const char *name);

typedef struct {
    /* What is wrong with what the pages say, for the reader; NULL: nothing. g_free() */
    char *(*check)(gpointer data);
    /* The changes that make it so; NULL with error: one could not be made. The dialog closes when
     * the last one is done. */
    NetworksSteps *(*save)(gpointer data, GError **error);
    /* The name of the network that was saved; g_free() */
    char *(*name)(gpointer data);
    GDestroyNotify free; /* of data */
} NetworksDialogKind;

NetworksDialog *networks_dialog_new(GtkWindow *parent, const char *title, const char *button,
                                    const NetworksDialogKind *kind, gpointer data);
void networks_dialog_add_page(NetworksDialog *dialog, const char *title, GtkWidget *page);
/* An entry of a page, in which Return saves; changed is called with data. */
GtkWidget *networks_dialog_new_entry(const char *text, GCallback changed, gpointer data);
/* What is in it, without spaces around it. g_free() */
char *networks_dialog_read_entry(GtkWidget *entry);
/* A page for a DHCP server; changed is called with data. */
NetworksDhcpForm *networks_dialog_new_dhcp(VitrineClient *client, const VitrineDhcpServer *server,
                                           gboolean on, GCallback changed, gpointer data);
/* What the pages say has changed. */
void networks_dialog_update(NetworksDialog *dialog);
/* target's end ends the dialog's interest in it. */
void networks_dialog_run(NetworksDialog *dialog, NetworksChanged changed, GObject *target);

/* --- the kinds; name NULL or "": a new one --- */

void networks_dialog_nat(GtkWindow *parent, VitrineClient *client, const char *name,
                         NetworksChanged changed);
void networks_dialog_device(GtkWindow *parent, VitrineClient *client, const char *name,
                            NetworksChanged changed);
void networks_dialog_internal(GtkWindow *parent, VitrineClient *client, const char *name,
                              NetworksChanged changed);
/* Adds to steps what puts a server into force: saved where it is enabled or was saved before. */
void networks_dialog_keep_dhcp(NetworksSteps *steps, VitrineClient *client,
                               const VitrineDhcpServer *server);
