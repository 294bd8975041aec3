#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_pidfd_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

int clinux_pidfd_send_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) ? -errno : 0;
}

int clinux_pidfd_reap(int pidfd)
{
	siginfo_t info = { 0 };
	while (waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &info, WEXITED))
		if (errno != EINTR)
			return -errno;
	return info.si_code == CLD_EXITED ? info.si_status : 256 + info.si_status;
}

int clinux_spawn(const char *const argv[], const char *const envp[], const int stdio[3])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	pid_t pid = 0;
	int rc;

	if ((rc = posix_spawn_file_actions_init(&actions)))
		return -rc;
	if ((rc = posix_spawnattr_init(&attributes))) {
		posix_spawn_file_actions_destroy(&actions);
		return -rc;
	}
	for (int i = 0; i < 3 && !rc; i++)
		rc = posix_spawn_file_actions_adddup2(&actions, stdio[i], i);
	// Not every library opens its sockets close-on-exec, nor does everybody who starts us.
	if (!rc) rc = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	// A child of a Swift task would inherit libdispatch's blocked signals and ignore SIGTERM.
	sigemptyset(&none);
	sigfillset(&all);
	if (!rc) rc = posix_spawnattr_setsigmask(&attributes, &none);
	if (!rc) rc = posix_spawnattr_setsigdefault(&attributes, &all);
	// A session of its own: a child that opens /dev/tty (nmap does, to wait for keys; openvpn, to ask for
	// a passphrase) would be stopped there as a background job, for ever.
	if (!rc)
		rc = posix_spawnattr_setflags(&attributes,
			POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	if (!rc)
		rc = posix_spawn(&pid, argv[0], &actions, &attributes,
			(char *const *)argv, (char *const *)envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc ? -rc : pid;
}

int clinux_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC) ? -errno : 0;
}

int clinux_realtime_thread(int priority)
{
	struct sched_param param = { .sched_priority = priority };
	// Reset on fork: a pool thread that the runtime starts from here must stay an ordinary one.
	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) ? -errno : 0;
}

int clinux_lock_memory(void)
{
	// On fault: the stacks of all threads would otherwise become resident as a whole.
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ? -errno : 0;
}

int clinux_nice_thread(int value)
{
	struct sched_param param = { 0 };
	if (sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &param))
		return -errno;
	return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), value) ? -errno : 0;
}

int clinux_private_descriptors(void)
{
	return close_range(3, ~0U, CLOSE_RANGE_UNSHARE) ? -errno : 0;
}

int clinux_name_thread(const char *name)
{
	return -pthread_setname_np(pthread_self(), name);
}

int clinux_new_network_namespace(void)
{
	return unshare(CLONE_NEWNET) ? -errno : 0;
}
