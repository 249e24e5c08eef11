/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mixer between a card whose clock is the guest's and a host with another one: tones keep their
 * frequency, delays stay, nothing clicks; what stops and comes back; formats; hostile numbers. */
#include "audio/core/audio-convert.h"
#include "audio/core/audio-mixer.h"

#include <math.h>
#include <string.h>

/* How long tones are: the control needs some seconds to settle. */
#define SECONDS 20

/* A back end that the test drives by hand. */
typedef struct {
    const AudioHost *host;
    bool output, input;
} Hand;

static void *
hand_open(const AudioHost *host, GError **error)
{
    Hand *hand = host->file ? NULL : g_new0(Hand, 1);

    if (hand == NULL)
        g_set_error(error, BASE_ERROR, BASE_ERROR_IO, "no");
    else
        hand->host = host;
    return hand;
}

static void
hand_set_output(void *backend, bool on)
{
    ((Hand *)backend)->output = on;
}

static void
hand_set_input(void *backend, bool on)
{
    ((Hand *)backend)->input = on;
}

static const AudioBackendInfo hand_backend = {
    .name = "hand",
    .title = "By hand",
    .open = hand_open,
    .set_output = hand_set_output,
    .set_input = hand_set_input,
    .close = g_free,
};

static void
no_text(void *user, const char *text)
{
}

typedef struct {
    AudioMixer *mixer;
    const AudioConnector *connector;
    Hand *hand;
} Bench;

static Bench
start_on(const AudioBackendInfo *backend)
{
    const AudioMixerOptions options = {
        .machine = "test", .output = true, .input = true, .problem = no_text, .log = no_text};
    AudioMixer *mixer = audio_mixer_new(backend, &options, NULL);

    g_assert_nonnull(mixer);
    return (Bench){.mixer = mixer,
                   .connector = audio_mixer_connector(mixer),
                   .hand = audio_mixer_backend(mixer)};
}

static Bench
start(void)
{
    return start_on(&hand_backend);
}

/* How a recorded sine looks: its frequency, and periods that are not as long as they should be. */
typedef struct {
    double hz, seconds;
    unsigned odd;
} Tone;

static Tone
tone_of(const float *left, size_t count, double rate, double expected)
{
    double first = -1, last = -1, period = rate / expected;
    unsigned rises = 0;
    bool armed = false; /* it was well below zero: no ripple before the tone */
    Tone tone = {0};

    for (size_t i = 1; i < count; i++) {
        double at;

        armed |= left[i] < -0.1f;
        if (!(armed && left[i - 1] < 0 && left[i] >= 0))
            continue;
        armed = false;
        at = (double)i - left[i] / (left[i] - left[i - 1]);
        if (rises != 0 && fabs(at - last - period) > period / 50)
            tone.odd++;
        first = rises == 0 ? at : first;
        last = at;
        rises++;
    }
    if (rises > 1) {
        tone.hz = (rises - 1) * rate / (last - first);
        tone.seconds = (last - first) / rate;
    }
    return tone;
}

/* Plays `seconds` of a sine at the card's rate in steps of 5 ms while the host, whose clock is
 * faster by `skew`, takes 5 ms at a time; returns what it took of the left side. */
static GArray *
play(Bench *bench, AudioStream *stream, uint32_t rate, double hz, double seconds, double skew)
{
    GArray *heard = g_array_new(FALSE, FALSE, sizeof(float));
    double host_due = 0, card_due = 0;
    uint64_t written = 0, taken = 0;
    int16_t frames[2 * 1024];
    float out[2 * 240];

    for (unsigned step = 0; step < seconds * 200; step++) {
        unsigned count;

        card_due += rate / 200.0;
        count = (unsigned)(card_due - (double)written);
        for (unsigned i = 0; i < count; i++)
            frames[2 * i] = frames[2 * i + 1] =
                (int16_t)lrint(16000 * sin(2 * G_PI * hz * (double)(written + i) / rate));
        bench->connector->write(stream, frames, count * 4);
        written += count;
        host_due += 240 * (1 + skew);
        for (; host_due >= (double)(taken + 240); taken += 240) {
            bench->hand->host->pull(bench->hand->host->user, out, 240);
            for (unsigned i = 0; i < 240; i++)
                g_array_append_val(heard, out[2 * i]);
        }
    }
    return heard;
}

