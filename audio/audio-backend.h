/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sound as the host's side implements it. A back end moves stereo frames of 32-bit floating point
 * at AUDIO_HOST_RATE between the mixer and one sound system, at that system's own pace. It ends in
 * one const AudioBackendInfo, named by one sorted line of backends.def. */
#pragma once

#include "vmm/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIO_HOST_RATE 48000u

/* The mixer, as a back end sees it. All functions from one thread of the back end's at a time. */
typedef struct {
    void *user;
    const char *machine; /* for the names of streams; lives as long as the back end */
    const char *card;
    const char *file; /* for those who write one; NULL: none was given */
    /* Fills `count` stereo frames. False: it was all silence for a while and will stay so until
     * set_output(true), so the back end may rest. */
    bool (*pull)(void *user, float *frames, size_t count);
    /* How many of `count` frames a pull would give without a gap at present: a back end whose host
     * has enough for a while may ask for the rest later. */
    size_t (*ready)(void *user, size_t count);
    void (*push)(void *user, const float *frames, size_t count);
    /* Since set_output(true) the host has begun to take frames (it also pulls some before it does),
     * or there is no host to wait for. Again: it was away meanwhile, and what was queued for it is
     * old. */
    void (*started)(void *user, bool again);
    /* Something the person ought to know; the machine goes on. */
    void (*problem)(void *user, const char *message);
    void (*log)(void *user, const char *line);
} AudioHost;

typedef struct {
    const char *name;  /* [a-z]: the driver's option "Backend" */
    const char *title; /* for people */
    unsigned
        queue_ms; /* how much the mixer keeps ready, where delay matters to nobody; 0: the usual */
    bool tells_start; /* calls started(); without it the host takes frames from the beginning */
    bool has_queue;   /* of some 40 ms, and asks ready() before it pulls: the mixer keeps less */
    /* host is borrowed until close. What can come and go, such as a sound server, is no reason to
     * fail: the back end tells of the problem and tries again. */
    void *(*open)(const AudioHost *host, GError **error);
    /* Somebody plays, somebody records; any thread, with locks held: never blocks, calls nothing
     * back. A back end that nobody records from has no microphone open. */
    void (*set_output)(void *backend, bool on);
    void (*set_input)(void *backend, bool on);
    /* As AudioConnector's; NULL: it has none. */
    uint64_t (*late_thread)(void *backend);
    void (*close)(void *backend); /* returns when no function of host is running any more */
} AudioBackendInfo;
