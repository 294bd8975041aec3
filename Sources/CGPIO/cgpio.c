#include "cgpio.h"

#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// libgpiod 2 dropped both macros together with the old interface.
#if defined(GPIOD_BIT) || defined(GPIOD_LINE_BULK_MAX_LINES)
#define CGPIO_V1 1
#else
#define CGPIO_V1 0
#endif

struct cgpio {
	struct gpiod_chip *chip;
	unsigned int offset;
	int fd;
#if CGPIO_V1
	struct gpiod_line *line;
#else
	struct gpiod_line_request *request;
#endif
};

// libgpiod promises errno on every failure; a library that forgot must not look like success.
static int failure(void)
{
	return errno > 0 ? -errno : -EIO;
}

static int holder_text(bool used, const char *name, char *consumer, size_t size)
{
	if (size) {
		strncpy(consumer, used && name ? name : "", size - 1);
		consumer[size - 1] = 0;
	}
	return used;
}

int cgpio_open(const char *path, struct cgpio **gpio)
{
	struct cgpio *new = calloc(1, sizeof *new);
	if (!new)
		return -ENOMEM;
	new->fd = -1;
	new->chip = gpiod_chip_open(path);
	if (!new->chip) {
		int rc = failure();
		free(new);
		return rc;
	}
	*gpio = new;
	return 0;
}

int cgpio_event_fd(const struct cgpio *gpio)
{
	return gpio->fd;
}

// The kernel's event records are read raw: of their contents only the time matters, which comes first in
// both versions of the interface, and both give whole records to a buffer that has room for several.
int cgpio_drain(struct cgpio *gpio, uint64_t *first)
{
	uint64_t records[256];
	int seen = 0;

	// Bounded: while a line bounces faster than we read, there is always one more.
	for (int round = 0; round < 8; round++) {
		ssize_t count = read(gpio->fd, records, sizeof records);
		if (count > 0) {
			if (!seen)
				*first = records[0];
			seen = 1;
		} else if (count == 0)
			return -ENODEV;
		else if (errno == EAGAIN)
			return seen;
		else if (errno != EINTR)
			return failure();
	}
	return seen;
}

static int without_blocking(struct cgpio *gpio, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return failure();
	gpio->fd = fd;
	return 0;
}

#if CGPIO_V1

int cgpio_find(struct cgpio *gpio, const char *name)
{
	struct gpiod_line *line = gpiod_chip_find_line(gpio->chip, name);
	return line ? (int)gpiod_line_offset(line) : failure();
}

int cgpio_holder(struct cgpio *gpio, unsigned int offset, char *consumer, size_t size)
{
	struct gpiod_line *line = gpiod_chip_get_line(gpio->chip, offset);
	if (!line || gpiod_line_update(line))
		return failure();
	return holder_text(gpiod_line_is_used(line), gpiod_line_consumer(line), consumer, size);
}

int cgpio_request(struct cgpio *gpio, unsigned int offset, enum cgpio_bias bias, const char *consumer)
{
	static const int flags[] = {
		[CGPIO_BIAS_AS_IS] = 0,
		[CGPIO_BIAS_PULL_UP] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
		[CGPIO_BIAS_PULL_DOWN] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN,
		[CGPIO_BIAS_DISABLED] = GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE,
	};
	struct gpiod_line *line = gpiod_chip_get_line(gpio->chip, offset);
	int fd;

	if (!line || gpiod_line_request_both_edges_events_flags(line, consumer, flags[bias]))
		return failure();
	gpio->line = line;
	gpio->offset = offset;
	fd = gpiod_line_event_get_fd(line);
	return fd < 0 ? failure() : without_blocking(gpio, fd);
}

int cgpio_level(struct cgpio *gpio)
{
	int value = gpiod_line_get_value(gpio->line);
	return value < 0 ? failure() : value;
}

int cgpio_request_output(struct cgpio *gpio, unsigned int offset, int level, const char *consumer)
{
	struct gpiod_line *line = gpiod_chip_get_line(gpio->chip, offset);

	if (!line || gpiod_line_request_output(line, consumer, level))
		return failure();
	gpio->line = line;
	gpio->offset = offset;
	return 0;
}