static void
check_play(uint32_t rate, double skew)
{
    const AudioFormat format = {.rate = rate, .channels = 2, .sample = AUDIO_S16};
    Bench bench = start();
    AudioStream *stream = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "out");
    g_autoptr(GArray) heard = NULL;
    size_t silent = 0;
    Tone tone;

    bench.connector->set_format(stream, &format);
    g_assert_false(bench.hand->output);
    bench.connector->run(stream, true);
    g_assert_true(bench.hand->output);
    heard = play(&bench, stream, rate, 440, SECONDS, skew);
    tone = tone_of(&g_array_index(heard, float, 0), heard->len, 48000 * (1 + skew), 440);
    while (silent < heard->len && g_array_index(heard, float, silent) == 0)
        silent++;
    g_test_message("%u Hz, skew %g: %.3f Hz for %.2f s, %u odd periods, delay %.1f ms", rate, skew,
                   tone.hz, tone.seconds, tone.odd, (double)silent / 48);
    g_assert_cmpfloat_with_epsilon(tone.hz, 440, 0.5);
    g_assert_cmpuint(tone.odd, ==, 0);
    g_assert_cmpfloat(tone.seconds, >, SECONDS - 0.1);
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).starved, ==, 0);
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).dropped, ==, 0);
    audio_mixer_free(bench.mixer);
}

static void
tones(void)
{
    static const uint32_t rates[] = {8000, 11025, 22050, 36433, 44100, 48000, 96000, 192000};

    for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++)
        check_play(rates[i], 0);
    check_play(44100, 0.0005);
    check_play(48000, -0.0005);
    check_play(48000, 0.002);
}

/* A host with other work takes 5 to 40 ms at a time, and a card writes as irregularly: the pitch
 * stays within 0.05 per cent from the first second on, nothing is lost, and the delay does not
 * grow.
 */
static void
irregular_host(void)
{
    Bench bench = start();
    AudioStream *stream = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "out");
    g_autoptr(GArray) heard = g_array_new(FALSE, FALSE, sizeof(float));
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    uint64_t written = 0, taken = 0, write_at = 0, take_at = 0;
    int16_t frames[2 * 2048];
    float out[2 * 2048];

    bench.connector->run(stream, true);
    for (unsigned ms = 0; ms < 60000; ms++) {
        if (ms >= write_at) {
            unsigned count = ms * 48 - (unsigned)written;

            for (unsigned i = 0; i < count; i++)
                frames[2 * i] = frames[2 * i + 1] =
                    (int16_t)lrint(16000 * sin(2 * G_PI * 440 * (double)(written + i) / 48000));
            bench.connector->write(stream, frames, count * 4);
            written += count;
            write_at = ms + (g_rand_int_range(rand, 0, 20) ? 5 : 15);
        }
        if (ms >= take_at) {
            unsigned count = ms * 48 - (unsigned)taken;

            bench.hand->host->pull(bench.hand->host->user, out, count);
            for (unsigned i = 0; i < count; i++)
                g_array_append_val(heard, out[2 * i]);
            taken += count;
            take_at = ms + (g_rand_int_range(rand, 0, 40) ? 5 : 20);
        }
    }
    for (unsigned second = 1; second < 59; second++) {
        Tone tone = tone_of(&g_array_index(heard, float, second * 48000), 48000, 48000, 440);

        g_assert_cmpfloat_with_epsilon(tone.hz, 440, 0.22);
        g_assert_cmpuint(tone.odd, ==, 0);
    }
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).starved, ==, 0);
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).dropped, ==, 0);
    audio_mixer_free(bench.mixer);
}

/* A sound server with a queue of its own of 45 ms, from which it plays. Each two seconds all
 * processors are taken away for 30 ms: nobody fills the queue, the card writes later what was due
 * then. That is not heard, and the delay is no more afterwards. */
