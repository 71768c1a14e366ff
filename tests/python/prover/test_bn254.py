import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouch.protocol.zk import FIELD
from vouch.prover import bn254
from vouch.prover.bn254 import G1, FixedBase, P

SCALARS = st.integers(1, FIELD - 1)


@pytest.fixture(scope="module")
def base() -> FixedBase:
    return FixedBase()


@settings(deadline=None, max_examples=50)
@given(st.lists(SCALARS, min_size=1, max_size=4))
def test_tables_give_what_doubling_and_adding_gives(base: FixedBase, scalars: list[int]) -> None:
    assert base.multiples(scalars) == [bn254.multiply(scalar, G1) for scalar in scalars]


def test_small_and_largest_multiples(base: FixedBase) -> None:
    one, two, largest = base.multiples([1, 2, FIELD - 1])
    assert one == G1
    assert two == bn254.add(G1, G1)
    # (r - 1) * G1 is -G1: the group has the order r.
    assert largest == (1, P - 2)


@settings(deadline=None, max_examples=50)
@given(SCALARS, SCALARS)
def test_multiples_add_up(base: FixedBase, a: int, b: int) -> None:
    left, right, both = base.multiples([a, b, (a + b) % FIELD or 1])
    if left != right and (a + b) % FIELD:
        assert bn254.add(left, right) == both


@settings(deadline=None, max_examples=50)
@given(SCALARS)
def test_a_point_comes_back_from_its_compressed_form(base: FixedBase, scalar: int) -> None:
    (point,) = base.multiples([scalar])
    assert bn254.on_curve(point)
    assert bn254.decompress(bn254.compress(point)) == point
    x, y = point
    assert bn254.decompress(bn254.compress((x, P - y))) == (x, P - y)


@pytest.mark.parametrize("word", [4, P, P + 1, (1 << 255) - 1], ids=["no y", "x = p", "x = p + 1", "largest"])
def test_a_word_that_is_no_point_is_refused(word: int) -> None:
    with pytest.raises(ValueError, match="no compressed point"):
        bn254.decompress(word)


def test_a_point_beside_the_curve_is_seen() -> None:
    assert not bn254.on_curve((1, 3))
    assert not bn254.on_curve((1 + P, 2))


def test_multiples_of_g2_lie_on_its_curve_and_end_with_its_order() -> None:
    (x0, x1), (y0, y1) = bn254.multiply_g2(FIELD - 1)
    assert ((x0, x1), ((-y0) % P, (-y1) % P)) == bn254.G2
    # As the libraries of Ethereum's pairing precompile have it.
    assert bn254.multiply_g2(2)[0][0] == (
        18029695676650738226693292988307914797657423701064905010927197838374790804409
    )
