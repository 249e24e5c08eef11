/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A state that is saved while the machine runs: its largest unit (RAM) goes to the file meanwhile;
 * the others are small and go to memory in the moment in which the machine stands, and to the file
 * afterwards. Design, section 5 "Saved state". */
#include "vmm/ssm/ssm-private.h"

#include <string.h>

struct SsmLive {
    Ssm *ssm;
    const SsmUnit *first;
    SsmWriter *writer;
    GByteArray *rest; /* the other units, as they are in the file */
};

static const SsmUnit *
find_first(const Ssm *ssm, const char *name)
{
    for (guint i = 0; i < ssm->units->len; i++) {
        const SsmUnit *unit = ssm->units->pdata[i];

        if (strcmp(unit->name, name) == 0)
            return unit;
    }
    g_assert_not_reached();
}

SsmLive *
ssm_live_new(Ssm *ssm, const char *first, int fd, const SsmProgress *progress)
{
    SsmLive *live = g_new0(SsmLive, 1);

    live->ssm = ssm;
    live->first = find_first(ssm, first);
    live->writer = ssm_writer_new(fd, NULL, progress);
    live->rest = g_byte_array_new();
    ssm_write_file_header(live->writer, ssm);
    ssm_writer_begin_unit(live->writer, live->first);
    return live;
}

SsmWriter *
ssm_live_writer(SsmLive *live)
{
    return live->writer;
}

bool
ssm_live_stopped(SsmLive *live, GError **error)
{
    SsmWriter *writer = ssm_writer_new(-1, live->rest, NULL);
    const GPtrArray *units = live->ssm->units;
    bool ok = true;

    for (guint i = 0; i < units->len && ok; i++) {
        if (units->pdata[i] != live->first)
            ok = ssm_save_unit(writer, units->pdata[i], error);
    }
    ssm_writer_free(writer);
    return ok;
}

bool
ssm_live_finish(SsmLive *live, GError **error)
{
    ssm_writer_end_unit(live->writer);
    ssm_writer_bytes(live->writer, live->rest->data, live->rest->len);
    ssm_write_end(live->writer, live->ssm);
    return ssm_put_ok(live->writer, error);
}

void
ssm_live_free(SsmLive *live)
{
    if (live == NULL)
        return;
    ssm_writer_free(live->writer);
    g_byte_array_unref(live->rest);
    g_free(live);
}
