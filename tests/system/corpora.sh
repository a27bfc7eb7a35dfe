# corpora.sh - large runs: shards under GNU parallel and in a real Slurm array, one of them killed; nothing is lost, and nothing twice.

SHARDS=8

# A corpus of short cuts of the recording, half of them with a truth file; one file that is none, one that is missing, and one, slow.wav,
# that is a pipe until somebody makes a file of it: the shard that has it waits there. Paths in $T/list, two of them odd.
corpus() {
	local i n=41 word
	need sox
	mkdir -p "$T/corpus/b c" "$T/results"
	for i in $(seq $n); do
		sox -D "$AUDIO" -r 16000 -c 1 -b 16 -e signed "$T/corpus/$i.wav" trim "$(awk "BEGIN {print $i % 10 * 1.7}")" 2.$((i % 7))
		[ $((i % 2)) = 0 ] && continue
		for word in yes no go; do printf '0.%d\t1.%d\t%s\n' $((i % 9)) $((i % 8)) $word; done > "$T/corpus/$i.tsv"
	done
	mv "$T/corpus/7.wav" "$T/corpus/b c/it's \"7\".wav"
	mv "$T/corpus/20.wav" "$T/slow.wav"
	mkfifo "$T/corpus/slow.wav"
	echo 'no sound' > "$T/corpus/junk.wav"
	{ find "$T/corpus" -name '*.wav' | LC_ALL=C sort; echo "$T/corpus/gone.wav"; } > "$T/list"
	N=$(wc -l < "$T/list")
	SLOW=$(awk -v k=$SHARDS '/slow/ {print (NR - 1) % k + 1}' "$T/list")
}
# The pipe becomes the file that it stands for.
arrive() { rm -f "$T/corpus/slow.wav"; cp "$T/slow.wav" "$T/corpus/slow.wav"; }
# waits_at FILE: the shard has done all before slow.wav
waits_at() { lines "$1" $((1 + ($(grep -n slow "$T/list" | cut -d: -f1) - 1) / SHARDS)); }

# one_run COMMAND OPTION...: what all shards together must say
one_run() { "$KWS" "$@" --files-from "$T/list" --format jsonl > "$T/want" 2> "$T/want.err"; [ $? = 1 ] || fail "one run: $(cat "$T/want.err")"; }

# merged: the shards are complete, each recording is in them once, and they say what one run says
merged() {
	"$KWS" merge --format jsonl "$T"/results/* > "$T/got" 2> "$T/got.err"
	[ $? = 1 ] || fail "merge: $(cat "$T/got.err")"
	cmp "$T/want" "$T/got" || fail "not what one run says"
	grep -q gone.wav "$T/got.err" && grep -q junk.wav "$T/got.err" || fail "what cannot be read is not told: $(cat "$T/got.err")"
	cat "$T"/results/* | sed -n 's/^{"i":\([0-9]*\),.*/\1/p' | sort -n > "$T/seen"
	cmp "$T/seen" <(seq 0 $((N - 1))) || fail "lost or twice: $(uniq -d "$T/seen")"
}

