/* SPDX-License-Identifier: MIT */
/* Hostile questions: whatever a host may send by message to a device of ours.
 * The device's responder is the real one, on a real segment; behind it sits the message_thread
 * of `shmlink device`, or a plugin of shmplug, or nobody, and the taps. Threads
 * and clock are played here.
 *
 * Each question must get one answer, and that what its type promises; what
 * reaches the sound must be in range; files stay in their folder. */

/* shows DL-60 */
#include "core/device/device_state.h"
#include "plug/log.h"
#include "plug/messages.h"
#include "shmlink/shmlink.h"
#include "tool/message_thread.h"

#include "input.h"
#include "sandbox.h"

#include <math.h>
#include <stdatomic.h>

#define LETTERS 12u    /* at most, per input */
#define BODY    70000u /* more than fits into the scratch area */
#define KIND    "fuzz"
#define WILD    (LETTERS + 1) /* id of parts that do not fit together */

/* ---- what is played here -------------------------------------------------------- */

static uint64_t now_ns;
static void (*worker_job)(void *arg);
static void *worker_arg;
static int worker_woken;
static uint32_t choices; /* of this input */
static struct exchange *exchange;
static struct synth *synth;

uint64_t __wrap_shl_clock_ns(void);
void __wrap_shl_sleep_ms(uint32_t ms);
shl_status __wrap_shl_worker_new(void (*job)(void *arg), void *arg,
                                 uint32_t period_ms, shl_worker **worker);
void __wrap_shl_worker_wake(shl_worker *worker);
void __wrap_shl_worker_free(shl_worker *worker);

enum {
    DEAF = 4,       /* the audio thread takes nothing */
    HANGS = 8,      /* the plugin cannot be held */
    FULL = 16,      /* the plugin takes no events */
    ANOTHER = 0x80, /* plugin, kind of claim */
};

uint64_t __wrap_shl_clock_ns(void)
{
    return now_ns += 1000;
}

/* The audio thread of the message_thread's device. */
static void hear_exchange(void)
{
    const struct exchange_wish *wish;
    uint32_t ump[2];

    if (!exchange || choices & DEAF)
        return;
    while ((wish = exchange_take(exchange))) {
        for (uint32_t i = 0; i < SYNTH_PARAMS; i++) {
            MUST(wish->value[i] >= synth_params()[i].minimum &&
                 wish->value[i] <= synth_params()[i].maximum);
            synth_set(synth, (enum synth_param)i, wish->value[i]);
        }
        exchange_show(exchange, synth);
        exchange_done(exchange, wish);
    }
    while (exchange_next_midi(exchange, ump)) {
        const struct shl_event event = shl_event_ump(0, ump, 1);
        MUST(ump[0] >> 28 == 2 && shl_event_check(&event) == SHL_OK);
        synth_event(synth, &event);
    }
}

void __wrap_shl_sleep_ms(uint32_t ms)
{
    now_ns += choices & DEAF ? UINT64_C(1000000000) : ms * UINT64_C(1000000);
    hear_exchange();
}

shl_status __wrap_shl_worker_new(void (*job)(void *arg), void *arg,
                                 uint32_t period_ms, shl_worker **worker)
{
    (void)period_ms;
    worker_job = job;
    worker_arg = arg;
    *worker = (shl_worker *)(void *)&worker_job;
    return SHL_OK;
}

void __wrap_shl_worker_wake(shl_worker *worker)
{
    (void)worker;
    worker_woken = 1;
}

void __wrap_shl_worker_free(shl_worker *worker)
{
    (void)worker;
    worker_job = NULL;
}

/* ---- the device ------------------------------------------------------------------ */

static const struct shl_tap taps[] = {{"osc1", SHL_TAP_AUDIO, 1},
                                      {"env", SHL_TAP_CONTROL, 1},
                                      {"bus 1", SHL_TAP_AUDIO, 2},
                                      {"all", SHL_TAP_AUDIO, 32}};
