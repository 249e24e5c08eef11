/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A live thumbnail reads the machine's shared screen; it looks at most twice a second, and only
 * while it is shown. That of a saved machine is asked for once. */
#include "app/widgets/widget-thumbnail.h"

#include "app/widgets/widget-format.h"
#include "app/widgets/widget-picture.h"

#include <math.h>

#define LOOK_MS 500
#define ICON_SHARE 0.8 /* of the smaller side */

struct _WidgetThumbnail {
    GtkDrawingArea parent;
    VitrineMachine *machine;
    VitrineConsole *console;
    VitrineSurface *surface;
    GCancellable *cancel;
    cairo_surface_t *saved;   /* the screen when the state was saved */
    GCancellable *saved_load; /* of it */
    gulong state_handler, saved_handler, change_handler;
    guint redraw; /* waits for the next look */
};

G_DEFINE_FINAL_TYPE(WidgetThumbnail, widget_thumbnail, GTK_TYPE_DRAWING_AREA)

static void
disconnect(WidgetThumbnail *thumbnail)
{
    if (thumbnail->cancel)
        g_cancellable_cancel(thumbnail->cancel);
    g_clear_object(&thumbnail->cancel);
    if (thumbnail->surface)
        g_signal_handlers_disconnect_by_data(thumbnail->surface, thumbnail);
    g_clear_object(&thumbnail->surface);
    g_clear_object(&thumbnail->console);
    g_clear_handle_id(&thumbnail->redraw, g_source_remove);
}

static gboolean
on_look(gpointer data)
{
    WidgetThumbnail *thumbnail = data;
    VitrineRect rect;

    thumbnail->redraw = 0;
    vitrine_surface_take_damage(thumbnail->surface, &rect, 1);
    gtk_widget_queue_draw(GTK_WIDGET(thumbnail));
    return G_SOURCE_REMOVE;
}

static void
on_updated(VitrineSurface *surface, WidgetThumbnail *thumbnail)
{
    if (!thumbnail->redraw)
        thumbnail->redraw = g_timeout_add(LOOK_MS, on_look, thumbnail);
}

static void
on_surface(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(WidgetThumbnail) thumbnail = data;
    g_autoptr(VitrineSurface) surface =
        vitrine_console_open_surface_finish(VITRINE_CONSOLE(source), result, NULL);

    if (!surface || thumbnail->console != VITRINE_CONSOLE(source))
        return;
    g_set_object(&thumbnail->surface, surface);
    g_signal_connect(surface, "updated", G_CALLBACK(on_updated), thumbnail);
    g_signal_connect(surface, "resized", G_CALLBACK(on_updated), thumbnail);
    gtk_widget_queue_draw(GTK_WIDGET(thumbnail));
}

static void
on_console(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(WidgetThumbnail) thumbnail = data;
    g_autoptr(VitrineConsole) console =
        vitrine_machine_open_console_finish(VITRINE_MACHINE(source), result, NULL);

    if (!console || thumbnail->machine != VITRINE_MACHINE(source) || !thumbnail->cancel)
        return;
    g_set_object(&thumbnail->console, console);
    vitrine_console_open_surface_async(console, 0, thumbnail->cancel, on_surface,
                                       g_object_ref(thumbnail));
}

static void
follow(WidgetThumbnail *thumbnail)
{
    gboolean live = thumbnail->machine && gtk_widget_get_mapped(GTK_WIDGET(thumbnail)) &&
                    vitrine_machine_get_console_available(thumbnail->machine);

    if (live == (thumbnail->cancel != NULL))
        return;
    disconnect(thumbnail);
    if (live) {
        thumbnail->cancel = g_cancellable_new();
        vitrine_machine_open_console_async(thumbnail->machine, thumbnail->cancel, on_console,
                                           g_object_ref(thumbnail));
    }
    gtk_widget_queue_draw(GTK_WIDGET(thumbnail));
}

/* --- of a saved state --- */

