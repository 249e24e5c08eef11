/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Engines in turns, and the digest of a machine's state. */
#include "tests/lib/run-guest-mix.h"

#define SEED 20260101u
/* From single instructions to long stretches. */
#define SHIFT_MAX 20

bool
run_mix_init(RunMix *mix, const char *names, GError **error)
{
    g_auto(GStrv) all = g_strsplit(names != NULL ? names : "", "+", RUN_MIX_MAX);

    *mix = (RunMix){.random = g_rand_new_with_seed(SEED)};
    for (unsigned i = 0; g_strv_length(all) > 1 && all[i] != NULL; i++) {
        const EmEngine *engine = em_engine_by_name(all[i]);

        if (engine == NULL || !engine->counts) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" cannot take turns.", all[i]);
            return false;
        }
        mix->engine[mix->count++] = engine;
    }
    return true;
}

void
run_mix_clear(RunMix *mix)
{
    g_clear_pointer(&mix->random, g_rand_free);
}

const char *
run_mix_first(const RunMix *mix, const char *names)
{
    return mix->count > 0 ? mix->engine[0]->name : names;
}

uint64_t
run_mix_next(RunMix *mix, Vmm *vmm, uint64_t most)
{
    Vcpu *vcpu = cpum_vcpu(vmm_rooms(vmm).cpum, 0);
    uint64_t length;

    if (mix->count < 2)
        return most;
    em_set_engine(vcpu, mix->engine[g_rand_int_range(mix->random, 0, (gint32)mix->count)], NULL);
    length = g_rand_int(mix->random) & ((1u << g_rand_int_range(mix->random, 1, SHIFT_MAX)) - 1);
    return CLAMP(length, 1, most);
}

char *
run_mix_digest(Vmm *vmm)
{
    const EmRooms rooms = vmm_rooms(vmm);
    const Vcpu *vcpu = cpum_vcpu(rooms.cpum, 0);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    const struct {
        const void *data;
        size_t size;
    } parts[] = {
        {vcpu->gpr, sizeof vcpu->gpr},
        {&vcpu->rip, sizeof vcpu->rip},
        {&vcpu->rflags, sizeof vcpu->rflags},
        {&vcpu->retired, sizeof vcpu->retired},
        {&vcpu->cr0, offsetof(Vcpu, fpu) - offsetof(Vcpu, cr0)},
        {vcpu->fpu.st, sizeof vcpu->fpu.st},
        {vcpu->fpu.xmm, sizeof vcpu->fpu.xmm},
        {vcpu->fpu.ymm_high, sizeof vcpu->fpu.ymm_high},
        {pgm_mem_host(pgm_ram_mem(rooms.pgm)), pgm_mem_size(pgm_ram_mem(rooms.pgm))},
    };

    for (unsigned i = 0; i < X86_SEG_COUNT; i++)
        g_checksum_update(sum, (const guchar *)&vcpu->seg[i], offsetof(CpumSeg, sel) + 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        g_checksum_update(sum, parts[i].data, (gssize)parts[i].size);
    return g_strdup(g_checksum_get_string(sum));
}
