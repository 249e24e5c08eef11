/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usb-mock-run: runs a program on a host that has the mocked USB device. With umockdev-wrapper:
 *
 *   umockdev-wrapper usb-mock-run run-guest --usb xhci --usb-host 1.2 …
 *
 * With --high (which comes first) the device is one of high speed. SIGUSR1 pulls the device out,
 * SIGUSR2 plugs it in again. With --busy first another program has the device, with --deny this
 * user may not open it. In the end it prints what the host's kernel was asked for, and what the
 * device was sent. Exit status: the program's, 1 where it ended by a signal.
 */
#include "tests/lib/usb-mock.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    UsbMock *mock;
    GMainLoop *loop;
    int status;
} Run;

static void
on_exit_of(GPid pid, gint status, gpointer user)
{
    Run *run = user;
    g_autoptr(GError) error = NULL;

    run->status = 1;
    if (g_spawn_check_wait_status(status, &error))
        run->status = 0;
    else if (error->domain == G_SPAWN_EXIT_ERROR)
        run->status = error->code;
    g_main_loop_quit(run->loop);
}

static gboolean
on_signal(gpointer user)
{
    usb_mock_unplug(((Run *)user)->mock);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_plug(gpointer user)
{
    usb_mock_plug(((Run *)user)->mock);
    return G_SOURCE_CONTINUE;
}

static void
print_out(UsbMock *mock)
{
    static const char *const kinds[] = {"isochronous", "interrupt", "control", "bulk"};

    for (unsigned type = 0; type < G_N_ELEMENTS(kinds); type++) {
        guint32 hash;
        const guint64 bytes = usb_mock_out(mock, type, &hash);

        if (bytes > 0)
            printf("usb-mock: %s out %" G_GUINT64_FORMAT " bytes %08x\n", kinds[type], bytes, hash);
    }
}

static char **
take_options(UsbMock *mock, char **words)
{
    for (; *words != NULL && g_str_has_prefix(*words, "--"); words++) {
        if (strcmp(*words, "--busy") == 0)
            usb_mock_set_busy(mock, true);
        else if (strcmp(*words, "--deny") == 0)
            usb_mock_deny(mock);
    }
    return words;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;
    const bool high = argc > 1 && strcmp(argv[1], "--high") == 0;
    Run run = {.mock = usb_mock_new(high), .loop = g_main_loop_new(NULL, FALSE)};
    char **words = take_options(run.mock, argv + 1 + high);
    GPid pid;

    if (*words == NULL ||
        !g_spawn_async(NULL, words, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN,
                       NULL, NULL, &pid, &error)) {
        fprintf(stderr, "usb-mock-run: %s\n", error != NULL ? error->message : "which program?");
        return 1;
    }
    g_child_watch_add(pid, on_exit_of, &run);
    g_unix_signal_add(SIGUSR1, on_signal, &run);
    g_unix_signal_add(SIGUSR2, on_plug, &run);
    g_main_loop_run(run.loop);
    log = usb_mock_log(run.mock);
    printf("usb-mock: %s\n", log);
    print_out(run.mock);
    usb_mock_free(run.mock);
    g_main_loop_unref(run.loop);
    return run.status;
}
