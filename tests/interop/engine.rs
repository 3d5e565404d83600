// SPDX-License-Identifier: MIT
//! The client code of a published engine, as it drives a plugin host: opens our
//! fixture, plays, asks for all it can ask for, and compares. Prints a line per
//! step and their count.
//!
//!     engine PROGRAM          (also named by MAOLAN_PLUGIN_HOST, for its scan)
//!
//! The fixture is one sample late: a block that the engine gave up waiting for is
//! a copy of its input, and shows.
use maolan_engine::clap_proc::ClapProcessor;
#[cfg(feature = "planes")]
use maolan_engine::midi::io::MidiEvent;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Early engines keep theirs for themselves.
#[cfg(not(feature = "planes"))]
type MidiEvent = ();

type Done = Result<(), String>;

const FRAMES: usize = 64;
const BLOCKS: usize = 400;
const SPEC: &str = "builtin::fixture:in=2,out=2,midi_in=16,midi_out=16,echo,\
                    latency=1,state=1000,files=3,notes=3";

fn main() {
    let program = std::env::args().nth(1).unwrap_or_default();
    let steps: [(&str, fn(&mut Player) -> Done); 9] = [
        ("audio", audio),
        ("parameters", parameters),
        ("midi", midi),
        ("state", state),
        ("files", files),
        ("notes", notes),
        ("latency", latency),
        ("audio", audio),
        ("scan", scan),
    ];
    let (mut good, mut bad) = (0, 0);
    match Player::open(&program) {
        Err(why) => {
            println!("FAIL open: {why}");
            bad += 1;
        }
        Ok(mut player) => {
            for (name, step) in steps {
                match step(&mut player) {
                    Ok(()) => good += 1,
                    Err(why) => {
                        println!("FAIL {name}: {why}");
                        bad += 1;
                    }
                }
            }
            println!("{:?} a block", player.usual());
        }
    }
    // it ends its programs beside us
    std::thread::sleep(Duration::from_millis(500));
    println!("{good} good, {bad} bad");
    std::process::exit(i32::from(bad > 0));
}

fn equal<T: PartialEq + std::fmt::Debug>(is: T, wanted: T) -> Done {
    if is == wanted {
        return Ok(());
    }
    Err(format!("{is:?}, not {wanted:?}"))
}

/// One plugin, and the ramp that goes through it.
struct Player {
    clap: ClapProcessor,
    next: f32,
    times: Vec<Duration>,
    midi: Vec<MidiEvent>,
}

impl Player {
    fn open(program: &str) -> Result<Self, String> {
        let path = PathBuf::from(program);
        let clap = ClapProcessor::new(48000.0, FRAMES, SPEC, 2, 2, path)?;
        let (times, midi) = (Vec::new(), Vec::new());
        let mut player = Self {
            clap,
            next: 1.0,
            times,
            midi,
        };
        player.block(&[]); // what the line of delay held is none of ours
        Ok(player)
    }

    /// One block; how many of its samples are not those before them.
    fn block(&mut self, midi: &[MidiEvent]) -> usize {
        let first = self.next;
        let ramp: Vec<f32> = (0..FRAMES).map(|i| first + i as f32).collect();
        self.next = (first + FRAMES as f32) % 1e6;
        let begin = Instant::now();
        let out = self.exchange(&ramp, midi);
        self.times.push(begin.elapsed());
        let wrong = |(i, is): &(usize, &f32)| {
            *i > 0 && **is != first + *i as f32 - 1.0
        };
        out.iter().enumerate().filter(wrong).count()
    }

    #[cfg(not(feature = "planes"))]
    fn exchange(&mut self, ramp: &[f32], _: &[MidiEvent]) -> Vec<f32> {
        for port in self.clap.audio_inputs() {
            port.buffer.lock()[..FRAMES].copy_from_slice(ramp);
        }
        self.clap.process_with_audio_io(FRAMES);
        let out = self.clap.audio_outputs()[1].buffer.lock();
        out[..FRAMES].to_vec()
    }

    #[cfg(feature = "planes")]
    fn exchange(&mut self, ramp: &[f32], midi: &[MidiEvent]) -> Vec<f32> {
        let (mut left, mut right) = ([0.0; FRAMES], [0.0; FRAMES]);
        let inputs = [ramp, ramp];
        let mut outputs = [&mut left[..], &mut right[..]];
        self.midi = self
            .clap
            .process_with_audio_buffers(
                FRAMES,
                midi,
                Default::default(),
                &inputs,
                &mut outputs,
            )
            .into_iter()
            .map(|out| out.event)
            .collect();
        right.to_vec()
    }

