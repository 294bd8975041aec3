#define _GNU_SOURCE
#include "clinux_memory.h"

#include <malloc.h>

void clinux_frugal_memory(void)
{
	// Large blocks, such as a column of a block of records, go back to the kernel when they are freed: within the heap
	// they would leave holes. A threshold that is set does not grow.
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
	// A pool for each thread would keep what its thread has ever held.
	mallopt(M_ARENA_MAX, 2);
}
