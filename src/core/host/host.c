/* SPDX-License-Identifier: MIT */
#include "shmlink/host.h"

#include "core/host/host_state.h"
#include "shmlink/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_NS        100000000u /* between looks for device and lease */
#define START_NS       5000000u   /* likewise, at a program that starts */
#define QUIET_NS       200000000u /* without a block: no audio runs */
#define ACCEPT_MS      30000u     /* rendering: for the device's word */
#define BATCH_US       30000000u  /* rendering: for a block */
#define DEADLINE_LIMIT 1000u      /* ms, what a user may ask for */
#define ABSENT_MS      5u         /* between looks while open() waits */

/* ---- notices --------------------------------------------------------------- */

static void show_notice(const struct shl_monitor *monitor,
                        const struct shl_notice *notice)
{
    if (notice->kind == SHL_NOTICE_OPEN || notice->kind == SHL_NOTICE_GONE ||
        notice->kind == SHL_NOTICE_CRASH)
        shl_monitor_connection(monitor, notice->kind == SHL_NOTICE_OPEN,
                               notice->id);
    if (notice->status)
        shl_monitor_error(monitor, notice->status,
                          shl_status_text(notice->status));
}

/* A full queue loses its oldest: the newest tells how things are. */
void shl_host_tell(shl_host *host, const struct shl_notice *what)
{
    if (host->notice_count == SHL_NOTICES) {
        host->notice_first = (host->notice_first + 1) % SHL_NOTICES;
        host->notice_count--;
    }
    uint32_t at = (host->notice_first + host->notice_count++) % SHL_NOTICES;
    struct shl_notice *notice = &host->notice[at];
    *notice = *what;
    memcpy(notice->id, host->linked ? host->link.identity.id : host->wanted,
           sizeof notice->id);
    if (host->requester.monitor)
        show_notice(host->requester.monitor, notice);
}

static void tell(shl_host *host, enum shl_notice_kind kind, shl_status status,
                 uint64_t value)
{
    const struct shl_notice notice = {
        .kind = kind, .status = status, .value = value};
    shl_host_tell(host, &notice);
}

int shl_host_notice(shl_host *host, struct shl_notice *notice)
{
    if (host->notice_count == 0)
        return 0;
    *notice = host->notice[host->notice_first];
    host->notice_first = (host->notice_first + 1) % SHL_NOTICES;
    host->notice_count--;
    return 1;
}

/* ---- making ------------------------------------------------------------------ */

static shl_status check_options(const struct shl_host_options *options)
{
    if (options->in_channels > SHL_MAX_CHANNELS ||
        options->out_channels > SHL_MAX_CHANNELS)
        return SHL_WRONG_CHANNELS;
    if (options->block_frames < 1 || options->block_frames > SHL_MAX_FRAMES)
        return SHL_WRONG_BLOCK;
    if (options->reblock_frames > SHL_MAX_FRAMES)
        return SHL_WRONG_BLOCK;
    if (!isfinite(options->rate_hz) || options->rate_hz < 1)
        return SHL_BAD_VALUE;
    if (options->drive > SHL_DRIVE_FREE ||
        (options->drive & (options->drive - 1)))
        return SHL_WRONG_DRIVE;
    if (options->mode > SHL_MODE_MIDI || options->mode == 3)
        return SHL_WRONG_MODE;
    if (options->latency_frames > SHL_STREAM_FRAMES)
        return SHL_BAD_VALUE;
    return SHL_OK;
}

/* As asked; else a device that computes whole blocks alone gets them, whatever
 * the host's own are: those, where they are multiples. */
static shl_status set_reblock(shl_host *host,
                              const struct shl_host_options *options,
                              uint32_t quantum)
{
    uint32_t usual = options->block_frames, frames = options->reblock_frames;
    if (frames == 0 && quantum > 1 && quantum <= SHL_MAX_FRAMES)
        frames = usual % quantum ? quantum : usual;
    shl_status st = shl_reblock_set(&host->reblock, options->in_channels,
                                    options->out_channels, frames, usual);
    if (st)
        return st;
    host->link.reblocked = frames != 0;
    if (frames == 0)
        host->link.gathered = host->link.waiting = 0;
    return SHL_OK;
}

