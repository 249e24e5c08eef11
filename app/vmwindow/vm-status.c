/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The status bar of a VM window. An indicator is dim while idle and bright while its device works;
 * its tooltip tells the numbers. */
#include "app/vmwindow/vm-status.h"

#include "app/widgets/widget-template.h"

#include <glib/gi18n.h>

#define POLL_MS 100
#define POLLS_PER_LOAD 10
#define IDLE_OPACITY 0.45

struct _VmStatus {
    GtkBox parent;
    GtkWidget *disk, *optical, *floppy, *network, *audio, *usb, *display, *mouse, *keyboard;
    GtkLabel *disk_mark, *optical_mark, *floppy_mark, *network_mark, *audio_mark, *usb_mark,
        *engine, *host_key;
    GtkImage *audio_image;
    VitrineConsole *console;
    char *devices[VITRINE_ACTIVITY_COUNT]; /* NULL: none of that class */
    VitrineActivity last;
    GCancellable *cancel;
    guint poll, polls;
};

G_DEFINE_FINAL_TYPE(VmStatus, vm_status, GTK_TYPE_BOX)

static GtkWidget *
indicator(VmStatus *status, VitrineActivityClass class)
{
    switch (class) {
    case VITRINE_ACTIVITY_HARD_DISK: return status->disk;
    case VITRINE_ACTIVITY_OPTICAL: return status->optical;
    case VITRINE_ACTIVITY_FLOPPY: return status->floppy;
    case VITRINE_ACTIVITY_NETWORK: return status->network;
    case VITRINE_ACTIVITY_AUDIO: return status->audio;
    case VITRINE_ACTIVITY_USB: return status->usb;
    case VITRINE_ACTIVITY_DISPLAY: return status->display;
    default: return NULL;
    }
}

/* The shape that goes with the brightness: an arrow out of the drive or into it, from the network
 * or loudspeakers and microphone or to them. */
static GtkLabel *
mark(VmStatus *status, VitrineActivityClass class)
{
    switch (class) {
    case VITRINE_ACTIVITY_HARD_DISK: return status->disk_mark;
    case VITRINE_ACTIVITY_OPTICAL: return status->optical_mark;
    case VITRINE_ACTIVITY_NETWORK: return status->network_mark;
    case VITRINE_ACTIVITY_AUDIO: return status->audio_mark;
    case VITRINE_ACTIVITY_USB: return status->usb_mark;
    default: return status->floppy_mark;
    }
}

static const char *
activity_mark(VitrineActivityClass class, gboolean reading, gboolean writing)
{
    if (class == VITRINE_ACTIVITY_NETWORK || class == VITRINE_ACTIVITY_AUDIO) /* it goes out */
        return reading && writing ? "↕" : writing ? "↑" : reading ? "↓" : "";
    return writing ? "↓" : reading ? "↑" : "";
}

/* What the device does, and its numbers; the caller's. */
static char *
activity_text(const VitrineActivity *now, VitrineActivityClass class, gboolean reading,
              gboolean writing)
{
    const gboolean network = class == VITRINE_ACTIVITY_NETWORK;
    /* gettext cannot see through the format macros: the numbers are texts by then. */
    g_autofree char *reads = g_strdup_printf("%" G_GUINT64_FORMAT, now->reads[class]);
    g_autofree char *writes = g_strdup_printf("%" G_GUINT64_FORMAT, now->writes[class]);
    const char *does = _("Idle");

    if (class == VITRINE_ACTIVITY_AUDIO)
        return g_strdup(reading && writing ? _("Playing and recording")
                        : writing          ? _("Playing")
                        : reading          ? _("Recording")
                                           : does);
    if (writing)
        does = network ? _("Sending") : _("Writing");
    else if (reading)
        does = network ? _("Receiving") : _("Reading");
    return g_strdup_printf(network ? _("%s: %s frames received, %s sent")
                                   : _("%s: %s reads, %s writes"),
                           does, reads, writes);
}

