/* SPDX-License-Identifier: MIT */
#include "core/messages/request.h"

#include <string.h>

/* An id is a serial number above the number of its place. */
#define PLACE_BITS  8u
#define SERIAL_MASK 0x7FFFFFu

static_assert(SHL_MAX_REQUESTS < 1u << PLACE_BITS, "a place fits into an id");

void shl_requests_init(struct shl_requests *requests, uint32_t seed)
{
    memset(requests, 0, sizeof *requests);
    requests->serial = seed * 2654435761u & SERIAL_MASK;
    requests->last = SHL_MAX_REQUESTS - 1;
}

/* The place that has been free for longest, about. */
static struct shl_request *free_place(struct shl_requests *requests)
{
    for (uint32_t i = 1; i <= SHL_MAX_REQUESTS; i++) {
        uint32_t at = (requests->last + i) % SHL_MAX_REQUESTS;

        if (requests->place[at].id)
            continue;
        requests->last = at;
        return &requests->place[at];
    }
    return NULL;
}

shl_status shl_request_new(struct shl_requests *requests, uint32_t type,
                           uint64_t now_ns, uint64_t timeout_ns,
                           shl_answer_handler handler, void *arg, uint32_t *id)
{
    struct shl_request *place = free_place(requests);

    if (!place)
        return SHL_RING_FULL;
    requests->serial = (requests->serial + 1) & SERIAL_MASK;
    *place = (struct shl_request){.id = requests->serial << PLACE_BITS |
                                        (requests->last + 1),
                                  .type = type,
                                  .asked_ns = now_ns,
                                  .deadline_ns = now_ns + timeout_ns,
                                  .number = requests->asked++,
                                  .handler = handler,
                                  .arg = arg};
    requests->count++;
    *id = place->id;
    return SHL_OK;
}

static struct shl_request *find(struct shl_requests *requests, uint32_t id)
{
    uint32_t at = id & ((1u << PLACE_BITS) - 1);

    if (at == 0 || requests->place[at - 1].id != id)
        return NULL;
    return &requests->place[at - 1];
}

void shl_request_forget(struct shl_requests *requests)
{
    memset(&requests->place[requests->last], 0, sizeof requests->place[0]);
    requests->count--;
}

bool shl_request_waits(const struct shl_requests *requests, uint32_t id)
{
    uint32_t at = id & ((1u << PLACE_BITS) - 1);

    return at != 0 && requests->place[at - 1].id == id;
}

void shl_request_extend(struct shl_requests *requests, uint32_t id,
                        uint64_t more_ns)
{
    struct shl_request *place = find(requests, id);

    if (!place || place->longer)
        return;
    place->longer = true;
    place->deadline_ns += more_ns;
}

/* Free the place first: the handler may need it for its next question. */
static void tell(struct shl_requests *requests, struct shl_request *place,
                 uint64_t now_ns, const struct shl_answer *answer)
{
    struct shl_request asked = *place;
    struct shl_answer told = *answer;

    memset(place, 0, sizeof *place);
    requests->count--;
    told.request = asked.id;
    told.type = asked.type;
    told.took_ns = now_ns - asked.asked_ns;
    if (asked.handler)
        asked.handler(asked.arg, &told);
}

bool shl_request_answer(struct shl_requests *requests, uint32_t id,
                        uint64_t now_ns, const struct shl_answer *answer)
{
    struct shl_request *place = find(requests, id);

    if (!place) {
        requests->late++;
        return false;
    }
    tell(requests, place, now_ns, answer);
    return true;
}

static struct shl_answer failure(shl_status status)
{
    return (struct shl_answer){.status = status,
                               .text = shl_status_text(status)};
}

uint32_t shl_requests_expire(struct shl_requests *requests, uint64_t now_ns,
                             void (*ended)(void *arg, uint32_t id), void *arg)
{
    struct shl_answer answer = failure(SHL_TIMEOUT);
    uint64_t until = requests->asked; /* not those that handlers ask now */
    uint32_t told = 0;

    for (uint32_t i = 0; requests->count && i < SHL_MAX_REQUESTS; i++) {
        struct shl_request *place = &requests->place[i];

        if (!place->id || place->number >= until || place->deadline_ns > now_ns)
            continue;
        if (ended)
            ended(arg, place->id);
        tell(requests, place, now_ns, &answer);
        told++;
    }
    return told;
}

uint32_t shl_requests_fail(struct shl_requests *requests, uint64_t now_ns,
                           shl_status status)
{
    struct shl_answer answer = failure(status);
    uint64_t until = requests->asked;
    uint32_t told = 0;

    for (uint32_t i = 0; requests->count && i < SHL_MAX_REQUESTS; i++) {
        struct shl_request *place = &requests->place[i];

        if (!place->id || place->number >= until)
            continue;
        tell(requests, place, now_ns, &answer);
        told++;
    }
    return told;
}