static void
forget_saved(WidgetThumbnail *thumbnail)
{
    if (thumbnail->saved_load)
        g_cancellable_cancel(thumbnail->saved_load);
    g_clear_object(&thumbnail->saved_load);
    g_clear_pointer(&thumbnail->saved, cairo_surface_destroy);
    gtk_widget_queue_draw(GTK_WIDGET(thumbnail));
}

static void
on_saved_picture(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(WidgetThumbnail) thumbnail = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) png =
        vitrine_machine_load_state_picture_finish(VITRINE_MACHINE(source), result, &error);

    if (!png || thumbnail->machine != VITRINE_MACHINE(source) || !thumbnail->saved_load)
        return;
    g_clear_pointer(&thumbnail->saved, cairo_surface_destroy);
    thumbnail->saved = widget_picture_from_png(png);
    gtk_widget_queue_draw(GTK_WIDGET(thumbnail));
}

static void
follow_saved(WidgetThumbnail *thumbnail)
{
    VitrineMachineState state = thumbnail->machine ? vitrine_machine_get_state(thumbnail->machine)
                                                   : VITRINE_MACHINE_STATE_POWERED_OFF;
    gboolean is_saved = state == VITRINE_MACHINE_STATE_SAVED ||
                        state == VITRINE_MACHINE_STATE_ABORTED_SAVED ||
                        state == VITRINE_MACHINE_STATE_RESTORING;

    if (is_saved == (thumbnail->saved_load != NULL))
        return;
    forget_saved(thumbnail);
    if (!is_saved)
        return;
    thumbnail->saved_load = g_cancellable_new();
    vitrine_machine_load_state_picture_async(thumbnail->machine, "", thumbnail->saved_load,
                                             on_saved_picture, g_object_ref(thumbnail));
}

static void
on_state(VitrineMachine *machine, GParamSpec *property, WidgetThumbnail *thumbnail)
{
    follow_saved(thumbnail);
}

/* A restored snapshot may bring another state to a machine that stays saved. */
static void
on_state_change(VitrineMachine *machine, GParamSpec *property, WidgetThumbnail *thumbnail)
{
    forget_saved(thumbnail);
    follow_saved(thumbnail);
}

static void
on_available(VitrineMachine *machine, GParamSpec *property, WidgetThumbnail *thumbnail)
{
    follow(thumbnail);
}

void
widget_thumbnail_set_machine(WidgetThumbnail *thumbnail, VitrineMachine *machine)
{
    if (thumbnail->machine == machine)
        return;
    disconnect(thumbnail);
    forget_saved(thumbnail);
    if (thumbnail->machine) {
        g_clear_signal_handler(&thumbnail->state_handler, thumbnail->machine);
        g_clear_signal_handler(&thumbnail->saved_handler, thumbnail->machine);
        g_clear_signal_handler(&thumbnail->change_handler, thumbnail->machine);
    }
    g_set_object(&thumbnail->machine, machine);
    if (machine) {
        thumbnail->state_handler = g_signal_connect(machine, "notify::console-available",
                                                    G_CALLBACK(on_available), thumbnail);
        thumbnail->saved_handler =
            g_signal_connect(machine, "notify::state", G_CALLBACK(on_state), thumbnail);
        thumbnail->change_handler = g_signal_connect(machine, "notify::last-state-change",
                                                     G_CALLBACK(on_state_change), thumbnail);
    }
    follow(thumbnail);
    follow_saved(thumbnail);
    gtk_widget_queue_draw(GTK_WIDGET(thumbnail));
}

/* --- drawing --- */

