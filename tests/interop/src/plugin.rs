// SPDX-License-Identifier: MIT
//! The plugin in the plugin host. Its behaviour is chosen by wishes, `word=n`
//! with commas between, which stand at the end of the spec (`clap
//! x::state=9,refs=3`) or in the environment (PEER_WISHES).
//!
//! Sound: each output is its input times -gain. Parameter events: each one is
//! echoed as it came; a value of the parameters below is obeyed, at its sample.
//! MIDI: each event goes out again by the same port, with another second byte.
use crate::segment::{pattern, version_name, write_files, Log, Segment, PORTS};
use maolan::*;
use std::sync::atomic::Ordering::Release;

const GAIN: u32 = 10;
const LATENCY: u32 = 20;
const DIRTY: u32 = 30;
const STATE: u32 = 40;

struct Parameter {
    id: u32,
    name: &'static str,
    module: &'static str,
    min: f32,
    max: f32,
    normal: f32,
}

const PARAMETERS: [Parameter; 5] = [
    Parameter {
        id: GAIN,
        name: "gain",
        module: "",
        min: 0.0,
        max: 4.0,
        normal: 1.0,
    },
    Parameter {
        id: LATENCY,
        name: "latency",
        module: "time",
        min: 0.0,
        max: 4096.0,
        normal: 0.0,
    },
    Parameter {
        id: DIRTY,
        name: "dirty",
        module: "state",
        min: 0.0,
        max: 1.0,
        normal: 0.0,
    },
    Parameter {
        id: STATE,
        name: "state",
        module: "state",
        min: 0.0,
        max: 65536.0,
        normal: 0.0,
    },
    Parameter {
        id: 0xFFFF_FF00,
        name: "Größe",
        module: "ø/å",
        min: -1.0,
        max: 1.0,
        normal: 0.25,
    },
];

const NOTES: [(u32, &str); 3] = [(36, "Kick"), (60, "C"), (127, "Größe")];

const RESOURCES: bool = cfg!(feature = "resources");
pub const AU_MAGIC: u32 = 0x4155_5052;
pub const AU_OFFSET: usize = 3072;

pub struct Plugin {
    segment: Segment,
    format: String,
    wishes: String,
    pub log: Log,
    gain: f32,
    latency: u32,
    state: Vec<u8>,
    refs: Vec<(u32, String)>,
    told: String, // the transport and the block, as they were last logged
}

impl Plugin {
    pub fn new(segment: Segment, format: &str, spec: &str, log: Log) -> Self {
        let own = spec.rsplit(['#', ':']).next().unwrap_or("");
        let given = std::env::var("PEER_WISHES").unwrap_or_default();
        let mut plugin = Self {
            segment,
            format: format.to_string(),
            wishes: format!("{own},{given}"),
            log,
            gain: 1.0,
            latency: 0,
            state: Vec::new(),
            refs: Vec::new(),
            told: String::new(),
        };
        plugin.latency = plugin.wish("latency", 0) as u32;
        plugin.state = pattern(plugin.wish("state", 0), 0);
        let reference = |i| (i * 3, format!("/sounds/Geräusch {i} ø.wav"));
        plugin.refs =
            (0..plugin.wish("refs", 0) as u32).map(reference).collect();
        plugin
    }

    pub fn wish(&self, word: &str, otherwise: usize) -> usize {
        self.wishes
            .split(',')
            .filter_map(|wish| wish.split_once('='))
            .find(|(name, _)| *name == word)
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(otherwise)
    }

    // ---- before ready ---------------------------------------------------------

    pub fn introduce(&self) {
        let name = format!("Gerät {}", version_name());
        unsafe { write_plugin_name_to_scratch(self.segment.base, &name) };
        self.write_counts();
    }

    fn write_counts(&self) {
        let count = |word, otherwise| self.wish(word, otherwise) as u32;
        unsafe {
            write_port_counts_to_scratch(
                self.segment.base,
                count("in", 2),
                count("out", 2),
                count("midi-in", PORTS),
                count("midi-out", PORTS),
            )
        };
    }

    #[cfg(feature = "ports")]
    pub fn show_ports(&self) {
        let header = self.segment.header();
        let count = |word| self.wish(word, PORTS) as u32;
        header.midi_in_port_count.store(count("midi-in"), Release);
        header.midi_out_port_count.store(count("midi-out"), Release);
    }

    #[cfg(not(feature = "ports"))]
    pub fn show_ports(&self) {}

    #[cfg(feature = "latency")]
    pub fn show_latency(&self) {
        self.segment
            .header()
            .latency_samples
            .store(self.latency, Release);
    }

    #[cfg(not(feature = "latency"))]
    pub fn show_latency(&self) {}

