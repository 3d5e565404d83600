# SPDX-License-Identifier: MIT
# The table of the bench: reads "key number ...", one line per key and round;
# a ratio is the median of the ratios of the rounds. "-" stands for a run that
# failed.

{
    k = $1
    first = 2
    if (k == "idle" && $2 != "-") { # its own name comes second
        k = k "-" $2
        first = 3
    }
    n[k]++
    for (i = first; i <= NF; i++)
        value[k, n[k], i - first + 1] = $i
}

function median(list, count,    i, j, t) {
    if (count == 0)
        return "none"
    for (i = 2; i <= count; i++)
        for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
            t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
        }
    return count % 2 ? list[(count + 1) / 2] \
                     : (list[count / 2] + list[count / 2 + 1]) / 2
}

function ran(k, i) {
    return value[k, i, 1] != "" && value[k, i, 1] != "-"
}

function middle(k, column,    i, list, count) {
    for (i = 1; i <= n[k]; i++)
        if (ran(k, i))
            list[++count] = value[k, i, column] + 0
    return median(list, count + 0)
}

# The ratio of two columns, of the rounds in which both ran.
function ratio(a, ca, b, cb,    i, list, count) {
    for (i = 1; i <= n[a]; i++)
        if (ran(a, i) && ran(b, i) && value[b, i, cb] > 0)
            list[++count] = value[a, i, ca] / value[b, i, cb]
    return median(list, count + 0)
}

# What a patch costs beyond the empty one, of one round.
function patch(kind, place, i, column) {
    return value["patch-" kind "-" place, i, column] - \
           value["patch-empty-" place, i, column]
}

function patch_ratio(place, column,    i, list, count) {
    for (i = 1; i <= n["patch-pd-" place]; i++)
        if (ran("patch-pd-" place, i) && ran("patch-shmlink-" place, i) &&
            ran("patch-empty-" place, i) &&
            patch("shmlink", place, i, column) > 0)
            list[++count] = patch("pd", place, i, column) / \
                            patch("shmlink", place, i, column)
    return median(list, count + 0)
}

function object_ratio(place,    i, list, count) {
    for (i = 1; i <= n["silent-" place]; i++)
        if (ran("patch-shmlink-" place, i) && ran("silent-" place, i) &&
            ran("patch-empty-" place, i))
            list[++count] = patch("shmlink", place, i, 1) / \
                            value["silent-" place, i, 4]
    return median(list, count + 0)
}

function idle_ratio(    i, list, count) {
    for (i = 1; i <= n["raw-idle"]; i++)
        if (ran("raw-idle", i) && ran("idle-wanted", i))
            list[++count] = value["idle-wanted", i, 1] / \
                (value["idle-zero", i, 1] + value["raw-idle", i, 1] / 2)
    return median(list, count + 0)
}

# Blocks that did not come in a round, by drive; the middle of the rounds.
function lost(drive,    i, list, count) {
    for (i = 1; i <= n["own-" drive "-2"]; i++)
        list[++count] = value["own-" drive "-2", i, 8] + \
                        value["own-" drive "-8", i, 8] + \
                        value["own-" drive "-32", i, 8]
    return median(list, count + 0)
}

function time(ns) {
    if (ns == "none")
        return "-"
    return ns < 9999.5 ? sprintf("%.0f ns", ns) : sprintf("%.1f us", ns / 1000)
}

# What a patch costs beyond the empty one; the middle of the rounds.
function beyond(kind, place, column,    all, empty) {
    all = middle("patch-" kind "-" place, column)
    empty = middle("patch-empty-" place, column)
    return all == "none" || empty == "none" ? "none" : all - empty
}

function absolute(text, k) {
    printf "  %-52s %9s %9s %9s\n", text, time(middle(k, 1)), \
        time(middle(k, 2)), time(middle(k, 3))
}

