/* SPDX-License-Identifier: MIT */
#include "message_thread.h"

#include "bank.h"
#include "inbox.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARD_MS   4000u /* for the audio thread to take what it gets */
#define REST_MS    1000u
#define WAIT_LIMIT (UINT64_C(2) * SHL_MAX_PAYLOAD) /* memory not done yet */
#define REPLY_SIZE 4096u

/* A message that waits for its turn. */
struct letter {
    struct letter *next;
    uint32_t type, request, asks, size;
    uint8_t bytes[];
};

/*   posted   the keeper pushes (release), the worker takes all (acquire)
 *   waiting  bytes of all letters with their heads, relaxed
 *   open     control stores (seq_cst), keeper and worker load: there is work
 *   inside   keeper adds and subtracts (seq_cst), control waits for 0: then no
 *            call of the handler uses the worker any more */
struct message_thread {
    struct message_thread_options options;
    shl_device *device;
    shl_worker *worker;
    struct inbox *inbox;
    uint32_t program; /* the worker's own */
    struct shl_midi_stream midi;
    _Atomic(struct letter *) posted;
    _Atomic uint64_t waiting;
    _Atomic uint32_t open, inside;
};

/* An empty one takes memory, too. */
static uint64_t memory_of(uint32_t size)
{
    return sizeof(struct letter) + (uint64_t)size;
}

struct message_thread *
message_thread_new(const struct message_thread_options *options)
{
    struct message_thread *message_thread = calloc(1, sizeof(*message_thread));

    if (!message_thread)
        return NULL;
    message_thread->options = *options;
    message_thread->inbox = inbox_new(options->files);
    if (!message_thread->inbox) {
        free(message_thread);
        return NULL;
    }
    return message_thread;
}

void message_thread_free(struct message_thread *message_thread)
{
    if (!message_thread)
        return;
    inbox_free(message_thread->inbox);
    free(message_thread);
}

/* ---- answers ----------------------------------------------------------------- */

static void refuse(struct message_thread *message_thread,
                   const struct letter *letter, shl_status status,
                   const char *text)
{
    if (letter->asks)
        shl_device_refuse(message_thread->device, letter->request, status,
                          text);
}

static void reply(struct message_thread *message_thread,
                  const struct letter *letter, const struct shl_pack *pack)
{
    if (!letter->asks)
        return;
    if (pack && pack->full)
        refuse(message_thread, letter, SHL_NO_MEMORY, "the answer is too long");
    else
        shl_device_reply(message_thread->device, letter->request,
                         pack ? pack->bytes : NULL,
                         pack ? (uint32_t)pack->used : 0);
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
say(struct message_thread *message_thread, uint32_t level, const char *format,
    ...)
{
    uint8_t bytes[sizeof(struct shl_payload_log) + 4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));
    struct shl_payload_log log = {.level = level};
    va_list list;

    va_start(list, format);
    vsnprintf(log.sentence, sizeof(log.sentence), format, list);
    va_end(list);
    shl_pack_log(&pack, &log);
    shl_device_post(message_thread->device, SHL_MESSAGE_LOG, bytes,
                    (uint32_t)pack.used);
}

/* Whether a payload was exactly what its type says. */
static int whole(struct message_thread *message_thread,
                 const struct letter *letter, const struct shl_unpack *unpack)
{
    char text[120];

    if (shl_unpack_whole(unpack))
        return 1;
    snprintf(text, sizeof(text), "the payload of this %s is not as it must be",
             shl_message_get_about(letter->type)->name);
    refuse(message_thread, letter, SHL_BAD_VALUE, text);
    return 0;
}

static struct shl_unpack payload(const struct letter *letter)
{
    return shl_unpack_from(letter->bytes, letter->size);
}

/* Hand all values to the audio thread and wait until it has them, so that who
 * gets the answer hears and sees what was asked for. */
