/* SPDX-License-Identifier: MIT */
/* A device for the tests of the Pd objects: audio and MIDI go back as they
 * came, and what the transport and the last note's pitch were comes back as
 * parameters. It has one parameter of each kind.
 *
 *     mirror NAME RATE [deaf]    deaf: no capability but parameters
 *     mirror NAME RATE news      for each program change it says by message, that
 *                                it has changed to that one: in one MiB, on
 *                                other channels than the first in 4 bytes */
#include "shmlink/shmlink.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WET, MODE, ON, METER, TEMPO, BEATS, PLAYING, PITCH, PARAMS };

static const struct shl_param params[PARAMS] = {
    {10, SHL_PARAM_AUTOMATABLE, SHL_CURVE_LINEAR, 0, 0, 200, 100, "Wet Mix",
     "%", "main"},
    {11, SHL_PARAM_AUTOMATABLE, SHL_CURVE_STEPPED, 4, 0, 3, 0, "mode", "", ""},
    {12, SHL_PARAM_TOGGLE, SHL_CURVE_STEPPED, 2, 0, 1, 0, "on", "", ""},
    {13, SHL_PARAM_READ_ONLY, SHL_CURVE_LINEAR, 0, 0, 1, 0, "meter", "", ""},
    {20, SHL_PARAM_READ_ONLY, SHL_CURVE_LINEAR, 0, 0, 1000, 120, "tempo", "bpm",
     ""},
    {21, SHL_PARAM_READ_ONLY, SHL_CURVE_LINEAR, 0, 0, 1000, 0, "beats", "", ""},
    {22, SHL_PARAM_READ_ONLY, SHL_CURVE_LINEAR, 0, 0, 1, 0, "playing", "", ""},
    {23, SHL_PARAM_READ_ONLY, SHL_CURVE_LINEAR, 0, 0, 128, 0, "pitch", "", ""},
};

static volatile sig_atomic_t ended;
static double known[PARAMS];
static int deaf, news;

static void end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static void tell(shl_device *device, uint64_t frame, int index, double value)
{
    if (!(fabs(known[index] - value) > 0))
        return;
    known[index] = value;
    const struct shl_event event =
        shl_event_param(frame, SHL_EVENT_PARAM, params[index].id, value);
    shl_device_send(device, &event);
}

static void tell_transport(shl_device *device, const struct shl_block *block)
{
    if (deaf)
        return;
    tell(device, block->frame, TEMPO, block->transport.tempo);
    tell(device, block->frame, PLAYING, block->transport.playing);
    if (!block->transport.playing)
        tell(device, block->frame, BEATS, block->transport.beats);
}

static void tell_program(shl_device *device, uint32_t number, uint32_t size)
{
    static uint8_t bytes[1u << 20]; /* what is behind the number is for later */
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);

    shl_pack_u32(&pack, number);
    shl_device_post(device, SHL_MESSAGE_PROGRAM_SET, bytes, size);
}

static void answer(shl_device *device, const struct shl_block *block)
{
    struct shl_event event;
    struct shl_voice_message message;

    if (block->fresh)
        for (int i = 0; i < PARAMS; i++)
            known[i] = params[i].initial;
    tell_transport(device, block);
    while (shl_device_event(device, &event)) {
        if (event.kind != SHL_EVENT_UMP)
            continue;
        shl_device_send(device, &event);
        if (news && event.data[0] >> 28 == 2 &&
            (event.data[0] >> 20 & 15) == 0xC)
            tell_program(device, event.data[0] >> 8 & 0x7F,
                         event.data[0] >> 16 & 15 ? 4 : 1u << 20);
        if (shl_ump_read(event.data, &message) == SHL_OK &&
            message.status == 0x90)
            tell(device, event.frame, PITCH, message.pitch);
    }
    for (uint32_t c = 0; c < 2; c++)
        memcpy(block->out[c], block->in[c], block->frames * sizeof(float));
}

static uint64_t capabilities(void)
{
    if (deaf)
        return SHL_CAP_PARAMS;
    return SHL_CAP_PARAMS | SHL_CAP_PARAM_OUT | SHL_CAP_MIDI_IN |
           SHL_CAP_MIDI_OUT | SHL_CAP_SYSEX_IN | SHL_CAP_SYSEX_OUT |
           SHL_CAP_DETUNE | SHL_CAP_TRANSPORT_IN;
}

int main(int argc, char **argv)
{
    struct shl_why why = {""};
    shl_device *device = NULL;
    struct shl_block block;

    if (argc < 3)
        return 2;
    deaf = argc > 3 && strcmp(argv[3], "deaf") == 0;
    news = argc > 3 && strcmp(argv[3], "news") == 0;
    const struct shl_device_options options = {.id = argv[1],
                                               .vendor = "A Vendor",
                                               .category = "test",
                                               .version = "1.2",
                                               .in_channels = 2,
                                               .out_channels = 2,
                                               .rate_hz = atof(argv[2]),
                                               .block_frames = 64,
                                               .capabilities = capabilities(),
                                               .params = params,
                                               .param_count = PARAMS};
    signal(SIGTERM, end);
    if (shl_device_open(&options, &device, &why)) {
        fprintf(stderr, "mirror: %s\n", why.text);
        return 1;
    }
    while (!ended) {
        if (shl_device_wait(device, 100, &block) != SHL_OK)
            continue;
        answer(device, &block);
        shl_device_done(device);
    }
    shl_device_close(device);
    return 0;
}
