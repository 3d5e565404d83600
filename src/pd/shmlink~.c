/* SPDX-License-Identifier: MIT */
/* [shmlink~]: the host end of a link, as an object. This file makes it, runs
 * its audio and its two clocks, and ends it; what its messages do is in the
 * files that shmlink.h lists.
 *
 * One clock polls: it links, tells what has happened, and plays what waits
 * while nobody performs. The other delivers what the device sent, at its
 * time. Perform only copies, computes, and moves events between queues. */
#include "pd/cords.h"
#include "pd/host/shmlink.h"
#include "pd/patch/patch.h"
#include "pd/remains.h"
#include "pd/saved.h"
#include "pd/slack.h"

#include <stdio.h>
#include <string.h>

#define POLL_BUSY_MS 1 /* while an answer is waited for */
#define POLL_SOON_MS 5
#define POLL_MS      50
#define ECHO_MS      100 /* idle: how long an answer is looked for often */
#define TICK_FRAMES  64

static t_class *shmlink_class;

/* ---- audio --------------------------------------------------------------- */

static void send_one(t_shmlink *x, const struct shl_event *event,
                     uint32_t offset)
{
    shl_status status = event->kind == SCHEDULE_PANIC
                            ? shl_host_panic(x->x_host)
                            : shl_host_send(x->x_host, event, offset);

    if (status) {
        x->x_refused++;
        x->x_refusal = status;
    }
}

/* Changes of the transport up to a logical time: before the notes of the same
 * sample, so that those have it. */
static void change_due(t_shmlink *x, uint32_t base, uint32_t frames,
                       const struct schedule_entry *until)
{
    const double *time;

    while ((time = transport_first(x)) && (!until || *time <= until->time)) {
        uint32_t offset = schedule_offset(&x->x_block, *time);
        if (offset >= base + frames)
            return;
        transport_play(x, offset > base ? offset - base : 0);
    }
}

/* Events whose time lies before the block's end, which is `frames` after `base`;
 * they keep waiting while a claim is not answered. */
static void send_due(t_shmlink *x, uint32_t base, uint32_t frames)
{
    const struct schedule_entry *entry;
    int linked = shl_host_linked(x->x_host);

    if (linked == 0)
        x->x_unsent += schedule_clear(&x->x_out);
    while (linked == 2 && (entry = schedule_first(&x->x_out))) {
        uint32_t offset = schedule_offset(&x->x_block, entry->time);
        if (offset >= base + frames)
            break;
        change_due(x, base, frames, entry);
        send_one(x, &entry->event, offset > base ? offset - base : 0);
        schedule_pop(&x->x_out);
    }
    change_due(x, base, frames, NULL);
}

static void collect(t_shmlink *x, uint32_t base)
{
    struct shl_event event;
    uint32_t offset;

    while (shl_host_event(x->x_host, &event, &offset))
        schedule_push(&x->x_in, schedule_due(&x->x_block, base + offset),
                      &event);
}

#if PD_FLOATSIZE == 32

/* Pd's samples are the core's: it reads and writes the vectors themselves, and
 * copies what may be overwritten. */
static void planes_in(t_shmlink *x, uint32_t base, uint32_t frames)
{
    int i;
    (void)frames;

    for (i = 0; i < x->x_inlets + x->x_outlets; i++)
        x->x_planes[i] = x->x_vectors[i] + base;
}

static void planes_out(t_shmlink *x, uint32_t base, uint32_t frames)
{
    (void)x;
    (void)base;
    (void)frames;
}

#else

static void planes_in(t_shmlink *x, uint32_t base, uint32_t frames)
{
    uint32_t i;
    int c;

    for (c = 0; c < x->x_inlets; c++) {
        for (i = 0; i < frames; i++)
            x->x_planes[c][i] = (float)x->x_vectors[c][base + i];
    }
}

static void planes_out(t_shmlink *x, uint32_t base, uint32_t frames)
{
    uint32_t i;
    int c;

    for (c = x->x_inlets; c < x->x_inlets + x->x_outlets; c++) {
        for (i = 0; i < frames; i++)
            x->x_vectors[c][base + i] = (t_sample)x->x_planes[c][i];
    }
}

#endif

