/* SPDX-License-Identifier: MIT */
/* Hostile answers: whatever a device may send by message to a host of ours, in
 * whole payloads or in parts, at any time: answers to questions that were asked,
 * twice, or never; what it says by itself; what it says of its taps. The link is
 * a real one, the device's end of it is the fuzzer's, the clock as well.
 *
 * Each question must get one answer, with a status and a sentence fit to be
 * shown; planes that the host hears must be the taps' own. */

/* shows DL-60 */
#include "core/board/board.h"
#include "core/host/host_state.h"
#include "shmlink/name.h"

#include "input.h"

#include <string.h>
#include <unistd.h>

#define STEPS     40u
#define QUESTIONS 24u /* at most, per input */

uint64_t __wrap_shl_clock_ns(void);

static uint64_t now_ns = 1;

uint64_t __wrap_shl_clock_ns(void)
{
    return now_ns += 1000;
}

static const struct shl_tap taps[] = {{"osc1", SHL_TAP_AUDIO, 1},
                                      {"env", SHL_TAP_CONTROL, 1},
                                      {"bus 1", SHL_TAP_AUDIO, 2},
                                      {"most", SHL_TAP_AUDIO, 29}};
#define TAPS (sizeof taps / sizeof *taps)

static struct shl_registration registration;
static struct shl_segment theirs; /* the device's mapping and lease */
static shl_host *host;
static struct shl_console console;
static volatile uint32_t sink;

/* Questions of this input, by number. */
static struct {
    uint32_t id, asked, answered;
    bool replied; /* the device has used its id */
} question[QUESTIONS];
static uint32_t questions;
static bool wild; /* ids may have been changed on their way */

/* ---- what must hold ------------------------------------------------------------- */

static void check_text(const char *text, size_t limit)
{
    char copy[512];
    const size_t length = strnlen(text, limit);

    MUST(length < limit && length < sizeof copy);
    memcpy(copy, text, length + 1);
    shl_text_clean(copy, length + 1);
    MUST(!strcmp(copy, text));
}

static void use_bytes(const uint8_t *bytes, uint32_t size)
{
    MUST(size <= SHL_MAX_PAYLOAD && (bytes || !size));
    for (uint32_t i = 0; i < size; i++)
        sink += bytes[i];
}

static void hear_line(void *arg, const char *text)
{
    (void)arg;
    check_text(text, 320);
}

static int hear_message(void *arg, const struct shl_received *message)
{
    (void)arg;
    MUST(!shl_message_answers(message->type));
    use_bytes(message->bytes, message->size);
    return 1;
}

static void hear_answer(void *arg, const struct shl_answer *answer)
{
    const size_t number = (size_t)(uintptr_t)arg;

    MUST(question[number].asked && !question[number].answered++);
    MUST(answer->status >= 0 && answer->status < SHL_STATUS_COUNT &&
         answer->status != SHL_AGAIN);
    MUST(answer->status || wild || question[number].replied);
    check_text(answer->text, 256);
    MUST(!answer->status == !answer->text[0]);
    use_bytes(answer->bytes, answer->size);
}

static void check_host(void)
{
    uint32_t planes = 0;

    check_text(host->requester.bye, sizeof host->requester.bye);

    for (uint32_t i = 0; i < TAPS; i++) {
        const uint32_t first = shl_host_routed(host, i);
        if (first == SHL_NO_ROUTE)
            continue;
        MUST(first >= 2 && first + taps[i].channels <= SHL_MAX_CHANNELS);
        planes |= (uint32_t)(((UINT64_C(1) << taps[i].channels) - 1) << first);
    }
    MUST(!(host->link.tap_planes & ~planes));
}

/* ---- a device and a host that have linked ------------------------------------------ */

static void leave(void)
{
    shl_host_free(host);
    shl_map_unlink(theirs.name);
    shl_segment_close(&theirs);
    shl_registration_leave(&registration);
}

