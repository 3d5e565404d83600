/* SPDX-License-Identifier: MIT */
/* All shared memory, byte by byte. A segment is the Maolan layout in its first
 * 4 MiB and our link area behind it; the board is 64 slots. Offsets are the
 * same in 32 and 64 bit builds and on every little-endian system. Nobody else
 * writes an offset or a size. A change here needs a new version number: the
 * test of this file compares a digest of it with the one on record. */
#ifndef SHL_LAYOUT_H
#define SHL_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "shmlink/event.h"
#include "shmlink/limits.h"
#include "shmlink/message.h"
#include "shmlink/param.h"
#include "shmlink/tap.h"

static_assert(ATOMIC_INT_LOCK_FREE == 2, "a lock cannot span processes");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock cannot span processes");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "wire byte order");
static_assert(sizeof(float) == 4 && sizeof(double) == 8, "wire floats");

/* ---- the Maolan part ------------------------------------------------- */

#define SHL_MAOLAN_SIZE       4194304u
#define SHL_MAOLAN_MAGIC      0x4D414F4Cu
#define SHL_BUSES             2u
#define SHL_BUS_TO_DEVICE     0u
#define SHL_BUS_TO_HOST       1u
#define SHL_RING_SLOTS        4096u
#define SHL_HEADER_SIZE       256u
#define SHL_CONTROL_OFFSET    256u
#define SHL_CONTROL_SIZE      256u
#define SHL_AUDIO_OFFSET      512u
#define SHL_PLANE_SIZE        (SHL_MAX_FRAMES * 4u)
#define SHL_AUDIO_SIZE        (SHL_MAX_CHANNELS * SHL_BUSES * SHL_PLANE_SIZE)
#define SHL_SCRATCH_SIZE      65536u
#define SHL_PORT_COUNTS_MAGIC 0x504F5254u
#define SHL_FILE_REFS_MAGIC   0x46494C45u
#define SHL_FILE_UPDATE_MAGIC 0x55504441u
#define SHL_AU_PARAMS_MAGIC   0x41555052u
#define SHL_NONE              0u /* a field that this layout does not have */
#define SHL_MIDI_RING_STRIDE  65552u
#define SHL_PARAM_EVENT_VALUE 0u
#define SHL_PARAM_EVENT_MOD   1u
#define SHL_PARAM_EVENT_BEGIN 2u
#define SHL_PARAM_EVENT_END   3u
#define SHL_TRANSPORT_PLAYING 1u
#define SHL_REQUEST_PENDING   0u
#define SHL_REQUEST_SUCCESS   1u
#define SHL_REQUEST_ERROR     2u

/** One row per layout in use; the only place that knows which is which. All
 * values are byte offsets from the start of the segment, SHL_NONE where the
 * layout lacks the field (no field is at 0 but the magic). */
struct shl_maolan_layout {
    const char *name;     /* "A", "B8", "B16" */
    uint32_t version_low; /* protocol numbers that use it */
    uint32_t version_high;
    uint32_t used_size;
    /* header; written by the DAW (host) unless said */
    uint32_t magic, version, flags;
    uint32_t ready, heartbeat, error_code; /* device */
    uint32_t shutdown_request;
    uint32_t tasks_issued, tasks_completed;
    uint32_t block_size, input_channels, output_channels;
    uint32_t midi_in_ports, midi_out_ports;
    uint32_t request_type, request_status, scratch_size; /* both */
    uint32_t parent_window, parent_window_size;
    uint32_t state_dirty, latency;     /* device */
    uint32_t response_counter;         /* device: blocks answered */
    uint32_t block_response_eventless; /* 1: the DAW needs no byte for them */
    /* control area: ring indices and window words */
    uint32_t param_write, param_read, echo_write, echo_read;
    uint32_t midi_in_write, midi_in_read, midi_out_write, midi_out_read;
    uint32_t gui_mode, gui_parent_api;
    /* slots and areas */
    uint32_t param_slots, echo_slots, midi_in_slots, midi_out_slots;
    uint32_t midi_ports; /* rings per direction, stride SHL_MIDI_RING_STRIDE */
    uint32_t transport, scratch;
};

enum { SHL_LAYOUT_A, SHL_LAYOUT_B8, SHL_LAYOUT_B16, SHL_LAYOUT_COUNT };

