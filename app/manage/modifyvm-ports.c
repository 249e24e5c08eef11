/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * modifyvm's options for serial and parallel ports: --uartN takes off or two words, --uartmodeN a
 * word and often a path. */
#include "app/manage/manage-words.h"
#include "app/manage/modifyvm-private.h"

/* off, or an I/O address and an interrupt. */
static bool
take_resources(ManageArgs *args, gboolean *enabled, guint *io_base, guint *irq, GError **error)
{
    const char *text;
    guint64 base, line;
    if (!manage_args_text(args, &text, error))
        return false;
    *enabled = g_ascii_strcasecmp(text, "off") != 0;
    if (!*enabled)
        return true;
    if (!manage_parse_number(text, &base) || base > 0xffff) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s needs off or an I/O address, not '%s'.",
                    args->option, text);
        return false;
    }
    if (!manage_args_number(args, &line, error))
        return false;
    if (line > 15) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s needs an interrupt from 0 to 15.",
                    args->option);
        return false;
    }
    *io_base = (guint)base;
    *irq = (guint)line;
    return true;
}

/* The service has another working directory. */
static bool
takes_path(VitrineUartMode mode)
{
    return mode == VITRINE_UART_MODE_HOST_PIPE || mode == VITRINE_UART_MODE_RAW_FILE;
}

static bool
take_mode(ManageArgs *args, VitrineUart *uart, GError **error)
{
    static const struct {
        const char *word;
        VitrineUartMode mode;
        gboolean server;
    } modes[] = {
        {"server", VITRINE_UART_MODE_HOST_PIPE, TRUE},
        {"client", VITRINE_UART_MODE_HOST_PIPE, FALSE},
        {"tcpserver", VITRINE_UART_MODE_TCP, TRUE},
        {"tcpclient", VITRINE_UART_MODE_TCP, FALSE},
        {"file", VITRINE_UART_MODE_RAW_FILE, FALSE},
    };
    const char *text;
    if (!manage_args_text(args, &text, error))
        return false;
    g_clear_pointer(&uart->path, g_free);
    uart->server = FALSE;
    if (g_ascii_strcasecmp(text, "disconnected") == 0) {
        uart->mode = VITRINE_UART_MODE_DISCONNECTED;
        uart->path = g_strdup("");
        return true;
    }
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (g_ascii_strcasecmp(text, modes[i].word) != 0)
            continue;
        if (!manage_args_text(args, &text, error))
            return false;
        uart->mode = modes[i].mode;
        uart->server = modes[i].server;
        uart->path = takes_path(uart->mode) ? manage_absolute_path(text) : g_strdup(text);
        return true;
    }
    uart->mode = VITRINE_UART_MODE_HOST_DEVICE;
    uart->path = g_strdup(text);
    return true;
}

static bool
take_type(ManageArgs *args, VitrineUart *uart, GError **error)
{
    const char *text;
    int value;
    if (!manage_args_text(args, &text, error) ||
        !manage_from_word(VITRINE_TYPE_UART_TYPE, text, &value, error))
        return false;
    uart->type = (VitrineUartType)value;
    return true;
}

static bool
check_slot(ManageArgs *args, guint slot, guint count, GError **error)
{
    if (slot <= count)
        return true;
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s: there are only %u ports.", args->option, count);
    return false;
}

static bool
change_uart(ManageArgs *args, VitrineSettings *settings, guint slot,
            bool (*change)(ManageArgs *args, VitrineUart *uart, GError **error), GError **error)
{
    if (!check_slot(args, slot, VITRINE_UART_COUNT, error))
        return false;
    g_autoptr(VitrineUart) uart = vitrine_uart_copy(vitrine_settings_get_uart(settings, slot - 1));
    bool ok = change(args, uart, error);
    if (ok)
        vitrine_settings_set_uart(settings, slot - 1, uart);
    return ok;
}

static bool
take_uart(ManageArgs *args, VitrineUart *uart, GError **error)
{
    return take_resources(args, &uart->enabled, &uart->io_base, &uart->irq, error);
}

static bool
change_lpt(ManageArgs *args, VitrineSettings *settings, guint slot, bool mode, GError **error)
{
    const char *path;
    bool ok;
    if (!check_slot(args, slot, VITRINE_LPT_COUNT, error))
        return false;
    g_autoptr(VitrineLpt) lpt = vitrine_lpt_copy(vitrine_settings_get_lpt(settings, slot - 1));
    if (mode) {
        ok = manage_args_text(args, &path, error);
        if (ok) {
            g_free(lpt->path);
            lpt->path = *path ? manage_absolute_path(path) : g_strdup("");
        }
    } else {
        ok = take_resources(args, &lpt->enabled, &lpt->io_base, &lpt->irq, error);
    }
    if (ok)
        vitrine_settings_set_lpt(settings, slot - 1, lpt);
    return ok;
}

bool
modifyvm_port_option(ManageArgs *args, VitrineSettings *settings, bool *taken, GError **error)
{
    guint slot;
    *taken = true;
    if (manage_args_take_option(args, "uart#", &slot))
        return change_uart(args, settings, slot, take_uart, error);
    if (manage_args_take_option(args, "uartmode#", &slot))
        return change_uart(args, settings, slot, take_mode, error);
    if (manage_args_take_option(args, "uarttype#", &slot))
        return change_uart(args, settings, slot, take_type, error);
    if (manage_args_take_option(args, "lpt#", &slot))
        return change_lpt(args, settings, slot, false, error);
    if (manage_args_take_option(args, "lptmode#", &slot))
        return change_lpt(args, settings, slot, true, error);
    *taken = false;
    return true;
}
