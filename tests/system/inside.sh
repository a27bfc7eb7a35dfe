# inside.sh - runs inside the container that systemd.sh boots; says what it finds to /shared/log
exec > /shared/log 2>&1
trap 'systemctl poweroff > /dev/null 2>&1' EXIT
show() { systemctl show kwsd -p "$1" --value; }
fail() { echo "FAIL: $*"; systemctl status kwsd --no-pager -n 0; journalctl -q --no-pager -n 30 -u kwsd -o cat; exit 1; }
await() { local n=$(($1 * 20)); shift; while [ "$n" -gt 0 ]; do "$@" > /dev/null 2>&1 && return; sleep 0.05; n=$((n - 1)); done; return 1; }
restarted() { [ "$(show NRestarts)" = "$1" ] && systemctl is-active -q kwsd; }
events() { journalctl -q -t kwsd -o cat --no-pager KWS_RATE_HZ=16000 | wc -l; }
heard() { [ "$(events)" -ge "$1" ]; }
hear() { # the words are played outside, and come to the journal; again, should a busy machine stutter
	local n
	for _ in 1 2 3; do
		n=$(($(events) + $(wc -l < /shared/want)))
		rm -f /shared/played; touch /shared/play
		await 20 test -e /shared/played || fail "nothing was played"
		await 3 heard $n && return
	done
	fail "deaf: $(events) events, want $n"
}

t=$(date +%s%3N)
systemctl start kwsd || fail "start"
echo "start: READY after $(($(date +%s%3N) - t)) ms; $(show StatusText)"
case $(show StatusText) in "Listening to kws16 at 16000 Hz"*) ;; *) fail "status: $(show StatusText)" ;; esac

# capture through the sandbox, events in the journal with fields
hear
w=$(journalctl -q -t kwsd -o json --no-pager KWS_RATE_HZ=16000 | head -n 1)
case $w in *'"KWS_SCORE"'*'"KWS_MODEL_HASH"'*) ;; *'"KWS_MODEL_HASH"'*'"KWS_SCORE"'*) ;; *) fail "no fields: $w" ;; esac
echo "heard through the sandbox: $(journalctl -q -t kwsd -o cat --no-pager KWS_RATE_HZ=16000 | tr '\n' ';')"

