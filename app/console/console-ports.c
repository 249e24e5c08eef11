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
    if (lpt->path == NULL || *lpt->path == '\0')
        return NULL;
    return g_str_has_prefix(lpt->path, "/dev/") ? "char-device" : "char-file";
}

void
console_ports_describe(Console *console, MachineSpec *spec)
{
    for (guint i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        const VitrineUart *uart = vitrine_settings_get_uart(console->settings, i);

        spec->serial[i] =
            (MachinePort){uart->enabled, uart->io_base, uart->irq, serial_driver(uart)};
    }
    for (guint i = 0; i < MACHINE_PARALLEL_PORTS; i++) {
        const VitrineLpt *lpt = vitrine_settings_get_lpt(console->settings, i);

        spec->parallel[i] =
            (MachinePort){lpt->enabled, lpt->io_base, lpt->irq, parallel_driver(lpt)};
    }
}

void
console_ports_configure(Console *console)
{
    for (guint i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        const VitrineUart *uart = vitrine_settings_get_uart(console->settings, i);
        CfgmNode *node;

        if (!uart->enabled || serial_driver(uart) == NULL)
            continue;
        node = machine_driver_config(console->config, machine_serial_place(i));
        cfgm_set_string(node, uart->mode == VITRINE_UART_MODE_TCP ? "Address" : "Path",
                        uart->path != NULL ? uart->path : "");
        cfgm_set_uint(node, "Server", uart->server);
    }
    for (guint i = 0; i < MACHINE_PARALLEL_PORTS; i++) {
        const VitrineLpt *lpt = vitrine_settings_get_lpt(console->settings, i);

        if (lpt->enabled && parallel_driver(lpt) != NULL)
            cfgm_set_string(machine_driver_config(console->config, machine_parallel_place(i)),
                            "Path", lpt->path);
    }
}
