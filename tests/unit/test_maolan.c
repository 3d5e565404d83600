/* SPDX-License-Identifier: MIT */
/* The Maolan part in this process's own memory: what we write lies where the
 * published table says, what others write there is understood, in every layout,
 * and nothing that a peer can write does harm. The peer here is written anew,
 * field by field, from the table alone. */
#include "core/maolan/maolan.h"
#include "shmlink/midi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USABLE 4095u

/* ---- the published table -------------------------------------------------- */

static const char *const versions[] = {
    "3", "4", "5", "6-0.0.16", "6-0.0.17", "7-0.0.18", "7-0.0.19", "8"};
#define VERSIONS (sizeof versions / sizeof *versions)

struct row {
    char version[16], name[48];
    uint32_t offset;
};
static struct row rows[3000];
static uint32_t row_count;

static int read_table(void **state)
{
    FILE *file = fopen("tests/offsets.tsv", "r");
    char line[256];

    (void)state;
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file) && row_count < 3000) {
        struct row *row = &rows[row_count];
        if (line[0] != '#' && sscanf(line, "%15s %47s %" SCNu32, row->version,
                                     row->name, &row->offset) == 3)
            row_count++;
    }
    fclose(file);
    return 0;
}

static uint32_t find(const char *version, const char *name)
{
    for (uint32_t i = 0; i < row_count; i++)
        if (!strcmp(rows[i].version, version) && !strcmp(rows[i].name, name))
            return rows[i].offset;
    return UINT32_MAX;
}

static uint32_t at(const char *version, const char *name)
{
    uint32_t offset = find(version, name);
    assert_int_not_equal(offset, UINT32_MAX);
    return offset;
}

/* ---- a segment and its two sides -------------------------------------------- */

static uint8_t *base;
static struct shl_maolan daw, plugin;
static const char *version;

static int begin(void **state)
{
    (void)state;
    base = aligned_alloc(4096, SHL_MAOLAN_SIZE);
    if (base)
        memset(base, 0, SHL_MAOLAN_SIZE);
    return base ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(base);
    return 0;
}

static void use(const char *which)
{
    const struct shl_maolan_layout *layout = &shl_maolan_layouts[SHL_LAYOUT_B8];

    version = which;
    memset(base, 0, SHL_MAOLAN_SIZE);
    if (!strcmp(which, "3"))
        layout = &shl_maolan_layouts[SHL_LAYOUT_A];
    if (!strcmp(which, "6-0.0.17") || which[0] > '6')
        layout = &shl_maolan_layouts[SHL_LAYOUT_B16];
    shl_maolan_init(&daw, base, layout, SHL_MAOLAN_DAW);
    shl_maolan_init(&plugin, base, layout, SHL_MAOLAN_PLUGIN);
}

static uint32_t get(uint32_t offset)
{
    uint32_t value;
    memcpy(&value, base + offset, 4);
    return value;
}

static void put(uint32_t offset, uint32_t value)
{
    memcpy(base + offset, &value, 4);
}

/* One MIDI ring by the names of the table. */
struct raw_ring {
    uint32_t write, read, slots;
};

static struct raw_ring midi_ring(const char *which, const char *way,
                                 uint32_t port)
{
    char names[3][48];
    if (!strcmp(which, "3")) {
        snprintf(names[0], 48, "control.midi_%s_write", way);
        snprintf(names[1], 48, "control.midi_%s_read", way);
        snprintf(names[2], 48, "midi_%s_ring.slots", way);
    } else {
        snprintf(names[0], 48, "midi_%s_ring.%u.write", way, port);
        snprintf(names[1], 48, "midi_%s_ring.%u.read", way, port);
        snprintf(names[2], 48, "midi_%s_ring.%u.slots", way, port);
    }
    return (struct raw_ring){at(which, names[0]), at(which, names[1]),
                             at(which, names[2])};
}

static struct raw_ring param_ring(const char *which, const char *name)
{
    char names[3][48];
    snprintf(names[0], 48, "control.%s_write", name);
    snprintf(names[1], 48, "control.%s_read", name);
    snprintf(names[2], 48, "%s_ring.slots", name);
    return (struct raw_ring){at(which, names[0]), at(which, names[1]),
                             at(which, names[2])};
}

