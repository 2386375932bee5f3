/*
 * A clock that can be moved, for targets that cannot live with libfaketime. Preloaded, it adds the offset
 * in FAKETIME_TIMESTAMP_FILE ("+61.500000000") to the time of day; the monotonic clock stays real.
 *
 * - Varnish: libfaketime allocates memory when it first looks at a clock, jemalloc looks at a clock when it
 *   first allocates, and neither gets any further. This one never allocates: it reads the file with system
 *   calls, at each look.
 * - HAProxy: a time of day that jumps while it waits for events is a mistake of the machine for it, which
 *   it leaves out of its own time. So a jump is held back until it has come back from waiting once more:
 *   then the time has passed while it was busy, which it believes. (One thread only.)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BILLION 1000000000LL
#define EVENTS 1024

/* The offset in nanoseconds that the file names now; what it was where it cannot be read. */
static long long named(long long before)
{
    const char *path = getenv("FAKETIME_TIMESTAMP_FILE");
    char text[64] = "";
    int error = errno;
    int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    long size = file < 0 ? -1 : syscall(SYS_read, file, text, sizeof text - 1);
    long long seconds = 0, fraction = 0, unit = BILLION;
    char *at = text + 1;

    if (file >= 0)
        syscall(SYS_close, file);
    errno = error;
    if (size < 2 || text[0] != '+')
        return before;
    for (; *at >= '0' && *at <= '9'; at++)
        seconds = seconds * 10 + (*at - '0');
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9' && unit > 1; at++)
            fraction += (*at - '0') * (unit /= 10);
    return seconds * BILLION + fraction;
}

/* The offset in force. */
static long long in_force;

/* Held back (HAProxy): the offset to come, and whether one more look at the clock has the old one. */
static long long to_come;
static int one_more_look;
static struct epoll_event kept[EVENTS];
static int kept_count;

static int holds_back(void)
{
    static int known = -1;

    if (known < 0)
        known = getenv("EDGEPROOF_CLOCK_HELD_BACK") != NULL;
    return known;
}

static long long offset(void)
{
    if (!holds_back())
        return named(0);
    if (one_more_look)
        one_more_look = 0;
    else
        in_force = to_come;
    return in_force;
}

static void now(struct timespec *into)
{
    long long by = offset();

    syscall(SYS_clock_gettime, CLOCK_REALTIME, into);
    into->tv_sec += by / BILLION;
    into->tv_nsec += by % BILLION;
    if (into->tv_nsec >= BILLION) {
        into->tv_nsec -= BILLION;
        into->tv_sec++;
    }
}

int clock_gettime(clockid_t clock, struct timespec *into)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
        return (int)syscall(SYS_clock_gettime, clock, into);
    now(into);
    return 0;
}

int gettimeofday(struct timeval *restrict into, void *restrict zone)
{
    struct timespec moment;

    (void)zone;
    now(&moment);
    into->tv_sec = moment.tv_sec;
    into->tv_usec = moment.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into)
{
    struct timespec moment;

    now(&moment);
    if (into)
        *into = moment.tv_sec;
    return moment.tv_sec;
}

/* A jump that is seen here is told as an interruption; what happened meanwhile is given at the next call. */
int epoll_wait(int poller, struct epoll_event *events, int most, int timeout)
{
    int count;

    if (kept_count > 0) {
        count = kept_count < most ? kept_count : most;
        memcpy(events, kept, count * sizeof *events);
        memmove(kept, kept + count, (kept_count - count) * sizeof *kept);
        kept_count -= count;
        return count;
    }
    count = (int)syscall(SYS_epoll_pwait, poller, events, most, timeout, NULL, 8);
    if (count < 0 || count > EVENTS || !holds_back() || named(in_force) == in_force)
        return count;
    to_come = named(in_force);
    one_more_look = 1;
    kept_count = count;
    memcpy(kept, events, count * sizeof *events);
    errno = EINTR;
    return -1;
}
