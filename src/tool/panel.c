#include "panel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FRESH 4u /* beside the number of a wish: nobody has taken it */

/* Three wishes: one is the clerk's to write, one the audio thread's to read,
 * one lies between them.
 *   between   both exchange it (acq_rel): the wish given is whole, the one
 *             got is no longer used by the other
 *   heard     audio writes (release), clerk reads (acquire): the values of
 *             that wish are shown
 *   now       audio writes, clerk reads (relaxed): bits of a double each
 *   write     clerk writes (release), audio reads (acquire): slots are whole
 *   read      audio writes (release), clerk reads (acquire): slots are free */
struct panel {
    struct panel_wish wish[3];
    uint32_t writing, reading; /* the clerk's, the audio thread's own */
    uint32_t posted;           /* the clerk's own: number of its last wish */
    struct panel_wish last;    /* and that wish */
    _Atomic uint32_t between;
    _Atomic uint32_t heard;
    _Atomic uint64_t now[SYNTH_PARAMS];
    _Atomic uint32_t write, read;
    uint32_t midi[PANEL_MIDI][2];
};

struct panel *panel_new(void)
{
    struct panel *panel = calloc(1, sizeof(*panel));

    if (!panel)
        return NULL;
    panel->reading = 1;
    atomic_init(&panel->between, 2);
    return panel;
}

void panel_free(struct panel *panel)
{
    free(panel);
}

/* ---- the clerk ------------------------------------------------------------- */

int panel_heard(const struct panel *panel, uint32_t number)
{
    /* acquire: the values of that wish are shown */
    return (int32_t)(atomic_load_explicit(&panel->heard, memory_order_acquire) -
                     number) >= 0;
}

uint32_t panel_post(struct panel *panel, const double *values, int reset)
{
    struct panel_wish *last = &panel->last;

    /* what nobody has heard is replaced, but its silence is kept */
    if (!panel_heard(panel, panel->posted))
        reset |= last->reset;
    memcpy(last->value, values, sizeof(last->value));
    last->reset = reset;
    last->number = ++panel->posted;
    panel->wish[panel->writing] = *last;
    /* acq_rel: see above */
    panel->writing =
        atomic_exchange_explicit(&panel->between, panel->writing | FRESH,
                                 memory_order_acq_rel) &
        ~FRESH;
    return last->number;
}

void panel_values(const struct panel *panel, double *values)
{
    if (!panel_heard(panel, panel->posted)) {
        memcpy(values, panel->last.value, sizeof(panel->last.value));
        return;
    }
    for (uint32_t i = 0; i < SYNTH_PARAMS; i++) {
        uint64_t bits =
            atomic_load_explicit(&panel->now[i], memory_order_relaxed);

        memcpy(&values[i], &bits, sizeof(bits));
    }
}

int panel_midi(struct panel *panel, const uint32_t *ump)
{
    const uint32_t write =
        atomic_load_explicit(&panel->write, memory_order_relaxed);

    /* acquire: the audio thread has copied the slot */
    if (write - atomic_load_explicit(&panel->read, memory_order_acquire) ==
        PANEL_MIDI)
        return 0;
    memcpy(panel->midi[write % PANEL_MIDI], ump, sizeof(panel->midi[0]));
    /* release: the slot is whole */
    atomic_store_explicit(&panel->write, write + 1, memory_order_release);
    return 1;
}

/* ---- the audio thread ------------------------------------------------------ */

SHL_RT const struct panel_wish *panel_take(struct panel *panel)
{
    if (!(atomic_load_explicit(&panel->between, memory_order_relaxed) & FRESH))
        return NULL;
    /* acq_rel: see above */
    panel->reading = atomic_exchange_explicit(&panel->between, panel->reading,
                                              memory_order_acq_rel) &
                     ~FRESH;
    return &panel->wish[panel->reading];
}

SHL_RT void panel_done(struct panel *panel, const struct panel_wish *wish)
{
    /* release: its values are shown */
    atomic_store_explicit(&panel->heard, wish->number, memory_order_release);
}

SHL_RT int panel_next_midi(struct panel *panel, uint32_t ump[2])
{
    const uint32_t read =
        atomic_load_explicit(&panel->read, memory_order_relaxed);

    /* acquire: the slot is whole */
    if (read == atomic_load_explicit(&panel->write, memory_order_acquire))
        return 0;
    memcpy(ump, panel->midi[read % PANEL_MIDI], sizeof(panel->midi[0]));
    /* release: we have copied it */
    atomic_store_explicit(&panel->read, read + 1, memory_order_release);
    return 1;
}

SHL_RT void panel_show(struct panel *panel, const struct synth *synth)
{
    for (uint32_t i = 0; i < SYNTH_PARAMS; i++) {
        const double value = synth_value(synth, (enum synth_param)i);
        uint64_t bits;

        memcpy(&bits, &value, sizeof(bits));
        atomic_store_explicit(&panel->now[i], bits, memory_order_relaxed);
    }
}
