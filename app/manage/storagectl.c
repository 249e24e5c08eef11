/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * storagectl: a machine's storage controllers. Manual, chapter VBoxManage, "storagectl". */
#include "app/manage/manage-words.h"
#include "app/manage/manage.h"

typedef struct {
    const char *name, *bus, *type, *new_name;
    ManageNumber ports;
    ManageSwitch host_cache, bootable;
    bool removed;
} StorageCtl;

static const ManageOption options[] = {
    {"name", MANAGE_TEXT, G_STRUCT_OFFSET(StorageCtl, name)},
    {"add", MANAGE_TEXT, G_STRUCT_OFFSET(StorageCtl, bus)},
    {"controller", MANAGE_TEXT, G_STRUCT_OFFSET(StorageCtl, type)},
    {"rename", MANAGE_TEXT, G_STRUCT_OFFSET(StorageCtl, new_name)},
    {"portcount", MANAGE_NUMBER, G_STRUCT_OFFSET(StorageCtl, ports)},
    {"hostiocache", MANAGE_SWITCH, G_STRUCT_OFFSET(StorageCtl, host_cache)},
    {"bootable", MANAGE_SWITCH, G_STRUCT_OFFSET(StorageCtl, bootable)},
    {"remove", MANAGE_FLAG, G_STRUCT_OFFSET(StorageCtl, removed)},
    {NULL},
};

/* The chip that a bus has when nobody says which. */
static VitrineControllerType
usual_type(VitrineStorageBus bus)
{
    switch (bus) {
    case VITRINE_STORAGE_BUS_IDE: return VITRINE_CONTROLLER_PIIX4;
    case VITRINE_STORAGE_BUS_SATA: return VITRINE_CONTROLLER_AHCI;
    case VITRINE_STORAGE_BUS_SCSI: return VITRINE_CONTROLLER_LSI_LOGIC;
    case VITRINE_STORAGE_BUS_FLOPPY: return VITRINE_CONTROLLER_I82078;
    case VITRINE_STORAGE_BUS_SAS: return VITRINE_CONTROLLER_LSI_LOGIC_SAS;
    case VITRINE_STORAGE_BUS_USB: return VITRINE_CONTROLLER_USB;
    case VITRINE_STORAGE_BUS_PCIE: return VITRINE_CONTROLLER_NVME;
    case VITRINE_STORAGE_BUS_VIRTIO: return VITRINE_CONTROLLER_VIRTIO_SCSI;
    }
    return VITRINE_CONTROLLER_PIIX4;
}

static guint
count_of_bus(VitrineSettings *settings, VitrineStorageBus bus)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    guint count = 0;
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        count += vitrine_controller_bus(controller->type) == bus;
    }
    return count;
}

static VitrineController *
add(VitrineSettings *settings, const StorageCtl *wanted, GError **error)
{
    int bus;
    if (vitrine_settings_find_controller(settings, wanted->name)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                    "Storage controller named '%s' already exists", wanted->name);
        return NULL;
    }
    if (!manage_from_word(VITRINE_TYPE_STORAGE_BUS, wanted->bus, &bus, error))
        return NULL;
    VitrineController *controller =
        vitrine_controller_new(wanted->name, usual_type((VitrineStorageBus)bus));
    controller->instance = count_of_bus(settings, (VitrineStorageBus)bus);
    if (bus == VITRINE_STORAGE_BUS_SATA)
        controller->port_count = vitrine_bus_limits(VITRINE_STORAGE_BUS_SATA)->max_ports;
    return controller;
}

/* A word of ours: to the settings file it is a virtio SCSI controller, and the machine's extra data
 * say that its disks are virtio block devices. */
static bool
is_virtio_blk(const char *word)
{
    return g_ascii_strcasecmp(word, "VirtioBlk") == 0 ||
           g_ascii_strcasecmp(word, "virtio-blk") == 0;
}

static bool
set_type(VitrineController *controller, const char *word, GError **error)
{
    int type = VITRINE_CONTROLLER_VIRTIO_SCSI;
    if (!is_virtio_blk(word) && !manage_from_word(VITRINE_TYPE_CONTROLLER_TYPE, word, &type, error))
        return false;
    if (vitrine_controller_bus((VitrineControllerType)type) !=
        vitrine_controller_bus(controller->type)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "A controller of the type %s does not fit the bus of '%s'.", word,
                    controller->name);
        return false;
    }
    controller->type = (VitrineControllerType)type;
    return true;
}

static bool
change(VitrineController *controller, const StorageCtl *wanted, GError **error)
{
    if (wanted->type && !set_type(controller, wanted->type, error))
        return false;
    if (wanted->ports.given)
        controller->port_count = (guint)MIN(wanted->ports.value, G_MAXUINT);
    if (wanted->host_cache)
        controller->host_io_cache = wanted->host_cache == MANAGE_ON;
    if (wanted->bootable)
        controller->bootable = wanted->bootable == MANAGE_ON;
    return true;
}

static bool
apply(VitrineSettings *settings, const StorageCtl *wanted, GError **error)
{
    const VitrineController *present = vitrine_settings_find_controller(settings, wanted->name);
    g_autoptr(VitrineController) controller = NULL;
    if (present == NULL && !wanted->bus) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "Could not find a storage controller named '%s'", wanted->name);
        return false;
    }
    if (wanted->removed)
        return vitrine_settings_remove_controller(settings, wanted->name);
    controller = wanted->bus ? add(settings, wanted, error) : vitrine_controller_copy(present);
    if (controller == NULL || !change(controller, wanted, error))
        return false;
    vitrine_settings_put_controller(settings, controller);
    if (wanted->new_name &&
        !vitrine_settings_rename_controller(settings, wanted->name, wanted->new_name)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                    "Storage controller named '%s' already exists", wanted->new_name);
        return false;
    }
    return true;
}

/* The model follows the type; what was never set is left alone. */
static bool
save_model(VitrineMachine *machine, const StorageCtl *wanted, GError **error)
{
    g_autofree char *key =
        vitrine_controller_model_key(wanted->new_name ? wanted->new_name : wanted->name);
    const char *model = "";

    if (wanted->type == NULL)
        return true;
    if (is_virtio_blk(wanted->type))
        model = VITRINE_CONTROLLER_MODEL_VIRTIO_BLK;
    return vitrine_machine_set_extra_data_sync(machine, key, model, NULL, error);
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    StorageCtl wanted = {0};
    const char *name;
    VitrineMachine *machine;
    if (!manage_args_parse(args, options, &wanted, &name, 1, 1, error))
        return false;
    if (wanted.name == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Storage controller name not specified");
        return false;
    }
    g_autoptr(VitrineSettings) settings = manage_settings(manage, name, &machine, error);
    return settings && apply(settings, &wanted, error) &&
           vitrine_machine_save_settings_sync(machine, settings, NULL, error) &&
           save_model(machine, &wanted, error);
}

const ManageCommand manage_command_storagectl = {
    .name = "storagectl",
    .title = "Add, change or remove a storage controller",
    .usage = "storagectl NAME|UUID --name CONTROLLER [--add floppy|ide|pcie|sata|scsi|virtio]\n"
             "    [--controller "
             "PIIX3|PIIX4|ICH6|I82078|IntelAhci|LSILogic|LSILogicSAS|NVMe|VirtioSCSI|VirtioBlk]\n"
             "    [--portcount NUMBER] [--hostiocache on|off] [--bootable on|off]\n"
             "    [--rename NAME] [--remove]\n",
    .about = "Adds, changes or removes a storage controller. Removing one detaches what is on it.",
    .run = run,
};
