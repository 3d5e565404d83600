/* SPDX-License-Identifier: MIT */
#include "core/lockstep/cycle.h"

#include "shmlink/arithmetic.h"

#define SPIN_LIMIT_NS  50000u
#define SPIN_MARGIN_NS 5000u
#define YIELDS         4
#define TIMED          8u /* one block of so many: looking has a price */
#define SLACK_LIMIT_US 100000u
#define LONG_US        1000000u /* a deadline of rendering, not of playing */
#define SLICE_US       250000u  /* of it, between looks at the lease */
#define MISS           64u      /* one missed block in the score */
#define STALL          (3 * MISS)
#define NEEDED_FIRST   4u  /* blocks in time */
#define NEEDED_SHARE   5u  /* never more than this part of a second */
#define LATE_WORTH     16u /* late answers are worth one in time: it lives */
#define RELAPSE        64u /* not so many in time: stalled again too soon */
#define NAP_US         100000u /* a nudge may come just before we sleep */
#define SHORT_NS       100000u /* a sleep: we might as well have stayed awake */
#define EAGER_MORE     3u      /* one short wait weighs as many long ones */
#define EAGER_MOST     12u
#define AWAY_NS        500000u /* more than siblings need for their blocks */
#define SHY_BLOCKS     1024u

/* ---- both halves ------------------------------------------------------- */

/* Spin only when the peer last ran on another processor; on the same one a
 * spin keeps away the very process it waits for. 0: unknown, do not spin. */
static bool elsewhere(uint32_t peer_cpu)
{
    uint32_t own = shl_cpu();
    return peer_cpu != 0 && own != 0 && peer_cpu != own;
}

/* Wake a sleeper on `word` if there is one: the word has just been stored
 * seq_cst, the sleeper raises its flag seq_cst before its last look, so one of
 * us sees the other. */
static void wake(struct shl_parked_line *line, _Atomic uint32_t *word)
{
    uint32_t parked = atomic_load_explicit(&line->parked, memory_order_seq_cst);
    if (!parked)
        return;
    /* who was woken needs no second call, but it must be this same sleep: only
     * sleepers that give each a number of its own say so */
    if (shl_word_wake(word) && parked != 1)
        atomic_compare_exchange_strong_explicit(&line->parked, &parked, 0,
                                                memory_order_relaxed,
                                                memory_order_relaxed);
}

/* ---- host half ----------------------------------------------------------- */

void shl_cycle_host_init(struct shl_cycle_host *cycle,
                         const struct shl_segment *segment,
                         uint32_t deadline_us, uint32_t blocks_per_second)
{
    struct shl_lines *lines = segment->lines;
    shl_pauses_per_us(); /* measured here, not on the audio thread */
    *cycle = (struct shl_cycle_host){.segment = segment,
                                     .deadline_us = deadline_us,
                                     .left_us = deadline_us,
                                     .second_blocks = blocks_per_second,
                                     .may_yield = true,
                                     .doorbell =
                                         shl_line_load(&lines->host.doorbell)};
    /* acquire: the planes are ours only if the last block was answered */
    uint32_t answer =
        atomic_load_explicit(&lines->device.answer, memory_order_acquire);
    cycle->outstanding = answer != cycle->doorbell;
    cycle->given_up = cycle->outstanding;
    /* a host that was killed in its sleep is no sleeper */
    shl_line_store(&lines->host_parked.parked, 0);
}

SHL_RT void shl_cycle_begin(struct shl_cycle_host *cycle)
{
    cycle->left_us = cycle->deadline_us;
    cycle->asked = false;
}

static uint32_t slack(const struct shl_cycle_host *cycle)
{
    uint32_t us = cycle->slack_us ? cycle->slack_us(cycle->slack_arg) : 0;
    return us < SLACK_LIMIT_US ? us : SLACK_LIMIT_US;
}

SHL_RT uint32_t shl_cycle_patience(struct shl_cycle_host *cycle)
{
    if (!cycle->asked) {
        cycle->asked = true;
        cycle->left_us += slack(cycle);
    }
    return cycle->left_us;
}