static void
show_activity(VmStatus *status, const VitrineActivity *now, VitrineActivityClass class)
{
    GtkWidget *widget = indicator(status, class);
    gboolean reading = now->reads[class] != status->last.reads[class];
    gboolean writing = now->writes[class] != status->last.writes[class];
    g_autofree char *tooltip = NULL, *text = NULL;

    if (!widget)
        return;
    gtk_widget_set_opacity(widget, reading || writing ? 1.0 : IDLE_OPACITY);
    if (class == VITRINE_ACTIVITY_DISPLAY)
        return;
    gtk_label_set_text(mark(status, class), activity_mark(class, reading, writing));
    text = activity_text(now, class, reading, writing);
    tooltip = g_strdup_printf("%s\n%s", status->devices[class] ? status->devices[class] : "", text);
    gtk_widget_set_tooltip_text(widget, tooltip);
}

static void
on_activity(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmStatus) status = data;
    VitrineActivity now;

    if (!vitrine_console_get_activity_finish(VITRINE_CONSOLE(source), result, &now, NULL) ||
        status->console != VITRINE_CONSOLE(source))
        return;
    for (guint class = 0; class < VITRINE_ACTIVITY_COUNT; class ++)
        show_activity(status, &now, class);
    status->last = now;
}

static void
show_engine(VmStatus *status)
{
    const char *engine = status->console ? vitrine_console_get_engine(status->console) : "";
    g_autofree char *tooltip = g_strdup_printf(_("Execution engine: %s"), engine);

    gtk_label_set_text(status->engine, engine);
    gtk_widget_set_tooltip_text(GTK_WIDGET(status->engine), *engine ? tooltip : NULL);
}

static gboolean
on_poll(gpointer data)
{
    VmStatus *status = data;

    vitrine_console_get_activity_async(status->console, status->cancel, on_activity,
                                       g_object_ref(status));
    if (status->polls++ % POLLS_PER_LOAD == 0)
        show_engine(status);
    return G_SOURCE_CONTINUE;
}

static void
drop_console(VmStatus *status)
{
    g_cancellable_cancel(status->cancel);
    g_clear_object(&status->cancel);
    g_clear_handle_id(&status->poll, g_source_remove);
    g_clear_object(&status->console);
}

void
vm_status_set_console(VmStatus *status, VitrineConsole *console)
{
    drop_console(status);
    g_set_object(&status->console, console);
    memset(&status->last, 0, sizeof(status->last));
    show_engine(status);
    if (!console)
        return;
    status->cancel = g_cancellable_new();
    status->poll = g_timeout_add(POLL_MS, on_poll, status);
}

static VitrineActivityClass
class_of(VitrineMediumKind kind)
{
    switch (kind) {
    case VITRINE_MEDIUM_KIND_DVD: return VITRINE_ACTIVITY_OPTICAL;
    case VITRINE_MEDIUM_KIND_FLOPPY: return VITRINE_ACTIVITY_FLOPPY;
    default: return VITRINE_ACTIVITY_HARD_DISK;
    }
}

/* devices: a line for each; "": there are none, and no indicator. */
static void
set_devices(VmStatus *status, VitrineActivityClass class, const char *devices)
{
    g_free(status->devices[class]);
    status->devices[class] = g_strdup(devices);
    gtk_widget_set_visible(indicator(status, class), *devices != '\0');
    show_activity(status, &status->last, class);
}

void
vm_status_set_drives(VmStatus *status, VitrineMediumKind kind, const char *drives)
{
    set_devices(status, class_of(kind), drives);
}

void
vm_status_set_network(VmStatus *status, const char *cards, GMenuModel *menu)
{
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(status->network), menu);
    set_devices(status, VITRINE_ACTIVITY_NETWORK, cards);
}

void
vm_status_set_audio(VmStatus *status, const char *card, gboolean heard, GMenuModel *menu)
{
    gtk_image_set_from_icon_name(
        status->audio_image, heard ? "audio-volume-high-symbolic" : "audio-volume-muted-symbolic",
        GTK_ICON_SIZE_BUTTON);
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(status->audio), menu);
    set_devices(status, VITRINE_ACTIVITY_AUDIO, card);
}

void
vm_status_set_usb(VmStatus *status, const char *devices, GMenuModel *menu)
{
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(status->usb), menu);
    set_devices(status, VITRINE_ACTIVITY_USB, devices);
}

void
vm_status_set_disk_menu(VmStatus *status, GMenuModel *menu)
{
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(status->disk), menu);
}

