"""The actor-critic: one hidden layer, a policy head and a value head, with gradients written out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from experiments.trainer.features import FloatArray

Parameters = dict[str, FloatArray]


def log_softmax(logits: FloatArray) -> FloatArray:
    """Return the log-probabilities of `logits`, (rows, actions)."""
    shifted: FloatArray = logits - logits.max(axis=1, keepdims=True)
    normaliser: FloatArray = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted - normaliser


def sample_actions(logits: FloatArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw an action for each row of `logits` by the Gumbel-max trick."""
    actions: NDArray[np.int64] = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return actions


class ActorCritic:
    """A tanh layer of `hidden_size` units with a linear policy head and a linear value head.

    Attributes:
        parameters: `hidden_weight` (inputs, hidden), `policy_weight` (hidden, actions), `value_weight` (hidden, 1)
            and their biases.
    """

    def __init__(self, parameters: Mapping[str, FloatArray]) -> None:
        self.parameters: Parameters = dict(parameters)

    @classmethod
    def create(cls, inputs: int, hidden_size: int, actions: int, rng: np.random.Generator) -> ActorCritic:
        """Return a network with random weights; its first policy is nearly uniform."""

        def weight(rows: int, columns: int, gain: float) -> FloatArray:
            normal = rng.standard_normal((rows, columns))
            return (normal * (gain / math.sqrt(rows))).astype(np.float32)

        return cls(
            {
                # Inputs are sparse: of several hundred columns about thirty are 1.
                "hidden_weight": weight(inputs, hidden_size, 3.0),
                "hidden_bias": np.zeros(hidden_size, np.float32),
                "policy_weight": weight(hidden_size, actions, 0.05),
                "policy_bias": np.zeros(actions, np.float32),
                "value_weight": weight(hidden_size, 1, 0.5),
                "value_bias": np.zeros(1, np.float32),
            }
        )

    def forward(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return hidden activations (rows, hidden), logits (rows, actions) and values (rows,) of `inputs`."""
        p = self.parameters
        hidden = np.tanh(inputs @ p["hidden_weight"] + p["hidden_bias"])
        logits = hidden @ p["policy_weight"] + p["policy_bias"]
        values = (hidden @ p["value_weight"] + p["value_bias"])[:, 0]
        return hidden, logits, values

    def backward(
        self, inputs: FloatArray, hidden: FloatArray, logits_gradient: FloatArray, values_gradient: FloatArray
    ) -> Parameters:
        """Return the gradient of every parameter.

        Args:
            inputs: Inputs of the forward pass, (rows, inputs).
            hidden: Its hidden activations, (rows, hidden).
            logits_gradient: Gradient of the loss by the logits, (rows, actions).
            values_gradient: Gradient of the loss by the values, (rows,).
        """
        p = self.parameters
        column = values_gradient[:, None]
        hidden_gradient = (logits_gradient @ p["policy_weight"].T + column @ p["value_weight"].T) * (
            1 - hidden * hidden
        )
        return {
            "hidden_weight": inputs.T @ hidden_gradient,
            "hidden_bias": hidden_gradient.sum(axis=0),
            "policy_weight": hidden.T @ logits_gradient,
            "policy_bias": logits_gradient.sum(axis=0),
            "value_weight": hidden.T @ column,
            "value_bias": column.sum(axis=0),
        }


class Adam:
    """Adam with gradients clipped by their global norm.

    Attributes:
        first: Running means of the gradients.
        second: Running means of their squares.
        updates: Updates made.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        max_norm: float = 0.5,
    ) -> None:
        self.first = {name: np.zeros_like(value) for name, value in parameters.items()}
        self.second = {name: np.zeros_like(value) for name, value in parameters.items()}
        self.updates = 0
        self._beta1, self._beta2, self._eps, self._max_norm = beta1, beta2, eps, max_norm

    def update(self, parameters: Parameters, gradients: Parameters, learning_rate: float) -> None:
        """Move `parameters` in place against `gradients`."""
        norm = math.sqrt(sum(float((value * value).sum()) for value in gradients.values()))
        scale = min(1.0, self._max_norm / (norm + 1e-8))
        self.updates += 1
        step = learning_rate / (1 - self._beta1**self.updates)
        correction = 1 / math.sqrt(1 - self._beta2**self.updates)
        for name, parameter in parameters.items():
            gradient = gradients[name] * np.float32(scale)
            first, second = self.first[name], self.second[name]
            first += (1 - self._beta1) * (gradient - first)
            second += (1 - self._beta2) * (gradient * gradient - second)
            change = np.float32(step) * first / (np.sqrt(second) * np.float32(correction) + np.float32(self._eps))
            np.subtract(parameter, change, out=parameter)