static gboolean
draw_screen(WidgetThumbnail *thumbnail, cairo_t *cr, int width, int height)
{
    const guint32 *pixels =
        thumbnail->surface ? vitrine_surface_get_pixels(thumbnail->surface) : NULL;
    guint guest_width, guest_height;
    cairo_surface_t *picture;

    if (!pixels || !vitrine_surface_get_enabled(thumbnail->surface))
        return FALSE;
    guest_width = vitrine_surface_get_width(thumbnail->surface);
    guest_height = vitrine_surface_get_height(thumbnail->surface);
    picture = cairo_image_surface_create_for_data(
        (unsigned char *)pixels, CAIRO_FORMAT_RGB24, (int)guest_width, (int)guest_height,
        (int)vitrine_surface_get_stride(thumbnail->surface)); /* only read */
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_paint(cr);
    widget_picture_draw(cr, picture, guest_width, guest_height, width, height);
    cairo_surface_destroy(picture);
    return TRUE;
}

static gboolean
draw_saved(const WidgetThumbnail *thumbnail, cairo_t *cr, int width, int height)
{
    if (!thumbnail->saved)
        return FALSE;
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_paint(cr);
    widget_picture_draw(cr, thumbnail->saved, cairo_image_surface_get_width(thumbnail->saved),
                        cairo_image_surface_get_height(thumbnail->saved), width, height);
    return TRUE;
}

static void
draw_icon(WidgetThumbnail *thumbnail, cairo_t *cr, int width, int height)
{
    GtkWidget *widget = GTK_WIDGET(thumbnail);
    const char *name = widget_os_icon(vitrine_machine_get_os_type(thumbnail->machine));
    int size = (int)(MIN(width, height) * ICON_SHARE), scale = gtk_widget_get_scale_factor(widget);
    cairo_surface_t *icon;

    if (!vitrine_machine_get_accessible(thumbnail->machine))
        name = "dialog-warning";
    icon = gtk_icon_theme_load_surface(gtk_icon_theme_get_default(), name, size, scale,
                                       gtk_widget_get_window(widget), GTK_ICON_LOOKUP_FORCE_SIZE,
                                       NULL);
    if (!icon)
        return;
    cairo_set_source_surface(cr, icon, floor((width - size) / 2.0), floor((height - size) / 2.0));
    cairo_paint(cr);
    cairo_surface_destroy(icon);
}

static gboolean
widget_thumbnail_draw(GtkWidget *widget, cairo_t *cr)
{
    WidgetThumbnail *thumbnail = WIDGET_THUMBNAIL(widget);
    int width = gtk_widget_get_allocated_width(widget),
        height = gtk_widget_get_allocated_height(widget);

    if (thumbnail->machine && !draw_screen(thumbnail, cr, width, height) &&
        !draw_saved(thumbnail, cr, width, height))
        draw_icon(thumbnail, cr, width, height);
    return GDK_EVENT_PROPAGATE;
}

static void
widget_thumbnail_map(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(widget_thumbnail_parent_class)->map(widget);
    follow(WIDGET_THUMBNAIL(widget));
}

static void
widget_thumbnail_unmap(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(widget_thumbnail_parent_class)->unmap(widget);
    follow(WIDGET_THUMBNAIL(widget));
}

static void
widget_thumbnail_dispose(GObject *object)
{
    widget_thumbnail_set_machine(WIDGET_THUMBNAIL(object), NULL);
    G_OBJECT_CLASS(widget_thumbnail_parent_class)->dispose(object);
}

static void
widget_thumbnail_class_init(WidgetThumbnailClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = widget_thumbnail_dispose;
    widget_class->draw = widget_thumbnail_draw;
    widget_class->map = widget_thumbnail_map;
    widget_class->unmap = widget_thumbnail_unmap;
}

static void
widget_thumbnail_init(WidgetThumbnail *thumbnail)
{
    atk_object_set_role(gtk_widget_get_accessible(GTK_WIDGET(thumbnail)), ATK_ROLE_IMAGE);
}

GtkWidget *
widget_thumbnail_new(int width, int height)
{
    GtkWidget *thumbnail = g_object_new(WIDGET_TYPE_THUMBNAIL, NULL);

    gtk_widget_set_size_request(thumbnail, width, height);
    return thumbnail;
}