/* What a peer does to put 16 bytes into a ring, and to take them out. */
static void raw_push(struct raw_ring ring, const uint8_t bytes[16])
{
    uint32_t write = get(ring.write);
    memcpy(base + ring.slots + (write & 4095) * 16, bytes, 16);
    put(ring.write, write + 1);
}

static bool raw_pop(struct raw_ring ring, uint8_t bytes[16])
{
    uint32_t read = get(ring.read);
    if (read == get(ring.write))
        return false;
    memcpy(bytes, base + ring.slots + (read & 4095) * 16, 16);
    put(ring.read, read + 1);
    return true;
}

static bool take(struct shl_maolan *side, struct shl_event *event,
                 uint32_t *offset, uint32_t frames)
{
    shl_maolan_begin(side, frames);
    return shl_maolan_take(side, event, offset);
}

static uint32_t take_all(struct shl_maolan *side, uint32_t frames)
{
    struct shl_event event;
    uint32_t offset, count = 0;
    shl_maolan_begin(side, frames);
    while (shl_maolan_take(side, &event, &offset))
        count++;
    return count;
}

static struct shl_event note(uint32_t port, uint32_t channel, uint8_t key)
{
    return shl_event_midi(0, (uint8_t)port, (uint8_t)(0x90u | channel), key,
                          100);
}

/* ---- golden bytes -------------------------------------------------------------- */

/* shows MP-10 MP-11 MP-13 */
static void parameters_lie_as_published(void **state)
{
    static const uint8_t golden[4][16] = {
        {0x15, 0xCD, 0x5B, 0x07, 0, 0, 0xC0, 0x3E, 7, 0, 0, 0, 0, 0, 0, 0},
        {0x15, 0xCD, 0x5B, 0x07, 0, 0, 0xC0, 0x3E, 7, 0, 0, 0, 1, 0, 0, 0},
        {0x15, 0xCD, 0x5B, 0x07, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0},
        {0x15, 0xCD, 0x5B, 0x07, 0, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0}};
    uint8_t got[16];
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        for (uint16_t kind = 0; kind < 4; kind++) {
            struct shl_event event = shl_event_param(
                99, (enum shl_event_kind)(SHL_EVENT_PARAM + kind), 123456789,
                0.375);
            assert_int_equal(shl_maolan_send(&daw, &event, 7), SHL_OK);
            assert_false(raw_pop(param_ring(version, "param"), got));
            shl_maolan_show(&daw);
            assert_true(raw_pop(param_ring(version, "param"), got));
            assert_memory_equal(got, golden[kind], 16);
            assert_int_equal(shl_maolan_send(&plugin, &event, 7), SHL_OK);
            shl_maolan_show(&plugin);
            assert_true(raw_pop(param_ring(version, "echo"), got));
            assert_memory_equal(got, golden[kind], 16);
        }
    }
}

/* shows MP-11 MP-14 */
static void parameters_of_others_are_understood(void **state)
{
    struct shl_event event;
    uint32_t offset;
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        for (uint8_t kind = 0; kind < 5; kind++) {
            const uint8_t bytes[16] = {9,    0,  0, 0, 0, 0,   0xC0,
                                       0x3E, 63, 0, 0, 0, kind};
            raw_push(param_ring(version, "echo"), bytes);
            raw_push(param_ring(version, "param"), bytes);
            bool there = take(&daw, &event, &offset, 64);
            assert_int_equal(there, kind < 4);
            assert_int_equal(take(&plugin, &event, &offset, 64), kind < 4);
            if (!there)
                continue;
            assert_int_equal(event.kind, SHL_EVENT_PARAM + kind);
            assert_int_equal(shl_event_id(&event), 9);
            assert_true(shl_event_value(&event) == 0.375);
            assert_int_equal(offset, 63);
            assert_false(shl_maolan_take(&daw, &event, &offset));
            assert_false(shl_maolan_take(&plugin, &event, &offset));
        }
        assert_int_equal(daw.counts.bad, 1);
    }
}

