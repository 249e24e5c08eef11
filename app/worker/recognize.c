/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which operating system an ISO image installs: libosinfo's data base with our own newer entries
 * beside it (data/osinfo), and the table that leads from its names to the settings' OS types. The
 * data base is read before the worker is confined, the image afterwards. */
#include <osinfo/osinfo.h>
#include <string.h>

#include "app/api/vitrine.h"
#include "app/worker/iso9660.h"
#include "app/worker/worker.h"

/* Beginnings of osinfo's short ids, the longer first where one begins another. */
/* clang-format off */
static const struct { const char *prefix, *type; } os_types[] = {
    {"almalinux", "RedHat"}, {"alpinelinux", "Linux26"}, {"archlinux", "ArchLinux"},
    {"centos", "RedHat"}, {"debian", "Debian"}, {"fedora", "Fedora"}, {"freebsd", "FreeBSD"},
    {"freedos", "DOS"}, {"gentoo", "Gentoo"}, {"linux", "Linux26"}, {"macosx", "MacOS"},
    {"mageia", "Mandriva"}, {"mandrake", "Mandriva"}, {"mandriva", "Mandriva"},
    {"memtest86plus", "Other"}, {"mes", "Mandriva"}, {"msdos", "DOS"}, {"netbsd", "NetBSD"},
    {"netware", "Netware"}, {"ol", "Oracle"}, {"openbsd", "OpenBSD"},
    {"openindiana", "OpenSolaris"}, {"opensolaris", "OpenSolaris"}, {"opensuse", "OpenSUSE"},
    {"rhel", "RedHat"}, {"rhl", "RedHat"}, {"rocky", "RedHat"}, {"scientific", "RedHat"},
    {"sled", "OpenSUSE"}, {"sles", "OpenSUSE"}, {"solaris11", "Solaris11"}, {"solaris", "Solaris"},
    {"ubuntu", "Ubuntu"}, {"win10", "Windows10"}, {"win11", "Windows11"}, {"win1.", "Windows31"},
    {"win2.", "Windows31"}, {"win2k12", "Windows2012"}, {"win2k16", "Windows2016"},
    {"win2k19", "Windows2019"}, {"win2k22", "Windows2022"}, {"win2k3", "Windows2003"},
    {"win2k8", "Windows2008"}, {"win2k", "Windows2000"}, {"win3", "Windows31"},
    {"win7", "Windows7"}, {"win8.1", "Windows81"}, {"win8", "Windows8"}, {"win95", "Windows95"},
    {"win98", "Windows98"}, {"winme", "WindowsMe"}, {"winnt3", "WindowsNT3x"},
    {"winnt4", "WindowsNT4"}, {"winvista", "WindowsVista"}, {"winxp", "WindowsXP"},
};
/* clang-format on */

static OsinfoDb *
load_database(OsinfoLoader *loader)
{
    gboolean installed = g_file_test(VITRINE_OSINFO_DIR, G_FILE_TEST_IS_DIR);
    osinfo_loader_process_default_path(loader, NULL);
    osinfo_loader_process_path(loader, installed ? VITRINE_OSINFO_DIR : VITRINE_OSINFO_SOURCE,
                               NULL);
    return osinfo_loader_get_db(loader);
}

static OsinfoMedia *
describe(const IsoVolume *volume)
{
    OsinfoMedia *media = osinfo_media_new("the image", NULL);
    OsinfoEntity *entity = OSINFO_ENTITY(media);
    osinfo_entity_set_param(entity, OSINFO_MEDIA_PROP_VOLUME_ID, volume->volume_id);
    if (*volume->system_id)
        osinfo_entity_set_param(entity, OSINFO_MEDIA_PROP_SYSTEM_ID, volume->system_id);
    if (*volume->publisher_id)
        osinfo_entity_set_param(entity, OSINFO_MEDIA_PROP_PUBLISHER_ID, volume->publisher_id);
    if (*volume->application_id)
        osinfo_entity_set_param(entity, OSINFO_MEDIA_PROP_APPLICATION_ID, volume->application_id);
    osinfo_entity_set_param_int64(entity, OSINFO_MEDIA_PROP_VOLUME_SIZE,
                                  (gint64)MIN(volume->volume_size, (uint64_t)G_MAXINT64));
    return media;
}

static const VitrineOsType *
type_for(const char *short_id, const char *architecture)
{
    gboolean wide = g_strcmp0(architecture, "x86_64") == 0;
    for (guint i = 0; short_id && i < G_N_ELEMENTS(os_types); i++) {
        if (!g_str_has_prefix(short_id, os_types[i].prefix))
            continue;
        g_autofree char *id64 = g_strconcat(os_types[i].type, "_64", NULL);
        const VitrineOsType *narrow = vitrine_os_type_find(os_types[i].type);
        return wide || narrow == NULL ? vitrine_os_type_find(id64) : narrow;
    }
    return NULL;
}

/* Answers what the data base knows. FALSE when it does not know the medium. */
static gboolean
answer_known(OsinfoMedia *media)
{
    OsinfoOs *os = osinfo_media_get_os(media);
    if (os == NULL)
        return FALSE;
    const char *short_id = osinfo_product_get_short_id(OSINFO_PRODUCT(os));
    const char *name = osinfo_product_get_name(OSINFO_PRODUCT(os));
    const char *architecture = osinfo_media_get_architecture(media);
    const VitrineOsType *type = type_for(short_id, architecture);
    worker_answer("os-id", "%s", short_id ? short_id : "");
    worker_answer("os-name", "%s", name ? name : "");
    worker_answer("os-type", "%s", type ? type->id : "");
    worker_answer("architecture", "%s", architecture ? architecture : "");
    if (osinfo_media_get_live(media))
        worker_answer("live", "1");
    return TRUE;
}

/* A medium that no data base has, but whose label says what it is. */
static void
answer_guess(const IsoVolume *volume)
{
    const VitrineOsType *type = vitrine_os_type_guess(volume->volume_id);
    if (type == NULL)
        return;
    worker_answer("os-type", "%s", type->id);
    worker_answer("architecture", "%s", type->is_64bit ? "x86_64" : "i686");
}

bool
worker_recognize(const char *name, GError **error)
{
    g_autoptr(OsinfoLoader) loader = osinfo_loader_new();
    OsinfoDb *database = load_database(loader);
    IsoVolume volume;
    if (!worker_confine(error) || !iso9660_read(WORKER_FD, name, &volume, error))
        return false;
    g_autoptr(OsinfoMedia) media = describe(&volume);
    worker_answer("volume-label", "%s", volume.volume_id);
    if (volume.bootable)
        worker_answer("bootable", "1");
    if (!osinfo_db_identify_media(database, media) || !answer_known(media))
        answer_guess(&volume);
    return true;
}
