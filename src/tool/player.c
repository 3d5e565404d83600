/* SPDX-License-Identifier: MIT */
#include "player.h"

#include "taps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_HZ 1000.0
#define MOST_HZ  1000000.0

struct player {
    struct player_options options;
    struct player_figures figures;
    struct synth *synth;
    struct synth_taps taps; /* of this block */
    float *delay; /* out_channels rows of latency_frames; NULL: none */
    uint32_t delayed;
};

struct player *player_new(const struct player_options *options)
{
    struct player *player = calloc(1, sizeof(*player));

    if (!player)
        return NULL;
    player->options = *options;
    player->synth = synth_new(options->rate_hz);
    if (options->latency_frames && options->out_channels)
        player->delay =
            calloc((size_t)options->latency_frames * options->out_channels,
                   sizeof(float));
    if (!player->synth ||
        (options->latency_frames && options->out_channels && !player->delay)) {
        player_free(player);
        return NULL;
    }
    exchange_show(options->exchange, player->synth);
    return player;
}

void player_free(struct player *player)
{
    if (!player)
        return;
    synth_free(player->synth);
    free(player->delay);
    free(player);
}

struct player_figures *player_figures(struct player *player)
{
    return &player->figures;
}

float player_take_peak(struct player_figures *figures)
{
    uint32_t bits =
        atomic_exchange_explicit(&figures->peak_bits, 0, memory_order_relaxed);
    float peak;

    memcpy(&peak, &bits, sizeof(peak));
    return peak;
}

/* ---- the audio thread ------------------------------------------------------ */

static void tell_param(struct player *player, shl_device *device,
                       uint64_t frame, enum synth_param param)
{
    const struct shl_event event =
        shl_event_param(frame, SHL_EVENT_PARAM, (uint32_t)param,
                        synth_value(player->synth, param));

    shl_device_send(device, &event); /* a full ring is counted there */
}

/* A new host hears nothing of the last one; parameters stay, like the knobs of
 * a synth. */
static void start_anew(struct player *player, double rate_hz)
{
    if (player->options.any_rate && rate_hz >= LEAST_HZ && rate_hz <= MOST_HZ)
        synth_rate(player->synth, rate_hz);
    else
        synth_silence(player->synth);
    if (player->delay)
        memset(player->delay, 0,
               (size_t)player->options.latency_frames *
                   player->options.out_channels * sizeof(float));
    player->delayed = 0;
}

/* A note on or off, or neither: 0. */
static int note_status(const struct shl_event *event,
                       struct shl_voice_message *message)
{
    if (event->kind != SHL_EVENT_UMP || shl_ump_read(event->data, message))
        return 0;
    const int status = message->status & 0xF0;
    return status == 0x80 || status == 0x90 ? status : 0;
}

static int is_sysex(const struct shl_event *event)
{
    return event->kind == SHL_EVENT_UMP && event->data[0] >> 28 == 3;
}

static void click(const struct player *player, const struct shl_block *block,
                  uint32_t offset, double velocity)
{
    if (offset >= block->frames)
        return;
    for (uint32_t c = 0; c < player->options.out_channels; c++)
        block->out[c][offset] += (float)velocity;
}

static void hear(struct player *player, shl_device *device,
                 const struct shl_block *block, const struct shl_event *event)
{
    struct shl_voice_message message;
    const int note = note_status(event, &message);

    if ((note && player->options.echo) ||
        (is_sysex(event) && player->options.sysex))
        shl_device_send(device, event);
    if (note == 0x90) {
        atomic_fetch_add_explicit(&player->figures.notes, 1,
                                  memory_order_relaxed);
        if (player->options.click)
            click(player, block, (uint32_t)(event->frame - block->frame),
                  message.value);
    }
    if (note && (player->options.click || block->mode == SHL_MODE_MIDI))
        return; /* nobody would hear it */
    const int moved = synth_event(player->synth, event);
    if (moved != SYNTH_NONE)
        tell_param(player, device, event->frame, (enum synth_param)moved);
}