#define TAPS (sizeof taps / sizeof *taps)

static struct shl_device device;
static struct shl_message_queue host;
static _Atomic uint32_t host_epoch;
static struct plugin *plugins[2], *plugin;
static shl_bell *bell;
static int held;

/* A host has claimed it. */
static void claim(void)
{
    static const uint32_t modes[] = {SHL_MODE_BOTH, SHL_MODE_MIDI};
    static const uint32_t drives[] = {SHL_DRIVE_LOCKSTEP, SHL_DRIVE_FREE};
    const struct shl_claim wish = {
        .rate_hz = 48000,
        .mode = modes[(choices & (ANOTHER | DEAF)) == (ANOTHER | DEAF)],
        .drive = drives[(choices & (ANOTHER | HANGS)) == (ANOTHER | HANGS)],
        .block_frames = 64,
        .in_channels = 2,
        .out_channels = 8};
    struct shl_messages *messages = device.segment.messages;
    const uint32_t epoch = shl_segment_claim_write(&device.segment, &wish);

    memset(messages, 0, sizeof *messages);
    atomic_store(&device.accepted, epoch);
    atomic_store(&device.heard, epoch);
    atomic_store(&host_epoch, epoch);
    device.judged = epoch;
    shl_device_drop_taps(&device);
    shl_responder_open(&device.responder, messages, &device.accepted,
                       &device.heard);
    shl_responder_own(&device.responder, shl_device_answer_taps, &device);
    shl_message_queue_open(&host, &messages->commands, &messages->responses,
                           &host_epoch);
}

/* Of a selection: what the audio thread makes of it. */
static void check_taps(void)
{
    uint32_t planes = 0;

    shl_device_take_taps(&device);
    for (uint32_t i = 0; i < TAPS; i++)
        for (uint32_t c = 0; device.tap[i] && c < taps[i].channels; c++) {
            uint32_t at = device.identity.out_channels;
            while (at < SHL_MAX_CHANNELS &&
                   device.tap[i][c] !=
                       shl_segment_plane(&device.segment, at, SHL_BUS_TO_HOST))
                at++;
            MUST(at < SHL_MAX_CHANNELS && !(planes >> at & 1));
            planes |= UINT32_C(1) << at;
        }
    MUST(planes == device.tapped);
}

/* ---- the plugin ------------------------------------------------------------------- */

static int hold(void *arg)
{
    (void)arg;
    MUST(!held);
    return held = !(choices & HANGS);
}

static void release(void *arg)
{
    (void)arg;
    MUST(held);
    held = 0;
}

static void tell(void *arg)
{
    (void)arg;
}

static void silence(void *arg)
{
    (void)arg;
    plugin->calls->silence(plugin);
}

static int hear_event(void *arg, const struct shl_event *event)
{
    (void)arg;
    MUST(shl_event_check(event) == SHL_OK);
    return 1;
}

static void check_value(const struct shl_event *event)
{
    const struct shl_param *list = NULL;
    const uint32_t count = plugin->calls->params(plugin, &list);

    for (uint32_t i = 0; i < count && event->kind == SHL_EVENT_PARAM; i++)
        MUST(list[i].id != shl_event_id(event) ||
             (shl_event_value(event) >= list[i].minimum &&
              shl_event_value(event) <= list[i].maximum));
}

static int give(void *arg, const struct shl_event *event)
{
    static float memory[2][64];
    static const float *const in[] = {memory[0], memory[0]};
    static float *const out[] = {memory[1], memory[1]};
    const struct plugin_block block = {.in = in,
                                       .out = out,
                                       .transport =
                                           shl_transport_default(48000),
                                       .events = event,
                                       .event_count = 1,
                                       .send = hear_event};

    hear_event(arg, event);
    check_value(event);
    MUST(!held);
    if (choices & FULL)
        return 0;
    plugin->calls->process(plugin, &block);
    return 1;
}

