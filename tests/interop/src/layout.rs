// SPDX-License-Identifier: MIT
//! The offsets and sizes of this crate, in the words and columns of
//! tests/offsets.tsv: taken from its constants, its structures and its
//! functions, and where it tells nothing, by looking where they write.
use crate::segment::{version_name, write_files, Segment, PORTS};
use maolan::*;
use std::mem::{align_of, offset_of, size_of};

pub fn print() -> i32 {
    let area = Area::new();
    constants();
    header();
    control(&area);
    audio(&area);
    events(&area);
    midi(&area);
    scratch(&area);
    0
}

fn row(name: &str, offset: usize, size: usize) {
    println!("{}\t{name}\t{offset}\t{size}", version_name());
}

/// A segment's worth of zeroes.
struct Area {
    base: *mut u8,
}

impl Area {
    fn new() -> Self {
        let layout = std::alloc::Layout::from_size_align(SHM_SIZE, 4096);
        let base = unsafe { std::alloc::alloc_zeroed(layout.unwrap()) };
        Self { base }
    }

    fn offset<T>(&self, place: *const T) -> usize {
        place as usize - self.base as usize
    }

    /// Clear all, have `write` write, and tell where the word `wanted` is then.
    fn find(&self, wanted: u32, write: impl Fn(*mut u8)) -> usize {
        unsafe { std::ptr::write_bytes(self.base, 0, SHM_SIZE) };
        write(self.base);
        let all = unsafe { std::slice::from_raw_parts(self.base, SHM_SIZE) };
        let bytes = wanted.to_le_bytes();
        let found = all.windows(4).position(|window| window == bytes);
        found.expect("a word that the crate writes")
    }
}

fn constants() {
    let values = [
        ("MAGIC", MAGIC as usize),
        ("VERSION", VERSION as usize),
        ("MAX_CHANNELS", MAX_CHANNELS),
        ("NUM_BUSES", NUM_BUSES),
        ("MAX_BLOCK_SIZE", MAX_BLOCK_SIZE),
        ("RING_CAPACITY", RING_CAPACITY),
        ("PARAM_EVENT_VALUE", PARAM_EVENT_VALUE as usize),
        ("PARAM_EVENT_MOD", PARAM_EVENT_MOD as usize),
        (
            "PARAM_EVENT_GESTURE_BEGIN",
            PARAM_EVENT_GESTURE_BEGIN as usize,
        ),
        ("PARAM_EVENT_GESTURE_END", PARAM_EVENT_GESTURE_END as usize),
        ("ring_usable_slots", usable_slots()),
        ("PORT_COUNTS_MAGIC", PORT_COUNTS_MAGIC as usize),
        ("FILE_REFS_MAGIC", FILE_REFS_MAGIC as usize),
        #[cfg(not(feature = "resources"))]
        ("FILE_REF_UPDATE_MAGIC", FILE_REF_UPDATE_MAGIC as usize),
    ];
    for (name, value) in values {
        row(&format!("const.{name}"), value, 0);
    }
    row("segment", 0, SHM_SIZE);
    row("segment.used", 0, LAYOUT_SIZE);
}

/// How many events a ring takes before it refuses one.
fn usable_slots() -> usize {
    let ring = Segment {
        base: Area::new().base,
    }
    .params();
    (0..)
        .take_while(|_| ring.push(ParameterEvent::default()))
        .count()
}

macro_rules! fields {
    ($kind:ty, $base:expr, $prefix:expr,
     $($field:ident: $size:expr),* $(,)?) => {
        $(row(concat!($prefix, ".", stringify!($field)),
              $base + offset_of!($kind, $field), $size);)*
    };
}

