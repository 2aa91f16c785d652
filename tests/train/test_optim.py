import math

import pytest

torch = pytest.importorskip("torch")

from mien.errors import UnknownNameError
from mien.models import zoo
from mien.train.optim import layout_of, optimiser, rate_at, side_at
from tests.support.tiny_network import settings_for, tiny

pytestmark = pytest.mark.torch

STEPS = 1000


def rates(**changes):
    settings = settings_for("a", rate=0.5, **changes)
    return [rate_at(step, STEPS, settings) for step in range(STEPS)]


def test_one_cycle_climbs_from_a_twenty_fifth_to_the_rate_and_falls_to_nothing():
    found = rates(schedule="one-cycle", warmup=0.2)
    assert found[0] == pytest.approx(0.04 * 0.5)
    assert found[100] == pytest.approx((0.04 + 0.96 / 2) * 0.5)  # half-way up
    assert found[200] == pytest.approx(0.5)
    assert found[600] == pytest.approx(0.25)  # half-way down
    assert 0 < found[-1] < 1e-5
    assert found.index(max(found)) == 200
    assert found[:201] == sorted(found[:201])
    assert found[200:] == sorted(found[200:], reverse=True)


def test_one_cycle_is_torchs_own():
    # torch counts the last step of the climb and the fall, so its cycle is one step longer
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=1.0)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 0.5, STEPS, pct_start=0.2, div_factor=25, final_div_factor=1e12
    )
    expected = []
    for _ in range(STEPS):
        expected.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        cycle.step()
    assert rates(schedule="one-cycle", warmup=0.2) == pytest.approx(expected, abs=0.004)


def test_cosine_falls_from_the_rate_to_nothing_along_half_a_wave():
    found = rates(schedule="cosine", warmup=0.3)  # a warm-up is one-cycle's alone
    assert found == pytest.approx([0.25 * (1 + math.cos(math.pi * t / 1000)) for t in range(1000)])
    assert found[0] == 0.5
    assert found[500] == pytest.approx(0.25)


def test_a_constant_rate_is_constant():
    assert set(rates(schedule="constant")) == {0.5}


def test_one_cycle_without_warm_up_is_a_cosine():
    assert rates(schedule="one-cycle", warmup=0.0) == rates(schedule="cosine")


def test_a_run_of_one_step_has_a_rate():
    for schedule in ("one-cycle", "cosine", "constant"):
        assert rate_at(0, 1, settings_for("a", rate=0.5, schedule=schedule)) > 0


def test_crops_grow_in_steps_of_eight_and_are_whole_at_the_end():
    growing = settings_for("a", epochs=20, first_side=40)
    sides = [side_at(epoch, growing, 64) for epoch in range(20)]
    assert sides == [40] * 6 + [48] * 6 + [56] * 5 + [64] * 3  # 17 = 0.85 * 20 epochs to grow in
    assert {side_at(epoch, settings_for("a", epochs=20), 88) for epoch in range(20)} == {88}
    assert {side_at(epoch, growing, 32) for epoch in range(20)} == {32}
    for epochs in range(1, 10):  # the last epoch is whole in the shortest run too
        assert side_at(epochs - 1, settings_for("a", epochs=epochs, first_side=40), 64) == 64
    odd = [side_at(epoch, growing, 60) for epoch in range(20)]
    assert (odd[0], odd[-1], sorted(odd)) == (40, 60, odd)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_an_optimiser_takes_the_step_of_its_formula(name):
    layer = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(layer.weight, 2.0)
    torch.nn.init.constant_(layer.bias, 2.0)
    settings = settings_for("a", optimiser=name, rate=0.1, weight_decay=0.5, momentum=0.9)
    down = optimiser(layer, settings)
    layer.weight.grad, layer.bias.grad = torch.tensor([[4.0]]), torch.tensor([4.0])
    down.step()
    expected = {
        "sgd": (2 - 0.1 * 1.9 * (4 + 0.5 * 2), 2 - 0.1 * 1.9 * 4),  # Nesterov: 1 + momentum
        "adam": (2 - 0.1, 2 - 0.1),  # the first step of Adam has the length of the rate
        "adamw": (2 - 0.1 * 0.5 * 2 - 0.1, 2 - 0.1),  # and AdamW's decay comes on top
    }[name]
    assert (layer.weight.item(), layer.bias.item()) == pytest.approx(expected, abs=1e-5)


