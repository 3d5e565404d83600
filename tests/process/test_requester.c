/* SPDX-License-Identifier: MIT */
/* Questions and answers over a whole link: a device in a second thread or a
 * second process, its handler, its death. */
#include "shmlink/shmlink.h"

#include "core/messages/responder.h"
#include "core/shm/layout.h"

#include "child.h"
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LONG_MS 20000u
#define MIB     (1u << 20)

/* ---- the device ------------------------------------------------------------- */

/* What it does with each type; 0 leaves it to the built-in handler. */
struct responder {
    shl_device *device;
    uint32_t kept; /* a request to be answered with the next one */
    _Atomic uint32_t heard, logs;
    _Atomic uint32_t quit, idle;
};

static int serve(void *arg, const struct shl_received *message)
{
    struct responder *responder = arg;

    atomic_fetch_add(&responder->heard, 1);
    switch (message->type) {
    case SHL_MESSAGE_PING: /* tries to break it */
        return 1;
    case SHL_MESSAGE_STATE_RESTORE: /* an echo */
        shl_device_reply(responder->device, message->request, message->bytes,
                         message->size);
        return 1;
    case SHL_MESSAGE_PRESET:
        shl_device_refuse(responder->device, message->request, SHL_BUSY,
                          "the preset is being written");
        return 1;
    case SHL_MESSAGE_EXTENSIONS: /* an error, as any bytes say */
        shl_responder_say(shl_device_responder(responder->device),
                          SHL_MESSAGE_ERROR, message->request, message->bytes,
                          message->size);
        return 1;
    case SHL_MESSAGE_EXTENSION_CALL: /* never answered */
        return 1;
    case SHL_MESSAGE_PROGRAM_GET: /* answered one too late */
        if (responder->kept)
            shl_device_reply(responder->device, responder->kept, "late", 4);
        responder->kept = message->request;
        return 1;
    case SHL_MESSAGE_RESET: /* twice */
        shl_device_reply(responder->device, message->request, "1", 1);
        shl_device_reply(responder->device, message->request, "2", 1);
        return 1;
    case SHL_MESSAGE_LOG:
        atomic_fetch_add(&responder->logs, 1);
        shl_device_post(responder->device, SHL_MESSAGE_LOG, message->bytes,
                        message->size);
        return 1;
    default:
        return 0;
    }
}

static void run_device(struct responder *responder)
{
    struct shl_block block;

    while (!atomic_load(&responder->quit)) {
        if (atomic_load(&responder->idle))
            shl_sleep_ms(1);
        else if (shl_device_wait(responder->device, 10, &block) == SHL_OK)
            shl_device_done(responder->device);
    }
}

static shl_status open_device(struct responder *responder)
{
    const struct shl_device_options options = {
        .id = "Desk", .out_channels = 1, .rate_hz = 48000, .block_frames = 64};
    shl_status st = shl_device_open(&options, &responder->device, NULL);

    return st ? st : shl_device_on_message(responder->device, serve, responder);
}

static int device_process(void *arg)
{
    struct responder *responder = arg;

    CHILD_CHECK(open_device(responder) == SHL_OK);
    child_ready();
    run_device(responder);
    shl_device_close(responder->device);
    return 0;
}

static void *device_thread(void *arg)
{
    run_device(arg);
    return NULL;
}

/* ---- the host ------------------------------------------------------------------ */

static struct responder *responder; /* shared with a child */
static shl_host *host;
static pthread_t thread;
static bool threaded;
static pid_t child;

static shl_host *new_host(void)
{
    const struct shl_host_options options = {
        .out_channels = 1, .rate_hz = 48000, .block_frames = 64};
    shl_host *made = NULL;

    assert_int_equal(shl_host_new(&options, &made), SHL_OK);
    return made;
}

