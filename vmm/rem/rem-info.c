/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * REM's statistics: what was translated, how blocks were found, and which instructions IEM had to
 * execute, the most frequent first. */
#include "vmm/rem/rem-private.h"

#include "vmm/x86/x86-decode.h"

#define ROWS_SHOWN 24

static void
add(GString *out, const char *name, uint64_t value)
{
    g_string_append_printf(out, "rem-%s %" G_GUINT64_FORMAT "\n", name, value);
}

static void
add_fallbacks(const RemVcpu *rem, GString *out)
{
    uint64_t below = UINT64_MAX;

    for (unsigned shown = 0; shown < ROWS_SHOWN; shown++) {
        unsigned best = 0;

        for (unsigned row = 1; row <= ZYDIS_MNEMONIC_MAX_VALUE; row++)
            if (rem->fallback_rows[row] < below &&
                rem->fallback_rows[row] > rem->fallback_rows[best])
                best = row;
        if (best == 0 || rem->fallback_rows[best] == 0)
            return;
        below = rem->fallback_rows[best];
        g_string_append_printf(out, "rem-iem-%s %" G_GUINT64_FORMAT "\n", x86_mnemonic_name(best),
                               below);
    }
}

void
rem_info(Vcpu *vcpu, GString *out)
{
    const RemVcpu *rem = rem_of(vcpu);

    add(out, "translated-blocks", rem->translated);
    add(out, "translated-instructions", rem->translated_insns);
    add(out, "recordings", rem->recordings);
    add(out, "traces", rem->traces);
    add(out, "killed-blocks", rem->killed_blocks);
    add(out, "cache-flushes", rem->flushes);
    add(out, "links", rem->linked);
    add(out, "lookups", rem->lookups);
    add(out, "jump-misses", rem->jump_misses);
    add(out, "memory-misses", rem->memory_misses);
    add(out, "iem-instructions", rem->fallbacks);
    add(out, "untranslated-instructions", rem->untranslated);
    add(out, "code-bytes", rem_cache_code_bytes(rem));
    add(out, "table-bytes",
        rem->site_count * sizeof(RemSite) + rem->block_count * sizeof(RemBlock) + rem->arena_used);
    add_fallbacks(rem, out);
}
