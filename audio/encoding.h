/* encoding.h - the encoding of one sample of headerless PCM. */
#ifndef KWS_AUDIO_ENCODING_H
#define KWS_AUDIO_ENCODING_H

#include "kws.h"

/* LE and BE: byte order. */
enum kws_encoding {
	KWS_ENC_S8,
	KWS_ENC_U8,
	KWS_ENC_S16_LE,
	KWS_ENC_S16_BE,
	KWS_ENC_S24_LE, /* three bytes */
	KWS_ENC_S24_BE,
	KWS_ENC_S24_IN_32_LE, /* the low three of four bytes; the fourth is ignored */
	KWS_ENC_S24_IN_32_BE,
	KWS_ENC_S32_LE,
	KWS_ENC_S32_BE,
	KWS_ENC_F32_LE,
	KWS_ENC_F32_BE,
	KWS_ENC_F64_LE,
	KWS_ENC_F64_BE,
	KWS_ENC_MU_LAW,
	KWS_ENC_A_LAW,
	KWS_N_ENCODINGS
};

/* Find an encoding by name, in any case. Names:
 *
 *   s8 u8 s16 s24 s32 f32 f64, from 16 bits on also with le or be at the end (s16be); mulaw alaw
 *   arecord's: S8 U8 S16_LE S24_3LE S24_LE (in 32 bits) S32_LE FLOAT_LE FLOAT64_LE MU_LAW A_LAW,
 *     and with _BE
 *   sox's: signed-integer unsigned-integer floating-point mu-law u-law a-law, whose width is bits
 *
 * Without a byte order: little-endian. bits: 0 if not given; otherwise it MUST agree with the name.
 * KWS_ERR_ARG names the name or the width; *out is then unchanged. */
enum kws_status kws_encoding_parse(enum kws_encoding *out, const char *name, unsigned bits,
				   kws_error *err);

/* The short name, e.g. "s16be". Never NULL. */
const char *kws_encoding_name(enum kws_encoding enc);

/* Bytes of one sample of one channel, 1 to 8. */
size_t kws_encoding_bytes(enum kws_encoding enc);

/* Decode bytes (n * kws_encoding_bytes(enc),) into x (n,). Integers and companded samples are
 * divided by their full scale, so they are in [-1, 1); floats are unchanged. Cannot fail. bytes and
 * x MUST NOT overlap. */
void kws_encoding_decode(enum kws_encoding enc, const unsigned char *bytes, size_t n, float *x);

#endif
