/* SPDX-License-Identifier: MIT */
/* What a CLAP plugin may ask of us: flags that any thread sets, heeded by the control
 * thread; timers and descriptors; who is on which thread. */
#include "plug/clap/clap.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static struct clap *of(const struct clap_host *host)
{
    return host->own;
}

static _Thread_local enum clap_role role;

enum clap_role clap_role_take(enum clap_role next)
{
    const enum clap_role before = role;

    role = next;
    return before;
}

static void tell(const struct clap_host *host, uint32_t what)
{
    struct clap *clap = of(host);

    if (clap->owner)
        clap->owner->changed(clap->owner->arg, what);
}

/* Flags for the control thread: relaxed, they stand for themselves; the bell that
 * `changed` rings is behind them. */
static void want(_Atomic uint32_t *flag, uint32_t bits)
{
    atomic_fetch_or_explicit(flag, bits, memory_order_relaxed);
}

/* ---- on any thread ------------------------------------------------------------------- */

static void request_restart(const struct clap_host *host)
{
    tell(host, PLUGIN_WANTS_RESTART);
}

/* It is called all the time. */
static void request_process(const struct clap_host *host)
{
    (void)host;
}

static void request_callback(const struct clap_host *host)
{
    want(&of(host)->wants_call, 1);
    tell(host, 0);
}

static void params_rescan(const struct clap_host *host, uint32_t flags)
{
    want(&of(host)->wants_rescan, flags);
    tell(host, 0);
}

static void params_clear(const struct clap_host *host, uint32_t id,
                         uint32_t flags)
{
    (void)host;
    (void)id;
    (void)flags;
}

/* The next block takes it along. */
static void params_flush(const struct clap_host *host)
{
    (void)host;
}

static void state_dirty(const struct clap_host *host)
{
    tell(host, PLUGIN_CHANGED_STATE);
}

/* A latency holds from the next activation on. */
static void latency_changed(const struct clap_host *host)
{
    tell(host, PLUGIN_CHANGED_LATENCY | PLUGIN_WANTS_RESTART);
}

static void tail_changed(const struct clap_host *host)
{
    (void)host;
}

static bool ports_can(const struct clap_host *host, uint32_t flag)
{
    (void)host;
    (void)flag;
    return true;
}

static void ports_rescan(const struct clap_host *host, uint32_t flags)
{
    (void)flags;
    tell(host, PLUGIN_CHANGED_PORTS | PLUGIN_WANTS_RESTART);
}

static void config_rescan(const struct clap_host *host)
{
    tell(host, PLUGIN_CHANGED_PORTS | PLUGIN_WANTS_RESTART);
}

static uint32_t note_dialects(const struct clap_host *host)
{
    (void)host;
    return CLAP_DIALECT_CLAP | CLAP_DIALECT_MIDI | CLAP_DIALECT_MIDI2;
}

static void note_name_changed(const struct clap_host *host)
{
    (void)host;
}

static bool is_main(const struct clap_host *host)
{
    (void)host;
    return role == CLAP_MAIN;
}

static bool is_audio(const struct clap_host *host)
{
    (void)host;
    return role == CLAP_AUDIO;
}

static void say(const struct clap_host *host, int32_t severity,
                const char *text)
{
    static const enum plugin_level levels[] = {PLUGIN_DEBUG, PLUGIN_INFO,
                                               PLUGIN_WARNING, PLUGIN_ERROR};
    struct clap *clap = of(host);

    /* a line from the audio thread would be a system call */
    if (clap->owner && role == CLAP_MAIN && text)
        clap->owner->log(clap->owner->arg,
                         severity < 0 || severity > 3 ? PLUGIN_ERROR
                                                      : levels[severity],
                         text);
}

/* ---- timers and descriptors, on the main thread ------------------------------------------ */

static bool timer_add(const struct clap_host *host, uint32_t period_ms,
                      uint32_t *id)
{
    struct clap *clap = of(host);

    for (uint32_t i = 0; i < CLAP_TIMERS; i++) {
        if (clap->timers[i].period_ms)
            continue;
        clap->timers[i].id = *id = ++clap->timer_serial;
        clap->timers[i].period_ms = period_ms ? period_ms : 1;
        clap->timers[i].due_ns =
            shl_clock_ns() + clap->timers[i].period_ms * UINT64_C(1000000);
        return true;
    }
    return false;
}

static bool timer_remove(const struct clap_host *host, uint32_t id)
{
    struct clap *clap = of(host);

    for (uint32_t i = 0; i < CLAP_TIMERS; i++) {
        if (!clap->timers[i].period_ms || clap->timers[i].id != id)
            continue;
        clap->timers[i].period_ms = 0;
        return true;
    }
    return false;
}

static bool fd_add(const struct clap_host *host, int fd, uint32_t flags)
{
    struct clap *clap = of(host);

    for (uint32_t i = 0; i < CLAP_FDS; i++) {
        if (clap->fds[i].flags)
            continue;
        clap->fds[i].fd = fd;
        clap->fds[i].flags = flags | CLAP_FD_ERROR;
        return true;
    }
    return false;
}

static bool fd_change(const struct clap_host *host, int fd, uint32_t flags)
{
    struct clap *clap = of(host);

    for (uint32_t i = 0; i < CLAP_FDS; i++) {
        if (!clap->fds[i].flags || clap->fds[i].fd != fd)
            continue;
        clap->fds[i].flags = flags | CLAP_FD_ERROR;
        return true;
    }
    return false;
}

static bool fd_remove(const struct clap_host *host, int fd)
{
    struct clap *clap = of(host);

    for (uint32_t i = 0; i < CLAP_FDS; i++) {
        if (!clap->fds[i].flags || clap->fds[i].fd != fd)
            continue;
        clap->fds[i].flags = 0;
        return true;
    }
    return false;
}

