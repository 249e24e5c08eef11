/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guest's picture by cairo, straight from the shared memory. Only damaged rectangles are
 * redrawn. On a HiDPI screen each guest pixel becomes a sharp block of device pixels. */
#include "app/vmwindow/vm-display.h"

#include <glib/gi18n.h>
#include <math.h>

#define DAMAGE_RECTS 32

struct _VmDisplay {
    GtkDrawingArea parent;
    VitrineSurface *surface;
    cairo_surface_t *image; /* over the shared pixels; NULL: make a new one */
    guint width, height;    /* of the guest's picture; 0: none yet */
    gboolean scaled;
    char *overlay;
};

G_DEFINE_FINAL_TYPE(VmDisplay, vm_display, GTK_TYPE_DRAWING_AREA)

enum { SIGNAL_GUEST_RESIZED, SIGNAL_COUNT };

/* Set once by class_init. */
static guint signals[SIGNAL_COUNT];

/* --- geometry: the picture is centred --- */
typedef struct {
    double x, y, scale;
} Placement;

static Placement
placement(VmDisplay *display)
{
    int width = gtk_widget_get_allocated_width(GTK_WIDGET(display));
    int height = gtk_widget_get_allocated_height(GTK_WIDGET(display));
    Placement place = {.scale = 1};

    if (display->scaled && display->width && display->height)
        place.scale = MIN((double)width / display->width, (double)height / display->height);
    place.x = floor((width - display->width * place.scale) / 2);
    place.y = floor((height - display->height * place.scale) / 2);
    if (!display->scaled) {
        place.x = MAX(place.x, 0);
        place.y = MAX(place.y, 0);
    }
    return place;
}

gboolean
vm_display_to_guest(VmDisplay *display, double x, double y, int *guest_x, int *guest_y)
{
    Placement place = placement(display);
    int gx = (int)floor((x - place.x) / place.scale), gy = (int)floor((y - place.y) / place.scale);
    int right = MAX((int)display->width - 1, 0), bottom = MAX((int)display->height - 1, 0);

    *guest_x = CLAMP(gx, 0, right);
    *guest_y = CLAMP(gy, 0, bottom);
    return *guest_x == gx && *guest_y == gy;
}

void
vm_display_get_guest_size(VmDisplay *display, guint *width, guint *height)
{
    *width = display->width;
    *height = display->height;
}

/* --- following the surface --- */
static void
drop_image(VmDisplay *display)
{
    g_clear_pointer(&display->image, cairo_surface_destroy);
}

static void
queue_damage(VmDisplay *display, const VitrineRect *rect)
{
    Placement place = placement(display);
    double x = floor(place.x + rect->x * place.scale), y = floor(place.y + rect->y * place.scale);

    gtk_widget_queue_draw_area(GTK_WIDGET(display), (int)x - 1, (int)y - 1,
                               (int)ceil(rect->width * place.scale) + 3,
                               (int)ceil(rect->height * place.scale) + 3);
}

static void
on_updated(VitrineSurface *surface, VmDisplay *display)
{
    VitrineRect rects[DAMAGE_RECTS];
    guint count = vitrine_surface_take_damage(surface, rects, DAMAGE_RECTS);

    for (guint i = 0; i < count; i++)
        queue_damage(display, &rects[i]);
}

static void
on_resized(VitrineSurface *surface, VmDisplay *display)
{
    guint width = vitrine_surface_get_width(surface), height = vitrine_surface_get_height(surface);
    gboolean changed = width != display->width || height != display->height;

    drop_image(display);
    if (width == 0 || height == 0) { /* off: keep the size, show nothing */
        gtk_widget_queue_draw(GTK_WIDGET(display));
        return;
    }
    display->width = width;
    display->height = height;
    gtk_widget_queue_draw(GTK_WIDGET(display));
    if (!changed)
        return;
    if (!display->scaled)
        gtk_widget_set_size_request(GTK_WIDGET(display), (int)width, (int)height);
    g_signal_emit(display, signals[SIGNAL_GUEST_RESIZED], 0, width, height);
}

void
vm_display_set_surface(VmDisplay *display, VitrineSurface *surface)
{
    if (display->surface)
        g_signal_handlers_disconnect_by_data(display->surface, display);
    drop_image(display);
    g_set_object(&display->surface, surface);
    gtk_widget_queue_draw(GTK_WIDGET(display));
    if (!surface)
        return;
    g_signal_connect(surface, "updated", G_CALLBACK(on_updated), display);
    g_signal_connect(surface, "resized", G_CALLBACK(on_resized), display);
    vitrine_surface_damage_all(surface);
    on_resized(surface, display);
}

