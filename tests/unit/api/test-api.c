/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Main API library without a service: settings as a value, their check, OS types, the private
 * folder of the sockets, and the reader of screens against a hostile writer. */
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/api/surface-layout.h"
#include "app/api/transport.h"
#include "app/api/vitrine.h"

static VitrineSettings *
good_settings(void)
{
    VitrineSettings *settings = vitrine_settings_new();
    vitrine_settings_set_string(settings, "name", "Good");
    vitrine_os_type_apply(vitrine_os_type_find("Debian_64"), settings);
    vitrine_settings_set_uint(settings, "memory", 64);
    return settings;
}

/* The code of the problem with this field, -1 when there is none. */
static int
problem_with(VitrineSettings *settings, const char *field)
{
    g_autoptr(GPtrArray) problems = vitrine_settings_check(settings);
    for (guint i = 0; i < problems->len; i++) {
        const VitrineProblem *problem = problems->pdata[i];
        g_assert_cmpstr(problem->message, !=, "");
        if (g_str_equal(problem->field, field))
            return problem->code;
    }
    return -1;
}

static void
count_emission(VitrineSettings *settings, guint *count)
{
    ++*count;
}

static void
test_settings_value(void)
{
    g_autoptr(VitrineSettings) settings = good_settings();
    g_autoptr(VitrineSettings) copy = vitrine_settings_copy(settings);
    guint storage = 0, any = 0;
    g_assert_true(vitrine_settings_equal(settings, copy));
    g_signal_connect(settings, "changed::storage", G_CALLBACK(count_emission), &storage);
    g_signal_connect(settings, "changed::groups", G_CALLBACK(count_emission), &any);
    g_autoptr(VitrineAttachment) disk = vitrine_attachment_new(
        "ide", 0, 0, VITRINE_MEDIUM_KIND_HARD_DISK, "11111111-2222-4333-8444-555555555555");
    vitrine_settings_put_attachment(settings, disk);
    g_assert_cmpuint(storage, ==, 1);
    g_assert_cmpuint(any, ==, 0);
    g_assert_false(vitrine_settings_equal(settings, copy));
    g_assert_cmpstr(vitrine_settings_find_attachment(settings, "IDE", 0, 0)->controller, ==, "IDE");
    guint port = 9, device = 9;
    g_assert_true(vitrine_settings_free_slot(settings, "IDE", &port, &device));
    g_assert_cmpuint(port * 10 + device, ==, 1);
    g_assert_true(vitrine_settings_rename_controller(settings, "ide", "Other"));
    g_assert_nonnull(vitrine_settings_find_attachment(settings, "other", 0, 0));
    g_assert_true(vitrine_settings_remove_controller(settings, "OTHER"));
    g_assert_cmpuint(vitrine_settings_get_attachments(settings)->len, ==, 0);
    g_assert_false(vitrine_settings_remove_controller(settings, "OTHER"));
}

static void
test_settings_variant(void)
{
    g_autoptr(VitrineSettings) settings = good_settings();
    g_autoptr(VitrineSettings) other = vitrine_settings_new();
    g_autoptr(GVariant) all = g_variant_ref_sink(vitrine_settings_to_variant(settings));
    g_assert_true(vitrine_settings_apply_variant(other, all, NULL));
    g_assert_true(vitrine_settings_equal(settings, other));
    static const char *const bad[] = {
        "{'memory': <'much'>}",
        "{'memory': <uint32 5>, 'firmware': <'Amiga'>}",
        "{'controllers': <'x'>}",
        "{'controllers': <[('a','Tape',uint32 1,uint32 0,true,true)]>}",
        "{'uarts': <@a(buusbss) [(true,1,1,'Nothing',true,'','16450')]>}",
        "{'acpi': <uint32 1>}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) changes =
            g_variant_parse(G_VARIANT_TYPE_VARDICT, bad[i], NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_false(vitrine_settings_apply_variant(other, changes, &error));
        g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID);
        g_assert_true(vitrine_settings_equal(settings, other)); /* nothing half changed */
    }
}

/* What is made for hardware virtualization has it or says why not; what is not made for it is never
 * told of it. */
