/* SPDX-License-Identifier: MIT */
/* A block through a CLAP plugin: events there, sound, events back. */
#include "plug/clap/clap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

shl_status clap_process_init(struct clap *clap)
{
    clap->events = calloc(CLAP_MAX_EVENTS, sizeof(*clap->events));
    clap->arena = malloc(CLAP_ARENA);
    for (uint32_t i = 0; i < SHL_MAX_MIDI_PORTS; i++) {
        clap->sysex[i].bytes = malloc(CLAP_SYSEX);
        if (!clap->sysex[i].bytes)
            return SHL_NO_MEMORY;
    }
    return clap->events && clap->arena ? SHL_OK : SHL_NO_MEMORY;
}

void clap_process_free(struct clap *clap)
{
    for (uint32_t i = 0; i < SHL_MAX_MIDI_PORTS; i++)
        free(clap->sysex[i].bytes);
    free(clap->events);
    free(clap->arena);
}

/* ---- there -------------------------------------------------------------------------- */

static void lose(struct clap *clap)
{
    atomic_fetch_add_explicit(&clap->lost, 1, memory_order_relaxed);
}

/* A place for an event of this size; NULL: there is none, which is counted. */
static void *add(struct clap *clap, uint32_t time, uint16_t type, size_t size)
{
    union clap_any_event *any;

    if (clap->event_count == CLAP_MAX_EVENTS) {
        lose(clap);
        return NULL;
    }
    any = &clap->events[clap->event_count++];
    memset(any, 0, sizeof(*any));
    any->event =
        (struct clap_event){.size = (uint32_t)size, .time = time, .type = type};
    return any;
}

static void add_note(struct clap *clap, uint32_t time, uint16_t type,
                     const struct shl_voice_message *message, int key)
{
    struct clap_note_event *note = add(clap, time, type, sizeof(*note));

    if (!note)
        return;
    note->note_id = -1;
    note->port = message->port;
    note->channel = message->channel;
    note->key = (int16_t)key;
    note->velocity = message->value;
}

static void add_expression(struct clap *clap, uint32_t time,
                           enum clap_expression what,
                           const struct shl_voice_message *message, int key,
                           double value)
{
    struct clap_expression_event *expression =
        add(clap, time, CLAP_NOTE_EXPRESSION, sizeof(*expression));

    if (!expression)
        return;
    expression->expression = (int32_t)what;
    expression->note_id = -1;
    expression->port = message->port;
    expression->channel = message->channel;
    expression->key = (int16_t)key;
    expression->value = value;
}

static void add_midi(struct clap *clap, uint32_t time, const uint32_t *ump)
{
    uint8_t bytes[3] = {0, 0, 0};
    struct clap_midi_event *midi;

    if (!shl_ump_to_midi(ump, bytes))
        return;
    midi = add(clap, time, CLAP_MIDI, sizeof(*midi));
    if (!midi)
        return;
    midi->port = (uint16_t)(ump[0] >> 24 & 15);
    memcpy(midi->bytes, bytes, sizeof(bytes));
}

/* Controllers in terms of notes, for a port that knows nothing else. */
static void add_controller(struct clap *clap, uint32_t time,
                           const struct shl_voice_message *message)
{
    static const struct {
        uint8_t number;
        uint8_t what;
    } known[] = {{1, CLAP_VIBRATO},
                 {7, CLAP_VOLUME},
                 {10, CLAP_PAN},
                 {11, CLAP_EXPRESSION},
                 {74, CLAP_BRIGHTNESS}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].number == message->key)
            add_expression(clap, time, known[i].what, message, -1,
                           message->value);
    if (message->key == 120)
        add_note(clap, time, CLAP_NOTE_CHOKE, message, -1);
    if (message->key == 123)
        add_note(clap, time, CLAP_NOTE_OFF, message, -1);
}

