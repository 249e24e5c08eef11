/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest's program: plays a tone, or listens and says which tone it hears. Through the kernel's
 * Open Sound System interface, which needs no library.
 *
 *   tone play HZ SECONDS RATE     a sine on both channels, half of full scale
 *   tone pulse MILLISECONDS RATE  silence; a burst each second, and when it was written, by the
 * guest's clock tone hear SECONDS RATE        the frequency and level of what is recorded */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 240 /* frames */

static int
fail(const char *what)
{
    perror(what);
    return 1;
}

/* Everything as loud as it comes, and the microphone as the source. */
static void
set_levels(void)
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

/* With a queue of so many KiB in the guest. */
static int
open_card(int mode, int rate, int fragments)
{
    int card = open("/dev/dsp", mode), format = AFMT_S16_LE, channels = 2,
        fragment = fragments << 16 | 10, got = rate;

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

static int
play(double hz, double seconds, int rate)
{
    int card = open_card(O_WRONLY, rate, 64);
    int16_t frames[2 * CHUNK];

    if (card < 0)
        return fail("/dev/dsp");
    for (long done = 0; done < seconds * rate; done += CHUNK) {
        for (int i = 0; i < CHUNK; i++)
            frames[2 * i] = frames[2 * i + 1] =
                (int16_t)lrint(16384 * sin(2 * M_PI * hz * (done + i) / rate));
        if (write(card, frames, sizeof frames) != sizeof frames)
            return fail("write");
    }
    ioctl(card, SNDCTL_DSP_SYNC);
    close(card);
    puts("tone: played");
    return 0;
}

static int
pulse(int milliseconds, int rate)
{
    int card = open_card(O_WRONLY, rate, 4), delay;
    int16_t frames[2 * CHUNK];

    if (card < 0)
        return fail("/dev/dsp");
    for (long done = 0; done < (long)milliseconds * rate / 1000; done += CHUNK) {
        int begins = done / rate != (done + CHUNK) / rate;
        struct timespec now;

        for (int i = 0; i < CHUNK; i++)
            frames[2 * i] = frames[2 * i + 1] = begins ? (i & 8 ? 16384 : -16384) : 0;
        clock_gettime(CLOCK_REALTIME, &now);
        ioctl(card, SNDCTL_DSP_GETODELAY, &delay);
        if (begins)
            printf("tone: pulse behind %.1f ms of the guest's own\n", delay / 4 * 1000.0 / rate);
        if (write(card, frames, sizeof frames) != sizeof frames)
            return fail("write");
    }
    close(card);
    return 0;
}

static int
hear(double seconds, int rate)
{
    int card = open_card(O_RDONLY, rate, 32);
    int16_t frames[2 * CHUNK];
    double square = 0, first = -1, last = -1, before = 0;
    long heard = 0, rises = 0;

    if (card < 0)
        return fail("/dev/dsp");
    for (; heard < seconds * rate; heard += CHUNK) {
        for (size_t got = 0; got < sizeof frames;) {
            ssize_t more = read(card, (char *)frames + got, sizeof frames - got);

            if (more <= 0)
                return fail("read");
            got += (size_t)more;
        }
        for (int i = 0; i < CHUNK; i++) {
            double value = frames[2 * i] / 32768.0;

            square += value * value;
            if (before < 0 && value >= 0) {
                last = heard + i - value / (value - before);
                first = first < 0 ? last : first;
                rises++;
            }
            before = value;
        }
    }
    close(card);
    printf("tone: heard %.2f Hz, level %.3f\n", rises > 1 ? (rises - 1) * rate / (last - first) : 0,
           sqrt(2 * square / heard));
    return 0;
}

int
main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_levels();
    if (argc == 5 && strcmp(argv[1], "play") == 0)
        return play(atof(argv[2]), atof(argv[3]), atoi(argv[4]));
    if (argc == 4 && strcmp(argv[1], "pulse") == 0)
        return pulse(atoi(argv[2]), atoi(argv[3]));
    if (argc == 4 && strcmp(argv[1], "hear") == 0)
        return hear(atof(argv[2]), atoi(argv[3]));
    fputs("tone play HZ SECONDS RATE | pulse MILLISECONDS RATE | hear SECONDS RATE\n", stderr);
    return 2;
}
