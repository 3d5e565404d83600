/* SPDX-License-Identifier: MIT */
#include "pd/host/requests.h"

#include "pd/host/shmlink.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_NS  UINT64_C(30000000000)
#define AWAIT_MS  20
#define REST_MS   1000
#define WORK_NS   UINT64_C(30000000000)
#define HELD_NS   UINT64_C(200000000)
#define ACCEPT_NS UINT64_C(1000000000)

/* ---- the other thread ------------------------------------------------------- */

/* One worker for all objects of this Pd, which stays.
 *   state   of a work: who comes second (acq_rel) tells Pd's thread that it is
 *           done, or frees what Pd has given up */
enum { WORK_WAITS, WORK_DONE, WORK_LEFT };

static shl_worker *worker;

static void work_free(struct work *work)
{
    if (!work)
        return;
    free(work->file);
    free(work->presets);
    free(work);
}

static void work_on(struct shl_task *task)
{
    struct work *work = (struct work *)task;

    work->job(work);
    if (atomic_exchange_explicit(&work->state, WORK_DONE,
                                 memory_order_acq_rel) == WORK_LEFT)
        work_free(work);
}

static shl_status work_post(struct work *work)
{
    shl_status status = SHL_OK;

    if (!worker)
        status = shl_worker_new(NULL, NULL, REST_MS, &worker);
    if (status)
        return status;
    work->task.run = work_on;
    shl_worker_post(worker, &work->task);
    return SHL_OK;
}

static int work_ready(const struct work *work)
{
    /* acquire: what it found is whole */
    return atomic_load_explicit(&work->state, memory_order_acquire) ==
           WORK_DONE;
}

/* The request needs it no more, whether it is done or not. */
static void work_leave(struct work *work, int was_posted)
{
    if (!work)
        return;
    if (!was_posted ||
        atomic_exchange_explicit(&work->state, WORK_LEFT,
                                 memory_order_acq_rel) == WORK_DONE)
        work_free(work);
}

/* ---- questions ---------------------------------------------------------------- */

/* Between the request and the core, which tells us exactly once. */
struct question {
    struct request *request; /* NULL: it is not waited for any more */
    uint32_t id;
};

static void take_answer(void *arg, const struct shl_answer *answer)
{
    struct question *question = arg;
    struct request *request = question->request;

    free(question);
    if (!request)
        return;
    request->question = NULL;
    request->status = answer->status;
    request->took_ns = answer->took_ns;
    snprintf(request->text, sizeof request->text, "%s", answer->text);
    free(request->answer);
    request->answer = malloc(answer->size + 1);
    request->answer_size = answer->size;
    if (!request->answer)
        request->status = SHL_NO_MEMORY;
    else if (answer->size)
        memcpy(request->answer, answer->bytes, answer->size);
}

/* ---- one request ---------------------------------------------------------------- */

static void request_free(struct request *request)
{
    if (request->question)
        request->question->request = NULL;
    work_leave(request->work, request->waits);
    free(request->bytes);
    free(request->answer);
    free(request);
}

void requests_cancel(struct request *request)
{
    request_free(request);
}

void request_done(struct request *request)
{
    request->ended = 1;
}

void request_fail(struct shmlink *x, struct request *request, shl_status status,
                  const char *text)
{
    char key[64];

    request->ended = 1;
    snprintf(key, sizeof key, "%s %d", request->selector->s_name, (int)status);
    if (status != SHL_UNSUPPORTED ||
        replies_once(&x->x_say, gensym(key), REPLIES_LINK))
        replies_complain(&x->x_say, "%s: %s", request->selector->s_name, text);
    replies_number(&x->x_say, request->selector->s_name, 0);
    replies_error_quiet(&x->x_say, request->selector, status, text);
}

void request_ask(struct shmlink *x, struct request *request, uint32_t type,
                 const void *bytes, size_t size, request_step then)
{
    struct question *question = calloc(1, sizeof *question);
    shl_status status = question ? SHL_OK : SHL_NO_MEMORY;

    if (!status && size > SHL_MAX_PAYLOAD)
        status = SHL_BAD_VALUE;
    if (!status) {
        question->request = request;
        status = shl_host_ask(x->x_host, type, bytes, (uint32_t)size, 0,
                              take_answer, question, &question->id);
    }
    if (status) {
        free(question);
        request_fail(x, request, status, shl_status_text(status));
        return;
    }
    work_leave(request->work, 0); /* the bytes were copied */
    request->work = NULL;
    request->question = question;
    request->then = then;
    request->waits = 1;
    clock_delay(x->x_poll, 0);
}

