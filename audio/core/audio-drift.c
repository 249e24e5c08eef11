/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drift between two clocks: see the header. A slow proportional control: 10 ms too much make it
 * 0.2 per cent faster, below what an ear can tell; two sound cards differ by 0.02. */
#include "audio/core/audio-drift.h"

#include <math.h>

#define MEAN_OVER 2.0        /* seconds */
#define THINK_EVERY 0.5      /* seconds */
#define GAIN 0.2             /* correction for each second of error */
#define CORRECTION_MAX 0.005 /* a twelfth of a half-tone */
#define CORRECTION_STEP 2e-5 /* smaller changes are not worth a new filter */
#define TARGET_STEP 0.010
#define TARGET_MAX 0.080
#define LIMIT_OVER_TARGET 0.120

void
audio_drift_init(AudioDrift *drift, double target)
{
    *drift = (AudioDrift){.target = target, .mean = target};
}

void
audio_drift_start(AudioDrift *drift, double held)
{
    drift->mean = held;
    drift->since = 0;
}

bool
audio_drift_step(AudioDrift *drift, double held, double taken)
{
    double wanted;

    drift->mean += (held - drift->mean) * fmin(taken / MEAN_OVER, 1.0);
    drift->since += taken;
    if (drift->since < THINK_EVERY)
        return false;
    drift->since = 0;
    wanted = fmax(fmin((drift->mean - drift->target) * GAIN, CORRECTION_MAX), -CORRECTION_MAX);
    if (fabs(wanted - drift->correction) < CORRECTION_STEP)
        return false;
    drift->correction = wanted;
    return true;
}

void
audio_drift_starved(AudioDrift *drift)
{
    drift->target = fmin(drift->target + TARGET_STEP, TARGET_MAX);
}

double
audio_drift_limit(const AudioDrift *drift)
{
    return drift->target + LIMIT_OVER_TARGET;
}
