"""The permutation and its sponge, against published values (and in test_acir.py against Noir)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.protocol.zk import FIELD
from vouch.prover.poseidon2 import digest, permute

elements = st.integers(0, FIELD - 1)


def test_the_permutation_of_nothing() -> None:
    assert permute([0, 0, 0, 0]) == [
        0x18DFB8DC9B82229CFF974EFEFC8DF78B1CE96D9D844236B496785C698BC6732E,
        0x095C230D1D37A246E8D2D5A63B165FE0FADE040D442F61E25F0590E5FB76F839,
        0x0BB9545846E1AFA4FA3C97414A60A20FC4949F537A68CCECA34C5CE71E28AA59,
        0x18A4F34C9C6F99335FF7638B82AEED9018026618358873C982BBDDE265B2ED6D,
    ]


@given(first=st.lists(elements, max_size=7), second=st.lists(elements, max_size=7))
def test_digests_differ(first: list[int], second: list[int]) -> None:
    assert (digest(first) == digest(second)) == (first == second)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_zeros_at_the_end_count(count: int) -> None:
    assert digest([7, *[0] * count]) != digest([7, *[0] * (count + 1)])


def test_the_sponge_takes_three_elements_at_a_time() -> None:
    state = permute([1, 2, 3, 4 << 64])
    state[0] += 4
    assert digest([1, 2, 3, 4]) == permute(state)[0]
