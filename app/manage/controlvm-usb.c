/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * controlvm usbattach, usbdetach: devices of the host that a running machine gets and gives back,
 * and remote ones (usbredir:HOST:PORT, usbredir:/PATH).
 * Manual, chapter VBoxManage, "controlvm". */
#include "app/manage/controlvm-private.h"
#include "app/manage/usb-words.h"

typedef struct {
    const char *capture_file;
} Given;

static bool
is_attach(const char *text)
{
    return g_ascii_strcasecmp(text, "usbattach") == 0;
}

bool
controlvm_is_usb(const char *text)
{
    return is_attach(text) || g_ascii_strcasecmp(text, "usbdetach") == 0;
}

/* The service is elsewhere: what is relative here is not so there. */
static bool
attach(VitrineMachine *machine, const char *device, const char *capture_file, GError **error)
{
    g_autofree char *capture =
        capture_file != NULL ? g_canonicalize_filename(capture_file, NULL) : NULL;

    return vitrine_machine_attach_usb_sync(machine, device, capture, NULL, error);
}

bool
controlvm_usb(Manage *manage, const char *machine_name, const char *text, ManageArgs *args,
              GError **error)
{
    static const ManageOption attach_options[] = {
        {"capturefile", MANAGE_TEXT, G_STRUCT_OFFSET(Given, capture_file)},
        {NULL},
    };
    static const ManageOption no_options[] = {{NULL}};
    Given given = {0};
    const char *word;
    VitrineMachine *machine;
    g_autofree char *device = NULL;

    if (!manage_args_parse(args, is_attach(text) ? attach_options : no_options, &given, &word, 1, 1,
                           error))
        return false;
    machine = manage_machine(manage, machine_name, error);
    if (machine == NULL)
        return false;
    device = usb_words_find(manage->client, word, error);
    if (device == NULL)
        return false;
    return is_attach(text) ? attach(machine, device, given.capture_file, error)
                           : vitrine_machine_detach_usb_sync(machine, device, NULL, error);
}
