/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The calendar of an MC146818: between a count of seconds and the chip's registers, and when its
 * alarm matches. No clock and no state of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Registers as the guest sees them, in the order of the chip: 0 seconds, 1 seconds alarm, 2
 * minutes, 3 minutes alarm, 4 hours, 5 hours alarm, 6 day of the week (1 = Sunday), 7 day, 8 month,
 * 9 year. */
enum {
    RTC_SECONDS,
    RTC_SECONDS_ALARM,
    RTC_MINUTES,
    RTC_MINUTES_ALARM,
    RTC_HOURS,
    RTC_HOURS_ALARM,
    RTC_WEEKDAY,
    RTC_DAY,
    RTC_MONTH,
    RTC_YEAR,
    RTC_REG_A,
    RTC_REG_B,
    RTC_REG_C,
    RTC_REG_D,
};

#define RTC_B_24H 0x02
#define RTC_B_BINARY 0x04

/* seconds since 1970 on the chip's own calendar (UTC or local, it does not know). */
void rtc_time_to_registers(int64_t seconds, uint8_t reg_b, uint8_t *registers, uint8_t *century);
int64_t rtc_time_from_registers(const uint8_t *registers, uint8_t reg_b, uint8_t century);
/* The first second after `after` at which the alarm registers match; INT64_MAX when they never do
 * (a value that no clock shows). */
int64_t rtc_time_next_alarm(const uint8_t *registers, uint8_t reg_b, int64_t after);
