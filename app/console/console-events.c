/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the VMM and the screen tell, brought from their threads to the session's. */
#include "app/console/console-private.h"

typedef struct {
    Console *console;
    enum {
        EVENT_STATE,
        EVENT_POWER_OFF,
        EVENT_RESET,
        EVENT_TRIPLE_FAULT,
        EVENT_MESSAGE,
        EVENT_EJECTED
    } kind;
    VmmState state;
    PdmSeverity severity;
    char *id, *text;
} Event;

static void
event_free(gpointer data)
{
    Event *event = data;

    g_free(event->id);
    g_free(event->text);
    g_free(event);
}

void
console_set_state(Console *console, VitrineMachineState state)
{
    if (console->state == state)
        return;
    console->state = state;
    console_log_printf(console->log, "State: %s", vitrine_nick(VITRINE_TYPE_MACHINE_STATE, state));
    vitrine_vm_session_set_state(console->session, state);
}

static void
take_state(Console *console, VmmState state)
{
    /* Its pause, and what the machine is told afterwards, belong to the save. */
    if (console->state == VITRINE_MACHINE_STATE_SAVING && state != VMM_OFF)
        return;
    switch (state) {
    case VMM_RUNNING: console_set_state(console, VITRINE_MACHINE_STATE_RUNNING); break;
    case VMM_PAUSED: console_set_state(console, VITRINE_MACHINE_STATE_PAUSED); break;
    case VMM_STUCK: console_set_state(console, VITRINE_MACHINE_STATE_STUCK); break;
    case VMM_OFF:
        /* Also after a fatal error of a device, which nobody else acts on. */
        console_set_state(console, VITRINE_MACHINE_STATE_STOPPING);
        g_main_loop_quit(console->loop);
        break;
    case VMM_CREATED: break;
    }
}

/* --- what a person is to hear --- */

static void
say(Console *console, bool fatal, const char *id, const char *text)
{
    console_log_printf(console->log, "%s (%s): %s", fatal ? "Fatal error" : "Runtime message", id,
                       text);
    g_printerr("%s\n", text); /* a machine without a window has nowhere else to say it */
    vitrine_vm_session_runtime_error(console->session, fatal, id, text);
}

static void
note_clear(gpointer data)
{
    ConsoleNote *note = data;

    g_free(note->id);
    g_free(note->text);
}

GArray *
console_notes_new(void)
{
    GArray *notes = g_array_new(FALSE, FALSE, sizeof(ConsoleNote));

    g_array_set_clear_func(notes, note_clear);
    return notes;
}

void
console_tell(Console *console, const char *id, const char *text)
{
    if (console->notes != NULL) {
        const ConsoleNote note = {g_strdup(id), g_strdup(text)};

        g_array_append_val(console->notes, note);
    } else {
        say(console, false, id, text);
    }
}

void
console_tell_notes(Console *console)
{
    g_autoptr(GArray) notes = g_steal_pointer(&console->notes);

    for (guint i = 0; notes != NULL && i < notes->len; i++) {
        const ConsoleNote *note = &g_array_index(notes, ConsoleNote, i);
        say(console, false, note->id, note->text);
    }
}

static void
take_message(Console *console, const Event *event)
{
    say(console, event->severity == PDM_RUNTIME_FATAL, event->id, event->text);
}

static gboolean
dispatch(gpointer data)
{
    Event *event = data;
    Console *console = event->console;

    /* Told while the session was being taken down. */
    if (!console->loop)
        return G_SOURCE_REMOVE;
    switch (event->kind) {
    case EVENT_STATE: take_state(console, event->state); break;
    case EVENT_POWER_OFF:
        console_log_line(console->log, "The guest has switched the machine off.");
        g_main_loop_quit(console->loop);
        break;
    case EVENT_RESET: console_log_line(console->log, "The guest has reset the machine."); break;
    case EVENT_TRIPLE_FAULT:
        console_log_line(console->log, "Triple fault: the guest cannot go on.");
        console_log_text(console->log, event->text);
        console_set_state(console, VITRINE_MACHINE_STATE_STUCK);
        vitrine_vm_session_triple_fault(console->session, console->log_path);
        break;
    case EVENT_MESSAGE: take_message(console, event); break;
    case EVENT_EJECTED: console_eject_tell(console); break;
    }
    return G_SOURCE_REMOVE;
}

/* Takes the event. In order: all have the same priority. */
static void
post(Console *console, const Event *event)
{
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, dispatch, g_memdup2(event, sizeof(*event)), event_free);
    g_source_attach(source, console->context);
}

static void
state_changed(void *user, VmmState state)
{
    post(user, &(Event){.console = user, .kind = EVENT_STATE, .state = state});
}

static void
runtime_message(void *user, PdmSeverity severity, const char *id, const char *message)
{
    post(user, &(Event){.console = user,
                        .kind = EVENT_MESSAGE,
                        .severity = severity,
                        .id = g_strdup(id),
                        .text = g_strdup(message)});
}

static void
guest_power_off(void *user)
{
    post(user, &(Event){.console = user, .kind = EVENT_POWER_OFF});
}

static void
guest_reset(void *user)
{
    post(user, &(Event){.console = user, .kind = EVENT_RESET});
}

static void
triple_fault(void *user, const char *registers)
{
    post(user, &(Event){.console = user, .kind = EVENT_TRIPLE_FAULT, .text = g_strdup(registers)});
}

void
console_medium_ejected(void *user)
{
    post(user, &(Event){.console = user, .kind = EVENT_EJECTED});
}

static void
log_line(void *user, const char *line)
{
    Console *console = user;

    console_log_line(console->log, line);
}

VmmEvents
console_events(Console *console)
{
    return (VmmEvents){
        .user = console,
        .state_changed = state_changed,
        .runtime_message = runtime_message,
        .guest_power_off = guest_power_off,
        .guest_reset = guest_reset,
        .triple_fault = triple_fault,
        .log = log_line,
    };
}
