/* SPDX-License-Identifier: MIT */
/* One plugin program that we have started: its segment and its pipes, its life
 * from the first look for it to its end, and its request slot. A thread of its
 * own does all that may take time, and lives as long as the program, which the
 * system kills with it. What the blocks of audio are is the link's matter.
 *
 * One thread starts, ends and asks; another one, or the same, plays. */
#ifndef SHL_PLUGIN_PROCESS_H
#define SHL_PLUGIN_PROCESS_H

#include "core/maolan/maolan.h"
#include "core/maolan/scratch.h"
#include "core/os/mpsc.h"
#include "core/os/platform.h"
#include "shmlink/param.h"
#include "shmlink/realtime.h"
#include "shmlink/scratchpad.h"

#define SHL_PLUGIN_PROCESS_FORMAT_SIZE 16u
#define SHL_PLUGIN_PROCESS_SPEC_SIZE   1024u
#define SHL_PLUGIN_PROCESS_TEXT_SIZE   256u

struct shl_plugin_process_options {
    const char *format, *spec; /* "clap", "/path/file.clap::id" */
    const char *program; /* a path or a name; NULL or "": the usual ones */
    uint32_t protocol;   /* 3 to 8; 0: whatever it understands */
    double rate_hz;
    uint32_t block_frames;
    uint32_t in_channels, out_channels;
    /* for the request slot, before the first block */
    const void *state; /* to be restored; NULL: none. Copied */
    uint32_t state_size;
    bool save;           /* else save one, for the case that it crashes */
    uint32_t patience_s; /* until it must be ready; 0: 10 */
};

enum shl_plugin_process_stage {
    SHL_PLUGIN_PROCESS_STARTING,
    SHL_PLUGIN_PROCESS_READY, /* what it says of itself is there */
    SHL_PLUGIN_PROCESS_ENDED /* or never began: status, why and end are there */
};

/** A request on its way through the slot and back. */
struct shl_pending_request {
    struct shl_mpsc_node node; /* first: see shl_pending_request_next */
    uint32_t id;               /* whoever asks knows it by this */
    uint32_t number;           /* enum shl_plugin_host_type */
    uint64_t deadline_ns;
    uint8_t *bytes; /* asked: for scratch; answered: of scratch */
    uint32_t size;
    uint8_t *table; /* after a restore: scratch with the values there are now */
    uint32_t table_size;
    shl_status status;
    const char *text; /* why it failed; NULL: its status says it */
};

/* Who may ring the doorbell and read what comes of it. */
enum {
    SHL_PLUGIN_PROCESS_NOBODY,
    SHL_PLUGIN_PROCESS_AUDIO,
    SHL_PLUGIN_PROCESS_SLOT
};

struct shl_plugin_process {
    /* as it was asked for */
    char format[SHL_PLUGIN_PROCESS_FORMAT_SIZE];
    char spec[SHL_PLUGIN_PROCESS_SPEC_SIZE];
    char program[SHL_PLUGIN_PROCESS_SPEC_SIZE];
    uint32_t protocol;
    double rate_hz;
    uint32_t block_frames, in_channels, out_channels;
    bool save;
    uint32_t patience_s;
    uint64_t begun_ns;
    uint8_t *state; /* to be restored; or as saved once it is ready */
    uint32_t state_size;

    /* by its thread; for everybody once it is ready */
    char name[SHL_PLUGIN_PROCESS_TEXT_SIZE]; /* of the segment */
    char instance[64];                       /* on the command line */
    struct shl_map map;
    struct shl_pipes pipes;
    struct shl_child child; /* its thread's alone */
    uint32_t pid;
    struct shl_maolan maolan; /* its rings are the link's */
    char title[64];           /* the plugin's name, or "" */
    struct shl_port_counts ports;
    bool ports_told;  /* by the program; else they are our own wish */
    bool ports_fixed; /* it has refused to tell them again */
    bool has_area;    /* it has filled in a link area */
    struct shl_param *params;
    uint32_t param_count;
    bool has_table;      /* of its parameters: none where there are none */
    shl_status restored; /* what has become of the state; SHL_AGAIN: nothing */
    uint32_t number;     /* its thread's: protocol number that its answers have
                        shown, at least; 0: none yet */

    /* once it has ended */
    bool unasked;
    shl_status status;
    struct shl_why why;
    struct shl_child_end end;

    /* of whoever holds it */
    uint32_t rung;  /* doorbells ever */
    bool owed;      /* an answer to the last one */
    uint32_t heard; /* bytes since then */
    /* Two counters that it may have, as they stood then, and how often in a
     * row each has said the same as its bytes. */
    struct shl_plugin_process_count {
        uint32_t seen, agreed;
    } tasks,       /* of ours: blocks and requests */
        responses; /* since number 7: blocks */

    /*   field     writer        reader       ordering
     *   stage     its thread    everybody    release store, acquire load
     *   calls     everybody     its thread   seq_cst; it sleeps on it
     *   quit      the owner     its thread   release store, acquire load
     *   held      who holds it  both         acquire exchange, release store
     *   named     its thread,   its thread   exchange: who unlinks the name
     *             the owner
     *   gone      audio         everybody    relaxed: a pipe has ended
     *   starting  its thread    everybody    relaxed: its pid, before ready
     *   posted    the owner     its thread   as a shl_mpsc
     *   answered  its thread    the owner    as a shl_mpsc */
    _Atomic uint32_t stage, calls, quit, held, named, gone, starting;
    struct shl_mpsc posted, answered;
};

