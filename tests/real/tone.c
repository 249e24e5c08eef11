/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest's program: plays a tone with its sound card or its speaker, or listens and says which
 * tone it hears.
 *
 *   tone play HZ SECONDS RATE     a sine on both channels, half of full scale;
 *                                 when the end of each of its seconds was written
 *   tone pulse MILLISECONDS RATE  silence; a burst each second, and when it was written
 *   tone beep HZ SECONDS          a square wave of the PC's speaker, by the kernel's pcspkr
 *   tone hear SECONDS RATE        the frequency and level of each second that is recorded
 */
#include "tone-card.h"

#include <fcntl.h>
#include <linux/kd.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 240 /* frames */
#define PIT_HZ 1193182

static int
fail(const char *what)
{
    perror(what);
    return 1;
}

/* A write ends early where the card ran dry meanwhile, or takes nothing. */
static int
write_all(int card, const void *frames, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t more = card_write(card, (const char *)frames + done, size - done);

        if (more < 0)
            return -1;
        done += (size_t)more;
    }
    return 0;
}

/* What is written next is heard, by the guest's clock, after what the guest itself has queued. */
static void
written(const char *what, int card, int rate)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("tone: %s at %.1f ms behind %.1f ms of the guest's own\n", what,
           (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6, card_delay(card) * 1000.0 / rate);
}

static int
play(double hz, double seconds, int rate)
{
    int card = card_open(O_WRONLY, rate, 128);
    int16_t frames[2 * CHUNK];

    if (card < 0)
        return fail("sound card");
    /* Silence behind it, more than a ring: a card goes on for a moment with what is in there. */
    for (long done = 0; done < (seconds + 0.8) * rate; done += CHUNK) {
        if (done / rate != (done - CHUNK) / rate && done <= seconds * rate)
            written("second", card, rate);
        for (int i = 0; i < CHUNK; i++) {
            const int level = done + i < seconds * rate ? 16384 : 0;

            frames[2 * i] = frames[2 * i + 1] =
                (int16_t)lrint(level * sin(2 * M_PI * hz * (done + i) / rate));
        }
        if (write_all(card, frames, sizeof frames) < 0)
            return fail("write");
    }
    card_drain(card);
    close(card);
    puts("tone: played");
    return 0;
}

static int
beep(double hz, double seconds)
{
    int console = open("/dev/tty0", O_WRONLY);

    if (console < 0 || ioctl(console, KIOCSOUND, (long)(PIT_HZ / hz)) < 0)
        return fail("speaker");
    usleep((unsigned)(seconds * 1e6));
    ioctl(console, KIOCSOUND, 0l);
    close(console);
    puts("tone: beeped");
    return 0;
}

static int
pulse(int milliseconds, int rate)
{
    int card = card_open(O_WRONLY, rate, 4);
    int16_t frames[2 * CHUNK];

    if (card < 0)
        return fail("sound card");
    for (long done = 0; done < (long)milliseconds * rate / 1000; done += CHUNK) {
        int begins = done / rate != (done + CHUNK) / rate;

        for (int i = 0; i < CHUNK; i++)
            frames[2 * i] = frames[2 * i + 1] = begins ? (i & 8 ? 16384 : -16384) : 0;
        if (begins)
            written("pulse", card, rate);
        if (write_all(card, frames, sizeof frames) < 0)
            return fail("write");
    }
    close(card);
    return 0;
}

/* What was heard in a second: level, and where its waves rose. */
typedef struct {
    double square, first, last, before;
    long frames, rises;
} Second;

static void
listen(Second *second, double value)
{
    second->square += value * value;
    if (second->before < 0 && value >= 0) {
        second->last = second->frames - value / (value - second->before);
        second->first = second->rises == 0 ? second->last : second->first;
        second->rises++;
    }
    second->before = value;
    second->frames++;
}

static void
report(const Second *second, int rate)
{
    const double seconds = (second->last - second->first) / rate;

    printf("tone: heard %.2f Hz, level %.3f\n", seconds > 0 ? (second->rises - 1) / seconds : 0,
           sqrt(2 * second->square / second->frames));
}

static int
hear(double seconds, int rate)
{
    int card = card_open(O_RDONLY, rate, 32);
    int16_t frames[2 * CHUNK];
    Second second = {0};

    if (card < 0)
        return fail("sound card");
    /* Not the first one, in which card and server begin. */
    for (long heard = -rate; heard < seconds * rate; heard += CHUNK) {
        for (size_t got = 0; got < sizeof frames;) {
            ssize_t more = card_read(card, (char *)frames + got, sizeof frames - got);

            if (more < 0)
                return fail("read");
            got += (size_t)more;
        }
        for (int i = 0; i < CHUNK && heard >= 0; i++)
            listen(&second, frames[2 * i] / 32768.0);
        if (second.frames >= rate) {
            report(&second, rate);
            second = (Second){0};
        }
    }
    close(card);
    puts("tone: listened");
    return 0;
}

int
main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    card_levels();
    if (argc == 5 && strcmp(argv[1], "play") == 0)
        return play(atof(argv[2]), atof(argv[3]), atoi(argv[4]));
    if (argc == 4 && strcmp(argv[1], "beep") == 0)
        return beep(atof(argv[2]), atof(argv[3]));
    if (argc == 4 && strcmp(argv[1], "pulse") == 0)
        return pulse(atoi(argv[2]), atoi(argv[3]));
    if (argc == 4 && strcmp(argv[1], "hear") == 0)
        return hear(atof(argv[2]), atoi(argv[3]));
    fputs("tone play HZ SECONDS RATE | pulse MILLISECONDS RATE | beep HZ SECONDS | hear SECONDS "
          "RATE\n",
          stderr);
    return 2;
}
