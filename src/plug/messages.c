/* SPDX-License-Identifier: MIT */
#include "messages.h"

#include "log.h"
#include "requests.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory for messages that wait. */
#define WAIT_LIMIT (UINT64_C(2) * SHL_MAX_PAYLOAD)

/* One that waits: a stack, the last on top. */
struct waiting {
    struct waiting *next;
    uint32_t type, request, asks, size;
    uint8_t bytes[];
};

struct messages {
    shl_device *device;
    struct plugin *plugin;
    shl_bell *control;
    shl_scratchpad *pad;
    /* the device's thread pushes (release: the message is whole), the control
     * thread takes all at once (acquire) */
    _Atomic(struct waiting *) top;
    _Atomic uint64_t memory; /* of all that wait, relaxed */
};

/* Everything else the device answers by itself. */
static int is_ours(const struct messages *messages, uint32_t type)
{
    const struct plugin_calls *calls = messages->plugin->calls;

    switch (type) {
    case SHL_MESSAGE_STATE_SAVE:
        return calls->save != NULL;
    case SHL_MESSAGE_STATE_RESTORE:
        return calls->restore != NULL;
    case SHL_MESSAGE_PARAM_LIST:
    case SHL_MESSAGE_PARAM_GET:
    case SHL_MESSAGE_PARAM_SET:
    case SHL_MESSAGE_PARAM_TEXT:
        return calls->params && calls->value;
    case SHL_MESSAGE_PROGRAM_LIST:
    case SHL_MESSAGE_PROGRAM_GET:
    case SHL_MESSAGE_PROGRAM_SET:
        return calls->programs != NULL;
    case SHL_MESSAGE_MIDI_RAW:
        return calls->ports(messages->plugin).midi_in > 0;
    case SHL_MESSAGE_RESET:
    case SHL_MESSAGE_BUS_LAYOUT:
    case SHL_MESSAGE_PLUGIN:
        return 1;
    default:
        return 0;
    }
}

/* A place for one more, as long as not too much waits: the plugin may take its
 * time, and its host must not fill our memory meanwhile. */
static struct waiting *place_for(struct messages *messages, uint32_t size)
{
    const uint64_t memory = sizeof(struct waiting) + (uint64_t)size;
    struct waiting *one = NULL;

    if (atomic_load_explicit(&messages->memory, memory_order_relaxed) +
            memory <=
        WAIT_LIMIT)
        one = malloc((size_t)memory);
    if (one)
        atomic_fetch_add_explicit(&messages->memory, memory,
                                  memory_order_relaxed);
    return one;
}

static void discard(struct messages *messages, struct waiting *one)
{
    atomic_fetch_sub_explicit(&messages->memory,
                              sizeof(*one) + (uint64_t)one->size,
                              memory_order_relaxed);
    free(one);
}

/* On the device's own thread. */
static int hear(void *arg, const struct shl_received *received)
{
    struct messages *messages = arg;
    struct waiting *one;

    if (!is_ours(messages, received->type))
        return 0;
    one = place_for(messages, received->size);
    if (!one) {
        if (received->asks)
            shl_device_refuse(messages->device, received->request,
                              SHL_NO_MEMORY,
                              "too much waits for the plugin already");
        return 1;
    }
    one->type = received->type;
    one->request = received->request;
    one->asks = received->asks;
    one->size = received->size;
    if (received->size)
        memcpy(one->bytes, received->bytes, received->size);
    one->next = atomic_load_explicit(&messages->top, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&messages->top, &one->next,
                                                  one, memory_order_release,
                                                  memory_order_relaxed))
        continue;
    shl_bell_ring(messages->control);
    return 1;
}

struct messages *messages_new(shl_device *device, struct plugin *plugin,
                              shl_bell *control)
{
    struct messages *messages = calloc(1, sizeof(*messages));

    if (!messages || shl_scratchpad_new(&messages->pad)) {
        free(messages);
        return NULL;
    }
    messages->device = device;
    messages->plugin = plugin;
    messages->control = control;
    if (shl_device_on_message(device, hear, messages)) {
        shl_scratchpad_free(messages->pad);
        free(messages);
        return NULL;
    }
    return messages;
}

/* All that wait, the oldest first. */
static struct waiting *take_all(struct messages *messages)
{
    struct waiting *from =
        atomic_exchange_explicit(&messages->top, NULL, memory_order_acquire);
    struct waiting *in_order = NULL;

    while (from) {
        struct waiting *next = from->next;

        from->next = in_order;
        in_order = from;
        from = next;
    }
    return in_order;
}

