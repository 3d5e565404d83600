/* SPDX-License-Identifier: MIT */
#include "core/maolan/maolan.h"

#include "shmlink/arithmetic.h"
#include "shmlink/midi.h"

#include <math.h>
#include <string.h>

#define PARAMS    0u  /* in to[] and from[]; MIDI port p is 1 + p */
#define STATUS_AT 12u /* in a ring of B: status of slot 0 in B8, else padding */
#define USEFUL    8u  /* bytes of a MIDI slot that anybody looks at */
#define B8_AT     8u
#define B16_AT    16u

static _Atomic uint32_t *word(const uint8_t *base, uint32_t offset)
{
    return (_Atomic uint32_t *)(void *)((uintptr_t)base + offset);
}

/* ---- a segment as a whole -------------------------------------------------- */

static void write_rate(uint8_t *base, uint32_t transport, double rate_hz)
{
    memcpy(base + transport + SHL_TRANSPORT_RATE, &rate_hz, sizeof rate_hz);
}

void shl_maolan_format(uint8_t *base, uint32_t version, double rate_hz)
{
    atomic_store_explicit(word(base, 4), version, memory_order_relaxed);
    write_rate(base, shl_maolan_layouts[SHL_LAYOUT_A].transport, rate_hz);
    write_rate(base, shl_maolan_layouts[SHL_LAYOUT_B16].transport, rate_hz);
    /* release: last, so that a magic stands for a whole header */
    atomic_store_explicit(word(base, 0), SHL_MAOLAN_MAGIC,
                          memory_order_release);
}

/* The rate of A lies where B has the indices of a MIDI ring, and the other way
 * round it lies in nobody's way. */
void shl_maolan_settle(uint8_t *base, const struct shl_maolan_layout *layout)
{
    for (uint32_t i = 0; i < SHL_LAYOUT_COUNT; i++)
        if (shl_maolan_layouts[i].transport != layout->transport)
            write_rate(base, shl_maolan_layouts[i].transport, 0);
}

shl_status shl_maolan_recognise(const uint8_t *base, size_t size,
                                uint32_t *version,
                                const struct shl_maolan_layout **layout)
{
    if (size < SHL_MAOLAN_SIZE)
        return SHL_CUT;
    /* acquire: the header behind the magic is whole */
    if (atomic_load_explicit(word(base, 0), memory_order_acquire) !=
        SHL_MAOLAN_MAGIC)
        return SHL_FOREIGN;
    *version = atomic_load_explicit(word(base, 4), memory_order_relaxed);
    const struct shl_maolan_layout *row = shl_layout_of_version(*version);
    if (!row)
        return SHL_WRONG_VERSION;
    *layout = row;
    return SHL_OK;
}

/* A length that can be, and a text behind it. */
static bool has_name(const uint8_t *scratch)
{
    uint32_t length;
    memcpy(&length, scratch + SHL_NAME_OFFSET, sizeof length);
    return length > 0 && length <= SHL_SCRATCH_SIZE - SHL_NAME_TEXT &&
           scratch[SHL_NAME_TEXT] >= ' ';
}

static bool has_counts(const uint8_t *scratch)
{
    uint32_t magic;
    memcpy(&magic, scratch + SHL_PORT_COUNTS_OFFSET, sizeof magic);
    return magic == SHL_PORT_COUNTS_MAGIC;
}

const struct shl_maolan_layout *shl_maolan_probe(const uint8_t *base)
{
    const struct shl_maolan_layout *a = &shl_maolan_layouts[SHL_LAYOUT_A];
    const struct shl_maolan_layout *b = &shl_maolan_layouts[SHL_LAYOUT_B16];

    if (has_counts(base + a->scratch))
        return a;
    /* the port counts of B stand where A has its request: 0 so early */
    if (has_counts(base + b->scratch) ||
        atomic_load_explicit(word(base, b->midi_in_ports),
                             memory_order_acquire) ||
        atomic_load_explicit(word(base, b->midi_out_ports),
                             memory_order_acquire))
        return b;
    if (has_name(base + b->scratch))
        return b;
    return has_name(base + a->scratch) ? a : NULL;
}

/* ---- opening ------------------------------------------------------------------ */

