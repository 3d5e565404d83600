/* SPDX-License-Identifier: MIT */
/* Questions in flight: ids, deadlines, exactly one answer each. */
#include "core/messages/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MS UINT64_C(1000000)

struct told {
    uint32_t times, request, type;
    shl_status status;
    uint64_t took_ns;
    char text[64];
};

static struct shl_requests requests;
static struct told told[SHL_MAX_REQUESTS + 1];

static int set_up(void **state)
{
    (void)state;
    shl_requests_init(&requests, 5);
    memset(told, 0, sizeof told);
    return 0;
}

static void hear(void *arg, const struct shl_answer *answer)
{
    struct told *to = arg;

    to->times++;
    to->request = answer->request;
    to->type = answer->type;
    to->status = answer->status;
    to->took_ns = answer->took_ns;
    strncpy(to->text, answer->text, sizeof to->text - 1);
}

static uint32_t ask(uint32_t i, uint64_t now_ns, uint64_t timeout_ns)
{
    uint32_t id = 0;

    assert_int_equal(shl_request_new(&requests, SHL_MESSAGE_PING, now_ns,
                                     timeout_ns, hear, &told[i], &id),
                     SHL_OK);
    return id;
}

static const struct shl_answer good = {.text = "", .size = 0};

static void ids_are_never_0_nor_in_flight_nor_soon_again(void **state)
{
    static uint32_t ids[SHL_MAX_REQUESTS];
    static uint32_t seen[20000];
    uint32_t id;

    (void)state;
    for (uint32_t i = 0; i < SHL_MAX_REQUESTS; i++) {
        ids[i] = ask(i, 0, MS);
        assert_int_not_equal(ids[i], 0);
        assert_int_equal(ids[i] & SHL_MESSAGE_UNASKED, 0);
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(ids[i], ids[j]);
    }
    /* the 256th is refused, and nothing happens to the others */
    assert_int_equal(shl_request_new(&requests, SHL_MESSAGE_PING, 0, MS, hear,
                                     &told[SHL_MAX_REQUESTS], &id),
                     SHL_RING_FULL);
    assert_int_equal(requests.count, SHL_MAX_REQUESTS);
    for (uint32_t i = 0; i < SHL_MAX_REQUESTS; i++)
        assert_true(shl_request_answer(&requests, ids[i], 0, &good));
    for (uint32_t i = 0; i < 20000; i++) {
        seen[i] = ask(0, 0, MS);
        assert_true(shl_request_answer(&requests, seen[i], 0, &good));
        for (uint32_t j = i > 500 ? i - 500 : 0; j < i; j++)
            assert_int_not_equal(seen[i], seen[j]);
    }
}

static void serial_that_wraps_gives_no_id_of_0(void **state)
{
    (void)state;
    requests.serial = 0x7FFFFE;
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t id = ask(i, 0, MS);
        assert_int_not_equal(id, 0);
        assert_int_equal(id & SHL_MESSAGE_UNASKED, 0);
        assert_true(shl_request_waits(&requests, id));
    }
}

static void answers_may_come_in_any_order_and_once_only(void **state)
{
    uint32_t ids[SHL_MAX_REQUESTS];

    (void)state;
    for (uint32_t i = 0; i < SHL_MAX_REQUESTS; i++)
        ids[i] = ask(i, i * MS, 1000 * MS);
    for (uint32_t i = SHL_MAX_REQUESTS; i-- > 0;)
        assert_true(shl_request_answer(&requests, ids[i], 300 * MS, &good));
    for (uint32_t i = 0; i < SHL_MAX_REQUESTS; i++) {
        assert_false(shl_request_answer(&requests, ids[i], 300 * MS, &good));
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].request, ids[i]);
        assert_int_equal(told[i].type, SHL_MESSAGE_PING);
        assert_int_equal(told[i].status, SHL_OK);
        assert_true(told[i].took_ns == (300 - i) * MS);
    }
    assert_int_equal(requests.late, SHL_MAX_REQUESTS);
    assert_int_equal(requests.count, 0);
}

static void deadline_ends_a_request_and_its_answer_is_late(void **state)
{
    uint32_t first = ask(0, 0, 5 * MS), second = ask(1, 0, 6 * MS);

    (void)state;
    assert_int_equal(shl_requests_expire(&requests, 5 * MS - 1, NULL, NULL), 0);
    assert_int_equal(shl_requests_expire(&requests, 5 * MS, NULL, NULL), 1);
    assert_int_equal(told[0].status, SHL_TIMEOUT);
    assert_string_equal(told[0].text, shl_status_text(SHL_TIMEOUT));
    assert_int_equal(told[1].times, 0);
    assert_false(shl_request_answer(&requests, first, 5 * MS, &good));
    assert_true(shl_request_answer(&requests, second, 5 * MS, &good));
    assert_int_equal(shl_requests_expire(&requests, 50 * MS, NULL, NULL), 0);
    assert_int_equal(told[0].times, 1);
    assert_int_equal(told[1].times, 1);
    assert_int_equal(requests.late, 1);
}

