/* SPDX-License-Identifier: MIT */
/* What becomes of a link of [shmlink~], told on its outlet and on the console. */
#include "pd/host/shmlink.h"

#include <string.h>

#define STALLS_SAID_MS 60000 /* between lines that count stalls */

static void tell_latency(t_shmlink *x)
{
    x->x_told.latency = shl_host_latency(x->x_host);
    replies_number(&x->x_say, "latency", x->x_told.latency);
}

/* What of a link may change while it lasts. */
static struct shmlink_told tell_of(const t_shmlink *x,
                                   const struct shl_device_info *info)
{
    return (struct shmlink_told){.in_channels = info->in_channels,
                                 .out_channels = info->out_channels,
                                 .rate_hz = info->rate_hz,
                                 .block = shl_host_block(x->x_host),
                                 .link_latency =
                                     shl_host_link_latency(x->x_host),
                                 .drive = shl_host_drive(x->x_host),
                                 .latency = x->x_told.latency};
}

static void tell_link(t_shmlink *x, const struct shl_device_info *info)
{
    struct shmlink_told now = tell_of(x, info);
    t_atom atoms[9];

    x->x_told = now;
    SETSYMBOL(&atoms[0], atoms_name(info->id));
    atoms_set_number(&atoms[1], now.in_channels);
    atoms_set_number(&atoms[2], now.out_channels);
    atoms_set_number(&atoms[3], now.rate_hz);
    atoms_set_number(&atoms[4], now.block);
    atoms_set_number(&atoms[5], now.link_latency);
    atoms_set_text(&atoms[6], shl_drive_name(now.drive));
    atoms_set_number(&atoms[7], (info->capabilities & SHL_CAP_EDITOR) != 0);
    atoms_set_text(&atoms[8], shl_mode_name(info->mode));
    replies_send(&x->x_say, "link", 9, atoms);
}

static int same_link(const struct shmlink_told *a, const struct shmlink_told *b)
{
    return a->in_channels == b->in_channels &&
           a->out_channels == b->out_channels &&
           !(a->rate_hz < b->rate_hz || a->rate_hz > b->rate_hz) &&
           a->block == b->block && a->link_latency == b->link_latency &&
           a->drive == b->drive;
}

void notices_changed(t_shmlink *x)
{
    struct shl_device_info info;
    struct shmlink_told now;

    if (!x->x_open || shl_host_linked(x->x_host) != 2 ||
        shl_host_get_device(x->x_host, &info))
        return;
    now = tell_of(x, &info);
    if (!same_link(&now, &x->x_told))
        tell_link(x, &info);
    if (x->x_open && shl_host_linked(x->x_host) == 2 &&
        shl_host_latency(x->x_host) != x->x_told.latency)
        tell_latency(x);
}

/* Whether the link that is told of is still there: what is told may lead back
 * to us, and an open or close ends it. */
static int holds(const t_shmlink *x, uint32_t wish)
{
    return x->x_open && x->x_wish == wish;
}

static void tell_open(t_shmlink *x, const struct shl_device_info *info,
                      uint32_t wish)
{
    t_atom atoms[2];

    atoms_set_number(&atoms[0], 1);
    SETSYMBOL(&atoms[1], atoms_name(x->x_say.name));
    replies_send(&x->x_say, "open", 2, atoms);
    if (holds(x, wish))
        tell_link(x, info);
    if (holds(x, wish))
        tell_latency(x);
}

void notices_open(t_shmlink *x)
{
    struct shl_device_info info;
    char name[sizeof x->x_say.name];
    int left = x->x_requested ? x->x_requested : 1;
    uint32_t wish = x->x_wish;

    if (shl_host_get_device(x->x_host, &info))
        return; /* and gone again, which is told next */
    memcpy(name, x->x_say.name, sizeof name);
    x->x_due = 0;
    x->x_requested = 0;
    x->x_open = 1;
    x->x_refusals = 0;
    x->x_status = SHL_OK;
    replies_forget_link(&x->x_say);
    for (; left > 0 && holds(x, wish); left--)
        tell_open(x, &info, wish);
    if (x->x_wish != wish)
        notices_overtaken(x, name, left);
    else if (left > 0)
        notices_closed(x, name, left, SHL_GONE, "it has left at once");
    waiting_release(x);
}