struct place {
    uint32_t write, read, slots;
};

static struct place midi_place(const struct shl_maolan_layout *row, bool in,
                               uint32_t port)
{
    uint32_t step = port * SHL_MIDI_RING_STRIDE;
    return in ? (struct place){row->midi_in_write + step,
                               row->midi_in_read + step,
                               row->midi_in_slots + step}
              : (struct place){row->midi_out_write + step,
                               row->midi_out_read + step,
                               row->midi_out_slots + step};
}

static void produce(struct shl_maolan *maolan, uint32_t n, struct place at)
{
    shl_ring_init_producer(&maolan->to[n], word(maolan->base, at.write),
                           word(maolan->base, at.read), maolan->base + at.slots,
                           SHL_MAOLAN_MIDI_SIZE, SHL_RING_SLOTS);
}

static void consume(struct shl_maolan *maolan, uint32_t n, struct place at)
{
    shl_ring_init_consumer(&maolan->from[n].ring, word(maolan->base, at.write),
                           word(maolan->base, at.read), maolan->base + at.slots,
                           SHL_MAOLAN_MIDI_SIZE, SHL_RING_SLOTS);
}

void shl_maolan_init(struct shl_maolan *maolan, uint8_t *base,
                     const struct shl_maolan_layout *layout,
                     enum shl_maolan_side side)
{
    bool daw = side == SHL_MAOLAN_DAW;
    struct place params = {layout->param_write, layout->param_read,
                           layout->param_slots};
    struct place echoes = {layout->echo_write, layout->echo_read,
                           layout->echo_slots};

    memset(maolan, 0, sizeof *maolan);
    maolan->base = base;
    maolan->layout = layout;
    maolan->ports_in = maolan->ports_out = layout->midi_ports;
    produce(maolan, PARAMS, daw ? params : echoes);
    consume(maolan, PARAMS, daw ? echoes : params);
    for (uint32_t port = 0; port < layout->midi_ports; port++) {
        produce(maolan, 1 + port, midi_place(layout, daw, port));
        consume(maolan, 1 + port, midi_place(layout, !daw, port));
    }
}

/* ---- words ---------------------------------------------------------------------- */

SHL_RT uint32_t shl_maolan_load(const struct shl_maolan *maolan,
                                uint32_t offset)
{
    /* acquire: what the peer wrote before it */
    return offset == SHL_NONE ? 0
                              : atomic_load_explicit(word(maolan->base, offset),
                                                     memory_order_acquire);
}

SHL_RT void shl_maolan_store(struct shl_maolan *maolan, uint32_t offset,
                             uint32_t value)
{
    /* release: what we wrote before it */
    if (offset != SHL_NONE)
        atomic_store_explicit(word(maolan->base, offset), value,
                              memory_order_release);
}

SHL_RT uint32_t shl_maolan_swap(struct shl_maolan *maolan, uint32_t offset,
                                uint32_t value)
{
    /* both ways at once: as load and store above */
    return offset == SHL_NONE
               ? 0
               : atomic_exchange_explicit(word(maolan->base, offset), value,
                                          memory_order_acq_rel);
}

SHL_RT bool shl_maolan_change(struct shl_maolan *maolan, uint32_t offset,
                              uint32_t seen, uint32_t value)
{
    /* release: what we wrote before it; nothing is read if it fails */
    return offset != SHL_NONE &&
           atomic_compare_exchange_strong_explicit(
               word(maolan->base, offset), &seen, value, memory_order_acq_rel,
               memory_order_acquire);
}

/* ---- blocks ----------------------------------------------------------------------- */

SHL_RT void shl_maolan_block_write(struct shl_maolan *maolan,
                                   const struct shl_maolan_block *block)
{
    const struct shl_maolan_layout *row = maolan->layout;

    shl_maolan_store(maolan, row->block_size,
                     shl_least(block->frames, SHL_MAX_FRAMES));
    shl_maolan_store(maolan, row->input_channels,
                     shl_least(block->in_channels, SHL_MAX_CHANNELS));
    shl_maolan_store(maolan, row->output_channels,
                     shl_least(block->out_channels, SHL_MAX_CHANNELS));
    shl_maolan_store(maolan, row->midi_in_ports,
                     shl_least(block->midi_in_ports, row->midi_ports));
    shl_maolan_store(maolan, row->midi_out_ports,
                     shl_least(block->midi_out_ports, row->midi_ports));
}

