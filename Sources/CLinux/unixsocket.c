#define _GNU_SOURCE
#include "clinux_unixsocket.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

int clinux_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

pid_t clinux_peer_process(int socket)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) ? -errno : peer.pid;
}

int64_t clinux_peer_user(int socket)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) ? -errno : peer.uid;
}
