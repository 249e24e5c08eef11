/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Enumeration words and the error domain. The errors' D-Bus names are registered here, so a code
 * survives the way from the service or a VM process to the caller. */
#include "app/api/vitrine.h"

/* clang-format off */
static const GDBusErrorEntry error_entries[] = {
    {VITRINE_ERROR_FAILED,        "org.vitrine.Error.Failed"},
    {VITRINE_ERROR_INVALID,       "org.vitrine.Error.Invalid"},
    {VITRINE_ERROR_NOT_FOUND,     "org.vitrine.Error.NotFound"},
    {VITRINE_ERROR_EXISTS,        "org.vitrine.Error.Exists"},
    {VITRINE_ERROR_NOT_SUPPORTED, "org.vitrine.Error.NotSupported"},
    {VITRINE_ERROR_BUSY,          "org.vitrine.Error.Busy"},
    {VITRINE_ERROR_NO_SPACE,      "org.vitrine.Error.NoSpace"},
    {VITRINE_ERROR_NO_MEMORY,     "org.vitrine.Error.NoMemory"},
    {VITRINE_ERROR_IO,            "org.vitrine.Error.Io"},
    {VITRINE_ERROR_CORRUPT,       "org.vitrine.Error.Corrupt"},
    {VITRINE_ERROR_VERSION,       "org.vitrine.Error.Version"},
    {VITRINE_ERROR_STATE,         "org.vitrine.Error.State"},
    {VITRINE_ERROR_CANCELLED,     "org.vitrine.Error.Cancelled"},
    {VITRINE_ERROR_DENIED,        "org.vitrine.Error.Denied"},
    {VITRINE_ERROR_READ_ONLY,     "org.vitrine.Error.ReadOnly"},
    {VITRINE_ERROR_DISCONNECTED,  "org.vitrine.Error.Disconnected"},
};
/* clang-format on */

GQuark
vitrine_error_quark(void)
{
    static gsize quark;
    g_dbus_error_register_error_domain("vitrine-error-quark", &quark, error_entries,
                                       G_N_ELEMENTS(error_entries));
    return (GQuark)quark;
}

const char *
vitrine_nick(GType enum_type, int value)
{
    g_autoptr(GEnumClass) class = g_type_class_ref(enum_type);
    const GEnumValue *found = g_enum_get_value(class, value);
    return found ? found->value_nick : "";
}

gboolean
vitrine_from_nick(GType enum_type, const char *nick, int *value)
{
    if (nick == NULL)
        return FALSE;
    g_autoptr(GEnumClass) class = g_type_class_ref(enum_type);
    for (guint i = 0; i < class->n_values; i++) {
        if (g_ascii_strcasecmp(class->values[i].value_nick, nick) == 0) {
            *value = class->values[i].value;
            return TRUE;
        }
    }
    return FALSE;
}

VitrineStorageBus
vitrine_controller_bus(VitrineControllerType type)
{
    switch (type) {
    case VITRINE_CONTROLLER_AHCI: return VITRINE_STORAGE_BUS_SATA;
    case VITRINE_CONTROLLER_LSI_LOGIC:
    case VITRINE_CONTROLLER_BUS_LOGIC: return VITRINE_STORAGE_BUS_SCSI;
    case VITRINE_CONTROLLER_LSI_LOGIC_SAS: return VITRINE_STORAGE_BUS_SAS;
    case VITRINE_CONTROLLER_I82078: return VITRINE_STORAGE_BUS_FLOPPY;
    case VITRINE_CONTROLLER_USB: return VITRINE_STORAGE_BUS_USB;
    case VITRINE_CONTROLLER_NVME: return VITRINE_STORAGE_BUS_PCIE;
    case VITRINE_CONTROLLER_VIRTIO_SCSI: return VITRINE_STORAGE_BUS_VIRTIO;
    default: return VITRINE_STORAGE_BUS_IDE;
    }
}

gboolean
vitrine_machine_state_is_online(VitrineMachineState state)
{
    return state >= VITRINE_MACHINE_STATE_RUNNING;
}
