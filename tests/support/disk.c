/* Stands between a process and the disk: records what is written and synced in one folder, and can make it fail.

   MOLTRAIL_DISK_FOLDER   the folder that is watched (a real, absolute path)
   MOLTRAIL_DISK_LOG      where the record goes; nothing is recorded without it
   MOLTRAIL_DISK_STATE    a file of one byte: '0' all is well, 'F' the disk is full, 'S' syncing fails, 'W' writing fails

   A record is: kind (W write, T truncate, S sync, X sync that failed, C create, U unlink), then path length (2 bytes),
   offset or length (8), data length (8), path, data. Numbers are little-endian. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 4096
static char *names[FILES];
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static const char *folder;
static int log_file = -1, state_file = -1;

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("MOLTRAIL_DISK_LOG"), *state = getenv("MOLTRAIL_DISK_STATE");
    folder = getenv("MOLTRAIL_DISK_FOLDER");
    if (log) log_file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (state) state_file = syscall(SYS_openat, AT_FDCWD, state, O_RDONLY | O_CLOEXEC);
}

static char state(void) {
    char now = '0';
    if (state_file >= 0) syscall(SYS_pread64, state_file, &now, 1, (off_t)0);
    return now;
}

static int watched(const char *path) {
    return folder && path && strncmp(path, folder, strlen(folder)) == 0 && !strstr(path, "-shm");
}

static const char *name_of(int fd) { return fd >= 0 && fd < FILES ? names[fd] : NULL; }

static void put(const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        long done = syscall(SYS_write, log_file, at, size);
        if (done <= 0) _exit(99);
        at += done;
        size -= done;
    }
}

static void record(char kind, const char *path, uint64_t offset, const void *data, uint64_t size) {
    if (log_file < 0) return;
    uint16_t length = strlen(path);
    put(&kind, 1);
    put(&length, 2);
    put(&offset, 8);
    put(&size, 8);
    put(path, length);
    if (size) put(data, size);
}

static int open_with(int at, const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&lock);
    int is_new = watched(path) && (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    if (is_new && state() == 'F') {
        pthread_mutex_unlock(&lock);
        errno = ENOSPC;
        return -1;
    }
    int fd = syscall(SYS_openat, at, path, flags, mode);
    int failure = errno;
    if (fd >= 0 && fd < FILES) {
        free(names[fd]);
        names[fd] = watched(path) ? strdup(path) : NULL;
        if (is_new) record('C', path, 0, NULL, 0);
        else if (names[fd] && (flags & O_TRUNC)) record('T', path, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = failure;
    return fd;
}

#define MODE                                     \
    mode_t mode = 0;                             \
    if (flags & (O_CREAT | O_TMPFILE)) {         \
        va_list more;                            \
        va_start(more, flags);                   \
        mode = va_arg(more, mode_t);             \
        va_end(more);                            \
    }
int open(const char *path, int flags, ...) { MODE return open_with(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return open_with(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return open_with(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return open_with(at, path, flags, mode); }

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (name_of(fd)) {
        free(names[fd]);
        names[fd] = NULL;
    }
    int done = syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return done;
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t offset, int positioned) {
    const char *path = name_of(fd);
    if (!path) return positioned ? syscall(SYS_pwrite64, fd, data, size, offset) : syscall(SYS_write, fd, data, size);
    pthread_mutex_lock(&lock);
    char now = state();
    ssize_t done = -1;
    int failure = now == 'F' ? ENOSPC : EIO;
    if (now != 'F' && now != 'W') {
        if (!positioned) {
            struct stat about;
            int append = (int)syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND;
            offset = append && fstat(fd, &about) == 0 ? about.st_size : syscall(SYS_lseek, fd, (off_t)0, SEEK_CUR);
        }
        done = positioned ? syscall(SYS_pwrite64, fd, data, size, offset) : syscall(SYS_write, fd, data, size);
        failure = errno;
        if (done > 0) record('W', path, offset, data, done);
    }
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}
ssize_t write(int fd, const void *data, size_t size) { return write_at(fd, data, size, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return write_at(fd, data, size, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return write_at(fd, data, size, offset, 1); }

static int cut_to(int fd, off_t size) {
    const char *path = name_of(fd);
    if (!path) return syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&lock);
    int done = syscall(SYS_ftruncate, fd, size), failure = errno;
    if (done == 0) record('T', path, size, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}
int ftruncate(int fd, off_t size) { return cut_to(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut_to(fd, size); }

static int sync_with(int fd, long call) {
    const char *path = name_of(fd);
    if (!path) return syscall(call, fd);
    pthread_mutex_lock(&lock);
    int done = -1, failure = EIO;
    if (state() != 'S') { /* the file system keeps what it has: only the record counts for a power cut */
        done = 0;
        record('S', path, 0, NULL, 0);
    } else {
        record('X', path, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}
int fsync(int fd) { return sync_with(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_with(fd, SYS_fdatasync); }

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int done = syscall(SYS_unlinkat, AT_FDCWD, path, 0), failure = errno;
    if (done == 0 && watched(path)) record('U', path, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failure;
    return done;
}
