/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The back end "null": plays nothing and records nothing. */
#include "audio/audio-backend.h"

static void *
null_open(const AudioHost *host, GError **error)
{
    return (void *)host;
}

static void
null_set(void *backend, bool on)
{
}

static void
null_close(void *backend)
{
}

const AudioBackendInfo audio_null_backend = {
    .name = "null",
    .title = "Null",
    .open = null_open,
    .set_output = null_set,
    .set_input = null_set,
    .close = null_close,
};