void
vm_display_set_scaled(VmDisplay *display, gboolean scaled)
{
    display->scaled = scaled;
    if (scaled)
        gtk_widget_set_size_request(GTK_WIDGET(display), 160, 100);
    else
        gtk_widget_set_size_request(GTK_WIDGET(display), (int)display->width, (int)display->height);
    gtk_widget_queue_draw(GTK_WIDGET(display));
}

void
vm_display_set_overlay(VmDisplay *display, const char *text)
{
    if (g_strcmp0(display->overlay, text) == 0)
        return;
    g_free(display->overlay);
    display->overlay = g_strdup(text);
    gtk_widget_queue_draw(GTK_WIDGET(display));
}

/* --- drawing --- */
static cairo_surface_t *
image(VmDisplay *display)
{
    const guint32 *pixels = display->surface ? vitrine_surface_get_pixels(display->surface) : NULL;

    if (!pixels || !vitrine_surface_get_enabled(display->surface))
        return NULL;
    if (!display->image) /* cairo only reads the memory */
        display->image = cairo_image_surface_create_for_data(
            (unsigned char *)pixels, CAIRO_FORMAT_RGB24, (int)display->width, (int)display->height,
            (int)vitrine_surface_get_stride(display->surface));
    cairo_surface_mark_dirty(display->image);
    return display->image;
}

static void
draw_overlay(VmDisplay *display, cairo_t *cr)
{
    int width = gtk_widget_get_allocated_width(GTK_WIDGET(display));
    int height = gtk_widget_get_allocated_height(GTK_WIDGET(display));
    g_autoptr(PangoLayout) layout =
        gtk_widget_create_pango_layout(GTK_WIDGET(display), display->overlay);
    PangoAttrList *attributes = pango_attr_list_new();
    PangoRectangle ink;

    cairo_set_source_rgba(cr, 0, 0, 0, 0.55);
    cairo_paint(cr);
    pango_attr_list_insert(attributes, pango_attr_scale_new(PANGO_SCALE_XX_LARGE));
    pango_attr_list_insert(attributes, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
    pango_layout_set_attributes(layout, attributes);
    pango_attr_list_unref(attributes);
    pango_layout_get_pixel_extents(layout, NULL, &ink);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, floor((width - ink.width) / 2.0), floor((height - ink.height) / 2.0));
    pango_cairo_show_layout(cr, layout);
}

static gboolean
vm_display_draw(GtkWidget *widget, cairo_t *cr)
{
    VmDisplay *display = VM_DISPLAY(widget);
    Placement place = placement(display);
    cairo_surface_t *picture = image(display);
    gboolean whole = place.scale == floor(place.scale);

    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_paint(cr);
    if (picture) {
        cairo_save(cr);
        cairo_translate(cr, place.x, place.y);
        cairo_scale(cr, place.scale, place.scale);
        cairo_set_source_surface(cr, picture, 0, 0);
        cairo_pattern_set_filter(cairo_get_source(cr),
                                 whole ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
        cairo_rectangle(cr, 0, 0, display->width, display->height);
        cairo_fill(cr);
        cairo_restore(cr);
    }
    if (display->overlay)
        draw_overlay(display, cr);
    return GDK_EVENT_PROPAGATE;
}

static void
vm_display_dispose(GObject *object)
{
    VmDisplay *display = VM_DISPLAY(object);

    vm_display_set_surface(display, NULL);
    g_clear_pointer(&display->overlay, g_free);
    G_OBJECT_CLASS(vm_display_parent_class)->dispose(object);
}

static void
vm_display_class_init(VmDisplayClass *class)
{
    G_OBJECT_CLASS(class)->dispose = vm_display_dispose;
    GTK_WIDGET_CLASS(class)->draw = vm_display_draw;
    signals[SIGNAL_GUEST_RESIZED] =
        g_signal_new("guest-resized", VM_TYPE_DISPLAY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_UINT);
}

static void
vm_display_init(VmDisplay *display)
{
    AtkObject *accessible = gtk_widget_get_accessible(GTK_WIDGET(display));

    gtk_widget_set_can_focus(GTK_WIDGET(display), TRUE);
    gtk_widget_add_events(GTK_WIDGET(display), GDK_POINTER_MOTION_MASK | GDK_BUTTON_PRESS_MASK |
                                                   GDK_BUTTON_RELEASE_MASK | GDK_SCROLL_MASK |
                                                   GDK_SMOOTH_SCROLL_MASK | GDK_KEY_PRESS_MASK |
                                                   GDK_KEY_RELEASE_MASK);
    atk_object_set_name(accessible, _("Screen of the guest"));
    atk_object_set_role(accessible, ATK_ROLE_IMAGE);
}

GtkWidget *
vm_display_new(void)
{
    return g_object_new(VM_TYPE_DISPLAY, NULL);
}
