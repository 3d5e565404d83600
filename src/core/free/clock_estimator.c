/* SPDX-License-Identifier: MIT */
#include "core/free/clock_estimator.h"

#include <math.h>
#include <string.h>

/* A clock that is silent or late for so long has stood still meanwhile. */
#define STOP_NS 250000000u
/* A call this late may still be a hiccup; this early it never is one. */
#define STEP_S 0.02
/* By a clock that is exact: a quarter of a frame is no rounding. */
#define EXACT_S 5e-6
/* Windows grow with age: longer ones find earlier calls, shorter ones lock
 * sooner. */
#define WINDOW_SHARE  16u
#define WINDOW_MAX_NS 4000000000u
/* What we believe before the first block: a clock within some 500 ppm, whose
 * earliest call of a longest window is within some 1 us. Only the ratio of both
 * matters. */
#define PRIOR_RATE 250000.0
/* The earliest of few calls is later than that of many: the deviation goes with
 * the window, to this variance at most. */
#define VARIANCE_MAX 1e7
/* How a crystal's rate wanders, in squares of itself per second: some 3e-9 in
 * 100 s. Against what the calls are late this makes a memory of 10 seconds for
 * the punctual to 5 minutes for the rest. */
#define WANDER     9e-20
#define WANDER_MIN (1.0 / (300.0 * 300.0 * 300.0 * 300.0))
#define WANDER_MAX (1.0 / (10.0 * 10.0 * 10.0 * 10.0))
/* No clock is further off than this. */
#define MAX_RATE 0.01
/* Windows before an outlier can be told from a guess. */
#define SETTLED 16u
/* So long nothing is averaged: the earliest call alone counts. */
#define YOUNG_NS 50000000u

void shl_clock_estimator_init(struct shl_clock_estimator *estimator,
                              double rate_hz)
{
    memset(estimator, 0, sizeof *estimator);
    estimator->nominal_s = 1.0 / rate_hz;
    estimator->line.period_ns = estimator->nominal_s * 1e9;
    estimator->line.rate_spread = 1.0;
    estimator->p11 = PRIOR_RATE;
}

/* Unsigned differences of numbers that may lie either way. */
static double apart(uint64_t a, uint64_t b)
{
    return (double)(int64_t)(a - b);
}

SHL_RT double
shl_clock_estimator_due(const struct shl_clock_estimator *estimator,
                        uint64_t frame, uint64_t origin_ns)
{
    return apart(estimator->line.time_ns, origin_ns) + estimator->rest_s * 1e9 +
           apart(frame, estimator->line.frame) * estimator->line.period_ns;
}

/* The line from now on passes through here; `off_s` is small. */
static void move_line(struct shl_clock_estimator *estimator, uint64_t frame,
                      uint64_t time_ns, double off_s)
{
    int64_t whole_ns = (int64_t)(off_s * 1e9);

    estimator->line.frame = frame;
    estimator->line.time_ns = time_ns + (uint64_t)whole_ns;
    estimator->rest_s = off_s - (double)whole_ns * 1e-9;
}

static void begin_window(struct shl_clock_estimator *estimator, uint64_t now_ns)
{
    estimator->window_ns = now_ns;
    estimator->best_s = estimator->next_s = 1e9;
}

/* Nothing that was known of the phase holds; the rate does. */
static void restart(struct shl_clock_estimator *estimator, uint64_t frame,
                    uint64_t now_ns)
{
    move_line(estimator, frame, now_ns, 0.0);
    estimator->p00 = VARIANCE_MAX;
    estimator->p01 = 0.0;
    estimator->windows = 0;
    estimator->first_ns = now_ns;
    estimator->late_since_ns = 0;
    estimator->bursts = 1;
    begin_window(estimator, now_ns);
}

static void predict(struct shl_clock_estimator *estimator, double dt)
{
    double wander = WANDER_MAX;

    if (estimator->variance_s2 * WANDER_MAX > WANDER)
        wander = WANDER / estimator->variance_s2;
    if (wander < WANDER_MIN)
        wander = WANDER_MIN;
    estimator->p00 += dt * (2.0 * estimator->p01 + dt * estimator->p11);
    estimator->p01 += dt * estimator->p11;
    estimator->p11 += dt * wander;
}

/* A whole window later than ever: the clock has stood still for a moment. */
static bool is_step(const struct shl_clock_estimator *estimator, double error_s,
                    double variance)
{
    double limit = 64.0 * estimator->variance_s2 * (variance + estimator->p00);

    return estimator->windows >= SETTLED && error_s * error_s > limit &&
           (error_s > 1e-4 || error_s < -1e-4);
}

static void learn_variance(struct shl_clock_estimator *estimator,
                           double error_s, double variance)
{
    double seen = error_s * error_s / (variance + estimator->p00);
    double share =
        estimator->windows < 8 ? 1.0 / (estimator->windows + 1.0) : 0.125;

    estimator->variance_s2 += share * (seen - estimator->variance_s2);
}

/* Of an observation, in variances of one from a longest window. */
static double variance_of(uint64_t length_ns)
{
    double share = (double)WINDOW_MAX_NS / ((double)length_ns + 1.0);

    if (share <= 1.0)
        return 1.0;
    return share * share < VARIANCE_MAX ? share * share : VARIANCE_MAX;
}

/* The true time lies before the earliest call about as far as that lies before
 * the next. */
static double likely(const struct shl_clock_estimator *estimator)
{
    double apart_s = estimator->next_s - estimator->best_s;

    return apart_s < STEP_S ? estimator->best_s - apart_s : estimator->best_s;
}