static int hear(struct message_thread *message_thread,
                const struct letter *letter, const double *values, int reset)
{
    const uint32_t number =
        exchange_post(message_thread->options.exchange, values, reset);
    const uint64_t until_ns = shl_clock_ns() + HEARD_MS * UINT64_C(1000000);

    shl_device_wake(message_thread->device);
    while (shl_clock_ns() < until_ns) {
        if (exchange_heard(message_thread->options.exchange, number))
            return 1;
        if (!atomic_load_explicit(&message_thread->open, memory_order_relaxed))
            break;
        shl_sleep_ms(1);
    }
    refuse(message_thread, letter, SHL_TIMEOUT,
           "the audio thread does not take it");
    return 0;
}

/* ---- parameters ---------------------------------------------------------------- */

static const struct shl_param *param_of(struct message_thread *message_thread,
                                        const struct letter *letter,
                                        uint32_t id)
{
    if (id < SYNTH_PARAMS)
        return &synth_params()[id];
    refuse(message_thread, letter, SHL_NOT_FOUND,
           "there is no parameter of this id");
    return NULL;
}

static void param_list(struct message_thread *message_thread,
                       const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    uint8_t bytes[REPLY_SIZE];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    if (!whole(message_thread, letter, &unpack))
        return;
    shl_pack_params(&pack, synth_params(), SYNTH_PARAMS);
    reply(message_thread, letter, &pack);
}

static void reply_value(struct message_thread *message_thread,
                        const struct letter *letter, double value)
{
    uint8_t bytes[8];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    shl_pack_param_value(&pack, &(struct shl_payload_param_value){value});
    reply(message_thread, letter, &pack);
}

static void param_get(struct message_thread *message_thread,
                      const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    struct shl_payload_param_id asked;
    double values[SYNTH_PARAMS];

    shl_unpack_param_id(&unpack, &asked);
    if (!whole(message_thread, letter, &unpack) ||
        !param_of(message_thread, letter, asked.id))
        return;
    exchange_values(message_thread->options.exchange, values);
    reply_value(message_thread, letter, values[asked.id]);
}

static void param_set(struct message_thread *message_thread,
                      const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    struct shl_payload_param_set set;
    const struct shl_param *param;
    double values[SYNTH_PARAMS];

    shl_unpack_param_set(&unpack, &set);
    if (!whole(message_thread, letter, &unpack))
        return;
    param = param_of(message_thread, letter, set.id);
    if (!param)
        return;
    if (!isfinite(set.value)) {
        refuse(message_thread, letter, SHL_BAD_VALUE,
               "this is no finite number");
        return;
    }
    exchange_values(message_thread->options.exchange, values);
    values[set.id] = shl_param_clip(param, set.value);
    if (hear(message_thread, letter, values, 0))
        reply_value(message_thread, letter, values[set.id]);
}