def test_nesterovs_correction_can_be_left_out():
    layer = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(layer.weight, 2.0)
    down = optimiser(layer, settings_for("a", nesterov=False, rate=0.1, weight_decay=0.0))
    layer.weight.grad, layer.bias.grad = torch.tensor([[4.0]]), torch.tensor([0.0])
    down.step()
    assert layer.weight.item() == pytest.approx(2 - 0.1 * 4)


def test_a_wrong_optimiser_says_which_one_was_meant():
    with pytest.raises(UnknownNameError, match="no optimiser called 'adamm'"):
        settings_for("a", optimiser="adamm")


def test_the_first_layers_have_a_share_of_the_rate_and_every_weight_is_in_one_group():
    network = tiny(6, 0.0)
    groups = optimiser(network, settings_for("a", stem_rate=0.1)).param_groups
    slow = [p for group in groups if group["share"] == 0.1 for p in group["params"]]
    assert {id(p) for p in slow} == {id(p) for p in network.features[0].parameters()}
    every = [id(p) for group in groups for p in group["params"]]
    assert sorted(every) == sorted(id(p) for p in network.parameters())
    assert len(optimiser(network, settings_for("a")).param_groups) == 2


@pytest.mark.parametrize("name", sorted(zoo.MODELS))
def test_every_network_has_first_layers_that_learn_slower(name):
    with torch.device("meta"):
        network = zoo.build(name, outputs=6, dropout=0)
    groups = optimiser(network, settings_for("a", stem_rate=0.1)).param_groups
    slow = {id(p) for group in groups if group["share"] == 0.1 for p in group["params"]}
    assert id(next(network.parameters())) in slow
    assert slow.isdisjoint(map(id, network.last.parameters()))


def test_only_networks_with_very_large_convolutions_are_laid_out_as_torch_does_and_on_a_cpu_alone():
    with torch.device("meta"):
        networks = {name: zoo.build(name, outputs=6, dropout=0) for name in zoo.MODELS}
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    plain = {n for n, m in networks.items() if layout_of(m, cpu) is torch.contiguous_format}
    assert plain == {"cnn17", "res25-se"}
    assert {layout_of(network, gpu) for network in networks.values()} == {torch.channels_last}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_sgd_takes_the_steps_of_torchs_plain_one_also_with_a_momentum_that_was_read(layout):
    settings = settings_for("a", rate=0.1, momentum=0.9, weight_decay=0.01)
    torch.manual_seed(0)
    ours, plain = tiny(7, 0.0).to(memory_format=layout), tiny(7, 0.0)
    plain.load_state_dict(ours.state_dict())
    groups = [
        {"params": [p for p in plain.parameters() if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in plain.parameters() if p.ndim <= 1]},
    ]
    expected = torch.optim.SGD(groups, 0.1, momentum=0.9, nesterov=True, foreach=False)
    found = optimiser(ours, settings)
    for _ in range(3):
        batch = torch.randn(4, 3, 64, 64)
        for network, descent in ((ours, found), (plain, expected)):
            descent.zero_grad()
            network(batch).square().mean().backward()
        for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
            a.grad.copy_(b.grad)  # the passes round otherwise; here only the step counts
        found.step()
        expected.step()
        for weight in found.state.values():  # as a checkpoint holds it
            weight["momentum_buffer"] = weight["momentum_buffer"].contiguous()
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-6)
