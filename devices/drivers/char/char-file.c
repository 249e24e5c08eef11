/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "char-file": what the guest writes goes to a file (the manual's raw file mode). */
#include "devices/drivers/char/char-stream.h"

static bool
file_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    CharStream *stream = driver->data;
    g_autoptr(GError) local = NULL;
    const char *path;

    if (!char_stream_init(stream, driver, error))
        return false;
    stream->kind = CHAR_PEER_FIXED;
    stream->write_only = true;
    stream->peer = char_stream_descriptor(config, &local);
    if (stream->peer < 0 && !local && cfgm_query_string(config, "Path", &path, &local))
        stream->peer = char_host_open_file(path, cfgm_bool(config, "Append", false), &local);
    if (stream->peer < 0) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    char_stream_start(stream);
    return true;
}

static const PdmOption file_options[] = {
    {.key = "Path", .title = "File", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Append", .title = "Keep what is in the file", .type = PDM_OPTION_BOOL, .max = 1},
    {.type = PDM_OPTION_END},
};

const PdmDriverInfo char_file_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "char-file",
    .title = "File",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(CharStream),
    .options = file_options,
    .construct = file_construct,
    .destruct = char_stream_destruct,
    .power_off = char_stream_power_off,
};
