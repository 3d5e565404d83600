#include "smf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TEMPO 500000u /* microseconds per quarter note */

/* One event of a track before its time is known. */
struct entry {
    uint64_t tick;
    uint32_t order;
    uint32_t tempo; /* of a tempo event, else 0 */
    uint8_t port;
    uint8_t byte[3]; /* of a channel message */
};

struct reader {
    const uint8_t *bytes;
    size_t at, end; /* end: of the file, or of the track being read */
    struct entry *entry;
    uint32_t count, room;
    struct shl_why *why;
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
    snprintf(reader->why->text, sizeof(reader->why->text),
             "this MIDI file %s (at byte %zu)", sentence, reader->at);
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

/* A meta event. Tempo is kept, a port is for what follows, the end of the
 * track is told by *ended. */
static shl_status meta(struct reader *reader, struct entry *entry, int *ended)
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
            entry->port = value & 15;
            return SHL_OK;
        }
        if (!value)
            return wrong(reader, "has a tempo of 0");
        struct entry tempo = *entry;
        tempo.tempo = value;
        return keep(reader, &tempo);
    }
    *ended = type == 0x2F;
    return skip(reader, size);
}

/* A channel message whose status is known; its data bytes follow. */
static shl_status voice(struct reader *reader, struct entry *entry,
                        uint8_t status_byte)
{
    const uint32_t length = shl_midi_length(status_byte);

    entry->byte[0] = status_byte;
    entry->byte[1] = entry->byte[2] = 0;
    for (uint32_t i = 1; i < length; i++) {
        uint32_t value = 0;
        const shl_status status = number(reader, 1, &value);

        if (status)
            return status;
        if (value > 127) {
            reader->at--;
            return wrong(reader, "has data byte %u, above 127", value);
        }
        entry->byte[i] = (uint8_t)value;
    }
    return keep(reader, entry);
}

/* One event after its delta time. *running is the running status. */
static shl_status event(struct reader *reader, struct entry *entry,
                        uint8_t *running, int *ended)
{
    uint32_t first = 0, size = 0;
    shl_status status = number(reader, 1, &first);

    if (status)
        return status;
    if (first < 0x80) {
        reader->at--;
        if (!*running)
            return wrong(reader, "has data without a status byte");
        return voice(reader, entry, *running);
    }
    if (first < 0xF0) {
        *running = (uint8_t)first;
        return voice(reader, entry, *running);
    }
    *running = 0;
    if (first == 0xFF)
        return meta(reader, entry, ended);
    if (first != 0xF0 && first != 0xF7) {
        reader->at--;
        return wrong(reader, "has status byte %u, which no track may have",
                     first);
    }
    status = variable(reader, &size);
    return status ? status : skip(reader, size);
}

static shl_status track(struct reader *reader)
{
    struct entry entry;
    uint8_t running = 0;
    int ended = 0;

    memset(&entry, 0, sizeof(entry));
    while (!ended && reader->at < reader->end) {
        uint32_t delta = 0;
        shl_status status = variable(reader, &delta);

        entry.tick += delta;
        if (!status)
            status = event(reader, &entry, &running, &ended);
        if (status)
            return status;
    }
    return SHL_OK;
}

/* ---- the file ------------------------------------------------------------------ */

static shl_status header(struct reader *reader, uint32_t *tracks,
                         uint32_t *division)
{
    uint32_t size = 0, format = 0;

    if (reader->end < 14 || memcmp(reader->bytes, "MThd", 4) != 0)
        return wrong(reader, "does not begin with MThd: it is none");
    reader->at = 4;
    shl_status status = number(reader, 4, &size);
    if (!status && size < 6)
        return wrong(reader, "has a header of %u bytes, not 6", size);
    if (!status)
        status = number(reader, 2, &format);
    if (!status && format > 1)
        return wrong(reader, "has format %u; only 0 and 1 can be played",
                     format);
    if (!status)
        status = number(reader, 2, tracks);
    if (!status)
        status = number(reader, 2, division);
    return status ? status : skip(reader, size - 6);
}

static shl_status all_tracks(struct reader *reader, uint32_t tracks)
{
    const size_t end_of_file = reader->end;

    for (uint32_t done = 0; done < tracks;) {
        uint32_t size = 0;

        if (reader->end - reader->at < 8)
            return wrong(reader, "has %u of the %u tracks it speaks of", done,
                         tracks);
        const int is_track = !memcmp(reader->bytes + reader->at, "MTrk", 4);
        reader->at += 4;
        shl_status status = number(reader, 4, &size);
        if (!status && reader->end - reader->at < size)
            status = cut_short(reader);
        if (status)
            return status;
        const size_t next = reader->at + size;
        if (is_track) {
            reader->end = next;
            status = track(reader);
            reader->end = end_of_file;
            done++;
        }
        if (status)
            return status;
        reader->at = next;
    }
    return SHL_OK;
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

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

static shl_status to_score(struct reader *reader, uint32_t division,
                           struct score *score)
{
    double ms = 0, scale = ms_per_tick(division, DEFAULT_TEMPO);
    uint64_t tick = 0;
    shl_status status = SHL_OK;

    if (reader->count)
        qsort(reader->entry, reader->count, sizeof(*reader->entry), compare);
    for (uint32_t i = 0; i < reader->count && !status; i++) {
        const struct entry *entry = &reader->entry[i];

        ms += (double)(entry->tick - tick) * scale;
        tick = entry->tick;
        if (ms > SCORE_MAX_MS)
            return wrong(reader, "is longer than a day");
        if (entry->tempo)
            scale = ms_per_tick(division, entry->tempo);
        else
            status = score_midi(score, ms,
                                entry->port * 16u + (entry->byte[0] & 15u),
                                entry->byte[0], entry->byte[1], entry->byte[2]);
    }
    return status;
}

shl_status smf_read(const uint8_t *bytes, size_t size, struct score *score,
                    struct shl_why *why)
{
    struct reader reader = {.bytes = bytes, .end = size, .why = why};
    uint32_t tracks = 0, division = 0;
    shl_status status = header(&reader, &tracks, &division);

    if (!status &&
        !(division & 0x7FFF ? division & 0x8000 ? division & 0xFF : division
                            : 0))
        status = wrong(&reader, "has a time division of 0");
    if (!status)
        status = all_tracks(&reader, tracks);
    if (!status)
        status = to_score(&reader, division, score);
    free(reader.entry);
    return status;
}