    fn usual(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() / 2]
    }
}

fn audio(player: &mut Player) -> Done {
    let given_up = (0..BLOCKS).filter(|_| player.block(&[]) > 0).count();
    equal(given_up, 0)
}

fn parameters(player: &mut Player) -> Done {
    #[cfg(feature = "planes")]
    {
        let infos = player.clap.parameter_infos();
        let name = infos.iter().find(|info| info.id == 3);
        let name = name.map(|info| info.name.clone());
        equal(name, Some("Level 0".to_string()))?;
    }
    player.clap.set_parameter(3, 0.25)?;
    player.block(&[]);
    let echoes = player.clap.drain_echoed_parameters();
    let echoes: Vec<_> =
        echoes.iter().map(|e| (e.param_index, e.value)).collect();
    equal(echoes, vec![(3, 0.25)])?;
    player.clap.set_parameter(3, 0.5)?;
    player.block(&[]);
    player.clap.drain_echoed_parameters();
    Ok(())
}

#[cfg(not(feature = "planes"))]
fn midi(_: &mut Player) -> Done {
    Ok(())
}

#[cfg(feature = "planes")]
fn midi(player: &mut Player) -> Done {
    let note = MidiEvent::new(5, vec![0x90, 60, 100]);
    player.block(&[note.clone()]);
    for _ in 0..20 {
        if !player.midi.is_empty() {
            break;
        }
        player.block(&[]);
    }
    equal(player.midi.len(), 1)?;
    equal(player.midi[0].frame, note.frame)?;
    equal(&player.midi[0].data, &note.data)
}

fn state(player: &mut Player) -> Done {
    let mut given = player.clap.snapshot_state()?;
    equal(given.bytes.len(), 1000)?;
    given.bytes = (0..60000_u32).map(|i| (i % 251) as u8).collect();
    player.clap.restore_state(&given)?;
    let back = player.clap.snapshot_state()?;
    match back.bytes == given.bytes {
        true => Ok(()),
        false => Err(format!("{} other bytes", back.bytes.len())),
    }
}

#[cfg(not(feature = "resources"))]
fn files(player: &mut Player) -> Done {
    equal(player.clap.file_references()?.len(), 3)?;
    player.clap.update_file_reference(1, "/neu/Ton ß.wav")?;
    let list = player.clap.file_references()?;
    let wanted = (1_u32, "/neu/Ton ß.wav".to_string());
    let there = list.iter().any(|file| {
        (file.0 as u32, file.1.to_string()) == wanted
    });
    equal(there, true)
}

#[cfg(feature = "resources")]
fn files(player: &mut Player) -> Done {
    let folder = std::path::Path::new("/some/ordner ü");
    player.clap.set_resource_directory(folder, true)?;
    player.clap.collect_resources()?;
    let list = player.clap.resource_files()?;
    let names: Vec<_> = list.into_iter().map(|file| file.1).collect();
    equal(names, (0..3).map(|i| format!("töne/000{i}.wav")).collect())
}

#[cfg(feature = "planes")]
fn notes(player: &mut Player) -> Done {
    equal(player.clap.note_names()?.len(), 3)
}

#[cfg(not(feature = "planes"))]
fn notes(_: &mut Player) -> Done {
    Ok(())
}

#[cfg(feature = "planes")]
fn latency(player: &mut Player) -> Done {
    equal(player.clap.latency_samples(), 1)
}

#[cfg(not(feature = "planes"))]
fn latency(_: &mut Player) -> Done {
    Ok(())
}

/// The answer of September: those before it read another one.
#[cfg(feature = "planes")]
fn scan(_: &mut Player) -> Done {
    use maolan_engine::plugins::{scan_plugins, ClapPluginInfo};
    let found = scan_plugins::<ClapPluginInfo>("clap")?;
    let there = found.iter().any(|info| info.path == "builtin::synth");
    equal(there, true)?;
    equal(scan_plugins::<ClapPluginInfo>("vst3")?.len(), 0)
}

#[cfg(not(feature = "planes"))]
fn scan(_: &mut Player) -> Done {
    Ok(())
}
