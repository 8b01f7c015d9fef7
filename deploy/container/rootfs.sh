#!/bin/sh
# Assembles the root file system of the image: the program with the libraries it needs, root certificates and one user.
#   rootfs.sh PROGRAM DIRECTORY
set -eu
program=$1
root=$2

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/var/lib/tidings" "$root/tmp"
install -m 0755 "$program" "$root/usr/bin/tidings"

# Each library at the path at which the program looks for it.
ldd "$program" | sed -n 's/^.*=> \(\/[^ ]*\) .*$/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*$/\1/p' |
    while read -r library; do
        mkdir -p "$root${library%/*}"
        cp -L "$library" "$root$library"
    done

# For key sets at https addresses, and for databases and buses over TLS.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'tidings:x:10001:10001::/var/lib/tidings:/nonexistent' >"$root/etc/passwd"
echo 'tidings:x:10001:' >"$root/etc/group"
chmod 0700 "$root/var/lib/tidings"
chmod 1777 "$root/tmp"
# An unprivileged user can assemble it to look at it.
[ "$(id -u)" -ne 0 ] || chown 10001:10001 "$root/var/lib/tidings"
