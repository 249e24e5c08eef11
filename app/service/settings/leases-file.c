/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The leases of a network's DHCP server, <network>-Dhcpd.leases in the configuration folder: XML,
 * <Leases> with a <Lease> for each card. */
#include <errno.h>
#include <libxml/parser.h>
#include <string.h>

#include "app/service/settings/netservice-file.h"
#include "app/service/settings/xml.h"

#define FILE_MAX (4u << 20)

static gboolean
read_mac(xmlNodePtr node, char mac[13])
{
    g_autofree char *text = xml_get(node, "mac");
    guint length = 0;

    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        if (*at == ':')
            continue;
        if (!g_ascii_isxdigit(*at) || length == 12)
            return FALSE;
        mac[length++] = g_ascii_toupper(*at);
    }
    mac[length] = '\0';
    return length == 12;
}

static gboolean
read_lease(xmlNodePtr node, NetLease *lease)
{
    xmlNodePtr time = xml_child(node, "Time");
    g_autofree char *address = xml_get(xml_child(node, "Address"), "value");
    g_autofree char *state = xml_get(node, "state");
    const gint64 seconds = xml_get_int(time, "expiration", 0);

    *lease = (NetLease){.issued = xml_get_int(time, "issued", 0)};
    if (!read_mac(node, lease->mac) || address == NULL || !g_hostname_is_ip_address(address) ||
        seconds < 0 || seconds > G_MAXINT32)
        return FALSE;
    lease->seconds = (guint)seconds;
    lease->bound = g_strcmp0(state, "acked") == 0;
    return g_strlcpy(lease->address, address, sizeof(lease->address)) < sizeof(lease->address);
}

GArray *
leases_file_read(const char *path)
{
    GArray *leases = g_array_new(FALSE, FALSE, sizeof(NetLease));
    g_autofree char *text = NULL;
    gsize size;
    xmlDocPtr doc;

    if (!g_file_get_contents(path, &text, &size, NULL) || size > FILE_MAX)
        return leases;
    doc = xmlReadMemory(text, (int)size, NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doc == NULL)
        return leases;
    for (xmlNodePtr node = xml_child(xmlDocGetRootElement(doc), "Lease");
         node != NULL && leases->len < NET_LEASES_MAX; node = xml_next(node)) {
        NetLease lease;

        if (read_lease(node, &lease))
            g_array_append_val(leases, lease);
    }
    xmlFreeDoc(doc);
    return leases;
}

static void
write_lease(GString *text, const NetLease *lease, gint64 now)
{
    const char *mac = lease->mac;
    const char *state = lease->issued + lease->seconds <= now ? "expired" : "released";

    g_string_append_printf(
        text,
        "  <Lease mac=\"%.2s:%.2s:%.2s:%.2s:%.2s:%.2s\" network=\"0.0.0.0\" state=\"%s\">\n"
        "    <Address value=\"%s\"/>\n"
        "    <Time issued=\"%" G_GINT64_FORMAT "\" expiration=\"%u\"/>\n"
        "  </Lease>\n",
        mac, mac + 2, mac + 4, mac + 6, mac + 8, mac + 10, lease->bound ? "acked" : state,
        lease->address, lease->issued, lease->seconds);
}

gboolean
leases_file_write(const char *path, GArray *leases, GError **error)
{
    g_autoptr(GString) text = g_string_new("<?xml version=\"1.0\"?>\n<Leases version=\"1.0\">\n");
    const gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    for (guint i = 0; i < leases->len; i++)
        write_lease(text, &g_array_index(leases, NetLease, i), now);
    g_string_append(text, "</Leases>\n");
    return g_file_set_contents_full(path, text->str, (gssize)text->len,
                                    G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}
