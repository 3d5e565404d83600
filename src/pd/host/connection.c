/* SPDX-License-Identifier: MIT */
/* The host that links: made, looked after, and asked whether something can be sent.
 * Nothing here waits, except in batch mode. */
#include "pd/host/shmlink.h"
#include "pd/patch/patch.h"
#include "pd/slack.h"

#include "rate/samplerate.h"

#include <stdio.h>
#include <string.h>

#define MS              UINT64_C(1000000) /* in nanoseconds */
#define BATCH_WAIT_MS   5000  /* for a device that is not there yet */
#define BATCH_LOOK_MS   5     /* between looks at the board */
#define BATCH_ANSWER_MS 30000 /* for its answer to the claim */
#define RETRY_MS        1000  /* between tries to open a board that failed */
#define PROGRAM_S       10    /* for a program that starts */
#define PROGRAM_MORE_MS 5000  /* and until it is linked */
#define COMING_MOST     8     /* turns that devices of this Pd are waited for */
#define LOOK_MS         100   /* in batch: logical time between later looks */
#define ANSWER_MS       1000  /* live, until an open without answer failed */

shl_status connection_make(t_shmlink *x)
{
    struct shl_host_options options = {
        .in_channels = (uint32_t)x->x_inlets,
        .out_channels = (uint32_t)x->x_outlets,
        .rate_hz = x->x_rate_hz,
        .block_frames =
            x->x_frames < SHL_MAX_FRAMES ? x->x_frames : SHL_MAX_FRAMES,
        .reblock_frames = x->x_flags.block_frames,
        .drive = x->x_flags.drive,
        .mode = x->x_flags.mode,
        .latency_frames = x->x_flags.latency_frames,
        .burst_frames = x->x_batch ? 0 : schedule_burst(x->x_rate_hz),
        .resampler = rate_samplerate(),
        .resample = x->x_flags.resample,
        .clock_ns = schedule_clock,
        .clock_exact = 1,
        .deadline_ms = x->x_flags.deadline_ms,
        .onloss = x->x_flags.onloss,
        .batch = x->x_batch};
    shl_host *host = NULL;
    shl_status status = x->x_ended ? SHL_GONE : shl_host_new(&options, &host);

    if (status)
        return status;
    if (x->x_host)
        shl_host_free(x->x_host);
    else if (x->x_loaded)
        canvas_update_dsp(); /* which was built without a host */
    x->x_host = host;
    shl_host_set_bypass(host, x->x_bypass);
    shl_host_set_tag(host, x->x_flags.tag);
    shl_host_set_slack(host, slack_us, NULL);
    shl_host_set_literal(host, x->x_literal);
    shl_host_on_message(host, device_messages_take, x);
    return SHL_OK;
}

/* Nobody has said yet that a device is missing: until the first clocks run it may
 * be one of this very Pd. */
static int waits(const t_shmlink *x)
{
    return (x->x_batch || patch_is_coming()) && !x->x_started && x->x_host &&
           shl_host_linked(x->x_host) == 0;
}

/* The rate of a canvas is known when its DSP is first built. Until then a
 * device of another rate may still be the right one. */
static int may_still_come(const t_shmlink *x)
{
    if (x->x_status == SHL_WRONG_RATE && !x->x_rate_known)
        return 1;
    return shl_host_linked(x->x_host) == 1;
}

void connection_answer(t_shmlink *x)
{
    struct shl_notice notice;

    if (!x->x_loaded)
        return;
    if (waits(x)) {
        x->x_waited++;
        return;
    }
    if (!x->x_host) {
        if (x->x_due)
            notices_refused(x);
        return;
    }
    while (shl_host_notice(x->x_host, &notice))
        notices_tell(x, &notice);
    notices_changed(x);
    if (!x->x_due || shl_host_linked(x->x_host) == 2)
        return;
    if (link_starting(x))
        return; /* it starts, and its host gives up by itself */
    if (may_still_come(x)) {
        if (clock_gettimesince(x->x_asked) < ANSWER_MS)
            return;
        if (x->x_status == SHL_OK)
            x->x_status = SHL_TIMEOUT;
    }
    notices_refused(x);
}

/* A device that may be there in a moment, if somebody waits. */
static int may_appear(shl_status status)
{
    return status == SHL_NOT_FOUND || status == SHL_AGAIN ||
           status == SHL_BUSY || status == SHL_GONE;
}