/* One voice message as note events and expressions. */
static void add_voice(struct clap *clap, uint32_t time,
                      const struct shl_voice_message *message)
{
    const double bend_semitones = 2;

    switch (message->status & 0xF0) {
    case 0x90:
        add_note(clap, time, CLAP_NOTE_ON, message, message->key);
        if (fabs(message->pitch - message->key) > 1e-6)
            add_expression(clap, time, CLAP_TUNING, message, message->key,
                           message->pitch - message->key);
        break;
    case 0x80:
        add_note(clap, time, CLAP_NOTE_OFF, message, message->key);
        break;
    case 0xA0:
        add_expression(clap, time, CLAP_PRESSURE, message, message->key,
                       message->value);
        break;
    case 0xB0:
        add_controller(clap, time, message);
        break;
    case 0xD0:
        add_expression(clap, time, CLAP_PRESSURE, message, -1, message->value);
        break;
    case 0xE0:
        add_expression(clap, time, CLAP_TUNING, message, -1,
                       message->value * bend_semitones);
        break;
    default:
        break;
    }
}

/* A whole SysEx: its bytes stay in the arena until the block has been played. */
static void add_whole(struct clap *clap, uint32_t time, uint32_t port,
                      const struct clap_sysex *sysex)
{
    uint8_t *bytes = clap->arena + clap->arena_size;
    struct clap_sysex_event *event;

    if (clap->arena_size + sysex->size > CLAP_ARENA) {
        lose(clap);
        return;
    }
    event = add(clap, time, CLAP_MIDI_SYSEX, sizeof(*event));
    if (!event)
        return;
    memcpy(bytes, sysex->bytes, sysex->size);
    clap->arena_size += sysex->size;
    event->port = (uint16_t)port;
    event->bytes = bytes;
    event->size = sysex->size;
}

/* Packets are put together: a plugin gets each SysEx in one piece. */
static void add_sysex(struct clap *clap, uint32_t time, uint32_t port,
                      const uint32_t *ump)
{
    struct clap_sysex *sysex = &clap->sysex[port];
    uint32_t count = 0;
    int first = 0, last = 0;
    uint8_t bytes[6];

    if (shl_sysex7_bytes(ump, bytes, &count, &first, &last))
        return;
    if (first) {
        sysex->bytes[0] = 0xF0;
        sysex->size = 1;
    }
    if (sysex->size == 0)
        return; /* its beginning was not heard */
    if (sysex->size + count + 1 > CLAP_SYSEX) {
        sysex->size = 0;
        lose(clap);
        return;
    }
    memcpy(sysex->bytes + sysex->size, bytes, count);
    sysex->size += count;
    if (!last)
        return;
    sysex->bytes[sysex->size++] = 0xF7;
    add_whole(clap, time, port, sysex);
    sysex->size = 0;
}

static void add_ump(struct clap *clap, uint32_t time, const uint32_t *ump)
{
    const uint32_t type = ump[0] >> 28, port = ump[0] >> 24 & 15;
    struct shl_voice_message message;
    uint32_t dialects, preferred;

    if (port >= clap->midi_in)
        return;
    dialects = clap->note_in[port].dialects;
    preferred = clap->note_in[port].preferred;
    if (type == 3) {
        add_sysex(clap, time, port, ump);
        return;
    }
    if (type == 4 && dialects & CLAP_DIALECT_MIDI2) {
        struct clap_midi2_event *event =
            add(clap, time, CLAP_MIDI2, sizeof(*event));

        if (event) {
            event->port = (uint16_t)port;
            memcpy(event->words, ump, 2 * sizeof(*ump));
        }
        return;
    }
    if (shl_ump_read(ump, &message)) {
        if (dialects & CLAP_DIALECT_MIDI)
            add_midi(clap, time, ump);
        return;
    }
    const int is_note = (message.status & 0xE0) == 0x80;
    const int by_midi = dialects & CLAP_DIALECT_MIDI &&
                        !(is_note && preferred == CLAP_DIALECT_CLAP &&
                          dialects & CLAP_DIALECT_CLAP);

    if (by_midi)
        add_midi(clap, time, ump);
    else if (dialects & CLAP_DIALECT_CLAP)
        add_voice(clap, time, &message);
}

static struct clap_param_event param_event(const struct shl_event *event,
                                           const struct clap_param_state *param)
{
    return (struct clap_param_event){
        .event = {.size = sizeof(struct clap_param_event),
                  .time = (uint32_t)event->frame,
                  .type = event->kind == SHL_EVENT_PARAM ? CLAP_PARAM_VALUE
                                                         : CLAP_PARAM_MOD},
        .param = param->info.id,
        .cookie = param->info.cookie,
        .note_id = -1,
        .port = -1,
        .channel = -1,
        .key = -1,
        .value = shl_event_value(event)};
}