test_parallel() { # at most 120 s
	need parallel
	corpus
	export KWS_MODEL=$MODEL
	# a shard is killed in the middle, and GNU parallel counts it as failed; so are those of junk.wav and gone.wav
	printf '%s\n' "$KWS eval --files-from $T/list --shard \$1/$SHARDS --results $T/results/\$1.jsonl -j 1" > "$T/shard.sh"
	seq $SHARDS | parallel --will-cite -j $SHARDS --joblog "$T/jobs" sh "$T/shard.sh" {} 2> "$T/err" &
	local jobs=$!
	PIDS="$PIDS $jobs"
	await 30 waits_at "$T/results/$SLOW.jsonl" || fail "shard $SLOW does not come to slow.wav"
	"$KWS" merge "$T"/results/* > "$T/got" 2> "$T/got.err" && fail "merged without shard $SLOW"
	grep -q "shard $SLOW of $SHARDS lacks" "$T/got.err" || fail "$(cat "$T/got.err")"
	local before; before=$(sha256sum < "$T/results/$SLOW.jsonl")
	kill -KILL "$(pgrep -f "^$KWS eval.*--results $T/results/$SLOW.jsonl")"
	wait $jobs
	[ "$(awk 'NR > 1 && ($7 == 137 || $8 == 9)' "$T/jobs" | wc -l)" = 1 ] || fail "not one was killed: $(cat "$T/jobs")"
	[ "$before" = "$(sha256sum < "$T/results/$SLOW.jsonl")" ] || fail "the kill changed results"
	# as if it had been stopped in a line
	printf '{"i":%d,"file":"/no' $((SLOW - 1)) >> "$T/results/$SLOW.jsonl"
	arrive
	seq $SHARDS | parallel --will-cite -j 2 --joblog "$T/jobs" --resume-failed sh "$T/shard.sh" {} 2> "$T/err"
	grep -q "$SLOW.jsonl: [1-9][0-9]* of [0-9]* recordings were done before" "$T/err" || fail "it does not go on"
	one_run eval
	# junk.wav and gone.wav were tried again: of each the last line counts
	for f in "$T"/results/*; do
		tac "$f" | awk -F'[:,]' '/^{"i"/ && seen[$2]++ {next} {print}' | tac > "$T/last"
		[ $(($(wc -l < "$f") - $(wc -l < "$T/last"))) = $(($(grep -c '"error"' "$f") / 2)) ] || fail "$f: something else was done twice"
		cp "$T/last" "$f"
	done
	merged
}

# A full disk stops a run, and says so; when there is room, it goes on.
full_disk() { # COMMAND
	local before
	run() { "$KWS" "$1" --files-from "$T/list" --results "$T/mnt/all.jsonl" 2> "$T/err"; }
	rm -f "$T/mnt/all.jsonl"
	mount -o remount,size=8k "$T/mnt" || skip "the disk cannot be made small here"
	run "$1"
	[ $? = 1 ] && grep -q 'all.jsonl: No space left' "$T/err" || fail "$1, full: $(cat "$T/err")"
	before=$(grep -c '^{"i"' "$T/mnt/all.jsonl")
	"$KWS" merge "$T/mnt/all.jsonl" > "$T/got" 2> "$T/got.err" && fail "$1: merged from a full disk"
	mount -o remount,size=1m "$T/mnt" || skip "the disk cannot grow here"
	run "$1"
	[ $? = 1 ] && grep -q 'recordings were done before' "$T/err" || fail "$1 does not go on: $(cat "$T/err")"
	[ "$(grep -c '^{"i"' "$T/mnt/all.jsonl")" -gt "$before" ] || fail "$1: nothing was added"
	# those that cannot be read may be there twice
	grep -v -e junk.wav -e gone.wav "$T/mnt/all.jsonl" > "$T/results/all.jsonl"
	grep -e junk.wav -e gone.wav "$T/mnt/all.jsonl" | sort -u >> "$T/results/all.jsonl"
	one_run "$1"
	merged
}
test_full_disk() { # at most 120 s
	mkdir "$T/mnt"
	mount -t tmpfs -o size=8k none "$T/mnt" 2> /dev/null || skip "nothing can be mounted here"
	corpus
	arrive
	export KWS_MODEL=$MODEL
	full_disk eval
	full_disk classify
}

# slurm_start: a controller, a node of this machine and the keeper of their keys, all in $T
slurm_start() {
	need munged slurmctld slurmd sbatch scontrol
	need_root
	local host; host=$(hostname -s)
	chmod 755 "$T"
	mkdir -p "$T/slurm/state" "$T/slurm/spool"
	head -c 1024 /dev/urandom > "$T/slurm/key"
	chmod 400 "$T/slurm/key"
	cat > "$T/slurm/slurm.conf" <<-X
		ClusterName=kws
		SlurmctldHost=$host(127.0.0.1)
		AuthType=auth/munge
		AuthInfo=socket=$T/slurm/munge,cred_expire=5
		CryptoType=crypto/munge
		SlurmUser=root
		SlurmctldPort=$1
		SlurmdPort=$(($1 + 1))
		StateSaveLocation=$T/slurm/state
		SlurmdSpoolDir=$T/slurm/spool
		SlurmctldPidFile=$T/slurm/slurmctld.pid
		SlurmdPidFile=$T/slurm/slurmd.pid
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_Core
		SchedulerType=sched/backfill
		SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=100000
		JobAcctGatherType=jobacct_gather/none
		AccountingStorageType=accounting_storage/none
		ReturnToService=2
		MpiDefault=none
		SwitchType=switch/none
		NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
		PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:$SHARDS
	X
	# later versions want to know how tasks are confined: not at all
	[ "$(slurmd -V | sed 's/[^0-9]*//; s/\..*//')" -lt 23 ] || echo CgroupPlugin=disabled > "$T/slurm/cgroup.conf"
	export SLURM_CONF=$T/slurm/slurm.conf
	munged --foreground --force --key-file="$T/slurm/key" --socket="$T/slurm/munge" --pid-file="$T/slurm/munged.pid" \
		--log-file="$T/slurm/munged.log" --seed-file="$T/slurm/seed" > "$T/err.munged" 2>&1 & PIDS="$PIDS $!"
	await 10 test -S "$T/slurm/munge" || fail "munged does not start"
	slurmctld -D > "$T/err.slurmctld" 2>&1 & PIDS="$PIDS $!"
	slurmd -D > "$T/err.slurmd" 2>&1 & PIDS="$PIDS $!"
	idle() { [ "$(sinfo -h -o %T)" = idle ]; }
	await 20 idle || fail "no node: $(sinfo 2>&1)"
}
# state TASK: of a task of the array
state() { squeue -h -r -t all -j "$JOB" -o '%K %T' | awk -v k="$1" '$1 == k {print $2}'; }
is_state() { [ "$(state "$1")" = "$2" ]; }

