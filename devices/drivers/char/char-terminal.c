/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The drivers "char-device" (a terminal of the host, the manual's host device), "char-pty" (a new
 * pseudo-terminal, whose name is logged) and "char-stdio". */
#include "devices/drivers/char/char-stream.h"

/* A guest may change these all the time; each is one quick call to the host. */
static void
device_set_line(void *user, unsigned baud, unsigned data_bits, char parity, unsigned stop_bits)
{
    CharStream *stream = user;

    char_host_set_line(stream->peer, baud, data_bits, parity, stop_bits);
}

static void
device_set_modem(void *user, bool dtr, bool rts)
{
    CharStream *stream = user;

    char_host_set_modem(stream->peer, dtr, rts);
}

static void
device_set_break(void *user, bool on)
{
    CharStream *stream = user;

    char_host_set_break(stream->peer, on);
}

static bool
device_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    CharStream *stream = driver->data;
    g_autoptr(GError) local = NULL;
    const char *path;

    if (!char_stream_init(stream, driver, error))
        return false;
    stream->kind = CHAR_PEER_FIXED;
    stream->connector.set_line = device_set_line;
    stream->connector.set_modem = device_set_modem;
    stream->connector.set_break = device_set_break;
    stream->peer = char_stream_descriptor(config, &local);
    if (stream->peer < 0 && !local && cfgm_query_string(config, "Path", &path, &local))
        stream->peer = char_host_open_device(path, &local);
    if (stream->peer < 0) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    char_stream_start(stream);
    return true;
}

static bool
pty_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    CharStream *stream = driver->data;

    if (!char_stream_init(stream, driver, error))
        return false;
    stream->kind = CHAR_PEER_PTY;
    stream->peer = char_host_open_pty(&stream->address, error);
    if (stream->peer < 0)
        return false;
    driver->api->log(driver->pdm, "pseudo-terminal %s", stream->address);
    char_stream_start(stream);
    return true;
}

static bool
stdio_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    CharStream *stream = driver->data;

    if (!char_stream_init(stream, driver, error))
        return false;
    stream->kind = CHAR_PEER_FIXED;
    stream->peer = char_host_duplicate(0, error);
    if (stream->peer < 0)
        return false;
    stream->output = char_host_duplicate(1, error);
    if (stream->output < 0)
        return false;
    char_stream_start(stream);
    return true;
}

static const PdmOption device_options[] = {
    {.key = "Path", .title = "Host device", .type = PDM_OPTION_STRING, .text = ""},
    {.type = PDM_OPTION_END},
};

const PdmDriverInfo char_device_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "char-device",
    .title = "Host device",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(CharStream),
    .options = device_options,
    .construct = device_construct,
    .destruct = char_stream_destruct,
    .power_off = char_stream_power_off,
};

const PdmDriverInfo char_pty_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "char-pty",
    .title = "Pseudo-terminal",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(CharStream),
    .construct = pty_construct,
    .destruct = char_stream_destruct,
    .power_off = char_stream_power_off,
};

const PdmDriverInfo char_stdio_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "char-stdio",
    .title = "Standard input and output",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(CharStream),
    .construct = stdio_construct,
    .destruct = char_stream_destruct,
    .power_off = char_stream_power_off,
};