void messages_free(struct messages *messages)
{
    if (!messages)
        return;
    for (struct waiting *one = take_all(messages); one;) {
        struct waiting *next = one->next;

        free(one);
        one = next;
    }
    shl_scratchpad_free(messages->pad);
    free(messages);
}

/* ---- answers: bytes to reply with, or a status ------------------------------- */

static shl_status save(struct plugin *plugin, struct state *reply,
                       const struct messages_holder *holder,
                       struct shl_why *why)
{
    const int holds = plugin->calls->holds & PLUGIN_HOLD_SAVE;
    shl_status status;

    if (holds && !holder->hold(holder->arg))
        return SHL_TIMEOUT;
    status = state_save(plugin, reply, why);
    if (holds)
        holder->release(holder->arg);
    return status;
}

/* Whoever reads the answer may look at the values next. A plugin that hangs has
 * them told when it comes back. */
static void tell_values(const struct messages_holder *holder)
{
    holder->tell(holder->arg);
    (void)holder->given(holder->arg);
}

static shl_status restore(struct plugin *plugin, const struct waiting *one,
                          const struct messages_holder *holder,
                          struct shl_why *why)
{
    const int holds = plugin->calls->holds & PLUGIN_HOLD_RESTORE;
    shl_status status;

    if (holds && !holder->hold(holder->arg))
        return SHL_TIMEOUT;
    status = state_restore(plugin, one->bytes, one->size, why);
    if (holds)
        holder->release(holder->arg);
    tell_values(holder);
    return status;
}

static void write_packed(struct state *reply, const struct shl_pack *pack)
{
    state_write(reply, pack->bytes, pack->used);
}

static void write_value(struct state *reply, double value)
{
    const struct shl_payload_param_value answer = {value};
    uint8_t bytes[sizeof(answer)];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    shl_pack_param_value(&pack, &answer);
    write_packed(reply, &pack);
}

static const struct shl_param *find_param(struct plugin *plugin, uint32_t id)
{
    const struct shl_param *list = NULL;
    const uint32_t count = plugin->calls->params(plugin, &list);

    for (uint32_t i = 0; i < count; i++)
        if (list[i].id == id)
            return &list[i];
    return NULL;
}

static shl_status words_of(struct plugin *plugin, const struct shl_param *param,
                           double value, char *words, size_t size)
{
    if (plugin->calls->text)
        return plugin->calls->text(plugin, param->id, value, words, size);
    shl_param_text(param, value, words, size);
    return SHL_OK;
}

static shl_status param_list(struct plugin *plugin, struct state *reply)
{
    const struct shl_param *list = NULL;
    const uint32_t count = plugin->calls->params(plugin, &list);
    const size_t size = 4 + (size_t)count * (sizeof(*list) + 4);
    uint8_t *bytes = malloc(size);
    struct shl_pack pack = shl_pack_into(bytes, bytes ? size : 0);

    shl_pack_params(&pack, list, count);
    if (!pack.full)
        write_packed(reply, &pack);
    free(bytes);
    return pack.full ? SHL_NO_MEMORY : SHL_OK;
}

static shl_status param_get(struct plugin *plugin, const struct waiting *one,
                            struct state *reply)
{
    struct shl_unpack unpack = shl_unpack_from(one->bytes, one->size);
    struct shl_payload_param_id asked;

    if (!shl_unpack_param_id(&unpack, &asked))
        return SHL_BAD_VALUE;
    if (!find_param(plugin, asked.id))
        return SHL_NOT_FOUND;
    write_value(reply, plugin->calls->value(plugin, asked.id));
    return SHL_OK;
}

static shl_status give_all(const struct messages_holder *holder,
                           struct shl_why *why)
{
    if (holder->given(holder->arg))
        return SHL_OK;
    shl_why_set(why, "the plugin does not come back from its block");
    return SHL_TIMEOUT;
}

static shl_status param_set(struct plugin *plugin, const struct waiting *one,
                            const struct messages_holder *holder,
                            struct state *reply, struct shl_why *why)
{
    struct shl_unpack unpack = shl_unpack_from(one->bytes, one->size);
    struct shl_payload_param_set set;
    const struct shl_param *param;
    shl_status status;

    if (!shl_unpack_param_set(&unpack, &set) || !isfinite(set.value))
        return SHL_BAD_VALUE;
    param = find_param(plugin, set.id);
    if (!param || param->flags & SHL_PARAM_READ_ONLY)
        return SHL_NOT_FOUND;
    const struct shl_event event = shl_event_param(
        0, SHL_EVENT_PARAM, set.id, shl_param_clip(param, set.value));
    if (!holder->give(holder->arg, &event))
        return SHL_RING_FULL;
    status = give_all(holder, why);
    write_value(reply, plugin->calls->value(plugin, set.id));
    return status;
}

