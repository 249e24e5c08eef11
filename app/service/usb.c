/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host: which there are, global filters, and what clients see of them. Manual,
 * chapter "USB settings". Only devices that are kept for machines are taken from the host's drivers
 * here; those that a machine has are its process's. */
#include "app/service/usb-private.h"

#include <string.h>

#define LATER_MS 1000 /* until the host's drivers have a new device */
#define PROGRAM_DRIVER "usbfs"

static void
entry_free(gpointer data)
{
    UsbEntry *entry = data;

    usb_forgo(entry);
    for (guint i = 0; i < entry->waiting->len; i++)
        service_refuse(entry->waiting->pdata[i], VITRINE_ERROR_NOT_FOUND,
                       "The USB device has left the host.");
    g_ptr_array_unref(entry->waiting);
    usb_host_info_free(entry->info);
    g_free(entry->owner);
    g_free(entry->again);
    g_free(entry->id);
    g_free(entry);
}

Usb *
usb_new(Service *service)
{
    Usb *usb = g_new0(Usb, 1);

    usb->service = service;
    usb->entries = g_ptr_array_new_with_free_func(entry_free);
    usb->leaving = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return usb;
}

void
usb_free(Usb *usb)
{
    for (guint i = 0; i < usb->entries->len; i++) {
        UsbEntry *entry = usb->entries->pdata[i];

        if (entry->held && entry->owner == NULL)
            usb_bind(usb, entry, TRUE);
    }
    while (usb->jobs > 0)
        g_main_context_iteration(NULL, TRUE);
    usb_host_list_free(usb->list);
    while (g_source_remove_by_user_data(usb))
        ;
    g_ptr_array_unref(usb->entries);
    g_hash_table_unref(usb->leaving);
    g_clear_pointer(&usb->published, g_variant_unref);
    g_free(usb);
}

/* --- what clients see --- */
static VitrineUsbProblem
problem_of(const UsbEntry *entry)
{
    if (entry->owner != NULL)
        return VITRINE_USB_PROBLEM_MACHINE;
    if (entry->ignored)
        return VITRINE_USB_PROBLEM_IGNORED;
    if (!entry->info->permitted)
        return VITRINE_USB_PROBLEM_PERMISSION;
    if (entry->info->drivers != NULL && strstr(entry->info->drivers, PROGRAM_DRIVER) != NULL)
        return VITRINE_USB_PROBLEM_PROGRAM;
    return VITRINE_USB_PROBLEM_NONE;
}

static VitrineUsbState
state_of(const UsbEntry *entry)
{
    if (entry->owner != NULL)
        return VITRINE_USB_STATE_CAPTURED;
    if (problem_of(entry) != VITRINE_USB_PROBLEM_NONE)
        return VITRINE_USB_STATE_UNAVAILABLE;
    if (entry->job != NULL) /* who asks for it waits */
        return VITRINE_USB_STATE_BUSY;
    if (entry->held)
        return VITRINE_USB_STATE_HELD;
    return entry->info->drivers != NULL ? VITRINE_USB_STATE_BUSY : VITRINE_USB_STATE_AVAILABLE;
}

static void
set_text(char **place, const char *text)
{
    g_free(*place);
    *place = g_strdup(text != NULL ? text : "");
}

VitrineUsbDevice *
usb_describe(const UsbEntry *entry)
{
    const UsbHostInfo *info = entry->info;
    VitrineUsbDevice *device = vitrine_usb_device_new();

    device->bus = info->bus;
    device->address = info->address;
    device->port = info->port;
    device->vendor_id = info->vendor;
    device->product_id = info->product;
    device->revision = info->revision;
    device->version = info->version;
    device->speed = info->speed;
    device->state = state_of(entry);
    device->problem = problem_of(entry);
    set_text(&device->id, entry->id);
    set_text(&device->path, info->path);
    set_text(&device->manufacturer, info->manufacturer);
    set_text(&device->product, info->title);
    set_text(&device->serial, info->serial);
    set_text(&device->drivers, info->drivers);
    set_text(&device->group, info->group);
    set_text(&device->machine, entry->owner);
    return device;
}

static GVariant *
describe_all(Usb *usb)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < usb->entries->len; i++) {
        g_autoptr(VitrineUsbDevice) device = usb_describe(usb->entries->pdata[i]);

        g_variant_builder_add_value(&builder, vitrine_usb_device_to_variant(device));
    }
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