/* shows MP-21 MP-23 */
static void midi_lies_as_published(void **state)
{
    uint8_t got[16];
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        for (uint32_t port = 0; port < daw.layout->midi_ports; port++)
            for (uint8_t channel = 0; channel < 16; channel++) {
                struct shl_event event = note(port, channel, (uint8_t)port);
                const uint8_t golden[8] = {
                    1,   2,      3, 4, (uint8_t)(0x90 | channel), (uint8_t)port,
                    100, channel};
                assert_int_equal(shl_maolan_send(&daw, &event, 0x04030201), 0);
                assert_int_equal(shl_maolan_send(&plugin, &event, 0x04030201),
                                 0);
                shl_maolan_show(&daw);
                shl_maolan_show(&plugin);
                assert_true(raw_pop(midi_ring(version, "in", port), got));
                assert_memory_equal(got, golden, 8);
                assert_true(raw_pop(midi_ring(version, "out", port), got));
                assert_memory_equal(got, golden, 8);
            }
    }
}

/* Whatever we take the peer for, one that reads the other alignment gets every
 * event: 4095 at a time, over the end of the ring, on all ports. */
/* shows MP-23 */
static void both_alignments_find_every_event(void **state)
{
    static const char *const readers[] = {"6-0.0.16", "6-0.0.17"};
    uint8_t got[16];
    (void)state;
    for (int ours = 0; ours < 2; ours++)
        for (int theirs = 0; theirs < 2; theirs++)
            for (uint32_t port = 0; port < 16; port += 5) {
                use(readers[ours]);
                struct raw_ring ring = midi_ring(readers[theirs], "in", port);
                for (uint32_t n = 0; n < 3 * 4096; n++) {
                    struct shl_event event = note(port, n & 15, n / 7 & 127);
                    assert_int_equal(shl_maolan_send(&daw, &event, n), SHL_OK);
                    shl_maolan_show(&daw);
                    if (n % 4095 != 4094)
                        continue;
                    for (uint32_t m = n - 4094; m <= n; m++) {
                        uint32_t offset;
                        assert_true(raw_pop(ring, got));
                        memcpy(&offset, got, 4);
                        assert_int_equal(offset, m);
                        assert_int_equal(got[4], 0x90 | (m & 15));
                        assert_int_equal(got[5], m / 7 & 127);
                    }
                }
            }
}

/* Likewise the other way: a producer of either alignment, its first event being
 * what tells. */
/* shows MP-23 */
static void both_alignments_are_recognised(void **state)
{
    static const char *const writers[] = {"6-0.0.16", "6-0.0.17"};
    (void)state;
    for (int ours = 0; ours < 2; ours++)
        for (int theirs = 0; theirs < 2; theirs++) {
            use(writers[ours]);
            for (uint32_t n = 0; n < 3 * 4096; n++) {
                uint32_t port = n % 16, offset;
                struct shl_event event;
                uint8_t bytes[16] = {(uint8_t)n,
                                     (uint8_t)(n >> 8),
                                     0,
                                     0,
                                     (uint8_t)(0x80 + (n & 0x3F)),
                                     (uint8_t)(n & 127),
                                     1,
                                     0};
                raw_push(midi_ring(writers[theirs], "out", port), bytes);
                assert_true(take(&daw, &event, &offset, 1 << 16));
                struct shl_event same =
                    shl_event_midi(0, (uint8_t)port, bytes[4], bytes[5], 1);
                assert_int_equal(event.data[0], same.data[0]);
                assert_int_equal(offset, n & 0xFFFF);
                assert_false(shl_maolan_take(&daw, &event, &offset));
            }
            assert_int_equal(daw.counts.bad, 0);
        }
}

/* shows MP-21 */
static void channel_and_port_survive_the_way(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        for (uint32_t n = 0; n < 256; n++) {
            struct shl_event sent = note(n / 16, n % 16, 60), got;
            uint32_t offset;
            bool fits = n / 16 < daw.layout->midi_ports;
            assert_int_equal(shl_maolan_send(&daw, &sent, 5),
                             fits ? SHL_OK : SHL_UNSUPPORTED);
            shl_maolan_show(&daw);
            assert_int_equal(take(&plugin, &got, &offset, 64), fits);
            if (fits)
                assert_memory_equal(&got, &sent, sizeof got);
            take_all(&plugin, 64);
        }
        assert_int_equal(daw.counts.unfit, 256 - 16 * daw.layout->midi_ports);
    }
}