fn header() {
    row("header", 0, size_of::<ShmHeader>());
    fields!(ShmHeader, 0, "header",
        magic: 4, version: 4, flags: 4, ready: 4, heartbeat: 4, error_code: 4,
        shutdown_request: 4, tasks_issued: 4, tasks_completed: 4,
        block_size: 4, num_input_channels: 4, num_output_channels: 4,
        request_type: 4, request_status: 4, scratch_size: 4, parent_window: 8,
        state_dirty: 4);
    #[cfg(feature = "ports")]
    fields!(ShmHeader, 0, "header",
        midi_in_port_count: 4, midi_out_port_count: 4);
    #[cfg(feature = "latency")]
    fields!(ShmHeader, 0, "header", latency_samples: 4);
    #[cfg(feature = "counter")]
    fields!(ShmHeader, 0, "header",
        response_counter: 4, block_response_eventless: 4);
}

fn control(area: &Area) {
    row("control", CONTROL_OFFSET, CONTROL_SIZE);
    let (params, echoes) =
        unsafe { (param_indices(area.base), echo_indices(area.base)) };
    row("control.param_write", area.offset(params.0), 4);
    row("control.param_read", area.offset(params.1), 4);
    row("control.echo_write", area.offset(echoes.0), 4);
    row("control.echo_read", area.offset(echoes.1), 4);
    #[cfg(feature = "ports")]
    row("control.gui_mode", GUI_MODE_OFFSET, 4);
    #[cfg(feature = "parent-api")]
    row("control.gui_parent_api", GUI_PARENT_API_OFFSET, 4);
}

fn audio(area: &Area) {
    let first = unsafe { audio_ptr(area.base) };
    row("audio", area.offset(first), AUDIO_BUFFER_SIZE);
    for (channel, bus) in [(0, 0), (0, 1), (1, 0), (1, 1), (31, 0), (31, 1)] {
        let plane = unsafe { audio_channel_ptr(area.base, channel, bus) };
        let name = format!("audio.plane.ch{channel}.bus{bus}");
        row(&name, area.offset(plane), MAX_BLOCK_SIZE * size_of::<f32>());
    }
}

fn events(area: &Area) {
    let (params, echoes) =
        unsafe { (param_ring_ptr(area.base), echo_ring_ptr(area.base)) };
    row("param_ring.slots", area.offset(params), PARAM_RING_SIZE);
    row("echo_ring.slots", area.offset(echoes), ECHO_RING_SIZE);
    assert_eq!(align_of::<ParameterEvent>(), 16);
    row("ParameterEvent", 0, size_of::<ParameterEvent>());
    fields!(ParameterEvent, 0, "ParameterEvent",
        param_index: 4, value: 4, sample_offset: 4, event_kind: 4);
    row("MidiEvent", 0, size_of::<MidiEvent>());
    fields!(MidiEvent, 0, "MidiEvent",
        sample_offset: 4, data: 3, channel: 1, flags: 2, _pad: 2);
    let at = area.offset(unsafe { transport_ref(area.base) });
    row("transport", at, size_of::<TransportState>());
    fields!(TransportState, at, "transport",
        playhead_sample: 8, tempo: 8, numerator: 4, denominator: 4, flags: 4,
        sample_rate_hz: 8);
}

#[cfg(feature = "ports")]
fn midi(area: &Area) {
    row("const.MAX_MIDI_PORTS", MAX_MIDI_PORTS, 0);
    row("midi_in_rings", MIDI_IN_RINGS_OFFSET, MIDI_IN_RINGS_SIZE);
    row("midi_out_rings", MIDI_OUT_RINGS_OFFSET, MIDI_OUT_RINGS_SIZE);
    row("midi_port_ring.stride", 0, MIDI_PORT_RING_SIZE);
    for port in 0..PORTS {
        let rings = unsafe {
            [
                (
                    "in",
                    midi_in_indices(area.base, port),
                    midi_in_ring_ptr(area.base, port),
                ),
                (
                    "out",
                    midi_out_indices(area.base, port),
                    midi_out_ring_ptr(area.base, port),
                ),
            ]
        };
        for (way, (write, read), slots) in rings {
            let name = format!("midi_{way}_ring.{port}");
            row(&format!("{name}.write"), area.offset(write), 4);
            row(&format!("{name}.read"), area.offset(read), 4);
            row(&format!("{name}.slots"), area.offset(slots), MIDI_RING_SIZE);
        }
    }
}

