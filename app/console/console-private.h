/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One running machine: what the files of this room share. Everything belongs to the session's
 * thread (the one in console_run_main()) unless a comment says otherwise. */
#pragma once

#include "app/api/vitrine-vm-session.h"
#include "app/api/vitrine.h"
#include "app/console/console-display.h"
#include "app/console/console-input.h"
#include "app/console/console-log.h"
#include "devices/machine.h"
#include "vmm/vmm.h"

/* A drive of the machine, by its name in the settings and its place in the configuration. */
typedef struct {
    char *controller;
    guint port, device;
    VitrineMediumKind kind;
    char *medium; /* the UUID of what the user has put into it; "": no image */
    MachinePlace place;
} ConsoleDrive;

/* What a person is to hear. */
typedef struct {
    char *id, *text;
} ConsoleNote;

typedef struct {
    GMainContext *context;
    GMainLoop *loop;
    VitrineClient *client;
    VitrineMachine *machine;
    VitrineVmSession *session;
    VitrineSettings *settings;
    ConsoleLog *log;
    char *log_path;

    CfgmNode *config;
    PdmRegistry *registry;
    ConsoleDisplay *display;
    ConsoleInput *input;
    GArray *drives;     /* ConsoleDrive */
    GPtrArray *usb;     /* devices from outside that the machine has; console-usb.c */
    GArray *notes;      /* ConsoleNote: told when the machine runs; NULL: that was done */
    GPtrArray *strings; /* that the spec borrows while the configuration is built */
    Vmm *vmm;
    MachinePlace sound_place; /* device NULL: no card */
    bool is_heard, is_listening;

    VitrineMachineState state;       /* last one reported */
    gpointer job;                    /* a save or load that is under way; console-state.c */
    gpointer merge;                  /* images of a disk that are being merged; console-merge.c */
    const PdmMediaConnector *merged; /* the disk whose merge is not settled; NULL: none */
    bool resume_after_save, ends_saved;
    GError *problem; /* why the machine did not come to run although it was served */
    GSource *engine_watch;
} Console;

/* console-config.c: the configuration tree and the drives from the settings. BASE_ERROR or
 * VITRINE_ERROR. */
bool console_config_build(Console *console, GError **error);

/* console-registry.c: all devices and drivers. Modules that are left out are told to problem (may
 * be NULL). built_in (may be NULL): how many of the devices, the first ones, are the program's own.
 * NULL with an error of BASE_ERROR. */
PdmRegistry *console_registry_new(void (*problem)(void *user, const char *message), void *user,
                                  size_t *built_in, GError **error);

/* console-storage.c: what the settings say of controllers (MachineController) and drives
 * (MachineMedium, with open descriptors). */
bool console_storage_describe(Console *console, GArray *controllers, GArray *media, GError **error);

/* console-media.c: descriptors of what is in the drives. */
bool console_media_open(Console *console, const VitrineAttachment *attachment,
                        MachineMedium *medium, GError **error);
/* The same of images that are open: takes their descriptors. */
void console_media_describe(Console *console, const VitrineAttachment *attachment,
                            GPtrArray *images, MachineMedium *medium);
bool console_media_change(Console *console, const char *controller, guint port, guint device,
                          bool force, GPtrArray *images, GError **error);
/* Notes the drive, which is at this place of the configuration. */
void console_media_add(Console *console, const VitrineAttachment *attachment, MachinePlace place);
void console_media_activity(Console *console, VitrineActivity *activity);
void console_network_activity(Console *console, VitrineActivity *activity);
/* The drive of this name; NULL: none. */
ConsoleDrive *console_media_find(const Console *console, const char *controller, guint port,
                                 guint device);
/* Of its driver; NULL: none. */
const PdmMediaConnector *console_media_connector(const Console *console, const ConsoleDrive *drive);

/* The hard disk in the drive of this name; NULL with error: none. */
const PdmMediaConnector *console_media_disk(const Console *console, const char *controller,
                                            guint port, guint device, GError **error);

