/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sound card: from the settings, and what may be changed while the machine runs. */
#include "app/console/console-private.h"
#include "app/console/console-realtime.h"

#include "audio/audio.h"

/* Host drivers that this host does not have stand for the one that it has. */
void
console_sound_describe(Console *console, MachineSound *sound)
{
    VitrineSettings *settings = console->settings;
    const int controller = vitrine_settings_get_enum(settings, "audio-controller");
    const bool nothing =
        !vitrine_settings_get_bool(settings, "audio-default-driver") &&
        vitrine_settings_get_enum(settings, "audio-driver") == VITRINE_AUDIO_DRIVER_NULL;

    if (!vitrine_settings_get_bool(settings, "audio"))
        return;
    /* The setting's values are the devices' names (vitrine_device_get_audio_controller()). */
    sound->card = vitrine_nick(VITRINE_TYPE_AUDIO_CONTROLLER, controller);
    if (controller == VITRINE_AUDIO_CONTROLLER_AC97 &&
        vitrine_settings_get_enum(settings, "audio-codec") == VITRINE_AUDIO_CODEC_AD1980)
        sound->codec = "AD1980";
    sound->backend = nothing ? "null" : "pulse";
    sound->machine = vitrine_settings_get_string(settings, "name");
    /* Who asks for what the host has knows that it may have nothing. */
    sound->optional = vitrine_settings_get_bool(settings, "audio-default-driver");
    sound->output = vitrine_settings_get_bool(settings, "audio-out");
    sound->input = vitrine_settings_get_bool(settings, "audio-in");
    console->sound_place = machine_sound_place(sound);
    console->is_heard = sound->output;
    console->is_listening = sound->input;
}

static const AudioConnector *
connector_of(Console *console)
{
    const MachinePlace place = console->sound_place;

    return place.device == NULL ? NULL
                                : pdm_lun_connector(vmm_pdm(console->vmm), place.device,
                                                    place.instance, place.lun, PDM_IF_AUDIO);
}

void
console_sound_start(Console *console)
{
    const AudioConnector *connector = connector_of(console);
    const uint64_t thread = connector ? connector->late_thread(connector->user) : 0;

    if (thread != 0)
        console_realtime_ask(thread);
}

gboolean
console_sound_set(gpointer data, gboolean input, gboolean on, GError **error)
{
    Console *console = data;
    const AudioConnector *connector = connector_of(console);

    if (connector == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "The machine has no sound card. Settings, Audio gives it one.");
        return FALSE;
    }
    *(input ? &console->is_listening : &console->is_heard) = on;
    connector->enable(connector->user, console->is_heard, console->is_listening);
    console_keep_setting(console, input ? "audio-in" : "audio-out", (guint)on);
    return TRUE;
}

void
console_sound_activity(Console *console, VitrineActivity *activity)
{
    const AudioConnector *connector = connector_of(console);

    if (connector == NULL)
        return;
    activity->reads[VITRINE_ACTIVITY_AUDIO] = connector->activity->reads;
    activity->writes[VITRINE_ACTIVITY_AUDIO] = connector->activity->writes;
}