SHL_RT void shl_maolan_block_read(const struct shl_maolan *maolan,
                                  struct shl_maolan_block *block)
{
    const struct shl_maolan_layout *row = maolan->layout;
    uint32_t frames = shl_maolan_load(maolan, row->block_size);

    block->frames = frames <= SHL_MAX_FRAMES ? frames : 0;
    block->in_channels = shl_least(shl_maolan_load(maolan, row->input_channels),
                                   SHL_MAX_CHANNELS);
    block->out_channels = shl_least(
        shl_maolan_load(maolan, row->output_channels), SHL_MAX_CHANNELS);
    block->midi_in_ports = block->midi_out_ports = row->midi_ports;
    if (row->midi_in_ports == SHL_NONE)
        return;
    block->midi_in_ports =
        shl_least(shl_maolan_load(maolan, row->midi_in_ports), row->midi_ports);
    block->midi_out_ports = shl_least(
        shl_maolan_load(maolan, row->midi_out_ports), row->midi_ports);
}

SHL_RT void shl_maolan_transport_write(uint8_t *at,
                                       const struct shl_transport *transport)
{
    uint32_t flags = transport->playing ? SHL_TRANSPORT_PLAYING : 0;

    memcpy(at + SHL_TRANSPORT_PLAYHEAD, &transport->frame, 8);
    memcpy(at + SHL_TRANSPORT_TEMPO, &transport->tempo, 8);
    memcpy(at + SHL_TRANSPORT_NUMERATOR, &transport->numerator, 4);
    memcpy(at + SHL_TRANSPORT_DENOMINATOR, &transport->denominator, 4);
    memcpy(at + SHL_TRANSPORT_FLAGS, &flags, 4);
    memcpy(at + SHL_TRANSPORT_RATE, &transport->rate_hz, 8);
    memcpy(at + SHL_TRANSPORT_BEATS, &transport->beats, 8);
}

SHL_RT struct shl_transport shl_maolan_transport_read(const uint8_t *at,
                                                      double rate_hz)
{
    struct shl_transport t = {0};
    uint32_t flags;

    memcpy(&t.frame, at + SHL_TRANSPORT_PLAYHEAD, 8);
    memcpy(&t.tempo, at + SHL_TRANSPORT_TEMPO, 8);
    memcpy(&t.numerator, at + SHL_TRANSPORT_NUMERATOR, 4);
    memcpy(&t.denominator, at + SHL_TRANSPORT_DENOMINATOR, 4);
    memcpy(&flags, at + SHL_TRANSPORT_FLAGS, 4);
    memcpy(&t.rate_hz, at + SHL_TRANSPORT_RATE, 8);
    memcpy(&t.beats, at + SHL_TRANSPORT_BEATS, 8);
    t.playing = flags & SHL_TRANSPORT_PLAYING;
    if (!(isfinite(t.tempo) && t.tempo > 0 && t.numerator && t.denominator &&
          isfinite(t.beats)))
        t = shl_transport_default(rate_hz);
    return t;
}

/* ---- to the peer ---------------------------------------------------------------------- */

/* The kinds of the wire, in the order of ours. */
static const uint32_t maolan_kinds[] = {
    SHL_PARAM_EVENT_VALUE, SHL_PARAM_EVENT_MOD, SHL_PARAM_EVENT_BEGIN,
    SHL_PARAM_EVENT_END};

/* The kind on the wire. */
static uint32_t kind_of(uint16_t kind)
{
    static_assert(SHL_EVENT_GESTURE_END == SHL_EVENT_PARAM + 3, "in a row");
    return maolan_kinds[kind - SHL_EVENT_PARAM];
}

static void *room(struct shl_maolan *maolan, uint32_t n)
{
    void *slot = shl_ring_push(&maolan->to[n]);
    if (slot)
        maolan->unshown |= UINT32_C(1) << n;
    else
        maolan->counts.full++;
    return slot;
}

