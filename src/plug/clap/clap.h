/* SPDX-License-Identifier: MIT */
/* A CLAP plugin as this room's interface has it: what its files share. */
#ifndef PLUG_CLAP_H
#define PLUG_CLAP_H

#include "plug/clap/abi.h"
#include "plug/plugin.h"

#include <stdatomic.h>

#define CLAP_PORTS      64u   /* audio ports each way */
#define CLAP_MAX_EVENTS 8192u /* in one block; more wait for the next one */
#define CLAP_TIMERS     16u
#define CLAP_FDS        16u
#define CLAP_SYSEX      65536u /* bytes of one message, with F0 and F7 */

/** A library, and one more user of it. */
struct clap_library {
    void *handle;
    const struct clap_entry *entry;
    const struct clap_factory *factory;
    int begun; /* its init has been called */
};

/** One way of audio: the plugin's ports, over planes that lie side by side. */
struct clap_way {
    struct clap_audio ports[CLAP_PORTS];
    uint32_t count;    /* ports */
    uint32_t channels; /* of all of them */
    float **planes;    /* `channels` of them */
};

union clap_any_event {
    struct clap_event event;
    struct clap_note_event note;
    struct clap_expression_event expression;
    struct clap_param_event param;
    struct clap_gesture_event gesture;
    struct clap_midi_event midi;
    struct clap_sysex_event sysex;
    struct clap_midi2_event midi2;
};

#define CLAP_ARENA 262144u /* of the whole ones of one block */

/** SysEx on its way to the plugin, port by port. */
struct clap_sysex {
    uint8_t *bytes; /* CLAP_SYSEX */
    uint32_t size;
};

struct clap_param_state {
    struct clap_param info;
    _Atomic uint64_t value; /* the bits of a double, relaxed */
    uint32_t visible;       /* its place in `list`, or UINT32_MAX */
    /* the audio thread's: what the plugin has said of it in this block */
    double said;
    uint32_t is_said;
};

struct clap {
    struct plugin plugin;
    struct plugin_owner *owner;
    struct clap_library library;
    const struct clap_plugin *own;
    struct clap_host host;
    char category[64];
    double rate_hz;
    int active;

    const struct clap_audio_ports *audio_ports;
    const struct clap_ports_configs *configs;
    const struct clap_note_ports *note_ports;
    const struct clap_params *params;
    const struct clap_state *state;
    const struct clap_latency *latency;
    const struct clap_note_names *note_names;
    const struct clap_timer *timer;
    const struct clap_fd *fd;

    struct clap_way in, out;
    float *silence, *unheard; /* planes for channels beyond ours */
    uint32_t midi_in, midi_out;
    struct {
        uint32_t dialects, preferred;
    } note_in[SHL_MAX_MIDI_PORTS];

    struct clap_param_state *param; /* by index */
    uint32_t *by_id;                /* indices, in the order of their ids */
    uint32_t param_count;
    struct shl_param *list; /* those that are shown */
    uint32_t list_count;

    _Atomic uint32_t latency_frames; /* relaxed: it stands for itself */
    /* set on any thread (relaxed), heeded by tick */
    _Atomic uint32_t wants_call, wants_rescan;
    /* events that found no room: counted by the audio thread, told by tick */
    _Atomic uint32_t lost;
    uint32_t lost_told;
    int stale_params; /* to be read anew by activate */

    struct {
        uint32_t id, period_ms; /* 0: a free place */
        uint64_t due_ns;
    } timers[CLAP_TIMERS];
    uint32_t timer_serial;
    struct {
        int fd;
        uint32_t flags; /* 0: a free place */
    } fds[CLAP_FDS];
    char text[CLAP_TEXT_SIZE];

    /* the audio thread's */
    int started;
    int64_t frame;
    union clap_any_event *events; /* CLAP_MAX_EVENTS */
    uint32_t event_count;
    struct clap_sysex sysex[SHL_MAX_MIDI_PORTS];
    uint8_t *arena; /* CLAP_ARENA: the whole ones of this block */
    uint32_t arena_size;
    const struct plugin_block *block; /* the one under way */
    uint32_t *said;                   /* indices of what it said */
    uint32_t said_count;
};

static inline struct clap *clap_of(const struct plugin *plugin)
{
    return (struct clap *)(uintptr_t)plugin;
}

static inline double clap_value_get(const struct clap_param_state *param)
{
    const union {
        uint64_t bits;
        double real;
    } both = {atomic_load_explicit(&param->value, memory_order_relaxed)};

    return both.real;
}

static inline void clap_value_set(struct clap_param_state *param, double real)
{
    const union {
        double real;
        uint64_t bits;
    } both = {real};

    atomic_store_explicit(&param->value, both.bits, memory_order_relaxed);
}

/** Which of CLAP's threads we are on. */
enum clap_role { CLAP_NOBODY, CLAP_MAIN, CLAP_AUDIO };

/** Be on this one from here on; gives the one before. [any] */
enum clap_role clap_role_take(enum clap_role role);

/* host.c */

/** Fill in what the plugin may ask of us. [control] */
void clap_host_init(struct clap *clap);
/** Timers, descriptors, calls that the plugin has asked for. [control] */
void clap_tick(struct plugin *plugin);

/* library.c */

/** Load a file, or the library in a folder of that name. SHL_NOT_FOUND: there is
 * no such file. [control] */
shl_status clap_library_open(const char *path, struct clap_library *library,
                             struct shl_why *why);
void clap_library_close(struct clap_library *library);
/** Call `found` for each file that may hold plugins, until it gives true. */
int clap_files(int (*found)(void *arg, const char *path), void *arg);

/* ports.c */

/** Ask the plugin for its ports. SHL_NO_MEMORY. [control], not active */
shl_status clap_ports_read(struct clap *clap, struct shl_why *why);
void clap_ports_free(struct clap *clap);
struct plugin_ports clap_ports(const struct plugin *plugin);
shl_status clap_set_ports(struct plugin *plugin, uint32_t inputs,
                          uint32_t outputs, struct shl_why *why);

/* params.c */

/** Ask the plugin for its parameters. SHL_NO_MEMORY. [control] */
shl_status clap_params_read(struct clap *clap, struct shl_why *why);
void clap_params_free(struct clap *clap);
/** Ask for all values again. [control] */
void clap_params_values(struct clap *clap);
/** By its id; NULL: there is none. [any] */
struct clap_param_state *clap_param_find(const struct clap *clap, uint32_t id);
uint32_t clap_param_list(const struct plugin *plugin,
                         const struct shl_param **list);
double clap_value(const struct plugin *plugin, uint32_t id);
shl_status clap_text(struct plugin *plugin, uint32_t id, double value,
                     char *text, size_t size);
/* state.c */

shl_status clap_save(struct plugin *plugin, struct state *state,
                     struct shl_why *why);
shl_status clap_restore(struct plugin *plugin, const uint8_t *bytes,
                        size_t size, struct shl_why *why);

/* process.c */

shl_status clap_process_init(struct clap *clap);
void clap_process_free(struct clap *clap);
void clap_process(struct plugin *plugin, const struct plugin_block *block);
void clap_silence(struct plugin *plugin);
/** Values to the plugin, what it says to us, while no audio runs. [control] */
void clap_params_set(struct clap *clap, const uint32_t *ids,
                     const double *values, uint32_t count);

#endif