static void a_long_answer_gets_more_time_once(void **state)
{
    uint32_t id = ask(1, 0, 10 * MS);

    (void)state;
    shl_request_extend(&requests, id + 1, 100 * MS);
    shl_request_extend(&requests, id, 20 * MS);
    shl_request_extend(&requests, id, 20 * MS);
    assert_int_equal(shl_requests_expire(&requests, 29 * MS, NULL, NULL), 0);
    assert_int_equal(shl_requests_expire(&requests, 30 * MS, NULL, NULL), 1);
    assert_int_equal(told[1].status, SHL_TIMEOUT);
}

static void death_of_the_device_fails_all_at_once(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SHL_MAX_REQUESTS; i++)
        ask(i, 0, 1000 * MS);
    assert_int_equal(shl_requests_fail(&requests, MS, SHL_GONE),
                     SHL_MAX_REQUESTS);
    assert_int_equal(shl_requests_fail(&requests, MS, SHL_GONE), 0);
    for (uint32_t i = 0; i < SHL_MAX_REQUESTS; i++) {
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].status, SHL_GONE);
    }
    assert_int_equal(requests.count, 0);
}

/* A place that is free again is no request. */
static void only_what_waits_is_failed(void **state)
{
    uint32_t first = ask(0, 0, 1000 * MS);

    (void)state;
    ask(1, 0, 1000 * MS);
    assert_true(shl_request_answer(&requests, first, MS, &good));
    assert_int_equal(shl_requests_fail(&requests, MS, SHL_GONE), 1);
    assert_int_equal(told[0].times, 1);
    assert_int_equal(told[0].status, SHL_OK);
    assert_int_equal(told[1].times, 1);
    assert_int_equal(told[1].status, SHL_GONE);
    assert_int_equal(requests.count, 0);
}

static uint32_t asked_again;

static void ask_again(void *arg, const struct shl_answer *answer)
{
    uint32_t id;

    (void)answer;
    asked_again++;
    assert_int_equal(shl_request_new(&requests, SHL_MESSAGE_RESET, 0, 0,
                                     ask_again, arg, &id),
                     SHL_OK);
}

static void handler_that_asks_again_is_not_told_in_the_same_round(void **state)
{
    uint32_t id;

    (void)state;
    asked_again = 0;
    for (uint32_t i = 0; i < SHL_MAX_REQUESTS; i++)
        assert_int_equal(shl_request_new(&requests, SHL_MESSAGE_RESET, 0, 0,
                                         ask_again, NULL, &id),
                         SHL_OK);
    assert_int_equal(shl_requests_expire(&requests, 0, NULL, NULL),
                     SHL_MAX_REQUESTS);
    assert_int_equal(asked_again, SHL_MAX_REQUESTS);
    assert_int_equal(requests.count, SHL_MAX_REQUESTS);
    assert_int_equal(shl_requests_fail(&requests, 0, SHL_GONE),
                     SHL_MAX_REQUESTS);
    assert_int_equal(requests.count, SHL_MAX_REQUESTS);
}

static void foreign_ids_are_late_answers(void **state)
{
    struct shl_requests other;
    uint32_t id;

    (void)state;
    ask(0, 0, MS);
    shl_requests_init(&other, 7);
    assert_int_equal(
        shl_request_new(&other, SHL_MESSAGE_PING, 0, MS, NULL, NULL, &id),
        SHL_OK);
    assert_false(shl_request_answer(&requests, id, 0, &good));
    assert_false(shl_request_answer(&requests, 0, 0, &good));
    assert_false(shl_request_answer(&requests, UINT32_MAX, 0, &good));
    assert_int_equal(requests.late, 3);
    assert_int_equal(told[0].times, 0);
    /* nobody need listen */
    assert_true(shl_request_answer(&other, id, 0, &good));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_are_never_0_nor_in_flight_nor_soon_again),
        TEST(serial_that_wraps_gives_no_id_of_0),
        TEST(answers_may_come_in_any_order_and_once_only),
        TEST(deadline_ends_a_request_and_its_answer_is_late),
        TEST(a_long_answer_gets_more_time_once),
        TEST(death_of_the_device_fails_all_at_once),
        TEST(only_what_waits_is_failed),
        TEST(handler_that_asks_again_is_not_told_in_the_same_round),
        TEST(foreign_ids_are_late_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
