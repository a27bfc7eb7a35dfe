# own_words.sh - a word of one's own: from files and from a microphone, kept, heard, added to, taken out; and what is refused

TAKES=tests/data/takes
OWN=$T/own.safetensors

enrol() { "$KWS" enrol --output "$OWN" "$@" > "$T/out" 2> "$T/err"; }

test_from_files() { # at most 120 s
	enrol computer $TAKES/computer-[1-3].opus || fail "status $?: $(cat "$T/err")"
	grep -q '"computer", from 3 takes' "$T/out" || fail "no report: $(cat "$T/out")"
	[ "$(ls "$T/own.takes/computer")" = "$(printf '001.flac\n002.flac\n003.flac')" ] || fail "takes: $(ls "$T/own.takes/computer")"
	"$KWS" spot -m "$OWN" --format csv $TAKES/computer-5.opus | grep -q ,computer, || fail "not heard"
	"$KWS" spot -m "$OWN" --format csv $TAKES/snowboy-1.opus | grep -q ,computer, && fail "another word was heard as it"
	"$KWS" spot -m "$OWN" --format csv tests/data/demo.flac | grep -q ,yes, || fail "the commands are lost"
	# more takes later, of all of them
	enrol --add computer $TAKES/computer-4.opus || fail "--add: status $?: $(cat "$T/err")"
	grep -q 'from 4 takes' "$T/out" || fail "--add: $(cat "$T/out")"
	[ -f "$T/own.takes/computer/004.flac" ] || fail "--add keeps no take"
	# a second word beside it, only one's own
	cp "$T/own.takes/computer/"*.flac "$T/"
	enrol --forget --only --format jsonl 'hey computer' "$T"/00[1-3].flac || fail "a second: status $?: $(cat "$T/err")"
	grep -q '"word":"hey computer".*"takes":3,.*"close_to":{"computer":0\.[5-9]' "$T/out" || fail "$(cat "$T/out")"
	[ -d "$T/own.takes/hey%20computer" ] && fail "--forget: takes were kept"
	"$KWS" spot -m "$OWN" --format csv tests/data/demo.flac | grep -q ,yes, && fail "--only: yes makes events"
	enrol --list || fail "--list: status $?"
	[ "$(cut -f1 "$T/out")" = "$(printf 'computer\nhey computer')" ] || fail "--list: $(cat "$T/out")"
	enrol --remove computer || fail "--remove: $(cat "$T/err")"
	[ -f "$T/own.takes/computer/004.flac" ] || fail "--remove deletes takes"
	"$KWS" spot -m "$OWN" --format csv $TAKES/computer-5.opus | grep -q 'hey computer' || fail "the other word is lost"
}

test_from_a_microphone() { # at most 120 s
	need sox
	enrol computer $TAKES/computer-[1-3].opus || fail "$(cat "$T/err")" # sox reads the FLAC that is kept of them
	{ head -c 32000 /dev/zero; for i in 1 2 3; do
		sox "$T/own.takes/computer/00$i.flac" -t raw -e signed -b 16 - && head -c 40000 /dev/zero
	done; } > "$T/said.raw"
	rm -f "$OWN"
	enrol --takes 3 -d "raw:$T/said.raw" computer || fail "status $?: $(cat "$T/err")"
	grep -q 'Take 3 of 3: say "computer"' "$T/err" || fail "no prompt: $(cat "$T/err")"
	"$KWS" spot -m "$OWN" --format csv $TAKES/computer-5.opus | grep -q ,computer, || fail "not heard"
	# too little is said
	rm -f "$OWN"
	enrol --takes 5 -d "raw:$T/said.raw" computer && fail "three takes of five: success"
	grep -q '3 good takes of 5' "$T/err" || fail "$(cat "$T/err")"
	[ ! -e "$OWN" ] || fail "something was written"
}