static void announce(void)
{
    const struct shl_process self = shl_process_self();
    struct shl_identity identity = {.id = "Fuzzed",
                                    .pid = self.pid,
                                    .start_time = self.start_time,
                                    .pid_namespace = self.pid_namespace,
                                    .rate_hz = 48000,
                                    .quantum = 1,
                                    .block_frames = 64,
                                    .in_channels = 2,
                                    .out_channels = 2,
                                    .modes = SHL_MODE_BOTH,
                                    .drives = 3,
                                    .tap_count = TAPS};

    MUST(!shl_registration_take(NULL, &identity, &registration, NULL));
    MUST(!shl_segment_create(registration.entry.segment, 48000, &theirs));
    MUST(!shl_segment_reserve_planes(&theirs, SHL_MAX_CHANNELS));
    shl_segment_write_taps(&theirs, taps, TAPS);
    shl_seqlock_write(&theirs.identity->seqlock, &identity,
                      sizeof identity / 8);
    shl_segment_ready(&theirs);
}

static void begin(void)
{
    const struct shl_host_options options = {.in_channels = 2,
                                             .out_channels = SHL_MAX_CHANNELS,
                                             .rate_hz = 48000,
                                             .block_frames = 64};

    announce();
    MUST(!shl_host_new(&options, &host));
    MUST(!shl_host_open(host, "Fuzzed:0", 0));
    atomic_store(&theirs.lines->device.epoch, host->link.epoch);
    shl_host_poll(host);
    MUST(shl_host_linked(host) == 2);
    shl_monitor_console(&console, hear_line, NULL);
    shl_host_set_monitor(host, &console.monitor);
    shl_host_on_message(host, hear_message, NULL);
    atexit(leave);
}

/* As after linking. */
static void start_anew(void)
{
    struct shl_requester *requester = &host->requester;
    struct shl_messages *messages = host->link.segment.messages;

    memset(question, 0, sizeof question);
    questions = 0;
    wild = false;
    memset(messages, 0, sizeof *messages);
    memset(&host->taps, 0, sizeof host->taps);
    host->link.tap_planes = 0;
    requester->links = 0;
    requester->requests.late = 0;
    shl_requester_begin(requester, messages, host->link.epoch);
}

/* The link ends: whoever still waits is told. */
static void end(void)
{
    shl_requester_end(&host->requester);
    host->linked = false;
    shl_requester_gone(&host->requester, now_ns);
    host->linked = true;
    for (uint32_t i = 0; i < questions; i++)
        MUST(question[i].answered == question[i].asked);
    MUST(host->requester.requests.count == 0);
}

/* ---- our side ----------------------------------------------------------------------- */

static void note(shl_status status, uint32_t number, uint32_t id)
{
    if (status)
        question[number].asked = 0;
    else
        question[number].id = id;
}

static void ask(struct input *input)
{
    const uint32_t number = questions++, type = take(input, 1) % 32;
    uint8_t bytes[600] = {0};
    uint32_t id = 0;

    question[number].asked = 1;
    note(shl_host_ask(host, type, bytes, take(input, 1) * 2, 0, hear_answer,
                      (void *)(uintptr_t)number, &id),
         number, id);
}

static void post(struct input *input)
{
    struct shl_message_stats stats;

    shl_host_post(host, take(input, 1) % 32, "told", 4);
    shl_host_get_message_stats(host, &stats);
    MUST(stats.waiting <= questions);
}

static void route(struct input *input)
{
    const uint32_t number = questions++, tap = take(input, 1) % (TAPS + 1);
    const uint32_t choice = take(input, 1);
    const uint32_t channel = choice & 0x80 ? SHL_NO_ROUTE : choice % 36;
    struct shl_why why = {""};
    uint32_t id = 0;

    question[number].asked = 1;
    const shl_status status = shl_host_route(
        host, tap, channel, hear_answer, (void *)(uintptr_t)number, &id, &why);
    MUST(!status == !why.text[0]);
    check_text(why.text, sizeof why.text);
    note(status, number, id);
}

/* ---- their side ------------------------------------------------------------------------ */

static uint8_t body[1024];

