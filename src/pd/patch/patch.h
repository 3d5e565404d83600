/* SPDX-License-Identifier: MIT */
/* The patch as device: [shmlink~ -device Name in out] and, for an effect,
 * [shmlink~ -return Name in] beside it. patch.c makes both boxes,
 * patch_announce.c the device; patch_claim.c tells what its host does; patch_free.c
 * moves audio and events in Pd's own time, slave.c, with the flag -slave, in the
 * host's; patch_block.c has what both do with a block; patch_params.c the parameters
 * of its own, patch_facts.c what it tells of itself, patch_letters.c what hosts ask
 * by message. */
#ifndef PD_PATCH_H
#define PD_PATCH_H

#include "pd/flags.h"
#include "pd/schedule.h"
#include "pd/voice.h"

#define PATCH_TRANSPORTS 64 /* one for each frame of a tick */

/* Beside the kinds of struct shl_event, in the queue towards the patch. */
#define PATCH_CLAIMED   0xff01
#define PATCH_TRANSPORT 0xff02 /* data[0]: place in x_transports */
#define PATCH_RELEASED  0xff03 /* and claimed anew at once */

/* Frames that wait between host and tick, oldest first. */
struct reel {
    float *samples;
    size_t size;       /* bytes */
    uint32_t channels; /* may be none: the count is kept all the same */
    uint32_t room, count;
};

/* What the box has been told of the claim. */
enum patch_told { PATCH_NOT_TOLD, PATCH_TOLD, PATCH_TOLD_AND_HEARD };

struct patch_return;

typedef struct patch {
    union {
        struct voice x_voice;
        struct {
            t_object x_obj;
            t_float x_f;
            struct replies x_say; /* its name is the id */
        };
    };
    char x_box[128];    /* the name in the box: joins device and return */
    char x_wanted[128]; /* to be announced as; "": nothing */
    char x_tag[SHL_TAG_SIZE];
    int x_effect;     /* outlets, and a return box */
    int x_slave;      /* the flag; else it keeps its own time */
    int x_silent;     /* this canvas cannot be played */
    int x_changed;    /* announce again */
    uint32_t x_wish;  /* counts the opens and closes */
    int x_ended;      /* deleted: methods that still run end soon */
    int x_asked;      /* the number was asked for: no other will do */
    int x_box_number; /* the box names it: it is not saved */
    int x_box_tag;    /* likewise */
    int x_reading;    /* a line of the file */
    struct flags_zeros x_zeros;
    struct saved *x_saved;
    uint32_t x_channels; /* of this box */
    struct patch_return *x_return;
    struct patch *x_next; /* in patch_all.c's list */
    t_symbol *x_bound;

    shl_device *x_device;
    uint32_t x_pid;
    shl_status x_status;
    struct shl_why x_why;
    t_clock *x_tick;    /* at the start of each tick that is performed */
    t_clock *x_deliver; /* what the host sent, at its time */
    t_clock *x_poll;
    int x_idling;  /* nobody performs, silence goes on, */
    double x_idle; /* so far in logical time */
    int *x_gone;   /* set when the object is freed, while somebody waits */

    double x_rate_hz;
    uint32_t x_frames;  /* of a tick */
    double x_performed; /* logical time of the last perform */
    double x_start;     /* and of this tick's start */
    struct schedule_block x_span;
    t_sample **x_vectors;

    struct shl_block x_block; /* being worked on, if x_working */
    int x_working;
    int x_due;    /* a tick has begun, and its output is still to come */
    int x_lost;   /* a host in real time has been silent too long */
    int x_looped; /* the host is this very process */
    int x_loop_told;
    struct reel x_in, x_out;
    int64_t x_made;   /* frames put into x_out since the claim began */
    int64_t x_sent;   /* frames taken from it; below 0: the latency's silence */
    uint32_t x_delay; /* frames of latency by re-blocking */
    uint32_t x_latency; /* and those that the patch states */
    uint64_t x_polled_ns;
    uint64_t x_lost_ns;     /* when the wait began that ended so */
    uint64_t x_patience_ns; /* for the next block of a host in real time */

    struct schedule x_heard;  /* from the host, by logical time */
    struct schedule x_spoken; /* to the host, by logical time */
    struct schedule x_going;  /* to the host, by frame of x_made */
    struct shl_transport x_transports[PATCH_TRANSPORTS];
    uint32_t x_transport_next;
    struct shl_transport x_transport; /* as it will be at the next block */

    enum patch_told x_told;
    uint32_t x_told_pid;
    struct shl_held x_held; /* what the patch was told and may still sound */
    uint64_t x_ticks, x_alone, x_padded, x_unheard;

    struct shl_tap x_declared[SHL_MAX_TAPS]; /* to be announced */
    uint32_t x_declared_count;
    struct shl_tap x_taps[SHL_MAX_TAPS]; /* of the device; behind x_outs */
    uint32_t x_tap_count;
    uint32_t x_outs; /* channels of x_out that are outputs */

    struct shl_param *x_params;
    double *x_values;
    uint32_t x_param_count, x_param_room;
    struct letters *x_letters; /* what hosts ask by message */
} t_patch;

/* The box where an effect's audio goes back. */
struct patch_return {
    t_object r_obj;
    t_float r_f;
    struct replies r_say;
    t_patch *r_patch;
    t_symbol *r_bound;
    uint32_t r_channels;
    t_sample **r_vectors;
};

/* ---- patch.c ---- */

/** The object for a box whose words name -device or -return; NULL if it cannot
 * be made. */
void *patch_new(int argc, t_atom *argv);
void patch_setup(void);

/* ---- patch_all.c ---- */

