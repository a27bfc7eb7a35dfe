# inside_booted.sh - runs in a booted container with the packages installed, those of /debs: the services, and what an upgrade, a removal and
# a purge do to them
set -eu
fail() { echo "FAIL: $*"; [ ! -s /tmp/log ] || tail -n 20 /tmp/log; systemctl status --no-pager -n 10 'kwsd*'; exit 1; }
quietly() { "$@" >/tmp/log 2>&1 || fail "$*"; }
cd /source
mkdir -p /tmp/service
AUTOPKGTEST_TMP=/tmp/service sh debian/tests/service

pid() { systemctl show "$1" -p MainPID --value; }
sockets() { systemctl show kwsd-web.socket kwsd-wyoming.socket -p InvocationID --value; }
before=$(pid kwsd) web=$(pid kwsd-web) wyoming=$(pid kwsd-wyoming) open=$(sockets)
exec 9<>/srv/microphone
(while sleep 1; do cat tests/data/demo.flac; done >&9) &
feeder=$!
arch=$(dpkg --print-architecture)
quietly dpkg -i /debs/kwsd_*_"$arch".deb /debs/kws_*_"$arch".deb /debs/kwsd-gateways_*_"$arch".deb
kill $feeder
[ "$(pid kwsd)" != "$before" ] && systemctl is-active -q kwsd || fail 'the upgrade did not restart kwsd'
[ "$(pid kwsd-web)" != "$web" ] && [ "$(pid kwsd-wyoming)" != "$wyoming" ] || fail 'the upgrade did not restart the gateways'
for unit in kwsd-web kwsd-wyoming kwsd-web.socket kwsd-wyoming.socket; do systemctl is-active -q $unit || fail "the upgrade ended $unit"; done
[ "$(sockets)" = "$open" ] || fail 'the upgrade closed the sockets for a while'
systemctl is-enabled -q kwsd kwsd-web.socket kwsd-wyoming.socket || fail 'the upgrade disabled them'
! systemctl is-active -q kwsd-mqtt || fail 'the upgrade started what was not running'
echo 'upgraded: what ran was restarted, the sockets stayed open, and nothing else started'

quietly dpkg --purge kwsd-gateways kwsd kws
! systemctl is-active -q kwsd || fail 'kwsd still runs'
find /etc/systemd /run/systemd /var/lib /etc/kwsd /run -name '*kwsd*' ! -path '/run/log/*' ! -path '*/dpkg/*' 2>/dev/null | grep . && fail 'left behind'
echo 'purged: stopped, and nothing is left'
