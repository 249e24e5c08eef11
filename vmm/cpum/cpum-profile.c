/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Profiles: which features a guest sees. A profile is a level of features.def; the configuration
 * and the host take features away. x86-64 psABI, section 3.1.1 (micro-architecture levels). */
#include "vmm/cpum/cpum-private.h"

#include "vmm/base/cpu-features.h"

#include <string.h>

enum { WORD_eax, WORD_ebx, WORD_ecx, WORD_edx };
enum { LEVEL_V1, LEVEL_V2, LEVEL_V3, LEVEL_NEVER = CPUM_LEVEL_NEVER };

const CpumFeatureRow cpum_feature_rows[CPUM_FEATURE_COUNT] = {
#define FEATURE(name, leaf, word, bit, level, host)                                                \
    [CPUM_FEATURE_##name] = {leaf, WORD_##word, bit, LEVEL_##level, CPUM_NEEDS_##host},
#include "vmm/cpum/features.def"
#undef FEATURE
};

static const char *const feature_names[CPUM_FEATURE_COUNT] = {
#define FEATURE(name, leaf, word, bit, level, host) [CPUM_FEATURE_##name] = #name,
#include "vmm/cpum/features.def"
#undef FEATURE
};

static const char *const profile_names[] = {
    [LEVEL_V1] = "x86-64-v1",
    [LEVEL_V2] = "x86-64-v2",
    [LEVEL_V3] = "x86-64-v3",
};

static bool
find_level(const char *name, unsigned *level, GError **error)
{
    if (name == NULL || strcmp(name, "host") == 0)
        name = profile_names[LEVEL_V3];
    for (unsigned i = 0; i < G_N_ELEMENTS(profile_names); i++) {
        if (strcmp(name, profile_names[i]) == 0) {
            *level = i;
            return true;
        }
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no CPU profile \"%s\".", name);
    return false;
}

static uint64_t
bit(CpumFeature feature)
{
    return 1ull << feature;
}

static bool
host_has(const CpumFeatureRow *row)
{
    BaseCpuid host;
    const uint32_t *words[] = {&host.eax, &host.ebx, &host.ecx, &host.edx};

    if (row->host == CPUM_NEEDS_ANY)
        return true;
    if (row->host == CPUM_NEEDS_YMM && !base_cpu_keeps_ymm())
        return false;
    base_cpuid(row->leaf, 0, &host);
    return (*words[row->word] >> row->bit) & 1;
}

/* What an instruction set extension is nothing without. */
static uint64_t
without_foundations(uint64_t features)
{
    if (!(features & bit(CPUM_FEATURE_XSAVE)))
        features &= ~bit(CPUM_FEATURE_AVX);
    if (!(features & bit(CPUM_FEATURE_AVX)))
        features &= ~(bit(CPUM_FEATURE_AVX2) | bit(CPUM_FEATURE_FMA) | bit(CPUM_FEATURE_F16C));
    if (!(features & bit(CPUM_FEATURE_LM)))
        features &= ~(bit(CPUM_FEATURE_FSGSBASE) | bit(CPUM_FEATURE_PCID));
    return features;
}

/* What goes when something that it builds on is absent. */
static uint64_t
without_dependents(uint64_t features, const CpumConfig *config)
{
    if (!config->long_mode)
        features &= ~(bit(CPUM_FEATURE_LM) | bit(CPUM_FEATURE_LAHF64) | bit(CPUM_FEATURE_SYSCALL) |
                      bit(CPUM_FEATURE_PAGE1GB) | bit(CPUM_FEATURE_CX16));
    if (!config->pae && !config->long_mode)
        features &= ~bit(CPUM_FEATURE_PAE);
    if (!config->nx || !(features & bit(CPUM_FEATURE_PAE)))
        features &= ~bit(CPUM_FEATURE_NX);
    if (!config->apic)
        features &= ~(bit(CPUM_FEATURE_APIC) | bit(CPUM_FEATURE_TSC_DEADLINE));
    if (!config->apic || !config->x2apic)
        features &= ~bit(CPUM_FEATURE_X2APIC);
    if (config->repeatable)
        features &= ~(bit(CPUM_FEATURE_RDRAND) | bit(CPUM_FEATURE_RDSEED));
    return without_foundations(features);
}

bool
cpum_profile_features(const CpumConfig *config, uint64_t *features, GError **error)
{
    unsigned level;
    uint64_t set = bit(CPUM_FEATURE_BASE);

    if (!find_level(config->profile, &level, error))
        return false;
    for (unsigned i = CPUM_FEATURE_BASE + 1; i < CPUM_FEATURE_COUNT; i++) {
        const CpumFeatureRow *row = &cpum_feature_rows[i];

        if (row->level <= level && host_has(row))
            set |= bit(i);
    }
    *features = without_dependents(set, config);
    return true;
}

uint64_t
cpum_extensions(void)
{
    uint64_t set = 0;

    for (unsigned i = CPUM_FEATURE_BASE + 1; i < CPUM_FEATURE_COUNT; i++) {
        if (cpum_feature_rows[i].level == LEVEL_V3)
            set |= bit(i);
    }
    return set;
}

char *
cpum_feature_names(uint64_t features)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = CPUM_FEATURE_BASE + 1; i < CPUM_FEATURE_COUNT; i++) {
        if (features & bit(i))
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", feature_names[i]);
    }
    return g_string_free(names, FALSE);
}