static int prepare(void)
{
    responder = mmap(NULL, sizeof *responder, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    child = 0;
    threaded = false;
    host = NULL;
    return responder == MAP_FAILED;
}

static int with_thread(void **state)
{
    (void)state;
    if (prepare() || open_device(responder) != SHL_OK ||
        pthread_create(&thread, NULL, device_thread, responder))
        return 1;
    threaded = true;
    host = new_host();
    return shl_host_open(host, "Desk", LONG_MS) != SHL_OK;
}

static int with_process(void **state)
{
    (void)state;
    if (prepare())
        return 1;
    child = child_start(device_process, responder);
    host = new_host();
    return shl_host_open(host, "Desk", LONG_MS) != SHL_OK;
}

static int tear_down(void **state)
{
    int left = 0;

    (void)state;
    shl_host_free(host);
    atomic_store(&responder->quit, 1);
    if (threaded) {
        pthread_join(thread, NULL);
        shl_device_close(responder->device);
    }
    if (child)
        left = child_wait(child);
    munmap(responder, sizeof *responder);
    return left;
}

struct heard {
    uint32_t times, request, type, size;
    shl_status status;
    char text[120];
    uint64_t took_ns;
    bool same; /* the bytes were those asked with */
};

static uint8_t *payload;

static void hear(void *arg, const struct shl_answer *answer)
{
    struct heard *heard = arg;

    heard->times++;
    heard->request = answer->request;
    heard->type = answer->type;
    heard->size = answer->size;
    heard->status = answer->status;
    heard->took_ns = answer->took_ns;
    snprintf(heard->text, sizeof heard->text, "%s", answer->text);
    heard->same =
        !answer->size || memcmp(answer->bytes, payload, answer->size) == 0;
}

static uint32_t ask(uint32_t type, uint32_t size, uint32_t timeout_ms,
                    struct heard *heard)
{
    uint32_t request = 0;

    memset(heard, 0, sizeof *heard);
    assert_int_equal(shl_host_ask(host, type, payload, size, timeout_ms, hear,
                                  heard, &request),
                     SHL_OK);
    return request;
}

static struct heard ask_and_wait(uint32_t type, uint32_t size)
{
    struct heard heard;
    uint32_t request = ask(type, size, LONG_MS, &heard);

    assert_int_equal(shl_host_await(host, request, LONG_MS + 5000), SHL_OK);
    assert_int_equal(heard.times, 1);
    assert_int_equal(heard.request, request);
    assert_int_equal(heard.type, type);
    return heard;
}

static struct shl_message_stats stats(void)
{
    struct shl_message_stats now;

    shl_host_get_message_stats(host, &now);
    return now;
}

static void poll_until(const _Atomic uint32_t *word, uint32_t value)
{
    for (uint32_t i = 0; i < LONG_MS && atomic_load(word) < value; i++) {
        shl_host_poll(host);
        shl_sleep_ms(1);
    }
    assert_true(atomic_load(word) >= value);
}

/* ---- asking ---------------------------------------------------------------------- */

/* DL-20 */
/* shows DL-20 */
static void ping_comes_back_whatever_the_handler_does(void **state)
{
    struct heard heard;
    uint32_t request;

    (void)state;
    for (int i = 0; i < 20; i++) {
        memset(&heard, 0, sizeof heard);
        assert_int_equal(shl_host_ping(host, LONG_MS, hear, &heard, &request),
                         SHL_OK);
        assert_int_equal(shl_host_await(host, request, LONG_MS), SHL_OK);
        assert_int_equal(heard.status, SHL_OK);
        assert_int_equal(heard.type, SHL_MESSAGE_PING);
        assert_true(heard.took_ns > 0);
    }
    print_message("# figure: a ping took %.0f us there and back\n",
                  (double)heard.took_ns / 1000);
    /* and while the device waits for no block */
    atomic_store(&responder->idle, 1);
    heard = ask_and_wait(SHL_MESSAGE_PING, 200);
    assert_int_equal(heard.size, 200);
    assert_true(heard.same);
}

/* DL-35, DL-29 */
/* shows DL-35 */
static void payload_of_any_size_goes_there_and_back(void **state)
{
    const uint32_t sizes[] = {0,    1,     240, 241,
                              5000, 65536, MIB, SHL_MAX_PAYLOAD};
    uint32_t count = getenv("SHL_SOAK") ? 8 : 7;

    (void)state;
    for (uint32_t i = 0; i < count; i++) {
        struct heard heard = ask_and_wait(SHL_MESSAGE_STATE_RESTORE, sizes[i]);
        assert_int_equal(heard.status, SHL_OK);
        assert_int_equal(heard.size, sizes[i]);
        assert_true(heard.same);
        if (sizes[i] >= MIB)
            print_message("# figure: %u MiB there and back took %.0f ms\n",
                          sizes[i] / MIB, (double)heard.took_ns / 1e6);
    }
    assert_int_equal(stats().faults, 0);
}

static void ping_passes_a_long_transfer(void **state)
{
    struct heard big, small;

    (void)state;
    uint32_t first = ask(SHL_MESSAGE_STATE_RESTORE, 4 * MIB, LONG_MS, &big);
    uint32_t second = ask(SHL_MESSAGE_PING, 8, LONG_MS, &small);
    assert_int_equal(shl_host_await(host, second, LONG_MS), SHL_OK);
    assert_int_equal(small.status, SHL_OK);
    assert_int_equal(big.times, 0);
    assert_int_equal(shl_host_await(host, first, LONG_MS), SHL_OK);
    assert_true(big.same);
}

static void all_of_255_requests_get_one_answer_each(void **state)
{
    static struct heard heard[SHL_MESSAGE_TYPES + 255];
    uint32_t request, done = 0;

    (void)state;
    for (uint32_t i = 0; i < 255; i++)
        ask(i % 3 == 2 ? SHL_MESSAGE_PRESET : SHL_MESSAGE_STATE_RESTORE,
            i % 3 == 1 ? 1000 + i : i, LONG_MS, &heard[i]);
    assert_int_equal(shl_host_ask(host, SHL_MESSAGE_PING, NULL, 0, 0, hear,
                                  &heard[255], &request),
                     SHL_RING_FULL);
    assert_int_equal(stats().waiting, 255);
    for (uint32_t i = 0; i < LONG_MS && stats().waiting; i++) {
        shl_host_poll(host);
        shl_sleep_ms(1);
    }
    for (uint32_t i = 0; i < 255; i++) {
        assert_int_equal(heard[i].times, 1);
        assert_int_equal(heard[i].status, i % 3 == 2 ? SHL_BUSY : SHL_OK);
        assert_true(heard[i].same);
        if (i % 3 != 2)
            assert_int_equal(heard[i].size, i % 3 == 1 ? 1000 + i : i);
        done++;
    }
    assert_int_equal(done, 255);
    assert_int_equal(stats().late, 0);
}

static void errors_come_with_their_sentence(void **state)
{
    struct heard heard = ask_and_wait(SHL_MESSAGE_PRESET, 5);

    (void)state;
    assert_int_equal(heard.status, SHL_BUSY);
    assert_string_equal(heard.text, "the preset is being written");
    heard = ask_and_wait(SHL_MESSAGE_PARAM_LIST, 0);
    assert_int_equal(heard.status, SHL_UNSUPPORTED);
    assert_non_null(strstr(heard.text, "param_list"));
    heard = ask_and_wait(4711, 0);
    assert_int_equal(heard.status, SHL_UNSUPPORTED);
    assert_non_null(strstr(heard.text, "4711"));
    assert_int_equal(
        shl_host_ask(host, SHL_MESSAGE_REPLY, NULL, 0, 0, hear, &heard, NULL),
        SHL_BAD_VALUE);
    assert_int_equal(shl_host_post(host, SHL_MESSAGE_PONG, NULL, 0),
                     SHL_BAD_VALUE);
    assert_int_equal(shl_host_post(host, 0, NULL, 0), SHL_BAD_VALUE);
    assert_int_equal(stats().waiting, 0);
}

static void a_hostile_sentence_is_made_fit_to_be_shown(void **state)
{
    struct shl_pack pack = shl_pack_into(payload, MIB);
    struct heard heard;

    (void)state;
    shl_pack_u32(&pack, SHL_BUSY);
    shl_pack_text(&pack, "\x1B[2Jno\n\xFF");
    heard = ask_and_wait(SHL_MESSAGE_EXTENSIONS, (uint32_t)pack.used);
    assert_int_equal(heard.status, SHL_BUSY);
    assert_string_equal(heard.text, "?[2Jno??");
}

static void silence_is_a_timeout_and_a_late_answer_is_counted(void **state)
{
    struct heard first, second;

    (void)state;
    uint32_t request = ask(SHL_MESSAGE_EXTENSION_CALL, 3, 20, &first);
    assert_int_equal(shl_host_await(host, request, LONG_MS), SHL_OK);
    assert_int_equal(first.status, SHL_TIMEOUT);
    assert_string_equal(first.text, shl_status_text(SHL_TIMEOUT));
    request = ask(SHL_MESSAGE_PROGRAM_GET, 0, 20, &first);
    assert_int_equal(shl_host_await(host, request, LONG_MS), SHL_OK);
    assert_int_equal(first.status, SHL_TIMEOUT);
    /* now the device answers that one */
    request = ask(SHL_MESSAGE_PROGRAM_GET, 0, 500, &second);
    assert_int_equal(shl_host_await(host, request, LONG_MS), SHL_OK);
    assert_int_equal(second.status, SHL_TIMEOUT);
    assert_int_equal(first.times, 1);
    assert_int_equal(stats().late, 1);
    /* a second answer is a late one */
    first = ask_and_wait(SHL_MESSAGE_RESET, 0);
    ask_and_wait(SHL_MESSAGE_PING, 0);
    assert_int_equal(first.times, 1);
    assert_int_equal(first.size, 1);
    assert_int_equal(stats().late, 2);
}

/* ---- the end of a link ------------------------------------------------------------ */

static void death_fails_all_that_is_pending(void **state)
{
    static struct heard heard[255];

    (void)state;
    for (uint32_t i = 0; i < 255; i++)
        ask(SHL_MESSAGE_EXTENSION_CALL, i == 7 ? MIB : 5, 1000000, &heard[i]);
    poll_until(&responder->heard, 100);
    child_kill(child);
    child = 0;
    for (uint32_t i = 0; i < LONG_MS && stats().waiting; i++) {
        shl_host_poll(host);
        shl_sleep_ms(1);
    }
    for (uint32_t i = 0; i < 255; i++) {
        assert_int_equal(heard[i].times, 1);
        assert_int_equal(heard[i].status, SHL_GONE);
        assert_string_equal(heard[i].text, shl_status_text(SHL_GONE));
    }
    assert_int_equal(
        shl_host_ask(host, SHL_MESSAGE_PING, NULL, 0, 0, NULL, NULL, NULL),
        SHL_NO_DEVICE);
    assert_int_equal(shl_host_post(host, SHL_MESSAGE_BYE, NULL, 0),
                     SHL_NO_DEVICE);
}

static void closing_fails_all_that_is_pending(void **state)
{
    struct heard heard[2];

    (void)state;
    ask(SHL_MESSAGE_EXTENSION_CALL, 5, LONG_MS, &heard[0]);
    ask(SHL_MESSAGE_STATE_RESTORE, MIB, LONG_MS, &heard[1]);
    shl_host_poll(host);
    shl_host_close(host);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(heard[i].times, 1);
        assert_int_equal(heard[i].status, SHL_GONE);
    }
}

