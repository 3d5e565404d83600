#include "core/free/pace.h"

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

void shl_pace_init(struct shl_pace *pace, double rate_hz)
{
    memset(pace, 0, sizeof *pace);
    pace->nominal_s = 1.0 / rate_hz;
    pace->line.period_ns = pace->nominal_s * 1e9;
    pace->line.rate_spread = 1.0;
    pace->p11 = PRIOR_RATE;
}

/* Unsigned differences of numbers that may lie either way. */
static double apart(uint64_t a, uint64_t b)
{
    return (double)(int64_t)(a - b);
}

SHL_RT double shl_pace_due(const struct shl_pace *pace, uint64_t frame,
                           uint64_t origin_ns)
{
    return apart(pace->line.time_ns, origin_ns) + pace->rest_s * 1e9 +
           apart(frame, pace->line.frame) * pace->line.period_ns;
}

/* The line from now on passes through here; `off_s` is small. */
static void move_line(struct shl_pace *pace, uint64_t frame, uint64_t time_ns,
                      double off_s)
{
    int64_t whole_ns = (int64_t)(off_s * 1e9);

    pace->line.frame = frame;
    pace->line.time_ns = time_ns + (uint64_t)whole_ns;
    pace->rest_s = off_s - (double)whole_ns * 1e-9;
}

static void begin_window(struct shl_pace *pace, uint64_t now_ns)
{
    pace->window_ns = now_ns;
    pace->best_s = pace->next_s = 1e9;
}

/* Nothing that was known of the phase holds; the rate does. */
static void restart(struct shl_pace *pace, uint64_t frame, uint64_t now_ns)
{
    move_line(pace, frame, now_ns, 0.0);
    pace->p00 = VARIANCE_MAX;
    pace->p01 = 0.0;
    pace->windows = 0;
    pace->first_ns = now_ns;
    pace->late_since_ns = 0;
    pace->bursts = 1;
    begin_window(pace, now_ns);
}

static void predict(struct shl_pace *pace, double dt)
{
    double wander = WANDER_MAX;

    if (pace->variance_s2 * WANDER_MAX > WANDER)
        wander = WANDER / pace->variance_s2;
    if (wander < WANDER_MIN)
        wander = WANDER_MIN;
    pace->p00 += dt * (2.0 * pace->p01 + dt * pace->p11);
    pace->p01 += dt * pace->p11;
    pace->p11 += dt * wander;
}

/* A whole window later than ever: the clock has stood still for a moment. */
static bool is_step(const struct shl_pace *pace, double error_s,
                    double variance)
{
    double limit = 64.0 * pace->variance_s2 * (variance + pace->p00);

    return pace->windows >= SETTLED && error_s * error_s > limit &&
           (error_s > 1e-4 || error_s < -1e-4);
}

