// One line of a GPIO chip, input or output, the same over libgpiod 1.6 (Debian 12) and 2.x (Debian 13).
// Every function returns its result, or -errno on failure. One thread at a time.
#ifndef CGPIO_H
#define CGPIO_H

#include <stddef.h>
#include <stdint.h>

/// An open chip and, once requested, one of its lines.
struct cgpio;

/// What pulls an unconnected line.
enum cgpio_bias {
	CGPIO_BIAS_AS_IS = 0,
	CGPIO_BIAS_PULL_UP,
	CGPIO_BIAS_PULL_DOWN,
	CGPIO_BIAS_DISABLED,
};

/// Opens a chip by the path of its character device; the libgpiod function is `gpiod_chip_open`.
int cgpio_open(const char *path, struct cgpio **gpio);

/// The offset of the first line with this name, or -ENOENT.
int cgpio_find(struct cgpio *gpio, const char *name);

/// Who holds a line, as text of at most `size` - 1 bytes; 0 when nobody does, 1 when somebody does.
int cgpio_holder(struct cgpio *gpio, unsigned int offset, char *consumer, size_t size);

/// Requests a line as input with events on both edges. -EBUSY: somebody else holds it.
int cgpio_request(struct cgpio *gpio, unsigned int offset, enum cgpio_bias bias, const char *consumer);

/// Requests a line as output with this level (0 low, 1 high). -EBUSY: somebody else holds it.
int cgpio_request_output(struct cgpio *gpio, unsigned int offset, int level, const char *consumer);

/// Sets the level of a line that was requested as output.
int cgpio_set(struct cgpio *gpio, int level);

/// The descriptor that is readable when edges wait; it stays open until `cgpio_close`.
int cgpio_event_fd(const struct cgpio *gpio);

/// Reads the waiting edges away without blocking: 0 when there was none, 1 when there was one or more.
/// An event means "look again": the kernel keeps 16 and drops the rest, so their contents are not used,
/// but for the time of the first (`CLOCK_MONOTONIC`, ns), which is left in `first` when there was one.
int cgpio_drain(struct cgpio *gpio, uint64_t *first);

/// The physical level of the requested line now: 0 low, 1 high.
int cgpio_level(struct cgpio *gpio);

/// Releases the line and closes the chip.
void cgpio_close(struct cgpio *gpio);

#endif
