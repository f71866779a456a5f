/* SPDX-License-Identifier: BSD-3-Clause */
/* Any line on the control socket is refused or says what is in its bounds. */
#include <stdlib.h>

#include "ctl_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request r;
	struct ip_addr ue;
	uint32_t teid;
	uint64_t key;
	unsigned int limit;

	if (request_parse((const char *)data, size, &r) == 0) {
		limit = request_limit(r.args);
		(void)request_force(r.args);
		if (limit < 1 || limit > 1000)
			abort();
		if (request_session(r.args, &ue, &teid, &key) == REQUEST_BY_IMSI &&
			(key & 0xf) != 0)
			abort();
	}
	request_free(&r);
	return 0;
}
