/* SPDX-License-Identifier: MIT */
#include "core/lockstep/wake_group.h"

#include "core/lockstep/cycle.h"

#define PLACES 64u
#define STEADY 2u /* rounds running: it will ring in the next one, too */

/*   lines   control stores (seq_cst), audio loads (seq_cst): see walkers
 *   pid     control, before lines
 *   round   in which it rang last; its own audio thread stores, others load
 *   steady  rounds running in which it did, likewise */
static struct {
    struct shl_lines *_Atomic lines;
    _Atomic uint32_t pid;
    _Atomic uint32_t round;
    _Atomic uint32_t steady;
} wake_group[PLACES];

static _Atomic uint32_t taken[PLACES]; /* by a link that joins: exchange */
static _Atomic uint32_t processes;     /* of devices; control stores */
static _Atomic uint32_t round_now;
/* Audio threads that look at lines of others. They count themselves (seq_cst)
 * before they load any, so who takes lines away (seq_cst) and then finds none
 * of them knows that nobody has those. */
static _Atomic uint32_t walkers;

static uint32_t get(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void set(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static bool is_there(uint32_t place)
{
    return atomic_load_explicit(&wake_group[place].lines, memory_order_seq_cst);
}

/* ---- control ------------------------------------------------------------------ */

static bool is_first_of_its_process(uint32_t place)
{
    for (uint32_t i = 0; i < place; i++)
        if (is_there(i) &&
            get(&wake_group[i].pid) == get(&wake_group[place].pid))
            return false;
    return true;
}

static uint32_t count_processes(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < PLACES; i++)
        count += is_there(i) && is_first_of_its_process(i);
    return count;
}

/* Two threads may count at once: whoever writes last looks once more. */
static void show_processes(void)
{
    uint32_t count;
    do {
        count = count_processes();
        atomic_store_explicit(&processes, count, memory_order_seq_cst);
    } while (count != count_processes());
}

uint32_t shl_wake_group_join(struct shl_lines *lines, uint32_t device_pid)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        if (atomic_exchange_explicit(&taken[i], 1, memory_order_acquire))
            continue;
        set(&wake_group[i].pid, device_pid);
        set(&wake_group[i].round, get(&round_now) - 1);
        set(&wake_group[i].steady, 0);
        atomic_store_explicit(&wake_group[i].lines, lines,
                              memory_order_seq_cst);
        show_processes();
        return i;
    }
    return SHL_WAKE_GROUP_NONE;
}

void shl_wake_group_leave(uint32_t place)
{
    if (place >= PLACES)
        return;
    atomic_store_explicit(&wake_group[place].lines, NULL, memory_order_seq_cst);
    while (atomic_load_explicit(&walkers, memory_order_seq_cst))
        shl_yield();
    show_processes();
    /* release: whoever takes the place next finds it empty */
    atomic_store_explicit(&taken[place], 0, memory_order_release);
}

/* ---- audio -------------------------------------------------------------------- */

SHL_RT uint32_t shl_wake_group_others(void)
{
    uint32_t count = get(&processes);
    return count ? count - 1 : 0;
}

/* Those that rang in the round before this one, and in the one before that. */
static void wake_all(uint32_t but, uint32_t before)
{
    atomic_fetch_add_explicit(&walkers, 1, memory_order_seq_cst);
    for (uint32_t i = 0; i < PLACES; i++) {
        struct shl_lines *lines =
            atomic_load_explicit(&wake_group[i].lines, memory_order_seq_cst);
        if (lines && i != but && get(&wake_group[i].round) == before &&
            get(&wake_group[i].steady) >= STEADY)
            shl_cycle_nudge(lines);
    }
    atomic_fetch_sub_explicit(&walkers, 1, memory_order_seq_cst);
}

SHL_RT void shl_wake_group_rang(uint32_t place)
{
    if (place >= PLACES || get(&processes) < 2)
        return;
    uint32_t round = get(&round_now), last = get(&wake_group[place].round);
    bool begins =
        last == round && atomic_compare_exchange_strong_explicit(
                             &round_now, &round, round + 1,
                             memory_order_relaxed, memory_order_relaxed);
    uint32_t now = begins ? round + 1 : round;
    uint32_t steady = get(&wake_group[place].steady);
    set(&wake_group[place].round, now);
    set(&wake_group[place].steady,
        now - last > 1 ? 0 : steady + (steady < STEADY));
    if (begins)
        wake_all(place, round);
}