/* shows MP-22 */
static void sysex_is_refused_and_counted(void **state)
{
    static const uint8_t bytes[] = {0xF0, 1, 2, 3, 4, 5, 0xF7};
    uint32_t ump[2];
    (void)state;
    use("6-0.0.17");
    assert_int_equal(shl_sysex7_packet(0, bytes, sizeof bytes, 0, ump), SHL_OK);
    struct shl_event event = shl_event_ump(0, ump, 2);
    assert_int_equal(shl_maolan_send(&daw, &event, 0), SHL_UNSUPPORTED);
    assert_int_equal(daw.counts.unfit, 1);
}

/* ---- order, and full rings ------------------------------------------------------- */

/* shows MP-12 */
static void events_come_in_order_of_their_offsets(void **state)
{
    struct shl_event event;
    uint32_t offset, before = 0, count = 0;
    (void)state;
    use("6-0.0.17");
    for (uint32_t n = 0; n < 640; n++) {
        struct shl_event sent = n % 3
                                    ? note(n % 16, 0, (uint8_t)(n % 128))
                                    : shl_event_param(0, SHL_EVENT_PARAM, n, n);
        assert_int_equal(shl_maolan_send(&plugin, &sent, n / 10), SHL_OK);
    }
    shl_maolan_show(&plugin);
    shl_maolan_begin(&daw, 64);
    while (shl_maolan_take(&daw, &event, &offset)) {
        assert_true(offset >= before);
        before = offset;
        count++;
    }
    assert_int_equal(count, 640);
}

/* shows MP-15 MP-16 */
static void a_full_ring_refuses_and_counts(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        struct shl_event param = shl_event_param(0, SHL_EVENT_PARAM, 1, 1);
        struct shl_event midi = note(0, 0, 60);
        for (uint32_t n = 0; n < 4100; n++) {
            shl_status st = n < USABLE ? SHL_OK : SHL_RING_FULL;
            assert_int_equal(shl_maolan_send(&daw, &param, 0), st);
            assert_int_equal(shl_maolan_send(&daw, &midi, 0), st);
        }
        shl_maolan_show(&daw);
        assert_int_equal(daw.counts.full, 2 * (4100 - USABLE));
        assert_int_equal(take_all(&plugin, 64), 2 * USABLE);
        assert_int_equal(shl_maolan_send(&daw, &midi, 0), SHL_OK);
    }
}

/* Hazard 19. */
/* shows MP-12 */
static void offsets_and_bytes_out_of_range_are_put_right(void **state)
{
    uint8_t late[16] = {0xFF, 0xFF, 0xFF, 0xFF, 0x90, 0xFC, 0xFF, 0};
    uint8_t none[16] = {0, 0, 0, 0, 0x40, 1, 1, 0};
    uint8_t sysex[16] = {0, 0, 0, 0, 0xF0, 1, 1, 0};
    uint8_t nan[16] = {1, 0, 0, 0, 0, 0, 0xC0, 0x7F};
    struct shl_event event;
    uint32_t offset;
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        struct raw_ring ring = midi_ring(version, "out", 0);
        raw_push(ring, late);
        raw_push(ring, none);
        raw_push(ring, sysex);
        raw_push(param_ring(version, "echo"), nan);
        assert_true(take(&daw, &event, &offset, 64));
        assert_int_equal(offset, 63);
        assert_int_equal(shl_event_check(&event), SHL_OK);
        assert_false(shl_maolan_take(&daw, &event, &offset));
        assert_int_equal(daw.counts.bad, 3);
        assert_int_equal(daw.counts.moved, 1);
        /* a block of no frames has no offset that could be wrong */
        raw_push(ring, late);
        assert_true(take(&daw, &event, &offset, 0));
        assert_int_equal(offset, 0);
        assert_int_equal(daw.counts.moved, 1);
    }
}

