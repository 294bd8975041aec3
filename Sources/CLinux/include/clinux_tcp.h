// What TCP knows of a connection.
#ifndef CLINUX_TCP_H
#define CLINUX_TCP_H

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

/// Bytes that were written and that the other host has not acknowledged. The corresponding call is `ioctl(SIOCOUTQ)`.
static inline int clinux_unconfirmed(int socket)
{
	int bytes = 0;
	return ioctl(socket, SIOCOUTQ, &bytes) ? -errno : bytes;
}

#endif