static void param_text(struct message_thread *message_thread,
                       const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    struct shl_payload_param_text asked;
    struct shl_payload_param_words answer;
    const struct shl_param *param;
    uint8_t bytes[sizeof(answer) + 4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    shl_unpack_param_text(&unpack, &asked);
    if (!whole(message_thread, letter, &unpack))
        return;
    param = param_of(message_thread, letter, asked.id);
    if (!param)
        return;
    if (asked.text[0] && shl_param_read(param, asked.text, &asked.value)) {
        refuse(message_thread, letter, SHL_BAD_VALUE,
               "this is no text of a value");
        return;
    }
    answer.value = shl_param_clip(param, asked.value);
    shl_param_text(param, answer.value, answer.text, sizeof(answer.text));
    shl_pack_param_words(&pack, &answer);
    reply(message_thread, letter, &pack);
}

/* ---- programs -------------------------------------------------------------------- */

static void program_list(struct message_thread *message_thread,
                         const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    uint8_t bytes[REPLY_SIZE];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    if (!whole(message_thread, letter, &unpack))
        return;
    shl_pack_list(&pack, &(struct shl_payload_list){bank_count()});
    for (uint32_t i = 0; i < bank_count(); i++) {
        struct shl_payload_program_name row;

        shl_text_copy(row.name, sizeof(row.name), bank_program(i)->name);
        shl_pack_program_name(&pack, &row);
    }
    reply(message_thread, letter, &pack);
}

static void tell_program(struct message_thread *message_thread,
                         const struct letter *letter)
{
    struct shl_payload_program program = {.index = message_thread->program};
    uint8_t bytes[sizeof(program) + 4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    shl_text_copy(program.name, sizeof(program.name),
                  bank_program(program.index)->name);
    shl_pack_program(&pack, &program);
    reply(message_thread, letter, &pack);
}

static void program_get(struct message_thread *message_thread,
                        const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);

    if (whole(message_thread, letter, &unpack))
        tell_program(message_thread, letter);
}

static void program_set(struct message_thread *message_thread,
                        const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    struct shl_payload_program_set set;
    const struct program *program;
    char text[80];

    shl_unpack_program_set(&unpack, &set);
    program = bank_program(set.index);
    if (!whole(message_thread, letter, &unpack))
        return;
    if (!program) {
        snprintf(text, sizeof(text), "programs go from 0 to %u",
                 (unsigned)bank_count() - 1);
        refuse(message_thread, letter, SHL_NOT_FOUND, text);
        return;
    }
    if (!hear(message_thread, letter, program->value, 0))
        return;
    message_thread->program = set.index;
    tell_program(message_thread, letter);
}

/* ---- state ------------------------------------------------------------------------- */

static void state_save(struct message_thread *message_thread,
                       const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    double values[SYNTH_PARAMS];
    uint8_t bytes[REPLY_SIZE];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    if (!whole(message_thread, letter, &unpack))
        return;
    exchange_values(message_thread->options.exchange, values);
    shl_snapshot_write(message_thread->options.kind, message_thread->program,
                       synth_params(), values, SYNTH_PARAMS, bytes);
    pack.used = shl_snapshot_size(SYNTH_PARAMS);
    reply(message_thread, letter, &pack);
}

static void state_restore(struct message_thread *message_thread,
                          const struct letter *letter)
{
    double values[SYNTH_PARAMS];
    uint32_t program = SHL_NO_PROGRAM;
    struct shl_why why = {""};
    shl_status status;

    exchange_values(message_thread->options.exchange, values);
    status = shl_snapshot_read(message_thread->options.kind, letter->bytes,
                               letter->size, synth_params(), SYNTH_PARAMS,
                               values, &program, &why);
    if (status) {
        refuse(message_thread, letter, status, why.text);
        return;
    }
    if (!hear(message_thread, letter, values, 0))
        return;
    if (bank_program(program))
        message_thread->program = program;
    reply(message_thread, letter, NULL);
}

static void reset(struct message_thread *message_thread,
                  const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    double values[SYNTH_PARAMS];

    if (!whole(message_thread, letter, &unpack))
        return;
    exchange_values(message_thread->options.exchange, values);
    if (hear(message_thread, letter, values, 1))
        reply(message_thread, letter, NULL);
}

static void bus_layout(struct message_thread *message_thread,
                       const struct letter *letter)
{
    const struct message_thread_options *options = &message_thread->options;
    struct shl_unpack unpack = payload(letter);
    uint8_t bytes[100];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    if (!whole(message_thread, letter, &unpack))
        return;
    shl_pack_bus_layout(&pack, options->in_channels, options->out_channels);
    reply(message_thread, letter, &pack);
}

/* ---- files -------------------------------------------------------------------------- */

static void file_offer(struct message_thread *message_thread,
                       const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    struct shl_payload_file_offer offer;
    struct shl_payload_file_transfer answer = {0};
    uint8_t bytes[sizeof(answer)];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));
    struct shl_why why = {""};
    shl_status status;

    shl_unpack_file_offer(&unpack, &offer);
    if (!whole(message_thread, letter, &unpack))
        return;
    status = inbox_offer(message_thread->inbox, offer.name, offer.size,
                         offer.checksum, &answer.transfer, &why);
    if (status) {
        refuse(message_thread, letter, status, why.text);
        return;
    }
    shl_pack_file_transfer(&pack, &answer);
    reply(message_thread, letter, &pack);
}

