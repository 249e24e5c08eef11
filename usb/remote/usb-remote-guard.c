/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The length of packets: USB redirection protocol, "Packet format": type, length and id, each of 32
 * bits but for the id, which has 64 where both sides can. */
#include "usb/remote/usb-remote-guard.h"

#include "usb/vusb-device.h"

#include <string.h>

#define HEADERS_MAX 256u /* what stands before the data in any packet */

bool
remote_guard_check(RemoteGuard *guard, bool wide, const uint8_t *data, size_t size)
{
    const uint32_t header = wide ? 16 : 12;

    while (size > 0) {
        if (guard->left > 0) {
            const size_t piece = size < guard->left ? size : guard->left;

            guard->left -= (uint32_t)piece;
            data += piece;
            size -= piece;
            continue;
        }
        guard->header[guard->have++] = *data++;
        size--;
        if (guard->have < header)
            continue;
        guard->have = 0;
        memcpy(&guard->left, guard->header + 4, sizeof(guard->left));
        if (guard->left > VUSB_URB_SIZE_MAX + HEADERS_MAX)
            return false;
    }
    return true;
}
