# inside.sh - runs inside the container that systemd.sh boots; says what it finds to /shared/log
exec > /shared/log 2>&1
trap 'systemctl poweroff' EXIT
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
journalctl -q -u kwsd -o cat --no-pager | grep -q "Watchdog timeout" || fail "not the watchdog"
hear
echo "after a hang: NRestarts=$(show NRestarts), heard again"

# reload: good, then bad
p=$(show MainPID)
printf '[decision]\nthreshold = 0.55\n' >> /etc/kwsd/kwsd.conf
systemctl reload kwsd || fail "reload"
await 5 eval 'journalctl -q -u kwsd -o cat --no-pager | grep -q "^reloaded:"' || fail "not reloaded"
printf '[decision]\nthreshold = 7\n' >> /etc/kwsd/kwsd.conf
systemctl reload kwsd
await 5 eval 'journalctl -q -u kwsd -o cat --no-pager | grep -q "reload refused"' || fail "a bad configuration was taken"
[ "$(show MainPID)" = "$p" ] && systemctl is-active -q kwsd || fail "the reload ended it"
hear
echo "reload: good taken, bad refused, heard again"

t=$(date +%s%3N)
systemctl stop kwsd || fail "stop"
t=$(($(date +%s%3N) - t))
[ "$(show Result)" = success ] && [ "$(show ExecMainStatus)" = 0 ] || fail "stop: $(show Result), status $(show ExecMainStatus)"
[ $t -lt 2000 ] || fail "stop took $t ms"
[ ! -e /run/kwsd/events ] || fail "the socket is left behind"
echo "stop: $t ms, status 0"
echo "inside: all well"
