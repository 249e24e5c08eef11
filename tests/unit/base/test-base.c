/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * base: checksums against RFC 3720's examples, clocks and waits, the log and its limit. */
#include "vmm/base/clock.h"
#include "vmm/base/crc32c.h"
#include "vmm/base/log.h"

#include <string.h>

#define MS 1000000ull

static void
test_crc32c(void)
{
    uint8_t data[32] = {0};

    /* RFC 3720, B.4 */
    g_assert_cmphex(base_crc32c(0, data, 32), ==, 0x8a9136aa);
    memset(data, 0xff, 32);
    g_assert_cmphex(base_crc32c(0, data, 32), ==, 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        data[i] = (uint8_t)i;
    g_assert_cmphex(base_crc32c(0, data, 32), ==, 0x46dd794e);
    g_assert_cmphex(base_crc32c(base_crc32c(0, data, 5), data + 5, 27), ==, 0x46dd794e);
}

static void
test_sleep(void)
{
    const uint64_t start = base_clock_ns();

    base_clock_sleep_until(start + 3 * MS);
    g_assert_cmpuint(base_clock_ns() - start, >=, 3 * MS);
    base_clock_sleep_until(start); /* past: returns at once */
    g_assert_cmpint(base_clock_wall_ns(), >, 1700000000ll * 1000000000);
}

static void *
wake_later(void *waiter)
{
    g_usleep(5000);
    base_waiter_wake(waiter);
    return NULL;
}

static void
test_waiter(void)
{
    BaseWaiter *waiter = base_waiter_new();
    const uint64_t start = base_clock_ns();
    GThread *thread;

    g_assert_false(base_waiter_wait_until(waiter, start + 2 * MS));
    g_assert_cmpuint(base_clock_ns() - start, >=, 2 * MS);
    /* A wake before the wait is not lost, and counts once. */
    base_waiter_wake(waiter);
    base_waiter_wake(waiter);
    g_assert_true(base_waiter_wait_until(waiter, UINT64_MAX));
    g_assert_false(base_waiter_wait_until(waiter, base_clock_ns()));
    thread = g_thread_new("waker", wake_later, waiter);
    g_assert_true(base_waiter_wait_until(waiter, UINT64_MAX));
    g_thread_join(thread);
    base_waiter_free(waiter);
}

static void
collect(void *user, const char *line)
{
    g_ptr_array_add(user, g_strdup(line));
}

static void
test_log(void)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    BaseLog *log = base_log_new(collect, lines);
    g_autofree char *endless = g_strnfill(5000, 'x');

    base_log(log, "vm", "one\ntwo %d\n", 2);
    base_log(log, "ide/0", "bad\033[31m \x80 name");
    base_log(log, "vm", "%s", endless);
    g_assert_cmpuint(lines->len, ==, 4);
    g_assert_cmpstr(lines->pdata[0], ==, "vm: one");
    g_assert_cmpstr(lines->pdata[1], ==, "vm: two 2");
    g_assert_null(strchr(lines->pdata[2], '\033'));
    g_assert_true(g_utf8_validate(lines->pdata[2], -1, NULL));
    g_assert_cmpuint(strlen(lines->pdata[3]), <=, BASE_LOG_LINE_MAX);
    base_log_free(log);
    g_ptr_array_free(lines, TRUE);
}

static void
test_log_limit(void)
{
    BaseLogLimit limit = {.burst = 3, .interval_ns = 100};
    uint32_t dropped;

    g_mutex_init(&limit.lock);
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(base_log_allow(&limit, 1000, &dropped));
    g_assert_false(base_log_allow(&limit, 1000, &dropped));
    g_assert_false(base_log_allow(&limit, 1099, &dropped));
    g_assert_true(base_log_allow(&limit, 1100, &dropped));
    g_assert_cmpuint(dropped, ==, 2);
    g_assert_false(base_log_allow(&limit, 1150, &dropped));
    /* After a long silence everything is allowed again. */
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(base_log_allow(&limit, 100000, &dropped));
    g_assert_false(base_log_allow(&limit, 100000, &dropped));
    g_mutex_clear(&limit.lock);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/crc32c", test_crc32c);
    g_test_add_func("/base/sleep", test_sleep);
    g_test_add_func("/base/waiter", test_waiter);
    g_test_add_func("/base/log", test_log);
    g_test_add_func("/base/log-limit", test_log_limit);
    return g_test_run();
}
