"""What is wrong with the templates, each fault once and at its place; for `warden check`.

Standing in the flow: `warden.app` asks after the rules and routes were read. Templates and phrases
are found faulty by using them on samples of every kind of notice.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jinja2 import FileSystemLoader, TemplateSyntaxError, meta, nodes

from warden.errors import Fault
from warden.notify.render.parts import clean
from warden.notify.render.renderer import RENDERING_FAILED, Renderer, UnsaidError
from warden.notify.render.samples import sample_notices
from warden.notify.render.voice import PhraseError, Phrases
from warden.sandbox import Sandbox

CODE = "WR081"
_ALWAYS_GIVEN = frozenset({"vowel"})  # for languages that elide
_ASKING = frozenset({"defined", "undefined", "default", "d"})
_FORM = re.compile(r"\.(zero|one|two|few|many|other)$")
_NAMED = re.compile(r"'([^']+)'")
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")
_SECTION = re.compile(r"\s*\[([^\[\]]+)\]")
_FOUND: dict[str, tuple[Fault, ...]] = {}  # by what the folders hold; the last only
_NAMES_IN: dict[str, frozenset[str]] = {}
_REMEMBERED = 10_000  # phrases of all languages; then all are forgotten


def template_faults(renderer: Renderer) -> tuple[Fault, ...]:
    """Every fault of the templates and phrases of every language, in the order of files.

    What was found last is found again as long as no file of theirs has changed.
    """
    content = _content(renderer.folders)
    if content not in _FOUND:
        found = _every_fault(renderer)
        _FOUND.clear()
        _FOUND[content] = found
    return _FOUND[content]


def _content(folders: Sequence[Path]) -> str:
    """Tells apart what the folders hold, and where they lie."""
    digest = hashlib.blake2b(digest_size=16)
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{path}\0".encode(errors="surrogateescape"))
            digest.update(hashlib.blake2b(_bytes(path)).digest())
    return digest.hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:  # told by those who use the template
        return str(error).encode(errors="surrogateescape")


def _every_fault(renderer: Renderer) -> tuple[Fault, ...]:
    english = Phrases("en", renderer.folders[-1:], Sandbox(renderer.folders[-1:]))
    wanted = {key for key in english.sources if not key.endswith((".one", ".other"))}
    found = {fault for language in renderer.languages for fault in _of(renderer, language, wanted)}
    named = {
        fault
        for language in renderer.languages
        for fault in (*_other_names(renderer, language), *_unknown_names(renderer, language))
        if not any((fault.path, fault.line) == (one.path, one.line) for one in found)
    }
    return tuple(sorted(found | named))


def _of(renderer: Renderer, language: str, wanted: set[str]) -> Iterator[Fault]:
    strings = _first(renderer.folders, f"{language}/strings.toml")
    try:
        known = renderer.phrases(language).sources
    except RENDERING_FAILED as error:
        yield _toml_fault(strings, str(error))
        return
    for key in sorted(wanted - set(known)):
        yield Fault(str(strings), 0, 0, CODE, f"no phrase '{key}'")
    samples = sample_notices()
    for notice in samples:
        for failure in renderer.failures(language, notice):
            yield _fault(failure, renderer.folders, strings)
    for failure in renderer.failures_of_layouts(language, samples[0], samples[-1]):
        yield _fault(failure, renderer.folders, strings)


def _other_names(renderer: Renderer, language: str) -> Iterator[Fault]:
    """Phrases that use names they are not given, or leave one out that English says."""
    strings = _first(renderer.folders, f"{language}/strings.toml")
    try:
        known = renderer.phrases(language).sources
    except RENDERING_FAILED:  # told already
        return
    sandbox = Sandbox(renderer.folders[-1:])
    given = _names(sandbox, Phrases("en", renderer.folders[-1:], sandbox).sources)
    for key, used in sorted(_names(sandbox, known).items()):
        for name in sorted(used - given.get(key, used) - _ALWAYS_GIVEN):
            yield _of_phrase(renderer, strings, key, f"phrase '{key}': no '{name}' is given to it")
        for name in sorted(given.get(key, used) - used - _ALWAYS_GIVEN):
            message = f"phrase '{key}' does not say '{name}', which the English one does"
            yield replace(_of_phrase(renderer, strings, key, message), severity="warning")


def _unknown_names(renderer: Renderer, language: str) -> Iterator[Fault]:
    """Names in the layouts of mails that nothing gives them, also where no sample leads."""
    try:
        given = renderer.layout_values(language)
    except RENDERING_FAILED:  # told already
        return
    sandbox = Sandbox(renderer.folders)
    given |= sandbox.globals.keys()
    for layout in renderer.layouts(language):
        files = _with_included(sandbox, renderer.folders, layout)
        written = {name: _names_set(tree) for name, (_, tree) in files.items()}
        for name, (path, tree) in files.items():
            others = frozenset().union(*(names for one, names in written.items() if one != name))
            for unknown in sorted(_undeclared(tree) - given - others):
                line = _line_of_name(tree, unknown)
                if line:
                    yield _at(path, line, f"'{unknown}' is undefined")


def _with_included(
    sandbox: Sandbox, folders: Sequence[Path], name: str
) -> dict[str, tuple[Path, nodes.Template]]:
    """A template and all that it includes or extends by name, each with its file and its tree."""
    found: dict[str, tuple[Path, nodes.Template]] = {}
    files = FileSystemLoader([str(folder) for folder in folders])
    wanted = [name]
    while wanted:
        one = wanted.pop()
        if one in found:
            continue
        try:
            source, filename, _ = files.get_source(sandbox, one)
            tree = sandbox.parse(source, one, filename)
        except RENDERING_FAILED:  # told by those who render it
            continue
        found[one] = Path(filename), tree
        wanted += [other for other in meta.find_referenced_templates(tree) if other is not None]
    return found


def _undeclared(tree: nodes.Template) -> set[str]:
    """The names that a template is to be given; none of one that cannot be compiled."""
    try:
        return meta.find_undeclared_variables(tree)
    except RENDERING_FAILED:  # such as a filter that does not exist, told by those who render it
        return set()


def _names_set(tree: nodes.Template) -> frozenset[str]:
    """The names that a template gives to what it includes: of `set` and of loops."""
    return frozenset(one.name for one in tree.find_all(nodes.Name) if one.ctx == "store")


def _line_of_name(tree: nodes.Template, name: str) -> int:
    """The first line that uses a name; 0 where the template asks itself whether there is one."""
    asked = (one.node for one in tree.find_all((nodes.Test, nodes.Filter)) if one.name in _ASKING)
    if any(isinstance(one, nodes.Name) and one.name == name for one in asked):
        return 0
    used = (one for one in tree.find_all(nodes.Name) if one.name == name and one.ctx == "load")
    return min((one.lineno for one in used), default=0)


def _names(sandbox: Sandbox, sources: Mapping[str, str]) -> dict[str, set[str]]:
    """The names that each phrase uses, all its plural forms together."""
    found: dict[str, set[str]] = {}
    for key, source in sources.items():
        stem = _FORM.sub("", key)
        found.setdefault(stem, set()).update(_names_in(sandbox, source))
    return found


def _names_in(sandbox: Sandbox, source: str) -> frozenset[str]:
    """The names that one phrase uses. Remembered: a daemon's reloads ask of the same phrases."""
    if source not in _NAMES_IN:
        try:
            names = meta.find_undeclared_variables(sandbox.parse(source))
        except TemplateSyntaxError:  # told by those who use the phrase
            names = set()
        if len(_NAMES_IN) >= _REMEMBERED:
            _NAMES_IN.clear()
        _NAMES_IN[source] = frozenset(names - {"_turn"})
    return _NAMES_IN[source]


