/* SPDX-License-Identifier: MIT */
/* Our host role as a DAW of the Maolan protocol, for check_interop_daw.sh: it
 * starts a plugin host of the other side (tests/interop), whose plugin negates
 * all audio, echoes every parameter event and sends MIDI back by the port it
 * came by, and compares all that returns. Prints a line per check and their
 * count.
 *
 *   interop_daw PROGRAM VERSION [CHECK ...]     VERSION: what it speaks, 3 to 8
 */
#include "shmlink/shmlink.h"

#include "core/maolan/plugin_process.h"
#include "core/shm/layout.h"
#include "shmlink/plugin_request.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNELS 32u
#define FRAMES   4096u
#define LIMIT_MS 30000u /* only a hang is that slow */
#define STEP_MS  5u

static const char *program;
static uint32_t version;
static uint32_t good, bad;
static const char *title;
static shl_host *host;
static float in_memory[CHANNELS][FRAMES], out_memory[CHANNELS][FRAMES];
static const float *in[CHANNELS];
static float *out[CHANNELS];

/* ---- verdicts ---------------------------------------------------------------- */

static int wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For the checks: say what is wrong, return 1. */
static int wrong(const char *format, ...)
{
    va_list values;

    printf("FAIL %s: ", title);
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    putchar('\n');
    return 1;
}

/* ---- a host -------------------------------------------------------------------- */

static shl_status spawn(const char *plugin, uint32_t protocol)
{
    const struct shl_host_program what = {
        .plugin = plugin, .program = program, .protocol = protocol};
    shl_status status = shl_host_spawn(host, &what, LIMIT_MS);

    for (uint32_t ms = 0; status == SHL_AGAIN && ms < LIMIT_MS; ms += STEP_MS) {
        usleep(STEP_MS * 1000);
        shl_host_poll(host);
        if (shl_host_linked(host) == 2)
            status = SHL_OK;
    }
    return status;
}

static int open_as(const char *plugin, uint32_t channels, uint32_t protocol)
{
    const struct shl_host_options options = {.in_channels = channels,
                                             .out_channels = channels,
                                             .rate_hz = 44100,
                                             .block_frames = 64,
                                             .batch = 1};
    char why[256];
    shl_status status = shl_host_new(&options, &host);

    if (!status)
        status = spawn(plugin, protocol);
    if (!status && shl_host_linked(host) == 2)
        return 0;
    shl_host_why(host, why, sizeof(why));
    return wrong("%s: %s", plugin, why);
}

static int open_host(const char *plugin, uint32_t channels)
{
    return open_as(plugin, channels, 0);
}

static void close_host(void)
{
    shl_host_free(host);
    host = NULL;
}

static int play(uint32_t frames)
{
    if (shl_host_process(host, in, out, frames))
        return 0;
    return wrong("a block of %u frames did not come", frames);
}

static int is_event(const struct shl_event *is, uint32_t at,
                    const struct shl_event *wanted, uint32_t offset)
{
    return is->kind == wanted->kind && at == offset &&
           !memcmp(is->data, wanted->data, sizeof(is->data));
}

/* The next event from the device is this one. */
static int expect(const struct shl_event *wanted, uint32_t offset)
{
    struct shl_event is;
    uint32_t at;

    for (int turn = 0; turn < 8; turn++) {
        if (shl_host_event(host, &is, &at))
            return is_event(&is, at, wanted, offset)
                       ? 0
                       : wrong("kind %u, %08x %08x at %u came for kind %u, "
                               "%08x %08x at %u",
                               is.kind, is.data[0], is.data[1], at,
                               wanted->kind, wanted->data[0], wanted->data[1],
                               offset);
        if (play(64))
            return 1;
    }
    return wrong("no event came for kind %u, %08x at %u", wanted->kind,
                 wanted->data[0], offset);
}

static int no_more(void)
{
    struct shl_event is;
    uint32_t at, count = 0;

    while (shl_host_event(host, &is, &at))
        count++;
    return count ? wrong("%u more events came", count) : 0;
}

