#define _GNU_SOURCE
#include "clinux_fallocate.h"

#include <errno.h>
#include <fcntl.h>

int clinux_fallocate(int descriptor, long long bytes) {
    return fallocate(descriptor, 0, 0, bytes) == 0 ? 0 : -errno;
}