static int given(void *arg)
{
    (void)arg;
    return !(choices & DEAF);
}

static const struct messages_holder holder = {NULL,    hold, release, tell,
                                              silence, give, given};

static void note_change(void *arg, uint32_t what)
{
    (void)arg;
    MUST(what && what <= PLUGIN_CHANGED_ALL);
}

static void note_line(void *arg, enum plugin_level level, const char *text)
{
    (void)arg;
    (void)level;
    MUST(text && *text);
}

static struct plugin *load_plugin(const char *spec)
{
    static struct plugin_owner owner = {.changed = note_change,
                                        .log = note_line};
    const struct plugin_load load = {.spec = spec,
                                     .rate_hz = 48000,
                                     .block_frames = 64,
                                     .inputs = PLUGIN_ANY,
                                     .outputs = PLUGIN_ANY,
                                     .owner = &owner};
    struct plugin *made = NULL;
    struct shl_why why;

    MUST(!plugin_builtin.load(&load, &made, &why));
    MUST(!made->calls->activate(made, 48000, 64, &why));
    return made;
}

/* Loading takes longer than all that is asked, so there are two for good. */
static void load_plugins(void)
{
    plugins[0] = load_plugin("fixture:in=2,out=2,midi_in=1,files=3,notes=4,"
                             "programs=3,params=4,state=9,echo");
    plugins[1] = load_plugin("gain");
}

static void unload_plugins(void)
{
    for (int i = 0; i < 2; i++) {
        plugins[i]->calls->deactivate(plugins[i]);
        plugins[i]->calls->unload(plugins[i]);
    }
}

static void check_plugin(void)
{
    const struct shl_param *list = NULL;
    const uint32_t count = plugin->calls->params(plugin, &list);

    for (uint32_t i = 0; i < count; i++) {
        const double value = plugin->calls->value(plugin, list[i].id);
        MUST(value >= list[i].minimum && value <= list[i].maximum);
    }
    MUST(!held);
}

/* ---- what is asked ------------------------------------------------------------------ */

static uint8_t body[BODY];
static struct shl_pack pack;

static uint32_t take_u32(struct input *input)
{
    static const uint32_t edges[] = {0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 1024,
                                     15,         16,         31,         32};
    const uint32_t choice = take(input, 1);
    return choice < 0xF0 ? choice % 12 : edges[choice % 8];
}

static double take_f64(struct input *input)
{
    static const double edges[] = {
        0,     1,      -1,     0.5,  440,   (double)NAN,
        1e308, -1e308, 5e-324, 1e10, 20000, (double)INFINITY};
    const uint32_t choice = take(input, 1);
    const uint64_t bits = choice < 0xF0 ? 0 : take_u64(input);
    double value;

    memcpy(&value, &bits, sizeof value);
    return choice < 0xF0 ? edges[choice % 12] : value;
}

static void put_text(struct input *input)
{
    static const char *const texts[] = {
        "",           "osc1",    "env",     "bus 1", "all",       "bus_1",
        "on",         "off",     "1e999",   "nan",   "3 dB",      "2000 Hz",
        "a.wav",      "b.wav",   "..",      ".a",    "../secret", "a/b",
        "/dev/shm/x", "\x1B[2J", "\xFF\xFE"};
    const uint32_t choice = take(input, 1);
    char text[300];

    if (choice < 0xF0) {
        shl_pack_text(&pack, texts[choice % (sizeof texts / sizeof *texts)]);
        return;
    }
    const uint32_t length = choice & 1 ? 127 + choice / 2 % 4 : choice % 16;
    for (uint32_t i = 0; i < length; i++)
        text[i] = choice & 1 ? 'n' : (char)take(input, 1);
    shl_pack_bytes(&pack, text, length);
}

