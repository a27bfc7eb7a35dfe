# systemd.sh - the units: what systemd thinks of them, and a real boot with them
#
# The boot runs on a throw-away overlay of this machine's root, in a container: nothing is written to the machine itself.

installed() { # FOLDER: what `make install` puts there, made by hand so that no make runs below make
	install -D -m755 "$KWSD" "$1/usr/local/bin/kwsd"
	install -D -m755 "$KWS" "$1/usr/local/bin/kws"
	install -D -m644 "$MODEL" "$1/usr/local/share/kwsd/commands-12.safetensors"
	for u in systemd/*.service systemd/*.socket; do install -D -m644 "$u" "$1/etc/systemd/system/${u##*/}"; done
	install -D -m644 systemd/user/kwsd.service "$1/etc/systemd/user/kwsd.service"
	for p in "$B"/kwsd-*; do [ ! -x "$p" ] || install -D -m755 "$p" "$1/usr/local/bin/${p##*/}"; done
}

test_units() { # at most 30 s
	need systemd-analyze
	local score most
	cp systemd/*.socket "$T"
	for u in kwsd.service kwsd@mic.service kwsd-web.service kwsd-mqtt.service kwsd-wyoming.service; do
		most=1.4
		case $u in kwsd.service | kwsd@*) most=0.6 ;; esac
		sed "s|^\(Exec[A-Za-z]*\)=/usr/local/bin/|\1=$B/|" "systemd/${u/mic/}" > "$T/$u"
		# status 0 even for a key that it does not know: what counts is what it says
		systemd-analyze verify --man=no "$T/$u" > "$T/err" 2>&1 || fail "verify"
		[ ! -s "$T/err" ] || fail "verify $u"
		systemd-analyze security --offline=true --threshold=20 "$T/$u" > "$T/security" 2>&1 ||
			fail "exposure: $(tail -n 1 "$T/security")"
		score=$(sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p' "$T/security")
		echo "$u: exposure $score"
		awk "BEGIN {exit !($score <= $most)}" || fail "exposure $score"
	done
	mkdir "$T/user"
	sed "s|^\(Exec[A-Za-z]*\)=/usr/local/bin/|\1=$B/|" systemd/user/kwsd.service > "$T/user/kwsd.service"
	XDG_RUNTIME_DIR=$T systemd-analyze --user verify --man=no "$T/user/kwsd.service" > "$T/err" 2>&1 || fail "verify"
	[ ! -s "$T/err" ] || fail "verify the user's kwsd.service"
}

# What the container has of ours: the script that runs in it, a configuration, and units.
inside_files() { # ROOT SCRIPT
	local R=$1
	mkdir -p "$R/t" "$R/etc/kwsd" "$R/etc/systemd/system/kwsd.service.d"
	sed "s|unix:$T/pulse/native|unix:/kwspulse/native|" "$T/pulse/alsa.conf" > "$R/t/alsa.conf"
	cp "tests/system/$2" "$R/t/run.sh"
	cp docs/*.md config/kwsd.conf "$R/t"
	wide_model "$R/t/large.safetensors" 7 7 4
	if [ -e "$T/commands" ]; then
		cp -r "$T/commands" tests/data/takes "$R/t/"
		install -D -m644 -t "$R/usr/local/share/kwsd" config/models/own-words.*
		install -D -m644 -t "$R/usr/local/share/kwsd/avahi" config/avahi/*
	fi
	cat > "$R/etc/kwsd/kwsd.conf" <<-X
		[audio]
		device = kws16
		[socket]
		path = /run/kwsd/events
		mode = 0666
		[clips]
		dir = /var/lib/kwsd
	X
	# for the test: a sound server outside of the container instead of a sound card, and less patience
	cat > "$R/etc/systemd/system/kwsd.service.d/test.conf" <<-X
		[Service]
		Environment=ALSA_CONFIG_PATH=/t/alsa.conf
		WatchdogSec=2
		RestartSec=200ms
		Group=users
	X
	cat > "$R/etc/systemd/system/t.target" <<-X
		[Unit]
		Requires=basic.target t.service
		After=basic.target
	X
	cat > "$R/etc/systemd/system/t.service" <<-X
		[Unit]
		After=basic.target dbus.service
		Wants=dbus.service
		[Service]
		ExecStart=/bin/bash /t/run.sh
	X
}

# Boot, and run this script of ours in it.
boot() { # SCRIPT
	need_root
	[ -z "${KWS_NO_MOUNTS:-}" ] || skip "$KWS_NO_MOUNTS"
	need systemd-nspawn pulseaudio
	[ -x /usr/bin/dbus-daemon ] || skip "dbus is not installed"
	local R=$T/mnt/root
	mkdir "$T/mnt" "$T/shared"
	mount -t tmpfs tmpfs "$T/mnt" 2> /dev/null || skip "cannot mount a tmpfs"
	mkdir "$T/mnt/up" "$T/mnt/work" "$R"
	mount -t overlay overlay -o "lowerdir=/,upperdir=$T/mnt/up,workdir=$T/mnt/work" "$R" 2> /dev/null || skip "cannot mount an overlay"
	mountpoint -q "$R" || fail "no overlay"
	find "$R/etc/systemd/system" -mindepth 1 -delete # the machine's own units, in the overlay only
	: > "$R/etc/machine-id"
	# without a network of its own it may not make one for the unit
	local container=(systemd-nspawn --quiet -D "$R" --machine="kwstest$$" --register=no --keep-unit --console=pipe --private-network)
	# what a container that was killed left behind, with nobody in it, would stop this one
	find /sys/fs/cgroup/unified/{payload,supervisor} -depth -type d -exec rmdir {} + 2> /dev/null
	"${container[@]}" true < /dev/null > "$T/log" 2>&1 || skip "no container can be run here: $(head -n 1 "$T/log")"
	installed "$R"
	[ -z "${PLUGIN:-}" ] || { cp "$PLUGIN" "$R/usr/lib/pipewire_plugin.so"; pipewire_input pipewire /usr/lib/pipewire_plugin.so > "$T/shared/asoundrc"; }
	pulse_start
	short 16000 wav "$T/shared/in.wav"
	cp "$T/want" "$T/shared/want"
	inside_files "$R" "$1"
	timeout -k 5 270 "${container[@]}" --boot --link-journal=no --bind="$T/shared:/shared" --bind="$T/pulse:/kwspulse" systemd.unit=t.target \
		< /dev/null > "$T/log" 2>&1 &
	local boot=$!
	PIDS="$PIDS $boot"
	# the words are played from outside, each time that the inside asks for it
	while kill -0 $boot 2> /dev/null; do
		[ -e "$T/shared/play" ] && { rm "$T/shared/play"; play kws16 "$T/shared/in.wav"; touch "$T/shared/played"; }
		sleep 0.1
	done
	cat "$T/shared/log"
	umount "$R"
	cp "$T/shared/log" "$T/err"
	[ "$(tail -n 1 "$T/shared/log")" = "inside: all well" ] || fail "inside the container: $(sed -n 's/^FAIL: //p' "$T/shared/log")"
}

test_boot() { # at most 300 s
	boot inside.sh
}

# The unit of a desktop's session.
test_boot_user() { # at most 120 s
	need paplay pactl
	boot inside_user.sh
}

# The same unit in a session with PipeWire, by its own plugin.
test_boot_user_pipewire() { # at most 120 s
	need paplay pactl pipewire pipewire-pulse wireplumber
	pipewire_plugin
	boot inside_user.sh
}

test_boot_wyoming() { # at most 280 s
	[ -x "$B/kwsd-wyoming" ] || skip "kwsd-wyoming is not built"
	# the commands of the documentation, as root with bash
	page_blocks systemd.boot_wyoming > "$T/commands"
	boot inside_wyoming.sh
}

test_boot_web() { # at most 280 s
	[ -x "$B/kwsd-web" ] || skip "kwsd-web is not built"
	need curl python3
	boot inside_web.sh
}

test_boot_mqtt() { # at most 280 s
	[ -x "$B/kwsd-mqtt" ] || skip "kwsd-mqtt is not built"
	need mosquitto mosquitto_sub mosquitto_passwd
	boot inside_mqtt.sh
}

# The page for Home Assistant by MQTT: every command in it.
test_boot_page() { # at most 280 s
	[ -x "$B/kwsd-mqtt" ] || skip "kwsd-mqtt is not built"
	need mosquitto mosquitto_sub mosquitto_passwd python3
	page_blocks systemd.boot_page > "$T/commands"
	boot inside_page.sh
}