static void learn_variance(struct shl_pace *pace, double error_s,
                           double variance)
{
    double seen = error_s * error_s / (variance + pace->p00);
    double share = pace->windows < 8 ? 1.0 / (pace->windows + 1.0) : 0.125;

    pace->variance_s2 += share * (seen - pace->variance_s2);
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
static double likely(const struct shl_pace *pace)
{
    double apart_s = pace->next_s - pace->best_s;

    return apart_s < STEP_S ? pace->best_s - apart_s : pace->best_s;
}

static void update(struct shl_pace *pace, uint64_t length_ns)
{
    double variance = variance_of(length_ns);
    double dt = apart(pace->best_frame, pace->line.frame) * pace->nominal_s;
    double error_s = likely(pace);

    predict(pace, dt);
    if (is_step(pace, error_s, variance)) {
        restart(pace, pace->best_frame, pace->best_ns);
        return;
    }
    learn_variance(pace, error_s, variance);
    double k0 = pace->p00 / (pace->p00 + variance);
    double k1 = pace->p01 / (pace->p00 + variance);
    move_line(pace, pace->best_frame, pace->best_ns,
              k0 * error_s - pace->best_s);
    pace->rate += k1 * error_s;
    if (pace->rate > MAX_RATE)
        pace->rate = MAX_RATE;
    if (pace->rate < -MAX_RATE)
        pace->rate = -MAX_RATE;
    pace->p11 -= k1 * pace->p01;
    pace->p01 -= k0 * pace->p01;
    pace->p00 -= k0 * pace->p00;
    pace->line.period_ns = pace->nominal_s * (1.0 + pace->rate) * 1e9;
    pace->line.spread_ns = 1e9 * sqrt(pace->variance_s2 * pace->p00);
    pace->line.rate_spread = sqrt(pace->variance_s2 * pace->p11);
    pace->windows++;
}

/* Late for so long that it cannot be jitter. */
static bool has_stood(struct shl_pace *pace, double error_s, uint64_t now_ns)
{
    if (error_s <= STEP_S)
        pace->late_since_ns = 0;
    else if (pace->late_since_ns == 0)
        pace->late_since_ns = now_ns;
    return pace->late_since_ns && now_ns - pace->late_since_ns > STOP_NS;
}

/* Whether it comes about when it is due after its predecessor, not at once. */
static bool begins_burst(const struct shl_pace *pace, uint64_t frame,
                         uint64_t gap_ns)
{
    double block = apart(frame, pace->last_frame);

    return (double)gap_ns > 0.5 * block * pace->line.period_ns;
}

/* The first burst may be what was left of one, or what was missed in a stop, the
 * second is a whole one; and late calls may cut one into several. */
static bool is_young(const struct shl_pace *pace)
{
    return !pace->exact &&
           (pace->bursts <= 2 || pace->last_ns - pace->first_ns < YOUNG_NS);
}

static void begin_burst(struct shl_pace *pace, double error_s, uint64_t now_ns)
{
    pace->several = pace->calls > 1;
    pace->calls = 0;
    pace->bursts++;
    if (pace->bursts > 1)
        shl_burst_see(&pace->burst, error_s, now_ns);
}

static void take_call(struct shl_pace *pace, uint64_t frame, uint64_t now_ns,
                      double error_s)
{
    if (error_s >= pace->best_s && error_s < pace->next_s)
        pace->next_s = error_s;
    if (error_s < pace->best_s) {
        pace->next_s = pace->best_s;
        pace->best_s = error_s;
        pace->best_frame = frame;
        pace->best_ns = now_ns;
    }
}

/* At the end of a window, which ends no burst in its midst: its first blocks are
 * late. */
static bool end_window(struct shl_pace *pace, uint64_t now_ns)
{
    uint64_t length_ns = (now_ns - pace->first_ns) / WINDOW_SHARE;

    if (length_ns > WINDOW_MAX_NS)
        length_ns = WINDOW_MAX_NS;
    if (now_ns - pace->window_ns < length_ns || pace->best_s > 1e8)
        return false;
    update(pace, now_ns - pace->window_ns);
    begin_window(pace, now_ns);
    return true;
}

SHL_RT bool shl_pace_settled(const struct shl_pace *pace)
{
    return !is_young(pace) && pace->burst.ready;
}

SHL_RT bool shl_pace_see(struct shl_pace *pace, uint64_t frame, uint64_t now_ns)
{
    double error_s = -1e-9 * shl_pace_due(pace, frame, now_ns);
    uint64_t gap_ns = now_ns - pace->last_ns;
    bool begins = !pace->started || begins_burst(pace, frame, gap_ns);
    bool moved = false;

    pace->last_ns = now_ns;
    pace->last_frame = frame;
    if (begins && pace->started)
        begin_burst(pace, error_s, now_ns);
    pace->calls++;
    /* the later in a burst the truer */
    if (pace->started && gap_ns <= STOP_NS && is_young(pace) && error_s < 0.0) {
        move_line(pace, frame, now_ns, 0.0);
        begin_window(pace, now_ns);
        take_call(pace, frame, now_ns, 0.0);
        return true;
    }
    if (!pace->started || gap_ns > STOP_NS || error_s < -STEP_S ||
        (pace->exact && fabs(error_s) > EXACT_S) ||
        has_stood(pace, error_s, now_ns)) {
        pace->started = true;
        restart(pace, frame, now_ns);
        return true;
    }
    if (begins && !is_young(pace) && pace->several &&
        end_window(pace, now_ns)) {
        error_s = -1e-9 * shl_pace_due(pace, frame, now_ns);
        moved = true;
    }
    take_call(pace, frame, now_ns, error_s);
    return (!is_young(pace) && !pace->several && pace->calls == 1 &&
            end_window(pace, now_ns)) ||
           moved;
}
