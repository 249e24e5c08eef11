/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The machine that run-guest's options ask for: drives, sound, USB, network cards, settings by
 * their paths. */
#include "tests/lib/run-guest-describe.h"

#include <string.h>

#define USB_DRIVE "storage:"

/* The kinds of controllers that --bus names. */
typedef struct {
    const char *name;
    MachineBus bus;
    bool optical; /* takes the CD drive too */
} BusName;

static const BusName bus_names[] = {
    {"ide", MACHINE_BUS_IDE, true},
    {"sata", MACHINE_BUS_SATA, true},
    {"nvme", MACHINE_BUS_NVME, false},
    {"sas", MACHINE_BUS_SAS, true},
    {"scsi", MACHINE_BUS_SCSI, true},
    {"virtio-blk", MACHINE_BUS_VIRTIO_BLK, false},
    {"virtio-scsi", MACHINE_BUS_VIRTIO_SCSI, true},
    {"usb", MACHINE_BUS_USB, true},
};

static const BusName *
find_bus(const char *name, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bus_names); i++) {
        if (name == NULL || strcmp(bus_names[i].name, name) == 0)
            return &bus_names[i];
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no bus \"%s\"", name);
    return NULL;
}

/* Where the drives are: primary master and slave, secondary master; or ports 0, 1 and 2. */
static MachineMedium
at_bus(const BusName *bus, unsigned index, PdmMediaType type, const char *path)
{
    const bool ide = bus->bus == MACHINE_BUS_IDE;

    return (MachineMedium){
        .bus = bus->bus,
        .port = ide ? index / 2 : index,
        .device = ide ? index % 2 : 0,
        .type = type,
        .path = path,
        .discard = type == PDM_MEDIA_DISK,
    };
}

static bool
describe_media(Run *run, size_t *count, GError **error)
{
    const RunOptions *options = &run->options;
    const BusName *bus = find_bus(options->bus, error);
    MachineMedium *media = run->media;

    if (bus == NULL)
        return false;
    if (options->disk != NULL)
        *media++ = at_bus(bus, 0, PDM_MEDIA_DISK, options->disk);
    if (options->disk2 != NULL)
        *media++ = at_bus(bus, 1, PDM_MEDIA_DISK, options->disk2);
    if (options->cdrom != NULL)
        *media++ = at_bus(bus->optical ? bus : &bus_names[0], 2, PDM_MEDIA_OPTICAL, options->cdrom);
    if (options->floppy != NULL)
        *media++ = (MachineMedium){
            .bus = MACHINE_BUS_FLOPPY, .type = PDM_MEDIA_FLOPPY, .path = options->floppy};
    *count = (size_t)(media - run->media);
    return true;
}

/* CARD[,BACKEND[:FILE]]; what the guest plays is heard, and it hears what is said. */
static void
describe_sound(Run *run, MachineSound *sound)
{
    g_auto(GStrv) words = NULL;

    if (run->options.sound == NULL)
        return;
    run->sound = g_strsplit(run->options.sound, ",", 2);
    *sound = (MachineSound){.card = run->sound[0], .output = true, .input = true};
    if (run->sound[1] == NULL)
        return;
    words = g_strsplit(run->sound[1], ":", 2);
    g_free(run->sound[1]);
    run->sound[1] = g_strdup(words[0]);
    sound->backend = run->sound[1];
    sound->file = words[1] ? strstr(run->options.sound, ":") + 1 : NULL;
}

/* Sets what a list with commas names. */
static bool
choose(const char *list, const char *const *names, bool *const *flags, GError **error)
{
    g_auto(GStrv) words = g_strsplit(list != NULL ? list : "", ",", -1);

    for (char **word = words; *word != NULL; word++) {
        unsigned i = 0;

        while (names[i] != NULL && strcmp(names[i], *word) != 0)
            i++;
        if (names[i] == NULL) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no USB \"%s\"", *word);
            return false;
        }
        *flags[i] = true;
    }
    return true;
}

/* Takes the drives out of the list of devices: "storage:FILE". Returns the others. */
static char *
take_usb_drives(Run *run, size_t *count)
{
    const char *list = run->options.usb_devices;
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    unsigned port = 0;

    run->usb_words = g_strsplit(list != NULL ? list : "", ",", -1);
    for (char **word = run->usb_words; *word != NULL; word++) {
        if (!g_str_has_prefix(*word, USB_DRIVE) || *count == RUN_MEDIA_MAX) {
            g_ptr_array_add(others, *word);
            continue;
        }
        run->media[(*count)++] = (MachineMedium){
            .bus = MACHINE_BUS_USB,
            .port = port++,
            .type = PDM_MEDIA_DISK,
            .path = *word + strlen(USB_DRIVE),
        };
    }
    g_ptr_array_add(others, NULL);
    return g_strjoinv(",", (char **)others->pdata);
}

static bool
describe_usb(Run *run, MachineSpec *spec, GError **error)
{
    MachineUsb *usb = &spec->usb;
    g_autofree char *others = take_usb_drives(run, &spec->media_count);
    static const char *const controllers[] = {"ohci", "ehci", "xhci", NULL};
    static const char *const devices[] = {"tablet", "mouse", "keyboard", "hub", NULL};
    bool *const controller_flags[] = {&usb->ohci, &usb->ehci, &usb->xhci};
    bool *const device_flags[] = {&usb->tablet, &usb->mouse, &usb->keyboard, &usb->hub};

    return choose(run->options.usb, controllers, controller_flags, error) &&
           choose(others, devices, device_flags, error);
}

/* "Devices/virtio-net/0/Config/Interface=legacy", as extra data has such keys. */
static bool
apply_settings(char **settings, CfgmNode *root, GError **error)
{
    for (; settings != NULL && *settings != NULL; settings++) {
        g_auto(GStrv) halves = g_strsplit(*settings, "=", 2);
        g_autofree char *node = g_path_get_dirname(halves[0]);
        g_autofree char *key = g_path_get_basename(halves[0]);

        if (halves[1] == NULL) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" is no PATH=VALUE",
                        *settings);
            return false;
        }
        cfgm_set_string(cfgm_make(root, node), key, halves[1]);
    }
    return true;
}

bool
run_describe(Run *run, GError **error)
{
    const RunOptions *options = &run->options;
    MachineSpec spec;

    machine_spec_init(&spec);
    spec.ram_size = (uint64_t)MAX(options->ram, 1) << 20;
    spec.cpus = (unsigned)MAX(options->cpus, 1);
    spec.engine = run_mix_first(&run->mix, options->engine);
    spec.cpu_profile = options->profile;
    spec.boot_order = options->boot;
    spec.firmware = options->firmware;
    spec.deterministic = options->deterministic;
    spec.hpet = options->hpet;
    spec.ioapic = !options->no_ioapic;
    spec.boot_menu = false; /* nobody is there to press a key */
    spec.display_driver = RUN_DISPLAY_DRIVER;
    if (options->debug != NULL)
        spec.debug_driver = RUN_CHAR_DRIVER;
    if (options->serial != NULL)
        spec.serial[0] = (MachinePort){.enabled = true, .driver = RUN_CHAR_DRIVER};
    describe_sound(run, &spec.sound);
    spec.media = run->media;
    if (!run_network_init(&run->network, options->nics, error))
        return false;
    memcpy(spec.adapters, run->network.adapters, sizeof(spec.adapters));
    if (!describe_media(run, &spec.media_count, error) || !describe_usb(run, &spec, error))
        return false;
    return machine_build_config(&spec, run->config, error) &&
           apply_settings(options->settings, run->config, error);
}
