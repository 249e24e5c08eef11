/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which engine a machine gets: the one that its settings name, or the best that this host has, and
 * the next best where that cannot be created. The interpreter is always there beside it: it
 * executes what the chosen engine cannot. Design section 5 "Engine". */
#include "vmm/em/em-private.h"

#include "vmm/hm/hm.h"
#include "vmm/iem/iem.h"
#include "vmm/rem/rem.h"

#include <string.h>

static const EmEngine *const engines[] = {
#define ENGINE(engine) &engine,
#include "vmm/em/engines.def"
#undef ENGINE
    NULL,
};
_Static_assert(G_N_ELEMENTS(engines) - 1 <= EM_ENGINES_MAX, "Em.slot has one for each");

const EmEngine *const *
em_engines(void)
{
    return engines;
}

unsigned
em_index(const EmEngine *engine)
{
    unsigned index = 0;

    while (engines[index] != engine)
        index++;
    return index;
}

/* --- creation --- */

static void
destroy(Em *em, const EmEngine *engine)
{
    EmSlot *slot = &em->slot[em_index(engine)];

    for (unsigned i = 0; i < slot->vcpus; i++)
        engine->vcpu_destroy(cpum_vcpu(em->rooms.cpum, i));
    if (slot->vm != NULL)
        engine->vm_destroy(slot->vm);
    *slot = (EmSlot){0};
}

bool
em_create_engine(Em *em, const EmEngine *engine, GError **error)
{
    EmSlot *slot = &em->slot[em_index(engine)];

    if (slot->vm != NULL)
        return true;
    slot->vm = engine->vm_create(&em->rooms, error);
    if (slot->vm == NULL)
        return false;
    for (; slot->vcpus < cpum_count(em->rooms.cpum); slot->vcpus++) {
        if (!engine->vcpu_create(slot->vm, cpum_vcpu(em->rooms.cpum, slot->vcpus), error)) {
            destroy(em, engine);
            return false;
        }
    }
    return true;
}

void
em_destroy_engines(Em *em)
{
    for (unsigned i = 0; engines[i] != NULL; i++)
        destroy(em, engines[i]);
}

/* --- the choice --- */

static bool
may_be_used(const Em *em, const EmEngine *engine, GError **error)
{
    if (engine->counts || !tm_is_deterministic(em->rooms.tm))
        return engine->probe(error);
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                "The engine \"%s\" cannot count instructions, as the deterministic mode asks.",
                engine->name);
    return false;
}

static const EmEngine *
choose_by_name(Em *em, const char *name, GError **error)
{
    for (unsigned i = 0; engines[i] != NULL; i++) {
        if (strcmp(name, engines[i]->name) == 0)
            return may_be_used(em, engines[i], error) && em_create_engine(em, engines[i], error)
                       ? engines[i]
                       : NULL;
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "There is no execution engine \"%s\" in this build.", name);
    return NULL;
}

static unsigned
rank_of(const Em *em, const EmEngine *engine)
{
    return engine->rank != NULL && may_be_used(em, engine, NULL) ? engine->rank() : EM_RANK_NEVER;
}

/* The highest rank below `limit`. */
static const EmEngine *
next_best(const Em *em, unsigned limit)
{
    const EmEngine *best = NULL;
    unsigned best_rank = EM_RANK_NEVER;

    for (unsigned i = 0; engines[i] != NULL; i++) {
        const unsigned rank = rank_of(em, engines[i]);

        if (rank > best_rank && rank < limit) {
            best = engines[i];
            best_rank = rank;
        }
    }
    return best;
}

static const EmEngine *
choose_best(Em *em, bool hardware, GError **error)
{
    const EmEngine *engine =
        next_best(em, hardware ? EM_RANK_HARDWARE + 1 : (unsigned)EM_RANK_HARDWARE);

    while (engine != NULL) {
        g_clear_error(error);
        if (em_create_engine(em, engine, error))
            return engine;
        engine = next_best(em, rank_of(em, engine));
    }
    return NULL;
}

const EmEngine *
em_choose(Em *em, const EmConfig *config, GError **error)
{
    g_autoptr(GError) reason = NULL;
    const EmEngine *engine;

    if (!em_create_engine(em, &iem_engine, error))
        return NULL;
    if (config->engine != NULL && strcmp(config->engine, "auto") != 0)
        return choose_by_name(em, config->engine, error);
    engine = choose_best(em, !config->no_hardware, &reason);
    if (engine == NULL && reason != NULL)
        g_propagate_error(error, g_steal_pointer(&reason));
    return engine;
}

/* Something fast beside an engine that may not do everything itself. */
const EmEngine *
em_choose_stand_in(Em *em, const EmEngine *chosen)
{
    const EmEngine *engine = NULL;

    if (chosen->is_partial != NULL && chosen->is_partial())
        engine = choose_best(em, false, NULL);
    return engine != NULL ? engine : &iem_engine;
}
