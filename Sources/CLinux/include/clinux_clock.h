#ifndef CLINUX_CLOCK_H
#define CLINUX_CLOCK_H

/// 1 when a time service keeps the clock, 0 when none does, -1 when that may not be asked. The corresponding call is `adjtimex`.
int clinux_clock_is_kept(void);

/// How many seconds local time is ahead of UTC now. The corresponding call is `localtime_r`, whose `struct tm` Swift
/// takes for one of OpenSSL's.
long clinux_utc_offset(void);

/// The same at a moment, in seconds since 1970.
long clinux_utc_offset_at(long long seconds);

#endif