extern const struct shl_maolan_layout shl_maolan_layouts[SHL_LAYOUT_COUNT];

/** What our own devices create: protocol number 3, layout A. */
#define SHL_OWN_VERSION 3u

/** The protocol numbers that we speak. */
#define SHL_VERSION_LOW  3u
#define SHL_VERSION_HIGH 8u
/** From here on requests 6 and 7 have another meaning, see scratchpad.h. */
#define SHL_VERSION_RESOURCES 7u

/** The layout of a protocol number, or NULL. Number 6 gives B16; only the
 * rings themselves tell it from B8. */
const struct shl_maolan_layout *shl_layout_of_version(uint32_t version);

/** Where a plane begins; channel below SHL_MAX_CHANNELS, bus below SHL_BUSES.
 */
static inline uint32_t shl_plane_offset(uint32_t channel, uint32_t bus)
{
    return SHL_AUDIO_OFFSET + (2 * channel + bus) * SHL_PLANE_SIZE;
}

/* Transport block, offsets from its start (256 bytes). */
enum {
    SHL_TRANSPORT_PLAYHEAD = 0,     /* u64, samples */
    SHL_TRANSPORT_TEMPO = 8,        /* f64 */
    SHL_TRANSPORT_NUMERATOR = 16,   /* u32 */
    SHL_TRANSPORT_DENOMINATOR = 20, /* u32 */
    SHL_TRANSPORT_FLAGS = 24,       /* u32, bit 0: playing */
    SHL_TRANSPORT_RATE = 32,        /* f64 */
    SHL_TRANSPORT_BEATS = 40,       /* f64, ours: in the reserved bytes */
    SHL_TRANSPORT_SIZE = 256
};

/* A slot of the parameter and echo rings, 16 bytes. */
enum {
    SHL_MAOLAN_PARAM_INDEX = 0,  /* u32 */
    SHL_MAOLAN_PARAM_VALUE = 4,  /* f32 */
    SHL_MAOLAN_PARAM_OFFSET = 8, /* u32, frames into the block */
    SHL_MAOLAN_PARAM_KIND = 12,  /* u32, SHL_PARAM_EVENT_* */
    SHL_MAOLAN_PARAM_SIZE = 16
};

/* A slot of the MIDI rings, 16 bytes; the last 4 are padding. In B8 it lies 8
 * bytes off its alignment: copy, never cast. */
enum {
    SHL_MAOLAN_MIDI_OFFSET = 0,  /* u32, frames into the block */
    SHL_MAOLAN_MIDI_DATA = 4,    /* 3 bytes, padded with 0 */
    SHL_MAOLAN_MIDI_CHANNEL = 7, /* u8, low nibble of the status */
    SHL_MAOLAN_MIDI_FLAGS = 8,   /* u16, always 0 */
    SHL_MAOLAN_MIDI_PAD = 10,    /* u16, always 0 */
    SHL_MAOLAN_MIDI_SIZE = 16
};

/* What the scratch area holds, offsets from its start; words are u32, texts
 * UTF-8 without an end mark. Later requests write over the first two. */
enum {
    SHL_NAME_OFFSET = 0, /* length; text */
    SHL_NAME_TEXT = 4,
    SHL_PORT_COUNTS_OFFSET = 1024, /* magic; counts */
    SHL_PORT_COUNTS_AUDIO_IN = 1028,
    SHL_PORT_COUNTS_AUDIO_OUT = 1032,
    SHL_PORT_COUNTS_MIDI_IN = 1036,
    SHL_PORT_COUNTS_MIDI_OUT = 1040,
    SHL_FILE_REFS_OFFSET = 2048, /* magic; count; index, length, text each */
    SHL_FILE_REFS_COUNT = 2052,
    SHL_FILE_REFS_ENTRIES = 2056,
    SHL_RESOURCE_DIR_OFFSET = 0, /* SHL_FILE_REFS_MAGIC; length; text */
    SHL_RESOURCE_DIR_LENGTH = 4,
    SHL_RESOURCE_DIR_TEXT = 8,
    SHL_RESOURCE_DIR_SHARED_SIZE = 4, /* u32 behind the text, since number 7 */
    SHL_FILE_UPDATE_OFFSET = 0,       /* magic; index; length; text */
    SHL_FILE_UPDATE_INDEX = 4,
    SHL_FILE_UPDATE_LENGTH = 8,
    SHL_FILE_UPDATE_TEXT = 12,
    SHL_AU_PARAMS_OFFSET = 3072, /* magic; count; eight words and a name each */
    SHL_AU_PARAMS_COUNT = 3076,
    SHL_AU_PARAMS_ENTRIES = 3080
};