void
usb_publish(Usb *usb)
{
    g_autoptr(GVariant) now = NULL;

    if (usb->published == NULL)
        return;
    now = describe_all(usb);
    if (g_variant_equal(now, usb->published))
        return;
    g_variant_unref(usb->published);
    usb->published = g_steal_pointer(&now);
    vitrine_dbus_service_emit_usb_devices_changed(usb->service->skeleton);
}

/* --- filters --- */
static gboolean
fits(const VitrineUsbFilter *filter, const UsbHostInfo *info)
{
    const UsbHostFilter host = {.vendor_id = filter->vendor_id,
                                .product_id = filter->product_id,
                                .revision = filter->revision,
                                .port = filter->port,
                                .manufacturer = filter->manufacturer,
                                .product = filter->product,
                                .serial_number = filter->serial_number,
                                .remote = filter->remote};

    return filter->active && usb_host_filter_fits(&host, info);
}

const VitrineUsbFilter *
usb_match(GPtrArray *filters, const UsbEntry *entry)
{
    for (guint i = 0; i < filters->len; i++) {
        if (fits(filters->pdata[i], entry->info))
            return filters->pdata[i];
    }
    return NULL;
}

static void
apply_global(Usb *usb, GPtrArray *filters, UsbEntry *entry)
{
    const VitrineUsbFilter *filter = usb_match(filters, entry);
    const gboolean held = filter != NULL && filter->action == VITRINE_USB_ACTION_HOLD;

    entry->ignored = filter != NULL && filter->action == VITRINE_USB_ACTION_IGNORE;
    if (held != entry->held && entry->owner == NULL && entry->info->permitted)
        usb_bind(usb, entry, !held);
    entry->held = held;
}

/* The machines in the registry's order; the first whose filter fits gets it. */
static void
apply_machines(Usb *usb, UsbEntry *entry)
{
    GPtrArray *machines = usb->service->machines;

    for (guint i = 0; i < machines->len && problem_of(entry) == VITRINE_USB_PROBLEM_NONE; i++) {
        Machine *machine = machines->pdata[i];

        if (usb_takes(machine) &&
            usb_match(vitrine_settings_get_usb_filters(machine->record->settings), entry) != NULL)
            usb_attach(machine, entry, NULL, NULL);
    }
}

/* --- threads that wait for the host's kernel --- */
typedef struct {
    Usb *usb;
    guint bus, address;
    gboolean bound;
} BindJob;

static void
bind_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const BindJob *job = data;
    GError *error = NULL;

    if (usb_host_list_bind(job->usb->list, job->bus, job->address, job->bound, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static void begin_job(Usb *usb, UsbEntry *entry);

/* NULL: the device has left meanwhile. */
static UsbEntry *
find_job(Usb *usb, gconstpointer job)
{
    for (guint i = 0; i < usb->entries->len; i++) {
        UsbEntry *entry = usb->entries->pdata[i];

        if (entry->job == job)
            return entry;
    }
    return NULL;
}

static void
on_bound(GObject *source, GAsyncResult *result, gpointer data)
{
    Usb *usb = data;
    const BindJob *job = g_task_get_task_data(G_TASK(result));
    UsbEntry *entry = find_job(usb, job);
    g_autoptr(GError) error = NULL;

    usb->jobs--;
    if (!g_task_propagate_boolean(G_TASK(result), &error))
        g_message("USB: %s", error->message);
    if (entry != NULL && entry->bound != job->bound) {
        begin_job(usb, entry);
    } else if (entry != NULL) {
        entry->job = NULL;
        usb_bound(usb, entry);
    }
    usb_refresh(usb);
}

static void
begin_job(Usb *usb, UsbEntry *entry)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, on_bound, usb);
    BindJob *job = g_new(BindJob, 1);

    *job = (BindJob){usb, entry->info->bus, entry->info->address, entry->bound};
    usb->jobs++;
    entry->job = job;
    g_task_set_task_data(task, job, g_free);
    g_task_run_in_thread(task, bind_thread);
}

/* One at a time for each device: two threads might come in any order. */
void
usb_bind(Usb *usb, UsbEntry *entry, gboolean bound)
{
    entry->bound = bound;
    if (entry->job == NULL)
        begin_job(usb, entry);
}

