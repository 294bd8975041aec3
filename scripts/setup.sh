#!/bin/sh
# Installs what building, testing and demonstrating Drawbridge needs on Debian 12 or later, and says what it does.
# May be run again at any time: when nothing is missing it changes nothing.
set -eu

packages="
    gcc pkg-config protobuf-compiler debhelper lintian dpkg-dev apparmor dh-apparmor python3 python3-cryptography jq
    libcurl4-openssl-dev libgpiod-dev libmosquitto-dev libmodbus-dev libssl-dev libmicrohttpd-dev libzstd-dev
    mosquitto mosquitto-clients openvpn dnsmasq-base nftables iproute2 conntrack
    mtools dosfstools udev nmap iputils-ping openssl util-linux procps tinyproxy-bin microsocks
"
swift_needed="6.2"

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "needs root to run: $* (run this script as root, or install sudo)"
    fi
}

missing_packages() {
    for package in $packages; do
        status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) || status=
        case $status in
        ii*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# The packages of the broker and the VPN start services of their own, which nobody here wants: while
# they are installed, a policy forbids it. A policy that is there already is put back afterwards.
install_without_services() {
    policy=/usr/sbin/policy-rc.d
    kept=
    if [ -e "$policy" ]; then
        kept=$policy.before-drawbridge
        as_root mv "$policy" "$kept"
    fi
    restore() {
        as_root rm -f "$policy"
        if [ -n "$kept" ]; then as_root mv "$kept" "$policy"; fi
    }
    trap restore EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
    restore
    trap - EXIT INT TERM
}

# Nor at the next boot. Only services that this run has brought are switched off.
disable_services() {
    command -v systemctl >/dev/null || return 0
    for service in "$@"; do
        as_root systemctl disable --quiet "$service" 2>/dev/null || :
    done
}

check_swift() {
    command -v swift >/dev/null ||
        fail "swift is missing: install Swift $swift_needed or later from https://www.swift.org/install/linux/"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    oldest=$(printf '%s\n' "$swift_needed" "${version:-0}" | sort -V | head -n 1)
    [ "$oldest" = "$swift_needed" ] ||
        fail "Swift ${version:-of unknown version} is too old: install $swift_needed or later from https://www.swift.org/install/linux/"
    say "Swift $version"
}

command -v dpkg-query >/dev/null || fail "this is not Debian: install the equivalents of:" $packages

missing=$(missing_packages)
if [ -n "$missing" ]; then
    say "installing: $missing"
    install_without_services $missing
    case " $missing" in *" mosquitto "*) disable_services mosquitto.service ;; esac
    case " $missing" in *" openvpn "*) disable_services openvpn.service ;; esac
    say "installed"
else
    say "all packages are there"
fi
check_swift
if [ ! -r /dev/net/tun ] || [ ! -w /dev/net/tun ]; then
    say "note: /dev/net/tun cannot be opened by $(id -un): the emulated site must run as root here"
fi
