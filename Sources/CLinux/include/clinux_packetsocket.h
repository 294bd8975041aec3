// What Swift cannot see of packet sockets (packet(7)): `struct mmsghdr`.
// Every function returns its result, or -errno on failure.
#ifndef CLINUX_PACKETSOCKET_H
#define CLINUX_PACKETSOCKET_H

#include <stddef.h>
#include <stdint.h>

/// Sends the same frame `times` times (at most 64) with one call, and returns how many went out; the corresponding
/// call is `sendmmsg`.
int clinux_packet_repeat(int socket, const uint8_t *frame, size_t length, unsigned times);

#endif
