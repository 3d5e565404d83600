// SPDX-License-Identifier: MIT
//! A plugin host as the real ones are: it trusts every word of the DAW, looks
//! for requests before it waits for a doorbell and not after, and so runs an
//! extra block for the doorbell of a request. Differences: it ends with the
//! process that started it, and does not spin when its doorbell is closed.
use crate::plugin::Plugin;
use crate::segment::{Log, Segment};
use maolan::*;
use std::io::ErrorKind;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

const TURN: Duration = Duration::from_millis(100);

/// Ends the process as asked. The codes are those of the real host.
pub fn run(words: &[String]) -> i32 {
    let format = words.first().map_or("", String::as_str);
    let expected = match format {
        "clap" | "null" | "__test__" => 6,
        "vst3" | "lv2" => 10,
        "au" if cfg!(feature = "au") => 10,
        "" => return 1,
        _ => return 4,
    };
    if words.len() != expected {
        return 1;
    }
    end_with_parent();
    let Ok(mapping) = ShmMapping::open_existing(&words[2], SHM_SIZE) else {
        return 2;
    };
    let (Some(bell), Some(done)) = (pipe(&words[4]), pipe(&words[5])) else {
        return 3;
    };
    let segment = Segment {
        base: mapping.as_ptr(),
    };
    let log = Log::open();
    log.line(&format!("start {}", words.join(" ")));
    let mut host = Host {
        segment,
        events: unsafe { EventPair::from_fds(bell, done) },
        plugin: Plugin::new(segment, format, &words[1], log),
        blocks: 0,
    };
    if !host.start(format, &words[1]) {
        return 0;
    }
    host.work(format);
    host.plugin.log.line("end");
    0
}

fn end_with_parent() {
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) };
}

fn pipe(word: &str) -> Option<i32> {
    let descriptor = word.parse().ok()?;
    let open = unsafe { libc::fcntl(descriptor, libc::F_GETFD) } >= 0;
    open.then_some(descriptor)
}

struct Host {
    segment: Segment,
    events: EventPair,
    plugin: Plugin,
    blocks: usize,
}

impl Host {
    /// What comes before `ready`, and that; false: there is nothing to work for.
    fn start(&mut self, format: &str, spec: &str) -> bool {
        let header = self.segment.header();
        if spec == "__test__" {
            self.segment.scratch()[..4]
                .copy_from_slice(&0xDEAD_BEEF_u32.to_le_bytes());
            return false;
        }
        if format == "clap" && !spec.starts_with("__") {
            self.plugin.introduce();
        }
        self.plugin.show_ports();
        self.plugin.show_latency();
        if self.plugin.wish("never-ready", 0) == 0 {
            header.ready.store(1, Release);
        }
        match spec {
            "__crash__" => std::process::abort(),
            "__hang__" => hang(),
            _ => true,
        }
    }

    fn work(&mut self, format: &str) {
        let header = self.segment.header();
        while header.shutdown_request.load(Acquire) == 0 {
            let number = header.request_type.load(Acquire);
            if number != 0 && format != "null" && format != "__test__" {
                if !self.request(number) {
                    return;
                }
                continue;
            }
            match self.events.wait_daw(TURN) {
                Ok(()) => (),
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    if format == "__test__" {
                        header.heartbeat.fetch_add(1, Relaxed);
                    }
                    continue;
                }
                Err(_) if format == "clap" => {
                    std::thread::sleep(Duration::from_millis(10));
                    continue;
                }
                Err(_) => return,
            }
            if format == "__test__" {
                header.heartbeat.fetch_add(1, Relaxed);
            } else if !self.block(format) {
                return;
            }
        }
    }

    fn block(&mut self, format: &str) -> bool {
        let header = self.segment.header();
        let frames = header.block_size.load(Acquire) as usize;
        let ins = header.num_input_channels.load(Acquire) as usize;
        let outs = header.num_output_channels.load(Acquire) as usize;
        if frames > 0 && frames <= MAX_BLOCK_SIZE {
            self.misbehave();
            if format == "null" {
                self.plugin.pass_through(frames, ins, outs);
            } else {
                self.plugin.process(frames, ins, outs);
            }
        }
        #[cfg(feature = "counter")]
        {
            header.mark_block_response();
            if header.block_response_eventless() {
                return true;
            }
        }
        for _ in 0..self.plugin.wish("storm", 0) {
            if self.events.signal_daw().is_err() {
                return false;
            }
        }
        self.events.signal_daw().is_ok()
    }

    /// Do what the wishes say about block number so and so.
    fn misbehave(&mut self) {
        self.blocks += 1;
        if self.plugin.wish("exit-at", 0) == self.blocks {
            std::process::exit(0);
        }
        if self.plugin.wish("abort-at", 0) == self.blocks {
            std::process::abort();
        }
        if self.plugin.wish("hang-at", 0) == self.blocks {
            hang();
        }
    }

    /// The real order: size, status, byte, and only then the number's end.
    fn request(&mut self, number: u32) -> bool {
        if self.plugin.wish("abort-in", 0) == number as usize {
            std::process::abort();
        }
        if self.plugin.wish("hang-in", 0) == number as usize {
            hang();
        }
        let header = self.segment.header();
        let good = self.plugin.request(number);
        header
            .request_status
            .store(if good { 1 } else { 2 }, Release);
        let known = number <= self.plugin.last_request();
        if known && number != 3 && number != 4 {
            if self.events.signal_daw().is_err() {
                return false;
            }
        }
        header.request_type.store(0, Release);
        true
    }
}

fn hang() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
