#ifndef CLINUX_TUNNEL_H
#define CLINUX_TUNNEL_H

#include <stdint.h>

/// Makes a tun device that stays until it is removed, for programs of our own user; returns 0 or -errno.
/// The corresponding calls are TUNSETIFF, TUNSETOWNER and TUNSETPERSIST of /dev/net/tun.
int clinux_tun_make(const char *name);

/// Removes it; -EBUSY while a program has it open.
int clinux_tun_remove(const char *name);

/// Gives an interface its one IPv4 address and network mask, in network byte order, and sets it up; 0 or -errno.
/// The corresponding calls are SIOCSIFADDR, SIOCSIFNETMASK and SIOCSIFFLAGS.
int clinux_interface_up(const char *name, uint32_t address, uint32_t mask);

/// Starts a program as `clinux_spawn` does, but without a single capability and without a way to gain any
/// (no_new_privs): these are a thread's, so a thread of its own gives them up and starts it.
int clinux_spawn_bare(const char *const argv[], const char *const envp[], const int stdio[3]);

#endif
