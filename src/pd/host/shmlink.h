/* SPDX-License-Identifier: MIT */
/* The object [shmlink~], for the files that carry its methods: wishes.c (open,
 * close, tag), notices.c (what becomes of a link), midi.c (MIDI), params.c
 * (parameters), transport.c (transport), facts.c (what is known), device_events.c
 * (what the device sends), taps.c (points inside the device), requests.c (what it is
 * asked) and the files that do so. shmlink~.c makes it, runs it and ends it. */
#ifndef PD_SHMLINK_H
#define PD_SHMLINK_H

#include "pd/flags.h"
#include "pd/host/requests.h"
#include "pd/replies.h"
#include "pd/schedule.h"
#include "pd/voice.h"

/* What `link` and `latency` have told last. */
struct shmlink_told {
    uint32_t in_channels, out_channels;
    double rate_hz;
    uint32_t block, link_latency, drive, latency;
};

/* A change of the transport, until the block of its time begins. */
enum transport_what {
    PLAYHEAD_TEMPO,
    PLAYHEAD_METER,
    PLAYHEAD_PLAY,
    PLAYHEAD_LOCATE
};
struct playhead_change {
    double time; /* logical */
    enum transport_what what;
    double value[2];
};
#define PLAYHEAD_CUES 128

typedef struct shmlink {
    union {
        struct voice x_voice;
        struct {
            t_object x_obj;
            t_float x_f;
            struct replies x_say; /* its name is the device that is wanted */
        };
    };
    struct flags x_flags;
    struct flags_zeros x_zeros;
    int x_batch;

    shl_host *x_host;
    uint32_t x_bypass;
    /* what perform would do, in a block of no frames: nobody performs. A
     * pointer, as [shmreg] has these files too, but not shmlink~.c */
    void (*x_play_idle)(struct shmlink *x);
    t_clock *x_poll;    /* links, notices, and plays while no audio runs */
    t_clock *x_deliver; /* what the device sent, at its time */

    int x_ended;         /* deleted: methods that still run end soon */
    int x_loaded;        /* the outlets are connected */
    int x_started;       /* and clocks run */
    int x_waited;        /* turns, for devices of this Pd */
    int x_await_program; /* batch: one starts anew, with the canvas's rate */
    int x_due;           /* an open has not been answered */
    int x_requested;     /* and was asked for by message */
    int x_open;          /* `open 1` has been told, and still holds */
    uint64_t x_refusals; /* reasons that `open 0` has told of this wish */
    uint32_t x_wish;     /* counts the opens and closes that have begun */
    int x_shut;          /* a crash has told `close`: nothing is open */
    int x_closing;       /* `close` is to be told before what follows */
    shl_status x_status; /* why the last open was refused */
    double x_asked;      /* logical time of the open */
    double x_looked;     /* and of the last look for the device */
    struct shmlink_told x_told;
    struct saved *x_saved;
    int x_box_device, x_box_tag; /* the box names one: it is not saved */
    int x_reading;               /* a line of the file */
    int x_literal; /* the id was typed by a person: whoever has the tag */
    /* given by message: saved with the patch */
    char x_saved_device[REPLIES_NAME];
    char x_saved_tag[SHL_TAG_SIZE];

    int x_rate_known; /* the dsp method has told rate and block */
    double x_rate_hz;
    uint32_t x_frames; /* of one perform */
    uint32_t x_tick_frames;
    double x_performed; /* logical time of the last perform */
    double x_idle_sent; /* and of the last event sent without one */
    int x_inlets, x_outlets;
    t_sample **x_vectors; /* Pd's: inlets, then outlets */
    float **x_planes;     /* the same as the core takes them */
    float *x_samples;     /* behind x_planes where Pd's samples are double */
    size_t x_samples_size;

    struct schedule_block x_block;
    struct schedule x_out; /* to the device */
    struct schedule x_in;  /* from it */
    struct playhead_change
        x_transports[PLAYHEAD_CUES]; /* of the transport, by time */
    uint32_t x_transport_count;
    uint64_t x_unsent;   /* thrown away since the device had left */
    uint64_t x_excluded; /* MIDI in mode audio */
    uint64_t x_unknown;  /* of parameters that the device has not described */
    struct taps_answer *x_taps_heard; /* to be told */
    uint32_t x_taps_asked;            /* and not answered yet */
    uint64_t x_refused;               /* by the link, when their time came */
    uint64_t x_refused_told;
    uint32_t x_stalls; /* ever, and on the console */
    uint32_t x_stalls_said;
    double x_stall_said; /* when */
    shl_status x_refusal;

    struct waiting *x_waiting, *x_waiting_last; /* said while one starts */
    uint32_t x_waiting_count;
    t_canvas *x_canvas; /* paths are relative to it */
    struct requests x_requests;
    char x_preset[SHL_FILE_NAME_SIZE];   /* loaded or saved last */
    int x_programs, x_presets;           /* as counted last; -1: not yet */
    struct shmlink *x_next;              /* in presets.c's list of all */
    int x_change_due;                    /* it is to hear of changed presets */
    struct news *x_posts, *x_posts_last; /* from the device, not told yet */
    uint32_t x_posts_count;
    size_t x_posts_bytes;
    uint64_t x_posts_lost, x_posts_lost_told;
    double x_lines_since; /* logical time, for those on the console */
    uint32_t x_lines;
} t_shmlink;

/* ---- link_state.c ---- */

