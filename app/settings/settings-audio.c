/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, Audio: the sound card, where it plays, and whether the guest is heard and may listen.
 * The cards are the sound devices that machines can be made of, by the name that settings files
 * have for them. */
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

/* --- cards --- */
static void
on_card(GtkComboBox *combo, VitrineSettings *settings)
{
    int card;

    if (!vitrine_from_nick(VITRINE_TYPE_AUDIO_CONTROLLER, gtk_combo_box_get_active_id(combo),
                           &card))
        return; /* the list is being filled */
    if (card == vitrine_settings_get_enum(settings, "audio-controller"))
        return;
    vitrine_settings_set_enum(settings, "audio-controller", card);
    vitrine_settings_set_enum(settings, "audio-codec", VITRINE_AUDIO_CODEC_USUAL);
}

static const char *
present_card(VitrineSettings *settings)
{
    return vitrine_nick(VITRINE_TYPE_AUDIO_CONTROLLER,
                        vitrine_settings_get_enum(settings, "audio-controller"));
}

/* A card that is not among them is there by the word of the settings file. */
static void
fill_cards(GtkComboBoxText *combo, VitrineSettings *settings, GPtrArray *devices)
{
    g_autofree char *present = g_strdup(present_card(settings));
    g_autofree char *word = g_ascii_strup(present, -1);
    VitrineAudioController card;

    gtk_combo_box_text_remove_all(combo);
    for (guint i = 0; devices != NULL && i < devices->len; i++) {
        VitrineDevice *device = devices->pdata[i];

        if (vitrine_device_get_audio_controller(device, &card))
            gtk_combo_box_text_append(combo, device->name, device->title);
    }
    if (!gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), present)) {
        gtk_combo_box_text_append(combo, present, word);
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), present);
    }
}

typedef struct {
    GtkWidget *combo;
    VitrineSettings *settings;
} Cards;

static void
on_devices(GObject *source, GAsyncResult *result, gpointer data)
{
    Cards *cards = data;
    g_autoptr(GPtrArray) devices =
        vitrine_client_load_devices_finish(VITRINE_CLIENT(source), result, NULL);

    if (devices != NULL && !gtk_widget_in_destruction(cards->combo))
        fill_cards(GTK_COMBO_BOX_TEXT(cards->combo), cards->settings, devices);
    g_object_unref(cards->combo);
    g_object_unref(cards->settings);
    g_free(cards);
}

static GtkWidget *
card_row(SettingsDialog *dialog)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    GtkWidget *combo = gtk_combo_box_text_new();
    Cards *cards = g_new(Cards, 1);

    *cards = (Cards){g_object_ref(combo), g_object_ref(settings)};
    fill_cards(GTK_COMBO_BOX_TEXT(combo), settings, NULL);
    g_signal_connect_object(combo, "changed", G_CALLBACK(on_card), settings, 0);
    vitrine_client_load_devices_async(settings_dialog_get_client(dialog), NULL, on_devices, cards);
    return combo;
}

/* --- the page --- */
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

/* Without a card there is nothing to choose. */
static void
on_audio(VitrineSettings *settings, GParamSpec *property, GtkWidget *control)
{
    const char *own = g_object_get_data(G_OBJECT(control), "own-tooltip");

    settings_lock_set_possible(control, vitrine_settings_get_bool(settings, "audio"), own);
}

static void
follow(VitrineSettings *settings, GtkWidget *control)
{
    g_object_set_data_full(G_OBJECT(control), "own-tooltip", gtk_widget_get_tooltip_text(control),
                           g_free);
    g_signal_connect_object(settings, "notify::audio", G_CALLBACK(on_audio), control, 0);
    on_audio(settings, NULL, control);
}

GtkWidget *
settings_page_audio(SettingsDialog *dialog)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    GtkWidget *grid = widget_form_new(), *driver, *card = card_row(dialog);
    int row = 0, first;

    driver = choice_row(settings, drivers, G_N_ELEMENTS(drivers),
                        vitrine_settings_get_bool(settings, "audio-default-driver")
                            ? DEFAULT_DRIVER
                            : vitrine_settings_get_enum(settings, "audio-driver"),
                        G_CALLBACK(on_driver));
    row = settings_add_check(grid, row, dialog, "audio", _("So_und card"), NULL);
    row = widget_form_add(grid, row, _("Host _driver"), driver);
    row = widget_form_add(grid, row, _("C_ard"), card);
    first = row;
    row = settings_add_live_check(grid, row, dialog, "audio-out", _("Audio _output"),
                                  _("What the guest plays is heard on this computer."),
                                  SETTINGS_ALWAYS);
    row = settings_add_live_check(grid, row, dialog, "audio-in", _("Audio _input"),
                                  _("The guest can record what this computer's microphone hears."),
                                  SETTINGS_ALWAYS);
    for (int i = first; i < row; i++)
        follow(settings, gtk_grid_get_child_at(GTK_GRID(grid), 1, i));
    follow(settings, driver);
    follow(settings, card);
    return grid;
}
