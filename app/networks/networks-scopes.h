/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A DHCP server's settings by whom they are for: everyone, a group of clients, a network card. */
#pragma once

#include "app/api/vitrine.h"

typedef enum {
    NETWORKS_EVERYONE,
    NETWORKS_GROUP,
    NETWORKS_MACHINE, /* a machine's card, by its number */
    NETWORKS_CARD,    /* a card, by its address */
} NetworksScopeKind;

/* Lines of a DHCP server's configs; the scope is their first word, left out in lines. */
typedef struct {
    NetworksScopeKind kind;
    char *name;  /* of a group, the address of a card, "UUID/SLOT" of a machine's; "" */
    char *lines; /* "WORD VALUE", of a group without that there is one */
} NetworksScope;

/* Takes nothing. */
NetworksScope *networks_scope_new(NetworksScopeKind kind, const char *name);
/* (element-type NetworksScope): in their order, everyone first. */
GPtrArray *networks_scopes_read(const char *configs);
/* As configs; those that say nothing are left out, but for groups. g_free() */
char *networks_scopes_write(const GPtrArray *scopes);
/* What is wrong with them as a whole, for the reader; NULL: nothing. g_free() */
char *networks_scopes_problem(const GPtrArray *scopes);
/* "Everyone", "Group “printers”" …; g_free() */
char *networks_scope_title(const NetworksScope *scope, VitrineClient *client);
/* The value of the first line with this word; NULL: there is none. g_free() */
char *networks_scope_get(const NetworksScope *scope, const char *word);