/* ---- audio ---------------------------------------------------------------------- */

static float sample(uint32_t salt, uint32_t channel, uint32_t frame)
{
    const uint32_t bits = 0x3F000000u | (salt & 0x3F) << 17 | channel << 12 |
                          frame | (salt & 1) << 31;
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static int one_block(uint32_t salt, uint32_t channels, uint32_t frames)
{
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++)
            in_memory[c][i] = sample(salt, c, i);
    if (play(frames))
        return 1;
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++) {
            const float wanted = -sample(salt, c, i);
            if (memcmp(&out_memory[c][i], &wanted, sizeof(wanted)))
                return wrong("%u frames, %u channels: channel %u, frame %u is "
                             "%g, not %g",
                             frames, channels, c, i, (double)out_memory[c][i],
                             (double)wanted);
        }
    return 0;
}

/* Each shape, and a second time: nothing of an earlier block may be heard. */
static int audio(void)
{
    static const uint32_t channels[] = {1, 2, CHANNELS};
    static const uint32_t frames[] = {1, 64, 512, FRAMES};
    uint32_t salt = 0;

    for (size_t c = 0; c < 3; c++) {
        if (open_host("clap:x::in=32,out=32", channels[c]))
            return 1;
        for (size_t f = 0; f < 8; f++)
            if (one_block(++salt, channels[c], frames[f % 4]))
                return 1;
        close_host();
    }
    return 0;
}

/* ---- parameters -------------------------------------------------------------------- */

#define UTF8_NAME                                                              \
    "Gr\xC3\xB6\xC3\x9F"                                                       \
    "e"

static int table(void)
{
    static const char *const names[] = {"gain", "latency", "dirty", "state",
                                        UTF8_NAME};

    if (open_host("clap:x", 2))
        return 1;
    if (shl_host_param_count(host) != 5)
        return wrong("%u parameters", shl_host_param_count(host));
    for (uint32_t i = 0; i < 5; i++) {
        const struct shl_param *param = shl_host_param(host, i);
        if (strcmp(param->name, names[i]))
            return wrong("parameter %u is called %s", i, param->name);
    }
    const struct shl_param *last = shl_host_param(host, 4);
    if (last->id != 0xFFFFFF00u || last->minimum != -1 || last->maximum != 1 ||
        last->initial != 0.25)
        return wrong("id %x, from %g to %g, at first %g", last->id,
                     last->minimum, last->maximum, last->initial);
    return 0;
}

static int send_param(uint16_t kind, uint32_t id, double value, uint32_t offset)
{
    const struct shl_event event = shl_event_param(0, kind, id, value);
    const shl_status status = shl_host_send(host, &event, offset);

    return status ? wrong("sending: %s", shl_status_text(status)) : 0;
}

static int expect_param(uint16_t kind, uint32_t id, double value,
                        uint32_t offset)
{
    const struct shl_event event = shl_event_param(0, kind, id, value);

    return expect(&event, offset);
}

/* A change of the gain is heard at its very sample; each kind comes back. */
static int params(void)
{
    if (open_host("clap:x", 2))
        return 1;
    for (uint32_t i = 0; i < 64; i++)
        in_memory[0][i] = in_memory[1][i] = 1;
    if (send_param(SHL_EVENT_PARAM, 10, 2, 17) || play(64))
        return 1;
    for (uint32_t i = 0; i < 64; i++)
        if (out_memory[1][i] != (i < 17 ? -1 : -2))
            return wrong("frame %u is %g", i, (double)out_memory[1][i]);
    if (expect_param(SHL_EVENT_PARAM, 10, 2, 17))
        return 1;
    for (uint32_t offset = 0; offset < 64; offset += 4)
        if (send_param(SHL_EVENT_PARAM, 0xFFFFFF00u, offset / 64., offset) ||
            send_param(SHL_EVENT_PARAM_MOD, 10, .5, offset + 1) ||
            send_param(SHL_EVENT_GESTURE_BEGIN, 10, 0, offset + 2) ||
            send_param(SHL_EVENT_GESTURE_END, 10, 0, offset + 3))
            return 1;
    if (play(64))
        return 1;
    for (uint32_t offset = 0; offset < 64; offset += 4)
        if (expect_param(SHL_EVENT_PARAM, 0xFFFFFF00u, offset / 64., offset) ||
            expect_param(SHL_EVENT_PARAM_MOD, 10, .5, offset + 1) ||
            expect_param(SHL_EVENT_GESTURE_BEGIN, 10, 0, offset + 2) ||
            expect_param(SHL_EVENT_GESTURE_END, 10, 0, offset + 3))
            return 1;
    return no_more();
}

