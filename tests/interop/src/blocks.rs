// SPDX-License-Identifier: MIT
//! Commands about blocks: audio, parameters, MIDI, words of the header.
use crate::daw::{Daw, Done};
use crate::script::{equal, Words};
use crate::segment::PORTS;
use maolan::*;

pub fn execute(daw: &mut Daw, verb: &str, words: &Words) -> Option<Done> {
    Some(match verb {
        "audio" => words.number(0).and_then(|gain| audio(daw, gain)),
        "ramp" => ramp(daw, words),
        "set" => set(daw, words),
        "echo" => echo(daw, words),
        "params-burst" => words.number(0).and_then(|id| params_burst(daw, id)),
        "midi" => midi(daw, words),
        "out" => out(daw, words),
        "midi-all" => words.number(0).and_then(|xor| midi_all(daw, xor)),
        "midi-burst" => words.number(0).and_then(|xor| midi_burst(daw, xor)),
        "mixture" => mixture(daw, words),
        "quiet" => quiet(daw),
        "latency" => words.number(0).and_then(|n| latency(daw, n)),
        "transport" => transport(daw, words),
        "dirty" => words.number(0).and_then(|n| equal(daw.take_dirty(), n)),
        "becomes-dirty" => daw.until(|d| equal(d.take_dirty(), 1)),
        _ => return None,
    })
}

// ---- audio --------------------------------------------------------------------

/// A sample that is like no other of the block, nor like its neighbours' ones.
fn sample(salt: usize, channel: usize, frame: usize) -> f32 {
    let bits = (salt & 0x3f) << 17 | channel << 12 | frame;
    let sign = (salt as u32 & 1) << 31;
    f32::from_bits(0x3f00_0000 | sign | bits as u32)
}

/// Every shape of block that the issue names: each output is `gain` times its
/// input, to the bit.
fn audio(daw: &mut Daw, gain: f32) -> Done {
    let mut salt = 0;
    for channels in [1, 2, 32] {
        for frames in [1, 64, 512, 4096] {
            salt += 1;
            (daw.frames, daw.ins, daw.outs) = (frames, channels, channels);
            fill(daw, salt);
            daw.block()?;
            daw.until(|daw| compare(daw, salt, gain))?;
        }
    }
    Ok(())
}

fn fill(daw: &mut Daw, salt: usize) {
    for channel in 0..daw.ins {
        let plane = &mut daw.segment.plane(channel, 0)[..daw.frames];
        for (frame, place) in plane.iter_mut().enumerate() {
            *place = sample(salt, channel, frame);
        }
    }
}

fn compare(daw: &mut Daw, salt: usize, gain: f32) -> Done {
    for channel in 0..daw.outs {
        let plane = daw.segment.plane(channel, 1);
        for (frame, is) in plane[..daw.frames].iter().enumerate() {
            let wanted = gain * sample(salt, channel, frame);
            if is.to_bits() != wanted.to_bits() {
                return Err(format!(
                    "{} frames, {} channels: channel {channel}, frame {frame} \
                     is {is}, not {wanted}",
                    daw.frames, daw.ins
                ));
            }
        }
    }
    Ok(())
}

/// `ramp FIRST OFFSET SECOND`: a block of ones comes out as FIRST and from
/// OFFSET on as SECOND.
fn ramp(daw: &mut Daw, words: &Words) -> Done {
    let (first, at, second) =
        (words.number(0)?, words.number(1)?, words.number(2)?);
    for channel in 0..daw.ins {
        daw.segment.plane(channel, 0)[..daw.frames].fill(1.0);
    }
    daw.block()?;
    daw.until(|daw| {
        let plane = daw.segment.plane(0, 1);
        for (frame, is) in plane[..daw.frames].iter().enumerate() {
            let wanted: f32 = if frame < at { first } else { second };
            if *is != wanted {
                return Err(format!("frame {frame} is {is}, not {wanted}"));
            }
        }
        Ok(())
    })
}

// ---- parameters ---------------------------------------------------------------

fn parameter(words: &Words) -> Result<ParameterEvent, String> {
    Ok(ParameterEvent {
        param_index: words.number(0)?,
        value: words.number(1)?,
        sample_offset: words.or(2, 0),
        event_kind: words.or(3, PARAM_EVENT_VALUE),
    })
}

fn fields(e: &ParameterEvent) -> (u32, f32, u32, u32) {
    (e.param_index, e.value, e.sample_offset, e.event_kind)
}