static void put_raw(struct input *input, uint32_t count)
{
    for (; count > 0 && input->at < input->end && pack.used < BODY; count--)
        body[pack.used++] = (uint8_t)take(input, 1);
}

static void put_state(struct input *input)
{
    static const char *const kinds[] = {KIND, KIND, "shmplug gain",
                                        "shmlink synth", "other"};
    double values[SYNTH_PARAMS];

    for (uint32_t i = 0; i < SYNTH_PARAMS; i++)
        values[i] = take_f64(input);
    shl_snapshot_write(kinds[take(input, 1) % 5], take_u32(input),
                       synth_params(), values, SYNTH_PARAMS, body);
    pack.used = shl_snapshot_size(SYNTH_PARAMS);
}

/* What every file is made of. */
static const char content[] = "all files have the same beginning";
static uint32_t file_size; /* one was offered; its bytes come next */

static void put_offer(struct input *input)
{
    const uint32_t choice = take(input, 1), size = choice % 4 * 4;

    if (choice & 0x10)
        put_text(input);
    else
        shl_pack_text(&pack, "f");
    shl_pack_u64(&pack, size);
    shl_pack_u32(&pack, shl_checksum(0, content, size));
    file_size = choice & 0x20 ? size : 0;
}

static void put_data(struct input *input)
{
    const uint32_t choice = take(input, 1);
    const uint32_t at = file_size ? 0 : choice % 4 * 4;
    const uint32_t size = file_size ? file_size : choice / 4 % 4 * 4;

    shl_pack_u32(&pack, 1 + choice / 16 % 4);
    shl_pack_u64(&pack, at);
    memcpy(body + pack.used, content + at, size);
    pack.used += size;
    file_size = 0;
}

static void put_selection(struct input *input)
{
    const uint32_t count = take(input, 1) % 6;

    shl_pack_u32(&pack, count);
    for (uint32_t i = 0; i < count; i++) {
        shl_pack_u32(&pack, take(input, 1) % 36);
        put_text(input);
    }
}

static void put_request(struct input *input)
{
    static const char *const paths[] = {"/a", "", "/a/b.wav", "\xC3\xA9"};
    const uint32_t number = take(input, 1) % 15;
    uint32_t size = BODY;

    if (shl_plugin_request_ask((enum shl_plugin_host_type)number,
                               take_u32(input), paths[take(input, 1) % 4], body,
                               &size) == SHL_OK)
        pack.used = size;
    else
        shl_pack_u32(&pack, number);
}

static void put_midi(struct input *input)
{
    static const uint8_t starts[] = {0x90, 0x80, 0xB0, 0xC0, 0xF0, 0xF8, 0x40};
    const uint32_t choice = take(input, 1);

    body[pack.used++] = starts[choice % sizeof starts];
    put_raw(input, choice / 16);
}

static void put_payload(struct input *input, uint32_t type)
{
    switch (type) {
    case SHL_MESSAGE_MIDI_RAW:
    case SHL_MESSAGE_PARAM_GET:
    case SHL_MESSAGE_PROGRAM_SET:
        shl_pack_u32(&pack, take_u32(input));
        if (type == SHL_MESSAGE_MIDI_RAW)
            put_midi(input);
        break;
    case SHL_MESSAGE_PARAM_SET:
    case SHL_MESSAGE_PARAM_TEXT:
        shl_pack_u32(&pack, take_u32(input));
        shl_pack_f64(&pack, take_f64(input));
        if (type == SHL_MESSAGE_PARAM_TEXT)
            put_text(input);
        break;
    case SHL_MESSAGE_BYE:
        put_text(input);
        break;
    case SHL_MESSAGE_STATE_RESTORE:
        put_state(input);
        break;
    case SHL_MESSAGE_FILE_OFFER:
        put_offer(input);
        break;
    case SHL_MESSAGE_FILE_DATA:
        put_data(input);
        break;
    case SHL_MESSAGE_TAP_SELECT:
        put_selection(input);
        break;
    case SHL_MESSAGE_PLUGIN:
        put_request(input);
        break;
    default:
        put_raw(input, take(input, 1) % 32 / 24 * 8);
    }
}