# refused STATUS WORDS ARGUMENT...: with this status and these words, and nothing is written
refused() {
	local status=$1 words=$2
	shift 2
	rm -rf "$OWN" "$T/own.takes"
	enrol "$@"
	local got=$?
	[ $got = "$status" ] || fail "$*: status $got, want $status: $(cat "$T/err")"
	grep -q -F -e "$words" "$T/err" || fail "$*: $(cat "$T/err")"
	[ ! -e "$OWN" ] || fail "$*: something was written"
	[ ! -e "$T/own.takes" ] || fail "$*: takes were kept"
	return 0
}
test_what_is_refused() { # at most 60 s
	need sox
	enrol computer $TAKES/computer-[1-3].opus || fail "$(cat "$T/err")"
	cp "$T/own.takes/computer/001.flac" "$T/one.flac"
	sox -q -n -r 16000 -b 16 "$T/zeros.wav" trim 0 2
	refused 4 "zeros.wav: not used: no speech in it" computer "$T/zeros.wav" $TAKES/computer-[12].opus
	refused 4 "the same recording as another" computer $TAKES/computer-1.opus $TAKES/computer-1.opus $TAKES/computer-2.opus
	sox -q "$T/one.flac" "$T/late.wav" trim 1.7
	refused 4 "late.wav: not used: cut off" computer "$T/late.wav" $TAKES/computer-[12].opus
	refused 4 "computer-1.opus: No such file" computer "$T/computer-1.opus" $TAKES/computer-[12].opus
	refused 2 "'yes' is a word of the model already" yes $TAKES/computer-[1-3].opus
	refused 2 "WORD is missing"
	refused 3 "no base for words of one's own" -m "$MODEL" computer $TAKES/computer-[1-3].opus
	refused 3 "No such file" --add computer $TAKES/computer-[1-3].opus
	refused 3 "No such file" --remove computer
	refused 2 "0.01" --per-hour 0 computer $TAKES/computer-[1-3].opus
	"$KWS" enrol --output "$T/nothing/x.safetensors" computer $TAKES/computer-[1-3].opus > "$T/out" 2> "$T/err"
	[ $? = 1 ] && grep -q "$T/nothing/: No such file" "$T/err" || fail "no folder: $(cat "$T/err")"
	head -c 1000 config/models/own-words.bank > "$T/half.bank"
	"$KWS" enrol --output "$OWN" --bank "$T/half.bank" computer $TAKES/computer-[1-3].opus > "$T/out" 2> "$T/err"
	[ $? = 3 ] && grep -q "half.bank: " "$T/err" || fail "half a bank: $(cat "$T/err")"
}

test_a_full_disk_loses_nothing() { # at most 60 s
	mkdir "$T/mnt"
	mount -t tmpfs -o size=4m none "$T/mnt" 2> /dev/null || skip "nothing can be mounted here"
	OWN=$T/mnt/own.safetensors
	enrol computer $TAKES/computer-[1-3].opus || fail "fits: $(cat "$T/err")"
	local sum; sum=$(sha256sum < "$OWN")
	enrol --add computer $TAKES/computer-[45].opus # 3.4 MB and again 3.4 do not fit
	[ $? = 1 ] || fail "full: success"
	[ "$(ls "$T/mnt")" = "$(printf 'own.safetensors\nown.takes')" ] || fail "files: $(ls "$T/mnt")"
	[ "$sum" = "$(sha256sum < "$OWN")" ] || fail "the old file is gone"
	grep -q "No space left" "$T/err" || fail "$(cat "$T/err")"
}