static void update(struct shl_clock_estimator *estimator, uint64_t length_ns)
{
    double variance = variance_of(length_ns);
    double dt = apart(estimator->best_frame, estimator->line.frame) *
                estimator->nominal_s;
    double error_s = likely(estimator);

    predict(estimator, dt);
    if (is_step(estimator, error_s, variance)) {
        restart(estimator, estimator->best_frame, estimator->best_ns);
        return;
    }
    learn_variance(estimator, error_s, variance);
    double k0 = estimator->p00 / (estimator->p00 + variance);
    double k1 = estimator->p01 / (estimator->p00 + variance);
    move_line(estimator, estimator->best_frame, estimator->best_ns,
              k0 * error_s - estimator->best_s);
    estimator->rate += k1 * error_s;
    if (estimator->rate > MAX_RATE)
        estimator->rate = MAX_RATE;
    if (estimator->rate < -MAX_RATE)
        estimator->rate = -MAX_RATE;
    estimator->p11 -= k1 * estimator->p01;
    estimator->p01 -= k0 * estimator->p01;
    estimator->p00 -= k0 * estimator->p00;
    estimator->line.period_ns =
        estimator->nominal_s * (1.0 + estimator->rate) * 1e9;
    estimator->line.spread_ns =
        1e9 * sqrt(estimator->variance_s2 * estimator->p00);
    estimator->line.rate_spread = sqrt(estimator->variance_s2 * estimator->p11);
    estimator->windows++;
}

/* Late for so long that it cannot be jitter. */
static bool has_stood(struct shl_clock_estimator *estimator, double error_s,
                      uint64_t now_ns)
{
    if (error_s <= STEP_S)
        estimator->late_since_ns = 0;
    else if (estimator->late_since_ns == 0)
        estimator->late_since_ns = now_ns;
    return estimator->late_since_ns &&
           now_ns - estimator->late_since_ns > STOP_NS;
}

/* Whether it comes about when it is due after its predecessor, not at once. */
static bool begins_burst(const struct shl_clock_estimator *estimator,
                         uint64_t frame, uint64_t gap_ns)
{
    double block = apart(frame, estimator->last_frame);

    return (double)gap_ns > 0.5 * block * estimator->line.period_ns;
}

/* The first burst may be what was left of one, or what was missed in a stop, the
 * second is a whole one; and late calls may cut one into several. */
static bool is_young(const struct shl_clock_estimator *estimator)
{
    return !estimator->exact &&
           (estimator->bursts <= 2 ||
            estimator->last_ns - estimator->first_ns < YOUNG_NS);
}

static void begin_burst(struct shl_clock_estimator *estimator, double error_s,
                        uint64_t now_ns)
{
    estimator->several = estimator->calls > 1;
    estimator->calls = 0;
    estimator->bursts++;
    if (estimator->bursts > 1)
        shl_burst_see(&estimator->burst, error_s, now_ns);
}

static void take_call(struct shl_clock_estimator *estimator, uint64_t frame,
                      uint64_t now_ns, double error_s)
{
    if (error_s >= estimator->best_s && error_s < estimator->next_s)
        estimator->next_s = error_s;
    if (error_s < estimator->best_s) {
        estimator->next_s = estimator->best_s;
        estimator->best_s = error_s;
        estimator->best_frame = frame;
        estimator->best_ns = now_ns;
    }
}

/* At the end of a window, which ends no burst in its midst: its first blocks are
 * late. */
static bool end_window(struct shl_clock_estimator *estimator, uint64_t now_ns)
{
    uint64_t length_ns = (now_ns - estimator->first_ns) / WINDOW_SHARE;

    if (length_ns > WINDOW_MAX_NS)
        length_ns = WINDOW_MAX_NS;
    if (now_ns - estimator->window_ns < length_ns || estimator->best_s > 1e8)
        return false;
    update(estimator, now_ns - estimator->window_ns);
    begin_window(estimator, now_ns);
    return true;
}

SHL_RT bool
shl_clock_estimator_settled(const struct shl_clock_estimator *estimator)
{
    return !is_young(estimator) && estimator->burst.ready;
}

SHL_RT bool shl_clock_estimator_see(struct shl_clock_estimator *estimator,
                                    uint64_t frame, uint64_t now_ns)
{
    double error_s = -1e-9 * shl_clock_estimator_due(estimator, frame, now_ns);
    uint64_t gap_ns = now_ns - estimator->last_ns;
    bool begins = !estimator->started || begins_burst(estimator, frame, gap_ns);
    bool moved = false;

    estimator->last_ns = now_ns;
    estimator->last_frame = frame;
    if (begins && estimator->started)
        begin_burst(estimator, error_s, now_ns);
    estimator->calls++;
    /* the later in a burst the truer */
    if (estimator->started && gap_ns <= STOP_NS && is_young(estimator) &&
        error_s < 0.0) {
        move_line(estimator, frame, now_ns, 0.0);
        begin_window(estimator, now_ns);
        take_call(estimator, frame, now_ns, 0.0);
        return true;
    }
    if (!estimator->started || gap_ns > STOP_NS || error_s < -STEP_S ||
        (estimator->exact && fabs(error_s) > EXACT_S) ||
        has_stood(estimator, error_s, now_ns)) {
        estimator->started = true;
        restart(estimator, frame, now_ns);
        return true;
    }
    if (begins && !is_young(estimator) && estimator->several &&
        end_window(estimator, now_ns)) {
        error_s = -1e-9 * shl_clock_estimator_due(estimator, frame, now_ns);
        moved = true;
    }
    take_call(estimator, frame, now_ns, error_s);
    return (!is_young(estimator) && !estimator->several &&
            estimator->calls == 1 && end_window(estimator, now_ns)) ||
           moved;
}
