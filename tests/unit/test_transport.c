/* SPDX-License-Identifier: MIT */
/* The playhead: how it starts, moves and jumps. */
#include "shmlink/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

static void begins_stopped_at_120_in_four_four(void **state)
{
    struct shl_transport t = shl_transport_default(48000);

    (void)state;
    assert_true(t.beats >= 0 && t.beats <= 0);
    assert_int_equal(t.frame, 0);
    assert_float_equal(t.tempo, 120, 0);
    assert_int_equal(t.numerator, 4);
    assert_int_equal(t.denominator, 4);
    assert_int_equal(t.playing, 0);
    assert_float_equal(t.rate_hz, 48000, 0);
}

static void stopped_playhead_stays(void **state)
{
    struct shl_transport t = shl_transport_default(48000);

    (void)state;
    shl_transport_locate(&t, 3);
    shl_transport_advance(&t, 64);
    assert_int_equal(t.frame, 72000);
    assert_float_equal(t.beats, 3, 0);
}

static void playing_moves_frames_and_beats_together(void **state)
{
    struct shl_transport t = shl_transport_default(48000);

    (void)state;
    t.playing = 1;
    for (int i = 0; i < 48000 / 64; i++) /* a second is two beats */
        shl_transport_advance(&t, 64);
    assert_int_equal(t.frame, 48000);
    assert_true(fabs(t.beats - 2) < 1e-9);
    t.tempo = 60;
    for (int i = 0; i < 750; i++)
        shl_transport_advance(&t, 64);
    assert_int_equal(t.frame, 96000);
    assert_true(fabs(t.beats - 3) < 1e-9);
    shl_transport_advance(&t, 0);
    assert_int_equal(t.frame, 96000);
}

static void locate_goes_to_the_frame_of_the_beat(void **state)
{
    struct shl_transport t = shl_transport_default(44100);

    (void)state;
    t.tempo = 90;
    shl_transport_locate(&t, 1.5);
    assert_int_equal(t.frame, 44100);
    shl_transport_locate(&t, -2);
    assert_int_equal(t.frame, 0);
    assert_true(t.beats >= 0);
}

static void nonsense_leads_to_the_beginning(void **state)
{
    static const double strange[] = {(double)NAN, (double)INFINITY,
                                     -(double)INFINITY, 1e300, -1e300};
    struct shl_transport t = shl_transport_default(48000);

    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        shl_transport_locate(&t, strange[i]);
        assert_int_equal(t.frame, 0);
        assert_float_equal(t.beats, 0, 0);
    }
    t.tempo = 0;
    shl_transport_locate(&t, 4);
    assert_int_equal(t.frame, 0);
    t = shl_transport_default((double)NAN);
    t.playing = 1;
    shl_transport_advance(&t, 64);
    assert_int_equal(t.frame, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_stopped_at_120_in_four_four),
        cmocka_unit_test(stopped_playhead_stays),
        cmocka_unit_test(playing_moves_frames_and_beats_together),
        cmocka_unit_test(locate_goes_to_the_frame_of_the_beat),
        cmocka_unit_test(nonsense_leads_to_the_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
