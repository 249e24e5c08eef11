/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of IOM share. */
#pragma once

#include "vmm/iom/iom.h"

#define IOM_PORTS 0x10000u

struct Iom {
    GRecMutex *lock;     /* the device lock; NULL before PDM gave it */
    IomPorts **owner;    /* by port; NULL: nobody */
    GQueue mapped_ports; /* IomPorts, the oldest mapping first */
};

static inline void
iom_enter(Iom *iom)
{
    if (iom->lock != NULL)
        g_rec_mutex_lock(iom->lock);
}

static inline void
iom_leave(Iom *iom)
{
    if (iom->lock != NULL)
        g_rec_mutex_unlock(iom->lock);
}

/* All ones in an access of size bytes. */
static inline uint64_t
iom_open_bus(unsigned size)
{
    return size >= 8 ? ~0ull : (1ull << (size * 8)) - 1;
}
