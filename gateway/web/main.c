/* kwsd-web - the web page and the metrics of kwsd. See kwsd-web(8). */
#include "gateway/web/web.h"

int main(int argc, char **argv)
{
	return kws_gateway_main(&kws_web, argc, argv);
}
