/* SPDX-License-Identifier: MIT */
#include "smf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TEMPO 500000u /* microseconds per quarter note */

/* One event of a track before its time is known. */
struct entry {
    uint64_t tick;
    uint32_t song; /* format 2: which of its tracks; else 0 */
    uint32_t order;
    uint32_t tempo;  /* of a tempo event, else 0 */
    uint32_t words;  /* of a packet; 0: none, such as the end of a track */
    uint32_t ump[2]; /* a channel message, or a part of a SysEx */
};

struct reader {
    const uint8_t *bytes;
    size_t at, end; /* end: of the file, or of the track being read */
    struct entry *entry;
    uint32_t count, room;
    uint32_t format, told, division; /* as the header says */
    uint32_t track;                  /* being read, from 1; 0: none */
    struct shl_why *why;
};

/* What a track remembers from one event to the next. */
struct track {
    struct entry entry;            /* the time so far */
    uint8_t running;               /* status, or 0 */
    uint8_t port;                  /* by a meta event */
    struct shl_midi_stream stream; /* a SysEx in pieces */
    int ended;
};

/* ---- bytes ------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static shl_status
wrong(const struct reader *reader, const char *format, ...)
{
    char sentence[160];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    if (reader->track)
        snprintf(reader->why->text, sizeof(reader->why->text),
                 "this MIDI file %s (track %u, byte %zu)", sentence,
                 reader->track, reader->at);
    else
        snprintf(reader->why->text, sizeof(reader->why->text),
                 "this MIDI file %s (byte %zu)", sentence, reader->at);
    return SHL_BAD_VALUE;
}

static shl_status cut_short(const struct reader *reader)
{
    return wrong(reader, "ends or breaks off in the middle of something");
}

/* A big-endian number of so many bytes (up to 4). */
static shl_status number(struct reader *reader, uint32_t size, uint32_t *value)
{
    if (reader->end - reader->at < size)
        return cut_short(reader);
    *value = 0;
    for (uint32_t i = 0; i < size; i++)
        *value = *value << 8 | reader->bytes[reader->at++];
    return SHL_OK;
}

/* A number of variable length: 7 bits a byte, 4 bytes at most. */
static shl_status variable(struct reader *reader, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (reader->at == reader->end)
            return cut_short(reader);
        const uint8_t byte = reader->bytes[reader->at++];
        *value = *value << 7 | (byte & 0x7Fu);
        if (byte < 0x80)
            return SHL_OK;
    }
    return wrong(reader, "has a number of more than 4 bytes");
}

static shl_status skip(struct reader *reader, uint32_t size)
{
    if (reader->end - reader->at < size)
        return cut_short(reader);
    reader->at += size;
    return SHL_OK;
}

/* ---- tracks ------------------------------------------------------------------ */

static shl_status keep(struct reader *reader, const struct entry *entry)
{
    if (reader->count == reader->room) {
        const uint32_t room = reader->room ? 2 * reader->room : 1024;
        struct entry *more = room > reader->room
                                 ? realloc(reader->entry, room * sizeof(*more))
                                 : NULL;

        if (!more)
            return SHL_NO_MEMORY;
        reader->entry = more;
        reader->room = room;
    }
    reader->entry[reader->count] = *entry;
    reader->entry[reader->count].order = reader->count;
    reader->count++;
    return SHL_OK;
}

static shl_status keep_packet(struct reader *reader, const struct track *track,
                              const uint32_t *ump, uint32_t words)
{
    struct entry entry = track->entry;

    entry.words = words;
    memcpy(entry.ump, ump, words * sizeof(*ump));
    return keep(reader, &entry);
}

/* A meta event. Tempo is kept, a port is for what follows. */
static shl_status meta(struct reader *reader, struct track *track)
{
    uint32_t type = 0, size = 0, value = 0;
    shl_status status = number(reader, 1, &type);

    if (!status)
        status = variable(reader, &size);
    if (status)
        return status;
    if ((type == 0x51 && size == 3) || (type == 0x21 && size == 1)) {
        status = number(reader, size, &value);
        if (status)
            return status;
        if (type == 0x21) {
            track->port = value & 15;
            return SHL_OK;
        }
        if (!value)
            return wrong(reader, "has a tempo of 0");
        struct entry tempo = track->entry;
        tempo.tempo = value;
        return keep(reader, &tempo);
    }
    track->ended = type == 0x2F;
    return skip(reader, size);
}

