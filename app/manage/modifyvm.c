/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * modifyvm: changes settings. Manual, chapter VBoxManage, "modifyvm". Leaves out: remote
 * display, recording, teleportation and what else this version has no device for. */
#include "app/manage/manage-words.h"
#include "app/manage/modifyvm-private.h"

typedef enum {
    VALUE_BOOL,
    VALUE_UINT,
    VALUE_INT64,
    VALUE_STRING,
    VALUE_OWN, /* a text; "default": none of one's own */
    VALUE_WORD
} ValueKind;

typedef struct {
    const char *name;
    ValueKind kind;
    GType (*type)(void); /* of VALUE_WORD */
    const char *property;
} Option;

#define KIND_BOOL VALUE_BOOL, NULL
#define KIND_UINT VALUE_UINT, NULL
#define KIND_INT64 VALUE_INT64, NULL
#define KIND_STRING VALUE_STRING, NULL
#define KIND_OWN VALUE_OWN, NULL
#define KIND_audio_codec VALUE_WORD, vitrine_audio_codec_get_type
#define KIND_audio_controller VALUE_WORD, vitrine_audio_controller_get_type
#define KIND_boot_device VALUE_WORD, vitrine_boot_device_get_type
#define KIND_boot_menu VALUE_WORD, vitrine_boot_menu_get_type
#define KIND_chipset VALUE_WORD, vitrine_chipset_get_type
#define KIND_firmware VALUE_WORD, vitrine_firmware_get_type
#define KIND_graphics VALUE_WORD, vitrine_graphics_get_type
#define KIND_keyboard VALUE_WORD, vitrine_keyboard_get_type
#define KIND_paravirt VALUE_WORD, vitrine_paravirt_get_type
#define KIND_pointing VALUE_WORD, vitrine_pointing_get_type
#define OPTION(name, kind, property) {name, KIND_##kind, property},
static const Option options[] = {
#include "app/manage/modifyvm-options.def"
};
#undef OPTION

static bool
set_uint(ManageArgs *args, VitrineSettings *settings, const char *property, GError **error)
{
    guint64 number;
    if (!manage_args_number(args, &number, error))
        return false;
    if (number > G_MAXUINT) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "The value of %s is too large.", args->option);
        return false;
    }
    vitrine_settings_set_uint(settings, property, (guint)number);
    return true;
}

static bool
set_int64(ManageArgs *args, VitrineSettings *settings, const char *property, GError **error)
{
    const char *text;
    gint64 number;
    if (!manage_args_text(args, &text, error))
        return false;
    if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL)) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s needs a number, not '%s'.", args->option,
                    text);
        return false;
    }
    vitrine_settings_set_int64(settings, property, number);
    return true;
}

/* What the host's kernel decides for every machine is no machine's choice. */
static bool
check_host(const Option *option, bool on, GError **error)
{
    bool paging = g_str_equal(option->property, "nested-paging");
    int host = paging                                  ? vitrine_host_nested_paging()
               : g_str_equal(option->property, "vpid") ? vitrine_host_vpid()
                                                       : -1;
    if (host < 0 || (host == 1) == on)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "%s is switched %s for all machines by the host's kernel (parameters ept and vpid "
                "of kvm_intel, npt of kvm_amd); a machine cannot change it.",
                paging ? "Nested paging" : "VPID", host ? "on" : "off");
    return false;
}

static bool
set_value(ManageArgs *args, const Option *option, VitrineSettings *settings, GError **error)
{
    const char *text;
    bool on;
    int value;
    switch (option->kind) {
    case VALUE_UINT: return set_uint(args, settings, option->property, error);
    case VALUE_INT64: return set_int64(args, settings, option->property, error);
    case VALUE_BOOL:
        if (!manage_args_switch(args, &on, error) || !check_host(option, on, error))
            return false;
        vitrine_settings_set_bool(settings, option->property, on);
        return true;
    case VALUE_STRING:
    case VALUE_OWN:
        if (!manage_args_text(args, &text, error))
            return false;
        if (option->kind == VALUE_OWN && g_str_equal(text, "default"))
            text = "";
        vitrine_settings_set_string(settings, option->property, text);
        return true;
    case VALUE_WORD:
        if (!manage_args_text(args, &text, error) ||
            !manage_from_word(option->type(), text, &value, error))
            return false;
        vitrine_settings_set_enum(settings, option->property, value);
        return true;
    }
    return false;
}