static void
test_check_hardware(void)
{
    g_autoptr(VitrineSettings) s = good_settings();
    const gboolean here = vitrine_host_nested_paging() >= 0;

    vitrine_settings_set_string(s, "os-type", "Debian_64");
    vitrine_settings_set_string(s, "exec-engine", "auto");
    g_assert_cmpint(problem_with(s, "hwvirtex"), ==, here ? -1 : VITRINE_ERROR_NOT_SUPPORTED);
    vitrine_settings_set_string(s, "exec-engine", "rem");
    g_assert_cmpint(problem_with(s, "hwvirtex"), ==, VITRINE_ERROR_NOT_SUPPORTED);
    vitrine_settings_set_string(s, "exec-engine", "auto");
    vitrine_settings_set_bool(s, "hwvirtex", FALSE);
    g_assert_cmpint(problem_with(s, "hwvirtex"), ==, VITRINE_ERROR_NOT_SUPPORTED);
    vitrine_settings_set_string(s, "os-type", "Debian");
    g_assert_cmpint(problem_with(s, "hwvirtex"), ==, -1);
}

static void
test_check_scalars(void)
{
    g_autoptr(VitrineSettings) s = good_settings();
    vitrine_settings_set_string(s, "os-type", "Debian");
    g_autoptr(GPtrArray) none = vitrine_settings_check(s);
    g_assert_cmpuint(none->len, ==, 0);
    static const char *const names[] = {"", "a/b", "a\\b", "..", ".", " a", "a ", "a\nb"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        vitrine_settings_set_string(s, "name", names[i]);
        g_assert_cmpint(problem_with(s, "name"), ==, VITRINE_ERROR_INVALID);
    }
    vitrine_settings_set_string(s, "name", "Größe 9 (neu)");
    g_assert_cmpint(problem_with(s, "name"), ==, -1);
    vitrine_settings_set_uint(s, "memory", 3);
    g_assert_cmpint(problem_with(s, "memory"), ==, VITRINE_ERROR_INVALID);
    vitrine_settings_set_uint(s, "memory", 2097152);
    g_assert_cmpint(problem_with(s, "memory"), ==, VITRINE_ERROR_NO_MEMORY);
    vitrine_settings_set_uint(s, "cpus", 8);
    vitrine_settings_set_bool(s, "ioapic", TRUE);
    g_assert_cmpint(problem_with(s, "cpus"), !=, VITRINE_ERROR_NOT_SUPPORTED);
    vitrine_settings_set_bool(s, "ioapic", FALSE);
    g_assert_cmpint(problem_with(s, "cpus"), ==, VITRINE_ERROR_INVALID);
    vitrine_settings_set_uint(s, "cpus", 9);
    g_assert_cmpint(problem_with(s, "cpus"), ==, VITRINE_ERROR_NOT_SUPPORTED);
    vitrine_settings_set_enum(s, "firmware", VITRINE_FIRMWARE_EFI);
    g_assert_cmpint(problem_with(s, "firmware"), ==, VITRINE_ERROR_NOT_SUPPORTED);
    vitrine_settings_set_string(s, "exec-engine", "magic");
    g_assert_cmpint(problem_with(s, "exec-engine"), ==, VITRINE_ERROR_INVALID);
    static const char *const groups[] = {"Work", NULL}, *const good[] = {"/Work/Old", "/", NULL};
    vitrine_settings_set_groups(s, groups);
    g_assert_cmpint(problem_with(s, "groups"), ==, VITRINE_ERROR_INVALID);
    vitrine_settings_set_groups(s, good);
    g_assert_cmpint(problem_with(s, "groups"), ==, -1);
}

static void
put_disk(VitrineSettings *settings, guint port, guint device, const char *medium)
{
    g_autoptr(VitrineAttachment) disk =
        vitrine_attachment_new("IDE", port, device, VITRINE_MEDIUM_KIND_HARD_DISK, medium);
    vitrine_settings_put_attachment(settings, disk);
}

