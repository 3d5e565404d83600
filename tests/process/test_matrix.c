/* SPDX-License-Identifier: MIT */
/* What host and device may have in common or not: every combination of rate,
 * block and channels is either exact to the bit or refused by name, with both
 * numbers; and so for capabilities. */
#include "shmlink/host.h"

#include "core/shm/segment.h"
#include "loopback.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 60000

static const double rates[] = {44100, 48000, 96000};
static const uint32_t blocks[] = {16, 64, 512, 4096};
static const uint32_t channels[] = {1, 2, 12, 32};

struct corner {
    double rate_hz;
    uint32_t block, channels;
};

#define CORNERS (3 * 4 * 4)

static struct loopback *device;
static shl_host *host;
static float in_memory[32][4096], out_memory[32][4096];

static struct corner corner(uint32_t n)
{
    return (struct corner){rates[n / 16], blocks[n / 4 % 4], channels[n % 4]};
}

static void open_device(struct corner c, bool whole)
{
    const struct shl_device_options options = {.id = "Loop",
                                               .in_channels = c.channels,
                                               .out_channels = c.channels,
                                               .rate_hz = c.rate_hz,
                                               .block_frames = c.block,
                                               .quantum = whole ? c.block : 1};
    struct shl_why why;
    shl_status status;
    device = loopback_start(&options, &status, &why);
    assert_non_null(device);
}

static void new_host(struct corner c)
{
    const struct shl_host_options options = {.in_channels = c.channels,
                                             .out_channels = c.channels,
                                             .rate_hz = c.rate_hz,
                                             .block_frames = c.block,
                                             .batch = 1};
    assert_int_equal(shl_host_new(&options, &host), SHL_OK);
}

static int tear_down(void **state)
{
    (void)state;
    shl_host_free(host);
    loopback_end(device);
    host = NULL;
    device = NULL;
    return 0;
}

/* ---- rate, block, channels ---------------------------------------------------- */

static void check_refused(struct corner own, struct corner other)
{
    char why[256], a[16], b[16];
    assert_int_equal(shl_host_open(host, "Loop", 0), SHL_WRONG_RATE);
    shl_host_why(host, why, sizeof why);
    snprintf(a, sizeof a, "%g", own.rate_hz);
    snprintf(b, sizeof b, "%g", other.rate_hz);
    assert_non_null(strstr(why, a));
    assert_non_null(strstr(why, b));
}

/* Each its own sample, exact as a float. */
static float sample(uint32_t channel, uint64_t frame)
{
    return (float)(channel * 65536 + frame % 65536 + 1);
}

static void play(uint32_t block, uint32_t count, uint64_t at)
{
    const float *ins[32];
    float *outs[32];
    for (uint32_t c = 0; c < count; c++) {
        for (uint32_t i = 0; i < block; i++)
            in_memory[c][i] = sample(c, at + i);
        ins[c] = in_memory[c];
        outs[c] = out_memory[c];
    }
    shl_host_process(host, ins, outs, block);
}

static void check_block(uint32_t block, uint32_t count, uint32_t both,
                        uint64_t at, uint32_t late)
{
    for (uint32_t c = 0; c < count; c++)
        for (uint32_t i = 0; i < block; i++)
            assert_true(
                out_memory[c][i] ==
                (c < both && at + i >= late ? sample(c, at + i - late) : 0));
}

/* Both sides say the same of what they have agreed. */
static void check_agreed(struct corner own, struct corner other)
{
    struct shl_device_info info;
    struct shl_host_info seen;
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_true(shl_device_claimed(loopback_device(device), &seen));
    assert_true(!(fabs(info.rate_hz - own.rate_hz) > 0));
    assert_true(!(fabs(seen.rate_hz - own.rate_hz) > 0));
    assert_int_equal(info.in_channels, other.channels);
    assert_int_equal(seen.in_channels, own.channels);
    assert_int_equal(seen.out_channels, own.channels);
    assert_int_equal(seen.block_frames, shl_host_block(host));
}

static void check_exact(struct corner own, struct corner other)
{
    uint32_t both =
        own.channels < other.channels ? own.channels : other.channels;
    assert_int_equal(shl_host_open(host, "Loop", WAIT_MS), SHL_OK);
    check_agreed(own, other);
    uint32_t late = shl_host_link_latency(host);
    uint64_t at = 0;
    for (; at < late + own.block + 1; at += own.block) {
        play(own.block, own.channels, at);
        check_block(own.block, own.channels, both, at, late);
    }
    assert_int_equal(loopback_frames(device), shl_host_block(host));
}

/* shows DL-16 */
static void every_seqlock_is_exact_or_refused_with_both_numbers(void **state)
{
    uint32_t played = 0;
    (void)state;
    for (uint32_t d = 0; d < CORNERS; d++) {
        struct corner other = corner(d);
        open_device(other, d % 2);
        for (uint32_t h = 0; h < CORNERS; h++) {
            struct corner own = corner(h);
            new_host(own);
            if (h / 16 != d / 16)
                check_refused(own, other);
            else
                check_exact(own, other);
            played += h / 16 == d / 16;
            shl_host_free(host);
            host = NULL;
        }
        loopback_end(device);
        device = NULL;
    }
    assert_int_equal(played, CORNERS * CORNERS / 3);
}

/* ---- capabilities ------------------------------------------------------------ */

/* As if the device were of another version. */
static void claim_to_be(uint64_t capabilities, uint64_t required)
{
    struct shl_segment segment;
    struct shl_identity identity;
    struct shl_why why;
    assert_int_equal(
        shl_segment_open(shl_device_segment(loopback_device(device)), &segment,
                         &why),
        SHL_OK);
    assert_int_equal(shl_segment_identity(&segment, &identity), SHL_OK);
    identity.capabilities = capabilities;
    identity.required = required;
    shl_seqlock_write(&segment.identity->seqlock, &identity,
                      sizeof identity / 8);
    shl_segment_close(&segment);
}

static void check_claims(uint64_t capabilities, uint64_t required)
{
    uint64_t unknown = required >> SHL_CAP_COUNT;
    char why[256], word[32];
    claim_to_be(capabilities, required);
    shl_status status = shl_host_open(host, "Loop", unknown ? 0 : WAIT_MS);
    assert_int_equal(status, unknown ? SHL_WRONG_VERSION : SHL_OK);
    if (unknown) {
        shl_host_why(host, why, sizeof why);
        snprintf(word, sizeof word, "%llx", (unsigned long long)required);
        assert_non_null(strstr(why, word));
    } else {
        play(64, 1, 0);
        check_block(64, 1, 1, 0, 0);
    }
    shl_host_close(host);
}

/* shows DL-17 DL-36 */
static void unknown_capabilities_are_ignored_unless_required(void **state)
{
    /* the first, the last that is known, the first that is not, the last */
    static const uint32_t bits[] = {0, SHL_CAP_COUNT - 1, SHL_CAP_COUNT, 63};
    (void)state;
    open_device((struct corner){48000, 64, 1}, false);
    new_host((struct corner){48000, 64, 1});
    for (uint32_t combination = 0; combination < 256; combination++) {
        uint64_t word[2] = {0, 0};
        for (uint32_t b = 0; b < 8; b++)
            if (combination >> b & 1)
                word[b / 4] |= UINT64_C(1) << bits[b % 4];
        check_claims(word[0], word[1]);
    }
}

static int start(void **state)
{
    (void)state;
    peer_own_board();
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_seqlock_is_exact_or_refused_with_both_numbers),
        TEST(unknown_capabilities_are_ignored_unless_required),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