/* ---- the table ------------------------------------------------------------------------------ */

static const void *extension(const struct clap_host *host, const char *name)
{
    static const struct clap_host_audio_ports audio_ports = {ports_can,
                                                             ports_rescan};
    static const struct clap_host_ports_config config = {config_rescan};
    static const struct clap_host_note_ports note_ports = {note_dialects,
                                                           ports_rescan};
    static const struct clap_host_params params = {params_rescan, params_clear,
                                                   params_flush};
    static const struct clap_host_state state = {state_dirty};
    static const struct clap_host_latency latency = {latency_changed};
    static const struct clap_host_tail tail = {tail_changed};
    static const struct clap_host_note_name note_name = {note_name_changed};
    static const struct clap_host_timer timer = {timer_add, timer_remove};
    static const struct clap_host_fd fd = {fd_add, fd_change, fd_remove};
    static const struct clap_host_threads threads = {is_main, is_audio};
    static const struct clap_host_log log = {say};
    static const struct {
        const char *name;
        const void *table;
    } all[] = {
        {CLAP_EXT_AUDIO_PORTS, &audio_ports},
        {CLAP_EXT_AUDIO_PORTS_CONFIG, &config},
        {CLAP_EXT_NOTE_PORTS, &note_ports},
        {CLAP_EXT_PARAMS, &params},
        {CLAP_EXT_STATE, &state},
        {CLAP_EXT_LATENCY, &latency},
        {CLAP_EXT_TAIL, &tail},
        {CLAP_EXT_NOTE_NAME, &note_name},
        {CLAP_EXT_TIMER, &timer},
        {CLAP_EXT_FD, &fd},
        {CLAP_EXT_THREADS, &threads},
        {CLAP_EXT_LOG, &log},
    };

    (void)host;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (!strcmp(all[i].name, name))
            return all[i].table;
    return NULL;
}

void clap_host_init(struct clap *clap)
{
    clap->host = (struct clap_host){.version = {1, 2, 0},
                                    .own = clap,
                                    .name = "shmlink",
                                    .vendor = "shmlink",
                                    .url = "",
                                    .host_version = SHL_META_VERSION,
                                    .extension = extension,
                                    .request_restart = request_restart,
                                    .request_process = request_process,
                                    .request_callback = request_callback};
    clap_role_take(CLAP_MAIN);
}

/* ---- now and then ------------------------------------------------------------------------------ */

static void rescan(struct clap *clap, uint32_t flags)
{
    if (flags & (CLAP_RESCAN_ALL | CLAP_RESCAN_INFO)) {
        /* the list that others hold would go away under the audio thread */
        clap->stale_params = 1;
        if (clap->owner)
            clap->owner->changed(clap->owner->arg,
                                 PLUGIN_CHANGED_PARAMS | PLUGIN_WANTS_RESTART);
        return;
    }
    clap_params_values(clap);
    if (clap->owner)
        clap->owner->changed(clap->owner->arg, PLUGIN_CHANGED_STATE);
}

/* A handler may remove itself or others: each place is looked at anew. */
static void run_timers(struct clap *clap)
{
    const uint64_t now_ns = shl_clock_ns();

    for (uint32_t i = 0; clap->timer && i < CLAP_TIMERS; i++) {
        if (!clap->timers[i].period_ms || clap->timers[i].due_ns > now_ns)
            continue;
        clap->timers[i].due_ns =
            now_ns + clap->timers[i].period_ms * UINT64_C(1000000);
        clap->timer->on_timer(clap->own, clap->timers[i].id);
    }
}

static void run_fds(struct clap *clap)
{
    for (uint32_t i = 0; clap->fd && i < CLAP_FDS; i++) {
        const uint32_t flags = clap->fds[i].flags;
        struct pollfd one = {.fd = clap->fds[i].fd};
        uint32_t now = 0;

        if (!flags)
            continue;
        one.events = (short)((flags & CLAP_FD_READ ? POLLIN : 0) |
                             (flags & CLAP_FD_WRITE ? POLLOUT : 0));
        if (poll(&one, 1, 0) <= 0)
            continue;
        now |= one.revents & POLLIN ? CLAP_FD_READ : 0u;
        now |= one.revents & POLLOUT ? CLAP_FD_WRITE : 0u;
        now |=
            one.revents & (POLLERR | POLLHUP | POLLNVAL) ? CLAP_FD_ERROR : 0u;
        if (one.revents & POLLNVAL)
            clap->fds[i].flags = 0; /* it has been closed */
        if (now & flags)
            clap->fd->on_fd(clap->own, one.fd, now & flags);
    }
}

static void tell_lost(struct clap *clap)
{
    const uint32_t lost =
        atomic_load_explicit(&clap->lost, memory_order_relaxed);
    char text[96];

    if (lost == clap->lost_told || !clap->owner)
        return;
    snprintf(text, sizeof(text),
             "%u events were too many or too long for one block",
             lost - clap->lost_told);
    clap->owner->log(clap->owner->arg, PLUGIN_WARNING, text);
    clap->lost_told = lost;
}

void clap_tick(struct plugin *plugin)
{
    struct clap *clap = clap_of(plugin);
    uint32_t flags;

    clap_role_take(CLAP_MAIN);
    if (atomic_exchange_explicit(&clap->wants_call, 0, memory_order_relaxed))
        clap->own->on_main_thread(clap->own);
    flags =
        atomic_exchange_explicit(&clap->wants_rescan, 0, memory_order_relaxed);
    if (flags)
        rescan(clap, flags);
    run_timers(clap);
    run_fds(clap);
    tell_lost(clap);
}
