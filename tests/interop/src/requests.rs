// SPDX-License-Identifier: MIT
//! Commands that ask: requests, and what stands in the scratch area.
use crate::daw::{Daw, Done};
use crate::plugin::{AU_MAGIC, AU_OFFSET};
use crate::script::{equal, Words};
use crate::segment::{pattern, read_files};
use maolan::*;
use std::sync::atomic::Ordering::{Acquire, Release};

pub fn execute(daw: &mut Daw, verb: &str, words: &Words) -> Done {
    match verb {
        "name" => {
            let name =
                unsafe { read_plugin_name_from_scratch(daw.segment.base) };
            equal(name.unwrap_or_default(), words.rest(0))
        }
        "counts" => counts(daw, words),
        "window" => window(daw, words),
        "show" => daw.window(true),
        "hide" => daw.window(false),
        "request" => {
            let done = daw.request(words.number(0)?, &[])?;
            equal(done, words.text(1)? == "done")
        }
        "save" => save(daw, words.number(0)?, words.or(1, 0)),
        "restore" => {
            let state = pattern(words.number(0)?, words.or(1, 0));
            equal(daw.request(2, &state)?, true)
        }
        "refs" => refs(daw, words),
        "ref" => file_ref(daw, words),
        #[cfg(not(feature = "resources"))]
        "change-ref" => change_ref(daw, words),
        "resources" => resources(daw, words, false),
        "share" => resources(daw, words, true),
        "au" => au(daw, words),
        "notes" | "params" | "controls" => table(daw, words),
        _ => Err("no such command".to_string()),
    }
}

/// The number that lists the files of a plugin.
const LIST: u32 = if cfg!(feature = "resources") { 7 } else { 6 };

/// `window PARENT [MODE [API]]`: what is stored before the window is shown.
fn window(daw: &mut Daw, words: &Words) -> Done {
    let header = daw.segment.header();
    header.set_parent_window(words.number(0)?);
    #[cfg(feature = "ports")]
    header.set_gui_mode(GuiMode::from_u32(words.or(1, 0)));
    #[cfg(feature = "parent-api")]
    header.set_gui_parent_api(GuiParentApi::from_u32(words.or(2, 0)));
    Ok(())
}

/// `counts IN OUT MIDI-IN MIDI-OUT`, or `counts none`
fn counts(daw: &mut Daw, words: &Words) -> Done {
    let read = unsafe { read_port_counts_from_scratch(daw.segment.base) };
    if words.text(0)? == "none" {
        return equal(read, None);
    }
    let wanted = (
        words.number(0)?,
        words.number(1)?,
        words.number(2)?,
        words.number(3)?,
    );
    equal(read, Some(wanted))
}

fn scratch(daw: &Daw) -> Result<&'static [u8], String> {
    let size = daw.segment.header().scratch_size.load(Acquire) as usize;
    let scratch = daw.segment.scratch();
    scratch.get(..size).ok_or(format!("{size} bytes"))
}

/// `save SIZE [SEED]`
fn save(daw: &mut Daw, size: usize, seed: usize) -> Done {
    equal(daw.request(1, &[])?, true)?;
    let state = scratch(daw)?;
    equal(state.len(), size)?;
    match state == pattern(size, seed) {
        true => Ok(()),
        false => Err("other bytes".to_string()),
    }
}

/// `refs COUNT STEP TEXT`: entry i has the index i * STEP; its text has i in the
/// place of % and with four digits in the place of @.
fn refs(daw: &mut Daw, words: &Words) -> Done {
    equal(daw.request(LIST, &[])?, true)?;
    let list = read_refs(daw)?;
    equal(list.len(), words.number(0)?)?;
    let (step, text): (u32, _) = (words.or(1, 1), words.rest(2));
    for (i, entry) in (0_u32..).zip(list) {
        equal(
            entry,
            (
                i * step,
                text.replace('%', &i.to_string())
                    .replace('@', &format!("{i:04}")),
            ),
        )?;
    }
    Ok(())
}

fn read_refs(daw: &Daw) -> Result<Vec<(u32, String)>, String> {
    let read = unsafe { read_files(daw.segment.base) };
    read.ok_or("no list".to_string())
}

