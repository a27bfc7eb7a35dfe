/* kinds.h - the architectures that the seeds of the model fuzzers cover: together every kind of layer, attention, bias, norm,
 * stem step and feature that a model file may name. */
#ifndef KWS_TESTS_KINDS_H
#define KWS_TESTS_KINDS_H

#include <stddef.h>

#define FEATURES(scale, norm)                                                                      \
	"{\"kind\":\"log-mel\",\"rate_hz\":16000,\"win\":400,\"hop\":160,\"n_fft\":512,"           \
	"\"n_mels\":6,\"f_lo_hz\":20.0,\"f_hi_hz\":7600.0,\"log_floor\":1e-5,\"mel\":\"" scale     \
	"\",\"normalisation\":\"" norm "\"}"
#define NETWORK(stack, stride, stem, layers, norm)                                                 \
	"{" stem "\"stack\":" stack ",\"stride\":" stride ",\"dim\":6,\"layers\":[" layers         \
	"],\"final_norm\":" norm ",\"pool\":5,\"head\":4}"
#define MEGA(ndim, attention, norm, prenorm)                                                       \
	"{\"kind\":\"mega\",\"hdim\":8,\"ndim\":" ndim "," attention ",\"norm\":\"" norm           \
	"\",\"prenorm\":" prenorm "}"
#define OVER(kind, span, bias)                                                                     \
	"\"attention\":\"" kind "\",\"zdim\":4,\"chunk\":" span ",\"rel_pos_bias\":\"" bias "\""
#define NFFN(norm, prenorm)                                                                        \
	"{\"kind\":\"nffn\",\"ffn\":8,\"norm\":\"" norm "\",\"prenorm\":" prenorm "}"
#define FASTFORMER(forget, causal)                                                                 \
	"{\"kind\":\"fastformer\",\"heads\":2,\"ffn\":8,\"forget\":" forget ",\"causal\":" causal  \
	"}"
#define CONV(channels, kernel, stride, activation)                                                 \
	"{\"kind\":\"conv\",\"channels\":" channels ",\"kernel\":" kernel ",\"stride\":" stride    \
	",\"activation\":\"" activation "\"}"
#define CONV8(channels, kernel, stride)                                                            \
	"{\"kind\":\"conv\",\"channels\":" channels ",\"kernel\":" kernel ",\"stride\":" stride    \
	",\"activation\":\"leaky_relu\",\"weights\":\"int8\"}"
#define EMBEDDING(every, stem) "{\"every\":" every ",\"dim\":3,\"window\":4,\"rank\":5" stem "}"
#define OWN_STEM                                                                                   \
	",\"bands\":5,\"stack\":2,\"stem\":[" CONV("2", "[3,3]", "[2,2]",                          \
						   "silu") ",{\"kind\":\"pool\",\"size\":[2,2]}]"
#define OWN_LAYERS                                                                                 \
	",\"width\":5,\"layers\":[" MEGA("2", OVER("softmax", "3", "simple"), "layernorm",         \
					 "true") "," NFFN("rmsnorm", "false") "]"
#define POOL(size) "{\"kind\":\"pool\",\"size\":" size "}"
#define STEM_INT8                                                                                  \
	"\"stem\":[" CONV("3", "[3,3]", "[1,1]", "silu") "," POOL("[1,2]") "," CONV8(              \
		"5", "[3,3]", "[2,2]") "," CONV8("2", "[2,1]", "[1,1]") "," POOL("[2,2]") "],"
#define OWN_STEM_INT8                                                                              \
	",\"bands\":5,\"stack\":2,\"stem\":[" CONV8("3", "[3,3]", "[2,1]") "," CONV(               \
		"2", "[1,3]", "[1,2]", "leaky_relu") "," POOL("[2,2]") "]"
#define DECISION                                                                                   \
	"{\"smooth_ms\":60,\"refractory_ms\":500,\"threshold\":0.5,\"thresholds\":{\"no\":0.6}}"