static void play(t_shmlink *x, uint32_t base, uint32_t frames)
{
    const float *in[2 * SHL_MAX_CHANNELS];
    int c;

    planes_in(x, base, frames);
    for (c = 0; c < x->x_inlets; c++)
        in[c] = x->x_planes[c];
    send_due(x, base, frames);
    schedule_clock_set(schedule_start(&x->x_block, base));
    shl_host_process(x->x_host, in, x->x_planes + x->x_inlets, frames);
    collect(x, base);
    planes_out(x, base, frames);
}

static t_int *shmlink_perform(t_int *w)
{
    t_shmlink *x = (t_shmlink *)w[1];
    uint32_t frames = (uint32_t)w[2], base;
    const struct schedule_entry *first;

    shl_rt(1);
    schedule_enter(&x->x_block, frames, x->x_rate_hz, x->x_tick_frames);
    x->x_performed = x->x_block.tick;
    slack_tick(x->x_performed);
    for (base = 0; base < frames; base += SHL_MAX_FRAMES) {
        uint32_t rest = frames - base;
        play(x, base, rest < SHL_MAX_FRAMES ? rest : SHL_MAX_FRAMES);
    }
    first = schedule_first(&x->x_in);
    if (first)
        clock_set(x->x_deliver, first->time);
    shl_rt(0);
    return w + 3;
}

/* Without a host, which only a failing board leaves us without. */
static t_int *shmlink_perform_silence(t_int *w)
{
    t_shmlink *x = (t_shmlink *)w[1];
    size_t size = (size_t)w[2] * sizeof(t_sample);
    int c;

    for (c = x->x_inlets; c < x->x_inlets + x->x_outlets; c++)
        memset(x->x_vectors[c], 0, size);
    return w + 3;
}

/* In double precision the core needs floats of its own. */
static int make_planes(t_shmlink *x, uint32_t frames)
{
    size_t channels = (size_t)x->x_inlets + (size_t)x->x_outlets, c;
    size_t chunk = frames < SHL_MAX_FRAMES ? frames : SHL_MAX_FRAMES;
    size_t size = channels * chunk * sizeof(float);

    if (PD_FLOATSIZE == 32 || size == 0)
        return 1;
    if (size != x->x_samples_size) {
        freebytes(x->x_samples, x->x_samples_size);
        x->x_samples = getbytes(size);
        x->x_samples_size = x->x_samples ? size : 0;
    }
    for (c = 0; c < channels && x->x_samples; c++)
        x->x_planes[c] = x->x_samples + c * chunk;
    return x->x_samples != NULL;
}

static void shmlink_dsp(t_shmlink *x, t_signal **sp)
{
    uint32_t frames = (uint32_t)sp[0]->s_n;
    double rate_hz = (double)sp[0]->s_sr;
    int changed = !x->x_rate_known || frames != x->x_frames ||
                  rate_hz > x->x_rate_hz || rate_hz < x->x_rate_hz;
    int i, skipped = x->x_inlets ? 0 : 1; /* the left inlet is always there */

    cords_check(&x->x_say, sp + skipped, x->x_inlets);
    cords_make(sp + skipped + x->x_inlets, x->x_outlets);
    for (i = 0; i < x->x_inlets + x->x_outlets; i++)
        x->x_vectors[i] = sp[i + skipped]->s_vec;
    if (!x->x_host || !make_planes(x, frames)) {
        dsp_add(shmlink_perform_silence, 2, x, (t_int)frames);
        return;
    }
    x->x_performed = clock_getlogicaltime();
    slack_setup(TICK_FRAMES * 1000.0 / (double)sys_getsr());
    if (changed) {
        x->x_rate_known = 1;
        x->x_rate_hz = rate_hz;
        x->x_frames = frames;
        x->x_tick_frames =
            (uint32_t)(TICK_FRAMES * rate_hz / (double)sys_getsr() + 0.5);
        memset(&x->x_block, 0, sizeof x->x_block);
        connection_setup(x);
    }
    dsp_add(shmlink_perform, 2, x, (t_int)frames);
}

/* ---- clocks -------------------------------------------------------------- */

/* What perform would have done, in a block of no frames. */
static void play_idle(t_shmlink *x)
{
    struct shl_event event;
    uint32_t offset;

    while (transport_first(x))
        transport_play(x, 0);
    if (shl_host_linked(x->x_host) == 2) {
        const struct schedule_entry *entry;
        while ((entry = schedule_first(&x->x_out))) {
            send_one(x, &entry->event, 0);
            schedule_pop(&x->x_out);
            x->x_idle_sent = clock_getlogicaltime();
        }
    }
    if (x->x_requests.first)
        shl_host_flush(x->x_host); /* they wait for what was sent before */
    connection_poll(x);
    while (shl_host_event(x->x_host, &event, &offset))
        schedule_push(&x->x_in, clock_getlogicaltime(), &event);
    if (schedule_count(&x->x_in))
        clock_set(x->x_deliver, schedule_first(&x->x_in)->time);
}

