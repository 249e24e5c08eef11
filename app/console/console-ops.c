/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What clients of the console ask for, in the session's main context. */
#include "app/console/console-private.h"

void
console_translate_error(GError **error)
{
    /* The two enumerations begin with the same codes in the same order. */
    G_STATIC_ASSERT((int)BASE_ERROR_DENIED == (int)VITRINE_ERROR_DENIED);
    G_STATIC_ASSERT((int)BASE_ERROR_NO_SPACE == (int)VITRINE_ERROR_NO_SPACE);

    if (error && *error && (*error)->domain == BASE_ERROR)
        (*error)->domain = VITRINE_ERROR;
}

static bool
is_one_of(Console *console, VmmState a, VmmState b, const char *what, GError **error)
{
    VmmState state = vmm_state(console->vmm);

    if (state == a || state == b)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                "The machine cannot be %s in its present state.", what);
    return false;
}

static gboolean
power_off(Console *console)
{
    console_log_line(console->log, "Power off by the user.");
    /* A load that is under way is given up first. */
    if (console->state != VITRINE_MACHINE_STATE_RESTORING) {
        console_set_state(console, VITRINE_MACHINE_STATE_STOPPING);
        vmm_power_off(console->vmm);
    }
    g_main_loop_quit(console->loop);
    return TRUE;
}

static gboolean
press_button(Console *console, const char *command, GError **error)
{
    if (!is_one_of(console, VMM_RUNNING, VMM_RUNNING, "told", error))
        return FALSE;
    if (pdm_command(vmm_pdm(console->vmm), MACHINE_ACPI_DEVICE, 0, command, NULL))
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                "The guest does not listen to the button: ACPI is switched off, or its system does "
                "not use it.");
    return FALSE;
}

/* While the state is saved or loaded the machine is nobody's; only a load can be ended. */
static bool
is_free(const Console *console, VitrineConsoleAction action, GError **error)
{
    if (console->state == VITRINE_MACHINE_STATE_RESTORING && action == VITRINE_CONSOLE_POWER_OFF)
        return true;
    if (console->state != VITRINE_MACHINE_STATE_SAVING &&
        console->state != VITRINE_MACHINE_STATE_RESTORING)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                console->state == VITRINE_MACHINE_STATE_SAVING ? "The machine is being saved."
                                                               : "The machine is being restored.");
    return false;
}

static gboolean
run_action(Console *console, VitrineConsoleAction action, GError **error)
{
    switch (action) {
    case VITRINE_CONSOLE_PAUSE:
        return is_one_of(console, VMM_RUNNING, VMM_PAUSED, "paused", error) &&
               vmm_pause(console->vmm, VMM_PAUSE_USER, error);
    case VITRINE_CONSOLE_RESUME:
        return is_one_of(console, VMM_PAUSED, VMM_RUNNING, "resumed", error) &&
               vmm_resume(console->vmm, error);
    case VITRINE_CONSOLE_RESET: return vmm_reset(console->vmm, error);
    case VITRINE_CONSOLE_POWER_OFF: return power_off(console);
    case VITRINE_CONSOLE_ACPI_POWER_BUTTON: return press_button(console, "power-button", error);
    case VITRINE_CONSOLE_ACPI_SLEEP_BUTTON: return press_button(console, "sleep-button", error);
    }
    g_return_val_if_reached(FALSE);
}

static gboolean
op_action(gpointer data, VitrineConsoleAction action, GError **error)
{
    gboolean done = is_free(data, action, error) && run_action(data, action, error);

    console_translate_error(error);
    return done;
}

static void
op_put_scancodes(gpointer data, const guint8 *codes, gsize length)
{
    Console *console = data;

    console_input_scancodes(console->input, codes, length);
}

static void
typed(void *user, bool ok)
{
    g_autoptr(GTask) task = user;

    if (ok)
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_new_error(task, VITRINE_ERROR, VITRINE_ERROR_CANCELLED,
                                "The machine was switched off before all was typed.");
}

static void
op_put_string(gpointer data, const char *text, GTask *task)
{
    Console *console = data;
    GError *error = NULL;

    if (console_input_type(console->input, text, typed, task, &error))
        return;
    console_translate_error(&error);
    g_task_return_error(task, error);
    g_object_unref(task);
}

static void
op_release_keys(gpointer data)
{
    Console *console = data;

    console_input_release_keys(console->input);
}

static void
op_mouse_relative(gpointer data, int dx, int dy, int dz, int dw, guint buttons)
{
    Console *console = data;

    console_input_mouse(console->input, dx, dy, dz, dw, buttons);
}

static unsigned
scale_coordinate(int value, unsigned size)
{
    if (size < 2 || value <= 0)
        return 0;
    return (unsigned)MIN((guint64)value * 0xffff / (size - 1), 0xffffu);
}

static void
op_mouse_absolute(gpointer data, guint screen, int x, int y, int dz, int dw, guint buttons)
{
    Console *console = data;
    unsigned width, height;

    if (screen != 0)
        return;
    console_display_size(console->display, &width, &height);
    console_input_mouse_absolute(console->input, scale_coordinate(x, width),
                                 scale_coordinate(y, height), dz, dw, buttons);
}

