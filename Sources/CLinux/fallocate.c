#define _GNU_SOURCE
#include "clinux_fallocate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

int clinux_fallocate(int descriptor, long long bytes) {
    struct statfs system;
    if (fstatfs(descriptor, &system) == 0 && system.f_type == TMPFS_MAGIC) return -EOPNOTSUPP;
    return fallocate(descriptor, 0, 0, bytes) == 0 ? 0 : -errno;
}
