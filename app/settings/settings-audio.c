/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, Audio: the sound card, where it plays, and whether the guest is heard and may listen.
 */
#include "app/settings/settings-private.h"

#include <glib/gi18n.h>

#define DEFAULT_DRIVER (-1)

typedef struct {
    int value;
    const char *title;
} Choice;

static const Choice drivers[] = {
    {DEFAULT_DRIVER, N_("Default")},
    {VITRINE_AUDIO_DRIVER_PULSE, N_("PulseAudio")},
    {VITRINE_AUDIO_DRIVER_NULL, N_("None: the guest plays to nobody")},
};

static const Choice controllers[] = {
    {VITRINE_AUDIO_CONTROLLER_AC97, N_("ICH AC97")},
    {VITRINE_AUDIO_CONTROLLER_HDA, N_("Intel HD Audio")},
    {VITRINE_AUDIO_CONTROLLER_SB16, N_("Sound Blaster 16")},
};

static int
chosen(GtkComboBox *combo, const Choice *choices)
{
    return choices[MAX(gtk_combo_box_get_active(combo), 0)].value;
}

static void
on_driver(GtkComboBox *combo, VitrineSettings *settings)
{
    int driver = chosen(combo, drivers);

    vitrine_settings_set_bool(settings, "audio-default-driver", driver == DEFAULT_DRIVER);
    vitrine_settings_set_enum(settings, "audio-driver",
                              driver == DEFAULT_DRIVER ? VITRINE_AUDIO_DRIVER_PULSE : driver);
}

static void
on_controller(GtkComboBox *combo, VitrineSettings *settings)
{
    vitrine_settings_set_enum(settings, "audio-controller", chosen(combo, controllers));
    vitrine_settings_set_enum(settings, "audio-codec", VITRINE_AUDIO_CODEC_USUAL);
}

/* A value that is not among the choices stands as the first one until another is chosen. */
static GtkWidget *
choice_row(VitrineSettings *settings, const Choice *choices, size_t count, int value,
           GCallback changed)
{
    GtkWidget *combo = gtk_combo_box_text_new();

    for (size_t i = 0; i < count; i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo), _(choices[i].title));
        if (i == 0 || choices[i].value == value)
            gtk_combo_box_set_active(GTK_COMBO_BOX(combo), (int)i);
    }
    g_signal_connect_object(combo, "changed", changed, settings, 0);
    return combo;
}

static void
follow(VitrineSettings *settings, GtkWidget *widget)
{
    g_object_bind_property(settings, "audio", widget, "sensitive", G_BINDING_SYNC_CREATE);
}

GtkWidget *
settings_page_audio(SettingsDialog *dialog)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    GtkWidget *grid = widget_form_new(), *driver, *controller;
    int row = 0, first;

    driver = choice_row(settings, drivers, G_N_ELEMENTS(drivers),
                        vitrine_settings_get_bool(settings, "audio-default-driver")
                            ? DEFAULT_DRIVER
                            : vitrine_settings_get_enum(settings, "audio-driver"),
                        G_CALLBACK(on_driver));
    controller = choice_row(settings, controllers, G_N_ELEMENTS(controllers),
                            vitrine_settings_get_enum(settings, "audio-controller"),
                            G_CALLBACK(on_controller));
    row = settings_add_check(grid, row, dialog, "audio", _("_Sound card"), NULL);
    row = widget_form_add(grid, row, _("Host _driver"), driver);
    row = widget_form_add(grid, row, _("_Card"), controller);
    first = row;
    row = settings_add_check(grid, row, dialog, "audio-out", _("Audio _output"),
                             _("What the guest plays is heard on this computer."));
    row = settings_add_check(grid, row, dialog, "audio-in", _("Audio _input"),
                             _("The guest can record what this computer's microphone hears."));
    for (int i = first; i < row; i++)
        follow(settings, gtk_grid_get_child_at(GTK_GRID(grid), 1, i));
    follow(settings, driver);
    follow(settings, controller);
    return grid;
}