static shl_status send_param(struct shl_maolan *maolan,
                             const struct shl_event *event, uint32_t offset)
{
    uint32_t id = shl_event_id(event), kind = kind_of(event->kind);
    float value =
        kind <= SHL_PARAM_EVENT_MOD ? (float)shl_event_value(event) : 0;
    uint8_t *slot = room(maolan, PARAMS);
    if (!slot)
        return SHL_RING_FULL;
    memcpy(slot + SHL_MAOLAN_PARAM_INDEX, &id, 4);
    memcpy(slot + SHL_MAOLAN_PARAM_VALUE, &value, 4);
    memcpy(slot + SHL_MAOLAN_PARAM_OFFSET, &offset, 4);
    memcpy(slot + SHL_MAOLAN_PARAM_KIND, &kind, 4);
    return SHL_OK;
}

/* Whoever reads B8 and whoever reads B16 finds the event: the useful bytes of
 * the two never overlap. */
static void write_both(const struct shl_ring *ring, uint8_t *slot,
                       const uint8_t *bytes)
{
    size_t at = (size_t)(slot - ring->slots);
    uint8_t *indices = (uint8_t *)(uintptr_t)ring->write;

    memcpy(indices + B8_AT + at, bytes, USEFUL);
    memcpy(indices + B16_AT + at, bytes, USEFUL);
}

static shl_status send_midi(struct shl_maolan *maolan,
                            const struct shl_event *event, uint32_t offset)
{
    uint8_t bytes[SHL_MAOLAN_MIDI_SIZE] = {0};
    uint8_t *data = bytes + SHL_MAOLAN_MIDI_DATA;
    uint32_t port = event->data[0] >> 24 & 0xF;

    if (!shl_ump_to_midi(event->data, data) || port >= maolan->ports_out) {
        maolan->counts.unfit++;
        return SHL_UNSUPPORTED;
    }
    uint8_t *slot = room(maolan, 1 + port);
    if (!slot)
        return SHL_RING_FULL;
    memcpy(bytes, &offset, 4);
    bytes[SHL_MAOLAN_MIDI_CHANNEL] = data[0] & 0xF;
    if (maolan->layout->midi_ports == 1)
        memcpy(slot, bytes, sizeof bytes);
    else
        write_both(&maolan->to[1 + port], slot, bytes);
    return SHL_OK;
}

SHL_RT shl_status shl_maolan_send(struct shl_maolan *maolan,
                                  const struct shl_event *event,
                                  uint32_t offset)
{
    if (event->kind == SHL_EVENT_UMP)
        return send_midi(maolan, event, offset);
    if (event->kind >= SHL_EVENT_PARAM && event->kind <= SHL_EVENT_GESTURE_END)
        return send_param(maolan, event, offset);
    maolan->counts.unfit++;
    return SHL_UNSUPPORTED;
}

SHL_RT void shl_maolan_show(struct shl_maolan *maolan)
{
    for (uint32_t n = 0; maolan->unshown; n++) {
        if (maolan->unshown & UINT32_C(1) << n)
            shl_ring_publish(&maolan->to[n]);
        maolan->unshown &= ~(UINT32_C(1) << n);
    }
}

/* ---- from the peer ------------------------------------------------------------------------ */

static const enum shl_event_kind event_kinds[] = {
    [SHL_PARAM_EVENT_VALUE] = SHL_EVENT_PARAM,
    [SHL_PARAM_EVENT_MOD] = SHL_EVENT_PARAM_MOD,
    [SHL_PARAM_EVENT_BEGIN] = SHL_EVENT_GESTURE_BEGIN,
    [SHL_PARAM_EVENT_END] = SHL_EVENT_GESTURE_END};

static bool read_param(const uint8_t *slot, struct shl_event *event,
                       uint32_t *offset)
{
    uint32_t id, kind;
    float value;

    memcpy(&id, slot + SHL_MAOLAN_PARAM_INDEX, 4);
    memcpy(&value, slot + SHL_MAOLAN_PARAM_VALUE, 4);
    memcpy(offset, slot + SHL_MAOLAN_PARAM_OFFSET, 4);
    memcpy(&kind, slot + SHL_MAOLAN_PARAM_KIND, 4);
    if (kind > SHL_PARAM_EVENT_END || !isfinite(value))
        return false;
    *event = shl_event_param(0, event_kinds[kind], id, (double)value);
    return true;
}