static bool answered(struct shl_cycle_host *cycle)
{
    /* acquire: planes, events and line of the answer are whole. seq_cst for
     * the last look of a sleeper, see wake() */
    uint32_t answer = atomic_load_explicit(
        &cycle->segment->lines->device.answer, memory_order_seq_cst);
    if (answer == cycle->doorbell)
        cycle->outstanding = false;
    return !cycle->outstanding;
}

/* Spin for about as long as the device needs for a block. */
static bool spin(struct shl_cycle_host *cycle)
{
    const struct shl_device_line *device = &cycle->segment->lines->device;
    if (!elsewhere(shl_line_load(&device->cpu))) {
        for (int i = 0; cycle->may_yield && i < YIELDS; i++) {
            shl_yield();
            if (answered(cycle))
                return true;
        }
        return false;
    }
    uint32_t busy_ns = shl_line_load(&device->busy_ns);
    uint32_t ns = busy_ns < SPIN_LIMIT_NS / 2 ? 2 * busy_ns + SPIN_MARGIN_NS
                                              : SPIN_LIMIT_NS;
    if (ns > SPIN_LIMIT_NS)
        ns = SPIN_LIMIT_NS;
    for (uint32_t n = ns * shl_pauses_per_us() / 1000; n > 0; n--) {
        shl_pause();
        if (answered(cycle))
            return true;
    }
    return false;
}

/* A rendering that waits for long has the time to ask the system. */
static SHL_RT bool is_alive(const struct shl_cycle_host *cycle)
{
    shl_rt_rest(1);
    SHL_RT_EXCEPT("a rendering, after a long wait",
                  bool alive = shl_segment_device_alive(cycle->segment);)
    shl_rt_rest(0);
    return alive;
}

/* Sleep until the answer comes or the deadline is used up. The clock is read
 * here only, beside a system call that costs a hundred times as much. Waits
 * of a rendering host look at the device's lease in between. */
static bool sleep_for_answer(struct shl_cycle_host *cycle)
{
    struct shl_lines *lines = cycle->segment->lines;
    uint64_t begin_ns = shl_clock_ns();
    uint64_t limit_us = shl_cycle_patience(cycle);
    uint64_t gone_us = 0;
    while (gone_us < limit_us && !shl_segment_bad(cycle->segment)) {
        uint32_t seen = shl_line_load(&lines->device.answer);
        atomic_store_explicit(&lines->host_parked.parked, 1,
                              memory_order_seq_cst);
        if (!answered(cycle)) {
            uint64_t left_us = limit_us - gone_us;
            if (limit_us > LONG_US && left_us > SLICE_US)
                left_us = SLICE_US;
            shl_word_wait(&lines->device.answer, seen, (uint32_t)left_us);
        }
        atomic_store_explicit(&lines->host_parked.parked, 0,
                              memory_order_relaxed);
        if (!cycle->outstanding || answered(cycle))
            break;
        gone_us = (shl_clock_ns() - begin_ns) / 1000;
        if (limit_us > LONG_US && gone_us >= SLICE_US && !is_alive(cycle))
            break;
    }
    gone_us = (shl_clock_ns() - begin_ns) / 1000;
    cycle->left_us = gone_us < limit_us ? (uint32_t)(limit_us - gone_us) : 0;
    return !cycle->outstanding;
}

SHL_RT bool shl_cycle_collect(struct shl_cycle_host *cycle)
{
    if (!cycle->outstanding || answered(cycle))
        return true;
    if (cycle->stalled)
        return false;
    return spin(cycle) || sleep_for_answer(cycle);
}

