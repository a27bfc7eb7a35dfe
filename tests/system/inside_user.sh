# inside_user.sh - runs inside the container that systemd.sh boots: the unit of a desktop's session, with the session's own sound
# server; says what it finds to /shared/log
exec > /shared/log 2>&1
trap 'systemctl poweroff > /dev/null 2>&1' EXIT
fail() { echo "FAIL: $*"; as systemctl --user status kwsd --no-pager -n 0; journalctl -q --no-pager -n 30 -o cat _UID=1001; exit 1; }
await() { local n=$(($1 * 20)); shift; while [ "$n" -gt 0 ]; do "$@" > /dev/null 2>&1 && return; sleep 0.05; n=$((n - 1)); done; return 1; }
as() { setpriv --reuid=1001 --regid=1001 --init-groups env XDG_RUNTIME_DIR=/run/user/1001 HOME=/home/listener "$@"; }
show() { as systemctl --user show kwsd -p "$1" --value; }
events() { journalctl -q -t kwsd -o cat --no-pager KWS_RATE_HZ=16000 _UID=1001 | wc -l; }
heard() { [ "$(events)" -ge "$1" ]; }
hear() { # again, should a busy machine stutter
	local n
	for _ in 1 2 3; do
		n=$(($(events) + $(wc -l < /shared/want)))
		as paplay --latency-msec=50 --device=session /shared/in.wav || fail "nothing was played"
		await 3 heard $n && return
	done
	fail "deaf: $(events) events, want $n"
}

useradd --create-home --uid 1001 listener
# the session's sound server is the distribution's PulseAudio, or PipeWire, with a loudspeaker that is a microphone
if [ -e /shared/asoundrc ]; then
	servers='pipewire wireplumber pipewire-pulse' other=pulseaudio input=pipewire
	cp /shared/asoundrc /home/listener/.asoundrc
else
	servers=pulseaudio other=pipewire-pulse input=default
	echo 'pcm.!default { type pulse }' > /home/listener/.asoundrc
fi
rm -f /etc/systemd/user/*.wants/$other.*
mkdir -p /home/listener/.config/{pulse,pipewire/pipewire-pulse.conf.d}
cat > /home/listener/.config/pipewire/pipewire-pulse.conf.d/session.conf <<'X'
pulse.cmd = [ { cmd = "load-module" args = "module-null-sink sink_name=session rate=48000 channels=2" } ]
X
cat > /home/listener/.config/pulse/default.pa <<'X'
load-module module-native-protocol-unix
load-module module-null-sink sink_name=session norewinds=1 rate=16000 channels=1 format=s16le
set-default-source session.monitor
X
echo secret > /home/listener/letter
chown -R 1001:1001 /home/listener
systemctl start systemd-logind && loginctl enable-linger listener && await 20 test -S /run/user/1001/systemd/private || fail "no session"
await 10 as pactl info || fail "the session has no sound server"

# without a configuration it says so, and is not tried for ever
as systemctl --user start kwsd && fail "started without a configuration"
[ "$(show ExecMainStatus)" = 78 ] || fail "status $(show ExecMainStatus) without a configuration"

# the steps of the manual
as mkdir -p /home/listener/.config/kwsd && as cp /t/kwsd.conf /home/listener/.config/kwsd/
as mkdir /home/listener/.config/kwsd/conf.d && printf '[audio]\ndevice = %s\n' $input > /home/listener/.config/kwsd/conf.d/input.conf
as systemctl --user enable -q --now kwsd || fail "start"
echo "start: $(show StatusText)"
hear
echo "heard through the sandbox: $(journalctl -q -t kwsd -o cat --no-pager _UID=1001 KWS_RATE_HZ=16000 | tr '\n' ';')"
as /usr/local/bin/kws ctl status > /shared/status || fail "kws ctl does not find the session's daemon"

# the sandbox, seen from inside
p=$(show MainPID)
in_it() { nsenter -t "$p" -U -m -n --preserve-credentials -- "$@"; }
[ "$(awk '/^CapEff/ {print $2}' "/proc/$p/status")" = 0000000000000000 ] || fail "has capabilities"
[ "$(awk '/^CapBnd/ {print $2}' "/proc/$p/status")" = 0000000000000000 ] || fail "may get capabilities"
[ "$(awk '/^NoNewPrivs/ {print $2}' "/proc/$p/status")" = 1 ] || fail "may get privileges"
[ "$(awk '/^Seccomp:/ {print $2}' "/proc/$p/status")" = 2 ] || fail "no system call filter"
[ "$(in_it cat /proc/self/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' \n')" = lo ] || fail "has a network"
in_it test -e /home/listener/.config/kwsd/kwsd.conf || fail "cannot be looked into"
in_it test -e /home/listener/letter && fail "sees the user's files"
in_it test -e /run/user/1001/bus && fail "reaches the session's bus"
in_it test -e /run/user/1001/systemd/private && fail "reaches the session's manager"
for folder in /usr /var /etc /home/listener/.config/kwsd; do
	in_it touch "$folder/x" 2> /dev/null && fail "may write $folder"
done
echo "sandbox: no capabilities, system calls filtered, no network, no bus, none of the user's files"

# the session's sound server goes and comes back
# shellcheck disable=SC2086
as systemctl --user restart $servers || fail "the session's sound server does not start again"
listening() { case $(show StatusText) in "Listening to $input"*) ;; *) return 1 ;; esac; }
await 40 listening || fail "not again: $(show StatusText)"
hear
echo "after the sound server was started anew: heard again"

# reload, good and bad
as systemctl --user reload kwsd || fail "reload"
printf '[decision]\nthreshold = 7\n' >> /home/listener/.config/kwsd/kwsd.conf
as systemctl --user reload kwsd 2> /dev/null && fail "took a bad configuration"
[ "$(show MainPID)" = "$p" ] || fail "another process"
as systemctl --user stop kwsd || fail "stop"
[ "$(show ExecMainStatus)" = 0 ] || fail "status $(show ExecMainStatus) at the end"
echo "inside: all well"