/* There is no length: the status has it. SysEx cannot be: what begins like one
 * has been cut. */
static bool read_midi(const uint8_t *slot, uint8_t port,
                      struct shl_event *event, uint32_t *offset)
{
    uint8_t data[3];

    memcpy(offset, slot + SHL_MAOLAN_MIDI_OFFSET, 4);
    memcpy(data, slot + SHL_MAOLAN_MIDI_DATA, sizeof data);
    if (!shl_midi_length(data[0]))
        return false;
    *event = shl_event_midi(0, port, data[0], data[1], data[2]);
    return shl_event_check(event) == SHL_OK;
}

/* Which alignment its producer uses stands in the ring for good, once it has
 * written: looked at again at each read, since a lying index shows it early. */
static void align(const struct shl_maolan *maolan, struct shl_ring *ring)
{
    uint8_t *indices = (uint8_t *)(uintptr_t)ring->write;

    if (maolan->layout->midi_ports == 1)
        return;
    ring->slots = indices + (indices[STATUS_AT] & 0x80 ? B8_AT : B16_AT);
}

static bool read_slot(struct shl_maolan *maolan, uint32_t n,
                      struct shl_event *event, uint32_t *offset)
{
    struct shl_ring *ring = &maolan->from[n].ring;
    uint8_t slot[SHL_MAOLAN_MIDI_SIZE];
    bool lost = false;
    const void *there = shl_ring_peek(ring, &lost);

    maolan->counts.restarted += lost;
    maolan->from[n].popped = maolan->from[n].popped || there || lost;
    maolan->from[n].budget = lost || !there ? 0 : maolan->from[n].budget - 1;
    if (!there)
        return false;
    if (n != PARAMS)
        align(maolan, ring);
    memcpy(slot, shl_ring_slot(ring, ring->own), sizeof slot);
    shl_ring_pop(ring);
    if (n == PARAMS ? read_param(slot, event, offset)
                    : read_midi(slot, (uint8_t)(n - 1), event, offset))
        return true;
    maolan->counts.bad++;
    return false;
}

/* Have the next good event of a ring at its head, if there is one. */
static void refill(struct shl_maolan *maolan, uint32_t n)
{
    struct shl_maolan_source *source = &maolan->from[n];

    source->there = false;
    while (source->budget && !source->there)
        source->there = read_slot(maolan, n, &source->head, &source->offset);
    if (source->there && source->offset >= maolan->frames) {
        /* a block of 0 frames has no place in time at all */
        maolan->counts.moved += maolan->frames > 0;
        source->offset = maolan->frames ? maolan->frames - 1 : 0;
    }
}

static void give_back(struct shl_maolan_source *source)
{
    if (source->popped)
        shl_ring_release(&source->ring);
    source->popped = false;
}

SHL_RT void shl_maolan_begin(struct shl_maolan *maolan, uint32_t frames)
{
    maolan->frames = frames;
    for (uint32_t n = 0; n < 1 + maolan->ports_in; n++) {
        struct shl_maolan_source *source = &maolan->from[n];
        give_back(source);
        /* as it stands: before a DAW knows our layout, a rate that it has
         * written for the other one may have stood there */
        source->ring.own =
            atomic_load_explicit(source->ring.read, memory_order_relaxed);
        source->budget = shl_ring_waiting(&source->ring);
        refill(maolan, n);
    }
}

SHL_RT bool shl_maolan_take(struct shl_maolan *maolan, struct shl_event *event,
                            uint32_t *offset)
{
    struct shl_maolan_source *first = NULL;

    for (uint32_t n = 0; n < 1 + maolan->ports_in; n++) {
        struct shl_maolan_source *source = &maolan->from[n];
        if (source->there && (!first || source->offset < first->offset))
            first = source;
    }
    if (!first) {
        for (uint32_t n = 0; n < 1 + maolan->ports_in; n++)
            give_back(&maolan->from[n]);
        return false;
    }
    *event = first->head;
    *offset = first->offset;
    refill(maolan, (uint32_t)(first - maolan->from));
    return true;
}
