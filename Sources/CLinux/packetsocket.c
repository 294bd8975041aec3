#define _GNU_SOURCE
#include "clinux_packetsocket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int clinux_packet_repeat(int socket, const uint8_t *frame, size_t length, unsigned times) {
    struct iovec part = {.iov_base = (void *)frame, .iov_len = length};
    struct mmsghdr messages[64];
    if (times > 64) return -EINVAL;
    memset(messages, 0, sizeof messages);
    for (unsigned index = 0; index < times; index++) {
        messages[index].msg_hdr.msg_iov = &part;
        messages[index].msg_hdr.msg_iovlen = 1;
    }
    int sent = sendmmsg(socket, messages, times, 0);
    return sent < 0 ? -errno : sent;
}
