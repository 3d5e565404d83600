# SPDX-License-Identifier: MIT
# docs/messages.tsv to a patch that sends a box its examples, each between two marks:
#   box      host, device or shmreg
#   text     what stands in the box, and outlet, the number of its last one
#   peer     a second box, to which the examples of events go
#   first    what the peer, or else the box, hears before all
#   events   only those
#   stays    the patch does not end Pd
#   wrong    each message with words that it does not take, instead of its example
BEGIN { FS = "\t" }
function object(line) { print line ";"; return count++ }
function wire(from, outlet, to) { wires = wires "#X connect " from " " outlet " " to " 0;\n" }
# What comes next is so much later.
function at(ms,    d) {
    d = object("#X obj 10 10 delay " ms)
    wire(before, 0, d)
    before = d
}
function send(target, words,    m) {
    gsub(/,/, " \\,", words)
    m = object("#X msg 10 10 " words)
    wire(before, 0, m)
    wire(m, 0, target)
}
function example(target, words, ms) {
    at(5)
    if (opens != "") {
        send(subject, opens)
        at(5)
    }
    send(mark, $2 " " $3)
    send(target, words)
    at(ms)
    send(mark, "-")
}
!begun {
    begun = 1
    print "#N canvas 0 0 450 300 12;"
    subject = object("#X obj 10 10 " text)
    before = object("#X obj 10 10 loadbang")
    wire(subject, outlet, object("#X obj 10 10 print reply"))
    mark = object("#X obj 10 10 print mark")
    if (peer != "")
        other = object("#X obj 10 10 " peer)
    # bytes that come are sent back
    bytes = object("#X obj 10 10 route program_data")
    gate = object("#X obj 10 10 spigot")
    back = object("#X obj 10 10 list prepend program_data_set")
    trim = object("#X obj 10 10 list trim")
    wire(subject, outlet, bytes)
    wire(bytes, 0, gate)
    wire(gate, 0, back)
    wire(back, 0, trim)
    wire(trim, 0, subject)
    at(50)
    if (first != "")
        send(peer != "" ? other : subject, first)
    wire(before, 0, object("#X msg 10 10 \\; pd dsp 1"))
    at(400)
}
/^#/ || $1 != box { next }
$2 == "group" { opens = events ? "" : $7; next }
$2 == "event" && peer != "" && !settled++ { at(200) }
wrong && $2 == "message" && $3 !~ /^(bang|log|state)$/ {
    example(subject, $3 " bad 7.5 words", 10)
    next
}
wrong { next }
$2 == "message" && $3 == "program_data_set" && !events {
    # the last state goes back, as a message of its own
    at(20)
    open_gate = object("#X msg 10 10 1")
    wire(before, 0, open_gate)
    wires = wires "#X connect " open_gate " 0 " gate " 1;\n"
    example(subject, "program_data_get", 10)
    shut = object("#X msg 10 10 0")
    wire(before, 0, shut)
    wires = wires "#X connect " shut " 0 " gate " 1;\n"
    next
}
$7 == "" { next }
$2 == "message" && !events { example(subject, $7, 10) }
$2 == "event" && peer != "" { opens = ""; example(other, $7, 100) }
END {
    at(50)
    send(mark, "end")
    if (!stays)
        wire(before, 0, object("#X msg 10 10 \\; pd quit"))
    printf "%s", wires
}
