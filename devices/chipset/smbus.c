/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An SMBus host controller without devices: see the header. */
#include "devices/chipset/smbus.h"

#define STATUS_DEVICE_ERROR 0x04
#define STATUS_CLEARABLE 0x1e
#define CONTROL_START 0x40

/* clang-format off */
const SsmField smbus_fields[] = {
    SSM_UINT(Smbus, status), SSM_UINT(Smbus, control), SSM_UINT(Smbus, command),
    SSM_UINT(Smbus, address), SSM_UINT(Smbus, data0), SSM_UINT(Smbus, data1), SSM_END
};
/* clang-format on */

uint8_t
smbus_read(const Smbus *bus, uint32_t offset)
{
    switch (offset) {
    case 0: return bus->status;
    case 2: return bus->control;
    case 3: return bus->command;
    case 4: return bus->address;
    case 5: return bus->data0;
    case 6: return bus->data1;
    default: return 0;
    }
}

void
smbus_write(Smbus *bus, uint32_t offset, uint8_t value)
{
    switch (offset) {
    case 0: bus->status &= (uint8_t) ~(value & STATUS_CLEARABLE); break;
    case 2:
        bus->control = value & (uint8_t)~CONTROL_START;
        if (value & CONTROL_START)
            bus->status |= STATUS_DEVICE_ERROR;
        break;
    case 3: bus->command = value; break;
    case 4: bus->address = value; break;
    case 5: bus->data0 = value; break;
    case 6: bus->data1 = value; break;
    default: break;
    }
}
