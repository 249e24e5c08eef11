/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The records of DHCP servers, and what such a server can be. */
#include <glib/gi18n.h>
#include <string.h>

#include "app/api/record.h"
#include "app/api/settings-private.h"
#include "app/api/vitrine.h"

#define AT(field) G_STRUCT_OFFSET(VitrineDhcpServer, field)
/* clang-format off */
static const RecordField fields[] = {
    {RECORD_BOOL, "enabled", AT(enabled), NULL},
    {RECORD_TEXT, "name",    AT(name), NULL},
    {RECORD_TEXT, "address", AT(address), NULL},
    {RECORD_TEXT, "mask",    AT(mask), NULL},
    {RECORD_TEXT, "lower",   AT(lower), NULL},
    {RECORD_TEXT, "upper",   AT(upper), NULL},
    {RECORD_TEXT, "configs", AT(configs), NULL},
};
/* clang-format on */
static const RecordType record = {
    sizeof(VitrineDhcpServer),
    6,
    {AT(name), AT(address), AT(mask), AT(lower), AT(upper), AT(configs)},
};

G_DEFINE_BOXED_TYPE(VitrineDhcpServer, vitrine_dhcp_server, vitrine_dhcp_server_copy,
                    vitrine_dhcp_server_free)

VitrineDhcpServer *
vitrine_dhcp_server_new(void)
{
    VitrineDhcpServer *server = g_new0(VitrineDhcpServer, 1);

    record_init(fields, G_N_ELEMENTS(fields), server);
    return server;
}

VitrineDhcpServer *
vitrine_dhcp_server_copy(const VitrineDhcpServer *server)
{
    return record_copy(&record, server);
}

void
vitrine_dhcp_server_free(VitrineDhcpServer *server)
{
    record_free(&record, server);
}

gboolean
vitrine_dhcp_server_equal(const VitrineDhcpServer *a, const VitrineDhcpServer *b)
{
    return record_equal(fields, G_N_ELEMENTS(fields), a, b);
}

GVariant *
vitrine_dhcp_server_to_variant(const VitrineDhcpServer *server)
{
    return record_to_variant(fields, G_N_ELEMENTS(fields), server);
}

VitrineDhcpServer *
vitrine_dhcp_server_from_variant(GVariant *value, GError **error)
{
    g_autoptr(VitrineDhcpServer) server = vitrine_dhcp_server_new();

    return record_take_variant(fields, G_N_ELEMENTS(fields), server, value, "A DHCP server's",
                               error)
               ? g_steal_pointer(&server)
               : NULL;
}

/* --- options (RFC 2132 and its successors) --- */

typedef enum { OPTION_TEXT, OPTION_ADDRESS, OPTION_ADDRESSES, OPTION_NUMBER } OptionKind;

/* What is not in here is a text. */
/* clang-format off */
static const struct {
    guint first, last;
    OptionKind kind;
    guint size; /* bytes of a NUMBER */
} option_kinds[] = {
    {1, 1, OPTION_ADDRESS, 0},    {2, 2, OPTION_NUMBER, 4},     {3, 11, OPTION_ADDRESSES, 0},
    {13, 13, OPTION_NUMBER, 2},   {16, 16, OPTION_ADDRESS, 0},  {19, 20, OPTION_NUMBER, 1},
    {21, 21, OPTION_ADDRESSES, 0}, {22, 22, OPTION_NUMBER, 2},  {23, 23, OPTION_NUMBER, 1},
    {24, 24, OPTION_NUMBER, 4},   {26, 26, OPTION_NUMBER, 2},   {27, 27, OPTION_NUMBER, 1},
    {28, 28, OPTION_ADDRESS, 0},  {29, 31, OPTION_NUMBER, 1},   {32, 32, OPTION_ADDRESS, 0},
    {33, 33, OPTION_ADDRESSES, 0}, {34, 34, OPTION_NUMBER, 1},  {35, 35, OPTION_NUMBER, 4},
    {36, 37, OPTION_NUMBER, 1},   {38, 38, OPTION_NUMBER, 4},   {39, 39, OPTION_NUMBER, 1},
    {41, 42, OPTION_ADDRESSES, 0}, {44, 45, OPTION_ADDRESSES, 0}, {46, 46, OPTION_NUMBER, 1},
    {48, 49, OPTION_ADDRESSES, 0}, {65, 65, OPTION_ADDRESSES, 0}, {68, 76, OPTION_ADDRESSES, 0},
};
/* clang-format on */

static void
put_number(GByteArray *bytes, guint64 number, guint size)
{
    for (guint i = size; i-- > 0;) {
        const guint8 byte = (guint8)(number >> 8 * i);

        g_byte_array_append(bytes, &byte, 1);
    }
}

