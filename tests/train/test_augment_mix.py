import pytest

torch = pytest.importorskip("torch")

from mien.train import augment

pytestmark = pytest.mark.torch


def flat(count):
    """Crops whose every pixel is their number, and the shares of as many classes."""
    values = torch.arange(count, dtype=torch.float32)
    return values[:, None, None, None].expand(count, 1, 64, 64).clone(), torch.eye(count)


def drawn(monkeypatch, other, weight):
    """Let the partners and their weights be these."""
    given = torch.tensor(other), torch.tensor(weight)
    monkeypatch.setattr(augment, "_partners", lambda *_: given)


def test_mixup_is_the_weighted_mean_worked_by_hand(monkeypatch):
    drawn(monkeypatch, [2, 0, 1], [0.25, 0.0, 1.0])
    batch, shares = augment.mixup(*flat(3), 1.0)
    # 0.75 * 0 + 0.25 * 2; 1 as it was; 2 replaced by 1
    assert batch[:, 0, 5, 9].tolist() == [0.5, 1.0, 1.0]
    assert shares.tolist() == [[0.75, 0.0, 0.25], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]


def test_a_rectangle_has_the_share_of_its_pixels(monkeypatch):
    drawn(monkeypatch, [1, 0], [0.25, 0.0])
    batch, shares = augment.cutmix(*flat(2), 1.0)
    assert (batch[0] == 1).sum() == 32 * 32  # half of the side each way
    assert (batch[1] == 1).all()
    assert shares.tolist() == [[0.75, 0.25], [0.0, 1.0]]


@pytest.mark.parametrize("change", [augment.mixup, augment.cutmix])
def test_targets_say_what_the_pixels_hold(change):
    torch.manual_seed(0)
    count = 50
    before, shares = flat(count)
    batch, shares = change(before, shares, 0.7)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(count))
    expected = shares @ torch.arange(count, dtype=torch.float32)
    torch.testing.assert_close(batch.mean(dim=(1, 2, 3)), expected, atol=1e-3, rtol=1e-4)
    assert (shares > 0).sum(dim=1).max() == 2


@pytest.mark.parametrize("change", [augment.mixup, augment.cutmix])
def test_the_chance_is_of_each_crop_once_and_the_share_uniform(change):
    torch.manual_seed(1)
    _, shares = change(torch.zeros(4000, 1, 64, 64), torch.eye(4000), 0.5)
    own = shares.diagonal()
    mixed = own[own < 1]
    assert 0.47 < len(mixed) / 4000 < 0.53  # kornia's would be a quarter
    assert 0.47 < mixed.mean() < 0.53
    assert mixed.min() < 0.01
    assert mixed.max() > 0.99


@pytest.mark.parametrize("change", [augment.mixup, augment.cutmix])
def test_a_crop_is_not_mixed_with_itself(change):
    for seed in range(20):
        torch.manual_seed(seed)
        _, shares = change(*flat(3), 1.0)
        assert shares.diagonal().max() < 1


def test_a_single_crop_stays_as_it_is():
    batch, shares = augment.cutmix(*augment.mixup(*flat(1), 1.0), 1.0)
    assert batch.abs().sum() == 0
    assert shares.tolist() == [[1.0]]


def test_rectangles_are_whole_have_the_crops_proportions_and_lie_anywhere():
    torch.manual_seed(2)
    before = torch.arange(600, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 32, 64)
    batch, _ = augment.cutmix(before.clone(), torch.eye(600), 1.0)
    inside = (batch != before)[:, 0]
    ends = torch.zeros(4)  # how many begin or end at the first and last row and column
    for mask in inside:
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        assert torch.equal(mask, rows[:, None] & columns[None])
        assert rows.diff().sum() <= 2  # in one piece
        assert columns.diff().sum() <= 2
        assert abs(2 * rows.sum() - columns.sum()) <= 1
        if not rows.all():
            ends += torch.stack([rows[0], rows[-1], columns[0], columns[-1]])
    (top, bottom), (left, right) = ends[:2].tolist(), ends[2:].tolist()
    assert min(left, right) > 15
    assert 0.7 < top / bottom < 1.4
    assert 0.6 < left / right < 1.6
    corners = inside[:, [0, 0, -1, -1], [0, -1, 0, -1]].float().mean(dim=0)
    assert (corners - corners.mean()).abs().max() < 0.07


def test_nothing_switched_on_returns_what_came():
    batch, _ = flat(3)
    targets = torch.tensor([0, 1, 6])
    found = augment.mix(batch, targets, 7, 0.0, 0.0)
    assert found[0] is batch
    assert found[1] is targets


@pytest.mark.parametrize("chances", [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_class_numbers_become_shares_of_the_classes(chances):
    torch.manual_seed(0)
    batch, _ = flat(4)
    targets = torch.tensor([0, 1, 1, 6])
    mixed, shares = augment.mix(batch, targets, 7, *chances)
    assert shares.shape == (4, 7)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(4))
    assert shares[:, 2:6].abs().sum() == 0
    assert not torch.equal(mixed, batch)


def test_the_same_seed_mixes_alike():
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(augment.mix(flat(8)[0], torch.arange(8) % 7, 7, 0.5, 0.5)[0])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
