/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keyboard and pointer: what goes to the guest, what stays here, and the capture of both. GTK's
 * device grab becomes the compositor's shortcut inhibition under Wayland. */
#include "app/vmwindow/vm-input.h"

#include "app/vmwindow/vm-keymap.h"

#include <math.h>

struct _VmInput {
    GObject parent;
    GtkWindow *window; /* they own us */
    VmDisplay *display;
    VitrineConsole *console;
    guint host_key;
    gboolean host_down;         /* the host key is held */
    gboolean host_used;         /* and made a command with another key */
    guint combo_code;           /* that key, until it is let go; 0: none */
    gboolean keyboard, pointer; /* captured */
    guint buttons;              /* VitrineButtons that are down */
    double last_x, last_y;      /* of the pointer, captured */
    gboolean warped;            /* the next motion is our own warp */
    double scroll, scroll_x;    /* parts of a wheel step */
};

G_DEFINE_FINAL_TYPE(VmInput, vm_input, G_TYPE_OBJECT)

enum { SIGNAL_CAPTURED, SIGNAL_HOST_COMBO, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

/* --- keys to the guest --- */
static void
send_key(VmInput *input, guint keycode, gboolean press)
{
    guint8 codes[8];
    guint length = vm_keymap_scancodes(keycode, press, codes);

    if (length > 0 && input->console)
        vitrine_console_put_scancodes(input->console, codes, length);
}

void
vm_input_send_keys(VmInput *input, const guint *keycodes)
{
    guint count = 0;

    for (; keycodes[count]; count++)
        send_key(input, keycodes[count], TRUE);
    while (count--)
        send_key(input, keycodes[count], FALSE);
}

/* --- capture --- */
static GdkCursor *
blank_cursor(VmInput *input)
{
    return gdk_cursor_new_for_display(gtk_widget_get_display(GTK_WIDGET(input->display)),
                                      GDK_BLANK_CURSOR);
}

static void
centre_pointer(VmInput *input)
{
    GtkWidget *widget = GTK_WIDGET(input->display);
    GdkSeat *seat = gdk_display_get_default_seat(gtk_widget_get_display(widget));
    int x, y;

    input->last_x = gtk_widget_get_allocated_width(widget) / 2;
    input->last_y = gtk_widget_get_allocated_height(widget) / 2;
    gdk_window_get_root_coords(gtk_widget_get_window(widget), (int)input->last_x,
                               (int)input->last_y, &x, &y);
    input->warped = TRUE;
    gdk_device_warp(gdk_seat_get_pointer(seat), gtk_widget_get_screen(widget), x, y);
}

static void
set_captured(VmInput *input, gboolean keyboard, gboolean pointer)
{
    if (input->keyboard == keyboard && input->pointer == pointer)
        return;
    input->keyboard = keyboard;
    input->pointer = pointer;
    g_signal_emit(input, signals[SIGNAL_CAPTURED], 0, keyboard, pointer);
}

static gboolean
guest_is_relative(VmInput *input)
{
    return input->console && !vitrine_console_get_mouse_absolute(input->console);
}

static void
capture(VmInput *input)
{
    GtkWidget *widget = GTK_WIDGET(input->display);
    GdkSeat *seat = gdk_display_get_default_seat(gtk_widget_get_display(widget));
    gboolean pointer = guest_is_relative(input);
    GdkSeatCapabilities what =
        GDK_SEAT_CAPABILITY_KEYBOARD | (pointer ? GDK_SEAT_CAPABILITY_ALL_POINTING : 0);
    g_autoptr(GdkCursor) cursor = pointer ? blank_cursor(input) : NULL;

    gtk_widget_grab_focus(widget);
    if (gdk_seat_grab(seat, gtk_widget_get_window(widget), what, TRUE, cursor, NULL, NULL, NULL) !=
        GDK_GRAB_SUCCESS)
        return;
    if (pointer)
        centre_pointer(input);
    set_captured(input, TRUE, pointer);
}

void
vm_input_release(VmInput *input)
{
    GtkWidget *widget = GTK_WIDGET(input->display);

    if (input->keyboard || input->pointer)
        gdk_seat_ungrab(gdk_display_get_default_seat(gtk_widget_get_display(widget)));
    set_captured(input, FALSE, FALSE);
}

gboolean
vm_input_get_captured(VmInput *input)
{
    return input->keyboard || input->pointer;
}

/* --- keys from the person --- */
static gboolean
host_key_pressed(VmInput *input)
{
    if (!input->host_down) {
        input->host_down = TRUE;
        input->host_used = FALSE;
    }
    return GDK_EVENT_STOP;
}

static gboolean
host_key_released(VmInput *input)
{
    gboolean tapped = input->host_down && !input->host_used;

    input->host_down = FALSE;
    if (tapped && vm_input_get_captured(input))
        vm_input_release(input);
    else if (tapped)
        capture(input);
    return GDK_EVENT_STOP;
}

static gboolean
display_has_focus(VmInput *input)
{
    return gtk_window_get_focus(input->window) == GTK_WIDGET(input->display);
}

static gboolean
on_key(GtkWidget *window, GdkEventKey *event, VmInput *input)
{
    gboolean press = event->type == GDK_KEY_PRESS, handled = FALSE;

    if (!display_has_focus(input) && !input->host_down)
        return GDK_EVENT_PROPAGATE;
    if (event->keyval == input->host_key)
        return press ? host_key_pressed(input) : host_key_released(input);
    if (press && input->host_down) {
        input->host_used = TRUE;
        input->combo_code = event->hardware_keycode;
        g_signal_emit(input, signals[SIGNAL_HOST_COMBO], 0, event->keyval, &handled);
        return GDK_EVENT_STOP;
    }
    /* A key that was down before the host key is still the guest's. */
    if (!press && event->hardware_keycode == input->combo_code) {
        input->combo_code = 0;
        return GDK_EVENT_STOP;
    }
    send_key(input, event->hardware_keycode, press);
    return GDK_EVENT_STOP;
}

static gboolean
on_focus_out(GtkWidget *widget, GdkEventFocus *event, VmInput *input)
{
    input->host_down = FALSE;
    vm_input_release(input);
    if (input->console)
        vitrine_console_release_keys(input->console);
    return GDK_EVENT_PROPAGATE;
}

/* --- pointer --- */
static guint
button_bit(guint button)
{
    switch (button) {
    case GDK_BUTTON_PRIMARY: return VITRINE_BUTTON_LEFT;
    case GDK_BUTTON_MIDDLE: return VITRINE_BUTTON_MIDDLE;
    case GDK_BUTTON_SECONDARY: return VITRINE_BUTTON_RIGHT;
    case 8: return VITRINE_BUTTON_BACK;
    case 9: return VITRINE_BUTTON_FORWARD;
    default: return 0;
    }
}

static void
send_pointer(VmInput *input, double x, double y, int dx, int dy, int dz, int dw)
{
    int guest_x, guest_y;

    if (!input->console)
        return;
    if (!guest_is_relative(input)) {
        vm_display_to_guest(input->display, x, y, &guest_x, &guest_y);
        vitrine_console_mouse_absolute(input->console, 0, guest_x, guest_y, dz, dw, input->buttons);
    } else if (input->pointer) {
        vitrine_console_mouse_relative(input->console, dx, dy, dz, dw, input->buttons);
    }
}

static gboolean
on_button(GtkWidget *widget, GdkEventButton *event, VmInput *input)
{
    guint bit = button_bit(event->button);

    if (event->type != GDK_BUTTON_PRESS && event->type != GDK_BUTTON_RELEASE)
        return GDK_EVENT_STOP; /* the guest counts clicks by itself */
    gtk_widget_grab_focus(widget);
    if (event->type == GDK_BUTTON_PRESS && guest_is_relative(input) && !input->pointer) {
        capture(input); /* this click is ours */
        return GDK_EVENT_STOP;
    }
    if (event->type == GDK_BUTTON_PRESS)
        input->buttons |= bit;
    else
        input->buttons &= ~bit;
    send_pointer(input, event->x, event->y, 0, 0, 0, 0);
    return GDK_EVENT_STOP;
}

/* Far from the middle the pointer is put back there, so that it never meets an edge. */
static void
keep_inside(VmInput *input, double x, double y)
{
    int width = gtk_widget_get_allocated_width(GTK_WIDGET(input->display));
    int height = gtk_widget_get_allocated_height(GTK_WIDGET(input->display));

    if (fabs(x - width / 2.0) > width / 4.0 || fabs(y - height / 2.0) > height / 4.0)
        centre_pointer(input);
}

static gboolean
on_motion(GtkWidget *widget, GdkEventMotion *event, VmInput *input)
{
    int dx = (int)(event->x - input->last_x), dy = (int)(event->y - input->last_y);

    if (input->warped && fabs(event->x - input->last_x) < 2 && fabs(event->y - input->last_y) < 2) {
        input->warped = FALSE;
        return GDK_EVENT_STOP;
    }
    if (!input->pointer) {
        send_pointer(input, event->x, event->y, 0, 0, 0, 0);
        return GDK_EVENT_STOP;
    }
    input->last_x = event->x;
    input->last_y = event->y;
    if (dx || dy)
        send_pointer(input, event->x, event->y, dx, dy, 0, 0);
    keep_inside(input, event->x, event->y);
    return GDK_EVENT_STOP;
}

/* Whole steps of a sum that smooth scrolling adds to. */
static int
whole_steps(double *sum, double delta)
{
    int steps;

    *sum += delta;
    steps = (int)*sum;
    *sum -= steps;
    return steps;
}

static gboolean
on_scroll(GtkWidget *widget, GdkEventScroll *event, VmInput *input)
{
    int dz = 0, dw = 0;

    switch (event->direction) {
    case GDK_SCROLL_UP: dz = -1; break;
    case GDK_SCROLL_DOWN: dz = 1; break;
    case GDK_SCROLL_LEFT: dw = -1; break;
    case GDK_SCROLL_RIGHT: dw = 1; break;
    case GDK_SCROLL_SMOOTH:
        dz = whole_steps(&input->scroll, event->delta_y);
        dw = whole_steps(&input->scroll_x, event->delta_x);
        break;
    }
    if (dz || dw)
        send_pointer(input, event->x, event->y, 0, 0, dz, dw);
    return GDK_EVENT_STOP;
}

/* --- life --- */
void
vm_input_set_console(VmInput *input, VitrineConsole *console)
{
    if (!console)
        vm_input_release(input);
    g_set_object(&input->console, console);
}

void
vm_input_set_host_key(VmInput *input, guint keyval)
{
    input->host_key = keyval;
    input->host_down = FALSE;
}

guint
vm_input_get_host_key(VmInput *input)
{
    return input->host_key;
}

static void
vm_input_dispose(GObject *object)
{
    VmInput *input = VM_INPUT(object);

    g_clear_object(&input->console);
    G_OBJECT_CLASS(vm_input_parent_class)->dispose(object);
}

static void
vm_input_class_init(VmInputClass *class)
{
    G_OBJECT_CLASS(class)->dispose = vm_input_dispose;
    signals[SIGNAL_CAPTURED] =
        g_signal_new("captured", VM_TYPE_INPUT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                     2, G_TYPE_BOOLEAN, G_TYPE_BOOLEAN);
    signals[SIGNAL_HOST_COMBO] =
        g_signal_new("host-combo", VM_TYPE_INPUT, G_SIGNAL_RUN_LAST, 0,
                     g_signal_accumulator_true_handled, NULL, NULL, G_TYPE_BOOLEAN, 1, G_TYPE_UINT);
}

static void
vm_input_init(VmInput *input)
{
    input->host_key = GDK_KEY_Control_R;
}

VmInput *
vm_input_new(GtkWindow *window, VmDisplay *display)
{
    VmInput *input = g_object_new(VM_TYPE_INPUT, NULL);

    input->window = window;
    input->display = display;
    g_signal_connect_object(window, "key-press-event", G_CALLBACK(on_key), input, 0);
    g_signal_connect_object(window, "key-release-event", G_CALLBACK(on_key), input, 0);
    g_signal_connect_object(display, "focus-out-event", G_CALLBACK(on_focus_out), input, 0);
    g_signal_connect_object(display, "button-press-event", G_CALLBACK(on_button), input, 0);
    g_signal_connect_object(display, "button-release-event", G_CALLBACK(on_button), input, 0);
    g_signal_connect_object(display, "motion-notify-event", G_CALLBACK(on_motion), input, 0);
    g_signal_connect_object(display, "scroll-event", G_CALLBACK(on_scroll), input, 0);
    return input;
}