/* ---- MIDI ---------------------------------------------------------------------------- */

/* Every channel of a port in one block; told from all others by the data. */
static int midi_port(uint8_t port)
{
    for (uint8_t i = 0; i < 64; i++) {
        const struct shl_event event =
            shl_event_midi(0, port, (uint8_t)((i < 32 ? 0x90 : 0xB0) | i % 16),
                           (uint8_t)((port * 4 + i) & 0x7F), (uint8_t)(1 + i));
        const shl_status status = shl_host_send(host, &event, i);
        if (status)
            return wrong("port %u: %s", port, shl_status_text(status));
    }
    if (play(64))
        return 1;
    for (uint8_t i = 0; i < 64; i++) {
        const struct shl_event event = shl_event_midi(
            0, port, (uint8_t)((i < 32 ? 0x90 : 0xB0) | i % 16),
            (uint8_t)(((port * 4 + i) & 0x7F) ^ 1), (uint8_t)(1 + i));
        if (expect(&event, i))
            return 1;
    }
    return 0;
}

static int midi(void)
{
    const uint8_t ports = version < 4 ? 1 : 16;

    if (open_host("clap:x", 2))
        return 1;
    for (int turn = 0; turn < 2; turn++)
        for (uint8_t port = 0; port < ports; port++)
            if (midi_port(port))
                return 1;
    return no_more();
}

/* ---- requests -------------------------------------------------------------------------- */

#define ANSWER_SIZE 65536u

static struct {
    int there;
    shl_status status;
    uint32_t size;
    uint8_t bytes[ANSWER_SIZE];
    char text[256];
} answer;

static void on_answer(void *arg, const struct shl_answer *given)
{
    (void)arg;
    answer.there = 1;
    answer.status = given->status;
    answer.size = given->size <= ANSWER_SIZE ? given->size : ANSWER_SIZE;
    if (answer.size)
        memcpy(answer.bytes, given->bytes, answer.size);
    snprintf(answer.text, sizeof(answer.text), "%s", given->text);
}

static shl_status ask_for(uint32_t type, const void *bytes, uint32_t size)
{
    uint32_t request;
    shl_status status;

    memset(&answer, 0, sizeof(answer));
    status = shl_host_ask(host, type, bytes, size, LIMIT_MS, on_answer, NULL,
                          &request);
    if (!status)
        status = shl_host_await(host, request, 2 * LIMIT_MS);
    return !status && answer.there ? answer.status : status;
}

static int ask(uint32_t type, const void *bytes, uint32_t size)
{
    const shl_status status = ask_for(type, bytes, size);

    return status ? wrong("message %u: %s %s", type, shl_status_text(status),
                          answer.text)
                  : 0;
}

/* A request of the slot, by its number there. */
static int request(uint32_t number, const void *bytes, uint32_t size)
{
    uint8_t payload[4 + ANSWER_SIZE];
    struct shl_pack pack = shl_pack_into(payload, sizeof(payload));

    shl_pack_u32(&pack, number);
    if (size)
        memcpy(payload + 4, bytes, size);
    return ask(SHL_MESSAGE_PLUGIN, payload, 4 + size);
}