void notices_closed(t_shmlink *x, const char *name, int requested,
                    shl_status status, const char *text)
{
    int left = requested;
    t_atom atoms[3];

    do {
        atoms_set_number(&atoms[0], 0);
        SETSYMBOL(&atoms[1], atoms_name_or_dash(name));
        atoms_set_text(&atoms[2], shl_status_word(status));
        replies_send(&x->x_say, "open", 3, atoms);
        if (requested)
            replies_error_quiet(&x->x_say, gensym("open"), status, text);
    } while (--left > 0);
}

void notices_overtaken(t_shmlink *x, const char *name, int requested)
{
    if (requested > 0)
        notices_closed(x, name, requested, SHL_AGAIN,
                       "it was given up before it could be there");
}

int notices_told(const t_shmlink *x, const char *text)
{
    return replies_said(&x->x_say, gensym(text), REPLIES_LINK);
}

void notices_refused(t_shmlink *x)
{
    char text[400], name[sizeof x->x_say.name];
    int requested = x->x_requested;
    uint64_t reason = UINT64_C(1) << x->x_status % 64;
    int again = (x->x_refusals & reason) != 0;

    x->x_due = 0;
    x->x_requested = 0;
    x->x_refusals |= reason;
    if (again && !requested)
        return; /* nobody has asked, and it was told */
    memcpy(name, x->x_say.name, sizeof name);
    link_why(x, text, sizeof text);
    if (notices_told(x, text))
        ;
    else if (x->x_status == SHL_NOT_FOUND && !x->x_batch)
        replies_note(&x->x_say, "%s", text);
    else
        replies_complain(&x->x_say, "%s", text);
    notices_closed(x, name, requested, x->x_status, text);
    waiting_release(x);
    if (x->x_batch && x->x_flags.must)
        pd_vmess(gensym("pd")->s_thing, gensym("quit"), "f", 1.0);
}

void notices_forget(t_shmlink *x)
{
    x->x_open = 0;
    x->x_refusals = 0;
    x->x_unsent += schedule_clear(&x->x_out);
    x->x_programs = x->x_presets = -1;
    voice_forget_link(&x->x_voice);
    replies_forget_link(&x->x_say);
}

static void tell_gone(t_shmlink *x, const struct shl_notice *notice)
{
    t_atom atom;

    notices_forget(x);
    replies_note(&x->x_say,
                 "the device %s has left%s%s%s: it is linked again when it "
                 "returns",
                 notice->id, notice->reason[0] ? " (" : "", notice->reason,
                 notice->reason[0] ? ")" : "");
    SETSYMBOL(&atom, atoms_name(notice->id));
    replies_send(&x->x_say, "gone", 1, &atom);
}

/* A program that we started has ended unasked: by a signal (its number), or with
 * an exit code, which may be 0. */
static void tell_crash(t_shmlink *x, const struct shl_notice *notice)
{
    uint32_t signal = notice->detail[1], wish;
    char text[400];
    t_atom atoms[2];

    notices_forget(x);
    link_why(x, text, sizeof text);
    if (replies_once(&x->x_say, gensym(text), REPLIES_LINK))
        replies_complain(&x->x_say, "%s", text);
    atoms_set_number(&atoms[0], notice->detail[0]);
    atoms_set_number(&atoms[1], signal ? signal : notice->detail[2]);
    x->x_shut = notice->value != 0;
    wish = x->x_wish;
    replies_send(&x->x_say, "crash", 2, atoms);
    if (x->x_shut && x->x_flags.again && x->x_wish == wish)
        replies_error_quiet(&x->x_say, gensym("open"), SHL_GONE, text);
    if (x->x_shut && x->x_wish == wish)
        replies_bare(&x->x_say, "close"); /* as patches expect */
}

