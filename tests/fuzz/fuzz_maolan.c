/* SPDX-License-Identifier: MIT */
/* A hostile peer of the Maolan part, from both sides: words, rings and transport
 * of a segment, and what stands in its scratch area. Nothing may crash, hang, or
 * come out of its bounds. */

/* shows DL-60 */
#include "core/maolan/maolan.h"
#include "core/maolan/scratch.h"
#include "shmlink/plugin_request.h"

#include "input.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16u /* of each ring that are written over */

static uint8_t *base, *scratch;
static shl_scratchpad *pad;

static void check(bool good)
{
    if (!good)
        abort();
}

static void leave(void)
{
    free(base);
    free(scratch);
    shl_scratchpad_free(pad);
}

static void begin(void)
{
    base = aligned_alloc(4096, SHL_MAOLAN_SIZE);
    scratch = malloc(SHL_SCRATCH_SIZE);
    check(base && scratch && shl_scratchpad_new(&pad) == SHL_OK);
    memset(base, 0, SHL_MAOLAN_SIZE);
    atexit(leave);
}

/* ---- words, rings, transport ------------------------------------------------------- */

/* Where something stands that is believed or not: by its place in a list that is
 * the same for all layouts. */
static uint32_t place(const struct shl_maolan_layout *row, uint32_t n,
                      uint32_t word)
{
    const uint32_t step = n / 16 % row->midi_ports * SHL_MIDI_RING_STRIDE;
    const uint32_t places[16] = {row->block_size,
                                 row->input_channels,
                                 row->midi_in_ports,
                                 row->midi_out_ports,
                                 row->param_write,
                                 row->param_read,
                                 row->echo_write,
                                 row->echo_read,
                                 row->midi_in_write + step,
                                 row->midi_in_read + step,
                                 row->midi_out_write + step,
                                 row->midi_out_read + step,
                                 row->param_slots + word * 4,
                                 row->midi_in_slots + step + word * 4,
                                 row->transport + word % 16 * 4,
                                 n & 1 ? row->output_channels : row->ready};
    const uint32_t at = places[n % 16];

    return at == SHL_NONE ? 0 : at;
}

/* Words that were written over, to begin each input with zeros. */
static uint32_t written[64], written_count;

/* Each index in reach of an honest one, unless the input says otherwise. */
static void write_word(struct input *input, const struct shl_maolan_layout *row)
{
    const uint32_t n = take(input, 1), word = take(input, 1) % (SLOTS * 4);
    const uint32_t value = n & 1 ? take(input, 4) : take(input, 1);
    const uint32_t at = place(row, n, word);

    memcpy(base + at, &value, sizeof value);
    written[written_count++ % 64] = at;
}

/* Our own indices, too. */
static void clear(const struct shl_maolan_layout *row)
{
    for (uint32_t i = 0; i < written_count && i < 64; i++)
        memset(base + written[i], 0, 4);
    written_count = 0;
    for (uint32_t n = 0; n < 16 * row->midi_ports; n++)
        if (n % 16 >= 4 && n % 16 < 12)
            memset(base + place(row, n, 0), 0, 4);
}

static void look_at_block(struct shl_maolan *side)
{
    struct shl_maolan_block block;
    struct shl_transport t =
        shl_maolan_transport_read(base + side->layout->transport, 48000);

    shl_maolan_block_read(side, &block);
    check(block.frames <= SHL_MAX_FRAMES &&
          block.in_channels <= SHL_MAX_CHANNELS &&
          block.out_channels <= SHL_MAX_CHANNELS &&
          block.midi_in_ports <= side->layout->midi_ports &&
          block.midi_out_ports <= side->layout->midi_ports);
    check(t.tempo > 0 && isfinite(t.tempo) && isfinite(t.beats) &&
          t.numerator && t.denominator && t.playing <= 1);
    side->ports_out = block.midi_out_ports;
}

static void play(struct shl_maolan *side, uint32_t frames)
{
    const struct shl_event back[2] = {
        shl_event_midi(0, 3, 0x90, 60, 100),
        shl_event_param(0, SHL_EVENT_PARAM, 1, 0.5)};
    struct shl_event event;
    uint32_t offset, count = 0;

    look_at_block(side);
    shl_maolan_begin(side, frames);
    while (shl_maolan_take(side, &event, &offset)) {
        check(frames ? offset < frames : offset == 0);
        check(shl_event_check(&event) == SHL_OK);
        check(++count <= SHL_MAOLAN_RINGS * SHL_RING_SLOTS);
    }
    for (int i = 0; i < 2; i++)
        shl_maolan_send(side, &back[i], frames);
    shl_maolan_show(side);
}