/* One that must be refused, with a sentence that has this in it. */
static int refused(uint32_t number, const void *bytes, uint32_t size,
                   const char *sentence)
{
    uint8_t payload[4 + 256];
    struct shl_pack pack = shl_pack_into(payload, sizeof(payload));

    shl_pack_u32(&pack, number);
    if (size)
        memcpy(payload + 4, bytes, size);
    const shl_status status = ask_for(SHL_MESSAGE_PLUGIN, payload, 4 + size);
    return status == SHL_UNSUPPORTED && strstr(answer.text, sentence)
               ? 0
               : wrong("request %u: %s %s", number, shl_status_text(status),
                       answer.text);
}

static uint8_t state_byte(uint32_t i, uint32_t seed)
{
    return (uint8_t)(i * 7 + (i >> 8) + seed);
}

static int state_of(uint32_t size, uint32_t seed)
{
    static uint8_t bytes[ANSWER_SIZE];

    for (uint32_t i = 0; i < size; i++)
        bytes[i] = state_byte(i, seed);
    if (ask(SHL_MESSAGE_STATE_RESTORE, bytes, size) ||
        ask(SHL_MESSAGE_STATE_SAVE, NULL, 0))
        return 1;
    if (answer.size != size || memcmp(answer.bytes, bytes, size))
        return wrong("%u bytes came back as %u, or as others", size,
                     answer.size);
    return one_block(seed, 2, 64);
}

static int state(void)
{
    static const uint32_t sizes[] = {1000, 0, 1, 65536, 1000};

    if (open_host("clap:x::state=1000", 2) ||
        ask(SHL_MESSAGE_STATE_SAVE, NULL, 0))
        return 1;
    for (uint32_t i = 0; i < 1000; i++)
        if (answer.size != 1000 || answer.bytes[i] != state_byte(i, 0))
            return wrong("%u bytes, not those of the plugin", answer.size);
    for (uint32_t i = 0; i < 5; i++)
        if (state_of(sizes[i], 20 + i))
            return 1;
    return 0;
}

/* Entry `index` of a list of files or of another table of numbers and texts. */
static int entry_is(struct shl_unpack *unpack, uint32_t number,
                    const char *wanted)
{
    const uint32_t is = shl_unpack_u32(unpack);
    uint32_t size;
    const uint8_t *text = shl_unpack_bytes(unpack, &size);

    if (!text || is != number || size != strlen(wanted) ||
        memcmp(text, wanted, size))
        return wrong("%u %.*s, not %u %s", is, (int)size,
                     text ? (const char *)text : "", number, wanted);
    return 0;
}

static int files_of(uint32_t count, uint32_t protocol)
{
    char name[64], wanted[64];

    snprintf(name, sizeof(name), "clap:x::refs=%u", count);
    if (open_as(name, 2, protocol) || request(SHL_PLUGIN_HOST_FILES, "", 0))
        return 1;
    struct shl_unpack unpack = shl_unpack_from(answer.bytes, answer.size);
    unpack.at = SHL_FILE_REFS_OFFSET;
    if (shl_unpack_u32(&unpack) != SHL_FILE_REFS_MAGIC ||
        shl_unpack_u32(&unpack) != count)
        return wrong("no list of %u files", count);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(wanted, sizeof(wanted),
                 "/sounds/Ger\xC3\xA4usch %u \xC3\xB8.wav", i);
        if (entry_is(&unpack, 3 * i, wanted))
            return 1;
    }
    close_host();
    return 0;
}

static int files(void)
{
    const int shown = version == 3 || version >= 7;

    if (!shown && (open_host("clap:x::refs=3", 2) ||
                   refused(SHL_PLUGIN_HOST_FILES, "", 0, "-protocol 6")))
        return 1;
    close_host();
    for (uint32_t told = shown ? 0 : version; told <= version; told += version)
        if (files_of(0, told) || files_of(1, told) || files_of(1000, told))
            return 1;
    return 0;
}