static gboolean
put_addresses(GByteArray *bytes, const char *text, gboolean many)
{
    g_auto(GStrv) words = g_strsplit_set(text, " ,", -1);

    for (char **word = words; *word != NULL; word++) {
        guint32 address;

        if (**word == '\0')
            continue;
        if (!vitrine_parse_ipv4(*word, &address) || (!many && bytes->len != 0))
            return FALSE;
        put_number(bytes, address, 4);
    }
    return bytes->len != 0;
}

static gboolean
put_value(GByteArray *bytes, OptionKind kind, guint size, const char *text)
{
    const guint64 most = size == 4 ? G_MAXUINT32 : ((guint64)1 << 8 * size) - 1;
    guint64 number;

    if (kind == OPTION_ADDRESS || kind == OPTION_ADDRESSES)
        return put_addresses(bytes, text, kind == OPTION_ADDRESSES);
    if (kind == OPTION_NUMBER) {
        if (!g_ascii_string_to_unsigned(text, 10, 0, most, &number, NULL))
            return FALSE;
        put_number(bytes, number, size);
        return TRUE;
    }
    g_byte_array_append(bytes, (const guint8 *)text, (guint)strlen(text));
    return bytes->len != 0;
}

GBytes *
vitrine_dhcp_option_parse(guint number, const char *text, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    OptionKind kind = OPTION_TEXT;
    guint size = 0;

    for (guint i = 0; i < G_N_ELEMENTS(option_kinds); i++) {
        if (number < option_kinds[i].first || number > option_kinds[i].last)
            continue;
        kind = option_kinds[i].kind;
        size = option_kinds[i].size;
    }
    if (put_value(bytes, kind, size, text) && bytes->len <= 255)
        return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, _("“%s” cannot be DHCP option %u."),
                text, number);
    return NULL;
}

/* --- what it can be --- */

static gboolean
refuse(GError **error, const char *what, const char *text)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "%s: %s", what, text);
    return FALSE;
}

static gboolean
check_scope(const char *scope)
{
    if (g_str_has_prefix(scope, "mac:"))
        return strlen(scope + 4) == 12 && strspn(scope + 4, "0123456789ABCDEF") == 12;
    return g_str_equal(scope, "global") || g_str_has_prefix(scope, "group:") ||
           (g_str_has_prefix(scope, "vm:") && strchr(scope, '/') != NULL);
}

/* "KIND VALUE" */
static gboolean
check_condition(const char *text, GError **error)
{
    static const char *const kinds[] = {"mac",  "mac-wild",  "vendor", "vendor-wild",
                                        "user", "user-wild", NULL};
    g_auto(GStrv) words = g_strsplit(text, " ", 2);
    const char *value = g_strv_length(words) == 2 ? words[1] : "";

    if (*value == '\0' || strlen(value) > 255 || !g_strv_contains(kinds, words[0]))
        return refuse(error, _("This is no condition of a group of DHCP clients"), text);
    if (g_str_equal(words[0], "mac") &&
        (strlen(value) != 12 || strspn(value, "0123456789ABCDEF") != 12))
        return refuse(error, _("This is no address of a network card"), value);
    return TRUE;
}

static gboolean
is_condition(const char *word)
{
    return g_str_equal(word, "include") || g_str_equal(word, "exclude");
}

static gboolean
check_option(const char *word, const char *value, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(value, " ", 2);
    guint64 number;
    const char *text;

    if (parts[0] == NULL || !g_ascii_string_to_unsigned(parts[0], 10, 1, 254, &number, NULL) ||
        (number >= 50 && number <= 59))
        return refuse(error, _("This is no DHCP option that can be set"), value);
    if (g_str_equal(word, "force") || g_str_equal(word, "suppress"))
        return TRUE;
    text = parts[1] != NULL ? parts[1] : "";
    if (g_str_equal(word, "hex"))
        return strlen(text) % 2 == 0 && strlen(text) <= 510 &&
                       strspn(text, "0123456789abcdefABCDEF") == strlen(text)
                   ? TRUE
                   : refuse(error, _("These are no hexadecimal bytes"), text);
    g_autoptr(GBytes) bytes = vitrine_dhcp_option_parse((guint)number, text, error);
    return bytes != NULL;
}

