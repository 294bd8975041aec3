#define _GNU_SOURCE
#include "clinux_memory.h"

#include <malloc.h>

void clinux_frugal_memory(void)
{
	// Large blocks go back to the kernel when they are freed. A threshold that is set does not grow.
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
	// A pool for each thread would keep what its thread has ever held.
	mallopt(M_ARENA_MAX, 2);
}
