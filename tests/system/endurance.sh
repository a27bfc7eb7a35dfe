# endurance.sh - an hour of sound, faster than time

# Resident memory is flat, every sample is heard and counted, and the last events are as right as the first.
test_an_hour() { # at most 300 s
	local seconds n first last
	audio 16000 raw "$T/in.raw"
	seconds=$(($(stat -c %s "$T/in.raw") / 32000))
	n=$((3600 / seconds + 1))
	sox "|sox -D $AUDIO -r 16000 -c 1 -b 16 -t wav -" "$T/hour.wav" repeat $((n - 1))
	offline "$T/hour.wav" > "$T/want" & local offline=$!
	mkfifo "$T/mic"
	kwsd_start -d "raw:$T/mic" -o file.path="$T/events" -o socket.path="$T/sock" -o stdout.queue=4096 -o file.queue=4096
	exec 7> "$T/mic"
	for i in $(seq "$n"); do
		cat "$T/in.raw" >&7
		[ $((i % 10)) = 0 ] && echo "$(awk '/^VmRSS/ {print $2}' "/proc/$P/status")" >> "$T/rss"
	done
	wait $offline
	await 20 lines "$T/out" "$(wc -l < "$T/want")"
	exec 7>&-
	kwsd_stop
	first=$(sed -n 2p "$T/rss"); last=$(tail -n 1 "$T/rss")
	echo "resident after $((20 * seconds)) s: $first KiB, after $((n * seconds)) s: $last KiB"
	[ $((last - first)) -le 512 ] || fail "resident memory grew from $first to $last KiB"
	logged "heard_s=$(awk "BEGIN {printf \"%.2f\", $n * $(stat -c %s "$T/in.raw") / 32000}")" || fail "not every sample was counted"
	diff <(field decided_sample < "$T/want") <(field decided_sample < "$T/out") > /dev/null || fail "the events of the hour differ"
	cmp -s "$T/out" "$T/events" || fail "the file says something else than stdout"
	tail -n 1 "$T/err"
}