/* Hazard 3: a distance that cannot be costs one look, and the ring goes on. */
static void hostile_indices_start_a_ring_over(void **state)
{
    static const uint32_t hostile[] = {4096, 5000, 0x80000000u, 0xFFFFFFFFu};
    struct shl_event event = note(0, 0, 60);
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++)
        for (size_t i = 0; i < 4; i++) {
            use(versions[v]);
            put(midi_ring(version, "out", 0).write, hostile[i]);
            put(param_ring(version, "echo").write, hostile[i]);
            assert_int_equal(take_all(&daw, 64), 0);
            assert_int_equal(daw.counts.restarted, 2);
            assert_int_equal(get(midi_ring(version, "out", 0).read),
                             hostile[i]);
            /* to have read what was never written makes no room */
            put(midi_ring(version, "in", 0).read, hostile[i]);
            for (uint32_t n = 0; n < USABLE + 5; n++)
                assert_int_equal(shl_maolan_send(&daw, &event, 0),
                                 n < USABLE ? SHL_OK : SHL_RING_FULL);
        }
}

/* A producer that goes on while we take cannot keep us: at most what a ring
 * holds. */
static void a_drain_has_an_end(void **state)
{
    struct shl_event event;
    uint32_t offset, count = 0;
    (void)state;
    use("3");
    struct raw_ring echo = param_ring("3", "echo");
    const uint8_t bytes[16] = {1};
    raw_push(echo, bytes);
    raw_push(echo, bytes);
    shl_maolan_begin(&daw, 64);
    do /* the next is always there before we look for it */
        raw_push(echo, bytes);
    while (shl_maolan_take(&daw, &event, &offset) && ++count < 1000);
    assert_int_equal(count, 2);
}

/* shows MP-20 */
static void rings_go_on_over_the_end_of_their_indices(void **state)
{
    struct shl_event event;
    uint32_t offset;
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        struct raw_ring ring = midi_ring(version, "in", 0);
        put(ring.write, 0xFFFFFFF0u);
        put(ring.read, 0xFFFFFFF0u);
        const struct shl_maolan_layout *layout = daw.layout;
        shl_maolan_init(&daw, base, layout, SHL_MAOLAN_DAW);
        shl_maolan_init(&plugin, base, layout, SHL_MAOLAN_PLUGIN);
        for (uint32_t n = 0; n < 100; n++) {
            struct shl_event sent = note(0, 0, (uint8_t)n);
            assert_int_equal(shl_maolan_send(&daw, &sent, n), SHL_OK);
            shl_maolan_show(&daw);
            assert_true(take(&plugin, &event, &offset, 128));
            assert_int_equal(offset, n);
            assert_memory_equal(&event, &sent, sizeof event);
            assert_false(shl_maolan_take(&plugin, &event, &offset));
        }
    }
}

/* ---- planes, blocks, transport ------------------------------------------------------ */

static float distinct(uint32_t channel, uint32_t bus, uint32_t frame)
{
    return (float)((channel * SHL_BUSES + bus) * SHL_MAX_FRAMES + frame) + 0.5f;
}

/* shows MP-07 MP-08 MP-09 */
static void every_sample_has_a_place_of_its_own(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        for (uint32_t c = 0; c < 32; c++)
            for (uint32_t f = 0; f < 4096; f++) {
                shl_maolan_plane(&daw, c, SHL_BUS_TO_DEVICE)[f] =
                    distinct(c, 0, f);
                shl_maolan_plane(&plugin, c, SHL_BUS_TO_HOST)[f] =
                    distinct(c, 1, f);
            }
        for (uint32_t n = 0; n < 32 * 2 * 4096; n++) {
            float got;
            memcpy(&got, base + at(version, "audio") + n * 4, 4);
            assert_true(got == (float)n + 0.5f);
        }
        for (uint32_t c = 0; c < 32; c++)
            for (uint32_t f = 0; f < 4096; f++) {
                assert_true(shl_maolan_plane(&plugin, c, 0)[f] ==
                            distinct(c, 0, f));
                assert_true(shl_maolan_plane(&daw, c, 1)[f] ==
                            distinct(c, 1, f));
            }
        assert_null(shl_maolan_plane(&daw, 32, 0));
        assert_null(shl_maolan_plane(&daw, UINT32_MAX, 0));
        assert_null(shl_maolan_plane(&daw, 0, 2));
    }
}

