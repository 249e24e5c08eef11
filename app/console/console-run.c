/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a machine's name to a running machine and back: locks it, opens what it needs, builds it,
 * runs it until it is off, gives it back. */
#include "app/console/console-run.h"

#include "app/console/console-extra-data.h"
#include "app/console/console-private.h"

struct ConsoleRun {
    char *machine, *type;
    GMutex mutex; /* for stop and console */
    bool stop;
    Console *console; /* NULL outside of console_run_main() */
};

static void
drive_clear(gpointer data)
{
    ConsoleDrive *drive = data;

    g_free(drive->controller);
    g_free(drive->medium);
}

/* --- what the screen and the input devices tell: functions of the session for any thread --- */
static void
screen_updated(void *user)
{
    Console *console = user;

    vitrine_vm_session_surface_updated(console->session, 0);
}

static void
screen_resized(void *user, unsigned width, unsigned height)
{
    Console *console = user;

    vitrine_vm_session_set_screen(console->session, 0, width, height, TRUE);
}

static void
keyboard_leds(void *user, bool num, bool caps, bool scroll)
{
    Console *console = user;

    vitrine_vm_session_set_keyboard_leds(console->session, (num ? VITRINE_LED_NUM : 0) |
                                                               (caps ? VITRINE_LED_CAPS : 0) |
                                                               (scroll ? VITRINE_LED_SCROLL : 0));
}

static void
mouse_enabled(void *user, bool relative, bool absolute)
{
    Console *console = user;

    vitrine_vm_session_set_mouse(console->session, relative, absolute);
}

/* --- building --- */
static void
prepare_pdm(Pdm *pdm, void *user)
{
    Console *console = user;

    const MachinePlace inputs[] = {MACHINE_KEYBOARD, MACHINE_MOUSE, MACHINE_USB_KEYBOARD,
                                   MACHINE_USB_MOUSE, MACHINE_USB_TABLET};

    pdm_set_driver_host(pdm, MACHINE_DISPLAY.device, MACHINE_DISPLAY.instance, MACHINE_DISPLAY.lun,
                        console->display);
    for (unsigned i = 0; i < G_N_ELEMENTS(inputs); i++)
        pdm_set_driver_host(pdm, inputs[i].device, inputs[i].instance, inputs[i].lun,
                            console->input);
}

static void
module_problem(void *user, const char *message)
{
    Console *console = user;

    console_log_printf(console->log, "A module is left out: %s", message);
}

static void
key_ignored(void *user, const char *key)
{
    Console *console = user;

    console_log_printf(console->log, "The extra data “%s” is for nothing that this machine has.",
                       key);
}

/* What the extra data says about devices goes over what the settings say. */
static bool
apply_extra_data(Console *console, GError **error)
{
    g_autoptr(GHashTable) keys =
        vitrine_machine_load_extra_data_sync(console->machine, NULL, error);

    if (!keys)
        return false;
    console_extra_data_apply(keys, console->registry, console->config, key_ignored, console);
    return true;
}

static bool
open_session(Console *console, const ConsoleRun *run, GError **error)
{
    VitrineMachine *machine;
    int descriptor;

    console->client = vitrine_client_new_sync(NULL, NULL, error);
    if (!console->client)
        return false;
    machine = vitrine_client_find_machine(console->client, run->machine);
    if (!machine && *vitrine_client_get_damage(console->client)) {
        g_set_error_literal(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT,
                            vitrine_client_get_damage(console->client));
        return false;
    }
    if (!machine) {
        g_set_error(
            error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
            "There is no machine named “%s”. `vitrine-manage list vms` shows those that there are.",
            run->machine);
        return false;
    }
    console->machine = g_object_ref(machine);
    console->session =
        vitrine_vm_session_new_sync(console->client, console->machine, run->type, error);
    if (!console->session)
        return false;
    descriptor = vitrine_vm_session_open_log(console->session, &console->log_path, error);
    if (descriptor < 0)
        return false;
    console->log = console_log_new(descriptor);
    return true;
}