static void
test_check_storage(void)
{
    static const char disk[] = "11111111-2222-4333-8444-555555555555";
    g_autoptr(VitrineSettings) s = good_settings();
    put_disk(s, 0, 0, "");
    g_assert_cmpint(problem_with(s, "attachment:IDE:0:0"), ==, VITRINE_ERROR_INVALID);
    put_disk(s, 0, 0, "no uuid");
    g_assert_cmpint(problem_with(s, "attachment:IDE:0:0"), ==, VITRINE_ERROR_INVALID);
    put_disk(s, 0, 0, disk);
    g_assert_cmpint(problem_with(s, "attachment:IDE:0:0"), ==, -1);
    put_disk(s, 0, 1, disk);
    g_assert_cmpint(problem_with(s, "attachment:IDE:0:1"), ==, VITRINE_ERROR_EXISTS);
    put_disk(s, 7, 0, "21111111-2222-4333-8444-555555555555");
    g_assert_cmpint(problem_with(s, "attachment:IDE:7:0"), ==, VITRINE_ERROR_INVALID);
    g_autoptr(VitrineController) bus_logic =
        vitrine_controller_new("BusLogic", VITRINE_CONTROLLER_BUS_LOGIC);
    vitrine_settings_put_controller(s, bus_logic);
    g_assert_cmpint(problem_with(s, "controller:BusLogic"), ==, VITRINE_ERROR_NOT_SUPPORTED);
    g_autoptr(VitrineController) sas =
        vitrine_controller_new("SAS", VITRINE_CONTROLLER_LSI_LOGIC_SAS);
    vitrine_settings_put_controller(s, sas);
    g_assert_cmpint(problem_with(s, "controller:SAS"), ==, -1);
    g_autoptr(VitrineController) sata = vitrine_controller_new("SATA", VITRINE_CONTROLLER_AHCI);
    vitrine_settings_put_controller(s, sata);
    g_assert_cmpint(problem_with(s, "controller:SATA"), ==, -1);
    sata->port_count = 31;
    vitrine_settings_put_controller(s, sata);
    g_assert_cmpint(problem_with(s, "controller:SATA"), ==, VITRINE_ERROR_INVALID);
    g_autoptr(VitrineController) ide = vitrine_controller_new("IDE 2", VITRINE_CONTROLLER_ICH6);
    vitrine_settings_put_controller(s, ide);
    g_assert_cmpint(problem_with(s, "controller:IDE 2"), ==, VITRINE_ERROR_INVALID);
}

/* The settings' format has more ports at SAS than the adapter serves. */
static void
test_check_served_ports(void)
{
    g_autoptr(VitrineSettings) s = good_settings();
    g_autoptr(VitrineController) sas =
        vitrine_controller_new("SAS", VITRINE_CONTROLLER_LSI_LOGIC_SAS);
    guint port, device;

    sas->port_count = 40;
    vitrine_settings_put_controller(s, sas);
    g_assert_cmpint(problem_with(s, "controller:SAS"), ==, -1);
    for (guint i = 0; i < 16; i++) {
        g_autofree char *uuid = g_uuid_string_random();
        g_autoptr(VitrineAttachment) disk = NULL;

        g_assert_true(vitrine_settings_free_slot(s, "SAS", &port, &device));
        g_assert_cmpuint(port, ==, i);
        disk = vitrine_attachment_new("SAS", port, device, VITRINE_MEDIUM_KIND_HARD_DISK, uuid);
        vitrine_settings_put_attachment(s, disk);
    }
    g_assert_cmpint(problem_with(s, "attachment:SAS:15:0"), ==, -1);
    g_assert_false(vitrine_settings_free_slot(s, "SAS", &port, &device));
    g_autoptr(VitrineAttachment) beyond =
        vitrine_attachment_new("SAS", 16, 0, VITRINE_MEDIUM_KIND_DVD, "");
    vitrine_settings_put_attachment(s, beyond);
    g_assert_cmpint(problem_with(s, "attachment:SAS:16:0"), ==, VITRINE_ERROR_NOT_SUPPORTED);
}

