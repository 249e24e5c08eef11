/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cards through the kernel's ALSA interface (sound/asound.h): the first device of the first card.
 */
#include "tone-card.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sound/asound.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MOST_KIB 64 /* of memory below 16 MiB */
/* In portions of 1 or 4 KiB: AC'97 has 32 of them at most. */
#define PORTION(kib) ((kib) < 32 ? 1024u : 4096u)

static void
set_mask(struct snd_pcm_hw_params *params, int which, unsigned bit)
{
    struct snd_mask *mask = &params->masks[which - SNDRV_PCM_HW_PARAM_FIRST_MASK];

    memset(mask, 0, sizeof *mask);
    mask->bits[bit / 32] = 1u << bit % 32;
}

static void
set_interval(struct snd_pcm_hw_params *params, int which, unsigned value)
{
    struct snd_interval *interval = &params->intervals[which - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];

    *interval = (struct snd_interval){.min = value, .max = value, .integer = 1};
}

static int
set_format(int card, int rate, int kib)
{
    struct snd_pcm_hw_params params = {.rmask = UINT_MAX, .info = UINT_MAX};

    memset(params.masks, 0xff, sizeof params.masks);
    for (unsigned i = 0; i < sizeof params.intervals / sizeof *params.intervals; i++)
        params.intervals[i].max = UINT_MAX;
    set_mask(&params, SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
    set_mask(&params, SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
    set_mask(&params, SNDRV_PCM_HW_PARAM_SUBFORMAT, SNDRV_PCM_SUBFORMAT_STD);
    set_interval(&params, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
    set_interval(&params, SNDRV_PCM_HW_PARAM_RATE, (unsigned)rate);
    set_interval(&params, SNDRV_PCM_HW_PARAM_PERIOD_BYTES, PORTION(kib));
    set_interval(&params, SNDRV_PCM_HW_PARAM_PERIODS, (unsigned)kib * 1024 / PORTION(kib));
    return ioctl(card, SNDRV_PCM_IOCTL_HW_PARAMS, &params);
}

/* Playing begins when half of the queue is full, recording at once. */
static int
set_start(int card, int mode, int kib)
{
    unsigned long frames = (unsigned long)kib * 256;
    struct snd_pcm_sw_params params = {.period_step = 1,
                                       .avail_min = PORTION(kib) / 4,
                                       .start_threshold = mode == O_RDONLY ? 1 : frames / 2,
                                       .stop_threshold = frames};

    return ioctl(card, SNDRV_PCM_IOCTL_SW_PARAMS, &params);
}

int
card_open(int mode, int rate, int kib)
{
    int card = open(mode == O_RDONLY ? "/dev/snd/pcmC0D0c" : "/dev/snd/pcmC0D0p", mode);

    kib = kib > MOST_KIB ? MOST_KIB : kib;
    if (card < 0 || set_format(card, rate, kib) < 0 || set_start(card, mode, kib) < 0 ||
        ioctl(card, SNDRV_PCM_IOCTL_PREPARE) < 0)
        return -1;
    printf("tone: rate %d\n", rate);
    return card;
}

long
card_delay(int card)
{
    snd_pcm_sframes_t delay = 0;

    ioctl(card, SNDRV_PCM_IOCTL_DELAY, &delay);
    return delay;
}

/* A card that ran dry, or into what was not read, stands still until it is prepared again. */
static ssize_t
again(int card, ssize_t moved)
{
    if (moved >= 0 || errno != EPIPE)
        return moved;
    puts("tone: ran dry");
    return ioctl(card, SNDRV_PCM_IOCTL_PREPARE) < 0 ? -1 : 0;
}

ssize_t
card_write(int card, const void *frames, size_t size)
{
    return again(card, write(card, frames, size));
}

ssize_t
card_read(int card, void *frames, size_t size)
{
    return again(card, read(card, frames, size));
}

void
card_drain(int card)
{
    ioctl(card, SNDRV_PCM_IOCTL_DRAIN);
}
