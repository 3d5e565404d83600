/* SPDX-License-Identifier: MIT */
/* The part of the CLAP binary interface that a host needs, in our own words: the
 * order and the sizes of its structs, its numbers and the names of its extensions,
 * as they are in versions 1.1 and 1.2, which agree. The asserts at the end are what
 * must be so on 64-bit systems.
 *
 * Threads, as CLAP has them: [main] is our control thread, [audio] the audio thread
 * while the plugin is active, [any] both. */
#ifndef PLUG_CLAP_ABI_H
#define PLUG_CLAP_ABI_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAP_TEXT_SIZE   256u
#define CLAP_MODULE_SIZE 1024u

struct clap_version {
    uint32_t major, minor, revision;
};

/* ---- a library ----------------------------------------------------------------- */

#define CLAP_ENTRY_SYMBOL "clap_entry"
#define CLAP_FACTORY      "clap.plugin-factory"

/** The symbol CLAP_ENTRY_SYMBOL of a library. [main] */
struct clap_entry {
    struct clap_version version;
    bool (*init)(const char *path); /* of the file or folder */
    void (*deinit)(void);
    const void *(*factory)(const char *name);
};

struct clap_descriptor {
    struct clap_version version;
    const char *id, *name, *vendor, *url, *manual_url, *support_url;
    const char *plugin_version, *description;
    const char *const *features; /* NULL behind the last */
};

struct clap_plugin;
struct clap_host;

struct clap_factory {
    uint32_t (*count)(const struct clap_factory *factory);
    const struct clap_descriptor *(*descriptor)(
        const struct clap_factory *factory, uint32_t index);
    const struct clap_plugin *(*create)(const struct clap_factory *factory,
                                        const struct clap_host *host,
                                        const char *id);
};

/* ---- events ------------------------------------------------------------------------ */

enum clap_event_type {
    CLAP_NOTE_ON,
    CLAP_NOTE_OFF,
    CLAP_NOTE_CHOKE,
    CLAP_NOTE_END,
    CLAP_NOTE_EXPRESSION,
    CLAP_PARAM_VALUE,
    CLAP_PARAM_MOD,
    CLAP_GESTURE_BEGIN,
    CLAP_GESTURE_END,
    CLAP_TRANSPORT,
    CLAP_MIDI,
    CLAP_MIDI_SYSEX,
    CLAP_MIDI2
};

/** `time`: frames since the block's first; `space`: 0, the numbers above. */
struct clap_event {
    uint32_t size; /* of the whole event */
    uint32_t time;
    uint16_t space;
    uint16_t type;
    uint32_t flags;
};

/** note_id, port, channel, key: -1 is all. */
struct clap_note_event {
    struct clap_event event;
    int32_t note_id;
    int16_t port, channel, key;
    double velocity; /* 0 to 1 */
};

enum clap_expression {
    CLAP_VOLUME,     /* 0 to 4 */
    CLAP_PAN,        /* 0 to 1, 0.5 in the middle */
    CLAP_TUNING,     /* semitones, -120 to 120 */
    CLAP_VIBRATO,    /* this and all that follow: 0 to 1 */
    CLAP_EXPRESSION, /* */
    CLAP_BRIGHTNESS,
    CLAP_PRESSURE
};

struct clap_expression_event {
    struct clap_event event;
    int32_t expression;
    int32_t note_id;
    int16_t port, channel, key;
    double value;
};

/** A plain value, or a modulation that is added to it. */
struct clap_param_event {
    struct clap_event event;
    uint32_t param;
    void *cookie;
    int32_t note_id;
    int16_t port, channel, key;
    double value;
};

struct clap_gesture_event {
    struct clap_event event;
    uint32_t param;
};

enum clap_transport_flags {
    CLAP_HAS_TEMPO = 1,
    CLAP_HAS_BEATS = 2,
    CLAP_HAS_SECONDS = 4,
    CLAP_HAS_METER = 8,
    CLAP_IS_PLAYING = 16
};

/** Beats are quarter notes; beats and seconds count in units of 2^-31. */
struct clap_transport_event {
    struct clap_event event;
    uint32_t flags;
    int64_t beats, seconds;
    double tempo, tempo_per_frame;
    int64_t loop_begin_beats, loop_end_beats;
    int64_t loop_begin_seconds, loop_end_seconds;
    int64_t bar_begin;
    int32_t bar_number;
    uint16_t numerator, denominator;
};

