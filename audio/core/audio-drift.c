/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drift between two clocks: see the header. A control with a proportional and an integral part. The
 * integral learns how far apart the clocks are, 0.02 per cent for two sound cards; the proportional
 * part stays below 0.03 per cent for the few milliseconds by which a queue sways anyway, and grows
 * with the square of what is more than that. The level that is held begins with the one that was
 * found, because hosts take in portions of many sizes, and goes to the one that is wanted so slowly
 * that nobody hears it. */
#include "audio/core/audio-drift.h"

#include <math.h>

#define MEAN_OVER 2.0        /* seconds */
#define LOOK_OVER 2.0        /* seconds of a start in which the level is only looked at */
#define THINK_EVERY 0.5      /* seconds */
#define GAIN 0.03            /* correction for each second of error */
#define GAIN_SQUARE 3.5      /* and for its square */
#define GAIN_INTEGRAL 0.0003 /* each second */
#define WALK 0.0004          /* seconds of level for each second */
#define CORRECTION_MAX 0.005 /* a twelfth of a half-tone */
#define CORRECTION_STEP 1e-5 /* smaller changes are not worth a new filter */
#define TARGET_STEP 0.010
#define TARGET_MAX 0.080
#define LIMIT_OVER_TARGET 0.120

static double
within(double value, double most)
{
    return fmax(fmin(value, most), -most);
}

void
audio_drift_init(AudioDrift *drift, double target)
{
    *drift = (AudioDrift){.target = target, .mean = target, .level = target};
}

void
audio_drift_start(AudioDrift *drift, double held)
{
    drift->mean = drift->level = held;
    drift->since = drift->looked = 0;
}

/* At first the mean becomes the level, as far as that leaves a queue that will last. */
static void
look(AudioDrift *drift, double held, double taken)
{
    drift->looked += taken;
    drift->mean += (held - drift->mean) * fmin(taken / drift->looked, 1.0);
    drift->level = fmax(drift->mean, drift->target / 2);
}

bool
audio_drift_step(AudioDrift *drift, double held, double taken)
{
    double error, wanted;

    if (drift->looked < LOOK_OVER)
        look(drift, held, taken);
    else
        drift->mean += (held - drift->mean) * fmin(taken / MEAN_OVER, 1.0);
    drift->since += taken;
    if (drift->since < THINK_EVERY)
        return false;
    drift->level += within(drift->target - drift->level, WALK * drift->since);
    error = drift->mean - drift->level;
    drift->learnt = within(drift->learnt + error * GAIN_INTEGRAL * drift->since, CORRECTION_MAX);
    drift->since = 0;
    wanted = within(drift->learnt + error * (GAIN + GAIN_SQUARE * fabs(error)), CORRECTION_MAX);
    if (fabs(wanted - drift->correction) < CORRECTION_STEP)
        return false;
    drift->correction = wanted;
    return true;
}

void
audio_drift_starved(AudioDrift *drift)
{
    drift->target = fmax(drift->target, fmin(drift->target + TARGET_STEP, TARGET_MAX));
}

double
audio_drift_limit(const AudioDrift *drift)
{
    return drift->target + LIMIT_OVER_TARGET;
}