/* Half of them stay as they are; a state may get the right checksum again. */
static void spoil(struct input *input, uint32_t type)
{
    const uint32_t choice = take(input, 1);
    const size_t size = pack.used;

    if (choice & 0x80)
        return;
    if (choice & 1 && size)
        body[take(input, 1) % size] = (uint8_t)take(input, 1);
    if (choice & 2 && size > 12 && type == SHL_MESSAGE_STATE_RESTORE) {
        const uint32_t sum = shl_checksum(0, body + 12, size - 12);
        memcpy(body + 8, &sum, sizeof sum);
    }
    if (choice & 4)
        pack.used = size ? take(input, 1) % size : 0;
    if (choice & 8)
        put_raw(input, choice >> 4);
    if ((choice & 0x7F) == 0x60)
        pack.used = SHL_PLUGIN_REQUEST_ASK_SIZE + 1;
    const size_t one = pack.used;
    if ((choice & 0x70) == 0x70 && one)
        for (uint32_t n = take(input, 1) * 20; n > 0; n--)
            if (pack.used + one <= BODY) {
                memcpy(body + pack.used, body, one);
                pack.used += one;
            }
}

/* ---- what is answered ----------------------------------------------------------------- */

static struct {
    uint32_t type, size, asks, answers;
    uint8_t head[12]; /* of the payload */
} asked[LETTERS + 1]; /* by id */

/* Values of the reply in the order of a picture: u, U: 32 and 64 bits, d: a
 * number, t: a text. */
static void check_reply(const struct shl_whole *whole, const char *picture)
{
    struct shl_unpack unpack = shl_unpack_from(whole->bytes, whole->size);
    char text[SHL_MESSAGE_PAYLOAD];

    for (; *picture; picture++) {
        if (*picture == 'u')
            shl_unpack_u32(&unpack);
        else if (*picture == 'U')
            shl_unpack_u64(&unpack);
        else if (*picture == 'd')
            MUST(isfinite(shl_unpack_f64(&unpack)));
        else
            shl_unpack_text(&unpack, text, sizeof text);
    }
    MUST(!unpack.bad && unpack.at == unpack.size);
}

static void check_text(const char *text, size_t size)
{
    char clean[SHL_MESSAGE_PAYLOAD];
    const size_t length = strnlen(text, size);

    MUST(length < size && length < sizeof clean);
    memcpy(clean, text, length + 1);
    shl_text_clean(clean, length + 1);
    MUST(!strcmp(clean, text));
}

static void check_error(const struct shl_whole *whole)
{
    struct shl_unpack unpack = shl_unpack_from(whole->bytes, whole->size);
    const uint32_t status = shl_unpack_u32(&unpack);
    char text[SHL_MESSAGE_PAYLOAD];

    shl_unpack_text(&unpack, text, sizeof text);
    MUST(!unpack.bad && unpack.at == unpack.size && text[0]);
    MUST(status > SHL_OK && status < SHL_STATUS_COUNT);
    check_text(text, sizeof text);
}