#define CLAP_UNIT 2147483648.0

struct clap_midi_event {
    struct clap_event event;
    uint16_t port;
    uint8_t bytes[3];
};

struct clap_sysex_event {
    struct clap_event event;
    uint16_t port;
    const uint8_t *bytes; /* with F0 and F7; valid during the call */
    uint32_t size;
};

struct clap_midi2_event {
    struct clap_event event;
    uint16_t port;
    uint32_t words[4];
};

struct clap_events_in {
    void *owner;
    uint32_t (*count)(const struct clap_events_in *list);
    const struct clap_event *(*at)(const struct clap_events_in *list,
                                   uint32_t index);
};

struct clap_events_out {
    void *owner;
    bool (*push)(const struct clap_events_out *list,
                 const struct clap_event *event);
};

/* ---- plugin and host ----------------------------------------------------------------- */

struct clap_audio {
    float **planes;
    double **wide_planes;
    uint32_t channels;
    uint32_t latency;
    uint64_t constant; /* a bit for each plane that has one value only */
};

struct clap_block {
    int64_t frame; /* of a steady clock; -1: none */
    uint32_t frames;
    const struct clap_transport_event *transport;
    const struct clap_audio *in;
    struct clap_audio *out;
    uint32_t in_count, out_count; /* ports */
    const struct clap_events_in *events;
    const struct clap_events_out *said;
};

enum clap_process_status { CLAP_PROCESS_ERROR = 0, CLAP_PROCESS_CONTINUE = 1 };

struct clap_plugin {
    const struct clap_descriptor *descriptor;
    void *own;
    bool (*init)(const struct clap_plugin *plugin);    /* [main] */
    void (*destroy)(const struct clap_plugin *plugin); /* [main] */
    bool (*activate)(const struct clap_plugin *plugin, double rate_hz,
                     uint32_t least_frames,
                     uint32_t most_frames); /* [main], not active */
    void (*deactivate)(const struct clap_plugin *plugin); /* [main] */
    bool (*start)(const struct clap_plugin *plugin);      /* [audio] */
    void (*stop)(const struct clap_plugin *plugin);       /* [audio] */
    void (*reset)(const struct clap_plugin *plugin);      /* [audio] */
    int32_t (*process)(const struct clap_plugin *plugin,
                       const struct clap_block *block); /* [audio] */
    const void *(*extension)(const struct clap_plugin *plugin,
                             const char *name); /* [any] */
    void (*on_main_thread)(const struct clap_plugin *plugin);
};

struct clap_host {
    struct clap_version version;
    void *own;
    const char *name, *vendor, *url, *host_version;
    const void *(*extension)(const struct clap_host *host, const char *name);
    void (*request_restart)(const struct clap_host *host);  /* [any] */
    void (*request_process)(const struct clap_host *host);  /* [any] */
    void (*request_callback)(const struct clap_host *host); /* [any] */
};

/* ---- extensions of the plugin ----------------------------------------------------------- */

#define CLAP_EXT_AUDIO_PORTS "clap.audio-ports"

#define CLAP_PORT_IS_MAIN 1u

struct clap_audio_port {
    uint32_t id;
    char name[CLAP_TEXT_SIZE];
    uint32_t flags, channels;
    const char *type; /* "mono", "stereo", "surround", ... or NULL */
    uint32_t in_place;
};

struct clap_audio_ports {
    uint32_t (*count)(const struct clap_plugin *plugin, bool input);
    bool (*get)(const struct clap_plugin *plugin, uint32_t index, bool input,
                struct clap_audio_port *port);
};

#define CLAP_EXT_AUDIO_PORTS_CONFIG "clap.audio-ports-config"

struct clap_ports_config {
    uint32_t id;
    char name[CLAP_TEXT_SIZE];
    uint32_t inputs, outputs; /* ports */
    bool has_main_input;
    uint32_t main_input_channels;
    const char *main_input_type;
    bool has_main_output;
    uint32_t main_output_channels;
    const char *main_output_type;
};