/* Once on the console, with what helps; the outlet counts. */
static void tell_starting(t_shmlink *x, const struct shl_notice *notice)
{
    t_atom atoms[2];

    if (replies_once(&x->x_say, gensym("starting"), REPLIES_LINK))
        replies_note(&x->x_say,
                     "process %u is starting for %u seconds and has %u: some "
                     "programs read all LV2 bundles first: set LV2_PATH to a "
                     "folder with this one alone, or use -patience %u",
                     (unsigned)notice->detail[0], (unsigned)notice->value,
                     (unsigned)notice->detail[1],
                     (unsigned)notice->detail[1] * 6);
    atoms_set_number(&atoms[0], (double)notice->value);
    atoms_set_number(&atoms[1], notice->detail[1]);
    replies_send(&x->x_say, "starting", 2, atoms);
}

static void tell_misfit(t_shmlink *x, const struct shl_notice *notice)
{
    char text[400];

    link_why(x, text, sizeof text);
    replies_error(&x->x_say, gensym("-protocol"), notice->status, "%s", text);
}

static void tell_ports(t_shmlink *x, const struct shl_notice *notice)
{
    t_atom atoms[4];

    for (int i = 0; i < 4; i++)
        atoms_set_number(&atoms[i], notice->detail[i]);
    replies_send(&x->x_say, "ports", 4, atoms);
}

/* Once: which latency would have done. Then there are counts alone. */
static void tell_short(t_shmlink *x, uint32_t wanted)
{
    if (wanted &&
        replies_once(&x->x_say, gensym("latency too short"), REPLIES_LINK))
        replies_note(&x->x_say,
                     "the latency of %u frames each way is too short for how "
                     "the blocks of both sides come: type -latency %u in this "
                     "box, or leave -latency out",
                     (unsigned)x->x_flags.latency_frames, (unsigned)wanted);
}

/* Once on the console, then how often now and then: the outlet tells each. */
static void note_stall(t_shmlink *x)
{
    const char *advice = "use -t or a longer deadline (-d ms)";

    if (x->x_stalls++ == 0)
        replies_note(&x->x_say, "the device does not keep up: %s", advice);
    else if (clock_gettimesince(x->x_stall_said) < STALLS_SAID_MS)
        return;
    else
        replies_note(&x->x_say, "the device did not keep up %u more times: %s",
                     (unsigned)(x->x_stalls - x->x_stalls_said), advice);
    x->x_stalls_said = x->x_stalls;
    x->x_stall_said = clock_getlogicaltime();
}

void notices_tell(t_shmlink *x, const struct shl_notice *notice)
{
    switch (notice->kind) {
    case SHL_NOTICE_OPEN:
        notices_open(x);
        break;
    case SHL_NOTICE_REFUSED:
        if (x->x_open)
            notices_forget(x);
        x->x_status = notice->status;
        x->x_due = 1;
        break;
    case SHL_NOTICE_GONE:
        tell_gone(x, notice);
        break;
    case SHL_NOTICE_STALLED:
        note_stall(x);
        replies_number(&x->x_say, "stalled", (double)notice->value);
        break;
    case SHL_NOTICE_RESUMED:
        replies_number(&x->x_say, "resumed", (double)notice->value);
        break;
    case SHL_NOTICE_XRUN:
        tell_short(x, notice->detail[0]);
        replies_number(&x->x_say, "xrun", (double)notice->value);
        break;
    case SHL_NOTICE_LATENCY:
        notices_changed(x);
        break;
    case SHL_NOTICE_CRASH:
        tell_crash(x, notice);
        break;
    case SHL_NOTICE_STARTING:
        tell_starting(x, notice);
        break;
    case SHL_NOTICE_MISFIT:
        tell_misfit(x, notice);
        break;
    case SHL_NOTICE_DIRTY:
        replies_number(&x->x_say, "dirty", 1);
        break;
    case SHL_NOTICE_PORTS:
        tell_ports(x, notice);
        break;
    }
}