/// `ref INDEX TEXT`: one of them.
fn file_ref(daw: &mut Daw, words: &Words) -> Done {
    equal(daw.request(LIST, &[])?, true)?;
    let (index, wanted) = (words.number(0)?, words.rest(1));
    match read_refs(daw)?.into_iter().find(|entry| entry.0 == index) {
        Some((_, text)) => equal(text, wanted),
        None => Err("not in the list".to_string()),
    }
}

/// `change-ref INDEX TEXT`
#[cfg(not(feature = "resources"))]
fn change_ref(daw: &mut Daw, words: &Words) -> Done {
    let (index, text) = (words.number(0)?, words.rest(1));
    let base = daw.segment.base;
    unsafe { write_file_reference_update_to_scratch(base, index, &text) }?;
    let bytes = daw.segment.scratch()[..12 + text.len()].to_vec();
    equal(daw.request(7, &bytes)?, true)
}

/// `resources PATH`, `share PATH`
fn resources(daw: &mut Daw, words: &Words, shared: bool) -> Done {
    let (base, text) = (daw.segment.base, words.rest(0));
    #[cfg(feature = "resources")]
    unsafe { write_resource_directory_to_scratch(base, &text, shared) }?;
    #[cfg(not(feature = "resources"))]
    unsafe { write_resource_directory_to_scratch(base, &text) }?;
    let size = 12 + text.len();
    let mut bytes = daw.segment.scratch()[..size].to_vec();
    if !cfg!(feature = "resources") {
        bytes.truncate(if shared { size } else { size - 4 });
    }
    daw.segment.header().scratch_size.store(0, Release);
    equal(daw.request(5, &bytes)?, true)
}

/// `au ROW;ROW;...` with id, name, least, most and first of each.
fn au(daw: &mut Daw, words: &Words) -> Done {
    equal(daw.request(13, &[])?, true)?;
    let bytes = &daw.segment.scratch()[AU_OFFSET..];
    let rows = read_au(bytes).ok_or("no such table")?.join(";");
    let wanted = words.rest(0);
    match wanted.strip_suffix(";...") {
        Some(first) if rows.starts_with(first) => Ok(()),
        _ => equal(rows, wanted),
    }
}

fn read_au(bytes: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader { bytes };
    if reader.word()? != AU_MAGIC {
        return None;
    }
    let mut rows = Vec::new();
    for index in 0..reader.word()? {
        let [number, _, _, id] = [(); 4].map(|()| reader.word());
        if number? != index {
            return None;
        }
        let [least, most, first] = [(); 3].map(|()| reader.float());
        reader.word()?;
        let name = reader.text()?;
        rows.push(format!("{},{name},{},{},{}", id?, least?, most?, first?));
    }
    Some(rows)
}

/// `params NUMBER ROW;ROW;...` with the fields of a row joined by commas. A row
/// is what the request of this number has; `...` at the end: and others.
fn table(daw: &mut Daw, words: &Words) -> Done {
    let number = words.number(0)?;
    equal(daw.request(number, &[])?, true)?;
    let rows = read_table(number, scratch(daw)?).ok_or("cut short")?;
    let wanted = words.rest(1);
    match wanted.strip_suffix(";...") {
        Some(first) if rows.join(";").starts_with(first) => Ok(()),
        Some(_) => equal(rows.join(";"), wanted),
        None => equal(rows.join(";"), wanted),
    }
}

fn read_table(number: u32, bytes: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader { bytes };
    let count = reader.word()?;
    let mut rows = Vec::new();
    for _ in 0..count {
        let mut row = vec![reader.word()?.to_string(), reader.text()?];
        if number == REQUEST_PARAMETERS {
            row.push(reader.text()?);
        }
        for _ in 0..3 {
            match number {
                REQUEST_PARAMETERS => row.push(reader.double()?.to_string()),
                REQUEST_CONTROLS => row.push(reader.float()?.to_string()),
                _ => (),
            }
        }
        rows.push(row.join(","));
    }
    reader.bytes.is_empty().then_some(rows)
}

// Version 3 has no names for them, and no such requests.
const REQUEST_CONTROLS: u32 = 8;
const REQUEST_PARAMETERS: u32 = 9;

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn float(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes)
    }

    fn double(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let size = self.word()? as usize;
        let text = self.bytes.get(..size)?;
        self.bytes = &self.bytes[size..];
        String::from_utf8(text.to_vec()).ok()
    }
}
