#include "pd/host/errands.h"

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
 *   posted  Pd's thread pushes (release), the worker takes all (acquire)
 *   state   of a work: who comes second (acq_rel) tells Pd's thread that it is
 *           done, or frees what Pd has given up */
enum { WORK_WAITS, WORK_DONE, WORK_LEFT };

static shl_worker *worker;
static _Atomic(struct work *) posted;

static void work_free(struct work *work)
{
    if (!work)
        return;
    free(work->file);
    free(work->presets);
    free(work);
}

static void work_on(void *unused)
{
    /* acquire: the work is whole */
    struct work *newest =
        atomic_exchange_explicit(&posted, NULL, memory_order_acquire);
    struct work *oldest = NULL;
    (void)unused;

    while (newest) {
        struct work *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct work *next = oldest->next;
        oldest->job(oldest);
        if (atomic_exchange_explicit(&oldest->state, WORK_DONE,
                                     memory_order_acq_rel) == WORK_LEFT)
            work_free(oldest);
        oldest = next;
    }
}

static shl_status work_post(struct work *work)
{
    shl_status status = SHL_OK;

    if (!worker)
        status = shl_worker_new(work_on, NULL, REST_MS, &worker);
    if (status)
        return status;
    work->next = atomic_load_explicit(&posted, memory_order_relaxed);
    /* release: the work is whole */
    while (!atomic_compare_exchange_weak_explicit(
        &posted, &work->next, work, memory_order_release, memory_order_relaxed))
        continue;
    shl_worker_wake(worker);
    return SHL_OK;
}

static int work_ready(const struct work *work)
{
    /* acquire: what it found is whole */
    return atomic_load_explicit(&work->state, memory_order_acquire) ==
           WORK_DONE;
}

/* The errand needs it no more, whether it is done or not. */
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

/* Between the errand and the core, which tells us exactly once. */
struct question {
    struct errand *errand; /* NULL: it is not waited for any more */
    uint32_t request;
};

static void take_answer(void *arg, const struct shl_answer *answer)
{
    struct question *question = arg;
    struct errand *errand = question->errand;

    free(question);
    if (!errand)
        return;
    errand->question = NULL;
    errand->status = answer->status;
    errand->took_ns = answer->took_ns;
    snprintf(errand->text, sizeof errand->text, "%s", answer->text);
    free(errand->answer);
    errand->answer = malloc(answer->size + 1);
    errand->answer_size = answer->size;
    if (!errand->answer)
        errand->status = SHL_NO_MEMORY;
    else if (answer->size)
        memcpy(errand->answer, answer->bytes, answer->size);
}

/* ---- one errand ---------------------------------------------------------------- */

static void errand_free(struct errand *errand)
{
    if (errand->question)
        errand->question->errand = NULL;
    work_leave(errand->work, errand->waits);
    free(errand->bytes);
    free(errand->answer);
    free(errand);
}

void errands_cancel(struct errand *errand)
{
    errand_free(errand);
}

void errand_done(struct errand *errand)
{
    errand->ended = 1;
}

void errand_fail(struct shmlink *x, struct errand *errand, shl_status status,
                 const char *text)
{
    char key[64];

    errand->ended = 1;
    snprintf(key, sizeof key, "%s %d", errand->selector->s_name, (int)status);
    if (status != SHL_UNSUPPORTED ||
        replies_once(&x->x_say, gensym(key), REPLIES_LINK))
        replies_complain(&x->x_say, "%s: %s", errand->selector->s_name, text);
    replies_number(&x->x_say, errand->selector->s_name, 0);
    replies_error_quiet(&x->x_say, errand->selector, status, text);
}

void errand_ask(struct shmlink *x, struct errand *errand, uint32_t type,
                const void *bytes, size_t size, errand_step then)
{
    struct question *question = calloc(1, sizeof *question);
    shl_status status = question ? SHL_OK : SHL_NO_MEMORY;

    if (!status && size > SHL_MESSAGE_LIMIT)
        status = SHL_BAD_VALUE;
    if (!status) {
        question->errand = errand;
        status = shl_host_ask(x->x_host, type, bytes, (uint32_t)size, 0,
                              take_answer, question, &question->request);
    }
    if (status) {
        free(question);
        errand_fail(x, errand, status, shl_status_text(status));
        return;
    }
    work_leave(errand->work, 0); /* the bytes were copied */
    errand->work = NULL;
    errand->question = question;
    errand->then = then;
    errand->waits = 1;
    clock_delay(x->x_poll, 0);
}