/** Nobody performs: DSP is off, or switched off for this canvas. */
int link_idle(const t_shmlink *x);
/** The link's state in one sentence. */
void link_why(t_shmlink *x, char *text, size_t size);
/** Whether the open that was asked for last waits for a program to get ready. */
int link_starting(const t_shmlink *x);
/** The word of a capability. */
const char *link_capability(uint64_t capability);

/* ---- connection.c ---- */

/** Make the host anew, as the box and the last open have it. */
shl_status connection_make(t_shmlink *x);
/** Make the host if there is none, and want the device that the name names, if
 * it names one. The answer comes from here, from connection_answer, or at
 * loadbang. */
void connection_open(t_shmlink *x);
/** The first clocks run: all devices of this Pd are there. */
int connection_start(t_shmlink *x);
/** Poll the host. In batch a device that could not be had is looked for again by
 * logical time, so that each rendering finds it at the same moment. */
void connection_poll(t_shmlink *x);
/** At most so many ms until that must be called again; or `ms`. */
double connection_poll_within(const t_shmlink *x, double ms);
/** While there is no host: try again now and then. */
void connection_retry(t_shmlink *x);
/** Tell what has happened, and answer an open as soon as that can be done. */
void connection_answer(t_shmlink *x);
/** Rate or block of the canvas have changed. */
void connection_setup(t_shmlink *x);
/** Whether there is a link; if not, the failing answers to `selector`: with
 * its own reply (`request`) or without. */
int connection_ready(t_shmlink *x, t_symbol *selector, int request);
/** Whether the linked device has a capability; if not, said once per link. */
int connection_offers(t_shmlink *x, t_symbol *selector, uint64_t capability);
/** Queue an event for the present logical time. */
void connection_put(t_shmlink *x, t_symbol *selector,
                    const struct shl_event *event);

/* ---- wishes.c ---- */

/** A line of the patch's file: the words in the box win over it. */
void wishes_saved(t_pd *owner, t_symbol *s, int argc, t_atom *argv);
void wishes_methods(t_class *c);

/* ---- voice.c ---- */

/** How midi.c sends for a host. */
extern const struct voice_ways voice_host_ways;
void voice_host_methods(t_class *c);

/* ---- notices.c ---- */

/** Tell of something that happened to the link. */
void notices_tell(t_shmlink *x, const struct shl_notice *notice);
/** Tell anew what `link` and `latency` say, where it has changed. */
void notices_changed(t_shmlink *x);
/** Answer so many opens that others have overtaken. */
void notices_overtaken(t_shmlink *x, const char *name, int requested);
/** Answer an open: there is a link. */
void notices_open(t_shmlink *x);
/** Answer an open: there is none, for the reason that x_status names. A device
 * that is not there yet is no mistake, except where nobody waits. */
void notices_refused(t_shmlink *x);
/** `open 0 name reason`: once for each who asked, and once if nobody did. */
void notices_closed(t_shmlink *x, const char *name, int requested,
                    shl_status status, const char *text);
/** Whether the console has heard this of a crash: it is a long sentence, and
 * said once, whatever follows. */
int notices_told(const t_shmlink *x, const char *text);
/** The link is over. The queues belong to it: what was meant for a device that
 * left is not played on its successor. */
void notices_forget(t_shmlink *x);

/* ---- waiting.c ---- */

/** A method of any atoms that is kept while a program starts. */
void waiting_add(t_class *c, t_method method, const char *selector);
/** The open has been answered: all of them now. */
void waiting_release(t_shmlink *x);
/** Forget them. */
void waiting_free(t_shmlink *x);

/* ---- the others ---- */

void params_methods(t_class *c);
void transport_methods(t_class *c);
/** The logical time of the first change that waits; NULL: none does. [audio] */
const double *transport_first(const t_shmlink *x);
/** Have it take effect at this sample of the block that begins. [audio] */
void transport_play(t_shmlink *x, uint32_t offset);
void facts_methods(t_class *c);
void taps_methods(t_class *c);

/** Tell what the device has said of routes. */
void taps_tell(t_shmlink *x);
/** Forget it. The host is gone. */
void taps_free(t_shmlink *x);

/** programs.c: the device's own programs, reset. states.c: its state as a file
 * or as bytes, files for it. presets.c: its state in the user's folder. ping.c:
 * a sign of life. All of them by requests. */
void programs_methods(t_class *c);
void plugins_methods(t_class *c);
void states_methods(t_class *c);
void presets_methods(t_class *c);
void ping_methods(t_class *c);

/** The name that the linked device's presets go by, "" without one. */
void states_key(t_shmlink *x, char key[SHL_TEXT_SIZE]);
/** The request's answer becomes the bytes of its work. */
void states_hand_over(struct request *request);
/** Objects that hear of changed presets. */
void presets_enlist(t_shmlink *x);
void presets_discharge(t_shmlink *x);
/** A message of the device, as the core's handler; told later. */
int device_messages_take(void *arg, const struct shl_received *message);
void device_messages_tell(t_shmlink *x);
void device_messages_forget(t_shmlink *x);

/* ---- sysex.c ---- */

/** SysEx by message: as long as it likes, after all that was sent before. */
void sysex_send(t_shmlink *x, t_symbol *s, const uint8_t *bytes, size_t size);
/** Whether such a one is still under way. */
int sysex_sends(const t_shmlink *x);

/** One event from the device, told on the outlet now. */
void device_events_tell(t_shmlink *x, const struct shl_event *event);

#endif