static void next_host_gets_no_answer_of_the_one_before(void **state)
{
    struct heard heard;

    (void)state;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 20; i++)
            ask(SHL_MESSAGE_STATE_RESTORE, i % 2 ? 3000 : 30, LONG_MS, &heard);
        shl_host_poll(host);
        if (round % 2)
            shl_sleep_ms(1);
        shl_host_close(host);
        assert_int_equal(shl_host_open(host, "Desk", LONG_MS), SHL_OK);
        heard = ask_and_wait(SHL_MESSAGE_STATE_RESTORE, 700 + (uint32_t)round);
        assert_int_equal(heard.status, SHL_OK);
        assert_int_equal(heard.size, 700 + round);
        assert_true(heard.same);
        assert_int_equal(stats().late, 0);
        assert_int_equal(stats().faults, 0);
    }
}

static void device_of_link_1_0_has_no_messages(void **state)
{
    struct shl_link_header *header;
    struct heard heard;
    uint8_t *base;
    int fd;

    (void)state;
    shl_host_close(host);
    fd = shm_open(shl_device_segment(responder->device), O_RDWR, 0);
    assert_true(fd >= 0);
    base =
        mmap(NULL, SHL_SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    assert_ptr_not_equal(base, MAP_FAILED);
    header = (void *)(base + SHL_LINK_OFFSET);
    header->minor = 0;
    header->region_count = SHL_REGION_MESSAGES - 1;
    munmap(base, SHL_SEGMENT_SIZE);
    assert_int_equal(shl_host_open(host, "Desk", LONG_MS), SHL_OK);
    assert_int_equal(
        shl_host_ask(host, SHL_MESSAGE_PING, NULL, 0, 0, hear, &heard, NULL),
        SHL_UNSUPPORTED);
    assert_int_equal(shl_host_post(host, SHL_MESSAGE_LOG, NULL, 0),
                     SHL_UNSUPPORTED);
    shl_host_poll(host);
    assert_int_equal(shl_host_linked(host), 2);
}

static void device_without_a_host_has_nobody_to_tell(void **state)
{
    struct shl_host_info info;

    (void)state;
    shl_host_close(host);
    for (uint32_t i = 0;
         i < LONG_MS && shl_device_claimed(responder->device, &info); i++)
        shl_sleep_ms(1);
    assert_int_equal(
        shl_device_post(responder->device, SHL_MESSAGE_LOG, "x", 1),
        SHL_NO_DEVICE);
    assert_int_equal(shl_device_reply(responder->device, 5, "x", 1),
                     SHL_NO_DEVICE);
    assert_int_equal(
        shl_device_post(responder->device, SHL_MESSAGE_REPLY, "x", 1),
        SHL_BAD_VALUE);
}

/* ---- unasked ------------------------------------------------------------------------ */

static _Atomic uint32_t said;
static uint32_t out_of_order;

static int listen(void *arg, const struct shl_received *message)
{
    uint32_t *next = arg, number = 0;

    if (message->type != SHL_MESSAGE_LOG || message->size < 4)
        return 0;
    memcpy(&number, message->bytes, 4);
    out_of_order += number != *next;
    *next = number + 1;
    atomic_fetch_add(&said, 1);
    return 1;
}

static void what_is_said_unasked_arrives_in_order(void **state)
{
    uint32_t next = 0;

    (void)state;
    atomic_store(&said, 0);
    out_of_order = 0;
    shl_host_on_message(host, listen, &next);
    for (uint32_t i = 0; i < 2000; i++)
        assert_int_equal(shl_host_post(host, SHL_MESSAGE_LOG, &i, sizeof i),
                         SHL_OK);
    poll_until(&said, 2000);
    assert_int_equal(out_of_order, 0);
    assert_int_equal(atomic_load(&responder->logs), 2000);
}

static void *say_much(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < 1000; i++)
        shl_device_post(responder->device, SHL_MESSAGE_LOG, "words", 5);
    return NULL;
}

