/* SPDX-License-Identifier: MIT */
/* The device's end of the messages, on plain memory: who does not take the
 * answers gets no new ones. */
#include "core/messages/responder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define QUESTIONS 16u
#define ANSWER    (SHL_MAX_PAYLOAD / 8)

static struct shl_messages *rings;
static struct shl_message_queue host;
static struct shl_responder responder;
static _Atomic uint32_t epoch = 5;
static uint8_t *bytes;
static uint32_t handled;

static int answer(void *arg, const struct shl_received *message)
{
    (void)arg;
    handled++;
    memcpy(bytes, &message->request, sizeof message->request);
    return shl_responder_say(&responder, SHL_MESSAGE_REPLY, message->request,
                             bytes, ANSWER) == SHL_OK;
}

static int set_up(void **state)
{
    (void)state;
    handled = 0;
    rings = calloc(1, sizeof *rings);
    bytes = calloc(1, ANSWER);
    shl_responder_open(&responder, rings, &epoch, &epoch);
    shl_message_queue_open(&host, &rings->commands, &rings->responses, &epoch);
    return !rings || !bytes || shl_responder_handle(&responder, answer, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    shl_message_queue_close(&host);
    shl_responder_close(&responder);
    free(bytes);
    free(rings);
    return 0;
}

/* One after the other, whenever there is something to take. */
static uint32_t take_answers(void)
{
    struct shl_whole whole;
    uint32_t taken = 0;

    for (int rounds = 0; rounds < 10000000 && taken < QUESTIONS; rounds++) {
        uint32_t budget = 1000;
        const shl_status st = shl_message_queue_take(&host, &whole, &budget);

        if (st == SHL_AGAIN) {
            shl_responder_pump(&responder);
            continue;
        }
        assert_int_equal(st, SHL_OK);
        assert_int_equal(whole.size, ANSWER);
        assert_memory_equal(whole.bytes, &whole.request, 4);
        taken++;
    }
    return taken;
}

static void answers_that_nobody_takes_hold_up_the_questions(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= QUESTIONS; i++)
        assert_int_equal(shl_message_queue_post(&host, SHL_MESSAGE_STATE_SAVE,
                                                SHL_MESSAGE_ASKS, i, NULL, 0),
                         SHL_OK);
    shl_message_queue_send(&host);
    for (int i = 0; i < 100; i++)
        shl_responder_pump(&responder);
    /* what one whole answer at most may take, and the one that is over it */
    assert_in_range(handled, 2, SHL_MAX_PAYLOAD / ANSWER + 1);
    assert_int_equal(take_answers(), QUESTIONS);
    assert_int_equal(handled, QUESTIONS);
    assert_int_equal(atomic_load(&responder.dropped), 0);
}

/* A transfer that comes in no good order: refused once, however long it goes on. */
static void a_broken_question_is_refused_once(void **state)
{
    struct shl_message part = {
        .type = SHL_MESSAGE_STATE_RESTORE, .request = 7, .total = 1000};
    uint32_t refusals = 0;

    (void)state;
    part.flags = (uint16_t)(SHL_MESSAGE_ASKS | (epoch >> 1) << 8);
    for (part.part = 2; part.part < 4; part.part++) {
        memcpy(shl_ring_push(&host.out), &part, sizeof part);
        shl_ring_publish(&host.out);
    }
    for (int rounds = 0; rounds < 100; rounds++) {
        struct shl_whole whole;
        uint32_t budget = 1000;

        shl_responder_pump(&responder);
        if (shl_message_queue_take(&host, &whole, &budget) != SHL_OK)
            continue;
        assert_int_equal(whole.type, SHL_MESSAGE_ERROR);
        assert_int_equal(whole.request, 7);
        refusals++;
    }
    assert_int_equal(refusals, 1);
    assert_int_equal(handled, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            answers_that_nobody_takes_hold_up_the_questions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_question_is_refused_once,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests_name("responder", tests, NULL, NULL);
}