static void
test_check_ports(void)
{
    g_autoptr(VitrineSettings) s = good_settings();
    g_autoptr(VitrineUart) uart = vitrine_uart_new(0);
    uart->enabled = TRUE;
    uart->mode = VITRINE_UART_MODE_RAW_FILE;
    vitrine_settings_set_uart(s, 0, uart);
    g_assert_cmpint(problem_with(s, "uart:0"), ==, VITRINE_ERROR_INVALID);
    g_free(uart->path);
    uart->path = g_strdup("/tmp/out");
    vitrine_settings_set_uart(s, 0, uart);
    g_assert_cmpint(problem_with(s, "uart:0"), ==, -1);
    vitrine_settings_set_uart(s, 2, uart); /* the same port twice */
    g_assert_cmpint(problem_with(s, "uart:2"), ==, VITRINE_ERROR_EXISTS);
    uart->irq = 16;
    vitrine_settings_set_uart(s, 0, uart);
    g_assert_cmpint(problem_with(s, "uart:0"), ==, VITRINE_ERROR_INVALID);
}

/* A card in slot 1 with this address and these forwarded ports. */
static void
put_card(VitrineSettings *settings, VitrineNetwork network, const char *mac, const char *forwards)
{
    g_autoptr(VitrineAdapter) adapter = vitrine_adapter_new();

    adapter->enabled = TRUE;
    adapter->network = network;
    vitrine_adapter_set_text(&adapter->mac, mac);
    vitrine_adapter_set_text(&adapter->nat_forwards, forwards);
    vitrine_settings_set_adapter(settings, 1, adapter);
}

static void
test_check_network(void)
{
    g_autoptr(VitrineSettings) s = good_settings();
    g_autoptr(VitrineAdapter) other = vitrine_adapter_new();

    put_card(s, VITRINE_NETWORK_NAT, "080027A1B2C3", "");
    g_assert_cmpint(problem_with(s, "adapter:1:mac"), ==, -1);
    put_card(s, VITRINE_NETWORK_NAT, "080027A1B2", "");
    g_assert_cmpint(problem_with(s, "adapter:1:mac"), ==, VITRINE_ERROR_INVALID);
    put_card(s, VITRINE_NETWORK_NAT, "080027A1B2CG", "");
    g_assert_cmpint(problem_with(s, "adapter:1:mac"), ==, VITRINE_ERROR_INVALID);
    put_card(s, VITRINE_NETWORK_NAT, "090027A1B2C3", "");
    g_assert_cmpint(problem_with(s, "adapter:1:mac"), ==, VITRINE_ERROR_INVALID);
    put_card(s, VITRINE_NETWORK_NAT, "080027a1b2c3", "");
    other->enabled = TRUE;
    other->type = VITRINE_ADAPTER_NE1000;
    vitrine_adapter_set_text(&other->mac, "080027A1B2C3");
    vitrine_settings_set_adapter(s, 0, other);
    g_assert_cmpint(problem_with(s, "adapter:1:mac"), ==, VITRINE_ERROR_EXISTS);
    g_assert_cmpint(problem_with(s, "adapter:0:type"), ==, VITRINE_ERROR_NOT_SUPPORTED);
    g_assert_cmpint(problem_with(s, "adapter:1:type"), ==, -1);
    put_card(s, VITRINE_NETWORK_HOST_ONLY, "", "");
    g_assert_cmpint(problem_with(s, "adapter:1:name"), ==, VITRINE_ERROR_INVALID);
    put_card(s, VITRINE_NETWORK_INTERNAL, "", "");
    g_assert_cmpint(problem_with(s, "adapter:1:name"), ==, -1);
}