static double clipped(const struct clap_param_state *param, double value)
{
    if (!(value > param->info.minimum))
        return param->info.minimum;
    return value < param->info.maximum ? value : param->info.maximum;
}

static void add_param(struct clap *clap, const struct shl_event *event)
{
    struct clap_param_state *param = clap_param_find(clap, shl_event_id(event));
    struct clap_param_event *place;
    struct clap_param_event filled;

    if (!param || param->info.flags & CLAP_PARAM_READ_ONLY ||
        (event->kind == SHL_EVENT_PARAM_MOD &&
         !(param->info.flags & CLAP_PARAM_MODULATABLE)))
        return;
    filled = param_event(event, param);
    if (event->kind == SHL_EVENT_PARAM) {
        filled.value = clipped(param, filled.value);
        clap_value_set(param, filled.value);
    }
    place = add(clap, filled.event.time, filled.event.type, sizeof(filled));
    if (place)
        *place = filled;
}

static void add_event(struct clap *clap, const struct shl_event *event)
{
    if (event->kind == SHL_EVENT_UMP)
        add_ump(clap, (uint32_t)event->frame, event->data);
    else if (event->kind == SHL_EVENT_PARAM ||
             event->kind == SHL_EVENT_PARAM_MOD)
        add_param(clap, event);
}

static uint32_t in_count(const struct clap_events_in *list)
{
    return ((const struct clap *)list->owner)->event_count;
}

static const struct clap_event *in_at(const struct clap_events_in *list,
                                      uint32_t index)
{
    const struct clap *clap = list->owner;

    return index < clap->event_count ? &clap->events[index].event : NULL;
}

/* ---- back --------------------------------------------------------------------------- */

static bool say(struct clap *clap, const struct shl_event *event)
{
    return clap->block && clap->block->send(clap->block->to, event);
}

static bool say_note(struct clap *clap, const struct clap_note_event *note)
{
    const int on = note->event.type == CLAP_NOTE_ON;
    double velocity = note->velocity * 127 + 0.5;
    struct shl_event event;

    if (note->key < 0 || note->key > 127 || note->port > 15 ||
        note->channel > 15 || !(velocity >= 0 && velocity < 128))
        return true;
    if (on && velocity < 1)
        velocity = 1;
    event = shl_event_midi(
        note->event.time, (uint8_t)(note->port < 0 ? 0 : note->port),
        (uint8_t)((on ? 0x90 : 0x80) | (note->channel < 0 ? 0 : note->channel)),
        (uint8_t)note->key, (uint8_t)velocity);
    return say(clap, &event);
}

static bool say_sysex(struct clap *clap, const struct clap_sysex_event *sysex)
{
    const uint32_t packets = shl_sysex7_packets(sysex->bytes, sysex->size);
    bool all = true;

    for (uint32_t i = 0; i < packets && all; i++) {
        struct shl_event event;
        uint32_t ump[2];

        if (shl_sysex7_packet((uint8_t)(sysex->port & 15), sysex->bytes,
                              sysex->size, i, ump))
            return true;
        event = shl_event_ump(sysex->event.time, ump, 2);
        all = say(clap, &event);
    }
    return all;
}

static bool say_midi(struct clap *clap, const struct clap_midi_event *midi)
{
    const uint32_t ump =
        shl_midi_to_ump((uint8_t)(midi->port & 15), midi->bytes[0],
                        midi->bytes[1] & 0x7F, midi->bytes[2] & 0x7F);
    struct shl_event event;

    if (!ump)
        return true;
    event = shl_event_ump(midi->event.time, &ump, 1);
    return say(clap, &event);
}

static bool say_midi2(struct clap *clap, const struct clap_midi2_event *midi)
{
    const uint32_t words = shl_ump_words(midi->words[0]);
    const struct shl_event event =
        shl_event_ump(midi->event.time, midi->words, words);

    return shl_event_check(&event) != SHL_OK || say(clap, &event);
}