static const struct {
	const char *name, *features, *network;
} kinds[] = {
	{ "softmax_simple", FEATURES("htk", "affine"),
	  NETWORK("2", "2", "",
		  MEGA("4", OVER("softmax", "5", "simple"), "layernorm",
		       "true") "," NFFN("layernorm", "true"),
		  "\"layernorm\"") },
	{ "softmax_rotary_post", FEATURES("slaney", "none"),
	  NETWORK("3", "1", "",
		  MEGA("2", OVER("softmax", "3", "rotary"), "rmsnorm", "false") "," NFFN("rmsnorm",
											 "false"),
		  "\"rmsnorm\"") },
	{ "laplace_full", FEATURES("htk", "none"),
	  NETWORK("1", "1", "",
		  MEGA("4", OVER("laplace", "-1,\"max_positions\":9", "simple"), "batchnorm",
		       "true"),
		  "\"batchnorm\"") },
	{ "relu2_rotary", FEATURES("htk", "affine"),
	  NETWORK("4", "2", "",
		  MEGA("1", OVER("relu2", "1", "rotary"), "scalenorm", "true") "," NFFN("scalenorm",
											"true"),
		  "\"scalenorm\"") },
	{ "no_ema", FEATURES("htk", "affine"),
	  NETWORK("2", "1", "", MEGA("0", OVER("softmax", "7", "simple"), "layernorm", "true"),
		  "null") },
	{ "no_attention", FEATURES("slaney", "affine"),
	  NETWORK("2", "2", "", MEGA("3", "\"attention\":\"none\"", "batchnorm", "false"),
		  "null") },
	{ "additive", FEATURES("htk", "affine"),
	  NETWORK("2", "2", "",
		  MEGA("2", "\"attention\":\"additive\",\"heads\":2,\"forget\":true", "layernorm",
		       "true"),
		  "null") },
	{ "fastformer", FEATURES("htk", "affine"),
	  NETWORK("2", "2", "", FASTFORMER("true", "true") ",{\"share\":0}", "null") },
	{ "fastformer_holds_all", FEATURES("htk", "none"),
	  NETWORK("2", "2", "", FASTFORMER("false", "true"), "\"layernorm\"") },
	{ "fastformer_clip", FEATURES("htk", "affine"),
	  NETWORK("2", "2", "", FASTFORMER("false", "false,\"max_positions\":9"), "null") },
	{ "stem", FEATURES("htk", "affine"),
	  NETWORK("2", "1",
		  "\"stem\":[" CONV(
			  "3", "[3,3]", "[1,2]",
			  "silu") ",{\"kind\":\"pool\",\"size\":[2,2]}," CONV("2", "[2,1]", "[1,1]",
									      "leaky_relu") "],",
		  NFFN("layernorm", "true"), "null") },
	{ "embedding", FEATURES("htk", "affine"),
	  NETWORK("2", "2", "\"embedding\":" EMBEDDING("2", OWN_STEM) ",",
		  NFFN("layernorm", "true"), "null") },
	{ "own_words", FEATURES("htk", "affine"),
	  NETWORK("2", "1",
		  "\"embedding\":" EMBEDDING("3", "") ",\"heads\":[{\"hidden\":3},{\"hidden\":1}],",
		  NFFN("rmsnorm", "true"), "\"layernorm\"") },
	{ "stem_int8", FEATURES("htk", "affine"),
	  NETWORK("2", "1", STEM_INT8, NFFN("layernorm", "true"), "null") },
	{ "embedding_int8", FEATURES("htk", "affine"),
	  NETWORK("2", "2", "\"embedding\":" EMBEDDING("2", OWN_STEM_INT8) ",",
		  NFFN("layernorm", "true"), "null") },
	{ "own_layers", FEATURES("htk", "affine"),
	  NETWORK("2", "1",
		  "\"embedding\":" EMBEDDING(
			  "3", OWN_LAYERS) ",\"heads\":[{\"hidden\":3},{\"hidden\":1}],",
		  NFFN("rmsnorm", "true"), "\"layernorm\"") },
};

enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

#endif
