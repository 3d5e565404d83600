/* SPDX-License-Identifier: MIT */
/* What came back of a counted signal: reads a sound file whose first channel is
 * what was sent (1, 2, 3, ... as float), the others what returned, and prints for
 * each of these the stretches that were heard and by how many frames each is late.
 *
 *   hearing FILE      channel from to least most     (frames from the beginning)
 *
 * A stretch ends where silence begins or where the delay jumps. Numbers that run
 * on with another delay are stale or doubled; a resampler moves the delay slowly.
 * What is faded in or out says nothing and is not counted: there no two frames are
 * late by the same. */
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_CHANNELS 32
#define CHUNK         4096
#define JUMP          0.75 /* frames; a resampler moves less from frame to frame */

struct stretch {
    int heard;
    long from;
    double least, most, last;
};

static void end_stretch(int channel, struct stretch *s, long at)
{
    if (s->heard && at > s->from + 1)
        printf("%d %ld %ld %g %g\n", channel, s->from, at, s->least, s->most);
    s->heard = 0;
}

static void hear(int channel, struct stretch *s, long at, double sent,
                 double came)
{
    double delay = sent - came;
    if (!(came > 0)) {
        end_stretch(channel, s, at);
        return;
    }
    if (s->heard && fabs(delay - s->last) > JUMP)
        end_stretch(channel, s, at);
    if (!s->heard)
        *s = (struct stretch){1, at, delay, delay, delay};
    s->last = delay;
    s->least = fmin(s->least, delay);
    s->most = fmax(s->most, delay);
}

int main(int count, char **words)
{
    static float chunk[CHUNK * MOST_CHANNELS];
    static struct stretch state[MOST_CHANNELS];
    SF_INFO info = {0};
    SNDFILE *file = count == 2 ? sf_open(words[1], SFM_READ, &info) : NULL;
    if (!file || info.channels > MOST_CHANNELS) {
        fprintf(stderr, "hearing: %s is no sound file of counted frames\n",
                count == 2 ? words[1] : "nothing");
        return 2;
    }
    long at = 0;
    sf_count_t got;
    while ((got = sf_readf_float(file, chunk, CHUNK)) > 0) {
        for (sf_count_t i = 0; i < got; i++, at++) {
            const float *frame = chunk + i * info.channels;
            for (int c = 1; c < info.channels; c++)
                hear(c, &state[c], at, (double)frame[0], (double)frame[c]);
        }
    }
    for (int c = 1; c < info.channels; c++)
        end_stretch(c, &state[c], at);
    sf_close(file);
    return 0;
}