# The array of docs/corpora.md: a task is killed by hand, and Slurm puts it into the queue again.
test_slurm() { # at most 180 s
	corpus
	slurm_start 16817
	page_blocks corpora.slurm > "$T/corpus.sbatch"
	sed -i "s|^kws |$KWS |" "$T/corpus.sbatch"
	cd "$T" || fail "no folder"
	export KWS_MODEL=$MODEL
	JOB=$(sbatch --parsable --output="$T/log.%a" --open-mode=append --array=1-$SHARDS "$T/corpus.sbatch" spot) || fail "sbatch"
	await 60 waits_at "$T/results/$SLOW.jsonl" || fail "shard $SLOW does not come to slow.wav: $(squeue -r -t all) $(cat "$T"/log.*)"
	is_state "$SLOW" RUNNING || fail "task $SLOW is $(state "$SLOW")"
	kill -KILL "$(pgrep -f "^$KWS spot.*--shard $SLOW/$SHARDS.*--results results/$SLOW.jsonl")"
	await 20 is_state "$SLOW" FAILED || fail "killed: task $SLOW is $(state "$SLOW")"
	arrive
	scontrol requeue "${JOB}_$SLOW" || fail "requeue"
	await 60 is_state "$SLOW" COMPLETED || fail "after the requeue task $SLOW is $(state "$SLOW"): $(cat "$T/log.$SLOW")"
	grep -q "recordings were done before" "$T/log.$SLOW" || fail "it does not go on: $(cat "$T/log.$SLOW")"
	all_over() { ! squeue -h -r -t pending,running,completing -j "$JOB" -o %K | grep -q .; }
	await 60 all_over || fail "$(squeue -r -t all)"
	one_run spot
	merged
}
