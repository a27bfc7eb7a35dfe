# inside_life.sh - runs in a bare root, with the packages in /debs and the sources in /source: their life, from install to purge
set -eu
fail() { echo "FAIL: $*"; [ ! -s /tmp/log ] || tail -n 25 /tmp/log; exit 1; }
quietly() { "$@" >/tmp/log 2>&1 || fail "$*"; }
install() { quietly apt-get -q install -y --no-install-recommends "$@"; }
arch=$(dpkg --print-architecture)
deb() { for name; do find /debs -name "${name}_*_$arch.deb" -o -name "${name}_*_all.deb"; done; }
ours='kwsd kws libkws0 libkws-dev kwsd-models kwsd-gateways python3-kws'
# all that is there, but what apt and dpkg write about it and what an interpreter keeps
picture() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /debs -o -path /source -o -path /var/lib/apt \
		-o -path /var/lib/dpkg -o -path /var/cache -o -path /var/log -o -path /root -o -name __pycache__ \) -prune -o \
		\( -path /etc/ld.so.cache -o -path '/etc/*-' -o -path /etc/apt/apt.conf.d/90host \) -o -print | sort
	cat /etc/passwd /etc/group
	find /run -mindepth 1 ! -path '/run/lock*' | sort
}
nothing_left() { # BEFORE WHEN
	picture >/tmp/after
	diff "$1" /tmp/after >/tmp/log || fail "left behind, or gone, $2"
}
quietly apt-get -q update

# ---- what others bring is not ours to remove: it is there before and after
# shellcheck disable=SC2046
install $(deb $ours)
quietly dpkg --purge $ours
picture >/tmp/bare

# ---- try it in a minute
# shellcheck disable=SC2046
install $(deb kwsd kws kwsd-models)
cd /tmp
words=$(kws spot --format csv /source/tests/data/demo.flac | tail -n +2 | wc -l)
[ "$words" -ge 10 ] || fail "kws spot finds $words words"
kws doctor --help >/tmp/log || fail 'kws doctor'
kwsd -t -c /etc/kwsd/kwsd.conf -d raw:/source/tests/data/demo.flac >/tmp/log 2>&1 || fail 'kwsd -t'
for unit in kwsd.service kwsd@.service; do
	[ -e "/lib/systemd/system/$unit" ] || fail "no $unit"
done
find /etc/systemd -name 'kwsd*' | grep . && fail 'a unit was enabled: the microphone is the administrator'"'"'s to open'
man=$(gzip -dc /usr/share/man/man1/kws.1.gz)
case $man in */usr/local/share/kwsd*) fail 'the manual names files of /usr/local' ;; esac
echo "installed: $words words, no unit enabled"

# ---- an upgrade keeps the configuration that was edited
# shellcheck disable=SC2046
install $(deb $ours)
sed -i 's/^#threshold = model/threshold = 0.7/' /etc/kwsd/kwsd.conf
grep -q '^threshold = 0.7' /etc/kwsd/kwsd.conf || fail 'the configuration has no such line'
mkdir /tmp/next
for name in $ours; do
	quietly dpkg-deb -R "$(deb "$name")" /tmp/next/tree
	sed -i 's/^Version: .*/&+next/; s/(= \([^)]*\))/(= \1+next)/g' /tmp/next/tree/DEBIAN/control
	[ "$name" != kwsd ] || echo '# a new default' >>/tmp/next/tree/etc/kwsd/kwsd.conf
	quietly dpkg-deb -b /tmp/next/tree "/tmp/next/$name.deb"
	rm -r /tmp/next/tree
done
quietly apt-get -q install -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold /tmp/next/*.deb
case $(dpkg-query -W -f '${Version}' kwsd) in *+next) ;; *) fail 'not upgraded' ;; esac
grep -q '^threshold = 0.7' /etc/kwsd/kwsd.conf || fail 'the upgrade lost the configuration'
rm /etc/kwsd/*.dpkg-dist
echo 'upgraded: the configuration is kept'

# ---- removed, it is kept; purged, nothing is: what the services wrote goes, too
mkdir -p /var/lib/private/kwsd/clips /var/lib/private/kwsd-kitchen /var/lib/private/kwsd-mqtt /run/kwsd /etc/kwsd/conf.d
for name in kwsd kwsd-kitchen kwsd-mqtt; do ln -s "private/$name" "/var/lib/$name"; done
touch /var/lib/private/kwsd/clips/1.wav /run/kwsd/control /etc/kwsd/conf.d/1.conf /etc/kwsd/web.token /etc/kwsd/mqtt.user /etc/kwsd/mqtt.password
chmod 700 /var/lib/private
quietly dpkg --remove $ours
grep -q '^threshold = 0.7' /etc/kwsd/kwsd.conf || fail 'removal took the configuration'
[ -e /var/lib/private/kwsd/clips/1.wav ] || fail 'removal took the clips'
quietly dpkg --purge $ours
nothing_left /tmp/bare 'after purge'
echo 'purged: nothing is left'

# ---- over what `make install` of 0.1.0 left, with a configuration that was not touched, and with one that was
old() { # LINE: of its configuration
	mkdir -p /etc/kwsd /usr/local/lib/systemd/system /usr/local/share/kwsd /etc/systemd/system/multi-user.target.wants
	printf '#!/bin/sh\n' >/usr/local/bin/kwsd
	cp /usr/local/bin/kwsd /usr/local/bin/kws
	chmod 755 /usr/local/bin/kws*
	printf '[Service]\nExecStart=/usr/local/bin/kwsd -c /etc/kwsd/kwsd.conf\n[Install]\nWantedBy=multi-user.target\n' >/usr/local/lib/systemd/system/kwsd.service
	ln -sf /usr/local/lib/systemd/system/kwsd.service /etc/systemd/system/multi-user.target.wants
	cat /source/packaging/kwsd.conf-0.1.0 >/etc/kwsd/kwsd.conf
	[ -z "$1" ] || echo "$1" >>/etc/kwsd/kwsd.conf
}
picture >/tmp/bare
for line in '' 'threshold = 0.6'; do
	old "$line"
	cp /etc/kwsd/kwsd.conf /tmp/old.conf
	# shellcheck disable=SC2046
	quietly apt-get -q install -y --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $(deb kwsd kws kwsd-models)
	for hidden in bin/kws bin/kwsd lib/systemd/system/kwsd.service; do
		grep -q "^kwsd: /usr/local/$hidden, .* hides" /tmp/log || fail "no word of /usr/local/$hidden, which hides ours"
	done
	[ -e /usr/local/bin/kwsd ] || fail '/usr/local is not ours'
	if [ -n "$line" ]; then
		cmp /tmp/old.conf /etc/kwsd/kwsd.conf || fail 'the configuration of 0.1.0 is not kept'
	else
		cmp -s /tmp/old.conf /etc/kwsd/kwsd.conf && fail 'the untouched configuration of 0.1.0 is still there'
	fi
	# make uninstall of 0.1.0
	rm -r /usr/local/bin/kws* /usr/local/lib/systemd /usr/local/share/kwsd
	[ -L /etc/systemd/system/multi-user.target.wants/kwsd.service ] || fail 'the service is no longer enabled'
	quietly dpkg --purge kwsd kws kwsd-models
	rm -f /etc/systemd/system/multi-user.target.wants/kwsd.service
	rmdir --ignore-fail-on-non-empty -p /etc/systemd/system/multi-user.target.wants 2>/dev/null || true
	nothing_left /tmp/bare "after purge over 0.1.0 ($line)"
done
echo 'over 0.1.0: says what hides it, keeps a configuration that was edited'
