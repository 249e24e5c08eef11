/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * controlvm usbattach, usbdetach: devices of the host that a running machine gets and gives back,
 * and remote ones (usbredir:HOST:PORT, usbredir:/PATH).
 * Manual, chapter VBoxManage, "controlvm". Leaves out: --capturefile. */
#include "app/manage/controlvm-private.h"
#include "app/manage/usb-words.h"

typedef gboolean (*Change)(VitrineMachine *machine, const char *device, GCancellable *cancellable,
                           GError **error);

static Change
find_change(const char *text)
{
    if (g_ascii_strcasecmp(text, "usbattach") == 0)
        return vitrine_machine_attach_usb_sync;
    if (g_ascii_strcasecmp(text, "usbdetach") == 0)
        return vitrine_machine_detach_usb_sync;
    return NULL;
}

bool
controlvm_is_usb(const char *text)
{
    return find_change(text) != NULL;
}

bool
controlvm_usb(Manage *manage, const char *machine_name, const char *text, ManageArgs *args,
              GError **error)
{
    const char *word = manage_args_take(args), *more = manage_args_take(args);
    VitrineMachine *machine;
    g_autofree char *device = NULL;

    if (word == NULL || more != NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    word == NULL ? "Missing argument: the device's UUID or address%s"
                                 : "Invalid parameter '%s'",
                    word == NULL ? "" : more);
        return false;
    }
    machine = manage_machine(manage, machine_name, error);
    if (machine == NULL)
        return false;
    device = usb_words_find(manage->client, word, error);
    return device != NULL && find_change(text)(machine, device, NULL, error);
}
