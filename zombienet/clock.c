// SPDX-License-Identifier: Apache-2.0
//
// Gives one process (LD_PRELOAD) a wall clock under which slots pass faster than they are long: of every TOS_CLOCK_SLOT milliseconds
// it shows the last TOS_CLOCK_STEP only, at their usual pace, and leaves the others out. Whoever waits for the next slot waits
// TOS_CLOCK_STEP milliseconds at most, and has as long to make a block. With a step as long as the slot it is a clock that is wrong
// by the same amount all the time. It showed TOS_CLOCK_BASE when the true one showed TOS_CLOCK_SINCE, both in milliseconds since
// 1970. Other clocks, those that only measure how long something takes, stay as they are.

#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL

static int64_t base, since, slot, step;

__attribute__((constructor)) static void read_environment(void) {
    struct { const char *name; int64_t *to; } given[] = {
        {"TOS_CLOCK_BASE", &base}, {"TOS_CLOCK_SINCE", &since}, {"TOS_CLOCK_SLOT", &slot}, {"TOS_CLOCK_STEP", &step}};
    for (unsigned i = 0; i < sizeof given / sizeof *given; i++) {
        const char *value = getenv(given[i].name);
        *given[i].to = value ? atoll(value) * MS : 0;
    }
}

int clock_gettime(clockid_t id, struct timespec *out) {
    int failed = syscall(SYS_clock_gettime, id, out);
    if (failed || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) || step <= 0) return failed;
    int64_t passed = out->tv_sec * 1000 * MS + out->tv_nsec - since;
    if (passed < 0) passed = 0;
    int64_t shown = base + (passed / step + 1) * slot - (step - passed % step);
    out->tv_sec = shown / (1000 * MS);
    out->tv_nsec = shown % (1000 * MS);
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
