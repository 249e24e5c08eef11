/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Sound Blaster 16's transfers: through the DMA controllers at the pace of the sample rate, in
 * blocks with an interrupt at the end of each. Programming Guide, chapter 3. */
#include "devices/sound/sb16-private.h"

#include <string.h>

#define CHUNK 2048u /* bytes */
/* However small a guest makes its blocks. */
#define INTERVAL_MIN_NS 500000u

static AudioFormat
format_of(const Sb16Transfer *transfer)
{
    AudioSample narrow = transfer->is_signed ? AUDIO_S8 : AUDIO_U8;
    AudioSample wide = transfer->is_signed ? AUDIO_S16 : AUDIO_U16;

    return (AudioFormat){.rate = transfer->sb16->rate[transfer->input],
                         .channels = transfer->stereo ? 2 : 1,
                         .sample = transfer->way == SB16_WIDE ? wide : narrow};
}

static uint32_t
frame_of(const Sb16Transfer *transfer)
{
    const AudioFormat format = format_of(transfer);

    return (uint32_t)audio_frame_size(&format);
}

static bool
is_running(const Sb16Transfer *transfer)
{
    return transfer->active && !transfer->paused;
}

/* Streams and clock follow what the transfer is now. */
static void
update(Sb16Transfer *transfer)
{
    const Sb16 *sb16 = transfer->sb16;
    const AudioFormat format = format_of(transfer);

    sound_pace_start(&transfer->pace, pdm_now(sb16->device), format.rate);
    if (sb16->audio == NULL)
        return;
    sb16->audio->run(transfer->streams[!transfer->input], false);
    sb16->audio->set_format(transfer->streams[transfer->input], &format);
    sb16->audio->run(transfer->streams[transfer->input], is_running(transfer));
}

void
sb16_transfer_start(Sb16Transfer *transfer, uint32_t bytes)
{
    transfer->block = transfer->left = bytes;
    transfer->active = true;
    transfer->paused = false;
    update(transfer);
    sb16_transfers_run(transfer->sb16);
}

void
sb16_transfer_stop(Sb16Transfer *transfer)
{
    transfer->active = transfer->paused = transfer->silent = false;
    update(transfer);
}

void
sb16_transfer_pause(Sb16Transfer *transfer, bool on)
{
    transfer->paused = on;
    update(transfer);
    sb16_transfers_run(transfer->sb16);
}

void
sb16_transfers_repace(Sb16 *sb16)
{
    for (unsigned i = 0; i < SB16_WAYS; i++)
        update(&sb16->transfers[i]);
    sb16_transfers_run(sb16);
}

static void
end_block(Sb16Transfer *transfer)
{
    transfer->left = transfer->block;
    transfer->silent = false;
    if (!transfer->again) {
        transfer->active = false;
        update(transfer);
    }
    sb16_irq_raise(transfer->sb16, transfer->way);
}

static void
moved(Sb16Transfer *transfer, uint32_t bytes)
{
    transfer->budget -= bytes;
    transfer->left -= MIN(bytes, transfer->left);
    if (transfer->left < frame_of(transfer))
        end_block(transfer);
}

static uint32_t
part_of(const Sb16Transfer *transfer, uint32_t most)
{
    uint32_t part = (uint32_t)MIN(MIN(transfer->budget, transfer->left), MIN(most, CHUNK));

    return part - part % frame_of(transfer);
}

/* The DMA controller's turn: at most one piece, and no more once what is due is done. */
uint32_t
sb16_dma(void *user, unsigned channel, uint32_t position, uint32_t size)
{
    Sb16 *sb16 = user;
    Sb16Transfer *transfer = sb16->serving;
    uint8_t data[CHUNK] = {0};
    uint32_t part;

    if (transfer == NULL || !is_running(transfer) || position > size ||
        transfer->budget < frame_of(transfer))
        return position;
    if (size - position < frame_of(transfer))
        return size; /* half a frame at a buffer's end */
    part = part_of(transfer, size - position);
    if (transfer->input && sb16->audio)
        sb16->audio->read(transfer->streams[AUDIO_INPUT], data, part);
    if (transfer->input) {
        pdm_dma_write(sb16->device, channel, data, position, part);
    } else {
        pdm_dma_read(sb16->device, channel, data, position, part);
        if (sb16->audio)
            sb16->audio->write(transfer->streams[AUDIO_OUTPUT], data, part);
    }
    moved(transfer, part);
    return position + part;
}

/* A length of silence, for which there is no memory. */
static void
pass_time(Sb16Transfer *transfer)
{
    static const uint8_t quiet = 0x80;
    const AudioConnector *audio = transfer->sb16->audio;
    uint32_t part = part_of(transfer, CHUNK);
    uint8_t data[CHUNK];

    memset(data, transfer->is_signed ? 0 : quiet, sizeof data);
    if (audio)
        audio->write(transfer->streams[AUDIO_OUTPUT], data, part);
    moved(transfer, part);
}

/* One portion; false: nothing moves, because the guest has not yet prepared its channel. */
static bool
serve(Sb16Transfer *transfer)
{
    Sb16 *sb16 = transfer->sb16;
    int channel = sb16_mixer_dma(sb16, transfer->way);
    uint64_t before = transfer->budget;

    if (transfer->silent) {
        pass_time(transfer);
    } else if (channel >= 0) {
        sb16->serving = transfer;
        pdm_dma_dreq(sb16->device, (unsigned)channel, true);
        pdm_dma_dreq(sb16->device, (unsigned)channel, false);
        sb16->serving = NULL;
    }
    return transfer->budget != before;
}

static void
run_transfer(Sb16Transfer *transfer)
{
    Sb16 *sb16 = transfer->sb16;
    uint64_t now = pdm_now(sb16->device), before;
    uint32_t frame = frame_of(transfer);

    if (!transfer->input &&
        sound_pace_waits(&transfer->pace, sb16->audio, transfer->streams[AUDIO_OUTPUT], now))
        return;
    transfer->budget = before = sound_pace_due(&transfer->pace, now) * frame;
    while (is_running(transfer) && transfer->budget >= frame) {
        if (!serve(transfer)) {
            sound_pace_start(&transfer->pace, now, transfer->pace.rate);
            return;
        }
    }
    if (is_running(transfer))
        sound_pace_moved(&transfer->pace, (before - transfer->budget) / frame);
}

void
sb16_transfers_run(Sb16 *sb16)
{
    uint64_t now = pdm_now(sb16->device), next = UINT64_MAX;

    /* A new command that comes from inside of a transfer finds it running. */
    if (sb16->serving)
        return;
    for (unsigned i = 0; i < SB16_WAYS; i++) {
        Sb16Transfer *transfer = &sb16->transfers[i];

        if (is_running(transfer))
            run_transfer(transfer);
        if (is_running(transfer))
            next = MIN(next,
                       MIN(now + AUDIO_PERIOD_NS,
                           sound_pace_when(&transfer->pace, transfer->left / frame_of(transfer))));
    }
    if (next != UINT64_MAX)
        pdm_timer_set(sb16->device, sb16->timer, MAX(next, now + INTERVAL_MIN_NS));
    else
        pdm_timer_cancel(sb16->device, sb16->timer);
}
