// SPDX-License-Identifier: MIT
//! A DAW as the real one is, word for word and in its order: it checks nothing,
//! hands all its pipe ends to the child, publishes the number of a request
//! before it clears the status, takes one byte for the end of a block, and never
//! drains. Differences: its deadlines suit slow machines, it watches the child
//! while it waits, and it counts bells and bytes.
use crate::segment::Segment;
use maolan::*;
use std::collections::VecDeque;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);
/// Tries of a request that the two orders of their real sides can lose.
const TRIES: usize = 20;

pub type Done = Result<(), String>;

/// How a DAW knows that its block is done: engines to 0.3.7 by the byte; 0.3.8 to
/// 0.4.5 by the counter alone, and say so; 0.4.10 and later by both.
#[derive(Clone, Copy, PartialEq)]
pub enum Wait {
    Byte,
    Counter,
    Both,
}

impl Wait {
    pub fn of(word: &str) -> Result<Self, String> {
        match word {
            "byte" => Ok(Wait::Byte),
            "counter" if COUNTER => Ok(Wait::Counter),
            "both" if COUNTER => Ok(Wait::Both),
            _ => Err(format!("nobody waits by {word}")),
        }
    }
}

const COUNTER: bool = cfg!(feature = "counter");

pub struct Daw {
    pub segment: Segment,
    mapping: ShmMapping,
    events: EventPair,
    child: Child,
    pub frames: usize,
    pub ins: usize,
    pub outs: usize,
    pub echoes: VecDeque<ParameterEvent>,
    pub heard: Vec<VecDeque<MidiEvent>>,
    pub wait: Wait,
    pub one_byte: bool, // VST3: one byte ends the wait for a request
    bells: usize,
    bytes: usize,
    counted: usize,  // blocks whose bytes may have been left out
    silent: usize,   // bells that no byte answers: window shown, hidden
    pub lost: usize, // tries of requests beyond the first
}

impl Daw {
    /// Start `program` and wait until it is ready. `more` are the four last
    /// words of the formats that have them.
    pub fn start(
        program: &str,
        format: &str,
        spec: &str,
        more: &[&str],
    ) -> Result<Self, String> {
        let own = std::process::id();
        let instance = format!("{format}-{own}-0");
        let name = format!("/maolan-{own}-{instance}");
        let mapping = ShmMapping::create(&name, SHM_SIZE)?;
        unsafe { init_shm_layout(mapping.as_ptr(), SHM_SIZE) };
        let mut events = EventPair::new().map_err(|e| e.to_string())?;
        let child = Command::new(program)
            .args([format, spec, &name, &instance])
            .arg(events.host_read_fd().to_string())
            .arg(events.host_write_fd().to_string())
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        events.close_daw_unused();
        let mut daw = Self {
            segment: Segment {
                base: mapping.as_ptr(),
            },
            mapping,
            events,
            child,
            frames: 64,
            ins: 2,
            outs: 2,
            echoes: VecDeque::new(),
            heard: Vec::new(),
            wait: if COUNTER { Wait::Both } else { Wait::Byte },
            one_byte: false,
            bells: 0,
            bytes: 0,
            counted: 0,
            silent: 0,
            lost: 0,
        };
        daw.heard.resize_with(crate::segment::PORTS, VecDeque::new);
        daw.wait_ready()?;
        Ok(daw)
    }