/* A device of this Pd accepts when it performs. */
static int is_ours(const t_shmlink *x)
{
    struct shl_device_info info;

    return shl_host_get_device(x->x_host, &info) == SHL_OK &&
           info.pid == info.host_pid;
}

static void open_now(t_shmlink *x)
{
    x->x_looked = clock_getlogicaltime();
    x->x_status = shl_host_open(x->x_host, x->x_say.name, 0);
}

static void wait_for_answer(t_shmlink *x)
{
    uint64_t end = shl_clock_ns() + BATCH_ANSWER_MS * MS;

    while (shl_host_linked(x->x_host) == 1 && !is_ours(x) &&
           shl_clock_ns() < end) {
        shl_host_poll(x->x_host);
        shl_sleep_ms(1);
    }
}

/* Whether it looks for a device here: the core does so by wall time. */
static int looks_by_itself(const t_shmlink *x)
{
    return x->x_batch && x->x_started && x->x_say.name[0] && !x->x_open &&
           !flags_is_plugin(x->x_say.name) && shl_host_linked(x->x_host) == 0;
}

double connection_poll_within(const t_shmlink *x, double ms)
{
    double left;

    if (!looks_by_itself(x))
        return ms;
    left = LOOK_MS - clock_gettimesince(x->x_looked);
    if (left < 0.001) /* rounding */
        left = 0;
    return left < ms ? left : ms;
}

/* Rendering must not begin before the device is there and has accepted: its
 * first blocks would be silent in one run and not in another. */
static void wait_for_device(t_shmlink *x)
{
    uint64_t end = shl_clock_ns() + BATCH_WAIT_MS * MS;

    if (waits(x))
        return;
    while (may_appear(x->x_status) && shl_clock_ns() < end) {
        shl_sleep_ms(BATCH_LOOK_MS);
        open_now(x);
    }
    wait_for_answer(x);
}

/* One look: it waits for nothing but the answer of a device that is there. */
static void look_later(t_shmlink *x)
{
    shl_status told = x->x_due ? SHL_OK : x->x_status;

    if (connection_poll_within(x, LOOK_MS) > 0)
        return;
    open_now(x);
    x->x_due = x->x_status != told;
    wait_for_answer(x);
}

void connection_poll(t_shmlink *x)
{
    if (looks_by_itself(x))
        look_later(x);
    else
        shl_host_poll(x->x_host);
}

static uint32_t program_ms(const t_shmlink *x)
{
    uint32_t seconds =
        x->x_flags.patience_s ? x->x_flags.patience_s : PROGRAM_S;

    return seconds * 1000 + PROGRAM_MORE_MS;
}

/* A program that we start; in batch it is there when this returns. */
static void start_program(t_shmlink *x)
{
    const struct shl_host_program what = {x->x_say.name, x->x_flags.program,
                                          x->x_flags.protocol, x->x_flags.again,
                                          x->x_flags.patience_s};

    x->x_status =
        shl_host_spawn(x->x_host, &what, x->x_batch ? program_ms(x) : 0);
}

/* It starts anew where the sample rate has changed. */
static void wait_for_program(t_shmlink *x)
{
    uint64_t end = shl_clock_ns() + program_ms(x) * MS;

    x->x_await_program = 0;
    while (x->x_status == SHL_AGAIN && !x->x_ended &&
           shl_host_linked(x->x_host) != 2 && shl_clock_ns() < end) {
        shl_host_poll(x->x_host);
        connection_answer(x);
        shl_sleep_ms(1);
    }
}

static void look(t_shmlink *x)
{
    int plugin = flags_is_plugin(x->x_say.name);

    if (plugin)
        start_program(x);
    else
        open_now(x);
    if (x->x_batch && !plugin)
        wait_for_device(x);
    else
        shl_host_poll(x->x_host);
    clock_delay(x->x_poll, 0);
}

void connection_open(t_shmlink *x)
{
    x->x_due = x->x_say.name[0] != '\0';
    x->x_shut = 0;
    x->x_asked = clock_getlogicaltime();
    if (!x->x_host)
        x->x_status = connection_make(x);
    if (x->x_host && x->x_due)
        look(x);
    connection_answer(x);
}

