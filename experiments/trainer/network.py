"""The actor-critic: one hidden layer, a policy head and a value head, with gradients written out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from experiments.trainer.features import FloatArray, Inputs

Parameters = dict[str, FloatArray]


def log_softmax(logits: FloatArray) -> FloatArray:
    """Return the log-probabilities of `logits`, (..., actions)."""
    # By columns: numpy is slow at sums over the last axis where that is short.
    shifted = np.ascontiguousarray(np.moveaxis(logits, -1, 0))
    shifted -= shifted.max(axis=0)
    shifted -= np.log(np.exp(shifted).sum(axis=0))
    return np.moveaxis(shifted, 0, -1)


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

    def forward(self, inputs: Inputs | FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return hidden activations (rows, hidden), logits (rows, actions) and values (rows,) of `inputs`."""
        p = self.parameters
        # In place: an array that is made anew costs as much as what is calculated in it.
        hidden: FloatArray = inputs @ p["hidden_weight"]
        hidden += p["hidden_bias"]
        np.tanh(hidden, out=hidden)
        heads: FloatArray = hidden @ self._heads
        logits: FloatArray = heads[:, :-1] + p["policy_bias"]
        values: FloatArray = heads[:, -1] + p["value_bias"]
        return hidden, logits, values

    @property
    def _heads(self) -> FloatArray:
        """Weights of both heads side by side, (hidden, actions + 1): one product is faster than two."""
        return np.concatenate([self.parameters["policy_weight"], self.parameters["value_weight"]], axis=1)

    def backward(
        self, inputs: Inputs | FloatArray, hidden: FloatArray, logits_gradient: FloatArray, values_gradient: FloatArray
    ) -> Parameters:
        """Return the gradient of every parameter.

        Args:
            inputs: Inputs of the forward pass, (rows, inputs).
            hidden: Its hidden activations, (rows, hidden).
            logits_gradient: Gradient of the loss by the logits, (rows, actions).
            values_gradient: Gradient of the loss by the values, (rows,).
        """
        column = values_gradient[:, None]
        hidden_gradient = np.concatenate([logits_gradient, column], axis=1) @ self._heads.T
        slope = hidden * hidden
        np.subtract(1, slope, out=slope)
        hidden_gradient *= slope
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
        self._spare = {name: np.zeros_like(value) for name, value in parameters.items()}
        self.updates = 0
        self._beta1, self._beta2, self._eps, self._max_norm = beta1, beta2, eps, max_norm

    def update(self, parameters: Parameters, gradients: Parameters, learning_rate: float) -> None:
        """Move `parameters` in place against `gradients`."""
        norm = math.sqrt(sum(float(np.vdot(value, value)) for value in gradients.values()))
        scale = min(1.0, self._max_norm / (norm + 1e-8))
        self.updates += 1
        step = learning_rate / (1 - self._beta1**self.updates)
        correction = 1 / math.sqrt(1 - self._beta2**self.updates)
        for name, parameter in parameters.items():
            first, second, gradient, change = self.first[name], self.second[name], gradients[name], self._spare[name]
            np.multiply(gradient, scale * (1 - self._beta1), out=change)
            first *= self._beta1
            first += change
            np.multiply(gradient, gradient, out=change)
            change *= scale * scale * (1 - self._beta2)
            second *= self._beta2
            second += change
            np.sqrt(second, out=change)
            change *= correction
            change += self._eps
            np.divide(first, change, out=change)
            change *= step
            np.subtract(parameter, change, out=parameter)