struct work *errand_work_new(struct shmlink *x, struct errand *errand,
                             void (*job)(struct work *work))
{
    struct work *work = calloc(1, sizeof *work);

    if (!work) {
        errand_fail(x, errand, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
        return NULL;
    }
    work_leave(errand->work, 0);
    errand->work = work;
    work->job = job;
    work->index = -1;
    return work;
}

void errand_work(struct shmlink *x, struct errand *errand, errand_step then)
{
    shl_status status = work_post(errand->work);

    if (status) {
        errand_fail(x, errand, status, shl_status_text(status));
        return;
    }
    errand->then = then;
    errand->waits = 1;
    errand->work_ns = shl_clock_ns();
    clock_delay(x->x_poll, 0);
}

/* ---- the queue ------------------------------------------------------------------ */

struct errand *errands_new(struct shmlink *x, t_symbol *selector,
                           errand_step begin, uint64_t needs)
{
    struct errand *errand = NULL;

    if (x->x_errands.count < ERRANDS_MAX)
        errand = calloc(1, sizeof *errand);
    if (!errand) {
        replies_fail(&x->x_say, selector, SHL_RING_FULL,
                     "%s: %u requests wait already", selector->s_name,
                     (unsigned)x->x_errands.count);
        return NULL;
    }
    errand->selector = selector;
    errand->begin = begin;
    errand->needs = needs;
    errand->index = -1;
    return errand;
}

/* Whether a link is still to come, or told of: what was asked after `open`
 * waits for it. Live not for ever, where the device has not accepted us: it may
 * be stopped. */
static int pending(const struct shmlink *x)
{
    struct errand *errand = x->x_errands.first;
    uint64_t now;
    int linked;

    if (!x->x_host || !x->x_say.name[0])
        return 0;
    linked = shl_host_linked(x->x_host);
    if (x->x_due || x->x_open || linked != 1 || x->x_batch)
        return x->x_due || (linked && !x->x_open);
    now = shl_clock_ns();
    if (!errand->pending_ns)
        errand->pending_ns = now;
    return now - errand->pending_ns < ACCEPT_NS;
}

static int is_able(struct shmlink *x, struct errand *errand)
{
    struct shl_device_info info;
    char text[200];

    if (!errand->needs || shl_host_device(x->x_host, &info) ||
        (info.capabilities & errand->needs))
        return 1;
    snprintf(text, sizeof text,
             "the device has no %s: info lists its capabilities",
             connection_capability(errand->needs));
    errand_fail(x, errand, SHL_UNSUPPORTED, text);
    return 0;
}

static void begin(struct shmlink *x, struct errand *errand)
{
    errand->begun = 1;
    if (!connection_ready(x, errand->selector, 1))
        errand->ended = 1;
    else if (is_able(x, errand))
        errand->begin(x, errand);
}

static int still_waits(const struct errand *errand)
{
    if (!errand->waits)
        return 0;
    return errand->question != NULL ||
           (errand->work && !work_ready(errand->work));
}

/* Gone is the link here: its device may have ended, or have been given up. */
static const char *failure(const struct errand *errand)
{
    if (errand->status == SHL_GONE)
        return "the link ended before the answer came";
    return errand->text[0] ? errand->text : shl_status_text(errand->status);
}

static void go_on(struct shmlink *x, struct errand *errand)
{
    errand_step then = errand->then;

    errand->waits = 0;
    if (errand->work) {
        errand->status = errand->work->status;
        snprintf(errand->text, sizeof errand->text, "%s",
                 errand->work->why.text);
    }
    if (errand->status) {
        errand_fail(x, errand, errand->status, failure(errand));
        return;
    }
    then(x, errand);
    /* what the step did not use again is not needed any more */
    if (!errand->waits) {
        work_leave(errand->work, 0);
        errand->work = NULL;
    }
}

static void remove_first(struct errands *errands)
{
    struct errand *errand = errands->first;

    errands->first = errand->next;
    if (!errands->first)
        errands->last = NULL;
    errands->count--;
    errand_free(errand);
}

/* Notes and parameters sent before an errand have to arrive before it; but a
 * device that hears nothing any more does not hold it for ever. */
static int events_wait(struct shmlink *x, struct errand *errand)
{
    uint64_t now = shl_clock_ns();

    if (!x->x_host || (!schedule_count(&x->x_out) && shl_host_heard(x->x_host)))
        return 0;
    if (!errand->held_ns)
        errand->held_ns = now;
    return now - errand->held_ns < HELD_NS;
}

/* Whether the first errand cannot even begin. */
static int held(struct shmlink *x)
{
    struct errand *errand = x->x_errands.first;

    return !errand->begun && (pending(x) || events_wait(x, errand));
}

/* A disk that does not answer: the work is left to itself. */
static int is_overdue(const struct errand *errand)
{
    return errand->waits && errand->work &&
           shl_clock_ns() - errand->work_ns > WORK_NS;
}

/* True if the first errand made a step. */
static int step(struct shmlink *x)
{
    struct errand *errand = x->x_errands.first;

    if (!errand || (still_waits(errand) && !is_overdue(errand)) || held(x))
        return 0;
    if (still_waits(errand))
        errand_fail(x, errand, SHL_TIMEOUT, "the disk does not answer");
    else if (errand->begun)
        go_on(x, errand);
    else
        begin(x, errand);
    if (errand->ended)
        remove_first(&x->x_errands);
    return 1;
}

/* In batch mode: until there is something to go on with. */
static void await_first(struct shmlink *x)
{
    const struct errand *errand = x->x_errands.first;

    if (errand->question)
        shl_host_await(x->x_host, errand->question->request, AWAIT_MS);
    else
        shl_sleep_ms(1);
}

/* Where audio runs, what waits goes with the next block, and the errand then. */
static int comes_later(struct shmlink *x)
{
    return pending(x) || (held(x) && !connection_idle(x));
}

static void finish_all(struct shmlink *x)
{
    uint64_t end = shl_clock_ns() + BATCH_NS;

    while (x->x_errands.first && !comes_later(x)) {
        struct errand *errand = x->x_errands.first;
        if (held(x)) {
            x->x_play_idle(x);
            shl_sleep_ms(1);
        } else if (step(x)) {
            end = shl_clock_ns() + BATCH_NS;
        } else if (shl_clock_ns() > end) {
            errand_fail(x, errand, SHL_TIMEOUT, "no answer in 30 s");
            remove_first(&x->x_errands);
        } else {
            await_first(x);
        }
    }
}

void errands_run(struct shmlink *x)
{
    if (x->x_errands.running)
        return;
    x->x_errands.running = 1;
    if (x->x_batch)
        finish_all(x);
    else
        while (step(x))
            continue;
    x->x_errands.running = 0;
}

void errands_add(struct shmlink *x, struct errand *errand)
{
    struct errands *errands = &x->x_errands;

    if (errands->last)
        errands->last->next = errand;
    else
        errands->first = errand;
    errands->last = errand;
    errands->count++;
    errands_run(x);
}

void errands_bare(struct shmlink *x, t_symbol *selector, int argc,
                  errand_step first)
{
    struct errand *errand;

    if (argc) {
        replies_fail(&x->x_say, selector, SHL_BAD_VALUE,
                     "%s: takes no words, it is about the linked device: send "
                     "it alone",
                     selector->s_name);
        return;
    }
    errand = errands_new(x, selector, first, 0);
    if (errand)
        errands_add(x, errand);
}

int errands_busy(const struct shmlink *x)
{
    return x->x_errands.first &&
           (x->x_errands.first->waits || x->x_errands.first->held_ns);
}

void errands_free(struct shmlink *x)
{
    x->x_errands.running = 1;
    while (x->x_errands.first)
        remove_first(&x->x_errands);
}

int errands_async(struct shmlink *x, t_symbol *s, int argc, const t_atom *argv)
{
    double number = 0;
    char words[100];

    if (argc == 0 || (argc == 1 && atoms_whole(argv, 0, 1, &number)))
        return 1;
    atoms_words(argc, argv, words, sizeof words);
    replies_fail(&x->x_say, s, SHL_BAD_VALUE,
                 "%s: the last word is async, 0 or 1, not %s: nothing was done",
                 s->s_name, words);
    return 0;
}
