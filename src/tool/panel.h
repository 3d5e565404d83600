/* What passes between the control threads of `shmlink device` and its audio
 * thread without a lock: all parameters at once, untimed MIDI, and the values
 * as they sound now. One clerk posts, one audio thread takes. */
#ifndef TOOL_PANEL_H
#define TOOL_PANEL_H

#include "synth.h"

#define PANEL_MIDI 1024u /* messages that wait */

/** What the clerk wants: all values; reset: silence first. */
struct panel_wish {
    double value[SYNTH_PARAMS];
    int reset;
    uint32_t number;
};

struct panel;

/** @return NULL if there is no memory. [control] */
struct panel *panel_new(void);
void panel_free(struct panel *panel);

/* ---- the clerk ---- */

/** Post all values. Returns the number of this wish. [clerk] */
uint32_t panel_post(struct panel *panel, const double *values, int reset);

/** Whether that wish, or a later one, is heard. [clerk] */
int panel_heard(const struct panel *panel, uint32_t number);

/** The values as last posted, or as they sound if that is heard. [clerk] */
void panel_values(const struct panel *panel, double *values);

/** Post a MIDI message; 0 if PANEL_MIDI of them wait. [clerk] */
int panel_midi(struct panel *panel, const uint32_t *ump);

/* ---- the audio thread ---- */

/** The newest wish, or NULL; valid until the next call. Say panel_done when it
 * is heard. [audio] */
SHL_RT const struct panel_wish *panel_take(struct panel *panel);
SHL_RT void panel_done(struct panel *panel, const struct panel_wish *wish);

/** The next MIDI message, 0 if there is none. [audio] */
SHL_RT int panel_next_midi(struct panel *panel, uint32_t ump[2]);

/** The values as they sound now. [audio] */
SHL_RT void panel_show(struct panel *panel, const struct synth *synth);

#endif