static void file_data(struct message_thread *message_thread,
                      const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    struct shl_payload_file_data piece;
    struct shl_payload_file_kept answer = {0};
    uint8_t bytes[sizeof(answer)];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));
    struct shl_why why = {""};
    const char *name = NULL;
    shl_status status;

    if (!shl_unpack_file_data(&unpack, &piece)) {
        whole(message_thread, letter, &unpack);
        return;
    }
    status = inbox_data(message_thread->inbox, piece.transfer, piece.offset,
                        piece.data, piece.data_size, &answer.kept, &name, &why);
    if (status) {
        refuse(message_thread, letter, status, why.text);
        return;
    }
    shl_pack_file_kept(&pack, &answer);
    reply(message_thread, letter, &pack);
    if (name)
        say(message_thread, 2, "file %s has come, %llu bytes", name,
            (unsigned long long)answer.kept);
}

/* ---- untimed MIDI ------------------------------------------------------------------- */

/* SysEx means nothing to this synth; the rest is heard as soon as it can be. */
static int hear_midi(struct message_thread *message_thread, uint8_t port,
                     const uint8_t *bytes, uint32_t size)
{
    uint32_t ump[2] = {0, 0};

    for (uint32_t i = 0; i < size; i++)
        if (shl_midi_stream_byte(&message_thread->midi, port, bytes[i], ump) &&
            ump[0] >> 28 == 2 &&
            !exchange_midi(message_thread->options.exchange, ump))
            return 0;
    shl_device_wake(message_thread->device);
    return 1;
}

static void midi_raw(struct message_thread *message_thread,
                     const struct letter *letter)
{
    struct shl_unpack unpack = payload(letter);
    struct shl_payload_midi_raw raw;

    if (!shl_unpack_midi_raw(&unpack, &raw) || raw.port >= SHL_MAX_MIDI_PORTS) {
        unpack.bad = true;
        whole(message_thread, letter, &unpack);
        return;
    }
    if (!hear_midi(message_thread, (uint8_t)raw.port, raw.midi,
                   raw.midi_size)) {
        refuse(message_thread, letter, SHL_RING_FULL,
               "more MIDI than the synth takes at once: the rest is lost");
        return;
    }
    if (message_thread->options.sysex && raw.midi_size && raw.midi[0] == 0xF0)
        shl_device_post(message_thread->device, SHL_MESSAGE_MIDI_RAW,
                        letter->bytes, letter->size);
    reply(message_thread, letter, NULL);
}

/* ---- the worker --------------------------------------------------------------------- */

typedef void (*work)(struct message_thread *message_thread,
                     const struct letter *letter);

static work work_for(uint32_t type)
{
    static const work table[SHL_MESSAGE_TYPES] = {
        [SHL_MESSAGE_MIDI_RAW] = midi_raw,
        [SHL_MESSAGE_PARAM_LIST] = param_list,
        [SHL_MESSAGE_PARAM_GET] = param_get,
        [SHL_MESSAGE_PARAM_SET] = param_set,
        [SHL_MESSAGE_PARAM_TEXT] = param_text,
        [SHL_MESSAGE_PROGRAM_LIST] = program_list,
        [SHL_MESSAGE_PROGRAM_GET] = program_get,
        [SHL_MESSAGE_PROGRAM_SET] = program_set,
        [SHL_MESSAGE_STATE_SAVE] = state_save,
        [SHL_MESSAGE_STATE_RESTORE] = state_restore,
        [SHL_MESSAGE_FILE_OFFER] = file_offer,
        [SHL_MESSAGE_FILE_DATA] = file_data,
        [SHL_MESSAGE_RESET] = reset,
        [SHL_MESSAGE_BUS_LAYOUT] = bus_layout,
    };

    return type < SHL_MESSAGE_TYPES ? table[type] : NULL;
}

