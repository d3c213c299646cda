"""REPRODUCE.md: how to run it again, and what reviewers ask, answered from the record and from nothing else.

The questions are those of the NeurIPS paper checklist that an experiment's record can answer, of the machine learning
reproducibility checklist, and of ACM's badges for artifacts. What the record cannot know is said to be the authors' to
answer.

Source: https://neurips.cc/public/guides/PaperChecklist,
https://www.cs.mcgill.ca/~jpineau/ReproducibilityChecklist.pdf,
https://www.acm.org/publications/policies/artifact-review-and-badging-current
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

from experiments.project.environment.records import Environment, Machine
from experiments.project.look import counted, duration
from experiments.project.standing import seed_number
from experiments.results.bundle.gathering import Gathered
from experiments.results.bundle.records import RunRecord
from experiments.results.rows import OWN_KEYS, flat_config
from experiments.runs.store import RunInfo

_MOST = 40
_AUTHORS = "The record cannot say; the authors have to."
_LICENCE_FILES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")


def reproduce_text(found: Gathered, file_name: str) -> bytes:
    """Return REPRODUCE.md of what was gathered; `file_name` is what the bundle is called."""
    sections = [
        ("How to run it again", _how(found, file_name)),
        ("Claims and how they were decided", [*_claims(found), *_accepted(found)]),
        ("Runs and seeds", _runs(found.runs.values(), found.infos)),
        ("Settings, and the ranges that were searched", _settings(found)),
        ("Compute", _compute(found)),
        ("Hardware and libraries", _hardware(found)),
        ("Code", _code(found)),
        ("Licences", _licences(found)),
        ("NeurIPS paper checklist", _neurips(found)),
        ("ACM artifact badges", _acm(found)),
        ("What is not in here", [f"- {note}" for note in found.notes] or ["Nothing is known to be missing."]),
    ]
    assert found.record is not None
    lines = [f"# {found.record.experiment}: what was run, and how to run it again", ""]
    for heading, body in sections:
        lines += [f"## {heading}", "", *body, ""]
    return ("\n".join(lines).rstrip() + "\n").encode()


def _how(found: Gathered, file_name: str) -> list[str]:
    return [
        "All below is from the record of the runs. To verify this bundle and see what is in it, running nothing:",
        "",
        f"    experiments reproduce {file_name} --check",
        "",
        "To run all of it again and compare checkpoints, rows and final metrics with those in here:",
        "",
        f"    experiments reproduce {file_name}",
        "",
        "`MANIFEST.json` has the sha256 of every file. `code/` has the files of each snapshot, `packages/` what each",
        "interpreter had installed, `runs/` of each run its record, its rows as lines of JSON and its checkpoints",
        f"({found.record.checkpoints if found.record else ''} of them), `ledger.json` what happened to them.",
    ]


def _claims(found: Gathered) -> list[str]:
    journal = found.journal
    if journal is None or not journal.is_written:
        return ["No hypothesis was recorded at the launch, so what is concluded from these runs is exploratory."]
    lines = [f"Hypothesis, recorded at the launch: {journal.hypothesis.strip()}", ""]
    if journal.rule is None:
        return [*lines, "No rule was recorded that decides it."]
    lines.append(f"The rule that decides it, recorded with it: {journal.rule.sentence}")
    return [*lines, "", found.registration.words] if found.registration is not None else lines


def _accepted(found: Gathered) -> list[str]:
    if not found.criteria:
        return []
    return ["", "What it had to reach, recorded at the launch:", "", *(f"- {one.words}" for one in found.criteria)]


def _runs(runs: Iterable[RunRecord], infos: Mapping[str, RunInfo]) -> list[str]:
    arms: dict[str, list[RunRecord]] = {}
    for run in runs:
        arms.setdefault(f"{run.job.arm} (control {run.control})" if run.control else run.job.arm, []).append(run)
    lines = ["| arm | seeds | other runs | finished | other ends |", "|---|---|---|---|---|"]
    for arm, members in arms.items():
        seeds = ", ".join(seed_number(seed) for seed in sorted({run.job.seed for run in members if run.job.counts}))
        roles = Counter(run.job.role for run in members if not run.job.counts)
        others = ", ".join(counted(number, role) for role, number in roles.items()) or "none"
        ends = Counter(infos[run.job.run_name].state if run.job.run_name in infos else "no metrics" for run in members)
        unfinished = ", ".join(f"{number} {word}" for word, number in sorted(ends.items()) if word != "finished")
        lines.append(f"| {_cell(arm)} | {seeds} | {others} | {ends['finished']} | {unfinished or 'none'} |")
    return [*lines, "", "Replicates and forks count as no seed. Runs that failed or were cancelled are in the table."]


def _settings(found: Gathered) -> list[str]:
    arms: dict[str, dict[str, Any]] = {}
    for name, run in found.runs.items():
        if name in found.infos:
            arms.setdefault(run.job.arm, flat_config(found.infos[name].config))
    keys = sorted({key for config in arms.values() for key in config} - OWN_KEYS)
    differing = [key for key in keys if len({str(config.get(key)) for config in arms.values()}) > 1]
    lines = [f"{counted(len(arms), 'arm')}, each with its settings in `runs/*/run.json`."]
    if untold := {run.job.arm for run in found.runs.values()} - arms.keys():
        lines.append(f"The settings of {counted(len(untold), 'more arm')} are not known: {', '.join(sorted(untold))}.")
    if not differing and untold:
        return [*lines, "What was searched is therefore not known."]
    if not differing:
        return [*lines, "They differ in no setting, so nothing was searched in these runs."]
    lines += ["What was varied over the arms, with every value that was run:", ""]
    for key in differing[:_MOST]:
        values = dict.fromkeys(str(config.get(key, "not set")) for config in arms.values())
        lines.append(f"- `{key}`: {', '.join(values)}")
    more = len(differing) - _MOST
    return [*lines, *([f"- and {counted(more, 'more setting')}"] if more > 0 else [])]


def _compute(found: Gathered) -> list[str]:
    took = {name: _took(info) for name, info in found.infos.items()}
    known = [seconds for seconds in took.values() if seconds is not None]
    lines = [f"In all {duration(sum(known))} of {counted(len(known), 'run')}, those that failed among them."]
    if known:
        lines.append(f"One run took {duration(sum(known) / len(known))} on average, {duration(max(known))} at most.")
    if controls := sum(bool(run.control) for run in found.runs.values()):
        lines.append(f"Of these, {counted(controls, 'run')} of a kept control had been computed before.")
    unknown = len(found.runs) - len(known)
    return [*lines, *([f"How long {counted(unknown, 'run')} took is not known."] if unknown else [])]


def _took(info: RunInfo) -> float | None:
    if info.created_at is None or info.heartbeat_at is None:
        return None
    return max(0.0, info.heartbeat_at - info.created_at)


def _hardware(found: Gathered) -> list[str]:
    machines = Counter(_machine_words(run.code.machine if run.code else None) for run in found.runs.values())
    lines = [f"- {counted(number, 'run')}: {words}" for words, number in machines.items()]
    lines += [f"- package set {name}: {_environment_words(each)}" for name, each in found.environments.items()]
    return lines


def _machine_words(machine: Machine | None) -> str:
    if machine is None:
        return "machine not recorded"
    parts = [machine.cpu or "CPU not known", machine.architecture or ""]
    parts += [f"{machine.cores_allowed} processors allowed" if machine.cores_allowed else ""]
    parts += [f"BLAS kernel {machine.kernels}" if machine.kernels else ""]
    parts += [_gpu_words(machine)]
    return ", ".join(filter(None, parts))


def _gpu_words(machine: Machine) -> str:
    if machine.gpus is None:
        return "GPU not known"
    return f"GPU {', '.join(machine.gpus)} with driver {machine.driver}" if machine.gpus else "no GPU"


def _environment_words(environment: Environment) -> str:
    number = counted(len(environment.packages), "package")
    return f"{environment.implementation} {environment.python}, {number}, each with its version and a hash"


def _code(found: Gathered) -> list[str]:
    record = found.record
    lines = []
    for name, one in (record.snapshots if record else {}).items():
        base = one.snapshot.base
        where = f"on commit {base[:12]} (pushed: {one.snapshot.pushed})" if base else "on no commit"
        changed = counted(one.snapshot.changed_count, "file")
        lines.append(f"- snapshot {name}: {counted(len(one.modes), 'file')}, {where}, {changed} changed on top of it")
    return lines or ["No snapshot of the code is in here."]


def _licences(found: Gathered) -> list[str]:
    files = sorted(
        name
        for name in found.contents
        if name.startswith("code/") and name.rpartition("/")[2].startswith(_LICENCE_FILES)
    )
    lines = [f"- of the code: `{name}`" for name in files] or ["- of the code: no file of it says one."]
    packages = sorted({name for environment in found.environments.values() for name in environment.packages})
    said = Counter(_licence_of(name) for name in packages)
    lines += [f"- {counted(number, 'package')}: {licence}" for licence, number in sorted(said.items())]
    return [*lines, "- of data and environments: the record cannot say; the authors have to."]


def _licence_of(package: str) -> str:
    """Return the licence that a package states; as it is installed here, for a record does not keep it."""
    try:
        said: dict[str, Any] = metadata.metadata(package).json
    except metadata.PackageNotFoundError:
        return "not installed where this was written, so not known"
    stated = [line.rpartition(" :: ")[2] for line in said.get("classifier", ()) if "License ::" in line]
    text = str(said.get("license", "")).strip().splitlines()
    return said.get("license_expression") or ", ".join(stated) or (text[0][:60] if text else "states none")


def _neurips(found: Gathered) -> list[str]:
    journal, partly = found.journal, "In part: see What is not in here."
    told = all(name in found.infos for name in found.runs)
    computed = told and all(run.code is not None and run.code.machine is not None for run in found.runs.values())
    decided = "the rule above, written before the launch" if journal and journal.rule else "no rule was recorded"
    return _table(
        (
            ("Claims", f"See above: {decided}." if journal and journal.is_written else _AUTHORS),
            (
                "Experimental result reproducibility",
                "Yes: code, packages, commands, seeds and results are in here." if _is_whole(found) else partly,
            ),
            ("Open access to data and code", f"The code is in here. Of data: {_AUTHORS[0].lower()}{_AUTHORS[1:]}"),
            (
                "Experimental setting and details",
                "Yes: every setting of every run is in `runs/*/run.json`." if told else partly,
            ),
            (
                "How settings were selected",
                f"{decided[0].upper()}{decided[1:]}. All that were run under this name are in here.",
            ),
            (
                "Statistical significance",
                "Every seed's rows are in here; intervals are computed over seeds." if told else partly,
            ),
            (
                "Compute resources",
                f"{'Yes' if computed else 'In part'}: see Compute and Hardware, with runs that failed.",
            ),
            ("Licences of existing assets", "See Licences for code and packages."),
            ("Limitations, theory, ethics, impacts, safeguards, human subjects, use of LLMs", _AUTHORS),
        )
    )


def _is_whole(found: Gathered) -> bool:
    return bool(found.record and found.record.snapshots) and not found.notes


def _acm(found: Gathered) -> list[str]:
    return _table(
        (
            ("Artifacts evaluated: documented", "This file, the records and the notebook."),
            (
                "Artifacts evaluated: consistent and complete",
                "Yes." if _is_whole(found) else "See What is not in here.",
            ),
            ("Artifacts evaluated: exercisable", "`experiments reproduce` runs it and compares."),
            ("Artifacts available", "Needs a public archive with a DOI; the authors have to put it there."),
            ("Results reproduced", "For others to say: `experiments reproduce` prints the verdict, and its numbers."),
        )
    )


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    return ["| point | answer |", "|---|---|", *(f"| {point} | {answer} |" for point, answer in rows)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
