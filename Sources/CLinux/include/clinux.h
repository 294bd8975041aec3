// What Swift cannot see of the kernel's interface: request codes, variadics, missing wrappers.
// Every function returns its result, or -errno on failure.
#ifndef CLINUX_H
#define CLINUX_H

#include "clinux_clock.h"
#include "clinux_fallocate.h"
#include "clinux_memory.h"
#include "clinux_packetsocket.h"
#include "clinux_tcp.h"
#include "clinux_tunnel.h"

#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

/// The corresponding kernel call is `pidfd_open`. The descriptor is close-on-exec.
int clinux_pidfd_open(pid_t pid);

/// The corresponding kernel call is `pidfd_send_signal`.
int clinux_pidfd_send_signal(int pidfd, int signal);

/// The exit status as `waitid(P_PIDFD)` reports it, reaped: 0…255 for an exit, 256 + signal for a kill.
int clinux_pidfd_reap(int pidfd);

/// Starts argv[0] (an absolute path) with an empty signal mask, default signal actions, in a session of its own
/// (so it has no terminal, and leads a process group).
/// `stdio` are the three descriptors to become 0, 1, 2; the child gets no others.
/// Returns the process id.
int clinux_spawn(const char *const argv[], const char *const envp[], const int stdio[3]);

/// Both ends of a pipe, close-on-exec: read end in `ends[0]`. The corresponding call is `pipe2`.
int clinux_pipe(int ends[2]);

/// Makes this thread, and no thread that it starts, real-time (`SCHED_FIFO`); the corresponding call is
/// `sched_setscheduler`.
int clinux_realtime_thread(int priority);

/// Keeps every page of the process in memory, present and future, once it has been used.
/// The corresponding call is `mlockall`.
int clinux_lock_memory(void);

/// Sets the nice value of the calling thread and, when it is negative, of no thread that it starts; the
/// corresponding call is `setpriority`.
int clinux_nice_thread(int value);

/// Moves the calling thread, and it alone, into a new network namespace (for tests and the emulated site).
/// The corresponding call is `unshare(CLONE_NEWNET)`.
int clinux_new_network_namespace(void);

/// Gives the calling thread a descriptor table of its own, with nothing in it but 0, 1 and 2.
/// The corresponding call is `close_range(CLOSE_RANGE_UNSHARE)`.
int clinux_private_descriptors(void);

/// Names the calling thread, at most 15 bytes; the corresponding call is `pthread_setname_np`.
int clinux_name_thread(const char *name);

#endif