    // ---- a block --------------------------------------------------------------

    pub fn pass_through(&self, frames: usize, ins: usize, outs: usize) {
        for channel in 0..ins.min(outs).min(MAX_CHANNELS) {
            let input = &self.segment.plane(channel, 0)[..frames];
            self.segment.plane(channel, 1)[..frames].copy_from_slice(input);
        }
    }

    pub fn process(&mut self, frames: usize, ins: usize, outs: usize) {
        self.tell(frames, ins, outs);
        let mut done = 0;
        let (params, echoes) = (self.segment.params(), self.segment.echoes());
        while let Some(event) = params.pop() {
            let until = (event.sample_offset as usize).clamp(done, frames);
            self.sound(done, until, ins, outs);
            done = until;
            self.log.line(&format!(
                "param {} {} {} {}",
                event.param_index,
                event.value,
                event.sample_offset,
                event.event_kind
            ));
            self.obey(&event);
            echoes.push(ParameterEvent {
                param_index: event.param_index,
                value: event.value,
                sample_offset: event.sample_offset,
                event_kind: event.event_kind,
            });
        }
        self.sound(done, frames, ins, outs);
        (0..PORTS).for_each(|port| self.answer(port));
        self.show_latency();
    }

    fn sound(&self, from: usize, to: usize, ins: usize, outs: usize) {
        for channel in 0..outs.min(MAX_CHANNELS) {
            let output = &mut self.segment.plane(channel, 1)[from..to];
            if channel >= ins {
                output.fill(0.0);
                continue;
            }
            let input = &self.segment.plane(channel, 0)[from..to];
            for (out, sample) in output.iter_mut().zip(input) {
                *out = -self.gain * sample;
            }
        }
    }

    fn obey(&mut self, event: &ParameterEvent) {
        if event.event_kind != PARAM_EVENT_VALUE {
            return;
        }
        match event.param_index {
            GAIN => self.gain = event.value,
            LATENCY => self.latency = event.value as u32,
            STATE => self.state = pattern(event.value as usize, 0),
            DIRTY => {
                self.segment.header().state_dirty.store(1, Release);
            }
            _ => (),
        }
    }

    fn answer(&self, port: usize) {
        let (midi, out) =
            (self.segment.midi_in(port), self.segment.midi_out(port));
        while let Some(event) = midi.pop() {
            let [first, second, third] = event.data;
            self.log.line(&format!(
                "midi {port} {} {first} {second} {third} {}",
                event.sample_offset, event.channel
            ));
            out.push(MidiEvent {
                sample_offset: event.sample_offset,
                data: [first, second ^ 1, third],
                channel: event.channel,
                flags: 0,
                _pad: 0,
            });
        }
    }

    /// Log the header's words and the transport when they have changed.
    fn tell(&mut self, frames: usize, ins: usize, outs: usize) {
        let transport = self.segment.transport();
        let now = format!(
            "block {frames} {ins} {outs}\ntransport {} {} {} {} {} {}",
            transport.playhead_sample,
            transport.tempo,
            transport.numerator,
            transport.denominator,
            transport.flags,
            transport.sample_rate_hz
        );
        if now != self.told {
            self.log.line(&now);
            self.told = now;
        }
    }

    // ---- requests -------------------------------------------------------------

    /// The highest number that this version knows.
    pub fn last_request(&self) -> u32 {
        match VERSION {
            8.. => 13,
            6 | 7 => 12,
            4 | 5 => 11,
            _ => 7,
        }
    }

    /// Do it; whether it was done.
    pub fn request(&mut self, number: u32) -> bool {
        let lv2 = self.format == "lv2";
        let good = match number {
            1 => self.save(),
            2 => self.restore(),
            3 => !lv2 && self.window(),
            4 => true,
            5 => self.resources(),
            6 if RESOURCES => self.collect(),
            7 if RESOURCES => self.list_refs(),
            6 => self.list_refs(),
            7 => self.change_ref(),
            _ if number > self.last_request() => false,
            8 => lv2 && self.controls(),
            9 => !lv2 && self.parameters(),
            10 => lv2 && self.notes(),
            11 => !lv2 && self.notes(),
            12 => !lv2 && self.refresh_counts(),
            13 => self.format == "au" && self.au_parameters(),
            _ => false,
        };
        let word = if good { "done" } else { "refused" };
        self.log.line(&format!("request {number} {word}"));
        good
    }

    fn put(&self, bytes: &[u8]) -> bool {
        if bytes.len() > SCRATCH_SIZE {
            return false;
        }
        self.segment.scratch()[..bytes.len()].copy_from_slice(bytes);
        self.segment
            .header()
            .scratch_size
            .store(bytes.len() as u32, Release);
        true
    }

