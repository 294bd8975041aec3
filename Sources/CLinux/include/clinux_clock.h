#ifndef CLINUX_CLOCK_H
#define CLINUX_CLOCK_H

/// 1 when a time service keeps the clock, 0 when none does. The corresponding call is `adjtimex`.
int clinux_clock_is_kept(void);

#endif