# sense: "<=" or ">="; unit: what stands behind the figures; why: what stands in
# the way where the goal is missed.
function goal(id, text, figure, sense, wanted, unit, why,    met) {
    if (figure == "none") {
        printf "  %-4s %-52s %9s  %s %g%s\n", id, text, "-", sense, wanted, unit
        return
    }
    met = sense == "<=" ? figure <= wanted : figure >= wanted
    printf "  %-4s %-52s %8.4g%s  %s %g%s  %s\n", id, text, figure, \
        unit == "" ? " " : unit, sense, wanted, unit, met ? "met" : "not met"
    asked++
    reached += met
    if (!met)
        missed = missed "  " id "  " text ":\n" fold(why)
}

# Words in lines of 76, behind a margin.
function fold(text,    i, count, word, line, lines) {
    count = split(text, word, " ")
    line = "     "
    for (i = 1; i <= count; i++) {
        if (length(line) + length(word[i]) > 78) {
            lines = lines line "\n"
            line = "     "
        }
        line = line " " word[i]
    }
    return lines line "\n"
}

END {
    printf "One block of 64 frames, 2 channels and 8 events each way, "
    printf "there and back;\nmedians of %d rounds. ", rounds
    print "Absolute times are this machine's, at this hour.\n"
    printf "  %-52s %9s %9s %9s\n", "", "p50", "p99", "p99.9"
    absolute("floor: one word, two cores, looking", "raw-two")
    absolute("floor: one word, two cores, asleep", "futex-asleep")
    absolute("floor: one word, one core", "futex-one")
    absolute("floor: the block in one contiguous run, two cores", "tight-64x2")
    absolute("lockstep, two cores, device awake", "lock-64x2")
    absolute("lockstep, two cores, device awake, no events", "silent-two")
    absolute("lockstep, two cores, device asleep", "lock-asleep")
    absolute("lockstep, one core", "lock-one")
    absolute("lockstep, one core, SCHED_FIFO", "lock-fifo")
    absolute("pipelined, the host's own time, device awake", "pipe-awake")
    absolute("pipelined, the same at 1.333 ms per block", "pipe-paced")

    print "\nA plugin program that passes 64 frames of 2 channels on\n"
    printf "  %-52s %9s %9s %9s\n", "", "p50", "p99", "p99.9"
    absolute("shmplug, woken by a doorbell word, two cores", \
        "plug-doorbell-two")
    absolute("shmplug, woken by pipes, two cores", "plug-pipes-two")
    absolute("shmplug, woken by a doorbell word, one core", \
        "plug-doorbell-one")
    absolute("shmplug, woken by pipes, one core", "plug-pipes-one")

    print "\nPd's cost per block, beyond the same patch with nothing in it\n"
    printf "  %-52s %9s %9s\n", "", "wall", "CPU"
    for (p = 1; p <= 2; p++) {
        place = p == 1 ? "two" : "one"
        cores = p == 1 ? "two cores" : "one core"
        printf "  %-52s %9s %9s\n", "[shmlink~], " cores, \
            time(beyond("shmlink", place, 1)), \
            time(beyond("shmlink", place, 2))
        printf "  %-52s %9s %9s\n", "[pd~] -fifo 1, " cores, \
            time(beyond("pd", place, 1)), time(beyond("pd", place, 2))
    }

    print "\nAt 1.333 ms per block: the host's own time, by drive\n"
    printf "  %-52s %9s %9s %9s\n", "", "lockstep", "pipelined", "free"
    for (count = 2; count <= 32; count *= 4)
        printf "  %-52s %9s %9s %9s\n", count " channels each way", \
            time(middle("own-lock-" count, 1)), \
            time(middle("own-pipe-" count, 1)), \
            time(middle("own-free-" count, 1))
    printf "  %-52s %9s %9s %9s\n", "blocks of 1200 that did not come", \
        lost("lock"), lost("pipe"), lost("free")

    print "\nMany links of one host, devices in one thread: per block and link\n"
    printf "  %-52s %9s %9s\n", "", "lockstep", "pipelined"
    for (count = 1; count <= 64; count *= 4)
        printf "  %-52s %9s %9s\n", count (count > 1 ? " links" : " link"), \
            time(middle("many-lock-" count, 1)), \
            time(middle("many-pipe-" count, 1))

    print "\nMany links of one host at 1.333 ms per block, a process for each " \
        "device:\nthe host's own time per tick, all links together\n"
    printf "  %-40s %9s %9s %10s %9s\n", "", "lockstep", "pipelined", \
        "in bursts", "pipelined"
    for (count = 1; count <= 8; count *= 2)
        printf "  %-40s %9s %9s %10s %9s\n", \
            count (count > 1 ? " links" : " link"), \
            time(middle("pace-lock-" count, 1)), \
            time(middle("pace-pipe-" count, 1)), \
            time(middle("burst-lock-" count, 4)), \
            time(middle("burst-pipe-" count, 4))

    checks = "the floor believes everything and counts nothing: the core " \
        "checks each event on both sides, raises frames and keeps the ring " \
        "whole for peers and guests, about 25 ns an event. The nearer the " \
        "processors are at that hour, the more of the whole that is."
    planes = "most of it is the planes' way from one processor to the other, " \
        "which the hour decides; the rest is what T1 names."
    one = "both are two changes of the process on one processor; the events' " \
        "checks and copies come on top of it."
    pd = "these are means, in which one pause of a busy machine weighs as much " \
        "as thousands of blocks; what [pd~] costs is decided by pipes, " \
        "what [shmlink~] costs by the way between the processors."
    tail = "other processes, and the machine's own host, take a processor " \
        "away for longer than a block takes; a quiet machine is what it needs."
    hung = "a machine that is busy has the waits end later."
    object = "Pd's own call of the object, its inlets and clocks are a fixed " \
        "price, beside which a block between near processors is short."
    look = "one part in a hundred is less than the place of the processors " \
        "moves between two runs; a guest reads the lines of its events on a " \
        "processor that the device needs."
    many = "the lines of 64 links, planes and rings beside each other, are " \
        "more than the nearest caches hold; those of one stay."
    live = "each device must get a processor in its turn, and where there are " \
        "fewer than devices that is a change of the process each, about 5 " \
        "us with cold caches; a machine that is busy already wakes one link " \
        "as quickly as eight, so that only the sum is left."
    print "\nGoals (ratios; median of the rounds)\n"
    goal("T1", "2x64 + 8 events, device awake / contiguous floor", \
         ratio("lock-64x2", 1, "tight-64x2", 1), "<=", 1.3, "x", checks)
    goal("T2", "32x64 + 8 events / contiguous floor", \
         ratio("lock-64x32", 1, "tight-64x32", 1), "<=", 1.15, "x", planes)
    goal("T2", "32x512 + 8 events / contiguous floor", \
         ratio("lock-512x32", 1, "tight-512x32", 1), "<=", 1.03, "x", planes)
    goal("T3", "one core, blocking (SCHED_FIFO) / futex floor", \
         ratio("lock-fifo", 1, "futex-fifo", 1), "<=", 1.1, "x", one)
    goal("T3", "the same, CPU of both", \
         ratio("lock-fifo", 5, "futex-fifo", 5), "<=", 1.1, "x", one)
    goal("T4", "one core, yielding / futex floor", \
         ratio("lock-one", 1, "futex-one", 1), "<=", 0.75, "x", one)
    goal("T5", "two cores, device asleep / futex floor", \
         ratio("lock-asleep", 1, "futex-asleep", 1), "<=", 1.05, "x", \
         "both are one wake-up each way; what a virtual machine takes for it " \
         "differs by more than the rest of the block.")
    goal("T6", "pipelined, own time, device awake / one word", \
         ratio("pipe-awake", 1, "raw-two", 1), "<=", 1, "x", \
         "the events are checked and copied in the host's own time; the word " \
         "of the floor carries nothing. A device that was taken off its " \
         "processor has to be woken now and then.")
    goal("T6", "the same at 1.333 ms per block", \
         ratio("pipe-paced", 1, "raw-paced", 1), "<=", 2, "x", \
         "at a real pace the device sleeps, and the system call that wakes " \
         "it is most of what the host spends; a device that keeps awake " \
         "would take a processor for itself.")
    goal("T6", "system calls per block, device awake", \
         middle("pipe-awake", 6), "<=", 0.01, "", \
         "a device that was taken off its processor has to be woken.")
    goal("T7", "[pd~] / [shmlink~], wall, two cores", \
         patch_ratio("two", 1), ">=", 100, "x", pd)
    goal("T7", "[pd~] / [shmlink~], CPU, two cores", \
         patch_ratio("two", 2), ">=", 30, "x", pd)
    goal("T7", "[pd~] / [shmlink~], wall, one core", \
         patch_ratio("one", 1), ">=", 3, "x", pd)
    goal("T7", "[pd~] / [shmlink~], CPU, one core", \
         patch_ratio("one", 2), ">=", 2.7, "x", pd)
    goal("T7", "latency of [shmlink~] in blocks ([pd~]: " \
         middle("patch-pd-two", 3) + 0 ")", \
         middle("patch-shmlink-two", 3) + 0, "<=", 0, "", \
         "a fault: lockstep has no latency.")
    goal("T11", "p99 / p50, device awake", \
         ratio("lock-64x2", 2, "lock-64x2", 1), "<=", 1.5, "x", tail)
    goal("T11", "p99.9 / p50, device awake", \
         ratio("lock-64x2", 3, "lock-64x2", 1), "<=", 3, "x", tail)
    goal("T12", "page faults in the audio paths, all rounds", \
         middle("lock-64x2", 7), "<=", 0, "", "a fault: see check_realtime.")
    goal("T12", "allocations and locks in perform (watched)", \
         middle("watch", 1), "<=", 0, "", "a fault: see check_realtime.")
    goal("T12", "no device / (zero fill + half of one word)", \
         idle_ratio(), "<=", 1, "x", \
         "where the processors are near, half of one word is shorter than " \
         "the looks at the wish, the transport and the bypass.")
    goal("T13", "blocks that waited for a hung device", \
         middle("idle-hung", 2), "<=", 3, "", hung)
    goal("T13", "then, per block / no device", \
         ratio("idle-hung", 1, "idle-wanted", 1), "<=", 2, "x", hung)
    goal("T13", "blocks that waited for a dead device", \
         middle("idle-dead", 2), "<=", 3, "", hung)
    goal("T13", "then, per block / no device", \
         ratio("idle-dead", 1, "idle-wanted", 1), "<=", 2, "x", hung)
    goal("T14", "[shmlink~] in Pd / the core's cycle, two cores", \
         object_ratio("two"), "<=", 1.3, "x", object)
    goal("T14", "[shmlink~] in Pd / the core's cycle, one core", \
         object_ratio("one"), "<=", 1.3, "x", object)
    goal("T15", "an empty monitor / none, p50", \
         ratio("look-monitor", 1, "alone-monitor", 1), "<=", 1.01, "x", look)
    goal("T15", "a guest that looks on / none, p50", \
         ratio("look-guest", 1, "alone-guest", 1), "<=", 1.01, "x", look)
    goal("T16", "64 links / 1 link, per block and link, lockstep", \
         ratio("many-lock-64", 1, "many-lock-1", 1), "<=", 1.1, "x", many)
    goal("T16", "the same, pipelined", \
         ratio("many-pipe-64", 1, "many-pipe-1", 1), "<=", 1.1, "x", many)
    goal("T17", "8 links / 1 link at a real pace, lockstep", \
         ratio("pace-lock-8", 1, "pace-lock-1", 1), "<=", 5, "x", live)
    goal("T17", "the same, pipelined", \
         ratio("pace-pipe-8", 1, "pace-pipe-1", 1), "<=", 4, "x", \
         "the host waits for nobody; it makes one system call to wake each " \
         "device, about 3 us on a virtual machine, and one link makes one.")
    goal("T17", "in bursts of 15 blocks, lockstep / 1 link at its pace", \
         ratio("burst-lock-8", 4, "pace-lock-1", 1), "<=", 5, "x", live)
    goal("T17", "the same, pipelined", \
         ratio("burst-pipe-8", 4, "pace-pipe-1", 1), "<=", 4, "x", \
         "one system call for each device that has fallen asleep in between.")
    printf "\n%d of %d goals met.\n", reached, asked
    if (missed != "")
        print "\nNot met, because\n" missed
    else
        print ""
    print "T13: a goal of one wait was given up: a link stalls after three, " \
        "so that one late\nblock is no stall."
}
