// SPDX-License-Identifier: MIT
//! What a host and a DAW both take from the crate, under one name in every
//! version of it.
use maolan::*;
use std::mem::{offset_of, size_of};
use std::sync::atomic::AtomicU32;

pub type Params = RingBuffer<ParameterEvent>;

/// A ring of MIDI events, by their bytes: crates 0.0.9 to 0.0.16 lay the slots 8
/// bytes beside the alignment of the structure, and whoever copies it whole may
/// be ended for that.
pub struct Midi {
    ring: RingBuffer<Slot>,
}

type Slot = [u8; size_of::<MidiEvent>()];

impl Midi {
    /// # Safety
    /// The pointers are those that the crate gives for one ring.
    unsafe fn new(slots: *mut MidiEvent, indices: Indices) -> Self {
        let (write, read) = indices;
        let ring = RingBuffer::new(slots.cast(), write, read, RING_CAPACITY);
        Self { ring }
    }

    pub fn push(&self, event: MidiEvent) -> bool {
        let mut slot = Slot::default();
        let mut put = |at: usize, bytes: &[u8]| {
            slot[at..at + bytes.len()].copy_from_slice(bytes)
        };
        let offset = event.sample_offset.to_le_bytes();
        put(offset_of!(MidiEvent, sample_offset), &offset);
        put(offset_of!(MidiEvent, data), &event.data);
        put(offset_of!(MidiEvent, channel), &[event.channel]);
        put(offset_of!(MidiEvent, flags), &event.flags.to_le_bytes());
        self.ring.push(slot)
    }

    pub fn pop(&self) -> Option<MidiEvent> {
        let slot = self.ring.pop()?;
        let byte = |at: usize| slot[at];
        let offset = offset_of!(MidiEvent, sample_offset);
        let data = offset_of!(MidiEvent, data);
        let flags = offset_of!(MidiEvent, flags);
        Some(MidiEvent {
            sample_offset: u32::from_le_bytes(
                [0, 1, 2, 3].map(|i| byte(offset + i)),
            ),
            data: [0, 1, 2].map(|i| byte(data + i)),
            channel: byte(offset_of!(MidiEvent, channel)),
            flags: u16::from_le_bytes([0, 1].map(|i| byte(flags + i))),
            _pad: 0,
        })
    }
}

type Indices = (*mut AtomicU32, *mut AtomicU32);

#[cfg(not(feature = "resources"))]
pub use maolan::{
    read_file_references_from_scratch as read_files,
    write_file_references_to_scratch as write_files,
};
/// The list of files has kept its bytes and changed its name.
#[cfg(feature = "resources")]
pub use maolan::{
    read_resource_files_from_scratch as read_files,
    write_resource_files_to_scratch as write_files,
};

pub const PORTS: usize = if cfg!(feature = "ports") { 16 } else { 1 };

/// As in the first column of tests/offsets.tsv. The package has the version of
/// the crate that it is built on.
pub fn version_name() -> String {
    match VERSION {
        6 | 7 => format!("{VERSION}-{}", env!("CARGO_PKG_VERSION")),
        number => number.to_string(),
    }
}

#[derive(Clone, Copy)]
pub struct Segment {
    pub base: *mut u8,
}

impl Segment {
    pub fn header(&self) -> &'static ShmHeader {
        unsafe { header_ref(self.base) }
    }

    pub fn params(&self) -> Params {
        unsafe {
            let (write, read) = param_indices(self.base);
            Params::new(param_ring_ptr(self.base), write, read, RING_CAPACITY)
        }
    }

    pub fn echoes(&self) -> Params {
        unsafe {
            let (write, read) = echo_indices(self.base);
            Params::new(echo_ring_ptr(self.base), write, read, RING_CAPACITY)
        }
    }

    #[cfg(feature = "ports")]
    pub fn midi_in(&self, port: usize) -> Midi {
        unsafe {
            let slots = midi_in_ring_ptr(self.base, port);
            Midi::new(slots, midi_in_indices(self.base, port))
        }
    }

    #[cfg(not(feature = "ports"))]
    pub fn midi_in(&self, _port: usize) -> Midi {
        unsafe { Midi::new(midi_ring_ptr(self.base), midi_indices(self.base)) }
    }

    #[cfg(feature = "ports")]
    pub fn midi_out(&self, port: usize) -> Midi {
        unsafe {
            let slots = midi_out_ring_ptr(self.base, port);
            Midi::new(slots, midi_out_indices(self.base, port))
        }
    }

    #[cfg(not(feature = "ports"))]
    pub fn midi_out(&self, _port: usize) -> Midi {
        unsafe {
            let indices = midi_out_indices(self.base);
            Midi::new(midi_out_ring_ptr(self.base), indices)
        }
    }

    /// One channel's samples: bus 0 to the host, bus 1 from it.
    pub fn plane(&self, channel: usize, bus: usize) -> &'static mut [f32] {
        assert!(channel < MAX_CHANNELS && bus < NUM_BUSES);
        unsafe {
            let first = audio_channel_ptr(self.base, channel, bus);
            std::slice::from_raw_parts_mut(first, MAX_BLOCK_SIZE)
        }
    }

    pub fn scratch(&self) -> &'static mut [u8] {
        unsafe {
            let first = scratch_ptr(self.base);
            std::slice::from_raw_parts_mut(first, SCRATCH_SIZE)
        }
    }

    pub fn transport(&self) -> &'static mut TransportState {
        unsafe { transport_mut(self.base) }
    }
}

/// What a program tells the test that started it: lines in the file named by
/// the environment, since a plugin host has no output that anybody reads.
pub struct Log {
    file: Option<std::fs::File>,
}

impl Log {
    pub fn open() -> Self {
        let file = std::env::var_os("PEER_LOG").and_then(|name| {
            let mut options = std::fs::OpenOptions::new();
            options.create(true).append(true).open(name).ok()
        });
        Self { file }
    }

    pub fn line(&self, text: &str) {
        use std::io::Write;
        if let Some(mut file) = self.file.as_ref() {
            let _ = file.write_all(format!("{text}\n").as_bytes());
        }
    }
}

/// A state of so many bytes that can be told from any other.
pub fn pattern(size: usize, seed: usize) -> Vec<u8> {
    let byte = |i: usize| (i * 7 + (i >> 8) + seed) as u8;
    (0..size).map(byte).collect()
}
