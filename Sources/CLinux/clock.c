#include "clinux_clock.h"

#include <sys/timex.h>

int clinux_clock_is_kept(void)
{
	struct timex state = {0};
	return adjtimex(&state) >= 0 && !(state.status & STA_UNSYNC);
}
