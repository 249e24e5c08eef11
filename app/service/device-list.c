/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Runs `vitrine --describe-devices` when the first client asks, and keeps the answer: this process
 * has no devices, and modules are no business of it. */
#include "app/service/device-list.h"

#include <string.h>

#include "app/service/service.h"

#define MAX_TEXT (4 * 1024 * 1024)

struct DeviceList {
    GVariant *devices;  /* aa{sv}, NULL until it is known */
    GPtrArray *waiting; /* GDBusMethodInvocation */
};

DeviceList *
device_list_new(void)
{
    DeviceList *list = g_new0(DeviceList, 1);
    list->waiting = g_ptr_array_new();
    return list;
}

void
device_list_free(DeviceList *list)
{
    g_clear_pointer(&list->devices, g_variant_unref);
    g_ptr_array_unref(list->waiting);
    g_free(list);
}

static void
complete(DeviceList *list, GDBusMethodInvocation *call)
{
    g_dbus_method_invocation_return_value(call, g_variant_new("(@aa{sv})", list->devices));
}

/* All who wait get the answer or the error. */
static void
answer_waiting(DeviceList *list, const GError *error)
{
    for (guint i = 0; i < list->waiting->len; i++) {
        GDBusMethodInvocation *call = list->waiting->pdata[i];
        if (list->devices)
            complete(list, call);
        else
            service_refuse(call, VITRINE_ERROR_FAILED, "The list of devices cannot be had: %s",
                           error->message);
    }
    g_ptr_array_set_size(list->waiting, 0);
}

static void
on_described(GObject *source, GAsyncResult *result, gpointer user_data)
{
    DeviceList *list = user_data;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    if (g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &text, NULL, &error)) {
        if (!g_subprocess_get_successful(G_SUBPROCESS(source)) || strlen(text) > MAX_TEXT)
            g_set_error_literal(&error, VITRINE_ERROR, VITRINE_ERROR_FAILED,
                                "the program that has them failed.");
        else
            list->devices = g_variant_parse(G_VARIANT_TYPE("aa{sv}"), text, NULL, NULL, &error);
    }
    answer_waiting(list, error);
}

static void
ask(DeviceList *list)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *program = vitrine_find_program("vitrine", &error);
    g_autoptr(GSubprocess) child =
        program
            ? g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                               &error, program, "--describe-devices", NULL)
            : NULL;
    if (child)
        g_subprocess_communicate_utf8_async(child, NULL, NULL, on_described, list);
    else
        answer_waiting(list, error);
}

void
device_list_answer(DeviceList *list, GDBusMethodInvocation *call)
{
    if (list->devices) {
        complete(list, call);
        return;
    }
    g_ptr_array_add(list->waiting, call);
    if (list->waiting->len == 1)
        ask(list);
}