/* It was granted: what was asked must have made sense. */
static void check_question(uint32_t id)
{
    static const uint32_t least[SHL_MESSAGE_TYPES] = {
        [SHL_MESSAGE_MIDI_RAW] = 4,    [SHL_MESSAGE_PARAM_GET] = 4,
        [SHL_MESSAGE_PARAM_SET] = 12,  [SHL_MESSAGE_PARAM_TEXT] = 16,
        [SHL_MESSAGE_PROGRAM_SET] = 4, [SHL_MESSAGE_FILE_OFFER] = 16,
        [SHL_MESSAGE_FILE_DATA] = 12,  [SHL_MESSAGE_TAP_SELECT] = 4,
        [SHL_MESSAGE_PLUGIN] = 4};
    const uint32_t type = asked[id].type;
    uint32_t first;
    double value;

    memcpy(&first, asked[id].head, sizeof first);
    memcpy(&value, asked[id].head + 4, sizeof value);
    MUST(asked[id].size >= least[type]);
    MUST(type != SHL_MESSAGE_MIDI_RAW || first < 16);
    MUST(type != SHL_MESSAGE_PARAM_SET || isfinite(value));
    MUST(type != SHL_MESSAGE_TAP_SELECT ||
         asked[id].size >= 4 + UINT64_C(9) * first);
}

static void check_answer(const struct shl_whole *whole)
{
    static const char *const pictures[SHL_MESSAGE_TYPES] = {
        [SHL_MESSAGE_PARAM_GET] = "d",    [SHL_MESSAGE_PARAM_SET] = "d",
        [SHL_MESSAGE_PARAM_TEXT] = "dt",  [SHL_MESSAGE_PROGRAM_GET] = "ut",
        [SHL_MESSAGE_PROGRAM_SET] = "ut", [SHL_MESSAGE_FILE_OFFER] = "u",
        [SHL_MESSAGE_FILE_DATA] = "U",    [SHL_MESSAGE_TAP_SELECT] = "",
        [SHL_MESSAGE_STATE_RESTORE] = "", [SHL_MESSAGE_RESET] = "",
        [SHL_MESSAGE_MIDI_RAW] = ""};

    if (!shl_message_answers(whole->type))
        return;                   /* it speaks by itself */
    if (whole->request == WILD) { /* or, by chance, they do */
        if (whole->type == SHL_MESSAGE_ERROR)
            check_error(whole);
        return;
    }
    MUST(whole->request > 0 && whole->request <= LETTERS);
    const uint32_t type = asked[whole->request].type;
    MUST(asked[whole->request].asks && !asked[whole->request].answers++);
    if (whole->type == SHL_MESSAGE_ERROR)
        check_error(whole);
    else if (whole->type == SHL_MESSAGE_PONG)
        MUST(type == SHL_MESSAGE_PING &&
             whole->size == asked[whole->request].size);
    else
        check_question(whole->request);
    if (whole->type == SHL_MESSAGE_REPLY && pictures[type])
        check_reply(whole, pictures[type]);
}

/* ---- one input -------------------------------------------------------------------------- */

static void send_letter(struct input *input, uint32_t id)
{
    const uint32_t choice = take(input, 1);
    const uint32_t type = file_size ? SHL_MESSAGE_FILE_DATA : choice % 32;
    const uint32_t asks = choice & 0x80 && choice & 0x40 ? 0 : SHL_MESSAGE_ASKS;

    pack = shl_pack_into(body, BODY);
    memset(body, 0, sizeof asked[id].head);
    put_payload(input, type);
    spoil(input, type);
    asked[id].type = type;
    asked[id].asks = asks;
    asked[id].size = (uint32_t)pack.used;
    memcpy(asked[id].head, body, sizeof asked[id].head);
    MUST(!shl_message_queue_post(&host, type, asks, id, body,
                                 (uint32_t)pack.used));
}

/* A part that stands alone, or does not fit to the one before. */
static void send_part(struct input *input)
{
    const struct shl_message part = {
        .type = SHL_MESSAGE_STATE_RESTORE,
        .flags = (uint16_t)((atomic_load(&host_epoch) >> 1 & 0xFF) << 8 |
                            (take(input, 1) & 3)),
        .request = WILD,
        .part = take(input, 1) % 3,
        .total = 241 + take(input, 1)};

    memcpy(shl_ring_push(&host.out), &part, sizeof part);
    shl_ring_publish(&host.out);
}