static int notes(void)
{
    if (open_host("clap:x", 2) || request(11, "", 0))
        return 1;
    struct shl_unpack unpack = shl_unpack_from(answer.bytes, answer.size);
    if (shl_unpack_u32(&unpack) != 3)
        return wrong("not three notes");
    return entry_is(&unpack, 36, "Kick") || entry_is(&unpack, 60, "C") ||
           entry_is(&unpack, 127, UTF8_NAME);
}

/* As they stand in scratch. */
static uint32_t path_bytes(uint8_t bytes[256], enum shl_plugin_host_type type,
                           uint32_t index, const char *path)
{
    uint8_t message[256];
    uint32_t size = sizeof(message);

    if (shl_plugin_request_ask(type, index, path, message, &size))
        return 0;
    memcpy(bytes, message + 4, size - 4);
    return size - 4;
}

/* Number 7 has lost the second of these, and would not say so. */
static int paths_as(uint32_t protocol)
{
    uint8_t bytes[256];
    uint32_t size =
        path_bytes(bytes, SHL_PLUGIN_HOST_FOLDER, 1, "/some/ordner \xC3\xBC");

    if (open_as("clap:x::refs=3", 2, protocol) ||
        request(SHL_PLUGIN_HOST_FOLDER, bytes, size))
        return 1;
    size = path_bytes(bytes, SHL_PLUGIN_HOST_FILE, 6, "/neu/Ton \xC3\x9F.wav");
    if (version >= 7
            ? refused(SHL_PLUGIN_HOST_FILE, bytes, size, "protocol number 7")
            : request(SHL_PLUGIN_HOST_FILE, bytes, size))
        return 1;
    close_host();
    return 0;
}

static int paths(void)
{
    return paths_as(0) || paths_as(version);
}

/* The one request that copies, once. */
static int collect(void)
{
    if (open_as("clap:x::refs=3", 2, version))
        return 1;
    return version >= 7
               ? request(SHL_PLUGIN_HOST_COLLECT, "", 0)
               : refused(SHL_PLUGIN_HOST_COLLECT, "", 0, "number 6 or earlier");
}

/* Enough blocks for the counter of number 7 to be believed, and requests. */
static int counter(void)
{
    if (open_host("clap:x", 2))
        return 1;
    for (uint32_t n = 0; n < 200; n++)
        if (one_block(n, 2, 64) ||
            (n % 50 == 7 && ask(SHL_MESSAGE_STATE_SAVE, NULL, 0)))
            return 1;
    return 0;
}

/* Also of programs that do not know this request. */
static int counts(void)
{
    static const uint32_t at[] = {
        SHL_PORT_COUNTS_AUDIO_IN, SHL_PORT_COUNTS_AUDIO_OUT,
        SHL_PORT_COUNTS_MIDI_IN, SHL_PORT_COUNTS_MIDI_OUT};
    const uint32_t ports = version < 4 ? 1 : 16;
    const uint32_t wanted_counts[] = {4, 6, ports, ports};

    if (open_host("clap:x::in=4,out=6", 2))
        return 1;
    for (int turn = 0; turn < 2; turn++) {
        if (request(12, "", 0))
            return 1;
        for (uint32_t i = 0; i < 4; i++) {
            struct shl_unpack unpack =
                shl_unpack_from(answer.bytes, answer.size);
            unpack.at = at[i];
            const uint32_t is = shl_unpack_u32(&unpack);
            if (is != wanted_counts[i])
                return wrong("count %u is %u", i, is);
        }
    }
    return 0;
}

/* ---- words of the header ------------------------------------------------------------------ */

static int latency(void)
{
    const uint32_t wanted = version < 5 ? 0 : 640;

    if (open_host("clap:x::latency=64", 2))
        return 1;
    if (version >= 5 && shl_host_latency(host) != 64)
        return wrong("%u frames at first", shl_host_latency(host));
    if (send_param(SHL_EVENT_PARAM, 20, 640, 0) || play(64) || play(64))
        return 1;
    for (uint32_t ms = 0; ms < LIMIT_MS; ms += STEP_MS) {
        shl_host_poll(host);
        if (shl_host_latency(host) == wanted)
            return 0;
        usleep(STEP_MS * 1000);
    }
    return wrong("%u frames", shl_host_latency(host));
}