def _of_phrase(renderer: Renderer, strings: Path, key: str, message: str) -> Fault:
    """A fault at the line that defines the phrase."""
    for folder in renderer.folders:
        path = folder / strings.parent.name / strings.name
        line = _line_of_phrase(path, key)
        if line:
            return _at(path, line, message)
    return Fault(str(strings), 0, 0, CODE, message)


def _fault(error: BaseException, folders: Sequence[Path], strings: Path) -> Fault:
    """The fault of a template at its line; of a phrase in the file that defines it."""
    message = clean(str(error) or type(error).__name__, 200)
    if isinstance(error, PhraseError):
        for folder in folders:
            path = folder / error.language / "strings.toml"
            line = _line_of_phrase(path, error.key)
            if line:
                return _at(path, line, message)
        return _at(strings, 0, message)
    if isinstance(error, UnsaidError):
        return _at(_first(folders, error.name), 0, message)
    path, line = _place(error, folders)
    return _at(path, line, message)


def _place(error: BaseException, folders: Sequence[Path]) -> tuple[Path, int]:
    """The template and line where it was raised: the innermost of those in the traceback."""
    if isinstance(error, TemplateSyntaxError) and error.filename:
        return Path(error.filename), error.lineno
    place = folders[0], 0
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if any(path.is_relative_to(folder) for folder in folders):
            place = path, line
    return place


def _at(path: Path, line: int, message: str) -> Fault:
    """A fault at the word that its message names, else where the line's text begins."""
    lines = _lines(path) if line else []
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    named = _NAMED.search(message)
    column = text.find(named[1]) if named is not None else -1
    if column < 0:
        column = len(text) - len(text.lstrip())
    return Fault(str(path), line, column + 1 if line else 0, CODE, message, source_line=text)


def _toml_fault(path: Path, message: str) -> Fault:
    words = message.removeprefix(f"{path}: ")
    place = _TOML_PLACE.search(words)
    if place is None:
        return Fault(str(path), 0, 0, CODE, words)
    line, column = int(place[1]), int(place[2])
    lines = _lines(path)
    text = lines[line - 1] if line <= len(lines) else ""
    words = words.replace(place[0], "").strip()
    return Fault(str(path), line, column, CODE, words, source_line=text)


def _line_of_phrase(path: Path, key: str) -> int:
    """The line that defines the phrase, 0 where the file has none."""
    section = ""
    for number, text in enumerate(_lines(path), start=1):
        header = _SECTION.match(text)
        if header is not None:
            section = f"{header[1].strip()}."
            continue
        name = section + text.partition("=")[0].strip().replace('"', "")
        if "=" in text and (key == name or key.startswith(f"{name}.")):
            return number
    return 0


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _first(folders: Sequence[Path], name: str) -> Path:
    """The file in the first folder that has it."""
    return next((f / name for f in folders if (f / name).is_file()), folders[0] / name)
