/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Serial and parallel ports: what the settings say becomes the driver below the port. Their files,
 * sockets and devices are opened while the machine is made, not later. */
#include "app/console/console-private.h"

#define PSEUDO_TERMINAL "/dev/ptmx"

static const char *
serial_driver(const VitrineUart *uart)
{
    switch (uart->mode) {
    case VITRINE_UART_MODE_HOST_PIPE: return "char-pipe";
    case VITRINE_UART_MODE_HOST_DEVICE:
        return g_strcmp0(uart->path, PSEUDO_TERMINAL) == 0 ? "char-pty" : "char-device";
    case VITRINE_UART_MODE_RAW_FILE: return "char-file";
    case VITRINE_UART_MODE_TCP: return "char-tcp";
    case VITRINE_UART_MODE_DISCONNECTED: break;
    }
    return NULL;
}

static const char *
parallel_driver(const VitrineLpt *lpt)
{
    return lpt->path != NULL && *lpt->path != '\0' ? "char-file" : NULL;
}

static const char *
uart_type(const VitrineUart *uart)
{
    switch (uart->type) {
    case VITRINE_UART_TYPE_16450: return "16450";
    case VITRINE_UART_TYPE_16550A: return "16550A";
    case VITRINE_UART_TYPE_16750: return "16750";
    }
    return NULL;
}

void
console_ports_describe(Console *console, MachineSpec *spec)
{
    for (guint i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        const VitrineUart *uart = vitrine_settings_get_uart(console->settings, i);

        spec->serial[i] = (MachinePort){uart->enabled, uart->io_base, uart->irq,
                                        serial_driver(uart), uart_type(uart)};
    }
    for (guint i = 0; i < MACHINE_PARALLEL_PORTS; i++) {
        const VitrineLpt *lpt = vitrine_settings_get_lpt(console->settings, i);

        spec->parallel[i] = (MachinePort){.enabled = lpt->enabled,
                                          .io_base = lpt->io_base,
                                          .irq = lpt->irq,
                                          .driver = parallel_driver(lpt)};
    }
}

static bool
connect_serial(Console *console, guint slot, GError **error)
{
    const VitrineUart *uart = vitrine_settings_get_uart(console->settings, slot);
    const char *driver = serial_driver(uart);
    g_autofree char *detail = NULL;
    VitrinePortRole role;
    CfgmNode *node;
    int descriptor;

    if (!uart->enabled || driver == NULL || g_str_equal(driver, "char-pty"))
        return true;
    descriptor = vitrine_vm_session_open_uart(console->session, slot, &role, &detail, error);
    if (descriptor < 0)
        return false;
    node = machine_driver_config(console->config, machine_serial_place(slot));
    cfgm_set_uint(node, "Descriptor", (uint64_t)descriptor);
    cfgm_set_uint(node, "Server", role == VITRINE_PORT_LISTENER);
    return true;
}

static bool
connect_parallel(Console *console, guint slot, GError **error)
{
    const VitrineLpt *lpt = vitrine_settings_get_lpt(console->settings, slot);
    int descriptor;

    if (!lpt->enabled || parallel_driver(lpt) == NULL)
        return true;
    descriptor = vitrine_vm_session_open_lpt(console->session, slot, error);
    if (descriptor < 0)
        return false;
    cfgm_set_uint(machine_driver_config(console->config, machine_parallel_place(slot)),
                  "Descriptor", (uint64_t)descriptor);
    return true;
}

bool
console_ports_connect(Console *console, GError **error)
{
    for (guint i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        if (!connect_serial(console, i, error))
            return false;
    }
    for (guint i = 0; i < MACHINE_PARALLEL_PORTS; i++) {
        if (!connect_parallel(console, i, error))
            return false;
    }
    return true;
}