/* All that waits, on every thread, until nothing does. */
static void settle(struct messages *messages)
{
    uint64_t taken;

    do {
        struct shl_whole whole;
        uint32_t budget = 1000;
        taken = device.responder.queue.taken + host.taken;
        shl_message_queue_send(&host);
        shl_responder_pump(&device.responder);
        while (worker_job && worker_woken) {
            worker_woken = 0;
            worker_job(worker_arg);
        }
        if (messages)
            messages_answer(messages, &holder);
        hear_exchange();
        shl_responder_pump(&device.responder);
        while (shl_message_queue_take(&host, &whole, &budget) == SHL_OK)
            check_answer(&whole);
    } while (taken != device.responder.queue.taken + host.taken);
}

static void converse(struct input *input, struct messages *messages)
{
    memset(asked, 0, sizeof asked);
    for (uint32_t id = 1; id <= LETTERS && input->at < input->end; id++) {
        send_letter(input, id);
        if (id % 3)
            settle(messages);
        if (id % 3 == 1 && take(input, 1) > 0xE0)
            send_part(input);
    }
    settle(messages);
    check_taps();
    check_text(device.responder.bye, sizeof device.responder.bye);
    file_size = 0;
    for (uint32_t id = 1; id <= LETTERS; id++)
        MUST(asked[id].answers == asked[id].asks);
    if (choices & FULL) { /* it closes before this one is looked at */
        send_letter(input, 1);
        shl_message_queue_send(&host);
        shl_responder_pump(&device.responder);
    }
}

static void with_message_thread(struct input *input)
{
    const struct message_thread_options options = {
        .exchange = exchange = exchange_new(),
        .files = choices & ANOTHER ? NULL : sandbox_inbox,
        .kind = KIND,
        .out_channels = 2,
        .in_channels = choices & ANOTHER ? 2 : 0,
        .sysex = 1};
    struct message_thread *message_thread = message_thread_new(&options);

    MUST(exchange && message_thread &&
         !message_thread_open(message_thread, &device));
    for (uint32_t i = 0; i < SYNTH_PARAMS; i++)
        synth_set(synth, (enum synth_param)i, synth_params()[i].initial);
    exchange_show(exchange, synth);
    converse(input, NULL);
    message_thread_close(message_thread);
    message_thread_free(message_thread);
    exchange_free(exchange);
    exchange = NULL;
    sandbox_check();
    sandbox_empty(sandbox_inbox);
}

static void with_plugin(struct input *input)
{
    plugin = plugins[choices & ANOTHER ? 1 : 0];
    struct messages *messages = messages_new(&device, plugin, bell);
    MUST(messages);
    converse(input, messages);
    messages_free(messages);
    check_plugin();
}

static void leave(void)
{
    shl_segment_close(&device.segment);
    shl_bell_free(bell);
    unload_plugins();
    synth_free(synth);
}

static void begin(void)
{
    char name[40];

    snprintf(name, sizeof name, "/shl-%u-y%u", (unsigned)getuid(),
             (unsigned)getpid());
    MUST(!shl_segment_create(name, 48000, &device.segment));
    shl_map_unlink(name);
    snprintf(device.identity.id, sizeof device.identity.id, "Fuzz:0");
    device.identity.rate_hz = 48000;
    device.identity.in_channels = device.identity.out_channels = 2;
    MUST(!shl_device_keep_taps(&device, taps, TAPS, NULL));
    MUST(!shl_bell_new(&bell));
    MUST((synth = synth_new(48000)) != NULL);
    load_plugins();
    log_set_level(PLUGIN_NONE);
    sandbox_open();
    atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};

    if (!device.segment.messages)
        begin();
    choices = take(&input, 1);
    claim();
    if ((choices & 3) == 3)
        converse(&input, NULL);
    else if (choices & 2)
        with_message_thread(&input);
    else
        with_plugin(&input);
    shl_responder_close(&device.responder);
    shl_message_queue_close(&host);
    return 0;
}