# the sandbox, seen from inside: what the process may do
p=$(show MainPID)
[ "$(awk '/^CapEff/ {print $2}' /proc/$p/status)" = 0000000000000000 ] || fail "has capabilities"
[ "$(awk '/^CapBnd/ {print $2}' /proc/$p/status)" = 0000000000000000 ] || fail "may get capabilities"
[ "$(awk '/^NoNewPrivs/ {print $2}' /proc/$p/status)" = 1 ] || fail "may get privileges"
[ "$(awk '/^Seccomp:/ {print $2}' /proc/$p/status)" = 2 ] || fail "no system call filter"
[ "$(awk '/^Uid/ {print $2}' /proc/$p/status)" != 0 ] || fail "is root"
in_it() { nsenter -t "$p" -m -n -- "$@"; }
in_it touch /etc/kwsd/x 2> /dev/null && fail "may write /etc"
in_it touch /usr/x 2> /dev/null && fail "may write /usr"
in_it touch /var/x 2> /dev/null && fail "may write /var"
in_it ls /root 2> /dev/null | grep -q . && fail "sees /root"
[ "$(readlink "/proc/$p/ns/net")" != "$(readlink /proc/1/ns/net)" ] || fail "shares the network"
[ "$(nsenter -t "$p" -n -- cat /proc/self/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' \n')" = lo ] || fail "has a network"
[ "$(stat -c %a /run/kwsd/events)" = 666 ] || fail "the socket's mode"
ls /var/lib/private/kwsd/*.wav > /dev/null || fail "no clips in the state folder"
echo "sandbox: user $(ps -o user= -p "$p"), no capabilities, system calls filtered, no network, /etc /usr /var read-only"

# killed: a new one is there
kill -KILL "$p"
await 10 restarted 1 || fail "no restart after kill -9"
hear
echo "after kill -9: NRestarts=$(show NRestarts), heard again"

# hung: the watchdog sees it
kill -STOP "$(show MainPID)"
await 15 restarted 2 || fail "no restart after a hang: $(show NRestarts)"
journalctl --sync # what was said is in it, however busy the machine is
journalctl -q -u kwsd -o cat --no-pager | grep -q "Watchdog timeout" || fail "not the watchdog"
hear
echo "after a hang: NRestarts=$(show NRestarts), heard again"

# reload: good, then bad, which systemctl says; the bad one changes nothing
p=$(show MainPID)
cp /etc/kwsd/kwsd.conf /t/base.conf
logged() { journalctl --sync; journalctl -q -u kwsd -o cat --no-pager --since "@$since" | grep -q -e "$1"; }
taken() { # LINES of configuration behind the base: taken within the sandbox, by the same process, which goes on
	since=$(date +%s.%N)
	{ cat /t/base.conf; printf "$1"; } > /etc/kwsd/kwsd.conf
	systemctl reload kwsd || fail "refused: $1"
	logged "^reloaded:" || fail "status 0 before it was reloaded: $1"
	[ "$(show MainPID)" = "$p" ] && systemctl is-active -q kwsd || fail "ended by $1"
}
refused() { # LINES, what the log says
	since=$(date +%s.%N)
	{ cat /t/base.conf; printf "$1"; } > /etc/kwsd/kwsd.conf
	systemctl reload kwsd 2> /dev/null && fail "taken: $1"
	await 2 logged "$2" || fail "no word of \"$2\" for $1"
	[ "$(show MainPID)" = "$p" ] && systemctl is-active -q kwsd || fail "ended by $1"
}
taken '[decision]\nthreshold = 0.55\n'
refused '[decision]\nthreshold = 7\n' '7 is not in 0..1'
cp /t/base.conf /etc/kwsd/kwsd.conf
systemctl reload kwsd & systemctl reload kwsd & wait $! || fail "two reloads at once"
wait
hear
echo "reload: good taken, bad refused, heard again"

# a drop-in: good, then bad, which names its file and line
mkdir /etc/kwsd/conf.d
printf '[decision]\nthreshold = 0.5\n' > /etc/kwsd/conf.d/50-threshold.conf
taken ''
printf '[decision]\nthreshold = 7\n' > /etc/kwsd/conf.d/50-threshold.conf
refused '' 'conf.d/50-threshold.conf:2: .*7 is not in 0..1'
rm -r /etc/kwsd/conf.d
taken ''
echo "drop-in: good taken, bad refused"

# Every key with another value than its default, one by one: a number's is the most that it may be. These are no numbers, or
# not all of them may be so large; some need other lines beside them.
cp /usr/local/share/kwsd/commands-12.safetensors /usr/local/share/kwsd/other.safetensors
word=$(journalctl -q -t kwsd -o json --no-pager KWS_RATE_HZ=16000 | sed -n 's/.*"KWS_WORD":"\([^"]*\)".*/\1/p' | head -n 1)
values='audio.enabled=no
audio.device=kws48
audio.models=a\n[model a]
audio.rate_hz=48000
audio.channels=1
audio.channel=1
audio.latency_ms=60
audio.stall_ms=800
audio.silence_s=0
audio.backoff_ms=500
audio.backoff_max_s=10
audio.open_s=10
audio.teardown_ms=2000
model.path=/usr/local/share/kwsd/other.safetensors
model.after=a\n[model a]
model.within_s=2\nafter = a\n[model a]
decision.smooth_ms=100
decision.refractory_ms=700
decision.threshold=0.55
stdout.enabled=yes
journal.enabled=no
file.path=/var/lib/kwsd/events.jsonl
file.mode=0600
socket.path=/run/kwsd/other
socket.mode=0660
socket.group=users
socket.buffer_kb=256
hook.command=/bin/true
clips.dir=/var/lib/kwsd/clips
clips.quota_mb=1
clips.near_miss=0.5
control.path=/run/kwsd/other
control.mode=0600
control.group=users
control.clients=600
control.buffer_kb=1024
control.state=/var/lib/kwsd/other.conf
web.listen=127.0.0.1:8592
web.token=/etc/kwsd/web.token
web.hosts=kws.example.org
web.clips=yes
web.textfile=/run/kwsd/kws.prom
wyoming.uri=unix:///run/kwsd/wyoming
wyoming.mode=0600
wyoming.group=users
wyoming.languages=de
log.level=debug
log.stats_s=1
service.outage_s=0
mqtt.host=broker.example
mqtt.tls=yes
mqtt.ca=/etc/ssl/certs/ca-certificates.crt
mqtt.cert=/etc/kwsd/mqtt.crt
mqtt.key=/etc/kwsd/mqtt.key
mqtt.user_file=/etc/kwsd/mqtt.user
mqtt.password_file=/etc/kwsd/mqtt.password
mqtt.client_id=one
mqtt.site=kitchen
mqtt.topic=house/kwsd
mqtt.discovery=ha
mqtt.name=Ears of the kitchen
mqtt.area=Kitchen
mqtt.url=http://kitchen.example:8080/
mqtt.hermes=no
mqtt.spool=/var/lib/kwsd-mqtt/other.spool'
kwsd -t -c /dev/null > /t/all 2> /t/out
most() { kwsd -t -c /dev/null -o "$1=?" 2>&1 | sed -n 's/.* is not in [0-9.]*\.\.\([0-9]*\).*/\1/p'; }
awk '/^\[/ {s = substr($0, 2, length($0) - 2)} / =/ {print s "." $1}' /t/all > /t/keys
keys=$(while read -r key; do grep -e "^$key=" <<< "$values" || echo "$key=$(most "$key")"; done < /t/keys)
sed 's/=.*//' <<< "$keys" | diff /t/keys - && ! grep '=$' <<< "$keys" || fail "what value is to be tried?"
base() { # the base without this key, so that it is not there twice
	awk -v key="$1" '/^\[/ {s = substr($0, 2, length($0) - 2)} s "." $1 != key' /t/start.conf > /t/base.conf
}
cp /t/base.conf /t/start.conf
while IFS='=' read -r key value; do
	base "$key"
	taken "[${key%%.*}]\n${key#*.} = $value\n"
	[ "$key" = control.path ] || continue
	cp /t/base.conf /etc/kwsd/kwsd.conf # systemctl looks in the usual place
	kws ctl --socket /run/kwsd/other reload || fail "kws ctl: $?"