/* ---- the link area ---------------------------------------------------- */

#define SHL_LINK_OFFSET   SHL_MAOLAN_SIZE
#define SHL_LINK_MAGIC    0x4B4C4853u /* in memory: S H L K */
#define SHL_LINK_MAJOR    1u
#define SHL_LINK_MINOR    2u
#define SHL_EVENT_SLOTS   4096u
#define SHL_LANE_EVENTS   16u
#define SHL_MESSAGE_SLOTS 256u
#define SHL_STREAM_FRAMES 16384u

enum shl_region {
    SHL_REGION_IDENTITY = 1,
    SHL_REGION_CLAIM,
    SHL_REGION_LINES,
    SHL_REGION_COUNTERS,
    SHL_REGION_PARAMS,
    SHL_REGION_EVENTS_TO_DEVICE,
    SHL_REGION_EVENTS_TO_HOST,
    SHL_REGION_MESSAGES, /* from here on since minor 1: may be missing */
    SHL_REGION_TAPS,
    SHL_REGION_STREAMS,
    SHL_REGION_LANES, /* since minor 2 */
    SHL_REGION_END
};

/** First thing in the link area. Written by whoever creates the segment,
 * before `ready` in the Maolan header; never changed after. */
struct shl_link_header {
    uint32_t magic;
    uint16_t major;      /* another one is refused */
    uint16_t minor;      /* may add or enlarge regions */
    uint32_t total_size; /* of the whole segment */
    uint32_t region_count;
    struct {
        uint32_t id;     /* enum shl_region; unknown ones are ignored */
        uint32_t offset; /* from the start of the segment */
        uint32_t size;
    } region[20];
};
static_assert(sizeof(struct shl_link_header) == 256, "wire size");

/** Who a device is. Plain values: in shared memory it lies inside a seqlock. */
struct shl_identity {
    char id[SHL_ID_SIZE]; /* "MySynth:0" */
    char vendor[SHL_TEXT_SIZE];
    char category[SHL_WORD_SIZE];
    char version[SHL_WORD_SIZE];
    char tag[SHL_TAG_SIZE]; /* remembered, "" for none */
    uint64_t pid_namespace;
    uint64_t start_time;
    uint64_t capabilities;
    uint64_t required; /* capabilities a host must know */
    double rate_hz;
    uint32_t pid;
    uint32_t quantum; /* frames computed at once */
    uint32_t block_frames;
    uint32_t in_channels;  /* host to device */
    uint32_t out_channels; /* device to host */
    uint32_t modes;
    uint32_t drives;
    uint32_t latency_frames;
    uint32_t param_count;
    uint32_t tap_count; /* since minor 1; 0 before */
};
static_assert(offsetof(struct shl_identity, pid_namespace) == 240, "wire");
static_assert(offsetof(struct shl_identity, pid) == 280, "wire");
static_assert(sizeof(struct shl_identity) == 320, "wire size");

/** How a host keeps time; bits beyond these are 0. */
enum shl_claim_flags {
    SHL_CLAIM_RENDERS = 1,   /* waits 30 s for a block */
    SHL_CLAIM_OWN_CLOCK = 2, /* free drive in one process: both read a clock
                               of that process's own, */
    SHL_CLAIM_EXACT = 4,     /* by which no block is ever late */
    SHL_CLAIM_LANES = 8      /* fills its lane and reads the device's; since
                                1.2, 0 before */
};

