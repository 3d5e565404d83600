/* SPDX-License-Identifier: MIT. A device: it plays a sine for the last note. */
#include <shmlink/shmlink.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>

static const struct shl_device_options self = {.id = "Example",
                                               .out_channels = 1,
                                               .rate_hz = 48000,
                                               .block_frames = 64,
                                               .capabilities = SHL_CAP_MIDI_IN};
static volatile sig_atomic_t ended;
static uint64_t now; /* frames on this link, as events have them */
static double step, phase, goal, level;

static void on_end(int number)
{
    ended = number;
}

static void hear(const struct shl_event *e)
{
    struct shl_voice_message note;
    if (e->kind != SHL_EVENT_UMP || shl_ump_read(e->data, &note) ||
        note.status > 0x90)
        return;
    goal = note.status == 0x90 ? 0.3 * note.value : 0;
    step = 6.283185307 * 440 * exp2((note.pitch - 69) / 12) / self.rate_hz;
}

static void sound(const struct shl_block *block, uint64_t until)
{
    for (; now < until; now++) {
        level += (goal - level) * 0.002; /* no clicks */
        block->out[0][now - block->frame] = (float)(level * sin(phase += step));
    }
}

int main(void)
{
    struct shl_block block;
    struct shl_why why;
    shl_device *device;
    if (shl_device_open(&self, &device, &why))
        return fprintf(stderr, "%s\n", why.text), 1;
    signal(SIGINT, on_end);
    signal(SIGTERM, on_end);
    for (shl_status status = SHL_OK; !ended && status != SHL_BAD_PEER;) {
        status = shl_device_wait(device, 100, &block);
        if (status)
            continue;
        now = block.frame;
        for (struct shl_event e; shl_device_event(device, &e); hear(&e))
            sound(&block, e.frame);
        sound(&block, block.frame + block.frames);
        shl_device_done(device);
    }
    return shl_device_close(device), 0;
}
