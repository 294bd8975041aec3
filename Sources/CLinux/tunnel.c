#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int attach(const char *name)
{
	struct ifreq request = {0};
	if (strlen(name) >= sizeof request.ifr_name)
		return -ENAMETOOLONG;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	strcpy(request.ifr_name, name);
	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (!ioctl(fd, TUNSETIFF, &request))
		return fd;
	int code = errno;
	close(fd);
	return -code;
}

static int persist(const char *name, int stays)
{
	int fd = attach(name);
	if (fd < 0)
		return fd;
	int failed = (stays && ioctl(fd, TUNSETOWNER, (long)geteuid())) || ioctl(fd, TUNSETPERSIST, (long)stays);
	int code = errno;
	close(fd);
	return failed ? -code : 0;
}

int clinux_tun_make(const char *name) { return persist(name, 1); }

int clinux_tun_remove(const char *name) { return if_nametoindex(name) ? persist(name, 0) : 0; }

static int set(int fd, const char *name, unsigned long order, uint32_t address)
{
	struct ifreq request = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
	strcpy(request.ifr_name, name);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = address;
	return ioctl(fd, order, &request);
}

int clinux_interface_up(const char *name, uint32_t address, uint32_t mask)
{
	struct ifreq request = {0};
	if (strlen(name) >= sizeof request.ifr_name)
		return -ENAMETOOLONG;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	strcpy(request.ifr_name, name);
	int failed = set(fd, name, SIOCSIFADDR, address) || set(fd, name, SIOCSIFNETMASK, mask) ||
		     ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP;
	failed = failed || ioctl(fd, SIOCSIFFLAGS, &request);
	int code = errno;
	close(fd);
	return failed ? -code : 0;
}

struct order {
	const char *const *argv;
	const char *const *envp;
	const int *stdio;
	int result;
};

static void *spawn_bare(void *context)
{
	struct order *order = context;
	order->result = -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return NULL;
	// Root would have them all again by execve; whoever may not drop them here is not root, and will not.
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) && geteuid() == 0)
			return NULL;
	order->result = clinux_spawn(order->argv, order->envp, order->stdio);
	return NULL;
}

int clinux_spawn_bare(const char *const argv[], const char *const envp[], const int stdio[3])
{
	struct order order = {argv, envp, stdio, 0};
	pthread_t thread;
	int code = pthread_create(&thread, NULL, spawn_bare, &order);
	if (code)
		return -code;
	pthread_join(thread, NULL);
	return order.result;
}