static gboolean
check_config(const char *line, GError **error)
{
    static const char *const options[] = {"option", "hex", "force", "suppress", NULL};
    static const char *const times[] = {"least", "usual", "most", NULL};
    g_auto(GStrv) words = g_strsplit(line, " ", 3);
    const gboolean of_card = g_str_has_prefix(line, "mac:") || g_str_has_prefix(line, "vm:");
    guint32 address;

    if (g_strv_length(words) != 3 || !check_scope(words[0]))
        return refuse(error, _("This is no setting of a DHCP server"), line);
    if (g_str_has_prefix(line, "group:")) {
        if (is_condition(words[1]))
            return check_condition(words[2], error);
        if (g_str_equal(words[1], "group"))
            return TRUE;
    }
    if (g_strv_contains(options, words[1]))
        return check_option(words[1], words[2], error);
    if (g_strv_contains(times, words[1]) &&
        g_ascii_string_to_unsigned(words[2], 10, 1, G_MAXINT32, NULL, NULL))
        return TRUE;
    if (g_str_equal(words[1], "fixed") && of_card)
        return vitrine_parse_ipv4(words[2], &address)
                   ? TRUE
                   : refuse(error, _("This is no IPv4 address"), words[2]);
    return refuse(error, _("This is no setting of a DHCP server"), line);
}

gboolean
vitrine_dhcp_server_check(const VitrineDhcpServer *server, GError **error)
{
    const char *const texts[] = {server->address, server->mask, server->lower, server->upper};
    g_auto(GStrv) lines = g_strsplit(server->configs, "\n", -1);
    guint32 numbers[G_N_ELEMENTS(texts)], mask;

    if (*server->name == '\0' || strpbrk(server->name, "/\n") != NULL)
        return refuse(error, _("A network needs a name, without slashes"), server->name);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (!vitrine_parse_ipv4(texts[i], &numbers[i]))
            return refuse(error, _("This is no IPv4 address"), texts[i]);
    }
    mask = numbers[1];
    if (mask == 0 || (~mask & (~mask + 1)) != 0)
        return refuse(error, _("This is no network mask"), server->mask);
    if (((numbers[2] ^ numbers[0]) & mask) != 0 || ((numbers[3] ^ numbers[0]) & mask) != 0)
        return refuse(error, _("The addresses given out have to be in the server's own network"),
                      server->address);
    if (numbers[2] > numbers[3] || numbers[2] == 0)
        return refuse(error, _("The last address given out is before the first"), server->upper);
    for (char **line = lines; *line != NULL; line++) {
        if (**line != '\0' && !check_config(*line, error))
            return FALSE;
    }
    return TRUE;
}

/* --- what a NAT network has --- */

#define SERVER_NUMBER 3u /* of the addresses of a NAT network */
#define FIRST_NUMBER 4u

static void
take(char **field, char *text)
{
    g_free(*field);
    *field = text;
}

VitrineDhcpServer *
vitrine_dhcp_server_new_for_network(const VitrineNatNetwork *network)
{
    VitrineDhcpServer *server = vitrine_dhcp_server_new();
    const char *slash = strchr(network->range, '/');
    const guint bits = slash != NULL ? (guint)g_ascii_strtoull(slash + 1, NULL, 10) : 24;
    const guint32 mask = ~(guint32)0 << (32 - CLAMP(bits, 1, 31));

    server->enabled = TRUE;
    vitrine_adapter_set_text(&server->name, network->name);
    take(&server->address, vitrine_nat_network_address(network, SERVER_NUMBER));
    take(&server->lower, vitrine_nat_network_address(network, FIRST_NUMBER));
    take(&server->upper, vitrine_nat_network_address(network, ~mask - 1));
    take(&server->mask,
         g_strdup_printf("%u.%u.%u.%u", mask >> 24, mask >> 16 & 255, mask >> 8 & 255, mask & 255));
    return server;
}

/* --- lines of the configuration --- */

char *
vitrine_dhcp_server_get_config(const VitrineDhcpServer *server, const char *scope, const char *word)
{
    g_autofree char *start = g_strdup_printf("%s %s ", scope, word);
    g_auto(GStrv) lines = g_strsplit(server->configs, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        if (g_str_has_prefix(*line, start))
            return g_strdup(*line + strlen(start));
    }
    return NULL;
}

void
vitrine_dhcp_server_add_config(VitrineDhcpServer *server, const char *scope, const char *word,
                               const char *value)
{
    const char *before = server->configs;

    take(&server->configs,
         g_strdup_printf("%s%s%s %s %s", before, *before != '\0' ? "\n" : "", scope, word, value));
}

void
vitrine_dhcp_server_remove_config(VitrineDhcpServer *server, const char *start)
{
    g_auto(GStrv) lines = g_strsplit(server->configs, "\n", -1);
    GString *left = g_string_new(NULL);

    for (char **line = lines; *line != NULL; line++) {
        const gboolean same = g_str_has_prefix(*line, start) &&
                              ((*line)[strlen(start)] == ' ' || (*line)[strlen(start)] == '\0');

        if (**line != '\0' && !same)
            g_string_append_printf(left, "%s%s", left->len != 0 ? "\n" : "", *line);
    }
    take(&server->configs, g_string_free(left, FALSE));
}