/** What a host says of itself. Written under the claim lease, before epoch. */
struct shl_claim {
    char tag[SHL_TAG_SIZE];
    uint64_t pid_namespace;
    uint64_t start_time;
    double rate_hz;
    uint32_t pid;
    uint32_t mode;
    uint32_t drive;
    uint32_t block_frames;
    uint32_t in_channels;
    uint32_t out_channels;
    uint32_t policy; /* of the audio thread: the system's number */
    uint32_t priority;
    uint32_t first_event;    /* older ones in the ring are a dead host's */
    uint32_t flags;          /* enum shl_claim_flags; 0 before 1.1 */
    uint32_t latency_frames; /* free drive: of the stream to the device, at the
                                host's rate; 0: by the blocks. Since 1.1 */
    uint32_t reserved;
};
static_assert(offsetof(struct shl_claim, pid) == 88, "wire");
static_assert(sizeof(struct shl_claim) == 136, "wire size");

/** A value of several words that one side rewrites now and then: the sequence
 * is odd while it does. Read and written by shl_seqlock_read and _write only.
 *   offset size field     writer  reader  ordering
 *   0      4    sequence  owner   anyone  odd: relaxed store; even: release
 *                                         store; acquire load before the words,
 *                                         relaxed after them
 *   8      ..   word      owner   anyone  release store, acquire load: a new
 *                                         word shows the odd sequence too */
#define SHL_SEQLOCK(words)                                                     \
    struct {                                                                   \
        _Atomic uint32_t sequence;                                             \
        uint32_t reserved0;                                                    \
        _Atomic uint64_t word[words];                                          \
    }

struct shl_identity_region {
    SHL_SEQLOCK(sizeof(struct shl_identity) / 8) seqlock;
    uint8_t reserved1[1024 - 8 - sizeof(struct shl_identity)];
};
static_assert(sizeof(struct shl_identity_region) == 1024, "wire size");

/**   offset size field  writer  reader  ordering
 *   0      144  seqlock   host    device  as a seqlock
 *   256    4    epoch  host    device  release store, acquire load: the claim
 *                                      is whole. Odd: claimed. Even: released
 */
struct shl_claim_region {
    SHL_SEQLOCK(sizeof(struct shl_claim) / 8) seqlock;
    uint8_t reserved1[256 - 8 - sizeof(struct shl_claim)];
    _Atomic uint32_t epoch;
    uint8_t reserved2[252];
};
static_assert(offsetof(struct shl_claim_region, epoch) == 256, "wire offset");
static_assert(sizeof(struct shl_claim_region) == 512, "wire size");

/** The host's line: announces a whole block. All but doorbell and the event
 * indices are relaxed, ordered by the doorbell.
 *   field       writer reader ordering
 *   doorbell    host   device seq_cst store and load, pairs with `parked`
 *   event_*     host   device release store, acquire load */
struct shl_host_line {
    _Atomic uint32_t doorbell; /* blocks rung; wraps. The device sleeps on it */
    _Atomic uint32_t frames;   /* 0: only events */
    _Atomic uint64_t frame;    /* absolute frame of the first sample */
    _Atomic uint32_t in_channels;
    _Atomic uint32_t out_channels;
    _Atomic uint32_t event_write; /* events ever sent to the device; wraps */
    _Atomic uint32_t event_read;  /* events ever taken from it; wraps */
    _Atomic uint32_t cpu;         /* it ran on, +1; 0: unknown */
    _Atomic uint32_t keeper_pid;  /* root time keeper */
    _Atomic uint32_t epoch;       /* this block belongs to */
    _Atomic uint32_t lane;        /* see struct shl_lane; since minor 2 */
    _Atomic uint64_t rung_ns; /* since minor 2: when, by CLOCK_MONOTONIC, if the
                                 device is to say when it answers; else 0 */
    _Atomic uint32_t others;  /* since minor 2: processes of other devices that
                                 this host rings; they may need a processor */
    uint8_t reserved0[12];
    _Atomic uint32_t stream_late; /* free drive: how late its blocks come, see
                                     burst.h (first before the claim); 0
                                     before 1.2 */
    uint8_t reserved1[52];
};
static_assert(offsetof(struct shl_host_line, event_write) == 24, "wire");
static_assert(offsetof(struct shl_host_line, epoch) == 40, "wire offset");
static_assert(offsetof(struct shl_host_line, lane) == 44, "wire offset");
static_assert(offsetof(struct shl_host_line, rung_ns) == 48, "wire offset");
static_assert(offsetof(struct shl_host_line, others) == 56, "wire offset");
static_assert(offsetof(struct shl_host_line, stream_late) == 72, "wire");
static_assert(sizeof(struct shl_host_line) == 128, "wire size");

