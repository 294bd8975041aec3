// What Swift cannot see of unix sockets: functions that glibc shows under _GNU_SOURCE only.
// Every function returns its result, or -errno on failure.
#ifndef CLINUX_UNIXSOCKET_H
#define CLINUX_UNIXSOCKET_H

#include <stdint.h>
#include <sys/types.h>

/// Accepts a connection, close-on-exec from the first moment and non-blocking; the corresponding call is
/// `accept4`.
int clinux_accept(int listener);

/// The process at the other end of a unix socket when it connected; the corresponding call is
/// `getsockopt(SO_PEERCRED)`.
pid_t clinux_peer_process(int socket);

/// The user (uid_t) that it ran as then; the same call.
int64_t clinux_peer_user(int socket);

#endif