SHL_RT void shl_cycle_ring(struct shl_cycle_host *cycle, uint64_t frame,
                           uint32_t frames, uint32_t in_channels,
                           uint32_t out_channels, uint32_t epoch)
{
    struct shl_host_line *line = &cycle->segment->lines->host;
    uint32_t cpu = shl_cpu();
    shl_line_store(&line->frames, frames);
    atomic_store_explicit(&line->frame, frame, memory_order_relaxed);
    shl_line_store(&line->in_channels, in_channels);
    shl_line_store(&line->out_channels, out_channels);
    shl_line_store(&line->cpu, cpu);
    shl_line_store(&line->epoch, epoch);
    shl_cycle_rung(cycle);
    /* a time is asked for only while somebody judges by it: the line stays
     * clean, and the device's clock unread, as long as all is well */
    if (atomic_load_explicit(&line->rung_ns, memory_order_relaxed) !=
        cycle->rung_ns)
        atomic_store_explicit(&line->rung_ns, cycle->rung_ns,
                              memory_order_relaxed);
    /* seq_cst: releases planes, events and line, and pairs with the flag */
    atomic_store_explicit(&line->doorbell, cycle->doorbell,
                          memory_order_seq_cst);
    wake(&cycle->segment->lines->device_parked, &line->doorbell);
}

SHL_RT void shl_cycle_rung(struct shl_cycle_host *cycle)
{
    cycle->doorbell++;
    cycle->outstanding = true;
    cycle->given_up = false;
    cycle->late = false;
    cycle->passed = 0;
    cycle->rung_ns = 0;
    if (!cycle->stalled)
        return;
    cycle->limit_us = cycle->deadline_us + slack(cycle);
    cycle->rung_ns = shl_clock_ns();
}

/* ---- the score ------------------------------------------------------------- */

/* The most blocks in time that a stalled link is kept waiting for. */
static uint32_t needed_limit(const struct shl_cycle_host *cycle)
{
    uint32_t limit = cycle->second_blocks / NEEDED_SHARE;
    return limit ? limit : 1;
}

/* Stalled again before a miss was made good: the device has not recovered, so it
 * has to prove more. All other stalls are accidents of a good device, which ask
 * for no more than the one before. */
static void stall(struct shl_cycle_host *cycle)
{
    uint32_t limit = needed_limit(cycle);
    if (cycle->needed == 0) {
        cycle->needed = shl_least(NEEDED_FIRST, limit);
        cycle->calm = 0;
    } else if (cycle->steady < shl_least(RELAPSE, limit)) {
        cycle->needed = shl_least(cycle->needed * 2, limit);
        cycle->calm = 0;
    }
    cycle->stalled = true;
    cycle->late = cycle->outstanding; /* we have waited for it in vain */
    cycle->credit = 0;
    cycle->steady = 0;
    cycle->lost = cycle->score / MISS;
}

/* Each second of blocks in time halves what a stall asks for. */
static void relieve(struct shl_cycle_host *cycle)
{
    cycle->steady += cycle->steady < RELAPSE;
    if (cycle->needed == 0 || ++cycle->calm < cycle->second_blocks)
        return;
    cycle->calm = 0;
    cycle->needed /= 2;
    if (cycle->needed < NEEDED_FIRST)
        cycle->needed = 0;
}

SHL_RT bool shl_cycle_score(struct shl_cycle_host *cycle, bool came)
{
    if (came) {
        cycle->score -= cycle->score > 0;
        relieve(cycle);
        return false;
    }
    cycle->score += MISS;
    if (cycle->score < STALL)
        return false;
    stall(cycle);
    return true;
}

/* When the device answered, if it says so and can have: not before the doorbell
 * and not after now. Else 0: an older one, one of another clock, a liar. */
static uint64_t answered_ns(const struct shl_cycle_host *cycle, uint64_t now_ns)
{
    /* relaxed: the answer, which has been acquired, orders it */
    uint64_t told_ns = atomic_load_explicit(
        &cycle->segment->lines->device.answered_ns, memory_order_relaxed);
    return told_ns >= cycle->rung_ns && told_ns <= now_ns ? told_ns : 0;
}

static enum shl_verdict verdict(struct shl_cycle_host *cycle, bool there,
                                uint64_t now_ns)
{
    uint64_t limit_ns = cycle->limit_us * UINT64_C(1000);
    if (!cycle->late && there && cycle->rung_ns) {
        uint64_t told_ns = answered_ns(cycle, now_ns);
        cycle->late = told_ns && told_ns - cycle->rung_ns > limit_ns;
    } else if (!there && now_ns - cycle->rung_ns > limit_ns) {
        cycle->late = true;
    }
    if (cycle->late)
        return SHL_LATE;
    return there ? SHL_IN_TIME : SHL_UNDECIDED;
}