    fn wait_ready(&mut self) -> Done {
        let begin = Instant::now();
        while self.segment.header().ready.load(Acquire) == 0 {
            self.alive()?;
            if begin.elapsed() > DEADLINE {
                return Err("not ready in time".to_string());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn alive(&mut self) -> Done {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("the plugin host ended: {status}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn ring(&mut self) -> Done {
        self.bells += 1;
        self.events.signal_host().map_err(|e| e.to_string())
    }

    /// One byte from the host, if it comes in time.
    fn take_byte(&mut self, within: Duration) -> Result<bool, String> {
        let begin = Instant::now();
        loop {
            if self.events.wait_host(Duration::from_millis(20)).is_ok() {
                self.bytes += 1;
                return Ok(true);
            }
            self.alive()?;
            if begin.elapsed() > within {
                return Ok(false);
            }
        }
    }

    /// Look again after each further byte, and now and then, until `look` sees
    /// what it wants. A byte may have been that of an earlier bell.
    pub fn until(&mut self, mut look: impl FnMut(&mut Self) -> Done) -> Done {
        let begin = Instant::now();
        loop {
            self.drain();
            let seen = look(self);
            if seen.is_ok() || begin.elapsed() > DEADLINE / 4 {
                return seen;
            }
            if self.events.wait_host(Duration::from_millis(5)).is_ok() {
                self.bytes += 1;
            }
            if let Err(end) = self.alive() {
                return Err(format!("{}; {end}", seen.unwrap_err()));
            }
        }
    }

    // ---- a block ----------------------------------------------------------------

    /// Frames and counts, as they are before each block.
    pub fn shape(&self) {
        let header = self.segment.header();
        header.block_size.store(self.frames as u32, Release);
        header.num_input_channels.store(self.ins as u32, Release);
        header.num_output_channels.store(self.outs as u32, Release);
        #[cfg(feature = "ports")]
        {
            let ports = crate::segment::PORTS as u32;
            header.midi_in_port_count.store(ports, Release);
            header.midi_out_port_count.store(ports, Release);
        }
    }

    /// One block of what stands in bus 0 and in the rings.
    pub fn block(&mut self) -> Done {
        self.shape();
        self.set_eventless();
        let before = self.responses();
        self.ring()?;
        match self.wait {
            Wait::Byte => self.wait_byte()?,
            Wait::Counter => self.wait_counter(before)?,
            Wait::Both => {
                self.wait_byte()?;
                while self.responses() == before {
                    self.wait_byte()?;
                }
            }
        }
        self.drain();
        Ok(())
    }

    fn wait_byte(&mut self) -> Done {
        match self.take_byte(DEADLINE)? {
            true => Ok(()),
            false => Err("no byte ended the block".to_string()),
        }
    }

    fn wait_counter(&mut self, before: u32) -> Done {
        let begin = Instant::now();
        while self.responses() == before {
            std::thread::yield_now();
            if begin.elapsed() > DEADLINE {
                return Err("no count ended the block".to_string());
            }
        }
        self.counted += 1;
        Ok(())
    }

    #[cfg(feature = "counter")]
    fn set_eventless(&self) {
        let header = self.segment.header();
        header.set_block_response_eventless(self.wait == Wait::Counter);
    }

    #[cfg(not(feature = "counter"))]
    fn set_eventless(&self) {}

    #[cfg(feature = "counter")]
    fn responses(&self) -> u32 {
        self.segment.header().block_response_count()
    }

    #[cfg(not(feature = "counter"))]
    fn responses(&self) -> u32 {
        0
    }

    fn drain(&mut self) {
        let echoes = self.segment.echoes();
        self.echoes.extend(std::iter::from_fn(|| echoes.pop()));
        for (port, heard) in self.heard.iter_mut().enumerate() {
            let ring = self.segment.midi_out(port);
            heard.extend(std::iter::from_fn(|| ring.pop()));
        }
    }

    /// Wait until each bell has had its byte, and see that no other comes.
    pub fn settle(&mut self) -> Done {
        let wanted = self.bells - self.silent;
        while self.bytes < wanted {
            let patience = if self.counted > 0 { SHORT } else { DEADLINE };
            if !self.take_byte(patience)? {
                break;
            }
        }
        while self.take_byte(Duration::from_millis(50))? {}
        if self.bytes <= wanted && self.bytes + self.counted >= wanted {
            return Ok(());
        }
        Err(format!("{} bytes for {wanted} bells", self.bytes))
    }

    // ---- requests ---------------------------------------------------------------

    /// Ask with this payload; true: it was done, false: it was refused.
    pub fn request(
        &mut self,
        number: u32,
        payload: &[u8],
    ) -> Result<bool, String> {
        for _ in 0..TRIES {
            self.segment.scratch()[..payload.len()].copy_from_slice(payload);
            let size = &self.segment.header().scratch_size;
            size.store(payload.len() as u32, Release);
            match self.ask(number)? {
                1 => return Ok(true),
                2 => return Ok(false),
                _ => self.lost += 1,
            }
            // the user tries again, a little later
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("no answer".to_string())
    }

    /// For what is in scratch already. The status, 0 if there is none.
    fn ask(&mut self, number: u32) -> Result<u32, String> {
        let header = self.segment.header();
        header.request_type.store(number, Release);
        header.request_status.store(0, Release);
        self.ring()?;
        let begin = Instant::now();
        if self.one_byte {
            self.take_byte(DEADLINE)?;
        } else {
            while header.request_type.load(Acquire) != 0
                && header.request_status.load(Acquire) == 0
                && begin.elapsed() < DEADLINE
            {
                self.take_byte(Duration::from_millis(20))?;
            }
        }
        let status = header.request_status.load(Acquire);
        header.request_type.store(0, Release);
        Ok(status)
    }

    /// Show or hide the window: nobody waits, nothing is read.
    pub fn window(&mut self, show: bool) -> Done {
        let header = self.segment.header();
        let number = if show { 3 } else { 4 };
        header.request_type.store(number, Release);
        self.silent += 1;
        self.ring()?;
        self.until(|daw| {
            match daw.segment.header().request_type.load(Acquire) {
                0 => Ok(()),
                _ => Err("the window was not seen to".to_string()),
            }
        })
    }

    pub fn take_dirty(&self) -> u32 {
        self.segment.header().state_dirty.swap(0, AcqRel)
    }

    // ---- the end ----------------------------------------------------------------

    /// Shut it down; its exit code, or minus the signal.
    pub fn stop(&mut self) -> Result<i32, String> {
        use std::os::unix::process::ExitStatusExt;
        let header = self.segment.header();
        header.shutdown_request.store(1, Release);
        let _ = self.events.signal_host();
        let begin = Instant::now();
        while begin.elapsed() < DEADLINE {
            if let Ok(Some(status)) = self.child.try_wait() {
                let signal = status.signal().unwrap_or(0);
                return Ok(status.code().unwrap_or(-signal));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("it did not end in time".to_string())
    }
}

impl Drop for Daw {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = ShmMapping::unlink(self.mapping.name());
    }
}
