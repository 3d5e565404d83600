/* SPDX-License-Identifier: MIT */
#include "param_exchange.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FRESH 4u /* beside the number of a wish: nobody has taken it */

/* Three wishes: one is the message_thread's to write, one the audio thread's to read,
 * one lies between them.
 *   between   both exchange it (acq_rel): the wish given is whole, the one
 *             got is no longer used by the other
 *   heard     audio writes (release), message_thread reads (acquire): the values of
 *             that wish are shown
 *   now       audio writes, message_thread reads (relaxed): bits of a double each
 *   write     message_thread writes (release), audio reads (acquire): slots are whole
 *   read      audio writes (release), message_thread reads (acquire): slots are free */
struct exchange {
    struct exchange_wish wish[3];
    uint32_t writing,
        reading;     /* the message_thread's, the audio thread's own */
    uint32_t posted; /* the message_thread's own: number of its last wish */
    struct exchange_wish last; /* and that wish */
    _Atomic uint32_t between;
    _Atomic uint32_t heard;
    _Atomic uint64_t now[SYNTH_PARAMS];
    _Atomic uint32_t write, read;
    uint32_t midi[EXCHANGE_MIDI][2];
};

struct exchange *exchange_new(void)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    if (!exchange)
        return NULL;
    exchange->reading = 1;
    atomic_init(&exchange->between, 2);
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    free(exchange);
}

/* ---- the message_thread ------------------------------------------------------------- */

int exchange_heard(const struct exchange *exchange, uint32_t number)
{
    /* acquire: the values of that wish are shown */
    return (int32_t)(atomic_load_explicit(&exchange->heard,
                                          memory_order_acquire) -
                     number) >= 0;
}

uint32_t exchange_post(struct exchange *exchange, const double *values,
                       int reset)
{
    struct exchange_wish *last = &exchange->last;

    /* what nobody has heard is replaced, but its silence is kept */
    if (!exchange_heard(exchange, exchange->posted))
        reset |= last->reset;
    memcpy(last->value, values, sizeof(last->value));
    last->reset = reset;
    last->number = ++exchange->posted;
    exchange->wish[exchange->writing] = *last;
    /* acq_rel: see above */
    exchange->writing =
        atomic_exchange_explicit(&exchange->between, exchange->writing | FRESH,
                                 memory_order_acq_rel) &
        ~FRESH;
    return last->number;
}

void exchange_values(const struct exchange *exchange, double *values)
{
    if (!exchange_heard(exchange, exchange->posted)) {
        memcpy(values, exchange->last.value, sizeof(exchange->last.value));
        return;
    }
    for (uint32_t i = 0; i < SYNTH_PARAMS; i++) {
        uint64_t bits =
            atomic_load_explicit(&exchange->now[i], memory_order_relaxed);

        memcpy(&values[i], &bits, sizeof(bits));
    }
}

int exchange_midi(struct exchange *exchange, const uint32_t *ump)
{
    const uint32_t write =
        atomic_load_explicit(&exchange->write, memory_order_relaxed);

    /* acquire: the audio thread has copied the slot */
    if (write - atomic_load_explicit(&exchange->read, memory_order_acquire) ==
        EXCHANGE_MIDI)
        return 0;
    memcpy(exchange->midi[write % EXCHANGE_MIDI], ump,
           sizeof(exchange->midi[0]));
    /* release: the slot is whole */
    atomic_store_explicit(&exchange->write, write + 1, memory_order_release);
    return 1;
}

/* ---- the audio thread ------------------------------------------------------ */

SHL_RT const struct exchange_wish *exchange_take(struct exchange *exchange)
{
    if (!(atomic_load_explicit(&exchange->between, memory_order_relaxed) &
          FRESH))
        return NULL;
    /* acq_rel: see above */
    exchange->reading =
        atomic_exchange_explicit(&exchange->between, exchange->reading,
                                 memory_order_acq_rel) &
        ~FRESH;
    return &exchange->wish[exchange->reading];
}

SHL_RT void exchange_done(struct exchange *exchange,
                          const struct exchange_wish *wish)
{
    /* release: its values are shown */
    atomic_store_explicit(&exchange->heard, wish->number, memory_order_release);
}

SHL_RT int exchange_next_midi(struct exchange *exchange, uint32_t ump[2])
{
    const uint32_t read =
        atomic_load_explicit(&exchange->read, memory_order_relaxed);

    /* acquire: the slot is whole */
    if (read == atomic_load_explicit(&exchange->write, memory_order_acquire))
        return 0;
    memcpy(ump, exchange->midi[read % EXCHANGE_MIDI],
           sizeof(exchange->midi[0]));
    /* release: we have copied it */
    atomic_store_explicit(&exchange->read, read + 1, memory_order_release);
    return 1;
}

SHL_RT void exchange_show(struct exchange *exchange, const struct synth *synth)
{
    for (uint32_t i = 0; i < SYNTH_PARAMS; i++) {
        const double value = synth_value(synth, (enum synth_param)i);
        uint64_t bits;

        memcpy(&bits, &value, sizeof(bits));
        atomic_store_explicit(&exchange->now[i], bits, memory_order_relaxed);
    }
}