/* SysEx, whole or in pieces, and what else is sent as it stands. */
static shl_status sysex(struct reader *reader, struct track *track,
                        uint8_t first)
{
    uint32_t size = 0, ump[2] = {0, 0};
    shl_status status = variable(reader, &size);
    const size_t at = reader->at;

    if (!status)
        status = skip(reader, size);
    for (uint32_t i = first == 0xF0 ? 0 : 1; i <= size && !status; i++) {
        const uint8_t byte = i ? reader->bytes[at + i - 1] : first;
        const uint32_t words =
            shl_midi_stream_byte(&track->stream, track->port, byte, ump);

        if (words)
            status = keep_packet(reader, track, ump, words);
    }
    return status;
}

/* One that has no end in the file shall have one where it is heard. */
static shl_status end_sysex(struct reader *reader, struct track *track)
{
    uint32_t ump[2] = {0, 0};

    if (!track->stream.in_sysex)
        return SHL_OK;
    const uint32_t words =
        shl_midi_stream_byte(&track->stream, track->port, 0xF7, ump);
    return keep_packet(reader, track, ump, words);
}

/* A channel message whose status is known; its data bytes follow. */
static shl_status voice(struct reader *reader, const struct track *track)
{
    const uint32_t length = shl_midi_length(track->running);
    uint8_t data[3] = {0, 0, 0};

    for (uint32_t i = 1; i < length; i++) {
        uint32_t value = 0;
        const shl_status status = number(reader, 1, &value);

        if (status)
            return status;
        if (value > 127) {
            reader->at--;
            return wrong(reader, "has data byte %u, above 127", value);
        }
        data[i] = (uint8_t)value;
    }
    const uint32_t ump =
        shl_midi_to_ump(track->port, track->running, data[1], data[2]);
    return keep_packet(reader, track, &ump, 1);
}

/* One event after its delta time. The running status goes on behind meta events
 * and SysEx, though the standard ends it there: files are met that count on it,
 * and none that would be read in another way. */
static shl_status event(struct reader *reader, struct track *track)
{
    uint32_t first = 0;
    shl_status status = number(reader, 1, &first);

    if (status)
        return status;
    if (first < 0x80) {
        reader->at--;
        if (!track->running)
            return wrong(reader, "has data without a status byte");
        return voice(reader, track);
    }
    if (first < 0xF0) {
        track->running = (uint8_t)first;
        return voice(reader, track);
    }
    if (first == 0xFF)
        return meta(reader, track);
    if (first == 0xF0 || first == 0xF7)
        return sysex(reader, track, (uint8_t)first);
    reader->at--;
    return wrong(reader, "has status byte %u, which no track may have", first);
}

static shl_status read_track(struct reader *reader)
{
    struct track track;
    shl_status status = SHL_OK;

    memset(&track, 0, sizeof(track));
    track.entry.song = reader->format == 2 ? reader->track : 0;
    while (!status && !track.ended && reader->at < reader->end) {
        uint32_t delta = 0;

        status = variable(reader, &delta);
        track.entry.tick += delta;
        if (!status)
            status = event(reader, &track);
    }
    if (!status)
        status = end_sysex(reader, &track);
    /* its end has a time, too: a rest may be in front of it */
    return status ? status : keep(reader, &track.entry);
}

/* ---- the file ------------------------------------------------------------------ */

/* RIFF MIDI (RMID): the file is one chunk of another. */
static shl_status unwrap(struct reader *reader)
{
    const uint8_t *bytes = reader->bytes;
    size_t at = 12;

    if (reader->end < 12 || memcmp(bytes, "RIFF", 4) != 0)
        return SHL_OK;
    if (memcmp(bytes + 8, "RMID", 4) != 0)
        return wrong(reader, "is a RIFF file of another kind");
    while (reader->end - at >= 8) {
        const uint8_t *head = bytes + at;
        const uint32_t size = (uint32_t)head[4] | (uint32_t)head[5] << 8 |
                              (uint32_t)head[6] << 16 | (uint32_t)head[7] << 24;

        at += 8;
        reader->at = at;
        if (reader->end - at < size)
            return wrong(reader, "ends or breaks off in the middle of a chunk");
        if (!memcmp(head, "data", 4)) {
            reader->end = at + size;
            return SHL_OK;
        }
        at += size;
        at += reader->end > at && size & 1;
    }
    reader->at = at;
    return wrong(reader, "is RIFF MIDI without its data");
}

static int division_is_right(uint32_t division)
{
    return division & 0x8000 ? (division & 0xFF) != 0 : division != 0;
}