SHL_RT void player_heed(struct player *player, shl_device *device)
{
    struct exchange *exchange = player->options.exchange;
    const struct exchange_wish *wish = exchange_take(exchange);
    struct shl_event event;
    uint32_t ump[2];

    if (wish && wish->reset)
        start_anew(player, 0);
    for (uint32_t i = 0; wish && i < SYNTH_PARAMS; i++) {
        synth_set(player->synth, (enum synth_param)i, wish->value[i]);
        shl_device_keep(device, i,
                        synth_value(player->synth, (enum synth_param)i));
    }
    exchange_show(exchange, player->synth);
    if (wish)
        exchange_done(exchange, wish);
    while (exchange_next_midi(exchange, ump)) {
        event = shl_event_ump(0, ump, 1);
        const int moved = synth_event(player->synth, &event);
        if (moved != SYNTH_NONE)
            shl_device_keep(
                device, (uint32_t)moved,
                synth_value(player->synth, (enum synth_param)moved));
    }
}

static void render(struct player *player, const struct shl_block *block,
                   uint32_t from, uint32_t to)
{
    if (!player->options.click && block->mode != SHL_MODE_MIDI)
        synth_render(player->synth, &player->taps, block->out,
                     player->options.out_channels, from, to - from);
}

static void pass_inputs(const struct player *player,
                        const struct shl_block *block)
{
    const uint32_t ins = player->options.in_channels;
    const uint32_t outs = player->options.out_channels;

    for (uint32_t c = 0; c < (ins < outs ? ins : outs); c++)
        for (uint32_t i = 0; i < block->frames; i++)
            block->out[c][i] += block->in[c][i];
}

static void delay(struct player *player, const struct shl_block *block)
{
    const uint32_t size = player->options.latency_frames;
    uint32_t at = player->delayed;

    for (uint32_t c = 0; c < player->options.out_channels; c++) {
        float *row = player->delay + (size_t)c * size;

        at = player->delayed;
        for (uint32_t i = 0; i < block->frames; i++) {
            const float now = block->out[c][i];

            block->out[c][i] = row[at];
            row[at] = now;
            at = at + 1 < size ? at + 1 : 0;
        }
    }
    player->delayed = at;
}

static void count(struct player *player, const struct shl_block *block,
                  int audible)
{
    struct player_figures *figures = &player->figures;
    uint32_t bits =
        atomic_load_explicit(&figures->peak_bits, memory_order_relaxed);
    float peak, before;

    memcpy(&peak, &bits, sizeof(peak));
    before = peak;
    for (uint32_t c = 0; audible && c < player->options.out_channels; c++)
        for (uint32_t i = 0; i < block->frames; i++)
            peak = fmaxf(peak, fabsf(block->out[c][i]));
    if (peak > before) {
        memcpy(&bits, &peak, sizeof(bits));
        atomic_store_explicit(&figures->peak_bits, bits, memory_order_relaxed);
    }
    atomic_store_explicit(&figures->voices, synth_voices(player->synth),
                          memory_order_relaxed);
    atomic_fetch_add_explicit(&figures->blocks, 1, memory_order_relaxed);
}

/* All that is heard of a block once its events have been. */
static void finish(struct player *player, const struct shl_block *block)
{
    pass_inputs(player, block);
    if (!player->options.click)
        taps_inputs(block, player->options.in_channels);
    if (player->delay)
        delay(player, block);
}

static void begin(struct player *player, const struct shl_block *block)
{
    if (block->fresh)
        start_anew(player, block->transport.rate_hz);
    if (player->options.click)
        for (uint32_t c = 0; c < player->options.out_channels; c++)
            memset(block->out[c], 0, block->frames * sizeof(float));
    else
        taps_begin(block, &player->taps);
}

SHL_RT void player_block(struct player *player, shl_device *device,
                         const struct shl_block *block)
{
    const int audible = block->mode != SHL_MODE_MIDI;
    struct shl_event event;
    uint32_t done = 0;

    begin(player, block);
    player_heed(player, device);
    while (shl_device_event(device, &event)) {
        const uint64_t offset = event.frame - block->frame;

        if (offset > done && offset <= block->frames) {
            render(player, block, done, (uint32_t)offset);
            done = (uint32_t)offset;
        }
        hear(player, device, block, &event);
    }
    render(player, block, done, block->frames);
    if (audible)
        finish(player, block);
    exchange_show(player->options.exchange, player->synth);
    count(player, block, audible);
}
