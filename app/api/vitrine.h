/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libvitrine, the Main API: include this one. vitrine-vm-session.h is apart, for VM processes. */
#pragma once

/* IWYU pragma: begin_exports */
#include "app/api/vitrine-client.h"
#include "app/api/vitrine-console.h"
#include "app/api/vitrine-devices.h"
#include "app/api/vitrine-host-drive.h"
#include "app/api/vitrine-machine.h"
#include "app/api/vitrine-medium.h"
#include "app/api/vitrine-nat-network.h"
#include "app/api/vitrine-os-types.h"
#include "app/api/vitrine-progress.h"
#include "app/api/vitrine-settings.h"
#include "app/api/vitrine-snapshot.h"
#include "app/api/vitrine-storage.h"
#include "app/api/vitrine-surface.h"
#include "app/api/vitrine-types.h"
#include "app/api/vitrine-usb-host.h"
#include "app/api/vitrine-usb.h"
#include "vitrine-enum-types.h"
/* IWYU pragma: end_exports */
