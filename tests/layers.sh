#!/bin/sh
# Who may include whom: each folder's own headers and those below it; each library only where it belongs.
set -u
status=0
complain() {
	echo "layers: $1: $2 may not be included here"
	status=1
}

# folder | the folders whose headers it may include | libraries
allowed='
vec|vec|immintrin.h arm_neon.h sys/auxv.h cpuid.h
dsp|dsp vec|fftw3.h samplerate.h pthread.h
model|model vec|jansson.h nettle/sha2.h
spot|spot model dsp vec|jansson.h
audio|audio dsp/ring|sndfile.h FLAC/ ogg/ mpg123.h portaudio.h pa_linux_alsa.h pthread.h
corpus|corpus audio spot model dsp vec|jansson.h pthread.h
cli|cli corpus audio spot model dsp vec|argp.h jansson.h cairo sndfile.h pthread.h fftw3.h
bench|bench cli/floor audio spot model dsp vec|pocketsphinx.h
conf|conf spot/event|ini.h nettle/sha2.h
runtime|runtime|pthread.h systemd/
daemon|daemon conf runtime audio spot model dsp vec|argp.h jansson.h sndfile.h pthread.h
daemon/sink|daemon/sink conf/conf runtime spot/event|systemd/
gateway|gateway/program gateway/control_client gateway/sockets conf runtime|argp.h jansson.h systemd/sd-daemon.h
gateway/wyoming|gateway/wyoming gateway/program gateway/sockets conf runtime|jansson.h pthread.h systemd/
gateway/mqtt|gateway/mqtt gateway/program gateway/control_client conf runtime|jansson.h mosquitto.h nettle/sha2.h pthread.h
gateway/web|gateway/web gateway/program gateway/control_client gateway/sockets conf runtime|jansson.h microhttpd.h nettle/
'
# what every folder may use: C, and POSIX where house rules allow it
plain='^(assert|ctype|errno|float|inttypes|limits|locale|math|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|time|fenv|wchar)\.h$'
posix='^(dirent|dlfcn|fcntl|fnmatch|ftw|getopt|glob|grp|libgen|netdb|poll|pwd|sched|spawn|strings|syslog|termios|unistd|sys/[a-z]+|netinet/[a-z]+|sysexits|arpa/inet|linux/[a-z]+|malloc|mcheck|execinfo|endian|byteswap|link)\.h$'

check() { # FILE INCLUDED FOLDERS LIBRARIES POSIX
	case $2 in
	kws.h | kws/kws.h | nearest.h | number.h | find_model.h | descriptors.h) return ;;
	esac
	for f in $3; do
		case $2 in "$f"/* | "$f".h) return ;; esac
	done
	for l in $4; do
		case $2 in "$l"*) return ;; esac
	done
	echo "$2" | grep -Eq "$plain" && return
	[ "$5" = yes ] && echo "$2" | grep -Eq "$posix" && return
	complain "$1" "$2"
}

for folder in vec dsp model spot audio corpus cli bench conf runtime daemon daemon/sink gateway gateway/wyoming gateway/mqtt gateway/web; do
	[ -d "$folder" ] || continue
	folders=$(echo "$allowed" | awk -F'|' -v f="$folder" '$1 == f {print $2}')
	libraries=$(echo "$allowed" | awk -F'|' -v f="$folder" '$1 == f {print $3}')
	for file in "$folder"/*.[ch]; do
		[ -f "$file" ] || continue
		may=no
		case $file in corpus/* | cli/* | bench/* | conf/* | runtime/* | daemon/* | gateway/* | audio/* | model/blob.c) may=yes ;; esac
		for inc in $(sed -n 's/^# *include *[<"]\([^>"]*\)[>"].*/\1/p' "$file"); do
			check "$file" "$inc" "$folders" "$libraries" "$may"
		done
	done
done
[ $status = 0 ] && echo 'layers: every folder includes only what it may'
exit $status
