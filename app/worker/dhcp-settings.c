/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a DHCP server says to whom: options and lease times for all, for groups of clients and for
 * single cards (manual, chapter VBoxManage, "dhcpserver"). A card's own count most, then those of
 * the groups that it is in, the first group first, then those for all. A client is in a group that
 * has a condition which takes it in and none which keeps it out. What clients say of themselves:
 * RFC 2132, 9.13 (vendor class), and RFC 3004 (user class). */
#include <string.h>

#include "app/worker/dhcp.h"

#define SETTINGS_MAX 1024u
#define RANK_CARD (DHCP_GROUPS_MAX + 1)
#define MAC_TEXT 18u

typedef struct {
    DhcpScope scope;
    bool forced;
    uint8_t number;
    GBytes *data; /* empty: not said */
} Option;

typedef struct {
    DhcpScope scope;
    uint32_t seconds[DHCP_TIMES]; /* 0: not set here */
} Times;

typedef struct {
    unsigned group;
    bool takes_in;
    DhcpConditionKind kind;
    GBytes *value;
} Condition;

struct DhcpSettings {
    GArray *options, *times, *conditions;
};

static void
option_clear(gpointer data)
{
    g_bytes_unref(((Option *)data)->data);
}

static void
condition_clear(gpointer data)
{
    g_bytes_unref(((Condition *)data)->value);
}

DhcpSettings *
dhcp_settings_new(void)
{
    DhcpSettings *settings = g_new(DhcpSettings, 1);

    settings->options = g_array_new(FALSE, FALSE, sizeof(Option));
    g_array_set_clear_func(settings->options, option_clear);
    settings->times = g_array_new(FALSE, FALSE, sizeof(Times));
    settings->conditions = g_array_new(FALSE, FALSE, sizeof(Condition));
    g_array_set_clear_func(settings->conditions, condition_clear);
    return settings;
}

void
dhcp_settings_free(DhcpSettings *settings)
{
    g_array_unref(settings->options);
    g_array_unref(settings->times);
    g_array_unref(settings->conditions);
    g_free(settings);
}

static bool
is_scope(const DhcpScope *scope)
{
    return scope->kind != DHCP_FOR_GROUP || scope->group < DHCP_GROUPS_MAX;
}

bool
dhcp_settings_add_option(DhcpSettings *settings, const DhcpScope *scope, uint8_t number,
                         const uint8_t *data, size_t size, bool forced)
{
    Option option = {.scope = *scope, .forced = forced, .number = number};

    if (size > 255 || settings->options->len >= SETTINGS_MAX || !is_scope(scope))
        return false;
    option.data = g_bytes_new(data, size);
    g_array_append_val(settings->options, option);
    return true;
}

bool
dhcp_settings_add_times(DhcpSettings *settings, const DhcpScope *scope,
                        const uint32_t seconds[DHCP_TIMES])
{
    Times times = {.scope = *scope};

    if (settings->times->len >= SETTINGS_MAX || !is_scope(scope))
        return false;
    memcpy(times.seconds, seconds, sizeof(times.seconds));
    g_array_append_val(settings->times, times);
    return true;
}

bool
dhcp_settings_add_condition(DhcpSettings *settings, unsigned group, bool takes_in,
                            DhcpConditionKind kind, const void *value, size_t size)
{
    Condition condition = {.group = group, .takes_in = takes_in, .kind = kind};

    if (settings->conditions->len >= SETTINGS_MAX || group >= DHCP_GROUPS_MAX || size == 0 ||
        size > 255)
        return false;
    condition.value = g_bytes_new(value, size);
    g_array_append_val(settings->conditions, condition);
    return true;
}

/* --- who is in which group --- */

static bool
is_same(uint8_t a, uint8_t b, bool any_case)
{
    return a == b || (any_case && g_ascii_tolower((char)a) == g_ascii_tolower((char)b));
}

/* A pattern in which "*" stands for any bytes and "?" for one. */
static bool
matches_pattern(const uint8_t *pattern, size_t length, const uint8_t *text, size_t size,
                bool any_case)
{
    size_t at = 0, in = 0, star = SIZE_MAX, from = 0;

    while (at < size) {
        if (in < length && pattern[in] == '*') {
            star = in++;
            from = at;
        } else if (in < length &&
                   (pattern[in] == '?' || is_same(pattern[in], text[at], any_case))) {
            in++;
            at++;
        } else if (star != SIZE_MAX) { /* the last star takes one byte more */
            in = star + 1;
            at = ++from;
        } else
            return false;
    }
    while (in < length && pattern[in] == '*')
        in++;
    return in == length;
}

