/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings files that were made to do harm: read as a machine's and as the global one, with all
 * that the service reads of them; changed, saved, and read again. What was saved has to open and
 * say the same. The folder for files is named by VITRINE_FUZZ_FOLDER and belongs to this process
 * alone. */
#include <glib/gstdio.h>
#include <libxml/xmlerror.h>
#include <string.h>

#include "app/service/settings/global-file.h"
#include "app/service/settings/machine-file.h"
#include "app/service/settings/netservice-file.h"
#include "app/service/settings/snapshot-file.h"

#define SNAPSHOTS_LOOKED_AT 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
be_quiet(void *context, const char *format, ...)
{
}

static void
look_at_snapshots(SettingsFile *file, VitrineSettings *machine)
{
    g_autoptr(GPtrArray) snapshots = snapshot_file_read(file);
    g_autoptr(GHashTable) media = snapshot_file_media(file);

    for (guint i = 0; i < MIN(snapshots->len, SNAPSHOTS_LOOKED_AT); i++) {
        const SnapshotRecord *snapshot = snapshots->pdata[i];
        g_autoptr(VitrineSettings) settings =
            snapshot_file_read_settings(file, snapshot->id, machine, NULL);

        g_assert(snapshot->name != NULL && media != NULL);
    }
}

/* A snapshot is taken, restored and deleted. */
static void
change_snapshots(SettingsFile *file, MachineRecord *record)
{
    g_autoptr(SnapshotRecord) snapshot =
        snapshot_record_new(record->current_snapshot, "one", "more");

    if (!snapshot_file_add(file, snapshot, NULL))
        return;
    if (!snapshot_file_restore(file, snapshot->id, NULL))
        g_error("a snapshot that was just taken cannot be restored");
    snapshot_file_remove(file, snapshot->id, NULL);
}

static void
compare(const char *path, const MachineRecord *before)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, &error);
    g_autoptr(MachineRecord) after = file != NULL ? machine_file_read(file, &error) : NULL;

    if (after == NULL)
        g_error("what was saved does not open: %s", error->message);
    g_autoptr(GVariant) left = g_variant_ref_sink(vitrine_settings_to_variant(before->settings));
    g_autoptr(GVariant) right = g_variant_ref_sink(vitrine_settings_to_variant(after->settings));
    g_autofree char *old = g_variant_print(left, TRUE), *new = g_variant_print(right, TRUE);

    if (strcmp(before->id, after->id) != 0 || strcmp(old, new) != 0)
        g_error("what was saved says something else:\n%s\n%s", old, new);
}

static void
save(SettingsFile *file, const char *folder, const MachineRecord *record)
{
    g_autofree char *path = g_build_filename(folder, "saved.vbox", NULL);
    g_autofree char *last = g_strconcat(path, "-prev", NULL);

    settings_file_set_path(file, path);
    if (settings_file_save(file, NULL))
        compare(path, record);
    g_unlink(path);
    g_unlink(last);
}

static void
try_machine(const char *path, const char *folder)
{
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = file != NULL ? machine_file_read(file, NULL) : NULL;

    if (record == NULL)
        return;
    g_autoptr(GPtrArray) media = settings_file_read_media(file);
    g_autoptr(GHashTable) extra = settings_file_read_extra_data(file);
    g_assert(extra != NULL);
    look_at_snapshots(file, record->settings);
    machine_file_write(file, record);
    settings_file_write_media(file, media);
    settings_file_set_extra_data(file, "Vitrine/Fuzz", "\xc3\xa4 & <b>");
    change_snapshots(file, record);
    machine_file_write(file, record);
    save(file, folder, record);
}

/* What is good is written and read as it was. */
static void
try_networks(SettingsFile *file)
{
    g_autoptr(GPtrArray) networks = netservice_read_nat_networks(file);
    g_autoptr(GPtrArray) servers = netservice_read_dhcp_servers(file);

    for (guint i = 0; i < networks->len; i++) {
        const VitrineNatNetwork *network = networks->pdata[i];

        if (vitrine_nat_network_check(network, NULL))
            netservice_write_nat_network(file, network->name, network);
    }
    for (guint i = 0; i < servers->len; i++) {
        const VitrineDhcpServer *server = servers->pdata[i];

        if (vitrine_dhcp_server_check(server, NULL))
            netservice_write_dhcp_server(file, server->name, server);
    }
    g_autoptr(GPtrArray) again = netservice_read_dhcp_servers(file);

    if (again->len != servers->len)
        g_error("%u DHCP servers, and %u when they were written", servers->len, again->len);
}

static void
try_global(const char *path)
{
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_GLOBAL, NULL);

    if (file == NULL)
        return;
    g_autoptr(GPtrArray) machines = global_file_read_machines(file);
    g_autoptr(GPtrArray) media = settings_file_read_media(file);
    g_autoptr(GHashTable) extra = settings_file_read_extra_data(file);
    g_autoptr(GVariant) properties = g_variant_ref_sink(global_file_read_properties(file));
    g_assert(extra != NULL && properties != NULL);
    settings_file_write_media(file, media);
    try_networks(file);
    for (guint i = 0; i < machines->len; i++) {
        const MachineEntry *entry = machines->pdata[i];

        global_file_remove_machine(file, entry->id);
        global_file_add_machine(file, entry->id, entry->src);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *folder = g_getenv("VITRINE_FUZZ_FOLDER");
    g_autofree char *path = g_build_filename(folder, "input.vbox", NULL);

    xmlSetGenericErrorFunc(NULL, be_quiet);
    if (!g_file_set_contents_full(path, (const char *)data, (gssize)size, G_FILE_SET_CONTENTS_NONE,
                                  0600, NULL))
        g_error("%s cannot be written", path);
    try_machine(path, folder);
    try_global(path);
    return 0;
}