/** The device's line: answers a whole block. Orderings as above. */
struct shl_device_line {
    _Atomic uint32_t
        answer; /* the doorbell it answers. The host sleeps on it */
    _Atomic uint32_t frames;
    _Atomic uint64_t frame;
    _Atomic uint32_t in_channels;
    _Atomic uint32_t out_channels;
    _Atomic uint32_t event_write; /* events ever sent to the host; wraps */
    _Atomic uint32_t event_read;  /* events ever taken from it; wraps */
    _Atomic uint32_t cpu;
    _Atomic uint32_t keeper_pid;
    _Atomic uint32_t epoch;   /* accepted (release) */
    _Atomic uint32_t refused; /* epoch it refused (release, after refusal) */
    _Atomic uint32_t refusal; /* the shl_status it refused with */
    _Atomic uint32_t latency_frames;
    _Atomic uint32_t busy_ns;       /* running mean of its time per block */
    _Atomic uint32_t stream_frames; /* free drive: latency of the stream to it,
                                       at the host's rate (before epoch; may
                                       rise since 1.2: release, see pair.c) */
    _Atomic uint64_t answered_ns;   /* since minor 2: when it answered a block
                                     with a time of ringing, by its clock */
    _Atomic uint32_t lane;          /* as the host's; since minor 2 */
    uint8_t reserved0[12];
    /* free drive, all 0 before 1.2 */
    _Atomic uint32_t stream_late;   /* how late its blocks come, see burst.h */
    _Atomic uint32_t stream_short;  /* times that frames were missing for it */
    _Atomic uint32_t stream_wanted; /* latency that would have done; 0: none */
    uint8_t reserved1[28];
};
static_assert(offsetof(struct shl_device_line, epoch) == 40, "wire offset");
static_assert(offsetof(struct shl_device_line, busy_ns) == 56, "wire");
static_assert(offsetof(struct shl_device_line, answered_ns) == 64, "wire");
static_assert(offsetof(struct shl_device_line, lane) == 72, "wire offset");
static_assert(offsetof(struct shl_device_line, stream_late) == 88, "wire");
static_assert(sizeof(struct shl_device_line) == 128, "wire size");

/** Raised by a sleeper before it looks a last time; read by the waker after it
 * stored its doorbell. Both seq_cst: without that, both could miss. */
struct shl_parked_line {
    _Atomic uint32_t parked;
    uint8_t reserved[124];
};
static_assert(sizeof(struct shl_parked_line) == 128, "wire size");

struct shl_lines {
    struct shl_host_line host;
    struct shl_device_line device;
    struct shl_parked_line host_parked;
    struct shl_parked_line device_parked;
};
static_assert(sizeof(struct shl_lines) == 512, "wire size");

/** For people and tools; nobody acts on them. Relaxed, each written by one
 * side. */
struct shl_counters {
    _Atomic uint64_t host_blocks;
    _Atomic uint64_t host_missed;
    _Atomic uint64_t host_late;
    _Atomic uint64_t host_silent_frames;
    _Atomic uint64_t host_events_dropped;
    _Atomic uint64_t host_events_late;
    _Atomic uint64_t host_events_bad;
    _Atomic uint64_t host_stalls;
    _Atomic uint64_t host_reserved[8];
    _Atomic uint64_t device_blocks;
    _Atomic uint64_t device_events_dropped;
    _Atomic uint64_t device_events_raised;
    _Atomic uint64_t device_events_bad;
    _Atomic uint64_t device_restarts;
    _Atomic uint64_t device_reserved[11];
};
static_assert(sizeof(struct shl_counters) == 256, "wire size");

/** One parameter's description, complete before the device is announced and
 * never changed after; `value` follows the sound (device writes, relaxed). */
struct shl_param_slot {
    uint32_t id;
    uint32_t flags;
    uint32_t curve;
    uint32_t steps;
    double minimum;
    double maximum;
    double initial;
    _Atomic uint64_t value; /* the bits of a double */
    char name[64];
    char label[16]; /* unit */
    char group[32];
    uint8_t reserved[96];
};
static_assert(offsetof(struct shl_param_slot, value) == 40, "wire offset");
static_assert(sizeof(struct shl_param_slot) == 256, "wire size");

static_assert(sizeof(struct shl_event) == 32, "wire size");

