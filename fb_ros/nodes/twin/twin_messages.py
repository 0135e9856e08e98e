"""Messages between `task_inference_node` and a twin of the robot."""

from __future__ import annotations

import dataclasses

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import Float64MultiArray, MultiArrayDimension

from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import ERROR, OK, to_status, values_of
from fb_ros.task_inference.trial import Trial


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TwinQuestion:
    """Asks which of some encodings earns most of the reward that a prompt asks for."""

    model_id: str
    """The model of the encodings."""
    number: int
    """Number of the prompt, which tells its answer from others."""
    text: str
    """The prompt, with all skills in it spelled out."""
    proposals: np.ndarray
    """Encodings `(m, z_dim)`, the most promising first."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TwinAnswer:
    """The twin's trial, or the reason why there was none."""

    number: int
    """Number of the prompt."""
    trial: Trial | None = None
    """The trial's result; None if the twin tried nothing."""
    refusal: str = ""
    """Why the twin tried nothing."""


def to_question_message(question: TwinQuestion) -> Float64MultiArray:
    """The encodings row by row; the labels carry the model, the prompt's number and the prompt."""
    rows, columns = question.proposals.shape
    message = Float64MultiArray(data=question.proposals.astype(np.float64).ravel().tolist())
    message.layout.dim = [
        MultiArrayDimension(label=question.model_id, size=rows, stride=rows * columns),
        MultiArrayDimension(label=str(question.number), size=columns, stride=columns),
        MultiArrayDimension(label=question.text, size=1, stride=1),
    ]
    return message


def from_question_message(message: Float64MultiArray) -> TwinQuestion:
    """Reads what `to_question_message` wrote; refuses anything else."""
    dims = message.layout.dim
    values = np.asarray(message.data, dtype=np.float32)
    if len(dims) != 3 or dims[0].size * dims[1].size != len(values) or not len(values):
        raise FbRosError("a question to the twin has another shape than its layout says")
    if not (np.all(np.isfinite(values)) and dims[1].label.isdecimal()):
        raise FbRosError("a question to the twin holds what is no finite number")
    return TwinQuestion(
        model_id=dims[0].label,
        number=int(dims[1].label),
        text=dims[2].label,
        proposals=values.reshape(dims[0].size, dims[1].size),
    )


def to_answer_message(answer: TwinAnswer, name: str, robot: str) -> DiagnosticStatus:
    """The answer as a status that a person can read, too."""
    if answer.trial is None:
        return to_status(ERROR, name, answer.refusal, {"number": answer.number}, robot)
    trial = answer.trial
    text = f"tried {trial.tried}, number {trial.best} earned {trial.earned:.4g}"
    values = {"number": answer.number, **dataclasses.asdict(trial)}
    return to_status(OK, name, text, values, robot)


def from_answer_message(message: DiagnosticStatus) -> TwinAnswer:
    """Reads what `to_answer_message` wrote; refuses anything else."""
    values = values_of(message)
    try:
        number = int(values["number"])
        if message.level == ERROR:
            return TwinAnswer(number=number, refusal=message.message)
        trial = Trial(
            best=int(values["best"]),
            earned=float(values["earned"]),
            first_earned=float(values["first_earned"]),
            share=float(values["share"]),
            tried=int(values["tried"]),
            seconds=float(values["seconds"]),
        )
    except (KeyError, ValueError) as error:
        raise FbRosError(f"an answer of the twin lacks or garbles an entry: {error}") from None
    return TwinAnswer(number=number, trial=trial)
