/* SPDX-License-Identifier: MIT */
#include "live.h"

#include "terminal.h"
#include "timer.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define STATUS_MS 100u
#define POLL_NS   20000000u
#define NEWS      32u /* notices between the two threads */

/* The playing thread writes, the printing one reads. Figures are relaxed, each
 * stands for itself.
 *   written  release store, acquire load: the notice below it is whole
 *   read     release store, acquire load: its place is free again */
struct live {
    const struct live_options *options;
    int terminal;
    _Atomic uint64_t position, missed;
    _Atomic uint32_t linked, peak_bits;
    _Atomic uint32_t written, read;
    struct shl_notice news[NEWS];
};

/* ---- the printing thread ------------------------------------------------------ */

static void print_notice(const struct shl_notice *notice)
{
    const unsigned long long value = notice->value;
    char id[64];

    terminal_plain(notice->id, id, sizeof(id));
    switch (notice->kind) {
    case SHL_NOTICE_OPEN:
        terminal_say("%s: linked", id);
        break;
    case SHL_NOTICE_REFUSED:
        terminal_say("%s: not linked: %s", id, shl_status_text(notice->status));
        break;
    case SHL_NOTICE_GONE:
        terminal_say("%s: has left%s%s%s, waiting for it", id,
                     notice->reason[0] ? " (" : "", notice->reason,
                     notice->reason[0] ? ")" : "");
        break;
    case SHL_NOTICE_STALLED:
        terminal_say("%s: does not keep up, %llu blocks missed; try "
                     "--pipelined or --deadline",
                     id, value);
        break;
    case SHL_NOTICE_RESUMED:
        terminal_say("%s: is back, %llu blocks lost", id, value);
        break;
    case SHL_NOTICE_XRUN:
        terminal_say("%s: %llu blocks missed", id, value);
        if (notice->detail[0])
            terminal_say("%s: its sound needs --latency %u", id,
                         notice->detail[0]);
        break;
    case SHL_NOTICE_LATENCY:
        terminal_say("%s: latency %llu frames", id, value);
        break;
    case SHL_NOTICE_CRASH:
        terminal_say("%s: process %u ended unasked, signal %u, exit code %u",
                     id, notice->detail[0], notice->detail[1],
                     notice->detail[2]);
        break;
    case SHL_NOTICE_STARTING:
        terminal_say("%s: process %u is starting for %llu of %u seconds", id,
                     notice->detail[0], value, notice->detail[1]);
        break;
    case SHL_NOTICE_MISFIT:
        terminal_say("%s: %s", id, shl_status_text(notice->status));
        break;
    case SHL_NOTICE_DIRTY:
        terminal_say("%s: its state has changed", id);
        break;
    case SHL_NOTICE_PORTS:
        terminal_say("%s: audio %u in, %u out; MIDI %u in, %u out", id,
                     notice->detail[0], notice->detail[1], notice->detail[2],
                     notice->detail[3]);
        break;
    }
}

static void print_line(struct live *live)
{
    static const char *const states[] = {"waiting", "linking", "linked"};
    const double rate = live->options->rate_hz;
    const unsigned long long position =
        atomic_load_explicit(&live->position, memory_order_relaxed);
    const unsigned long long missed =
        atomic_load_explicit(&live->missed, memory_order_relaxed);
    const uint32_t linked =
        atomic_load_explicit(&live->linked, memory_order_relaxed);
    const uint32_t bits =
        atomic_exchange_explicit(&live->peak_bits, 0, memory_order_relaxed);
    char text[200], level[48] = "silent";
    float peak;

    memcpy(&peak, &bits, sizeof(peak));
    if (peak > 1e-6f)
        snprintf(level, sizeof(level), "%s dBFS",
                 shl_places(20.0 * log10((double)peak), 1).text);
    snprintf(text, sizeof(text), "%s  %s s  missed %llu  %s",
             states[linked > 2 ? 2 : linked],
             shl_places((double)position / rate, 1).text, missed, level);
    terminal_line(text);
}

static void print(void *argument)
{
    struct live *live = argument;
    uint32_t at = atomic_load_explicit(&live->read, memory_order_relaxed);

    while (at != atomic_load_explicit(&live->written, memory_order_acquire)) {
        print_notice(&live->news[at % NEWS]);
        atomic_store_explicit(&live->read, ++at, memory_order_release);
    }
    if (live->terminal)
        print_line(live);
}

/* ---- the playing thread --------------------------------------------------------- */

/* Notices that find no room stay with the host until the printer catches up. */
static void pass_notices(struct live *live, shl_host *host)
{
    uint32_t at = atomic_load_explicit(&live->written, memory_order_relaxed);

    while (at - atomic_load_explicit(&live->read, memory_order_acquire) <
               NEWS &&
           shl_host_notice(host, &live->news[at % NEWS]))
        atomic_store_explicit(&live->written, ++at, memory_order_release);
}

static void show(struct live *live, shl_host *host, struct perform *perform)
{
    struct shl_host_stats stats;
    const float peak = perform_take_peak(perform);
    uint32_t bits, before;
    float shown;

    shl_host_get_stats(host, &stats);
    atomic_store_explicit(&live->position, perform_figures(perform)->position,
                          memory_order_relaxed);
    atomic_store_explicit(&live->missed, stats.missed, memory_order_relaxed);
    atomic_store_explicit(&live->linked, (uint32_t)shl_host_linked(host),
                          memory_order_relaxed);
    before = atomic_load_explicit(&live->peak_bits, memory_order_relaxed);
    memcpy(&shown, &before, sizeof(shown));
    if (peak > shown) {
        memcpy(&bits, &peak, sizeof(bits));
        atomic_store_explicit(&live->peak_bits, bits, memory_order_relaxed);
    }
    pass_notices(live, host);
}

static void play(struct live *live, shl_host *host, struct perform *perform)
{
    uint64_t polled = shl_clock_ns();
    struct timer timer;

    timer_start(&timer, live->options->rate_hz, live->options->block_frames);
    shl_host_set_slack(host, timer_slack_us, &timer);
    while (!terminal_ended() && perform_block(perform)) {
        uint64_t now = shl_clock_ns();

        if (now - polled >= POLL_NS) {
            polled = now;
            shl_host_poll(host);
            show(live, host, perform);
        }
        timer_next(&timer);
    }
    shl_host_set_slack(host, NULL, NULL);
    show(live, host, perform);
}

shl_status live_play(const struct live_options *options, shl_host *host,
                     struct perform *perform)
{
    static struct live live; /* too large for a small stack */
    shl_worker *worker = NULL;
    shl_status status = SHL_OK;

    live.options = options;
    live.terminal = terminal_is_one();
    if (!options->quiet)
        status = shl_worker_new(print, &live, STATUS_MS, &worker);
    if (!status)
        play(&live, host, perform);
    shl_worker_free(worker);
    if (!status && !options->quiet)
        print(&live);
    return status;
}
