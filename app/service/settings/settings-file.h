/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings files for the service: VirtualBox.xml and .vbox. What this program does not understand
 * stays in the document and is written back. No libxml2 type is seen outside this room.
 * Errors: VITRINE_ERROR_CORRUPT, _VERSION, _NOT_FOUND, _DENIED, _NOT_SUPPORTED, _IO, _NO_SPACE. */
#pragma once

#include "app/api/vitrine.h"

typedef struct SettingsFile SettingsFile;

typedef enum {
    SETTINGS_GLOBAL,  /* root child <Global> */
    SETTINGS_MACHINE, /* root child <Machine> */
} SettingsKind;

/* Reads and checks a file. One of a newer version opens, and cannot be saved. */
SettingsFile *settings_file_load(const char *path, SettingsKind kind, GError **error);
/* A file that does not exist yet, of the lowest version that is written. */
SettingsFile *settings_file_new(const char *path, SettingsKind kind);
void settings_file_free(SettingsFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SettingsFile, settings_file_free)

const char *settings_file_path(const SettingsFile *file);
void settings_file_set_path(SettingsFile *file, const char *path);
/* "1.19-linux" */
const char *settings_file_version(const SettingsFile *file);
/* Whether the version has no registry of media in machines' files: before 1.11. */
gboolean settings_file_is_before_registries(const SettingsFile *file);
/* "" or why it cannot be saved. */
const char *settings_file_read_only_reason(const SettingsFile *file);

/* Replaces the file at once and for good: written beside it, synced, renamed; the last one stays as
 * <file>-prev. When the version rose since it was read, the old file is first copied to
 * <base>-<old version>.<extension>. */
gboolean settings_file_save(SettingsFile *file, GError **error);

/* The same for any text, without the last one. */
gboolean settings_replace_file(const char *path, const char *bytes, gsize length, GError **error);
/* What was made or renamed in the folder of this file survives a loss of power. */
void settings_sync_folder(const char *path);
/* Makes a folder, private, and those above it, which survive a loss of power when it returns.
 * 0, also when it is there, or -1 and errno. */
int settings_make_folder(const char *path);

/* A registered medium. All strings owned. */
typedef struct {
    char *id;       /* lower case, without braces */
    char *location; /* absolute */
    char *format;   /* "VDI", "RAW" */
    char *description;
    char *parent; /* UUID of the image below, "" for a base */
    VitrineMediumKind kind;
    VitrineMediumType type; /* of a differencing image: NORMAL, whatever its base is */
    gboolean auto_reset;    /* a differencing image that starts empty at each power-on */
    GHashTable *properties; /* name -> value */
} MediumRecord;

MediumRecord *medium_record_new(void);
MediumRecord *medium_record_copy(const MediumRecord *record);
void medium_record_free(MediumRecord *record);

/* ExtraData: key -> value, in this file's order of keys is not kept. */
GHashTable *settings_file_read_extra_data(SettingsFile *file);
void settings_file_set_extra_data(SettingsFile *file, const char *key, const char *value);

/* (element-type MediumRecord): the registry in this file, parents before children. */
GPtrArray *settings_file_read_media(SettingsFile *file);
/* Adds what is new, changes what differs and takes away what is not in the list. */
void settings_file_write_media(SettingsFile *file, GPtrArray *media);