#[cfg(not(feature = "ports"))]
fn midi(area: &Area) {
    assert_eq!(PORTS, 1);
    let rings = unsafe {
        [
            ("in", midi_indices(area.base), midi_ring_ptr(area.base)),
            (
                "out",
                midi_out_indices(area.base),
                midi_out_ring_ptr(area.base),
            ),
        ]
    };
    for (way, (write, read), slots) in rings {
        row(&format!("control.midi_{way}_write"), area.offset(write), 4);
        row(&format!("control.midi_{way}_read"), area.offset(read), 4);
        row(
            &format!("midi_{way}_ring.slots"),
            area.offset(slots),
            MIDI_RING_SIZE,
        );
    }
}

const TEXT: &str = "\u{11}\u{22}\u{33}\u{44}"; // the word 0x44332211
const TEXT_WORD: u32 = 0x4433_2211;

/// The crate has functions for what is in the scratch area, and no offsets.
fn scratch(area: &Area) {
    let first = area.offset(unsafe { scratch_ptr(area.base) });
    let end = first + SCRATCH_SIZE;
    row("scratch", first, SCRATCH_SIZE);

    let name = |base| unsafe { write_plugin_name_to_scratch(base, TEXT) };
    row("scratch.name.len", area.find(4, name), 4);
    let bytes = area.find(TEXT_WORD, name);
    row("scratch.name.bytes", bytes, end - bytes);

    let counts = |base| unsafe {
        write_port_counts_to_scratch(base, 0x11, 0x22, 0x33, 0x44)
    };
    let words = [
        ("magic", PORT_COUNTS_MAGIC),
        ("audio_in", 0x11),
        ("audio_out", 0x22),
        ("midi_in", 0x33),
        ("midi_out", 0x44),
    ];
    for (name, word) in words {
        row(
            &format!("scratch.port_counts.{name}"),
            area.find(word, counts),
            4,
        );
    }

    let refs = |base| unsafe {
        let list = [(0x5566_7788, TEXT.to_string())];
        write_files(base, &list).unwrap()
    };
    row(
        "scratch.file_refs.magic",
        area.find(FILE_REFS_MAGIC, refs),
        4,
    );
    row("scratch.file_refs.count", area.find(1, refs), 4);
    let entries = area.find(0x5566_7788, refs);
    row("scratch.file_refs.entries", entries, end - entries);

    directory(area, end);
    #[cfg(not(feature = "resources"))]
    file_ref_update(area, end);
}

/// The text has what room is left behind it.
fn directory(area: &Area, end: usize) {
    let path = |base| unsafe {
        #[cfg(feature = "resources")]
        let done = write_resource_directory_to_scratch(base, TEXT, true);
        #[cfg(not(feature = "resources"))]
        let done = write_resource_directory_to_scratch(base, TEXT);
        done.unwrap()
    };
    row(
        "scratch.resource_dir.magic",
        area.find(FILE_REFS_MAGIC, path),
        4,
    );
    row("scratch.resource_dir.len", area.find(4, path), 4);
    let bytes = area.find(TEXT_WORD, path);
    let shared = if cfg!(feature = "resources") { 4 } else { 0 };
    if shared > 0 {
        let at = area.find(1, path) - bytes - TEXT.len();
        row("resource_dir.shared_behind_text", at, shared);
    }
    row("scratch.resource_dir.bytes", bytes, end - bytes - shared);
}

#[cfg(not(feature = "resources"))]
fn file_ref_update(area: &Area, end: usize) {
    let update = |base| unsafe {
        write_file_reference_update_to_scratch(base, 0x5566_7788, TEXT).unwrap()
    };
    let at = area.find(FILE_REF_UPDATE_MAGIC, update);
    row("scratch.file_ref_update.magic", at, 4);
    let at = area.find(0x5566_7788, update);
    row("scratch.file_ref_update.index", at, 4);
    row("scratch.file_ref_update.len", area.find(4, update), 4);
    let bytes = area.find(TEXT_WORD, update);
    row("scratch.file_ref_update.bytes", bytes, end - bytes);
}
