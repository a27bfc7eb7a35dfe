#include "audio/header_parts.h"

#include <string.h>

enum { HEAD = 16 };

typedef struct {
	const char *bytes; /* '?': any byte */
	size_t n;
	enum kws_kind kind;
	const char *name;
} mark;

static const mark marks[] = {
	{ "RIFF????WAVE", 12, KWS_KIND_WAV, "WAV" },
	{ "RIFX????WAVE", 12, KWS_KIND_RIFX, "WAV (RIFX)" },
	{ "RF64????WAVE", 12, KWS_KIND_RF64, "RF64" },
	{ "BW64????WAVE", 12, KWS_KIND_RF64, "BW64" },
	{ "riff\x2e\x91\xcf\x11", 8, KWS_KIND_W64, "W64" },
	{ "FORM????AIFF", 12, KWS_KIND_AIFF, "AIFF" },
	{ "FORM????AIFC", 12, KWS_KIND_AIFF, "AIFC" },
	{ ".snd\0\0", 6, KWS_KIND_AU, "AU" },
	{ "dns.", 4, KWS_KIND_AU_LE, "AU" },
	{ "caff\0\1", 6, KWS_KIND_CAF, "CAF" },
	{ "fLaC", 4, KWS_KIND_FLAC, "FLAC" },
	{ "OggS\0", 5, KWS_KIND_OGG, "Ogg" },
	{ "\0\0\0?ftyp", 8, KWS_KIND_OTHER, "MP4 or M4A" },
	{ "\x1a\x45\xdf\xa3", 4, KWS_KIND_OTHER, "Matroska or WebM" },
	{ "0&\xb2u\x8e\x66\xcf\x11", 8, KWS_KIND_OTHER, "WMA" },
	{ "#!AMR", 5, KWS_KIND_OTHER, "AMR" },
	{ "wvpk", 4, KWS_KIND_OTHER, "WavPack" },
	{ "MAC ", 4, KWS_KIND_OTHER, "Monkey's Audio" },
	{ "MPCK", 4, KWS_KIND_OTHER, "Musepack" },
	{ "MP+", 3, KWS_KIND_OTHER, "Musepack" },
	{ "TTA1", 4, KWS_KIND_OTHER, "TTA" },
	{ "DSD ", 4, KWS_KIND_OTHER, "DSF" },
	{ "FRM8", 4, KWS_KIND_OTHER, "DSDIFF" },
	{ "FLV\1", 4, KWS_KIND_OTHER, "Flash video" },
	{ "ADIF", 4, KWS_KIND_OTHER, "AAC" },
	{ "RIFF????AVI ", 12, KWS_KIND_OTHER, "AVI" },
	{ "FORM????8SVX", 12, KWS_KIND_OTHER, "8SVX" },
	{ "FORM????16SV", 12, KWS_KIND_OTHER, "16SV" },
	{ "Creative Voice F", 16, KWS_KIND_OTHER, "VOC" },
	{ "NIST_1A\n", 8, KWS_KIND_OTHER, "NIST SPHERE" },
	{ "2BIT", 4, KWS_KIND_OTHER, "AVR" },
	{ " paf", 4, KWS_KIND_OTHER, "PAF" },
	{ "fap ", 4, KWS_KIND_OTHER, "PAF" },
	{ "PVF1\n", 5, KWS_KIND_OTHER, "PVF" },
	{ "Extended Instrum", 16, KWS_KIND_OTHER, "XI" },
	{ "ALawSoundFile**", 15, KWS_KIND_OTHER, "WVE" },
	{ "MATLAB 5.0 MAT-f", 16, KWS_KIND_OTHER, "MAT" },
	{ "\x64\xa3?\0", 4, KWS_KIND_OTHER, "IRCAM" },
	{ "\0?\xa3\x64", 4, KWS_KIND_OTHER, "IRCAM" },
	{ "\x7f\xfe\x80\1", 4, KWS_KIND_OTHER, "DTS" },
	{ "\xfe\x7f\1\x80", 4, KWS_KIND_OTHER, "DTS" },
	{ "\x1f\xff\xe8\0", 4, KWS_KIND_OTHER, "DTS" },
	{ "\x72\xf8\x1f\x4e", 4, KWS_KIND_OTHER, "IEC 61937 (AC-3 or DTS)" },
	{ "\0\0\1\xba", 4, KWS_KIND_OTHER, "MPEG program stream" },
	{ ".RMF", 4, KWS_KIND_OTHER, "RealMedia" },
	{ ".ra\xfd", 4, KWS_KIND_OTHER, "RealAudio" },
	{ "nut/multimedia c", 16, KWS_KIND_OTHER, "NUT" },
	{ ".SoX", 4, KWS_KIND_OTHER, "SoX" },
	{ "XoS.", 4, KWS_KIND_OTHER, "SoX" },
	{ "\xc0\xde\xc2", 3, KWS_KIND_OTHER, "Codec 2" },
	{ "\x1f\x8b\x08", 3, KWS_KIND_NO_SOUND, "gzip" },
	{ "BZh91AY&SY", 10, KWS_KIND_NO_SOUND, "bzip2" },
	{ "\xfd\x37zXZ", 5, KWS_KIND_NO_SOUND, "xz" },
	{ "\x28\xb5\x2f\xfd", 4, KWS_KIND_NO_SOUND, "Zstandard" },
	{ "PK\3\4", 4, KWS_KIND_NO_SOUND, "ZIP" },
	{ "\x89PNG\r\n", 6, KWS_KIND_NO_SOUND, "PNG" },
	{ "\xff\xd8\xff\xe0", 4, KWS_KIND_NO_SOUND, "JPEG" },
	{ "%PDF-", 5, KWS_KIND_NO_SOUND, "PDF" },
	{ "MThd", 4, KWS_KIND_NO_SOUND, "MIDI" },
	{ "#EXTM3U", 7, KWS_KIND_NO_SOUND, "playlist" },
	{ "[playlist]", 10, KWS_KIND_NO_SOUND, "playlist" },
	{ "HTTP/1.", 7, KWS_KIND_NO_SOUND, "HTTP" },
	{ "<!DOCTYPE", 9, KWS_KIND_NO_SOUND, "HTML" },
	{ "<!doctype", 9, KWS_KIND_NO_SOUND, "HTML" },
	{ "<html", 5, KWS_KIND_NO_SOUND, "HTML" },
	{ "<?xml", 5, KWS_KIND_NO_SOUND, "XML" },
};