static bool
set_os_type(ManageArgs *args, VitrineSettings *settings, GError **error)
{
    const char *text;
    if (!manage_args_text(args, &text, error))
        return false;
    const char *id = manage_os_type(text, error);
    if (id == NULL)
        return false;
    vitrine_settings_set_string(settings, "os-type", id);
    return true;
}

static bool
set_groups(ManageArgs *args, VitrineSettings *settings, GError **error)
{
    const char *text;
    if (!manage_args_text(args, &text, error))
        return false;
    g_auto(GStrv) groups = g_strsplit(text, ",", -1);
    vitrine_settings_set_groups(settings, (const char *const *)groups);
    return true;
}

/* --audio-driver, or --audio as it was once, where none also takes the card out. */
static bool
set_audio_driver(ManageArgs *args, VitrineSettings *settings, bool is_old, GError **error)
{
    const char *text;
    int driver = VITRINE_AUDIO_DRIVER_NULL;
    if (!manage_args_text(args, &text, error))
        return false;
    bool none = g_str_equal(text, "none"), usual = g_str_equal(text, "default");
    if (!none && !usual && !manage_from_word(vitrine_audio_driver_get_type(), text, &driver, error))
        return false;
    vitrine_settings_set_bool(settings, "audio-default-driver", usual);
    vitrine_settings_set_enum(settings, "audio-driver", driver);
    if (is_old)
        vitrine_settings_set_bool(settings, "audio", !none);
    return true;
}

static bool
take_option(ManageArgs *args, VitrineSettings *settings, GError **error)
{
    bool taken;
    if (manage_args_take_option(args, "ostype", NULL))
        return set_os_type(args, settings, error);
    if (manage_args_take_option(args, "groups", NULL))
        return set_groups(args, settings, error);
    if (manage_args_take_option(args, "audiodriver", NULL))
        return set_audio_driver(args, settings, false, error);
    if (manage_args_take_option(args, "audio", NULL))
        return set_audio_driver(args, settings, true, error);
    for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
        if (manage_args_take_option(args, options[i].name, NULL))
            return set_value(args, &options[i], settings, error);
    }
    if (!modifyvm_port_option(args, settings, &taken, error) ||
        (!taken && !modifyvm_network_option(args, settings, &taken, error)))
        return false;
    if (!taken)
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Unknown option: %s", manage_args_take(args));
    return taken;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    VitrineMachine *machine;
    const char *name = manage_args_take(args);
    if (name == NULL || args->at == args->count) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Say which machine to modify, and how.");
        return false;
    }
    g_autoptr(VitrineSettings) settings = manage_settings(manage, name, &machine, error);
    if (settings == NULL)
        return false;
    while (args->at < args->count) {
        if (!take_option(args, settings, error))
            return false;
    }
    return vitrine_machine_save_settings_sync(machine, settings, NULL, error);
}

