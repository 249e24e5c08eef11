/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The drivers "char-pipe" (a local socket, the manual's host pipe) and "char-tcp": as the server,
 * which takes one peer at a time, or as the client, which connects and tries again when it is cut
 * off.
 *
 * As a server both take a listening socket, as a client a connected one, from the embedder as
 * Descriptor. A client with a descriptor does not connect again. */
#include "devices/drivers/char/char-stream.h"

#include <string.h>

static int
connect_local(CharStream *stream, GError **error)
{
    return char_host_connect_local(stream->address, error);
}

static int
connect_tcp(CharStream *stream, GError **error)
{
    return char_host_connect_tcp(stream->address, stream->port, error);
}

/* With a descriptor of the embedder's. */
static bool
adopt(CharStream *stream, const CfgmNode *config, int descriptor)
{
    if (cfgm_bool(config, "Server", false)) {
        stream->kind = CHAR_PEER_ACCEPT;
        stream->listener = descriptor;
    } else {
        stream->kind = CHAR_PEER_FIXED;
        stream->peer = descriptor;
    }
    char_stream_start(stream);
    return true;
}

/* With an address. */
static bool
listen_or_connect(CharStream *stream, const CfgmNode *config, GError **error)
{
    bool local = stream->connect == connect_local;

    stream->kind = CHAR_PEER_CONNECT;
    if (cfgm_bool(config, "Server", false)) {
        stream->kind = CHAR_PEER_ACCEPT;
        stream->listener = local ? char_host_listen_local(stream->address, error)
                                 : char_host_listen_tcp(stream->address, stream->port, error);
        if (stream->listener < 0)
            return false;
        if (local)
            stream->unlink_path = g_strdup(stream->address);
    }
    char_stream_start(stream);
    return true;
}

static bool
pipe_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    CharStream *stream = driver->data;
    g_autoptr(GError) local = NULL;
    const char *path;
    int descriptor;

    if (!char_stream_init(stream, driver, error))
        return false;
    descriptor = char_stream_descriptor(config, &local);
    if (descriptor >= 0)
        return adopt(stream, config, descriptor);
    if (local || !cfgm_query_string(config, "Path", &path, &local)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    stream->address = g_strdup(path);
    stream->connect = connect_local;
    return listen_or_connect(stream, config, error);
}

/* "host:port", "[address]:port" or "port". */
static bool
parse_address(CharStream *stream, const char *text, GError **error)
{
    const char *colon = strrchr(text, ':');
    guint64 port;

    if (!g_ascii_string_to_unsigned(colon ? colon + 1 : text, 10, 1, 65535, &port, NULL)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "\"%s\" is no address; write host:port or, for a server, port.", text);
        return false;
    }
    stream->port = (uint16_t)port;
    stream->address = colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup("");
    if (stream->address[0] == '[' && g_str_has_suffix(stream->address, "]")) {
        char *bare = g_strndup(stream->address + 1, strlen(stream->address) - 2);

        g_free(stream->address);
        stream->address = bare;
    }
    return true;
}

static bool
tcp_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    CharStream *stream = driver->data;
    g_autoptr(GError) local = NULL;
    const char *address;
    int descriptor;

    if (!char_stream_init(stream, driver, error))
        return false;
    descriptor = char_stream_descriptor(config, &local);
    if (descriptor >= 0)
        return adopt(stream, config, descriptor);
    if (local || !cfgm_query_string(config, "Address", &address, &local) ||
        !parse_address(stream, address, &local)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    stream->connect = connect_tcp;
    return listen_or_connect(stream, config, error);
}

static const PdmOption pipe_options[] = {
    {.key = "Path", .title = "Local socket", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Server", .title = "Wait for a connection", .type = PDM_OPTION_BOOL, .max = 1},
    {.type = PDM_OPTION_END},
};

static const PdmOption tcp_options[] = {
    {.key = "Address", .title = "Host and port", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Server", .title = "Wait for a connection", .type = PDM_OPTION_BOOL, .max = 1},
    {.type = PDM_OPTION_END},
};

const PdmDriverInfo char_pipe_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "char-pipe",
    .title = "Host pipe",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(CharStream),
    .options = pipe_options,
    .construct = pipe_construct,
    .destruct = char_stream_destruct,
    .power_off = char_stream_power_off,
};

const PdmDriverInfo char_tcp_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "char-tcp",
    .title = "TCP",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(CharStream),
    .options = tcp_options,
    .construct = tcp_construct,
    .destruct = char_stream_destruct,
    .power_off = char_stream_power_off,
};
