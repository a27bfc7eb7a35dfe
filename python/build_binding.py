"""The C side of the package, for cffi: everything that kws/kws.h declares.

The header is the one source: what cffi wants to know of it is read from it. The library is the one in the source tree
beside this folder, if it has been built there (``make``), else the one that pkg-config knows as kws.
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
        done = subprocess.run(["pkg-config", *arguments], capture_output=True, text=True, check=True)
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


ffi = cffi.FFI()
if STATIC.exists():
    include, own = TREE / "include", [str(STATIC)]
    libraries = [*pkg_config("--libs", "fftw3f", "samplerate", "jansson", "nettle"), "-lm", "-pthread"]
else:
    include, own = Path(pkg_config("--variable=includedir", "kws")[0]), []
    libraries = pkg_config("--libs", "kws")
ffi.cdef(declarations((include / "kws" / "kws.h").read_text()) + """
extern "Python" void kws_python_event(void *ctx, const kws_event *ev);
extern "Python" void kws_python_frame(void *ctx, const kws_frame *f);
""")
ffi.set_source("kws._binding", "#include <kws/kws.h>", include_dirs=[str(include)], extra_objects=own,
               extra_link_args=libraries)

if __name__ == "__main__":
    ffi.compile(verbose=True)