static void tell_refused_events(t_shmlink *x)
{
    uint64_t count = x->x_refused - x->x_refused_told;

    if (!count)
        return;
    x->x_refused_told = x->x_refused;
    replies_error(&x->x_say, gensym("event"), x->x_refusal,
                  "events that could not be sent: %s: %s",
                  shl_places((double)count, 0).text,
                  shl_status_text(x->x_refusal));
}

static void shmlink_poll(t_shmlink *x)
{
    int idle = link_idle(x), soon;

    if (x->x_ended)
        return;
    x->x_loaded = 1;
    if (!connection_start(x))
        return;
    if (!x->x_host) {
        connection_answer(x);
        connection_retry(x);
        requests_run(x);
        if (x->x_say.name[0])
            clock_delay(x->x_poll, POLL_MS);
        return;
    }
    if (idle)
        play_idle(x);
    else
        connection_poll(x);
    connection_answer(x);
    taps_tell(x);
    device_messages_tell(x);
    requests_run(x);
    tell_refused_events(x);
    if (!x->x_host || !x->x_say.name[0])
        return;
    soon = x->x_due || x->x_taps_asked || shl_host_linked(x->x_host) == 1 ||
           (idle && (schedule_count(&x->x_out) ||
                     clock_gettimesince(x->x_idle_sent) < ECHO_MS));
    clock_delay(x->x_poll,
                connection_poll_within(x, requests_busy(x) ? POLL_BUSY_MS
                                          : soon           ? POLL_SOON_MS
                                                           : POLL_MS));
}

/* A message that comes out may lead back to us, so each event leaves the queue
 * before it is told. */
static void shmlink_deliver(t_shmlink *x)
{
    const struct schedule_entry *first;
    double now = clock_getlogicaltime();

    while ((first = schedule_first(&x->x_in)) && first->time <= now) {
        struct shl_event event = first->event;
        schedule_pop(&x->x_in);
        if (x->x_host)
            device_events_tell(x, &event);
    }
    if (first)
        clock_set(x->x_deliver, first->time);
}

/* ---- life ---------------------------------------------------------------- */

static int is_batch(const t_shmlink *x)
{
    const int *batch = shl_symbol("sys_batch");

    if (x->x_flags.render)
        return 1;
    return batch ? *batch : shl_command_line_has("-batch");
}

static int make_ports(t_shmlink *x)
{
    size_t both = (size_t)x->x_inlets + (size_t)x->x_outlets;
    int i;

    for (i = 1; i < x->x_inlets; i++)
        inlet_new(&x->x_obj, &x->x_obj.ob_pd, &s_signal, &s_signal);
    for (i = 0; i < x->x_outlets; i++)
        outlet_new(&x->x_obj, &s_signal);
    replies_outlet(&x->x_say, x->x_outlets);
    x->x_vectors = getbytes((both + 1) * sizeof *x->x_vectors);
    x->x_planes = getbytes((both + 1) * sizeof *x->x_planes);
    return x->x_vectors && x->x_planes;
}

static void check_box_device(t_shmlink *x)
{
    struct shl_why why;
    char name[SHL_ID_SIZE];
    int32_t number;

    if (strcmp(x->x_flags.device, "*") == 0 || !x->x_flags.device[0] ||
        flags_is_plugin(x->x_flags.device) ||
        shl_id_check(x->x_flags.device, name, &number, &why) == SHL_OK)
        return;
    replies_complain(&x->x_say, "%s", why.text);
    x->x_flags.device[0] = '\0';
}

/* When none of its methods is running any more. */
static void end(void *object)
{
    t_shmlink *x = object;
    size_t both = (size_t)x->x_inlets + (size_t)x->x_outlets;

    if (x->x_poll)
        clock_free(x->x_poll);
    if (x->x_deliver)
        clock_free(x->x_deliver);
    waiting_free(x);
    requests_free(x);
    shl_host_free(x->x_host);
    taps_free(x);
    device_messages_forget(x);
    freebytes(x->x_samples, x->x_samples_size);
    freebytes(x->x_vectors, (both + 1) * sizeof *x->x_vectors);
    freebytes(x->x_planes, (both + 1) * sizeof *x->x_planes);
}

