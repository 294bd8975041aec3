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
	return clinux_utc_offset_at(time(NULL));
}

long clinux_utc_offset_at(long long seconds)
{
	time_t moment = (time_t)seconds;
	struct tm parts;
	return localtime_r(&moment, &parts) ? parts.tm_gmtoff : 0;
}