/* Wait for a notice. */
static int hear(enum shl_notice_kind kind, struct shl_notice *notice)
{
    for (uint32_t ms = 0; ms < LIMIT_MS; ms += STEP_MS) {
        shl_host_poll(host);
        while (shl_host_notice(host, notice))
            if (notice->kind == kind)
                return 0;
        usleep(STEP_MS * 1000);
    }
    return wrong("no notice of kind %d came", kind);
}

static int dirty(void)
{
    struct shl_notice notice;

    if (open_host("clap:x", 2) || hear(SHL_NOTICE_OPEN, &notice))
        return 1;
    return send_param(SHL_EVENT_PARAM, 30, 1, 0) || play(64) ||
           hear(SHL_NOTICE_DIRTY, &notice);
}

static int transport(void)
{
    if (open_host("clap:x", 2))
        return 1;
    struct shl_transport *t = shl_host_transport(host);
    t->frame = 123456789;
    t->tempo = 99.5;
    t->numerator = 7;
    t->denominator = 8;
    t->playing = 1;
    return play(64);
}

/* Blocks of any length, events in each, and again and again a request while they
 * go on: no block is taken for another, no event and no answer is lost. */
static int mixture(void)
{
    const uint32_t blocks = getenv("SHL_SOAK") ? 200000 : 200;
    uint32_t random = 1, asked = 0, answered = 0;

    if (open_host("clap:x::state=1000", 2))
        return 1;
    answer.there = 1;
    for (uint32_t n = 0; n < blocks || !answer.there; n++) {
        random = random * 1664525u + 1013904223u;
        const uint32_t frames = 2 + (random >> 8) % 1023;
        const double value = (n % 16) / 16.;
        const struct shl_event note = shl_event_midi(
            0, 0, 0x90, (uint8_t)(n % 128), (uint8_t)(1 + n % 127));
        const struct shl_event back = shl_event_midi(
            0, 0, 0x90, (uint8_t)(n % 128) ^ 1, (uint8_t)(1 + n % 127));

        if (answer.there && n < blocks && n % 8 == 0) {
            answered += asked > answered;
            memset(&answer, 0, sizeof(answer));
            asked++;
            if (shl_host_ask(host, SHL_MESSAGE_STATE_SAVE, NULL, 0, LIMIT_MS,
                             on_answer, NULL, NULL))
                return wrong("block %u: cannot ask", n);
        }
        if (send_param(SHL_EVENT_PARAM, 0xFFFFFF00u, value, frames / 2) ||
            shl_host_send(host, &note, frames - 1) || one_block(n, 2, frames) ||
            expect_param(SHL_EVENT_PARAM, 0xFFFFFF00u, value, frames / 2) ||
            expect(&back, frames - 1) || no_more())
            return 1;
        shl_host_poll(host);
        if (answer.there && (answer.status || answer.size != 1000))
            return wrong("block %u: %s, %u bytes", n,
                         shl_status_text(answer.status), answer.size);
    }
    return asked == answered + 1 ? 0
                                 : wrong("%u of %u answers", answered, asked);
}

/* Formats of which no table and no count comes. */
static int formats(void)
{
    if (open_host("null:", 2))
        return 1;
    for (uint32_t i = 0; i < 64; i++)
        in_memory[1][i] = sample(3, 1, i);
    if (play(64))
        return 1;
    if (memcmp(in_memory[1], out_memory[1], 64 * sizeof(float)))
        return wrong("null has changed what it was given");
    close_host();
    if (open_host("lv2:urn:x:state=3", 2) || one_block(5, 2, 512))
        return 1;
    close_host();
    if (version >= 8 && (open_host("au:x:state=3", 2) || one_block(6, 2, 64)))
        return 1;
    if (version >= 8 && (shl_host_param_count(host) != 5 ||
                         strcmp(shl_host_param(host, 4)->name, UTF8_NAME)))
        return wrong("not the five parameters of an AudioUnit");
    close_host();
    return open_host("vst3:x:state=3", 2) || one_block(7, 2, 64);
}