/* Meters speak many times in a block: the last word of each is told. */
static void keep_param(struct clap *clap, const struct clap_param_event *event)
{
    struct clap_param_state *param = clap_param_find(clap, event->param);

    if (!param || !isfinite(event->value))
        return;
    clap_value_set(param, event->value);
    param->said = event->value;
    if (!param->is_said)
        clap->said[clap->said_count++] = (uint32_t)(param - clap->param);
    param->is_said = 1;
}

static bool say_gesture(struct clap *clap,
                        const struct clap_gesture_event *gesture)
{
    const struct shl_event event = shl_event_param(
        gesture->event.time,
        gesture->event.type == CLAP_GESTURE_BEGIN ? SHL_EVENT_GESTURE_BEGIN
                                                  : SHL_EVENT_GESTURE_END,
        gesture->param, 0);

    return say(clap, &event);
}

static bool heard(const struct clap_events_out *list,
                  const struct clap_event *event)
{
    struct clap *clap = list->owner;
    const void *any = event;

    if (event->space != 0)
        return true;
    if (clap->block && clap->block->frames &&
        event->time >= clap->block->frames)
        return false;
    switch (event->type) {
    case CLAP_NOTE_ON:
    case CLAP_NOTE_OFF:
        return say_note(clap, any);
    case CLAP_PARAM_VALUE:
        keep_param(clap, any);
        return true;
    case CLAP_GESTURE_BEGIN:
    case CLAP_GESTURE_END:
        return say_gesture(clap, any);
    case CLAP_MIDI:
        return say_midi(clap, any);
    case CLAP_MIDI_SYSEX:
        return say_sysex(clap, any);
    case CLAP_MIDI2:
        return say_midi2(clap, any);
    default:
        return true;
    }
}

static void say_params(struct clap *clap)
{
    for (uint32_t i = 0; i < clap->said_count; i++) {
        struct clap_param_state *param = &clap->param[clap->said[i]];
        const struct shl_event event =
            shl_event_param(0, SHL_EVENT_PARAM, param->info.id, param->said);

        param->is_said = 0;
        say(clap, &event);
    }
    clap->said_count = 0;
}

/* ---- the block ------------------------------------------------------------------------ */

static struct clap_transport_event
transport_of(const struct shl_transport *transport)
{
    const double per_bar =
        4.0 * transport->numerator /
        (transport->denominator ? transport->denominator : 4);
    const double bar = per_bar > 0 ? floor(transport->beats / per_bar) : 0;
    const double seconds = transport->rate_hz > 0
                               ? (double)transport->frame / transport->rate_hz
                               : 0;

    return (struct clap_transport_event){
        .event = {.size = sizeof(struct clap_transport_event),
                  .type = CLAP_TRANSPORT},
        .flags = CLAP_HAS_TEMPO | CLAP_HAS_BEATS | CLAP_HAS_SECONDS |
                 CLAP_HAS_METER | (transport->playing ? CLAP_IS_PLAYING : 0u),
        .beats = (int64_t)(transport->beats * CLAP_UNIT),
        .seconds = (int64_t)(seconds * CLAP_UNIT),
        .tempo = transport->tempo,
        .bar_begin = (int64_t)(bar * per_bar * CLAP_UNIT),
        .bar_number = (int32_t)bar,
        .numerator = (uint16_t)transport->numerator,
        .denominator = (uint16_t)transport->denominator};
}

static void put_planes(struct clap *clap, const struct plugin_block *block)
{
    for (uint32_t c = 0; c < clap->in.channels; c++)
        clap->in.planes[c] = c < SHL_MAX_CHANNELS
                                 ? (float *)(uintptr_t)block->in[c]
                                 : clap->silence;
    for (uint32_t c = 0; c < clap->out.channels; c++)
        clap->out.planes[c] =
            c < SHL_MAX_CHANNELS ? block->out[c] : clap->unheard;
    for (uint32_t i = 0; i < clap->out.count; i++)
        clap->out.ports[i].constant = 0;
}

static void no_sound(const struct clap *clap, const struct plugin_block *block)
{
    for (uint32_t c = 0; c < clap->out.channels && c < SHL_MAX_CHANNELS; c++)
        memset(block->out[c], 0, block->frames * sizeof(float));
}