SHL_RT enum shl_verdict shl_cycle_judge(struct shl_cycle_host *cycle,
                                        bool there, uint64_t now_ns)
{
    enum shl_verdict judged = verdict(cycle, there, now_ns);
    cycle->lost++;
    cycle->passed += cycle->passed < cycle->second_blocks;
    if (!there)
        return judged;
    cycle->credit += cycle->passed * (judged == SHL_LATE ? 1 : LATE_WORTH);
    if (cycle->credit >= cycle->needed * LATE_WORTH) {
        cycle->stalled = false;
        cycle->score = 0;
    }
    return judged;
}

void shl_cycle_nudge(struct shl_lines *lines)
{
    wake(&lines->device_parked, &lines->host.doorbell);
}

/* ---- device half ----------------------------------------------------------- */

void shl_cycle_device_init(struct shl_cycle_device *cycle,
                           const struct shl_segment *segment)
{
    *cycle = (struct shl_cycle_device){
        .lines = segment->lines,
        .claim = segment->claim,
        .may_yield = true,
        .sleeps = 1,
        .eager = EAGER_MOST,
        .cpus = shl_cpus(),
        .answered = shl_line_load(&segment->lines->device.answer)};
    shl_pauses_per_us(); /* measured here, not in the first block */
}

/* Whether the host let us sleep before this block. */
static void note_wait(struct shl_cycle_device *cycle)
{
    if (!cycle->slept)
        cycle->eager += EAGER_MORE;
    else if (cycle->eager)
        cycle->eager--;
    if (cycle->eager > EAGER_MOST)
        cycle->eager = EAGER_MOST;
    cycle->slept = false;
    cycle->shy -= cycle->shy > 0;
}

SHL_RT bool shl_cycle_bell(struct shl_cycle_device *cycle, uint32_t *bell)
{
    /* acquire: the block it announces is whole; seq_cst for a sleeper's last
     * look, see wake() */
    *bell = atomic_load_explicit(&cycle->lines->host.doorbell,
                                 memory_order_seq_cst);
    if (*bell == cycle->answered)
        return false;
    note_wait(cycle);
    cycle->began_ns = *bell % TIMED ? 0 : shl_clock_ns();
    return true;
}

static bool something(struct shl_cycle_device *cycle, uint32_t epoch,
                      const _Atomic uint32_t *alarm)
{
    if (atomic_load_explicit(&cycle->lines->host.doorbell,
                             memory_order_seq_cst) != cycle->answered)
        return true;
    /* seq_cst: the claim is whole, and pairs with the flag as the doorbell */
    return atomic_load_explicit(&cycle->claim->epoch, memory_order_seq_cst) !=
               epoch ||
           atomic_load_explicit(alarm, memory_order_seq_cst) != 0;
}

/* Other devices of our host may wait for the processor that we run on. */
static bool is_crowded(const struct shl_cycle_device *cycle)
{
    uint32_t others = shl_line_load(&cycle->lines->host.others);
    return others > 0 && others >= cycle->cpus - 1; /* the host has one */
}

/* Whoever yields goes behind all that want the processor. Siblings need it for a
 * moment; another process that is busy keeps it for milliseconds, so that the
 * block would come too late: then sleeping is better, for a good while. */
static bool yield_for(struct shl_cycle_device *cycle, uint32_t epoch,
                      const _Atomic uint32_t *alarm)
{
    uint64_t began_ns = shl_clock_ns(), now_ns = began_ns;
    while (cycle->shy == 0 && now_ns - began_ns < SPIN_LIMIT_NS) {
        shl_yield();
        uint64_t back_ns = shl_clock_ns();
        if (back_ns - now_ns > AWAY_NS)
            cycle->shy = SHY_BLOCKS;
        now_ns = back_ns;
        if (something(cycle, epoch, alarm))
            return true;
    }
    return false;
}

static bool spin_for(struct shl_cycle_device *cycle, uint32_t epoch,
                     const _Atomic uint32_t *alarm)
{
    for (uint32_t n = SPIN_LIMIT_NS * shl_pauses_per_us() / 1000; n > 0; n--) {
        shl_pause();
        if (something(cycle, epoch, alarm))
            return true;
    }
    return false;
}