shl_status shl_host_new(const struct shl_host_options *options,
                        shl_host **result)
{
    shl_status st = check_options(options);
    if (st)
        return st;
    shl_host *host = calloc(1, sizeof *host);
    if (!host)
        return SHL_NO_MEMORY;
    host->options = *options;
    host->options.registry = NULL;
    if (!host->options.mode)
        host->options.mode = SHL_MODE_BOTH;
    host->link.segment.map.fd = host->link.segment.ask.fd = -1;
    host->transport = shl_transport_default(options->rate_hz);
    shl_host_set_onloss(host, options->onloss);
    st = shl_bypass_new(&host->bypass, options->in_channels);
    if (!st)
        st = set_reblock(host, options, 1);
    if (!st)
        st = shl_registry_open(options->registry, &host->registry, &host->why);
    if (st) {
        shl_reblock_free(&host->reblock);
        shl_bypass_free(&host->bypass);
        free(host);
        return st;
    }
    *result = host;
    return SHL_OK;
}

/* `bye`: why we leave a device that is there; NULL: it is not. */
static void unlink_device(shl_host *host, const char *bye)
{
    if (!host->linked)
        return;
    if (bye && host->announced && !host->lost)
        shl_requester_bye(&host->requester, bye);
    host->link.stats.dropped += host->link.unsent;
    shl_host_add_stats(&host->past, &host->link.stats);
    shl_requester_end(&host->requester);
    shl_link_close(&host->link);
    memset(&host->held, 0, sizeof host->held);
    memset(&host->taps, 0, sizeof host->taps);
    host->linked = host->announced = false;
    host->lost = SHL_OK;
    shl_requester_gone(&host->requester, shl_clock_ns());
}

void shl_host_free(shl_host *host)
{
    if (!host)
        return;
    unlink_device(host, "ended");
    shl_host_plugin_forget(host);
    shl_registry_close(host->registry);
    shl_reblock_free(&host->reblock);
    shl_bypass_free(&host->bypass);
    free(host);
}

/* ---- linking ------------------------------------------------------------------- */

static uint32_t deadline_us(const shl_host *host)
{
    const struct shl_host_options *o = &host->options;
    if (o->batch)
        return BATCH_US;
    if (o->deadline_ms)
        return (o->deadline_ms < DEADLINE_LIMIT ? o->deadline_ms
                                                : DEADLINE_LIMIT) *
               1000;
    double half_us = shl_host_exchanged(host) * 500000.0 / o->rate_hz;
    return half_us > 1000 ? (uint32_t)half_us : 1000;
}

/* A deadline that somebody has chosen is that, and a rendering has its own. */
static bool takes_slack(const shl_host *host)
{
    return !host->options.batch && !host->options.deadline_ms;
}

static void show_patience(shl_host *host)
{
    host->link.cycle.deadline_us = deadline_us(host);
    host->link.cycle.slack_us = takes_slack(host) ? host->slack_us : NULL;
    host->link.cycle.slack_arg = host->slack_arg;
}

/* The device that the wish means now: who remembers the tag, else the id. */
static shl_status find(shl_host *host, struct shl_device_info *info)
{
    int32_t number = -1;
    bool exact = host->literal &&
                 shl_id_check(host->wanted, NULL, &number, NULL) == SHL_OK &&
                 number >= 0;
    return shl_registry_find_for(host->registry, host->wanted,
                                 exact ? NULL : host->tag, info, &host->why);
}

/* Streams take blocks of any size. */
static void stop_reblock(shl_host *host)
{
    struct shl_host_options plain = host->options;
    plain.reblock_frames = 0;
    set_reblock(host, &plain, 1);
}

static shl_status try_link(shl_host *host)
{
    struct shl_device_info info;
    host->looked_ns = shl_clock_ns();
    bool program = host->plugin.wanted;
    info.quantum = 1;
    shl_status st = program ? SHL_OK : find(host, &info);
    if (!st)
        st = set_reblock(host, &host->options, info.quantum);
    if (st)
        return st;
    struct shl_link_options options = {
        .tag = host->tag,
        .rate_hz = host->options.rate_hz,
        .block_frames = shl_host_exchanged(host),
        .free_block_frames = host->options.block_frames,
        .in_channels = host->options.in_channels,
        .out_channels = host->options.out_channels,
        .drive = host->options.drive,
        .mode = host->options.mode,
        .deadline_us = deadline_us(host),
        .slack_us = takes_slack(host) ? host->slack_us : NULL,
        .slack_arg = host->slack_arg,
        .renders = host->options.batch,
        .latency_frames = host->options.latency_frames,
        .burst_frames = host->options.burst_frames,
        .resampler = host->options.resampler,
        .resample = host->options.resample,
        .exact = host->options.clock_exact,
        .clock_ns = host->options.clock_ns};
    st = program
             ? shl_host_plugin_link(host, &options)
             : shl_link_open(&host->link, info.segment, &options, &host->why);
    if (st == SHL_BUSY && !program)
        shl_registry_why(host->registry, info.id, host->why.text,
                         sizeof host->why.text);
    if (st)
        return st;
    if (host->link.drive == SHL_DRIVE_FREE)
        stop_reblock(host);
    host->linked = true;
    host->link.reblocked = host->reblock.frames != 0;
    host->link.gathered = host->reblock.gathered;
    shl_requester_begin(&host->requester, host->link.segment.messages,
                        host->link.epoch);
    host->links++;
    host->why.text[0] = 0;
    host->told_missed = host->told_stalls = 0;
    host->told_stalled = false;
    return SHL_OK;
}

