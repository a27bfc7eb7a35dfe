#!/usr/bin/env python3
"""The pages of the documentation: every command in them is run, and what they name is there.

    docs.py [--slow] [PAGE...]     run the commands, and check options, links, figures and the order; --slow: only what is slow
    docs.py --of TEST [--nth N] [PAGE...]   print the blocks that TEST runs, or one: it is named in `by:`

Commands are what stands in a block of `sh` or an indented one. Each block runs in bash in a folder of its page, which has the
project's files, with the built programs (KWS_BUILD) first in PATH. A comment directly before a block changes that:

    <!-- file: NAME -->            is written to this file first, in any language
    <!-- before: COMMAND -->       is run first; readers do not see it
    <!-- says: TEXT -->            what the block prints must contain this
    <!-- status: N -->             the exit status of the block, else 0
    <!-- needs: PROGRAM -->        or /A/FILE: without it, the block is left out, and that is said
    <!-- same: FILE -->            the block writes FILE, an SVG that tells what the one of the tree does: its titles, as how lines and
                                   letters are written differs from one version of cairo to the next
    <!-- slow: WHY -->             takes long, so that only --slow runs it
    <!-- by: TEST -->              TEST takes the block from here by --of, and runs it
    <!-- not run: WHY; TEST -->    cannot be run so; TEST does the same another way

TEST is a file, or `tests/system/run NAME`; it must be there. Programs, options and make's targets are looked up in all of them,
also in those that are not run and in the text. A block of `ini` must be a configuration that kwsd -t takes. Closes with the
counts; the exit status is 1 if something is wrong, 77 if it cannot be judged.
"""
import argparse
import contextlib
import functools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("KWS_BUILD", "build")).resolve()
PROGRAMS = ("kws", "kwsd", "kwsd-mqtt", "kwsd-web", "kwsd-wyoming")
MARKS = ("file", "before", "says", "same", "status", "needs", "slow", "by", "not run")
LANGUAGES = ("sh", "text", "ini", "json", "yaml", "c", "python")
# where the programs are installed, and what stands for it here
PLACES = {"/usr/local/share/kwsd": "share", "/etc/kwsd": "etc", "/var/lib/kwsd": "state", "/usr/local/bin": "bin"}
LIMIT_S = 120
wrong = []


def complain(where, what):
    wrong.append(f"{where}: {what}")


