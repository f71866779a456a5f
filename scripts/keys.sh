#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes the keys of a pair: a CA of its own, a certificate for each chassis, and a pre-shared key
# for those who prefer one. What is there already is kept. Copy to a chassis: ca.pem, its NAME.pem
# and NAME.key (or psk alone); keep ca.key elsewhere.
set -eu
umask 077

if [ $# -lt 1 ] || [ "${1#-}" != "$1" ]; then
	echo "usage: scripts/keys.sh DIRECTORY [NAME...]" \
		"   names of the two chassis; default: left right" >&2
	exit 2
fi
mkdir -p "$1"
cd "$1"
shift
[ $# -gt 0 ] || set -- left right

quietly() {
	out=$("$@" 2>&1) || {
		echo "$out" >&2
		exit 1
	}
}

key() { # key FILE
	[ -f "$1" ] ||
		quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

key ca.key
[ -f ca.pem ] || quietly openssl req -x509 -new -key ca.key -subj "/CN=tandem pair CA" -days 3650 \
	-addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
	-addext "keyUsage=critical,keyCertSign" -out ca.pem
for name in "$@"; do
	key "$name.key"
	[ ! -f "$name.pem" ] || continue
	quietly openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
	printf '%s\n' "subjectAltName=DNS:$name" "extendedKeyUsage=serverAuth,clientAuth" \
		"keyUsage=critical,digitalSignature" >"$name.ext"
	quietly openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -days 825 \
		-extfile "$name.ext" -out "$name.pem"
	rm -f "$name.csr" "$name.ext"
done
[ -f psk ] || openssl rand -hex 32 >psk
chmod 644 ./*.pem
