#!/bin/sh
# SPDX-License-Identifier: MIT
# A host that renders stops in the middle, holding its claim: the follower does
# not go on alone, but answers on its socket, and can even be closed while it
# waits; the host is told.
. "$here/pd/pd.sh"

command -v pdsend >/dev/null || { echo "no pdsend"; exit 77; }
log=$work/device
port=$((20000 + $$ % 20000))
start "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$here/pd/slave-held.pd" \
    -open "$here/pd/slave-control.pd" -send "slave-port $port" >>"$log" 2>&1
ready Held:0
"$PD" -nogui -nrt -noprefs -nomidi -noaudio -batch -r 48000 -stderr \
    -path "$root" -open "$here/pd/with-slave-held.pd" </dev/null \
    >"$work/host" 2>&1 &
host=$!
started="$started $host"
until_line "$log" "dev: transport" || bad=1
sleep 0.3
kill -STOP "$host"
sleep 0.2

ask() { # word, then what must be there
    echo "$1;" | timeout 100 pdsend "$port" localhost >/dev/null 2>&1
    until_line "$log" "$2" && echo "ok $1" || bad=1
}

ask why "keeps\\ the\\ time"
ask stats "dev: stats_done"
alone=$(sed -n 's/^dev: stats ticks_alone //p' "$log" | tail -1)
sleep 0.5
: >"$log"
ask stats "dev: stats_done"
same "it does not go on alone" \
    "$(sed -n 's/^dev: stats ticks_alone //p' "$log" | tail -1)" "$alone"
echo "del;" | timeout 100 pdsend "$port" localhost >/dev/null 2>&1
left=8000
while "$SHMLINK" list | grep -q 'Held:0' && [ $left -gt 0 ]; do
    left=$((left - 1))
    sleep 0.05
done
same "closed while it waits" "$("$SHMLINK" list | grep -c 'Held:0')" 0
kill -CONT "$host"
until_line "$work/host" "host: gone Held:0" && echo "ok told" || bad=1
kill -9 "$host"
[ "$bad" = 0 ] || cat "$log" "$work/host"
exit "$bad"
