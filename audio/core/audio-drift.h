/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two clocks move frames through a queue: the guest's card and the host's. A drift follows how full
 * the queue is and says by how much the resampler is to run fast or slow, so that the delay stays
 * what it should be; and where that cannot help, that frames have to be dropped or waited for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    double spare;       /* seconds that the queue ought to hold after a take */
    double spare_least; /* and at least */
    double portion;     /* seconds that are usually taken at a time */
    double mean;        /* how many it held lately before a take */
    double level;       /* how many it is kept at: it goes to the target slowly */
    double looked;      /* seconds taken since the start */
    double learnt;      /* the part of the correction that is the clocks' difference */
    double since;       /* seconds taken since the correction was last thought over */
    double correction;  /* the queue's frames are to be taken 1 + correction times as fast */
    double left;        /* the least that it held after a take, in the last `watched` seconds */
    double watched;
} AudioDrift;

/* `target` seconds at first, and never less than `least` of them after a take. */
void audio_drift_init(AudioDrift *drift, double target, double least);
/* The seconds that the queue ought to hold before a take. */
double audio_drift_target(const AudioDrift *drift);
/* The queue starts over with as much as it holds now. */
void audio_drift_start(AudioDrift *drift, double held);
/* `held` seconds are in the queue, of which about `taken` are taken now. True: the correction has
 * changed. */
bool audio_drift_step(AudioDrift *drift, double held, double taken);
/* The queue ran dry: it is to hold more from now on. */
void audio_drift_starved(AudioDrift *drift);
/* More than this many seconds are not worth keeping. */
double audio_drift_limit(const AudioDrift *drift);
