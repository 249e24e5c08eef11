/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writes to code by other threads, noted for the virtual CPU that holds it until that leaves its
 * engine. Any number of writes takes the same room. */
#include "vmm/pgm/pgm-private.h"

#include <string.h>

void
pgm_remote_init(PgmRemote *remote, Vcpu *vcpu)
{
    remote->vcpu = vcpu;
    g_mutex_init(&remote->lock);
}

void
pgm_remote_clear(PgmRemote *remote)
{
    g_mutex_clear(&remote->lock);
}

/* False: known already. */
static bool
note(PgmRemote *remote, uint64_t page, uint64_t written)
{
    const unsigned count = remote->count;

    for (unsigned i = 0; i < MIN(count, PGM_REMOTE_MAX); i++) {
        PgmRemoteWrite *write = &remote->write[i];

        if (write->gpa == page && (write->granules & written) == written)
            return false;
        if (write->gpa == page) {
            write->granules |= written;
            return true;
        }
    }
    if (count < PGM_REMOTE_MAX)
        remote->write[count] = (PgmRemoteWrite){page, written};
    remote->count = MIN(count + 1, PGM_REMOTE_MAX + 1);
    return count <= PGM_REMOTE_MAX;
}

void
pgm_remote_note(PgmRemote *remote, uint64_t gpa, uint64_t size)
{
    bool fresh;

    g_mutex_lock(&remote->lock);
    fresh = note(remote, gpa & PGM_PAGE_MASK, pgm_granules(gpa, size));
    g_mutex_unlock(&remote->lock);
    if (fresh)
        cpum_pend_inside(remote->vcpu, CPUM_PEND_KICK);
}

unsigned
pgm_remote_take(PgmRemote *remote, PgmRemoteWrite write[PGM_REMOTE_MAX])
{
    unsigned count;

    g_mutex_lock(&remote->lock);
    count = remote->count;
    memcpy(write, remote->write, MIN(count, PGM_REMOTE_MAX) * sizeof *write);
    remote->count = 0;
    g_mutex_unlock(&remote->lock);
    return count;
}
