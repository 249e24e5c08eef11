/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * storageattach: drives and what is in them. Manual, chapter VBoxManage, "storageattach". A running
 * machine's optical and floppy media change at once, and drives at its SATA controller may come and
 * go. Leaves out: iSCSI, bandwidth groups, which this version does not have. */
#include "app/manage/manage-words.h"
#include "app/manage/medium-words.h"

typedef struct {
    const char *controller, *type, *medium, *medium_type, *comment, *uuid, *parent_uuid;
    ManageNumber port, device;
    ManageSwitch non_rotational, discard, temp_eject, passthrough, hot_pluggable;
    bool force;
} StorageAttach;

static const ManageOption options[] = {
    {"storagectl", MANAGE_TEXT, G_STRUCT_OFFSET(StorageAttach, controller)},
    {"port", MANAGE_NUMBER, G_STRUCT_OFFSET(StorageAttach, port)},
    {"device", MANAGE_NUMBER, G_STRUCT_OFFSET(StorageAttach, device)},
    {"type", MANAGE_TEXT, G_STRUCT_OFFSET(StorageAttach, type)},
    {"medium", MANAGE_TEXT, G_STRUCT_OFFSET(StorageAttach, medium)},
    {"mtype", MANAGE_TEXT, G_STRUCT_OFFSET(StorageAttach, medium_type)},
    {"comment", MANAGE_TEXT, G_STRUCT_OFFSET(StorageAttach, comment)},
    {"setuuid", MANAGE_TEXT, G_STRUCT_OFFSET(StorageAttach, uuid)},
    {"setparentuuid", MANAGE_TEXT, G_STRUCT_OFFSET(StorageAttach, parent_uuid)},
    {"nonrotational", MANAGE_SWITCH, G_STRUCT_OFFSET(StorageAttach, non_rotational)},
    {"discard", MANAGE_SWITCH, G_STRUCT_OFFSET(StorageAttach, discard)},
    {"tempeject", MANAGE_SWITCH, G_STRUCT_OFFSET(StorageAttach, temp_eject)},
    {"passthrough", MANAGE_SWITCH, G_STRUCT_OFFSET(StorageAttach, passthrough)},
    {"hotpluggable", MANAGE_SWITCH, G_STRUCT_OFFSET(StorageAttach, hot_pluggable)},
    {"forceunmount", MANAGE_FLAG, G_STRUCT_OFFSET(StorageAttach, force)},
    {NULL},
};

/* A port or device that was not given must be the only one. */
static bool
complete_slot(VitrineSettings *settings, StorageAttach *wanted, GError **error)
{
    const VitrineController *controller =
        vitrine_settings_find_controller(settings, wanted->controller);
    if (controller == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "Could not find a controller named '%s'", wanted->controller);
        return false;
    }
    const VitrineBusLimits *limits = vitrine_bus_limits(vitrine_controller_bus(controller->type));
    if (!wanted->port.given && controller->port_count > 1) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Port not specified");
        return false;
    }
    if (!wanted->device.given && limits->devices_per_port > 1) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Device not specified");
        return false;
    }
    if (wanted->port.value < controller->port_count &&
        wanted->device.value < limits->devices_per_port)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "The controller '%s' has no port %" G_GUINT64_FORMAT ", device %" G_GUINT64_FORMAT
                ".",
                wanted->controller, wanted->port.value, wanted->device.value);
    return false;
}

/* The kind of drive: as said, as it is, or as the medium is. */
static bool
find_kind(Manage *manage, const StorageAttach *wanted, const VitrineAttachment *present,
          VitrineMediumKind *kind, GError **error)
{
    int value = VITRINE_MEDIUM_KIND_DVD;
    VitrineMedium *medium = wanted->medium && manage->client
                                ? vitrine_client_find_medium(manage->client, wanted->medium)
                                : NULL;
    if (wanted->type) {
        if (!manage_from_word(VITRINE_TYPE_MEDIUM_KIND, wanted->type, &value, error))
            return false;
    } else if (present) {
        value = (int)present->kind;
    } else if (medium) {
        value = (int)vitrine_medium_get_kind(medium);
    } else {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    "Say what drive it is: --type hdd, dvddrive or fdd.");
        return false;
    }
    *kind = (VitrineMediumKind)value;
    return true;
}