test_a_bank_of_ones_own() { # at most 120 s
	"$KWS" bank --output "$T/mine.bank" tests/data/demo.flac > "$T/out" 2> "$T/err" && fail "one recording both fits and judges: $(cat "$T/out")"
	# shellcheck disable=SC2046
	"$KWS" bank --output "$T/many.bank" $(yes tests/data/demo.flac | head -n 4097) > "$T/out" 2> "$T/err"
	[ $? = 4 ] && grep -q 'more than 4096 recordings' "$T/err" && [ ! -e "$T/many.bank" ] || fail "4097 recordings: $(cat "$T/err")"
	# of three recordings one judges, however they are named
	mkdir "$T/three"
	cp $TAKES/computer-[1-3].opus "$T/three"
	"$KWS" bank --output "$T/folder.bank" "$T/three" > "$T/out" 2> "$T/err" || fail "a folder: $(cat "$T/err")"
	"$KWS" bank --output "$T/named.bank" "$T/three/"* > "$T/named" 2> "$T/err" || fail "three files: $(cat "$T/err")"
	[ "$(cut -d: -f2 "$T/named")" = "$(cut -d: -f2 "$T/out")" ] || fail "another division: $(cat "$T/named" "$T/out")"
	"$KWS" bank --output "$T/mine.bank" --with config/models/own-words.bank tests/data/demo.flac --judge tests/data/demo.flac --note here > "$T/out" 2> "$T/err" || fail "$(cat "$T/err")"
	grep -q ' h to fit against, 0.[0-9]* h that set thresholds' "$T/out" || fail "$(cat "$T/out")"
	enrol --bank "$T/mine.bank" computer $TAKES/computer-[1-3].opus || fail "$(cat "$T/err")"
	# sounds that degrade takes change the word; a bank without them is good, too
	"$KWS" bank --output "$T/plain.bank" tests/data/demo.flac --judge tests/data/demo.flac > "$T/out" 2> "$T/err" || fail "$(cat "$T/err")"
	"$KWS" bank --output "$T/noisy.bank" tests/data/demo.flac --judge tests/data/demo.flac --noise $TAKES/snowboy-1.opus --speech tests/data/demo.flac > "$T/out" 2> "$T/err" || fail "$(cat "$T/err")"
	for b in plain noisy; do
		rm -f "$OWN"
		enrol --forget --bank "$T/$b.bank" computer $TAKES/computer-[1-3].opus || fail "$b: $(cat "$T/err")"
		mv "$OWN" "$T/$b.safetensors"
	done
	cmp -s "$T/plain.safetensors" "$T/noisy.safetensors" && fail "noise changes nothing"
	"$KWS" bank --output "$T/less.bank" tests/data/demo.flac --judge tests/data/demo.flac --noise "$T/nothing.wav" > "$T/out" 2> "$T/err"
	[ $? = 1 ] && grep -q 'nothing.wav: No such file' "$T/err" || fail "no noise: $(cat "$T/err")"
	"$KWS" bank --output "$T/none.bank" "$T/nothing.wav" > "$T/out" 2> "$T/err"
	[ $? = 1 ] && grep -q 'nothing.wav: No such file' "$T/err" && [ ! -e "$T/none.bank" ] || fail "no recording: $(cat "$T/err")"
	"$KWS" bank --output "$T/none.bank" -m "$MODEL" tests/data/demo.flac > "$T/out" 2> "$T/err"
	[ $? = 3 ] && grep -q 'no embedding' "$T/err" || fail "no base: $(cat "$T/err")"
}

test_a_long_recording_takes_no_more_memory() { # at most 120 s
	need sox
	sox -q -n -r 48000 -b 16 "$T/long.wav" synth 600 pinknoise vol 0.1 # 115 MB of samples
	(ulimit -d 80000; "$KWS" bank --output "$T/long.bank" tests/data/demo.flac --judge "$T/long.wav") > "$T/out" 2> "$T/err" || fail "$(cat "$T/err")"
	grep -q '0.17 h that set thresholds' "$T/out" || fail "$(cat "$T/out")"
}

