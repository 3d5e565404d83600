/* SPDX-License-Identifier: MIT */
/* Long payloads in fragments: cut, put together, and every way in which a peer can
 * get them wrong. DL-35. */
#include "core/messages/fragments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct shl_fragments fragments;
static struct shl_whole whole;
static uint8_t *payload;

static int set_up(void **state)
{
    (void)state;
    shl_fragments_init(&fragments, SHL_MAX_PAYLOAD);
    payload = malloc(SHL_MAX_PAYLOAD + 1);
    for (size_t i = 0; payload && i < SHL_MAX_PAYLOAD + 1; i++)
        payload[i] = (uint8_t)(i * 2654435761u >> 24);
    return payload == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    shl_fragments_clear(&fragments);
    free(payload);
    return 0;
}

static struct shl_message part_of(uint32_t request, uint32_t size,
                                  uint32_t part)
{
    const struct shl_message head = {.type = SHL_MESSAGE_STATE_RESTORE,
                                     .flags = SHL_MESSAGE_ASKS,
                                     .request = request,
                                     .total = size};
    struct shl_message message;

    shl_fragments_cut(&message, &head, part, payload);
    return message;
}

static shl_status add(uint32_t request, uint32_t size, uint32_t part)
{
    struct shl_message message = part_of(request, size, part);
    shl_status status = shl_fragments_add(&fragments, &message, &whole);

    /* a single message's payload is the message's own: look at it here */
    if (status == SHL_OK && size && memcmp(whole.bytes, payload, size))
        fail_msg("%u bytes came otherwise than they went", size);
    return status;
}

static uint32_t under_way(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < SHL_FRAGMENTS_AT_ONCE; i++)
        count += fragments.transfer[i].bytes != NULL;
    return count;
}

static void send_whole(uint32_t request, uint32_t size)
{
    uint32_t count = shl_fragments_count(size);

    for (uint32_t part = 0; part < count; part++)
        if (add(request, size, part) != (part + 1 < count ? SHL_AGAIN : SHL_OK))
            fail_msg("part %u of %u is refused", part, count);
    assert_int_equal(whole.size, size);
    assert_int_equal(whole.request, request);
    assert_int_equal(whole.type, SHL_MESSAGE_STATE_RESTORE);
    assert_int_equal(under_way(), 0);
}

/* shows DL-35 */
static void payloads_of_any_size_come_whole(void **state)
{
    const uint32_t sizes[] = {0,   1,    239,  240,  241,   479,      480,
                              481, 4095, 4096, 4097, 65536, 1u << 20, 99999};

    (void)state;
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        send_whole(i + 1, sizes[i]);
    assert_int_equal(fragments.faults, 0);
}

static void payload_of_64_mib_comes_whole_and_one_more_is_refused(void **state)
{
    struct shl_message message;

    (void)state;
    send_whole(1, getenv("SHL_SOAK") ? SHL_MAX_PAYLOAD : 3u << 20);
    message = part_of(2, SHL_MAX_PAYLOAD, 0);
    message.total++;
    assert_int_equal(shl_fragments_add(&fragments, &message, &whole),
                     SHL_BAD_PEER);
    assert_int_equal(whole.fault, SHL_FRAGMENTS_TOO_LONG);
    message.total = UINT32_MAX;
    assert_int_equal(shl_fragments_add(&fragments, &message, &whole),
                     SHL_BAD_PEER);
    assert_int_equal(whole.fault, SHL_FRAGMENTS_TOO_LONG);
    assert_int_equal(under_way(), 0);
}

/* shows DL-35 */
static void lost_part_ends_the_transfer(void **state)
{
    (void)state;
    assert_int_equal(add(1, 1000, 0), SHL_AGAIN);
    assert_int_equal(add(1, 1000, 2), SHL_BAD_PEER);
    assert_int_equal(whole.fault, SHL_FRAGMENTS_LOST);
    assert_int_equal(whole.request, 1);
    assert_int_equal(under_way(), 0);
    /* what follows belongs to nothing, the first part too */
    assert_int_equal(add(1, 1000, 3), SHL_BAD_PEER);
    assert_int_equal(add(2, 1000, 1), SHL_BAD_PEER);
    assert_int_equal(fragments.faults, 3);
    send_whole(1, 1000);
}

/* shows DL-35 */
static void repeated_part_ends_the_transfer(void **state)
{
    (void)state;
    for (uint32_t again = 0; again < 2; again++) {
        assert_int_equal(add(1, 1000, 0), SHL_AGAIN);
        assert_int_equal(add(1, 1000, 1), SHL_AGAIN);
        assert_int_equal(add(1, 1000, again), SHL_BAD_PEER);
        assert_int_equal(whole.fault, SHL_FRAGMENTS_REPEATED);
        assert_int_equal(under_way(), 0);
    }
}

/* shows DL-35 */
static void swapped_fragments_end_the_transfer(void **state)
{
    (void)state;
    assert_int_equal(add(1, 1000, 0), SHL_AGAIN);
    assert_int_equal(add(1, 1000, 1), SHL_AGAIN);
    assert_int_equal(add(1, 1000, 3), SHL_BAD_PEER);
    assert_int_equal(whole.fault, SHL_FRAGMENTS_LOST);
    assert_int_equal(add(1, 1000, 2), SHL_BAD_PEER);
    assert_int_equal(under_way(), 0);
}

