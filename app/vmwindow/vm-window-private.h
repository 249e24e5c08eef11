/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the VM window share. */
#pragma once

#include "app/vmwindow/vm-input.h"
#include "app/vmwindow/vm-status.h"
#include "app/vmwindow/vm-window.h"

/* Keys of the machine's extra data, "on" or "off". */
#define VM_WINDOW_FULLSCREEN_DATA "GUI/Fullscreen"
#define VM_WINDOW_SCALE_DATA "GUI/Scale"
#define VM_WINDOW_STATUS_BAR_DATA "GUI/StatusBar/Enabled"

struct _VmWindow {
    GtkApplicationWindow parent;
    VitrineClient *client;
    VitrineMachine *machine;
    VitrineConsole *console; /* NULL: not connected */
    GCancellable *cancel;

    /* From the template. */
    GtkBox *menu_place, *content;
    GtkInfoBar *hint_bar, *error_bar, *work_bar;
    GtkProgressBar *work_progress;
    GtkLabel *hint_label, *error_label, *work_label;
    GtkScrolledWindow *scroller;
    GtkOverlay *overlay;
    GtkRevealer *toolbar, *leave_hint;
    GtkLabel *toolbar_title, *leave_label;

    VmDisplay *display;
    VmInput *input;
    VmStatus *status;
    GtkWidget *information; /* NULL: not open */
    GMenu *devices, *optical_menu, *floppy_menu, *usb_menu;
    GPtrArray *catalog;      /* of VitrineDevice; NULL: not known yet */
    gboolean catalog_wanted; /* it was asked for */
    gboolean has_usb;        /* the machine has a USB controller */
    GStrv usb_remotes;       /* addresses of remote USB devices that its settings have; or NULL */
    GtkWidget *menu_bar;
    VitrineProgress *work; /* saves or restores the state; NULL: neither is being done */
    gboolean restoring;    /* it restores */

    gboolean connecting, following; /* following: the window takes the guest's size */
    gboolean fullscreen, scaled;
    gboolean hint_shown; /* the host key was explained once */
    gboolean ending;     /* the machine is going: close without a question */
    gboolean detachable, detached;
    guint toolbar_timer, leave_timer;
};

/* Destroys the window, without a question. */
void vm_window_end(VmWindow *window);

/* vm-window-actions.c: all "win." actions. */
void vm_window_add_actions(VmWindow *window);
/* After the state of the machine or the view changed. */
void vm_window_update_actions(VmWindow *window);
gboolean vm_window_run_combo(VmWindow *window, guint keyval);
/* The menu's check mark, which full screen does not change. */
gboolean vm_window_wants_status_bar(VmWindow *window);

/* vm-window-media.c: the Devices menu and the choice of media. */
void vm_window_add_media_actions(VmWindow *window);
void vm_window_refresh_media(VmWindow *window);

/* vm-window-disks.c: hard disks that come and go while the machine runs. */
void vm_window_add_disk_actions(VmWindow *window);
void vm_window_fill_disks(VmWindow *window, VitrineSettings *settings);

/* vm-window-network.c: what the Devices menu and the status bar have of network cards. */
void vm_window_add_network_actions(VmWindow *window);
void vm_window_fill_audio(VmWindow *window, VitrineSettings *settings);
void vm_window_add_audio_actions(VmWindow *window);
void vm_window_fill_network(VmWindow *window, VitrineSettings *settings);

/* vm-window-usb.c: the same of USB devices of the host and of remote ones. */
void vm_window_add_usb_actions(VmWindow *window);
void vm_window_fill_usb(VmWindow *window, VitrineSettings *settings);
void vm_window_refresh_usb(VmWindow *window);

/* vm-window-view.c: full screen, scaled, size. */
void vm_window_set_fullscreen(VmWindow *window, gboolean fullscreen);
void vm_window_set_scaled(VmWindow *window, gboolean scaled);
void vm_window_adjust(VmWindow *window);
/* When the widgets have their new sizes; not in scaled mode. */
void vm_window_adjust_later(VmWindow *window);
void vm_window_connect_view(VmWindow *window);
/* Shows or hides a bar; the window grows and shrinks with it, so that the picture keeps its size.
 */
void vm_window_show_bar(VmWindow *window, GtkInfoBar *bar, gboolean shown);
/* Tells something across the picture, for three seconds. */
void vm_window_show_hint(VmWindow *window, const char *text);

/* vm-window-memory.c: place, view mode and status bar, from one time to the next. Shows the window
 * when they are known. */
void vm_window_remember(VmWindow *window);
void vm_window_keep(VmWindow *window, const char *key, gboolean on);

/* vm-window-work.c */
void vm_window_save_state(VmWindow *window);
void vm_window_connect_work(VmWindow *window);
/* Once the machine is known. */
void vm_window_watch_restore(VmWindow *window);
/* FALSE: there is nothing to cancel. */
gboolean vm_window_cancel_restore(VmWindow *window);
void vm_window_forget_work(VmWindow *window);

/* vm-window-dialogs.c: close, errors. */
void vm_window_ask_close(VmWindow *window);
void vm_window_show_error(VmWindow *window, const char *summary, const GError *error);
void vm_window_show_triple_fault(VmWindow *window, const char *log_file);
void vm_window_save_screenshot(VmWindow *window);
void vm_window_do(VmWindow *window, VitrineConsoleAction action);
