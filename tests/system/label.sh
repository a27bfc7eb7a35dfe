# label.sh - kws label: a night's clips are marked, thresholds come out of them, and the daemon takes them; recordings; what is refused

# a_night: the recording as kwsd heard it, with its clips in $T/clips
a_night() {
	mkdir "$T/clips"
	audio 16000 raw "$T/in.raw"
	"$KWSD" -c /dev/null -m "$MODEL" -o stdout.enabled=yes -o journal.enabled=no -d "raw:$T/in.raw" -o clips.dir="$T/clips" \
		-o clips.queue=64 -o clips.near_miss=0.15 > "$T/events" 2> "$T/err" || fail "kwsd: status $?"
	[ -n "$(find "$T/clips" -name '*-near.wav')" ] || fail "no near miss to mark"
}
label() { "$KWS" label -m "$MODEL" --player none "$@" > "$T/out" 2> "$T/err"; }
# asked: the words of the last run, in order
asked() { grep -o 'was "[^"]*" said?' "$T/err" | cut -d '"' -f2 | tr '\n' ' '; }

# Night, marks, thresholds, daemon: what was wrongly heard is no longer heard.
test_from_a_night_to_thresholds() { # at most 60 s
	a_night
	[ "$(words "$T/events")" = "yes left stop on up off go right no down on " ] || fail "another recording: $(words "$T/events")"
	ls "$T"/clips/*.wav > "$T/all"
	# everything was said, but for the near misses and the first "on"; the first near miss behind a word was that word
	yes n | label "$T/clips" || fail "status $?"
	grep -oE ': (an event|a near miss),|was "[^"]*" said' "$T/err" | awk -F'"' '/^: an / { near = 0 } /^: a / { near = 1 }
		/^was/ && near { print word == "" || beside++ ? "n" : word } /^was/ && !near { print $2 == "on" && !on++ ? "n" : "y"; word = $2 }' > "$T/answers"
	rm "$T"/clips/*.tsv
	label "$T/clips" < "$T/answers" || fail "status $?"
	grep -q '^from the first clip' "$T/out" || fail "not all are marked: $(cat "$T/out")"
	[ "$(find "$T/clips" -name '*.tsv' | wc -l)" = "$(wc -l < "$T/all")" ] || fail "a clip has no truth file"

	grep -l 'other$' "$T"/clips/*-near.tsv > "$T/other"
	[ "$(wc -l < "$T/other")" = 1 ] && [ "$(grep -vc '^#' "$(cat "$T/other")")" = 2 ] || fail "said twice: $(cat "$T"/clips/*-near.tsv)"

	"$KWS" eval -m "$MODEL" --hours 8 --format jsonl "$T/clips" | tail -n 1 > "$T/eval" || fail "eval: status $?"
	grep -q '"hours_for_false_alarms":8.0' "$T/eval" || fail "$(cat "$T/eval")"
	"$KWS" eval -m "$MODEL" --hours 8 --format csv "$T/clips" | grep '^all,0.8500,' | cut -d, -f8 > "$T/n"
	[ "$(cat "$T/n")" = 1 ] || fail "$(cat "$T/n") false alarms, want the one that was marked"
	"$KWS" calibrate -m "$MODEL" --hours 8 --write-model "$T/mine.safetensors" "$T/clips" > "$T/thresholds.conf" || fail "calibrate: status $?"
	"$KWS" eval -m "$T/mine.safetensors" --hours 8 "$T/clips" > "$T/out" || fail "eval: status $?"
	grep -q '^all .* 0 *0.00 ' "$T/out" || fail "still false alarms: $(cat "$T/out")"
	"$KWSD" -c "$T/thresholds.conf" -m "$MODEL" -o stdout.enabled=yes -o journal.enabled=no -d "raw:$T/in.raw" > "$T/out" 2> "$T/err" || fail "kwsd: status $?"
	[ "$(words "$T/out")" = "yes left stop up off go right no down on " ] || fail "with these thresholds: $(words "$T/out")"
	# the same night by its minutes of sound is too short, and hours shorter than it are refused
	"$KWS" calibrate -m "$MODEL" "$T/clips" > "$T/out" 2>&1
	[ $? = 4 ] || fail "minutes support a rate: $(cat "$T/out")"
	"$KWS" eval -m "$MODEL" --hours 0.001 "$T/clips" > "$T/out" 2>&1
	[ $? = 2 ] && grep -q 'the recordings alone have' "$T/out" || fail "$(cat "$T/out")"
}

# A run that is stopped goes on; answers can be changed; the file has what eval reads.
test_answers() { # at most 60 s
	local first second
	a_night
	rm "$T"/clips/*-near.wav
	first=$(find "$T/clips" -name '*-yes-*.wav') second=$(find "$T/clips" -name '*-left-*.wav')
	printf 'r\n?\ny\nq\n' | label "$T/clips" || fail "status $?"
	[ "$(asked)" = "yes yes yes left " ] || fail "asked: $(asked)"
	grep -q 'play it again' "$T/err" || fail "? lists no keys"
	grep -q ': an event, score 0.9[0-9], -[0-9.]* dBFS' "$T/err" || fail "no score or level: $(cat "$T/err")"
	[ "$(sed -n 2p "${first%.wav}.tsv" | cut -f3-4,6)" = "$(printf 'yes\tyes\tright')" ] || fail "$(cat "${first%.wav}.tsv")"
	[ ! -e "${second%.wav}.tsv" ] || fail "what was not answered is marked"
	# on it goes; another word; back, and another answer; a word besides; a word of no model; skip
	printf 'm go\nright\nb\nn\ns\nlights\n' | label "$T/clips" || fail "status $?"
	[ "$(asked)" = "left left stop left stop on up " ] || fail "asked: $(asked)"
	grep -q 'marked: right; go, too' "$T/err" || fail "the earlier answer is not shown"
	grep -q '"lights" is none of the model' "$T/err" || fail "an unknown word is not told"
	[ "$(grep -vc '^#' "${second%.wav}.tsv")" = 1 ] || fail "$(cat "${second%.wav}.tsv")"
	grep -q '1 right, 1 wrong, 1 another word, 0 words besides; 8 not marked yet' "$T/out" || fail "$(cat "$T/out")"
	# a clip alone, and one whose truth file is of one's own: it is not asked for, and not changed
	printf '0.1\t0.2\tno\n' > "${second%.wav}.tsv"
	yes y | label "$second" "$first" || fail "status $?"
	[ -z "$(asked)" ] && [ "$(cat "${second%.wav}.tsv")" = "$(printf '0.1\t0.2\tno')" ] || fail "one's own file: $(asked)"
	# the sound reaches the command, as a WAV file
	"$KWS" label -m "$MODEL" --player "cp -t $T" "$T/clips" < /dev/null > "$T/out" 2> "$T/err" || fail "status $?: $(cat "$T/err")"
	"$KWS" classify -m "$MODEL" "$T/sound.wav" > "$T/out" 2> "$T/err" || fail "what is played is no sound: $(cat "$T/err")"
	grep -q stop "$T/out" || fail "another sound: $(cat "$T/out")"
}

# Events of a recording, from a list of kws spot.
test_events_of_a_recording() { # at most 60 s
	cp "$AUDIO" "$T/night.flac"
	printf '# mine\nstart\tend\tword\n1.07\t1.48\tyes\n' > "$T/night.tsv"
	offline "$T/night.flac" > "$T/list"
	printf 'y\nn\nstop\n' | label --events "$T/list" || fail "status $?"
	asked | grep -q '^left stop on ' || fail "asked: $(asked)"
	head -n 3 "$T/night.tsv" | grep -q '# mine' || fail "a line of one's own is lost: $(cat "$T/night.tsv")"
	[ "$(grep -c "$(printf '\tyes')" "$T/night.tsv")" = 1 ] || fail "$(cat "$T/night.tsv")"
	yes y | label --events "$T/list" "$T/night.flac" || fail "status $?"
	"$KWS" eval -m "$MODEL" --format csv "$T/night.flac" | grep '^all,0.8500,' > "$T/row"
	# of the eleven events, "stop" was not said, and "on" was "stop"
	[ "$(cut -d, -f3,4,8 "$T/row")" = 10,9,2 ] || fail "$(cat "$T/row") $(cat "$T/night.tsv")"
	label --events "$T/list" "$T/other.flac" && fail "a recording without events: success"
	grep -q 'other.flac: .* no event in it' "$T/err" || fail "$(cat "$T/err")"
}

test_what_is_refused() { # at most 60 s
	local clip
	a_night
	clip=$(find "$T/clips" -name '*-yes-*.wav')
	mkdir "$T/none"
	label "$T/none"; [ $? = 4 ] && grep -q 'none: no clips of kwsd in it' "$T/err" || fail "no clips: $(cat "$T/err")"
	label "$T/nowhere"; [ $? = 1 ] && grep -q 'nowhere: no clip' "$T/err" || fail "no folder: $(cat "$T/err")"
	label "$AUDIO"; [ $? = 1 ] && grep -q 'kws spot --format jsonl' "$T/err" || fail "a recording: $(cat "$T/err")"
	label; [ $? = 2 ] || fail "nothing named: $(cat "$T/err")"
	label --events "$T/events"; [ $? = 1 ] && grep -q 'events:1: this is an event of kwsd' "$T/err" || fail "events of kwsd: $(cat "$T/err")"
	echo '{"word":"yes"}' > "$T/list"
	label --events "$T/list"; [ $? = 1 ] && grep -q 'list:1: this is no event' "$T/err" || fail "no events: $(cat "$T/err")"
	echo y | "$KWS" label -m "$MODEL" --player 'echo broken >&2; false' "$clip" > "$T/out" 2> "$T/err"
	[ $? = 1 ] && grep -q 'cannot be played here: .*broken' "$T/err" || fail "no sound: $(cat "$T/err")"
	[ ! -e "${clip%.wav}.tsv" ] || fail "marked without being heard"
	echo 'yes, it was' > "${clip%.wav}.tsv"
	echo y | label "$T/clips"; [ $? = 1 ] && grep -q 'tsv:1: want start, end and word' "$T/err" || fail "another form: $(cat "$T/err")"
	[ "$(cat "${clip%.wav}.tsv")" = 'yes, it was' ] || fail "a file of another form was changed"
	rm "${clip%.wav}.tsv"
	: > "$(dirname "$clip")/20260301T120000.250Z-go-93.wav"
	yes y | label "$T/clips"; [ $? = 1 ] && grep -q 'Z-go-93.wav: ' "$T/err" || fail "an empty clip: $(cat "$T/err")"
	[ -e "${clip%.wav}.tsv" ] || fail "the others were not marked"
}

test_a_full_disk_loses_no_answer() { # at most 60 s
	a_night
	mkdir "$T/mnt"
	mount -t tmpfs -o size=300k none "$T/mnt" 2> /dev/null || skip "nothing can be mounted here"
	find "$T/clips" -name '*-yes-*.wav' -exec cp -t "$T/mnt" {} + -o -name '*-left-*.wav' -exec cp -t "$T/mnt" {} +
	printf 'y\n' | label "$T/mnt" || fail "status $?"
	cat "$T/mnt"/*.tsv > "$T/before"
	dd if=/dev/zero of="$T/mnt/fill" bs=4096 2> /dev/null
	printf 'y\n' | label "$T/mnt"
	[ $? = 1 ] && grep -q 'No space left' "$T/err" || fail "full: $(cat "$T/err")"
	[ "$(ls "$T/mnt"/*.tsv*)" = "$(ls "$T/mnt"/*-yes-*.tsv)" ] || fail "half a file: $(ls "$T/mnt")"
	cat "$T/mnt"/*.tsv | cmp -s - "$T/before" || fail "an answer is lost"
}