/* console-eject.c: media that the guest ejects. */
/* This drive tells of them. */
void console_eject_watch(Console *console, const ConsoleDrive *drive);
/* A guest has ejected media: the service hears from which drives. */
void console_eject_tell(Console *console);
/* For VitrineVmOps: a service that came after another hears of all that have been ejected. */
void console_eject_tell_again(gpointer data);
/* What the next function asks; no drive comes or goes as long as it is there. */
GPtrArray *console_eject_list(const Console *console);
/* Which of them the guest has ejected the medium of, as a saved state's STATE_TAIL_EJECTED; NULL:
 * none. From any thread. */
GBytes *console_eject_record(const GPtrArray *list);

/* console-plug.c: for VitrineVmOps. */
gboolean console_plug_drive(gpointer data, const VitrineAttachment *attachment, GPtrArray *images,
                            GError **error);
gboolean console_unplug_drive(gpointer data, const char *controller, guint port, guint device,
                              GError **error);

/* console-state.c: for VitrineVmOps. */
void console_state_save(gpointer data, int file, gboolean live, GPtrArray *disks, GTask *task);
void console_state_cancel(gpointer data);
void console_state_end_save(gpointer data, gboolean done);
/* Begins to load the saved state, if there is one; the machine runs when it is loaded. */
bool console_state_load(Console *console, bool *loading, GError **error);
/* Gives up what is under way, and returns when it has ended. */
void console_state_end(Console *console);

/* console-merge.c: for VitrineVmOps. */
void console_merge_images(gpointer data, const VitrineMerge *merge, GTask *asked);
void console_merge_cancel(gpointer data);
gboolean console_merge_end(gpointer data, gboolean done, GError **error);
/* Gives up what is under way, and returns when it has ended. */
void console_merge_finish(Console *console);

/* console-run.c */
bool console_run_power_on(Console *console, GError **error);

/* console-ports.c: serial and parallel ports, before and after the configuration is built. */
void console_ports_describe(Console *console, MachineSpec *spec);
bool console_ports_connect(Console *console, GError **error);
/* console-network.c: cards, and what is behind their cables. */
/* console-sound.c */
void console_sound_describe(Console *console, MachineSound *sound);
/* The machine is made: what it is heard through is to be in time. */
void console_sound_start(Console *console);
gboolean console_sound_set(gpointer data, gboolean input, gboolean on, GError **error);
void console_sound_activity(Console *console, VitrineActivity *activity);

/* console-usb.c: devices from outside. */
GPtrArray *console_usb_new(void);
/* They were detached. */
void console_usb_clear(Console *console);
/* For VitrineVmOps. Takes node and capture. */
gboolean console_usb_attach(gpointer data, const char *id, const char *title, int node, int capture,
                            GError **error);
void console_usb_detach(gpointer data, const char *id);
/* Waits until the host has all of them. tell: the person hears why. */
void console_usb_detach_all(Console *console, bool tell);
void console_usb_activity(Console *console, VitrineActivity *activity);

/* console-keep.c: a number or a switch that was changed while the machine runs. */
void console_keep_setting(Console *console, const char *property, guint value);

bool console_network_describe(Console *console, MachineSpec *spec, GError **error);
/* For VitrineVmOps. */
gboolean console_network_change(gpointer data, guint slot, const VitrineAdapter *adapter,
                                gboolean rewire, gboolean retrace, GError **error);

/* console-ops.c: what clients ask for. */
extern const VitrineVmOps console_ops;

/* console-events.c: what the VMM tells. */
VmmEvents console_events(Console *console);
GArray *console_notes_new(void);
/* A person is to hear this: at once, or when the machine runs, as nobody listens before. */
void console_tell(Console *console, const char *id, const char *text);
/* The machine runs. */
void console_tell_notes(Console *console);
/* For PdmMediaConnector.watch_ejects. */
void console_medium_ejected(void *user);
void console_set_state(Console *console, VitrineMachineState state);

/* The same error in the Main API's domain. */
void console_translate_error(GError **error);