test_clips_of_kwsd() { # at most 300 s
	need sox
	enrol clips $TAKES/computer-[456].opus || fail "$(cat "$T/err")" # sox reads the FLAC that is kept of them
	enrol computer $TAKES/computer-[1-3].opus || fail "$(cat "$T/err")"
	local stamp=20260301T12000 n
	mkdir "$T/clips"
	for n in 1 2 3; do sox -q "$T/own.takes/clips/00$n.flac" "$T/clips/${stamp}$n.250Z-computer-9$n.wav"; done
	mv "$T/clips/${stamp}3.250Z-computer-93.wav" "$T/clips/${stamp}3.250Z-kitchen-computer-93-near.wav"
	cp "$T/clips/${stamp}1.250Z-computer-91.wav" "$T/clips/${stamp}7.250Z-yes-91.wav" # of another word
	# answers: right, wrong, nothing for the third
	printf 'r\nx\ny\nn\nq\n' | enrol --from-clips "$T/clips" computer || fail "status $?: $(cat "$T/err")"
	grep -q 'clips: 1 right, 1 wrong, 0 missed' "$T/err" || fail "$(cat "$T/err")"
	grep -q 'clip 3 of 3: .*3.250Z-kitchen' "$T/err" || fail "$(cat "$T/err")"
	grep -q 'from 4 takes' "$T/out" || fail "$(cat "$T/out")"
	[ -f "$T/own.takes/computer/${stamp}1.250Z-computer-91.flac" ] || fail "the right one is not kept"
	[ -f "$T/own.takes/computer/wrong/${stamp}2.250Z-computer-92.flac" ] || fail "the wrong one is not kept"
	# only what is not marked yet is asked for; a file of marks answers
	echo "${stamp}1.250Z-computer-91.wav right" > "$T/marks"
	enrol --from-clips "$T/clips" --marks "$T/marks" computer && fail "a clip that is marked already: success"
	grep -q "marks:1: there is no such clip" "$T/err" || fail "$(cat "$T/err")"
	printf '# mine\n%s maybe\n' "${stamp}3.250Z-kitchen-computer-93-near.wav" > "$T/marks"
	enrol --from-clips "$T/clips" --marks "$T/marks" computer && fail "another mark: success"
	grep -q "marks:2: the mark is none of" "$T/err" || fail "$(cat "$T/err")"
	echo "$T/clips/${stamp}3.250Z-kitchen-computer-93-near.wav missed # softly" > "$T/marks"
	enrol --from-clips "$T/clips" --marks "$T/marks" computer || fail "marks: $(cat "$T/err")"
	grep -q 'clips: 0 right, 0 wrong, 1 missed' "$T/err" || fail "$(cat "$T/err")"
	grep -q 'from 5 takes' "$T/out" || fail "$(cat "$T/out")"
	local sum; sum=$(sha256sum < "$OWN")
	enrol --from-clips "$T/clips" computer || fail "all marked: $(cat "$T/err")"
	[ "$sum" = "$(sha256sum < "$OWN")" ] || fail "nothing new, and the file has changed"
	mkdir "$T/none"
	enrol --from-clips "$T/none" computer; [ $? = 4 ] && grep -q 'no clips of "computer"' "$T/err" || fail "$(cat "$T/err")"
	enrol --from-clips "$T/nowhere" computer; [ $? = 1 ] && grep -q 'nowhere: No such file' "$T/err" || fail "$(cat "$T/err")"
	# files by name: a sound that was taken for the word scores lower afterwards
	enrol --add --right $TAKES/computer-4.opus --wrong $TAKES/snowboy-1.opus computer || fail "$(cat "$T/err")"
	enrol --remove --forget computer || fail "$(cat "$T/err")"
	[ ! -e "$T/own.takes/computer" ] || fail "--forget leaves $(ls -R "$T/own.takes")"
}

test_words_go_to_another_base() { # at most 300 s
	enrol --only --per-hour 100 computer $TAKES/computer-[1-3].opus || fail "$(cat "$T/err")"
	enrol --per-hour 5 'hey computer' $TAKES/computer-[456].opus || fail "$(cat "$T/err")"
	local size; size=$(stat -c %s config/models/own-words.safetensors)
	cp config/models/own-words.safetensors "$T/other.safetensors"
	printf '\001' | dd of="$T/other.safetensors" bs=1 seek=$((size - 4)) conv=notrunc 2> /dev/null # another weight, a little
	cmp -s "$T/other.safetensors" config/models/own-words.safetensors && fail "the other base is the same"
	local sum; sum=$(sha256sum < "$OWN")
	enrol --refit -m "$T/other.safetensors" && fail "the bank is of another base: success"
	grep -q 'the bank was made with another base' "$T/err" || fail "$(cat "$T/err")"
	"$KWS" bank -m "$T/other.safetensors" --output "$T/other.bank" tests/data/demo.flac --judge tests/data/demo.flac > "$T/out" 2>&1 || fail "$(cat "$T/out")"
	mv "$T/own.takes/computer" "$T/away"
	enrol --refit -m "$T/other.safetensors" --bank "$T/other.bank" && fail "a word without takes: success"
	grep -q '"computer": no takes in' "$T/err" || fail "$(cat "$T/err")"
	[ "$sum" = "$(sha256sum < "$OWN")" ] || fail "refused, and the file has changed"
	mv "$T/away" "$T/own.takes/computer"
	enrol --refit -m "$T/other.safetensors" --bank "$T/other.bank" --format jsonl || fail "status $?: $(cat "$T/err")"
	[ "$(grep -c '"takes":3,' "$T/out")" = 2 ] || fail "$(cat "$T/out")"
	grep -q '"word":"hey computer".*"wanted_per_hour":5' "$T/out" || fail "$(cat "$T/out")"
	enrol --list && [ "$(cut -f1 "$T/out")" = "$(printf 'computer\nhey computer')" ] || fail "--list: $(cat "$T/out")"
	"$KWS" spot -m "$OWN" --format csv tests/data/demo.flac | grep -q ,yes, && fail "--only is lost"
	"$KWS" spot -m "$OWN" --format csv $TAKES/computer-5.opus | grep -q ,computer, || fail "not heard"
}

