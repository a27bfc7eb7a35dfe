"""The C side of the package, for cffi: everything that kws/kws.h declares.

The header is the one source: what cffi wants to know of it is read from it. The library is the one in the source tree
beside this folder, if it has been built there (``make``), else the one that pkg-config knows as kws. Sound files are read by
the code that ``kws`` reads them with, which is compiled into the binding: libkws itself takes samples only.
"""
import os
import re
import shlex
import subprocess
from pathlib import Path

import cffi

TREE = Path(__file__).resolve().parent.parent
STATIC = Path(os.environ.get("KWS_BUILD", TREE / "build")) / "libkws.a"


def pkg_config(*arguments: str) -> list[str]:
    try:
        done = subprocess.run([os.environ.get("PKG_CONFIG", "pkg-config"), *arguments], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise SystemExit("kws: pkg-config is not installed") from None
    except subprocess.CalledProcessError as e:
        raise SystemExit(f"kws: {STATIC} is not there (run make), and pkg-config knows no libkws: "
                         f"{e.stderr.strip()}") from None
    return shlex.split(done.stdout)


def declarations(header: str) -> str:
    """What is declared in the header, without comments, preprocessor and attributes."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    text = re.sub(r'#ifdef __cplusplus.*?#endif', "", text, flags=re.S)
    text = re.sub(r"^#(.*\\\n)*.*$", "", text, flags=re.M)
    return text.replace("KWS_API ", "")


SOUND = ["sndfile", "flac", "ogg", "libmpg123"]
READER = [
    "decoder", "decoder_flac", "decoder_mpeg", "decoder_ogg", "decoder_pcm", "decoder_sndfile", "encoding",
    "header", "header_chunk", "header_end", "header_kind", "judge", "source", "source_link", "tape",
]

#: What the reader takes from the library's inside, and what Python asks of it.
READER_CODE = r"""
#include "audio/judge.h"
#include "audio/source.h"

#include <stdarg.h>
#include <stdio.h>

int kws_fail_text(kws_error *e, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	const int n = e ? vsnprintf(e->text, sizeof e->text, format, ap) : 0;
	va_end(ap);
	return n;
}

static bool kws_python_flaw(const kws_source *src, int flaw, char *text)
{
	kws_findings f;
	kws_source_findings(src, &f);
	kws_flaw_say(&f, (enum kws_flaw)flaw, "channel=", text);
	return f.has[flaw];
}
"""
READER_DECLARATIONS = """
typedef struct kws_source kws_source;
enum kws_status kws_source_open_file(kws_source **out, const char *path, int channel, kws_error *err);
enum kws_status kws_source_read(kws_source *src, float *mono, size_t n, size_t *got, kws_error *err);
void kws_source_close(kws_source *src);
unsigned kws_source_rate(const kws_source *src);
const char *kws_source_note(const kws_source *src);
static bool kws_python_flaw(const kws_source *src, int flaw, char *text);
enum { KWS_N_FLAWS = ..., KWS_FLAW_TEXT = ..., KWS_FLAW_STEADY = ... };
"""

ffi = cffi.FFI()
if STATIC.exists():
    include, own = TREE / "include", [str(STATIC)]
    libraries = [*pkg_config("--libs", "fftw3f", "samplerate", "jansson", "nettle"), "-lm", "-pthread"]
else:
    include, own = Path(pkg_config("--variable=includedir", "kws")[0]), []
    libraries = pkg_config("--libs", "kws")
ffi.cdef(declarations((include / "kws" / "kws.h").read_text()) + READER_DECLARATIONS + """
extern "Python" void kws_python_event(void *ctx, const kws_event *ev);
extern "Python" void kws_python_frame(void *ctx, const kws_frame *f);
""")
ffi.set_source("kws._binding", "#include <kws/kws.h>\n" + READER_CODE, sources=[f"../audio/{name}.c" for name in READER],
               include_dirs=[str(include), str(TREE), str(TREE / "include")], extra_objects=own,
               extra_compile_args=["-std=gnu11", *pkg_config("--cflags", *SOUND)],
               extra_link_args=[*libraries, *pkg_config("--libs", *SOUND)])

if __name__ == "__main__":
    ffi.compile(verbose=True)