/* Stay awake for a while if a block is likely to come: that is cheaper than to
 * sleep and be woken. */
static bool linger(struct shl_cycle_device *cycle, uint32_t epoch,
                   const _Atomic uint32_t *alarm)
{
    bool likely = cycle->eager > 0 || cycle->nudged;
    cycle->nudged = false;
    if (!elsewhere(shl_line_load(&cycle->lines->host.cpu))) {
        for (int i = 0; cycle->may_yield && i < YIELDS; i++) {
            shl_yield();
            if (something(cycle, epoch, alarm))
                return true;
        }
        return false;
    }
    if (!likely)
        return false;
    return is_crowded(cycle) ? yield_for(cycle, epoch, alarm)
                             : spin_for(cycle, epoch, alarm);
}

/* Until somebody wakes us. The clock is read beside a system call only. */
static bool sleep_for_bell(struct shl_cycle_device *cycle, uint32_t epoch,
                           const _Atomic uint32_t *alarm, uint32_t timeout_us)
{
    struct shl_lines *lines = cycle->lines;
    uint32_t most_us = timeout_us < NAP_US ? timeout_us : NAP_US;
    uint64_t began_ns = shl_clock_ns();
    cycle->sleeps += 2; /* odd, so never 0 */
    atomic_store_explicit(&lines->device_parked.parked, cycle->sleeps,
                          memory_order_seq_cst);
    bool there = something(cycle, epoch, alarm);
    if (!there) {
        shl_word_wait(&lines->host.doorbell, cycle->answered, most_us);
        there = something(cycle, epoch, alarm);
    }
    atomic_store_explicit(&lines->device_parked.parked, 0,
                          memory_order_relaxed);
    uint64_t took_ns = shl_clock_ns() - began_ns;
    cycle->nudged = !there && took_ns < most_us * UINT64_C(1000);
    cycle->slept |= took_ns >= SHORT_NS;
    return there;
}

SHL_RT bool shl_cycle_wait(struct shl_cycle_device *cycle, uint32_t epoch,
                           const _Atomic uint32_t *alarm, uint32_t timeout_us)
{
    if (something(cycle, epoch, alarm))
        return true;
    if (timeout_us == 0)
        return false;
    return linger(cycle, epoch, alarm) ||
           sleep_for_bell(cycle, epoch, alarm, timeout_us);
}

/* How long the block took, into the running mean. */
static void note_time(struct shl_cycle_device *cycle)
{
    struct shl_device_line *line = &cycle->lines->device;
    uint64_t took_ns = shl_clock_ns() - cycle->began_ns;
    if (took_ns > 1000000000u)
        took_ns = 1000000000u;
    uint32_t mean_ns = shl_line_load(&line->busy_ns);
    shl_line_store(&line->busy_ns,
                   mean_ns - mean_ns / 8 + (uint32_t)took_ns / 8);
}

SHL_RT void shl_cycle_answer(struct shl_cycle_device *cycle, uint32_t bell,
                             uint64_t frame, uint32_t frames,
                             uint32_t in_channels, uint32_t out_channels)
{
    struct shl_device_line *line = &cycle->lines->device;
    uint32_t cpu = shl_cpu();
    if (cycle->began_ns)
        note_time(cycle);
    shl_line_store(&line->frames, frames);
    atomic_store_explicit(&line->frame, frame, memory_order_relaxed);
    shl_line_store(&line->in_channels, in_channels);
    shl_line_store(&line->out_channels, out_channels);
    shl_line_store(&line->cpu, cpu);
    if (atomic_load_explicit(&cycle->lines->host.rung_ns, memory_order_relaxed))
        atomic_store_explicit(&line->answered_ns, shl_clock_ns(),
                              memory_order_relaxed);
    cycle->answered = bell;
    /* seq_cst: releases planes, events and line, and pairs with the flag */
    atomic_store_explicit(&line->answer, bell, memory_order_seq_cst);
    wake(&cycle->lines->host_parked, &line->answer);
}