/* Before the image is opened: afterwards the registry knows it by its UUID. "" means a new one. */
static bool
set_uuids(Manage *manage, const StorageAttach *wanted, GError **error)
{
    g_autofree char *own =
        wanted->uuid && *wanted->uuid == '\0' ? g_uuid_string_random() : g_strdup(wanted->uuid);
    g_autofree char *path = manage_absolute_path(wanted->medium);
    if (own == NULL && wanted->parent_uuid == NULL)
        return true;
    if (!manage_client(manage, error))
        return false;
    if (vitrine_client_find_medium(manage->client, path)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "'%s' is registered already: close it before its UUID changes.", path);
        return false;
    }
    return manage_complete(vitrine_client_set_image_uuids_sync(manage->client, path, own,
                                                               wanted->parent_uuid, NULL, error),
                           NULL, error);
}

/* What --mtype and --comment say of the medium. */
static bool
describe_medium(Manage *manage, const StorageAttach *wanted, const char *id, GError **error)
{
    VitrineMedium *medium = vitrine_client_find_medium(manage->client, id);
    int type = 0;
    if (medium == NULL || (wanted->medium_type == NULL && wanted->comment == NULL))
        return true;
    if (wanted->medium_type &&
        (!manage_from_word(VITRINE_TYPE_MEDIUM_TYPE, wanted->medium_type, &type, error) ||
         !vitrine_medium_set_medium_type_sync(medium, (VitrineMediumType)type, NULL, error)))
        return false;
    return wanted->comment == NULL ||
           vitrine_medium_set_description_sync(medium, wanted->comment, NULL, error);
}

/* Fills in what is in the drive. The host's drive is written host:DEVICE. */
static bool
find_medium(Manage *manage, const StorageAttach *wanted, VitrineAttachment *attachment,
            GError **error)
{
    const char *medium = wanted->medium;
    g_clear_pointer(&attachment->medium, g_free);
    g_clear_pointer(&attachment->host_drive, g_free);
    attachment->medium = g_strdup("");
    attachment->host_drive = g_strdup("");
    if (g_ascii_strcasecmp(medium, "emptydrive") == 0)
        return true;
    if (g_ascii_strncasecmp(medium, "host:", 5) == 0) {
        g_free(attachment->host_drive);
        attachment->host_drive = g_strdup(medium + 5);
        return true;
    }
    if (!set_uuids(manage, wanted, error))
        return false;
    char *id = manage_medium(manage, medium, attachment->kind, NULL, error);
    if (id == NULL)
        return false;
    g_free(attachment->medium);
    attachment->medium = id;
    return describe_medium(manage, wanted, id, error);
}

static void
set_switches(VitrineAttachment *attachment, const StorageAttach *wanted)
{
    const struct {
        ManageSwitch wanted;
        gboolean *field;
    } switches[] = {
        {wanted->non_rotational, &attachment->non_rotational},
        {wanted->discard, &attachment->discard},
        {wanted->temp_eject, &attachment->temp_eject},
        {wanted->passthrough, &attachment->passthrough},
        {wanted->hot_pluggable, &attachment->hot_pluggable},
    };
    for (guint i = 0; i < G_N_ELEMENTS(switches); i++) {
        if (switches[i].wanted)
            *switches[i].field = switches[i].wanted == MANAGE_ON;
    }
}

/* Settings files of others may ask for it, and keep what they say. */
static bool
check_passthrough(VitrineSettings *settings, const StorageAttach *wanted, GError **error)
{
    const VitrineController *controller =
        vitrine_settings_find_controller(settings, wanted->controller);
    if (wanted->passthrough != MANAGE_ON || controller == NULL ||
        vitrine_controller_passes_commands(controller->type))
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "The controller '%s' does not pass a guest's commands on to a host drive. Attach "
                "the drive to a SATA, SAS, SCSI or virtio-scsi controller for that. Without "
                "--passthrough the medium in the host drive can be read.",
                wanted->controller);
    return false;
}