/** Begin to start one; returns at once. SHL_BAD_NAME (format or spec),
 * SHL_BAD_VALUE, SHL_NO_MEMORY; `why` has the sentence. [control] */
shl_status
shl_plugin_process_start(const struct shl_plugin_process_options *options,
                         struct shl_plugin_process **plugin,
                         struct shl_why *why);

/** Let it end in good order, without waiting: asked, killed after 5 s. Nobody
 * uses it any more. NULL is fine. [control] */
void shl_plugin_process_end(struct shl_plugin_process *plugin);

/** From being asked to end until it is killed: 5 s, less in tests. */
extern _Atomic uint32_t shl_plugin_process_patience_ms;

/** [any] */
SHL_RT enum shl_plugin_process_stage
shl_plugin_process_get_stage(const struct shl_plugin_process *plugin);

/** How many there are in this process, those that are ending included. [any] */
uint32_t shl_plugin_process_get_count(void);

/** Take its name away from the board of names, once: those who need the
 * segment have it. [control] */
void shl_plugin_process_unname(struct shl_plugin_process *plugin);

/** Whether it has counted blocks that it has answered, as programs since number
 * 7 do. [any] */
bool shl_plugin_process_counts(const struct shl_plugin_process *plugin);

/* ---- playing ---- */

/** Become the one who rings; waits at most wait_us for a request that is under
 * way. [audio] */
SHL_RT bool shl_plugin_process_hold(struct shl_plugin_process *plugin,
                                    uint32_t wait_us);
SHL_RT void shl_plugin_process_let(struct shl_plugin_process *plugin);

/** While held: ring the doorbell, all else being written. SHL_RING_FULL: it
 * hangs; SHL_GONE. [audio] */
SHL_RT shl_status shl_plugin_process_ring(struct shl_plugin_process *plugin);

/** While held: whether the last doorbell is answered, without waiting; or
 * within timeout_us. [audio] */
SHL_RT bool shl_plugin_process_answered(struct shl_plugin_process *plugin,
                                        uint32_t timeout_us);

/* ---- asking ---- */

/** Ask by the slot for one of enum shl_plugin_host_type; the answer comes to
 * shl_plugin_process_answer. What stands for it on the wire depends on the protocol
 * number of the program: where that has no such request, or the number is not
 * known and the wrong one would do harm, the answer is SHL_UNSUPPORTED with a
 * sentence. SHL_BAD_VALUE: no
 * such request, or more than fits into scratch; SHL_UNSUPPORTED: a format that
 * answers none; SHL_NO_MEMORY. [control] */
shl_status shl_plugin_process_ask(struct shl_plugin_process *plugin,
                                  uint32_t id, uint32_t number,
                                  const void *bytes, uint32_t size,
                                  uint32_t timeout_ms);

/** Answers that have come, oldest first; NULL: none. To be freed. [control] */
struct shl_pending_request *
shl_plugin_process_answer(struct shl_plugin_process *plugin);
void shl_pending_request_free(struct shl_pending_request *pending);

/** The one that came after it, of those taken with it. [control] */
static inline struct shl_pending_request *
shl_pending_request_next(const struct shl_pending_request *pending)
{
    return (struct shl_pending_request *)pending->node.next;
}

/* ---- plugin_process_program.c, for plugin_process.c ---- */

/** Find the program into `path`, of SHL_PLUGIN_PROCESS_SPEC_SIZE bytes. SHL_NOT_FOUND,
 * SHL_NO_PERMISSION and a sentence. [its thread] */
shl_status shl_plugin_program_find(const char *wish, char *path,
                                   struct shl_why *why);

/** Why it has not started. [its thread] */
void shl_plugin_program_explain(struct shl_plugin_process *plugin,
                                shl_status status);

/* ---- plugin_process_about.c, for plugin_process.c ---- */

/** Before the first block: what it says, and its state. [its thread] */
void shl_plugin_about_read(struct shl_plugin_process *plugin);

/* ---- plugin_process_bell.c, for plugin_process_slot.c ---- */

/** Become the one who rings, until the deadline. [its thread] */
bool shl_plugin_bell_hold(struct shl_plugin_process *plugin,
                          uint64_t deadline_ns);
void shl_plugin_bell_let(struct shl_plugin_process *plugin);

/** Take the bytes that are there. [whoever holds it] */
void shl_plugin_bell_drain(struct shl_plugin_process *plugin);

/** Whether it counts its tasks, and has done the last one. [whoever holds it] */
bool shl_plugin_bell_tells(const struct shl_plugin_process *plugin);

/* ---- plugin_process_slot.c ---- */

/** Do one request now. *size in: of `bytes`, which go into scratch; out: of what
 * has come back in `scratch`. [its thread] */
shl_status shl_plugin_request_do(struct shl_plugin_process *plugin,
                                 uint32_t number, const uint8_t *bytes,
                                 uint32_t size, uint64_t deadline_ns,
                                 uint8_t *scratch, uint32_t *scratch_size);

/* ---- plugin_process_requests.c, for plugin_process.c ---- */

/** Do what was posted, and let the answers be found. [its thread] */
void shl_plugin_request_serve(struct shl_plugin_process *plugin);

/** Everything that is posted fails, and all answers are forgotten. */
void shl_plugin_request_clear(struct shl_plugin_process *plugin);

#endif