/* Each number that its layout has may be asked for; another layout is noticed,
 * though the program itself notices nothing. */
static int protocols(void)
{
    const struct shl_host_options options = {.in_channels = 2,
                                             .out_channels = 2,
                                             .rate_hz = 44100,
                                             .block_frames = 64,
                                             .batch = 1};

    for (uint32_t number = 3; number <= 8; number++) {
        const int fits = (number == 3) == (version == 3);
        if (fits && (open_as("clap:x", 2, number) || one_block(number, 2, 64) ||
                     midi_port(0)))
            return 1;
        if (!fits &&
            (shl_host_new(&options, &host) || !spawn("clap:x", number)))
            return wrong("number %u was accepted", number);
        close_host();
    }
    return 0;
}

/* A program that ends in the middle is told of, whatever its exit code. */
static int end_of(const char *plugin, uint32_t signal)
{
    struct shl_notice notice;

    if (open_host(plugin, 2) || hear(SHL_NOTICE_OPEN, &notice))
        return 1;
    for (uint32_t i = 0; i < 4; i++)
        if (one_block(i, 2, 64))
            return 1;
    shl_host_process(host, in, out, 64);
    if (hear(SHL_NOTICE_CRASH, &notice))
        return 1;
    if (notice.detail[1] != signal)
        return wrong("it died of %u, not %u", notice.detail[1], signal);
    close_host();
    return 0;
}

static int crashes(void)
{
    return end_of("clap:x::abort-at=5", SIGABRT) ||
           end_of("clap:x::exit-at=5", 0);
}

/* All that were started above have ended. */
static int ended(void)
{
    for (uint32_t ms = 0; ms < LIMIT_MS && shl_plugin_process_get_count();
         ms += STEP_MS)
        usleep(STEP_MS * 1000);
    return shl_plugin_process_get_count()
               ? wrong("%u are left", shl_plugin_process_get_count())
               : 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

static const struct {
    const char *title;
    int (*run)(void);
    uint32_t since;
} checks[] = {{"audio", audio, 3},         {"table", table, 4},
              {"params", params, 3},       {"midi", midi, 3},
              {"state", state, 3},         {"files", files, 3},
              {"notes", notes, 4},         {"paths", paths, 3},
              {"collect", collect, 3},     {"counter", counter, 3},
              {"counts", counts, 3},       {"latency", latency, 3},
              {"dirty", dirty, 3},         {"mixture", mixture, 3},
              {"formats", formats, 3},     {"transport", transport, 3},
              {"protocols", protocols, 3}, {"crashes", crashes, 3},
              {"ended", ended, 3}};

static int wanted(const char *name, int count, char **words)
{
    for (int i = 3; i < count; i++)
        if (!strcmp(words[i], name))
            return 1;
    return count <= 3;
}

int main(int count, char **words)
{
    if (count < 3)
        return 2;
    alarm(getenv("SHL_SOAK") ? 3600 : 1400);
    program = words[1];
    version = (uint32_t)atoi(words[2]);
    for (uint32_t c = 0; c < CHANNELS; c++) {
        in[c] = in_memory[c];
        out[c] = out_memory[c];
    }
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        title = checks[i].title;
        if (version < checks[i].since || !wanted(title, count, words))
            continue;
        const int failed = checks[i].run();
        close_host();
        good += !failed;
        bad += (uint32_t)failed;
        if (!failed)
            printf("ok   %s\n", title);
        fflush(stdout);
    }
    printf("%u good, %u bad\n", good, bad);
    return bad || !good;
}