done <<< "$keys"
base none
echo "keys: each of $(wc -l <<< "$keys") is taken inside the sandbox"

# and what can be seen from outside takes effect
base none
sed -i '/^\[socket\]/,$d' /t/base.conf
taken "[threshold]\n$word = 0.1\n[socket]\npath = /run/kwsd/mine\nmode = 0640\ngroup = users\n[file]\npath = /var/lib/kwsd/events.jsonl\nmode = 0600\n[clips]\ndir = /var/lib/kwsd/clips\n[hook]\ncommand = /bin/sh -c 'cat >> /var/lib/kwsd/hook'\n[log]\nlevel = debug\nstats_s = 1\n"
[ "$(stat -c %a.%G /run/kwsd/mine)" = 640.users ] || fail "socket: $(stat -c %a.%G /run/kwsd/mine)"
[ ! -e /run/kwsd/events ] || fail "the old socket is left"
hear
await 3 test -s /var/lib/private/kwsd/hook || fail "the hook did not run"
[ "$(stat -c %a /var/lib/private/kwsd/events.jsonl)" = 600 ] || fail "the file's mode"
grep -q "\"word\":\"$word\",.*\"threshold\":0.1" /var/lib/private/kwsd/events.jsonl || fail "threshold.$word"
await 3 eval 'ls /var/lib/private/kwsd/clips/*.wav' || fail "no clip"
logged "stats:" && logged "event:" || fail "log.level, log.stats_s"
taken '[journal]\nenabled = no\n[decision]\nthreshold = 1\n'
echo "keys: file, socket, group, hook, clips, log and thresholds do what they say"