/* The attachment as it shall be; NULL with an error. */
static VitrineAttachment *
make(Manage *manage, VitrineSettings *settings, const StorageAttach *wanted, GError **error)
{
    guint port = (guint)wanted->port.value, device = (guint)wanted->device.value;
    const VitrineAttachment *present =
        vitrine_settings_find_attachment(settings, wanted->controller, port, device);
    VitrineMediumKind kind;
    if (!find_kind(manage, wanted, present, &kind, error))
        return NULL;
    g_autoptr(VitrineAttachment) attachment =
        present ? vitrine_attachment_copy(present)
                : vitrine_attachment_new(wanted->controller, port, device, kind, "");
    attachment->kind = kind;
    if (!check_passthrough(settings, wanted, error))
        return NULL;
    set_switches(attachment, wanted);
    if (wanted->medium && !find_medium(manage, wanted, attachment, error))
        return NULL;
    if (kind != VITRINE_MEDIUM_KIND_HARD_DISK || *attachment->medium)
        return g_steal_pointer(&attachment);
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "A hard disk needs a medium: --medium FILE or UUID.");
    return NULL;
}

static bool
change_now(VitrineMachine *machine, const VitrineAttachment *attachment, bool force, GError **error)
{
    g_autofree char *host = g_strconcat("host:", attachment->host_drive, NULL);
    return vitrine_machine_change_medium_sync(
        machine, attachment->controller, attachment->port, attachment->device,
        *attachment->host_drive ? host : attachment->medium, force, NULL, error);
}

static bool
apply(Manage *manage, VitrineMachine *machine, VitrineSettings *settings,
      const StorageAttach *wanted, GError **error)
{
    if (g_ascii_strcasecmp(wanted->medium ? wanted->medium : "", "none") == 0) {
        if (!vitrine_settings_remove_attachment(settings, wanted->controller,
                                                (guint)wanted->port.value,
                                                (guint)wanted->device.value)) {
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                        "No storage device attached to device slot %" G_GUINT64_FORMAT
                        " on port %" G_GUINT64_FORMAT " of controller '%s'",
                        wanted->device.value, wanted->port.value, wanted->controller);
            return false;
        }
    } else {
        g_autoptr(VitrineAttachment) attachment = make(manage, settings, wanted, error);
        if (attachment == NULL)
            return false;
        /* What is in a drive changes at once; whole drives come and go with the settings. */
        if (wanted->medium && attachment->kind != VITRINE_MEDIUM_KIND_HARD_DISK &&
            vitrine_settings_find_attachment(settings, attachment->controller, attachment->port,
                                             attachment->device) &&
            vitrine_machine_state_is_online(vitrine_machine_get_state(machine)))
            return change_now(machine, attachment, wanted->force, error);
        vitrine_settings_put_attachment(settings, attachment);
    }
    return vitrine_machine_save_settings_sync(machine, settings, NULL, error);
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    StorageAttach wanted = {0};
    const char *name;
    VitrineMachine *machine;
    if (!manage_args_parse(args, options, &wanted, &name, 1, 1, error))
        return false;
    if (wanted.controller == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Storage controller name not specified");
        return false;
    }
    g_autoptr(VitrineSettings) settings = manage_settings(manage, name, &machine, error);
    return settings && complete_slot(settings, &wanted, error) &&
           apply(manage, machine, settings, &wanted, error);
}

const ManageCommand manage_command_storageattach = {
    .name = "storageattach",
    .title = "Attach drives and media",
    .usage = "storageattach NAME|UUID --storagectl CONTROLLER [--port N] [--device N]\n"
             "    [--type hdd|dvddrive|fdd] [--medium none|emptydrive|UUID|FILE|host:DEVICE]\n"
             "    [--mtype normal|writethrough|immutable|shareable|readonly|multiattach]\n"
             "    [--comment TEXT] [--setuuid UUID] [--setparentuuid UUID]\n"
             "    [--nonrotational on|off] [--discard on|off] [--tempeject on|off]\n"
             "    [--passthrough on|off] [--hotpluggable on|off] [--forceunmount]\n",
    .about =
        "Attaches a medium, changes it, or with --medium none takes the drive away. Optical and"
        "\nfloppy media of a running machine change at once; --forceunmount does so even when the"
        "\nguest has locked the drive. Drives come to the SATA controller of a running machine, and"
        "\ngo again with --medium none if they are hot-pluggable.",
    .run = run,
};
