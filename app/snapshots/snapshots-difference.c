/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings compared: a table of those that people know by name, the drives, and a word for the
 * rest. */
#include "app/snapshots/snapshots-difference.h"

#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

typedef enum { AS_TEXT, AS_MEGABYTES, AS_NUMBER, AS_PERCENT, AS_SWITCH, AS_OS } Shown;

/* Each title is a sentence's beginning: "Memory 2 GB, now 4 GB". */
static const struct {
    const char *property, *title;
    Shown shown;
} told[] = {
    {"name", N_("Name"), AS_TEXT},
    {"os-type", N_("System"), AS_OS},
    {"memory", N_("Memory"), AS_MEGABYTES},
    {"cpus", N_("Processors"), AS_NUMBER},
    {"cpu-execution-cap", N_("Execution cap"), AS_PERCENT},
    {"cpu-profile", N_("Processor model"), AS_TEXT},
    {"exec-engine", N_("Execution engine"), AS_TEXT},
    {"vram", N_("Video memory"), AS_MEGABYTES},
    {"monitors", N_("Screens"), AS_NUMBER},
    {"acpi", N_("ACPI"), AS_SWITCH},
    {"ioapic", N_("I/O APIC"), AS_SWITCH},
    {"pae", N_("PAE/NX"), AS_SWITCH},
    {"long-mode", N_("64-bit mode"), AS_SWITCH},
    {"hpet", N_("HPET"), AS_SWITCH},
    {"rtc-utc", N_("Hardware clock in UTC"), AS_SWITCH},
    {"hwvirtex", N_("Hardware virtualization"), AS_SWITCH},
};

static char *
value_text(VitrineSettings *settings, const char *property, Shown shown)
{
    switch (shown) {
    case AS_MEGABYTES: return widget_megabytes(vitrine_settings_get_uint(settings, property));
    case AS_NUMBER: return g_strdup_printf("%u", vitrine_settings_get_uint(settings, property));
    case AS_PERCENT: return g_strdup_printf("%u %%", vitrine_settings_get_uint(settings, property));
    case AS_SWITCH:
        return g_strdup(vitrine_settings_get_bool(settings, property) ? _("on") : _("off"));
    case AS_OS: return g_strdup(widget_os_name(vitrine_settings_get_string(settings, property)));
    default: return g_strdup(vitrine_settings_get_string(settings, property));
    }
}

static void
compare_values(GString *out, VitrineSettings *then, VitrineSettings *now)
{
    for (guint i = 0; i < G_N_ELEMENTS(told); i++) {
        g_autofree char *before = value_text(then, told[i].property, told[i].shown);
        g_autofree char *after = value_text(now, told[i].property, told[i].shown);

        if (!g_str_equal(before, after)) {
            g_string_append_printf(out, _("%s %s, now %s"), _(told[i].title), before, after);
            g_string_append_c(out, '\n');
        }
    }
}

static const VitrineAttachment *
drive_at(VitrineSettings *settings, const VitrineAttachment *place)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings);

    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *drive = g_ptr_array_index(drives, i);
        if (drive->port == place->port && drive->device == place->device &&
            g_str_equal(drive->controller, place->controller))
            return drive;
    }
    return NULL;
}

/* Drives of one that the other does not have; format has a place for the drive's. */
static void
tell_missing(GString *out, VitrineSettings *one, VitrineSettings *other, const char *format)
{
    GPtrArray *drives = vitrine_settings_get_attachments(one);

    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *drive = g_ptr_array_index(drives, i);
        g_autofree char *place = widget_drive_place(one, drive);

        if (!drive_at(other, drive)) {
            g_string_append_printf(out, format, place);
            g_string_append_c(out, '\n');
        }
    }
}

/* Other media in drives for removable ones; a disk's image always differs, by the snapshot itself.
 */
static void
compare_media(GString *out, VitrineClient *client, VitrineSettings *then, VitrineSettings *now)
{
    GPtrArray *drives = vitrine_settings_get_attachments(then);

    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *drive = g_ptr_array_index(drives, i);
        const VitrineAttachment *other = drive_at(now, drive);
        g_autofree char *place = NULL, *before = NULL, *after = NULL;

        if (!other || drive->kind == VITRINE_MEDIUM_KIND_HARD_DISK ||
            g_str_equal(drive->medium, other->medium))
            continue;
        place = widget_drive_place(then, drive);
        before = widget_drive_medium(client, drive);
        after = widget_drive_medium(client, other);
        g_string_append_printf(out, _("%s: %s, now %s"), place, before, after);
        g_string_append_c(out, '\n');
    }
}

char *
snapshots_difference(VitrineClient *client, VitrineSettings *then, VitrineSettings *now)
{
    GString *out = g_string_new(NULL);

    compare_values(out, then, now);
    tell_missing(out, then, now, _("%s: not there any more"));
    tell_missing(out, now, then, _("%s: was not there"));
    compare_media(out, client, then, now);
    if (out->len > 0)
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}
