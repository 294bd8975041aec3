#include "clinux_clock.h"

#include <sys/timex.h>
#include <time.h>

int clinux_clock_is_kept(void)
{
	struct timex state = {0};
	return adjtimex(&state) < 0 ? -1 : !(state.status & STA_UNSYNC);
}

long clinux_utc_offset(void)
{
	time_t now = time(NULL);
	struct tm parts;
	return localtime_r(&now, &parts) ? parts.tm_gmtoff : 0;
}