static _Atomic uint32_t calls;

static int replaced(void *arg, const struct shl_received *message)
{
    (void)arg;
    if (message->asks)
        atomic_fetch_add(&calls, 1);
    return 0;
}

static void several_threads_of_a_device_may_speak(void **state)
{
    pthread_t talker[2];
    uint32_t next = 0;
    struct heard heard;

    (void)state;
    atomic_store(&said, 0);
    shl_host_on_message(host, listen, &next);
    atomic_store(&calls, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&talker[i], NULL, say_much, NULL), 0);
    assert_int_equal(shl_device_on_message(responder->device, replaced, NULL),
                     SHL_OK);
    poll_until(&said, 2000);
    for (int i = 0; i < 2; i++)
        pthread_join(talker[i], NULL);
    assert_int_equal(atomic_load(&said), 2000);
    /* the new handler leaves everything to the built-in one */
    heard = ask_and_wait(SHL_MESSAGE_STATE_RESTORE, 3);
    assert_int_equal(heard.status, SHL_UNSUPPORTED);
    assert_int_equal(atomic_load(&calls), 1);
    assert_int_equal(shl_device_on_message(responder->device, NULL, NULL),
                     SHL_OK);
    heard = ask_and_wait(SHL_MESSAGE_PRESET, 3);
    assert_int_equal(heard.status, SHL_UNSUPPORTED);
    assert_int_equal(atomic_load(&calls), 1);
}

