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

#define MEAN_OVER 1.0        /* seconds */
#define LOOK_OVER 1.0        /* seconds of a start in which the level is only looked at */
#define THINK_EVERY 0.5      /* seconds */
#define GAIN 0.03            /* correction for each second of error */
#define GAIN_LONG 3.5        /* and for the square of what is too much, */
#define GAIN_SHORT 12.0      /* or too little: that would soon be a gap */
#define GAIN_INTEGRAL 0.0003 /* each second */
#define WALK 0.0004          /* seconds of level for each second */
#define CORRECTION_MAX 0.005 /* a twelfth of a half-tone */
#define CORRECTION_STEP 1e-5 /* smaller changes are not worth a new filter */
#define LIMIT_OVER_TARGET 0.120
#define PORTION_USUAL 0.005
#define PORTION_OVER 2.0 /* seconds */
/* What is kept for hosts that have other work: more after each gap, and less again where a long
 * time has shown that it was not needed. The most of it keeps the whole way from a guest's write to
 * the host's loudspeaker below 80 ms. */
#define SPARE_STEP 0.005
#define SPARE_RANGE 0.015 /* above what it is at least */
#define SPARE_LESS 0.001
#define SPARE_UNUSED 0.010
#define WATCH_OVER 30.0 /* seconds */

static double
within(double value, double most)
{
    return fmax(fmin(value, most), -most);
}

static void
watch_again(AudioDrift *drift)
{
    drift->left = HUGE_VAL;
    drift->watched = 0;
}

void
audio_drift_init(AudioDrift *drift, double target, double least)
{
    *drift = (AudioDrift){.spare = fmax(target - PORTION_USUAL, least),
                          .spare_least = least,
                          .portion = PORTION_USUAL,
                          .mean = target,
                          .level = target};
    watch_again(drift);
}

double
audio_drift_target(const AudioDrift *drift)
{
    return drift->spare + drift->portion;
}

void
audio_drift_start(AudioDrift *drift, double held)
{
    drift->mean = drift->level = held;
    drift->since = drift->looked = 0;
    watch_again(drift);
}

/* Follows how much is taken at a time, and how little was left. */
static void
watch(AudioDrift *drift, double held, double taken)
{
    drift->portion +=
        (fmin(taken, LIMIT_OVER_TARGET) - drift->portion) * fmin(taken / PORTION_OVER, 1.0);
    drift->left = fmin(drift->left, held - taken);
    drift->watched += taken;
    if (drift->watched < WATCH_OVER)
        return;
    if (drift->left > SPARE_UNUSED)
        drift->spare = fmax(drift->spare - SPARE_LESS, drift->spare_least);
    watch_again(drift);
}

/* At first the mean becomes the level, as far as that leaves a queue that will last. */
static void
look(AudioDrift *drift, double held, double taken)
{
    drift->looked += taken;
    drift->mean += (held - drift->mean) * fmin(taken / drift->looked, 1.0);
    drift->level = fmax(drift->mean, audio_drift_target(drift) / 2);
}

bool
audio_drift_step(AudioDrift *drift, double held, double taken)
{
    double error, wanted;

    watch(drift, held, taken);
    if (drift->looked < LOOK_OVER)
        look(drift, held, taken);
    else
        drift->mean += (held - drift->mean) * fmin(taken / MEAN_OVER, 1.0);
    drift->since += taken;
    if (drift->since < THINK_EVERY)
        return false;
    drift->level += within(audio_drift_target(drift) - drift->level, WALK * drift->since);
    error = drift->mean - drift->level;
    drift->learnt = within(drift->learnt + error * GAIN_INTEGRAL * drift->since, CORRECTION_MAX);
    drift->since = 0;
    wanted = within(drift->learnt + error * (GAIN + (error > 0 ? GAIN_LONG : -GAIN_SHORT) * error),
                    CORRECTION_MAX);
    if (fabs(wanted - drift->correction) < CORRECTION_STEP)
        return false;
    drift->correction = wanted;
    return true;
}

void
audio_drift_starved(AudioDrift *drift)
{
    drift->spare =
        fmax(drift->spare, fmin(drift->spare + SPARE_STEP, drift->spare_least + SPARE_RANGE));
}

double
audio_drift_limit(const AudioDrift *drift)
{
    return audio_drift_target(drift) + LIMIT_OVER_TARGET;
}