struct work *request_work_new(struct shmlink *x, struct request *request,
                              void (*job)(struct work *work))
{
    struct work *work = calloc(1, sizeof *work);

    if (!work) {
        request_fail(x, request, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
        return NULL;
    }
    work_leave(request->work, 0);
    request->work = work;
    work->job = job;
    work->index = -1;
    return work;
}

void request_work(struct shmlink *x, struct request *request, request_step then)
{
    shl_status status = work_post(request->work);

    if (status) {
        request_fail(x, request, status, shl_status_text(status));
        return;
    }
    request->then = then;
    request->waits = 1;
    request->work_ns = shl_clock_ns();
    clock_delay(x->x_poll, 0);
}

/* ---- the queue ------------------------------------------------------------------ */

struct request *requests_new(struct shmlink *x, t_symbol *selector,
                             request_step begin, uint64_t needs)
{
    struct request *request = NULL;

    if (x->x_requests.count < REQUESTS_MAX)
        request = calloc(1, sizeof *request);
    if (!request) {
        replies_fail(&x->x_say, selector, SHL_RING_FULL,
                     "%s: %u requests wait already", selector->s_name,
                     (unsigned)x->x_requests.count);
        return NULL;
    }
    request->selector = selector;
    request->begin = begin;
    request->needs = needs;
    request->index = -1;
    return request;
}

/* Whether a link is still to come, or told of: what was asked after `open`
 * waits for it. Live not for ever, where the device has not accepted us: it may
 * be stopped. */
static int pending(const struct shmlink *x)
{
    struct request *request = x->x_requests.first;
    uint64_t now;
    int linked;

    if (!x->x_host || !x->x_say.name[0])
        return 0;
    linked = shl_host_linked(x->x_host);
    if (x->x_due || x->x_open || linked != 1 || x->x_batch)
        return x->x_due || (linked && !x->x_open);
    now = shl_clock_ns();
    if (!request->pending_ns)
        request->pending_ns = now;
    return now - request->pending_ns < ACCEPT_NS;
}

static int is_able(struct shmlink *x, struct request *request)
{
    struct shl_device_info info;
    char text[200];

    if (!request->needs || shl_host_get_device(x->x_host, &info) ||
        (info.capabilities & request->needs))
        return 1;
    snprintf(text, sizeof text,
             "the device has no %s: info lists its capabilities",
             link_capability(request->needs));
    request_fail(x, request, SHL_UNSUPPORTED, text);
    return 0;
}

static void begin(struct shmlink *x, struct request *request)
{
    request->begun = 1;
    if (!connection_ready(x, request->selector, 1))
        request->ended = 1;
    else if (is_able(x, request))
        request->begin(x, request);
}

static int still_waits(const struct request *request)
{
    if (!request->waits)
        return 0;
    return request->question != NULL ||
           (request->work && !work_ready(request->work));
}

/* Gone is the link here: its device may have ended, or have been given up. */
static const char *failure(const struct request *request)
{
    if (request->status == SHL_GONE)
        return "the link ended before the answer came";
    return request->text[0] ? request->text : shl_status_text(request->status);
}

static void go_on(struct shmlink *x, struct request *request)
{
    request_step then = request->then;

    request->waits = 0;
    if (request->work) {
        request->status = request->work->status;
        snprintf(request->text, sizeof request->text, "%s",
                 request->work->why.text);
    }
    if (request->status) {
        request_fail(x, request, request->status, failure(request));
        return;
    }
    then(x, request);
    /* what the step did not use again is not needed any more */
    if (!request->waits) {
        work_leave(request->work, 0);
        request->work = NULL;
    }
}

static void remove_first(struct requests *requests)
{
    struct request *request = requests->first;

    requests->first = request->next;
    if (!requests->first)
        requests->last = NULL;
    requests->count--;
    request_free(request);
}

/* Notes and parameters sent before a request have to arrive before it; but a
 * device that hears nothing any more does not hold it for ever. */
static int events_wait(struct shmlink *x, struct request *request)
{
    uint64_t now = shl_clock_ns();

    if (!x->x_host || (!schedule_count(&x->x_out) && shl_host_heard(x->x_host)))
        return 0;
    if (!request->held_ns)
        request->held_ns = now;
    return now - request->held_ns < HELD_NS;
}

/* Whether the first request cannot even begin. */
static int held(struct shmlink *x)
{
    struct request *request = x->x_requests.first;

    return !request->begun && (pending(x) || events_wait(x, request));
}

/* A disk that does not answer: the work is left to itself. */
static int is_overdue(const struct request *request)
{
    return request->waits && request->work &&
           shl_clock_ns() - request->work_ns > WORK_NS;
}

/* True if the first request made a step. */
static int step(struct shmlink *x)
{
    struct request *request = x->x_requests.first;

    if (!request || (still_waits(request) && !is_overdue(request)) || held(x))
        return 0;
    if (still_waits(request))
        request_fail(x, request, SHL_TIMEOUT, "the disk does not answer");
    else if (request->begun)
        go_on(x, request);
    else
        begin(x, request);
    if (request->ended)
        remove_first(&x->x_requests);
    return 1;
}

/* In batch mode: until there is something to go on with. */
static void await_first(struct shmlink *x)
{
    const struct request *request = x->x_requests.first;

    if (request->question)
        shl_host_await(x->x_host, request->question->id, AWAIT_MS);
    else
        shl_sleep_ms(1);
}

/* Where audio runs, what waits goes with the next block, and the request then. */
static int comes_later(struct shmlink *x)
{
    return pending(x) || (held(x) && !link_idle(x));
}

static void finish_all(struct shmlink *x)
{
    uint64_t end = shl_clock_ns() + BATCH_NS;

    while (x->x_requests.first && !comes_later(x)) {
        struct request *request = x->x_requests.first;
        if (held(x)) {
            x->x_play_idle(x);
            shl_sleep_ms(1);
        } else if (step(x)) {
            end = shl_clock_ns() + BATCH_NS;
        } else if (shl_clock_ns() > end) {
            request_fail(x, request, SHL_TIMEOUT, "no answer in 30 s");
            remove_first(&x->x_requests);
        } else {
            await_first(x);
        }
    }
}

void requests_run(struct shmlink *x)
{
    if (x->x_requests.running)
        return;
    x->x_requests.running = 1;
    if (x->x_batch)
        finish_all(x);
    else
        while (step(x))
            continue;
    x->x_requests.running = 0;
}

void requests_add(struct shmlink *x, struct request *request)
{
    struct requests *requests = &x->x_requests;

    if (requests->last)
        requests->last->next = request;
    else
        requests->first = request;
    requests->last = request;
    requests->count++;
    requests_run(x);
}

void requests_bare(struct shmlink *x, t_symbol *selector, int argc,
                   const t_atom *argv, request_step first)
{
    struct request *request;

    if (argc) {
        replies_fail_words(&x->x_say, selector, argc, argv, "no words", "");
        return;
    }
    request = requests_new(x, selector, first, 0);
    if (request)
        requests_add(x, request);
}

int requests_busy(const struct shmlink *x)
{
    return x->x_requests.first &&
           (x->x_requests.first->waits || x->x_requests.first->held_ns);
}

void requests_free(struct shmlink *x)
{
    x->x_requests.running = 1;
    while (x->x_requests.first)
        remove_first(&x->x_requests);
}

int requests_async(struct shmlink *x, t_symbol *s, int argc, const t_atom *argv)
{
    double number = 0;
    char words[100];

    if (argc == 0 || (argc == 1 && atoms_whole(argv, 0, 1, &number)))
        return 1;
    atoms_words(argc, argv, words, sizeof words);
    replies_fail(
        &x->x_say, s, SHL_BAD_VALUE,
        "%s: the last word may be 0 or 1 (async), not %s: leave it out",
        s->s_name, words);
    return 0;
}
