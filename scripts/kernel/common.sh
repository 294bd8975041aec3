# Where the test kernel is; sourced by the scripts beside this one, and `Tests/Support/Kernel.swift` looks there too.
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/drawbridge-kernel
# A kernel that is ready already, or the one that `build` leaves here.
kernel=${DRAWBRIDGE_KERNEL:-$cache/linux}
