/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of guest OS types: identifiers as in the settings (Debian_64, Windows11_64, Other), and
 * what is recommended for each. Static data of the library; no service is asked. */
#pragma once

#include "app/api/vitrine-settings.h"

G_BEGIN_DECLS

/**
 * VitrineOsType:
 * @id: as in the settings, "Debian_64"
 * @family_id: "Linux"
 * @family: "Linux", for people
 * @description: "Debian (64-bit)"
 * @is_64bit: needs long mode
 * @memory: recommended RAM in MiB
 * @vram: recommended video RAM in MiB
 * @disk: recommended size of a disk in MiB
 * @chipset: recommended chipset
 * @disk_controller: for hard disks
 * @dvd_controller: for optical drives
 * @ioapic: needs an I/O APIC
 * @hpet: wants the HPET
 * @pae: needs PAE
 * @rtc_utc: expects the hardware clock in UTC
 * @floppy: usually installed from a floppy disk
 * @usb: has drivers for USB
 * @usb3: has a driver for a USB 3.0 controller
 * @usb_tablet: has a desktop that takes a USB tablet as its pointer
 * @icon: name of an icon, "os-debian"
 *
 * All strings are static.
 */
typedef struct {
    const char *id;
    const char *family_id;
    const char *family;
    const char *description;
    gboolean is_64bit;
    guint memory;
    guint vram;
    guint disk;
    VitrineChipset chipset;
    VitrineControllerType disk_controller;
    VitrineControllerType dvd_controller;
    gboolean ioapic;
    gboolean hpet;
    gboolean pae;
    gboolean rtc_utc;
    gboolean floppy;
    gboolean usb;
    gboolean usb3;
    gboolean usb_tablet;
    const char *icon;
} VitrineOsType;

#define VITRINE_TYPE_OS_TYPE (vitrine_os_type_get_type())
GType vitrine_os_type_get_type(void);

/* Number of types; vitrine_os_type_nth() takes 0 to this - 1. Sorted by family, then as people
 * expect them; "Other" families are last. */
guint vitrine_os_type_count(void);
/**
 * vitrine_os_type_nth:
 * Returns: (transfer none) (nullable): the type, static
 */
const VitrineOsType *vitrine_os_type_nth(guint index);
/**
 * vitrine_os_type_find:
 * @id: (nullable): identifier, compared without case
 * Returns: (transfer none) (nullable): the type, static; %NULL when it is not known
 */
const VitrineOsType *vitrine_os_type_find(const char *id);
/**
 * vitrine_os_type_guess:
 * @name: (nullable): what a user typed as the machine's name, or a file's name
 * Returns: (transfer none) (nullable): the type that the words in it mean, if any
 */
const VitrineOsType *vitrine_os_type_guess(const char *name);

/* Sets os-type and all that the type recommends, within what this version can run: an IDE
 * controller with an optical drive; no disk. */
void vitrine_os_type_apply(const VitrineOsType *type, VitrineSettings *settings);

/**
 * VITRINE_CPUS_MAX:
 *
 * The most virtual CPUs that a machine of this version runs with; settings may name more.
 */
#define VITRINE_CPUS_MAX 8

/* What the host has: physical memory in MiB and logical CPUs. */
guint vitrine_host_memory(void);
guint vitrine_host_cpus(void);
/**
 * vitrine_host_nested_paging:
 * Returns: 1 or 0 as the kernel's hardware virtualization uses nested paging or not; -1: it has
 * none
 */
int vitrine_host_nested_paging(void);
/**
 * vitrine_host_vpid:
 * Returns: the same for TLB entries that are tagged by virtual CPU (VPID, ASID)
 */
int vitrine_host_vpid(void);

G_END_DECLS
