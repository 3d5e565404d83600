/* SPDX-License-Identifier: MIT */
/* The one interface that all plugin formats keep. A format is one file of its
 * own: it knows its library, fills a table of calls, and is found by its name
 * in formats.c; nothing else in this room knows which formats there are.
 *
 * Threads. [control]: the program's first thread, always the same one, for the
 * whole life of a plugin; never while process runs where the format asks for
 * that (holds). [audio]: one other thread, between activate and deactivate.
 * [any]: both, at any time. */
#ifndef PLUG_PLUGIN_H
#define PLUG_PLUGIN_H

#include "shmlink/shmlink-plugin.h"

#include "state.h"

#define PLUGIN_ANY UINT32_MAX /* inputs, outputs: as the plugin likes */

/* ---- what a plugin may ask of the program -------------------------------- */

/** What has changed by itself; or-ed. */
enum plugin_change {
    PLUGIN_CHANGED_STATE = 1,   /* saving it now gives other bytes */
    PLUGIN_CHANGED_PORTS = 2,   /* ports gives other counts */
    PLUGIN_CHANGED_PARAMS = 4,  /* params gives another list */
    PLUGIN_CHANGED_LATENCY = 8, /* latency gives another number */
    PLUGIN_WANTS_RESTART = 16,  /* deactivate and activate, please */
    PLUGIN_CHANGED_ALL = 31
};

enum plugin_level {
    PLUGIN_NONE,
    PLUGIN_ERROR,
    PLUGIN_WARNING,
    PLUGIN_INFO,
    PLUGIN_DEBUG
};

struct plugin_owner {
    void *arg;
    /** [any] No system call. */
    SHL_RT void (*changed)(void *arg, uint32_t what);
    /** One line. [control] */
    void (*log)(void *arg, enum plugin_level level, const char *text);
};

/* ---- what a plugin is told, and tells ---------------------------------------- */

struct plugin_load {
    const char *spec; /* what stands behind the format's name; "" at least */
    double rate_hz;
    uint32_t block_frames;      /* that blocks will probably have */
    uint32_t inputs, outputs;   /* channels wished for, or PLUGIN_ANY */
    struct plugin_owner *owner; /* stays until the plugin is unloaded */
};

/** Texts stay until the plugin is unloaded; none is NULL. */
struct plugin_about {
    const char *name, *vendor, *category, *version;
    uint64_t capabilities; /* enum shl_capability, but for those that follow
                              from the calls that are there */
};

/** Channels of all audio ports together, in their order; ports of MIDI. */
struct plugin_ports {
    uint32_t audio_in, audio_out;
    uint32_t midi_in, midi_out;
    uint32_t any; /* 1: it uses as many of these channels as are wired */
};

/** One block. Everything in it is valid during process only. */
struct plugin_block {
    uint32_t frames;        /* 0: only events; at most SHL_MAX_FRAMES */
    const float *const *in; /* audio_in planes */
    float *const *out;      /* audio_out planes; fill all frames of each */
    uint32_t in_wired, out_wired;   /* so many of them lead somewhere: of the
                                     others inputs are silent, and nobody hears
                                     outputs */
    struct shl_transport transport; /* at the first sample */
    const struct shl_event *events; /* in order; frame counts from the block's
                                        first sample and is below frames */
    uint32_t event_count;
    /** What the plugin says: MIDI, parameters that changed by themselves.
     * event->frame as above. False: there was no room; it is counted. */
    SHL_RT int (*send)(void *to, const struct shl_event *event);
    void *to;
};

/** A key that has a name of its own, or a file that a plugin refers to. */
struct plugin_entry {
    uint32_t number;
    const char *text; /* UTF-8; valid until the next call of the plugin */
};

/** Where a window is to appear. */
struct plugin_window {
    uint64_t parent;   /* window to be put into, 0: none */
    uint32_t floating; /* 1: a window of its own */
    uint32_t api;      /* of the parent: 0 none, 1 X11, 2 Wayland, 3 Cocoa */
};

/* When process must not run. */
enum plugin_holds { PLUGIN_HOLD_SAVE = 1, PLUGIN_HOLD_RESTORE = 2 };

struct plugin;

/** What a plugin can do. Those of the first half must be there; one of the
 * second that is NULL is answered by "unsupported". */
struct plugin_calls {
    uint32_t holds; /* enum plugin_holds, or-ed */

