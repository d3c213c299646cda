import numpy as np
import pytest

from experiments.trainer.config import PPOConfig
from experiments.trainer.network import ActorCritic, Adam, log_softmax
from experiments.trainer.ppo import advantages, explained_variance, gradients
from experiments.trainer.rollout import Rollout

ROWS, INPUTS, HIDDEN, ACTIONS = 24, 7, 5, 4


def problem(seed):
    """A network and a minibatch in double precision; the ratios are away from the corners of the clipped loss."""
    rng = np.random.default_rng(seed)
    network = ActorCritic.create(INPUTS, HIDDEN, ACTIONS, rng)
    network.parameters = {name: rng.standard_normal(value.shape) for name, value in network.parameters.items()}
    inputs = rng.standard_normal((ROWS, INPUTS))
    actions = rng.integers(0, ACTIONS, ROWS)
    new = log_softmax(network.forward(inputs)[1])[np.arange(ROWS), actions]
    old = new - rng.choice([-0.5, -0.1, 0.05, 0.4], ROWS)
    return network, (inputs, actions, old, rng.standard_normal(ROWS), rng.standard_normal(ROWS))


def loss(network, batch, config):
    _, losses = gradients(network, *batch, config)
    return losses.policy_loss + config.vf_coef * losses.value_loss - config.ent_coef * losses.entropy


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gradients_agree_with_finite_differences(seed):
    config = PPOConfig(ent_coef=0.3, vf_coef=0.7)
    network, batch = problem(seed)
    exact, _ = gradients(network, *batch, config)
    for name, parameter in network.parameters.items():
        estimate = np.zeros_like(parameter)
        for place in np.ndindex(parameter.shape):
            here = parameter[place]
            ends = []
            for value in (here + 1e-6, here - 1e-6):
                parameter[place] = value
                ends.append(loss(network, batch, config))
            parameter[place] = here
            estimate[place] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(exact[name], estimate, atol=1e-8, rtol=1e-5, err_msg=name)


def test_the_clipped_ratio_stops_the_gradient_only_where_it_would_gain():
    network, batch = problem(0)
    inputs, actions, _, _, returns = batch
    new = log_softmax(network.forward(inputs)[1])[np.arange(ROWS), actions]
    config = PPOConfig(ent_coef=0, vf_coef=0)
    for shift, advantage, flows in ((0.5, 1.0, False), (0.5, -1.0, True), (-0.5, 1.0, True), (-0.5, -1.0, False)):
        step, _ = gradients(network, inputs, actions, new - shift, np.full(ROWS, advantage), returns, config)
        assert bool(np.abs(step["policy_weight"]).max() > 0) is flows


def test_advantages_are_the_decayed_sum_of_errors_up_to_the_episodes_end():
    rng = np.random.default_rng(0)
    rollout = Rollout.empty(5, 1)
    rollout.rewards[:, 0] = rng.standard_normal(5)
    rollout.values[:, 0] = rng.standard_normal(6)
    rollout.dones[2, 0] = 1
    gamma, decay = 0.9, 0.8
    errors = rollout.rewards[:, 0] + gamma * rollout.values[1:, 0] * (1 - rollout.dones[:, 0]) - rollout.values[:-1, 0]
    estimates = advantages(rollout, gamma=gamma, gae_lambda=decay)[:, 0]
    rate = gamma * decay
    assert estimates[0] == pytest.approx(errors[0] + rate * errors[1] + rate**2 * errors[2], rel=1e-5)
    assert estimates[3] == pytest.approx(errors[3] + rate * errors[4], rel=1e-5)


def test_explained_variance_is_one_for_perfect_and_zero_for_constant_values():
    returns = np.array([1.0, 2.0, 4.0], np.float32)
    assert explained_variance(returns, returns) == 1
    assert explained_variance(np.zeros(3, np.float32), returns) == 0
    assert explained_variance(returns, np.ones(3, np.float32)) == 0


def test_adam_takes_first_steps_of_the_learning_rate_and_clips_the_norm():
    parameters = {"weight": np.zeros(2, np.float32)}
    adam = Adam(parameters, max_norm=1.0)
    adam.update(parameters, {"weight": np.array([3e6, -4e6], np.float32)}, 0.01)
    np.testing.assert_allclose(parameters["weight"], [-0.01, 0.01], rtol=1e-4)
    np.testing.assert_allclose(adam.first["weight"], [0.06, -0.08], rtol=1e-4)