    fn save(&self) -> bool {
        self.put(&self.state)
    }

    fn restore(&mut self) -> bool {
        use std::sync::atomic::Ordering::Acquire;
        let size = self.segment.header().scratch_size.load(Acquire) as usize;
        if size > SCRATCH_SIZE {
            return false;
        }
        self.state = self.segment.scratch()[..size].to_vec();
        let sum = self.state.iter().fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u32::from(*byte))
        });
        self.log.line(&format!("restored {size} {sum}"));
        true
    }

    #[cfg(not(feature = "ports"))]
    fn window(&self) -> bool {
        let parent = self.segment.header().parent_window_usize();
        self.log.line(&format!("window {parent}"));
        true
    }

    #[cfg(feature = "ports")]
    fn window(&self) -> bool {
        let header = self.segment.header();
        let (parent, mode) = (header.parent_window_usize(), header.gui_mode());
        #[cfg(feature = "parent-api")]
        let api = header.gui_parent_api().as_u32();
        #[cfg(not(feature = "parent-api"))]
        let api = 0;
        self.log
            .line(&format!("window {parent} {} {api}", mode.as_u32()));
        true
    }

    fn resources(&self) -> bool {
        let read =
            unsafe { read_resource_directory_from_scratch(self.segment.base) };
        #[cfg(feature = "resources")]
        let read = read.map(|(path, shared)| {
            self.log.line(&format!("shared {shared}"));
            path
        });
        if let Some(path) = &read {
            self.log.line(&format!("resources {path}"));
        }
        read.is_some()
    }

    /// A real one copies its files now.
    fn collect(&self) -> bool {
        self.log.line("copied");
        true
    }

    fn list_refs(&self) -> bool {
        unsafe { write_files(self.segment.base, &self.refs) }.is_ok()
    }

    #[cfg(feature = "resources")]
    fn change_ref(&mut self) -> bool {
        false
    }

    #[cfg(not(feature = "resources"))]
    fn change_ref(&mut self) -> bool {
        let base = self.segment.base;
        let read = unsafe { read_file_reference_update_from_scratch(base) };
        let Some((index, path)) = read else {
            return false;
        };
        self.log.line(&format!("ref {index} {path}"));
        match self.refs.iter_mut().find(|entry| entry.0 == index) {
            Some(entry) => entry.1 = path,
            None => return false,
        }
        true
    }

    /// Eight words, then the name; behind a magic word, not at the beginning.
    fn au_parameters(&self) -> bool {
        let mut bytes = AU_MAGIC.to_le_bytes().to_vec();
        bytes.extend((PARAMETERS.len() as u32).to_le_bytes());
        for (index, parameter) in (0_u32..).zip(&PARAMETERS) {
            for word in [index, 0, 0, parameter.id] {
                bytes.extend(word.to_le_bytes());
            }
            for value in [parameter.min, parameter.max, parameter.normal] {
                bytes.extend(value.to_le_bytes());
            }
            bytes.extend(0_u32.to_le_bytes());
            put_text(&mut bytes, parameter.name);
        }
        self.segment.scratch()[AU_OFFSET..AU_OFFSET + bytes.len()]
            .copy_from_slice(&bytes);
        let size = &self.segment.header().scratch_size;
        size.store(bytes.len() as u32, Release);
        true
    }

    fn parameters(&self) -> bool {
        let mut bytes = (PARAMETERS.len() as u32).to_le_bytes().to_vec();
        for parameter in &PARAMETERS {
            bytes.extend(parameter.id.to_le_bytes());
            put_text(&mut bytes, parameter.name);
            put_text(&mut bytes, parameter.module);
            for value in [parameter.min, parameter.max, parameter.normal] {
                bytes.extend(f64::from(value).to_le_bytes());
            }
        }
        self.put(&bytes)
    }

    fn controls(&self) -> bool {
        let mut bytes = (PARAMETERS.len() as u32).to_le_bytes().to_vec();
        for parameter in &PARAMETERS {
            bytes.extend(parameter.id.to_le_bytes());
            put_text(&mut bytes, parameter.name);
            for value in [parameter.min, parameter.max, parameter.normal] {
                bytes.extend(value.to_le_bytes());
            }
        }
        self.put(&bytes)
    }

    fn notes(&self) -> bool {
        let mut bytes = (NOTES.len() as u32).to_le_bytes().to_vec();
        for (note, name) in NOTES {
            bytes.extend(note.to_le_bytes());
            put_text(&mut bytes, name);
        }
        self.put(&bytes)
    }

    fn refresh_counts(&self) -> bool {
        self.write_counts();
        true
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
}
