/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Levels through the kernel's mixer of the Open Sound System (sys/soundcard.h), which knows what
 * the controls of many cards are for. */
#include "tone-card.h"

#include <fcntl.h>
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