static void
all_stand_still(void)
{
    static const AudioBackendInfo queueing = {.name = "queueing",
                                              .title = "Queueing",
                                              .has_queue = true,
                                              .open = hand_open,
                                              .set_output = hand_set_output,
                                              .set_input = hand_set_input,
                                              .close = g_free};
    enum { ROOM = 45 * 48 };
    Bench bench = start_on(&queueing);
    const AudioHost *host = bench.hand->host;
    AudioStream *stream = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "out");
    g_autoptr(GArray) heard = g_array_new(FALSE, TRUE, sizeof(float));
    uint64_t written = 0, silent = 0;
    int16_t frames[2 * 2048];
    float out[2 * ROOM] = {0};
    Tone tone;

    g_array_set_size(heard, ROOM); /* zeros: what the server begins with */
    bench.connector->run(stream, true);
    for (unsigned ms = 0; ms < 60000; ms += 5) {
        size_t played = (size_t)ms * 48, count;

        if (ms % 2000 >= 1000 && ms % 2000 < 1030)
            continue;
        count = played + 240 - written;
        for (unsigned i = 0; i < count; i++)
            frames[2 * i] = frames[2 * i + 1] =
                (int16_t)lrint(16000 * sin(2 * G_PI * 440 * (double)(written + i) / 48000));
        bench.connector->write(stream, frames, count * 4);
        written += count;
        count = host->ready(host->user, played + ROOM - heard->len);
        host->pull(host->user, out, count);
        for (unsigned i = 0; i < count; i++)
            g_array_append_val(heard, out[2 * i]);
        g_assert_cmpuint(heard->len, >, played + 240); /* it lasts until it is filled next */
    }
    while (g_array_index(heard, float, silent) == 0)
        silent++;
    tone = tone_of(&g_array_index(heard, float, 0), heard->len, 48000, 440);
    g_test_message("%.3f Hz, %u odd periods, delay %.1f ms", tone.hz, tone.odd,
                   (double)silent / 48);
    g_assert_cmpuint(tone.odd, ==, 0);
    g_assert_cmpuint(silent, <, 65 * 48);
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).starved, ==, 0);
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).dropped, ==, 0);
    /* From the first period to the last: the delay is what it was. */
    g_assert_cmpfloat_with_epsilon(tone.hz, 440, 0.05);
    audio_mixer_free(bench.mixer);
}

/* A host that has to open its device first: cards are told, for a while; what they play meanwhile
 * is heard. */
static void
host_starts_late(void)
{
    static const AudioBackendInfo late = {.name = "late",
                                          .title = "Late",
                                          .tells_start = true,
                                          .open = hand_open,
                                          .set_output = hand_set_output,
                                          .set_input = hand_set_input,
                                          .close = g_free};
    Bench bench = start_on(&late);
    AudioStream *stream = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "out");
    int16_t frames[2 * 4800];
    float out[2 * 480];
    unsigned heard = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++)
        frames[i] = 16000;
    bench.connector->run(stream, true);
    g_assert_false(bench.connector->is_ready(stream));
    bench.connector->write(stream, frames, sizeof frames);
    bench.hand->host->started(bench.hand->host->user, false);
    g_assert_true(bench.connector->is_ready(stream));
    bench.connector->run(stream, false);
    for (unsigned i = 0; i < 12; i++) {
        bench.hand->host->pull(bench.hand->host->user, out, 480);
        for (unsigned k = 0; k < 480; k++)
            heard += out[2 * k] > 0.25f;
    }
    g_assert_cmpuint(heard, >, 4750);
    /* A server that is never there is not waited for; one that was away gets what is new. */
    audio_mixer_pause(bench.mixer, true);
    audio_mixer_pause(bench.mixer, false);
    bench.connector->run(stream, true);
    g_assert_false(bench.connector->is_ready(stream));
    g_usleep(AUDIO_START_MAX_NS / 1000 + 10000);
    g_assert_true(bench.connector->is_ready(stream));
    bench.hand->host->started(bench.hand->host->user, false);
    bench.connector->write(stream, frames, sizeof frames);
    bench.hand->host->started(bench.hand->host->user, true);
    /* About 25 ms are kept. */
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).dropped, >, 4800 - 1320);
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).dropped, <, 4800 - 1080);
    audio_mixer_free(bench.mixer);
}

/* A card is late by 60 ms and then catches up: what the gap was in the place of is not played
 * behind it, so the delay is as before. A host that may wait is told how much there is. */
static void
card_is_late(void)
{
    Bench bench = start();
    const AudioHost *host = bench.hand->host;
    AudioStream *stream = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "out");
    g_autoptr(GArray) heard = NULL;
    int16_t frames[2 * 480];
    float out[2 * 240];
    unsigned after = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++)
        frames[i] = 16000;
    bench.connector->run(stream, true);
    g_assert_cmpuint(host->ready(host->user, 240), ==, 240); /* silence is no gap yet */
    heard = play(&bench, stream, 48000, 440, 5, 0);
    g_assert_cmpuint(host->ready(host->user, 240), ==, 240);
    for (unsigned i = 0; i < 12; i++)
        host->pull(host->user, out, 240);
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).starved, ==, 1);
    for (unsigned i = 0; i < 6; i++)
        bench.connector->write(stream, frames, sizeof frames);
    g_assert_cmpuint(host->ready(host->user, 240), ==, 240);
    g_assert_cmpuint(audio_mixer_counts(bench.mixer).dropped, >, 1000);
    bench.connector->run(stream, false);
    do {
        host->pull(host->user, out, 240);
        after++;
    } while (out[2 * 239] > 0.25f);
    g_assert_cmpuint(after, <=, 9); /* portions of 5 ms */
    /* Once that is over, there is less than a host might ask for. */
    bench.connector->run(stream, true);
    for (unsigned i = 0; i < 4; i++)
        bench.connector->write(stream, frames, sizeof frames);
    host->pull(host->user, out, 240);
    g_assert_cmpuint(host->ready(host->user, 4800), <, 1920);
    g_assert_cmpuint(host->ready(host->user, 4800), >, 960);
    audio_mixer_free(bench.mixer);
}