/** All boxes of this Pd are known to each other. */
void patch_enlist(t_patch *x);
void patch_discharge(t_patch *x);
/** The first of them; x_next leads on. */
t_patch *patch_first(void);
/** Announce again soon: something that hosts copy has changed. */
void patch_announce_soon(t_patch *x);
/** Whether some device of this Pd is still to be announced. */
int patch_is_coming(void);
/** This box has Pd's time follow its host; at most one per process. */
int patch_keeps_time(const t_patch *x);
/** Be that box, if there is none yet. */
void patch_take_time(t_patch *x);
void patch_leave_time(t_patch *x);

/* ---- patch_announce.c ---- */

/** Be on the board as the box now has it. */
void patch_announce(t_patch *x);
/** Leave the board. The tag that hosts gave stays with us. */
void patch_leave(t_patch *x);
/** The claim is over, or the device gone. */
void patch_forget_claim(t_patch *x);

/* ---- patch_voice.c ---- */

/** How midi.c sends for a device. */
extern const struct voice_ways patch_voice_ways;

/* ---- patch_reel.c ---- */

#define REEL_ROOM (3 * SHL_MAX_FRAMES)

/** Room for the channels both ways. False if there is no memory. */
int patch_make_room(t_patch *x, uint32_t in_channels, uint32_t out_channels);
void patch_free_room(t_patch *x);
float *reel_plane(const struct reel *reel, uint32_t channel);
/** Take `frames` off the front, which somebody has read. */
void reel_advance(struct reel *reel, uint32_t frames);
/** Silence in front of what waits. */
void reel_delay(struct reel *reel, uint32_t frames);

/* ---- patch_words.c ---- */

/* The words in a box. */
struct patch_words {
    char name[128];
    char tag[SHL_TAG_SIZE];
    uint32_t numbers[2];
    int count, slave, is_return;
    int refused; /* a number is in the place of the name */
};

/** Whether they make a device or a return of it. */
int patch_wanted(int argc, const t_atom *argv);
/** Read them; complains of those that cannot be, and goes on. */
void patch_words_read(struct patch_words *words, struct replies *say, int argc,
                      const t_atom *argv);
/** Whether it is a name; if not, complains and empties it. */
int patch_words_name(struct replies *say, struct patch_words *words);

/* ---- patch_claim.c ---- */

/** Tell of claims and releases that no block has told of. */
void patch_claim_look(t_patch *x);
/** We have left the board: end what sounds, and tell, if a host had us. */
void patch_claim_end(t_patch *x);
/** Tell of what a block brought, at its time. */
void patch_claim_event(t_patch *x, const struct shl_event *event);

/* ---- patch_block.c ---- */

/** A claim begins at this tick. */
void patch_hear_claim(t_patch *x);
/** Lay out what a block brings, whose first frame lies so far ahead of this
 * tick's start. */
void patch_hear(t_patch *x, const struct shl_block *block, uint32_t ahead);
/** Have the clock tell it. */
void patch_hear_on(t_patch *x);
/** Say what waits to be said at the start of a block. */
void patch_say_now(t_patch *x, const struct shl_block *block);
/** Where a channel of what the patch makes goes, outputs first, then taps; NULL:
 * nobody hears it. */
float *patch_goal(const t_patch *x, uint32_t channel);
/** Nobody listens: what has a value keeps it, what has only a time is counted.
 */
void patch_drop_spoken(t_patch *x);

/* ---- patch_free.c ---- */

/** As the functions of slave.c, in Pd's own time. */
void free_tick(t_patch *x);
void free_perform_in(t_patch *x, t_sample **outlets);
void free_perform_out(t_patch *x, t_sample *const *inlets);
void free_idle(t_patch *x);

/* ---- slave.c ---- */

/** A tick begins: take what the host sent, wait for it. */
void slave_tick(t_patch *x);
/** A tick's audio: `frames` from the host, and to it. [audio] */
void slave_perform_in(t_patch *x, t_sample **outlets);
void slave_perform_out(t_patch *x, t_sample *const *inlets);
/** Answer what hosts have asked by message of any box of this Pd. The object
 * may be gone then, which x_gone says. */
void slave_serve(t_patch *x);
/** Nobody performs: answer with silence, take the events. */
void slave_idle(t_patch *x);

/* ---- patch_params.c ---- */

void patch_params_methods(t_class *c);
/** Tell of a parameter's event. */
void patch_params_tell(t_patch *x, const struct shl_event *event);
/** Show the present values on a device that was just announced. */
void patch_params_show(t_patch *x);
void patch_params_free(t_patch *x);

/* ---- patch_taps.c ---- */

void patch_taps_methods(t_class *c);
/** Those declared so far are those of the device that is announced next. */
void patch_taps_take(t_patch *x);
/** Channels of all declared taps together. */
uint32_t patch_taps_channels(const t_patch *x);

/* ---- patch_letters.c ---- */

void patch_letters_methods(t_class *c);
/** False if there is no memory. */
int patch_letters_new(t_patch *x);
void patch_letters_free(t_patch *x);
/** A device was announced: take what its hosts ask. */
void patch_letters_listen(t_patch *x);
/** It has left the board: nobody waits for what was asked. */
void patch_letters_forget(t_patch *x);
/** Answer one letter; 0 if there is none. The object may be gone then, which
 * x_gone says. */
int patch_letters_serve(t_patch *x);
uint64_t patch_letters_capabilities(const t_patch *x);
/** As struct voice_ways has it. */
int patch_letters_send_sysex(t_patch *x, t_symbol *s, const uint8_t *bytes,
                             size_t size);

/* ---- patch_facts.c ---- */

void patch_facts_methods(t_class *c);

#endif
