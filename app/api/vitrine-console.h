/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineConsole: a connection to a running machine. Properties, read-only and notified:
 * machine-id, state (VitrineMachineState), engine (string), keyboard-leds (uint), mouse-absolute,
 * mouse-relative (boolean), closed (boolean).
 *
 * Signals, in the main context in which it was opened:
 *   surface-replaced (uint screen): fetch its surface again
 *   screens-changed (): the number or sizes of screens
 *   runtime-error (boolean fatal, string id, string message)
 *   triple-fault (string log file)
 *   show-requested (): a window of this machine should come to the front
 *   closed (): the VM process is gone, or has ended the machine */
#pragma once

#include "app/api/vitrine-surface.h"
#include "app/api/vitrine-types.h"

G_BEGIN_DECLS

#define VITRINE_TYPE_CONSOLE (vitrine_console_get_type())
G_DECLARE_FINAL_TYPE(VitrineConsole, vitrine_console, VITRINE, CONSOLE, GObject)

typedef enum {
    VITRINE_LED_NUM = 1 << 0,
    VITRINE_LED_CAPS = 1 << 1,
    VITRINE_LED_SCROLL = 1 << 2,
} VitrineLeds;

typedef enum {
    VITRINE_BUTTON_LEFT = 1 << 0,
    VITRINE_BUTTON_RIGHT = 1 << 1,
    VITRINE_BUTTON_MIDDLE = 1 << 2,
    VITRINE_BUTTON_BACK = 1 << 3,
    VITRINE_BUTTON_FORWARD = 1 << 4,
} VitrineButtons;

/* Calls without arguments and results: one function for each form. */
typedef enum {
    VITRINE_CONSOLE_PAUSE,
    VITRINE_CONSOLE_RESUME,
    VITRINE_CONSOLE_RESET,
    VITRINE_CONSOLE_POWER_OFF,
    VITRINE_CONSOLE_ACPI_POWER_BUTTON,
    VITRINE_CONSOLE_ACPI_SLEEP_BUTTON,
} VitrineConsoleAction;

const char *vitrine_console_get_machine_id(VitrineConsole *console);
VitrineMachineState vitrine_console_get_state(VitrineConsole *console);
/* "IEM", "REM" ...; "" before the first instruction. */
const char *vitrine_console_get_engine(VitrineConsole *console);
VitrineLeds vitrine_console_get_keyboard_leds(VitrineConsole *console);
gboolean vitrine_console_get_mouse_absolute(VitrineConsole *console);
gboolean vitrine_console_get_mouse_relative(VitrineConsole *console);
gboolean vitrine_console_get_closed(VitrineConsole *console);

guint vitrine_console_get_screen_count(VitrineConsole *console);
/**
 * vitrine_console_get_screen:
 * @width: (out) (optional): pixels
 * @height: (out) (optional): pixels
 * Returns: whether this screen is on.
 */
gboolean vitrine_console_get_screen(VitrineConsole *console, guint screen, guint *width,
                                    guint *height);

/* Power-off and reset return when they are done; the others when the machine has been told.
 * VITRINE_ERROR_STATE when the machine cannot do it in its present state. */
gboolean vitrine_console_do_sync(VitrineConsole *console, VitrineConsoleAction action,
                                 GCancellable *cancellable, GError **error);
void vitrine_console_do_async(VitrineConsole *console, VitrineConsoleAction action,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data);
gboolean vitrine_console_do_finish(VitrineConsole *console, GAsyncResult *result, GError **error);

/* Input is sent at once and never waits; what a machine that isn't running gets is dropped. */

/**
 * vitrine_console_put_scancodes:
 * @codes: (array length=length): scan code set 1, E0 and E1 prefixes included
 * @length: bytes; more than 256 are sent in several messages
 */
void vitrine_console_put_scancodes(VitrineConsole *console, const guint8 *codes, gsize length);
/* Releases every key that the guest believes to be down. */
void vitrine_console_release_keys(VitrineConsole *console);
/* buttons: VitrineButtons that are down. dz: wheel steps, positive towards the person; dw:
 * horizontal, positive to the right. */
void vitrine_console_mouse_relative(VitrineConsole *console, int dx, int dy, int dz, int dw,
                                    guint buttons);
/* x, y: pixels of the screen, from 0. */
void vitrine_console_mouse_absolute(VitrineConsole *console, guint screen, int x, int y, int dz,
                                    int dw, guint buttons);
/* Waits until all that was sent before has arrived in the VM process. */
gboolean vitrine_console_flush_sync(VitrineConsole *console, GCancellable *cancellable,
                                    GError **error);

/* Types text (US layout) and returns when it is typed; VITRINE_ERROR_INVALID for a character that
 * this layout does not have. */
gboolean vitrine_console_put_string_sync(VitrineConsole *console, const char *text,
                                         GCancellable *cancellable, GError **error);