/* A claim is not refused for ever: say it once, keep looking. */
static void refuse(shl_host *host, shl_status st)
{
    if (st == SHL_AGAIN || st == host->refused)
        return;
    host->refused = st;
    tell(host, SHL_NOTICE_REFUSED, st, 0);
}

static void explain_refusal(shl_host *host, shl_status st)
{
    const struct shl_identity *device = &host->link.identity;
    if (st == SHL_WRONG_RATE)
        snprintf(host->why.text, sizeof host->why.text,
                 "%s runs at %s Hz, this host at %s Hz, and it has no "
                 "resampler for what it hears: give both the same sample rate",
                 device->id, shl_digits(device->rate_hz, 10).text,
                 shl_digits(host->options.rate_hz, 10).text);
    else
        snprintf(host->why.text, sizeof host->why.text,
                 "%s refuses this host: %s", device->id, shl_status_text(st));
}

/* The device answered our claim: not at all yet, yes, or no. */
static void hear_answer(shl_host *host)
{
    shl_status st = shl_link_state(&host->link);
    if (st == SHL_AGAIN)
        return;
    if (st == SHL_OK)
        st = shl_link_free_start(&host->link);
    if (st == SHL_OK) {
        host->announced = true;
        host->idle = false;
        host->opened_ns = shl_clock_ns();
        host->refused = SHL_OK;
        host->told_latency = shl_host_latency(host);
        tell(host, SHL_NOTICE_OPEN, SHL_OK, 0);
        if (host->plugin.running)
            shl_host_plugin_opened(host);
        return;
    }
    explain_refusal(host, st);
    unlink_device(host, NULL);
    refuse(host, st);
}

static void wait_for_answer(shl_host *host, uint64_t until_ns)
{
    while (host->linked && !host->announced) {
        hear_answer(host);
        if (!host->linked || host->announced || shl_clock_ns() >= until_ns)
            return;
        shl_sleep_ms(1);
        if (!shl_segment_device_alive(&host->link.segment))
            unlink_device(host, NULL);
    }
}

static shl_status check_wish(shl_host *host, const char *id)
{
    char name[SHL_ID_SIZE];
    int32_t number;
    if (strcmp(id, "*") == 0)
        return SHL_OK;
    return shl_id_check(id, name, &number, &host->why);
}

shl_status shl_host_open(shl_host *host, const char *id, uint32_t wait_ms)
{
    shl_status st = check_wish(host, id);
    if (st)
        return st;
    unlink_device(host, "opened another device");
    shl_host_plugin_forget(host);
    if (!host->wanted[0] && host->reblock.frames)
        shl_reblock_reset(&host->reblock);
    snprintf(host->wanted, sizeof host->wanted, "%s", id);
    return shl_host_want(host, wait_ms);
}

shl_status shl_host_want(shl_host *host, uint32_t wait_ms)
{
    host->refused = SHL_OK;
    uint64_t now_ns = shl_clock_ns();
    uint64_t until_ns = now_ns + (uint64_t)wait_ms * 1000000u;
    shl_status st = try_link(host);
    while (st && shl_clock_ns() < until_ns && !shl_host_plugin_stopped(host)) {
        shl_sleep_ms(ABSENT_MS);
        st = try_link(host);
    }
    if (st) {
        host->refused = st;
        return st;
    }
    bool own = host->link.claim.flags & SHL_CLAIM_OWN_CLOCK;
    if (own)
        wait_ms = 0; /* it answers when we let it */
    if (wait_ms == 0)
        hear_answer(host);
    else
        wait_for_answer(host, shl_clock_ns() +
                                  (host->options.batch ? ACCEPT_MS : wait_ms) *
                                      (uint64_t)1000000);
    if (host->linked && (host->announced || wait_ms == 0))
        return SHL_OK;
    if (!host->linked)
        return host->refused ? host->refused : SHL_GONE;
    return SHL_TIMEOUT;
}

