/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The calendar of an MC146818: see the header. Motorola MC146818A data sheet, "Time, calendar and
 * alarm locations"; days are counted on the proleptic Gregorian calendar. */
#include "devices/chipset/rtc-time.h"

#define DAY_SECONDS 86400

static uint8_t
rtc_encode(unsigned value, uint8_t reg_b)
{
    return (uint8_t)(reg_b & RTC_B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned
rtc_decode(uint8_t value, uint8_t reg_b)
{
    return reg_b & RTC_B_BINARY ? value : (value >> 4) * 10u + (value & 15u);
}

static uint8_t
rtc_encode_hour(unsigned hour, uint8_t reg_b)
{
    if (reg_b & RTC_B_24H)
        return rtc_encode(hour, reg_b);
    return (uint8_t)(rtc_encode(hour % 12 ? hour % 12 : 12, reg_b) | (hour >= 12 ? 0x80 : 0));
}

static unsigned
rtc_decode_hour(uint8_t value, uint8_t reg_b)
{
    if (reg_b & RTC_B_24H)
        return rtc_decode(value, reg_b);
    return rtc_decode(value & 0x7f, reg_b) % 12 + (value & 0x80 ? 12 : 0);
}

/* Days since 1970-01-01 of a date; month 1..12. Years are counted from March, so that the leap day
 * is the last of its year. */
static int64_t
rtc_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;

    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
rtc_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;

    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t march_month = (5 * of_year + 2) / 153;

    *day = (unsigned)(of_year - (153 * march_month + 2) / 5 + 1);
    *month = (unsigned)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = years + era * 400 + (*month <= 2);
}

void
rtc_time_to_registers(int64_t seconds, uint8_t reg_b, uint8_t *registers, uint8_t *century)
{
    int64_t days = seconds / DAY_SECONDS;
    int64_t rest = seconds % DAY_SECONDS;
    int64_t year;
    unsigned month, day;

    if (rest < 0) {
        rest += DAY_SECONDS;
        days--;
    }
    rtc_date(days, &year, &month, &day);
    registers[RTC_SECONDS] = rtc_encode((unsigned)(rest % 60), reg_b);
    registers[RTC_MINUTES] = rtc_encode((unsigned)(rest / 60 % 60), reg_b);
    registers[RTC_HOURS] = rtc_encode_hour((unsigned)(rest / 3600), reg_b);
    registers[RTC_WEEKDAY] = rtc_encode((unsigned)(((days + 4) % 7 + 7) % 7 + 1), reg_b);
    registers[RTC_DAY] = rtc_encode(day, reg_b);
    registers[RTC_MONTH] = rtc_encode(month, reg_b);
    registers[RTC_YEAR] = rtc_encode((unsigned)((year % 100 + 100) % 100), reg_b);
    *century = rtc_encode((unsigned)((year / 100 % 100 + 100) % 100), reg_b);
}

int64_t
rtc_time_from_registers(const uint8_t *registers, uint8_t reg_b, uint8_t century)
{
    int64_t year =
        (int64_t)rtc_decode(century, reg_b) * 100 + rtc_decode(registers[RTC_YEAR], reg_b);
    unsigned month = rtc_decode(registers[RTC_MONTH], reg_b);

    /* A date that no calendar has: the chip shows it until it counts on; the nearest real one. */
    if (month < 1)
        month = 1;
    if (month > 12)
        month = 12;
    return rtc_days(year, month, rtc_decode(registers[RTC_DAY], reg_b)) * DAY_SECONDS +
           rtc_decode_hour(registers[RTC_HOURS], reg_b) * 3600 +
           rtc_decode(registers[RTC_MINUTES], reg_b) * 60 +
           rtc_decode(registers[RTC_SECONDS], reg_b);
}

/* A match value, or -1 for "every" (the two top bits set). */
static int
rtc_alarm_value(uint8_t raw, uint8_t reg_b, bool hour)
{
    if ((raw & 0xc0) == 0xc0)
        return -1;
    return (int)(hour ? rtc_decode_hour(raw, reg_b) : rtc_decode(raw, reg_b));
}

int64_t
rtc_time_next_alarm(const uint8_t *registers, uint8_t reg_b, int64_t after)
{
    int hour = rtc_alarm_value(registers[RTC_HOURS_ALARM], reg_b, true);
    int minute = rtc_alarm_value(registers[RTC_MINUTES_ALARM], reg_b, false);
    int second = rtc_alarm_value(registers[RTC_SECONDS_ALARM], reg_b, false);

    if (hour > 23 || minute > 59 || second > 59)
        return INT64_MAX;

    int64_t time = after + 1;
    int64_t of_day = (time % DAY_SECONDS + DAY_SECONDS) % DAY_SECONDS;
    int64_t midnight = time - of_day;

    /* At most a day of hours, then minutes, then seconds: each step skips what cannot match. */
    while (of_day < 2 * DAY_SECONDS) {
        if (hour >= 0 && of_day / 3600 % 24 != hour)
            of_day = (of_day / 3600 + 1) * 3600;
        else if (minute >= 0 && of_day / 60 % 60 != minute)
            of_day = (of_day / 60 + 1) * 60;
        else if (second >= 0 && of_day % 60 != second)
            of_day++;
        else
            return midnight + of_day;
    }
    return INT64_MAX;
}
