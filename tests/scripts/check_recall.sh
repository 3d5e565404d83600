# SPDX-License-Identifier: MIT
# Wiring that survives any start order: four devices of one name and four hosts,
# two of them Pds with a saved patch, are started in random orders, and two of
# them killed and started again. By their tags the same ones must find each
# other each time, whatever numbers they got. The first session makes the tags:
# its devices remember what their hosts said, and are restarted with that.
#   SEED=n sh tests/scripts/check_recall.sh      the orders of that run again
# shows DL-27 DL-22
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

SHMLINK=$root/shmlink
PD=${PD:-$(command -v pd || command -v puredata)}
[ -n "$PD" ] || { echo "there is no Pd"; exit 77; }
orders=10
[ -z "${SHL_SOAK:-}" ] || orders=200
seed=${SEED:-$$}
work=$(mktemp -d)
SHMLINK_REGISTRY=e$$
export SHMLINK_REGISTRY
programs="d1 d2 d3 d4 h1 h2 h3 h4"

pid_of() { eval "echo \${pid_$1:-}"; }

kill_program() { # name signal
    k_pid=$(pid_of "$1")
    [ -n "$k_pid" ] || return
    kill "-$2" "$k_pid" 2>/dev/null
    wait "$k_pid" 2>/dev/null
    eval "pid_$1="
}

kill_all() {
    for program in $programs; do
        kill_program "$program" "$1"
    done
}

tidy() {
    kill_all TERM
    "$SHMLINK" clean >/dev/null 2>&1
    rm -rf "$work" "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
}
trap tidy EXIT
trap 'exit 130' INT TERM

for n in 3 4; do
    cat >"$work/h$n.pd" <<PATCH
#N canvas 0 0 300 200 12;
#X obj 20 60 shmlink~ 0 1;
#A tag tag-$n;
#A open Synth;
#X obj 20 20 loadbang;
#X msg 20 40 \; pd dsp 1;
#X connect 1 0 2 0;
PATCH
done

# What a device remembers from its last life: a file of its own.
remembered() { # name
    [ ! -s "$work/$1.tag" ] || printf '%s' "--tag $(cat "$work/$1.tag")"
}

start_program() { # name
    case $1 in
    d*) # shellcheck disable=SC2046
        "$SHMLINK" device -q --id Synth --channels 1 --vendor "$1" \
            $(remembered "$1") >"$work/$1.log" 2>&1 </dev/null & ;;
    h[12]) "$SHMLINK" host -q --id Synth --tag "tag-${1#h}" --wait 60 \
        >"$work/$1.log" 2>&1 </dev/null & ;;
    *) "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/$1.pd" \
        >"$work/$1.log" 2>&1 </dev/null & ;;
    esac
    eval "pid_$1=$!"
}

shuffled() { # seed words: the words in an order that the seed decides
    s_seed=$1
    shift
    echo "$@" | awk -v seed="$s_seed" '{
        srand(seed)
        for (i = NF; i > 1; i--) {
            j = 1 + int(rand() * i)
            t = $i; $i = $j; $j = t
        }
        print
    }'
}

# d1=h2 ...: each device and the program whose claim it shows, by pid.
wiring() {
    "$SHMLINK" list --json 2>/dev/null | sed -n 's/.*"vendor": "\(d[0-9]\)".*"state": "busy".*"host_pid": \([0-9]*\),.*/\1 \2/p' |
        sort | while read -r w_device w_pid; do
        for w_host in h1 h2 h3 h4; do
            [ "$(pid_of $w_host)" != "$w_pid" ] || echo "$w_device=$w_host"
        done
    done | paste -sd' '
}

until_wired() { # wiring: within 20 s; what there was in $seen
    u_tries=8000
    seen=$(wiring)
    until [ "$seen" = "$1" ]; do
        u_tries=$((u_tries - 1))
        [ $u_tries -gt 0 ] || return 1
        sleep 0.05
        seen=$(wiring)
    done
}

until_whole() { # all four linked, to whomever
    u_tries=8000
    until seen=$(wiring) && [ "$(echo "$seen" | wc -w)" -eq 4 ]; do
        u_tries=$((u_tries - 1))
        [ $u_tries -gt 0 ] || return 1
        sleep 0.05
    done
}

# ---- the first session: nobody remembers anything ------------------------------

# The hosts come one after the other, in an order that is none of the devices'.
for program in $(shuffled "$seed" d1 d2 d3 d4) $(shuffled "$((seed + 1))" h1 h2 h3 h4); do
    start_program "$program"
    sleep 0.1
done
if until_whole; then
    wanted=$seen
    pass "first session: $wanted (SEED=$seed)"
else
    fail "first session (SEED=$seed): only $seen"
    exit 1
fi

# Half of the hosts end in good order, half are killed: the tags stay.
for program in h1 h3; do kill_program $program TERM; done
for program in h2 h4; do kill_program $program KILL; done
kept=$(until_tags=$("$SHMLINK" list --json | sed -n 's/.*"vendor": "\(d[0-9]\)".*"tag": "tag-\([0-9]\)".*/\1=h\2/p' | sort | paste -sd' ')
    echo "$until_tags")
if [ "$kept" = "$wanted" ]; then
    pass "the devices remember their hosts, ended and killed"
else
    fail "the devices remember $kept, not $wanted"
fi
for pair in $kept; do
    echo "tag-${pair#*=h}" >"$work/${pair%=*}.tag"
done
kill_all KILL

# ---- orders --------------------------------------------------------------------

order=0 good=0
while [ "$order" -lt "$orders" ]; do
    order=$((order + 1))
    words=$(shuffled $((seed + 10 * order)) $programs)
    for program in $words; do
        start_program "$program"
        sleep "0.0$(((seed + order + ${program#?}) % 10))"
    done
    if ! until_wired "$wanted"; then
        fail "order $order (SEED=$seed), $words: $seen, not $wanted"
        kill_all KILL
        continue
    fi
    # two of them once more, one killed and one ended
    set -- $(shuffled $((seed + 10 * order + 5)) $programs)
    kill_program "$1" KILL
    kill_program "$2" TERM
    start_program "$2"
    start_program "$1"
    if until_wired "$wanted"; then
        good=$((good + 1))
    else
        fail "order $order (SEED=$seed), again $2 $1: $seen, not $wanted"
    fi
    kill_all KILL
done
if [ "$good" -eq "$orders" ]; then
    pass "$good random start orders of 8 programs end in the same wiring"
fi
tally_end