    /** [control] */
    void (*unload)(struct plugin *plugin);
    struct plugin_about (*about)(const struct plugin *plugin); /* [any] */
    /** Changes on the control thread only, by activate or set_ports. [any] */
    SHL_RT struct plugin_ports (*ports)(const struct plugin *plugin);
    /** Be ready for blocks of 0 to `frames`. [control] */
    shl_status (*activate)(struct plugin *plugin, double rate_hz,
                           uint32_t frames, struct shl_why *why);
    void (*deactivate)(struct plugin *plugin); /* [control] */
    /** [audio] No allocation, lock or system call of ours. */
    SHL_RT void (*process)(struct plugin *plugin,
                           const struct plugin_block *block);
    /** End all notes and tails: another host listens. [audio] */
    SHL_RT void (*silence)(struct plugin *plugin);
    /** In frames; asked before the first block and after each. [audio] */
    SHL_RT uint32_t (*latency)(const struct plugin *plugin);

    /** How many, and where; both stay until PLUGIN_CHANGED_PARAMS is heeded.
     * [control] */
    uint32_t (*params)(const struct plugin *plugin,
                       const struct shl_param **list);
    /** A plain value as it is now; 0 for ids that are none. [any] */
    SHL_RT double (*value)(const struct plugin *plugin, uint32_t id);
    /** How the plugin itself writes a value. SHL_NOT_FOUND. [control] */
    shl_status (*text)(struct plugin *plugin, uint32_t id, double value,
                       char *text, size_t size);

    /** All that a session must keep, as bytes. [control] */
    shl_status (*save)(struct plugin *plugin, struct state *state,
                       struct shl_why *why);
    /** As it was when these bytes were saved; on failure as before. [control]
     */
    shl_status (*restore)(struct plugin *plugin, const uint8_t *bytes,
                          size_t size, struct shl_why *why);

    uint32_t (*programs)(struct plugin *plugin); /* [control] */
    const char *(*program_name)(struct plugin *plugin, uint32_t index);
    uint32_t (*program)(struct plugin *plugin); /* UINT32_MAX: none */
    shl_status (*set_program)(struct plugin *plugin, uint32_t index,
                              struct shl_why *why);

    /** Entry number `index`; false behind the last. [control] */
    int (*note_name)(struct plugin *plugin, uint32_t index,
                     struct plugin_entry *entry);
    int (*file)(struct plugin *plugin, uint32_t index,
                struct plugin_entry *entry);
    /** This file has moved: entry->number, entry->text. [control] */
    shl_status (*set_file)(struct plugin *plugin,
                           const struct plugin_entry *entry,
                           struct shl_why *why);
    /** Where files of this session belong; shared: other plugins keep theirs
     * there, too. [control] */
    shl_status (*set_folder)(struct plugin *plugin, const char *path,
                             int shared);
    /** Copy the files in use into that folder. [control] */
    shl_status (*collect)(struct plugin *plugin, struct shl_why *why);
    /** As file, but only those in that folder, with their paths from there on.
     */
    int (*resource)(struct plugin *plugin, uint32_t index,
                    struct plugin_entry *entry);

    /** Have so many channels, if that can be; while inactive. [control] */
    shl_status (*set_ports)(struct plugin *plugin, uint32_t inputs,
                            uint32_t outputs, struct shl_why *why);

    shl_status (*show)(struct plugin *plugin,
                       const struct plugin_window *window,
                       struct shl_why *why); /* [control] */
    void (*hide)(struct plugin *plugin);     /* [control] */
    void (*tick)(struct plugin *plugin);     /* [control] now and then */
};

/** A loaded plugin: formats put this first into structs of their own. */
struct plugin {
    const struct plugin_calls *calls;
};

/* ---- formats ------------------------------------------------------------------ */

/** What a scan finds. */
struct plugin_found {
    const char *spec;
    struct plugin_about about;
    struct plugin_ports ports;
    uint32_t params;
};

struct plugin_format {
    const char *name;
    /** On failure nothing is left; `why` has the sentence. SHL_NOT_FOUND: no
     * such plugin; anything else: it is there but does not load. [control] */
    shl_status (*load)(const struct plugin_load *load, struct plugin **plugin,
                       struct shl_why *why);
    /** Call `found` for each plugin there is. [control] */
    void (*scan)(void (*found)(void *arg, const struct plugin_found *plugin),
                 void *arg);
};

/** The formats of this program, from 0 on; NULL behind the last. [any] */
const struct plugin_format *plugin_format_at(uint32_t index);

/** NULL: this program does not have it. [any] */
const struct plugin_format *plugin_format(const char *name);

/** DAWs know three formats and no more: to them our own plugins are CLAP files
 * of this path, with their names as ids: "builtin::synth". */
#define PLUGIN_AS_CLAP "builtin"

/** The format that a DAW means by these words; *spec is what that format calls
 * the plugin. NULL: this program has none such. [any] */
const struct plugin_format *plugin_format_of(const char *name,
                                             const char **spec);

/** Capabilities: those it names, and those that follow from its calls. [any] */
uint64_t plugin_capabilities(const struct plugin *plugin);

/** Those without a file. */
extern const struct plugin_format plugin_null, plugin_builtin;

/** Those that need no library. */
extern const struct plugin_format plugin_clap;

#endif