static void be_a_side(struct input *input)
{
    const uint32_t choice = take(input, 1);
    const struct shl_maolan_layout *row =
        &shl_maolan_layouts[choice % SHL_LAYOUT_COUNT];
    struct shl_maolan side;

    shl_maolan_init(&side, base, row,
                    choice & 0x80 ? SHL_MAOLAN_DAW : SHL_MAOLAN_PLUGIN);
    for (int block = 0; block < 4 && input->at < input->end; block++) {
        for (uint32_t n = take(input, 1) % 8; n > 0; n--)
            write_word(input, row);
        play(&side, take(input, 1) % 65);
    }
    clear(row);
}

/* ---- scratch ----------------------------------------------------------------------- */

static void read_table(enum shl_table_kind kind, uint32_t size)
{
    struct shl_table table;
    struct shl_table_entry entry;
    const char *const from = (const char *)scratch;

    if (shl_table_read(&table, kind, scratch, size))
        return;
    for (uint32_t n = 0; shl_table_next(&table, &entry) == SHL_OK; n++) {
        check(n <= SHL_SCRATCH_SIZE / 8);
        check(entry.name >= from &&
              entry.name + entry.name_length <= from + SHL_SCRATCH_SIZE);
        check(entry.module_length == 0 ||
              (entry.module >= from &&
               entry.module + entry.module_length <= from + SHL_SCRATCH_SIZE));
    }
}

static void see_entry(void *arg, const struct shl_plugin_request_entry *entry)
{
    (void)arg;
    check(memchr(entry->name, 0, sizeof entry->name) != NULL);
}

static void read_answers(uint32_t size)
{
    char name[48];
    uint32_t counts[4], count;

    if (shl_scratch_name_read(scratch, name, sizeof name) == SHL_OK)
        check(memchr(name, 0, sizeof name) != NULL);
    if (shl_plugin_request_ports(scratch, size, counts) == SHL_OK)
        check(counts[0] <= SHL_MAX_CHANNELS && counts[1] <= SHL_MAX_CHANNELS &&
              counts[2] <= SHL_MAX_MIDI_PORTS &&
              counts[3] <= SHL_MAX_MIDI_PORTS);
    for (int kind = SHL_TABLE_FILES; kind <= SHL_TABLE_NOTES; kind++)
        read_table((enum shl_table_kind)kind, size);
    shl_plugin_request_list(size & 1 ? SHL_PLUGIN_HOST_FILES
                                     : SHL_PLUGIN_HOST_CLAP_NOTES,
                            scratch, size, see_entry, NULL, &count);
}

static void read_request(uint32_t type, uint32_t size)
{
    struct shl_plugin_host_request request;
    uint32_t end;

    shl_scratchpad_begin(pad, type, scratch, size, &request);
    if (!request.problem && request.path)
        check(strlen(request.path) < SHL_SCRATCH_SIZE);
    if (!request.problem)
        check(request.size <= SHL_SCRATCH_SIZE);
    shl_scratchpad_answer(pad, NULL, &end);
    check(end <= SHL_SCRATCH_SIZE);
}

static void be_scratch(struct input *input)
{
    static const uint32_t places[] = {0, SHL_PORT_COUNTS_OFFSET,
                                      SHL_FILE_REFS_OFFSET};
    const uint32_t choice = take(input, 1), type = take(input, 1) % 16;
    const uint32_t at = places[choice % 3];
    const uint32_t size =
        choice & 0x80 ? take(input, 4) : SHL_SCRATCH_SIZE - (choice >> 6 & 1);
    size_t left = (size_t)(input->end - input->at);

    if (left > 4096)
        left = 4096;
    if (left)
        memcpy(scratch + at, input->at, left);
    read_answers(size);
    read_request(type, size);
    memset(scratch + at, 0, left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};

    if (!base)
        begin();
    if (size < 4)
        return 0;
    if (take(&input, 1) & 1)
        be_a_side(&input);
    else
        be_scratch(&input);
    return 0;
}
