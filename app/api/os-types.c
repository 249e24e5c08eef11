/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of guest OS types, guesses from names, and what a type recommends. */
#include <string.h>
#include <unistd.h>

#include "app/api/vitrine.h"

#define SATA_PORTS 4 /* of a new machine */

enum {
    OS_64BIT = 1 << 0,
    OS_IOAPIC = 1 << 1,
    OS_HPET = 1 << 2,
    OS_PAE = 1 << 3,
    OS_UTC = 1 << 4,
    OS_FLOPPY = 1 << 5,
    OS_SATA = 1 << 6,   /* has a driver for AHCI and installs to it */
    OS_TABLET = 1 << 7, /* a desktop that takes a USB tablet as its pointer */
    OS_USB3 = 1 << 8,   /* has a driver for xHCI, and a desktop as well */
};

/* clang-format off */
#define FAMILY_WINDOWS "Windows", "Microsoft Windows"
#define FAMILY_LINUX   "Linux", "Linux"
#define FAMILY_BSD     "BSD", "BSD"
#define FAMILY_SOLARIS "Solaris", "Solaris"
#define FAMILY_OS2     "OS2", "IBM OS/2"
#define FAMILY_MACOS   "MacOS", "Mac OS X"
#define FAMILY_OTHER   "Other", "Other"
#define MIB_PER_GIB 1024

static const VitrineOsType types[] = {
#define OS_TYPE(id, family, description, memory, vram, disk, flags, icon)                     \
    {id, FAMILY_##family, description, ((flags) & OS_64BIT) != 0, memory, vram,               \
     (disk) * MIB_PER_GIB, VITRINE_CHIPSET_PIIX3,                                             \
     ((flags) & OS_SATA) != 0 ? VITRINE_CONTROLLER_AHCI : VITRINE_CONTROLLER_PIIX4,           \
     VITRINE_CONTROLLER_PIIX4, ((flags) & OS_IOAPIC) != 0, ((flags) & OS_HPET) != 0,          \
     ((flags) & OS_PAE) != 0, ((flags) & OS_UTC) != 0, ((flags) & OS_FLOPPY) != 0, \
     ((flags) & (OS_TABLET | OS_USB3)) != 0, ((flags) & OS_USB3) != 0,                        \
     ((flags) & (OS_TABLET | OS_USB3)) != 0, icon},
#include "app/api/os-types.def"
#undef OS_TYPE
};

/* Words in names and file names, the more telling first. */
static const struct { const char *word, *id; } guesses[] = {
    {"debian", "Debian"}, {"xubuntu", "Xubuntu"}, {"ubuntu", "Ubuntu"}, {"mint", "Ubuntu"},
    {"fedora", "Fedora"}, {"rhel", "RedHat"}, {"red hat", "RedHat"}, {"redhat", "RedHat"},
    {"centos", "RedHat"}, {"rocky", "RedHat"}, {"alma", "RedHat"}, {"oracle", "Oracle"},
    {"arch", "ArchLinux"}, {"gentoo", "Gentoo"}, {"suse", "OpenSUSE"}, {"mandriva", "Mandriva"},
    {"freebsd", "FreeBSD"}, {"openbsd", "OpenBSD"}, {"netbsd", "NetBSD"},
    {"illumos", "OpenSolaris"}, {"openindiana", "OpenSolaris"}, {"solaris", "Solaris"},
    {"windows 11", "Windows11"}, {"windows11", "Windows11"},
    {"windows10", "Windows10"}, {"windows7", "Windows7"}, {"windowsxp", "WindowsXP"}, {"win11", "Windows11"}, {"windows 10", "Windows10"},
    {"win10", "Windows10"}, {"windows 8.1", "Windows81"}, {"windows 8", "Windows8"},
    {"win8", "Windows8"}, {"windows 7", "Windows7"}, {"win7", "Windows7"},
    {"vista", "WindowsVista"}, {"windows xp", "WindowsXP"}, {"winxp", "WindowsXP"},
    {"windows 2000", "Windows2000"}, {"win2k", "Windows2000"}, {"windows nt", "WindowsNT4"},
    {"windows me", "WindowsMe"}, {"windows 98", "Windows98"}, {"win98", "Windows98"},
    {"windows 95", "Windows95"}, {"win95", "Windows95"}, {"windows 3", "Windows31"},
    {"windows", "Windows10"}, {"ecomstation", "OS2eCS"}, {"os/2", "OS2"}, {"os2", "OS2"},
    {"freedos", "DOS"}, {"ms-dos", "DOS"}, {"msdos", "DOS"}, {"dos", "DOS"}, {"qnx", "QNX"},
    {"netware", "Netware"}, {"macos", "MacOS"}, {"os x", "MacOS"}, {"alpine", "Linux26"},
    {"linux", "Linux26"}, {"memtest", "Other"},
};
/* clang-format on */

static VitrineOsType *
copy_type(VitrineOsType *type)
{
    return type; /* static data */
}

static void
free_type(VitrineOsType *type)
{
}

G_DEFINE_BOXED_TYPE(VitrineOsType, vitrine_os_type, copy_type, free_type)

guint
vitrine_os_type_count(void)
{
    return G_N_ELEMENTS(types);
}

