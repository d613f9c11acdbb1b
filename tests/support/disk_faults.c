/* A disk that fails on demand: preloaded, it makes writes and syncs of files below FAULT_DIRECTORY fail as the control
 * file says. The control file is mapped by both sides and holds five 64-bit numbers:
 *   0  number of operations that still go through before the first failure
 *   1  number of operations that fail from then on
 *   2  errno of the failures
 *   3  number of operations so far
 *   4  number of failed ones
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static volatile int64_t *control;
static const char *directory;
static __thread int inside;

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("FAULT_CONTROL");
    directory = getenv("FAULT_DIRECTORY");
    if (!path || !directory) return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED) control = mapped;
}

static int is_watched(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strncmp(path, directory, strlen(directory)) == 0;
}

static int fails(int fd) {
    if (!control || inside) return 0;
    inside = 1;
    int watched = is_watched(fd);
    inside = 0;
    if (!watched) return 0;
    __sync_fetch_and_add(&control[3], 1);
    if (control[1] <= 0) return 0;
    if (control[0] > 0) {
        __sync_fetch_and_sub(&control[0], 1);
        return 0;
    }
    __sync_fetch_and_sub(&control[1], 1);
    __sync_fetch_and_add(&control[4], 1);
    errno = (int)control[2];
    return 1;
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *buffer, size_t count) {
    NEXT(write);
    return fails(fd) ? -1 : next(fd, buffer, count);
}

ssize_t pwrite(int fd, const void *buffer, size_t count, off_t offset) {
    NEXT(pwrite);
    return fails(fd) ? -1 : next(fd, buffer, count, offset);
}

ssize_t pwrite64(int fd, const void *buffer, size_t count, off64_t offset) {
    NEXT(pwrite64);
    return fails(fd) ? -1 : next(fd, buffer, count, offset);
}

int fsync(int fd) {
    NEXT(fsync);
    return fails(fd) ? -1 : next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    return fails(fd) ? -1 : next(fd);
}

int ftruncate(int fd, off_t length) {
    NEXT(ftruncate);
    return fails(fd) ? -1 : next(fd, length);
}

int ftruncate64(int fd, off64_t length) {
    NEXT(ftruncate64);
    return fails(fd) ? -1 : next(fd, length);
}