/// `set ID VALUE [OFFSET [KIND]]`
fn set(daw: &mut Daw, words: &Words) -> Done {
    match daw.segment.params().push(parameter(words)?) {
        true => Ok(()),
        false => Err("the ring is full".to_string()),
    }
}

/// The next echo, in the words of `set`.
fn echo(daw: &mut Daw, words: &Words) -> Done {
    let wanted = parameter(words)?;
    daw.until(|daw| match daw.echoes.front() {
        Some(_) => Ok(()),
        None => Err("no echo".to_string()),
    })?;
    let is = daw.echoes.pop_front().unwrap();
    equal(fields(&is), fields(&wanted))
}

/// All that a ring takes, and one that it refuses; every event is echoed.
fn params_burst(daw: &mut Daw, id: u32) -> Done {
    let event = |i: usize| {
        let event_kind = i as u32 % 4;
        let value = if event_kind < 2 {
            i as f32 / 4096.0
        } else {
            0.0
        };
        let sample_offset = i as u32 / 64;
        ParameterEvent {
            param_index: id,
            value,
            sample_offset,
            event_kind,
        }
    };
    daw.frames = daw.frames.max(64);
    let ring = daw.segment.params();
    let taken = (0..).take_while(|i| ring.push(event(*i))).count();
    equal(taken, RING_CAPACITY - 1)?;
    daw.block()?;
    daw.until(|daw| equal(daw.echoes.len(), RING_CAPACITY - 1))?;
    for (i, is) in daw.echoes.drain(..).enumerate() {
        equal(fields(&is), fields(&event(i)))?;
    }
    Ok(())
}

// ---- MIDI -----------------------------------------------------------------------

/// `midi PORT OFFSET STATUS DATA DATA`
fn midi(daw: &mut Daw, words: &Words) -> Done {
    let (port, event) = (words.number(0)?, midi_event(words)?);
    match daw.segment.midi_in(port).push(event) {
        true => Ok(()),
        false => Err("the ring is full".to_string()),
    }
}

fn midi_event(words: &Words) -> Result<MidiEvent, String> {
    let data = [words.number(2)?, words.number(3)?, words.number(4)?];
    Ok(event_of(words.number(1)?, data))
}

fn event_of(sample_offset: u32, data: [u8; 3]) -> MidiEvent {
    MidiEvent {
        sample_offset,
        data,
        channel: data[0] & 15,
        flags: 0,
        _pad: 0,
    }
}

/// Nobody looks at the flags: whoever writes a slot for both alignments has half
/// of another event there.
fn midi_fields(e: &MidiEvent) -> (u32, [u8; 3], u8) {
    (e.sample_offset, e.data, e.channel)
}

/// The next event from a port, in the words of `midi`.
fn out(daw: &mut Daw, words: &Words) -> Done {
    let port: usize = words.number(0)?;
    let wanted = midi_event(words)?;
    daw.until(|daw| match daw.heard[port].front() {
        Some(_) => Ok(()),
        None => Err("nothing was heard".to_string()),
    })?;
    let is = daw.heard[port].pop_front().unwrap();
    equal(midi_fields(&is), midi_fields(&wanted))
}

/// Each kind of message on every channel of every port, each told from all
/// others by its data; all come back, with the second byte changed by `xor`.
fn midi_all(daw: &mut Daw, xor: u8) -> Done {
    let kinds = [0x90, 0x80, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0];
    let message = |port: usize, i: usize| {
        let status = kinds[i / 16] | (i % 16) as u8;
        let third = match kinds[i / 16] {
            0xc0 | 0xd0 => 0,
            _ => (i as u8).wrapping_mul(3) & 0x7f | 1,
        };
        let second = (port * 8 + i) as u8 & 0x7f;
        (i as u32 / 2, [status, second, third])
    };
    let count = kinds.len() * 16;
    for port in 0..PORTS {
        for i in 0..count {
            let (offset, data) = message(port, i);
            daw.segment.midi_in(port).push(event_of(offset, data));
        }
    }
    all_return(daw, count, xor, message)
}