struct clap_ports_configs {
    uint32_t (*count)(const struct clap_plugin *plugin);
    bool (*get)(const struct clap_plugin *plugin, uint32_t index,
                struct clap_ports_config *config);
    bool (*select)(const struct clap_plugin *plugin, uint32_t id);
};

#define CLAP_EXT_NOTE_PORTS "clap.note-ports"

enum clap_dialect {
    CLAP_DIALECT_CLAP = 1,
    CLAP_DIALECT_MIDI = 2,
    CLAP_DIALECT_MPE = 4,
    CLAP_DIALECT_MIDI2 = 8
};

struct clap_note_port {
    uint32_t id;
    uint32_t dialects, preferred; /* enum clap_dialect */
    char name[CLAP_TEXT_SIZE];
};

struct clap_note_ports {
    uint32_t (*count)(const struct clap_plugin *plugin, bool input);
    bool (*get)(const struct clap_plugin *plugin, uint32_t index, bool input,
                struct clap_note_port *port);
};

#define CLAP_EXT_PARAMS "clap.params"

enum clap_param_flags {
    CLAP_PARAM_STEPPED = 1,
    CLAP_PARAM_HIDDEN = 4,
    CLAP_PARAM_READ_ONLY = 8,
    CLAP_PARAM_BYPASS = 16,
    CLAP_PARAM_AUTOMATABLE = 32,
    CLAP_PARAM_MODULATABLE = 0x400
};

struct clap_param {
    uint32_t id;
    uint32_t flags;
    void *cookie;
    char name[CLAP_TEXT_SIZE];
    char module[CLAP_MODULE_SIZE]; /* a path, with / */
    double minimum, maximum, initial;
};

struct clap_params {
    uint32_t (*count)(const struct clap_plugin *plugin); /* [main] */
    bool (*get)(const struct clap_plugin *plugin, uint32_t index,
                struct clap_param *param); /* [main] */
    bool (*value)(const struct clap_plugin *plugin, uint32_t id,
                  double *value); /* [main] */
    bool (*to_text)(const struct clap_plugin *plugin, uint32_t id, double value,
                    char *text, uint32_t size); /* [main] */
    bool (*from_text)(const struct clap_plugin *plugin, uint32_t id,
                      const char *text, double *value); /* [main] */
    void (*flush)(const struct clap_plugin *plugin,
                  const struct clap_events_in *events,
                  const struct clap_events_out *said); /* [active: audio] */
};

#define CLAP_EXT_STATE "clap.state"

struct clap_stream_in {
    void *owner;
    int64_t (*read)(const struct clap_stream_in *stream, void *bytes,
                    uint64_t size);
};

struct clap_stream_out {
    void *owner;
    int64_t (*write)(const struct clap_stream_out *stream, const void *bytes,
                     uint64_t size);
};

struct clap_state {
    bool (*save)(const struct clap_plugin *plugin,
                 const struct clap_stream_out *stream);
    bool (*load)(const struct clap_plugin *plugin,
                 const struct clap_stream_in *stream);
};

#define CLAP_EXT_LATENCY "clap.latency"

struct clap_latency {
    uint32_t (*get)(const struct clap_plugin *plugin);
};

#define CLAP_EXT_NOTE_NAME "clap.note-name"

struct clap_note_name {
    char name[CLAP_TEXT_SIZE];
    int16_t port, key, channel;
};

struct clap_note_names {
    uint32_t (*count)(const struct clap_plugin *plugin);
    bool (*get)(const struct clap_plugin *plugin, uint32_t index,
                struct clap_note_name *name);
};

#define CLAP_EXT_TIMER "clap.timer-support"

struct clap_timer {
    void (*on_timer)(const struct clap_plugin *plugin, uint32_t id);
};

#define CLAP_EXT_FD "clap.posix-fd-support"

enum clap_fd_flags { CLAP_FD_READ = 1, CLAP_FD_WRITE = 2, CLAP_FD_ERROR = 4 };

struct clap_fd {
    void (*on_fd)(const struct clap_plugin *plugin, int fd, uint32_t flags);
};

/* ---- extensions of the host ------------------------------------------------------------- */

struct clap_host_audio_ports {
    bool (*can_rescan)(const struct clap_host *host, uint32_t flag);
    void (*rescan)(const struct clap_host *host, uint32_t flags);
};

