# inside_wyoming.sh - runs inside the container that systemd.sh boots; says what it finds to /shared/log
exec > /shared/log 2>&1
trap 'systemctl poweroff > /dev/null 2>&1' EXIT
show() { systemctl show kwsd-wyoming -p "$1" --value; }
fail() { echo "FAIL: $*"; systemctl status kwsd-wyoming kwsd-wyoming.socket --no-pager -n 0; journalctl -q --no-pager -n 30 -u kwsd-wyoming -o cat; exit 1; }
await() { local n=$(($1 * 20)); shift; while [ "$n" -gt 0 ]; do "$@" > /dev/null 2>&1 && return; sleep 0.05; n=$((n - 1)); done; return 1; }
logged() { journalctl -q -u kwsd-wyoming -o cat --no-pager | grep -q -e "$1"; }
# ask SECONDS: send standard input; what is answered, within this time. The second pong ends the line of the first.
ask() {
	exec 5<> /dev/tcp/127.0.0.1/10400 || fail "no connection"
	{ cat; printf '{"type":"ping","data":{"text":"end"}}\n{"type":"ping"}\n'; } >&5
	timeout "$1" sed '/{"text": "end"}{/q' <&5
	exec 5>&-
}
words() { printf '{"type":"describe"}\n' | ask "${1:-30}" | grep -o '"phrase": "[^"]*"' | cut -d'"' -f4 | tr '\n' ' '; }
recording() {
	printf '{"type":"audio-chunk","data":{"rate":16000,"width":2,"channels":1},"payload_length":%d}\n' "$(tail -c +45 /shared/in.wav | wc -c)"
	tail -c +45 /shared/in.wav
	printf '{"type":"audio-stop"}\n'
}
heard() { recording | ask 60 | grep -o '"name": "[^"]*"' | cut -d'"' -f4; }

# nothing runs before somebody connects
systemctl start kwsd-wyoming.socket || fail "start of the socket"
systemctl is-active -q kwsd-wyoming && fail "it runs before it is asked"
w=$(words)
case $w in "yes no "*) ;; *) fail "words: $w" ;; esac
systemctl is-active -q kwsd-wyoming || fail "it does not run"
echo "socket: started by a connection, offers $w"
sed -n 's/.*"word":"\([^"]*\)".*/\1/p' /shared/want > /t/want
heard > /t/got
diff /t/want /t/got || fail "heard: $(cat /t/got)"
echo "heard through the sandbox: $(tr '\n' ' ' < /t/got)"
await 20 eval 'case $(show StatusText) in *words*) ;; *) false ;; esac' || fail "status: $(show StatusText)"

# the sandbox, seen from inside
p=$(show MainPID)
[ "$(awk '/^CapEff/ {print $2}' /proc/$p/status)" = 0000000000000000 ] || fail "has capabilities"
[ "$(awk '/^CapBnd/ {print $2}' /proc/$p/status)" = 0000000000000000 ] || fail "may get capabilities"
[ "$(awk '/^NoNewPrivs/ {print $2}' /proc/$p/status)" = 1 ] || fail "may get privileges"
[ "$(awk '/^Seccomp:/ {print $2}' /proc/$p/status)" = 2 ] || fail "no system call filter"
[ "$(awk '/^Uid/ {print $2}' /proc/$p/status)" != 0 ] || fail "is root"
in_it() { nsenter -t "$p" -m -n -- "$@"; }
for d in /etc/kwsd /usr /var; do in_it touch $d/x 2> /dev/null && fail "may write $d"; done
in_it ls /root 2> /dev/null | grep -q . && fail "sees /root"
in_it test -e /dev/snd && fail "sees sound devices"
[ "$(readlink "/proc/$p/ns/net")" != "$(readlink /proc/1/ns/net)" ] || fail "shares the network"
[ "$(in_it cat /proc/self/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' \n')" = lo ] || fail "has a network"
in_it bash -c 'exec 5<> /dev/tcp/127.0.0.1/10400' 2> /dev/null && fail "can connect to the machine it runs on"
[ "$(show RestrictAddressFamilies)" = AF_UNIX ] || fail "address families: $(show RestrictAddressFamilies)"
echo "sandbox: user $(ps -o user= -p "$p"), no capabilities, system calls filtered, no network, no sound devices"

# reload: good, then bad
printf '[threshold]\nyes = off\n' >> /etc/kwsd/kwsd.conf
systemctl reload kwsd-wyoming || fail "reload"
await 20 eval 'case $(words) in "no "*) ;; *) false ;; esac' || fail "after the reload: $(words)"
printf 'nosuch = off\n' >> /etc/kwsd/kwsd.conf
systemctl reload kwsd-wyoming
await 20 logged "the words stay as they were" || fail "a bad word is not refused"
case $(words) in "no "*) ;; *) fail "a refused reload has changed something" ;; esac
[ "$(show MainPID)" = "$p" ] || fail "another process"
sed -i '/^nosuch/d' /etc/kwsd/kwsd.conf
echo "reload: good taken, bad refused"

# killed, hung, stopped: the next client is served
kill -KILL "$p"
await 20 eval 'case $(words) in "no "*) ;; *) false ;; esac' || fail "after kill -9"
mkdir -p /run/systemd/system/kwsd-wyoming.service.d
printf '[Service]\nWatchdogSec=1\n' > /run/systemd/system/kwsd-wyoming.service.d/test.conf
systemctl daemon-reload; systemctl restart kwsd-wyoming || fail "restart"
kill -STOP "$(show MainPID)"
await 15 logged "Watchdog timeout" || fail "a hang is not seen"
await 15 eval 'case $(words) in "no "*) ;; *) false ;; esac' || fail "after a hang"
systemctl stop kwsd-wyoming || fail "stop"
await 20 eval 'case $(words) in "no "*) ;; *) false ;; esac' || fail "after a stop"
echo "killed, hung, stopped: the next client is served"

# a configuration that is wrong: each connection tries it again, and when it is right, nobody has to start anything
cp /etc/kwsd/kwsd.conf /t/good.conf
printf 'nosuch = off\n' >> /etc/kwsd/kwsd.conf
systemctl stop kwsd-wyoming 2> /dev/null
for _ in $(seq 12); do [ -z "$(words 1)" ] || fail "a wrong configuration is served"; done
cp /t/good.conf /etc/kwsd/kwsd.conf
await 20 eval 'case $(words) in "no "*) ;; *) false ;; esac' || fail "after a wrong configuration: $(words)"
echo "a wrong configuration: 12 connections in vain, then it is right and serves"

# what the documentation says, step by step
rm -r /run/systemd/system/kwsd-wyoming.service.d
systemctl stop kwsd-wyoming.socket kwsd-wyoming.service
systemctl daemon-reload
sed -i '/^\[threshold\]/,$d' /etc/kwsd/kwsd.conf
mkdir -p /etc/kwsd/conf.d /etc/avahi/services
(cd /t && bash -eux commands) > /t/said 2>&1 || fail "docs: $(tail -n 20 /t/said)"
grep -q '"phrase": "no"' /t/said || fail "docs: the words are not shown"
ss -ltn 2> /dev/null | grep -q '\*:10400' || [ "$(systemctl show kwsd-wyoming.socket -p Listen --value)" = "[::]:10400 (Stream)" ] || fail "docs: not on the network"
await 20 eval 'case $(words) in "computer ") ;; *) false ;; esac' || fail "docs: no new word: $(words)"
[ -s /etc/avahi/services/kwsd-wyoming.service ] || fail "docs: no announcement"
echo "docs: every command runs, and offers $(words)"
echo "inside: all well"