/* Hazards 4 and 5, on both sides. */
/* shows MP-08 MP-44 */
static void counts_are_clipped_both_ways(void **state)
{
    const struct shl_maolan_block wild = {5000, 33, UINT32_MAX, 17, 1000};
    struct shl_maolan_block got;
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        use(versions[v]);
        shl_maolan_block_write(&daw, &wild);
        assert_int_equal(get(at(version, "header.block_size")), 4096);
        assert_int_equal(get(at(version, "header.num_input_channels")), 32);
        assert_int_equal(get(at(version, "header.num_output_channels")), 32);
        if (v) {
            assert_int_equal(get(at(version, "header.midi_in_port_count")), 16);
            put(at(version, "header.midi_out_port_count"), 0xFFFFFFFFu);
        }
        put(at(version, "header.block_size"), 4097);
        put(at(version, "header.num_input_channels"), 0x80000000u);
        shl_maolan_block_read(&plugin, &got);
        assert_int_equal(got.frames, 0);
        assert_int_equal(got.in_channels, 32);
        assert_int_equal(got.midi_in_ports, v ? 16 : 1);
        assert_int_equal(got.midi_out_ports, v ? 16 : 1);
    }
}

/* shows MP-25 */
static void transport_lies_as_published(void **state)
{
    struct shl_transport sent = shl_transport_default(44100), got;
    (void)state;
    sent.frame = 123456789012;
    sent.tempo = 93.5;
    sent.numerator = 7;
    sent.denominator = 8;
    sent.playing = 1;
    sent.beats = 3.25;
    for (size_t v = 0; v < VERSIONS; v++) {
        uint64_t frame;
        double tempo, rate_hz;
        use(versions[v]);
        uint8_t *to = base + daw.layout->transport;
        shl_maolan_transport_write(to, &sent);
        memcpy(&frame, base + at(version, "transport.playhead_sample"), 8);
        memcpy(&tempo, base + at(version, "transport.tempo"), 8);
        memcpy(&rate_hz, base + at(version, "transport.sample_rate_hz"), 8);
        assert_true(frame == sent.frame && tempo == 93.5 && rate_hz == 44100);
        assert_int_equal(get(at(version, "transport.numerator")), 7);
        assert_int_equal(get(at(version, "transport.denominator")), 8);
        assert_int_equal(get(at(version, "transport.flags")), 1);
        put(at(version, "transport.flags"), 0xFFFFFFFEu); /* nobody's bits */
        assert_false(shl_maolan_transport_read(to, 48000).playing);
        put(at(version, "transport.flags"), 1);
        got = shl_maolan_transport_read(to, 48000);
        assert_memory_equal(&got, &sent, sizeof got);
        put(at(version, "transport.denominator"), 0);
        got = shl_maolan_transport_read(to, 48000);
        assert_true(got.rate_hz == 48000 && got.tempo == 120);
    }
}

/* ---- a segment as a whole -------------------------------------------------------------- */

/* Hazards 1 and 2. */
/* shows MP-02 MP-03 */
static void foreign_segments_are_refused(void **state)
{
    const struct shl_maolan_layout *layout = NULL;
    uint32_t number = 0;
    (void)state;
    for (uint32_t v = 0; v < 10; v++) {
        memset(base, 0, SHL_MAOLAN_SIZE);
        shl_maolan_format(base, v, 48000);
        assert_int_equal(
            shl_maolan_recognise(base, SHL_MAOLAN_SIZE, &number, &layout),
            v >= 3 && v <= 8 ? SHL_OK : SHL_WRONG_VERSION);
        assert_int_equal(number, v);
    }
    shl_maolan_format(base, 6, 48000);
    assert_int_equal(
        shl_maolan_recognise(base, SHL_MAOLAN_SIZE - 1, &number, &layout),
        SHL_CUT);
    for (uint32_t bit = 0; bit < 32; bit++) {
        put(0, SHL_MAOLAN_MAGIC ^ UINT32_C(1) << bit);
        assert_int_equal(
            shl_maolan_recognise(base, SHL_MAOLAN_SIZE, &number, &layout),
            SHL_FOREIGN);
    }
}

