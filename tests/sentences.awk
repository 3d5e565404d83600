# SPDX-License-Identifier: MIT
# The sentences that the externals print, from their sources: each format of three
# spaces or more that is given to one of the calls below, once, with … for a value.
#   awk -f sentences.awk src/pd/*.c src/pd/*/*.c
FNR == 1 && NR > 1 {
    look()
    text = ""
}
!/^#/ { text = text $0 "\n" }
END { look() }

function look(    call, body, sentence, rest) {
    while (match(text, "/\\*([^*]|\\*+[^*/])*\\*+/"))
        text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
    while (match(text, "(^|[^a-z_])(replies_complain|replies_error|replies_note|replies_fail|request_fail|refuse|notices_closed|snprintf)\\(")) {
        text = substr(text, RSTART + RLENGTH)
        call = index(text, ");\n")
        body = call ? substr(text, 1, call - 1) : text
        while (match(body, STRING "([ \n]*" STRING ")*")) {
            sentence = substr(body, RSTART, RLENGTH)
            body = substr(body, RSTART + RLENGTH)
            say(sentence)
        }
    }
}

function say(sentence) {
    gsub("\"[ \n]*\"", "", sentence)
    sentence = substr(sentence, 2, length(sentence) - 2)
    gsub("%[-+.0-9l]*[a-z]", "…", sentence)
    gsub(/\\\\/, "\\", sentence)
    if (gsub(" ", " ", sentence) >= 3 && sentence !~ /^[,;]/ && !(sentence in said)) {
        said[sentence] = 1
        print sentence
    }
}

BEGIN { STRING = "\"([^\"\\\\\n]|\\\\.)*\"" }
