#!/usr/bin/env python3
"""Gather what MkDocs makes the site of: site.py FOLDER

The pages and pictures of docs/ are copied. Manual pages become HTML, by mandoc. A link to a file elsewhere in the project goes to a
copy of the file, in source/."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def manual(path, out):
    """A manual page as HTML inside a page of the site."""
    done = subprocess.run(["mandoc", "-T", "html", "-O", "fragment", path], capture_output=True, text=True, check=True)
    # its headings stand below the page's, and a blank line would end the HTML
    text = re.sub(r"<(/?)h([12])", lambda found: f"<{found[1]}h{int(found[2]) + 1}", done.stdout)
    text = re.sub(r"\n\s*\n", "\n", re.sub(r'(?s)<table class="(head|foot)">.*?</table>', "", text))
    out.write_text(f"# {path.stem}({path.suffix[1:]})\n\n<div class='manual'>\n{text}\n</div>\n")


def linked(page, out):
    """The text of a page, with links that work in the site."""
    def target(found):
        name, _, anchor = found[2].partition("#")
        file, up = (page.parent / name).resolve(), "../" * (len(page.relative_to(DOCS).parts) - 1)
        if re.search(r"\.[1-8]$", name):
            return f"{found[1]}{up}man/{file.name}.md)"
        if not name.startswith("../") or file.is_relative_to(DOCS):
            return found[0]
        copy = out / "source" / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        source = file.read_text()
        if copy.suffix == ".md":  # links of its own lead out of the site
            source = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)[^)]*\)", r"\1", source)
        copy.write_text(source)
        return f"{found[1]}{up}source/{file.relative_to(ROOT)}{'#' * bool(anchor)}{anchor})"
    return re.sub(r"(\]\()([^)\s]+)\)", target, page.read_text())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    (out / "man").mkdir(parents=True)
    for path in sorted(DOCS.rglob("*")):
        there = out / path.relative_to(DOCS)
        if path.is_dir():
            there.mkdir()
        elif path.suffix == ".md":
            there.write_text(linked(path, out))
        elif re.fullmatch(r"\.[1-8]", path.suffix):
            manual(path, out / "man" / f"{path.name}.md")
        else:
            shutil.copy(path, there)


if __name__ == "__main__":
    main()