static shl_status midi_raw(const struct waiting *one,
                           const struct messages_holder *holder,
                           struct shl_why *why)
{
    struct shl_unpack unpack = shl_unpack_from(one->bytes, one->size);
    struct shl_payload_midi_raw raw;
    struct shl_midi_stream stream = {0};
    uint32_t ump[2];

    if (!shl_unpack_midi_raw(&unpack, &raw) || raw.port >= SHL_MAX_MIDI_PORTS)
        return SHL_BAD_VALUE;
    for (uint32_t i = 0; i < raw.midi_size; i++) {
        const uint32_t words =
            shl_midi_stream_byte(&stream, (uint8_t)raw.port, raw.midi[i], ump);
        if (!words)
            continue;
        const struct shl_event event = shl_event_ump(0, ump, words);
        if (!holder->give(holder->arg, &event) &&
            (!holder->given(holder->arg) || !holder->give(holder->arg, &event)))
            return SHL_RING_FULL;
    }
    return give_all(holder, why);
}

static shl_status bus_layout(struct plugin *plugin, struct state *reply)
{
    const struct plugin_ports ports = plugin->calls->ports(plugin);

    uint8_t bytes[64];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    shl_pack_bus_layout(&pack, ports.audio_in, ports.audio_out);
    write_packed(reply, &pack);
    return SHL_OK;
}

/* A value's text, or a text's value; the plugin's own words where it has some.
 */
static shl_status text(struct plugin *plugin, const struct waiting *one,
                       struct state *reply, struct shl_why *why)
{
    struct shl_unpack unpack = shl_unpack_from(one->bytes, one->size);
    struct shl_payload_param_text asked;
    struct shl_payload_param_words answer = {0};
    uint8_t bytes[sizeof(answer) + 4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));
    const struct shl_param *param = NULL;
    shl_status status = SHL_OK;

    if (!shl_unpack_param_text(&unpack, &asked))
        status = SHL_BAD_VALUE;
    else if ((param = find_param(plugin, asked.id)) == NULL)
        status = SHL_NOT_FOUND;
    else if (asked.text[0])
        status = shl_param_read(param, asked.text, &asked.value);
    if (!status) {
        answer.value = shl_param_clip(param, asked.value);
        status = words_of(plugin, param, answer.value, answer.text,
                          sizeof(answer.text));
    }
    if (status) {
        shl_why_set(why, "%s", shl_status_text(status));
        return status;
    }
    shl_pack_param_words(&pack, &answer);
    write_packed(reply, &pack);
    return SHL_OK;
}