test_calibrate() { # at most 120 s
	need sox
	enrol computer $TAKES/computer-[1-3].opus || fail "$(cat "$T/err")"
	mkdir "$T/room"
	cp tests/data/demo.flac tests/data/demo.tsv "$T/room/"
	sox -q "$T/own.takes/computer/001.flac" "$T/room/said.flac"
	printf 'start\tend\tword\n0.3\t2.8\tcomputer\n' > "$T/room/said.tsv"
	"$KWS" calibrate -m "$OWN" --allow-unsupported --lowest 0.2 --write-model "$T/set.safetensors" "$T/room" > "$T/out" 2> "$T/err" || fail "status $?: $(cat "$T/err")"
	local chosen; chosen=$(sed -n 's/^computer = //p' "$T/out")
	[ -n "$chosen" ] || fail "no threshold of the word: $(cat "$T/out")"
	"$KWS" enrol --list --output "$T/set.safetensors" | grep -q "^computer	0*$chosen" || fail "written: $("$KWS" enrol --list --output "$T/set.safetensors"), want $chosen"
	# the file takes further words
	"$KWS" enrol --forget --output "$T/set.safetensors" 'hey computer' $TAKES/computer-[456].opus > "$T/out" 2> "$T/err" || fail "$(cat "$T/err")"
	"$KWS" enrol --list --output "$T/set.safetensors" | grep -q "^computer	0*$chosen" || fail "another word has changed the threshold"
}

test_synthetic_voices() { # at most 200 s
	mkdir "$T/bin"
	cat > "$T/bin/espeak-ng" <<-'EOF'
		#!/bin/sh
		[ "$2" = "en-us" ] || [ "${2#en-us+}" != "$2" ] || { echo "Error: no voice $2" >&2; exit 1; }
		cp "$SPEAK_AS" "$8"
	EOF
	chmod +x "$T/bin/espeak-ng"
	need sox
	enrol one $TAKES/computer-[1-3].opus || fail "$(cat "$T/err")" # sox reads the FLAC that is kept
	sox -q "$T/own.takes/one/001.flac" "$T/one.wav"
	PATH=$T/bin:$PATH SPEAK_AS=$T/one.wav enrol --speak computer $TAKES/computer-[1-3].opus || fail "status $?: $(cat "$T/err")"
	grep -q 'from 3 takes' "$T/out" || fail "synthetic takes count: $(cat "$T/out")"
	[ "$(ls "$T/own.takes/computer/synthetic" | wc -l)" = 1 ] || fail "the same sound is kept more than once: $(ls "$T/own.takes/computer/synthetic")"
	PATH=$T/bin:$PATH SPEAK_AS=$T/one.wav enrol --speak --language xx two $TAKES/computer-[1-3].opus && fail "no such language: success"
	grep -q 'espeak-ng: Error: no voice xx (language xx)' "$T/err" || fail "$(cat "$T/err")"
	mkdir "$T/empty"
	PATH=$T/empty enrol --speak two $TAKES/computer-[1-3].opus && fail "no espeak-ng: success"
	grep -q 'espeak-ng, which is not installed' "$T/err" || fail "$(cat "$T/err")"
	enrol --list; grep -q two "$T/out" && fail "something was written"
	return 0
}