int connection_start(t_shmlink *x)
{
    int coming = patch_is_coming() && x->x_waited++ < COMING_MOST;

    if (x->x_await_program && x->x_host)
        wait_for_program(x);
    if (x->x_started)
        return 1;
    if (coming) { /* their clocks were set before */
        clock_delay(x->x_poll, 0);
        return 0;
    }
    x->x_started = 1;
    if ((x->x_batch || x->x_waited) && x->x_host && x->x_due &&
        shl_host_linked(x->x_host) == 0)
        look(x);
    return 1;
}

void connection_retry(t_shmlink *x)
{
    if (x->x_host || !x->x_say.name[0] ||
        clock_gettimesince(x->x_asked) < RETRY_MS)
        return;
    x->x_asked = clock_getlogicaltime();
    if (connection_make(x) == SHL_OK)
        connection_open(x);
}

/* With another rate or block. What was told is told anew if that has changed
 * it, and a device that batch has waited for is not waited for twice. */
static void look_again(t_shmlink *x)
{
    shl_status told = x->x_due ? SHL_OK : x->x_status;

    if (told == SHL_OK) {
        x->x_due = 1;
        look(x);
        return;
    }
    open_now(x);
    x->x_due = x->x_status != told;
    if (x->x_batch && x->x_due)
        wait_for_device(x);
    else
        shl_host_poll(x->x_host);
}

void connection_setup(t_shmlink *x)
{
    uint32_t block =
        x->x_frames < SHL_MAX_FRAMES ? x->x_frames : SHL_MAX_FRAMES;

    shl_status status = shl_host_setup(x->x_host, x->x_rate_hz, block);
    if (flags_is_plugin(x->x_say.name)) {
        if (status == SHL_AGAIN) { /* with the new rate */
            x->x_status = status;
            x->x_due = 1;
        }
        x->x_await_program = x->x_batch; /* what it tells has no place here */
    } else if (x->x_say.name[0] && shl_host_linked(x->x_host) == 0) {
        look_again(x);
    } else if (x->x_batch) {
        wait_for_device(x);
    }
    clock_delay(x->x_poll, 0);
}

int connection_ready(t_shmlink *x, t_symbol *selector, int request)
{
    char text[400] = "no device: send open and a name, such as open MySynth:0";

    /* perform may have lost the link a moment ago: polling finds out why */
    if (x->x_host && shl_host_linked(x->x_host) == 0)
        connection_poll(x);
    if (x->x_host && shl_host_linked(x->x_host))
        return 1;
    if (x->x_open)
        connection_answer(x); /* a patch hears first that it is gone */
    if (!x->x_host || x->x_say.name[0])
        link_why(x, text, sizeof text);
    if (!notices_told(x, text) &&
        replies_once(&x->x_say, selector, REPLIES_LINK))
        replies_complain(&x->x_say, "%s: %s", selector->s_name, text);
    if (request)
        replies_number(&x->x_say, selector->s_name, 0);
    replies_error_quiet(&x->x_say, selector, SHL_NO_DEVICE, text);
    return 0;
}

int connection_offers(t_shmlink *x, t_symbol *selector, uint64_t capability)
{
    struct shl_device_info info;
    char text[200];

    if (!connection_ready(x, selector, 0) ||
        shl_host_get_device(x->x_host, &info))
        return 0;
    if (info.capabilities & capability)
        return 1;
    snprintf(text, sizeof text,
             "%s: the device has no %s: nothing was sent; info lists its "
             "capabilities",
             selector->s_name, link_capability(capability));
    if (replies_once(&x->x_say, selector, REPLIES_LINK))
        replies_complain(&x->x_say, "%s", text);
    replies_error_quiet(&x->x_say, selector, SHL_UNSUPPORTED, text);
    return 0;
}

void connection_put(t_shmlink *x, t_symbol *selector,
                    const struct shl_event *event)
{
    if (!schedule_push(&x->x_out, clock_getlogicaltime(), event)) {
        if (replies_once(&x->x_say, gensym("queue full"), REPLIES_LINK))
            replies_error(&x->x_say, selector, SHL_RING_FULL,
                          "%s: more than %d events in one block: the rest is "
                          "lost and counted in stats",
                          selector->s_name, SCHEDULE_SIZE);
        return;
    }
    if (link_idle(x))
        clock_delay(x->x_poll, 0);
}