def pages():
    """README.md first, then the site in its order, then the READMEs of folders."""
    order = [f"docs/{name}" for name in re.findall(r"^\s*- .*: (?!man/)([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)]
    return ["README.md", *order, "CONTRIBUTING.md", "python/README.md", "train/README.md"]


# ---- what is on a page ------------------------------------------------------------------------------------------------------

def blocks(page):
    """The code blocks of a page, in their order: kind, text, line and marks."""
    lines, found, marks, i, listed = (ROOT / page).read_text().splitlines(), [], [], 0, False
    blank = True
    while i < len(lines):
        line, start = lines[i], i
        fence = re.match(r"(\s*)```(\w*)$", line)
        mark = re.fullmatch(r"\s*<!-- ([a-z ]+): (.*) -->", line)
        if fence:
            i = next((k for k in range(i + 1, len(lines)) if lines[k].strip() == "```"), len(lines))
            body = [text.removeprefix(fence[1]) for text in lines[start + 1:i]]
            found.append(block(page, start, fence[2], body, marks))
            marks = []
        elif blank and line.startswith("    ") and not listed and not mark:
            while i + 1 < len(lines) and (not lines[i + 1].strip() or lines[i + 1].startswith("    ")):
                i += 1
            found.append(block(page, start, "sh", [text[4:] for text in lines[start:i + 1]], marks))
            marks = []
        elif mark and mark[1] in MARKS:
            marks.append((mark[1], mark[2]))
        elif line.strip():
            if marks:
                complain(f"{page}:{start + 1}", f"{marks[0][0]} stands before no block")
            marks, listed = [], bool(re.match(r"(\d+\.|[-*]) |\s", line))
        blank = not line.strip() or bool(mark)
        i += 1
    return found


def block(page, start, kind, body, marks):
    where = f"{page}:{start + 1}"
    if kind not in LANGUAGES:
        complain(where, f"a block of {kind or 'no language'}; there are {', '.join(LANGUAGES)}")
    of = lambda name: [value for key, value in marks if key == name]
    one = lambda name: next(iter(of(name)), None)
    return SimpleNamespace(where=where, kind=kind, text="\n".join(body) + "\n", file=one("file"), before=of("before"), says=of("says"), same=of("same"),
                           status=int(one("status") or 0), needs=of("needs"), slow=one("slow"), by=one("by"), not_run=one("not run"))


def prose(page):
    """The text of a page without its blocks, line by line."""
    inside, blank = False, True
    for n, line in enumerate((ROOT / page).read_text().splitlines(), 1):
        if line.strip().startswith("```"):
            inside = not inside
        elif not inside and not (blank and line.startswith("    ")):
            yield n, line
            blank = not line.strip()


# ---- programs, options, targets ---------------------------------------------------------------------------------------------

@functools.cache
def helped(*command):
    """The help of a program, or None."""
    done = subprocess.run([BUILD / command[0], *command[1:], "--help"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def simple_commands(text, where):
    """The words of each command in a piece of shell, without redirections."""
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"<<-?'?(\w+)'?.*?\n(.|\n)*?\n\t*\1\n", "\n", text)
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        words = []
        try:
            for word in lexer:
                if word and set(word) <= set(";&|()<>"):
                    yield words
                    words = []
                else:
                    words.append(word)
        except ValueError as e:
            if where:
                complain(where, f"{e}: {line}")
        yield words


def look_up(words, where):
    """Complain about a program's command or option, or a target of make, that does not exist."""
    while words and (words[0] in ("sudo", "time", "exec", "if", "do", "then", "while", "-E", "nohup") or "=" in words[0]):
        words = words[1:]
    if not words:
        return
    name = words[0].removeprefix("build/").removeprefix("../build/")
    if name == "parallel":
        look_up(words[words.index("kws"):] if "kws" in words else [], where)
    elif name in PROGRAMS:
        look_up_program(name, words[1:], where)
    elif name == "make":
        targets = re.findall(r"^([\w%-][\w %-]*):(?!=)", (ROOT / "Makefile").read_text(), re.M)
        targets = [t.replace("%", r"\w+") for line in targets for t in line.split()]
        for word in words[1:]:
            if re.fullmatch(r"[a-z][\w.-]*", word) and not any(re.fullmatch(t, word) for t in targets):
                complain(where, f"make has no target {word}")
    elif words[:3] == ["python", "-m", "kws_train"] or name == "kws-train":
        look_up_train(words[3:] if name == "python" else words[1:], where)
    elif name == "tests/system/run" and len(words) > 1 and not words[-1].isupper():
        exists(" ".join(words), where)
    elif re.match(r"(tools/|tests/|\.ci/)", name) and not (ROOT / name).exists():
        complain(where, f"there is no {name}")


def look_up_program(name, words, where):
    command = (name,)
    if words and words[0].startswith("$"):
        return
    if name == "kws" and words and not words[0].startswith("-"):
        command, words = (name, words[0]), words[1:]
        if command[1] == "help":
            return
    text = helped(*command)
    if text is None:
        complain(where, f"{name} has no command {command[-1]}" if len(command) > 1 else f"{name} does not say its options")
        return
    for word in words:
        option = re.match(r"--[a-z][\w-]*|-[A-Za-z0-9?]", word)
        if word == "--":
            return
        if option and option[0] not in ("--version", "--help") and not re.search(rf"(^|[\s,]){re.escape(option[0])}(?![\w-])", text, re.M):
            complain(where, f"{' '.join(command)} has no option {option[0]}")


def look_up_train(words, where):
    folder = ROOT / "train" / "kws_train"
    if not words or not (folder / f"{words[0]}.py").exists():
        complain(where, f"kws_train has no command {' '.join(words[:1])}")
        return
    text = "".join(path.read_text() for path in folder.glob("*.py"))
    for word in words[1:]:
        option = re.match(r"--[a-z][\w-]*", word)
        name = option and option[0][2:].replace("-", "_")  # as a recipe has it
        if option and not re.search(rf'"{option[0]}"|"{name}"|\b{name}=', text):
            complain(where, f"kws_train {words[0]} has no option {option[0]}")


def exists(test, where):
    """Complain if there is no such test."""
    name = test.removeprefix("tests/system/run").removeprefix(" -v").strip()
    if not test.startswith("tests/system/run"):
        if not (ROOT / test).exists():
            complain(where, f"there is no {test}")
        return
    tests = [f"{path.stem}.{found}" for path in (ROOT / "tests/system").glob("*.sh")
             for found in re.findall(r"^test_(\w+)\(\)", path.read_text(), re.M)]
    if not any(name in t for t in tests):
        complain(where, f"there is no test {name}")


def takes(test):
    """Whether a test asks for its blocks."""
    name = test.removeprefix("tests/system/run ")
    asks = re.compile(rf"page_blocks {re.escape(name)}\b|--of.*{re.escape(name)}")
    return any(asks.search(path.read_text()) for path in [*(ROOT / "tests/system").glob("*.sh"), *(ROOT / "python/tests").glob("*.py")])


def check_commands(page):
    for b in blocks(page):
        if b.kind == "sh":
            for words in simple_commands(b.text, b.where):
                look_up(words, b.where)
        for test in filter(None, [b.by, b.not_run and b.not_run.rpartition("; ")[2]]):
            exists(test, b.where)
        if b.by and not takes(b.by):
            complain(b.where, f"{b.by} does not take it from here")
    for n, line in prose(page):
        for span in re.findall(r"`([^`]+)`", line):
            if re.match(rf"(sudo )?({'|'.join(PROGRAMS)}|make|tests/system/run|python -m kws_train|kws-train) ", span):
                for words in simple_commands(span, None):
                    look_up([w for w in words if w != "..."], f"{page}:{n}")


# ---- links, figures, order --------------------------------------------------------------------------------------------------

def anchors(path):
    """The anchors of a page's headings, as forges and MkDocs make them."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", head.strip().lower())) for head in heads}


@functools.cache
def code():
    """All that stands on the pages as code."""
    there = [page for page in pages() if (ROOT / page).exists()]
    spans = (span for page in there for _, line in prose(page) for span in re.findall(r"`[^`]+`", line))
    return "\n".join([*spans, *(b.text for page in there for b in blocks(page))])


def check_links(page):
    text = "\n".join(line for _, line in prose(page))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        if not path.exists():
            complain(page, f"a link to {target}, which is not there")
        elif anchor and anchor not in anchors(path):
            complain(page, f"a link to {target}: no such heading")
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        if Path(picture).name not in code():
            complain(page, f"{picture}: no page has the command that makes it")


def check_order():
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}
    manuals = {f"man/{path.name}.md" for path in (ROOT / "docs").glob("*.[1-8]")}
    if manuals != set(re.findall(r"man/\S+", (ROOT / "mkdocs.yml").read_text())):
        complain("mkdocs.yml", "its manuals are not docs/*.[1-8]")
    listed = set(pages())
    for page in sorted(there - listed):
        complain(page, "is not in mkdocs.yml")
    for page in sorted(listed):
        if not (ROOT / page).exists():
            complain("mkdocs.yml", f"there is no {page}")


# ---- the commands, run ------------------------------------------------------------------------------------------------------

def furnish(scratch):
    """What a page's commands find: the project's files, the programs, a home, the places of an installation."""
    (scratch / "bin").mkdir()
    for program in PROGRAMS:
        (scratch / "bin" / program).symlink_to(BUILD / program)
    if Path("/usr/bin/python3").exists():  # Debian's, for its packages
        (scratch / "bin" / "python3").symlink_to("/usr/bin/python3")
    work = scratch / "work"
    for name in ("home", "etc", "state", "share", "work"):
        (scratch / name).mkdir()
    for name in ("tests", "config", "examples", "train", "tools", "python", "include"):
        (work / name).symlink_to(ROOT / name)
    (work / "build").symlink_to(BUILD)
    (work / "docs").mkdir()  # figures are written here
    for path in [*(ROOT / "config/models").iterdir(), *(ROOT / "docs").glob("*.schema.json")]:
        (scratch / "share" / path.name).symlink_to(path)
    pc = (ROOT / "include/kws.pc.in").read_text()
    for name, value in (("PREFIX", ROOT), ("LIBDIR", scratch), ("VERSION", "0")):
        pc = pc.replace(f"@{name}@", str(value))
    (scratch / "kws.pc").write_text(pc)
    (scratch / "libkws.so").symlink_to(BUILD / "libkws.so.0")
    return work


def placed(text, scratch):
    for place, name in PLACES.items():
        text = text.replace(place, str(scratch / name))
    return text


def bash(text, scratch):
    env = {"PATH": f"{scratch}/bin:{os.environ['PATH']}", "HOME": f"{scratch}/home", "LANG": "C.UTF-8", "TMPDIR": str(scratch),
           "PKG_CONFIG_PATH": str(scratch), "LD_LIBRARY_PATH": str(BUILD)}
    shell = subprocess.Popen(["bash", "-euo", "pipefail", "-c", f"sudo() {{ \"$@\"; }}\n{placed(text, scratch)}"], cwd=scratch / "work",
                             env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", start_new_session=True)
    try:
        said, end = shell.communicate(timeout=LIMIT_S)[0], ""
    except subprocess.TimeoutExpired:
        end = f"no end after {LIMIT_S} s"
    # and what it started
    with contextlib.suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    if end:
        said = shell.communicate()[0]
    return SimpleNamespace(returncode=124 if end else shell.returncode, stdout=said + end)


def titles(svg):
    """What an SVG tells while the pointer is over it, and where."""
    return [line for line in svg.read_text().splitlines() if "<title>" in line]


def run_block(b, work, scratch):
    if b.kind == "ini":
        (work / "page.conf").write_text(placed(b.text, scratch))
    done = bash("kwsd -t -c $PWD/page.conf" if b.kind == "ini" else b.text, scratch)
    if done.returncode != b.status:
        complain(b.where, f"status {done.returncode}\n{b.text}{done.stdout[-2000:]}")
    for name in b.same:
        if not (work / name).exists() or not titles(ROOT / name) or titles(work / name) != titles(ROOT / name):
            complain(b.where, f"{name} does not tell what this writes")
    for text in b.says:
        if text not in done.stdout:
            complain(b.where, f"does not say {text!r}:\n{done.stdout[-2000:]}")


def run_page(page, slow):
    """Run what of the page is to be run, and return how many blocks that were."""
    todo = [b for b in blocks(page) if (b.kind in ("sh", "ini") or b.file) and not b.by and not b.not_run]
    if slow and not any(b.slow for b in todo):
        return 0
    ran = 0
    with tempfile.TemporaryDirectory(prefix="kws-docs.") as name:
        scratch = Path(name)
        work = furnish(scratch)
        for b in todo:
            for command in b.before:
                done = bash(command, scratch)
                if done.returncode:
                    complain(b.where, f"before it: {done.stdout}")
            if b.file:
                (work / b.file).write_text(b.text)
                continue
            missing = [name for name in b.needs if not (Path(name).exists() if name.startswith("/") else shutil.which(name))]
            if missing:
                print(f"{b.where}: left out: {', '.join(missing)} is not here")
            elif bool(b.slow) == slow:
                run_block(b, work, scratch)
                ran += 1
    return ran


def main():
    p = argparse.ArgumentParser(description="Run the commands in the pages of the documentation, and check what they name.")
    p.add_argument("--slow", action="store_true", help="run only what is slow")
    p.add_argument("--of", metavar="TEST", help="print the blocks that TEST runs")
    p.add_argument("--nth", type=int, metavar="N", help="only the Nth of them")
    p.add_argument("page", nargs="*", help="pages, from the project's root; without: all")
    o = p.parse_args()
    todo = o.page or pages()
    if o.of:
        found = [b for page in todo for b in blocks(page) if b.by == o.of]
        found = found[o.nth - 1:o.nth] if o.nth else found
        print("\n".join(b.text for b in found), end="")
        return 0 if found else 1
    if not (BUILD / "kwsd").exists():
        print(f"docs: {BUILD}/kwsd is not built")
        return 77
    check_order()
    ran = 0
    for page in filter(lambda page: (ROOT / page).exists(), todo):
        if not o.slow:
            check_commands(page)
            check_links(page)
        ran += run_page(page, o.slow)
    for text in dict.fromkeys(wrong):
        print(text)
    print(f"docs: {len(todo)} pages, {ran} blocks run, {len(dict.fromkeys(wrong))} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
