#include "render/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

bool render_wire_send(int socket, const void *bytes, size_t len, int fd)
{
    const char *p = bytes;
    while (len > 0) {
        struct iovec part = {(void *)p, len};
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr align;
        } control;
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        if (fd >= 0) {
            memset(&control, 0, sizeof control);
            message.msg_control = control.bytes;
            message.msg_controllen = sizeof control.bytes;
            struct cmsghdr *head = CMSG_FIRSTHDR(&message);
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            head->cmsg_len = CMSG_LEN(sizeof fd);
            memcpy(CMSG_DATA(head), &fd, sizeof fd);
        }
        ssize_t put = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        fd = -1;
        p += put;
        len -= (size_t)put;
    }
    return true;
}

/* Keeps the first descriptor of a message and closes any other. */
static void keep_descriptor(struct msghdr *message, int *fd)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        int got;
        memcpy(&got, CMSG_DATA(head), sizeof got);
        if (fd != NULL && *fd < 0) {
            *fd = got;
        } else {
            close(got);
        }
    }
}

static bool wait_readable(int socket, double deadline)
{
    for (;;) {
        int wait_ms = -1;
        if (deadline > 0) {
            double left = deadline - glmv_now();
            if (left <= 0) {
                return false;
            }
            wait_ms = left > 1000 ? 1000000 : (int)(left * 1000) + 1;
        }
        struct pollfd one = {.fd = socket, .events = POLLIN};
        int n = poll(&one, 1, wait_ms);
        if (n > 0) {
            return true;
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
    }
}

bool render_wire_receive(int socket, void *bytes, size_t len, int *fd, double deadline)
{
    if (fd != NULL) {
        *fd = -1;
    }
    char *p = bytes;
    while (len > 0) {
        if (!wait_readable(socket, deadline)) {
            return false;
        }
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr align;
        } control;
        struct iovec part = {p, len};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof control.bytes};
        ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        keep_descriptor(&message, fd);
        p += got;
        len -= (size_t)got;
    }
    return true;
}
