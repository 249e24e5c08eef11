/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of VitrineSettings share: the table of scalar settings and where the settings came
 * from. */
#pragma once

#include "app/api/vitrine.h"

typedef enum {
    SETTING_STRING,
    SETTING_BOOL,
    SETTING_UINT,
    SETTING_INT64,
    SETTING_ENUM,
} SettingKind;

/* A row of settings-properties.def. */
typedef struct {
    const char *name;
    SettingKind kind;
    const char *text; /* default of a string */
    guint minimum, maximum;
    gint64 number; /* default of the others */
    GType (*enum_type)(void);
    const char *blurb;
} SettingRow;

enum {
#define STRING(id, ...) SETTING_##id,
#define BOOL(id, ...) SETTING_##id,
#define UINT(id, ...) SETTING_##id,
#define INT64(id, ...) SETTING_##id,
#define ENUM(id, ...) SETTING_##id,
#include "app/api/settings-properties.def"
#undef STRING
#undef BOOL
#undef UINT
#undef INT64
#undef ENUM
    SETTING_COUNT
};

/* index: 0 to SETTING_COUNT - 1. */
const SettingRow *vitrine_settings_row(guint index);

/* Remembers that these settings are what the service has under this generation number. */
void vitrine_settings_set_base(VitrineSettings *settings, guint generation);
guint vitrine_settings_get_generation(VitrineSettings *settings);
/* The keys that differ from the base: a{sv}, floating. All keys when there is no base. */
GVariant *vitrine_settings_changes(VitrineSettings *settings);

/* Emits VitrineSettings::changed. */
void vitrine_settings_emit_changed(VitrineSettings *settings, const char *detail);
/* Replaces lists; the arrays are taken. For settings-variant.c. */
void vitrine_settings_take_storage(VitrineSettings *settings, GPtrArray *controllers,
                                   GPtrArray *attachments);

/* The storage part of vitrine_settings_check(). */
void vitrine_settings_check_storage(VitrineSettings *settings, GPtrArray *problems);
/* The network part. */
void vitrine_settings_check_network(VitrineSettings *settings, GPtrArray *problems);
/* The filters of USB devices. */
void vitrine_settings_check_usb(VitrineSettings *settings, GPtrArray *problems);
/* What is wrong with lines of forwarded ports, a sentence, the caller's; NULL: nothing. whole: the
 * guest's address has to be said. */
char *vitrine_forwards_problem(const char *forwards, gboolean whole);
/* In the host's order; FALSE: it is none. */
gboolean vitrine_parse_ipv4(const char *text, guint32 *address);
/* message is taken. */
void vitrine_problems_add(GPtrArray *problems, const char *field, VitrineError code, gboolean fatal,
                          char *message);