static void
log_configuration(Console *console)
{
    g_autofree char *tree = cfgm_dump(console->config);

    console_log_printf(console->log, "Vitrine " VITRINE_VERSION ", machine “%s” {%s}",
                       vitrine_machine_get_name(console->machine),
                       vitrine_machine_get_id(console->machine));
    console_log_line(console->log, "Configuration:");
    console_log_text(console->log, tree);
}

static bool
build(Console *console, GError **error)
{
    ConsoleDisplayEvents display = {
        .user = console, .updated = screen_updated, .resized = screen_resized};
    ConsoleInputEvents input = {.user = console, .leds = keyboard_leds, .mouse = mouse_enabled};
    VmmConfig config;

    console->settings = vitrine_machine_load_settings_sync(console->machine, NULL, error);
    if (!console->settings)
        return false;
    console->registry = console_registry_new(module_problem, console, NULL, error);
    if (!console->registry || !console_config_build(console, error) ||
        !apply_extra_data(console, error))
        return false;
    log_configuration(console);
    console->display = console_display_new(&display, error);
    if (!console->display)
        return false;
    console->input = console_input_new(&input);
    config = (VmmConfig){.config = console->config,
                         .registry = console->registry,
                         .events = console_events(console)};
    console->vmm = vmm_create(&config, prepare_pdm, console, error);
    if (!console->vmm)
        return false;
    console_input_attach(console->input, vmm_pdm(console->vmm));
    for (guint i = 0; i < console->drives->len; i++)
        console_eject_watch(console, &g_array_index(console->drives, ConsoleDrive, i));
    console_sound_start(console);
    return true;
}

/* The engine is chosen when the guest runs; it may change with the guest's mode. */
static gboolean
report_engine(gpointer data)
{
    Console *console = data;
    g_autofree char *name = g_ascii_strup(vmm_engine_name(console->vmm), -1);

    vitrine_vm_session_set_engine(console->session, name);
    return G_SOURCE_CONTINUE;
}

bool
console_run_power_on(Console *console, GError **error)
{
    if (!vmm_power_on(console->vmm, error))
        return false;
    console_set_state(console, VITRINE_MACHINE_STATE_RUNNING);
    console_tell_notes(console);
    report_engine(console);
    console->engine_watch = g_timeout_source_new_seconds(2);
    g_source_set_callback(console->engine_watch, report_engine, console, NULL);
    g_source_attach(console->engine_watch, console->context);
    return true;
}

static bool
start(Console *console, GError **error)
{
    bool loading;

    if (!vitrine_vm_session_serve(console->session, &console_ops, console, error))
        return false;
    console_display_start(console->display, vmm_pdm(console->vmm));
    return console_state_load(console, &loading, error) &&
           (loading || console_run_power_on(console, error));
}

/* --- taking down --- */
static void
stop_machine(Console *console)
{
    console_state_end(console);
    console_merge_finish(console);
    if (console->engine_watch)
        g_source_destroy(console->engine_watch);
    g_clear_pointer(&console->engine_watch, g_source_unref);
    if (console->input)
        console_input_attach(console->input, NULL);
    if (console->display)
        console_display_stop(console->display);
    if (console->vmm) {
        console_usb_detach_all(console, false);
        vmm_power_off(console->vmm);
        vmm_destroy(g_steal_pointer(&console->vmm));
    }
}

static void
console_clear(Console *console)
{
    g_clear_object(&console->session);
    g_clear_object(&console->settings);
    g_clear_object(&console->machine);
    g_clear_object(&console->client);
    g_clear_pointer(&console->input, console_input_free);
    g_clear_pointer(&console->display, console_display_free);
    g_clear_pointer(&console->config, cfgm_free);
    g_clear_pointer(&console->registry, pdm_registry_free);
    g_clear_pointer(&console->drives, g_array_unref);
    g_clear_pointer(&console->notes, g_array_unref);
    g_clear_pointer(&console->strings, g_ptr_array_unref);
    console_usb_clear(console);
    g_clear_pointer(&console->log, console_log_free);
    g_clear_pointer(&console->log_path, g_free);
    g_clear_pointer(&console->loop, g_main_loop_unref);
    g_clear_error(&console->problem);
}