/* The rate is there for a host of either layout, and is in no ring's way once
 * the layout is known. */
static void the_rate_is_there_before_the_start(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        double rate_hz;
        memset(base, 0, SHL_MAOLAN_SIZE);
        shl_maolan_format(base, 6, 96000);
        memcpy(&rate_hz, base + at(versions[v], "transport.sample_rate_hz"), 8);
        assert_true(rate_hz == 96000);
        shl_maolan_settle(base, &shl_maolan_layouts[v ? SHL_LAYOUT_B16 : 0]);
        memcpy(&rate_hz, base + at(versions[v], "transport.sample_rate_hz"), 8);
        assert_true(rate_hz == 96000);
        for (uint32_t port = 0; v && port < 16; port++)
            assert_int_equal(get(midi_ring(versions[v], "in", port).read), 0);
    }
}

static void probed(const char *name, uint32_t value, size_t v)
{
    const struct shl_maolan_layout *got;
    memset(base, 0, SHL_MAOLAN_SIZE);
    shl_maolan_format(base, 6, 48000);
    assert_null(shl_maolan_probe(base));
    put(at(versions[v], name), value);
    if (!strcmp(name, "scratch.name.len"))
        memcpy(base + at(versions[v], "scratch.name.bytes"), "Tone", 4);
    got = shl_maolan_probe(base);
    assert_non_null(got);
    assert_int_equal(got->name[0], v ? 'B' : 'A');
}

/* shows MP-32 MP-33 */
static void a_layout_is_found_by_what_the_host_left(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERSIONS; v++) {
        probed("scratch.port_counts.magic", SHL_PORT_COUNTS_MAGIC, v);
        probed("scratch.name.len", 4, v);
        if (v)
            probed("header.midi_in_port_count", 1, v);
    }
    /* what a test program leaves is no name */
    memset(base, 0, SHL_MAOLAN_SIZE);
    put(at("6-0.0.17", "scratch"), 0xDEADBEEFu);
    assert_null(shl_maolan_probe(base));
}

/* shows MP-40 MP-46 */
static void words_that_a_layout_lacks_read_as_nothing(void **state)
{
    (void)state;
    use("3");
    put(0, SHL_MAOLAN_MAGIC);
    assert_int_equal(shl_maolan_load(&daw, daw.layout->latency), 0);
    shl_maolan_store(&daw, daw.layout->gui_mode, 1);
    assert_int_equal(shl_maolan_swap(&daw, daw.layout->latency, 1), 0);
    assert_false(shl_maolan_change(&daw, daw.layout->latency, 0, 1));
    assert_int_equal(get(0), SHL_MAOLAN_MAGIC);
    put(at("3", "header.state_dirty"), 1);
    assert_int_equal(shl_maolan_swap(&daw, daw.layout->state_dirty, 0), 1);
    assert_int_equal(shl_maolan_swap(&daw, daw.layout->state_dirty, 0), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parameters_lie_as_published),
        TEST(parameters_of_others_are_understood),
        TEST(midi_lies_as_published),
        TEST(both_alignments_find_every_event),
        TEST(both_alignments_are_recognised),
        TEST(channel_and_port_survive_the_way),
        TEST(sysex_is_refused_and_counted),
        TEST(events_come_in_order_of_their_offsets),
        TEST(a_full_ring_refuses_and_counts),
        TEST(offsets_and_bytes_out_of_range_are_put_right),
        TEST(hostile_indices_start_a_ring_over),
        TEST(a_drain_has_an_end),
        TEST(rings_go_on_over_the_end_of_their_indices),
        TEST(every_sample_has_a_place_of_its_own),
        TEST(counts_are_clipped_both_ways),
        TEST(transport_lies_as_published),
        TEST(foreign_segments_are_refused),
        TEST(the_rate_is_there_before_the_start),
        TEST(a_layout_is_found_by_what_the_host_left),
        TEST(words_that_a_layout_lacks_read_as_nothing),
    };
    return cmocka_run_group_tests(tests, read_table, NULL);
}