struct clap_host_ports_config {
    void (*rescan)(const struct clap_host *host);
};

struct clap_host_note_ports {
    uint32_t (*dialects)(const struct clap_host *host);
    void (*rescan)(const struct clap_host *host, uint32_t flags);
};

enum clap_rescan {
    CLAP_RESCAN_VALUES = 1,
    CLAP_RESCAN_TEXT = 2,
    CLAP_RESCAN_INFO = 4,
    CLAP_RESCAN_ALL = 8
};

struct clap_host_params {
    void (*rescan)(const struct clap_host *host, uint32_t flags);
    void (*clear)(const struct clap_host *host, uint32_t id, uint32_t flags);
    void (*request_flush)(const struct clap_host *host);
};

struct clap_host_state {
    void (*mark_dirty)(const struct clap_host *host);
};

struct clap_host_latency {
    void (*changed)(const struct clap_host *host);
};

#define CLAP_EXT_TAIL "clap.tail"

struct clap_host_tail {
    void (*changed)(const struct clap_host *host); /* [audio] */
};

struct clap_host_note_name {
    void (*changed)(const struct clap_host *host);
};

struct clap_host_timer {
    bool (*add)(const struct clap_host *host, uint32_t period_ms, uint32_t *id);
    bool (*remove)(const struct clap_host *host, uint32_t id);
};

struct clap_host_fd {
    bool (*add)(const struct clap_host *host, int fd, uint32_t flags);
    bool (*change)(const struct clap_host *host, int fd, uint32_t flags);
    bool (*remove)(const struct clap_host *host, int fd);
};

#define CLAP_EXT_THREADS "clap.thread-check"

struct clap_host_threads {
    bool (*is_main)(const struct clap_host *host);
    bool (*is_audio)(const struct clap_host *host);
};

#define CLAP_EXT_LOG "clap.log"

struct clap_host_log {
    void (*say)(const struct clap_host *host, int32_t severity,
                const char *text);
};

/* ---- what must be so ---------------------------------------------------------------------- */

#if UINTPTR_MAX > UINT32_MAX
#    define CLAP_SIZE(type, size)                                              \
        static_assert(sizeof(struct type) == (size), "")
#    define CLAP_AT(type, field, offset)                                       \
        static_assert(offsetof(struct type, field) == (offset), "")
CLAP_SIZE(clap_version, 12);
CLAP_SIZE(clap_entry, 40);
CLAP_SIZE(clap_factory, 24);
CLAP_SIZE(clap_descriptor, 88);
CLAP_SIZE(clap_plugin, 96);
CLAP_AT(clap_plugin, process, 72);
CLAP_SIZE(clap_host, 88);
CLAP_SIZE(clap_block, 64);
CLAP_AT(clap_block, in, 24);
CLAP_SIZE(clap_audio, 32);
CLAP_SIZE(clap_event, 16);
CLAP_SIZE(clap_note_event, 40);
CLAP_SIZE(clap_expression_event, 40);
CLAP_SIZE(clap_param_event, 56);
CLAP_AT(clap_param_event, value, 48);
CLAP_SIZE(clap_gesture_event, 20);
CLAP_SIZE(clap_transport_event, 104);
CLAP_AT(clap_transport_event, tempo, 40);
CLAP_AT(clap_transport_event, bar_number, 96);
CLAP_SIZE(clap_midi_event, 24);
CLAP_SIZE(clap_sysex_event, 40);
CLAP_SIZE(clap_midi2_event, 36);
CLAP_SIZE(clap_events_in, 24);
CLAP_SIZE(clap_events_out, 16);
CLAP_SIZE(clap_audio_port, 288);
CLAP_AT(clap_audio_port, channels, 264);
CLAP_SIZE(clap_note_port, 268);
CLAP_SIZE(clap_param, 1320);
CLAP_AT(clap_param, name, 16);
CLAP_AT(clap_param, minimum, 1296);
CLAP_SIZE(clap_params, 48);
CLAP_SIZE(clap_state, 16);
CLAP_SIZE(clap_latency, 8);
CLAP_SIZE(clap_stream_in, 16);
#endif

#endif