/* --- what is plugged in --- */

/* Of what a device says and where it is: the same when it is plugged in there anew. */
static char *
make_id(const UsbHostInfo *info)
{
    g_autofree char *text =
        g_strdup_printf("%s %04x:%04x %04x %s", info->path, info->vendor, info->product,
                        info->revision, info->serial != NULL ? info->serial : "");
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_MD5, text, -1);

    hash[12] = '3'; /* RFC 4122: from a name */
    hash[16] = '8';
    return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", hash, hash + 8, hash + 12, hash + 16,
                           hash + 20);
}

static gboolean
is_same(const UsbHostInfo *a, const UsbHostInfo *b)
{
    return a->bus == b->bus && a->address == b->address && a->vendor == b->vendor &&
           a->product == b->product;
}

static UsbEntry *
find_info(GPtrArray *entries, const UsbHostInfo *info)
{
    for (guint i = 0; i < entries->len; i++) {
        UsbEntry *entry = entries->pdata[i];

        if (is_same(entry->info, info))
            return entry;
    }
    return NULL;
}

/* Takes info. */
static UsbEntry *
add_entry(Usb *usb, UsbHostInfo *info)
{
    UsbEntry *entry = g_new0(UsbEntry, 1);

    entry->info = info;
    entry->id = make_id(info);
    entry->waiting = g_ptr_array_new();
    g_ptr_array_add(usb->entries, entry);
    return entry;
}

static void
drop_gone(Usb *usb, GPtrArray *infos)
{
    for (guint i = usb->entries->len; i > 0; i--) {
        UsbEntry *entry = usb->entries->pdata[i - 1];
        gboolean there = FALSE;

        for (guint n = 0; n < infos->len && !there; n++)
            there = is_same(entry->info, infos->pdata[n]);
        if (there)
            continue;
        usb_left(usb, entry);
        g_ptr_array_remove_index(usb->entries, i - 1);
    }
}

/* Sorted, as infos are: what is new goes where it belongs. */
static GPtrArray *
take_infos(Usb *usb, GPtrArray *infos)
{
    GPtrArray *fresh = g_ptr_array_new();
    GPtrArray *sorted = g_ptr_array_new_with_free_func(entry_free);

    g_ptr_array_set_free_func(infos, NULL);
    for (guint i = 0; i < infos->len; i++) {
        UsbHostInfo *info = infos->pdata[i];
        UsbEntry *entry = find_info(usb->entries, info);

        if (entry == NULL) {
            g_ptr_array_add(fresh, add_entry(usb, info));
            entry = fresh->pdata[fresh->len - 1];
        } else {
            usb_host_info_free(entry->info);
            entry->info = info;
        }
        g_ptr_array_add(sorted, entry);
    }
    g_ptr_array_set_free_func(usb->entries, NULL);
    g_ptr_array_unref(usb->entries);
    usb->entries = sorted;
    return fresh;
}

void
usb_refresh(Usb *usb)
{
    g_autoptr(GPtrArray) infos = usb_host_list_get(usb->list);
    g_autoptr(GPtrArray) filters = global_file_read_usb_filters(usb->service->global);
    g_autoptr(GPtrArray) fresh = NULL;

    drop_gone(usb, infos);
    fresh = take_infos(usb, infos);
    for (guint i = 0; i < fresh->len; i++) {
        apply_global(usb, filters, fresh->pdata[i]);
        apply_machines(usb, fresh->pdata[i]);
    }
    usb_publish(usb);
}

UsbEntry *
usb_find(Usb *usb, const char *id)
{
    for (guint i = 0; i < usb->entries->len; i++) {
        UsbEntry *entry = usb->entries->pdata[i];

        if (g_ascii_strcasecmp(entry->id, id) == 0)
            return entry;
    }
    return NULL;
}

/* --- the list --- */
static gboolean
on_later(gpointer user_data)
{
    Usb *usb = user_data;

    usb->later = 0;
    usb_refresh(usb);
    return G_SOURCE_REMOVE;
}

static gboolean
on_changed(gpointer user_data)
{
    Usb *usb = user_data;

    g_atomic_int_set(&usb->pending, 0);
    usb_refresh(usb);
    if (usb->later == 0)
        usb->later = g_timeout_add(LATER_MS, on_later, usb);
    return G_SOURCE_REMOVE;
}

