#!/bin/sh
# The version is KWS_VERSION of include/kws/kws.h. What cannot take it from there says the same: manuals, Python packages, changes,
# the packages of Debian.
set -u
status=0
version=$(sed -n 's/.*KWS_VERSION "\(.*\)"/\1/p' include/kws/kws.h)
[ -n "$version" ] || { echo 'version: include/kws/kws.h: no KWS_VERSION'; exit 1; }

says() { # FILE VERSION
	[ "$2" = "$version" ] && return
	echo "version: $1: ${2:-none}, but include/kws/kws.h says $version"
	status=1
}

for page in docs/*.[1358]; do
	says "$page" "$(sed -n '1s/^\.TH [^ ]* [1358] "[^"]*" "kwsd \([^"]*\)".*/\1/p' "$page")"
done
for project in */pyproject.toml; do
	says "$project" "$(sed -n 's/^version = "\(.*\)"/\1/p' "$project")"
done
says CHANGES.md "$(sed -n '/^## /{s/^## \([0-9.]*\).*/\1/p;q}' CHANGES.md)"
[ ! -f debian/changelog ] || says debian/changelog "$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' debian/changelog)"
[ $status = 0 ] && echo "version: $version everywhere"
exit $status
