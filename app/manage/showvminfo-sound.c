/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * showvminfo: the sound card. */
#include "app/manage/showvminfo-private.h"

#include "app/manage/manage-words.h"

/* The codec of a card whose settings do not choose one. */
static VitrineAudioCodec
codec_of(VitrineSettings *settings, int controller)
{
    static const VitrineAudioCodec usual[] = {
        [VITRINE_AUDIO_CONTROLLER_AC97] = VITRINE_AUDIO_CODEC_STAC9700,
        [VITRINE_AUDIO_CONTROLLER_SB16] = VITRINE_AUDIO_CODEC_SB16,
        [VITRINE_AUDIO_CONTROLLER_HDA] = VITRINE_AUDIO_CODEC_STAC9221,
    };
    int codec = vitrine_settings_get_enum(settings, "audio-codec");

    return codec == VITRINE_AUDIO_CODEC_USUAL ? usual[controller] : (VitrineAudioCodec)codec;
}

static void
print_direction(VitrineSettings *settings, const char *property, const char *key, const char *label,
                bool machine_readable)
{
    bool on = vitrine_settings_get_bool(settings, property);

    showvminfo_text(machine_readable, key, label,
                    machine_readable ? (on ? "on" : "off") : (on ? "enabled" : "disabled"));
}

void
showvminfo_sound(VitrineSettings *settings, bool machine_readable)
{
    bool enabled = vitrine_settings_get_bool(settings, "audio");
    bool usual = vitrine_settings_get_bool(settings, "audio-default-driver");
    int driver = vitrine_settings_get_enum(settings, "audio-driver");
    int controller = vitrine_settings_get_enum(settings, "audio-controller");
    g_autofree char *text = g_strdup_printf(
        "enabled (Driver: %s, Controller: %s, Codec: %s)",
        usual ? "Default" : manage_phrase(vitrine_audio_driver_get_type(), driver),
        manage_phrase(vitrine_audio_controller_get_type(), controller),
        manage_phrase(vitrine_audio_codec_get_type(), (int)codec_of(settings, controller)));

    if (machine_readable)
        showvminfo_text(true, "audio", "",
                        !enabled ? "none"
                        : usual  ? "default"
                                 : manage_word(vitrine_audio_driver_get_type(), driver));
    else
        showvminfo_line("Audio:", "%s", enabled ? text : "disabled");
    if (!enabled)
        return;
    print_direction(settings, "audio-out", "audio_out", "Audio playback:", machine_readable);
    print_direction(settings, "audio-in", "audio_in", "Audio capture:", machine_readable);
}