/* The end of what was played is heard, then the host's stream rests, and wakes up again. */
static void
stops_and_rests(void)
{
    Bench bench = start();
    AudioStream *stream = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "out");
    g_autoptr(GArray) heard = NULL;
    float out[2 * 480];
    unsigned pulls = 0;

    bench.connector->run(stream, true);
    heard = play(&bench, stream, 48000, 440, 1, 0);
    bench.connector->run(stream, false);
    g_assert_true(bench.hand->output);
    bench.hand->host->pull(bench.hand->host->user, out, 480);
    g_assert_cmpfloat(fabsf(out[100]) + fabsf(out[150]), >, 0);
    while (bench.hand->host->pull(bench.hand->host->user, out, 480))
        g_assert_cmpuint(pulls++, <, 200);
    g_assert_cmpuint(pulls, >, 50);
    bench.connector->run(stream, true);
    g_assert_true(bench.hand->output);
    g_array_unref(g_steal_pointer(&heard));
    heard = play(&bench, stream, 48000, 440, 1, 0);
    g_assert_cmpuint(tone_of(&g_array_index(heard, float, 0), heard->len, 48000, 440).odd, ==, 0);
    /* Pausing the machine stops the host's stream at once; so does the person. */
    audio_mixer_pause(bench.mixer, true);
    g_assert_false(bench.hand->output);
    audio_mixer_pause(bench.mixer, false);
    g_assert_true(bench.hand->output);
    bench.connector->enable(bench.connector->user, false, false);
    g_assert_false(bench.hand->output);
    audio_mixer_free(bench.mixer);
}

/* A host that asks for nothing: the queue stays bounded, and what is heard later is recent. */
static void
host_stands_still(void)
{
    Bench bench = start();
    AudioStream *stream = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "out");
    int16_t frames[2 * 240];
    float out[2 * 240];
    unsigned pulls = 0;

    bench.connector->run(stream, true);
    for (unsigned step = 0; step < 2000; step++) {
        for (unsigned i = 0; i < 480; i++)
            frames[i] = (int16_t)step;
        bench.connector->write(stream, frames, sizeof frames);
    }
    bench.hand->host->pull(bench.hand->host->user, out, 240);
    bench.hand->host->pull(bench.hand->host->user, out, 240);
    g_assert_cmpfloat(out[479] * 32768, >, 1960); /* less than 200 ms old */
    bench.connector->run(stream, false);
    while (bench.hand->host->pull(bench.hand->host->user, out, 240))
        g_assert_cmpuint(pulls++, <, 300);
    audio_mixer_free(bench.mixer);
}

static void
records(void)
{
    Bench bench = start();
    const AudioFormat format = {.rate = 44100, .channels = 1, .sample = AUDIO_S16};
    AudioStream *stream = bench.connector->open(bench.connector->user, AUDIO_INPUT, "in");
    g_autoptr(GArray) heard = g_array_new(FALSE, FALSE, sizeof(float));
    float in[2 * 240];
    int16_t frames[512];
    double due = 0;
    uint64_t read = 0, said = 0;
    Tone tone;

    bench.connector->set_format(stream, &format);
    g_assert_false(bench.hand->input);
    bench.connector->run(stream, true);
    g_assert_true(bench.hand->input);
    for (unsigned step = 0; step < 4000; step++, said += 240) {
        for (unsigned i = 0; i < 240; i++)
            in[2 * i] = in[2 * i + 1] =
                (float)(0.5 * sin(2 * G_PI * 1000 * (double)(said + i) / 48000));
        bench.hand->host->push(bench.hand->host->user, in, 240);
        due += 44100 / 200.0;
        bench.connector->read(stream, frames, (size_t)(due - (double)read) * 2);
        for (; (double)read + 1 <= due; read++) {
            float value = frames[0] / 32768.0f;

            memmove(frames, frames + 1, sizeof frames - 2);
            g_array_append_val(heard, value);
        }
    }
    tone = tone_of(&g_array_index(heard, float, 0), heard->len, 44100, 1000);
    g_assert_cmpfloat_with_epsilon(tone.hz, 1000, 0.5);
    g_assert_cmpuint(tone.odd, ==, 0);
    g_assert_cmpfloat(tone.seconds, >, 19.8);
    /* A card's record gain: muted, it hears nothing. */
    bench.hand->host->push(bench.hand->host->user, in, 240);
    bench.connector->set_volume(stream, 0, 0);
    bench.connector->read(stream, frames, 200);
    for (unsigned i = 0; i < 100; i++)
        g_assert_cmpint(frames[i], ==, 0);
    bench.connector->run(stream, false);
    g_assert_false(bench.hand->input);
    audio_mixer_free(bench.mixer);
}

