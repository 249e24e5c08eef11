/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Levels of a Sound Blaster 16 through the kernel's ALSA interface (sound/asound.h), for kernels
 * without the older mixer. */
#include "tone-card.h"

#include <fcntl.h>
#include <sound/asound.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* As the driver of the Sound Blaster 16 names them. */
static const struct {
    const char *name;
    long value;
} levels[] = {
    {"Master Playback Volume", 31}, {"PCM Playback Volume", 31}, {"Mic Playback Volume", 31},
    {"Mic Capture Route", 1},       {"Capture Volume", 0},
};

void
card_levels(void)
{
    int control = open("/dev/snd/controlC0", O_RDWR);

    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++) {
        struct snd_ctl_elem_value value = {.id.iface = SNDRV_CTL_ELEM_IFACE_MIXER};

        strncpy((char *)value.id.name, levels[i].name, sizeof value.id.name - 1);
        for (unsigned k = 0; k < 4; k++)
            value.value.integer.value[k] = levels[i].value;
        if (ioctl(control, SNDRV_CTL_IOCTL_ELEM_WRITE, &value) < 0)
            printf("tone: no %s\n", levels[i].name);
    }
    close(control);
}