/* From a thread of the list. */
static void
list_changed(void *user)
{
    Usb *usb = user;

    if (g_atomic_int_compare_and_exchange(&usb->pending, 0, 1))
        g_idle_add(on_changed, usb);
}

UsbHostList *
usb_start(Usb *usb, GError **error)
{
    if (usb->list != NULL)
        return usb->list;
    usb->list = usb_host_list_new(list_changed, usb, error);
    if (usb->list == NULL) {
        if (error != NULL)
            (*error)->domain = VITRINE_ERROR; /* with the same codes */
        return NULL;
    }
    usb_refresh(usb);
    return usb->list;
}

/* --- calls --- */
static gboolean
on_get_devices(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, Service *service)
{
    Usb *usb = service->usb;
    GError *error = NULL;

    if (usb_start(usb, &error) == NULL)
        return service_fail(invocation, error);
    usb_refresh(usb); /* rights and drivers change without a word */
    if (usb->published == NULL)
        usb->published = describe_all(usb);
    vitrine_dbus_service_complete_get_usb_devices(skeleton, invocation, usb->published);
    return TRUE;
}

static gboolean
on_get_filters(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, Service *service)
{
    g_autoptr(GPtrArray) filters = global_file_read_usb_filters(service->global);

    vitrine_dbus_service_complete_get_usb_filters(skeleton, invocation,
                                                  vitrine_usb_filters_to_variant(filters));
    return TRUE;
}

static gboolean
check_filters(GPtrArray *filters, GError **error)
{
    /* The same check as of a machine's. */
    g_autoptr(VitrineSettings) settings = vitrine_settings_new();
    g_autoptr(GPtrArray) problems = NULL;

    vitrine_settings_set_usb_filters(settings, filters);
    problems = vitrine_settings_check(settings);
    for (guint i = 0; i < problems->len; i++) {
        const VitrineProblem *problem = problems->pdata[i];

        if (g_str_has_prefix(problem->field, "usb-filter:")) {
            g_set_error_literal(error, VITRINE_ERROR, problem->code, problem->message);
            return FALSE;
        }
    }
    for (guint i = 0; i < filters->len; i++) {
        const VitrineUsbFilter *filter = filters->pdata[i];

        if (filter->action != VITRINE_USB_ACTION_ATTACH)
            continue;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "A global USB filter ignores devices or holds them.");
        return FALSE;
    }
    return TRUE;
}

static void
apply_filters(Usb *usb, GPtrArray *filters)
{
    for (guint i = 0; usb->list != NULL && i < usb->entries->len; i++)
        apply_global(usb, filters, usb->entries->pdata[i]);
    usb_publish(usb);
}

static gboolean
has_hold(GPtrArray *filters)
{
    for (guint i = 0; i < filters->len; i++) {
        const VitrineUsbFilter *filter = filters->pdata[i];

        if (filter->active && filter->action == VITRINE_USB_ACTION_HOLD)
            return TRUE;
    }
    return FALSE;
}

static gboolean
on_set_filters(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, GVariant *list,
               Service *service)
{
    g_autoptr(GPtrArray) filters = vitrine_usb_filters_from_variant(list);
    GError *error = NULL;

    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!check_filters(filters, &error))
        return service_fail(invocation, error);
    global_file_write_usb_filters(service->global, filters);
    if (!service_save(service, &error))
        return service_fail(invocation, error);
    if (has_hold(filters))
        usb_start(service->usb, NULL);
    apply_filters(service->usb, filters);
    vitrine_dbus_service_complete_set_usb_filters(skeleton, invocation);
    return TRUE;
}

void
usb_connect_calls(Service *service)
{
    g_autoptr(GPtrArray) filters = global_file_read_usb_filters(service->global);

    g_signal_connect(service->skeleton, "handle-get-usb-devices", G_CALLBACK(on_get_devices),
                     service);
    g_signal_connect(service->skeleton, "handle-get-usb-filters", G_CALLBACK(on_get_filters),
                     service);
    g_signal_connect(service->skeleton, "handle-set-usb-filters", G_CALLBACK(on_set_filters),
                     service);
    if (has_hold(filters))
        usb_start(service->usb, NULL);
}