# what the sandbox forbids, by its cause
base none
sed -i '/^\[socket\]/,$d' /t/base.conf
mkdir -p /srv/clips /var/lib/private/kwsd/roots
chmod 755 /var/lib/private/kwsd/roots; chmod 777 /srv/clips
refused '[file]\npath = /srv/clips/events.jsonl\n' '.file. path: .*ReadWritePaths='
refused '[clips]\ndir = /srv/clips\n' 'clips.*dir: .*ReadWritePaths='
refused '[clips]\ndir = /var/lib/kwsd/roots\n' 'clips.*dir: .*belongs to root'
refused '[clips]\ndir = /home/clips\n' 'clips.*dir: .*ProtectHome='
refused '[hook]\ncommand = /root/hook\n' '.hook. command: .*ProtectHome='
refused '[socket]\npath = /srv/clips/events\n' '.socket. path: .*ReadWritePaths='
refused '[socket]\npath = /run/kwsd/x\ngroup = root\n' '.socket. group: .*not in that group'
refused '[socket]\npath = /run/kwsd/x\ngroup = audio\n' '.socket. group: .*forbids chown .*Group='
refused '[socket]\npath = /run/kwsd/x\ngroup = nosuch\n' 'no group is named nosuch'
refused '[socket]\npath = /run/kwsd/x\nclients = 1024\nbuffer_kb = 4096\n' 'buffers would take 4333 MiB'
[ ! -e /run/kwsd/x ] || fail "a refused socket is left behind"
# kwsd -t beside the service: as root, who sees more, it says what the service could not do, and what is missing
kwsd -t -c /t/base.conf -o clips.dir=/var/lib/kwsd/roots > /t/out 2>&1 || fail "kwsd -t: $(cat /t/out)"
grep -q '.clips. dir: /var/lib/kwsd/roots: is not the service' /t/out || fail "kwsd -t: $(grep kwsd: /t/out)"
kwsd -t -c /t/base.conf -o clips.dir=/var/lib/kwsd/missing > /t/out 2>&1 && fail "kwsd -t takes a folder that is not there"
rm -r /var/lib/private/kwsd/roots
cp /t/start.conf /t/base.conf
taken ''
kwsd -t -c /t/start.conf > /t/out 2>&1 || fail "kwsd -t refuses what runs: $(grep kwsd: /t/out)"
grep -q '.socket. path: .*: a process listens there' /t/out || fail "kwsd -t: $(grep kwsd: /t/out)"
[ -S /run/kwsd/events ] || fail "kwsd -t took the socket away"
echo "keys: what the sandbox forbids is refused, by its cause"

# the largest model, twice: within MemoryMax=
cat /t/large.safetensors > /usr/local/share/kwsd/large.safetensors
taken '[model]\npath = /usr/local/share/kwsd/large.safetensors\n'
taken ''
taken '[model]\npath = /usr/local/share/kwsd/large.safetensors\n'
peak=$(($(awk '/^VmHWM/ {print $2}' "/proc/$p/status") * 1024))
[ $peak -lt "$(show MemoryMax)" ] || fail "took $peak bytes, more than MemoryMax=$(show MemoryMax)"
echo "memory: $((peak >> 20)) MiB at most, with a model of 59 MB taken in twice; limit $(($(show MemoryMax) >> 20))"
[ "$(show NRestarts)" = 2 ] || fail "killed"
taken ''

# the control socket: for the service's own user and root; what is kept comes back
kws ctl version > /t/out || fail "kws ctl: $?"
setpriv --reuid=65534 --regid=65534 --clear-groups kws ctl version > /t/out 2>&1
[ $? = 69 ] && grep -q "Permission denied" /t/out || fail "anybody may steer it: $(cat /t/out)"
kws ctl --keep set decision.threshold=0.61 2> /t/out || fail "kws ctl set --keep: $(cat /t/out)"
systemctl restart kwsd
await 10 eval 'kws ctl --json | grep -q ":0.61[,}]"' || fail "forgotten by a restart: $(cat /var/lib/private/kwsd/kept.conf)"
rm /var/lib/private/kwsd/kept.conf
systemctl restart kwsd
hear
echo "control socket: set, kept, forgotten; others may not"

t=$(date +%s%3N)
systemctl stop kwsd || fail "stop"
t=$(($(date +%s%3N) - t))
[ "$(show Result)" = success ] && [ "$(show ExecMainStatus)" = 0 ] || fail "stop: $(show Result), status $(show ExecMainStatus)"
[ $t -lt 2000 ] || fail "stop took $t ms"
[ ! -e /run/kwsd/events ] || fail "the socket is left behind"
echo "stop: $t ms, status 0"
echo "inside: all well"