void shl_host_close(shl_host *host)
{
    unlink_device(host, "closed");
    shl_host_plugin_forget(host);
    host->wanted[0] = 0;
    host->refused = SHL_OK;
    host->why.text[0] = 0;
}

shl_status shl_host_set_tag(shl_host *host, const char *tag)
{
    shl_status st = shl_tag_check(tag, &host->why);
    if (st)
        return st;
    snprintf(host->tag, sizeof host->tag, "%s", tag);
    if (host->linked)
        shl_link_tag(&host->link, tag);
    return SHL_OK;
}

void shl_host_set_literal(shl_host *host, int on)
{
    host->literal = on != 0;
}

shl_status shl_host_setup(shl_host *host, double rate_hz, uint32_t block_frames)
{
    struct shl_host_options wish = host->options;
    wish.rate_hz = rate_hz;
    wish.block_frames = block_frames;
    shl_status st = check_options(&wish);
    if (st)
        return st;
    bool is_free = host->linked && host->link.drive == SHL_DRIVE_FREE;
    bool other = rate_hz != host->options.rate_hz ||
                 (is_free && block_frames != host->options.block_frames);
    if (!is_free)
        st = set_reblock(host, &wish,
                         host->linked ? host->link.identity.quantum : 1);
    if (st)
        return st;
    host->options = wish;
    host->transport.rate_hz = rate_hz;
    if (!host->linked) {
        if (other)
            shl_host_plugin_restart(host);
        return SHL_OK;
    }
    show_patience(host);
    host->link.cycle.second_blocks =
        (uint32_t)(rate_hz / shl_host_exchanged(host)) + 1;
    if (!other)
        return SHL_OK;
    unlink_device(host, "other sample rate or block");
    shl_host_plugin_restart(host);
    st = try_link(host);
    if (st)
        refuse(host, st);
    return st;
}

void shl_host_set_deadline(shl_host *host, uint32_t ms)
{
    host->options.deadline_ms = ms;
    if (host->linked)
        show_patience(host);
}

void shl_host_set_slack(shl_host *host, SHL_RT uint32_t (*slack_us)(void *arg),
                        void *arg)
{
    host->slack_us = slack_us;
    host->slack_arg = arg;
    if (host->linked)
        show_patience(host);
}

void shl_host_set_onloss(shl_host *host, enum shl_host_onloss onloss)
{
    static const enum shl_onloss policy[] = {[SHL_HOST_FADE] = SHL_ONLOSS_FADE,
                                             [SHL_HOST_SILENCE] =
                                                 SHL_ONLOSS_SILENCE,
                                             [SHL_HOST_DRY] = SHL_ONLOSS_DRY,
                                             [SHL_HOST_HOLD] = SHL_ONLOSS_HOLD};
    host->loss.policy = policy[onloss <= SHL_HOST_HOLD ? onloss : 0];
}

/* ---- polling --------------------------------------------------------------------- */

/* What the device said last; true if somebody still wants to know. */
static bool hear_last(shl_host *host, shl_status st)
{
    if (st == SHL_GONE)
        shl_requester_pump(&host->requester, host->announced, shl_clock_ns());
    return host->linked;
}

static void lose(shl_host *host, shl_status st)
{
    if (host->plugin.wanted && shl_host_plugin_dying(host)) {
        host->lost = st;
        return;
    }
    bool known = host->announced;
    struct shl_notice notice = {
        .kind = known ? SHL_NOTICE_GONE : SHL_NOTICE_REFUSED, .status = st};
    if (!hear_last(host, st))
        return;
    memcpy(notice.reason, host->requester.bye, sizeof notice.reason);
    bool said = notice.reason[0] != 0;
    snprintf(host->why.text, sizeof host->why.text, "%s: %s%s%s%s",
             host->link.identity.id, shl_status_text(st), said ? " (" : "",
             notice.reason, said ? ")" : "");
    if (host->plugin.wanted)
        shl_host_plugin_lost(host, &notice);
    shl_host_tell(host, &notice);
    unlink_device(host, NULL);
    shl_host_plugin_restart(host);
    /* as everybody knows by now */
    host->refused =
        shl_host_plugin_stopped(host) ? host->plugin.stopped : SHL_NOT_FOUND;
}

