/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Commands of the embedder that change media. */
#include "devices/storage/drive-commands.h"

#define LUN_MAX 255u

static bool
change_medium(const DriveCommands *commands, const char *argument, bool insert, bool force)
{
    const PdmMediaConnector *media;
    const char *source;
    char *end;
    guint64 lun;

    if (!g_ascii_isdigit(argument[0]))
        return false;
    lun = g_ascii_strtoull(argument, &end, 10);
    if (lun > LUN_MAX || (*end != '\0' && *end != ':'))
        return false;
    source = *end == ':' ? end + 1 : NULL;
    media = commands->find(commands->device, (unsigned)lun);
    return media != NULL && media->change_medium != NULL && insert == (source != NULL) &&
           media->change_medium(media->user, source, force);
}

static bool
run_insert(void *user, const char *argument)
{
    return change_medium(user, argument, true, false);
}

static bool
run_insert_forced(void *user, const char *argument)
{
    return change_medium(user, argument, true, true);
}

static bool
run_eject(void *user, const char *argument)
{
    return change_medium(user, argument, false, false);
}

static bool
run_eject_forced(void *user, const char *argument)
{
    return change_medium(user, argument, false, true);
}

void
drive_commands_offer(DriveCommands *commands, PdmDevice *device,
                     const PdmMediaConnector *(*find)(PdmDevice *device, unsigned lun))
{
    commands->device = device;
    commands->find = find;
    pdm_offer_command(device, "insert", run_insert, commands);
    pdm_offer_command(device, "insert!", run_insert_forced, commands);
    pdm_offer_command(device, "eject", run_eject, commands);
    pdm_offer_command(device, "eject!", run_eject_forced, commands);
}