/// All that the rings of all ports take at once.
fn midi_burst(daw: &mut Daw, xor: u8) -> Done {
    let message = |port: usize, i: usize| {
        let data = [
            0x90 | port as u8,
            (i / 127 % 128) as u8,
            (i % 127 + 1) as u8,
        ];
        (i as u32 / 64, data)
    };
    for port in 0..PORTS {
        let ring = daw.segment.midi_in(port);
        let push = |i: &usize| {
            let (offset, data) = message(port, *i);
            ring.push(event_of(offset, data))
        };
        let taken = (0..).take_while(push).count();
        equal(taken, RING_CAPACITY - 1)?;
    }
    all_return(daw, RING_CAPACITY - 1, xor, message)
}

fn all_return(
    daw: &mut Daw,
    count: usize,
    xor: u8,
    message: impl Fn(usize, usize) -> (u32, [u8; 3]),
) -> Done {
    daw.frames = daw.frames.max(64);
    daw.block()?;
    for port in 0..PORTS {
        daw.until(|daw| equal(daw.heard[port].len(), count))
            .map_err(|why| format!("port {port}: {why} events"))?;
        for (i, is) in daw.heard[port].drain(..).enumerate() {
            let (offset, mut data) = message(port, i);
            data[1] ^= xor;
            let wanted = event_of(offset, data);
            equal(midi_fields(&is), midi_fields(&wanted))
                .map_err(|why| format!("port {port}: {why}"))?;
        }
    }
    Ok(())
}

/// `mixture COUNT GAIN XOR ID`: blocks of any length with a value for a parameter
/// and a note in each, and a request after every eighth.
fn mixture(daw: &mut Daw, words: &Words) -> Done {
    let (count, gain) = (words.number::<usize>(0)?, words.number(1)?);
    let (xor, id): (u8, u32) = (words.number(2)?, words.number(3)?);
    let mut random = 1_u32;
    (daw.ins, daw.outs) = (2, 2);
    for n in 0..count {
        random = random.wrapping_mul(1664525).wrapping_add(1013904223);
        daw.frames = 2 + (random >> 8) as usize % 1023;
        let last = daw.frames as u32 - 1;
        let event = ParameterEvent {
            param_index: id,
            value: (n % 16) as f32 / 16.0,
            sample_offset: last / 2,
            event_kind: PARAM_EVENT_VALUE,
        };
        let data = [0x90, (n % 128) as u8, (n % 127 + 1) as u8];
        daw.segment.params().push(event);
        daw.segment.midi_in(0).push(event_of(last, data));
        fill(daw, n);
        daw.block()?;
        daw.until(|daw| compare(daw, n, gain))
            .map_err(|why| format!("block {n}: {why}"))?;
        daw.until(|daw| equal((daw.echoes.len(), daw.heard[0].len()), (1, 1)))
            .map_err(|why| format!("block {n}: {why} events"))?;
        equal(fields(&daw.echoes.pop_front().unwrap()), fields(&event))?;
        let note = event_of(last, [data[0], data[1] ^ xor, data[2]]);
        let is = daw.heard[0].pop_front().unwrap();
        equal(midi_fields(&is), midi_fields(&note))?;
        if n % 8 == 7 {
            equal(daw.request(1, &[])?, true)?;
        }
    }
    Ok(())
}

/// Nothing is left that no line has asked for.
fn quiet(daw: &mut Daw) -> Done {
    let heard: usize = daw.heard.iter().map(|port| port.len()).sum();
    match daw.echoes.front() {
        Some(echo) => {
            Err(format!("{echo:?} and {} more", daw.echoes.len() - 1))
        }
        None => equal(heard, 0),
    }
}

// ---- words of the header ----------------------------------------------------------

#[cfg(feature = "latency")]
fn latency(daw: &mut Daw, wanted: u32) -> Done {
    daw.until(|daw| {
        let word = &daw.segment.header().latency_samples;
        equal(word.load(std::sync::atomic::Ordering::Acquire), wanted)
    })
}

#[cfg(not(feature = "latency"))]
fn latency(_: &mut Daw, _: u32) -> Done {
    Err("this version has no latency".to_string())
}

/// `transport PLAYHEAD TEMPO NUMERATOR DENOMINATOR FLAGS [RATE]`
fn transport(daw: &mut Daw, words: &Words) -> Done {
    let transport = daw.segment.transport();
    transport.playhead_sample = words.number(0)?;
    transport.tempo = words.number(1)?;
    transport.numerator = words.number(2)?;
    transport.denominator = words.number(3)?;
    transport.flags = words.number(4)?;
    transport.sample_rate_hz = words.or(5, 0.0);
    Ok(())
}