static void report_missed(shl_host *host)
{
    const struct shl_link *link = &host->link;
    struct shl_notice notice = {.kind = SHL_NOTICE_XRUN};
    notice.value = link->drive == SHL_DRIVE_FREE
                       ? shl_link_free_short(link, &notice.detail[0])
                       : link->stats.missed;
    if (notice.value == host->told_missed || link->cycle.stalled)
        return;
    host->told_missed = notice.value;
    shl_host_tell(host, &notice);
}

static void report(shl_host *host)
{
    const struct shl_link *link = &host->link;
    if (link->stats.stalls != host->told_stalls && !host->told_stalled) {
        host->told_stalled = true;
        tell(host, SHL_NOTICE_STALLED, SHL_OK, link->cycle.lost);
    }
    host->told_stalls = link->stats.stalls;
    if (host->told_stalled && !link->cycle.stalled) {
        host->told_stalled = false;
        tell(host, SHL_NOTICE_RESUMED, SHL_OK, link->cycle.lost);
    }
    report_missed(host);
    uint32_t latency = shl_host_latency(host);
    if (latency != host->told_latency) {
        host->told_latency = latency;
        tell(host, SHL_NOTICE_LATENCY, SHL_OK, latency);
    }
}

static void poll_link(shl_host *host)
{
    if (host->lost) {
        lose(host, host->lost);
        return;
    }
    if (!host->announced)
        hear_answer(host);
    if (!host->linked)
        return;
    uint64_t now_ns = shl_clock_ns();
    if (now_ns - host->looked_ns >= LOOK_NS) {
        host->looked_ns = now_ns;
        shl_link_show_counters(&host->link, host->silent_frames);
        shl_status st = shl_link_check(&host->link);
        if (st) {
            lose(host, st);
            return;
        }
    }
    if (host->announced)
        report(host);
}

void shl_host_flush(shl_host *host)
{
    if (!host->linked || host->lost)
        return;
    if (host->reblock.frames) {
        shl_reblock_reset(&host->reblock);
        shl_link_reblocked(&host->link, 0, 0, 0, 0);
    }
    shl_link_flush(&host->link, &host->transport);
}

int shl_host_heard(const shl_host *host)
{
    return !host->linked || host->lost || shl_link_heard(&host->link);
}

/* Whether audio is asked for, when that changes. */
static void tell_idle(shl_host *host, bool idle)
{
    if (!host->announced || host->lost || idle == host->idle)
        return;
    host->idle = idle;
    shl_requester_post(&host->requester,
                       idle ? SHL_MESSAGE_IDLE : SHL_MESSAGE_ACTIVE, NULL, 0);
}

/* Send events by themselves, but only when no block has been asked for in a
 * long time: the next block keeps their place in time, and a poll may come
 * just before it. */
static void flush(shl_host *host)
{
    uint64_t now_ns = shl_clock_ns();
    if (host->played != host->polled_played) {
        host->polled_played = host->played;
        host->played_ns = now_ns;
    }
    double block_ns = shl_host_exchanged(host) * 1e9 / host->options.rate_hz;
    uint64_t quiet_ns = QUIET_NS + 2 * (uint64_t)block_ns;
    bool quiet = now_ns - host->played_ns > quiet_ns;
    if (quiet)
        shl_host_flush(host);
    tell_idle(host, quiet && now_ns - host->opened_ns > quiet_ns);
}

void shl_host_poll(shl_host *host)
{
    if (host->linked) {
        poll_link(host);
        if (host->linked)
            flush(host);
        if (host->plugin.running)
            shl_host_plugin_poll(host);
        shl_requester_pump(&host->requester, host->linked && host->announced,
                           shl_clock_ns());
        return;
    }
    uint64_t between_ns = host->plugin.wanted ? START_NS : LOOK_NS;
    if (!host->wanted[0] || shl_clock_ns() - host->looked_ns < between_ns)
        return;
    shl_status st = try_link(host);
    if (st)
        refuse(host, st);
    else
        hear_answer(host);
}

/* ---- its parts ------------------------------------------------------------ */

struct shl_requester *shl_host_requester(struct shl_host *host)
{
    return &host->requester;
}

const struct shl_requester *
shl_host_requester_const(const struct shl_host *host)
{
    return &host->requester;
}
