// How the process holds its memory.
#ifndef CLINUX_MEMORY_H
#define CLINUX_MEMORY_H

/// Has the allocator give back what is freed, and keep few pools: before the first thread is started.
/// The corresponding C function is `mallopt`.
void clinux_frugal_memory(void);

#endif