static shl_status header(struct reader *reader)
{
    uint32_t size = 0;

    if (reader->end - reader->at < 14 ||
        memcmp(reader->bytes + reader->at, "MThd", 4) != 0)
        return wrong(reader, "does not begin with MThd: it is none");
    reader->at += 4;
    shl_status status = number(reader, 4, &size);
    if (!status && size < 6)
        return wrong(reader, "has a header of %u bytes, not 6", size);
    if (!status)
        status = number(reader, 2, &reader->format);
    if (!status && reader->format > 2)
        return wrong(reader, "has format %u; there are only 0, 1 and 2",
                     reader->format);
    if (!status)
        status = number(reader, 2, &reader->told);
    if (!status)
        status = number(reader, 2, &reader->division);
    if (!status && !division_is_right(reader->division))
        status = wrong(reader, "has a time division of 0");
    return status ? status : skip(reader, size - 6);
}

/* One chunk. Behind the last track may be anything: it is no chunk then, and
 * *ended is set. */
static shl_status chunk(struct reader *reader, uint32_t *tracks, int *ended)
{
    const size_t end_of_file = reader->end;
    const int complete = *tracks >= reader->told && *tracks > 0;
    uint32_t size = 0;

    if (end_of_file - reader->at < 8) {
        *ended = 1;
        return complete ? SHL_OK : cut_short(reader);
    }
    const int is_track = !memcmp(reader->bytes + reader->at, "MTrk", 4);
    reader->at += 4;
    shl_status status = number(reader, 4, &size);
    reader->track = is_track ? *tracks + 1 : 0;
    if (!status && end_of_file - reader->at < size) {
        *ended = 1;
        return complete && !is_track ? SHL_OK : cut_short(reader);
    }
    const size_t next = reader->at + size;
    if (is_track) {
        reader->end = next;
        status = read_track(reader);
        reader->end = end_of_file;
        ++*tracks;
    }
    if (!status) {
        reader->track = 0;
        reader->at = next;
    }
    return status;
}

/* As many as there are: what the header counts may be wrong. */
static shl_status all_tracks(struct reader *reader, struct score *score)
{
    uint32_t tracks = 0;
    int ended = 0;
    shl_status status = SHL_OK;

    while (!status && !ended && reader->at < reader->end)
        status = chunk(reader, &tracks, &ended);
    if (!status && !tracks)
        status = wrong(reader, "has no track");
    if (!status && tracks != reader->told)
        snprintf(score->remark, sizeof(score->remark),
                 "its header tells of %u tracks, and it has %u: all of these "
                 "are played",
                 reader->told, tracks);
    return status;
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->song != y->song)
        return x->song < y->song ? -1 : 1;
    if (x->tick != y->tick)
        return x->tick < y->tick ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Milliseconds per tick at a tempo. A division with its top bit set counts in
 * frames of film, where the tempo does not matter. */
static double ms_per_tick(uint32_t division, uint32_t tempo)
{
    const uint32_t frames = 256 - (division >> 8);
    const double per_second = frames == 29 ? 30000.0 / 1001.0 : frames;

    if (division & 0x8000)
        return 1000.0 / (per_second * (division & 0xFF));
    return tempo / 1000.0 / division;
}

/* The songs of a file of format 2 are played one after the other. */
static shl_status to_score(struct reader *reader, struct score *score)
{
    const double first = ms_per_tick(reader->division, DEFAULT_TEMPO);
    double ms = 0, scale = first;
    uint64_t tick = 0;
    uint32_t song = 0;
    shl_status status = SHL_OK;

    if (reader->count)
        qsort(reader->entry, reader->count, sizeof(*reader->entry), compare);
    for (uint32_t i = 0; i < reader->count && !status; i++) {
        const struct entry *entry = &reader->entry[i];

        if (entry->song != song) {
            song = entry->song;
            tick = 0;
            scale = first;
        }
        ms += (double)(entry->tick - tick) * scale;
        tick = entry->tick;
        if (ms > SCORE_MAX_MS)
            return wrong(reader, "is longer than a day");
        if (entry->tempo)
            scale = ms_per_tick(reader->division, entry->tempo);
        if (entry->words)
            status = score_ump(score, ms, entry->ump, entry->words);
        score->rest_ms = ms;
    }
    return status;
}

shl_status smf_read(const uint8_t *bytes, size_t size, struct score *score,
                    struct shl_why *why)
{
    struct reader reader = {.bytes = bytes, .end = size, .why = why};
    shl_status status = unwrap(&reader);

    if (!status)
        status = header(&reader);
    if (!status)
        status = all_tracks(&reader, score);
    if (!status)
        status = to_score(&reader, score);
    free(reader.entry);
    return status;
}
