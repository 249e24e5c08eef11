/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The back end "wav": writes what the guest plays to a WAV file (16 bits, stereo), at the pace of
 * the host's clock, silence included once something was played. Records nothing. */
#include "audio/audio-backend.h"
#include "vmm/base/clock.h"

#include <sndfile.h>
#include <stdatomic.h>

#define PERIOD_NS 10000000u
#define PERIOD_FRAMES (AUDIO_HOST_RATE / 100)
/* A WAV file's sizes have 32 bits. */
#define FRAMES_MAX (0xfff00000u / 4)

typedef struct {
    const AudioHost *host;
    SNDFILE *file;
    GThread *thread;
    BaseWaiter *waiter;
    _Atomic unsigned starts; /* counts set_output(true) */
    _Atomic bool off, quit;
} AudioWav;

/* Plays into the file until the mixer has nothing left or it is stopped; false: the file cannot
 * take more. */
static bool
play(AudioWav *wav, uint64_t *written)
{
    float frames[2 * PERIOD_FRAMES];
    uint64_t deadline = base_clock_ns();
    bool go_on = true;

    while (go_on && !atomic_load(&wav->off) && !atomic_load(&wav->quit)) {
        go_on = wav->host->pull(wav->host->user, frames, PERIOD_FRAMES);
        if (*written + PERIOD_FRAMES > FRAMES_MAX ||
            sf_writef_float(wav->file, frames, PERIOD_FRAMES) != PERIOD_FRAMES)
            return false;
        *written += PERIOD_FRAMES;
        deadline += PERIOD_NS;
        base_clock_sleep_until(deadline);
    }
    return true;
}

static gpointer
wav_thread(gpointer user)
{
    AudioWav *wav = user;
    unsigned played = 0, starts;
    uint64_t written = 0;

    while (!atomic_load(&wav->quit)) {
        starts = atomic_load(&wav->starts);
        if (starts == played) {
            base_waiter_wait_until(wav->waiter, UINT64_MAX);
            continue;
        }
        if (!play(wav, &written)) {
            wav->host->problem(wav->host->user, "The sound file takes no more: it is as long as a "
                                                "WAV file can be, or its disk is full.");
            return NULL;
        }
        played = starts; /* what was started meanwhile is played next */
    }
    return NULL;
}

static void
wav_set_output(void *backend, bool on)
{
    AudioWav *wav = backend;

    atomic_store(&wav->off, !on);
    if (on)
        atomic_fetch_add(&wav->starts, 1);
    base_waiter_wake(wav->waiter);
}

static void
wav_set_input(void *backend, bool on)
{
}

static void
wav_close(void *backend)
{
    AudioWav *wav = backend;

    atomic_store(&wav->quit, true);
    base_waiter_wake(wav->waiter);
    g_thread_join(wav->thread);
    sf_close(wav->file);
    base_waiter_free(wav->waiter);
    g_free(wav);
}

static void *
wav_open(const AudioHost *host, GError **error)
{
    SF_INFO info = {
        .samplerate = AUDIO_HOST_RATE, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *file = host->file ? sf_open(host->file, SFM_WRITE, &info) : NULL;
    AudioWav *wav;

    if (file == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_IO, "The sound file \"%s\" cannot be written: %s",
                    host->file ? host->file : "", host->file ? sf_strerror(NULL) : "no name given");
        return NULL;
    }
    sf_command(file, SFC_SET_UPDATE_HEADER_AUTO, NULL, SF_TRUE);
    sf_command(file, SFC_SET_CLIPPING, NULL, SF_TRUE);
    wav = g_new0(AudioWav, 1);
    wav->host = host;
    wav->file = file;
    wav->waiter = base_waiter_new();
    wav->thread = g_thread_new("audio-wav", wav_thread, wav);
    return wav;
}

const AudioBackendInfo audio_wav_backend = {
    .name = "wav",
    .title = "WAV file",
    .queue_ms = 200,
    .open = wav_open,
    .set_output = wav_set_output,
    .set_input = wav_set_input,
    .close = wav_close,
};
