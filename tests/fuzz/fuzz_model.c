/* fuzz_model - any bytes as a model file: refused with a message, or a network that runs. */
#include "model/model.h"
#include "model/net.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kws_error err = { "" };
	kws_model *m;
	if (kws_model_parse(&m, data, size, &err) != KWS_OK) {
		if (!err.text[0] || m)
			abort();
		return 0;
	}
	kws_net *net;
	const size_t n_mels = kws_model_features(m)->n_mels, t = kws_model_stride(m);
	float *frames = calloc(t * n_mels, sizeof *frames),
	      *logits = calloc(2 * kws_model_n_words(m), sizeof *logits);
	if (!frames || !logits || kws_net_create(&net, m) != KWS_OK)
		abort();
	if (kws_net_run(net, frames, t, logits) + kws_net_finish(net, logits) != 1)
		abort();
	kws_net_destroy(net);
	kws_model_close(m);
	free(frames);
	free(logits);
	return 0;
}