int cgpio_set(struct cgpio *gpio, int level)
{
	return gpiod_line_set_value(gpio->line, level) ? failure() : 0;
}

void cgpio_close(struct cgpio *gpio)
{
	if (gpio->line)
		gpiod_line_release(gpio->line);
	gpiod_chip_close(gpio->chip);
	free(gpio);
}

#else

int cgpio_find(struct cgpio *gpio, const char *name)
{
	int offset = gpiod_chip_get_line_offset_from_name(gpio->chip, name);
	return offset < 0 ? failure() : offset;
}

int cgpio_holder(struct cgpio *gpio, unsigned int offset, char *consumer, size_t size)
{
	struct gpiod_line_info *info = gpiod_chip_get_line_info(gpio->chip, offset);
	int used;

	if (!info)
		return failure();
	used = holder_text(
		gpiod_line_info_is_used(info), gpiod_line_info_get_consumer(info), consumer, size);
	gpiod_line_info_free(info);
	return used;
}

// Requests one line with these settings, which may be NULL (no memory), and frees them.
static int request_line(
	struct cgpio *gpio, unsigned int offset, struct gpiod_line_settings *settings, const char *consumer)
{
	struct gpiod_line_config *lines = gpiod_line_config_new();
	struct gpiod_request_config *request = gpiod_request_config_new();
	int rc = 0;

	if (!settings || !lines || !request)
		rc = -ENOMEM;
	else if (gpiod_line_config_add_line_settings(lines, &offset, 1, settings))
		rc = failure();
	if (!rc) {
		gpiod_request_config_set_consumer(request, consumer);
		gpio->request = gpiod_chip_request_lines(gpio->chip, request, lines);
		if (!gpio->request)
			rc = failure();
		gpio->offset = offset;
	}
	// All three release functions take NULL.
	gpiod_request_config_free(request);
	gpiod_line_config_free(lines);
	gpiod_line_settings_free(settings);
	return rc;
}

int cgpio_request(struct cgpio *gpio, unsigned int offset, enum cgpio_bias bias, const char *consumer)
{
	static const enum gpiod_line_bias biases[] = {
		[CGPIO_BIAS_AS_IS] = GPIOD_LINE_BIAS_AS_IS,
		[CGPIO_BIAS_PULL_UP] = GPIOD_LINE_BIAS_PULL_UP,
		[CGPIO_BIAS_PULL_DOWN] = GPIOD_LINE_BIAS_PULL_DOWN,
		[CGPIO_BIAS_DISABLED] = GPIOD_LINE_BIAS_DISABLED,
	};
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	int rc;

	if (settings &&
	    (gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT) ||
	     gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH) ||
	     gpiod_line_settings_set_bias(settings, biases[bias]))) {
		rc = failure();
		gpiod_line_settings_free(settings);
		return rc;
	}
	rc = request_line(gpio, offset, settings, consumer);
	return rc ? rc : without_blocking(gpio, gpiod_line_request_get_fd(gpio->request));
}

int cgpio_request_output(struct cgpio *gpio, unsigned int offset, int level, const char *consumer)
{
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	int rc;

	if (settings &&
	    (gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT) ||
	     gpiod_line_settings_set_output_value(
		     settings, level ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE))) {
		rc = failure();
		gpiod_line_settings_free(settings);
		return rc;
	}
	return request_line(gpio, offset, settings, consumer);
}

int cgpio_set(struct cgpio *gpio, int level)
{
	enum gpiod_line_value value = level ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
	return gpiod_line_request_set_value(gpio->request, gpio->offset, value) ? failure() : 0;
}

int cgpio_level(struct cgpio *gpio)
{
	enum gpiod_line_value value = gpiod_line_request_get_value(gpio->request, gpio->offset);
	return value == GPIOD_LINE_VALUE_ERROR ? failure() : value == GPIOD_LINE_VALUE_ACTIVE;
}

void cgpio_close(struct cgpio *gpio)
{
	if (gpio->request)
		gpiod_line_request_release(gpio->request);
	gpiod_chip_close(gpio->chip);
	free(gpio);
}

#endif
