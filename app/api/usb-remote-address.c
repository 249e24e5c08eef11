/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses of remote USB devices as settings and commands write them. */
#include <glib/gi18n.h>
#include <string.h>

#include "app/api/vitrine-usb.h"

#define PREFIX "usbredir:"
#define LISTEN "listen:"
#define TCP "tcp://"

G_DEFINE_BOXED_TYPE(VitrineUsbRemote, vitrine_usb_remote, vitrine_usb_remote_copy,
                    vitrine_usb_remote_free)

VitrineUsbRemote *
vitrine_usb_remote_new(gboolean listens, const char *path, const char *host, guint port)
{
    VitrineUsbRemote *remote = g_new0(VitrineUsbRemote, 1);

    remote->listens = listens;
    remote->path = g_strdup(path);
    remote->host = g_strdup(host);
    remote->port = port;
    return remote;
}

VitrineUsbRemote *
vitrine_usb_remote_copy(const VitrineUsbRemote *remote)
{
    return vitrine_usb_remote_new(remote->listens, remote->path, remote->host, remote->port);
}

void
vitrine_usb_remote_free(VitrineUsbRemote *remote)
{
    g_free(remote->path);
    g_free(remote->host);
    g_free(remote);
}

gboolean
vitrine_usb_remote_is_address(const char *text)
{
    return g_str_has_prefix(text, PREFIX);
}

/* Behind the prefix; NULL: nobody can read it. */
static VitrineUsbRemote *
parse_place(const char *text)
{
    const gboolean listens = g_str_has_prefix(text, LISTEN) || g_str_has_prefix(text, TCP ":");
    g_autofree char *host = NULL;
    const char *colon;
    guint64 port = 0;

    text += g_str_has_prefix(text, LISTEN) ? strlen(LISTEN) : 0;
    text += g_str_has_prefix(text, TCP) ? strlen(TCP) : 0;
    if (strchr(text, ' ') != NULL)
        return NULL;
    if (g_path_is_absolute(text))
        return vitrine_usb_remote_new(listens, text, "", 0);
    colon = strrchr(text, ':');
    if (colon == NULL || (colon == text && !listens) ||
        !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        return NULL;
    host = g_strndup(text, (gsize)(colon - text));
    return vitrine_usb_remote_new(listens, "", host, (guint)port);
}

VitrineUsbRemote *
vitrine_usb_remote_parse(const char *text, GError **error)
{
    VitrineUsbRemote *remote =
        g_str_has_prefix(text, PREFIX) ? parse_place(text + strlen(PREFIX)) : NULL;

    if (remote == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    _("“%s” is no address of a remote USB device: usbredir:HOST:PORT and "
                      "usbredir:/PATH are, with “listen:” before HOST or /PATH where the machine "
                      "waits for it."),
                    text);
    return remote;
}

char *
vitrine_usb_remote_to_string(const VitrineUsbRemote *remote)
{
    if (*remote->path != '\0')
        return g_strconcat(PREFIX, remote->listens ? LISTEN : "", remote->path, NULL);
    return g_strdup_printf(PREFIX "%s%s:%u",
                           !remote->listens        ? ""
                           : *remote->host == '\0' ? TCP
                                                   : LISTEN,
                           remote->host, remote->port);
}

char *
vitrine_usb_remote_get_title(const VitrineUsbRemote *remote)
{
    if (*remote->path != '\0')
        return g_strdup_printf(remote->listens ? _("Waits at the socket %s")
                                               : _("Connects to the socket %s"),
                               remote->path);
    if (!remote->listens)
        return g_strdup_printf(_("Connects to %s, port %u"), remote->host, remote->port);
    if (*remote->host == '\0')
        return g_strdup_printf(_("Waits at port %u"), remote->port);
    return g_strdup_printf(_("Waits at %s, port %u"), remote->host, remote->port);
}