/** The first events of the block in flight, copied from the ring into lines that
 * are used again for each block. They are the producer's until its doorbell or
 * answer, then the consumer's; words are relaxed, ordered by those. What is here
 * is said in the producer's line, `lane`: how many events were published with
 * this block (upper half) and how many of them, the first, are here. */
struct shl_lane {
    _Atomic uint64_t event[SHL_LANE_EVENTS][sizeof(struct shl_event) / 8];
};
static_assert(sizeof(struct shl_lane) == 512, "wire size");

struct shl_lanes {
    struct shl_lane to_device;
    struct shl_lane to_host;
};
static_assert(sizeof(struct shl_lanes) == 1024, "wire size");

/** One direction of messages. A line for each index, so that the sides do not
 * fight; one for whoever waits. The bell is raised by everybody who has news
 * for the consumer: its peer, and other threads of its own process.
 *   offset size field   writer    reader    ordering
 *   0      4    write   producer  consumer  release store, acquire load
 *   128    4    read    consumer  producer  release store, acquire load
 *   256    4    parked  consumer  ringers   seq_cst, as of struct
 *                                           shl_parked_line
 *   260    4    bell    ringers   consumer  seq_cst addition after the news,
 *                                           seq_cst load; it sleeps on it */
struct shl_message_ring {
    _Atomic uint32_t write; /* messages ever sent; wraps */
    uint8_t reserved0[124];
    _Atomic uint32_t read; /* messages ever taken; wraps */
    uint8_t reserved1[124];
    _Atomic uint32_t parked;
    _Atomic uint32_t bell; /* news ever; wraps */
    uint8_t reserved2[248];
    struct shl_message slot[SHL_MESSAGE_SLOTS];
};
static_assert(offsetof(struct shl_message_ring, read) == 128, "wire offset");
static_assert(offsetof(struct shl_message_ring, bell) == 260, "wire offset");
static_assert(offsetof(struct shl_message_ring, slot) == 512, "wire offset");

struct shl_messages {
    struct shl_message_ring commands;  /* host to device */
    struct shl_message_ring responses; /* device to host */
};
static_assert(sizeof(struct shl_messages) == 132096, "wire size");

/** One named point of a device, complete before it is announced and never
 * changed after. */
struct shl_tap_slot {
    char name[SHL_TAP_NAME_SIZE]; /* "osc1" */
    uint32_t kind;                /* enum shl_tap_kind */
    uint32_t channels;
    uint8_t reserved[16];
};
static_assert(sizeof(struct shl_tap_slot) == 64, "wire size");
static_assert(sizeof(((struct shl_tap *)0)->name) == SHL_TAP_NAME_SIZE,
              "names fit");

#define SHL_SHARED_CLOCK_WORDS 5

/** When which frame is due by a clock: a line that its owner draws anew now and
 * then. Frame; nanoseconds of the system's clock; as bits of doubles
 * nanoseconds per frame, and the standard deviations of the last two, the second
 * relative. A seqlock, which counts in the low half of `sequence` only; peers that
 * compare all 64 bits see the same changes. 0 at first.
 *   offset size field     writer    reader    ordering
 *   0      8    sequence  producer  consumer  odd: relaxed store; even: release
 *                                             store; acquire load before the
 *                                             words, relaxed after them
 *   8      40   word      producer  consumer  release store, acquire load */
struct shl_shared_clock {
    _Atomic uint64_t sequence;
    _Atomic uint64_t word[SHL_SHARED_CLOCK_WORDS];
};
static_assert(sizeof(struct shl_shared_clock) == 48, "wire size");

/** Audio in one direction of the free drive; the producer's counter and the
 * consumer's on lines of their own. A frame's place in each plane is its number
 * modulo SHL_STREAM_FRAMES.
 *   offset size field    writer    reader    ordering
 *   0      8    written  producer  consumer  release store, acquire load: the
 *                                            frames below are whole
 *   8      48   clock         producer  consumer  as a shared_clock
 *   128    8    read     consumer  producer  release store, acquire load: the
 *                                            frames below are free again */
