# inside_web.sh - runs inside the container that systemd.sh boots: kwsd-web beside kwsd, and what neither of them can do
# shellcheck disable=SC2086
exec > /shared/log 2>&1
trap 'systemctl poweroff > /dev/null 2>&1' EXIT
fail() { echo "FAIL: $*"; systemctl status kwsd kwsd-web --no-pager -n 0; journalctl -q --no-pager -n 40 -u kwsd -u kwsd-web -o cat; exit 1; }
await() { local n=$(($1 * 20)); shift; while [ "$n" -gt 0 ]; do "$@" > /dev/null 2>&1 && return; sleep 0.05; n=$((n - 1)); done; return 1; }
URL=http://127.0.0.1:8591
get() { curl -s -m 20 "$@"; }
code() { get -o /dev/null -w '%{http_code}' "$@"; }
up() { get "$URL/metrics" | grep -qx "kws_up $1"; }
ip link set lo up

# A microphone for those who may open one, and a program that tries what nobody should: in the sandbox of each unit, before it starts.
mkdir -p /dev/snd
mknod /dev/snd/pcmC0D0c c 1 3 # a device that can always be opened
chmod 666 /dev/snd/pcmC0D0c
cat > /t/tries <<'X'
import os, socket, sys
def can(what, fn):
    try:
        fn()
        print("can", what)
    except OSError as e:
        print("cannot", what + ":", e.strerror)
can("open a microphone", lambda: os.open("/dev/snd/pcmC0D0c", os.O_RDWR))
for name in ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"):
    can("open a socket of " + name, lambda: socket.socket(getattr(socket, name), socket.SOCK_RAW if name == "AF_PACKET" else socket.SOCK_DGRAM))
can("write /etc", lambda: open("/etc/kwsd/x", "w"))
can("read the state of kwsd", lambda: os.open("/var/lib/private/kwsd/secret", os.O_RDONLY))
X
for u in kwsd kwsd-web; do
	mkdir -p "/etc/systemd/system/$u.service.d"
	printf '[Service]\nExecStartPre=/usr/bin/python3 /t/tries\n' > "/etc/systemd/system/$u.service.d/tries.conf"
done
mkdir -p /var/lib/private/kwsd
chmod 700 /var/lib/private
touch /var/lib/private/kwsd/secret
sed -i '/^Group=/d' /etc/systemd/system/kwsd.service.d/test.conf # its own, as it is installed
printf 'StandardOutput=journal\n' >> /etc/systemd/system/kwsd.service.d/tries.conf
systemctl daemon-reload
python3 /t/tries | grep -qx 'can open a microphone' && python3 /t/tries | grep -qx 'can open a socket of AF_INET' || fail "the tries prove nothing: $(python3 /t/tries)"

systemctl start kwsd || fail "kwsd does not start"
systemctl start kwsd-web || fail "kwsd-web does not start"
said() { journalctl -q --no-pager -u "$1" -o cat | grep -e '^can'; }
await 20 eval '[ "$(said kwsd | wc -l)" = 7 ] && [ "$(said kwsd-web | wc -l)" = 7 ]'
said kwsd > /t/kwsd; said kwsd-web > /t/web
grep -q '^cannot open a socket of AF_INET:' /t/kwsd && grep -q '^cannot open a socket of AF_INET6:' /t/kwsd || fail "kwsd: $(cat /t/kwsd)"
grep -q '^cannot open a socket of AF_NETLINK:' /t/kwsd && grep -q '^cannot open a socket of AF_PACKET:' /t/kwsd || fail "kwsd: $(cat /t/kwsd)"
grep -q '^cannot open a microphone:' /t/web || fail "kwsd-web: $(cat /t/web)"
grep -qx 'can open a socket of AF_INET' /t/web || fail "kwsd-web: $(cat /t/web)"
grep -q '^cannot open a socket of AF_NETLINK:' /t/web && grep -q '^cannot write /etc:' /t/web || fail "kwsd-web: $(cat /t/web)"
grep -q '^cannot read the state of kwsd:' /t/web || fail "kwsd-web reads what kwsd has: $(cat /t/web)"
echo "kwsd cannot open a socket of a network; kwsd-web cannot open a microphone"

