/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tests of settings files share: a folder of their own, copies of the examples, machines
 * of a few words. */
#pragma once

#include "app/service/settings/global-file.h"
#include "app/service/settings/snapshot-file.h"

typedef struct {
    char *folder;
} SettingsFixture;

typedef struct {
    const char *name;
    void (*test)(SettingsFixture *fixture, gconstpointer data);
} SettingsTest;

/* The text of a file; the caller frees it. */
char *settings_test_read(const char *path);

/* A file of that name in the fixture's folder; its path. length: bytes, -1: up to the end of the
 * text. */
char *settings_test_write(SettingsFixture *fixture, const char *name, const char *text,
                          gssize length);

/* A copy of an example below data/; its path. */
char *settings_test_copy_example(SettingsFixture *fixture, const char *name);

/* Indentation and the comment's place are libxml2's business, everything else is ours. */
void settings_test_assert_same_document(const char *a, const char *b);

/* Runs the tests, each in a new folder; returns the program's exit code. */
int settings_test_run(int argc, char **argv, const SettingsTest *tests, guint count);

#define SETTINGS_TEST_RUN(argc, argv, tests)                                                       \
    settings_test_run(argc, argv, tests, G_N_ELEMENTS(tests))

/* A machine's file of that version, and the least that is inside. */
#define MACHINE(version, inside)                                                                   \
    "<VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"" version "\"><Machine "           \
    "uuid=\"{3b0c5a1e-74de-4a39-9f1d-0c8b7a6f2e11}\" name=\"A\" OSType=\"Other\">" inside          \
    "</Machine></VirtualBox>"
#define PLAIN "<Hardware><Memory RAMSize=\"64\"/></Hardware>"
