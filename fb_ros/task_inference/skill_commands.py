"""Commands on skills (save, list, rename, delete), written as on a shell.

save NAME       keep the present prompt
rename OLD NEW
delete NAME
anew NAME       encode a skill's text with the present model, and keep that; nothing moves
list
"""

from __future__ import annotations

from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt_text import MAX_SKILL_LENGTH, RESERVED, parse_prompt, require_name
from fb_ros.prompts.skills import SavedSkill, SkillLibrary
from fb_ros.robot.wording import shortened
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.reward_inference import RewardInference

_USAGE = dict(zip(RESERVED, (("NAME",), ("OLD", "NEW"), ("NAME",), ("NAME",), ()), strict=True))


def run_skill_command(
    text: str,
    library: SkillLibrary,
    inference: RewardInference,
    present: Inference | None,
    *,
    model_id: str,
    date: str,
) -> str | None:
    """Carries the line out and returns a report; None if it is a prompt and not a command.

    `present` is the prompt in force, `date` (ISO 8601) the date of a saved skill.
    """
    name, *words = text.split() or [""]
    if name not in _USAGE:
        return None
    if len(words) != len(_USAGE[name]):
        raise FbRosError(f"{text[:80]!r}: write `{' '.join((name, *_USAGE[name]))}`")
    if name == "list":
        return listing(library)
    if name == "save":
        require_name(words[0])
        if present is None:
            raise FbRosError("there is no prompt to save yet; publish one")
        return _save(library, words[0], present, model_id, date)
    if name == "rename":
        library.rename(*words)
        return f"skill {words[0]} is now {words[1]}"
    if name == "delete":
        library.delete(words[0])
        return f"skill {words[0]} is gone"
    anew = inference.infer(parse_prompt(library.load(words[0]).text, longest=MAX_SKILL_LENGTH))
    return _save(library, words[0], anew, model_id, date)


def _save(library: SkillLibrary, name: str, present: Inference, model_id: str, date: str) -> str:
    skill = SavedSkill(name=name, z=present.z, model_id=model_id, text=present.text, date=date)
    library.save(skill)
    return f"saved as skill {name}: {shortened(present.text)}"


def is_command(text: str) -> bool:
    """Whether a line is one of those that `run_skill_command` carries out."""
    return text.split(maxsplit=1)[:1] in [[name] for name in _USAGE]


def listing(library: SkillLibrary) -> str:
    """All skills in one line."""
    lines = []
    for name in library.names():
        try:
            skill = library.load(name)
        except FbRosError as error:
            lines.append(f"{name}: {error}")
            continue
        lines.append(
            f"{name}: {shortened(skill.text)} ({skill.date}, model {skill.model_id[:12]})"
        )
    return "; ".join(lines) or f"no skills in {library.folder}"
