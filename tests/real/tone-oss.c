/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cards through the kernel's Open Sound System interface (sys/soundcard.h). */
#include "tone-card.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <unistd.h>

void
card_levels(void)
{
    int mixer = open("/dev/mixer", O_RDWR), level, source = SOUND_MASK_MIC;
    static const int controls[] = {SOUND_MIXER_VOLUME, SOUND_MIXER_PCM, SOUND_MIXER_MIC,
                                   SOUND_MIXER_IGAIN, SOUND_MIXER_RECLEV};

    for (unsigned i = 0; i < sizeof controls / sizeof *controls; i++) {
        /* The record gains are amplifiers: none of it. PCM goes up to 12 dB: 0 dB is at three
         * quarters. */
        level = controls[i] == SOUND_MIXER_PCM ? 74 | 74 << 8 : i > 2 ? 1 | 1 << 8 : 100 | 100 << 8;
        ioctl(mixer, MIXER_WRITE(controls[i]), &level);
    }
    ioctl(mixer, SOUND_MIXER_WRITE_RECSRC, &source);
    close(mixer);
}

/* In portions of 1 or 4 KiB: AC'97 has 32 of them at most. */
int
card_open(int mode, int rate, int kib)
{
    int card = open("/dev/dsp", mode), format = AFMT_S16_LE, channels = 2,
        fragment = kib < 32 ? kib << 16 | 10 : kib / 4 << 16 | 12, got = rate;

    if (card < 0)
        return -1;
    ioctl(card, SNDCTL_DSP_SETFRAGMENT, &fragment);
    if (ioctl(card, SNDCTL_DSP_SETFMT, &format) < 0 ||
        ioctl(card, SNDCTL_DSP_CHANNELS, &channels) < 0 ||
        ioctl(card, SNDCTL_DSP_SPEED, &got) < 0 || format != AFMT_S16_LE || channels != 2)
        return -1;
    printf("tone: rate %d\n", got);
    return card;
}

long
card_delay(int card)
{
    int delay = 0;

    ioctl(card, SNDCTL_DSP_GETODELAY, &delay);
    return delay / 4;
}

void
card_drain(int card)
{
    ioctl(card, SNDCTL_DSP_SYNC);
}