static void run(struct clap *clap, const struct plugin_block *block)
{
    const struct clap_transport_event transport =
        transport_of(&block->transport);
    const struct clap_events_in events = {clap, in_count, in_at};
    const struct clap_events_out said = {clap, heard};
    const struct clap_block own = {.frame = clap->frame,
                                   .frames = block->frames,
                                   .transport = &transport,
                                   .in = clap->in.ports,
                                   .out = clap->out.ports,
                                   .in_count = clap->in.count,
                                   .out_count = clap->out.count,
                                   .events = &events,
                                   .said = &said};

    put_planes(clap, block);
    if (!clap->started)
        clap->started = clap->own->start(clap->own);
    if (!clap->started ||
        clap->own->process(clap->own, &own) == CLAP_PROCESS_ERROR)
        no_sound(clap, block);
    clap->frame += block->frames;
    clap->event_count = clap->arena_size = 0;
    say_params(clap);
}

static uint32_t one_count(const struct clap_events_in *list)
{
    (void)list;
    return 1;
}

static const struct clap_event *one_at(const struct clap_events_in *list,
                                       uint32_t index)
{
    return index ? NULL : list->owner;
}

/* A block of no frames: values hold at once, all else is heard with the next block,
 * at its beginning. */
static void flush(struct clap *clap)
{
    const struct clap_events_out said = {clap, heard};
    uint32_t kept = 0;

    for (uint32_t i = 0; i < clap->event_count; i++) {
        union clap_any_event *any = &clap->events[i];
        const struct clap_events_in one = {any, one_count, one_at};

        any->event.time = 0;
        if (any->event.type == CLAP_PARAM_VALUE ||
            any->event.type == CLAP_PARAM_MOD)
            clap->params->flush(clap->own, &one, &said);
        else
            clap->events[kept++] = *any;
    }
    clap->event_count = kept;
    say_params(clap);
}

void clap_process(struct plugin *plugin, const struct plugin_block *block)
{
    struct clap *clap = clap_of(plugin);

    clap_role_take(CLAP_AUDIO);
    clap->block = block;
    for (uint32_t i = 0; i < block->event_count; i++)
        add_event(clap, &block->events[i]);
    if (block->frames)
        run(clap, block);
    else
        flush(clap);
    clap->block = NULL;
}

void clap_silence(struct plugin *plugin)
{
    struct clap *clap = clap_of(plugin);

    clap_role_take(CLAP_AUDIO);
    clap->event_count = clap->arena_size = 0;
    for (uint32_t i = 0; i < SHL_MAX_MIDI_PORTS; i++)
        clap->sysex[i].size = 0;
    if (clap->own->reset)
        clap->own->reset(clap->own);
}

/* ---- while no audio runs ------------------------------------------------------------- */

struct list {
    struct clap_param_event *events;
    uint32_t count;
};

static uint32_t list_count(const struct clap_events_in *list)
{
    return ((const struct list *)list->owner)->count;
}

static const struct clap_event *list_at(const struct clap_events_in *list,
                                        uint32_t index)
{
    const struct list *own = list->owner;

    return index < own->count ? &own->events[index].event : NULL;
}

void clap_params_set(struct clap *clap, const uint32_t *ids,
                     const double *values, uint32_t count)
{
    struct list list = {calloc(count + 1, sizeof(*list.events)), 0};
    const struct clap_events_in events = {&list, list_count, list_at};
    const struct clap_events_out said = {clap, heard};
    enum clap_role before;

    for (uint32_t i = 0; list.events && i < count; i++) {
        struct clap_param_state *param = clap_param_find(clap, ids[i]);

        if (!param || param->info.flags & CLAP_PARAM_READ_ONLY)
            continue;
        clap_value_set(param, clipped(param, values[i]));
        list.events[list.count++] = (struct clap_param_event){
            .event = {.size = sizeof(struct clap_param_event),
                      .type = CLAP_PARAM_VALUE},
            .param = ids[i],
            .cookie = param->info.cookie,
            .note_id = -1,
            .port = -1,
            .channel = -1,
            .key = -1,
            .value = clap_value_get(param)};
    }
    /* the audio thread stands still: we are in its place */
    before = clap_role_take(clap->active ? CLAP_AUDIO : CLAP_MAIN);
    if (clap->params && list.events)
        clap->params->flush(clap->own, &events, &said);
    clap_role_take(before);
    free(list.events);
}
