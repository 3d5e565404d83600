#!/bin/sh
# SPDX-License-Identifier: MIT
# In a Pd in which some external has called setlocale(LC_ALL, "") under de_DE,
# where numbers have a comma: what is read and said is the same as before.
. "$here/pd/pd.sh"

command -v localedef >/dev/null && [ -f /usr/share/i18n/locales/de_DE ] ||
    { echo "no locales to make de_DE from (package locales)"; exit 77; }
[ -f /usr/include/pd/m_pd.h ] || { echo "no m_pd.h"; exit 77; }
mkdir "$work/locales"
localedef -i de_DE -f UTF-8 "$work/locales/de_DE.UTF-8" >/dev/null 2>&1 ||
    { echo "localedef cannot make de_DE"; exit 77; }
cat >"$work/setloc.c" <<'END'
#include <locale.h>
#include <stdio.h>
#include <m_pd.h>
static t_class *c;
static void *setloc_new(void)
{
    char text[16];
    setlocale(LC_ALL, "");
    snprintf(text, sizeof text, "%g", 0.5);
    post("setloc: a half is %s", text);
    return pd_new(c);
}
void setloc_setup(void)
{
    c = class_new(gensym("setloc"), (t_newmethod)setloc_new, 0,
                  sizeof(t_object), CLASS_NOINLET, 0);
}
END
cc -shared -fPIC -I/usr/include/pd -o "$work/setloc.pd_linux" \
    "$work/setloc.c" || exit 1
for f in "$root"/shmlink~.linux-*-64.so; do # the name for double precision
    [ ! -f "$f" ] || cc -shared -fPIC -I/usr/include/pd -DPD_FLOATSIZE=64 \
        -o "$work/setloc.${f#*~.}" "$work/setloc.c"
done

start "$SHMLINK" device -q --id Loc:0 --samplerate 44100.5
ready Loc:0
start "$SHMLINK" device -q --id Loc:1
ready Loc:1
ask_patch "$work/a.pd" "shmlink~ Loc:1 0 2" "param_set gain -6.5\\ dB" \
    "param_get gain" "param_set gain 1.25" "midi_bend 1 -1.5" \
    "param_set_text gain -12.25\\ dB" "param_get gain" "program_write a.shl" \
    "program_read a.shl" "param_get gain" print "open Loc:0" why
cp "$work/a.pd" "$work/b.pd"
echo '#X obj 300 20 setloc;' >>"$work/b.pd"
for p in a b; do
    LOCPATH=$work/locales LC_ALL=de_DE.UTF-8 timeout -k 2 500 "$PD" -nogui \
        -batch -nrt -noprefs -nomidi -noaudio -r 48000 -stderr -path "$root" \
        -path "$work" -open "$work/$p.pd" </dev/null >"$work/$p.log" 2>&1
done
grep -q '^setloc: a half is 0,5' "$work/b.log" ||
    { echo "FAIL setlocale changed nothing"; cat "$work/b.log"; exit 1; }
same "the text of a parameter is read" \
    "$(grep -c '^reply: param_state 0 .*-6.5' "$work/b.log")" 1
for p in a b; do # but for what differs each time, and Pd's own floats
    grep -v '^setloc\|^process\|verbose\|^reply: xrun\|^reply: stalled' \
        "$work/$p.log" | sed 's/\([0-9]\),\([0-9]\)/\1.\2/g' >"$work/$p.said"
done
grep '[0-9],[0-9]' "$work/b.log" | grep -v '^setloc\|^reply:' >"$work/commas"
same "no comma in what shmlink says" "$(cat "$work/commas")" ""
same "all else is as without it" "$(diff "$work/a.said" "$work/b.said")" ""
exit "$bad"