# it reaches the control socket by its group, as another user
await 20 up 1 || fail "kwsd-web does not reach kwsd: $(get "$URL/metrics" | head -3)"
p=$(systemctl show kwsd-web -p MainPID --value) k=$(systemctl show kwsd -p MainPID --value)
[ "$(awk '/^Uid/ {print $2}' /proc/$p/status)" != "$(awk '/^Uid/ {print $2}' /proc/$k/status)" ] || fail "kwsd-web is the user of kwsd"
[ "$(awk '/^CapEff/ {print $2}' /proc/$p/status)" = 0000000000000000 ] && [ "$(awk '/^Seccomp:/ {print $2}' /proc/$p/status)" = 2 ] || fail "kwsd-web is not confined"
get -H 'Content-Type: application/json' -d '{"values":{"threshold.yes":0.61},"keep":true}' "$URL/set" | grep -q '"ok":true' || fail "set"
get "$URL/status" | grep -q '"yes":0.61' || fail "the threshold is not in force"
echo "kwsd-web: another user, confined, sets a threshold"

# a token that only root can read, and another address
mkdir -p /etc/kwsd
printf '[web]\nlisten = 0.0.0.0:8591\n' >> /etc/kwsd/kwsd.conf
systemctl restart kwsd-web 2> /dev/null && fail "it listens to all without a token"
[ "$(systemctl show kwsd-web -p ExecMainStatus --value)" = 78 ] || fail "status $(systemctl show kwsd-web -p ExecMainStatus --value)"
(umask 077; echo 0123456789abcdef0123 > /etc/kwsd/web.token)
systemctl reset-failed kwsd-web
systemctl start kwsd-web || fail "with a token"
[ "$(code "$URL/")" = 401 ] && [ "$(code -u x:0123456789abcdef0123 "$URL/")" = 200 ] || fail "the token"
grep -rq '[0]123456789abcdef0123' /proc/*/cmdline /proc/*/environ 2> /dev/null && fail "the token is seen"
systemctl stop kwsd-web
rm /etc/kwsd/web.token
sed -i '/^\[web\]/,$d' /etc/kwsd/kwsd.conf
echo "token: a credential; without one it does not listen to others"

# clips, where the group may read them
printf '[clips]\ndir = /var/lib/kwsd/clips\n[web]\nclips = yes\n' >> /etc/kwsd/kwsd.conf
sed -i '/^dir = \/var\/lib\/kwsd$/d' /etc/kwsd/kwsd.conf
systemctl restart kwsd kwsd-web || fail "restart"
touch /shared/play
await 20 eval 'ls /var/lib/private/kwsd/clips/*.wav' || fail "no clip was written"
clip=$(basename "$(ls /var/lib/private/kwsd/clips/*.wav | head -1)")
[ "$(code "$URL/clips/$clip")" = 403 ] || fail "a clip that is not for it: $(code "$URL/clips/$clip")"
chmod g+r "/var/lib/private/kwsd/clips/$clip"
[ "$(code "$URL/clips/$clip")" = 200 ] || fail "a clip for its group: $(code "$URL/clips/$clip")"
echo "clips: only those that its group may read"

# started by the first request
systemctl stop kwsd-web
systemctl start kwsd-web.socket || fail "kwsd-web.socket"
systemctl is-active -q kwsd-web && fail "it runs before it is asked"
await 20 up 1 || fail "not started by a request"
systemctl is-active -q kwsd-web || fail "not started by a request"
systemctl reload kwsd-web && up 1 || fail "reload"
kill -STOP "$(systemctl show kwsd-web -p MainPID --value)"
await 40 up 1 || fail "hung, and not started again"
systemctl stop kwsd-web kwsd-web.socket
[ "$(systemctl show kwsd-web -p Result --value)" = success ] || fail "stop: $(systemctl show kwsd-web -p Result --value)"
echo "socket: started by a request, and again after a hang"
echo "inside: all well"