static void
test_check_forwards(void)
{
    static const struct {
        const char *rules;
        int code;
    } rows[] = {
        {"ssh,tcp,,2222,,22\nweb,tcp,127.0.0.1,8080,10.0.2.15,80\ndns,udp,,8080,,53", -1},
        {",tcp,,2222,,22", VITRINE_ERROR_INVALID},
        {"ssh,sctp,,2222,,22", VITRINE_ERROR_INVALID},
        {"ssh,tcp,here,2222,,22", VITRINE_ERROR_INVALID},
        {"ssh,tcp,,0,,22", VITRINE_ERROR_INVALID},
        {"ssh,tcp,,2222,10.0.2,22", VITRINE_ERROR_INVALID},
        {"ssh,tcp,,2222,,65536", VITRINE_ERROR_INVALID},
        {"ssh,tcp,,2222,", VITRINE_ERROR_INVALID},
        {"a,tcp,,2222,,22\na,tcp,,2223,,22", VITRINE_ERROR_EXISTS},
        {"a,tcp,,2222,,22\nb,tcp,127.0.0.1,2222,,23", VITRINE_ERROR_EXISTS},
        {"a,tcp,127.0.0.1,2222,,22\nb,tcp,127.0.0.2,2222,,23", -1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(VitrineSettings) s = good_settings();

        put_card(s, VITRINE_NETWORK_NAT, "", rows[i].rules);
        g_test_message("%s", rows[i].rules);
        g_assert_cmpint(problem_with(s, "adapter:1:forwards"), ==, rows[i].code);
        put_card(s, VITRINE_NETWORK_INTERNAL, "", rows[i].rules); /* which has no use for them */
        g_assert_cmpint(problem_with(s, "adapter:1:forwards"), ==, -1);
    }
}

static void
test_os_types(void)
{
    static const struct {
        const char *name, *id;
    } guesses[] = {
        {"Debian 12", "Debian_64"},        {"my debian i386", "Debian"},
        {"ubuntu-24.04.iso", "Ubuntu_64"}, {"Windows 11", "Windows11_64"},
        {"win98se", "Windows98"},          {"research box", NULL},
        {"Arch", "ArchLinux_64"},          {"", NULL},
    };
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_assert_cmpuint(vitrine_os_type_count(), >=, 60);
    for (guint i = 0; i < vitrine_os_type_count(); i++) {
        const VitrineOsType *type = vitrine_os_type_nth(i);
        g_assert_true(g_hash_table_add(seen, (gpointer)type->id));
        g_assert_true(vitrine_os_type_find(type->id) == type);
        g_assert_cmpint(type->is_64bit, ==, g_str_has_suffix(type->id, "_64"));
        g_autoptr(VitrineSettings) settings = vitrine_settings_new();
        vitrine_settings_set_string(settings, "name", "x");
        vitrine_os_type_apply(type, settings);
        g_assert_cmpint(vitrine_settings_get_enum(settings, "pointing"), ==,
                        type->usb_tablet ? VITRINE_POINTING_USB_TABLET
                                         : VITRINE_POINTING_PS2_MOUSE);
        g_assert_cmpint(vitrine_settings_get_bool(settings, "usb-ohci") +
                            vitrine_settings_get_bool(settings, "usb-xhci"),
                        ==, type->usb_tablet);
        g_autoptr(GPtrArray) problems = vitrine_settings_check(settings);
        for (guint p = 0; p < problems->len; p++)
            g_assert_false(((VitrineProblem *)problems->pdata[p])->fatal);
    }
    g_assert_null(vitrine_os_type_nth(vitrine_os_type_count()));
    g_assert_true(vitrine_os_type_find("Debian_64")->usb_tablet);
    g_assert_false(vitrine_os_type_find("Debian_64")->usb3);
    g_assert_true(vitrine_os_type_find("Windows11_64")->usb3);
    g_assert_false(vitrine_os_type_find("DOS")->usb);
    for (guint i = 0; i < G_N_ELEMENTS(guesses); i++) {
        const VitrineOsType *type = vitrine_os_type_guess(guesses[i].name);
        g_assert_cmpstr(type ? type->id : NULL, ==, guesses[i].id);
    }
}

static void
test_transport_folder(void)
{
    g_autofree char *base = g_dir_make_tmp("vitrine-run-XXXXXX", NULL);
    g_autofree char *folder = g_build_filename(base, "vitrine", NULL);
    g_autoptr(GError) error = NULL;
    g_setenv("XDG_RUNTIME_DIR", base, TRUE);
    g_autofree char *one = vitrine_transport_path("/some/where", "service", NULL);
    g_autofree char *two = vitrine_transport_path("/some/where/else", "service", NULL);
    g_assert_true(g_str_has_prefix(one, folder));
    g_assert_cmpstr(one, !=, two);
    g_assert_cmpuint(strlen(one), <, 108);
    g_chmod(folder, 0755); /* open to others: refused */
    g_assert_null(vitrine_transport_path("/some/where", "service", &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_DENIED);
    g_rmdir(folder);
    g_assert_cmpint(symlink("/tmp", folder), ==, 0); /* somebody else's place: refused */
    g_clear_error(&error);
    g_assert_null(vitrine_transport_path("/some/where", "service", &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_DENIED);
    g_unlink(folder);
    g_rmdir(base);
}

/* A screen as the VM process makes it. */
typedef struct {
    int memory;
    SurfaceHeader *header;
    size_t size;
} Screen;

static void
screen_make(Screen *screen, guint width, guint height)
{
    screen->size = surface_size_for(width, height);
    screen->memory = memfd_create("screen", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    g_assert_cmpint(ftruncate(screen->memory, (off_t)screen->size), ==, 0);
    g_assert_cmpint(fcntl(screen->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), ==, 0);
    screen->header =
        mmap(NULL, screen->size, PROT_READ | PROT_WRITE, MAP_SHARED, screen->memory, 0);
    g_assert_true(screen->header != MAP_FAILED);
    SurfaceHeader *h = screen->header;
    h->magic = SURFACE_MAGIC;
    h->version = SURFACE_VERSION;
    h->total_size = screen->size;
    h->enabled = 1;
    h->width = width;
    h->height = height;
    h->stride = width * 4;
    h->format = SURFACE_FORMAT_XRGB8888;
    h->pixels_offset = surface_pixels_offset();
    h->generation = 1;
}

static void
screen_free(Screen *screen)
{
    munmap(screen->header, screen->size);
    close(screen->memory);
}

static void
screen_dirty(Screen *screen, guint x, guint y, guint width, guint height)
{
    SurfaceHeader *h = screen->header;
    h->ring[h->dirty_head % SURFACE_RING] = (SurfaceRect){x, y, width, height};
    h->dirty_head++;
}

static void
test_surface_damage(void)
{
    Screen screen;
    VitrineRect rects[4];
    screen_make(&screen, 64, 48);
    g_autoptr(VitrineSurface) surface = vitrine_surface_new(dup(screen.memory), -1, NULL);
    g_assert_nonnull(surface);
    g_assert_cmpuint(vitrine_surface_take_damage(surface, rects, 4), ==, 1); /* all, at first */
    g_assert_cmpuint(rects[0].width * rects[0].height, ==, 64 * 48);
    g_assert_cmpuint(vitrine_surface_take_damage(surface, rects, 4), ==, 0);
    screen_dirty(&screen, 1, 2, 3, 4);
    screen_dirty(&screen, 60, 40, 1000, 1000);  /* clipped */
    screen_dirty(&screen, 0xffffffff, 0, 1, 1); /* nowhere */
    screen_dirty(&screen, 0, 0, 0xffffffff, 0); /* nothing */
    g_assert_cmpuint(vitrine_surface_take_damage(surface, rects, 4), ==, 2);
    g_assert_cmpuint(rects[0].x + rects[0].y + rects[0].width + rects[0].height, ==, 10);
    g_assert_cmpuint(rects[1].width, ==, 4);
    g_assert_cmpuint(rects[1].height, ==, 8);
    for (guint i = 0; i < 10; i++)
        screen_dirty(&screen, i, i, 1, 1);
    g_assert_cmpuint(vitrine_surface_take_damage(surface, rects, 4), ==, 4);
    g_assert_cmpuint(rects[3].width, ==, 7); /* 3 to 9, joined */
    for (guint i = 0; i < SURFACE_RING; i++) /* more than the ring can tell */
        screen_dirty(&screen, 0, 0, 1, 1);
    g_assert_cmpuint(vitrine_surface_take_damage(surface, rects, 4), ==, 1);
    g_assert_cmpuint(rects[0].width, ==, 64);
    screen_free(&screen);
}

/* Modes that do not fit the memory are a dark screen, not a wild pointer. */
static void
test_surface_hostile(void)
{
    static const struct {
        guint width, height, stride;
        guint64 offset;
    } modes[] = {
        {64, 49, 256, 0},
        {65, 48, 260, 0},
        {64, 48, 255, 0},
        {64, 48, 4, 0},
        {0, 48, 256, 0},
        {0xffffffff, 0xffffffff, 0xffffffff, 0},
        {64, 48, 0xfffffffc, 0},
        {64, 48, 256, 8},
        {64, 48, 256, (guint64)-4},
        {64, 48, 256, (guint64)1 << 40},
        {16384, 16384, 65536, 0},
        {64, 48, 258, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        Screen screen;
        screen_make(&screen, 64, 48);
        screen.header->width = modes[i].width;
        screen.header->height = modes[i].height;
        screen.header->stride = modes[i].stride;
        if (modes[i].offset)
            screen.header->pixels_offset = modes[i].offset;
        screen.header->cursor.width = 0xffffffff;
        screen.header->cursor.height = 0xffffffff;
        g_autoptr(VitrineSurface) surface = vitrine_surface_new(dup(screen.memory), -1, NULL);
        VitrineCursor cursor;
        g_assert_nonnull(surface);
        g_assert_false(vitrine_surface_get_enabled(surface));
        g_assert_null(vitrine_surface_get_pixels(surface));
        vitrine_surface_get_cursor(surface, &cursor);
        g_assert_cmpuint(cursor.width, <=, SURFACE_CURSOR_SIDE);
        screen_free(&screen);
    }
}

static void
test_surface_refused(void)
{
    g_autoptr(GError) error = NULL;
    int open = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    g_assert_cmpint(ftruncate(open, 1 << 20), ==, 0);
    g_assert_null(vitrine_surface_new(open, -1, &error)); /* could shrink under us */
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT);
    g_clear_error(&error);
    int small = memfd_create("small", MFD_CLOEXEC);
    g_assert_null(vitrine_surface_new(small, -1, &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT);
    g_clear_error(&error);
    Screen screen;
    screen_make(&screen, 8, 8);
    screen.header->magic = 1;
    g_assert_null(vitrine_surface_new(dup(screen.memory), -1, &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT);
    screen_free(&screen);
}

static void
count_signal(VitrineSurface *surface, guint *count)
{
    ++*count;
}

static void
test_surface_signals(void)
{
    Screen screen;
    int ends[2];
    guint updated = 0, resized = 0;
    g_assert_true(g_unix_open_pipe(ends, FD_CLOEXEC, NULL));
    screen_make(&screen, 64, 48);
    g_autoptr(VitrineSurface) surface = vitrine_surface_new(dup(screen.memory), ends[0], NULL);
    VitrineRect rect;
    vitrine_surface_take_damage(surface, &rect, 1);
    g_signal_connect(surface, "updated", G_CALLBACK(count_signal), &updated);
    g_signal_connect(surface, "resized", G_CALLBACK(count_signal), &resized);
    screen_dirty(&screen, 0, 0, 1, 1);
    g_assert_cmpint(write(ends[1], "123", 3), ==, 3); /* three wakes, one emission */
    g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(updated, ==, 1);
    g_assert_cmpuint(resized, ==, 0);
    screen.header->width = 32;
    screen.header->stride = 128;
    screen.header->generation++;
    g_assert_cmpint(write(ends[1], "1", 1), ==, 1);
    g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(resized, ==, 1);
    g_assert_cmpuint(vitrine_surface_get_width(surface), ==, 32);
    close(ends[1]);
    screen_free(&screen);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/api/settings/value", test_settings_value);
    g_test_add_func("/api/settings/variant", test_settings_variant);
    g_test_add_func("/api/check/hardware", test_check_hardware);
    g_test_add_func("/api/check/scalars", test_check_scalars);
    g_test_add_func("/api/check/storage", test_check_storage);
    g_test_add_func("/api/check/served-ports", test_check_served_ports);
    g_test_add_func("/api/check/ports", test_check_ports);
    g_test_add_func("/api/check/network", test_check_network);
    g_test_add_func("/api/check/forwards", test_check_forwards);
    g_test_add_func("/api/os-types", test_os_types);
    g_test_add_func("/api/transport/folder", test_transport_folder);
    g_test_add_func("/api/surface/damage", test_surface_damage);
    g_test_add_func("/api/surface/hostile", test_surface_hostile);
    g_test_add_func("/api/surface/refused", test_surface_refused);
    g_test_add_func("/api/surface/signals", test_surface_signals);
    return g_test_run();
}