/* All that was posted, oldest first. */
static struct letter *collect(struct message_thread *message_thread)
{
    /* acquire: the letters are whole */
    struct letter *newest = atomic_exchange_explicit(
        &message_thread->posted, NULL, memory_order_acquire);
    struct letter *oldest = NULL;

    while (newest) {
        struct letter *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void message_thread_work(void *argument)
{
    struct message_thread *message_thread = argument;
    struct letter *letter;

    while ((letter = collect(message_thread)) != NULL) {
        while (letter) {
            struct letter *next = letter->next;

            if (atomic_load_explicit(&message_thread->open,
                                     memory_order_relaxed))
                work_for(letter->type)(message_thread, letter);
            atomic_fetch_sub_explicit(&message_thread->waiting,
                                      memory_of(letter->size),
                                      memory_order_relaxed);
            free(letter);
            letter = next;
        }
    }
}

/* ---- the handler, on the keeper's thread -------------------------------------------- */

static void hang_up(struct message_thread *message_thread,
                    struct letter *letter)
{
    letter->next =
        atomic_load_explicit(&message_thread->posted, memory_order_relaxed);
    /* release: the letter is whole */
    while (!atomic_compare_exchange_weak_explicit(
        &message_thread->posted, &letter->next, letter, memory_order_release,
        memory_order_relaxed))
        continue;
    shl_worker_wake(message_thread->worker);
}

static int take(struct message_thread *message_thread,
                const struct shl_received *message)
{
    struct letter *letter = NULL;

    if (atomic_load_explicit(&message_thread->waiting, memory_order_relaxed) +
            memory_of(message->size) <=
        WAIT_LIMIT)
        letter = malloc(sizeof(*letter) + message->size);
    if (!letter) {
        if (message->asks)
            shl_device_refuse(message_thread->device, message->request,
                              SHL_NO_MEMORY,
                              "too much waits to be done already");
        return 1;
    }
    letter->type = message->type;
    letter->request = message->request;
    letter->asks = message->asks;
    letter->size = message->size;
    if (message->size)
        memcpy(letter->bytes, message->bytes, message->size);
    atomic_fetch_add_explicit(&message_thread->waiting,
                              memory_of(message->size), memory_order_relaxed);
    hang_up(message_thread, letter);
    return 1;
}

static int message_thread_handle(void *argument,
                                 const struct shl_received *message)
{
    struct message_thread *message_thread = argument;
    int handled = 0;

    if (!work_for(message->type))
        return 0;
    /* seq_cst, all three: closing sees us inside, or we see it closed */
    atomic_fetch_add_explicit(&message_thread->inside, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&message_thread->open, memory_order_seq_cst))
        handled = take(message_thread, message);
    atomic_fetch_sub_explicit(&message_thread->inside, 1, memory_order_seq_cst);
    return handled;
}

shl_status message_thread_open(struct message_thread *message_thread,
                               shl_device *device)
{
    shl_status status;

    message_thread->device = device;
    status = shl_worker_new(message_thread_work, message_thread, REST_MS,
                            &message_thread->worker);
    if (status)
        return status;
    atomic_store_explicit(&message_thread->open, 1, memory_order_seq_cst);
    status =
        shl_device_on_message(device, message_thread_handle, message_thread);
    if (status)
        message_thread_close(message_thread);
    return status;
}

void message_thread_close(struct message_thread *message_thread)
{
    struct letter *letter;

    atomic_store_explicit(&message_thread->open, 0, memory_order_seq_cst);
    while (atomic_load_explicit(&message_thread->inside, memory_order_seq_cst))
        shl_sleep_ms(1);
    shl_worker_free(message_thread->worker);
    message_thread->worker = NULL;
    letter = collect(message_thread);
    while (letter) {
        struct letter *next = letter->next;

        free(letter);
        letter = next;
    }
    atomic_store_explicit(&message_thread->waiting, 0, memory_order_relaxed);
}