static bool
matches(const Condition *condition, bool pattern, const uint8_t *text, size_t size, bool any_case)
{
    gsize length;
    const uint8_t *value = g_bytes_get_data(condition->value, &length);

    if (pattern)
        return matches_pattern(value, length, text, size, any_case);
    return length == size && memcmp(value, text, size) == 0;
}

/* Clients that know RFC 3004 say several, each behind its length; others say one as it is. */
static bool
matches_user(const Condition *condition, bool pattern, const DhcpClient *client)
{
    size_t at = 0;

    if (client->user_size == 0)
        return false;
    if (matches(condition, pattern, client->user, client->user_size, false))
        return true;
    while (at < client->user_size && at + 1 + client->user[at] <= client->user_size) {
        if (matches(condition, pattern, client->user + at + 1, client->user[at], false))
            return true;
        at += 1u + client->user[at];
    }
    return false;
}

static bool
applies(const Condition *condition, const DhcpClient *client)
{
    const uint8_t *mac = client->mac;
    char text[MAC_TEXT];

    switch (condition->kind) {
    case DHCP_MAC: return matches(condition, false, mac, 6, false);
    case DHCP_MAC_PATTERN:
        g_snprintf(text, sizeof(text), "%02X:%02X:%02X:%02X:%02X:%02X", mac[0], mac[1], mac[2],
                   mac[3], mac[4], mac[5]);
        return matches(condition, true, (const uint8_t *)text, MAC_TEXT - 1, true);
    case DHCP_VENDOR:
    case DHCP_VENDOR_PATTERN:
        return client->vendor_size != 0 &&
               matches(condition, condition->kind == DHCP_VENDOR_PATTERN, client->vendor,
                       client->vendor_size, false);
    case DHCP_USER:
    case DHCP_USER_PATTERN:
        return matches_user(condition, condition->kind == DHCP_USER_PATTERN, client);
    }
    return false;
}

uint64_t
dhcp_settings_groups(const DhcpSettings *settings, const DhcpClient *client)
{
    uint64_t in = 0, out = 0;

    for (guint i = 0; i < settings->conditions->len; i++) {
        const Condition *condition = &g_array_index(settings->conditions, Condition, i);

        if (applies(condition, client))
            *(condition->takes_in ? &in : &out) |= (uint64_t)1 << condition->group;
    }
    return in & ~out;
}

/* How much a setting counts for a client; -1: nothing. */
static int
rank(const DhcpScope *scope, const DhcpClient *client)
{
    if (scope->kind == DHCP_FOR_ALL)
        return 0;
    if (scope->kind == DHCP_FOR_CARD)
        return memcmp(scope->mac, client->mac, 6) == 0 ? (int)RANK_CARD : -1;
    return (client->groups >> scope->group & 1) != 0 ? (int)(DHCP_GROUPS_MAX - scope->group) : -1;
}

/* --- what is said --- */

/* Of settings that count as much, the last one, but for one that is kept silent. */
GBytes *
dhcp_settings_find(const DhcpSettings *settings, const DhcpClient *client, uint8_t number)
{
    GBytes *found = NULL;
    int best = -1;

    for (guint i = 0; i < settings->options->len; i++) {
        const Option *option = &g_array_index(settings->options, Option, i);
        const int own = option->number == number ? rank(&option->scope, client) : -1;

        if (own < 0 || own < best || (own == best && g_bytes_get_size(found) == 0))
            continue;
        best = own;
        found = option->data;
    }
    return found;
}

void
dhcp_settings_times(const DhcpSettings *settings, const DhcpClient *client,
                    uint32_t seconds[DHCP_TIMES])
{
    int best[DHCP_TIMES] = {-1, -1, -1};

    memset(seconds, 0, DHCP_TIMES * sizeof(*seconds));
    for (guint i = 0; i < settings->times->len; i++) {
        const Times *times = &g_array_index(settings->times, Times, i);
        const int own = rank(&times->scope, client);

        for (unsigned j = 0; j < DHCP_TIMES; j++) {
            if (times->seconds[j] == 0 || own < 0 || own < best[j])
                continue;
            best[j] = own;
            seconds[j] = times->seconds[j];
        }
    }
}

void
dhcp_settings_foreach(const DhcpSettings *settings, const DhcpClient *client,
                      DhcpOptionFunc function, void *user)
{
    for (guint i = 0; i < settings->options->len; i++) {
        const Option *option = &g_array_index(settings->options, Option, i);

        if (rank(&option->scope, client) >= 0)
            function(user, option->number, option->forced);
    }
}