static shl_status program_list(struct plugin *plugin, struct state *reply)
{
    const uint32_t count = plugin->calls->programs(plugin);

    const struct shl_payload_list list = {count};
    struct shl_payload_program_name row;
    uint8_t bytes[sizeof(row) + 4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    shl_pack_list(&pack, &list);
    write_packed(reply, &pack);
    for (uint32_t i = 0; i < count; i++) {
        pack.used = 0;
        shl_text_copy(row.name, sizeof(row.name),
                      plugin->calls->program_name(plugin, i));
        shl_pack_program_name(&pack, &row);
        write_packed(reply, &pack);
    }
    return SHL_OK;
}

static shl_status program_get(struct plugin *plugin, struct state *reply,
                              struct shl_why *why)
{
    struct shl_payload_program answer = {.index =
                                             plugin->calls->program(plugin)};
    uint8_t bytes[sizeof(answer) + 4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof(bytes));

    if (answer.index >= plugin->calls->programs(plugin)) {
        shl_why_set(why, "no program is chosen");
        return SHL_NOT_FOUND;
    }
    shl_text_copy(answer.name, sizeof(answer.name),
                  plugin->calls->program_name(plugin, answer.index));
    shl_pack_program(&pack, &answer);
    write_packed(reply, &pack);
    return SHL_OK;
}

static shl_status program_set(struct plugin *plugin, const struct waiting *one,
                              const struct messages_holder *holder,
                              struct state *reply, struct shl_why *why)
{
    struct shl_unpack unpack = shl_unpack_from(one->bytes, one->size);
    struct shl_payload_program_set set;
    shl_status status;

    if (!shl_unpack_program_set(&unpack, &set) ||
        set.index >= plugin->calls->programs(plugin)) {
        shl_why_set(why, "there is no such program");
        return SHL_NOT_FOUND;
    }
    if (!holder->hold(holder->arg))
        return SHL_TIMEOUT;
    status = plugin->calls->set_program(plugin, set.index, why);
    holder->release(holder->arg);
    tell_values(holder);
    return status ? status : program_get(plugin, reply, why);
}

/* Requests of the Maolan slot that the plugin must not process beside. */
static int changes(const struct plugin *plugin, uint32_t type)
{
    const uint32_t holds = plugin->calls->holds;

    return type == SHL_PLUGIN_HOST_FOLDER || type == SHL_PLUGIN_HOST_FILE ||
           type == SHL_PLUGIN_HOST_COLLECT ||
           (type == SHL_PLUGIN_HOST_STATE_SAVE && holds & PLUGIN_HOLD_SAVE) ||
           (type == SHL_PLUGIN_HOST_STATE_RESTORE &&
            holds & PLUGIN_HOLD_RESTORE);
}

static shl_status slot(struct messages *messages, const struct waiting *one,
                       const struct messages_holder *holder,
                       struct state *reply, struct shl_why *why)
{
    struct shl_unpack unpack = shl_unpack_from(one->bytes, one->size);
    struct shl_payload_plugin asked;
    const int whole = shl_unpack_plugin(&unpack, &asked);
    const int holds = changes(messages->plugin, asked.request);
    struct requests_needs needs = {0, 0};
    struct shl_plugin_host_request request;
    shl_status status;

    if (!whole || !asked.request)
        return SHL_BAD_VALUE;
    shl_scratchpad_begin(messages->pad, asked.request, asked.scratch,
                         asked.scratch_size, &request);
    request.floating = 1;
    if (holds && !holder->hold(holder->arg))
        return SHL_TIMEOUT;
    status =
        requests_answer(messages->pad, messages->plugin, &request, &needs, why);
    if (holds)
        holder->release(holder->arg);
    if (needs.tell)
        tell_values(holder);
    if (status)
        return status;
    uint32_t size;
    const uint8_t *bytes = shl_scratchpad_answer(messages->pad, NULL, &size);
    state_write(reply, bytes, size);
    return reply->status;
}

static shl_status answer(struct messages *messages, const struct waiting *one,
                         const struct messages_holder *holder,
                         struct state *reply, struct shl_why *why)
{
    struct plugin *plugin = messages->plugin;

    switch (one->type) {
    case SHL_MESSAGE_STATE_SAVE:
        return save(plugin, reply, holder, why);
    case SHL_MESSAGE_STATE_RESTORE:
        return restore(plugin, one, holder, why);
    case SHL_MESSAGE_PARAM_LIST:
        return param_list(plugin, reply);
    case SHL_MESSAGE_PARAM_GET:
        return param_get(plugin, one, reply);
    case SHL_MESSAGE_PARAM_SET:
        return param_set(plugin, one, holder, reply, why);
    case SHL_MESSAGE_MIDI_RAW:
        return midi_raw(one, holder, why);
    case SHL_MESSAGE_BUS_LAYOUT:
        return bus_layout(plugin, reply);
    case SHL_MESSAGE_PARAM_TEXT:
        return text(plugin, one, reply, why);
    case SHL_MESSAGE_PROGRAM_LIST:
        return program_list(plugin, reply);
    case SHL_MESSAGE_PROGRAM_GET:
        return program_get(plugin, reply, why);
    case SHL_MESSAGE_PROGRAM_SET:
        return program_set(plugin, one, holder, reply, why);
    case SHL_MESSAGE_PLUGIN:
        return slot(messages, one, holder, reply, why);
    default:
        holder->silence(holder->arg);
        return SHL_OK;
    }
}

static void answer_one(struct messages *messages, const struct waiting *one,
                       const struct messages_holder *holder)
{
    struct state reply = {.status = SHL_OK};
    struct shl_why why = {""};
    shl_status status = answer(messages, one, holder, &reply, &why);

    if (!status)
        status = reply.status;
    if (status)
        log_say(PLUGIN_WARNING, "%s: %s",
                shl_message_get_about(one->type)->name,
                why.text[0] ? why.text : shl_status_text(status));
    if (one->asks && status)
        shl_device_refuse(messages->device, one->request, status,
                          why.text[0] ? why.text : NULL);
    else if (one->asks)
        shl_device_reply(messages->device, one->request, reply.bytes,
                         (uint32_t)reply.size);
    state_free(&reply);
}

void messages_answer(struct messages *messages,
                     const struct messages_holder *holder)
{
    for (struct waiting *one = take_all(messages); one;) {
        struct waiting *next = one->next;

        answer_one(messages, one, holder);
        discard(messages, one);
        one = next;
    }
}
