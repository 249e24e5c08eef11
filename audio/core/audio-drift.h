/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two clocks move frames through a queue: the guest's card and the host's. A drift follows how full
 * the queue is and says by how much the resampler is to run fast or slow, so that the delay stays
 * what it should be; and where that cannot help, that frames have to be dropped or waited for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    double target;     /* seconds that the queue ought to hold, as seen before each take */
    double mean;       /* how many it held lately */
    double level;      /* how many it is kept at: it goes to the target slowly */
    double looked;     /* seconds taken since the start */
    double learnt;     /* the part of the correction that is the clocks' difference */
    double since;      /* seconds taken since the correction was last thought over */
    double correction; /* the queue's frames are to be taken 1 + correction times as fast */
} AudioDrift;

void audio_drift_init(AudioDrift *drift, double target);
/* The queue starts over with as much as it holds now. */
void audio_drift_start(AudioDrift *drift, double held);
/* `held` seconds are in the queue, of which about `taken` are taken now. True: the correction has
 * changed. */
bool audio_drift_step(AudioDrift *drift, double held, double taken);
/* The queue ran dry: it is to hold more from now on. */
void audio_drift_starved(AudioDrift *drift);
/* More than this many seconds are not worth keeping. */
double audio_drift_limit(const AudioDrift *drift);