static bool fits(const mark *m, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < m->n && i < n; i++)
		if (m->bytes[i] != '?' && (unsigned char)m->bytes[i] != p[i])
			return false;
	return true;
}

/* ---- formats without a mark: each frame gives the position of the next ---- */

/* Length of the MPEG audio frame with this header; 0: it is not one, or has the free format. */
static size_t mpeg_frame(const unsigned char *p)
{
	static const unsigned short rates[2][3][14] = {
		{ { 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448 },
		  { 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
		  { 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 } },
		{ { 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256 },
		  { 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		  { 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 } }
	};
	static const unsigned hz[3] = { 44100, 48000, 32000 };
	const unsigned version = p[1] >> 3 & 3, layer = 4 - (p[1] >> 1 & 3), rate = p[2] >> 4,
		       freq = p[2] >> 2 & 3, padded = p[2] >> 1 & 1;
	if (p[0] != 0xff || p[1] < 0xe0 || version == 1 || layer == 4 || rate == 0 || rate == 15
	    || freq == 3 || (p[3] & 3) == 2)
		return 0;
	const unsigned low = version != 3, bits = 1000u * rates[low][layer - 1][rate - 1],
		       f = hz[freq] >> (version == 3   ? 0
					: version == 2 ? 1
						       : 2);
	if (layer == 1)
		return (12u * bits / f + padded) * 4;
	return (layer == 3 && low ? 72u : 144u) * bits / f + padded;
}

static size_t adts_frame(const unsigned char *p)
{
	return (p[3] & 3u) << 11 | (unsigned)p[4] << 3 | p[5] >> 5;
}

static size_t loas_frame(const unsigned char *p)
{
	return ((p[1] & 0x1fu) << 8 | p[2]) + 3;
}

static size_t ac3_frame(const unsigned char *p)
{
	static const unsigned short kilobits[19] = { 32,  40,  48,  56,	 64,  80,  96,
						     112, 128, 160, 192, 224, 256, 320,
						     384, 448, 512, 576, 640 };
	const unsigned rate = p[4] >> 6, size = p[4] & 0x3f, version = p[5] >> 3;
	if (version > 10 && version <= 16) /* E-AC-3 */
		return 2 * (((p[2] & 7u) << 8 | p[3]) + 1);
	if (version > 10 || rate == 3 || size >= 38)
		return 0;
	const unsigned k = kilobits[size / 2];
	return rate == 0 ? 4 * k : rate == 2 ? 6 * k : 2 * (k * 320 / 147 + size % 2);
}

static size_t ts_packet(const unsigned char *p)
{
	(void)p;
	return 188;
}

typedef struct {
	mark as;
	unsigned char first, second, mask; /* first bytes of a frame; mask: of the second */
	unsigned char in_a_row;		   /* more frames than occur in other data */
	size_t head;			   /* bytes that length() reads */
	size_t (*length)(const unsigned char *p);
} framed;

static const framed chains[] = {
	{ { "", 0, KWS_KIND_MPEG, "MP3" }, 0xff, 0xe0, 0xe0, 3, 4, mpeg_frame },
	{ { "", 0, KWS_KIND_OTHER, "AAC" }, 0xff, 0xf0, 0xf6, 3, 6, adts_frame },
	{ { "", 0, KWS_KIND_OTHER, "AAC" }, 0x56, 0xe0, 0xe0, 4, 3, loas_frame },
	{ { "", 0, KWS_KIND_OTHER, "AC-3" }, 0x0b, 0x77, 0xff, 3, 6, ac3_frame },
	{ { "", 0, KWS_KIND_OTHER, "MPEG transport stream" }, 0x47, 0, 0x80, 5, 2, ts_packet },
};
static const mark *const mpeg = &chains[0].as;

/* Whether there is a chain of frames, each where the previous one ends. */
static bool is_chain(kws_tape *t, const framed *f)
{
	unsigned char *p;
	size_t at = 0;
	for (int i = 0; i < f->in_a_row; i++) {
		if (kws_tape_peek(t, &p, at + f->head) < at + f->head)
			return i > 0 && kws_tape_peek(t, &p, at + 1) == at; /* ends after a frame */
		p += at;
		const size_t n =
			p[0] == f->first && (p[1] & f->mask) == f->second ? f->length(p) : 0;
		if (n < f->head)
			return false;
		at += n;
	}
	return true;
}

static const mark *find_chain(kws_tape *t)
{
	unsigned char *p;
	for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
		const framed *f = &chains[i];
		if (kws_tape_peek(t, &p, 2) == 2 && p[0] == f->first
		    && (p[1] & f->mask) == f->second && is_chain(t, f))
			return &f->as;
	}
	return NULL;
}

static bool may_be_chain(unsigned char first)
{
	for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
		if (chains[i].first == first)
			return true;
	return false;
}

/* Length in bytes of an ID3v2 tag; 0: none. */
static uint64_t id3_size(const unsigned char *p, size_t n)
{
	if (n < 10 || memcmp(p, "ID3", 3) != 0 || p[3] == 0xff
	    || (p[6] | p[7] | p[8] | p[9]) & 0x80)
		return 0;
	return ((uint64_t)p[6] << 21 | (uint64_t)p[7] << 14 | (uint64_t)p[8] << 7 | p[9]) + 10
	       + (p[5] & 0x10 ? 10 : 0);
}

/* Reads byte by byte and no further than needed: raw PCM may come slowly. */
static const mark *find(kws_tape *t)
{
	unsigned char *p;
	const mark *chain;
	bool open = true;
	for (size_t n = 1; n <= HEAD && open; n++) {
		if (kws_tape_peek(t, &p, n) < n)
			return NULL;
		open = (n == 1 && may_be_chain(p[0])) || memcmp(p, "ID3", n < 3 ? n : 3) == 0;
		for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
			if (fits(&marks[i], p, n)) {
				if (n >= marks[i].n)
					return &marks[i];
				open = true;
			}
		if (n == 2 && may_be_chain(p[0]) && (chain = find_chain(t)))
			return chain;
	}
	return NULL;
}

/* Whether an ID3 or APE tag begins here. */
static bool starts_with_tag(kws_tape *t)
{
	unsigned char *p;
	return kws_tape_peek(t, &p, 3) == 3
	       && (memcmp(p, "ID3", 3) == 0
		   || (memcmp(p, "APE", 3) == 0 && kws_tape_peek(t, &p, 8) == 8
		       && memcmp(p, "APETAGEX", 8) == 0));
}

enum kws_kind kws_header_kind(kws_tape *t, const char **name)
{
	const mark *m = find(t);
	/* a tag may precede FLAC, too; without another sign, MP3 follows */
	while (!m && starts_with_tag(t)) {
		const uint64_t tag = kws_header_tag(t);
		if (!tag || !kws_tape_skip(t, tag))
			break;
		m = find(t);
		m = m || starts_with_tag(t) ? m : mpeg;
	}
	*name = m ? m->name : "raw PCM";
	return m ? m->kind : KWS_KIND_NONE;
}

uint64_t kws_header_tag(kws_tape *t)
{
	unsigned char *p;
	const size_t n = kws_tape_peek(t, &p, 129);
	if (n == 128 && memcmp(p, "TAG", 3) == 0)
		return 128;
	if (n >= 32 && memcmp(p, "APETAGEX", 8) == 0)
		return kws_little(p + 12, 4) + (p[23] & 0x80 ? 32 : 0);
	return id3_size(p, n);
}

bool kws_header_mpeg_near(kws_tape *t)
{
	enum { FAR = 1 << 16 };
	framed frame = chains[0];
	unsigned char *p;
	bool found = false;
	const uint64_t start = kws_tape_at(t);
	frame.in_a_row = 5;
	for (uint64_t at = start; !found && at < start + FAR && kws_tape_seek(t, at); at++) {
		const size_t n = kws_tape_peek(t, &p, 2);
		if (n < 2)
			break;
		found = p[0] == frame.first && is_chain(t, &frame);
	}
	if (!found)
		kws_tape_seek(t, start);
	return found;
}

bool kws_header_file_here(kws_tape *t)
{
	const mark *m = find(t);
	return m && m->kind < KWS_KIND_MPEG;
}