static void fragments_that_disagree_end_the_transfer(void **state)
{
    struct shl_message message;

    (void)state;
    for (int lie = 0; lie < 4; lie++) {
        assert_int_equal(add(1, 1000, 0), SHL_AGAIN);
        message = part_of(1, 1000, 1);
        if (lie == 0)
            message.total = 999;
        else if (lie == 1)
            message.type = SHL_MESSAGE_LOG;
        else if (lie == 2)
            message.flags = 0;
        else
            message.part = 5; /* of 5 */
        assert_int_equal(shl_fragments_add(&fragments, &message, &whole),
                         SHL_BAD_PEER);
        assert_int_equal(whole.fault, SHL_FRAGMENTS_LIES);
        assert_int_equal(under_way(), 0);
    }
    message = part_of(2, 240, 0);
    message.part = 1; /* of 1 */
    assert_int_equal(shl_fragments_add(&fragments, &message, &whole),
                     SHL_BAD_PEER);
    assert_int_equal(whole.fault, SHL_FRAGMENTS_LIES);
}

/* shows DL-35 */
static void eight_transfers_alternate_and_a_ninth_is_refused(void **state)
{
    (void)state;
    for (uint32_t part = 0; part < 5; part++)
        for (uint32_t request = 1; request <= 8; request++) {
            assert_int_equal(add(request, 1000 + request, part),
                             part < 4 ? SHL_AGAIN : SHL_OK);
            if (part < 4 && request == 8) {
                assert_int_equal(add(9, 1000, 0), SHL_BAD_PEER);
                assert_int_equal(whole.fault, SHL_FRAGMENTS_TOO_MANY);
                /* one of a single message needs no place */
                assert_int_equal(add(10, 100, 0), SHL_OK);
            }
        }
    assert_int_equal(under_way(), 0);
    assert_int_equal(fragments.faults, 4);
}

static void fault_of_one_transfer_leaves_the_other_alone(void **state)
{
    (void)state;
    assert_int_equal(add(1, 1000, 0), SHL_AGAIN);
    assert_int_equal(add(2, 700, 0), SHL_AGAIN);
    assert_int_equal(add(1, 1000, 2), SHL_BAD_PEER);
    assert_int_equal(add(2, 700, 1), SHL_AGAIN);
    assert_int_equal(add(2, 700, 2), SHL_OK);
    assert_int_equal(under_way(), 0);
}

/* shows MP-35 */
static void promised_length_takes_no_memory(void **state)
{
    (void)state;
    for (uint32_t request = 1; request <= 8; request++)
        assert_int_equal(add(request, SHL_MAX_PAYLOAD, 0), SHL_AGAIN);
    for (uint32_t i = 0; i < SHL_FRAGMENTS_AT_ONCE; i++)
        assert_true(fragments.transfer[i].room <= 4096);
    shl_fragments_drop(&fragments, 3);
    shl_fragments_drop(&fragments, 4711);
    assert_int_equal(under_way(), 7);
    shl_fragments_clear(&fragments);
    assert_int_equal(under_way(), 0);
}

/* Makefile lets it go through here. */
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
static bool no_memory;

void *__wrap_realloc(void *old, size_t size)
{
    return no_memory ? NULL : __real_realloc(old, size);
}

static void without_memory_the_transfer_ends(void **state)
{
    (void)state;
    assert_int_equal(add(1, 100000, 0), SHL_AGAIN);
    no_memory = true;
    shl_status status = SHL_AGAIN;
    for (uint32_t part = 1; status == SHL_AGAIN; part++)
        status = add(1, 100000, part);
    no_memory = false;
    assert_int_equal(status, SHL_NO_MEMORY);
    assert_int_equal(whole.fault, SHL_FRAGMENTS_NO_MEMORY);
    assert_int_equal(under_way(), 0);
}

static void bytes_that_are_not_used_are_0(void **state)
{
    const struct shl_message head = {.type = 3, .total = 241};
    struct shl_message message;

    (void)state;
    memset(&message, 0xFF, sizeof message);
    shl_fragments_cut(&message, &head, 1, payload);
    assert_int_equal(message.payload[0], payload[240]);
    for (uint32_t i = 1; i < SHL_MESSAGE_PAYLOAD; i++)
        assert_int_equal(message.payload[i], 0);
}

static void every_fault_has_a_sentence(void **state)
{
    (void)state;
    for (int a = SHL_FRAGMENTS_FINE; a <= SHL_FRAGMENTS_NO_MEMORY; a++)
        for (int b = SHL_FRAGMENTS_FINE; b < a; b++)
            assert_string_not_equal(
                shl_fragments_fault_text((enum shl_fragments_fault)a),
                shl_fragments_fault_text((enum shl_fragments_fault)b));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(payloads_of_any_size_come_whole),
        TEST(payload_of_64_mib_comes_whole_and_one_more_is_refused),
        TEST(lost_part_ends_the_transfer),
        TEST(repeated_part_ends_the_transfer),
        TEST(swapped_fragments_end_the_transfer),
        TEST(fragments_that_disagree_end_the_transfer),
        TEST(eight_transfers_alternate_and_a_ninth_is_refused),
        TEST(fault_of_one_transfer_leaves_the_other_alone),
        TEST(promised_length_takes_no_memory),
        TEST(without_memory_the_transfer_ends),
        TEST(bytes_that_are_not_used_are_0),
        TEST(every_fault_has_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