static void shmlink_free(t_shmlink *x)
{
    saved_free(x->x_saved);
    x->x_saved = NULL;
    presets_discharge(x);
    replies_end(&x->x_say);
    x->x_ended = 1;
    x->x_say.name[0] = '\0'; /* nothing is wished for any more */
    if (x->x_host)
        shl_host_close(x->x_host);
    remains_leave(x, sizeof *x, end);
}

static void *shmlink_new(t_symbol *s, int argc, t_atom *argv)
{
    t_shmlink *x;
    (void)s;

    if (patch_wanted(argc, argv))
        return patch_new(argc, argv);
    x = remains_new(shmlink_class, sizeof *x);
    if (!x)
        return NULL;
    replies_init(&x->x_say, &x->x_obj, "shmlink~");
    x->x_voice.ways = &voice_host_ways;
    x->x_programs = x->x_presets = -1;
    x->x_canvas = canvas_getcurrent();
    presets_enlist(x);
    flags_init(&x->x_flags);
    flags_read(&x->x_flags, &x->x_say, argc, argv);
    check_box_device(x);
    x->x_box_device = x->x_flags.device[0] != '\0';
    x->x_box_tag = x->x_flags.tag[0] != '\0';
    x->x_zeros = flags_dollar_zeros();
    x->x_batch = is_batch(x);
    x->x_inlets = (int)x->x_flags.in_channels;
    x->x_outlets = (int)x->x_flags.out_channels;
    x->x_rate_hz = (double)sys_getsr();
    x->x_frames = x->x_tick_frames = TICK_FRAMES;
    x->x_play_idle = play_idle;
    x->x_poll = clock_new(x, (t_method)shmlink_poll);
    x->x_deliver = clock_new(x, (t_method)shmlink_deliver);
    if (!make_ports(x)) {
        pd_free(&x->x_obj.ob_pd);
        return NULL;
    }
    x->x_saved = saved_new(&x->x_obj.ob_pd, wishes_saved);
    snprintf(x->x_say.name, sizeof x->x_say.name, "%s", x->x_flags.device);
    connection_open(x);
    clock_delay(x->x_poll, 0);
    return x;
}

static void shmlink_loadbang(t_shmlink *x, t_floatarg action)
{
    if (action > 0 || x->x_loaded)
        return;
    x->x_loaded = 1;
    connection_answer(x);
    requests_run(x);
}

static void shmlink_save(t_gobj *z, t_binbuf *b)
{
    t_shmlink *x = (t_shmlink *)z;

    binbuf_addv(b, "ssii", gensym("#X"), gensym("obj"), (int)x->x_obj.te_xpix,
                (int)x->x_obj.te_ypix);
    binbuf_addbinbuf(b, x->x_obj.te_binbuf);
    binbuf_addsemi(b);
    obj_saveformat(&x->x_obj, b);
    if (saved_is_shared(x->x_saved))
        return;
    if (!x->x_box_tag)
        saved_line(b, "tag", x->x_saved_tag);
    if (!x->x_box_device)
        saved_line(b, "open", x->x_saved_device);
}

SHL_EXPORT
void shmlink_tilde_setup(void);

void shmlink_tilde_setup(void)
{
    t_class *c = class_new(gensym("shmlink~"), (t_newmethod)shmlink_new,
                           (t_method)shmlink_free, 0, /* see remains.h */
                           CLASS_DEFAULT | cords_flag(), A_GIMME, 0);

    shmlink_class = c;
    CLASS_MAINSIGNALIN(c, t_shmlink, x_f);
    class_addmethod(c, (t_method)shmlink_dsp, gensym("dsp"), A_CANT, 0);
    class_addmethod(c, (t_method)shmlink_loadbang, gensym("loadbang"),
                    A_DEFFLOAT, 0);
    class_setsavefn(c, shmlink_save);
    wishes_methods(c);
    voice_host_methods(c);
    notes_methods(c, waiting_add);
    params_methods(c);
    transport_methods(c);
    facts_methods(c);
    taps_methods(c);
    programs_methods(c);
    states_methods(c);
    presets_methods(c);
    ping_methods(c);
    plugins_methods(c);
    patch_setup();
    logpost(NULL, PD_DEBUG, "shmlink~ %d.%d.%d", SHL_VERSION_MAJOR,
            SHL_VERSION_MINOR, SHL_VERSION_PATCH);
}
