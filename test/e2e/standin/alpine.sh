#!/bin/sh
# Makes a Debian look like Alpine VERSION: busybox first, its shell as /bin/sh, apk in front of apt.
set -eu
mkdir -p /opt/busybox
busybox --install -s /opt/busybox
# Debian's package scripts need Debian's own
for tool in dpkg dpkg-deb tar ar start-stop-daemon; do rm -f "/opt/busybox/$tool"; done
ln -sf /usr/bin/busybox /bin/sh
cat > /etc/os-release <<EOF
NAME="Alpine Linux"
ID=alpine
VERSION_ID=$1.1
EOF
cat > /usr/local/bin/apk <<'EOF'
#!/bin/bash
# apk add --no-cache PACKAGES
set -eu
[ "$1" = add ] && [ "$2" = --no-cache ]
shift 2
packages=()
for name in "$@"; do
  case $name in
    build-base) packages+=(build-essential) ;;
    git | ca-certificates | openssl | postgresql-client) packages+=("$name") ;;
    libstdc++) packages+=(libstdc++6) ;;
    ncurses-libs) packages+=(libncurses6) ;;
    libgcc) packages+=(libgcc-s1) ;;
    cargo | cmake | curl) packages+=("$name") ;;
    *) echo "apk: unable to select packages: $name (no such package)" >&2; exit 1 ;;
  esac
done
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# busybox' shell prefers its own dpkg to Debian's
ln -sf dash /bin/sh
trap 'ln -sf /usr/bin/busybox /bin/sh' EXIT
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${packages[@]}"
rm -rf /var/lib/apt/lists/*
EOF
chmod 755 /usr/local/bin/apk
