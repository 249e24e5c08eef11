/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What every emulated USB device can be told: where it is plugged in. */
#pragma once

#include "vmm/pdm/pdm.h"

extern const PdmOption usb_device_options[];
