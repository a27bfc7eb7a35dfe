# inside_booted.sh - runs in a booted container with the packages installed, those of /debs: the services, and what an upgrade, a removal and
# a purge do to them
set -eu
fail() { echo "FAIL: $*"; [ ! -s /tmp/log ] || tail -n 20 /tmp/log; systemctl status --no-pager -n 10 'kwsd*'; exit 1; }
quietly() { "$@" >/tmp/log 2>&1 || fail "$*"; }
cd /source
mkdir -p /tmp/service
AUTOPKGTEST_TMP=/tmp/service sh debian/tests/service

pid() { systemctl show "$1" -p MainPID --value; }
before=$(pid kwsd) web=$(pid kwsd-web)
exec 9<>/srv/microphone
(while sleep 1; do cat tests/data/demo.flac; done >&9) &
feeder=$!
arch=$(dpkg --print-architecture)
quietly dpkg -i /debs/kwsd_*_"$arch".deb /debs/kws_*_"$arch".deb /debs/kwsd-gateways_*_"$arch".deb
kill $feeder
[ "$(pid kwsd)" != "$before" ] && systemctl is-active -q kwsd || fail 'the upgrade did not restart kwsd'
[ "$(pid kwsd-web)" != "$web" ] && systemctl is-active -q kwsd-web.socket kwsd-wyoming.socket kwsd-wyoming || fail 'the upgrade did not restart the gateways'
systemctl is-enabled -q kwsd kwsd-web.socket kwsd-wyoming.socket || fail 'the upgrade disabled them'
! systemctl is-active -q kwsd-mqtt || fail 'the upgrade started what was not running'
echo 'upgraded: what ran was restarted, and nothing else started'

quietly dpkg --purge kwsd-gateways kwsd kws
! systemctl is-active -q kwsd || fail 'kwsd still runs'
find /etc/systemd /run/systemd /var/lib /etc/kwsd /run -name '*kwsd*' ! -path '/run/log/*' ! -path '*/dpkg/*' 2>/dev/null | grep . && fail 'left behind'
echo 'purged: stopped, and nothing is left'
