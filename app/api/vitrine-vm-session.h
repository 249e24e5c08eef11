/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineVmSession: the VM process's end of the service. Locks the machine, gives out descriptors
 * for all that the machine opens, reports its state, and serves its console socket. Only the VM
 * process (app/console) uses it.
 *
 * Order of a start: new_sync (locks; state starting) - open_log, load settings, open_attachment,
 * open_port - set up the machine - vitrine_vm_session_serve() - set_state(running) ... set_state()
 * with each change ... finish(). On failure before running: report_start_error(), then unref.
 *
 * Everything is done in the main context that was the thread's default in new_sync(): make one for
 * the session's thread, so that a window in the same process never waits for it. When the service
 * dies the session starts it anew and locks the machine again; the machine runs on meanwhile. */
#pragma once

#include "app/api/vitrine-client.h"

G_BEGIN_DECLS

/**
 * VitrineImagePart: (skip)
 * @name: of the file beside the image; owned
 * @descriptor: whoever takes it (sets -1) closes it
 */
typedef struct {
    char *name;
    int descriptor;
} VitrineImagePart;

/* The format of an image that is a drive of the host: its medium comes and goes. */
#define VITRINE_IMAGE_HOST_DRIVE "HostDrive"

/**
 * VitrineImage: (skip)
 * @id: UUID; owned
 * @location: path, for messages only; owned
 * @format: "VDI", "RAW" ...; owned
 * @descriptor: open file or host drive; whoever takes it (sets -1) closes it
 * @read_only: opened for reading only
 * @parts: (element-type VitrineImagePart): the other files of an image in several; or %NULL
 */
typedef struct {
    char *id;
    char *location;
    char *format;
    int descriptor;
    gboolean read_only;
    GPtrArray *parts;
} VitrineImage;

/**
 * VitrineDiskChild: (skip)
 * @controller: name; owned
 * @image: what takes the writes of the disk in this drive from now on
 */
typedef struct {
    char *controller;
    guint port, device;
    VitrineImage image;
} VitrineDiskChild;

/**
 * VitrineSaved: (skip)
 * @pause_ns: how long the guest stood
 * @switched: how many disks have their new image, the first ones
 * @problem: "" or why there is no state although disks were switched; owned
 */
typedef struct {
    guint64 pause_ns;
    guint switched;
    char *problem;
} VitrineSaved;
void vitrine_saved_free(VitrineSaved *saved);

/**
 * VitrineMerge: (skip)
 * @controller: of the disk
 * @levels: how many images its chain has
 * @from: counted from 0, the newest image; see PdmMediaConnector.merge_images()
 * @target: (nullable): image @to, open for writing; the callee may take its descriptor
 */
typedef struct {
    const char *controller;
    guint port, device;
    guint levels, from, to;
    VitrineImage *target;
} VitrineMerge;

/* What the VM process does when a client asks. Functions are called in the session's main context
 * with the data of vitrine_vm_session_serve(); those with an error return FALSE and set it
 * (VITRINE_ERROR). The ones that return void must not block. Any may be NULL: not supported. */
