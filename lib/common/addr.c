/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>

#include "common/addr.h"

int ip_addr_parse(const char *text, struct ip_addr *a)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*a = ip_addr_v4(ntohl(v4.s_addr));
		return 0;
	}
	return inet_pton(AF_INET6, text, a->b) == 1 ? 0 : -EINVAL;
}

char *ip_addr_print(const struct ip_addr *a, char to[IP_ADDR_TEXT])
{
	bool v4 = ip_addr_is_v4(a);

	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, to, IP_ADDR_TEXT) == NULL)
		to[0] = '\0';
	return to;
}