static uint32_t chain;

static void ask_next(void *arg, const struct shl_answer *answer)
{
    (void)arg;
    assert_int_equal(answer->status, SHL_OK);
    if (++chain < 50)
        assert_int_equal(shl_host_ping(host, LONG_MS, ask_next, NULL, NULL),
                         SHL_OK);
}

static void handler_of_an_answer_may_ask_again(void **state)
{
    (void)state;
    chain = 0;
    assert_int_equal(shl_host_ping(host, LONG_MS, ask_next, NULL, NULL),
                     SHL_OK);
    for (uint32_t i = 0; i < LONG_MS && chain < 50; i++) {
        shl_host_poll(host);
        shl_sleep_ms(1);
    }
    assert_int_equal(chain, 50);
}

/* ---- groups ----------------------------------------------------------------------- */

static int begin(void **state)
{
    (void)state;
    peer_own_board();
    payload = malloc(SHL_MAX_PAYLOAD);
    for (uint32_t i = 0; payload && i < SHL_MAX_PAYLOAD; i++)
        payload[i] = (uint8_t)(i * 2654435761u >> 24);
    return payload == NULL;
}

static int end(void **state)
{
    (void)state;
    free(payload);
    return 0;
}

#define THREAD(name)                                                           \
    {                                                                          \
#        name " (two threads)", name, with_thread, tear_down, NULL             \
    }
