/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Takes a command line apart. Options are written --name value or --name=value; dashes inside a
 * name do not count (--os-type is --ostype) and one dash in front will do, as older scripts have
 * it. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* Errors of what was written; their code does not matter. */
#define MANAGE_SYNTAX_ERROR (manage_syntax_error_quark())
GQuark manage_syntax_error_quark(void);

typedef struct {
    char **words; /* borrowed, as is all that comes from here */
    guint count;
    guint at;           /* the next word */
    const char *option; /* the option taken last, as it was written */
    const char *value;  /* what followed its '=', or NULL */
} ManageArgs;

/* The next word whatever it is; NULL at the end. */
const char *manage_args_take(ManageArgs *args);
/* Takes the next word if it is this option. pattern: the name; a final '#' stands for a number from
 * 1, given in *index. */
bool manage_args_take_option(ManageArgs *args, const char *pattern, guint *index);

/* The value of the option taken last. */
bool manage_args_text(ManageArgs *args, const char **text, GError **error);
/* The same into a text that the caller owns; what was there is freed. */
bool manage_args_field(ManageArgs *args, char **field, GError **error);
bool manage_args_switch(ManageArgs *args, bool *on, GError **error);
bool manage_args_number(ManageArgs *args, guint64 *number, GError **error);

/* Decimal, or hexadecimal after 0x. */
bool manage_parse_number(const char *text, guint64 *number);

typedef enum {
    MANAGE_FLAG,   /* bool */
    MANAGE_TEXT,   /* const char *, NULL when not given */
    MANAGE_SWITCH, /* ManageSwitch */
    MANAGE_NUMBER, /* ManageNumber */
} ManageOptionKind;

typedef enum { MANAGE_UNSET, MANAGE_OFF, MANAGE_ON } ManageSwitch;

typedef struct {
    bool given;
    guint64 value;
} ManageNumber;

/* An option that goes into a field of the command's own struct. */
typedef struct {
    const char *name; /* NULL ends a table */
    ManageOptionKind kind;
    gsize offset;
} ManageOption;

/* Reads all that is left: options into fields, other words into words[0] to words[most - 1], where
 * missing ones are NULL; fewer than least of them are a syntax error. */
bool manage_args_parse(ManageArgs *args, const ManageOption *options, gpointer fields,
                       const char **words, guint least, guint most, GError **error);
