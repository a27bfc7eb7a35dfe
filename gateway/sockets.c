#include "gateway/sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <systemd/sd-daemon.h>

enum kws_status kws_sockets_passed(int fd[], size_t max, size_t *n, kws_error *err)
{
	const int passed = sd_listen_fds(0);

	*n = 0;
	if (passed > (int)max)
		return kws_fail(err, KWS_ERR_ARG, "systemd passes %d sockets, at most %zu are used",
				passed, max);
	for (int s = SD_LISTEN_FDS_START; s < SD_LISTEN_FDS_START + passed; s++) {
		if (sd_is_socket(s, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
			return kws_fail(err, KWS_ERR_ARG,
					"systemd passes a descriptor that is no listening socket");
		fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK);
		fd[(*n)++] = s;
	}
	return KWS_OK;
}

bool kws_sockets_is_local(const struct sockaddr *a)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;

	switch (a->sa_family) {
	case AF_UNIX: return true;
	case AF_INET: return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr)
		       || (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)
			   && six->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
	default: return false;
	}
}