static void
volumes_and_sums(void)
{
    Bench bench = start();
    AudioStream *one = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "one");
    AudioStream *two = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "two");
    int16_t frames[2 * 4800];
    float out[2 * 1200];

    for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++)
        frames[i] = 24000;
    bench.connector->set_volume(one, 0.25f, 8);
    bench.connector->set_volume(two, 0.25f, 8);
    bench.connector->run(one, true);
    bench.connector->run(two, true);
    bench.connector->write(one, frames, sizeof frames);
    bench.connector->write(two, frames, sizeof frames);
    bench.hand->host->pull(bench.hand->host->user, out, 1200);
    bench.hand->host->pull(bench.hand->host->user, out, 1200);
    g_assert_cmpfloat_with_epsilon(out[2 * 600], 24000 / 65536.0, 0.01);
    g_assert_cmpfloat(out[2 * 600 + 1], ==, 1.0f); /* too loud: clipped */
    audio_mixer_free(bench.mixer);
}

static void
formats(void)
{
    static const uint8_t u8[] = {0, 128, 255}, s8[] = {0x80, 0, 0x7f};
    static const uint16_t u16[] = {0, 0x8000, 0xffff};
    static const int32_t s32[] = {INT32_MIN, 0, INT32_MAX};
    static const struct {
        AudioSample sample;
        const void *data;
    } all[] = {{AUDIO_U8, u8}, {AUDIO_S8, s8}, {AUDIO_U16, u16}, {AUDIO_S32, s32}};

    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        const AudioFormat format = {.rate = 48000, .channels = 1, .sample = all[i].sample};
        uint8_t back[12];
        float out[6];

        audio_convert_from(&format, all[i].data, out, 3);
        g_assert_cmpfloat(out[0], ==, -1.0f);
        g_assert_cmpfloat(out[3], ==, 0.0f);
        g_assert_cmpfloat_with_epsilon(out[4], 1.0f, 0.01);
        audio_convert_to(&format, out, back, 3);
        g_assert_cmpmem(back, 3 * audio_frame_size(&format), all[i].data,
                        3 * audio_frame_size(&format));
    }
}

static void
hostile_numbers(void)
{
    static const AudioFormat all[] = {{.rate = 0, .channels = 0, .sample = AUDIO_U8},
                                      {.rate = UINT32_MAX, .channels = 99, .sample = AUDIO_S32},
                                      {.rate = 4001, .channels = 7, .sample = AUDIO_U16}};
    Bench bench = start();
    AudioStream *out = bench.connector->open(bench.connector->user, AUDIO_OUTPUT, "out");
    AudioStream *in = bench.connector->open(bench.connector->user, AUDIO_INPUT, "in");
    g_autofree uint8_t *bytes = g_malloc0(1u << 20);
    float frames[2 * 480];

    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        bench.connector->set_format(out, &all[i]);
        bench.connector->set_format(in, &all[i]);
        bench.connector->run(out, true);
        bench.connector->run(in, true);
        bench.connector->write(out, bytes, 1u << 20);
        bench.connector->read(in, bytes, 1u << 20);
        bench.connector->write(out, bytes, 3);
        bench.connector->set_volume(out, NAN, -1);
        bench.hand->host->pull(bench.hand->host->user, frames, 480);
        bench.hand->host->push(bench.hand->host->user, frames, 480);
        bench.connector->read(in, bytes, 1u << 20);
    }
    audio_mixer_free(bench.mixer);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/audio/tones", tones);
    g_test_add_func("/audio/irregular-host", irregular_host);
    g_test_add_func("/audio/all-stand-still", all_stand_still);
    g_test_add_func("/audio/host-starts-late", host_starts_late);
    g_test_add_func("/audio/card-is-late", card_is_late);
    g_test_add_func("/audio/stops-and-rests", stops_and_rests);
    g_test_add_func("/audio/host-stands-still", host_stands_still);
    g_test_add_func("/audio/records", records);
    g_test_add_func("/audio/volumes-and-sums", volumes_and_sums);
    g_test_add_func("/audio/formats", formats);
    g_test_add_func("/audio/hostile-numbers", hostile_numbers);
    return g_test_run();
}