void
vm_status_set_media_menus(VmStatus *status, GMenuModel *optical, GMenuModel *floppy)
{
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(status->optical), optical);
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(status->floppy), floppy);
}

static void
show_capture(GtkWidget *image, gboolean captured, const char *yes, const char *no)
{
    gtk_widget_set_opacity(image, captured ? 1.0 : IDLE_OPACITY);
    gtk_widget_set_tooltip_text(image, captured ? yes : no);
}

void
vm_status_set_captured(VmStatus *status, gboolean keyboard, gboolean pointer)
{
    show_capture(status->keyboard, keyboard, _("The keyboard is captured"),
                 _("The keyboard is not captured"));
    show_capture(status->mouse, pointer, _("The pointer is captured"),
                 _("The pointer is not captured"));
}

void
vm_status_set_host_key(VmStatus *status, const char *name)
{
    g_autofree char *tooltip =
        g_strdup_printf(_("Host key: %s captures and releases keyboard and pointer"), name);

    gtk_label_set_text(status->host_key, name);
    gtk_widget_set_tooltip_text(GTK_WIDGET(status->host_key), tooltip);
}

GtkWidget *
vm_status_new(void)
{
    return g_object_new(VM_TYPE_STATUS, NULL);
}

static void
vm_status_dispose(GObject *object)
{
    VmStatus *status = VM_STATUS(object);

    drop_console(status);
    for (guint class = 0; class < VITRINE_ACTIVITY_COUNT; class ++)
        g_clear_pointer(&status->devices[class], g_free);
    G_OBJECT_CLASS(vm_status_parent_class)->dispose(object);
}

static void
vm_status_class_init(VmStatusClass *class)
{
    static const WidgetChild children[] = {
        {"disk", G_STRUCT_OFFSET(VmStatus, disk)},
        {"optical", G_STRUCT_OFFSET(VmStatus, optical)},
        {"floppy", G_STRUCT_OFFSET(VmStatus, floppy)},
        {"network", G_STRUCT_OFFSET(VmStatus, network)},
        {"audio", G_STRUCT_OFFSET(VmStatus, audio)},
        {"audio_image", G_STRUCT_OFFSET(VmStatus, audio_image)},
        {"audio_mark", G_STRUCT_OFFSET(VmStatus, audio_mark)},
        {"usb", G_STRUCT_OFFSET(VmStatus, usb)},
        {"usb_mark", G_STRUCT_OFFSET(VmStatus, usb_mark)},
        {"display", G_STRUCT_OFFSET(VmStatus, display)},
        {"mouse", G_STRUCT_OFFSET(VmStatus, mouse)},
        {"keyboard", G_STRUCT_OFFSET(VmStatus, keyboard)},
        {"disk_mark", G_STRUCT_OFFSET(VmStatus, disk_mark)},
        {"optical_mark", G_STRUCT_OFFSET(VmStatus, optical_mark)},
        {"floppy_mark", G_STRUCT_OFFSET(VmStatus, floppy_mark)},
        {"network_mark", G_STRUCT_OFFSET(VmStatus, network_mark)},
        {"engine", G_STRUCT_OFFSET(VmStatus, engine)},
        {"host_key", G_STRUCT_OFFSET(VmStatus, host_key)},
    };

    G_OBJECT_CLASS(class)->dispose = vm_status_dispose;
    widget_class_set_template(GTK_WIDGET_CLASS(class), "vmwindow/vm-status.ui", children,
                              G_N_ELEMENTS(children));
}

static void
vm_status_init(VmStatus *status)
{
    gtk_widget_init_template(GTK_WIDGET(status));
    vm_status_set_captured(status, FALSE, FALSE);
    gtk_widget_set_opacity(status->display, IDLE_OPACITY);
    gtk_widget_set_opacity(status->disk, IDLE_OPACITY);
    gtk_widget_set_opacity(status->optical, IDLE_OPACITY);
    gtk_widget_set_opacity(status->floppy, IDLE_OPACITY);
    gtk_widget_set_opacity(status->network, IDLE_OPACITY);
    gtk_widget_set_opacity(status->audio, IDLE_OPACITY);
    gtk_widget_set_opacity(status->usb, IDLE_OPACITY);
}
