#ifndef CLINUX_FALLOCATE_H
#define CLINUX_FALLOCATE_H

/// fallocate(2) with mode 0, from the start of the file. Returns 0 or -errno; -EOPNOTSUPP on tmpfs, whose blocks
/// are memory.
int clinux_fallocate(int descriptor, long long bytes);

#endif