typedef struct {
    gboolean (*action)(gpointer data, VitrineConsoleAction action, GError **error);
    void (*put_scancodes)(gpointer data, const guint8 *codes, gsize length);
    /* Types text; calls task's return function (boolean) when it is all typed. Takes task. */
    void (*put_string)(gpointer data, const char *text, GTask *task);
    void (*release_keys)(gpointer data);
    void (*mouse_relative)(gpointer data, int dx, int dy, int dz, int dw, guint buttons);
    void (*mouse_absolute)(gpointer data, guint screen, int x, int y, int dz, int dw,
                           guint buttons);
    /* Returns the screen's shared memory: a descriptor that stays the callee's; -1 with error. */
    int (*get_surface)(gpointer data, guint screen, GError **error);
    GBytes *(*screenshot_png)(gpointer data, guint screen, GError **error);
    void (*get_activity)(gpointer data, VitrineActivity *activity);
    char *(*get_info)(gpointer data, const char *name, GError **error);
    gboolean (*set_execution_cap)(gpointer data, guint percent, GError **error);
    gboolean (*set_audio)(gpointer data, gboolean input, gboolean on, GError **error);
    /* images: base first, (element-type VitrineImage), empty to take the medium out; the callee may
     * take descriptors out of it. From the service, when a drive's medium changes. */
    gboolean (*change_medium)(gpointer data, const char *controller, guint port, guint device,
                              gboolean force, GPtrArray *images, GError **error);
    /* A drive comes or goes while the machine runs; images as for change_medium. */
    gboolean (*plug_drive)(gpointer data, const VitrineAttachment *attachment, GPtrArray *images,
                           GError **error);
    gboolean (*unplug_drive)(gpointer data, const char *controller, guint port, guint device,
                             GError **error);
    /* A service has come in the place of another one: vitrine_vm_session_medium_ejected() of all
     * drives from which the guest has ejected what the user has put there. */
    void (*tell_ejects)(gpointer data);
    /* See org.vitrine.VmProcess.ChangeAdapter. */
    gboolean (*change_adapter)(gpointer data, guint slot, const VitrineAdapter *adapter,
                               gboolean rewire, gboolean retrace, GError **error);
    /* See org.vitrine.VmProcess.AttachUsb. node, and capture unless -1: open, the callee's, also
     * when it fails. */
    gboolean (*attach_usb)(gpointer data, const char *device, const char *title, int node,
                           int capture, GError **error);
    /* vitrine_vm_session_usb_released() follows. */
    void (*detach_usb)(gpointer data, const char *device);
    /* Saves the state to file, which is the callee's; see org.vitrine.VmProcess.SaveState. disks:
     * (element-type VitrineDiskChild), the callee may take descriptors out of it. Takes task, which
     * returns a VitrineSaved, when it is done. */
    void (*save_state)(gpointer data, int file, gboolean live, GPtrArray *disks, GTask *task);
    /* Also of loading the saved state; nothing when neither is under way. */
    void (*cancel_save)(gpointer data);
    /* The machine ends, or goes on. Also when the service went meanwhile. */
    void (*end_save)(gpointer data, gboolean done);
    /* See org.vitrine.VmProcess.MergeImages. merge is valid during the call. Takes task, which
     * returns a boolean. */
    void (*merge_images)(gpointer data, const VitrineMerge *merge, GTask *task);
    void (*cancel_merge)(gpointer data);
    /* After a merge that went well. Also when the service went meanwhile. */
    gboolean (*end_merge)(gpointer data, gboolean done, GError **error);
} VitrineVmOps;

#define VITRINE_TYPE_VM_SESSION (vitrine_vm_session_get_type())
G_DECLARE_FINAL_TYPE(VitrineVmSession, vitrine_vm_session, VITRINE, VM_SESSION, GObject)

/**
 * vitrine_vm_session_new_sync: (skip)
 * @client: a client made in this thread's default main context
 * @machine: the machine
 * @type: "gui" or "headless"
 *
 * Locks the machine for this process. VITRINE_ERROR_BUSY when another process has it.
 */
VitrineVmSession *vitrine_vm_session_new_sync(VitrineClient *client, VitrineMachine *machine,
                                              const char *type, GError **error);
VitrineMachine *vitrine_vm_session_get_machine(VitrineVmSession *session);

/**
 * vitrine_vm_session_open_log: (skip)
 * @path: (out): where it is; owned by the caller
 * Returns: an open, empty log file; earlier ones were renamed; -1 with error.
 */
int vitrine_vm_session_open_log(VitrineVmSession *session, char **path, GError **error);

/**
 * vitrine_vm_session_open_attachment: (skip)
 * Returns: (transfer full) (element-type VitrineImage): the chain in this drive, base first; empty
 *   when no medium is in it; %NULL with @error set
 */
GPtrArray *vitrine_vm_session_open_attachment(VitrineVmSession *session, const char *controller,
                                              guint port, guint device, GError **error);