const VitrineOsType *
vitrine_os_type_nth(guint index)
{
    return index < G_N_ELEMENTS(types) ? &types[index] : NULL;
}

const VitrineOsType *
vitrine_os_type_find(const char *id)
{
    if (id == NULL)
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_ascii_strcasecmp(types[i].id, id) == 0)
            return &types[i];
    }
    return NULL;
}

/* A word counts where it starts a word: "arch" is not in "search". */
static gboolean
has_word(const char *text, const char *word)
{
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        if (at == text || !g_ascii_isalpha(at[-1]))
            return TRUE;
    }
    return FALSE;
}

static gboolean
says_32bit(const char *text)
{
    return strstr(text, "32-bit") || strstr(text, "32bit") || strstr(text, "i386") ||
           strstr(text, "i686") || strstr(text, "x86-32") || strstr(text, " 32");
}

const VitrineOsType *
vitrine_os_type_guess(const char *name)
{
    if (name == NULL)
        return NULL;
    g_autofree char *text = g_ascii_strdown(name, -1);
    for (guint i = 0; i < G_N_ELEMENTS(guesses); i++) {
        if (!has_word(text, guesses[i].word))
            continue;
        g_autofree char *id64 = g_strconcat(guesses[i].id, "_64", NULL);
        const VitrineOsType *wide = vitrine_os_type_find(id64);
        const VitrineOsType *narrow = vitrine_os_type_find(guesses[i].id);
        return wide && (narrow == NULL || !says_32bit(text)) ? wide : narrow;
    }
    return NULL;
}

static void
add_controller(VitrineSettings *settings, const char *name, VitrineControllerType type)
{
    g_autoptr(VitrineController) controller = vitrine_controller_new(name, type);
    vitrine_settings_put_controller(settings, controller);
}

/* Ports stay free, so that drives can come while the machine runs. */
static void
add_sata(VitrineSettings *settings)
{
    g_autoptr(VitrineController) sata = vitrine_controller_new("SATA", VITRINE_CONTROLLER_AHCI);

    sata->port_count = SATA_PORTS;
    vitrine_settings_put_controller(settings, sata);
}

/* The first card, which most systems have a driver for, leads to the host's networks. */
static void
apply_network(VitrineSettings *settings)
{
    g_autoptr(VitrineAdapter) adapter = vitrine_adapter_new();

    adapter->enabled = TRUE;
    adapter->network = VITRINE_NETWORK_NAT;
    vitrine_settings_set_adapter(settings, 0, adapter);
}

/* What the guest plays is heard; nobody listens to its surroundings before the person says so. */
static void
apply_sound(const VitrineOsType *type, VitrineSettings *settings)
{
    const gboolean has_hda =
        type->disk_controller == VITRINE_CONTROLLER_AHCI && g_str_equal(type->family_id, "Windows");

    g_object_set(settings, "audio", TRUE, "audio-default-driver", TRUE, "audio-driver",
                 VITRINE_AUDIO_DRIVER_PULSE, "audio-out", TRUE, "audio-controller",
                 has_hda ? VITRINE_AUDIO_CONTROLLER_HDA : VITRINE_AUDIO_CONTROLLER_AC97, NULL);
}

/* A pointer that needs no software in the guest to follow the person's, at the controller that the
 * guest has a driver for. */
static void
apply_usb(const VitrineOsType *type, VitrineSettings *settings)
{
    g_object_set(settings, "usb-ohci", type->usb && !type->usb3, "usb-xhci", type->usb3, NULL);
    if (type->usb_tablet)
        vitrine_settings_set_enum(settings, "pointing", VITRINE_POINTING_USB_TABLET);
}

void
vitrine_os_type_apply(const VitrineOsType *type, VitrineSettings *settings)
{
    g_autoptr(VitrineAttachment) dvd =
        vitrine_attachment_new("IDE", 1, 0, VITRINE_MEDIUM_KIND_DVD, NULL);
    g_return_if_fail(type != NULL && VITRINE_IS_SETTINGS(settings));
    g_object_set(settings, "os-type", type->id, "memory", type->memory, "vram", type->vram,
                 "ioapic", type->ioapic, "hpet", type->hpet, "pae", type->pae || type->is_64bit,
                 "long-mode", type->is_64bit, "rtc-utc", type->rtc_utc, "chipset", type->chipset,
                 NULL);
    add_controller(settings, "IDE", type->dvd_controller);
    if (type->disk_controller == VITRINE_CONTROLLER_AHCI)
        add_sata(settings);
    vitrine_settings_put_attachment(settings, dvd);
    vitrine_settings_set_bool(settings, "large-pages", TRUE);
    apply_network(settings);
    apply_sound(type, settings);
    apply_usb(type, settings);
    if (type->floppy) {
        g_autoptr(VitrineAttachment) floppy =
            vitrine_attachment_new("Floppy", 0, 0, VITRINE_MEDIUM_KIND_FLOPPY, NULL);
        add_controller(settings, "Floppy", VITRINE_CONTROLLER_I82078);
        vitrine_settings_put_attachment(settings, floppy);
    }
}

guint
vitrine_host_memory(void)
{
    gint64 pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (guint)(pages * page / (1024 * 1024)) : 0;
}

guint
vitrine_host_cpus(void)
{
    return g_get_num_processors();
}
