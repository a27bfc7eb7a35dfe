# bench.sh - the comparison of `make bench`, with sides that answer what they are told to: the pairs, the tables, and what is
# missing. No figure of a real peer is looked at.

# fake NAME SCRIPT: a side of the comparison
fake() {
	printf '#!/bin/sh\n%s\n' "$2" > "$T/$1"
	chmod +x "$T/$1"
}
# ours NAME LIVE FILE: one of our models, whose floor is half of FILE
ours() {
	fake "$1" "printf 'version\t$1 1.0\nrow\tlive\tlive\nrow\tfile\ta file\nrow\tfile-floor\tits floor\nready\n'
		while read row; do case \$row in live) echo $2 ;; file) echo $3 ;; file-floor) echo $3 | awk '{print \$1 / 2}' ;; esac; done"
}
compare() { python3 bench/compare.py --rounds 3 "$@" > "$T/out" 2> "$T/err"; }
says() { grep -qF -e "$1" "$T/out" || { cat "$T/out" "$T/err"; fail "not there: $1"; }; }

test_every_row_is_paired_with_each_of_ours() {
	need python3
	ours small 0.001 0.0004
	ours large 0.002 0.001
	# the first answer is left out; the rest are 5, 6 and 7 times the small one
	fake peer "printf 'version\tPeer 2\nnote\tas it comes\nrow\tlive-x\tone word\nrow\tfile-x\tone file\nready\n'
		n=3; while read row; do case \$row in live-x) n=\$((n + 1)); echo 0.00\$n ;; file-x) echo 0.002 ;; esac; done"
	compare --ours "small=$T/small" --ours "large=$T/large" --peer "peer=$T/peer" || fail "$(cat "$T/err")"
	says '| peer: one word | 6000 (5500 to 6500) | 6.00 (5.50 to 6.50) | 3.00 (2.75 to 3.25) |'
	says '| peer: one file | 2000 (2000 to 2000) | 5.00 (5.00 to 5.00) | 2.00 (2.00 to 2.00) |'
	says '| large: live | 2000 (2000 to 2000) | 2.00 (2.00 to 2.00) | 1.00 (1.00 to 1.00) |'
	says '| small | 2500 (2500 to 2500) | 2.00 (2.00 to 2.00) |'
	says '- peer: Peer 2'
	says '  - as it comes'
}

test_the_document_keeps_its_prose() {
	need python3
	ours small 0.001 0.0004
	printf 'before\n<!-- made by `make bench` -->\nold\n<!-- to here -->\nafter\n' > "$T/doc"
	compare --ours "small=$T/small" --write "$T/doc" || fail "$(cat "$T/err")"
	sed -n '1,2p; $p' "$T/doc" | tr '\n' '|' | grep -qF 'before|<!-- made by `make bench` -->|after|' || fail "$(cat "$T/doc")"
	grep -q '^old$' "$T/doc" && fail "the old table is still there"
	grep -qF '| small: live | 1000 (1000 to 1000) |' "$T/doc" || fail "$(cat "$T/doc")"
	sed 3d "$T/doc" > "$T/kept" # the machine and its load
	compare --ours "small=$T/small" --write "$T/doc" || fail "$(cat "$T/err")"
	sed 3d "$T/doc" | cmp - "$T/kept" || fail "twice is not as once"
	echo nothing > "$T/doc"
	compare --ours "small=$T/small" --write "$T/doc" && fail "a document without a place was written"
	grep -q "$T/doc: want one" "$T/err" || fail "$(cat "$T/err")"
	[ "$(cat "$T/doc")" = nothing ] || fail "$(cat "$T/doc")"
}

test_what_is_missing_is_a_line() {
	need python3
	ours small 0.001 0.0004
	fake absent "printf 'missing\tno such module\n'"
	fake broken "exit 3"
	printf '<!-- made by `make bench` -->\n<!-- to here -->\n' > "$T/doc"
	compare --ours "small=$T/small" --peer "absent=$T/absent" --peer "none=$T/none" --peer "broken=$T/broken" --write "$T/doc" ||
		fail "$(cat "$T/err")"
	says '- absent: not here: no such module'
	says "- none: not here: $T/none: No such file or directory"
	says '- broken: not here: it ended with status 3'
	says "$T/doc is left as it is: not here: absent, none, broken"
	[ "$(wc -l < "$T/doc")" = 2 ] || fail "$(cat "$T/doc")"
	fake stops "printf 'version\tS\nrow\tlive\tl\nready\n'; read row; echo 0.001; exit 4"
	compare --ours "small=$T/small" --peer "stops=$T/stops" && fail "a peer that ends was measured"
	grep -q "no answer to 'live'; it ended with status 4" "$T/err" || fail "$(cat "$T/err")"
	compare --ours "small=$T/none" && fail "without our own side"
	return 0
}

test_our_side_measures_each_row() {
	need python3
	"$B/bench_ours" "$MODEL" "$T" "$AUDIO" 2 || fail "bench_ours"
	[ "$(stat -c %s "$T/audio.raw")" = 64000 ] || fail "2 s of audio: $(stat -c %s "$T/audio.raw")"
	[ "$(stat -c %s "$T/features.f32")" = 32000 ] || fail "200 frames of 40 bands: $(stat -c %s "$T/features.f32")"
	[ "$(stat -c %s "$T/probabilities.f32")" = 2400 ] || fail "50 frames of 12: $(stat -c %s "$T/probabilities.f32")"
	compare --ours "m=$B/bench_ours $MODEL $T" || fail "$(cat "$T/err")"
	[ "$(grep -c '^| m: ' "$T/out")" = 4 ] || fail "$(cat "$T/out")"
	grep -q '^| m | [1-9][0-9]* (' "$T/out" || fail "$(cat "$T/out")"
}