/* An error is a status and a text, a bye a text; others are any bytes. */
static uint32_t take_body(struct input *input, uint32_t type)
{
    struct shl_pack pack = shl_pack_into(body, sizeof body);
    const uint32_t choice = take(input, 1);
    char text[300];

    if ((type == SHL_MESSAGE_ERROR || type == SHL_MESSAGE_BYE) &&
        choice < 0xE0) {
        const uint32_t length = choice % 8 ? choice % 8 : 230 + choice / 8;
        for (uint32_t i = 0; i < length; i++)
            text[i] = length < 8 ? (char)take(input, 1) : 'e';
        if (type == SHL_MESSAGE_ERROR)
            shl_pack_u32(&pack, choice % 32 == 31
                                    ? take(input, 4)
                                    : choice % (SHL_STATUS_COUNT + 1));
        shl_pack_bytes(&pack, text, length);
        return (uint32_t)pack.used;
    }
    for (uint32_t i = 0; i < choice * 4; i++)
        body[i] = (uint8_t)take(input, 1);
    return choice * 4;
}

static bool push(const struct shl_message *message)
{
    struct shl_message_ring *ring = &theirs.messages->responses;
    const uint32_t at = atomic_load(&ring->write);

    if (at - atomic_load(&ring->read) >= SHL_MESSAGE_SLOTS)
        return false;
    ring->slot[at % SHL_MESSAGE_SLOTS] = *message;
    atomic_store(&ring->write, at + 1);
    return true;
}

/* Whole payloads, cut as they must be; `spoil` may ruin one of the parts. */
static void say(struct input *input, uint32_t type, uint32_t id, uint32_t spoil)
{
    const uint32_t size = take_body(input, type);

    wild |= spoil & 0x80;
    for (uint32_t i = 0; i < questions; i++)
        question[i].replied |= question[i].id == id;
    const struct shl_message head = {
        .type = (uint16_t)type,
        .flags = (uint16_t)((host->link.epoch >> 1 & 0xFF) << 8 | (spoil & 1)),
        .request = id,
        .total = size};

    for (uint32_t part = 0; part < shl_fragments_count(size); part++) {
        struct shl_message message;
        shl_fragments_cut(&message, &head, part, body);
        if (spoil & 0x80 && spoil % 4 == part)
            ((uint8_t *)&message)[take(input, 1) % 16] ^=
                (uint8_t)take(input, 1);
        if (!(spoil & 0x40 && spoil % 4 == part))
            push(&message);
    }
}

static uint32_t take_id(struct input *input)
{
    const uint32_t choice = take(input, 1);

    if (choice < 0xE0 && questions)
        return question[choice % questions].id;
    if (choice < 0xF0 && questions) /* the right place, another question */
        return question[choice % questions].id ^ 0x100;
    return choice & 1 ? take(input, 4) : SHL_MESSAGE_UNASKED | choice;
}

static void answer(struct input *input)
{
    static const uint32_t types[] = {SHL_MESSAGE_REPLY, SHL_MESSAGE_REPLY,
                                     SHL_MESSAGE_ERROR, SHL_MESSAGE_ERROR,
                                     SHL_MESSAGE_PONG};
    const uint32_t id = take_id(input), choice = take(input, 1);

    say(input, types[choice % 5], id, choice < 0xC0 ? 0 : take(input, 1));
}

static void speak(struct input *input)
{
    const uint32_t type = take(input, 1) % 40, id = take_id(input);

    say(input, type, id, take(input, 1));
}

static void damage(struct input *input)
{
    struct shl_message_ring *ring = take(input, 1) & 1
                                        ? &theirs.messages->responses
                                        : &theirs.messages->commands;
    const uint32_t choice = take(input, 1);
    _Atomic uint32_t *word = choice & 1 ? &ring->write : &ring->read;

    wild = true;
    atomic_store(word, choice & 2 ? take(input, 4)
                                  : atomic_load(word) + (choice >> 2));
}

static void step(struct input *input)
{
    const uint32_t choice = take(input, 1) % 16;

    if (choice < 3 && questions < QUESTIONS)
        ask(input);
    else if (choice < 6 && questions < QUESTIONS)
        route(input);
    else if (choice < 10)
        answer(input);
    else if (choice < 12)
        speak(input);
    else if (choice == 12)
        damage(input);
    else if (choice == 13)
        now_ns += UINT64_C(500000000) * take(input, 1);
    else if (choice == 14)
        post(input);
    else
        shl_host_poll(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};

    if (!host)
        begin();
    start_anew();
    for (uint32_t n = 0; n < STEPS && input.at < input.end; n++) {
        step(&input);
        check_host();
    }
    shl_host_poll(host);
    check_host();
    MUST(shl_host_linked(host) == 2);
    end();
    return 0;
}