struct shl_stream {
    _Atomic uint64_t written;      /* frames ever */
    struct shl_shared_clock clock; /* of the producer */
    uint8_t reserved0[72];
    _Atomic uint64_t read;  /* frames ever */
    _Atomic uint64_t heard; /* where frame 0 is, see stream.h */
    uint8_t reserved1[112];
    float plane[SHL_MAX_CHANNELS][SHL_STREAM_FRAMES];
};
static_assert(offsetof(struct shl_stream, read) == 128, "wire offset");
static_assert(offsetof(struct shl_stream, plane) == 256, "wire offset");

/** Has memory behind it only once a free drive is claimed. */
struct shl_streams {
    struct shl_stream to_device;
    struct shl_stream to_host;
};
static_assert(sizeof(struct shl_streams) == 4194816, "wire size");

/** Offsets of the regions as we create them. A segment of another minor
 * version has its own table; ask shl_segment_region. */
enum {
    SHL_IDENTITY_OFFSET = SHL_LINK_OFFSET + 1024,
    SHL_CLAIM_OFFSET = SHL_IDENTITY_OFFSET + 1024,
    SHL_LINES_OFFSET = SHL_CLAIM_OFFSET + 512,
    SHL_COUNTERS_OFFSET = SHL_LINES_OFFSET + 512,
    SHL_EVENTS_TO_DEVICE_OFFSET = SHL_LINK_OFFSET + 4096,
    SHL_EVENTS_TO_HOST_OFFSET = SHL_EVENTS_TO_DEVICE_OFFSET + 131072,
    SHL_PARAMS_OFFSET = SHL_EVENTS_TO_HOST_OFFSET + 131072,
    SHL_MESSAGES_OFFSET = SHL_PARAMS_OFFSET + 262144,
    SHL_TAPS_OFFSET = SHL_MESSAGES_OFFSET + 135168,
    /* where no short plane is a multiple of 4096 bytes away */
    SHL_LANES_OFFSET = SHL_TAPS_OFFSET - 1024,
    SHL_STREAMS_OFFSET = SHL_TAPS_OFFSET + 4096,
    SHL_SEGMENT_SIZE = SHL_STREAMS_OFFSET + 4194816
};
static_assert(SHL_COUNTERS_OFFSET + sizeof(struct shl_counters) <=
                  SHL_EVENTS_TO_DEVICE_OFFSET,
              "regions do not overlap");
static_assert(SHL_PARAMS_OFFSET +
                      SHL_MAX_PARAMS * sizeof(struct shl_param_slot) ==
                  SHL_MESSAGES_OFFSET,
              "regions follow each other");
static_assert(SHL_MESSAGES_OFFSET + sizeof(struct shl_messages) <=
                  SHL_LANES_OFFSET,
              "regions do not overlap");
static_assert(SHL_LANES_OFFSET + sizeof(struct shl_lanes) <= SHL_TAPS_OFFSET,
              "regions do not overlap");
static_assert(SHL_TAPS_OFFSET + SHL_MAX_TAPS * sizeof(struct shl_tap_slot) ==
                  SHL_STREAMS_OFFSET,
              "regions follow each other");
static_assert(SHL_STREAMS_OFFSET + sizeof(struct shl_streams) ==
                  SHL_SEGMENT_SIZE,
              "regions fill the segment");

/* ---- the board --------------------------------------------------------- */

#define SHL_BOARD_SLOT_MAGIC 0x42534853u /* in memory: S H S B */
#define SHL_BOARD_VERSION    1u

/** One announced device. Zero bytes are an empty slot, so a new board is a
 * file of zeros. Written by the holder of the lease on the board's byte n (a
 * device, or a cleaner). */
struct shl_board_entry {
    uint32_t magic;
    uint32_t version;
    char segment[SHL_SEGMENT_NAME_SIZE]; /* "/shl-0-0123456789ab" */
    struct shl_identity identity;
    uint8_t reserved[24];
};
static_assert(sizeof(struct shl_board_entry) == 384, "wire size");

struct shl_board_slot {
    SHL_SEQLOCK(sizeof(struct shl_board_entry) / 8) seqlock;
    uint8_t reserved1[512 - 8 - sizeof(struct shl_board_entry)];
};
static_assert(sizeof(struct shl_board_slot) == 512, "wire size");

struct shl_board {
    struct shl_board_slot slot[SHL_MAX_DEVICES];
};
static_assert(sizeof(struct shl_board) == 32768, "wire size");

#endif