static void
report_failure(Console *console, GError **error)
{
    console_translate_error(error);
    if (console->log)
        console_log_printf(console->log, "The machine did not start: %s", (*error)->message);
    if (console->session)
        vitrine_vm_session_report_start_error(console->session, *error);
    else if (console->machine)
        vitrine_machine_report_start_error(console->machine, *error);
}

static bool
run_console(ConsoleRun *run, Console *console, GError **error)
{
    bool stop;

    if (!open_session(console, run, error) || !build(console, error) || !start(console, error)) {
        stop_machine(console);
        report_failure(console, error);
        return false;
    }
    g_mutex_lock(&run->mutex);
    run->console = console;
    stop = run->stop;
    g_mutex_unlock(&run->mutex);
    if (!stop)
        g_main_loop_run(console->loop);
    g_mutex_lock(&run->mutex);
    run->console = NULL;
    g_mutex_unlock(&run->mutex);
    if (console->problem) {
        /* That it is no longer restoring is to be told first. */
        while (g_main_context_iteration(console->context, FALSE))
            ;
        stop_machine(console);
        g_propagate_error(error, g_steal_pointer(&console->problem));
        report_failure(console, error);
        return false;
    }
    if (!console->ends_saved)
        console_set_state(console, VITRINE_MACHINE_STATE_STOPPING);
    stop_machine(console);
    console_log_line(console->log,
                     console->ends_saved ? "The machine is saved." : "The machine is off.");
    vitrine_vm_session_finish(console->session, console->ends_saved
                                                    ? VITRINE_MACHINE_STATE_SAVED
                                                    : VITRINE_MACHINE_STATE_POWERED_OFF);
    return true;
}

bool
console_run_main(ConsoleRun *run, GError **error)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    GError *problem = NULL;
    Console console = {
        .context = context,
        .state = VITRINE_MACHINE_STATE_STARTING,
        .drives = g_array_new(FALSE, TRUE, sizeof(ConsoleDrive)),
        .usb = console_usb_new(),
        .notes = console_notes_new(),
        .strings = g_ptr_array_new_with_free_func(g_free),
    };
    bool ok;

    g_array_set_clear_func(console.drives, drive_clear);
    g_main_context_push_thread_default(context);
    console.loop = g_main_loop_new(context, FALSE);
    ok = run_console(run, &console, &problem);
    console_clear(&console);
    while (g_main_context_iteration(context, FALSE))
        ; /* what was posted last goes with its memory */
    g_main_context_pop_thread_default(context);
    if (!ok)
        g_propagate_error(error, problem);
    return ok;
}

static gboolean
quit(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

void
console_run_stop(ConsoleRun *run)
{
    g_mutex_lock(&run->mutex);
    run->stop = true;
    if (run->console)
        g_main_context_invoke_full(run->console->context, G_PRIORITY_DEFAULT, quit,
                                   g_main_loop_ref(run->console->loop),
                                   (GDestroyNotify)g_main_loop_unref);
    g_mutex_unlock(&run->mutex);
}

ConsoleRun *
console_run_new(const char *machine, const char *type)
{
    ConsoleRun *run = g_new0(ConsoleRun, 1);

    run->machine = g_strdup(machine);
    run->type = g_strdup(type);
    g_mutex_init(&run->mutex);
    return run;
}

void
console_run_free(ConsoleRun *run)
{
    if (!run)
        return;
    g_free(run->machine);
    g_free(run->type);
    g_mutex_clear(&run->mutex);
    g_free(run);
}