void vitrine_console_put_string_async(VitrineConsole *console, const char *text,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
gboolean vitrine_console_put_string_finish(VitrineConsole *console, GAsyncResult *result,
                                           GError **error);

/**
 * vitrine_console_open_surface_sync:
 * Returns: (transfer full): the screen's picture; it follows all changes, also of its size
 */
VitrineSurface *vitrine_console_open_surface_sync(VitrineConsole *console, guint screen,
                                                  GCancellable *cancellable, GError **error);
void vitrine_console_open_surface_async(VitrineConsole *console, guint screen,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
/**
 * vitrine_console_open_surface_finish:
 * Returns: (transfer full): as vitrine_console_open_surface_sync()
 */
VitrineSurface *vitrine_console_open_surface_finish(VitrineConsole *console, GAsyncResult *result,
                                                    GError **error);

/**
 * vitrine_console_set_execution_cap_sync:
 * @percent: of a host CPU that each virtual CPU may take, 1 to 100; until the machine ends
 */
gboolean vitrine_console_set_execution_cap_sync(VitrineConsole *console, guint percent,
                                                GCancellable *cancellable, GError **error);
void vitrine_console_set_execution_cap_async(VitrineConsole *console, guint percent,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_console_set_execution_cap_finish(VitrineConsole *console, GAsyncResult *result,
                                                  GError **error);

/**
 * vitrine_console_set_audio_sync:
 * @input: whether the guest may listen; else whether it is heard
 * @on: yes or no; kept in the machine's settings
 */
gboolean vitrine_console_set_audio_sync(VitrineConsole *console, gboolean input, gboolean on,
                                        GCancellable *cancellable, GError **error);
void vitrine_console_set_audio_async(VitrineConsole *console, gboolean input, gboolean on,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean vitrine_console_set_audio_finish(VitrineConsole *console, GAsyncResult *result,
                                          GError **error);

/**
 * vitrine_console_screenshot_png_sync:
 * Returns: (transfer full): a PNG file of the screen
 */
GBytes *vitrine_console_screenshot_png_sync(VitrineConsole *console, guint screen,
                                            GCancellable *cancellable, GError **error);
void vitrine_console_screenshot_png_async(VitrineConsole *console, guint screen,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
/**
 * vitrine_console_screenshot_png_finish:
 * Returns: (transfer full): a PNG file of the screen
 */
GBytes *vitrine_console_screenshot_png_finish(VitrineConsole *console, GAsyncResult *result,
                                              GError **error);

/* Says that this client shows the machine in a window, for as long as it is connected. */
void vitrine_console_attach_window(VitrineConsole *console);

/* Asks the machine's windows to come to the front. */

/**
 * vitrine_console_show_window_sync:
 * Returns: whether the machine has a window; %FALSE with @error unset when it has none
 */
gboolean vitrine_console_show_window_sync(VitrineConsole *console, GCancellable *cancellable,
                                          GError **error);
void vitrine_console_show_window_async(VitrineConsole *console, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_console_show_window_finish:
 * Returns: as vitrine_console_show_window_sync()
 */
gboolean vitrine_console_show_window_finish(VitrineConsole *console, GAsyncResult *result,
                                            GError **error);

/* Indicators: how often each class of device has read and written since the start. A window asks
 * ten times a second and shows what moved. */
typedef enum {
    VITRINE_ACTIVITY_HARD_DISK,
    VITRINE_ACTIVITY_OPTICAL,
    VITRINE_ACTIVITY_FLOPPY,
    VITRINE_ACTIVITY_NETWORK,
    VITRINE_ACTIVITY_AUDIO,
    VITRINE_ACTIVITY_USB,
    VITRINE_ACTIVITY_SHARED_FOLDER,
    VITRINE_ACTIVITY_DISPLAY,
    VITRINE_ACTIVITY_COUNT,
} VitrineActivityClass;

typedef struct {
    guint64 reads[VITRINE_ACTIVITY_COUNT];
    guint64 writes[VITRINE_ACTIVITY_COUNT];
} VitrineActivity;

/**
 * vitrine_console_get_activity_sync: (skip)
 * @activity: filled in
 */
gboolean vitrine_console_get_activity_sync(VitrineConsole *console, VitrineActivity *activity,
                                           GCancellable *cancellable, GError **error);
void vitrine_console_get_activity_async(VitrineConsole *console, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_console_get_activity_finish: (skip)
 * @activity: filled in
 */
gboolean vitrine_console_get_activity_finish(VitrineConsole *console, GAsyncResult *result,
                                             VitrineActivity *activity, GError **error);

/* What the debugger's `info NAME` prints; name "": the list of names. */
char *vitrine_console_get_info_sync(VitrineConsole *console, const char *name,
                                    GCancellable *cancellable, GError **error);
void vitrine_console_get_info_async(VitrineConsole *console, const char *name,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
char *vitrine_console_get_info_finish(VitrineConsole *console, GAsyncResult *result,
                                      GError **error);

G_END_DECLS