static bool
check_screen(guint screen, GError **error)
{
    if (screen == 0)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "The machine has no screen %u.",
                screen + 1);
    return false;
}

static int
op_get_surface(gpointer data, guint screen, GError **error)
{
    Console *console = data;

    return check_screen(screen, error) ? console_display_descriptor(console->display) : -1;
}

static GBytes *
op_screenshot_png(gpointer data, guint screen, GError **error)
{
    Console *console = data;
    GBytes *png = check_screen(screen, error) ? console_display_png(console->display, error) : NULL;

    console_translate_error(error);
    return png;
}

static void
op_get_activity(gpointer data, VitrineActivity *activity)
{
    Console *console = data;

    memset(activity, 0, sizeof(*activity));
    console_media_activity(console, activity);
    console_sound_activity(console, activity);
    console_network_activity(console, activity);
    console_usb_activity(console, activity);
    activity->writes[VITRINE_ACTIVITY_DISPLAY] = console_display_updates(console->display);
}

/* Totals of the machine, then each CPU's own numbers. */
static char *
statistics(Console *console)
{
    GString *text = g_string_new(NULL);
    VmmStatistics numbers;

    vmm_statistics(console->vmm, &numbers);
    g_string_printf(text,
                    "engine: %s\ninstructions: %" G_GUINT64_FORMAT "\nengine-ns: %" G_GUINT64_FORMAT
                    "\nhalted-ns: %" G_GUINT64_FORMAT "\nvirtual-ns: %" G_GUINT64_FORMAT
                    "\nresident-bytes: %" G_GUINT64_FORMAT "\n",
                    vmm_engine_name(console->vmm), numbers.instructions, numbers.engine_ns,
                    numbers.halted_ns, numbers.virtual_ns, numbers.resident_bytes);
    vmm_engine_info(console->vmm, text);
    return g_string_free(text, FALSE);
}

static char *
registers(Console *console, GError **error)
{
    bool was_running = vmm_state(console->vmm) == VMM_RUNNING;
    char *text;

    if (console->job) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The machine is being saved or restored.");
        return NULL;
    }
    if (was_running && !vmm_pause(console->vmm, VMM_PAUSE_USER, error))
        return NULL;
    text = vmm_registers(console->vmm, 0);
    if (was_running && !vmm_resume(console->vmm, error))
        g_clear_pointer(&text, g_free);
    return text;
}

/* What each device says of itself. */
static char *
devices(Console *console)
{
    GString *text = g_string_new(NULL);

    if (console->vmm != NULL)
        pdm_info(vmm_pdm(console->vmm), text);
    return g_string_free(text, FALSE);
}

static char *
op_get_info(gpointer data, const char *name, GError **error)
{
    Console *console = data;
    char *text;

    if (*name == '\0')
        return g_strdup("cfgm\ndevices\nregisters\nscreen-text\nstatistics\n");
    if (g_str_equal(name, "cfgm"))
        return cfgm_dump(console->config);
    if (g_str_equal(name, "devices"))
        return devices(console);
    if (g_str_equal(name, "statistics"))
        return statistics(console);
    if (g_str_equal(name, "registers")) {
        text = registers(console, error);
        console_translate_error(error);
        return text;
    }
    if (g_str_equal(name, "screen-text")) {
        text = console_display_text(console->display);
        return text ? text : g_strdup("");
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "There is no information named “%s”.", name);
    return NULL;
}

/* The machine starts with it the next time, too. */
static gboolean
op_set_execution_cap(gpointer data, guint percent, GError **error)
{
    Console *console = data;

    if (percent < 1 || percent > 100) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "The execution cap is a number from 1 to 100.");
        return FALSE;
    }
    vmm_set_execution_cap(console->vmm, percent);
    console_keep_setting(console, "cpu-execution-cap", percent);
    return TRUE;
}

static gboolean
op_change_medium(gpointer data, const char *controller, guint port, guint device, gboolean force,
                 GPtrArray *images, GError **error)
{
    return console_media_change(data, controller, port, device, force, images, error);
}

const VitrineVmOps console_ops = {
    .action = op_action,
    .put_scancodes = op_put_scancodes,
    .put_string = op_put_string,
    .release_keys = op_release_keys,
    .mouse_relative = op_mouse_relative,
    .mouse_absolute = op_mouse_absolute,
    .get_surface = op_get_surface,
    .screenshot_png = op_screenshot_png,
    .get_activity = op_get_activity,
    .get_info = op_get_info,
    .set_execution_cap = op_set_execution_cap,
    .set_audio = console_sound_set,
    .change_medium = op_change_medium,
    .plug_drive = console_plug_drive,
    .unplug_drive = console_unplug_drive,
    .tell_ejects = console_eject_tell_again,
    .change_adapter = console_network_change,
    .attach_usb = console_usb_attach,
    .detach_usb = console_usb_detach,
    .save_state = console_state_save,
    .cancel_save = console_state_cancel,
    .end_save = console_state_end_save,
    .merge_images = console_merge_images,
    .cancel_merge = console_merge_cancel,
    .end_merge = console_merge_end,
};
