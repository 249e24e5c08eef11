/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "audio": a mixer on the back end that its option names. */
#include "audio/core/audio-mixer.h"

#include <string.h>

/* clang-format off */
#define BACKEND(symbol) extern const AudioBackendInfo symbol;
#include "audio/backends/backends.def"
#undef BACKEND
static const AudioBackendInfo *const backends[] = {
#define BACKEND(symbol) &symbol,
#include "audio/backends/backends.def"
#undef BACKEND
};
/* clang-format on */

static const AudioBackendInfo *
find_backend(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    }
    return NULL;
}

static void
driver_problem(void *user, const char *message)
{
    pdm_driver_runtime_message(user, PDM_RUNTIME_WARNING, "HostAudioNotResponding", message);
}

static void
driver_log(void *user, const char *line)
{
    pdm_log((PdmDriver *)user, "%s", line);
}

typedef struct {
    AudioMixer *mixer;
} AudioDriver;

static bool
audio_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    AudioDriver *audio = driver->data;
    const AudioPort *port = driver->port;
    const char *name = cfgm_string(config, "Backend", "pulse");
    const AudioBackendInfo *backend = find_backend(name);
    const AudioMixerOptions options = {
        .machine = cfgm_string(config, "Machine", "Vitrine"),
        .card = port->name,
        .file = cfgm_string(config, "File", NULL),
        .output = cfgm_uint(config, "Output", 1) != 0,
        .input = cfgm_uint(config, "Input", 0) != 0,
        .problem = cfgm_uint(config, "Optional", 0) ? driver_log : driver_problem,
        .log = driver_log,
        .user = driver,
    };

    if (backend == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND,
                    "There is no host sound driver \"%s\" in this build.", name);
        return false;
    }
    audio->mixer = audio_mixer_new(backend, &options, error);
    if (audio->mixer == NULL)
        return false;
    driver->connector = audio_mixer_connector(audio->mixer);
    pdm_driver_offer_object(driver, AUDIO_OBJECT, (void *)driver->connector);
    return true;
}

static void
audio_destruct(PdmDriver *driver)
{
    AudioDriver *audio = driver->data;

    g_clear_pointer(&audio->mixer, audio_mixer_free);
}

static void
audio_paused(PdmDriver *driver)
{
    audio_mixer_pause(((AudioDriver *)driver->data)->mixer, true);
}

static void
audio_resumed(PdmDriver *driver)
{
    audio_mixer_pause(((AudioDriver *)driver->data)->mixer, false);
}

static const char *const backend_names[] = {"null", "pulse", "wav", NULL};

static const PdmOption audio_options[] = {
    {.key = "Backend",
     .title = "Host driver",
     .type = PDM_OPTION_CHOICE,
     .text = "pulse",
     .choices = backend_names},
    {.key = "Machine",
     .title = "Name of the streams",
     .type = PDM_OPTION_STRING,
     .text = "Vitrine"},
    {.key = "File", .title = "Sound file", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Output", .title = "Output", .type = PDM_OPTION_BOOL, .value = 1, .max = 1},
    {.key = "Input", .title = "Input", .type = PDM_OPTION_BOOL, .max = 1},
    {.key = "Optional", .title = "Without a message", .type = PDM_OPTION_BOOL, .max = 1},
    {.type = PDM_OPTION_END},
};

const PdmDriverInfo audio_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "audio",
    .title = "Sound",
    .interface = PDM_IF_AUDIO,
    .instance_size = sizeof(AudioDriver),
    .options = audio_options,
    .construct = audio_construct,
    .destruct = audio_destruct,
    .paused = audio_paused,
    .resumed = audio_resumed,
};