#define PROCESS(name)                                                          \
    {                                                                          \
#        name " (two processes)", name, with_process, tear_down, NULL          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREAD(ping_comes_back_whatever_the_handler_does),
        PROCESS(ping_comes_back_whatever_the_handler_does),
        THREAD(payload_of_any_size_goes_there_and_back),
        PROCESS(payload_of_any_size_goes_there_and_back),
        PROCESS(ping_passes_a_long_transfer),
        THREAD(all_of_255_requests_get_one_answer_each),
        PROCESS(all_of_255_requests_get_one_answer_each),
        PROCESS(errors_come_with_their_sentence),
        THREAD(a_hostile_sentence_is_made_fit_to_be_shown),
        PROCESS(silence_is_a_timeout_and_a_late_answer_is_counted),
        PROCESS(death_fails_all_that_is_pending),
        THREAD(closing_fails_all_that_is_pending),
        THREAD(next_host_gets_no_answer_of_the_one_before),
        PROCESS(next_host_gets_no_answer_of_the_one_before),
        THREAD(device_of_link_1_0_has_no_messages),
        THREAD(device_without_a_host_has_nobody_to_tell),
        PROCESS(what_is_said_unasked_arrives_in_order),
        THREAD(several_threads_of_a_device_may_speak),
        PROCESS(handler_of_an_answer_may_ask_again),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
