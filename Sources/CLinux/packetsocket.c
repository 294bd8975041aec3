#define _GNU_SOURCE
#include "clinux_packetsocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_ll place(int interface_index) {
    struct sockaddr_ll address = {0};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_IP);
    address.sll_ifindex = interface_index;
    return address;
}

int clinux_packet_socket(int interface_index) {
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
    if (fd < 0) return -errno;
    struct sockaddr_ll address = place(interface_index);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int code = errno;
        close(fd);
        return -code;
    }
    return fd;
}

int clinux_packet_send(int fd, int interface_index, const uint8_t *hardware, const uint8_t *packet, size_t length) {
    struct sockaddr_ll address = place(interface_index);
    address.sll_halen = ETH_ALEN;
    memcpy(address.sll_addr, hardware, ETH_ALEN);
    ssize_t sent = sendto(fd, packet, length, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address);
    return sent < 0 ? -errno : (int)sent;
}

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
