/* SPDX-License-Identifier: MIT */
#include "pd/schedule.h"

#include <math.h>

/* Logical times are whole samples in exact arithmetic, but reach us through
 * floating point: a fiftieth of a sample decides in favour of the later one. */
#define ROUNDING 0.02

int schedule_push(struct schedule *schedule, double time,
                  const struct shl_event *event)
{
    struct schedule_entry *entry;

    if (schedule_room(schedule) == 0) {
        schedule->lost++;
        return 0;
    }
    if (schedule_count(schedule)) {
        entry = &schedule->entries[(schedule->pushed - 1u) % SCHEDULE_SIZE];
        if (time < entry->time)
            time = entry->time;
    }
    entry = &schedule->entries[schedule->pushed % SCHEDULE_SIZE];
    entry->time = time;
    entry->event = *event;
    schedule->pushed++;
    return 1;
}

const struct schedule_entry *schedule_first(const struct schedule *schedule)
{
    if (schedule_count(schedule) == 0)
        return NULL;
    return &schedule->entries[schedule->popped % SCHEDULE_SIZE];
}

void schedule_pop(struct schedule *schedule)
{
    schedule->popped++;
}

uint32_t schedule_count(const struct schedule *schedule)
{
    return schedule->pushed - schedule->popped;
}

uint32_t schedule_room(const struct schedule *schedule)
{
    return SCHEDULE_SIZE - schedule_count(schedule);
}

uint32_t schedule_clear(struct schedule *schedule)
{
    uint32_t count = schedule_count(schedule);

    schedule->popped = schedule->pushed;
    return count;
}

int schedule_value(const struct schedule *schedule, uint32_t param_id,
                   double *value)
{
    uint32_t i;

    for (i = schedule->pushed; i != schedule->popped; i--) {
        const struct shl_event *event =
            &schedule->entries[(i - 1u) % SCHEDULE_SIZE].event;
        if (event->kind == SHL_EVENT_PARAM && shl_event_id(event) == param_id) {
            *value = shl_event_value(event);
            return 1;
        }
    }
    return 0;
}

void schedule_enter(struct schedule_block *block, uint32_t frames,
                    double rate_hz, uint32_t tick_frames)
{
    double tick = clock_getlogicaltime();

    /* exact: both are the same stored number, or they are two ticks */
    if (block->frames && !(tick > block->tick) && !(tick < block->tick)) {
        block->position += block->frames;
    } else {
        block->tick = tick;
        block->position = 0;
    }
    block->frames = frames;
    block->rate_hz = rate_hz;
    block->span = frames > tick_frames ? frames : tick_frames;
}

uint32_t schedule_offset(const struct schedule_block *block, double time)
{
    double since = clock_gettimesince(time) * block->rate_hz / 1000;
    double offset =
        floor((double)block->span - block->position - since + ROUNDING);

    if (!(offset > 0))
        return 0;
    return offset < block->frames ? (uint32_t)offset : block->frames;
}

double schedule_due(const struct schedule_block *block, uint32_t offset)
{
    double frames = (double)block->position + offset;

    return clock_getsystimeafter(frames * 1000 / block->rate_hz);
}

static uint64_t clock_now_ns;

uint64_t schedule_clock(void)
{
    return clock_now_ns;
}

/* Never below 0: the first block begins before logical time does. */
void schedule_clock_set(double time)
{
    double ns = (clock_gettimesince(0) - clock_gettimesince(time)) * 1e6;

    clock_now_ns = (uint64_t)(1e12 + ns);
}

/* Microseconds, as Pd's scheduler takes them: what -sleepgrain says, else a
 * quarter of its audio buffer, 100 us to 5 ms. */
static double sleep_us(void)
{
    const int *grain = shl_symbol("sys_sleepgrain");
    const int *advance = shl_symbol("sys_schedadvance");
    double us = advance ? *advance / 4.0 : 5000;

    if (grain && *grain > 0)
        us = *grain < 100000 ? *grain : 100000;
    else if (us > 5000)
        us = 5000;
    return us > 100 ? us : 100;
}

uint32_t schedule_burst(double rate_hz)
{
    return (uint32_t)(sleep_us() * rate_hz / 1e6);
}

double schedule_after(double time, double frames, double rate_hz)
{
    double second = clock_getsystimeafter(1000) - clock_getlogicaltime();

    return time + frames * (second / rate_hz);
}

double schedule_start(const struct schedule_block *block, uint32_t offset)
{
    return schedule_after(block->tick,
                          (double)block->position + offset - block->span,
                          block->rate_hz);
}
