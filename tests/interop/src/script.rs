// SPDX-License-Identifier: MIT
//! The lines that lead the DAW. Each is a command and prints `ok` or `FAIL` with
//! itself; the last line printed counts them. A line may begin with the versions
//! that it is for, as `4+ latency 64`, `6- change-ref 1 /x` or `3 request 9
//! refused`.
use crate::daw::{Daw, Done, Wait};
use crate::{blocks, requests};
use maolan::VERSION;

/// After so many failures the rest is not worth its waiting.
const ENOUGH: usize = 3;

pub fn run() -> i32 {
    let (mut good, mut bad) = (0, 0);
    let mut script = Script { daw: None, lost: 0 };
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let Some(command) = for_this_version(line.trim()) else {
            continue;
        };
        match script.execute(command) {
            Ok(()) => {
                good += 1;
                println!("ok {command}");
            }
            Err(why) => {
                bad += 1;
                println!("FAIL {command}: {why}");
                if script.daw.is_none() || bad == ENOUGH {
                    break;
                }
            }
        }
    }
    println!("{good} good, {bad} bad, {} asked again", script.lost);
    i32::from(bad > 0 || good == 0)
}

/// The command in the line, if it is for this version.
fn for_this_version(line: &str) -> Option<&str> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let number = first.trim_end_matches(['+', '-']);
    let (later, earlier) = (first.ends_with('+'), first.ends_with('-'));
    match number.parse::<u32>() {
        Err(_) => Some(line),
        Ok(number) if VERSION == number => Some(rest),
        Ok(number) if later && VERSION > number => Some(rest),
        Ok(number) if earlier && VERSION < number => Some(rest),
        Ok(_) => None,
    }
}

struct Script {
    daw: Option<Daw>,
    lost: usize, // requests that had to be asked again
}

/// The words of a command, as numbers.
pub struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    pub fn text(&self, at: usize) -> Result<&'a str, String> {
        self.0.get(at).copied().ok_or("a word is missing".into())
    }

    pub fn number<T: std::str::FromStr>(&self, at: usize) -> Result<T, String> {
        let word = self.text(at)?;
        word.parse()
            .map_err(|_| format!("{word} is no such number"))
    }

    pub fn or<T: std::str::FromStr>(&self, at: usize, otherwise: T) -> T {
        self.number(at).unwrap_or(otherwise)
    }

    /// All from here on, as text with spaces.
    pub fn rest(&self, at: usize) -> String {
        self.0.get(at..).unwrap_or_default().join(" ")
    }
}

pub fn equal<T: PartialEq + std::fmt::Debug>(is: T, wanted: T) -> Done {
    if is == wanted {
        return Ok(());
    }
    Err(format!("{is:?}, not {wanted:?}"))
}

impl Script {
    fn execute(&mut self, command: &str) -> Done {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let words = Words(rest.split_whitespace().collect());
        if verb == "start" {
            self.daw = None;
            let more = words.0.get(3..).unwrap_or_default();
            let (program, format) = (words.text(0)?, words.text(1)?);
            let spec = words.text(2)?;
            self.daw = Some(Daw::start(program, format, spec, more)?);
            return Ok(());
        }
        let daw = self.daw.as_mut().ok_or("nothing is started")?;
        match verb {
            "wait" => daw.wait = Wait::of(words.text(0)?)?,
            "one-byte" => daw.one_byte = words.number::<u32>(0)? != 0,
            "shape" => {
                daw.frames = words.number(0)?;
                daw.ins = words.number(1)?;
                daw.outs = words.number(2)?;
                daw.shape();
            }
            "block" => (0..words.or(0, 1)).try_for_each(|_| daw.block())?,
            "settle" => daw.settle()?,
            "quit" => {
                let code = daw.stop()?;
                self.lost += daw.lost;
                self.daw = None;
                equal(code, words.number(0)?)?;
            }
            _ => {
                let done = blocks::execute(daw, verb, &words);
                let ask = || requests::execute(daw, verb, &words);
                return done.unwrap_or_else(ask);
            }
        }
        Ok(())
    }
}
