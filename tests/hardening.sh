#!/bin/sh
# What the build promises to have hardened, read from what was built: hardening.sh BUILD. Optimised builds without sanitizers.
set -u
B=${1:?build folder}
status=0
complain() {
	echo "hardening: $*"
	status=1
}
for program in "$B/kws" "$B/kwsd" "$B"/kwsd-* "$B/libkws.so.0"; do
	[ -e "$program" ] || continue
	header=$(readelf -hlW "$program") && dynamic=$(readelf -dW "$program") && symbols=$(readelf --dyn-syms -W "$program") || exit 1
	case $program,$dynamic in *.so.0,* | *PIE*) ;; *) complain "$program: not position independent" ;; esac
	case $header in *GNU_RELRO*) ;; *) complain "$program: no read-only relocations" ;; esac
	case $dynamic in *NOW*) ;; *) complain "$program: symbols are not bound at the start, so that their table stays writable" ;; esac
	case $dynamic in *RPATH* | *RUNPATH* | *TEXTREL*) complain "$program: RPATH, RUNPATH or TEXTREL" ;; esac
	echo "$header" | grep -q 'GNU_STACK.* RW ' || complain "$program: the stack is executable"
	case $symbols in *__stack_chk_fail*) ;; *) complain "$program: no stack protector" ;; esac
	case $symbols in *printf_chk*) ;; *) complain "$program: not fortified" ;; esac
	# gcc notes its options; what it does for them shows nowhere else
	readelf -p .debug_str "$program" 2>/dev/null | grep 'GNU C' | grep -v -e -fstack-clash-protection |
		grep . && complain "$program: built without -fstack-clash-protection"
done
# The marks for indirect branches. The C library's own start files may lack them, and then the programs do, too.
for object in "$B"/audio/*.o "$B"/cli/*.o "$B"/conf/*.o "$B"/runtime/*.o "$B"/daemon/*.o "$B"/daemon/sink/*.o "$B"/gateway/*.o "$B"/gateway/*/*.o "$B"/dsp/*.o "$B"/include/*.o "$B"/model/*.o "$B"/spot/*.o "$B"/vec/*.o; do
	[ -e "$object" ] || continue
	case $(readelf -hnW "$object") in
	*X86-64*IBT*SHSTK* | *AArch64*BTI*PAC*) ;;
	*X86-64* | *AArch64*) complain "$object: indirect branches are not marked" ;;
	esac
done
[ $status = 0 ] && echo 'hardening: as promised'
exit $status