const ManageCommand manage_command_modifyvm = {
    .name = "modifyvm",
    .title = "Change the settings of a machine",
    .usage =
        "modifyvm NAME|UUID [--name NAME] [--groups GROUP,...] [--description TEXT] [--ostype "
        "TYPE]\n"
        "    [--memory MB] [--vram MB] [--cpus NUMBER] [--cpuexecutioncap 1-100]\n"
        "    [--cpu-profile host|x86-64-v1|x86-64-v2|x86-64-v3] [--acpi on|off]\n"
        "    [--ioapic on|off] [--apic on|off]\n"
        "    [--x2apic on|off] [--pae on|off] [--longmode on|off] [--hpet on|off]\n"
        "    [--rtcuseutc on|off] [--triplefaultreset on|off] [--hwvirtex on|off]\n"
        "    [--nestedpaging on|off] [--largepages on|off] [--vtxvpid on|off]\n"
        "    [--paravirtprovider none|default|legacy|minimal|hyperv|kvm]\n"
        "    [--exec-engine auto|hm|iem|rem] [--chipset piix3|ich9]\n"
        "    [--firmware bios|efi|efi32|efi64] [--boot1..4 none|floppy|dvd|disk|net]\n"
        "    [--bios-boot-menu disabled|menuonly|messageandmenu] [--bios-logo-fade-in on|off]\n"
        "    [--bios-logo-fade-out on|off] [--bios-logo-display-time MSEC]\n"
        "    [--bios-logo-image-path FILE] [--bios-system-time-offset MSEC]\n"
        "    [--graphicscontroller none|vboxvga|vmsvga|vboxsvga] [--monitorcount NUMBER]\n"
        "    [--accelerate3d on|off] [--mouse ps2|usb|usbtablet|usbmultitouch]\n"
        "    [--audio-enabled on|off] [--audio-driver none|default|null|oss|alsa|pulse]\n"
        "    [--audio-controller ac97|hda|sb16]\n"
        "    [--audio-codec default|stac9700|ad1980|stac9221|sb16]\n"
        "    [--audio-out on|off] [--audio-in on|off]\n"
        "    [--usb-ohci on|off] [--usb-ehci on|off] [--usb-xhci on|off]\n"
        "    [--usb-remotes \"usbredir:ADDRESS ...\"]\n"
        "    [--keyboard ps2|usb] [--hardware-uuid UUID] [--snapshotfolder default|FOLDER]\n"
        "    [--defaultfrontend default|NAME] [--uart1..4 off|IOBASE IRQ]\n"
        "    [--uart-mode1..4 disconnected|server PIPE|client PIPE|tcpserver PORT|\n"
        "    tcpclient HOST:PORT|file FILE|DEVICE] [--uart-type1..4 16450|16550A|16750]\n"
        "    [--lpt1..2 off|IOBASE IRQ] [--lpt-mode1..2 FILE]\n"
        "    [--nic1..8 none|null|nat|bridged|intnet|hostonly|generic|natnetwork]\n"
        "    [--nic-type1..8 82540EM|82543GC|82545EM|Am79C970A|Am79C973|NE2000|virtio]\n"
        "    [--cable-connected1..8 on|off]\n"
        "    [--mac-address1..8 auto|MAC] [--nic-promisc1..8 deny|allow-vms|allow-all]\n"
        "    [--nic-trace1..8 on|off] [--nic-trace-file1..8 FILE] [--bridge-adapter1..8 NAME]\n"
        "    [--host-only-adapter1..8 NAME] [--intnet1..8 NAME] [--nat-network1..8 NAME]\n"
        "    [--nic-generic-drv1..8 NAME] [--nic-property1..8 NAME=VALUE]\n"
        "    [--nat-net1..8 NETWORK|default] [--nat-pf1..8 [NAME],tcp|udp,[HOSTIP],HOSTPORT,\n"
        "    [GUESTIP],GUESTPORT | --nat-pf1..8 delete NAME] [--nat-bind-ip1..8 IP]\n"
        "    [--nat-tftp-prefix1..8 FOLDER] [--nat-tftp-file1..8 FILE]\n"
        "    [--nat-tftp-server1..8 IP] [--nat-localhostreachable1..8 on|off]\n"
        "    [--nat-dns-pass-domain1..8 on|off] [--nat-dns-proxy1..8 on|off]\n"
        "    [--nat-dns-host-resolver1..8 on|off]\n",
    .about =
        "Changes the settings of a machine that does not run. Nothing is changed when one of the"
        "\noptions is refused. A serial port on the device /dev/ptmx makes a pseudo terminal.",
    .run = run,
};
