/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * In the place of fuzz-usb-vusb.c's controller where a real one is fuzzed: it is registered and
 * never made. */
#include "tests/fuzz/fuzz-usb.h"

static bool
construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    return true;
}

const PdmDeviceInfo fuzz_usb_controller = {
    .abi = PDM_ABI_VERSION,
    .name = "fuzz-controller",
    .title = "No controller",
    .kind = PDM_KIND_USB,
    .instance_size = 1,
    .max_instances = 1,
    .construct = construct,
    .state = &PDM_STATE_NONE,
};
