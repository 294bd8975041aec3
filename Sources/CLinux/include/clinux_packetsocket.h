// What Swift cannot see of packet sockets (packet(7)): `struct sockaddr_ll`.
// Every function returns its result, or -errno on failure.
#ifndef CLINUX_PACKETSOCKET_H
#define CLINUX_PACKETSOCKET_H

#include <stddef.h>
#include <stdint.h>

/// A socket that sends IPv4 packets on one interface and hears those that come in on it, without their link-layer
/// headers, close-on-exec. The corresponding calls are `socket(AF_PACKET, SOCK_DGRAM)` and `bind`.
int clinux_packet_socket(int interface_index);

/// Sends an IPv4 packet to a hardware address of six bytes; the corresponding call is `sendto`.
int clinux_packet_send(int socket, int interface_index, const uint8_t *hardware, const uint8_t *packet, size_t length);

/// Sends the same frame `times` times (at most 64) with one call, and returns how many went out; the corresponding
/// call is `sendmmsg`.
int clinux_packet_repeat(int socket, const uint8_t *frame, size_t length, unsigned times);

#endif