typedef enum {
    VITRINE_PORT_STREAM,   /* read and write; a connected socket, a device, a pseudo terminal */
    VITRINE_PORT_LISTENER, /* a listening socket: accept one connection at a time */
    VITRINE_PORT_OUTPUT,   /* write only */
} VitrinePortRole;

/**
 * vitrine_vm_session_open_uart: (skip)
 * @role: (out): what the descriptor is
 * @detail: (out): name of the pseudo terminal's slave, else ""; owned by the caller
 * Returns: a descriptor, the caller's; -1 with @error set
 */
int vitrine_vm_session_open_uart(VitrineVmSession *session, guint slot, VitrinePortRole *role,
                                 char **detail, GError **error);
int vitrine_vm_session_open_lpt(VitrineVmSession *session, guint slot, GError **error);
/**
 * vitrine_vm_session_open_adapter: (skip)
 * @warning: (out): what of the card's settings cannot be had, else ""; owned by the caller
 * Returns: a frame socket, the caller's; -1 with @error set
 */
int vitrine_vm_session_open_adapter(VitrineVmSession *session, guint slot, char **warning,
                                    GError **error);
/* The file that a card's frames are recorded in, the caller's; -1 with error. */
int vitrine_vm_session_open_trace(VitrineVmSession *session, guint slot, GError **error);

/* Opens the console socket and tells the service that clients may come. ops stays the caller's and
 * must outlive the session. */
gboolean vitrine_vm_session_serve(VitrineVmSession *session, const VitrineVmOps *ops, gpointer data,
                                  GError **error);

/* The following may be called from any thread. */
void vitrine_vm_session_set_state(VitrineVmSession *session, VitrineMachineState state);
void vitrine_vm_session_set_engine(VitrineVmSession *session, const char *engine);
void vitrine_vm_session_set_keyboard_leds(VitrineVmSession *session, VitrineLeds leds);
void vitrine_vm_session_set_mouse(VitrineVmSession *session, gboolean relative, gboolean absolute);
/* Sizes in pixels; enabled FALSE: the screen is off. */
void vitrine_vm_session_set_screen(VitrineVmSession *session, guint screen, guint width,
                                   guint height, gboolean enabled);
/* Wakes readers after dirty_head or the cursor moved. Cheap. */
void vitrine_vm_session_surface_updated(VitrineVmSession *session, guint screen);
/* get_surface() now gives another file. */
void vitrine_vm_session_surface_replaced(VitrineVmSession *session, guint screen);
void vitrine_vm_session_runtime_error(VitrineVmSession *session, gboolean fatal, const char *id,
                                      const char *message);
/* Together with set_state(STUCK). */
void vitrine_vm_session_triple_fault(VitrineVmSession *session, const char *log_file);
/* The guest took the medium out of a drive. */
void vitrine_vm_session_medium_ejected(VitrineVmSession *session, const char *controller,
                                       guint port, guint device);

/* The host has a USB device again. In the session's thread. */
void vitrine_vm_session_usb_released(VitrineVmSession *session, const char *device);

/* Percent of a save or a merge that is under way. */
void vitrine_vm_session_set_save_progress(VitrineVmSession *session, guint percent);

/**
 * vitrine_vm_session_open_state: (skip)
 * @file: (out): the saved state to continue from, the caller's; -1: there is none
 */
gboolean vitrine_vm_session_open_state(VitrineVmSession *session, int *file, GError **error);
/* The state is loaded: it is over once this returns TRUE, and only then may the guest run. */
gboolean vitrine_vm_session_state_loaded(VitrineVmSession *session, GError **error);

/* Whoever asked for the start gets this error. Waits until the service has it. */
void vitrine_vm_session_report_start_error(VitrineVmSession *session, const GError *error);

/* Gives the machine back in this state (powered off, saved, aborted), after all clients were told.
 * Waits until the service has it. */
void vitrine_vm_session_finish(VitrineVmSession *session, VitrineMachineState state);

/* For a VM process that fails before it has a session (the machine is locked, say): the same
 * as report_start_error(). */
void vitrine_machine_report_start_error(VitrineMachine *machine, const GError *error);

G_END_DECLS
